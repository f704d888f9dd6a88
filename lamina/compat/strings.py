"""tf.strings: functions of texts, which are arrays on the host; rows of different lengths are ragged tensors."""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from typing import Any

import numpy as np

from lamina.compat.host import as_bytes, as_printed, as_text, each, on_host, readable, texts
from lamina.compat.ragged import RaggedTensor, flat_map
from lamina.core.variable import unwrap
from lamina.errors import DataError
from lamina.layers.text.hashing import fingerprints_of
from lamina.training.data.elements import Composite, array_of

__all__ = ["STRINGS"]

_POSIX = {"[:alpha:]": "a-zA-Z", "[:digit:]": "0-9", "[:alnum:]": "a-zA-Z0-9", "[:upper:]": "A-Z", "[:lower:]": "a-z",
          "[:space:]": r"\s", "[:punct:]": r"!-/:-@\[-`{-~", "[:word:]": r"\w"}  # fmt: skip


@functools.lru_cache(64)
def _pattern(pattern):
    pattern = as_text(pattern)
    for name, meant in _POSIX.items():
        pattern = pattern.replace(name, meant)
    return re.compile(pattern)


def _of_each(function: Any, dtype: Any = object) -> Any:
    """A function of one text, with further arguments, as one of each text of a tensor."""

    @functools.wraps(function)
    def mapped(input, *args, name=None, **kwargs):
        return each(lambda text: function(as_text(text), *args, **kwargs), input, dtype)

    return mapped


def regex_replace(text: Any, pattern: Any, rewrite: Any, replace_global: Any = True) -> Any:
    """Replace all matches of a pattern, or only the first."""
    rewrite = re.sub(r"\\(\d)", r"\\g<\1>", as_text(rewrite))
    return _pattern(pattern).sub(rewrite, text, count=0 if replace_global else 1)


def length(text: Any, unit: Any = "BYTE") -> Any:
    """The number of bytes, or of characters for unit="UTF8_CHAR"."""
    return len(text if unit == "UTF8_CHAR" else as_bytes(text))


def regex_full_match(text: Any, pattern: Any) -> Any:
    """Whether the entire text matches a pattern."""
    return _pattern(pattern).fullmatch(text) is not None


def to_number(text: Any, out_type: Any = "float32") -> Any:
    """The number that a text writes."""
    try:
        return (int if np.dtype(out_type).kind in "iu" else float)(text.strip())
    except ValueError:
        kind = "tf.float32" if re.fullmatch(r"\s*-?[0-9.]+\s*", text) else ""
        fix = f"tf.strings.to_number(x, {kind})" if kind else "tf.strings.regex_replace(x, '[^0-9.-]', '') first"
        raise DataError(f"StringToNumberOp could not correctly convert string: {text}", fix=fix) from None


def substr(input: Any, pos: Any, len: Any, unit: Any = "BYTE", name: Any = None) -> Any:
    """`tf.strings.substr`: `len` bytes or characters from position `pos`; both may be arrays."""

    if any(isinstance(part, Composite) for part in (input, pos, len)):
        return flat_map(functools.partial(substr, unit=unit), input, pos, len)

    def part(text, start, count):
        whole = as_text(text) if unit == "UTF8_CHAR" else as_bytes(text)
        size = whole.__len__()
        if not -size <= start <= size:
            message = f"pos {start} is out of range for the string {text!r}."
            raise DataError(message, fix=f"pos={size if start > 0 else -size}")
        start = start + size if start < 0 else start
        found = whole[start : start + count]
        return found if isinstance(found, str) else readable(found)

    return on_host(np.asarray(np.frompyfunc(part, 3, 1)(texts(input), np.asarray(pos), np.asarray(len)), object))


def join(inputs: Any, separator: Any = "", name: Any = None) -> Any:
    """`tf.strings.join`: the texts of several tensors, element-wise."""
    if any(isinstance(part, RaggedTensor) for part in inputs):
        return flat_map(lambda *parts: join(parts, separator), *inputs)
    parts = np.broadcast_arrays(*map(texts, inputs))
    found = [as_text(separator).join(map(as_text, row)) for row in zip(*(part.flat for part in parts), strict=True)]
    return on_host(np.array(found, object).reshape(parts[0].shape))


