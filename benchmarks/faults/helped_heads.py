"""Programs that people asked for help with: heads and losses that do not suit the task."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, texts, yes_no
from benchmarks.faults.drawn import blobs, shapes
from benchmarks.faults.library import Input, Model, Sequential, layers, losses, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, LEARNERS


def _tower(shape, *ends):
    """Two convolutions with pooling and a Dense, as in tutorials on cats and dogs."""
    net = Sequential([Input(shape)])
    for filters in (16, 32):
        net.add(layers.Conv2D(filters, (3, 3), activation="relu"))
        net.add(layers.MaxPooling2D((2, 2)))
    net.add(layers.Flatten())
    net.add(layers.Dense(32, activation="relu"))
    for end in ends:
        net.add(end)
    return net


@faulty("output activation", "output units", "loss", source=f"{GITHUB}: keras 2172")
def three_moods_by_one_sigmoid(pick):
    """Word vectors, three moods 0, 1, 2, and one sigmoid unit: the loss goes below 0."""
    x = draw(3).normal(size=(400, 12, 16)).astype("float32")
    y = choices(x.mean(axis=1), 3)
    net = Sequential([Input((12, 16)), layers.LSTM(24), layers.Dropout(0.5)])
    net.add(layers.Dense(pick(1, 3)))
    net.add(layers.Activation(pick("sigmoid", "softmax")))
    net.compile(optimizer="adam", loss=pick("binary_crossentropy", "sparse_categorical_crossentropy"))
    return net, x, y, {"batch_size": 32, "epochs": 10}


@faulty("capacity", "output activation", "loss", "hidden activation", source=f"{GITHUB}: keras 4994")
def twenty_groups_through_one_unit(pick):
    """Newsgroups: one sigmoid unit lies between the LSTM and softmax of 20 groups, with binary crossentropy."""
    x, y = texts(24, 300, 20)
    net = Sequential([Input((24,)), layers.Embedding(300, 32), layers.LSTM(32)])
    if pick(True, False):
        net.add(layers.Dense(1))
        net.add(layers.Activation("sigmoid"))
    net.add(layers.Dense(20, activation="softmax"))
    net.compile("adam", pick("binary_crossentropy", "categorical_crossentropy"), metrics=["accuracy"])
    return net, x, one_hot(y, 20), {"epochs": 12, "batch_size": 32}


@faulty("output activation", "loss", source=f"{GITHUB}: keras 5210")
def thirty_topics_by_sigmoids(pick):
    """One of 30 topics: sigmoids and binary crossentropy give an accuracy of 0.96 by saying no."""
    x, y = texts(30, 400, 30, count=640)
    net = Sequential(
        [Input((30,)), layers.Embedding(400, 32), layers.Dropout(0.2), layers.GRU(40), layers.Dropout(0.2)]
    )
    net.add(layers.Dense(30, activation=pick("sigmoid", "softmax")))
    net.compile("adam", pick("binary_crossentropy", "categorical_crossentropy"), metrics=["accuracy"])
    return net, x, one_hot(y, 30), {"epochs": 12, "batch_size": 64}


@faulty("output activation", source=f"{GITHUB}: keras 12096")
def cat_or_dog_by_relu(pick):
    """Two units with relu under categorical crossentropy."""
    x, y = images(32, 1, 2)
    net = _tower((32, 32, 1), layers.Dense(2, activation=pick("relu", "softmax")))
    net.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return net, x, one_hot(y, 2), {"epochs": 5}


@faulty("output activation", "loss", source=f"{FORUM} 46620813")
def next_bit_by_softmax(pick):
    """The next bit of a sequence by softmax over one unit."""
    bits = draw(5).integers(0, 2, 603)
    x = np.stack([bits[i : i + 3] for i in range(600)]).astype("float32")[..., None]
    y = (x[:, 0, 0] != x[:, 2, 0]).astype("float32")
    net = Sequential([Input((3, 1)), layers.LSTM(16), layers.Dense(1, activation=pick("softmax", "sigmoid"))])
    net.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"batch_size": 64, "epochs": 100}


@faulty("output activation", "hidden activation", source=f"{FORUM} 51432661")
def returns_through_relu(pick):
    """Daily returns: a relu in front of the LSTM and one behind the last Dense take away every loss of money."""
    x = 0.5 * rows(20, count=500, seed=8)[..., None]
    y = 0.6 * x[:, -1, 0] + 0.3 * x[:, -2, 0]
    net = Sequential([Input((20, 1))])
    if pick(True, False):
        net.add(layers.Activation("relu"))
    net.add(layers.LSTM(32))
    net.add(layers.Dense(1, activation=pick("relu", None)))
    net.compile(loss="mse", optimizer="adam")
    return net, x, y, {"epochs": 50, "batch_size": 10}


@faulty("output activation", "loss", source=f"{FORUM} 52441877")
def digits_come_back_as_a_distribution(pick):
    """An autoencoder of pictures in rows of 0 to 1 ends in softmax over the pixels."""
    x = images(12, 1, 8)[0].reshape(512, 144)
    inputs = Input((144,))
    code = layers.Dense(28, activation="relu")(layers.Dense(64, activation="relu")(inputs))
    outputs = layers.Dense(144, activation=pick("softmax", "sigmoid"))(layers.Dense(64, activation="relu")(code))
    net = Model(inputs, outputs)
    net.compile(loss=pick("binary_crossentropy", "mse"), optimizer="adam")
    return net, x, x, {"epochs": 20, "batch_size": 100}


@faulty(
    "output activation",
    "loss",
    "optimizer",
    "hidden activation",
    "training length",
    source="stats.stackexchange 433365",
)
def exclusive_or_by_relu(pick):
    """Exclusive or: a first Dense without activation, relu of one unit at the end, plain SGD, mean squared error."""
    x = draw(1).integers(0, 2, (1500, 2)).astype("float32")
    y = (x[:, 0] != x[:, 1]).astype("float32")
    net = Sequential([Input((2,)), layers.Dense(pick(2, 16), activation=pick(None, "relu"))])
    net.add(layers.Dense(pick(2, 16), activation="relu"))
    net.add(layers.Dense(1, activation=pick("relu", "sigmoid")))
    net.compile(optimizer=pick("SGD", "adam"), loss=pick("mean_squared_error", "binary_crossentropy"))
    return net, x, y, {"epochs": pick(5, 20)}


@faulty("loss", source=f"{FORUM}: huge negative loss of a price")
def prices_by_crossentropy(pick):
    """A price from a tutorial on classification: binary crossentropy and accuracy of a linear unit."""
    x = rows(11)
    y = 2 + 1.5 * np.abs(quantity(x))
    net = Sequential(
        [Input((11,)), layers.Dense(32, activation="relu"), layers.Dense(8, activation="relu"), layers.Dense(1)]
    )
    net.compile(optimizer="adam", loss=pick("binary_crossentropy", "mse"), metrics=pick(["accuracy"], ["mae"]))
    return net, x, y, {"epochs": 50, "batch_size": 20}


@faulty("output activation", "loss", source=f"{FORUM}: a quality from 3 to 8")
def wine_quality_by_softmax_and_squares(pick):
    """A quality of 6 grades by softmax with mean squared error of one-hot rows and SGD."""
    x = rows(11)
    y = one_hot(choices(x, 6), 6)
    net = Sequential([Input((11,)), layers.Dense(50, activation="relu"), layers.Dense(6, activation="softmax")])
    net.compile(
        optimizer=optimizers.SGD(0.1, momentum=0.9),
        loss=pick("mean_squared_error", "categorical_crossentropy"),
        metrics=["accuracy"],
    )
    return net, x, y, {"epochs": 40}


@faulty("logits", source=f"{LEARNERS}: from a tutorial with logits")
def copied_from_logits(pick):
    """softmax was added to a tutorial's model, whose loss takes logits."""
    x, y = shapes(400, 16)
    net = _tower((16, 16, 1), layers.Dense(4), layers.Softmax())
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=pick(True, False)), metrics=["accuracy"])
    return net, x, y, {"epochs": 10}


