"""Sound recipes that make data or representations: autoencoders, adversaries, diffusion, contrast."""

import numpy as np

from benchmarks.faults.data import draw, images, one_hot, rows
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, ops, optimizers
from benchmarks.faults.program import sound

FIT = {"epochs": 30, "batch_size": 32}


@sound("Hinton, Salakhutdinov (2006); Keras blog: building autoencoders")
def pixels_through_a_bottleneck():
    """784-32-784 with a sigmoid and the binary crossentropy of pixels."""
    x, _ = images(28, 1)
    x = x.reshape(len(x), -1)
    model = Sequential([Input((784,)), layers.Dense(32, "relu"), layers.Dense(784, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy")
    return model, x, x, FIT


@sound("Vincent et al.: Extracting and Composing Robust Features (2008)")
def denoising_autoencoder():
    """Convolutional, from noisy pictures to clean ones."""
    x, _ = images(28, 1)
    noisy = np.clip(x + 0.3 * draw(1).normal(size=x.shape), 0, 1).astype("float32")
    model = Sequential([
        Input((28, 28, 1)), layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "mse")
    return model, noisy, x, FIT


@sound("Makhzani, Frey: sparse autoencoders; Keras blog, activity_regularizer")
def sparse_codes():
    """A code wider than the input, kept sparse by its penalty."""
    x = rows(20)
    inputs = Input((20,))
    code = layers.Dense(40, activation="relu", activity_regularizer=keras.regularizers.L1(1e-5))(inputs)
    model = Model(inputs, layers.Dense(20)(code))
    model.compile("adam", "mse")
    return model, x, x, FIT


@sound("Baldi, Hornik: Neural networks and principal component analysis (1989)")
def principal_components():
    """A linear autoencoder, which finds the principal components."""
    x = rows(20) @ draw(1).normal(size=(20, 20)).astype("float32") / 5
    model = Sequential([Input((20,)), layers.Dense(4, use_bias=False), layers.Dense(20, use_bias=False)])
    model.compile("adam", "mse")
    return model, x, x, FIT


class _Sampling(layers.Layer):
    """Draws from the distribution of the code, and adds its divergence to the loss."""

    def __init__(self, weight=1.0, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, pair):
        mean, log_variance = pair
        divergence = -0.5 * ops.mean(ops.sum(1 + log_variance - ops.square(mean) - ops.exp(log_variance), axis=-1))
        self.add_loss(self.weight * divergence)
        return mean + ops.exp(log_variance / 2) * keras.random.normal(ops.shape(mean), seed=self.seed_generator)


@sound("Kingma, Welling: Auto-Encoding Variational Bayes (2014)")
def variational_autoencoder():
    """A layer that draws the code and adds the divergence."""
    x, _ = images(20, 1)
    flat = x.reshape(len(x), -1)
    inputs = Input((400,))
    z = layers.Dense(64, activation="relu")(inputs)
    code = _Sampling(1 / 400)([layers.Dense(4, name="mean")(z), layers.Dense(4, name="log_variance")(z)])
    z = layers.Dense(64, activation="relu")(code)
    model = Model(inputs, layers.Dense(400, activation="sigmoid")(z))
    model.compile("adam", "binary_crossentropy")
    return model, flat, flat, FIT


class _OwnSteps(Model):
    """A variational autoencoder with a train_step's loss of its own, by compute_loss."""

    def __init__(self):
        super().__init__()
        self.encode = Sequential([layers.Dense(32, activation="relu"), layers.Dense(8)])
        self.decode = Sequential([layers.Dense(32, activation="relu"), layers.Dense(30)])

    def call(self, x):
        return self.decode(self.encode(x)[:, :4])

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        code = self.encode(x)
        return ops.mean(ops.square(x - y_pred)) + 1e-3 * ops.mean(ops.square(code))


@sound("Keras guide: customizing fit by compute_loss")
def loss_inside_the_model():
    """A subclassed model without a loss in compile."""
    x = rows(30)
    model = _OwnSteps()
    model.compile(optimizer="adam")
    return model, x, None, FIT


@sound("Radford et al.: DCGAN (2016), the discriminator")
def discriminator():
    """Strides, LeakyReLU, dropout and one logit for real or made."""
    x, _ = images(28, 1)
    made = draw(1).random(x.shape).astype("float32")
    model = Sequential([
        Input((28, 28, 1)), layers.Conv2D(32, 5, strides=2, padding="same"), layers.LeakyReLU(0.2), layers.Dropout(0.3),
        layers.Conv2D(64, 5, strides=2, padding="same"), layers.LeakyReLU(0.2), layers.Dropout(0.3), layers.Flatten(),
        layers.Dense(1),
    ])  # fmt: skip
    model.compile(optimizers.Adam(2e-4, beta_1=0.5), losses.BinaryCrossentropy(from_logits=True))
    both = np.concatenate([x, made])
    return model, 2 * both - 1, np.repeat([1.0, 0.0], len(x)).astype("float32"), FIT


@sound("Radford et al.: DCGAN (2016), the generator")
def generator():
    """From noise to pictures of -1 to 1 by tanh; trained by a loop of its own."""
    model = Sequential([
        Input((16,)), layers.Dense(7 * 7 * 32, use_bias=False), layers.BatchNormalization(), layers.LeakyReLU(),
        layers.Reshape((7, 7, 32)), layers.Conv2DTranspose(32, 5, padding="same", use_bias=False),
        layers.BatchNormalization(), layers.LeakyReLU(),
        layers.Conv2DTranspose(16, 5, strides=2, padding="same", use_bias=False), layers.BatchNormalization(),
        layers.LeakyReLU(), layers.Conv2DTranspose(1, 5, strides=2, padding="same", activation="tanh"),
    ])  # fmt: skip
    return model, rows(16, 64), None


@sound("Goodfellow et al.: Generative Adversarial Nets (2014), generator and frozen discriminator in one model")
def generator_through_a_frozen_judge():
    """The judge is frozen while the generator learns to be called real."""
    judge = Sequential([Input((8,)), layers.Dense(32), layers.LeakyReLU(0.2), layers.Dense(1, activation="sigmoid")])
    maker = Sequential([Input((4,)), layers.Dense(32), layers.LeakyReLU(0.2), layers.Dense(8)])
    judge.trainable = False
    inputs = Input((4,))
    model = Model(inputs, judge(maker(inputs)))
    model.compile(optimizers.Adam(2e-4, beta_1=0.5), "binary_crossentropy")
    return model, rows(4), np.ones(512, "float32"), {"batch_size": 32, "epochs": 40}


@sound("Arjovsky et al.: Wasserstein GAN (2017)")
def critic():
    """Labels -1 and 1, a linear output, and their product as the loss."""
    x = np.concatenate([rows(8), 2 + rows(8, seed=5)])
    model = Sequential(
        [Input((8,)), layers.Dense(64), layers.LeakyReLU(), layers.Dense(64), layers.LeakyReLU(), layers.Dense(1)]
    )
    model.compile(optimizers.RMSprop(5e-5), lambda y_true, y_pred: ops.mean(y_true * y_pred))
    return model, x, np.repeat([-1.0, 1.0], 512)[:, None], FIT


@sound("Isola et al.: pix2pix (2017)")
def picture_to_picture():
    """A small U-Net with tanh and the absolute error."""
    x, _ = images(32, 1, 6)
    inputs = Input((32, 32, 1))
    first = layers.LeakyReLU(0.2)(layers.Conv2D(16, 4, strides=2, padding="same")(inputs))
    second = layers.BatchNormalization()(layers.Conv2D(32, 4, strides=2, padding="same", use_bias=False)(first))
    z = layers.Conv2DTranspose(16, 4, strides=2, padding="same", use_bias=False)(layers.LeakyReLU(0.2)(second))
    z = layers.ReLU()(layers.Dropout(0.5)(layers.BatchNormalization()(z)))
    z = layers.Concatenate()([z, first])
    model = Model(inputs, layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")(z))
    model.compile(optimizers.Adam(2e-4, beta_1=0.5), "mae")
    return model, 2 * x - 1, 1 - 2 * x, FIT


@sound("Ho et al.: Denoising Diffusion Probabilistic Models (2020)")
def noise_predictor():
    """Predicts the noise in a picture from the picture and its time."""
    x, _ = images(16, 1, 6)
    noise = draw(1).normal(size=x.shape).astype("float32")
    time = draw(2).random((len(x), 1)).astype("float32")
    share = np.cos(time * np.pi / 2)[:, :, None, None]
    noisy = share * (2 * x - 1) + np.sqrt(1 - share**2) * noise
    picture, when = Input((16, 16, 1)), Input((1,))
    angles = ops.concatenate([ops.sin(when * 3.14 * 2.0**k) for k in range(4)], axis=-1)
    t = layers.Dense(16)(layers.Dense(32, activation="swish")(angles))
    z = layers.Conv2D(16, 3, padding="same")(picture)
    for _ in range(2):
        y = layers.Conv2D(16, 3, padding="same")(layers.Activation("swish")(layers.GroupNormalization(4)(z)))
        y = y + ops.reshape(t, (-1, 1, 1, 16))
        z = z + layers.Conv2D(16, 3, padding="same")(layers.Activation("swish")(layers.GroupNormalization(4)(y)))
    model = Model([picture, when], layers.Conv2D(1, 3, padding="same", kernel_initializer="zeros")(z))
    model.compile(optimizers.AdamW(1e-3), "mse")
    return model, [noisy, time], noise, FIT


@sound("Lipman et al.: Flow Matching (2023)")
def velocity_of_a_flow():
    """The velocity from noise to data, by a dense network of the point and its time."""
    x, noise, time = rows(2) * 0.3 + 1, rows(2, seed=4), draw(2).random((512, 1)).astype("float32")
    inputs = Input((3,))
    z = inputs
    for _ in range(3):
        z = layers.Dense(64, activation="silu")(z)
    model = Model(inputs, layers.Dense(2)(z))
    model.compile("adam", "mse")
    return model, np.concatenate([(1 - time) * noise + time * x, time], axis=1), x - noise, {"epochs": 60}


@sound("Chen et al.: SimCLR (2020)")
def two_views():
    """Two views of each picture, a projection of unit length, and the contrast within the batch."""
    x, _ = images(20, 3, 6)
    view = np.clip(x + 0.1 * draw(1).normal(size=x.shape), 0, 1).astype("float32")

    def contrast(y_true, y_pred):
        one, two = y_pred[:, :16], y_pred[:, 16:]
        scores = ops.matmul(one, ops.transpose(two)) / 0.1
        return losses.sparse_categorical_crossentropy(ops.arange(ops.shape(scores)[0]), scores, from_logits=True)

    look = Sequential([
        Input((20, 20, 3)), layers.Conv2D(16, 3, strides=2, activation="relu"), layers.Conv2D(32, 3, activation="relu"),
        layers.GlobalAveragePooling2D(), layers.Dense(32, activation="relu"), layers.Dense(16),
        layers.UnitNormalization(),
    ])  # fmt: skip
    left, right = Input((20, 20, 3)), Input((20, 20, 3))
    model = Model([left, right], layers.Concatenate()([look(left), look(right)]))
    model.compile("adam", contrast)
    return model, [x, view], np.zeros((len(x), 1), "float32"), FIT


@sound("Schroff et al.: FaceNet (2015), the triplet loss")
def triplets():
    """Distances to a row of the same class and of another, by a margin."""
    x, y = images(20, 1, 4)
    order = np.argsort(y, kind="stable")
    same, other = x[order][np.roll(np.arange(len(x)), 1)], x[order][np.roll(np.arange(len(x)), len(x) // 2)]
    look = Sequential([Input((20, 20, 1)), layers.Flatten(), layers.Dense(64, activation="relu"), layers.Dense(16),
                       layers.UnitNormalization()])  # fmt: skip
    three = [Input((20, 20, 1)) for _ in range(3)]
    anchor, near, far = (look(one) for one in three)
    gap = ops.sum(ops.square(anchor - near), axis=1, keepdims=True) - ops.sum(
        ops.square(anchor - far), axis=1, keepdims=True
    )
    model = Model(three, gap)
    model.compile("adam", lambda y_true, y_pred: ops.maximum(y_pred + 0.2, 0.0))
    return model, [x[order], same, other], np.zeros((len(x), 1), "float32"), FIT


@sound("Hadsell et al.: Dimensionality Reduction by Learning an Invariant Mapping (2006)")
def siamese_distance():
    """The distance of two pictures by one network, and the contrastive loss."""
    x, y = images(20, 1, 4)
    other = draw(1).permutation(len(x))
    look = Sequential([Input((20, 20, 1)), layers.BatchNormalization(), layers.Conv2D(8, 5, activation="tanh"),
                       layers.AveragePooling2D(), layers.Flatten(), layers.BatchNormalization(),
                       layers.Dense(10, activation="tanh")])  # fmt: skip
    left, right = Input((20, 20, 1)), Input((20, 20, 1))
    apart = ops.sqrt(ops.maximum(ops.sum(ops.square(look(left) - look(right)), axis=1, keepdims=True), 1e-7))

    def loss(y_true, y_pred):
        return ops.mean((1 - y_true) * ops.square(y_pred) + y_true * ops.square(ops.maximum(1 - y_pred, 0)))

    model = Model([left, right], apart)
    model.compile("rmsprop", loss)
    return model, [x, x[other]], (y != y[other]).astype("float32")[:, None], FIT


@sound("Radford et al.: CLIP (2021)")
def pictures_and_words():
    """A picture and a text in one space, with a temperature that is learned."""
    x, y = images(20, 3, 6)
    words = one_hot(y, 6) @ draw(1).normal(size=(6, 12)).astype("float32")
    picture, text = Input((20, 20, 3)), Input((12,))
    z = layers.GlobalAveragePooling2D()(layers.Conv2D(32, 3, activation="relu")(picture))
    both = [layers.UnitNormalization()(layers.Dense(16)(one)) for one in (z, layers.Dense(32, activation="gelu")(text))]

    def loss(y_true, y_pred):
        scores = ops.matmul(y_pred[:, :16], ops.transpose(y_pred[:, 16:])) / 0.07
        own = ops.arange(ops.shape(scores)[0])
        ways = [losses.sparse_categorical_crossentropy(own, one, from_logits=True)
                for one in (scores, ops.transpose(scores))]  # fmt: skip
        return (ways[0] + ways[1]) / 2

    model = Model([picture, text], layers.Concatenate()(both))
    model.compile(optimizers.AdamW(1e-3), loss)
    return model, [x, words], np.zeros((len(x), 1), "float32"), FIT


@sound("He et al.: Masked Autoencoders Are Scalable Vision Learners (2022)")
def hidden_patches():
    """Patches by number, of which most are 0 and must be given back."""
    x, _ = images(16, 1, 6)
    patches = x.reshape(-1, 4, 4, 4, 4).transpose(0, 1, 3, 2, 4).reshape(-1, 16, 16)
    hidden = np.where(draw(1).random((len(x), 16, 1)) < 0.6, 0, patches).astype("float32")
    inputs = Input((16, 16))
    z = layers.Dense(32)(inputs) + layers.Embedding(16, 32)(ops.arange(16))
    for _ in range(2):
        y = layers.LayerNormalization()(z)
        z = z + layers.MultiHeadAttention(4, 8)(y, y)
        z = z + layers.Dense(32)(layers.Dense(64, activation="gelu")(layers.LayerNormalization()(z)))
    model = Model(inputs, layers.Dense(16)(layers.LayerNormalization()(z)))
    model.compile(optimizers.AdamW(1e-3), "mse")
    return model, hidden, patches, FIT


@sound("Dinh et al.: Real NVP (2017), coupling layers with a likelihood")
def coupling_layers():
    """Scales by tanh that act on half of the columns, and the likelihood as the loss."""
    x = rows(4) * np.array([1, 2, 0.5, 1], "float32")
    inputs = Input((4,))
    left, right, total = inputs[:, :2], inputs[:, 2:], 0
    for _ in range(3):
        z = layers.Dense(32, activation="relu")(left)
        scale = layers.Dense(2, activation="tanh")(z)
        right = right * ops.exp(scale) + layers.Dense(2)(z)
        total = total + ops.sum(scale, axis=1, keepdims=True)
        left, right = right, left
    model = Model(inputs, layers.Concatenate()([left, right, total]))
    model.compile("adam", lambda y_true, y_pred: ops.sum(ops.square(y_pred[:, :4]), axis=1) / 2 - y_pred[:, 4])
    return model, x, np.zeros((len(x), 5), "float32"), {"epochs": 60}


@sound("van den Oord et al.: Pixel Recurrent Neural Networks (2016)")
def pixels_one_by_one():
    """A category of 16 for each pixel, by convolutions over a shifted picture."""
    x, _ = images(12, 1, 4)
    level = np.clip((x * 15).astype("int64"), 0, 15)[..., 0]
    shifted = np.roll(x, 1, axis=2)
    inputs = Input((12, 12, 1))
    z = layers.Conv2D(24, 5, padding="same", activation="relu")(inputs)
    for _ in range(2):
        y = layers.Conv2D(24, 1)(layers.Conv2D(12, 3, padding="same", activation="relu")(z))
        z = layers.ReLU()(layers.Add()([z, y]))
    model = Model(inputs, layers.Conv2D(16, 1)(z))
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, shifted, level, FIT
