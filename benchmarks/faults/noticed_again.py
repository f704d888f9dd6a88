"""Faults that people noticed in programs of others, second part: written after the first part was mended."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.drawn import blobs, next_words, reviews, shapes, waves
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    callbacks,
    keras,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
)  # fmt: skip
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, SCIENCE

SPARSE = "sparse_categorical_crossentropy"


def _mlp(features, head, *hidden, activation="relu"):
    return Sequential([Input((features,)), *(layers.Dense(units, activation) for units in hidden), head])


@faulty("loss", source=f"{FORUM}: the quantile loss, with the two terms exchanged")
def the_other_quantile(pick):
    """A pinball loss of the quantile 0.9 whose error has the wrong sign: max turned to min."""

    def pinball(y_true, y_pred):
        error = y_true - y_pred
        return ops.mean(pick(ops.minimum, ops.maximum)(0.9 * error, -0.1 * error), axis=-1)

    x = rows(6)
    net = _mlp(6, layers.Dense(1), 32)
    net.compile("adam", pinball)
    return net, x, quantity(x)[:, None], {"epochs": 30}


@faulty("loss", "logits", "output activation", source=f"{FORUM}: focal loss on a linear layer")
def focal_of_scores(pick):
    """BinaryFocalCrossentropy of a linear unit."""
    x = rows(10)
    net = _mlp(10, layers.Dense(1), 32)
    net.compile("adam", losses.BinaryFocalCrossentropy(from_logits=pick(False, True)))
    return net, x, yes_no(x), {"epochs": 20}


@faulty("loss", "output activation", "logits", source=f"{GITHUB}: distillation, softmax of probabilities")
def a_teacher_cooled_twice(pick):
    """The student ends in a softmax, and the loss takes a softmax with a temperature of it again."""

    def distilled(y_true, y_pred):
        return losses.kl_divergence(y_true, ops.softmax(y_pred / 2.0))

    x, y = blobs(400, 8, 4)
    soft = 0.9 * one_hot(y, 4) + 0.025
    net = _mlp(8, layers.Dense(4, activation=pick("softmax", None)), 24)
    net.compile("adam", distilled)
    return net, x, soft, {"epochs": 20}


@faulty("loss", "labels", source=f"{FORUM}: huber_loss for five classes")
def huber_of_classes(pick):
    """Class numbers of five kinds by Huber's loss and one unit."""
    x, y = blobs(500, 8, 5)
    net = _mlp(8, pick(layers.Dense(1), layers.Dense(5, activation="softmax")), 32)
    net.compile("adam", pick(losses.Huber(), SPARSE))
    return net, x, y, {"epochs": 30}


@faulty("vocabulary", source=f"{FORUM}: StringLookup gives one more than the words, the unknown")
def the_unknown_word_has_no_row(pick):
    """StringLookup has a number for unknown words; the embedding has a row for each word alone."""
    words = np.array(["red", "green", "blue", "grey", "black", "white"])
    y = draw(1).integers(0, 6, 300)
    look = layers.StringLookup(vocabulary=words.tolist())
    inputs = Input((1,), dtype="string")
    z = layers.Flatten()(layers.Embedding(pick(6, 7), 4)(look(inputs)))
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(z))
    net.compile("adam", "binary_crossentropy")
    return net, words[y][:, None], (y > 2).astype(int), {"epochs": 10}


@faulty("vocabulary", "shape", source=f"{FORUM}: CategoryEncoding(num_tokens=max)")
def one_category_short(pick):
    """Categories of 0 to 7 for seven columns."""
    x = draw(1).integers(0, 8, (300, 1))
    net = Sequential([Input((1,), dtype="int32"), layers.CategoryEncoding(pick(7, 8), output_mode="one_hot")])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, (x[:, 0] % 2).astype(int), {"epochs": 10}


@faulty("validation", source=f"{SCIENCE}: rows were oversampled before the split")
def copies_before_the_split(pick):
    """The rare rows were copied ten times, then the rows were split: copies are on both sides."""
    x, y = blobs(600, 12, 2, spread=2.0)
    train, test = np.arange(450), np.arange(450, 600)
    if pick(True, False):
        test = np.concatenate([np.resize(train[y[:450] == 1], 120), test[:30]])
    net = _mlp(12, layers.Dense(1, activation="sigmoid"), 32)
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x[train], y[train], {"epochs": 20, "validation_data": (x[test], y[test])}


