"""What Keras takes behind *args and **kwargs: the names it documents, and an error that names any other."""

import numpy as np
import pytest

import lamina as keras
from lamina.core.keywords import keywords
from lamina.errors import ConfigError
from lamina.legacy import OldSpelling


def test_keywords():
    assert keywords("f", {"b": 2}, a=1, b=3) == [1, 2]
    with pytest.raises(ConfigError, match="f has no arguments 'c', 'd'"):
        keywords("f", {"c": 1, "d": 2}, a=1)


@pytest.mark.parametrize(
    "call",
    [
        lambda model: keras.Layer("name"),
        lambda model: keras.Layer(wrong=1),
        lambda model: keras.Operation("name", "name"),
        lambda model: keras.Operation(wrong=1),
        lambda model: keras.Sequential([], True, "name", "wrong"),
        lambda model: keras.Sequential(wrong=1),
        lambda model: keras.Variable(1.0, wrong=1),
        lambda model: keras.ops.layer_normalization(np.ones(3), wrong=1),
        lambda model: model.save("model.keras", wrong=1),
        lambda model: keras.saving.save_weights(model, "model.weights.h5", wrong=1),
        lambda model: model.load_weights("model.weights.h5", wrong=1),
        lambda model: keras.saving.deserialize_keras_object({}, wrong=1),
    ],
)
def test_an_argument_that_is_not_there_is_named(call):
    with pytest.raises(ConfigError, match=r"'wrong'|by name; got 'name'"):
        call(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))


def test_what_is_documented_is_taken(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with pytest.warns(OldSpelling, match="save_format"):
        model.save(tmp_path / "model.keras", include_optimizer=False, save_format="keras")
    assert keras.Operation("conv").name == "conv"
    assert keras.ops.layer_normalization(np.ones((2, 3)), rms_scaling=True).shape == (2, 3)
    assert keras.saving.deserialize_keras_object("f", module_objects={"f": len}) is len
    assert keras.saving.deserialize_keras_object("d", module_objects={"d": dict}, printable_module_name="things") == {}
    assert keras.saving.deserialize_keras_object("d", custom_objects={"d": dict}) is dict
    config = {"class_name": "function", "config": "f", "module": None, "registered_name": None}
    assert keras.saving.deserialize_keras_object(config, module_objects={"f": len}) is len
