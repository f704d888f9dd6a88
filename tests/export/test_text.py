"""Text in ONNX: lookups and vectorization in front of a model, by the operators that the format has for strings."""

import numpy as np
import onnx
import onnxruntime
import pytest

import lamina as keras
from lamina.errors import ConfigError

L = keras.layers
TEXTS = np.array(
    [
        "The film was GOOD!",
        "",
        "   ",
        "bad,\tbad\nand 'so-so' plot.",
        "\u00c4 \u00a0bad\u00a0",
        "good good good good good",
    ],
    object,
)


def run(path, inputs):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    return onnxruntime.InferenceSession(path).run(None, inputs)


def test_vectorization_and_lookups_beside_numbers(tmp_path):
    text, kind = keras.Input((1,), dtype="string", name="text"), keras.Input((2,), dtype="string", name="kind")
    age = keras.Input((1,), name="age")
    words = ["the", "film", "was", "bad", "good"]
    ids = L.TextVectorization(vocabulary=words, output_sequence_length=4)(text)
    counts = L.TextVectorization(
        vocabulary=words, output_mode="tf_idf", idf_weights=[1, 2, 3, 4, 5], standardize="strip_punctuation"
    )(text)
    kinds = L.StringLookup(vocabulary=["new", "\u00e4lter"], output_mode="multi_hot")(kind)
    known = L.StringLookup(vocabulary=["new", "old"], num_oov_indices=0, mask_token="")(kind)
    parts = [L.Flatten()(L.Embedding(7, 3)(ids)), counts, kinds, L.Flatten()(L.Embedding(3, 2)(known)), age]
    model = keras.Model({"text": text, "age": age, "kind": kind}, L.Dense(3, name="score")(L.Concatenate()(parts)))
    report = model.export(tmp_path / "m.onnx", verbose=False)
    assert report.difference < 1e-5 and report.operators["StringSplit"]
    rows = np.array([["new", "old"], ["old", "old"], ["new", ""]], object)
    for texts in (TEXTS[:3], TEXTS[3:]):
        inputs = {"text": texts[:, None], "age": np.ones((3, 1), "float32"), "kind": rows}
        (result,) = run(tmp_path / "m.onnx", inputs)
        np.testing.assert_allclose(result, model.predict(inputs, verbose=0), 1e-5, 1e-5)


def test_rows_of_open_length_and_versions(tmp_path):
    model = keras.Sequential([
        keras.Input((), dtype="string"), L.TextVectorization(vocabulary=["bad", "good"], standardize=None),
        L.Embedding(4, 2), L.GlobalAveragePooling1D(),
    ])  # fmt: skip
    model.export(tmp_path / "m.onnx", verbose=False)
    (result,) = run(tmp_path / "m.onnx", {model.inputs[0].name: TEXTS})
    np.testing.assert_allclose(result, model.predict(TEXTS, verbose=0), 1e-5, 1e-6)
    with pytest.raises(ConfigError, match="opset_version=20"):
        model.export(tmp_path / "old.onnx", opset_version=18)
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]


@pytest.mark.parametrize("layer", [
    lambda: L.Hashing(5), lambda: L.StringLookup(vocabulary=["a"], num_oov_indices=2),
    lambda: L.TextVectorization(vocabulary=["a"], ngrams=2),
])  # fmt: skip
def test_other_text_is_refused_by_the_name_of_the_layer(layer, tmp_path):
    words, layer = keras.Input((1,), dtype="string"), layer()
    with pytest.raises(ConfigError, match=layer.name):
        keras.Model(words, layer(words)).export(tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())
