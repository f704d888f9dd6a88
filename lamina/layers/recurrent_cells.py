"""What a recurrent layer does at one step: SimpleRNNCell, GRUCell, LSTMCell; StackedRNNCells, one on top of another."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina import activations, random
from lamina.core import context, tree
from lamina.core.keras_tensor import KerasTensor, trace
from lamina.errors import CallError, ConfigError, ShapeError
from lamina.kernels.bias_add import add_bias
from lamina.kernels.matmul import matmul
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.base.layer import Layer
from lamina.layers.base.settings import keep_arguments
from lamina.layers.base.validation import positive_integer
from lamina.layers.wrapper import ContainerMixin

__all__ = ["GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"]


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
        size = positive_integer(kind, self._size, getattr(self, self._size), fix=f"{kind.removesuffix('Cell')}(32)")
        setattr(self, self._size, size)
        self.dropout, self.recurrent_dropout = (min(1.0, max(0.0, r)) for r in (self.dropout, self.recurrent_dropout))
        self.input_spec = InputSpec(ndim=2)
        self.seed_generator = random.SeedGenerator(self.seed)
        self._masks = {"dropout": context.Ref(), "recurrent_dropout": context.Ref()}

    @property
    def state_size(self):
        """The sizes of its states."""
        return self.units if self.state_count == 1 else [self.units] * self.state_count

    @property
    def output_size(self):
        """The size of its output."""
        return self.units

    def get_initial_state(self, batch_size=None):
        """Zeros, one array a state."""
        return [jnp.zeros((batch_size, *self._state_shape), self.compute_dtype) for _ in range(self.state_count)]

    @property
    def _state_shape(self):
        return (self.units,)

    def build(self, input_shape):
        features, columns = input_shape[-1], self.gates * self.units
        if features is None:
            raise ShapeError(
                f"{type(self).__name__} needs a known number of features; got shape {tuple(input_shape)}.",
                fix="keras.Input((None, features)): only the number of steps may be free.",
            )
        self._step_shape = (features,)
        self._add_weights((features, columns), (self.units, columns), self._bias_shape())

    def _bias_shape(self):
        return (self.gates * self.units,)

    def _add_weights(self, kernel, recurrent_kernel, bias):
        """The weights of these shapes."""
        self.kernel = self._add_weight_of("kernel", kernel)
        self.recurrent_kernel = self._add_weight_of("recurrent", recurrent_kernel, "recurrent_kernel")
        self.bias = self._add_weight_of("bias", bias, **self._bias_settings()) if self.use_bias else None

    def _bias_settings(self):
        return {}

    def call(self, inputs, states, training=False):
        nested = isinstance(states, (list, tuple))
        output, new = self.step(self.project(inputs, training), states if nested else [states], training)
        return output, (new if nested else new[0])

    def project(self, inputs, training=False, with_bias=True):
        """`inputs @ kernel + bias` of one step or all: (..., batch, features) -> for each gate (..., batch, units)."""
        masks = self.get_dropout_mask(inputs) if training else None
        projected = self._product(self._project, inputs, self.kernel.value, masks)
        if self.bias is not None and with_bias:
            projected = add_bias(projected, self._input_bias())
        return self._split(projected)

    def project_for_loop(self, inputs, training):
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

    def step(self, projected, states, training=False):
        """(output, next states) from projected inputs and states."""
        new = self.advance(
            self.combine(projected, self._split(self._recurrent_projection(states[0], training))), states
        )
        return new[0], new

    def is_gated(self, training):
        """Whether `step` is all there is to a step, so that it fits `gated_rnn`."""
        return not (training and self.recurrent_dropout)

    @property
    def kind(self):
        """Its name, where its activations are those of the paper: what is known to all may have a loop of its own."""
        gates = getattr(self, "recurrent_activation", None)
        plain = self.activation is activations.tanh and gates is activations.sigmoid
        return self._kind if plain else None

    def combine(self, projected, recurrent):
        """What `advance` takes, from the products of inputs and hidden state, gate by gate."""
        return [a + b for a, b in zip(projected, recurrent, strict=True)]

    def advance(self, sums, states):
        """The next states, of which the first is the output."""
        raise NotImplementedError

    @property
    def recurrent_bias(self):
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

    def get_dropout_mask(self, step_input):
        """What inputs are multiplied by, an array or one a gate; None without dropout."""
        return self._mask("dropout", step_input)

    def get_recurrent_dropout_mask(self, step_input):
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

    def reset_dropout_mask(self):
        """Draw anew when next asked."""
        self._masks["dropout"].write(None)

    def reset_recurrent_dropout_mask(self):
        """Draw anew when next asked."""
        self._masks["recurrent_dropout"].write(None)


class SimpleRNNCell(_Cell):
    """`hidden = activation(inputs @ kernel + hidden @ recurrent_kernel + bias)` (Elman, 1990).

    Shapes: inputs (batch, features), state (batch, units) -> (batch, units) and the next state.

    >>> import lamina as keras
    >>> x = keras.ops.ones((1, 2))
    >>> output, states = keras.layers.SimpleRNNCell(3)(x, [keras.ops.zeros((1, 3))])
    >>> output.shape
    (1, 3)
    """

    def __init__(
        self, units, activation="tanh", use_bias=True, kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal", bias_initializer="zeros", kernel_regularizer=None,
        recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None, recurrent_constraint=None,
        bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self._set_up(locals())

    def advance(self, sums, states):
        return [self.activation(sums[0])]


class GRUCell(_Cell):
    """`hidden = z * hidden + (1 - z) * activation(candidate)` with an update gate z and a reset gate r (Cho et al.,
    2014, arXiv:1406.1078). `reset_after`: r falls on the product of the hidden state, as in cuDNN, else on the state.

    Shapes: inputs (batch, features), state (batch, units) -> (batch, units) and the next state.
    """

    reset_after: bool
    gates, _kind = 3, "gru"

    def __init__(
        self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
        kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
        kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None,
        recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, reset_after=True,
        seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self._set_up(locals())

    def _bias_shape(self):
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    @property
    def recurrent_bias(self):
        return self.bias.value[1] if self.use_bias and self.reset_after else None

    def is_gated(self, training):
        return self.reset_after and super().is_gated(training)

    def combine(self, projected, recurrent):
        return [projected[0] + recurrent[0], projected[1] + recurrent[1], projected[2], recurrent[2]]

    def advance(self, sums, states):
        z, r, candidate, recurrent = sums
        z, r = self.recurrent_activation(z), self.recurrent_activation(r)
        return [z * states[0] + (1 - z) * self.activation(candidate + r * recurrent)]

    def step(self, projected, states, training=False):
        if self.reset_after:
            return super().step(projected, states, training)
        hidden = states[0]
        products = jnp.split(self._recurrent_projection(hidden, training, 0, 2), 2, axis=-1)
        z, r = (self.recurrent_activation(a + b) for a, b in zip(projected, products, strict=False))
        candidate = self.activation(projected[2] + self._recurrent_projection(r * hidden, training, 2))
        output = z * hidden + (1 - z) * candidate
        return output, [output]


class LSTMCell(_Cell):
    """`carry = f * carry + i * activation(c)`, `hidden = o * activation(carry)` with gates i, f, o (Hochreiter and
    Schmidhuber, 1997). `unit_forget_bias` starts f with a bias of 1 (Jozefowicz et al., 2015).

    Shapes: inputs (batch, features), states [hidden, carry] each (batch, units) -> (batch, units) and the next states.
    """

    unit_forget_bias: bool
    gates, state_count, _kind = 4, 2, "lstm"

    def __init__(
        self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
        kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
        unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
        kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0,
        seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self._set_up(locals())

    def _bias_settings(self):
        return {"initializer": self._open_bias} if self.unit_forget_bias else {}

    def _open_bias(self, shape, dtype=None):
        before, after = (np.asarray(self.bias_initializer((size,), dtype)) for size in (self.units, 2 * self.units))
        return np.concatenate([before, np.ones(self.units, before.dtype), after])  # NumPy: nothing is compiled

    def advance(self, sums, states):
        i, f, c, o = sums
        carry = self.recurrent_activation(f) * states[1] + self.recurrent_activation(i) * self.activation(c)
        return [self.recurrent_activation(o) * self.activation(carry), carry]


class StackedRNNCells(ContainerMixin, Layer):
    """Cells as one: the output of each is the input of the next.

    >>> import lamina as keras
    >>> cell = keras.layers.StackedRNNCells([keras.layers.LSTMCell(2), keras.layers.GRUCell(3)])
    >>> cell.state_size, cell.output_size
    ([[2, 2], 3], 3)
    """

    _traits = frozenset(("recurrent_cell", "container"))

    def __init__(self, cells, **kwargs):
        super().__init__(**kwargs)
        for cell in cells:
            check_cell(cell)
        self.cells = list(cells)

    @property
    def state_size(self):
        """The sizes of the states of each cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self):
        """The size of the last cell's output."""
        return output_size(self.cells[-1])

    def get_initial_state(self, batch_size=None):
        """The initial states of each cell: a list, or an array where a cell has one state and makes none itself."""
        states = [initial_state(cell, batch_size, self.compute_dtype) for cell in self.cells]
        single = [isinstance(cell.state_size, int) and not hasattr(cell, "get_initial_state") for cell in self.cells]
        return [state[0] if alone else state for state, alone in zip(states, single, strict=True)]

    def build(self, input_shape):
        for cell in self.cells:
            build_cell(cell, input_shape, self.compute_dtype)
            input_shape = (input_shape[0], output_size(cell))

    def call(self, inputs, states, training=False, **kwargs):
        new = []
        for cell, state in zip(self.cells, states, strict=True):
            several = isinstance(state, (list, tuple))
            inputs, after = run_cell(cell, inputs, state if several else [state], training, **kwargs)
            new.append(after if several else tree.flatten(after)[0])
        return inputs, new


