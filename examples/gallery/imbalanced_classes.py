"""A rare class

One sample in twenty belongs to the class that matters. A model that never names it is right in 95 % of the cases, and
useless.
"""

import numpy as np

import lamina as keras
from lamina import layers

rng = np.random.default_rng(0)
x = rng.normal(size=(3000, 8)).astype("float32")
score = x[:, 0] * x[:, 1] + x[:, 2] + 0.5 * rng.normal(size=3000)
y = (score > np.quantile(score, 0.95)).astype("int64")
x_train, y_train, x_test, y_test = x[:2000], y[:2000], x[2000:], y[2000:]
print(f"share of the rare class: {y_train.mean():.3f}")


def train(class_weight=None):
    """Train; the probabilities of the rare class on the test set."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((8,)), layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid")]
    )
    model.compile("adam", "binary_crossentropy")
    model.fit(x_train, y_train, epochs=25, verbose=0, class_weight=class_weight)
    return model.predict(x_test, verbose=0)[:, 0]


plain = train()
print("accuracy of never naming it:", np.mean(y_test == 0))
keras.visualization.plot_confusion_matrix(y_test, plain, class_names=["common", "rare"])

# %%
# `class_weight` makes each rare sample count more: here as much as all common ones together. More of them are found,
# with more false alarms.

weights = {label: float(len(y_train) / (2 * np.sum(y_train == label))) for label in (0, 1)}
print(weights)
weighted = train(weights)
keras.visualization.plot_confusion_matrix(y_test, weighted, class_names=["common", "rare"])

# %%
# The threshold of 0.5 is a choice too. The curve of precision and recall shows what other thresholds would give.

keras.visualization.plot_precision_recall(y_test, plain)
