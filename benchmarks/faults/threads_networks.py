"""Faults after threads on GitHub, fourth round, second part: networks and layers of one's own."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import GITHUB


@faulty("mask", "attention", source=f"{GITHUB}, tensorflow/text#938: the padding mask of the tutorial")
def padding_mask_of_the_tutorial(pick):
    """The decoder's cross attention gets 1 where the source is padding, as the tutorial's own layer takes it."""
    source, target = texts(12, 50, padded=True)[0], texts(9, 50)[0]
    left, right = Input((12,), dtype="int32"), Input((8,), dtype="int32")
    seen = ops.equal(left, 0) if pick(True, False) else ops.not_equal(left, 0)
    memory = layers.Embedding(50, 32)(left) + layers.Embedding(12, 32)(ops.arange(12))
    h = layers.Embedding(50, 32)(right) + layers.Embedding(8, 32)(ops.arange(8))
    h = layers.LayerNormalization()(h + layers.MultiHeadAttention(2, 16)(h, h, use_causal_mask=True))
    crossed = layers.MultiHeadAttention(2, 16)(h, memory, attention_mask=seen[:, None, :])
    h = layers.LayerNormalization()(h + crossed)
    net = Model([left, right], layers.Dense(50)(h))
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return net, [source, target[:, :-1]], target[:, 1:], {"epochs": 10}


class _Causal(layers.Layer):
    """Attention of one head that adds a number to scores of the future."""

    def __init__(self, width, number):
        super().__init__()
        self.query, self.key, self.value = (layers.Dense(width) for _ in range(3))
        self.width, self.number = width, number

    def call(self, h):
        scores = ops.matmul(self.query(h), ops.transpose(self.key(h), (0, 2, 1))) / self.width**0.5
        steps = h.shape[1]
        future = 1.0 - np.tril(np.ones((steps, steps), "float32"))
        return ops.matmul(ops.softmax(scores + self.number * future, axis=-1), self.value(h))


@faulty("mask", "attention", source=f"{GITHUB}, karpathy/minGPT#75: the number for masked scores is too weak")
def future_is_hardly_hidden(pick):
    """-1e-9 in place of -1e9 is added to the scores of the future, and the loss goes to nothing."""
    words, _ = texts(17, 40)
    inputs = Input((16,), dtype="int32")
    h = layers.Embedding(40, 32)(inputs) + layers.Embedding(16, 32)(ops.arange(16))
    h = layers.LayerNormalization()(h + _Causal(32, pick(-1e-9, -1e9))(h))
    net = Model(inputs, layers.Dense(40)(layers.Dense(64, "relu")(h)))
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return net, words[:, :-1], words[:, 1:], {"epochs": 10}


@faulty("gradient flow", "attention", "layer order", "disconnected",
        source=f"{GITHUB}, kyegomez/BitNet#32: x = x + x")  # fmt: skip
def residual_with_itself(pick):
    """Each of six blocks adds what comes out of its attention to itself, not to what went in."""
    words, kinds = texts(16, 60, 3)
    inputs = Input((16,), dtype="int32")
    h = layers.Embedding(60, 32)(inputs) + layers.Embedding(16, 32)(ops.arange(16))
    for _ in range(6):
        normal = layers.LayerNormalization()(h)
        seen = layers.MultiHeadAttention(2, 16)(normal, normal)
        h = seen + seen if pick(True, False) else h + seen
        h = h + layers.Dense(32)(layers.Dense(64, "gelu")(layers.LayerNormalization()(h)))
    net = Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling1D()(h)))
    net.compile(optimizers.Adam(1e-3), losses.SparseCategoricalCrossentropy(from_logits=True))
    return net, words, kinds, {"epochs": 10}


class _Pooled(layers.Layer):
    """A weighted sum over pairs of features, as in attentional factorization machines."""

    def __init__(self, axis):
        super().__init__()
        self.hidden, self.score, self.axis = layers.Dense(16, "relu"), layers.Dense(1, use_bias=False), axis

    def call(self, pairs):
        weights = ops.softmax(self.score(self.hidden(pairs)), axis=self.axis)
        return ops.sum(weights * pairs, axis=1)


@faulty("attention", "hidden activation", "output activation",
        source=f"{GITHUB}, hexiangnan/attentional_factorization_machine#19: softmax over one score")  # fmt: skip
def softmax_of_one_score(pick):
    """Scores are (batch, pairs, 1), and softmax takes the last axis: each weight is 1."""
    x = rows(96).reshape(512, 12, 8)
    inputs = Input((12, 8))
    net = Model(inputs, layers.Dense(1)(_Pooled(pick(-1, 1))(inputs)))
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 30}


class _Reader(layers.Layer):
    """Attention over steps whose softmax takes the given axis."""

    def __init__(self, axis):
        super().__init__()
        self.score, self.axis = layers.Dense(1), axis

    def call(self, steps):
        weights = ops.softmax(ops.squeeze(self.score(ops.tanh(steps)), -1), axis=self.axis)
        return ops.einsum("bt,btc->bc", weights, steps)


@faulty("attention", source=f"{GITHUB}, JayChanHoi/Lattice_LSTM#5: softmax(axis=0)")
def softmax_over_the_rows_of_a_batch(pick):
    """An LSTM's states are weighed by a softmax over the batch, not over the steps."""
    x, _ = series(16, 2)
    inputs = Input((16, 2))
    net = Model(inputs, layers.Dense(3, "softmax")(_Reader(pick(0, 1))(layers.LSTM(16, return_sequences=True)(inputs))))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, choices(x, 3), {"epochs": 20}


