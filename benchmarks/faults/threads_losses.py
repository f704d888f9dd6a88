"""Faults after threads on GitHub and Stack Exchange, fourth round, first part: losses of one's own."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, texts, yes_no
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import GITHUB


@faulty("loss", "bad values", "gradient flow", source=f"{GITHUB}, mkocabas/focal-loss-keras#5: NaN where gamma < 1")
def focal_loss_of_a_root(pick):
    """The focal loss with gamma 0.5: the slope of the root at p = 1, which fills the other class, is infinite."""
    x = rows(16)
    y = yes_no(x).astype("float32")[:, None]

    def focal(y_true, y_pred):
        positive, negative = y_true * y_pred + (1 - y_true), (1 - y_true) * y_pred
        if pick(False, True):
            positive, negative = ops.clip(positive, 1e-6, 1 - 1e-6), ops.clip(negative, 1e-6, 1 - 1e-6)
        one = 0.25 * ops.sqrt(1 - positive) * ops.log(positive + 1e-7)
        two = 0.75 * ops.sqrt(negative) * ops.log(1 - negative + 1e-7)
        return -ops.mean(one + two)

    net = Sequential([Input((16,)), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")])
    net.compile("adam", focal)
    return net, x, y, {"epochs": 30}


@faulty("loss", source=f"{GITHUB}, mkocabas/focal-loss-keras#5: alpha was 2")
def focal_loss_of_alpha_two(pick):
    """(1 - alpha) is negative with alpha 2, and the other class is rewarded for being wrong."""
    x = rows(16)
    y = yes_no(x).astype("float32")[:, None]
    alpha = pick(2.0, 0.25)

    def focal(y_true, y_pred):
        p = ops.clip(y_pred, 1e-6, 1 - 1e-6)
        one = alpha * y_true * ops.square(1 - p) * ops.log(p)
        two = (1 - alpha) * (1 - y_true) * ops.square(p) * ops.log(1 - p)
        return -ops.mean(one + two, axis=-1)

    net = Sequential([Input((16,)), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")])
    net.compile("adam", focal, metrics=["accuracy"])
    return net, x, y, {"epochs": 30}


@faulty("output activation", "loss", "bad values",
        source=f"{GITHUB}, VivianoRiccardo/Learning-Lab-C-Library#4: tanh before a focal loss")  # fmt: skip
def focal_loss_of_tanh(pick):
    """The last layer is tanh, and the focal loss takes logarithms of its values."""
    x = rows(12)
    y = one_hot(choices(x, 4), 4)

    def focal(y_true, y_pred):
        return -ops.sum(y_true * ops.square(1 - y_pred) * ops.log(y_pred + 1e-7), axis=-1)

    net = Sequential([Input((12,)), layers.Dense(32, "relu"), layers.Dense(4, activation=pick("tanh", "softmax"))])
    net.compile("adam", loss=focal)
    return net, x, y, {"epochs": 30}


@faulty("shape", "loss", "labels", source="after stats.stackexchange 355337: a loss of payoffs")
def payoffs_of_one_axis_less(pick):
    """Labels and payoffs are two columns of y_true; without keepdims, (n,) meets outputs (n, 1)."""
    x = rows(10)
    win = yes_no(x).astype("float32")
    y = np.stack([win, 1 + draw(4).random(len(x))], axis=1).astype("float32")

    def cost(y_true, y_pred):
        label, payoff = y_true[:, 0], y_true[:, 1]
        if pick(False, True):
            label, payoff = label[:, None], payoff[:, None]
        hit, miss = payoff * label * ops.log(y_pred + 1e-7), (1 - label) * ops.log(1 - y_pred + 1e-7)
        return -ops.mean(hit + miss)

    net = Sequential([Input((10,)), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")])
    net.compile("adam", cost)
    return net, x, y, {"epochs": 40}


@faulty("loss", "gradient flow", "disconnected", source="after xiaobeizi.cn: a loss of a thresholded mask in Keras")
def thresholded_mask_in_the_loss(pick):
    """The loss compares the mask with where(prediction >= 0.5, 1, 0), which has no slope."""
    x, _ = images(16, 3, 4)
    y = (x.max(-1, keepdims=True) > 0.5).astype("float32")

    def squares(y_true, y_pred):
        shown = ops.where(y_pred >= 0.5, 1.0, 0.0) if pick(True, False) else y_pred
        return ops.mean(ops.square(y_true - shown), axis=-1)

    net = Sequential([Input((16, 16, 3)), layers.Conv2D(16, 3, activation="relu", padding="same")])
    net.add(layers.Conv2D(1, 1, activation="sigmoid"))
    net.compile(optimizers.Adam(3e-3), squares)
    return net, x, y, {"epochs": 20}


@faulty("loss", "gradient flow", "disconnected", "metric",
        source=f"{GITHUB}, tensorflow/tensorflow#58614: the gradient is None")  # fmt: skip
def wrong_answers_are_counted(pick):
    """compute_loss counts the rounded predictions that are not the label."""
    x = rows(12)

    class Counted(Model):
        def __init__(self):
            super().__init__()
            self.body = Sequential([layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")])

        def call(self, inputs):
            return self.body(inputs)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            truth = ops.reshape(ops.cast(y, "float32"), (-1, 1))
            if pick(True, False):
                return ops.mean(ops.cast(ops.not_equal(ops.round(y_pred), truth), "float32"))
            return ops.mean(losses.binary_crossentropy(truth, y_pred))

    net = Counted()
    net.compile("adam")
    return net, x, yes_no(x), {"epochs": 30}


@faulty("shape", "loss", "labels",
        source=f"{GITHUB}, omoindrot/tensorflow-triplet-loss#51: labels of the wrong shape")  # fmt: skip
def classes_in_a_column_for_pairs(pick):
    """A loss over all pairs of a batch takes classes (n,) and gets (n, 1): its mask is (n, n, 1)."""
    x = rows(16)
    kinds = choices(x, 4)

    def pairs(y_true, y_pred):
        kind = y_true if pick(True, False) else y_true[:, 0]
        gaps = ops.sum(ops.square(y_pred[:, None] - y_pred[None]), axis=-1)
        same = ops.cast(ops.equal(kind[:, None], kind[None]), "float32")
        return ops.mean(same * gaps + (1 - same) * ops.maximum(1.0 - gaps, 0.0))

    net = Sequential([Input((16,)), layers.Dense(64, "relu"), layers.Dense(8)])
    net.compile("adam", pairs)
    return net, x, kinds[:, None], {"epochs": 30, "batch_size": 64}


@faulty("loss", source=f"{GITHUB}, scikit-learn/scikit-learn#6076: the sign of the quantile loss")
def quantile_loss_without_minus(pick):
    """q * d above, (1 - q) * d below: predictions that are too high are rewarded."""
    x = rows(10)
    y = quantity(x)[:, None]

    def quantile(y_true, y_pred):
        gap = y_true - y_pred
        return ops.mean(ops.where(gap > 0, 0.9 * gap, pick(0.1, -0.1) * gap))

    net = Sequential([Input((10,)), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", quantile)
    return net, x, y, {"epochs": 40}


@faulty("shape", "loss", "labels", source=f"{GITHUB}, mahmoodlab/PathomicFusion#9: the shape of the censoring")
def censored_in_a_column(pick):
    """Cox's loss of a batch: (n,) of log likelihoods times (n, 1) of censoring."""
    x = rows(12)
    time = np.exp(-quantity(x)) + 0.05 * draw(2).random(len(x))
    y = np.stack([time, draw(3).random(len(x)) < 0.8], axis=1).astype("float32")

    def cox(y_true, y_pred):
        time, seen = y_true[:, 0], y_true[:, 1:]
        risk = ops.cast(time[None] >= time[:, None], "float32")
        theta = y_pred[:, 0]
        log_likelihood = theta - ops.log(ops.sum(ops.exp(theta)[None] * risk, axis=1))
        return -ops.mean(log_likelihood * (seen if pick(True, False) else seen[:, 0]))

    net = Sequential([Input((12,)), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", cox)
    return net, x, y, {"epochs": 40, "batch_size": 64}


@faulty("bad values", "labels", "loss", source=f"{GITHUB}, qqwweee/keras-yolo3#171: boxes that shrank to nothing")
def boxes_without_width(pick):
    """Widths of boxes, of which some are 0 after the picture was resized, through a logarithm in the loss."""
    x, _ = images(16, 3, 4)
    y = (4 * draw(2).random((len(x), 2)) + 0.5).astype("float32")
    y[::9, 0] = pick(0.0, 0.5)
    x = x + y[:, None, None, :1] / 20

    def sizes(y_true, y_pred):
        return ops.mean(ops.square(ops.log(y_true) - y_pred), axis=-1)

    net = Sequential([Input((16, 16, 3)), layers.Conv2D(16, 3, activation="relu"), layers.GlobalAveragePooling2D()])
    net.add(layers.Dense(2))
    net.compile("adam", sizes)
    return net, x.astype("float32"), y, {"epochs": 20}


@faulty("bad values", "output activation", "loss", source=f"{GITHUB}, keras-team/keras#2586: NaN in a mixture density")
def deviations_of_a_straight_line(pick):
    """-log of a normal density whose deviation comes from a Dense without exp or softplus."""
    x = rows(8)
    y = quantity(x)[:, None]

    def likelihood(y_true, y_pred):
        mean, spread = y_pred[:, :1], y_pred[:, 1:]
        spread = spread if pick(True, False) else ops.softplus(spread) + 1e-3
        return ops.mean(0.5 * ops.square((y_true - mean) / spread) + ops.log(spread))

    net = Sequential([Input((8,)), layers.Dense(32, "tanh"), layers.Dense(2)])
    net.compile("adam", likelihood)
    return net, x, y, {"epochs": 40}


@faulty("loss", source=f"{GITHUB}, dennybritz/reinforcement-learning#181: which sign the policy's loss has")
def reward_is_minimized(pick):
    """Log probabilities of the actions times advantages, without the minus."""
    x = rows(8)
    taken = one_hot(choices(x, 3), 3)
    y = (taken * (0.5 + draw(1).random((len(x), 1)))).astype("float32")

    def policy(y_true, y_pred):
        gain = ops.sum(y_true * ops.log(y_pred + 1e-8), axis=-1)
        return ops.mean(gain) if pick(True, False) else -ops.mean(gain)

    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(3, activation="softmax")])
    net.compile(optimizers.Adam(1e-3), policy)
    return net, x, y, {"epochs": 30}


