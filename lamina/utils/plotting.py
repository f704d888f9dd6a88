"""Drawings of models as graphs of boxes and arrows."""

from __future__ import annotations

import itertools
import os
from typing import Any

from lamina.core.graph import Function
from lamina.core.keywords import keywords
from lamina.drawing.diagram import Diagram
from lamina.layers.base import call_signature

__all__ = ["model_to_dot", "plot_model"]


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """A model as a `Diagram`: `.to_string()` is DOT text, `.to_svg()` an image, and `.write(path)` writes a file.

    Where pydot is installed it is a `pydot.Dot`. `.create(format="svg")` gives bytes either way, without Graphviz.

    Args:
        model: Model, or a layer, which is drawn as one box.
        show_shapes: Whether boxes show the shapes of inputs and outputs.
        show_dtype: Whether boxes show the type of the outputs.
        show_layer_names: Whether boxes show the names of layers.
        rankdir: Direction of the arrows: "TB" from top to bottom, "LR" from left to right, "BT" or "RL".
        expand_nested: Whether the layers of nested models are drawn, in a frame.
        dpi: Dots per inch of PNG images.
        subgraph: Whether the DOT text is a cluster, which can be part of another graph.
        show_layer_activations: Whether boxes show the activations.
        show_trainable: Whether boxes show if layers are trainable.
        splines: Kind of arrows in DOT text: "ortho", "curved", "polyline", "spline" or "line".
        **kwargs: `layer_range` is ignored; no other argument is allowed.

    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="out")])
    >>> '"out" [label="out (Dense)"]' in model_to_dot(model).to_string()
    True
    """
    return _diagram(
        model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi, subgraph,
        show_layer_activations, show_trainable, splines, kwargs,
    ).as_pydot()  # fmt: skip


def _diagram(
    model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi, subgraph, show_layer_activations,
    show_trainable, splines, kwargs,
):  # fmt: skip
    keywords("model_to_dot", kwargs, layer_range=None, show_layer_activations=None)

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
    model: Any,
    to_file: str | os.PathLike[str] = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Diagram:
    """Draw a model into a file. Graphviz is not needed; .png files need Pillow.

    Args:
        model: Model, or a layer, which is drawn as one box.
        to_file: Path of the file, which ends in .png, .svg or .dot.
        show_shapes: Whether boxes show the shapes of inputs and outputs.
        show_dtype: Whether boxes show the type of the outputs.
        show_layer_names: Whether boxes show the names of layers.
        rankdir: Direction of the arrows: "TB" from top to bottom, "LR" from left to right, "BT" or "RL".
        expand_nested: Whether the layers of nested models are drawn, in a frame.
        dpi: Dots per inch of PNG images.
        show_layer_activations: Whether boxes show the activations.
        show_trainable: Whether boxes show if layers are trainable.
        splines: Kind of arrows in DOT text: "ortho", "curved", "polyline", "spline" or "line".
        **kwargs: `layer_range` is ignored; no other argument is allowed.

    Returns:
        The diagram, which a notebook displays.
    """
    diagram = _diagram(
        model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi, False,
        show_layer_activations, show_trainable, splines, kwargs,
    )  # fmt: skip
    diagram.write(to_file)
    return diagram


def _draw(model, diagram, lines, expand_nested, prefix):
    """Draw the operations of a model; returns (names of its first boxes, names of its last boxes)."""
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
    """Draw a model without a graph: a Sequential as its layers in a row, any other as one box."""
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
    yield f"Output shape: {call_signature.shape_of(node.result)}"
