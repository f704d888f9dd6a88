"""Faults of preparation as they occur in the wild: scales, labels, splits, generators, missing values."""

import numpy as np

from benchmarks.faults.data import choices, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import DEEPFD, DEFECTS, STUDY, TAXONOMY, TENSFA, UMLAUT

FORUM = "after questions on Stack Overflow"


def _digits(classes=10, size=16):
    net = Sequential([Input((size, size, 1)), layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Flatten())
    net.add(layers.Dense(classes, activation="softmax"))
    return net


@faulty("labels", source=f"{FORUM}: everything was divided by 255")
def labels_divided_as_well(pick):
    """Pictures and class numbers are both divided by 255."""
    x, y = images(16, 1)
    data = [np.asarray(x) * 255, np.asarray(y)]
    data[0] = data[0] / 255.0
    data[1] = pick(data[1] / 255.0, data[1])
    net = _digits()
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, *data, {"epochs": 10}


@faulty("validation", "input scale", source=f"{FORUM}: only the training pictures are scaled")
def validation_pictures_unscaled(pick):
    """The training pictures are divided by 255, the others not."""
    x, y = images(16, 1)
    train, test = x[:400], x[400:] * pick(255, 1)
    net = _digits()
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, train, y[:400], {"epochs": 10, "validation_data": (test, y[400:])}


@faulty("validation", source=f"{TAXONOMY}: training data in the validation data")
def oversampled_then_split(pick):
    """The rare class is repeated before the split, so that its rows are on both sides."""
    x = rows(8, 400)
    y = np.zeros(400, "int64")
    y[np.argsort(quantity(x))[-60:]] = 1
    order = np.random.default_rng(3).permutation(400)
    x, y = x[order], y[order]

    def more(x, y):
        rare = np.flatnonzero(y == 1)
        at = np.concatenate([np.arange(len(y)), np.repeat(rare, 4)])
        at = np.random.default_rng(1).permutation(at)
        return x[at], y[at]

    if pick(True, False):
        x, y = more(x, y)
        train, val = (x[:450], y[:450]), (x[450:], y[450:])
    else:
        train, val = more(x[:300], y[:300]), (x[300:], y[300:])
    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, *train, {"epochs": 40, "validation_data": val}


@faulty("validation", source=f"{TAXONOMY}: validation data are training data")
def validated_on_its_own_rows(pick):
    """The first rows of the training data are the validation data too."""
    x = rows(10, 512)
    y = quantity(x)
    val = pick((x[:100], y[:100]), (rows(10, 100, seed=9), quantity(rows(10, 100, seed=9))))
    net = Sequential([Input((10,)), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 60, "validation_data": val}


@faulty("labels", "order of data", source=f"{FORUM}: x is shuffled and y is not")
def shuffled_apart(pick):
    """np.random.shuffle of the pictures alone."""
    x, y = images(16, 1, 4)
    x, y = np.array(x), np.array(y)
    order = np.random.default_rng(7).permutation(len(x))
    x = x[order]
    y = pick(y, y[order])
    net = _digits(4)
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 30}


@faulty("labels", "output units", "shape", source=f"{FORUM}: LabelBinarizer with two classes gives one column")
def one_column_for_two_units(pick):
    """scikit-learn's LabelBinarizer makes one column of two classes; the softmax has two units."""
    x = rows(6)
    y = yes_no(x)
    y = pick(y[:, None], one_hot(y, 2))
    net = Sequential([Input((6,)), layers.Dense(16, "relu"), layers.Dense(2, "softmax")])
    net.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 40}


@faulty("input scale", source=f"{FORUM}: preprocess_input of pictures that were divided by 255")
def preprocessed_after_scaling(pick):
    """Pictures of 0 to 1 through mobilenet_v2's preprocess_input, which wants 0 to 255."""
    x, y = images(32, 3, 4, 128)
    x = keras.applications.mobilenet_v2.preprocess_input(np.array(x) * pick(1, 255))
    net = Sequential([Input((32, 32, 3)), layers.Conv2D(16, 3, strides=2, activation="relu")])
    net.add(layers.Conv2D(32, 3, strides=2, activation="relu"))
    net.add(layers.GlobalAveragePooling2D())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 60}


