"""Digests of arrays, to compare runs and processes without keeping the arrays."""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np

__all__ = ["digest", "digests", "part_digests", "program_digest"]

_WHOLE = 1 << 26  # bytes, up to which every value counts
_ROWS = 4096  # of a larger data set, evenly spaced


def digest(value: Any, sample: bool = False) -> str:
    """The beginning of the SHA-256 of an array, with its type and shape; of the parts that this process has.

    Args:
        value: Array.
        sample: Whether of an array above 64 MiB only 4,096 rows count, so that a data set on a disk is not read whole.

    >>> digest(np.zeros(3)) == digest(np.zeros(3)), digest(np.zeros(3)) == digest(np.zeros((3, 1)))
    (True, False)
    """
    if isinstance(value, jax.Array) and not value.is_fully_addressable:
        return hashlib.sha256(repr(sorted(part_digests(value).items())).encode()).hexdigest()[:32]
    array = np.asarray(value)
    made = hashlib.sha256(f"{array.dtype}{array.shape}".encode())
    if sample and array.nbytes > _WHOLE and len(array) > _ROWS:
        array = array[np.linspace(0, len(array) - 1, _ROWS).astype("int64")]
    is_object = array.dtype.kind == "O"
    made.update(repr(array.tolist()).encode() if is_object else np.ascontiguousarray(array).ravel().view("uint8").data)
    return made.hexdigest()[:32]


def digests(values: dict[str, Any]) -> dict[str, str]:
    """The digest of each array, by two threads: hashing a GiB takes one of them some 0.8 s.

    Args:
        values: name -> array.
    """
    with ThreadPoolExecutor(2, thread_name_prefix="lamina-digests") as pool:
        return dict(zip(values, pool.map(digest, values.values()), strict=True))


def part_digests(value: jax.Array) -> dict[str, str]:
    """The digest of each part of an array that this process has, by the place of the part.

    Args:
        value: Array, which may be spread over processes.
    """
    return {
        place: digest(part) for place, part in {str(one.index): one.data for one in value.addressable_shards}.items()
    }


def program_digest(jaxpr: Any) -> str:
    """The digest of a traced program, which is the same in every process that traces it.

    Args:
        jaxpr: The program.

    >>> program_digest(jax.make_jaxpr(lambda x: x + 1)(1.0)) == program_digest(jax.make_jaxpr(lambda x: x + 2)(1.0))
    False
    """
    text = " ".join(re.sub(r"0x[0-9a-f]+", "", str(jaxpr)).split())  # without addresses and line breaks
    text = re.sub(r"\{([^{}]*)\}", lambda found: " ".join(sorted(found[1].split(", "))), text)  # sets have no order
    return hashlib.sha256(text.encode()).hexdigest()[:32]
