"""Pooling and its gradients against lax.reduce_window, ties and all."""

import jax
import jax.numpy as jnp
import lamina_native as native
import numpy as np
import pytest
from shapes import pooling, random_cases

# (space, channels, window, strides, padding)
CASES = {
    "halves": ((8, 8), 32, (2, 2), (2, 2), "VALID"),
    "overlapping": ((9, 9), 70, (3, 3), (2, 2), "SAME"),
    "dense": ((6, 7), 5, (3, 3), (1, 1), "SAME"),
    "one channel": ((8, 9), 1, (2, 3), (2, 3), "VALID"),
    "gaps": ((9, 9), 16, (2, 2), (3, 3), "VALID"),
    "1-D": ((20,), 8, (3,), (2,), "SAME"),
    "3-D": ((5, 6, 7), 4, (2, 3, 2), (2, 2, 1), "SAME"),
    "whole": ((4, 4), 16, (4, 4), (1, 1), "VALID"),
    "a rest": ((7, 9), 33, (2, 2), (2, 2), "VALID"),
    "cut at the ends": ((7, 9), 20, (2, 2), (2, 2), "SAME"),
    "pairs": ((10,), 70, (2,), (2,), "VALID"),
    "eighths": ((4, 6, 4), 17, (2, 2, 2), (2, 2, 2), "VALID"),
    "thirds": ((9, 6), 18, (3, 3), (3, 3), "SAME"),
    "windows within windows": ((11, 8), 16, (3, 3), (1, 2), "VALID"),
    **random_cases(pooling),
}


def largest(x, **settings):
    return native.max_pool(x, **settings)[0]


def reference_max(x, window, strides, padding):
    return _reduce(x, -jnp.inf, jax.lax.max, window, strides, padding)


def reference_mean(x, window, strides, padding):
    sums, counts = (_reduce(array, 0.0, jax.lax.add, window, strides, padding) for array in (x, jnp.ones_like(x)))
    return sums / counts


def _reduce(x, first, operation, window, strides, padding):
    return jax.lax.reduce_window(
        x, jnp.array(first, x.dtype), operation, (1, *window, 1), (1, *strides, 1), ((0, 0), *padding, (0, 0))
    )


def arguments(case, arrays, dtype=jnp.float32):
    space, channels, window, strides, padding = CASES[case]
    padding = tuple(jax.lax.padtype_to_pads(space, window, strides, padding))
    x = jnp.round(arrays(3, *space, channels, dtype=dtype))  # few different numbers: many ties
    return x, dict(window=window, strides=strides, padding=padding)


@pytest.mark.parametrize("dtype, tolerance", [(jnp.float32, 1e-6), (jnp.bfloat16, 2e-2)])
@pytest.mark.parametrize("case", CASES)
def test_pools_and_their_gradients(case, dtype, tolerance, arrays, close):
    x, settings = arguments(case, arrays, dtype)

    def max_gradient(x, dy, **settings):
        return native.max_pool_gradient(native.max_pool(x, **settings)[1], dy, x.shape, **settings)

    def mean_gradient(x, dy, **settings):
        return native.average_pool_gradient(dy, x.shape, **settings)

    for pool, gradient, reference in (
        (largest, max_gradient, reference_max),
        (native.average_pool, mean_gradient, reference_mean),
    ):
        wide = x.astype(jnp.float32)
        y, pull = jax.vjp(lambda x, reference=reference: reference(x, **settings), wide)
        dy = arrays(*y.shape, dtype=dtype)
        close(pool(x, **settings), y.astype(dtype), tolerance)
        close(gradient(x, dy, **settings), pull(dy.astype(jnp.float32))[0].astype(dtype), tolerance)


def test_nan_wins(arrays):
    x = np.array(arrays(2, 8, 8, 32))
    x[np.random.default_rng(0).random(x.shape) < 0.05] = np.nan
    found = largest(jnp.asarray(x), window=(2, 2), strides=(2, 2), padding=((0, 0), (0, 0)))
    np.testing.assert_array_equal(found, x.reshape(2, 4, 2, 4, 2, 32).max((2, 4)))


def test_a_window_of_the_lowest_gives_its_first_element_the_gradient():
    x, settings = jnp.full((1, 2, 2, 1), -jnp.inf), dict(window=(2, 2), strides=(2, 2), padding=((0, 0), (0, 0)))
    dx = native.max_pool_gradient(native.max_pool(x, **settings)[1], jnp.ones((1, 1, 1, 1)), x.shape, **settings)
    assert dx.ravel().tolist() == [1, 0, 0, 0]


def test_more_work_than_one_thread_takes(close):
    x = jnp.asarray(np.random.default_rng(0).normal(size=(16, 28, 28, 96)), jnp.float32)
    settings = dict(window=(3, 3), strides=(2, 2), padding=((0, 1), (0, 1)))
    y, pull = jax.vjp(lambda x: reference_max(x, **settings), x)
    found, places = native.max_pool(x, **settings)
    close(found, y)
    close(native.max_pool_gradient(places, y, x.shape, **settings), pull(y)[0])


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(padding=((2, 0), (0, 0))), "leaves windows empty"),
        (dict(padding=((-1, 0), (0, 0))), "Negative padding"),
        (dict(strides=(1,)), "one for each spatial axis"),
    ],
)
def test_errors(change, message, arrays):
    x, settings = arguments("halves", arrays)
    with pytest.raises(ValueError, match=message):
        native.max_pool(x, **(settings | change))
    _, places = native.max_pool(x, **settings)
    with pytest.raises(ValueError, match="gradient of shape"):
        native.max_pool_gradient(places, x, x.shape, **settings)
    with pytest.raises(ValueError, match="places of that pooling"):
        native.max_pool_gradient(places[:1], arrays(*places.shape), x.shape, **settings)
    with pytest.raises(ValueError, match="at most 256 elements"):
        native.max_pool(jnp.ones((1, 20, 20, 1)), window=(17, 17), strides=(1, 1), padding=((0, 0), (0, 0)))
