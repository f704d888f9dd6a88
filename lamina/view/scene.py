"""A model as a tree of boxes with arrows between its leaves: layers, models inside, blocks that fold."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from lamina.core.keras_tensor import KerasTensor
from lamina.facts.layer_facts import facts_of
from lamina.layers import Repeat

if TYPE_CHECKING:
    from lamina.core.typing import Shape
    from lamina.facts.fact import Fact

__all__ = ["Arrow", "Box", "Scene", "scene_of"]


@dataclasses.dataclass(eq=False)
class Box:
    """A layer, or boxes that fold into one.

    Attributes:
        name, kind: Name of the layer and of its class, or words for a block.
        layer, fact: Layer and call that it stands for; None for a block, and no fact for an Input.
        shapes: Shapes of its outputs, with the batch.
        parent: Box around it; None for the outermost.
        children: Boxes inside; empty for a layer.
        origin: "layer", "model" (a model or layer that holds layers), "block" (a part that branches and joins) or "run"
            (layers in a row that belong together).
    """

    name: str
    kind: str
    layer: Any = None
    fact: Fact | None = None
    shapes: list[Shape] = dataclasses.field(default_factory=list)
    parent: Box | None = dataclasses.field(default=None, repr=False)
    children: list[Box] = dataclasses.field(default_factory=list, repr=False)
    origin: str = "layer"

    def put(self, box: Box) -> Box:
        """Put a box inside, after the others, and return it.

        Args:
            box: The box.
        """
        box.parent = self
        self.children.append(box)
        return box

    @property
    def lineage(self) -> list[Box]:
        """The boxes around it, outermost first, and itself."""
        return [*(self.parent.lineage if self.parent else []), self]

    @property
    def all(self) -> list[Box]:
        """Itself and all boxes inside, a box before those that it holds."""
        return [self, *(box for child in self.children for box in child.all)]

    @property
    def leaves(self) -> list[Box]:
        """The layers inside, or itself."""
        return [leaf for child in self.children for leaf in child.leaves] if self.children else [self]


@dataclasses.dataclass(frozen=True, eq=False)
class Arrow:
    """A tensor between two layers. An arrow to the outermost box is an output of the model.

    Attributes:
        source: Layer that returns it.
        target: Layer that takes it.
        shape: Its shape, with the batch.
    """

    source: Box
    target: Box
    shape: Shape


@dataclasses.dataclass
class Scene:
    """The outermost box and all arrows.

    Attributes:
        root: The outermost box.
        arrows: Arrows between layers.
        facts: Facts of the model, in the order of `explain`.
    """

    root: Box
    arrows: list[Arrow]
    facts: list[Fact]


def scene_of(model: Any) -> Scene:
    """The Scene of a model; models inside are boxes with boxes inside.

    Args:
        model: Model.

    Raises:
        CallError: The shapes of the model's inputs are not known yet.
    """
    facts = facts_of(model)
    scene = Scene(Box(model.name, type(model).__name__, model, origin="model"), [], facts)
    calls = [fact for fact in facts if fact.depth == 0]
    if getattr(model, "_graph", None) is not None:
        ends = _read_graph(model, calls, scene, scene.root, None)
    else:
        shapes = list(model._build_shapes.values())
        data = scene.root.put(Box("inputs", "Input", None, None, shapes))
        ends = _read_calls(calls, scene, scene.root, [(data, shapes[0])])
    scene.arrows += [Arrow(box, scene.root, shape) for box, shape in ends]
    return scene


def _box_of(fact):
    return Box(fact.name, fact.kind, fact.layer, fact, fact.outputs, origin="model" if fact.inner else "layer")


def _read_graph(model, calls, scene, around, given):
    """Put the boxes of a graph into the box around; return (box, shape) of each output. `given` has (box, shape) of
    each input, where the graph is inside another."""
    made = {}
    for place, tensor in enumerate(model._graph.input_tensors):
        operation = tensor._keras_history.operation
        box = around.put(Box(operation.name, type(operation).__name__, operation, None, [tensor.shape]))
        made[id(tensor)] = box, tensor.shape
        if given is not None and place < len(given):
            scene.arrows.append(Arrow(given[place][0], box, given[place][1]))
    for node, fact in zip(model._graph.nodes, calls, strict=True):
        box, sources = around.put(_box_of(fact)), [made[id(tensor)] for tensor in node.tensors]
        outputs = [leaf for leaf in node.outputs if isinstance(leaf, KerasTensor)]
        ends = _read_inside(fact, scene, box, sources)
        if len(ends) != len(outputs):  # what a layer does besides calling layers is not known
            ends = [(ends[-1][0], tensor.shape) for tensor in outputs]
        for tensor, end in zip(outputs, ends, strict=True):
            made.setdefault(id(tensor), end)
    return [made[id(tensor)] for tensor in model._graph.output_tensors]


def _read_calls(calls, scene, around, given):
    """Put the boxes of traced calls into the box around; return (box, shape) of those whose outputs no call in there
    takes. A call without known sources takes `given`."""
    made = {}
    for fact in calls:
        known = [end for source in fact.sources for end in made.get(source, ())]
        sources = known if known and not fact.reads else [*known, *given]
        made[fact] = _read_inside(fact, scene, around.put(_box_of(fact)), sources)
    taken = {source for fact in calls for source in fact.sources}
    return [end for fact in calls if fact not in taken for end in made[fact]]


def _read_inside(fact, scene, box, sources):
    """Draw the arrows into a call, or into the calls inside; return (box, shape) of its outputs."""
    if (
        fact.inner
        and getattr(fact.layer, "_graph", None) is not None
        and len(fact.inner) == len(fact.layer._graph.nodes)
    ):
        return _read_graph(fact.layer, fact.inner, scene, box, sources)
    if fact.inner:
        return _read_calls(fact.inner, scene, box, sources)
    if isinstance(fact.layer, Repeat):
        return _read_repeated(fact, scene, box, sources)
    scene.arrows += [Arrow(source, box, shape) for source, shape in dict.fromkeys(sources)]
    return [(box, shape) for shape in fact.outputs]


def _read_repeated(fact, scene, box, sources):
    """Put the block of a Repeat into its box, once. These boxes stand for no calls: the Repeat is one, with all
    weights and costs."""
    block, box.origin = fact.layer.layer, "model"
    if getattr(block, "_graph", None) is None:
        inside = box.put(Box(block.name, type(block).__name__, block, None, fact.outputs))
        scene.arrows += [Arrow(source, inside, shape) for source, shape in dict.fromkeys(sources)]
        return [(inside, shape) for shape in fact.outputs]
    ends = _read_graph(block, [one for one in facts_of(block) if one.depth == 0], scene, box, sources)
    for one in box.all[1:]:
        one.fact = None
    return ends
