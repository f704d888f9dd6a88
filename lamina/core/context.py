"""State of the running program: values bound to variables, the layer call in progress, scopes, name counters."""

from __future__ import annotations

import contextlib
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import jax
from jax._src.core import EvalTrace, trace_ctx
from jax._src.interpreters.partial_eval import DynamicJaxprTrace

_slots: ContextVar[Any] = ContextVar("slots", default=None)
_call: ContextVar[Any] = ContextVar("call", default=None)
_autocast: ContextVar[Any] = ContextVar("autocast", default=None)
_path: ContextVar[Any] = ContextVar("path", default=())
around_layers: ContextVar[Any] = ContextVar("around", default=None)  # makes what layers run in place of their `call`
open_tapes: ContextVar[tuple[Any, ...]] = ContextVar("tapes", default=())

building_lock: AbstractContextManager[Any] = threading.RLock()
"""Held while a layer makes its weights, or a model what runs its steps."""


class Ref:
    """A mutable value. Inside `bind` it reads and writes a slot of the innermost block. Outside, it uses its own value,
    or that of its owner while it is checked out (by a training run, which holds all values in one flat structure).

    Args:
        value: Initial value.
    """

    _owner: Any = None

    def __init__(self, value: Any = None) -> None:
        self._value = value

    if TYPE_CHECKING:

        def __hash__(self) -> int: ...
    else:
        __hash__ = object.__hash__  # == of a Variable is element-wise, so it is hashed by id

    def read(self) -> Any:
        """The current value."""
        slots = _slots.get()
        if slots is not None and self in slots:
            return slots[self]
        return self._value if self._owner is None else self._owner.get(self)

    def write(self, value: Any) -> None:
        """Replace the value.

        Args:
            value: New value.
        """
        slots = _slots.get()
        if slots is not None:
            slots[self] = value
        elif self._owner is None:
            self._value = value
        else:
            self._owner.set(self, value)


@contextlib.contextmanager
def bind(refs: Iterable[Ref] = (), values: Iterable[Any] = ()) -> Iterator[dict[Ref, Any]]:
    """Inside the block each ref reads and writes a slot, while its own value stays unchanged. Yields the slots.

    Global refs are an exception: their new values are passed on to the enclosing `bind`.

    Args:
        refs: Refs, including variables.
        values: Initial value of each ref in the block.
    """
    outer, slots = _slots.get(), copied_slots()
    values = (value.read() if isinstance(value, Ref) else value for value in values)
    slots.update(zip(refs, values, strict=True))
    token = _slots.set(slots)
    try:
        yield slots
    finally:
        _slots.reset(token)
        if outer is not None:
            for ref in _global_refs.values():
                if ref in outer and outer[ref] is not slots[ref]:
                    outer[ref] = slots[ref]


def with_slots(slots: dict[Ref, Any] | None) -> AbstractContextManager[Any]:
    """Let refs read and write these slots inside the block."""
    return set_within(_slots, slots)


def copied_slots() -> dict[Ref, Any]:
    """A copy of the slots that are bound here, or none."""
    outer = _slots.get()
    return {} if outer is None else outer.with_values(outer) if hasattr(outer, "with_values") else dict(outer)


def recording_on(*tapes: Any) -> AbstractContextManager[Any]:
    """Let what runs inside the block be recorded on these tapes alone."""
    return set_within(open_tapes, tapes)


def note_read(variable: Ref) -> None:
    """Tell the open tapes that a variable is read."""
    for tape in open_tapes.get():
        tape.reads(variable)


def note_assigned(variable: Ref, value: Any) -> Any:
    """Tell the open tapes that a variable gets a new value. Returns the value, an array of its own for a tape."""
    for tape in open_tapes.get():
        value = tape.assigned(variable, value)
    return value


_global_refs: dict[str, Ref] = {}


def global_state(name: str, ref: Ref) -> None:
    """Register process-wide state, such as the global seed, which every compiled step takes and returns."""
    _global_refs[name] = ref


def global_refs() -> list[Ref]:
    """The refs that every compiled step takes and returns."""
    return list(_global_refs.values())


def global_values() -> list[Any]:
    """The values of `global_refs`."""
    return [ref.read() for ref in _global_refs.values()]


@contextlib.contextmanager
def concrete() -> Iterator[None]:
    """Suspend all `bind` blocks and traces inside the block, for values that must outlive the current call."""
    token = _slots.set(None)
    try:
        with jax.ensure_compile_time_eval():
            yield
    finally:
        _slots.reset(token)


def is_bound() -> bool:
    """Whether a `bind` is open, which means that written values are temporary."""
    return _slots.get() is not None


def is_computing() -> bool:
    """Whether JAX computes here, if only to differentiate or to map, and does not trace a function."""
    trace = trace_ctx.trace
    while not isinstance(trace, (EvalTrace, DynamicJaxprTrace, type(None))):  # of `jax.grad`, `jax.vjp` or `jax.vmap`
        trace = getattr(trace, "parent_trace", None)
    return isinstance(trace, EvalTrace)


