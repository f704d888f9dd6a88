"""Names to classes and functions: the closed tables through which configs and files are read, plus what users register.

Nothing named in a file is ever imported or evaluated: a name is in a table here, registered, passed by the caller, or
it is an error that names the nearest known name.
"""

import contextlib
import difflib
import importlib
from contextvars import ContextVar

from lamina.errors import ConfigError

CLASSES = {}  # (namespace, class name) -> class, filled as classes of lamina are defined
FUNCTIONS = {}  # (namespace, function name) -> function, filled by `public_functions`
_NAMESPACES = (
    "layers", "models", "initializers", "regularizers", "constraints", "activations", "losses", "metrics", "optimizers",
    "callbacks", "distillation", "dtype_policies", "quantizers", "random", "applications.convnext",
    "applications.inception_resnet_v2", "optimizers.schedules", "mixed_precision",
)  # fmt: skip
_ORDER = {namespace: place for place, namespace in enumerate(("keras", *(f"keras.{name}" for name in _NAMESPACES)))}
_custom = {}  # registered name ("package>Name" or as passed) -> class or function
_populated = []  # True once all files of the table were read
_custom_names = {}  # class or function -> registered name
_scope: ContextVar = ContextVar("custom_objects", default=None)


def namespace_of(cls):
    """The public module Keras has a class of ours in: `lamina.layers.dense.Dense` is in `keras.layers`."""
    return cls.__dict__.get("_keras_module") or f"keras.{cls.__module__.split('.')[1]}"


def register_class(cls):
    """Put a class of lamina into the closed table."""
    if not cls.__name__.startswith("_"):
        CLASSES[_namespace(namespace_of(cls)), cls.__name__] = cls


def public_functions(namespace, functions):
    """Put functions of lamina into the closed table, under the names they are called by."""
    for name, function in functions.items():
        FUNCTIONS[namespace, name] = function


def function_name(function):
    """(namespace, name) of a function of the closed table, or None."""
    name = getattr(function, "__name__", None)
    for read_all in (False, is_builtin(function) and not _populated):
        if read_all:
            populate()
        for (namespace, known), candidate in FUNCTIONS.items():
            if candidate is function and known == name:
                return namespace, known
    return None


def is_builtin(obj):
    """Whether a class or function is lamina's own."""
    return (getattr(obj, "__module__", None) or "").split(".")[0] == "lamina"


def register_keras_serializable(package="Custom", name=None):
    """Decorator: files may name this class or function, as `package>name`.

    >>> import lamina as keras
    >>> @keras.saving.register_keras_serializable(package="doc")
    ... def double(x):
    ...     return 2 * x
    >>> keras.saving.get_registered_name(double)
    'doc>double'
    """

    def decorate(obj):
        registered = f"{package}>{name or obj.__name__}"
        if isinstance(obj, type) and not hasattr(obj, "get_config"):
            raise ConfigError(f"{obj.__name__} needs a get_config() method to be registered.")
        _custom[registered] = obj
        _custom_names[obj] = registered
        return obj

    return decorate


def get_registered_name(obj):
    """`package>name` of a registered class or function, else its `__name__`."""
    try:
        return _custom_names.get(obj) or getattr(obj, "__name__", obj)
    except TypeError:  # unhashable
        return obj.__name__


def get_registered_object(name, custom_objects=None, module_objects=None):
    """The class or function known as `name` to the scopes, the caller or the register; None if there is none."""
    for table in (_scope.get(), _custom, custom_objects, module_objects):
        if table and name in table:
            return table[name]
    return None


def get_custom_objects():
    """The register itself: a dict that may be changed."""
    return _custom


class CustomObjectScope:
    """`with custom_object_scope({"MyLayer": MyLayer}):` -- names that configs and files may use inside the block."""

    def __init__(self, custom_objects):
        self.custom_objects = custom_objects or {}
        self._tokens = []

    def __enter__(self):
        self._tokens.append(_scope.set({**(_scope.get() or {}), **self.custom_objects}))
        return self

    def __exit__(self, *exception):
        _scope.reset(self._tokens.pop())


