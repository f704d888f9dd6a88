"""`lamina scan`: skops files, links in zip archives, pickles that only import or whose calls take memory, programs
beside a model, and honest files that look like them."""

import json
import pickle
import stat
import zipfile
from collections import deque
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from tests.cli.test_scan import EVIL, archive, field, scanned

RANGE = b"cbuiltins\nrange\n(I0\nI100000000000\ntR"


def skops(kind, **root):
    module, _, name = kind.rpartition(".")
    node = {"__module__": module, "__class__": name, "__loader__": "ObjectNode", **root}
    return archive({"schema.json": json.dumps({"__loader__": "ListNode", "content": [node], "protocol": 2})})


HARMFUL_SKOPS = (
    skops("os.system"), skops("functools.partial", content={"module_path": "builtins", "function": "eval"}),
    skops("sklearn.datasets.load_files"), skops("numpy.load"), skops("operator.methodcaller"),
    skops("sklearn.svm.SVC", __loader__="MethodNode", content={"func": "__reduce__"}),
)  # fmt: skip


def test_names_in_skops_files_are_those_of_estimators(tmp_path):
    for data in HARMFUL_SKOPS:
        assert scanned(tmp_path, "m.skops", data) == {"code"}
    for name in ("sklearn.svm._classes.SVC", "numpy.log1p", "numpy.float32", "scipy.special._ufuncs.expit",
                 "scipy.sparse._csr.csr_matrix", "numpy.random.mtrand.RandomState", "builtins.dict"):  # fmt: skip
        assert scanned(tmp_path, "m.skops", skops(name, __loader__="TypeNode", content=None)) == set(), name


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "a", "C:x"])
def test_links_in_a_zip(target, tmp_path):
    entry = zipfile.ZipInfo("assets")
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path := tmp_path / "in.zip", "w") as file:
        file.writestr(entry, target)
    assert scanned(tmp_path, "m.zip", archive({"in.zip": path.read_bytes()})) == ({"files"} if target != "a" else set())


def test_an_archive_before_an_archive(tmp_path):
    evil, plain = archive({"data.pkl": EVIL}), archive({"data.pkl": pickle.dumps(1)})
    assert scanned(tmp_path, "m.pt", evil + plain) >= {"code"} <= scanned(tmp_path, "m.pt", plain + evil)
    assert scanned(tmp_path, "m.pt", plain + plain) == {"damaged"}


@pytest.mark.parametrize("name", ["m.pkl", "m.bin", "m.dat", "m.txt", "m"])
def test_a_pickle_that_only_imports_is_told_of_whether_or_not_it_ends(name, tmp_path):
    for module in (b"cos\nsystem\n", b"csubprocess\nPopen\n", b"cidlelib.run\nmain\n"):
        for start, end in ((b"", b"."), (b"", b""), (b"", b"0N."), (b"", b".\xff\xff"), (b"\x80\x02", b"")):
            assert "code" in scanned(tmp_path, name, start + module + end), (start, module, end)
    for words in (b"cos\nsin\ntan\n", b"ctime\nmtime\natime\n", b"code\nname\n"):
        assert "code" not in scanned(tmp_path, name.replace("pkl", "csv"), words)


