"""Faults that were reported in forums and issues: tables, labels, losses, figures of their own."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, yes_no
from benchmarks.faults.drawn import blobs
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, metrics, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, SCIENCE, STUDY, TAXONOMY

SPARSE = "sparse_categorical_crossentropy"


def _mlp(features, head, *hidden, activation="relu"):
    net = Sequential([Input((features,))])
    for units in hidden:
        net.add(layers.Dense(units, activation=activation))
    net.add(head)
    return net


@faulty("target scale", "input scale", source="Stack Overflow 52800582: y = x ** 4 cannot be fitted")
def fourth_power(pick):
    """x of -100 to 100 and x ** 4, of up to 1e8."""
    x = np.linspace(-100, 100, 1000)[:, None]
    y = x**4
    x, y = pick((x, y), (x / 100, y / 1e8))
    net = Sequential()
    net.add(layers.Dense(50, input_shape=(1,), activation="sigmoid"))
    net.add(layers.Dense(50, activation="elu"))
    net.add(layers.Dense(1))
    net.compile(loss="mse", optimizer=optimizers.Adam(0.01))
    return net, x, y, {"epochs": 60, "batch_size": 50}


@faulty("output activation", "capacity", source="deeplearning.ai community 324182: y = 2x - 1 by three relus")
def line_by_relus(pick):
    """A line with negative values, whose last layer is a relu."""
    x = np.linspace(-1, 1, 200)[:, None].astype("float32")
    end = layers.Dense(1, activation=pick("relu", None))
    net = _mlp(1, end, 16, 8)
    net.compile(loss=losses.MeanSquaredError(), optimizer=optimizers.Adam(0.01))
    return net, x, 2 * x - 1, {"epochs": 100}


@faulty("labels", "imbalance", source=f"{FORUM}: the loss goes to 0 at once, for each label is 0")
def one_label_for_all(pick):
    """A comparison with a string that never is true makes all labels 0."""
    x = rows(12)
    names = np.where(yes_no(x) > 0, "Yes", "No")
    y = (names == pick("yes", "Yes")).astype("int32")
    net = _mlp(12, layers.Dense(1, activation="sigmoid"), 24, 12)
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 30, "batch_size": 16}


@faulty("labels", "output units", source=f"{FORUM}: to_categorical of the classes 1 to 3 has four columns")
def a_column_for_no_class(pick):
    """Classes of 1 to 3 by to_categorical: a column of zeros, and four units."""
    x, y = blobs(450, 4, 3)
    y = one_hot(y + pick(1, 0), pick(4, 3))
    net = _mlp(4, layers.Dense(pick(4, 3), activation="softmax"), 16)
    net.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 60, "batch_size": 16}


@faulty("labels", "shape", "order of data", source=f"{FORUM}: x_train, y_train, x_test, y_test = train_test_split(...)")
def split_in_the_wrong_order(pick):
    """What train_test_split returns second is taken for the labels: it is the other part of x."""
    x, y = blobs(800, 20, 2)
    a, b, c = x[:400], x[400:], y[:400]
    net = _mlp(20, layers.Dense(1, activation="sigmoid"), 32)
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, a, pick(b, c), {"epochs": 20}


@faulty("order of data", "labels", source=f"{FORUM}: np.random.shuffle(x) and y as it was")
def x_alone_is_shuffled(pick):
    """The rows of x are shuffled, those of y are not."""
    x, y = blobs(900, 10, 3)
    x = x.copy()
    if pick(True, False):
        np.random.default_rng(4).shuffle(x)
    net = _mlp(10, layers.Dense(3, activation="softmax"), 32, 16)
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 40}


@faulty("order of data", "labels", source=f"{SCIENCE}: prices sorted before the split, features not")
def targets_are_sorted_alone(pick):
    """The targets of a regression were sorted, their rows were not."""
    x = rows(8, 800)
    y = quantity(x)
    net = _mlp(8, layers.Dense(1), 32, 32)
    net.compile("adam", "mse", metrics=["mae"])
    return net, x, pick(np.sort(y), y), {"epochs": 50}


@faulty("labels", "input scale", "bad values", "disconnected", source=f"{FORUM}: X = df.values, with the target in it")
def the_target_is_a_column(pick):
    """A table from which the column of the target was not dropped."""
    x = rows(9)
    y = yes_no(x)
    x = np.concatenate([x, pick(y, 0 * y + draw(5).integers(0, 2, len(y)))[:, None]], axis=1)
    net = _mlp(10, layers.Dense(1, activation="sigmoid"), 16, 8)
    net.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["acc"])
    return net, x, y, {"epochs": 20, "validation_split": 0.2}


@faulty("bad values", "input scale", source=f"{SCIENCE}: -999 stands for what is not known")
def minus_999(pick):
    """Scaled columns in which -999 marks missing values."""
    x = rows(14).copy()
    x[draw(3).random(x.shape) < 0.05] = pick(-999.0, 0.0)
    net = _mlp(14, layers.Dense(1), 64, 64)
    net.compile("adam", "mean_squared_error")
    return net, x, quantity(rows(14)), {"epochs": 50}


@faulty("input scale", source=f"{FORUM}: a time stamp among the columns")
def a_unix_time_among_the_columns(pick):
    """Seconds since 1970 beside standardized columns."""
    x = rows(7).copy()
    x[:, 2] = 1.6e9 + 3e6 * x[:, 2] if pick(True, False) else x[:, 2]
    net = _mlp(7, layers.Dense(1, activation="sigmoid"), 32, 16)
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, yes_no(rows(7)), {"epochs": 30}


@faulty("imbalance", "labels", source=f"{FORUM}: class_weight the wrong way round")
def the_many_weigh_more(pick):
    """Class 0 has 95 % of the rows, and is given ten times the weight."""
    x = rows(10, 1000)
    score = quantity(x)
    y = (score > np.quantile(score, 0.95)).astype("int32")
    net = _mlp(10, layers.Dense(1, activation="sigmoid"), 32)
    net.compile("adam", "binary_crossentropy", metrics=[metrics.AUC()])
    return net, x, y, {"epochs": 30, "class_weight": pick({0: 20.0, 1: 1.0}, {0: 1.0, 1: 20.0})}


@faulty("imbalance", "labels", source=f"{FORUM}: sample_weight=y_train")
def rows_of_no_weight(pick):
    """The labels are passed as weights of the rows, so that class 0 weighs nothing."""
    x = rows(10, 600)
    y = yes_no(x)
    net = _mlp(10, layers.Dense(1, activation="sigmoid"), 32)
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20, "sample_weight": pick(y.astype("float32"), np.where(y > 0, 1.2, 0.9))}


@faulty("loss", source=f"{TAXONOMY}: accuracy of a class number by squares")
def wine_quality_by_squares(pick):
    """Kinds of wine, 0 to 2, by one linear unit and MSE, with accuracy."""
    x, y = blobs(540, 13, 3)
    head = pick(layers.Dense(1), layers.Dense(3, activation="softmax"))
    net = _mlp(13, head, 32, 16)
    net.compile(loss=pick("mse", SPARSE), optimizer="adam", metrics=["accuracy"])
    return net, x, y, {"epochs": 50, "validation_split": 0.1}


@faulty("loss", source=f"{FORUM}: R squared as a loss that is made small")
def r_squared_is_made_small(pick):
    """A loss of one's own returns R squared, which should be large."""

    def determination(y_true, y_pred):
        left = ops.sum(ops.square(y_true - y_pred))
        total = ops.sum(ops.square(y_true - ops.mean(y_true)))
        return pick(1 - left / total, left / total)

    x = rows(11)
    net = _mlp(11, layers.Dense(1), 32, 16)
    net.compile(loss=determination, optimizer="adam")
    return net, x, quantity(x), {"epochs": 60}


