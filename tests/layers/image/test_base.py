"""What all image layers share: one image or a batch, arrays or dicts, models, pipelines of data, types, errors."""

from concurrent.futures import ThreadPoolExecutor

import jax
import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.errors import ConfigError, ShapeError
from lamina.layers.image.base import dense_boxes
from lamina.legacy import OldSpelling
from tests.layers.image import image_checks as check

IMAGES = check.data(8, 8, 6)["images"]


def augmentation():
    return lamina.Sequential([layers.RandomFlip("horizontal", seed=1), layers.RandomRotation(0.1, seed=2)])


def test_augmentation_at_the_start_of_a_model_is_for_training_only():
    inputs = lamina.Input((8, 8, 3))
    augment = augmentation()
    outputs = layers.Dense(1)(layers.Flatten()(augment(inputs)))
    model = lamina.Model(inputs, outputs)
    model.compile("sgd", "mse")
    targets = np.ones((6, 1), "float32")
    seeds = [np.array(variable.numpy()) for variable in augment.variables]
    model.fit(IMAGES, targets, epochs=2, batch_size=6, verbose=0)
    assert all(not np.array_equal(old, new.numpy()) for old, new in zip(seeds, augment.variables, strict=True))
    kernel, bias = model.get_weights()
    plain = IMAGES.reshape(6, -1) @ kernel + bias
    np.testing.assert_allclose(model.predict(IMAGES, verbose=0), plain, 1e-4, 1e-4)
    loss = model.evaluate(IMAGES, targets, verbose=0)
    np.testing.assert_allclose(loss, np.mean((plain - targets) ** 2), 1e-4)
    assert not np.allclose(model(IMAGES, training=True), plain)
    assert model.count_params() == 193


