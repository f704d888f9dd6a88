"""Sound programs of unusual recipes, as a stranger would write them."""

import numpy as np

from benchmarks.faults.drawn import blobs, next_words, reviews, shapes, waves
from benchmarks.faults.library import Input, Model, Sequential, as_trained, keras, layers, losses, ops, optimizers
from benchmarks.faults.program import sound

FIT = {"epochs": 40, "batch_size": 32}


@sound("Goodfellow et al.: Generative Adversarial Nets (2014), a discriminator with its generator")
def gan_with_its_own_step():
    """Generator and discriminator with leaky relus and a train_step of their own."""

    class Gan(Model):
        def __init__(self):
            super().__init__()
            self.critic = Sequential([Input((2,)), layers.Dense(32), layers.LeakyReLU(0.2), layers.Dense(1)])
            self.maker = Sequential([Input((8,)), layers.Dense(32), layers.LeakyReLU(0.2), layers.Dense(2)])

        def call(self, noise):
            return self.critic(self.maker(noise))

        def compile(self, *args, d_optimizer=None, **kwargs):
            super().compile(*args, **kwargs)
            self.d_optimizer = d_optimizer

    model = Gan()
    loss = losses.BinaryCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(2e-4, 0.5), loss, d_optimizer=optimizers.Adam(2e-4, 0.5))
    return model, np.random.default_rng(0).normal(size=(128, 8)).astype("float32"), np.ones((128, 1)), FIT


@sound("Kingma and Welling: Auto-Encoding Variational Bayes (2014)")
def vae_by_add_loss():
    """A VAE whose sampling layer adds the KL term."""
    x, _ = shapes(160, 12)

    class Sampling(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.seed = keras.random.SeedGenerator(1)

        def call(self, inputs):
            mean, log_var = inputs
            self.add_loss(-5e-4 * ops.mean(ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var), -1)))
            return mean + ops.exp(0.5 * log_var) * keras.random.normal(ops.shape(mean), seed=self.seed)

    inputs = Input((12, 12, 1))
    h = layers.Dense(64, "relu")(layers.Flatten()(inputs))
    z = Sampling()([layers.Dense(2, name="mean")(h), layers.Dense(2, name="log_var")(h)])
    out = layers.Dense(144, "sigmoid")(layers.Dense(64, "relu")(z))
    model = Model(inputs, layers.Reshape((12, 12, 1))(out))
    model.compile("adam", "binary_crossentropy")
    return model, x, x, FIT


@sound("Chen et al.: SimCLR (2020), normalized projections and a temperature")
def contrastive_pairs():
    """Two views, normalized projections, and the crossentropy of which row belongs to which."""
    x, _ = blobs(128, 16, 8)
    noise = np.random.default_rng(5).normal(size=x.shape).astype("float32") * 0.1

    class Contrast(Model):
        def __init__(self):
            super().__init__()
            self.encoder = Sequential([layers.Dense(64, "relu"), layers.Dense(32)])

        def call(self, pair):
            a, b = (ops.normalize(self.encoder(one), axis=-1) for one in pair)
            return ops.matmul(a, ops.transpose(b)) / 0.1

    def which(_, scores):
        return losses.sparse_categorical_crossentropy(ops.arange(ops.shape(scores)[0]), scores, from_logits=True)

    model = Contrast()
    model.compile("adam", which)
    return model, (x, x + noise), np.zeros(128), FIT


@sound("Mnih et al. (2015), DQN with one-hot actions")
def q_values_of_taken_actions():
    """Values of the actions that were taken alone, by a mask that is an input."""
    x, y = blobs(256, 4, 3)
    state, action = Input((4,)), Input((3,))
    q = layers.Dense(3)(layers.Dense(48, "relu")(layers.Dense(48, "relu")(state)))
    model = Model([state, action], ops.sum(q * action, axis=-1, keepdims=True))
    model.compile(optimizers.Adam(5e-4), losses.Huber())
    return model, [x, np.eye(3)[y]], x[:, :1] * 2, FIT


