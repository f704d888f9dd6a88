"""Spectrograms of audio signals: STFTSpectrogram, whose kernels are weights, and MelSpectrogram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from lamina.core.arguments import choice, whole
from lamina.core.dtypes import is_float
from lamina.core.read_limits import reserve_array
from lamina.errors import CallTypeError, ConfigError, warn
from lamina.initializers import STFT
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.base.layer import Layer
from lamina.layers.data_layer import DataLayer
from lamina.ops.convolution import conv
from lamina.ops.fourier import stft
from lamina.runtime.settings import epsilon, standardize_data_format

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.core.typing import ArrayLike, DataFormat, DTypeLike, LayerArguments, Shape, Tensor
    from lamina.core.variable import Variable

__all__ = ["MelSpectrogram", "STFTSpectrogram"]

_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


class STFTSpectrogram(Layer):
    """Short-time Fourier transform of a signal, as a convolution with cosines and sines, which are trainable weights.

    Shapes: (batch, time, channels) -> (batch, frames, channels * frequencies), or with expand_dims (batch, frames,
    frequencies, channels), where frequencies = fft_length // 2 + 1, twice that for mode "stft". With
    data_format="channels_first": (batch, channels, time) -> (batch, channels * frequencies, frames), or (batch,
    channels, frames, frequencies).

    Args:
        mode: "real" or "imag" part, both ("stft"), "magnitude", its logarithm ("log"), "angle", or power spectral
            density ("psd").
        frame_length: Number of samples of a frame.
        frame_step: Number of samples from one frame to the next; None means half a frame.
        fft_length: Length of the Fourier transform; None means the smallest power of two not below `frame_length`.
        window: Name of a window of `scipy.signal.get_window`, an array of `frame_length` values, or None for no window.
        periodic: Whether the window is periodic instead of symmetric.
        scaling: "density" divides the window by its L2 norm, "spectrum" by its sum; None does not scale.
        padding: "valid" for whole frames only, "same" to pad the signal with zeros.
        expand_dims: Whether channels and frequencies have separate axes.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ConfigError: For an invalid argument.
        TypeError: For a signal of integers.

    >>> import lamina as keras
    >>> keras.layers.STFTSpectrogram(frame_length=256, window="hamming")(keras.Input((16000, 2))).shape
    (None, 124, 258)
    """

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: str | ArrayLike | None = "hann",
        periodic: bool = False,
        scaling: str = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        self.mode = mode
        self.frame_length = frame_length
        self.frame_step = frame_step
        self.fft_length = fft_length
        self.window: Any = window
        self.periodic = periodic
        self.scaling = scaling
        self.padding = padding
        self.expand_dims = expand_dims
        self.data_format: str = standardize_data_format(data_format)
        self.input_spec: Any = InputSpec(ndim=3)
        self._check()

    def _check(self):
        for name, known in (("mode", _MODES), ("padding", ("valid", "same"))):
            choice(self, name, getattr(self, name), known)
        whole(self, "frame_step", self._step, 1, self.frame_length)
        if self._length < self.frame_length:
            raise ConfigError(
                f"fft_length must be at least frame_length={self.frame_length}; got fft_length={self._length}.",
                fix=f"fft_length={self.frame_length}",
            )
        if self._length & (self._length - 1):
            warn(f"fft_length should be a power of two; got fft_length={self._length}.")
        self._waves("real")  # raises an error for an unknown window or scaling

    @property
    def _step(self):
        return self.frame_length // 2 if self.frame_step is None else self.frame_step

    @property
    def _length(self):
        return self.fft_length or 1 << (self.frame_length - 1).bit_length()

    def _waves(self, side):
        return STFT(side, self.window, self.scaling, self.periodic)

    def build(self, input_shape: Shape) -> None:
        shape = (self.frame_length, 1, self._length // 2 + 1)
        if self.mode != "imag":
            self.real_kernel: Variable = self.add_weight(
                shape=shape, initializer=self._waves("real"), name="real_kernel"
            )
        if self.mode != "real":
            self.imag_kernel: Variable = self.add_weight(
                shape=shape, initializer=self._waves("imag"), name="imag_kernel"
            )

    def call(self, inputs: Tensor) -> Tensor:
        if not is_float(inputs.dtype):
            raise CallTypeError(
                f"STFTSpectrogram needs a signal of floats; got {inputs.dtype}. Divide by the largest integer.",
                fix="x.astype('float32') / 32768",
            )
        signal = inputs.swapaxes(1, 2) if self.data_format == "channels_last" else inputs
        return self._arrange(self._spectrum(signal))

    def _spectrum(self, signal):
        """(batch, channels, time) -> (batch, channels, frames, frequencies)."""
        if self.mode in ("real", "imag"):
            return self._transform(signal, self.real_kernel if self.mode == "real" else self.imag_kernel)
        real, imaginary = self._transform(signal, self.real_kernel), self._transform(signal, self.imag_kernel)
        if self.mode == "stft":
            return jnp.concatenate([real, imaginary], -1)
        if self.mode == "angle":
            return jnp.arctan2(imaginary, real)
        power = real**2 + imaginary**2
        if self.mode == "psd":  # all but the first and last frequency represent the negative ones too
            return power.at[..., 1:-1].multiply(2)
        magnitude = jnp.sqrt(jnp.maximum(power, epsilon()))
        return magnitude if self.mode == "magnitude" else jnp.log(jnp.maximum(magnitude, epsilon()))

    def _transform(self, signal, kernel):
        """The transform of each channel."""
        frames = conv(
            signal.reshape(-1, signal.shape[-1], 1),
            kernel.value.astype(signal.dtype),
            self._step,
            self.padding,
            "channels_last",
        )
        return frames.reshape(*signal.shape[:2], *frames.shape[1:])

    def _arrange(self, spectrum):
        batch, channels, frames, frequencies = spectrum.shape
        last = self.data_format == "channels_last"
        if self.expand_dims:
            return spectrum.transpose(0, 2, 3, 1) if last else spectrum
        rows = spectrum.swapaxes(2, 3).reshape(batch, channels * frequencies, frames)
        return rows.swapaxes(1, 2) if last else rows


class MelSpectrogram(DataLayer):
    """The power of a signal, in decibels, in frequency bands that are equally wide on the mel scale.

    `mel = 1127 log(1 + hertz / 700)`; bands are triangles, as in the HTK book (Young et al., 2006).

    Shapes: (samples,) -> (num_mel_bins, frames), or (batch, samples) -> (batch, num_mel_bins, frames), where frames
    are centred at each multiple of sequence_stride.

    Args:
        fft_length: Number of samples of a frame.
        sequence_stride: Number of samples from one frame to the next.
        sequence_length: Number of samples of a frame that the window covers; None means `fft_length`.
        window: "hann", "hamming", an array of `sequence_length` values, or None for no window.
        sampling_rate: Number of samples in a second.
        num_mel_bins: Number of bands.
        min_freq: Lower end of the bands in hertz.
        max_freq: Upper end of the bands in hertz; None means half the sampling rate.
        power_to_db: Whether to return decibels, `10 log10(max(power, min_power) / ref_power)`.
        top_db: Range in decibels: values more than this below the largest are clipped.
        mag_exp: Exponent of the magnitudes: 2 for power, 1 for magnitude.
        min_power: Lower bound of the power.
        ref_power: Power of 0 decibels.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ConfigError: If fft_length is smaller than sequence_length.

    >>> import lamina as keras
    >>> keras.layers.MelSpectrogram(num_mel_bins=64, sequence_stride=256)(keras.Input((16000,))).shape
    (None, 64, 63)
    """

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: str | ArrayLike | None = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        self.fft_length = fft_length
        self.sequence_stride = sequence_stride
        self.sequence_length: int = sequence_length or fft_length
        if self.fft_length < self.sequence_length:
            raise ConfigError(
                "`fft_length` must be greater than or equal to `sequence_length`; "
                f"got fft_length={fft_length}, sequence_length={sequence_length}.",
                fix=f"fft_length={self.sequence_length}",
            )
        self.window: Any = window
        self.sampling_rate = sampling_rate
        self.num_mel_bins = num_mel_bins
        self.min_freq = min_freq
        self.max_freq: float = max_freq or int(sampling_rate / 2)
        self.power_to_db = power_to_db
        self.top_db = top_db
        self.mag_exp = mag_exp
        self.min_power = min_power
        self.ref_power = ref_power

    def call(self, inputs: Tensor) -> Tensor:
        wide = self.compute_dtype if self.compute_dtype in ("float32", "float64") else "float32"
        parts = stft(
            inputs.astype(wide), self.sequence_length, self.sequence_stride, self.fft_length, window=self.window
        )
        magnitudes = jnp.hypot(*parts) if self.mag_exp != 2 else None
        powers = parts[0] ** 2 + parts[1] ** 2 if magnitudes is None else magnitudes**self.mag_exp
        bands = powers @ self._bands(powers.shape[-1]).astype(wide)
        if self.power_to_db:
            bands = self._decibels(bands)
        return bands.swapaxes(-1, -2).astype(self.compute_dtype)

    def _bands(self, frequencies):
        return self.linear_to_mel_weight_matrix(
            self.num_mel_bins, frequencies, self.sampling_rate, self.min_freq, self.max_freq
        )

    def _decibels(self, powers):
        reference = max(abs(self.ref_power), self.min_power)
        decibels = 10 * (jnp.log10(jnp.maximum(powers, self.min_power)) - np.log10(reference))
        return jnp.maximum(decibels, jnp.max(decibels) - self.top_db)

    def linear_to_mel_weight_matrix(
        self,
        num_mel_bins: int = 20,
        num_spectrogram_bins: int = 129,
        sampling_rate: int = 8000,
        lower_edge_hertz: float = 125.0,
        upper_edge_hertz: float = 3800.0,
        dtype: DTypeLike = "float32",
    ) -> Tensor:
        """The matrix that maps a spectrum (..., num_spectrogram_bins) to bands (..., num_mel_bins).

        Each band is a triangle whose peak of 1 is at the start of the next band. The frequency 0 is in no band.

        Args:
            num_mel_bins: Number of bands.
            num_spectrogram_bins: Number of frequencies of the spectrum.
            sampling_rate: Number of samples in a second.
            lower_edge_hertz: Lower end of the bands in hertz.
            upper_edge_hertz: Upper end of the bands in hertz.
            dtype: Type of the matrix.
        """
        reserve_array((num_spectrogram_bins, num_mel_bins), 32, "The matrix of mel bands")
        hertz = np.linspace(0, sampling_rate / 2, num_spectrogram_bins)
        edges = np.linspace(_mel(lower_edge_hertz), _mel(upper_edge_hertz), num_mel_bins + 2)
        below, peak, above = edges[:-2], edges[1:-1], edges[2:]
        mels = _mel(hertz)[:, None]
        triangles = np.maximum(0, np.minimum((mels - below) / (peak - below), (above - mels) / (above - peak)))
        triangles[0] = 0
        return jnp.asarray(triangles, dtype)


def _mel(hertz):
    return 1127 * np.log1p(np.asarray(hertz) / 700)
