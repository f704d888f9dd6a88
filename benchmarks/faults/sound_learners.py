"""Sound programs as learners write them, of which parts look like faults and are none."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, quantity, rows, series, yes_no
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
)  # fmt: skip
from benchmarks.faults.program import sound
from benchmarks.faults.sources import LEARNERS

FIT = {"epochs": 20, "batch_size": 32, "validation_split": 0.2}
SPARSE = "sparse_categorical_crossentropy"


def _dense(features, *ends, hidden=(32,)):
    return Sequential([Input((features,)), *(layers.Dense(units, activation="relu") for units in hidden), *ends])


def _series(steps):
    x, after = series(steps)
    return x, np.reshape(after, (len(x), -1))[:, 0]


@sound(LEARNERS)
def stops_at_the_first_rise():
    """EarlyStopping() as it is by default, over 50 epochs."""
    x = rows(8)
    net = _dense(8, layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, quantity(x), {**FIT, "epochs": 50, "callbacks": [callbacks.EarlyStopping()]}


@sound(LEARNERS)
def rate_test_by_a_callback():
    """LearningRateScheduler from 1e-8 to 1e-1, to look at the loss of each rate."""
    x = rows(8)
    net = _dense(8, layers.Dense(1))
    net.compile(optimizers.SGD(1e-8, momentum=0.9), "mse")
    rise = callbacks.LearningRateScheduler(lambda epoch: 1e-8 * 10 ** (epoch / 20))
    return net, x, quantity(x), {"epochs": 140, "callbacks": [rise]}


@sound(LEARNERS)
def warm_up_and_decay_by_a_callback():
    """Five epochs up, then exponentially down."""
    x = rows(8)
    net = _dense(8, layers.Dense(1))
    net.compile(optimizers.Adam(1e-3), "mse")
    rate = callbacks.LearningRateScheduler(
        lambda epoch: 1e-3 * (epoch + 1) / 5 if epoch < 5 else 1e-3 * 0.9 ** (epoch - 5)
    )
    return net, x, quantity(x), {"epochs": 60, "callbacks": [rate]}


@sound(LEARNERS)
def lowered_to_a_floor():
    """ReduceLROnPlateau with a floor far below the rate."""
    x = rows(8)
    net = _dense(8, layers.Dense(1))
    net.compile(optimizers.Adam(0.01), "mse")
    lowers = callbacks.ReduceLROnPlateau(factor=0.5, patience=5, min_lr=1e-5)
    return net, x, quantity(x), {**FIT, "epochs": 60, "callbacks": [lowers]}


@sound(LEARNERS)
def some_rows_weigh_nothing():
    """sample_weight is 0 for rows that a rule excludes, and 1 for others."""
    x = rows(8)
    net = _dense(8, layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 30, "sample_weight": (x[:, 0] > -0.5).astype("float32")}


@sound(LEARNERS)
def rare_class_weighs_more():
    """class_weight by 1 / frequency."""
    x = rows(12)
    y = (quantity(x) > 1.5).astype("int64")
    net = _dense(12, layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=[metrics.AUC(), metrics.Recall()])
    share = float(y.mean())
    return net, x, y, {**FIT, "class_weight": {0: 0.5 / (1 - share), 1: 0.5 / share}}


@sound(LEARNERS)
def weighed_by_hand_to_a_half():
    """class_weight lowers the rare class, which is labelled by mistake half of the time."""
    x = rows(12)
    y = (quantity(x) > 0.6).astype("int64")
    net = _dense(12, layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {**FIT, "class_weight": {0: 1.0, 1: 0.8}}


@sound(LEARNERS)
def one_minus_dice():
    """A dice loss for masks, as 1 - score."""
    x, _ = images(16, 1, 3)

    def dice(y_true, y_pred):
        both = ops.sum(y_true * y_pred, axis=(1, 2, 3))
        return 1 - (2 * both + 1) / (ops.sum(y_true, axis=(1, 2, 3)) + ops.sum(y_pred, axis=(1, 2, 3)) + 1)

    net = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(1, 1, activation="sigmoid"))
    net.compile("adam", dice, metrics=[metrics.BinaryIoU([1])])
    return net, x, (x > 0.5).astype("float32"), FIT


@sound(LEARNERS)
def dice_and_crossentropy():
    """The sum of two losses."""
    x, _ = images(16, 1, 3)

    def both(y_true, y_pred):
        overlap = 2 * ops.sum(y_true * y_pred) / (ops.sum(y_true) + ops.sum(y_pred) + 1e-6)
        return ops.mean(losses.binary_crossentropy(y_true, y_pred)) - ops.log(overlap + 1e-6)

    net = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(1, 1, activation="sigmoid"))
    net.compile("adam", both)
    return net, x, (x > 0.5).astype("float32"), FIT


@sound(LEARNERS)
def counts_by_poisson():
    """Counts with an exponential head and the Poisson loss."""
    x = rows(6)
    y = draw(2).poisson(np.exp(0.5 * quantity(x))).astype("float32")
    net = _dense(6, layers.Dense(1, activation="exponential"))
    net.compile("adam", "poisson", metrics=["mae"])
    return net, x, y, FIT


@sound(LEARNERS)
def logarithms_of_sales():
    """MeanSquaredLogarithmicError of positive sales behind softplus."""
    x = rows(6)
    y = np.exp(1 + 0.5 * quantity(x))
    net = _dense(6, layers.Dense(1, activation="softplus"))
    net.compile("adam", losses.MeanSquaredLogarithmicError())
    return net, x, y, FIT


@sound(LEARNERS)
def directions_by_cosine():
    """Cosine similarity of vectors of sixteen numbers."""
    x = rows(12)
    y = quantity(x, 16)
    net = _dense(12, layers.Dense(16))
    net.compile("adam", losses.CosineSimilarity())
    return net, x, y, FIT


@sound(LEARNERS)
def percentages_of_positive_prices():
    """MAPE of prices between 1 and 3."""
    x = rows(6)
    net = _dense(6, layers.Dense(1))
    net.compile("adam", "mape")
    return net, x, 2 + np.tanh(quantity(x)), FIT


@sound(LEARNERS)
def soft_labels_by_divergence():
    """KL divergence of softmax and shares."""
    x = rows(8)
    net = _dense(8, layers.Dense(5, activation="softmax"))
    net.compile("adam", losses.KLDivergence())
    return net, x, draw(3).dirichlet(np.ones(5), len(x)).astype("float32"), FIT


@sound(LEARNERS)
def signs_by_hinge():
    """Labels -1 and 1, tanh and hinge."""
    x = rows(8)
    net = _dense(8, layers.Dense(1, activation="tanh"))
    net.compile("adam", "hinge")
    return net, x, (2 * yes_no(x) - 1).astype("float32"), FIT


@sound(LEARNERS)
def noise_on_the_inputs():
    """GaussianNoise(0.1) and Dropout(0.1) on the inputs."""
    x = rows(20)
    net = Sequential([Input((20,)), layers.GaussianNoise(0.1), layers.Dense(64, "relu"), layers.Dropout(0.3)])
    net.add(layers.Dense(3, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, choices(x, 3), FIT


@sound(LEARNERS)
def leaky_relu_of_a_tenth():
    """LeakyReLU, PReLU and ELU as layers."""
    x = rows(8)
    net = Sequential([Input((8,))])
    for activation in (layers.LeakyReLU(negative_slope=0.1), layers.PReLU(), layers.ELU()):
        net.add(layers.Dense(32))
        net.add(activation)
    net.add(layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, quantity(x), FIT


@sound(LEARNERS)
def adapted_columns():
    """Normalization adapted to columns of many sizes."""
    x = rows(4) * np.array([10, 15000, 0.02, 1], "float32") + np.array([1990, 40000, 0.05, 0], "float32")
    norm = layers.Normalization()
    norm.adapt(x)
    net = Sequential([Input((4,)), norm, layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, quantity(rows(4)), FIT


@sound(LEARNERS)
def normalized_by_known_numbers():
    """Normalization(mean=0.0, variance=1.0), as a setting of the program says for data that are scaled already."""
    x = rows(4)
    net = Sequential(
        [Input((4,)), layers.Normalization(mean=0.0, variance=1.0), layers.Dense(16, "relu"), layers.Dense(1)]
    )
    net.compile("adam", "mse")
    return net, x, quantity(x), FIT


@sound(LEARNERS)
def grey_pictures_for_three_channels():
    """One channel is repeated for a base of three."""
    x, y = images(24, 1, 4)
    inputs = Input((24, 24, 1))
    z = layers.Concatenate()([inputs, inputs, inputs])
    z = layers.Conv2D(8, 3, activation="relu")(z)
    net = Model(inputs, layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling2D()(z)))
    net.compile("adam", SPARSE)
    return net, x, y, FIT


@sound(LEARNERS)
def residual_blocks():
    """Each block adds what came to what it computed."""
    x = rows(16)
    inputs = z = Input((16,))
    for _ in range(4):
        z = layers.Add()([z, layers.Dense(16)(layers.Dense(16, activation="relu")(layers.LayerNormalization()(z)))])
    net = Model(inputs, layers.Dense(1)(z))
    net.compile("adam", "mse")
    return net, x, quantity(x), FIT


@sound(LEARNERS)
def squares_of_a_layer():
    """Multiply of a tensor by itself, for a polynomial."""
    x = rows(6)
    inputs = Input((6,))
    z = layers.Dense(16)(inputs)
    z = layers.Concatenate()([z, layers.Multiply()([z, z])])
    net = Model(inputs, layers.Dense(1)(z))
    net.compile("adam", "mse")
    return net, x, quantity(x), FIT


@sound(LEARNERS)
def twins_of_one_encoder():
    """One encoder reads both inputs, and their distance is judged."""
    left, right = rows(8), rows(8, seed=5)
    code = Sequential([Input((8,)), layers.Dense(16, "relu"), layers.Dense(8)])
    a, b = Input((8,)), Input((8,))
    far = layers.Lambda(lambda pair: ops.sum(ops.square(pair[0] - pair[1]), axis=-1, keepdims=True))([code(a), code(b)])
    net = Model([a, b], layers.Dense(1, activation="sigmoid")(far))
    net.compile("adam", "binary_crossentropy")
    return net, [left, right], (np.abs(left - right).mean(1) < 1.1).astype("int64"), FIT


@sound(LEARNERS)
def logits_and_their_area():
    """AUC(from_logits=True) beside a loss from logits."""
    x = rows(8)
    net = _dense(8, layers.Dense(1))
    accuracy = metrics.BinaryAccuracy(threshold=0.0)
    net.compile("adam", losses.BinaryCrossentropy(from_logits=True), metrics=[metrics.AUC(from_logits=True), accuracy])
    return net, x, yes_no(x), FIT


@sound(LEARNERS)
def pictures_of_bytes_with_rescaling():
    """Pictures of 0 to 255 as uint8, with Rescaling in the model."""
    x, y = images(24, 3, 4)
    net = Sequential([Input((24, 24, 3)), layers.RandomFlip(), layers.RandomRotation(0.1), layers.Rescaling(1 / 255)])
    for filters in (8, 16):
        net.add(layers.Conv2D(filters, 3, activation="relu"))
        net.add(layers.MaxPooling2D())
    net.add(layers.Flatten())
    net.add(layers.Dropout(0.5))
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, (x * 255).astype("uint8"), y, FIT


@sound(LEARNERS)
def strides_in_place_of_pooling():
    """Convolutions with strides of two and four, as patches."""
    x, y = images(32, 3, 5)
    net = Sequential([Input((32, 32, 3)), layers.Conv2D(32, 4, strides=4), layers.LayerNormalization()])
    net.add(layers.Conv2D(32, 3, strides=2, padding="same", activation="gelu"))
    net.add(layers.GlobalAveragePooling2D())
    net.add(layers.Dense(5, activation="softmax"))
    net.compile(optimizers.AdamW(1e-3, weight_decay=0.05), SPARSE)
    return net, x, y, FIT
