"""The random layers of geometry against Keras: the same draws for the same seed, and boxes that follow their images."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lamina
from lamina import layers
from lamina.errors import ConfigError
from lamina.ops.bounding_boxes import convert_format
from tests.layers.image import image_checks as check

EXAMPLES = {
    "RandomFlip": (lambda: dict(mode="horizontal", seed=1), (6, 6, 3)),
    "RandomRotation": (lambda: dict(factor=0.1, seed=1), (6, 6, 3)),
    "RandomTranslation": (lambda: dict(height_factor=0.2, width_factor=(-0.1, 0.3), seed=1), (6, 6, 3)),
    "RandomZoom": (lambda: dict(height_factor=0.2, seed=1), (6, 6, 3)),
    "RandomShear": (lambda: dict(x_factor=0.2, y_factor=0.1, seed=1), (6, 6, 3)),
    "RandomPerspective": (lambda: dict(scale=0.3, seed=1), (6, 6, 3)),
    "RandomElasticTransform": (lambda: dict(factor=0.5, seed=1), (6, 6, 3)),
}

CASES = [
    ("RandomFlip", {}),
    ("RandomFlip", dict(mode="horizontal", data_format="channels_first")),
    ("RandomFlip", dict(mode="vertical")),
    ("RandomRotation", dict(factor=0.2)),
    ("RandomRotation", dict(factor=(-0.1, 0.3), fill_mode="constant", fill_value=0.5, interpolation="nearest")),
    ("RandomTranslation", dict(height_factor=0.2, width_factor=(-0.3, 0.1))),
    ("RandomTranslation", dict(height_factor=0.2, width_factor=0.3, fill_mode="wrap", data_format="channels_first")),
    ("RandomZoom", dict(height_factor=0.3)),
    ("RandomZoom", dict(height_factor=(0.1, 0.3), width_factor=(-0.4, -0.2), fill_mode="nearest")),
    ("RandomShear", dict(x_factor=0.3, y_factor=0.2)),
    ("RandomPerspective", dict(scale=0.4)),
    ("RandomPerspective", dict(factor=0.5, fill_value=0.5)),
]
MOVES = [
    ("RandomFlip", dict(mode="horizontal")),
    ("RandomFlip", dict(mode="vertical")),
    ("RandomRotation", dict(factor=(0.1, 0.1))),
    ("RandomTranslation", dict(height_factor=(0.1, 0.1), width_factor=(-0.2, -0.2))),
    ("RandomZoom", dict(height_factor=(0.3, 0.3), width_factor=(-0.3, -0.3))),
    ("RandomShear", dict(x_factor=(0.23, 0.23), y_factor=(0.11, 0.11))),
    ("RandomPerspective", dict(scale=0.3)),
]


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_images_labels_and_masks_like_keras(name, kwargs):
    mine, theirs = check.pair(name, seed=5, **kwargs)
    data = check.data(data_format=mine.data_format, parts=("labels", "segmentation_masks"))
    for _ in range(2):
        check.assert_close(mine(dict(data), training=True), theirs(dict(data), training=True), 2e-5)


@pytest.mark.parametrize(("name", "kwargs"), [case for case in CASES if case[0] != "RandomShear"])
def test_boxes_like_keras(name, kwargs):
    mine, theirs = check.pair(name, seed=5, bounding_box_format="xyxy", **kwargs)
    data = check.data(data_format=mine.data_format, parts=("bounding_boxes",))
    got, wanted = (
        mine(dict(data), training=True),
        theirs(check.data(data_format=mine.data_format, parts=("bounding_boxes",)), training=True),
    )
    check.assert_close(got, wanted)
    assert got["bounding_boxes"]["labels"].dtype == "int32"


@pytest.mark.parametrize(("name", "kwargs"), MOVES)
@pytest.mark.parametrize("box_format", ["rel_xywh", "center_yxhw"])
def test_boxes_follow_their_images_in_any_format(name, kwargs, box_format):
    extra = {} if name in ("RandomFlip", "RandomPerspective") else {"fill_mode": "constant"}
    layer = getattr(layers, name)(seed=3, bounding_box_format=box_format, **kwargs, **extra)
    image = np.zeros((40, 60, 1), "float32")
    image[15:25, 20:40] = 1
    box = convert_format([[20, 15, 40, 25]], "xyxy", box_format, height=40, width=60)
    outputs = layer({"images": image, "bounding_boxes": {"boxes": box, "labels": np.array([7])}}, training=True)
    rows, columns = np.nonzero(np.asarray(outputs["images"])[..., 0] > 0.5)
    seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    told = convert_format(outputs["bounding_boxes"]["boxes"], box_format, "xyxy", height=40, width=60)
    assert np.abs(np.asarray(told)[0] - seen).max() < 1.6  # a corner of a turned box covers no whole pixel
    assert outputs["bounding_boxes"]["labels"].tolist() == [7]


def test_boxes_that_leave_the_image_have_label_minus_one():
    layer = layers.RandomTranslation(0.0, (0.5, 0.5), bounding_box_format="xyxy")
    boxes = {"boxes": np.array([[6.0, 1.0, 9.0, 3.0], [3.0, 1.0, 6.0, 3.0]]), "labels": np.array([4, 5])}
    moved = layer({"images": np.zeros((8, 10, 3)), "bounding_boxes": boxes}, training=True)["bounding_boxes"]
    assert moved["boxes"].tolist() == [[10, 1, 10, 3], [8, 1, 10, 3]]
    assert moved["labels"].tolist() == [-1, 5]


@pytest.mark.parametrize(("name", "kwargs"), MOVES)
def test_a_transformation_given_to_keras_means_the_same(name, kwargs):
    mine, theirs = check.pair(name, seed=2, **kwargs)
    images = check.data()["images"]
    drawn = mine.get_random_transformation(images, training=True, seed=11)
    if name == "RandomRotation":
        drawn = theirs.get_random_transformation(images, training=True, seed=11)
    check.assert_close(mine.transform_images(images, drawn), theirs.transform_images(images, drawn), 2e-5)
    masks = (images[..., :1] * 4).astype("uint8")
    moved = mine.transform_segmentation_masks(masks, drawn)
    assert moved.dtype == "uint8"
    check.assert_close(moved, theirs.transform_segmentation_masks(masks, drawn))


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_configs_like_keras(name, kwargs):
    mine, theirs = check.pair(name, seed=5, **kwargs)
    config = {**theirs.get_config(), "name": mine.name}
    assert mine.get_config() == config
    assert type(mine).from_config(config).get_config() == config


@pytest.mark.parametrize("name", EXAMPLES)
def test_draws_repeat_with_the_seed_and_go_on(name):
    make, shape = EXAMPLES[name]
    one, other = (getattr(layers, name)(**make()) for _ in range(2))
    images = check.data(*shape[:2])["images"]
    first = np.asarray(one(images, training=True))
    np.testing.assert_array_equal(first, other(images, training=True))
    later = [np.asarray(one(images, training=True)) for _ in range(3)]
    assert any(not np.array_equal(first, outputs) for outputs in later)
    np.testing.assert_array_equal(one(images, training=False), images)


@settings(max_examples=5, deadline=None)
@given(lower=st.floats(-0.9, 0.9), upper=st.floats(-0.9, 0.9))
def test_draws_lie_in_the_range(lower, upper):
    lower, upper = sorted((lower, upper))
    shape = (64, 8, 10, 3)
    angles = layers.RandomRotation((lower, upper))._draw(shape, 1)["angle"] / 360
    zooms = layers.RandomZoom((lower, upper))._draw(shape, 1)["height_zoom"] - 1
    moves = layers.RandomTranslation((lower, upper), 0.1)._draw(shape, 1)["translations"]
    for draws in (angles, zooms, moves[:, 1] / 8):
        assert lower - 1e-5 <= draws.min() and draws.max() <= upper + 1e-5
    assert -1 <= moves[:, 0].min() < 0 < moves[:, 0].max() <= 1


def test_about_half_of_the_images_are_mirrored():
    flips = layers.RandomFlip()._draw((2000, 4, 4, 3), 1)["flips"]
    assert 900 < flips.sum() < 1100


def test_elastic_transform_moves_masks_as_images_and_no_boxes():
    layer = layers.RandomElasticTransform((1, 1), (1, 1), value_range=(0, 3), seed=4, interpolation="nearest")
    masks = check.data(24, 24, 2, parts=("segmentation_masks",))["segmentation_masks"]
    outputs = layer({"images": masks, "segmentation_masks": masks}, training=True)
    np.testing.assert_array_equal(outputs["images"], outputs["segmentation_masks"])
    assert not np.array_equal(outputs["images"], masks)
    with pytest.raises(NotImplementedError, match="does not support bounding boxes"):
        layer.transform_bounding_boxes({}, {"seed": 1}, training=True)
    assert layers.RandomElasticTransform(factor=0)._draw((1, 4, 4, 1), 1) is None


def test_elastic_transform_moves_as_far_as_that_of_keras():
    column = np.broadcast_to(np.arange(64, dtype="float32")[:, None], (1, 64, 64))[..., None]  # a pixel is its row
    mine, theirs = check.pair("RandomElasticTransform", interpolation="bilinear", fill_mode="nearest")
    drawn = {"apply_transform": np.array([True]), "distortion_factor": np.float32(0.8), "seed": 3}
    far, wanted = (
        np.asarray(layer.transform_images(column, drawn) - column)[:, 16:48].std() for layer in (mine, theirs)
    )
    assert 0.7 < far / wanted < 1.4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.RandomFlip("diagonal"), "`mode` must be"),
        (lambda: layers.RandomRotation(1.5), "from -1 to 1"),
        (lambda: layers.RandomRotation("0.1"), "factor as a number"),
        (lambda: layers.RandomRotation(0.1, fill_mode="mirror"), "`fill_mode` must be"),
        (lambda: layers.RandomRotation(0.1, interpolation="cubic"), "`interpolation` must be"),
        (lambda: layers.RandomTranslation((-1.1, 0.0), 0.1), "height_factor"),
        (lambda: layers.RandomTranslation(0.1, (0.1, 0.2, 0.3)), "width_factor"),
        (lambda: layers.RandomZoom(-1.0), "above -1"),
        (lambda: layers.RandomPerspective(scale=2.0), "a number from 0 to 1"),
        (lambda: layers.RandomShear(2.0), "x_factor"),
    ],
)
def test_arguments_that_cannot_be_meant(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_boxes_of_one_image():
    boxes = {"boxes": np.array([[2, 1, 4, 3], [6, 4, 8, 6]], "float32"), "labels": np.array([1, 2])}
    settings = dict(bounding_box_format="xyxy", data_format="channels_last")
    layers_of_both = [library.layers.RandomTranslation(0.2, 0.3, seed=1, **settings) for library in (lamina, keras)]
    drawn = layers_of_both[0].get_random_transformation({"images": np.zeros((1, 10, 8, 3), "float32")})
    found, wanted = (layer.transform_bounding_boxes(boxes, drawn, training=True) for layer in layers_of_both)
    for name in boxes:
        np.testing.assert_allclose(found[name], wanted[name], atol=1e-4)
