"""EinsumDense against Keras: equations with and without "...", biases, initial values, configs, errors."""

import keras
import numpy as np
import pytest

from lamina.errors import ConfigError, ShapeError
from lamina.layers.einsum_dense import EinsumDense
from lamina.layers.input_layer import Input
from tests.layers import layer_checks as check

EXAMPLES = {"EinsumDense": (lambda: dict(equation="abc,cd->abd", output_shape=(None, 4), bias_axes="d"), (3, 5))}


@pytest.mark.parametrize(
    ("equation", "output_shape", "bias_axes", "shape"),
    [
        ("ab,bc->ac", 4, None, (2, 3)),
        ("abc,cde->abde", (3, 4, 6), "e", (2, 3, 5)),
        ("abc,cde->abde", (3, 4, 6), "be", (2, 3, 5)),
        ("...x,xy->...y", 4, "y", (2, 3, 5)),
        ("...bcd,cde->...be", (3, 4), "e", (2, 3, 4, 5)),
        ("...x,xy->...y", 4, "y", (2, 3, 3, 5)),  # Keras swaps the sizes of axes 1 and 2
        ("abc...,bd->adc...", (4, 3), "d", (2, 5, 3, 2)),
    ],
)
def test_like_keras(equation, output_shape, bias_axes, shape):
    kwargs = dict(equation=equation, output_shape=output_shape, bias_axes=bias_axes, activation="tanh")
    check.assert_same(EinsumDense, kwargs, shape)


@pytest.mark.parametrize(
    "kwargs",
    [
        dict(equation="ab,bc->ac", output_shape=4),
        dict(
            equation="abc,cd->abd", output_shape=(None, 4), bias_axes="d", activation="relu", kernel_regularizer="l2",
            kernel_initializer="he_normal", bias_initializer="ones", bias_constraint="non_neg",
        ),
    ],
)  # fmt: skip
def test_configs(kwargs):
    check.assert_same_config(EinsumDense, kwargs)


def test_sizes_that_are_the_inputs():
    kwargs = dict(equation="abc,cd->abd", output_shape=(None, 4))
    mine, theirs = check.pair(EinsumDense, kwargs)
    assert mine(Input((None, 5))).shape == tuple(theirs(keras.Input((None, 5))).shape) == (None, None, 4)
    check.share_weights(mine, theirs)
    x = check.draw((2, 3, 5))
    check.assert_close(mine(x), theirs(x), 1e-5)


def test_initial_values_have_the_scale_of_inputs_and_outputs():
    """The limit of glorot_uniform is sqrt(6 / (fan in + fan out)); this kernel has two axes of inputs."""
    layer = EinsumDense("...nh,nho->...o", 30)
    layer.build((None, 5, 10, 20))
    limit = (6 / (10 * 20 + 30)) ** 0.5
    assert 0.99 * limit < np.abs(layer.kernel.numpy()).max() <= limit


@pytest.mark.parametrize(
    "equation", ["ab,bc", "ab,bc->...c", "...ab,bc->ac", "...ab...,bc->...ac...", "a b,bc->ac", None]
)
def test_refuses_equations(equation):
    with pytest.raises(ConfigError, match="equation"):
        EinsumDense(equation, 4)


def test_refuses_axes_out_of_nowhere():
    with pytest.raises(ConfigError, match="'d'"):
        EinsumDense("ab,bcd->ac", 4)
    with pytest.raises(ConfigError, match="'d'"):
        EinsumDense("ab,bc->acd", (4, 4))
    with pytest.raises(ConfigError, match="bias_axes"):
        EinsumDense("ab,bc->ac", 4, bias_axes="b")


@pytest.mark.parametrize(
    ("output_shape", "shape", "words"),
    [
        ((3, 4), (2, 3), "rank 3"),
        ((4,), (2, 3, 5), "size for each of bd"),
        ((7, 4), (2, 3, 5), "size 3 in the inputs"),
        ((3, None), (2, 3, 5), "needs known sizes"),
        ((3, 4), (2, 3, None), "needs known sizes"),
    ],
)
def test_refuses_shapes(output_shape, shape, words):
    with pytest.raises(ShapeError, match=words):
        EinsumDense("abc,cd->abd", output_shape).build(shape)
