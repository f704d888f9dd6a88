"""Faults of learners' programs: pictures, sequences, and networks of several parts."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, rows, series, texts
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    callbacks,
    layers,
    losses,
    ops,
    optimizers,
    regularizers,
)  # fmt: skip
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import LEARNERS

FIT = {"epochs": 20, "batch_size": 32, "validation_split": 0.2}


@faulty("input scale", source=LEARNERS)
def brightness_of_255(pick):
    """RandomBrightness for pictures of 0 to 255, on pictures of 0 to 1."""
    x, y = images(24, 3, 4)
    net = Sequential([Input((24, 24, 3)), layers.RandomFlip("horizontal")])
    net.add(layers.RandomBrightness(0.2, value_range=pick((0, 255), (0, 1))))
    for filters in (8, 16):
        net.add(layers.Conv2D(filters, 3, activation="relu"))
        net.add(layers.MaxPooling2D())
    net.add(layers.Flatten())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, FIT


@faulty("labels", "loss", "target scale", source=LEARNERS)
def masks_of_255(pick):
    """Masks of 0 and 255 with binary crossentropy."""
    x, _ = images(16, 1, 3)
    mask = (x > 0.5).astype("float32") * pick(255, 1)
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(1, 1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, mask, FIT


@faulty("output units", "output activation", source=LEARNERS)
def softmax_of_one_channel(pick):
    """A segmentation ends in one channel with softmax."""
    x, _ = images(16, 1, 3)
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(1, 1, activation=pick("softmax", "sigmoid")))
    net.compile("adam", "binary_crossentropy")
    return net, x, (x > 0.5).astype("float32"), FIT


@faulty("feature maps", "layer order", source=LEARNERS)
def strides_beyond_the_kernel(pick):
    """Conv2D(16, 3, strides=6) skips most of the picture."""
    x, y = images(32, 3, 5)
    net = Sequential([Input((32, 32, 3)), layers.Conv2D(16, 3, strides=pick(6, 1), activation="relu")])
    net.add(layers.Flatten())
    net.add(layers.Dense(5, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, y, FIT


@faulty("hidden activation", source=LEARNERS)
def convolutions_without_activation(pick):
    """Three convolutions in a row without activations."""
    x, y = images(28, 1, 10)
    net = Sequential([Input((28, 28, 1))])
    for filters in (16, 32, 32):
        net.add(layers.Conv2D(filters, 3, activation=pick(None, "relu")))
    net.add(layers.GlobalAveragePooling2D())
    net.add(layers.Dense(10, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, FIT


@faulty("label shift", "mask", source=LEARNERS)
def reads_the_answer_backwards(pick):
    """The next token is predicted by a Bidirectional LSTM, which has read it."""
    tokens = texts(16, 60)[0]
    net = Sequential([Input((15,)), layers.Embedding(60, 16)])
    inner = layers.LSTM(16, return_sequences=True)
    net.add(layers.Bidirectional(inner) if pick(True, False) else inner)
    net.add(layers.Dense(60, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, tokens[:, :-1], tokens[:, 1:], FIT


@faulty("label shift", "mask", source=LEARNERS)
def window_over_the_answer(pick):
    """The next value of each step is predicted by Conv1D with padding 'same'."""
    x, _ = series(33)
    net = Sequential([Input((32, 1))])
    for _ in range(2):
        net.add(layers.Conv1D(16, 3, padding=pick("same", "causal"), activation="relu"))
    net.add(layers.Dense(1))
    net.compile("adam", "mse")
    return net, x[:, :-1], x[:, 1:], FIT


@faulty("label shift", "labels", source=LEARNERS)
def target_is_the_last_step(pick):
    """The target of a window is its own last value."""
    x, after = series(24)
    net = Sequential([Input((24, 1)), layers.LSTM(16), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, pick(x[:, -1, 0], np.reshape(after, (len(x), -1))[:, 0]), FIT


@faulty("recurrence", "shape", "layer order", source=LEARNERS)
def one_answer_for_each_step(pick):
    """return_sequences=True before the Dense of a regression, so that there is one output for each step."""
    x, after = series(12)
    net = Sequential([Input((12, 1)), layers.GRU(16, return_sequences=pick(True, False)), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, np.reshape(after, (len(x), -1))[:, 0], FIT


@faulty("recurrence", "gradient flow", source=LEARNERS)
def recurrence_with_relu(pick):
    """LSTM(activation='relu') over two hundred steps."""
    x, after = series(200)
    net = Sequential([Input((200, 1)), layers.LSTM(32, activation=pick("relu", "tanh")), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, np.reshape(after, (len(x), -1))[:, 0], FIT


@faulty("vocabulary", source=LEARNERS)
def a_table_without_the_last_word(pick):
    """input_dim is the number of words, which are counted from 1."""
    x, y = texts(20, 120)
    x = x.copy()
    x[0, 0] = 119
    net = Sequential([Input((20,)), layers.Embedding(pick(119, 120), 8), layers.GlobalAveragePooling1D()])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, FIT


@faulty("vocabulary", "input scale", "layer order", source=LEARNERS)
def words_as_numbers(pick):
    """Token numbers go into Dense as if they were quantities."""
    x, y = texts(20, 500)
    net = Sequential([Input((20,))])
    if not pick(True, False):
        net.add(layers.Embedding(500, 8))
        net.add(layers.GlobalAveragePooling1D())
    net.add(layers.Dense(32, activation="relu"))
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, FIT


@faulty("frozen weights", source=LEARNERS)
def a_frozen_table_of_nothing(pick):
    """Embedding(trainable=False) without the vectors that it was to have."""
    x, y = texts(20, 200)
    net = Sequential([Input((20,)), layers.Embedding(200, 16, trainable=pick(False, True))])
    net.add(layers.LSTM(8))
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, FIT


@faulty("mask", source=LEARNERS)
def the_future_is_seen(pick):
    """A language model of attention without a causal mask."""
    tokens = texts(17, 60)[0]
    inputs = Input((16,))
    z = layers.Embedding(60, 16)(inputs)
    z = z + layers.Embedding(16, 16)(ops.arange(16))
    z = z + layers.MultiHeadAttention(2, 8)(z, z, use_causal_mask=pick(False, True))
    z = layers.LayerNormalization()(z)
    net = Model(inputs, layers.Dense(60, activation="softmax")(z))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, tokens[:, :-1], tokens[:, 1:], FIT


@faulty("positions", "attention", source=LEARNERS)
def sentences_without_order(pick):
    """A tagger of attention alone, without positions."""
    x, _ = texts(16, 60)
    y = (np.roll(x, 1, axis=1) % 3).astype("int64")
    inputs = Input((16,))
    z = layers.Embedding(60, 16)(inputs)
    if not pick(True, False):
        z = z + layers.Embedding(16, 16)(ops.arange(16))
    z = z + layers.MultiHeadAttention(2, 8)(z, z)
    z = layers.LayerNormalization()(z)
    net = Model(inputs, layers.Dense(3, activation="softmax")(z))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, y, FIT


@faulty("batch size", source=LEARNERS)
def normalized_over_one(pick):
    """BatchNormalization and batches of one picture."""
    x, y = images(16, 3, 3)
    net = Sequential([Input((16, 16, 3)), layers.Conv2D(8, 3), layers.GlobalAveragePooling2D()])
    for layer in (layers.BatchNormalization(), layers.Activation("relu"), layers.Dense(3, activation="softmax")):
        net.add(layer)
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, y, {"epochs": 10, "batch_size": pick(1, 32)}


@faulty("order of data", "validation", source=LEARNERS)
def folders_one_after_the_other(pick):
    """Pictures in the order of their folders, with validation_split."""
    x, y = images(16, 3, 4)
    order = np.argsort(y, kind="stable") if pick(True, False) else draw(4).permutation(len(y))
    net = Sequential([Input((16, 16, 3)), layers.Conv2D(8, 3, activation="relu"), layers.GlobalAveragePooling2D()])
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x[order], y[order], FIT


@faulty("loss", "output activation", source=LEARNERS)
def sigmoid_rebuilds_standardized_rows(pick):
    """An autoencoder of standardized columns ends in sigmoid with binary crossentropy."""
    x = rows(20)
    net = Sequential([Input((20,)), layers.Dense(8, activation="relu")])
    net.add(layers.Dense(20, activation=pick("sigmoid", None)))
    net.compile("adam", pick("binary_crossentropy", "mse"))
    return net, x, x, FIT


@faulty("capacity", source=LEARNERS)
def a_code_of_one_number(pick):
    """An autoencoder of pictures with ten classes keeps one number."""
    x, y = images(12, 1, 10)
    net = Sequential([Input((12, 12, 1)), layers.Flatten(), layers.Dense(64, activation="relu")])
    net.add(layers.Dense(pick(1, 16), activation="relu"))
    net.add(layers.Dense(10, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, y, FIT


@faulty("disconnected", source=LEARNERS)
def one_of_two_inputs_is_forgotten(pick):
    """The numbers beside the text are an input, and go nowhere."""
    x, y = texts(12, 100)
    numbers = rows(5)[: len(x)]
    words, other = Input((12,), name="words"), Input((5,), name="numbers")
    z = layers.GlobalAveragePooling1D()(layers.Embedding(100, 8)(words))
    z = z if pick(True, False) else layers.Concatenate()([z, other])
    net = Model([words, other], layers.Dense(1, activation="sigmoid")(z))
    net.compile("adam", "binary_crossentropy")
    return net, {"words": x, "numbers": numbers}, y, FIT


@faulty("learning rate", "optimizer", source=LEARNERS)
def fine_tuned_at_a_tenth(pick):
    """A network with BatchNormalization is tuned on by SGD(5.0)."""
    x, y = images(16, 3, 4)
    net = Sequential([Input((16, 16, 3)), layers.Conv2D(8, 3), layers.BatchNormalization(), layers.Activation("relu")])
    net.add(layers.Flatten())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile(optimizers.SGD(pick(5.0, 0.01)), "sparse_categorical_crossentropy")
    return net, x, y, FIT


@faulty("dropout", "recurrence", source=LEARNERS)
def nothing_is_remembered(pick):
    """LSTM(dropout=0.9, recurrent_dropout=0.9)."""
    x, after = series(24)
    rate = pick(0.9, 0.1)
    net = Sequential([Input((24, 1)), layers.LSTM(16, dropout=rate, recurrent_dropout=rate), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, np.reshape(after, (len(x), -1))[:, 0], FIT


@faulty("regularization", source=LEARNERS)
def penalty_of_ten(pick):
    """L2(10.0) on each convolution."""
    x, y = images(16, 3, 4)
    net = Sequential([Input((16, 16, 3))])
    for filters in (8, 16):
        net.add(layers.Conv2D(filters, 3, activation="relu", kernel_regularizer=regularizers.L2(pick(10.0, 1e-4))))
    net.add(layers.GlobalAveragePooling2D())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, y, FIT


@faulty("callback", source=LEARNERS)
def keeps_the_worst(pick):
    """ModelCheckpoint keeps the model with the lowest accuracy."""
    x, y = images(16, 3, 4)
    net = Sequential([Input((16, 16, 3)), layers.Flatten(), layers.Dense(4, activation="softmax")])
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    keep = callbacks.ModelCheckpoint("best.keras", monitor="val_accuracy", save_best_only=True, mode=pick("min", "max"))
    return net, x, y, {**FIT, "callbacks": [keep]}


@faulty("loss", "labels", source=LEARNERS)
def embeddings_by_class_numbers(pick):
    """mse on class numbers, as if class 3 lay between 2 and 4."""
    x, y = images(16, 3, 6)
    net = Sequential([Input((16, 16, 3)), layers.Conv2D(8, 3, activation="relu"), layers.GlobalAveragePooling2D()])
    net.add(layers.Dense(pick(1, 6), activation=pick(None, "softmax")))
    net.compile("adam", pick("mse", "sparse_categorical_crossentropy"), metrics=["accuracy"])
    return net, x, y, FIT


@faulty("logits", source=LEARNERS)
def from_logits_by_habit(pick):
    """SparseCategoricalCrossentropy(from_logits=True) behind a Softmax layer of a functional model."""
    x = rows(9)
    inputs = Input((9,))
    z = layers.Dense(5)(layers.Dense(32, activation="relu")(inputs))
    net = Model(inputs, layers.Softmax()(z))
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=pick(True, False)))
    return net, x, choices(x, 5), FIT
