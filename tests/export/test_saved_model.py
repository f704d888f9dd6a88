"""SavedModels, which are written without TensorFlow; with it installed they are loaded and run."""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import jax
import numpy as np
import pytest

import lamina as keras
from lamina.cli.scan_protobufs import _all, fields, protobuf_findings
from lamina.errors import ConfigError
from lamina.runtime.protobufs import checksum, encode
from tests.export.zoo import ZOO

L = keras.layers
READ = """
import sys, numpy as np, tensorflow as tf
folder = sys.argv[1]
data = np.load(folder + "/data.npz")
loaded = tf.saved_model.load(folder + "/archive")
names = ["serving_default", "small", "two", "mixed", "total", "inverse"]
assert list(loaded.signatures) == names, list(loaded.signatures)
for batch in (1, 5):
    x, t, k = (data[name][:batch] for name in ("x", "t", "k"))
    assert np.allclose(loaded.small(x), data["out"][:batch], atol=1e-5)
    assert np.allclose(loaded.signatures["serving_default"](x=x)["out"], data["out"][:batch], atol=1e-5)
    made = loaded.signatures["mixed"](x=x)
    assert np.allclose(made["z"], data["z"][:batch]) and np.allclose(made["a"], data["a"][:batch]), "mixed up"
    for made in (loaded.two([t, k]), loaded.signatures["two"](text=k, time=t)):
        assert np.allclose(made["last"], data["last"][:batch], atol=1e-5) and made["rows"].shape == (batch, 2, 4)
    assert np.allclose(loaded.total(x, k)[1][0], x.sum() + k.sum(), rtol=1e-5)
    square = x[:, :, None] * x[:, None] + np.eye(4, dtype="float32")
    assert np.allclose(loaded.inverse(square), np.linalg.inv(square), atol=1e-4)
assert tf.keras.layers.TFSMLayer(folder + "/archive", call_endpoint="small")(data["x"]).shape == (5, 2)
with tf.compat.v1.Session(graph=tf.Graph()) as session:  # the loader of TensorFlow Serving
    meta = tf.compat.v1.saved_model.load(session, ["serve"], folder + "/archive").signature_def["small"]
    made = session.run(meta.outputs["out"].name, {meta.inputs["x"].name: data["x"]})
    assert np.allclose(made, data["out"], atol=1e-5)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    small = keras.Sequential([keras.Input((4,), name="x"), L.Dense(3, "relu"), L.Dropout(0.5), L.Dense(2, name="out")])
    time, text = keras.Input((None, 3), name="time"), keras.Input((2,), dtype="int32", name="text")
    two = keras.Model([time, text], {"last": L.GRU(3)(time), "rows": L.Embedding(9, 4)(text)})
    archive = keras.export.ExportArchive("tf_saved_model")
    archive.track_and_add_endpoint("small", small, small._symbolic_inputs())
    archive.track_and_add_endpoint("two", two, two._symbolic_inputs())
    x = keras.Input((4,), name="x")
    top = L.Lambda(lambda x: keras.ops.top_k(x, 2)[0], name="a")
    mixed = keras.Model(x, [L.Dense(2, name="z")(x), top(x)])  # names that are not in order
    archive.track_and_add_endpoint("mixed", mixed, mixed._symbolic_inputs())
    spec = [keras.InputSpec(shape=(None, 4), dtype="float32"), keras.InputSpec(shape=(None, 2), dtype="int32")]
    archive.add_endpoint("total", lambda a, b: (a, [keras.ops.sum(a) + keras.ops.sum(b)]), spec)
    archive.add_endpoint("inverse", keras.ops.inv, [keras.InputSpec(shape=(None, 4, 4), dtype="float32")])
    archive.add_variable_collection("weights", small.variables)
    archive.write_out(folder / "archive", verbose=False)
    x, t, k = np.random.rand(5, 4), np.random.rand(5, 7, 3), np.ones((5, 2), "int32")
    x, t = x.astype("float32"), t.astype("float32")
    z, a = mixed.predict(x, verbose=0)
    np.savez(
        folder / "data.npz", x=x, t=t, k=k, z=z, a=a, out=small.predict(x, verbose=0), **two.predict([t, k], verbose=0)
    )
    return folder


def test_endpoints_are_signatures(folder):
    data = (folder / "archive" / "saved_model.pb").read_bytes()
    names = [bytes(name).decode() for name in _all(data, 2, 5, 1)]
    assert names == ["serving_default", "small", "two", "mixed", "total", "inverse"] and not list(
        protobuf_findings(data, "graph")
    )
    assert {bytes(name).decode() for name in _all(data, 2, 5, 2, 1, 1)} == {"x", "time", "text", "a", "b"}
    names = {path.name for path in (folder / "archive").rglob("*") if path.is_file()}
    assert names == {"saved_model.pb", "variables.index", "variables.data-00000-of-00001", "weights.npz"}


@pytest.fixture(scope="module")
def in_tensorflow():
    """A function that runs a program in TensorFlow, which may be in an environment of its own."""
    python = os.environ.get("TENSORFLOW_PYTHON", sys.executable)
    if python == sys.executable and not importlib.util.find_spec("tensorflow"):
        pytest.skip("pip install tensorflow, or TENSORFLOW_PYTHON=path/to/python, runs SavedModels in it")
    environment = {**os.environ, "PYTHONPATH": "", "KERAS_BACKEND": "tensorflow"}
    return lambda *arguments: subprocess.run([python, *map(str, arguments)], check=True, env=environment)


def test_tensorflow_runs_it(folder, in_tensorflow):
    in_tensorflow("-c", READ, folder)


IN_C = [
    "Conv2D same 2", "Conv1DTranspose valid 2", "BatchNormalization", "Bidirectional GRU", "LSTM states", "LSTM open",
    "Embedding mask LSTM", "ConvLSTM2D", "transformer open", "U-Net open", "dictionary", "subclass of a dict", "int8",
    "mixed_float16", "ops sorting", "ops statistics", "ops while", "ops factors",
]  # fmt: skip


def tensors_of(folder):
    """The tensors of the default signature, {"inputs": {name: tensor}, "outputs": ...}, in the order of the file."""
    data = (folder / "saved_model.pb").read_bytes()
    (signature,) = (each for each in _all(data, 2, 5) if next(iter(_all(each, 1))) == b"serving_default")
    return {
        kind: {bytes(*_all(e, 1)).decode(): bytes(*_all(e, 2, 1)).decode() for e in _all(signature, 2, place)}
        for kind, place in (("inputs", 1), ("outputs", 2))
    }


def test_the_loader_of_tensorflow_serving_runs_the_zoo(tmp_path, in_tensorflow):
    """TF_LoadSessionFromSavedModel is LoadSavedModel in C, without Python's TensorFlow."""
    expected, order = {}, {}
    for name in IN_C:
        keras.utils.set_random_seed(1)
        model, folder = ZOO[name](), tmp_path / name.replace(" ", "_")
        model.export(folder, verbose=False, verify=False)
        leaves, names = jax.tree_util.tree_leaves(model._symbolic_inputs()), tensors_of(folder)
        for batch in (1, 5):
            arrays = [np.random.rand(batch, *(size or 8 for size in leaf.shape[1:])) for leaf in leaves]
            arrays = [
                (a * (4 if "int" in str(leaf.dtype) else 1)).astype(leaf.dtype)
                for a, leaf in zip(arrays, leaves, strict=True)
            ]
            given = dict(zip(sorted(names["inputs"]), arrays, strict=True))
            np.savez(folder / f"in_{batch}.npz", **given)
            expected[name, batch] = model.predict(given if len(leaves) > 1 else arrays[0], verbose=0)
        order[name] = model.output_names
        (folder / "names.json").write_text(json.dumps(names))
    in_tensorflow(pathlib.Path(__file__).with_name("tensorflow_in_c.py"), *tmp_path.iterdir())
    for (name, batch), outputs in expected.items():
        made = np.load(tmp_path / name.replace(" ", "_") / f"out_{batch}.npz")
        keys = outputs if isinstance(outputs, dict) else order[name] or made.files
        values = outputs.values() if isinstance(outputs, dict) else jax.tree_util.tree_leaves(outputs)
        assert set(keys) == set(made.files), name
        for key, value in zip(keys, values, strict=True):
            np.testing.assert_allclose(made[key], value, 0, 1e-4 * np.abs(value).max(), err_msg=f"{name} {batch}")


