"""Classes and functions by name: the fixed tables used to read configs and files, and the objects that users register.

Nothing named in a file is ever imported or evaluated. A name must be in a table here, registered, or passed by the
caller. Otherwise an error suggests the nearest known name.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Self, TypeVar

from lamina.core.keywords import expect_names
from lamina.errors import ConfigError, UnknownClassError
from lamina.spelling.nearest import custom_objects_of, did_you_mean

T = TypeVar("T")

CLASSES: dict[
    tuple[str | None, str], Any
] = {}  # (namespace, class name) -> class, filled when classes of lamina are defined
FUNCTIONS: dict[
    tuple[str | None, str], Any
] = {}  # (namespace, function name) -> function, filled by `public_functions`
ALIASES: dict[tuple[str, str], type] = {}  # (namespace, another name of a class) -> class, filled by families
_NAMESPACES = (
    "layers", "models", "initializers", "regularizers", "constraints", "activations", "losses", "metrics", "optimizers",
    "callbacks", "distillation", "dtype_policies", "quantizers", "random", "applications.convnext",
    "applications.inception_resnet_v2", "optimizers.schedules", "mixed_precision",
)  # fmt: skip
_ORDER: dict[Any, int] = {
    namespace: place for place, namespace in enumerate(("keras", *(f"keras.{name}" for name in _NAMESPACES)))
}
_custom: dict[str, Any] = {}  # registered name ("package>Name", or as passed) -> class or function
_populated: list[bool] = []  # [True] once all modules of the table have been imported
_custom_names: dict[Any, str] = {}  # class or function -> registered name
_scope: ContextVar[Any] = ContextVar("custom_objects", default=None)


def namespace_of(cls: Any) -> str:
    """The public module of a class of lamina: `lamina.layers.dense.Dense` belongs to `keras.layers`.

    Args:
        cls: Class or function.
    """
    return cls.__dict__.get("_keras_module") or f"keras.{cls.__module__.split('.')[1]}"


def register_class(cls: type) -> None:
    """Add a class of lamina to the fixed table.

    Args:
        cls: Class. It is not added if its name begins with an underscore.
    """
    if not cls.__name__.startswith("_"):
        CLASSES[_namespace(namespace_of(cls)), cls.__name__] = cls


def public_functions(namespace: str, functions: Mapping[str, Any]) -> None:
    """Add functions of lamina to the fixed table.

    Args:
        namespace: The functions' public module.
        functions: Functions by their names in configs.
    """
    for name, function in functions.items():
        FUNCTIONS[namespace, name] = function


def function_name(function: Any) -> tuple[str | None, str] | None:
    """(namespace, name) of a function in the fixed table, or None.

    Args:
        function: Function.
    """
    name = getattr(function, "__name__", None)
    for read_all in (False, is_builtin(function) and not _populated):
        if read_all:
            populate()
        for (namespace, known), candidate in FUNCTIONS.items():
            if candidate is function and known == name:
                return namespace, known
    return None


def is_builtin(obj: Any) -> bool:
    """Whether a class or function is part of lamina.

    Args:
        obj: Class or function.
    """
    return (getattr(obj, "__module__", None) or "").split(".")[0] == "lamina"


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """Decorator that lets configs and files name a class or function as `package>name`.

    Args:
        package: Name of the program or library that defines it.
        name: Name in files; None means the name of the class or function.

    Raises:
        ConfigError: A class has no `get_config`.

    >>> import lamina as keras
    >>> @keras.saving.register_keras_serializable(package="doc")
    ... def double(x):
    ...     return 2 * x
    >>> keras.saving.get_registered_name(double)
    'doc>double'
    """

    def decorate(obj: Any) -> Any:
        registered = f"{package}>{name or obj.__name__}"
        if isinstance(obj, type) and not hasattr(obj, "get_config"):
            raise ConfigError(
                f"{obj.__name__} needs a get_config() method to be registered.",
                fix="def get_config(self): return {}  # with the arguments of __init__ by name",
            )
        _custom[registered] = obj
        _custom_names[obj] = registered
        return obj

    return decorate


def get_registered_name(obj: Any) -> Any:
    """`package>name` of a registered class or function, otherwise its `__name__`.

    Args:
        obj: Class or function.
    """
    try:
        return _custom_names.get(obj) or getattr(obj, "__name__", obj)
    except TypeError:  # unhashable
        return obj.__name__


def get_registered_object(
    name: Any, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any:
    """The class or function with a name: in an open scope, registered, or passed here. None if not found.

    Args:
        name: Registered name, or name in a scope.
        custom_objects: Additional classes and functions by name.
        module_objects: Additional classes and functions by name, searched last.
    """
    for table in (_scope.get(), _custom, custom_objects, module_objects):
        if table and name in table:
            return table[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """The dict of registered classes and functions by name. It may be modified."""
    return _custom


class CustomObjectScope:
    """`with custom_object_scope({"MyLayer": MyLayer}):` lets configs and files inside the block name more classes.

    Args:
        custom_objects: Classes and functions by name.
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        expect_names(custom_objects)
        self.custom_objects: Mapping[str, Any] = custom_objects or {}
        self._tokens: list[Any] = []

    def __enter__(self) -> Self:
        self._tokens.append(_scope.set({**(_scope.get() or {}), **self.custom_objects}))
        return self

    def __exit__(self, *exception: Any) -> None:
        _scope.reset(self._tokens.pop())


