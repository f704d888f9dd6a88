"""Attributes of Keras's layers with an underscore that packages lean on."""

import copy
import json
import pickle
import threading

import numpy as np
import pytest

import lamina as keras


class Chain(keras.layers.Layer):
    def __init__(self, layers=None, **kwargs):
        super().__init__(**kwargs)
        self._layers = layers or []

    def call(self, x, training=None):
        for layer in self._layers:
            assert not layer._call_has_mask_arg
            x = layer(x, training=training) if layer._call_has_training_arg else layer(x)
        return x


def test_layers_that_are_assigned_are_parts_in_their_order():
    dense = keras.layers.Dense(2)
    chain = Chain([dense, keras.layers.Dropout(0.5), dense])
    assert chain(np.ones((1, 2))).shape == (1, 2) and len(chain.weights) == 2 and len(chain._layers) == 3
    chain._layers.append(keras.layers.Dense(1))
    assert chain(np.ones((1, 2))).shape == (1, 1) and len(chain.weights) == 4
    assert chain._call_has_training_arg and not chain._call_has_mask_arg


def test_metrics_and_tracker():
    layer = keras.layers.Dense(1)
    assert layer._metrics == []
    layer._metrics = keras.metrics.Mean(name="a")
    layer._metrics.append(keras.metrics.Mean(name="b"))
    assert [metric.name for metric in layer._metrics] == [metric.name for metric in layer.metrics] == ["a", "b"]
    inner = layer._tracker.track(keras.layers.Dense(1))
    inner.build((None, 1))
    assert layer._tracker.track(inner) is inner and layer._layers == [inner] and len(layer.weights) == 2
    layer._tracker.untrack(inner)
    assert layer._layers == []


def test_a_plain_layer_is_cloned():
    layer = keras.layers.Dense(3, name="a")
    clone = keras.models.clone_model(layer)
    assert clone is not layer and clone.get_config() == layer.get_config()


class Locked(keras.layers.Layer):
    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.units, self.lock = units, threading.Lock()
        self.dense = keras.layers.Dense(units)

    def call(self, x):
        return self.dense(x)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_what_cannot_be_pickled_is_made_again_from_its_config(again, monkeypatch):
    monkeypatch.setitem(
        __import__("sys").modules, Locked.__module__, __import__("types").SimpleNamespace(Locked=Locked)
    )
    layer, x = Locked(name="a"), np.ones((1, 3))
    outputs = layer(x)
    assert np.array_equal(again(layer)(x), outputs) and again(layer).name == "a"


def test_words_that_packages_match_on():
    for family, kind in ((keras.losses, "loss"), (keras.metrics, "metric"), (keras.initializers, "initializer")):
        with pytest.raises(ValueError, match=f"Could not interpret {kind} identifier"):
            family.get("no_such")


@pytest.mark.parametrize(("name", "today"), [("OrthogonalInitializer", "Orthogonal"), ("STFTInitializer", "STFT")])
def test_other_names_of_classes(name, today):
    config = {"module": "keras.initializers", "class_name": name, "config": {}, "registered_name": name}
    assert type(keras.saving.deserialize_keras_object(config)).__name__ == today


@pytest.mark.parametrize("library", ["keras", "lamina"])
def test_short_names_of_classes_in_configs(library):
    module = keras if library == "lamina" else pytest.importorskip("keras")
    for family, name, kind in (
        ("initializers", "glorot_uniform", "GlorotUniform"), ("initializers", "one", "Ones"),
        ("regularizers", "l2", "L2"), ("constraints", "max_norm", "MaxNorm"),
    ):  # fmt: skip
        found = getattr(module, family).deserialize({"class_name": name, "config": {}})
        assert type(found).__name__ == kind


def test_names_of_classes_in_files_of_earlier_versions():
    dense = {
        "units": 2, "kernel_initializer": {"class_name": "uniform", "config": {}},
        "kernel_regularizer": {"class_name": "L1L2Regularizer", "config": {"l2": 0.1}},
    }  # fmt: skip
    layers = [("InputLayer", {"batch_input_shape": [None, 3, 2]}), ("UnifiedGRU", {"units": 4}), ("Dense", dense)]
    config = {"name": "s", "layers": [{"class_name": name, "config": settings} for name, settings in layers]}
    model = keras.models.model_from_json(
        json.dumps({"class_name": "Sequential", "config": config, "keras_version": "2.2.4-tf"})
    )
    gru, last = model.layers
    assert type(gru) is keras.layers.GRU and type(last.kernel_initializer).__name__ == "RandomUniform"
    assert float(last.kernel_regularizer.l2) == pytest.approx(0.1)


def test_variables_of_its_own():
    layer = keras.layers.BatchNormalization()
    layer.build((None, 2))
    assert [one.name for one in layer._trainable_variables] == ["gamma", "beta"]
    assert [one.name for one in layer._non_trainable_variables] == ["moving_mean", "moving_variance"]


