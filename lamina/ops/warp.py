"""Resampling of images: coordinates, affine and perspective transforms, elastic deformation."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.arguments import choice, rank
from lamina.core.op import op
from lamina.core.read_limits import reserve_array
from lamina.core.typing import ArrayLike, DataFormat, SeedLike, Tensor, TensorLike
from lamina.errors import ShapeError
from lamina.ops.arrays import floating, tensor
from lamina.random import draw_seed
from lamina.runtime.settings import standardize_data_format

__all__ = ["affine_transform", "elastic_transform", "map_coordinates", "perspective_transform"]

ORDERS = {"nearest": 0, "bilinear": 1}


@op(settings=("order",))
def map_coordinates(
    inputs: TensorLike,
    coordinates: TensorLike,
    order: int,
    fill_mode: str = "constant",
    fill_value: float | ArrayLike = 0,
) -> Any:
    """The inputs at positions between their elements.

    Shapes: inputs of rank r, coordinates (r, ...) -> (...).

    Args:
        inputs: Tensor of rank r.
        coordinates: Positions of shape (r, ...), in elements.
        order: 0 for the nearest element, 1 for linear interpolation.
        fill_mode: Values beyond the edges of a b c d: "constant" (`fill_value`), "nearest" (a a | a b c d | d d),
            "wrap" (c d | a b c d | a b), "mirror" (c b | a b c d | c b) or "reflect" (b a | a b c d | d c).
        fill_value: Value beyond the edges with "constant".

    >>> import lamina as keras
    >>> keras.ops.image.map_coordinates([0.0, 10.0], [[0.25]], order=1)
    Array([2.5], dtype=float32)
    """
    inputs, coordinates = tensor(inputs), tensor(coordinates)
    if coordinates.shape[0] != inputs.ndim:
        raise ShapeError(
            f"map_coordinates: coordinates must have one row for each of the {inputs.ndim} axes of the inputs; "
            f"got shape {tuple(coordinates.shape)}.",
            fix=f"coordinates of shape ({inputs.ndim}, ...): keras.ops.moveaxis(coordinates, -1, 0)"
            if coordinates.shape[-1] == inputs.ndim
            else f"coordinates = keras.ops.zeros(({inputs.ndim}, 5)) would be five points.",
        )
    choice("map_coordinates", "order", order, (0, 1))
    return _sample(inputs, floating(coordinates), order, fill_mode, fill_value)


def _sample(inputs, coordinates, order, fill_mode, fill_value):
    """The sum of the neighbours of each position, weighted by interpolation."""
    axes = [_neighbours(position, order) for position in coordinates]
    total = 0.0
    for neighbours in itertools.product(*axes):
        inside, index, weight = jnp.asarray(True), [], 1.0
        for (element, factor), size in zip(neighbours, inputs.shape, strict=True):
            inside &= (element >= 0) & (element < size)
            index.append(_inside(element, size, fill_mode))
            weight = weight * factor
        values = inputs[tuple(index)]
        if fill_mode == "constant":
            values = jnp.where(inside, values, jnp.asarray(fill_value, inputs.dtype))
        total = total + weight * values
    if jnp.issubdtype(inputs.dtype, jnp.integer):
        total = jnp.round(total)
    return jnp.asarray(total).astype(inputs.dtype)


def _neighbours(position, order):
    """(index, weight) of the elements next to each position."""
    if order == 0:
        return [(jnp.round(position).astype("int32"), 1.0)]
    # XLA computes it several times, rounded in different ways: the index would be of one, and the weight of another.
    low = jax.lax.optimization_barrier(jnp.floor(position).astype("int32"))
    part = position - low.astype(position.dtype)
    return [(low, 1 - part), (low + 1, part)]


def _inside(index, size, fill_mode):
    """Indices beyond the edges as those of the elements that `fill_mode` puts there."""
    if fill_mode in ("constant", "nearest"):
        return jnp.clip(index, 0, size - 1)
    if fill_mode == "wrap":
        return index % size
    if fill_mode == "reflect":
        index = index % (2 * size)
        return jnp.minimum(index, 2 * size - 1 - index)
    if fill_mode == "mirror":
        index = index % max(2 * size - 2, 1)
        return jnp.minimum(index, 2 * size - 2 - index)
    return choice("An op of images", "fill_mode", fill_mode, ("constant", "nearest", "wrap", "mirror", "reflect"))


@op
def affine_transform(
    images: TensorLike,
    transform: TensorLike,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float | ArrayLike = 0,
    data_format: DataFormat = None,
) -> Tensor:
    """Images whose pixel (x, y) is the one at (a0 x + a1 y + a2, b0 x + b1 y + b2) of the inputs.

    Shapes: ([batch], height, width, channels) -> the same.

    Args:
        images: Images of shape ([batch], height, width, channels).
        transform: [a0, a1, a2, b0, b1, b2, c0, c1] of shape (8,) or (batch, 8); c0 and c1 are not used.
        interpolation: "nearest" or "bilinear".
        fill_mode: Values beyond the edges of a b c d: "constant" (`fill_value`), "nearest" (a a | a b c d | d d),
            "wrap" (c d | a b c d | a b), "mirror" (c b | a b c d | c b) or "reflect" (b a | a b c d | d c).
        fill_value: Value beyond the edges with "constant".
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """
    return _warped(images, floating(transform), _affine, interpolation, fill_mode, fill_value, data_format)


def _affine(row, x, y):
    return row[0] * x + row[1] * y + row[2], row[3] * x + row[4] * y + row[5]


@op
def perspective_transform(
    images: TensorLike,
    start_points: TensorLike,
    end_points: TensorLike,
    interpolation: str = "bilinear",
    fill_value: float | ArrayLike = 0,
    data_format: DataFormat = None,
) -> Tensor:
    """Images transformed by the perspective map that displacements four `start_points` to `end_points`.

    Shapes: ([batch], height, width, channels) -> the same.

    Args:
        images: Images of shape ([batch], height, width, channels).
        start_points: Four points (x, y) in the inputs, of shape (4, 2) or (batch, 4, 2).
        end_points: Where these points are in the outputs, of the same shape.
        interpolation: "nearest" or "bilinear".
        fill_value: Value beyond the edges.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """
    start_points, end_points = floating(start_points), floating(end_points)
    for name, points in (("start_points", start_points), ("end_points", end_points)):
        if points.shape[-2:] != (4, 2):
            message = f"{name} must be four pairs (x, y) of shape (..., 4, 2); got {tuple(points.shape)}."
            raise ShapeError(message, fix=f"{name}=[[0, 0], [8, 0], [8, 8], [0, 8]]")
    rows = homography(end_points, start_points)
    return _warped(images, rows, _projective, interpolation, "constant", fill_value, data_format)


def _projective(row, x, y):
    scale = row[6] * x + row[7] * y + 1
    return tuple(coordinate / scale for coordinate in _affine(row, x, y))


@functools.partial(jnp.vectorize, signature="(n,d),(n,d)->(k)")
def homography(points: Any, images_of_points: Any) -> Any:
    """The eight numbers of the perspective map that takes four points (x, y) to their images.

    Shapes: (..., 4, 2), (..., 4, 2) -> (..., 8).
    """
    x, y = points.astype(jnp.promote_types(points.dtype, "float32")).T  # no equation is solved in half precision
    u, v = images_of_points.T
    one, zero = jnp.ones_like(x), jnp.zeros_like(x)
    for_u = jnp.stack([x, y, one, zero, zero, zero, -x * u, -y * u], axis=1)
    for_v = jnp.stack([zero, zero, zero, x, y, one, -x * v, -y * v], axis=1)
    return jnp.linalg.solve(jnp.concatenate([for_u, for_v]), jnp.concatenate([u, v]))


def _warped(images, rows, mapping, interpolation, fill_mode, fill_value, data_format):
    """Images of either format, with or without a batch, warped by one row of parameters for each or for all."""
    choice("An op of images", "interpolation", interpolation, ORDERS)
    images = tensor(images)
    rank("An op of images", "images", images.shape, 3, 4, "([batch], height, width, channels)")
    first = standardize_data_format(data_format) == "channels_first"
    batch = images if images.ndim == 4 else images[None]
    rows = jnp.broadcast_to(rows, (batch.shape[0], rows.shape[-1]))
    outputs = _warp(batch, rows, mapping, ORDERS[interpolation], fill_mode, fill_value, first)
    return outputs if images.ndim == 4 else outputs[0]


@functools.partial(jax.jit, static_argnames=("mapping", "order", "fill_mode", "first"))
def _warp(batch, rows, mapping, order, fill_mode, fill_value, first=False):
    """Each image sampled at `mapping(row, x, y)`, with a row of parameters of its own, in one compiled program."""
    batch = batch if first else jnp.moveaxis(batch, -1, 1)
    y, x = jnp.meshgrid(jnp.arange(batch.shape[2]), jnp.arange(batch.shape[3]), indexing="ij")

    def one(image, row):
        new_x, new_y = mapping(row, x.astype(rows.dtype), y.astype(rows.dtype))
        coordinates = jnp.stack([new_y, new_x])
        return jax.vmap(lambda plane: _sample(plane, coordinates, order, fill_mode, fill_value))(image)

    batch = jax.vmap(one)(batch, rows)
    return batch if first else jnp.moveaxis(batch, 1, -1)


@op
def elastic_transform(
    images: TensorLike,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float | ArrayLike = 0.0,
    seed: SeedLike = None,
    data_format: DataFormat = None,
) -> Tensor:
    """Images whose pixels are displaced by smooth noise: normal noise of standard deviation `sigma`, blurred by
    `sigma`, times `alpha`.

    Shapes: ([batch], height, width, channels) -> the same.

    Args:
        images: Images of shape ([batch], height, width, channels).
        alpha: Factor of the displacements.
        sigma: Standard deviation of the noise, and of the blur in pixels.
        interpolation: "nearest" or "bilinear".
        fill_mode: Values beyond the edges of a b c d: "constant" (`fill_value`), "nearest" (a a | a b c d | d d),
            "wrap" (c d | a b c d | a b), "mirror" (c b | a b c d | c b) or "reflect" (b a | a b c d | d c).
        fill_value: Value beyond the edges with "constant".
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.

    Source: P. Simard, D. Steinkraus, J. Platt, "Best Practices for Convolutional Neural Networks", ICDAR 2003.
    """
    images = tensor(images)
    first = standardize_data_format(data_format) == "channels_first"
    batch = images if images.ndim == 4 else images[None]
    batch = jnp.moveaxis(batch, 1, -1) if first else batch
    displacements = elastic_displacements(batch.shape, alpha, sigma, float(sigma), draw_seed(seed))
    outputs = displace(batch, displacements, interpolation, fill_mode, fill_value)
    outputs = jnp.moveaxis(outputs, -1, 1) if first else outputs
    return outputs if images.ndim == 4 else outputs[0]


@functools.partial(jax.jit, static_argnames=("shape", "largest_sigma"))
def elastic_displacements(shape: Sequence[int], alpha: Any, sigma: Any, largest_sigma: float, seed: Any) -> Any:
    """The displacements of the pixels of images of this shape (batch, height, width, channels): (batch, 2 for x and y,
    height, width). `largest_sigma` is a number that `sigma`, which may be traced, does not exceed; `seed` is a key.
    """
    noise = jax.random.normal(seed, (2, *shape[:3]))
    displacements = alpha * sigma * jax.vmap(jax.vmap(lambda plane: _blurred(plane, sigma, largest_sigma)))(noise)
    return jnp.moveaxis(displacements, 0, 1)


def displace(batch: Any, displacements: Any, interpolation: str, fill_mode: str, fill_value: Any) -> Any:
    """Images (batch, height, width, channels) whose pixel p is the input's at p + displacement."""
    return _warp(batch, displacements, _translate, ORDERS[interpolation], fill_mode, fill_value)


def _translate(displacement, x, y):
    return x + displacement[0], y + displacement[1]


def _blurred(plane, sigma, largest_sigma):
    """A plane smoothed by a Gaussian that is cut at three standard deviations."""
    reach = int(3 * largest_sigma)
    reserve_array((2 * reach + 1,), 32, "A kernel")
    steps, sigma = np.arange(-reach, reach + 1), jnp.maximum(sigma, 1e-6)
    curve = jnp.where(np.abs(steps) <= 3 * sigma, jnp.exp(-0.5 * (steps / sigma) ** 2), 0)
    curve = (curve / curve.sum()).astype(plane.dtype)
    along = jax.vmap(lambda line: jnp.convolve(line, curve, mode="full")[reach : reach + len(line)])
    return along(along(plane).T).T
