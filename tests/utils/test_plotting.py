"""Diagrams of models."""

import xml.etree.ElementTree

import pytest
from PIL import Image

import lamina
from lamina import layers
from lamina.drawing.diagram import Diagram
from lamina.errors import ConfigError
from lamina.utils import model_to_dot, plot_model


@pytest.fixture(scope="module")
def model():
    x = lamina.Input((4,), name="x")
    y = lamina.Input((4,), name="y")
    inner = lamina.Sequential([lamina.Input((4,)), layers.Dense(4, "relu", name="in<ner")], name="inside")
    left = layers.Dense(4, activation="tanh", name="left")(x)
    total = layers.Add(name="total")([x, left, inner(y)])
    return lamina.Model([x, y], layers.Dense(1, name="out")(total) + 1.0, name="whole")


def arrows(diagram):
    return {(start.split("/")[-1], end.split("/")[-1]) for start, end in diagram.arrows}


def test_what_is_drawn(model):
    diagram = model_to_dot(model, show_shapes=True, show_layer_activations=True, show_trainable=True, show_dtype=True)
    assert arrows(diagram) >= {("x", "left"), ("left", "total"), ("x", "total"), ("y", "inside"), ("inside", "total")}
    assert diagram.boxes["left"] == [
        "left (Dense)", "Activation: tanh", "Input shape: (None, 4)", "Output shape: (None, 4)",
        "Output dtype: float32", "Trainable: True",
    ]  # fmt: skip
    assert model_to_dot(model, show_layer_names=False).boxes["out"] == ["Dense"]
    assert '"left" -> "total";' in diagram.to_string()
    assert model_to_dot(model, subgraph=True).to_string().startswith('subgraph "cluster_whole" {')


def test_models_inside(model):
    diagram = model_to_dot(model, expand_nested=True)
    assert ("in<ner", "total") in arrows(diagram) and "inside" not in diagram.boxes
    assert list(diagram.frames) == ["inside"]
    assert "inside/in<ner" in diagram.frames["inside"]


def test_models_without_a_graph():
    sequence = lamina.Sequential([layers.Dense(2, name="a"), layers.Dense(1, name="b")])
    assert arrows(model_to_dot(sequence, show_shapes=True)) == {("a", "b")}

    class Mine(lamina.Model):
        def call(self, x):
            return x

    assert len(model_to_dot(Mine()).boxes) == 1


@pytest.mark.parametrize("rankdir", ["TB", "LR", "BT", "RL"])
def test_boxes_do_not_overlap_and_arrows_go_on(model, rankdir):
    diagram = model_to_dot(model, rankdir=rankdir, show_shapes=True)
    (width, height), boxes, paths, _ = diagram._layout()
    placed = list(boxes.values())
    for i, (left, top, right, bottom) in enumerate(placed):
        assert 0 <= left < right <= width and 0 <= top < bottom <= height
        for other in placed[:i]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
    axis, sign = (1 if rankdir in ("TB", "BT") else 0), (1 if rankdir in ("TB", "LR") else -1)
    assert all(sign * (path[-1][axis] - path[0][axis]) > 0 for path in paths)


def test_files(model, tmp_path):
    for name in ("m.svg", "m.png", "m.dot", "m.jpg"):
        plot_model(model, tmp_path / name, dpi=50, expand_nested=True)
    root = xml.etree.ElementTree.parse(tmp_path / "m.svg").getroot()
    assert "in<ner (Dense)" not in (tmp_path / "m.svg").read_text()
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "Add" in texts and "inside" in texts
    with Image.open(tmp_path / "m.png") as image:
        assert min(image.convert("L").getextrema()) < 50 < max(image.size)
    assert (tmp_path / "m.dot").read_text().startswith("digraph G {")


def test_refusals(model):
    with pytest.raises(ConfigError, match="rankdir"):
        model_to_dot(model, rankdir="up")
    with pytest.raises(ConfigError, match="colour"):
        model_to_dot(model, colour=1)
    circle = Diagram()
    circle.box("a", ["a"])
    circle.arrow("a", "a")
    with pytest.raises(ConfigError, match="cycle"):
        circle.to_svg()


def test_what_pydot_gives():
    dot = model_to_dot(lamina.Sequential([lamina.Input((2,), name="in"), layers.Dense(1, name="out")]))
    assert dot.create(prog="dot", format="svg").startswith(b"<svg") and b"digraph" in dot.create(format="dot")
    assert '"out"' in [node.get_name() for node in dot.get_nodes()]
    assert [(edge.get_source(), edge.get_destination()) for edge in dot.get_edges()] == [('"in"', '"out"')]


def test_methods_of_pydot_by_format(model, tmp_path):
    for dot in (model_to_dot(model), Diagram()):
        if not dot.get_nodes():
            dot.box("a", ["a"])
        dot.write_svg(tmp_path / "m.svg")
        dot.write(tmp_path / "m", prog="dot", format="png", encoding="utf-8")
        assert (tmp_path / "m.svg").read_bytes() == dot.create_svg() and (tmp_path / "m").read_bytes()[1:4] == b"PNG"
        with pytest.raises(AttributeError, match="no attribute"):
            _ = dot.unknown
