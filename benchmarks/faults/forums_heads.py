"""Faults that are asked about in forums: heads, losses that people write by themselves, several outputs."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, metrics, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, SCIENCE

SPARSE = "sparse_categorical_crossentropy"


@faulty("output activation", source=f"{FORUM} 51432661: an LSTM that echoes its input")
def echo_of_returns(pick):
    """Returns of a share, below and above 0, from the last eight, by Dense(1, activation="relu")."""
    x, y = series(8)
    net = Sequential([Input((8, 1)), layers.LSTM(64), layers.Dense(1, activation=pick("relu", "linear"))])
    net.compile(loss="mse", optimizer="adam")
    return net, x, y[:, 0], {"epochs": 20, "batch_size": 10}


@faulty("logits", "output activation", "loss", source="after developerload.com: EfficientNet, 0.98 and 0.60")
def five_flowers_from_logits(pick):
    """A softmax head, and SparseCategoricalCrossentropy(from_logits=True)."""
    x, y = images(32, 3, 5)
    inputs = Input((32, 32, 3))
    z = layers.RandomFlip("horizontal")(inputs)
    for filters in (16, 32):
        z = layers.MaxPooling2D()(layers.Conv2D(filters, 3, padding="same", activation="relu")(z))
    z = layers.BatchNormalization()(layers.GlobalAveragePooling2D()(z))
    z = layers.Dropout(0.3)(z)
    net = Model(inputs, layers.Dense(5, activation="softmax", name="pred")(z))
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=pick(True, False)), metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("loss", "output activation", source="after developerload.com: cardboard, glass, metal, paper, plastic")
def five_kinds_of_waste(pick):
    """One of five classes, one-hot, by softmax with binary crossentropy."""
    x, y = images(48, 3, 5)
    net = Sequential()
    net.add(layers.Conv2D(32, (3, 3), input_shape=(48, 48, 3), activation="relu"))
    net.add(layers.MaxPooling2D(pool_size=(2, 2)))
    net.add(layers.Conv2D(32, (3, 3), activation="relu"))
    net.add(layers.MaxPooling2D(pool_size=(2, 2)))
    net.add(layers.Flatten())
    net.add(layers.Dense(128, activation="relu"))
    net.add(layers.Dense(5, activation="softmax"))
    loss = pick("binary_crossentropy", "categorical_crossentropy")
    net.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    return net, x, one_hot(y, 5), {"epochs": 25, "batch_size": 10}


def _unet(size, channels, head, base=8):
    inputs = Input((size, size, channels))
    first = layers.Conv2D(base, 3, padding="same", activation="relu")(inputs)
    second = layers.Conv2D(2 * base, 3, padding="same", activation="relu")(layers.MaxPooling2D()(first))
    deep = layers.Conv2D(4 * base, 3, padding="same", activation="relu")(layers.MaxPooling2D()(second))
    z = layers.Conv2DTranspose(2 * base, 2, strides=2, padding="same")(deep)
    z = layers.Conv2D(2 * base, 3, padding="same", activation="relu")(layers.concatenate([z, second]))
    z = layers.Conv2DTranspose(base, 2, strides=2, padding="same")(z)
    z = layers.Conv2D(base, 3, padding="same", activation="relu")(layers.concatenate([z, first]))
    return Model(inputs, head(z))


def _masks(size=32, classes=2, count=256):
    x, _ = images(size, 1, 6, count)
    smooth = x[..., 0] > 0.5
    if classes == 2:
        return x, smooth[..., None].astype("float32")
    half = np.arange(size)[None, None, :] * classes // size
    return x, np.where(smooth, half, 0).astype("int64")


@faulty("loss", source=f"{GITHUB}, jakeret/tf_unet#122, and others: the Dice coefficient as the loss")
def dice_is_minimized(pick):
    """The overlap itself is minimized, not one minus it."""
    x, y = _masks()

    def dice_coef(y_true, y_pred, smooth=1.0):
        both = ops.sum(y_true * y_pred)
        return (2.0 * both + smooth) / (ops.sum(y_true) + ops.sum(y_pred) + smooth)

    def dice_loss(y_true, y_pred):
        return 1.0 - dice_coef(y_true, y_pred)

    net = _unet(32, 1, layers.Conv2D(1, 1, activation="sigmoid"))
    net.compile(optimizer=optimizers.Adam(1e-3), loss=pick(dice_coef, dice_loss), metrics=[dice_coef])
    return net, x, y, {"epochs": 20, "batch_size": 16}


@faulty("loss", source=f"{GITHUB}, keras-team/keras#5733: a loss that is NaN")
def policy_loss_with_swapped_arguments(pick):
    """`def loss(y_pred, y_true)`: the logarithm is of the targets, which are 0 in most places."""
    x = rows(4)
    advantage = one_hot(choices(x, 2), 2) * 1.17

    def swapped(y_pred, y_true):
        return -ops.sum(ops.log(y_pred) * y_true, axis=-1)

    def right(y_true, y_pred):
        return -ops.sum(ops.log(y_pred + 1e-8) * y_true, axis=-1)

    net = Sequential([Input((4,)), layers.Dense(32, activation="relu"), layers.Dense(2, activation="softmax")])
    net.compile(optimizer=optimizers.Adam(0.001), loss=pick(swapped, right))
    return net, x, advantage, {"epochs": 20}


@faulty("loss", "gradient flow", "disconnected", source=f"{GITHUB}, keras-team/keras#4175: K.round in a loss")
def error_of_rounded_predictions(pick):
    """Counts are rounded inside the loss: nothing can be learned."""
    x = rows(6)
    y = np.round(np.exp(quantity(x)))

    def rounded(y_true, y_pred):
        return ops.mean(ops.square(y_true - ops.round(y_pred)), axis=-1)

    net = Sequential([Input((6,)), layers.Dense(32, activation="relu"), layers.Dense(1)])
    net.compile(optimizer="rmsprop", loss=pick(rounded, "mse"))
    return net, x, y[:, None].astype("float32"), {"epochs": 30}


@faulty(
    "gradient flow", "bad values", "loss", "hidden activation",
    source=f"{GITHUB}, keras-team/keras#9097: NaN by the euclidean distance of a pair",
)  # fmt: skip
def distance_of_a_pair(pick):
    """sqrt of a sum of squares, for pairs of which some are the same picture."""
    x, _ = images(16, 1, 4)
    other = x[draw(3).permutation(len(x))].copy()
    other[::4] = x[::4]
    same = np.zeros(len(x), "float32")
    same[::4] = 1
    left, right = Input((16, 16, 1)), Input((16, 16, 1))
    tower = Sequential([layers.Flatten(), layers.Dense(32, activation="relu"), layers.Dense(16)])

    def distance(pair):
        square = ops.sum(ops.square(pair[0] - pair[1]), axis=1, keepdims=True)
        return ops.sqrt(pick(square, ops.maximum(square, 1e-7)))

    def contrastive(y_true, y_pred):
        return ops.mean(y_true * y_pred**2 + (1 - y_true) * ops.maximum(1.0 - y_pred, 0.0) ** 2)

    net = Model([left, right], layers.Lambda(distance)([tower(left), tower(right)]))
    net.compile("adam", contrastive)
    return net, [x, other], same[:, None], {"epochs": 20}


@faulty("output activation", "loss", source=f"{GITHUB}, keras-team/keras-io#2230: a sigmoid and a margin")
def squashed_distance(pick):
    """The distance passes Dense(1, "sigmoid"), so that it never reaches the margin."""
    x, labels = images(16, 1, 4)
    order = draw(5).permutation(len(x))
    different = (labels != labels[order]).astype("float32")[:, None]
    left, right = Input((16, 16, 1)), Input((16, 16, 1))
    tower = Sequential([layers.Flatten(), layers.Dense(32, activation="tanh"), layers.Dense(16)])
    pair = layers.Subtract()([tower(left), tower(right)])
    apart = layers.Lambda(lambda z: ops.sqrt(ops.sum(z * z, axis=1, keepdims=True) + 1e-7))(pair)
    if pick(True, False):
        apart = layers.Dense(1, activation="sigmoid")(layers.BatchNormalization()(apart))

    def contrastive(y_true, y_pred, margin=2.0):
        near = (1 - y_true) * ops.square(y_pred)
        return ops.mean(near + y_true * ops.square(ops.maximum(margin - y_pred, 0.0)))

    net = Model([left, right], apart)
    net.compile("rmsprop", contrastive)
    return net, [x, x[order]], different, {"epochs": 20, "batch_size": 16}


@faulty(
    "output activation", "hidden activation", "target scale", source="after boohere.com 122574: Q-values by a sigmoid"
)
def q_values_by_a_sigmoid(pick):
    """Values of -10 to 20 from a board of 150 numbers: layers without activation, and a sigmoid at the end."""
    x = rows(150)
    y = 6 * quantity(x) + 5
    net = Sequential()
    net.add(layers.Dense(150, input_dim=150, activation=pick(None, "relu")))
    net.add(layers.Dense(10, activation=pick(None, "relu")))
    net.add(layers.Dense(1, activation=pick("sigmoid", None)))
    net.compile(loss="mse", optimizer="adam")
    return net, x, y, {"epochs": 40}


class _Sample(keras.layers.Layer):
    """Draws from the distribution and adds its divergence to the loss."""

    def __init__(self, weight, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight
        self.seed = keras.random.SeedGenerator(1)

    def call(self, inputs):
        mean, log_var = inputs
        divergence = -0.5 * ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var), axis=-1)
        self.add_loss(self.weight * ops.mean(divergence))
        return mean + ops.exp(0.5 * log_var) * keras.random.normal(ops.shape(mean), seed=self.seed)


@faulty("loss", "regularization", source="after stats.stackexchange 485488: all reconstructions look the same")
def divergence_outweighs_pixels(pick):
    """The divergence is a sum, the error of 784 pixels is their mean."""
    x, _ = images(28, 1, 10)
    flat = np.clip(x.reshape(len(x), 784), 0, 1)
    inputs = Input((784,))
    z = layers.Dense(128, activation="relu")(inputs)
    code = _Sample(pick(1.0, 1 / 784))([layers.Dense(8, name="mean")(z), layers.Dense(8, name="log_var")(z)])
    outputs = layers.Dense(784, activation="sigmoid")(layers.Dense(128, activation="relu")(code))
    net = Model(inputs, outputs)
    net.compile("adam", "binary_crossentropy")
    return net, flat, flat, {"epochs": 30, "batch_size": 64}


@faulty("output activation", source=f"{FORUM}: an autoencoder whose loss is NaN, tanh and binary crossentropy")
def decoder_ends_in_tanh(pick):
    """Pictures of 0 to 1 are reconstructed by tanh, with binary crossentropy."""
    x, _ = images(28, 1, 10)
    x = np.clip(x, 0, 1)
    net = Sequential([Input((28, 28, 1)), layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")])
    net.add(layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"))
    net.add(layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu"))
    net.add(layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu"))
    net.add(layers.Conv2D(1, 3, padding="same", activation=pick("tanh", "sigmoid")))
    net.compile(optimizer="adam", loss="binary_crossentropy")
    return net, x, x, {"epochs": 20, "batch_size": 64}


@faulty("frozen weights", source=f"{FORUM}: a discriminator that is frozen before it is compiled")
def discriminator_frozen_too_early(pick):
    """`trainable = False` stands before the discriminator's own compile, which is then trained."""
    x, y = images(16, 1, 2)
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(16, 3, strides=2), layers.LeakyReLU(0.2), layers.Flatten()])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.trainable = pick(False, True)
    net.compile(optimizer=optimizers.Adam(2e-4, beta_1=0.5), loss="binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("target scale", "loss", source=f"{GITHUB}, keras-team/keras#10306: losses of several outputs")
def age_beside_gender(pick):
    """Age in years by MSE beside gender by crossentropy, whose part of the loss is a thousandth."""
    x = rows(32)
    age = np.clip(38 + 15 * quantity(x), 1, 100).astype("float32")
    inputs = Input((32,))
    z = layers.Dense(64, activation="relu")(inputs)
    outputs = {
        "age": layers.Dense(1, name="age")(z),
        "gender": layers.Dense(1, activation="sigmoid", name="gender")(z),
    }
    net = Model(inputs, outputs)
    net.compile("adam", {"age": "mse", "gender": "binary_crossentropy"}, metrics={"gender": "accuracy"})
    return net, x, {"age": pick(age, (age - 38) / 15), "gender": yes_no(x, seed=4)}, {"epochs": 30}


@faulty("loss", "output activation", "labels", source=f"{FORUM}: the list of losses in another order than the outputs")
def losses_in_another_order(pick):
    """Two outputs, a price and a class of four, with the losses of each other."""
    x = rows(12)
    inputs = Input((12,))
    z = layers.Dense(32, activation="relu")(inputs)
    net = Model(inputs, [layers.Dense(1, name="price")(z), layers.Dense(4, activation="softmax", name="kind")(z)])
    net.compile("adam", pick(["categorical_crossentropy", "mse"], ["mse", "categorical_crossentropy"]))
    return net, x, [quantity(x)[:, None], one_hot(choices(x, 4), 4)], {"epochs": 20}


@faulty("logits", "output activation", "loss", source=f"{GITHUB}, mkocabas/focal-loss-keras#17")
def focal_loss_of_numbers(pick):
    """A focal loss of probabilities, clipped, after a Dense(1) without activation."""
    x = rows(16)

    def focal(y_true, y_pred, gamma=2.0, alpha=0.25):
        p = ops.clip(y_pred, 1e-7, 1 - 1e-7)
        hit = -alpha * ops.power(1 - p, gamma) * y_true * ops.log(p)
        return ops.mean(hit - (1 - alpha) * ops.power(p, gamma) * (1 - y_true) * ops.log(1 - p), axis=-1)

    net = Sequential(
        [Input((16,)), layers.Dense(32, activation="relu"), layers.Dense(1, activation=pick(None, "sigmoid"))]
    )
    net.compile("adam", focal, metrics=["accuracy"])
    return net, x, yes_no(x).astype("float32")[:, None], {"epochs": 20}


@faulty("output activation", "loss", source=f"{SCIENCE}: several tags of a film, and softmax")
def tags_of_films(pick):
    """Each text has some of twelve tags; softmax with categorical crossentropy."""
    x, labels = texts(24, 300, 4)
    tags = (draw(7).random((4, 12)) < 0.35).astype("float32")[labels]
    tags[:, 0] = 1
    inputs = Input((24,), dtype="int32")
    z = layers.Bidirectional(layers.LSTM(16))(layers.Embedding(300, 16)(inputs))
    net = Model(inputs, layers.Dense(12, activation=pick("softmax", "sigmoid"))(z))
    net.compile(
        "adam", pick("categorical_crossentropy", "binary_crossentropy"), metrics=[metrics.AUC(multi_label=True)]
    )
    return net, x, tags, {"epochs": 12}


@faulty("labels", "loss", "output activation", source=f"{FORUM}: labels of -1 and 1 and a negative loss")
def up_or_down(pick):
    """The sign of the next return, -1 or 1, by a sigmoid with binary crossentropy."""
    x, after = series(30, 3)
    y = np.sign(after[:, 0] - x[:, -1, 0])
    net = Sequential([Input((30, 3)), layers.GRU(32), layers.Dense(1, activation="sigmoid")])
    net.compile(loss=losses.BinaryCrossentropy(), optimizer=optimizers.Adam(1e-3), metrics=["binary_accuracy"])
    return net, x, pick(y, (y > 0).astype("float32")), {"epochs": 15}


@faulty("output activation", source=f"{GITHUB}, keras-team/keras#6498 and others: softmax of one filter")
def grey_masks(pick):
    """A U-Net whose last convolution has one filter and softmax."""
    x, y = _masks()
    net = _unet(32, 1, layers.Conv2D(1, (1, 1), activation=pick("softmax", "sigmoid")))
    net.compile(optimizer=optimizers.Adam(learning_rate=1e-3), loss="binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 10, "batch_size": 8}


@faulty("output activation", "loss", source=f"{FORUM}: softmax over the rows of a picture")
def softmax_over_rows(pick):
    """Activation softmax with axis=1 on a map of four classes: over the height."""
    x, y = _masks(classes=4)
    net = _unet(32, 1, lambda z: layers.Softmax(axis=pick(1, -1))(layers.Conv2D(4, 1)(z)))
    net.compile(optimizer="adam", loss=SPARSE)
    return net, x, y, {"epochs": 10, "batch_size": 8}
