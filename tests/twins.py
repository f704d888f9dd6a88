"""The same model in Keras and in lamina: built by one function, with the same weights, trained on the same data."""

import keras
import numpy as np

import lamina


def twins(build):
    """`build(K)` for K = keras and K = lamina, lamina's with Keras's weights."""
    theirs, ours = build(keras), build(lamina)
    assert [tuple(w.shape) for w in theirs.weights] == [w.shape for w in ours.weights]
    ours.set_weights(weights_of(theirs))
    return theirs, ours


def weights_of(theirs):
    """The weights of a Keras model as arrays (its own `numpy` method warns with today's NumPy)."""
    return [np.asarray(variable.value) for variable in theirs.weights]


def close(expected, actual, tolerance=1e-5, name=""):
    """Equal within a tolerance, absolute and relative, leaf by leaf."""
    expected, actual = lamina.tree.flatten(expected), lamina.tree.flatten(actual)
    assert len(expected) == len(actual)
    for a, b in zip(expected, actual, strict=True):
        np.testing.assert_allclose(np.asarray(b), np.asarray(a), rtol=tolerance, atol=tolerance, err_msg=name)


def train_both(theirs, ours, x, y, compile_with, **fit):
    """Compile, fit and evaluate both, compare outputs, histories, results and weights; give ours and its history.

    `compile_with(K)` gives the arguments of compile.
    """
    close(theirs.predict(x, verbose=0), ours.predict(x, verbose=0))
    theirs.compile(**compile_with(keras))
    ours.compile(**compile_with(lamina))
    fit = {"epochs": 3, "batch_size": 8, "shuffle": False, "verbose": 0, **fit}
    expected, actual = theirs.fit(x, y, **fit).history, ours.fit(x, y, **fit).history
    assert list(expected) == list(actual)
    for key in expected:
        close(expected[key], actual[key], 2e-4, key)
    expected = theirs.evaluate(x, y, verbose=0, return_dict=True)
    actual = ours.evaluate(x, y, verbose=0, return_dict=True)
    assert set(expected) == set(actual)
    for key in expected:
        close(expected[key], actual[key], 2e-4, key)
    close(weights_of(theirs), ours.get_weights(), 5e-4)
    return ours