@faulty("logits", "output activation", source=f"{LEARNERS}: a mask without sigmoid")
def lane_mask_without_sigmoid(pick):
    """A mask of lanes: the last convolution has no activation, and the loss is named by a string."""
    x, _ = images(16, 3, 4)
    y = (x.max(axis=-1, keepdims=True) > 0.6).astype("float32")
    net = Sequential([Input((16, 16, 3)), layers.Conv2D(16, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(16, 3, padding="same", activation="relu"))
    net.add(layers.Conv2D(1, 1, activation=pick(None, "sigmoid")))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 15, "batch_size": 16}


@faulty("output units", "labels", source=f"{FORUM}: loss nan with labels from 1")
def stars_from_one_to_five(pick):
    """Ratings of 1 to 5 stars with five outputs: the last has no place."""
    x, y = texts(20, 150, 5)
    net = Sequential(
        [Input((20,)), layers.Embedding(150, 16), layers.GlobalAveragePooling1D(), layers.Dense(24, activation="relu")]
    )
    net.add(layers.Dense(5, activation="softmax"))
    net.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["acc"])
    return net, x, y + pick(1, 0), {"epochs": 20, "validation_split": 0.1}


@faulty("output activation", "loss", source=f"{LEARNERS}: tags of a film")
def genres_of_a_film_by_softmax(pick):
    """A film has several genres; softmax and categorical crossentropy let it have one."""
    x = rows(24)
    y = (quantity(x, 7) > 0.3).astype("float32")
    net = Sequential(
        [
            Input((24,)),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(7, activation=pick("softmax", "sigmoid")),
        ]
    )
    net.compile("adam", pick("categorical_crossentropy", "binary_crossentropy"))
    return net, x, y, {"epochs": 20}


