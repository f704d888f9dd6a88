"""Resizing, CenterCrop and RandomCrop against Keras; and, where Keras does not do as it says, against the pixels."""

import numpy as np
import pytest

from lamina import layers
from lamina.ops.bounding_boxes import convert_format
from tests.layers.image import image_checks as check

EXAMPLES = {
    "Resizing": (lambda: dict(height=4, width=5), (6, 6, 3)),
    "CenterCrop": (lambda: dict(height=4, width=5), (6, 6, 3)),
    "RandomCrop": (lambda: dict(height=4, width=5, seed=1), (6, 6, 3)),
}

CASES = [
    ("Resizing", dict(height=12, width=5)),
    ("Resizing", dict(height=4, width=5, interpolation="nearest", data_format="channels_first")),
    ("Resizing", dict(height=4, width=15, interpolation="bicubic", antialias=True)),
    ("Resizing", dict(height=12, width=5, interpolation="lanczos5", crop_to_aspect_ratio=True)),
    ("Resizing", dict(height=12, width=5, pad_to_aspect_ratio=True, fill_value=0.5, data_format="channels_first")),
    ("CenterCrop", dict(height=4, width=5)),
    ("CenterCrop", dict(height=5, width=4, data_format="channels_first")),
    ("CenterCrop", dict(height=12, width=5)),
    ("RandomCrop", dict(height=4, width=5, seed=5)),
    ("RandomCrop", dict(height=4, width=5, seed=5, data_format="channels_first")),
]


def cropped(case):
    name, kwargs = case
    return name == "RandomCrop" or kwargs.get("crop_to_aspect_ratio")


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_images_and_labels_like_keras(name, kwargs):
    mine, theirs = check.pair(name, **kwargs)
    data = check.data(data_format=mine.data_format)
    check.assert_close(mine(dict(data), training=True), theirs(dict(data), training=True))
    image = data["images"][0]
    check.assert_close(mine(image, training=True), theirs(image, training=True))
    assert mine.compute_output_shape((None, *image.shape)) == tuple(theirs.compute_output_shape((None, *image.shape)))


@pytest.mark.parametrize(("name", "kwargs"), [case for case in CASES if not cropped(case)])
def test_boxes_like_keras(name, kwargs):
    mine, theirs = check.pair(name, bounding_box_format="xyxy", **kwargs)
    data = [check.data(data_format=mine.data_format, parts=("bounding_boxes",)) for _ in range(2)]
    check.assert_close(mine(data[0]), theirs(data[1]))


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_configs_like_keras(name, kwargs):
    mine, theirs = check.pair(name, **kwargs)
    config = {**theirs.get_config(), "name": mine.name}
    assert mine.get_config() == config
    assert type(mine).from_config(config).get_config() == config


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("Resizing", dict(height=20, width=90)),
        ("Resizing", dict(height=50, width=30, crop_to_aspect_ratio=True)),
        ("Resizing", dict(height=50, width=30, pad_to_aspect_ratio=True)),
        ("CenterCrop", dict(height=30, width=44)),
        ("CenterCrop", dict(height=50, width=40)),
        ("RandomCrop", dict(height=36, width=50, seed=3)),
        ("RandomCrop", dict(height=60, width=50)),
    ],
)
def test_boxes_and_masks_follow_their_images(name, kwargs):
    layer = getattr(layers, name)(bounding_box_format="yxyx", **kwargs)
    image = np.zeros((40, 60, 1), "float32")
    image[12:28, 20:40] = 1
    boxes = {"boxes": np.array([[12.0, 20.0, 28.0, 40.0]]), "labels": np.array([7])}
    outputs = layer({"images": image, "bounding_boxes": boxes, "segmentation_masks": image.astype("int32")})
    for part in ("images", "segmentation_masks"):
        rows, columns = np.nonzero(np.asarray(outputs[part])[..., 0] > 0.5)
        seen = [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
        assert np.abs(np.asarray(outputs["bounding_boxes"]["boxes"])[0] - seen).max() <= 1
    assert outputs["segmentation_masks"].dtype == "int32" and set(np.unique(outputs["segmentation_masks"])) <= {0, 1}
    assert outputs["images"].shape == (layer.height, layer.width, 1)


def test_a_random_crop_is_a_part_of_the_image_at_every_place():
    image = np.arange(30.0, dtype="float32").reshape(5, 6, 1)
    layer = layers.RandomCrop(4, 3, seed=1)
    corners = set()
    for _ in range(40):
        part = np.asarray(layer(image, training=True))
        row, column = divmod(int(part[0, 0, 0]), 6)
        np.testing.assert_array_equal(part, image[row : row + 4, column : column + 3])
        corners.add((row, column))
    assert corners == {(row, column) for row in range(2) for column in range(4)}


def test_random_crop_gives_the_largest_part_of_its_ratio_out_of_training():
    image = check.data(8, 10, 1)["images"]
    layer = layers.RandomCrop(4, 4)
    np.testing.assert_allclose(layer(image, training=False), layers.Resizing(4, 4)(image[:, :, 1:9]), 1e-6)
    np.testing.assert_array_equal(layers.RandomCrop(8, 10)(image, training=False), image)


def test_resizing_keeps_whole_numbers_and_crops_give_floats():
    bytes_ = np.random.default_rng(0).integers(0, 255, (2, 7, 6, 3)).astype("uint8")
    mine, theirs = check.pair("Resizing", height=4, width=5, interpolation="bicubic")
    got, wanted = mine(bytes_), theirs(bytes_)
    assert got.dtype == wanted.dtype == "uint8"
    np.testing.assert_array_equal(got, wanted)
    assert layers.CenterCrop(4, 4)(bytes_).dtype == "float32"
    assert layers.CenterCrop(4, 4, dtype="mixed_bfloat16")(bytes_).dtype == "bfloat16"
    assert layers.Resizing(4, 4, dtype="bfloat16")(bytes_.astype("float32")).dtype == "bfloat16"


def test_narrow_images_keep_a_pixel():
    image = np.random.default_rng(0).uniform(size=(2, 11, 3, 3)).astype("float32")
    assert layers.CenterCrop(5, 100)(image).shape == (2, 5, 100, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Resizing(0, 4), "height"),
        (lambda: layers.CenterCrop(4, "4"), "width"),
        (lambda: layers.Resizing(4, 4, interpolation="area")(np.ones((2, 5, 5, 3))), "`interpolation` must be"),
        (lambda: layers.Resizing(4, 4, "nearest", True, True)(np.ones((2, 5, 5, 3))), "Only one of"),
        (lambda: layers.Resizing(4, 4)({"images": np.ones((5, 5, 3)), "bounding_boxes": {"boxes": [], "labels": []}}),
         "Boxes must have shape"),
    ],
)  # fmt: skip
def test_arguments_that_cannot_be_meant(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_boxes_of_another_size_are_still_in_their_format():
    layer = layers.Resizing(16, 30, bounding_box_format="rel_xywh")
    boxes = check.data(8, 10, 1, parts=("bounding_boxes",), box_format="rel_xywh")
    moved = layer(boxes)["bounding_boxes"]["boxes"]
    np.testing.assert_allclose(moved, boxes["bounding_boxes"]["boxes"], 1e-6)
    pixels = convert_format(moved, "rel_xywh", "xyxy", height=16, width=30)
    np.testing.assert_allclose(pixels[0, 0], [6, 2, 15, 12], 1e-5)
