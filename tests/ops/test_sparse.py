"""Sparse arrays in ops, layers and fit: the numbers of dense ones, sparse where Keras on JAX keeps them sparse."""

import jax
import jax.numpy as jnp
import keras as reference
import numpy as np
import pytest
import scipy.sparse
from jax.experimental.sparse import BCOO

import lamina as keras

ops = keras.ops
X = np.array([[1, 0, -0.5], [0, 0.25, 0]], "float32")
TWICE = BCOO((jnp.array([1.0, 2.0, 0.5]), jnp.array([[0, 0], [0, 0], [1, 2]])), shape=(2, 3))  # [0, 0] is stored twice


def dense(value):
    return np.asarray(value.todense() if isinstance(value, BCOO) else value)


def check(name, *args, on=keras, **kwargs):
    """Whether the result is sparse. Its numbers are those of dense arguments."""
    found = getattr(on.ops, name)(*args, **kwargs)
    if on is keras:
        wanted = getattr(ops, name)(*(dense(one) if isinstance(one, BCOO) else one for one in args), **kwargs)
        np.testing.assert_allclose(dense(found), wanted, rtol=1e-6)
    return isinstance(found, BCOO)


ONE = [("floor",), ("relu",), ("sqrt",), ("cos",), ("sum", 1), ("transpose",), ("reshape", (3, 2)), ("digitize", [0.1])]


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("name, arguments", [(name, rest) for name, *rest in ONE])
def test_one_sparse_array(name, arguments):
    x = BCOO.fromdense(X)
    is_sparse = check(name, x, *arguments)
    assert is_sparse == (name != "cos")
    assert getattr(ops, name)(keras.KerasTensor((2, 3), sparse=True), *arguments).sparse == is_sparse
    if name not in ("relu",):  # Keras has no sparse relu
        assert check(name, x, *arguments, on=reference) == is_sparse
    assert check(name, TWICE, *arguments) == is_sparse


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "maximum", "divide", "matmul"])
def test_two_arrays_of_which_one_or_both_are_sparse(name):
    right = X[::-1].copy() if name != "matmul" else X.T.copy()
    for x, y in ((BCOO.fromdense(X), BCOO.fromdense(right)), (BCOO.fromdense(X), right), (X, BCOO.fromdense(right))):
        is_sparse = check(name, x, y)
        assert is_sparse == check(name, x, y, on=reference)
        symbols = [keras.KerasTensor(one.shape, sparse=isinstance(one, BCOO)) for one in (x, y)]
        assert getattr(ops, name)(*symbols).sparse == is_sparse
    assert check("clip", BCOO.fromdense(X), -1, 1) and not check("clip", BCOO.fromdense(X), 0.5, 1)


def test_conversion_and_sparse_codes():
    matrix = scipy.sparse.dok_array(X)
    assert isinstance(ops.convert_to_tensor(matrix), BCOO) and ops.is_tensor(BCOO.fromdense(X))
    assert np.array_equal(ops.convert_to_tensor(matrix, sparse=False), X)
    assert np.array_equal(ops.convert_to_numpy(BCOO.fromdense(X)), X)
    assert not ops.convert_to_tensor(keras.KerasTensor((2, 3), sparse=True), sparse=False).sparse
    numbers = np.array([[0, 1, 1], [3, -1, 3]])
    for name in ("one_hot", "multi_hot"):
        code = getattr(ops, name)
        assert np.array_equal(dense(code(numbers, 4, sparse=True)), code(numbers, 4))
    assert np.array_equal(dense(ops.bincount([1, 3, 1], sparse=True)), [0, 2, 0, 1])
    for mode in ("one_hot", "multi_hot", "count"):
        layer, plain = (keras.layers.CategoryEncoding(4, mode, sparse=one) for one in (True, False))
        assert np.array_equal(dense(layer(numbers)), plain(numbers))
        assert layer(keras.Input((3,), dtype="int32")).sparse


@pytest.mark.parametrize("kind", ["dok_matrix", "bcoo"])
def test_layers_and_fit(kind):
    x = BCOO.fromdense(X) if kind == "bcoo" else getattr(scipy.sparse, kind)(X)
    inputs = keras.Input((3,), sparse=True)
    dense_layer = keras.layers.Dense(2)
    model = keras.Model(inputs, dense_layer(inputs))
    wanted = dense_layer(X)
    for call in (dense_layer, model, lambda x: model.predict(x, verbose=0), model.predict_on_batch):
        np.testing.assert_allclose(call(x), wanted, rtol=1e-5)
    embedding = keras.layers.Embedding(2, 2)
    np.testing.assert_allclose(embedding(x), embedding(X), rtol=1e-5)
    np.testing.assert_allclose(keras.layers.LayerNormalization()(x), keras.layers.LayerNormalization()(X), rtol=1e-5)
    model.compile("sgd", "mse")
    assert np.isclose(model.fit(x, wanted, verbose=0).history["loss"][0], 0, atol=1e-6)
    assert np.isclose(model.train_on_batch(x, wanted), 0, atol=1e-6)


LAYERS = [
    ("Add", {}, 2), ("Subtract", {}, 2), ("Average", {}, 3), ("Multiply", {}, 2), ("Maximum", {}, 2),
    ("Concatenate", {}, 2), ("Flatten", {}, 1), ("Reshape", {"target_shape": (3, 1)}, 1),
    ("Permute", {"dims": (1,)}, 1),
]  # fmt: skip


@pytest.mark.parametrize("name, arguments, count", LAYERS)
def test_layers_that_merge_and_rearrange_keep_arrays_sparse(name, arguments, count):
    x = BCOO.fromdense(X)
    given, plain = ([x] * count, [X] * count) if count > 1 else (x, X)
    symbols = [keras.Input((3,), sparse=True) for _ in range(count)]
    for on in (keras, reference):
        layer = getattr(on.layers, name)(**arguments)
        found = layer(given)
        assert isinstance(found, BCOO)
        np.testing.assert_allclose(dense(found), layer(plain), rtol=1e-6)
    assert getattr(keras.layers, name)(**arguments)(symbols if count > 1 else symbols[0]).sparse
    if count > 1:  # one dense input, and the others become dense too
        mixed = [x, *[X] * (count - 1)]
        np.testing.assert_allclose(dense(getattr(keras.layers, name)(**arguments)(mixed)), layer(plain), rtol=1e-6)


def test_long_sparse_arrays_are_not_read_row_by_row():
    x = BCOO((jnp.ones(1), jnp.zeros((1, 2), int)), shape=(100_000, 2))
    assert ops.add(x, jnp.ones(2)).shape == (100_000, 2)  # seconds, where each row is an array


def test_a_compiled_function_and_its_gradient():
    def loss(kernel, x):
        return ops.sum(ops.matmul(ops.relu(x), kernel))

    kernel = np.ones((3, 2), "float32")
    found, gradient = jax.jit(jax.value_and_grad(loss))(kernel, BCOO.fromdense(X))
    wanted, gradient_wanted = jax.value_and_grad(loss)(kernel, X)
    np.testing.assert_allclose(found, wanted)
    np.testing.assert_allclose(gradient, gradient_wanted)
