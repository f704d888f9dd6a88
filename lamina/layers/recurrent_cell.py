"""What SimpleRNNCell, GRUCell and LSTMCell share: weights, products of inputs and states, and dropout masks."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina import activations, random
from lamina.core import context
from lamina.core.arguments import whole
from lamina.core.registry import is_builtin
from lamina.errors import ShapeError
from lamina.kernels.bias_add import add_bias
from lamina.kernels.matmul import matmul
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.base.layer import Layer
from lamina.layers.base.settings import keep_arguments
from lamina.ops.recurrent import Formula

if TYPE_CHECKING:
    from lamina.core.typing import Shape, Tensor


class _Cell(Layer):
    """One step over `units` units in two parts: `project`, the product of the inputs, which needs no state and so is
    done for all steps at once; and `step`, from there on: `advance(combine(projected, recurrent), states)`.

    Shapes: inputs (batch, features), states each (batch, units) -> (batch, units) and the next states.

    Dropout falls on the same units at every step of a sequence (Gal and Ghahramani, 2016). As in Keras, each gate has
    masks of its own where there is recurrent dropout, else one mask serves all.
    """

    _traits = frozenset(("recurrent_cell", "weighted"))

    units: int
    activation: Callable
    recurrent_activation: Callable
    use_bias: bool
    bias_initializer: Callable
    seed: int | None
    bias: Any

    gates = 1  # how many times `units` columns the kernels have
    state_count = 1
    gate_axis = -1  # the axis of the units
    _size = "units"
    _kind = None

    def _set_up(self, arguments):
        """Keep the arguments of `__init__` (its locals()) under their names."""
        keep_arguments(self, arguments)
        kind = type(self).__name__
        size = whole(kind.removesuffix("Cell"), self._size, getattr(self, self._size))
        setattr(self, self._size, size)
        self.dropout, self.recurrent_dropout = (min(1.0, max(0.0, r)) for r in (self.dropout, self.recurrent_dropout))
        self.input_spec = InputSpec(ndim=2)
        self.seed_generator = random.SeedGenerator(self.seed)
        self._masks = {"dropout": context.Ref(), "recurrent_dropout": context.Ref()}

    @property
    def state_size(self) -> Any:
        """The sizes of its states."""
        return self.units if self.state_count == 1 else [self.units] * self.state_count

    @property
    def output_size(self) -> Any:
        """The size of its output."""
        return self.units

    def get_initial_state(self, batch_size: int | None = None) -> Any:
        """Zeros, one array a state."""
        return [jnp.zeros((batch_size, *self._state_shape), self.compute_dtype) for _ in range(self.state_count)]

    @property
    def _state_shape(self):
        return (self.units,)

    def build(self, input_shape: Shape) -> None:
        features, columns = input_shape[-1], self.gates * self.units
        if features is None:
            raise ShapeError(
                f"{type(self).__name__} needs a known number of features; got shape {tuple(input_shape)}.",
                fix="keras.Input((None, features)): only the number of steps may be free.",
            )
        self._step_shape = (features,)
        self._add_weights((features, columns), (self.units, columns), self._bias_shape())

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _add_weights(self, kernel, recurrent_kernel, bias):
        """The weights of these shapes."""
        self.kernel = self._add_weight_of("kernel", kernel)
        self.recurrent_kernel = self._add_weight_of("recurrent", recurrent_kernel, "recurrent_kernel")
        self.bias = self._add_weight_of("bias", bias, **self._bias_settings()) if self.use_bias else None

    def _bias_settings(self):
        return {}

    def call(self, inputs: Tensor, states: Any, training: bool | None = False) -> Any:
        nested = isinstance(states, (list, tuple))
        output, new = self.step(self.project(inputs, training), states if nested else [states], training)
        return output, (new if nested else new[0])

    def project(self, inputs: Tensor, training: bool | None = False, with_bias: Any = True) -> Any:
        """`inputs @ kernel + bias` of one step or all: (..., batch, features) -> for each gate (..., batch, units)."""
        masks = self.get_dropout_mask(inputs) if training else None
        projected = self._product(self._project, inputs, self.kernel.value, masks)
        if self.bias is not None and with_bias:
            projected = add_bias(projected, self._input_bias())
        return self._split(projected)

    def project_for_loop(self, inputs: Tensor, training: bool | None) -> Any:
        """(projected, bias): what `gated_rnn` takes. A bias that is only added up is left to the loop, which has the
        sums in the cache."""
        if self.bias is None or type(self).combine is not _Cell.combine:
            return self.project(inputs, training), self.recurrent_bias
        return self.project(inputs, training, with_bias=False), self._input_bias()

    def _project(self, inputs, kernel):
        return matmul(inputs, kernel)

    def _input_bias(self):
        return self.bias.value.reshape(-1, self.gates * self.units)[0]

    def _split(self, product):
        return jnp.split(product, self.gates, axis=self.gate_axis)

    def step(self, projected: Any, states: Any, training: bool | None = False) -> Any:
        """(output, next states) from projected inputs and states."""
        new = self.advance(
            self.combine(projected, self._split(self._recurrent_projection(states[0], training))), states
        )
        return new[0], new

    def is_gated(self, training: bool | None) -> Any:
        """Whether `step` is all there is to a step, so that it fits `gated_rnn`."""
        return not (training and self.recurrent_dropout)

    def formulas(self) -> tuple[Any, Any]:
        """`combine` and `advance`; of lamina's cells with lamina's activations as functions of these alone."""
        names = ("activation", "recurrent_activation")
        settings = tuple((name, getattr(self, name)) for name in names if hasattr(self, name))
        if is_builtin(type(self)) and all(isinstance(one, FunctionType) and is_builtin(one) for _, one in settings):
            return Formula(type(self).combine, settings), Formula(type(self).advance, settings)
        return self.combine, self.advance

    @property
    def kind(self) -> Any:
        """Its name, where its activations are those of the paper: what is known to all may have a loop of its own."""
        gates = getattr(self, "recurrent_activation", None)
        plain = self.activation is activations.tanh and gates is activations.sigmoid
        return self._kind if plain else None

    def combine(self, projected: Any, recurrent: Any) -> Any:
        """What `advance` takes, from the products of inputs and hidden state, gate by gate."""
        return [a + b for a, b in zip(projected, recurrent, strict=True)]

    def advance(self, sums: Any, states: Any) -> Any:
        """The next states, of which the first is the output."""
        raise NotImplementedError

    @property
    def recurrent_bias(self) -> Any:
        """What is added to the product of the hidden state, or None."""
        return None

    def _recurrent_projection(self, hidden, training, start=0, stop=None):
        """`hidden @ recurrent_kernel + recurrent_bias`, for the gates from `start` to `stop`."""
        columns = slice(start * self.units, None if stop is None else stop * self.units)
        masks = self.get_recurrent_dropout_mask(hidden) if training else None
        masks = masks[start:stop] if isinstance(masks, list) else masks
        product = self._product(self._state_matmul, hidden, self.recurrent_kernel.value[..., columns], masks)
        return product if self.recurrent_bias is None else product + self.recurrent_bias[columns]

    def _state_matmul(self, hidden, kernel):
        return matmul(hidden, kernel)

    def _product(self, multiply, inputs, kernel, masks=None):
        """`multiply(inputs, kernel)`, the inputs times a mask, or times another mask for each gate."""
        if masks is None:
            return multiply(inputs, kernel)
        if not isinstance(masks, list):
            return multiply(inputs * masks, kernel)
        parts = jnp.split(kernel, len(masks), axis=-1)
        products = [multiply(inputs * mask, part) for mask, part in zip(masks, parts, strict=True)]
        return jnp.concatenate(products, self.gate_axis)

    # Masks are drawn when first asked for and kept until they are reset.

    def get_dropout_mask(self, step_input: Any) -> Any:
        """What inputs are multiplied by, an array or one a gate; None without dropout."""
        return self._mask("dropout", step_input)

    def get_recurrent_dropout_mask(self, step_input: Any) -> Any:
        """What the hidden state is multiplied by, an array or one a gate; None without recurrent dropout."""
        return self._mask("recurrent_dropout", step_input)

    def _mask(self, name, like):
        rate, held = getattr(self, name), self._masks[name]
        if rate and held.read() is None:
            count = self.gates if self._masks_each_gate() else 1
            draws = [random.dropout(jnp.ones_like(like), rate, seed=self.seed_generator) for _ in range(count)]
            held.write(draws[0] if count == 1 else draws)
        return held.read()

    def _masks_each_gate(self):
        return bool(self.recurrent_dropout)

    def reset_dropout_mask(self) -> Any:
        """Make the next sequence draw a new mask."""
        self._masks["dropout"].write(None)

    def reset_recurrent_dropout_mask(self) -> Any:
        """Make the next sequence draw a new mask."""
        self._masks["recurrent_dropout"].write(None)
