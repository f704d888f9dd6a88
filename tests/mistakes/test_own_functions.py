"""Mistakes in functions and layers that users write, and with what fit returns."""

import pytest

import lamina as keras
from lamina.errors import UnknownNameError
from tests.mistakes import first_hour
from tests.mistakes.mistake import Mistake, fixes_work

FIT = """
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
model.compile("sgd", LOSS, metrics=["mae"])
history = model.fit(np.ones((4, 4)), np.ones((4, 3)), verbose=0)
"""
LOSS = """
def loss(y_true, y_pred):
    RETURN keras.ops.mean((y_true - y_pred) ** 2, -1)
"""
NUMBER = """
class Told(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.total = float(keras.ops.squeeze(keras.ops.ones((1, 1))))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
model.compile("sgd", "mse")
model.fit(np.ones((4, 4)), np.ones((4, 3)), verbose=0, callbacks=[Told()])
"""
JITTED = """
import jax
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
class Product(keras.layers.Layer):
    def call(self, inputs):
        values = [variable.value for variable in model.trainable_variables]
        return jax.jit(lambda weights: inputs @ weights[0])(values)
Product()(np.ones((2, 4)))
"""
RETURN = "return outputs  # at the end of call"
LAYER = """
class Twice(keras.layers.Layer):
    def call(self, inputs):
        outputs = inputs * 2
        return outputs  # at the end of call
keras.Sequential([keras.Input((4,)), Twice()])
"""

MISTAKES = [
    Mistake(
        LOSS.replace("RETURN ", "") + FIT.replace("LOSS", "loss"),
        LOSS.replace("RETURN", "return") + FIT.replace("LOSS", "loss"),
        says="return values",
        prose=True,
    ),
    Mistake(
        "def loss(errors):\n    return errors\n" + FIT.replace("LOSS", "loss"),
        "def loss(y_true, y_pred):\n    return (y_true - y_pred) ** 2\n" + FIT.replace("LOSS", "loss"),
        says="def loss(y_true, y_pred):",
    ),
    Mistake(
        NUMBER.replace("float(keras.ops.squeeze(keras.ops.ones((1, 1))))", "float(keras.ops.ones((1, 1)))"),
        NUMBER,
        says="float(keras.ops.squeeze(keras.ops.ones((1, 1))))",
    ),
    Mistake(
        JITTED.replace("values)", "model.trainable_variables)"),
        JITTED,
        says="values = [variable.value for variable in model.trainable_variables]",
    ),
    Mistake(
        LAYER.replace("        return outputs  # at the end of call\n", ""),
        LAYER,
        says="return outputs  # at the end of call",
    ),
    Mistake(
        FIT.replace("LOSS", '"mse"') + "history.history['los']",
        FIT.replace("LOSS", '"mse"') + "history.history['loss']",
        says="history.history['loss']",
    ),
    Mistake(
        "keras.utils.pad_sequences(['good film', 'bad'])",
        "texts = ['good film', 'bad']\nlayer = keras.layers.TextVectorization()\nlayer.adapt(texts)\nlayer(texts)",
        says="layers.TextVectorization() numbers the words",
        prose=True,
    ),
]

MISTAKES += first_hour.OWN_FUNCTIONS

test_fixes_work = fixes_work(MISTAKES)


def test_a_history_is_still_a_dict():
    history = keras.callbacks.History()
    history.history.update(loss=[1.0])
    assert history.history.get("val_loss") is None and isinstance(history.history, dict)
    with pytest.raises(KeyError, match="validation_split"):
        history.history["val_loss"]


FORGETFUL = {
    "dtype of a layer": (keras.layers.Layer, lambda layer: layer.dtype),
    "trainable variables of a layer": (keras.layers.Layer, lambda layer: layer.trainable_variables),
    "compile of a model": (keras.Model, lambda model: model.compile("adam", "mse")),
    "predict of a model": (keras.Model, lambda model: model.predict([[1.0]])),
    "files of a model": (keras.Model, lambda model: model.save("m.keras")),
    "result of a metric": (keras.metrics.Mean, lambda metric: metric.result()),
    "call of a loss": (keras.losses.MeanSquaredError, lambda loss: loss([1.0], [2.0])),
    "iterations of an optimizer": (keras.optimizers.SGD, lambda optimizer: optimizer.iterations),
}


@pytest.mark.parametrize("what", FORGETFUL)
def test_who_leaves_out_init_of_the_base_is_told(what):
    base, use = FORGETFUL[what]
    mine = type("Mine", (base,), {"__init__": lambda self: None})()
    with pytest.raises(UnknownNameError, match=r"Mine.__init__ has not called super\(\).__init__\(\) yet") as caught:
        use(mine)
    assert caught.value.fix == "Call super().__init__() first."


def test_a_class_may_say_which_integer_it_is():
    class Mine(keras.layers.Layer):
        def __int__(self):
            return 7

    assert int(Mine()) == 7
