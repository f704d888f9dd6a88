"""Metrics, losses, layers and steps that return a Variable, as the example of Keras's own Metric does."""

import numpy as np

import lamina as keras

X, Y = np.ones((8, 4), "float32"), np.ones((8, 3), "float32")


class TruePositives(keras.metrics.Metric):
    def __init__(self, name="true_positives", **kwargs):
        super().__init__(name=name, **kwargs)
        self.true_positives = self.add_variable(shape=(), initializer="zeros", name="true_positives")

    def update_state(self, y_true, y_pred, sample_weight=None):
        both = keras.ops.logical_and(keras.ops.cast(y_true, "bool"), keras.ops.cast(y_pred, "bool"))
        self.true_positives.assign(self.true_positives + keras.ops.sum(keras.ops.cast(both, self.dtype)))

    def result(self):
        return self.true_positives

    def reset_state(self):
        self.true_positives.assign(0)


def test_metric():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile("sgd", "mse", metrics=[TruePositives()])
    history = model.fit(X, Y, batch_size=4, epochs=2, verbose=0).history
    assert history["true_positives"] == [24, 24]
    assert model.evaluate(X, Y, verbose=0)[1] == 24
    assert model.train_on_batch(X, Y)[1] == 24


def test_loss():
    scale = keras.Variable(2.0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile("sgd", lambda y_true, y_pred: scale)
    assert model.evaluate(X, Y, verbose=0) == 2


def test_call_and_step():
    class Weight(keras.layers.Layer):
        def build(self, input_shape):
            self.weight = self.add_weight(shape=(3,), initializer="ones", name="weight")

        def call(self, inputs):
            return self.weight

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.weight, self.found = Weight(), TruePositives()

        def call(self, inputs):
            return {"weight": self.weight(inputs)}

        def train_step(self, data):
            x, y = data
            self.found.update_state(y, self(x)["weight"])
            return {"found": self.found.result()}

    model = Model()
    model.compile("sgd")
    assert model.fit(X, Y, epochs=2, verbose=0).history["found"] == [24, 24]
    assert model.predict(X, verbose=0)["weight"].tolist() == [1, 1, 1]
    assert Weight()(keras.Input((4,))).shape == (3,)
