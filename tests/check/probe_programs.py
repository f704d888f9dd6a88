"""Programs for the probe: sound ones, on which it is silent, and ones that fail in training, with their codes.

`python -m tests.check.probe_programs` runs all of them and prints what the probe says.
"""

import sys
import time
from typing import Any

import numpy as np

import lamina as keras
from lamina import layers
from lamina.check import check
from lamina.optimizers import SGD, Adam, AdamW, RMSprop
from lamina.optimizers.schedules import CosineDecay

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(256, 12)).astype("float32")
CLASSES = (X @ DRAW.normal(size=(12, 3))).argmax(-1)
YES = (X[:, 0] + X[:, 1] > 0).astype("float32")
QUANTITY = np.tanh(X @ DRAW.normal(size=12)).astype("float32")
IMAGES = DRAW.random((128, 12, 12, 1), "float32")
QUADRANT = IMAGES.reshape(128, 2, 6, 2, 6).sum((2, 4)).reshape(128, 4).argmax(-1)
SEQUENCES = DRAW.normal(size=(128, 20, 4)).astype("float32")
SUMS = SEQUENCES.sum((1, 2)) / 9
TOKENS = DRAW.integers(1, 50, (128, 12))
SPARSE = "sparse_categorical_crossentropy"
CONSTANT, NORMAL = keras.initializers.Constant, keras.initializers.RandomNormal


def net(shape, *stack, loss: Any = SPARSE, optimizer: Any = "adam", metrics: Any = None):
    model = keras.Sequential([keras.Input(shape), *stack])
    model.compile(optimizer, loss, metrics=metrics)
    return model


def classifier(optimizer: Any = "adam", activation="relu", hidden=2, units=32, **kwargs):
    stack = [layers.Dense(units, activation, **kwargs) for _ in range(hidden)]
    return net((12,), *stack, layers.Dense(3, "softmax"), optimizer=optimizer, metrics=["accuracy"])


def regression(optimizer: Any = "adam", hidden=1, activation="relu", loss: Any = "mse", **kwargs):
    stack = [layers.Dense(32, activation, **kwargs) for _ in range(hidden)]
    return net((12,), *stack, layers.Dense(1), loss=loss, optimizer=optimizer, metrics=["mae"])


def convolutions(optimizer: Any = "adam", **kwargs):
    stack = [layers.Conv2D(8, 3, activation="relu", **kwargs), layers.MaxPooling2D(), layers.Flatten()]
    return net((12, 12, 1), *stack, layers.Dense(4, "softmax"), optimizer=optimizer, metrics=["accuracy"])


def residual():
    x = inputs = keras.Input((12, 12, 1))
    x = layers.Conv2D(8, 3, padding="same")(x)
    for _ in range(3):
        y = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False)(x)))
        x = layers.Add()([x, layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False)(y))])
    model = keras.Model(inputs, layers.Dense(4, "softmax")(layers.GlobalAveragePooling2D()(layers.ReLU()(x))))
    model.compile(SGD(0.1, momentum=0.9), SPARSE, metrics=["accuracy"])
    return model


def recurrent(layer, optimizer: Any = "adam"):
    return net((20, 4), layer, layers.Dense(1), loss="mse", optimizer=optimizer)


def attention():
    inputs = keras.Input((12,), dtype="int32")
    x = layers.Embedding(50, 16)(inputs)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 8)(x, x))
    model = keras.Model(inputs, layers.Dense(2, "softmax")(layers.GlobalAveragePooling1D()(x)))
    model.compile(AdamW(1e-3), SPARSE, metrics=["accuracy"])
    return model


def autoencoder():
    return net((12,), layers.Dense(6, "relu"), layers.Dense(12), loss="mse")


def detached():
    inputs = keras.Input((12,))
    cut = layers.Lambda(keras.ops.stop_gradient)(layers.Dense(16, "relu", name="cut")(inputs))
    model = keras.Model(inputs, layers.Dense(3, "softmax")(cut))
    model.compile("adam", SPARSE)
    return model


def blank():
    """The inputs are lost on the way: every sample looks the same."""
    inputs = keras.Input((12,))
    lost = layers.Lambda(lambda x: x * 0.0)(inputs)
    model = keras.Model(inputs, layers.Dense(4, "softmax")(layers.Dense(64, "relu")(lost)))
    model.compile("adam", SPARSE)
    return model


