"""Faults as people post them, first part: losses, heads and labels; after threads on GitHub and Stack Overflow."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import Input, Model, Sequential, layers, losses, metrics, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import GITHUB

FORUM = "after questions on Stack Overflow"


@faulty("output activation", "output units", source=f"{GITHUB}, keras-team/keras#13006: accuracy always 0.5")
def cats_and_dogs_at_a_half(pick):
    """A picture of one of two kinds: the last layer is Dense(1) with its softmax in a layer of its own."""
    x, y = images(24, 3, 2)
    net = Sequential()
    net.add(Input((24, 24, 3)))
    for filters in (16, 32):
        net.add(layers.Conv2D(filters, (3, 3)))
        net.add(layers.Activation("relu"))
        net.add(layers.MaxPooling2D((2, 2)))
    net.add(layers.Flatten())
    net.add(layers.Dense(64))
    net.add(layers.Activation("relu"))
    net.add(layers.Dropout(0.5))
    net.add(layers.Dense(1))
    net.add(layers.Activation(pick("softmax", "sigmoid")))
    net.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
    return net, x, y, {"epochs": 20, "batch_size": 16}


@faulty("loss", "labels", source=f"{GITHUB}, keras-team/keras#5733: a policy's loss")
def policy_loss_with_swapped_arguments(pick):
    """The loss of an actor takes (y_pred, y_true), so that the advantage goes through the logarithm."""
    x = rows(4)
    y = one_hot(choices(x, 2), 2) * draw(5).uniform(0.2, 1.5, (len(x), 1)).astype("float32")

    def swapped(y_pred, y_true):
        return -ops.sum(ops.log(y_pred + 1e-7) * y_true, axis=-1)

    def policy_loss(y_true, y_pred):
        return -ops.sum(ops.log(y_pred + 1e-7) * y_true, axis=-1)

    net = Sequential([Input((4,)), layers.Dense(32, activation="relu"), layers.Dense(2, activation="softmax")])
    net.compile(optimizers.Adam(0.005), pick(swapped, policy_loss))
    return net, x, y, {"epochs": 20}


@faulty("bad values", "gradient flow", source=f"{GITHUB}, keras-team/keras#13203: the loss is NaN because of sqrt")
def root_of_a_difference(pick):
    """The distance of signatures as sqrt(sum(square)); some pairs are one signature, where its slope is infinite."""
    x = rows(20)
    other = draw(3).permutation(len(x))
    other[::8] = np.arange(len(x))[::8]
    tower, pair = Sequential([Input((20,)), layers.Dense(32, "relu"), layers.Dense(8)]), [Input((20,)), Input((20,))]

    def distance(z):
        return ops.sqrt(ops.sum(ops.square(z[0] - z[1]), axis=-1, keepdims=True) + pick(0.0, 1e-6))

    net = Model(pair, layers.Lambda(distance, output_shape=(1,))([tower(one) for one in pair]))
    net.compile(loss="mse", optimizer="adam")
    gap = np.sqrt(np.square(x[:, :5] - x[other][:, :5]).sum(-1, keepdims=True))
    return net, [x, x[other]], gap, {"epochs": 20}


@faulty("loss", "bad values", "gradient flow", source=f"{GITHUB}, keras-team/keras#6644: a root mean squared error")
def root_of_errors_in_padding(pick):
    """RMSE of each row; where the row is padding, output and target are both 0 and the slope of the root infinite."""
    x = np.abs(rows(6, seed=4))
    x[:60] = 0.0
    y = (0.3 * x).astype("float32")

    def rmse(y_true, y_pred):
        return ops.sqrt(ops.mean(ops.square(y_pred - y_true), axis=-1) + pick(0.0, 1e-6))

    net = Sequential([Input((6,)), layers.Dense(32, activation="relu", use_bias=False)])
    net.add(layers.Dense(6, use_bias=False))
    net.compile("adam", rmse)
    return net, x, y, {"epochs": 20}


@faulty("loss", "disconnected", "gradient flow", source=f"{GITHUB}, keras-team/keras#4175: K.round in a loss")
def rounded_predictions_in_the_loss(pick):
    """The loss counts wrong answers after rounding: it has no gradient."""
    x = rows(10)

    def errors(y_true, y_pred):
        if pick(True, False):
            return ops.mean(ops.square(y_true - ops.round(y_pred)))
        return losses.binary_crossentropy(y_true, y_pred)

    net = Sequential([Input((10,)), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")])
    net.compile("adam", errors, metrics=["accuracy"])
    return net, x, yes_no(x)[:, None].astype("float32"), {"epochs": 30}


@faulty(
    "loss",
    "disconnected",
    "gradient flow",
    source=f"{GITHUB}, keras-team/keras#16663: no gradients for a loss of ranks",
)
def loss_of_ranks(pick):
    """Scores are compared by their ranks, argsort of argsort, which have no gradient."""
    x = rows(12)
    y = quantity(x, 5).argsort(-1).argsort(-1).astype("float32")

    def ranks(y_true, y_pred):
        order = ops.argsort(ops.argsort(y_pred, axis=-1), axis=-1)
        return ops.sum(ops.abs(y_true - ops.cast(order, "float32")))

    net = Sequential([Input((12,)), layers.Dense(64, "relu"), layers.Dense(5)])
    net.compile("adam", pick(ranks, "mse"))
    return net, x, y, {"epochs": 40}


@faulty("disconnected", "layer order", "gradient flow", source=f"{GITHUB}, keras-team/keras#11157: argmax in a model")
def tokens_between_two_networks(pick):
    """A first network's softmax goes through argmax into the Embedding of a second: nothing trains the first."""
    x, y = texts(12, 40, 3)
    inputs = Input((12,), dtype="int32")
    z = layers.Embedding(40, 16)(inputs)
    z = layers.LSTM(16, return_sequences=True)(z)
    z = layers.Dense(20, activation="softmax")(z)
    if pick(True, False):
        z = layers.Lambda(lambda p: ops.argmax(p, axis=-1), output_shape=(12,))(z)
        z = layers.Embedding(20, 16)(z)
    else:
        z = layers.Dense(16)(z)
    z = layers.LSTM(16)(z)
    net = Model(inputs, layers.Dense(3, activation="softmax")(z))
    net.compile(optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 30}


