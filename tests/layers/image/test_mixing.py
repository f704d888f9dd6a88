"""RandomErasing, CutMix and MixUp against Keras, with labels, masks and boxes by hand; MaxNumBoundingBoxes."""

import numpy as np
import pytest

from lamina import layers
from lamina.errors import ConfigError
from tests.layers.image import image_checks as check

EXAMPLES = {
    "RandomErasing": (lambda: dict(seed=1), (6, 6, 3)),
    "CutMix": (lambda: dict(seed=1), (6, 6, 3)),
    "MixUp": (lambda: dict(seed=1), (6, 6, 3)),
    "MaxNumBoundingBoxes": (lambda: dict(max_number=3), (6, 6, 3)),
}

CASES = [
    ("RandomErasing", {}),
    ("RandomErasing", dict(factor=0.5, scale=0.4, fill_value=0.5, value_range=(0, 1))),
    ("RandomErasing", dict(factor=(0.5, 1), scale=(0.2, 0.4), fill_value=3)),
    ("CutMix", {}),
    ("CutMix", dict(factor=(0.2, 0.7), data_format="channels_first")),
    ("MixUp", {}),
    ("MixUp", dict(alpha=0.7, data_format="channels_first")),
]


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")  # of Keras
@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_images_and_labels_like_keras(name, kwargs):
    mine, theirs = check.pair(name, seed=5, **kwargs)
    data = check.data(data_format=mine.data_format)
    for _ in range(2):
        check.assert_close(mine(dict(data), training=True), theirs(dict(data), training=True))
    np.testing.assert_array_equal(mine(data, training=False)["images"], data["images"])
    np.testing.assert_array_equal(mine(data, training=False)["labels"], data["labels"])


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_configs_like_keras(name, kwargs):
    mine, theirs = check.pair(name, seed=5, **kwargs)
    config = {**theirs.get_config(), "name": mine.name}
    assert mine.get_config() == config
    assert type(mine).from_config(config).get_config() == config


def test_mix_up_by_hand():
    data = check.data(batch=3, parts=("labels", "segmentation_masks", "bounding_boxes"))
    layer = layers.MixUp(bounding_box_format="xyxy")
    weights, order = np.array([0.2, 1.0, 0.5], "float32"), np.array([1, 2, 0])
    drawn = {"mix_weight": weights, "permutation_order": order}
    for name in ("images", "labels", "segmentation_masks"):
        part = data[name].astype("float32")
        w = weights.reshape(-1, *[1] * (part.ndim - 1))
        mixed = getattr(layer, f"transform_{name}")(data[name], drawn)
        np.testing.assert_allclose(mixed, w * part + (1 - w) * part[order], 1e-6)
    boxes = {"boxes": np.arange(24.0).reshape(3, 2, 4), "labels": np.arange(6).reshape(3, 2)}
    both = layer.transform_bounding_boxes(boxes, drawn)
    np.testing.assert_array_equal(both["boxes"][0], np.concatenate([boxes["boxes"][0], boxes["boxes"][1]]))
    assert both["labels"].tolist() == [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 0, 1]]
    assert layer.transform_labels(np.array([1.0, 2.0, 4.0]), drawn).tolist() == pytest.approx([1.8, 2, 2.5])


def test_cut_mix_takes_rectangles_and_weighs_labels_by_their_area():
    images = np.broadcast_to(np.arange(4.0).reshape(4, 1, 1, 1), (4, 50, 60, 1)).astype("float32")
    labels = np.eye(4, dtype="float32")
    masks = images.astype("uint8")
    layer = layers.CutMix(factor=(1, 1), seed=3)
    outputs = layer({"images": images, "labels": labels, "segmentation_masks": masks}, training=True)
    np.testing.assert_array_equal(outputs["images"].astype("uint8"), outputs["segmentation_masks"])
    changed = 0
    for index in range(4):
        own = np.asarray(outputs["images"][index, ..., 0]) == index
        assert abs(own.mean() - outputs["labels"][index, index]) < 0.05  # sides are fractions of pixels
        rows, columns = np.nonzero(~own)
        if len(rows):
            changed += 1
            assert not own[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].any()
    assert changed
    with pytest.raises(NotImplementedError, match="does not support bounding boxes"):
        layer.transform_bounding_boxes({}, {"mix_weight": 1}, training=True)


def test_random_erasing_fills_rectangles_of_the_asked_area_with_the_asked_colour():
    layer = layers.RandomErasing((1, 1), (0.25, 0.25), (0.2, 0.4, 0.6), (0, 1), seed=1)
    outputs = np.asarray(layer(np.ones((4, 40, 60, 3), "float32"), training=True))
    erased = np.isclose(outputs, [0.2, 0.4, 0.6]).all(-1)
    assert np.abs(erased.mean((1, 2)) - 0.25).max() < 0.05
    np.testing.assert_array_equal(outputs[~erased], 1)
    never = layers.RandomErasing(factor=0.0)
    np.testing.assert_array_equal(never(outputs, training=True), outputs)


@pytest.mark.parametrize("name", ["CutMix", "MixUp"])
def test_numbers_of_classes_are_not_mixed(name):
    with pytest.raises(ConfigError, match="needs labels as probabilities"):
        getattr(layers, name)().transform_labels(np.array([0, 1]), {"mix_weight": 1, "permutation_order": [1, 0]})


def test_one_image_stays_itself():
    image = check.data()["images"][0]
    outputs = layers.MixUp(seed=1)({"images": image, "labels": np.array([0.0, 1.0])}, training=True)
    np.testing.assert_allclose(outputs["images"], image, 1e-6)
    assert outputs["labels"].tolist() == [0, 1]


@pytest.mark.parametrize("most", [1, 2, 5])
def test_max_num_bounding_boxes_like_keras(most):
    mine, theirs = check.pair("MaxNumBoundingBoxes", max_number=most, fill_value=-2, bounding_box_format="xyxy")
    data = [check.data(parts=("bounding_boxes",)) for _ in range(2)]
    check.assert_close(mine(data[0]), theirs(data[1]))
    assert mine.get_config()["fill_value"] == -2  # Keras forgets it
