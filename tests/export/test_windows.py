"""Windows, their gradients, padding and scans of open sizes: written out for the runtimes that lack an operator."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lamina as keras
from lamina.errors import ConfigError
from lamina.export.windows import CHOICES

L, ops, lax = keras.layers, keras.ops, jax.lax
WINDOW = {"window_dimensions": (1, 2, 1), "window_strides": (1, 1, 1), "padding": "VALID"}


def windows(x):
    def largest(y):
        return jnp.sum(ops.max_pool(y, 3, 2, padding="same") ** 2)

    image = x[:, :, :, None]
    return [
        lax.reduce_window(x, -jnp.inf, lax.max, **WINDOW, window_dilation=(1, 2, 1)),
        lax.reduce_window(x, 0.0, lax.add, **WINDOW, base_dilation=(1, 2, 1)),
        lax.reduce_window(x, jnp.inf, lax.min, **WINDOW, window_dilation=(1, 3, 1)),
        lax.reduce_window(x, 1.0, lax.mul, (1, 2, 1), (1, 2, 1), ((0, 0), (1, 1), (0, 0)), window_dilation=(1, 2, 1)),
        jax.grad(largest)(image),
        jax.jvp(lambda y: ops.max_pool(y, 3, 2, padding="same"), (image,), (image * image,))[1],
        ops.softmax(x, 1), *lax.approx_max_k(x, 2), lax.approx_min_k(x, 2, reduction_dimension=1)[0],
        jnp.nextafter(x, x + 1),
        lax.conv_general_dilated(x, jnp.ones((2, 4, 3)), (1,), ((-1, 2),), dimension_numbers=("NWC", "WIO", "NWC")),
    ]  # fmt: skip


@pytest.mark.parametrize("ending", ["onnx", "tflite"])
def test_runtimes_compute_windows(ending, tmp_path):
    inputs = keras.Input((5, 4))
    report = keras.Model(inputs, L.Lambda(windows)(inputs)).export(tmp_path / f"m.{ending}", verbose=False)
    assert report.difference < 1e-5


def test_neighbours_of_numbers_are_those_of_jax():
    x = np.array([1, -1, 2, 0.5, -3.75, 1e30, np.nan, 1, 0], "float32")
    y = np.array([2, 2, -9, 0.5, -9, 1e38, 1, np.nan, 0], "float32")
    np.testing.assert_array_equal(CHOICES["nextafter"](jnp.asarray(x), jnp.asarray(y)), jnp.nextafter(x, y))


@pytest.mark.parametrize("ending", ["onnx", "tflite"])
def test_padding_beside_an_open_batch(ending, tmp_path):
    modes = ("constant", "edge", "reflect", "symmetric", "wrap", "linear_ramp", "mean", "maximum")
    inputs, pads = keras.Input((5, 4)), ((0, 0), (1, 2), (0, 0))
    padded = [L.Lambda(lambda x, mode=mode: jnp.pad(x, pads, mode=mode))(inputs) for mode in modes]
    assert keras.Model(inputs, padded).export(tmp_path / f"m.{ending}", verbose=False).difference < 1e-5


@pytest.mark.parametrize("ending", ["jax", "onnx"])
def test_a_scan_over_an_open_time(ending, tmp_path):
    def both(x):
        decayed = ops.associative_scan(lambda a, b: (a[0] * b[0], b[0] * a[1] + b[1]), (x, x * 2), axis=1)[1]
        return [decayed, ops.associative_scan(lambda a, b: a + b, x, axis=-2, reverse=True)]

    inputs = keras.Input((None, 3))
    model = keras.Model(inputs, L.Lambda(both)(inputs))
    assert model.export(tmp_path / f"m.{ending}", verbose=False).difference < 1e-5


def test_jax_pads_no_open_size_by_itself(tmp_path):
    inputs = keras.Input((None, 4))
    model = keras.Model(inputs, L.Lambda(lambda x: jnp.pad(x, ((0, 0), (1, 2), (0, 0)), mode="wrap"))(inputs))
    with pytest.raises(ConfigError, match=r"input_signature=.*shape=\(1, 1, 4\)"):
        model.export(tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_scans_of_the_end_count_axes_from_it():
    x = np.arange(6.0).reshape(1, 3, 2).astype("float32")
    made = ops.associative_scan(lambda a, b: a + b, x, axis=-2, reverse=True)
    np.testing.assert_array_equal(made, np.cumsum(x[:, ::-1], 1)[:, ::-1])


def test_what_a_runtime_does_not_run_is_not_left(tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("no kernel\nat all")

    monkeypatch.setattr("onnxruntime.InferenceSession.run", fail)
    with pytest.raises(ConfigError, match="onnxruntime does not run the program.*no kernel"):
        keras.Sequential([keras.Input((4,)), L.Dense(3)]).export(tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
