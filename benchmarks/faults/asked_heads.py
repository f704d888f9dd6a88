"""Faults that people asked about, first part: the last layer, its loss and the labels."""

import numpy as np

from benchmarks.faults.data import draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import Input, Model, Sequential, layers, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, SCIENCE


@faulty("output activation", "input scale", source="after geeksmental.com: why does accuracy remain the same")
def above_a_threshold(pick):
    """Whether a number of 0 to 100,000 is above 50,000, by relu and binary crossentropy."""
    x = draw(0).integers(0, 100_000, (600, 1)).astype("float32")
    net = Sequential([Input((1,)), layers.Dense(3, activation="relu"), layers.Dense(5, activation="relu")])
    net.add(layers.Dense(1, activation=pick("relu", "sigmoid")))
    net.compile("adam" if pick(True, False) else optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    scaled = x if pick(True, False) else (x - 50_000) / 28_868
    return net, scaled, (x[:, 0] > 50_000).astype("int64"), {"epochs": 10, "batch_size": 5}


@faulty("output activation", "output units", source="after stats.stackexchange, a revision: softmax always predicts 1")
def two_bits_of_three(pick):
    """Whether two of three bits are set: ten relu units and softmax over one."""
    x = draw(0).integers(0, 2, (300, 3)).astype(bool)
    net = Sequential([Input((3,)), layers.Dense(10, activation="relu")])
    net.add(layers.Dense(1, activation=pick("softmax", "sigmoid")))
    net.compile("rmsprop", "binary_crossentropy")
    return net, x, x.sum(1) > 1, {"epochs": 300, "batch_size": 54}


@faulty("output activation", "output units", source=f"{FORUM} 46620813: an LSTM does not learn a binary sequence")
def next_bit_of_a_sequence(pick):
    """The next of a sequence of bits by LSTM(1), softmax over one unit and Adagrad."""
    bits = draw(0).integers(0, 2, 3)
    bits = np.array([*bits, *[0] * 600])
    for at in range(3, len(bits)):
        bits[at] = bits[at - 1] ^ bits[at - 3]
    x = np.stack([bits[at : at + 3] for at in range(600)])[..., None]
    net = Sequential([Input((3, 1)), layers.LSTM(pick(1, 16))])
    net.add(layers.Dense(1, activation=pick("softmax", "sigmoid")))
    net.compile(pick("adagrad", "adam"), "binary_crossentropy", metrics=["accuracy"])
    return net, x, bits[3:603, None], {"epochs": 100, "batch_size": pick(256, 32)}


@faulty("output activation", "output units", "labels", "recurrence", source=f"{FORUM} 47241622: a stateful LSTM")
def stateful_reader_of_bits(pick):
    """Labels of -1 and 1, softmax over one unit, and an LSTM that keeps its state between shuffled batches."""
    x = draw(0).integers(0, 2, (600, 32, 1)).astype("float32")
    y = np.where(x[:, :8].sum((1, 2)) > 4, 1, pick(-1, 0))
    net = Sequential([Input(batch_shape=(100, 32, 1)), layers.LSTM(32, stateful=pick(True, False))])
    net.add(layers.Dense(1, activation=pick("softmax", "sigmoid")))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20, "batch_size": 100, "shuffle": True}


@faulty("output activation", "output units", source="after 52sbl.cn 115307: LSTM on IMDb stays at 50 %")
def one_unit_reads_reviews(pick):
    """Embedding of 4 numbers, LSTM(1) and softmax over one unit."""
    x, y = texts(40, 500)
    net = Sequential([Input((40,)), layers.Embedding(500, 4), layers.LSTM(pick(1, 16))])
    net.add(layers.Dense(1, activation=pick("softmax", "sigmoid")))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy", "binary_accuracy"])
    return net, x, y, {"epochs": 15, "batch_size": 32, "validation_split": 0.01}


