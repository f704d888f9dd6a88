"""Which heads a model has, in each way of writing outputs, losses and data."""

import numpy as np
import pandas as pd
import pytest

import lamina as keras
from lamina import layers
from lamina.check import check
from tests.check.cases import THREE, X, head, net

SPARSE = "sparse_categorical_crossentropy"
PRICE = X[:, 0]


def parts():
    inputs = keras.Input((4,))
    return inputs, layers.Dense(3, "sigmoid", name="kind")(inputs), layers.Dense(1, name="price")(inputs)


class ByName(keras.Model):
    def __init__(self):
        super().__init__()
        self.kind, self.price = layers.Dense(3, "sigmoid", name="kind"), layers.Dense(1, name="price")

    def call(self, x):
        return {"z": self.kind(x), "a": self.price(x)}


def as_list():
    inputs, kind, price = parts()
    return keras.Model(inputs, [kind, price]), [SPARSE, "mse"], [THREE, PRICE]


def as_list_with_names():
    inputs, kind, price = parts()
    return keras.Model(inputs, [kind, price]), {"price": "mse", "kind": SPARSE}, [THREE, PRICE]


def as_dict():
    inputs, kind, price = parts()
    return keras.Model(inputs, {"z": kind, "a": price}), {"z": SPARSE, "a": "mse"}, {"z": THREE, "a": PRICE}


def subclassed():
    return ByName(), {"z": SPARSE, "a": "mse"}, {"z": THREE, "a": PRICE}


def nested():
    inputs = keras.Input((4,))
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, "sigmoid", name="kind")])
    return keras.Model(inputs, inner(inputs)), SPARSE, THREE


@pytest.mark.parametrize("make", [as_list, as_list_with_names, as_dict, subclassed, nested])
def test_finds_the_head(make):
    model, loss, y = make()
    model.compile("sgd", loss)
    assert [(one.code, one.layer) for one in check(model, X, y)] == [("LAM101", "kind")]


@pytest.mark.parametrize("data", [
    lambda: (X.tolist(), (THREE + 1).tolist()),
    lambda: (pd.DataFrame(X), pd.Series(THREE + 1)),
    lambda: (((X[:8], THREE[:8] + 3) for _ in range(2)),),
    lambda: ({"rows": X}, THREE + 1),
], ids=["lists", "pandas", "generator", "dict"])  # fmt: skip
def test_takes_data_as_fit_does(data):
    model = keras.Sequential([keras.Input((4,), name="rows"), layers.Dense(3, "softmax")])
    model.compile("sgd", SPARSE)
    assert check(model, *data()).codes == ["LAM106"]


def test_a_step_of_the_users_own_is_not_judged():
    class Mine(keras.Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return keras.ops.mean((y - y_pred) ** 2)

    model = Mine([keras.Input((4,)), layers.Dense(3, "sigmoid")])
    model.compile("sgd", SPARSE)
    assert not check(model).codes


def test_ignore_and_forms():
    model = head(3, "sigmoid", SPARSE)
    assert not len(check(model, ignore=("LAM101",)))
    findings = check(model)
    assert findings[0].value == 3 and findings.as_dicts()[0]["code"] == "LAM101"
    assert "LAM101 error in head:" in findings.text and "More: lamina explain LAM101" in findings.text
    assert "#lamina-LAM101" in findings.html() and "<h3>Corrected</h3>" in findings.html()
    assert findings.of("error") == list(findings) and not findings.of("warning")
    assert model.check().codes == ["LAM101"]


def test_the_gravest_comes_first():
    model = net(layers.Dense(8), layers.BatchNormalization(), layers.Dense(3, "sigmoid"), layers.Flatten(), loss=SPARSE)
    assert check(model).codes == ["LAM101", "LAM204", "LAM208"]


def test_changes_nothing():
    model = net(layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(3, "softmax"), loss=SPARSE)
    before = [variable.numpy() for variable in model.variables]
    check(model, X, THREE)
    for variable, old in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), old)
