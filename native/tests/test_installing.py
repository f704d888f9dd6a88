"""JAX's own primitives with the kernels as their CPU lowerings, against XLA's."""

import functools
import os
import random

import jax
import jax.numpy as jnp
import lamina_native as native
import numpy as np
import pytest
from jax import lax

LAYOUTS = {
    1: [("NHC", "HIO", "NHC"), ("NCH", "OIH", "NCH"), ("CNH", "IHO", "HNC")],
    2: [("NHWC", "HWIO", "NHWC"), ("NCHW", "OIHW", "NCHW"), ("HWNC", "OHWI", "CNHW"), ("CHWN", "IHWO", "NHWC")],
    3: [("NDHWC", "DHWIO", "NDHWC"), ("NCDHW", "OIDHW", "NCDHW")],
}


@pytest.fixture(autouse=True)
def installed():
    """Each test has the kernels in place; what it computes under `without` it computes by XLA."""
    with native.installed():
        yield


def without(function):
    """A function that computes with JAX's own rules. The order matters: what was compiled is forgotten by both."""

    @functools.wraps(function)
    def run(*arguments):
        native.uninstall()
        try:
            return function(*arguments)
        finally:
            native.install()

    return run


def calls(function, *arguments):
    """The kernels that the compiled function calls."""
    text = jax.jit(function).lower(*arguments).as_text()
    return sorted({word.split("(")[0] for word in text.split("@") if word.startswith("lamina_")})


