"""Shapes that an op cannot combine: on which axis they differ, and a call that works."""

from __future__ import annotations

import contextlib
import inspect
import math
import string
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import jax
import numpy as np

from lamina.core.arguments import shown
from lamina.core.broadcast_fixes import widened
from lamina.core.context import set_within
from lamina.core.probes import without_probe_sizes
from lamina.errors import LaminaError, ShapeError

__all__ = ["RULES", "OpUse", "is_trying", "not_alike", "trying"]

FAILURES = (
    TypeError, ValueError, IndexError, ZeroDivisionError, AttributeError, OverflowError, AssertionError, KeyError,
    NameError, NotImplementedError, RuntimeError,
)  # fmt: skip
_trying: ContextVar[bool] = ContextVar("trying", default=False)
is_trying = _trying.get
_ANY, _MOST = 97, 100_000  # for a size that is not known; elements of an array with which an op is tried


@contextlib.contextmanager
def trying() -> Iterator[bool]:
    """A block that tries calls which may fail; gives whether it is inside of another, where nothing is to be tried."""
    inside = _trying.get()
    with set_within(_trying, True):
        yield inside


class OpUse:
    """The arguments of an op: `shapes` of those that are tensors, by name."""

    name: str
    given: dict[str, Any]

    def __init__(self, name: str, function: Callable[..., Any], given: dict[str, Any]) -> None:
        self.name, self.function, self.given = name, function, given
        self.signature: inspect.Signature = inspect.signature(function)
        parameters = self.signature.parameters
        self.tensors: dict[str, Any] = {
            key: value
            for key, value in given.items()
            if "TensorLike" in str(parameters[key].annotation) or isinstance(value, (jax.Array, np.ndarray))
        }
        self.shapes: dict[str, Any] = {key: _shape(value) for key, value in self.tensors.items()}
        self.defaults: dict[str, Any] = {key: one.default for key, one in parameters.items()}
        self.annotations: dict[str, Any] = {key: one.annotation for key, one in parameters.items()}

    def works(self, **changed: Any) -> Any:
        """Shape of the result with other arguments, or None where it fails as well. Tensors may be given as shapes."""
        tensors = {key: _abstract(changed.get(key, value)) for key, value in self.tensors.items()}
        settings = {key: value for key, value in {**self.given, **changed}.items() if key not in tensors}

        def compute(arrays):
            bound = inspect.BoundArguments(
                self.signature, OrderedDict(sorted({**arrays, **settings}.items(), key=place))
            )
            return self.function(*bound.args, **bound.kwargs)

        def place(item):
            return [*self.signature.parameters].index(item[0])

        try:
            try:
                result = jax.eval_shape(compute, tensors)
            except jax.errors.JAXTypeError:  # it needs values
                if any(math.prod(one.shape) > _MOST for one in jax.tree.leaves(tensors)):
                    return None
                result = compute(jax.tree.map(lambda one: np.ones(one.shape, one.dtype), tensors))
            return getattr(result, "shape", ())
        except (*FAILURES, LaminaError):
            return None

    def code(self, *arguments: str, **settings: Any) -> str:
        """Code that calls the op."""
        given = [*arguments, *(f"{key}={value!r}" for key, value in settings.items())]
        return f"keras.ops.{self.name}({', '.join(given)})"


def _shape(value):
    if isinstance(value, (list, tuple)) and any(hasattr(one, "shape") for one in value):
        return [_shape(one) for one in value]
    try:
        return without_probe_sizes(np.shape(value))
    except (ValueError, TypeError):
        return None


def _abstract(value):
    """A tensor, or a shape in place of one, without its values."""
    if value is None or isinstance(value, jax.ShapeDtypeStruct):
        return value
    if isinstance(value, (list, tuple)) and any(hasattr(one, "shape") for one in value):
        return type(value)(_abstract(one) for one in value)
    shape = value if isinstance(value, tuple) and all(isinstance(one, int) for one in value) else np.shape(value)
    dtype = getattr(value, "dtype", None) or ("float32" if isinstance(value, tuple) else np.asarray(value).dtype)
    return jax.ShapeDtypeStruct(shape, jax.dtypes.canonicalize_dtype(dtype))


