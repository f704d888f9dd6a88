"""tf.nn, tf.linalg and tf.math: functions of fewer programs than those of `nets` and `array_tables`."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import scipy as jsp

from lamina import ops
from lamina.compat import nets
from lamina.compat.array_tables import of
from lamina.compat.arrays import array
from lamina.compat.functions import constant, per_axis
from lamina.compat.sparse import SparseTensor
from lamina.core.variable import unwrap

__all__ = ["LINALG", "MATH", "NN", "SPECIAL"]


def separable_conv2d(input: Any, depthwise_filter: Any, pointwise_filter: Any, strides: Any, padding: Any,
                     data_format: Any = None, dilations: Any = None, name: Any = None) -> Any:  # fmt: skip
    """`tf.nn.separable_conv2d`."""
    inner = nets.depthwise_conv2d(input, depthwise_filter, strides, padding, data_format, dilations)
    return ops.conv(inner, constant(pointwise_filter), 1, "valid", "channels_last")


def convolution(input: Any, filters: Any, strides: Any = None, padding: Any = "VALID", data_format: Any = None,
                dilations: Any = None, name: Any = None) -> Any:  # fmt: skip
    """`tf.nn.convolution`, of one, two or three axes."""
    rank = np.ndim(filters) - 2
    return nets.MORE_NN.get(f"conv{rank}d", nets.convolution(rank))(
        input, filters, 1 if strides is None else strides, padding, None, dilations)  # fmt: skip


def pool(input: Any, window_shape: Any, pooling_type: Any, strides: Any = None, padding: Any = "VALID",
         data_format: Any = None, dilations: Any = None, name: Any = None) -> Any:  # fmt: skip
    """`tf.nn.pool` with pooling_type "MAX" or "AVG"."""
    function = ops.max_pool if pooling_type == "MAX" else ops.average_pool
    steps = tuple(strides or [1] * len(window_shape))
    return function(constant(input), tuple(window_shape), steps, padding.lower(), "channels_last")


def max_pool_with_argmax(input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any = "NHWC",
                         output_dtype: Any = "int64", include_batch_in_index: Any = False, name: Any = None
                         ) -> Any:  # fmt: skip
    """`tf.nn.max_pool_with_argmax`: (the maxima, their places in the flattened picture)."""
    x = array(input)
    _, height, width, channels = x.shape
    places = jnp.arange(x.size).reshape(x.shape)
    places = places if include_batch_in_index else places % (height * width * channels)
    parts = [_windows(one, ksize, strides, padding, fill) for one, fill in ((x, -np.inf), (places, 0))]
    best = jnp.argmax(parts[0], 3, keepdims=True)
    return tuple(jnp.take_along_axis(one, best, 3)[:, :, :, 0] for one in parts)


def _windows(x, ksize, strides, padding, fill):
    """(batch, rows, columns, place in the window, channels)."""
    (high, wide), (down, right) = (per_axis(one, 2) for one in (ksize, strides))
    if padding == "SAME":
        more = [max((-(-size // step) - 1) * step + window - size, 0)
                for size, step, window in zip(x.shape[1:3], (down, right), (high, wide), strict=True)]  # fmt: skip
        x = jnp.pad(x, [(0, 0), *((one // 2, one - one // 2) for one in more), (0, 0)],
                    constant_values=np.asarray(fill).astype(x.dtype))  # fmt: skip
    rows, columns = (x.shape[1] - high) // down + 1, (x.shape[2] - wide) // right + 1
    return jnp.stack([x[:, i : i + rows * down : down, j : j + columns * right : right][:, :rows, :columns]
                      for i in range(high) for j in range(wide)], 3)  # fmt: skip


def _morphology(sign):
    def run(input=None, filters=None, strides=None, padding=None, data_format="NHWC", dilations=(1,) * 4, name=None,
            value=None):  # fmt: skip
        x, kernel = array(value if input is None else input), array(filters)
        parts = _windows(x, kernel.shape[:2], strides, padding, -np.inf * sign)
        heights = kernel if sign > 0 else jnp.flip(kernel, (0, 1))
        parts = parts + sign * heights.reshape(-1, kernel.shape[2])
        return parts.max(3) if sign > 0 else parts.min(3)

    return run


def sufficient_statistics(x: Any, axes: Any, shift: Any = None, keepdims: Any = False, name: Any = None) -> Any:
    """`tf.nn.sufficient_statistics`: (count, sum, sum of squares, shift)."""
    x, axes = array(x), tuple(axes)
    count = jnp.asarray(float(np.prod([x.shape[axis] for axis in axes])), x.dtype)
    moved = x if shift is None else x - shift
    return count, moved.sum(axes, keepdims=keepdims), jnp.square(moved).sum(axes, keepdims=keepdims), shift


def weighted_moments(x: Any, axes: Any, frequency_weights: Any, keepdims: Any = False, name: Any = None) -> Any:
    """`tf.nn.weighted_moments`: (mean, variance)."""
    x = array(x)
    axes, weights = tuple(np.atleast_1d(axes).tolist()), jnp.broadcast_to(array(frequency_weights, x.dtype), x.shape)
    mean = (x * weights).sum(axes, keepdims=True) / weights.sum(axes, keepdims=True)
    variance = (weights * jnp.square(x - mean)).sum(axes, keepdims=True) / weights.sum(axes, keepdims=True)
    return (mean, variance) if keepdims else (mean.squeeze(axes), variance.squeeze(axes))


def _decoded(sequences):
    longest = max(map(len, sequences), default=0)
    places = [(row, at) for row, found in enumerate(sequences) for at in range(len(found))]
    labels = jnp.asarray([one for found in sequences for one in found], "int32")
    return SparseTensor(np.reshape(places, (-1, 2)), labels, (len(sequences), longest))


def ctc_greedy_decoder(inputs: Any, sequence_length: Any, merge_repeated: Any = True, blank_index: Any = None) -> Any:
    """`tf.nn.ctc_greedy_decoder`: ([sparse labels], (batch, 1) negated sums of the largest logits)."""
    logits, lengths = np.asarray(unwrap(inputs)), np.ravel(unwrap(sequence_length))
    blank = (logits.shape[-1] - 1 if blank_index is None else blank_index) % logits.shape[-1]
    best, found = logits.argmax(-1), []
    for row, size in enumerate(lengths):
        path = best[:size, row]
        kept = np.ones(len(path), bool)
        if merge_repeated and len(path):
            kept[1:] = path[1:] != path[:-1]
        found.append(path[kept & (path != blank)].tolist())
    sums = [-logits[:size, row].max(-1).sum() for row, size in enumerate(lengths)]
    return [_decoded(found)], jnp.asarray(sums, "float32")[:, None]


def ctc_beam_search_decoder(inputs: Any, sequence_length: Any, beam_width: int = 100, top_paths: int = 1) -> Any:
    """`tf.nn.ctc_beam_search_decoder`, with the last class as blank: ([sparse labels] by path, log probabilities)."""
    logits = jnp.swapaxes(array(inputs), 0, 1)
    labels, scores = ops.ctc_decode(logits, array(sequence_length, "int32"), "beam_search", beam_width, top_paths,
                                    mask_index=logits.shape[-1] - 1)  # fmt: skip
    paths = [[[int(one) for one in row if one >= 0] for row in np.asarray(path)] for path in labels]
    return [_decoded(path) for path in paths], scores


def _sampled(weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values, remove, seed):
    labels = array(labels, "int32").reshape(-1, num_true)
    weights, biases, inputs = array(weights), array(biases), array(inputs)
    if sampled_values is None:
        draw = nets.SAMPLERS["log_uniform_candidate_sampler"]
        sampled_values = draw(labels, num_true, num_sampled, True, num_classes, seed)
    classes, of_true, of_classes = map(array, sampled_values)
    true = jnp.einsum("bd,btd->bt", inputs, weights[labels]) + biases[labels] - jnp.log(of_true.reshape(labels.shape))
    others = inputs @ weights[classes].T + biases[classes] - jnp.log(of_classes)
    if remove:
        hit = (labels[:, :, None] == classes).any(1)
        others = jnp.where(hit, jnp.finfo(others.dtype).min, others)
    return jnp.concatenate([true, others], 1)


def sampled_softmax_loss(weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int,
                         num_true: int = 1, sampled_values: Any = None, remove_accidental_hits: bool = True,
                         seed: Any = None, name: Any = None) -> Any:  # fmt: skip
    """`tf.nn.sampled_softmax_loss`, of Jean et al. (2014)."""
    logits = _sampled(weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values,
                      remove_accidental_hits, seed)  # fmt: skip
    return -jax.nn.log_softmax(logits)[:, :num_true].mean(1)


def nce_loss(weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int,
             num_true: int = 1, sampled_values: Any = None, remove_accidental_hits: bool = False, name: Any = None
             ) -> Any:  # fmt: skip
    """`tf.nn.nce_loss`, of Gutmann and Hyvärinen (2010)."""
    logits = _sampled(weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values,
                      remove_accidental_hits, None)  # fmt: skip
    true = jax.nn.softplus(-logits[:, :num_true]).sum(1) / num_true
    return true + jax.nn.softplus(logits[:, num_true:]).sum(1)


def space_to_batch(input: Any, block_shape: Any, paddings: Any, name: Any = None) -> Any:
    """`tf.space_to_batch`: blocks of the axes after the first one moved into the batch."""
    blocks = np.ravel(block_shape).tolist()
    x = array(input)
    x = jnp.pad(x, [(0, 0), *map(tuple, np.asarray(paddings).tolist()), *[(0, 0)] * (x.ndim - 1 - len(blocks))])
    split = [part for size, block in zip(x.shape[1:], blocks, strict=False) for part in (size // block, block)]
    rest = x.shape[1 + len(blocks) :]
    x = x.reshape(x.shape[0], *split, *rest)
    inner = [2 + 2 * place for place in range(len(blocks))]
    order = [*inner, 0, *(place - 1 for place in inner), *range(1 + 2 * len(blocks), x.ndim)]
    return x.transpose(order).reshape(-1, *split[::2], *rest)


def batch_to_space(input: Any, block_shape: Any, crops: Any, name: Any = None) -> Any:
    """`tf.batch_to_space`: what `tf.space_to_batch` did, back."""
    blocks, x = np.ravel(block_shape).tolist(), array(input)
    count, sizes = len(blocks), x.shape[1 : 1 + len(blocks)]
    x = x.reshape(*blocks, -1, *x.shape[1:])
    order = [count, *(part for place in range(count) for part in (count + 1 + place, place)),
             *range(2 * count + 1, x.ndim)]  # fmt: skip
    x = x.transpose(order)
    x = x.reshape(
        x.shape[0], *(size * block for size, block in zip(sizes, blocks, strict=True)), *x.shape[1 + 2 * count :]
    )
    for axis, (before, after) in enumerate(np.asarray(crops).tolist(), 1):
        x = jax.lax.slice_in_dim(x, before, x.shape[axis] - after, axis=axis)
    return x


def tridiagonal_matmul(diagonals: Any, rhs: Any, diagonals_format: Any = "compact", name: Any = None) -> Any:
    """`tf.linalg.tridiagonal_matmul` of (superdiagonal, diagonal, subdiagonal)."""
    above, middle, below = _diagonals(diagonals, diagonals_format)
    x = array(rhs)
    up, down = jnp.roll(x, -1, -2), jnp.roll(x, 1, -2)
    return above[..., None] * up + middle[..., None] * x + below[..., None] * down


def _diagonals(diagonals, kind):
    if kind == "matrix":
        matrix = array(diagonals)
        size = matrix.shape[-1]
        rows = jnp.arange(size)
        above = jnp.where(rows < size - 1, matrix[..., rows, (rows + 1) % size], 0)
        return above, matrix[..., rows, rows], jnp.where(rows > 0, matrix[..., rows, rows - 1], 0)
    above, middle, below = (array(one) for one in (
        diagonals if kind == "sequence" else [array(diagonals)[..., row, :] for row in range(3)]))  # fmt: skip
    short = [(0, 0)] * (middle.ndim - 1)
    above = above if above.shape == middle.shape else jnp.pad(above, [*short, (0, 1)])
    below = below if below.shape == middle.shape else jnp.pad(below, [*short, (1, 0)])
    return above.at[..., -1].set(0), middle, below.at[..., 0].set(0)


def tridiagonal_solve(diagonals: Any, rhs: Any, diagonals_format: Any = "compact", transpose_rhs: Any = False,
                      conjugate_rhs: Any = False, name: Any = None, **_: Any) -> Any:  # fmt: skip
    """`tf.linalg.tridiagonal_solve` of (superdiagonal, diagonal, subdiagonal)."""
    above, middle, below = _diagonals(diagonals, diagonals_format)
    x = array(rhs)
    x = jnp.swapaxes(x, -1, -2) if transpose_rhs else x
    one = x.ndim == middle.ndim
    found = jax.lax.linalg.tridiagonal_solve(below, middle, above, x[..., None] if one else x)
    return found[..., 0] if one else found


def _unpacked_lu(lower_upper, perm):
    matrix = array(lower_upper)
    lower = jnp.tril(matrix, -1) + jnp.eye(matrix.shape[-1], dtype=matrix.dtype)
    return lower, jnp.triu(matrix), jnp.argsort(array(perm), -1)


def lu_reconstruct(lower_upper: Any, perm: Any, validate_args: Any = False, name: Any = None) -> Any:
    """`tf.linalg.lu_reconstruct`: the matrix of `tf.linalg.lu`."""
    lower, upper, back = _unpacked_lu(lower_upper, perm)
    return jnp.take_along_axis(lower @ upper, back[..., None], -2)


def lu_solve(lower_upper: Any, perm: Any, rhs: Any, validate_args: Any = False, name: Any = None) -> Any:
    """`tf.linalg.lu_solve`."""
    return jnp.linalg.solve(lu_reconstruct(lower_upper, perm), array(rhs))


SPECIAL: dict[str, Any] = {
    **{name: of(getattr(jsp.special, name)) for name in ("expi", "spence", "fresnel") if hasattr(jsp.special, name)},
    "expint": of(jsp.special.expi), "bessel_i0": of(jsp.special.i0), "bessel_i0e": of(jsp.special.i0e),
    "bessel_i1": of(jsp.special.i1), "bessel_i1e": of(jsp.special.i1e),
}  # fmt: skip
MATH: dict[str, Any] = {
    "reciprocal_no_nan": of(lambda x: jnp.where(x == 0, 0, 1 / jnp.where(x == 0, 1, x))),
    "approx_max_k": lambda operand, k, *_, **__: tuple(jax.lax.top_k(array(operand), k)),
}  # fmt: skip
NN: dict[str, Any] = {
    "separable_conv2d": separable_conv2d, "convolution": convolution, "pool": pool,
    "atrous_conv2d": lambda value, filters, rate, padding, name=None: convolution(
        value, filters, 1, padding, None, rate),
    "max_pool_with_argmax": max_pool_with_argmax, "dilation2d": _morphology(1), "erosion2d": _morphology(-1),
    "sufficient_statistics": sufficient_statistics, "weighted_moments": weighted_moments,
    "ctc_greedy_decoder": ctc_greedy_decoder, "ctc_beam_search_decoder": ctc_beam_search_decoder,
    "sampled_softmax_loss": sampled_softmax_loss, "nce_loss": nce_loss, "space_to_batch": space_to_batch,
    "batch_to_space": batch_to_space,
}  # fmt: skip
LINALG: dict[str, Any] = {
    "eigvals": lambda tensor, name=None: jnp.asarray(np.linalg.eigvals(np.asarray(array(tensor)))),
    "lu_reconstruct": lu_reconstruct, "lu_solve": lu_solve, "lu_matrix_inverse": lambda lower_upper, perm, **_:
        jnp.linalg.inv(lu_reconstruct(lower_upper, perm)),
    "tridiagonal_matmul": tridiagonal_matmul, "tridiagonal_solve": tridiagonal_solve,
    "eigh_tridiagonal": lambda alpha, beta, eigvals_only=True, **_: jsp.linalg.eigh_tridiagonal(
        array(alpha), array(beta), eigvals_only=eigvals_only),
}  # fmt: skip
