"""LAM2xx: each rule catches two wrong programs or more, and is silent on two sound ones or more."""

import numpy as np
import pytest

import lamina as keras
from lamina import layers
from lamina.models import Model
from tests.check.cases import X, judge, named, net, table

L = layers


def masked(*stack):
    return net(L.Embedding(10, 4, mask_zero=True), *stack, shape=(6,))


def branches(loss, share=False):
    inputs = keras.Input((4,))
    x = L.Dense(5, "relu", name="body")(inputs)
    one, two = L.Dense(1, name="one")(x), (L.Identity(name="two") if share else L.Dense(2, name="two"))(x)
    model = Model(inputs, [one, two])
    model.compile("sgd", loss)
    return model


def inputs_of(used):
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    return Model([left, right], L.Dense(1)(L.Add()([left, right]) if used else left))


def pointwise():
    """A convolution that sees one place, and pooling."""
    return L.Conv2D(8, 1, activation="relu"), L.MaxPooling2D()


def squeezed():
    """Two relu units that weigh channels, beside the channels themselves."""
    inputs = keras.Input((4,))
    x = L.Dense(8, "relu")(inputs)
    x = L.Multiply()([x, L.Dense(8, "sigmoid")(L.Dense(2, "relu")(x))])
    model = Model(inputs, L.Dense(1)(x))
    model.compile("adam", "mse")
    return model


def residual():
    inputs = keras.Input((4,))
    x = L.Dense(4, kernel_initializer="zeros")(inputs)
    return Model(inputs, L.Dense(1)(L.Add()([inputs, x])))


def twice(merge):
    inputs = keras.Input((4,))
    x = L.Dense(8, "relu")(inputs)
    return Model(inputs, L.Dense(1)(merge([x, x])))


def adapted():
    layer = L.Normalization()
    layer.adapt(X)
    return layer


class Turned(L.Layer):
    """Nothing inside takes the input as it is."""

    def __init__(self):
        super().__init__()
        self.dense = L.Dense(2)

    def call(self, inputs):
        return self.dense(keras.ops.flip(inputs, axis=-1))


class Unseen(Model):
    def __init__(self):
        super().__init__()
        self.dense = L.Dense(1)

    def call(self, x):
        return self.dense(x)


def seen():
    model = Unseen()
    model(X[:1])
    return model


