"""The decorator `@op`: makes a function on arrays record itself in the graph when it is called on symbolic tensors."""

from __future__ import annotations

import functools
import importlib
import inspect
import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self, overload

from lamina.core.configurable import Configurable
from lamina.core.context import unique_name
from lamina.core.graph import Operation
from lamina.core.keras_tensor import OPS, is_symbolic, trace
from lamina.core.recording import recorded, recording
from lamina.core.serialization import config_value, deserialize_nested
from lamina.core.sparse import compute_sparse, has_sparse
from lamina.core.variable import unwrap
from lamina.errors import harmless
from lamina.legacy.renames import accepting_old_names, accepts_old_names
from lamina.runtime.process import configure_process
from lamina.runtime.tracebacks import explain_errors_by, later, readable
from lamina.spelling.arguments import explain_call

if TYPE_CHECKING:
    from lamina.core.op_types import (
        F,
        OpDecorator,
        OpOfImages,
        OpOfInputs,
        OpOfX,
        OpOfX1X2,
        P,
        _OfImages,
        _OfInputs,
        _OfX,
        _OfX1X2,
    )

explain_errors_by(later("lamina.core.traced_errors.explain"))
explain_failure = later("lamina.core.op_errors.explain_failure")
Parameter = inspect.Parameter
# Recorded among the arguments of the call even if they have a default value.
_TENSOR_NAMES = frozenset("x x1 x2 y xs inputs bias mask scale offset constant_values rtol atol default key".split())


class Sizes(tuple[Any, ...]):
    """The shape of a symbolic tensor of unknown sizes, which ops that take numbers compute with as with a vector."""

    of: Any

    def __new__(cls, of: Any) -> Self:
        made = super().__new__(cls, of.shape)
        made.of = of
        return made


