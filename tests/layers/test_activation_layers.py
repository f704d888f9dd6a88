"""The activation layers against Keras."""

import keras
import numpy as np
import pytest

from lamina.core.keras_tensor import get_mask
from lamina.errors import ConfigError, ShapeError
from lamina.layers.activation_layers import ELU, LeakyReLU, PReLU, ReLU, Softmax
from lamina.layers.dense import Masking
from lamina.layers.input_layer import Input
from tests.layers import layer_checks as check

EXAMPLES = {
    "ReLU": (dict, (4,)),
    "LeakyReLU": (dict, (4,)),
    "PReLU": (dict, (3, 4)),
    "ELU": (dict, (4,)),
    "Softmax": (dict, (4,)),
}

CASES = [
    (ReLU, dict(), (2, 3, 4)),
    (ReLU, dict(max_value=0.8, negative_slope=0.2, threshold=0.3), (8, 4)),
    (LeakyReLU, dict(), (2, 4)),
    (LeakyReLU, dict(negative_slope=0.1), (2, 4)),
    (PReLU, dict(alpha_initializer="ones", alpha_regularizer="l2"), (2, 3, 4)),
    (PReLU, dict(shared_axes=[1, 2], alpha_constraint="non_neg"), (2, 3, 2, 4)),
    (PReLU, dict(shared_axes=1), (2, 3, 4)),
    (ELU, dict(alpha=0.7), (2, 4)),
    (Softmax, dict(), (2, 3, 4)),
    (Softmax, dict(axis=[1, 2]), (2, 3, 4)),
    (Softmax, dict(axis=1), (2, 3, 4)),
]


@pytest.mark.parametrize(("layer", "kwargs", "shape"), CASES)
def test_like_keras(layer, kwargs, shape):
    check.assert_same(layer, kwargs, shape)
    check.assert_same_config(layer, kwargs)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize(
    "mask",
    [
        np.array([[True, False, True, True], [False] * 4]),
        np.array([[[1.0, 0.0, 1.0, 0.0]]]),
        np.array([0, 1, 1, 1]),
    ],
)
def test_masked_softmax_like_keras(mask, dtype):
    x = check.draw((3, 2, 4))
    for axis in (-1, (1, 2)):
        mine, theirs = check.pair(Softmax, dict(axis=axis, dtype=dtype))
        check.assert_close(mine(x, mask=mask), theirs(x, mask=mask), 1e-5 if dtype == "float32" else 1e-3)


def test_softmax_refuses_a_mask_that_does_not_broadcast():
    with pytest.raises(ShapeError, match="broadcasts"):
        Softmax()(check.draw((2, 3, 4)), mask=np.ones((2, 3), bool))
    with pytest.raises(ShapeError, match="broadcasts"):
        Softmax()(check.draw((4,)), mask=np.ones((2, 4), bool))


def test_masks_pass():
    x = Masking()(np.array([[[1.0], [0.0]]], "float32"))
    for layer in (ReLU(), LeakyReLU(), PReLU(), ELU()):
        np.testing.assert_array_equal(get_mask(layer(x)), [[True, False]])


@pytest.mark.parametrize(
    "make",
    [
        lambda: ReLU(max_value=-1.0),
        lambda: ReLU(negative_slope=-0.1),
        lambda: ReLU(threshold=None),
        lambda: LeakyReLU(None),
        lambda: LeakyReLU(-0.3),
    ],
)
def test_refuses_settings(make):
    with pytest.raises(ConfigError, match="a number of at least 0"):
        make()


def test_prelu_needs_sizes_and_names_the_fix():
    with pytest.raises(ShapeError, match=r"shared_axes=\[1\]"):
        PReLU()(Input((None, 4)))
    assert PReLU(shared_axes=[1])(Input((None, 4))).shape == (None, None, 4)
    layer = PReLU()
    layer(check.draw((2, 3)))
    with pytest.raises(ShapeError, match="3 on axis 1"):
        layer(check.draw((2, 4)))


def test_names_are_those_of_keras():
    for ours in (ReLU, LeakyReLU, PReLU, ELU, Softmax):
        mine, theirs = ours().name, getattr(keras.layers, ours.__name__)().name
        assert mine.rstrip("_0123456789") == theirs.rstrip("_0123456789")
