"""tf.strings, as functions that TextVectorization is given use it: on arrays of text, on the host."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

__all__ = ["STRINGS"]


def _of_each(function):
    """The function of each text of an array, with further arguments."""

    def mapped(input, *args, name=None, **kwargs):
        texts = np.asarray(input, dtype=object)
        found = np.frompyfunc(lambda text: function(_text(text), *args, **kwargs), 1, 1)(texts)
        return found if isinstance(found, np.ndarray) else np.asarray(found, dtype=object)[()]

    mapped.__doc__ = function.__doc__
    return mapped


def _text(text):
    return text.decode() if isinstance(text, bytes) else str(text)


def regex_replace(text: Any, pattern: Any, rewrite: Any, replace_global: Any = True) -> Any:
    """Each match of a pattern, or the first alone, replaced."""
    return re.sub(pattern, rewrite, text, count=0 if replace_global else 1)


def length(text: Any, unit: Any = "BYTE") -> Any:
    """The number of bytes, or of characters for unit="UTF8_CHAR"."""
    return len(text if unit == "UTF8_CHAR" else text.encode())


def substr(text: Any, pos: Any, len: Any, unit: Any = "BYTE") -> Any:
    """A part of the text."""
    return text[pos:][:len]


def join(inputs: Any, separator: Any = "", name: Any = None) -> Any:
    """Texts of several arrays put together."""
    return _of_each_pair(separator, *(np.asarray(part, dtype=object) for part in inputs))


def _of_each_pair(separator, *parts):
    return np.frompyfunc(lambda *texts: separator.join(map(_text, texts)), len(parts), 1)(*parts)


def lower(text: Any, encoding: Any = "") -> Any:
    """Small letters."""
    return text.lower()


def upper(text: Any, encoding: Any = "") -> Any:
    """Capital letters."""
    return text.upper()


def strip(text: Any) -> Any:
    """Without white space around it."""
    return text.strip()


def regex_full_match(text: Any, pattern: Any) -> Any:
    """Whether all of the text fits a pattern."""
    return re.fullmatch(pattern, text) is not None


STRINGS: dict[str, Any] = {
    "join": join,
    **{one.__name__: _of_each(one) for one in (length, lower, regex_full_match, regex_replace, strip, substr, upper)},
}
