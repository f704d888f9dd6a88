"""The networks are those of Keras: layers, wiring, settings, weights, outputs; and they are built quickly."""

import json
import re
from pathlib import Path

import jax
import numpy as np
import pytest

import lamina as keras
from lamina import applications, initializers
from lamina.applications import frame
from lamina.errors import ConfigError, ShapeError
from tests.applications.make_facts import weight_calls
from tests.applications.networks import CALLS, OUTPUTS, images, key, random_weights, summarize

FACTS = json.loads(Path(__file__).with_name("facts.json").read_text())


@pytest.fixture(autouse=True)
def names_from_the_start():
    keras.utils.clear_session()


@pytest.fixture
def without_draws(monkeypatch):
    """Weights are zeros: only their shapes matter."""

    def zeros(self, shape, dtype=None):
        return jax.device_put(np.broadcast_to(np.float32(0), shape))

    monkeypatch.setattr(initializers.random_initializers.RandomInitializer, "__call__", zeros)


@pytest.mark.parametrize(("name", "kwargs"), CALLS, ids=[key(*call) for call in CALLS])
def test_network_is_that_of_keras(name, kwargs, without_draws):
    model = getattr(applications, name)(weights=None, **kwargs)
    assert summarize(model) == FACTS["networks"][key(name, kwargs)], "see make_facts.py for the first difference"


@pytest.mark.parametrize(("name", "kwargs"), OUTPUTS, ids=[name for name, _ in OUTPUTS])
def test_outputs_are_those_of_keras(name, kwargs, without_draws):
    model = getattr(applications, name)(weights=None, **kwargs)
    model.set_weights(random_weights(model))
    expected = np.array(FACTS["outputs"][key(name, kwargs)])
    assert np.abs(expected).max() > 0.1
    given = model.predict(images(kwargs["input_shape"]) / 127.5 - 1, verbose=0)
    np.testing.assert_allclose(given, expected, atol=1e-4, rtol=1e-4)


def test_building_compiles_nothing():
    compiled = []

    def note(event, duration, **_):
        if event == "/jax/core/compile/backend_compile_duration":
            compiled.append(duration)

    jax.monitoring.register_event_duration_secs_listener(note)
    try:
        applications.InceptionV3(weights=None)
        assert compiled == []
        jax.jit(lambda x: x * 3)(np.ones(7))  # the listener hears
        assert compiled
    finally:
        jax.monitoring.unregister_event_duration_listener(note)


@pytest.mark.parametrize("name", ["MobileNetV2", "ResNet50"])
def test_channels_first(name, without_draws):
    shape = getattr(applications, name)(weights=None, include_top=False, input_shape=(64, 96, 3)).output_shape
    keras.config.set_image_data_format("channels_first")
    try:
        model = getattr(applications, name)(weights=None, include_top=False, input_shape=(3, 64, 96))
    finally:
        keras.config.set_image_data_format("channels_last")
    assert model.output_shape == (None, shape[3], *shape[1:3])


def test_published_weights_are_asked_for_before_anything_is_built(monkeypatch):
    asked = []

    def fetch_remote(remote, name):
        asked.append([name, remote.url, remote.digest])
        raise ConnectionError

    monkeypatch.setattr(frame, "fetch_remote", fetch_remote)
    monkeypatch.setattr(frame, "_image_input", None)
    for name, kwargs in weight_calls():
        with pytest.raises(ConnectionError):
            getattr(applications, name)(weights="imagenet", **kwargs)
    assert asked == [row[1:] for row in FACTS["weights"]]


def test_offline_the_error_says_where_to_put_the_file(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("lamina.datasets.fetch.urlopen", _no_network)
    file = "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
    with pytest.raises(keras.errors.NetworkError, match=re.escape(str(tmp_path / "models" / file))):
        applications.InceptionV3(include_top=False)


def _no_network(*args, **kwargs):
    raise OSError("no network")


def test_input_tensor(without_draws):
    inputs = keras.Input((32, 32, 3))
    model = applications.MobileNetV2(
        input_tensor=keras.layers.Rescaling(2.0)(inputs), weights=None, include_top=False, pooling="avg", alpha=0.35
    )
    assert model.input == [inputs] and model.layers[1].name == "rescaling" and model.output_shape == (None, 1280)
    with pytest.raises(ConfigError, match="symbolic"):
        applications.VGG16(input_tensor=np.zeros((1, 32, 32, 3)), weights=None, include_top=False)


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"weights": "nowhere.h5"}, ConfigError, "no file 'nowhere.h5'"),
        ({"classes": 3}, ConfigError, "1000 classes; got classes=3"),
        ({"classifier_activation": "relu"}, ConfigError, "'softmax' or None"),
        ({"input_shape": (200, 200, 3)}, ShapeError, r"\(224, 224, 3\); got \(200, 200, 3\)"),
        ({"input_shape": (224, 224, 1), "include_top": False}, ShapeError, "3 channels"),
        ({"input_shape": (20, 224, 3), "weights": None}, ShapeError, "at least 32 rows and columns"),
        ({"input_shape": (None, None, 3), "weights": None}, ShapeError, "sizes of images must be known"),
        ({"input_shape": (224, 224), "weights": None}, ShapeError, "three sizes"),
        ({"pooling": "sum", "weights": None}, ConfigError, "pooling must be None, 'avg' or 'max'"),
    ],
)
def test_arguments_that_do_not_go_together(kwargs, error, message):
    with pytest.raises(error, match=message):
        applications.ResNet50(**kwargs)


def test_alpha_without_weights():
    for name in ("MobileNet", "MobileNetV2", "MobileNetV3Large"):
        with pytest.raises(ConfigError, match="for alpha"):
            getattr(applications, name)(alpha=0.9)


def test_unusual_channels_are_warned_of(without_draws):
    with pytest.warns(UserWarning, match="has 4"):
        applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 4))


@pytest.mark.parametrize("name", ["ConvNeXtTiny", "InceptionResNetV2"])
def test_config_comes_back(name, without_draws):
    """Also of the layers that only applications have."""
    model = getattr(applications, name)(weights=None, include_top=False, input_shape=(96, 96, 3))
    again = keras.models.model_from_json(model.to_json())
    assert [layer.get_config() for layer in again.layers] == [layer.get_config() for layer in model.layers]


@pytest.mark.filterwarnings("ignore::lamina.legacy.OldSpelling")  # published weights are in the legacy format
def test_a_file_without_a_published_hash_is_taken_as_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("lamina.datasets.fetch.urlopen", _no_network)
    arguments = {"input_shape": (96, 96, 3), "alpha": 0.35, "include_top": False}
    model = applications.MobileNetV2(weights=None, **arguments)
    (tmp_path / "models").mkdir()
    model.save_weights(tmp_path / "models" / "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96_no_top.h5")
    again = applications.MobileNetV2(**arguments)
    for kept, read in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, read)


def test_a_file_with_another_hash_is_not_loaded(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("lamina.datasets.fetch.urlopen", _no_network)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5").write_bytes(b"not the weights")
    with pytest.raises(keras.errors.NetworkError, match="has another hash"):
        applications.VGG16(include_top=False)
