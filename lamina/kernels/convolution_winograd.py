"""Convolutions in steps of one, and their gradients, with a fraction of the multiplications.

Tiles of inputs along an axis, and the kernel, are taken for polynomials; the products of their values at as many points
are those of the convolution (Winograd, 1980; Lavin and Gray, 2016, arXiv:1509.09308). Both axes of images go through
six points each, or one axis through six or eight and the taps of the other as patches. The points are 0, 1, -1, 1/2,
-2, then 2, -1/2, and infinity: of such these lose the fewest digits.
"""

import functools
import math
from dataclasses import dataclass
from fractions import Fraction

import jax
import jax.numpy as jnp

from lamina.kernels.convolution_windows import pad, some_samples, wide

__all__ = ["convolve", "fits", "kernel_gradient"]

POINTS = [Fraction(point) for point in ("0", "1", "-1", "1/2", "-2", "2", "-1/2")]
FEWEST = 16  # channels
# What the ways cost, in multiplications of a large product. Each product of tiles is small where both axes go through
# points, and XLA gives small ones one thread.
A_PRODUCT = {1: 1, 2: 1.4}  # by how many axes go through points
A_VALUE = {1: 28, 2: 45}
A_WEIGHT, A_PATCH = 30, 20
VALUES = {1: 8_000_000, 2: 600_000}  # at a time: those of two axes, 2.4 MB of float32, stay in the cache
TILES_A_CHANNEL = 8  # at a time, at the least: the kernel at the points is read again for each part


def fits(batch, space, kernel_shape, window, axes=(1, 2)):
    """Whether outputs of these sizes are computed faster so than as products of patches, with so many axes through
    points: by what docs/performance.md measured."""
    plans = [plan for plan in _plans(space, kernel_shape, window) if len(plan.axes) in axes]
    *taps, channels, filters = kernel_shape
    plain = batch * math.prod((*space, *taps)) * channels * (filters + A_PATCH)
    return any(plan.cost(batch, channels, filters) < plain for plan in plans)


def convolve(inputs, kernel, window):
    """As `lamina.kernels.convolution.convolve`."""
    batch, (channels, filters) = len(inputs), kernel.shape[-2:]
    plans = _plans(window.output_space(inputs.shape[1:-1], kernel.shape), kernel.shape, window)
    plan = min(plans, key=lambda plan: plan.cost(batch, channels, filters))
    weights = plan.weights(wide(kernel))

    def of_some(inputs):
        return plan.outputs(jnp.matmul(plan.values(wide(inputs), window.padding), weights), len(inputs))

    return some_samples(of_some, (inputs,), plan.parts(batch, channels, filters)).astype(inputs.dtype)


def kernel_gradient(inputs, cotangent, window, shape):
    """As `lamina.kernels.convolution.kernel_gradient`; both axes go through points."""
    batch, (channels, filters) = len(inputs), shape[-2:]
    plan = next(plan for plan in _plans(cotangent.shape[1:-1], shape, window) if len(plan.axes) == 2)

    def of_some(inputs, cotangent):
        seen, given = plan.values(wide(inputs), window.padding), plan.output_values(wide(cotangent))
        return jax.lax.dot_general(seen, given, (((1,), (1,)), ((0,), (0,))))

    sums = some_samples(of_some, (inputs, cotangent), plan.parts(batch, channels, filters), add=True)
    return plan.taps_of(sums, shape).astype(inputs.dtype)


def _plans(space, kernel_shape, window):
    """All ways for outputs of that space."""
    *taps, channels, filters = kernel_shape
    if len(taps) != 2 or window.groups > 1 or min(channels, filters) < FEWEST:
        return []
    if max(*window.strides, *window.dilation) > 1:
        return []
    tiles = [
        [_Tiles(*size, axis, points) for points in (6, 8)] for axis, size in enumerate(zip(space, taps, strict=True))
    ]
    both = [(tiles[0][0], tiles[1][0])]
    ones = [(tile,) for along in tiles for tile in along if tile.points == 8 or taps[1 - tile.axis] > 1]
    return [_Plan(tuple(space), tuple(taps), axes) for axes in both + ones if all(tile.are_few for tile in axes)]


