"""Values of a config, held against the types that the arguments of the class declare, before an object is made.

A number in a file may be used as a size: of a range, a list, an array. So each one that stands for an argument of whole
numbers comes out of the budget of the file (`read_limits`), whichever class it is for.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

from lamina.core import registry
from lamina.core.read_limits import check_size
from lamina.core.representation import signature_of
from lamina.errors import ConfigError

__all__ = ["check_config_values"]

_WHOLE = frozenset(("int", "Size", "Sequence[int]", "Sequence[int | None]", "tuple[int, ...]", "Shape", "ShapeLike"))
_WORDS = {
    "int": "a whole number", "float": "a number", "bool": "True or False", "Size": "a whole number or a list of them",
}  # fmt: skip
_LISTS = _WHOLE - {"int"}
_KNOWN = _WHOLE | {"float", "bool", "None"}
_FAMILIES = {
    "InitializerLike": ("keras.initializers",), "RegularizerLike": ("keras.regularizers",),
    "ConstraintLike": ("keras.constraints",), "LearningRateLike": ("keras.optimizers", "keras.optimizers.schedules"),
}  # fmt: skip
_RANGES = {
    "learning_rate": (0, math.inf), "epsilon": (0, math.inf), "momentum": (0, 1), "ema_momentum": (0, 1), "rho": (0, 1),
    "beta_1": (0, 1), "beta_2": (0, 1),
}  # fmt: skip
_LARGEST = 3.5e38  # float32 has no larger numbers
_NO_SIZES = frozenset(("seed", "salt", "num_bins", "vocabulary", "oov_token", "mask_token"))  # whole, and free
_ANY_NUMBER = frozenset(("mask_value", "fill_value", "value", "nan"))  # numbers that are data, NaN included


def check_config_values(cls: type, config: dict[str, Any]) -> None:
    """Refuse a config whose numbers are of another kind than the arguments they are for, or too large to be sizes.

    Args:
        cls: Class, of lamina or derived from one. Arguments of classes of the program are not checked.
        config: Its config.

    Raises:
        ConfigError: A value is of another kind, or NaN.
        UnsafeFileError: A size is larger than the budget explains.

    >>> from lamina import layers
    >>> check_config_values(layers.UpSampling1D, {"size": "text"})
    Traceback (most recent call last):
    lamina.errors.ConfigError: size of UpSampling1D in the config is 'text'; it is a whole number or a list of them.
    """
    kinds = _kinds_of(cls)
    for name, value in config.items():
        kind = kinds.get(name)
        if kind is None and name in signature_of(cls):  # of a class of the program
            continue
        if kind is not None and kind <= _KNOWN and not _fits(value, kind):
            _refuse(cls, name, value, kind)
        if isinstance(value, float) and name not in _ANY_NUMBER and not (abs(value) <= _LARGEST or math.isinf(value)):
            _refuse(cls, name, value, kind or {"float"})
        _check_range(cls, name, value)
        if isinstance(value, dict) and not _is_of_family(value, kind):
            _refuse(cls, name, value, kind)
        if (kind is None or kind & _WHOLE) and name not in _NO_SIZES:  # None: an argument of an earlier version
            for number in _whole_numbers(value):
                check_size(number, f"{name} of {cls.__name__}")


@functools.lru_cache(maxsize=1024)
def _kinds_of(cls):
    """{argument: its types, as words}, where the class that declares it is lamina's."""
    return {
        name: _alternatives(str(parameter.annotation))
        for name, (parameter, owner) in signature_of(cls).items()
        if registry.is_builtin(owner)
    }


def _alternatives(annotation):
    """The words between the bars of a type, not those inside brackets."""
    words, depth, start = [], 0, 0
    for place, letter in enumerate(annotation + "|"):
        depth += (letter == "[") - (letter == "]")
        if letter == "|" and depth == 0:
            words.append(annotation[start:place].strip())
            start = place + 1
    return frozenset(words)


def _fits(value, kind):
    if value is None or (isinstance(value, dict) and "class_name" in value):  # None: left out by some versions of Keras
        return True
    if isinstance(value, bool):
        return bool(kind & {"bool", "int", "float"})
    if isinstance(value, int):
        return bool(kind & (_WHOLE | {"float"})) or value in (0, 1)
    if isinstance(value, float):
        return "float" in kind or (bool(kind & _WHOLE) and value.is_integer())
    return isinstance(value, (list, tuple)) and bool(kind & _LISTS)


def _whole_numbers(value) -> Iterator[int]:
    if isinstance(value, (int, float)) and math.isfinite(value):
        yield int(value)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _whole_numbers(item)


def _check_range(cls, name, value):
    least, most = _RANGES.get(name, (-math.inf, math.inf))
    if isinstance(value, (int, float)) and not least <= value <= most:
        raise ConfigError(f"{name} of {cls.__name__} in the config is {value}; it is from {least} to {most}.")


def _is_of_family(value, kind):
    """Whether a description is of an object of the family that the argument is of, if both are known."""
    families = next((families for word, families in _FAMILIES.items() if word in (kind or ())), None)
    module = value.get("module")
    if families is None:
        return True
    return bool(value) and isinstance(module, str | None) and registry._namespace(module) in (None, "keras", *families)


def _refuse(cls, name, value, kind):
    text = repr(value)
    text = text if len(text) <= 60 else f"{text[:57]}..."
    words = " or ".join(sorted({_WORDS.get(word, "a list of whole numbers") for word in kind - {"None"}}))
    raise ConfigError(f"{name} of {cls.__name__} in the config is {text}; it is {words}.")