@overload
def op(function: _OfX[P], *, settings: Iterable[str] = (), name: str | None = None) -> OpOfX[P]: ...
@overload
def op(function: _OfInputs[P], *, settings: Iterable[str] = (), name: str | None = None) -> OpOfInputs[P]: ...
@overload
def op(function: _OfImages[P], *, settings: Iterable[str] = (), name: str | None = None) -> OpOfImages[P]: ...
@overload
def op(function: _OfX1X2[P], *, settings: Iterable[str] = (), name: str | None = None) -> OpOfX1X2[P]: ...
@overload
def op(function: F, *, settings: Iterable[str] = (), name: str | None = None) -> F: ...
@overload
def op(
    function: None = None, *, settings: Iterable[str] = (), name: str | None = None, compiles: bool = False
) -> OpDecorator: ...
def op(function: Any = None, *, settings: Iterable[str] = (), name: str | None = None, compiles: bool = False) -> Any:
    """Make `function` an op. On arrays and variables it computes; if any argument is a KerasTensor, it records a node.

    Args:
        function: Function of arrays; None returns a decorator.
        settings: Required parameters that are not tensors (such as `newshape` of reshape). They and parameters with
            a default value are stored in the node's config; the others are arguments of its call, as in Keras files.
        name: Name of the op; None means the function's name.
        compiles: Whether a call on arrays is one compiled program: for several operations of JAX that do not depend on
            the values.

    >>> import lamina as keras
    >>> keras.ops.relu(keras.Input((3,))).shape
    (None, 3)
    """
    if function is None:
        return functools.partial(op, settings=settings, name=name, compiles=compiles)
    op_name = name or function.__name__
    if op_name in OPS and OPS[op_name].compute.__module__ != function.__module__:
        op_name = f"{function.__module__.split('.')[-2]}_{op_name}"  # a loss may have the same name as an op

    def run(*args, **kwargs):
        try:
            if is_symbolic(args) or (kwargs and is_symbolic(kwargs)):
                return _record(public, args, kwargs)
            configure_process()
            if recording():
                return recorded(explained, args, kwargs)
            made = _compiled(public, args, kwargs) if compiles else NotImplemented
            return explained(*unwrap(args), **unwrap(kwargs)) if made is NotImplemented else made
        except Exception as error:
            if any(isinstance(arg, Sizes) for arg in args):
                return public(*(OPS["sizes_of"](arg.of) if isinstance(arg, Sizes) else arg for arg in args), **kwargs)
            with readable(error) as shown:
                raise shown from None

    def explained(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if has_sparse(args) or has_sparse(kwargs.values()):  # no op takes them, so dense ones pay for no question
                return compute_sparse(op_name, explained, args, kwargs)
            better = explain_failure(public, args, kwargs, error)
            if better is None:
                raise
            raise better from None

    public: Any = functools.wraps(function)(accepting_old_names(run, op_name) if accepts_old_names(op_name) else run)
    public.explained = explained
    public.compute, public.compiled = function, None
    public.op_name = op_name
    public.leading = _leading(function, settings)
    public.settings = frozenset((*settings, *_optional(function))) - _TENSOR_NAMES
    OPS[op_name] = public
    return public


def _compiled(public, args, kwargs):
    if public.compiled is None:
        public.compiled = importlib.import_module("lamina.core.compiled_calls").CompiledOp(public.compute)
    return public.compiled.run(args, kwargs)


def explains(function: F) -> F:
    """Make errors of a function of keras.ops that is no op, such as `zeros`, tell its arguments and a repair.

    Args:
        function: Function.
    """

    @functools.wraps(function)
    def filtered(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except Exception as error:
            with readable(explain_failure(filtered, unwrap(args), unwrap(kwargs), error) or error) as shown:
                raise shown from None

    filtered.compute, filtered.op_name = function, function.__name__  # pyright: ignore[reportAttributeAccessIssue]
    return filtered  # pyright: ignore[reportReturnType]


def _leading(function, settings):
    """The names of the parameters before `*operands`, which are positional-only; without it those of settings that come
    before all tensors."""
    parameters = list(inspect.signature(function).parameters.values())
    kinds = [p.kind for p in parameters]
    if Parameter.VAR_POSITIONAL not in kinds:
        return tuple(itertools.takewhile(settings.__contains__, (p.name for p in parameters)))
    return tuple(p.name for p in parameters[: kinds.index(Parameter.VAR_POSITIONAL)])


def _optional(function):
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.default is not Parameter.empty]


def _record(public, args, kwargs):
    """Create a node for one use of an op. Settings go to the operation, other arguments to the call."""
    try:
        bound = inspect.signature(public.compute).bind(*args, **kwargs)
    except TypeError as error:
        raise explain_call(public.compute, args, kwargs) or error from None
    call_args, call_kwargs, settings, left_out = [], {}, {}, False
    for parameter in bound.signature.parameters.values():
        if parameter.name not in bound.arguments:
            left_out = left_out or parameter.kind is Parameter.POSITIONAL_OR_KEYWORD
            continue
        value = bound.arguments[parameter.name]
        if parameter.kind is Parameter.VAR_POSITIONAL:
            call_args.extend(value)
        elif parameter.kind is Parameter.VAR_KEYWORD:
            call_kwargs.update(value)
        elif parameter.name in public.settings and not is_symbolic(value):
            settings[parameter.name] = value
        elif settings or left_out or parameter.kind is Parameter.KEYWORD_ONLY:
            call_kwargs[parameter.name] = value
        else:
            call_args.append(value)
    return class_of(public.op_name)(**settings)(*call_args, **call_kwargs)


class OpCall(Operation, Configurable):
    """One use of an op in a graph.

    Args:
        name: Name; None generates a unique one from the op's name.
        *args: Settings by position, as `Sum(1)`.
        **settings: Arguments of the op that are not tensors.
    """

    _keras_module = "keras.ops"
    op_name: Any = None

    def __init__(self, *args: Any, name: str | None = None, **settings: Any) -> None:
        names = [key for key in inspect.signature(OPS[self.op_name].compute).parameters if self._takes(key)]
        super().__init__(name or unique_name(self.op_name), *args[len(names) :])
        self.settings: dict[str, Any] = {**dict(zip(names, args, strict=False)), **settings}
        vars(self).update({**self.settings, **vars(self)})  # each is an attribute too

    def _takes(self, key):
        return key in OPS[self.op_name].settings

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if is_symbolic(args) or is_symbolic(kwargs):
            try:
                found = trace(self.call, *args, **kwargs)
            except Exception as error:
                meeting = importlib.import_module("lamina.core.meeting_sizes")
                found = meeting.trace_with_met_sizes(self.call, args, kwargs, self.settings, error)
            return self.record(found, args, kwargs)
        return self.call(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result of the op on arrays."""
        public, settings, rest = OPS[self.op_name], dict(self.settings), iter(args)
        args = (*(settings.pop(name) if name in settings else next(rest) for name in public.leading), *rest)
        run = public if recording() else public.explained
        return run(*unwrap(args), **unwrap(kwargs), **unwrap(settings))

    def get_config(self) -> dict[str, Any]:
        """The name and the settings."""
        return {"name": self.name, **{key: config_value(value) for key, value in self.settings.items()}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Create the use of an op that `get_config` described.

        Args:
            config: Name and settings.
        """
        return cls(**{key: deserialize_nested(value) for key, value in config.items()})

    def __repr__(self) -> str:
        return harmless(f"<Operation name={self.name}>")


_classes: dict[str, Any] = {}

# Class names in files that cannot be derived from the op's name.
_CLASS_NAMES = {
    "allclose": "AllClose", "batch_normalization": "BatchNorm", "cdist": "CDist", "ctc_decode": "CTCDecode",
    "ctc_loss": "CTCLoss", "fft": "FFT", "fft2": "FFT2", "hsv_to_rgb": "HSVToRGB", "ifft2": "IFFT2", "irfft": "IRFFT",
    "isin": "IsIn", "istft": "ISTFT", "jvp": "JVP", "layer_normalization": "LayerNorm", "psnr": "PSNR", "rfft": "RFFT",
    "rgb_to_grayscale": "RGBToGrayscale", "rgb_to_hsv": "RGBToHSV", "rms_normalization": "RMSNorm",
    "searchsorted": "SearchSorted", "ssim": "SSIM", "stft": "STFT", "svd": "SVD",
}  # fmt: skip
# Aliases of ops that have a class of their own in files.
_ALIASES = {
    "Abs": "absolute", "BitwiseInvert": "bitwise_not", "Conj": "conjugate", "LeftShift": "bitwise_left_shift",
    "RightShift": "bitwise_right_shift",
}  # fmt: skip


def class_name_of(op_name: str) -> str:
    """The class name of an op in files: `get_item` -> GetItem.

    Args:
        op_name: Name of the op.
    """
    return _CLASS_NAMES.get(op_name) or "".join(part[:1].upper() + part[1:] for part in op_name.split("_"))


def class_of(op_name: str) -> Any:
    """The subclass of OpCall for an op.

    Args:
        op_name: Name of the op.
    """
    if op_name not in _classes:
        members = {"op_name": op_name, "__module__": __name__, "_keras_module": "keras.ops"}
        _classes[op_name] = type(class_name_of(op_name), (OpCall,), members)
    return _classes[op_name]


def operation_class(class_name: str) -> Any:
    """The subclass of OpCall for an op's class name in files, or None.

    Args:
        class_name: Name in files.
    """
    known = (name for name in OPS.read_all() if class_name_of(name) == class_name)
    found = _ALIASES.get(class_name) or next(known, None)
    return found and class_of(found)
