"""Training with libraries that have the Keras API."""

import importlib

from lamina_bench import keras_models

__all__ = ["Subject"]


class Subject:
    """One workload, trained with one library."""

    def __init__(self, module, workload):
        self.keras, self.workload = importlib.import_module(module), workload
        _ = self.keras.Sequential, self.keras.layers.Dense  # some libraries import these when they are accessed

    def build(self):
        """Build and compile the model."""
        self.model = getattr(keras_models, self.workload.name)(self.keras)
        self.model.compile("adam", self.workload.loss, metrics=self.workload.metrics)

    def parameters(self):
        """The number of trainable parameters."""
        return sum(int(weight.numpy().size) for weight in self.model.trainable_weights)

    def load(self, x, y):
        """Return the arrays unchanged: `fit` takes arrays."""
        return x, y

    def train(self, data, epochs=1):
        """Train and return the loss of the last epoch."""
        history = self.model.fit(*data, batch_size=self.workload.batch, epochs=epochs, verbose=0)
        return float(history.history["loss"][-1])

    def predict(self, x):
        """The predictions as a NumPy array."""
        return self.model.predict(x, batch_size=self.workload.batch, verbose=0)

    def samples(self, x):
        """Samples for `predict`: arrays, unchanged."""
        return x
