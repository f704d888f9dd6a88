"""`lamina scan`: harmful files in the forms that readers take, and the libraries of scanners do not."""

import io
import json
import marshal
import os
import pickle
import random
import string
import zipfile
from base64 import b64encode

import h5py
import numpy as np
import pytest

from lamina import cli
from lamina.runtime.protobufs import encode
from tests.cli.test_scan import EVIL, archive, scanned

CALL = b"cposix\nsystem\n(S'true'\ntR."
LAMBDA = {"class_name": "__lambda__", "config": {"code": "4wE="}}


@pytest.mark.parametrize(
    "start",
    [
        b"I0x10\n0",
        b"L0x10L\n0",
        b"L0x" + b"f" * 5000 + b"L\n0",
        b"\x80\x02I0x10\n0",
        b"I1_0\n0",
        b"S'\xff'\n0",
        b"I 1 \n0",
    ],
)
def test_numbers_and_texts_that_pickletools_does_not_read(start, tmp_path):
    """Unpicklers take hexadecimal numbers, and texts of other alphabets with encoding="latin1"."""
    value = pickle.loads(start + b"I7\n.", encoding="latin1")
    assert value == 7
    for name in ("m.pkl", "m.bin", "m"):
        assert "code" in scanned(tmp_path, name, start + CALL)


TEXTS = (
    "cat\ndog\nbird\n", "class a\nclass b\n", "creativeml open rail\nversion 1\n", "c1,c2\n1,2\n3,4\n", "c\n\n\n",
    "click\njax\nnumpy\n", "count\nname\n.\nof\n", "cc-by-4.0\nblah\n", "copyright (c) 2024\nall rights reserved\n",
    "i n\nt h\n",
)  # fmt: skip


def test_texts_and_numbers_are_no_pickles(tmp_path):
    for text in (*TEXTS, *(letter + "lass\nname\nx\n." for letter in string.printable[:94])):
        for name in ("README.md", "vocab.txt", "LICENSE"):
            assert scanned(tmp_path, name, text.encode()) == set(), text
    for seed in range(300):
        rng = random.Random(seed)
        assert "code" not in scanned(tmp_path, "w.bin", rng.randbytes(rng.randrange(1, 800)))


def test_values_of_the_standard_library_and_numpy_are_harmless(tmp_path):
    import datetime
    import pathlib
    import uuid

    table = np.rec.array([(1, 2.0)], dtype=[("a", int), ("b", float)])
    for value in (
        datetime.datetime.now(datetime.UTC), datetime.time(1), uuid.uuid4(), ...,
        np.random.default_rng(0), np.random.RandomState(0), np.ma.array([1, 2], mask=[False, True]), table,
        random.Random(1), pathlib.PurePosixPath("a"),
    ):  # fmt: skip
        for protocol in (0, 2, 5):
            assert scanned(tmp_path, "a.pkl", pickle.dumps(value, protocol)) == set(), value


def npy(shape, blanks, version):
    head = f"{{'descr': '|O', 'fortran_order': False, 'shape': {shape}, }}{' ' * blanks}\n".encode()
    size = len(head).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + size + head + EVIL


@pytest.mark.parametrize("data", [npy("(1,)", 20000, 1), npy("(1,)", 20000, 2), npy("(1L,)", 0, 1)])
def test_headers_of_numpy_that_it_reads_where_it_unpickles(data, tmp_path):
    assert "code" in scanned(tmp_path, "a.npy", data)
    assert "code" in scanned(tmp_path, "a.npz", archive({"a.npy": data}))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_that_are_compressed_otherwise(method, tmp_path):
    assert "code" in scanned(tmp_path, "m.keras", archive({"config.json": json.dumps(LAMBDA)}, method))
    assert "code" in scanned(tmp_path, "m.pt", archive({"a/data.pkl": EVIL}, method))


