"""RandAugment and AugMix: against Keras for equal seeds and given draws, by hand, and inside of compiled models."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lamina.layers.image.policies import AugMix, RandAugment, _Keys
from tests.layers import layer_checks as check

EXAMPLES = {
    "RandAugment": (lambda: dict(factor=0.2, seed=3), (6, 5, 3)),
    "AugMix": (lambda: dict(factor=0.2, seed=3), (6, 5, 3)),
}


def pictures(shape, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, shape).astype("float32")


@pytest.mark.parametrize("layer", [RandAugment, AugMix])
def test_configs_and_variables_like_keras(layer):
    for kwargs in ({}, dict(factor=(0.1, 0.6), interpolation="nearest", seed=4, bounding_box_format="xyxy")):
        check.assert_same_config(layer, kwargs)
        mine, theirs = check.pair(layer, kwargs)
        assert check.described(mine) == check.described(theirs)
    check.assert_same_config(AugMix, dict(all_ops=False, alpha=0.5, num_chains=2, chain_depth=1))


def test_rand_augment_like_keras_for_equal_seeds():
    mine, theirs = check.pair(RandAugment, dict(num_ops=2, factor=0.4, seed=5))
    x = pictures((2, 6, 5, 3))
    np.testing.assert_array_equal(*(layer.get_random_transformation(x)["layer_idxes"] for layer in (mine, theirs)))
    np.testing.assert_allclose(mine(x, training=True), theirs(x, training=True), 1e-5, 1e-3)


@pytest.mark.parametrize("index", range(11))
def test_rand_augment_with_one_layer_like_keras(index):
    mine, theirs = check.pair(RandAugment, dict(num_ops=1, factor=0.4, seed=index, value_range=(0, 200)))
    data = {"images": pictures((2, 6, 5, 3)) * 200 / 255, "segmentation_masks": pictures((2, 6, 5, 1)).round()}
    data = jax.tree.map(jnp.asarray, data)
    drawn = [layer.get_random_transformation(data["images"], training=True) for layer in (mine, theirs)]
    for one in drawn:
        one["layer_idxes"] = np.array([index])
    images, masks = (
        [getattr(layer, f"transform_{part}")(data[part], one) for layer, one in zip((mine, theirs), drawn, strict=True)]
        for part in ("images", "segmentation_masks")
    )
    np.testing.assert_allclose(*images, 1e-5, 1e-3)
    np.testing.assert_allclose(*masks, 1e-5)


def test_aug_mix_by_hand():
    """The mixture of chains, each layer with the draws of its key."""
    layer = AugMix(num_chains=2, chain_depth=2, seed=3)
    x = jnp.asarray(pictures((2, 6, 5, 3)))
    keys = jax.random.split(jax.random.PRNGKey(1), (2, 2))
    drawn = {
        "chain_mixing_weights": jnp.array([0.25, 0.75]),
        "weight_sample": jnp.array(0.4),
        "layer_idxes": np.array([[1, 11], [4, 5]]),
        "seeds": keys,
    }
    moved = layer.random_translation
    solar, contrast = layer.solarization, layer.auto_contrast
    first = moved.transform_images(x, moved.get_random_transformation(x, seed=_Keys(keys[0, 0])))
    second = solar.transform_images(x, solar.get_random_transformation(x, seed=_Keys(keys[1, 0])))
    mixed = 0.25 * first + 0.75 * contrast.transform_images(second)
    np.testing.assert_allclose(layer.transform_images(x, drawn), 0.4 * x + 0.6 * mixed, 1e-5, 1e-3)
    masks = jnp.asarray(pictures((2, 6, 5, 1)).round())
    first = moved.transform_segmentation_masks(masks, moved.get_random_transformation(masks, seed=_Keys(keys[0, 0])))
    wanted = 0.4 * masks + 0.6 * (0.25 * first + 0.75 * masks)
    np.testing.assert_allclose(layer.transform_segmentation_masks(masks, drawn), wanted, 1e-5)


def test_weights_of_aug_mix_like_keras():
    mine, theirs = check.pair(AugMix, dict(num_chains=4, alpha=0.5, seed=6))
    x = pictures((2, 6, 5, 3))
    got, wanted = (layer.get_random_transformation(x, training=True) for layer in (mine, theirs))
    for name in ("chain_mixing_weights", "weight_sample"):
        np.testing.assert_allclose(got[name], wanted[name], 1e-6)


def test_aug_mix_does_not_draw_colors_unless_told():
    layer = AugMix(all_ops=False, seed=1)
    assert len(layer._layers) == 7
    indices = [layer.get_random_transformation(np.zeros((1, 2, 2, 3)), training=True)["layer_idxes"] for _ in range(20)]
    assert set(np.ravel(indices)) == set(range(8))


@pytest.mark.parametrize("layer", [RandAugment, AugMix])
def test_predicting_changes_nothing(layer):
    x = pictures((2, 6, 5, 3)).astype("uint8")
    outputs = layer(seed=1)(x, training=False)
    assert outputs.dtype == "float32"
    np.testing.assert_array_equal(outputs, x)


@pytest.mark.parametrize("layer", [RandAugment, AugMix])
def test_compiled_steps_draw_what_eager_calls_draw(layer):
    """Each step of a compiled model has other layers, those of a layer on its own with the same seed."""
    alone, inside = layer(seed=5), layer(seed=5)
    data = {"images": pictures((2, 6, 5, 3))}
    states = [variable.value for variable in inside.variables]
    step = jax.jit(lambda states, data: inside.stateless_call([], states, data, training=True))
    for _ in range(3):
        outputs, states = step(states, data)
        np.testing.assert_allclose(outputs["images"], alone(data, training=True)["images"], 1e-4, 1e-2)


def test_channels_first():
    x = pictures((2, 6, 5, 3))
    first = RandAugment(num_ops=11, seed=3, data_format="channels_first")(np.moveaxis(x, -1, 1))
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), RandAugment(num_ops=11, seed=3)(x), 1e-5, 1e-2)
