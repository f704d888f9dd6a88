"""Filters, attention maps, saliency, and the graphs for Model Explorer."""

import base64
import json

import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.view import view
from lamina.view.data import page_data
from lamina.view.inside import attention_of, filters_of, saliency_of
from lamina.view.model_explorer import graph_collection
from tests.view.conftest import WICKED


def as_array(text, size):
    width, height, count = size
    return np.frombuffer(base64.b64decode(text), "uint8").reshape(count, height, width, -1)


@pytest.fixture(scope="module")
def reader():
    """A text model: words, attention, one output."""
    text = lamina.Input((4,), dtype="int32", name="text")
    words = layers.Embedding(6, 8, name="words")(text)
    seen = layers.MultiHeadAttention(2, 3, name="attend")(words, words)
    return lamina.Model(text, layers.Dense(1, "sigmoid")(layers.GlobalAveragePooling1D()(seen)), name="reader")


def test_filters(trained):
    conv = trained[0].get_layer("conv")
    found = filters_of(conv)
    assert found["size"] == [3, 3, 4] and (found["colours"], found["all"]) == (1, 4)
    kernel = np.moveaxis(conv.kernel.numpy()[:, :, 0], -1, 0)
    shown = as_array(found["maps"], found["size"])[..., 0] / 255
    np.testing.assert_allclose(shown, (kernel - kernel.min()) / np.ptp(kernel), atol=0.01)
    colour = layers.Conv2D(20, 5)
    colour.build((None, 9, 9, 3))
    assert (filters_of(colour)["size"], filters_of(colour)["colours"]) == ([5, 5, 16], 3)
    assert filters_of(layers.Dense(2)) is None and filters_of(layers.Conv2D(2, 1)) is None


def test_attention(reader):
    x = np.array([[1, 2, 3, 4], [5, 5, 5, 5]])
    found = attention_of(reader, x)[reader.get_layer("attend"), 1]
    _, weights = reader.get_layer("attend")(*[reader.get_layer("words")(x)] * 2, return_attention_scores=True)
    assert found["size"] == [4, 4, 2] and found["all"] == 2
    shown, weights = as_array(found["maps"], found["size"])[..., 0] / 255, np.asarray(weights[0])
    np.testing.assert_allclose(shown, (weights - weights.min()) / np.ptp(weights), atol=0.01)


class Looking(layers.Layer):
    """Attention that a user wrote."""

    def call(self, x):
        return lamina.ops.softmax(2 * x @ lamina.ops.transpose(x, (0, 2, 1))) @ x


def test_attention_of_a_layer_of_ones_own():
    inputs = lamina.Input((3, 2))
    tags = layers.Dense(4, "softmax", name="tags")(Looking(name="own")(inputs))
    model, x = lamina.Model(inputs, tags), np.array([[[1, 0], [0, 2], [0.5, 0]]], "float32")
    ((layer, use),) = found = attention_of(model, x)
    assert (layer.name, use) == ("own", 1) and found[layer, 1]["size"] == [3, 3, 1]
    scores = np.exp(2 * x[0] @ x[0].T)
    shown = as_array(found[layer, 1]["maps"], [3, 3, 1])[0, ..., 0] / 255
    weights = scores / scores.sum(-1, keepdims=True)
    np.testing.assert_allclose(shown, (weights - weights.min()) / np.ptp(weights), atol=0.01)


def test_attention_in_a_block_that_is_repeated():
    inputs = lamina.Input((3, 4))
    block = lamina.Model(inputs, inputs + layers.MultiHeadAttention(2, 3, name="attend")(inputs, inputs))
    model = lamina.Sequential([lamina.Input((3, 4)), layers.Repeat(block, 3), layers.Dense(1)])
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    attend = block.get_layer("attend")
    ((layer, use),) = found = attention_of(model, x)
    assert layer is attend and use is None
    assert (found[layer, None]["size"], found[layer, None]["all"]) == ([3, 3, 6], 6)
    apart = layers.MultiHeadAttention(2, 3)  # as the last repetition
    h = x
    apart.build(x.shape, x.shape)
    for turn in range(3):
        for name in ("query", "key", "value", "output"):
            for one, all_ in zip(*(getattr(layer, f"{name}_dense").weights for layer in (apart, attend)), strict=True):
                one.assign(all_.numpy()[turn])
        h, weights = (h + (pair := apart(h, h, return_attention_scores=True))[0]), pair[1]
    shown = as_array(found[layer, None]["maps"], [3, 3, 6])[4:]
    for head, map_ in zip(np.asarray(weights[0]), shown[..., 0], strict=True):
        darkest, lightest = map_.flat[np.argmax(head)], map_.flat[np.argmin(head)]
        assert darkest == map_.max() and lightest == map_.min()  # which others may share
    data, _ = page_data(model, x, profile=False)
    assert "attention" in str(data) and found[layer, None]["maps"] in str(data)


