"""Sound networks of today, in small: none may get a finding above info."""

import numpy as np

import lamina as keras
from benchmarks.faults.library import as_trained
from lamina import layers, losses, ops
from lamina.models import Model, Sequential


def resnet():
    def block(x, filters, stride):
        shortcut = x
        y = layers.Conv2D(filters, 3, stride, padding="same", use_bias=False)(x)
        y = layers.ReLU()(layers.BatchNormalization()(y))
        y = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same", use_bias=False)(y))
        if stride > 1 or x.shape[-1] != filters:
            shortcut = layers.BatchNormalization()(layers.Conv2D(filters, 1, stride, use_bias=False)(x))
        return layers.ReLU()(layers.Add()([y, shortcut]))

    inputs = keras.Input((16, 16, 3))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False)(inputs)))
    x = block(block(x, 8, 1), 16, 2)
    outputs = layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    model = Model(inputs, outputs)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, images(16), classes(10)


def unet():
    def twice(x, filters):
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer="he_normal")(x)
        return x

    inputs = keras.Input((16, 16, 1))
    first = twice(inputs, 4)
    second = layers.Dropout(0.5)(twice(layers.MaxPooling2D()(first), 8))
    bottom = layers.Dropout(0.5)(twice(layers.MaxPooling2D()(second), 16))
    x = twice(layers.Concatenate()([second, layers.UpSampling2D()(bottom)]), 8)
    x = twice(layers.Concatenate()([first, layers.Conv2DTranspose(4, 2, 2)(x)]), 4)
    model = Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy", keras.metrics.BinaryIoU()])
    return model, images(16, 1), (np.random.default_rng(0).random((64, 16, 16, 1)) > 0.5).astype("float32")