def check_cell(cell):
    """Raise ConfigError unless `cell` can be one: call(inputs, states) and a state_size."""
    for needed, example in (("call", "def call(self, inputs, states)"), ("state_size", "self.state_size = units")):
        if not hasattr(cell, needed):
            raise ConfigError(f"A cell has {needed}; {type(cell).__name__} has none: {cell!r}.", fix=example)


def output_size(cell):
    """The size of a cell's output: that of its first state if it does not say."""
    size = getattr(cell, "output_size", None)
    size = cell.state_size if size is None else size
    return size[0] if isinstance(size, (list, tuple)) else size


def initial_state(cell, batch_size, dtype):
    """The states a cell starts from, as a list: what its `get_initial_state` gives, else zeros."""
    if hasattr(cell, "get_initial_state"):
        states = cell.get_initial_state(batch_size=batch_size)
        return list(states) if isinstance(states, (list, tuple)) else [states]
    sizes = cell.state_size if isinstance(cell.state_size, (list, tuple)) else [cell.state_size]
    shapes = [tuple(size) if isinstance(size, (list, tuple)) else (size,) for size in sizes]
    return [jnp.zeros((batch_size, *shape), getattr(cell, "compute_dtype", dtype)) for shape in shapes]


def run_cell(cell, inputs, states, training, **kwargs):
    """(output, next states) of any cell; `training` goes to layers only."""
    if not isinstance(cell, Layer):
        return cell.call(inputs, states)
    outer = context.current_call()
    added = 0 if outer is None else len(outer.layers_with_losses)
    result = cell(inputs, states, training=training, **kwargs)
    if outer is not None and len(outer.layers_with_losses) > added:
        raise CallError("A cell cannot add a loss: it would have to leave the loop.", fix="Add it in a layer around.")
    return result


