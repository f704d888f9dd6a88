"""Layers and models with a `call` of their own in TensorFlow.js: the graph of what they call, or a refusal."""

import numpy as np
import pytest

import lamina as keras
from lamina import layers as L
from lamina.errors import ConfigError
from tests.export.test_tensorflowjs import Block


class Tower(keras.Model):
    def __init__(self):
        super().__init__()
        self.heads = {"left": L.Dense(2), "right": L.CategoryEncoding(4, "one_hot")}
        self.inner = keras.Sequential([L.Dense(3, "relu"), Block()])

    def call(self, inputs, training=False):
        rows, same = self.inner(inputs["rows"], training=training)
        return {"codes": self.heads["right"](inputs["codes"]), "rows": self.heads["left"](rows), "same": same}


def test_a_subclass_becomes_the_graph_of_what_it_calls(tmp_path):
    model, inputs = Tower(), {"rows": np.ones((2, 4, 3), "float32"), "codes": np.array([[1], [3]])}
    wanted = model(inputs)
    calls = [len(layer._inbound_nodes) for layer in model._flatten_layers()]
    assert model.export(tmp_path / "model", format="tfjs", verbose=False).difference < 1e-5
    assert calls == [len(layer._inbound_nodes) for layer in model._flatten_layers()]
    again = keras.models.load_model(tmp_path / "model" / "model.json")
    assert again.input_names == ["codes", "rows"]
    for result, name in zip(again([inputs["codes"], inputs["rows"]]), ("codes", "rows", "same"), strict=True):
        np.testing.assert_allclose(result, wanted[name], atol=1e-6)


class Counted(L.Layer):
    """Counts its calls, or draws a number."""

    def __init__(self, draws):
        super().__init__()
        self.draws = draws

    def build(self, shape):
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x):
        if self.draws:
            return x + keras.random.normal((3,))
        self.count.assign(self.count + 1)
        return x * 2.0


@pytest.mark.parametrize("draws", [True, False])
def test_a_call_that_changes_something_is_refused(draws, tmp_path):
    model = keras.Sequential([keras.Input((3,)), Counted(draws)])
    with pytest.raises(ConfigError, match="no layer Counted"):
        model.export(tmp_path / "model", format="tfjs")
    assert float(model.layers[0].count) == 0


def test_dropout_that_stays_on_is_refused(tmp_path):
    inputs = keras.Input((4,))
    with pytest.raises(ConfigError, match="further arguments"):
        keras.Model(inputs, L.Dropout(0.5)(inputs, training=True)).export(tmp_path / "model", format="tfjs")


def test_sixteen_bits_are_compared_with_thirty_two(tmp_path):
    """TensorFlow.js computes in float32, and is right if it differs from `predict` by the roundings of this."""
    layers = [L.GRU(4, return_sequences=True, dtype="mixed_float16"), L.LSTM(3, dtype="mixed_bfloat16")]
    model = keras.Sequential([keras.Input((5, 3)), *layers])
    report = model.export(tmp_path / "model", format="tfjs", verbose=False)
    assert report.difference < 1e-5 and report.lost == ["16 bits, which are computed in 32"]
    assert [layer.compute_dtype for layer in layers] == ["float16", "bfloat16"]


def test_inputs_of_one_axis_are_refused(tmp_path):
    user = keras.Input((), name="user", dtype="int32")
    with pytest.raises(ConfigError, match=r"user = keras.Input\(\(1,\)\)"):
        keras.Model(user, L.Embedding(5, 3)(user)).export(tmp_path / "model", format="tfjs")
    user = keras.Input((1,), name="user", dtype="int32")
    model = keras.Model(user, L.Embedding(5, 3)(keras.ops.squeeze(user, 1)))
    assert model.export(tmp_path / "model", format="tfjs", verbose=False).difference == 0
