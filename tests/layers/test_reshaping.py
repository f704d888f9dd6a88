"""Layers that move numbers about, against Keras and NumPy: outputs, gradients, shapes, configs, errors."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina import layers
from lamina.errors import ConfigError, ShapeError
from lamina.layers import padding_layers, reshaping, upsampling
from lamina.layers.input_layer import Input
from lamina.layers.padding_layers import Cropping1D, Cropping2D, Cropping3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D
from lamina.layers.reshaping import Flatten, Permute, RepeatVector, Reshape
from lamina.layers.upsampling import UpSampling1D, UpSampling2D, UpSampling3D
from tests.layers import spatial_checks as check

INTERPOLATIONS = ("bilinear", "bicubic", "lanczos3", "lanczos5")
SPACE = {1: (5, 3), 2: (4, 5, 2), 3: (3, 4, 3, 2)}
EXAMPLES = {
    "Flatten": (dict, (4, 5, 2)),
    "Reshape": (lambda: dict(target_shape=(-1, 4)), (6, 2)),
    "Permute": (lambda: dict(dims=(2, 1)), (4, 3)),
    "RepeatVector": (lambda: dict(n=3), (4,)),
    **{f"{name}{rank}D": (dict, SPACE[rank]) for name in ("ZeroPadding", "UpSampling") for rank in SPACE},
    **{f"Cropping{rank}D": (lambda: dict(cropping=1), SPACE[rank]) for rank in SPACE},
}

CASES = [
    (Flatten, {}, (2, 3, 2)),
    (Flatten, dict(data_format="channels_first"), (2, 3, 2)),
    (Flatten, {}, ()),
    (Reshape, dict(target_shape=(3, 4)), (2, 6)),
    (Reshape, dict(target_shape=[2, -1, 3]), (4, 6)),
    (Reshape, dict(target_shape=()), (1,)),
    (Permute, dict(dims=[3, 1, 2]), (2, 3, 4)),
    (RepeatVector, dict(n=3), (4,)),
    (ZeroPadding1D, dict(padding=2), SPACE[1]),
    (ZeroPadding1D, dict(padding=(0, 2), data_format="channels_first"), SPACE[1]),
    (ZeroPadding2D, dict(padding=(1, 2)), SPACE[2]),
    (ZeroPadding2D, dict(padding=((1, 2), (0, 3)), data_format="channels_first"), SPACE[2]),
    (ZeroPadding3D, {}, SPACE[3]),
    (ZeroPadding3D, dict(padding=((1, 2), (0, 3), (1, 0))), SPACE[3]),
    (Cropping1D, {}, SPACE[1]),
    (Cropping1D, dict(cropping=3), (7, 2)),
    (Cropping2D, {}, SPACE[2]),
    (Cropping2D, dict(cropping=((1, 0), (2, 1))), SPACE[2]),
    (Cropping2D, dict(cropping=1, data_format="channels_first"), (2, 4, 5)),
    (Cropping3D, {}, (3, 4, 3, 2)),
    (Cropping3D, dict(cropping=(1, 0, 1)), SPACE[3]),
    (UpSampling1D, {}, SPACE[1]),
    (UpSampling1D, dict(size=3), SPACE[1]),
    (UpSampling2D, dict(size=(2, 3)), SPACE[2]),
    (UpSampling2D, dict(size=2, data_format="channels_first"), SPACE[2]),
    *((UpSampling2D, dict(size=(2, 3), interpolation=name), SPACE[2]) for name in INTERPOLATIONS),
    (UpSampling2D, dict(interpolation="bilinear", data_format="channels_first"), SPACE[2]),
    (UpSampling3D, dict(size=(1, 2, 3)), SPACE[3]),
    (UpSampling3D, dict(data_format="channels_first"), SPACE[3]),
]


@pytest.mark.parametrize("layer, kwargs, shape", CASES, ids=lambda case: getattr(case, "__name__", None))
def test_like_keras(layer, kwargs, shape):
    check.assert_same(layer, kwargs, shape)


@pytest.mark.parametrize("name", EXAMPLES)
def test_unknown_sizes(name):
    kwargs, shape = EXAMPLES[name]
    if name != "RepeatVector":
        check.assert_same_symbolic_shapes(getattr(layers, name), kwargs(), (None, *shape[1:]))


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name[-2:] in ("2D", "3D") or name == "ZeroPadding1D"])
def test_both_formats(name):
    kwargs, shape = EXAMPLES[name]
    check.assert_both_formats_agree(getattr(layers, name), kwargs(), shape)


@pytest.mark.parametrize(
    "target, shape", [((-1, 7), (None, 3)), ((6, 6), (None, 3)), ((-1,), (None, None)), ((4, 5), (20,))]
)
def test_reshape_of_unknown_sizes(target, shape):
    check.assert_same_symbolic_shapes(Reshape, dict(target_shape=target), shape)


@settings(max_examples=15, deadline=None)
@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4), data=st.data())
def test_reshape_is_numpys(sizes, data):
    inputs = np.arange(2 * np.prod(sizes), dtype="float32").reshape(2, *sizes)
    target = data.draw(st.permutations(sizes))
    target[data.draw(st.integers(0, len(sizes) - 1))] = -1
    outputs = Reshape(target)(inputs)
    np.testing.assert_array_equal(outputs, inputs.reshape(2, *target))
    assert Reshape(target)(Input(sizes)).shape == (None, *outputs.shape[1:])
    assert Flatten()(inputs).shape == (2, np.prod(sizes))


@settings(max_examples=12, deadline=None)
@given(margins=st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * 2))
def test_cropping_undoes_padding(margins):
    inputs = np.random.default_rng(0).normal(size=(1, 2, 3, 1)).astype("float32")
    padded = ZeroPadding2D(margins)(inputs)
    assert padded.shape[1:3] == tuple(size + sum(pair) for size, pair in zip((2, 3), margins, strict=True))
    np.testing.assert_array_equal(Cropping2D(margins)(padded), inputs)


def test_by_hand():
    grid = np.arange(4, dtype="float32").reshape(1, 2, 2, 1)
    assert UpSampling2D()(grid)[0, :, :, 0].tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    assert Flatten("channels_first")(grid.reshape(1, 2, 1, 2)).tolist() == [[0, 2, 1, 3]]
    assert RepeatVector(2)(np.ones((1, 1), "float32")).shape == (1, 2, 1)


def test_empty_batch():
    empty = np.zeros((0, 4, 3), "float32")
    assert Flatten()(empty).shape == (0, 12) and Reshape((-1, 6))(empty).shape == (0, 2, 6)


def test_integers_keep_their_type():
    assert Flatten()(np.ones((2, 2, 2), "int32")).dtype == "int32"
    assert Reshape((4,))(Input((2, 2), dtype="int32")).dtype == "int32"
    assert Reshape((4,), dtype="mixed_bfloat16")(Input((2, 2))).dtype == "bfloat16"
    assert ZeroPadding1D(1)(np.ones((1, 2, 2), "int32")).dtype == "int32"


def test_names_are_keras_names():
    modules = (reshaping, padding_layers, upsampling)
    for name in (name for module in modules for name in module.__all__):
        assert getattr(layers, name).__name__ == getattr(keras.layers, name).__name__


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Reshape((-1, -1)), "at most one -1"),
        (lambda: Reshape((-2, 5)), r"non-negative integer or -1; got \(-2, 5\)"),
        (lambda: Permute((1, 3)), "each of 1 to 2 once"),
        (lambda: RepeatVector(1.5), "`n` must be a positive integer"),
        (lambda: ZeroPadding2D((1, 2, 3)), r"whole numbers from 0 up, like 1 or \(1, 1\)"),
        (lambda: ZeroPadding1D(-1), r"like 1 or \(1, 2\); got -1"),
        (lambda: Cropping2D(((1, 2), (3,))), "Cropping2D needs cropping"),
        (lambda: UpSampling2D(interpolation="cubic"), "'bicubic'"),
        (lambda: UpSampling3D((1, 2)), r"size=\(1, 2, 2\)"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


@pytest.mark.parametrize(
    "layer, shape, message",
    [
        (Reshape((7, 3)), (2, 5, 4), r"(?s)needs 21 values in each sample; inputs of \(5, 4\) have 20.*target_shape="),
        (Reshape((-1, 3)), (2, 5, 4), "needs a multiple of 3 values"),
        (Permute((1, 2)), (2, 5, 5, 4), "needs inputs of rank 3"),
        (RepeatVector(2), (2, 5, 4), "needs inputs of rank 2"),
        (Cropping2D(3), (1, 5, 7, 1), r"leaves nothing of inputs of size \(5, 7\)"),
        (Flatten(), (), "needs inputs of rank 1 or more"),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "call") else None,
)
def test_bad_inputs(layer, shape, message):
    with pytest.raises(ShapeError, match=message):
        layer(np.zeros(shape, "float32"))
    if shape and None not in shape:
        with pytest.raises(ShapeError, match=message):
            layer(Input(shape[1:]))
