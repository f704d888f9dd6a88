"""`lamina scan`: what harmful files of each format hold is found, and honest files are quiet. Nothing is loaded."""

import bz2
import gzip
import io
import json
import os
import pickle
import struct
import sys
import tarfile
import types
import warnings
import zipfile
import zlib

import h5py
import numpy as np
import pytest

import lamina
from lamina import cli, layers
from lamina.cli import scan_configs
from lamina.cli.scan_files import RULES, findings_in
from lamina.core import read_limits


class Call:
    """A pickle of it calls a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


EVIL = pickle.dumps({"weights": [1, Call(os.system, "ls")]}, 2)


def scanned(folder, name, data):
    """The rules of what is found in bytes under a name."""
    path = folder / name
    path.write_bytes(data)
    return {finding.rule for finding in findings_in(path)[1]}


def archive(members, method=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return buffer.getvalue()


TORCH = archive({"archive/data.pkl": EVIL, "archive/data/0": bytes(8)})


def flipped(data, mark, place, bits):
    data = bytearray(data)
    data[data.find(mark) + place] ^= bits
    return bytes(data)


PICKLES = {
    **{f"protocol {number}": pickle.dumps([Call(eval, "1")], number) for number in range(6)},
    "the second of a file": pickle.dumps([1]) + EVIL,
    "one that ends in bytes that are none": EVIL[:-1] + b"\xff\xfe",
    "names from the memo": b"\x80\x04\x8c\x02os\x94\x8c\x06system\x940h\x00h\x01\x93\x8c\x02ls\x85R.",
    "a name that is computed": b"\x80\x04K\x01K\x02\x93.",
    "INST": b"(S'ls'\nios\nsystem\n.",
    "the registry of extensions": b"\x80\x02\x82\x01.",
    "a function of a package": b"\x80\x02cnumpy.f2py.crackfortran\ngetlincoef\n.",
    "gzip": gzip.compress(EVIL), "bzip2": bz2.compress(EVIL),
    **{f"zlib of level {level}": zlib.compress(EVIL, level) for level in (1, 3, 6, 9)},
    "a zip of PyTorch": TORCH,
    "a zip in a zip": archive({"inner.zip": TORCH}),
    "a zip with a wrong checksum": flipped(flipped(TORCH, b"PK\x03\x04", 14, 255), b"PK\x01\x02", 16, 255),
    "a zip that says it is encrypted": flipped(flipped(TORCH, b"PK\x03\x04", 6, 1), b"PK\x01\x02", 8, 1),
    "a zip without its directory": TORCH[: TORCH.find(b"PK\x01\x02")],
    "a zip behind a pickle": EVIL + archive({"a": b""}),
}  # fmt: skip


@pytest.mark.parametrize("name", PICKLES)
def test_pickles_that_import_anything_else_than_arrays_need(name, tmp_path):
    assert "code" in scanned(tmp_path, "model.pt", PICKLES[name])


def test_arrays_of_objects(tmp_path):
    buffer = io.BytesIO()
    np.save(buffer, np.array([Call(eval, "1")], object), allow_pickle=True)
    assert "code" in scanned(tmp_path, "a.npy", buffer.getvalue())
    assert "code" in scanned(tmp_path, "a.npz", archive({"a.npy": buffer.getvalue()}))


def keras(layer, **members):
    config = {"module": "keras", "class_name": "Sequential", "config": {"layers": [layer]}}
    return {"metadata.json": "{}", "config.json": json.dumps(config), **members}


LAYERS = {
    "code": [
        {"class_name": "Lambda", "config": {"function": {"class_name": "__lambda__", "config": {"code": "x"}}}},
        {"class_name": "Lambda", "config": {"function": ["x", None, None], "function_type": "lambda"}},
        {"class_name": "function", "module": "os", "config": "system", "registered_name": "system"},
        {"class_name": "function", "module": "builtins", "config": "exec", "registered_name": "function"},
        {"class_name": "exec", "module": "builtins", "config": {}},
        {"class_name": "function", "module": "tensorflow.io", "config": "write_file"},
        {"class_name": "function", "module": "keras.utils", "config": "get_file", "registered_name": "get_file"},
        {"class_name": "TorchModuleWrapper", "module": "keras.layers", "config": {"module": {}}},
        {"class_name": "TFSMLayer", "module": "keras.layers", "config": {"filepath": "/x"}},
    ],
    "files": [{"class_name": "StringLookup", "module": "keras.layers", "config": {"vocabulary": "/etc/passwd"}}],
    "memory": [{"class_name": "UpSampling2D", "module": "keras.layers", "config": {"size": [10**9, 1]}}],
    "custom": [{"class_name": "Mine", "module": None, "registered_name": "pkg>Mine", "config": {}}],
}


@pytest.mark.parametrize("rule", LAYERS)
def test_configs_of_keras(rule, tmp_path):
    for layer in LAYERS[rule]:
        assert rule in scanned(tmp_path, "m.keras", archive(keras(layer)))
        with h5py.File(tmp_path / "m.h5", "w") as file:
            file.attrs["model_config"] = keras(layer)["config.json"]
        assert rule in {finding.rule for finding in findings_in(tmp_path / "m.h5")[1]}


def external(file):
    file.create_dataset("a", (2,), "f4", external=[("/etc/hostname", 0, 8)])


def virtual(file):
    layout = h5py.VirtualLayout((2,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (2,))
    file.create_virtual_dataset("a", layout)


def link(file):
    file["a"] = h5py.ExternalLink("/etc/x.h5", "/y")


def huge(file):
    file.create_dataset("a", (1 << 40,), "f4", chunks=(1 << 20,))


@pytest.mark.parametrize(("fill", "rule"), [(external, "files"), (virtual, "files"), (link, "files"), (huge, "memory")])
def test_hdf5(fill, rule, tmp_path):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        fill(file)
    assert scanned(tmp_path, "a.h5", buffer.getvalue()) == {rule}
    assert rule in scanned(tmp_path, "a.keras", archive({"model.weights.h5": buffer.getvalue()}))


def varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def test_onnx(tmp_path):
    for place, found in (("../../etc/passwd", "files"), ("weights.bin", "files")):
        tensor = field(8, b"w") + field(13, field(1, b"location") + field(2, place.encode())) + varint(14 << 3) + b"\1"
        assert scanned(tmp_path, "m.onnx", b"\x08\x08" + field(7, field(5, tensor))) == {found}
    node = field(4, b"Evil") + field(7, b"com.evil")
    assert scanned(tmp_path, "m.onnx", b"\x08\x08" + field(7, field(1, node))) == {"custom"}
    large = field(8, b"w") + varint(1 << 3) + varint(10**12)
    assert scanned(tmp_path, "m.onnx", b"\x08\x08" + field(7, field(5, large))) == {"memory"}
    assert scanned(tmp_path, "m.onnx", b"\xff\xff\xff") == {"damaged"}


def test_saved_models(tmp_path):
    def graph(operation):
        return field(1, field(1, b"n") + field(2, operation))

    for operation, rule in ((b"ReadFile", {"files"}), (b"PyFunc", {"code"}), (b"MatMul", set())):
        assert scanned(tmp_path, "saved_model.pb", b"\x08\x01" + field(2, field(2, graph(operation)))) == rule
        assert scanned(tmp_path, "frozen.pb", graph(operation)) == rule
        function = field(2, field(1, field(3, field(2, operation))))
        assert scanned(tmp_path, "saved_model.pb", b"\x08\x01" + field(2, field(2, function))) == rule
    to_a_file = field(1, field(2, b"PrintV2") + field(5, field(1, b"output_stream") + field(2, b"file:///tmp/x")))
    assert scanned(tmp_path, "frozen.pb", to_a_file) == {"files"}
    layer = json.dumps(LAYERS["code"][1]).encode()
    assert scanned(
        tmp_path,
        "keras_metadata.pb",
        field(1, field(3, b"root.layer-0") + field(4, b"_tf_keras_layer") + field(5, layer)),
    ) == {"code"}


def test_other_formats(tmp_path):
    header = json.dumps({"a": {"dtype": "F32", "shape": [10**9], "data_offsets": [0, 4 * 10**9]}}).encode()
    data = struct.pack("<Q", len(header)) + header + bytes(4)
    assert scanned(tmp_path, "m.safetensors", data) == {"memory"}
    assert scanned(tmp_path, "m.yaml", b"a: !!python/object/apply:os.system ['ls']\n") == {"code"}
    bomb = archive({"model.weights.h5": bytes(50 << 20)}, zipfile.ZIP_DEFLATED)
    assert "memory" in scanned(tmp_path, "m.keras", bomb)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        entry = tarfile.TarInfo("../x")
        file.addfile(entry)
    assert "files" in scanned(tmp_path, "m.tar", buffer.getvalue())


def safetensors(*rows, end=b""):
    header = ",".join(
        f'"{name}":{json.dumps(dict(dtype=kind, shape=[size], data_offsets=at))}' for name, kind, size, at in rows
    )
    return struct.pack("<Q", len(header) + 2) + f"{{{header}}}".encode() + bytes(8) + end


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (safetensors(("a", "F32", 1, [0, 4]), ("b", "BF16", 2, [4, 8])), set()),
        (safetensors(("a", "F32", 2, [0, 8]), ("b", "F32", 1, [4, 8])), {"damaged"}),
        (safetensors(("a", "F32", 1, [4, 8])), {"damaged"}),
        (safetensors(("a", "F32", 1, [0, 4]), ("a", "F32", 2, [0, 8])), {"damaged"}),
        (safetensors(("a", "F32", 2, [0, 8]), end=EVIL), {"damaged"}),
        (safetensors(("a", "O", 1, [0, 8])), {"damaged"}),
        (safetensors(("a", "F32", 1, [0, 8])), {"memory"}),
        (struct.pack("<Q", 10**15) + b"{}", {"memory"}),
        (struct.pack("<Q", 10**5) + b"[" * 10**5, {"damaged"}),
    ],
)
def test_headers_of_safetensors_are_those_of_the_format(data, found, tmp_path):
    assert scanned(tmp_path, "m.safetensors", data) == found


def test_headers_of_numpy_declare_what_the_file_holds(tmp_path):
    def array(header):
        return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + bytes(8)

    for shape, found in ((b"(1,)", set()), (b"(1000000000000,)", {"memory"}), (b"f()", {"damaged"})):
        text = b"{'descr': '<f8', 'fortran_order': False, 'shape': " + shape + b"}"
        assert scanned(tmp_path, "a.npy", array(text)) == found
    assert scanned(tmp_path, "a.npy", array(b"(" * 20_000)) == {"damaged"}


def gguf(template, pairs=1):
    key, value = b"tokenizer.chat_template", template.encode()
    start = b"GGUF" + struct.pack("<IQQ", 3, 0, pairs)
    return start + struct.pack("<Q", len(key)) + key + struct.pack("<IQ", 8, len(value)) + value


def test_gguf(tmp_path):
    assert scanned(tmp_path, "c.json", b'{"a": {"chat_template": "{{ x.\\u005f_class__ }}"}}') == {"code"}
    assert scanned(tmp_path, "c.json", b'{"chat_template": "{{ messages }}"}') == set()
    assert scanned(tmp_path, "m.gguf", gguf("{{ ''.__class__.__mro__ }}")) == {"code"}
    assert scanned(tmp_path, "m.gguf", gguf("{% for m in messages %}{{ m['content'] }}{% endfor %}")) == set()
    assert scanned(tmp_path, "m.gguf", gguf("a", 2**60)) == {"memory"}
    assert scanned(tmp_path, "m.gguf", gguf("abc")[:-2]) == {"damaged"}


def test_7z_is_unpacked_where_its_package_is_installed(tmp_path, monkeypatch):
    class Archive(zipfile.ZipFile):
        """Of py7zr, what the scan asks of it; its bytes are those of a zip here."""

        def __init__(self, file):
            super().__init__(io.BytesIO(archive({"data.pkl": EVIL})))

        def list(self):
            return [types.SimpleNamespace(uncompressed=entry.file_size) for entry in self.infolist()]

    data = b"7z\xbc\xaf'\x1c" + bytes(100)
    monkeypatch.setitem(sys.modules, "py7zr", types.SimpleNamespace(SevenZipFile=Archive))
    assert scanned(tmp_path, "m.7z", data) == {"code"}
    monkeypatch.setitem(sys.modules, "py7zr", None)
    assert scanned(tmp_path, "m.7z", data) == {"damaged"}


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("honest")
    rows = [layers.Conv2D(2, 3), layers.UpSampling2D(2), layers.Flatten(), layers.Dense(3)]
    model = lamina.Sequential([lamina.Input((8, 8, 1)), *rows])
    model.compile("adam", "mse", metrics=["mae", lamina.metrics.AUC()])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("m.keras", "m.h5"):
            model.save(folder / name)
        for name in ("w.weights.h5", "w.safetensors"):
            model.save_weights(folder / name)
    (folder / "m.json").write_text(model.to_json())
    for number in range(6):
        data = {"a": np.zeros(3), "b": {1, 2}, "c": [1.5, "os system", b"x"], "d": np.float32(1)}
        (folder / f"p{number}.pkl").write_bytes(pickle.dumps(data, number))
    np.save(folder / "a.npy", np.zeros(3))
    np.savez_compressed(folder / "a.npz", a=np.zeros((1000, 1000)))
    (folder / "readme.txt").write_text("no model")
    return folder


def test_honest_files_are_quiet(honest, capsys):
    assert cli.main(["scan", str(honest)]) == 0
    told = capsys.readouterr().out
    assert told.count("nothing found") == 14 and "readme.txt" not in told  # 13 files and the sum


def test_reports(tmp_path, capsys):
    (tmp_path / "a\x1b[2J.pkl").write_bytes(EVIL)
    assert cli.main(["scan", str(tmp_path)]) == 1
    told = capsys.readouterr().out
    assert "\x1b" not in told and "\\x1b[2J.pkl: pickle, 1 error" in told and "posix.system" in told
    assert cli.main(["scan", str(tmp_path), "--json", "--fail-on", "never"]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert report["format"] == "pickle" and report["findings"][0]["rule"] == "code"
    cli.main(["scan", str(tmp_path), "--sarif"])
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == set(RULES)
    assert run["results"][0]["ruleId"] == "code" and run["results"][0]["level"] == "error"
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].endswith("/a%1B%5B2J.pkl")
    assert cli.main(["scan", str(tmp_path / "nothing")]) == 2


def test_sizes_are_counted_as_when_a_file_is_loaded():
    """The scan starts without JAX, so it has the numbers of `read_limits` written again."""
    assert scan_configs._BYTES_PER_UNIT == read_limits._BYTES_PER_UNIT
    assert scan_configs._FREE_BYTES == read_limits.FREE_BYTES
