"""Arguments, attributes and imports that do not exist: each error has the right call or name, and stays of its kind."""

import traceback

import numpy as np
import pytest

import lamina as keras

MODEL = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
X, Y = np.zeros((4, 3), "float32"), np.zeros((4, 1), "float32")
NAMES = {"keras": keras, "layers": keras.layers, "model": MODEL, "x": X, "y": Y, "h": keras.callbacks.History()}
MODEL.compile("sgd", "mse")

CALLS = {
    "layers.Dense(8, activaton='relu')": "keras.layers.Dense(8, activation='relu')",
    "layers.Conv2D(8, kernel_sise=3)": "keras.layers.Conv2D(8, kernel_size=3)",
    "layers.Conv2D(in_channels=3, out_channels=8, kernel_size=3, stride=2)":
        "keras.layers.Conv2D(kernel_size=3, filters=8, strides=2)",
    "layers.MaxPooling2D(kernel_size=2)": "keras.layers.MaxPooling2D(pool_size=2)",
    "layers.Dropout(keep_prob=0.8)": "keras.layers.Dropout(rate=0.2)",
    "layers.Embedding(10)": "keras.layers.Embedding(10, 64)",
    "model.fit(x, y, epoch=3)": "model.fit(x, y, epochs=3)",
    "model.fit(x, y, epochs='3')": "model.fit(x, y, epochs=3)",
    "model.evaluate(x, y, verbos=0)": "model.evaluate(x, y, verbose=0)",
    "model.predict(x, batchsize=3)": "model.predict(x, batch_size=3)",
    "model.save('m.keras', overwite=True)": "model.save('m.keras', overwrite=True)",
    "model.layers[0](x, trainig=True)": "layer(inputs, training=True)",
    "keras.callbacks.EarlyStopping(patient=3)": "keras.callbacks.EarlyStopping(patience=3)",
    "keras.optimizers.Adam(learning_rte=0.1)": "keras.optimizers.Adam(learning_rate=0.1)",
    "keras.ops.sum(x, axes=0)": "keras.ops.sum(x, axis=0)",
    "keras.ops.sum(keras.Input((3,)), keepdim=True)": "keras.ops.sum(x, keepdims=True)",
    "keras.Input(shpe=(3,))": "keras.Input(shape=(3,))",
    "keras.random.normal((3,), std=2)": "keras.random.normal((3,), stddev=2)",
}  # fmt: skip
MISSING = {
    "layers.Dens": "keras.layers.Dense", "layers.Linear": "keras.layers.Dense", "layers.Conv2d": "keras.layers.Conv2D",
    "layers.BatchNorm2d": "keras.layers.BatchNormalization", "keras.layer": "keras.layers",
    "keras.Dense": "keras.layers.Dense", "layers.Adam": "keras.optimizers.Adam",
    "keras.losses.BCELoss": "keras.losses.BinaryCrossentropy", "keras.metrics.F1": "keras.metrics.F1Score",
    "keras.initializers.Xavier": "keras.initializers.GlorotUniform", "model.sumary": "model.summary",
    "model.parameters": "model.trainable_variables", "model.score": "model.evaluate(x, y)",
    "model.optimizer.zero_grad": "make new gradients", "model.layers[0].kernal": "layer.kernel",
    "keras.Variable(1.0).assing": "variable.assign", "keras.callbacks.EarlyStopping().patients": "callback.patience",
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_the_call_that_was_meant_is_printed(call):
    with pytest.raises((TypeError, ValueError)) as error:
        eval(call, NAMES)
    assert error.value.fix.replace("keras.layers.Input", "keras.Input") == CALLS[call]
    assert "_" not in str(error.value).split()[0]  # never _Conv


@pytest.mark.parametrize("name", MISSING)
def test_the_name_that_was_meant_is_printed(name):
    with pytest.raises(AttributeError) as error:
        eval(name, NAMES)
    assert MISSING[name] in error.value.fix
    assert "".join(traceback.format_exception(error.value)).count("Did you mean") <= 1  # Python's own is not added


def test_of_an_import_an_import_error_says_what_was_meant():
    with pytest.raises(ImportError, match="'Linear'") as error:
        exec("from lamina.layers import Dense, Linear")
    assert error.value.fix == "keras.layers.Dense"


def test_nothing_is_named_where_nothing_is_near():
    for name in ("layers.qqq", "model.qqq", "keras.foo_bar"):
        with pytest.raises(AttributeError) as error:
            eval(name, NAMES)
        assert error.value.fix is None
    assert not hasattr(MODEL, "qqq")


def test_a_property_that_fails_says_why_itself():
    class Broken(keras.layers.Layer):
        @property
        def ratio(self):
            return self.no_such_thing

    with pytest.raises(AttributeError, match="no_such_thing"):
        Broken().ratio  # noqa: B018
