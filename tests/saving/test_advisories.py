"""The advisories on Keras, by number: what each describes does not happen here.

What is known of each was looked up in public texts in 2026; docs/safety.md has the list. The tests make the files that
the texts describe; each has a canary that would appear if the file had its way.
"""

import io
import json
import pathlib
import tarfile
import zipfile

import h5py
import numpy as np
import pytest

import lamina
from lamina import layers, models, saving
from lamina.core import bytecode
from lamina.errors import FileError, LaminaError
from lamina.utils.archives import extract_archive
from tests.saving import test_hostile as hostile

REFUSED = (LaminaError, TypeError, ValueError)


@pytest.fixture
def canary(tmp_path):
    """A file that must not be there in the end."""
    path = tmp_path / "canary"
    yield path
    assert not path.exists()


def harmful(canary):
    return bytecode.serialize_lambda(lambda x, where=str(canary): open(where, "w") and x)


def each_entry(config, tmp_path, match=None):
    """Every way to read a config refuses it."""
    for read in hostile.entries(config, tmp_path).values():
        with pytest.raises(REFUSED, match=match):
            read()


def lambda_of(function, **more):
    return {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "l", "function": function, **more}}


def test_cve_2024_3660_bytecode_of_a_lambda(canary, tmp_path):
    each_entry(hostile.sequential(lambda_of(harmful(canary))), tmp_path, "bytecode")


def test_cve_2025_1550_names_of_any_module(canary, tmp_path):
    found = hostile.names(canary)  # test_hostile tries them all in each place
    for bad in (found["open"], found["function"], found["class"], found["os function"]):
        each_entry(hostile.sequential(bad), tmp_path, "Unknown name")


def test_cve_2025_8747_tools_of_keras_itself_as_functions(canary, tmp_path):
    """`keras.utils.get_file` and its like, named by a Lambda: the bypass of the mend of CVE-2025-1550."""
    for module, name in (
        ("keras.utils", "get_file"),
        ("keras.src.utils.file_utils", "get_file"),
        ("keras.models", "load_model"),
        ("keras.saving", "load_model"),
        ("keras.utils", "set_random_seed"),
    ):
        function = {"module": module, "class_name": "function", "config": name, "registered_name": name}
        each_entry(hostile.sequential(lambda_of(function)), tmp_path, "Unknown name")


def test_cve_2025_9905_bytecode_in_legacy_files(canary, tmp_path):
    """`load_model` took no notice of safe_mode in .h5 files."""
    code = harmful(canary)["config"]["code"]
    old = lambda_of([code, None, None], function_type="lambda", output_shape_type="raw")
    path = hostile.h5_file(tmp_path / "m.h5", hostile.sequential(old))
    with h5py.File(path, "a") as file:
        file.attrs["keras_version"] = "2.15.0"
    with pytest.raises(FileError, match="bytecode"):
        saving.load_model(path, safe_mode=True)


def test_cve_2025_9906_a_config_that_switches_safe_mode_off(canary, tmp_path):
    switch = {"module": "keras.config", "class_name": "function", "config": "enable_unsafe_deserialization",
              "registered_name": "enable_unsafe_deserialization"}  # fmt: skip
    each_entry(hostile.sequential(lambda_of(switch), lambda_of(harmful(canary))), tmp_path, "Unknown name")


def test_cve_2025_12058_vocabularies_at_paths(tmp_path):
    (tmp_path / "secret").write_text("a\nb\n")
    bad = {"module": "keras.layers", "class_name": "StringLookup", "config": {"vocabulary": str(tmp_path / "secret")}}
    each_entry(hostile.sequential(bad), tmp_path)


def test_cve_2025_49655_and_2026_12484_modules_of_pytorch_are_not_unpickled(canary, tmp_path):
    pickled = {"class_name": "__bytes__", "config": {"value": f"cposix\nmkdir\n(S'{canary}'\ntR."}}
    bad = {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {"module": pickled}}
    each_entry(hostile.sequential(bad), tmp_path, "TorchModuleWrapper runs PyTorch")
    with pytest.raises(REFUSED):
        layers.deserialize(bad)


