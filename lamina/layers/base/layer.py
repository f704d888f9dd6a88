"""Layer: a function with variables. Write `build` to make them and `call` to use them; the rest follows."""

import functools
from typing import Any

import numpy as np

from lamina import constraints, initializers, regularizers
from lamina.core import context, tree
from lamina.core.configurable import Configurable, signature_of
from lamina.core.context import Ref
from lamina.core.derived import Derived
from lamina.core.dtypes import is_float, standardize_dtype
from lamina.core.graph import Operation
from lamina.core.keras_tensor import (
    KerasTensor,
    get_mask,
    is_symbolic,
    set_mask,
    trace,
    traced_dtype,
    without_probe_sizes,
)
from lamina.core.keywords import refuse_positional
from lamina.core.variable import Variable, unwrap
from lamina.distribution import shard_outputs
from lamina.errors import CallError, ConfigError, ShapeError, locate, warn
from lamina.layers.base import call_signature
from lamina.layers.base.dtype_policy import Typed
from lamina.layers.base.input_spec import check_inputs
from lamina.layers.base.shapes import input_shape_asked, open_batch, symbols_of, tuples_of
from lamina.layers.base.tracking import Tracked, unique
from lamina.metrics.metric import Metric
from lamina.random import SeedGenerator
from lamina.rematerialization import call_of, current_scope, remat
from lamina.runtime.allocator import keep_freed_memory


