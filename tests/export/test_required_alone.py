"""Formats that need the required packages alone, written for models of many families: `.ci/quick.py` runs this on each
Python and JAX, where new operations of JAX and new parameters of old ones show."""

import sys

import jax
import numpy as np
import pytest

import lamina as keras
from lamina.runtime.packages import MissingPackageError
from tests.export.zoo import ZOO

L = keras.layers
NAMES = (
    "Conv2D same 2", "Conv1DTranspose valid 2", "BatchNormalization", "Bidirectional GRU", "LSTM open", "ConvLSTM2D",
    "Embedding mask LSTM", "transformer open", "U-Net open", "dictionary", "int8", "mixed_float16", "ops sorting",
    "ops running", "ops elements", "ops powers", "ops statistics", "ops while", "ops map", "ops scatter",
)  # fmt: skip


def functions():
    """What JAX changes most: functions that became operations of their own, and loops."""
    special, numpy, ops = jax.scipy.special, jax.numpy, keras.ops

    def call(x):
        return [
            special.gammaln(x * 9 - 4.3), special.digamma(x * 5 + 0.1), special.betainc(x + 0.5, x + 2, x),
            special.gammainc(x + 1, x * 3), special.i1e(x * 9 - 5), special.polygamma(1, x + 0.5), numpy.log2(x + 1),
            numpy.polyval(numpy.array([1.0, -2.0, 3.0]), x), numpy.searchsorted(numpy.array([0.2, 0.5, 0.7]), x),
            numpy.unstack(x, axis=1)[0], ops.associative_scan(lambda a, b: a + b, x, axis=1), ops.histogram(x[0], 3)[0],
            ops.scan(lambda total, one: (total + one, total), x[:, 0] * 0, ops.transpose(x))[1],
        ]  # fmt: skip

    inputs = keras.Input((4,))
    return keras.Model(inputs, L.Lambda(call)(inputs))


MODELS = {**{name: ZOO[name] for name in NAMES}, "functions": functions}


@pytest.mark.parametrize("name", MODELS)
def test_programs_of_every_family_are_written(name, tmp_path):
    model = MODELS[name]()
    for path in ("m.jax", "saved"):
        assert model.export(tmp_path / path, verbose=False).difference < 1e-4
    assert model.export(tmp_path / "m.tflite", verbose=False, verify=False).size > 500


def test_weights_and_layers_are_written_and_read_again(tmp_path):
    parts = [L.Conv2D(4, 3, activation="relu"), L.BatchNormalization(), L.GlobalAveragePooling2D(), L.Dense(3)]
    model = keras.Sequential([keras.Input((8, 8, 1)), *parts])
    x = np.random.default_rng(0).random((2, 8, 8, 1), "float32")
    for format in ("tfjs", "huggingface"):
        assert model.export(tmp_path / format, format=format, verbose=False).difference < 1e-5
        again = keras.models.load_model(tmp_path / format)
        np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
    model.save_weights(tmp_path / "m.safetensors")
    again.load_weights(tmp_path / "m.safetensors")


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingPackageError, match="pip install onnx"):
        ZOO["ops loop"]().export(tmp_path / "m.onnx", verbose=False)
    assert not list(tmp_path.iterdir())
