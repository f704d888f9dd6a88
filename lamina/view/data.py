"""All that the page shows, as plain data."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.check import check
from lamina.core import tree
from lamina.errors import LaminaError
from lamina.explanations import explain
from lamina.layers.base.layer import Layer
from lamina.view.blocks import fold_blocks
from lamina.view.comparison import Comparison, compare_models
from lamina.view.costs import costs_of, measured
from lamina.view.drawing import drawn
from lamina.view.inside import attention_of, filters_of, saliency_of
from lamina.view.numbers import activations_of, outputs_of, weights_of
from lamina.view.scene import Box, Scene, scene_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamina.core.typing import PyTree
    from lamina.explanations import Explanation, LayerExplanation

__all__ = ["page_data"]

_NO_TARGETS = ("LAM118",)  # the finding that a loss has no targets: nothing is trained here
_SAMPLES, _COMPARED = 32, 8  # samples of x that the model is called with, and whose outputs are compared


@dataclasses.dataclass
class _Part:
    """What is known of one model."""

    scene: Scene
    explanation: Explanation
    findings: list[dict[str, Any]]
    active: dict[Any, Any]
    costs: dict[Box, dict[str, float]]
    time: str
    attention: dict[Any, Any]
    saliency: tuple[list[dict[str, Any]], str]
    words: dict[Box, LayerExplanation] = dataclasses.field(default_factory=dict)

    def about(self, box, offset):
        """What the panel shows about a box; the number of the first finding is `offset`."""
        fact, about, said = box.fact, {}, self.words.get(box)
        if said is not None:
            sentences = [*said.sentences, *([said.operations] if said.operations else [])]
            about = {"shapes": said.shapes, "sentences": sentences, "sum": said.weights}
        if fact is not None:
            about["activity"] = self.active.get((fact.layer, fact.use))
            about["frozen"] = bool(fact.count and not fact.layer.trainable)
            about["weights"] = [] if any(child.fact for child in box.children) else weights_of(fact.layer)
            about["filters"] = filters_of(fact.layer)
            about["attention"] = self.attention.get((fact.layer, fact.use))
        elif isinstance(box.layer, Layer) and not box.children:  # in a block that is repeated
            parts = set(box.layer._flatten_layers())
            maps = (maps for (layer, use), maps in self.attention.items() if use is None and layer in parts)
            about["attention"] = next(maps, None)
        findings = enumerate(self.findings, offset)
        numbers = [number for number, one in findings if box.layer and one["layer"] == box.name]
        return {**about, "findings": numbers, "costs": self.costs[box]}

    def __post_init__(self):
        """box -> its LayerExplanation. Those of the model's Inputs come first, the others in the order of the facts."""
        boxes, layers = self.scene.root.all, self.explanation.layers
        first = len(layers) - len(self.scene.facts)
        inputs = [box for box in boxes if box.parent is self.scene.root and box.fact is None][:first]
        by_fact = dict(zip(self.scene.facts, layers[first:], strict=True))
        self.words = dict(zip(inputs, layers, strict=False))
        self.words |= {box: by_fact[box.fact] for box in boxes if box.fact}


def page_data(
    model: Any,
    x: PyTree = None,
    y: PyTree = None,
    profile: bool | None = None,
    other: Any = None,
    vocabulary: Sequence[str] | None = None,
) -> tuple[dict[str, Any], Comparison | None]:
    """(what the page shows, the Comparison where there is another model).

    Args:
        model: Model.
        x: Batch of inputs; None for none.
        y: Targets; None for none.
        profile: Whether the time of each layer is measured, and saliency computed; None means where there is `x`.
        other: Model beside it; None for none.
        vocabulary: Words by number; None takes them from a TextVectorization layer.
    """
    x, y = (np.asarray(of) if isinstance(of, list) and not np.ndim(tree.flatten(of)[0]) else of for of in (x, y))
    part = _part(model, x, y, profile, vocabulary)
    if other is None:
        return _shown(model.name, _about(part), part.scene, [part]), None
    beside = _part(other, x, y, profile, vocabulary)
    some = None if x is None else tree.map_structure(lambda values: _first(values)[:_COMPARED], x)
    outputs = [{} if some is None else outputs_of(one, some, np.asarray) for one in (model, other)]
    comparison = compare_models(model, other, (part.scene.facts, beside.scene.facts), (outputs[0], outputs[1]))
    scene = _together(part.scene, beside.scene)
    both = [one.costs[one.scene.root] for one in (part, beside)]
    part.costs[scene.root] = {name: sum(costs.get(name, 0) for costs in both) for name in both[0]}
    data = _shown(f"{model.name} and {other.name}", comparison.summary, scene, [part, beside])
    return {**data, "comparison": _pairs(comparison, scene)}, comparison


def _part(model, x, y, profile, vocabulary):
    some, labels = (None if of is None else tree.map_structure(_first, of) for of in (x, y))
    scene, explanation, findings = (
        scene_of(model),
        explain(model, some),
        check(model, x, y, ignore=_NO_TARGETS if y is None else ()).as_dicts(),
    )
    active = {} if some is None else activations_of(model, some)
    times, said = measured(model, some, labels, profile)
    fold_blocks(scene)
    costs = costs_of(model, scene, times)
    if some is None:
        return _Part(scene, explanation, findings, active, costs, said, {}, ([], ""))
    try:
        attention = attention_of(model, some)
    except (LaminaError, TypeError, ValueError, NotImplementedError) as error:
        attention, said = {}, f"{said} Attention could not be read: {str(error).splitlines()[0]}"
    saliency = ([], "") if profile is False else saliency_of(model, some, vocabulary)  # compiles a gradient
    return _Part(scene, explanation, findings, active, costs, said, attention, saliency)


def _first(values):
    return np.asarray(values)[:_SAMPLES]


def _about(part):
    title = part.explanation.title.removeprefix(f"{part.scene.root.name} (")
    return title.replace("):", ":", 1)


def _together(ours, theirs):
    """The Scene of two models in one box, the second to the right of the first."""
    root = Box(f"{ours.root.name} and {theirs.root.name}", "comparison", origin="model")
    for scene, letter in ((ours, "A"), (theirs, "B")):
        scene.root.name = f"{letter}: {scene.root.name}"
        root.put(scene.root)
    return Scene(root, [*ours.arrows, *theirs.arrows], [*ours.facts, *theirs.facts])


def _shown(title, about, scene, parts):
    boxes, of, offset = [], {}, 0
    for part in parts:
        of |= dict.fromkeys(part.scene.root.all, (part, offset))
        offset += len(part.findings)
    for entry, box in zip(drawn(scene), scene.root.all, strict=True):
        part, number = of.get(box, (parts[0], 0))
        boxes.append({**entry, **part.about(box, number)})
    answers = [(answer.question, answer.text) for answer in parts[0].explanation.answers] if len(parts) == 1 else []
    return {
        "title": title,
        "about": about,
        "answers": [{"question": question, "text": text} for question, text in answers],
        "findings": [finding for part in parts for finding in part.findings],
        "time": " ".join(dict.fromkeys(part.time for part in parts)),
        "boxes": boxes,
        "saliency": [{"about": part.saliency[1], "inputs": part.saliency[0]} for part in parts],
    }


def _pairs(comparison, scene):
    """The pairs for the page, with the ids of their boxes."""
    ids = {box.fact: number for number, box in enumerate(scene.root.all) if box.fact is not None}
    return [
        {**entry, "boxes": [ids.get(fact) for fact in pair.facts]}
        for entry, pair in zip(comparison.as_dicts(), comparison.pairs, strict=True)
    ]
