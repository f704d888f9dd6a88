"""ServedModel: a model with named inputs and outputs, which checks what it gets and computes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from lamina.core import tree
from lamina.core.dtypes import numpy_dtype
from lamina.serve.errors import Refused

__all__ = ["ServedModel", "TensorSpec"]


@dataclass(frozen=True)
class TensorSpec:
    """An input or output: its name, its shape with None for sizes that are open, and its dtype ("string" for text)."""

    name: str
    shape: tuple[int | None, ...] | None
    dtype: str

    def describe(self) -> str:
        """Its dtype and shape, as errors say them.

        >>> TensorSpec("x", (None, 4), "float32").describe()
        'float32(batch, 4)'
        """
        if self.shape is None:
            return f"{self.dtype} of any shape"
        sizes = ["batch" if size is None and axis == 0 else str(size or "any") for axis, size in enumerate(self.shape)]
        return f"{self.dtype}({', '.join(sizes)})"

    def cast(self, value: np.ndarray) -> np.ndarray:
        """An array in the dtype of this input, if no number changes its meaning.

        Args:
            value: Array.

        Raises:
            Refused: It is of another kind, or out of range.
        """
        kind = value.dtype.kind
        if self.dtype == "string":
            if kind not in "US" and not (kind == "O" and all(isinstance(one, str) for one in value.flat)):
                raise self._wrong(f"got {value.dtype}")
            return (np.char.decode(value, "utf-8") if kind == "S" else value).astype(object)
        wanted = numpy_dtype(self.dtype)
        if value.dtype == wanted:
            return value
        if kind not in "biufV" or (kind == "V" and not _is_float(value.dtype)):
            raise self._wrong("got text" if kind in "US" else f"got {value.dtype}")
        if (kind == "b") != (wanted.kind == "b"):
            raise self._wrong(f"got {value.dtype}")
        with np.errstate(all="ignore"):
            cast = value.astype(wanted)
        lost = (
            cast != value
            if wanted.kind in "iu"
            else np.isinf(cast.astype("float64")) & np.isfinite(value.astype("float64"))
        )
        if lost.any():
            index = np.argwhere(lost)[0]
            raise self._wrong(f"got {value[tuple(index)]!s} at {index.tolist()}")
        return cast

    def check(self, value: np.ndarray) -> None:
        """Compare a shape.

        Args:
            value: Array.

        Raises:
            Refused: It has another rank, or another size where the size is known.
        """
        if self.shape is None:
            fits = value.ndim > 0
        else:
            sizes = zip(self.shape, value.shape, strict=False)
            fits = len(self.shape) == value.ndim and all(want in (None, size) for want, size in sizes)
        if not fits:
            known = self.shape is not None and value.shape == self.shape[1:]
            raise self._wrong(
                f"got the shape {value.shape}",
                "One sample is a batch of one: put it into one more list." if known else None,
            )

    def _wrong(self, came, fix=None):
        return Refused(400, f"The input {self.name!r} is {self.describe()}; {came}.", fix, expected=self.describe())


def _is_float(dtype):
    return dtype.name.startswith(("bfloat16", "float8"))


class ServedModel:
    """A model under a name.

    Args:
        model: Model, built or with known inputs.
        name: Its name in addresses; None means that of the model.

    Attributes:
        inputs: Its inputs.
        outputs: Its outputs; None until the first prediction, where the model has no graph.
        batches: Whether samples of several requests may be computed together.
    """

    def __init__(self, model: Any, name: str | None = None) -> None:
        self.model: Any = model
        self.name: str = re.sub(r"[^\w.-]", "_", name or model.name, flags=re.ASCII) or "model"
        self.structure: Any = self._structure()
        tensors = tree.flatten(self.structure) if self.structure is not None else []
        names = (
            tree.keys_of(self.structure) or model.input_names or [f"input_{number}" for number in range(len(tensors))]
        )
        self.inputs: list[TensorSpec] = [
            TensorSpec(name, tuple(tensor.shape), str(tensor.dtype))
            for name, tensor in zip(names, tensors, strict=True)
        ] or [TensorSpec("input", None, "float32")]
        made: Any = model.outputs if model.output_names else ()
        names = (tree.keys_of(model.output) if made else None) or model.output_names or ()
        self.outputs: list[TensorSpec] = [
            TensorSpec(name, tuple(tensor.shape), str(tensor.dtype)) for name, tensor in zip(names, made, strict=True)
        ]
        self.batches: bool = all(spec.shape is None or spec.shape[0] is None for spec in self.inputs)

    def _structure(self):
        if self.model._graph is not None:
            return self.model.input
        known = self.model._symbolic_inputs() if self.model._build_shapes else []
        return known[0] if len(known) == 1 else known or None

    def check(self, given: Any) -> dict[str, np.ndarray]:
        """The inputs by name, in their dtypes.

        Args:
            given: Dict of arrays, or the array of the only input.

        Raises:
            Refused: A name is missing or unknown, or an array does not fit.
        """
        names = [spec.name for spec in self.inputs]
        if not isinstance(given, dict):
            given = {names[0]: given} if len(names) == 1 else self._refuse_names("one array", names)
        if set(given) == {f"arr_{number}" for number in range(len(names))}:  # of np.savez without names
            given = {name: given[f"arr_{number}"] for number, name in enumerate(names)}
        if set(given) != set(names):
            self._refuse_names(", ".join(map(repr, given)) or "none", names)
        arrays = {spec.name: spec.cast(np.asarray(given[spec.name])) for spec in self.inputs}
        for spec in self.inputs:
            spec.check(arrays[spec.name])
        sizes = {name: len(array) for name, array in arrays.items()}
        if len(set(sizes.values())) > 1:
            raise Refused(400, f"All inputs have the same number of samples; got {sizes}.")
        if not next(iter(sizes.values())):
            raise Refused(400, "A request has one sample or more; got 0.")
        return arrays

    def _refuse_names(self, came, names):
        wanted = ", ".join(map(repr, names))
        raise Refused(
            400, f"The model has the inputs {wanted}; got {came}.", expected={s.name: s.describe() for s in self.inputs}
        )

    def predict(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs by name.

        Args:
            arrays: What `check` returned.
        """
        values = list(arrays.values())
        x = tree.unflatten(tree.structure_of(self.structure), values) if self.structure is not None else values[0]
        results = self.model.predict(x, batch_size=max(len(values[0]), 1), verbose=0)
        leaves = [np.asarray(leaf) for leaf in tree.flatten(results)]
        if len(self.outputs) != len(leaves):
            numbered = ["output"] if len(leaves) == 1 else [f"output_{number}" for number in range(len(leaves))]
            names = tree.keys_of(results) or numbered
            self.outputs = [
                TensorSpec(name, (None, *leaf.shape[1:]), str(leaf.dtype))
                for name, leaf in zip(names, leaves, strict=True)
            ]
        return {spec.name: leaf for spec, leaf in zip(self.outputs, leaves, strict=True)}

    def sample(self, count: int) -> dict[str, np.ndarray] | None:
        """Inputs to try the model with; None where a size is open, or where it reads text.

        Args:
            count: Number of samples.
        """
        if any(spec.shape is None or None in spec.shape[1:] or spec.dtype == "string" for spec in self.inputs):
            return None
        shapes: Any = {spec.name: spec.shape for spec in self.inputs}
        return {
            spec.name: np.zeros((shapes[spec.name][0] or count, *shapes[spec.name][1:]), numpy_dtype(spec.dtype))
            for spec in self.inputs
        }
