"""tf.lookup, tf.nest, tf.summary: what programs do besides computing."""

from __future__ import annotations

import contextlib
import os
import time
from types import SimpleNamespace
from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina import tree
from lamina.compat.host import as_text, is_text, on_host, texts
from lamina.compat.strings import STRINGS
from lamina.core.variable import unwrap
from lamina.errors import CallError
from lamina.runtime.packages import MissingPackageError
from lamina.training.data.elements import Composite

__all__ = ["LOOKUP", "NEST", "SUMMARY", "make_ndarray"]


def _keys(values):
    found = texts(values) if is_text(values) else np.asarray(unwrap(values))
    return [as_text(one) for one in found.ravel()] if found.dtype == object else found.ravel().tolist()


class KeyValueTensorInitializer:
    """`tf.lookup.KeyValueTensorInitializer(keys, values)`."""

    def __init__(
        self, keys: Any, values: Any, key_dtype: Any = None, value_dtype: Any = None, name: Any = None
    ) -> None:
        self.pairs: dict[Any, Any] = dict(zip(_keys(keys), _keys(values), strict=True))
        kind = np.asarray(texts(values) if is_text(values) else unwrap(values)).dtype
        self.dtype: Any = kind if value_dtype is None or value_dtype == "string" else np.dtype(value_dtype)


class TextFileIndex:
    """What `TextFileInitializer` takes of a line: all of it, or its number."""

    WHOLE_LINE, LINE_NUMBER = -2, -1


class TextFileInitializer(KeyValueTensorInitializer):
    """`tf.lookup.TextFileInitializer`: the keys and values in the lines of a file."""

    def __init__(self, filename: Any, key_dtype: Any, key_index: int, value_dtype: Any, value_index: int,
                 vocab_size: Any = None, delimiter: str = "\t", name: Any = None, **_: Any) -> None:  # fmt: skip
        with open(as_text(filename), encoding="utf-8") as file:
            lines = [line.rstrip("\n") for line in file][:vocab_size]

        def of(index, dtype):
            found = list(range(len(lines))) if index == -1 else lines if index == -2 else [
                line.split(delimiter)[index] for line in lines]  # fmt: skip
            return np.asarray(found, object if str(dtype) == "string" else dtype)

        super().__init__(of(key_index, key_dtype), of(value_index, value_dtype))


class StaticHashTable:
    """`tf.lookup.StaticHashTable(initializer, default_value)`: values by key."""

    def __init__(self, initializer: Any, default_value: Any, name: Any = None, **_: Any) -> None:
        self.pairs: dict[Any, Any] = dict(initializer.pairs)
        self.dtype: Any = initializer.dtype
        self.default: Any = (
            as_text(default_value) if is_text(default_value) else np.asarray(unwrap(default_value)).item()
        )

    def lookup(self, keys: Any, name: Any = None) -> Any:
        """The values of keys."""
        if isinstance(keys, Composite):
            return keys.with_flat_values(self.lookup(keys.flat_values))  # pyright: ignore[reportAttributeAccessIssue]
        found = np.empty(np.shape(unwrap(keys)) if not is_text(keys) else texts(keys).shape, self.dtype)
        found[...] = np.reshape(np.asarray([self._of(key) for key in _keys(keys)], self.dtype), found.shape)
        return on_host(found) if found.dtype == object else jnp.asarray(found)

    def _of(self, key):
        return self.pairs.get(key, self.default)

    __getitem__ = lookup

    def size(self, name: Any = None) -> Any:
        """The number of keys."""
        return jnp.asarray(len(self.pairs))

    def export(self, name: Any = None) -> Any:
        """(keys, values)."""
        kept = [np.asarray(list(part), object if part and isinstance(next(iter(part)), str) else None)
                for part in (self.pairs, self.pairs.values())]  # fmt: skip
        return tuple(on_host(part) if part.dtype == object else jnp.asarray(part) for part in kept)


class MutableHashTable(StaticHashTable):
    """`tf.lookup.experimental.MutableHashTable` and `DenseHashTable`."""

    def __init__(self, key_dtype: Any, value_dtype: Any, default_value: Any, *_: Any, **__: Any) -> None:
        kind = np.dtype(object) if str(value_dtype) == "string" else np.dtype(value_dtype)
        super().__init__(SimpleNamespace(pairs={}, dtype=kind), default_value)

    def insert(self, keys: Any, values: Any, name: Any = None) -> None:
        """Set the values of keys."""
        self.pairs.update(zip(_keys(keys), _keys(values), strict=True))

    def remove(self, keys: Any, name: Any = None) -> None:
        """Remove keys."""
        for key in _keys(keys):
            self.pairs.pop(key, None)

    erase = remove


class StaticVocabularyTable(StaticHashTable):
    """`tf.lookup.StaticVocabularyTable(initializer, num_oov_buckets)`: unknown keys get buckets by their hash."""

    def __init__(self, initializer: Any, num_oov_buckets: int, **_: Any) -> None:
        pairs = {} if initializer is None else initializer.pairs
        super().__init__(SimpleNamespace(pairs=pairs, dtype=np.dtype("int64")), -1)
        self.buckets: int = int(num_oov_buckets)

    def _of(self, key):
        if key in self.pairs:
            return self.pairs[key]
        return len(self.pairs) + int(STRINGS["to_hash_bucket_fast"](str(key), self.buckets))

    def size(self, name: Any = None) -> Any:
        """The number of keys and buckets."""
        return jnp.asarray(len(self.pairs) + self.buckets)


