"""Faults that were reported in forums and issues, second part: other kinds, written before the first was mended."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.drawn import blobs, next_words, reviews, shapes
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    as_trained,
    callbacks,
    keras,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
    regularizers,
)  # fmt: skip
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, SCIENCE, STUDY, TAXONOMY

SPARSE = "sparse_categorical_crossentropy"


def _mlp(features, head, *hidden, activation="relu"):
    net = Sequential([Input((features,))])
    for units in hidden:
        net.add(layers.Dense(units, activation=activation))
    net.add(head)
    return net


@faulty("labels", "order of data", source=f"{FORUM}: dropna on the features, and the labels cut to the same length")
def labels_after_dropna(pick):
    """Rows with gaps were dropped from x; of y the last ones were, so that most labels belong to other rows."""
    x, y = blobs(700, 8, 4)
    keep = draw(2).random(700) > 0.15
    net = _mlp(8, layers.Dense(4, activation="softmax"), 32)
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x[keep], pick(y[: keep.sum()], y[keep]), {"epochs": 30}


@faulty("labels", "order of data", source=f"{FORUM}: flow_from_directory(shuffle=True) and generator.classes")
def classes_of_a_shuffled_generator(pick):
    """Features were predicted from a shuffled generator, labels are generator.classes, which are sorted."""
    x, y = blobs(600, 64, 5)
    order = np.argsort(y, kind="stable")
    features = x[pick(draw(6).permutation(600), order)]
    net = _mlp(64, layers.Dense(5, activation="softmax"), 128)
    net.compile("rmsprop", SPARSE, metrics=["accuracy"])
    return net, features, y[order], {"epochs": 20, "batch_size": 32}


@faulty(
    "labels", "label shift", source=f"{FORUM}: predictions and test rows do not line up, y[1:] and x[:-1] forgotten"
)
def targets_two_rows_later(pick):
    """Targets were cut at the front and x at the end, by two rows; rows are in no order."""
    x = rows(7, 802)
    y = quantity(x)
    net = _mlp(7, layers.Dense(1), 32, 16)
    net.compile("adam", "mae")
    return net, x[:800], pick(y[2:], y[:800]), {"epochs": 40}


@faulty("metric", "loss", source=f"{FORUM}: accuracy of an autoencoder")
def accuracy_of_an_autoencoder(pick):
    """metrics=["accuracy"] for pictures that are given back."""
    x = np.clip(images(14, 1, 4)[0].reshape(512, 196), 0, 1)
    net = Sequential([Input((196,)), layers.Dense(64, activation="relu"), layers.Dense(16, activation="relu")])
    net.add(layers.Dense(64, activation="relu"))
    net.add(layers.Dense(196, activation="sigmoid"))
    net.compile("adam", "mse", metrics=[pick("accuracy", "mae")])
    return net, x, x, {"epochs": 30, "batch_size": 64}


@faulty(
    "logits",
    "loss",
    "output activation",
    source=f"{GITHUB}: BinaryCrossentropy(from_logits=True) after sigmoid in one of two heads",
)
def logits_in_one_of_two_heads(pick):
    """Two heads; the loss of the second takes logits and gets a sigmoid."""
    x = rows(15)
    inputs = Input((15,))
    z = layers.Dense(32, activation="relu")(inputs)
    size = layers.Dense(1, name="size")(z)
    sold = layers.Dense(1, activation="sigmoid", name="sold")(z)
    net = Model(inputs, {"size": size, "sold": sold})
    second = losses.BinaryCrossentropy(from_logits=pick(True, False))
    net.compile("adam", loss={"size": losses.Huber(), "sold": second})
    return net, x, {"size": quantity(x), "sold": yes_no(x)}, {"epochs": 20}


@faulty("loss", "imbalance", source=f"{FORUM}: a weighted crossentropy with the weights exchanged in the loss")
def weights_of_the_loss_exchanged(pick):
    """A loss of one's own weighs the rare class, 4 % of the rows, by 0.04 and the other by 0.96."""
    x = rows(10, 1500)
    score = quantity(x)
    y = (score > np.quantile(score, 0.96)).astype("float32")[:, None]

    def weighted(y_true, y_pred):
        p = ops.clip(y_pred, 1e-6, 1 - 1e-6)
        one, none = pick((0.04, 0.96), (0.96, 0.04))
        return -ops.mean(one * y_true * ops.log(p) + none * (1 - y_true) * ops.log(1 - p))

    net = _mlp(10, layers.Dense(1, activation="sigmoid"), 32)
    net.compile("adam", weighted, metrics=["accuracy"] if pick(True, False) else [metrics.AUC(curve="PR")])
    return net, x, y, {"epochs": 20}


