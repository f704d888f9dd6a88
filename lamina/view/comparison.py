"""Two models, or two states of one, compared: which layers go together, and how far settings, weights and outputs are
apart."""

from __future__ import annotations

import dataclasses
import os
import re
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.errors import LaminaError
from lamina.runtime.terminal import Printable, harmless, printable
from lamina.saving import load_model
from lamina.view.numbers import is_numeric

if TYPE_CHECKING:
    from lamina.core.typing import PyTree
    from lamina.facts.fact import Fact

__all__ = ["Comparison", "LayerPair", "compare_models", "other_model"]

_WIDTH = 79
_WEIGHTS_ALONE = (".weights.h5", ".weights.json", ".safetensors")


@dataclasses.dataclass
class LayerPair:
    """A call of a layer in one model and the call that corresponds to it in the other.

    Attributes:
        a, b: Names of the layers; None where the other model alone has it.
        kind: Name of the class of the layer.
        settings: (name, value in A, value in B) of each argument that differs.
        weights: How far the weights are apart, as a part of the length of the longer; None where they have
            different shapes, or none.
        outputs: The same for the outputs on the same inputs; None without inputs, or with other shapes.
        correlation: Of the outputs; None likewise.
        facts: The calls themselves.
    """

    a: str | None
    b: str | None
    kind: str
    settings: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)
    weights: float | None = None
    outputs: float | None = None
    correlation: float | None = None
    facts: tuple[Fact | None, Fact | None] = dataclasses.field(default=(None, None), repr=False)

    @property
    def status(self) -> str:
        """ "same", "changed" (other arguments or shapes), "only A" or "only B"."""
        if self.a is None or self.b is None:
            return "only A" if self.b is None else "only B"
        return "changed" if self.settings else "same"


@dataclasses.dataclass(repr=False)
class Comparison(Printable):
    """Two models beside each other. Print it.

    Attributes:
        title: Names of the two.
        pairs: A LayerPair for each call of a layer, in the order of the first model.
    """

    title: str
    pairs: list[LayerPair]

    def as_dicts(self) -> list[dict[str, Any]]:
        """The pairs as dicts, for JSON."""
        names = ("a", "b", "kind", "status", "settings", "weights", "outputs", "correlation")
        return [{name: getattr(pair, name) for name in names} for pair in self.pairs]

    @property
    def summary(self) -> str:
        """How many layers are the same, in a sentence."""
        found = [pair.status for pair in self.pairs]
        counts = [(found.count(one), word) for one, word in (
            ("same", "alike"), ("changed", "with other arguments"), ("only A", "only in A"), ("only B", "only in B"),
        )]  # fmt: skip
        return f"Layers: {', '.join(f'{count} {word}' for count, word in counts if count)}."

    @property
    def text(self) -> str:
        """All of it as plain text."""
        lines = [*textwrap.wrap(self.title, _WIDTH), "", self.summary, ""]
        rows = [("A", "B", "weights apart", "outputs apart")]
        rows += [
            (pair.a or "-", pair.b or "-", *(apart_text(value) for value in (pair.weights, pair.outputs)))
            for pair in self.pairs
        ]
        widths = [min(23, max(len(row[place]) for row in rows)) for place in (0, 1)]
        notes = [[], *([f"{name}: {a} in A, {b} in B" for name, a, b in pair.settings] for pair in self.pairs)]
        for (a, b, *apart), more in zip(rows, notes, strict=True):
            names = "  ".join(f"{name[: width - 1]}~" if len(name) > width else name.ljust(width)
                              for name, width in zip((a, b), widths, strict=True))  # fmt: skip
            lines.append(f"{names}  {apart[0]:>13}  {apart[1]:>13}".rstrip())
            lines += [line for note in more for line in textwrap.wrap(note, _WIDTH - 4, initial_indent="    ",
                                                                      subsequent_indent="      ")]  # fmt: skip
        return harmless("\n".join(lines))

    def __str__(self) -> str:
        return printable(self.text)

    __repr__ = __str__


def apart_text(value: float | None) -> str:
    """A distance in percent; empty for None.

    Args:
        value: Part of the length.

    >>> apart_text(0.0), apart_text(0.00001), apart_text(0.0123), apart_text(1.5), apart_text(None)
    ('0', '< 0.01%', '1.23%', '150%', '')
    """
    if value is None or value == 0:
        return "" if value is None else "0"
    return "< 0.01%" if value < 1e-4 else f"{value:.3g}" if value > 100 else f"{100 * value:.3g}%"


def other_model(model: Any, other: Any) -> Any:
    """The model that is meant by a model, a file of one, or a file of weights for a model like the first.

    Args:
        model: The first model.
        other: Model or path.
    """
    if not isinstance(other, (str, os.PathLike)):
        return other
    if not str(other).endswith(_WEIGHTS_ALONE):
        return load_model(other)
    like = type(model).from_config(model.get_config())
    if not like.built:
        like.build_from_config(model.get_build_config())
    like.load_weights(other)
    return like


def compare_models(a: Any, b: Any, facts: tuple[list[Fact], list[Fact]], outputs: tuple[Any, Any]) -> Comparison:
    """The Comparison of two models.

    Args:
        a, b: Models.
        facts: The facts of each.
        outputs: For each, (layer, number of its call) -> its outputs for the same inputs; empty without inputs.
    """
    pairs = [_pair(one, other, outputs) for one, other in _aligned(*facts)]
    return Comparison(f"A: {a.name} ({type(a).__name__}); B: {b.name} ({type(b).__name__})", pairs)


