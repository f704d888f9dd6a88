"""The matrix: each format x each kind of model x each direction. What one library writes the other reads and computes
the same, compile settings and the optimizer's state included where the format holds them."""

import functools
import itertools

import keras
import numpy as np
import pytest

import lamina
from tests.models import zoo

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's variables
    pytest.mark.filterwarnings("ignore::lamina.legacy.OldSpelling"),
]
KINDS = ("mlp", "two_inputs_two_outputs", "dict_in_dict_out", "shared_nested", "resnet", "text", "partly_frozen")
OURS, THEIRS = lamina, keras
DIRECTIONS = {"from_keras": (THEIRS, OURS), "to_keras": (OURS, THEIRS), "within": (OURS, OURS)}


def architecture(library, kind):
    model = zoo.MODELS[kind][0](library)
    model.set_weights([weight * 0 for weight in model.get_weights()])
    return model


def save_model(ending, **settings):
    return lambda model, path: model.save(f"{path}{ending}", **settings)


def save_weights(ending, **settings):
    return lambda model, path: model.save_weights(f"{path}{ending}", **settings)


def load_model(ending):
    return lambda library, path, kind: library.models.load_model(f"{path}{ending}")


def load_weights(ending):
    def load(library, path, kind):
        model = architecture(library, kind)
        model.load_weights(f"{path}{ending}")
        return model

    return load


def save_legacy_weights(model, path):
    """Only lamina still writes them by that name; Keras has the function."""
    if isinstance(model, lamina.Model):
        model.save_weights(f"{path}.h5")
        return
    import h5py

    with h5py.File(f"{path}.h5", "w") as file:
        keras.src.legacy.saving.legacy_h5_format.save_weights_to_hdf5_group(file, model)


def save_whole_legacy(model, path):
    """Keras takes the optimizer out of the model's own settings when it writes them, so they are put back."""
    kept = {} if isinstance(model, lamina.Model) else model._compile_config.config
    settings = dict(kept)
    model.save(f"{path}.h5")
    kept.update(settings)


def save_json(model, path):
    with open(f"{path}.json", "w") as file:
        file.write(model.to_json())
    model.save_weights(f"{path}.weights.h5")


def load_json(library, path, kind):
    with open(f"{path}.json") as file:
        model = library.models.model_from_json(file.read())
    model.load_weights(f"{path}.weights.h5")
    return model


SHARD = 700 / 2**30  # gigabytes: more than the largest array, less than a model
FORMATS = {  # name -> (writes, reads, whether it holds compile settings)
    "keras": (save_model(".keras"), load_model(".keras"), True),
    "folder": (save_model("", zipped=False), load_model(""), True),
    "h5": (save_whole_legacy, load_model(".h5"), True),
    "weights.h5": (save_weights(".weights.h5"), load_weights(".weights.h5"), False),
    "weights.json": (save_weights(".weights.json", max_shard_size=SHARD), load_weights(".weights.json"), False),
    "legacy weights": (save_legacy_weights, load_weights(".h5"), False),
    "json": (save_json, load_json, False),
    "safetensors": (save_weights(".safetensors"), load_weights(".safetensors"), False),
}
KERAS_HAS_NO = ("safetensors",)


@functools.cache
def compiled(kind):
    """{library: model}: with one optimizer's state, as after three steps."""
    made = dict(zip((OURS, THEIRS), zoo.pair(kind), strict=True))
    for library, model in made.items():
        model.compile(library.optimizers.Adam(0.25, beta_1=0.5), loss="mse", metrics=["mae"])
        model.optimizer.build(model.trainable_variables)
    for ours, theirs in zip(*(model.optimizer.variables for model in made.values()), strict=True):
        if ours.name != "learning_rate":
            value = np.full(ours.shape, 3, ours.dtype) if ours.ndim == 0 else np.full(ours.shape, 0.125, "float32")
            ours.assign(value)
            theirs.assign(value)
    return made


def outputs(model, kind):
    return [np.asarray(value) for value in keras.tree.flatten(model(zoo.inputs_of(kind)))]


@functools.cache
def expected(kind):
    return outputs(zoo.pair(kind)[1], kind)


CASES = [
    (name, kind, direction)
    for name, kind, direction in itertools.product(FORMATS, KINDS, DIRECTIONS)
    if direction == "within" or name not in KERAS_HAS_NO
]


@pytest.mark.parametrize(("name", "kind", "direction"), CASES)
def test_round_trip(name, kind, direction, tmp_path):
    write, read, whole = FORMATS[name]
    writer, reader = DIRECTIONS[direction]
    model = compiled(kind)[writer]
    write(model, tmp_path / "m")
    again = read(reader, tmp_path / "m", kind)
    for got, wanted in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, wanted)
    for got, wanted in zip(outputs(again, kind), expected(kind), strict=True):
        np.testing.assert_allclose(got, wanted, 1e-5, 1e-5)
    if whole:
        assert_compiled_alike(again, model, state=not (name == "h5" and reader is keras))  # Keras loses it there


def assert_compiled_alike(model, expected, state):
    assert model.optimizer.get_config()["beta_1"] == 0.5
    assert float(np.asarray(model.optimizer.learning_rate)) == 0.25
    settings = model.get_compile_config()  # names, or what they stand for, described
    for key, names in (("loss", ("mse", "mean_squared_error")), ("metrics", ("mae", "mean_absolute_error"))):
        assert any(name in str(settings[key]) for name in names)
    if state:
        pairs = zip(model.optimizer.variables, expected.optimizer.variables, strict=True)
        for got, wanted in pairs:
            np.testing.assert_array_equal(np.asarray(got.numpy()), np.asarray(wanted.numpy()))