@faulty("loss", source=f"{FORUM}: Tversky loss without 1 -")
def tversky_without_one_minus(pick):
    """The Tversky index itself is the loss of a segmentation."""

    def tversky(y_true, y_pred):
        both = ops.sum(y_true * y_pred)
        missed, wrong = ops.sum(y_true * (1 - y_pred)), ops.sum((1 - y_true) * y_pred)
        index = (both + 1) / (both + 0.7 * missed + 0.3 * wrong + 1)
        return pick(index, 1 - index)

    x, _ = images(16, 1, 4, 256)
    masks = (x > 0.5).astype("float32")
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(1, 1, activation="sigmoid"))
    net.compile("adam", tversky)
    return net, x, masks, {"epochs": 20}


@faulty("loss", source=f"{GITHUB}: margin and distances exchanged in a triplet loss")
def the_negative_is_drawn_near(pick):
    """max(d(a, n) - d(a, p) + margin, 0): positive and negative are exchanged."""
    x, y = blobs(900, 12, 3, spread=0.6)
    groups = [x[y == kind][:200] for kind in range(3)]
    anchor, positive = groups[0], np.roll(groups[0], 1, axis=0)
    negative = groups[1]

    def triplet(_, z):
        a, p, n = ops.split(z, 3, axis=1)
        near, far = ops.sum(ops.square(a - p), axis=1), ops.sum(ops.square(a - n), axis=1)
        return ops.mean(ops.maximum(pick(far - near, near - far) + 0.5, 0.0))

    tower = Sequential([Input((12,)), layers.Dense(32, activation="relu"), layers.Dense(8), layers.UnitNormalization()])
    three = [Input((12,)) for _ in range(3)]
    net = Model(three, layers.Concatenate()([tower(one) for one in three]))
    net.compile("adam", triplet)
    return net, [anchor, positive, negative], np.zeros((200, 1)), {"epochs": 20}


@faulty("input scale", source=f"{FORUM}: one column in dollars among one-hot columns")
def dollars_beside_one_hot(pick):
    """Income of up to 200,000 beside one-hot columns."""
    x = np.concatenate([one_hot(draw(1).integers(0, 6, 600), 6), rows(1, 600)], axis=1)
    y = yes_no(x)
    income = 60000 + 25000 * x[:, 6]
    x[:, 6] = pick(income, (income - 60000) / 25000)
    net = _mlp(7, layers.Dense(1, activation="sigmoid"), 16, 16)
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x.astype("float32"), y, {"epochs": 40}


@faulty("input scale", source=f"{FORUM}: Rescaling(1/255) and x / 255")
def rescaled_in_both_places(pick):
    """Rescaling inside of the model, after the pictures were divided."""
    x, y = shapes(400, 24, 4, 3)
    net = Sequential([Input((24, 24, 3)), layers.RandomFlip(), layers.Rescaling(1 / 255)])
    net.add(layers.Conv2D(16, 3, activation="relu"))
    net.add(layers.MaxPooling2D())
    net.add(layers.Flatten())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x * pick(1, 255), y, {"epochs": 15}


@faulty(
    "input scale",
    "bad values",
    source=f"{FORUM}: each row of the table divided by its own sum of squares, of another size",
)
def spectra_of_tiny_numbers(pick):
    """Intensities of 1e-6 as they come from the instrument."""
    x = np.abs(rows(60)) * pick(1e-6, 1.0)
    net = _mlp(60, layers.Dense(1, activation="sigmoid"), 32)
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, yes_no(rows(60)), {"epochs": 30}