class Listing(keras.layers.Layer):
    """A layer as Keras 1 had them: arrays by a call of an initializer, listed in place of `add_weight`."""

    def build(self, input_shape):
        self.W = keras.initializers.GlorotUniform(seed=1)((input_shape[-1], 2))
        self.b, self.steps = np.zeros(2, "float32"), np.ones(1, "float32")
        self.trainable_weights = [self.W, self.b]
        self.non_trainable_weights = [self.steps]

    def call(self, x):
        return keras.ops.matmul(x, self.W) + self.b * self.steps


@pytest.mark.filterwarnings("ignore:Layer")
def test_weights_that_a_layer_of_keras_1_lists(tmp_path):
    x = np.ones((4, 3), "float32")
    model = keras.Sequential([keras.Input((3,)), Listing(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    before = model.layers[0].get_weights()
    model.fit(x, np.ones((4, 1)), verbose=0)
    names = [one.path.split("/", 1)[1] for one in model.layers[0].trainable_weights]
    assert names == ["listing/W", "listing/b"] and len(model.layers[0].non_trainable_weights) == 1
    changed = [not np.allclose(a, b) for a, b in zip(before, model.layers[0].get_weights(), strict=True)]
    assert changed == [True, True, False]
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", custom_objects={"Listing": Listing})
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), 1e-6)


@pytest.mark.parametrize("library", ["keras", "lamina"])
def test_lists_of_weights_that_a_layer_sets(library):
    module = keras if library == "lamina" else pytest.importorskip("keras")

    class Own(module.layers.Layer):
        def build(self, input_shape):
            self.kernel = self.add_weight(shape=(input_shape[-1], 2), name="kernel", initializer="ones")
            self._trainable_weights = [self.kernel]

        def call(self, x):
            return x @ self.kernel

    layer = Own()
    assert np.allclose(layer(np.ones((1, 3))), 3) and len(layer.trainable_weights) == 1


@pytest.mark.parametrize("library", ["keras", "lamina"])
def test_what_a_built_layer_says_of_its_call(library):
    module = keras if library == "lamina" else pytest.importorskip("keras")
    layer = module.layers.LSTM(2)
    layer.build((None, 3, 4))
    assert [*layer._call_signature.parameters] == ["sequences", "initial_state", "mask", "training"]
    assert [tuple(shape) for shape in layer._build_shapes_dict.values()] == [(None, 3, 4)]
    grouped = module.layers.GroupQueryAttention(4, 6, 2)
    assert (grouped.num_repeats, grouped._inverse_sqrt_head_dim, grouped._flash_attention) == (3, 0.5, None)


@pytest.mark.parametrize("library", ["keras", "lamina"])
@pytest.mark.parametrize(("family", "name", "today", "config"), [
    ("layers", "MaxPool2D", "MaxPooling2D", {}), ("layers", "GlobalAvgPool1D", "GlobalAveragePooling1D", {}),
    ("layers", "Convolution2DTranspose", "Conv2DTranspose", {"filters": 2, "kernel_size": 3}),
    ("initializers", "he_normal", "HeNormal", {}), ("initializers", "zero", "Zeros", {}),
    ("regularizers", "l2", "L2", {}), ("constraints", "non_neg", "NonNeg", {}),
])  # fmt: skip
def test_public_names_of_classes_beside_their_own(library, family, name, today, config):
    module = keras if library == "lamina" else pytest.importorskip("keras")
    described = {"module": f"keras.{family}", "class_name": name, "config": config, "registered_name": None}
    found = getattr(module, family).deserialize(described)
    assert type(found).__name__ == today


@pytest.mark.parametrize(("name", "today"), [("CosineProximity", "CosineSimilarity"), ("HuberLoss", "Huber")])
def test_losses_of_early_versions_of_tf_keras(name, today):
    upgraded = keras.saving.deserialize_keras_object
    from lamina.saving.migration.configs import upgrade

    assert type(upgraded(upgrade({"class_name": name, "config": {}}, "2.1.6-tf"))).__name__ == today


@pytest.mark.parametrize("shape", [(2,), (3, 1), ()])
def test_a_number_as_an_initial_value_keeps_its_own_shape(shape):
    ours, theirs = (module.Variable(5.0, shape=shape) for module in (keras, pytest.importorskip("keras")))
    assert tuple(ours.shape) == tuple(theirs.shape) == () and float(ours.value) == float(theirs.value) == 5.0
    with pytest.raises(ValueError, match=r"shape \(3,\); \(2,\) was asked for"):
        keras.Variable(np.ones(3), shape=(2,))


@pytest.mark.parametrize("family", ["losses", "metrics", "optimizers", "initializers", "regularizers", "constraints"])
def test_a_config_of_an_unknown_class_is_named_in_the_words_of_keras(family):
    config = {"class_name": "Nope", "config": {}}
    words = []
    for module in (keras, pytest.importorskip("keras")):
        with pytest.raises(ValueError, match="Could not interpret") as error:
            getattr(module, family).get(config)
        words.append(str(error.value).split(" identifier")[0])
    assert words[0] == words[1]
    with pytest.raises(ValueError, match="Unknown name 'Nope'") as error:
        getattr(keras, family).get(config)
    assert "custom_objects={'Nope': Nope}" in error.value.fix