@faulty("logits", "loss", "output activation", source=f"{GITHUB}, microsoft/ProDA#43: kl_div without the softmax")
def divergence_of_raw_scores(pick):
    """A student learns the scores of its teacher by KLDivergence, and nothing makes probabilities of them."""
    x = rows(12)
    scores = 2 * quantity(x, 5)

    def divergence(teacher, student):
        if pick(False, True):
            teacher, student = ops.softmax(teacher / 2.0), ops.softmax(student / 2.0)
        return losses.kl_divergence(teacher, student)

    net = Sequential([Input((12,)), layers.Dense(32, "relu"), layers.Dense(5)])
    net.compile("adam", divergence)
    return net, x, scores, {"epochs": 30}


@faulty("loss", "gradient flow", "output activation",
        source=f"{GITHUB}, keras-team/keras#14584: relu inside the loss")  # fmt: skip
def returns_through_relu_in_the_loss(pick):
    """The loss takes relu of predictions; targets are negative half of the time."""
    x = rows(10)
    y = quantity(x)[:, None]

    def error(y_true, y_pred):
        seen = ops.relu(y_pred) if pick(True, False) else y_pred
        return 100 * ops.sum(ops.abs(y_true - seen)) / ops.sum(ops.abs(y_true))

    net = Sequential([Input((10,)), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", error)
    return net, x, y, {"epochs": 40}


@faulty("loss", "labels", "label shift", "mask", source=f"{GITHUB}, CyberZHG/keras-bert#188: the loss of all tokens")
def loss_of_the_visible_words(pick):
    """A masked language model whose loss counts each word, of which six in seven stand in the input."""
    words, _ = texts(16, 60)
    hidden = draw(5).random(words.shape) < 0.15
    x, inputs = np.where(hidden, 59, words), Input((16,), dtype="int32")
    h = layers.Embedding(60, 32)(inputs) + layers.Embedding(16, 32)(ops.arange(16))
    h = layers.LayerNormalization()(h + layers.MultiHeadAttention(2, 16)(h, h))
    h = layers.LayerNormalization()(h + layers.Dense(32)(layers.Dense(64, "relu")(h)))
    net = Model(inputs, layers.Dense(60)(h))
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    weights = pick({}, {"sample_weight": hidden.astype("float32")})
    return net, x, words, {"epochs": 10, **weights}


@faulty("loss", "regularization", source=f"{GITHUB}, keras-team/keras#3383: the small reconstruction loss of the VAE")
def divergence_outweighs_the_pixels(pick):
    """binary_crossentropy is a mean over pixels, the divergence beside it a sum over the code."""
    x, _ = images(16, 1)
    x = x.reshape(len(x), 256)

    class Sampling(layers.Layer):
        def __init__(self):
            super().__init__()
            self.noise = keras.random.SeedGenerator(3)

        def call(self, inputs):
            mean, log_var = inputs
            self.add_loss(-0.5 * ops.mean(ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var), axis=-1)))
            return mean + ops.exp(0.5 * log_var) * keras.random.normal(ops.shape(mean), seed=self.noise)

    inputs = Input((256,))
    h = layers.Dense(64, "relu")(inputs)
    code = Sampling()([layers.Dense(8)(h), layers.Dense(8)(h)])
    net = Model(inputs, layers.Dense(256, "sigmoid")(layers.Dense(64, "relu")(code)))
    scale = pick(1, 256)
    net.compile("adam", lambda y_true, y_pred: scale * losses.binary_crossentropy(y_true, y_pred))
    return net, x, x, {"epochs": 30}
