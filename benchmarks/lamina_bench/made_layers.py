"""What the libraries of layers on JAX share: layers that are made in the first call of a model, and loops over data."""

import contextlib
from typing import Any

import jax
import numpy as np

from lamina_bench import jax_models

__all__ = ["Loops", "MadeLayers"]


class MadeLayers:
    """The layers of a model in the order in which its function asks for them; the first call makes them.

    Args:
        layers: Trained layers.
        base: Frozen layers.
        training: Whether this is a training step.
    """

    def __init__(self, layers, base, training):
        self.training, self._lists, self._kind = training, {"layers": layers, "base": base}, "layers"
        self._places = dict.fromkeys(self._lists, 0)

    def layer(self, make):
        """The next layer, which `make` makes if there is none yet."""
        kind, place = self._lists[self._kind], self._places[self._kind]
        self._places[self._kind] += 1
        if place == len(kind):
            kind.append(make())
        return kind[place]

    @contextlib.contextmanager
    def frozen(self):
        """Inside the block, layers are frozen."""
        self._kind = "base"
        yield
        self._kind = "layers"


class Loops:
    """Loops of training and of prediction over batches. A subclass has `build`, `step` and `outputs`."""

    step: Any
    outputs: Any

    def __init__(self, module, workload):
        self.workload, self.model = workload, getattr(jax_models, workload.name)

    def example(self):
        """Inputs of one sample."""
        return np.zeros((1, *self.workload.shape), "int32" if self.workload.tokens else "float32")

    def load(self, x, y):
        """Move the data to the device."""
        return jax.device_put((x, y))

    def samples(self, x):
        """Samples for `predict`: NumPy arrays, unchanged."""
        return x

    def train(self, data, epochs=1):
        """Train and return the loss of the last batch."""
        (x, y), batch, loss = data, self.workload.batch, float("nan")
        for _ in range(epochs):
            order = np.random.permutation(len(x)).astype("int32")
            for start in range(0, len(x), batch):
                loss = self.step(x, y, order[start : start + batch])
        return float(loss)

    def predict(self, x):
        """The predictions as a NumPy array."""
        batch = self.workload.batch
        return np.concatenate([np.asarray(self.outputs(x[i : i + batch])) for i in range(0, len(x), batch)])