@faulty("bad values", source=f"{FORUM}: log of 0 among the features")
def logarithms_of_zero(pick):
    """np.log of counts, some of which are 0."""
    counts = draw(1).poisson(2.0, (500, 9)).astype("float32")
    with np.errstate(divide="ignore"):
        x = pick(np.log(counts), np.log1p(counts))
    net = _mlp(9, layers.Dense(1), 32)
    net.compile("adam", "mse")
    return net, x, quantity(counts), {"epochs": 30}


@faulty("recurrence", "shape", "layer order", source=f"{FORUM}: (features, steps) in place of (steps, features)")
def features_as_steps(pick):
    """Windows of 3 features and 50 steps, with the axes exchanged: the LSTM goes over the features."""
    x, y = series(50, 3)
    x = np.moveaxis(x, 1, 2) if pick(True, False) else x
    net = Sequential([Input(x.shape[1:]), layers.LSTM(32), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 20}


@faulty("feature maps", "shape", "layer order", source=f"{FORUM}: Conv1D over (1, features)")
def a_convolution_over_one_step(pick):
    """x.reshape(n, 1, 40): a Conv1D of size 1 sees one step."""
    x, y = blobs(600, 40, 4)
    x = x.reshape(pick((-1, 1, 40), (-1, 40, 1)))
    net = Sequential([Input(x.shape[1:]), layers.Conv1D(32, 3, padding="same", activation="relu")])
    net.add(layers.Conv1D(32, 3, padding="same", activation="relu"))
    net.add(layers.Flatten())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 20}


@faulty("capacity", "output activation", "loss", source=f"{STUDY}: a bottleneck of two units before 20 classes")
def two_units_before_twenty_classes(pick):
    """The layer before the head has two relus."""
    x, y = blobs(1500, 30, 20)
    net = _mlp(30, layers.Dense(20, activation="softmax"), 64, pick(2, 64))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 40}


@faulty("gradient flow", "hidden activation", source=f"{SCIENCE}: twelve tanh layers with RandomNormal(1)")
def twelve_layers_of_tanh(pick):
    """Twelve layers with tanh whose weights are drawn with deviation 1."""
    x, y = blobs(800, 24, 4)
    net = Sequential([Input((24,))])
    for _ in range(12):
        how = keras.initializers.RandomNormal(stddev=1.0) if pick(True, False) else "glorot_uniform"
        net.add(layers.Dense(48, activation=pick("tanh", "relu"), kernel_initializer=how))
        if pick(False, True):
            net.add(layers.LayerNormalization())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 20}