@faulty("output activation", "loss", source=f"{GITHUB}, bojone/T-GANs#3: a sigmoid at the end of a Wasserstein critic")
def critic_through_a_sigmoid(pick):
    """mean(label * score) with labels -1 and 1, and a critic that ends in a sigmoid."""
    real, fake = images(12, 1, 4, 256)[0], draw(1).random((256, 12, 12, 1)).astype("float32")
    x = np.concatenate([real, fake])
    y = np.repeat([-1.0, 1.0], 256).astype("float32")[:, None]

    def wasserstein(y_true, y_pred):
        return ops.mean(y_true * y_pred)

    net = Sequential([Input((12, 12, 1)), layers.Conv2D(16, 3, strides=2), layers.LeakyReLU(negative_slope=0.2)])
    net.add(layers.Flatten())
    net.add(layers.Dense(1, activation=pick("sigmoid", None)))
    net.compile(optimizers.RMSprop(5e-5, clipvalue=0.5), wasserstein)
    return net, x, y, {"epochs": 20}


@faulty("output activation", "input scale", source=f"{GITHUB}, fchollet/deep-learning-with-python-notebooks#7: tanh")
def generator_of_another_range(pick):
    """A GAN with a train_step whose generator ends in tanh, where real pictures are 0 to 1."""
    x = images(8, 1, 4)[0].reshape(512, 64)

    class Gan(Model):
        def __init__(self):
            super().__init__()
            self.maker = Sequential([Input((8,)), layers.Dense(32), layers.LeakyReLU(negative_slope=0.2)])
            self.maker.add(layers.Dense(64, pick("tanh", "sigmoid")))
            self.judge = Sequential([Input((64,)), layers.Dense(32), layers.LeakyReLU(negative_slope=0.2)])
            self.judge.add(layers.Dense(1))
            self.noise = keras.random.SeedGenerator(1)

        def call(self, real):
            fake = self.maker(keras.random.normal((ops.shape(real)[0], 8), seed=self.noise))
            return self.judge(real), self.judge(fake)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            real, fake = y_pred
            return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))

    net = Gan()
    net.compile(optimizers.Adam(2e-4, beta_1=0.5))
    return net, x, None, {"epochs": 20}