custom_object_scope = CustomObjectScope

_safe_mode: ContextVar = ContextVar("safe_mode", default=None)


@contextlib.contextmanager
def safe_mode(value):
    """Whether configs read inside the block may hold Python bytecode: only where the caller said safe_mode=False, and
    no block around this one says otherwise."""
    token = _safe_mode.set(value is not False if _safe_mode.get() is None else _safe_mode.get())
    try:
        yield
    finally:
        _safe_mode.reset(token)


def allow_bytecode():
    """From now on configs may hold Python bytecode, whatever safe_mode is asked for."""
    _safe_mode.set(False)


def in_safe_mode():
    """Whether bytecode is refused."""
    return _safe_mode.get() is not False


def names_of(namespace):
    """The public names of a family of lamina; none of another module."""
    return getattr(_family(namespace), "__all__", ())


def _family(namespace):
    """The module behind a namespace of the closed table; None for another. Nothing else is ever imported."""
    path = "lamina" if namespace == "keras" else f"lamina.{(namespace or '').removeprefix('keras.')}"
    return importlib.import_module(path) if namespace in _ORDER else None


def look_up(namespace, name):
    """The class or function of lamina that stands in the closed table; its file is read now if it was not yet."""
    key = (namespace, name)
    if key not in CLASSES and key not in FUNCTIONS and name in names_of(namespace):
        getattr(_family(namespace), name)
    return CLASSES.get(key, FUNCTIONS.get(key))


def populate():
    """Read all files of the closed table, so that their classes are in it. The list is fixed: no file adds to it."""
    for namespace in _NAMESPACES if not _populated else ():
        for name in names_of(f"keras.{namespace}"):
            getattr(_family(f"keras.{namespace}"), name)
    _populated.append(True)


def find(name, module=None, registered_name=None, custom_objects=None, namespaces=None):
    """The class or function that a config means by `name`. Raises ConfigError with the nearest known name."""
    for key in (name, module, registered_name):
        if not isinstance(key, str) and (key is not None or key is name):
            raise ConfigError(f"A config names classes and modules by strings; got {key!r}.")
    for key in (registered_name, name):
        found = get_registered_object(key, custom_objects) if key else None
        if found is not None:
            return found
    exact = [_namespace(module)] if module else namespaces or ()
    found = next((known for space in exact if (known := look_up(space, name)) is not None), None)
    if found is None:
        populate()
        found = _public(name, module, namespaces)
    if found is not None:
        _check_registered(registered_name, name)
        return found
    known = {*(key for _, key in (*CLASSES, *FUNCTIONS)), *_custom, *(_scope.get() or ()), *(custom_objects or ())}
    near = difflib.get_close_matches(str(name), known, n=1)
    raise ConfigError(
        f"Unknown name {name!r}" + (f" (module {module!r})" if module else "") + "."
        + (f" The nearest known name is {near[0]!r}." if near else ""),
        fix=f"Pass custom_objects={{{str(name)!r}: ...}}, or put @saving.register_keras_serializable() on it.",
    )  # fmt: skip


def _check_registered(registered_name, name):
    """A class of the user's that is called as one of lamina must not become it because it is not registered now."""
    if registered_name not in (None, name, "function"):
        raise ConfigError(
            f"{name!r} in the config is {registered_name!r}, which is not registered; it resolved to a Keras built-in.",
            fix=f"Register it, or pass custom_objects={{{registered_name!r}: ...}}.",
        )


def _public(name, module, namespaces):
    """What `name` means where its module does not say it all; every file of the table is read."""
    wanted = _namespace(module)
    is_old = wanted and wanted.startswith("keras.") and all(space != wanted for space, _ in (*CLASSES, *FUNCTIONS))
    if wanted and wanted != "keras" and not is_old:
        return CLASSES.get((wanted, name), FUNCTIONS.get((wanted, name)))
    # `keras` alone and modules that are gone, such as keras.engine, stand for all of it
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
