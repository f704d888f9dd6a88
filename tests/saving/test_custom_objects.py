"""Names that are not Keras's: registered, passed, in a scope, unknown, and bytecode."""

import json

import keras
import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.errors import ConfigError, UnsafeFileError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's variables
X = np.ones((2, 6), "float32")


class Scale(layers.Layer):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return x * self.factor


def twice(x):
    return 2 * x


def model_with(layer):
    return lamina.Sequential([lamina.Input((6,)), layer])


def test_passed_in_a_scope_or_registered(tmp_path):
    model = model_with(Scale(3.0))
    model.save(tmp_path / "m.keras")
    for read in (
        lambda: lamina.models.load_model(tmp_path / "m.keras", custom_objects={"Scale": Scale}),
        lambda: lamina.models.model_from_json(model.to_json(), custom_objects={"Scale": Scale}),
        lambda: lamina.Sequential.from_config(model.get_config(), custom_objects={"Scale": Scale}),
    ):
        np.testing.assert_array_equal(read()(X), 3 * X)
    with lamina.saving.custom_object_scope({"Scale": Scale}):
        assert isinstance(lamina.models.load_model(tmp_path / "m.keras").layers[0], Scale)
    with pytest.raises(ConfigError, match=r"Unknown name 'Scale'.*\n.*custom_objects=\{'Scale': Scale\}"):
        lamina.models.load_model(tmp_path / "m.keras")


def test_registered_objects(tmp_path):
    @lamina.saving.register_keras_serializable(package="mine")
    class Shift(layers.Layer):
        def call(self, x):
            return x + 1

    @lamina.saving.register_keras_serializable(package="mine", name="third")
    def cube(x):
        return x**3

    model = lamina.Sequential([lamina.Input((6,)), Shift(), layers.Dense(2, activation=cube)])
    model.save(tmp_path / "m.keras")
    read = lamina.models.load_model(tmp_path / "m.keras")
    assert isinstance(read.layers[0], Shift) and read.layers[1].activation is cube
    assert lamina.saving.get_registered_name(Shift) == "mine>Shift"
    assert lamina.saving.get_registered_object("mine>third") is cube
    described = lamina.saving.serialize_keras_object(model.layers[0])
    assert (described["module"], described["registered_name"]) == (None, "mine>Shift")


@pytest.mark.parametrize("library", [lamina, keras])
def test_functions_of_a_user_as_activation(library, tmp_path):
    dense = library.layers.Dense(2, activation=twice, bias_initializer="ones")
    model = library.Sequential([library.Input((6,)), dense])
    model.save(tmp_path / "m.keras")
    with pytest.raises(ConfigError, match="Unknown name 'twice'"):
        lamina.models.load_model(tmp_path / "m.keras")
    read = lamina.models.load_model(tmp_path / "m.keras", custom_objects={"twice": twice})
    np.testing.assert_allclose(read(X), np.asarray(model(X)), 1e-6)


def test_an_error_of_the_users_code_is_not_one_of_the_file(tmp_path):
    class Rows(layers.Dense):
        def build_from_config(self, config):
            self.build(config["rows"])

    lamina.Sequential([lamina.Input((3,)), Rows(2)]).save(tmp_path / "model.keras")
    with pytest.raises(KeyError, match="rows"):
        lamina.models.load_model(tmp_path / "model.keras", custom_objects={"Rows": Rows})


def test_the_nearest_name_is_named():
    config = {"module": "keras.layers", "class_name": "Densee", "config": {}, "registered_name": None}
    with pytest.raises(ConfigError, match="Did you mean 'Dense'"):
        lamina.saving.deserialize_keras_object(config)


@pytest.mark.parametrize(
    "config",
    [
        {"module": "os", "class_name": "system", "config": {"command": "true"}, "registered_name": None},
        {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "eval"},
        {"module": "lamina.core.bytecode", "class_name": "deserialize_lambda", "config": {}, "registered_name": None},
        {"module": "keras.utils", "class_name": "get_file", "config": {"origin": "http://x"}, "registered_name": None},
        {"module": "numpy", "class_name": "load", "config": {"file": "x"}, "registered_name": None},
    ],
)
def test_nothing_outside_of_the_tables_is_found(config):
    with pytest.raises(ConfigError, match="Unknown name"):
        lamina.saving.deserialize_keras_object(config, safe_mode=False)


def test_bytecode_is_read_only_when_the_caller_says_so(tmp_path):
    model = model_with(layers.Lambda(lambda x: x * 5))
    model.save(tmp_path / "m.keras")
    model.save(tmp_path / "m.h5")
    for path in ("m.keras", "m.h5"):
        for mode in ({}, {"safe_mode": True}, {"safe_mode": None}):
            with pytest.raises(UnsafeFileError, match="bytecode"):
                lamina.models.load_model(tmp_path / path, **mode)
        np.testing.assert_array_equal(lamina.models.load_model(tmp_path / path, safe_mode=False)(X), 5 * X)
    with pytest.raises(UnsafeFileError, match="bytecode"):
        lamina.models.model_from_json(model.to_json())
    with pytest.raises(UnsafeFileError, match="bytecode"):  # and the permission ends with the call
        lamina.models.load_model(tmp_path / "m.keras")


def test_a_file_cannot_ask_for_bytecode(tmp_path):
    """A safe_mode in a config is not the caller's."""
    described = json.loads(model_with(layers.Lambda(lambda x: x)).to_json())
    described["config"]["layers"][1]["config"]["safe_mode"] = False
    described["safe_mode"] = False
    with pytest.raises(UnsafeFileError, match="bytecode"):
        lamina.saving.deserialize_keras_object(described)


def test_what_cannot_be_written():
    with pytest.raises(ConfigError, match="cannot be written in a config"):
        lamina.saving.serialize_keras_object(object())

    class Needs(layers.Layer):
        def __init__(self, secret):
            super().__init__()

        def call(self, x):
            return x

    assert Needs(3).get_config()["secret"] == 3  # remembered as it was passed
    with pytest.raises(ConfigError, match=r"needs a get_config\(\) method"):
        lamina.saving.register_keras_serializable()(type("Plain", (), {}))


def test_special_values_both_ways():
    for value in (np.arange(3.0), b"bytes", slice(1, None, 2), Ellipsis, [1, "x"], {"a": None}, (1, (2,))):
        ours = lamina.saving.serialize_keras_object({"v": value})
        theirs = keras.saving.serialize_keras_object({"v": value})
        assert type(ours["v"]) is type(theirs["v"]) and repr(ours).count("(") == repr(theirs).count("(")
        for described in (ours, theirs):
            back = lamina.saving.deserialize_keras_object(json.loads(json.dumps(described)))["v"]
            assert type(back) is type(value) or isinstance(value, tuple)
            assert repr(back) == repr(json.loads(json.dumps(value)) if isinstance(value, tuple) else value)
        assert repr(keras.saving.deserialize_keras_object(json.loads(json.dumps(ours)))["v"]) == repr(back)


def test_a_class_of_the_users_does_not_become_one_of_lamina():
    config = {"module": None, "class_name": "Dense", "registered_name": "mine>Dense", "config": {"units": 1}}
    for module in (None, "keras.layers"):
        with pytest.raises(ConfigError, match=r"'mine>Dense', which is not registered"):
            lamina.saving.deserialize_keras_object({**config, "module": module})
    for name in (None, "Dense"):
        assert type(lamina.saving.deserialize_keras_object({**config, "registered_name": name})) is layers.Dense
