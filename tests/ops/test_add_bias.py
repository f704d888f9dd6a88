"""A bias and its gradient with and without a kernel: values, derivatives of both modes and orders."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lamina.kernels.bias_add import add_bias, sum_rows
from tests.ops.op_checks import assert_same

pytestmark = pytest.mark.usefixtures("kernels")

# shapes of outputs and bias; the large ones have enough numbers for a kernel
CASES = {
    "rows": ((5, 24), (24,)),
    "many rows": ((300, 20), (20,)),
    "images": ((8, 9, 9, 16), (16,)),
    "heads": ((4, 30, 3, 16), (3, 16)),
    "one for all": ((70, 80), (1,)),
    "channels first": ((4, 3, 30, 20), (3, 1, 1)),
    "no rows": ((0, 4), (4,)),
}


def arguments(case):
    random = np.random.default_rng(0)
    return [random.normal(size=shape).astype("float32") for shape in CASES[case]]


@pytest.mark.parametrize("case", CASES)
def test_values_and_derivatives(case):
    @functools.partial(jax.jit, static_argnums=0)
    def all_of(add, outputs, bias):
        sums, pull = jax.vjp(add, outputs, bias)
        along = jax.jvp(add, (outputs, bias), (jnp.sin(outputs), jnp.cos(bias)))
        of_bias = jax.jvp(lambda bias: add(outputs, bias), (bias,), (jnp.cos(bias),))
        alone = [jax.grad(lambda *arrays: (add(*arrays) ** 2).sum(), which)(outputs, bias) for which in (0, 1)]
        return sums, pull(jnp.cos(sums)), along, of_bias, alone

    arrays = arguments(case)
    assert_same(all_of(add_bias, *arrays), all_of(jnp.add, *arrays))


@pytest.mark.parametrize("case", ["many rows", "heads"])
def test_second_derivatives(case):
    def penalty(add, outputs, bias):
        gradients = jax.grad(lambda *arrays: jnp.sin(add(*arrays)).sum(), (0, 1))(outputs, bias)
        return sum((gradient**2).mean() for gradient in gradients)

    @functools.partial(jax.jit, static_argnums=0)
    def all_of(add, *arrays):
        along = jax.jvp(functools.partial(penalty, add), arrays, arrays)
        return jax.grad(functools.partial(penalty, add), (0, 1))(*arrays), along

    arrays = arguments(case)
    assert_same(all_of(add_bias, *arrays), all_of(jnp.add, *arrays))


def test_batches():
    outputs, bias = arguments("many rows")
    many = jnp.stack([bias, 2 * bias])
    assert_same(jax.vmap(add_bias, (None, 0))(outputs, many), outputs + many[:, None])
    gradients = jax.vmap(lambda bias: jax.grad(lambda bias: (add_bias(outputs, bias) ** 2).sum())(bias))(many)
    assert_same(gradients, 2 * (outputs + many[:, None]).sum(1))


def test_other_types_are_added_as_ever():
    assert add_bias(jnp.ones((2, 3), jnp.bfloat16), jnp.ones(3, jnp.bfloat16)).dtype == "bfloat16"
    assert add_bias(jnp.ones((2, 3)), jnp.ones((2, 3))).tolist() == [[2.0] * 3] * 2


def test_sums():
    x = np.random.default_rng(0).normal(size=(9, 40, 5, 7)).astype("float32")
    assert_same(sum_rows(x), x.sum((0, 1, 2)))
    assert_same(sum_rows(x, rank=2), x.sum((0, 1)))
    assert sum_rows(jnp.ones((5000, 8), jnp.bfloat16)).dtype == "bfloat16"