@sound("Schulman et al.: PPO (2017), a continuous policy")
def gaussian_policy():
    """Mean and log of the deviation of an action, by the negative log-likelihood."""
    x, _ = blobs(256, 6, 3)
    y = np.tanh(x[:, :2])

    class Policy(Model):
        def __init__(self):
            super().__init__()
            self.body = Sequential([layers.Dense(64, "tanh"), layers.Dense(64, "tanh")])
            self.mean = layers.Dense(2)
            self.log_std = self.add_weight(shape=(2,), initializer="zeros", name="log_std")

        def call(self, s):
            mean = self.mean(self.body(s))
            return ops.concatenate([mean, ops.broadcast_to(self.log_std, ops.shape(mean))], -1)

    def nll(a, out):
        mean, log_std = ops.split(out, 2, axis=-1)
        return ops.sum(0.5 * ops.square((a - mean) / ops.exp(log_std)) + log_std, axis=-1)

    model = Policy()
    model.compile(optimizers.Adam(3e-4), nll)
    return model, x, y, FIT


@sound("Raissi et al.: Physics-informed neural networks (2019)")
def sine_net_for_an_equation():
    """A tanh network of coordinates, of Glorot weights, in float32."""
    t = np.linspace(-1, 1, 256, dtype="float32")[:, None]
    model = Sequential(
        [
            Input((1,)),
            *(layers.Dense(20, "tanh", kernel_initializer="glorot_normal") for _ in range(4)),
            layers.Dense(1),
        ]
    )
    model.compile(optimizers.Adam(1e-3), "mse")
    return model, t, np.sin(np.pi * t), {"epochs": 200, "batch_size": 64}


@sound("Sitzmann et al.: SIREN (2020)")
def picture_as_a_function():
    """Sines of coordinates with the paper's initial weights."""
    at = np.stack(np.meshgrid(*[np.linspace(-1, 1, 16)] * 2), -1).reshape(-1, 2).astype("float32")
    inputs = Input((2,))
    h = ops.sin(30.0 * layers.Dense(64, kernel_initializer=keras.initializers.RandomUniform(-0.5, 0.5))(inputs))
    bound = np.sqrt(6 / 64) / 30
    for _ in range(2):
        h = ops.sin(30.0 * layers.Dense(64, kernel_initializer=keras.initializers.RandomUniform(-bound, bound))(h))
    model = Model(inputs, layers.Dense(1, kernel_initializer=keras.initializers.RandomUniform(-bound, bound))(h))
    model.compile(optimizers.Adam(1e-4), "mse")
    return model, at, np.cos(3 * at[:, :1]) * at[:, 1:], {"epochs": 500, "batch_size": 256}


