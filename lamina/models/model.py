"""Model: a layer that can be trained and saved. Given inputs and outputs it runs the graph between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from lamina.core import context, registry, tree
from lamina.core.graph import Function
from lamina.core.keras_tensor import KerasTensor, get_mask, set_mask
from lamina.core.node import is_made_by_hand, node_of
from lamina.core.recording import NeedsTape
from lamina.core.representation import signature_of
from lamina.core.serialization import reading_config
from lamina.errors import ArgumentError, ConfigError, MissingMethodError, UnknownNameError
from lamina.layers.base import call_signature
from lamina.layers.base.layer import Layer
from lamina.layers.base.tracking import new_stamp, unique
from lamina.layers.input_layer import Input
from lamina.models.ends import NoListNorEstimator, check_names, like, one_or_list, unique_names, unpacked
from lamina.models.functional import graph_config, graph_from_config
from lamina.models.host import Prepared, host_part
from lamina.models.inputs import standardize_inputs
from lamina.models.reports_mixin import ReportsMixin
from lamina.models.saving_mixin import SavingMixin
from lamina.runtime.tracebacks import filters_traceback
from lamina.spelling.nearest import nearest
from lamina.training.step import overridable
from lamina.training.trainer import Trainer

if TYPE_CHECKING:
    from typing import Self

    from lamina.core.typing import Config, PyTree


class Model(ReportsMixin, SavingMixin, Trainer, NoListNorEstimator, Layer):  # pyright: ignore[reportIncompatibleMethodOverride]
    """A layer with `compile`, `fit`, `evaluate`, `predict`, `summary` and `save`.

    `Model(inputs, outputs)` is a functional model: the graph between symbolic tensors. A subclass defines
    `__init__` and `call` instead.

    Args:
        inputs: Symbolic tensor, or a list or dict of them, from `keras.Input` or from inside another graph.
        outputs: Symbolic tensor, or a list or dict of them, that depends on the inputs.
        name: Name of the model; None makes one from the name of the class.
        **kwargs: Arguments of every layer: `trainable`, `dtype`, `autocast`.

    Raises:
        CallError: If an output depends on an input that is not given, or two layers have the same name.

    >>> import lamina as keras
    >>> inputs = keras.Input((4,))
    >>> outputs = keras.layers.Dense(2)(inputs)
    >>> keras.Model(inputs, outputs).count_params()
    10
    """

    _keras_module = "keras"
    _graph: Any = None
    _graph_stamp: int = 0

    if TYPE_CHECKING:  # a model may return a dict or a list

        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

    if not TYPE_CHECKING:  # for type checkers the signature is that of __init__

        def __new__(cls, *args: Any, **kwargs: Any) -> Self:
            kind: Any = Functional if cls is Model and _is_graph(args, kwargs) else cls
            return super().__new__(kind, *args, **kwargs)

        @overload
        def __init__(self, inputs: PyTree, outputs: PyTree, name: str | None = None, **kwargs: Any): ...
        @overload
        def __init__(self, name: str | None = None, **kwargs: Any): ...
        def __init__(self, *args: Any, **kwargs: Any):
            if _is_graph(args, kwargs):
                given = dict(zip(("inputs", "outputs", "name"), args, strict=False)) | kwargs
                inputs, outputs = given.pop("inputs"), given.pop("outputs")
                super().__init__(**given)
                self._set_graph(inputs, outputs)
            elif kwargs.keys() & {"inputs", "outputs"}:
                raise ArgumentError(
                    "A Model of tensors needs both its inputs and its outputs.", fix="keras.Model(inputs, outputs)"
                )
            else:
                args = args[1:] if args[:1] == (self,) else args  # Keras 2 took `super().__init__(self)`
                super().__init__(**dict(zip(("name",), args, strict=False)), **kwargs)

    def _set_graph(self, inputs, outputs):
        """Compute the outputs from the inputs, both symbolic tensors."""
        inputs = list(inputs) if isinstance(inputs, tuple) else inputs
        graph = Function(inputs, outputs, self.name)
        starts = [_as_input(tensor) for tensor in graph.input_tensors]
        if any(start is not tensor for start, tensor in zip(starts, graph.input_tensors, strict=True)):
            inputs = tree.unflatten(tree.structure_of(inputs), starts)
            outputs = graph.run(starts, lambda operation, args, kwargs: operation(*args, **kwargs))
            graph = Function(inputs, outputs, self.name)
        self._graph, self._graph_stamp = graph, new_stamp()
        context.structure_changed()
        check_names(self._graph.operations, self.name)
        self.built = True

    @property
    def _layers(self):
        """As in Keras, weights are those of layers that a subclass assigned before the graph was made, then the others
        of the graph, then what was assigned later."""
        early = self._parts_before(self._graph_stamp) if self._graph else []
        return unique([*early, *self._graph_layers(), *super()._layers])

    def _graph_layers(self):
        return [op for op in self._graph.operations if isinstance(op, Layer)] if self._graph else []

    @property
    def layers(self) -> list[Any]:
        """The layers of the model, without those inside of them, in the order of the graph or of assignment."""
        from lamina.models.layer_list import LayerList

        return LayerList(unique([*self._graph_layers(), *self._layers]))

    @layers.setter
    def layers(self, value: Any) -> None:
        message = "`Model.layers` attribute is reserved: it lists the layers of a model."
        raise UnknownNameError(message, lambda: ("", "self.blocks  # another name"))

    @property
    def operations(self) -> list[Any]:
        """The layers and ops of the graph."""
        return list(self._graph.operations) if self._graph else self.layers

    def _tensors(self, what):
        if self._graph is None:
            fix = "model(x) once builds it; or let it begin with keras.Input(shape)."
            raise UnknownNameError(f"{self.name} has no {what} yet: it is not built.", lambda: ("", fix))
        return getattr(self._graph, what)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, as a list."""
        return list(self._tensors("input_tensors"))

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, as a list."""
        return list(self._tensors("output_tensors"))

    @property
    def input(self) -> PyTree:
        """The symbolic inputs in their structure."""
        return self._tensors("inputs")

    @property
    def output(self) -> PyTree:
        """The symbolic outputs in their structure."""
        return self._tensors("outputs")

    @property
    def input_shape(self) -> Any:
        """The shape of the input, or a list of the shapes of `inputs`."""
        return one_or_list(call_signature.shape_of(self.inputs))

    @property
    def output_shape(self) -> Any:
        """The shape of the output, or a list of the shapes of `outputs`."""
        return one_or_list(call_signature.shape_of(self.outputs))

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return [tensor._keras_history.operation.name for tensor in self.inputs] if self._graph else []

    @property
    def output_names(self) -> list[str] | None:
        """The name of the layer that computes each output; None without a graph."""
        if self._graph is None:
            return None
        return unique_names([tensor._keras_history.operation.name for tensor in self.outputs])

    def _names_of_inputs(self):
        return self.input_names

    def _has_call(self):
        return self._graph is not None or type(self).call is not Model.call

    @overridable
    def call(self, inputs: PyTree, training: bool | None = None, mask: PyTree = None) -> Any:
        """Compute the outputs. A subclass that is no graph overrides it.

        Args:
            inputs: Tensors in the structure of `self.input`.
            training: Whether the layers inside run for training. None means what the layer around was called with.
            mask: Masks of the inputs. None means the masks that are attached to them.
        """
        if self._graph is None:
            return self._call_without_graph(inputs)
        if isinstance(inputs, Prepared):
            return unpacked(host_part(self._graph).finish(inputs, self))
        values = standardize_inputs(self._graph, inputs, self)
        if mask is not None:
            for value, one in zip(values, tree.flatten(mask), strict=True):
                set_mask(value, one)
        try:
            return unpacked(self._graph.run(values))
        except NeedsTape:  # a Lambda asks for gradients of what other layers computed
            from lamina.core.tape import FunctionTape

            with FunctionTape():
                return unpacked(self._graph.run(values))

    def _call_without_graph(self, inputs) -> Any:
        torch = " The `forward` of PyTorch is `call` in Keras." if hasattr(self, "forward") else ""
        message = f"{type(self).__name__} has no `call` and no graph.{torch}"
        raise MissingMethodError(message, fix="def call(self, inputs):")

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic outputs: those of the graph if the inputs have its shapes, else from tracing `call`.

        Args:
            *args: Symbolic inputs.
            **kwargs: Other arguments of `call`.
        """
        alone = len(args) == 1 and not kwargs and not isinstance(args[0], Prepared)
        if alone and self._graph is not None and registry.is_builtin(type(self).call):
            given = tree.flatten(args[0])
            same = len(given) == len(self.inputs) and all(
                isinstance(a, KerasTensor) and a.shape == b.shape and a.dtype == b.dtype and get_mask(a) is None
                for a, b in zip(given, self.inputs, strict=True)
            )
            if same or host_part(self._graph) is not None:  # text cannot be traced
                outputs = self._graph.outputs
                return tree.in_order_of(outputs, tree.map_structure(like, outputs))
        return super().compute_output_spec(*args, **kwargs)

    def _host_step(self):
        return self._prepare if self._graph is not None and host_part(self._graph) is not None else None

    def _prepare(self, inputs):
        """What a step takes in place of text: the results of the part of the graph that runs on the host."""
        return host_part(self._graph).prepare(standardize_inputs(self._graph, inputs, self))

    @filters_traceback
    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """One of the layers.

        Args:
            name: Name of the layer.
            index: Position in `layers`, in place of the name.

        Raises:
            ConfigError: If there is no such layer, or both or none of the arguments are given.
        """
        if (name is None) == (index is None):
            raise ConfigError("get_layer needs either a name or an index.", fix="model.get_layer(index=0)")
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ConfigError(
                    f"{self.name} has {len(layers)} layers, but none at index {index}.",
                    fix=f"model.get_layer(index={len(layers) - 1})",
                )
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in layers]
        near, shown = nearest(str(name), names, 1), [*names[:10], "..."] if len(names) > 12 else names
        raise ConfigError(
            f"{self.name} has no layer {name!r}; it has {', '.join(shown) or 'none'}.",
            fix=f"model.get_layer({(near or names)[0]!r})" if names else "model.add(keras.layers.Dense(1))",
        )

    def get_config(self) -> Config:
        """The arguments by name; of a functional model, its graph."""
        return graph_config(self) if self._is_its_graph() else super().get_config()

    @classmethod
    def from_config(cls, config: Config, custom_objects: dict[str, Any] | None = None) -> Any:
        """The model that a config describes.

        Args:
            config: What `get_config` returned.
            custom_objects: Classes and functions by the names that the config has for them.
        """
        with reading_config(cls.__name__, custom_objects):
            if {"layers", "input_layers", "output_layers"} <= set(config):
                return graph_from_config(Functional if cls is Model else cls, config)
            return super().from_config(config)

    def _is_its_graph(self):
        """Whether it is created from inputs and outputs alone, not by an __init__ of its own that builds a graph."""
        takes_ends = {"inputs", "outputs"} <= set(signature_of(type(self)))
        return self._graph is not None and (takes_ends or type(self).__init__ is Model.__init__)

    def build_from_config(self, config: Config) -> None:
        """Build for the input shapes in a file; a graph is built already.

        Args:
            config: What `get_build_config` returned.
        """
        if self._graph is None:
            super().build_from_config(config)

    def get_build_config(self) -> Config | None:
        """The input shapes for which it was built; None for a graph."""
        return {"input_shape": None} if self._graph is not None else super().get_build_config()


