"""Max pooling with and without a kernel against XLA's own, ties and all; what comes before it may come after."""

import functools
import gc

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lamina.kernels import monotone
from lamina.kernels.bias_add import add_bias
from lamina.kernels.native import cpu_kernels
from lamina.ops import max_pool, relu
from tests.ops.op_checks import assert_same

pytestmark = pytest.mark.usefixtures("kernels")

# shape, pool_size, strides, padding: enough numbers for the kernel, and shapes that it does not take
CASES = {
    "squares": ((4, 16, 16, 64), 2, None, "valid"),
    "a rest": ((4, 17, 15, 50), 2, None, "valid"),
    "gaps": ((4, 16, 16, 50), 2, 3, "valid"),
    "even, same": ((4, 16, 16, 50), 2, None, "same"),
    "cut": ((4, 17, 15, 50), 2, None, "same"),
    "overlapping": ((4, 16, 16, 50), 3, 2, "valid"),
    "nine": ((4, 18, 18, 40), 3, None, "valid"),
    "steps": ((8, 40, 160), 2, None, "valid"),
    "volumes": ((2, 8, 8, 8, 50), 2, None, "valid"),
    "large windows": ((4, 16, 16, 50), 4, None, "valid"),
    "little": ((2, 4, 4, 3), 2, None, "valid"),
}


def reference(x, pool_size, strides, padding):
    window = (1, *(pool_size,) * (x.ndim - 2), 1)
    steps = window if strides is None else (1, *(strides,) * (x.ndim - 2), 1)
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, steps, padding.upper())


def numbers(shape, ties=True):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    return np.round(2 * x) if ties else x


@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients(case):
    shape, *sizes = CASES[case]

    @functools.partial(jax.jit, static_argnums=0)
    def both(pool, x):
        outputs, pull = jax.vjp(lambda x: pool(x, *sizes), x)
        return outputs, pull(jnp.cos(jnp.arange(outputs.size, dtype="float32").reshape(outputs.shape)))

    assert_same(both(max_pool, numbers(shape)), both(reference, numbers(shape)))


@pytest.mark.parametrize("case", ["squares", "gaps", "steps"])
def test_derivatives_of_both_modes_and_orders(case):
    shape, *sizes = CASES[case]
    x = numbers(shape, ties=False)

    def penalty(pool, x):
        return (jax.grad(lambda x: (pool(x, *sizes) ** 3).sum())(x) ** 2).mean()

    @functools.partial(jax.jit, static_argnums=0)
    def all_of(pool, x):
        along = jax.jvp(lambda x: pool(x, *sizes), (x,), (jnp.sin(x),))
        penalty_of = functools.partial(penalty, pool)
        return along, jax.grad(penalty_of)(x), jax.jvp(penalty_of, (x,), (jnp.cos(x),))

    def slices(x, pool_size, strides, padding):  # XLA's own has no second derivatives
        step = strides or pool_size
        ends = [1 + (size - pool_size) // step * step for size in x.shape[1:-1]]
        places = np.ndindex(*(pool_size,) * len(ends))
        cuts = [tuple(slice(at, at + end, step) for at, end in zip(place, ends, strict=True)) for place in places]
        return jnp.stack([x[:, *cut] for cut in cuts]).max(0)

    assert_same(all_of(max_pool, x), all_of(slices, x))


def test_batches():
    x = numbers((3, 4, 16, 16, 64))
    assert_same(jax.vmap(lambda x: max_pool(x, 2))(x), jnp.stack([reference(part, 2, None, "valid") for part in x]))
    of = jax.vmap(jax.grad(lambda x: (max_pool(x, 2) ** 2).sum()))(x)
    assert_same(of, jnp.stack([jax.grad(lambda x: (reference(x, 2, None, "valid") ** 2).sum())(part) for part in x]))


def test_nan_wins_with_a_gradient():
    x = numbers((4, 16, 16, 64))
    x[0, 1, 0, 3] = np.nan
    largest, pull = jax.vjp(lambda x: max_pool(x, 2), x)
    assert np.argwhere(np.isnan(largest)).tolist() == [[0, 0, 0, 3]]
    assert pull(jnp.ones_like(largest))[0][0, :2, :2, 3].tolist() == [[0, 0], [1, 0]]


def test_bias_and_relu_come_after_the_pool():
    x, bias = numbers((4, 16, 16, 64), ties=False), numbers((64,), ties=False)

    @functools.partial(jax.jit, static_argnums=0)
    def all_of(pool, x, bias):
        def outputs(x, bias):
            active = relu(add_bias(x, bias)) if pool is max_pool else jnp.maximum(x + bias, 0)
            return pool(active, 2, None, "valid"), active  # the second user has the numbers as they are

        return outputs(x, bias), jax.grad(lambda *arrays: (outputs(*arrays)[0] ** 2).sum(), (0, 1))(x, bias)

    assert_same(all_of(max_pool, x, bias), all_of(reference, x, bias))
    if cpu_kernels() is not None:
        along = jax.make_jaxpr(lambda x: jax.jvp(lambda x: max_pool(relu(x), 2), (x,), (x,)))(x)
        assert "max_pool_gather" in str(along)


def test_monotone_marks_are_found_and_go_with_their_tracers():
    found = []

    @jax.jit
    def program(x, bias):
        active = relu(add_bias(x, bias))
        source, after = monotone.before_monotone(active)
        found.append(source is x if cpu_kernels() is not None else source is not active)
        unknown = monotone.before_monotone(x)
        found.append(unknown[0] is x)
        return after(source), unknown[1](x)

    x, bias = numbers((4, 16, 64)), numbers((64,))
    assert_same(program(x, bias), (np.maximum(x + bias, 0), x))
    assert found == [True, True]
    gc.collect()
    assert not [mark for mark in monotone._marks.values() if mark[0]() is None]
    before = len(monotone._marks)
    relu(x)
    assert len(monotone._marks) == before  # outside of programs nothing is marked
