"""Initializers: distributions by moments and bounds, fans and exact values against Keras, seeds, configs."""

import math
import os
import random

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras.src.initializers.random_initializers import compute_fans as keras_fans

import lamina
from lamina import initializers
from lamina.initializers import compute_fans
from lamina.random import SeedGenerator, set_global_seed

CLASSES = [name for name in initializers.__all__ if name[0].isupper() and name != "Initializer"]
RANDOM = [
    "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform", "Orthogonal",
    "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling",
]  # fmt: skip
SHAPE = (3, 5, 20, 40)


def moments(values):
    values = np.asarray(values, "float64")
    return values.mean(), values.std(), values.min(), values.max()


@pytest.mark.parametrize("name", [name for name in RANDOM if name != "Orthogonal"])
def test_moments_and_bounds_are_those_of_keras(name):
    ours = moments(getattr(initializers, name)(seed=1)(SHAPE))
    theirs = moments(getattr(keras.initializers, name)(seed=1)(SHAPE))
    deviation = theirs[1]
    bound = 0.02 if "Uniform" in name or name != "RandomNormal" else 1.0  # a plain normal has no bound to compare
    assert abs(ours[0] - theirs[0]) < 0.03 * deviation
    assert abs(ours[1] - theirs[1]) < 0.02 * deviation
    assert abs(ours[2] - theirs[2]) < bound * deviation and abs(ours[3] - theirs[3]) < bound * deviation


def test_arguments_shift_and_scale():
    mean, stddev, low, high = moments(initializers.TruncatedNormal(3.0, 2.0, seed=0)((40_000,)))
    assert abs(mean - 3) < 0.05 and abs(stddev - 2 * initializers.random_initializers.TRUNCATED_STDDEV) < 0.03
    assert -1 <= low < -0.99 and 6.99 < high <= 7
    mean, stddev, *_ = moments(initializers.RandomNormal(-1.0, 0.5, seed=0)((40_000,)))
    assert abs(mean + 1) < 0.02 and abs(stddev - 0.5) < 0.01
    mean, _, low, high = moments(initializers.RandomUniform(2.0, 6.0, seed=0)((40_000,)))
    assert abs(mean - 4) < 0.05 and 2 <= low < 2.01 and 5.99 < high < 6


def test_truncated_normal_has_the_density_of_the_normal_between_its_bounds():
    values = np.asarray(initializers.TruncatedNormal(0.0, 1.0, seed=3)((200_000,)))
    phi = [0.5 * (1 + math.erf(edge / math.sqrt(2))) for edge in np.linspace(-2, 2, 9)]
    expected = np.diff(phi) / (phi[-1] - phi[0])
    counts = np.histogram(values, np.linspace(-2, 2, 9))[0] / values.size
    np.testing.assert_allclose(counts, expected, atol=0.004)


AXES = [(None, None), ([0], [3]), ([0, 1], [2, 3]), ([0, 1], [1, 3]), ([-1], [-2]), ([0], None)]


@pytest.mark.parametrize("shape", [(), (7,), (30, 50), (3, 10, 20), (3, 3, 8, 9), (2, 2, 2, 5, 6)])
def test_fans_are_those_of_keras(shape):
    for axes in AXES if len(shape) > 3 else AXES[:1]:
        assert compute_fans(shape, *axes) == keras_fans(shape, *axes)


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
def test_variance_scaling_reaches_the_limit_of_keras(mode):
    ours, theirs = (
        np.abs(package.VarianceScaling(0.7, mode, "uniform", seed=3)((30, 50)))
        for package in (initializers, keras.initializers)
    )
    limit = math.sqrt(3 * 0.7 / {"fan_in": 30, "fan_out": 50, "fan_avg": 40}[mode])
    for values in (ours, theirs):
        assert limit * 0.99 < values.max() <= limit * (1 + 1e-6)


def test_distributions_of_variance_scaling_have_the_same_variance():
    for distribution in ("uniform", "truncated_normal", "untruncated_normal"):
        stddev = float(np.std(initializers.VarianceScaling(2.0, "fan_out", distribution, seed=1)((200, 200))))
        assert abs(stddev - 0.1) < 0.002


