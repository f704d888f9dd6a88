"""keras.ops.grad, value_and_grad and jacobian: beside jax's own, and with variables and what is assigned to them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lamina as keras
from lamina import ops
from lamina.errors import CallError, ShapeError

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.2, -0.3]], "float32")


def test_arrays_as_jax_has_them():
    def function(x, y):
        return ops.sum(ops.sin(x["a"]) * y), y + 1

    args = ({"a": X}, X[0])
    (value, aux), gradients = ops.value_and_grad(function, argnums=(0, 1), has_aux=True)(*args)
    (wanted, more), expected = jax.value_and_grad(function, argnums=(0, 1), has_aux=True)(*args)
    jax.tree.map(np.testing.assert_array_equal, (value, aux, gradients), (wanted, more, expected))
    gradient, aux = ops.grad(function, 1, has_aux=True)(*args)
    np.testing.assert_array_equal(gradient, expected[1])
    derivatives = ops.jacobian(lambda x, y: {"p": x["a"] @ y, "q": [y**2]}, argnums=(0, 1))(*args)
    jax.tree.map(
        np.testing.assert_array_equal, derivatives,
        jax.jacrev(lambda x, y: {"p": x["a"] @ y, "q": [y**2]}, argnums=(0, 1))(*args),
    )  # fmt: skip
    assert float(ops.grad(ops.grad(ops.grad(lambda x: x**4)))(2.0)) == 48.0
    assert ops.jacobian(lambda x: x * 2)(np.float32(1)).shape == ()


def test_a_step_of_a_model_with_moving_averages():
    model = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dense(2)])
    moving = model.layers[0].moving_mean
    before = moving.numpy()

    def loss(weights):
        assert weights is not model and weights[0] is model.trainable_variables[0]
        return ops.mean(model(X, training=True) ** 2)

    value, gradients = ops.value_and_grad(loss)(model.trainable_variables)
    assert [g.shape for g in gradients] == [v.shape for v in model.trainable_variables]
    assert not np.allclose(moving.numpy(), before)
    np.testing.assert_allclose(moving.numpy(), 0.99 * before + 0.01 * X.mean(0), rtol=1e-5)
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.apply(gradients, model.trainable_variables)
    assert float(loss(model.trainable_variables)) < float(value)

    @jax.jit
    def numeric(kernel):
        weights = [v.value for v in model.trainable_variables]
        return jnp.mean(
            model.stateless_call(
                [*weights[:2], kernel, weights[3]],
                [moving.value, model.layers[0].moving_variance.value],
                X,
                training=True,
            )[0]
            ** 2
        )

    kernel = model.layers[1].kernel.value
    gradient = ops.grad(loss)(model.trainable_variables)[2]
    np.testing.assert_allclose(gradient, jax.grad(numeric)(kernel), rtol=1e-5, atol=1e-6)


def test_assignments_and_compiled_functions():
    weight, calls = keras.Variable(2.0), keras.Variable(0, dtype="int32", trainable=False)

    def function(w):
        calls.assign_add(1)
        return w * w * 3

    assert float(ops.grad(function)(weight)) == 12.0 and int(calls.value) == 1 and float(weight.value) == 2.0
    assert float(ops.grad(lambda w: ops.grad(function)(w))(weight)) == 6.0 and int(calls.value) == 2
    assert ops.jacobian(lambda w: ops.stack([w, w * 2]))(weight).tolist() == [1.0, 2.0]
    assert float(jax.jit(lambda x: ops.grad(lambda w: w * x)(weight))(5.0)) == 5.0


def test_what_has_no_gradient():
    with pytest.raises(ShapeError, match="of one number"):
        ops.grad(lambda x: x * 2)(X)
    with pytest.raises(CallError, match="by floating-point numbers; got int32"):
        ops.value_and_grad(ops.sum)(np.arange(3, dtype="int32"))
