"""What the tests of layers share: ours and Keras's with the same weights and inputs, in training and out of it."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import keras
import numpy as np

from lamina.core import context


def pair(ours, kwargs, **common):
    """The same layer of both libraries, names counted from the start."""
    context.reset_names()
    keras.utils.clear_session(free_memory=False)
    return ours(**kwargs, **common), getattr(keras.layers, ours.__name__)(**kwargs, **common)


def draw(shape, seed=0):
    """Numbers of both signs for one shape, or a list of them for a list of shapes."""
    if isinstance(shape, list):
        return [draw(one, seed + index) for index, one in enumerate(shape)]
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def described(layer):
    return [(v.path, tuple(v.shape), str(v.dtype), v.trainable) for v in layer.variables]


def share_weights(mine, theirs):
    """Give both layers the same weights, none of them 0 or negative (some are variances)."""
    source = np.random.default_rng(7)
    weights = [source.uniform(0.5, 1.5, v.shape).astype(v.dtype) for v in theirs.weights]
    mine.set_weights(weights)
    theirs.set_weights(weights)


def step(layer, inputs, cotangent, **kwargs):
    """(outputs, new state, gradients of weights and inputs) of one compiled call."""
    variables = [*layer.trainable_variables, *layer.non_trainable_variables]

    def run(weights, inputs):
        values = [*weights, *(variable.value for variable in layer.non_trainable_variables)]
        if isinstance(layer, keras.Layer):  # its stateless_call leaves out the casts of a mixed policy
            with keras.StatelessScope(list(zip(variables, values, strict=True))) as scope:
                outputs = layer(inputs, **kwargs)
                slots = [scope.get_current_value(variable) for variable in variables]
        else:
            with context.bind(variables, values) as bound:
                outputs = layer(inputs, **kwargs)
                slots = [bound[variable] for variable in variables]
        return outputs, slots[len(weights) :]

    @jax.jit
    def both(weights, inputs):
        outputs, back, state = jax.vjp(run, weights, inputs, has_aux=True)
        return outputs, state, back(cotangent.astype(outputs.dtype))

    return both([variable.value for variable in layer.trainable_variables], inputs)


def assert_close(mine, theirs, tolerance):
    for got, wanted in zip(jax.tree.leaves(mine), jax.tree.leaves(theirs), strict=True):
        assert got.dtype == wanted.dtype and got.shape == wanted.shape
        np.testing.assert_allclose(np.asarray(got, "float64"), np.asarray(wanted, "float64"), tolerance, tolerance)


def assert_same(ours, kwargs, shape, tolerance=1e-5, dtype=None, **call):
    """Variables, outputs, states, gradients and shapes are those of Keras's layer; the two layers are returned."""
    mine, theirs = pair(ours, kwargs, name="layer", **({"dtype": dtype} if dtype else {}))
    inputs = draw(shape)
    mine.build(shape)
    theirs.build(shape)
    assert described(mine) == described(theirs)
    assert mine.count_params() == theirs.count_params()
    share_weights(mine, theirs)
    cotangent = draw(theirs.compute_output_shape(shape), seed=3)
    got, wanted = step(mine, inputs, cotangent, **call), step(theirs, inputs, cotangent, **call)
    assert_close(got[:2], wanted[:2], tolerance)
    assert_close(got[2], wanted[2], 10 * tolerance)
    assert_same_shape(mine, theirs, shape)
    return mine, theirs


def assert_same_shape(mine, theirs, shape):
    """The output shape, for a batch of unknown size too."""
    free = [(None, *one[1:]) for one in shape] if isinstance(shape, list) else (None, *shape[1:])
    assert mine.compute_output_shape(shape) == tuple(theirs.compute_output_shape(shape))
    assert mine.compute_output_shape(free) == tuple(theirs.compute_output_shape(free))


def assert_same_config(ours, kwargs):
    """Equal configs, and each library makes its layer from the config of the other."""
    mine, theirs = pair(ours, kwargs, name="layer")
    config = theirs.get_config()
    assert mine.get_config() == config
    assert ours.from_config(config).get_config() == config
    assert type(theirs).from_config(mine.get_config()).get_config() == config
