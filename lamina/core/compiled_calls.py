"""Calls of lamina's layers, losses and metrics on arrays, outside of a training step: each is one compiled program.

JAX runs every operation on arrays by itself, which costs far more than the arithmetic of a small layer. An object whose
code is all lamina's computes the same function in each call. So the first call on arrays compiles this function, of the
values of the object's variables and of the arguments, and every call runs it. Objects of equal settings share a
program. A deep model runs those of its layers one after the other: that compiles less where layers are equal, and again
less for each new length of a sequence.

What computes operation by operation all the same: objects with code of users in them, calls that add losses, calls on
other arguments than arrays of numbers, and all calls under a tape, in a function that JAX traces, with a distribution,
or while something watches the layers.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import jax
import numpy as np
from jax._src.array import ArrayImpl  # pyright: ignore[reportPrivateImportUsage]
from jax.core import Tracer

from lamina.core import context
from lamina.core.context import Ref
from lamina.core.keras_tensor import get_mask, set_mask
from lamina.core.program_settings import Unshared, has_own_code, settings_of
from lamina.core.registry import is_builtin
from lamina.core.variable import Variable, to_array
from lamina.errors import TracingError
from lamina.kernels import native
from lamina.runtime import settings

__all__ = ["CompiledCall", "CompiledOp", "arrays_of", "call_of", "is_plain"]

MAX_SHARED = 256  # programs that objects of equal settings share
MAX_PARTS = 12  # a model of more layers calls them one by one, as equal ones share programs
_SETTINGS = bool, int, float, str  # of ops

_shared: OrderedDict[Any, Any] = OrderedDict()
_owner: ContextVar[Any] = ContextVar("owner")  # (object, its refs, its method): whose call is compiled here, if one is


class _Compiled:
    """A compiled function, and what was called of calls that could not be compiled."""

    program: Any
    refused: set[Any]

    __slots__ = ("program", "refused")

    def _try(self, arrays: list[Any], static: tuple[Any, ...], *inputs: Any) -> Any:
        """What the program makes of the inputs, or NotImplemented where it cannot be traced: operation by operation,
        the call works or raises the error that says more."""
        if self.refused and _signature(arrays, static) in self.refused:
            return NotImplemented
        try:
            return self.program(*inputs, static)
        except Exception:
            self.refused.add(_signature(arrays, static))
            return NotImplemented


class CompiledCall(_Compiled):
    """How the calls of an object run until its settings or the structure around it change.

    Args:
        owner: Layer, loss or metric; a layer is built.
        method: Function of the owner and the arguments.
        parts: The owner and the layers inside.
        variables: Its variables.

    Attributes:
        version: Version of the structure at which it was made.
        refs: The variables and the state of the process, whose values a call takes and may change.
        program: The compiled function; None computes operation by operation.
        refused: What was called, of calls that could not be compiled.
    """

    version: int
    method: Callable[..., Any]
    refs: list[Ref]

    __slots__ = ("method", "refs", "version")

    def __init__(self, owner: Any, method: Callable[..., Any], parts: Sequence[Any], variables: Sequence[Ref]) -> None:
        self.method, self.refs, self.refused = method, [*variables, *context.global_refs()], set()
        is_ours = len(parts) <= MAX_PARTS and not any(map(has_own_code, parts))
        self.program = _program_of(owner, method, self.refs) if is_ours else None
        self.version = context.structure_version()

    def __deepcopy__(self, memo: Any) -> None:
        return None  # a copy makes its own

    def __reduce__(self) -> Any:
        return type(None), ()

    def run(self, owner: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The outputs of a call, or NotImplemented.

        Args:
            owner: The object.
            args, kwargs: Arguments of the call.
        """
        given = None if self.program is None or not is_plain() else arrays_of(args, kwargs)
        if given is None:
            return NotImplemented
        arrays, structure, rest = given
        outer = context.current_call()
        training = None if outer is None else (outer.training,)
        held = settings.held_by_programs(), native.switches()
        static = structure, rest, training, context.autocast_dtype(), held
        token = _owner.set((owner, self.refs, self.method))
        try:
            values = [ref.read() for ref in self.refs]
            results = self._try(arrays, static, values, arrays, [*map(get_mask, arrays)])
        finally:
            _owner.reset(token)
        if type(results) is not tuple:
            return results  # one array, as of most calls, or NotImplemented
        made, changed, masks = results
        if any(isinstance(value, Tracer) for value in changed.values()) and not context.is_bound():
            return NotImplemented  # values that derivatives are taken of are none to keep
        for index, value in changed.items():
            self.refs[index].write(value)
        if masks is not None:
            _set_masks(made.arrays, masks)
        return _filled(made.structure, iter(made.arrays))


