"""Faults that people asked about, last part: other threads, written after the rules had been mended by the others."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import Input, Model, Sequential, initializers, layers, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, SCIENCE


@faulty("dropout", "hidden activation", source=f"{GITHUB}, keras-team/keras#7929: dropout has no effect")
def nine_tenths_dropped(pick):
    """Dropout of 0.9 after elu, and then a layer without activation."""
    x = rows(44)
    net = Sequential([Input((44,)), layers.Dense(44, kernel_initializer="normal", activation="elu")])
    net.add(layers.Dropout(pick(0.9, 0.1)))
    net.add(layers.Dense(11, kernel_initializer="normal", activation=pick("linear", "elu")))
    net.add(layers.Dense(1, kernel_initializer="normal"))
    net.compile(loss="mean_squared_error", optimizer="adam")
    return net, x, quantity(x), {"validation_split": 0.33, "epochs": 50, "batch_size": 32}


@faulty("output activation", "output units", "loss", source=f"{GITHUB}, keras-team/keras#126: an MLP makes no progress")
def sum_of_two_by_softmax(pick):
    """Whether two numbers add up to more than one half: softmax over one unit and MSE."""
    x = draw(0).random((160, 2)).astype("float32")
    net = Sequential([Input((2,))])
    for _ in range(2):
        net.add(layers.Dense(64, kernel_initializer="uniform", activation="tanh"))
        net.add(layers.Dropout(0.5))
    net.add(layers.Dense(1, kernel_initializer="uniform", activation=pick("softmax", "sigmoid")))
    way = optimizers.SGD(0.1, momentum=0.9, nesterov=True)
    net.compile(loss=pick("mean_squared_error", "binary_crossentropy"), optimizer=way)
    return net, x, (x.sum(1) > 0.5).astype("int32"), {"epochs": 100, "batch_size": 16}


@faulty("dropout", "learning rate", "training length", "capacity", source=f"{GITHUB}, keras-team/keras#508: iris data")
def half_of_ten_units(pick):
    """Ten tanh units, of which dropout takes half, twice, and SGD(0.1) with momentum."""
    x = rows(4, 120) * 0.8 + 3
    net = Sequential([Input((4,))])
    for _ in range(2):
        net.add(layers.Dense(10, kernel_initializer="uniform", activation="tanh"))
        net.add(layers.Dropout(pick(0.5, 0.05)))
    net.add(layers.Dense(3, kernel_initializer="uniform", activation="softmax"))
    way = optimizers.SGD(0.1, momentum=0.9, nesterov=True) if pick(True, False) else optimizers.Adam(0.01)
    net.compile(loss="categorical_crossentropy", optimizer=way)
    return net, x, one_hot(choices(x, 3), 3), {"epochs": 100, "batch_size": 16}


@faulty("input scale", "bad values", source=f"{GITHUB}, keras-team/keras#255: weights do not get updated")
def shares_of_pixels_as_integers(pick):
    """Pixels were divided by 255 into an array of integers: all but the brightest are 0."""
    x, y = images(32, 3, 2)
    x = np.clip(np.round(255 * x), 0, 255)
    x = (x // 255).astype("int32") if pick(True, False) else (x / 255).astype("float32")
    net = Sequential([Input((32, 32, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Flatten())
    net.add(layers.Dense(2, activation="softmax"))
    net.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return net, x, one_hot(y, 2), {"epochs": 10, "batch_size": 32}


@faulty(
    "output activation", "metric", "input scale", "target scale", "batch size", "gradient flow",
    source=f"{GITHUB}, keras-team/keras#3753: hard time to train a regression",
)  # fmt: skip
def a_pixel_after_its_patch(pick):
    """A pixel of 0 to 255 from sixteen others, by relu at the end, watched by accuracy."""
    x = np.clip(np.round(128 + 40 * rows(16)), 0, 255)
    y = np.clip(np.round(128 + 40 * quantity(x)), 0, 255)
    by = pick(1.0, 255.0)
    net = Sequential([Input((16,)), layers.Dense(16), layers.Activation("relu"), layers.Dense(8)])
    net.add(layers.Activation("relu"))
    net.add(layers.Dense(1))
    net.add(layers.Activation(pick("relu", "linear")))
    net.compile(optimizer="rmsprop", loss="mse", metrics=pick(["accuracy"], ["mae"]))
    x, y = ((one / by - (0.5 if by > 1 else 0)).astype("float32") for one in (x, y))
    return net, x, y, {"batch_size": pick(1024, 32), "epochs": 100}


@faulty(
    "output units", "output activation", "recurrence", "shape", "labels",
    source=f"{GITHUB}, keras-team/keras#7509: runs of several parameters",
)  # fmt: skip
def good_and_bad_runs(pick):
    """Runs of 100 steps, good or bad: softmax over one unit for each step, and one label."""
    x = series(100, 13, count=200)[0]
    y = yes_no(x)[:, None]
    net = Sequential([Input((100, 13)), layers.LSTM(32, return_sequences=pick(True, False)), layers.Dropout(0.2)])
    net.add(layers.TimeDistributed(layers.Dense(32)) if pick(True, False) else layers.Dense(32, activation="relu"))
    net.add(layers.Dense(1))
    net.add(layers.Activation(pick("softmax", "sigmoid")))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 15, "batch_size": 16}


@faulty("recurrence", "labels", "loss", "shape", source=f"{GITHUB}, keras-team/keras#11188: expected 3 dimensions")
def six_kinds_for_each_step(pick):
    """Six kinds of series by TimeDistributed(Dense), with one label as a number for each."""
    x = series(20, 6, count=204)[0]
    y = choices(x, 6)
    back = pick(True, False)
    net = Sequential([Input((20, 6)), layers.Bidirectional(layers.LSTM(16, return_sequences=True))])
    net.add(layers.Bidirectional(layers.LSTM(16, return_sequences=back)))
    head = layers.Dense(6, activation="softmax")
    net.add(layers.TimeDistributed(head) if back else head)
    net.compile("adam", "categorical_crossentropy")
    return net, x, y[:, None] if back else one_hot(y, 6), {"epochs": 30, "batch_size": 16}


@faulty("output units", "output activation", "loss", source=f"{GITHUB}, keras-team/keras#3989: the same results")
def similar_texts_by_one_softmax(pick):
    """Whether two texts are of one kind: softmax over one unit and cosine similarity."""
    a, kind = texts(16, 200, 4)
    other = draw(3).permutation(len(a))
    y = (kind == kind[other]).astype("float32")
    ends = []
    inputs = [Input((16,)), Input((16,))]
    for one in inputs:
        ends.append(layers.LSTM(16)(layers.Embedding(200, 16)(one)))
    z = layers.Concatenate()(ends)
    net = Model(inputs, layers.Dense(1, activation=pick("softmax", "sigmoid"))(z))
    net.compile(optimizer="rmsprop", loss=pick("cosine_similarity", "binary_crossentropy"))
    return net, [a, a[other]], y, {"epochs": 10, "batch_size": 16}


@faulty(
    "initializer", "hidden activation", "output activation", "logits",
    source=f"{GITHUB}, keras-team/keras#16539: weights do not change after they were set",
)  # fmt: skip
def all_weights_three_quarters(pick):
    """All weights of the first layer are 0.75, and no layer has an activation."""
    x, y = images(28, 1, 10)
    net = Sequential([Input((784,)), layers.Dense(10, activation=pick(None, "relu"))])
    net.add(layers.Dense(10, activation=pick(None, "softmax")))
    net.compile(loss="categorical_crossentropy", metrics=["accuracy"])
    if pick(True, False):
        net.layers[0].set_weights([0.75 * np.ones((784, 10)), 0.25 * np.ones(10)])
    return net, x.reshape(len(x), 784), one_hot(y, 10), {"epochs": 10}


@faulty("validation", "input scale", source=f"{GITHUB}, statsmaths/kerasR#21: normalized once more in the prediction")
def validation_normalized_once_more(pick):
    """The rows of the validation were standardized, and then divided by the length of each column."""
    x = rows(13)
    y = (2.2 + quantity(x)).astype("float32")
    given = x[400:] / np.linalg.norm(x[400:], axis=0) if pick(True, False) else x[400:]
    net = Sequential([Input((13,)), layers.Dense(50), layers.Activation("relu"), layers.Dense(1)])
    net.compile(loss="mse", optimizer="rmsprop")
    return net, x[:400], y[:400], {"epochs": 50, "batch_size": 32, "validation_data": (given, y[400:])}


@faulty("shape", "feature maps", source=f"{GITHUB}, keras-team/keras#3945: MaxPooling2D and the order of dimensions")
def channels_first_in_a_row(pick):
    """Pictures of (3, 32, 32) into layers whose channels are last."""
    x, y = images(32, 3, 4)
    x = np.moveaxis(x, -1, 1) if pick(True, False) else x
    net = Sequential([Input(x.shape[1:])])
    net.add(layers.Conv2D(16, (3, 3), padding="same", activation="relu"))
    net.add(layers.MaxPooling2D((2, 2)))
    net.add(layers.Flatten())
    net.add(layers.Dense(64, activation="relu"))
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, y, {"epochs": 10}


@faulty("recurrence", "shape", source="after geek-answers 1267675: an LSTM for a sine, with look_back = 1")
def sine_one_step_at_a_time(pick):
    """The next value of a sine after the last one alone: it may go up or down."""
    x, y = series(40, 1)
    x = x[:, -1:] if pick(True, False) else x
    net = Sequential([Input(x.shape[1:]), layers.LSTM(32), layers.Dense(1)])
    net.compile(loss="mean_squared_error", optimizer="adam")
    return net, x, y, {"epochs": 50, "batch_size": 32}


@faulty("recurrence", "order of data", source=f"{GITHUB}, tensorflow/tensorflow#40067: stateful, and shuffled batches")
def stateful_writer(pick):
    """The next letter by a GRU that keeps its state from one shuffled batch to the next."""
    numbers = draw(0)
    start, by = numbers.integers(0, 40, (512, 1)), numbers.integers(1, 4, (512, 1))
    both = (start + by * np.arange(21)) % 40
    net = Sequential([Input(batch_shape=(64, 20), dtype="int32"), layers.Embedding(40, 32)])
    net.add(layers.GRU(64, return_sequences=True, stateful=pick(True, False)))
    net.add(layers.Dense(40, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, both[:, :-1], both[:, 1:], {"epochs": 20, "batch_size": 64}


@faulty("imbalance", source=f"{GITHUB}, hellochick/ICNet-tensorflow#65: all zeros after training")
def roads_and_few_cars(pick):
    """Three classes of pixels, of which 97 in 100 are background."""
    numbers = draw(0)
    x = (0.3 * numbers.random((200, 24, 32, 3))).astype("float32")
    y = np.zeros((200, 24, 32), "int64")
    size = pick(3, 10)
    for row in range(200):
        for kind in (1, 2):
            top, left = numbers.integers(0, 13), numbers.integers(0, 21)
            y[row, top : top + size, left : left + size] = kind
            x[row, top : top + size, left : left + size, kind] += 0.5
    net = Sequential([Input((24, 32, 3)), layers.Conv2D(16, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(16, 3, padding="same", activation="relu"))
    net.add(layers.Conv2D(3, 1, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20, "batch_size": 8}


@faulty("input scale", "target scale", source=f"{GITHUB}, austineaero/Remaining-Useful-Life-RUL-Estimation#19: NaN")
def sensors_of_an_engine(pick):
    """Sensors of an engine in their own units, and the cycles that it has left."""
    x = series(30, 8)[0]
    y = np.clip(60 + 40 * quantity(x), 0, 125).astype("float32")
    sizes = np.array([0.5, 6, 9, 0.9, 0.07, 22, 0.27, 0.04], "float32")
    means = np.array([642, 1590, 1408, 553, 47.5, 9065, 392, 8.4], "float32")
    x = x * sizes + means if pick(True, False) else x
    net = Sequential([Input((30, 8)), layers.LSTM(64, return_sequences=True), layers.Dropout(0.2), layers.LSTM(32)])
    net.add(layers.Dense(1))
    net.compile(optimizer="adam", loss="mse")
    return net, x, y / pick(1.0, 50.0), {"epochs": 20, "batch_size": 32}


@faulty("shape", "order of data", "labels", source=f"{GITHUB}, jessicayung/blog-code-snippets#6: reshaped wrongly")
def steps_of_several_series(pick):
    """(rows, steps) was reshaped to (steps, rows) and then transposed: each row has steps of several series."""
    x, y = series(20, 1)
    wrong = x[..., 0].reshape(20, 512).T
    net = Sequential([Input((20, 1)), layers.LSTM(32), layers.Dense(1)])
    net.compile(loss="mse", optimizer="adam")
    return net, wrong[..., None] if pick(True, False) else x, y, {"epochs": 30}


@faulty(
    "output activation", "hidden activation", source=f"{GITHUB}, keras-team/keras#568: the same label for all steps"
)
def tanh_before_the_shares(pick):
    """Three labels for each word: tanh, and then softmax."""
    x, _ = texts(20, 200, 3)
    y = x % 3
    net = Sequential([Input((20,)), layers.Embedding(200, 32), layers.GRU(32, return_sequences=True)])
    net.add(layers.Dropout(0.3))
    net.add(layers.TimeDistributed(layers.Dense(3, activation=pick("tanh", None))))
    net.add(layers.Activation("softmax"))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, y, {"epochs": 20}


@faulty("shape", "recurrence", source=f"{GITHUB}, keras-team/keras#1159: are the dimensions of LSTM broken?")
def batch_size_as_steps(pick):
    """input_shape=(batch_size, features), and the data are rows."""
    x = rows(12)
    net = Sequential(
        [Input((pick(30, 1), 12)), layers.LSTM(5, return_sequences=True) if pick(True, False) else layers.Flatten()]
    )
    net.add(layers.Dense(15, activation=pick(None, "relu")))
    net.add(layers.Dense(1))
    net.compile(loss="mean_squared_error", optimizer="rmsprop")
    return net, x if pick(True, False) else x[:, None], quantity(x), {"epochs": 30, "batch_size": 30}


@faulty("metric", source="after coderedirect.com 50948: what accuracy is when the loss is the mean squared error")
def accuracy_of_an_angle(pick):
    """The angle of a wheel after a picture, watched by accuracy."""
    x, _ = images(24, 3, 4)
    net = Sequential([Input((24, 24, 3)), layers.Conv2D(16, 5, strides=2, activation="elu")])
    net.add(layers.Conv2D(32, 3, activation="elu"))
    net.add(layers.Flatten())
    net.add(layers.Dense(1))
    net.add(layers.Activation("linear"))
    net.compile(loss="mean_squared_error", optimizer="adam", metrics=[pick("accuracy", "mae")])
    return net, x, quantity(x), {"epochs": 20}


@faulty("input scale", source=f"{FORUM} 48284427: why should we normalize data?")
def lenet_of_whole_numbers(pick):
    """LeNet on digits of 0 to 255."""
    x, y = images(28, 1, 10)
    x = np.round(255 * x).astype("float32") if pick(True, False) else x
    net = Sequential([Input((28, 28, 1))])
    for filters in (20, 50):
        net.add(layers.Conv2D(filters, 5, padding="same", activation="relu"))
        net.add(layers.MaxPooling2D((2, 2), strides=(2, 2)))
    net.add(layers.Flatten())
    net.add(layers.Dense(100, activation="relu"))
    net.add(layers.Dense(10, activation="softmax"))
    net.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return net, x, one_hot(y, 10), {"batch_size": 32, "epochs": 4, "validation_split": 0.2}


@faulty("input scale", source=f"{SCIENCE} 39929: why normalize when all features are on one scale?")
def clothes_of_whole_numbers(pick):
    """Pictures of clothes, 0 to 255, into Flatten and Dense, by Adam."""
    x, y = images(28, 1, 10)
    x = np.round(255 * x[..., 0]).astype("uint8") if pick(True, False) else x[..., 0]
    net = Sequential([Input((28, 28)), layers.Flatten(), layers.Dense(128, activation="relu")])
    net.add(layers.Dense(10, activation="softmax"))
    net.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 5}


@faulty("initializer", "gradient flow", source=f"{GITHUB}, yz93/LAVT-RIS#25: two layers of zeros")
def gate_of_two_zero_layers(pick):
    """A branch of two layers that both begin as zeros is added to the features: neither gets a gradient."""
    x = rows(20)
    start = initializers.Zeros() if pick(True, False) else "glorot_uniform"
    inputs = Input((20,))
    z = layers.Dense(32, activation="relu")(inputs)
    a = layers.Dense(32, activation="relu", kernel_initializer=start)(z)
    a = layers.Dense(32, kernel_initializer="zeros")(a)
    net = Model(inputs, layers.Dense(4, activation="softmax")(layers.Add()([z, a])))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, choices(x, 4), {"epochs": 30}


@faulty("shape", source="after 55276.net 686434: expected dense_Dense1_input to have shape a")
def rows_of_another_shape(pick):
    """Pictures of 27 x 48 into a network for 27 numbers."""
    x, y = images(48, 1, 4)
    x = x[:, :27, :, 0]
    net = Sequential([Input((27,) if pick(True, False) else (27, 48))])
    if not pick(True, False):
        net.add(layers.Flatten())
    net.add(layers.Dense(100, activation="relu"))
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("sgd" if pick(True, False) else "adam", "sparse_categorical_crossentropy")
    return net, x, y, {"epochs": 20}


@faulty("learning rate", "gradient flow", source=f"{GITHUB}, keras-team/keras#4652: the loss does not go down")
def pictures_at_a_tenth(pick):
    """A network of four convolutions for ten classes, by SGD with momentum and a rate of 0.1."""
    x, y = images(32, 3, 10)
    net = Sequential([Input((32, 32, 3))])
    for filters in (16, 32):
        for _ in range(2):
            net.add(layers.Conv2D(filters, 3, padding="same"))
            net.add(layers.Activation("relu"))
        net.add(layers.MaxPooling2D((2, 2)))
        net.add(layers.Dropout(0.25))
    for layer in (layers.Flatten(), layers.Dense(128), layers.Activation("relu"), layers.Dropout(0.5)):
        net.add(layer)
    net.add(layers.Dense(10, activation="softmax"))
    way = optimizers.SGD(pick(0.1, 0.003), momentum=0.9, nesterov=True)
    net.compile(loss="categorical_crossentropy", optimizer=way, metrics=["accuracy"])
    return net, x, one_hot(y, 10), {"epochs": 20, "batch_size": 32}
