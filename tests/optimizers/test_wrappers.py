"""Optimizers that hold others: loss scaling, several at once, optax."""

import keras
import numpy as np
import optax
import pytest

import lamina
from lamina.errors import ConfigError

# The wheel turns its own variables into arrays in the way NumPy has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_loss_scale_moves_as_in_keras(pair):
    grads = pair.gradients(9)
    for step in (3, 4):
        grads[step][1][0] = np.inf

    def made(library):
        inner = library.optimizers.Adam(0.1, name="inner")
        return library.optimizers.LossScaleOptimizer(inner, initial_scale=64.0, dynamic_growth_steps=2, name="scaled")

    ours, theirs = made(lamina), made(keras)
    assert ours.get_config() == theirs.get_config()
    assert float(ours.scale_loss(1.0)) == 64
    paths = pair.assert_same(ours, theirs, pair.variables(lamina), pair.variables(keras), grads)
    assert paths[0] == paths[1]
    assert float(ours.scale_loss(1.0)) == float(ours.dynamic_scale) == float(theirs.dynamic_scale)
    assert int(ours.iterations) == 7
    ours.learning_rate = 0.5
    assert float(ours.inner_optimizer.learning_rate) == 0.5


def test_loss_scale_wants_arguments_on_the_inner_optimizer():
    with pytest.raises(ConfigError, match="clipnorm.*"):
        lamina.optimizers.LossScaleOptimizer(lamina.optimizers.SGD(), clipnorm=1.0)
    with pytest.raises(ConfigError, match="ema_momentum"):
        lamina.optimizers.LossScaleOptimizer(lamina.optimizers.SGD(), ema_momentum=0.5)
    lamina.optimizers.LossScaleOptimizer(lamina.optimizers.SGD(), ema_momentum=0.99)  # of old configs
    with pytest.raises(ConfigError, match="is an Optimizer that"):
        lamina.optimizers.LossScaleOptimizer("sgd")


def test_loss_scale_is_dynamic_or_nothing():
    assert lamina.optimizers.LossScaleOptimizer(lamina.optimizers.SGD(), dynamic=True).initial_scale == 2.0**15
    with pytest.raises(ConfigError, match="dynamic=False"):
        lamina.optimizers.LossScaleOptimizer(lamina.optimizers.SGD(), dynamic=False)


def test_multi_optimizer_moves_as_in_keras(pair):
    def made(library):
        optimizers = library.optimizers.OptimizerMap(library.optimizers.SGD(0.1, momentum=0.5, name="default"))
        optimizers["dense/.*"] = library.optimizers.Adam(0.1, name="dense", use_ema=True)
        return library.optimizers.MultiOptimizer(optimizers, loss_scale_factor=2.0, name="multi")

    ours, theirs = made(lamina), made(keras)
    assert ours.get_config() == theirs.get_config()
    our_variables, their_variables = pair.variables(lamina), pair.variables(keras)
    paths = pair.assert_same(ours, theirs, our_variables, their_variables, pair.gradients(4))
    assert paths[0] == paths[1]
    ours.finalize_variable_values(our_variables)
    theirs.finalize_variable_values(their_variables)
    for got, expected in zip(our_variables, their_variables, strict=True):
        np.testing.assert_allclose(got.numpy(), np.asarray(expected.value), 1e-6)
    assert [optimizer.loss_scale_factor for optimizer in ours.optimizers] == [2.0, 2.0]
    assert not hasattr(ours, "learning_rate")
    again = lamina.optimizers.MultiOptimizer.from_config(ours.get_config())
    assert again.get_config() == ours.get_config()


def test_multi_optimizer_asks_a_function_once_for_each_variable(pair):
    asked = []

    def choose(variable):
        asked.append(variable.path)
        return lamina.optimizers.SGD(1.0)

    optimizer, variables = lamina.optimizers.MultiOptimizer(choose), pair.variables(lamina)
    before = [v.numpy() for v in variables]
    grads = pair.gradients(1)[0]
    optimizer.apply(grads[:2], variables[:2])
    optimizer.apply(grads, variables)
    assert asked == [v.path for v in variables]
    np.testing.assert_allclose(variables[2].numpy(), before[2] - grads[2], 1e-6)
    np.testing.assert_allclose(variables[0].numpy(), before[0] - 2 * grads[0], 1e-5)


def test_optimizer_map_refuses_doubt():
    sgd = lamina.optimizers.SGD()
    optimizers = lamina.optimizers.OptimizerMap(sgd, {"a/.*": sgd, ".*/b": sgd})
    assert len(optimizers) == 2 and optimizers["c"] is sgd
    with pytest.raises(ConfigError, match="Several patterns"):
        optimizers["a/b"]
    with pytest.raises(ConfigError, match="not in the map yet"):
        optimizers["a/.*"] = sgd
    with pytest.raises(ConfigError, match="plain optimizers"):
        optimizers["d"] = lamina.optimizers.LossScaleOptimizer(sgd)


def test_optax_moves_as_optax_does(pair):
    chain = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(optax.exponential_decay(0.1, 2, 0.5)))
    optimizer, variables, grads = lamina.optimizers.get(chain), pair.variables(lamina), pair.gradients(5)
    values = [v.numpy() for v in variables]
    state = chain.init(values)
    for gradient in grads:
        changes, state = chain.update(gradient, state, values)
        values = optax.apply_updates(values, changes)
        optimizer.apply(gradient, variables)
    for variable, expected in zip(variables, values, strict=True):
        np.testing.assert_allclose(variable.numpy(), expected, 1e-5, 1e-7)
    assert "1_0_mu_0_dense_kernel" in [v.name for v in optimizer.variables]
    with pytest.raises(ConfigError, match="made of functions"):
        optimizer.get_config()


def test_optax_variables_freeze_and_come_later(pair):
    optimizer, variables = lamina.optimizers.get(optax.sgd(0.1, momentum=0.9)), pair.variables(lamina)
    grads = pair.gradients(1)[0]
    optimizer.apply(grads[:2], variables[:2])
    trace = [v for v in optimizer.variables if "trace" in v.name]
    optimizer.apply(grads[1:], variables[1:])
    np.testing.assert_allclose(trace[0].numpy(), grads[0], 1e-6)
    np.testing.assert_allclose(trace[1].numpy(), 1.9 * grads[1], 1e-6)
    assert len([v for v in optimizer.variables if "trace" in v.name]) == 3


def test_only_transformations_are_adapted():
    with pytest.raises(ConfigError, match="has init and update"):
        lamina.optimizers.OptaxOptimizer(len)
