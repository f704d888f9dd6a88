"""Programs that people asked for help with: inputs, labels, shapes, and data that differ between training and test."""

import numpy as np

from benchmarks.faults.data import draw, images, one_hot, quantity, rows, texts, yes_no
from benchmarks.faults.drawn import blobs, shapes, waves
from benchmarks.faults.library import Input, Sequential, layers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, LEARNERS

SPARSE = "sparse_categorical_crossentropy"


def _cnn(shape, classes, *, first=()):
    net = Sequential([Input(shape), *first])
    net.add(layers.Conv2D(16, 3, activation="relu"))
    net.add(layers.MaxPooling2D())
    net.add(layers.Conv2D(32, 3, activation="relu"))
    net.add(layers.Flatten())
    net.add(layers.Dense(48, activation="relu"))
    net.add(layers.Dense(classes, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net


def _mlp(features, *ends, units=(32,)):
    net = Sequential([Input((features,)), *(layers.Dense(one, activation="relu") for one in units)])
    for end in ends:
        net.add(end)
    return net


@faulty("input scale", source=f"{GITHUB}: keras 6914")
def digits_of_kaggle_as_they_are(pick):
    """Digits of 0 to 255 in rows, as the csv has them."""
    x = np.rint(255 * images(16, 1, 10)[0].reshape(512, 256)).astype("int64")
    net = _mlp(256, layers.Dropout(0.2), layers.Dense(64, "relu"), layers.Dense(10, activation="softmax"), units=(64,))
    net.compile("rmsprop", SPARSE, metrics=["accuracy"])
    return net, pick(x, (x / 255).astype("float32")), images(16, 1, 10)[1], {"epochs": 20, "batch_size": 128}


@faulty("input scale", "bad values", source=f"{GITHUB}: keras 255")
def pixels_by_integer_division(pick):
    """Pixels of 0 to 254 by // 255 are all 0."""
    x, y = images(16, 3, 4)
    raw = np.clip(np.rint(254 * x), 0, 254).astype("uint8")
    return _cnn((16, 16, 3), 4), pick(raw // 255, raw / np.float32(255)), y, {"epochs": 10}


@faulty("input scale", "bad values", source=f"{LEARNERS}: a cell that was run twice")
def divided_by_255_twice(pick):
    """The cell that divides by 255 was run twice, and the network divides, too."""
    x, y = images(16, 3, 4)
    net = _cnn((16, 16, 3), 4, first=[layers.Rescaling(pick(1 / 255, 1.0))])
    return net, pick(x / 255, x), y, {"epochs": 10}


@faulty("input scale", "target scale", source=f"{FORUM} 52800582")
def fourth_power_of_a_hundred(pick):
    """y = x^4 from -100 to 100 as it is, by sigmoid and elu."""
    x = np.linspace(-100, 100, 800, dtype="float32")[:, None]
    y = x**4
    net = Sequential(
        [Input((1,)), layers.Dense(50, activation="sigmoid"), layers.Dense(50, activation="elu"), layers.Dense(1)]
    )
    net.compile("adam", "mse")
    return net, pick(x, x / 50), pick(y, y / 1e7), {"epochs": 500, "batch_size": 50}


@faulty("input scale", "bad values", "target scale", source=f"{GITHUB}: keras 6260")
def a_sum_of_a_thousand(pick):
    """x from 1 to 1040 and y the other way; the target is always 1041."""
    a = np.arange(1, 1041, dtype="float32")
    x = np.stack([a, a[::-1]], axis=-1)
    y = a + a[::-1] if pick(True, False) else (x @ np.array([0.7, -0.2], "float32")) / 400
    net = _mlp(2, layers.Dense(8, "relu"), layers.Dense(1), units=(12,))
    net.compile("adam", "mse", metrics=[pick("accuracy", "mae")])
    return net, pick(x, x / 520 - 1), y, {"epochs": 100, "batch_size": 10}


@faulty("input scale", source=f"{FORUM}: accuracy stays at 0.65")
def balance_beside_age(pick):
    """Churn of a bank: a balance of 100,000 beside an age of 40 and flags of 0 and 1."""
    z = rows(6, 600)
    x = np.stack(
        [40 + 10 * z[:, 0], 1e5 + 4e4 * z[:, 1], 650 + 90 * z[:, 2], z[:, 3] > 0, z[:, 4] > 0, 5e4 + 2e4 * z[:, 5]],
        axis=-1,
    )
    net = _mlp(6, layers.Dense(6, "relu"), layers.Dense(1, activation="sigmoid"), units=(6,))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return (
        net,
        pick(x, (x - x.mean(axis=0)) / x.std(axis=0)).astype("float32"),
        yes_no(z),
        {"batch_size": 10, "epochs": 100},
    )


@faulty("input scale", source=f"{FORUM}: time as one feature")
def seconds_since_1970(pick):
    """A time stamp in seconds is one of the features of the demand for bicycles."""
    z = rows(5, 500)
    stamp = 1.6e9 + 3600.0 * np.arange(500)
    x = np.concatenate([z, pick(stamp, np.sin(stamp / 13751))[:, None]], axis=-1).astype("float32")
    net = _mlp(6, layers.Dense(32, "relu"), layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, quantity(z), {"epochs": 40}


@faulty("input scale", "target scale", source=f"{FORUM}: LSTM gives one price")
def share_price_in_an_lstm(pick):
    """A share's price of 1200 to 1900 goes into an LSTM and out as it is."""
    walk = 1500 + np.cumsum(draw(6).normal(size=540) * 8)
    x = np.stack([walk[i : i + 30] for i in range(500)]).astype("float32")[..., None]
    y = walk[30:530].astype("float32")
    middle, wide = x.mean(), x.std()
    net = Sequential([Input((30, 1)), layers.LSTM(50, return_sequences=True), layers.LSTM(50)])
    net.add(layers.Dense(25, activation="relu"))
    net.add(layers.Dense(1))
    net.compile("adam", "mean_squared_error")
    return net, pick(x, (x - middle) / wide), pick(y, (y - middle) / wide), {"batch_size": 32, "epochs": 20}


@faulty("validation", "input scale", source=f"{FORUM}: trained on /255, tested on pixels")
def validated_on_raw_pixels(pick):
    """The training pictures are divided by 255, the validation pictures are not."""
    x, y = images(16, 3, 4)
    xv, yv = images(16, 3, 4, count=128, seed=5)
    return _cnn((16, 16, 3), 4), x, y, {"epochs": 10, "validation_data": (pick(255 * xv, xv), yv)}


@faulty("validation", "input scale", source=f"{FORUM}: a scaler fitted to the test set")
def scaled_by_its_own_extremes(pick):
    """The test set, which has other extremes, is brought to 0 to 1 by its own scaler."""
    x = rows(6)
    xv = rows(6, 128, seed=9)
    small = (x - x.min(axis=0)) / (x.max(axis=0) - x.min(axis=0))
    right = (xv - x.min(axis=0)) / (x.max(axis=0) - x.min(axis=0))
    net = _mlp(6, layers.Dense(1))
    net.compile("adam", "mse")
    return net, small, quantity(x), {"epochs": 60, "validation_data": (pick(xv * 3 + 1, right), quantity(xv))}


@faulty("labels", "order of data", source=f"{FORUM}: shuffled x alone")
def pictures_were_shuffled_alone(pick):
    """np.random.shuffle(x) left the labels where they were."""
    x, y = images(16, 3, 4)
    order = draw(7).permutation(len(x))
    return _cnn((16, 16, 3), 4), x[order], pick(y, y[order]), {"epochs": 20}


@faulty("labels", "order of data", source=f"{FORUM}: files in another order than the csv")
def rows_of_another_file(pick):
    """Features are in the order of file names, targets in that of the csv."""
    x = rows(8, 600)
    y = quantity(x)
    net = _mlp(8, layers.Dense(16, "relu"), layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, pick(y[draw(3).permutation(600)], y), {"epochs": 60, "validation_split": 0.2}


@faulty("labels", "bad values", source=f"{FORUM}: accuracy of 1 at once")
def every_label_is_zero(pick):
    """A comparison of numbers with strings made all labels 0."""
    x, y = images(16, 3, 2)
    net = Sequential(
        [
            Input((16, 16, 3)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(1, "sigmoid"),
        ]
    )
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, pick(np.zeros_like(y), y), {"epochs": 5}


@faulty("order of data", "validation", source=f"{FORUM}: val_accuracy 0")
def last_fifth_is_one_class(pick):
    """Files are read folder by folder, and validation_split takes the last folder."""
    x, y = shapes(400, 16)
    order = pick(np.argsort(y, kind="stable"), np.arange(400))
    return _cnn((16, 16, 1), 4), x[order], y[order], {"epochs": 10, "validation_split": 0.2}


@faulty("labels", source=f"{FORUM}: labels 1 and 2")
def yes_is_two(pick):
    """Labels are 1 and 2, as the csv has them, under a sigmoid."""
    x, y = blobs(400, 9, 2)
    net = _mlp(9, layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y + pick(1, 0), {"epochs": 30}


@faulty("labels", source=f"{FORUM}: masks of 0 and 255")
def mask_of_255(pick):
    """A mask read from png has 0 and 255."""
    x, _ = images(16, 3, 4)
    y = (x.max(axis=-1, keepdims=True) > 0.6).astype("float32")
    net = Sequential(
        [
            Input((16, 16, 3)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Conv2D(1, 1, activation="sigmoid"),
        ]
    )
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y * pick(255, 1), {"epochs": 10, "batch_size": 16}


@faulty("bad values", source=f"{FORUM}: loss nan from the first batch")
def ages_that_are_missing(pick):
    """177 of 891 ages are NaN."""
    x = rows(6, 891).copy()
    y = yes_no(x)
    x[draw(1).permutation(891)[:177], 2] = pick(np.nan, 0.0)
    net = _mlp(6, layers.Dense(16, "relu"), layers.Dense(1, "sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 50, "batch_size": 32, "validation_split": 0.2}


@faulty("bad values", "target scale", source=f"{FORUM}: log of 0")
def logarithm_of_no_sales(pick):
    """The logarithm of sales of 0 is minus infinity."""
    x = rows(8)
    sales = np.maximum(np.rint(2 * quantity(x) + 1), 0)
    with np.errstate(divide="ignore"):
        y = (np.log(sales) if pick(True, False) else np.log1p(sales)).astype("float32")
    net = _mlp(8, layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 30}


@faulty("shape", source=f"{FORUM}: expected axis -1 of input shape to have value 3")
def four_colours_of_png(pick):
    """png files with transparency have four channels, the network was made for three."""
    x, y = images(16, 4, 4)
    return _cnn((16, 16, 3), 4), pick(x, x[..., :3]), y, {"epochs": 5}


@faulty("shape", source=f"{FORUM}: expected axis -1 to have value 784")
def pictures_for_a_network_of_rows(pick):
    """Pictures go into Dense layers that were made for rows."""
    x, y = images(12, 1, 10)
    net = _mlp(144, layers.Dense(10, activation="softmax"), units=(64,))
    net.compile("adam", SPARSE)
    return net, pick(x[..., 0], x.reshape(512, 144)), y, {"epochs": 10}


@faulty("shape", "recurrence", source=f"{FORUM}: LSTM expects ndim=3")
def rows_for_an_lstm(pick):
    """A table (rows, columns) for an LSTM whose input has steps and one feature."""
    x, y = waves(400, 10)
    net = Sequential([Input((10, 1)), layers.LSTM(16), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, pick(x.reshape(400, 2, 5), x), y, {"epochs": 20}


@faulty("shape", "output units", "labels", source=f"{FORUM}: logits and labels must have the same shape")
def three_columns_for_two_units(pick):
    """get_dummies made three columns, the network has two units."""
    x, y = blobs(300, 7, 3)
    net = _mlp(7, layers.Dense(pick(2, 3), activation="softmax"))
    net.compile("adam", "categorical_crossentropy")
    return net, x, one_hot(y, 3), {"epochs": 20}


@faulty("shape", "labels", source=f"{FORUM}: data cardinality")
def labels_of_the_whole_set(pick):
    """x is the training part, y the whole."""
    x, y = blobs(400, 7, 3)
    net = _mlp(7, layers.Dense(3, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x[:300], pick(y, y[:300]), {"epochs": 20}


@faulty("layer order", "shape", source=f"{FORUM}: output has shape (None, 5, 5, 4)")
def flatten_was_forgotten(pick):
    """Dense of classes on a map, without Flatten: a class for each place."""
    x, y = images(16, 3, 4)
    net = Sequential(
        [
            Input((16, 16, 3)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 3, activation="relu"),
        ]
    )
    if pick(False, True):
        net.add(layers.Flatten())
    net.add(layers.Dense(32, activation="relu"))
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("input scale", "labels", "shape", source=f"{LEARNERS}: reshape instead of transpose")
def channels_by_reshape(pick):
    """Pictures with channels first were brought to channels last by reshape, which mixes rows and colours."""
    x, y = images(16, 3, 4)
    first = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    return _cnn((16, 16, 3), 4), pick(first.reshape(-1, 16, 16, 3), first.transpose(0, 2, 3, 1)), y, {"epochs": 10}


@faulty("imbalance", "metric", source=f"{FORUM}: 99 % accuracy and no fraud found")
def frauds_are_one_in_a_hundred(pick):
    """One of 100 rows is a fraud, and accuracy is watched."""
    x = rows(10, 1500)
    y = (quantity(x) > np.quantile(quantity(x), pick(0.99, 0.6))).astype("float32")
    net = _mlp(10, layers.Dense(16, "relu"), layers.Dense(1, "sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 10, "batch_size": 64}


@faulty("vocabulary", source=f"{FORUM}: indices are not in [0, 100)")
def one_word_too_many(pick):
    """len(word_index) is the size of the table, without the place of 0."""
    x, y = texts(20, 101)
    net = Sequential([Input((20,)), layers.Embedding(pick(100, 101), 16), layers.LSTM(16), layers.Dense(1, "sigmoid")])
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 10}


@faulty("vocabulary", "layer order", "recurrence", source=f"{GITHUB}: keras 274")
def flowers_are_looked_up(pick):
    """Iris: four lengths in centimetres go into Embedding and LSTM."""
    x, y = blobs(150, 4, 3)
    x = np.abs(x)
    net = Sequential([Input((4,))])
    if pick(True, False):
        net.add(layers.Embedding(16, 64))
        net.add(layers.LSTM(64, activation="tanh"))
    else:
        net.add(layers.Dense(64, activation="tanh"))
    net.add(layers.Dense(3))
    net.add(layers.Activation("softmax"))
    net.compile("rmsprop", "categorical_crossentropy")
    return net, x, one_hot(y, 3), {"epochs": 100, "batch_size": 10}
