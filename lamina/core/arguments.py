"""Checks of arguments, each with an error that names the argument, what it got, and a value that works."""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Iterable
from types import FunctionType
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from lamina.core.call_sites import site_above
from lamina.errors import ConfigError, ShapeError, warn
from lamina.spelling import nearest as spelling

# Values of arguments that many classes need, for the code that errors print.
EXAMPLES = {
    "units": 32, "filters": 32, "kernel_size": 3, "pool_size": 2, "rate": 0.5, "stddev": 0.1, "input_dim": 1000,
    "output_dim": 64, "num_heads": 4, "num_query_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "key_dim": 16,
    "output_size": 1, "n": 3, "target_shape": (-1,), "dims": (2, 1), "axes": -1, "padding": 1, "cropping": 1,
    "height": 32, "width": 32, "factor": 0.1, "scale": 1 / 255, "num_bins": 10, "num_tokens": 10, "max_tokens": 1000,
    "output_shape": 32, "equation": "abc,cd->abd", "activation": "relu",
}  # fmt: skip


def is_whole(value: Any, least: int = 0) -> bool:
    """Whether `value` is a whole number, Python's, NumPy's or an array without axes, of `least` or more.

    Args:
        value: Any value.
        least: Smallest number.

    >>> is_whole(np.int64(3)), is_whole(0.5), is_whole(0, least=1)
    (True, False, False)
    """
    if isinstance(value, jax.Array) and not isinstance(value, Tracer) and value.ndim == 0:
        value = np.asarray(value)[()]
    return isinstance(value, (int, np.integer)) and bool(value >= least)


def whole(owner: Any, name: str, value: Any, least: int = 1, most: int | None = None, example: Any = None) -> int:
    """`value` as an int, where it is a whole number from `least` to `most`.

    Args:
        owner: Object or name of the class whose argument it is.
        name: Name of the argument.
        value: What was given.
        least, most: Smallest and largest number.
        example: Number that the error prints where none is near what was given.

    Raises:
        ConfigError: It is not such a number.

    >>> whole("Dense", "units", np.int64(3))
    3
    """
    if not isinstance(value, (bool, np.bool_)) and is_whole(value, least) and (most is None or value <= most):
        return int(value)
    kind = "a positive integer" if (least, most) == (1, None) else f"a whole number of {least} or more"
    if most is not None:
        kind = f"a whole number from {least} to {most}"
    if (
        name == "units"
        and isinstance(value, (tuple, list))
        and len(value) > 1
        and all(is_whole(one, 1) for one in value)
    ):
        each = ", ".join(f"keras.layers.{name_of(owner)}({one})" for one in value)
        raise ConfigError(f"{name_of(owner)}: `units` must be {kind}; got {shown(value)}. A layer has one.", fix=each)
    near = _number(value[0] if isinstance(value, (tuple, list)) and len(value) == 1 else value)
    if near is not None and near < least <= -near:
        near = -near
    if near is None or near < least or isinstance(value, bool):
        near = EXAMPLES.get(name, max(least, 1)) if example is None else example
    near = int(min(max(near, least), math.inf if most is None else most))
    raise ConfigError(f"{name_of(owner)}: `{name}` must be {kind}; got {shown(value)}.", fix=f"{name}={near}")


def real(
    owner: Any,
    name: str,
    value: Any,
    least: float = -math.inf,
    most: float = math.inf,
    example: float | None = None,
    ends: str = "[]",
) -> Any:
    """`value`, where it is a number from `least` to `most`.

    Args:
        owner: Object or name of the class whose argument it is.
        name: Name of the argument.
        value: What was given.
        least, most: Smallest and largest number.
        example: Number that the error prints where none is near what was given.
        ends: Whether `least` and `most` themselves are allowed: "[]" both, "(]" only `most`.

    Raises:
        ConfigError: It is not such a number.

    >>> real("Dropout", "rate", 0.5, 0, 1)
    0.5
    """
    number = value if isinstance(value, (int, float, np.integer, np.floating)) else None
    if number is not None and not isinstance(number, bool) and _is_within(number, least, most, ends):
        return value
    limits = {
        (False, False): "a number", (True, False): f"a number {'above' if ends[0] == '(' else 'of at least'} {least}",
        (True, True): f"a number from {least} to {most}", (False, True): f"a number of at most {most}",
    }[math.isfinite(least), math.isfinite(most)]  # fmt: skip
    without = [str(end) for end, mark in ((least, ends[0]), (most, ends[1])) if mark in "()" and math.isfinite(end)]
    if without and math.isfinite(most):
        limits += f", {' and '.join(without)} not included"
    raise ConfigError(
        f"{name_of(owner)}: `{name}` must be {limits}; got {shown(value)}.",
        fix=f"{name}={_near_real(name, value, least, most, example, ends)}",
    )


def _near_real(name, value, least, most, example, ends):
    """A number that is allowed: what was given as a percentage, without its sign, or as text."""
    given = _number(value)
    tries = [] if given is None or isinstance(value, bool) else [given, given / 100 if most == 1 < given else -given]
    for one in (*tries, example, EXAMPLES.get(name), 0.1, least + 1, most - 1):
        if one is not None and _is_within(one, least, most, ends):
            return one
    return least


def _is_within(value, least, most, ends):
    above = value > least if ends[0] == "(" else value >= least
    return bool(above and (value < most if ends[1] == ")" else value <= most))


def boolean(owner: Any, name: str, value: Any) -> bool:
    """`value` as a bool, where it is True or False.

    Args:
        owner: Object or name of the class whose argument it is.
        name: Name of the argument.
        value: What was given.

    Raises:
        ConfigError: It is something else.

    >>> boolean("Dense", "use_bias", False)
    False
    """
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    near = bool(value) if isinstance(value, (int, float)) else str(value).lower() not in ("false", "no")
    raise ConfigError(f"{name_of(owner)} expects `{name}` to be a boolean; got {shown(value)}.", fix=f"{name}={near}")