@faulty("output activation", "target scale", source=f"{FORUM}: the net predicts 1 for every house")
def rents_by_sigmoid(pick):
    """Rents in hundreds, from a sigmoid."""
    x = rows(6)
    y = 4 + 1.3 * quantity(x)
    net = Sequential([Input((6,)), layers.Dense(24, activation="relu"), layers.Dense(24, activation="relu")])
    net.add(layers.Dense(1, activation=pick("sigmoid", "linear")))
    net.compile("adam", "mae")
    return net, x, y, {"epochs": 100, "batch_size": 16, "validation_split": 0.2}


@faulty("output activation", source=f"{FORUM}: a tanh unit under crossentropy")
def churn_by_tanh(pick):
    """Churn by tanh of one unit under binary crossentropy."""
    x = rows(10)
    net = Sequential([Input((10,)), layers.Dense(6, activation="relu"), layers.Dense(6, activation="relu")])
    net.add(layers.Dense(units=1, activation=pick("tanh", "sigmoid")))
    net.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return net, x, yes_no(x), {"batch_size": 10, "epochs": 100}


@faulty("loss", "labels", source=f"{FORUM}: categorical crossentropy of one column")
def loss_of_one_column_is_zero(pick):
    """categorical_crossentropy of one sigmoid unit is 0 from the start."""
    x, y = blobs(400, 8, 2)
    net = Sequential([Input((8,)), layers.Dense(12, activation="relu"), layers.Dense(1, activation="sigmoid")])
    net.compile(loss=pick("categorical_crossentropy", "binary_crossentropy"), optimizer="adam", metrics=["accuracy"])
    return net, x, y.reshape(-1, 1), {"epochs": 20, "batch_size": 16}


@faulty("loss", "output activation", source=f"{LEARNERS}: hinge of labels 0 and 1")
def margin_of_sigmoid(pick):
    """hinge of a sigmoid, which never comes to -1, in a network for spam."""
    x, y = texts(24, 120)
    net = Sequential([Input((24,)), layers.Embedding(120, 12), layers.GlobalMaxPooling1D(), layers.Dense(16, "relu")])
    net.add(layers.Dense(1, activation=pick("sigmoid", "tanh")))
    net.compile("adam", "hinge")
    return net, x, 2 * y - 1, {"epochs": 10}


@faulty("loss", "output activation", source=f"{LEARNERS}: counts")
def visits_below_zero(pick):
    """Poisson loss of a linear unit, whose logarithm has no value below 0."""
    x = rows(7)
    y = draw(4).poisson(np.exp(0.8 * quantity(x))).astype("float32")
    net = Sequential(
        [Input((7,)), layers.Dense(32, activation="relu"), layers.Dense(1, activation=pick(None, "softplus"))]
    )
    net.compile("adam", "poisson")
    return net, x, y, {"epochs": 40}


