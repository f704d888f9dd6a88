"""Names that do not exist: of modules, of objects, and in strings, and what was meant."""

from __future__ import annotations

import dis
import functools
import inspect
import opcode
import os
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

from lamina.errors import HERE, UnknownImportError, UnknownNameError
from lamina.spelling.elsewhere import ATTRIBUTES, NAMES
from lamina.spelling.nearest import letters_of, nearest, or_list

__all__ = ["as_strings", "meant", "unknown_attribute", "unknown_member"]

_KINDS = {
    "Model": "model", "Layer": "layer", "Optimizer": "optimizer", "History": "history", "KerasTensor": "tensor",
    "Variable": "variable", "ArrayImpl": "array", "Callback": "callback", "Metric": "metric", "Loss": "loss",
}  # fmt: skip
_MECHANISMS = tuple(f"{HERE}{folder}{os.sep}" for folder in ("core", "legacy", "runtime", "spelling"))
_IMPORT_FROM = opcode.opmap["IMPORT_FROM"]


def meant(name: str, known: Iterable[str], strict: bool = False) -> tuple[str, list[str]]:
    """(sentence with a space before it, names or code that were meant); ("", []) where nothing is near.

    Args:
        name: Name that does not exist.
        known: Names that exist.
        strict: See `nearest`.

    >>> meant("accurracy", ["accuracy", "hinge"])
    (" Did you mean 'accuracy'?", ['accuracy'])
    >>> meant("BCEWithLogitsLoss", [])[0]
    " In Keras it is 'keras.losses.BinaryCrossentropy(from_logits=True)'."
    """
    known = list(known)
    letters = {letters_of(key): key for key in sorted(known, key=lambda key: key.islower() == name.islower())}
    there = NAMES.get(name) or NAMES.get(letters_of(name), "")
    if longer := [key for key in known if key.startswith(f"{name}_")][:2]:  # datasets.mnist.load
        return f" Did you mean {or_list([*map(repr, longer)])}?", longer
    is_other = letters_of(name) not in letters or there.startswith("jax.")  # keras.function is no keras.Function
    if ("." in there or letters_of(there) in letters) and is_other:
        there = letters.get(letters_of(there), there)
        return f" In Keras it is {there!r}.", [there]
    near = nearest(name, known, strict=strict)
    return (f" Did you mean {or_list([*map(repr, near)])}?" if near else ""), near


def as_strings(names: Iterable[str]) -> list[str]:
    """Names as programs write them in strings: in lower case where there is such a name, unless it is odd: mean_io_u.

    Args:
        names: Names in all spellings.

    >>> as_strings(["Accuracy", "accuracy", "MeanIoU", "mean_io_u"])
    ['accuracy', 'MeanIoU']
    """
    best: dict[str, str] = {}
    for name in sorted(names, key=lambda name: (bool(re.search(r"_[a-z]$", name)), not name.islower(), name)):
        best.setdefault(letters_of(name), name)
    return sorted(best.values(), key=str.lower)


def unknown_attribute(owner: Any, name: str) -> UnknownNameError:
    """The error for an attribute that an object does not have.

    Args:
        owner: The object.
        name: Name of the attribute.
    """
    kind = type(owner).__name__.replace("ArrayImpl", "Array")
    message = f"{kind!r} object has no attribute {name!r}."
    return UnknownNameError(message, functools.partial(_suggest_attribute, owner, name))


