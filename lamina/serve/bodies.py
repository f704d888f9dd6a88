"""Bodies of requests and answers: JSON, NumPy's files and images. Nothing here runs code of a body."""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
import zlib
from typing import Any

import numpy as np

from lamina.serve.errors import Refused
from lamina.serve.served import ServedModel

__all__ = ["array_of_numbers", "json_of", "numbers_for_json", "read_body", "written_body"]

_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}  # as in the JSON of protocol buffers
_NPY, _ZIP = b"\x93NUMPY", b"PK\x03\x04"
_IMAGES = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"BM": "BMP", b"RIFF": "WEBP"}
_KINDS = "JSON, a .npy or .npz file of NumPy, or an image (PNG, JPEG, GIF, BMP, WebP)"
MAX_PIXELS = 2**26  # of an image, told by its head before it is read
MAX_HEAD = 10_000  # bytes of the description in a .npy file


def read_body(body: bytes, served: ServedModel, limit: int) -> tuple[Any, str]:
    """(arrays by name or one array, what the body is: "instances", "inputs", "npy", "npz" or "image").

    Args:
        body: The body. Its first bytes say what it is.
        served: The model that it is for.
        limit: Most bytes that it may hold when it is unpacked.

    Raises:
        Refused: It cannot be read.
    """
    if body.startswith(_NPY):
        return _read_npy(body), "npy"
    if body.startswith(b"--"):
        raise Refused(415, "A body is the file itself; got a form.", "curl ADDRESS --data-binary @x.npy")
    if body.startswith(_ZIP):
        return _read_npz(body, limit), "npz"
    image = next((name for magic, name in _IMAGES.items() if body.startswith(magic)), None)
    if image is not None:
        return _read_image(body, image, served), "image"
    if body[:1] in (b"", b"\x00") or (body[0] > 127 and not body.startswith(b"\xef\xbb\xbf")):
        raise Refused(415, f"The body is {_KINDS}; got {_shown(body)}.")
    return _read_json(body, served)


def _shown(body):
    return f"{len(body)} bytes that begin with {body[:8]!r}" if body else "an empty body"


def json_of(body: bytes) -> Any:
    """What a JSON text holds.

    Args:
        body: The text in UTF-8.

    Raises:
        Refused: It is no JSON.
    """
    try:
        return json.loads(body.decode("utf-8-sig"), object_pairs_hook=_object, **_STRICT if _HUGE.search(body) else {})
    except UnicodeDecodeError as error:
        came = f"byte {error.start} of the body is not; {_shown(body)}"
        raise Refused(400, f"JSON is UTF-8; {came}.", f"Send {_KINDS}.") from error
    except RecursionError as error:
        raise Refused(400, "The lists of the body are nested too deeply.") from error
    except ValueError as error:
        raise Refused(400, f"The body is no JSON: {error}.", _example()) from error


