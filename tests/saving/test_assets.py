"""Assets of layers in `.keras` files: written and read by the layer's own methods, in a folder that is gone after."""

import io
import os
import pathlib
import tempfile
import zipfile

import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.errors import FileError, UnsafeFileError


@lamina.saving.register_keras_serializable("tests")
class Notes(layers.Layer):
    """Keeps two files, one in a folder."""

    folders = []

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.notes = None

    def call(self, inputs):
        return inputs

    def save_assets(self, inner_path):
        self.folders.append(inner_path)
        folder = pathlib.Path(inner_path, "more")
        folder.mkdir()
        pathlib.Path(inner_path, "one.txt").write_text("one")
        (folder / "two.bin").write_bytes(b"\x00\x01")
        os.symlink("/etc/hostname", folder / "link")

    def load_assets(self, inner_path):
        self.folders.append(inner_path)
        files = sorted(pathlib.Path(inner_path).rglob("*"))
        assert os.stat(inner_path).st_mode & 0o077 == 0, "nobody else reads it"
        self.notes = {file.name: file.read_bytes() for file in files if file.is_file()}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.keras"
    lamina.Sequential([lamina.Input((2,)), Notes(name="notes")]).save(path)
    return path


def test_files_come_and_go(saved):
    with zipfile.ZipFile(saved) as archive:
        names = [name for name in archive.namelist() if name.startswith("assets/")]
    assert names == ["assets/layers/notes/more/two.bin", "assets/layers/notes/one.txt"]
    model = lamina.models.load_model(saved)
    assert model.layers[0].notes == {"one.txt": b"one", "two.bin": b"\x00\x01"}
    assert Notes.folders and not any(os.path.exists(folder) for folder in Notes.folders)


def test_paths_of_keras(tmp_path):
    text = layers.TextVectorization()
    text.adapt(["b a a c"])
    words = layers.StringLookup(vocabulary=["a"])  # the config holds it: no file
    inputs = lamina.Input((1,), dtype="string")
    lamina.Model(inputs, [text(inputs), words(inputs)]).save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        assets = {name: archive.read(name) for name in archive.namelist() if name.startswith("assets/")}
    vocabulary = b"\n[UNK]\na\nc\nb"
    folder = "assets/layers/text_vectorization"
    assert assets == {f"{folder}/vocabulary.txt": vocabulary, f"{folder}/_lookup_layer/vocabulary.txt": vocabulary}


def added(path, name, data=b"x", **info):
    """The archive with one more member."""
    member = zipfile.ZipInfo(name)
    for key, value in info.items():
        setattr(member, key, value)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(member, data)
    return path


@pytest.mark.parametrize("name", ["../out.txt", "more/../../out.txt", "a//b", "C:\\out.txt", "a\\..\\b", "x\ny", "./x"])
def test_members_without_plain_names_are_refused(saved, name, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(saved.parent))
    with pytest.raises(UnsafeFileError, match="not a plain path"):
        lamina.models.load_model(added(saved, f"assets/layers/notes/{name}"))
    assert list(saved.parent.rglob("*")) == [saved], "nothing is left behind"


def test_a_link_in_the_archive_is_a_plain_file(saved):
    link = added(saved, "assets/layers/notes/link", b"/etc/hostname", external_attr=0o120777 << 16)
    assert lamina.models.load_model(link).layers[0].notes["link"] == b"/etc/hostname"


def test_members_that_blow_up_are_refused(saved):
    with zipfile.ZipFile(saved, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/layers/notes/bomb", bytes(80 * 2**20))
    with pytest.raises(UnsafeFileError, match="more than the archive"):
        lamina.models.load_model(saved)


def test_too_many_members_are_refused(saved):
    with zipfile.ZipFile(saved, "a") as archive:
        for number in range(1001):
            archive.writestr(f"assets/layers/notes/{number}", b"")
    with pytest.raises(UnsafeFileError, match="1003 assets"):
        lamina.models.load_model(saved)


def test_assets_of_no_layer_are_left_where_they_are(saved):
    assert lamina.models.load_model(added(saved, "assets/layers/other/../../x")).layers[0].notes


@pytest.mark.parametrize("data", [b"\xff\xfe", b"a\na"])
def test_a_damaged_vocabulary_is_an_error_that_names_the_file(tmp_path, data):
    path = tmp_path / "model.keras"
    layer = layers.StringLookup(name="words")
    layer.adapt(["a"])
    lamina.Sequential([lamina.Input((1,), dtype="string"), layer]).save(path)
    changed = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(changed, "w") as target:
        for name in source.namelist():
            target.writestr(name, data if name.endswith("vocabulary.txt") else source.read(name))
    path.write_bytes(changed.getvalue())
    with pytest.raises(ValueError, match="utf-8|repeated"):
        lamina.models.load_model(path)


def test_unadapted_layers_are_saved_too(tmp_path):
    path = tmp_path / "model.keras"
    lamina.Sequential([lamina.Input((1,), dtype="string"), layers.StringLookup(name="words")]).save(path)
    layer = lamina.models.load_model(path).layers[0]
    layer.adapt(["a"])
    np.testing.assert_array_equal(layer(["a"]), [1])
    assert FileError is not UnsafeFileError