def test_json_in_other_letters(tmp_path):
    text = json.dumps({"class_name": "Sequential", "config": {"layers": [LAMBDA]}})
    escaped = text.replace("class_name", "\\u0063lass_name")
    late = json.dumps({"a": "x" * 2**20, "auto_map": {"A": "b.C"}})
    encoded = [text.encode(name) for name in ("utf-16", "utf-8-sig", "utf-16-le", "utf-32")]
    for data in (escaped.encode(), *encoded, b" " * 600 + text.encode(), late.encode()):
        assert "code" in scanned(tmp_path, "m.json", data)
    assert scanned(tmp_path, "m.json", json.dumps({"vocab": {"a": 1}, "class_names": ["x"]}).encode()) == set()
    assert scanned(tmp_path, "m.jsonl", b'{"class_name": "cat"}\n{"class_name": "dog"}\n') == set()
    for template in ("{{ x['_' + '_class_' + '_'] }}", "{{ x['\\x5f\\x5fclass__'] }}"):
        assert "code" in scanned(tmp_path, "tokenizer_config.json", json.dumps({"chat_template": template}).encode())


CODE = b64encode(marshal.dumps(compile("1", "", "eval"))).decode()
TUPLES = [{"class_name": "__tuple__", "items": [CODE, None, None]}, [CODE, None, None],
          {"class_name": "__tuple__", "config": {"value": [CODE, None, None]}}]  # fmt: skip


@pytest.mark.parametrize("function", TUPLES)
@pytest.mark.parametrize("place", ["function", "output_shape", "mask"])
@pytest.mark.parametrize("kind", ["Lambda", "MyLambda"])
def test_bytecode_in_each_form_and_file(kind, place, function, tmp_path):
    layer = {"name": "l", "class_name": kind, "config": {"name": "l", "function": "relu", place: function}}
    model = {"class_name": "Sequential", "config": {"layers": [layer]}}
    text = json.dumps(layer)
    files = {
        "m.keras": archive({"config.json": json.dumps(model)}), "m.json": json.dumps(model).encode(),
        "keras_metadata.pb": encode((1, encode((5, text)))),
        "saved_model.pb": encode((1, 1), (2, encode((7, encode((1, encode((4, encode((3, text)))))))))),
    }  # fmt: skip
    with h5py.File(buffer := io.BytesIO(), "w") as file:
        file.attrs["model_config"] = json.dumps(model)
    for name, data in {**files, "m.h5": buffer.getvalue()}.items():
        assert "code" in scanned(tmp_path, name, data), name


@pytest.mark.parametrize(
    "put",
    [
        lambda file: file.create_dataset("o", (1,), h5py.vlen_dtype(np.uint8)).write_direct(of_own_length()),
        lambda file: file.create_dataset("o", data=np.void(EVIL)),
        lambda file: file.create_dataset("o", data=np.frombuffer(EVIL, np.uint8)),
        lambda file: file.create_dataset("o", data=np.bytes_(CALL)),
        lambda file: file.attrs.__setitem__("o", np.void(EVIL)),
        lambda file: file.attrs.__setitem__("o", np.array([EVIL])),
        lambda file: file.attrs.__setitem__("o", CALL.decode()),
        lambda file: file.create_dataset(
            "o", data=np.array([(1, np.void(EVIL))], [("a", int), ("b", f"V{len(EVIL)}")])
        ),
    ],
)
def test_pickles_among_the_arrays_of_hdf5(put, tmp_path):
    """PyTables keeps objects so, and pandas columns of them."""
    with h5py.File(buffer := io.BytesIO(), "w") as file:
        put(file)
    assert scanned(tmp_path, "m.h5", buffer.getvalue()) == {"code"}


