"""Layers around a layer: TimeDistributed at each step of a sequence, Bidirectional in both directions of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina.core import tree
from lamina.core.arguments import choice
from lamina.core.registry import CustomObjectScope
from lamina.errors import ConfigError, ShapeError
from lamina.layers.base import call_signature
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.base.layer import Layer
from lamina.layers.base.misuse import refuse_class
from lamina.layers.wrapper import ContainerMixin, Wrapper
from lamina.legacy import moved_from

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.core.typing import LayerArguments, Shape, Tensor

__all__ = ["Bidirectional", "TimeDistributed"]

_MERGES = {
    "concat": lambda forward, backward: jnp.concatenate([forward, backward], -1),
    "sum": lambda forward, backward: forward + backward,
    "mul": lambda forward, backward: forward * backward,
    "ave": lambda forward, backward: (forward + backward) / 2,
    None: lambda forward, backward: (forward, backward),
}


class TimeDistributed(Wrapper):
    """`outputs[:, t] = layer(inputs[:, t])` for each step t, all steps in one call: time is folded into the batch.

    Shapes: (batch, time, ...) -> (batch, time, ...); inputs and outputs may be structures.

    Args:
        layer: Layer that is applied to each time step.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ShapeError: for inputs of a rank below 3.

    >>> import lamina as keras
    >>> keras.layers.TimeDistributed(keras.layers.Dense(8))(keras.Input((None, 16))).shape
    (None, None, 8)
    """

    _one_spec_for_all = True

    def __init__(self, layer: Layer, **kwargs: Unpack[LayerArguments]):
        super().__init__(layer, **kwargs)
        self.input_spec: Any = InputSpec(min_ndim=3)
        self.supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        rank = getattr(self.layer, "rank", None)  # of convolutions and pooling
        if isinstance(rank, int) and isinstance(input_shape, tuple) and len(input_shape) == rank + 2:
            raise ShapeError(
                f"{type(self.layer).__name__} in TimeDistributed needs inputs with an axis of time, rank "
                f"{rank + 3}; got shape {input_shape}.",
                fix=f"x = keras.layers.{self.layer!r}(x), where there is no axis of time; or a last size of 1 in "
                "keras.Input, where there is none of channels.",
            )
        super().build(_map_shapes(self._step_shape, input_shape))

    def _step_shape(self, shape):
        return (shape[0], *shape[2:])

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        batch, time = tree.flatten(inputs)[0].shape[:2]
        if any(one.shape[:2] != (batch, time) for one in tree.flatten(mask) if one is not None):
            raise ShapeError(
                f"The `mask` passed to the `TimeDistributed` layer has a shape {call_signature.shape_of(mask)} that "
                f"does not begin with those of the inputs, {(batch, time)}.",
                fix=f"np.ones({(batch, time)}, bool) masks nothing; a mask has one number for each step.",
            )
        kwargs = {} if mask is None or not _takes_mask(self.layer) else {"mask": _fold(mask)}
        outputs = self.layer(_fold(inputs), **kwargs)
        return tree.map_structure(lambda array: array.reshape(batch, time, *array.shape[1:]), outputs)


class Bidirectional(ContainerMixin, Layer):
    """A recurrent layer forwards in time and a copy of it backwards, their outputs merged.

    Shapes: (batch, time, features) -> those of the layer, twice the units with merge_mode "concat"; with return_state a
    tuple of that, the states forwards and the states backwards.

    Schuster and Paliwal, 1997.

    Args:
        layer: Recurrent layer, or a layer with go_backwards, return_sequences and return_state. It is copied.
        merge_mode: How the outputs are combined: "concat", "sum", "mul", "ave", or None for two outputs.
        weights: Initial weights, those of the forward layer first; None uses the initializers.
        backward_layer: Layer for the backward direction, made with go_backwards=True; None makes a copy of `layer`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.Bidirectional(keras.layers.LSTM(4, return_sequences=True))(keras.Input((10, 3))).shape
    (None, 10, 8)
    """

    return_sequences: Any
    return_state: Any

    _traits = frozenset(("wrapper", "container", "recurrent"))
    _config_skips = frozenset(("autocast", "weights"))

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        choice("Bidirectional", "merge_mode", merge_mode, _MERGES)
        _check_recurrent(layer)
        self.merge_mode = merge_mode
        self.forward_layer: Any = _copy(layer, "forward", layer.go_backwards)
        self.backward_layer: Any = backward_layer or _copy(layer, "backward", not layer.go_backwards)
        _check_recurrent(self.backward_layer)
        self.return_sequences, self.return_state = layer.return_sequences, layer.return_state
        self.stateful: Any | bool = getattr(layer, "stateful", False)
        self._check_pair()
        for one in (self.forward_layer, self.backward_layer):
            if hasattr(one, "zero_output_for_mask"):  # a repeated output would be at the wrong end once time is turned
                one.zero_output_for_mask = self.return_sequences
        self._initial_weights = weights
        rank = getattr(getattr(layer, "input_spec", None), "ndim", None)
        self.input_spec: Any = InputSpec(ndim=rank or 3)
        self.supports_masking = True

    def _repr_argument(self, name, parameter, owner):
        if name == "backward_layer" and self.backward_layer.name.startswith("backward_"):
            return None  # it was made from the other
        return super()._repr_argument(name, parameter, owner)

    @property
    def layer(self) -> Layer:
        """The layer forwards."""
        return self.forward_layer

    def _check_pair(self):
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ConfigError(
                f"Bidirectional needs layers of different directions; both have go_backwards={forward.go_backwards}.",
                fix="Make backward_layer with go_backwards=True.",
            )
        for name in ("stateful", "return_sequences", "return_state"):
            one, other = getattr(forward, name, False), getattr(backward, name, False)
            if one != other:
                raise ConfigError(
                    f"The two layers of Bidirectional have the same {name}; got {one} and {other}.",
                    fix=f"Make backward_layer with {name}={one}.",
                )

    def build(self, sequences_shape: Shape, initial_state_shape: Any = None) -> None:
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)

    def call(self, sequences: Tensor, initial_state: Any = None, mask: Any = None, training: bool | None = None) -> Any:
        kwargs = {} if mask is None else {"mask": mask}
        for_forward, for_backward = {}, {}
        if initial_state is not None:
            half = len(initial_state) // 2
            if len(initial_state) % 2:
                raise ShapeError(
                    f"{self.name} needs an initial_state of an even number of arrays; got {len(initial_state)}.",
                    fix="The states of the layer forwards, then those of the layer backwards.",
                )
            for_forward, for_backward = {"initial_state": initial_state[:half]}, {"initial_state": initial_state[half:]}
        forward = self.forward_layer(sequences, **for_forward, **kwargs)
        backward = self.backward_layer(sequences, **for_backward, **kwargs)
        states = ()
        if self.return_state:
            forward, backward, states = forward[0], backward[0], (*forward[1:], *backward[1:])
        if self.return_sequences:
            backward = backward[:, ::-1]
        merged = _MERGES[self.merge_mode](forward, backward)
        if self.return_state:
            return (*merged, *states) if self.merge_mode is None else (merged, *states)
        return merged

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        mask = tree.flatten(previous_mask)[0] if self.return_sequences else None
        return (mask, mask) if self.merge_mode is None else mask

    @property
    def states(self) -> Any:
        """The states of both layers when stateful, else None."""
        forward, backward = self.forward_layer.states, self.backward_layer.states
        return None if forward is None or backward is None else (*forward, *backward)

    def reset_state(self) -> None:
        """Let the next batch start from the initial states."""
        if self.stateful:
            self.forward_layer.reset_state()
            self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """The same as reset_state()."""
        self.reset_state()


def _check_recurrent(layer):
    refuse_class("Bidirectional", layer)
    missing = [name for name in ("go_backwards", "return_sequences", "return_state") if not hasattr(layer, name)]
    if not isinstance(layer, Layer) or missing:
        raise ConfigError(
            f"Bidirectional needs a recurrent layer; {type(layer).__name__} has no {', '.join(missing) or 'call'}.",
            fix="Bidirectional(layers.LSTM(32))",
        )


def _copy(layer, direction, go_backwards):
    """A layer like `layer`, with weights of its own, named forward_... or backward_..."""
    name = layer.name.removeprefix("forward_").removeprefix("backward_")
    config = {**layer.get_config(), "name": f"{direction}_{name}", "go_backwards": go_backwards}
    with CustomObjectScope({type(part).__name__: type(part) for part in layer._flatten_layers(include_self=False)}):
        copy = type(layer).from_config(config)
    if hasattr(layer, "use_cudnn"):  # no part of the config
        copy.use_cudnn = layer.use_cudnn
    return copy


def _takes_mask(layer):
    return "mask" in call_signature.signature_of(type(layer).call).names


def _fold(structure):
    """(batch, time, ...) -> (batch * time, ...)."""
    return tree.map_structure(lambda array: array.reshape(-1, *array.shape[2:]), structure)


def _map_shapes(function, shapes):
    """`function` on each shape of a structure of shapes."""
    if isinstance(shapes, dict):
        return {name: _map_shapes(function, shape) for name, shape in shapes.items()}
    if shapes and isinstance(shapes[0], (list, tuple, dict)):
        return type(shapes)(_map_shapes(function, shape) for shape in shapes)
    return function(shapes)


__getattr__: Any = moved_from(__name__)