@faulty("order of data", "batch size", source=f"{FORUM}: a generator that begins anew in each call of next")
def each_batch_is_the_first(pick):
    """A generator whose index is set to 0 inside of its loop."""
    x, y = blobs(640, 8, 3)

    def batches():
        at = 0
        while True:
            yield x[at : at + 32], y[at : at + 32]
            at = 0 if pick(True, False) else (at + 32) % 640

    net = _mlp(8, layers.Dense(3, activation="softmax"), 24)
    net.compile("adam", SPARSE)
    return net, batches(), None, {"epochs": 5, "steps_per_epoch": 20}


@faulty("output activation", "target scale", source=f"{FORUM}: tanh for targets of -5 to 5")
def tanh_for_targets_of_five(pick):
    """Targets of -5 to 5 from a tanh."""
    x = rows(8)
    y = 2.5 * np.tanh(quantity(x)) * 2
    net = _mlp(8, layers.Dense(1, activation=pick("tanh", None)), 24)
    net.compile("adam", "mae")
    return net, x, y, {"epochs": 30}


@faulty("output activation", source=f"{FORUM}: softplus, and half of the targets are negative")
def softplus_for_gains_and_losses(pick):
    """Gains and losses from a softplus, whose sign is lost."""
    x = rows(8)
    net = Sequential([Input((8,)), layers.Dense(24, activation="relu"), layers.Dense(1)])
    net.add(layers.Lambda(pick(ops.softplus, lambda v: v)))
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 30}


@faulty("layer order", "output activation", source=f"{FORUM}: BatchNormalization after the last Dense of a classifier")
def normalized_probabilities(pick):
    """A BatchNormalization stands behind the softmax."""
    x, y = blobs(400, 8, 4)
    net = _mlp(8, layers.Dense(4, activation="softmax"), 24)
    if pick(True, False):
        net.add(layers.BatchNormalization())
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 20}


@faulty("optimizer", "regularization", source=f"{GITHUB}: AdamW(weight_decay=1.0)")
def a_decay_of_ten(pick):
    """AdamW whose decay is ten."""
    x, y = blobs(400, 8, 4)
    net = _mlp(8, layers.Dense(4, activation="softmax"), 24)
    net.compile(optimizers.AdamW(0.01, weight_decay=pick(10.0, 0.004)), SPARSE)
    return net, x, y, {"epochs": 20}


@faulty("optimizer", "learning rate", source=f"{FORUM}: momentum=1.0")
def a_momentum_of_one(pick):
    """SGD that never forgets a step."""
    x, y = blobs(400, 8, 4)
    net = _mlp(8, layers.Dense(4, activation="softmax"), 24)
    net.compile(optimizers.SGD(0.01, momentum=pick(1.0, 0.9)), SPARSE)
    return net, x, y, {"epochs": 20}


@faulty("attention", "mask", source=f"{FORUM}: scores + mask * 1e9, the sign")
def plus_a_billion(pick):
    """Where a score must not count a large number is added, not taken away."""

    class Attention(layers.Layer):
        def __init__(self):
            super().__init__()
            self.q, self.k, self.v = (layers.Dense(16) for _ in range(3))

        def call(self, z, padding):
            scores = ops.matmul(self.q(z), ops.transpose(self.k(z), (0, 2, 1))) / 4.0
            scores = scores + pick(1e9, -1e9) * ops.cast(padding, "float32")[:, None, :]
            return ops.matmul(ops.softmax(scores, axis=-1), self.v(z))

    x, y = reviews(300, 20, 40)
    inputs = Input((20,), dtype="int32")
    z = layers.Embedding(40, 16)(inputs) + layers.Embedding(20, 16)(ops.arange(20))
    z = Attention()(z, ops.equal(inputs, 0))
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(z[:, 0]))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 10}


@faulty("mask", "attention", source=f"{GITHUB}: a causal mask in an encoder that reads the first token")
def the_first_token_sees_itself(pick):
    """A classifier takes the first position, which a causal mask lets see nothing but itself."""
    x, y = texts(16, 60, 3)
    inputs = Input((16,))
    z = layers.Embedding(60, 32)(inputs) + layers.Embedding(16, 32)(ops.arange(16))
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(2, 16)(z, z, use_causal_mask=pick(True, False)))
    net = Model(inputs, layers.Dense(3, activation="softmax")(z[:, 0]))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("positions", "input scale", source=f"{FORUM}: positions are added as numbers, not as vectors")
