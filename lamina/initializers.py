"""Initializers: the first values of weights. The random ones use NumPy's generators: no shape costs a compilation."""

import math
from typing import Any

import jax
import numpy as np

from lamina.core import configurable, context, dtypes, registry
from lamina.core.configurable import Configurable, resolver
from lamina.core.placement import place
from lamina.core.variable import Variable, unwrap
from lamina.errors import ConfigError, ShapeError
from lamina.random import SeedGenerator, default_seed, is_seed

__all__ = [
    "STFT", "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "IdentityInitializer",
    "Initializer", "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "OrthogonalInitializer", "RandomNormal",
    "RandomUniform", "STFTInitializer", "TruncatedNormal", "VarianceScaling", "Zeros", "constant", "deserialize", "get",
    "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "identity", "lecun_normal", "lecun_uniform", "ones",
    "orthogonal", "random_normal", "random_uniform", "serialize", "stft", "truncated_normal", "variance_scaling",
    "zeros",
]  # fmt: skip

TRUNCATED_STDDEV = 0.87962566103423978  # the standard deviation of a standard normal cut off at -2 and 2


class Initializer(Configurable):
    """`initializer(shape, dtype)` is an array: the first value of a weight. Subclasses write `__call__`.

    >>> import lamina as keras
    >>> keras.initializers.Constant(2.0)((2,))
    Array([2., 2.], dtype=float32)
    """

    def __call__(self, shape, dtype=None):
        raise NotImplementedError(f"{type(self).__name__} needs a method __call__(self, shape, dtype=None).")

    def clone(self):
        """An initializer of the same config."""
        return self.from_config(self.get_config())


def _array(values, dtype):
    """New NumPy values as a JAX array; the cast is NumPy's, since JAX's would compile for each shape."""
    return place(values.astype(_numpy_type(dtype), copy=False), context.placement(values.shape))


def _numpy_type(dtype):
    return jax.dtypes.canonicalize_dtype(dtypes.numpy_dtype(dtype))


def _sizes(shape):
    return (int(shape),) if np.ndim(shape) == 0 else tuple(int(size) for size in shape)


