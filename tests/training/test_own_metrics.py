"""Metrics and losses of one's own: rows that meet all rows, and losses without a gradient, are told."""

import warnings

import numpy as np
import pytest

import lamina as keras
from lamina import layers, ops

X, Y = np.random.default_rng(0).normal(size=(16, 3)), np.random.default_rng(1).normal(size=16)


def r2(y_true, y_pred):
    return 1 - ops.sum((y_true - y_pred) ** 2) / ops.sum((y_true - ops.mean(y_true)) ** 2)


def alike(y_true, y_pred):
    return r2(ops.reshape(y_true, ops.shape(y_pred)), y_pred)


class Error(keras.metrics.Metric):
    def __init__(self):
        super().__init__(name="error")
        self.total = self.add_weight(name="total", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign(ops.mean(ops.abs(y_true - y_pred)))

    def result(self):
        return self.total.value


def evaluated(metric, y=Y):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile(loss="mse", metrics=[metric])
    return model.evaluate(X, y, verbose=0)[1]


@pytest.mark.parametrize("metric", [r2, r2, Error()], ids=["function", "the same again", "class"])
def test_rows_that_meet_all_rows_are_told_once(metric):
    with pytest.warns(UserWarning, match=r"Arrays of \(N,\) and \(N, 1\) meet in the metric (r2|error)") as told:
        result = evaluated(metric)
    assert len(told) == 1
    outputs = X.sum(axis=1, keepdims=True)
    wrong = {"r2": 1 - ((Y - outputs) ** 2).sum() / ((Y - Y.mean()) ** 2).sum(), "error": np.abs(Y - outputs).mean()}
    assert result == pytest.approx(wrong["error" if isinstance(metric, Error) else "r2"], rel=1e-5)  # as in Keras


def test_metrics_that_bring_both_to_one_shape_are_not_told():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        right = evaluated(alike)
        assert evaluated(r2, Y[:, None]) == pytest.approx(right, rel=1e-5)
        evaluated("mae")


def of_rounded(y_true, y_pred):
    return ops.mean(ops.abs(y_true - ops.round(y_pred)))


def of_hits(y_true, y_pred):
    return 1 - ops.mean(ops.cast(ops.equal(y_true > 0, y_pred > 0), "float32"))


def fitted(loss):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile("sgd", loss)
    model.fit(X, Y, verbose=0)
    return model


@pytest.mark.parametrize("loss", [of_rounded, of_hits])
def test_a_loss_that_goes_by_steps_is_told_once(loss):
    with pytest.warns(UserWarning, match=f"The loss {loss.__name__} has no gradient") as told:
        model = fitted(loss)
    assert len(told) == 1
    found = [one.message for one in model.check(X, Y) if one.code == "LAM123"]
    assert found == [f"The loss {loss.__name__} of dense goes by steps: its gradient is 0 for all predictions."]


def test_losses_with_a_gradient_or_without_predictions_are_not_told():
    def weighted(y_true, y_pred):  # a comparison that only weighs
        return ops.mean(ops.abs(y_true - y_pred) * ops.cast(y_pred > 0, "float32"))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for loss in (weighted, lambda y_true, y_pred: ops.zeros_like(y_pred), lambda y_true, y_pred: y_pred * 0):
            fitted(loss)
