"""Model: a layer that can be trained and saved. Given inputs and outputs it runs the graph between them."""

import pathlib
import tempfile
from typing import Any

from lamina import check, explain, export, saving, view
from lamina.core import registry, tree
from lamina.core.configurable import signature_of
from lamina.core.graph import Function, node_of
from lamina.core.keras_tensor import KerasTensor, get_mask, set_mask
from lamina.errors import CallError, ConfigError
from lamina.layers.base import call_signature
from lamina.layers.base.layer import Layer
from lamina.layers.base.shapes import symbols_of
from lamina.layers.base.tracking import unique
from lamina.layers.input_layer import Input
from lamina.models.functional import graph_config, graph_from_config
from lamina.models.host import Prepared, host_part
from lamina.models.inputs import standardize_inputs
from lamina.models.summary import summary
from lamina.saving import state_tree as trees
from lamina.training.trainer import Trainer


class Model(Trainer, Layer):
    """A layer with `compile`, `fit`, `evaluate`, `predict`, `summary` and `save`.

    `Model(inputs, outputs)` is a functional model: the graph between symbolic tensors (structures of them are welcome).
    A subclass writes `__init__` and `call` instead.

    >>> import lamina as keras
    >>> inputs = keras.Input((4,))
    >>> outputs = keras.layers.Dense(2)(inputs)
    >>> keras.Model(inputs, outputs).count_params()
    10
    """

    _keras_module = "keras"
    _graph: Any = None

    def __new__(cls, *args, **kwargs):
        kind: Any = Functional if cls is Model and _is_graph(args, kwargs) else cls
        return super().__new__(kind, *args, **kwargs)

    def __init__(self, *args, **kwargs):
        if _is_graph(args, kwargs):
            given = dict(zip(("inputs", "outputs", "name"), args, strict=False)) | kwargs
            inputs, outputs = given.pop("inputs"), given.pop("outputs")
            super().__init__(**given)
            self._set_graph(inputs, outputs)
        else:
            super().__init__(**dict(zip(("name",), args, strict=False)), **kwargs)

    # The graph

    def _set_graph(self, inputs, outputs):
        """Be the function between these symbolic tensors."""
        inputs = list(inputs) if isinstance(inputs, tuple) else inputs
        graph = Function(inputs, outputs, self.name)
        starts = [_as_input(tensor) for tensor in graph.input_tensors]
        if any(start is not tensor for start, tensor in zip(starts, graph.input_tensors, strict=True)):
            inputs = tree.unflatten(tree.structure_of(inputs), starts)
            outputs = graph.run(starts, lambda operation, args, kwargs: operation(*args, **kwargs))
            graph = Function(inputs, outputs, self.name)
        self._graph = graph
        _check_names(self._graph.operations, self.name)
        self.built = True

    @property
    def _layers(self):
        graph = [op for op in self._graph.operations if isinstance(op, Layer)] if self._graph else []
        return unique([*graph, *super()._layers])

    @property
    def layers(self):
        """The layers directly inside, in the order of the graph or of assignment."""
        return self._flatten_layers(include_self=False, recursive=False)

    @layers.setter
    def layers(self, value):
        raise AttributeError("`Model.layers` attribute is reserved: it lists the layers of a model. Use another name.")

    @property
    def operations(self):
        """The layers and ops of the graph."""
        return list(self._graph.operations) if self._graph else self.layers

    def _tensors(self, what):
        if self._graph is None:
            raise AttributeError(f"{self.name} has no {what} yet: it is not built as a graph.")
        return getattr(self._graph, what)

    @property
    def inputs(self):
        """The symbolic inputs, as a list."""
        return list(self._tensors("input_tensors"))

    @property
    def outputs(self):
        """The symbolic outputs, as a list."""
        return list(self._tensors("output_tensors"))

    @property
    def input(self):
        """The symbolic inputs in the structure they were given in."""
        return self._tensors("inputs")

    @property
    def output(self):
        """The symbolic outputs in the structure they were given in."""
        return self._tensors("outputs")

    @property
    def input_shape(self):
        """The shape of the input, or a list of the shapes of `inputs`."""
        return _one_or_list(call_signature.shape_of(self.inputs))

    @property
    def output_shape(self):
        """The shape of the output, or a list of the shapes of `outputs`."""
        return _one_or_list(call_signature.shape_of(self.outputs))

    @property
    def input_names(self):
        """The names of the inputs."""
        return [tensor._keras_history.operation.name for tensor in self.inputs] if self._graph else []

    @property
    def output_names(self):
        """The name of the layer that makes each output."""
        if self._graph is None:
            return None
        return unique_names([tensor._keras_history.operation.name for tensor in self.outputs])

    def _has_call(self):
        return self._graph is not None or type(self).call is not Model.call

    def call(self, inputs, training=None, mask=None):
        """Run the graph; a subclass without one writes its own."""
        if self._graph is None:
            return self._call_without_graph(inputs)
        if isinstance(inputs, Prepared):
            return host_part(self._graph).finish(inputs, self)
        values = standardize_inputs(self._graph, inputs, self)
        if mask is not None:
            for value, one in zip(values, tree.flatten(mask), strict=True):
                set_mask(value, one)
        return self._graph.run(values)

    def _call_without_graph(self, inputs) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no call and no graph. Write call(self, inputs).")

    def compute_output_spec(self, *args, **kwargs):
        """What the graph already knows, where it is called with inputs of the shapes it was drawn with."""
        alone = len(args) == 1 and not kwargs and not isinstance(args[0], Prepared)
        if alone and self._graph is not None and registry.is_builtin(type(self).call):
            given = tree.flatten(args[0])
            same = len(given) == len(self.inputs) and all(
                isinstance(a, KerasTensor) and a.shape == b.shape and a.dtype == b.dtype and get_mask(a) is None
                for a, b in zip(given, self.inputs, strict=True)
            )
            if same or host_part(self._graph) is not None:  # text cannot be traced
                return tree.map_structure(_like, self._graph.outputs)
        return super().compute_output_spec(*args, **kwargs)

    def _look_before_fit(self, batches, data, verbose, arguments):
        check.look_before_fit(self, batches, data, verbose, arguments)

    def _host_step(self):
        graph = self._graph
        return self._prepare if graph is not None and host_part(graph) is not None else None

    def _prepare(self, inputs):
        """What a step takes in place of inputs with text: the host's part of the graph is done."""
        return host_part(self._graph).prepare(standardize_inputs(self._graph, inputs, self))

    def get_layer(self, name=None, index=None):
        """The layer of that name, or at that place."""
        if (name is None) == (index is None):
            raise ConfigError("get_layer needs a name or an index, one of the two.")
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ConfigError(f"{self.name} has {len(layers)} layers; there is none at {index}.")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ConfigError(f"{self.name} has no layer {name!r}.", fix=f"It has: {', '.join(x.name for x in layers)}.")

    # Looking at it and keeping it

    def explain(self, what=None):
        """What each layer does to the data, in sentences with this model's own numbers, and answers about the whole.

        Args:
            what: None; the name of a layer; or a batch of inputs, to add what the layers make of real data.

        Print it, or let a notebook show it; `.markdown()` and `.html()` give it in these forms.
        """
        return explain.explain(self, what)

    def check(self, x=None, y=None, sample_weight=None, ignore=(), **settings):
        """What is wrong with the model, and with one batch of data where it is given: see `lamina.check`.

        Each finding has a code, severity, layer, message and the one-line fix; print them or iterate.
        """
        return check.check(self, x, y, sample_weight, ignore, **settings)

    def view(self, path=None, x=None, y=None, history=None, open=None):
        """The model as a page to look at: see `lamina.view.view`. Without a path the browser shows it.

        Args:
            path: the HTML file to write; it needs no server and no network.
            x, y: a batch, to show what the layers make of it, and for the rules that look at data.
            history: what `fit` gave; by default that of the last `fit`.
            open: whether the browser shows it.
        """
        return view.view(self, path, x, y, history, open)

    def summary(
        self,
        line_length=None,
        positions=None,
        print_fn=None,
        expand_nested=False,
        show_trainable=False,
        layer_range=None,
    ):
        """Print a table of the layers with output shapes and numbers of weights."""
        summary(
            self, line_length=line_length, positions=positions, print_fn=print_fn, expand_nested=expand_nested,
            show_trainable=show_trainable, layer_range=layer_range,
        )  # fmt: skip

    def quantize(self, mode=None, config=None, filters=None, **kwargs):
        """Keep the kernels of its layers in few bits: "int8", "int4", "float8", or with data "gptq" or "awq".

        Args:
            config: which quantizers, blocks or data; needed for gptq and awq; see keras.quantizers.
            filters: a regular expression, a list of them, or a function of a layer: which layers are quantized.
            type_check: whether subclasses of Dense and the like are left as they are.

        Raises:
            ConfigError: for a mode that is none, a config of another mode, or data or blocks that are not there.
            CallError: when a layer is not built, or is quantized already.

        >>> import lamina as keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dense(2, name="head")])
        >>> model.quantize("int8", filters=lambda layer: layer.name != "head")
        >>> [layer.dtype_policy.name for layer in model.layers]
        ['int8_from_float32', 'float32']
        """
        type_check = kwargs.pop("type_check", True)
        if kwargs:
            raise ConfigError(f"Unrecognized keyword arguments of quantize: {', '.join(kwargs)}.")
        if not (filters is None or callable(filters) or isinstance(filters, (str, list, tuple))):
            raise ConfigError(f"The `filters` argument must be a regex string, a list or a callable; got {filters!r}.")
        from lamina.models.quantization import config_of, quantize

        quantize(self, config_of(mode, config), filters, type_check)

    def get_quantization_layer_structure(self, mode=None):
        """What GPTQ and AWQ go through: {"pre_block_layers": [...], "sequential_blocks": [...]}. For subclasses."""
        return None

    def __reduce__(self):
        """Pickled and copied as what `save` writes."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "model.keras")
            saving.save_model(self, path)
            return _from_bytes, (path.read_bytes(),)

    def save(self, filepath, overwrite=True, zipped=None, **kwargs):
        """Write architecture, weights, compile settings and optimizer state to a `.keras` (or legacy `.h5`) file."""
        return saving.save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(self, filepath, overwrite=True, max_shard_size=None):
        """Write the weights to a `.weights.h5` file (any other `.h5`: the legacy format)."""
        return saving.save_weights(self, filepath, overwrite=overwrite, max_shard_size=max_shard_size)

    def load_weights(self, filepath, skip_mismatch=False, **kwargs):
        """Read weights from a `.weights.h5`, `.keras` or legacy `.h5` file; `by_name=True` matches layers by name."""
        return saving.load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def export(self, filepath, format="tf_saved_model", verbose=None, input_signature=None, **kwargs):
        """Write the model as a program that runs without its code, for any batch: see `export.ExportArchive`.

        Args:
            format: "jax" writes `filepath/serve.jax`, which `jax.export.deserialize` reads. Formats of other engines,
                the default of Keras among them, are errors that say what to use.
            verbose: False prints nothing.
            input_signature: shapes and types; those of the model's inputs if not given.
        """
        archive = export.ExportArchive(format)
        archive.track_and_add_endpoint("serve", self, input_signature or self._symbolic_inputs(), **kwargs)
        archive.write_out(filepath, verbose=verbose is not False)

    def _symbolic_inputs(self):
        if self._graph is not None:
            return [self.input]
        if not self._build_shapes:
            raise CallError(f"{self.name} is not built: its input shapes are not known.", fix="Call it once first.")
        return [symbols_of(shape, self.input_dtype) for shape in self._build_shapes.values()]

    def get_state_tree(self, value_format="backend_tensor"):
        """All values as nested dicts: "trainable_variables", "non_trainable_variables", "optimizer_variables" and
        "metrics_variables", then the parts of each variable's path.

        Args:
            value_format: "backend_tensor" for JAX arrays, "numpy_array" for copies on the host.
        """
        readers = {"backend_tensor": lambda variable: variable.value, "numpy_array": lambda variable: variable.numpy()}
        if value_format not in readers:
            raise ConfigError(f"value_format is one of {sorted(readers)}; got {value_format!r}.")
        return trees.state_tree(trees.groups_of(self), readers[value_format])

    def set_state_tree(self, state_tree):
        """Take values as `get_state_tree` gives them, all or some."""
        trees.assign(self, state_tree)

    def to_json(self, **kwargs):
        """The architecture as JSON; `models.model_from_json` reads it."""
        return saving.to_json(self, **kwargs)

    def get_config(self):
        """The arguments by name; of a functional model, its graph."""
        return graph_config(self) if self._is_its_graph() else super().get_config()

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The model that `get_config` described."""
        with registry.CustomObjectScope(custom_objects):
            if {"layers", "input_layers", "output_layers"} <= set(config):
                return graph_from_config(Functional if cls is Model else cls, config)
            return super().from_config(config)

    def _is_its_graph(self):
        """Whether it is made from inputs and outputs alone, not by an __init__ of its own that draws a graph."""
        takes_ends = {"inputs", "outputs"} <= set(signature_of(type(self)))
        return self._graph is not None and (takes_ends or type(self).__init__ is Model.__init__)

    def build_from_config(self, config):
        """Build with the shapes a file holds."""
        if self._graph is None:
            super().build_from_config(config)

    def get_build_config(self):
        """The shapes it was built with; a graph needs none."""
        return {"input_shape": None} if self._graph is not None else super().get_build_config()