def test_the_step_sees_augmented_images_new_ones_each_time():
    seen = []

    class Watch(layers.Layer):
        def call(self, inputs):
            jax.debug.callback(lambda images: seen.append(np.asarray(images)), inputs, ordered=True)
            return inputs

    model = lamina.Sequential([augmentation(), Watch(), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(IMAGES, np.ones((6, 1)), epochs=2, batch_size=6, shuffle=False, verbose=0)
    first, second = seen[-2:]
    assert not np.array_equal(first, IMAGES) and not np.array_equal(first, second)


def test_a_pipeline_of_data_in_worker_threads():
    layer = layers.RandomFlip("horizontal", seed=1)
    with ThreadPoolExecutor(2) as pool:
        outputs = list(pool.map(layer, [IMAGES[:2]] * 4))
    for flipped in outputs:
        for image, given in zip(np.asarray(flipped), IMAGES, strict=False):
            assert np.array_equal(image, given) or np.array_equal(image, given[:, ::-1])


def test_a_map_over_grain():
    grain = pytest.importorskip("grain")
    source = grain.MapDataset.source(list(IMAGES)).map(layers.Resizing(4, 4)).batch(3)
    assert [batch.shape for batch in source] == [(3, 4, 4, 3)] * 2


def test_one_image_is_a_batch_of_one_and_channels_may_come_first():
    parts = ("labels", "segmentation_masks", "bounding_boxes")
    batch = check.data(8, 10, 1, parts=parts)
    single = {name: part[0] for name, part in batch.items() if name != "bounding_boxes"}
    single["bounding_boxes"] = {name: part[0] for name, part in batch["bounding_boxes"].items()}
    first = check.data(8, 10, 1, "channels_first", parts)
    one, many, other = (
        layers.RandomZoom(0.3, seed=4, bounding_box_format="xyxy", **kwargs)(part, training=True)
        for part, kwargs in ((single, {}), (batch, {}), (first, {"data_format": "channels_first"}))
    )
    for name in ("images", "labels", "segmentation_masks"):
        np.testing.assert_allclose(one[name], many[name][0], 1e-6, 1e-6)
    for name in ("boxes", "labels"):
        np.testing.assert_allclose(one["bounding_boxes"][name], many["bounding_boxes"][name][0], 1e-6)
    np.testing.assert_allclose(np.moveaxis(np.asarray(other["images"]), 1, -1), many["images"], 1e-6, 1e-6)


def test_what_a_layer_is_given_stays_and_other_parts_pass_through():
    data = {**check.data(), "weights": np.ones(4)}
    images = data["images"].copy()
    outputs = layers.RandomFlip(seed=1)(data, training=True)
    np.testing.assert_array_equal(data["images"], images)
    assert list(outputs) == ["images", "labels", "weights"]
    np.testing.assert_array_equal(outputs["weights"], 1)


def test_types():
    bytes_ = (IMAGES * 255).astype("uint8")
    assert layers.RandomFlip()(bytes_, training=True).dtype == "float32"
    assert layers.RandomFlip()(bytes_, training=False).dtype == "float32"
    boxes = {"boxes": np.array([[500.0, 501, 502, 503]], "float32"), "labels": np.array([1])}
    mixed = layers.RandomTranslation(0.0, 0.0, dtype="mixed_bfloat16", bounding_box_format="xyxy")
    outputs = mixed({"images": np.ones((600, 600, 1), "uint8"), "bounding_boxes": boxes}, training=True)
    assert outputs["images"].dtype == "bfloat16"
    assert outputs["bounding_boxes"]["boxes"].tolist() == [[500, 501, 502, 503]]  # not rounded to bfloat16


def test_symbolic_shapes():
    assert layers.RandomRotation(0.1)(lamina.Input((None, None, 3), dtype="uint8")).dtype == "float32"
    outputs = layers.CenterCrop(4, 5)({"images": lamina.Input((8, 8, 3)), "labels": lamina.Input((2,))})
    assert outputs["images"].shape == (None, 4, 5, 3) and outputs["labels"].shape == (None, 2)


def test_lists_of_boxes_of_different_lengths_are_filled():
    boxes = dense_boxes({"boxes": [[[1, 2, 3, 4]], [[5, 6, 7, 8], [1, 1, 2, 2]]], "labels": [[1], [2, 3]]})
    assert boxes["boxes"].tolist() == [[[1, 2, 3, 4], [0, 0, 0, 0]], [[5, 6, 7, 8], [1, 1, 2, 2]]]
    assert boxes["labels"].tolist() == [[1, -1], [2, 3]]
    layer = layers.RandomFlip(bounding_box_format="xyxy")
    outputs = layer({"images": IMAGES[0], "bounding_boxes": {"boxes": [[1, 2, 3, 4]], "labels": [7]}}, training=False)
    assert outputs["bounding_boxes"]["boxes"].tolist() == [[1, 2, 3, 4]]


def test_a_layer_of_the_users_own():
    class Darken(layers.RandomFlip):
        def transform_images(self, images, transformation=None, training=True):
            return super().transform_images(images, transformation, training) / 2

    layer = Darken("horizontal", seed=1)
    np.testing.assert_allclose(layer(IMAGES[0], training=False), IMAGES[0] / 2)
    assert Darken.from_config(layer.get_config()).mode == "horizontal"


@pytest.mark.parametrize(
    ("error", "message", "make"),
    [
        (ConfigError, "has no bounding_box_format", lambda: layers.RandomFlip()(
            {"images": IMAGES, "bounding_boxes": {"boxes": np.zeros((6, 1, 4)), "labels": np.zeros((6, 1))}})),
        (ConfigError, "boxes and labels", lambda: layers.RandomFlip(bounding_box_format="xyxy")(
            {"images": IMAGES, "bounding_boxes": {"boxes": np.zeros((6, 1, 4))}})),
        (ShapeError, "rank 3", lambda: layers.RandomFlip()(np.ones((4, 4)))),
        (ConfigError, "no argument 'factor'", lambda: layers.RandomFlip(factor=0.1)),
    ],
    ids=["format", "labels", "rank", "factor"],
)  # fmt: skip
def test_errors(error, message, make):
    with pytest.raises(error, match=message):
        make()


def test_the_place_of_keras_2():
    with pytest.warns(OldSpelling, match="experimental.preprocessing.RandomFlip"):
        layer = layers.experimental.preprocessing.RandomFlip("horizontal")
    model = lamina.Sequential([lamina.Input((8, 8, 3)), layer, layers.Flatten(), layers.Dense(2)])
    assert model.output_shape == (None, 2)
    np.testing.assert_array_equal(layer(IMAGES, training=False), IMAGES)