WRONG = {
    "LAM201": [
        lambda: net(L.Dense(16, "relu"), L.Flatten(), L.Dense(3), shape=(28, 28)),
        lambda: net(L.Dense(9, "relu"), L.Dropout(0.2), L.Dense(8, "relu"), L.Flatten(), L.Dense(3), shape=(28, 28, 1)),
    ],
    "LAM202": [
        lambda: net(L.Dense(8, "relu"), L.MaxPooling1D(), L.Flatten(), L.Dense(1), shape=(6, 4)),
        lambda: net(L.Dense(8), L.ReLU(), L.AveragePooling2D(), L.Flatten(), shape=(8, 8, 3)),
    ],
    "LAM203": [
        lambda: net(L.Conv1D(4, 3), L.Dense(8, "relu"), L.MaxPooling1D(), L.Conv1D(4, 2), shape=(12, 4)),
        lambda: net(L.Conv2D(4, 3), L.Dense(8, "relu"), L.Conv2D(4, 3), shape=(8, 8, 3)),
    ],
    "LAM204": [
        lambda: net(L.Dense(3), L.Flatten()),
        lambda: net(L.GlobalAveragePooling2D(), L.Flatten(), L.Dense(2), shape=(8, 8, 3)),
    ],
    "LAM205": [
        lambda: net(L.Dense(8), L.Dense(1)),
        lambda: net(L.Dense(8, "relu"), L.Dense(8), L.Dropout(0.2), L.Dense(3, "softmax")),
        lambda: net(L.Conv2D(8, 3), L.Conv2D(8, 3, activation="relu"), shape=(8, 8, 3)),
    ],
    "LAM206": [
        lambda: net(L.Dense(8, "relu"), L.Activation("relu"), L.Dense(1)),
        lambda: net(L.Dense(3, "softmax"), L.Softmax()),
        lambda: net(L.Dense(1, "sigmoid"), L.Activation("sigmoid")),
    ],
    "LAM207": [
        lambda: net(L.Dense(3, "softmax"), L.ReLU()),
        lambda: net(L.Dense(3, "softmax"), L.Activation("sigmoid")),
        lambda: net(L.Dense(3, "relu"), L.Softmax()),
    ],
    "LAM208": [
        lambda: net(L.Dense(8), L.BatchNormalization(), L.ReLU()),
        lambda: net(L.Conv2D(4, 3), L.BatchNormalization(), shape=(8, 8, 3)),
    ],
    "LAM209": [
        lambda: net(L.Dense(8, "relu"), L.Dropout(0.5), L.BatchNormalization(), L.Dense(1)),
        lambda: net(L.Conv2D(4, 3), L.SpatialDropout2D(0.2), L.BatchNormalization(), shape=(8, 8, 3)),
    ],
    "LAM210": [
        lambda: net(L.Conv2D(4, 3, activation="relu"), L.Dropout(0.2), L.Conv2D(4, 3), shape=(8, 8, 3)),
        lambda: net(L.Conv1D(4, 3, activation="relu"), L.MaxPooling1D(), L.Dropout(0.2), L.Conv1D(4, 2), shape=(12, 4)),
    ],
    "LAM211": [
        lambda: net(L.Dense(3, "softmax"), L.Dropout(0.2)),
        lambda: net(L.Dense(8, "relu"), L.Dense(1), L.Dropout(0.5), loss="mse"),
    ],
    "LAM212": [
        lambda: net(L.Dense(8, "relu"), L.Dropout(0.5), L.Dense(1), loss="mse"),
        lambda: net(L.Dense(8, "relu"), L.Dropout(0.1), L.Dense(2), loss="huber"),
    ],
    "LAM213": [
        lambda: net(L.Conv2D(32, 3), L.Flatten(), L.Dense(256, "relu"), shape=(16, 16, 3)),
        lambda: net(L.Conv1D(64, 3), L.Flatten(), L.Dropout(0.5), L.Dense(256, "relu"), shape=(66, 4)),
    ],
    "LAM214": [
        lambda: net(L.Conv2D(4, 3, 8, padding="same"), L.Conv2D(4, 3, padding="same"), shape=(8, 8, 3)),
        lambda: net(L.MaxPooling1D(6), L.Conv1D(4, 3, padding="same"), shape=(6, 4)),
    ],
    "LAM215": [
        lambda: net(L.LSTM(4), L.Dense(1), shape=(1, 12)),
        lambda: net(L.LSTM(4), L.Reshape((1, 4)), L.LSTM(4), L.Dense(1), shape=(6, 4)),
    ],
    "LAM216": [
        lambda: masked(L.Conv1D(4, 3, padding="same"), L.LSTM(4)),
        lambda: masked(L.Conv1D(4, 3, padding="same"), L.GlobalAveragePooling1D()),
        lambda: masked(L.Flatten(), L.Dense(3)),
        lambda: masked(L.LSTM(4, return_sequences=True), L.Flatten(), L.Dense(3)),
    ],
    "LAM217": [lambda: branches(["mse", None]), lambda: branches({"one": "mse"})],
    "LAM218": [
        lambda: inputs_of(used=False),
        lambda: Model([a := keras.Input((4,)), keras.Input((2,))], L.Dense(1)(L.Dense(3, "relu")(a))),
    ],
    "LAM219": [
        lambda: net(L.Dense(8, "relu", kernel_initializer="zeros"), L.Dense(1)),
        lambda: net(L.Conv2D(4, 3, kernel_initializer="ones"), L.Flatten(), L.Dense(1), shape=(8, 8, 3)),
        lambda: net(L.Dense(8, "tanh", kernel_initializer=keras.initializers.Constant(0.1)), L.Dense(1)),
    ],
    "LAM220": [
        lambda: net(L.Conv2D(4, 3, padding="same"), shape=(3, 32, 32)),
        lambda: net(L.Conv2D(4, 3, padding="same"), shape=(1, 28, 28)),
    ],
    "LAM222": [
        lambda: net(L.Dense(8, "softmax"), L.Dense(3)),
        lambda: net(L.Dense(8), L.Softmax(), L.Dropout(0.2), L.Dense(3)),
    ],
    "LAM223": [
        lambda: net(*(L.Dense(8, "sigmoid") for _ in range(4)), L.Dense(1)),
        lambda: net(*(layer for _ in range(3) for layer in (L.Dense(8), L.Activation("sigmoid"))), L.Dense(1)),
        lambda: net(*(L.Dense(8, "tanh") for _ in range(9)), L.Dense(1)),
    ],
    "LAM224": [
        lambda: net(*(L.Dense(8, "relu") for _ in range(12)), L.Dense(1)),
        lambda: net(*(L.Conv2D(8, 3, padding="same", activation="relu") for _ in range(12)), shape=(8, 8, 3)),
    ],
    "LAM243": [
        lambda: net(L.Normalization(), L.Dense(1)),
        lambda: net(L.Dense(8), L.LeakyReLU(negative_slope=1.0), L.Dense(1)),
        lambda: net(L.Dense(8), L.BatchNormalization(momentum=1.0), L.Dense(1)),
        lambda: twice(L.Add()),
        lambda: twice(L.Subtract()),
    ],
    "LAM225": [
        lambda: net(L.Dense(2, "relu"), L.Dense(10, "softmax"), loss="sparse_categorical_crossentropy"),
        lambda: net(L.Dense(1, "sigmoid"), L.Dense(1, "sigmoid"), loss="binary_crossentropy"),
        lambda: net(L.Dense(4, "tanh"), L.Dropout(0.1), L.Dense(10, "softmax"), loss="categorical_crossentropy"),
        lambda: net(L.Dense(2, "relu"), L.Dense(1, "sigmoid"), loss="binary_crossentropy"),
        lambda: net(L.LSTM(1), L.Dense(1, "sigmoid"), shape=(6, 4), loss="binary_crossentropy"),
        lambda: net(L.GlobalAveragePooling1D(), L.Dense(8, "relu"), L.Dense(2, "softmax"), shape=(9, 1), loss="mse"),
        lambda: net(L.Dense(16, "relu"), L.Dense(1), L.ReLU(), L.Dense(8, "relu"), L.Dense(1), loss="mse"),
    ],
    "LAM226": [
        lambda: net(L.Conv2D(8, 3), L.Flatten(), L.Dense(3), shape=(8, 8, 3)),
        lambda: net(L.Conv2D(8, 3), L.MaxPooling2D(), L.Conv2D(8, 3, activation="relu"), shape=(8, 8, 3)),
    ],
    "LAM227": [
        lambda: net(*pointwise(), *pointwise(), L.Flatten(), L.Dense(3), shape=(8, 8, 3)),
        lambda: net(L.MaxPooling2D(), L.Conv2D(8, 3, activation="relu"), L.Flatten(), shape=(16, 16, 3)),
        lambda: net(L.Conv2D(8, 3), L.ReLU(), L.Conv2D(8, 7), L.ReLU(), L.Flatten(), shape=(16, 16, 3)),
        lambda: net(L.Conv1D(32, 3), L.ReLU(), L.Conv1D(8, 3), L.GlobalMaxPooling1D(), shape=(16, 3)),
        lambda: net(L.Conv2D(8, 3), L.ReLU(), L.MaxPooling2D(4), L.Flatten(), shape=(16, 16, 3)),
    ],
    "LAM221": [Unseen, lambda: keras.Sequential([L.Dense(1)])],
}  # fmt: skip

