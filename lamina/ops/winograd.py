"""Convolutions of two axes in steps of one, and their gradients, with a fraction of the multiplications.

Tiles of six by six inputs, and the kernel, are taken for polynomials; the products of their values at six points on
each axis are those of the convolution (Winograd, 1980; Lavin and Gray, 2016, arXiv:1509.09308). The points are 0, 1,
-1, 1/2, -2 and infinity: of such six these lose the fewest digits.
"""

import math

import jax
import jax.numpy as jnp

from lamina.ops.taps import pad, some_samples, wide

__all__ = ["convolve", "fits", "kernel_gradient"]

SIZE = 6  # of a tile, and the number of points
POINTS = 0.0, 1.0, -1.0, 0.5, -2.0
SCALES = 1.0, 1 / 3, -1 / 3, -16 / 15, 1 / 15  # one over the product of the differences from the other points
VALUES = 600_000  # at a time: 2.4 MB of float32 stay in the cache
TILES_A_CHANNEL = 8  # at a time, at the least: the kernel at the points is read again for each part


def fits(batch, space, kernel_shape, window):
    """Whether outputs of these sizes are computed faster so than by XLA: what docs/performance.md measured."""
    *taps, channels, filters = kernel_shape
    if len(taps) != 2 or taps[0] != taps[1] or not 3 <= taps[0] <= 5 or window.groups > 1:
        return False
    if max(*window.strides, *window.dilation) > 1 or min(channels, filters) < 16:
        return False
    tiles = batch * math.prod(-(-size // (SIZE + 1 - taps[0])) for size in space)
    fewer = SIZE**2 * (tiles * (channels * filters + 30 * (channels + filters)) + 30 * channels * filters)
    return fewer < batch * math.prod((*space, *kernel_shape))


def convolve(inputs, kernel, window):
    """As `lamina.ops.convolve.convolve`."""
    tiles = _Tiles(kernel.shape[0], window.output_space(inputs.shape[1:-1], kernel.shape))
    kernel = wide(kernel)
    by_rows = jnp.stack(_values_of_taps(kernel))
    weights = jnp.stack(_values_of_taps(by_rows.swapaxes(0, 1))).reshape(SIZE**2, *kernel.shape[2:])

    def of_some(inputs):
        return tiles.outputs(jnp.matmul(tiles.input_values(wide(inputs), window.padding), weights), len(inputs))

    outputs = some_samples(of_some, (inputs,), tiles.parts(inputs, kernel.shape[-1]))
    return outputs.astype(inputs.dtype)


def kernel_gradient(inputs, cotangent, window, shape):
    """As `lamina.ops.convolve.kernel_gradient`."""
    tiles = _Tiles(shape[0], cotangent.shape[1:-1])

    def of_some(inputs, cotangent):
        seen, given = tiles.input_values(wide(inputs), window.padding), tiles.output_values(wide(cotangent))
        return jax.lax.dot_general(seen, given, (((1,), (1,)), ((0,), (0,))))

    sums = some_samples(of_some, (inputs, cotangent), tiles.parts(inputs, cotangent.shape[-1]), add=True)
    sums = sums.reshape(SIZE, SIZE, *shape[2:])
    by_rows = jnp.stack(_taps_of(sums, shape[1]), 1)
    return jnp.stack(_taps_of(by_rows, shape[0])).astype(inputs.dtype)


class _Tiles:
    """How outputs of that space are cut into tiles. Values come as (points of columns and rows, tiles, channels)."""

    def __init__(self, taps, space):
        self.space, self.inside = space, SIZE + 1 - taps
        self.counts = [-(-size // self.inside) for size in space]

    def parts(self, inputs, filters):
        """How many parts the samples are best computed in."""
        channels = max(inputs.shape[-1], filters)
        at_a_time = max(VALUES / (SIZE**2 * channels), TILES_A_CHANNEL * channels)
        return inputs.shape[0] * math.prod(self.counts) / at_a_time

    def input_values(self, inputs, padding):
        """Those of inputs (batch, *space, channels) with zeros around them."""
        sizes = [(count - 1) * self.inside + SIZE for count in self.counts]
        edges = [
            (low, size - low - given) for (low, _), size, given in zip(padding, sizes, inputs.shape[1:-1], strict=True)
        ]
        by_rows = jnp.stack(_input_values(self._places(pad(inputs, edges), 1, self.counts[0])))
        return jnp.stack(_input_values(self._places(by_rows, 3, self.counts[1]))).reshape(SIZE**2, -1, inputs.shape[-1])

    def _places(self, array, axis, count):
        """For each place in a tile that one of all tiles along the axis."""
        last = (count - 1) * self.inside + 1
        return [jax.lax.slice_in_dim(array, i, i + last, self.inside, axis) for i in range(SIZE)]

    def outputs(self, products, batch):
        """Outputs (batch, *space, filters) from the products of values."""
        products = products.reshape(SIZE, SIZE, batch, *self.counts, -1)
        by_columns = jnp.stack(_outputs_of(products, self.inside), 4)
        outputs = jnp.stack(_outputs_of(by_columns, self.inside), 2)
        whole = outputs.reshape(batch, *(count * self.inside for count in self.counts), products.shape[-1])
        return whole[:, : self.space[0], : self.space[1]]

    def output_values(self, cotangent):
        """The transpose of `outputs`."""
        edges = [(0, count * self.inside - size) for count, size in zip(self.counts, self.space, strict=True)]
        rows, columns = self.counts
        padded = pad(cotangent, edges).reshape(len(cotangent), rows, self.inside, -1, cotangent.shape[-1])
        by_rows = jnp.stack(_gradient_values(jnp.moveaxis(padded, 2, 0)))
        by_rows = by_rows.reshape(*by_rows.shape[:3], columns, self.inside, -1)
        return jnp.stack(_gradient_values(jnp.moveaxis(by_rows, 4, 0))).reshape(SIZE**2, -1, cotangent.shape[-1])


def _input_values(x):
    """Six numbers in a row, each against the polynomial that is zero at all points but one."""
    even, odd = x[4] - x[2], x[3] - x[1]
    return [
        even + 1.5 * odd + (x[0] - x[2]),
        even + odd + 1.5 * (x[2] + x[3]),
        even - odd + 1.5 * (x[3] - x[2]),
        even + 2 * odd,
        even - 0.5 * odd,
        1.5 * even - odd + (x[5] - x[3]),
    ]


def _outputs_of(x, count):
    """`count` numbers of which the polynomial's values at the points are the products."""
    return [
        sum(point**degree * x[i] for i, point in enumerate(POINTS) if point or not degree)
        + (x[SIZE - 1] if degree == count - 1 else 0)
        for degree in range(count)
    ]


def _gradient_values(x):
    """The transpose of `_outputs_of`."""
    at_points = (sum(point**degree * x[degree] for degree in range(len(x)) if point or not degree) for point in POINTS)
    return [*at_points, x[-1]]


def _values_of_taps(x):
    """The values at the points of the polynomial of a row of taps, scaled."""
    values = _gradient_values(x)
    return [*(scale * value for scale, value in zip(SCALES, values, strict=False)), values[-1]]


def _taps_of(x, count):
    """The transpose of `_values_of_taps`."""
    return _outputs_of([*(scale * value for scale, value in zip(SCALES, x, strict=False)), x[SIZE - 1]], count)
