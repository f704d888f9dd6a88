"""Convolutions of CPUs against XLA's own: values, gradients of both orders, forward mode, every algorithm."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lamina.kernels import convolution_cpu, convolution_im2col, convolution_winograd
from lamina.kernels.convolution import Window, _lax_convolve, convolve, input_gradient, kernel_gradient
from lamina.kernels.convolution_cpu import Algorithm, choose_algorithm
from lamina.kernels.convolution_windows import in_chunks, to_float32

pytestmark = pytest.mark.usefixtures("kernels")

# name: (rank, window, stride, zeros, dilation, groups, channels, filters)
CASES = {
    "plain": (2, 3, 1, (1, 1), 1, 1, 8, 6),
    "strided": (2, 3, 2, (0, 1), 1, 1, 8, 6),
    "steps longer than the window": (2, 2, 3, (0, 0), 1, 1, 8, 6),
    "few channels": (2, 5, 2, (2, 1), 1, 1, 3, 7),
    "one channel": (2, 3, 1, (1, 1), 1, 1, 1, 6),
    "few filters": (2, 3, 1, (1, 1), 1, 1, 8, 1),
    "few filters, dilated": (2, 3, 1, (0, 5), 2, 1, 8, 3),
    "few filters, strided": (2, 3, 2, (1, 1), 1, 1, 8, 2),
    "few filters of volumes": (3, 2, 1, (0, 1), 1, 1, 8, 2),
    "dilated": (2, 3, 1, (2, 2), 2, 1, 8, 6),
    "few channels, dilated": (2, 3, 1, (2, 2), 2, 1, 2, 6),
    "depthwise": (2, 3, 1, (1, 1), 1, 8, 8, 8),
    "depthwise, strided, two filters": (2, 3, 2, (1, 1), 1, 8, 8, 16),
    "depthwise, dilated": (2, 3, 1, (0, 0), 2, 4, 4, 8),
    "groups": (2, 3, 2, (1, 1), 1, 2, 8, 6),
    "pointwise": (2, 1, 1, (0, 0), 1, 1, 8, 6),
    "pointwise, strided": (2, 1, 2, (0, 0), 1, 1, 8, 6),
    "causal": (1, 3, 1, (2, 0), 1, 1, 8, 6),
    "volumes": (3, 2, 2, (0, 1), 1, 1, 8, 6),
    "cut": (2, 3, 1, (-1, 1), 1, 1, 8, 6),
}


def arrays(case):
    rank, size, stride, zeros, dilation, groups, channels, filters = CASES[case]
    random = np.random.default_rng(0)
    inputs = random.normal(size=(6, *(9, 8, 7)[:rank], channels)).astype("float32")
    kernel = random.normal(size=(*(size,) * rank, channels // groups, filters)).astype("float32")
    window = Window((stride,) * rank, (zeros,) * rank, (dilation,) * rank, groups)
    return inputs, kernel, window


def expected(inputs, kernel, window):
    """XLA's own, with what negative padding cuts off cut before."""
    cut = [
        (-min(before, 0), size + min(after, 0))
        for (before, after), size in zip(window.padding, inputs.shape[1:-1], strict=True)
    ]
    inner = inputs[:, *(slice(*pair) for pair in cut)]
    return _lax_convolve(inner, kernel, window.without_cuts()[0])


def close(found, wanted, tolerance=1e-5):
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * max(1.0, float(jnp.abs(b).max())))


@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_are_those_of_xla(case):
    inputs, kernel, window = arrays(case)

    @functools.partial(jax.jit, static_argnums=0)
    def all_of(program, inputs, kernel):
        outputs, pull = jax.vjp(functools.partial(program, window=window), inputs, kernel)
        return outputs, pull(jnp.cos(outputs))

    close(all_of(convolve, inputs, kernel), all_of(expected, inputs, kernel))


