"""Losses in nested structures and groups: the values and names of Keras, without a `fit`."""

from collections import namedtuple

import keras
import numpy as np
import pytest
from keras.src.trainers.compile_utils import CompileLoss as KerasCompileLoss
from keras.src.trainers.compile_utils import CompileMetrics as KerasCompileMetrics

from lamina import losses
from lamina.errors import ConfigError
from lamina.training.compile import CompileLoss, CompileMetrics
from lamina.training.outputs import OutputKeyError

Pair = namedtuple("Pair", ["first", "second"])
A, B, C = (np.random.default_rng(seed).random((4, 2)).astype("float32") for seed in range(3))


def distance(y_true, y_pred):
    return abs(y_true - y_pred)


def total(y_true, y_pred):
    """A loss of a whole structure."""
    keys = sorted(y_pred) if isinstance(y_pred, dict) else range(len(y_pred))
    return sum(abs(y_true[key] - y_pred[key]) for key in keys)


CASES = {
    "list and group": ([A, B], ["a", "b"], ["mse", ["mse", "mae"]], None),
    "group for a tuple": ((A, B), ["a", "b"], [total, ("mse", distance)], None),
    "weights of a group": ((A, B), ["a", "b"], [total, ("mse", distance)], [0.5, (2.0, 3.0)]),
    "group for a list": ([A, B], ["a", "b"], (total, ["mse", "mae"]), None),
    "group for a dict": ({"a": A, "b": B}, ["a", "b"], [total, {"a": "mse", "b": distance}], None),
    "group for a named tuple": (Pair(A, B), ["a", "b"], [total, Pair("mse", "mae")], None),
    "nothing for the first": ({"p": (A, B), "q": C}, ["a", "b", "c"], {"p": [total, (None, "mae")], "q": "mse"}, None),
    "one of nested": ({"p": {"x": A, "y": B}, "q": C}, ["a", "b", "c"], {"p": {"x": "mse"}, "q": distance}, None),
    "a structure at a place": ({"p": (A, B), "q": C}, ["a", "b", "c"], {"p": total}, None),
    "outputs without names": ([A, B], None, ["mse", distance], None),
    "a group without names": ([A, B], None, [["mse", "mae"], losses.Huber()], None),
    "nested without names": ({"p": (A, B), "q": C}, None, {"p": ("mse", "mae"), "q": "mse"}, None),
    "one for all nested": ({"p": (A, B), "q": C}, ["a", "b", "c"], "mse", None),
}


@pytest.mark.parametrize("case", CASES)
def test_structures_of_losses_give_keras_numbers(case):
    outputs, names, loss, weights = CASES[case]
    targets = keras.tree.map_structure(lambda x: x[::-1] * 2, outputs)
    theirs = KerasCompileLoss(loss, weights, output_names=names)
    ours = CompileLoss(loss, weights, output_names=names)
    np.testing.assert_allclose(ours(targets, outputs), theirs(targets, outputs), rtol=1e-5)
    assert {metric.name for metric in ours.metrics} == {metric.name for metric in theirs.metrics}
    again = {metric.name: float(metric.result()) for metric in theirs.metrics}
    for metric in ours.metrics:
        if case != "list and group":  # Keras reports the last loss of the group there
            np.testing.assert_allclose(metric.result(), again[metric.name], rtol=1e-5)


def test_a_group_is_reported_as_its_sum():
    ours = CompileLoss(["mse", ["mse", "mae"]], output_names=["a", "b"])
    value = float(ours([B, C], [A, A]))
    first, second = (float(metric.result()) for metric in ours.metrics)
    assert [metric.name for metric in ours.metrics] == ["a_loss", "b_loss"]
    np.testing.assert_allclose([first, first + second], [np.square(A - B).mean(), value], rtol=1e-5)
    assert list(ours.resolved()) == ["a", "b"]


def test_several_losses_of_one_output_are_added():  # Keras takes the first and says nothing
    value = CompileLoss(["mse", "mae"], [0.25, 2.0], output_names=["a"])(A, B)
    np.testing.assert_allclose(value, 0.25 * np.square(A - B).mean() + 2 * abs(A - B).mean(), rtol=1e-5)


def test_a_name_at_the_place_of_several_outputs_applies_to_each():
    ours = CompileLoss({"p": "mse", "q": losses.MeanAbsoluteError()}, output_names=["a", "b", "c"])
    value = float(ours({"p": (B, C), "q": A}, {"p": (A, A), "q": B}))
    expected = np.square(A - B).mean() + np.square(A - C).mean() + abs(A - B).mean()
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    assert [metric.name for metric in ours.metrics] == ["p/a_loss", "p/b_loss", "q_loss"]


def test_losses_that_fit_no_output_are_refused():
    with pytest.raises(OutputKeyError, match="can't be found in the model's output"):
        CompileLoss({"p": {"x": "mse"}, "q": "mse"})({"p": A, "q": B}, {"p": A, "q": B})
    with pytest.raises(ConfigError, match="must match the number of losses"):
        CompileLoss(["mse", "mae", "mse"])([A, B], [A, B])


def test_metrics_of_a_dict_of_outputs_come_in_the_order_of_the_model():
    outputs, found = {"a": A, "b": B}, []
    for cls in (CompileMetrics, KerasCompileMetrics):
        metrics = cls({"a": ["mae"], "b": ["mse"]}, None, output_names=["b", "a"])
        metrics.build(outputs, outputs)
        found.append(list(metrics.result()))
    assert found[0] == found[1] == ["b_mse", "a_mae"]
