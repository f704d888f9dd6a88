"""Files that earlier versions wrote load for ever, and mean what they meant: see `make.py`."""

import functools
import importlib.util
import pathlib
import shutil

import jax.export
import numpy as np
import pytest

import lamina as keras

HERE = pathlib.Path(__file__).parent
VERSIONS = sorted(path.parent for path in HERE.glob("*/expected.npz"))
_spec = importlib.util.spec_from_file_location("make_golden", HERE / "make.py")
make = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make)

INPUTS = make.inputs()
MODELS = [path for folder in VERSIONS for pattern in ("*.keras", "*.h5") for path in sorted(folder.glob(pattern))]
WHOLE = [path for path in MODELS if not path.name.endswith(".weights.h5") and not path.name.startswith("optimizer")]


def name_of(path):
    return f"{path.parent.name}/{path.name}"


def expected(path, name):
    with np.load(path.parent / "expected.npz") as arrays:
        return arrays[name]


def input_of(name):
    return INPUTS[{"lora": "quantized"}.get(name, name.partition("_")[0])]


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


@functools.cache
def weights_of(path):
    return keras.models.load_model(path).get_weights()


def same_weights(model, path):
    for found, wanted in zip(model.get_weights(), weights_of(path), strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("path", WHOLE, ids=name_of)
def test_models(path):
    model = keras.models.load_model(path)
    if path.stem == "strings":
        texts = np.array([["green", "red"], ["blue", "pink"]])
        assert np.asarray(model.predict(texts, verbose=0)).tolist() == [[0, 1, 1, 0], [1, 0, 0, 1]]
    elif path.suffix == ".h5":
        same_weights(model, path.with_suffix(".keras"))
    else:
        close(model.predict_on_batch(input_of(path.stem)), expected(path, path.stem))


@pytest.mark.parametrize("name", ["images", "sequences"])
@pytest.mark.parametrize("folder", VERSIONS, ids=lambda folder: folder.name)
def test_weights_and_architectures(folder, name):
    model = keras.models.model_from_json((folder / f"{name}.json").read_text())
    for ending in ("weights.h5", "safetensors", "weights.json"):
        model.set_weights([np.zeros(w.shape, w.dtype) for w in model.get_weights()])
        model.load_weights(folder / f"{name}.{ending}")
        same_weights(model, folder / f"{name}.keras")


@pytest.mark.parametrize("path", [p for p in MODELS if p.name.startswith("optimizer")], ids=name_of)
def test_optimizers(path):
    model = keras.models.load_model(path)
    close(make.state(model), expected(path, path.stem))
    if path.stem == "optimizer_Adam":
        model.train_on_batch(*make.data())
        close(make.state(model), expected(path, "after_Adam"))


@pytest.mark.parametrize("folder", VERSIONS, ids=lambda folder: folder.name)
def test_runs_are_resumed(folder, tmp_path):
    shutil.copytree(folder / "run", tmp_path / "run")
    _, fit = make.resumed(tmp_path / "run")
    close(fit(3).history["loss"], expected(folder / "run", "run"))


@pytest.mark.parametrize("folder", VERSIONS, ids=lambda folder: folder.name)
def test_exported_programs(folder):
    if not hasattr(jax, "enable_x64"):
        pytest.skip("releases of JAX before jax.enable_x64 do not read what newer ones wrote")
    program = jax.export.deserialize(bytearray((folder / "images.jax").read_bytes()))
    close(np.asarray(program.call(INPUTS["images"])), expected(folder / "images", "images"))
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(folder / "images.onnx", providers=["CPUExecutionProvider"])
    found = session.run(None, {session.get_inputs()[0].name: INPUTS["images"]})[0]
    close(found, expected(folder / "images", "images"))
