"""Files that are damaged, hostile, or do not fit: a clear error, and nothing changed or left behind."""

import io
import json
import os
import zipfile

import h5py
import numpy as np
import pytest

import lamina
from lamina.errors import ConfigError, FileError
from lamina.saving.safety import hdf5
from tests.models import zoo

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's variables
    pytest.mark.filterwarnings("ignore::lamina.legacy.OldSpelling"),
]


@pytest.fixture
def model():
    rows = [lamina.layers.Dense(4, name="a"), lamina.layers.Dense(2, name="b")]
    made = lamina.Sequential([lamina.Input((6,)), *rows])
    made.set_weights([np.full(w.shape, 1 + i, "float32") for i, w in enumerate(made.get_weights())])
    return made


def assert_unchanged(model):
    assert [set(w.flat) for w in model.get_weights()] == [{1}, {2}, {3}, {4}]


def rewritten(model, path, change):
    """The model's `.weights.h5` at `path`, changed by `change(file)`."""
    model.save_weights(path)
    with h5py.File(path, "a") as file:
        for name in ("layers/dense/vars/0", "layers/dense/vars/1"):  # other values than the model has
            file[name][...] = 9
        change(file)
    return path


LAST = "layers/dense_1/vars/1"


def soft_link(file):
    del file[LAST]
    file[LAST] = h5py.SoftLink("/layers/dense/vars/1")


def external_link(file):
    del file[LAST]
    file[LAST] = h5py.ExternalLink("other.h5", "/x")


def group_link(file):
    file.move("layers/dense_1", "away")
    file["layers/dense_1"] = h5py.SoftLink("/away")


def external_data(file):
    del file[LAST]
    file.create_dataset(LAST, (2,), "float32", external=[("/etc/hostname", 0, 8)])


def virtual_data(file):
    del file[LAST]
    layout = h5py.VirtualLayout((2,), "float32")
    layout[:] = h5py.VirtualSource("other.h5", "x", (2,))
    file.create_virtual_dataset(LAST, layout)


def objects(file):
    del file[LAST]
    file.create_dataset(LAST, data=["a", "b"], dtype=h5py.string_dtype())


def references(file):
    del file[LAST]
    file.create_dataset(LAST, data=[file.ref, file.ref], dtype=h5py.ref_dtype)


def records(file):
    del file[LAST]
    file.create_dataset(LAST, data=np.zeros(2, [("x", "f4")]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (soft_link, "another place"), (external_link, "another place"), (group_link, "another place"),
        (external_data, "in another file"), (virtual_data, "in another file"),
        (objects, "not numbers"), (references, "not numbers"), (records, "not numbers"),
    ],
)  # fmt: skip
def test_hostile_weights_are_refused_and_nothing_changes(model, tmp_path, change, message):
    path = rewritten(model, tmp_path / "m.weights.h5", change)
    with pytest.raises(FileError, match=message):
        model.load_weights(path)
    assert_unchanged(model)


def test_a_large_array_of_another_shape_is_never_read(model, tmp_path, monkeypatch):
    def huge(file):
        del file[LAST]
        file.create_dataset(LAST, (1 << 40,), "float32", chunks=(1 << 20,), fillvalue=1)

    path = rewritten(model, tmp_path / "m.weights.h5", huge)
    with pytest.raises(FileError, match=r"b/bias has shape \(2,\); the file has \(1099511627776,\)"):
        model.load_weights(path)
    assert_unchanged(model)


def test_weights_of_another_model(model, tmp_path):
    other = lamina.Sequential([lamina.Input((6,)), lamina.layers.Dense(4), lamina.layers.Dense(3)])
    other.save_weights(tmp_path / "o.weights.h5")
    with pytest.raises(FileError, match=r"(?s)not fit .* in 1 place:\n  layers/dense_1: .*\(4, 2\).*skip_mismatch"):
        model.load_weights(tmp_path / "o.weights.h5")
    assert_unchanged(model)
    with pytest.warns(UserWarning, match=r"Not loaded \(skip_mismatch=True\): layers/dense_1"):
        model.load_weights(tmp_path / "o.weights.h5", skip_mismatch=True)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], other.layers[0].get_weights()[0])
    assert (model.layers[1].get_weights()[0] == 3).all()