class Constant(Initializer):
    """`value` everywhere: a number, or an array that broadcasts to the shape."""

    def __init__(self, value: Any = 0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        value = np.asarray(unwrap(self.value))
        try:
            values = np.broadcast_to(value, _sizes(shape))
        except ValueError:
            raise ShapeError(f"Expected `shape` to be one that values {value.shape} fill; got {shape}.") from None
        return _array(values.copy(), dtype)  # a JAX array may share the memory it is made from


class Zeros(Initializer):
    """0 everywhere."""

    def __call__(self, shape, dtype=None):
        return _array(np.zeros(_sizes(shape), _numpy_type(dtype)), dtype)


class Ones(Initializer):
    """1 everywhere."""

    def __call__(self, shape, dtype=None):
        return _array(np.ones(_sizes(shape), _numpy_type(dtype)), dtype)


class Identity(Initializer):
    """`gain` times the identity matrix. Shapes: (rows, columns)."""

    def __init__(self, gain=1.0):
        self.gain = gain

    def __call__(self, shape, dtype=None):
        shape = _sizes(shape)
        if len(shape) != 2:
            raise ShapeError(f"Identity gives matrices; got shape {shape}.")
        return _array(self.gain * np.eye(*shape), dtype)


class RandomInitializer(Initializer):
    """Base of the random ones: an integer seed, or None for one drawn now, gives the same values at each call;
    a SeedGenerator moves on. Subclasses write `draw(generator, shape, real)`, `real` NumPy's float32 or float64."""

    def __init__(self, seed=None):
        if seed is not None and not isinstance(seed, SeedGenerator) and not (is_seed(seed) and seed >= 0):
            raise ConfigError(f"seed is an integer of 0 or more or a SeedGenerator; got {seed!r}.")
        self.seed = seed
        self._seed = default_seed() if seed is None else seed

    def __call__(self, shape, dtype=None):
        if not dtypes.is_float(dtype):
            raise ConfigError(f"{type(self).__name__} gives floats; got dtype {dtypes.standardize_dtype(dtype)!r}.")
        seed = np.asarray(self._seed.next()) if isinstance(self._seed, SeedGenerator) else self._seed
        real = np.float64 if _numpy_type(dtype) == np.float64 else np.float32
        return _array(self.draw(np.random.default_rng(seed), _sizes(shape), real), dtype)

    def draw(self, generator, shape, real):
        raise NotImplementedError(f"{type(self).__name__} needs a method draw(self, generator, shape, real).")


def _normal(generator, shape, real, mean, stddev):
    values = generator.standard_normal(shape, real)
    return values * real(stddev) + real(mean)


def _truncated_normal(generator, shape, real, mean, stddev):
    """Normal values, those outside of two standard deviations drawn anew until none is left."""
    values = generator.standard_normal(math.prod(shape), real)
    outside = np.flatnonzero(np.abs(values) > 2)
    while outside.size:
        values[outside] = generator.standard_normal(outside.size, real)
        outside = outside[np.abs(values[outside]) > 2]
    return values.reshape(shape) * real(stddev) + real(mean)


def _uniform(generator, shape, real, minval, maxval):
    return generator.random(shape, real) * real(maxval - minval) + real(minval)


class RandomNormal(RandomInitializer):
    """Normal values."""

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def draw(self, generator, shape, real):
        return _normal(generator, shape, real, self.mean, self.stddev)


class TruncatedNormal(RandomInitializer):
    """Normal values within 2 `stddev` of `mean`."""

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def draw(self, generator, shape, real):
        return _truncated_normal(generator, shape, real, self.mean, self.stddev)


class RandomUniform(RandomInitializer):
    """Even values from [minval, maxval)."""

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def draw(self, generator, shape, real):
        return _uniform(generator, shape, real, self.minval, self.maxval)


def compute_fans(shape, input_axes=None, output_axes=None):
    """(fan in, fan out): how many values meet in one output, and how many outputs one value reaches.

    A kernel ends in (inputs, outputs), and the axes before are its window; or the two lists of axes say it.

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
    """Values of mean 0 and variance `scale / fan`, so that what passes through a layer keeps its size.

    Args:
        mode: the fan: "fan_in", "fan_out" or their mean, "fan_avg" (see `compute_fans`).
        distribution: "truncated_normal" (or "normal"), "untruncated_normal" or "uniform".
        input_axes, output_axes: the axes that are inputs and outputs, where the weight is not (..., inputs, outputs).

    >>> float(VarianceScaling(3.0, "fan_in", "uniform", seed=0)((9, 4)).max()) <= 1.0
    True
    """

    def __init__(
        self, scale=1.0, mode="fan_in", distribution="truncated_normal", seed=None, input_axes=None, output_axes=None
    ):
        super().__init__(seed)
        if not scale > 0:
            raise ConfigError(f"Argument `scale` must be positive float; got {scale!r}.")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ConfigError(f"Invalid `mode` argument: expected 'fan_in', 'fan_out' or 'fan_avg'; got {mode!r}.")
        distribution = "truncated_normal" if distribution == "normal" else str(distribution).lower()
        if distribution not in ("uniform", "truncated_normal", "untruncated_normal"):
            raise ConfigError(
                "Invalid `distribution` argument: expected 'uniform', 'truncated_normal' or 'untruncated_normal'; "
                f"got {distribution!r}."
            )
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes

    def draw(self, generator, shape, real):
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        stddev = math.sqrt(self.scale / max(1.0, fan))
        if self.distribution == "uniform":
            limit = math.sqrt(3) * stddev
            return _uniform(generator, shape, real, -limit, limit)
        if self.distribution == "truncated_normal":
            return _truncated_normal(generator, shape, real, 0, stddev / TRUNCATED_STDDEV)
        return _normal(generator, shape, real, 0, stddev)


class _Scaled(VarianceScaling):
    """VarianceScaling with the first three arguments set by the class; they are no part of the config."""

    setting = (1.0, "fan_in", "truncated_normal")

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(*self.setting, seed, input_axes, output_axes)


class GlorotUniform(_Scaled):
    """Even values of variance 2 / (fan in + fan out) (Glorot and Bengio, 2010)."""

    setting = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal values of variance 2 / (fan in + fan out) (Glorot and Bengio, 2010)."""

    setting = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Even values of variance 2 / fan in (He et al., 2015, arXiv:1502.01852)."""

    setting = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal values of variance 2 / fan in (He et al., 2015, arXiv:1502.01852)."""

    setting = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Even values of variance 1 / fan in (LeCun et al., 1998; Klambauer et al., 2017)."""

    setting = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal values of variance 1 / fan in (LeCun et al., 1998; Klambauer et al., 2017)."""

    setting = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """`gain` times a random matrix of orthonormal rows or columns, whichever are fewer (Saxe et al., 2014,
    arXiv:1312.6120).

    Shapes: (..., columns), read as a matrix of prod(...) rows.
    """

    def __init__(self, gain=1.0, seed=None):
        super().__init__(seed)
        self.gain = gain

    def draw(self, generator, shape, real):
        if len(shape) < 2:
            raise ShapeError(f"Orthogonal needs a shape of rank 2 or more; got {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(generator.standard_normal((max(rows, columns), min(rows, columns)), real))
        q = q * np.where(np.diag(r) < 0, -1, 1).astype(real)  # makes the draw even over all orthogonal matrices
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


class STFT(Initializer):
    """The kernel of a 1-D convolution that is one side of a short-time Fourier transform:
    `window[t] * cos(-2 pi t f / fft_length)` for side "real", sin for "imag".

    Shapes: (frame_length, channels, fft_length // 2 + 1).

    Args:
        window: a name of `scipy.signal.get_window`, the values themselves, or None.
        scaling: "density" divides the window by its L2 norm, "spectrum" by its sum; None leaves it.
        periodic: whether the window is that of a periodic signal.
    """

    def __init__(self, side="real", window="hann", scaling="density", periodic=False):
        if side not in ("real", "imag"):
            raise ConfigError(f"side is 'real' or 'imag'; got {side!r}.")
        if scaling not in ("density", "spectrum", None):
            raise ConfigError(f"scaling is 'density', 'spectrum' or None; got {scaling!r}.")
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, periodic
        if isinstance(window, str):
            _window(window, 8, periodic)  # an unknown name is an error now, not when a layer is built

    def __call__(self, shape, dtype=None):
        shape = _sizes(shape)
        if len(shape) != 3:
            raise ShapeError(f"STFT needs the shape (frame_length, channels, frequencies); got {shape}.")
        length, _, frequencies = shape
        angles = -2 * np.pi * np.outer(np.arange(length), np.arange(frequencies)) / (2 * (frequencies - 1))
        waves = np.cos(angles) if self.side == "real" else np.sin(angles)
        if self.window is not None:
            window = _window(self.window, length, self.periodic)
            norm = {None: 1.0, "density": np.sqrt(np.sum(window**2)), "spectrum": np.sum(window)}[self.scaling]
            waves = waves * (window / norm)[:, None]
        return _array(np.broadcast_to(waves[:, None, :], shape), dtype)


def _window(window, length, periodic):
    """The values of a window, by name or as given."""
    if not isinstance(window, str):
        values = np.asarray(unwrap(window), np.float64)
        if values.shape != (length,):
            raise ShapeError(f"The window has shape {values.shape}; the kernel's frames have length {length}.")
        return values
    from scipy.signal import get_window

    try:
        return np.asarray(get_window(window, length, periodic))
    except ValueError as error:
        raise ConfigError(f"window is a name that scipy.signal.get_window knows; got {window!r}.") from error


constant, zeros, ones, identity = Constant, Zeros, Ones, Identity
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling, orthogonal, stft = VarianceScaling, Orthogonal, STFT
glorot_uniform, glorot_normal, he_uniform, he_normal = GlorotUniform, GlorotNormal, HeUniform, HeNormal
lecun_uniform, lecun_normal = LecunUniform, LecunNormal
IdentityInitializer, OrthogonalInitializer, STFTInitializer = Identity, Orthogonal, STFT

_CLASSES = {name: value for name, value in list(globals().items()) if name in __all__ and isinstance(value, type)}
_ALIASES = {**_CLASSES, "initializer": Initializer, "normal": RandomNormal, "uniform": RandomUniform, "one": Ones,
            "zero": Zeros}  # fmt: skip
_get = resolver("initializer", "keras.initializers", base=Initializer, aliases=_ALIASES)


def get(identifier):
    """The initializer meant by a name ("he_normal", "HeNormal"), config, class, function (shape, dtype) or array.

    >>> get("he_normal")
    HeNormal()
    """
    if isinstance(identifier, (np.ndarray, jax.Array, Variable)):
        return Constant(identifier)
    return _get(identifier)


def serialize(initializer):
    """The description of an initializer, as it stands in files."""
    return configurable.serialize(initializer)


def deserialize(config, custom_objects=None):
    """The initializer that `serialize` described."""
    with registry.CustomObjectScope(custom_objects):
        return get(config)