def draw(seed):
    """Shapes and settings of a convolution: any layout, dilation of both sides, groups of both kinds, odd padding."""
    rng = random.Random(seed)
    rank = rng.choice((1, 2, 2, 2, 3))
    groups, batch_groups = rng.choice(((1, 1), (1, 1), (1, 1), (2, 1), (3, 1), (1, 2)))
    channels, filters = groups * rng.choice((1, 2, 3, 16)), groups * batch_groups * rng.choice((1, 2, 5, 16))
    batch = batch_groups * rng.choice((1, 2, 3))
    left, right, strides = ([rng.choice((1, 1, 1, 2, 3)) for _ in range(rank)] for _ in range(3))
    window, space = [rng.randint(1, 5) for _ in range(rank)], [rng.randint(1, 9) for _ in range(rank)]
    padding = []
    for size, width, spread, dilation in zip(space, window, left, right, strict=True):
        whole, covered = (size - 1) * spread + 1, (width - 1) * dilation + 1
        low, high = (rng.choice((0, 0, 1, -1, covered - 1, covered + 1, rng.randint(0, 4))) for _ in range(2))
        padding.append((low, max(high, covered - whole - low)))
    layout = rng.choice(LAYOUTS[rank])
    sizes = dict(zip("DHW"[3 - rank :] if rank > 1 else "H", zip(space, window, strict=True), strict=True))
    lhs = [{"N": batch, "C": channels}.get(name) or sizes[name][0] for name in layout[0]]
    rhs = [{"I": channels // groups, "O": filters}.get(name) or sizes[name][1] for name in layout[1]]
    settings = dict(window_strides=strides, padding=padding, lhs_dilation=left, rhs_dilation=right)
    settings |= dict(dimension_numbers=layout, feature_group_count=groups, batch_group_count=batch_groups)
    return lhs, rhs, settings


def value_and_gradients(lhs, rhs, weights, settings):
    def total(lhs, rhs):
        y = lax.conv_general_dilated(lhs, rhs, **settings)
        return (y * weights).sum(), y

    return jax.jit(jax.value_and_grad(total, (0, 1), has_aux=True))(lhs, rhs)


@pytest.mark.parametrize("seed", range(int(os.environ.get("LAMINA_NATIVE_SHAPES", ":10").partition(":")[2])))
def test_any_convolution_and_its_gradients(seed, arrays, close):
    lhs, rhs, settings = draw(seed)
    lhs, rhs = arrays(*lhs), arrays(*rhs)
    shape = jax.eval_shape(lambda lhs, rhs: lax.conv_general_dilated(lhs, rhs, **settings), lhs, rhs).shape
    arguments = lhs, rhs, arrays(*shape), settings
    (_, found), gradients = value_and_gradients(*arguments)
    (_, wanted), wanted_gradients = without(value_and_gradients)(*arguments)
    close((found, gradients), (wanted, wanted_gradients), 1e-4)


POOLS = {
    "channels last": ((2, 9, 9, 7), (1, 3, 3, 1), (1, 2, 2, 1), "SAME"),
    "channels first": ((2, 5, 8, 8), (1, 1, 2, 2), (1, 1, 2, 2), "VALID"),
    "one image of Equinox": ((5, 8, 9), (1, 3, 2), (1, 3, 1), ((0, 0), (1, 1), (0, 1))),
    "windows of time": ((4, 12), (1, 3), (1, 2), "SAME"),
    "all axes": ((6, 8), (2, 2), (2, 2), "VALID"),
    "channels pooled": ((3, 4, 4, 8), (1, 2, 2, 2), (1, 2, 2, 2), "VALID"),
    "axes apart": ((9, 3, 8, 4), (2, 1, 2, 1), (2, 1, 2, 1), "VALID"),
}


@pytest.mark.parametrize("case", POOLS)
def test_max_pools_of_any_axes(case, arrays, close):
    shape, *window = POOLS[case]
    x = jnp.round(arrays(*shape))  # ties

    def pool(x):
        return lax.reduce_window(x, -jnp.inf, lax.max, *window)

    def value_and_gradient(x):
        return jax.jit(jax.value_and_grad(lambda x: (pool(x) ** 2).sum()))(x)

    assert calls(jax.grad(lambda x: (pool(x) ** 2).sum()), x) == ["lamina_max_pool", "lamina_max_pool_gradient"]
    close(value_and_gradient(x), without(value_and_gradient)(x))


@pytest.mark.parametrize("mode", ["clip", "fill", "promise_in_bounds"])
@pytest.mark.parametrize("dtype", [jnp.int32, jnp.uint8])
def test_gradients_of_embeddings(mode, dtype, arrays, close):
    table, weights = arrays(20, 6), arrays(3, 4, 6)
    places = jnp.asarray([[0, 19, 19, 3], [7, 7, 7, 0], [5, 4, 3, 2]], dtype)
    if mode != "promise_in_bounds":
        places = places.at[0, 3].set(200 if dtype == jnp.uint8 else -21)

    def gradient(table):
        return jax.jit(jax.grad(lambda table: (table.at[places].get(mode=mode) * weights).sum()))(table)

    if dtype == jnp.int32:
        assert calls(gradient, table) == ["lamina_add_rows"]
    close(gradient(table), without(gradient)(table))


def network(parameters, x):
    """A small network of several layouts: a convolution, a pool, a transposed and a depthwise convolution, NCHW."""
    first, second, third = parameters
    numbers = ("NCHW", "OIHW", "NCHW")
    x = lax.conv_general_dilated(x, first, (1, 1), "SAME", dimension_numbers=numbers)
    x = lax.reduce_window(jnp.tanh(x), -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    x = lax.conv_transpose(x, second, (2, 2), "SAME", dimension_numbers=numbers)
    return lax.conv_general_dilated(
        x, third, (2, 1), ((1, 0), (1, 1)), feature_group_count=4, dimension_numbers=numbers
    )


@pytest.fixture
def example(arrays):
    parameters = arrays(5, 3, 3, 3), arrays(4, 5, 3, 3), arrays(8, 1, 3, 3)
    return parameters, arrays(2, 3, 8, 6)


TRANSFORMED = {
    "gradient": lambda p, x: jax.grad(lambda p: (network(p, x) ** 2).sum())(p),
    "forward mode": lambda p, x: jax.jvp(network, (p, x), (p, jnp.cos(x)))[1],
    "second derivatives": lambda p, x: jax.jvp(
        jax.grad(lambda x: (network(p, x) ** 2).sum()), (x,), (jnp.cos(x),)
    )[1],
    "gradients of each sample": lambda p, x: jax.vmap(
        jax.grad(lambda p, x: (network(p, x[None]) ** 2).sum()), (None, 0)
    )(p, x),
    "many kernels": lambda p, x: jax.vmap(lambda scale: network(jax.tree.map(lambda a: a * scale, p), x))(
        jnp.arange(1.0, 4.0)
    ),
    "checkpoint": lambda p, x: jax.grad(lambda p: (jax.checkpoint(network)(p, x) ** 2).sum())(p),
    "a loop": lambda p, x: lax.scan(lambda x, _: (x + network(p, x).mean(), None), x, length=3)[0],
}  # fmt: skip


def test_transformations_of_a_network(example, close):
    def run(parameters, x):
        return {name: jax.jit(function)(parameters, x) for name, function in TRANSFORMED.items()}

    close(run(*example), without(run)(*example), 1e-4)


def test_two_derivatives_at_64_bits_and_other_dtypes_are_left_to_xla(example):
    parameters, x = example
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda a: a.astype(jnp.float64), (parameters, x))
        assert network(*wide).dtype == jnp.float64 and not calls(network, *wide)
        assert network(*example).dtype == jnp.float32 and calls(network, *example)


def test_exported_programs_hold_no_kernels(example, close):
    exported = jax.export.export(jax.jit(network))(*example)
    assert "lamina_" not in exported.mlir_module()
    close(exported.call(*example), network(*example))


def test_leaving_restores_what_was_there(example):
    assert calls(network, *example)
    native.install()  # twice is once
    native.uninstall()
    assert not calls(network, *example)
    with native.installed(), native.installed():
        assert calls(network, *example)
    assert not calls(network, *example)


def test_highest_precision_sums_plainly(arrays):
    """An infinite input reaches the outputs that see it, and no others."""
    x, kernel = arrays(2, 32, 32, 32).at[0, 16, 16, 0].set(jnp.inf), arrays(3, 3, 32, 32)
    y = lax.conv_general_dilated(
        x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"), precision=lax.Precision.HIGHEST
    )
    assert (~jnp.isfinite(y)).any(-1).sum() == 9


ATTENTIONS = {
    "plain": {},
    "masked": dict(mask=np.random.default_rng(0).random((2, 1, 5, 7)) > 0.4, is_causal=True, scale=0.3),
}


@pytest.mark.parametrize("case", ATTENTIONS)
def test_attention_and_its_derivatives(case, arrays, close):
    q, k, v, dq = arrays(2, 5, 3, 4), arrays(2, 7, 3, 4), arrays(2, 7, 3, 4), arrays(2, 5, 3, 4)

    def attend(q, k, v):
        return jax.nn.dot_product_attention(q, k, v, **ATTENTIONS[case])

    def gradient(q, k, v):
        return jax.grad(lambda *arrays: (attend(*arrays) ** 2).sum(), (0, 1, 2))(q, k, v)

    def run(q, k, v):
        many = jnp.stack([v, v * 2])
        return jax.jit(
            lambda q, k, v: {
                "value": attend(q, k, v),
                "gradient": gradient(q, k, v),
                "forward mode": jax.jvp(attend, (q, k, v), (dq, k, v))[1],
                "second derivatives": jax.jvp(lambda q: gradient(q, k, v), (q,), (dq,))[1],
                "many": jax.vmap(lambda v: gradient(q, k, v))(many),
            }
        )(q, k, v)

    assert calls(gradient, q, k, v) == ["lamina_attention", "lamina_attention_gradient"]
    close(run(q, k, v), without(run)(q, k, v), 1e-4)
