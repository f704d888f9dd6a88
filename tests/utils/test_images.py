"""Images to arrays and back, against the Keras wheel."""

import io

import jax.numpy as jnp
import keras
import numpy as np
import pytest
from PIL import Image

import lamina
from lamina import preprocessing, utils
from lamina.errors import ConfigError, DataError, ShapeError

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 14, 4)).astype("uint8")
MODES = {"L": PIXELS[..., 0], "RGB": PIXELS[..., :3], "RGBA": PIXELS, "I;16": PIXELS[..., 0].astype("uint16") * 200}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("color_mode", ["grayscale", "rgb", "rgba"])
@pytest.mark.parametrize("target_size, keep", [(None, False), ((5, 6), False), ((5, 6), True), ((12, 3), True)])
@pytest.mark.parametrize("interpolation", ["nearest", "bicubic"])
def test_load_img(tmp_path, mode, color_mode, target_size, keep, interpolation):
    path = tmp_path / "image.png"
    Image.fromarray(MODES[mode]).save(path)
    found, wanted = (m.utils.load_img(path, color_mode, target_size, interpolation, keep) for m in (lamina, keras))
    assert found.mode == wanted.mode
    np.testing.assert_array_equal(np.asarray(found), np.asarray(wanted))


def test_load_img_from_an_open_file(tmp_path):
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "png")
    np.testing.assert_array_equal(np.asarray(utils.load_img(io.BytesIO(file.getvalue()), "rgba")), PIXELS)


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 1), (3, 4, 3), (4, 3, 3)])
@pytest.mark.parametrize("data_format", [None, "channels_first", "channels_last"])
def test_arrays_and_back(shape, data_format):
    x = np.random.default_rng(1).normal(size=shape).astype("float32")
    found, wanted = utils.img_to_array(x, data_format), keras.utils.img_to_array(x, data_format)
    assert found.dtype == wanted.dtype
    if x.ndim == 2 or data_format is None:
        np.testing.assert_array_equal(found, wanted)
    if data_format == "channels_first":
        x = np.moveaxis(np.atleast_3d(x), -1, 0)
    for scale in (True, False):
        numbers = np.atleast_3d(x) if scale else np.abs(np.atleast_3d(x) * 99)
        ours, theirs = (m.array_to_img(numbers, data_format, scale) for m in (utils, keras.utils))
        assert ours.mode == theirs.mode
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def test_images_are_read_as_channels_first():
    image = Image.fromarray(PIXELS)
    found, wanted = (m.img_to_array(image, "channels_first", "uint8") for m in (utils, keras.utils))
    np.testing.assert_array_equal(found, wanted)


def test_deep_and_flat_greys():
    deep = np.full((2, 2, 1), 300.0)
    assert utils.array_to_img(deep, scale=False).mode == keras.utils.array_to_img(deep, scale=False).mode == "I"
    assert np.asarray(utils.array_to_img(deep)).max() == 0


@pytest.mark.parametrize("name, file_format", [("a.png", None), ("a.jpg", None), ("a.bin", "jpg"), ("a.bin", "png")])
def test_save_img(tmp_path, name, file_format):
    arguments = {"file_format": file_format, "scale": False}
    utils.save_img(tmp_path / name, PIXELS[..., :3], **arguments)
    ours = (tmp_path / name).read_bytes()
    keras.utils.save_img(tmp_path / name, PIXELS[..., :3], **arguments)
    assert ours == (tmp_path / name).read_bytes()


def test_jpeg_without_transparency(tmp_path):
    with pytest.warns(UserWarning, match="no transparency"):
        utils.save_img(tmp_path / "a.jpeg", PIXELS)
    assert utils.load_img(tmp_path / "a.jpeg").mode == "RGB"


@pytest.mark.parametrize("shape", [(9, 14, 3), (2, 9, 14, 3), (14, 9, 1)])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_smart_resize(shape, data_format):
    x = np.random.default_rng(2).normal(size=shape).astype("float32")
    x = np.moveaxis(x, -1, -3) if data_format == "channels_first" else x
    found, wanted = (
        m.image.smart_resize(x, (6, 4), data_format=data_format) for m in (preprocessing, keras.preprocessing)
    )
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert isinstance(preprocessing.image.smart_resize(jnp.asarray(x), (6, 4), data_format=data_format), jnp.ndarray)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: utils.load_img("a.png", "hsv"), ConfigError, "color_mode"),
        (lambda: utils.load_img("a.png", interpolation="cubic"), ConfigError, "interpolation"),
        (lambda: utils.load_img(3), ConfigError, "path"),
        (lambda: utils.img_to_array(np.ones(3)), ShapeError, "rank 2 or 3"),
        (lambda: utils.array_to_img(np.ones((2, 2))), ShapeError, "rank 3"),
        (lambda: utils.array_to_img(np.ones((2, 2, 2))), ShapeError, "1, 3 or 4 channels"),
        (lambda: preprocessing.image.smart_resize(np.ones((2, 2)), (1, 1)), DataError, "rank 3"),
        (lambda: preprocessing.image.smart_resize(np.ones((2, 2, 2)), 3 * (1,)), ConfigError, "size"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()
