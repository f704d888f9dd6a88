"""What an export wrote, and the report of it: size, operators, difference from `predict`, latency, what was lost."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["ExportReport", "Written", "size_text"]

TOLERANCE = 1e-4  # of the largest output, in float32
HALF_TOLERANCE = 2e-2  # where a part of the model computes in 16 bits
Runtime = Callable[[Sequence[Any]], Sequence[Any]]


@dataclasses.dataclass
class Written:
    """What the writer of a format made of a model. A writer is a function

        write(model, signature, target, **options) -> Written

    that writes the file `target` (for a format of one file) or files into the folder `target`, beside their place. Then
    `lamina.export.writing` runs it, compares it with `predict`, moves it into place and reports. A writer that raises
    leaves no file.

    Attributes:
        avals: Shape and dtype of each input, in the order of `jax.tree.leaves`; sizes that are open are symbolic, and
            an integer dtype gets small numbers. None, if there is nothing to run.
        runtime: Name of the package that runs the file.
        load: A function without arguments that returns what runs the file, a function from the list of the inputs to
            the list of the outputs. An ImportError says that the runtime is not installed. None, if there is none.
        operators: How often each operator occurs.
        facts: Further words for the first line, such as "opset 20".
        lost: Sentences about what could not be kept.
        tolerance: The difference from `predict`, as a part of the largest output, above which nothing is written; None
            for files that are less exact on purpose.
        in_32_bits: Whether the file computes in 32 bits where the model computes in 16; then it is compared with the
            model computed so.
        last: Name of the file in a folder that names the others, and is moved into place last.
        samples: Inputs for whose ranges the file is made, which are compared in place of random ones; None if it is for
            all.
    """

    avals: Sequence[Any] | None = None
    runtime: str = ""
    load: Callable[[], Runtime] | None = None
    operators: Mapping[str, int] = dataclasses.field(default_factory=dict)
    facts: list[str] = dataclasses.field(default_factory=list)
    lost: list[str] = dataclasses.field(default_factory=list)
    tolerance: float | None = TOLERANCE
    in_32_bits: bool = False
    last: str = ""
    samples: Sequence[Any] | None = None


@dataclasses.dataclass
class ExportReport:
    """The report of an export, which `Model.export` returns; `print(report)` says it in words.

    Attributes:
        path: The file or folder.
        format: Name of the format.
        size: Bytes of all files.
        files: Names of the files in a folder.
        operators: How often each operator occurs, where the format has operators.
        runtime: The package that ran what was written; "" if none did.
        difference: The largest difference from `predict`, as a part of the largest output; None if it was not run.
        latency: Seconds that one sample takes in that runtime; None if it was not run.
        facts: Further words, such as the opset.
        checks: Sentences about the comparison.
        lost: Sentences about what could not be kept.
    """

    path: pathlib.Path
    format: str
    size: int = 0
    files: list[str] = dataclasses.field(default_factory=list)
    operators: dict[str, int] = dataclasses.field(default_factory=dict)
    runtime: str = ""
    difference: float | None = None
    latency: float | None = None
    facts: list[str] = dataclasses.field(default_factory=list)
    checks: list[str] = dataclasses.field(default_factory=list)
    lost: list[str] = dataclasses.field(default_factory=list)

    def __str__(self) -> str:
        parts = [size_text(self.size), *([f"{len(self.files)} files"] if len(self.files) > 1 else []), *self.facts]
        if self.operators:
            most = sorted(self.operators.items(), key=lambda item: -item[1])
            kinds = ", ".join(f"{count} {kind}" for kind, count in most[:4]) + ", ..." * (len(most) > 4)
            parts.append(f"{sum(self.operators.values())} operators ({kinds})")
        return "\n  ".join([f"Saved {self.path}: {', '.join(parts)}", *self.remarks()])

    def remarks(self) -> list[str]:
        """The sentences about the comparison, and about what could not be kept."""
        return [*self.checks, *(f"not kept: {line}" for line in self.lost)]

    __repr__ = __str__


def size_text(count: int) -> str:
    """Bytes in words."""
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 else f"{count / 1e3:,.1f} KB"
