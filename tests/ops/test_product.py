"""Products of rows with a kernel against jax.numpy: values, derivatives of both modes and orders, every transpose."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lamina.kernels.matmul import column_sums, contract, matmul, multiply

pytestmark = pytest.mark.usefixtures("kernels")
SIZES = {"small": (3, 4, 5), "large": (96, 64, 128)}


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def close(found, wanted, tolerance=2e-5):
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * max(1.0, float(jnp.abs(b).max())))


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("transpose_left", [False, True])
@pytest.mark.parametrize("transpose_right", [False, True])
def test_values_and_derivatives(sizes, transpose_left, transpose_right):
    rows, inner, columns = sizes
    left = draw(*((inner, rows) if transpose_left else (rows, inner)))
    right = draw(*((columns, inner) if transpose_right else (inner, columns)), seed=1)

    def ours(left, right):
        return multiply(left, right, transpose_left, transpose_right)

    def plain(left, right):
        return (left.T if transpose_left else left) @ (right.T if transpose_right else right)

    def all_of(function):
        def loss(left, right):
            return (function(left, right) ** 2).sum() / rows

        def penalty(left, right):
            return sum((part**2).sum() for part in jax.grad(loss, (0, 1))(left, right)) / rows

        along = jax.jvp(function, (left, right), (right.sum() * left / 100, right))
        return along, jax.jit(jax.grad(loss, (0, 1)))(left, right), jax.grad(penalty, (0, 1))(left, right)

    close(all_of(ours), all_of(plain), 1e-4)


def test_rows_of_several_axes_and_batches_of_kernels():
    inputs, kernels = draw(2, 3, 4), draw(6, 4, 5, seed=1)
    close(matmul(inputs, kernels[0]), inputs @ kernels[0])
    close(jax.vmap(matmul, (None, 0))(inputs, kernels), jnp.stack([inputs @ kernel for kernel in kernels]))
    close(column_sums(inputs, inputs), jnp.einsum("abi,abj->ij", inputs, inputs))


@pytest.mark.parametrize("inputs, kernel", [((4,), (4, 5)), ((0, 4), (4, 5)), ((3, 0), (0, 5))])
def test_shapes_at_the_edge(inputs, kernel):
    found = matmul(draw(*inputs), draw(*kernel))
    np.testing.assert_allclose(found, draw(*inputs) @ draw(*kernel), 1e-5)


def test_other_types_go_to_jax():
    assert matmul(np.ones((2, 3), "int32"), np.ones((3, 4), "int32")).dtype == jnp.int32
    assert matmul(jnp.ones((2, 3), jnp.bfloat16), jnp.ones((3, 4), jnp.float32)).dtype == jnp.float32


def test_shapes_that_do_not_fit():
    with pytest.raises(TypeError, match=r"\(2, 3\) and \(4, 5\)"):
        matmul(draw(2, 3), draw(4, 5))


@pytest.mark.parametrize("equation, inputs, kernel", [
    ("bti,ij->btj", (2, 3, 4), (4, 5)),
    ("...x,xnh->...nh", (2, 3, 4), (4, 5, 6)),
    ("...nh,nhA->...A", (2, 3, 5, 6), (5, 6, 4)),
    ("abc,cde->abde", (2, 3, 4), (4, 5, 6)),
    ("abc,dc->abd", (2, 3, 4), (5, 4)),
    ("abc,bcd->abd", (2, 3, 4), (3, 4, 5)),
    ("ab,bc->ca", (2, 3), (3, 4)),
])  # fmt: skip
def test_contractions_are_those_of_einsum(equation, inputs, kernel):
    inputs, kernel = draw(*inputs), draw(*kernel, seed=1)
    close(contract(equation, inputs, kernel), jnp.einsum(equation, inputs, kernel))
