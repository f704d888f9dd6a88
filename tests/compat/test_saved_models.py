"""tf.saved_model.save and load: functions of modules and models, with the values of their variables."""

import numpy as np
import pytest

import lamina as keras
from lamina.compat.saved_models import SAVED_MODELS
from lamina.errors import ConfigError, FileError
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
    loaded = load(tmp_path / "scale")
    np.testing.assert_array_equal(loaded(X), X * 2)
    np.testing.assert_array_equal(loaded(X * 50), X * 50)
    assert sorted(loaded.signatures) == ["other", "serving_default"]
    made = loaded.signatures["serving_default"](x=X[:1], y=1.0)
    assert sorted(made) == ["output_0", "output_1"]
    np.testing.assert_array_equal(loaded.add(X, 1.0)["z"], X + 1)
    np.testing.assert_array_equal(loaded.signatures["other"](x=X[0])["output_0"], X[0] + 2)
    assert SAVED_MODELS["contains_saved_model"](tmp_path / "scale")


def test_a_model_and_what_cannot_be(tmp_path):
    model = keras.Sequential([keras.Input((3,), name="x"), keras.layers.Dense(2, name="out")])
    save(model, tmp_path / "model")
    loaded = load(tmp_path / "model")
    wanted = model.predict(X, verbose=0)
    np.testing.assert_allclose(loaded(X), wanted, rtol=1e-6)
    np.testing.assert_allclose(loaded.signatures["serving_default"](x=X)["out"], wanted, rtol=1e-6)
    with pytest.raises(ConfigError, match="has none"):
        save(tf.Module(), tmp_path / "nothing")
    with pytest.raises(FileError, match="of its own operations"):
        load(tmp_path)
