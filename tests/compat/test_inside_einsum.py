"""Equations and shapes that packages take from the inside of Keras, against Keras."""

import pytest
from keras.src.layers.attention import multi_head_attention as attention
from keras.src.layers.core import einsum_dense as reference

from lamina.compat import inside_einsum as inside


@pytest.mark.parametrize("dims", [(2, 1, 2), (2, 2, 1), (1, 1, 1), (3, 2, 2)])
def test_projections(dims):
    assert inside._build_proj_equation(*dims) == attention._build_proj_equation(*dims)
    assert inside._get_output_shape(dims[0] + 2, dims[1:]) == attention._get_output_shape(dims[0] + 2, dims[1:])


@pytest.mark.parametrize("rank, axes", [(4, (1,)), (5, (1, 2)), (6, (1, 3))])
def test_attention(rank, axes):
    scores, mean, rank_of_scores = inside._build_attention_equation(rank, axes)
    assert rank_of_scores == attention._build_attention_equation(rank, axes)[2]
    assert scores.partition("->")[2] == mean.partition(",")[0] and len(mean.partition("->")[2]) == rank


@pytest.mark.parametrize(
    "equation, bias, inputs, outputs",
    [
        ("abc,cd->abd", "d", (None, 3, 4), (3, 5)),
        ("...x,xy->...y", "y", (None, 3, 4), 8),
        ("...ab,bc->...ac", None, (2, 3, 4, 5), (4, 6)),
        ("ab...,bc->ac...", "c", (2, 3, 4, 5), 7),
        ("abcd,cde->abe", "e", (2, 3, 4, 5), (3, 7)),
    ],
)
def test_einsum(equation, bias, inputs, outputs):
    wanted = reference._analyze_einsum_string(equation, bias, inputs, outputs)
    assert inside._analyze_einsum_string(equation, bias, inputs, outputs) == wanted
    found, known = (one._analyze_quantization_info(equation, inputs) for one in (inside, reference))
    assert found[:8] == known[:8] and found[9] == known[9]
    assert "..." in equation or found[8] == known[8]
