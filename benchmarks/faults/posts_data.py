"""Faults as people post them, second part: data, shapes, sequences and training; after threads on GitHub and forums."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    as_trained,
    callbacks,
    layers,
    losses,
    ops,
    optimizers,
    regularizers,
)
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import GITHUB

FORUM = "after questions on Stack Overflow"


@faulty("input scale", "bad values", source=f"{FORUM}: pictures are black after astype('uint8')")
def divided_and_cast_to_bytes(pick):
    """x / 255 and then astype('uint8'): nearly everything is 0."""
    x, y = images(16, 3, 4)
    x = np.round(255 * x / x.max()) / 255
    x = x.astype(pick("uint8", "float32"))
    net = Sequential([Input((16, 16, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Flatten())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("input scale", source=f"{GITHUB}, keras-team/keras#3642: an autoencoder of pictures of 0 to 255")
def autoencoder_of_bytes(pick):
    """Pictures of 0 to 255 as inputs and as targets of sigmoid."""
    x = (images(14, 1, 10)[0].reshape(512, 196) * pick(255, 1)).astype("float32")
    inputs = Input((196,))
    code = layers.Dense(32, activation="relu")(inputs)
    net = Model(inputs, layers.Dense(196, activation="sigmoid")(code))
    net.compile(optimizer="adam", loss=pick("mse", "binary_crossentropy"))
    return net, x, x, {"epochs": 50}


@faulty("optimizer", "learning rate", source=f"{GITHUB}, fchollet/keras-blog#5: the losses do not add up")
def adadelta_of_today(pick):
    """A tutorial's adadelta, whose default rate was 1 when it was written."""
    x = images(14, 1, 10)[0].reshape(512, 196)
    inputs = Input((196,))
    code = layers.Dense(32, activation="relu")(inputs)
    net = Model(inputs, layers.Dense(196, activation="sigmoid")(code))
    net.compile(optimizer=pick("adadelta", "adam"), loss="binary_crossentropy")
    return net, x, x, {"epochs": 50, "batch_size": 256 if pick(True, False) else 32}


@faulty("learning rate", "optimizer", "hidden activation",
        source=f"{GITHUB}, keras-team/keras#1604: an autoencoder does not work at all")  # fmt: skip
def linear_autoencoder_by_slow_descent(pick):
    """784 to 100 to 784 without activations, SGD of 0.001 and momentum 0.1, five epochs."""
    x = images(28, 1, 10)[0].reshape(512, 784)
    net = Sequential([Input((784,)), layers.Dense(100, activation=pick(None, "relu")), layers.Dense(784)])
    net.compile(pick(optimizers.SGD(0.001, momentum=0.1), "adam"), loss="mse")
    return net, x, x, {"epochs": pick(5, 30), "batch_size": 128 if pick(True, False) else 32}