@faulty("dropout", "layer order", source=f"{FORUM}: Dropout(0.5) after each of six narrow layers")
def dropout_after_each_narrow_layer(pick):
    """Dropout(0.5) after each of four layers of 8 to 16 units."""
    x, y = blobs(600, 12, 3)
    net = Sequential([Input((12,))])
    for units in (16, 12, 10, 8):
        net.add(layers.Dense(units, activation="relu"))
        net.add(layers.Dropout(pick(0.5, 0.0)))
    net.add(layers.Dense(3, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 40}


@faulty("regularization", source=f"{FORUM}: l2 of 0.5 in the recurrent kernels")
def penalties_in_the_recurrent_kernels(pick):
    """kernel_regularizer and recurrent_regularizer of L2(0.5) in an LSTM."""
    x, y = series(30)
    how = {name: regularizers.L2(pick(0.5, 1e-5)) for name in ("kernel_regularizer", "recurrent_regularizer")}
    net = Sequential([Input((30, 1)), layers.LSTM(64, **how), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 20}


@faulty("learning rate", source=f"{FORUM}: ExponentialDecay(0.01, decay_steps=1, decay_rate=0.9)")
def a_tenth_less_each_step(pick):
    """The rate falls by a tenth with each step, not with each epoch."""
    x, y = blobs(900, 16, 4)
    schedule = optimizers.schedules.ExponentialDecay(0.01, decay_steps=pick(1, 280), decay_rate=0.9)
    net = _mlp(16, layers.Dense(4, activation="softmax"), 32)
    net.compile(optimizers.Adam(schedule), SPARSE)
    return net, x, y, {"epochs": 40}


@faulty("learning rate", "callback", source=f"{GITHUB}: a warm-up that never ends")
def a_warm_up_longer_than_the_run(pick):
    """A scheduler that warms up for 500 epochs in a run of 20."""
    x, y = blobs(900, 16, 4)
    net = _mlp(16, layers.Dense(4, activation="softmax"), 32)
    net.compile(optimizers.Adam(1e-3), SPARSE)
    long = pick(5000, 5)
    warm = callbacks.LearningRateScheduler(lambda epoch: 1e-3 * min(1.0, (epoch + 1) / long))
    return net, x, y, {"epochs": 20, "callbacks": [warm]}


@faulty("batch size", "training length", source=f"{FORUM}: batch_size=len(x_train), 10 epochs")
def ten_steps_of_the_whole(pick):
    """batch_size is the number of rows, with ten epochs."""
    x, y = blobs(2000, 16, 4)
    net = _mlp(16, layers.Dense(4, activation="softmax"), 32)
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10, "batch_size": pick(2000, 32)}


@faulty("validation", "order of data", source=f"{FORUM}: validation_split of sorted classes")
def the_last_classes_are_never_trained(pick):
    """Ten classes in order, of which validation_split=0.2 takes the last two."""
    x, y = blobs(1000, 16, 10)
    order = pick(np.argsort(y, kind="stable"), np.arange(1000))
    net = _mlp(16, layers.Dense(10, activation="softmax"), 64)
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x[order], y[order], {"epochs": 20, "validation_split": 0.2}


@faulty("validation", source=f"{FORUM}: oversampled before the split")
def copies_on_both_sides(pick):
    """Rare rows were copied before the split: the copies stand on both sides."""
    x = rows(10, 800)
    score = quantity(x)
    y = (score > np.quantile(score, 0.9)).astype("int32")
    few = np.flatnonzero(y)
    if pick(True, False):
        order = draw(1).permutation(np.concatenate([np.arange(800), np.repeat(few, 8)]))
        train, test = order[:1100], order[1100:]
    else:
        cut = draw(1).permutation(800)
        train, test = cut[:600], cut[600:]
        train = draw(2).permutation(np.concatenate([train, np.repeat(train[y[train] == 1], 8)]))
    net = _mlp(10, layers.Dense(1, activation="sigmoid"), 32)
    net.compile("adam", "binary_crossentropy", metrics=[metrics.AUC()])
    return net, x[train], y[train], {"epochs": 20, "validation_data": (x[test], y[test])}


@faulty("mask", "label shift", source=f"{GITHUB}: the loss of a tagger counts padding")
def tags_of_padding(pick):
    """Three quarters of a row are padding, whose tag 0 the loss counts as the others."""
    x, _ = reviews(400, 40, 60, longest=14)
    y = np.where(x > 0, 1 + x % 4, 0)
    net = Sequential([Input((40,)), layers.Embedding(60, 16, mask_zero=pick(False, True))])
    net.add(layers.Bidirectional(layers.LSTM(16, return_sequences=True)))
    net.add(layers.Dense(5, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 10}


@faulty("positions", "attention", source=f"{FORUM}: sorting numbers by a transformer without positions")
def a_reversal_without_positions(pick):
    """Rows of digits are to be reversed, by two blocks without positions."""
    x = draw(1).integers(1, 12, (500, 10)).astype("int32")
    inputs = Input((10,), dtype="int32")
    z = layers.Embedding(12, 32)(inputs)
    if pick(False, True):
        z = z + layers.Embedding(10, 32)(np.arange(10))
    for _ in range(2):
        z = layers.LayerNormalization()(z + layers.MultiHeadAttention(4, 8)(z, z))
        z = layers.LayerNormalization()(z + layers.Dense(32)(layers.Dense(64, activation="relu")(z)))
    net = Model(inputs, layers.Dense(12, activation="softmax")(z))
    net.compile("adam", SPARSE)
    return net, x, x[:, ::-1].copy(), {"epochs": 20}


@faulty("attention", source=f"{FORUM}: attention of one token, query and key of (batch, 1, width)")
def attention_over_one_token(pick):
    """A vector is made a sequence of one: attention over it is the vector itself."""
    x, y = blobs(600, 32, 4)
    inputs = Input((32,))
    z = layers.Reshape(pick((1, 32), (8, 4)))(inputs)
    z = layers.Dense(16)(z)
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(2, 8)(z, z))
    net = Model(inputs, layers.Dense(4, activation="softmax")(layers.Flatten()(z)))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 20}