def brief(value: Any) -> str:
    """An argument as errors show it: an array by its type and shape."""
    if isinstance(value, (list, tuple)) and any(hasattr(one, "shape") for one in value):
        return f"[{', '.join(map(brief, value))}]"
    shape = getattr(value, "shape", None)
    return f"{getattr(value, 'dtype', '')}{without_probe_sizes(shape)}" if isinstance(shape, tuple) else shown(value)


def _reshape(call):
    shape, wanted = call.shapes.get("x"), call.given.get("newshape")
    if shape is None or None in shape or wanted is None:
        return None
    sizes = [wanted] if isinstance(wanted, (int, np.integer)) else list(wanted)
    tries = ([*sizes[:index], -1, *sizes[index + 1 :]] for index in range(len(sizes)))
    free = next((tuple(one) for one in tries if one.count(-1) == 1 and _divides(one, math.prod(shape))), (-1,))
    return ShapeError(
        f"reshape: {math.prod(shape)} elements, of shape {shape}, cannot take the shape {wanted}.",
        fix=call.code("x", f"{free}"),
    )


def _get_item(call):
    shape, key = call.shapes["x"], call.given.get("key")
    used = [one for one in key if one is not None and one is not Ellipsis] if isinstance(key, tuple) else []
    if len(used) <= len(shape):
        return None
    fix = f"x[{', '.join(_index(one) for one in used[: len(shape)])}]"
    return ShapeError(f"An array of shape {shape} has {len(shape)} axes; the index has {len(used)}.", fix=fix)


def _index(one):
    if not isinstance(one, slice):
        return str(one)
    parts = ["" if part is None else str(part) for part in (one.start, one.stop, one.step)]
    return ":".join(parts if parts[2] else parts[:2])


def _and(values):
    return " and ".join(map(str, values)) if len(values) < 5 else f"{values[0]}, {values[1]}, ... and {values[-1]}"


def _divides(sizes, total):
    rest = math.prod(size for size in sizes if size != -1)
    return all(isinstance(size, int) for size in sizes) and rest > 0 and total % rest == 0


def _squeeze(call):
    shape, axes = call.shapes["x"], call.given.get("axis")
    axes = axes if isinstance(axes, (list, tuple)) else [axes]
    wrong = next((one for one in axes if one is not None and shape[one] != 1), None)
    if wrong is None:
        return None
    ones = [axis for axis, size in enumerate(shape) if size == 1]
    fix = (
        call.code("x", axis=ones[0]) if len(ones) == 1 else call.code("x") if ones else f"keras.ops.take(x, 0, {wrong})"
    )
    return ShapeError(f"squeeze: axis {wrong} of shape {shape} has the size {shape[wrong]}, not 1.", fix=fix)


def _split(call):
    shape, parts, axis = call.shapes["x"], call.given.get("indices_or_sections"), call.given.get("axis", 0)
    if not isinstance(parts, int) or shape[axis] is None:
        return None
    size = shape[axis]
    counts = [one for one in range(1, size + 1) if size % one == 0]
    near = min(counts or [1], key=lambda one: abs(one - parts))
    message = f"split: axis {axis} of shape {shape} has the size {size}, which {parts} parts do not share evenly."
    if near == 1:
        return ShapeError(message, fix=f"keras.ops.array_split(x, {parts}, axis={axis})")
    return ShapeError(message, fix=call.code("x", str(near), axis=axis))


def _transpose(call):
    shape, axes = call.shapes["x"], call.given.get("axes")
    needed = f"each axis of an array of shape {shape} once, 0 to {len(shape) - 1}"
    return ShapeError(
        f"transpose: axes must name {needed}; got {axes}.", fix=call.code("x", str(tuple(reversed(range(len(shape))))))
    )


