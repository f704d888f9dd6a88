"""ReversibleEmbedding against Keras, both ways."""

import numpy as np
import pytest

from lamina.core.keras_tensor import get_mask
from lamina.layers.input_layer import Input
from lamina.layers.reversible_embedding import ReversibleEmbedding
from tests.layers import layer_checks as check

EXAMPLES = {"ReversibleEmbedding": (lambda: dict(input_dim=5, output_dim=3), (4,))}

NUMBERS = np.array([[0, 2, 4], [1, 1, 3]])


@pytest.mark.parametrize(
    "kwargs",
    [
        dict(mask_zero=True),
        dict(tie_weights=False, logit_soft_cap=2.0, embeddings_regularizer="l2"),
        dict(reverse_dtype="float16"),
        dict(dtype="mixed_bfloat16"),
        dict(dtype="mixed_bfloat16", reverse_dtype="float32", tie_weights=False),
    ],
)
def test_like_keras(kwargs):
    kwargs = dict(input_dim=5, output_dim=3) | kwargs
    check.assert_same_config(ReversibleEmbedding, kwargs)
    mine, theirs = check.pair(ReversibleEmbedding, kwargs, name="layer")
    mine.build((2, 3)), theirs.build((2, 3))
    assert check.described(mine) == check.described(theirs)
    check.share_weights(mine, theirs)
    outputs, expected = mine(NUMBERS), theirs(NUMBERS)
    check.assert_close(outputs, expected, 0)
    np.testing.assert_array_equal(get_mask(outputs), getattr(expected, "_keras_mask", None))
    vectors = check.draw((2, 4, 3))
    logits = mine(vectors, reverse=True)
    check.assert_close(logits, theirs(vectors, reverse=True), 1e-5)
    assert get_mask(logits) is None


def test_symbolic_calls_know_shape_and_mask():
    layer = ReversibleEmbedding(5, 3, mask_zero=True)
    vectors = layer(Input((None,), dtype="int32"))
    assert vectors.shape == (None, None, 3) and get_mask(vectors).shape == (None, None)
    logits = layer(vectors, reverse=True)
    assert logits.shape == (None, None, 5) and get_mask(logits) is None
