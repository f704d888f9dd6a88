"""Layer normalization with and without a kernel: values, derivatives of both modes and orders."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lamina.ops.nn import layer_normalization

pytestmark = pytest.mark.usefixtures("kernels")

# shape, axes
CASES = {
    "rows": ((5, 24), -1),
    "few numbers": ((3, 4, 2), -1),
    "one number": ((4, 1), -1),
    "two axes": ((2, 3, 5, 7), (-2, -1)),
    "many numbers": ((2, 1000), 1),
}


def plain(x, gamma, beta, axes):
    mean, variance = jnp.mean(x, axes, keepdims=True), jnp.var(x, axes, keepdims=True)
    return (x - mean) / jnp.sqrt(variance + 1e-3) * gamma + beta


def arguments(case):
    shape, axes = CASES[case]
    random = np.random.default_rng(0)
    inner = shape[-1:] if isinstance(axes, int) else shape[len(shape) - len(axes) :]
    arrays = (random.normal(size=size).astype("float32") for size in (shape, inner, inner))
    return (*arrays, axes)


def ours(x, gamma, beta, axes):
    return layer_normalization(x, gamma, beta, axis=axes, epsilon=1e-3)


def close(found, wanted):
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_values_and_derivatives(case):
    *arrays, axes = arguments(case)

    @functools.partial(jax.jit, static_argnums=0)
    def all_of(program, *arrays):
        outputs, pull = jax.vjp(lambda *arrays: program(*arrays, axes), *arrays)
        along = jax.jvp(lambda x: program(x, *arrays[1:], axes), arrays[:1], (jnp.sin(arrays[0]),))
        return outputs, pull(jnp.cos(outputs)), along

    close(all_of(ours, *arrays), all_of(plain, *arrays))


@pytest.mark.parametrize("case", ["rows", "two axes"])
def test_second_derivatives(case):
    *arrays, axes = arguments(case)

    def penalty(program, x):
        def loss(x):
            return (program(x, *arrays[1:], axes) ** 3).sum()

        return (jax.grad(loss)(x) ** 2).sum()

    @functools.partial(jax.jit, static_argnums=0)
    def all_of(program, x):
        in_reverse = jax.grad(functools.partial(penalty, program))(x)
        return in_reverse / jnp.abs(in_reverse).max(), jax.jvp(functools.partial(penalty, program), (x,), (x,))

    close(all_of(ours, arrays[0]), all_of(plain, arrays[0]))


def test_batches():
    *arrays, axes = arguments("rows")
    many = jnp.stack([arrays[0], 2 * arrays[0]])
    found = jax.vmap(lambda x: ours(x, *arrays[1:], axes))(many)
    close(found, jnp.stack([plain(x, *arrays[1:], axes) for x in many]))


def test_no_rows():
    assert ours(jnp.zeros((0, 3)), jnp.ones(3), jnp.ones(3), -1).shape == (0, 3)


def test_a_stack_of_blocks_compiles_to_as_many_operations_as_it_has_blocks():
    def step(weights, x):
        def loss(weights):
            y = x
            for one, two in weights:
                y = y + jax.nn.relu(layer_normalization(y, epsilon=1e-3) @ one) @ two
            return (y**2).mean()

        return jax.grad(loss)(weights)

    def size(blocks):
        weights = [(jnp.ones((8, 16)), jnp.ones((16, 8)))] * blocks
        return jax.jit(step).lower(weights, jnp.ones((2, 4, 8))).compile().as_text().count(" = ")

    assert size(12) < 2.2 * size(6)