@faulty("input scale", "target scale", source=f"{FORUM} 52800582: x ** 4 cannot be learned")
def fourth_powers(pick):
    """x from -100 to 100 and its fourth power, as they are."""
    x = np.linspace(-100, 100, 400, dtype="float32")[:, None]
    y = x**4
    if not pick(True, False):
        x, y = x / 100, y / 1e8
    net = Sequential([Input((1,)), layers.Dense(50, "sigmoid"), layers.Dense(50, "elu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 200}


@faulty("input scale", source=f"{FORUM}: EfficientNet scales by itself")
def scaled_before_a_network_that_scales(pick):
    """A backbone begins with Rescaling(1 / 255), and pictures are divided by 255 before."""
    x, y = images(24, 3, 4)
    x = x * pick(1, 255)
    backbone = Sequential([Input((24, 24, 3)), layers.Rescaling(1.0 / 255)], name="backbone")
    for filters in (16, 32):
        backbone.add(layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu"))
    inputs = Input((24, 24, 3))
    z = layers.Flatten()(backbone(inputs))
    net = Model(inputs, layers.Dense(4, activation="softmax")(z))
    net.compile(optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("input scale", source=f"{FORUM}: preprocess_input of MobileNet on pictures of 0 to 1")
def preprocessed_twice(pick):
    """x / 127.5 - 1 of pictures that are already 0 to 1: all are nearly -1."""
    x, y = images(24, 3, 4)
    x = (x if pick(True, False) else 255 * x) / 127.5 - 1
    net = Sequential([Input((24, 24, 3))])
    for filters in (16, 32):
        net.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        net.add(layers.MaxPooling2D())
    net.add(layers.Flatten())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x.astype("float32"), y, {"epochs": 20}


@faulty("validation", "input scale", source=f"{FORUM}: validation accuracy is that of a guess")
def validation_in_bytes(pick):
    """Training pictures are divided by 255, those for validation are not."""
    x, y = images(16, 3, 4)
    net = Sequential([Input((16, 16, 3)), layers.Conv2D(16, 3, activation="relu"), layers.Flatten()])
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    given = (x[400:] * pick(255, 1), y[400:])
    return net, x[:400], y[:400], {"epochs": 20, "validation_data": given}


@faulty("shape", "feature maps", "layer order", source=f"{FORUM}: pictures with the channels first")
def channels_in_front(pick):
    """Pictures (3, 32, 32) into a Conv2D that takes the last axis as channels."""
    x, y = images(32, 3, 4)
    x = np.transpose(x, (0, 3, 1, 2)) if pick(True, False) else x
    net = Sequential([Input(x.shape[1:])])
    net.add(layers.Conv2D(16, 3, padding="same", activation="relu"))
    net.add(layers.MaxPooling2D(2, padding="same"))
    net.add(layers.Conv2D(32, 3, padding="same", activation="relu"))
    net.add(layers.Flatten())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("shape", "layer order", "feature maps", source=f"{FORUM}: reshape in place of transpose")
def reshaped_to_channels_last(pick):
    """Reshape((28, 28, 3)) of pictures (3, 28, 28): rows of different colours side by side."""
    x, y = images(28, 3, 4)
    x = np.ascontiguousarray(np.transpose(x, (0, 3, 1, 2)))
    net = Sequential([Input((3, 28, 28))])
    net.add(pick(layers.Reshape((28, 28, 3)), layers.Permute((2, 3, 1))))
    net.add(layers.Conv2D(16, 3, activation="relu"))
    net.add(layers.MaxPooling2D())
    net.add(layers.Flatten())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("vocabulary", "shape", "layer order", source=f"{FORUM}: texts_to_matrix before an Embedding")
def bag_of_words_into_an_embedding(pick):
    """Rows of 0 and 1 for each word of the vocabulary, read as token numbers."""
    x, y = texts(20, 200)
    if pick(True, False):
        x = (x[:, :, None] == np.arange(200)).any(1).astype("float32")
    net = Sequential([Input((x.shape[1],)), layers.Embedding(200, 16), layers.Flatten(), layers.Dense(1, "sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("vocabulary", source=f"{FORUM}: InvalidArgumentError: indices is not in [0, 5000)")
def one_word_too_many(pick):
    """Embedding(len(word_index)): the words are counted from 1."""
    x, y = texts(20, 200)
    words = int(x.max())
    net = Sequential([Input((20,)), layers.Embedding(words + pick(0, 1), 16), layers.GlobalAveragePooling1D()])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("mask", source=f"{FORUM}: an LSTM on padded reviews stays at 0.5")
def padded_behind_for_an_lstm(pick):
    """Reviews of five to sixty words are padded behind to 80, and the last state of the LSTM is taken."""
    x, y = texts(60, 300, padded=True)
    x = np.pad(x, ((0, 0), (0, 20)))
    net = Sequential([Input((80,)), layers.Embedding(300, 32, mask_zero=pick(False, True)), layers.LSTM(32)])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 10}


@faulty("mask", source=f"{GITHUB}, tensorflow/text#894: a mask of what not to attend to")
def look_ahead_mask_of_the_tutorial(pick):
    """1 - tril as attention_mask of MultiHeadAttention, which takes True for what may be seen."""
    numbers = draw(0)
    start, by = numbers.integers(0, 20, (512, 1)), numbers.integers(1, 4, (512, 1))
    both = (start + by * np.arange(17)) % 20
    inputs = Input((16,), dtype="int32")
    z = layers.Embedding(20, 32)(inputs) + layers.Embedding(16, 32)(ops.arange(16))
    seen = np.tril(np.ones((1, 16, 16)))
    ahead = pick(1 - seen, seen).astype("bool")
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(2, 16)(z, z, attention_mask=ahead))
    z = layers.LayerNormalization()(z + layers.Dense(32)(layers.Dense(64, "relu")(z)))
    net = Model(inputs, layers.Dense(20)(z))
    net.compile(optimizers.Adam(3e-3), losses.SparseCategoricalCrossentropy(from_logits=True))
    return net, both[:, :-1], both[:, 1:], {"epochs": 20}


@faulty("label shift", source=f"{GITHUB}, keras-team/keras#10525: decoder_target_data is ahead by one step")
def decoder_repeats_its_input(pick):
    """The targets of a decoder are its own inputs, without the shift by one."""
    numbers = draw(0)
    source = numbers.integers(1, 15, (512, 8))
    target = np.concatenate([np.full((512, 1), 15), source[:, ::-1], np.full((512, 1), 16)], axis=1)
    encoder, decoder = Input((8,), dtype="int32"), Input((9,), dtype="int32")
    _, *state = layers.LSTM(64, return_state=True)(layers.Embedding(17, 32)(encoder))
    z = layers.LSTM(64, return_sequences=True)(layers.Embedding(17, 32)(decoder), initial_state=state)
    net = Model([encoder, decoder], layers.Dense(17, activation="softmax")(z))
    net.compile(optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, [source, target[:, :-1]], target[:, pick(slice(0, -1), slice(1, None))], {"epochs": 30}


@faulty("label shift", "labels", source=f"{FORUM}: a forecast that is too good")
def window_with_its_target(pick):
    """The window of a forecast ends with the value that is to be forecast."""
    x, y = series(25, 1)
    window, target = (x, x[:, -1, 0]) if pick(True, False) else (x, y[:, 0])
    net = Sequential([Input((25, 1)), layers.LSTM(32), layers.Dense(1)])
    net.compile(optimizers.Adam(0.003), "mse")
    return net, window, target, {"epochs": 20}


@faulty("output activation", "target scale", "input scale",
        source=f"{FORUM} 51432661: an LSTM echoes the last value")  # fmt: skip
def returns_through_relu(pick):
    """Differences of prices, around 0, with relu in the last layer."""
    x, y = series(8, 1)
    net = Sequential([Input((8, 1)), layers.LSTM(64), layers.Dense(1, activation=pick("relu", None))])
    net.compile(loss="mse", optimizer="adam")
    return net, x, y[:, 0], {"epochs": 30, "batch_size": 10}


@faulty("recurrence", "shape", source=f"{FORUM}: LSTM input of one step")
def features_as_one_step(pick):
    """A window of 24 values reshaped to (1, 24): the LSTM sees a single step."""
    x, y = series(24, 1)
    x = np.transpose(x, (0, 2, 1)) if pick(True, False) else x
    net = Sequential([Input(x.shape[1:]), layers.LSTM(32), layers.Dense(1)])
    net.compile(optimizers.Adam(0.003), "mse")
    return net, x, y[:, 0], {"epochs": 30}


@faulty("recurrence", "shape", "labels", source=f"{FORUM}: return_sequences before the last Dense")
def forecast_at_every_step(pick):
    """The last GRU returns all steps, and each is compared with the one value that follows the window."""
    x, y = series(24, 2)
    net = Sequential([Input((24, 2)), layers.GRU(32, return_sequences=True)])
    net.add(layers.GRU(16, return_sequences=pick(True, False)))
    net.add(layers.Dense(1))
    net.compile(optimizers.Adam(0.003), "mae")
    return net, x, y, {"epochs": 30}


@faulty("recurrence", "batch size", source=f"{FORUM}: stateful=True makes it worse")
def states_of_shuffled_windows(pick):
    """stateful=True, and fit shuffles windows that have nothing to do with each other."""
    x, y = series(24, 1)
    net = Sequential([Input(batch_shape=(32, 24, 1)), layers.LSTM(32, stateful=pick(True, False)), layers.Dense(1)])
    net.compile(optimizers.Adam(0.003), "mse")
    return net, x, y[:, 0], {"epochs": 20, "batch_size": 32}


@faulty("initializer", "hidden activation", "gradient flow", "dropout", "recurrence",
        source="after techfeed.net 485530: predictions of prices become constant")  # fmt: skip
def prices_by_relu_lstms(pick):
    """Two LSTMs with relu, half of all dropped, over 60 days."""
    x, y = series(60, 4)
    kind, share = pick("relu", "tanh"), pick(0.5, 0.0)
    net = Sequential([Input((60, 4))])
    net.add(layers.LSTM(64, activation=kind, return_sequences=True, dropout=share, recurrent_dropout=share / 2))
    net.add(layers.LSTM(32, activation=kind, dropout=share, recurrent_dropout=share / 2))
    net.add(layers.Dense(32, activation=pick("linear", "relu")))
    net.add(layers.Dense(1))
    net.compile(loss="mean_squared_error", optimizer=optimizers.RMSprop(0.003))
    return net, x, y[:, 0], {"epochs": 20}


@faulty("hidden activation", "initializer", source=f"{GITHUB}, keras-team/keras#1597: acc and val_acc do not change")
def convolutions_in_a_row_without_activation(pick):
    """Three convolutions in a row, none with an activation."""
    x, y = images(24, 3, 4)
    kind = pick(None, "relu")
    net = Sequential([Input((24, 24, 3))])
    for filters in (16, 32, 32):
        net.add(layers.Conv2D(filters, 3, padding="same", activation=kind))
        net.add(layers.AveragePooling2D())
    net.add(layers.Flatten())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("hidden activation", "output activation", source=f"{FORUM}: softmax in all layers")
def softmax_in_every_layer(pick):
    """activation='softmax' in the hidden layers too."""
    x = rows(20)
    kind = pick("softmax", "relu")
    net = Sequential([Input((20,)), layers.Dense(64, activation=kind), layers.Dense(32, activation=kind)])
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return net, x, one_hot(choices(x, 4), 4), {"epochs": 40}


@faulty("frozen weights", source=f"{FORUM}: for layer in model.layers: layer.trainable = False")
def head_frozen_with_its_base(pick):
    """All layers are frozen after the new head was added, but for its BatchNormalization."""
    x, y = images(24, 3, 4)
    base = Sequential([Input((24, 24, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    net = Sequential([base, layers.Flatten(), layers.BatchNormalization(), layers.Dense(4, activation="softmax")])
    as_trained(base)
    for layer in net.layers if pick(True, False) else ():
        layer.trainable = isinstance(layer, layers.BatchNormalization)
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("frozen weights", source=f"{FORUM}: a frozen backbone with weights=None")
def frozen_before_it_learned(pick):
    """A convolutional base with random weights is frozen."""
    x, y = images(24, 3, 10)
    base = Sequential([Input((24, 24, 3))], name="base")
    for filters in (8, 16, 16):
        base.add(layers.Conv2D(filters, 3, padding="same"))
        base.add(layers.BatchNormalization())
        base.add(layers.ReLU())
        base.add(layers.MaxPooling2D())
    base.trainable = pick(False, True)
    inputs = Input((24, 24, 3))
    z = layers.Flatten()(base(inputs))
    net = Model(inputs, layers.Dense(10, activation="softmax")(z))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("regularization", source=f"{FORUM}: the loss starts at 40 and the accuracy stays")
def heavy_penalties_on_all_layers(pick):
    """l2(0.5) on kernels and l1(0.1) on activations."""
    x = rows(20)
    how = {"kernel_regularizer": regularizers.L2(pick(0.5, 1e-5))}
    net = Sequential([Input((20,)), layers.Dense(128, activation="relu", **how)])
    net.add(layers.Dense(64, activation="relu", activity_regularizer=regularizers.L1(pick(0.1, 1e-6)), **how))
    net.add(layers.Dense(3, activation="softmax", **how))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, choices(x, 3), {"epochs": 40}


@faulty("learning rate", source=f"{FORUM}: Adam(lr=1)")
def rate_of_one(pick):
    """Adam with a rate of 1 after a change of examples from SGD."""
    x, y = images(16, 3, 4)
    net = Sequential([Input((16, 16, 3)), layers.Conv2D(16, 3, activation="relu"), layers.Flatten()])
    net.add(layers.Dense(4, activation="softmax"))
    net.compile(optimizers.Adam(learning_rate=pick(1.0, 1e-3)), "sparse_categorical_crossentropy")
    return net, x, y, {"epochs": 20}


@faulty("optimizer", "learning rate", source=f"{FORUM}: clipnorm=0.001")
def gradients_of_a_small_norm(pick):
    """SGD whose gradients are cut to a norm of 1e-4, so that no exploding is seen again."""
    x = rows(20)
    net = Sequential([Input((20,)), layers.Dense(64, "relu"), layers.Dense(1)])
    net.compile(optimizers.SGD(0.01, momentum=0.9, clipnorm=pick(1e-4, 1.0)), "mse")
    return net, x, quantity(x), {"epochs": 40}


@faulty("training length", "batch size", source=f"{FORUM}: steps_per_epoch=1")
def ten_steps_in_all(pick):
    """steps_per_epoch=1 and ten epochs: ten steps in all."""
    x = rows(20, 1024)
    net = Sequential([Input((20,)), layers.Dense(64, "relu"), layers.Dense(1, "sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, yes_no(x), {"epochs": pick(10, 20), **pick({"steps_per_epoch": 1}, {})}


@faulty("callback", source=f"{FORUM}: EarlyStopping on val_acc")
def stopping_by_another_name(pick):
    """EarlyStopping and ModelCheckpoint watch val_acc, and val_accuracy is logged."""
    x = rows(20)
    name = pick("val_acc", "val_accuracy")
    given = [callbacks.EarlyStopping(monitor=name, patience=5)]
    net = Sequential([Input((20,)), layers.Dense(64, "relu"), layers.Dense(3, "softmax")])
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, choices(x, 3), {"epochs": 40, "validation_split": 0.2, "callbacks": given}


@faulty("imbalance", source=f"{FORUM}: 98 % accuracy and no fraud found")
def frauds_among_payments(pick):
    """Two frauds in a hundred payments, and no weights."""
    x = rows(12, 2000)
    amount = quantity(x)
    y = (amount > np.quantile(amount, 0.98)).astype("int64")
    net = Sequential([Input((12,)), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20, **pick({}, {"class_weight": {0: 1.0, 1: 49.0}})}


@faulty("order of data", source=f"{GITHUB}, keras-team/keras#7520: labels of shuffled pictures")
def labels_of_another_order(pick):
    """The pictures come from a generator that shuffles, the labels from its list of classes."""
    x, y = images(16, 3, 4)
    x = x[draw(7).permutation(len(x))] if pick(True, False) else x
    net = Sequential([Input((16, 16, 3)), layers.Conv2D(16, 3, activation="relu"), layers.Flatten()])
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 30}


@faulty("positions", source=f"{FORUM}: a transformer for series learns the mean")
def mean_of_a_window_by_attention(pick):
    """Two blocks of attention over a window, and nothing tells the order of its steps."""
    x, y = series(24, 2)
    inputs = Input((24, 2))
    z = layers.Dense(32)(inputs)
    z = z + layers.Embedding(24, 32)(ops.arange(24)) if not pick(True, False) else z
    for _ in range(2):
        z = layers.LayerNormalization()(z + layers.MultiHeadAttention(2, 16)(z, z))
        z = layers.LayerNormalization()(z + layers.Dense(32)(layers.Dense(64, "relu")(z)))
    net = Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling1D()(z)))
    net.compile(optimizers.Adam(1e-3), "mse")
    return net, x, y[:, 0], {"epochs": 30}
