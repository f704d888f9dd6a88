"""Where does the network look?

The gradient of the score with respect to the pixels says which of them would change the answer most. Here it is
computed with `jax.grad`; `tf.GradientTape` is the same in TensorFlow.
"""

import jax
import numpy as np

import lamina as keras
from lamina import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
x_train, x_test = x_train[..., None] / 16, (x_test[..., None] / 16).astype("float32")

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(10),
    ]
)
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
model.fit(x_train, y_train, epochs=10, verbose=0)
model.evaluate(x_test, y_test, verbose=0, return_dict=True)

# %%
# The score of the class that the model chose, as a function of the picture alone. A model is a function of arrays:
# call it.


def best_score(picture):
    """The highest of the ten scores."""
    return model(picture[None])[0].max()


gradients = np.asarray(jax.vmap(jax.grad(best_score))(x_test[:8]))
saliency = np.abs(gradients) / np.abs(gradients).max(axis=(1, 2, 3), keepdims=True)
rows = np.concatenate([x_test[:8], saliency])
keras.visualization.plot_image_gallery(rows, rows=2, cols=8, value_range=(0, 1), scale=1)