def of_own_length():
    made = np.empty(1, object)
    made[0] = np.frombuffer(EVIL, np.uint8)
    return made


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes, and links need rights there")
def test_links_in_a_folder_are_followed(tmp_path, capsys):
    """In the cache of the Hugging Face hub, all files of a model are links."""
    for name in ("blobs", "model"):
        (tmp_path / name).mkdir()
    (tmp_path / "blobs/ab12").write_bytes(EVIL)
    (tmp_path / "model/pytorch_model.bin").symlink_to("../blobs/ab12")
    (tmp_path / "model/self").symlink_to(tmp_path / "model")
    assert cli.main(["scan", str(tmp_path / "model")]) == 1 and "1 error" in capsys.readouterr().out
    (tmp_path / "model/pytorch_model.bin").unlink()
    (tmp_path / "model/outside").symlink_to(tmp_path / "blobs")
    assert cli.main(["scan", str(tmp_path / "model")]) == 0 and "1 warning" in capsys.readouterr().out
    os.mkfifo(tmp_path / "fifo")
    assert cli.main(["scan", str(tmp_path / "fifo")]) == 2


def test_graphs_of_tensorflow(tmp_path):
    def graph(operation):
        return encode((1, encode((1, "n"), (2, operation))))

    def saved(operation):
        return encode((1, 1), (2, encode((2, graph(operation)))))

    for operation in ("MatchingFilesDataset", "DatasetToTFRecord", "SnapshotDatasetV2", "LoadAndRemapMatrix",
                      "InitializeTableFromTextFileV2", "ExperimentalCSVDataset"):  # fmt: skip
        assert scanned(tmp_path, "saved_model.pb", saved(operation)) == {"files"}
    assert scanned(tmp_path, "saved_model.pb", saved("XlaCustomCallV2")) == {"code"}
    assert scanned(tmp_path, "saved_model.pb", saved("Addons>Op")) == {"custom"}
    assert scanned(tmp_path, "renamed", saved("PyFunc")) == {"code"}
    assert scanned(tmp_path, "saved_model.pbtxt", b'node { name: "n" op: "PyFunc" }') == {"code"}
    assert scanned(tmp_path, "labels.pbtxt", b'item { id: 1 name: "op" }') == set()
    table = encode((1, 1), (2, encode((2, graph("InitializeTableFromTextFileV2")), (6, encode((2, "words.txt"))))))
    assert scanned(tmp_path, "saved_model.pb", table) == set()


def test_operations_of_tensorflow_in_configs(tmp_path):
    def model(kind, **config):
        return {"class_name": "Functional", "config": {"layers": [{"class_name": kind, "config": config}]}}

    for described, rule in (
        (model("TFOpLambda", function="io.read_file"), "files"), (model("TFOpLambda", function="py_function"), "code"),
        (model("TFOpLambda", function="raw_ops.WriteFile"), "files"), (model("TFOpLambda", function="math.add"), None),
        (model("TensorFlowOpLayer", node_def=json.dumps({"name": "w", "op": "WriteFile"})), "files"),
        ({"format": "graph-model", "modelTopology": {"node": [{"name": "a", "op": "PyFunc"}]}}, "code"),
        ({"weightsManifest": [{"paths": ["../../etc/passwd"], "weights": []}]}, "files"),
        ({"weight_map": {"a": "/etc/passwd"}}, "files"), ({"weight_map": {"a": ["..\\x"]}}, "files"),
        ({"weight_map": {"a": "model-00001-of-00002.safetensors"}}, None), ({"paths": None, "weight_map": 3}, None),
    ):  # fmt: skip
        assert scanned(tmp_path, "model.json", json.dumps(described).encode()) == ({rule} if rule else set()), described


def test_parts_of_onnx_models(tmp_path):
    outside = encode((8, "w"), (13, encode((1, "location"), (2, "../../etc/passwd"))), (14, 1))
    node, model = encode((4, "Add")), lambda *more: encode((1, 10), (7, encode((2, "g"))), *more)
    for part in (
        (20, encode((2, encode((5, outside))))), (20, encode((1, encode((5, outside))))),
        (25, encode((1, "f"), (7, node), (11, encode((1, "v"), (5, outside))))),
        (7, encode((1, encode((4, "Constant"), (5, encode((22, encode((1, outside))))))))),
    ):  # fmt: skip
        for name in ("m.onnx", "model", "m.bin"):
            assert "files" in scanned(tmp_path, name, model(part))
