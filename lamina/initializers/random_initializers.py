"""Random initializers. They use NumPy's generators, so no shape costs a compilation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.core import dtypes
from lamina.core.arguments import choice, real, whole
from lamina.core.placement import Parts
from lamina.core.read_limits import FLOPS_PER_STEP, reserve_steps
from lamina.core.typing import DTypeLike, SeedLike, ShapeLike, Tensor
from lamina.errors import ConfigError, MissingMethodError, ShapeError
from lamina.initializers.initializer import (
    Initializer,
    fill_normal,
    fill_truncated_normal,
    fill_uniform,
    numpy_type,
    parts_of,
    sizes_of,
)
from lamina.random import SeedGenerator, default_seed

__all__ = [
    "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform", "Orthogonal",
    "OrthogonalInitializer", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "glorot_normal",
    "glorot_uniform", "he_normal", "he_uniform", "lecun_normal", "lecun_uniform", "orthogonal", "random_normal",
    "random_uniform", "truncated_normal", "variance_scaling",
]  # fmt: skip

TRUNCATED_STDDEV = 0.87962566103423978  # the standard deviation of a standard normal cut off at -2 and 2


class RandomInitializer(Initializer):
    """Base of the random initializers. Subclasses write `draw(generator, parts, real)`, where `real` is NumPy's float32
    or float64.

    Args:
        seed: Whole number, which gives the same values at each call, a SeedGenerator, which moves on,
            or None for a seed drawn once.
    """

    def __init__(self, seed: SeedLike = None) -> None:
        if seed is not None and not isinstance(seed, SeedGenerator):
            whole(self, "seed", seed, 0, example=1)
        self.seed = seed
        self._seed = default_seed() if seed is None else seed

    def __call__(self, shape: ShapeLike, dtype: DTypeLike | None = None) -> Tensor:
        if not dtypes.is_float(dtype):
            raise ConfigError(
                f"{type(self).__name__} gives floats; got dtype {dtypes.standardize_dtype(dtype)!r}.",
                fix="dtype='float32'",
            )
        seed = np.asarray(self._seed.next()) if isinstance(self._seed, SeedGenerator) else self._seed
        real = np.float64 if numpy_type(dtype) == np.float64 else np.float32
        parts = parts_of(sizes_of(shape), dtype)
        for _ in parts.rounds():
            self.draw(np.random.default_rng(seed), parts, real)
        return parts.array()

    def draw(self, generator: np.random.Generator, parts: Parts, real: Any) -> None:
        """Fill the parts of a weight."""
        raise MissingMethodError(
            f"{type(self).__name__} needs a method `draw`.", fix="def draw(self, generator, parts, real):"
        )


class RandomNormal(RandomInitializer):
    """Normally distributed values.

    Args:
        mean: Mean of the values.
        stddev: Standard deviation of the values.
        seed: Whole number, which gives the same values at each call, a SeedGenerator, which moves on, or None
            for a seed drawn once.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: SeedLike = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def draw(self, generator: np.random.Generator, parts: Parts, real: Any) -> None:
        fill_normal(generator, parts, real, self.mean, self.stddev)


class TruncatedNormal(RandomInitializer):
    """Normally distributed values within 2 `stddev` of `mean`.

    Args:
        mean: Mean of the values.
        stddev: Standard deviation of the values before truncation.
        seed: Whole number, which gives the same values at each call, a SeedGenerator, which moves on, or None
            for a seed drawn once.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: SeedLike = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def draw(self, generator: np.random.Generator, parts: Parts, real: Any) -> None:
        fill_truncated_normal(generator, parts, real, self.mean, self.stddev)


class RandomUniform(RandomInitializer):
    """Uniformly distributed values from [minval, maxval).

    Args:
        minval: Lower bound, included.
        maxval: Upper bound, excluded.
        seed: Whole number, which gives the same values at each call, a SeedGenerator, which moves on, or None
            for a seed drawn once.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: SeedLike = None) -> None:
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def draw(self, generator: np.random.Generator, parts: Parts, real: Any) -> None:
        fill_uniform(generator, parts, real, self.minval, self.maxval)


def compute_fans(
    shape: Sequence[int], input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
) -> tuple[int, int]:
    """(fan in, fan out): how many inputs contribute to one output, and how many outputs one input contributes to.

    Args:
        shape: Shape of the weight. Without the two lists of axes it ends in (inputs, outputs), after the window.
        input_axes: Axes that are inputs.
        output_axes: Axes that are outputs.

    >>> compute_fans((3, 3, 16, 32)), compute_fans((4, 8, 5), input_axes=[0], output_axes=[1, 2])
    ((144, 288), (4, 40))
    """
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[axis] for axis in input_axes), math.prod(shape[axis] for axis in output_axes)
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    *window, inputs, outputs = shape
    return math.prod(window) * inputs, math.prod(window) * outputs