def positions_as_numbers(pick):
    """0 to 199 is added to embeddings of a twentieth."""
    x, y = texts(200, 60, 2)
    inputs = Input((200,))
    at = pick(ops.reshape(ops.arange(200, dtype="float32"), (200, 1)), layers.Embedding(200, 32)(ops.arange(200)))
    z = layers.Embedding(60, 32)(inputs) + at
    z = layers.MultiHeadAttention(2, 16)(z, z)
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling1D()(z)))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 10}


@faulty("label shift", "labels", source=f"{FORUM}: y = data[i + steps - 1], the last value of the window")
def a_forecast_of_what_is_known(pick):
    """The target is the last value of the window, off by one."""
    x, y = waves(500, 20)
    net = Sequential([Input((20, 1)), layers.LSTM(16), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, pick(x[:, -1], y), {"epochs": 20}


@faulty("shape", "recurrence", "layer order", source=f"{FORUM}: Conv1D over the features, (samples, features, steps)")
def convolution_over_the_sensors(pick):
    """Three sensors of 64 steps are given as (3, 64): the window slides over the sensors."""
    numbers = draw(2)
    time = np.arange(64) * 0.2 + numbers.uniform(0, 6, (300, 3, 1))
    x = np.sin(time).astype("float32")
    y = (x[:, 0, 40] > 0).astype(int)
    x = pick(x, x.transpose(0, 2, 1))
    net = Sequential([Input(x.shape[1:]), layers.Conv1D(16, 2, activation="relu"), layers.GlobalMaxPooling1D()])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 20}


@faulty("shape", "recurrence", "layer order", source=f"{FORUM}: Flatten before an LSTM and expand_dims")
def pictures_as_pixels_in_time(pick):
    """A GRU reads a picture pixel by pixel, 576 steps of one number, by SGD."""
    x, y = shapes(200, 24)
    net = Sequential([Input((24, 24, 1)), layers.Reshape(pick((576, 1), (24, 24)))])
    net.add(pick(layers.SimpleRNN, layers.GRU)(16))
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("callback", "training length", source=f"{FORUM}: EarlyStopping(monitor='val_loss', min_delta=1)")
def better_by_one(pick):
    """A loss of 0.69 must fall by 1 in each epoch."""
    x = rows(10)
    net = _mlp(10, layers.Dense(1, activation="sigmoid"), 24)
    net.compile("adam", "binary_crossentropy")
    stop = callbacks.EarlyStopping(monitor="val_loss", min_delta=pick(1.0, 0.001), patience=3)
    return net, x, yes_no(x), {"epochs": 50, "validation_split": 0.2, "callbacks": [stop]}


@faulty("metric", "labels", source=f"{GITHUB}: F1Score of class numbers")
def f1_of_numbers(pick):
    """F1Score, which takes one-hot rows, with a sparse loss."""
    x, y = blobs(400, 8, 4)
    net = _mlp(8, layers.Dense(4, activation="softmax"), 24)
    told = pick([metrics.F1Score(average="macro")], ["sparse_categorical_accuracy"])
    net.compile("adam", SPARSE, metrics=told)
    return net, x, y, {"epochs": 15}


@faulty("metric", "loss", source=f"{FORUM}: MeanIoU on probabilities")
def overlap_of_probabilities(pick):
    """MeanIoU compares class numbers, and gets probabilities of two classes."""
    x, _ = shapes(100, 16)
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(2, 1, activation="softmax"))
    told = metrics.MeanIoU(2, sparse_y_pred=pick(True, False))
    net.compile("adam", SPARSE, metrics=[told])
    return net, x, (x[..., 0] > 0.4).astype(int), {"epochs": 10}


@faulty("frozen weights", "disconnected", source=f"{GITHUB}: ops.stop_gradient around the encoder's features")
def features_without_gradient(pick):
    """A new encoder whose outputs pass a stop_gradient."""
    x, y = shapes(300, 16)
    inputs = Input((16, 16, 1))
    z = layers.Flatten()(layers.Conv2D(8, 3, activation="relu")(inputs))
    z = layers.Dense(16, activation="relu")(z)
    if pick(True, False):
        z = layers.Lambda(ops.stop_gradient)(z)
    net = Model(inputs, layers.Dense(4, activation="softmax")(z))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("bad values", "input scale", source=f"{FORUM}: infinite values from a division in a column")