@sound("Jacob et al.: Quantization and Training (2018), fake quantization")
def quantization_aware():
    """Weights rounded with a straight-through gradient."""
    x, y = blobs(400, 10, 4)

    class Rounded(layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.inner = layers.Dense(units)

        def build(self, shape):
            self.inner.build(shape)

        def call(self, x):
            w = self.inner.kernel
            scale = ops.max(ops.abs(w)) / 7
            rounded = w + ops.stop_gradient(ops.round(w / scale) * scale - w)
            return ops.matmul(x, rounded) + self.inner.bias

    model = Sequential([Input((10,)), Rounded(32), layers.ReLU(max_value=6.0), Rounded(4)])
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model, x, y, FIT


@sound("Hinton et al.: Distilling the Knowledge (2015)")
def student_of_soft_targets():
    """A student that learns the teacher's probabilities by KL divergence."""
    x, y = blobs(400, 10, 4)
    soft = 0.9 * np.eye(4)[y] + 0.025
    model = Sequential([Input((10,)), layers.Dense(16, "relu"), layers.Dense(4, "softmax")])
    model.compile("adam", losses.KLDivergence())
    return model, x, soft.astype("float32"), FIT


@sound("Hinton et al. (2015), teacher inside")
def teacher_frozen_inside():
    """compute_loss of one's own mixes labels with a frozen teacher."""
    x, y = blobs(400, 10, 4)

    class Distiller(Model):
        def __init__(self):
            super().__init__()
            self.student = Sequential([layers.Dense(16, "relu"), layers.Dense(4)])
            self.teacher = Sequential([layers.Dense(64, "relu"), layers.Dense(4)])
            self.teacher.trainable = False

        def call(self, x):
            return self.student(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            hard = super().compute_loss(x, y, y_pred, sample_weight)
            soft = losses.kl_divergence(ops.softmax(self.teacher(x) / 3.0), ops.softmax(y_pred / 3.0))
            return 0.5 * hard + 0.5 * 9.0 * ops.mean(soft)

    model = Distiller()
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, x, y, FIT


@sound("Ho et al.: Denoising Diffusion (2020)")
def noise_predictor():
    """A small U-Net that predicts the noise, with a sinusoidal time."""
    x, _ = shapes(96, 16)
    noise = np.random.default_rng(0).normal(size=x.shape).astype("float32")
    t = np.random.default_rng(1).random((96, 1)).astype("float32")
    noisy = np.sqrt(1 - t)[..., None, None] * (2 * x - 1) + np.sqrt(t)[..., None, None] * noise
    picture, time = Input((16, 16, 1)), Input((1,))
    angles = time * ops.exp(ops.linspace(0.0, 5.0, 8))
    emb = layers.Dense(16, "swish")(ops.concatenate([ops.sin(angles), ops.cos(angles)], -1))
    a = layers.Conv2D(16, 3, padding="same", activation="swish")(picture)
    b = layers.Conv2D(16, 3, strides=2, padding="same", activation="swish")(a) + layers.Reshape((1, 1, 16))(emb)
    c = layers.GroupNormalization(4)(layers.Conv2D(16, 3, padding="same", activation="swish")(b))
    up = layers.Conv2D(16, 3, padding="same", activation="swish")(layers.Concatenate()([layers.UpSampling2D()(c), a]))
    model = Model([picture, time], layers.Conv2D(1, 1, kernel_initializer="zeros")(up))
    model.compile(optimizers.AdamW(1e-3), "mse")
    return model, [noisy, t], noise, {"epochs": 50, "batch_size": 16}


@sound("Caruana: Multitask Learning (1997)")
def age_and_gender():
    """One trunk, a regression and a class, weighted."""
    x, y = shapes(128, 20, channels=3)
    inputs = Input((20, 20, 3))
    h = inputs
    for filters in (8, 16):
        h = layers.MaxPooling2D()(
            layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(filters, 3, use_bias=False)(h)))
        )
    h = layers.GlobalAveragePooling2D()(h)
    model = Model(inputs, [layers.Dense(1, name="age")(h), layers.Dense(1, activation="sigmoid", name="gender")(h)])
    model.compile("adam", ["mae", "binary_crossentropy"], loss_weights=[0.5, 1.0], metrics=[["mae"], ["accuracy"]])
    age = (y - 1.5) / 1.1
    return model, x, [age.astype("float32"), (y > 1).astype("float32")], FIT


