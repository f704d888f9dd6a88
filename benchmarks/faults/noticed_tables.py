"""Faults that people noticed in programs of others: tables, labels, heads and losses."""

import numpy as np

from benchmarks.faults.data import choices, draw, one_hot, quantity, rows, yes_no
from benchmarks.faults.drawn import blobs
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, metrics, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, SCIENCE

SPARSE = "sparse_categorical_crossentropy"


def _mlp(features, head, *hidden, activation="relu"):
    return Sequential([Input((features,)), *(layers.Dense(units, activation) for units in hidden), head])


def _people(count=600):
    """Age, income in dollars, hours a week and years of school."""
    x = rows(4, count)
    return x * np.array([12, 18000, 9, 3]) + np.array([40, 52000, 40, 12])


@faulty("input scale", source=f"{FORUM}: the census, accuracy does not move")
def ages_and_incomes(pick):
    """Age, income, hours and years as they stand in the file."""
    x = _people()
    y = yes_no(rows(4, 600))
    x = pick(x, (x - x.mean(0)) / x.std(0))
    net = _mlp(4, layers.Dense(1, activation="sigmoid"), 16, 8)
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 30, "batch_size": 32}


@faulty("input scale", source=f"{FORUM}: (x - x.mean(axis=1)) / x.std(axis=1) on a table")
def standardized_along_the_rows(pick):
    """Each row is standardized over its columns, whose units differ: the income is all that is left."""
    x = _people()
    axis = pick(1, 0)
    x = (x - x.mean(axis=axis, keepdims=True)) / x.std(axis=axis, keepdims=True)
    net = _mlp(4, layers.Dense(1), 32, 16)
    net.compile("adam", "mse", metrics=["mae"])
    return net, x, quantity(rows(4, 600)), {"epochs": 50}


@faulty("input scale", source=f"{FORUM}: keras.utils.normalize on the columns of a table")
def unit_length_of_each_row(pick):
    """`utils.normalize` divides each row by its length, which is its largest column."""
    x = _people()
    x = keras.utils.normalize(x, axis=pick(-1, 0)) * pick(1, 20)
    x = pick(x, x - x.mean(axis=0))
    net = _mlp(4, layers.Dense(1, activation="sigmoid"), 24)
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, yes_no(rows(4, 600)), {"epochs": 30}


