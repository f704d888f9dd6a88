"""What the tables of the rules are written with: small models, and data for them."""

import numpy as np

import lamina as keras
from lamina import layers
from lamina.check import RULES, check
from lamina.check.findings import SEVERITIES

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(64, 4)).astype("float32")
SEQUENCES = DRAW.normal(size=(64, 6, 4)).astype("float32")
IMAGES = DRAW.random((64, 8, 8, 3), "float32")
YES_NO = DRAW.integers(0, 2, 64)
THREE = DRAW.integers(0, 3, 64)
ONE_HOT = np.eye(3, dtype="float32")[THREE]
QUANTITY = DRAW.normal(size=64).astype("float32")


def net(*stack, shape=(4,), loss=None, optimizer="sgd", metrics=None):
    """A Sequential of layers; compiled where a loss is given."""
    model = keras.Sequential([keras.Input(shape), *stack])
    if loss is not None:
        model.compile(optimizer, loss, metrics=metrics)
    return model


def head(units, activation=None, loss="mse", **kwargs):
    """A hidden layer and an output."""
    return net(layers.Dense(5, "relu"), layers.Dense(units, activation, name="head"), loss=loss, **kwargs)


def judge(code, wrong, make):
    """See that the rule finds `wrong` in what `make()` gives: a model, or (model, x, y) or (model, x, y, {...})."""
    given = make()
    model, x, y, fit = (*(given if isinstance(given, tuple) else (given,)), None, None, None)[:4]
    found = [finding for finding in check(model, x, y, **(fit or {})) if finding.code == code]
    assert bool(found) == wrong, check(model, x, y, **(fit or {})).text
    for finding in found:
        milder = SEVERITIES[SEVERITIES.index(RULES[code].severity) :]  # where a rule is not sure
        assert finding.severity in milder
        assert finding.message.endswith(".") and finding.fix and finding.why


def table(wrong, sound):
    """(code, wrong, maker) triples out of {code: [makers]} twice; each rule has two of each or more."""
    assert wrong.keys() == sound.keys()
    for code in wrong:
        assert len(wrong[code]) >= 2 and len(sound[code]) >= 2, code
    return [
        (code, bad, make) for bad, makers in ((True, wrong), (False, sound)) for code in makers for make in makers[code]
    ]


def named(case):
    """The name of a case, for pytest."""
    return f"{case[0]}-{'wrong' if case[1] else 'sound'}"