@faulty("loss", source=f"{FORUM}: a loss of profit, y_true * y_pred, is made small")
def errors_that_cancel(pick):
    """The mean of the signed error, which falls without end."""

    def bias(y_true, y_pred):
        gap = y_pred - y_true
        return ops.mean(pick(gap, ops.abs(gap)))

    x = rows(6)
    net = _mlp(6, layers.Dense(1), 16)
    net.compile(loss=bias, optimizer=optimizers.RMSprop(0.001))
    return net, x, quantity(x), {"epochs": 60}


@faulty("loss", source=f"{FORUM}: F1 as a loss with K.round")
def rounded_f1(pick):
    """F1 of rounded predictions has no slope."""

    def loss(y_true, y_pred):
        hard = pick(ops.round(y_pred), y_pred)
        y_true = ops.cast(y_true, "float32")
        both = ops.sum(y_true * hard, axis=0)
        return 1 - ops.mean(2 * both / (ops.sum(y_true, axis=0) + ops.sum(hard, axis=0) + 1e-7))

    x = rows(10)
    net = _mlp(10, layers.Dense(1, activation="sigmoid"), 32)
    net.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    return net, x, yes_no(x)[:, None], {"epochs": 30}


@faulty("loss", source=f"{GITHUB}: a focal loss that forgets the negative class")
def focal_of_positives_alone(pick):
    """-(1 - p) ** 2 log(p) for every row, whatever its label."""

    def focal(y_true, y_pred):
        p = ops.clip(y_pred, 1e-6, 1 - 1e-6)
        right = pick(p, ops.where(ops.equal(y_true, 1), p, 1 - p))
        return ops.mean(-ops.power(1 - right, 2.0) * ops.log(right))

    x = rows(10)
    net = _mlp(10, layers.Dense(1, activation="sigmoid"), 32)
    net.compile(optimizer="adam", loss=focal, metrics=["accuracy"])
    return net, x, yes_no(x)[:, None].astype("float32"), {"epochs": 30}


