"""Safetensors, shards, folders, TensorFlow.js, and the report of what a load took."""

import json
import logging
import pathlib
import re

import keras
import numpy as np
import pytest

import lamina
from lamina.errors import FileError, UnsafeFileError
from tests.models import zoo

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's variables
random = np.random.default_rng(5)


def assert_weights(model, expected):
    for got, wanted in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(got, wanted)


def blank(name, library=lamina):
    """The same model with other weights."""
    model = zoo.MODELS[name][0](library)
    model.set_weights([weight * 0 for weight in model.get_weights()])
    return model


# Safetensors


def read_safetensors(path):
    """What the description of the format says: 8 bytes of length, a header in JSON, the numbers."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header, numbers = json.loads(data[8 : 8 + length]), data[8 + length :]
    return header, numbers


@pytest.mark.parametrize("name", ["mlp", "text", "nested_functional"])
def test_safetensors(name, tmp_path):
    model, _ = zoo.pair(name)
    model.save_weights(tmp_path / "m.safetensors")
    header, numbers = read_safetensors(tmp_path / "m.safetensors")
    assert header.pop("__metadata__") == {"format": "keras"} and (8 + len(numbers)) % 4 == 0
    values = {
        key: np.frombuffer(numbers[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
        for key, entry in header.items()
        if entry["dtype"] == "F32"
    }
    assert sum(value.size for value in values.values()) == model.count_params()
    fresh = blank(name)
    report = fresh.load_weights(tmp_path / "m.safetensors")
    assert_weights(fresh, model)
    assert len(report.loaded) == len(model.weights) and not report.unused


def test_safetensors_leave_the_optimizer_out_and_keep_types(tmp_path):
    model = lamina.Sequential([lamina.Input((3,)), lamina.layers.Dense(2, dtype="bfloat16")])
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    model.save_weights(tmp_path / "m.safetensors")
    header, _ = read_safetensors(tmp_path / "m.safetensors")
    assert {key: header[key]["dtype"] for key in header if key != "__metadata__"} == {
        "layers/dense/vars/0": "BF16", "layers/dense/vars/1": "BF16",
    }  # fmt: skip
    wanted = model.get_weights()
    model.set_weights([weight * 0 for weight in wanted])
    model.load_weights(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(model.get_weights()[0], wanted[0])


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda entry: entry.update(data_offsets=[0, 2**40]), "outside of the file"),
        (lambda entry: entry.update(shape=[2**20, 2**20]), "outside of the file"),
        (lambda entry: entry.update(shape=[-6, -4]), "outside of the file"),
        (lambda entry: entry.update(dtype="PICKLE"), "no valid entry"),
        (lambda entry: entry.pop("shape"), "no valid entry"),
    ],
)
def test_safetensors_that_are_not_what_they_say(change, error, tmp_path):
    path = tmp_path / "m.safetensors"
    zoo.pair("mlp")[0].save_weights(path)
    header, numbers = read_safetensors(path)
    change(header["layers/dense/vars/0"])
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + numbers)
    with pytest.raises(FileError, match=error):
        blank("mlp").load_weights(path)
    path.write_bytes((2**62).to_bytes(8, "little") + text)
    with pytest.raises(UnsafeFileError, match="header"):
        blank("mlp").load_weights(path)


# Shards


@pytest.mark.parametrize(("name", "size"), [("mlp", 200), ("resnet", 600)])
def test_shards_both_ways(name, size, tmp_path):
    ours, theirs = zoo.pair(name)
    limit = size / 2**30  # gigabytes
    ours.save_weights(tmp_path / "ours.weights.json", max_shard_size=limit)
    theirs.save_weights(tmp_path / "theirs.weights.json", max_shard_size=limit)
    contents = [json.loads((tmp_path / f"{who}.weights.json").read_text()) for who in ("ours", "theirs")]
    assert contents[0]["metadata"] == contents[1]["metadata"]
    assert len(list(tmp_path.glob("ours_*.weights.h5"))) > 1
    mine, other = blank(name), blank(name, keras)
    mine.load_weights(tmp_path / "theirs.weights.json")
    other.load_weights(tmp_path / "ours.weights.json")
    assert_weights(mine, ours)
    assert_weights(other, theirs)


def test_shards_stay_beside_their_list(tmp_path):
    model, _ = zoo.pair("mlp")
    with pytest.raises(FileError, match="max_shard_size"):
        model.save_weights(tmp_path / "m.weights.h5", max_shard_size=1)
    with pytest.raises(FileError, match="max_shard_size"):
        model.save_weights(tmp_path / "m.weights.json")
    model.save_weights(tmp_path / "m.weights.json", max_shard_size=1)
    text = (tmp_path / "m.weights.json").read_text()
    (tmp_path / "m.weights.json").write_text(text.replace("m_00000", "../m_00000"))
    with pytest.raises(UnsafeFileError, match="another folder"):
        model.load_weights(tmp_path / "m.weights.json")
    (tmp_path / "m.weights.json").write_text(text)
    (tmp_path / "m_00000.weights.h5").unlink()
    with pytest.raises(FileError, match="which is missing"):
        model.load_weights(tmp_path / "m.weights.json")


# Folders


def test_folders_both_ways(tmp_path):
    ours, theirs = zoo.pair("mlp")
    for model, name in ((ours, "ours"), (theirs, "theirs")):
        model.compile("adam", "mse")
        model.optimizer.build(model.trainable_variables)
        model.save(tmp_path / name, zipped=False)
    names = sorted(path.name for path in (tmp_path / "ours").iterdir())
    assert names == ["config.json", "metadata.json", "model.weights.h5"]
    assert_weights(lamina.models.load_model(tmp_path / "theirs"), ours)
    assert_weights(keras.models.load_model(tmp_path / "ours"), theirs)
    fresh = blank("mlp")
    fresh.load_weights(tmp_path / "ours")
    assert_weights(fresh, ours)
    with pytest.raises(FileError, match="name of a file"):
        ours.save(tmp_path / "m.keras", zipped=False)
    (tmp_path / "ours" / "config.json").unlink()
    (tmp_path / "ours" / "config.json").symlink_to(tmp_path / "theirs" / "config.json")
    with pytest.raises(UnsafeFileError, match="a link or a device"):
        lamina.models.load_model(tmp_path / "ours")


# TensorFlow.js


def dense(name, units, **config):
    return {"class_name": "Dense", "config": {"name": name, "trainable": True, "units": units, **config}}


ROWS = [dense("a", 4, batch_input_shape=[None, 3], activation="relu"), dense("b", 2)]
TOPOLOGY = {"class_name": "Sequential", "config": {"name": "s", "layers": ROWS}}


def write_script(folder, arrays, quantized=None, pieces=2, **contents):
    """A layers-model of TensorFlow.js, its numbers cut into `pieces` files."""
    entries, data, kept = [], b"", {}
    for name, array in arrays.items():
        entry = {"name": name, "shape": list(array.shape), "dtype": "float32"}
        if quantized:
            scale = float(array.max() - array.min()) / np.iinfo(quantized).max
            low = float(array.min())
            numbers = np.round((array - low) / scale).astype(quantized)
            entry["quantization"] = {"min": low, "scale": scale, "dtype": quantized}
            data, kept[name] = data + numbers.tobytes(), (numbers * scale + low).astype("float32")
        else:
            data, kept[name] = data + array.tobytes(), array
        entries.append(entry)
    size = -(-len(data) // pieces)
    paths = [f"group1-shard{place + 1}of{pieces}.bin" for place in range(pieces)]
    for place, path in enumerate(paths):
        (folder / path).write_bytes(data[place * size : (place + 1) * size])
    model = {
        "format": "layers-model", "generatedBy": "keras v2.4.0", "convertedBy": "TensorFlow.js Converter v3.3.0",
        "modelTopology": {"keras_version": "2.4.0", "backend": "tensorflow", "model_config": TOPOLOGY},
        "weightsManifest": [{"paths": paths, "weights": entries}], **contents,
    }  # fmt: skip
    (folder / "model.json").write_text(json.dumps(model))
    return kept


def script_arrays():
    shapes = {"a/kernel": (3, 4), "a/bias": (4,), "b/kernel": (4, 2), "b/bias": (2,)}
    return {name: random.normal(size=shape).astype("float32") for name, shape in shapes.items()}


@pytest.mark.parametrize("quantized", [None, "uint8", "uint16"])
def test_models_of_tensorflow_js(quantized, tmp_path):
    kept = write_script(tmp_path, script_arrays(), quantized)
    model = lamina.models.load_model(tmp_path / "model.json")
    for got, wanted in zip(model.get_weights(), kept.values(), strict=True):
        np.testing.assert_allclose(got, wanted, 1e-6, 1e-6)
    assert [layer.name for layer in model.layers] == ["a", "b"]


def test_models_that_tensorflow_js_made_itself_and_hostile_ones(tmp_path):
    arrays = script_arrays()
    topology = {**TOPOLOGY, "keras_version": "tfjs-layers 3.21.0", "backend": "tensor_flow.js"}
    write_script(tmp_path, arrays, modelTopology=topology)
    assert lamina.models.load_model(tmp_path / "model.json").count_params() == 26
    text = (tmp_path / "model.json").read_text()
    (tmp_path / "model.json").write_text(text.replace("group1-shard1of2", "../group1-shard1of2"))
    with pytest.raises(UnsafeFileError, match="another folder"):
        lamina.models.load_model(tmp_path / "model.json")
    write_script(tmp_path, {**arrays, "a/kernel": arrays["a/kernel"].T})
    with pytest.raises(FileError, match="a has weights of shapes"):
        lamina.models.load_model(tmp_path / "model.json")
    write_script(tmp_path, {**arrays, "left": np.zeros(3, "float32")})
    with pytest.warns(UserWarning, match=r"nothing in s takes: left \(3,\)"):
        lamina.models.load_model(tmp_path / "model.json")
    write_script(tmp_path, arrays, format="graph-model")
    with pytest.raises(FileError, match="graph of TensorFlow"):
        lamina.models.load_model(tmp_path / "model.json")
    write_script(tmp_path, arrays, weightsManifest=[{"weights": []}])
    with pytest.raises(FileError, match="cannot be read: KeyError"):
        lamina.models.load_model(tmp_path / "model.json")
    write_script(tmp_path, arrays, "uint8")
    sound = (tmp_path / "model.json").read_text()
    for key, value in (("scale", [[1.0] * 9]), ("min", [0.0] * 9), ("dtype", "U100000"), ("dtype", "object")):
        model = json.loads(sound)
        entry = model["weightsManifest"][0]["weights"][1]
        (entry if key == "dtype" else entry["quantization"])[key] = (
            value  # broadcast, or as texts, they fill the memory
        )
        (tmp_path / "model.json").write_text(json.dumps(model))
        with pytest.raises(FileError, match="cannot be read: (TypeError|KeyError)"):
            lamina.models.load_model(tmp_path / "model.json")
    write_script(tmp_path, arrays)
    (tmp_path / "group1-shard2of2.bin").write_bytes(b"")
    with pytest.raises(FileError, match="larger than the weight files"):
        lamina.models.load_model(tmp_path / "model.json")


# The report


def test_the_report_of_a_load(tmp_path, caplog):
    small = lamina.Sequential([lamina.Input((3,)), lamina.layers.Dense(2, name="a")], name="small")
    two = [lamina.layers.Dense(4, name="a"), lamina.layers.Dense(2, name="b")]
    large = lamina.Sequential([lamina.Input((3,)), *two], name="large")
    path = tmp_path / "l.weights.h5"
    large.save_weights(path)
    with caplog.at_level(logging.INFO, "lamina"):
        report = large.load_weights(path)
    assert str(report) == f"{path} -> large: 4 weights loaded" == caplog.messages[-1]
    assert repr(report).splitlines()[1:3] == ["  loaded  large/a/kernel (3, 4)", "  loaded  large/a/bias (4,)"]
    with pytest.raises(FileError, match="does not fit small in 1 place"):
        small.load_weights(path)
    with pytest.warns(UserWarning) as told:
        report = small.load_weights(path, skip_mismatch=True)
    starts = ["Not loaded (skip_mismatch=True)", f"{path} has weights that nothing in small takes"]
    assert [str(warning.message).split(":")[0] for warning in told] == starts
    assert report.loaded == [] and len(report.skipped) == 1
    assert report.unused == [("layers/dense_1/vars/0", (4, 2)), ("layers/dense_1/vars/1", (2,))]
    assert str(report).endswith("small: 0 weights loaded, 1 skipped, 2 unused in the file")


def test_an_unknown_class_names_itself_the_nearest_and_what_to_pass():
    row = {"class_name": "Densee", "config": {"name": "d", "units": 2, "batch_input_shape": [None, 3]}}
    with pytest.raises(lamina.errors.ConfigError) as told:
        lamina.models.model_from_json(json.dumps({"class_name": "Sequential", "config": [row]}))
    assert "'Densee'" in str(told.value) and "'Dense'" in str(told.value)
    assert "custom_objects={'Densee': Densee}" in str(told.value)


def test_the_programs_of_the_page_on_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (pathlib.Path(__file__).parents[2] / "docs" / "files.md").read_text()
    names = {"__name__": "page"}
    for code in re.findall(r"^```python\n(.*?)^```", page, re.M | re.S):
        exec(compile(code, "files.md", "exec"), names)
    written = {"model.keras", "model.safetensors", "twice.keras", "served"}
    assert {path.name for path in tmp_path.iterdir()} == written