custom_object_scope = CustomObjectScope

_safe_mode: ContextVar[bool | None] = ContextVar("safe_mode", default=None)


@contextlib.contextmanager
def safe_mode(safe_mode: bool = True) -> Iterator[None]:
    """Set whether configs inside the block may contain Python bytecode. An enclosing block takes precedence.

    Args:
        safe_mode: False allows bytecode.
    """
    token = _safe_mode.set(safe_mode is not False if _safe_mode.get() is None else _safe_mode.get())
    try:
        yield
    finally:
        _safe_mode.reset(token)


def allow_bytecode() -> None:
    """Allow Python bytecode in configs from now on, regardless of safe_mode."""
    _safe_mode.set(False)


def in_safe_mode() -> bool:
    """Whether bytecode is refused."""
    return _safe_mode.get() is not False


def safe_mode_of_load() -> bool | None:
    """`safe_mode` of the load that runs; None outside of loads."""
    return _safe_mode.get()


def names_of(namespace: str | None) -> Sequence[str]:
    """The public names of a module in the fixed table; empty for other modules.

    Args:
        namespace: Public module, such as "keras.losses".
    """
    return getattr(_family(namespace), "__all__", ())


def _family(namespace):
    """The module for a namespace of the fixed table; None for other namespaces. No other module is ever imported."""
    path = "lamina" if namespace == "keras" else f"lamina.{(namespace or '').removeprefix('keras.')}"
    return importlib.import_module(path) if namespace in _ORDER else None


def look_up(namespace: str | None, name: str) -> Any:
    """The class or function in the fixed table, by any public name, or None. Its module is imported if necessary.

    Args:
        namespace: Public module, such as "keras.losses".
        name: Name of the class or function.
    """
    key = (namespace, name)
    if key not in CLASSES and key not in FUNCTIONS and name in names_of(namespace):
        public = getattr(_family(namespace), name)  # `MaxPool2D` is MaxPooling2D
        return next((known for known in (*CLASSES.values(), *FUNCTIONS.values()) if known is public), None)
    return CLASSES.get(key, FUNCTIONS.get(key))


def populate() -> None:
    """Import all modules of the fixed table, so that it contains their classes. The list of modules is constant."""
    for namespace in _NAMESPACES if not _populated else ():
        for name in names_of(f"keras.{namespace}"):
            getattr(_family(f"keras.{namespace}"), name)
    _populated.append(True)


