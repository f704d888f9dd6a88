"""profile: the rows add up to the step, layers have forward and backward time, and nothing changes."""

import numpy as np
import pytest

import lamina as keras
from lamina import layers
from lamina.explanations.profiling import OTHERS, _attributed, _place_of


def test_rows_of_a_model():
    inner = keras.Sequential([keras.Input((16,)), layers.Dense(64, "relu", name="inner")], name="block")
    model = keras.Sequential([keras.Input((6, 4)), layers.LSTM(16, name="reader"), inner, layers.Dense(2, name="head")])
    model.compile("adam", "mse", metrics=["mae"])
    x, y = np.ones((64, 6, 4), "float32"), np.ones((64, 2), "float32")
    model.fit(x, y, verbose=0)
    before, compiled = [np.array(weight) for weight in model.weights], len(model.compilations())
    found = model.profile(x, y, batch_size=16)
    assert 0.3 < found.accounted < 3 and found.batch == 16  # other programs run beside tests
    names = [row.name for row in found.rows]
    assert {"reader", "inner", OTHERS[1]} <= set(names) and "block" not in names
    assert found["reader"].forward > 0 and found["reader"].backward > 0
    assert len(model.compilations()) == compiled
    for old, weight in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, weight)
    assert "reader" in repr(found) and found.as_dicts()[0]["share"] <= 1
    assert found["reader"].layer is model.layers[0] and found[OTHERS[2]].backward == 0


def test_operations_at_the_same_time_share_it():
    events = [(0, 4, "dot"), (2, 6, "add"), (8, 12, "while.1"), (9, 10, "mul"), (20, 30, "late")]
    assert _attributed(events, 0, 14) == {"dot": 3, "add": 3, None: 2, "while.1": 5, "mul": 1}


@pytest.mark.parametrize(("scope", "place"), [
    ("jit(lamina_profile)/jvp(lamina_0_)/lamina_1_/transpose", ("b", False)),
    ("jit(lamina_profile)/transpose(jvp(lamina_0_))/dot_general", ("a", True)),
    ("jit(lamina_profile)/transpose(jvp())/mul", (OTHERS[0], True)),
    ("jit(lamina_profile)/mul", (OTHERS[1], False)),
])  # fmt: skip
def test_where_an_operation_belongs(scope, place):
    assert _place_of(scope, ["a", "b"]) == place
