"""Weights as whole numbers chosen by data: the grid of GPTQ and AWQ, both ways of choosing, and windows of a dataset.

Everything here is NumPy in float32 on matrices (outputs, inputs), the transposed kernels: it runs once, and a large
kernel need not be on the device twice.
"""

import math

import numpy as np

from lamina.errors import DataError

BLOCK = 128  # columns whose errors are made up for together


def windows(dataset, tokenizer, sequence_length, num_samples):
    """(num_samples, sequence_length) tokens, evenly spread over the dataset, which is repeated where it is short."""
    if not hasattr(dataset, "__iter__") or isinstance(dataset, (str, bytes)):
        raise DataError(f"A dataset to calibrate on is an iterable of texts or tokens; got {type(dataset).__name__}.")
    tokenize = getattr(tokenizer, "tokenize", tokenizer)
    pieces = [np.asarray(tokenize(one) if isinstance(one, str) else one).reshape(-1) for one in dataset]
    tokens = np.concatenate(pieces).astype("int32") if pieces else np.zeros(0, "int32")
    if not tokens.size:
        raise DataError("The dataset to calibrate on is empty.", fix="Pass a list of texts, or of arrays of tokens.")
    tokens = np.tile(tokens, max(1, math.ceil(num_samples * sequence_length / tokens.size)))
    count = tokens.size - sequence_length + 1
    starts = np.arange(num_samples) * max(1, count // num_samples) % count
    return np.lib.stride_tricks.sliding_window_view(tokens, sequence_length)[starts]


def grid(weights, bits, group_size=-1, per_channel=True, symmetric=False):
    """(scale, zero) of each row and group of columns: the values scale * (0 - zero), ..., scale * (2**bits - 1 - zero).

    They go from the least weight to the greatest; symmetric ones as far below 0 as above.
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
    return (np.broadcast_to(part, (outputs, groups)) for part in (scale, zero))


def to_codes(weights, scale, zero, bits):
    """The nearest points of the grid, as whole numbers."""
    return np.clip(np.round(weights / scale + zero.astype(scale.dtype)), 0, 2**bits - 1)


def from_codes(codes, scale, zero):
    """The weights that the codes stand for."""
    return scale * (codes - zero.astype(scale.dtype))


def gptq(weights, hessian, config):
    """(codes, scale, zero, group of each column): rounded column by column, each error made up for by the columns that
    follow, as the inverse of the Hessian says (Frantar et al., 2022, arXiv:2210.17323).

    `hessian` is 2 / N * inputs.T @ inputs; a column without any input counts as one of its own.
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
            now = block[:, [column - start]]
            codes[:, [column]] = to_codes(now, scales[-1], zeros[-1], bits)
            error = (now - from_codes(codes[:, [column]], scales[-1], zeros[-1])) / inverse[column, column]
            errors[:, [column - start]] = error
            block[:, column - start + 1 :] -= error * inverse[column, column + 1 : end]
        weights[:, end:] -= errors @ inverse[start:end, end:]
    return codes, np.concatenate(scales, 1), np.concatenate(zeros, 1)


def awq(weights, greatest, config):
    """(codes, scale, zero, factors, group of each column): columns are scaled up by a power of the greatest input they
    meet before they are rounded, the power being the one that costs least (Lin et al., 2023, arXiv:2306.00978)."""
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
    """greatest**power, around 1: the geometric mean of its ends."""
    factors = np.maximum(greatest ** np.float32(power), np.float32(1e-4))
    return factors / np.maximum(np.sqrt(factors.max() * factors.min()), np.float32(1e-8))