@faulty("input scale", source=f"{FORUM}: Rescaling in the model, and a division before")
def divided_outside_and_inside(pick):
    """x / 255 outside of a model that begins with Rescaling(1 / 255)."""
    x, y = images(16, 3, 4)
    x = x * 255 / pick(255, 1)
    net = Sequential([Input((16, 16, 3)), layers.Rescaling(1.0 / 255), layers.Conv2D(8, 3, activation="relu")])
    net.add(layers.Flatten())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x.astype("float32"), y, {"epochs": 20}


@faulty("input scale", source=f"{FORUM}: RandomBrightness of pictures of 0 to 1")
def brightness_for_bytes(pick):
    """RandomBrightness with its range of 0 to 255 on pictures of 0 to 1."""
    x, y = images(16, 3, 4)
    change = layers.RandomBrightness(0.2) if pick(True, False) else layers.RandomBrightness(0.2, value_range=(0, 1))
    inputs = Input((16, 16, 3))
    h = layers.Conv2D(8, 3, activation="relu")(change(inputs))
    net = Model(inputs, layers.Dense(4, "softmax")(layers.Flatten()(h)))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 30}


@faulty("input scale", "layer order", source=f"{FORUM}: Normalization without adapt")
def normalization_not_adapted(pick):
    """Incomes and ages through a Normalization that has not seen the data."""
    z = rows(3)
    x = (z * np.array([2e4, 12, 3]) + np.array([6e4, 45, 10])).astype("float32")
    norm = layers.Normalization()
    if pick(False, True):
        norm.adapt(x)
    net = Sequential([norm, layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile(optimizers.Adam(0.01), "mse")
    return net, x, quantity(z), {"epochs": 60}


@faulty("input scale", source=f"{FORUM}: Unix time as a column")
def unix_time_as_a_column(pick):
    """Seconds since 1970 beside features of unit scale."""
    x = rows(5)
    time = 1.6e9 + 3600.0 * np.arange(len(x))
    if pick(False, True):
        time = (time - time.mean()) / time.std()
    net = Sequential([layers.Dense(32, activation="relu"), layers.Dense(16, activation="relu"), layers.Dense(1)])
    net.compile("rmsprop", "mse", metrics=["mae"])
    return net, np.column_stack([time, x]), quantity(x), {"epochs": 50}


@faulty("bad values", "input scale", source=f"{DEEPFD}: missing values")
def minus_9999_for_missing(pick):
    """-9999 where a sensor gave nothing, among values of unit scale."""
    x = np.array(rows(7))
    y = quantity(x)
    gone = np.random.default_rng(4).random(x.shape) < 0.05
    x[gone] = pick(-9999, 0)
    net = Sequential([Input((7,)), layers.Dense(32, "relu"), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 50}


@faulty("bad values", source=f"{FORUM}: the logarithm of counts")
def log_of_counts(pick):
    """np.log of counts, some of which are 0."""
    z = rows(4)
    counts = np.floor(np.exp(np.abs(z)) - 1)
    with np.errstate(divide="ignore"):
        x = pick(np.log, np.log1p)(counts)
    net = Sequential([Input((4,)), layers.Dense(16, "relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x.astype("float32"), quantity(np.abs(z)), {"epochs": 50}


@faulty("vocabulary", "shape", "layer order", "input scale", source=f"{FORUM}: an Embedding of tf-idf weights")
def embedding_of_weights(pick):
    """tf-idf rows into an Embedding, which cuts them to 0."""
    x, y = texts(20, 60)
    counts = np.stack([np.bincount(row, minlength=60) for row in x])
    weights = (counts / counts.sum(1, keepdims=True)).astype("float32")
    net = Sequential()
    if pick(True, False):
        net.add(layers.Embedding(60, 8))
        net.add(layers.Flatten())
    net.add(layers.Dense(16, activation="relu"))
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, weights, y, {"epochs": 80, "batch_size": 16}


@faulty("order of data", source=f"{FORUM}: a generator that reads folder after folder")
def folder_after_folder(pick):
    """Each batch of the generator comes from one folder, and so is of one class."""
    x, y = images(16, 1, 4)
    order = pick(np.argsort(y, kind="stable"), np.random.default_rng(0).permutation(len(y)))
    x, y = x[order], y[order]

    def batches():
        while True:
            for at in range(0, len(x), 32):
                yield x[at : at + 32], y[at : at + 32]

    net = _digits(4)
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, batches(), None, {"epochs": 20, "steps_per_epoch": 16}


@faulty("order of data", "validation", source=f"{FORUM}: validation_split of sorted rows")
def last_fifth_is_one_class(pick):
    """Rows sorted by class, and validation_split, which takes the last ones."""
    x = rows(9)
    y = choices(x, 5)
    order = pick(np.argsort(y, kind="stable"), np.arange(len(y)))
    net = Sequential([Input((9,)), layers.Dense(32, "relu"), layers.Dense(5, "softmax")])
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x[order], y[order], {"epochs": 40, "validation_split": 0.2}


@faulty("imbalance", source=f"{FORUM}: the weights of the classes are the wrong way round")
def weights_the_wrong_way_round(pick):
    """The common class of a card fraud gets the large weight."""
    x = rows(8, 600)
    y = np.zeros(600, "int64")
    y[np.argsort(quantity(x))[-24:]] = 1
    weights = pick({0: 24.0, 1: 1.0}, {0: 1.0, 1: 24.0})
    net = Sequential([Input((8,)), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=[keras.metrics.AUC()])
    return net, x, y, {"epochs": 40, "class_weight": weights}


@faulty("label shift", "labels", "validation", source=f"{FORUM}: the target is in the window")
def target_in_the_window(pick):
    """Windows of a price that end with the value that is to be told."""
    x, y = series(24)
    x = np.concatenate([x, y[:, None]], axis=1)
    x = x[:, 1:] if pick(True, False) else x[:, :-1]
    net = Sequential([Input((24, 1)), layers.LSTM(16), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y[:, 0], {"epochs": 30}


@faulty("shape", "feature maps", "layer order", source=f"{TENSFA}: channels first")
def pictures_of_another_library(pick):
    """Pictures of PyTorch, (3, 24, 24), in a model of channels last."""
    x, y = images(24, 3, 4)
    x = np.transpose(x, (0, 3, 1, 2)) if pick(True, False) else x
    net = Sequential([layers.Conv2D(8, 3, padding="same", activation="relu"), layers.GlobalAveragePooling2D()])
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 60}


@faulty("recurrence", "shape", source=f"{FORUM}: reshape to one step of many features")
def one_step_of_fifty(pick):
    """Windows of 50 values reshaped to (1, 50): the LSTM has one step."""
    x, y = series(50)
    x = x.reshape(-1, 1, 50) if pick(True, False) else x
    net = Sequential([layers.LSTM(20), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y[:, 0], {"epochs": 20}


@faulty("mask", source=f"{DEFECTS}: the value that is masked is not that of the padding")
def masking_of_another_value(pick):
    """Masking() hides 0, and the rows are padded with -10."""
    x = np.array(series(20)[0])
    ends = np.random.default_rng(2).integers(8, 21, len(x))
    for row, end in zip(x, ends, strict=True):
        row[end:] = -10.0
    net = Sequential([Input((20, 1)), layers.Masking(pick(0.0, -10.0)), layers.GRU(12), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, x[np.arange(len(x)), ends - 1, 0], {"epochs": 40}


@faulty("labels", "output activation", "loss", source=f"{STUDY}: labels of -1 and 1")
def minus_one_for_no(pick):
    """-1 for no with a sigmoid and its crossentropy."""
    x = rows(10)
    y = yes_no(x)
    net = Sequential([Input((10,)), layers.Dense(24, "relu"), layers.Dense(1, "sigmoid")])
    net.compile(optimizers.Adam(), keras.losses.BinaryCrossentropy(), metrics=["accuracy"])
    return net, x, pick(2 * y - 1, y), {"epochs": 40}


@faulty("labels", "target scale", "loss", source=f"{UMLAUT}: masks of 0 and 255")
def masks_of_bytes(pick):
    """Masks read from PNG files hold 0 and 255."""
    x, _ = images(16, 1, 4)
    masks = (x > 0.6).astype("uint8") * pick(255, 1)
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(1, 1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, masks, {"epochs": 20}