SOUND = {
    "LAM201": [
        lambda: net(L.Flatten(), L.Dense(16, "relu"), L.Dense(3), shape=(28, 28)),
        lambda: net(L.Dense(16, "relu"), L.GlobalMaxPooling1D(), L.Dense(3), shape=(28, 3)),
        lambda: net(L.Embedding(9, 4), L.Dense(4, "relu"), L.Flatten(), L.Dense(1), shape=(6,)),
    ],
    "LAM202": [
        lambda: net(L.Dense(8, "relu"), L.GlobalMaxPooling1D(), L.Dense(1), shape=(6, 4)),
        lambda: net(L.Conv1D(8, 3), L.MaxPooling1D(), L.Flatten(), shape=(6, 4)),
    ],
    "LAM203": [
        lambda: net(L.Conv1D(4, 3), L.Flatten(), L.Dense(8), shape=(12, 4)),
        lambda: net(L.Conv2D(4, 3), L.Conv2D(8, 1, activation="relu"), L.Conv2D(4, 3), shape=(8, 8, 3)),
    ],
    "LAM204": [lambda: net(L.Flatten(), shape=(6, 4)), lambda: net(L.Dense(3), L.Reshape((3,)))],
    "LAM205": [
        lambda: net(L.Dense(8, "relu"), L.Dense(1)),
        lambda: net(L.Dense(2), L.Dense(8, "relu")),
        lambda: net(L.Dense(8), L.BatchNormalization(), L.Dense(1)),
        lambda: net(L.Dense(8), L.LeakyReLU(), L.Dense(1)),
        lambda: net(L.Conv2D(8, (1, 7), padding="same"), L.Conv2D(8, (7, 1), padding="same"), shape=(8, 8, 3)),
    ],
    "LAM206": [
        lambda: net(L.Dense(8), L.Activation("relu"), L.Dense(1)),
        lambda: net(L.Dense(8, "relu"), L.BatchNormalization(), L.Activation("relu")),
    ],
    "LAM207": [
        lambda: net(L.Dense(3), L.Softmax()),
        lambda: net(L.Dense(3, "softmax"), L.Activation("linear")),
        lambda: net(L.Dense(3, "relu"), L.Dense(3), L.Softmax()),
    ],
    "LAM208": [
        lambda: net(L.Dense(8, use_bias=False), L.BatchNormalization()),
        lambda: net(L.Dense(8, "relu"), L.BatchNormalization()),
    ],
    "LAM209": [
        lambda: net(L.Dense(8), L.BatchNormalization(), L.ReLU(), L.Dropout(0.5), L.Dense(1)),
        lambda: net(L.Dropout(0.5), L.LayerNormalization()),
    ],
    "LAM210": [
        lambda: net(L.Conv2D(4, 3), L.SpatialDropout2D(0.2), L.Conv2D(4, 3), shape=(8, 8, 3)),
        lambda: net(L.Conv2D(4, 3), L.Flatten(), L.Dropout(0.2), L.Dense(1), shape=(8, 8, 3)),
    ],
    "LAM211": [
        lambda: net(L.Dropout(0.2), L.Dense(3, "softmax")),
        lambda: net(L.Dense(8, "relu"), L.Dropout(0.2)),
    ],
    "LAM212": [
        lambda: net(L.Dropout(0.5), L.Dense(3, "softmax"), loss="sparse_categorical_crossentropy"),
        lambda: net(L.Dropout(0.5), L.Dense(8, "relu"), L.Dense(1), loss="mse"),
    ],
    "LAM213": [
        lambda: net(L.Conv2D(32, 3), L.GlobalAveragePooling2D(), L.Dense(256, "relu"), shape=(16, 16, 3)),
        lambda: net(L.Conv2D(4, 3), L.Flatten(), L.Dense(16, "relu"), shape=(16, 16, 3)),
    ],
    "LAM214": [
        lambda: net(L.Conv2D(4, 3, 4, padding="same"), L.Conv2D(4, 3, padding="same"), shape=(8, 8, 3)),
        lambda: net(L.Conv2D(4, 3, 8, padding="same"), L.Conv2D(4, 1), L.Conv2DTranspose(4, 3, 2), shape=(8, 8, 3)),
    ],
    "LAM215": [
        lambda: net(L.LSTM(4, return_sequences=True), L.LSTM(4), shape=(6, 4)),
        lambda: net(L.LSTM(4), L.RepeatVector(5), L.LSTM(4, return_sequences=True), shape=(6, 4)),
    ],
    "LAM216": [
        lambda: masked(L.Dropout(0.2), L.LSTM(4)),
        lambda: masked(L.Conv1D(4, 3), L.GlobalMaxPooling1D()),
        lambda: net(L.Embedding(10, 4), L.Flatten(), L.Dense(3), shape=(6,)),
        lambda: net(L.Embedding(10, 4), L.Conv1D(4, 3), L.LSTM(4), shape=(6,)),
    ],
    "LAM217": [lambda: branches(["mse", "mse"]), lambda: branches(["mse", None], share=True)],
    "LAM218": [lambda: inputs_of(used=True), lambda: net(L.Dense(1)), lambda: net(Turned())],
    "LAM219": [
        residual,
        lambda: net(L.Dense(8, "relu"), L.Dense(1, kernel_initializer="zeros")),
        lambda: net(L.Dense(8, "relu", bias_initializer="ones"), L.Dense(1)),
    ],
    "LAM220": [
        lambda: net(L.Conv2D(4, 3, padding="same"), shape=(32, 32, 3)),
        lambda: net(L.Conv2D(4, (1, 3), padding="same"), shape=(1, 128, 2)),
    ],
    "LAM222": [
        lambda: net(L.Dense(8, "relu"), L.Dense(3, "softmax")),
        lambda: Model(
            a := keras.Input((4,)), L.Dense(1)(L.Multiply()([L.Dense(4, "softmax")(a), L.Dense(4, "relu")(a)]))
        ),
    ],
    "LAM223": [
        lambda: net(L.Dense(8, "sigmoid"), L.Dense(8, "sigmoid"), L.Dense(1, "sigmoid")),
        lambda: net(*(layer for _ in range(4) for layer in (L.Dense(8, "sigmoid"), L.LayerNormalization()))),
    ],
    "LAM224": [
        lambda: net(*(layer for _ in range(12) for layer in (L.Dense(8, "relu"), L.BatchNormalization())), L.Dense(1)),
        lambda: net(*(L.Dense(8, "relu") for _ in range(5)), L.Dense(1)),
    ],
    "LAM243": [
        lambda: net(L.Normalization(mean=0.0, variance=1.0), L.Dense(1)),
        lambda: net(adapted(), L.Dense(8), L.LeakyReLU(), L.Dense(1)),
        lambda: net(L.Rescaling(1 / 255), L.Normalization(), L.Dense(1)),  # as EfficientNet has it
        lambda: twice(L.Multiply()),
        lambda: twice(L.Concatenate()),
        residual,
    ],
    "LAM225": [
        lambda: net(L.Dense(64, "relu"), L.Dense(500, "softmax"), loss="sparse_categorical_crossentropy"),
        lambda: net(L.Dense(2, "tanh"), L.Dense(1, "sigmoid"), loss="binary_crossentropy"),
        lambda: net(L.Dense(1), L.Dense(1), loss="mse"),
        lambda: net(L.Dense(3, "relu"), L.Dense(1), loss="mse"),
        squeezed,
        lambda: net(L.LSTM(4), L.Dense(1, "sigmoid"), shape=(6, 4), loss="binary_crossentropy"),
        lambda: net(L.GlobalAveragePooling1D(), L.Dense(8, "relu"), L.Dense(2, "softmax"), shape=(9, 3), loss="mse"),
    ],
    "LAM226": [
        lambda: net(L.Conv2D(8, 3, activation="relu"), L.Flatten(), L.Dense(3), shape=(8, 8, 3)),
        lambda: net(L.Conv2D(8, 3), L.LeakyReLU(), L.Flatten(), L.Dense(3), shape=(8, 8, 3)),
        lambda: net(L.Conv2D(8, 3, use_bias=False), L.BatchNormalization(), L.Flatten(), L.Dense(3), shape=(8, 8, 3)),
    ],
    "LAM227": [
        lambda: net(L.Conv2D(8, 1, activation="relu"), L.Flatten(), L.Dense(3), shape=(8, 8, 3)),
        lambda: net(L.Conv2D(8, 3), L.ReLU(), L.MaxPooling2D(), L.Conv2D(16, 3), L.Flatten(), shape=(16, 16, 3)),
        lambda: net(L.Conv2D(8, 7), L.ReLU(), L.Conv2D(16, 3), L.AveragePooling2D(8), shape=(16, 16, 3)),
        lambda: net(L.Conv2D(16, 3), L.ReLU(), L.Conv2DTranspose(8, 3), L.Conv2D(3, 3), shape=(16, 16, 3)),
    ],
    "LAM221": [seen, lambda: (Unseen(), X, np.zeros(64, "float32"))],
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*does not support masking")  # Layer warns of what LAM216 finds
@pytest.mark.parametrize("case", table(WRONG, SOUND), ids=named)
def test_rule(case):
    judge(*case)