@dataclass(frozen=True)
class _Tiles:
    """How an axis of so many outputs, of a window of so many taps, is cut into tiles and taken to points."""

    size: int
    taps: int
    axis: int
    points: int

    @property
    def inside(self):
        """Outputs of a tile."""
        return self.points + 1 - self.taps

    @property
    def are_few(self):
        """Whether there are fewer products than with the taps."""
        return self.taps > 2 and self.inside > 1 and self.count * self.points < self.size * self.taps

    @property
    def count(self):
        return -(-self.size // self.inside)

    def padding(self, low, given):
        """Zeros around that many inputs."""
        return low, (self.count - 1) * self.inside + self.points - low - given

    def matrices(self):
        return _matrices(self.inside, self.taps)


@dataclass(frozen=True)
class _Plan:
    """Which axes of outputs of that space go through points. Values come as (points, tiles, channels), those of the
    last axis before those of the first."""

    space: tuple[int, ...]
    taps: tuple[int, ...]
    axes: tuple[_Tiles, ...]

    @property
    def points(self):
        return math.prod(tiles.points for tiles in self.axes)

    @property
    def seen(self):
        """The taps of the other axes."""
        return math.prod(self.taps) // math.prod(tiles.taps for tiles in self.axes)

    @property
    def counts(self):
        """Along each axis, the tiles or, of one that does not go through points, the outputs."""
        return dict(enumerate(self.space)) | {tiles.axis: tiles.count for tiles in self.axes}

    @property
    def tiles(self):
        """In a sample."""
        return math.prod(self.counts.values())

    def numbers(self, channels, filters):
        """What is written for a tile at a point."""
        return channels * (self.seen + 1 if self.seen > 1 else 1) + filters

    def cost(self, batch, channels, filters):
        a_product, a_value = A_PRODUCT[len(self.axes)], A_VALUE[len(self.axes)]
        weights = self.seen * channels * filters
        a_tile = a_product * weights + a_value * self.numbers(channels, filters)
        return self.points * (batch * self.tiles * a_tile + A_WEIGHT * weights)

    def parts(self, batch, channels, filters):
        """How many parts the samples are best computed in."""
        values, most = VALUES[len(self.axes)], max(channels, filters)
        if len(self.axes) == 1:
            return batch * self.tiles * self.points * self.numbers(channels, filters) / values
        return batch * self.tiles / max(values / (self.points * most), TILES_A_CHANNEL * most)

    def weights(self, kernel):
        """The kernel (*window, channels, filters) at the points."""
        kernel = jnp.moveaxis(kernel, [tiles.axis for tiles in self.axes], range(len(self.axes)))
        for done, tiles in enumerate(self.axes):
            taps = [jax.lax.index_in_dim(kernel, i, done, keepdims=False) for i in range(tiles.taps)]
            kernel = jnp.stack(_combine(tiles.matrices().of_taps, taps))
        return kernel.reshape(self.points, -1, kernel.shape[-1])

    def values(self, inputs, padding):
        """Those of inputs (batch, *space, channels) with zeros around them."""
        edges = list(padding)
        for tiles in self.axes:
            edges[tiles.axis] = tiles.padding(padding[tiles.axis][0], inputs.shape[1 + tiles.axis])
        array = pad(inputs, edges)
        for done, tiles in enumerate(self.axes):
            last = (tiles.count - 1) * tiles.inside + 1
            axis = done + 1 + tiles.axis
            places = [jax.lax.slice_in_dim(array, i, i + last, tiles.inside, axis) for i in range(tiles.points)]
            array = jnp.stack(_combine(tiles.matrices().of_inputs, places))
        if self.seen > 1:
            other = 1 - self.axes[0].axis
            starts, size = range(self.taps[other]), self.space[other]
            array = jnp.stack([jax.lax.slice_in_dim(array, i, i + size, 1, 2 + other) for i in starts], -2)
        return array.reshape(self.points, -1, self.seen * inputs.shape[-1])

    def outputs(self, products, batch):
        """Outputs (batch, *space, filters) from the products of values."""
        counts = self.counts
        array = products.reshape(*(tiles.points for tiles in self.axes[::-1]), batch, *counts.values(), -1)
        for left, tiles in reversed(list(enumerate(self.axes))):
            array = jnp.stack(_combine(tiles.matrices().to_outputs, array), left + 2 + tiles.axis)
            counts[tiles.axis] *= tiles.inside
        whole = array.reshape(batch, *counts.values(), products.shape[-1])
        return whole[:, : self.space[0], : self.space[1]]

    def output_values(self, cotangent):
        """The transpose of `outputs`."""
        edges = [(0, 0), (0, 0)]
        for tiles in self.axes:
            edges[tiles.axis] = 0, tiles.count * tiles.inside - tiles.size
        array = pad(cotangent, edges)
        for done, tiles in enumerate(self.axes):
            axis = done + 1 + tiles.axis
            array = array.reshape(*array.shape[:axis], tiles.count, tiles.inside, *array.shape[axis + 1 :])
            array = jnp.stack(
                _combine(zip(*tiles.matrices().to_outputs, strict=True), jnp.moveaxis(array, axis + 1, 0))
            )
        return array.reshape(self.points, -1, cotangent.shape[-1])

    def taps_of(self, sums, shape):
        """The transpose of `weights`, of that shape."""
        array = sums.reshape(*(tiles.points for tiles in self.axes[::-1]), -1, *shape[-2:])
        for left, tiles in reversed(list(enumerate(self.axes))):
            array = jnp.stack(_combine(zip(*tiles.matrices().of_taps, strict=True), array), left)
        return array.reshape(shape)


@dataclass(frozen=True)
class _Matrices:
    """Rows of numbers: values at the points of the polynomial of taps, scaled; inputs against the polynomials that are
    zero at all points but one; and outputs, of which the polynomial's values are the products."""

    of_taps: list
    of_inputs: list
    to_outputs: list


@functools.cache
def _matrices(inside, taps):
    """For so many outputs of a tile."""
    points = POINTS[: inside + taps - 2]
    others = [[other for other in points if other != point] for point in points]
    scales = [
        1 / math.prod((point - other for other in rest), start=Fraction(1))
        for point, rest in zip(points, others, strict=True)
    ]
    of_taps = [[scale * point**i for i in range(taps)] for scale, point in zip(scales, points, strict=True)]
    of_inputs = [[*_polynomial(rest), 0] for rest in others]
    to_outputs = [[*(point**i for point in points), int(i == inside - 1)] for i in range(inside)]
    return _Matrices([*of_taps, [0] * (taps - 1) + [1]], [*of_inputs, _polynomial(points)], to_outputs)


def _polynomial(roots):
    """The coefficients of the product of x - root, those of the lowest degree first."""
    coefficients = [Fraction(1)]
    for root in roots:
        shifted, scaled = [0, *coefficients], [*(root * number for number in coefficients), 0]
        coefficients = [more - less for more, less in zip(shifted, scaled, strict=True)]
    return coefficients


def _combine(matrix, arrays):
    """The sums of the arrays times the numbers of each row."""
    return [sum(float(number) * array for number, array in zip(row, arrays, strict=True) if number) for row in matrix]
