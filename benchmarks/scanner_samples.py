"""The samples in the tests of ModelScan, picklescan and fickling (November 2026) that are neither a call of a listed
function nor a container of one: `SAMPLES`, by tool, written down again from what their tests describe. Nothing of them
is ever loaded."""

from __future__ import annotations

import io
import json
import marshal
import pickle
import tarfile
import zipfile

import numpy as np

PROTO = b"\x80\x04"


def text(value: str | bytes) -> bytes:
    """A text, or bytes, for the stack."""
    data = value.encode() if isinstance(value, str) else value
    kind = b"X" if isinstance(value, str) else b"B"
    return kind + len(data).to_bytes(4, "little") + data


def name(module: str, attribute: str) -> bytes:
    """An import by STACK_GLOBAL."""
    return text(module) + text(attribute) + b"\x93"


def call(function: bytes, *arguments: bytes) -> bytes:
    """A call by REDUCE."""
    return function + b"(" + b"".join(arguments) + b"tR"


def attribute_of(value: bytes, attribute: str) -> bytes:
    """`getattr(value, attribute)`."""
    return call(name("builtins", "getattr"), value, text(attribute))


def whole(program: bytes) -> bytes:
    """A pickle."""
    return PROTO + program + b"."


def archive(member: str, data: bytes | str) -> bytes:
    """A zip of one member."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(member, data)
    return buffer.getvalue()


def tar(member: str, data: bytes, mode: str = "w") -> bytes:
    """A tar of one member."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as file:  # pyright: ignore[reportCallIssue, reportArgumentType]
        entry = tarfile.TarInfo(member)
        entry.size = len(data)
        file.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def keras(**initializer: object) -> bytes:
    """A model whose initializer is something else."""
    row = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 1, "kernel_initializer": initializer}}
    return archive("config.json", json.dumps({"class_name": "Sequential", "config": {"layers": [row]}}))


def graph(operation: bytes) -> bytes:
    """A SavedModel with one operation."""
    field = lambda number, data: bytes([number << 3 | 2, len(data)]) + data  # noqa: E731
    return b"\x08\x01" + field(2, field(2, field(1, field(1, b"n") + field(2, operation))))


SYSTEM, X = name("os", "system"), text("x")
IMPORTED = call(name("builtins", "__import__"), text("os"))
CODE = text(marshal.dumps(compile("1", "x", "exec")))
EVIL = whole(call(SYSTEM, X))
SAMPLES: dict[str, dict[str, bytes]] = {
    "picklescan": {
        "sour.pkl": b"c__builtin__\nglobals\n(tRp0\n0c__builtin__\ncompile\n(S'x'\nS''\nS'exec'\ntRp1\n0c__builtin__\n"
        b"eval\n(g1\ng0\ntR0c__builtin__\ngetattr\n(c__builtin__\ndict\nS'get'\ntRp2\n0c__builtin__\napply\n(g2\n(g0\n"
        b"S'x'\nltR.",
        "unknown place of the memo.pkl": PROTO + b"cos\nsystem\nVx\n\x85R0" + text("os") + b"\x94h\x03h\x00\x93KB.",
        "number for a name.pkl": PROTO + b"cos\nsystem\nVx\n\x85R0J*\0\0\0\x94" + text("os") + b"\x94h\x00h\x01\x93KB.",
        "attrgetter.pkl": whole(call(call(call(name("operator", "attrgetter"), text("system")), IMPORTED), X)),
        "strings.pkl": b"S'os'\nS'system'\n\x93S'ls'\n\x85R.",
        "methodcaller.pkl": whole(
            call(call(name("operator", "methodcaller"), text("system"), X), call(name("pydoc", "locate"), text("os")))
        ),
        "partial.pkl": whole(call(call(name("functools", "partial"), name("torch", "load"), X))),
        "as a bin.bin": EVIL, "arrays.npy": EVIL,
    },
    "modelscan": {
        "loads.pkl": whole(call(name("pickle", "loads"), text(EVIL))),
        "dotted.pkl": b"\x80\x05cbuiltins\neval.__call__\nVx\n\x85R.",
        "mailcap.pkl": whole(call(name("mailcap", "findmatch"), X)),
        "exec.keras": keras(module="builtins", class_name="exec", config={}),
        "popen.keras": keras(module="subprocess", class_name="Popen", config={"name": "x"}),
        **{f"{operation}/saved_model.pb": graph(operation.encode())
           for operation in ("MatchingFiles", "EagerPyFunc", "WholeFileReader")},
    },
    "fickling": {
        "built.pkl": whole(call(name("pty", "spawn"), X) + X + b"b"),
        "object.pkl": b"(cpty\nspawn\nS'id'\no.",
        "marshal.pkl": whole(call(call(name("types", "FunctionType"), call(name("marshal", "loads"), CODE), b"}"))),
        "library.pkl": whole(call(attribute_of(call(name("ctypes", "CDLL"), X), "system"), X)),
        "located.pkl": whole(call(call(name("pydoc", "locate"), X), X)),
        "imported.pkl": whole(call(attribute_of(call(name("importlib", "import_module"), text("os")), "system"), X)),
        "interpreter.pkl": whole(call(attribute_of(call(name("code", "InteractiveInterpreter")), "runsource"), X)),
        "process.pkl": whole(call(name("multiprocessing.util", "spawnv_passfds"), X, b"]", b")")),
        "modules.pkl": whole(name("sys", "modules")),
        "billion by DUP.pkl": whole(b"(" * 9 + X + (b"2" * 9 + b"l") * 9),
        "billion by GET.pkl": whole(
            b"(" * 10 + X + b"".join(b"q%c" % place + b"h%c" % place * 9 + b"l" for place in range(10))
        ),
        "list in itself.pkl": whole(b"]\x94" + b"h\x00a" * 60), "left over.pkl": whole(b"]" + b"2" * 150),
        "old.pt": tar("pickle", EVIL), "packed.tar.gz": tar("a.pkl", EVIL, "w:gz"), "text.txt": EVIL, "bare": EVIL,
        "deep.zip": archive("a/b/c/d/e.pkl", EVIL),
    },
}  # fmt: skip


def harmless() -> dict[str, bytes]:
    """name -> bytes of the samples that the tools take for harmless."""
    made = {
        "picture.pt": b"\x89PNG\r\n\x1a\n",
        "not_a_pickle.bin": b"cmod\n\xf8\n",
        "list.pkl": pickle.dumps(["a", "b"]),
    }
    made["shared.pkl"] = pickle.dumps([{"a": 1}] * 3 + [[1, 2]] * 100 + [*range(100)])
    for label, save in (("npy", np.save), ("npz", np.savez), ("compressed.npz", np.savez_compressed)):
        for kind in (object, int):
            save(buffer := io.BytesIO(), np.array([0, 1, 2], kind))
            made[f"{kind.__name__}.{label}"] = buffer.getvalue()
    return made
