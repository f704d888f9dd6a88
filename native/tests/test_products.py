"""Matrix products against jax.numpy."""

import jax
import jax.numpy as jnp
import lamina_native as native
import pytest
from shapes import product, random_cases


@pytest.mark.parametrize("dtype, tolerance", [(jnp.float32, 1e-5), (jnp.bfloat16, 2e-2)])
@pytest.mark.parametrize(
    "rows, inner, columns",
    [
        (1, 5, 3),
        (7, 33, 17),
        (64, 128, 96),
        (300, 10, 1),
        (8, 130, 15),  # as rows, without a copy of the right side
        (9, 130, 15),
        (19, 40, 127),
        (200, 130, 150),
        (33, 1100, 40),
        (40, 1300, 50),  # its sums in parts
        (6, 2100, 60),
        *random_cases(product).values(),
    ],
)
def test_product_either_side_transposed(rows, inner, columns, dtype, tolerance, arrays, close):
    if not native.supported(dtype):
        pytest.skip(f"{dtype.__name__} needs instructions that this processor does not have.")
    x, w = arrays(rows, inner, dtype=dtype), arrays(inner, columns, dtype=dtype)
    wanted = jnp.matmul(x, w)
    for transpose_x in (False, True):
        for transpose_w in (False, True):
            given = x.T if transpose_x else x, w.T if transpose_w else w
            close(native.matmul(*given, transpose_x=transpose_x, transpose_w=transpose_w), wanted, tolerance)


def test_more_axes_bias_and_activation(arrays, close):
    x, w, bias = arrays(2, 3, 5, 16), arrays(16, 8), arrays(8)
    close(native.matmul(x, w, bias=bias, activation="relu"), jax.nn.relu(x @ w + bias))
    close(native.matmul(x[0, 0, 0], w), x[0, 0, 0] @ w)


def test_errors(arrays):
    with pytest.raises(ValueError, match="do not fit"):
        native.matmul(arrays(2, 3), arrays(4, 5))
    with pytest.raises(ValueError, match="product with a matrix"):
        native.matmul(arrays(2, 3), arrays(2, 3, 5))
    with pytest.raises(ValueError, match="bias of shape"):
        native.matmul(arrays(2, 3), arrays(3, 5), bias=arrays(1, 5))
