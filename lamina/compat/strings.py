"""tf.strings for the standardize and split functions of TextVectorization. They work on NumPy text arrays on the
host."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

__all__ = ["STRINGS"]


def _of_each(function):
    """Apply a function of one text, with further arguments, to each element of an array."""

    def mapped(input, *args, name=None, **kwargs):
        texts = np.asarray(input, dtype=object)
        found = np.frompyfunc(lambda text: function(_text(text), *args, **kwargs), 1, 1)(texts)
        return found if isinstance(found, np.ndarray) else np.asarray(found, dtype=object)[()]

    mapped.__doc__ = function.__doc__
    return mapped


def _text(text):
    return text.decode() if isinstance(text, bytes) else str(text)


def regex_replace(text: Any, pattern: Any, rewrite: Any, replace_global: Any = True) -> Any:
    """Replace all matches of a pattern, or only the first."""
    return re.sub(pattern, rewrite, text, count=0 if replace_global else 1)


def length(text: Any, unit: Any = "BYTE") -> Any:
    """The number of bytes, or of characters for unit="UTF8_CHAR"."""
    return len(text if unit == "UTF8_CHAR" else text.encode())


def substr(text: Any, pos: Any, len: Any, unit: Any = "BYTE") -> Any:
    """The substring of length `len` from position `pos`."""
    return text[pos:][:len]


def join(inputs: Any, separator: Any = "", name: Any = None) -> Any:
    """Join the texts of several arrays element-wise."""
    return _of_each_pair(separator, *(np.asarray(part, dtype=object) for part in inputs))


def _of_each_pair(separator, *parts):
    return np.frompyfunc(lambda *texts: separator.join(map(_text, texts)), len(parts), 1)(*parts)


def lower(text: Any, encoding: Any = "") -> Any:
    """Convert to lower case."""
    return text.lower()


def upper(text: Any, encoding: Any = "") -> Any:
    """Convert to upper case."""
    return text.upper()


def strip(text: Any) -> Any:
    """Remove leading and trailing whitespace."""
    return text.strip()


def regex_full_match(text: Any, pattern: Any) -> Any:
    """Whether the entire text matches a pattern."""
    return re.fullmatch(pattern, text) is not None


STRINGS: dict[str, Any] = {
    "join": join,
    **{one.__name__: _of_each(one) for one in (length, lower, regex_full_match, regex_replace, strip, substr, upper)},
}
