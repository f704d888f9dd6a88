"""Weights whose values are computed from other variables, and the operations that layers apply to them.

A layer writes `einsum("...i,io->...o", inputs, self.kernel)` or `take(self.embeddings, numbers)`. For a plain variable
this is the ordinary product or row lookup. Other kinds of weights compute it with fewer bits, or train fewer
parameters.
"""

from __future__ import annotations

import string
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.derived import Derived
from lamina.core.sparse import compute_sparse, is_sparse, to_dense
from lamina.core.stacked import each_slice
from lamina.core.variable import unwrap
from lamina.kernels.gather_rows import gather_rows
from lamina.kernels.matmul import contract
from lamina.kernels.matmul import matmul as plain_matmul


class Weight(Derived):
    """A weight computed from variables of its layer.

    Files store its first part where they would store a plain weight.
    """

    def part(
        self,
        layer: Any,
        name: str,
        shape: Any,
        initializer: Any = "zeros",
        attribute: Any = None,
        trainable: bool = False,
        **settings: Any,
    ) -> Any:
        """Create a variable of the layer as a part of this weight. All parts except the first become attributes of the
        layer."""
        attribute = attribute or name
        variable = layer.add_weight(shape=shape, initializer=initializer, name=name, trainable=trainable, **settings)
        self.parts[attribute] = variable
        if attribute != self.name:
            setattr(layer, attribute, variable)
        return variable

    def encode(self, floats: Any) -> Any:
        """The values of the parts that represent a float weight, in the order of the parts."""
        raise NotImplementedError(f"{type(self).__name__} {self.name} takes no numbers.")

    def assign(self, value: Any) -> Any:
        """Store a float weight as accurately as this kind of weight can."""
        for part, encoded in zip(self.parts.values(), self.encode(unwrap(value)), strict=True):
            part.assign(encoded)
        return self

    def einsum(self, equation: Any, inputs: Any) -> Any:
        return jnp.einsum(equation, inputs, self.value)

    def take(self, numbers: Any) -> Any:
        return jnp.take(self.value, numbers, axis=0)


def einsum(equation: Any, inputs: Any, weight: Any) -> Any:
    """`einsum(equation, inputs, weight)` for any kind of weight."""
    return weight.einsum(equation, inputs) if isinstance(weight, Weight) else contract(equation, inputs, weight.value)


def matmul(inputs: Any, weight: Any) -> Any:
    """`inputs @ weight` for a matrix of any kind of weight."""
    if isinstance(weight, Weight):
        return weight.einsum("...i,io->...o", to_dense(inputs))
    values = inputs, weight.value
    return compute_sparse("matmul", plain_matmul, values, {}) if is_sparse(inputs) else plain_matmul(*values)


def take(weight: Any, numbers: Any) -> Any:
    """`weight[numbers]` for any kind of weight; NaN where an index is out of range."""
    return weight.take(numbers) if isinstance(weight, Weight) else gather_rows(weight.value, numbers)


def parts_of(weight: Any) -> Any:
    """The variables that a weight consists of: the parts of a computed weight, or the plain variable itself."""
    return list(weight.parts.values()) if isinstance(weight, Weight) else [weight]


class LoRA(Weight):
    """`base + alpha / rank * a @ b`, with a frozen base and trainable low-rank factors a and b (Hu et al., 2021).

    Files store the sum, so readers do not need to support LoRA.
    """

    factor: Any
    a: Any
    b: Any

    def __init__(
        self, layer: Any, base: Any, rank: Any, alpha: Any, a_initializer: Any, b_initializer: Any, regularizer: Any
    ) -> None:
        super().__init__(base.name, base.shape)
        self.base = base
        self.factor = alpha / rank
        settings = {"trainable": True, "dtype": "float32", "regularizer": regularizer}
        self.a = self.part(layer, f"lora_{self.name}_a", (*self.shape[:-1], rank), a_initializer, **settings)
        self.b = self.part(layer, f"lora_{self.name}_b", (rank, self.shape[-1]), b_initializer, **settings)
        base.trainable = False

    def read(self) -> Any:
        base, a, b = self.base.value, self.a.value, self.b.value
        return (base + self.factor * (a @ b)).astype(base.dtype)

    def einsum(self, equation: Any, inputs: Any) -> Any:
        own, _, result = equation.replace("->", ",").split(",")
        kernel = equation.partition("->")[0].split(",")[1]
        rank = next(letter for letter in string.ascii_letters if letter not in equation)
        low = f"{own},{kernel[:-1]}{rank},{rank}{kernel[-1]}->{result}"
        outputs = einsum(equation, inputs, self.base)
        return (outputs + self.factor * jnp.einsum(low, inputs, self.a.value, self.b.value)).astype(outputs.dtype)

    def take(self, numbers: Any) -> Any:
        return take(self.base, numbers) + self.factor * (jnp.take(self.a.value, numbers, axis=0) @ self.b.value)

    def assign(self, value: Any) -> Any:
        self.base.assign(value)
        self.forget_update()
        return self

    def forget_update(self) -> None:
        """Set a @ b to zero, after the base was loaded from a file."""
        for part in (self.a, self.b):
            part.assign(np.zeros(part.shape, "float32"))

    def merged(self) -> Any:
        """The values of the base's parts that represent the base plus the update."""
        if not isinstance(self.base, Weight):
            return [self.value]
        return each_slice(lambda: self.base.encode(self.read()), self.sources)

    @property
    def sources(self) -> Any:
        return [*self.parts.values(), *parts_of(self.base)]


def straight_through(rough: Any, smooth: Any, inputs: Any, *arrays: Any) -> Any:
    """rough(inputs, *arrays), differentiated as smooth, which is linear in the inputs. The arrays receive no
    gradient."""
    described = jax.ShapeDtypeStruct(inputs.shape, inputs.dtype)

    @jax.custom_vjp
    def run(inputs, *arrays):
        return rough(inputs, *arrays)

    def forward(inputs, *arrays):
        return rough(inputs, *arrays), arrays

    def backward(arrays, gradient):
        (back,) = jax.linear_transpose(lambda inputs: smooth(inputs, *arrays), described)(gradient)
        return back, *(None for _ in arrays)

    run.defvjp(forward, backward)
    return run(inputs, *arrays)
