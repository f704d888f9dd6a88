"""Weights as integers chosen by data: the algorithms GPTQ and AWQ, their grid of values, and windows of a dataset.

All of it is NumPy in float32 on transposed kernels, matrices (outputs, inputs): it runs once, and a large kernel is not
on the device a second time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from lamina.errors import DataError

__all__ = ["awq", "from_codes", "gptq", "grid", "to_codes", "windows"]

BLOCK = 128  # columns whose rounding errors are propagated to later columns together


def windows(dataset: Iterable[Any], tokenizer: Any, sequence_length: int, num_samples: int) -> np.ndarray:
    """Sequences of tokens at regular distances in a dataset, which is repeated if it is too short.

    Shapes: -> (num_samples, sequence_length).

    Args:
        dataset: Iterable of texts, or of arrays of tokens.
        tokenizer: Object with `tokenize`, or function, from a text to tokens.
        sequence_length: Number of tokens in a sequence.
        num_samples: Number of sequences.

    Raises:
        DataError: The dataset is empty or no iterable.
    """
    if not hasattr(dataset, "__iter__") or isinstance(dataset, (str, bytes)):
        raise DataError(
            f"A dataset to calibrate on is an iterable of texts or tokens; got {type(dataset).__name__}.",
            fix="dataset=['a text', 'another text']",
        )
    tokenize = getattr(tokenizer, "tokenize", tokenizer)
    pieces = [np.asarray(tokenize(one) if isinstance(one, str) else one).reshape(-1) for one in dataset]
    tokens = np.concatenate(pieces).astype("int32") if pieces else np.zeros(0, "int32")
    if not tokens.size:
        raise DataError("The dataset to calibrate on is empty.", fix="Pass a list of texts, or of arrays of tokens.")
    tokens = np.tile(tokens, max(1, math.ceil(num_samples * sequence_length / tokens.size)))
    count = tokens.size - sequence_length + 1
    starts = np.arange(num_samples) * max(1, count // num_samples) % count
    return np.lib.stride_tricks.sliding_window_view(tokens, sequence_length)[starts]


def grid(
    weights: np.ndarray, bits: int, group_size: int = -1, per_channel: bool = True, symmetric: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """(scale, zero) of each row and group of columns: the values scale * (0 - zero), ..., scale * (2**bits - 1 - zero).

    The values go from the smallest weight to the largest one.

    Args:
        weights: Matrix (outputs, inputs).
        bits: Number of bits.
        group_size: Number of columns in a group; -1 means all.
        per_channel: Whether each row has its own values.
        symmetric: Whether the values extend as far below 0 as above.
    """
    outputs, inputs = weights.shape
    groups = math.ceil(inputs / group_size) if per_channel and group_size > 0 else 1
    if groups > 1:
        weights = np.pad(weights, ((0, 0), (0, groups * group_size - inputs)))
    weights = weights.reshape(outputs if per_channel else 1, groups, -1)
    least, greatest = weights.min(-1), weights.max(-1)
    if symmetric:
        greatest = np.maximum(np.abs(least), greatest)
        least = np.where(least < 0, -greatest, least)
    flat = least == greatest
    least, greatest = np.where(flat, least - 1, least), np.where(flat, greatest + 1, greatest)
    steps = np.float32(2**bits - 1)
    scale = ((greatest - least) / steps).astype("float32")
    scale = np.where(scale <= 0, np.float32(1e-8), scale)
    zero = np.full_like(scale, (steps + 1) / 2) if symmetric else np.round(-least / scale)
    zero = np.clip(zero, 0, 255).astype("uint8")
    return np.broadcast_to(scale, (outputs, groups)), np.broadcast_to(zero, (outputs, groups))


def to_codes(weights: np.ndarray, scale: np.ndarray, zero: np.ndarray, bits: int) -> np.ndarray:
    """The nearest values of a grid, as integers.

    Args:
        weights: Weights.
        scale, zero: Grid, of a shape that broadcasts to the weights.
        bits: Number of bits.
    """
    return np.clip(np.round(weights / scale + zero.astype(scale.dtype)), 0, 2**bits - 1)


def from_codes(codes: np.ndarray, scale: np.ndarray, zero: np.ndarray) -> np.ndarray:
    """The weights for integers of `to_codes`.

    Args:
        codes: Integers.
        scale, zero: Grid, of a shape that broadcasts to the integers.
    """
    return scale * (codes - zero.astype(scale.dtype))


def gptq(weights: Any, hessian: Any, config: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Round column by column; the inverse of the Hessian says how later columns compensate each error.

    Source: Frantar et al., 2022, arXiv:2210.17323.

    Args:
        weights: Matrix (outputs, inputs).
        hessian: `2 / N * inputs.T @ inputs`; a column that is always zero counts as one with the diagonal entry 1.
        config: GPTQConfig.

    Returns:
        (codes, scale, zero, group of each column).
    """
    weights, hessian = np.array(weights, "float32"), np.array(hessian, "float32")
    inputs = weights.shape[1]
    diagonal = np.diag(hessian)
    diagonal = np.where(diagonal == 0, np.float32(1), diagonal)
    np.fill_diagonal(hessian, diagonal + np.float32(config.hessian_damping) * diagonal.mean())
    inverse = np.linalg.inv(hessian)
    order = np.argsort(-np.diag(hessian), kind="stable") if config.activation_order else np.arange(inputs)
    back = np.argsort(order)
    size = inputs if config.group_size == -1 else config.group_size
    codes, scale, zero = _rounded(weights[:, order], inverse[order][:, order], size, config)
    return codes[:, back], scale, zero, (np.arange(inputs) // size)[back]


def _rounded(weights, inverse, group_size, config):
    inputs, bits = weights.shape[1], config.weight_bits
    codes, scales, zeros = np.zeros_like(weights), [], []
    for start in range(0, inputs, BLOCK):
        end = min(start + BLOCK, inputs)
        block, errors = weights[:, start:end].copy(), np.zeros_like(weights[:, start:end])
        for column in range(start, end):
            if column % group_size == 0:
                group = weights[:, column : column + group_size]
                scale, zero = grid(group, bits, -1, config.per_channel, config.symmetric)
                scales.append(scale)
                zeros.append(zero)
            current = block[:, [column - start]]
            codes[:, [column]] = to_codes(current, scales[-1], zeros[-1], bits)
            error = (current - from_codes(codes[:, [column]], scales[-1], zeros[-1])) / inverse[column, column]
            errors[:, [column - start]] = error
            block[:, column - start + 1 :] -= error * inverse[column, column + 1 : end]
        weights[:, end:] -= errors @ inverse[start:end, end:]
    return codes, np.concatenate(scales, 1), np.concatenate(zeros, 1)


def awq(weights: Any, greatest: Any, config: Any) -> tuple[np.ndarray, ...]:
    """Scale columns by a power of their largest activation before rounding; the power with the least error is chosen.

    Source: Lin et al., 2023, arXiv:2306.00978.

    Args:
        weights: Matrix (outputs, inputs).
        greatest: Largest absolute activation of each column.
        config: AWQConfig.

    Returns:
        (codes, scale, zero, factors, group of each column).
    """
    weights, greatest = np.asarray(weights, "float32"), np.asarray(greatest, "float32")
    greatest = np.where(greatest < 1e-8, np.float32(1), greatest)
    inputs, size = weights.shape[1], config.group_size
    groups = np.zeros(inputs, int) if size == -1 else np.arange(inputs) // size

    def rounded(factors):
        scale, zero = grid(weights * factors, config.weight_bits, size)
        beside = scale[:, groups], zero[:, groups]
        return to_codes(weights * factors, *beside, config.weight_bits), scale, zero, beside

    def cost(factors):
        codes, _, _, beside = rounded(factors)
        return np.mean(np.square(weights - from_codes(codes, *beside) / factors) * np.square(greatest))

    candidates = [_factors(greatest, point / config.num_grid_points) for point in range(config.num_grid_points + 1)]
    factors = min(candidates, key=cost)
    codes, scale, zero, _ = rounded(factors)
    return codes, scale, zero, factors, groups


def _factors(greatest, power):
    """greatest**power, divided by the geometric mean of its smallest and largest value."""
    factors = np.maximum(greatest ** np.float32(power), np.float32(1e-4))
    return factors / np.maximum(np.sqrt(factors.max() * factors.min()), np.float32(1e-8))