def tar_of(path, *entries):
    with tarfile.open(path, "w") as archive:
        for name, kind, target in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname, entry.size = kind, target, 3 if kind == tarfile.REGTYPE else 0
            archive.addfile(entry, io.BytesIO(b"abc"))
    return path


@pytest.mark.parametrize("number", ["CVE-2024-55459", "CVE-2025-12060", "CVE-2026-11816", "CVE-2026-12482"])
def test_archives_of_get_file_stay_in_their_folder(number, canary, tmp_path, monkeypatch):
    """CVE-2024-55459: names with `..`, or absolute ones. CVE-2025-12060: a link, and a file through it; names of hard
    links. CVE-2026-11816, which is GHSA-hqp4-2352-xf5r: paths were checked against the working directory, and not the
    folder, so a program that runs in / had no check. CVE-2026-12482: where symbolic links in tar files lead."""
    file, symbolic, hard = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
    attacks = {
        "CVE-2024-55459": [
            *([(name, file, "")] for name in ("../canary", str(canary), f"/{canary}", f"//{canary}", "a/../../canary")),
        ],
        "CVE-2025-12060": [
            [("link", symbolic, ".."), ("link/canary", file, "")],
            [("link", symbolic, str(tmp_path)), ("link/canary", file, "")],
            [("a", file, ""), ("../canary", hard, "a")], [("link", symbolic, "."), ("link/../canary", file, "")],
        ],
        "CVE-2026-11816": [[("../canary", file, "")], [("out/../../canary", file, "")]],
        "CVE-2026-12482": [
            [("link", symbolic, "/etc/hostname")], [("a/link", symbolic, "../../canary"), ("a/link", file, "")],
            [("a", symbolic, "b"), ("b", symbolic, ".."), ("a/canary", file, "")],
        ],
    }[number]  # fmt: skip
    monkeypatch.chdir("/" if number.startswith("CVE-2026") else tmp_path)
    for entries in attacks:
        with pytest.raises(FileError):
            extract_archive(tar_of(tmp_path / "a.tar", *entries), tmp_path / "out")
        assert not (tmp_path / "out").exists()
    for name in ("../canary", f"/{canary}"):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo("x"), "x")
            archive.filelist[0].filename = name
        with pytest.raises(FileError):
            extract_archive(tmp_path / "a.zip", tmp_path / "out")


def test_cve_2026_0897_and_2026_12570_shapes_that_fill_the_memory(tmp_path):
    """12570: what was mended in the editor of files was not in load_model. Each way to read is tried."""

    def huge(file, kernel):
        file.create_dataset(kernel, (2**40, 2**10), "float32", chunks=(2**10, 2**10))

    hostile.read_everywhere(hostile.put(huge), tmp_path, "does not fit|would take|has weights of shapes")


