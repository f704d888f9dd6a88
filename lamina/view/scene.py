"""A model as a tree of boxes with arrows between its leaves: layers, models inside, blocks that fold."""

import dataclasses
from typing import Any

from lamina.core import tree
from lamina.core.keras_tensor import KerasTensor
from lamina.explain import facts_of

__all__ = ["Arrow", "Box", "Scene", "scene_of"]


@dataclasses.dataclass(eq=False)
class Box:
    """A layer, or boxes that fold into one.

    Attributes:
        name, kind: as a reader knows them.
        layer, fact: what it stands for; None for a block, whose fact is None for an Input too.
        shapes: of its outputs, with the batch.
        children: the boxes inside; empty for a layer.
        origin: "layer", "model" (a model or layer that holds layers), "block" (a part that branches and joins) or "run"
            (layers in a row that belong together).
    """

    name: str
    kind: str
    layer: Any = None
    fact: Any = None
    shapes: list = dataclasses.field(default_factory=list)
    parent: Any = dataclasses.field(default=None, repr=False)
    children: list = dataclasses.field(default_factory=list, repr=False)
    origin: str = "layer"

    def put(self, box):
        """Put a box inside, behind the others."""
        box.parent = self
        self.children.append(box)
        return box

    @property
    def lineage(self):
        """The boxes around it, outermost first, and itself."""
        return [*(self.parent.lineage if self.parent else []), self]

    @property
    def all(self):
        """Itself and all that is inside, a box before what it holds."""
        return [self, *(box for child in self.children for box in child.all)]

    @property
    def leaves(self):
        """The layers inside, or itself."""
        return [leaf for child in self.children for leaf in child.leaves] if self.children else [self]


@dataclasses.dataclass(frozen=True, eq=False)
class Arrow:
    """A tensor on its way from a layer to another. An arrow to the outermost box is an output of the model."""

    source: Box
    target: Box
    shape: tuple


@dataclasses.dataclass
class Scene:
    """The outermost box and all arrows."""

    root: Box
    arrows: list
    facts: list  # in the order of `explain`


def scene_of(model):
    """The Scene of a model; models inside are boxes with boxes inside.

    Raises:
        CallError: when the shapes of the model's inputs are not known yet.
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
    """Put the boxes of a graph into the box around; give (box, shape) of each output. `given` is what each input
    comes from, where the graph stands inside another."""
    made = {}
    for place, tensor in enumerate(model._graph.input_tensors):
        operation = tensor._keras_history.operation
        box = around.put(Box(operation.name, type(operation).__name__, operation, None, [tensor.shape]))
        made[id(tensor)] = box, tensor.shape
        if given is not None and place < len(given):
            scene.arrows.append(Arrow(given[place][0], box, given[place][1]))
    for node, fact in zip(model._graph.nodes, calls, strict=True):
        box, sources = around.put(_box_of(fact)), [made[id(tensor)] for tensor in node.tensors]
        outputs = [leaf for leaf in tree.flatten(node.outputs) if isinstance(leaf, KerasTensor)]
        ends = _read_inside(fact, scene, box, sources)
        if len(ends) != len(outputs):  # what a layer does beside its layers is not seen
            ends = [(ends[-1][0], tensor.shape) for tensor in outputs]
        for tensor, end in zip(outputs, ends, strict=True):
            made.setdefault(id(tensor), end)
    return [made[id(tensor)] for tensor in model._graph.output_tensors]


def _read_calls(calls, scene, around, given):
    """Put the boxes of calls, seen in a trace, into the box around; give (box, shape) of those that nothing in there
    takes. A call of which no source is known takes what is given."""
    made = {}
    for fact in calls:
        known = [end for source in fact.sources for end in made.get(source, ())]
        sources = known if known and not fact.reads else [*known, *given]
        made[fact] = _read_inside(fact, scene, around.put(_box_of(fact)), sources)
    taken = {source for fact in calls for source in fact.sources}
    return [end for fact in calls if fact not in taken for end in made[fact]]


def _read_inside(fact, scene, box, sources):
    """Draw the arrows into a call, or into the calls inside; give (box, shape) of what comes out."""
    if (
        fact.inner
        and getattr(fact.layer, "_graph", None) is not None
        and len(fact.inner) == len(fact.layer._graph.nodes)
    ):
        return _read_graph(fact.layer, fact.inner, scene, box, sources)
    if fact.inner:
        return _read_calls(fact.inner, scene, box, sources)
    scene.arrows += [Arrow(source, box, shape) for source, shape in dict.fromkeys(sources)]
    return [(box, shape) for shape in fact.outputs]
