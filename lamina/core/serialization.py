"""Conversion of objects to JSON-able descriptions, in the format of Keras 3 files, and back."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from lamina import legacy
from lamina.core import registry, shared_objects
from lamina.core.bytecode import deserialize_lambda, serialize_lambda
from lamina.core.config_values import check_config_values, check_sizes
from lamina.core.dtypes import numpy_dtype, standardize_dtype
from lamina.core.keras_tensor import KerasTensor
from lamina.core.read_limits import allow_seconds, allow_user_code, is_reading, machine_memory_budget
from lamina.core.variable import Variable
from lamina.errors import ArgumentError, ConfigError, LaminaError, UnsafeFileError

__all__ = [
    "CONFUSED", "config_value", "deserialize", "deserialize_nested", "is_description", "reading_config", "serialize",
]  # fmt: skip

_SECONDS = 0.05  # of CPU time for each object in a file
# The errors that a damaged or hostile config causes in code that expects a valid one.
CONFUSED = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, AssertionError, RecursionError,
    MemoryError, StopIteration, jax.errors.JaxRuntimeError,
)  # fmt: skip
_PLAIN = (type(None), str, bool, int, float, bytes)


def config_value(value: Any) -> Any:
    """The config entry for a value: objects and functions are described, everything else is unchanged.

    Args:
        value: Argument of an object.
    """
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, (list, tuple)):
        return type(value)(config_value(item) for item in value) if type(value) in (list, tuple) else list(value)
    if isinstance(value, dict):
        return {key: config_value(item) for key, item in value.items()}
    if isinstance(value, types.FunctionType | types.BuiltinFunctionType) and registry.function_name(value):
        return value.__name__
    return serialize(value)


def serialize(obj: Any) -> Any:
    """A JSON-able description of an object, in the format of Keras 3 files.

    Args:
        obj: Object with `get_config`, function, array, symbolic tensor, plain value, or a list, tuple or dict of
            these.

    Raises:
        ConfigError: The object has no `get_config`, or the function has no name.

    >>> from lamina import initializers
    >>> serialize(initializers.Zeros())
    {'module': 'keras.initializers', 'class_name': 'Zeros', 'config': {}, 'registered_name': None}
    """
    return shared_objects.written(_serialize, obj)


def _serialize(obj):
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode()}}
    if isinstance(obj, _PLAIN):
        return obj
    if isinstance(obj, (list, tuple)):
        items = [_serialize(item) for item in obj]
        return tuple(items) if isinstance(obj, tuple) else items
    if isinstance(obj, dict):
        return {key: _serialize(value) for key, value in obj.items()}
    if isinstance(obj, slice):
        return {
            "class_name": "__slice__",
            "config": {key: _serialize(getattr(obj, key)) for key in ("start", "stop", "step")},
        }
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, KerasTensor):
        return _serialize_symbol(obj)
    if isinstance(obj, np.generic) or (isinstance(obj, np.ndarray) and not obj.ndim):
        return obj.item()
    if isinstance(obj, (np.ndarray, jax.Array, Variable)):
        return _serialize_array(obj)
    if isinstance(obj, np.dtype):
        return obj.name
    if isinstance(obj, type) and not hasattr(obj, "get_config"):
        return standardize_dtype(obj)
    if hasattr(obj, "get_config") and not isinstance(obj, type):
        return _serialize_object(obj)
    if callable(obj):
        return _serialize_function(obj)
    raise ConfigError(f"{obj!r} cannot be written in a config.", fix="Give its class get_config() and from_config().")


def _serialize_symbol(tensor):
    history = getattr(tensor, "_keras_history", None)
    config = {"shape": list(tensor.shape), "dtype": tensor.dtype}
    if history is not None:
        config["keras_history"] = [history.operation.name, history.node_index, history.tensor_index]
    return {"class_name": "__keras_tensor__", "config": config}


def _serialize_array(array):
    kind = "__numpy__" if isinstance(array, np.ndarray) else "__tensor__"
    values = np.asarray(array)
    return {"class_name": kind, "config": {"value": values.tolist(), "dtype": standardize_dtype(values.dtype)}}


def _serialize_object(obj):
    cls = type(obj)
    module = registry.namespace_of(cls) if registry.is_builtin(cls) else None
    public = module is not None and ".src." not in module
    described = {
        "module": module,
        "class_name": cls.__name__,
        "config": _serialize(obj.get_config()),
        "registered_name": None if public else registry.get_registered_name(cls),
    }
    if hasattr(obj, "get_build_config"):
        number = shared_objects.number_of(obj)
        if number is not None:
            described[shared_objects.KEY] = number
        build_config = obj.get_build_config()
        if build_config is not None:
            described["build_config"] = _serialize(build_config)
    if hasattr(obj, "get_compile_config"):
        described["compile_config"] = obj.get_compile_config()
    return described


def _serialize_function(function):
    if isinstance(function, type):
        return {
            "module": registry.namespace_of(function) if registry.is_builtin(function) else None,
            "class_name": "type", "config": function.__name__,
            "registered_name": registry.get_registered_name(function),
        }  # fmt: skip
    if getattr(function, "__name__", "") == "<lambda>":
        return serialize_lambda(function)
    name = getattr(function, "__name__", None) or getattr(getattr(function, "func", None), "__name__", None)
    if name is None:
        raise ConfigError(
            f"The function {function!r} has no name, so a config cannot name it.",
            fix="def function(x): ...  # a function with a name",
        )
    known = registry.function_name(function)
    registered = registry.get_registered_name(function) if hasattr(function, "__name__") else name
    return {
        "module": known[0] if known else "builtins",
        "class_name": "function",
        "config": name if known else registered,  # where Keras looks for registered functions
        "registered_name": registered if known else "function",
    }


def is_description(value: Any) -> bool:
    """Whether a value of a config describes an object.

    Args:
        value: Value from a config.
    """
    return isinstance(value, dict) and "class_name" in value and "config" in value


def deserialize_nested(value: Any) -> Any:
    """A value from a config, with each description in it replaced by its object.

    Args:
        value: Description, plain value, or a list, tuple or dict of these.
    """
    if is_description(value):
        return deserialize(value)
    if isinstance(value, dict):
        return {key: deserialize_nested(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(deserialize_nested(item) for item in value)
    return value


def deserialize(
    config: Any,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool | None = None,
    namespaces: Sequence[str] | None = None,
) -> Any:
    """The object for a description, or for a list, dict or plain value that contains descriptions.

    Names are looked up only in lamina's fixed table, among registered objects and in `custom_objects`.

    Args:
        config: Description that `serialize` returned.
        custom_objects: The user's classes and functions, by their names in the description.
        safe_mode: Whether Python bytecode in the description is refused. None keeps the current mode.
        namespaces: Public modules in which names without a module are looked up.

    Raises:
        ConfigError: A name is unknown.
        UnsafeFileError: The description contains bytecode in safe mode, or requires more memory than available.
    """
    what = _label(config) if is_description(config) else "object"
    with reading_config(what, custom_objects), shared_objects.reading():
        if safe_mode is None:
            return _deserialize(config, namespaces)
        with registry.safe_mode(safe_mode):
            return _deserialize(config, namespaces)


@contextlib.contextmanager
def reading_config(what: str, custom_objects: Mapping[str, Any] | None = None) -> Iterator[None]:
    """A context in which objects are made from a config of the program: within the memory of the machine, and what the
    config confuses ends in an error of lamina. Inside a file, the limits and errors are those of the file.

    Args:
        what: What the config describes, for the error message.
        custom_objects: The user's classes and functions, by their names in the config.

    Raises:
        ArgumentError: The config is not of the form that the code expects.
    """
    is_outermost = not is_reading()
    with registry.CustomObjectScope(custom_objects), legacy.without_rename_warnings(), machine_memory_budget():
        try:
            yield
        except LaminaError:
            raise
        except CONFUSED as error:
            if not is_outermost:
                raise
            told = str(error).splitlines()[0] if str(error) else "no message"
            raise ArgumentError(f"The config of {what} cannot be read: {type(error).__name__}: {told}") from error


def _deserialize(config, namespaces):
    if isinstance(config, (list, tuple)):
        return type(config)(_deserialize(item, namespaces) for item in config)
    if not isinstance(config, dict):
        return config
    if not is_description(config):
        return {key: _deserialize(value, namespaces) for key, value in config.items()}
    try:
        return _build(config, namespaces)
    except UnsafeFileError as error:
        error.within(_label(config))
        raise
    except RecursionError as error:
        raise UnsafeFileError("The config is nested too deep to be read.") from error


def _label(config):
    """The object in a config as error messages name it: Lambda 'twice'."""
    name = config["config"].get("name") if isinstance(config["config"], dict) else None
    return f"{config['class_name']} {name!r}" if isinstance(name, str) else str(config["class_name"])


def _build(config, namespaces):
    name, inner = config["class_name"], config["config"]
    if not isinstance(name, str):
        raise ConfigError(f"A config names a class by a string; got {name!r}.")
    if name in _SPECIAL:
        return _SPECIAL[name](inner)
    found = {"module": config.get("module"), "registered_name": config.get("registered_name") or None}
    found["namespaces"] = namespaces
    if name in ("function", "type"):
        if not isinstance(inner, str):
            raise ArgumentError(f"The config of a {name} is its name; got {inner!r}.", fix='"config": "relu"')
        return registry.find(inner, **found)
    cls = registry.find(name, **found)
    if not isinstance(cls, type):
        return cls
    if not registry.is_builtin(cls):
        allow_user_code()
    if isinstance(inner, dict):
        check_config_values(cls, inner)
    elif name != "Sequential":  # whose config was a list of layers
        raise ArgumentError(f"The config of {name} is a dict of arguments; got {inner!r}.", fix='"config": {}')
    number = config.get(shared_objects.KEY)
    made = shared_objects.made_before(cls, number)
    if made is not None:
        return made
    allow_seconds(_SECONDS)
    instance = cls.from_config(inner) if hasattr(cls, "from_config") else cls(**inner)
    shared_objects.note_made(instance, number)
    build_config = config.get("build_config")
    if build_config and hasattr(instance, "build_from_config"):
        if registry.is_builtin(cls):
            check_sizes(cls, {}, build_config)
        instance.build_from_config(build_config)
    compile_config = config.get("compile_config")
    if compile_config and hasattr(instance, "compile_from_config"):
        instance.compile_from_config(compile_config)
    return instance


def _tensor(config):
    return jax.numpy.asarray(config["value"], standardize_dtype(config["dtype"]))


_SPECIAL = {
    "__tensor__": _tensor,
    "__numpy__": lambda config: np.asarray(config["value"], numpy_dtype(standardize_dtype(config["dtype"]))),
    "__bytes__": lambda config: config["value"].encode(),
    "__tuple__": lambda config: tuple(config["value"]),
    "__ellipsis__": lambda config: Ellipsis,
    "__keras_tensor__": lambda config: KerasTensor(config["shape"], config["dtype"]),
    "__slice__": lambda config: slice(*(deserialize_nested(config[key]) for key in ("start", "stop", "step"))),
    "__lambda__": deserialize_lambda,
}
