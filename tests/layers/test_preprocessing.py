"""Rescaling and Normalization against Keras: moments from arrays, batches and arguments."""

import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.errors import CallTypeError, ConfigError, DataError, ShapeError
from lamina.layers.preprocessing import Normalization, Rescaling
from lamina.runtime.settings import set_image_data_format
from tests.layers import layer_checks as check

EXAMPLES = {
    "Rescaling": (lambda: dict(scale=0.5, offset=1.0), (3, 4)),
    "Normalization": (dict, (4,)),
}


@pytest.mark.parametrize("kwargs", [dict(scale=1 / 255), dict(scale=[1.0, 2.0, 3.0], offset=[0.5, 0.5, 1.0])])
def test_rescaling_like_keras(kwargs):
    check.assert_same(Rescaling, kwargs, (2, 4, 3))
    check.assert_same_config(Rescaling, kwargs)


def test_rescaling_of_whole_numbers_and_in_other_types():
    x = np.arange(6, dtype="uint8").reshape(2, 3)
    for dtype in ("float32", "mixed_bfloat16"):
        mine, theirs = check.pair(Rescaling, dict(scale=0.1, offset=-1.0, dtype=dtype))
        check.assert_close(mine(x), theirs(x), 1e-6)


def test_rescaling_with_channels_first():
    x, scale = check.draw((2, 3, 4, 4)), np.array([1.0, 2.0, 3.0], "float32")
    set_image_data_format("channels_first")
    try:
        outputs = Rescaling(scale)(x)
    finally:
        set_image_data_format("channels_last")
    np.testing.assert_allclose(outputs, x * scale[:, None, None], 1e-6)


AXES = [(-1, (6, 3)), (None, (6, 3)), ((1, -1), (6, 2, 3)), (1, (6, 2, 3)), ((-1, 1), (6, 2, 3)), (-1, (6, 2, 3))]


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize(("axis", "shape"), AXES)
def test_adapt_like_keras(axis, shape, invert):
    mine, theirs = check.pair(Normalization, dict(axis=axis, invert=invert), name="layer")
    data = check.draw(shape) * 3 + 2
    mine.adapt(data), theirs.adapt(data)
    assert check.described(mine) == check.described(theirs)
    for got, wanted in ((mine.mean, theirs.mean), (mine.variance, theirs.variance), (mine(data), theirs(data))):
        check.assert_close(got, wanted, 1e-5)


@pytest.mark.parametrize(
    ("kwargs", "shape"),
    [
        (dict(mean=3.0, variance=2.0), (2, 3)),
        (dict(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0], invert=True), (2, 3)),
        (dict(axis=(1, 2), mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0]), (2, 2, 3)),
        (dict(axis=(1, 2), mean=[[1.0, 2.0, 3.0]] * 2, variance=[[1.0, 4.0, 9.0]] * 2), (2, 2, 3)),
        (dict(axis=None, mean=3.0, variance=0.0), (2, 3)),
    ],
)
def test_given_moments_like_keras(kwargs, shape):
    check.assert_same_config(Normalization, kwargs)
    check.assert_same(Normalization, kwargs, shape, dtype="float32")


def test_config_of_axes_like_keras():
    for axis in (-1, None, (1, 2)):
        check.assert_same_config(Normalization, dict(axis=axis))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_batches_of_any_sizes_give_the_moments_of_the_whole(sizes):
    batches = [check.draw((size, 3), seed) + 5 * seed for seed, size in enumerate(sizes)]
    layer = Normalization()
    layer.adapt(iter(batches))
    whole = np.concatenate(batches).astype("float64")
    np.testing.assert_allclose(layer.mean[0], whole.mean(0), 1e-5, 1e-5)
    np.testing.assert_allclose(layer.variance[0], whole.var(0), 1e-4, 1e-5)


def test_adapt_takes_every_kind_of_data():
    x = check.draw((8, 2))
    expected = x.mean(0)

    class Halves(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return x[4 * index : 4 * index + 4], np.zeros(4)

    kinds = [
        x, keras.ops.convert_to_tensor(x), pd.DataFrame(x), [x[:4], x[4:]], ((part, None) for part in (x[:3], x[3:])),
        Halves(),
    ]  # fmt: skip
    for data in kinds:
        layer = Normalization()
        layer.adapt(data)
        np.testing.assert_allclose(layer.mean[0], expected, 1e-5, 1e-6)


def test_adapting_again_forgets_and_survives_weights():
    layer = Normalization()
    layer.adapt(np.array([[1.0], [3.0]]))
    layer.adapt(np.array([[10.0], [30.0]]))
    np.testing.assert_allclose(layer.mean, [[20.0]])
    other = Normalization()
    other.build((None, 1))
    other.set_weights(layer.get_weights())
    other.finalize_state()
    np.testing.assert_allclose(other.variance, [[100.0]])


def test_bad_arguments_and_data():
    with pytest.raises(ConfigError, match="neither"):
        Normalization(mean=1.0)
    with pytest.raises(ConfigError, match="one shape"):
        Normalization(mean=[1.0, 2.0], variance=[1.0])
    with pytest.raises(ConfigError, match="one shape"):
        Normalization(mean=[[1.0]], variance=[[1.0]])
    with pytest.raises(ConfigError, match="cannot adapt"):
        Normalization(mean=1.0, variance=1.0).adapt(check.draw((2, 3)))
    with pytest.raises(ShapeError, match="axis=\\(3,\\)"):
        Normalization(axis=3)(check.draw((2, 3)))
    with pytest.raises(ShapeError, match="known sizes"):
        Normalization().build((None, None))
    with pytest.raises(DataError, match="no data"):
        Normalization().adapt([])
    with pytest.raises(CallTypeError, match="arrays"):
        Normalization().adapt([[1.0, 2.0]])
    with pytest.raises(DataError, match="array or batches"):
        Normalization().adapt(3.0)
    layer = Normalization()
    layer.adapt(check.draw((4, 3)))
    with pytest.raises(ShapeError, match="3 values on axis 1"):
        layer.adapt(check.draw((4, 2)))
