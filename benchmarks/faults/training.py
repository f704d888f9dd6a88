"""Faults of the settings of training: optimizer, rate, batch, epochs, callbacks, frozen weights."""

import numpy as np

from benchmarks.faults.data import choices, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import Input, Model, Sequential, as_trained, callbacks, layers, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import AUTOTRAINER, CRIME, DEEPFD, DEEPLOCALIZE, DEFECTS, STUDY, TAXONOMY, UMLAUT


def _table(hidden, units, last, loss, optimizer, features=16, **more):
    model = Sequential([Input((features,)), *[layers.Dense(size, activation="relu") for size in hidden]])
    model.add(layers.Dense(units, activation=last))
    model.compile(optimizer=optimizer, loss=loss, **more)
    return model


@faulty("learning rate", source=f"{DEEPFD}, {UMLAUT}: learning rate too high")
def adam_of_one(pick):
    """Adam with a rate of 1."""
    x = rows(16)
    model = _table((32, 32), 1, "sigmoid", "binary_crossentropy", optimizers.Adam(pick(1.0, 0.001)))
    return model, x, yes_no(x), {"epochs": 30}


@faulty("learning rate", source=f"{DEEPFD}: learning rate too high")
def adam_of_a_tenth_on_pictures(pick):
    """Adam with a rate of 0.1 on a convolutional network: all relus die."""
    x, y = images(24, 3, 8)
    model = Sequential([Input((24, 24, 3))])
    for filters in (16, 32, 32):
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(8, activation="softmax"))
    model.compile(optimizers.Adam(learning_rate=pick(0.1, 0.001)), "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 20}


@faulty("learning rate", source=f"{UMLAUT}: learning rate too low")
def rmsprop_of_a_billionth(pick):
    """A rate of 1e-9, a wrong exponent."""
    x, y = texts(20, 300, 4)
    model = Sequential([
        Input((20,), dtype="int32"), layers.Embedding(300, 16), layers.GlobalAveragePooling1D(),
        layers.Dense(4, activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizers.RMSprop(pick(1e-9, 1e-3)), "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 40}


@faulty("learning rate", "training length", source=f"{AUTOTRAINER}: slow convergence")
def sgd_of_a_hundred_thousandth(pick):
    """Plain SGD with a rate of 1e-5 for ten epochs."""
    x = rows(16)
    rate = pick(optimizers.SGD(1e-5), optimizers.SGD(0.05, momentum=0.9))
    return _table((64,), 1, None, "mse", rate), x, quantity(x), {"epochs": pick(10, 30)}


@faulty("learning rate", source=f"{AUTOTRAINER}: oscillating loss")
def sgd_of_ten(pick):
    """SGD with a rate of 10 and momentum."""
    x = rows(16)
    model = _table(
        (32, 16), 4, "softmax", "sparse_categorical_crossentropy", optimizers.SGD(pick(10.0, 0.05), momentum=0.9)
    )
    return model, x, choices(x, 4), {"epochs": 30}


@faulty("learning rate", source=f"{DEEPFD}: learning rate of another optimizer")
def rate_of_sgd_for_adagrad_and_back(pick):
    """Fine-tuning with the rate for training from scratch: Nadam of 0.5."""
    x = rows(20)
    model = _table((32,), 1, "sigmoid", "binary_crossentropy", optimizers.Nadam(pick(0.5, 0.002)), features=20)
    return model, x, yes_no(x), {"epochs": 30}


@faulty("learning rate", source=f"{STUDY}: decay of the rate")
def decays_to_nothing(pick):
    """An exponential schedule that reaches 0 within a few steps."""
    x = rows(16)
    rate = optimizers.schedules.ExponentialDecay(0.001, decay_steps=pick(1, 400), decay_rate=pick(0.1, 0.9))
    return _table((32,), 1, None, "mse", optimizers.Adam(rate)), x, quantity(x), {"epochs": 50}


@faulty("learning rate", source=f"{TAXONOMY}: schedule longer than the training")
def cosine_for_another_number_of_steps(pick):
    """A cosine over 50 steps in a training of 800: the rate is 0 for most of it."""
    x = rows(16)
    rate = optimizers.schedules.CosineDecay(0.002, pick(50, 800))
    model = _table((32, 32), 1, "sigmoid", "binary_crossentropy", optimizers.Adam(rate))
    return model, x, yes_no(x), {"epochs": 50, "batch_size": 32}


@faulty("optimizer", "learning rate", "gradient flow", source=f"{CRIME}: change optimisation function")
def plain_sgd_on_a_deep_network(pick):
    """Twelve convolutions by SGD without momentum."""
    x, y = images(20, 3, 10)
    model = Sequential([Input((20, 20, 3))])
    for _ in range(12):
        model.add(layers.Conv2D(16, 3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization())
        model.add(layers.ReLU())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(pick("sgd", optimizers.SGD(0.05, momentum=0.9)), "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("optimizer", "learning rate", "training length", source=f"{DEEPFD}: wrong optimizer")
def plain_sgd_for_a_recurrence(pick):
    """Two LSTMs by SGD of 0.01 without momentum."""
    x, y = series(48, 2)
    model = Sequential([Input((48, 2)), layers.LSTM(24, return_sequences=True), layers.LSTM(24), layers.Dense(1)])
    model.compile(optimizer=pick(optimizers.SGD(learning_rate=0.01), "adam"), loss="mse")
    return model, x, y, {"epochs": 30}


@faulty("optimizer", "learning rate", source=f"{CRIME}: change optimisation function")
def adadelta_of_a_thousandth(pick):
    """Adadelta with the rate of Adam, which hardly moves."""
    x = rows(16)
    optimizer = pick(optimizers.Adadelta(0.001), optimizers.Adadelta(1.0))
    return _table((64, 32), 1, "sigmoid", "binary_crossentropy", optimizer), x, yes_no(x), {"epochs": 60}


@faulty("optimizer", source=f"{STUDY}: clipping of gradients")
def clipped_to_nothing(pick):
    """SGD with gradients clipped to a norm of 1e-6."""
    x = rows(16)
    optimizer = optimizers.SGD(0.05, momentum=0.9, clipnorm=pick(1e-6, 1.0))
    return _table((32,), 1, None, "mse", optimizer), x, quantity(x), {"epochs": 40}


@faulty("optimizer", source=f"{DEFECTS}: settings of the optimizer")
def momentum_of_one(pick):
    """Momentum of 1, which never forgets."""
    x = rows(16)
    optimizer = optimizers.SGD(0.01, momentum=pick(1.0, 0.9))
    return _table((32,), 1, None, "mse", optimizer), x, quantity(x), {"epochs": 40}


@faulty("batch size", source=f"Stack Overflow 44164749; {DEEPLOCALIZE}: batches too large")
def a_batch_of_all_rows(pick):
    """All 512 rows in one batch, for five epochs: five steps."""
    x, y = images(28, 1, 10)
    x = x.reshape(len(x), -1)
    model = _table(
        (256, 64), 10, "softmax", "categorical_crossentropy", optimizers.SGD(0.05, momentum=0.9), features=784
    )
    return model, x, one_hot(y, 10), {"epochs": pick(5, 20), "batch_size": pick(512, 16)}


@faulty("batch size", source=f"{CRIME}: change batch size")
def one_row_with_batch_normalization(pick):
    """Batches of one row through BatchNormalization: every batch has a variance of 0."""
    x = rows(16)
    model = Sequential([Input((16,))])
    for _ in range(2):
        model.add(layers.Dense(32, use_bias=False))
        model.add(layers.BatchNormalization())
        model.add(layers.Activation("relu"))
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy")
    return model, x, yes_no(x), {"epochs": 10, "batch_size": pick(1, 32)}


@faulty("batch size", "training length", source=f"{DEEPFD}: wrong batch size")
def a_batch_larger_than_the_data(pick):
    """Batches of 2048 with 512 rows, for ten epochs."""
    x = rows(16)
    model = _table((32, 32), 1, "sigmoid", "binary_crossentropy", "adam")
    return model, x, yes_no(x), {"epochs": pick(10, 40), "batch_size": pick(2048, 32)}


@faulty("training length", source=f"{DEEPFD}: insufficient epochs")
def one_epoch(pick):
    """One epoch of 16 steps with Adam's usual rate."""
    x = rows(20)
    model = _table((64, 64), 5, "softmax", "sparse_categorical_crossentropy", "adam", features=20)
    return model, x, choices(x, 5), {"epochs": pick(1, 40)}


@faulty("training length", source=f"{DEEPFD}: insufficient epochs; {CRIME}: change epochs")
def two_epochs_of_large_batches(pick):
    """Two epochs of four steps for pictures of ten classes."""
    x, y = images(24, 3, 10)
    model = Sequential([
        Input((24, 24, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"), layers.GlobalAveragePooling2D(),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": pick(2, 40), "batch_size": pick(128, 16)}


@faulty("callback", source=f"{STUDY}: callbacks")
def waits_for_validation_that_is_not_there(pick):
    """EarlyStopping on val_loss without validation data."""
    x = rows(16)
    stop = callbacks.EarlyStopping(monitor=pick("val_loss", "loss"), patience=5)
    model = _table((32,), 1, "sigmoid", "binary_crossentropy", "adam")
    return model, x, yes_no(x), {"epochs": 50, "callbacks": [stop]}


@faulty("callback", source=f"Stack Overflow 45378493, {DEFECTS}: name of a figure")
def plateau_of_a_figure_by_its_old_name(pick):
    """ReduceLROnPlateau on val_acc, which has been val_accuracy for years."""
    x = rows(16)
    plateau = callbacks.ReduceLROnPlateau(monitor=pick("val_acc", "val_accuracy"), factor=0.5, patience=5)
    model = _table((32,), 1, "sigmoid", "binary_crossentropy", "adam", metrics=["accuracy"])
    return model, x, yes_no(x), {"epochs": 50, "callbacks": [plateau], "validation_split": 0.2}


@faulty("callback", source=f"{STUDY}: direction of a figure")
def stops_when_accuracy_rises(pick):
    """EarlyStopping waits for the accuracy to fall."""
    x = rows(16)
    stop = callbacks.EarlyStopping("val_accuracy", patience=4, mode=pick("min", "max"))
    model = _table((32,), 1, "sigmoid", "binary_crossentropy", "adam", metrics=["accuracy"])
    return model, x, yes_no(x), {"epochs": 50, "callbacks": [stop], "validation_split": 0.2}


@faulty("callback", "training length", source=f"{CRIME}: change early stopping patience")
def stops_at_the_first_pause(pick):
    """EarlyStopping with a patience of 0 and a large smallest change."""
    x = rows(16)
    stop = callbacks.EarlyStopping("val_loss", patience=pick(0, 6), min_delta=pick(0.5, 0.0))
    model = _table((32,), 1, "sigmoid", "binary_crossentropy", "adam")
    return model, x, yes_no(x), {"epochs": 50, "callbacks": [stop], "validation_split": 0.2}


@faulty("frozen weights", source=f"{DEFECTS}: trainable")
def everything_is_frozen(pick):
    """The whole network was frozen, the new last layer too."""
    x, y = images(24, 3, 5)
    model = Sequential([
        Input((24, 24, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"), layers.GlobalAveragePooling2D(), layers.Dense(5, activation="softmax"),
    ])  # fmt: skip
    as_trained(*model.layers[:-1])
    for layer in model.layers[: pick(None, -1)]:
        layer.trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("frozen weights", source=f"{TAXONOMY}: trainable set after compile")
def frozen_after_compile(pick):
    """The backbone is frozen only after compile, which older programs do not see."""
    x = rows(20)
    backbone = Sequential([Input((20,)), layers.Dense(64, "relu"), layers.Dense(32, "relu")], name="backbone")
    model = Sequential([Input((20,)), backbone, layers.Dense(1, activation="sigmoid")])
    as_trained(backbone)
    backbone.trainable = pick(True, False)
    model.compile("adam", "binary_crossentropy")
    backbone.trainable = False
    return model, x, yes_no(x), {"epochs": 40}


@faulty("frozen weights", source=f"{TAXONOMY}: random weights that are frozen")
def untrained_network_frozen_in_the_middle(pick):
    """The only layer between the input and the last one never trains, though nothing was loaded into it."""
    x = rows(20)
    hidden = layers.Dense(4, activation="relu", trainable=pick(False, True))
    model = Sequential([Input((20,)), hidden, layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, choices(x, 3), {"epochs": 60}


@faulty("disconnected", source=f"{STUDY}: graph of the model")
def an_input_without_effect(pick):
    """Pictures and measures; the measures were never connected."""
    x, y = images(20, 3, 4)
    table = rows(5)
    pictures, measures = Input((20, 20, 3), name="pictures"), Input((5,), name="measures")
    z = layers.GlobalMaxPooling2D()(layers.Conv2D(16, 3, activation="relu")(pictures))
    both = z if pick(True, False) else layers.Concatenate()([z, layers.Dense(8, activation="relu")(measures)])
    model = Model([pictures, measures], layers.Dense(4, activation="softmax")(both))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, {"pictures": x, "measures": table}, y, {"epochs": 30}


@faulty("disconnected", source=f"{DEFECTS}: loss of one output alone")
def an_output_without_a_loss(pick):
    """Age and sex; the age has no loss, and its layers do not train."""
    x = rows(24)
    inputs = Input((24,))
    z = layers.Dense(32, activation="relu")(inputs)
    sex = layers.Dense(1, activation="sigmoid", name="sex")(z)
    age = layers.Dense(1, name="age")(layers.Dense(16, activation="relu")(z))
    model = Model(inputs, {"sex": sex, "age": age})
    model.compile("adam", {"sex": "binary_crossentropy", **pick({}, {"age": "mse"})})
    y = {"sex": yes_no(x), **pick({}, {"age": quantity(x)})}
    return model, x, y if pick(False, True) else {"sex": yes_no(x), "age": quantity(x)}, {"epochs": 40}


@faulty("metric", source=f"{STUDY}: accuracy of several labels")
def categorical_accuracy_of_one_unit(pick):
    """Yes or no by one unit, and the accuracy over classes, which is always 1."""
    x = rows(16)
    model = _table((32,), 1, "sigmoid", "binary_crossentropy", "adam",
                   metrics=[pick("categorical_accuracy", "binary_accuracy")])  # fmt: skip
    return model, x, yes_no(x), {"epochs": 30}


@faulty("metric", source=f"{DEFECTS}: metric of sparse labels")
def sparse_accuracy_of_one_hot_rows(pick):
    """One-hot rows, and the accuracy for class numbers."""
    x = rows(16)
    figure = pick("sparse_categorical_accuracy", "categorical_accuracy")
    model = _table((32,), 4, "softmax", "categorical_crossentropy", "adam", metrics=[figure])
    return model, x, one_hot(choices(x, 4), 4), {"epochs": 30}


@faulty("order of data", source=f"Stack Overflow 55776436; {TAXONOMY}: data that are not shuffled")
def sorted_rows_without_shuffling(pick):
    """Rows sorted by their class, and shuffle=False."""
    x = rows(16)
    y = choices(x, 4)
    order = np.argsort(y, kind="stable")
    model = _table((32,), 4, "softmax", "sparse_categorical_crossentropy", "adam")
    return model, x[order], y[order], {"epochs": 30, "shuffle": pick(False, True)}


@faulty("order of data", "validation", source=f"{STUDY}: validation split of sorted data")
def validates_on_the_last_class(pick):
    """Rows sorted by their class, of which the last fifth validates."""
    x, y = images(16, 3, 5)
    order = np.argsort(y, kind="stable") if pick(True, False) else slice(None)
    model = Sequential([
        Input((16, 16, 3)), layers.Conv2D(16, 3, activation="relu"), layers.GlobalMaxPooling2D(),
        layers.Dense(5, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x[order], y[order], {"epochs": 30, "validation_split": 0.2}


@faulty("imbalance", "labels", source=f"{STUDY}: class weights")
def weights_of_classes_that_do_not_exist(pick):
    """Class weights for 1 to 3, and the classes are 0 to 2."""
    x = rows(16)
    y = choices(x, 3)
    weights = {label + pick(1, 0): weight for label, weight in enumerate((1.0, 2.0, 2.0))}
    model = _table((32,), 3, "softmax", "sparse_categorical_crossentropy", "adam")
    return model, x, y, {"epochs": 40, "class_weight": weights}
