"""Files of models of every format, read without loading them: `findings_in(path)`."""

from __future__ import annotations

import bz2
import io
import json
import lzma
import mmap
import pathlib
import re
import tarfile
import tempfile
import urllib.parse
import zlib
from typing import Any, NamedTuple

from lamina.cli.scan_arrays import is_safetensors, numpy_findings, safetensors_findings
from lamina.cli.scan_configs import config_findings, target_findings
from lamina.cli.scan_gguf import gguf_findings, template_findings
from lamina.cli.scan_pickles import is_of_python, read_pickle
from lamina.cli.scan_protobufs import metadata_of, protobuf_findings, protobuf_kind
from lamina.cli.scan_skops import skops_findings
from lamina.cli.scan_zips import FREE, RATIO, leads_out, members

__all__ = ["RULES", "Finding", "findings_in"]

RULES = {  # rule -> (level, what it means)
    "code": ("error", "Loading the file could run code that it holds or names."),
    "files": ("error", "Loading the file could read or write other files."),
    "memory": ("error", "Loading the file could take far more memory or time than its size explains."),
    "damaged": ("warning", "A part of the file cannot be read, so what it would do is not known."),
    "custom": ("note", "The file needs classes, functions or operators of a program, which may do anything."),
}
_MOST_BYTES = 1 << 30  # of one member, unpacked
_PER_MEMBER, _OF_ALL = 8192, 20  # what a member of an archive counts beside its bytes, and how often those of the file
_MOST_DEPTH = 6
_PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib", ".dill")
_MODELS = (*_PICKLES, ".bin", ".dat", ".data", ".npy", ".npz")
_UNPACK = {b"\x1f\x8b": ("gzip", lambda: zlib.decompressobj(47)), b"BZh": ("bzip2", bz2.BZ2Decompressor),
           b"\xfd7zXZ": ("xz", lzma.LZMADecompressor), b"]\0\0": ("lzma", lzma.LZMADecompressor)}  # fmt: skip
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")  # by level of compression; joblib's is the second
_MOST_UNPACKED = 1 << 28  # of what is compressed as a whole
_UNREAD = {b"\x04\x22\x4d\x18": "lz4", b"\x28\xb5\x2f\xfd": "Zstandard", b"Rar!\x1a\x07": "RAR", b"MSCF": "CAB"}
_MACHINE_CODE = (b"\x7fELF", b"MZqFpD", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_YAML_TAG = re.compile(r"(?:!!|!<?tag:yaml\.org,2002:)python/\S+|^%TAG.*", re.MULTILINE)
_YAML_TARGET = re.compile(r"""["']?_target_["']?\s*:\s*["']?([\w.]+)""")
_PROGRAMS = {"MAR-INF/MANIFEST.json": "an archive of TorchServe", ".data/extern_modules": "a package of PyTorch"}
_BLANK = b" \t\r\n\0\xef\xbb\xbf\xff\xfe"  # and the marks of encodings that JSON may have
_TEXTS = (".yaml", ".yml", ".jinja", ".jinja2", ".j2", ".py")
_STORAGE = re.compile(r"(^|/)data/\d+$")  # in archives of PyTorch: the bytes of a tensor
_SCRIPT_FILES = re.compile(rb"\b(?:torch|ops\.aten)\.(?:save|from_file)\b")


class Finding(NamedTuple):
    """Something in a file, by the part of the file that it stands in."""

    place: str
    rule: str
    message: str


def findings_in(path: pathlib.Path) -> tuple[str, list[Finding]]:
    """The format of a file, or "" where it is none of a model, and what was found in it.

    Args:
        path: The file.
    """
    if not path.stat().st_size:
        return "", []
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        scan = _Scan(_MOST_BYTES + _OF_ALL * len(data))
        try:
            kind = scan.contents(data, path.name, "", 0)
        except MemoryError:
            kind = ""
            scan.add("", "memory", f"has {len(data)} bytes, which take more memory than there is")
        return kind, list(dict.fromkeys(scan.found))


class _Scan:
    def __init__(self, budget):
        self.found: list[Finding] = []
        self._left = budget  # of bytes in archives within archives: a few members can hold each other millions of times

    def _is_over(self, count, place):
        """Spend bytes; whether there are no more."""
        if 0 <= self._left < count:
            self.add(place, "memory", "is where reading ended: what the file holds unpacks to far more than its size")
        self._left -= count
        return self._left < 0

    def add(self, place, rule, message):
        self.found.append(Finding(place, rule, message))

    def contents(self, data: Any, name: str, place: str, depth: int) -> str:
        """Scan bytes; returns what they are."""
        if depth > _MOST_DEPTH:
            self.add(place, "memory", f"is nested more than {_MOST_DEPTH} archives deep")
            return "archive"
        if depth and self._is_over(len(data) + _PER_MEMBER, place):
            return ""
        start, lower = bytes(data[:512]), name.lower()
        kinds = []
        if any(bytes(data[at : at + 8]) == b"\x89HDF\r\n\x1a\n" for at in _starts_of_hdf5(len(data))):
            kinds.append(self._try("HDF5", place, self._hdf5, data, place))
        for magic, (kind, decompressor) in _UNPACK.items():
            if start.startswith(magic) or (kind == "gzip" and start[:2] in _ZLIB):
                kinds.append(self._try(kind, place, self._compressed, data, name, place, depth, decompressor))
        for kind in (kind for magic, kind in _UNREAD.items() if start.startswith(magic)):
            kinds.append(self._try(kind, place, self._unread))
        if start.startswith(_MACHINE_CODE) or (start[:2] == b"MZ" and _is_of_windows(data)):
            self.add(place, "code", "is machine code: a library or a program")
            kinds.append("machine code")
        if start.startswith(b"\x93NUMPY"):
            kinds.append(self._try("NumPy", place, self._all_of, numpy_findings, data, place))
        if start.startswith(b"7z\xbc\xaf'\x1c"):
            kinds.append(self._try("7z", place, self._seven_zip, data, place, depth))
        if start.startswith(b"GGUF"):
            kinds.append(self._try("GGUF", place, self._all_of, gguf_findings, data, place))
        if _is_tar(start) or (lower.endswith((".tar", ".nemo")) and not kinds):
            kinds.append(self._try("tar", place, self._tar, data, place, depth))
        if b"PK\x03\x04" in start[:4] or data[-70000:].find(b"PK\x05\x06") >= 0:
            kinds.append(self._try("zip", place, self._zip, data, place, depth))
        if not kinds and (is_safetensors(data) or (lower.endswith(".safetensors") and start[:1] != b"\x80")):
            kinds.append(self._try("safetensors", place, self._all_of, safetensors_findings, data, place))
        if not kinds and (message := protobuf_kind(data, lower)):
            kinds.append(self._try("protobuf", place, self._protobuf, data, message, place))
        text = self._text(data, lower, place) if not kinds and lower.endswith(_TEXTS) else ""
        if not kinds and bytes(data[: 2**16]).lstrip(_BLANK)[:1] in (b"{", b"["):
            kinds.append(self._json(data, place))
        if not kinds or (kinds == ["zip"] and not start.startswith(b"PK")):  # a pickle before an archive
            kinds.append(self._pickle(data, lower, place, bool(kinds)))
        return next(filter(None, [text, *kinds]), "")

    def _try(self, kind, place, read, *args):
        try:
            read(*args)
        except Exception as error:  # readers of other packages raise what they like on damaged bytes
            text = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            self.add(place, "damaged", f"cannot be read as {kind}: {text}")
        return kind

    def _pickle(self, data, lower, place, is_known):
        report = read_pickle(data if hasattr(data, "readline") else io.BytesIO(data))
        names = report.harmful()
        begins = bytes(data[:1]) == b"\x80" and bytes(data[1:2]) <= b"\x05" and not _STORAGE.search(place)
        looks = begins or lower.endswith(_MODELS)
        is_one = begins or report.calls or report.is_whole or (looks and report.pickles > 0)
        if not is_one and not lower.endswith(_PICKLES):  # a text, or numbers, whose first bytes happen to be opcodes
            report.imported, names = {}, [name for name in names if is_of_python(name)]
        if not looks or not is_one:
            names = [name for name in names if all(part.isidentifier() for part in name.split("."))]
        if is_known and not names:
            return ""
        if names:
            self.add(place, "code", f"is a pickle that imports {', '.join(names[:12])}{', ...' if names[12:] else ''}")
        if report.growth and looks:
            self.add(place, "memory", report.growth)
        if report.over and begins:
            self.add(place, "damaged", f"is a pickle that leaves {report.over} values over, which no library writes")
        if report.damage and (names or (looks and (report.imported or begins))):
            self.add(place, "damaged", f"is a pickle that ends early: {report.damage[:200]}")
        return "pickle" if names or report.imported or (report.pickles and looks) or begins else ""

    def _unread(self):
        raise ValueError("nothing here unpacks it")

    def _compressed(self, data, name, place, depth, decompressor):
        unpacked, rest, is_whole = bytearray(), bytes(data[: _MOST_BYTES // 4]), len(data) <= _MOST_BYTES // 4
        while rest and len(unpacked) < _MOST_UNPACKED:  # one stream after the other is one file to readers
            stream = decompressor()
            try:
                unpacked += stream.decompress(rest, _MOST_UNPACKED - len(unpacked))
            except (OSError, EOFError, lzma.LZMAError, zlib.error):
                if not unpacked:
                    raise
                break  # what follows is no stream
            rest = stream.unused_data
            is_whole = is_whole and stream.eof
        if len(unpacked) >= 2**26 and len(unpacked) > RATIO * len(data):
            self.add(place, "memory", f"unpacks to more than {RATIO} times its size")
        elif not is_whole:
            self.add(place, "damaged", f"was read up to {len(unpacked)} unpacked bytes, where it does not end")
        self.contents(
            bytes(unpacked), name.removesuffix(".gz").removesuffix(".bz2").removesuffix(".xz"), place, depth + 1
        )

    def _tar(self, data, place, depth):
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            while (member := archive.next()) is not None and not self._is_over(_PER_MEMBER // 4, place):
                vars(archive)["members"].clear()  # it would keep them all
                inner = f"{place}/{member.name}".lstrip("/")
                if leads_out(member.name):
                    self.add(inner, "files", "would be written outside of its folder")
                if member.issym() or member.islnk():
                    self._link(member.linkname, inner)
                elif member.ischr() or member.isblk() or member.isfifo():
                    self.add(inner, "files", "is a device")
                elif member.isfile():
                    if member.sparse or member.size > RATIO * len(data):
                        self.add(inner, "memory", f"would take {member.size} bytes")
                        continue
                    file = archive.extractfile(member)
                    self.contents(file.read(_MOST_BYTES) if file else b"", member.name, inner, depth + 1)

    def _link(self, target, place):
        if leads_out(target):
            self.add(place, "files", f"is a link to {target!r}")

    def _seven_zip(self, data, place, depth):
        try:
            from py7zr import SevenZipFile  # pyright: ignore[reportMissingImports]
        except ImportError:
            raise ValueError("7z is unpacked where py7zr is installed (pip install py7zr)") from None
        with SevenZipFile(io.BytesIO(data)) as archive, tempfile.TemporaryDirectory() as folder:
            wanted = sum(entry.uncompressed for entry in archive.list())
            if wanted > RATIO * len(data) + FREE:
                self.add(place, "memory", f"would unpack from {len(data)} to {wanted} bytes")
                return
            archive.extractall(folder)  # it refuses names that lead outside
            for path in sorted(pathlib.Path(folder).rglob("*")):
                if path.is_file() and not path.is_symlink():
                    inner = f"{place}/{path.relative_to(folder).as_posix()}".lstrip("/")
                    self.contents(path.read_bytes(), path.name, inner, depth + 1)

    def _all_of(self, findings, data, place):
        for rule, message in findings(data):
            self.add(place, rule, message)

    def _zip(self, data, place, depth):
        seen, stored = set(), 0
        for name, packed, size, contents, is_link in members(data):
            if self._left < 0:
                return
            inner = f"{place}/{name}".lstrip("/")
            if name in seen:
                self.add(inner, "damaged", "occurs twice: readers differ in which one they take")
            seen.add(name)
            if leads_out(name):
                self.add(inner, "files", "would be written outside of its folder")
            for what in (what for end, what in _PROGRAMS.items() if name.endswith(end)):
                self.add(place, "code", f"is {what}, whose Python files are run")
            size = max(size, len(contents) * (not isinstance(contents, str)))
            if size > RATIO * max(packed, 1) + FREE:
                self.add(inner, "memory", f"would unpack from {packed} to {size} bytes")
            stored += packed
            if isinstance(contents, str):
                self.add(inner, "damaged", contents)
            elif is_link:
                self._link(contents.decode("utf-8", "replace"), inner)
            elif name.endswith("config.json"):
                self._config(contents, inner, len(data))
            else:
                self.contents(contents, name, inner, depth + 1)

    def _hdf5(self, data, place):
        from lamina.cli.scan_hdf5 import hdf5_findings  # h5py takes a while to import

        for part, rule, message in hdf5_findings(data, self._config):
            self.add(f"{place}:{part}" if place else part, rule, message)

    def _config(self, text, place, stored):
        try:
            config = json.loads(bytes(text))
        except (ValueError, RecursionError) as error:
            self.add(place, "damaged", f"is not JSON: {error}")
            return
        self._all_of(lambda one: config_findings(one, stored), config, place)

    def _json(self, data, place):
        text = bytes(data[: _MOST_BYTES // 4])
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            if b'"class_name"' in text and "Extra data" not in str(error):  # which no reader of a config takes
                self.add(place, "damaged", f"is not JSON: {error}")
            return ""
        before = len(self.found)
        self._all_of(lambda one: config_findings(one, 0), found, place)
        if isinstance(found, dict) and "__loader__" in found:
            self._all_of(skops_findings, found, place)
        described = found.get("modelTopology", found) if isinstance(found, dict) else {}
        is_model = isinstance(described, dict) and not {"class_name", "model_config"}.isdisjoint(described)
        return "Keras config" if is_model or len(self.found) > before else ""

    def _text(self, data, lower, place):
        """YAML, a template of chats, or the code of a TorchScript archive: other programs are no part of a model."""
        text = bytes(data[: 2**26])
        if lower.endswith(".py"):
            for name in sorted({match.group().decode() for match in _SCRIPT_FILES.finditer(text)} if place else ()):
                self.add(place, "files", f"calls {name}, which uses a file that the code names")
            return ""
        if not lower.endswith((".yaml", ".yml")):
            self._all_of(lambda one: template_findings("template", one), text.decode("utf-8", "replace"), place)
            return "template"
        plain = urllib.parse.unquote(text.decode("utf-8", "replace"))  # as YAML reads tags
        for tag in dict.fromkeys(match.group() for match in _YAML_TAG.finditer(plain)):
            self.add(place, "code", f"has the YAML tag {tag}, which may make Python objects")
        for target in dict.fromkeys(_YAML_TARGET.findall(plain)):
            self._all_of(target_findings, target, place)
        return "YAML"

    def _protobuf(self, data, kind, place):
        data = bytes(data)
        self._all_of(lambda one: protobuf_findings(one, kind), data, place)
        for config in metadata_of(data, kind):
            self._all_of(lambda one: config_findings(one, 2**40), config, place)


def _starts_of_hdf5(size):
    """Where HDF5 looks for its signature: a block of the user's may lie before it."""
    place = 512
    yield 0
    while place < size:
        yield place
        place *= 2


def _is_of_windows(data):
    place = int.from_bytes(data[60:64], "little")
    return bytes(data[place : place + 4]) == b"PE\0\0"


def _is_tar(start):
    """Whether bytes begin with a header of tar, whose checksum is all that its oldest kind has."""
    text = start[148:156].strip(b" \0")
    return start[257:262] == b"ustar" or (
        len(start) == 512
        and re.fullmatch(rb"[0-7]{3,6}", text) is not None
        and int(text, 8) == sum(start) - sum(start[148:156]) + 256
    )