def segmentation_by_classes():
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    model = Model(inputs, layers.Dense(5, activation="softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, images(8), np.random.default_rng(0).integers(0, 5, (64, 8, 8))


def transformer():
    inputs = keras.Input((12,), dtype="int32")
    x = layers.Embedding(50, 16, mask_zero=True)(inputs) + layers.Embedding(12, 16)(ops.arange(12))
    for _ in range(2):
        attended = layers.MultiHeadAttention(2, 8, dropout=0.1)(x, x)
        x = layers.LayerNormalization()(x + layers.Dropout(0.1)(attended))
        fed = layers.Dense(16)(layers.Dense(32, activation="gelu")(x))
        x = layers.LayerNormalization()(x + layers.Dropout(0.1)(fed))
    pooled = layers.Dropout(0.1)(layers.GlobalAveragePooling1D()(x))
    model = Model(inputs, layers.Dense(2, activation="softmax")(pooled))
    model.compile(keras.optimizers.AdamW(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, tokens(12), classes(2)


def language_model():
    inputs = keras.Input((None,), dtype="int32")
    x = layers.Embedding(50, 16)(inputs)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 8)(x, x, use_causal_mask=True))
    model = Model(inputs, layers.Dense(50)(x))
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model, tokens(12), tokens(12)


class Gan(Model):
    """Two networks and a step of its own."""

    def __init__(self):
        super().__init__()
        self.generator = Sequential([
            keras.Input((4,)), layers.Dense(4 * 4 * 8), layers.Reshape((4, 4, 8)),
            layers.Conv2DTranspose(8, 4, 2, padding="same"), layers.LeakyReLU(0.2),
            layers.Conv2D(1, 5, padding="same", activation="tanh"),
        ])  # fmt: skip
        self.discriminator = Sequential([
            keras.Input((8, 8, 1)), layers.Conv2D(8, 4, 2, padding="same"), layers.LeakyReLU(0.2), layers.Dropout(0.3),
            layers.Conv2D(8, 4, 2, padding="same"), layers.LeakyReLU(0.2), layers.Flatten(), layers.Dropout(0.2),
            layers.Dense(1, activation="sigmoid"),
        ])  # fmt: skip

    def call(self, noise):
        return self.discriminator(self.generator(noise))

    def train_step(self, state, data):
        return {}, state


def gan():
    model = Gan()
    model(np.zeros((1, 4), "float32"))
    model.compile("adam")
    return model, np.zeros((64, 4), "float32"), None


def gan_discriminator():
    model = Gan().discriminator
    model.compile("adam", "binary_crossentropy")
    return model, images(8, 1), np.random.default_rng(0).integers(0, 2, (64, 1)).astype("float32")


def gan_generator():
    model = Gan().generator
    return model, np.random.default_rng(0).normal(size=(64, 4)).astype("float32"), None


class Sample(layers.Layer):
    """z = mean + exp(log_var / 2) * noise, and the divergence as a loss."""

    def call(self, inputs):
        mean, log_var = inputs
        self.add_loss(-0.5 * ops.mean(1 + log_var - ops.square(mean) - ops.exp(log_var)))
        return mean + ops.exp(0.5 * log_var) * keras.random.normal(ops.shape(mean))


def vae():
    inputs = keras.Input((20,))
    hidden = layers.Dense(16, activation="relu")(inputs)
    mean, log_var = layers.Dense(2, name="mean")(hidden), layers.Dense(2, name="log_var")(hidden)
    code = Sample()([mean, log_var])
    decoded = layers.Dense(20, activation="sigmoid", name="decoded")(layers.Dense(16, activation="relu")(code))
    model = Model(inputs, [decoded, mean, log_var])
    model.compile("adam", ["binary_crossentropy", None, None])
    x = np.random.default_rng(0).random((64, 20), "float32")
    return model, x, x


def autoencoder():
    model = Sequential([
        keras.Input((28, 28)), layers.Flatten(), layers.Dense(64, activation="relu"), layers.Dense(8),
        layers.Dense(64, activation="relu"), layers.Dense(784, activation="sigmoid"), layers.Reshape((28, 28)),
    ])  # fmt: skip
    model.compile("adam", "mse")
    x = np.random.default_rng(0).random((64, 28, 28), "float32")
    return model, x, x


def linear_autoencoder():
    model = Sequential([keras.Input((12,)), layers.Dense(3), layers.Dense(12)])
    model.compile("adam", "mse")
    x = np.random.default_rng(0).normal(size=(64, 12)).astype("float32")
    return model, x, x


def convolutional_autoencoder():
    model = Sequential([
        keras.Input((16, 16, 1)), layers.Conv2D(8, 3, 2, padding="same", activation="relu"),
        layers.Conv2D(4, 3, 2, padding="same", activation="relu"),
        layers.Conv2DTranspose(8, 3, 2, padding="same", activation="relu"),
        layers.Conv2DTranspose(1, 3, 2, padding="same", activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy")
    x = images(16, 1)
    return model, x, x


def multi_label():
    model = Sequential([keras.Input((10,)), layers.Dense(16, activation="relu"), layers.Dense(5, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["binary_accuracy", keras.metrics.AUC(multi_label=True)])
    return model, vectors(10), (np.random.default_rng(0).random((64, 5)) > 0.7).astype("float32")


def binary_logits():
    model = Sequential([keras.Input((10,)), layers.Dense(16, activation="relu"), layers.Dense(1)])
    accuracy = keras.metrics.BinaryAccuracy(threshold=0.0)
    model.compile("adam", losses.BinaryCrossentropy(from_logits=True), metrics=[accuracy])
    return model, vectors(10), classes(2)


def logits():
    model = Sequential([keras.Input((10,)), layers.Dense(16), layers.LeakyReLU(), layers.Dense(3)])
    model.compile("rmsprop", losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model, vectors(10), np.eye(3, dtype="float32")[classes(3)]


def siamese():
    left, right = keras.Input((10,)), keras.Input((10,))
    encoder = Sequential([keras.Input((10,)), layers.Dense(16, activation="relu"), layers.Dense(8)])
    distance = layers.Lambda(lambda pair: ops.abs(pair[0] - pair[1]), output_shape=(8,))(
        [encoder(left), encoder(right)]
    )
    model = Model([left, right], layers.Dense(1, activation="sigmoid")(distance))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, [vectors(10), vectors(10)], classes(2)


def transfer_learning():
    base = keras.applications.MobileNetV2((96, 96, 3), alpha=0.35, include_top=False, weights=None)
    as_trained(base)
    base.trainable = False
    inputs = keras.Input((96, 96, 3))
    x = base(layers.Rescaling(1 / 127.5, offset=-1)(inputs), training=False)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    model = Model(inputs, layers.Dense(1, activation="sigmoid")(x))
    model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy", metrics=["accuracy"])
    return model, 255 * images(96), classes(2)


def fine_tuning():
    model, x, y = transfer_learning()
    base = model.layers[2]
    base.trainable = True
    for layer in base.layers[:-20]:
        layer.trainable = False
    model.compile(keras.optimizers.Adam(1e-5), "binary_crossentropy")
    return model, x, y


def recommender():
    user, item = keras.Input((1,), dtype="int32"), keras.Input((1,), dtype="int32")
    vectors_of = [layers.Flatten()(layers.Embedding(50, 8)(one)) for one in (user, item)]
    model = Model([user, item], layers.Dot(axes=1)(vectors_of))
    model.compile("adam", "mse", metrics=["mae"])
    ids = np.random.default_rng(0).integers(0, 50, (64, 1))
    return model, [ids, ids], np.random.default_rng(0).normal(3, 1, 64).astype("float32")


def sequence_to_sequence():
    inputs = keras.Input((10, 4))
    x = layers.RepeatVector(5)(layers.LSTM(8)(inputs))
    model = Model(inputs, layers.TimeDistributed(layers.Dense(2))(layers.LSTM(8, return_sequences=True)(x)))
    model.compile("adam", "mse")
    draw = np.random.default_rng(0)
    return model, draw.normal(size=(64, 10, 4)).astype("float32"), draw.normal(size=(64, 5, 2)).astype("float32")


def stacked_recurrent():
    model = Sequential([
        keras.Input((12,), dtype="int32"), layers.Embedding(50, 8, mask_zero=True),
        layers.Bidirectional(layers.LSTM(8, return_sequences=True)), layers.Dropout(0.5), layers.GRU(8),
        layers.Dense(3, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, tokens(12), np.eye(3, dtype="float32")[classes(3)]


def text_convolution():
    model = Sequential([
        keras.Input((12,), dtype="int32"), layers.Embedding(50, 8), layers.Dropout(0.2),
        layers.Conv1D(8, 3, activation="relu"), layers.GlobalMaxPooling1D(), layers.Dense(8, activation="relu"),
        layers.Dropout(0.2), layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, tokens(12), classes(2)


def squeeze_and_excite():
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(16, 3, padding="same", activation="swish")(inputs)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(16, 1, activation="sigmoid")(layers.Conv2D(4, 1, activation="relu")(gate))
    x = layers.GlobalMaxPooling2D()(layers.Multiply()([x, gate]))
    model = Model(inputs, layers.Dense(10, activation="softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, images(8), classes(10)


def mixer():
    inputs = keras.Input((9, 8))
    x = layers.LayerNormalization()(inputs)
    y = layers.Permute((2, 1))(x)
    y = layers.Dense(9)(layers.Dense(16, activation="gelu")(y))
    x = x + layers.Permute((2, 1))(y)
    model = Model(inputs, layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling1D()(x)))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, np.random.default_rng(0).normal(size=(64, 9, 8)).astype("float32"), classes(4)


def point_net():
    model = Sequential([
        keras.Input((32, 3)), layers.Dense(16, activation="relu"), layers.Dense(16, activation="relu"),
        layers.GlobalMaxPooling1D(), layers.Dense(4, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, np.random.default_rng(0).normal(size=(64, 32, 3)).astype("float32"), classes(4)


def attention_pooling():
    inputs = keras.Input((7, 8))
    scores = layers.Softmax(axis=1)(layers.Dense(1)(layers.Dense(8, activation="tanh")(inputs)))
    pooled = layers.Lambda(lambda pair: ops.sum(pair[0] * pair[1], axis=1), output_shape=(8,))([inputs, scores])
    model = Model(inputs, layers.Dense(1)(pooled))
    model.compile("adam", "huber")
    draw = np.random.default_rng(0)
    return model, draw.normal(size=(64, 7, 8)).astype("float32"), draw.normal(size=64).astype("float32")


def several_outputs():
    inputs = keras.Input((10,))
    x = layers.Dense(16, activation="relu")(inputs)
    kind = layers.Dense(3, activation="softmax", name="kind")(x)
    price = layers.Dense(1, name="price")(x)
    model = Model(inputs, {"kind": kind, "price": price})
    model.compile("adam", {"kind": "sparse_categorical_crossentropy", "price": "mse"}, metrics={"kind": "accuracy"})
    return model, vectors(10), {"kind": classes(3), "price": vectors(1)[:, 0]}


def ensemble():
    inputs = keras.Input((10,))
    members = [layers.Dense(3, activation="softmax")(layers.Dense(8, activation="relu")(inputs)) for _ in range(2)]
    model = Model(inputs, layers.Average()(members))
    model.compile("adam", "categorical_crossentropy")
    return model, vectors(10), np.eye(3, dtype="float32")[classes(3)]


def mixed_precision_head():
    inputs = keras.Input((10,))
    x = layers.Dense(16, activation="relu", dtype="mixed_bfloat16")(inputs)
    x = layers.Dense(3, dtype="mixed_bfloat16")(x)
    model = Model(inputs, layers.Activation("softmax", dtype="float32")(x))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["sparse_categorical_accuracy"])
    return model, vectors(10), classes(3)


def regression():
    model = Sequential([keras.Input((9,)), layers.Normalization(), layers.Dense(64, "relu"), layers.Dense(1)])
    model.layers[0].adapt(100 * vectors(9))
    model.compile(keras.optimizers.RMSprop(0.001), "mae", metrics=["mae", "mse"])
    return model, 100 * vectors(9), 20 + 5 * vectors(1)[:, 0]


def linear_regression():
    model = Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.1), "mae")
    return model, vectors(1), vectors(1)[:, 0]


class Subclassed(Model):
    """A subclassed network with a network inside."""

    def __init__(self):
        super().__init__()
        self.body = Sequential([layers.Dense(16, activation="relu"), layers.Dense(16, activation="relu")])
        self.head = layers.Dense(3, activation="softmax")

    def call(self, x, training=False):
        return self.head(ops.tanh(self.body(x)))


def subclassed():
    model = Subclassed()
    model(vectors(10)[:1])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, vectors(10), classes(3)


def contrastive():
    inputs = keras.Input((10,))
    projected = layers.Dense(8)(layers.Dense(16, activation="relu")(inputs))
    model = Model(inputs, layers.UnitNormalization()(projected))

    def loss(y_true, y_pred):
        return -ops.sum(y_true * y_pred, axis=-1)

    model.compile("adam", loss)
    return model, vectors(10), vectors(8)


def images(size, channels=3):
    return np.random.default_rng(0).random((64, size, size, channels), "float32")


def vectors(size):
    return np.random.default_rng(0).normal(size=(64, size)).astype("float32")


def tokens(length):
    return np.random.default_rng(0).integers(0, 50, (64, length))


def classes(count):
    return np.random.default_rng(1).integers(0, count, 64)


SOUND = [
    resnet, unet, segmentation_by_classes, transformer, language_model, gan, gan_discriminator, gan_generator, vae,
    autoencoder, linear_autoencoder, convolutional_autoencoder, multi_label, binary_logits, logits, siamese,
    transfer_learning, fine_tuning, recommender, sequence_to_sequence, stacked_recurrent, text_convolution,
    squeeze_and_excite, mixer, point_net, attention_pooling, several_outputs, ensemble, mixed_precision_head,
    regression, linear_regression, subclassed, contrastive,
]  # fmt: skip
