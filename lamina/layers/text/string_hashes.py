"""FarmHash's fingerprint and SipHash, for many strings of one length at once.

Strings of length n are n arrays: `characters[i]` holds byte i of every string as uint64. The same code runs with NumPy
on the host and, if 64 bits are enabled, with JAX in a compiled program.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["fingerprint64", "fingerprint_cat64", "siphash24"]

_K0, _K1, _K2 = (np.uint64(k) for k in (0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F))
_CAT = np.uint64(0xC6A4A7935BD1E995)


def _word(value):
    return np.uint64(value % 2**64)


def _fetch(characters, start, size=8):
    """The little-endian number in the `size` bytes from `start`."""
    total = characters[start]
    for index in range(1, size):
        total = total + (characters[start + index] << _word(8 * index))
    return total


def _rotate_right(value, shift):
    return (value >> _word(shift)) + (value << _word(64 - shift))


def _rotate_left(value, shift):
    return _rotate_right(value, 64 - shift)


def _shift_mix(value):
    return value ^ (value >> _word(47))


def _mix(u, v, multiplier):
    """FarmHash's hash of two words."""
    a = _shift_mix((u ^ v) * multiplier)
    return _shift_mix((v ^ a) * multiplier) * multiplier


def fingerprint64(characters: Any) -> Any:
    """FarmHash's Fingerprint64 (`farmhashna::Hash64`) of each string.

    Source: https://github.com/google/farmhash

    >>> [hex(int(value)) for value in fingerprint64([np.array([97], "uint64")])]
    ['0xb3454265b6df75e3']
    """
    length = len(characters)
    if length <= 16:
        return _up_to_16(characters, length)
    if length <= 32:
        return _up_to_32(characters, length)
    return _up_to_64(characters, length) if length <= 64 else _longer(characters, length)


def _up_to_16(characters, length):
    multiplier = _K2 + _word(2 * length)
    if length >= 8:
        a, b = _fetch(characters, 0) + _K2, _fetch(characters, length - 8)
        c = _rotate_right(b, 37) * multiplier + a
        d = (_rotate_right(a, 25) + b) * multiplier
        return _mix(c, d, multiplier)
    if length >= 4:
        a, b = _fetch(characters, 0, 4), _fetch(characters, length - 4, 4)
        return _mix(_word(length) + (a << _word(3)), b, multiplier)
    if length == 0:
        return _K2
    y = characters[0] + (characters[length // 2] << _word(8))
    z = _word(length) + (characters[length - 1] << _word(2))
    return _shift_mix(y * _K2 ^ z * _K0) * _K2


def _ends(characters, length, multiplier, first):
    """The part of the hashes of 17 to 64 bytes that depends on the first and last 16 bytes."""
    a, b = _fetch(characters, 0) * first, _fetch(characters, 8)
    c, d = _fetch(characters, length - 8) * multiplier, _fetch(characters, length - 16) * _K2
    return a, _rotate_right(a + b, 43) + _rotate_right(c, 30) + d, a + _rotate_right(b + _K2, 18) + c


def _up_to_32(characters, length):
    multiplier = _K2 + _word(2 * length)
    _, u, v = _ends(characters, length, multiplier, _K1)
    return _mix(u, v, multiplier)


def _up_to_64(characters, length):
    multiplier = _K2 + _word(2 * length)
    a, y, v = _ends(characters, length, multiplier, _K2)
    z = _mix(y, v, multiplier)
    e, f = _fetch(characters, 16) * multiplier, _fetch(characters, 24)
    g, h = (y + _fetch(characters, length - 32)) * multiplier, (z + _fetch(characters, length - 24)) * multiplier
    return _mix(_rotate_right(e + f, 43) + _rotate_right(g, 30) + h, e + _rotate_right(f + a, 18) + g, multiplier)


def _longer(characters, length):
    """The hash of more than 64 bytes: a state of 56 bytes is updated with blocks of 64, the last one at the end."""
    zero = characters[0] & _word(0)
    y = zero + _word(81 * int(_K1) + 113)
    z = _shift_mix(y * _K2 + _word(113)) * _K2
    x = zero + _word(81 * int(_K2)) + _fetch(characters, 0)
    state = (x, y, z, (zero, zero), (zero, zero))
    for start in range(0, (length - 1) // 64 * 64, 64):
        state = _block(characters, start, state, _K1, _word(1))
    x, y, z, v, w = state
    multiplier = _K1 + ((z & _word(0xFF)) << _word(1))
    w0 = w[0] + _word((length - 1) & 63)
    v0 = v[0] + w0
    w = (w0 + v0, w[1])
    x, y, z, v, w = _block(characters, length - 64, (x, y, z, (v0, v[1]), w), multiplier, _word(9))
    inner = _mix(v[0], w[0], multiplier) + _shift_mix(y) * _K0 + z
    return _mix(inner, _mix(v[1], w[1], multiplier) + x, multiplier)


def _block(characters, start, state, multiplier, weight):
    x, y, z, v, w = state
    x = _rotate_right(x + y + v[0] + _fetch(characters, start + 8), 37) * multiplier
    y = _rotate_right(y + v[1] + _fetch(characters, start + 48), 42) * multiplier
    x = x ^ (w[1] * weight)
    y = y + v[0] * weight + _fetch(characters, start + 40)
    z = _rotate_right(z + w[0], 33) * multiplier
    v = _weak(characters, start, v[1] * multiplier, x + w[0])
    w = _weak(characters, start + 32, z + w[1], y + _fetch(characters, start + 16))
    return z, y, x, v, w


def _weak(characters, start, a, b):
    """A weak hash of 32 bytes and two seeds, as two words."""
    first, second, third, last = (_fetch(characters, start + 8 * index) for index in range(4))
    a = a + first
    b = _rotate_right(b + a + last, 21)
    total = a + second + third
    return total + last, b + _rotate_right(total, 44) + a


def fingerprint_cat64(first: Any, second: Any) -> Any:
    """The fingerprint of two fingerprints in this order, as in TensorFlow's feature crosses."""
    joined = first ^ _CAT
    joined = (joined ^ (_shift_mix(second * _CAT) * _CAT)) * _CAT
    return _shift_mix(_shift_mix(joined) * _CAT)


def siphash24(characters: Any, key: Any) -> Any:
    """SipHash-2-4 of each string under a key of two 64-bit numbers.

    Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012).
    """
    zero = characters[0] & _word(0) if characters else np.zeros(1, "uint64")
    low, high = (_word(part) for part in key)
    names = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    state = [zero + (_word(name) ^ half) for name, half in zip(names, (low, high, low, high), strict=True)]
    whole = len(characters) // 8 * 8
    last = zero + _word(len(characters) << 56)
    if len(characters) > whole:
        last = last + _fetch(characters, whole, len(characters) - whole)
    for message in (*(_fetch(characters, start) for start in range(0, whole, 8)), last):
        state[3] = state[3] ^ message
        state = _sip_round(_sip_round(state))
        state[0] = state[0] ^ message
    state[2] = state[2] ^ _word(0xFF)
    for _ in range(4):
        state = _sip_round(state)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _sip_round(state):
    v0, v1, v2, v3 = state
    v0, v2 = v0 + v1, v2 + v3
    v1, v3 = _rotate_left(v1, 13) ^ v0, _rotate_left(v3, 16) ^ v2
    v0 = _rotate_left(v0, 32)
    v0, v2 = v0 + v3, v2 + v1
    v3, v1 = _rotate_left(v3, 21) ^ v0, _rotate_left(v1, 17) ^ v2
    return [v0, v1, _rotate_left(v2, 32), v3]
