"""A class or a function explained without a model: formula, arguments, shapes, an example with numbers, pitfalls."""

from __future__ import annotations

import inspect
import re
from typing import Any

from lamina import (
    activations,
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
)
from lamina.errors import CallError, LaminaError
from lamina.explanations.explanation import Answer, Explanation, LayerExplanation
from lamina.explanations.pitfalls import pitfalls_of
from lamina.explanations.tiny_examples import example_of
from lamina.spelling.docstrings import described_in
from lamina.spelling.nearest import nearest

__all__ = ["class_explanation", "thing_named"]

NAMESPACES = {
    "layers": layers, "losses": losses, "metrics": metrics, "optimizers": optimizers,
    "optimizers.schedules": optimizers.schedules, "activations": activations, "initializers": initializers,
    "regularizers": regularizers, "constraints": constraints, "callbacks": callbacks,
}  # fmt: skip
_SECTION = re.compile(r"\n(?:(?:Args|Returns|Raises|Attributes|Call arguments):|>>>)", re.MULTILINE)


def class_explanation(thing: Any, layer: LayerExplanation | None = None) -> Explanation:
    """The Explanation of a class or function of the library, or of one like them.

    Args:
        thing: Class, or function.
        layer: What a layer of the class does on inputs that stand for those of a model; None where there is none.
    """
    doc = inspect.getdoc(thing) or ""
    paragraphs = [
        " ".join(part.split()) for part in _SECTION.split(f"\n{doc}")[0].strip().split("\n\n") if part.strip()
    ]
    shapes = [part.removeprefix("Shapes: ") for part in paragraphs if part.startswith("Shapes: ")]
    answers = [Answer("What does it compute?", [part for part in paragraphs if not part.startswith("Shapes: ")])]
    answers += [Answer("Which shapes go in and come out?", shapes)] if shapes else []
    arguments = [_argument(thing, doc, parameter) for parameter in _parameters(thing)]
    answers += [Answer("What do its arguments do?", [], arguments)] if arguments else []
    answers += _example(thing)
    pitfalls = pitfalls_of(thing)
    answers += [Answer("What to look out for?", [], pitfalls)] if pitfalls else []
    word = "class" if inspect.isclass(thing) else "function"
    return Explanation(f"{thing.__name__}, a {word} of {_home(thing)}", [layer] if layer else [], answers)


def _home(thing):
    name = thing.__name__
    spaces = (space for space, module in NAMESPACES.items() if getattr(module, name, None) is thing)
    return next((f"keras.{space}" for space in spaces), thing.__module__)


def _parameters(thing):
    try:
        parameters = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return []
    return [one for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]


def _argument(thing, doc, parameter):
    """`units: Number of outputs ...` with its default."""
    bases = thing.__mro__ if inspect.isclass(thing) else ()
    texts = (described_in(text, parameter.name) for text in (doc, *(inspect.getdoc(one) or "" for one in bases)))
    default = "" if parameter.default is parameter.empty else f" (default {_default(parameter.default)})"
    return f"{parameter.name}{default}: {next(filter(None, texts), 'see its class.')}"


def _default(value):
    return repr(value) if isinstance(value, (str, int, float, bool, tuple, type(None))) else getattr(
        value, "__name__", type(value).__name__)  # fmt: skip


def _example(thing):
    try:
        return [Answer("An example with a few numbers", [], example_of(thing))]
    except Exception as error:  # whatever a class makes of inputs that are not meant for it
        reason = str(error).splitlines()[0] if isinstance(error, LaminaError) else "it needs arguments of its own."
        said = Answer("An example with a few numbers", [f"There is none: {reason}"])
        return [said] if inspect.isclass(thing) else []


def thing_named(name: str) -> Any:
    """The class or function of a name: `Dense`, `losses.MeanSquaredError`, `keras.activations.relu`.

    Args:
        name: Name, alone or behind that of its namespace.

    Raises:
        CallError: The library has none of this name.
    """
    *path, last = name.removeprefix("keras.").removeprefix("lamina.").split(".")
    chosen = [module for space, module in NAMESPACES.items() if not path or ".".join(path) == space]
    found = [getattr(space, last) for space in chosen if last in space.__all__]
    if found:
        return found[0]
    names = [name for space in chosen or NAMESPACES.values() for name in space.__all__]
    near = nearest(last, names, 1) or ["Dense"]
    raise CallError(f"There is no file {name}, and keras has no {last}.", fix=f"lamina explain {near[0]}")