@faulty("output activation", "loss", source=f"{LEARNERS}: Kullback-Leibler of sigmoids")
def shares_that_do_not_add_up(pick):
    """Shares of votes that add up to 1 by sigmoids and kl_divergence."""
    x = rows(9)
    raw = np.exp(quantity(x, 4))
    y = raw / raw.sum(axis=-1, keepdims=True)
    net = Sequential(
        [Input((9,)), layers.Dense(32, activation="relu"), layers.Dense(4, activation=pick("sigmoid", "softmax"))]
    )
    net.compile("adam", losses.KLDivergence())
    return net, x, y, {"epochs": 40}


@faulty("output activation", source=f"{GITHUB}: boxes below zero")
def corners_of_a_box_by_tanh(pick):
    """Centre and size of a box in pixels, divided by nothing, from tanh."""
    x, y = images(16, 3, 6)
    boxes = np.stack([2.0 + 2 * y, 12.0 - y, np.full(len(y), 4.0), 3.0 + y % 3], axis=-1).astype("float32")
    net = _tower((16, 16, 3), layers.Dense(4, activation=pick("tanh", None)))
    net.compile("adam", losses.Huber())
    return net, x, pick(boxes, boxes / 16), {"epochs": 20}


@faulty("loss", "labels", source=f"{FORUM}: sparse labels, dense loss")
def one_hot_under_a_sparse_loss(pick):
    """to_categorical was called, and the loss stayed sparse."""
    x, y = shapes(300, 16)
    net = _tower((16, 16, 1), layers.Dense(4, activation="softmax"))
    net.compile(loss=pick("sparse_categorical_crossentropy", "categorical_crossentropy"), optimizer="adam")
    return net, x, one_hot(y, 4), {"epochs": 8}


@faulty("output units", "loss", "labels", source=f"{FORUM}: labels of one column for ten outputs")
def ten_digits_one_column(pick):
    """Labels 0 to 9 in one column under categorical_crossentropy."""
    x, y = images(16, 1, 10)
    net = Sequential(
        [
            Input((16, 16, 1)),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    net.compile("sgd", pick("categorical_crossentropy", "sparse_categorical_crossentropy"), metrics=["accuracy"])
    return net, x, y.reshape(-1, 1), {"epochs": 30}


@faulty("output activation", "layer order", source=f"{LEARNERS}: normalized behind the head")
def head_is_normalized(pick):
    """BatchNormalization and Dropout came behind the last softmax by copying a block."""
    x, y = blobs(500, 12, 5)
    net = Sequential(
        [
            Input((12,)),
            layers.Dense(40, "relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Dense(5, "softmax"),
        ]
    )
    if pick(True, False):
        net.add(layers.BatchNormalization())
        net.add(layers.Dropout(0.2))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, y, {"epochs": 20}


@faulty("dropout", "layer order", source=f"{GITHUB}: keras 5992")
def dropout_behind_softmax(pick):
    """Half of the probabilities become 0."""
    x, y = blobs(500, 14, 4)
    inputs = Input((14,), name="in_x")
    z = layers.Dropout(0.2)(layers.Dense(28, activation="relu", name="h1")(inputs))
    z = layers.Dense(4, activation="softmax", name="out")(z)
    if pick(True, False):
        z = layers.Dropout(0.5)(z)
    net = Model(inputs, z)
    net.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    return net, x, one_hot(y, 4), {"epochs": 30}


@faulty("loss", source=f"{LEARNERS}: two heads, one list")
def losses_in_the_other_order(pick):
    """Age and sex from a face, with the losses in the order of the other head."""
    x, y = images(16, 3, 2)
    inputs = Input((16, 16, 3))
    z = layers.GlobalAveragePooling2D()(layers.Conv2D(16, 3, activation="relu")(inputs))
    z = layers.Dense(16, activation="relu")(z)
    net = Model(inputs, [layers.Dense(1, name="age")(z), layers.Dense(1, activation="sigmoid", name="sex")(z)])
    net.compile("adam", pick(["binary_crossentropy", "mse"], ["mse", "binary_crossentropy"]))
    return net, x, [quantity(x), y.astype("float32")], {"epochs": 10}