LOOKUP: dict[str, Any] = {
    "KeyValueTensorInitializer": KeyValueTensorInitializer, "StaticHashTable": StaticHashTable,
    "StaticVocabularyTable": StaticVocabularyTable, "TextFileIndex": TextFileIndex,
    "TextFileInitializer": TextFileInitializer,
    "experimental": SimpleNamespace(DenseHashTable=MutableHashTable, MutableHashTable=MutableHashTable),
}  # fmt: skip
NEST: dict[str, Any] = {
    "assert_same_structure": lambda nest1, nest2, **_: tree.assert_same_structure(nest1, nest2),
    "flatten": lambda structure, expand_composites=False: tree.flatten(structure),
    "is_nested": lambda structure: isinstance(structure, (list, tuple, dict)),
    "map_structure": lambda func, *structures, **_: tree.map_structure(func, *structures),
    "pack_sequence_as": lambda structure, flat_sequence, **_: tree.pack_sequence_as(structure, flat_sequence),
}  # fmt: skip


class Writer:
    """`tf.summary.create_file_writer(logdir)`: writes events that TensorBoard shows."""

    current: Any = None
    step: Any = None
    record: Any = True

    def __init__(self, logdir: Any, **_: Any) -> None:
        try:
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError as error:
            raise MissingPackageError("tf.summary", "tensorboard") from error
        self.logdir, self._before = as_text(logdir) if is_text(logdir) else os.fspath(logdir), []
        self._writer = EventFileWriter(self.logdir)

    def as_default(self, step: Any = None) -> Any:
        """Write to this writer in a block, or from now on."""
        self._before.append((Writer.current, Writer.step))
        Writer.current, Writer.step = self, Writer.step if step is None else step
        return self

    set_as_default = as_default

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: Any) -> None:
        Writer.current, Writer.step = self._before.pop()
        self.flush()

    def add(self, name: str, tensor: Any, step: Any, plugin: str, description: Any = None) -> None:
        """Write a summary.

        Args:
            name: Name of the summary.
            tensor: What it shows.
            step: Number of the step.
            plugin: The plugin of TensorBoard that shows it.
            description: Text about it.
        """
        from tensorboard.compat.proto import event_pb2, summary_pb2, types_pb2
        from tensorboard.util.tensor_util import make_tensor_proto

        events: Any = event_pb2
        summaries: Any = summary_pb2
        kinds: Any = types_pb2
        data = np.asarray(tensor)
        proto = make_tensor_proto(data.astype(object) if data.dtype.kind in "USO" else data,
                                  kinds.DT_STRING if data.dtype.kind in "USO" else None)  # fmt: skip
        about = summaries.SummaryMetadata(
            plugin_data=summaries.SummaryMetadata.PluginData(plugin_name=plugin),
            summary_description=description or "",
        )
        value = summaries.Summary.Value(tag=name, tensor=proto, metadata=about)
        event = events.Event(step=int(step), wall_time=time.time(), summary=summaries.Summary(value=[value]))
        self._writer.add_event(event)

    def flush(self) -> None:
        """Write out what is buffered."""
        self._writer.flush()

    def close(self) -> None:
        """Complete the file."""
        self._writer.close()


def _summary(plugin, form):
    def write(name, data, step=None, description=None, **settings):
        record = Writer.record() if callable(Writer.record) else Writer.record
        step = Writer.step if step is None else step
        if Writer.current is None or not record:
            return False
        if step is None:
            raise CallError(f"tf.summary.{plugin.removesuffix('s')} needs a step.",
                            fix="tf.summary.experimental.set_step(0), or step=0 in the call")  # fmt: skip
        Writer.current.add(name, form(data, **settings), np.asarray(unwrap(step)), plugin, description)
        return True

    return write


def make_ndarray(tensor: Any) -> np.ndarray:
    """`tf.make_ndarray`: the array of a tensor in a message, as TensorBoard reads one from a file.

    Args:
        tensor: The message.
    """
    from tensorboard.util import tensor_util

    return tensor_util.make_ndarray(tensor)


def _pictures(data, max_outputs=3):
    from lamina.compat.pictures import MORE_IMAGE

    images = np.asarray(unwrap(data))[:max_outputs]
    images = images if images.dtype == np.uint8 else (np.clip(images, 0, 1) * 255.999).astype("uint8")
    encoded = [MORE_IMAGE["encode_png"](image).numpy() for image in images]
    return np.asarray([str(images.shape[2]).encode(), str(images.shape[1]).encode(), *encoded], object)


def _bars(data, buckets=30):
    values = np.asarray(unwrap(data), float).ravel()
    counts, edges = np.histogram(values, buckets) if values.size else (np.zeros(0), np.zeros(1))
    return np.stack([edges[:-1], edges[1:], counts], -1)


@contextlib.contextmanager
def _record_if(condition):
    before, Writer.record = Writer.record, condition
    try:
        yield
    finally:
        Writer.record = before


SUMMARY: dict[str, Any] = {
    "create_file_writer": Writer, "flush": lambda writer=None, name=None: (writer or Writer.current).flush(),
    "histogram": _summary("histogram", _bars), "image": _summary("image", _pictures), "record_if": _record_if,
    "scalar": _summary("scalar", lambda data: np.asarray(unwrap(data), "float32")),
    "should_record_summaries": lambda: Writer.current is not None and bool(Writer.record),
    "text": _summary("text", lambda data: np.vectorize(as_text, otypes=[object])(texts(data))),
    "trace_export": lambda *_, **__: None, "trace_on": lambda *_, **__: None, "trace_off": lambda: None,
    "create_noop_writer": contextlib.nullcontext,
    "experimental": SimpleNamespace(set_step=lambda step: setattr(Writer, "step", step), get_step=lambda: Writer.step),
}  # fmt: skip