def split(input: Any, sep: Any = None, maxsplit: Any = -1, name: Any = None) -> Any:
    """`tf.strings.split`: the parts of each text, at a separator or at white space. Rows are ragged."""
    separator = None if sep is None or as_text(sep) == "" else as_text(sep)
    return _rows(lambda text: as_text(text).split(separator, maxsplit), input)


def _rows(function, values):
    if isinstance(values, RaggedTensor):
        return values.with_values(_rows(function, values.values))
    found = texts(values)
    if not found.ndim:
        return on_host(np.asarray(function(found.item()), object).reshape(-1))
    if found.ndim > 1:
        return RaggedTensor.from_uniform_row_length(_rows(function, found.reshape(-1)), found.shape[1])
    parts = [function(text) for text in found]
    flat = np.asarray([*itertools.chain.from_iterable(parts)], object)
    return RaggedTensor.from_row_lengths(on_host(flat), list(map(len, parts)))


def _bytes(text):
    data = as_bytes(text)
    return [readable(data[at : at + 1]) for at in range(len(data))]


def unicode_decode(input: Any, input_encoding: Any = "UTF-8", *_: Any, **__: Any) -> Any:
    """`tf.strings.unicode_decode`: the code points of each text."""
    return each(ord, unicode_split(input, input_encoding), "int32")


def unicode_split(input: Any, input_encoding: Any = "UTF-8", *_: Any, **__: Any) -> Any:
    """`tf.strings.unicode_split`: the characters of each text."""
    return _rows(lambda text: list(as_bytes(text).decode(input_encoding, "replace")), input)


def with_offsets(function: Any) -> Any:
    """`unicode_decode_with_offsets` and `unicode_split_with_offsets`: also the byte at which each character begins."""

    def run(input, input_encoding="UTF-8", *_, **__):
        def starts(text):
            characters = as_bytes(text).decode(input_encoding, "replace")
            return np.cumsum([0, *(len(one.encode(input_encoding)) for one in characters)])[:-1].tolist()

        return function(input, input_encoding), each(int, _rows(starts, input), "int64")

    return run


_SCRIPTS = (  # in the order of their numbers in ICU
    "COMMON COMBINING ARABIC ARMENIAN BENGALI BOPOMOFO CHEROKEE COPTIC CYRILLIC DESERET DEVANAGARI ETHIOPIC GEORGIAN "
    "GOTHIC GREEK GUJARATI GURMUKHI CJK HANGUL HEBREW HIRAGANA KANNADA KATAKANA KHMER LAO LATIN MALAYALAM MONGOLIAN "
    "MYANMAR OGHAM OLD ORIYA RUNIC SINHALA SYRIAC TAMIL TELUGU THAANA THAI TIBETAN CANADIAN YI"
).split()


def _script(point):
    """The number of the script, which the name of a character begins with."""
    if not 0 <= point <= 0x10FFFF:
        return -1
    name, kind = unicodedata.name(chr(point), ""), unicodedata.category(chr(point))
    first = re.sub("^(HALFWIDTH|FULLWIDTH) |KANGXI", lambda found: "CJK" * (found[0] == "KANGXI"), name).split(" ")[0]
    return 103 if kind == "Cn" else _SCRIPTS.index(first) if kind[0] in "LMNS" and first in _SCRIPTS else 0


def unicode_script(input: Any, name: Any = None) -> Any:
    """`tf.strings.unicode_script`: the number of the script of each code point; 0 where several scripts share it."""
    if isinstance(input, Composite):
        return input.with_flat_values(unicode_script(input.flat_values))  # pyright: ignore[reportAttributeAccessIssue]
    return on_host(np.asarray(np.frompyfunc(_script, 1, 1)(np.asarray(unwrap(input))), "int32"))