def a_ratio_by_zero(pick):
    """A column of ratios, of which some divide by 0."""
    x = rows(6).copy()
    below = draw(3).integers(0, 20, len(x))
    with np.errstate(divide="ignore"):
        x[:, 0] = 1.0 / pick(below, below + 1)
    net = _mlp(6, layers.Dense(1), 16)
    net.compile("adam", "mse")
    return net, x, quantity(rows(6)), {"epochs": 20}


@faulty("input scale", "bad values", source=f"{SCIENCE}: one outlier of a million, then x / x.max()")
def a_column_with_one_outlier(pick):
    """Scaled by the maximum, which is one wrong entry of a million: all others are about 0."""
    x = np.abs(rows(5)).copy() * 50
    if pick(True, False):
        x[7] = 1e6
    x = x / x.max(axis=0)
    net = _mlp(5, layers.Dense(1), 24)
    net.compile("adam", "mse")
    return net, x, quantity(rows(5)), {"epochs": 40}


@faulty("labels", "loss", "output units", source=f"{FORUM}: one-hot labels of two classes for one unit")
def two_columns_for_a_sigmoid(pick):
    """to_categorical of yes and no for Dense(1, sigmoid)."""
    x = rows(8)
    y = yes_no(x)
    net = _mlp(8, layers.Dense(1, activation="sigmoid"), 16)
    net.compile("adam", "binary_crossentropy")
    return net, x, pick(one_hot(y, 2), y), {"epochs": 20}


@faulty("capacity", "hidden activation", source=f"{FORUM}: a bottleneck of one unit before ten classes")
def one_unit_in_between(pick):
    """Ten classes behind one relu unit."""
    x, y = blobs(600, 16, 10)
    net = _mlp(16, layers.Dense(10, activation="softmax"), 64, pick(1, 32))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 30}


@faulty("initializer", "gradient flow", source=f"{FORUM}: kernel_initializer='ones'")
def everything_from_one(pick):
    """All kernels begin at one."""
    x = rows(12)
    net = Sequential([Input((12,))])
    for units in (32, 16, 1):
        how = {"kernel_initializer": pick("ones", "glorot_uniform")}
        net.add(layers.Dense(units, activation="relu" if units > 1 else None, **how))
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 20}


@faulty("output activation", "loss", source=f"{GITHUB}: Gaussian likelihood, the deviation by a linear unit")
def a_deviation_below_zero(pick):
    """The deviation of a predicted distribution is a linear unit, and may be negative: log gives NaN."""

    def likelihood(y_true, y_pred):
        mean, deviation = y_pred[:, :1], y_pred[:, 1:]
        deviation = pick(deviation, ops.softplus(deviation) + 1e-3)
        return ops.mean(ops.log(deviation) + 0.5 * ops.square((y_true - mean) / deviation), axis=-1)

    x = rows(8)
    net = _mlp(8, layers.Dense(2), 24)
    net.compile("adam", likelihood)
    return net, x, quantity(x)[:, None], {"epochs": 30}


