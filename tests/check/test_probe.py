"""The probe: silent on sound programs, right on programs that fail, and nothing changes. probe_programs.py has more."""

import pickle
import random

import numpy as np
import pytest

import lamina as keras
from lamina.check import check
from lamina.check.probe import take_probe
from lamina.check.subject import Subject
from lamina.core import context
from tests.check.probe_programs import CLASSES, FAULTY, QUANTITY, SOUND, SPARSE, X, classifier, layers, net, regression


@pytest.fixture(autouse=True)
def _without_hurry(monkeypatch):
    """As many steps as the probe wants, however slow the machine is."""
    monkeypatch.setattr("lamina.check.probe.SECONDS", 60.0)


@pytest.mark.parametrize("name", ["attention", "warm-up", "linear regression"])
def test_is_silent_on_sound_programs(name):
    keras.utils.set_random_seed(0)
    found = check(*SOUND[name](), probe=True)
    assert not found.of("error", "warning"), found.text


@pytest.mark.parametrize("name", [
    "rate far too high, sgd", "exploding depth", "dead by bias", "equality of probabilities",
])  # fmt: skip
def test_finds(name):
    keras.utils.set_random_seed(0)
    codes, make = FAULTY[name]
    found = check(*make(), probe=True)
    assert set(codes) & set(found.codes), found.text


def state_of(model):
    groups = (model.weights, model.optimizer.variables, model.metrics_variables)
    seeds = pickle.dumps(
        (np.random.get_state(), random.getstate(), [np.array(ref.read()) for ref in context.global_refs()])
    )
    return [*(np.array(variable) for group in groups for variable in group), np.frombuffer(seeds, "uint8")]


def test_nothing_changes():
    """Dropout, BatchNormalization, a trained optimizer; the next fit ends with the same bits as without a probe."""

    def trained(probed):
        keras.utils.set_random_seed(3)
        stack = [layers.Dense(8, "relu"), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(3, "softmax")]
        model = net((12,), *stack, loss=SPARSE, metrics=["accuracy"])
        model.fit(X[:64], CLASSES[:64], verbose=0)
        before, compiled = state_of(model), len(model.compilations())
        if probed:
            assert check(model, X, CLASSES, probe=True) is not None
            for old, new in zip(before, state_of(model), strict=True):
                np.testing.assert_array_equal(old, new)
            assert len(model.compilations()) == compiled
        model.fit(X[:64], CLASSES[:64], verbose=0)
        return model.get_weights()

    for plain, probed in zip(trained(False), trained(True), strict=True):
        np.testing.assert_array_equal(plain, probed)


def test_the_length_of_the_training_counts():
    keras.utils.set_random_seed(0)
    slow = keras.optimizers.SGD(1e-4)
    assert "LAM522" in check(regression(slow), X, QUANTITY, probe=True, epochs=2).codes
    assert "LAM522" not in check(regression(slow), X, QUANTITY, probe=True, epochs=10_000).codes


def test_a_step_of_its_own_and_an_optimizer_in_another():
    class Own(keras.Model):
        def train_step(self, data):
            return super().train_step(data) if isinstance(data, dict) else {"mine": keras.ops.mean(self(data[0])) * 0}

        def call(self, x):
            return x

    model = Own()
    model.compile("adam", "mse")
    found = take_probe(Subject(model, X, QUANTITY))
    assert found.error is None and len(found.along.losses) >= 20 and not found.runs
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(3.0))
    assert "LAM521" in check(classifier(scaled), X, CLASSES, probe=True).codes


class OwnStep(keras.Model):
    """A Dense layer, trained by a step of its own."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x):
        return self.dense(x)

    def train_step(self, state, data):
        return super().train_step(state, data)


@pytest.mark.parametrize(("rate", "wrong"), [(1e-6, True), (0.01, False)])
def test_rate_of_a_step_of_ones_own(rate, wrong):
    model = OwnStep()
    model.compile(keras.optimizers.Adam(rate), "mse")
    found = check(model, X[:64], X[:64].sum(1, keepdims=True), probe=True)
    assert ("LAM522" in found.codes) == wrong and bool(found.of("error", "warning")) == wrong, found.text
