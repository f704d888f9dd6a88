"""What `lamina scan`, ModelScan, picklescan and fickling find in harmful files, and where they raise a false alarm.

    python benchmarks/scanners.py FOLDER [--tools PYTHON] [--sources picklescan=DIR,modelscan=DIR,fickling=DIR]

makes the files in FOLDER, scans them with each tool and prints a table. PYTHON is an interpreter that has the other
three; the sources are their unpacked source distributions, whose lists and tests say which imports their own samples
have: each becomes a pickle of protocols 0, 2 and 4. Nothing of a sample is ever loaded.
"""

import argparse
import contextlib
import gzip
import io
import json
import logging
import pathlib
import pickle
import re
import struct
import subprocess
import sys
import tarfile
import warnings
import zipfile
import zlib

from scanner_samples import SAMPLES, harmless

ROOT = pathlib.Path(__file__).resolve().parents[1]


class Call:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def imports(module, name, protocol):
    """A pickle that imports `module.name` and calls it. Neither needs to exist."""
    if protocol < 4:
        return b"\x80\x02" * (protocol == 2) + f"c{module}\n{name}\n(S'x'\ntR.".encode()
    parts = b"".join(b"\x8c" + bytes([len(part.encode())]) + part.encode() + b"\x94" for part in (module, name))
    return b"\x80\x04" + parts + b"\x93\x94\x8c\x01x\x94\x85\x94R\x94."


def names_of(sources):
    """tool -> the (module, name) that its own lists and tests call dangerous."""
    found = {}
    if "picklescan" in sources:
        text = "".join(path.read_text() for path in sources["picklescan"].rglob("test_scanner.py"))
        found["picklescan"] = re.findall(r'Global\(\s*"([^"]+)",\s*"([^"]+)",\s*SafetyLevel.Dangerous', text)
    if "modelscan" in sources:
        scope: dict = {}
        text = (sources["modelscan"] / "modelscan/settings.py").read_text()
        listed = re.search(r'"unsafe_globals": (\{.*?\n    \}),', text, re.S)
        exec(f"found = {listed.group(1)}" if listed else "found = {}", scope)
        rows = [row for level in ("CRITICAL", "HIGH") for row in scope["found"].get(level, {}).items()]
        found["modelscan"] = [(m, n) for m, names in rows for n in (["run"] if names == "*" else names)]
    if "fickling" in sources:
        text = (sources["fickling"] / "fickling/fickle.py").read_text()
        listed = re.search(r"UNSAFE_IMPORTS: frozenset\[str\] = frozenset\((.*?)\n\)", text, re.S)
        found["fickling"] = [(module, "run") for module in re.findall(r'"([\w.]+)"', listed.group(1) if listed else "")]
    return {tool: sorted(set(pairs)) for tool, pairs in found.items()}


