"""The first program of many tutorials

Images of 28x28 pixels in ten classes, with functions as activations. The training images are shifted by up to two
pixels, which makes a plain network of 128 units better.
"""

import itertools

import numpy as np

import lamina as keras
from lamina.ops import nn


def enlarged(images):
    """8x8 images, each pixel drawn as 3x3 with a white border: 28x28, 0 to 1."""
    return np.pad(images.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2))) / 16


def with_shifts(images, labels, pixels=2):
    """The images moved by up to so many pixels down or up and right or left, in all combinations."""
    steps = list(itertools.product(range(-pixels, pixels + 1), repeat=2))
    return np.concatenate([np.roll(images, step, axis=(1, 2)) for step in steps]), np.tile(labels, len(steps))


(train_images, train_labels), (test_images, test_labels) = keras.datasets.digits.load_data()
train_images, train_labels = with_shifts(enlarged(train_images), train_labels)
test_images = enlarged(test_images)

# %%
# Two Dense layers. Functions work as activations.

keras.utils.set_random_seed(1)
model = keras.Sequential(
    [
        keras.layers.Flatten(input_shape=(28, 28)),
        keras.layers.Dense(128, activation=nn.relu),
        keras.layers.Dense(10, activation=nn.softmax),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train_images, train_labels, batch_size=64, epochs=5)

test_loss, test_acc = model.evaluate(test_images, test_labels)
print("Test accuracy:", test_acc)

# %%
# What is the first test image?

predictions = model.predict(test_images)
print("The first image is a", np.argmax(predictions[0]), "and was written as a", test_labels[0])
