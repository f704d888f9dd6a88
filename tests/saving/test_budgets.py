"""What a number in a config may cost comes out of the budget of the file, for each class that is exported."""

import json
import math
import time

import pytest

import lamina
from lamina import layers, saving
from lamina.core import config_values, read_limits
from lamina.core.serialization import deserialize, serialize
from lamina.errors import ConfigError, LaminaError, UnsafeFileError
from lamina.facts.receptive_field import _Reach, _Unknown
from lamina.saving.safety.limits import reading
from tests import contract

FREE = config_values._NO_SIZES | config_values._ANY_NUMBER


def refusals(kinds, values):
    """(layer, argument, value) of each argument of these kinds whose value is not refused before it is used."""
    taken = []
    for name, cls in contract.LAYERS.items():
        described = json.loads(json.dumps(serialize(contract.make_layer(contract.example_of_layer(name)))))
        described.pop("build_config", None)
        for argument, words in config_values._kinds_of(cls).items():
            if not words & kinds or argument in FREE or argument not in described["config"]:
                continue
            for value in values:
                changed = {**described, "config": {**described["config"], argument: value}}
                try:
                    with reading("file", 0):
                        deserialize(changed)
                except (LaminaError, ValueError, TypeError):
                    continue
                taken.append((name, argument, value))
    return taken


@pytest.mark.filterwarnings("ignore")
def test_no_layer_is_made_with_a_size_that_the_file_does_not_explain():
    assert refusals({"int", "Size"}, [10**9, -(10**9), [10**9, 1], "text", {}, math.nan]) == []


@pytest.mark.filterwarnings("ignore")
def test_no_layer_is_made_with_a_number_of_another_kind():
    assert refusals({"float"}, [math.nan]) == []
    assert refusals({"bool"}, [10**9, {}, [1], 0.5]) == []


def test_sizes_that_the_arrays_of_a_file_explain_are_read():
    embedding = serialize(layers.Embedding(10**7, 1))
    refused = pytest.raises(UnsafeFileError, match="input_dim of Embedding is 10000000, but the file holds only 0.0")
    with refused, reading("file", 0):
        deserialize(embedding)
    with reading("file", 4 * 10**7):
        assert deserialize(embedding).input_dim == 10**7
    assert saving.deserialize_keras_object(embedding).input_dim == 10**7  # a config of the program


def test_arguments_of_earlier_versions_count_too():
    old = {
        "class_name": "Convolution2D",
        "config": {"nb_filter": 2, "nb_row": 3, "nb_col": 3, "subsample": [10**9] * 2},
    }
    with pytest.raises(LaminaError):
        saving.model_from_json(json.dumps({"class_name": "Sequential", "config": [old], "keras_version": "1.2.2"}))


def test_classes_of_the_program_take_what_they_like():
    class Wide(layers.Layer):
        def __init__(self, number: int = 1, **kwargs):
            super().__init__(**kwargs)
            self.number = number

    with saving.custom_object_scope({"Wide": Wide}), reading("file", 0):
        assert deserialize({"class_name": "Wide", "config": {"number": 10**12}}).number == 10**12


def test_python_code_that_nobody_counted_ends_when_the_seconds_are_used_up():
    start = time.thread_time()
    refused = pytest.raises(UnsafeFileError, match="more CPU time")
    with refused, read_limits.memory_budget(2**20, "it is small", seconds=0.1):
        while True:
            pass
    assert time.thread_time() - start < 5
    with read_limits.cpu_limit(lambda: 0.0, TimeoutError):
        pass  # what was over before the limit was looked at is not disturbed


def test_decompositions_count_as_work():
    with pytest.raises(UnsafeFileError, match="QR decomposition"), reading("file", 0):
        lamina.initializers.Orthogonal()((10_000, 10_000))


def test_receptive_fields_are_not_followed_through_absurd_strides():
    with pytest.raises(_Unknown):
        _Reach().transposed(3, 10**9, 0)
    x = lamina.Input((4, 4, 1))
    model = lamina.Model(x, layers.UpSampling2D(10**6)(layers.Conv2DTranspose(1, 3, strides=10**5)(x)))
    assert model.check() is not None and str(model.explain())


def test_configs_say_of_which_kind_a_value_is():
    with pytest.raises(ConfigError, match=r"rate of Dropout in the config is 'text'; it is a number"):
        deserialize({"class_name": "Dropout", "config": {"rate": "text"}})
    with pytest.raises(ConfigError, match="learning_rate of SGD in the config is nan"):
        deserialize({"module": "keras.optimizers", "class_name": "SGD", "config": {"learning_rate": math.nan}})


SGD, RELU = (
    {"module": "keras.optimizers", "class_name": "SGD", "config": {}},
    {"class_name": "function", "config": "relu"},
)


@pytest.mark.parametrize("described", [{}, SGD, RELU, {"class_name": "MeanSquaredError", "config": {}}])
def test_what_is_no_model_is_refused_as_one(described):
    with pytest.raises(LaminaError):
        saving.model_from_json(json.dumps(described))


DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2}}


@pytest.mark.parametrize(("kind", "argument", "value"), [
    ("layers.Dense", "kernel_initializer", DENSE), ("layers.Dense", "kernel_regularizer", {}),
    ("layers.Dense", "bias_constraint", DENSE), ("optimizers.SGD", "learning_rate", DENSE),
    ("optimizers.Adam", "beta_1", -1), ("optimizers.Adam", "learning_rate", 1e308), ("optimizers.SGD", "momentum", 5),
    ("layers.BatchNormalization", "momentum", -1), ("layers.BatchNormalization", "epsilon", -1),
])  # fmt: skip
def test_objects_of_another_family_and_numbers_out_of_range_are_refused(kind, argument, value):
    module, _, name = kind.partition(".")
    config = {"units": 2, argument: value} if name == "Dense" else {argument: value}
    with pytest.raises(ConfigError, match=argument):
        deserialize({"module": f"keras.{module}", "class_name": name, "config": config})


@pytest.mark.parametrize("function", [[1, 2], "no_such_function", 5, {}, None])
def test_a_lambda_has_a_function(function):
    with pytest.raises((LaminaError, TypeError)):
        deserialize({"module": "keras.layers", "class_name": "Lambda", "config": {"function": function}})
