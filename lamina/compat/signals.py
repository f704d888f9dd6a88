"""tf.signal and tf.audio: Fourier and cosine transforms, frames and windows, mel scales, WAV files."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import scipy as jsp

from lamina.compat.arrays import array
from lamina.compat.host import as_bytes, on_host
from lamina.errors import DataError

__all__ = ["AUDIO", "SIGNAL"]


def _transform(name, axes=1):
    def transform(input=None, fft_length=None, name_=None, input_tensor=None, **_):
        sizes = None if fft_length is None else tuple(map(int, np.ravel(fft_length)))
        values = array(input_tensor if input is None else input)
        if axes == 1:
            return getattr(jnp.fft, name)(values, None if sizes is None else sizes[0])
        return getattr(jnp.fft, name)(values, sizes, tuple(range(-axes, 0)))

    return transform


def frame(signal: Any, frame_length: Any, frame_step: Any, pad_end: Any = False, pad_value: Any = 0, axis: Any = -1,
          name: Any = None) -> Any:  # fmt: skip
    """`tf.signal.frame`: frames of a signal along an axis, which may overlap."""
    values = jnp.moveaxis(array(signal), axis, -1)
    length, step, size = int(frame_length), int(frame_step), values.shape[-1]
    count = -(-size // step) if pad_end else max(0, 1 + (size - length) // step)
    if pad_end:
        more = max(0, (count - 1) * step + length - size)
        values = jnp.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, more)], constant_values=pad_value)
    frames = values[..., np.arange(count)[:, None] * step + np.arange(length)]
    return frames if axis in (-1, np.ndim(signal) - 1) else jnp.moveaxis(frames, (-2, -1), (axis, axis + 1))


def overlap_and_add(signal: Any, frame_step: Any, name: Any = None) -> Any:
    """`tf.signal.overlap_and_add`: a signal from frames."""
    frames = array(signal)
    count, length = frames.shape[-2:]
    places = (np.arange(count)[:, None] * int(frame_step) + np.arange(length)).ravel()
    size = (count - 1) * int(frame_step) + length
    flat = frames.reshape(*frames.shape[:-2], count * length)
    return jnp.zeros((*frames.shape[:-2], size), frames.dtype).at[..., places].add(flat)


def _window(coefficients):
    def window(window_length, periodic=True, dtype="float32", name=None):
        size = int(window_length)
        if size == 1:
            return jnp.ones(1, dtype)
        turn = 2 * np.pi * np.arange(size) / (size if periodic and size % 2 == 0 else size - 1)
        return jnp.asarray(sum(c * np.cos(k * turn) for k, c in enumerate(coefficients)), dtype)

    return window


hann_window = _window((0.5, -0.5))


def kaiser_window(window_length: Any, beta: Any = 12.0, dtype: Any = "float32", name: Any = None) -> Any:
    """`tf.signal.kaiser_window`."""
    return jnp.asarray(np.kaiser(int(window_length), float(beta)), dtype)


def vorbis_window(window_length: Any, dtype: Any = "float32", name: Any = None) -> Any:
    """`tf.signal.vorbis_window`."""
    places = np.arange(int(window_length)) + 0.5
    return jnp.asarray(np.sin(np.pi / 2 * np.sin(np.pi * places / int(window_length)) ** 2), dtype)


def kaiser_bessel_derived_window(window_length: Any, beta: Any = 12.0, dtype: Any = "float32", name: Any = None) -> Any:
    """`tf.signal.kaiser_bessel_derived_window`."""
    sums = np.cumsum(np.kaiser(int(window_length) // 2 + 1, float(beta)))
    half = np.sqrt(sums[:-1] / sums[-1])
    return jnp.asarray(np.concatenate([half, half[::-1]]), dtype)


def _dct4(x, norm):
    """The discrete cosine transform of type 4."""
    size = x.shape[-1]
    places = np.arange(size) + 0.5
    scale = 2.0 if norm is None else np.sqrt(2.0 / size)
    return x @ jnp.asarray(scale * np.cos(np.pi / size * np.outer(places, places)), x.dtype)


def _lapped_window(window_fn, size, dtype):
    return np.sqrt(0.5).astype(dtype) if window_fn is None else window_fn(size, dtype=dtype)


def mdct(signals: Any, frame_length: Any, window_fn: Any = vorbis_window, pad_end: Any = False, norm: Any = None,
         name: Any = None) -> Any:  # fmt: skip
    """`tf.signal.mdct`: (..., frames, frame_length // 2)."""
    frames = frame(signals, frame_length, int(frame_length) // 2, pad_end)
    a, b, c, d = jnp.split(frames * _lapped_window(window_fn, int(frame_length), frames.dtype), 4, -1)
    return _dct4(jnp.concatenate([-c[..., ::-1] - d, a - b[..., ::-1]], -1), norm)


def inverse_mdct(mdcts: Any, window_fn: Any = vorbis_window, norm: Any = None, name: Any = None) -> Any:
    """`tf.signal.inverse_mdct`."""
    values = array(mdcts)
    half = values.shape[-1]
    first, second = jnp.split(_dct4(values, norm) * (0.5 / half if norm is None else 1.0), 2, -1)
    frames = jnp.concatenate([second, -second[..., ::-1], -first[..., ::-1], -first], -1)
    return overlap_and_add(frames * _lapped_window(window_fn, 2 * half, values.dtype), half)


def _power_of_two(size):
    return 1 << max(int(size) - 1, 0).bit_length()


def stft(signals: Any, frame_length: Any, frame_step: Any, fft_length: Any = None, window_fn: Any = hann_window,
         pad_end: Any = False, name: Any = None) -> Any:  # fmt: skip
    """`tf.signal.stft`: (..., frames, fft_length // 2 + 1)."""
    frames = frame(signals, frame_length, frame_step, pad_end)
    if window_fn is not None:
        frames = frames * window_fn(int(frame_length), dtype=frames.dtype)
    return jnp.fft.rfft(frames, _power_of_two(frame_length) if fft_length is None else int(fft_length))


def inverse_stft(stfts: Any, frame_length: Any, frame_step: Any, fft_length: Any = None, window_fn: Any = hann_window,
                 name: Any = None) -> Any:  # fmt: skip
    """`tf.signal.inverse_stft`."""
    length = int(frame_length)
    frames = jnp.fft.irfft(array(stfts), _power_of_two(length) if fft_length is None else int(fft_length))
    frames = frames[..., :length]
    frames = jnp.pad(frames, [(0, 0)] * (frames.ndim - 1) + [(0, length - frames.shape[-1])])
    return overlap_and_add(frames if window_fn is None else frames * window_fn(length, dtype=frames.dtype), frame_step)


def inverse_stft_window_fn(frame_step: Any, forward_window_fn: Any = hann_window, name: Any = None) -> Any:
    """`tf.signal.inverse_stft_window_fn`: the window with which `inverse_stft` undoes `stft`."""

    def window(frame_length, dtype="float32"):
        forward = np.asarray(forward_window_fn(frame_length, dtype=dtype))
        step = int(frame_step)
        power = np.pad(forward**2, (0, -len(forward) % step)).reshape(-1, step).sum(0)
        return jnp.asarray(forward / np.tile(power, -(-len(forward) // step))[: len(forward)], dtype)

    return window


def _mel(hertz):
    return 1127.0 * np.log1p(hertz / 700.0)


def linear_to_mel_weight_matrix(num_mel_bins: Any = 20, num_spectrogram_bins: Any = 129, sample_rate: Any = 8000,
                                lower_edge_hertz: Any = 125.0, upper_edge_hertz: Any = 3800.0, dtype: Any = "float32",
                                name: Any = None) -> Any:  # fmt: skip
    """`tf.signal.linear_to_mel_weight_matrix`: (num_spectrogram_bins, num_mel_bins)."""
    bins = _mel(np.linspace(0.0, float(sample_rate) / 2, int(num_spectrogram_bins))[1:])[:, None]
    edges = np.linspace(_mel(float(lower_edge_hertz)), _mel(float(upper_edge_hertz)), int(num_mel_bins) + 2)
    lower, center, upper = edges[:-2], edges[1:-1], edges[2:]
    slopes = np.minimum((bins - lower) / (center - lower), (upper - bins) / (upper - center))
    return jnp.asarray(np.pad(np.maximum(slopes, 0), [(1, 0), (0, 0)]), dtype)


def mfccs_from_log_mel_spectrograms(log_mel_spectrograms: Any, name: Any = None) -> Any:
    """`tf.signal.mfccs_from_log_mel_spectrograms`."""
    return dct(log_mel_spectrograms) / np.sqrt(2.0 * np.shape(log_mel_spectrograms)[-1])


def dct(input: Any, type: Any = 2, n: Any = None, axis: Any = -1, norm: Any = None, name: Any = None) -> Any:
    """`tf.signal.dct`."""
    if type == 3:
        return idct(input, 2, n, axis, norm)
    return jsp.fft.dct(array(input), type, n, axis, norm)


def idct(input: Any, type: Any = 2, n: Any = None, axis: Any = -1, norm: Any = None, name: Any = None) -> Any:
    """`tf.signal.idct`: that of SciPy without its factor 1 / (2 n)."""
    if type == 3:
        return dct(input, 2, n, axis, norm)
    found = jsp.fft.idct(array(input), type, n, axis, norm)
    return found if norm == "ortho" else found * 2 * np.shape(input)[axis]


def decode_wav(contents: Any, desired_channels: Any = -1, desired_samples: Any = -1, name: Any = None) -> Any:
    """`tf.audio.decode_wav`: ((samples, channels) from -1 to 1, samples in a second) of PCM of 16 bits."""
    data = as_bytes(contents)
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise DataError(
            "This is no WAV file: RIFF and WAVE are not in its head.", fix="tf.audio.decode_wav(tf.io.read_file(path))"
        )
    place, rate, channels, bits, pcm = 12, 0, 1, 16, b""
    while place + 8 <= len(data):
        kind, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        chunk = data[place + 8 : place + 8 + size]
        if kind == b"fmt ":
            channels, bits = int.from_bytes(chunk[2:4], "little"), int.from_bytes(chunk[14:16], "little")
            rate = int.from_bytes(chunk[4:8], "little")
        pcm = chunk if kind == b"data" else pcm
        place += 8 + size + size % 2
    if bits != 16:
        raise DataError(f"tf.audio.decode_wav reads samples of 16 bits; got {bits}.",
                        fix="Convert the file: sox in.wav -b 16 out.wav")  # fmt: skip
    samples = np.frombuffer(pcm[: len(pcm) // (2 * channels) * 2 * channels], "<i2").reshape(-1, channels)
    samples = samples.astype("float32") / 32768.0
    if desired_channels > 0:
        samples = np.tile(samples[:, :desired_channels], (1, -(-desired_channels // channels)))[:, :desired_channels]
    if desired_samples >= 0:
        samples = np.pad(samples[:desired_samples], [(0, max(0, desired_samples - len(samples))), (0, 0)])
    return Audio(on_host(samples), on_host(np.int32(rate)))


class Audio(tuple):
    """(audio, sample_rate)."""

    def __new__(cls, audio: Any, sample_rate: Any) -> Audio:
        return super().__new__(cls, (audio, sample_rate))

    audio = property(lambda self: self[0])
    sample_rate = property(lambda self: self[1])


def encode_wav(audio: Any, sample_rate: Any, name: Any = None) -> Any:
    """`tf.audio.encode_wav`: a WAV file of 16 bits from numbers from -1 to 1."""
    samples = np.asarray(audio, "float32")
    pcm = np.clip(np.round(samples * 32767.0), -32768, 32767).astype("<i2").tobytes()
    rate, channels = int(sample_rate), samples.shape[1]
    numbers = [(16, 4), (1, 2), (channels, 2), (rate, 4), (rate * channels * 2, 4), (channels * 2, 2), (16, 2)]
    head = b"fmt " + b"".join(number.to_bytes(size, "little") for number, size in numbers)
    size = (4 + len(head) + 8 + len(pcm)).to_bytes(4, "little")
    return on_host(b"RIFF" + size + b"WAVE" + head + b"data" + len(pcm).to_bytes(4, "little") + pcm)


SIGNAL: dict[str, Any] = {
    **{name: _transform(name, axes) for axes, names in ((1, "fft ifft rfft irfft"), (2, "fft2 ifft2 rfft2 irfft2")) for
       name in names.split()},
    **{f"{name}{axes}d": _transform(f"{name}n" if axes == 3 else f"{name}2", axes) for axes in (2, 3) for name in (
        "fft", "ifft", "rfft", "irfft")},
    "dct": dct, "fftshift": lambda x, axes=None, name=None: jnp.fft.fftshift(array(x), axes), "frame": frame,
    "hamming_window": _window((0.54, -0.46)), "hann_window": hann_window, "idct": idct,
    "ifftshift": lambda x, axes=None, name=None: jnp.fft.ifftshift(array(x), axes), "inverse_stft": inverse_stft,
    "inverse_stft_window_fn": inverse_stft_window_fn, "kaiser_window": kaiser_window, "mdct": mdct,
    "inverse_mdct": inverse_mdct, "kaiser_bessel_derived_window": kaiser_bessel_derived_window,
    "linear_to_mel_weight_matrix": linear_to_mel_weight_matrix, "overlap_and_add": overlap_and_add,
    "mfccs_from_log_mel_spectrograms": mfccs_from_log_mel_spectrograms, "stft": stft, "vorbis_window": vorbis_window,
}  # fmt: skip
AUDIO: dict[str, Any] = {"decode_wav": decode_wav, "encode_wav": encode_wav}
