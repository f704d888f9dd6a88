"""Things in the place of a file, and files that say more than they hold: pipes, holes, names without an end."""

import errno
import io
import json
import os
import struct
import tarfile
import time

import numpy as np
import pytest

import lamina as keras
from lamina.cli.scan_files import findings_in
from lamina.errors import FileError, UnsafeFileError
from lamina.utils.archives import extract_archive


def small(value=1.0):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)], name="small")
    model.compile("sgd", "mse")
    model.set_weights([np.full(weight.shape, value, "float32") for weight in model.weights])
    return model


def is_as_made(model, value=1.0):
    return all(np.all(np.asarray(weight) == value) for weight in model.weights)


@pytest.mark.parametrize("ending", [".weights.h5", ".safetensors", ".keras", ".h5"])
def test_a_pipe_in_the_place_of_a_file_is_refused(ending, tmp_path):
    model, path = small(), tmp_path / f"w{ending}"
    os.mkfifo(path)
    with pytest.raises(FileError, match="is a pipe or a device"):
        keras.models.load_model(path) if ending in (".keras", ".h5") else model.load_weights(path)
    assert is_as_made(model)


def run(model, folder, epochs=1):
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0, epochs=epochs, resume=folder)


@pytest.mark.parametrize("name", ["*.checkpoint", "*.jsonl"])
def test_a_pipe_among_the_files_of_a_run_is_refused_and_nothing_changes(name, tmp_path):
    run(small(), tmp_path)
    for path in tmp_path.rglob(name):
        path.unlink()
        os.mkfifo(path)
    model = small(3.0)
    with pytest.raises(FileError, match="is a folder, a pipe or a device"):
        run(model, tmp_path, epochs=2)
    assert is_as_made(model, 3.0)


@pytest.mark.parametrize(
    "line", ["[" * 100_000, '{"epoch": -1, "batch": "x"}', "5", '{"epoch": [1], "batch": 1}', '{"batch": 1}']
)
def test_lines_of_a_trace_that_no_run_wrote_are_dropped(line, tmp_path):
    run(small(), tmp_path)
    (trace,) = tmp_path.rglob("*.jsonl")
    lines = trace.read_text().splitlines()
    trace.write_text("\n".join([line, *lines, ""]))
    run(small(), tmp_path)
    assert trace.read_text().splitlines() == lines


def test_zeros_behind_a_file_take_no_time(tmp_path):
    path = tmp_path / "w.weights.h5"
    small(2.0).save_weights(path)
    try:
        os.truncate(path, 1 << 40)
    except OSError as error:
        if error.errno != errno.EFBIG:
            raise
        pytest.skip("This file system has no file of a terabyte.")
    if os.stat(path).st_blocks > 2**20:
        pytest.skip("This file system keeps zeros.")
    model, start = small(), time.process_time()
    model.load_weights(path)
    assert is_as_made(model, 2.0)
    assert time.process_time() - start < 5


def _header(edit):
    def make(path):
        small(2.0).save_weights(path)
        data = path.read_bytes()
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        body = edit(header, data[8 + length :])
        text = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + body)

    return make


def behind(header, body):
    return body + bytes(8)


def between(header, body):
    entries = [entry for name, entry in header.items() if name != "__metadata__"]
    last = max(entries, key=lambda entry: entry["data_offsets"])
    begin, end = last["data_offsets"]
    last["data_offsets"] = [begin + 4, end + 4]
    return body[:begin] + bytes(4) + body[begin:]


def twice(header, body):
    names = [name for name in header if name != "__metadata__"]
    header["again"] = dict(header[names[0]])
    return body


@pytest.mark.parametrize("edit", [behind, between, twice])
def test_arrays_of_safetensors_cover_the_file_without_holes(edit, tmp_path):
    _header(edit)(path := tmp_path / "w.safetensors")
    model = small()
    with pytest.raises(FileError, match="behind its arrays|overlap, or bytes of none"):
        model.load_weights(path)
    assert is_as_made(model)


def test_a_weight_file_of_tensorflowjs_listed_many_times_is_refused_at_once(tmp_path):
    small().export(tmp_path / "web", format="tfjs", verbose=False)
    path = tmp_path / "web" / "model.json"
    contents = json.loads(path.read_text())
    contents["weightsManifest"][0]["paths"] *= 200_000
    path.write_text(json.dumps(contents))
    start = time.process_time()
    with pytest.raises(UnsafeFileError, match="listed twice"):
        keras.models.load_model(path)
    assert time.process_time() - start < 5


def test_folders_in_each_other_end(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for depth in range(50, 1500, 50):  # what deletes them calls itself for each
            entry = tarfile.TarInfo("d/" * depth + "f")
            archive.addfile(entry, io.BytesIO())
    with pytest.raises(UnsafeFileError, match="folders in each other"):
        extract_archive(tmp_path / "a.tar", tmp_path / "out")
    assert os.listdir(tmp_path) == ["a.tar"]


def test_scan_says_that_a_list_of_gguf_reaches_beyond_the_end(tmp_path):
    path = tmp_path / "m.gguf"
    path.write_bytes(
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1) + b"a" + struct.pack("<IIQ", 9, 4, 2**60)
    )
    _, found = findings_in(path)
    assert any("beyond the end" in one.message for one in found)


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def large(path):
    try:
        os.truncate(path, 1 << 50)
    except OSError:
        os.truncate(path, 1 << 43)  # ext4 has files of 16 TiB at most


def leads_out(path):
    path.unlink()
    path.symlink_to("/etc/passwd")


@pytest.mark.parametrize("change", [pipe, large])
def test_what_is_no_index_of_a_checkpoint_of_tensorflow(change, tmp_path):
    from lamina.compat.checkpoints import Checkpoint

    Checkpoint(model=small(2.0)).write(tmp_path / "w")
    change(tmp_path / "w.index")
    model = small()
    with pytest.raises(FileError, match="a pipe or a device|more than there is memory"):
        Checkpoint(model=model).restore(tmp_path / "w")
    assert is_as_made(model)


def test_a_checkpoint_of_a_run_that_memory_cannot_hold(tmp_path):
    run(small(), tmp_path)
    large(*tmp_path.rglob("*.checkpoint"))
    model = small(3.0)
    with pytest.raises(FileError, match="more than there is memory"):
        run(model, tmp_path, epochs=2)
    assert is_as_made(model, 3.0)


@pytest.mark.parametrize("change", [pipe, large, leads_out])
def test_what_is_no_file_in_a_folder_of_orbax(change, tmp_path):
    (tmp_path / "7" / "pytree" / "d").mkdir(parents=True)
    manifest = tmp_path / "7" / "pytree" / "manifest.ocdbt"
    manifest.write_bytes(b"manifest")
    change(manifest)
    model = small()
    with pytest.raises(UnsafeFileError, match="a pipe, a device, or a link|more than there is memory"):
        model.load_weights(tmp_path)
    assert is_as_made(model)


def test_scan_of_a_file_that_memory_cannot_hold(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(b"\x08\x08")
    large(path)
    _, found = findings_in(path)
    assert [one.rule for one in found] == ["memory"]