class _FunctionalType(type):
    """`isinstance(model, Functional)` holds for every model that was created from inputs and outputs, as in Keras."""

    def __instancecheck__(cls, instance):
        return super().__instancecheck__(instance) or (
            cls.__dict__.get("_of_graphs", False) and isinstance(instance, Model) and "_graph" in vars(instance)
        )


class Functional(Model, metaclass=_FunctionalType):
    """The model between symbolic `inputs` and `outputs`; `keras.Model(inputs, outputs)` creates one.

    Args:
        inputs: Symbolic tensor, or a list or dict of them.
        outputs: Symbolic tensor, or a list or dict of them, that depends on the inputs.
        name: Name of the model; None makes one from the name of the class.
        **kwargs: Arguments of every layer: `trainable`, `dtype`, `autocast`.

    >>> import lamina as keras
    >>> x = keras.Input((4,), name="x")
    >>> model = keras.Model({"x": x}, {"double": x * 2})
    >>> list(model.output)
    ['double']
    """

    _keras_module = "keras.src.models.functional"
    _of_graphs = True

    def __init__(self, inputs: PyTree, outputs: PyTree, name: str | None = None, **kwargs: Any):
        super().__init__(inputs=inputs, outputs=outputs, name=name, **kwargs)


def _is_graph(args, kwargs):
    """Whether the arguments of a model are inputs and outputs."""
    names = {*("inputs", "outputs")[: len(args)], *kwargs}
    return {"inputs", "outputs"} <= names or {"input", "output"} <= names


def _as_input(tensor):
    """The tensor itself if it is that of an Input, else a new Input: a model may start inside of another graph."""
    if node_of(tensor).is_input and not is_made_by_hand(tensor):
        return tensor
    return Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=f"{tensor.name}CLONE")
