"""A permutation for each seed: that of grain, so that files are read in the order of Keras's data sets of grain."""

from __future__ import annotations

import numpy as np

__all__ = ["permutation"]

_ROUNDS = 4


def permutation(count: int, seed: int) -> np.ndarray:
    """The numbers from 0 to `count - 1` in a random order.

    A cipher is a permutation of the numbers of some bits; walking on to the next number where one is too large gives
    one of the first `count` (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002). The cipher is SIMON
    (Beaulieu et al., 2013) with four rounds, and with keys from the generator of C++'s `std::seed_seq`.

    Args:
        count: Number of numbers.
        seed: Seed.

    >>> permutation(8, seed=1).tolist()
    [5, 7, 6, 0, 4, 1, 3, 2]
    """
    if count < 2:
        return np.arange(count)
    bits = max(count - 1, 1).bit_length()
    bits = max(bits + bits % 2, 16)
    next_number = _encrypted(np.arange(2**bits, dtype="uint64"), bits // 2, _round_keys(seed))
    while (next_number[:count] >= count).any():  # each round doubles how far a number that is too large has walked
        next_number = np.where(next_number >= count, next_number[next_number], next_number)
    return next_number[:count].astype("int64")


def _encrypted(numbers, width, keys):
    mask = np.uint64(2**width - 1)
    left, right = numbers >> np.uint64(width), numbers & mask
    for first, second in zip(keys[::2], keys[1::2], strict=True):
        left = left ^ _mixed(right, width, mask) ^ (first & mask)
        right = right ^ _mixed(left, width, mask) ^ (second & mask)
    return left << np.uint64(width) | right


def _mixed(word, width, mask):
    rotated = [(word << np.uint64(n) | word >> np.uint64(width - n)) & mask for n in (1, 8, 2)]
    return rotated[0] & rotated[1] ^ rotated[2]


def _round_keys(seed):
    """What `std::seed_seq{seed}` generates, four numbers of 32 bits (ISO C++, [rand.util.seedseq])."""
    limit, n = 2**32, _ROUNDS
    state = [0x8B8B8B8B] * n
    mix = lambda x: x ^ x >> 27  # noqa: E731
    for k in range(n):
        last, ahead, far = (k - 1) % n, (k + 1) % n, (k + 2) % n
        first = 1664525 * mix(state[k] ^ state[ahead] ^ state[last]) % limit
        second = (first + k + (1 if k == 0 else seed if k == 1 else 0)) % limit
        state[ahead] = (state[ahead] + first) % limit
        state[far] = (state[far] + second) % limit
        state[k] = second
    for k in range(n):
        last, ahead, far = (k - 1) % n, (k + 1) % n, (k + 2) % n
        first = 1566083941 * mix((state[k] + state[ahead] + state[last]) % limit) % limit
        second = (first - k) % limit
        state[ahead] ^= first
        state[far] ^= second
        state[k] = second
    return np.array(state, "uint64")
