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

__all__ = ["check_config_values", "check_sizes"]

_WHOLE = frozenset((
    "int", "Size", "Axis", "Axes", "Sequence[int]", "Sequence[int | None]", "tuple[int, ...]", "Shape", "ShapeLike",
))  # fmt: skip
_LISTS_OF_FLOATS = frozenset(("Range", "Sequence[float]", "tuple[float, float]"))
_LISTS = (_WHOLE - {"int", "Axis"}) | _LISTS_OF_FLOATS
_NUMBERS = _WHOLE | _LISTS_OF_FLOATS | {"float", "bool"}
_FAMILIES = {  # type -> (module where a name alone is looked up, bases, what it is, whether a text names it)
    "InitializerLike": ("keras.initializers", {"Initializer"}, "an initializer", True),
    "RegularizerLike": ("keras.regularizers", {"Regularizer"}, "a regularizer", True),
    "ConstraintLike": ("keras.constraints", {"Constraint"}, "a constraint", True),
    "ActivationLike": ("keras.activations", {"lamina.layers.activation_layers"}, "an activation", True),
    "LearningRateLike": ("keras.optimizers.schedules", {"LearningRateSchedule"}, "a number or a schedule", False),
    "DTypeOrPolicy": ("keras.dtype_policies", {"DTypePolicy", "Policy"}, "a dtype policy", True),
    "SeedLike": ("keras.random", {"SeedGenerator"}, "a seed", False),
    "Optimizer": ("keras.optimizers", {"Optimizer"}, "an optimizer", True),
    "Quantizer": ("keras.quantizers", {"Quantizer", "QuantizationConfig"}, "a quantizer", True),
    "Callable[..., Any]": (None, set(), "a function", True),
    "Layer": ("keras.layers", {"Layer"}, "a layer", False),
    "Model": ("keras.models", {"Model"}, "a model", False),
}
_OF_ANY = {  # types of arguments that are declared as Any
    "dtype": "DTypeOrPolicy", "activity_regularizer": "RegularizerLike", "cell": "Layer", "layer": "Layer",
    "backward_layer": "Layer", "weight_quantizer": "Quantizer", "activation_quantizer": "Quantizer",
    "quantization_config": "Quantizer",
}  # fmt: skip
_WORDS = {
    "int": "a whole number", "float": "a number", "bool": "True or False", "str": "a text",
    "Axis": "a whole number", "Size": "a whole number or a list of them", "Axes": "a whole number or a list of them",
    "Range": "a number or a list of them", "Sequence[float]": "a list of numbers", "tuple[float, float]": "two numbers",
    **{word: name for word, (_, _, name, _) in _FAMILIES.items()},
}  # fmt: skip
_KNOWN = _NUMBERS | set(_FAMILIES) | {"None", "str", "DataFormat", "Reduction"}
_TEXTS = frozenset(("str", "DataFormat", "Reduction", *(word for word, (_, _, _, named) in _FAMILIES.items() if named)))
_VALUES = ("__tensor__", "__numpy__", "__tuple__")  # descriptions of what JSON has no form for
_RANGES = {
    "learning_rate": (0, math.inf), "initial_learning_rate": (0, math.inf), "epsilon": (0, math.inf),
    "momentum": (0, 1), "ema_momentum": (0, 1), "rho": (0, 1), "beta_1": (0, 1), "beta_2": (0, 1),
}  # fmt: skip
_LARGEST = 3.5e38  # float32 has no larger numbers
_NO_SIZES = frozenset((  # whole, and free
    "seed", "salt", "num_bins", "vocabulary", "oov_token", "mask_token", "decay_steps", "warmup_steps", "total_steps",
    "first_decay_steps", "boundaries", "gradient_accumulation_steps", "ema_overwrite_frequency", "dynamic_growth_steps",
))  # fmt: skip
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
        value = _plain(value)
        if kind is not None and kind <= _KNOWN and not _fits(value, kind):
            _refuse(cls, name, value, kind)
        if isinstance(value, float) and name not in _ANY_NUMBER and not (abs(value) <= _LARGEST or math.isinf(value)):
            _refuse(cls, name, value, kind or {"float"})
        _check_range(cls, name, value)
    check_sizes(cls, config)


