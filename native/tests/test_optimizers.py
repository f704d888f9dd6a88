"""Steps of optimizers against their formulas in NumPy, and against lamina's own programs."""

import jax
import jax.numpy as jnp
import lamina_native as native
import numpy as np
import pytest

import lamina as keras

SHAPES = [(3,), (), (300, 170), (0, 4), (16,)]


def test_adam(arrays, close):
    value, gradient, momentum = ([arrays(*shape) for shape in SHAPES] for _ in range(3))
    velocity = [arrays(*shape) ** 2 for shape in SHAPES]
    settings = dict(beta_1=0.9, beta_2=0.99, epsilon=1e-3)
    found = jax.jit(lambda *lists: native.adam(jnp.float32(0.1), *lists, **settings))(
        value, gradient, momentum, velocity
    )
    new_momentum = [0.9 * m + 0.1 * g for m, g in zip(momentum, gradient, strict=True)]
    new_velocity = [0.99 * v + 0.01 * g**2 for v, g in zip(velocity, gradient, strict=True)]
    new_value = [
        x - 0.1 * m / (np.sqrt(v) + 1e-3) for x, m, v in zip(value, new_momentum, new_velocity, strict=True)
    ]  # fmt: skip
    close(found, [new_value, new_momentum, new_velocity])


def test_adam_does_not_write_over_what_is_still_read(arrays):
    value, zero = arrays(40, 50), jnp.zeros((40, 50))
    before = np.array(value)
    native.adam(jnp.float32(0.1), [value], [value], [zero], [zero], beta_1=0.9, beta_2=0.999, epsilon=1e-7)
    np.testing.assert_array_equal(value, before)


def test_errors(arrays):
    settings = dict(beta_1=0.9, beta_2=0.999, epsilon=1e-7)
    with pytest.raises(ValueError, match="same shapes"):
        native.adam(jnp.float32(0.1), [arrays(3)], [arrays(4)], [arrays(3)], [arrays(3)], **settings)
    with pytest.raises(TypeError, match="float32"):
        native.adam(jnp.float32(0.1), *[[jnp.ones(3, jnp.bfloat16)]] * 4, **settings)


def _adam(native_on, dtype="float32", **settings):
    """Values after three steps of an optimizer, from the same numbers each time."""
    keras.config.set_native(native_on)
    generator = np.random.default_rng(3)
    variables = [keras.Variable(generator.normal(size=shape), dtype=dtype) for shape in [(5, 7), (300, 300), (2,)]]
    optimizer = keras.optimizers.AdamW(0.01, **settings)
    for _ in range(3):
        optimizer.apply([generator.normal(size=variable.shape).astype(dtype) for variable in variables], variables)
    return [np.asarray(cell, np.float32) for cell in (*variables, *optimizer.variables[2:])]


@pytest.mark.parametrize(
    "settings",
    [{}, dict(amsgrad=True), dict(clipnorm=0.5), dict(use_ema=True), dict(gradient_accumulation_steps=2),
     dict(dtype="bfloat16")],
    ids=str,
)  # fmt: skip
def test_adam_of_lamina(settings, close):
    try:
        close(_adam(True, **settings), _adam(False, **settings), 1e-6)
    finally:
        keras.config.set_native(True)


def test_derivatives_through_a_step_of_adam(close):
    optimizer, weight = keras.optimizers.Adam(0.1), keras.Variable([1.0, -2.0])
    optimizer.build([weight])

    def after(gradient):
        (value,), _ = optimizer.stateless_apply(optimizer.variables, [gradient], [weight])
        return value

    gradient = jnp.asarray([0.3, 2e-7])  # the second is of the size of epsilon, so that its step depends on it
    wanted = jax.jacfwd(after)(gradient)
    assert float(np.abs(wanted).max()) > 1
    close(jax.jacrev(after)(gradient), wanted)
    close(jax.vmap(after)(jnp.stack([gradient, 2 * gradient])), jnp.stack([after(gradient), after(2 * gradient)]))
