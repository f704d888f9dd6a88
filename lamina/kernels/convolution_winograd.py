"""Convolutions with stride 1, and their gradients, by Winograd's algorithm: a fraction of the multiplications.

Tiles of the inputs along an axis, and the kernel, are taken as polynomials and transformed to their values at as many
points as a tile has inputs; the products of these values, transformed back, are the outputs (Winograd, 1980; Lavin and
Gray, 2016, arXiv:1509.09308). Either both axes of images are transformed, in tiles of six inputs, or one axis, in tiles
of six or eight, with im2col along the other. The points are 0, 1, -1, 1/2, -2, then 2, -1/2, and infinity, which lose
the fewest digits.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import jax
import jax.numpy as jnp

from lamina.kernels.convolution_windows import Window, in_chunks, pad, to_float32

__all__ = ["convolve", "is_faster", "kernel_gradient"]

POINTS = [Fraction(point) for point in ("0", "1", "-1", "1/2", "-2", "2", "-1/2")]
MIN_CHANNELS = 16
# Costs in multiplications of a large matrix product, by the number of transformed axes. Products of tiles are small
# where both axes are transformed, and XLA computes small ones on one thread.
PRODUCT_COST = {1: 1.0, 2: 1.4}
TRANSFORM_COST = {1: 28, 2: 45}  # of a value of inputs or outputs
WEIGHT_COST, PATCH_COST = 30, 20  # of a value of the transformed kernel, and of im2col's patches
CHUNK_VALUES = {1: 8_000_000, 2: 600_000}  # with two axes, 2.4 MB of float32 stay in the cache
MIN_TILES_PER_CHANNEL = 8  # in a chunk: each chunk reads the transformed kernel again


def is_faster(
    batch: int, space: Sequence[int], kernel_shape: Sequence[int], window: Window, axes: Sequence[int] = (1, 2)
) -> bool:
    """Whether outputs of these sizes are computed faster so than by im2col (measured in docs/performance.md).

    Args:
        batch: Number of samples.
        space: The spatial sizes of the outputs.
        kernel_shape: The shape of the kernel.
        window: The window.
        axes: The numbers of axes that may be transformed.
    """
    plans = [plan for plan in _plans(space, kernel_shape, window) if len(plan.axes) in axes]
    *sizes, channels, filters = kernel_shape
    im2col_cost = batch * math.prod((*space, *sizes)) * channels * (filters + PATCH_COST)
    return any(plan.cost(batch, channels, filters) < im2col_cost for plan in plans)


def convolve(inputs: jax.Array, kernel: jax.Array, window: Window) -> jax.Array:
    """As `lamina.kernels.convolution.convolve`."""
    batch, (channels, filters) = len(inputs), kernel.shape[-2:]
    plans = _plans(window.output_space(inputs.shape[1:-1], kernel.shape), kernel.shape, window)
    plan = min(plans, key=lambda plan: plan.cost(batch, channels, filters))
    weights = plan.transform_kernel(to_float32(kernel))

    def chunk(inputs):
        values = plan.transform_inputs(to_float32(inputs), window.padding)
        return plan.inverse_transform(jnp.matmul(values, weights), len(inputs))

    return in_chunks(chunk, (inputs,), plan.chunks(batch, channels, filters)).astype(inputs.dtype)


def kernel_gradient(inputs: jax.Array, cotangent: jax.Array, window: Window, shape: Sequence[int]) -> jax.Array:
    """As `lamina.kernels.convolution.kernel_gradient`; both axes are transformed."""
    batch, (channels, filters) = len(inputs), shape[-2:]
    plan = next(plan for plan in _plans(cotangent.shape[1:-1], shape, window) if len(plan.axes) == 2)

    def chunk(inputs, cotangent):
        left = plan.transform_inputs(to_float32(inputs), window.padding)
        right = plan.inverse_transform_transpose(to_float32(cotangent))
        return jax.lax.dot_general(left, right, (((1,), (1,)), ((0,), (0,))))

    sums = in_chunks(chunk, (inputs, cotangent), plan.chunks(batch, channels, filters), add=True)
    return plan.transform_kernel_transpose(sums, shape).astype(inputs.dtype)


def _plans(space, kernel_shape, window):
    """All plans for outputs of that space."""
    *sizes, channels, filters = kernel_shape
    if len(sizes) != 2 or window.groups > 1 or min(channels, filters) < MIN_CHANNELS:
        return []
    if max(*window.strides, *window.dilation) > 1:
        return []
    tilings = [
        [_Tiling(*pair, axis, tile) for tile in (6, 8)] for axis, pair in enumerate(zip(space, sizes, strict=True))
    ]
    both = [(tilings[0][0], tilings[1][0])]
    ones = [(tiling,) for of_axis in tilings for tiling in of_axis if tiling.tile == 8 or sizes[1 - tiling.axis] > 1]
    return [_Plan(tuple(space), tuple(sizes), axes) for axes in both + ones if all(one.saves_products for one in axes)]


@dataclass(frozen=True)
class _Tiling:
    """How an axis is cut into tiles: F(m, r) of the paper, with tiles of m + r - 1 inputs.

    Args:
        length: Outputs along the axis.
        kernel_size: Elements of the kernel along the axis, r.
        axis: Which spatial axis.
        tile: Inputs of a tile, m + r - 1.
    """

    length: int
    kernel_size: int
    axis: int
    tile: int

    @property
    def outputs(self):
        """Outputs of a tile, m."""
        return self.tile + 1 - self.kernel_size

    @property
    def count(self):
        return -(-self.length // self.outputs)

    @property
    def saves_products(self):
        return self.kernel_size > 2 and self.outputs > 1 and self.count * self.tile < self.length * self.kernel_size

    def padding(self, low, size):
        """Zeros around `size` inputs."""
        return low, (self.count - 1) * self.outputs + self.tile - low - size

    def matrices(self):
        return _matrices(self.outputs, self.kernel_size)


@dataclass(frozen=True)
class _Plan:
    """Which axes are transformed. Transformed values have the shape (points, tiles, channels), the points of the last
    axis before those of the first.

    Args:
        space: The spatial sizes of the outputs.
        sizes: The sizes of the window.
        axes: The tilings of the transformed axes.
    """

    space: tuple[int, ...]
    sizes: tuple[int, ...]
    axes: tuple[_Tiling, ...]

    @property
    def points(self):
        return math.prod(tiling.tile for tiling in self.axes)

    @property
    def patch_size(self):
        """Elements of the window along the axis that is not transformed, for im2col."""
        return math.prod(self.sizes) // math.prod(tiling.kernel_size for tiling in self.axes)

    @property
    def counts(self):
        """For each axis, its tiles or, if it is not transformed, its outputs."""
        return dict(enumerate(self.space)) | {tiling.axis: tiling.count for tiling in self.axes}

    @property
    def tiles(self):
        """Tiles of a sample."""
        return math.prod(self.counts.values())

    def values(self, channels, filters):
        """Values that are written for a tile and a point."""
        return channels * (self.patch_size + 1 if self.patch_size > 1 else 1) + filters

    def cost(self, batch, channels, filters):
        product, transform = PRODUCT_COST[len(self.axes)], TRANSFORM_COST[len(self.axes)]
        weights = self.patch_size * channels * filters
        tile = product * weights + transform * self.values(channels, filters)
        return self.points * (batch * self.tiles * tile + WEIGHT_COST * weights)

    def chunks(self, batch, channels, filters):
        """Into how many chunks the samples are best cut."""
        values, most = CHUNK_VALUES[len(self.axes)], max(channels, filters)
        if len(self.axes) == 1:
            return batch * self.tiles * self.points * self.values(channels, filters) / values
        return batch * self.tiles / max(values / (self.points * most), MIN_TILES_PER_CHANNEL * most)

    def transform_kernel(self, kernel):
        """The kernel (*window, channels, filters) -> (points, patch_size * channels, filters)."""
        kernel = jnp.moveaxis(kernel, [tiling.axis for tiling in self.axes], range(len(self.axes)))
        for done, tiling in enumerate(self.axes):
            parts = [jax.lax.index_in_dim(kernel, i, done, keepdims=False) for i in range(tiling.kernel_size)]
            kernel = jnp.stack(_combine(tiling.matrices().kernel, parts))
        return kernel.reshape(self.points, -1, kernel.shape[-1])

    def transform_inputs(self, inputs, padding):
        """Inputs (batch, *space, channels), with zeros around them -> (points, tiles, patch_size * channels)."""
        edges = list(padding)
        for tiling in self.axes:
            edges[tiling.axis] = tiling.padding(padding[tiling.axis][0], inputs.shape[1 + tiling.axis])
        array = pad(inputs, edges)
        for done, tiling in enumerate(self.axes):
            last = (tiling.count - 1) * tiling.outputs + 1
            axis = done + 1 + tiling.axis
            parts = [jax.lax.slice_in_dim(array, i, i + last, tiling.outputs, axis) for i in range(tiling.tile)]
            array = jnp.stack(_combine(tiling.matrices().inputs, parts))
        if self.patch_size > 1:
            other = 1 - self.axes[0].axis
            starts, size = range(self.sizes[other]), self.space[other]
            array = jnp.stack([jax.lax.slice_in_dim(array, i, i + size, 1, 2 + other) for i in starts], -2)
        return array.reshape(self.points, -1, self.patch_size * inputs.shape[-1])

    def inverse_transform(self, products, batch):
        """Products (points, tiles, filters) -> outputs (batch, *space, filters)."""
        counts = self.counts
        array = products.reshape(*(tiling.tile for tiling in self.axes[::-1]), batch, *counts.values(), -1)
        for left, tiling in reversed(list(enumerate(self.axes))):
            array = jnp.stack(_combine(tiling.matrices().outputs, array), left + 2 + tiling.axis)
            counts[tiling.axis] *= tiling.outputs
        whole = array.reshape(batch, *counts.values(), products.shape[-1])
        return whole[:, : self.space[0], : self.space[1]]

    def inverse_transform_transpose(self, cotangent):
        """Cotangents of the outputs -> (points, tiles, filters)."""
        edges = [(0, 0), (0, 0)]
        for tiling in self.axes:
            edges[tiling.axis] = 0, tiling.count * tiling.outputs - tiling.length
        array = pad(cotangent, edges)
        for done, tiling in enumerate(self.axes):
            axis = done + 1 + tiling.axis
            array = array.reshape(*array.shape[:axis], tiling.count, tiling.outputs, *array.shape[axis + 1 :])
            columns = zip(*tiling.matrices().outputs, strict=True)
            array = jnp.stack(_combine(columns, jnp.moveaxis(array, axis + 1, 0)))
        return array.reshape(self.points, -1, cotangent.shape[-1])

    def transform_kernel_transpose(self, sums, shape):
        """Cotangents of the transformed kernel -> those of a kernel of that shape."""
        array = sums.reshape(*(tiling.tile for tiling in self.axes[::-1]), -1, *shape[-2:])
        for left, tiling in reversed(list(enumerate(self.axes))):
            array = jnp.stack(_combine(zip(*tiling.matrices().kernel, strict=True), array), left)
        return array.reshape(shape)


@dataclass(frozen=True)
class _Matrices:
    """Rows of the transformation matrices: outputs = A.T @ ((G @ kernel) * (B.T @ inputs)).

    Args:
        kernel: G, the values of the kernel's polynomial at the points, scaled.
        inputs: B.T, the inputs against the polynomials that are zero at all points except one.
        outputs: A.T, the outputs from the products.
    """

    kernel: list
    inputs: list
    outputs: list


@functools.cache
def _matrices(outputs, kernel_size):
    """For tiles of so many outputs."""
    points = POINTS[: outputs + kernel_size - 2]
    others = [[other for other in points if other != point] for point in points]
    scales = [
        1 / math.prod((point - other for other in rest), start=Fraction(1))
        for point, rest in zip(points, others, strict=True)
    ]
    g = [[scale * point**i for i in range(kernel_size)] for scale, point in zip(scales, points, strict=True)]
    b = [[*_polynomial(rest), 0] for rest in others]
    a = [[*(point**i for point in points), int(i == outputs - 1)] for i in range(outputs)]
    return _Matrices([*g, [0] * (kernel_size - 1) + [1]], [*b, _polynomial(points)], a)


def _polynomial(roots):
    """The coefficients of the product of x - root, those of the lowest degree first."""
    coefficients = [Fraction(1)]
    for root in roots:
        shifted, scaled = [0, *coefficients], [*(root * number for number in coefficients), 0]
        coefficients = [more - less for more, less in zip(shifted, scaled, strict=True)]
    return coefficients


def _combine(matrix, arrays):
    """matrix @ arrays, in additions and multiplications by constants."""
    return [sum(float(number) * array for number, array in zip(row, arrays, strict=True) if number) for row in matrix]
