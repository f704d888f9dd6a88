"""Matrix products."""

import math

from lamina_native.library import call

__all__ = ["matmul"]


def matmul(x, w, *, bias=None, activation=None, transpose_x=False, transpose_w=False):
    """`activation(x @ w + bias)`; `transpose_x` and `transpose_w` transpose x or w first.

    Shapes: x (..., inner), w (inner, columns), bias (columns,) -> (..., columns). With transpose_x, x is (inner, rows);
    with transpose_w, w is (columns, inner).
    """
    if w.ndim != 2 or x.ndim < 1 or (transpose_x and x.ndim != 2):
        raise ValueError(f"matmul: shapes {x.shape} and {w.shape} are not those of a product with a matrix.")
    inner, columns = w.shape[::-1] if transpose_w else w.shape
    lead = x.shape[1:] if transpose_x else x.shape[:-1]
    if x.shape[0 if transpose_x else -1] != inner:
        raise ValueError(f"matmul: shapes {x.shape} and {w.shape} do not fit.")
    if bias is not None and bias.shape != (columns,):
        raise ValueError(f"matmul needs a bias of shape {(columns,)}; got {bias.shape}.")
    flat = x if transpose_x else x.reshape(math.prod(lead), inner)
    arrays = (flat, w) if bias is None else (flat, w, bias)
    settings = dict(transpose_x=bool(transpose_x), transpose_w=bool(transpose_w), activation=activation)
    return call("matmul", (math.prod(lead), columns), x.dtype, *arrays, **settings).reshape(*lead, columns)
