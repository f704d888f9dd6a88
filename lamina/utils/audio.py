"""Sound files: WAV, as floats in [-1, 1]."""

from __future__ import annotations

import io
import os
import wave

import numpy as np

from lamina.errors import FileError

__all__ = ["read_wav"]


def read_wav(path: str | os.PathLike[str], sampling_rate: int | None = None) -> np.ndarray:
    """The samples of a WAV file of 8, 16, 24 or 32 bit integers, as floats in [-1, 1].

    Shapes: -> (samples, channels), float32.

    Args:
        path: Path of the file.
        sampling_rate: Samples a second that the sound is resampled to; None keeps the rate of the file.

    Raises:
        FileError: The file is not a WAV file of integer samples.
    """
    with open(path, "rb") as file:
        data = file.read()
    try:
        with wave.open(io.BytesIO(data)) as sound:
            rate, width, channels = sound.getframerate(), sound.getsampwidth(), sound.getnchannels()
            samples = _floats(sound.readframes(sound.getnframes()), width).reshape(-1, channels)
    except (wave.Error, EOFError, ValueError) as error:
        message = f"{path} is not a WAV file of integer samples: {error}."
        raise FileError(message, fix="Convert it to 16-bit PCM.") from error
    return samples if sampling_rate in (None, rate) else _resample(samples, round(len(samples) * sampling_rate / rate))


def _floats(data, width):
    if width == 1:  # the only width with unsigned samples
        return (np.frombuffer(data, "u1").astype("float32") - 128) / 128
    if width == 3:
        padded = np.zeros((len(data) // 3, 4), "u1")
        padded[:, 1:] = np.frombuffer(data, "u1").reshape(-1, 3)
        data, width = padded.tobytes(), 4
    return np.frombuffer(data, f"<i{width}").astype("float32") / 2.0 ** (8 * width - 1)


def _resample(samples, count):
    """The same band-limited signal at `count` points: its spectrum is cut, or filled with zeros."""
    if not len(samples) or not count:
        return np.zeros((count, samples.shape[1]), "float32")
    spectrum = np.fft.rfft(samples, axis=0)
    return (np.fft.irfft(spectrum, count, axis=0) * (count / len(samples))).astype("float32")
