"""Initializers without randomness: constants, the identity, and the waves of a Fourier transform."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.core.arguments import choice, rank
from lamina.core.typing import ArrayLike, DTypeLike, ShapeLike, Tensor
from lamina.core.variable import unwrap
from lamina.errors import ConfigError, ShapeError
from lamina.initializers.initializer import Initializer, made, sizes_of

__all__ = [
    "STFT", "Constant", "Identity", "IdentityInitializer", "Ones", "STFTInitializer", "Zeros", "constant", "identity",
    "ones", "stft", "zeros",
]  # fmt: skip


class Constant(Initializer):
    """`value` everywhere.

    Args:
        value: A number, or an array that broadcasts to the shape.
    """

    def __init__(self, value: ArrayLike = 0.0) -> None:
        self.value = value

    def __call__(self, shape: ShapeLike, dtype: DTypeLike | None = None) -> Tensor:
        value = np.asarray(unwrap(self.value))
        try:
            values = np.broadcast_to(value, sizes_of(shape))
        except ValueError:
            raise ShapeError(
                f"Expected `shape` to be one that values {value.shape} fill; got {shape}.",
                fix="Constant(0.0) fills any shape; an array needs the shape of the weight.",
            ) from None
        return made(shape, dtype, values.__getitem__)


class Zeros(Initializer):
    """0 everywhere."""

    def __call__(self, shape: ShapeLike, dtype: DTypeLike | None = None) -> Tensor:
        return made(shape, dtype, lambda _: 0)


class Ones(Initializer):
    """1 everywhere."""

    def __call__(self, shape: ShapeLike, dtype: DTypeLike | None = None) -> Tensor:
        return made(shape, dtype, lambda _: 1)


class Identity(Initializer):
    """`gain` times the identity matrix. Shapes: (rows, columns).

    Args:
        gain: Factor of the identity matrix.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: ShapeLike, dtype: DTypeLike | None = None) -> Tensor:
        shape = sizes_of(shape)
        if len(shape) != 2:
            raise ShapeError(
                f"Identity gives matrices; got shape {shape}.", fix="'orthogonal'" if len(shape) > 2 else "'ones'"
            )
        rows, columns = map(np.arange, shape)
        return made(shape, dtype, lambda part: self.gain * (rows[part[0], None] == columns[part[1]]))


class STFT(Initializer):
    """The kernel of a 1-D convolution that is one side of a short-time Fourier transform:
    `window[t] * cos(-2 pi t f / fft_length)` for side "real", sin for "imag".

    Shapes: (frame_length, channels, fft_length // 2 + 1).

    Args:
        side: "real" for the cosines, "imag" for the sines.
        window: Name of a window of `scipy.signal.get_window`, its values, or None for no window.
        scaling: "density" divides the window by its L2 norm, "spectrum" by its sum; None leaves it as it is.
        periodic: Whether the window is periodic rather than symmetric.
    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ) -> None:
        choice(self, "side", side, ("real", "imag"))
        choice(self, "scaling", scaling, ("density", "spectrum", None))
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic
        if isinstance(window, str):
            _window(window, 8, periodic)  # an unknown name is an error now, not when a layer is built

    def __call__(self, shape: ShapeLike, dtype: DTypeLike | None = None) -> Tensor:
        shape = sizes_of(shape)
        rank(self, "shape", shape, 3, 3, "(frame_length, channels, frequencies)")
        length, _, frequencies = shape
        angles = -2 * np.pi * np.outer(np.arange(length), np.arange(frequencies)) / (2 * (frequencies - 1))
        waves = np.cos(angles) if self.side == "real" else np.sin(angles)
        if self.window is not None:
            window = _window(self.window, length, self.periodic)
            norm = {None: 1.0, "density": np.sqrt(np.sum(window**2)), "spectrum": np.sum(window)}[self.scaling]
            waves = waves * (window / norm)[:, None]
        return made(shape, dtype, np.broadcast_to(waves[:, None, :], shape).__getitem__)


def _window(window, length, periodic):
    """The values of a window, by name or as given."""
    if not isinstance(window, str):
        values = np.asarray(unwrap(window), np.float64)
        if values.shape != (length,):
            raise ShapeError(
                f"The window has shape {values.shape}; the kernel's frames have length {length}.",
                fix=f"window=np.hanning({length})",
            )
        return values
    from scipy.signal import get_window

    try:
        return np.asarray(get_window(window, length, periodic))
    except ValueError as error:
        raise ConfigError(
            f"window is a name that scipy.signal.get_window knows; got {window!r}.", fix="window='hann'"
        ) from error


constant = Constant
zeros = Zeros
ones = Ones
identity = Identity
stft = STFT
IdentityInitializer = Identity
STFTInitializer = STFT
