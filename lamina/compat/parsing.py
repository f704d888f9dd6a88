"""tf.io: records and lines of text as tensors."""

from __future__ import annotations

import base64
import csv
import zlib
from collections import namedtuple
from typing import Any

import numpy as np

from lamina.compat.host import as_bytes, as_text, each, is_text, on_host, readable, texts
from lamina.compat.messages import Example, SequenceExample, fields_of
from lamina.compat.ragged import RaggedTensor
from lamina.compat.sparse import SparseTensor, reorder
from lamina.compat.table import DTYPES
from lamina.errors import DataError
from lamina.runtime.protobufs import encode

__all__ = ["PARSING", "csv_value", "default_of"]

FixedLenFeature = namedtuple("FixedLenFeature", "shape dtype default_value", defaults=(None,))
FixedLenSequenceFeature = namedtuple("FixedLenSequenceFeature", "shape dtype allow_missing default_value",
                                     defaults=(False, None))  # fmt: skip
VarLenFeature = namedtuple("VarLenFeature", "dtype")
RaggedFeature = namedtuple("RaggedFeature", "dtype value_key partitions row_splits_dtype validate",
                           defaults=(None, (), "int32", False))  # fmt: skip
SparseFeature = namedtuple("SparseFeature", "index_key value_key dtype size already_sorted", defaults=(False,))


def _numpy_dtype(dtype):
    return np.dtype(object) if dtype is str or str(getattr(dtype, "name", dtype)) == "string" else np.dtype(dtype)


def _values(feature, dtype):
    kind = feature.WhichOneof("kind")
    found = [] if kind is None else getattr(feature, kind).value
    array = np.empty(len(found), _numpy_dtype(dtype))
    array[:] = [readable(one) for one in found] if kind == "bytes_list" else found
    return array


def _fixed(name, spec, found):
    shape = tuple(int(size) for size in spec.shape)
    if not len(found):
        if spec.default_value is None:
            fix = f"tf.io.FixedLenFeature({[*shape]}, dtype, default_value=0)"
            raise DataError(f"The example has no feature {name!r}, and it has no default_value.", fix=fix)
        return np.broadcast_to(np.asarray(spec.default_value, _numpy_dtype(spec.dtype)), shape)
    if len(found) != np.prod(shape):
        fix = f"tf.io.FixedLenFeature([{len(found)}], dtype), or tf.io.VarLenFeature(dtype) for any number"
        raise DataError(f"The feature {name!r} has {len(found)} values; a shape {shape} was asked for.", fix=fix)
    return found.reshape(shape)


def _one(name, spec, feature):
    """A feature of one example: an array, or for the kinds of variable length its values as (values,)."""
    found = _values(feature, spec.dtype)
    if isinstance(spec, FixedLenFeature):
        return on_host(_fixed(name, spec, found))
    if isinstance(spec, FixedLenSequenceFeature):
        return on_host(found.reshape(-1, *spec.shape))
    return on_host(found)


def _sparse(rows):
    lengths = list(map(len, rows))
    places = [(row, column) for row, length in enumerate(lengths) for column in range(length)]
    return SparseTensor(np.asarray(places).reshape(-1, 2), on_host(np.concatenate(rows)), [len(rows), max(lengths)])


def _placed(spec, examples):
    """Values of a SparseFeature, with their places from other features: as many axes as there are keys of places."""
    keys = [spec.index_key] if isinstance(spec.index_key, str) else list(spec.index_key)
    values = [_values(one[spec.value_key], spec.dtype) for one in examples]
    places = [np.stack([_values(one[key], "int64") for key in keys], 1) for one in examples]
    rows = np.repeat(np.arange(len(examples)), list(map(len, values)))[:, None]
    found = SparseTensor(np.concatenate([rows, np.concatenate(places)], 1), on_host(np.concatenate(values)),
                         [len(examples), *np.ravel(spec.size).tolist()])  # fmt: skip
    return found if spec.already_sorted else reorder(found)


