"""Repeat: a block several times over, compiled once."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

from lamina.core import context, tree
from lamina.core.arguments import boolean, shown, whole
from lamina.core.context import building_lock
from lamina.core.keras_tensor import get_mask, set_mask, trace
from lamina.core.recording import recorded_layer, recording
from lamina.core.stacked import repeat
from lamina.errors import CallError, ConfigError, ShapeError
from lamina.layers.base import call_signature
from lamina.layers.base.layer import Layer
from lamina.layers.base.misuse import refuse_class
from lamina.layers.base.shapes import open_batch
from lamina.layers.wrapper import ContainerMixin

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Unpack

    from lamina.core.typing import LayerArguments

__all__ = ["Repeat", "unrolled"]

_is_unrolled: ContextVar[bool] = ContextVar("is_unrolled", default=False)


def unrolled() -> AbstractContextManager[Any]:
    """Inside the block, the repetitions of each Repeat are traced one after the other, and not as a loop.

    >>> with unrolled():
    ...     _ = Repeat  # a program that is traced here has the values of every repetition
    """
    return context.set_within(_is_unrolled, True)


class Repeat(ContainerMixin, Layer):
    """A block `n` times in a row: `outputs = block_n(... block_2(block_1(inputs)))`, each with weights of its own.

    The results are those of `n` separate blocks. The program is that of one, which runs in a loop (`jax.lax.scan`), so
    that a deep model compiles as fast as a shallow one. Each variable holds the values of all repetitions along its
    first axis, in files too; `kernel[3]` is that of the fourth. Initial values and the states of seeds differ from
    repetition to repetition. Optimizers see one variable for all: `clipnorm` and rules that use the norm of a variable
    (LAMB, Adafactor, Muon) treat its slices together.

    Outside of compiled functions the repetitions run one after the other. On a CPU, convolutions in a loop are slow.

    Shapes: those of the block, whose outputs have the shape and type of its inputs.

    Args:
        layer: Block: a layer or a model, called with the inputs and all further arguments, which are the same for each
            repetition. Weights that it was assigned before are those of each repetition.
        n: Number of repetitions.
        rematerialize: Whether the backward pass computes the values inside the block again, so that training stores
            only what passes from block to block (Chen et al., 2016).
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`. `dtype` is
            that of the block unless it is given.

    Raises:
        ConfigError: `layer` is no layer, or `n` no positive whole number.
        ShapeError: The outputs of the block have another shape or type than its inputs.

    >>> import lamina as keras
    >>> block = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dropout(0.1)])
    >>> model = keras.Sequential([keras.Input((8,)), keras.layers.Repeat(block, 12), keras.layers.Dense(1)])
    >>> model.layers[0].layer.layers[0].kernel.shape
    (12, 8, 8)
    """

    _traits = frozenset(("wrapper", "container"))

    def __init__(self, layer: Layer, n: int, rematerialize: bool = False, **kwargs: Unpack[LayerArguments]):
        refuse_class("Repeat", layer)
        if not isinstance(layer, Layer):
            raise ConfigError(f"Repeat wraps a layer; got {shown(layer)}.", fix="Repeat(layers.Dense(32), 4)")
        super().__init__(**{"dtype": layer.dtype_policy, **kwargs})
        self.layer = layer
        self.n: int = whole(self, "n", n)
        boolean(self, "rematerialize", rematerialize)
        self.rematerialize: bool = rematerialize
        self.supports_masking = True
        self.built = self._is_stacked = False

    def _ensure_built(self, args, kwargs):
        super()._ensure_built(args, kwargs)
        if not self._is_stacked:
            with building_lock:
                self._stack(args, kwargs)

    def _stack(self, args, kwargs):
        """Build the layer, and repeat each of its variables."""
        if not self._is_stacked:
            kwargs = dict(kwargs)
            args = (kwargs.pop("inputs"),) if "inputs" in kwargs else args
            trace(self.layer, *args, **kwargs)
            with context.concrete():
                for variable in self.layer.variables:
                    repeat(variable, self.n)
            self._is_stacked = True
            self._build_shapes = self._shapes_of(args, kwargs)

    def _shapes_of(self, args, kwargs):
        """The shapes to build with: the first as that of `inputs`, the others by the names that the block has."""
        signature = call_signature.signature_of(type(self.layer).call)
        tensors = list(call_signature.tensors_of(signature, args, kwargs).items())
        named = [("inputs", tensors[0][1]), *tensors[1:]] if tensors else []
        return {f"{name}_shape": open_batch(call_signature.shape_of(value)) for name, value in named}

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if recording():  # outside of it, each repetition would be recorded by itself
            return recorded_layer(self, Repeat._repeated, (inputs, *args), kwargs)
        return self._repeated(inputs, *args, **kwargs)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return self.layer.compute_mask(inputs, previous_mask) if self.layer.supports_masking else None

    def _repeated(self, inputs, *args, **kwargs):
        variables = self.layer.variables
        carried = list(dict.fromkeys([*context.global_refs(), *self.layer.metrics_variables]))
        losses = [layer._losses_ref for layer in self.layer._flatten_layers()]
        changed, moved = [], set()  # which of `variables` and `carried` the block assigns

        def body(carry, slices):
            tensors, masks, values = carry
            for tensor, mask in zip(tree.flatten(tensors), masks, strict=True):
                set_mask(tensor, mask)
            refs = [*variables, *carried, *losses]
            with context.bind(refs, [*slices, *values, *([] for _ in losses)]) as slots:
                before = dict(slots)
                outputs = self.layer(tensors, *args, **kwargs)
                _check_outputs(self, tensors, outputs)
                _check_writes(self, before, slots, refs)
                changed[:] = [variable for variable in variables if slots[variable] is not before[variable]]
                moved.clear()
                moved.update(ref for ref in carried if slots[ref] is not before[ref])
                given = [slots[variable] for variable in changed], [slots[ref] for ref in losses]
                return (outputs, _masks(outputs), [slots[ref] for ref in carried]), given

        start = inputs, _masks(inputs), [ref.read() for ref in carried]
        (outputs, masks, last), (assigned, added) = self._loop(body, start, [one.read() for one in variables])
        for tensor, mask in zip(tree.flatten(outputs), masks, strict=True):
            set_mask(tensor, mask)
        for ref, before, after in zip(carried, start[2], last, strict=True):
            if ref in moved or context.is_bound():  # `bind` hands the values of the body on
                ref.write(after if ref in moved else before)
        for variable, value in zip(changed, assigned, strict=True):
            variable.write(value)
        for ref, lost in zip(losses, added, strict=True):
            if lost:
                ref.write([loss.sum() for loss in lost])
        return outputs

    def _loop(self, body, start, stacked):
        """`body` over all repetitions: (last carry, what each gave, stacked)."""
        leaves = jax.tree_util.tree_leaves((start, stacked))
        if not _is_unrolled.get() and any(isinstance(leaf, Tracer) for leaf in leaves):

            def step(carry, slices):
                after, given = body(carry, slices)
                if [mask is None for mask in after[1]] != [mask is None for mask in carry[1]]:
                    raise _OtherMask
                return after, given

            step = jax.checkpoint(step, prevent_cse=False) if self.rematerialize else step
            try:
                return jax.lax.scan(step, start, stacked, length=self.n)
            except _OtherMask:  # a block that drops a mask computes something else the first time
                pass
        carry, given = start, []
        for index in range(self.n):
            carry, result = body(carry, [value[index] for value in stacked])
            given.append(result)
        return carry, jax.tree_util.tree_map(lambda *results: jnp.stack(results), *given)


class _OtherMask(Exception):
    """The outputs of a block have a mask where its inputs have none, or the other way round."""


def _masks(tensors):
    return [get_mask(tensor) for tensor in tree.flatten(tensors)]


def _check_outputs(layer, inputs, outputs):
    """The outputs of a block can be its inputs."""
    given, made = (jax.tree_util.tree_structure(tensors) for tensors in (inputs, outputs))
    kinds = [[f"{leaf.dtype}{tuple(leaf.shape)}" for leaf in tree.flatten(part)] for part in (inputs, outputs)]
    if given != made or kinds[0] != kinds[1]:
        raise ShapeError(
            f"Repeat feeds the outputs of {layer.layer.name} to its next repetition, so that they need the structure, "
            f"shape and type of its inputs: {', '.join(kinds[0])}; got {', '.join(kinds[1])}.",
            fix="End the block in a layer that gives the shape of its inputs, such as Dense(inputs.shape[-1]).",
        )


def _check_writes(layer, before, slots, known):
    """A block assigns its own variables only."""
    known = set(known)
    for ref, value in slots.items():
        if ref not in known and value is not before.get(ref):
            raise CallError(
                f"{layer.layer.name} assigns {getattr(ref, 'path', 'a value')}, which is not among its variables: a "
                "repetition cannot hand it on.",
                fix="Keep the variable as an attribute of the block: self.total = self.add_weight(...)",
            )
