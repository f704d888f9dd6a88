"""Philox4x32-10, the counter-based generator of TensorFlow's random numbers.

Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.core.dtypes import standardize_dtype
from lamina.core.variable import unwrap

__all__ = ["philox", "philox_normal", "philox_truncated", "philox_uniform", "stateless_seed"]

_M = np.uint64(0xFFFFFFFF)


def philox(key: int, counter: int, count: Any) -> np.ndarray:
    """(count, 4) words of 32 bits of Philox4x32-10, from a counter of 128 bits on, or at places after it."""
    places = np.arange(count, dtype=np.uint64) if isinstance(count, int) else count
    base, high = np.uint64(counter & (2**64 - 1)), np.uint64(counter >> 64)
    with np.errstate(over="ignore"):
        low = base + places
        upper = high + (low < base).astype(np.uint64)
    words = [low & _M, low >> np.uint64(32), upper & _M, upper >> np.uint64(32)]
    first, second = key & 0xFFFFFFFF, key >> 32 & 0xFFFFFFFF
    for _ in range(10):
        left, right = words[0] * np.uint64(0xD2511F53), words[2] * np.uint64(0xCD9E8D57)
        words = [(right >> np.uint64(32)) ^ words[1] ^ np.uint64(first), right & _M,
                 (left >> np.uint64(32)) ^ words[3] ^ np.uint64(second), left & _M]  # fmt: skip
        first, second = (first + 0x9E3779B9) & 0xFFFFFFFF, (second + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(words, -1).astype(np.uint32)


def stateless_seed(seed: Any) -> tuple[int, int]:
    """(key, counter) of the two numbers of a seed of tf.random.stateless_*."""
    first, second = (int(one) & (2**64 - 1) for one in np.asarray(unwrap(seed)).ravel().tolist())
    mixed = philox(0x02461E293EC8F720, first | second << 64, 1)[0].tolist()
    return mixed[0] | mixed[1] << 32, (mixed[2] | mixed[3] << 32) << 64


def philox_uniform(key: int, counter: int, shape: Any, dtype: Any = "float32") -> np.ndarray:
    """Numbers from 0 up to 1."""
    count = int(np.prod(shape))
    if str(np.dtype(dtype)) == "float64":
        words = philox(key, counter, -(-count // 2)).reshape(-1, 2).astype(np.uint64)[:count]
        bits = (np.uint64(1023) << np.uint64(52)) | ((words[:, 0] & np.uint64(0xFFFFF)) << np.uint64(32)) | words[:, 1]
        return (bits.view(np.float64) - 1.0).reshape(shape)
    words = philox(key, counter, -(-count // 4)).ravel()[:count]
    found = ((words & np.uint32(0x7FFFFF)) | np.uint32(127 << 23)).view(np.float32) - np.float32(1)
    return found.reshape(shape).astype(standardize_dtype(dtype))


def _box_muller(words):
    pairs = words.reshape(-1, 2)
    uniform = ((pairs & np.uint32(0x7FFFFF)) | np.uint32(127 << 23)).view(np.float32) - np.float32(1)
    length = np.sqrt(np.float32(-2) * np.log(np.maximum(uniform[:, 0], np.float32(1e-7))))
    turn = np.float32(2 * np.pi) * uniform[:, 1]
    return np.stack([np.sin(turn) * length, np.cos(turn) * length], -1).ravel()


def philox_normal(key: int, counter: int, shape: Any, dtype: Any = "float32") -> np.ndarray:
    """Normal numbers, by Box and Muller."""
    count = int(np.prod(shape))
    found = _box_muller(philox(key, counter, -(-count // 4)))[:count]
    return found.reshape(shape).astype(standardize_dtype(dtype))


def philox_truncated(key: int, counter: int, shape: Any, dtype: Any = "float32") -> np.ndarray:
    """Normal numbers of at most two standard deviations: the first four such of each group."""
    count = int(np.prod(shape))
    groups = -(-count // 4)
    places = (np.arange(groups, dtype=np.uint64) * np.uint64(256))[:, None] + np.arange(16, dtype=np.uint64)
    found = _box_muller(philox(key, counter, places.ravel())).reshape(groups, -1)
    order = np.argsort(np.abs(found) >= 2, axis=1, kind="stable")[:, :4]
    found = np.take_along_axis(found, order, 1).ravel()[:count]
    return found.reshape(shape).astype(standardize_dtype(dtype))
