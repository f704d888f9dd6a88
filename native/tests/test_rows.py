"""Rows of an array against indexing."""

import jax
import jax.numpy as jnp
import lamina_native as native
import numpy as np
import pytest

from lamina.kernels.gather_rows import gather_rows


@pytest.mark.parametrize("dtype", ["float32", "int32", "uint8", "bool", "bfloat16", "int8"])
@pytest.mark.parametrize("shape", [(5,), (7, 3), (4, 2, 3)])
def test_rows(shape, dtype):
    x = jnp.arange(np.prod(shape)).reshape(shape).astype(dtype)
    rows = jnp.asarray([3, 0, 3, 1], jnp.int32)
    found = native.take_rows(x, rows)
    assert found.dtype == x.dtype
    np.testing.assert_array_equal(np.asarray(found), np.asarray(x)[np.asarray(rows)])


def test_rows_out_of_range_are_the_nearest():
    found = native.take_rows(jnp.arange(4.0), jnp.asarray([-1, 9], jnp.int32))
    np.testing.assert_array_equal(found, [0.0, 3.0])


def test_errors():
    with pytest.raises(ValueError, match="int32"):
        native.take_rows(jnp.ones(3), jnp.ones(2))


def test_filled_rows_are_those_of_jax(arrays):
    x, rows = arrays(5, 3), jnp.asarray([0, -1, 4, 5, -5, -6, 2**31 - 1], jnp.int32)
    np.testing.assert_array_equal(native.take_rows(x, rows, fill=True), jnp.take(x, rows, axis=0))
    with pytest.raises(TypeError, match="NaN"):
        native.take_rows(jnp.ones(3, jnp.int32), rows, fill=True)


@pytest.mark.parametrize("count, width, many", [(5, 3, 9), (4000, 33, 2000), (1, 1, 1)])
def test_added_rows(count, width, many, arrays, close):
    rows = jnp.asarray(np.random.default_rng(0).integers(-2 * count, 2 * count, many), jnp.int32)
    values = arrays(many, width)
    wanted = jax.vjp(lambda table: jnp.take(table, rows, axis=0), jnp.zeros((count, width)))[1](values)[0]
    close(native.add_rows(values, rows, count), wanted)


def test_looking_up_has_all_derivatives(arrays, close):
    table, numbers = arrays(6, 3), jnp.asarray([[0, 5, 5], [-1, 2, 0]])

    def ours(table):
        return jnp.sin(gather_rows(table, numbers)).sum((0, 1))

    def theirs(table):
        return jnp.sin(jnp.take(table, numbers, axis=0)).sum((0, 1))

    for derivative in (jax.jacrev, jax.jacfwd, lambda f: jax.jacfwd(jax.jacrev(f)), jax.vmap):
        close(derivative(ours)(table[None] if derivative is jax.vmap else table),
              derivative(theirs)(table[None] if derivative is jax.vmap else table))  # fmt: skip
    assert "lamina_take_rows" in jax.jit(ours).lower(table).as_text()


@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (600, 64), (2000, 130), (300, 1024), (20_000, 33)])
def test_sums_of_rows(shape, arrays):
    x = arrays(*shape)
    wanted = np.asarray(x, np.float64).sum(0)
    np.testing.assert_allclose(native.sum_rows(x), wanted, rtol=1e-5, atol=1e-6 * shape[0] ** 0.5)


def test_sums_of_no_rows_and_errors():
    assert native.sum_rows(jnp.ones((0, 3))).tolist() == [0, 0, 0]
    for wrong in (jnp.ones(3), jnp.ones((3, 2), jnp.bfloat16)):
        with pytest.raises(ValueError, match="rows in float32"):
            native.sum_rows(wrong)
