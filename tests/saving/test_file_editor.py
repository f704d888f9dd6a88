"""KerasFileEditor: what it reads, changes and writes, on files of both libraries."""

import h5py
import keras
import numpy as np
import pytest

import lamina
from lamina.errors import FileError, UnsafeFileError
from lamina.saving import KerasFileEditor

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's variables


def model_of(module, units=(3, 3), sequence=False):
    model = module.Sequential([module.Input((4, 2) if sequence else (2,))])
    if sequence:
        model.add(module.layers.LSTM(2))
    for number in units:
        model.add(module.layers.Dense(number))
    return model


@pytest.fixture
def path(tmp_path):
    model_of(lamina).save(tmp_path / "model.keras")
    return tmp_path / "model.keras"


def test_a_file_is_fitted_to_another_architecture(path, tmp_path, capsys):
    editor, target = KerasFileEditor(path), model_of(lamina, (3, 3, 3))
    assert editor.compare(model_of(lamina)) == {"status": "success", "error_count": 0, "match_count": 4}
    assert editor.compare(target)["error_count"] == 1
    editor.add_object("layers/dense_9", {"0": np.ones((3, 3))})
    assert editor.compare(target)["error_count"] == 2
    editor.rename_object("dense_9", "dense_2")
    editor.add_weights("layers/dense_2", {"1": np.zeros(7)})
    assert editor.compare(target)["error_count"] == 1
    editor.delete_weight("dense_2", "1")
    editor.add_weights("dense_2", {"1": np.zeros(3)})
    assert editor.compare(target)["status"] == "success"
    assert "dense_9 is in the file only" in capsys.readouterr().out
    editor.resave_weights(tmp_path / "new.weights.h5")
    target.load_weights(tmp_path / "new.weights.h5")
    np.testing.assert_array_equal(target.layers[2].kernel.value, np.ones((3, 3)))
    theirs = model_of(keras, (3, 3, 3))
    theirs.load_weights(tmp_path / "new.weights.h5")
    np.testing.assert_array_equal(theirs.layers[0].kernel.value, target.layers[0].kernel.value)
    editor.delete_object("dense_2")
    assert list(editor.weights_dict["layers"]) == ["dense", "dense_1"]


def test_files_of_keras_with_layers_inside_layers(tmp_path):
    theirs = model_of(keras, (3,), sequence=True)
    theirs.compile("adam", "mse")
    theirs.save(tmp_path / "theirs.keras")
    editor = KerasFileEditor(str(tmp_path / "theirs.keras"))
    assert list(editor.weights_dict["layers"]["lstm"]["cell"]) == ["0", "1", "2"]
    assert editor.config["class_name"] == "Sequential"
    assert editor.metadata["keras_version"] == keras.__version__
    editor.save(tmp_path / "again.weights.h5")
    mine = model_of(lamina, (3,), sequence=True)
    mine.load_weights(tmp_path / "again.weights.h5")
    np.testing.assert_array_equal(mine.layers[0].cell.kernel.value, theirs.layers[0].cell.kernel.value)


def test_summary(path, capsys):
    KerasFileEditor(path).summary()
    shown = capsys.readouterr().out
    assert "dense_1 ('dense_1')" in shown
    assert "0: shape=(2, 3), dtype=float32" in shown


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (lambda editor: editor.rename_object("wrong", "a"), "No object is called 'wrong'"),
        (lambda editor: editor.rename_object("dense", "a/b"), "without '/'"),
        (lambda editor: editor.delete_object("0"), "No object"),
        (lambda editor: editor.delete_weight("dense", "7"), "has '0', '1'"),
        (lambda editor: editor.add_object("nowhere/dense", {}), "no object 'nowhere'"),
        (lambda editor: editor.add_weights("dense", [1]), "dict of arrays"),
        (lambda editor: editor.save("model.keras"), "weights.h5"),
    ],
)
def test_edits_that_cannot_be(path, edit, match):
    with pytest.raises(FileError, match=match):
        edit(KerasFileEditor(path))


def test_a_name_that_two_objects_have(path):
    editor = KerasFileEditor(path)
    editor.add_object("other", {"dense": {}})
    with pytest.raises(FileError, match="2 objects are called 'dense'"):
        editor.delete_object("dense")
    editor.delete_object("layers/dense")
    assert "dense" in editor.weights_dict["other"]


def test_files_that_lead_elsewhere(tmp_path):
    model_of(lamina).save_weights(tmp_path / "secret.weights.h5")
    for kind, link in {
        "ExternalLink": h5py.ExternalLink(tmp_path / "secret.weights.h5", "/layers"), "SoftLink": h5py.SoftLink("/real")
    }.items():  # fmt: skip
        with h5py.File(tmp_path / "bad.weights.h5", "w") as file:
            file.create_group("real/vars").create_dataset("0", data=np.ones(1))
            file["layers"] = link
        with pytest.raises(UnsafeFileError, match=kind):
            KerasFileEditor(tmp_path / "bad.weights.h5")
    with pytest.raises(FileError, match="reads .keras and"):
        KerasFileEditor("model.h5")