CALLS = {
    "bytearray": b"cbuiltins\nbytearray\n(I100000000000\ntR.", "INST": b"(I100000000000\ni__builtin__\nbytearray\n.",
    "NEWOBJ": b"\x80\x02cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85\x81.",
    "list": b"cbuiltins\nlist\n(" + RANGE + b"tR.",
    "deque": b"ccollections\ndeque\n(" + RANGE + b"tR.", "shape": b"cnumpy\nndarray\n((I100000\nI1000000\nttR.",
    "made by another": b"ccopyreg\n_reconstructor\n(cbuiltins\nbytearray\ncbuiltins\nbytearray\nI100000000000\ntR.",
    "storage": b"ctorch\nFloatStorage\n(I100000000000\ntR.", "Fraction": b"cfractions\nFraction\n(S'1e9999999999'\ntR.",
    "shape as a list": b"cnumpy\nndarray\n(](I100000\nI1000000\netR.",
    "shape by its name": b"\x80\x04cnumpy\nndarray\n)}(\x8c\x05shapeJ\xff\xff\xff\x7fu\x92.",
    "size": b"ctorch\nTensor\n(ctorch\nSize\n((I300000\nI300000\nttRtR.",
    "exponent": b"cbuiltins\nint\n(cdecimal\nDecimal\n((I0\n(I1\ntI999999999\nttRtR.",
    "digits": b"cbuiltins\nint\n(cdecimal\nDecimal\n(S'1e9999999999'\ntRtR.",
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_calls_that_make_what_a_number_says(call, tmp_path):
    assert scanned(tmp_path, "m.pkl", CALLS[call]) == {"memory"}


def test_values_with_large_numbers_are_harmless(tmp_path):
    for value in (range(10**12), [slice(10**12)], Decimal("1E+999999"), Fraction(1, 3), bytearray(b"x" * 100),
                  deque([1], 10**9), np.zeros((0, 10**9)), {"rows": range(10**10), "units": 2**5000}):  # fmt: skip
        for protocol in range(6):
            assert scanned(tmp_path, "m.pkl", pickle.dumps(value, protocol)) == set(), (value, protocol)


def operator(kind, domain):
    return b"\x08\x08" + field(7, field(1, field(4, kind) + field(7, domain)))


PROGRAMS = {
    "sentence-transformers": ("modules.json", b'[{"idx": 0, "path": "", "type": "os.system"}]', {"code"}),
    "Hydra": ("m.json", b'{"model": {"_target_": "os.system"}}', {"code"}),
    "Hydra in YAML": ("m.yaml", b"a:\n  _target_: builtins.exec\n", {"code"}),
    "a class of a program": ("m.yaml", b"_target_: 'nemo.Model'\n", {"custom"}),
    "custom pipelines": ("config.json", b'{"custom_pipelines": {"x": {"impl": "x.Y"}}}', {"code"}),
    "TorchServe": ("m.mar", archive({"MAR-INF/MANIFEST.json": "{}", "h.py": ""}), {"code"}),
    "torch.package": ("m.pt", archive({"p/.data/extern_modules": "", "p/m.py": ""}), {"code"}),
    "Python in ONNX": ("m.onnx", operator(b"PyOp", b"ai.onnx.contrib"), {"code"}),
    "a program of a processor": ("m.onnx", operator(b"EPContext", b"com.microsoft"), {"files"}),
    "its layers": ("modules.json", b'[{"idx": 0, "path": "", "type": "sentence_transformers.models.Pooling"}]', set()),
}  # fmt: skip


@pytest.mark.parametrize("case", PROGRAMS)
def test_programs_beside_a_model(case, tmp_path):
    name, data, found = PROGRAMS[case]
    assert scanned(tmp_path, name, data) == found


@pytest.mark.parametrize("path", ["/root/.ssh/x", "../x", "model"])
@pytest.mark.parametrize("kind", ["SaveV2", "RestoreV2"])
def test_checkpoints_at_paths_of_a_graph(kind, path, tmp_path):
    """Honest graphs are given the path of their checkpoint, or have a name in their own folder."""
    value = field(5, field(1, b"value") + field(2, field(8, field(8, path.encode()))))
    constant = field(1, b"c") + field(2, b"Const") + value
    joined = field(1, b"j") + field(2, b"StringJoin") + field(3, b"c:output:0") + field(3, b"j")
    nodes = [constant, joined, field(1, b"s") + field(2, kind.encode()) + field(3, b"j:output:0")]
    inside = b"".join(field(3, node) for node in nodes)
    for graph in (b"".join(field(1, node) for node in nodes), field(2, field(1, inside))):
        data = b"\x08\x01" + field(2, field(2, graph))
        assert scanned(tmp_path, "saved_model.pb", data) == ({"files"} if path != "model" else set())
