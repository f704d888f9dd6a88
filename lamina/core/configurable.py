"""Config and repr from the signature: an argument is stored under its own name, and everything else follows."""

import difflib
import inspect
import types
from typing import Any

import jax
import numpy as np

from lamina import legacy
from lamina.core import registry
from lamina.core.bytecode import deserialize_lambda, serialize_lambda
from lamina.core.context import snake_case
from lamina.core.dtypes import numpy_dtype, standardize_dtype
from lamina.core.keras_tensor import KerasTensor
from lamina.core.read_limits import machine_memory_budget
from lamina.core.variable import Variable
from lamina.errors import ConfigError, UnsafeFileError

Parameter = inspect.Parameter
_PLAIN = (type(None), str, bool, int, float, bytes)


def signature_of(cls) -> Any:
    """name -> (parameter, class whose __init__ has it): the arguments of `cls`, passed-on **kwargs included."""
    if "_signature" in cls.__dict__:
        return cls._signature
    found = {}
    for owner in cls.__mro__:
        if "__init__" not in owner.__dict__:
            continue
        parameters = inspect.signature(owner.__init__).parameters.values()
        for parameter in list(parameters)[1:]:
            if parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY):
                found.setdefault(parameter.name, (parameter, owner))
        if not any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters):
            break
    cls._signature = found
    return found