@faulty("labels", "loss", source=f"{FORUM}: to_categorical and a sparse loss")
def two_hot_ways(pick):
    """One-hot rows for the loss that takes class numbers."""
    x, y = blobs(400, 6, 4)
    net = _mlp(6, layers.Dense(4, activation="softmax"), 20)
    net.compile(optimizers.Adam(), losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    return net, x, pick(one_hot(y, 4), y), {"epochs": 15}


@faulty("labels", "loss", source=f"{FORUM}: shapes (None, 1) and (None, 3) are incompatible")
def numbers_for_the_one_hot_loss(pick):
    """Class numbers of irises for categorical_crossentropy."""
    x, y = blobs(150, 4, 3)
    net = _mlp(4, layers.Dense(3, activation="softmax"), 8)
    net.compile("adam", pick("categorical_crossentropy", SPARSE), metrics=["accuracy"])
    return net, x, y, {"epochs": 100, "batch_size": 5}


@faulty("labels", source=f"{FORUM}: df['species'].values as y")
def names_of_species(pick):
    """The labels are strings."""
    x, y = blobs(150, 4, 3)
    net = _mlp(4, layers.Dense(3, activation="softmax"), 10, 10)
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, pick(np.array(["setosa", "versicolor", "virginica"])[y], y), {"epochs": 100}


@faulty("labels", source=f"{FORUM}: the loss is negative, labels of -1 and 1")
def plus_and_minus_one(pick):
    """Labels of a support vector machine with a sigmoid and binary crossentropy."""
    x = rows(10)
    y = yes_no(x)
    net = _mlp(10, layers.Dense(1, activation="sigmoid"), 32)
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, pick(2 * y - 1, y), {"epochs": 20}


@faulty("output activation", "target scale", source=f"{FORUM}: house prices, the prediction is always 1")
def prices_by_a_sigmoid(pick):
    """Prices in thousands from a sigmoid."""
    x = rows(13)
    y = 200 + 60 * quantity(x)
    net = _mlp(13, layers.Dense(1, activation=pick("sigmoid", None)), 13)
    net.compile("adam", "mean_squared_error")
    return net, x, pick(y, (y - y.mean()) / y.std()), {"epochs": 50, "batch_size": 5}


@faulty("bad values", "labels", "input scale", "shape", source=f"{FORUM}: Failed to convert a NumPy array to a Tensor")
def a_column_of_objects(pick):
    """A frame whose numbers were read as text in one column."""
    import pandas

    x = rows(3, 300)
    frame = pandas.DataFrame(x, columns=["a", "b", "c"])
    frame["c"] = frame["c"].map(pick(lambda v: f"{v:.3f}", float))
    net = _mlp(3, layers.Dense(1), 16)
    net.compile("adam", "mse")
    return net, frame.values, quantity(x), {"epochs": 40}


@faulty("output units", "labels", "shape", source=f"{FORUM}: the index was written into the csv")
def the_index_is_a_target(pick):
    """y = df.iloc[:, -2:] has the index beside the target, for one unit."""
    x = rows(8, 400)
    y = np.stack([np.arange(400.0), quantity(x)], axis=1)
    net = _mlp(8, layers.Dense(1), 16)
    net.compile("rmsprop", "mse")
    return net, x, pick(y, y[:, 1]), {"epochs": 60}


@faulty("loss", "labels", "output activation", source=f"{FORUM}: age and gender, losses exchanged")
def age_and_gender(pick):
    """Two heads by name: the loss of the class stands at the number, and the other way round."""
    x = rows(16)
    inputs = Input((16,))
    z = layers.Dense(32, activation="relu")(inputs)
    age = layers.Dense(1, name="age")(z)
    gender = layers.Dense(1, activation="sigmoid", name="gender")(z)
    net = Model(inputs, {"age": age, "gender": gender})
    told = {"age": "mse", "gender": "binary_crossentropy"}
    net.compile("adam", loss=pick({"age": "binary_crossentropy", "gender": "mse"}, told))
    return net, x, {"age": quantity(x), "gender": yes_no(x, 3)}, {"epochs": 25}


@faulty("labels", "output units", "loss", "shape", source=f"{FORUM}: model.fit(x, [y2, y1])")
def targets_in_the_other_order(pick):
    """A list of targets in another order than the outputs."""
    x = rows(12)
    inputs = Input((12,))
    z = layers.Dense(24, activation="relu")(inputs)
    kind = layers.Dense(5, activation="softmax", name="kind")(z)
    price = layers.Dense(1, name="price")(z)
    net = Model(inputs, [kind, price])
    net.compile("adam", [SPARSE, "mse"])
    y = [choices(x, 5), quantity(x, seed=4)]
    return net, x, pick(y[::-1], y), {"epochs": 25}


@faulty("imbalance", "metric", source=f"{SCIENCE}: 98 % accuracy, and no fraud is ever found")
def frauds_by_accuracy(pick):
    """Two rows in a hundred are frauds; accuracy is the figure."""
    x = rows(20, 1000)
    y = (quantity(x) > np.quantile(quantity(x), 0.98)).astype(int)
    net = _mlp(20, layers.Dense(1, activation="sigmoid"), 32, 16)
    net.compile("adam", "binary_crossentropy", metrics=pick(["accuracy"], [metrics.AUC(curve="PR")]))
    return net, x, y, {"epochs": 10, **pick({}, {"class_weight": {0: 0.51, 1: 25.0}})}


@faulty("imbalance", "labels", "shape", source=f"{FORUM}: compute_class_weight gives an array")
def weights_of_classes_as_a_list(pick):
    """What compute_class_weight returns is given as it is, a list instead of a dict."""
    x, y = blobs(400, 5, 3)
    weight = [0.8, 1.1, 1.2]
    net = _mlp(5, layers.Dense(3, activation="softmax"), 16)
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 20, "class_weight": pick(weight, dict(enumerate(weight)))}