@faulty("output activation", "loss", source=f"{SCIENCE} 91069: the sum of the predictions is not 1")
def four_topics_that_do_not_add_up(pick):
    """Four exclusive topics by sigmoid and categorical crossentropy."""
    x, y = texts(30, 300, 4)
    net = Sequential([Input((30,)), layers.Embedding(300, 50), layers.Bidirectional(layers.LSTM(16))])
    net.add(layers.Dense(4, activation=pick("sigmoid", "softmax")))
    net.compile("adam", "categorical_crossentropy", metrics=["categorical_accuracy"])
    return net, x, one_hot(y, 4), {"epochs": 20}


@faulty("output units", "labels", "loss", "output activation", source="after newbedev.com: a CNN does not improve")
def three_animals_one_sigmoid(pick):
    """Three classes of pictures, one sigmoid and binary crossentropy."""
    x, y = images(32, 3, 3)
    net = Sequential([Input((32, 32, 3))])
    for filters in (16, 16, 32):
        net.add(layers.Conv2D(filters, (3, 3)))
        net.add(layers.Activation("relu"))
        net.add(layers.MaxPooling2D((2, 2)))
    for layer in (layers.Flatten(), layers.Dense(64), layers.Activation("relu"), layers.Dropout(0.5)):
        net.add(layer)
    net.add(layers.Dense(pick(1, 3)))
    net.add(layers.Activation(pick("sigmoid", "softmax")))
    net.compile(loss=pick("binary_crossentropy", "sparse_categorical_crossentropy"), optimizer="rmsprop")
    return net, x, y, {"epochs": 30, "batch_size": 16}


@faulty(
    "output units", "labels", "loss", "output activation", "input scale",
    source=f"{SCIENCE} 38604: too low accuracy on MNIST",
)  # fmt: skip
def ten_digits_one_sigmoid(pick):
    """Digits 0 to 9 by one sigmoid, pixels of 0 to 255."""
    x, y = images(28, 1, 10)
    x = np.round(255 * x.reshape(len(x), 784)).astype("uint8")
    net = Sequential([Input((784,)), layers.Dense(64, activation="relu")])
    net.add(layers.Dense(pick(1, 10), activation=pick("sigmoid", "softmax")))
    loss = pick("binary_crossentropy", "sparse_categorical_crossentropy")
    net.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    return net, x if pick(True, False) else x / 255.0, y, {"epochs": 10, "validation_split": 0.33}


@faulty("loss", "output activation", "labels", source=f"{GITHUB}, keras-team/keras#6421: evaluate and predict disagree")
def rows_without_any_label(pick):
    """Two flags, most of which are 0, by sigmoid and categorical crossentropy."""
    x = rows(31)
    y = (quantity(x, 2) > 1.0).astype("float32")
    given = {"kernel_initializer": "uniform"}
    net = Sequential([Input((31,)), layers.Dense(40, activation="relu", **given)])
    net.add(layers.Dense(31, activation="relu", **given))
    net.add(layers.Dense(2, activation="sigmoid", **given))
    metric = pick("categorical_accuracy", "binary_accuracy")
    net.compile(loss=pick("categorical_crossentropy", "binary_crossentropy"), optimizer="adam", metrics=[metric])
    return net, x, y, {"epochs": 15, "batch_size": 10}


@faulty("loss", "output activation", "labels", source=f"{GITHUB}, keras-team/keras#1917: the loss becomes negative")
def divergence_of_maps(pick):
    """Maps of attention of 0 to 1, by relu and the Kullback-Leibler divergence."""
    x, _ = images(16, 3, 4)
    y = x.mean(-1).reshape(len(x), 256)
    y = y if pick(True, False) else y / y.sum(1, keepdims=True)
    inputs = Input((16, 16, 3))
    z = layers.Conv2D(16, 7, activation="relu", padding="same")(inputs)
    z = layers.Conv2D(8, 7, activation="relu", padding="same")(z)
    z = layers.Flatten()(layers.Conv2D(1, 7, activation=pick("relu", None), padding="same")(z))
    net = Model(inputs, z if pick(True, False) else layers.Activation("softmax")(z))
    net.compile(optimizer=optimizers.Adam(1e-3), loss="kld")
    return net, x, y, {"epochs": 20}