@faulty("loss", "output units", source=f"{FORUM}: cosine similarity of one number is 1 or -1")
def the_cosine_of_a_number(pick):
    """CosineSimilarity for one target."""
    x = rows(9)
    net = _mlp(9, layers.Dense(1), 32, 16)
    net.compile("adam", pick(losses.CosineSimilarity(), losses.MeanSquaredError()))
    return net, x, quantity(x)[:, None], {"epochs": 50}


@faulty("loss", "target scale", "labels", source=f"{FORUM}: MAPE with targets of 0")
def percents_of_nothing(pick):
    """Mean absolute percentage error of counts, many of which are 0."""
    x = rows(8)
    y = np.round(np.maximum(quantity(x), 0) * 2)
    net = _mlp(8, layers.Dense(1, activation=pick(None, "softplus")), 32)
    net.compile("adam", pick("mean_absolute_percentage_error", "poisson"))
    return net, x, y, {"epochs": 50}


@faulty("loss", "output activation", "labels", source=f"{SCIENCE}: logarithms of negative temperatures")
def logarithms_of_frost(pick):
    """MSLE of temperatures, half of which are below 0."""
    x = rows(8)
    y = quantity(x) * 3
    net = _mlp(8, layers.Dense(1), 32, 32)
    net.compile("adam", pick("mean_squared_logarithmic_error", "mse"), metrics=["mae"])
    return net, x, y, {"epochs": 50}


@faulty("output activation", "loss", source=f"{GITHUB}: Poisson loss of a linear unit is NaN")
def counts_by_a_linear_unit(pick):
    """Counts by Poisson loss and a linear unit, whose logarithm is not defined."""
    x = rows(7)
    y = draw(2).poisson(np.exp(0.5 * quantity(x))).astype("float32")
    net = _mlp(7, layers.Dense(1, activation=pick("linear", "exponential")), 16)
    net.compile("adam", losses.Poisson())
    return net, x, y, {"epochs": 40}


@faulty("metric", source=f"{GITHUB}: BinaryAccuracy of logits")
def half_of_a_logit(pick):
    """BinaryAccuracy compares logits with 0.5."""
    x = rows(10)
    net = _mlp(10, layers.Dense(1), 32)
    figure = metrics.BinaryAccuracy(threshold=pick(0.5, 0.0))
    net.compile("adam", losses.BinaryCrossentropy(from_logits=True), metrics=[figure])
    return net, x, yes_no(x), {"epochs": 30}


@faulty("disconnected", "loss", source=f"{FORUM}: loss_weights=[1.0, 0.0]")
def a_head_without_weight(pick):
    """Age and sex from one trunk; the loss of the sex weighs nothing."""
    x, _ = images(24, 3, 4)
    sex, age = yes_no(x), quantity(x)
    inputs = Input((24, 24, 3))
    z = layers.MaxPooling2D()(layers.Conv2D(16, 3, activation="relu")(inputs))
    z = layers.Dense(32, activation="relu")(layers.Flatten()(z))
    heads = [layers.Dense(1, name="age")(z), layers.Dense(1, activation="sigmoid", name="sex")(z)]
    net = Model(inputs, heads)
    net.compile("adam", loss=["mse", "binary_crossentropy"], loss_weights=[1.0, pick(0.0, 1.0)])
    return net, x, [age, sex], {"epochs": 20}


