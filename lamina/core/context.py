"""What holds for a while: the values bound to variables, the layer call in progress, and the names given out so far."""

import contextlib
import re
from collections import Counter
from contextvars import ContextVar
from typing import Any

import jax

_slots: ContextVar[Any] = ContextVar("slots", default=None)
_call: ContextVar[Any] = ContextVar("call", default=None)
_autocast: ContextVar[Any] = ContextVar("autocast", default=None)
_path: ContextVar[Any] = ContextVar("path", default=())
_placement: ContextVar[Any] = ContextVar("placement", default=None)


class Ref:
    """A place for one value. Inside `bind` it reads and writes the innermost block; outside, itself, or the owner that
    keeps it for now (a training run that holds all values in one flat structure)."""

    _owner = None

    def __init__(self, value=None):
        self._value = value

    __hash__ = object.__hash__  # a Variable's == is element-wise; as a key it is itself

    def read(self) -> Any:
        slots = _slots.get()
        if slots is not None and self in slots:
            return slots[self]
        return self._value if self._owner is None else self._owner.get(self)

    def write(self, value):
        slots = _slots.get()
        if slots is not None:
            slots[self] = value
        elif self._owner is None:
            self._value = value
        else:
            self._owner.set(self, value)


@contextlib.contextmanager
def bind(refs=(), values=()):
    """Inside the block each ref reads and writes its slot here; outside, nothing changes. Gives the slots.

    Global refs are the exception: what is written to one goes out to the `bind` around this one.
    """
    outer = _slots.get()
    values = (value.read() if isinstance(value, Ref) else value for value in values)
    slots = {**(outer or {}), **dict(zip(refs, values, strict=True))}
    token = _slots.set(slots)
    try:
        yield slots
    finally:
        _slots.reset(token)
        if outer is not None:
            for ref in _global_refs.values():
                if ref in outer:
                    outer[ref] = slots[ref]


_global_refs = {}  # name -> Ref


def global_state(name, ref):
    """Make a ref of the whole process (the global seed) one that every compiled step carries along; one ref a
    name."""
    _global_refs[name] = ref


def global_refs():
    """The refs that every compiled step carries along."""
    return list(_global_refs.values())


def global_values():
    """What they hold."""
    return [ref.read() for ref in _global_refs.values()]


@contextlib.contextmanager
def concrete():
    """Outside of any `bind` and any trace, wherever it is used: for values that must outlive the call in progress."""
    token = _slots.set(None)
    try:
        with jax.ensure_compile_time_eval():
            yield
    finally:
        _slots.reset(token)


def is_bound():
    """Whether a `bind` is open: values written now are returned, not kept."""
    return _slots.get() is not None


@contextlib.contextmanager
def _set(variable, value):
    token = variable.set(value)
    try:
        yield value
    finally:
        variable.reset(token)


class Call:
    """The outermost layer call in progress: the training flag it passes down and the layers that added a loss."""

    __slots__ = ("entry", "layers_with_losses", "training")

    def __init__(self, entry, training):
        self.entry, self.training, self.layers_with_losses = entry, training, []


def current_call():
    """The outermost call in progress, or None."""
    return _call.get()


def call_scope(call):
    """Make `call` the current one."""
    return _set(_call, call)


def autocast_dtype():
    """The type float variables are read in inside a layer of a mixed policy, or None."""
    return _autocast.get()


def autocast(dtype):
    """Read float variables as `dtype` inside the block."""
    return _set(_autocast, dtype)


_watcher: ContextVar[Any] = ContextVar("watcher", default=None)


def layer_watcher():
    """The function `(layer, args, outputs)` that wants to see each layer's call, or None."""
    return _watcher.get()


def watching_layers(function):
    """Inside the block `function(layer, args, outputs)` is called after each layer."""
    return _set(_watcher, function)


def name_path():
    """The names of the scopes open now, outermost first."""
    return _path.get()


def name_scope(name):
    """Variables made inside get `name/` before their path."""
    return _set(_path, (*_path.get(), name))


_parent_names: ContextVar[Any] = ContextVar("parent_names", default=())


def parent_names():
    """The names of the layers around those that are made from configs now, outermost first."""
    return _parent_names.get()


def parent_scope(name):
    """Layers made from configs inside the block are inside a layer of this name (None for one without)."""
    return _set(_parent_names, (*_parent_names.get(), name) if name else _parent_names.get())


def path_scope(path):
    """Variables made inside get exactly this path."""
    return _set(_path, path)


_distribution: Any = None


def distribution():
    """What spreads data and variables over devices now, or None. It is one for all threads."""
    return _distribution


def set_distribution(value):
    """Make `value` (see lamina/distribution.py) the current distribution; None for none."""
    global _distribution
    if value is not _distribution:
        _distribution = value
        structure_changed()


@contextlib.contextmanager
def without_distribution():
    """Variables made inside the block live on one device."""
    global _distribution
    kept, _distribution = _distribution, None
    try:
        yield
    finally:
        _distribution = kept


def placement_scope(shape, sharding):
    """New arrays of this shape made inside the block, the initial value of a variable, go where `sharding` says."""
    return _set(_placement, (tuple(shape), sharding))


def placement(shape):
    """The sharding of a new array of this shape, or None."""
    placing = _placement.get()
    return placing[1] if placing is not None and placing[0] == tuple(shape) else None


_counts = Counter()


def snake_case(name):
    """`MaxPooling2D` -> `max_pooling2d`, as Keras names layers.

    >>> snake_case("MaxPooling2D"), snake_case("LSTM"), snake_case("Conv2D")
    ('max_pooling2d', 'lstm', 'conv2d')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def stem_of(cls):
    """The name for objects of a class, here and in files; `_named_after` is for a class exported under another name."""
    return snake_case(cls.__dict__.get("_named_after", cls.__name__))


def unique_name(prefix):
    """`prefix`, then `prefix_1`, `prefix_2`: names count from the start of the process or the last `clear_session`."""
    number = _counts[prefix]
    _counts[prefix] += 1
    return f"{prefix}_{number}" if number else prefix


def get_uid(prefix=""):
    """The next number for `prefix`: 1, 2, 3, ..."""
    _counts[prefix] += 1
    return _counts[prefix]


def reset_names():
    """Start counting names anew."""
    _counts.clear()


_version = 0


def structure_version():
    """A number that grows whenever a layer's parts or `trainable` flags change: who caches a list of variables
    compares it."""
    return _version


def structure_changed():
    """Say that a layer's parts or `trainable` flags changed."""
    global _version
    _version += 1