def unicode_encode(input: Any, output_encoding: Any = "UTF-8", *_: Any, **__: Any) -> Any:
    """`tf.strings.unicode_encode`: texts from code points."""
    if isinstance(input, RaggedTensor) and isinstance(input.values, RaggedTensor):
        return input.with_values(unicode_encode(input.values, output_encoding))
    if isinstance(input, RaggedTensor):
        return on_host(np.asarray([_encoded(row, output_encoding) for row in input.to_list()], object))
    array = np.asarray(input)
    rows = [_encoded(row, output_encoding) for row in array.reshape(-1, array.shape[-1])]
    return on_host(np.asarray(rows, object).reshape(array.shape[:-1]))


def _encoded(points, encoding):
    return readable("".join(map(chr, points)).encode(encoding.replace("UTF-16-BE", "utf-16-be")))


def unicode_transcode(text: Any, input_encoding: Any, output_encoding: Any, errors: Any = "replace", **_: Any) -> Any:
    """Texts in another encoding."""
    return readable(as_bytes(text).decode(input_encoding, errors).encode(output_encoding))


def reduce_join(inputs: Any, axis: Any = None, keepdims: Any = False, separator: Any = "", name: Any = None) -> Any:
    """`tf.strings.reduce_join`: texts along an axis, joined."""
    between = as_text(separator)
    if isinstance(inputs, RaggedTensor) and isinstance(inputs.values, RaggedTensor) and axis is not None:
        return inputs.with_values(reduce_join(inputs.values, -1, keepdims, separator))
    if isinstance(inputs, RaggedTensor):
        rows = [between.join(map(as_text, row)) for row in inputs.to_list()]
        found = np.asarray(rows if axis is not None else between.join(rows), object)
        return on_host(found[:, None] if keepdims and axis is not None else found)
    array = texts(inputs)
    if axis is None:
        found = np.asarray(between.join(map(as_text, array.ravel())), object)
        return on_host(found.reshape((1,) * array.ndim) if keepdims else found)
    for one in sorted((place % array.ndim for place in np.atleast_1d(axis)), reverse=True):
        moved = np.moveaxis(array, one, -1)
        joined = np.empty(moved.shape[:-1], object)
        for place in np.ndindex(joined.shape):
            joined[place] = between.join(map(as_text, moved[place]))
        array = np.expand_dims(joined, one) if keepdims else joined
    return on_host(array)


def as_string(input: Any, precision: Any = -1, scientific: Any = False, shortest: Any = False, width: Any = -1,
              fill: Any = "", name: Any = None) -> Any:  # fmt: skip
    """`tf.strings.as_string`: numbers as texts."""
    if isinstance(input, Composite):
        return input.with_flat_values(as_string(input.flat_values, precision, scientific, shortest, width, fill))  # pyright: ignore
    array = np.asarray(input)
    if array.dtype.kind in "USO":
        return on_host(array)
    kind = "g" if shortest else "e" if scientific else "f"
    digits = f".{precision if precision >= 0 else 6}{kind}" if array.dtype.kind == "f" else ""

    def written(value):
        text = str(value).lower() if isinstance(value, (bool, np.bool_)) else format(value, digits)
        return text.rjust(width, fill or " ") if width > 0 else text

    return on_host(np.asarray(np.frompyfunc(written, 1, 1)(array), object))


def ngrams(data: Any, ngram_width: Any, separator: Any = " ", pad_values: Any = None, *_: Any, **__: Any) -> Any:
    """`tf.strings.ngrams`: runs of words along the last axis."""
    widths = ngram_width if isinstance(ngram_width, (list, tuple)) else [ngram_width]
    left, right = pad_values if isinstance(pad_values, (list, tuple)) else (pad_values, pad_values)

    def of(row):
        words, found = list(map(as_text, row)), []
        for width in widths:
            padded = words if pad_values is None else [left] * (width - 1) + words + [right] * (width - 1)
            found += [as_text(separator).join(padded[at : at + width]) for at in range(len(padded) - width + 1)]
        return found

    if isinstance(data, RaggedTensor):
        rows = [of(row) for row in data.to_list()]
        flat = np.asarray([*itertools.chain.from_iterable(rows)], object)
        return RaggedTensor.from_row_lengths(on_host(flat), list(map(len, rows)))
    array = texts(data)
    rows = [of(row) for row in array.reshape(-1, array.shape[-1])]
    return on_host(np.asarray(rows, object).reshape(*array.shape[:-1], -1))