def test_input_axes_set_the_deviation():
    stddev = float(np.std(initializers.HeNormal(1, input_axes=[0, 2], output_axes=[1])((20, 50, 10))))
    assert abs(stddev - math.sqrt(2 / 200)) < 0.003


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (2, 3, 4), (2, 2, 9)])
def test_orthogonal_rows_or_columns(shape):
    matrix = np.asarray(initializers.Orthogonal(gain=2.0, seed=4)(shape)).reshape(-1, shape[-1])
    rows, columns = matrix.shape
    product = matrix @ matrix.T if rows <= columns else matrix.T @ matrix
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-5)


def test_orthogonal_is_even_over_rotations():
    """Without the sign correction the diagonal of small QR factors is never positive."""
    corners = [float(initializers.Orthogonal(seed=seed)((3, 3))[0, 0]) for seed in range(200)]
    assert abs(np.mean(corners)) < 0.15


@pytest.mark.parametrize("side", ["real", "imag"])
@pytest.mark.parametrize("window", [None, "hann", "hamming", np.linspace(0.5, 1.0, 8)])
@pytest.mark.parametrize("scaling", [None, "density", "spectrum"])
@pytest.mark.parametrize("periodic", [False, True])
def test_stft_is_that_of_keras(side, window, scaling, periodic):
    arguments = (side, window, scaling, periodic)
    ours, theirs = initializers.STFT(*arguments)((8, 1, 9)), keras.initializers.STFT(*arguments)((8, 1, 9))
    np.testing.assert_allclose(ours, theirs, atol=2e-6)
    two = initializers.STFT(*arguments)((8, 2, 9))  # where Keras gives one channel whatever is asked for
    np.testing.assert_array_equal(two, np.repeat(ours, 2, axis=1))


def test_constants():
    for name, arguments, shape in [
        ("Zeros", (), (2, 3)), ("Ones", (), (2, 3)), ("Constant", (2.5,), (2, 3)), ("Constant", ([1, 2],), (3, 2)),
        ("Identity", (), (2, 3)), ("Identity", (3.0,), (4, 4)),
    ]:  # fmt: skip
        ours, theirs = (getattr(package, name)(*arguments)(shape) for package in (initializers, keras.initializers))
        np.testing.assert_array_equal(ours, theirs)
    assert initializers.Zeros()((2,), "bool").dtype == "bool"
    assert initializers.Ones()(3, "int32").tolist() == [1, 1, 1]


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_types(name, dtype):
    values = getattr(initializers, name)(seed=1)((4, 6), dtype)
    assert isinstance(values, jax.Array) and values.dtype == dtype and values.shape == (4, 6)


@given(st.lists(st.integers(0, 4), min_size=0, max_size=4), st.sampled_from(RANDOM))
@settings(max_examples=30, deadline=None)
def test_shapes(shape, name):
    if name != "Orthogonal":
        assert getattr(initializers, name)()(shape).shape == tuple(shape)


@pytest.mark.parametrize("name", RANDOM)
def test_seeds(name):
    make = getattr(initializers, name)
    same = [make(seed=11)((3, 4)), make(seed=11)((3, 4))]
    np.testing.assert_array_equal(*same)
    once = make()
    np.testing.assert_array_equal(once((3, 4)), once((3, 4)))
    assert not np.array_equal(make()((3, 4)), once((3, 4)))
    moving = make(seed=SeedGenerator(2))
    first, second = moving((3, 4)), moving((3, 4))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, make(seed=SeedGenerator(2))((3, 4)))


def test_the_global_seed_fixes_initial_values():
    values = []
    for _ in range(2):
        set_global_seed(9)
        values.append(np.concatenate([initializers.HeNormal()((3, 4)), initializers.Orthogonal()((4, 4))]))
    np.testing.assert_array_equal(*values)
    random.seed(4)
    first = initializers.HeNormal()((3, 4))
    random.seed(4)
    np.testing.assert_array_equal(first, initializers.HeNormal()((3, 4)))