def check_sizes(cls: type, config: dict[str, Any], built: Any = None) -> None:
    """Refuse numbers that are too large to be sizes.

    Args:
        cls: Class, of lamina or derived from one.
        config: Its config.
        built: Its build config: the shapes of its inputs.

    Raises:
        UnsafeFileError: A size is larger than the budget explains.
    """
    kinds = _kinds_of(cls)
    for name, value in config.items():
        kind = kinds.get(name)
        if kind is None and name in signature_of(cls):
            continue
        if (kind is None or kind & _WHOLE) and name not in _NO_SIZES:  # None: an argument of an earlier version
            for number in _whole_numbers(_plain(value)):
                check_size(number, f"{name} of {cls.__name__}")
    for number in _whole_numbers([*built.values()] if isinstance(built, dict) else built):
        check_size(number, f"A size in the build_config of {cls.__name__}")


@functools.lru_cache(maxsize=1024)
def _kinds_of(cls):
    """{argument: its types, as words}, where the class that declares it is lamina's."""
    return {
        name: _declared(name, str(parameter.annotation))
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


def _declared(name, annotation):
    words = _alternatives(annotation)
    words |= {"None"} if words & {"Axes", "Axis"} else set()
    return frozenset((_OF_ANY[name],)) if words == {"Any"} and name in _OF_ANY else words


def _plain(value):
    """What a description of an array or a tuple holds."""
    for _ in range(3):
        if not (isinstance(value, dict) and value.get("class_name") in _VALUES and isinstance(value["config"], dict)):
            break
        value = value["config"].get("value")
    return value


def _fits(value, kind):
    if value is None:
        return "None" in kind or not kind <= _NUMBERS | {"LearningRateLike"}
    if isinstance(value, dict):
        return any(_is_of_family(value, *_FAMILIES[word][:2]) for word in kind if word in _FAMILIES)
    if isinstance(value, bool):
        return bool(kind & {"bool", "int", "float"})
    if isinstance(value, str):
        return bool(kind & _TEXTS)
    if isinstance(value, int):
        return bool(kind & (_NUMBERS - {"bool"} | {"LearningRateLike", "SeedLike"})) or value in (0, 1)
    if isinstance(value, float):
        whole = bool(kind & (_WHOLE | {"SeedLike"})) and value.is_integer()
        return bool(kind & {"float", "LearningRateLike", "Range"}) or whole
    return isinstance(value, (list, tuple)) and bool(kind & _LISTS) and all(_is_in_list(item, kind) for item in value)


def _is_in_list(item, kind):
    """Whether a list, of lists too, holds what such lists hold: a shape has no fractions and no texts in it."""
    if isinstance(item, (list, tuple)):
        return all(_is_in_list(one, kind) for one in item)
    if isinstance(item, float):
        return bool(kind & _LISTS_OF_FLOATS) or item.is_integer()
    return item is None or isinstance(item, int)


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


def _is_of_family(value, module, bases):
    """Whether a description is of an object of this family, or of a class or function of the program."""
    name = value.get("class_name")
    if name == "__lambda__" or not isinstance(name, str):
        return name == "__lambda__"  # refused, or made, where bytecode is
    is_name = name in ("function", "type")
    named, registered = value.get("config") if is_name else name, value.get("registered_name")
    if any(isinstance(key, str) and registry.get_registered_object(key) is not None for key in (registered, named)):
        return True
    is_known = module and isinstance(named, str) and registry.look_up(module, named) is not None
    found = registry.find(named, value.get("module"), registered, namespaces=(module,) if is_known else None)
    if not isinstance(found, type):
        return not module or any(known is found for key, known in registry.FUNCTIONS.items() if key[0] == module)
    known = {known.__name__ for known in found.__mro__ if registry.is_builtin(known)}
    return not is_name and not bases.isdisjoint(known | {found.__module__})


def _refuse(cls, name, value, kind):
    text = repr(value)
    text = text if len(text) <= 60 else f"{text[:57]}..."
    words = {_WORDS.get(word, "a text" if word in _TEXTS else "a list of whole numbers") for word in kind - {"None"}}
    raise ConfigError(f"{name} of {cls.__name__} in the config is {text}; it is {' or '.join(sorted(words))}.")
