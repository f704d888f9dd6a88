"""Discretization against Keras: bins, modes, and the boundaries that `adapt` finds."""

import jax
import numpy as np
import pytest

from lamina.errors import CallError, ConfigError
from lamina.layers.discretization import Discretization
from tests.layers import layer_checks as check

EXAMPLES = {"Discretization": (lambda: dict(bin_boundaries=[-0.5, 0.0, 1.0], output_mode="one_hot"), (3,))}

VALUES = np.array([[-1.0, 0.0, 0.1, 0.8], [1.0, 1.2, np.inf, np.nan]], "float32")


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
def test_like_keras(mode):
    kwargs = dict(bin_boundaries=[0.0, 0.5, 1.0], output_mode=mode)
    mine, theirs = check.pair(Discretization, kwargs, name="layer")
    check.assert_close(mine(VALUES), theirs(VALUES), 0)
    check.assert_close(jax.jit(lambda x: mine(x))(VALUES), theirs(VALUES), 0)
    assert mine(VALUES).dtype == theirs(VALUES).dtype == mine.output_dtype
    assert mine.compute_output_shape((None, 3, 4)) == theirs.compute_output_shape((None, 3, 4))
    config = {**theirs.get_config(), "dtype": mine.get_config()["dtype"]}
    assert mine.get_config() == config


# What Keras 3.15 on TensorFlow finds in these values.
ADAPTED = [
    (np.array([1.0, 2.0, 5.0]), dict(num_bins=3), [1.0, 2.0]),
    (np.arange(10.0), dict(num_bins=3), [2.3333332538604736, 5.666666507720947]),
    (np.arange(37.0), dict(num_bins=4, epsilon=0.1), [8.000000953674316, 17.000001907348633, 26.0]),
    (np.arange(150.0), dict(num_bins=3), [48.99996566772461, 98.99998474121094]),
    (np.arange(1000.0), dict(num_bins=5, epsilon=0.5), [499.0]),
    (
        [np.arange(10.0), np.arange(1000.0), np.arange(50.0, 150)], dict(num_bins=4),
        [166.4996795654297, 443.99951171875, 721.4996948242188],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("data", "kwargs", "expected"), ADAPTED)
def test_adapt_like_keras(data, kwargs, expected):
    layer = Discretization(**kwargs)
    layer.adapt(data)
    np.testing.assert_allclose(layer.bin_boundaries, expected, 1e-6)


def test_adapted_bins_have_equally_many_values():
    values = np.random.default_rng(0).normal(size=4000)
    layer = Discretization(num_bins=5)
    layer.adapt(values.reshape(40, 100))
    shares = np.bincount(np.asarray(layer(values))) / values.size
    np.testing.assert_allclose(shares, 0.2, atol=0.02)


def test_adapted_boundaries_are_in_the_config():
    layer = Discretization(num_bins=4)
    layer.adapt(np.arange(100.0))
    config = layer.get_config()
    assert config["num_bins"] == 4 and len(config["bin_boundaries"]) == 3
    other = Discretization.from_config(config)
    assert other.get_config() == config
    assert other([30.0]).tolist() == layer([30.0]).tolist() == [1]


def test_a_program_sees_new_boundaries():
    from lamina.models.sequential import Sequential

    layer = Discretization(num_bins=2)
    layer.adapt([0.0, 1.0, 2.0, 3.0])
    model = Sequential([layer])
    before = model.predict(np.array([[2.0]]), verbose=0)
    layer.adapt([10.0, 11.0, 12.0, 13.0])
    after = model.predict(np.array([[2.0]]), verbose=0)
    assert (before.item(), after.item()) == (1, 0)


def test_arguments():
    for kwargs, told in (
        (dict(num_bins=3, bin_boundaries=[0.0]), "Both `num_bins` and `bin_boundaries`"),
        (dict(), "either `num_bins` or `bin_boundaries`"),
        (dict(num_bins=-1), "of 0 or more"),
        (dict(num_bins=3, output_mode="tf_idf"), "must be 'int'"),
        (dict(num_bins=3, sparse=True), "`sparse` may only be true"),
    ):
        with pytest.raises(ConfigError, match=told):
            Discretization(**kwargs)
    with pytest.raises(CallError, match=r"adapt\(data\) makes them"):
        Discretization(num_bins=3)([0.1])
    with pytest.raises(ConfigError, match="cannot adapt"):
        Discretization([0.0]).adapt([1.0])
