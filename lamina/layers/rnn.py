"""RNN, which runs any cell over a sequence, and the base of layers that make their cell themselves."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from lamina.core import context, tree
from lamina.core.representation import signature_of
from lamina.core.variable import Variable
from lamina.errors import ConfigError, ShapeError
from lamina.kernels.native import is_portable
from lamina.layers.base import input_fixes
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.base.layer import Layer
from lamina.layers.recurrent_cells import SimpleRNNCell
from lamina.layers.stacked_cells import (
    StackedRNNCells,
    build_cell,
    check_cell,
    draw_dropout,
    initial_state,
    is_split,
    reset_dropout,
    run_cell,
)
from lamina.layers.wrapper import ContainerMixin
from lamina.legacy import moved_from
from lamina.ops.recurrent import gated_rnn, rnn

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.core.typing import LayerArguments, Shape, Tensor

__all__ = ["RNN"]


class RNN(ContainerMixin, Layer):
    """`output, states = cell(inputs[:, t], states)` for each step t.

    Shapes: (batch, time, ...) -> (batch, units), or (batch, time, units) with return_sequences; with return_state a
    tuple of that and the last states.

    Args:
        cell: Layer with `call(inputs, states) -> (output, states)`, `state_size` and, where they are not those of the
            first state and zeros, `output_size` and `get_initial_state(batch_size)`; or a list of cells, each on the
            output of the one before.
        return_sequences: Whether to return the outputs of all steps instead of only the last one.
        return_state: Whether the last states are returned after the outputs.
        go_backwards: Whether the steps are taken from the last to the first; outputs are in that order too.
        stateful: Whether each batch starts from the last states of the batch before, until reset_state(); needs a fixed
            batch size.
        unroll: Whether the loop is unrolled, which needs a known number of steps.
        zero_output_for_mask: Whether the outputs of masked steps are zeros; if not, they repeat the last output.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ShapeError: when it is stateful and the batch size is not known or changes, or initial_state does not fit.

    >>> import lamina as keras
    >>> layer = keras.layers.RNN([keras.layers.LSTMCell(4), keras.layers.GRUCell(2)], return_sequences=True)
    >>> layer(keras.Input((10, 3))).shape
    (None, 10, 2)
    """

    return_sequences: bool
    return_state: bool
    go_backwards: bool
    stateful: bool
    unroll: bool

    _traits = frozenset(("recurrent", "weighted"))

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        check_cell(cell)
        self.cell: Any = cell
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.stateful, self.unroll = go_backwards, stateful, unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.states: Any = None
        self.supports_masking = True

    @property
    def state_size(self) -> Any:
        """The sizes of the cell's states."""
        return self.cell.state_size

    @property
    def variables(self) -> list[Variable]:
        """The weights, the states of seed generators and, when stateful, the states, which are in no file."""
        return [*super().variables, *self._state_variables()]

    def _state_variables(self):
        return [] if self.states is None else tree.flatten(self.states)

    def _variables_of_its_own(self):
        states = {id(state) for state in self._state_variables()}
        return [variable for variable in super()._variables_of_its_own() if id(variable) not in states]

    def build(self, sequences_shape: Shape, initial_state_shape: Any = None) -> None:
        build_cell(self.cell, (sequences_shape[0], *sequences_shape[2:]), self.compute_dtype)
        if self.stateful and self.states is None:
            if sequences_shape[0] is None:
                raise ShapeError(
                    f"{self.name} is stateful, so it needs a fixed batch size; got shape {tuple(sequences_shape)}.",
                    fix=f"keras.Input({tuple(sequences_shape[1:])}, batch_size=32)",
                )
            self.states = tree.map_structure(
                lambda value: Variable(value, dtype=self.variable_dtype, trainable=False, name="rnn_state"),
                self.get_initial_state(sequences_shape[0]),
            )

    def get_initial_state(self, batch_size: int | None) -> Any:
        """The states a sequence starts from: those of the cell's `get_initial_state`, else zeros."""
        return initial_state(self.cell, batch_size, self.compute_dtype)

    def call(
        self, sequences: Tensor, initial_state: Any = None, mask: Any = None, training: bool | None = False
    ) -> Any:
        states = self._first_states(sequences, initial_state)
        if mask is not None and mask.shape[:2] != sequences.shape[:2]:
            raise ShapeError(
                f"{self.name} needs a mask of shape {sequences.shape[:2]}, a value for each step; got {mask.shape}.",
                fix="mask = keras.ops.any(x != 0, axis=-1)",
            )
        last, outputs, states = self.inner_loop(sequences, states, mask, training)
        for variable, value in zip(self._state_variables(), tree.flatten(states), strict=self.stateful):
            variable.assign(value)
        output = outputs if self.return_sequences else last
        return (output, *states) if self.return_state else output

    def _first_states(self, sequences, given):
        batch_size = sequences.shape[0]
        if self.stateful and tree.flatten(self.states)[0].shape[0] != batch_size:
            raise ShapeError(
                f"{self.name} is stateful and was built for batches of {tree.flatten(self.states)[0].shape[0]}; "
                f"got a batch of {batch_size}.",
                fix="Give all batches that size (the last one of fit and predict too), or make the layer not stateful.",
            )
        if given is None:
            if self.stateful:
                return tree.map_structure(lambda variable: variable.value, self.states)
            return self.get_initial_state(batch_size)
        wanted = self.get_initial_state(batch_size)
        given = list(given) if isinstance(given, (list, tuple)) else [given]
        leaves, places = tree.flatten(given), tree.flatten(wanted)
        shapes, needed = [tuple(leaf.shape) for leaf in leaves], [tuple(place.shape) for place in places]
        if shapes != needed:
            raise ShapeError(
                f"{self.name} needs an initial_state of shapes {needed}; got {shapes}.",
                fix=input_fixes.fix_of_states(self, shapes, needed),
            )
        cast = [leaf.astype(place.dtype) for leaf, place in zip(leaves, places, strict=True)]
        return tree.unflatten(tree.structure_of(wanted), cast)

    def inner_loop(self, sequences: Tensor, initial_state: Any, mask: Any, training: bool | None = False) -> Any:
        """The loop over time: (last output, all outputs or None, last states)."""
        if training:
            draw_dropout(self.cell, sequences.shape[0])
        mask = None if mask is None else jnp.swapaxes(mask, 0, 1).astype(bool)
        inputs = jnp.swapaxes(sequences, 0, 1)
        loop = self._loop(inputs, initial_state, training)
        if mask is None and is_portable():
            loop = _named(self, loop, inputs, initial_state)
        last, outputs, states = loop(
            mask=mask,
            go_backwards=self.go_backwards,
            unroll=self.unroll,
            zero_output_for_mask=self.zero_output_for_mask,
            return_all_outputs=self.return_sequences,
        )
        if training:
            reset_dropout(self.cell)
        return last, None if outputs is None else jnp.swapaxes(outputs, 0, 1), states

    def _loop(self, inputs, states, training):
        """The loop that fits the cell, with what it needs: inputs come time first."""
        cell = self.cell
        if is_split(cell) and cell.compute_dtype == self.compute_dtype:
            if cell.is_gated(training):
                projected, bias = cell.project_for_loop(inputs, training)
                weights = cell.recurrent_kernel.value, bias
                return functools.partial(gated_rnn, *cell.formulas(), projected, *weights, states, kind=cell.kind)
            projected = cell.project(inputs, training)
            return functools.partial(rnn, lambda inputs, states: cell.step(inputs, states, training), projected, states)
        variables = getattr(cell, "non_trainable_variables", ())
        step = functools.partial(run_cell, cell, training=training)
        return functools.partial(rnn, step, inputs, states, variables=variables)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        mask = tree.flatten(previous_mask)[0] if self.return_sequences and previous_mask is not None else None
        return [mask, *(None for _ in tree.flatten(self.state_size))] if self.return_state else mask

    def reset_state(self) -> None:
        """Let the next batch start from the initial states."""
        if self.states is not None:
            batch_size = tree.flatten(self.states)[0].shape[0]
            values = tree.flatten(self.get_initial_state(batch_size))
            for variable, value in zip(self._state_variables(), values, strict=True):
                variable.assign(value)

    def reset_states(self) -> None:
        """The same as reset_state()."""
        self.reset_state()


