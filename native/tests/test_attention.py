"""Attention of several heads against its formula."""

import jax
import jax.numpy as jnp
import lamina_native as native
import pytest
from shapes import attention, random_cases

SHAPES = {  # batch, queries, keys, heads, size, size of the values
    "one of all": (1, 1, 1, 1, 1, 1),
    "odd": (2, 5, 7, 3, 4, 6),
    "more than a block of queries": (2, 70, 33, 2, 20, 17),
    "threads": (8, 64, 64, 4, 16, 16),
    **random_cases(attention),
}
MASKS = {"none": None, "queries": (0, 0, 1, 1), "keys": (1, 0, 0, 1), "all": (1, 1, 1, 1)}


def formula(q, k, v, mask, scale):
    scores = jnp.einsum("btnh,bsnh->bnts", q, k) * scale
    if mask is not None:
        scores = jnp.where(mask, scores, -0.7 * jnp.finfo(jnp.float32).max)
    return jnp.einsum("bnts,bsnh->btnh", jax.nn.softmax(scores, -1), v)


@pytest.mark.parametrize("masked", MASKS)
@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_gradients(shape, masked, arrays, close):
    batch, queries, keys, heads, size, value_size = SHAPES[shape]
    q, k, v = (
        arrays(batch, queries, heads, size),
        arrays(batch, keys, heads, size),
        arrays(batch, keys, heads, value_size),
    )
    dy, scale, mask = arrays(batch, queries, heads, value_size), size**-0.5, None
    if MASKS[masked] is not None:
        full = (batch, heads, queries, keys)
        mask = arrays(*(n if kept else 1 for n, kept in zip(full, MASKS[masked], strict=True))) > -0.5
        mask = mask.at[0, 0, 0].set(False)  # a query that sees nothing takes the mean of all
    wanted, pull = jax.vjp(lambda q, k, v: formula(q, k, v, mask, scale), q, k, v)
    found, saved = native.attention(q, k, v, scale=scale, mask=mask)
    close(found, wanted)
    close(tuple(native.attention_gradient(q, k, v, found, saved, dy, scale=scale, mask=mask)), pull(dy), 2e-5)


def test_scores_too_large_for_a_power(arrays, close):
    q, k, v = arrays(1, 4, 1, 8) * 100, arrays(1, 6, 1, 8), arrays(1, 6, 1, 8)
    close(native.attention(q, k, v, scale=1.0)[0], formula(q, k, v, None, 1.0))


def test_errors(arrays):
    q, k = arrays(2, 3, 4, 5), arrays(2, 6, 4, 5)
    with pytest.raises(ValueError, match="do not fit"):
        native.attention(q, k[:, :, :2], k, scale=1.0)
    with pytest.raises(ValueError, match="4 axes in float32"):
        native.attention(q.astype(jnp.bfloat16), k, k, scale=1.0)
    with pytest.raises(ValueError, match="mask of booleans"):
        native.attention(q, k, k, scale=1.0, mask=jnp.ones((2, 4, 3, 5), bool))
