"""tf.data: data sets of the lines and records of files, and tf.data.experimental."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import math
import zlib
from collections import OrderedDict
from typing import Any

import numpy as np

from lamina.compat.host import as_text, readable, texts
from lamina.compat.parsing import csv_value, default_of
from lamina.compat.ragged import stack, stack_rows
from lamina.compat.records import TFRecordWriter, read_records
from lamina.compat.sessions import Options, Settings
from lamina.errors import DataError, warn
from lamina.spelling.nearest import nearest
from lamina.training.data.dataset import AUTOTUNE, Dataset
from lamina.training.data.elements import TensorSpec, array_of, map_leaves, spec_of
from lamina.training.data.elements import stack as stack_elements
from lamina.training.data.iterator import DatasetIterator

__all__ = ["DATA", "EXPERIMENTAL", "Optional", "ignore_errors", "ragged_batch"]

_TEXT = TensorSpec((), "string")


def _paths(filenames):
    if isinstance(filenames, Dataset):
        return [as_text(path) for path in filenames._open()]
    found = texts(
        filenames
        if hasattr(filenames, "ndim")
        else [
            str(one) if not isinstance(one, (bytes, np.ndarray)) else as_text(one)
            for one in (filenames if isinstance(filenames, (list, tuple)) else [filenames])
        ]
    )
    return [as_text(path) for path in found.ravel()]  # fmt: skip


def _open(path: Any, compression_type: Any) -> Any:
    if compression_type == "GZIP":
        return gzip.open(path, "rb")
    if compression_type == "ZLIB":
        with open(path, "rb") as file:
            return io.BytesIO(zlib.decompress(file.read()))
    return open(path, "rb")


def _of_files(filenames: Any, read: Any, spec: Any = _TEXT) -> Dataset:
    return Dataset(lambda: itertools.chain.from_iterable(map(read, _paths(filenames))), None, spec)


def _object(value):
    found = np.empty((), object)
    found[()] = readable(value)
    return found


def text_line_dataset(filenames: Any, compression_type: Any = None, *_: Any, **__: Any) -> Dataset:
    """`tf.data.TextLineDataset`: the lines of files, without their ends."""

    def lines(path):
        with _open(path, compression_type) as file:
            for line in file:
                yield _object(line.removesuffix(b"\n").removesuffix(b"\r"))

    return _of_files(filenames, lines)


def tf_record_dataset(filenames: Any, compression_type: Any = None, *_: Any, **__: Any) -> Dataset:
    """`tf.data.TFRecordDataset`: the records of files."""
    return _of_files(filenames, lambda path: map(_object, read_records(path, compression_type)))


def fixed_length_record_dataset(
    filenames: Any, record_bytes: int, header_bytes: Any = 0, footer_bytes: Any = 0, buffer_size: Any = None,
    compression_type: Any = None, **_: Any,
) -> Dataset:  # fmt: skip
    """`tf.data.FixedLengthRecordDataset`: pieces of one length of files."""

    def pieces(path):
        with _open(path, compression_type) as file:
            data = file.read()
        data = data[header_bytes or 0 : len(data) - (footer_bytes or 0)]
        return (_object(data[at : at + record_bytes]) for at in range(0, len(data), record_bytes))

    return _of_files(filenames, pieces)


def _rows(path, header, field_delim, use_quote_delim, compression_type=None, encoding="utf-8"):
    quoting = csv.QUOTE_MINIMAL if use_quote_delim else csv.QUOTE_NONE
    with io.TextIOWrapper(_open(path, compression_type), encoding, newline="") as file:
        rows = csv.reader(file, delimiter=field_delim, quoting=quoting)
        yield from itertools.islice((row for row in rows if row), int(header), None)


def csv_dataset(
    filenames: Any, record_defaults: Any, compression_type: Any = None, buffer_size: Any = None, header: Any = False,
    field_delim: Any = ",", use_quote_delim: Any = True, na_value: Any = "", select_cols: Any = None,
    exclude_cols: Any = None,
) -> Dataset:  # fmt: skip
    """`tf.data.experimental.CsvDataset`: the rows of CSV files, a number or text for each column."""
    columns = [default_of(one) for one in record_defaults]

    def rows(path):
        for row in _rows(path, header, field_delim, use_quote_delim, compression_type):
            places = [at for at in range(len(row)) if at not in exclude_cols] if exclude_cols else select_cols
            given = row if places is None else [row[place] for place in places]
            if len(given) != len(columns):
                raise DataError(f"{path} has a row of {len(given)} values; record_defaults has {len(columns)}.",
                                fix=f"record_defaults={[0.0] * len(given)}, or select_cols=.")  # fmt: skip
            yield tuple(csv_value(text, *column, na_value) for text, column in zip(given, columns, strict=True))

    spec = tuple(_TEXT if kind.kind == "O" else TensorSpec((), kind) for kind, _ in columns)
    return _of_files(filenames, rows, spec)


def _inferred(values, na_value):
    """(dtype, default) of a column, as TensorFlow finds it: int32, int64, float32, float64 or text."""
    values = [value for value in values if value not in ("", na_value)]
    try:
        if all(abs(int(value)) < 2**31 for value in values) and values:
            return np.dtype("int32"), 0
        return np.dtype("int64") if [int(value) for value in values] else np.dtype(object), 0 if values else ""
    except ValueError:
        pass
    try:
        return np.dtype("float32" if [float(value) for value in values] else object), 0.0
    except ValueError:
        return np.dtype(object), ""


def _no_column(name, columns):
    near = (nearest(name, columns) or columns[-1:])[0]
    message = f"There is no column {name!r}; the columns are {', '.join(columns)}."
    return DataError(message, fix=f"label_name={near!r}")


def make_csv_dataset(
    file_pattern: Any, batch_size: int, column_names: Any = None, column_defaults: Any = None, label_name: Any = None,
    select_columns: Any = None, field_delim: Any = ",", use_quote_delim: Any = True, na_value: Any = "",
    header: Any = True, num_epochs: Any = None, shuffle: Any = True, shuffle_buffer_size: Any = 10000,
    shuffle_seed: Any = None, prefetch_buffer_size: Any = None, num_parallel_reads: Any = None, sloppy: Any = False,
    num_rows_for_inference: Any = 100, compression_type: Any = None, ignore_errors: Any = False,
    encoding: Any = "utf-8",
) -> Dataset:  # fmt: skip
    """`tf.data.experimental.make_csv_dataset`: batches of columns by name, and the labels if `label_name` is given."""
    patterns = file_pattern if isinstance(file_pattern, (list, tuple)) else [file_pattern]
    paths = [as_text(one) for one in Dataset.list_files(list(map(str, patterns)), shuffle=False)._open()]
    layout = (field_delim, use_quote_delim, compression_type, encoding)
    names = list(column_names or next(_rows(paths[0], False, *layout)))
    chosen = [name if isinstance(name, str) else names[name] for name in (select_columns or names)]
    chosen.sort(key=names.index)
    if label_name is not None and label_name not in chosen:
        raise _no_column(label_name, chosen)
    places = [names.index(name) for name in chosen]
    head = [*itertools.islice(_rows(paths[0], header, *layout), num_rows_for_inference)]
    kinds = [_inferred([row[place] for row in head], na_value) for place in places]
    if column_defaults is not None:
        kinds = [(default_of(one)[0], default_of(one)[1] if default_of(one)[1] is not None else None)
                 for one in column_defaults]  # fmt: skip

    def rows(path):
        for row in _rows(path, header, *layout):
            try:
                yield OrderedDict((name, csv_value(row[place], *kind, na_value)) for name, place, kind in zip(
                    chosen, places, kinds, strict=True))  # fmt: skip
            except (DataError, ValueError, IndexError):
                if not ignore_errors:
                    raise

    spec = OrderedDict((name, _TEXT if kind.kind == "O" else TensorSpec((), kind)) for name, (kind, _) in zip(
        chosen, kinds, strict=True))  # fmt: skip
    data = _of_files(paths, rows, spec)
    data = data.shuffle(shuffle_buffer_size, shuffle_seed) if shuffle else data
    data = data.repeat(num_epochs) if num_epochs != 1 else data
    data = data.batch(batch_size, drop_remainder=num_epochs is None)
    if label_name is None:
        return data

    def parted(columns):
        columns = OrderedDict(columns)
        return columns, columns.pop(label_name)

    made = data._derive(lambda: map(parted, data._open()), spec=parted(data._spec))
    made._has_full_batches = data._has_full_batches
    return made


def _applied(method):
    """The function of tf.data.experimental that gives what `Dataset.apply` takes."""
    return lambda *args, **kwargs: lambda dataset: getattr(dataset, method)(*args, **kwargs)


def _assert_cardinality(expected_cardinality):
    def checked(dataset):
        def counted():
            count = 0
            for count, item in enumerate(dataset._open(), 1):  # noqa: B007
                yield item
            if count != expected_cardinality:
                message = f"The data set has {count} elements; {expected_cardinality} were expected."
                raise DataError(message, fix=f"tf.data.experimental.assert_cardinality({count})")

        return dataset._derive(counted, lambda _: expected_cardinality)

    def known(dataset):
        made = checked(dataset)
        made._count_from_sources, made._count = None, expected_cardinality
        return made

    return known


def _counter(start=0, step=1, dtype="int64", name=None):
    kind = np.dtype(dtype)
    return Dataset(lambda: map(kind.type, itertools.count(start, step)), math.inf, TensorSpec((), kind))


Dataset.counter = staticmethod(_counter)  # pyright: ignore[reportAttributeAccessIssue]
_SHARED: dict[str, Any] = {"AUTOTUNE": AUTOTUNE, "INFINITE_CARDINALITY": -1, "UNKNOWN_CARDINALITY": -2}
DATA: dict[str, Any] = {
    **_SHARED, "Dataset": Dataset, "FixedLengthRecordDataset": fixed_length_record_dataset,
    "Iterator": DatasetIterator, "NumpyIterator": DatasetIterator, "Options": Options,
    "TFRecordDataset": tf_record_dataset, "TextLineDataset": text_line_dataset, "ThreadingOptions": Settings,
}  # fmt: skip


class RecordsOf:
    """`tf.data.experimental.TFRecordWriter(filename)`: writes the texts of a data set as records."""

    def __init__(self, filename: Any, compression_type: Any = None) -> None:
        self._settings = filename, compression_type

    def write(self, dataset: Dataset) -> None:
        """Write all elements."""
        with TFRecordWriter(*self._settings) as writer:
            for record in dataset:
                writer.write(record)


class Optional:
    """`tf.experimental.Optional`: the next element of an iterator, or nothing."""

    def __init__(self, iterator: Any) -> None:
        self._found: list[Any] = list(itertools.islice(iterator, 1))

    def has_value(self, name: Any = None) -> bool:
        """Whether there was an element."""
        return bool(self._found)

    def get_value(self, name: Any = None) -> Any:
        """The element."""
        return self._found[0]


def ragged_batch(dataset: Dataset, batch_size: Any, drop_remainder: bool = False, **_: Any) -> Dataset:
    """`Dataset.ragged_batch`: elements of any lengths as ragged tensors."""

    def batches():
        elements = iter(dataset._open())
        while group := list(itertools.islice(elements, int(batch_size))):
            if len(group) == int(batch_size) or not drop_remainder:
                yield map_leaves(lambda *rows: (stack if np.ndim(rows[0]) else stack_rows)(list(rows)), *group)

    return Dataset(batches, None, None)


def ignore_errors(dataset: Dataset, log_warning: bool = False, name: Any = None) -> Dataset:
    """`Dataset.ignore_errors`: without the elements whose functions raise."""

    def good():
        elements = iter(dataset._open())
        while True:
            try:
                yield next(elements)
            except StopIteration:
                return
            except Exception as error:
                if log_warning:
                    warn(f"An element is left out: {error}")

    return dataset._derive(good, lambda _: None)


def from_list(elements: Any, name: Any = None) -> Dataset:
    """`tf.data.experimental.from_list`: a data set of these elements."""
    specs = [spec_of(element) for element in elements]
    if all(spec == specs[0] for spec in specs):
        return Dataset.from_tensor_slices(stack_elements(*elements))
    return Dataset(lambda: map(lambda element: map_leaves(array_of, element), elements), len(elements), specs[0])


EXPERIMENTAL: dict[str, Any] = {
    **_SHARED, "CsvDataset": csv_dataset, "make_csv_dataset": make_csv_dataset,
    "assert_cardinality": _assert_cardinality,
    "cardinality": lambda dataset: dataset.cardinality(), "Counter": _counter, "RandomDataset": Dataset.random,
    "choose_from_datasets": Dataset.choose_from_datasets, "sample_from_datasets": Dataset.sample_from_datasets,
    "get_single_element": lambda dataset: dataset.get_single_element(), "load": Dataset.load,
    "save": lambda dataset, path, **_: dataset.save(path), "OptimizationOptions": Settings,
    "DistributeOptions": Settings, "AutoShardPolicy": Settings(), "ThreadingOptions": Settings,
    "prefetch_to_device": lambda *_, **__: lambda dataset: dataset.prefetch(2),
    "copy_to_device": lambda *_, **__: lambda dataset: dataset, "enumerate_dataset": _applied("enumerate"),
    "parallel_interleave": _applied("interleave"),
    "shuffle_and_repeat": lambda buffer_size, count=None, seed=None: lambda data: data.shuffle(
        buffer_size, seed).repeat(count),
    "map_and_batch": lambda map_func, batch_size, *_, drop_remainder=False, **__: lambda data: data.map(map_func).batch(
        batch_size, drop_remainder),
    **{name: _applied(name) for name in ("bucket_by_sequence_length", "group_by_window", "ragged_batch",
        "rejection_resample", "scan", "snapshot", "take_while", "unique")},
    "dense_to_ragged_batch": lambda *args, **kwargs: lambda dataset: ragged_batch(dataset, *args, **kwargs),
    "TFRecordWriter": RecordsOf, "from_list": from_list, "AutotuneOptions": Settings, "Optional": Optional,
    "at": lambda dataset, index: next(iter(dataset.skip(int(index)))), "unbatch": _applied("unbatch"),
    "ignore_errors": lambda log_warning=False: lambda dataset: ignore_errors(dataset, log_warning),
    "get_structure": lambda dataset_or_iterator: dataset_or_iterator.element_spec, "get_next_as_optional": Optional,
}  # fmt: skip