def _named(layer, loop, inputs, states):
    """The loop of a cell of lamina as a function whose name and last arguments `lamina.export.onnx.recurrent` reads."""
    cell = layer.cell
    kind = getattr(cell, "kind", None) if is_split(cell) and type(cell).__module__.startswith("lamina.") else None
    if type(cell) is SimpleRNNCell:
        kind = f"rnn_{getattr(cell.activation, '__name__', '')}"
    if kind is None or inputs.ndim != 3:
        return loop
    bias = jnp.zeros(cell.kernel.shape[1:]) if cell.bias is None else cell.bias.value
    name = f"lamina_{kind}" + "_reset_before" * (not getattr(cell, "reset_after", True))

    def named(**settings):
        def run(*_):
            return loop(**settings)

        run.__name__ = name + "_backwards" * bool(settings["go_backwards"])
        return jax.jit(run)(inputs, cell.kernel.value, cell.recurrent_kernel.value, bias, *tree.flatten(states))

    return named


class _OwnCell(RNN):
    """An RNN that makes its cell itself and shows the cell's settings as its own."""

    _config_skips = frozenset(("autocast", "cell"))
    _config_optional = frozenset()
    _cell_class = SimpleRNNCell

    def _set_up(self, arguments):
        """Make the cell, and the layer around it, from the arguments of `__init__` (its locals())."""
        kwargs = arguments["kwargs"]
        shared = {name: kwargs[name] for name in ("dtype", "trainable") if name in kwargs}
        of_cell = {name: arguments[name] for name in _settings(self._cell_class) if name in arguments}
        of_layer = {name: arguments[name] for name in signature_of(RNN) if name in arguments}
        cell = self._cell_class(**of_cell, **shared, name=context.snake_case(self._cell_class.__name__))
        RNN.__init__(self, cell, **of_layer, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def build(self, sequences_shape: Shape, initial_state_shape: Any = None) -> None:
        super().build(sequences_shape, initial_state_shape)
        self.input_spec = InputSpec(ndim=3, axes={-1: sequences_shape[-1]})

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for name in _settings(cls._cell_class):
            if name not in cls.__dict__:  # ConvLSTM2D has its own `rank`, for example
                setattr(cls, name, _of_cell(name))


def _of_cell(name):
    """A setting of the cell, to be read from the layer."""
    return property(lambda self: getattr(self.cell, name), doc=f"`{name}` of the cell.")


def _settings(cell_class):
    """The names of the arguments that are a cell's own, not those of any layer."""
    return [name for name in signature_of(cell_class) if name not in signature_of(Layer)]


class _Fused(_OwnCell):
    """What GRU and LSTM take for programs that name cuDNN: XLA chooses the kernels, so it changes nothing."""

    _config_skips = frozenset(("autocast", "cell", "use_cudnn"))

    def _set_up(self, arguments):
        super()._set_up(arguments)
        self.use_cudnn = arguments["use_cudnn"]
        if self.use_cudnn not in ("auto", True, False):
            raise ConfigError(f"use_cudnn is 'auto', True or False; got {self.use_cudnn!r}.", fix="use_cudnn='auto'")


__getattr__: Any = moved_from(__name__)