def test_missing_layers(model, tmp_path):
    path = rewritten(model, tmp_path / "m.weights.h5", lambda file: file.__delitem__("layers/dense_1"))
    with pytest.raises(FileError, match="b has 2 variables; the file has 0"):
        model.load_weights(path)
    assert_unchanged(model)


def test_files_that_are_not_there_or_not_what_they_say(model, tmp_path):
    with pytest.raises(FileError, match=r"no file .*nope.keras"):
        lamina.models.load_model(tmp_path / "nope.keras")
    with pytest.raises(FileError, match="is a folder"):
        lamina.models.load_model(tmp_path)
    for ending, message in (("keras", "cannot be read as a .keras archive"), ("h5", "cannot be read as HDF5")):
        path = tmp_path / f"text.{ending}"
        path.write_text("hello")
        with pytest.raises(FileError, match=message):
            lamina.models.load_model(path)
    (tmp_path / "m.pickle").write_bytes(b"")
    with pytest.raises(FileError, match="cannot be read as a .keras or .h5 model"):
        lamina.models.load_model(tmp_path / "m.pickle")
    model.save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(FileError, match="weights but no architecture"):
        lamina.models.load_model(tmp_path / "m.weights.h5")
    with pytest.raises(FileError, match="by_name=True is for"):
        model.load_weights(tmp_path / "m.weights.h5", by_name=True)


def test_names_that_say_no_format(model, tmp_path):
    with pytest.raises(FileError, match=r"saved as .keras or .h5.*\n.*keras"):
        model.save("model")
    with pytest.raises(FileError, match=r"model.weights.h5"):
        model.save_weights("model")
    with pytest.raises(FileError, match="no folder .*nowhere"):
        model.save(tmp_path / "nowhere" / "m.keras")
    with pytest.raises(FileError, match="zipped"):
        model.save(tmp_path / "m.keras", zipped=False)
    model.save(tmp_path / "m.keras")
    with pytest.raises(FileError, match="overwrite=False"):
        model.save(tmp_path / "m.keras", overwrite=False)


