"""Optimizers written for tf.keras up to 2.10 and for Keras 1 and 2, beside the rules of today."""

from abc import ABCMeta

import numpy as np
import pytest

import lamina as keras
from lamina import backend as K
from lamina.core.replay import Replay
from lamina.errors import ConfigError
from lamina.optimizers import legacy

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


class Adam2(keras.optimizers.Optimizer):
    """Adam by slots and hyperparameters, as in OptimizerV2."""

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, name="Adam2", **kwargs):
        super().__init__(name, **kwargs)
        self._set_hyper("learning_rate", kwargs.get("lr", learning_rate))
        self._set_hyper("beta_1", beta_1)
        self._set_hyper("beta_2", beta_2)

    def _create_slots(self, var_list):
        for name in ("m", "v"):
            for variable in var_list:
                self.add_slot(variable, name)

    def _prepare_local(self, var_device, var_dtype, apply_state):
        super()._prepare_local(var_device, var_dtype, apply_state)
        rate, step = apply_state[var_device, var_dtype]["lr_t"], K.cast(self.iterations + 1, var_dtype)
        first, second = (self._get_hyper(name, var_dtype) for name in ("beta_1", "beta_2"))
        rate = rate * K.sqrt(1 - K.pow(second, step)) / (1 - K.pow(first, step))
        apply_state[var_device, var_dtype].update(rate=rate, first=first, second=second)

    def _resource_apply_dense(self, grad, var, apply_state=None):
        state = (apply_state or {}).get(("cpu", var.dtype)) or self._fallback_apply_state("cpu", var.dtype)
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        m.assign(state["first"] * m + (1 - state["first"]) * grad)
        v.assign(state["second"] * v + (1 - state["second"]) * K.square(grad))
        var.assign_sub(state["rate"] * m / (K.sqrt(v) + 1e-7))

    def get_config(self):
        numbers = {name: self._serialize_hyperparameter(name) for name in ("learning_rate", "beta_1", "beta_2")}
        return {**super().get_config(), **numbers}


class Adam1(keras.optimizers.Optimizer):
    """Adam by `get_updates`, whose counter is read before it is raised."""

    def __init__(self, lr=0.001, **kwargs):
        super().__init__(**kwargs)
        self.iterations = K.variable(0, dtype="int64", name="iterations")
        self.lr = K.variable(lr, name="lr")

    def get_updates(self, loss, params):
        self.updates = [K.update_add(self.iterations, 1)]
        step = K.cast(self.iterations, K.floatx()) + 1
        rate = self.lr * K.sqrt(1 - K.pow(0.999, step)) / (1 - K.pow(0.9, step))
        moments = [K.zeros(K.int_shape(p)) for p in params]
        squares = [K.zeros(K.int_shape(p)) for p in params]
        self.weights = [self.iterations, *moments, *squares]
        for p, g, m, v in zip(params, self.get_gradients(loss, params), moments, squares, strict=True):
            new_m, new_v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * K.square(g)
            self.updates += [K.update(m, new_m), (v, new_v)]
            self.updates.append(K.update(p, p - rate * new_m / (K.sqrt(new_v) + 1e-7)))
        return self.updates

    def get_config(self):
        return {**super().get_config(), "lr": float(K.get_value(self.lr))}


class Around1(Adam1):
    """A wrapper, as Lookahead: the optimizer inside makes the updates, of a copy of the weights as they were."""

    def __init__(self, inner, **kwargs):
        keras.optimizers.Optimizer.__init__(self, 0.0)
        self._replay = Replay()
        self.inner = inner

    def get_updates(self, loss, params):
        before = [K.variable(K.get_value(p)) for p in params]
        updates = self.inner.get_updates(loss, params)
        self.before = before
        return updates

    def get_config(self):
        return {"inner": keras.optimizers.serialize(self.inner)}


class Doubled(keras.optimizers.SGD):
    def _resource_apply_dense(self, grad, var, apply_state=None):
        return super()._resource_apply_dense(2 * grad, var, apply_state)


def trained(optimizer, epochs=3):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(optimizer, "mse")
    model.fit(X, Y, epochs=epochs, batch_size=8, verbose=0, shuffle=False)
    return model


@pytest.mark.filterwarnings("ignore::lamina.legacy.OldSpelling")
@pytest.mark.parametrize(
    ("old", "today"),
    [
        (lambda: Adam2(0.05), lambda: keras.optimizers.Adam(0.05)),
        (lambda: Adam2(lr=0.05, clipnorm=0.1), lambda: keras.optimizers.Adam(0.05, clipnorm=0.1)),
        (lambda: Adam1(0.05, clipvalue=0.1), lambda: keras.optimizers.Adam(0.05, clipvalue=0.1)),
        (lambda: Doubled(0.05), lambda: keras.optimizers.SGD(0.1)),
        (lambda: Adam2(keras.optimizers.schedules.ExponentialDecay(0.05, 3, 0.5)),
         lambda: keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.05, 3, 0.5))),
    ],
)  # fmt: skip
def test_old_rules_train_like_those_of_today(old, today, tmp_path):
    ours, wanted = trained(old()), trained(today())
    np.testing.assert_allclose(ours.get_weights()[0], wanted.get_weights()[0], 1e-4)
    ours.save(tmp_path / "m.keras")
    cls = type(ours.optimizer)
    again = keras.models.load_model(tmp_path / "m.keras", custom_objects={cls.__name__: cls})
    for model in (ours, again):
        model.fit(X, Y, epochs=1, batch_size=8, verbose=0, shuffle=False)
    np.testing.assert_array_equal(ours.get_weights()[0], again.get_weights()[0])


