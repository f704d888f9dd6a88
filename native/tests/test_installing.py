"""JAX's own primitives with the kernels as their CPU lowerings, against XLA's."""

import functools
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


@pytest.mark.parametrize("seed", range(40))
def test_any_convolution_and_its_gradients(seed, arrays, close):
    lhs, rhs, settings = draw(seed)
    lhs, rhs = arrays(*lhs), arrays(*rhs)
    shape = jax.eval_shape(lambda lhs, rhs: lax.conv_general_dilated(lhs, rhs, **settings), lhs, rhs).shape
    arguments = lhs, rhs, arrays(*shape), settings
    (_, found), gradients = value_and_gradients(*arguments)
    (_, wanted), wanted_gradients = without(value_and_gradients)(*arguments)
    close((found, gradients), (wanted, wanted_gradients), 1e-4)