@faulty(
    "output activation", "labels", "input scale", "target scale", "loss",
    source=f"{FORUM} 52441877: binary crossentropy in an autoencoder",
)  # fmt: skip
def autoencoder_with_shares(pick):
    """Softmax over the 784 pixels of 0 to 255 of an autoencoder."""
    x = images(28, 1, 10)[0].reshape(512, 784)
    inputs = z = Input((784,))
    for units in (128, 64, 28, 64, 128):
        z = layers.Dense(units, activation="relu")(z)
    net = Model(inputs, layers.Dense(784, activation=pick("softmax", "sigmoid"))(z))
    net.compile(loss="binary_crossentropy", optimizer="adam")
    x = np.round(255 * x).astype("uint8") if pick(True, False) else x
    return net, x, x, {"epochs": 5, "batch_size": 10}


@faulty(
    "output activation", "target scale",
    source=f"{GITHUB}, curiousily/Credit-Card-Fraud-Detection-using-Autoencoders-in-Keras#1: relu on the last layer",
)  # fmt: skip
def payments_without_negative_numbers(pick):
    """Standardized columns of payments, reconstructed by relu."""
    x = rows(29)
    inputs = Input(shape=(29,))
    z = layers.Dense(14, activation="tanh")(inputs)
    z = layers.Dense(7, activation="relu")(z)
    z = layers.Dense(7, activation="tanh")(z)
    net = Model(inputs, layers.Dense(29, activation=pick("relu", None))(z))
    net.compile(optimizer="adam", loss="mean_squared_error", metrics=["mae"])
    return net, x, x, {"epochs": 100, "batch_size": 32}


@faulty(
    "output activation", "target scale",
    source=f"{GITHUB}, cran2367/lstm_autoencoder_classifier#2: the activation of the last layer",
)  # fmt: skip
def sequences_without_negative_numbers(pick):
    """Standardized sequences, reconstructed by an LSTM autoencoder that ends in relu."""
    x = series(5, 8)[0]
    net = Sequential([Input((5, 8)), layers.LSTM(32, activation="relu", return_sequences=True)])
    net.add(layers.LSTM(16, activation="relu"))
    net.add(layers.RepeatVector(5))
    net.add(layers.LSTM(32, activation="relu", return_sequences=True))
    net.add(layers.TimeDistributed(layers.Dense(8, activation=pick("relu", None))))
    net.compile(optimizers.Adam(1e-3), "mse")
    return net, x, x, {"epochs": 60}


@faulty(
    "output activation", "gradient flow",
    source=f"{GITHUB}, ProteomicsML/ProteomicsML#203: relu at the end of a regression",
)  # fmt: skip
def retention_time_by_relu(pick):
    """Times of peptides, which are positive, by an LSTM that ends in relu: with some initial weights it answers 0."""
    x, _ = texts(20, 22)
    y = ((x % 7).sum(1) / 60.0).astype("float32")
    net = Sequential([Input((20,)), layers.Embedding(22, 8), layers.LSTM(32)])
    net.add(layers.Dense(16, activation="relu"))
    net.add(layers.Dense(1, activation=pick("relu", None)))
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 30}


@faulty("output activation", "target scale", source=f"{GITHUB}, keras-team/keras#18247: zeros as predictions")
def debits_of_branches(pick):
    """Debits of each day, some hundred thousands and 0 at weekends, by layers that end in relu."""
    x = rows(6)
    y = np.where(np.arange(len(x)) % 7 < 5, 4e5 + 9e4 * quantity(x), 0.0).astype("float32")
    y = y if pick(True, False) else (y - y.mean()) / y.std()
    x = np.concatenate([x, (np.arange(len(x)) % 7 < 5)[:, None]], axis=1).astype("float32")
    net = Sequential([Input((7,)), layers.BatchNormalization()])
    for units in (32, 64, 128):
        net.add(layers.Dense(units, activation="relu"))
    net.add(layers.Flatten())
    net.add(layers.Dense(1, activation=pick("relu", None)))
    net.compile(loss="mean_squared_error", optimizer=optimizers.Adam())
    return net, x, y, {"epochs": 50, "batch_size": 31}


