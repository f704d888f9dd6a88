"""preprocess_input and decode_predictions, against Keras."""

import hashlib
import importlib
import json

import jax.numpy as jnp
import keras as reference
import numpy as np
import pytest

import lamina as keras
from lamina.applications import imagenet_utils
from lamina.errors import ConfigError, NetworkError, ShapeError

MODES = ["caffe", "tf", "torch"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("batch", [(), (2,)])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_preprocess_input_is_that_of_keras(mode, data_format, batch, dtype):
    image = (4, 5, 3) if data_format == "channels_last" else (3, 4, 5)
    pixels = np.random.default_rng(0).uniform(0, 255, (*batch, *image)).astype(dtype)
    theirs, frozen, of_jax = pixels.copy(), pixels.copy(), jnp.array(pixels)
    frozen.flags.writeable = False
    given = imagenet_utils.preprocess_input(pixels, data_format, mode)
    expected = reference.applications.imagenet_utils.preprocess_input(theirs, data_format, mode)
    np.testing.assert_allclose(given, expected, rtol=1e-5, atol=1e-5)
    assert given.dtype == expected.dtype
    np.testing.assert_allclose(pixels, theirs, rtol=1e-5, atol=1e-5)  # both change arrays of floats
    np.testing.assert_array_equal(imagenet_utils.preprocess_input(frozen, data_format, mode), given)
    from_jax = imagenet_utils.preprocess_input(of_jax, data_format, mode)
    np.testing.assert_allclose(from_jax, given, atol=1e-4)


@pytest.mark.parametrize("mode", MODES)
def test_preprocess_input_in_a_model(mode):
    inputs = keras.Input((4, 5, 3), dtype="uint8")
    model = keras.Model(inputs, imagenet_utils.preprocess_input(inputs, mode=mode))
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3)).astype("uint8")
    expected = imagenet_utils.preprocess_input(pixels, mode=mode)
    np.testing.assert_allclose(model(pixels), expected, rtol=1e-5, atol=1e-4)


def test_pictures_that_were_scaled_before_are_told():
    with pytest.warns(UserWarning, match=r"x = x \* 255"):
        imagenet_utils.preprocess_input(np.random.default_rng(0).random((2, 8, 8, 3)), mode="tf")
    imagenet_utils.preprocess_input(np.zeros((2, 8, 8, 3)), mode="tf")  # black


FAMILIES = (
    "convnext densenet efficientnet efficientnet_v2 inception_resnet_v2 inception_v3 mobilenet mobilenet_v2 "
    "mobilenet_v3 nasnet resnet resnet50 resnet_v2 vgg16 vgg19 xception"
).split()


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_has_the_preparation_of_keras(family):
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 2, 2, 3)).astype("float32")
    ours = importlib.import_module(f"lamina.applications.{family}")
    theirs = getattr(reference.applications, family)
    np.testing.assert_allclose(ours.preprocess_input(pixels.copy()), theirs.preprocess_input(pixels.copy()), atol=1e-4)
    assert ours.decode_predictions is imagenet_utils.decode_predictions


def test_preprocess_input_errors():
    with pytest.raises(ConfigError, match="mode must be"):
        imagenet_utils.preprocess_input(np.zeros((2, 2, 3)), mode="jax")
    with pytest.raises(ShapeError, match="3 channels at axis 2"):
        imagenet_utils.preprocess_input(np.zeros((2, 2, 4)))


@pytest.fixture
def names(monkeypatch, tmp_path):
    """The class names in Keras's cache folder, with the hash of this file in place of the published one."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    text = json.dumps({str(index): [f"n{index:08}", f"thing_{index}"] for index in range(1000)})
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "imagenet_class_index.json").write_text(text)
    remote = imagenet_utils.Remote(imagenet_utils.CLASSES.url, hashlib.md5(text.encode()).hexdigest(), "models")
    monkeypatch.setattr(imagenet_utils, "CLASSES", remote)
    return json.loads(text)


def test_decode_predictions(names):
    scores = np.random.default_rng(0).random((2, 1000)).astype("float32")
    decoded = imagenet_utils.decode_predictions(scores, top=3)
    for row, found in zip(scores, decoded, strict=True):
        best = np.argsort(row)[::-1][:3]
        assert found == [(*names[str(index)], row[index]) for index in best]
    assert len(imagenet_utils.decode_predictions(scores)[0]) == 5
    with pytest.raises(ShapeError, match=r"\(batch, 1000\); got shape \(2, 10\)"):
        imagenet_utils.decode_predictions(scores[:, :10])


def test_the_published_names_have_the_address_and_hash_of_keras():
    from keras.src.applications import imagenet_utils as theirs

    assert imagenet_utils.CLASSES.url == theirs.CLASS_INDEX_PATH
    assert imagenet_utils.CLASSES.digest == "c2c37ea517e94d9795004a39431a14cb"


def test_offline_the_error_says_where_to_put_the_names(monkeypatch, tmp_path):
    def no_network(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("lamina.datasets.fetch.urlopen", no_network)
    with pytest.raises(NetworkError, match=r"models.imagenet_class_index\.json"):
        imagenet_utils.decode_predictions(np.zeros((1, 1000)))