def build_cell(cell, step_shape, dtype):
    """Build a cell for inputs of one step, outside of the loop; one without a `build` of its own by tracing a step."""
    if not isinstance(cell, Layer) or cell.built:
        return
    if type(cell).build is not Layer.build:
        cell.build(step_shape)
    else:
        trace(lambda inputs: cell(inputs, initial_state(cell, inputs.shape[0], dtype)), KerasTensor(step_shape, dtype))


def draw_dropout(cell, batch_size):
    """Draw the dropout masks of one sequence, in the order of Keras."""
    for inner in getattr(cell, "cells", (cell,)):
        if isinstance(inner, _Cell):
            reset_dropout(inner)
            inner.get_dropout_mask(jnp.ones((batch_size, *inner._step_shape), inner.compute_dtype))
            inner.get_recurrent_dropout_mask(jnp.ones((batch_size, *inner._state_shape), inner.compute_dtype))


def reset_dropout(cell):
    """Forget the dropout masks."""
    for inner in getattr(cell, "cells", (cell,)):
        if isinstance(inner, _Cell):
            inner.reset_dropout_mask()
            inner.reset_recurrent_dropout_mask()


def is_split(cell):
    """Whether a cell's call is `step(project(inputs))`, so that `project` can be done before the loop."""
    return isinstance(cell, _Cell) and type(cell).call is _Cell.call
