"""Rows of an array against indexing."""

import jax.numpy as jnp
import lamina_native as native
import numpy as np
import pytest


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