def parse_single_example(serialized: Any, features: Any, example_names: Any = None, name: Any = None) -> Any:
    """`tf.io.parse_single_example`: the features of a tf.train.Example as tensors by name."""
    given = Example.FromString(as_bytes(serialized)).features.feature
    found = {}
    for key, spec in features.items():
        if isinstance(spec, SparseFeature):
            batch = _placed(spec, [given])
            found[key] = SparseTensor(batch.indices[:, 1:], batch.values, batch.dense_shape[1:])
            continue
        found[key] = _one(key, spec, given[getattr(spec, "value_key", None) or key])
        if isinstance(spec, VarLenFeature):
            found[key] = SparseTensor(np.arange(len(found[key]))[:, None], found[key], [len(found[key])])
    return found


def parse_example(serialized: Any, features: Any, example_names: Any = None, name: Any = None) -> Any:
    """`tf.io.parse_example`: the features of many examples, as batches by name."""
    rows = texts(serialized)
    if not rows.ndim:
        return parse_single_example(serialized, features)
    given = [Example.FromString(as_bytes(row)).features.feature for row in rows]
    found = {}
    for key, spec in features.items():
        if isinstance(spec, SparseFeature):
            found[key] = _placed(spec, given)
            continue
        parts = [_one(key, spec, one[getattr(spec, "value_key", None) or key]) for one in given]
        if isinstance(spec, VarLenFeature):
            found[key] = _sparse(parts)
        elif isinstance(spec, RaggedFeature):
            found[key] = RaggedTensor.from_row_lengths(on_host(np.concatenate(parts)), list(map(len, parts)))
        elif isinstance(spec, FixedLenSequenceFeature):
            longest, fill = max(map(len, parts)), spec.default_value or ("" if parts[0].dtype == object else 0)
            padded = [np.pad(part, [(0, longest - len(part)), *[(0, 0)] * (part.ndim - 1)], constant_values=fill)
                      for part in parts]  # fmt: skip
            found[key] = on_host(np.stack(padded))
        else:
            found[key] = on_host(np.stack(parts))
    return found


def parse_single_sequence_example(
    serialized: Any, context_features: Any = None, sequence_features: Any = None, **_: Any
) -> Any:  # fmt: skip
    """`tf.io.parse_single_sequence_example`: (features of the context, features of each step), by name."""
    message = SequenceExample.FromString(as_bytes(serialized))
    context, sequences = message.context.feature, {}
    found = {}
    for key, spec in (context_features or {}).items():
        found[key] = _one(key, spec, context[key])
    for key, spec in (sequence_features or {}).items():
        steps = [_values(one, spec.dtype) for one in message.feature_lists.feature_list[key].feature]
        if isinstance(spec, VarLenFeature):
            sequences[key] = _sparse(steps)
        elif isinstance(spec, RaggedFeature):
            sequences[key] = RaggedTensor.from_row_lengths(on_host(np.concatenate(steps)), list(map(len, steps)))
        else:
            empty = np.empty((0, *spec.shape), _numpy_dtype(spec.dtype))
            sequences[key] = on_host(np.stack([step.reshape(spec.shape) for step in steps]) if steps else empty)
    return found, sequences


def serialize_tensor(tensor: Any, name: Any = None) -> Any:
    """`tf.io.serialize_tensor`: a tensor as the bytes of a TensorProto."""
    array = np.asarray(texts(tensor)) if is_text(tensor) else np.asarray(tensor)
    kind = "string" if array.dtype == object else array.dtype.name
    shape = encode(*((2, encode((1, size))) for size in array.shape))
    content = [(8, as_bytes(one)) for one in array.ravel()] if kind == "string" else [(4, array.tobytes())]
    return on_host(encode((1, DTYPES[kind]), (2, shape), *content))


def parse_tensor(serialized: Any, out_type: Any = None, name: Any = None) -> Any:
    """`tf.io.parse_tensor`: the tensor of `serialize_tensor`."""
    shape, content, strings, kind = [], b"", [], "float32"
    for number, value in fields_of(as_bytes(serialized)):
        if number == 1:
            kind = {code: name for name, code in DTYPES.items()}[value]
        elif number == 2:
            shape = [dict(fields_of(size)).get(1, 0) for field, size in fields_of(value) if field == 2]
        elif number == 4:
            content = value
        elif number == 8:
            strings.append(readable(value))
    if kind != "string":
        return on_host(np.frombuffer(content, _numpy_dtype(kind)).reshape(shape))
    found = np.empty(len(strings), object)
    found[:] = strings
    return on_host(found.reshape(shape))