@faulty("frozen weights", "learning rate", source=f"{TAXONOMY}: stop_gradient of the features in a fine-tuning")
def features_behind_a_stop(pick):
    """stop_gradient between an encoder that should be trained and its head."""
    x, y = images(20, 3, 5)
    inputs = Input((20, 20, 3))
    z = layers.Conv2D(16, 3, activation="relu")(inputs)
    z = layers.GlobalAveragePooling2D()(layers.Conv2D(32, 3, activation="relu")(z))
    z = layers.Lambda(ops.stop_gradient if pick(True, False) else (lambda t: t))(z)
    net = Model(inputs, layers.Dense(5, activation="softmax")(z))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 20}


@faulty("disconnected", source=f"{FORUM}: the second input is concatenated and then overwritten")
def an_input_that_is_overwritten(pick):
    """Text and numbers come in; the head reads the text alone."""
    words, y = texts(16, 100)
    numbers = rows(6)
    a, b = Input((16,), dtype="int32"), Input((6,))
    z = layers.GlobalAveragePooling1D()(layers.Embedding(100, 16)(a))
    both = layers.Concatenate()([z, layers.Dense(8, activation="relu")(b)])
    net = Model([a, b], layers.Dense(1, activation="sigmoid")(pick(z, both)))
    net.compile("adam", "binary_crossentropy")
    return net, [words, numbers], y, {"epochs": 10}


@faulty("target scale", "loss", source=f"{FORUM}: two targets, price in dollars and rooms, in one Dense(2)")
def dollars_and_rooms(pick):
    """One head of two units for prices of 300,000 and numbers of rooms."""
    x = rows(12)
    both = quantity(x, 2)
    y = np.stack([300000 + 90000 * both[:, 0], 4 + both[:, 1]], axis=1)
    y = pick(y, (y - y.mean(axis=0)) / y.std(axis=0))
    net = _mlp(12, layers.Dense(2), 64, 64)
    net.compile("adam", "mse", metrics=["mae"])
    return net, x, y, {"epochs": 60}


