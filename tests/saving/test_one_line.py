"""What a file calls its classes, arrays and files is one line wherever it is printed: it cannot look like a line of
lamina's own, command a terminal, or end a line of a command's report."""

import json
import re
import struct
import warnings

import h5py
import numpy as np
import pytest

import lamina as keras
from lamina import cli
from lamina.errors import LaminaError
from lamina.saving.safety.damage import file_beside

FORGED = "a\nWARNING: forged"
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


def small():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)], name="small")


def told_by(function):
    """The text of the error of lamina that a function ends in."""
    with pytest.raises(LaminaError) as caught:
        function()
    return str(caught.value)


def safetensors(entry):
    def make(folder):
        small().save_weights(path := folder / "w.safetensors")
        data = path.read_bytes()
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        header[FORGED] = entry
        text = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
        small().load_weights(path)

    return make


def hdf5(name):
    def make(folder):
        small().save_weights(path := folder / "w.weights.h5")
        with h5py.File(path, "a") as file:
            file.create_dataset(name, data=np.ones(3))
        small().load_weights(path)

    return make


def legacy(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the old ending
        small().save_weights(path := folder / "w.hdf5")
    with h5py.File(path, "a") as file:
        file["dense"].attrs["weight_names"] = np.array([FORGED.encode()] * 2)
    small().load_weights(path)


def tensorflowjs(folder):
    small().export(folder / "web", format="tfjs", verbose=False)
    path = folder / "web" / "model.json"
    contents = json.loads(path.read_text())
    contents["weightsManifest"][0]["weights"][0].update(name=FORGED, shape=[10**4, 10**4])
    path.write_text(json.dumps(contents))
    keras.models.load_model(path)


def config(class_name="Dense", **settings):
    def make(folder):
        text = small().to_json()
        changed = json.loads(text)
        changed["config"]["layers"][1].update(class_name=class_name, registered_name=None)
        changed["config"]["layers"][1]["config"] = settings
        keras.models.model_from_json(json.dumps(changed))

    return make


def listed(folder):
    (folder / FORGED).write_text("")
    file_beside(folder / "w.weights.json", FORGED)


PLACES = {
    "an entry of safetensors": safetensors({"dtype": 1, "shape": [], "data_offsets": [0, 0]}),
    "an array of safetensors": safetensors({"dtype": "F32", "shape": [5], "data_offsets": [0, 0]}),
    "an array of HDF5": hdf5(f"layers/dense/vars/{FORGED}"),
    "a group of HDF5": hdf5(f"layers/{FORGED}/vars/0"),
    "an array of Keras 2": legacy,
    "an array of TensorFlow.js": tensorflowjs,
    "a file in a list": listed,
    "a class": config(FORGED, units=2),
    "a choice of TextVectorization": config("TextVectorization", standardize=FORGED),
    "a choice of its split": config("TextVectorization", split=FORGED),
}


@pytest.mark.parametrize("make", PLACES.values(), ids=PLACES)
def test_names_of_several_lines_forge_none_in_errors(make, tmp_path):
    told = told_by(lambda: make(tmp_path))
    assert "forged" in told and "\nWARNING" not in told


def test_names_in_the_text_of_a_graph():
    model = small()
    model.layers[0].name = "\x1b[31mred\x9b2J\u202e"
    assert not CONTROL.search(str(keras.utils.model_to_dot(model)))


@pytest.mark.parametrize("command", ["summary", "check", "explain", "view", "scan", "convert"])
def test_names_of_files_in_the_reports_of_commands(command, tmp_path, capsys):
    small().save(path := tmp_path / "m\x1b[31m\x9b\nWARNING: forged.keras")
    cli.main([command, str(path), *([str(tmp_path / "\x1b\nWARNING: out.weights.h5")] if command == "convert" else [])])
    told = "".join(capsys.readouterr())
    assert told and not CONTROL.search(told) and "\nWARNING" not in told