def _joined(call):
    """Tensors that cannot be joined: they differ in rank, or on an axis where they must agree."""
    key = next(iter(call.tensors), None)
    shapes = call.shapes.get(key)
    if not isinstance(shapes, list) or not shapes or None in shapes:
        return None
    ranks = {len(shape) for shape in shapes}
    if len(ranks) > 1:
        low, high = min(ranks), max(ranks)
        index = next(place for place, shape in enumerate(shapes) if len(shape) == low)
        fix = f"{key}[{index}][..., None] has one axis more." if high - low == 1 else f"Give all the rank {high}."
        return ShapeError(f"{call.name}: all tensors need the same rank; got shapes {_and(shapes)}.", fix=fix)
    rank, axis = ranks.pop(), call.given.get("axis", _AXES_OF_JOINS.get(call.name, 0))
    axis = axis % rank if isinstance(axis, int) and rank and call.name != "stack" else None
    axis = axis if call.name != "hstack" or rank > 1 else 0
    differ = [one for one in range(rank) if one != axis and len({shape[one] for shape in shapes} - {None}) > 1]
    if not differ:
        opened = [n for n in range(rank) if n != axis and len({one[n] for one in shapes}) > 1]
        message = f"{call.name}: axis {min(opened, default=0)} is that of the batch in some of {_and(shapes)}."
        fix = "keras.ops.shape(x)[0] is the size of the batch of x."
        single = next((one for one in shapes if opened[:1] == [0] and one[0] == 1), None)  # the same for all samples
        if single:
            fix = f"keras.ops.broadcast_to(token, (keras.ops.shape(x)[0], *{single[1:]}))  # token of shape {single}"
        return ShapeError(message, fix=fix) if opened else None
    sizes = [shape[differ[0]] for shape in shapes]
    message = f"{call.name}: sizes on axis {differ[0]} differ: {_and(sizes)}, of shapes {_and(shapes)}."
    if call.name == "concatenate" and len(differ) == 1 and call.works(axis=differ[0]) is not None:
        return ShapeError(message, fix=call.code(key, axis=differ[0]))
    if call.name in ("stack", "vstack", "hstack") and len(differ) == 1:
        return ShapeError(message, fix=f"keras.ops.concatenate({key}, axis={differ[0]})")
    return ShapeError(message, fix=f"Give all tensors {min(filter(None, sizes))} on axis {differ[0]}.")


_AXES_OF_JOINS = {"concatenate": 0, "hstack": 1, "vstack": 0, "dstack": 2, "append": 0}


def _contracted(call):
    """Products of matrices whose inner sizes differ."""
    a, b = call.shapes.get("x1"), call.shapes.get("x2")
    if not isinstance(a, tuple) or not isinstance(b, tuple):
        return None
    if not a or not b:
        return ShapeError(f"{call.name}: a single number has no axes to sum over; got {a} and {b}.", fix="x1 * x2")
    last = -1 if call.name in ("inner", "vdot") or len(b) == 1 else -2
    if a[-1] == b[last]:
        return not_alike(call, {"x1": a[:-2], "x2": b[:-2]}, end=2)
    message = (
        f"{call.name}: axis -1 of x1, of shape {a}, and axis {last} of x2, of shape {b}, differ: {a[-1]} and {b[last]}."
    )
    return ShapeError(message, fix=_repaired(call, message) or f"Make x2 of shape {_with(b, last, a[-1])}.")


def _with(shape, axis, size):
    return tuple(size if place == axis % len(shape) else one for place, one in enumerate(shape))


def _tensordot(call):
    a, b, axes = call.shapes["x1"], call.shapes["x2"], call.given.get("axes", 2)
    if isinstance(axes, int):
        first, second = list(range(len(a) - axes, len(a))), list(range(axes))
    else:
        first, second = (one if isinstance(one, (list, tuple)) else [one] for one in axes)
    for one, other in zip(first, second, strict=False):
        if not (-len(a) <= one < len(a) and -len(b) <= other < len(b)) or a[one] != b[other]:
            pair = next(((i, j) for i in range(len(a)) for j in range(len(b)) if a[i] == b[j]), None)
            fix = f"axes={[[one] for one in pair]}" if pair else f"Make x2 of shape {(a[-1], *b[1:])} and axes=1."
            return ShapeError(f"tensordot: axes={axes} of shapes {a} and {b} do not have the same sizes.", fix=fix)
    return None


