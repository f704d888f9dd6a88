"""Convolutions and their gradients against lax.conv_general_dilated."""

import jax
import jax.numpy as jnp
import lamina_native as native
import numpy as np
import pytest
from shapes import convolution, random_cases

# (space, channels, filters, window, strides, dilation, groups, padding)
CASES = {
    "first layer, one channel": ((9, 9), 1, 32, (3, 3), 1, 1, 1, "SAME"),
    "first layer, three channels": ((15, 15), 3, 16, (7, 7), 2, 1, 1, "SAME"),
    "wide": ((8, 8), 32, 64, (3, 3), 1, 1, 1, "VALID"),
    "odd numbers of channels": ((7, 6), 10, 17, (3, 2), 1, 1, 1, "SAME"),
    "one filter": ((7, 7), 16, 1, (3, 3), 1, 1, 1, "SAME"),
    "1x1": ((6, 6), 24, 40, (1, 1), 1, 1, 1, "VALID"),
    "1x1 strided": ((7, 7), 24, 40, (1, 1), 2, 1, 1, "VALID"),
    "strided, even window": ((9, 11), 16, 16, (4, 2), (2, 3), 1, 1, "SAME"),
    "dilated": ((12, 12), 16, 16, (3, 3), 1, (2, 3), 1, "SAME"),
    "first layer, uneven": ((10, 13), 2, 24, (4, 3), (2, 1), (2, 1), 1, ((0, 3), (2, 0))),
    "first layer, 1-D": ((21,), 2, 32, (5,), 2, 1, 1, "SAME"),
    "grouped": ((8, 8), 32, 48, (3, 3), 1, 1, 4, "SAME"),
    "few pixels, grouped and dilated": ((5, 6), 32, 64, (3, 3), 1, 2, 2, "SAME"),
    "little work": ((18, 14), 16, 32, (3, 3), (2, 1), 1, 1, "SAME"),
    "one image": ((18, 17), 16, 16, (3, 3), 1, 1, 1, "SAME"),
    "few pixels, 1-D, many filters": ((20,), 16, 80, (5,), 2, 1, 1, "SAME"),
    "depthwise": ((8, 8), 24, 24, (3, 3), 1, 1, 24, "SAME"),
    "depthwise, strided": ((9, 9), 16, 16, (5, 5), 2, 1, 16, "VALID"),
    "depthwise, 5x5": ((8, 7), 32, 32, (5, 5), 1, 1, 32, "SAME"),
    "depthwise, strided and dilated": ((13, 12), 48, 48, (4, 3), (3, 2), (1, 2), 48, ((0, 2), (3, 1))),
    "depthwise, two filters a channel": ((8, 8), 6, 12, (3, 3), 1, 1, 6, "SAME"),
    "1-D": ((20,), 8, 16, (5,), 1, 1, 1, "SAME"),
    "1-D causal": ((20,), 8, 16, (3,), 1, 2, 1, ((4, 0),)),
    "1-D depthwise": ((20,), 16, 16, (5,), 1, 1, 16, "SAME"),
    "3-D": ((5, 6, 7), 4, 16, (3, 2, 3), 1, 1, 1, "SAME"),
    "3-D strided": ((6, 6, 6), 3, 8, (3, 3, 3), 2, 1, 1, "VALID"),
    "window as large as the inputs": ((4, 4), 8, 16, (4, 4), 1, 1, 1, "VALID"),
    "uneven padding": ((6, 6), 8, 16, (3, 3), 1, 1, 1, ((0, 2), (1, 0))),
    **random_cases(convolution),
}


def reference(x, kernel, strides, padding, dilation, groups):
    space = "DHW"[5 - x.ndim :]
    layout = (f"N{space}C", f"{space}IO", f"N{space}C")
    return jax.lax.conv_general_dilated(
        x, kernel, strides, padding, rhs_dilation=dilation, feature_group_count=groups, dimension_numbers=layout
    )


