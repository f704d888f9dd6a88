"""A model as the JSON that Google's Model Explorer opens: a collection of graphs with nodes, edges and attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.facts.words import memory
from lamina.view.costs import costs_of
from lamina.view.scene import scene_of

if TYPE_CHECKING:
    from lamina.core.typing import Shape

__all__ = ["graph_collection"]

_OUTPUTS = "outputs"


def graph_collection(*models: Any) -> dict[str, Any]:
    """{"label", "graphs": [{"id", "nodes", "groupNodeAttributes"}, ...]}, a graph for each model.

    The format is that of https://github.com/google-ai-edge/model-explorer/wiki, as its page reads a file of it.

    Args:
        *models: Models.

    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="head")], name="small")
    >>> [node["label"] for node in graph_collection(model)["graphs"][0]["nodes"]]
    ['input_layer', 'head', 'outputs']
    """
    names: list[str] = []
    for model in models:
        names.append(model.name if model.name not in names else f"{model.name} ({len(names) + 1})")
    graphs = [_graph(model, name) for model, name in zip(models, names, strict=True)]
    return {"label": " and ".join(names), "graphs": graphs}


def _graph(model, name):
    scene = scene_of(model)
    costs = costs_of(model, scene, None)
    boxes = [box for box in scene.root.all if not box.children]
    ids = {box: str(number) for number, box in enumerate(boxes)}
    coming: dict[Any, list[Any]] = {}
    for arrow in scene.arrows:
        coming.setdefault(arrow.target, []).append(arrow)
    nodes = [_node(box, ids, coming.get(box, []), costs[box]) for box in boxes]
    ends = coming.get(scene.root, [])
    nodes.append({"id": _OUTPUTS, "label": _OUTPUTS, "namespace": "", "attrs": [], "incomingEdges": _edges(ends, ids),
                  "outputsMetadata": []})  # fmt: skip
    groups = [box for box in scene.root.all if box.children]
    about = {_namespace(box, True): _attributes(box, costs[box]) for box in groups if box is not scene.root}
    return {
        "id": name,
        "nodes": nodes,
        "groupNodeAttributes": {"": _attributes(scene.root, costs[scene.root]), **about},
    }


def _node(box, ids, arrows, cost):
    return {
        "id": ids[box],
        "label": box.name,
        "namespace": _namespace(box),
        "attrs": [{"key": key, "value": value} for key, value in _attributes(box, cost).items()],
        "incomingEdges": _edges(arrows, ids),
        "outputsMetadata": [
            {"id": str(number), "attrs": [{"key": "tensor_shape", "value": _shape(shape)}]}
            for number, shape in enumerate(box.shapes)
        ],
    }


def _edges(arrows, ids):
    return [
        {"sourceNodeId": ids[arrow.source], "sourceNodeOutputId": _place(arrow), "targetNodeInputId": str(number)}
        for number, arrow in enumerate(arrows)
    ]


def _place(arrow):
    """Which of the outputs of its source an arrow is: the first of its shape."""
    shapes = arrow.source.shapes
    return str(shapes.index(arrow.shape) if arrow.shape in shapes else 0)


def _namespace(box, itself=False):
    """The names of the boxes around, without the model itself; a slash would begin a new one."""
    around = [*box.lineage[1:-1], *([box] if itself else [])]
    return "/".join(one.name.replace("/", "_") for one in around)


def _shape(shape: Shape) -> str:
    return ", ".join("?" if size is None else str(size) for size in shape)


def _attributes(box, cost):
    config = {}
    if box.fact is not None and not box.children and hasattr(box.layer, "get_config"):
        values = box.layer.get_config().items()
        config = {
            key: str(value) for key, value in values if key != "name" and isinstance(value, (int, float, str, tuple))
        }
    numbers = {
        "weights": f"{int(cost['weights']):,}",
        "FLOPs of a sample": f"{int(cost['flops']):,}",
        "memory in a step of 32": memory(int(cost["memory"])),
    }
    return {"class": box.kind, **config, **(numbers if box.fact is not None or box.children else {})}
