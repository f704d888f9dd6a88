"""Programs that people asked for help with, written after the rules were mended by the others."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.drawn import blobs
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    callbacks,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
    regularizers,
)  # fmt: skip
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, LEARNERS, SCIENCE

SPARSE = "sparse_categorical_crossentropy"


def _words(classes, *ends, size=400, width=32):
    return Sequential([Input((24,)), layers.Embedding(size, width), *ends, layers.Dense(classes, activation="softmax")])


@faulty("feature maps", "hidden activation", "learning rate", "layer order", source=f"{FORUM} 76054801")
def handwriting_pooled_by_nine(pick):
    """Words of handwriting: pooling by 3 and by 9, a sigmoid before the head, Nadam(0.01)."""
    x, y = images(48, 1, 20)
    net = Sequential([Input((48, 48, 1)), layers.Conv2D(16, 2, activation="relu"), layers.MaxPooling2D(pick(3, 2))])
    net.add(layers.Conv2D(32, 4, activation="relu"))
    net.add(layers.MaxPooling2D(pick(9, 2)))
    net.add(layers.Flatten())
    net.add(layers.Dense(64, activation="relu"))
    net.add(layers.Dense(32, activation=pick("sigmoid", "relu")))
    net.add(layers.Dense(20, activation="softmax"))
    net.compile(optimizers.Nadam(pick(0.01, 0.001)), "categorical_crossentropy", metrics=["accuracy"])
    return net, x, one_hot(y, 20), {"epochs": 20}


@faulty("output units", "output activation", "loss", "labels", source=f"{FORUM}: three folders, one unit")
def three_folders_one_unit(pick):
    """flow_from_directory found three folders; the head is one sigmoid with binary crossentropy and rmsprop."""
    x, y = images(24, 3, 3)
    net = Sequential([Input((24, 24, 3))])
    for filters in (16, 16, 32):
        net.add(layers.Conv2D(filters, (3, 3), padding="same"))
        net.add(layers.Activation("relu"))
        net.add(layers.MaxPooling2D(pool_size=(2, 2)))
    net.add(layers.Flatten())
    net.add(layers.Dense(64))
    net.add(layers.Activation("relu"))
    net.add(layers.Dropout(0.5))
    net.add(layers.Dense(pick(1, 3)))
    net.add(layers.Activation(pick("sigmoid", "softmax")))
    net.compile(loss=pick("binary_crossentropy", SPARSE), optimizer="rmsprop", metrics=["accuracy"])
    return net, x, y, {"epochs": 30, "batch_size": 16}


@faulty("target scale", "training length", source=f"{FORUM}: squashed predictions of changes in percent")
def changes_of_a_thousandth(pick):
    """Changes of a price of a thousandth are the inputs and the target of an LSTM, in one epoch."""
    walk = draw(9).normal(size=640) * 1e-3
    walk[1:] += 0.6 * walk[:-1]
    x = np.stack([walk[i : i + 24] for i in range(600)])[..., None].astype("float32")
    y = walk[24:624].astype("float32")
    net = Sequential([Input((24, 1)), layers.LSTM(25), layers.Dense(1)])
    net.compile(loss="mse", optimizer="adam")
    return net, x * pick(1, 800), y * pick(1, 800), {"epochs": pick(1, 20), "batch_size": 8}


@faulty("output activation", source="community.deeplearning.ai 324182")
def a_line_below_zero_by_relu(pick):
    """y = 2 x - 1 at seven points, relu in each layer and the last."""
    x = np.arange(-1, 6, dtype="float32")[:, None]
    net = Sequential([Input((1,)), layers.Dense(16, activation="relu"), layers.Dense(16, activation="relu")])
    net.add(layers.Dense(1, activation=pick("relu", None)))
    net.compile(loss=losses.MeanSquaredError(), optimizer=optimizers.Adam(0.01))
    return net, x, 2 * x - 1, {"epochs": 500}


@faulty("input scale", "hidden activation", "output activation", "capacity", source=f"{SCIENCE}: 50 marks for everyone")
def marks_by_fifty_sigmoids(pick):
    """Marks of 0 to 50 as 50 times a sigmoid, from hours as they are, through two sigmoid units with large weights."""
    hours = draw(2).uniform(0, 120, (300, 4)).astype("float32")
    y = (5 + 0.3 * hours[:, 0] + 0.08 * hours[:, 1]).clip(0, 50)
    inputs = Input((4,))
    z = layers.Dense(pick(2, 16), activation=pick("sigmoid", "relu"))(inputs)
    z = layers.Rescaling(pick(50.0, 1.0))(layers.Dense(1, activation=pick("sigmoid", None))(z))
    net = Model(inputs, z)
    net.compile(optimizers.SGD(0.05), "mse")
    return net, pick(hours, hours / 60 - 1), pick(y, y / 25 - 1), {"epochs": 60}


@faulty("loss", "output activation", "metric", source=f"{FORUM}: evaluate says 0.98, the confusion matrix 0.83")
def nineteen_classes_by_yes_and_no(pick):
    """19 exclusive classes by sigmoids and binary crossentropy, with a frozen table of words."""
    x, y = texts(24, 400, 19, count=760)
    net = Sequential([Input((24,)), layers.Embedding(400, 32), layers.LSTM(32, dropout=0.2), layers.Dropout(0.2)])
    net.add(layers.BatchNormalization())
    net.add(layers.Dense(48, activation="relu"))
    net.add(layers.Dense(19, activation=pick("sigmoid", "softmax")))
    net.compile(loss=pick("binary_crossentropy", "categorical_crossentropy"), optimizer="adam", metrics=["accuracy"])
    return net, x, one_hot(y, 19), {"epochs": 30, "batch_size": 48}


@faulty("learning rate", "callback", source=f"{GITHUB}: tensorflow 48308")
def scheduler_takes_the_epoch_for_the_rate(pick):
    """A function of LearningRateScheduler divides by ten at each epoch, not at each tenth."""
    x, y = images(16, 3, 4)
    net = Sequential([Input((16, 16, 3)), layers.Conv2D(16, 3, activation="relu"), layers.GlobalMaxPooling2D()])
    net.add(layers.Dense(4, activation="softmax"))
    net.compile(optimizers.Adam(1e-2), SPARSE)
    each, tenth = (lambda epoch: 1e-2 * 0.1**epoch), (lambda epoch: 1e-2 * 0.1 ** (epoch // 15))
    plan = callbacks.LearningRateScheduler(pick(each, tenth))
    return net, x, y, {"epochs": 30, "callbacks": [plan]}


@faulty("loss", "output activation", "labels", source=f"{FORUM}: whole numbers by a regression")
def rooms_of_a_house_by_squares(pick):
    """One of six kinds of rooms as a number by mean squared error and SGD(0.001), with tanh at the end."""
    x = rows(9, 600)
    y = choices(x, 6)
    net = Sequential([Input((9,)), layers.Dense(40, activation="relu")])
    net.add(layers.Dense(pick(1, 6), activation=pick("tanh", "softmax")))
    net.compile(pick(optimizers.SGD(0.001), optimizers.Adam(0.003)), pick("mean_squared_error", SPARSE))
    return net, x, y, {"epochs": 40}


@faulty("hidden activation", "layer order", source=f"{GITHUB}: keras 6132")
def no_activation_behind_subsampling(pick):
    """Steering angles: convolutions with strides, without activation, one behind the other."""
    x, _ = images(32, 3, 8)
    y = quantity(x)
    net = Sequential([Input((32, 32, 3))])
    for filters, window in ((12, 5), (16, 5), (24, 3)):
        net.add(layers.Conv2D(filters, window, strides=2, activation=pick(None, "elu")))
    net.add(layers.Flatten())
    net.add(layers.Dense(32, activation=pick(None, "elu")))
    net.add(layers.Dense(1))
    net.compile(loss="mse", optimizer="adam")
    return net, x, y, {"epochs": 20}


@faulty("validation", "order of data", source=f"{FORUM} 50686217")
def half_of_the_comments_for_validation(pick):
    """Files of a class after the other, of which validation_split=0.5 takes the second half."""
    x, y = texts(24, 400, 6)
    order = np.argsort(y, kind="stable") if pick(True, False) else draw(1).permutation(len(y))
    net = _words(6, layers.Flatten(), layers.Dense(32, activation="relu"))
    net.compile("adam", SPARSE)
    return net, x[order], y[order], {"epochs": 10, "validation_split": pick(0.5, 0.2)}


@faulty("batch size", "training length", source=f"{FORUM}: SGD and one batch")
def one_batch_of_all_for_three_epochs(pick):
    """70000 digits in three steps, here 1024: batch_size=1024, three epochs."""
    x = images(16, 1, 10, count=1024)[0].reshape(1024, 256)
    net = Sequential([Input((256,)), layers.Dense(128, activation="relu"), layers.Dense(10, activation="softmax")])
    net.compile("adam", SPARSE)
    return net, x, images(16, 1, 10, count=1024)[1], {"epochs": pick(3, 10), "batch_size": pick(1024, 32)}


@faulty("label shift", "labels", source=f"{FORUM}: forecasts lag one day behind")
def yesterday_is_forecast(pick):
    """The target column is not shifted: it is the last step of the window."""
    x, _ = series(20, 2, 1)
    after = pick(x[:, -1, 0], 0.7 * x[:, -1, 0] - 0.2 * x[:, -2, 1])
    net = Sequential([Input((20, 2)), layers.GRU(24), layers.Dense(1)])
    net.compile("adam", "mae")
    return net, x, after, {"epochs": 20}


@faulty("input scale", source=f"{FORUM}: MobileNet and pixels")
def pixels_of_255_into_tanh(pick):
    """Faces of 0 to 255 into convolutions of tanh."""
    x, y = images(20, 3, 5)
    net = Sequential([Input((20, 20, 3)), layers.Conv2D(16, 5, activation="tanh"), layers.AveragePooling2D()])
    net.add(layers.Flatten())
    net.add(layers.Dense(5, activation="softmax"))
    net.compile(optimizers.Adagrad(0.01), SPARSE)
    return net, x * np.float32(pick(255, 1)), y, {"epochs": 30}


@faulty("input scale", source=f"{FORUM}: one feature of thousands")
def kilometres_of_used_cars(pick):
    """Kilometres and year of a used car as they are, price in ten thousands."""
    z = rows(4, 500)
    x = np.stack([9e4 + 4e4 * z[:, 0], 2012 + 4 * z[:, 1], z[:, 2] > 0, 1.4 + 0.4 * z[:, 3]], axis=-1)
    net = Sequential(
        [Input((4,)), layers.Dense(64, activation="relu"), layers.Dense(64, activation="relu"), layers.Dense(1)]
    )
    net.compile("rmsprop", "mae")
    return net, pick(x, (x - x.mean(axis=0)) / x.std(axis=0)).astype("float32"), 1.2 + 0.5 * quantity(z), {"epochs": 80}


@faulty("dropout", source=f"{LEARNERS}: dropout in each of four layers")
def dropout_four_times_in_narrow_layers(pick):
    """Four layers of 8 units with Dropout(0.5) each."""
    x, y = blobs(500, 10, 3)
    net = Sequential([Input((10,))])
    for _ in range(4):
        net.add(layers.Dense(8, activation="relu"))
        net.add(layers.Dropout(pick(0.5, 0.0)))
    net.add(layers.Dense(3, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 40}


@faulty("regularization", source=f"{FORUM}: all predictions are the mean with l1")
def lasso_of_a_tenth(pick):
    """L1(0.1) on two layers of 64 units."""
    x = rows(20)
    how = {"activation": "relu", "kernel_regularizer": regularizers.l1(pick(0.1, 1e-5))}
    net = Sequential([Input((20,)), layers.Dense(64, **how), layers.Dense(64, **how), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 60}


@faulty("labels", "bad values", source=f"{FORUM}: loss is nan from the first step")
def labels_with_gaps(pick):
    """A target column with empty cells."""
    x = rows(7, 400)
    y = np.array(quantity(x))
    y[5::40] = pick(np.nan, 0.0)
    net = Sequential([Input((7,)), layers.Dense(16, activation="relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 40}


@faulty("logits", "output activation", source=f"{FORUM}: accuracy stays at 0.5 with hinge and logits")
def logits_of_a_dense_without_sigmoid(pick):
    """Dense(1) as it is under BinaryCrossentropy(), whose from_logits is False."""
    x = rows(12)
    net = Sequential([Input((12,)), layers.Dense(24, activation="relu"), layers.Dense(1)])
    net.compile(
        "adam",
        losses.BinaryCrossentropy(from_logits=pick(False, True)),
        metrics=[pick("accuracy", metrics.BinaryAccuracy(threshold=0.0))],
    )
    return net, x, yes_no(x), {"epochs": 30}


@faulty("output activation", "logits", source=f"{FORUM}: softmax in the layer and in the loss function")
def softmax_once_more_in_a_function(pick):
    """A loss function of one's own takes softmax of what is softmax."""
    x, y = blobs(500, 8, 4)

    def loss(y_true, y_pred):
        scores = ops.log_softmax(y_pred, axis=-1) if pick(True, False) else ops.log(y_pred + 1e-7)
        return -ops.sum(y_true * scores, axis=-1)

    net = Sequential([Input((8,)), layers.Dense(24, activation="relu"), layers.Dense(4, activation="softmax")])
    net.compile("adam", loss)
    return net, x, one_hot(y, 4), {"epochs": 30}