@pytest.mark.parametrize("case", ["plain", "strided", "few channels", "depthwise", "groups"])
def test_gradients_of_gradients_and_forward_mode(case):
    inputs, kernel, window = arrays(case)

    def penalty(program, inputs, kernel):
        def loss(inputs, kernel):
            return (program(inputs, kernel, window) ** 2).sum()

        return sum((part**2).sum() for part in jax.grad(loss, (0, 1))(inputs, kernel))

    @functools.partial(jax.jit, static_argnums=0)
    def all_of(program, inputs, kernel):
        along = jax.jvp(lambda *both: program(*both, window), (inputs, kernel), (2 * inputs, kernel))
        return jax.grad(functools.partial(penalty, program), (0, 1))(inputs, kernel), along

    close(all_of(convolve, inputs, kernel), all_of(expected, inputs, kernel), 1e-4)


def test_batches_of_inputs_and_of_kernels():
    inputs, kernel, window = arrays("few channels")
    several = jax.vmap(lambda inputs, kernel: convolve(inputs, kernel, window))
    wanted = jnp.stack([expected(inputs, kernel, window), expected(2 * inputs, -kernel, window)])
    close(several(jnp.stack([inputs, 2 * inputs]), jnp.stack([kernel, -kernel])), wanted)


@pytest.mark.parametrize("case", ["plain", "one channel", "depthwise"])
def test_half_precision_adds_up_in_single(case):
    inputs, kernel, window = arrays(case)
    inputs, kernel = jnp.asarray(inputs, jnp.bfloat16), jnp.asarray(kernel, jnp.bfloat16)
    found = jax.jit(functools.partial(convolve, window=window))(inputs, kernel)
    assert found.dtype == jnp.bfloat16
    exact = expected(inputs.astype(jnp.float32), kernel.astype(jnp.float32), window)
    close(found.astype(jnp.float32), exact, 2**-8)


@pytest.mark.parametrize("zeros", [(0, 0), (1, 1), (4, 0)])
@pytest.mark.parametrize("size, at_a_time", [(3, 10**9), (3, 3000), (4, 3000), (5, 10**9)])
def test_winograd_along_both_axes(size, zeros, at_a_time, monkeypatch):
    monkeypatch.setattr(convolution_cpu, "kernels", lambda *arrays: None)
    monkeypatch.setattr(convolution_winograd, "is_faster", lambda *shapes: True)
    monkeypatch.setattr(convolution_winograd, "MIN_CHANNELS", 1)
    monkeypatch.setattr(convolution_winograd, "CHUNK_VALUES", {1: at_a_time, 2: at_a_time})
    monkeypatch.setattr(convolution_winograd, "MIN_TILES_PER_CHANNEL", 0)
    monkeypatch.setattr(convolution_winograd, "PRODUCT_COST", {1: 10**6, 2: 1})
    random = np.random.default_rng(0)
    inputs = random.normal(size=(6, 9, 8, 6)).astype("float32")
    kernel = random.normal(size=(size, size, 6, 10)).astype("float32")
    window = Window((1, 1), (zeros, zeros[::-1]), (1, 1))

    def all_of(program, inputs, kernel):
        outputs, pull = jax.vjp(functools.partial(program, window=window), inputs, kernel)
        return outputs, pull(jnp.cos(outputs))

    close(jax.jit(functools.partial(all_of, convolve))(inputs, kernel), all_of(expected, inputs, kernel))


ROWS = Window((1, 1), ((0, 0), (3, 3)), (1, 1))
# (window, zeros around both axes)
ONE_AXIS = {
    "columns": ((1, 7), ((0, 0), (3, 3))),
    "rows": ((7, 1), ((3, 3), (0, 0))),
    "patches of three": ((5, 3), ((2, 1), (0, 2))),
    "square": ((3, 3), ((1, 1), (1, 1))),
}