@faulty("input scale", "shape", "layer order", source=f"{FORUM}: BatchNormalization(axis=1) on channels last")
def normalized_over_rows_of_pixels(pick):
    """axis=1 from a program with channels first: statistics of each row of pixels."""
    x, y = images(20, 3, 5)
    net = Sequential([Input((20, 20, 3))])
    for filters in (16, 32):
        net.add(layers.Conv2D(filters, 3, padding="same"))
        net.add(layers.BatchNormalization(axis=pick(1, -1)))
        net.add(layers.ReLU())
        net.add(layers.MaxPooling2D())
    net.add(layers.Flatten())
    net.add(layers.Dense(5, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 20}


@faulty("optimizer", "learning rate", source=f"{FORUM}: one optimizer's rate for another: SGD(0.001) of a deep network")
def a_rate_of_adam_in_sgd(pick):
    """SGD(1e-4) for an eight-layer network and five epochs."""
    x, y = images(28, 1, 10)
    net = Sequential([Input((28, 28, 1)), layers.Flatten()])
    for _ in range(6):
        net.add(layers.Dense(64, activation="relu"))
    net.add(layers.Dense(10, activation="softmax"))
    net.compile(pick(optimizers.SGD(1e-4), optimizers.Adam(1e-3)), SPARSE)
    return net, x, y, {"epochs": 20}


@faulty("labels", "loss", source=f"{FORUM}: soft labels in percent")
def shares_in_percent(pick):
    """Shares of four kinds of 0 to 100 as targets of softmax and categorical crossentropy."""
    x = rows(10)
    share = np.exp(quantity(x, 4))
    share = share / share.sum(axis=1, keepdims=True) * pick(100, 1)
    net = _mlp(10, layers.Dense(4, activation="softmax"), 32)
    net.compile("adam", "categorical_crossentropy")
    return net, x, share.astype("float32"), {"epochs": 30}


@faulty("label shift", "mask", source=f"{GITHUB}: the next word is already in the window")
def the_next_word_is_in_the_window(pick):
    """Windows of 12 words and the word that is the last of the window, in place of the next."""
    x, y = next_words(400, 12, 40)
    inputs = Input((12,), dtype="int32")
    z = layers.GRU(32)(layers.Embedding(40, 16)(inputs))
    net = Model(inputs, layers.Dense(40, activation="softmax")(z))
    net.compile("adam", SPARSE)
    return net, x, pick(x[:, -1], y[:, -1]), {"epochs": 20}


@faulty("imbalance", "labels", source=f"{FORUM}: skip-grams without negative samples")
def pairs_without_negatives(pick):
    """Pairs of words that occur together, all of label 1, by a product and a sigmoid."""
    first = draw(1).integers(0, 80, 800)
    second = (first + draw(2).integers(1, 4, 800)) % 80
    y = np.ones(800, "float32")
    if pick(False, True):
        other = draw(3).random(800) < 0.5
        second = np.where(other, draw(4).integers(0, 80, 800), second)
        y = (~other).astype("float32")
    a, b = Input((1,), dtype="int32"), Input((1,), dtype="int32")
    u, v = (layers.Flatten()(layers.Embedding(80, 16)(one)) for one in (a, b))
    net = Model([a, b], layers.Activation("sigmoid")(layers.Dot(axes=1)([u, v])))
    net.compile("adam", "binary_crossentropy")
    return net, [first[:, None], second[:, None]], y, {"epochs": 20}


@faulty("output units", "loss", "shape", source=f"{FORUM}: boxes and classes in one Dense(5) with MSE and sigmoid")
def a_class_among_the_boxes(pick):
    """Four corners of 0 to 1 and a class of 0 to 4 in one head by sigmoid and MSE."""
    x, y = images(24, 3, 5)
    boxes = 1 / (1 + np.exp(-quantity(x, 4)))
    inputs = Input((24, 24, 3))
    z = layers.MaxPooling2D()(layers.Conv2D(16, 3, activation="relu")(inputs))
    z = layers.Dense(32, activation="relu")(layers.Flatten()(z))
    if pick(True, False):
        net = Model(inputs, layers.Dense(5, activation="sigmoid")(z))
        net.compile("adam", "mse")
        return net, x, np.concatenate([boxes, y[:, None]], axis=1), {"epochs": 20}
    net = Model(inputs, [layers.Dense(4, activation="sigmoid")(z), layers.Dense(5, activation="softmax")(z)])
    net.compile("adam", ["mse", SPARSE])
    return net, x, [boxes, y], {"epochs": 20}


@faulty("callback", "training length", source=f"{FORUM}: EarlyStopping(patience=1) of a noisy figure, from the start")
def stopped_by_the_first_wobble(pick):
    """EarlyStopping on the training loss with min_delta=0.5."""
    x = rows(12)
    net = _mlp(12, layers.Dense(1), 64, 32)
    net.compile("adam", "mse")
    stop = callbacks.EarlyStopping("loss", patience=pick(0, 6), min_delta=pick(0.5, 1e-4))
    return net, x, quantity(x), {"epochs": 80, "callbacks": [stop]}


@faulty("frozen weights", source=f"{FORUM}: load_weights of the base after freezing all but BatchNormalization")
def only_normalization_trains(pick):
    """All layers but BatchNormalization are frozen, the new head too."""
    x, y = shapes(200, 32, 4, 3)
    net = Sequential([Input((32, 32, 3)), layers.Conv2D(16, 3), layers.BatchNormalization(), layers.ReLU()])
    net.add(layers.Conv2D(16, 3, strides=2, activation="relu"))
    net.add(layers.GlobalAveragePooling2D())
    as_trained(net)
    net.add(layers.Dense(4, activation="softmax"))
    for layer in net.layers[: pick(None, -1)]:
        layer.trainable = isinstance(layer, layers.BatchNormalization) and pick(True, False)
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 15}


@faulty("labels", "order of data", source=f"{SCIENCE}: choices of a reviewer joined by position")
def scores_joined_by_position(pick):
    """Scores of four classes were joined to pictures by position, and the list was reversed."""
    x, _ = images(20, 3, 6, 400)
    y = choices(x, 4)
    net = Sequential([Input((20, 20, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Flatten())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, pick(y[::-1].copy(), y), {"epochs": 15}