@faulty("loss", "shape", "labels", source=f"{GITHUB}: K.squeeze in a custom loss, and the loss stays at the variance")
def each_with_each_other(pick):
    """A loss squeezes the prediction, not the target: (batch, 1) - (batch,) is (batch, batch)."""

    def squares(y_true, y_pred):
        return ops.mean(ops.square(y_true - pick(ops.squeeze(y_pred, -1), y_pred)))

    x = rows(9)
    net = _mlp(9, layers.Dense(1), 32, 16)
    net.compile("adam", squares)
    return net, x, quantity(x)[:, None], {"epochs": 40}


@faulty("logits", "output activation", source=f"{FORUM}: from_logits=True was copied from the tutorial")
def softmax_taken_for_logits(pick):
    """A softmax, and a loss object that expects logits."""
    x, y = blobs(500, 8, 5)
    net = _mlp(8, layers.Dense(5), 32)
    net.add(pick(layers.Softmax(), layers.Activation("linear")))
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("logits", "output activation", source=f"{FORUM}: val_loss is 7.7 and stays there")
def no_sigmoid_at_the_end(pick):
    """Dense(1) without an activation and 'binary_crossentropy'."""
    x = rows(15)
    net = _mlp(15, layers.Dense(1), 30, 15)
    net.compile("rmsprop", pick("binary_crossentropy", losses.BinaryCrossentropy(from_logits=True)))
    return net, x, yes_no(x), {"epochs": 20}


@faulty("output activation", "logits", source=f"{FORUM}: accuracy is exactly the share of ones")
def softmax_of_a_single_unit(pick):
    """A softmax over one unit is 1 for each row."""
    x = rows(7)
    net = Sequential([Input((7,)), layers.Dense(12, activation="relu"), layers.Dense(1)])
    net.add(layers.Activation(pick("softmax", "sigmoid")))
    net.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return net, x, yes_no(x), {"epochs": 20}


@faulty("loss", "output activation", "labels", source=f"{SCIENCE}: toxic comments, six labels that do not exclude")
def several_labels_by_softmax(pick):
    """Rows with several labels at once, a softmax and categorical crossentropy."""
    x = rows(30)
    y = (quantity(x, 6) > 0.3).astype("float32")
    net = _mlp(30, layers.Dense(6, activation=pick("softmax", "sigmoid")), 48)
    net.compile("adam", pick("categorical_crossentropy", "binary_crossentropy"))
    return net, x, y, {"epochs": 20}


@faulty("labels", "output activation", "loss", source=f"{FORUM}: hinge with labels of 0 and 1")
def hinge_of_zero_and_one(pick):
    """A hinge loss, whose labels are -1 and 1, gets 0 and 1 and a sigmoid."""
    x = rows(6)
    y = yes_no(x)
    net = _mlp(6, layers.Dense(1, activation=pick("sigmoid", "tanh")), 16)
    net.compile("adam", "hinge")
    return net, x, pick(y, 2 * y - 1), {"epochs": 30}


@faulty("loss", "labels", "output activation", source=f"{FORUM}: kullback_leibler_divergence for a regression")
def divergence_of_numbers(pick):
    """Kullback and Leibler's divergence for numbers of any sign."""
    x = rows(10)
    net = _mlp(10, layers.Dense(1), 24)
    net.compile("adam", pick("kl_divergence", "mse"))
    return net, x, quantity(x), {"epochs": 30}


@faulty(
    "output activation", "hidden activation", "loss", source=f"{FORUM}: softmax in Dense, and Activation('softmax')"
)
def softmax_of_a_softmax(pick):
    """The softmax stands twice."""
    x, y = blobs(500, 10, 6)
    net = _mlp(10, layers.Dense(6, activation="softmax"), 32)
    if pick(True, False):
        net.add(layers.Activation("softmax"))
    net.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return net, x, one_hot(y, 6), {"epochs": 20}


