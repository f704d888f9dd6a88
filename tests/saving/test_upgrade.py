"""Descriptions as Keras 1 and 2 wrote them."""

import json

import h5py
import numpy as np
import pytest

import lamina
from lamina.saving.migration.configs import upgrade, upgrade_compile
from tests.models import zoo

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's variables


def dense(name, units, **config):
    return {"class_name": "Dense", "config": {"name": name, "trainable": True, "units": units, **config}}


def node(*names, **kwargs):
    return [[[name, 0, 0, kwargs] for name in names]]


INPUT = {
    "class_name": "InputLayer",
    "name": "input_1",
    "config": {"batch_input_shape": [None, 6], "dtype": "float32", "sparse": False, "name": "input_1"},
    "inbound_nodes": [],
}
FUNCTIONAL = {
    "class_name": "Model",
    "keras_version": "2.2.4",
    "config": {
        "name": "model_1",
        "layers": [
            INPUT,
            {**dense("a", 4), "name": "a", "inbound_nodes": node("input_1")},
            {**dense("b", 4), "name": "b", "inbound_nodes": node("input_1")},
            {
                "class_name": "Add",
                "name": "sum",
                "config": {"name": "sum", "trainable": True},
                "inbound_nodes": node("a", "b"),
            },
            {
                "class_name": "Dropout",
                "name": "drop",
                "config": {"name": "drop", "trainable": True, "rate": 0.5, "noise_shape": None, "seed": None},
                "inbound_nodes": node("sum", training=True),
            },
        ],
        "input_layers": [["input_1", 0, 0]],
        "output_layers": [["drop", 0, 0]],
    },
}


def test_functional_of_keras_2():
    model = lamina.models.model_from_json(json.dumps(FUNCTIONAL))
    assert [layer.name for layer in model.layers] == ["input_1", "a", "b", "sum", "drop"]
    assert (model.name, model.input_shape, model.output_shape) == ("model_1", (None, 6), (None, 4))
    assert not isinstance(model.output, list)
    assert (np.asarray(model(np.ones((9, 6), "float32"))) == 0).any()  # training=True was said


def test_shared_layers_of_keras_2():
    config = json.loads(json.dumps(FUNCTIONAL))
    layers = config["config"]["layers"]
    layers[2]["inbound_nodes"] = [[["a", 0, 0, {}]], [["b", 0, 0, {}]]]
    layers[3]["inbound_nodes"] = [[["b", 0, 0, {}], ["b", 1, 0, {}]]]
    model = lamina.models.model_from_json(json.dumps(config))
    assert len(model.get_layer("b")._inbound_nodes) == 2 and model.count_params() == 28 + 20


@pytest.mark.parametrize("bare", [True, False])
def test_sequential_as_a_list_or_as_a_dict(bare):
    first = dense("a", 4, batch_input_shape=[None, 6], activation="relu")
    rows = [first, dense("b", 2)]
    config = {"class_name": "Sequential", "config": rows if bare else {"name": "old", "layers": rows}}
    model = lamina.models.model_from_json(json.dumps(config))
    assert model.input_shape == (None, 6) and model.count_params() == 28 + 10
    assert model.name == "old" or bare


def test_old_names_of_arguments():
    old = {"output_dim": 3, "init": "glorot_uniform", "W_regularizer": None}
    upgraded = upgrade({"class_name": "Dense", "config": old})
    assert upgraded["config"] == {"units": 3, "kernel_initializer": "glorot_uniform", "kernel_regularizer": None}


@pytest.mark.parametrize("name", list(zoo.MODELS))
def test_todays_configs_pass_unchanged(name):
    config = zoo.json_of(lamina.saving.serialize_keras_object(zoo.pair(name)[0]))
    assert upgrade(config) == config


def test_a_whole_file_of_keras_2(tmp_path):
    """As Keras 2.2 laid it out: layers by name, weight names with `:0`, an optimizer config, no build shapes."""
    random = np.random.default_rng(0)
    kernel, bias = random.normal(size=(6, 4)).astype("float32"), np.ones(4, "float32")
    rows = [dense("a", 4, batch_input_shape=[None, 6])]
    training = {
        "optimizer_config": {"class_name": "Adam", "config": {"lr": 0.5, "decay": 0.0, "beta_1": 0.8}},
        "loss": "mse", "metrics": ["mae"], "sample_weight_mode": None, "loss_weights": None,
    }  # fmt: skip
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file.attrs["keras_version"] = b"2.2.4"
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": rows}}).encode()
        file.attrs["training_config"] = json.dumps(training).encode()
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [b"a"]
        layer = group.create_group("a")
        layer.attrs["weight_names"] = [b"a/kernel:0", b"a/bias:0"]
        layer["a/kernel:0"], layer["a/bias:0"] = kernel, bias
    model = lamina.models.load_model(tmp_path / "old.h5")
    np.testing.assert_allclose(model(np.eye(6, dtype="float32")), kernel + bias, 1e-6)
    assert float(np.asarray(model.optimizer.learning_rate)) == 0.5 and model.optimizer.beta_1 == 0.8
    assert model.compiled and model.loss == "mse"


def wrapped(name, function):
    return {"class_name": "MeanMetricWrapper", "config": {"name": name, "dtype": "float32", "fn": function}}


def test_compile_settings_of_tf_keras():
    """Metrics are functions by long names that begin with the output's; an optimizer has settings that are gone."""
    config = {
        "loss": {"a": "mse", "b": {"class_name": "CategoricalCrossentropy", "config": {
            "reduction": "auto", "name": "categorical_crossentropy", "fn": "categorical_crossentropy"}}},
        "metrics": [[wrapped("a_mae", "mean_absolute_error"), wrapped("a_cos", "cosine_similarity")],
                    [wrapped("b_accuracy", "categorical_accuracy")]],
        "weighted_metrics": None, "loss_weights": {"a": 0.5, "b": 1.0}, "sample_weight_mode": None,
        "optimizer_config": {"class_name": "Custom>Adam", "config": {
            "name": "Adam", "weight_decay": None, "jit_compile": False, "is_legacy_optimizer": False,
            "learning_rate": 0.25, "beta_1": 0.9}},
    }  # fmt: skip
    x = lamina.Input((3,))
    model = lamina.Model(x, [lamina.layers.Dense(n, name=name)(x) for n, name in ((1, "a"), (2, "b"))])
    model.compile_from_config(upgrade_compile(config, "2.15.0", outputs=model.output_names))
    assert float(np.asarray(model.optimizer.learning_rate)) == 0.25
    targets = [np.ones((4, 1), "float32"), np.eye(2, dtype="float32")[[0, 1, 0, 1]]]
    outputs = model(np.ones((4, 3), "float32"))
    logs = model.evaluate(np.ones((4, 3), "float32"), targets, verbose=0, return_dict=True)
    assert sorted(logs) == ["a_cos", "a_loss", "a_mae", "b_accuracy", "b_loss", "loss"]
    np.testing.assert_allclose(logs["a_cos"], np.sign(np.asarray(outputs[0])).mean(), 1e-5)
