"""The merging layers and functions against Keras: broadcasting, masks, shapes with unknown sizes, errors."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lamina
from lamina.core.keras_tensor import get_mask, set_mask
from lamina.errors import ConfigError, ShapeError
from lamina.layers import merge_functions, merging
from lamina.layers.input_layer import Input
from lamina.layers.merging import Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract
from tests.layers import layer_checks as check

ELEMENTWISE = (Add, Average, Maximum, Minimum, Multiply, Subtract)

EXAMPLES = {
    **{layer.__name__: (dict, [(3, 4), (3, 4)]) for layer in ELEMENTWISE},
    "Concatenate": (dict, [(3, 4), (3, 2)]),
    "Dot": (lambda: dict(axes=-1), [(3, 4), (2, 4)]),
}

CASES = [
    *[(layer, {}, [(2, 3, 4), (2, 1, 4)]) for layer in ELEMENTWISE],
    (Add, {}, [(2, 4), (2, 3, 4), (2, 4)]),
    (Average, {}, [(2, 3, 4)] * 3),
    (Multiply, {}, [(2, 3, 4)]),
    (Concatenate, {}, [(2, 3, 4), (2, 3, 1), (2, 3, 2)]),
    (Concatenate, dict(axis=1), [(2, 3, 4), (2, 5, 4)]),
    (Dot, dict(axes=1), [(2, 4), (2, 4)]),
    (Dot, dict(axes=-1, normalize=True), [(2, 4), (2, 4)]),
    (Dot, dict(axes=(1, 2)), [(2, 3, 5), (2, 4, 3)]),
    (Dot, dict(axes=[2, 1]), [(2, 3, 5), (2, 5)]),
    (Dot, dict(axes=(1, 2), normalize=True), [(2, 5), (2, 3, 5, 2)]),
    (Dot, dict(axes=(-2, -1)), [(2, 3, 5, 4), (2, 2, 5)]),
]


@pytest.mark.parametrize(("layer", "kwargs", "shapes"), CASES)
def test_like_keras(layer, kwargs, shapes):
    check.assert_same(layer, kwargs, shapes)
    check.assert_same_config(layer, kwargs)


@pytest.mark.parametrize(
    ("layer", "kwargs", "shapes"),
    [
        (Add, {}, [(None, 4), (None, None, 4)]),
        (Multiply, {}, [(None, 3), (5, 3)]),
        (Maximum, {}, [(None, 5, 3), (None, None, 3)]),
        (Concatenate, dict(axis=1), [(None, 5, 3), (None, None, 3)]),
        (Concatenate, {}, [(None, None, 3), (None, None, 2)]),
        (Dot, dict(axes=(2, 1)), [(None, None, 3), (None, 3, 5)]),
    ],
)
def test_unknown_sizes_like_keras(layer, kwargs, shapes):
    mine, theirs = check.pair(layer, kwargs)
    assert mine.compute_output_shape(shapes) == tuple(theirs.compute_output_shape(shapes))
    outputs = mine([Input(batch_shape=shape) for shape in shapes])
    assert outputs.shape == tuple(theirs([keras.Input(batch_shape=shape) for shape in shapes]).shape)


def test_concatenate_takes_the_known_sizes():
    assert Concatenate()([Input((None, 3)), Input((5, 4))]).shape == (None, 5, 7)


MASKS = [np.array([[True, False, False], [True, True, False]]), np.array([[True, True, False], [False, True, False]])]


@pytest.mark.parametrize("given_masks", [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize(
    ("layer", "kwargs"),
    [*((one, {}) for one in ELEMENTWISE), (Concatenate, {}), (Concatenate, dict(axis=1)), (Dot, dict(axes=-1))],
)
def test_masks_like_keras(layer, kwargs, given_masks):
    mine, theirs = check.pair(layer, kwargs)
    results = []
    for library, attach in ((mine, set_mask), (theirs, lambda x, mask: setattr(x, "_keras_mask", mask))):
        inputs = [keras.ops.convert_to_tensor(x) for x in check.draw([(2, 3, 4), (2, 3, 4)])]
        for x, mask, wanted in zip(inputs, MASKS, given_masks, strict=True):
            if wanted:
                attach(x, keras.ops.convert_to_tensor(mask))
        results.append(library(inputs))
    outputs, expected = results
    np.testing.assert_allclose(outputs, expected, 1e-6, 1e-6)
    mask, wanted = get_mask(outputs), getattr(expected, "_keras_mask", None)
    assert (mask is None) == (wanted is None)
    if mask is not None:
        np.testing.assert_array_equal(mask, wanted)


def test_masks_of_symbolic_inputs():
    inputs = [Input((3, 4)), Input((3, 4))]
    for x in inputs:
        set_mask(x, Input((3,), dtype="bool"))
    assert get_mask(Add()(inputs)).shape == get_mask(Concatenate()(inputs)).shape == (None, 3)
    assert get_mask(Dot(axes=-1)(inputs)) is None


@pytest.mark.parametrize("name", ["add", "average", "concatenate", "dot", "maximum", "minimum", "multiply", "subtract"])
def test_functions_like_keras(name):
    inputs = check.draw([(2, 4), (2, 4)])
    got, wanted = getattr(merge_functions, name)(inputs), getattr(keras.layers, name)(inputs)
    np.testing.assert_allclose(got, wanted, 1e-5, 1e-5)
    symbol = getattr(merge_functions, name)([Input((4,)), Input((4,))], name="merged")
    assert symbol._keras_history.operation.name == "merged"


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(2, 4), min_size=2, max_size=3), st.data())
def test_dot_by_hand(sizes, data):
    """Any axis of either input: the axis summed over goes, the others follow one another."""
    first = (3, *sizes)
    second = (3, *data.draw(st.permutations(sizes)))
    a = data.draw(st.integers(1, len(first) - 1))
    b = second.index(first[a], 1)
    x, y = check.draw([first, second])
    names = "abcdefg"
    left, right = "z" + names[: len(sizes)], "z" + names[len(sizes) : 2 * len(sizes)]
    right = right.replace(right[b], left[a])
    kept = [letter for letter in left[1:] + right[1:] if letter != left[a]]
    expected = np.einsum(f"{left},{right}->z{''.join(kept)}", x, y)
    np.testing.assert_allclose(Dot(axes=(a, b))([x, y]), expected, 1e-4, 1e-4)


def test_bad_inputs():
    x = check.draw((2, 4))
    with pytest.raises(ShapeError, match=r"list of tensors"):
        Add()(x)
    with pytest.raises(ShapeError, match="2 tensors; got 3"):
        Subtract()([x, x, x])
    with pytest.raises(ShapeError, match="axis 1 "):
        Add()([x, check.draw((2, 3))])
    with pytest.raises(ShapeError, match="batch sizes"):
        Maximum()([x, check.draw((3, 4))])
    with pytest.raises(ShapeError, match="agree on the other axes"):
        Concatenate()([check.draw((2, 3, 4)), check.draw((2, 5, 4))])
    with pytest.raises(ShapeError, match="one rank"):
        Concatenate()([x, check.draw((2, 3, 4))])
    with pytest.raises(ShapeError, match="axes from 1 on"):
        Dot(axes=0)([x, x])
    with pytest.raises(ShapeError, match="summed over"):
        Dot(axes=1)([x, check.draw((2, 3))])
    for axes in ("last", (1, 2, 3), (1, None)):
        with pytest.raises(ConfigError, match="axes"):
            Dot(axes=axes)


@pytest.mark.parametrize("layer", [merging.Add(), merging.Concatenate()], ids=lambda layer: layer.name)
@pytest.mark.parametrize(
    ("inputs", "mask", "match"),
    [
        ([1, 2], np.ones((1, 3), bool), "`mask` should be a list"),
        (np.ones(3), [None], "`inputs` should be a list"),
        ([np.ones(3)] * 2, [None], "same length"),
    ],
)
def test_masks_are_lists_as_long_as_the_inputs(layer, inputs, mask, match):
    with pytest.raises(ShapeError, match=match):
        layer.compute_mask(inputs, mask)
    assert layer.compute_mask([np.ones(3)] * 2, [None, None]) is None


def test_masks_with_values_for_symbolic_inputs_give_a_mask_with_values():
    for on, layer, x in ((lamina, Add(), Input((3,))), (keras, keras.layers.Add(), keras.Input((3,)))):
        masks = [on.Variable([True, False], dtype="bool"), on.Variable([False, False], dtype="bool")]
        assert layer.compute_mask([x, x], masks).tolist() == [True, False]