def is_traced() -> bool:
    """Whether a function of lamina's is traced here, with values for variables."""
    return is_bound() and not is_computing()


@contextlib.contextmanager
def set_within(variable: ContextVar[Any], value: Any) -> Iterator[Any]:
    """Give a variable of the context a value inside the block. Yields the value."""
    token = variable.set(value)
    try:
        yield value
    finally:
        variable.reset(token)


class Call:
    """The outermost layer call in progress: its training flag and the layers that added a loss.

    Args:
        entry: The layer that was called.
        training: Whether it was called for training.
    """

    __slots__ = ("entry", "layers_with_losses", "training")
    entry: Any
    training: Any
    layers_with_losses: list[Any]

    def __init__(self, entry: Any, training: Any) -> None:
        self.entry, self.training, self.layers_with_losses = entry, training, []


def current_call() -> Any:
    """The outermost layer call in progress, or None."""
    return _call.get()


def call_scope(call: Call | None) -> AbstractContextManager[Any]:
    """Make a call, or None, the current call inside the block."""
    return set_within(_call, call)


def autocast_dtype() -> Any:
    """The dtype in which float variables are currently read (inside a layer with a mixed policy), or None."""
    return _autocast.get()


def autocast(dtype: Any) -> AbstractContextManager[Any]:
    """Read float variables in another dtype, or in their own (None), inside the block."""
    return set_within(_autocast, dtype)


_watcher: ContextVar[Any] = ContextVar("watcher", default=None)


def layer_watcher() -> Callable[..., Any] | None:
    """The function `(layer, args, outputs)` to call after each layer, or None."""
    return _watcher.get()


def watching_layers(function: Callable[..., Any] | None) -> AbstractContextManager[Any]:
    """Call a function `(layer, args, outputs)`, or none, after each layer inside the block."""
    return set_within(_watcher, function)


def name_path() -> tuple[str, ...]:
    """The names of the open name scopes, outermost first."""
    return _path.get()


def name_scope(name: str) -> AbstractContextManager[Any]:
    """Prefix the paths of new variables with `name/` inside the block."""
    return set_within(_path, (*_path.get(), name))


_parent_names: ContextVar[Any] = ContextVar("parent_names", default=())


def parent_names() -> tuple[str, ...]:
    """The names of the layers that contain the layers currently created from configs, outermost first."""
    return _parent_names.get()


def parent_scope(name: str | None) -> AbstractContextManager[Any]:
    """Treat layers created from configs inside the block as contained in the layer of this name, if it has one."""
    return set_within(_parent_names, (*_parent_names.get(), name) if name else _parent_names.get())


def path_scope(path: tuple[str, ...]) -> AbstractContextManager[Any]:
    """Give new variables exactly this path before their names inside the block."""
    return set_within(_path, path)


_distribution: Any = None


def distribution() -> Any:
    """The current distribution, shared by all threads, or None."""
    return _distribution


def set_distribution(value: Any) -> None:
    """Set the current distribution of `lamina.distribution`, or None."""
    global _distribution
    if value is not _distribution:
        _distribution = value
        structure_changed()


@contextlib.contextmanager
def without_distribution() -> Iterator[None]:
    """Place new variables on one device inside the block."""
    global _distribution
    kept, _distribution = _distribution, None
    try:
        yield
    finally:
        _distribution = kept


_counts: Counter[str] = Counter()


def snake_case(name: str) -> str:
    """The default layer name for a class name: `MaxPooling2D` -> `max_pooling2d`.

    Args:
        name: Name of a class.

    >>> snake_case("MaxPooling2D"), snake_case("LSTM"), snake_case("Conv2D")
    ('max_pooling2d', 'lstm', 'conv2d')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def stem_of(cls: type) -> str:
    """The base of the default names of objects of a class, also used in files.

    Args:
        cls: Class. Its attribute `_named_after` replaces its name if the class is public under another name.
    """
    return snake_case(cls.__dict__.get("_named_after", cls.__name__))


def unique_name(prefix: str) -> str:
    """`prefix`, then `prefix_1`, `prefix_2` and so on, counted since the process start or the last `clear_session`.

    Args:
        prefix: Name without a number.
    """
    number = _counts[prefix]
    _counts[prefix] += 1
    return f"{prefix}_{number}" if number else prefix


def get_uid(prefix: str = "") -> int:
    """The next number for a prefix: 1, 2, 3, ...

    Args:
        prefix: Any text.
    """
    _counts[prefix] += 1
    return _counts[prefix]


def reset_names() -> None:
    """Restart the counters of names."""
    _counts.clear()


_version = 0


def structure_version() -> int:
    """A number that grows whenever sublayers, variables or settings of layers change. Caches compare it."""
    return _version


def structure_changed() -> None:
    """Increase `structure_version`."""
    global _version
    _version += 1