def decode_raw(
    input_bytes: Any, out_type: Any, little_endian: Any = True, fixed_length: Any = None, name: Any = None
) -> Any:  # fmt: skip
    """`tf.io.decode_raw`: bytes as numbers."""
    kind = _numpy_dtype(out_type).newbyteorder("<" if little_endian else ">")
    rows = texts(input_bytes)
    found = [np.frombuffer(as_bytes(one)[:fixed_length], kind) for one in rows.ravel()]
    return on_host(np.stack(found).reshape(*rows.shape, -1).astype(_numpy_dtype(out_type)))


def default_of(given: Any) -> tuple[Any, Any]:
    """(dtype, default or None) of a column, from a dtype or a default value."""
    if isinstance(given, (np.dtype, type)) or (isinstance(given, str) and given == "string"):
        return _numpy_dtype(given), None
    value = np.asarray(given)
    value = value.reshape(-1)
    kind = np.dtype(object) if value.dtype.kind in "USO" else {"int64": np.dtype("int32"), "float64": np.dtype(
        "float32")}.get(value.dtype.name, value.dtype) if not hasattr(given, "dtype") else value.dtype  # fmt: skip
    return kind, value[0] if len(value) else None


def csv_value(text: str, kind: Any, default: Any, na_value: str = "") -> Any:
    """A value of a CSV file; a missing one is the default."""
    if text in ("", na_value):
        if default is None:
            fix = "record_defaults=[0.0]: a default value in place of the dtype of its column"
            raise DataError("A required value of the CSV file is missing.", fix=fix)
        return kind.type(default) if kind.kind != "O" else str(default)
    return text if kind.kind == "O" else kind.type(text.strip())


def decode_csv(
    records: Any, record_defaults: Any, field_delim: Any = ",", use_quote_delim: Any = True, na_value: Any = "",
    select_cols: Any = None, name: Any = None,
) -> Any:  # fmt: skip
    """`tf.io.decode_csv`: the columns of lines of text."""
    columns = [default_of(one) for one in record_defaults]
    lines = texts(records)
    quoting = csv.QUOTE_MINIMAL if use_quote_delim else csv.QUOTE_NONE
    rows = [next(csv.reader([as_text(line)], delimiter=field_delim, quoting=quoting), []) for line in lines.ravel()]
    places = range(len(columns)) if select_cols is None else select_cols
    if rows and select_cols is None and any(len(row) != len(columns) for row in rows):
        count = next(len(row) for row in rows if len(row) != len(columns))
        raise DataError(f"A line has {count} values; record_defaults has {len(columns)}.",
                        fix=f"record_defaults={[0.0] * count}, or select_cols=.")  # fmt: skip
    found = []
    for (kind, default), place in zip(columns, places, strict=True):
        array = np.empty(len(rows), kind)
        array[:] = [csv_value(row[place], kind, default, na_value) for row in rows]
        found.append(on_host(array.reshape(lines.shape)))
    return found


def decode_compressed(bytes: Any, compression_type: Any = "", name: Any = None) -> Any:
    """`tf.io.decode_compressed`."""
    wide = {"ZLIB": zlib.MAX_WBITS, "GZIP": zlib.MAX_WBITS | 16}.get(compression_type)
    return each(lambda one: readable(zlib.decompress(as_bytes(one), wide) if wide else as_bytes(one)), bytes)


def _decode_base64(text):
    data = as_bytes(text)
    return readable(base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4)))


def _encode_base64(text, pad):
    return base64.urlsafe_b64encode(as_bytes(text)).decode().rstrip("" if pad else "=")


PARSING: dict[str, Any] = {
    **{one.__name__: one for one in (
        FixedLenFeature, FixedLenSequenceFeature, RaggedFeature, SparseFeature, VarLenFeature, decode_compressed,
        decode_csv, decode_raw, parse_example, parse_single_example, parse_single_sequence_example, parse_tensor,
        serialize_tensor,
    )},
    "decode_base64": lambda input, name=None: each(_decode_base64, input),
    "encode_base64": lambda input, pad=False, name=None: each(lambda one: _encode_base64(one, pad), input),
}  # fmt: skip
"""Their names in tf.io."""