class _Programs(dict[Any, CompiledCall]):
    """The compiled methods of an object. A copy of the object, or a file, has none."""

    def __deepcopy__(self, memo: Any) -> _Programs:
        return _Programs()

    def __reduce__(self) -> Any:
        return _Programs, ()


def call_of(method: Callable[..., Any], owner: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of a method of a loss or metric, or NotImplemented.

    Args:
        method: Function of the owner and the arguments.
        owner: Loss or metric.
        args, kwargs: Arguments of the call.
    """
    if not is_builtin(type(owner)) or context.is_traced():
        return NotImplemented
    programs = vars(owner).setdefault("_compiled_calls", _Programs())
    compiled = programs.get(method)
    if compiled is None:
        if not is_plain() or arrays_of(args, kwargs) is None:
            return NotImplemented
        compiled = programs[method] = CompiledCall(owner, method, [owner], getattr(owner, "variables", ()))
    return compiled.run(owner, args, kwargs)


class CompiledOp(_Compiled):
    """An op on arrays as one compiled program for each shape and setting.

    Args:
        function: Function of arrays and settings.
    """

    __slots__ = ()

    def __init__(self, function: Callable[..., Any]) -> None:
        def lamina_op(arrays, static):
            args, kwargs = _arguments(static[0], static[1], arrays)
            made = _outputs_of(function(*args, **kwargs))
            return made.arrays[0] if made.structure == () else made

        self.program, self.refused = jax.jit(lamina_op, static_argnums=1), set()

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The outputs of a call, or NotImplemented.

        Args:
            args, kwargs: Arguments of the call.
        """
        given = None if context.is_traced() else arrays_of(args, kwargs, _SETTINGS)
        if given is None or not given[0]:
            return NotImplemented
        arrays, *rest = given
        static = *rest, settings.held_by_programs(), native.switches()
        made = self._try(arrays, static, arrays)
        return _filled(made.structure, iter(made.arrays)) if type(made) is _Outputs else made


def is_plain() -> bool:
    """Whether nothing around a call asks what happens inside of it."""
    return not (
        context.is_traced() or context.open_tapes.get() or context.layer_watcher() or context.around_layers.get()
        or context.distribution() is not None or jax.config.jax_disable_jit  # pyright: ignore[reportAttributeAccessIssue]
    )  # fmt: skip


def arrays_of(
    args: tuple[Any, ...], kwargs: dict[str, Any], kinds: tuple[type, ...] = (bool,)
) -> tuple[list[Any], Any, tuple[Any, ...]] | None:
    """(arrays, structure, settings with None for each array) of the arguments, or None if there are others.

    Args:
        args, kwargs: Arguments of a call.
        kinds: Types of settings.
    """
    if not kwargs and (known := _of_kinds((*map(type, args),))) is not None:  # as of most calls
        return [arg for arg in args if arg is not None], *known
    leaves: list[Any] = []
    structure = _structure((args, kwargs), leaves)
    arrays: list[Any] = []
    rest: list[Any] = []
    for leaf in leaves:
        if type(leaf) in kinds:
            rest.append((type(leaf), leaf))  # 1 and True are equal
            continue
        if isinstance(leaf, Variable):
            leaf = leaf.value
        elif isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biuf":
            leaf = to_array(leaf)
        if not isinstance(leaf, jax.Array) or (isinstance(leaf, Tracer) and not context.is_computing()):
            return None
        rest.append(None)
        arrays.append(leaf)
    return arrays, structure, tuple(rest)


@functools.lru_cache(MAX_SHARED)
def _of_kinds(kinds):
    """(structure, None for each array) of arguments of these types, or None if not all are arrays and None."""
    if not {ArrayImpl, type(None)}.issuperset(kinds):
        return None
    arrays: list[Any] = []
    structure = _structure((tuple(None if kind is not ArrayImpl else kind for kind in kinds), {}), arrays)
    return structure, (None,) * len(arrays)


def _structure(value: Any, leaves: list[Any]) -> Any:
    """The structure of nested tuples, lists, dicts and None; the leaves are appended to a list. Dicts keep their order,
    unlike in JAX."""
    kind = type(value)
    if kind is tuple or kind is list:
        return kind, tuple([_structure(item, leaves) for item in value])
    if kind is dict:
        return tuple(value), tuple([_structure(item, leaves) for item in value.values()])
    if value is None:
        return None
    leaves.append(value)
    return ()


def _filled(structure: Any, leaves: Iterator[Any]) -> Any:
    """The value of a structure with these leaves."""
    if not structure:
        return next(leaves) if structure == () else None
    kind, items = structure
    made = [_filled(item, leaves) for item in items]
    return kind(made) if isinstance(kind, type) else dict(zip(kind, made, strict=True))


def _arguments(structure, rest, arrays):
    """(args, kwargs) with these arrays."""
    given = iter(arrays)
    return _filled(structure, iter([next(given) if one is None else one[1] for one in rest]))


class _Outputs:
    """What a call returned, in a program."""

    def __init__(self, arrays: Sequence[Any], structure: Any) -> None:
        self.arrays, self.structure = arrays, structure


jax.tree_util.register_pytree_node(
    _Outputs, lambda made: (made.arrays, made.structure), lambda structure, arrays: _Outputs(arrays, structure)
)


def _outputs_of(value):
    arrays: list[Any] = []
    made = _Outputs(arrays, _structure(value, arrays))
    if not all(isinstance(array, jax.Array) for array in arrays):
        raise TracingError("A call gave something else than arrays.")
    return made


def _signature(arrays, static):
    return tuple((array.shape, array.dtype) for array in arrays), static


def _set_masks(tensors, masks):
    for tensor, mask in zip(tensors, masks, strict=True):
        if mask is not None:
            set_mask(tensor, mask)


def _program_of(owner, method, refs):
    """The compiled function of an object, shared with others of equal settings."""
    try:
        key = method, settings_of(owner, refs)
    except Unshared:
        return _new_program()
    program = _shared.pop(key, None) or _new_program()
    _shared[key] = program  # now the last one used
    while len(_shared) > MAX_SHARED:
        _shared.popitem(last=False)
    return program


def _new_program():
    """A compiled function (values, arrays, masks, the rest) -> (outputs, changed values by index, masks of the
    outputs). It asks for the object when it is traced, and does not keep it."""

    def lamina_call(values, arrays, masks, static):
        owner, refs, method = _owner.get()
        structure, rest, training, autocast, _ = static
        _set_masks(arrays, masks)
        args, kwargs = _arguments(structure, rest, arrays)
        outer = None if training is None else context.Call(owner, *training)
        with (
            context.with_slots(None),  # else global state would be written to the slots around the call
            context.bind(refs, values) as slots,
            context.call_scope(outer),
            context.autocast(autocast),
        ):
            outputs = method(owner, *args, **kwargs)
            changed = {index: slots[ref] for index, ref in enumerate(refs) if slots[ref] is not values[index]}
            made_here = {ref for ref in slots if isinstance(ref, Variable)}.difference(refs)
        if made_here:
            raise TracingError("A call made variables.")
        made = _outputs_of(outputs)
        masks = [*map(get_mask, made.arrays)]
        has_masks = any(mask is not None for mask in masks)
        is_one = made.structure == () and not changed and not has_masks
        return made.arrays[0] if is_one else (made, changed, masks if has_masks else None)

    return jax.jit(lamina_call, static_argnums=3)
