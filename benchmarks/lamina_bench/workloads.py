"""The workloads: shapes of inputs and targets, and batch sizes. The model files of each library define the models."""

import dataclasses
from typing import Any

import numpy as np

__all__ = ["WORKLOADS", "Workload"]

CLASSES, NUMBERS, PIXELS, YES_NO = "classes", "numbers", "pixels", "yes or no"
LOSSES = {
    CLASSES: "sparse_categorical_crossentropy",
    NUMBERS: "mse",
    PIXELS: "binary_crossentropy",
    YES_NO: "binary_crossentropy",
}


@dataclasses.dataclass(frozen=True)
class Workload:
    """One model and its data. All workloads use Adam and float32.

    Attributes:
        name: Name for `--only`, and of the function that builds the model in each file of models.
        title: Name in tables.
        shape: Shape of one sample.
        target: Kind of targets, "classes", "numbers", "pixels" or "yes or no", which determines the loss.
        target_shape: Shape of one target; `()` for a class.
        count: Number of classes, if the targets are classes.
        tokens: Size of the vocabulary, if the samples are texts.
        batch: Batch size for training and for `predict` on many samples.
        steps: Number of batches in an epoch.
        many: Number of samples for `predict` on many samples.
    """

    name: str
    title: str
    shape: tuple
    target: str
    target_shape: tuple = ()
    count: int = 0
    tokens: int = 0
    batch: int = 32
    steps: int = 50
    many: int = 1024

    @property
    def loss(self):
        """The name of the loss in Keras."""
        return LOSSES[self.target]

    @property
    def metrics(self):
        """The names of the metrics in Keras: accuracy if the targets are classes."""
        return ["accuracy"] if self.target in (CLASSES, YES_NO) else []

    def data(self):
        """x and y of one epoch, identical in every process."""
        random, samples = np.random.default_rng(0), self.batch * self.steps
        x = self._samples(random, samples)
        shape = (samples, *self.target_shape)
        if self.target == CLASSES:
            return x, random.integers(0, self.count, shape).astype("int32")
        if self.target == YES_NO:
            return x, random.integers(0, 2, (samples, 1)).astype("float32")
        return x, random.random(shape, "float32")

    def many_samples(self):
        """x for `predict` on many samples."""
        return self._samples(np.random.default_rng(1), self.many)

    def _samples(self, random, samples):
        if self.tokens:
            return random.integers(1, self.tokens, (samples, *self.shape)).astype("int32")
        return random.random((samples, *self.shape), "float32")


_TEXT: Any = {"shape": (80,), "tokens": 5000, "target": YES_NO, "steps": 10}
_ALL = [
    Workload("dense_32", "Dense 784-32-10", (784,), CLASSES, count=10),
    Workload("dense_128", "Dense 784-128-10", (784,), CLASSES, count=10),
    Workload("regression", "Dense 9-64-64-1 (Auto MPG)", (9,), NUMBERS, (1,)),
    Workload("cnn_1d", "1-D CNN with Dense inside", (20, 1), CLASSES, count=2),
    Workload("lstm", "LSTM(64), 50 steps", (50, 12), CLASSES, count=9, steps=30),
    Workload("cnn_2d", "2-layer CNN 28x28", (28, 28, 1), CLASSES, count=10, batch=128, steps=5),
    Workload("inception", "InceptionV3 150x150, frozen base", (150, 150, 3), YES_NO, batch=20, steps=3, many=40),
    Workload("text_gru", "Embedding, Bidirectional GRU", **_TEXT),
    Workload("text_lstm", "Embedding, Bidirectional LSTM", **_TEXT),
    Workload("resnet", "residual blocks, BatchNormalization", (32, 32, 3), CLASSES, count=10, steps=6, many=256),
    Workload("transformer", "transformer block", (64,), CLASSES, count=2, tokens=5000, steps=10),
    Workload("separable", "separable convolutions", (32, 32, 3), CLASSES, count=10, steps=4, many=256),
    Workload("autoencoder", "autoencoder of convolutions, 28x28", (28, 28, 1), PIXELS, (28, 28, 1), steps=6),
    Workload("transposed_1d", "transposed convolutions, 1-D", (288, 1), NUMBERS, (288, 1), steps=10),
    Workload("transposed_2d", "transposed convolutions, 2-D", (64,), PIXELS, (28, 28, 1), steps=4),
]
WORKLOADS = {workload.name: workload for workload in _ALL}