def test_no_shape_costs_a_compilation(caplog):
    with jax.log_compiles():
        for name in RANDOM:
            getattr(initializers, name)()((3, 17, 5, 11))
        lamina.Variable(initializers.HeNormal(), shape=(2, 17, 5, 11))
    assert [record.message for record in caplog.records if "Compiling" in record.message] == []


def test_values_made_inside_a_trace_are_values():
    values = jax.jit(lambda: initializers.HeNormal(seed=3)((2, 2)))()
    np.testing.assert_array_equal(values, initializers.HeNormal(seed=3)((2, 2)))


@pytest.mark.parametrize("name", CLASSES)
def test_configs_are_those_of_keras_and_come_back(name):
    ours, theirs = getattr(initializers, name)(), getattr(keras.initializers, name)()
    described, expected = initializers.serialize(ours), keras.initializers.serialize(theirs)
    if name in ("Identity", "IdentityInitializer"):  # Keras forgets the gain
        expected["config"]["gain"] = 1.0
    assert described == expected
    again = initializers.deserialize(expected)
    assert type(again) is type(ours) and again.get_config() == ours.get_config()
    assert type(ours.clone()) is type(ours)
    assert type(keras.initializers.deserialize(described)) is type(theirs)


def test_a_seed_generator_goes_through_the_config():
    initializer = initializers.RandomNormal(seed=SeedGenerator(3, name="mine"))
    described = initializers.serialize(initializer)
    assert described == keras.initializers.serialize(
        keras.initializers.RandomNormal(seed=keras.random.SeedGenerator(3, name="mine"))
    )
    np.testing.assert_array_equal(initializers.deserialize(described)((3,)), initializer((3,)))


def test_get_finds_every_name_of_keras():
    from keras.src.initializers import ALL_OBJECTS_DICT

    for name, theirs in ALL_OBJECTS_DICT.items():
        assert type(initializers.get(name)).__name__ == theirs.__name__, name
    assert initializers.get(None) is None
    assert isinstance(initializers.get(initializers.HeNormal), initializers.HeNormal)
    np.testing.assert_array_equal(initializers.get(np.arange(3.0))((3,)), [0, 1, 2])
    mine = lambda shape, dtype=None: np.ones(shape)
    assert initializers.get(mine) is mine


def test_an_initializer_of_the_user():
    class Halves(initializers.Initializer):
        def __init__(self, sign=1):
            self.sign = sign

        def __call__(self, shape, dtype=None):
            return np.full(shape, self.sign / 2, dtype)

    assert Halves(-1).get_config() == {"sign": -1} and Halves(-1).clone().sign == -1
    assert lamina.Variable(Halves(-1), shape=(2,)).numpy().tolist() == [-0.5, -0.5]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: initializers.VarianceScaling(scale=-1), "`scale` must be a number above 0"),
        (lambda: initializers.VarianceScaling(mode="fan"), "`mode` must be .*fan_avg"),
        (lambda: initializers.VarianceScaling(distribution="gamma"), "untruncated_normal"),
        (lambda: initializers.get(np.ones((5, 5)))((10, 10)), r"Expected `shape` to be .*\(5, 5\).*got \(10, 10\)"),
        (lambda: initializers.HeNormal(seed=1.5), "whole number"),
        (lambda: initializers.HeNormal(seed=-1), "whole number"),
        (lambda: initializers.HeNormal()((3, 3), "int32"), "gives floats"),
        (lambda: initializers.Orthogonal()((3,)), "rank 2"),
        (lambda: initializers.Identity()((3,)), "matrices"),
        (lambda: initializers.STFT(side="left"), "'real' or 'imag'"),
        (lambda: initializers.STFT(window="nothing"), "get_window"),
        (lambda: initializers.STFT(scaling="log"), "spectrum"),
        (lambda: initializers.STFT()((8, 5)), "frame_length"),
        (lambda: initializers.STFT(window=[1.0, 2.0])((8, 1, 5)), "length 8"),
        (lambda: initializers.get("he_norml"), "Did you mean"),
        (lambda: initializers.get(3.0), "initializer"),
    ],
)
def test_errors(make, match):
    with pytest.raises(ValueError, match=match):
        make()
