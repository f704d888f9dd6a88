"""What the tests of convolutional, pooling and reshaping layers share: ours and Keras's with the same weights."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import keras
import numpy as np

from lamina.layers.input_layer import Input


def pair(ours, kwargs, **common):
    """The same layer of both libraries."""
    return ours(**kwargs, **common), getattr(keras.layers, ours.__name__)(**kwargs, **common)


def draw_nothing(layer):
    """Weights start as zeros: Keras compiles its draws anew for each shape, half of the time of these tests."""
    for name in vars(layer):
        if name.endswith("_initializer"):
            setattr(layer, name, keras.initializers.Zeros())


def passes(layer):
    """A compiled function of weights, inputs and a cotangent: outputs, gradients of inputs and of weights."""
    held = [variable.value for variable in layer.non_trainable_variables]

    def run(weights, inputs):
        return layer.stateless_call(weights, held, inputs)[0]

    def both(weights, inputs, cotangent):
        outputs, back = jax.vjp(run, weights, inputs)
        return outputs, back(cotangent)

    return jax.jit(both)


def assert_same(ours, kwargs, shape):
    """Weights, outputs, gradients, shapes and configs of a layer are those of Keras's, for one sample of this shape."""
    mine, theirs = pair(ours, kwargs, name="layer")
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(2, *shape)).astype("float32")
    assert_same_config(mine, theirs)
    draw_nothing(theirs)
    mine.build(inputs.shape)
    theirs.build(inputs.shape)
    assert [(v.path, v.shape) for v in mine.weights] == [(v.path, v.shape) for v in theirs.weights]
    assert mine.count_params() == theirs.count_params()
    weights = [draw.normal(size=v.shape).astype("float32") for v in mine.weights]

    expected_shape = tuple(theirs.compute_output_shape((None, *shape)))
    assert mine.compute_output_shape((None, *shape)) == expected_shape
    cotangent = draw.normal(size=(2, *expected_shape[1:])).astype("float32")
    outputs, gradients = passes(mine)(weights, inputs, cotangent)
    expected, expected_gradients = passes(theirs)(weights, inputs, cotangent)
    np.testing.assert_allclose(outputs, expected, 1e-5, 1e-5)
    for got, wanted in zip(jax.tree.leaves(gradients), jax.tree.leaves(expected_gradients), strict=True):
        np.testing.assert_allclose(got, wanted, 1e-4, 1e-4)


def assert_same_config(mine, theirs):
    """Equal configs, and each library makes its layer from the config of the other."""
    config = theirs.get_config()
    assert mine.get_config() == config
    assert type(mine).from_config(config).get_config() == config
    assert type(theirs).from_config(mine.get_config()).get_config() == config


def assert_same_symbolic_shapes(ours, kwargs, shape):
    """The same output shape for an input with unknown sizes."""
    mine, theirs = pair(ours, kwargs)
    assert mine(Input(shape)).shape == tuple(theirs(keras.Input(shape)).shape)


def channels_first(inputs):
    return np.moveaxis(inputs, -1, 1)


def assert_both_formats_agree(ours, kwargs, shape):
    """channels_first on moved inputs gives the moved outputs of channels_last."""
    inputs = np.random.default_rng(1).normal(size=(2, *shape)).astype("float32")
    last, first = ours(**kwargs), ours(**kwargs, data_format="channels_first")
    expected = np.asarray(last(inputs))
    first.build(channels_first(inputs).shape)
    first.set_weights(last.get_weights())
    got = np.asarray(first(channels_first(inputs)))
    np.testing.assert_allclose(got, channels_first(expected) if expected.ndim > 2 else expected, 1e-5, 1e-5)
