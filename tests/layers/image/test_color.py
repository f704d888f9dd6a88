"""Layers of colour against Keras: the same draws for the same seed, the same pixels for the same draws, configs."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from lamina.errors import ConfigError
from lamina.layers.image import color, contrast, effects
from tests.layers import layer_checks as check

LAYERS = {name: getattr(file, name) for file in (color, contrast, effects) for name in file.__all__}

EXAMPLES = {
    "AutoContrast": (dict, (6, 5, 3)),
    "ContrastLimitedAdaptiveHistogramEqualization": (lambda: dict(tile_grid_size=(2, 3)), (6, 5, 3)),
    "Equalization": (dict, (6, 5, 3)),
    "RandomBrightness": (lambda: dict(factor=0.4, seed=3), (6, 5, 3)),
    "RandomColorDegeneration": (lambda: dict(factor=0.4, seed=3), (6, 5, 3)),
    "RandomColorJitter": (
        lambda: dict(brightness_factor=0.1, contrast_factor=0.2, saturation_factor=(0.2, 0.7), hue_factor=0.3, seed=3),
        (6, 5, 3),
    ),
    "RandomContrast": (lambda: dict(factor=0.4, seed=3), (6, 5, 3)),
    "RandomGaussianBlur": (lambda: dict(seed=3), (6, 5, 3)),
    "RandomGrayscale": (lambda: dict(seed=3), (6, 5, 3)),
    "RandomHue": (lambda: dict(factor=0.4, seed=3), (6, 5, 3)),
    "RandomInvert": (lambda: dict(seed=3), (6, 5, 3)),
    "RandomPosterization": (lambda: dict(factor=4, seed=3), (6, 5, 3)),
    "RandomSaturation": (lambda: dict(factor=0.4, seed=3), (6, 5, 3)),
    "RandomSharpness": (lambda: dict(factor=0.4, seed=3), (6, 5, 3)),
    "Solarization": (lambda: dict(addition_factor=0.3, threshold_factor=0.6, seed=3), (6, 5, 3)),
}

CASES = [(name, kwargs()) for name, (kwargs, _) in EXAMPLES.items()] + [
    ("AutoContrast", dict(value_range=[20, 200])),
    ("ContrastLimitedAdaptiveHistogramEqualization", dict(clip_limit=1.5)),
    ("Equalization", dict(value_range=(20, 200), bins=16)),
    ("RandomBrightness", dict(factor=[0.1, -0.3], value_range=(200, 20), seed=4)),
    ("RandomContrast", dict(factor=[0.1, 0.3], seed=4)),
    ("RandomGaussianBlur", dict(factor=(0.9, 1.0), kernel_size=(5, 3), sigma=(0.2, 0.8), seed=4)),
    ("RandomPosterization", dict(factor=[3, 3], value_range=(0, 200), seed=4)),
    ("RandomSaturation", dict(factor=(0.5, 0.9), value_range=(0, 1), seed=4)),
    ("RandomSharpness", dict(factor=(0.6, 1), seed=4)),
    ("Solarization", dict(threshold_factor=(0.2, 0.4), value_range=(0, 200), seed=4)),
]
LAYERS_ALWAYS_ON = ("AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization")


def pictures(shape, value_range=(0, 255), seed=0):
    low, high = sorted(value_range)
    return np.random.default_rng(seed).uniform(low, high, shape).astype("float32")


def assert_same_pixels(mine, theirs, value_range, tolerance=1e-5):
    """Equal to `tolerance` of the range."""
    assert mine.dtype == theirs.dtype
    np.testing.assert_allclose(mine, theirs, tolerance, tolerance * max(value_range))


def range_of(kwargs):
    return kwargs.get("value_range", (0, 255))


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_like_keras_for_equal_seeds(name, kwargs):
    mine, theirs = check.pair(LAYERS[name], kwargs)
    x = pictures((4, 6, 5, 3), range_of(kwargs))
    assert_same_pixels(mine(x, training=True), theirs(x, training=True), range_of(kwargs))
    assert check.described(mine) == check.described(theirs)


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_configs_like_keras(name, kwargs):
    if name == "RandomGrayscale":  # the one whose seed Keras leaves out
        kwargs = dict(factor=0.3)
    check.assert_same_config(LAYERS[name], kwargs)


@pytest.mark.parametrize("name", ["Equalization", "RandomBrightness", "RandomGaussianBlur", "RandomHue"])
def test_one_image_is_a_batch_of_one(name):
    kwargs = EXAMPLES[name][0]()
    x = pictures((6, 5, 3))
    one, batch = LAYERS[name](**kwargs)(x), LAYERS[name](**kwargs)(x[None])
    np.testing.assert_array_equal(one, batch[0])


@pytest.mark.parametrize("name", EXAMPLES)
def test_channels_first_is_the_same_with_axes_moved(name):
    kwargs = EXAMPLES[name][0]()
    x = pictures((4, 6, 5, 3))
    first = LAYERS[name](**kwargs, data_format="channels_first")(np.moveaxis(x, -1, 1))
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), LAYERS[name](**kwargs)(x), 1e-6, 1e-4)


@pytest.mark.parametrize("name", EXAMPLES)
def test_predicting_changes_nothing_unless_the_layer_is_not_for_training_only(name):
    x = pictures((4, 6, 5, 3))
    layer = LAYERS[name](**EXAMPLES[name][0]())
    states = [np.array(variable) for variable in layer.variables]
    changed = not np.array_equal(layer(x, training=False), x)
    assert changed == (name in LAYERS_ALWAYS_ON)
    assert all(np.array_equal(state, variable) for state, variable in zip(states, layer.variables, strict=True))


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_belongs_to_the_images_passes_through(name):
    layer = LAYERS[name](**EXAMPLES[name][0](), bounding_box_format="xyxy")
    data = {
        "images": pictures((4, 6, 5, 3)),
        "labels": np.eye(4, 2, dtype="float32"),
        "bounding_boxes": {"boxes": pictures((4, 3, 4), (0, 5)), "labels": np.ones((4, 3), "int32")},
        "segmentation_masks": np.arange(120, dtype="int32").reshape(4, 6, 5, 1),
    }
    outputs = layer(data, training=True)
    assert not np.array_equal(outputs["images"], data["images"])
    for part in ("labels", "bounding_boxes", "segmentation_masks"):
        check.assert_close(outputs[part], data[part], 0)


@pytest.mark.parametrize("name", EXAMPLES)
def test_whole_numbers_are_the_same_pixels(name):
    kwargs = EXAMPLES[name][0]()
    x = pictures((4, 6, 5, 3)).astype("uint8")
    outputs, wanted = LAYERS[name](**kwargs)(x), LAYERS[name](**kwargs)(x.astype("float32"))
    keeps = name in ("ContrastLimitedAdaptiveHistogramEqualization", "RandomGrayscale")
    assert outputs.dtype == ("uint8" if keeps else "float32")
    np.testing.assert_array_equal(outputs, np.trunc(wanted) if keeps else wanted)


@pytest.mark.parametrize("name", ["RandomBrightness", "RandomSaturation"])
def test_whole_numbers_where_keras_cannot(name):
    """Keras adds a brightness that wraps around in uint8, and refuses to saturate whole numbers."""
    x = np.full((1, 2, 2, 3), 200, "uint8")
    kwargs = dict(factor=(0.4, 0.4), value_range=(0, 255))
    outputs = LAYERS[name](**kwargs)(x)
    np.testing.assert_allclose(outputs, 255.0 if name == "RandomBrightness" else 200.0, 1e-5)


def test_the_config_of_grayscale_holds_its_seed():
    layer = color.RandomGrayscale(0.3, seed=5)
    assert layer.get_config()["seed"] == 5
    assert keras.layers.RandomGrayscale.from_config(layer.get_config()).seed == 5


FIXED = {
    "RandomBrightness": ({"factor": 0.1}, {"rgb_delta": np.array([10.0, -30.0]).reshape(2, 1, 1, 1)}),
    "RandomColorDegeneration": ({"factor": 0.1}, {"factor": np.array([0.3, -0.5]).reshape(2, 1, 1, 1)}),
    "RandomContrast": ({"factor": 0.1}, {"contrast_factor": np.array([0.3, 1.5]).reshape(2, 1, 1, 1)}),
    "RandomGaussianBlur": (
        {"kernel_size": (3, 5)},
        {"should_apply_blur": np.array([True, False]), "blur_factor": np.array([0.4, 0.9])},
    ),
    "RandomHue": ({"factor": 0.1}, {"factor": np.array([0.3, -0.4])}),
    "RandomInvert": ({}, {"apply_inversion": np.array([False, True])}),
    "RandomPosterization": ({"factor": 3}, {"shift_factor": np.array([2, 7], "uint8")}),
    "RandomSaturation": ({"factor": 0.1, "value_range": (0, 1)}, {"factor": np.array([0.5, 4.0])}),
    "RandomSharpness": ({"factor": 0.1}, {"factor": np.array([0.2, 0.9])}),
    "Solarization": (
        {}, {"additions": np.array([10.0, 90]).reshape(2, 1, 1, 1), "thresholds": np.full((2, 1, 1, 1), 99.0)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("name", FIXED)
def test_given_transformations_like_keras(name, data_format):
    kwargs, transformation = FIXED[name]
    mine, theirs = check.pair(LAYERS[name], kwargs, data_format=data_format)
    x = pictures((2, 6, 5, 3), range_of(kwargs))
    x = jnp.asarray(x if data_format == "channels_last" else np.moveaxis(x, -1, 1))
    drawn = {key: jnp.asarray(value) for key, value in transformation.items()}
    assert_same_pixels(mine.transform_images(x, drawn), theirs.transform_images(x, drawn), range_of(kwargs))


def test_auto_contrast_by_hand():
    x = pictures((2, 6, 5, 3), (20, 200))
    x[0, :, :, 1] = 70.0
    low, high = x.min((1, 2), keepdims=True), x.max((1, 2), keepdims=True)
    wanted = np.where(high > low, 10 + 240 * (x - low) / np.where(high > low, high - low, 1), x)
    np.testing.assert_allclose(contrast.AutoContrast(value_range=(10, 250))(x), wanted, 1e-5)


def test_equalization_by_hand():
    levels = np.random.default_rng(0).integers(30, 90, (3, 7, 5)).astype("float32")
    share = (levels.ravel()[None] <= levels.ravel()[:, None]).sum(1)
    wanted = np.round((share - share.min()) * 255 / (levels.size - share.min()))
    np.testing.assert_array_equal(contrast.Equalization()(levels[..., None]).ravel(), wanted)


@pytest.mark.parametrize(("height", "width", "grid"), [(1, 1, (1, 1)), (3, 9, (4, 2)), (7, 4, (2, 3))])
def test_equalization_in_tiles_takes_any_size(height, width, grid):
    layer = contrast.ContrastLimitedAdaptiveHistogramEqualization((0, 1), tile_grid_size=grid)
    outputs = layer(pictures((2, height, width, 1), (0, 1)))
    assert outputs.shape == (2, height, width, 1)
    assert np.all((outputs >= 0) & (outputs <= 1))


def test_compiled_draws_are_those_of_eager_calls():
    """A model that is compiled draws anew each step, as the layer alone does."""
    kwargs = dict(factor=0.5, value_range=(0, 1), seed=5)
    alone, inside = color.RandomBrightness(**kwargs), color.RandomBrightness(**kwargs)
    x = pictures((4, 2, 2, 1), (0, 1))
    step = jax.jit(lambda state, x: inside.stateless_call([], [state], x, training=True))
    state = inside.generator.state.value
    for _ in range(2):
        outputs, (state,) = step(state, x)
        np.testing.assert_allclose(outputs, alone(x, training=True), 1e-6)


BAD = [
    ("RandomBrightness", dict(factor=1.1)),
    ("RandomBrightness", dict(factor="a lot")),
    ("RandomBrightness", dict(factor=[0.1])),
    ("RandomBrightness", dict(factor=0.1, value_range=[10])),
    ("RandomContrast", dict(factor=-0.5)),
    ("RandomContrast", dict(factor=0.5, value_range="wide")),
    ("RandomGaussianBlur", dict(kernel_size=4)),
    ("RandomGaussianBlur", dict(sigma=2.0)),
    ("RandomGrayscale", dict(factor=1.5)),
    ("RandomPosterization", dict(factor=9)),
    ("Solarization", dict(threshold_factor=(0.5, 1.5))),
    ("Solarization", dict(addition_factor=-0.1)),
]


@pytest.mark.parametrize(("name", "kwargs"), BAD)
def test_bad_arguments_are_told(name, kwargs):
    for cls in (LAYERS[name], getattr(keras.layers, name)):
        if cls is not keras.layers.RandomContrast or "value_range" not in kwargs:
            with pytest.raises(ValueError):
                cls(**kwargs)
    with pytest.raises(ConfigError, match=name):
        LAYERS[name](**kwargs)