@faulty("loss", "output activation", "labels", source=f"{GITHUB}, keras-team/keras#2841: a loss far below zero")
def standardized_pictures_and_crossentropy(pick):
    """An autoencoder of standardized pictures with sigmoid and binary crossentropy."""
    x, _ = images(16, 3, 10)
    x = (x - x.mean()) / x.std() if pick(True, False) else x
    net = Sequential([Input((16, 16, 3))])
    net.add(layers.Conv2D(16, 3, activation="relu", padding="same"))
    net.add(layers.MaxPooling2D(2, padding="same"))
    net.add(layers.Conv2D(8, 3, activation="relu", padding="same"))
    net.add(layers.UpSampling2D(2))
    net.add(layers.Conv2D(3, 3, activation="sigmoid", padding="same"))
    net.compile(optimizer="adam", loss="binary_crossentropy")
    return net, x, x, {"epochs": 20, "batch_size": 20}


@faulty("loss", "output activation", source="after openillumi.com: huge negative loss in the prediction of prices")
def prices_by_crossentropy(pick):
    """Prices by a tutorial's network for yes and no."""
    x = rows(13)
    y = 3 + quantity(x)
    net = Sequential()
    net.add(Input((13,)))
    net.add(layers.Dense(12, activation="relu"))
    net.add(layers.Dense(8, activation="relu"))
    net.add(layers.Dense(1, activation=pick("sigmoid", None)))
    net.compile(pick("adam", optimizers.Adam(0.01)), pick("binary_crossentropy", "mean_squared_error"))
    return net, x, y, {"epochs": 50, "batch_size": 10}


@faulty("loss", "labels", "shape", source=f"{GITHUB}, keras-team/keras#7119: the sense of a contrastive loss's labels")
def contrastive_loss_of_the_other_sense(pick):
    """Labels say 1 for a pair of the same class, and the loss takes 1 for different ones."""
    x, kinds = rows(16), choices(rows(16), 4)
    other = draw(3).permutation(len(x))
    same = (kinds == kinds[other]).astype("float32")[:, None]

    def contrastive(y_true, distance):
        near, far = ops.square(distance), ops.square(ops.maximum(1.0 - distance, 0.0))
        return ops.mean((1 - y_true) * near + y_true * far if pick(True, False) else y_true * near + (1 - y_true) * far)

    tower = Sequential([Input((16,)), layers.Dense(64, "relu"), layers.Dense(8)])
    left, right = Input((16,)), Input((16,))
    gap = layers.Subtract()([tower(left), tower(right)])
    distance = layers.Lambda(
        lambda z: ops.sqrt(ops.maximum(ops.sum(ops.square(z), -1, keepdims=True), 1e-6)), output_shape=(1,)
    )(gap)
    net = Model([left, right], distance)
    net.compile("adam", contrastive)
    return net, [x, x[other]], same, {"epochs": 30}