def _einsum(call):
    equation, shapes = str(call.given.get("subscripts")), [_shape(one) for one in call.given.get("operands", ())]
    terms, arrow, result = equation.replace(" ", "").partition("->")
    letters = terms.split(",")
    if len(letters) != len(shapes):
        message = f"einsum: {equation!r} is for {len(letters)} operands; got {len(shapes)}."
        return ShapeError(message, fix="One term of the equation for each operand, 'ij,jk->ik' for two.")
    sizes = {}
    for term, shape in zip(letters, shapes, strict=True):
        if "..." in term or shape is None:
            return None
        if len(term) != len(shape):
            fitting = "".join([*term, *(one for one in string.ascii_lowercase if one not in terms)][: len(shape)])
            message = f"einsum: {term!r} has {len(term)} axes; its operand has the shape {shape}."
            return ShapeError(message, fix=f"A letter for each axis, such as {fitting!r}.")
        for letter, size in zip(term, shape, strict=True):
            if sizes.setdefault(letter, size) not in (size, None):
                message = f"einsum: {letter!r} of {equation!r} has the sizes {sizes[letter]} and {size}."
                return ShapeError(message, fix=f"Give the operands, of shapes {_and(shapes)}, one size of {letter!r}.")
    unknown = [letter for letter in result if letter not in sizes]
    if arrow and unknown:
        known = f"{terms}->{''.join(letter for letter in result if letter in sizes)}"
        return ShapeError(f"einsum: {unknown[0]!r} of the result of {equation!r} is in no operand.", fix=repr(known))
    return None


def not_alike(call: OpUse, shapes: Any = None, end: int = 0) -> LaminaError | None:
    """Tensors that are computed element by element but whose shapes do not broadcast.

    Args:
        call: Use of an op.
        shapes: Shapes to look at; None means those of all tensors.
        end: Number of last axes that they lack.
    """
    shapes = {key: shape for key, shape in (shapes or call.shapes).items() if isinstance(shape, tuple)}
    if not {"x1", "x2"} <= shapes.keys() and call.name not in ("where", "clip"):
        return None
    rank = max(map(len, shapes.values()), default=0)
    for axis in range(-1, -rank - 1, -1):
        sizes = {key: shape[axis] for key, shape in shapes.items() if len(shape) >= -axis}
        if len({*sizes.values()} - {1, None}) > 1:
            given = " and ".join(f"{key} {call.shapes[key]}" for key in sizes)
            differ = " and ".join(map(str, sizes.values()))
            message = f"{call.name}: shapes do not broadcast, {given}: sizes {differ} on axis {axis - end}."
            return ShapeError(message, fix=_repaired(call, message) or widened(sizes, shapes, axis - end))
    return None


def _repaired(call, message):
    """The call with one of its two tensors turned, or given one more axis, if that works; else None."""
    a, b = (call.shapes.get(key) for key in ("x1", "x2"))
    if call.name == "where" or not isinstance(a, tuple) or not isinstance(b, tuple):
        return None
    is_open = {"x1": None in a, "x2": None in b}
    a, b = (tuple(_ANY if size is None else size for size in shape) for shape in (a, b))
    rank = max(len(a), len(b))
    is_product = call.name in _CONTRACTIONS
    tries = [] if is_product or len(a) == len(b) else [("x1", "x2[:, None]"), ("x1", "x2[..., None]"),
        ("x1[:, None]", "x2"), ("x1[..., None]", "x2")]  # fmt: skip
    turned = "keras.ops.transpose({})" if rank <= 2 else "keras.ops.swapaxes({}, -1, -2)"
    if min(len(a), len(b)) > 1:
        tries += [("x1", turned.format("x2")), (turned.format("x1"), "x2")]
    tries += [("x2", "x1")] if is_product else []
    for first, second in tries:
        if any(is_open[key] and code != key for key, code in (("x1", first), ("x2", second))):
            continue  # a size that is not known is that of the batch, and stays where it is
        x1, x2 = (_turned(one, a, b) for one in (first, second))
        shape = call.works(x1=x1, x2=x2)
        if shape is not None and (is_product or shape in (a, b)):
            return call.code(first, second)
    return None


def _turned(code, a, b):
    """The shape that the code of an argument gives."""
    shape = a if "x1" in code else b
    if "transpose" in code or "swapaxes" in code:
        return (*shape[:-2], shape[-1], shape[-2])
    if "[:, None]" in code:
        return (shape[0], 1, *shape[1:]) if shape else (1,)
    return (*shape, 1) if "None" in code else shape


_CONTRACTIONS = ("matmul", "dot", "inner", "vdot")
RULES: dict[str, Callable[[OpUse], LaminaError | None]] = {
    "reshape": _reshape, "squeeze": _squeeze, "split": _split, "transpose": _transpose, "tensordot": _tensordot,
    "einsum": _einsum, "get_item": _get_item, **dict.fromkeys(_AXES_OF_JOINS, _joined), "stack": _joined,
    **dict.fromkeys(_CONTRACTIONS, _contracted),
}  # fmt: skip
