"""ONNX models and graphs of TensorFlow, read as protocol buffers by field numbers alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from lamina.runtime.protobufs import fields

__all__ = ["keras_metadata_of", "onnx_findings", "saved_model_findings"]

_STANDARD = ("", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training")
_FILE_OPS = frozenset(  # of TensorFlow: they read or write files, or ask machines, that the graph names
    "ReadFile WriteFile MatchingFiles WholeFileReader WholeFileReaderV2 TextLineReader TextLineReaderV2 TFRecordReader "
    "TFRecordReaderV2 FixedLengthRecordReader FixedLengthRecordReaderV2 LMDBReader ImmutableConst LookupTableExportV2 "
    "TextLineDataset TFRecordDataset FixedLengthRecordDataset FixedLengthRecordDatasetV2 LoadDataset LoadDatasetV2 "
    "SaveDataset SaveDatasetV2 CacheDataset CacheDatasetV2 CSVDataset CSVDatasetV2 DebugIdentity DebugIdentityV2 "
    "DebugIdentityV3 DebugNumericSummary CopyHost WriteSummary CreateSummaryFileWriter CreateSummaryDbWriter "
    "SqlDataset ExperimentalSqlDataset GenerateVocabRemapping DumpTensor Save SaveSlices "
    "DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3 DataServiceDatasetV4 RegisterDataset "
    "RegisterDatasetV2 RpcCall RpcClient RpcServer RpcServerRegister RpcServerStart".split()
)
_CODE_OPS = frozenset("PyFunc PyFuncStateless EagerPyFunc".split())


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


def onnx_findings(data: Any) -> Iterator[tuple[str, str]]:
    """(rule, sentence) for each part of an ONNX model that reads other files or needs code from elsewhere.

    Args:
        data: Bytes of the file.
    """
    is_model = False
    for number, value in fields(data):
        if number == 7 and not isinstance(value, int):
            is_model = True
            yield from _graph(value, 0)
        elif number == 25 and not isinstance(value, int):  # a function: its nodes
            yield from _nodes(value, 7, 0)
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
        outside = where.startswith(("/", "\\")) or ".." in where.replace("\\", "/").split("/") or ":" in where
        yield "files", f"keeps the tensor {name!r} in the file {where!r}" + (", outside its folder" if outside else "")
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
                for tensor in (*_all(value, 5), *_all(value, 10)):
                    yield from _tensor(tensor)
                for graph in (*_all(value, 6), *_all(value, 11)):
                    yield from _graph(graph, depth + 1)
        if domain not in _STANDARD:
            yield "custom", f"uses the operator {domain}.{kind}, which a library from elsewhere must have"


def saved_model_findings(data: Any, is_meta: bool = False) -> Iterator[tuple[str, str]]:
    """(rule, sentence) for each operation of a SavedModel, or of a frozen graph, that runs Python or touches files.

    Args:
        data: Bytes of the file.
        is_meta: Whether it is a graph with its collections, as `.meta` files of TensorFlow 1 are.
    """
    graphs = [*(_all(data, 2) if is_meta else _all(data, 2, 2))] or [data]
    for operation in sorted({_text(name) for graph in graphs for name in _operations(graph)}):
        if operation in _CODE_OPS:
            yield "code", f"has the operation {operation}, which calls Python"
        elif operation in _FILE_OPS:
            yield "files", f"has the operation {operation}, which uses a file or a machine that the graph names"
    if any(b"file://" in bytes(node) for graph in graphs for node in (*_all(graph, 1), *_all(graph, 2, 1, 3))):
        yield "files", "has an operation, such as PrintV2, that writes to the file of an attribute (file://)"


def _operations(graph):
    yield from _all(graph, 1, 2)
    yield from _all(graph, 2, 1, 3, 2)


def keras_metadata_of(data: Any) -> Iterator[Any]:
    """The configs of layers in a `keras_metadata.pb`, a `SavedMetadata` of Keras 2: `nodes` with `metadata`.

    Args:
        data: Bytes of the file.
    """
    for text in _all(data, 1, 5):
        try:
            yield json.loads(bytes(text))
        except (ValueError, RecursionError):
            continue
