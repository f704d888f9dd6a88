"""Transfer learning with InceptionV3

The network up to `mixed7`, frozen, and a new classifier for two kinds of pictures.

    python transfer_learning_inception.py [weights.h5]

`weights.h5` are the published weights without the top (`weights="imagenet"` downloads them); without a file the
features are random ones.
"""

import sys

import numpy as np

import lamina as keras
from lamina import layers
from lamina.applications.inception_v3 import InceptionV3
from lamina.models import Model
from lamina.optimizers import RMSprop


def images_of_two_kinds(count, seed=0):
    """Stripes along the rows (0) or along the columns (1), in colours and noise."""
    draw = np.random.default_rng(seed)
    kinds = draw.integers(0, 2, count)
    waves = np.sin(np.arange(150) / draw.uniform(3, 9, (count, 1)))[:, :, None, None] * np.ones((1, 1, 150, 1))
    waves = np.where(kinds[:, None, None, None], waves.transpose(0, 2, 1, 3), waves)
    images = 0.5 + 0.3 * waves * draw.uniform(0.5, 1, (count, 1, 1, 3)) + draw.normal(0, 0.1, (count, 150, 150, 3))
    return images.astype("float32"), kinds.astype("float32")


def frozen_network(weights=None):
    """InceptionV3 without the top, with weights that no training changes."""
    pre_trained_model = InceptionV3(input_shape=(150, 150, 3), include_top=False, weights=None)
    if weights is not None:
        pre_trained_model.load_weights(weights)
    for layer in pre_trained_model.layers:
        layer.trainable = False
    return pre_trained_model


def with_new_top(pre_trained_model):
    """A classifier of one number on the features at 'mixed7'."""
    x = layers.Flatten()(pre_trained_model.get_layer("mixed7").output)
    x = layers.Dense(1024, activation="relu")(x)
    x = layers.Dropout(0.2)(x)
    x = layers.Dense(1, activation="sigmoid")(x)
    model = Model(pre_trained_model.input, x)
    model.compile(optimizer=RMSprop(learning_rate=0.0001), loss="binary_crossentropy", metrics=["accuracy"])
    return model


def main():
    keras.utils.set_random_seed(0)
    pre_trained_model = frozen_network(*sys.argv[1:2])
    model = with_new_top(pre_trained_model)
    print("last layer output shape:", pre_trained_model.get_layer("mixed7").output.shape)
    images, kinds = images_of_two_kinds(200)
    model.fit(images, kinds, batch_size=20, epochs=2, verbose=2)


if __name__ == "__main__":
    main()