def _aligned(ours, theirs):
    """[(fact or None, fact or None), ...]: the alignment of two sequences with the highest sum of `_likeness`."""
    ours, theirs = [(fact, *_traits(fact)) for fact in ours], [(fact, *_traits(fact)) for fact in theirs]
    best = np.zeros((len(ours) + 1, len(theirs) + 1), "float32")
    like = np.zeros((len(ours), len(theirs)), "float32")
    for i in reversed(range(len(ours))):
        for j in reversed(range(len(theirs))):
            like[i, j] = _likeness(ours[i], theirs[j])
            best[i, j] = max(best[i + 1, j], best[i, j + 1], best[i + 1, j + 1] + like[i, j] if like[i, j] else 0)
    i = j = 0
    while i < len(ours) or j < len(theirs):
        if i < len(ours) and j < len(theirs) and like[i, j] and best[i, j] == best[i + 1, j + 1] + like[i, j]:
            yield ours[i][0], theirs[j][0]
            i, j = i + 1, j + 1
        elif j == len(theirs) or (i < len(ours) and best[i, j] == best[i + 1, j]):
            yield ours[i][0], None
            i += 1
        else:
            yield None, theirs[j][0]
            j += 1


def _traits(fact):
    shapes = [tuple(weight.shape) for weight in fact.weights]
    return fact.name, re.sub(r"_?\d+$", "", fact.name), fact.kind, fact.depth, shapes, _settings(fact)


def _likeness(one, other):
    """Zero for calls that do not go together."""
    (_, name, stem, kind, depth, shapes, settings), (_, *them) = one, other
    same_name = name == them[0]
    if depth != them[3] or not (kind == them[2] or (same_name and name != stem)):
        return 0
    return 1 + 2 * (kind == them[2]) + 2 * same_name + (stem == them[1]) + (shapes == them[4]) + (settings == them[5])


def _settings(fact):
    """{argument: value as text} of a layer; empty for one that holds layers, which are compared one by one."""
    if fact.inner or not hasattr(fact.layer, "get_config"):
        return {}
    try:
        config = fact.layer.get_config()
    except (LaminaError, NotImplementedError, TypeError):  # a class of the user's that cannot be saved
        return {}
    return {name: textwrap.shorten(_short(value), 60, placeholder=" ...") for name, value in config.items()
            if name != "name"}  # fmt: skip


def _short(value):
    """`L2(l2=0.01)` of an object's config."""
    if not isinstance(value, dict) or "class_name" not in value:
        return str(value)
    inside = value.get("config")
    if not isinstance(inside, dict):
        return str(inside or value["class_name"])
    return f"{value['class_name']}({', '.join(f'{k}={_short(v)}' for k, v in inside.items() if k != 'seed')})"


def _pair(one, other, outputs):
    if one is None or other is None:
        (some,) = (fact for fact in (one, other) if fact is not None)
        return LayerPair(one and one.name, other and other.name, some.kind, facts=(one, other))
    mine, theirs = _settings(one), _settings(other)
    names = [name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)]
    settings = [(name, mine.get(name, "-"), theirs.get(name, "-")) for name in names]
    if one.kind != other.kind:
        settings.insert(0, ("class", one.kind, other.kind))
    for what, (mine, theirs) in {
        "output": [", ".join(map(str, fact.outputs)) for fact in (one, other)],
        "weights": [", ".join(str(tuple(weight.shape)) for weight in fact.weights) for fact in (one, other)],
    }.items():
        if mine != theirs and not one.inner:
            settings.append((f"shape of {what}", mine, theirs))
    pair = LayerPair(one.name, other.name, one.kind, settings, facts=(one, other))
    pair.weights = distance(*([weight.numpy() for weight in fact.weights if is_numeric(weight.dtype)]
                              for fact in (one, other)))  # fmt: skip
    left, right = ([of.get((fact.layer, fact.use))] for of, fact in zip(outputs, (one, other), strict=True))
    if left[0] is not None and right[0] is not None:
        pair.outputs = distance(left, right)
        pair.correlation = _correlation(left[0], right[0]) if pair.outputs is not None else None
    return pair


def distance(ours: PyTree, theirs: PyTree) -> float | None:
    """The length of the difference of two lists of arrays, as a part of that of the longer; None where shapes differ
    or not all is finite.

    Args:
        ours, theirs: Arrays.
    """
    if not ours or [np.shape(one) for one in ours] != [np.shape(one) for one in theirs]:
        return None
    square = lambda arrays: sum(float(np.sum(np.square(one))) for one in arrays)  # noqa: E731
    ours, theirs = ([np.asarray(one, "float64") for one in side] for side in (ours, theirs))
    if not all(np.isfinite(one).all() for one in (*ours, *theirs)):
        return None
    apart = square([b - a for a, b in zip(ours, theirs, strict=True)])
    length = max(square(ours), square(theirs))
    return 0.0 if apart == 0 else float(np.sqrt(apart / length)) if np.isfinite(apart + length) else None


def _correlation(one, other):
    one, other = (np.asarray(values, "float64").ravel() for values in (one, other))
    if not np.isfinite((one, other)).all() or one.std() == 0 or other.std() == 0:
        return None
    return float(np.corrcoef(one, other)[0, 1])