def test_a_model_as_a_folder(tmp_path, capsys):
    model = keras.Sequential([keras.Input((4,)), L.Dense(2)])
    report = model.export(tmp_path / "model", format="tf_saved_model")
    assert "not kept: gradients" in capsys.readouterr().out and report.difference < 1e-5
    assert "saved_model.pb" in report.files and report.size > 1000
    with pytest.raises(ConfigError, match="is a folder"):
        model.export(tmp_path / "saved_model.pb")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_outputs_are_named_in_the_order_of_tensorflow(folder):
    data = (folder / "archive" / "saved_model.pb").read_bytes()
    (mixed,) = (each for each in _all(data, 2, 5) if next(iter(_all(each, 1))) == b"mixed")
    ends = {bytes(next(iter(_all(e, 1)))): bytes(next(iter(_all(e, 2, 1)))) for e in _all(mixed, 2, 2)}
    assert ends == {b"a": b"mixed_call:0", b"z": b"mixed_call:1"}
    assert b"composite" not in data


def test_linear_algebra_needs_no_lapack(tmp_path):
    def call(x):
        x = x @ keras.ops.transpose(x, (0, 2, 1)) + keras.ops.eye(3)
        rows = keras.ops.scan(lambda total, row: (total, keras.ops.inv(row)), x[0], x)[1]  # inside of another program
        return [rows, keras.ops.cholesky(x), *keras.ops.qr(x), keras.ops.eigh(x)[0], keras.ops.svd(x, compute_uv=False)]

    inputs = keras.Input((3, 3))
    report = keras.Model(inputs, L.Lambda(call)(inputs)).export(tmp_path / "model", verbose=False)
    assert report.difference < 1e-5 and b"lapack_" not in (tmp_path / "model" / "saved_model.pb").read_bytes()


def test_linear_algebra_that_tensorflow_lacks(tmp_path):
    model = keras.Sequential([keras.Input((65, 65)), L.Lambda(lambda x: keras.ops.eigh(x)[0], name="values")])
    with pytest.raises(ConfigError, match="(?s)TensorFlow has no 'lapack.*'values'"):
        model.export(tmp_path / "model", verbose=False)
    assert not list(tmp_path.iterdir())


def test_messages():
    made = encode((1, 300), (2, "text"), (3, None), (4, encode((1, -1))), (5, True))
    assert dict(fields(made)) == {1: 300, 2: b"text", 4: encode((1, -1)), 5: 1}
    crc = 0xE3069283  # of RFC 3720
    assert checksum(b"123456789") == (((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF).to_bytes(4, "little")
