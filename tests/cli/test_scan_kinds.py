"""`lamina scan`: spellings that other readers take and a scanner may not see, and honest files that look like them."""

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import struct
import tarfile
import time
import zipfile

import h5py
import numpy as np
import pytest

from benchmarks.scanner_samples import SAMPLES, harmless
from lamina.cli.scan_files import RULES, findings_in
from tests.cli.test_scan import EVIL, LAYERS, Call, archive, field, scanned

GOOD = pickle.dumps({"a": np.zeros(3)})
LAMBDA = json.dumps(LAYERS["code"][1])
MODULE = b"\x80\x02c__torch__\nM\nq\x00)\x81}b."


def in_hdf5(fill, **settings):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", **settings) as file:
        fill(file)
    return buffer.getvalue()


def oldest_tar(name, data):
    """A header without the mark that later kinds of tar have: only its checksum is right."""
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    header = bytearray(entry.tobuf(tarfile.USTAR_FORMAT))
    header[257:265], header[148:156] = bytes(8), b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + data + bytes(-len(data) % 512 + 1024)


def windows(size=64):
    return b"MZ" + bytes(58) + struct.pack("<I", size) + b"PE\0\0" + bytes(40)


HOSTILE = {
    "the second stream of gzip": ("m.pkl.gz", gzip.compress(b"") + gzip.compress(EVIL)),
    "a pickle cut into two streams": ("m.pkl.gz", gzip.compress(EVIL[:9]) + gzip.compress(EVIL[9:])),
    "the second stream of bzip2": ("m.bz2", bz2.compress(b"") + bz2.compress(EVIL)),
    "the second stream of xz": ("m.xz", lzma.compress(b"") + lzma.compress(EVIL)),
    "a whole tag of YAML": ("m.yaml", b"a: !<tag:yaml.org,2002:python/object/apply:os.system> ['ls']\n"),
    "a tag with an escape": ("m.yaml", b"a: !!pyth%6fn/object/apply:os.system ['ls']\n"),
    "a tag by a handle": ("m.yaml", b"%TAG !p! tag:yaml.org,2002:pyth\n---\na: !p!on/name:os.system\n"),
    "a pickle named as YAML": ("m.yaml", b"cos\nsystem\n(S'ls'\ntR."),
    "HDF5 behind a block of the user's": (
        "m.h5", in_hdf5(lambda file: file.attrs.update(model_config=LAMBDA), userblock_size=2048)),
    "an attribute that PyTables unpickles": (
        "m.h5", in_hdf5(lambda file: file.create_group("g").attrs.update(info=np.bytes_(b"cos\nsystem\n(S'ls'\ntR.")))),
    "the oldest kind of tar": ("m.pth", oldest_tar("pickle", EVIL)),
    "a library of Linux": ("m.pt2", archive({"m/model.so": b"\x7fELF" + bytes(60)})),
    "a library of Windows": ("m.pt2", archive({"m/model.bin": windows()})),
    "a model that is a program": ("m.llamafile", b"MZqFpD='\n" + bytes(60)),
    "a template in a file of its own": ("chat_template.jinja", b"{{ lipsum.__globals__['os'] }}"),
    "a config in UTF-16": ("m.keras", archive({"config.json": LAMBDA.encode("utf-16")})),
    "Keras's function for downloads": ("m.json", json.dumps(
        {"class_name": "Lambda", "config": {"function": {"class_name": "function", "config": "get_file"}}}).encode()),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_code_in_another_spelling_is_found(case, tmp_path):
    assert "code" in scanned(tmp_path, *HOSTILE[case])


def test_code_that_uses_files_is_found(tmp_path):
    script = b'def forward(self, x):\n  torch.save(x, "/tmp/x")\n'
    assert scanned(tmp_path, "m.pt", archive({"m/code/__torch__/M.py": script, "m/data.pkl": MODULE})) == {"files"}
    graph = field(2, field(1, field(1, b"n") + field(2, b"WriteFile")))
    assert scanned(tmp_path, "model.ckpt.meta", graph) == {"files"}


@pytest.mark.parametrize("start", [b"\x04\x22\x4d\x18", b"\x28\xb5\x2f\xfd", b"Rar!\x1a\x07", b"MSCF"])
def test_what_nothing_here_unpacks_is_reported(start, tmp_path):
    assert scanned(tmp_path, "m.bin", start + bytes(40)) == {"damaged"}


def test_a_pickle_beyond_what_is_unpacked_is_not_called_clean(tmp_path, monkeypatch):
    monkeypatch.setattr("lamina.cli.scan_files._MOST_UNPACKED", 1000)
    data = b"\x80\x04B" + struct.pack("<I", 5000) + os.urandom(5000) + b"0" + EVIL[2:]
    assert scanned(tmp_path, "m.pkl.gz", gzip.compress(data)) == {"damaged"}
    monkeypatch.undo()
    assert scanned(tmp_path, "m.pkl.gz", gzip.compress(data)) == {"code"}
    monkeypatch.setattr("lamina.cli.scan_zips._MOST_BYTES", 1000)
    assert "damaged" in scanned(tmp_path, "m.pt", archive({"m/data.pkl": data}, zipfile.ZIP_DEFLATED))


def joblib_files():
    joblib = pytest.importorskip("joblib")

    def dumped(value, **settings):
        buffer = io.BytesIO()
        joblib.dump(value, buffer, **settings)
        return buffer.getvalue()

    many = {"f": np.asfortranarray(np.ones((3, 2))), "e": np.zeros((0, 3)), "s": np.array(3.0), "t": np.array(["a"]),
            "d": np.array(["2020-01-01"], "M8[D]"), "b": np.array([1.5], ">f8"), "o": [np.arange(30)] * 2,
            "r": np.zeros(3, [("a", "i4"), ("b", "f8")])}  # fmt: skip
    evil = Call(os.system, "ls")
    harmful = [[np.arange(30.0), evil], np.array([evil], object), np.array([(1, evil)], [("a", "i4"), ("o", object)])]
    return [dumped(many), dumped(many, compress=3)], [*map(dumped, harmful), dumped(harmful[0], compress=("gzip", 3))]


def test_arrays_of_joblib_are_read_over_and_what_follows_is_read(tmp_path):
    honest, harmful = joblib_files()
    for data in honest:
        assert scanned(tmp_path, "m.joblib", data) == set()
    for data in harmful:
        assert "code" in scanned(tmp_path, "m.joblib", data)


def test_an_array_of_joblib_hides_no_pickle(tmp_path):
    """Bytes are read over only where joblib reads them as values: not after the state of the class itself, nor where a
    state has made a type of objects of the dtype."""
    names = b"\x80\x02cjoblib.numpy_pickle\nNumpyArrayWrapper\n"
    state = b"}(X\x05\0\0\0shapeK\x28\x85X\x05\0\0\0dtypecnumpy\ndtype\nX\x02\0\0\0u1\x85R%bbu"
    plain, objects = (
        b"(K\x03X\x01\0\0\0|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0t",
        b"(K\x03X\x01\0\0\0|NX\x01\0\0\0oNK\x08K\0K\0t",
    )
    code = b"0cos\nsystem\nX\x02\0\0\0ls\x85R."
    assert scanned(tmp_path, "a.joblib", names + b")\x81" + (state % plain) + b"b" + bytes(40) + code) == {"code"}
    assert "code" in scanned(tmp_path, "a.joblib", names + (state % plain) + b"b" + code + bytes(40))
    changed = names + b")\x81" + (state % objects) + b"b\x80\x02" + code[1:] + bytes(40)
    assert "code" in scanned(tmp_path, "a.joblib", changed)
    larger = plain.replace(b"J\xff\xff\xff\xff", b"K\x02", 1)
    assert scanned(tmp_path, "a.joblib", names + b")\x81" + (state % larger) + b"b" + bytes(40) + code) == {"damaged"}
    for made in (
        b"(ijoblib.numpy_pickle\nNumpyArrayWrapper\n",
        b"(cjoblib.numpy_pickle\nNumpyArrayWrapper\no",
        b"ccopyreg\n_reconstructor\ncjoblib.numpy_pickle\nNumpyArrayWrapper\ncbuiltins\nobject\nN\x87R",
    ):
        hidden = b"\x80\x02" + made + (state % plain) + b"b" + (b"B" + struct.pack("<I", 80)).ljust(40) + code
        assert scanned(tmp_path, "a.joblib", hidden) == {"code"}
    short = names + b")\x81" + (state % plain) + b"b" + bytes(3)
    assert scanned(tmp_path, "a.joblib", short) == {"damaged"}


SOUND = {
    "two streams of gzip": ("m.pkl.gz", gzip.compress(GOOD[:50]) + gzip.compress(GOOD[50:])),
    "YAML with its own tags": ("m.yaml", b"class_name: Sequential\nconfig: {layers: [!mine 1]}\n"),
    "HDF5 behind a block of the user's": ("m.h5", in_hdf5(lambda file: file.update(x=np.zeros(3)), userblock_size=512)),
    "a text that begins as a pickle": (
        "m.h5", in_hdf5(lambda file: file.attrs.update(note=np.bytes_(b"cat\ndog\nx.")))),
    "a template": ("chat_template.jinja", b"{% for m in messages %}{{ m.content }}{% endfor %}"),
    "a column named O": ("a.npz", archive({"a.npy": b"\x93NUMPY\1\0" + struct.pack("<H", 70) + (
        b"{'descr': [('O', '<f4')], 'fortran_order': False, 'shape': (2,)}").ljust(70) + bytes(8)})),
    "a table of text": ("a.csv", b"MZM,1\n" * 40),
    "a program beside a model": ("train.py", b"import torch\ntorch.save(model, 'x.pt')\n"),
    "an old file of PyTorch": ("m.bin", pickle.dumps(1) + GOOD + b"\x02\0\0\0\0\0\0\0" + b"\x80\x3f" * 8),
    "a tensor that begins as a pickle": ("m.pt", archive({"m/data.pkl": GOOD, "m/data/0": b"\x80\x04" * 9})),
    "TorchScript": ("m.pt", archive({"m/code/__torch__/M.py": b"def forward(self, x):\n  return torch.relu(x)\n",
        "m/code/__torch__/M.py.debug_pkl": b"\x80\x02ctorch.jit._pickle\nbuild_intlist\n](K\x01e\x85R.",
        "m/data.pkl": MODULE})),
}  # fmt: skip


@pytest.mark.parametrize("case", SOUND)
def test_honest_files_that_look_alike_are_quiet(case, tmp_path):
    assert scanned(tmp_path, *SOUND[case]) == set()


@pytest.mark.parametrize("tool", SAMPLES)
def test_other_samples_of_the_tools_are_found(tool, tmp_path):
    for name, data in SAMPLES[tool].items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        assert any(RULES[one.rule][0] != "note" for one in findings_in(path)[1]), name


def test_samples_that_the_tools_take_for_harmless(tmp_path):
    for name, data in harmless().items():
        (tmp_path / name).write_bytes(data)
        assert all(RULES[one.rule][0] == "note" for one in findings_in(tmp_path / name)[1]), name


def test_growth_of_values_that_hold_each_other(tmp_path):
    """Lists that are filled after they were put into others, and lists held through objects, count as well."""
    late = b"\x80\x04" + b"".join(b"]q%c0" % place for place in range(9)) + b"".join(
        b"h%c(" % (place + 1) + b"h%c" % place * 20 + b"e0" for place in range(8)
    ) + b"h\x08."  # fmt: skip
    objects = b"\x80\x04)q\x000" + b"".join(
        b"ccollections\nOrderedDict\n(" + b"h%c" % place * 20 + b"tRq%c0" % (place + 1) for place in range(8)
    )
    for data in (late, objects + b"h\x08."):
        (tmp_path / "a.pkl").write_bytes(data)
        assert {one.rule for one in findings_in(tmp_path / "a.pkl")[1]} == {"memory"}


def test_archives_that_hold_each_other_millions_of_times(tmp_path, monkeypatch):
    """What a scan reads in all is limited by the size of the file, in bytes and in members, folders too."""
    monkeypatch.setattr("lamina.cli.scan_files._MOST_BYTES", 1 << 24)
    data = b"x"
    for _ in range(5):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
            for number in range(16):
                file.writestr(f"{number}.zip", data)
        data = buffer.getvalue()
    folder = tarfile.TarInfo("a")
    folder.type = tarfile.DIRTYPE
    start = time.process_time()
    for name, one in (("a.zip", data), ("a.tar.gz", gzip.compress(folder.tobuf() * 20_000 + bytes(1024)))):
        found = scanned(tmp_path, name, one)
        assert found == {"memory"}
    assert time.process_time() - start < 10
