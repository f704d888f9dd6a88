"""Sequential: layers one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina import activations
from lamina.core import context, tree
from lamina.core.context import building_lock
from lamina.core.graph import Function
from lamina.core.keras_tensor import KerasTensor
from lamina.core.keywords import refuse_positional
from lamina.core.serialization import deserialize, reading_config, serialize
from lamina.errors import CallError, ConfigError, UnknownNameError
from lamina.layers.base import call_signature
from lamina.layers.base.input_fixes import code_of
from lamina.layers.base.layer import Layer
from lamina.layers.base.misuse import refuse_class
from lamina.layers.base.shapes import open_probes
from lamina.layers.input_layer import InputLayer
from lamina.models.ends import check_names
from lamina.models.model import Model
from lamina.runtime.tracebacks import filters_traceback

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamina.core.typing import Config


class Sequential(Model):
    """Layers in a row: the output of each is the input of the next.

    Its weights are created at once if it starts with `keras.Input` (or its first layer has `input_shape=`), else by the
    first call.

    Args:
        layers: Layers in their order. None starts with an empty model; `add` appends layers.
        trainable: Whether an optimizer may change its variables.
        name: Name of the model; None makes one from the name of the class.
        **kwargs: Arguments of every layer: `dtype`, `autocast`.

    Raises:
        ConfigError: If something is not a layer, or two layers have the same name.

    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2)])
    >>> model.output_shape
    (None, 2)
    """

    _keras_module = "keras"

    def __init__(
        self,
        layers: Sequence[Any] | Layer | None = None,
        trainable: bool = True,
        name: str | None = None,
        *args: Any,
        **kwargs: Any,
    ):
        several = [one for one in (layers, trainable, name, *args) if isinstance(one, Layer)]
        if len(several) > 1:
            raise ConfigError(
                f"Sequential takes one list of layers; got {len(several)} layers as separate arguments.",
                fix=f"Sequential([{', '.join(map(code_of, several))}])",
            )
        refuse_positional("Sequential", args, ("layers", "trainable", "name"))
        Layer.__init__(self, trainable=trainable, name=name, **kwargs)
        self._sequence = []
        self._sequence_graph = None
        for layer in [layers] if isinstance(layers, Layer) else layers or []:
            self._append(layer)
        self._rebuild()

    # The row of layers

    @filters_traceback
    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Append a layer.

        Args:
            layer: Layer, or an Input in an empty model.
            rebuild: Whether the weights are created at once, if the input shape is known.
        """
        self._append(layer)
        if rebuild:
            self._rebuild()

    @filters_traceback
    def pop(self, rebuild: bool = True) -> Any:
        """Remove the last layer and return it.

        Args:
            rebuild: Whether the graph of the remaining layers is built at once.
        """
        if not self.layers:
            raise CallError(f"{self.name} has no layer to pop.", fix="model.add(keras.layers.Dense(1)) comes first.")
        layer = self._sequence.pop()
        self._forget_graph()
        if rebuild:
            self._rebuild()
        return layer

    def _append(self, layer: Any):
        if isinstance(layer, KerasTensor):
            history: Any = getattr(layer, "_keras_history", None)
            layer = layer if history is None else history.operation
        if not isinstance(layer, Layer):
            refuse_class("A Sequential", layer)
            if not callable(layer):
                nested = isinstance(layer, (list, tuple)) and all(isinstance(one, Layer) for one in layer)
                raise ConfigError(
                    f"A Sequential consists of layers; got {layer!r} ({type(layer).__name__}).",
                    fix=f"for layer in [{', '.join(map(code_of, layer))}]: model.add(layer)"
                    if nested
                    else f"keras.layers.Activation({layer!r})"
                    if isinstance(layer, str)
                    else "keras.Sequential([keras.layers.Dense(1)])",
                )
            raise ConfigError(
                f"A Sequential holds layers; got the function {getattr(layer, '__name__', layer)!r}.",
                fix=f"model.add(keras.layers.{_layer_of(layer)})",
            )
        if isinstance(layer, InputLayer) and self._sequence:
            raise ConfigError(
                f"{self.name} has layers already; an Input can only be the first.",
                fix="Leave this Input out: a model has one, before its layers.",
            )
        if any(layer is other for other in self._sequence):
            message = f"{self.name} has {layer.name} already: a layer stands in a Sequential once."
            raise ConfigError(message, fix=f"model.add(keras.layers.{code_of(layer)})")
        if any(layer.name == other.name for other in self._sequence):
            raise ConfigError(
                f"{self.name} already has a layer called {layer.name!r}.", fix="Each layer needs a name= of its own."
            )
        if not self._sequence and not isinstance(layer, InputLayer):
            self._add_input_for(layer)
        self._sequence.append(layer)
        self._forget_graph()
        context.structure_changed()

    def _add_input_for(self, layer):
        """Add the Input that the first layer implies by `input_shape=`, or as a model with inputs."""
        if layer._input_shape_argument is not None:
            shape, dtype = layer._input_shape_argument
            self._sequence.append(InputLayer(batch_shape=shape, dtype=dtype or _input_type(layer)))
        elif isinstance(layer, Model) and layer._graph is not None and isinstance(layer.input, KerasTensor):
            self._sequence.append(InputLayer(batch_shape=layer.input.shape, dtype=layer.input.dtype))

    @property
    def layers(self) -> list[Any]:
        """The layers, without the Input."""
        from lamina.models.layer_list import LayerList

        return LayerList((layer for layer in self._sequence if not isinstance(layer, InputLayer)), grows=True)

    @layers.setter
    def layers(self, value: Any) -> None:
        message = "`Sequential.layers` attribute is reserved: add() and pop() change the layers."
        raise UnknownNameError(message, lambda: ("", "model.pop(); model.add(keras.layers.Dense(1))"))

    @property
    def _layers(self):
        return list(self._sequence)

    # The graph, once the input shape is known

    @property
    def _graph(self) -> Any:
        return self.__dict__.get("_sequence_graph")

    def _forget_graph(self):
        self._sequence_graph = None
        self.built = False

    def _rebuild(self):
        if len(self._sequence) > 1 and (isinstance(self._sequence[0], InputLayer) or self._has_many_inputs):
            self._build_graph()

    @property
    def _has_many_inputs(self):
        if "_starts" in vars(self):
            return True
        first = self._sequence[0] if self._sequence else None
        return isinstance(first, Model) and first._graph is not None and not isinstance(first.input, KerasTensor)

    def _build_graph(self):
        """Call the layers in turn on the symbolic inputs."""
        if "_starts" in vars(self):
            start, rest = vars(self)["_starts"], self._sequence
        elif self._has_many_inputs:
            make = lambda tensor: InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype).output  # noqa: E731
            start, rest = tree.map_structure(make, self._sequence[0].input), self._sequence
        else:
            start, rest = self._sequence[0].output, self._sequence[1:]
        tensor, before = start, iter(vars(self).get("_calls", ()))
        calls = vars(self)["_calls"] = []  # not as an attribute, which would be tracked
        with self._scope():
            for layer in rest:
                known = next(before, None)  # a layer called before is not called again: its `output` is in the graph
                if known is None or known[0] is not layer or known[1] is not tensor:
                    known, before = (layer, tensor, layer(tensor)), iter(())
                calls.append(known)
                tensor = known[2]
        context.unique_name("functional")  # Keras creates a functional model here, so later names have the next number
        self._sequence_graph = Function(start, tensor, self.name)
        check_names(self._graph.operations, self.name)
        self.built = True
        context.structure_changed()

    def build(self, input_shape: Any = None) -> None:
        """Create the weights.

        Args:
            input_shape: Shape of the inputs with the batch axis, or a batch of them. With None, as with the shapes of
                several inputs, the first call creates the weights, unless the model starts with an Input.
        """
        if self.built or self._graph is not None:
            return
        if not isinstance(self._sequence[0] if self._sequence else None, InputLayer):
            if len(getattr(input_shape, "shape", ())) > 1:  # a batch, of which later ones need not have the size
                input_shape = (None, *input_shape.shape[1:])
            known = isinstance(input_shape, (list, tuple))
            if not known or not all(size is None or isinstance(size, (int, np.integer)) for size in input_shape):
                return
            if not self._sequence:
                raise CallError(f"{self.name} has no layers yet.", fix="model.add(...)")
            self._sequence.insert(0, InputLayer(batch_shape=input_shape, dtype=_input_type(self._sequence[0])))
        if len(self._sequence) > 1:
            try:
                self._build_graph()
            except NotImplementedError:  # a layer that has no symbolic outputs: `call` builds each layer in turn
                return
            except Exception:
                if input_shape is not None:
                    del self._sequence[0]
                raise

    def _after_build(self):
        self.built = isinstance(self._sequence[0] if self._sequence else None, InputLayer)  # not for shape None

    def _ensure_built(self, args, kwargs):
        if not self.built and args:
            shape: Any = call_signature.shape_of(args[0])
            if not isinstance(shape, tuple) or not all(size is None or isinstance(size, int) for size in shape):
                return  # several inputs: without a graph, `call` builds each layer in turn
            with building_lock:
                self._build_for(shape)
            self._sequence[0].inferred = True  # others than the first batch may differ in length

    def _build_for(self, shape):
        """Build for any batch size, or for this one, if a layer computes no other."""
        try:
            self.build((None, *shape[1:]))
        except Exception:
            if open_probes(shape)[0] is None:
                raise
            self.build(shape)

    def _has_call(self):
        return True

    def _call_without_graph(self, inputs):
        if not self._sequence:
            return super()._call_without_graph(inputs)
        for layer in self.layers:
            inputs = layer(inputs)
        self.built: bool = True
        return inputs

    # Text

    def _host_step(self):
        if self._graph is None and self._sequence and _input_type(self._sequence[0]) == "string":
            return self._prepare
        return super()._host_step()

    def _prepare(self, inputs):
        self._ensure_built((inputs,), {})
        if self._graph is None:
            with building_lock:
                self._build_for_columns(inputs)
        return super()._prepare(inputs)

    def _build_for_columns(self, inputs):
        """Build for a dict or list of arrays, of which some are texts."""
        names = iter(tree.keys_of(inputs) or [None] * len(tree.flatten(inputs)))
        vars(self)["_starts"] = tree.map_structure(
            lambda leaf: (
                InputLayer(
                    batch_shape=(None, *leaf.shape[1:]),
                    dtype="string" if leaf.dtype.kind in "OUS" else leaf.dtype.name,
                    name=next(names),
                ).output
            ),
            inputs,
        )
        self._build_graph()

    # Config

    def get_build_config(self) -> Config | None:
        """The batch shape of its inputs."""
        shape = getattr(self._sequence[0], "batch_shape", None) if self._graph is not None else None
        return None if shape is None else {"input_shape": shape}

    def get_config(self) -> Config:
        config = {"name": self.name, "trainable": self.trainable, "dtype": serialize(self.dtype_policy)}
        config["layers"] = [serialize(layer) for layer in self._sequence]
        if self._graph is not None and not self._has_many_inputs:
            config["build_input_shape"] = tuple(self._sequence[0].batch_shape)
        return config

    @classmethod
    def from_config(cls, config: Config, custom_objects: dict[str, Any] | None = None) -> Any:
        with reading_config(cls.__name__, custom_objects):
            config = {"layers": config} if isinstance(config, list) else dict(config)
            model = cls(name=config.get("name"), trainable=config.get("trainable", True))
            for layer in config["layers"]:
                model._append(deserialize(layer))
            model._rebuild()
            if not model.built and config.get("build_input_shape"):
                model.build(tuple(config["build_input_shape"]))
            return model


def _layer_of(function):
    """Code of a layer that computes a function."""
    name = getattr(function, "__name__", "<lambda>")
    return (
        f"Activation({name!r})"
        if getattr(activations, name, None) is function
        else f"Lambda({'lambda x: x' if name == '<lambda>' else name})"
    )


def _input_type(layer):
    """The type of the inputs of this first layer: its own, else its compute type."""
    if isinstance(layer, Sequential) and layer.layers:
        return _input_type(layer.layers[0])
    return "string" if getattr(layer, "_reads_texts", False) else layer.input_dtype