@faulty("output activation", "loss", source=f"{GITHUB}, keras-team/keras-io#2261: sigmoid before a contrastive loss")
def distance_through_a_sigmoid(pick):
    """A distance goes through BatchNormalization and a Dense with sigmoid into a contrastive loss of margin 2."""
    x, kinds = rows(16), choices(rows(16), 4)
    other = draw(3).permutation(len(x))
    different = (kinds != kinds[other]).astype("float32")[:, None]

    def contrastive(y_true, y_pred):
        return ops.mean((1 - y_true) * ops.square(y_pred) + y_true * ops.square(ops.maximum(2.0 - y_pred, 0.0)))

    tower = Sequential([Input((16,)), layers.Dense(64, "relu"), layers.Dense(8)])
    left, right = Input((16,)), Input((16,))
    squares = layers.Lambda(lambda pair: ops.sum(ops.square(pair[0] - pair[1]), -1, keepdims=True), output_shape=(1,))
    z = layers.Lambda(lambda d: ops.sqrt(ops.maximum(d, 1e-6)), output_shape=(1,))(squares([tower(left), tower(right)]))
    if pick(True, False):
        z = layers.Dense(1, activation="sigmoid")(layers.BatchNormalization()(z))
    net = Model([left, right], z)
    net.compile("adam", contrastive)
    return net, [x, x[other]], different, {"epochs": 30}


