"""`K.backend()` and `variable.value`, whose answers depend on the line that asks."""

import numpy as np
import pytest

import lamina as keras
from lamina import backend as K
from lamina.compat import callers
from lamina.core.variable import Variable


@pytest.fixture(autouse=True)
def answers(monkeypatch):
    monkeypatch.setattr(Variable, "value", Variable.value)
    monkeypatch.setattr(K, "backend", K.backend)
    callers.answer_callers(K)


def run(code):
    """Code outside of the `assert` of pytest, which takes expressions apart."""
    names = {"K": K, "keras": keras, "variable": keras.Variable([1.0, 2.0]), "np": np}
    for _ in range(3):  # a line that has run before is run in another way
        exec(compile(code, "program", "exec"), names)
    return names["found"]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("found = K.backend() == 'tensorflow'", True),
        ("found = K.backend() != 'tensorflow'", False),
        ("def of():\n    return K.backend() == 'tensorflow'\nfound = [of(), of()]", [True, True]),
        ("found = 1 if K.backend() == 'tensorflow' and K.backend() != 'theano' else 2", 1),
        ("found = K.backend()", "jax"),
        ("found = K.backend() == 'theano'", False),
        ("found = K.backend() == 'tensorflow' or K.backend() == 'jax'", True),
        ("found = [K.backend() == 'tensorflow', 'jax']", [False, "jax"]),
        ("name = K.backend()\nfound = name == 'tensorflow'", False),
    ],
)
def test_the_backend_is_tensorflow_where_a_line_wants_no_other(code, found):
    assert run(code) == found


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