@faulty("disconnected", "labels", "loss", source=f"{GITHUB}, catalyst-team/catalyst#1278: both views are the first")
def both_views_are_the_first(pick):
    """Contrast of two views of each row, and the encoder reads the first one twice."""
    x = rows(24)
    one, two = (x + 0.2 * rows(24, seed=seed) for seed in (3, 4))
    tower = Sequential([Input((24,)), layers.Dense(64, "relu"), layers.Dense(16), layers.UnitNormalization()])
    left, right = Input((24,)), Input((24,))
    net = Model([left, right], [tower(left), tower(left if pick(True, False) else right)])

    class Contrast(Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            scores = ops.matmul(y_pred[0], ops.transpose(y_pred[1])) / 0.2
            return ops.mean(losses.sparse_categorical_crossentropy(ops.arange(32), scores, from_logits=True))

    net = Contrast(net.inputs, net.outputs)
    net.compile("adam")
    return net, [one, two], None, {"epochs": 20, "batch_size": 32}


@faulty("disconnected", source=f"{GITHUB}, ooples/AiDotNet#1219: the time steps are not used")
def denoiser_forgets_the_time(pick):
    """A diffusion's network has the step as second input, and its embedding is not added."""
    x = images(8, 1, 4)[0]
    step = draw(1).integers(0, 50, (len(x), 1))
    noise = draw(2).normal(size=x.shape).astype("float32")
    share = np.cos(step / 50 * np.pi / 2)[:, :, None, None].astype("float32")
    noisy = share * x + np.sqrt(1 - share**2) * noise
    picture, time = Input((8, 8, 1)), Input((1,), dtype="int32")
    h = layers.Conv2D(16, 3, padding="same", activation="swish")(picture)
    told = layers.Reshape((1, 1, 16))(layers.Dense(16, "swish")(layers.Flatten()(layers.Embedding(50, 16)(time))))
    if pick(False, True):
        h = layers.Add()([h, told])
    net = Model([picture, time], layers.Conv2D(1, 3, padding="same")(h))
    net.compile("adam", "mse")
    return net, [noisy, step], noise, {"epochs": 10}


@faulty("labels", "label shift", "loss", source=f"{GITHUB}, irom-princeton/dppo#14: the loss takes the noisy input")
def denoiser_learns_its_input(pick):
    """The target is the noisy picture that goes in, not the clean one."""
    x = images(8, 1, 4)[0]
    noisy = (x + 0.3 * draw(2).normal(size=x.shape)).astype("float32")
    inputs = Input((8, 8, 1))
    h = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    net = Model(inputs, layers.Conv2D(1, 3, padding="same")(layers.Conv2D(16, 3, padding="same", activation="relu")(h)))
    net.compile("adam", "mse")
    return net, noisy, pick(noisy, x), {"epochs": 20}


@faulty("layer order", "validation", source=f"{GITHUB}, broadinstitute/keras-resnet#47: training is always on")
def statistics_of_each_batch_always(pick):
    """BatchNormalization is called with training=True, in prediction as well."""
    x, y = images(16, 3, 4)
    inputs = Input((16, 16, 3))
    h = inputs
    for filters in (16, 32):
        h = layers.Conv2D(filters, 3, strides=2, use_bias=False)(h)
        h = layers.ReLU()(layers.BatchNormalization()(h, training=pick(True, None)))
    net = Model(inputs, layers.Dense(4, "softmax")(layers.GlobalAveragePooling2D()(h)))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, y, {"epochs": 20}


@faulty("hidden activation", "gradient flow", source=f"{GITHUB}, lululxvi/deepxde#80: relu has no second derivative")
def relu_in_an_equation_of_heat(pick):
    """The loss is the second derivative of a network of relu, which is 0 nearly everywhere."""
    jax = __import__("jax")

    class Heat(Model):
        def __init__(self):
            super().__init__()
            kind = pick("relu", "tanh")
            self.body = Sequential([Input((1,)), layers.Dense(32, kind), layers.Dense(32, kind), layers.Dense(1)])

        def call(self, place):
            return self.body(place)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            bend = jax.vmap(jax.grad(jax.grad(lambda place: self.body(place[None, None])[0, 0])))(x[:, 0])
            ends = ops.concatenate([self.body(ops.zeros((1, 1))), self.body(ops.ones((1, 1)))])
            return ops.mean(ops.square(bend + ops.sin(np.pi * x[:, 0]))) + ops.mean(ops.square(ends))

    net = Heat()
    net.compile(optimizers.Adam(1e-3))
    return net, draw(0).random((512, 1)).astype("float32"), None, {"epochs": 60}


@faulty("frozen weights", "disconnected", source=f"{GITHUB}, keras-team/keras#11736: Dense inside call")
def layer_made_in_call(pick):
    """A layer makes its Dense anew in each call, and it is never trained."""
    x = rows(12)

    class Block(layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.units = units
            if pick(False, True):
                self.inner = layers.Dense(units, activation="relu")

        def call(self, inputs):
            return layers.Dense(self.units, activation="relu")(inputs) if pick(True, False) else self.inner(inputs)

    net = Sequential([Input((12,)), Block(64), layers.Dense(1, activation="sigmoid")])
    net.compile("adam", "binary_crossentropy")
    return net, x, yes_no(x), {"epochs": 20}


@faulty("frozen weights", source=f"{GITHUB}, keras-team/keras#4608: a variable inside a Lambda")
def variable_in_a_lambda(pick):
    """A Lambda multiplies by a variable that no layer owns, so that it stays as it was."""
    x = rows(11)

    class Scale(layers.Layer):
        def build(self, shape):
            self.weight = self.add_weight(shape=(shape[-1],), initializer="ones")

        def call(self, inputs):
            return inputs * self.weight

    loose = keras.Variable(np.ones((11,), "float32"))
    scale = layers.Lambda(lambda z: z * loose) if pick(True, False) else Scale()
    net = Sequential([Input((11,)), scale, layers.Dense(32, "relu"), layers.Dense(3, activation="softmax")])
    net.compile("adam", "categorical_crossentropy")
    return net, x, one_hot(choices(x, 3), 3), {"epochs": 20}