@faulty("labels", "output activation", "loss", source=f"{GITHUB}, milesial/Pytorch-UNet#173: masks of 0 and 255")
def masks_of_grey_levels(pick):
    """A U-Net's masks are read from PNG files as 0 and 255."""
    x, _ = images(16, 3, 4)
    y = (x[..., :1] > 0.5).astype("float32") * pick(255, 1)
    inputs = Input((16, 16, 3))
    a = layers.Conv2D(8, 3, activation="relu", padding="same")(inputs)
    b = layers.Conv2D(16, 3, activation="relu", padding="same")(layers.MaxPooling2D()(a))
    up = layers.concatenate([layers.UpSampling2D()(b), a])
    z = layers.Conv2D(8, 3, padding="same", activation="relu")(up)
    net = Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(z))
    net.compile(optimizers.Adam(1e-3), "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("labels", "output units", source=f"{GITHUB}, ellisdg/3DUnetCNN#236: labels 0, 29 and 50")
def organs_by_their_grey_levels(pick):
    """Two structures are marked with 29 and 50, and there are three units."""
    x, _ = images(16, 1, 4)
    mask = np.digitize(x[..., 0], [0.3, 0.6])
    y = np.array([0, 29, 50])[mask] if pick(True, False) else mask
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(16, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(3, 1, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("output activation", "loss", source=f"{GITHUB}, thu-ml/tianshou#725: softmax at the end of a Q network")
def action_values_through_softmax(pick):
    """Values of actions, discounted sums of rewards, by softmax and MSE."""
    x = rows(8)
    y = 2 * quantity(x, 4)
    net = Sequential([Input((8,)), layers.Dense(64, activation="relu"), layers.Dense(64, activation="relu")])
    net.add(layers.Dense(4, activation=pick("softmax", "linear")))
    net.compile(loss="mse", optimizer=optimizers.Adam(1e-3))
    return net, x, y, {"epochs": 30}


@faulty("hidden activation", "loss", "output activation", "training length", "optimizer",
        source="after stats.stackexchange 433365: XOR with Keras")  # fmt: skip
def exclusive_or_by_the_book(pick):
    """XOR with a linear first layer and relu at the end, by SGD and MSE."""
    x = draw(0).integers(0, 2, (2000, 2))
    y = x[:, 0] ^ x[:, 1]
    net = Sequential([Input((2,))])
    net.add(layers.Dense(pick(2, 16), activation=pick(None, "relu")))
    net.add(layers.Dense(pick(2, 16), activation="relu"))
    net.add(layers.Dense(1, activation=pick("relu", "sigmoid")))
    net.compile(pick("SGD", optimizers.Adam(0.01)), pick("mean_squared_error", "binary_crossentropy"))
    return net, x, y, {"epochs": pick(5, 20)}


@faulty("output activation", source="after community.deeplearning.ai 324182: the loss does not change")
def straight_line_through_relu(pick):
    """y = 2x - 1, from -3 to 9, with relu in the last layer."""
    x = np.linspace(-1, 2, 64, dtype="float32")[:, None]
    y = 2 * x - 1
    inputs = Input((1,))
    z = layers.Dense(pick(4, 16), activation="relu")(inputs)
    z = layers.Dense(pick(2, 16), activation="relu")(z)
    net = Model(inputs, layers.Dense(1, activation=pick("relu", None))(z))
    net.compile(loss=losses.MeanSquaredError(), optimizer=optimizers.Adam(0.005))
    return net, x, y, {"epochs": 500}


@faulty("loss", source=f"{FORUM}: mean absolute percentage error of targets with zeros")
def percentage_of_nothing(pick):
    """MAPE of sales, half of which are 0."""
    x = rows(8)
    y = np.maximum(quantity(x), 0)
    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", pick("mean_absolute_percentage_error", "mean_absolute_error"))
    return net, x, y, {"epochs": 40}


@faulty("loss", "labels", source=f"{FORUM}: MSLE of returns")
def logarithmic_error_of_returns(pick):
    """Mean squared logarithmic error of returns, which are negative half of the time."""
    x = rows(8)
    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", pick("mean_squared_logarithmic_error", "mse"))
    return net, x, 2 * quantity(x), {"epochs": 40}


@faulty("output activation", "loss", source=f"{FORUM}: Poisson regression gives NaN")
def counts_by_poisson_of_a_line(pick):
    """Counts with the Poisson loss and a linear last layer: the logarithm of negative numbers."""
    x = rows(6)
    y = draw(2).poisson(np.exp(0.5 * quantity(x))).astype("float32")
    net = Sequential([Input((6,)), layers.Dense(32, "relu"), layers.Dense(1, activation=pick(None, "exponential"))])
    net.compile(optimizers.Adam(0.002), "poisson")
    return net, x, y, {"epochs": 40}


@faulty("loss", "output activation", source=f"{FORUM}: the KL divergence is negative")
def divergence_of_sigmoids(pick):
    """Distributions over five topics with sigmoid and KLDivergence."""
    x = rows(10)
    y = np.exp(quantity(x, 5))
    y = (y / y.sum(-1, keepdims=True)).astype("float32")
    net = Sequential([Input((10,)), layers.Dense(32, "relu"), layers.Dense(5, activation=pick("sigmoid", "softmax"))])
    net.compile("adam", losses.KLDivergence())
    return net, x, y, {"epochs": 30}


@faulty("loss", source=f"{FORUM}: cosine similarity in TensorFlow 2 is negative")
def cosine_with_another_sign(pick):
    """-cosine_similarity, which is already negative for vectors that agree."""
    x = rows(12)
    y = quantity(x, 6)

    def cosine(y_true, y_pred):
        value = losses.cosine_similarity(y_true, y_pred, axis=-1)
        return -value if pick(True, False) else value

    net = Sequential([Input((12,)), layers.Dense(32, "relu"), layers.Dense(6)])
    net.compile("adam", cosine)
    return net, x, y, {"epochs": 30}


@faulty("shape", "loss", "labels", source=f"{FORUM}: a loss of one's own is larger than the built-in one")
def own_loss_on_columns_and_rows(pick):
    """The outputs lose their last axis in an own loss, and the targets that it gets are (n, 1): (n, n) differences."""
    x = rows(8)
    y = quantity(x)

    def mae(y_true, y_pred):
        y_pred = ops.squeeze(y_pred, -1) if pick(True, False) else y_pred
        return ops.mean(ops.abs(ops.subtract(y_true, y_pred)))

    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", mae)
    return net, x, y, {"epochs": 40}


@faulty("labels", "shape", source=f"{FORUM}: to_categorical was called twice")
def one_hot_of_one_hot(pick):
    """Labels went through to_categorical twice: (n, 4, 2)."""
    x = rows(8)
    y = one_hot(choices(x, 4), 4)
    y = one_hot(y.astype("int64"), 2) if pick(True, False) else y
    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(4, "softmax")])
    net.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 40}


@faulty("labels", "shape", source=f"{FORUM}: argmax of the wrong axis")
def class_numbers_of_the_wrong_axis(pick):
    """argmax(axis=0) of one-hot rows: a label for each class in place of each row."""
    x = rows(8)
    y = one_hot(choices(x, 4), 4).argmax(axis=pick(0, 1))
    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(4, "softmax")])
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 40}


@faulty("metric", source=f"{GITHUB}, rstudio/keras3#296: accuracy does not change")
def accuracy_of_a_regression(pick):
    """Accuracy of the size of plants."""
    x = rows(9)
    net = Sequential([Input((9,)), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("rmsprop", "mse", metrics=[pick("accuracy", "mae")])
    return net, x, quantity(x), {"epochs": 50}


@faulty("metric", source=f"{FORUM}: AUC and recall of class numbers")
def recall_of_scores_without_bounds(pick):
    """Recall takes probabilities, and the model gives logits."""
    x = rows(8)
    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(1)])
    recall = metrics.Recall(thresholds=pick(0.5, 0.0))
    net.compile("adam", losses.BinaryCrossentropy(from_logits=True), metrics=[recall])
    return net, x, yes_no(x), {"epochs": 40}