@pytest.mark.filterwarnings("ignore::lamina.legacy.OldSpelling")
def test_hyperparameters_slots_and_counters_by_name():
    optimizer = trained(Adam2(0.05, beta_1=0.8), epochs=1).optimizer
    assert optimizer.beta_1 == 0.8 and optimizer.get_slot_names() == ["m", "v"]
    optimizer.beta_1 = 0.7
    assert optimizer._get_hyper("beta_1") == 0.7 == optimizer.get_config()["beta_1"]
    assert int(optimizer.iterations) == 4
    with pytest.raises(ConfigError, match=r"has no slot 'rho' for .*; it has \['m', 'v'\]"):
        optimizer.get_slot(next(iter(optimizer._slots)), "rho")
    optimizer = trained(Adam1(0.05), epochs=1).optimizer
    assert int(optimizer.iterations) == 4 and len(optimizer._replay.made) == 4
    K.set_value(optimizer.lr, 0.5)
    assert float(K.get_value(optimizer.learning_rate)) == 0.5


@pytest.mark.filterwarnings("ignore::lamina.legacy.OldSpelling")
def test_a_wrapper_of_an_old_rule():
    wrapper = Around1(Adam1(0.05))
    wrapped, wanted = trained(wrapper), trained(Adam1(0.05))
    np.testing.assert_array_equal(wrapped.get_weights()[0], wanted.get_weights()[0])
    assert [one.numpy().tolist() for one in wrapper.before] == [[[1.0]] * 3, [0.0]]


def test_classes_below_the_former_path():
    class Mine(legacy.SGD, metaclass=ABCMeta):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(2 * gradient, variable, learning_rate)

    assert Mine.__mro__[1] is keras.optimizers.SGD and isinstance(Mine(), legacy.SGD)
    np.testing.assert_allclose(
        trained(Mine(0.05)).get_weights()[0], trained(keras.optimizers.SGD(0.1)).get_weights()[0], 1e-6
    )


class Decaying:
    """A rule beside any optimizer, as packages for tf.keras wrote it."""

    def __init__(self, weight_decay, **kwargs):
        super().__init__(**kwargs)
        self._set_hyper("weight_decay", weight_decay)

    def apply_gradients(self, grads_and_vars, name=None, **kwargs):
        return super().apply_gradients(grads_and_vars, **kwargs)

    def _resource_apply_dense(self, grad, var, apply_state=None):
        var.assign_sub(self._get_hyper("weight_decay", var.dtype) * var)
        return super()._resource_apply_dense(grad, var, apply_state=apply_state)


class DecayingSGD(Decaying, keras.optimizers.SGD):
    def __init__(self, weight_decay, learning_rate=0.01):
        super().__init__(weight_decay, learning_rate=learning_rate)


def test_a_rule_from_a_base_beside_the_optimizer():
    assert DecayingSGD.__mro__[1] is Decaying and hasattr(DecayingSGD, "_set_hyper")
    variable = keras.Variable([2.0, 4.0])
    DecayingSGD(0.25, 0.5).apply_gradients([(np.array([1.0, 1.0], "float32"), variable)])
    np.testing.assert_allclose(variable, [2.0 * 0.75 - 0.5, 4.0 * 0.75 - 0.5])


class RuleOfItsOwn(keras.optimizers.Adam):
    """Adam of the library, whose rule is written again with its hyperparameters and slots by name."""

    def _resource_apply_dense(self, grad, var):
        step = K.cast(self.iterations + 1, var.dtype)
        first, second = (self._get_hyper(name, var.dtype) for name in ("beta_1", "beta_2"))
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        m.assign(first * m + (1 - first) * grad)
        v.assign(second * v + (1 - second) * K.square(grad))
        rate = self._decayed_lr(var.dtype) * K.sqrt(1 - K.pow(second, step)) / (1 - K.pow(first, step))
        var.assign_sub(rate * m / (K.sqrt(v) + 1e-7))


def test_a_class_that_writes_the_rule_of_adam_again():
    ours, theirs = trained(RuleOfItsOwn(0.05, beta_1=0.8)), trained(keras.optimizers.Adam(0.05, beta_1=0.8))
    np.testing.assert_allclose(ours.get_weights()[0], theirs.get_weights()[0], rtol=1e-5)
