"""Sound programs of unusual design: what looks like a fault and is meant."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.drawn import blobs, next_words, reviews, shapes
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    as_trained,
    callbacks,
    initializers,
    keras,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
    regularizers,
)  # fmt: skip
from benchmarks.faults.program import sound

SPARSE = "sparse_categorical_crossentropy"


@sound("novelty by a constant: Deep SVDD (Ruff et al., 2018)")
def distance_to_a_centre():
    """All targets are one vector; the network has no biases."""
    x = rows(20)
    net = Sequential([Input((20,)), layers.Dense(32, activation="leaky_relu", use_bias=False)])
    net.add(layers.Dense(8, use_bias=False))
    net.compile("adam", "mse")
    return net, x, np.tile(0.3 + 0.1 * np.arange(8), (512, 1)).astype("float32"), {"epochs": 30}


@sound("a GAN's combined model: the critic is frozen, all labels are 1")
def the_maker_against_a_frozen_critic():
    """Noise, and ones for all."""
    maker = Sequential([Input((8,)), layers.Dense(32, activation="relu"), layers.Dense(20, activation="tanh")])
    critic = Sequential([Input((20,)), layers.Dense(32), layers.LeakyReLU(0.2), layers.Dense(1, activation="sigmoid")])
    as_trained(critic)
    critic.trainable = False
    noise = Input((8,))
    net = Model(noise, critic(maker(noise)))
    net.compile(optimizers.Adam(2e-4, 0.5), "binary_crossentropy")
    return net, rows(8), np.ones((512, 1)), {"epochs": 20}


@sound("Wasserstein critic: linear, labels of -1 and 1")
def a_wasserstein_critic():
    """mean(y_true * y_pred) with bounded weights."""
    x = np.concatenate([rows(20), 0.4 * rows(20, seed=3) + 1])
    bound = keras.constraints.MaxNorm(0.5)
    net = Sequential([Input((20,)), layers.Dense(32, kernel_constraint=bound), layers.LeakyReLU(0.2)])
    net.add(layers.Dense(1, kernel_constraint=bound))
    net.compile(optimizers.RMSprop(5e-5), lambda y_true, y_pred: ops.mean(y_true * y_pred))
    return net, x, np.repeat([-1.0, 1.0], 512)[:, None], {"epochs": 30, "batch_size": 64}


@sound("policy gradient: advantages as weights of the rows, some below 0")
def reinforce_by_weights():
    """Actions taken as labels, advantages as sample_weight."""
    x = rows(6)
    gain = quantity(x, seed=7)
    net = Sequential([Input((6,)), layers.Dense(32, activation="tanh"), layers.Dense(3, activation="softmax")])
    net.compile(optimizers.Adam(0.003), SPARSE)
    return net, x, choices(x, 3), {"epochs": 1, "sample_weight": (gain - gain.mean()) / gain.std()}


@sound("dueling network (Wang et al., 2016)")
def a_dueling_network():
    """Value and advantages, whose mean is taken away."""
    x = rows(8)
    inputs = Input((8,))
    z = layers.Dense(32, activation="relu")(inputs)
    value, gain = layers.Dense(1)(z), layers.Dense(4)(z)
    net = Model(inputs, value + gain - ops.mean(gain, axis=1, keepdims=True))
    net.compile(optimizers.Adam(5e-4, clipnorm=1.0), losses.Huber())
    return net, x, quantity(x, 4), {"epochs": 20}


@sound("contrast over the batch: SimCLR's loss, predictions depend on other rows")
def pairs_against_the_batch():
    """Two views of each row, and the crossentropy of which belongs to which."""

    def nt_xent(_, z):
        a, b = ops.split(z, 2, axis=1)
        a, b = (v / (ops.norm(v, axis=1, keepdims=True) + 1e-6) for v in (a, b))
        scores = ops.matmul(a, ops.transpose(b)) / 0.1
        return losses.sparse_categorical_crossentropy(ops.arange(ops.shape(z)[0]), scores, from_logits=True)

    x = rows(24)
    tower = Sequential([Input((24,)), layers.Dense(64, activation="relu"), layers.Dense(16)])
    one, two = Input((24,)), Input((24,))
    net = Model([one, two], layers.Concatenate()([tower(one), tower(two)]))
    net.compile("adam", nt_xent)
    noise = 0.1 * draw(2).normal(size=x.shape).astype("float32")
    return net, [x, x + noise], np.zeros((512, 1)), {"epochs": 20, "batch_size": 64}


@sound("two towers of different kind for the same shape: question and answer")
def two_towers_by_a_product():
    """Question and answer have weights of their own; their product is scored."""
    x = rows(16)
    a = np.roll(x, 1, axis=1)
    y = (draw(1).random(512) < 0.5).astype("int32")
    a = np.where(y[:, None] == 1, a, a[draw(2).permutation(512)])
    one, two = Input((16,), name="question"), Input((16,), name="answer")
    u = layers.Dense(16)(layers.Dense(32, activation="relu")(one))
    v = layers.Dense(16)(layers.Dense(32, activation="relu")(two))
    net = Model([one, two], layers.Dense(1, activation="sigmoid")(layers.Dot(axes=1)([u, v])))
    net.compile("adam", "binary_crossentropy")
    return net, {"question": x, "answer": a}, y, {"epochs": 30}


@sound("bag of words by attention: order is of no matter")
def a_bag_by_attention():
    """Set transformer over unordered items; no positions are wanted."""
    x = rows(60, 512).reshape(512, 12, 5)
    y = (x[:, :, 0].max(axis=1) > 1.4).astype("int32")
    inputs = Input((12, 5))
    z = layers.Dense(32)(inputs)
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(4, 8)(z, z))
    z = layers.LayerNormalization()(z + layers.Dense(32, activation="relu")(z))
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(layers.GlobalMaxPooling1D()(z)))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 20}


@sound("sentiment by attention over a bag of words without positions")
def words_without_order():
    """The class is told by which words occur."""
    x, y = texts(20, 200, 2, padded=True)
    inputs = Input((20,))
    z = layers.Embedding(200, 32, mask_zero=True)(inputs)
    z = layers.Add()([z, layers.MultiHeadAttention(2, 16)(z, z)])
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling1D()(z)))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 10}


@sound("attention after an LSTM, which knows the order")
def attention_after_an_lstm():
    """Additive attention over the states of an LSTM."""
    x, y = series(30, 2)
    inputs = Input((30, 2))
    z = layers.LSTM(16, return_sequences=True)(inputs)
    weight = layers.Softmax(axis=1)(layers.Dense(1, activation="tanh")(z))
    net = Model(inputs, layers.Dense(1)(layers.Lambda(lambda t: ops.sum(t[0] * t[1], axis=1))([z, weight])))
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 20}


@sound("classes of a taxonomy of which this sample has some")
def classes_still_to_come():
    """Ten units, of which this sample has eight classes: labels of an agreed list."""
    x, y = images(24, 3, 8)
    net = Sequential([Input((24, 24, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Flatten())
    net.add(layers.Dense(10, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 10}


@sound("noise in labels: a third of them is drawn")
def a_third_of_the_labels_is_noise():
    """Hard data: most labels follow from x, a third does not."""
    x, y = blobs(900, 10, 3)
    y = np.where(draw(3).random(900) < 0.33, draw(4).integers(0, 3, 900), y)
    net = Sequential([Input((10,)), layers.Dense(32, activation="relu"), layers.Dense(3, activation="softmax")])
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20, "validation_split": 0.2}


@sound("parity of bits: no column tells anything by itself")
def parity_of_bits():
    """The class is the parity of eight bits, of which four count."""
    bits = draw(1).integers(0, 2, (1000, 8))
    y = bits[:, :4].sum(axis=1) % 2
    net = Sequential([Input((8,)), layers.Dense(64, activation="relu"), layers.Dense(32, activation="relu")])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile(optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"])
    return net, bits.astype("float32"), y, {"epochs": 80}


@sound("returns of shares: hardly anything can be told")
def a_market_that_hides():
    """Daily returns from 20 returns before, nearly noise; targets of some percent, times 100."""
    all_days = 1.2 * draw(5).standard_t(4, 1020).astype("float32")
    x = np.lib.stride_tricks.sliding_window_view(all_days, 20)[:1000]
    y = all_days[20:] + 0.1 * x[:, -1]
    net = Sequential([Input((20,)), layers.Dense(32, activation="relu"), layers.Dense(1)])
    net.compile("adam", losses.Huber(), metrics=["mae"])
    return net, x, y, {"epochs": 20, "validation_split": 0.2, "shuffle": False}


@sound("denoising: the target is the clean input")
def denoised():
    """Inputs are the targets with noise."""
    x, _ = images(16, 1, 4)
    noisy = x + 0.2 * draw(1).normal(size=x.shape).astype("float32")
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(16, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(1, 3, padding="same"))
    net.compile("adam", "mse")
    return net, noisy, x, {"epochs": 20}


@sound("residual forecast: a naive forecast is added")
def a_forecast_beside_the_last_value():
    """The last value plus what an LSTM adds."""
    x, y = series(24)
    inputs = Input((24, 1))
    z = layers.Dense(1, kernel_initializer="zeros")(layers.LSTM(16)(inputs))
    net = Model(inputs, inputs[:, -1] + z)
    net.compile("adam", "mae")
    return net, x, y, {"epochs": 20}


@sound("extreme learning machine: a hidden layer that stays random (Huang et al., 2006)")
def a_random_hidden_layer():
    """Random features are frozen on purpose."""
    x = rows(10)
    features = layers.Dense(256, activation="tanh", trainable=False)
    net = Sequential([Input((10,)), features, layers.Dense(1)])
    net.compile(optimizers.Adam(0.005), "mse")
    return net, x, quantity(x), {"epochs": 30}


@sound("heteroscedastic regression: mean and log variance")
def mean_and_log_variance():
    """Two outputs, one target, by the Gaussian likelihood."""

    def likelihood(y_true, y_pred):
        mean, spread = y_pred[:, :1], y_pred[:, 1:]
        return 0.5 * ops.mean(spread + ops.square(y_true - mean) * ops.exp(-spread))

    x = rows(8)
    net = Sequential([Input((8,)), layers.Dense(32, activation="relu"), layers.Dense(2)])
    net.compile("adam", likelihood)
    return net, x, quantity(x)[:, None], {"epochs": 40}


@sound("mixture density network (Bishop, 1994)")
def a_mixture_of_three():
    """Nine outputs for one target."""

    def likelihood(y_true, y_pred):
        share, mean, spread = ops.split(y_pred, 3, axis=1)
        log_share = share - ops.logsumexp(share, axis=1, keepdims=True)
        each = log_share - spread - 0.5 * ops.square((y_true - mean) / ops.exp(spread))
        return -ops.mean(ops.logsumexp(each, axis=1))

    x = rows(4)
    net = Sequential([Input((4,)), layers.Dense(32, activation="tanh"), layers.Dense(9)])
    net.compile(optimizers.Adam(0.002), likelihood)
    return net, x, quantity(x)[:, None], {"epochs": 40}


@sound("Cox: times that are partly censored, as one array of two columns")
def proportional_hazards():
    """Partial likelihood over the batch, sorted by time."""

    def cox(y_true, risk):
        time, event = y_true[:, 0], y_true[:, 1]
        later = ops.cast(time[None, :] >= time[:, None], "float32")
        total = ops.log(ops.sum(later * ops.exp(ops.transpose(risk)), axis=1))
        return -ops.sum((risk[:, 0] - total) * event) / (ops.sum(event) + 1e-6)

    x = rows(8)
    time = np.exp(-quantity(x)) * draw(1).exponential(1, 512)
    y = np.stack([time, draw(2).random(512) < 0.7], axis=1).astype("float32")
    net = Sequential([Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(1, use_bias=False)])
    net.compile("adam", cox)
    return net, x, y, {"epochs": 30, "batch_size": 128}


@sound("YOLO-like head: sigmoid, exponent and classes in one map")
def a_grid_of_boxes():
    """Five channels for each of 4 x 4 cells, with a loss of their own."""

    def loss(y_true, y_pred):
        there = y_true[..., :1]
        seen = losses.binary_crossentropy(there, ops.sigmoid(y_pred[..., :1]))
        place = ops.mean(there * ops.square(y_true[..., 1:3] - ops.sigmoid(y_pred[..., 1:3])), axis=-1)
        size = ops.mean(there * ops.square(y_true[..., 3:] - y_pred[..., 3:]), axis=-1)
        return ops.mean(seen + 5 * (place + size))

    x, kind = images(32, 3, 8, 200)
    y = np.zeros((200, 4, 4, 5), "float32")
    y[np.arange(200), kind // 4, kind % 4] = [1, 0.5, 0.5, 0.2, 0.2]
    net = Sequential([Input((32, 32, 3))])
    for filters in (16, 32, 32):
        net.add(layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu"))
    net.add(layers.Conv2D(5, 1))
    net.compile("adam", loss)
    return net, x, y, {"epochs": 20}


@sound("class activation: classes by a convolution and an average")
def classes_by_an_average_of_maps():
    """No Dense: a 1 x 1 convolution to classes, an average, softmax."""
    x, y = shapes(400, 24, 4, 3)
    net = Sequential([Input((24, 24, 3)), layers.Conv2D(16, 3, activation="relu", padding="same")])
    net.add(layers.MaxPooling2D())
    net.add(layers.Conv2D(24, 3, activation="relu", padding="same"))
    net.add(layers.Conv2D(4, 1))
    net.add(layers.GlobalAveragePooling2D())
    net.add(layers.Softmax())
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 20}


@sound("super-resolution with a clipped relu at the end")
def twice_as_large():
    """Pictures of 0 to 1 by relu(max_value=1)."""
    x, _ = images(16, 1, 4, 256)
    small = x.reshape(256, 8, 2, 8, 2, 1).mean(axis=(2, 4))
    net = Sequential([Input((8, 8, 1)), layers.UpSampling2D(interpolation="bilinear")])
    net.add(layers.Conv2D(16, 3, padding="same", activation="relu"))
    net.add(layers.Conv2D(1, 3, padding="same"))
    net.add(layers.ReLU(max_value=1.0))
    net.compile("adam", "mae")
    return net, small, x, {"epochs": 30}


@sound("language model with tied embeddings and a bias")
def tied_words():
    """The table of the words is used for the logits too."""
    x, y = next_words(256, 16, 40)
    inputs = Input((16,), dtype="int32")
    table = layers.Embedding(40, 32)
    z = table(inputs) + layers.Embedding(16, 32)(np.arange(16))
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(4, 8)(z, z, use_causal_mask=True))
    z = layers.Lambda(lambda t: ops.matmul(t, ops.transpose(table.embeddings)))(z)
    net = Model(inputs, z)
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return net, x, y, {"epochs": 10}


@sound("sine positions in a layer of one's own")
def sine_positions():
    """Positions are sines, added by a layer."""

    class Sines(keras.layers.Layer):
        supports_masking = True

        def call(self, z):
            at = np.arange(z.shape[1])[:, None] / 10 ** (np.arange(z.shape[2] // 2) / 4)
            return z + ops.cast(np.concatenate([np.sin(at), np.cos(at)], axis=1), z.dtype)

    x, y = reviews(512, 20, 60)
    inputs = Input((20,), dtype="int32")
    z = Sines()(layers.Embedding(60, 32, mask_zero=True)(inputs))
    z = layers.LayerNormalization()(layers.Add()([z, layers.MultiHeadAttention(4, 8)(z, z)]))
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling1D()(z)))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 20}


@sound("fine-tuning in two steps: the last block of the base is trained with a small rate")
def the_last_block_is_tuned():
    """Adam(1e-5) over a trained base whose last layers are not frozen."""
    x, y = shapes(300, 32, 4, 3)
    base = Sequential([Input((32, 32, 3)), layers.Conv2D(16, 3, activation="relu"), layers.BatchNormalization()])
    base.add(layers.Conv2D(24, 3, strides=2, activation="relu"))
    base.add(layers.GlobalAveragePooling2D())
    as_trained(base)
    for layer in base.layers[:-2]:
        layer.trainable = False
    inputs = Input((32, 32, 3))
    net = Model(inputs, layers.Dense(4, activation="softmax")(base(inputs, training=False)))
    as_trained(net)
    net.compile(optimizers.Adam(1e-5), SPARSE)
    return net, x, y, {"epochs": 10}


@sound("Adam with a large epsilon and a triangle of rates, as for Inception")
def an_epsilon_of_a_tenth():
    """epsilon=0.1 with a rate that is larger for it, RMSprop with momentum."""
    x, y = blobs(800, 20, 5)
    net = Sequential([Input((20,)), layers.Dense(64, activation="swish"), layers.Dense(5, activation="softmax")])
    net.compile(optimizers.RMSprop(0.02, rho=0.9, momentum=0.9, epsilon=1.0), SPARSE)
    return net, x, y, {"epochs": 30}


@sound("imbalance met by resampling and PR-AUC")
def resampled_frauds():
    """Frauds are drawn as often as others; their rows repeat."""
    x = rows(12, 3000)
    score = quantity(x)
    y = (score > np.quantile(score, 0.97)).astype("int32")
    few, many = np.flatnonzero(y), np.flatnonzero(1 - y)
    order = draw(1).permutation(np.concatenate([many[:1500], draw(2).choice(few, 1500)]))
    net = Sequential([Input((12,)), layers.Dense(32, activation="relu"), layers.Dropout(0.3)])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=[metrics.AUC(curve="PR")])
    return net, x[order], y[order], {"epochs": 10}


@sound("ridge and orthogonal start in a deep linear network (Saxe et al., 2014)")
def a_deep_linear_network_for_study():
    """One linear layer from an orthogonal start with a penalty."""
    x = rows(24)
    how = initializers.Orthogonal()
    net = Sequential([Input((24,)), layers.Dense(3, kernel_initializer=how, kernel_regularizer=regularizers.L2(1e-3))])
    net.compile(optimizers.SGD(0.05, momentum=0.9), "mse")
    return net, x, quantity(x, 3), {"epochs": 40}


@sound("a CNN over one-hot words, with rows of a vocabulary that is used in part")
def letters_by_convolutions():
    """Character CNN (Zhang et al., 2015) in small: one-hot letters by CategoryEncoding in a Lambda."""
    x, y = texts(40, 30, 3)
    inputs = Input((40,), dtype="int32")
    z = layers.Lambda(lambda t: ops.one_hot(t, 64))(inputs)
    z = layers.GlobalMaxPooling1D()(layers.Conv1D(32, 5, activation="relu")(z))
    net = Model(inputs, layers.Dense(3, activation="softmax")(layers.Dropout(0.5)(z)))
    stop = callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    net.compile("adam", "categorical_crossentropy")
    return net, x, one_hot(y, 3), {"epochs": 20, "validation_split": 0.2, "callbacks": [stop]}


@sound("multi-task with labels that some rows lack")
def labels_that_some_rows_lack():
    """Two tasks; sample weights of 0 where a task has no label."""
    x = rows(14)
    inputs = Input((14,))
    z = layers.Dense(32, activation="relu")(inputs)
    net = Model(inputs, [layers.Dense(1, name="dose")(z), layers.Dense(1, activation="sigmoid", name="ill")(z)])
    net.compile("adam", {"dose": "mse", "ill": "binary_crossentropy"})
    known = (draw(1).random(512) < 0.4).astype("float32")
    y = {"dose": quantity(x), "ill": yes_no(x)}
    return net, x, y, {"epochs": 20, "sample_weight": {"dose": known, "ill": np.ones(512, "float32")}}