def choice(owner: Any, name: str, value: Any, known: Iterable[Any]) -> Any:
    """`value`, where it is one of `known`; the error names the most similar of them.

    Args:
        owner: Object or name of the class whose argument it is.
        name: Name of the argument.
        value: What was given.
        known: Values that are allowed.

    Raises:
        ConfigError: It is another.

    >>> choice("Conv2D", "padding", "same", ("valid", "same"))
    'same'
    """
    known = tuple(known)
    if isinstance(value, (str, int, float, type(None))) and value in known:
        return value
    raise ConfigError(
        f"{name_of(owner)}: `{name}` must be {listed(known)}; got {shown(value)}.",
        fix=f"{name}={nearest(value, known)!r}",
    )


def nearest(value: Any, known: Iterable[Any]) -> Any:
    """The one of `known` that is most like `value`; the first where none is.

    >>> nearest("Same", ("valid", "same"))
    'same'
    """
    known = tuple(known)
    names = {one.lower(): one for one in reversed(known) if isinstance(one, str)}
    near = spelling.nearest(str(value).lower(), names, 1)
    numbers = [one for one in known if is_whole(one) and not isinstance(one, bool)]
    if not near and numbers and _number(value) is not None:
        return min(numbers, key=lambda one: abs(one - float(value)))
    return names[near[0]] if near else known[0]


def listed(values: Iterable[Any]) -> str:
    """The values as a text: 'a', 'b' or 'c'."""
    *first, last = map(repr, values)
    return f"{', '.join(first)} or {last}" if first else last


def name_of(owner: Any) -> str:
    """The name that errors have for an object: that of its class."""
    return owner if isinstance(owner, str) else type(owner).__name__


def shown(value: Any) -> str:
    """A value as errors show it: an array by its shape, a class by its name."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, FunctionType):
        return f"the function {value.__name__}"
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"{type(value).__name__.replace('ArrayImpl', 'Array')} of shape {shape}"
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:110]}... ({type(value).__name__})"


def example_call(cls: type, given: Iterable[str] = (), names: Iterable[str] = ()) -> str:
    """Code that makes an object: `Dense(32)`, with the arguments that have no default.

    Args:
        cls: Class.
        given: Code of the arguments that come first.
        names: Names of the arguments that `given` has by name.

    >>> import lamina as keras
    >>> example_call(keras.layers.Conv2D), example_call(keras.layers.Conv2D, ["8"])
    ('Conv2D(32, 3)', 'Conv2D(8, 3)')
    """
    given, names = [*given], {*names}
    parameters = [*inspect.signature(cls.__init__).parameters.values()][1:]
    positional = [one for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    missing = [one.name for one in positional[len(given) :] if one.default is one.empty and one.name not in names]
    return f"{cls.__name__}({', '.join([*given, *(repr(EXAMPLES.get(name, name)) for name in missing)])})"


def _number(value):
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return (int(number) if number.is_integer() else number) if math.isfinite(number) else None


def rank(owner: Any, name: str, shape: Any, least: int, most: float = math.inf, axes: str = "") -> None:
    """Check how many axes an array has.

    Args:
        owner: Object or name of the class or function whose argument it is.
        name: Name of the argument.
        shape: Shape of the array.
        least, most: Smallest and largest rank.
        axes: What the axes are, "(batch, height, width, channels)".

    Raises:
        ShapeError: It has more or fewer.

    >>> rank("grayscale", "images", (28, 28, 3), 3, 4)
    """
    shape = tuple(shape)
    if least <= len(shape) <= most:
        return
    ends = f"{least} or more" if most == math.inf else f"{least}" if most == least else f"{least} to {most}"
    fix = f"{name}[None] has one axis more."
    if len(shape) > most:
        fix = f"keras.ops.reshape({name}, {(-1, *shape[len(shape) - int(most) + 1 :])})"
    elif len(shape) < least - 1:
        fix = f"keras.ops.reshape({name}, {(*[1] * (least - len(shape) - 1), -1, *shape[-1:])})"
    raise ShapeError(f"{name_of(owner)}: `{name}` needs rank {ends}{axes and ', '}{axes}; got shape {shape}.", fix=fix)


def numbers_in(value: Any) -> list[float]:
    """The number that a text or a value says, whole if it is; [] where it says none.

    Args:
        value: Text, or anything.
    """
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return []
    return [int(number) if number.is_integer() else number]


def is_kind(value: Any, package: str, *names: str) -> bool:
    """Whether the class of a value, or one of its bases, has one of these names in a package.

    Args:
        value: Anything.
        package: Name of the package.
        *names: Names of classes.
    """
    return any(kind.__name__ in names and kind.__module__.partition(".")[0] == package for kind in type(value).__mro__)


def one_shape(shape: Any, second: Any) -> Any:
    """The shape of a draw, with a warning for normal(3, 4), which is not of shape (3, 4).

    Args:
        shape: The first argument.
        second: The second argument, which may have been meant as a size.
    """
    if not type(shape) is type(second) is int or second < 2:
        return shape
    site = site_above()
    if site is None or not isinstance(site.node, ast.Call):
        return shape
    given = site.node.args
    if [getattr(one, "value", None) for one in given[:2]] == [shape, second]:
        sizes = ", ".join(map(ast.unparse, given))
        message = f"`{site.text}` has the shape ({shape},): its shape is one argument, and {second} is the next one."
        warn(f"{message}\n{site.callee}(({sizes}))")
    return shape