@faulty("loss", "output activation", source=f"{FORUM}: several losses by one name")
def one_loss_for_price_and_kind(pick):
    """A price and a kind of house: loss='mse' for both heads."""
    x = rows(10)
    inputs = Input((10,))
    z = layers.Dense(64, "relu")(inputs)
    price = layers.Dense(1, name="price")(z)
    kind = layers.Dense(4, activation="softmax", name="kind")(z)
    net = Model(inputs, [price, kind])
    net.compile("adam", pick("mse", {"price": "mse", "kind": "sparse_categorical_crossentropy"}))
    labels = choices(x, 4)
    return net, x, [quantity(x), pick(labels[:, None].astype("float32"), labels)], {"epochs": 30}


@faulty("loss", "disconnected", source=f"{FORUM}: the second output never improves")
def weight_of_nought(pick):
    """loss_weights gives the second of two heads 0."""
    x = rows(10)
    inputs = Input((10,))
    z = layers.Dense(64, "relu")(inputs)
    heads = [layers.Dense(1, name="age")(z), layers.Dense(1, activation="sigmoid", name="smoker")(z)]
    net = Model(inputs, heads)
    net.compile("adam", ["mse", "binary_crossentropy"], loss_weights=[1.0, pick(0.0, 1.0)])
    return net, x, [quantity(x), yes_no(x)], {"epochs": 30}


@faulty("loss", source=f"{FORUM}: a triplet loss that grows")
def triplet_loss_upside_down(pick):
    """maximum(negative - positive + margin, 0): pairs that belong together are driven apart."""
    x, kinds = rows(12), choices(rows(12), 3)
    numbers = draw(1)
    near = np.array([numbers.choice(np.flatnonzero(kinds == kind)) for kind in kinds])
    far = np.array([numbers.choice(np.flatnonzero(kinds != kind)) for kind in kinds])
    tower = Sequential([Input((12,)), layers.Dense(32, "relu"), layers.Dense(8)])
    inputs = [Input((12,)), Input((12,)), Input((12,))]
    net = Model(inputs, layers.Concatenate()([tower(one) for one in inputs]))

    def triplet(y_true, y_pred):
        anchor, positive, negative = ops.split(y_pred, 3, axis=-1)
        one, two = (ops.sum(ops.square(anchor - other), -1) for other in (positive, negative))
        return ops.maximum((two - one if pick(True, False) else one - two) + 0.5, 0.0)

    net.compile("adam", triplet)
    return net, [x, x[near], x[far]], np.zeros((len(x), 1), "float32"), {"epochs": 20}


@faulty("loss", source=f"{GITHUB}, keras-team/keras#6500: the sign of the divergence")
def divergence_with_the_wrong_sign(pick):
    """A VAE adds 0.5 * sum(1 + log_var - mean^2 - var), which is minus the divergence, to its loss."""
    x, _ = images(12, 1, 10)
    x = x.reshape(len(x), 144)

    class Sample(layers.Layer):
        def call(self, inputs):
            mean, log_var = inputs
            inner = ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var), axis=-1)
            self.add_loss(pick(0.5, -0.5) * ops.mean(inner))
            noise = ops.cos(1e4 * mean)  # of no meaning, but the same each time
            return mean + ops.exp(0.5 * log_var) * noise

    inputs = Input((144,))
    z = layers.Dense(64, "relu")(inputs)
    code = Sample()([layers.Dense(4)(z), layers.Dense(4)(z)])
    net = Model(inputs, layers.Dense(144, activation="sigmoid")(layers.Dense(64, "relu")(code)))
    net.compile("adam", lambda y_true, y_pred: 144 * losses.binary_crossentropy(y_true, y_pred))
    return net, x, x, {"epochs": 20}


@faulty("logits", "output activation", source=f"{FORUM}: from_logits beside softmax in a functional model")
def softmax_and_from_logits(pick):
    """Softmax by a function in the graph, and SparseCategoricalCrossentropy(from_logits=True)."""
    x, y = series(24, 3)[0], choices(series(24, 3)[0], 5)
    inputs = Input((24, 3))
    z = layers.GRU(32)(inputs)
    z = layers.Dense(5)(z)
    net = Model(inputs, ops.softmax(z, axis=-1))
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=pick(True, False)), metrics=["accuracy"])
    return net, x, y, {"epochs": 40}
