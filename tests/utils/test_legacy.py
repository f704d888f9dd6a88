"""Configs as Keras 2 wrote them."""

import keras
import pytest

from lamina import activations, regularizers
from lamina.errors import ConfigError
from lamina.utils import legacy


def test_objects_and_functions():
    for name, arguments in (("L2", {"l2": 0.5}), ("L1L2", {"l1": 0.25, "l2": 0.5})):
        ours = legacy.serialize_keras_object(getattr(regularizers, name)(**arguments))
        assert ours == keras.utils.legacy.serialize_keras_object(getattr(keras.regularizers, name)(**arguments))
        back = legacy.deserialize_keras_object(ours, module_objects=vars(regularizers))
        assert back.get_config() == arguments
    assert legacy.serialize_keras_object(None) is None
    assert legacy.deserialize_keras_object(None) is None
    assert legacy.serialize_keras_object(activations.relu) == "relu"
    assert legacy.deserialize_keras_object("relu", module_objects=vars(activations)) is activations.relu
    assert legacy.deserialize_keras_object(activations.relu) is activations.relu
    assert isinstance(legacy.deserialize_keras_object("L2", vars(regularizers)), regularizers.L2)


def test_custom_names_come_first():
    mine = lambda x: x
    assert legacy.deserialize_keras_object("relu", vars(activations), {"relu": mine}) is mine


@pytest.mark.parametrize(
    "identifier, message",
    [("absent", "Unknown activation: 'absent'"), ({"config": {}}, "'class_name' and 'config'"), (3, "got 3")],
)
def test_refusals(identifier, message):
    with pytest.raises(ConfigError, match=message):
        legacy.deserialize_keras_object(identifier, {}, printable_module_name="activation")
    with pytest.raises(ConfigError, match="get_config"):
        legacy.serialize_keras_object(3)
