"""Activations by name, as a layer, as a function

Three ways to write tanh give the same numbers. Then three small networks: BatchNormalization between Dense and ReLU,
a ResNet block with ReLU after the sum, and a SqueezeNet of two fire modules.
"""

import numpy as np

import lamina as keras
from lamina import backend as K
from lamina import layers
from lamina.models import Model, Sequential


def three_ways_to_tanh(x):
    """The same Dense(64) with tanh by name, as a layer, and as a function of the backend."""
    ways = [
        Sequential([layers.Dense(64, activation="tanh", input_shape=x.shape[1:])]),
        Sequential([layers.Dense(64, input_shape=x.shape[1:]), layers.Activation("tanh")]),
        Sequential([layers.Dense(64, activation=K.tanh, input_shape=x.shape[1:])]),
    ]
    for model in ways:
        model.set_weights(ways[0].get_weights())
    return [model.predict(x, verbose=0) for model in ways]


def norm_before_relu():
    """BatchNormalization between Dense and its activation."""
    return Sequential(
        [
            layers.Flatten(input_shape=(8, 8, 1)),
            layers.Dense(64, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def resnet():
    """One block: two convolutions, the shortcut around them, and ReLU after the sum."""
    inputs = layers.Input((8, 8, 1))
    shortcut = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(shortcut)
    x = layers.Conv2D(16, 3, padding="same")(x)
    x = layers.add([x, shortcut])
    x = layers.ReLU()(x)
    x = layers.Flatten()(layers.MaxPooling2D()(x))
    return Model(inputs, layers.Dense(10, activation="softmax")(x))


def fire_module(x, squeeze, expand):
    """SqueezeNet's block: few 1x1 convolutions, then 1x1 and 3x3 side by side."""
    x = layers.Conv2D(squeeze, 1, activation="relu")(x)
    left = layers.Conv2D(expand, 1, activation="relu")(x)
    right = layers.Conv2D(expand, 3, padding="same", activation="relu")(x)
    return layers.concatenate([left, right], axis=-1)


def squeezenet():
    """Two fire modules, a convolution with a channel for each class, the mean of each channel, softmax."""
    inputs = layers.Input((8, 8, 1))
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(inputs)
    x = fire_module(x, squeeze=16, expand=32)
    x = layers.MaxPooling2D()(x)
    x = fire_module(x, squeeze=16, expand=32)
    x = layers.Conv2D(10, 1)(x)
    x = layers.GlobalAveragePooling2D()(x)
    return Model(inputs, layers.Activation("softmax")(x))


if __name__ == "__main__":
    (x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
    x_train, x_test = x_train[..., None] / 16, x_test[..., None] / 16

    keras.utils.set_random_seed(0)
    by_name, as_layer, as_function = three_ways_to_tanh(x_test.reshape(len(x_test), 64))
    print("tanh three ways, largest difference:", max(np.ptp([by_name, as_layer, as_function], axis=0).flat))

    for make, epochs in ((norm_before_relu, 10), (resnet, 8), (squeezenet, 15)):
        model = make()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(x_train, y_train, epochs=epochs, verbose=0)
        loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
        print(f"{make.__name__}: {model.count_params():,} weights, test accuracy {accuracy:.4f}")
