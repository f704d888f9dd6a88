"""Limits on what a file may request, checked before objects are created from it, and errors that name the file."""

from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import Iterator
from typing import Any

from lamina.core import read_limits, registry, serialization
from lamina.core.graph import NO_LINE
from lamina.errors import FileError, LaminaError, UnsafeFileError, is_internal, is_library
from lamina.saving.safety.damage import damaged

__all__ = ["CONFUSED", "DEPTH", "TEXT", "parse_json", "reading"]

TEXT = 64 * 2**20  # bytes of a config; the largest models of Keras have two million
DEPTH = 250  # nesting of brackets; each nested model adds about six
ALONE = 2**31  # bytes of variables for a description without arrays; the largest model of Keras has 1.4e9
_TRUSTED = "If you trust it: keras.saving.deserialize_keras_object(json.loads(text)) may use all the memory there is."
SECONDS, BYTES_A_SECOND = 6.0, 20 * 10**6  # of CPU time for a file, beside those of its objects
BYTES_A_STEP = 1000  # each step of work beside those that every file may cause
OBJECTS = 100_000  # layers, initializers, policies ...
LAYERS = 10_000  # and other objects in lists; the largest models of Keras have 1,500
BRACKETS = 10 * OBJECTS  # lists and dicts, counted in the text: those of a million layers are never made
RATIO = 8  # bytes of variables per byte of arrays in the file: float16 as float32, optimizer slots, averages

CONFUSED = (*serialization.CONFUSED, NotImplementedError, RuntimeError, struct.error)


@contextlib.contextmanager
def reading(name: Any, stored: int | None = None, safe_mode: bool = True) -> Iterator[Any]:
    """A context in which objects are created from a file, with a memory limit.

    Args:
        name: Name of the file, for error messages.
        stored: Bytes of arrays in the file, to which the limit is proportional. None is for a description without
            arrays, which has a limit of its own.
        safe_mode: False, for trusted files, means the machine's memory.

    Raises:
        FileError: The file is damaged. Errors that an invalid config causes are converted to this error.
    """
    with _budget_of(stored, safe_mode), naming(name):
        yield


def _budget_of(stored, safe_mode):
    if safe_mode is False or not registry.in_safe_mode():
        return read_limits.machine_memory_budget()
    if stored is None:
        reason = f"a description alone may ask for {ALONE >> 30} GiB"
        return read_limits.memory_budget(ALONE, reason, SECONDS, 0, _TRUSTED)
    reason = f"the file holds only {stored / 2**20:.1f} MiB of arrays"
    seconds = SECONDS + stored / BYTES_A_SECOND
    steps = stored // BYTES_A_STEP
    return read_limits.memory_budget(read_limits.FREE_BYTES + RATIO * stored, reason, seconds, steps)


@contextlib.contextmanager
def naming(name: Any) -> Iterator[Any]:
    """A context whose errors name the file, or the part of it."""
    try:
        yield
    except UnsafeFileError as error:
        error.within(name)
        raise
    except LaminaError:
        raise
    except CONFUSED as error:
        if _is_of_own_code(error.__traceback__):
            raise
        told = str(error).splitlines()[0] if str(error) else "no message"
        raise damaged(f"{name} cannot be read: {type(error).__name__}: {told}") from error


def _is_of_own_code(traceback):
    """Whether a method of the user's class raised the error, such as its `build_from_config`: the file is sound."""
    frames = []
    while traceback is not None:
        frames.append(traceback.tb_frame)
        traceback = traceback.tb_next
    return any(map(is_internal, frames)) and not is_internal(frames[-1]) and not is_library(frames[-1])


def expect_model(found: Any, name: Any) -> Any:
    """What was made from a file, if it is a layer or a model: it can be called and has weights.

    Args:
        found: Object.
        name: Name of the file.
    """
    if isinstance(found, type) or not hasattr(found, "load_own_variables") or not callable(found):
        raise damaged(f"{name} describes {found!r:.60}, which is not a model.")
    return found


def parse_json(text: str | bytes, name: Any) -> dict[str, Any]:
    """The JSON object in `text`. `name` is its name within the file, for error messages."""
    if not isinstance(text, (str, bytes, bytearray, memoryview)):  # bytes() of a number would be as many zeros
        raise damaged(f"{name} is not JSON: it is {text!r:.60}.")
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)
    if len(data) > TEXT:
        message = f"The description has {len(data) >> 20} MiB; at most {TEXT >> 20} MiB are read."
        raise UnsafeFileError(message).within(name)
    if data.count(b"{") + data.count(b"[") > BRACKETS:
        raise UnsafeFileError(f"The description has more than {BRACKETS} lists and dicts.").within(name)
    if data.count(b'"class_name"') > OBJECTS:
        raise _too_many().within(name)
    try:
        config = json.loads(data)
    except RecursionError as error:
        raise _too_deep().within(name) from error
    except ValueError as error:
        raise damaged(f"{name} is not JSON: {error}.") from error
    if not isinstance(config, dict):
        raise FileError(
            f"{name} is JSON, but not of a model.", fix="Pass what model.to_json() returned, or a file of save()."
        )
    with naming(name):
        _measure(config)
    return config


def _measure(config):
    """Refuse JSON that is nested too deeply or has too many objects."""
    row, objects, layers = [config], 0, 0
    for _ in range(DEPTH):
        for value in row:
            _check_name(value)
        objects += sum(isinstance(value, dict) and "class_name" in value for value in row)
        layers += sum(isinstance(value, list) and sum(map(_is_layer, value)) for value in row)
        if objects > OBJECTS:
            raise _too_many()
        if layers > LAYERS:
            raise UnsafeFileError(f"The description has {layers} layers or more; at most {LAYERS} are made.")
        row = [item for value in row for item in (value.values() if isinstance(value, dict) else value)
               if isinstance(item, (dict, list))]  # fmt: skip
        if not row:
            return
    raise _too_deep()


def _check_name(value):
    """Refuse an object whose name has several lines: printed, each would look like a line of lamina's own. A name with
    an end of text, or half a character, cannot be written to files."""
    inside = value.get("config") if isinstance(value, dict) and "class_name" in value else None
    name = inside.get("name") if isinstance(inside, dict) else None
    if isinstance(name, str) and NO_LINE.search(name):
        raise UnsafeFileError(f"The name of a {value['class_name']} is not one line of text: {name!r}.")


def _is_layer(value):
    """Whether an item of a list is an object, and not a mark of JSON for a tensor or a tuple."""
    return isinstance(value, dict) and "class_name" in value and not str(value["class_name"]).startswith("__")


def _too_many():
    return UnsafeFileError(f"The description has more than {OBJECTS} objects.")


def _too_deep():
    return UnsafeFileError(f"The description is nested more than {DEPTH} levels deep.")