@faulty("loss", "output units", source="after stats.stackexchange 565956: binary and categorical crossentropy")
def one_column_by_categories(pick):
    """Yes or no by one sigmoid and categorical crossentropy."""
    x = series(5, 10)[0]
    net = Sequential([Input((5, 10)), layers.LSTM(32, recurrent_activation="hard_sigmoid")])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile(loss=pick("categorical_crossentropy", "binary_crossentropy"), optimizer="adam", metrics=["accuracy"])
    return net, x, yes_no(x)[:, None], {"epochs": 20}


@faulty("loss", "output activation", "metric", source=f"{GITHUB}, frlim/data2040_final#1: wrong metric, wrong accuracy")
def ten_pictures_by_binary_crossentropy(pick):
    """Ten exclusive classes of pictures by softmax and binary crossentropy."""
    x, y = images(32, 3, 10)
    net = Sequential([Input((32, 32, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Conv2D(32, 3, activation="relu"))
    net.add(layers.Flatten())
    net.add(layers.Dense(10, activation="softmax"))
    net.compile("adam", pick("binary_crossentropy", "categorical_crossentropy"), metrics=["acc"])
    return net, x, one_hot(y, 10), {"epochs": 20}


@faulty("labels", "loss", source=f"{FORUM} 49392972: expected dense_3 to have shape (3,)")
def places_as_numbers(pick):
    """Three places by softmax and categorical crossentropy, with labels as numbers."""
    x, y = images(32, 3, 3)
    net = Sequential([Input((32, 32, 3))])
    for filters in (8, 16, 32):
        net.add(layers.Conv2D(filters, (3, 3), activation="relu", padding="same"))
        net.add(layers.MaxPooling2D((2, 2), strides=(2, 2)))
    net.add(layers.Flatten())
    net.add(layers.Dense(64, activation="relu"))
    net.add(layers.Dense(3, activation="softmax"))
    net.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return net, x, y.astype("float32") if pick(True, False) else one_hot(y, 3), {"epochs": 20}


@faulty("metric", "imbalance", source=f"{GITHUB}, keras-team/keras#5335: binary accuracy of several labels")
def twenty_rare_labels(pick):
    """Twenty labels, of which each is true for one row in twenty, watched by accuracy."""
    x = rows(40)
    y = (quantity(x, 20) > 3.1).astype("float32")
    net = Sequential([Input((40,)), layers.Dense(64, activation="relu"), layers.Dense(20, activation="sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=[pick("accuracy", "auc")])
    return net, x, y, {"epochs": 40}


@faulty("labels", "target scale", source="after coderoad.ru 57200621: a negative loss of segmentation")
def standardized_masks(pick):
    """Masks are standardized as the pictures are, and the loss is binary crossentropy."""
    x, _ = images(24, 3, 4)
    y = (x.max(-1, keepdims=True) > 0.6).astype("float32")
    y = (y - y.mean()) / y.std() if pick(True, False) else y
    x = (x - x.mean()) / x.std()
    net = Sequential([Input((24, 24, 3)), layers.Conv2D(16, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(16, 3, padding="same", activation="relu"))
    net.add(layers.Conv2D(1, 1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("output activation", "hidden activation", source="after boohere.com 122574: the loss of Q learning")
def value_of_an_action(pick):
    """Q values of up to 10 by a sigmoid, after two layers without activation."""
    x = rows(150)
    y = (5 + 2 * quantity(x)).astype("float32")
    y = np.clip(y, 0, 10)
    net = Sequential([Input((150,)), layers.Dense(150, activation=pick(None, "relu"))])
    net.add(layers.Dense(10, activation=pick(None, "relu")))
    net.add(layers.Dense(1, activation=pick("sigmoid", None)))
    net.compile(loss="mse", optimizer="adam")
    return net, x, y, {"epochs": 40}