class Layer(Typed, Tracked, Operation, Configurable):
    """A function with variables.

    `build(input_shape)` makes the variables, once the shape of the first inputs is known; `call(inputs)` computes.
    Output shapes
    come from tracing `call`, the config from the signature of `__init__`.

    Args:
        trainable: whether an optimizer may change its variables.
        dtype: a type or a dtype policy; None means the global policy.
        autocast: whether float inputs are cast to the compute type.
        activity_regularizer: a regularizer of the outputs.
        name: unique in a model; made from the class name if not given.

    >>> import lamina as keras
    >>> class Scale(keras.layers.Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
    ...     def call(self, inputs):
    ...         return inputs * self.factor
    >>> Scale()(keras.Input((3,))).shape
    (None, 3)
    """

    _traits: frozenset[str] = frozenset()  # see lamina.layers.base.traits
    _activation_name: str | None = None
    _config_skips = frozenset(("autocast",))
    _config_optional = frozenset(("activity_regularizer",))
    _revision = 0  # goes up when something changes that compiled programs hold as a constant, as a vocabulary

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _building(cls.build)

    def __init__(
        self, *args, activity_regularizer=None, trainable=True, dtype=None, autocast=True, name=None, **kwargs
    ):
        refuse_positional(type(self).__name__, args, ("name", "dtype"))
        keep_freed_memory()  # here, as JAX has not started its threads before the first variable
        Operation.__init__(self, name=name)
        if not isinstance(trainable, (bool, np.bool_)):
            raise ConfigError(f"{type(self).__name__} expects `trainable` to be a boolean; got {trainable!r}.")
        self.dtype_policy = dtype
        self.autocast = autocast
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.input_spec = None
        self.supports_masking = type(self).compute_mask is not Layer.compute_mask
        self.built = _of_lamina(type(self)) and type(self).build is Layer.build  # those of lamina have nothing to make
        self._trainable = bool(trainable)
        self._path = None
        self._own_variables = []
        self._losses_ref = Ref([])
        self._lossy = []
        self._remat = current_scope()
        self._build_shapes = None
        self._output_shape = None  # of the first call, for the summary of a model without a graph
        self._input_shape_argument = input_shape_asked(kwargs)
        self._initial_weights = kwargs.pop("weights", None)
        if kwargs:
            raise ConfigError(
                f"{type(self).__name__} has no argument{'s' * (len(kwargs) > 1)} {', '.join(map(repr, kwargs))}.",
                fix=f"It takes: {', '.join(signature_of(type(self)))}.",
            )

    # Parts

    @property
    def variables(self):
        """All variables: its own, the states of its seed generators, then those of the layers inside."""
        own = [*self._variables_of_its_own(), *(generator.state for generator in self._parts(SeedGenerator))]
        return unique([*own, *(variable for layer in self._layers for variable in layer.variables)])

    @property
    def weights(self):
        """The variables without seed states: what `get_weights` and files hold, in this order."""
        inner = (variable for layer in self._layers for variable in layer.weights)
        return unique([*self._variables_of_its_own(), *inner])

    def _variables_of_its_own(self):
        own = [variable for variable in self._parts(Variable) if not isinstance(variable, Derived)]
        return sorted(own, key=lambda variable: not variable.initially_trainable)

    @property
    def _layers(self):
        """The layers directly inside."""
        return self._parts(Tracked)

    def _flatten_layers(self, include_self=True, recursive=True):
        """This layer and the layers inside, depth first."""
        found = [self] if include_self else []
        for layer in self._layers:
            found.extend(layer._flatten_layers() if recursive else [layer])
        return unique(found)

    @property
    def trainable_variables(self):
        """The variables an optimizer may change now."""
        return [variable for variable in self.variables if variable.trainable] if self.trainable else []

    @property
    def non_trainable_variables(self):
        """All other variables, seed states included."""
        trainable = {id(variable) for variable in self.trainable_variables}
        return [variable for variable in self.variables if id(variable) not in trainable]

    @property
    def trainable_weights(self):
        """The weights an optimizer may change now."""
        return self.trainable_variables

    @property
    def non_trainable_weights(self):
        """All other weights, without seed states."""
        trainable = {id(variable) for variable in self.trainable_variables}
        return [variable for variable in self.weights if id(variable) not in trainable]

    @property
    def metrics(self):
        """The metrics kept as attributes, here and in the layers inside."""
        return unique([*self._parts(Metric), *(metric for layer in self._layers for metric in layer.metrics)])

    @property
    def metrics_variables(self):
        """The variables of `metrics`."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def get_weights(self):
        """The weights as NumPy arrays, in the order of `weights`."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights):
        """Take NumPy arrays in the order of `weights`."""
        variables = self.weights
        if len(variables) != len(weights):
            raise ShapeError(
                f"{self.name} has {len(variables)} weights; set_weights was given {len(weights)}."
                + ("" if self.built else " It is not built yet."),
                fix=f"Expected shapes: {[variable.shape for variable in variables]}.",
            )
        arrays = [np.asarray(unwrap(weight)) for weight in weights]
        for variable, array in zip(variables, arrays, strict=True):
            if variable.shape != array.shape:
                raise ShapeError(f"{variable.path} has shape {variable.shape}; set_weights was given {array.shape}.")
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)

    def count_params(self):
        """How many numbers the weights hold."""
        if not self.built:
            raise CallError(f"{self.name} is not built: it has no weights yet.", fix="Call it, or build(input_shape).")
        return sum(variable.size for variable in self.weights)

    def add_weight(
        self,
        shape=None,
        initializer=None,
        dtype=None,
        trainable=True,
        autocast=True,
        regularizer=None,
        constraint=None,
        aggregation="none",
        overwrite_with_gradient=False,
        name=None,
    ):
        """Make a variable of this layer. Floats start as glorot_uniform, others as zeros, unless `initializer` says
        otherwise."""
        if isinstance(shape, str):  # Keras 1 and 2: add_weight(name, shape)
            shape, name = (initializer if isinstance(initializer, (tuple, list)) else ()), shape
            initializer = None
        dtype = self.variable_dtype if dtype is None else standardize_dtype(dtype)
        if initializer is None:
            initializer = "glorot_uniform" if is_float(dtype) else "zeros"
        with self._scope():
            variable = Variable(
                initializers.get(initializer),
                shape=() if shape is None else shape,
                dtype=dtype,
                trainable=trainable,
                autocast=autocast,
                aggregation=aggregation,
                name=name,
            )
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        variable.trainable = variable.trainable and self.trainable
        self._own_variables.append(variable)
        context.structure_changed()
        return variable

    def add_variable(
        self,
        shape,
        initializer,
        dtype=None,
        trainable=True,
        autocast=True,
        regularizer=None,
        constraint=None,
        name=None,
    ):
        """`add_weight` with the shape and the initializer first."""
        return self.add_weight(shape, initializer, dtype, trainable, autocast, regularizer, constraint, name=name)

    def add_metric(self, *args, **kwargs):
        """Of Keras 2."""
        raise NotImplementedError(
            "add_metric is gone since Keras 3. Keep a metric as an attribute, self.total = keras.metrics.Mean(), and "
            "call self.total.update_state(value) in `call`."
        )

    # State and settings

    input_spec: Any = None
    supports_masking = False

    @property
    def trainable(self):
        """Whether an optimizer may change this layer. Setting it sets the layers inside too, from the next step on."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = bool(value)
        for variable in self._variables_of_its_own():
            variable.trainable = bool(value) and variable.initially_trainable
        for layer in self._layers:
            layer.trainable = value
        context.structure_changed()

    @property
    def path(self):
        """The name with those of the layers around it, once it is built."""
        return "/".join(self._path or (self.name,))

    @property
    def losses(self):
        """What the last call added with `add_loss`, activity regularization, and the regularization of trainable
        weights."""
        added = [loss for layer in self._flatten_layers() for loss in layer._losses_ref.read()]
        decayed = [v.regularizer(v.value) for v in self.trainable_variables if v.regularizer is not None]
        return [*added, *decayed]

    def add_loss(self, loss):
        """Add a number to the loss of the model this layer is in; for use in `call`."""
        new = [value for value in tree.flatten(loss) if value is not None]
        call = context.current_call()
        stale = call is not None and self not in call.lossy  # what is there comes from an earlier call
        self._losses_ref.write([*([] if stale else self._losses_ref.read()), *map(unwrap, new)])
        (self._lossy if call is None else call.lossy).append(self)

    def _clear_losses(self):
        for layer in self._lossy:
            layer._losses_ref.write([])
        self._lossy = []

    def _get_own_losses(self):
        return self._losses_ref.read()

    # Building

    def build(self, *input_shapes, **named_shapes):
        """Make the variables for inputs of this shape. The default lets the layers inside build themselves by tracing
        `call`; called from the `build` of a subclass, it leaves that to the first call."""
        if type(self).build is Layer.build and self._layers and (input_shapes or named_shapes):
            symbols = [symbols_of(shape, self.compute_dtype) for shape in input_shapes]
            names = {name.removesuffix("_shape"): symbols_of(s, self.compute_dtype) for name, s in named_shapes.items()}
            trace(self._run, *symbols, **names)
        self.built = True

    def _after_build(self):
        """What a family of layers does once the variables are there."""

    def _scope(self):
        """Names of variables made inside start with the path of this layer, which is fixed by where it is first
        used."""
        if self._path is None:
            self._path = (*(context.name_path() or context.parent_names()), self.name)
        return context.path_scope(self._path)

    def _ensure_built(self, args, kwargs):
        if self.built:
            return
        build = type(self).build
        signature = call_signature.signature_of(type(self).call)
        if build is Layer.build and not self._layers:
            self.built = True
            return
        shapes = {
            f"{n}_shape": call_signature.shape_of(v)
            for n, v in call_signature.tensors_of(signature, args, kwargs).items()
        }
        if build is Layer.build:  # the layers inside build themselves in the call that follows
            self.built = True
            self._build_shapes = {name: open_batch(shape) for name, shape in shapes.items()}
            return
        wanted = call_signature.signature_of(build).names
        if len(wanted) == 1 and shapes:
            self.build(next(iter(shapes.values())))
        else:
            if len(wanted) > 1:
                self._refuse_foreign_shapes(wanted, signature.names)
            self.build(**{name: shapes.get(name) for name in wanted if name in shapes})

    def _refuse_foreign_shapes(self, wanted, called):
        """What a `build` of several shapes asks for is the shapes of arguments of `call`."""
        for name in wanted:
            fix = "build(self, a_shape, b_shape) goes with call(self, a, b)."
            if not name.endswith("_shape"):
                told = f"has the argument `{name}`, which does not end in `_shape`"
                raise CallError(f"build() of {type(self).__name__} {told}.", fix=fix)
            if name.removesuffix("_shape") not in called:
                told = f"has the argument `{name}`, but `call()` does not have argument `{name.removesuffix('_shape')}`"
                raise CallError(f"build() of {type(self).__name__} {told}.", fix=fix)

    def get_build_config(self):
        """The shapes it was built with, for files."""
        if not self._build_shapes:
            return None
        shapes = self._build_shapes
        return {"input_shape": next(iter(shapes.values()))} if len(shapes) == 1 else {"shapes_dict": shapes}

    def build_from_config(self, config):
        """Build with the shapes a file holds."""
        if config and not self.built:
            if "shapes_dict" in config:
                self.build(**{name: tuples_of(shape) for name, shape in config["shapes_dict"].items()})
            elif config.get("input_shape") is not None:
                self.build(tuples_of(config["input_shape"]))

    # Calling

    def __call__(self, *args, **kwargs) -> Any:
        if "built" not in self.__dict__:
            raise CallError(f"{type(self).__name__}.__init__ did not call super().__init__().", fix="Call it first.")
        args = call_signature.without_plain_values(self, args)
        if is_symbolic(args) or is_symbolic(kwargs):
            with self._located(args, kwargs):
                check_inputs(self.input_spec, args[0] if args else None, self)
                with self._scope():
                    self._ensure_built(args, kwargs)
                with context.call_scope(None):  # a graph drawn inside a call adds nothing to the losses of that call
                    outputs = self.compute_output_spec(*args, **kwargs)
            return self.record(outputs, args, kwargs)
        return self._run(*args, **kwargs)

    def _run(self, *args, **kwargs):
        """The call on arrays, traced or not: a list of named steps around `call`."""
        signature = call_signature.signature_of(type(self).call)
        outer = context.current_call()
        with self._located(args, kwargs):
            masks = self._input_masks(signature, args, kwargs)
            training = self._resolve_training(signature, args, kwargs, outer)
            dtype = self.input_dtype if self.autocast else None
            args = tuple(call_signature.convert(value, dtype) for value in args)
            kwargs = {name: call_signature.convert(value, dtype) for name, value in kwargs.items()}
            if args:
                check_inputs(self.input_spec, args[0], self)
            if outer is None:
                self._clear_losses()
            with self._scope(), context.call_scope(_inner_call(self, outer, training)) as call:
                self._ensure_built(args, kwargs)
                with context.autocast(self._variable_cast()):
                    run = self.call if self._remat is None else call_of(self, self._remat)
                    outputs = run(*args, **kwargs)
                    if context.distribution() is not None:
                        outputs = shard_outputs(f"{self.path}/output", outputs)
                    self._add_activity_loss(outputs)
                watcher = context.layer_watcher()
                if watcher is not None:
                    watcher(self, args, outputs)
                self._mask_outputs(args, kwargs, masks, outputs)
            if outer is None:
                self._lossy = call.lossy
        if self._output_shape is None and call_signature.is_tensor(outputs):
            self._output_shape = without_probe_sizes(outputs.shape)
        return outputs

    def rematerialized_call(self, layer_call, *args, **kwargs):
        """`layer_call` as the RematScope that the layer was made in wants it; itself without one."""
        return layer_call if self._remat is None else remat(layer_call)

    def call(self, *args, **kwargs):
        """What the layer computes."""
        raise NotImplementedError(
            f"{type(self).__name__} does not have a `call` method implemented. Write call(self, inputs)."
        )

    def _input_masks(self, signature, args, kwargs):
        """The masks that came with the inputs; filled into the mask parameters of `call` that were not given."""
        masks = {}
        for name, value in signature.named(args, kwargs):
            mask = call_signature.masks_of(value)
            if mask is not None:
                masks[name] = mask
                parameter = signature.masks.get(name)
                if parameter and kwargs.get(parameter) is None and signature.names.index(parameter) >= len(args):
                    kwargs[parameter] = mask
        if signature.names and signature.masks.get(signature.names[0]) and kwargs.get("mask") is not None:
            masks[signature.names[0]] = kwargs["mask"]
        return masks

    def _resolve_training(self, signature, args, kwargs, outer):
        """Explicit, else what the layer around was called with, else the default of `call`. Filled into the
        arguments."""
        position = signature.names.index("training") if signature.has_training else len(args)
        if position < len(args):
            return args[position]
        training = kwargs.pop("training", None)
        if training is None and outer is not None:
            training = outer.training
        if training is None and signature.has_training and isinstance(signature.default_training, bool):
            training = signature.default_training
        if training is not None and (signature.has_training or (signature.has_any_keyword and self._passes_training)):
            kwargs["training"] = training
        return training

    _passes_training = False  # whether a call with **kwargs is given `training` as well

    def _variable_cast(self):
        policy = self._policy
        return policy.compute_dtype if policy.compute_dtype != policy.variable_dtype and self.autocast else None

    def _add_activity_loss(self, outputs):
        if self.activity_regularizer is not None:
            for output in tree.flatten(outputs):
                if call_signature.is_tensor(output):
                    penalty = self.activity_regularizer(output)
                    self.add_loss(penalty / max(output.shape[0], 1) if output.ndim else penalty)

    def _mask_outputs(self, args, kwargs, masks, outputs):
        """Attach `compute_mask` to the outputs, or say that the layer drops the mask."""
        if not self.supports_masking:
            if masks:
                warn(
                    f"Layer {self.name!r} ({type(self).__name__}) was given a mask but does not support masking: "
                    "the mask ends here, and layers after it see padding as data."
                )
            return
        if not masks and type(self).compute_mask is Layer.compute_mask:
            return
        inputs = args[0] if args else next(iter(kwargs.values()), None)
        first = next(iter(masks.values()), None) if len(masks) <= 1 else _first_mask(masks, args, kwargs, self)
        output_masks = self.compute_mask(inputs, first)
        if output_masks is None:
            return
        leaves = tree.flatten(outputs)
        flat = [output_masks] if len(leaves) == 1 and not isinstance(output_masks, (list, tuple)) else output_masks
        for output, mask in zip(leaves, tree.flatten(flat), strict=False):
            if mask is not None and get_mask(output) is None and call_signature.is_tensor(output):
                set_mask(output, mask)

    def compute_mask(self, inputs, previous_mask=None):
        """The mask of the outputs: by default that of the inputs."""
        return previous_mask

    def compute_output_spec(self, *args, **kwargs):
        """The outputs as symbolic tensors, from `compute_output_shape` if the class has one, else from tracing
        `call`."""
        if type(self).compute_output_shape is Layer.compute_output_shape:
            output = self._output_by_rule(args, kwargs)
            return trace(self._run, *args, **kwargs) if output is None else output
        signature = call_signature.signature_of(type(self).call)
        tensors = call_signature.tensors_of(signature, args, kwargs)
        shapes = [call_signature.shape_of(value) for value in tensors.values()]
        wanted = call_signature.signature_of(type(self).compute_output_shape).names
        named = {f"{name}_shape": shape for name, shape in zip(tensors, shapes, strict=True)}
        if len(wanted) == 1 or not all(name in named for name in wanted):
            shape = self.compute_output_shape(shapes[0])
        else:
            shape = self.compute_output_shape(**{name: named[name] for name in wanted})
        outputs = symbols_of(shape, self.compute_dtype)
        self._mask_symbols(args, outputs)
        return outputs

    def _shape_rule(self, input_shape):
        """The output shape where a formula gives it exactly, None where only tracing tells: for layers that networks
        have
        by the hundred, since tracing one takes about two milliseconds."""
        return None

    def _output_by_rule(self, args, kwargs):
        """The output by `_shape_rule`, for layers of lamina itself (a user's subclass may compute something else)
        called
        on one tensor of floats without a mask. None where there is no rule."""
        if not _of_lamina(type(self)) or not self.autocast or len(args) != 1 or kwargs:
            return None
        (inputs,) = args
        if not isinstance(inputs, KerasTensor) or not is_float(inputs.dtype) or get_mask(inputs) is not None:
            return None
        shape = self._shape_rule(inputs.shape)
        return None if shape is None else KerasTensor(shape, traced_dtype(self.compute_dtype))

    def _mask_symbols(self, args, outputs):
        mask = call_signature.masks_of(args[0]) if args else None
        if mask is not None and self.supports_masking:
            masks = trace(lambda inputs, mask: self.compute_mask(inputs, mask), args[0], mask)
            for output, one in zip(tree.flatten(outputs), tree.flatten(masks), strict=False):
                set_mask(output, one)

    def compute_output_shape(self, *input_shapes, **named_shapes):
        """The output shape for an input shape; None where a size is not known."""
        symbols = [symbols_of(shape, self.compute_dtype) for shape in input_shapes]
        names = {name.removesuffix("_shape"): symbols_of(s, self.compute_dtype) for name, s in named_shapes.items()}
        with self._scope():
            self._ensure_built(tuple(symbols), names)
        return call_signature.shape_of(trace(self._run, *symbols, **names))

    def stateless_call(self, trainable_variables, non_trainable_variables, *args, return_losses=False, **kwargs):
        """The call as a pure function: (outputs, new non-trainable values), and the losses if asked for.

        Raises:
            CallError: when the layer is not built.
        """
        if not self.built:
            raise CallError(f"{self.name} is not built: it has no variables yet.", fix="Call it once first.")
        trainable, others = self.trainable_variables, self.non_trainable_variables
        for what, expected, given in (
            ("trainable_variables", trainable, trainable_variables),
            ("non_trainable_variables", others, non_trainable_variables),
        ):
            if len(expected) != len(given):
                raise CallError(f"{self.name} has {len(expected)} {what}; stateless_call was given {len(given)}.")
        values = [unwrap(value) for value in (*trainable_variables, *non_trainable_variables)]
        with context.bind([*trainable, *others], values) as slots:
            outputs = self(*args, **kwargs)
            updated = [slots[variable] for variable in others]
            losses = self.losses if return_losses else None
        return (outputs, updated, losses) if return_losses else (outputs, updated)

    def _located(self, args, kwargs):
        return _Located(self, args, kwargs)

    # Config and files

    def _argument(self, name, parameter, owner):
        if name == "dtype":
            return self._policies()
        return super()._argument(name, parameter, owner)

    def _saved_weights(self):
        return self._variables_of_its_own()

    def save_own_variables(self, store):
        """Write the variables that are this layer's own into a dict of arrays: '0', '1', ..."""
        for index, variable in enumerate(self._saved_weights()):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store):
        """Read what `save_own_variables` wrote."""
        variables = self._saved_weights()
        if len(store.keys()) != len(variables):
            raise ShapeError(
                f"{self.name} has {len(variables)} variables; the file has {len(store.keys())} for it."
                + ("" if self.built else " The layer is not built."),
                fix="Build the model with the shape it was saved with, or see skip_mismatch.",
            )
        values = [store[str(index)] for index in range(len(variables))]
        for variable, value in zip(variables, values, strict=True):
            if variable.shape != np.shape(value):
                raise ShapeError(f"{variable.path} has shape {variable.shape}; the file has {np.shape(value)}.")
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def __repr__(self):
        return f"<{type(self).__name__} name={self.__dict__.get('name')}, built={self.__dict__.get('built')}>"