def with_members(path, **members):
    """A copy of a `.keras` file with members replaced (or left out, if None)."""
    changed = path.with_name("changed.keras")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            key = name.split(".")[0]
            content = members.get(key, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return changed


def test_archives_with_damaged_members(model, tmp_path):
    model.save(tmp_path / "m.keras")
    for members, message in (
        ({"config": None}, "has no config.json"),
        ({"model": None}, "has no model.weights.h5"),
        ({"config": "{"}, "is not JSON"),
        ({"config": "[]"}, "not of a model"),
        ({"model": b"x"}, "cannot be read as HDF5"),
        ({"config": " " * (65 << 20)}, "65 MiB"),
        ({"model": b"\0" * (80 << 20)}, "80 MiB"),
    ):
        with pytest.raises((FileError, ConfigError), match=message):
            lamina.models.load_model(with_members(tmp_path / "m.keras", **members))


def test_saving_that_fails_leaves_the_old_file_and_nothing_else(model, tmp_path, monkeypatch):
    for name, save in (
        ("m.keras", model.save), ("m.h5", model.save),
        ("m.weights.h5", model.save_weights), ("w.h5", model.save_weights),
    ):  # fmt: skip
        save(tmp_path / name)
        before = (tmp_path / name).read_bytes()

        def killed(*args, **kwargs):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            for module in (lamina.saving.formats.weights_h5, lamina.saving.formats.legacy_h5):
                patch.setattr(module, "write_array", killed)
            save(tmp_path / name)
        assert (tmp_path / name).read_bytes() == before
        assert sorted(os.listdir(tmp_path)) == [name]
        (tmp_path / name).unlink()


def test_loading_that_is_broken_off_changes_nothing(model, tmp_path, monkeypatch):
    path = rewritten(model, tmp_path / "m.weights.h5", lambda file: None)
    read = hdf5.StoredArray.part

    def broken(self, *args, **kwargs):
        if self._dataset.name.endswith("dense_1/vars/0"):
            raise OSError("the disk is gone")
        return read(self, *args, **kwargs)

    monkeypatch.setattr(hdf5.StoredArray, "part", broken)
    with pytest.raises(OSError, match="the disk is gone"):
        model.load_weights(path)
    assert_unchanged(model)


def test_weights_by_name_and_with_mismatch(tmp_path):
    ours, _ = zoo.pair("cut")
    ours.save_weights(tmp_path / "w.h5")
    L = lamina.layers
    rows = [L.Dense(5, name="a"), L.Dense(7, name="mixed7"), L.Dense(2, name="new")]
    other = lamina.Sequential([lamina.Input((6,)), *rows])
    before = other.get_weights()
    with pytest.raises(FileError, match="weights of shapes"):
        other.load_weights(tmp_path / "w.h5", by_name=True)
    for now, then in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    not_taken = pytest.warns(UserWarning, match=r"nothing in sequential(_1)? takes")
    with not_taken, pytest.warns(UserWarning, match=r"Not loaded.*mixed7 \(Dense\)"):
        other.load_weights(tmp_path / "w.h5", by_name=True, skip_mismatch=True)
    np.testing.assert_array_equal(other.get_weights()[0], ours.get_weights()[0])
    np.testing.assert_array_equal(other.get_weights()[2], before[2])
    shorter = lamina.Sequential([lamina.Input((6,)), L.Dense(5)])
    with pytest.raises(FileError, match=r"for 3 layers; .* has 1 layers with weights.*\n.*by_name=True"):
        shorter.load_weights(tmp_path / "w.h5")
    with pytest.raises(FileError, match="is not built"):
        lamina.Sequential([L.Dense(5)]).load_weights(tmp_path / "w.h5")


def test_optimizer_of_optax_is_left_out_with_a_warning(model, tmp_path):
    import collections

    Transformation = collections.namedtuple("Transformation", "init update")
    halves = Transformation(lambda values: (), lambda g, state, values=None: ({k: -v / 2 for k, v in g.items()}, ()))
    model.compile(halves, "mse")
    with pytest.warns(UserWarning, match="written without its compile settings"):
        model.save(tmp_path / "m.keras")
    read = lamina.models.load_model(tmp_path / "m.keras")
    assert not read.compiled
    assert_unchanged(read)


def test_compile_settings_that_are_unknown_cost_a_warning_not_the_model(model, tmp_path):
    def my_loss(y_true, y_pred):
        return (y_true - y_pred) ** 2

    model.compile("sgd", my_loss)
    model.save(tmp_path / "m.keras")
    with pytest.warns(UserWarning, match=r"loaded but not compiled: Unknown name 'my_loss'"):
        read = lamina.models.load_model(tmp_path / "m.keras")
    assert_unchanged(read)
    read = lamina.models.load_model(tmp_path / "m.keras", custom_objects={"my_loss": my_loss})
    assert read.compiled and read.loss is my_loss


def test_an_archive_names_no_path(model, tmp_path):
    """Nothing in an archive is written to disk, so names with `..` in them can do no harm."""
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras", "a") as archive:
        archive.writestr("../evil.txt", "x")
    lamina.models.load_model(tmp_path / "m.keras")
    assert sorted(os.listdir(tmp_path)) == ["m.keras"]
    assert json.loads(zipfile.ZipFile(io.BytesIO((tmp_path / "m.keras").read_bytes())).read("config.json"))
