"""LAM1xx: each rule catches two wrong programs or more, and is silent on two sound ones or more."""

import numpy as np
import pytest

import lamina as keras
from lamina import layers, losses, metrics
from lamina.models import Model
from tests.check.cases import (
    IMAGES,
    ONE_HOT,
    QUANTITY,
    SEQUENCES,
    THREE,
    YES_NO,
    X,
    head,
    judge,
    named,
    net,
    table,
)

SPARSE, ONE, BINARY = "sparse_categorical_crossentropy", "categorical_crossentropy", "binary_crossentropy"


SHARES = 1 / (1 + np.exp(-QUANTITY))


def squared(y_true, y_pred):
    return (y_true - y_pred) ** 2


def crossed(y_true, y_pred):
    return (y_true - y_pred[:, 0]) ** 2


def two_outputs(activation):
    inputs = layers.Input((4,))
    kind, price = layers.Dense(3, activation, name="kind")(inputs), layers.Dense(1, name="price")(inputs)
    model = Model(inputs, [kind, price])
    model.compile("sgd", {"kind": SPARSE, "price": "mse"})
    return model


def residual_of_own(units):
    """A network of the user's own that adds its input to what it made."""

    class Residual(Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(units)

        def call(self, x):
            return x + self.dense(x)

    model = Residual()
    model.compile("sgd", "mse")
    return model


def starting_at(bias):
    """A regression that ends in relu, over or under 0 for all rows."""
    last = layers.Dense(1, "relu", bias_initializer=keras.initializers.Constant(bias))
    return net(layers.Dense(5, "tanh"), last, loss="mse")


def of_fixed_batch():
    model = keras.Sequential([keras.Input((6, 4), batch_size=16), layers.LSTM(2, stateful=True), layers.Dense(1)])
    model.compile("adam", "mse")
    return model


WRONG = {
    "LAM101": [
        lambda: head(3, "sigmoid", SPARSE),
        lambda: head(3, "sigmoid", losses.CategoricalCrossentropy()),
        lambda: net(layers.Dense(2), layers.Activation("sigmoid"), loss=SPARSE),
        lambda: two_outputs("sigmoid"),
    ],
    "LAM102": [lambda: head(1, "softmax", BINARY), lambda: net(layers.Dense(1), layers.Softmax())],
    "LAM103": [
        lambda: head(3, "softmax", losses.SparseCategoricalCrossentropy(from_logits=True)),
        lambda: head(1, "sigmoid", losses.BinaryCrossentropy(from_logits=True)),
    ],
    "LAM104": [
        lambda: head(3, None, SPARSE),
        lambda: head(1, "relu", BINARY),
        lambda: net(layers.Dense(3), layers.ReLU(), loss=ONE),
        lambda: net(layers.Dense(3, "softmax"), layers.BatchNormalization(), loss=ONE),
        lambda: two_outputs(None),
    ],
    "LAM105": [
        lambda: (head(1, "sigmoid"), X, QUANTITY),
        lambda: (head(1, "relu", "mae"), X, QUANTITY),
        lambda: (head(1, "tanh", losses.Huber()), X, 5 + QUANTITY),
        lambda: (head(3, "softmax"), X, 5 * ONE_HOT),
        lambda: (starting_at(-9.0), X, 2 + SHARES),
    ],
    "LAM106": [
        lambda: (head(2, "softmax", SPARSE), X, THREE),
        lambda: (head(3, "softmax", SPARSE), X, THREE + 1),
        lambda: (head(3, "softmax", SPARSE), X, THREE - 1),
    ],
    "LAM107": [
        lambda: (head(3, "softmax"), X, ONE_HOT),
        lambda: (head(1, "sigmoid", "mae"), X, YES_NO),
        lambda: (head(3, "sigmoid", losses.MeanSquaredError()), X, ONE_HOT),
        lambda: (head(3, "softmax", "poisson"), X, ONE_HOT),
        lambda: (head(1, None, "mse", metrics=["accuracy"]), X, THREE),
        lambda: (head(1, "tanh", "mse"), X, YES_NO[:, None]),
        lambda: (head(3, "softmax", losses.mean_absolute_error), X, THREE),
    ],
    "LAM108": [
        lambda: (head(4, "softmax", ONE), X, ONE_HOT),
        lambda: (head(2, "sigmoid", BINARY), X, ONE_HOT),
        lambda: (head(2), X, X),
    ],
    "LAM109": [
        lambda: (head(3, "softmax", SPARSE), X, ONE_HOT),
        lambda: (head(3, "softmax", ONE), X, THREE),
        lambda: (head(3, "softmax", ONE), X, THREE[:, None]),
    ],
    "LAM110": [
        lambda: (head(1, "sigmoid", BINARY), X, 2 * YES_NO - 1),
        lambda: (head(1, "sigmoid", BINARY), X, THREE),
        lambda: (head(3, "softmax", SPARSE), X, np.abs(QUANTITY)),
        lambda: (head(1, "tanh", "hinge"), X, THREE),
        lambda: (head(1, "softplus", losses.Poisson()), X, QUANTITY),
        lambda: (head(1, None, "msle"), X, QUANTITY),
        lambda: (head(1, None, "mape"), X, np.maximum(QUANTITY, 0)),
        lambda: (head(3, "softmax", SPARSE), X, np.array(["a", "b", "c"])[THREE]),
    ],
    "LAM111": [
        lambda: (head(3, "softmax", ONE), X, 1 - ONE_HOT),
        lambda: (head(4, "softmax", ONE), X, (X > 0).astype("float32")),
    ],
    "LAM112": [
        lambda: (head(1, None, crossed), X, QUANTITY), lambda: (head(1, None, crossed), X, QUANTITY[:, None]),
    ],
    "LAM125": [
        lambda: head(3, "softmax", losses.CategoricalCrossentropy(label_smoothing=0.8)),
        lambda: head(1, "sigmoid", losses.BinaryFocalCrossentropy(gamma=50.0)),
    ],
    "LAM113": [
        lambda: head(1, None, "mse", metrics=["accuracy"]),
        lambda: head(3, "softmax", ONE, metrics=[metrics.SparseCategoricalAccuracy()]),
        lambda: head(3, "softmax", SPARSE, metrics=["categorical_accuracy"]),
        lambda: head(3, "softmax", SPARSE, metrics=["binary_accuracy"]),
        lambda: head(1, None, losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy"]),
        lambda: head(1, None, losses.BinaryCrossentropy(from_logits=True), metrics=["AUC"]),
        lambda: (head(1, "sigmoid", "binary_crossentropy", metrics=["accuracy"]), X, SHARES),
    ],
    "LAM114": [
        lambda: head(1, None, losses.SparseCategoricalCrossentropy(from_logits=True)),
        lambda: head(1, "sigmoid", ONE),
    ],
    "LAM115": [
        lambda: head(3, "softmax", BINARY),
        lambda: net(layers.Dense(4), layers.Softmax(), loss=losses.BinaryCrossentropy()),
    ],
    "LAM116": [
        lambda: (net(layers.Dense(1), shape=(6, 4), loss="mse"), SEQUENCES, QUANTITY),
        lambda: (net(layers.Conv2D(4, 3), layers.Dense(3, "softmax"), shape=(8, 8, 3), loss=SPARSE), IMAGES, THREE),
        lambda: (net(layers.LSTM(4, return_sequences=True), layers.Dense(3, "softmax"), shape=(6, 4), loss=ONE),
                 SEQUENCES, ONE_HOT),
    ],
    "LAM117": [
        lambda: (head(1), X[:, :3], QUANTITY),
        lambda: (keras.Sequential([layers.LSTM(4), layers.LSTM(4)]), SEQUENCES, QUANTITY),
        lambda: (keras.Sequential([layers.Conv2D(4, 9)]), IMAGES, None),
        lambda: (head(1), X.astype(str), QUANTITY),
        lambda: (head(1), [[1, 2], [3]], QUANTITY),
        lambda: (residual_of_own(3), X, X),
    ],
    "LAM118": [
        lambda: (head(1), X, QUANTITY[:5]),
        lambda: (head(1), X, None),
        lambda: (net(layers.Conv2D(1, 3, activation="sigmoid"), shape=(8, 8, 3), loss=BINARY), IMAGES, IMAGES[..., :1]),
    ],
    "LAM119": [
        lambda: head(1, "sigmoid", "hinge"),
        lambda: head(3, "softmax", losses.SquaredHinge()),
        lambda: head(1, None, losses.poisson),
        lambda: head(3, "relu", "kl_divergence"),
        lambda: head(1, "sigmoid", losses.KLDivergence()),
        lambda: head(1, None, "cosine_similarity"),
    ],
    "LAM120": [
        lambda: (head(3, "sigmoid", BINARY), X, ONE_HOT),
        lambda: (head(3, None, losses.BinaryCrossentropy(from_logits=True)), X, ONE_HOT.astype("int64")),
    ],
    "LAM121": [
        lambda: (head(10, "softmax", SPARSE), X, THREE),
        lambda: (head(3, None, losses.SparseCategoricalCrossentropy(from_logits=True)), X, YES_NO),
    ],
}  # fmt: skip

SOUND = {
    "LAM101": [
        lambda: head(3, "softmax", SPARSE),
        lambda: head(3, "sigmoid", BINARY),
        lambda: two_outputs("softmax"),
        lambda: head(3, lambda x: x / 2, SPARSE),
    ],
    "LAM102": [lambda: head(2, "softmax", SPARSE), lambda: net(layers.Dense(1), layers.Softmax(1), shape=(6, 4))],
    "LAM103": [
        lambda: head(3, None, losses.SparseCategoricalCrossentropy(from_logits=True)),
        lambda: head(1, "sigmoid", BINARY),
    ],
    "LAM104": [
        lambda: head(3, None, losses.CategoricalCrossentropy(from_logits=True)),
        lambda: net(layers.Dense(3), layers.Lambda(lambda x: abs(x)), loss=SPARSE),
        lambda: net(layers.Dense(3, "softmax"), layers.Activation("linear"), loss=SPARSE),
    ],
    "LAM105": [
        lambda: (head(1), X, QUANTITY),
        lambda: (head(1, "tanh"), X, np.tanh(QUANTITY)),
        lambda: (head(1, "relu"), X, QUANTITY**2),
        lambda: (starting_at(9.0), X, 2 + SHARES),
    ],
    "LAM106": [
        lambda: (head(3, "softmax", SPARSE), X, THREE),
        lambda: (head(3, None, losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)), X,
                 np.where(THREE == 0, 255, THREE)),
    ],
    "LAM107": [
        lambda: (head(4, "sigmoid"), X, np.abs(np.tanh(X))),
        lambda: (head(3, "softmax", ONE), X, ONE_HOT),
        lambda: (head(1), X, 100.0 + THREE),
    ],
    "LAM108": [lambda: (head(3, "softmax", ONE), X, ONE_HOT), lambda: (head(4), X, X)],
    "LAM109": [lambda: (head(3, "softmax", SPARSE), X, THREE[:, None]), lambda: (head(3, "softmax", ONE), X, ONE_HOT)],
    "LAM110": [
        lambda: (head(1, "sigmoid", BINARY), X, YES_NO),
        lambda: (head(1, "sigmoid", BINARY), X, np.clip(QUANTITY, 0, 1)),
        lambda: (head(3, "softmax", SPARSE), X, THREE.astype("float32")),
    ],
    "LAM111": [
        lambda: (head(3, "softmax", ONE), X, 0.9 * ONE_HOT + 0.1 / 3),
        lambda: (head(3, "softmax", ONE), X, ONE_HOT * (YES_NO[:, None] > 0)),
    ],
    "LAM112": [
        lambda: (head(1, None, squared), X, QUANTITY[:, None]), lambda: (head(1, None, squared), X, QUANTITY),
        lambda: (head(1), X, QUANTITY),
    ],
    "LAM125": [
        lambda: head(3, "softmax", losses.CategoricalCrossentropy(label_smoothing=0.2)),
        lambda: head(1, "sigmoid", losses.BinaryFocalCrossentropy(gamma=5.0)),
    ],
    "LAM113": [
        lambda: (head(1, "sigmoid", "binary_crossentropy", metrics=["accuracy"]), X, 0.1 + 0.8 * YES_NO),
        lambda: head(1, None, "mse", metrics=["mae"]),
        lambda: head(1, None, losses.BinaryCrossentropy(from_logits=True), metrics=[metrics.AUC(from_logits=True)]),
        lambda: head(3, "softmax", SPARSE, metrics=["accuracy"]),
        lambda: head(
            1, None, losses.BinaryCrossentropy(from_logits=True), metrics=[metrics.BinaryAccuracy(threshold=0.0)]
        ),
    ],
    "LAM114": [lambda: head(1, "sigmoid", BINARY), lambda: head(2, "softmax", SPARSE)],
    "LAM115": [lambda: head(3, "softmax", ONE), lambda: head(3, "sigmoid", BINARY)],
    "LAM116": [
        lambda: (net(layers.Dense(1), shape=(6, 4), loss="mse"), SEQUENCES, SEQUENCES[..., 0]),
        lambda: (net(layers.GlobalAveragePooling1D(), layers.Dense(3, "softmax"), shape=(6, 4), loss=SPARSE),
                 SEQUENCES, THREE),
        lambda: (net(layers.Dense(3, "softmax"), shape=(1, 4), loss=SPARSE), SEQUENCES[:, :1], THREE[:, None]),
        # as many positions as classes in this batch, others in the batch that the model was built with
        lambda: (net(layers.Dense(3, "softmax"), shape=(6, 4), loss=squared), SEQUENCES,
                 THREE[:, None].repeat(3, 1)),
    ],
    "LAM117": [
        lambda: (keras.Sequential([layers.LSTM(4)]), SEQUENCES, QUANTITY),
        lambda: (residual_of_own(4), X, X),
        lambda: (keras.Sequential([keras.Input((1,), dtype="string"), layers.Hashing(4)]), X[:, :1].astype(str), None),
        lambda: (head(1), X.tolist(), QUANTITY.tolist()),
    ],
    "LAM118": [
        lambda: (head(1), X, QUANTITY[:, None]),
        lambda: (of_fixed_batch(), SEQUENCES, QUANTITY),
        lambda: (net(layers.Dense(3, "softmax"), shape=(6, 4), loss=SPARSE), SEQUENCES, np.zeros((64, 6, 1))),
    ],
    "LAM119": [
        lambda: head(1, "tanh", "hinge"),
        lambda: head(1, "exponential", "poisson"),
        lambda: head(3, "softmax", losses.KLDivergence()),
        lambda: head(8, None, "cosine_similarity"),
        lambda: head(3, "softmax", "categorical_hinge"),
    ],
    "LAM120": [
        lambda: (head(3, "softmax", ONE), X, ONE_HOT),
        lambda: (head(4, "sigmoid", BINARY), X, (X > 0).astype("float32")),
        lambda: (head(3, "sigmoid", BINARY), X, 0.8 * ONE_HOT),
    ],
    "LAM121": [
        lambda: (head(3, "softmax", SPARSE), X, THREE),
        lambda: (head(64, "softmax", SPARSE), X, np.arange(64)),
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", table(WRONG, SOUND), ids=named)
def test_rule(case):
    judge(*case)
