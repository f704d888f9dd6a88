"""ONNX models and graphs of TensorFlow, read as protocol buffers by field numbers alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from lamina.cli.scan_zips import leads_out
from lamina.runtime.protobufs import fields

__all__ = ["metadata_of", "operation_findings", "protobuf_findings", "protobuf_kind"]

_STANDARD = ("", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training")
_FILE_OPS = frozenset(  # of TensorFlow: they read or write files, or ask machines, that the graph names
    "ReadFile WriteFile MatchingFiles WholeFileReader WholeFileReaderV2 TextLineReader TextLineReaderV2 TFRecordReader "
    "TFRecordReaderV2 FixedLengthRecordReader FixedLengthRecordReaderV2 LMDBReader ImmutableConst LookupTableExportV2 "
    "TextLineDataset TFRecordDataset TFRecordDatasetV2 FixedLengthRecordDataset FixedLengthRecordDatasetV2 LoadDataset "
    "LoadDatasetV2 SaveDataset SaveDatasetV2 CacheDataset CacheDatasetV2 CSVDataset CSVDatasetV2 LMDBDataset "
    "MatchingFilesDataset DatasetToTFRecord SnapshotDataset SnapshotDatasetV2 SnapshotDatasetReader "
    "SnapshotNestedDatasetReader SnapshotChunkDataset ListSnapshotChunksDataset DistributedSave RecordInput "
    "DebugIdentity DebugIdentityV2 DebugIdentityV3 DebugNumericSummary DebugNanCount CopyHost WriteSummary ImportEvent "
    "CreateSummaryFileWriter CreateSummaryDbWriter SqlDataset GenerateVocabRemapping LoadAndRemapMatrix "
    "CheckpointExists DumpTensor CalibrationStatisticsSaver Save SaveSlices Restore RestoreSlice "
    "FileSystemSetConfiguration Skipgram FixedUnigramCandidateSampler EncodeProto DecodeProtoV2 "
    "DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3 DataServiceDatasetV4 RegisterDataset "
    "RegisterDatasetV2 RpcCall RpcClient RpcServer RpcServerRegister RpcServerStart RemoteCall".split()
)
_CHECKPOINT_OPS = ("SaveV2", "RestoreV2", "MergeV2Checkpoints")
_TABLES = ("InitializeTableFromTextFile", "InitializeTableFromTextFileV2")  # of files among the assets, if it is honest
_CODE_OPS = {
    **dict.fromkeys("PyFunc PyFuncStateless EagerPyFunc PyFunction NumpyFunction".split(), "calls Python"),
    **dict.fromkeys("LoadOpLibrary LoadLibrary LoadFileSystemLibrary".split(), "loads a library"),
    **dict.fromkeys("XlaCustomCall XlaCustomCallV2".split(), "calls a function of a library by its name"),
}
_ENDINGS = (".onnx", ".pb", ".pbtxt", ".meta", ".cpb")
_OF_TEXT = re.compile(rb"""\bop\s*:\s*["']([^"'\n]*)["']""")


def protobuf_kind(data: Any, name: str) -> str:
    """What a file that may be a protocol buffer is: "onnx", "graph", "meta", "text", "metadata", or "" for none.

    Args:
        data: Bytes of the file.
        name: Its name, in small letters.
    """
    if name.endswith("keras_metadata.pb"):
        return "metadata"
    if name.endswith((".pbtxt", ".cpb", ".meta")):
        return {"t": "text", "b": "chunks", "a": "meta"}[name[-1]]
    if data[:1] == b"\x08" and len(data) > 2 and data[1] < 32:  # a version, and another field
        try:
            numbers = {number for number, value in fields(bytes(data)) if not isinstance(value, int)}
        except ValueError:
            numbers = set()
        if (7 in numbers and not name.endswith(_ENDINGS[1:])) or {7, 8} <= numbers:
            return "onnx"
        if 2 in numbers and numbers <= {2}:
            return "graph"
    return "" if not name.endswith(_ENDINGS) else "onnx" if name.endswith(".onnx") else "graph"


def protobuf_findings(data: Any, kind: str) -> Iterator[tuple[str, str]]:
    """(rule, sentence) for each part of a model or graph that reads other files or needs code from elsewhere.

    Args:
        data: Bytes of the file.
        kind: What `protobuf_kind` says of it.
    """
    if kind == "onnx":
        yield from _onnx_findings(data)
    elif kind == "text":
        yield from operation_findings({name.decode("utf-8", "replace") for name in _OF_TEXT.findall(data)})
    elif kind == "chunks":
        yield "damaged", "is a SavedModel in chunks, which nothing here reads"
    elif kind in ("graph", "meta"):
        yield from _saved_model_findings(data, kind == "meta")


def _all(data, *path):
    """The messages and texts at a path of field numbers."""
    for number, value in fields(data):
        if number == path[0] and not isinstance(value, int):
            if len(path) == 1:
                yield value
            else:
                yield from _all(value, *path[1:])


def _text(data):
    return bytes(data).decode("utf-8", "replace")


def _onnx_findings(data):
    is_model = False
    for number, value in fields(data):
        if isinstance(value, int):
            continue
        if number == 7:
            is_model = True
            yield from _graph(value, 0)
        elif number == 20:  # how it is trained: two graphs
            for graph in (*_all(value, 1), *_all(value, 2)):
                yield from _graph(graph, 0)
        elif number == 25:  # a function: its nodes, and values of its attributes
            yield from _nodes(value, 7, 0)
            for attribute in _all(value, 11):
                yield from _attribute(attribute, 0)
    if not is_model:
        raise ValueError("it has no graph")


def _graph(graph, depth):
    if depth > 50:
        yield "memory", "nests graphs more than 50 deep"
        return
    for tensor in (*_all(graph, 5), *_all(graph, 15, 1), *_all(graph, 15, 2)):
        yield from _tensor(tensor)
    yield from _nodes(graph, 1, depth)


def _tensor(tensor):
    name, where, size, held = "", None, 1, 0
    for number, value in fields(tensor):
        if number == 8:
            name = _text(value)
        elif number == 1 and isinstance(value, int):
            size *= value
        elif number == 13:
            entry = {key: _text(item) for key, item in fields(value) if not isinstance(item, int)}
            where = entry.get(2, "") if entry.get(1) == "location" else where
        elif not isinstance(value, int):
            held += len(value)
    if where is not None:
        outside = ", outside its folder" if leads_out(where) else ""
        yield "files", f"keeps the tensor {name!r} in the file {where!r}{outside}"
    elif size > 16 * held + 2**20:
        yield "memory", f"declares {size} elements of the tensor {name!r}, and holds {held} bytes of it"


def _nodes(owner, field, depth):
    for node in _all(owner, field):
        kind = domain = ""
        for number, value in fields(node):
            if number == 4:
                kind = _text(value)
            elif number == 7:
                domain = _text(value)
            elif number == 5:
                yield from _attribute(value, depth)
        if kind in ("PyOp", "PythonOp"):
            yield "code", f"has the operator {kind}, which calls Python"
        elif kind == "EPContext":
            yield "files", "has the operator EPContext, which may take a program from another file"
        elif domain not in _STANDARD:
            yield "custom", f"uses the operator {domain}.{kind}, which a library from elsewhere must have"


def _attribute(attribute, depth):
    sparse = [*_all(attribute, 22), *_all(attribute, 23)]
    parts = [tensor for one in sparse for tensor in (*_all(one, 1), *_all(one, 2))]
    for tensor in (*_all(attribute, 5), *_all(attribute, 10), *parts):
        yield from _tensor(tensor)
    for graph in (*_all(attribute, 6), *_all(attribute, 11)):
        yield from _graph(graph, depth + 1)


def _saved_model_findings(data, is_meta):
    """Of a SavedModel, a frozen graph, or a graph with its collections, as `.meta` files of TensorFlow 1 are."""
    graphs = [*(_all(data, 2) if is_meta else _all(data, 2, 2))] or [data]
    names = [_text(name) for graph in graphs for name in _operations(graph)]
    assets = len([*(_all(data, 6) if is_meta else _all(data, 2, 6))])
    yield from operation_findings(names, sum(name in _TABLES for name in names) <= assets)
    for nodes in (nodes for graph in graphs for nodes in ([*_all(graph, 1)], *_bodies(graph))):
        for path in dict.fromkeys(_paths_of_checkpoints(nodes)):
            yield "files", f"reads or writes the checkpoint {path!r}, whatever path it is given"
    if any(b"file://" in bytes(node) for graph in graphs for node in (*_all(graph, 1), *_all(graph, 2, 1, 3))):
        yield "files", "has an operation, such as PrintV2, that writes to the file of an attribute (file://)"


def _bodies(graph):
    for function in _all(graph, 2, 1):
        yield [*_all(function, 3)]


def _paths_of_checkpoints(nodes):
    """Constants that lead out of the folder, from which the path of a checkpoint is made: honest graphs are told it."""
    known = {_text(name): node for node in nodes for name in _all(node, 1)}
    for node in nodes:
        if next((_text(kind) for kind in _all(node, 2)), "") in _CHECKPOINT_OPS:
            row, seen = [_text(one) for one in _all(node, 3)][:1], set()
            while row:
                name = row.pop().partition(":")[0]
                if name in known and name not in seen:
                    seen.add(name)
                    row += [_text(one) for one in _all(known[name], 3)]
                    yield from filter(leads_out, map(_text, _all(known[name], 5, 2, 8, 8)))


def operation_findings(names: Iterable[str], has_assets: bool = False) -> Iterator[tuple[str, str]]:
    """(rule, sentence) for each operation of TensorFlow that runs Python, touches files or comes from elsewhere.

    Args:
        names: Names of operations.
        has_assets: Whether the files of tables are those of the model itself.
    """
    for name in sorted(set(names)):
        if name in _CODE_OPS:
            yield "code", f"has the operation {name}, which {_CODE_OPS[name]}"
        elif name.removeprefix("Experimental") in _FILE_OPS or (name in _TABLES and not has_assets):
            yield "files", f"has the operation {name}, which uses a file or a machine that the graph names"
        elif ">" in name:
            yield "custom", f"has the operation {name}, which a library from elsewhere must have"


def _operations(graph):
    yield from _all(graph, 1, 2)
    yield from _all(graph, 2, 1, 3, 2)


def metadata_of(data: Any, kind: str) -> Iterator[Any]:
    """The configs of layers of Keras 2: in a `keras_metadata.pb`, which is a `SavedMetadata`, or among the objects of
    a SavedModel.

    Args:
        data: Bytes of the file.
        kind: What `protobuf_kind` says of it.
    """
    if kind not in ("metadata", "graph"):
        return
    for text in _all(data, 1, 5) if kind == "metadata" else _all(data, 2, 7, 1, 4, 3):
        try:
            yield json.loads(bytes(text))
        except (ValueError, RecursionError):
            continue
