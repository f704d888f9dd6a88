"""tf.train.Example, SequenceExample and their parts: messages, encoded without protobuf."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from lamina.compat.host import as_bytes, as_text
from lamina.errors import ArgumentError, DataError
from lamina.runtime.protobufs import encode, fields, read_varint, varint

__all__ = ["MESSAGES", "Example", "Feature", "Features", "SequenceExample", "fields_of"]


def fields_of(data: bytes) -> Iterator[tuple[int, Any]]:
    """(number, value) of the fields of a message: a whole number, 4 or 8 bytes, or bytes of any length."""
    try:
        yield from fields(data)
    except ValueError:
        what = "This is no message of Protocol Buffers, such as tf.train.Example, or it is damaged."
        raise DataError(what, fix="Pass what SerializeToString() gave, as TFRecordDataset reads it.") from None


class Message:
    """A message with named fields, each of one kind: another message, a list of messages or values, or a map."""

    fields: dict[str, tuple[int, Any]] = {}

    def __init__(self, **given: Any) -> None:
        unknown = set(given) - set(self.fields)
        if unknown:
            known = ", ".join(self.fields)
            raise DataError(f"{type(self).__name__} has {known}; got {', '.join(sorted(unknown))}.",
                            fix=f"tf.train.{type(self).__name__}({next(iter(self.fields))}=...)")  # fmt: skip
        for name, (_, kind) in self.fields.items():
            value = given.get(name)
            if kind in (dict, list):
                value = _Map(self.values, value or {}) if kind is dict else list(value if value is not None else ())
            vars(self)[name] = value

    values: Any = None  # what maps and lists hold

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{type(self).__name__} has no field {name}.")

    def __getattribute__(self, name: str) -> Any:
        fields = type(self).fields
        if name in fields and vars(self)[name] is None:
            vars(self)[name] = fields[name][1]()
        return object.__getattribute__(self, name)

    def HasField(self, name: str) -> bool:
        """Whether a field is there."""
        return bool(vars(self)[name])

    def WhichOneof(self, group: str) -> str | None:
        """The name of the field that is there."""
        return next((name for name in self.fields if vars(self)[name] is not None), None)

    def SerializeToString(self, deterministic: bool = True) -> bytes:
        """The message as bytes."""
        found = []
        for name, (number, kind) in self.fields.items():
            value = vars(self)[name]
            if kind is dict:
                found += [encode((number, encode((1, key), (2, value[key].SerializeToString()))))
                          for key in sorted(value)]  # fmt: skip
            elif kind is list:
                found += [encode((number, one.SerializeToString())) for one in value]
            elif value is not None:
                found.append(encode((number, value.SerializeToString())))
        return b"".join(found)

    @classmethod
    def FromString(cls, data: Any) -> Self:
        """The message in bytes."""
        made = cls()
        made.MergeFromString(data)
        return made

    def ParseFromString(self, data: Any) -> int:
        """Fill in the message from bytes."""
        self.__init__()
        return self.MergeFromString(data)

    def MergeFromString(self, data: Any) -> int:
        """Add what is in bytes."""
        data = as_bytes(data)
        names = {number: (name, kind) for name, (number, kind) in self.fields.items()}
        for number, value in fields_of(data):
            name, kind = names.get(number, ("", None))
            if kind is dict:
                entry = dict(fields_of(value))
                vars(self)[name][entry.get(1, b"").decode()] = self.values.FromString(entry.get(2, b""))
            elif kind is list:
                vars(self)[name].append(self.values.FromString(value))
            elif kind is not None:
                vars(self)[name] = kind.FromString(value)
        return len(data)

    def __eq__(self, other: Any) -> bool:
        return type(other) is type(self) and other.SerializeToString() == self.SerializeToString()

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """The message in the text format of Protocol Buffers, by line."""
        for name in self.fields:
            value = vars(self)[name]
            shown: Any = sorted(value.items()) if isinstance(value, dict) else value if isinstance(value, list) else (
                [] if value is None else [value])  # fmt: skip
            for one in shown:
                key, message = one if isinstance(one, tuple) else (None, one)
                yield f"{name} {{"
                inside = [*message.lines()]
                if key is not None:
                    inside = [f'key: "{key}"', "value {", *(f"  {line}" for line in inside), "}"]
                yield from (f"  {line}" for line in inside)
                yield "}"


class _Map(dict):
    """A map of messages; what is asked for is there."""

    def __init__(self, kind, given):
        super().__init__({as_text(key): value for key, value in dict(given).items()})
        self.kind = kind

    def __missing__(self, key):
        self[key] = self.kind()
        return self[key]


class _Values(Message):
    """A list of numbers or bytes."""

    def __init__(self, value: Any = ()) -> None:
        self.value: Any = [self.read(one) for one in (np.asarray(value).ravel() if hasattr(value, "ndim") else value)]

    def HasField(self, name: str) -> bool:
        """Whether there are values."""
        return bool(self.value)

    def lines(self) -> Iterator[str]:
        """A line for each value."""
        return (f"value: {_shown(one)}" for one in self.value)

    @staticmethod
    def read(value: Any) -> Any:
        """A value from what was given for it."""
        raise NotImplementedError


def _shown(value):
    if not isinstance(value, bytes):
        return f"{value:.9g}" if isinstance(value, float) else str(value)
    text = "".join(chr(byte) if 32 <= byte < 127 and byte not in (34, 92) else f"\\{byte:03o}" for byte in value)
    return f'"{text}"'


class BytesList(_Values):
    """`tf.train.BytesList(value=[b"..."])`."""

    @staticmethod
    def read(value: Any) -> Any:
        """Text becomes bytes."""
        value = value.numpy() if hasattr(value, "numpy") else value
        if isinstance(value, (bool, int, float, np.number)):
            raise ArgumentError(f"BytesList takes bytes; got {value!r}.", fix=f"tf.train.BytesList(value=[b'{value}'])")
        return as_bytes(value)

    def SerializeToString(self, deterministic: bool = True) -> bytes:
        """The values as bytes."""
        return b"".join(encode((1, as_bytes(one))) for one in self.value)

    def MergeFromString(self, data: Any) -> int:
        """Add the values in bytes."""
        self.value += [value for number, value in fields_of(data) if number == 1]
        return len(data)


class FloatList(_Values):
    """`tf.train.FloatList(value=[1.0])`: numbers of 32 bits."""

    @staticmethod
    def read(value: Any) -> Any:
        """A number, rounded to 32 bits."""
        return float(np.float32(value))

    def SerializeToString(self, deterministic: bool = True) -> bytes:
        """The values as bytes."""
        return encode((1, np.asarray(self.value, "<f4").tobytes())) if self.value else b""

    def MergeFromString(self, data: Any) -> int:
        """Add the values in bytes."""
        self.value += np.frombuffer(b"".join(value for number, value in fields_of(data) if number == 1), "<f4").tolist()
        return len(data)


class Int64List(_Values):
    """`tf.train.Int64List(value=[1])`."""

    @staticmethod
    def read(value: Any) -> Any:
        """A whole number."""
        if isinstance(value, (float, np.floating)):
            raise ArgumentError(f"Int64List takes whole numbers; got {value!r}.",
                            fix=f"tf.train.FloatList(value=[{float(value)}])")  # fmt: skip
        return int(value)

    def SerializeToString(self, deterministic: bool = True) -> bytes:
        """The values as bytes."""
        return encode((1, b"".join(map(varint, self.value)))) if self.value else b""

    def MergeFromString(self, data: Any) -> int:
        """Add the values in bytes."""
        for _, value in fields_of(data):
            self.value += [_signed(one) for one in (_varints(value) if isinstance(value, bytes) else [value])]
        return len(data)


def _signed(number):
    return number - (1 << 64) if number >> 63 else number


def _varints(data):
    place = 0
    while place < len(data):
        number, place = read_varint(data, place)
        yield number


class Feature(Message):
    """`tf.train.Feature(int64_list=...)`: values of one of three kinds."""

    fields = {"bytes_list": (1, BytesList), "float_list": (2, FloatList), "int64_list": (3, Int64List)}


class Features(Message):
    """`tf.train.Features(feature={name: Feature})`."""

    fields, values = {"feature": (1, dict)}, Feature


class Example(Message):
    """`tf.train.Example(features=Features)`."""

    fields = {"features": (1, Features)}


class FeatureList(Message):
    """`tf.train.FeatureList(feature=[Feature])`."""

    fields, values = {"feature": (1, list)}, Feature


class FeatureLists(Message):
    """`tf.train.FeatureLists(feature_list={name: FeatureList})`."""

    fields, values = {"feature_list": (1, dict)}, FeatureList


class SequenceExample(Message):
    """`tf.train.SequenceExample(context=Features, feature_lists=FeatureLists)`."""

    fields = {"context": (1, Features), "feature_lists": (2, FeatureLists)}


MESSAGES: dict[str, Any] = {one.__name__: one for one in (
    BytesList, Example, Feature, FeatureList, FeatureLists, Features, FloatList, Int64List, SequenceExample,
)}  # fmt: skip
"""Their names in tf.train."""