@faulty("loss", "output activation", "output units", source=f"{SCIENCE}: digits by regression")
def ten_classes_as_one_number(pick):
    """Ten classes without an order as one number with mean squared error."""
    x, y = blobs(700, 16, 10)
    net = _mlp(16, pick(layers.Dense(1), layers.Dense(10, activation="softmax")), 64)
    net.compile("adam", pick("mse", SPARSE), metrics=["accuracy"])
    return net, x, y, {"epochs": 30}


@faulty("labels", "target scale", source=f"{FORUM}: df / df.max() before y was taken out")
def scaled_classes(pick):
    """The column of classes was divided by its maximum with all others."""
    x, y = blobs(500, 6, 5)
    net = _mlp(6, layers.Dense(5, activation="softmax"), 24)
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, pick(y / 4, y), {"epochs": 20}


@faulty("bad values", source=f"{FORUM}: loss: nan from the first batch, pandas' empty cells")
def empty_cells(pick):
    """Cells that are missing in the file are NaN."""
    x = rows(10).copy()
    x[draw(2).random(x.shape) < 0.01] = np.nan
    net = _mlp(10, layers.Dense(1), 20)
    net.compile("adam", "mae")
    return net, pick(x, np.nan_to_num(x)), quantity(rows(10)), {"epochs": 20}


@faulty(
    "disconnected", "output activation", "loss", source=f"{FORUM}: No gradients provided for any variable, K.argmax"
)
def argmax_in_the_model(pick):
    """The model ends in an argmax, compared with the class by squares."""
    x, y = blobs(400, 5, 3)
    inputs = Input((5,))
    z = layers.Dense(3, activation="softmax")(layers.Dense(16, activation="relu")(inputs))
    if pick(True, False):
        z = layers.Lambda(lambda v: ops.cast(ops.argmax(v, axis=-1, keepdims=True), "float32"))(z)
    net = Model(inputs, z)
    net.compile("adam", pick("mse", SPARSE))
    return net, x, y, {"epochs": 20}


@faulty("metric", "output activation", source=f"{FORUM}: accuracy is 0.0000e+00 in a regression")
def accuracy_of_rents(pick):
    """Accuracy as the figure of a regression."""
    x = rows(6)
    net = _mlp(6, layers.Dense(1), 12)
    net.compile("adam", "mse", metrics=pick(["accuracy"], ["mae"]))
    return net, x, quantity(x), {"epochs": 20}


@faulty("metric", "logits", source=f"{GITHUB}, keras-team/keras: accuracy of logits is at 0.5")
def half_for_logits(pick):
    """A figure that calls probabilities above 0.5 yes, for logits."""
    x = rows(9)
    net = _mlp(9, layers.Dense(1), 16)
    told = metrics.BinaryAccuracy(threshold=pick(0.5, 0.0))
    net.compile("adam", losses.BinaryCrossentropy(from_logits=True), metrics=[told])
    return net, x, yes_no(x), {"epochs": 20}


@faulty("target scale", "loss", source=f"{FORUM}: the class head does not learn beside the price")
def dollars_drown_the_class(pick):
    """The squares of dollars and a crossentropy are added as they are."""
    x = rows(14)
    inputs = Input((14,))
    z = layers.Dense(32, activation="relu")(inputs)
    net = Model(inputs, [layers.Dense(1, name="dollars")(z), layers.Dense(4, activation="softmax", name="kind")(z)])
    net.compile("adam", loss={"dollars": "mse", "kind": SPARSE})
    y = quantity(x)
    return net, x, {"dollars": pick(40000 + 9000 * y, y), "kind": choices(x, 4, 7)}, {"epochs": 30}


@faulty("output units", "labels", source=f"{FORUM}: loss is nan, three classes and two units")
def two_units_for_three_classes(pick):
    """Classes of 0, 1 and 2 (unknown) for two units."""
    x, y = blobs(400, 7, 3)
    net = _mlp(7, layers.Dense(pick(2, 3), activation="softmax"), 16)
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}