def _of_lamina(cls):
    """Whether this is one of lamina's own kinds of layer, neither a user's nor the base of all."""
    return cls is not Layer and cls.__module__.startswith("lamina.layers.")


class _Located:
    """Adds `In mlp/dense (Dense), called with float32(784,).` to an error that passes through."""

    __slots__ = ("args", "kwargs", "layer")

    def __init__(self, layer, args, kwargs):
        self.layer, self.args, self.kwargs = layer, args, kwargs

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if isinstance(error, Exception):
            layer = self.layer
            path = layer.path if layer._path else "/".join((*context.name_path(), layer.name))
            called = call_signature.brief(self.args, self.kwargs)
            locate(error, f"In {path} ({type(layer).__name__}), called with {called}.")
        return False


def _building(build):
    """A user's `build`, run under the layer's name, after which the layer is built, whatever it forgot."""

    @functools.wraps(build)
    def wrapped(self, *args, **kwargs):
        names = call_signature.signature_of(build).names
        shapes = {**dict(zip(names, args, strict=False)), **kwargs}
        if self.__dict__.get("_build_shapes") is None:
            self._build_shapes = {name: shape for name, shape in shapes.items() if shape is not None}
        with self._scope(), context.concrete():
            result = build(self, *args, **kwargs)
        self.built = True
        self._after_build()
        if self.__dict__.get("_initial_weights") is not None:  # Dense(4, weights=[kernel, bias]), Keras 1 and 2
            self.set_weights(self._initial_weights)
            self._initial_weights = None
        context.structure_changed()
        return result

    return wrapped


def _inner_call(layer, outer, training):
    """The call that layers inside see: a new one where none is open or `training` differs; losses are collected in one
    list."""
    if outer is None:
        return context.Call(layer, training)
    if outer.training == training or training is None:
        return outer
    inner = context.Call(outer.entry, training)
    inner.lossy = outer.lossy
    return inner


def _first_mask(masks, args, kwargs, layer):
    """What `compute_mask` of a layer of several tensor arguments gets: the mask of the first, None where it has
    none."""
    names = call_signature.signature_of(type(layer).call).names
    return [masks.get(name) for name in names if name in masks or name in kwargs or names.index(name) < len(args)]