def test_cve_2026_1462_saved_models_of_tfsm_layers(canary, tmp_path):
    bad = {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": str(tmp_path)}}
    each_entry(hostile.sequential(bad), tmp_path, "TFSMLayer runs TensorFlow")


def test_cve_2026_1669_arrays_in_other_files(tmp_path):
    hostile.read_everywhere(hostile.put(hostile.external), tmp_path, "No file that|does not fit")


def linked(file, path):
    file[path] = h5py.ExternalLink("/etc/other.h5", "/x")


def linked_softly(file, path):
    file[path] = h5py.SoftLink("/layers/other")


@pytest.mark.parametrize("make", [hostile.external, hostile.virtual, linked, linked_softly])
def test_cve_2026_9335_and_2026_12480_other_files_through_the_editor_and_load_weights(make, tmp_path):
    """9335: links of HDF5 to other files, which the editor and `load_weights` followed. 12480: virtual arrays."""
    path = tmp_path / "m.weights.h5"
    with h5py.File(path, "w") as file:
        hostile.weights(file)
        del file["layers/dense/vars/0"]
        make(file, "layers/dense/vars/0")
    model = hostile.model()
    before = model.get_weights()
    for read in (lambda: saving.KerasFileEditor(path), lambda: model.load_weights(path)):
        with pytest.raises(FileError):
            read()
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


class Kept(layers.Layer):
    """A layer with an asset."""

    def call(self, inputs):
        return inputs

    def save_assets(self, folder):
        pathlib.Path(folder, "words").write_text("a")

    def load_assets(self, folder):
        self.words = pathlib.Path(folder, "words").read_text()


@pytest.mark.parametrize("name", ["..", "../canary", "/canary", "a/../../canary", "..\\canary", "."])
def test_cve_2026_12479_names_of_layers_as_paths(name, canary, tmp_path):
    """A layer's name with `..` led out of the temporary folder of its assets. Here a name has no `/`, places of assets
    are made of the classes of layers, and no member of an archive has `..`."""
    path, kept = tmp_path / "m.keras", Kept(name="kept")
    lamina.Sequential([lamina.Input((1,)), kept]).save(path)
    for place in ("assets/layers/kept/", f"assets/layers/{name}/"):
        with zipfile.ZipFile(path) as archive:
            members = {member: archive.read(member) for member in archive.namelist()}
        members["config.json"] = members["config.json"].replace(
            b'"name": "kept"', b'"name": ' + json.dumps(name).encode()
        )
        assert "assets/layers/kept/words" in members and name.encode() in members["config.json"].replace(b"\\\\", b"\\")
        with zipfile.ZipFile(changed := tmp_path / "changed.keras", "w") as archive:
            for member, data in members.items():
                archive.writestr(member.replace("assets/layers/kept/", place), data)
        if "/" in name:
            with pytest.raises(REFUSED, match="without '/'"):
                saving.load_model(changed, custom_objects={"Kept": Kept})
            continue
        read = saving.load_model(changed, custom_objects={"Kept": Kept})
        assert read.layers[0].name == name and hasattr(read.layers[0], "words") == ("kept" in place)
        read.save(tmp_path / "again.keras")
        with zipfile.ZipFile(tmp_path / "again.keras") as archive:
            assert "assets/layers/kept/words" in archive.namelist()
            assert not any(".." in member or member.startswith("/") for member in archive.namelist())


@pytest.mark.parametrize("member", ["../words", "../../canary", "a/../../words", "./words"])
def test_cve_2026_12479_names_of_assets_as_paths(member, canary, tmp_path):
    path = tmp_path / "m.keras"
    lamina.Sequential([lamina.Input((1,)), Kept(name="kept")]).save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"assets/layers/kept/{member}", "x")
    with pytest.raises(FileError, match="not a plain path"):
        saving.load_model(path, custom_objects={"Kept": Kept})


def test_cve_2026_12481_none_is_not_false(canary, tmp_path):
    """Outside of any scope, safe_mode was None, and None was taken for False."""
    config = lambda_of(harmful(canary))
    for read in (layers.deserialize, layers.Layer.from_config, lambda c: layers.Lambda.from_config(c["config"]),
                 lambda c: models.Sequential.from_config({"name": "s", "layers": [c]})):  # fmt: skip
        with pytest.raises(REFUSED):
            read(config)


def test_a_public_function_in_a_lambda_computes_and_no_more(tmp_path):
    """What the safe names of a Lambda are: functions of arrays, in lamina's table; their arguments are data."""
    relu = {"module": "keras.activations", "class_name": "function", "config": "relu", "registered_name": "relu"}
    read = saving.load_model(hostile.keras_file(tmp_path / "m.keras", hostile.sequential(lambda_of(relu))))
    np.testing.assert_array_equal(read(np.array([[-1.0, 0, 2]], "float32")), [[0, 0, 2]])
