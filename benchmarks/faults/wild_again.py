"""Faults as they occur in the wild, written after the rules had been mended by the programs of `wild_*`."""

import numpy as np

from benchmarks.faults.data import choices, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    as_trained,
    callbacks,
    initializers,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
)  # fmt: skip
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import AUTOTRAINER, DEEPFD, DEFECTS, NEURALINT, STUDY, TAXONOMY, TENSFA, UMLAUT

FORUM = "after questions on Stack Overflow"


@faulty("loss", "disconnected", "gradient flow", source=f"{FORUM}: accuracy as the loss")
def accuracy_as_the_loss(pick):
    """The share of right answers, negated, by argmax: it has no gradient."""
    x = rows(8)

    def loss(y_true, y_pred):
        right = ops.cast(ops.equal(ops.argmax(y_true, -1), ops.argmax(y_pred, -1)), "float32")
        return -ops.mean(right) if pick(True, False) else ops.mean(losses.categorical_crossentropy(y_true, y_pred))

    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(4, "softmax")])
    net.compile("adam", loss)
    return net, x, one_hot(choices(x, 4), 4), {"epochs": 30}


@faulty("loss", source=f"{FORUM}: R squared is minimized")
def determination_is_minimized(pick):
    """R squared as the loss of a regression."""
    x = rows(6)

    def r2(y_true, y_pred):
        rest = ops.sum(ops.square(y_true - y_pred))
        value = 1 - rest / (ops.sum(ops.square(y_true - ops.mean(y_true))) + 1e-6)
        return value if pick(True, False) else 1 - value

    net = Sequential([Input((6,)), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", r2)
    return net, x, quantity(x)[:, None], {"epochs": 40}


@faulty("loss", "output activation", source=f"{FORUM}: an IoU of scores")
def overlap_of_scores(pick):
    """1 - IoU of outputs without a sigmoid."""
    x, _ = images(16, 1, 4)

    def iou(y_true, y_pred):
        both = ops.sum(y_true * y_pred)
        return 1 - (both + 1) / (ops.sum(y_true) + ops.sum(y_pred) - both + 1)

    net = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(1, 1, activation=pick(None, "sigmoid")))
    net.compile(optimizers.Adam(0.01), iou)
    return net, x, (x > 0.6).astype("float32"), {"epochs": 20}


@faulty("output activation", "output units", source=f"{UMLAUT}: softmax of a mask of one channel")
def mask_by_softmax_of_one_channel(pick):
    """A U-Net's last convolution has one filter and softmax."""
    x, _ = images(16, 1, 4)
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(1, (1, 1), activation=pick("softmax", "sigmoid")))
    net.compile("adam", "binary_crossentropy")
    return net, x, (x > 0.6).astype("float32"), {"epochs": 20}


@faulty("labels", "loss", "shape", source=f"{FORUM}: class numbers of pixels with categorical crossentropy")
def class_numbers_of_pixels(pick):
    """Masks of class numbers (h, w, 1) beside a softmax of three channels."""
    x, _ = images(16, 3, 4)
    y = x.argmax(-1)
    net = Sequential([Input((16, 16, 3)), layers.Conv2D(16, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(3, 1, activation="softmax"))
    net.compile("adam", pick("categorical_crossentropy", "sparse_categorical_crossentropy"))
    return net, x, y[..., None], {"epochs": 20}


@faulty("metric", source=f"{FORUM}: threshold of logits")
def precision_of_logits(pick):
    """BinaryAccuracy with the threshold 0.5 on logits."""
    x = rows(8)
    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(1)])
    metric = metrics.BinaryAccuracy(threshold=pick(0.5, 0.0))
    net.compile("adam", losses.BinaryCrossentropy(from_logits=True), metrics=[metric])
    return net, x, yes_no(x), {"epochs": 40}


@faulty("output units", "labels", source=f"{FORUM}: classes are numbered from 1")
def classes_from_one(pick):
    """Stars of 1 to 5 with five units."""
    x = rows(8)
    y = choices(x, 5) + pick(1, 0)
    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(5, "softmax")])
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 40}


