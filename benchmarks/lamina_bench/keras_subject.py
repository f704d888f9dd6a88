"""Training with a library that has the Keras API."""

import importlib

from lamina_bench import keras_models

__all__ = ["Subject"]


class Subject:
    """One library and one workload."""

    def __init__(self, module, workload):
        self.keras, self.workload = importlib.import_module(module), workload
        _ = self.keras.Sequential, self.keras.layers.Dense  # some libraries import them when they are read

    def build(self):
        """The model, compiled."""
        self.model = getattr(keras_models, self.workload.name)(self.keras)
        self.model.compile("adam", self.workload.loss, metrics=self.workload.metrics)

    def parameters(self):
        """How many numbers are trained."""
        return sum(int(weight.numpy().size) for weight in self.model.trainable_weights)

    def load(self, x, y):
        """Nothing to prepare: `fit` takes arrays."""
        return x, y

    def train(self, data, epochs=1):
        """The loss of the last epoch."""
        history = self.model.fit(*data, batch_size=self.workload.batch, epochs=epochs, verbose=0)
        return float(history.history["loss"][-1])

    def predict(self, x):
        """As a NumPy array."""
        return self.model.predict(x, batch_size=self.workload.batch, verbose=0)

    def samples(self, x):
        """As `predict` takes them."""
        return x
