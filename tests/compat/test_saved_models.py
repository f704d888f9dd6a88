"""tf.saved_model.save and load: functions of modules and models, with the values of their variables."""

import numpy as np
import pytest

import lamina as keras
from lamina.compat.saved_models import SAVED_MODELS, endpoint
from lamina.errors import FileError
from lamina.layers import TFSMLayer
from tests.compat.test_functions_of_tensorflow import arrays_of_tensorflow, tf  # noqa: F401  (a fixture)

save, load = SAVED_MODELS["save"], SAVED_MODELS["load"]
X = np.arange(6, dtype="float32").reshape(2, 3)


def test_functions_of_a_module(tmp_path):
    class Scale(tf.Module):
        def __init__(self):
            super().__init__()
            self.factor = tf.Variable(2.0)

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
        def __call__(self, x):
            if tf.reduce_sum(x) > 100.0:
                return x
            return x * self.factor

        @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float32), tf.TensorSpec([], tf.float32)])
        def add(self, x, y):
            return {"z": x + y, "a": tf.reduce_sum(x)}

        @tf.function
        def other(self, x):
            return x + self.factor

    module = Scale()
    exact = module.other.get_concrete_function(tf.TensorSpec([3], tf.float32))
    save(module, tmp_path / "scale", signatures={"other": exact, "serving_default": module.add})
    module.factor.assign(5.0)
    (tmp_path / "scale").rename(tmp_path / "elsewhere")  # as in another process
    loaded = load(tmp_path / "elsewhere")
    np.testing.assert_array_equal(loaded(X), X * 2)
    np.testing.assert_array_equal(loaded(X * 50), X * 50)
    assert sorted(loaded.signatures) == ["other", "serving_default"]
    made = loaded.signatures["serving_default"](x=X[:1], y=1.0)
    assert sorted(made) == ["output_0", "output_1"]
    np.testing.assert_array_equal(loaded.add(X, 1.0)["z"], X + 1)
    np.testing.assert_array_equal(loaded.signatures["other"](x=X[0])["output_0"], X[0] + 2)
    assert SAVED_MODELS["contains_saved_model"](tmp_path / "elsewhere")


def test_a_model_and_what_cannot_be(tmp_path):
    model = keras.Sequential([keras.Input((3,), name="x"), keras.layers.Dense(2, name="out")])
    save(model, tmp_path / "model")
    loaded = load(tmp_path / "model")
    wanted = model.predict(X, verbose=0)
    np.testing.assert_allclose(loaded(X), wanted, rtol=1e-6)
    np.testing.assert_allclose(loaded.signatures["serving_default"](x=X)["out"], wanted, rtol=1e-6)
    with pytest.raises(FileError, match="of its own operations"):
        load(tmp_path)


@pytest.mark.parametrize("change", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: data[::-1]])
@pytest.mark.parametrize("name", ["functions.json", "serving_default.jax"])
def test_damaged_programs_are_file_errors(name, change, tmp_path):
    save(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]), tmp_path / "model")
    (tmp_path / "model").rename(tmp_path / "elsewhere")
    path = tmp_path / "elsewhere/assets.extra/lamina" / name
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(FileError, match="cannot be read"):
        load(tmp_path / "elsewhere")


def test_in_the_process_that_saved(tmp_path):
    """A copy with variables: what has no signature, a trace of Python, texts, shapes that the files cannot tell."""

    class Part(tf.Module):
        def __init__(self):
            super().__init__()
            self.mean = tf.Variable([1.0, 2.0])

    class Whole(tf.Module):
        def __init__(self):
            super().__init__()
            self.part, self.factor, self.count = Part(), tf.Variable(2.0), 3

        @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float32)])
        def __call__(self, x):
            return (x - self.part.mean) * self.factor  # two columns, which the signature does not say

        @tf.function(input_signature=[tf.TensorSpec(None, tf.string)])
        def words(self, text):
            return {"words": tf.strings.split(text)}

        @tf.function
        def change(self, value):
            self.factor.assign(value)

    module = Whole()
    with pytest.warns(UserWarning, match="only this process can load it"):
        save(module, tmp_path, signatures=module.words)
    module.factor.assign(7.0)
    loaded = load(tmp_path)
    x = tf.constant([[2.0, 4.0]])
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(loaded(x))
    assert float(y) == 6.0 and len(tape.watched_variables()) == 2
    assert float(tape.gradient(y, loaded.factor)) == 3.0
    loaded.change(tf.constant(1.0))
    assert loaded(x).tolist() == [[1.0, 2.0]] and module.factor.numpy() == 7.0
    assert loaded.part.mean.numpy().tolist() == [1.0, 2.0] and not hasattr(loaded, "count")
    assert loaded.signatures["serving_default"](tf.constant("a b"))["words"].numpy().tolist() == [b"a", b"b"]


def test_a_model_that_was_never_called_has_its_functions_in_this_process(tmp_path):
    class Step(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2, kernel_initializer="ones")

        @tf.function
        def one_step(self, x):
            return self.dense(x) + 1.0

    step = Step()
    expected = step.one_step(X)
    with pytest.warns(UserWarning, match="only this process can load it: step is not built"):
        save(step, tmp_path / "step")
    np.testing.assert_allclose(load(tmp_path / "step").one_step(X), expected)


def test_what_lamina_wrote_is_a_layer_that_no_file_makes(tmp_path, monkeypatch):
    monkeypatch.setattr(TFSMLayer, "_read", staticmethod(endpoint))
    model = keras.Sequential([keras.Input((3,), name="x"), keras.layers.Dense(2, name="out")])
    save(model, tmp_path / "model")
    wanted = model(X)
    np.testing.assert_allclose(TFSMLayer(tmp_path / "model", "serving_default")(X)["out"], wanted, rtol=1e-6)
    inputs = keras.Input((3,))
    frozen = TFSMLayer(tmp_path / "model", "serving_default")
    around = keras.Model(inputs, keras.layers.Dense(1)(frozen(inputs)["out"]))
    around.compile("sgd", "mse")
    before = around.evaluate(X, X[:, :1], verbose=0)
    around.fit(X, X[:, :1], epochs=5, verbose=0)
    assert around.evaluate(X, X[:, :1], verbose=0) < before and not frozen.weights
    np.testing.assert_allclose(around.layers[1](X)["out"], wanted, rtol=1e-6)
    with pytest.raises(ValueError, match="no endpoint 'serve'; it has serving_default"):
        TFSMLayer(tmp_path / "model")
    around.save(tmp_path / "around.keras")
    with pytest.raises(ValueError, match="TFSMLayer runs TensorFlow"):
        keras.models.load_model(tmp_path / "around.keras")
