"""Faults that are asked about in forums, second part: metrics, gradients that stop, futures that are seen, outputs."""

import numpy as np

from benchmarks.faults.data import choices, images, one_hot, quantity, rows, yes_no
from benchmarks.faults.drawn import blobs, next_words
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    as_trained,
    keras,
    layers,
    metrics,
    ops,
    optimizers,
)
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import DEEPFD, FORUM, GITHUB, NEURALINT, SCIENCE

SPARSE = "sparse_categorical_crossentropy"


@faulty("frozen weights", source=f"{FORUM}: for layer in model.layers, with the head among them")
def the_head_is_frozen_too(pick):
    """All layers are frozen after the head was added."""
    x, y = images(32, 3, 4)
    base = Sequential([Input((32, 32, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    base.add(layers.Conv2D(32, 3, activation="relu"))
    as_trained(base)
    net = Sequential([Input((32, 32, 3)), *base.layers, layers.GlobalAveragePooling2D()])
    net.add(layers.Dense(4, activation="softmax"))
    for layer in net.layers[: pick(None, -1)]:
        layer.trainable = False
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("metric", source=f"{FORUM}: 0.9 by binary_accuracy of ten classes")
def binary_accuracy_of_ten_classes(pick):
    """metrics=["binary_accuracy"] on one-hot labels of ten classes: 0.9 from the start."""
    x, y = images(28, 1, 10)
    net = Sequential([Input((28, 28, 1)), layers.Flatten(), layers.Dense(64, activation="relu")])
    net.add(layers.Dense(10, activation="softmax"))
    net.compile("adam", "categorical_crossentropy", metrics=[pick("binary_accuracy", "categorical_accuracy")])
    return net, x, one_hot(y, 10), {"epochs": 10}


@faulty("metric", source=f"{FORUM}: SparseTopKCategoricalAccuracy of five classes")
def the_first_five_of_five(pick):
    """Top-5 accuracy of five classes is 1."""
    x, y = blobs(600, 12, 5)
    net = Sequential([Input((12,)), layers.Dense(32, activation="relu"), layers.Dense(5, activation="softmax")])
    net.compile("adam", SPARSE, metrics=[metrics.SparseTopKCategoricalAccuracy(k=pick(5, 2))])
    return net, x, y, {"epochs": 20}


@faulty("disconnected", source=f"{FORUM}: call takes two inputs and uses one")
def second_input_is_not_used(pick):
    """A subclassed network ignores its second input."""
    x, z = rows(8), rows(4, seed=3)
    y = quantity(np.concatenate([x, z], axis=1))

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.left, self.right = layers.Dense(32, activation="relu"), layers.Dense(32, activation="relu")
            self.head = layers.Dense(1)

        def call(self, inputs):
            first, second = inputs
            a, b = self.left(first), self.right(pick(first, second))
            return self.head(ops.concatenate([a, b], axis=-1))

    net = Net()
    net.compile("adam", "mse")
    return net, [x, z], y, {"epochs": 30}


@faulty("disconnected", "gradient flow", "frozen weights", source=f"{GITHUB}: stop_gradient around the features")
def features_without_gradients(pick):
    """ops.stop_gradient stands behind the convolutions."""
    x, y = images(24, 1, 4)
    inputs = Input((24, 24, 1))
    z = layers.Conv2D(16, 3, activation="relu")(inputs)
    z = layers.GlobalMaxPooling2D()(layers.Conv2D(32, 3, activation="relu")(z))
    if pick(True, False):
        z = layers.Lambda(ops.stop_gradient)(z)
    net = Model(inputs, layers.Dense(4, activation="softmax")(z))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("disconnected", "gradient flow", source=f"{GITHUB}, keras-team/keras#11157: argmax in the network")
def argmax_between_the_layers(pick):
    """A softmax, its argmax, and an embedding of it."""
    x, y = blobs(600, 12, 3)
    inputs = Input((12,))
    z = layers.Dense(32, activation="relu")(inputs)
    if pick(True, False):
        z = layers.Dense(8, activation="softmax")(z)
        z = layers.Embedding(8, 16)(layers.Lambda(lambda t: ops.argmax(t, axis=-1))(z))
    net = Model(inputs, layers.Dense(3, activation="softmax")(z))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 30}


@faulty("output activation", source=f"{FORUM}: K.softmax over the batch")
def softmax_over_the_batch(pick):
    """Lambda(softmax(axis=0)) at the end."""
    x, y = blobs(600, 12, 4)
    net = Sequential([Input((12,)), layers.Dense(32, activation="relu"), layers.Dense(4)])
    net.add(layers.Lambda(lambda t: ops.softmax(t, axis=pick(0, -1))))
    net.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return net, x, one_hot(y, 4), {"epochs": 20}


@faulty("loss", "disconnected", source=f"{FORUM}: a loss of the labels alone")
def the_loss_forgets_the_predictions(pick):
    """`y_true - y_true` by a slip of the pen."""
    x = rows(8)

    def loss(y_true, y_pred):
        return ops.mean(ops.abs(y_true - pick(y_true, y_pred)), axis=-1)

    net = Sequential([Input((8,)), layers.Dense(32, activation="relu"), layers.Dense(1)])
    net.compile("adam", loss)
    return net, x, quantity(x)[:, None], {"epochs": 30}


@faulty("loss", source=f"{FORUM}: K.binary_crossentropy(y_pred, y_true)")
def crossentropy_the_wrong_way_round(pick):
    """binary_crossentropy of predictions and labels in the wrong order, weighted."""
    x = rows(12)

    def weighted(y_true, y_pred):
        pair = pick((y_pred, y_true), (y_true, y_pred))
        return ops.mean(ops.binary_crossentropy(*pair) * (1 + 2 * y_true), axis=-1)

    net = Sequential([Input((12,)), layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid")])
    net.compile("adam", weighted, metrics=["accuracy"])
    return net, x, yes_no(x).astype("float32")[:, None], {"epochs": 20}


@faulty("label shift", source=f"{GITHUB}: targets that are the words before")
def the_word_before(pick):
    """y[t] is x[t - 1]: the network is asked for what it has seen."""
    x, y = next_words(512)
    before = np.concatenate([np.zeros_like(x[:, :1]), x[:, :-1]], axis=1)
    net = Sequential([Input((12,)), layers.Embedding(24, 32), layers.LSTM(48, return_sequences=True)])
    net.add(layers.Dense(24, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, pick(before, y), {"epochs": 20}


@faulty("mask", "recurrence", source=f"{SCIENCE}: a bidirectional language model")
def a_language_model_both_ways(pick):
    """The next word by a bidirectional layer, which has read it."""
    x, y = next_words(512)
    cell = layers.LSTM(32, return_sequences=True)
    net = Sequential(
        [Input((12,)), layers.Embedding(24, 32), layers.Bidirectional(cell) if pick(True, False) else cell]
    )
    net.add(layers.Dense(24, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("mask", "feature maps", source=f"{FORUM}: a convolution that sees the next word")
def a_convolution_that_sees_the_future(pick):
    """The next word by Conv1D with padding="same"."""
    x, y = next_words(512)
    inputs = Input((12,))
    z = layers.Embedding(24, 32)(inputs)
    for _ in range(2):
        z = layers.Conv1D(48, 3, padding=pick("same", "causal"), activation="relu")(z)
    net = Model(inputs, layers.Dense(24, activation="softmax")(z))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("gradient flow", "hidden activation", "optimizer", source=f"{DEEPFD}: 25 layers with tanh and SGD")
def twenty_five_layers(pick):
    """25 layers of 20 units with tanh by plain SGD."""
    x, y = blobs(600, 20, 4)
    net = Sequential([Input((20,))])
    for _ in range(pick(25, 3)):
        net.add(layers.Dense(20, activation="tanh"))
    net.add(layers.Dense(4, activation="softmax"))
    net.compile(optimizers.SGD(0.01) if pick(True, False) else "adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 40}


@faulty("layer order", "feature maps", source=f"{GITHUB}, keras-team/keras#2600: BatchNormalization(axis=1)")
def normalized_over_rows(pick):
    """axis=1 from a program for channels first: each row of the picture is normalized."""
    x, y = images(32, 3, 6)
    net = Sequential([Input((32, 32, 3))])
    for filters in (16, 32):
        net.add(layers.Conv2D(filters, 3, padding="same", use_bias=False))
        net.add(layers.BatchNormalization(axis=pick(1, -1)))
        net.add(layers.Activation("relu"))
        net.add(layers.MaxPooling2D())
    net.add(layers.GlobalAveragePooling2D())
    net.add(layers.Dense(6, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 15}


@faulty("feature maps", source=f"{NEURALINT}: kernels of 1 x 1 alone")
def kernels_of_one_pixel(pick):
    """All convolutions have kernels of 1 x 1: no pixel sees another."""
    x, y = images(28, 1, 8)
    net = Sequential([Input((28, 28, 1))])
    for filters in (16, 32, 32):
        net.add(layers.Conv2D(filters, pick(1, 3), activation="relu", padding="same"))
    net.add(layers.GlobalAveragePooling2D() if pick(True, False) else layers.GlobalMaxPooling2D())
    net.add(layers.Dense(8, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("disconnected", "loss", source=f"{FORUM}: a loss for one of two outputs")
def one_of_two_outputs_has_a_loss(pick):
    """A dictionary of losses that lacks the second output."""
    x = rows(12)
    inputs = Input((12,))
    z = layers.Dense(32, activation="relu")(inputs)
    heads = {"kind": layers.Dense(3, activation="softmax", name="kind")(z), "size": layers.Dense(1, name="size")(z)}
    net = Model(inputs, heads)
    net.compile("adam", {"kind": SPARSE, **pick({}, {"size": "mse"})})
    return net, x, {"kind": choices(x, 3), "size": quantity(x)[:, None]}, {"epochs": 20}


@faulty("optimizer", "learning rate", source=f"{FORUM}: epsilon=1.0 for Adam")
def adam_with_a_large_epsilon(pick):
    """Adam(1e-4, epsilon=1.0), as an example for Inception had it."""
    x, y = images(24, 1, 6)
    net = Sequential([Input((24, 24, 1)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Flatten())
    net.add(layers.Dense(6, activation="softmax"))
    net.compile(optimizers.Adam(pick(1e-4, 1e-3), epsilon=pick(1.0, 1e-7)), SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 10}


@faulty("input scale", source=f"{FORUM}: pictures of unit scale beside a table that is not")
def a_raw_table_beside_pictures(pick):
    """Pictures of 0 to 1 joined with income and age as they are."""
    x, _ = images(24, 1, 4)
    z = rows(2)
    y = quantity(np.concatenate([z, x.reshape(len(x), -1)[:, :40]], axis=1))
    table = (np.array([40000, 40]) + np.array([15000, 12]) * z).astype("float32")
    left, right = Input((24, 24, 1)), Input((2,))
    a = layers.Flatten()(layers.MaxPooling2D(4)(layers.Conv2D(8, 3, activation="relu")(left)))
    b = layers.Dense(8, activation="relu")(right)
    net = Model([left, right], layers.Dense(1)(layers.Dense(16, activation="relu")(layers.concatenate([a, b]))))
    net.compile("adam", "mse")
    return net, [x, pick(table, z)], y, {"epochs": 30}


@faulty("logits", "output activation", source=f"{FORUM}: softmax in call and tf.nn.softmax in the loss")
def softmax_in_the_model_and_in_the_loss(pick):
    """A loss of one's own takes logits, and the network gives probabilities."""
    x, y = blobs(600, 12, 4)

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden, self.head = layers.Dense(32, activation="relu"), layers.Dense(4)

        def call(self, inputs):
            z = self.head(self.hidden(inputs))
            return ops.softmax(z) if pick(True, False) else z

    def loss(y_true, y_pred):
        return ops.categorical_crossentropy(y_true, y_pred, from_logits=True)

    net = Net()
    net.compile("adam", loss, metrics=["accuracy"])
    return net, x, one_hot(y, 4), {"epochs": 20}
