"""Your own loss and metric

A loss is a function of `(y_true, y_pred)` that returns a number for each sample. A metric that is more than a mean
has variables, and three methods.
"""

import numpy as np

import lamina as keras
from lamina import layers, ops

(x_train, y_train), (x_test, y_test) = keras.datasets.auto_mpg.load_data()
mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
x_train, x_test = (x_train - mean) / deviation, (x_test - mean) / deviation


def quantile_loss(share):
    """The loss whose best answer is a value that `share` of the cars stay below."""

    def loss(y_true, y_pred):
        error = y_true - y_pred
        return ops.mean(ops.maximum(share * error, (share - 1) * error), axis=-1)

    return loss


class ShareBelow(keras.metrics.Metric):
    """Share of the targets that are below the prediction."""

    def __init__(self, name="share_below", **kwargs):
        super().__init__(name=name, **kwargs)
        self.below = self.add_variable(shape=(), initializer="zeros", name="below")
        self.count = self.add_variable(shape=(), initializer="zeros", name="count")

    def update_state(self, y_true, y_pred, sample_weight=None):
        below = ops.cast(ops.reshape(y_true, (-1,)) < ops.reshape(y_pred, (-1,)), "float32")
        self.below.assign(self.below + ops.sum(below))
        self.count.assign(self.count + ops.cast(ops.size(below), "float32"))

    def result(self):
        return self.below / self.count


# %%
# Three models: one for the 10 % quantile, one for the median, one for the 90 % quantile.

predictions = {}
for share in (0.1, 0.5, 0.9):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((9,)), layers.Dense(32, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), quantile_loss(share), metrics=[ShareBelow()])
    model.fit(x_train, y_train, epochs=80, verbose=0)
    scores = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
    predictions[share] = model.predict(x_test, verbose=0)[:, 0]
    print(share, {name: round(value, 3) for name, value in scores.items()})

# %%
# For the first cars of the test set: a range, and what was measured.

for low, middle, high, truth in zip(*predictions.values(), np.ravel(y_test), strict=True):
    print(f"{low:5.1f} to {high:5.1f} MPG, median {middle:5.1f}; measured {truth:5.1f}")
    if truth == np.ravel(y_test)[7]:
        break
