"""STFTSpectrogram and MelSpectrogram against Keras, and against NumPy's Fourier transform."""

import keras
import numpy as np
import pytest

import lamina
from lamina.errors import CallError, ConfigError
from lamina.layers.spectrograms import MelSpectrogram, STFTSpectrogram
from tests.layers.layer_checks import assert_close, assert_same, assert_same_config, draw, pair

EXAMPLES = {
    "STFTSpectrogram": (lambda: dict(frame_length=8, frame_step=4), (24, 2)),
    "MelSpectrogram": (lambda: dict(fft_length=16, sequence_stride=8, num_mel_bins=3), (40,)),
}
FRAMES = dict(frame_length=8, frame_step=3, fft_length=16)


@pytest.mark.parametrize("mode", ["log", "magnitude", "psd", "real", "imag", "angle", "stft"])
def test_modes(mode):
    assert_same(STFTSpectrogram, dict(mode=mode, **FRAMES), (2, 20, 2), tolerance=1e-4 if mode == "angle" else 1e-5)


@pytest.mark.parametrize(
    "kwargs",
    [
        dict(window="hamming", scaling="spectrum", padding="same", expand_dims=True),
        dict(window=None, scaling=None, data_format="channels_first"),
        dict(window="blackman", periodic=True, data_format="channels_first", expand_dims=True),
        dict(window=[1.0, 2, 3, 4, 4, 3, 2, 1], frame_step=None, fft_length=None),
    ],
    ids=str,
)
def test_windows_and_formats(kwargs):
    shape = (2, 2, 20) if kwargs.get("data_format") == "channels_first" else (2, 20, 2)
    assert_same(STFTSpectrogram, {"mode": "psd", **FRAMES, **kwargs}, shape)


def test_it_is_the_fourier_transform():
    x = draw((1, 16, 1))
    layer = STFTSpectrogram("stft", 16, window=None, scaling=None)
    wanted = np.fft.rfft(x[0, :, 0])
    np.testing.assert_allclose(layer(x)[0, 0], [*wanted.real, *wanted.imag], 1e-4, 1e-5)


def test_the_waves_are_trained_unless_the_layer_is_frozen():
    layer = STFTSpectrogram(**FRAMES)
    layer.build((None, 20, 1))
    assert [v.name for v in layer.trainable_variables] == ["real_kernel", "imag_kernel"]
    layer.trainable = False
    assert not layer.trainable_variables


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        (dict(mode="wrong"), "mode"),
        (dict(scaling="wrong"), "scaling"),
        (dict(padding="causal"), "padding"),
        (dict(window="wrong"), "window"),
        (dict(frame_step=0), "frame_step"),
        (dict(frame_step=257), "frame_step"),
        (dict(fft_length=128), "fft_length"),
    ],
)
def test_errors(kwargs, match):
    with pytest.raises(ConfigError, match=match):
        STFTSpectrogram(**kwargs)


def test_whole_numbers_and_a_slow_length():
    with pytest.raises(CallError, match="floats"):
        STFTSpectrogram()(np.ones((1, 300, 1), "int32"))
    with pytest.warns(UserWarning, match="power of two"):
        STFTSpectrogram(frame_length=8, fft_length=12)


MEL = dict(fft_length=32, sequence_stride=8, num_mel_bins=5, sampling_rate=1000)


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        dict(window="hamming", sequence_length=20, min_freq=5.0, max_freq=300.0),
        dict(power_to_db=False, mag_exp=1.0, window=None),
        dict(ref_power=0.5, min_power=1e-3, top_db=3.0, mag_exp=3.0),
    ],
    ids=str,
)
def test_mel(kwargs):
    mine, theirs = pair(MelSpectrogram, {**MEL, **kwargs}, name="layer")
    for shape in ((2, 50), (50,)):
        assert_close(mine(draw(shape)), theirs(draw(shape)), 1e-4)
    assert_close(mine.linear_to_mel_weight_matrix(), theirs.linear_to_mel_weight_matrix(), 1e-4)


def test_mel_of_whole_numbers_and_mixed_precision():
    mine, theirs = pair(MelSpectrogram, dict(**MEL, dtype="mixed_bfloat16"), name="layer")
    x = np.random.default_rng(0).integers(-99, 99, (2, 50))
    got, wanted = mine(x), theirs(x)
    assert got.dtype == wanted.dtype
    np.testing.assert_allclose(np.asarray(got, "float32"), np.asarray(wanted, "float32"), 0.01)


def test_mel_shapes_are_those_of_the_outputs():
    """Keras's formula, (samples + stride + 1) // stride, tells one frame too many for 63 samples."""
    layer = MelSpectrogram(**MEL)
    for samples in (62, 63, 64):
        assert layer.compute_output_shape((2, samples)) == layer(draw((2, samples))).shape
    assert layer(lamina.Input((None,))).shape == (None, 5, None)
    assert keras.layers.MelSpectrogram(**MEL).compute_output_shape((2, 63))[-1] == layer(draw((2, 63))).shape[-1] + 1


def test_configs():
    for kwargs in ({}, dict(mode="psd", window=[1.0, 2.0], frame_length=2, data_format="channels_first")):
        assert_same_config(STFTSpectrogram, kwargs)
    for kwargs in ({}, MEL, dict(fft_length=32, sequence_length=16, top_db=20.0)):
        assert_same_config(MelSpectrogram, kwargs)


def test_mel_refuses_a_window_longer_than_a_frame():
    with pytest.raises(ConfigError, match="fft_length"):
        MelSpectrogram(fft_length=8, sequence_length=16)
