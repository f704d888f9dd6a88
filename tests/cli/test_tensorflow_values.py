"""Functions of tf.* against the numbers that TensorFlow 2.21 gave for the same expressions (the first 40 of each)."""

import json
import pathlib
import types

import numpy as np
import pytest

from lamina.compat.tensorflow import NAMESPACES

VALUES = json.loads((pathlib.Path(__file__).parent / "tensorflow_values.json").read_text())
rng = np.random.default_rng(0)
GIVEN = {"x": rng.normal(size=(2, 3)).astype("float32"), "y": rng.normal(size=(2, 3)).astype("float32")}
GIVEN |= {"p": np.abs(GIVEN["x"]) + 0.1, "b": GIVEN["x"] > 0, "img": rng.uniform(0, 1, (2, 4, 6, 3)).astype("float32")}
GIVEN |= {"u8": (GIVEN["img"] * 255).astype("uint8"), "i": np.array([[1, 5, 3], [2, 9, 4]]), "lab": np.array([0, 2])}
GIVEN["k"] = rng.normal(size=(3, 3, 3, 2)).astype("float32")


def namespace(name):
    """A module of the table, with those inside it."""
    inside = {key.rpartition(".")[2]: namespace(key) for key in NAMESPACES if key.rpartition(".")[0] == name}
    return types.SimpleNamespace(**{**NAMESPACES[name], **inside})


TF = namespace("tensorflow")
GROUPS = ["tf.image.", "tf.linalg.", "tf.math.", "tf.nn.", "tf."]


def group_of(expression):
    return next(group for group in GROUPS if expression.startswith(group))


@pytest.mark.parametrize("group", GROUPS)
def test_numbers_are_those_of_tensorflow(group):
    wrong = []
    for expression, (shape, expected) in VALUES.items():
        if group_of(expression) != group:
            continue
        value = eval(expression, {"tf": TF, **GIVEN})
        array = np.asarray(value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value)
        numbers = array.astype("float64").ravel()[:40]
        same = list(array.shape) == shape and np.allclose(
            numbers, np.array(expected, float), 1e-4, 2e-5, equal_nan=True
        )
        wrong += [] if same else [f"{expression}: {expected[:4]}, got {numbers[:4]}, {array.shape}"]
    assert not wrong, "\n".join(wrong)


def test_there_are_many():
    assert len(VALUES) > 290