@pytest.mark.parametrize("case", ONE_AXIS)
@pytest.mark.parametrize("at_a_time", [10**9, 3000])
def test_winograd_along_one_axis(case, at_a_time, monkeypatch):
    size, zeros = ONE_AXIS[case]
    monkeypatch.setattr(convolution_winograd, "CHUNK_VALUES", {1: at_a_time})
    random, window = np.random.default_rng(0), Window((1, 1), zeros, (1, 1))
    inputs = random.normal(size=(6, 9, 8, 16)).astype("float32")
    kernel = random.normal(size=(*size, 16, 20)).astype("float32")
    wanted = expected(inputs, kernel, window)
    plans = convolution_winograd._plans(wanted.shape[1:-1], kernel.shape, window)
    ones = [plan for plan in plans if len(plan.axes) == 1]
    assert len(ones) >= 1
    for plan in ones:
        monkeypatch.setattr(convolution_winograd, "_plans", lambda *shapes, plan=plan: [plan])
        close(jax.jit(functools.partial(convolution_winograd.convolve, window=window))(inputs, kernel), wanted)


def test_winograd_along_one_axis_is_not_for_kernel_gradients():
    inputs, kernel_shape = jnp.zeros((20, 7, 7, 192)), (1, 7, 192, 192)
    assert choose_algorithm(inputs, kernel_shape, ROWS) is Algorithm.WINOGRAD
    assert choose_algorithm(inputs, kernel_shape, ROWS, winograd_axes=(2,)) is Algorithm.IM2COL_OR_LAX


def test_winograd_is_for_plain_convolutions_of_many_pixels():
    def is_faster(batch=32, space=(32, 32), kernel_shape=(3, 3, 32, 32), strides=(1, 1), dilation=(1, 1), groups=1):
        return convolution_winograd.is_faster(
            batch, space, kernel_shape, Window(strides, ((1, 1),) * 2, dilation, groups)
        )

    assert is_faster() and is_faster(kernel_shape=(5, 5, 64, 64)) and is_faster(kernel_shape=(3, 5, 32, 32))
    assert not is_faster(space=(4, 4), batch=1) and not is_faster(kernel_shape=(3, 3, 8, 32))
    assert not is_faster(kernel_shape=(2, 2, 32, 32)) and not is_faster(strides=(2, 2))
    assert not is_faster(dilation=(2, 2)) and not is_faster(groups=2)


def test_which_axes_winograd_transforms():
    def axes(space, kernel_shape, batch=20):
        plans = convolution_winograd._plans(space, kernel_shape, ROWS)
        plan = min(plans, key=lambda plan: plan.cost(batch, *kernel_shape[-2:]))
        return [(tiling.axis, tiling.tile) for tiling in plan.axes]

    assert axes((16, 16), (3, 3, 96, 96)) == [(0, 6), (1, 6)]
    assert axes((33, 33), (3, 3, 80, 192)) == [(0, 8)]
    assert axes((16, 16), (5, 5, 48, 64)) == [(0, 8)]
    assert axes((7, 7), (1, 7, 192, 192)) == [(1, 8)]


def test_chunks_have_many_more_tiles_than_channels():
    both, *_ = convolution_winograd._plans((8, 8), (3, 3, 32, 32), ROWS)  # four tiles a sample
    assert both.chunks(256, 32, 16) == 256 * 4 / (convolution_winograd.CHUNK_VALUES[2] / (36 * 32))
    fewest = 256 * 4 / (convolution_winograd.MIN_TILES_PER_CHANNEL * 256)
    assert both.chunks(256, 256, 16) == both.chunks(256, 32, 256) == fewest


@pytest.mark.parametrize("chunks", [0.1, 2, 3, 6, 22, 100])
@pytest.mark.parametrize("batch", [6, 22])
def test_results_in_chunks_are_those_of_all_samples(chunks, batch):
    left, right = np.arange(4.0 * batch).reshape(batch, 4), np.arange(3.0 * batch).reshape(batch, 3)
    close(in_chunks(lambda rows: rows @ left.T, (left,), chunks), left @ left.T)
    close(in_chunks(lambda *pair: pair[0].T @ pair[1], (left, right), chunks, add=True), left.T @ right)