def arguments(case, arrays, dtype=jnp.float32, batch=3):
    space, channels, filters, window, strides, dilation, groups, padding = CASES[case]
    strides, dilation = (
        setting if isinstance(setting, tuple) else (setting,) * len(space) for setting in (strides, dilation)
    )
    covered = [(width - 1) * step + 1 for width, step in zip(window, dilation, strict=True)]
    if isinstance(padding, str):
        padding = tuple(jax.lax.padtype_to_pads(space, covered, strides, padding))
    x, kernel = arrays(batch, *space, channels, dtype=dtype), arrays(*window, channels // groups, filters, dtype=dtype)
    return x, kernel, dict(strides=strides, padding=padding, dilation=dilation, groups=groups)


@pytest.mark.parametrize("dtype, tolerance", [(jnp.float32, 1e-5), (jnp.bfloat16, 2e-2)])
@pytest.mark.parametrize("case", CASES)
def test_convolution_and_its_gradients(case, dtype, tolerance, arrays, close):
    if not native.supported(dtype):
        pytest.skip(f"{dtype.__name__} needs instructions that this processor does not have.")
    x, kernel, settings = arguments(case, arrays, dtype)
    y, pull = jax.vjp(lambda x, kernel: reference(x, kernel, **settings), x, kernel)
    dy = arrays(*y.shape, dtype=dtype)
    dx, dkernel = pull(dy)
    close(native.convolve(x, kernel, **settings), y, tolerance)
    close(native.convolve_input_gradient(dy, kernel, x.shape, **settings), dx, 10 * tolerance)
    close(native.convolve_kernel_gradient(x, dy, kernel.shape, **settings), dkernel, 10 * tolerance)


@pytest.mark.parametrize("case", ["few pixels, grouped and dilated", "one image", "1-D depthwise", "little work"])
def test_our_own_loops_make_no_primitives(case, arrays):
    x, kernel, settings = arguments(case, arrays, batch=1)
    made = native.plans_made()
    y = native.convolve(x, kernel, **settings)
    native.convolve_kernel_gradient(x, y, kernel.shape, **settings).block_until_ready()
    assert native.plans_made() == made or not has_wide_registers()


# (batch, space, channels, filters, window, stride, padding): enough work for products at points
AT_POINTS = {
    "2x2": (3, (30, 31), 64, 64, 2, 1, "SAME"),
    "3x3": (3, (16, 18), 32, 48, 3, 1, "SAME"),
    "3x3, tiles that end outside": (3, (19, 17), 48, 32, 3, 1, "VALID"),
    "3x3, more zeros than taps": (3, (15, 14), 32, 32, 3, 1, ((4, 1), (0, 5))),
    "4x4": (3, (18, 17), 32, 32, 4, 1, "SAME"),
    "5x5": (3, (16, 16), 32, 32, 5, 1, ((4, 0), (2, 2))),
    "4x4 by strides": (16, (28, 31), 32, 64, 4, 2, "SAME"),
    "4x4 by strides, odd padding": (16, (27, 28), 64, 32, 4, 2, ((3, 2), (1, 0))),
    "5x5 by strides": (8, (30, 31), 32, 64, 5, 2, "SAME"),
    "6x6 by strides": (8, (28, 28), 32, 32, 6, 2, "VALID"),
    "10x10 by strides": (4, (28, 28), 16, 32, 10, 2, "SAME"),
    "one sample": (1, (40, 40), 64, 64, 3, 1, "SAME"),
}


@pytest.mark.parametrize("case", AT_POINTS)
def test_products_at_points(case, arrays, close):
    """Winograd's way, for which no primitive of oneDNN is made; some three times the rounding errors of plain sums."""
    batch, space, channels, filters, width, stride, padding = AT_POINTS[case]
    window = (width, width)
    strides = (stride, stride)
    if isinstance(padding, str):
        padding = tuple(jax.lax.padtype_to_pads(space, window, strides, padding))
    settings = dict(strides=strides, padding=padding, dilation=(1, 1), groups=1)
    x, kernel = arrays(batch, *space, channels), arrays(*window, channels, filters)
    y, pull = jax.vjp(lambda x, kernel: reference(x, kernel, **settings), x, kernel)
    dy = arrays(*y.shape)
    dx, dkernel = pull(dy)
    made = native.plans_made()
    close(native.convolve(x, kernel, **settings), y)
    close(native.convolve_input_gradient(dy, kernel, x.shape, **settings), dx)
    close(native.convolve_kernel_gradient(x, dy, kernel.shape, **settings), dkernel)
    assert native.plans_made() == made or not has_wide_registers()


def has_wide_registers():
    with open("/proc/cpuinfo") as file:
        return "avx512f" in file.read()


ACTIVATIONS = {
    None: lambda y: y,
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "gelu": lambda y: jax.nn.gelu(y, approximate=False),
    "gelu_tanh": lambda y: jax.nn.gelu(y, approximate=True),
    "silu": jax.nn.silu,
    "elu": jax.nn.elu,
    "relu6": jax.nn.relu6,
}


@pytest.mark.parametrize("activation", [None, *native.ACTIVATIONS])
def test_bias_and_activation(activation, arrays, close):
    x, kernel, settings = arguments("wide", arrays)
    bias = arrays(64)
    wanted = ACTIVATIONS[activation](reference(x, kernel, **settings) + bias)
    close(native.convolve(x, kernel, **settings, bias=bias, activation=activation), wanted, 2e-5)


def test_under_jit_scan_and_vmap(arrays, close):
    x, kernel, settings = arguments("uneven padding", arrays)
    kernel = kernel[..., :8]
    settings["padding"] = ((1, 1), (1, 1))

    def repeat(convolve):
        def step(x, _):
            return jnp.tanh(convolve(x, kernel, **settings)), None

        return jax.jit(lambda x: jax.lax.scan(step, x, length=4))

    close(repeat(native.convolve)(x)[0], repeat(reference)(x)[0], 1e-4)
    many = arrays(4, *x.shape)
    close(
        jax.vmap(lambda x: native.convolve(x, kernel, **settings))(many),
        jax.vmap(lambda x: reference(x, kernel, **settings))(many),
    )


def test_donated_arrays_are_not_read_after_they_are_written(arrays, close):
    x, kernel, settings = arguments("uneven padding", arrays)
    kernel = kernel[..., :8]
    settings["padding"] = ((1, 1), (1, 1))
    wanted = reference(reference(x, kernel, **settings), kernel, **settings)
    twice = jax.jit(
        lambda x: native.convolve(native.convolve(x, kernel, **settings), kernel, **settings), donate_argnums=0
    )
    close(twice(x), wanted, 1e-4)


def test_batch_of_none(arrays):
    x, kernel, settings = arguments("wide", arrays, batch=0)
    y = native.convolve(x, kernel, **settings)
    assert y.shape == (0, 6, 6, 64)
    assert not native.convolve_kernel_gradient(x, y, kernel.shape, **settings).any()


# (space, channels, filters, window, strides, dilation, groups, padding): more than one thread takes, of few samples
MUCH_WORK = {
    "rows": ((30, 20), 17, 64, (3, 3), (1, 1), (1, 1), 1, ((1, 1), (1, 1))),
    "rows by strides": ((56, 40), 17, 64, (4, 4), (2, 2), (1, 1), 1, ((1, 1), (1, 1))),
    "strides that leave inputs out": ((121, 60), 100, 64, (2, 2), (3, 2), (1, 1), 1, ((0, 0), (0, 0))),
    "window smaller than the stride": ((122, 60), 200, 64, (1, 2), (3, 2), (1, 1), 1, ((0, 0), (0, 0))),
    "dilated, uneven padding": ((41, 20), 17, 64, (3, 3), (1, 1), (4, 1), 1, ((7, 2), (1, 1))),
    "grouped": ((30, 20), 34, 64, (3, 3), (1, 1), (1, 1), 2, ((1, 1), (1, 1))),
    "1-D": ((600,), 17, 64, (5,), (2,), (1,), 1, ((2, 2),)),
    "3-D": ((12, 9, 9), 8, 32, (3, 3, 3), (2, 1, 1), (1, 1, 1), 1, ((1, 1), (1, 1), (1, 1))),
}


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("case", MUCH_WORK)
def test_more_work_than_one_thread_takes(case, batch, arrays, close):
    """Threads take samples, or rows of one sample: each reads what its part needs, and writes no other."""
    space, channels, filters, window, strides, dilation, groups, padding = MUCH_WORK[case]
    x, kernel = arrays(batch, *space, channels), arrays(*window, channels // groups, filters)
    settings = dict(strides=strides, padding=padding, dilation=dilation, groups=groups)
    y, pull = jax.vjp(lambda x: reference(x, kernel, **settings), x)
    dy = arrays(*y.shape)
    before = native.threads()
    try:
        native.set_threads(3)
        close(native.convolve(x, kernel, **settings), y)
        close(native.convolve_input_gradient(dy, kernel, x.shape, **settings), pull(dy)[0])
    finally:
        native.set_threads(before)


@pytest.mark.parametrize(
    "change, error, message",
    [
        (dict(padding=((-1, 0), (0, 0))), ValueError, "Negative padding"),
        (dict(strides=(1,)), ValueError, "one for each spatial axis"),
        (dict(groups=3), ValueError, "do not fit"),
        (dict(activation="softmax"), ValueError, "activation is None or one of relu"),
        (dict(bias=jnp.zeros(3)), ValueError, "bias of shape"),
        (dict(bias=jnp.zeros(64, jnp.bfloat16)), TypeError, "one dtype"),
    ],
)
def test_errors(change, error, message, arrays):
    x, kernel, settings = arguments("wide", arrays)
    with pytest.raises(error, match=message):
        native.convolve(x, kernel, **(settings | change))


def test_what_onednn_refuses_is_an_error_of_the_program(arrays):
    x, kernel, settings = arguments("wide", arrays)
    foreign = jax.ffi.ffi_call("lamina_convolve", jax.ShapeDtypeStruct((3, 9, 9, 64), jnp.float32))
    flat = {key: np.array(settings[key], np.int64).ravel() for key in ("strides", "padding", "dilation")}
    flat |= dict(groups=np.int64(1), plain_sums=np.int64(0))
    with pytest.raises(Exception, match="oneDNN"):
        foreign(x, kernel, **flat, activation=np.int64(0)).block_until_ready()
    with pytest.raises(Exception, match="no activation"):
        foreign(x, kernel, **flat, activation=np.int64(99)).block_until_ready()


def test_other_dtypes_are_refused(arrays):
    x, kernel, settings = arguments("wide", arrays)
    assert native.supported("float32") and not native.supported("float16") and not native.supported("int32")
    with pytest.raises(TypeError, match="float32 and bfloat16"):
        native.convolve(x.astype(jnp.float16), kernel.astype(jnp.float16), **settings)