def test_saliency_adds_up_to_the_output(reader):
    (words,), said = saliency_of(reader, np.array([[1, 2, 0, 4]]), ["", "<b>", "good", "bad", "film"])
    assert words["words"] == ["<b>", "good", "(padding)", "film"] and said.startswith("What output 0 of 1 (")
    model = lamina.Sequential([lamina.Input((3,)), layers.Dense(4, "tanh"), layers.Dense(2)])
    x = np.array([[1.0, -2.0, 0.5]], "float32")
    (row,), said = saliency_of(model, x)
    outputs = np.asarray(model(x) - model(0 * x))[0]
    assert sum(row["scores"]) == pytest.approx(outputs[np.argmax(np.asarray(model(x)))], abs=1e-3)
    assert row["words"] == ["0: 1", "1: -2", "2: 0.5"]


def test_saliency_of_pictures_and_what_has_none(trained):
    model, x, _ = trained
    (picture,), _ = saliency_of(model, x)
    assert (picture["kind"], picture["size"], picture["colours"]) == ("picture", [8, 8], 1)
    assert len(base64.b64decode(picture["heat"])) == 64
    whole = lamina.Sequential([lamina.Input((2,), dtype="int32"), layers.Lambda(lambda x: 2 * x)])
    assert saliency_of(whole, np.ones((1, 2), "int32")) == ([], "Saliency needs inputs of numbers, or an Embedding.")


def test_graphs_for_model_explorer(branched, tmp_path):
    path = tmp_path / "graph.json"
    view(branched, path)
    (graph,) = json.loads(path.read_text())["graphs"]
    nodes = {node["id"]: node for node in graph["nodes"]}
    assert len(nodes) == len(graph["nodes"])
    fields = {"id": str, "label": str, "namespace": str, "attrs": list, "incomingEdges": list, "outputsMetadata": list}
    for node in graph["nodes"]:
        assert {name: type(node[name]) for name in node} == fields
        for edge in node["incomingEdges"]:
            assert set(edge) == {"sourceNodeId", "sourceNodeOutputId", "targetNodeInputId"}
            source = nodes[edge["sourceNodeId"]]
            assert edge["sourceNodeOutputId"] in [one["id"] for one in source["outputsMetadata"]]
        assert all(isinstance(one["value"], str) for one in node["attrs"])
    by_label = {node["label"]: node for node in graph["nodes"]}
    assert by_label["hidden"]["namespace"] == "inside" and "inside" in graph["groupNodeAttributes"]
    assert len(by_label["outputs"]["incomingEdges"]) == 2 and len(by_label["total"]["incomingEdges"]) == 3
    assert by_label["read"]["outputsMetadata"][0]["attrs"] == [{"key": "tensor_shape", "value": "?, 8"}]
    two = graph_collection(branched, branched)
    assert [graph["id"] for graph in two["graphs"]] == ["tickets", "tickets (2)"]


def test_the_page_has_them_all(trained):
    model, x, _ = trained
    page = view(model, x=x.tolist(), open=False)
    text = page.html.split('id="data">')[1].split("</script>")[0]
    data = json.loads(text)
    assert "LAM118" not in [finding["code"] for finding in data["findings"]]
    assert data["boxes"][2]["filters"]["all"] == 4 and data["saliency"][0]["inputs"][0]["kind"] == "picture"
    assert WICKED not in page.html and page._repr_html_().startswith("<iframe")


def test_weights_that_are_not_finite_leave_a_page(reader):
    table = reader.get_layer("words").embeddings
    before = table.numpy()
    table.assign(np.full(table.shape, np.nan))
    page = view(reader, x=np.array([[1, 2, 3, 3]]), open=False)
    table.assign(before)
    text = page.html.split('id="data">')[1].split("</script>")[0]
    assert json.loads(text, parse_constant=pytest.fail)["saliency"][0]["inputs"][0]["scores"] == [0, 0, 0, 0]
