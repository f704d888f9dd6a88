"""A model as boxes and arrows."""

import itertools

from lamina.core.graph import Function
from lamina.drawing.diagram import Diagram
from lamina.errors import ConfigError
from lamina.layers.base import call_signature

__all__ = ["model_to_dot", "plot_model"]


def model_to_dot(
    model, show_shapes=False, show_dtype=False, show_layer_names=True, rankdir="TB", expand_nested=False, dpi=200,
    subgraph=False, show_layer_activations=False, show_trainable=False, splines="ortho", **kwargs,
):  # fmt: skip
    """A model as a `Diagram`: `.to_string()` is DOT text, `.to_svg()` an image, `.write(path)` a file.

    Args:
        show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable: what stands in the boxes.
        rankdir: "TB" from top to bottom, "LR" from left to right, "BT" or "RL".
        expand_nested: draw the layers of models inside, in a frame.
        dpi: dots an inch of PNG images.
        subgraph: give DOT text of a cluster, to stand inside another graph.
        splines: of the DOT text: "ortho", "curved", "polyline", "spline" or "line".

    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="out")])
    >>> '"out" [label="out (Dense)"]' in model_to_dot(model).to_string()
    True
    """
    if kwargs.keys() - {"layer_range", "show_layer_activations"}:
        raise ConfigError(f"model_to_dot has no argument {', '.join(kwargs)}.")

    def lines(operation):
        kind = type(operation).__name__
        yield f"{operation.name} ({kind})" if show_layer_names else kind
        activation = getattr(operation, "activation", None)
        if show_layer_activations and activation is not None:
            yield f"Activation: {getattr(activation, '__name__', type(activation).__name__)}"
        if show_shapes:
            yield from _shapes(operation)
        if show_dtype:
            yield f"Output dtype: {getattr(operation, 'compute_dtype', '?')}"
        if show_trainable and getattr(operation, "weights", ()):
            yield f"Trainable: {bool(operation.trainable)}"

    diagram = Diagram(rankdir, dpi, splines, model.name if subgraph else None)
    _draw(model, diagram, lines, expand_nested, "")
    return diagram


def plot_model(
    model, to_file="model.png", show_shapes=False, show_dtype=False, show_layer_names=False, rankdir="TB",
    expand_nested=False, dpi=200, show_layer_activations=False, show_trainable=False, splines="ortho", **kwargs,
):  # fmt: skip
    """Draw a model into a file: .png (through Pillow), .svg or .dot; the arguments are those of `model_to_dot`.

    Gives the diagram, which a notebook shows. Needs no Graphviz.
    """
    diagram = model_to_dot(
        model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi,
        show_layer_activations=show_layer_activations, show_trainable=show_trainable, splines=splines, **kwargs,
    )  # fmt: skip
    diagram.write(to_file)
    return diagram


def _draw(model, diagram, lines, expand_nested, prefix):
    """Draw the operations of a model; give (the boxes that begin it, the boxes that end it)."""
    graph = getattr(model, "_graph", None)
    if graph is None:
        return _draw_row(model, diagram, lines, prefix)
    ends = {}
    for operation in graph.operations:
        inside = getattr(operation, "_graph", None)
        name = prefix + operation.name
        if expand_nested and inside is not None:
            before = set(diagram.boxes)
            ends[id(operation)] = _draw(operation, diagram, lines, True, f"{name}/")
            diagram.frame(name, [box for box in diagram.boxes if box not in before])
        else:
            diagram.box(name, lines(operation))
            ends[id(operation)] = [name], [name]
    for node in graph.nodes:
        for tensor in node.tensors:
            for start in ends[id(tensor._keras_history.operation)][1]:
                for end in ends[id(node.operation)][0]:
                    diagram.arrow(start, end)
    return _ends(graph, ends)


def _ends(graph: Function, ends):
    first = [box for t in graph.input_tensors for box in ends[id(t._keras_history.operation)][0]]
    last = [box for t in graph.output_tensors for box in ends[id(t._keras_history.operation)][1]]
    return first, last


def _draw_row(model, diagram, lines, prefix):
    """A model without a graph: its layers in a row if it is a sequence, else one box."""
    layers = model.layers if hasattr(model, "_sequence") and model.layers else [model]
    names = [prefix + layer.name for layer in layers]
    for name, layer in zip(names, layers, strict=True):
        diagram.box(name, lines(layer))
    for start, end in itertools.pairwise(names):
        diagram.arrow(start, end)
    return names[:1], names[-1:]


def _shapes(operation):
    if not operation._inbound_nodes:
        yield "Output shape: ?"
        return
    node = operation._inbound_nodes[0]
    if not node.is_input:
        yield f"Input shape: {call_signature.shape_of(node.inputs)}"
    yield f"Output shape: {call_signature.shape_of(node.outputs)}"
