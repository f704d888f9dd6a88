"""The report of `load_weights`: which weights of a file were loaded, were skipped, or are unused."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from lamina.errors import warn
from lamina.runtime.terminal import harmless

__all__ = ["LoadReport"]

_SHOWN = 8


@dataclass
class LoadReport:
    """What `load_weights` took from a file. It is returned, and logged under the name `lamina`.

    Attributes:
        file: Name of the file.
        model: Name of the model.
        loaded: (path of the variable, shape) for each variable that was loaded.
        skipped: A line for each part of the model that the file did not fit (`skip_mismatch=True`).
        unused: (path in the file, shape) for each array that no layer took.
    """

    file: str
    model: str
    loaded: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    unused: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)

    def took(self, variables: Iterable[Any]) -> None:
        """Note that variables were loaded.

        Args:
            variables: Variables with values of the file.
        """
        self.loaded.extend((variable.path, tuple(variable.shape)) for variable in variables)

    def tell(self) -> LoadReport:
        """Log the report, warn of skipped and unused weights, and return it."""
        logging.getLogger("lamina").info("%s", self)
        for line in self.skipped:
            warn(f"Not loaded (skip_mismatch=True): {line}")
        if self.unused:
            names = ", ".join(f"{path} {shape}" for path, shape in self.unused[:_SHOWN])
            more = f" and {len(self.unused) - _SHOWN} more" if len(self.unused) > _SHOWN else ""
            warn(f"{self.file} has weights that nothing in {self.model} takes: {names}{more}.")
        return self

    def __str__(self) -> str:
        parts = [f"{self.file} -> {self.model}: {len(self.loaded)} weights loaded"]
        for what, found in (("skipped", self.skipped), ("unused in the file", self.unused)):
            if found:
                parts.append(f"{len(found)} {what}")
        return harmless(", ".join(parts))

    def __repr__(self) -> str:
        rows = [str(self)]
        rows += [f"  loaded  {path} {shape}" for path, shape in self.loaded]
        rows += [f"  skipped {line}" for line in self.skipped]
        rows += [f"  unused  {path} {shape}" for path, shape in self.unused]
        return harmless("\n".join(rows))
