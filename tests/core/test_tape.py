"""Tapes give the gradients of jax.grad, for ops, losses, layers, and gradients of gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lamina as keras
from lamina.core.recording import _compiled
from lamina.core.tape import Tape, TapeError

ops = keras.ops


def test_gradients_of_ops_are_those_of_jax():
    x = jnp.asarray([0.5, -1.0, 2.0])
    tape = Tape(persistent=True)
    with tape:
        tape.watch(x)
        y = ops.sum(ops.multiply(ops.sin(x), ops.exp(x)))
    np.testing.assert_allclose(tape.gradient(y, x), jax.grad(lambda x: jnp.sum(jnp.sin(x) * jnp.exp(x)))(x), 1e-6)
    twice = ops.multiply(x, 2)
    assert tape.gradient(y, twice) is None  # it was made outside
    np.testing.assert_allclose(tape.gradient([y, y], [x])[0], 2 * tape.gradient(y, x), 1e-6)
    np.testing.assert_allclose(tape.gradient(y, x, output_gradients=jnp.asarray(3.0)), 3 * tape.gradient(y, x), 1e-6)


@pytest.mark.parametrize("mode", ["plain", "mixed_float16"])
def test_gradients_of_a_model_are_those_of_its_stateless_call(mode):
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(3, 3, activation="relu", dtype="mixed_float16" if mode == "mixed_float16" else None),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dense(2, kernel_regularizer="l2"),
        ]
    )
    loss_of = keras.losses.MeanSquaredError()
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, 6, 6, 1)).astype("float32"), rng.normal(size=(4, 2)).astype("float32")
    values = [variable.value for variable in model.trainable_variables]
    others = [variable.value for variable in model.non_trainable_variables]

    def loss(values):
        outputs, _, losses = model.stateless_call(values, others, x, training=True, return_losses=True)
        return loss_of(y, outputs) + sum(losses)

    wanted = jax.grad(loss)(values)
    tape = Tape()
    with tape:
        total = loss_of(y, model(x, training=True))
        with tape.stop_recording():
            ignored = ops.sum(model.trainable_variables[0])
        (decay,) = model.losses
        total = ops.add(total, decay)
    found = tape.gradient(total, model.trainable_variables)
    assert ignored is not None
    tolerance = 1e-4 if mode == "plain" else 5e-3  # half precision, added up in another order by older releases of JAX
    for gradient, value in zip(found, wanted, strict=True):
        np.testing.assert_allclose(gradient, value, tolerance, tolerance / 10)
    changed = model.layers[1].moving_mean.numpy()
    assert np.abs(changed).max() > 0  # the call did what it does without a tape


def test_gradients_of_gradients_and_unconnected_ones():
    x, other = keras.Variable(2.0), keras.Variable(1.0)
    outer, inner = Tape(), Tape()
    with outer:
        with inner:
            y = ops.power(x, 3)
        slope = inner.gradient(y, x)
    assert float(slope) == 12.0
    assert float(outer.gradient(slope, x)) == 12.0
    tape = Tape(persistent=True)
    with tape:
        y = ops.multiply(x, 2)
    assert tape.gradient(y, other) is None
    assert float(tape.gradient(y, other, unconnected_gradients="zero")) == 0.0


def test_only_watched_variables_where_so_asked():
    x, other = keras.Variable(2.0), keras.Variable(3.0, trainable=False)
    tape = Tape(persistent=True, watch_accessed_variables=False)
    with tape:
        tape.watch(other)
        y = ops.multiply(x, other)
    assert tape.gradient(y, x) is None
    assert float(tape.gradient(y, other)) == 2.0
    assert tape.watched_variables() == (other,)
    with tape:
        tape.reset()
    assert tape.watched_variables() == ()


def test_jacobians():
    x = jnp.asarray([[1.0, 2.0], [3.0, 4.0]])
    tape = Tape(persistent=True)
    with tape:
        tape.watch(x)
        y = ops.softmax(x)
    np.testing.assert_allclose(tape.jacobian(y, x), jax.jacobian(jax.nn.softmax)(x), 1e-6, 1e-7)
    np.testing.assert_allclose(tape.batch_jacobian(y, x), jax.vmap(jax.jacobian(jax.nn.softmax))(x), 1e-6, 1e-7)


def test_a_tape_in_a_compiled_function():
    weight = keras.Variable([1.0, 2.0])

    @jax.jit
    def slope(x):
        tape = Tape()
        with tape:
            y = ops.sum(ops.multiply(weight, x))
        return tape.gradient(y, weight)

    np.testing.assert_allclose(slope(jnp.asarray([3.0, 4.0])), [3.0, 4.0])


def test_errors():
    x = keras.Variable(2.0)
    tape = Tape()
    with tape:
        y = ops.square(x)
    tape.gradient(y, x)
    with pytest.raises(TapeError, match="persistent=True"):
        tape.gradient(y, x)
    with pytest.warns(UserWarning, match="int32"):
        tape.watch(jnp.asarray(3))


def test_gradients_of_one_layer_are_compiled_once():
    layer = keras.layers.Dense(3)
    layer.build((None, 4))
    x = jnp.ones((2, 4))

    def step():
        tape = Tape()
        with tape:
            y = ops.sum(layer(x))
        return tape.gradient(y, layer.trainable_variables)

    step()
    step()
    before = len(_compiled)
    step()
    assert len(_compiled) == before


def test_layers_whose_call_a_program_replaces():
    """As packages for explanations do, to have gradients with respect to the outputs of a layer."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(2, use_bias=False)])
    x, layer = np.ones((5, 3), "float32"), model.layers[0]
    with Tape() as tape:
        model(x)  # recorded as a whole, before its call is replaced
    call, kept = layer.call, []

    def keeping(*args, **kwargs):
        kept.append(call(*args, **kwargs))
        tape.watch(kept[-1])
        return kept[-1]

    layer.call = keeping
    with Tape() as tape:
        outputs = model(x)
    gradient = tape.gradient(outputs, kept[-1])
    np.testing.assert_allclose(gradient, np.ones((5, 2)) @ np.asarray(model.layers[1].kernel).T, rtol=1e-5)
    layer.call = call
    with Tape() as tape:
        outputs = model(x)
    assert tape.gradient(outputs, model.layers[1].kernel).shape == (4, 2)