class Configurable:
    """Something that is fully described by the arguments it was made with.

    >>> from lamina import initializers
    >>> initializers.Constant(2.0)
    Constant(value=2.0)
    >>> initializers.Constant.from_config({"value": 2.0}).get_config()
    {'value': 2.0}
    """

    _config_skips = frozenset()  # parameters that are no part of the config
    _config_optional = frozenset()  # parameters that are in the config only when they are not None

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if registry.is_builtin(cls):
            registry.register_class(cls)
            if legacy.accepts_old_names(cls.__name__):
                cls.__init__ = legacy.accepting_old_names(cls.__init__, cls.__name__)

    def __new__(cls, *args, **kwargs):
        instance = super().__new__(cls)
        if not registry.is_builtin(cls):
            object.__setattr__(instance, "_init_arguments", _bind(cls, args, kwargs))
        return instance

    def get_config(self):
        """The arguments by name, as JSON-able values: `type(self).from_config(config)` makes the same object anew."""
        users_own = not registry.is_builtin(type(self).get_config)
        config = {}
        for name, (parameter, owner) in signature_of(type(self)).items():
            if name in self._config_skips or (users_own and not registry.is_builtin(owner)):
                continue
            value = self._argument(name, parameter, owner)
            if value is not None or name not in self._config_optional:
                config[name] = config_value(value)
        return config

    def _argument(self, name, parameter, owner):
        given = getattr(self, "_init_arguments", {})
        if not registry.is_builtin(owner) and name in given:
            return given[name]
        if hasattr(self, name):
            return getattr(self, name)
        if parameter.default is not Parameter.empty and not registry.is_builtin(owner):
            return parameter.default
        raise NotImplementedError(
            f"{type(self).__name__} was not told how to make its config: __init__ takes {name!r}, and there is no "
            f"attribute of that name. Store it (self.{name} = {name}) or write get_config()."
        )

    @classmethod
    def from_config(cls, config):
        """The object that `get_config` described."""
        return cls(**{key: deserialize_nested(value) for key, value in config.items()})

    def __repr__(self):
        shown = []
        for name, (parameter, owner) in signature_of(type(self)).items():
            value = self._argument(name, parameter, owner) if hasattr(self, name) else parameter.default
            if name in self._config_skips or _same(value, parameter.default):
                continue
            shown.append(f"{name}={_brief(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"


def _bind(cls, args, kwargs):
    """The arguments of a user's class by name, as passed."""
    try:
        bound = inspect.signature(cls.__init__).bind_partial(None, *args, **kwargs)
    except TypeError:  # the call itself will say what is wrong
        return dict(kwargs)
    arguments = dict(list(bound.arguments.items())[1:])
    for parameter in inspect.signature(cls.__init__).parameters.values():
        if parameter.kind is Parameter.VAR_KEYWORD:
            arguments.update(arguments.pop(parameter.name, {}))
    return arguments


def _same(value, default):
    if isinstance(default, str) and not isinstance(value, str):
        return getattr(value, "__name__", None) == default or snake_case(type(value).__name__) == default
    return value is default or (isinstance(value, _PLAIN) and value == default)


def _brief(value):
    if callable(value) and hasattr(value, "__name__"):
        return repr(value.__name__)
    return repr(value)


def config_value(value):
    """`value` as it stands in a config: objects and functions described, the rest as it is."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, (list, tuple)):
        return type(value)(config_value(item) for item in value) if type(value) in (list, tuple) else list(value)
    if isinstance(value, dict):
        return {key: config_value(item) for key, item in value.items()}
    if isinstance(value, types.FunctionType | types.BuiltinFunctionType) and registry.function_name(value):
        return value.__name__
    return serialize(value)


def serialize(obj) -> Any:
    """A JSON-able description of `obj`, in the format of Keras 3 files.

    >>> from lamina import initializers
    >>> serialize(initializers.Zeros())
    {'module': 'keras.initializers', 'class_name': 'Zeros', 'config': {}, 'registered_name': None}
    """
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode()}}
    if isinstance(obj, _PLAIN):
        return obj
    if isinstance(obj, (list, tuple)):
        return [serialize(item) for item in obj]
    if isinstance(obj, dict):
        return {key: serialize(value) for key, value in obj.items()}
    if isinstance(obj, slice):
        return {"class_name": "__slice__", "config": {key: getattr(obj, key) for key in ("start", "stop", "step")}}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, KerasTensor):
        return _serialize_symbol(obj)
    if isinstance(obj, np.generic):
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
        "config": serialize(obj.get_config()),
        "registered_name": None if public else registry.get_registered_name(cls),
    }
    if hasattr(obj, "get_build_config"):
        build_config = obj.get_build_config()
        if build_config is not None:
            described["build_config"] = serialize(build_config)
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
        raise ConfigError(f"The function {function!r} has no name, so a config cannot name it.", fix="Use a def.")
    known = registry.function_name(function)
    registered = registry.get_registered_name(function) if hasattr(function, "__name__") else name
    return {
        "module": known[0] if known else "builtins",
        "class_name": "function",
        "config": name if known else registered,  # where Keras looks for what was registered
        "registered_name": registered if known else "function",
    }


def is_description(value):
    """Whether a value of a config describes an object."""
    return isinstance(value, dict) and "class_name" in value and "config" in value


def deserialize_nested(value):
    """`value` with every described object in it made."""
    if is_description(value):
        return deserialize(value)
    if isinstance(value, dict):
        return {key: deserialize_nested(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(deserialize_nested(item) for item in value)
    return value


def deserialize(config, custom_objects=None, safe_mode=None, namespaces=None) -> Any:
    """The object that a description (or a list, dict or plain value with descriptions in it) stands for.

    Names are looked up in the closed table of lamina, among registered objects and in `custom_objects`, nowhere else.
    """
    with registry.CustomObjectScope(custom_objects), legacy.without_rename_warnings(), machine_memory_budget():
        if safe_mode is None:
            return _deserialize(config, namespaces)
        with registry.safe_mode(safe_mode):
            return _deserialize(config, namespaces)


def _deserialize(config, namespaces):
    if isinstance(config, (list, tuple)):
        return type(config)(_deserialize(item, namespaces) for item in config)
    if not isinstance(config, dict):
        return config
    if not is_description(config):
        return {key: _deserialize(value, namespaces) for key, value in config.items()}
    try:
        return _made(config, namespaces)
    except UnsafeFileError as error:
        error.within(_label(config))
        raise
    except RecursionError as error:
        raise UnsafeFileError("The config is nested too deep to be read.") from error


def _label(config):
    """How an error says which object of a config it means: Lambda 'twice'."""
    name = config["config"].get("name") if isinstance(config["config"], dict) else None
    return f"{config['class_name']} {name!r}" if isinstance(name, str) else config["class_name"]


def _made(config, namespaces):
    name, inner = config["class_name"], config["config"]
    if not isinstance(name, str):
        raise ConfigError(f"A config names a class by a string; got {name!r}.")
    if name in _SPECIAL:
        return _SPECIAL[name](inner)
    found = {"module": config.get("module"), "registered_name": config.get("registered_name"), "namespaces": namespaces}
    if name in ("function", "type"):
        return registry.find(inner, **found)
    cls = registry.find(name, **found)
    if not isinstance(cls, type):
        return cls
    instance = cls.from_config(inner) if hasattr(cls, "from_config") else cls(**inner)
    build_config = config.get("build_config")
    if build_config and hasattr(instance, "build_from_config"):
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
    "__slice__": lambda config: slice(config["start"], config["stop"], config["step"]),
    "__lambda__": deserialize_lambda,
}


def resolver(kind, namespace, base=None, aliases=(), default=None):
    """The `get` of a family: from a name, a config, a class or an object to the object.

    `aliases` maps further names to classes or functions of the family, or to their names.
    """
    aliases = dict(aliases)

    def get(identifier) -> Any:
        if identifier is None:
            return default
        if isinstance(identifier, dict):
            return deserialize(identifier, namespaces=(namespace,))
        if isinstance(identifier, str):
            found = registry.get_registered_object(identifier) or aliases.get(identifier)
            if isinstance(found, str):
                found = _named(kind, namespace, found, aliases)
            if found is None:
                today = legacy.name_of_today(namespace.replace("keras", "lamina"), identifier)
                found = _named(kind, namespace, identifier, aliases) if today is None else get(today)
            return found() if isinstance(found, type) else found
        if isinstance(identifier, type) and (base is None or issubclass(identifier, base)):
            return identifier()
        if callable(identifier) or (base is not None and isinstance(identifier, base)):
            return identifier
        raise ConfigError(f"A {kind} is a name, a config, a function or an object; got {identifier!r}.")

    get.__doc__ = f"The {kind} meant by a name, config, class or object; None gives {default!r}."
    get.__module__ = f"lamina.{namespace.split('.')[-1]}"
    return get


def _named(kind, namespace, name, aliases):
    found = registry.look_up(namespace, name)
    if found is not None:
        return found
    registry.populate()
    known = sorted({*aliases, *(key for space, key in (*registry.CLASSES, *registry.FUNCTIONS) if space == namespace)})
    lower = {key.lower(): key for key in reversed(known)}
    near = [lower[key] for key in difflib.get_close_matches(name.lower(), lower, n=1)]
    raise ConfigError(
        f"Unknown {kind} {name!r}." + (f" Did you mean {near[0]!r}?" if near else ""),
        fix=f"Known: {', '.join(known)}; or pass a function or an object"
        f" (in a file: load_model(path, custom_objects={{{name!r}: function}})).",
    )
