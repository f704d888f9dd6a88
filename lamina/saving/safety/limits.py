"""What a file may ask for, checked before anything of it is made, and errors that name the file."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from lamina.core import read_limits
from lamina.errors import FileError, LaminaError, UnsafeFileError

__all__ = ["CONFUSED", "DEPTH", "TEXT", "parse_json", "reading"]

TEXT = 64 * 2**20  # bytes of a description: the largest models of Keras have two
DEPTH = 250  # brackets within brackets: each model in a model takes about six
OBJECTS = 100_000  # layers, initializers, policies ...
RATIO = 8  # bytes of variables for each of arrays in the file: halves made whole, slots of an optimizer, averages

# What a damaged or hostile description makes of code that expects an honest one.
CONFUSED = (
    TypeError, KeyError, IndexError, AttributeError, ArithmeticError, AssertionError, RecursionError, MemoryError,
    NotImplementedError, RuntimeError, StopIteration,
)  # fmt: skip


@contextlib.contextmanager
def reading(name: Any, stored: int | None = None, safe_mode: bool = True) -> Iterator[Any]:
    """Inside the block what the file `name` describes is made, from no more memory than `stored`, the bytes of its
    arrays, explain; from the memory there is, if it has no arrays or the caller trusts it (safe_mode=False).

    Raises FileError for whatever goes wrong because the file is not as it should be.
    """
    with _budget_of(stored, safe_mode), naming(name):
        yield


def _budget_of(stored, safe_mode):
    if stored is None or safe_mode is False:
        return read_limits.machine_memory_budget()
    reason = f"the file holds only {stored / 2**20:.1f} MiB of arrays"
    return read_limits.memory_budget(read_limits.FREE_BYTES + RATIO * stored, reason)


@contextlib.contextmanager
def naming(name: Any) -> Iterator[Any]:
    """Errors that arise inside the block name the file or the part of it."""
    try:
        yield
    except UnsafeFileError as error:
        error.within(name)
        raise
    except LaminaError:
        raise
    except CONFUSED as error:
        told = str(error).splitlines()[0] if str(error) else "no more is known"
        raise FileError(f"{name} cannot be read: {type(error).__name__}: {told}") from error


def parse_json(text: str | bytes, name: Any) -> dict:
    """The JSON object in `text` (str or bytes), which is the part `name` of a file."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)
    if len(data) > TEXT:
        message = f"A description of {len(data) >> 20} MiB is refused; {TEXT >> 20} are allowed."
        raise UnsafeFileError(message).within(name)
    try:
        config = json.loads(data)
    except RecursionError as error:
        raise _too_deep().within(name) from error
    except ValueError as error:
        raise FileError(f"{name} is no JSON: {error}.") from error
    if not isinstance(config, dict):
        raise FileError(f"{name} is no description of a model.")
    with naming(name):
        _measure(config)
    return config


def _measure(config):
    """Refuse what is too deep or has too many objects."""
    row, objects = [config], 0
    for _ in range(DEPTH):
        objects += sum(isinstance(value, dict) and "class_name" in value for value in row)
        if objects > OBJECTS:
            raise UnsafeFileError(f"A description of more than {OBJECTS} objects is refused.")
        row = [item for value in row for item in (value.values() if isinstance(value, dict) else value)
               if isinstance(item, (dict, list))]  # fmt: skip
        if not row:
            return
    raise _too_deep()


def _too_deep():
    return UnsafeFileError(f"A description nested more than {DEPTH} deep is refused.")
