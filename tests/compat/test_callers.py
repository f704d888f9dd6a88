"""`variable.value`, whose answer depends on the line that asks."""

import numpy as np
import pytest

import lamina as keras
from lamina.compat import callers
from lamina.core.variable import Variable


@pytest.fixture(autouse=True)
def answers(monkeypatch):
    monkeypatch.setattr(Variable, "value", Variable.value)
    callers.answer_callers()


def run(code):
    """Code outside of the `assert` of pytest, which takes expressions apart."""
    names = {"keras": keras, "variable": keras.Variable([1.0, 2.0]), "np": np}
    for _ in range(3):  # a line that has run before is run in another way
        exec(compile(code, "program", "exec"), names)
    return names["found"]


@pytest.mark.parametrize(
    "code",
    [
        "found = variable.value().sum()",
        "found = variable.value.sum()",
        "def of(variable):\n    return variable.value() + variable.value\nfound = of(variable).sum() / 2",
        "found = getattr(variable, 'value').sum()",
        "found = sum(one.value()[0] for one in [variable]) + variable.value()[1]",
        "read = variable.value\nfound = read.sum() + callable(read)",
        "found = np.asarray(variable.value()).sum(axis=0)",
    ],
)
def test_values_are_arrays_and_methods(code):
    assert float(run(code)) == 3.0


def test_weights_of_layers():
    layer = keras.layers.Dense(1, kernel_initializer="ones")
    layer.build((None, 2))
    kernel = layer.kernel.value()
    assert np.asarray(kernel).tolist() == [[1.0], [1.0]] and layer(np.ones((1, 2))).tolist() == [[2.0]]