def _object(pairs):
    """A dict, whose names are given once."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise Refused(400, f"The body has the name {twice!r} twice.")
    return found


def _finite(text):
    number = float(text)
    if math.isinf(number):
        raise Refused(400, f"Numbers are those of float64; got {text}.", '"Infinity" stands for what is not finite.')
    return number


_HUGE = re.compile(rb"[eE]\+?\d{3}")
_STRICT: dict[str, Any] = {"parse_float": _finite}  # slower, so only for bodies with large exponents


def _example():
    return 'Send {"instances": [...]}, a list with an entry for each sample.'


def _read_json(body, served):
    found = json_of(body)
    if isinstance(found, list):
        found = {"instances": found}
    if not isinstance(found, dict) or len({"instances", "inputs"} & found.keys()) != 1:
        came = sorted(found) if isinstance(found, dict) else type(found).__name__
        raise Refused(400, f'The body has "instances" or "inputs"; got {came}.', _example())
    _check_others(found)
    has_words = b"true" in body or b"false" in body
    if "inputs" in found:
        value = found["inputs"]
        given = (
            {n: array_of_numbers(v, n, has_words) for n, v in value.items()}
            if isinstance(value, dict)
            else array_of_numbers(value, "", has_words)
        )
        return given, "inputs"
    rows = found["instances"]
    if not isinstance(rows, list) or not rows:
        raise Refused(
            400, f'"instances" is a list with an entry for each sample; got {json.dumps(rows)[:40]}.', _example()
        )
    if isinstance(rows[0], dict):
        if not all(isinstance(row, dict) and row.keys() == rows[0].keys() for row in rows):
            raise Refused(400, "All samples have the same names.")
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        return {name: array_of_numbers(column, name, has_words) for name, column in columns.items()}, "instances"
    names, array = [spec.name for spec in served.inputs], array_of_numbers(rows, "", has_words)
    return ({names[0]: array} if len(names) == 1 else array), "instances"


def _check_others(found):
    """What stands beside the numbers has to change nothing: there is one signature, and it has no parameters."""
    for name, value in found.items():
        known = {"signature_name": ("serving_default", "serve", "", None), "parameters": ({}, None)}.get(name, ())
        if name not in ("instances", "inputs") and value not in known:
            raise Refused(400, f"The body has nothing but numbers; got {name!r}: {json.dumps(value)[:40]}.", _example())


def array_of_numbers(value: Any, name: str = "", has_words: bool = False) -> np.ndarray:
    """Nested lists as an array of numbers, truth values or texts.

    Args:
        value: A list, or a number.
        name: Name of the input, for errors.
        has_words: Whether truth values may be among the numbers, which NumPy would take for 0 and 1.

    Raises:
        Refused: Its rows have different lengths, or it holds something else.
    """
    place = f"The input {name!r}" if name else "The body"
    try:
        array = np.array(value)
        if array.dtype.kind in "UO":
            array = np.array(_with_words(value, 0))
    except RecursionError as error:
        raise Refused(400, f"{place} is nested too deeply.") from error
    except (ValueError, OverflowError) as error:
        raise Refused(400, f"{place} has rows of different lengths or depths.") from error
    if array.dtype.kind == "U" and all(isinstance(leaf, str) for leaf in _leaves(value)):
        return array
    is_mixed = has_words and array.dtype.kind in "iuf" and any(isinstance(leaf, bool) for leaf in _leaves(value))
    if is_mixed or array.dtype.kind not in "biuf":
        kinds = sorted({"null" if leaf is None else type(leaf).__name__ for leaf in _leaves(value)})
        raise Refused(400, f"{place} holds numbers, truth values or texts, all of one kind; got {', '.join(kinds)}.")
    return array


def _leaves(value):
    return (leaf for one in value for leaf in _leaves(one)) if isinstance(value, list) else iter([value])


def _with_words(value, depth):
    if isinstance(value, list):
        return [_with_words(one, depth + 1) for one in value]
    return _WORDS.get(value, value) if isinstance(value, str) else value


def _read_npy(body):
    """The array of a .npy file. Unlike `np.load` it makes no array before the bytes for it are there."""
    file = io.BytesIO(body)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(file, max_header_size=MAX_HEAD)
    except (ValueError, EOFError, SyntaxError, RecursionError, MemoryError) as error:
        raise Refused(400, f"The .npy file cannot be read: {str(error).splitlines()[0][:200]}.") from error
    if dtype.kind not in "biufUS":
        raise Refused(
            400,
            f"A .npy file holds numbers, truth values or texts; got {dtype}.",
            "np.save('x.npy', x.astype('float32'))",
        )
    rest = memoryview(body)[file.tell() :]
    if any(size < 0 for size in shape) or math.prod(shape) * dtype.itemsize != len(rest):
        raise Refused(400, f"A .npy file of the shape {shape} and {dtype} has another size; got {len(rest)} bytes.")
    if dtype.itemsize == 0 or not rest:
        return np.empty(shape if not rest else (0,), dtype)
    return np.frombuffer(rest, dtype).reshape(shape, order="F" if fortran else "C").astype(dtype.newbyteorder("="))


def _read_npz(body, limit):
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as file:
            members = file.infolist()
            size = sum(member.file_size for member in members)
            if size > limit:
                raise Refused(413, f"The .npz file has {size} bytes when it is unpacked; at most {limit} are read.")
            found = {}
            for member in members:
                with file.open(member) as stream:
                    found[member.filename.removesuffix(".npy")] = _read_npy(stream.read(member.file_size))
    except (
        zipfile.BadZipFile,
        OSError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        zlib.error,
    ) as error:
        raise Refused(400, f"The .npz file cannot be read: {error}.") from error
    return found


def _read_image(body, format, served):
    """An image as a batch of one: its channels and size are those of the input, its values 0 to 255."""
    spec = served.inputs[0]
    shape: Any = spec.shape or ()
    gray = len(shape) == 3
    last = gray or shape[-1:] in ((1,), (3,), (4,))
    channels = 1 if gray else (shape[-1:] if last else shape[1:2] or (0,))[0]
    if len(served.inputs) > 1 or len(shape) not in (3, 4) or channels not in (1, 3, 4):
        raise Refused(415, f"The model takes {spec.describe()}, which is no image; got a {format} file.")
    try:
        from PIL import Image
    except ImportError as error:
        raise Refused(415, "The server has no Pillow, which reads images.", 'pip install "lamina[images]"') from error
    try:
        image = Image.open(io.BytesIO(body), formats=[format])
        if image.width * image.height > MAX_PIXELS:
            raise Refused(413, f"An image has at most {MAX_PIXELS} pixels; got {image.width} x {image.height}.")
        if image.mode[0] in "IF":  # Pillow would make 255 of most numbers
            raise Refused(415, f"An image has 8 bits for each channel; got a {format} file of {image.mode!r}.")
        image = image.convert({1: "L", 3: "RGB", 4: "RGBA"}[channels])
        height, width = shape[1:] if gray else (shape[1:3] if last else shape[2:4])
        if (width, height) != image.size and (width or height):
            image = image.resize((width or image.width, height or image.height), Image.Resampling.BILINEAR)
    except Image.DecompressionBombError as error:
        raise Refused(413, f"An image has at most {MAX_PIXELS} pixels; got more.") from error
    except Image.UnidentifiedImageError as error:
        raise Refused(400, f"The {format} file cannot be read: it breaks off, or is no {format} file.") from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise Refused(400, f"The {format} file cannot be read: {error}.") from error
    array = np.asarray(image, "float32").reshape(image.height, image.width, channels)
    array = array[..., 0] if gray else array if last else array.transpose(2, 0, 1)
    return array[None]


def numbers_for_json(array: np.ndarray) -> Any:
    """Nested lists for JSON, which has no NaN: "NaN", "Infinity" and "-Infinity" stand for what is not finite.

    Args:
        array: Array.

    >>> numbers_for_json(np.array([1.0, np.nan, -np.inf]))
    [1.0, 'NaN', '-Infinity']
    """
    if array.dtype.kind in "iubUO":
        return array.tolist()
    # The shortest text of a float32 is that of its own digits, not of the nearest float64.
    short = array.astype("float32") if array.dtype.itemsize < 4 else array
    numbers = short.astype("U32").astype("float64") if short.dtype.itemsize < 8 else short
    if np.isfinite(numbers).all():
        return numbers.tolist()
    words = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    flat = [value if math.isfinite(value) else words[str(value)] for value in numbers.ravel().tolist()]
    return _nested(flat, array.shape)


def _nested(flat, shape):
    if len(shape) < 2:
        return flat if shape else flat[0]
    step = len(flat) // shape[0] if shape[0] else 0
    return [_nested(flat[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


def written_body(outputs: dict[str, np.ndarray], kind: str, accepted: str) -> tuple[bytes, str]:
    """(body, its type) of an answer.

    Args:
        outputs: Arrays by name.
        kind: What the request was, as `read_body` says.
        accepted: The header "Accept" of the request.
    """
    if "npz" in accepted or "zip" in accepted or ("npy" in accepted and len(outputs) > 1):
        file = io.BytesIO()
        np.savez(file, **{name.replace("/", "_"): array for name, array in outputs.items()})  # pyright: ignore[reportArgumentType]
        return file.getvalue(), "application/x-npz"
    if "npy" in accepted or "octet-stream" in accepted:
        file = io.BytesIO()
        np.save(file, next(iter(outputs.values())), allow_pickle=False)
        return file.getvalue(), "application/x-npy"
    lists = {name: numbers_for_json(array) for name, array in outputs.items()}
    if kind == "inputs":
        answer = {"outputs": next(iter(lists.values())) if len(lists) == 1 else lists}
    elif len(lists) == 1:
        answer = {"predictions": next(iter(lists.values()))}
    else:
        answer = {"predictions": [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]}
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode(), "application/json"