@sound("Vaswani et al. (2017), a decoder of GPT-2's kind")
def small_gpt_tied():
    """Pre-norm blocks with causal attention; the table of words gives the logits as well."""
    x, y = next_words()

    class Gpt(Model):
        def __init__(self):
            super().__init__()
            self.words, self.places = layers.Embedding(24, 32), layers.Embedding(12, 32)
            self.n1, self.n2, self.n3 = (layers.LayerNormalization(epsilon=1e-5) for _ in range(3))
            self.att = layers.MultiHeadAttention(4, 8, dropout=0.1)
            self.up, self.down = layers.Dense(128, "gelu"), layers.Dense(32)

        def call(self, ids):
            h = self.words(ids) + self.places(ops.arange(12))
            n = self.n1(h)
            h = h + self.att(n, n, use_causal_mask=True)
            h = h + self.down(self.up(self.n2(h)))
            return ops.matmul(self.n3(h), ops.transpose(self.words.embeddings))

    model = Gpt()
    model.compile(optimizers.AdamW(1e-3), losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, x, y, {"epochs": 60}


@sound("Devlin et al.: BERT (2019), masked words with weights")
def masked_words():
    """A bidirectional encoder; the loss counts the hidden words alone by sample weights."""
    x, _ = next_words(words=30)
    hidden = np.random.default_rng(0).random(x.shape) < 0.15
    ids = Input((12,), dtype="int32")
    h = layers.Embedding(31, 32)(ids) + layers.Embedding(12, 32)(ops.arange(12))
    h = layers.LayerNormalization()(h + layers.MultiHeadAttention(4, 8)(h, h))
    h = layers.LayerNormalization()(h + layers.Dense(32)(layers.Dense(64, "gelu")(h)))
    model = Model(ids, layers.Dense(31)(h))
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, np.where(hidden, 30, x), x, {"epochs": 60, "sample_weight": hidden.astype("float32")}


@sound("Tabular with few rows")
def forty_rows():
    """Forty rows, weak L2, whole batches and many epochs."""
    x, y = blobs(40, 5, 2)
    model = Sequential([Input((5,)), layers.Dense(8, "relu", kernel_regularizer="l2"), layers.Dense(1, "sigmoid")])
    model.compile(optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 300, "batch_size": 40}


@sound("XOR, the oldest of examples")
def exclusive_or():
    """Four rows, two tanh units more than needed, SGD with a great rate."""
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
    model = Sequential([Input((2,)), layers.Dense(8, "tanh"), layers.Dense(1, "sigmoid")])
    model.compile(optimizers.SGD(0.5, momentum=0.9), "binary_crossentropy")
    return model, x, np.array([0, 1, 1, 0.0]), {"epochs": 500, "batch_size": 4}


@sound("Keras guide: transfer learning, with the base frozen")
def frozen_base_called_for_inference():
    """A frozen base, called with training=False, and a new head."""
    x, y = shapes(120, 32, channels=3)
    base = keras.applications.MobileNetV2(input_shape=(32, 32, 3), include_top=False, weights=None, alpha=0.35)
    as_trained(base)
    base.trainable = False
    inputs = Input((32, 32, 3))
    h = layers.GlobalAveragePooling2D()(base(layers.Rescaling(2.0, -1.0)(inputs), training=False))
    model = Model(inputs, layers.Dense(4, "softmax")(layers.Dropout(0.2)(h)))
    model.compile(optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 60}


@sound("Katzman et al.: DeepSurv (2018), partial likelihood of Cox")
def survival_by_cox():
    """A risk without bias or activation; labels are times and events."""
    x, _ = blobs(200, 8, 3)
    rng = np.random.default_rng(0)
    y = np.stack([rng.exponential(np.exp(-x[:, 0] / 3)), rng.random(200) < 0.7], 1).astype("float32")

    def cox(y_true, risk):
        time, event = y_true[:, 0], y_true[:, 1]
        later = ops.cast(time[None, :] >= time[:, None], "float32")
        total = ops.log(ops.sum(later * ops.exp(ops.transpose(risk)), axis=1))
        return -ops.sum(event * (risk[:, 0] - total)) / (ops.sum(event) + 1.0)

    model = Sequential([Input((8,)), layers.Dense(16, "selu"), layers.Dense(1, use_bias=False)])
    model.compile("adam", cox)
    return model, x, y, {"epochs": 50, "batch_size": 64}


@sound("Vincent et al.: Denoising autoencoders (2008)")
def denoising_autoencoder():
    """Noise in, clean pictures out, convolutions with strides and transposed ones."""
    x, _ = shapes(128, 16)
    noisy = np.clip(x + 0.2 * np.random.default_rng(0).normal(size=x.shape), 0, 1).astype("float32")
    model = Sequential([
        Input((16, 16, 1)), layers.Conv2D(16, 3, 2, "same", activation="relu"),
        layers.Conv2D(8, 3, 2, "same", activation="relu"),
        layers.Conv2DTranspose(8, 3, 2, "same", activation="relu"),
        layers.Conv2DTranspose(16, 3, 2, "same", activation="relu"),
        layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy")
    return model, noisy, x, FIT


@sound("Bottleneck of two for a picture of the data")
def autoencoder_of_two_numbers():
    """Tabular autoencoder with two numbers in the middle."""
    x, _ = blobs(400, 12, 4)
    x = (x - x.mean(0)) / x.std(0)
    coder = Sequential(
        [Input((12,)), layers.Dense(8, "elu"), layers.Dense(2, name="code"), layers.Dense(8, "elu"), layers.Dense(12)]
    )
    coder.compile("adam", "mse")
    return coder, x, x, {"epochs": 100}


@sound("Ronneberger et al.: U-Net (2015), with the Dice loss")
def u_net_with_dice():
    """Segmentation, sigmoid per pixel, Dice with crossentropy."""
    x, _ = shapes(64, 16)
    y = (x > 0.4).astype("float32")

    def block(t, filters):
        for _ in range(2):
            t = layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer="he_normal")(t)
        return t

    inputs = Input((16, 16, 1))
    a = block(inputs, 8)
    b = block(layers.MaxPooling2D()(a), 16)
    c = block(layers.MaxPooling2D()(b), 32)
    d = block(layers.concatenate([layers.Conv2DTranspose(16, 2, 2)(c), b]), 16)
    e = block(layers.concatenate([layers.Conv2DTranspose(8, 2, 2)(d), a]), 8)

    def dice_and_bce(t, p):
        dice = (2 * ops.sum(t * p) + 1) / (ops.sum(t) + ops.sum(p) + 1)
        return 1 - dice + ops.mean(losses.binary_crossentropy(t, p))

    model = Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(e))
    model.compile("adam", dice_and_bce, metrics=[keras.metrics.BinaryIoU([1])])
    return model, x, y, {"epochs": 40, "batch_size": 8}


@sound("Long et al. (2015), classes of pixels as numbers")
def pixels_of_four_classes():
    """Logits of four classes at each pixel."""
    x, y = shapes(64, 16)
    labels = np.where(x[..., 0] > 0.4, (y % 3 + 1)[:, None, None], 0)
    inputs = Input((16, 16, 1))
    h = layers.Conv2D(16, 5, padding="same", activation="relu")(inputs)
    h = layers.Conv2D(16, 5, padding="same", dilation_rate=3, activation="relu")(h)
    model = Model(inputs, layers.Conv2D(4, 1)(h))
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model, x, labels, {"epochs": 40, "batch_size": 8}


@sound("Sutskever et al. (2014), teacher forcing with padding")
def seq2seq_with_teacher():
    """An encoder and a decoder of GRU whose input is the target one step late."""
    rng = np.random.default_rng(0)
    source = rng.integers(2, 14, (160, 8)).astype("int32")
    target = source[:, ::-1]
    late = np.concatenate([np.ones((160, 1), "int32"), target[:, :-1]], 1)
    enc, dec = Input((8,), dtype="int32"), Input((8,), dtype="int32")
    _, state = layers.GRU(48, return_state=True)(layers.Embedding(14, 24)(enc))
    h = layers.GRU(48, return_sequences=True)(layers.Embedding(14, 24)(dec), initial_state=state)
    model = Model([enc, dec], layers.Dense(14, "softmax")(h))
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, [source, late], target, {"epochs": 60}


@sound("Graves et al.: CTC (2006)")
def speech_by_ctc():
    """Frames to letters by keras.losses.CTC, one class more for the blank."""
    x, _ = waves(64, 24)
    y = np.random.default_rng(0).integers(1, 6, (64, 5))
    model = Sequential([Input((24, 1)), layers.Conv1D(16, 3, padding="same", activation="relu"),
                        layers.Bidirectional(layers.LSTM(16, return_sequences=True)), layers.Dense(6)])  # fmt: skip
    model.compile(optimizers.Adam(1e-3, clipnorm=1.0), losses.CTC())
    return model, x, y, {"epochs": 50, "batch_size": 16}


@sound("Schroff et al.: FaceNet (2015), triplets")
def triplets():
    """Three rows at once, the distance of the same less that of the other."""
    x, _ = blobs(120, 10, 3)
    anchor, same, other = x[:119], x[1:], x[::-1][:119]
    a, p, n = Input((10,)), Input((10,)), Input((10,))
    net = Sequential([layers.Dense(32, "relu"), layers.Dense(8), layers.UnitNormalization()])
    d = [ops.sum(ops.square(net(a) - net(t)), -1, keepdims=True) for t in (p, n)]
    model = Model([a, p, n], ops.concatenate(d, -1))
    model.compile("adam", lambda _, d: ops.maximum(d[:, 0] - d[:, 1] + 0.2, 0.0))
    return model, [anchor, same, other], np.zeros(119), FIT


@sound("Koren et al.: Matrix factorization (2009), with biases")
def ratings_by_embeddings():
    """Users and films as vectors, their product with biases; ratings of 1 to 5 about their mean."""
    rng = np.random.default_rng(0)
    users, films = rng.integers(0, 50, 800), rng.integers(0, 30, 800)
    stars = np.clip(np.round(3 + rng.normal(size=50)[users] + rng.normal(size=30)[films]), 1, 5) - 3
    u, f = Input((1,), dtype="int32"), Input((1,), dtype="int32")
    dot = layers.Dot(-1)([layers.Flatten()(layers.Embedding(50, 8)(u)), layers.Flatten()(layers.Embedding(30, 8)(f))])
    total = layers.Add()(
        [dot, layers.Flatten()(layers.Embedding(50, 1)(u)), layers.Flatten()(layers.Embedding(30, 1)(f))]
    )
    model = Model([u, f], total)
    model.compile("adam", "mse", metrics=[keras.metrics.RootMeanSquaredError()])
    return model, [users, films], stars, FIT


@sound("Liu et al.: SSD (2016), a head for boxes and one for classes")
def detector_heads():
    """Boxes by Huber and classes by sigmoid for each cell of a grid."""
    x, y = shapes(64, 32, channels=3)
    inputs = Input((32, 32, 3))
    h = inputs
    for filters in (8, 16, 32):
        h = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(h)
        h = layers.Activation("relu6")(layers.BatchNormalization()(h))
    boxes = layers.Reshape((16, 4), name="boxes")(layers.Conv2D(4, 3, padding="same")(h))
    kinds = layers.Activation("sigmoid", name="kinds")(layers.Reshape((16, 4))(layers.Conv2D(4, 3, padding="same")(h)))
    model = Model(inputs, [boxes, kinds])
    model.compile("adam", {"boxes": "huber", "kinds": losses.BinaryFocalCrossentropy()})
    where = np.zeros((64, 16, 4), "float32")
    where[np.arange(64), y * 4, y] = 1
    return model, x, {"boxes": np.random.default_rng(0).normal(size=(64, 16, 4)) * 0.3, "kinds": where}, FIT


@sound("Keras guide: stateful RNN")
def stateful_series():
    """States that go on from batch to batch, not shuffled, with a reset at the end of each epoch."""
    t = np.arange(640) * 0.1
    x, y = np.sin(t).reshape(64, 10, 1), np.sin(t + 1.0)[9::10, None]
    model = Sequential([Input(batch_shape=(1, 10, 1)), layers.LSTM(16, stateful=True), layers.Dense(1)])
    model.compile("adam", "mse")
    reset = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: (
            model.layers[0].reset_states()
            if hasattr(model.layers[0], "reset_states")
            else model.layers[0].reset_state()
        )
    )
    return model, x, y, {"epochs": 40, "batch_size": 1, "shuffle": False, "callbacks": [reset]}


