"""Pipeline: layers one after the other, with training and masks handed on."""

import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.errors import ConfigError

EXAMPLES = {"Pipeline": (lambda: dict(layers=[layers.Resizing(4, 4), layers.RandomFlip(seed=1)]), (6, 6, 3))}


def test_layers_in_turn_with_training():
    images = np.random.default_rng(0).uniform(size=(2, 6, 6, 3)).astype("float32")
    pipeline = layers.Pipeline([layers.Resizing(4, 4), layers.RandomFlip("horizontal", seed=1)])
    small = np.asarray(layers.Resizing(4, 4)(images))
    np.testing.assert_array_equal(pipeline(images, training=False), small)
    flipped = layers.RandomFlip("horizontal", seed=1)(small, training=True)
    np.testing.assert_array_equal(pipeline(images), flipped)  # alone it augments
    outputs = pipeline({"images": images, "labels": np.eye(2)}, training=False)
    np.testing.assert_array_equal(outputs["images"], small)
    assert pipeline(lamina.Input((6, 6, 3))).shape == (None, 4, 4, 3)


def test_masks_go_on():
    seen = []

    class Watch(layers.Layer):
        def call(self, inputs, mask=None):
            seen.append(mask)
            return inputs

        def compute_mask(self, inputs, mask=None):
            return mask

    mask = np.array([[True, False]])
    layers.Pipeline([Watch(), Watch()])(np.ones((1, 2, 3)), mask=mask)
    assert all(np.array_equal(one, mask) for one in seen) and len(seen) == 2


def test_config_and_files():
    pipeline = layers.Pipeline([layers.CenterCrop(4, 4), layers.RandomFlip(seed=1)], name="prepare")
    config = pipeline.get_config()
    assert set(config) == {"layers", "name"}
    again = layers.Pipeline.from_config(config)
    assert [type(layer) for layer in again.layers] == [layers.CenterCrop, layers.RandomFlip] and again.name == "prepare"
    assert type(config["layers"][0]) is dict  # what it was made from stays as it was


@pytest.mark.parametrize("config", [{"name": "x"}, {"layers": None}, {"layers": [1]}])
def test_configs_without_layers(config):
    with pytest.raises(ConfigError, match="layers"):
        layers.Pipeline.from_config(config)
