"""Faults that people asked about, third part: rates, steps, callbacks, dropout, and the order of the data."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, texts, yes_no
from benchmarks.faults.library import Input, Model, Sequential, as_trained, callbacks, layers, optimizers, regularizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, SCIENCE


@faulty(
    "learning rate", "training length", "optimizer",
    source=f"{GITHUB}, rcmalli/keras-vggface#43: val_loss and val_acc remain constant",
)  # fmt: skip
def new_head_at_a_hundred_thousandth(pick):
    """New Dense layers on a frozen base are trained by SGD(1e-5)."""
    x, y = images(32, 3, 7)
    inputs = z = Input((32, 32, 3))
    for filters in (8, 16, 32):
        z = layers.Conv2D(filters, 3, activation="relu", padding="same")(z)
        z = layers.MaxPooling2D()(z)
    base = Model(inputs, z)
    as_trained(base)
    for layer in base.layers:
        layer.trainable = False
    z = layers.Flatten(name="flatten")(base.output)
    z = layers.Dense(64, activation="relu", name="fc6")(z)
    z = layers.Dense(64, activation="relu", name="fc7")(z)
    net = Model(inputs, layers.Dense(7, activation="softmax", name="fc8")(z))
    net.compile(optimizers.SGD(pick(1e-5, 1e-2), momentum=0.9), "categorical_crossentropy", metrics=["accuracy"])
    return net, x, one_hot(y, 7), {"epochs": 20}


@faulty("learning rate", source=f"{GITHUB}, geifmany/cifar-vgg#1: the loss is NaN and the accuracy 0.10")
def vgg_at_a_tenth(pick):
    """Convolutions with relu and then BatchNormalization, by SGD(0.1) with momentum."""
    x, y = images(32, 3, 10)
    net = Sequential([Input((32, 32, 3))])
    for at, filters in enumerate((16, 16, 32, 32, 64, 64)):
        net.add(layers.Conv2D(filters, 3, padding="same", kernel_regularizer=regularizers.L2(5e-4)))
        net.add(layers.Activation("relu"))
        net.add(layers.BatchNormalization())
        net.add(layers.MaxPooling2D() if at % 2 else layers.Dropout(0.3))
    for layer in (layers.Flatten(), layers.Dense(64, kernel_regularizer=regularizers.L2(5e-4))):
        net.add(layer)
    for layer in (layers.Activation("relu"), layers.BatchNormalization(), layers.Dropout(0.5)):
        net.add(layer)
    net.add(layers.Dense(10, activation="softmax"))
    way = optimizers.SGD(pick(0.1, 0.01), momentum=0.9, nesterov=True)
    net.compile(loss="categorical_crossentropy", optimizer=way, metrics=["accuracy"])
    return net, x, one_hot(y, 10), {"epochs": 25, "batch_size": 128 if pick(True, False) else 32}


@faulty("learning rate", "gradient flow", source=f"{GITHUB}, Ayush-dhabale/Deeplearning: dying relu with a rate of 0.1")
def digits_at_a_tenth(pick):
    """784-128-64-32-10 with relu, by Adam(0.1)."""
    x, y = images(28, 1, 10)
    inputs = Input((784,))
    z = inputs
    for units in (128, 64, 32):
        z = layers.Dense(units, activation="relu")(z)
    net = Model(inputs, layers.Dense(10, activation="softmax", name="output")(z))
    net.compile(loss="categorical_crossentropy", optimizer=optimizers.Adam(pick(0.1, 0.001)), metrics=["accuracy"])
    return net, x.reshape(len(x), 784), one_hot(y, 10), {"epochs": 20, "batch_size": 32}


@faulty("dropout", source=f"{FORUM} 48355700: Dropout with a rate of 1")
def nearly_everything_is_dropped(pick):
    """Two layers of dropout with a rate of 0.99."""
    x, y = images(28, 1, 10)
    net = Sequential([Input((784,))])
    for _ in range(2):
        net.add(layers.Dense(512, activation="relu"))
        net.add(layers.Dropout(pick(0.99, 0.2)))
    net.add(layers.Dense(10, activation="softmax"))
    net.compile(loss="categorical_crossentropy", optimizer=optimizers.RMSprop(), metrics=["accuracy"])
    return net, x.reshape(len(x), 784), one_hot(y, 10), {"epochs": 10, "batch_size": 32}


@faulty("callback", "input scale", source=f"{GITHUB}, keras-team/keras#10924: min_delta and patience")
def patients_and_patience(pick):
    """The table of the Pima, unscaled; each epoch must be better by 0.1, and the rate falls by a fifth in 2 epochs."""
    x = rows(8)
    y = yes_no(x)
    scale = np.array([3.4, 32, 19, 16, 115, 7.9, 0.33, 11.8], "float32")
    means = np.array([3.8, 121, 69, 20, 80, 32, 0.47, 33], "float32")
    x = np.maximum(x * scale + means, 0) if pick(True, False) else x
    net = Sequential([Input((8,)), layers.Dense(12, activation="relu"), layers.Dense(8, activation="relu")])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    given = [callbacks.EarlyStopping(monitor="loss", min_delta=pick(0.1, 0.0), patience=8)]
    given.append(callbacks.ReduceLROnPlateau(monitor="loss", factor=0.2, patience=2, min_delta=pick(0.04, 1e-4)))
    return net, x, y, {"epochs": 100, "batch_size": 5, "callbacks": given}


@faulty("callback", source=f"{GITHUB}, zzh8829/yolov3-tf2#181: the patience of two callbacks")
def stopped_before_the_rate_falls(pick):
    """EarlyStopping waits 3 epochs, and ReduceLROnPlateau 10: it never acts."""
    x, y = images(24, 3, 4)
    net = Sequential([Input((24, 24, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    for layer in (layers.Conv2D(32, 3, activation="relu"), layers.GlobalAveragePooling2D()):
        net.add(layer)
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy")
    given = [callbacks.ReduceLROnPlateau(patience=pick(10, 3)), callbacks.EarlyStopping(patience=pick(3, 10))]
    return net, x, y, {"epochs": 60, "validation_split": 0.2, "callbacks": given}


@faulty("callback", "training length", source=f"{GITHUB}, keras-team/keras#17305: patience=0 stops early")
def no_patience_at_all(pick):
    """EarlyStopping(patience=0) on val_loss, which jumps."""
    x = rows(20)
    net = Sequential([Input((20,)), layers.Dense(64, activation="relu"), layers.Dense(3, activation="softmax")])
    net.compile("adam", "sparse_categorical_crossentropy")
    given = [callbacks.EarlyStopping(monitor="val_loss", patience=pick(0, 10), restore_best_weights=pick(False, True))]
    return net, x, choices(x, 3), {"epochs": 100, "validation_split": 0.2, "callbacks": given}


@faulty(
    "order of data", "validation", "shape", "layer order",
    source="after discuss.analyticsvidhya.com 65145: high accuracy and very low validation accuracy",
)  # fmt: skip
def tweets_in_order(pick):
    """Tweets, first all of one kind, then of the other, with validation_split; the positions are not joined."""
    x, y = texts(30, 400)
    order = np.argsort(y, kind="stable") if pick(True, False) else np.arange(len(y))
    net = Sequential([Input((30,)), layers.Embedding(400, 50)])
    net.add(layers.Conv1D(filters=32, kernel_size=3, padding="same", activation="relu"))
    net.add(layers.MaxPooling1D(2) if pick(True, False) else layers.GlobalMaxPooling1D())
    if pick(True, False):
        net.add(layers.Flatten())
    net.add(layers.Dense(50, activation="relu"))
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return net, x[order], y[order], {"validation_split": 0.3, "epochs": 8, "batch_size": 32}


@faulty(
    "capacity",
    "training length",
    "optimizer",
    "gradient flow",
    source="after philipzucker.com: learning sine",
)
def sine_by_five_units(pick):
    """sin(x) by four layers of five relu units and SGD, in few steps."""
    x = draw(0).uniform(-np.pi, np.pi, (2000, 1)).astype("float32")
    net = Sequential([Input((1,))])
    for _ in range(pick(4, 2)):
        net.add(layers.Dense(pick(5, 64)))
        net.add(layers.Activation("relu"))
    net.add(layers.Dense(1))
    net.compile(loss="mean_squared_error", optimizer=pick("sgd", "adam"))
    return net, x, np.sin(x), {"epochs": pick(5, 40), "batch_size": 32}


@faulty(
    "training length", "learning rate", "optimizer", "output activation", "loss", "hidden activation",
    source=f"{SCIENCE} 13163: an MLP on the iris data does not work",
)  # fmt: skip
def iris_in_few_steps(pick):
    """A hundred flowers, eight sigmoid units, MSE and SGD, in 20 epochs."""
    x = np.abs(rows(4, 100)) + 1
    y = one_hot(choices(x, 3), 3)
    net = Sequential([Input((4,)), layers.Dense(pick(8, 16)), layers.Activation(pick("sigmoid", "relu"))])
    net.add(layers.Dense(3))
    net.add(layers.Activation(pick("sigmoid", "softmax")))
    net.compile(loss=pick("mse", "categorical_crossentropy"), optimizer=pick("sgd", optimizers.Adam(0.01)))
    return net, x, y, {"epochs": pick(20, 200), "batch_size": 16}


@faulty("learning rate", source="after chenzhang.org: loss and accuracy get stuck in Keras")
def categories_at_a_hundred_thousandth(pick):
    """Nine classes by SGD(1e-5) with momentum."""
    x = rows(30)
    net = Sequential([Input((30,)), layers.Dense(20, activation="relu"), layers.Dense(20, activation="relu")])
    net.add(layers.Dense(9, activation="softmax"))
    way = optimizers.SGD(pick(1e-5, 0.1), momentum=0.9, nesterov=True)
    net.compile(loss="categorical_crossentropy", optimizer=way, metrics=["accuracy"])
    return net, x, one_hot(choices(x, 9), 9), {"epochs": 10, "batch_size": 32}


@faulty("validation", "order of data", source="after rocuku.github.io: validation_split and shuffle")
def negatives_at_the_end(pick):
    """The last tenth of the rows has the negatives, and validation_split is 0.1."""
    x = rows(12, 600)
    y = (quantity(x) > -1.2).astype("int64")
    order = np.argsort(-y, kind="stable") if pick(True, False) else np.arange(600)
    net = Sequential([Input((12,)), layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x[order], y[order], {"epochs": 20, "validation_split": 0.1, "shuffle": True}


@faulty("imbalance", "metric", "loss", source=f"{SCIENCE} 129632: a U-Net predicts the background")
def small_organs(pick):
    """Masks of which one pixel in seventy is foreground, by binary crossentropy and accuracy."""
    numbers = draw(0)
    x = (0.3 * numbers.random((256, 32, 32, 1))).astype("float32")
    y = np.zeros((256, 32, 32, 1), "float32")
    for row in range(256):
        top, left, size = *numbers.integers(4, 20, 2), pick(4, 12)
        y[row, top : top + size, left : left + size] = 1
    x += 0.5 * y
    inputs = Input((32, 32, 1))
    a = layers.Conv2D(8, 3, activation="relu", padding="same")(inputs)
    b = layers.Conv2D(16, 3, activation="relu", padding="same")(layers.MaxPooling2D()(a))
    c = layers.Conv2D(8, 3, activation="relu", padding="same")(layers.concatenate([a, layers.UpSampling2D()(b)]))
    net = Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(c))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20, "batch_size": 8}


@faulty(
    "capacity",
    "gradient flow",
    "hidden activation",
    source="after stats.stackexchange 320672: XOR",
)
def exclusive_or_by_two_relu(pick):
    """XOR by two relu units."""
    x = draw(0).integers(0, 2, (1000, 2)).astype("float32")
    net = Sequential([Input((2,)), layers.Dense(pick(2, 16), activation="relu")])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return net, x, (x[:, :1] != x[:, 1:]).astype("float32"), {"epochs": 100, "batch_size": 4}


@faulty("learning rate", "optimizer", source="after 52zhanxing.com 7399595: low accuracy of a deep network for MNIST")
def digits_by_adadelta(pick):
    """optimizer='adadelta', whose rate was 1 once and is 0.001 today."""
    x, y = images(28, 1, 10)
    net = Sequential([Input((28, 28, 1)), layers.Conv2D(16, (3, 3), padding="valid"), layers.Activation("relu")])
    for layer in (layers.Conv2D(16, (3, 3)), layers.Activation("relu"), layers.MaxPooling2D((2, 2))):
        net.add(layer)
    for layer in (layers.Dropout(0.25), layers.Flatten(), layers.Dense(64), layers.Activation("relu")):
        net.add(layer)
    for layer in (layers.Dropout(0.5), layers.Dense(10), layers.Activation("softmax")):
        net.add(layer)
    net.compile(loss="categorical_crossentropy", optimizer=pick("adadelta", "adam"), metrics=["accuracy"])
    return net, x, one_hot(y, 10), {"batch_size": 32, "epochs": 12}
