"""Sound files: WAV, as floats in [-1, 1]."""

import io
import wave

import numpy as np

from lamina.errors import FileError

__all__ = ["read_wav"]


def read_wav(path, sampling_rate=None):
    """The samples of a WAV file (8, 16, 24 or 32 bit integers), resampled to `sampling_rate` a second if it is given.

    Shapes: -> (samples, channels), float32.
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
    if width == 1:  # the only unsigned one
        return (np.frombuffer(data, "u1").astype("float32") - 128) / 128
    if width == 3:
        padded = np.zeros((len(data) // 3, 4), "u1")
        padded[:, 1:] = np.frombuffer(data, "u1").reshape(-1, 3)
        data, width = padded.tobytes(), 4
    return np.frombuffer(data, f"<i{width}").astype("float32") / 2.0 ** (8 * width - 1)


def _resample(samples, count):
    """The same band-limited signal at `count` places: its spectrum, cut or filled with zeros."""
    if not len(samples) or not count:
        return np.zeros((count, samples.shape[1]), "float32")
    spectrum = np.fft.rfft(samples, axis=0)
    return (np.fft.irfft(spectrum, count, axis=0) * (count / len(samples))).astype("float32")