def containers():
    """name -> bytes of files that hide a pickle, or trick the reader of one: the kinds that the tools' tests have."""
    import numpy as np

    evil = pickle.dumps(Call(eval, "1"), 4)

    def archive(**members):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            for name, data in members.items():
                file.writestr(name.replace("_", "."), data)
        return buffer.getvalue()

    def flagged(bits):
        data = bytearray(archive(data_pkl=evil))
        data[6] |= bits
        data[data.find(b"PK\x01\x02") + 8] |= bits
        return bytes(data)

    plain = archive(data_pkl=evil)
    crc = bytearray(plain)
    crc[14] ^= 255
    crc[plain.find(b"PK\x01\x02") + 16] ^= 255
    npy, npz, tar = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(npy, np.array([Call(eval, "1")], object), allow_pickle=True)
    np.savez(npz, a=np.array([Call(eval, "1")], object))
    with tarfile.open(fileobj=tar, mode="w") as file:
        entry = tarfile.TarInfo("data.pkl")
        entry.size = len(evil)
        file.addfile(entry, io.BytesIO(evil))
    made = {
        "in.zip": plain, "wrong_extension.zip": archive(data_txt=evil), "crc.zip": bytes(crc),
        **{f"flag_{bits:#x}.zip": flagged(bits) for bits in (1, 0x20, 0x40)},
        "central.zip": plain.replace(b"data.pkl", b"datap.kl", 1), "no_directory.pt": plain[: plain.find(b"PK\1\2")],
        "zip_in.zip": archive(in_zip=plain), "second.pkl": pickle.dumps(["a"]) + evil, "png_first.pt": plain,
        "broken.pkl": b"cbuiltins\nexec\n(X>\nf = open('my_file.txt', 'a')tRX.", "ends_early.pkl": evil[:-1],
        "invalid_end.pkl": evil + b"\n\n\t\t", "inst.pkl": b"(S'x'\ni__builtin__\nexec\n.",
        "memo.pkl": b"Vos\np2\n0Vsystem\np3\n0Vtorch\np0\n0VLongStorage\np1\n0g2\ng3\n\x93(Vx\ntR.",
        "obj.pkl": b"(cos\nsystem\nS'x'\no.", "newobj.pkl": b"\x80\x02cos\nsystem\n(S'x'\nt\x81.",
        "newobj_ex.pkl": b"\x80\x04cos\nsystem\n(S'x'\nt}\x92.", "build.pkl": b"cos\nsystem\n}b.",
        "attribute.pkl": b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93.", "extension.pkl": b"\x80\x02\x82\x01.",
        "object.npy": npy.getvalue(), "object.npz": npz.getvalue(), "evil.tar": tar.getvalue(),
        "evil.joblib": zlib.compress(evil), "evil.dill": evil, "gz.pkl": gzip.compress(evil),
    }  # fmt: skip
    with contextlib.suppress(ImportError):
        from py7zr import SevenZipFile  # pyright: ignore[reportMissingImports]

        buffer = io.BytesIO()
        with SevenZipFile(buffer, "w") as file:
            file.writestr(evil, "data.pkl")
        made["evil.7z"] = buffer.getvalue()
    return made


def models():
    """name -> bytes of models of other formats that run code, read files or take memory."""
    import h5py

    lambda_ = {
        "class_name": "Lambda",
        "config": {"name": "l", "function": ["x", None, None], "function_type": "lambda"},
    }
    nested = {"class_name": "TimeDistributed", "config": {"layer": lambda_}}
    bytecode = {"class_name": "Lambda", "config": {"function": {"class_name": "__lambda__", "config": {"code": "x"}}}}
    made = {}
    for name, layer in {"lambda": lambda_, "nested": nested, "bytecode": bytecode}.items():
        text = json.dumps({"class_name": "Sequential", "config": {"layers": [layer]}})
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr("config.json", text)
            file.writestr("metadata.json", '{"keras_version": "3.0.0"}')
        made[f"{name}.keras"] = buffer.getvalue()
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as file:
            file.attrs["model_config"] = text
        made[f"{name}.h5"] = buffer.getvalue()
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["a"] = h5py.ExternalLink("/etc/x", "/y")
    made["link.h5"] = buffer.getvalue()

    def field(number, data):
        return bytes([number << 3 | 2, len(data)]) + data

    for operation in (b"ReadFile", b"WriteFile", b"PyFunc"):
        graph = field(2, field(2, field(1, field(1, b"n") + field(2, operation))))
        made[f"{operation.decode()}/saved_model.pb"] = b"\x08\x01" + graph
    tensor = field(8, b"w") + field(13, field(1, b"location") + field(2, b"../../etc/passwd")) + bytes([14 << 3, 1])
    made["external.onnx"] = b"\x08\x08" + field(7, field(5, tensor))
    header = json.dumps({"a": {"dtype": "F32", "shape": [10**9], "data_offsets": [0, 4 * 10**9]}}).encode()
    made["memory.safetensors"] = struct.pack("<Q", len(header)) + header + bytes(4)
    made["template.gguf"] = gguf("{{ ''.__class__.__mro__[1].__subclasses__() }}")
    return made


def gguf(template):
    key, value = b"tokenizer.chat_template", template.encode()
    return b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, len(key)) + key + struct.pack("<IQ", 8, len(value)) + value