def format_(template: Any, inputs: Any, placeholder: Any = "{}", summarize: Any = 3, name: Any = None) -> Any:
    """`tf.strings.format`: values in the places of `{}`."""
    parts = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    text = as_text(template)
    for part in parts:
        text = text.replace(placeholder, as_printed(array_of(part), summarize), 1)
    return on_host(text)


def unsorted_segment_join(inputs: Any, segment_ids: Any, num_segments: Any, separator: Any = "", **_: Any) -> Any:
    """`tf.strings.unsorted_segment_join`: the texts of each segment, joined."""
    groups: list[list[str]] = [[] for _ in range(int(num_segments))]
    for text, place in zip(texts(inputs).ravel(), np.asarray(segment_ids).ravel(), strict=True):
        groups[int(place)].append(as_text(text))
    return on_host(np.asarray([as_text(separator).join(group) for group in groups], object))


def to_hash_bucket(input: Any, num_buckets: int, key: Any = None, name: Any = None) -> Any:
    """`tf.strings.to_hash_bucket_fast`, and `to_hash_bucket_strong` with a key: the numbers of buckets."""
    if isinstance(input, Composite):
        return input.with_flat_values(to_hash_bucket(input.flat_values, num_buckets, key))  # pyright: ignore
    array = texts(input)
    hashes = fingerprints_of(np.asarray([as_text(one) for one in array.ravel()]), None if key is None else list(key))
    return on_host((hashes % np.uint64(num_buckets)).astype("int64").reshape(array.shape))


def _hash64(text):
    """The hash of 64 bits of `tf.strings.to_hash_bucket`: MurmurHash64A with TensorFlow's seed."""
    data, m, mask = as_bytes(text), 0xC6A4A7935BD1E995, 2**64 - 1
    found = 0xDECAFCAFFE ^ len(data) * m & mask
    for at in range(0, len(data), 8):
        word = int.from_bytes(data[at : at + 8], "little")
        if len(data) - at >= 8:
            word = word * m & mask
            word = (word ^ word >> 47) * m & mask
        found = (found ^ word) * m & mask
    found = (found ^ found >> 47) * m & mask
    return found ^ found >> 47


STRINGS: dict[str, Any] = {
    "as_string": as_string, "bytes_split": lambda input, name=None: _rows(_bytes, input), "format": format_,
    "join": join,
    "length": _of_each(length, "int32"), "lower": _of_each(lambda text, encoding="": text.lower() if encoding else
        as_text(as_bytes(text).lower())), "ngrams": ngrams, "reduce_join": reduce_join,
    "regex_full_match": _of_each(regex_full_match, bool), "regex_replace": _of_each(regex_replace), "split": split,
    "strip": _of_each(lambda text: text.strip()), "substr": substr,
    "to_hash_bucket": lambda input, num_buckets, name=None: each(
        lambda one: _hash64(one) % num_buckets, input, "int64"),
    "to_hash_bucket_fast": to_hash_bucket, "to_hash_bucket_strong": to_hash_bucket, "unicode_decode": unicode_decode,
    "to_number": lambda input, out_type="float32", name=None: _of_each(to_number, np.dtype(out_type))(input, out_type),
    "unicode_encode": unicode_encode, "unicode_transcode": _of_each(unicode_transcode),
    "unicode_script": unicode_script, "unicode_split": unicode_split,
    "unicode_split_with_offsets": with_offsets(unicode_split),
    "unicode_decode_with_offsets": with_offsets(unicode_decode),
    "unsorted_segment_join": unsorted_segment_join, "upper": _of_each(lambda text, encoding="": text.upper() if
        encoding else as_text(as_bytes(text).upper())),
}  # fmt: skip