@sound("Bai et al.: Temporal convolutional networks (2018)")
def dilated_causal():
    """Residual dilated causal convolutions."""
    x, y = waves(160, 32)
    h = inputs = Input((32, 1))
    for rate in (1, 2, 4, 8):
        f = layers.Conv1D(16, 3, padding="causal", dilation_rate=rate, activation="relu")(h)
        h = layers.Add()([layers.SpatialDropout1D(0.1)(f), layers.Conv1D(16, 1)(h)])
    model = Model(inputs, layers.Dense(1)(h[:, -1]))
    model.compile("adam", "mae")
    return model, x, y, FIT


@sound("Rumelhart: word2vec by negative samples (Mikolov et al., 2013)")
def words_by_negative_samples():
    """Pairs of words that go together or not, by the product of two tables."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 40, 600), rng.integers(0, 40, 600)
    y = (abs(a - b) < 8).astype("float32")
    one, two = Input((), dtype="int32"), Input((), dtype="int32")
    dot = ops.sum(layers.Embedding(40, 16)(one) * layers.Embedding(40, 16)(two), -1, keepdims=True)
    model = Model([one, two], layers.Activation("sigmoid")(dot))
    model.compile(optimizers.Adam(0.005), "binary_crossentropy")
    return model, [a, b], y, FIT


@sound("Dosovitskiy et al.: ViT (2021)")
def small_vision_transformer():
    """Patches by a convolution, learned positions, a class token."""
    x, y = shapes(120, 16)

    class Token(layers.Layer):
        def build(self, shape):
            self.token = self.add_weight(shape=(1, 1, shape[-1]), initializer="zeros")
            self.places = self.add_weight(shape=(1, shape[1] + 1, shape[-1]), initializer="random_normal")

        def call(self, h):
            token = ops.broadcast_to(self.token, (ops.shape(h)[0], 1, h.shape[-1]))
            return ops.concatenate([token, h], axis=1) + self.places

    inputs = Input((16, 16, 1))
    h = Token()(layers.Reshape((16, 32))(layers.Conv2D(32, 4, strides=4)(inputs)))
    for _ in range(2):
        n = layers.LayerNormalization()(h)
        h = h + layers.MultiHeadAttention(4, 8)(n, n)
        h = h + layers.Dense(32)(layers.Dense(64, "gelu")(layers.LayerNormalization()(h)))
    model = Model(inputs, layers.Dense(4, "softmax")(layers.LayerNormalization()(h)[:, 0]))
    model.compile(optimizers.AdamW(1e-3), "sparse_categorical_crossentropy")
    return model, x, y, FIT


@sound("He et al. (2016), residual blocks without normalization by Fixup's scale")
def residual_in_a_subclass():
    """Residual blocks whose last convolution begins at zero."""
    x, y = shapes(120, 16)

    class Block(layers.Layer):
        def __init__(self, filters):
            super().__init__()
            self.a = layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer="he_normal")
            self.b = layers.Conv2D(filters, 3, padding="same", kernel_initializer="zeros")

        def call(self, x):
            return ops.relu(x + self.b(self.a(x)))

    stem = layers.Conv2D(16, 3, padding="same", activation="relu")
    model = Sequential([Input((16, 16, 1)), stem, Block(16), Block(16),
                        layers.GlobalAveragePooling2D(), layers.Dense(4)])  # fmt: skip
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, x, y, FIT


@sound("Several labels for one text")
def several_labels_of_a_text():
    """A bag of words, several labels at once, sigmoids."""
    ids, _ = reviews(300, 12, 40)
    x = np.stack([(ids == word).any(1) for word in range(1, 40)], 1).astype("float32")
    y = x[:, [3, 8, 12, 20, 31]]
    model = Sequential([Input((39,)), layers.Dense(32, "relu"), layers.Dropout(0.5), layers.Dense(5, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["binary_accuracy"])
    return model, x, y, FIT


@sound("Koenker: quantile regression (1978)")
def three_quantiles():
    """Three quantiles of a forecast by the pinball loss."""
    x, y = waves(200, 20)

    def pinball(t, p):
        q = ops.convert_to_tensor([0.1, 0.5, 0.9])
        e = t - p
        return ops.mean(ops.maximum(q * e, (q - 1) * e), -1)

    model = Sequential([Input((20, 1)), layers.GRU(24), layers.Dense(3)])
    model.compile("adam", pinball)
    return model, x, y, FIT


@sound("Wide and deep (Cheng et al., 2016)")
def wide_and_deep():
    """A wide part of raw numbers beside a deep part of embeddings."""
    rng = np.random.default_rng(0)
    x, y = blobs(400, 4, 2)
    kinds = rng.integers(0, 12, (400, 1))
    numbers, kind = Input((4,), name="numbers"), Input((1,), name="kind", dtype="int64")
    deep = layers.Dense(16, "relu")(layers.Concatenate()([layers.Flatten()(layers.Embedding(12, 4)(kind)), numbers]))
    model = Model([numbers, kind], layers.Dense(1, "sigmoid")(layers.Concatenate()([deep, numbers])))
    model.compile("adam", "binary_crossentropy", metrics=["AUC"])
    return model, {"numbers": x, "kind": kinds}, y, FIT


@sound("Counts by the Poisson loss")
def counts_by_exponential():
    """Counts whose rate is the exponential of the last layer."""
    x, _ = blobs(300, 5, 3)
    y = np.random.default_rng(0).poisson(np.exp(np.clip(x[:, 0] / 4, -2, 2))).astype("float32")
    model = Sequential([Input((5,)), layers.Dense(16, "softplus"), layers.Dense(1, "exponential")])
    model.compile("adam", "poisson")
    return model, x, y, FIT


@sound("Set of points: Zaheer et al., Deep Sets (2017)")
def deep_sets():
    """Points in any order, attention without positions on purpose."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 10, 3)).astype("float32")
    y = x.max(1).sum(-1, keepdims=True)
    inputs = Input((10, 3))
    h = layers.Dense(32, "relu")(inputs)
    h = layers.LayerNormalization()(h + layers.MultiHeadAttention(2, 16)(h, h))
    model = Model(inputs, layers.Dense(1)(layers.Dense(32, "relu")(layers.GlobalMaxPooling1D()(h))))
    model.compile("adam", "mse")
    return model, x, y, FIT