def sound(folder):
    """Honest files: those of the tests, arrays, and pickles of plain values."""
    import numpy as np

    for path in sorted((ROOT / "tests/saving/files").glob("*.gz")):
        (folder / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    for path in sorted((ROOT / "tests/saving/files").glob("*.npz")):
        (folder / path.name).write_bytes(path.read_bytes())
    plain = [{"a": np.zeros(3), "b": [1]}, [1.5, "os.system", b"x"], {1, 2}, np.float32(1), ("eval", None), 2**70,
             np.arange(6).reshape(2, 3), {"deep": {"er": [np.ones(2)]}}, None]  # fmt: skip
    for number, value in enumerate(plain):
        for protocol in range(6):
            (folder / f"p{number}_{protocol}.pkl").write_bytes(pickle.dumps(value, protocol))
            (folder / f"z{number}_{protocol}.joblib").write_bytes(zlib.compress(pickle.dumps(value, protocol)))
    np.save(folder / "a.npy", np.zeros(3))
    np.savez_compressed(folder / "a.npz", a=np.zeros((100, 100)))
    (folder / "model.gguf").write_bytes(gguf("{% for message in messages %}{{ message['role'] }}{% endfor %}"))
    header = json.dumps({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}}).encode()
    (folder / "w.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(12))


def make(folder, sources):
    """Write the files; each folder is a row of the table."""
    for tool, pairs in names_of(sources).items():
        for module, name in pairs:
            for protocol in (0, 2, 4):
                path = folder / f"imports in {tool}'s lists and tests" / f"{module}.{name}_{protocol}.pkl"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(imports(module, name, protocol))
    rows = [("containers and tricks", containers()), ("models of other formats", models())]
    rows += [(f"other samples of {tool}", files) for tool, files in SAMPLES.items()]
    for row, files in (*rows, ("sound files", harmless())):
        for name, data in files.items():
            path = folder / row / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    (folder / "sound files").mkdir(exist_ok=True)
    sound(folder / "sound files")


def scan(tool, paths):
    """The paths in which a tool finds something."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    if tool == "lamina":
        from lamina.cli.scan_files import RULES, findings_in

        return [
            path for path in paths if any(RULES[one.rule][0] != "note" for one in findings_in(pathlib.Path(path))[1])
        ]
    if tool == "picklescan":
        from picklescan.scanner import scan_file_path  # pyright: ignore[reportMissingImports]

        def found(path: str) -> bool:
            return scan_file_path(path).issues_count > 0
    elif tool == "modelscan":
        from modelscan.modelscan import ModelScan  # pyright: ignore[reportMissingImports]
        from modelscan.settings import DEFAULT_SETTINGS  # pyright: ignore[reportMissingImports]

        def found(path: str) -> bool:
            return bool(ModelScan(settings=DEFAULT_SETTINGS).scan(path)["issues"])
    else:
        from fickling.analysis import Severity, check_safety  # pyright: ignore[reportMissingImports]
        from fickling.fickle import StackedPickle  # pyright: ignore[reportMissingImports]

        def found(path: str) -> bool:
            with open(path, "rb") as file:
                return any(check_safety(one).severity > Severity.LIKELY_SAFE for one in StackedPickle.load(file))

    hits = []
    for path in paths:
        with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
            if found(path):
                hits.append(path)
    return hits


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--tools", help="interpreter that has modelscan, picklescan and fickling")
    parser.add_argument("--sources", default="")
    parser.add_argument("--scan", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.scan:
        print("\n" + json.dumps(scan(args.scan, json.loads(sys.stdin.read()))))
        return 0
    make(
        args.folder,
        {tool: pathlib.Path(at) for tool, _, at in (x.partition("=") for x in args.sources.split(",") if x)},
    )
    paths = sorted(str(path) for path in args.folder.rglob("*") if path.is_file())
    tools = {"lamina": sys.executable, **dict.fromkeys(("modelscan", "picklescan", "fickling"), args.tools)}
    hits = {}
    for tool, python in tools.items():
        if python:
            command = [python, __file__, str(args.folder), "--scan", tool]
            told = subprocess.run(command, input=json.dumps(paths), capture_output=True, text=True).stdout
            hits[tool] = set(json.loads(told.strip().splitlines()[-1])) if told.strip() else set()
    print("| files | number |", " | ".join(hits), "|\n|---|---|", "---|" * len(hits), sep="")
    missed = 0
    for row in sorted({pathlib.Path(path).relative_to(args.folder).parts[0] for path in paths}):
        of = [path for path in paths if pathlib.Path(path).relative_to(args.folder).parts[0] == row]
        print(f"| {row} | {len(of)} |", " | ".join(str(len(found.intersection(of))) for found in hits.values()), "|")
        wrong = [path for path in of if (path in hits["lamina"]) == (row == "sound files")]
        missed += len(wrong)
        for path in wrong[:20]:
            print(f"  lamina is wrong about {path}", file=sys.stderr)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
