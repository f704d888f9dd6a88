"""Models as trees of boxes, and large ones folded into blocks."""

import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.view.blocks import fold_blocks
from lamina.view.data import page_data
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


@pytest.mark.parametrize("inside", ["model", "layer"])
def test_what_a_repeat_repeats_is_in_its_box(inside):
    block = lamina.Sequential(
        [lamina.Input((8,)), layers.Dense(8, "relu", name="up"), layers.Dropout(0.1)], name="block"
    )
    block = block if inside == "model" else layers.Dense(8, name="up")
    model = lamina.Sequential([lamina.Input((8,)), layers.Repeat(block, 4, name="deep"), layers.Dense(3)])
    data, _ = page_data(model, np.ones((2, 8), "float32"), profile=False)
    by_name = {box["name"]: box for box in data["boxes"]}
    deep, up = by_name["deep"], by_name["up"]
    assert deep["detail"] == f"Repeat of {3 if inside == 'model' else 1} layers, 4 times" and deep["family"] == "model"
    assert up["parent"] == deep["id"] and up["detail"].startswith("Dense 8")
    assert deep["costs"]["weights"] == 4 * 72 and up["costs"]["weights"] == 0
    assert [weight["shape"] for weight in deep["weights"]] == ["4 x 8 x 8", "4 x 8"]
    assert {arrow["shape"] for box in (data["boxes"][0], deep) for arrow in box["arrows"]} == {"8", "3"}
