"""Models as trees of boxes, and large ones folded into blocks."""

import pytest

import lamina
from lamina import layers
from lamina.view.blocks import fold_blocks
from lamina.view.drawing import drawn
from lamina.view.scene import scene_of


def arrows(scene):
    return {(arrow.source.name, arrow.target.name) for arrow in scene.arrows}


def test_a_graph_with_branches(branched):
    scene = scene_of(branched)
    assert arrows(scene) == {
        ("title", "shared"), ("text", "words"), ("words", "read"), ("read", "shared"), ("shared", "enter"),
        ("enter", "hidden"), ("hidden", "total"), ("shared", "total"), ("title", "total"), ("total", "priority"),
        ("total", "department"), ("priority", "tickets"), ("department", "tickets"),
    }  # fmt: skip
    (inside,) = [box for box in scene.root.children if box.name == "inside"]
    assert [child.kind for child in inside.children] == ["InputLayer", "Dense"]
    assert sum(box.name == "shared" for box in scene.root.children) == 2  # one box a call


def test_arrows_carry_shapes(branched):
    shapes = {(arrow.source.name, arrow.target.name): arrow.shape for arrow in scene_of(branched).arrows}
    assert shapes["words", "read"] == (None, 5, 4) and shapes["priority", "tickets"] == (None, 1)


def test_models_without_a_graph():
    class Block(lamina.layers.Layer):
        def __init__(self):
            super().__init__(name="block")
            self.first, self.second = layers.Dense(4, name="first"), layers.Dense(4, name="second")

        def call(self, x):
            return self.second(self.first(x))

    class Mine(lamina.Model):
        def __init__(self):
            super().__init__(name="mine")
            self.block, self.head = Block(), layers.Dense(1, name="head")

        def call(self, x):
            return self.head(self.block(x))

    model = Mine()
    model(lamina.ops.ones((2, 3)))
    scene = scene_of(model)
    assert [child.name for child in scene.root.children] == ["inputs", "block", "head"]
    assert {("inputs", "first"), ("first", "second"), ("second", "head"), ("head", "mine")} == arrows(scene)


@pytest.fixture(scope="module")
def folded(inception):
    scene = scene_of(inception)
    fold_blocks(scene)
    return scene


def test_blocks_of_a_large_model(folded):
    top = folded.root.children
    assert len(folded.root.leaves) == 311
    assert [box.name for box in top if box.origin == "block"] == [f"mixed{number}" for number in range(11)]
    assert len(top) < 30
    runs = [box for box in top if box.origin == "run"]
    assert {box.kind for box in runs} == {"Conv2D + BatchNormalization + Activation"}


def test_blocks_by_name():
    x = start = lamina.Input((6,))
    for block in range(6):
        h = x
        for part in range(4):
            h = layers.Dense(6, name=f"conv{block}_block1_{part}")(h)
        x = layers.Add(name=f"conv{block}_block1_add")([x, h])
    scene = scene_of(lamina.Model(start, x))
    fold_blocks(scene)
    assert [box.name for box in scene.root.children[1:]] == [f"conv{block}_block1" for block in range(6)]


def test_small_models_are_not_folded(branched):
    scene = scene_of(branched)
    fold_blocks(scene)
    assert {box.origin for box in scene.root.all} == {"layer", "model"}


def test_what_is_drawn(folded):
    entries = drawn(folded)
    by_id = {entry["id"]: entry for entry in entries}
    assert [entry["id"] for entry in entries] == list(range(len(entries)))
    root = entries[0]
    shown = [entry for entry in entries if entry["parent"] == 0]
    assert root["open"] and not any(entry.get("open") for entry in shown)
    for entry in entries[1:]:
        around = by_id[entry["parent"]]
        assert entry["parent"] < entry["id"] and 0 <= entry["row"] < around["rows"]
        half = entry.get("width", entry["boxWidth"]) / 2
        assert abs(entry["x"]) + half <= around["width"] / 2 + 1
    for entry in entries:
        for arrow in entry.get("arrows", []):
            start, stop = by_id.get(arrow["from"]), by_id.get(arrow["to"])
            assert start is None or start["row"] == arrow["row"]
            assert stop is None or stop["row"] == arrow["row"] + len(arrow["xs"]) - 1
            assert start is None or "arrows" not in start or f"out {arrow['source']}" in start["ports"]
            assert stop is None or "arrows" not in stop or f"in {arrow['source']}" in stop["ports"]
    assert {arrow["shape"] for arrow in root["arrows"]} >= {"75 x 75 x 3", "7 x 7 x 256"}
