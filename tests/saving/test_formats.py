"""Files of models and weights, both ways between lamina and Keras."""

import io
import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

import lamina
from lamina.saving.safety.hdf5 import array_at, open_hdf5
from tests.models import zoo

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's variables
    pytest.mark.filterwarnings("ignore::lamina.legacy.OldSpelling"),
]
NAMES = list(zoo.MODELS)
KERAS_CANNOT_READ = ("arithmetic",)  # an Ellipsis in a legacy file: Keras cannot read its own either
X = np.random.default_rng(6).normal(size=(12, 6)).astype("float32")
Y = np.random.default_rng(7).integers(0, 3, 12)


def assert_weights(model, expected):
    for got, wanted in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("name", NAMES)
def test_keras_reads_our_archives_and_we_read_theirs(name, tmp_path):
    ours, theirs = zoo.pair(name)
    ours.save(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.keras")
    assert_weights(keras.models.load_model(tmp_path / "ours.keras"), theirs)
    again = lamina.models.load_model(tmp_path / "ours.keras")
    assert again.to_json() == ours.to_json()
    assert_weights(again, ours)
    zoo.assert_outputs(lamina.models.load_model(tmp_path / "theirs.keras"), name)


@pytest.mark.parametrize("name", ["sequential_in_sequential", "dict_in_dict_out", "text", "arithmetic"])
def test_keras_computes_the_same_from_our_archive(name, tmp_path):
    zoo.pair(name)[0].save(tmp_path / "ours.keras")
    zoo.assert_outputs(keras.models.load_model(tmp_path / "ours.keras"), name)


@pytest.mark.parametrize("name", NAMES)
def test_weight_files(name, tmp_path):
    ours, theirs = zoo.pair(name)
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    assert members(tmp_path / "ours.weights.h5") == members(tmp_path / "theirs.weights.h5")
    mine, other = (zoo.MODELS[name][0](library) for library in (lamina, keras))
    mine.load_weights(tmp_path / "theirs.weights.h5")
    assert_weights(mine, ours)
    other.load_weights(tmp_path / "ours.weights.h5")
    assert_weights(other, theirs)


def members(path):
    """path of each array in a file -> (shape, type)."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = (item.shape, item.dtype)

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_legacy_files(name, tmp_path):
    ours, theirs = zoo.pair(name)
    ours.save(tmp_path / "ours.h5")
    theirs.save(tmp_path / "theirs.h5")
    if name not in KERAS_CANNOT_READ:
        assert_weights(keras.models.load_model(tmp_path / "ours.h5"), theirs)
    for path in ("ours.h5", "theirs.h5"):
        read = lamina.models.load_model(tmp_path / path)
        assert_weights(read, ours)
        assert read.output_shape == ours.output_shape
    assert layer_names(tmp_path / "ours.h5") == layer_names(tmp_path / "theirs.h5")


def layer_names(path):
    with h5py.File(path) as file:
        names = file["model_weights"].attrs["layer_names"]
    return [name.decode() if isinstance(name, bytes) else name for name in names]


def test_legacy_weights_alone(tmp_path):
    ours, theirs = zoo.pair("resnet")
    ours.save_weights(tmp_path / "ours.h5")
    with h5py.File(tmp_path / "theirs.h5", "w") as file:
        keras.src.legacy.saving.legacy_h5_format.save_weights_to_hdf5_group(file, theirs)
    mine, other = (zoo.MODELS["resnet"][0](library) for library in (lamina, keras))
    for model in (mine, other):
        model.set_weights([w * 0 for w in model.get_weights()])
    mine.load_weights(tmp_path / "theirs.h5")
    assert_weights(mine, ours)
    other.load_weights(tmp_path / "ours.h5")
    assert_weights(other, theirs)


COMPILED = {
    "names": lambda K: dict(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"]),
    "objects": lambda K: dict(
        optimizer=K.optimizers.SGD(K.optimizers.schedules.ExponentialDecay(0.1, 2, 0.9), momentum=0.9, clipnorm=1.0),
        loss=K.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[K.metrics.SparseTopKCategoricalAccuracy(k=2)],
    ),
}


def trained(library, settings):
    zoo.fresh(library)
    L = library.layers
    layers = [L.Dense(5, activation="tanh"), L.BatchNormalization(), L.Dense(3, "softmax")]
    model = library.Sequential([library.Input((6,)), *layers])
    model.set_weights([np.full(w.shape, 0.1, "float32") * (1 + i) for i, w in enumerate(model.get_weights())])
    model.compile(**COMPILED[settings](library))
    model.fit(X, Y, batch_size=6, epochs=2, shuffle=False, verbose=0)
    return model


@pytest.mark.filterwarnings("ignore:LAM103")  # softmax and from_logits: the file has both
@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.parametrize("settings", list(COMPILED))
def test_training_goes_on_from_the_file_of_the_other(settings, ending, tmp_path):
    ours, theirs = trained(lamina, settings), trained(keras, settings)
    ours.save(tmp_path / f"ours.{ending}")
    theirs.save(tmp_path / f"theirs.{ending}")
    mine = lamina.models.load_model(tmp_path / f"theirs.{ending}")
    other = keras.models.load_model(tmp_path / f"ours.{ending}")
    again = lamina.models.load_model(tmp_path / f"ours.{ending}")
    step = ours.train_on_batch(X, Y)
    for model in (mine, again, other) if ending == "keras" else (mine, again):  # Keras loses the state in an .h5
        np.testing.assert_allclose(model.train_on_batch(X, Y), step, 1e-5)
        assert int(np.asarray(model.optimizer.iterations)) == 5
        for got, wanted in zip(model.get_weights(), ours.get_weights(), strict=True):
            np.testing.assert_allclose(got, wanted, 1e-4, 1e-5)


@pytest.mark.parametrize("settings", list(COMPILED))
def test_compile_settings_read_as_keras_writes_them(settings, tmp_path):
    configs = []
    for library in (lamina, keras):
        zoo.fresh(library)
        model = zoo.MODELS["mlp"][0](library)
        model.compile(**COMPILED[settings](library))
        configs.append(zoo.json_of(model.get_compile_config()))
    ours, theirs = configs
    ours["jit_compile"] = theirs["jit_compile"]  # what "auto" came to, in Keras
    assert ours == theirs


def test_read_without_compiling_and_bfloat16(tmp_path):
    model = lamina.Sequential([lamina.Input((6,)), lamina.layers.Dense(2, dtype="bfloat16")])
    model.compile("adam", "mse")
    model.save(tmp_path / "m.keras")
    read = lamina.models.load_model(tmp_path / "m.keras", compile=False)
    assert not read.compiled and read.optimizer is None
    assert read.weights[0].dtype == "bfloat16"
    theirs = keras.models.load_model(tmp_path / "m.keras", compile=False)
    for got, wanted, other in zip(read.get_weights(), model.get_weights(), theirs.weights, strict=True):
        np.testing.assert_array_equal(got, wanted)
        np.testing.assert_array_equal(np.asarray(other.value), wanted)
    theirs.save_weights(tmp_path / "k.weights.h5")
    read.load_weights(tmp_path / "k.weights.h5")
    np.testing.assert_array_equal(read.get_weights()[0], model.get_weights()[0])


def test_only_the_weights_of_an_archive(tmp_path):
    ours, _ = zoo.pair("mlp")
    ours.save(tmp_path / "m.keras")
    fresh = lamina.models.clone_model(ours)
    fresh.load_weights(tmp_path / "m.keras")
    assert_weights(fresh, ours)


def test_members_of_an_archive(tmp_path):
    ours, _ = zoo.pair("mlp")
    ours.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert sorted(archive.namelist()) == ["config.json", "metadata.json", "model.weights.h5"]
        assert json.loads(archive.read("metadata.json"))["keras_version"] == keras.__version__


def test_a_subclassed_model_with_lists_and_dicts_of_layers(tmp_path):
    def tower(library):
        @library.saving.register_keras_serializable(package="tower")
        class Tower(library.Model):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.row = [library.layers.Dense(4) for _ in range(3)]
                self.named = {"z": library.layers.Dense(2), "a": library.layers.Dense(2)}
                self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

            def call(self, x):
                for layer in self.row:
                    x = layer(x)
                return (self.named["z"](x) + self.named["a"](x)) * self.scale

        model = Tower(name="tower")
        model(X)
        return model

    ours, theirs = tower(lamina), tower(keras)
    theirs.set_weights([w * 1.5 for w in ours.get_weights()])
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.save_weights(tmp_path / "ours.weights.h5")
    assert members(tmp_path / "ours.weights.h5") == members(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    assert_weights(ours, theirs)
    theirs.save(tmp_path / "theirs.keras")
    ours.save(tmp_path / "ours.keras")
    assert_weights(lamina.models.load_model(tmp_path / "theirs.keras"), theirs)
    assert_weights(keras.models.load_model(tmp_path / "ours.keras"), theirs)


@pytest.mark.parametrize("settings", [{}, {"chunks": (2, 2)}, {"chunks": (2, 2), "compression": "gzip"}])
@pytest.mark.parametrize("value", [np.arange(6.0).reshape(2, 3), np.arange(6, dtype=">f4").reshape(3, 2)])
def test_arrays_of_a_file_in_memory(value, settings):
    made = io.BytesIO()
    with h5py.File(made, "w") as file:
        file.create_dataset("value", data=value, **settings)
        file["number"] = np.float32(3)
        file["none"] = np.zeros((0, 3))
        file.create_dataset("unwritten", (3,), "f4", fillvalue=7)
    data = made.getvalue()
    with open_hdf5(io.BytesIO(data), "a file", data) as file:
        for name, wanted in (("value", value), ("number", 3), ("none", np.zeros((0, 3))), ("unwritten", [7, 7, 7])):
            found = np.asarray(array_at(file, name))
            np.testing.assert_array_equal(found, wanted)
            assert found.flags.writeable
        np.testing.assert_array_equal(array_at(file, "value").part((slice(1, 2),)), value[1:2])
