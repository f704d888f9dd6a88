"""The inference protocol of KServe, version 2: JSON, and binary data behind the JSON.

Source: https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol
"""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import numpy as np

from lamina.core.dtypes import numpy_dtype
from lamina.serve.bodies import array_of_numbers, json_of, numbers_for_json
from lamina.serve.errors import Refused
from lamina.serve.served import ServedModel, TensorSpec

__all__ = ["describe", "read_request", "write_response"]

_TYPES = {
    "bool": "BOOL", "uint8": "UINT8", "uint16": "UINT16", "uint32": "UINT32", "uint64": "UINT64", "int8": "INT8",
    "int16": "INT16", "int32": "INT32", "int64": "INT64", "float16": "FP16", "float32": "FP32", "float64": "FP64",
    "bfloat16": "BF16", "string": "BYTES",
}  # fmt: skip
_NAMES = {value: key for key, value in _TYPES.items()}


def _type_of(dtype):
    return _TYPES.get(str(dtype), "BYTES")


def describe(served: ServedModel) -> dict[str, Any]:
    """The metadata of a model.

    Args:
        served: Model.
    """

    def tensor(spec: TensorSpec):
        return {
            "name": spec.name,
            "datatype": _type_of(spec.dtype),
            "shape": [-1 if size is None else size for size in spec.shape or (None,)],
        }

    return {
        "name": served.name, "versions": ["1"], "platform": "lamina",
        "inputs": [tensor(spec) for spec in served.inputs], "outputs": [tensor(spec) for spec in served.outputs],
    }  # fmt: skip


def read_request(body: bytes, head_size: str | None) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """(arrays by name, the JSON of the request).

    Args:
        body: The JSON, then the binary data.
        head_size: The header "Inference-Header-Content-Length": bytes of the JSON; None where all is JSON.

    Raises:
        Refused: It does not keep to the protocol.
    """
    size = len(body)
    if head_size is not None:
        size = int(head_size) if head_size.isascii() and head_size.isdigit() and len(head_size) < 12 else -1
    if not 0 <= size <= len(body):
        raise Refused(
            400, f"Inference-Header-Content-Length is the size of the JSON; got {head_size} of {len(body)} bytes."
        )
    head = json_of(body[:size])
    tensors = head.get("inputs") if isinstance(head, dict) else None
    if not isinstance(tensors, list) or not tensors or not all(isinstance(one, dict) for one in tensors):
        raise Refused(
            400, 'The request has "inputs", a list of tensors.',
            '{"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}]}',
        )  # fmt: skip
    rest, arrays = memoryview(body)[size:], {}
    for tensor in tensors:
        array, rest = _read_tensor(tensor, rest)
        if tensor["name"] in arrays:
            raise Refused(400, f"The input {tensor['name']!r} comes twice.")
        arrays[tensor["name"]] = array
    if len(rest):
        raise Refused(400, f"{len(rest)} bytes of binary data belong to no input.")
    return arrays, head


def _read_tensor(tensor, rest):
    name, shape, datatype = tensor.get("name"), tensor.get("shape"), tensor.get("datatype")
    if not isinstance(name, str):
        raise Refused(400, f"An input has a name; got {name!r}.")
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise Refused(400, f'The input {name!r} has a "shape", a list of sizes; got {json.dumps(shape)[:80]}.')
    if not isinstance(datatype, str) or datatype not in _NAMES:
        raise Refused(400, f'The input {name!r} has a "datatype" of {", ".join(_NAMES)}; got {datatype!r}.')
    count = _parameters(tensor).get("binary_data_size")
    if count is None:
        array = array_of_numbers(tensor.get("data"), name)
    else:
        if type(count) is not int or not 0 <= count <= len(rest):
            raise Refused(400, f"The input {name!r} has {count!r} bytes of binary data; {len(rest)} came.")
        array, rest = _from_binary(rest[:count], datatype, name), rest[count:]
    if array.size != math.prod(shape):
        raise Refused(400, f"The input {name!r} of the shape {shape} has {math.prod(shape)} values; got {array.size}.")
    return TensorSpec(name, None, _NAMES[datatype]).cast(array).reshape(shape), rest


def _parameters(of):
    found = of.get("parameters")
    return found if isinstance(found, dict) else {}


def _from_binary(data, datatype, name):
    if datatype != "BYTES":
        dtype = numpy_dtype(_NAMES[datatype])
        if len(data) % dtype.itemsize:
            raise Refused(400, f"The input {name!r} has values of {dtype.itemsize} bytes; got {len(data)} bytes.")
        return np.frombuffer(data, dtype)
    texts, place = [], 0
    while place < len(data):
        size = struct.unpack_from("<I", data, place)[0] if place + 4 <= len(data) else len(data)
        if place + 4 + size > len(data):
            raise Refused(400, f"The input {name!r} has a text that is longer than its data.")
        try:
            texts.append(str(data[place + 4 : place + 4 + size], "utf-8"))
        except UnicodeDecodeError as error:
            raise Refused(400, f"The input {name!r} has a text that is no UTF-8.") from error
        place += 4 + size
    return np.array(texts, object)


def write_response(
    served: ServedModel, outputs: dict[str, np.ndarray], head: dict[str, Any]
) -> tuple[bytes, dict[str, str]]:
    """(body, headers) of an answer.

    Args:
        served: Model.
        outputs: Arrays by name.
        head: The JSON of the request, which may choose outputs and ask for binary data.

    Raises:
        Refused: It asks for an output that the model does not have, or for one in a form that is not served.
    """
    wanted: Any = head.get("outputs") or [{"name": name} for name in outputs]
    if not isinstance(wanted, list) or not all(isinstance(one, dict) and one.get("name") in outputs for one in wanted):
        raise Refused(
            400, f"The model has the outputs {', '.join(map(repr, outputs))}; got {json.dumps(wanted)[:120]}."
        )
    unknown = sorted({name for one in wanted for name in _parameters(one)} - {"binary_data"})
    if unknown:
        raise Refused(400, f'An output has the parameter "binary_data"; got {unknown[0]!r}.')
    binary_default = bool(_parameters(head).get("binary_data_output"))
    tensors, blobs = [], []
    for one in wanted:
        array = outputs[one["name"]]
        entry: dict[str, Any] = {"name": one["name"], "datatype": _type_of(array.dtype), "shape": list(array.shape)}
        if _parameters(one).get("binary_data", binary_default):
            blobs.append(_to_binary(array))
            entry["parameters"] = {"binary_data_size": len(blobs[-1])}
        else:
            entry["data"] = numbers_for_json(array.ravel())
        tensors.append(entry)
    answer = {"model_name": served.name, "model_version": "1", "outputs": tensors}
    if isinstance(head.get("id"), str):
        answer["id"] = head["id"]
    text = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    if not blobs:
        return text, {"content-type": "application/json"}
    headers = {"content-type": "application/octet-stream", "inference-header-content-length": str(len(text))}
    return b"".join([text, *blobs]), headers


def _to_binary(array):
    if _type_of(array.dtype) != "BYTES":
        return array.tobytes()
    texts = [str(text).encode() for text in array.ravel()]
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)