def _suggest_attribute(owner, name):
    kind = next((_KINDS[cls.__name__] for cls in type(owner).__mro__ if cls.__name__ in _KINDS), "")
    if kind == "layer" and not owner.built and _is_made_in_build(type(owner), name):
        return " It is made when the layer is built.", f"layer.build((None, 8)); layer.{name}"
    there = ATTRIBUTES.get(kind, {}).get(name)
    if there is not None:
        return "", there
    if kind == "tensor" and name in getattr(sys.modules.get("lamina.ops"), "__all__", ()):
        return "", f"keras.ops.{name}(x)"
    if kind == "history":
        return _suggest_figure(owner, name)
    sentence, near = meant(name, [key for key in dir(owner) if not key.startswith("_")])
    if not near and kind in ("layer", "model") and not type(owner).__module__.startswith("lamina."):
        for own in vars(type(owner)):
            if own != "build" and nearest(own, ["build"], strict=True):
                return f" {own!r} is not called: did you mean 'build'?", "def build(self, input_shape):"
        made = "add_weight(shape=(input_shape[-1], 8))  # in build(self, input_shape)"
        return sentence, f"self.{name} = self.{made}; a layer: self.{name} = keras.layers.Dense(8), in __init__"
    return sentence, f"{kind or type(owner).__name__}.{near[0]}" if near else None


def _is_made_in_build(cls, name):
    """Whether a method of a class sets an attribute of that name. An unbuilt layer that lacks it gets it in `build`."""
    methods = [inspect.unwrap(one) for base in cls.__mro__ for one in vars(base).values() if inspect.isfunction(one)]
    steps = (step for method in methods for step in dis.get_instructions(method))
    return any(step.opname == "STORE_ATTR" and step.argval == name for step in steps)


def unknown_member(
    package: str, name: str, known: Iterable[str], others: Callable[[], Iterable[tuple[str, str]]]
) -> Exception:
    """The error for a name that a module does not have. In `from module import name` it is an ImportError.

    Args:
        package: Path of the module.
        name: The name.
        known: The names that it has.
        others: Function that returns (name, module) of all public names.
    """
    suggest = functools.partial(_suggest_member, package, name, known, others)
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_MECHANISMS):
        frame = frame.f_back
    is_import = frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == _IMPORT_FROM
    if is_import and f"{package}.{name}" not in sys.modules:
        return UnknownImportError(f"cannot import name {name!r} from {package!r}.", *suggest())
    return UnknownNameError(f"module {package!r} has no attribute {name!r}.", suggest)


def _suggest_member(package, name, known, others):
    public = package.replace("lamina", "keras", 1)
    own = [key for key in known if not key.startswith(("_", "Convolution", "Deconvolution"))]
    homes: dict[str, str] = {}
    for key, home in others():
        homes.setdefault(key, home)
    sentence, near = meant(name, own)
    if near and "." in near[0]:
        return sentence, near[0]
    if public == "keras.layers" and not any(letters_of(key) == letters_of(name) for key in own):
        functions = getattr(sys.modules.get("lamina.activations"), "__all__", ())
        if same := [key for key in functions if letters_of(key) == letters_of(name) and key.islower()]:
            return " It is an activation in Keras.", f"keras.layers.Activation({same[0]!r})"
    if not any(letters_of(key) == letters_of(name) for key in near):
        alike = [name] if name in homes else [key for key in homes if letters_of(key) == letters_of(name) and not near]
        if alike:
            return f" It is in {homes[alike[0]]}.", f"{homes[alike[0]]}.{alike[0]}"
    if near:
        return sentence, f"{public}.{near[0]}"
    far = [f"{homes[key]}.{key}" for key in nearest(name, homes, strict=True)]
    return f" Did you mean {or_list(far)}?" if far else "", far[0] if far else None


def _suggest_figure(history, name):
    """What was meant by an attribute of a History."""
    figures = vars(history).get("history") or {}
    _, near = meant(name, figures)
    if near:
        return "", f"history.history[{near[0]!r}]"
    if name.startswith("val_") and figures:
        return " There was no validation.", f"model.fit(x, y, validation_split=0.2).history[{name!r}]"
    model = getattr(history, "model", None)
    if callable(getattr(type(model), name, None)):
        return " fit returns a History, and trains the model itself.", f"model.{name}"
    sentence, near = meant(name, [key for key in dir(history) if not key.startswith("_")])
    return sentence, f"history.{near[0]}" if near else f"history.history, with {', '.join(figures) or 'no figures yet'}"