def find(
    name: Any,
    module: str | None = None,
    registered_name: str | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    namespaces: Sequence[str] | None = None,
) -> Any:
    """The class or function that a config names.

    Args:
        name: Name of the class or function.
        module: Its public module; None means that the name is looked up in `namespaces`.
        registered_name: Name under which the user registered it.
        custom_objects: Additional classes and functions by name.
        namespaces: Public modules in which names without a module are looked up; None means all.

    Raises:
        ConfigError: The name is unknown. The error suggests the nearest known name.
    """
    for key in (name, module, registered_name):
        if not isinstance(key, str) and (key is not None or key is name):
            raise ConfigError(f"A config names classes and modules by strings; got {key!r}.")
    of_function = [key for key in _custom if key.endswith(f">{name}")] if registered_name == "function" else []
    for key in (registered_name, name, *of_function):  # Keras 3.6 wrote functions without their package
        found = get_registered_object(key, custom_objects) if key else None
        if found is not None:
            return found
    found = _of_package(name, module)
    if found is not None:
        return found
    name, registered_name = _OTHER_NAMES.get(name, name), _OTHER_NAMES.get(registered_name, registered_name)
    exact = [_namespace(module)] if module else namespaces or ()
    found = next((known for space in exact if (known := look_up(space, name)) is not None), None)
    if found is None:
        populate()
        found = _public(name, module, namespaces)
    if found is None:
        found = next((k for (s, key), k in ALIASES.items() if key == name and s in (exact or (s,))), None)
    if found is not None:
        _check_registered(registered_name, name)
        return found
    known = {*(key for _, key in (*CLASSES, *FUNCTIONS)), *_custom, *(_scope.get() or ()), *(custom_objects or ())}
    near = did_you_mean(str(name), known, strict=True)
    raise UnknownClassError(
        name, f"Unknown name {name!r}" + (f" (module {module!r})" if module else "") + f".{near}",
        fix=f"Pass {custom_objects_of(name)}, or put @keras.saving.register_keras_serializable() on it.",
    )  # fmt: skip


_OTHER_NAMES: dict[Any, str] = {  # of classes in files of other versions of Keras
    "OrthogonalInitializer": "Orthogonal", "IdentityInitializer": "Identity", "STFTInitializer": "STFT",
    "GroupedQueryAttention": "GroupQueryAttention", "L1L2Regularizer": "L1L2",
}  # fmt: skip


def _of_package(name, module):
    """The class of a package of Keras's makers, by its module, where it is imported already; a file imports nothing."""
    package = (module or "").partition(".")[0]
    inside = sys.modules.get(module) if package in ("keras_hub", "keras_cv", "keras_nlp") else None
    found = vars(inside).get(name) if inside is not None else None
    is_own = isinstance(found, type) and found.__module__.partition(".")[0] == package
    return found if is_own and hasattr(found, "from_config") else None


def _check_registered(registered_name, name):
    """Raise an error if an unregistered user class has the name of a lamina class, which must not replace it."""
    if registered_name not in (None, name, "function"):
        raise ConfigError(
            f"{name!r} in the config is {registered_name!r}, which is not registered; it resolved to a Keras built-in.",
            fix=f"Register it, or pass {custom_objects_of(registered_name, name)}.",
        )


def _public(name, module, namespaces):
    """The class or function for a name, if its module alone does not determine it."""
    wanted = _namespace(module)
    is_old = wanted and wanted.startswith("keras.") and all(space != wanted for space, _ in (*CLASSES, *FUNCTIONS))
    if wanted and wanted != "keras" and not is_old:
        return CLASSES.get((wanted, name), FUNCTIONS.get((wanted, name)))
    # `keras` alone, and modules of earlier versions such as keras.engine, mean all namespaces.
    for table in (CLASSES, FUNCTIONS):
        spaces = [space for space, known in table if known == name and (namespaces is None or space in namespaces)]
        if spaces:
            return table[min(spaces, key=lambda space: _ORDER.get(space, len(_ORDER))), name]
    return None


def _namespace(module):
    """`keras.src.layers.core.dense`, `keras.layers`, `lamina.layers` -> `keras.layers`; `builtins` and None -> None."""
    if not module or module == "builtins":
        return None
    parts = [part for part in module.split(".") if part not in ("src", "python", "api", "_tf_keras", "tensorflow")]
    if parts[0] not in ("keras", "tf_keras", "lamina"):
        return module
    parts[0] = "keras"
    schedules = parts[1:2] == ["optimizers"] and any("schedule" in part for part in parts[2:])
    return "keras.optimizers.schedules" if schedules else ".".join(parts[:2])