def test_large_patches_are_computed_in_chunks(monkeypatch):
    monkeypatch.setattr(convolution_im2col, "PATCH_VALUES", 3000)
    inputs, kernel, window = arrays("few channels")
    outputs = expected(inputs, kernel, window)
    found = jax.jit(lambda inputs, outputs: kernel_gradient(inputs, outputs, window, kernel.shape))(inputs, outputs)
    wanted = jax.vjp(lambda kernel: expected(inputs, kernel, window), kernel)[1](outputs)[0]
    close(found, wanted)


# (space, window, strides, dilation, channels, filters)
PATCHES = {
    "plain": ((9, 8), (3, 3), 1, 1, 32, 40),
    "one axis of the window": ((9, 8), (1, 4), 1, 1, 40, 32),
    "dilated": ((9, 8), (3, 2), 1, 2, 32, 32),
    "strided": ((9, 8), (3, 3), 2, 1, 20, 10),
    "strided, an even window": ((9, 8), (4, 4), 2, 1, 20, 10),
    "strided, 1-D": ((19,), (3,), 2, 1, 20, 10),
    "volumes": ((5, 4, 6), (2, 3, 2), 1, 1, 8, 10),
}


@pytest.mark.parametrize("case", PATCHES)
@pytest.mark.parametrize(
    "at_a_time, dtype, tolerance", [(10**9, "float32", 1e-5), (2000, "float32", 1e-5), (2000, "bfloat16", 2**-7)]
)
def test_im2col(case, at_a_time, dtype, tolerance, monkeypatch):
    monkeypatch.setattr(convolution_cpu, "kernels", lambda *arrays: None)
    monkeypatch.setattr(convolution_winograd, "is_faster", lambda *shapes: False)
    monkeypatch.setattr(convolution_im2col, "is_faster", lambda *shapes: True)
    for numbers in ("PATCH_VALUES", "PATCH_VALUES_FORWARD", "COLUMN_VALUES"):
        monkeypatch.setattr(convolution_im2col, numbers, at_a_time)
    space, size, stride, dilation, channels, filters = PATCHES[case]
    random, rank = np.random.default_rng(0), len(space)
    inputs = jnp.asarray(random.normal(size=(6, *space, channels)), dtype)
    kernel = jnp.asarray(random.normal(size=(*size, channels, filters)), dtype)
    window = Window((stride,) * rank, ((1, 2),) * rank, (dilation,) * rank)

    shape = jax.eval_shape(functools.partial(expected, window=window), inputs, kernel).shape
    cotangent = jnp.asarray(random.normal(size=shape), dtype)

    def all_of(program, *arrays):
        outputs, pull = jax.vjp(functools.partial(program, window=window), *arrays[:2])
        return outputs, pull(arrays[2])

    given = inputs, kernel, cotangent
    found = jax.jit(functools.partial(all_of, convolve))(*given)
    close(jax.tree.map(to_float32, found), all_of(expected, *map(to_float32, given)), tolerance)


def test_where_im2col_is_faster():
    def fast(space=(28, 28), kernel_shape=(3, 3, 32, 32), stride=1):
        rank = len(space)
        window = Window((stride,) * rank, ((1, 1),) * rank, (1,) * rank)
        return convolution_im2col.is_faster(jnp.zeros((1, *space, kernel_shape[-2])), kernel_shape, window)

    assert fast() and fast(stride=2) and fast((8, 8, 8), (3, 3, 3, 8, 8)) and fast((400, 400), stride=2)
    assert not fast(kernel_shape=(3, 3, 16, 32)) and not fast((112, 112))
    assert not fast((100,), (3, 64, 64)) and not fast((100,), (3, 64, 64), stride=2)


def test_the_input_gradient_is_the_transposed_map():
    inputs, kernel, window = arrays("strided")
    outputs = convolve(inputs, kernel, window)
    back = input_gradient(outputs, kernel, window, inputs.shape)
    np.testing.assert_allclose((outputs * outputs).sum(), (inputs * back).sum(), rtol=1e-4)
