"""Files of Keras 1, 2 and 3 become programs by `lamina convert`, which compute what those versions computed."""

import gzip
import json
import pathlib

import jax
import numpy as np
import pytest

import lamina as keras
from lamina.cli import main

FILES = pathlib.Path(__file__).parents[1] / "saving" / "files"


def onnx(path, x):
    session = pytest.importorskip("onnxruntime").InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def litert(path, x):
    runner = pytest.importorskip("ai_edge_litert.interpreter").Interpreter(str(path)).get_signature_runner()
    (name,) = runner.get_input_details()
    (result,) = runner(**{name: x}).values()
    return result


def stablehlo(path, x):
    return jax.export.deserialize(bytearray(path.read_bytes())).call(x)


@pytest.mark.parametrize(
    ("name", "result", "run"),
    [
        ("keras1_curves.h5", "m.onnx", onnx), ("recurrent.h5", "m.tflite", litert),
        ("attention.keras", "m.jax", stablehlo), ("frozen.h5", "folder", None),
    ],
)  # fmt: skip
def test_an_old_file_becomes_a_program(name, result, run, tmp_path, capsys):
    source, arrays = tmp_path / name, np.load(FILES / f"{name.split('.')[0]}.npz")
    source.write_bytes(gzip.decompress((FILES / f"{name}.gz").read_bytes()))
    how = ["--json"] if run else ["--format", "tf_saved_model"]
    assert main(["convert", str(source), str(tmp_path / result), *how]) == 0
    said = capsys.readouterr().out
    if run is None:
        assert (tmp_path / result / "saved_model.pb").is_file()
        assert "differs from predict by" in said and "not kept: gradients" in said
        return
    assert json.loads(said)["difference"] < 1e-5
    wanted = arrays["p" if "p" in arrays else "y0"]
    np.testing.assert_allclose(run(tmp_path / result, arrays["x0"]), wanted, 1e-4, 1e-5)


def test_a_program_of_an_architecture_says_that_it_has_no_weights(tmp_path, capsys):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    (tmp_path / "m.json").write_text(model.to_json())
    model.save(tmp_path / "m.keras")
    for source, has_weights in (("m.json", False), ("m.keras", True)):
        assert main(["convert", str(tmp_path / source), str(tmp_path / "M.JAX"), "--overwrite"]) == 0
        assert ("not kept: weights" in capsys.readouterr().out) is not has_weights


def test_endpoints_of_litert(tmp_path):
    model = keras.Sequential([keras.Input((4,), name="x"), keras.layers.Dense(2, name="y")])
    archive = keras.export.ExportArchive("litert")
    archive.track_and_add_endpoint("serve", model, model._symbolic_inputs())
    archive.add_endpoint("double", lambda x: 2 * x, [keras.InputSpec(shape=(None, 3), dtype="float32")])
    archive.write_out(tmp_path, verbose=False)
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    np.testing.assert_allclose(litert(tmp_path / "serve.tflite", x), model.predict(x, verbose=0), 1e-5, 1e-6)
    np.testing.assert_allclose(litert(tmp_path / "double.tflite", x[:, :3]), 2 * x[:, :3])