class VarianceScaling(RandomInitializer):
    """Values of mean 0 and variance `scale / fan`, so that signals keep their
    variance from layer to layer (Glorot and Bengio, 2010).

    Args:
        scale: Variance of the values times the fan.
        mode: The fan: "fan_in", "fan_out" or their mean, "fan_avg" (see `compute_fans`).
        distribution: "truncated_normal" (or "normal"), "untruncated_normal" or "uniform".
        seed: Whole number, which gives the same values at each call, a SeedGenerator, which moves on, or None
            for a seed drawn once.
        input_axes: Axes of the shape that are inputs, where the weight is not `(..., inputs, outputs)`.
        output_axes: Axes of the shape that are outputs.

    >>> float(VarianceScaling(3.0, "fan_in", "uniform", seed=0)((9, 4)).max()) <= 1.0
    True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: SeedLike = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(seed)
        real(self, "scale", scale, 0, example=1.0, ends="(]")
        choice(self, "mode", mode, ("fan_in", "fan_out", "fan_avg"))
        distribution = "truncated_normal" if distribution == "normal" else str(distribution).lower()
        choice(self, "distribution", distribution, ("truncated_normal", "uniform", "untruncated_normal"))
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes

    def draw(self, generator: np.random.Generator, parts: Parts, real: Any) -> None:
        fan_in, fan_out = compute_fans(parts.shape, self.input_axes, self.output_axes)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        stddev = math.sqrt(self.scale / max(1.0, fan))
        if self.distribution == "uniform":
            limit = math.sqrt(3) * stddev
            fill_uniform(generator, parts, real, -limit, limit)
        elif self.distribution == "truncated_normal":
            fill_truncated_normal(generator, parts, real, 0, stddev / TRUNCATED_STDDEV)
        else:
            fill_normal(generator, parts, real, 0, stddev)


class _Scaled(VarianceScaling):
    """VarianceScaling whose first three arguments are set by the class and are not part of the config."""

    _setting = (1.0, "fan_in", "truncated_normal")

    def __init__(
        self,
        seed: SeedLike = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(*self._setting, seed, input_axes, output_axes)


class GlorotUniform(_Scaled):
    """Uniformly distributed values of variance 2 / (fan in + fan out) (Glorot and Bengio, 2010).

    Args:
        seed: Whole number, which gives the same values at each call, a SeedGenerator, which moves on, or None
            for a seed drawn once.
        input_axes: Axes of the shape that are inputs, where the weight is not `(..., inputs, outputs)`.
        output_axes: Axes of the shape that are outputs.
    """

    _setting = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal values of variance 2 / (fan in + fan out) (Glorot and Bengio, 2010).

    Args:
        seed: Whole number, which gives the same values at each call, a SeedGenerator, which moves on, or None
            for a seed drawn once.
        input_axes: Axes of the shape that are inputs, where the weight is not `(..., inputs, outputs)`.
        output_axes: Axes of the shape that are outputs.
    """

    _setting = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Uniformly distributed values of variance 2 / fan in (He et al., 2015, arXiv:1502.01852).

    Args:
        seed: Whole number, which gives the same values at each call, a SeedGenerator, which moves on, or None
            for a seed drawn once.
        input_axes: Axes of the shape that are inputs, where the weight is not `(..., inputs, outputs)`.
        output_axes: Axes of the shape that are outputs.
    """

    _setting = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal values of variance 2 / fan in (He et al., 2015, arXiv:1502.01852).

    Args:
        seed: Whole number, which gives the same values at each call, a SeedGenerator, which moves on, or None
            for a seed drawn once.
        input_axes: Axes of the shape that are inputs, where the weight is not `(..., inputs, outputs)`.
        output_axes: Axes of the shape that are outputs.
    """

    _setting = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniformly distributed values of variance 1 / fan in (LeCun et al., 1998; Klambauer et al., 2017).

    Args:
        seed: Whole number, which gives the same values at each call, a SeedGenerator, which moves on, or None
            for a seed drawn once.
        input_axes: Axes of the shape that are inputs, where the weight is not `(..., inputs, outputs)`.
        output_axes: Axes of the shape that are outputs.
    """

    _setting = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal values of variance 1 / fan in (LeCun et al., 1998; Klambauer et al., 2017).

    Args:
        seed: Whole number, which gives the same values at each call, a SeedGenerator, which moves on, or None
            for a seed drawn once.
        input_axes: Axes of the shape that are inputs, where the weight is not `(..., inputs, outputs)`.
        output_axes: Axes of the shape that are outputs.
    """

    _setting = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """`gain` times a random matrix of orthonormal rows or columns, whichever are fewer (Saxe et al., 2014,
    arXiv:1312.6120).

    Shapes: (..., columns), read as a matrix of prod(...) rows.

    Args:
        gain: Factor of the orthogonal matrix.
        seed: Whole number, which gives the same values at each call, a SeedGenerator, which moves on, or None
            for a seed drawn once.
    """

    def __init__(self, gain: float = 1.0, seed: SeedLike = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def draw(self, generator: np.random.Generator, parts: Parts, real: Any) -> None:
        shape = parts.shape
        if len(shape) < 2:
            raise ShapeError(f"Orthogonal needs a shape of rank 2 or more; got {shape}.", fix="'glorot_uniform'")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        reserve_steps(2 * rows * columns * min(rows, columns) // FLOPS_PER_STEP, f"A QR decomposition of {shape}")
        q, r = np.linalg.qr(generator.standard_normal((max(rows, columns), min(rows, columns)), real))
        q = q * np.where(np.diag(r) < 0, -1, 1).astype(real)  # makes the draw even over all orthogonal matrices
        parts.put(tuple((0, size) for size in shape), self.gain * (q if rows >= columns else q.T).reshape(shape))


random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
orthogonal = Orthogonal
glorot_uniform = GlorotUniform
glorot_normal = GlorotNormal
he_uniform = HeUniform
he_normal = HeNormal
lecun_uniform = LecunUniform
lecun_normal = LecunNormal
OrthogonalInitializer = Orthogonal