def several_outputs():
    inputs = keras.Input((12,))
    x = layers.Dense(32, "relu")(inputs)
    model = keras.Model(inputs, {"kind": layers.Dense(3, "softmax")(x), "size": layers.Dense(1)(x)})
    model.compile("adam", {"kind": SPARSE, "size": "mse"}, metrics={"kind": "accuracy", "size": "mae"})
    return model


class Failing(keras.Sequential):
    """A step that fails, whatever the data."""

    def train_step(self, *given):
        raise ValueError("There is no such step.")


def failing():
    model = Failing([keras.Input((12,)), layers.Dense(3, "softmax")])
    model.compile("adam", SPARSE)
    return model


EQUAL = np.arange(256) % 4  # four classes, none more frequent than another
SOUND = {
    "dense, adam": lambda: (classifier(), X, CLASSES),
    "dense, sgd": lambda: (classifier(SGD(0.1)), X, CLASSES),
    "dense, momentum": lambda: (classifier(SGD(0.01, momentum=0.9, nesterov=True)), X, CLASSES),
    "dense, rmsprop": lambda: (classifier(RMSprop(1e-3)), X, CLASSES),
    "tanh": lambda: (classifier(activation="tanh"), X, CLASSES),
    "one layer": lambda: (net((12,), layers.Dense(3, "softmax"), optimizer=SGD(0.05)), X, CLASSES),
    "warm-up": lambda: (classifier(Adam(CosineDecay(0.0, 1000, warmup_target=1e-3, warmup_steps=500))), X, CLASSES),
    "yes or no": lambda: (net((12,), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid"), loss="binary_crossentropy",
                              metrics=["accuracy", "AUC"]), X, YES),
    "regression": lambda: (regression(), X, QUANTITY),
    "linear regression": lambda: (net((12,), layers.Dense(1), loss="mse", optimizer=SGD(0.01)), X, QUANTITY),
    "huber, elu": lambda: (regression(Adam(3e-3), 3, "elu", "huber"), X, QUANTITY),
    "convolutions": lambda: (convolutions(), IMAGES, QUADRANT),
    "residual, sgd": lambda: (residual(), IMAGES, QUADRANT),
    "lstm": lambda: (recurrent(layers.LSTM(16)), SEQUENCES, SUMS),
    "gru, clipped": lambda: (recurrent(layers.GRU(16), Adam(1e-3, clipnorm=1.0)), SEQUENCES, SUMS),
    "attention": lambda: (attention(), TOKENS, TOKENS[:, 0] % 2),
    "autoencoder": lambda: (autoencoder(), X, X),
    "dropout": lambda: (net((12,), layers.Dense(64, "relu"), layers.Dropout(0.5), layers.Dense(3, "softmax")),
                        X, CLASSES),
    "fine-tuning": lambda: (classifier(Adam(1e-4)), X, CLASSES),
    "accumulation": lambda: (classifier(Adam(1e-3, gradient_accumulation_steps=4)), X, CLASSES),
    "several outputs": lambda: (several_outputs(), X, {"kind": CLASSES, "size": QUANTITY}),
    "labels without a rule": lambda: (classifier(), X, DRAW.integers(0, 3, 256)),
}  # fmt: skip
FAULTY = {
    "rate far too high, adam": (("LAM521",), lambda: (classifier(Adam(3.0)), X, CLASSES)),
    "rate far too high, sgd": (("LAM521", "LAM526"), lambda: (regression(SGD(30.0)), X, QUANTITY)),
    "rate too high, convolutions": (("LAM521",), lambda: (convolutions(Adam(1.0)), IMAGES, QUADRANT)),
    "rate far too low, adam": (("LAM522",), lambda: (classifier(Adam(1e-8)), X, CLASSES)),
    "rate far too low, sgd": (("LAM522",), lambda: (classifier(SGD(1e-5)), X, CLASSES)),
    "rate too low, lstm": (("LAM522",), lambda: (recurrent(layers.LSTM(16), SGD(1e-5)), SEQUENCES, SUMS)),
    "dead by bias": (("LAM501",), lambda: (classifier(bias_initializer=CONSTANT(-20.0)), X, CLASSES)),
    "dead by kernel": (("LAM501",), lambda: (regression(kernel_initializer=CONSTANT(-0.5)), abs(X), QUANTITY)),
    "dead maps": (("LAM501",), lambda: (convolutions(bias_initializer=CONSTANT(-9.0)), IMAGES, QUADRANT)),
    "all weights zero": (("LAM506",), lambda: (
        classifier(kernel_initializer="zeros", activation="tanh"), X, EQUAL % 3)),
    "exploding recurrence": (("LAM504", "LAM526", "LAM521", "LAM523"), lambda: (recurrent(layers.SimpleRNN(
        32, activation="linear", recurrent_initializer=NORMAL(stddev=1.0)), SGD(0.01)), SEQUENCES, SUMS)),
    "exploding depth": (("LAM504", "LAM526", "LAM521"), lambda: (
        regression(SGD(0.01), 8, kernel_initializer=NORMAL(stddev=1.0)), X, QUANTITY)),
    "vanishing sigmoids": (("LAM503",), lambda: (classifier(SGD(0.1), "sigmoid", 10), X, CLASSES)),
    "vanishing by small weights": (("LAM503", "LAM523"), lambda: (
        classifier(SGD(0.1), "tanh", 8, kernel_initializer=NORMAL(stddev=0.01)), X, EQUAL % 3)),
    "saturated tanh": (("LAM502",), lambda: (classifier(activation="tanh"), X * 1000, CLASSES)),
    "saturated by weights": (("LAM502",), lambda: (
        regression(activation="sigmoid", kernel_initializer=NORMAL(stddev=50.0)), X, QUANTITY)),
    "unscaled inputs, sgd": (("LAM521", "LAM526"), lambda: (regression(SGD(0.01)), X * 500 + 2000, QUANTITY)),
    "unscaled targets, sgd": (("LAM521", "LAM526", "LAM504"), lambda: (regression(SGD(0.05)), X, QUANTITY * 1e5)),
    "gradient cut off": (("LAM506",), lambda: (detached(), X, CLASSES)),
    "inputs lost": (("LAM523", "LAM506"), lambda: (blank(), X, EQUAL)),
    "equality of probabilities": (("LAM525",), lambda: (net((12,), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid"),
        loss="binary_crossentropy", optimizer=Adam(0.01), metrics=[keras.metrics.Accuracy()]), X, YES)),
    "intersection of probabilities": (("LAM525",), lambda: (net((12,), layers.Dense(16, "relu"), layers.Dense(
        1, "sigmoid"), loss="binary_crossentropy", optimizer=Adam(0.01), metrics=[keras.metrics.MeanIoU(2)]), X, YES)),
    "labels of another shape": (("LAM118", "LAM520"), lambda: (classifier(), X, X[:, :5])),
    "a step of its own that fails": (("LAM520",), lambda: (failing(), X, CLASSES)),
    "rate that would do in a long training": (("LAM524",), lambda: (classifier(SGD(1e-3)), X, CLASSES)),
    "rate that would do, regression": (("LAM524",), lambda: (regression(SGD(1e-4)), X, QUANTITY)),
    "growing from layer to layer": (("LAM527",), lambda: (
        regression(Adam(1e-6), 8, kernel_initializer=NORMAL(stddev=3.0)), X, QUANTITY)),
    "growing without activations": (("LAM527",), lambda: (
        regression(Adam(1e-6), 6, "linear", kernel_initializer=NORMAL(stddev=5.0)), X, QUANTITY)),
    "infinity in the inputs": (("LAM402", "LAM526"), lambda: (
        regression(), np.where(X > 3, np.inf, X), QUANTITY)),
}  # fmt: skip


def main(names):
    """Print time, codes and what was expected of each program."""
    for name, given in {**SOUND, **FAULTY}.items():
        if names and not any(word in name for word in names):
            continue
        expected, make = given if name in FAULTY else ((), given)
        keras.utils.set_random_seed(0)
        model, x, y = make()
        start = time.process_time()
        found = check(model, x, y, probe=True)
        took = time.process_time() - start
        grave = found.of("error", "warning")
        right = any(code in found.codes for code in expected) if expected else not grave
        print(f"{'' if right else 'WRONG '}{name}: {found.codes} for {expected}, {took:.1f} s", flush=True)
        for finding in [] if right else grave:
            print(f"    {finding}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
