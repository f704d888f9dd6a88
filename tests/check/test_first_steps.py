"""What `fit` says of its first steps, and that this costs next to nothing."""

import time

import pytest

import lamina as keras
from lamina.check.first_steps import FirstSteps, watch_first_steps
from tests.check.probe_programs import CLASSES, QUANTITY, SGD, Adam, X, classifier, detached, layers, net, regression


@pytest.mark.parametrize(("make", "y", "code"), [
    (lambda: net((12,), layers.Dense(3, "softmax"), optimizer=Adam(5.0)), CLASSES, "LAM505"),
    (detached, CLASSES, "LAM506"),
    (lambda: regression(SGD(50.0)), 1e3 * QUANTITY, "LAM509"),
    (lambda: net((12,), layers.Dense(1), loss="mse", optimizer=SGD(2.0)), QUANTITY, "LAM526"),
    (classifier, CLASSES, None),
])  # fmt: skip
def test_fit_says(make, y, code, capsys):
    keras.utils.set_random_seed(0)
    make().fit(X, y, batch_size=16, epochs=2, verbose=2)
    said = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("LAM5")]
    assert (code in said and len(said) <= 2) if code else not said


def test_costs_a_few_milliseconds_for_a_million_weights():
    model = net((1000,), layers.Dense(1000, "relu"), layers.Dense(3, "softmax"))
    start = time.process_time()
    look = watch_first_steps(model, 1)
    assert isinstance(look, FirstSteps) and look.after({}, 16) is None
    assert time.process_time() - start < 0.03  # such a model compiles for a second
    assert watch_first_steps(model, 0) is None
