"""Boxes, against the Keras wheel."""

import keras
import numpy as np
import pytest

from lamina.errors import ConfigError, ShapeError
from lamina.utils import bounding_boxes as ours

theirs = keras.utils.bounding_boxes
rng = np.random.default_rng(0)


def corners(*shape):
    low = rng.uniform(-10, 60, (*shape, 2))
    return np.concatenate([low, low + rng.uniform(5, 90, (*shape, 2))], axis=-1).astype("float32")


FORMATS = ["xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh"]
BOXES, OTHERS, MANY = corners(5), corners(5), corners(2, 3)


def same(name, *arguments, rtol=1e-5, **more):
    found, wanted = (getattr(module, name)(*arguments, **more) for module in (ours, theirs))
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=1e-4)


@pytest.mark.parametrize("source", FORMATS)
def test_formats(source):
    size = {"height": 80, "width": 100}
    boxes = theirs.convert_format(MANY, "xyxy", source, **size)
    for target in FORMATS:
        np.testing.assert_allclose(
            ours.convert_format(boxes, source.upper(), target, **size),
            theirs.convert_format(MANY, "xyxy", target, **size), rtol=1e-4, atol=1e-4,
        )  # fmt: skip


def test_dicts_and_types():
    found = ours.convert_format({"boxes": BOXES, "labels": [1]}, "xyxy", "xywh", dtype="float16")
    assert found["labels"] == [1] and found["boxes"].dtype == "float16"


@pytest.mark.parametrize("shift", [0, 200])
def test_clip(shift):
    boxes = {"boxes": BOXES + shift, "labels": np.arange(5)}
    found, wanted = (m.clip_to_image_size(boxes, height=70, width=90) for m in (ours, theirs))
    for key in boxes:
        np.testing.assert_allclose(found[key], wanted[key], rtol=1e-5)
    relative = {"boxes": boxes["boxes"] / 90}
    found, wanted = (m.clip_to_image_size(relative, bounding_box_format="rel_xyxy") for m in (ours, theirs))
    assert list(found) == list(wanted)
    np.testing.assert_allclose(found["boxes"], wanted["boxes"], rtol=1e-5)


def test_crop_and_pad():
    same("crop", MANY, 10, 5, 50, 60)
    same("pad", MANY, 3, 4)
    relative = ours.convert_format(BOXES, "xyxy", "rel_xyxy", 80, 100)
    found = ours.pad(relative, 8, 10, 80, 100, bounding_box_format="rel_xyxy")
    np.testing.assert_allclose(found, relative + 0.1, rtol=1e-4)


@pytest.mark.parametrize(
    "centre", [{}, {"center_x": np.array([0.2, 0.7], "float32"), "center_y": np.array([0.3, 0.4], "float32")}]
)
def test_affine_transform(centre):
    numbers = [np.array(pair, "float32") for pair in ((30, -70), (0.1, 0), (0.2, -0.3), (1.5, 0.8), (5, -9), (-5, 12))]
    same("affine_transform", MANY, *numbers, 100, 200, rtol=1e-3, **centre)


def test_affine_transform_of_one_turn():
    found = ours.affine_transform(np.array([[0, 0, 1, 2.0]]), 90, 0, 0, 1, 0, 0, height=11, width=11)
    np.testing.assert_allclose(found, [[0, 9, 2, 10]], atol=1e-4)


@pytest.mark.parametrize("one, two", [(BOXES, OTHERS[:2]), (MANY, MANY[:, :2] + 1)])
def test_iou(one, two):
    same("compute_iou", one, two, "xyxy")
    same("compute_iou", one - 60, two - 60, "xyxy", use_masking=True, mask_val=-3)


def test_iou_of_fractions_and_of_a_batch_with_one_list():
    one, two = (ours.convert_format(boxes, "xyxy", "rel_yxyx", 80, 100) for boxes in (BOXES, OTHERS))
    for name in ("compute_iou", "compute_ciou"):
        wanted = getattr(ours, name)(BOXES, OTHERS, "xyxy")
        found = getattr(ours, name)(one, two, "rel_yxyx", image_shape=(80, 100, 3))
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    wanted = [ours.compute_iou(boxes, OTHERS, "xyxy") for boxes in MANY]
    np.testing.assert_allclose(ours.compute_iou(MANY, OTHERS, "xyxy"), wanted, rtol=1e-6)


def test_ciou():
    same("compute_ciou", BOXES, OTHERS, "xyxy", rtol=1e-4)
    np.testing.assert_allclose(ours.compute_ciou(BOXES, BOXES, "xyxy"), 1, atol=1e-5)


@pytest.mark.parametrize("encoding", ["center_xywh", "center_yxhw"])
@pytest.mark.parametrize("variance", [None, [0.1, 0.1, 0.2, 0.2]])
def test_deltas(encoding, variance):
    same("encode_box_to_deltas", BOXES, OTHERS, "xyxy", "xyxy", encoding, variance, rtol=1e-4)
    deltas = rng.normal(size=(5, 4)).astype("float32") / 4
    same("decode_deltas_to_boxes", BOXES, deltas, "xyxy", "xywh", encoding, variance, rtol=1e-4)
    encoded = ours.encode_box_to_deltas(BOXES, OTHERS, "xyxy", "xyxy", encoding, variance)
    decoded = ours.decode_deltas_to_boxes({0: BOXES}, {0: encoded}, "xyxy", "xyxy", encoding, variance)
    np.testing.assert_allclose(decoded[0], OTHERS, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda: ours.convert_format(BOXES, "xyxz", "xyxy"), ConfigError),
        (lambda: ours.convert_format(BOXES, "xyxy", "rel_xyxy"), ConfigError),
        (lambda: ours.convert_format(BOXES[0], "xyxy", "xywh"), ShapeError),
        (lambda: ours.encode_box_to_deltas(BOXES, BOXES, "xyxy", "xyxy", "xyxy"), ConfigError),
        (lambda: ours.encode_box_to_deltas(BOXES, BOXES, "xyxy", "xyxy", variance=[1]), ConfigError),
    ],
)
def test_refusals(call, error):
    with pytest.raises(error):
        call()