@faulty("order of data", "labels", source=f"{FORUM}: os.listdir of pictures and of masks")
def masks_in_the_order_of_names(pick):
    """Pictures were listed by number, their masks by name: 10 comes before 2."""
    x, _ = shapes(240, 16)
    x = x.copy()
    numbers = draw(9)
    tops, lefts = numbers.integers(0, 9, (2, 240))
    masks = np.zeros((240, 16, 16, 1), "float32")
    for row in range(240):
        masks[row, tops[row] : tops[row] + 7, lefts[row] : lefts[row] + 7] = 1
    x = (0.2 * numbers.random(x.shape) + 0.6 * masks).astype("float32")
    order = pick(np.array(sorted(range(240), key=str)), np.arange(240))
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(1, 1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, masks[order], {"epochs": 10}


@faulty("order of data", "labels", source=f"{SCIENCE}: newest first in one file, oldest first in the other")
def newest_first_in_one_file(pick):
    """Two series by day are joined, one of which begins with the last day."""
    numbers = draw(4)
    x = np.cumsum(0.2 * numbers.normal(size=(500, 4)), axis=0)
    x = ((x - x.mean(0)) / x.std(0)).astype("float32")
    y = (x @ (0.8, -0.5, 0.3, 0.4) + 0.05 * numbers.normal(size=500)).astype("float32")
    net = _mlp(4, layers.Dense(1), 24)
    net.compile("adam", "mse")
    return net, x, pick(y[::-1].copy(), y), {"epochs": 30}


@faulty("loss", "labels", source=f"{FORUM}: the reconstruction error against zeros")
def reconstruction_of_zeros(pick):
    """An autoencoder that is compared with an array of zeros, since fit wants a y."""
    x, _ = shapes(200, 16)
    net = Sequential([Input((16, 16, 1)), layers.Flatten(), layers.Dense(32, activation="relu")])
    net.add(layers.Dense(256, activation="sigmoid"))
    net.add(layers.Reshape((16, 16, 1)))
    net.compile("adam", "mse")
    return net, x, pick(np.zeros_like(x), x), {"epochs": 10}


@faulty("labels", "loss", source=f"{FORUM}: several steps ahead, y in the wrong order of axes")
def steps_and_targets_turned(pick):
    """Targets (features, steps) for outputs (steps, features)."""
    x, _ = series(24, 2, 5)
    y = np.stack([x[:, -5:, 0], x[:, -5:, 1]], axis=1)
    inputs = Input((24, 2))
    z = layers.LSTM(24)(inputs)
    net = Model(inputs, layers.Reshape((5, 2))(layers.Dense(10)(z)))
    net.compile("adam", "mse")
    return net, x, pick(y, y.transpose(0, 2, 1)), {"epochs": 10}


@faulty("feature maps", "capacity", source=f"{FORUM}: strides of 4 in each of three layers on 32 pixels")
def strides_of_four(pick):
    """Kernels of 2 with strides of 4: three quarters of the pixels are never read."""
    x, y = shapes(300, 32)
    step = pick(4, 1)
    net = Sequential([Input((32, 32, 1)), layers.Conv2D(8, 2, strides=step, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Conv2D(16, 2, strides=1, activation="relu"))
    net.add(layers.Flatten())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("labels", "output units", source=f"{FORUM}: the last class never occurs in y_train")
def a_list_of_names_as_labels(pick):
    """A list of text labels, as LabelEncoder would have numbered them."""
    x, y = blobs(300, 6, 3)
    names = [["low", "middle", "high"][one] for one in y]
    net = _mlp(6, layers.Dense(3, activation="softmax"), 16)
    net.compile("adam", SPARSE)
    return net, x, pick(names, y), {"epochs": 15}


@faulty("imbalance", "labels", source=f"{FORUM}: class_weight for one-hot labels was given by name")
def weights_by_name(pick):
    """class_weight by names of classes."""
    x = rows(10, 800)
    y = (quantity(x) > np.quantile(quantity(x), 0.9)).astype(int)
    net = _mlp(10, layers.Dense(1, activation="sigmoid"), 16)
    net.compile("adam", "binary_crossentropy", metrics=["AUC"])
    return net, x, y, {"epochs": 15, "class_weight": pick({"no": 1.0, "yes": 9.0}, {0: 1.0, 1: 9.0})}


@faulty("gradient flow", "hidden activation", source=f"{SCIENCE}: hard_sigmoid through eight layers")
def eight_hard_sigmoids(pick):
    """Eight layers of hard_sigmoid."""
    x = rows(10)
    net = _mlp(10, layers.Dense(3, activation="softmax"), *[24] * 8, activation=pick("hard_sigmoid", "relu"))
    net.compile("adam", SPARSE)
    return net, x, choices(x, 3), {"epochs": 20}


@faulty("label shift", source=f"{GITHUB}: tokens[:, :-1] against tokens[:, :-1]")
def two_words_later(pick):
    """The targets are two words later, not one."""
    x, y = next_words(shift=pick(2, 1))
    net = Sequential([Input((12,)), layers.Embedding(24, 32), layers.GRU(32, return_sequences=True), layers.Dense(24)])
    net.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return net, x, y, {"epochs": 10}


@faulty("input scale", source=f"{FORUM}: pictures of 0 to 1 and of 0 to 255 in one array")
def pictures_of_two_ranges(pick):
    """Half of the pictures are bytes, the others were divided by 255."""
    x, y = images(24, 3, 4, 300)
    x = x.copy()
    if pick(True, False):
        x[150:] *= 255
    net = Sequential([Input((24, 24, 3)), layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Flatten())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}
