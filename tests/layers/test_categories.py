"""CategoryEncoding against Keras: modes, ranks, weights, numbers out of range; what values and batches may be."""

import jax
import numpy as np
import pytest

from lamina.errors import CallError, ConfigError, DataError, ShapeError
from lamina.layers.categories import CategoryEncoding, batches_of, counts_of, values_of
from lamina.layers.input_layer import Input
from tests.layers import layer_checks as check

EXAMPLES = {"CategoryEncoding": (lambda: dict(num_tokens=4, output_mode="count"), (5,))}

SHAPES = [(4,), (4, 1), (2, 3), (2, 3, 4), (2, 3, 1), (2, 1, 3)]


@pytest.mark.filterwarnings("ignore:category_encoding.* has categories")
@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
def test_like_keras(mode):
    mine, theirs = check.pair(CategoryEncoding, dict(num_tokens=4, output_mode=mode))
    check.assert_same_config(CategoryEncoding, dict(num_tokens=4, output_mode=mode))
    for shape in SHAPES:
        ids = np.random.default_rng(0).integers(-1, 5, shape)  # -1 and 4 are no categories
        check.assert_close(mine(ids), theirs(ids), 0)
        assert tuple(mine(Input(batch_shape=shape, dtype="int32")).shape) == mine(ids).shape


def test_of_one_number():
    assert CategoryEncoding(3, "multi_hot")(2).tolist() == [0, 0, 1]
    assert CategoryEncoding(3, "one_hot")(2).tolist() == [0, 0, 1]
    assert CategoryEncoding(3, "multi_hot", sparse=True)(2).todense().tolist() == [0, 0, 1]


def test_weights_of_counts():
    ids, weights = np.array([[0, 1], [1, 1]]), np.array([[0.5, 2.0], [1.0, 0.25]], "float32")
    mine, theirs = check.pair(CategoryEncoding, dict(num_tokens=3, output_mode="count"))
    check.assert_close(mine(ids, count_weights=weights), theirs(ids, count_weights=weights), 0)
    assert mine(Input((2,), dtype="int32"), count_weights=Input((2,))).shape == (None, 3)
    with pytest.raises(CallError, match="count_weights"):
        CategoryEncoding(3)(ids, count_weights=weights)
    with pytest.raises(ShapeError, match=r"\(2, 2\); got \(2, 1\)"):
        mine(ids, count_weights=weights[:, :1])


def test_the_host_counts_as_the_device_does():
    ids = np.random.default_rng(1).integers(-2, 6, (3, 7))
    weights = np.random.default_rng(2).uniform(size=(3, 7)).astype("float32")
    for given in (None, weights):
        on_device = jax.jit(lambda ids, w: counts_of(ids, 4, w))(ids, given)
        np.testing.assert_allclose(counts_of(ids, 4, given), on_device, 1e-6)


def test_arguments():
    for kwargs, told in (
        (dict(), "`num_tokens` must be a positive"),
        (dict(num_tokens=0), "`num_tokens` must be a positive"),
        (dict(num_tokens=2, output_mode="int"), "`output_mode` must be"),
    ):
        with pytest.raises(ConfigError, match=told):
            CategoryEncoding(**kwargs)
    assert CategoryEncoding(2, sparse=True)([[0, 1]]).todense().tolist() == [[1, 1]]


def test_values():
    assert values_of([b"a", b"\xc3\xa9"]).tolist() == ["a", "é"]
    assert values_of(np.array(["a", "bc"], "S")).tolist() == ["a", "bc"]
    with pytest.raises(DataError, match="differ in length"):
        values_of([[1, 2], [3]])
    with pytest.raises(DataError, match="nan"):
        values_of(np.array(["a", float("nan")], object))
    with pytest.raises(DataError, match="32 bits"):
        values_of(np.array([2**40]))


def test_batches():
    class Halves:
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return np.full(2, index), "target"

    def endless():
        while True:
            yield ["a", "b"]

    def sizes(data, steps=None):
        return [batch.shape for batch in batches_of(data, steps)]

    assert sizes(["a b", "c"]) == [(2,)]
    assert sizes([np.arange(3), np.arange(2)]) == [(3,), (2,)]
    assert sizes(Halves()) == [(2,), (2,)]
    assert sizes(endless(), 3) == [(2,)] * 3
    with pytest.raises(DataError, match="array or batches"):
        list(batches_of(3.5))
    with pytest.raises(DataError, match="array or batches"):
        list(batches_of("text"))


@pytest.mark.filterwarnings("ignore:category_encoding.* has categories")
@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
def test_numbers_in_memory_are_encoded_as_in_compiled_functions(mode):
    layer = CategoryEncoding(4, mode)
    ids = jax.numpy.array([[0, 3, 3, -1], [2, 9, 1, 1]])
    arguments = [ids, jax.numpy.array([[1.0, 2.0, 0.5, 7.0], [1.0, 9.0, 2.0, 2.0]])] if mode == "count" else [ids]
    eager = layer(*arguments)
    assert isinstance(eager, jax.Array)
    np.testing.assert_array_equal(eager, jax.jit(layer)(*arguments))