@faulty("input scale", source=f"{FORUM}: Rescaling of standardized columns")
def standardized_and_rescaled(pick):
    """Standardized columns through Rescaling(1 / 255)."""
    x = rows(8)
    net = Sequential([Input((8,))])
    if pick(True, False):
        net.add(layers.Rescaling(1 / 255.0))
    net.add(layers.Dense(32, "relu"))
    net.add(layers.Dense(1, "sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, yes_no(x), {"epochs": 40}


@faulty("input scale", source=f"{DEEPFD}: columns of very different size")
def salary_beside_age(pick):
    """Salaries of 20,000 to 200,000 beside ages and shares."""
    z = rows(4)
    x = z * np.array([4e4, 12, 0.2, 1]) + np.array([9e4, 40, 0.5, 0])
    x = x if pick(True, False) else (x - x.mean(0)) / x.std(0)
    net = Sequential([Input((4,)), layers.Dense(16, "tanh"), layers.Dense(1, "sigmoid")])
    net.compile("sgd", "binary_crossentropy")
    return net, x.astype("float32"), yes_no(z), {"epochs": 100}


@faulty("bad values", source=f"{FORUM}: a column divided by its deviation of 0")
def division_by_no_deviation(pick):
    """Standardization of a constant column gives NaN."""
    x = np.array(rows(5))
    x[:, 2] = 3.0
    with np.errstate(invalid="ignore"):
        x = (x - x.mean(0)) / (x.std(0) + pick(0.0, 1e-7))
    net = Sequential([Input((5,)), layers.Dense(16, "relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, quantity(x[:, [0, 1, 3, 4]]), {"epochs": 40}


@faulty("validation", source=f"{TAXONOMY}: the validation data are of one class")
def validated_on_one_class(pick):
    """The data frame is sorted, and its last rows are the validation."""
    x = rows(8)
    y = yes_no(x)
    order = np.argsort(y, kind="stable") if pick(True, False) else np.arange(len(y))
    x, y = x[order], y[order]
    net = Sequential([Input((8,)), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x[:400], y[:400], {"epochs": 40, "validation_data": (x[400:], y[400:])}


@faulty("validation", "labels", source=f"{FORUM}: one-hot labels for training, numbers for validation")
def other_labels_in_validation(pick):
    """The validation labels were not made one-hot."""
    x = rows(8)
    y = choices(x, 4)
    net = Sequential([Input((8,)), layers.Dense(16, "relu"), layers.Dense(4, "softmax")])
    net.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    val = (x[400:], pick(y[400:], one_hot(y[400:], 4)))
    return net, x[:400], one_hot(y[:400], 4), {"epochs": 40, "validation_data": val}


@faulty("callback", "training length", source=f"{FORUM}: EarlyStopping of the training loss with a large min_delta")
def stops_after_two_epochs(pick):
    """EarlyStopping(min_delta=1, patience=0), which ends the training at once."""
    x = rows(8)
    stop = callbacks.EarlyStopping("loss", min_delta=pick(1.0, 0.0), patience=pick(0, 5))
    net = Sequential([Input((8,)), layers.Dense(16, "relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 60, "callbacks": [stop]}


@faulty("callback", "validation", source=f"{FORUM}: val_loss without validation data")
def waits_for_a_validation(pick):
    """ReduceLROnPlateau of val_loss, and no validation data."""
    x = rows(8)
    net = Sequential([Input((8,)), layers.Dense(16, "relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 60, "callbacks": [callbacks.ReduceLROnPlateau(pick("val_loss", "loss"))]}


@faulty("learning rate", source=f"{AUTOTRAINER}: a rate that is too small")
def rate_of_a_fine_tuning(pick):
    """Adam(1e-6) for a network from scratch."""
    x, y = images(16, 1)
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, activation="relu"), layers.Flatten()])
    net.add(layers.Dense(10, activation="softmax"))
    net.compile(optimizers.Adam(pick(1e-6, 1e-3)), "sparse_categorical_crossentropy")
    return net, x, y, {"epochs": 10}


@faulty("learning rate", "optimizer", source=f"{FORUM}: decay in the style of Keras 2 with a schedule")
def falls_to_a_thousandth(pick):
    """PolynomialDecay over 20 steps in a training of 640."""
    x = rows(8)
    rate = optimizers.schedules.PolynomialDecay(0.01, decay_steps=pick(20, 640), end_learning_rate=0.0)
    net = Sequential([Input((8,)), layers.Dense(16, "relu"), layers.Dense(1)])
    net.compile(optimizers.Adam(rate), "mse")
    return net, x, quantity(x), {"epochs": 40}


@faulty("frozen weights", source=f"{FORUM}: each layer is frozen in a loop")
def frozen_in_a_loop(pick):
    """for layer in model.layers: layer.trainable = False, with the new head among them."""
    x, y = images(16, 3, 4)
    net = Sequential([Input((16, 16, 3)), layers.Conv2D(8, 3, activation="relu"), layers.GlobalMaxPooling2D()])
    net.add(layers.Dense(4, activation="softmax"))
    as_trained(net.layers[0])
    for layer in net.layers[: pick(None, 1)]:
        layer.trainable = False
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, y, {"epochs": 60}


@faulty("disconnected", source=f"{FORUM}: the second input is not used")
def second_input_is_forgotten(pick):
    """Text and numbers, and the numbers are concatenated with themselves."""
    a, b = rows(6), rows(3, seed=5)
    one, two = Input((6,)), Input((3,))
    h, k = layers.Dense(16, "relu")(one), layers.Dense(8, "relu")(two)
    net = Model([one, two], layers.Dense(1)(layers.Concatenate()(pick([h, h], [h, k]))))
    net.compile("adam", "mse")
    return net, [a, b], quantity(np.concatenate([a, b], 1)), {"epochs": 40}


@faulty("initializer", source=f"{DEEPFD}: initial weights are zero")
def zeros_in_each_layer(pick):
    """kernel_initializer=Constant(0) in two layers."""
    x = rows(8)
    how = pick(initializers.Constant(0.0), "he_uniform")
    net = Sequential([Input((8,)), layers.Dense(16, "relu", kernel_initializer=how)])
    net.add(layers.Dense(3, "softmax", kernel_initializer=how))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, choices(x, 3), {"epochs": 40}


@faulty("layer order", "feature maps", source=f"{NEURALINT}: pooling after Flatten of a small map")
def pooled_until_one_pixel(pick):
    """Five times MaxPooling on pictures of 32 pixels, then a convolution."""
    x, y = images(32, 3, 4)
    net = Sequential([Input((32, 32, 3))])
    for _ in range(pick(5, 2)):
        net.add(layers.Conv2D(16, 3, padding="same", activation="relu"))
        net.add(layers.MaxPooling2D())
    net.add(layers.Conv2D(32, 3, padding="same", activation="relu"))
    net.add(layers.GlobalAveragePooling2D())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, y, {"epochs": 40}


@faulty("dropout", source=f"{STUDY}: dropout of most units")
def nine_of_ten_are_dropped(pick):
    """Dropout(0.9) where a share of 0.1 was meant."""
    x = rows(8)
    net = Sequential([Input((8,)), layers.Dense(16, "relu"), layers.Dropout(pick(0.9, 0.1))])
    net.add(layers.Dense(3, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, choices(x, 3), {"epochs": 40}


@faulty("recurrence", "shape", source=f"{FORUM}: the last LSTM keeps the steps")
def last_layer_keeps_the_steps(pick):
    """return_sequences=True in the last LSTM of a classifier."""
    x, _ = series(20, 2)
    net = Sequential([Input((20, 2)), layers.LSTM(8, return_sequences=True)])
    net.add(layers.LSTM(8, return_sequences=pick(True, False)))
    net.add(layers.Dense(3, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, choices(x, 3), {"epochs": 30}


@faulty("vocabulary", source=f"{FORUM}: len(word_index) and no 1 for padding")
def one_row_too_few(pick):
    """Embedding(len(word_index)), whose last word has no row."""
    x, y = texts(20, 60, padded=True)
    net = Sequential([Input((20,)), layers.Embedding(pick(59, 60), 8, mask_zero=True), layers.LSTM(8)])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 20}


@faulty("mask", source=f"{DEFECTS}: the mean of words counts the padding")
def state_after_the_padding(pick):
    """Short texts in rows of 80, padded at the end, read by a GRU without a mask."""
    x, y = texts(12, 60)
    x = np.pad(x, ((0, 0), (0, 68)))
    net = Sequential([Input((80,)), layers.Embedding(60, 8, mask_zero=pick(False, True)), layers.GRU(8)])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 20}


@faulty("label shift", source=f"{FORUM}: the language model predicts its input")
def labels_are_the_words_themselves(pick):
    """x and y of a character model are the same rows."""
    text, _ = texts(17, 40)
    x, y = text[:, :-1], pick(text[:, :-1], text[:, 1:])
    net = Sequential([Input((16,)), layers.Embedding(40, 16), layers.LSTM(32, return_sequences=True)])
    net.add(layers.Dense(40, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, y, {"epochs": 30}


@faulty("hidden activation", source=f"{NEURALINT}: convolutions without activation")
def three_bare_convolutions(pick):
    """Three convolutions in a row, none with an activation."""
    x, y = images(16, 1, 4)
    net = Sequential([Input((16, 16, 1))])
    for filters in (8, 16, 16):
        net.add(layers.Conv2D(filters, 3, activation=pick(None, "relu")))
    net.add(layers.Flatten())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, y, {"epochs": 20}


@faulty("shape", "layer order", source=f"{TENSFA}: Flatten is missing")
def pictures_without_flatten(pick):
    """Dense layers on pictures, and one label for each."""
    x, y = images(12, 1, 4)
    net = Sequential([Input((12, 12, 1)), *pick([], [layers.Flatten()]), layers.Dense(32, activation="relu")])
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, y, {"epochs": 20}


@faulty("target scale", "output activation", source=f"{FORUM}: sigmoid for prices in thousands")
def prices_by_a_sigmoid(pick):
    """Prices of 100 to 900 by a sigmoid."""
    x = rows(6)
    y = 500 + 100 * quantity(x)
    y = y if pick(True, False) else (y - y.min()) / np.ptp(y)
    net = Sequential([Input((6,)), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 40}


@faulty("imbalance", source=f"{FORUM}: nearly all are healthy")
def nearly_all_are_healthy(pick):
    """Two of a hundred patients are ill, and nothing weighs them."""
    x = rows(8, 600)
    y = np.zeros(600, "int64")
    y[np.argsort(quantity(x))[-12:]] = 1
    net = Sequential([Input((8,)), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 30, **pick({}, {"class_weight": {0: 1.0, 1: 49.0}})}


@faulty("positions", "attention", source=f"{TAXONOMY}: attention without positions")
def attention_without_positions(pick):
    """Whether the first word is even: self attention and a mean, without positions."""
    x, _ = texts(12, 40)
    inputs = Input((12,), dtype="int32")
    h = layers.Embedding(40, 16)(inputs)
    if pick(False, True):
        h = h + layers.Embedding(12, 16)(ops.arange(12))
    h = layers.LayerNormalization()(h + layers.MultiHeadAttention(2, 8)(h, h))
    net = Model(inputs, layers.Dense(1, "sigmoid")(layers.GlobalAveragePooling1D()(h)))
    net.compile(optimizers.Adam(3e-3), "binary_crossentropy")
    return net, x, x[:, 0] % 2, {"epochs": 60}
