"""Programs that people asked for help with: optimizers, rates, lengths, activations, dropout, penalties, callbacks."""

from benchmarks.faults.data import images, quantity, rows, series, yes_no
from benchmarks.faults.drawn import blobs, shapes
from benchmarks.faults.library import (
    Input,
    Sequential,
    callbacks,
    initializers,
    layers,
    optimizers,
    regularizers,
)  # fmt: skip
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, LEARNERS

SPARSE = "sparse_categorical_crossentropy"


def _mlp(features, *ends, units=(64, 32), hidden="relu", **how):
    net = Sequential([Input((features,)), *(layers.Dense(one, activation=hidden, **how) for one in units)])
    for end in ends:
        net.add(end)
    return net


def _cnn(classes, *, hidden="relu", rate=0.0, size=16, channels=3):
    net = Sequential([Input((size, size, channels))])
    for filters in (16, 32):
        net.add(layers.Conv2D(filters, 3, padding="same", activation=hidden))
        net.add(layers.MaxPooling2D())
        net.add(layers.Dropout(rate))
    net.add(layers.Flatten())
    net.add(layers.Dense(32, activation=hidden))
    net.add(layers.Dense(classes, activation="softmax"))
    return net


@faulty("learning rate", source=f"{GITHUB}: keras 2711")
def tenth_for_adam(pick):
    """Adam(0.1) on a CNN: the accuracy is that of one class after the first epoch."""
    x, y = images(16, 3, 4)
    net = _cnn(4)
    net.compile(optimizers.Adam(learning_rate=pick(0.1, 0.001)), SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("learning rate", source=f"{FORUM}: loss goes down by 0.0001 an epoch")
def millionth_for_adam(pick):
    """Adam(1e-6) from a program that tuned a large network."""
    x, y = images(16, 3, 4)
    net = _cnn(4)
    net.compile(optimizers.Adam(pick(1e-6, 1e-3)), SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 25, "batch_size": 32}


@faulty("learning rate", source=f"{FORUM}: nan with SGD")
def one_for_sgd(pick):
    """SGD(1.0) with momentum of 0.9 on a regression of 20 features."""
    x = rows(20)
    net = _mlp(20, layers.Dense(1))
    net.compile(optimizers.SGD(learning_rate=pick(1.0, 0.01), momentum=0.9), "mse")
    return net, x, quantity(x), {"epochs": 50}


@faulty("learning rate", source=f"{FORUM}: decay of 1e-1")
def decays_to_nothing_within_an_epoch(pick):
    """InverseTimeDecay by 1 each step."""
    x, y = blobs(600, 12, 4)
    net = _mlp(12, layers.Dense(4, activation="softmax"))
    rate = optimizers.schedules.InverseTimeDecay(0.01, decay_steps=1, decay_rate=pick(1.0, 1e-3))
    net.compile(optimizers.SGD(rate, momentum=0.9), SPARSE)
    return net, x, y, {"epochs": 40, "batch_size": 16}


@faulty("learning rate", "callback", source=f"{FORUM}: ReduceLROnPlateau with patience 1")
def reduced_until_nothing_is_left(pick):
    """ReduceLROnPlateau by 0.01 after one epoch of no gain."""
    x, y = blobs(600, 12, 4)
    net = _mlp(12, layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    lowers = callbacks.ReduceLROnPlateau(monitor="val_loss", factor=pick(0.001, 0.5), patience=pick(1, 5))
    return net, x, y, {"epochs": 60, "validation_split": 0.2, "callbacks": [lowers]}


@faulty("optimizer", "learning rate", source=f"{LEARNERS}: Adadelta by its default")
def adadelta_as_it_is(pick):
    """Adadelta, whose rate is 0.001 by default, on a CNN for 12 epochs, after an old tutorial with a rate of 1."""
    x, y = images(16, 1, 10)
    net = _cnn(10, channels=1)
    net.compile(optimizers.Adadelta(**pick({}, {"learning_rate": 1.0})), SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 12, "batch_size": 128}


@faulty("optimizer", "gradient flow", "learning rate", source=f"{FORUM}: SGD does not move an LSTM")
def plain_sgd_for_two_lstms(pick):
    """Two LSTMs with SGD(0.001) and no momentum."""
    x, y = series(24)
    net = Sequential([Input((24, 1)), layers.LSTM(24, return_sequences=True), layers.LSTM(24), layers.Dense(1)])
    net.compile(pick(optimizers.SGD(0.001), optimizers.Adam(0.003)), "mse")
    return net, x, y, {"epochs": 20}


@faulty("training length", source=f"{FORUM}: one epoch of a few batches")
def one_epoch_of_four_batches(pick):
    """One epoch with a batch of 128 of 512 rows."""
    x, y = blobs(512, 20, 6)
    net = _mlp(20, layers.Dense(6, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": pick(1, 60), "batch_size": 128}


@faulty("batch size", "training length", source=f"{FORUM}: all rows in one batch")
def all_rows_in_one_batch(pick):
    """batch_size=len(x) and 10 epochs are 10 steps."""
    x, y = blobs(800, 10, 3)
    net = _mlp(10, layers.Dense(3, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10, "batch_size": pick(len(x), 16)}


@faulty(
    "batch size",
    "training length",
    "validation",
    "layer order",
    source=f"{GITHUB}: keras 13908; few batches for BatchNormalization",
)
def moving_averages_have_no_time(pick):
    """BatchNormalization(momentum=0.99) with 3 steps an epoch for 5 epochs: validation stays at one class."""
    x, y = images(16, 3, 2, count=150)
    net = Sequential([Input((16, 16, 3))])
    for filters in (16, 32):
        net.add(layers.Conv2D(filters, 3, activation="relu"))
        net.add(layers.BatchNormalization(momentum=pick(0.99, 0.8)))
        net.add(layers.MaxPooling2D())
    net.add(layers.Flatten())
    net.add(layers.Dense(2, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": pick(5, 30), "batch_size": pick(40, 8), "validation_split": 0.2}


@faulty("training length", "callback", source=f"{FORUM}: stops after 3 epochs")
def patience_of_nothing(pick):
    """EarlyStopping with min_delta=0.1 and patience of 0 ends at epoch 2."""
    x = rows(10)
    net = _mlp(10, layers.Dense(1))
    net.compile(optimizers.Adam(1e-4), "mse")
    stop = callbacks.EarlyStopping(monitor="val_loss", min_delta=pick(0.5, 0.0), patience=pick(0, 10))
    return net, x, quantity(x), {"epochs": 200, "validation_split": 0.2, "callbacks": [stop]}


@faulty("callback", source=f"{FORUM}: available metrics are loss, accuracy, val_loss, val_accuracy")
def monitors_val_acc(pick):
    """EarlyStopping and ModelCheckpoint wait for val_acc, which is called val_accuracy."""
    x, y = blobs(400, 10, 3)
    net = _mlp(10, layers.Dense(3, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    stop = callbacks.EarlyStopping(monitor=pick("val_acc", "val_accuracy"), patience=5)
    return net, x, y, {"epochs": 40, "validation_split": 0.2, "callbacks": [stop]}


@faulty("hidden activation", source=f"{GITHUB}: keras 1597; a convolution without activation")
def convolutions_without_activation(pick):
    """Three convolutions and a Dense without activation are one linear map."""
    x, y = shapes(400, 16)
    net = Sequential([Input((16, 16, 1))])
    for filters in (8, 16, 16):
        net.add(layers.Conv2D(filters, 3, activation=pick(None, "relu")))
    net.add(layers.Flatten())
    net.add(layers.Dense(32, activation=pick(None, "relu")))
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("hidden activation", source=f"{LEARNERS}: softmax in each layer")
def softmax_in_the_hidden_layers(pick):
    """Hidden layers of softmax, for a credit score."""
    x = rows(15)
    net = _mlp(15, layers.Dense(1, activation="sigmoid"), hidden=pick("softmax", "relu"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, yes_no(x), {"epochs": 40}


@faulty("hidden activation", "gradient flow", source=f"{FORUM}: 8 layers of sigmoid do not learn")
def eight_layers_of_sigmoid(pick):
    """Eight Dense of sigmoid and SGD."""
    x, y = blobs(500, 10, 3)
    net = _mlp(10, layers.Dense(3, activation="softmax"), units=(32,) * 8, hidden=pick("sigmoid", "relu"))
    net.compile(optimizers.SGD(0.05, momentum=0.9), SPARSE)
    return net, x, y, {"epochs": 60}


@faulty("hidden activation", "gradient flow", "input scale", source=f"{FORUM}: LSTM with relu gives nan")
def lstm_of_relu(pick):
    """LSTM(activation='relu') over 100 steps of prices."""
    x = 3 + series(100)[0] * pick(4, 1)
    y = series(100)[1]
    net = Sequential(
        [
            Input((100, 1)),
            layers.LSTM(50, activation=pick("relu", "tanh"), return_sequences=True),
            layers.LSTM(50, activation=pick("relu", "tanh")),
            layers.Dense(1),
        ]
    )
    net.compile(optimizers.Adam(0.005), "mse")
    return net, pick(x, x - 3), y, {"epochs": 20}


@faulty("hidden activation", "dropout", source=f"{FORUM}: behind the last hidden layer there is a ReLU twice")
def activation_twice(pick):
    """activation='tanh' in the layer, and Activation('relu') behind it."""
    x = rows(9)
    net = Sequential([Input((9,))])
    for units in (32, 32):
        net.add(layers.Dense(units, activation="tanh"))
        if pick(True, False):
            net.add(layers.Activation("relu"))
    net.add(layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 40}


@faulty("dropout", source=f"{FORUM}: keep probability taken for the rate")
def keeps_a_tenth(pick):
    """Dropout(0.9) from a program whose argument was the share that stays."""
    x, y = images(16, 3, 4)
    net = _cnn(4, rate=pick(0.9, 0.1))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 15}


@faulty("dropout", "layer order", source=f"{LEARNERS}: half of six features")
def half_of_the_features_at_the_door(pick):
    """Dropout(0.5) on six input features."""
    x = rows(6)
    net = Sequential(
        [Input((6,)), layers.Dropout(pick(0.5, 0.0)), layers.Dense(32, activation="relu"), layers.Dense(1)]
    )
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 60}


@faulty("regularization", source=f"{FORUM}: validation accuracy drops with l2")
def l2_of_one(pick):
    """l2(1.0) on each layer outweighs the loss."""
    x, y = blobs(500, 16, 4)
    net = _mlp(16, layers.Dense(4, activation="softmax"), kernel_regularizer=regularizers.L2(pick(1.0, 1e-4)))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 30}


@faulty("regularization", source=f"{LEARNERS}: activity_regularizer in place of the weights'")
def l1_on_the_outputs_of_a_layer(pick):
    """activity_regularizer=l1(0.1) on a hidden layer of 128 units makes all of them 0."""
    x = rows(12)
    net = Sequential(
        [
            Input((12,)),
            layers.Dense(128, activation="relu", activity_regularizer=regularizers.L1(pick(0.1, 1e-6))),
            layers.Dense(1),
        ]
    )
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 40}


@faulty("initializer", source=f"{FORUM}: all units learn the same")
def zeros_everywhere(pick):
    """kernel_initializer='zeros' in a network of relu."""
    x = rows(10)
    net = _mlp(10, layers.Dense(1), kernel_initializer=pick("zeros", "glorot_uniform"))
    net.compile(optimizers.SGD(0.01), "mse")
    return net, x, quantity(x), {"epochs": 50}


@faulty("initializer", source=f"{LEARNERS}: a normal distribution of 1")
def wide_normal(pick):
    """RandomNormal(stddev=1) for 256 inputs and two wide layers."""
    x = images(16, 1, 4)[0].reshape(512, 256)
    net = _mlp(
        256,
        layers.Dense(4, activation="softmax"),
        units=(256, 128),
        kernel_initializer=initializers.RandomNormal(stddev=pick(1.0, 0.06)),
    )
    net.compile("adam", SPARSE)
    return net, x, images(16, 1, 4)[1], {"epochs": 15}


@faulty("capacity", source=f"{FORUM}: two units for ten classes")
def two_units_before_ten_classes(pick):
    """A hidden layer of two relu units in front of ten classes."""
    x = images(16, 1, 10)[0].reshape(512, 256)
    net = Sequential(
        [Input((256,)), layers.Dense(64, "relu"), layers.Dense(pick(2, 32), "relu"), layers.Dense(10, "softmax")]
    )
    net.compile("adam", SPARSE)
    return net, x, images(16, 1, 10)[1], {"epochs": 30}


@faulty("frozen weights", source=f"{FORUM}: 0 trainable parameters")
def everything_is_frozen(pick):
    """for layer in model.layers: layer.trainable = False came behind the new head."""
    x, y = images(16, 3, 4)
    net = _cnn(4)
    for layer in net.layers[: pick(None, 0)]:
        layer.trainable = False
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("frozen weights", "initializer", source=f"{LEARNERS}: weights=None")
def frozen_without_weights(pick):
    """A base of applications with weights=None is frozen: it is a random map."""
    from benchmarks.faults.library import keras

    x, y = images(32, 3, 3, count=96)
    base = keras.applications.MobileNetV2(input_shape=(32, 32, 3), include_top=False, weights=None, alpha=0.35)
    base.trainable = pick(False, True)
    net = Sequential([Input((32, 32, 3)), base, layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")])
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 20, "batch_size": 16}


@faulty("metric", source=f"{FORUM}: accuracy of 0 in a regression")
def accuracy_of_a_temperature(pick):
    """metrics=['accuracy'] of a temperature."""
    x = rows(9)
    net = _mlp(9, layers.Dense(1))
    net.compile("adam", "mse", metrics=[pick("accuracy", "mae")])
    return net, x, quantity(x), {"epochs": 30}
