"""Layer: a function with variables. Write `build` to make them and `call` to use them; the rest follows."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, overload

from lamina import regularizers
from lamina.core import context
from lamina.core.arguments import boolean
from lamina.core.configurable import Configurable
from lamina.core.context import Ref
from lamina.core.graph import Operation
from lamina.core.keras_tensor import KerasTensor, is_symbolic
from lamina.core.keywords import refuse_positional
from lamina.core.probes import without_probe_sizes
from lamina.core.recording import is_recorded_whole, recorded_layer, recording
from lamina.core.variable import Variable
from lamina.errors import CallError, MissingMethodError
from lamina.layers.base import call_signature, masks, output_specs
from lamina.layers.base.building import BuildConfigMixin, build_for, managed_build
from lamina.layers.base.call_context import (
    explained,
    first_compiled_call,
    inner_call,
    located,
    resolve_training,
    within,
)
from lamina.layers.base.dtype_policy import DTypePolicyMixin, with_policy_name
from lamina.layers.base.input_spec import check_inputs
from lamina.layers.base.losses import LossesMixin
from lamina.layers.base.output_specs import is_builtin
from lamina.layers.base.shapes import input_shape_asked
from lamina.rematerialization import call_of, current_scope, remat
from lamina.runtime.tracebacks import filters_traceback, readable
from lamina.spelling.arguments import unknown_arguments

if TYPE_CHECKING:
    from typing import Self

    from lamina.core.typing import ArrayLike, Config, Tensor


class Layer(DTypePolicyMixin, LossesMixin, BuildConfigMixin, Operation, Configurable):
    """A function with variables.

    `build(input_shape)` makes the variables, once the shape of the first inputs is known; `call(inputs)` computes.
    Output shapes come from tracing `call`, the config from the signature of `__init__`.

    Args:
        activity_regularizer: Regularizer of the outputs, added to the loss.
        trainable: Whether an optimizer may change its variables.
        dtype: Type or dtype policy; None means the global policy.
        autocast: Whether float inputs and variables are cast to the compute type.
        name: Name of the layer, unique in a model; None makes one from the name of the class.
        **kwargs: `input_shape`, `batch_input_shape`, `input_dim`, `batch_size` of the first layer of a Sequential, and
            `weights`, a list of initial values.

    Raises:
        ConfigError: For other arguments, or a `trainable` that is no boolean.

    >>> import lamina as keras
    >>> class Scale(keras.layers.Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
    ...     def call(self, inputs):
    ...         return inputs * self.factor
    >>> Scale()(keras.Input((3,))).shape
    (None, 3)
    """

    name: str
    built: bool
    autocast: bool
    activity_regularizer: Any
    input_spec: Any = None
    supports_masking: bool = False
    supports_jit: bool = True
    _traits: frozenset[str] = frozenset()  # see lamina.layers.base.traits
    _activation_name: str | None = None
    _other_arguments: tuple[str, ...] = ("input_shape", "batch_input_shape", "input_dim", "weights")  # by **kwargs
    _repr_always = frozenset(("name",))
    _config_skips: frozenset[str] = frozenset(("autocast",))
    _config_optional: frozenset[str] = frozenset(("activity_regularizer",))
    _one_spec_for_all = False  # whether input_spec is for each tensor of a list or dict of any number
    _revision = 0  # goes up when something changes that compiled programs hold as a constant, as a vocabulary
    _convert_input_args = True  # as in Keras, where packages set both: False hands `call` the arguments as they are
    _allow_non_tensor_positional_args = False  # whether text and numbers that are no arrays may be passed
    _passes_training = False  # whether a call with **kwargs is given `training` as well
    _compiles_calls = True  # whether calls on arrays are programs, unless there is code of users in them
    _compiled_call: Any = None  # see lamina.core.compiled_calls

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = managed_build(cls.build)
        if "compute_mask" in cls.__dict__ and is_builtin(cls):
            cls.compute_mask = masks.for_symbols(cls.compute_mask)

    def __init__(
        self,
        *args: Any,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ):
        refuse_positional(type(self).__name__, args, ("name", "dtype"))
        Operation.__init__(self, name=name)
        boolean(self, "trainable", trainable)
        self.dtype_policy = dtype
        self.autocast = autocast
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.input_spec = None
        self.supports_masking = type(self).compute_mask is not Layer.compute_mask
        self.built = is_builtin(type(self)) and type(self).build is Layer.build  # a user's may build in `call`
        self._trainable = bool(trainable)
        self._path = None
        self._own_variables = []
        self._losses_ref = Ref([])
        self._layers_with_losses = []
        self._remat = current_scope()
        self._build_shapes = None
        self._first_output_shape = None  # of the first call, for the summary of a model without a graph
        self._input_shape_argument = input_shape_asked(kwargs)
        self._initial_weights = kwargs.pop("weights", None)
        if kwargs:
            raise unknown_arguments(self, kwargs)

    @property
    def path(self) -> str:
        """The name with those of the layers around it, once it is built."""
        return "/".join(self._path or (self.name,))

    # Building

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Make the variables. A subclass writes `build(self, input_shape)`, or one parameter `a_shape` for each tensor
        argument `a` of `call`.

        The default lets the layers inside build themselves by tracing `call`; called from the `build` of a subclass, it
        leaves that to the first call.

        Args:
            *args: Shapes of the inputs, with the batch size, None where a size is not known.
            **kwargs: The same by name: `query_shape=(None, 4)`.
        """
        known = any(shape is not None for shape in (*args, *kwargs.values()))
        if known and type(self).build is Layer.build and self._layers:
            symbols, names = output_specs.symbols_of_arguments(self, args, kwargs)
            output_specs.from_call(self, tuple(symbols), names)
        self.built = True

    def _after_build(self):
        """What a family of layers does once the variables are there."""

    def _scope(self):
        """Names of variables made inside start with the path of this layer, which is fixed where it is first used."""
        if self._path is None:
            self._path = (*(context.name_path() or context.parent_names()), self.name)
        return context.path_scope(self._path)

    def _ensure_built(self, args, kwargs):
        if not self.built:
            build_for(self, args, kwargs, type(self).build is not Layer.build)

    # Calling

    @overload  # a KerasTensor has `__array__`, which raises
    def __call__(  # pyright: ignore[reportOverlappingOverload]
        self, inputs: KerasTensor | Sequence[KerasTensor], *args: Any, **kwargs: Any
    ) -> KerasTensor: ...
    @overload
    def __call__(self, inputs: ArrayLike, *args: Any, **kwargs: Any) -> Tensor: ...
    @overload
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if "built" not in self.__dict__:
            raise CallError(f"{type(self).__name__}.__init__ did not call super().__init__().", "super().__init__()")
        given, compiled = (args, kwargs), self._compiled_call
        if compiled is not None and compiled.version == context.structure_version():
            outputs = compiled.run(self, args, kwargs)
            if outputs is not NotImplemented:
                return outputs
        try:
            args = call_signature.without_plain_values(self, args)
            if is_symbolic(args) or is_symbolic(kwargs):
                return self._call_on_symbols(args, kwargs)
            if recording() and is_recorded_whole(self):
                return self._recorded(args, kwargs)
            if (outputs := first_compiled_call(self, args, kwargs)) is not NotImplemented:
                return outputs
            signature = call_signature.signature_of(type(self).call)
            outer = context.current_call()
            masks_of_inputs = masks.input_masks(signature, args, kwargs)
            training = resolve_training(self, signature, args, kwargs, outer)
            args, kwargs = call_signature.converted(self, args, kwargs)
            check_inputs(self.input_spec, call_signature.first_of(self, args, kwargs), self)
            if outer is None:
                self._clear_losses()
            with self._scope(), context.call_scope(inner_call(self, outer, training)) as call:
                self._ensure_built(args, kwargs)
                with context.autocast(self._variable_cast()):
                    run = self.call if self._remat is None else call_of(self, self._remat)
                    outputs = self._finished(within(self, run)(*args, **kwargs))
                if (watcher := context.layer_watcher()) is not None:
                    watcher(self, args, outputs)
                self._mask_outputs(args, kwargs, masks_of_inputs, outputs)
            if outer is None:
                self._layers_with_losses = call.layers_with_losses
            if self._first_output_shape is None and call_signature.is_tensor(outputs):
                self._first_output_shape = without_probe_sizes(outputs.shape)
            return outputs
        except BaseException as error:
            with readable(explained(error, self, *given) or error) as shown:
                raise located(shown, self, *given) from None

    _run = __call__  # on arrays, also where a subclass has a `__call__` of its own

    @property
    def _function(self):
        return self

    def _finished(self, outputs):
        outputs = outputs.value if isinstance(outputs, Variable) else outputs
        distribution = context.distribution()
        if distribution is not None:
            outputs = distribution.shard_outputs(f"{self.path}/output", outputs)
        self._add_activity_loss(outputs)
        return outputs

    def _recorded(self, args, kwargs):
        with self._scope():
            self._ensure_built(args, kwargs)
        return recorded_layer(self, type(self)._run, args, kwargs)

    def _call_on_symbols(self, args, kwargs):
        check_inputs(self.input_spec, call_signature.first_of(self, args, kwargs), self)
        with self._scope():
            self._ensure_built(args, kwargs)
        with context.call_scope(None):  # a graph drawn inside a call adds nothing to the losses of that call
            outputs = self.compute_output_spec(*args, **kwargs)
        if outputs is None:
            raise CallError(f"{type(self).__name__}.call returned None.", fix="return outputs  # at the end of call")
        return self.record(outputs, args, kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """What the layer computes. A subclass writes `call(self, inputs)`, with `training` and `mask` if it needs them.

        Args:
            *args: Tensors, or lists and dicts of them.
            **kwargs: Further tensors and settings.
        """
        message = f"{type(self).__name__} does not have a `call` method implemented."
        raise MissingMethodError(message, fix="def call(self, inputs): return inputs")

    def _variable_cast(self):
        policy = self._policy
        if context.autocast_dtype() is not None and not self.autocast:  # inside a layer that casts its variables
            return None
        return policy.compute_dtype if policy.compute_dtype != policy.variable_dtype else None

    def _mask_outputs(self, args, kwargs, masks_of_inputs, outputs):
        has_own_rule = type(self).compute_mask is not Layer.compute_mask
        masks.mask_outputs(self, args, kwargs, masks_of_inputs, outputs, has_own_rule)

    if TYPE_CHECKING:  # a subclass may name the parameters as it likes, and take one for each input

        def compute_mask(self, *args: Any, **kwargs: Any) -> Any: ...
        def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any: ...

    else:

        def compute_mask(self, inputs, previous_mask=None):
            """The mask of the outputs: by default that of the inputs.

            Args:
                inputs: What `call` gets as its first argument.
                previous_mask: Mask of the inputs, or None.
            """
            return previous_mask

        def compute_output_shape(self, *args, **kwargs):
            """The shape of the outputs, from tracing `call`, with None where a size is not known.

            Args:
                *args: Shapes of the inputs, with the batch size, None where a size is not known.
                **kwargs: The same by name: `query_shape=(None, 4)`.
            """
            symbols, names = output_specs.symbols_of_arguments(self, args, kwargs)
            with self._scope():
                self._ensure_built(tuple(symbols), names)
            return output_specs.shape_by_call(self, symbols, names)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs as symbolic tensors, from `compute_output_shape` if the class has one, else from tracing
        `call`.

        Args:
            *args: Symbolic tensors, as `call` takes them.
            **kwargs: The same by name, and settings.
        """
        if type(self).compute_output_shape is Layer.compute_output_shape:
            output = output_specs.from_formula(self, args, kwargs)
            return output_specs.from_call(self, args, kwargs) if output is None else output
        return output_specs.from_shape_rule(self, args, kwargs)

    def _shape_rule(self, input_shape) -> Any:
        """The output shape where a formula gives it exactly, None where only tracing can. For layers that networks have
        by the hundred, since tracing one takes about two milliseconds."""
        return None

    def rematerialized_call(self, layer_call: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """`layer_call`, changed by the RematScope that the layer was made in: what the backward pass needs is computed
        again. Without a scope it is `layer_call` itself.

        Args:
            layer_call: Function of arrays.
            *args: Ignored.
            **kwargs: Ignored.
        """
        return layer_call if self._remat is None else remat(layer_call)

    # Config and files

    def _argument(self, name, parameter, owner):
        return self._policies() if name == "dtype" else super()._argument(name, parameter, owner)

    @classmethod
    @filters_traceback
    def from_config(cls, config: Config) -> Self:
        """The layer that `get_config` described, without its weights.

        Args:
            config: What `get_config` returned.
        """
        return super().from_config(with_policy_name(config))

    def explain(self) -> Any:
        """What the layer does to the data, with its own numbers, on inputs that stand for those of a model.

        >>> import lamina as keras
        >>> print(keras.layers.Dense(4).explain()["dense"].weights)
        32 x 4 kernel + 4 bias = 132 weights, all trained
        """
        return importlib.import_module("lamina.explanations").explain(self)  # a higher floor
