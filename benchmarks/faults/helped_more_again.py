"""The second half of the programs that were written after the rules were mended."""

import numpy as np

from benchmarks.faults.data import draw, images, quantity, rows, series, texts, yes_no
from benchmarks.faults.drawn import blobs, next_words, reviews, shapes
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    callbacks,
    initializers,
    layers,
    ops,
    optimizers,
)  # fmt: skip
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, LEARNERS, SCIENCE

SPARSE = "sparse_categorical_crossentropy"


def _cnn(shape, *ends):
    net = Sequential([Input(shape), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Conv2D(32, 3, activation="relu"))
    net.add(layers.GlobalAveragePooling2D())
    for end in ends:
        net.add(end)
    return net


@faulty("labels", "order of data", source=f"{FORUM}: os.listdir is not sorted")
def masks_of_other_pictures(pick):
    """Pictures and masks were listed in different orders."""
    x, _ = images(16, 1, 6)
    y = (x > 0.55).astype("float32")
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(1, 1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, pick(y[draw(4).permutation(len(y))], y), {"epochs": 20}


@faulty("labels", "order of data", source=f"{SCIENCE}: train_test_split in another order")
def split_in_another_order(pick):
    """x_train, y_train, x_test, y_test = train_test_split(x, y) gives y_train the rows of x_test."""
    x = rows(6, 800)
    y = quantity(x)
    net = Sequential([Input((6,)), layers.Dense(32, activation="relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x[:400], pick(y[400:], y[:400]), {"epochs": 60}


@faulty("imbalance", "metric", source=f"{FORUM}: predicts only healthy")
def scans_of_which_few_are_ill(pick):
    """Three of 100 scans are ill; accuracy is 0.97 from the first epoch."""
    x, y = images(16, 1, 2, count=600)
    rare = (y == 1) & (draw(3).random(600) < pick(0.06, 0.9))
    keep = rare | (y == 0)
    net = _cnn((16, 16, 1), layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x[keep], y[keep], {"epochs": 10}


@faulty("shape", "layer order", source=f"{FORUM}: negative dimension size")
def five_poolings_of_28(pick):
    """Five blocks of valid convolutions and pooling of pictures of 28 x 28."""
    x, y = images(28, 1, 10, count=256)
    net = Sequential([Input((28, 28, 1))])
    for _ in range(pick(3, 2)):
        net.add(layers.Conv2D(8, 3, activation="relu"))
        net.add(layers.MaxPooling2D(2))
    net.add(layers.Flatten())
    net.add(layers.Dense(10, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x if pick(False, True) else x[:, :24, :24], y, {"epochs": 10}


@faulty("shape", "labels", source=f"{FORUM}: shapes (None, 1) and (None, 24, 1) are incompatible")
def one_label_for_many_steps(pick):
    """Dense on the steps of an LSTM, one label for a window."""
    x, _ = series(24, 3)
    y = yes_no(x.mean(axis=1))
    net = Sequential([Input((24, 3)), layers.LSTM(16, return_sequences=pick(True, False))])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 15}


@faulty("shape", source=f"{FORUM}: expects 2 inputs, but it received 1")
def both_inputs_in_one_array(pick):
    """A model of two inputs gets one array with the columns of both."""
    x = rows(9)
    a, b = Input((5,)), Input((4,))
    z = layers.Concatenate()([layers.Dense(8, "relu")(a), layers.Dense(8, "relu")(b)])
    net = Model([a, b], layers.Dense(1)(z))
    net.compile("adam", "mse")
    return net, pick(x, [x[:, :5], x[:, 5:]]), quantity(x), {"epochs": 20}


@faulty("frozen weights", source=f"{FORUM}: accuracy of chance with a frozen base")
def head_is_frozen_too(pick):
    """trainable = False for the layers of the base was said in a loop over the whole model."""
    x, y = images(16, 3, 4)
    net = _cnn((16, 16, 3), layers.Dense(16, activation="relu"), layers.Dense(4, activation="softmax"))
    for layer in net.layers:
        layer.trainable = pick(False, True)
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("learning rate", source=f"{FORUM}: VGG does not learn with Adam(0.001)")
def deep_vgg_with_a_hundredth(pick):
    """Ten convolutions without normalization, Adam(0.03)."""
    x, y = images(32, 3, 4, count=160)
    net = Sequential([Input((32, 32, 3))])
    for filters in (8, 16, 16, 32, 32):
        net.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        net.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        net.add(layers.MaxPooling2D())
    net.add(layers.Flatten())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile(optimizers.Adam(pick(0.03, 3e-4)), SPARSE)
    return net, x, y, {"epochs": 40}


@faulty("learning rate", source=f"{FORUM}: lr of 1e-8 after a finder")
def rate_of_a_finder_with_sgd(pick):
    """SGD(1e-5) for a new CNN."""
    x, y = shapes(400, 16)
    net = _cnn((16, 16, 1), layers.Dense(4, activation="softmax"))
    net.compile(optimizers.SGD(pick(1e-5, 0.05), momentum=0.9), SPARSE)
    return net, x, y, {"epochs": 50}


@faulty("initializer", "hidden activation", source=f"{LEARNERS}: constant weights")
def weights_of_a_half(pick):
    """kernel_initializer=Constant(0.5) and relu."""
    x, y = blobs(400, 8, 3)
    how = {"activation": "relu", "kernel_initializer": pick(initializers.Constant(0.5), "glorot_uniform")}
    net = Sequential(
        [Input((8,)), layers.Dense(32, **how), layers.Dense(16, **how), layers.Dense(3, activation="softmax")]
    )
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 30}


@faulty("capacity", source=f"{SCIENCE}: a bottleneck of one")
def autoencoder_of_one_number(pick):
    """An autoencoder of 40 sensors goes through one relu unit."""
    x = np.tanh(rows(6) @ draw(3).normal(size=(6, 40))).astype("float32")
    net = Sequential(
        [Input((40,)), layers.Dense(16, "relu"), layers.Dense(pick(1, 6), pick("relu", None)), layers.Dense(16, "relu")]
    )
    net.add(layers.Dense(40, activation="tanh"))
    net.compile("adam", "mse")
    return net, x, x, {"epochs": 60}


@faulty("mask", "recurrence", source=f"{GITHUB}: post padding")
def dna_padded_behind(pick):
    """Sequences of bases padded behind to 80, read by a GRU without a mask."""
    x, y = reviews(300, 80, 5, longest=25)
    net = Sequential([Input((80,)), layers.Embedding(5, 8, mask_zero=pick(False, True)), layers.GRU(16)])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 15}


@faulty("vocabulary", source=f"{FORUM}: Tokenizer(num_words) and another size")
def words_beyond_the_table(pick):
    """The tokenizer keeps 500 words, the table has 300 rows."""
    x, y = texts(20, 500)
    net = Sequential([Input((20,)), layers.Embedding(pick(300, 500), 16), layers.Bidirectional(layers.LSTM(8))])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 10}


@faulty("label shift", "mask", source=f"{LEARNERS}: a decoder that is told the answer")
def translator_sees_the_next_word(pick):
    """The decoder's inputs are the words that it shall say."""
    source, spoken = next_words(300, 10, 30)
    before = np.concatenate([np.zeros((300, 1), "int32"), spoken[:, :-1]], axis=1)
    a, b = Input((10,), dtype="int32"), Input((10,), dtype="int32")
    _, state = layers.GRU(24, return_state=True)(layers.Embedding(31, 16)(a))
    z = layers.GRU(24, return_sequences=True)(layers.Embedding(31, 16)(b), initial_state=state)
    net = Model([a, b], layers.Dense(31, activation="softmax")(z))
    net.compile("adam", SPARSE)
    return net, [source, pick(spoken, before)], spoken, {"epochs": 15}


@faulty("attention", "gradient flow", source=f"{LEARNERS}: scores are not scaled")
def attention_without_the_root(pick):
    """Attention by hand with keys of 64 and no division by 8."""
    x, y = series(16, 4)
    inputs = Input((16, 4))
    q, k, v = (layers.Dense(64)(inputs) for _ in range(3))
    scores = ops.einsum("bqd,bkd->bqk", q, k) / pick(1.0, 8.0)
    z = ops.einsum("bqk,bkd->bqd", ops.softmax(scores, axis=-1), v)
    net = Model(inputs, layers.Dense(1)(layers.Flatten()(z)))
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 20}


@faulty("loss", "disconnected", source=f"{LEARNERS}: accuracy as a loss")
def accuracy_is_the_loss(pick):
    """The mean of right answers as a loss: rounding has no slope."""
    x, y = blobs(400, 8, 2)

    def hits(y_true, y_pred):
        return 1.0 - ops.mean(ops.cast(ops.equal(y_true, ops.round(y_pred)), "float32"))

    net = Sequential([Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid")])
    net.compile("adam", pick(hits, "binary_crossentropy"))
    return net, x, y[:, None].astype("float32"), {"epochs": 20}


@faulty("loss", "disconnected", source=f"{GITHUB}: a weight of 0")
def second_head_weighs_nothing(pick):
    """loss_weights=[1, 0] from a trial."""
    x = rows(9)
    inputs = Input((9,))
    z = layers.Dense(32, activation="relu")(inputs)
    net = Model(inputs, [layers.Dense(1, name="first")(z), layers.Dense(1, name="second")(z)])
    net.compile("adam", ["mse", "mse"], loss_weights=[1.0, pick(0.0, 1.0)])
    return net, x, [quantity(x), quantity(x, seed=5)], {"epochs": 20}


@faulty("callback", "training length", source=f"{FORUM}: stops at epoch 2")
def stops_by_the_training_accuracy(pick):
    """EarlyStopping(monitor='accuracy', mode='min')."""
    x, y = blobs(400, 8, 3)
    net = Sequential([Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")])
    net.compile("adam", SPARSE, metrics=["accuracy"])
    stop = callbacks.EarlyStopping(monitor="accuracy", mode=pick("min", "max"), patience=2)
    return net, x, y, {"epochs": 100, "callbacks": [stop]}


@faulty("gradient flow", "hidden activation", source=f"{LEARNERS}: ten layers of tanh")
def twelve_layers_of_sigmoid_and_tanh(pick):
    """Twelve Dense with sigmoid and tanh in turns, SGD."""
    x, y = blobs(400, 8, 3)
    net = Sequential([Input((8,))])
    for place in range(12 if pick(True, False) else 2):
        net.add(layers.Dense(16, activation=pick(("sigmoid", "tanh")[place % 2], "relu")))
    net.add(layers.Dense(3, activation="softmax"))
    net.compile(optimizers.SGD(0.01, momentum=0.9), SPARSE)
    return net, x, y, {"epochs": 60}


@faulty("optimizer", "learning rate", source=f"{LEARNERS}: lr and decay")
def clipped_to_a_millionth(pick):
    """SGD(0.1, clipnorm=1e-4)."""
    x = rows(8)
    net = Sequential([Input((8,)), layers.Dense(32, activation="relu"), layers.Dense(1)])
    net.compile(optimizers.SGD(0.1, clipnorm=pick(1e-4, 1.0)), "mse")
    return net, x, quantity(x), {"epochs": 40}


@faulty("output activation", "loss", source=f"{FORUM}: angles by softmax")
def angles_by_softmax(pick):
    """A steering angle of -1 to 1 by softmax over one unit."""
    x, _ = images(16, 3, 8)
    net = _cnn((16, 16, 3), layers.Dense(16, activation="relu"), layers.Dense(1, activation=pick("softmax", "tanh")))
    net.compile("adam", "mse")
    return net, x, np.tanh(quantity(x)), {"epochs": 15}