@faulty("loss", "labels", "output activation", source=f"{FORUM}: losses in the order of other outputs")
def losses_of_the_other_heads(pick):
    """Two heads, whose losses are given in the other order."""
    x = rows(16)
    inputs = Input((16,))
    z = layers.Dense(32, activation="relu")(inputs)
    price = layers.Dense(1, name="price")(z)
    sort = layers.Dense(4, activation="softmax", name="sort")(z)
    net = Model(inputs, [price, sort])
    net.compile("adam", loss=pick([SPARSE, "mse"], ["mse", SPARSE]))
    return net, x, [quantity(x), choices(x, 4)], {"epochs": 20}


@faulty("vocabulary", "input scale", source=f"{STUDY}: postcodes of 10,000 to 99,999 in an embedding of 500")
def postcodes_as_rows(pick):
    """Numbers of shops as they stand in the file, in an embedding that has a row for each shop."""
    shops = draw(8).choice(np.arange(10000, 99999), 300, replace=False)
    index = draw(9).integers(0, 300, 600)
    other = rows(5, 600)
    shop, numbers = Input((1,), dtype="int32"), Input((5,))
    z = layers.Flatten()(layers.Embedding(300, 8)(shop))
    z = layers.Dense(32, activation="relu")(layers.Concatenate()([z, numbers]))
    net = Model([shop, numbers], layers.Dense(1)(z))
    net.compile("adam", "mae")
    return net, [pick(shops[index], index)[:, None], other], quantity(other), {"epochs": 30}


@faulty("input scale", source=f"{FORUM}: Normalization(variance=x.std())")
def the_deviation_as_variance(pick):
    """Normalization is given the deviation, about 80, where it takes the variance."""
    x = 300 + 80 * rows(6)
    how = x.std(axis=0)
    net = Sequential([Input((6,)), layers.Normalization(mean=x.mean(axis=0), variance=pick(how, how**2))])
    net.add(layers.Dense(32, activation="tanh"))
    net.add(layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, quantity(rows(6)), {"epochs": 40}


@faulty("input scale", source=f"{GITHUB}, keras-team/keras: Normalization that was not adapted")
def normalization_of_nothing(pick):
    """A Normalization of large columns whose adapt was forgotten."""
    x = 1000 + 400 * rows(9)
    scale = layers.Normalization()
    if pick(False, True):
        scale.adapt(x)
    net = Sequential([Input((9,)), scale, layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, yes_no(rows(9)), {"epochs": 20}


@faulty("validation", "input scale", source=f"{FORUM}: the scaler was fitted on x_train and forgotten for x_val")
def validation_as_it_was(pick):
    """Training data are standardized, validation data are not."""
    raw = 50 + 20 * rows(8, 800)
    y = yes_no(rows(8, 800))
    scaled = (raw - raw[:600].mean(axis=0)) / raw[:600].std(axis=0)
    net = _mlp(8, layers.Dense(1, activation="sigmoid"), 16)
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, scaled[:600], y[:600], {"epochs": 30, "validation_data": (pick(raw, scaled)[600:], y[600:])}


@faulty("labels", "output units", source=f"{FORUM}: ratings of one to five stars and five units")
def five_stars_from_one(pick):
    """Stars of 1 to 5 as class numbers, for five units."""
    x = rows(20)
    y = choices(x, 5) + pick(1, 0)
    net = _mlp(20, layers.Dense(5, activation="softmax"), 32)
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


class _Ratio(keras.losses.Loss):
    """Squares in proportion to the target."""

    def __init__(self, safe):
        super().__init__()
        self.safe = safe

    def call(self, y_true, y_pred):
        below = ops.abs(y_true) + 1.0 if self.safe else y_true
        return ops.mean(ops.square((y_true - y_pred) / below), axis=-1)


@faulty("loss", "bad values", source=f"{FORUM}: relative errors divide by targets of 0")
def divided_by_a_target_of_zero(pick):
    """A loss class divides by the target, which is 0 in a third of the rows."""
    x = rows(8)
    y = np.maximum(quantity(x) + 0.5, 0)[:, None]
    net = _mlp(8, layers.Dense(1), 32)
    net.compile("adam", _Ratio(pick(False, True)))
    return net, x, y, {"epochs": 30}