class Functional(Model):
    """The model between symbolic `inputs` and `outputs`; `keras.Model(inputs, outputs)` makes one.

    >>> import lamina as keras
    >>> x = keras.Input((4,), name="x")
    >>> model = keras.Model({"x": x}, {"double": x * 2})
    >>> list(model.output)
    ['double']
    """

    _keras_module = "keras.src.models.functional"

    def __init__(self, inputs, outputs, name=None, **kwargs):
        super().__init__(inputs=inputs, outputs=outputs, name=name, **kwargs)


def _from_bytes(data):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        path.write_bytes(data)
        return saving.load_model(path, safe_mode=False)  # who reads a pickle trusts it already


def _is_graph(args, kwargs):
    """Whether the arguments of a model are inputs and outputs."""
    names = {*("inputs", "outputs")[: len(args)], *kwargs}
    return {"inputs", "outputs"} <= names or {"input", "output"} <= names


def _as_input(tensor):
    """The tensor itself if it is an Input's, else a new Input: a model may start in the middle of another graph."""
    if node_of(tensor).is_input:
        return tensor
    return Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=f"{tensor.name}CLONE")


def _one_or_list(values):
    return values[0] if len(values) == 1 else values


def _like(tensor):
    copy = KerasTensor(tensor.shape, tensor.dtype)
    set_mask(copy, get_mask(tensor))
    return copy


def unique_names(names):
    """The names, numbered where one comes twice."""
    counts, found = {}, []
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        found.append(name if counts[name] == 1 else f"{name}_{counts[name] - 1}")
    return found


def _check_names(operations, model_name):
    seen = set()
    for operation in operations:
        if operation.name in seen:
            raise CallError(
                f"Two layers of {model_name} are called {operation.name!r}; each needs a name of its own.",
                fix="Pass another name= to one of them.",
            )
        seen.add(operation.name)
