"""What the tests of recurrent layers and wrappers share: ours and Keras's with the same weights, inputs and masks."""

import jax
import numpy as np

from tests.layers.layer_checks import assert_close, draw, pair

SHAPE = (2, 4, 3)
MASKS = {
    "right": np.array([[1, 1, 0, 0], [1, 1, 1, 1]], bool),
    "left": np.array([[0, 0, 1, 1], [0, 1, 1, 1]], bool),
    "holes": np.array([[0, 1, 0, 1], [0, 0, 0, 0]], bool),
}


def same_weights(mine, theirs, shape=SHAPE):
    """Build both and give them the same weights."""
    mine.build(shape)
    theirs.build(shape)
    assert [(v.path, tuple(v.shape), v.trainable) for v in mine.weights] == [
        (v.path, tuple(v.shape), v.trainable) for v in theirs.weights
    ]
    weights = [draw(tuple(v.shape), seed) for seed, v in enumerate(theirs.weights)]
    mine.set_weights(weights)
    theirs.set_weights(weights)
    return mine, theirs


def passes(layer, **kwargs):
    """A compiled function of (inputs, mask): outputs, and gradients of weights and inputs for a fixed cotangent."""
    weights, state = [v.value for v in layer.trainable_variables], [v.value for v in layer.non_trainable_variables]

    @jax.jit
    def both(inputs, mask):
        masks = {} if mask is None else {"mask": mask}
        run = lambda weights, inputs: layer.stateless_call(weights, state, inputs, **masks, **kwargs)[0]
        outputs, back = jax.vjp(run, weights, inputs)
        return outputs, back(jax.tree.map(lambda a: jax.numpy.asarray(draw(a.shape, 3), a.dtype), outputs))

    return both


def assert_same(mine, theirs, inputs=None, masks=(None,), **kwargs):
    """Outputs and gradients are those of Keras's layer, for each of the masks."""
    inputs = draw(SHAPE, 11) if inputs is None else inputs
    ours, keras = passes(mine, **kwargs), passes(theirs, **kwargs)
    for mask in masks:
        got, wanted = ours(inputs, mask), keras(inputs, mask)
        assert_close(got[0], wanted[0], 1e-5)
        assert_close(got[1], wanted[1], 1e-4)


def same(ours, kwargs, inputs=None, **call):
    """The two layers made from kwargs, with the same weights, give the same."""
    mine, theirs = same_weights(*pair(ours, kwargs, name="layer"), shape=SHAPE if inputs is None else inputs.shape)
    assert_same(mine, theirs, inputs, **call)
    return mine, theirs
