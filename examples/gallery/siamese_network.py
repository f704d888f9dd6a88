"""The same or not? A siamese network

One network turns each of two pictures into a vector, and the distance of the vectors says whether they show the same
digit. It was trained on the digits 0 to 7 and is asked about 8 and 9, which it has never seen.
"""

import numpy as np

import lamina as keras
from lamina import layers, ops

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
x_train, x_test = x_train[..., None] / 16, x_test[..., None] / 16


def pairs(images, labels, classes, count, seed=0):
    """Pairs of pictures, and 1 where both show the same class."""
    rng = np.random.default_rng(seed)
    of_class = {label: np.flatnonzero(labels == label) for label in classes}
    same = rng.integers(0, 2, count)
    left = rng.choice(classes, count)
    right = np.where(same, left, [rng.choice([c for c in classes if c != label]) for label in left])
    left, right = ([rng.choice(of_class[label]) for label in side] for side in (left, right))
    return [images[left], images[right]], same.astype("float32")


keras.utils.set_random_seed(0)
tower = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(32),
        layers.UnitNormalization(),
    ],
    name="tower",
)
left, right = keras.Input((8, 8, 1), name="left"), keras.Input((8, 8, 1), name="right")
distance = layers.Lambda(lambda two: ops.sum((two[0] - two[1]) ** 2, axis=-1, keepdims=True), output_shape=(1,))
answer = layers.Dense(1, activation="sigmoid", name="same")(distance([tower(left), tower(right)]))
model = keras.Model([left, right], answer)
model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"])

known = list(range(8))
x, y = pairs(x_train, y_train, known, 3000)
history = model.fit(x, y, epochs=12, validation_data=pairs(x_test, y_test, known, 500), verbose=0)
history.plot()

# %%
# Pairs of the digits 8 and 9:

x_new, y_new = pairs(x_test, y_test, [8, 9], 500)
print(f"accuracy on digits that it has not seen: {model.evaluate(x_new, y_new, verbose=0)[1]:.3f}")
keras.visualization.plot_roc(y_new, model.predict(x_new, verbose=0)[:, 0])
