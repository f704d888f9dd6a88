"""Sound programs in unusual styles that look like faults: networks, sequences, generators."""

import numpy as np

from benchmarks.faults.data import draw, images, one_hot, series, texts
from benchmarks.faults.drawn import blobs, next_words, reviews
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, ops, optimizers
from benchmarks.faults.program import sound

SPARSE = "sparse_categorical_crossentropy"


@sound("deep linear networks for matrix factorization")
def factors_of_ratings():
    """Users and films by a product of embeddings, without an activation anywhere."""
    rng = draw(1)
    user, film = rng.integers(0, 50, 2000), rng.integers(0, 30, 2000)
    tastes, traits = rng.normal(size=(50, 4)), rng.normal(size=(30, 4))
    y = (tastes[user] * traits[film]).sum(1).astype("float32") / 2
    left, right = Input((1,), dtype="int32"), Input((1,), dtype="int32")
    z = layers.Dot(axes=-1)([layers.Embedding(50, 8)(left), layers.Embedding(30, 8)(right)])
    net = Model([left, right], layers.Flatten()(z))
    net.compile(optimizers.Adam(0.01), "mse")
    return net, [user[:, None], film[:, None]], y, {"epochs": 20}


@sound("recursive use of one layer: a fixed point, universal transformers")
def one_block_many_times():
    """The same residual block is called three times, on purpose, with a norm."""
    x, y = blobs(600, 32, 5)
    inputs = z = Input((32,))
    block = Sequential([layers.LayerNormalization(), layers.Dense(64, activation="relu"), layers.Dense(32)])
    for _ in range(3):
        z = layers.Add()([z, block(z)])
    net = Model(inputs, layers.Dense(5, activation="softmax")(z))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 30}


@sound("sets: no positions on purpose (Deep Sets, set transformers)")
def sets_without_order():
    """Points in any order: attention without positions."""
    rng = draw(2)
    y = rng.integers(0, 2, 512)
    x = rng.normal(size=(512, 20, 3)).astype("float32")
    x[y == 1] *= np.array([1.6, 0.6, 1.0], "float32")
    inputs = Input((20, 3))
    z = layers.Dense(32)(inputs)
    z = layers.LayerNormalization()(layers.Add()([z, layers.MultiHeadAttention(4, 8)(z, z)]))
    z = layers.GlobalMaxPooling1D()(layers.Dense(32, activation="relu")(z))
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(z))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@sound("masked language model: the targets are the inputs, where tokens were hidden")
def hidden_words():
    """Some tokens are replaced by the last number; the loss counts there by weights."""
    x, _ = next_words(512)
    rng = draw(3)
    hidden = rng.random(x.shape) < 0.2
    inputs = Input((12,), dtype="int32")
    z = layers.Embedding(25, 32)(inputs) + layers.Embedding(12, 32)(np.arange(12))
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(4, 8)(z, z))
    net = Model(inputs, layers.Dense(25)(layers.Dense(64, activation="gelu")(z)))
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return net, np.where(hidden, 24, x), x, {"epochs": 20, "sample_weight": hidden.astype("float32")}


@sound("a causal convolution as language model (WaveNet)")
def causal_convolutions():
    """Dilated causal convolutions predict the next token."""
    x, y = next_words(512)
    inputs = Input((12,), dtype="int32")
    z = layers.Embedding(24, 32)(inputs)
    for dilation in (1, 2, 4):
        z = z + layers.Conv1D(32, 2, padding="causal", dilation_rate=dilation, activation="relu")(z)
    net = Model(inputs, layers.Dense(24, activation="softmax")(z))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@sound("many to one after return_sequences, by attention over the steps")
def attention_pooling():
    """A score for each step, softmax over the steps (axis 1), and a weighted mean."""
    x, y = texts(24, 300)
    inputs = Input((24,))
    z = layers.Bidirectional(layers.GRU(16, return_sequences=True))(layers.Embedding(300, 24)(inputs))
    weights = layers.Softmax(axis=1)(layers.Dense(1)(layers.Dense(16, activation="tanh")(z)))
    z = layers.Lambda(lambda pair: ops.sum(pair[0] * pair[1], axis=1))([z, weights])
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(z))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 12}


@sound("padding in front, without a mask, for an LSTM")
def padded_in_front():
    """Padding stands before the words, as pad_sequences does by default."""
    x, y = reviews(512, 30, 200, before=True)
    net = Sequential([Input((30,)), layers.Embedding(200, 24, mask_zero=True), layers.LSTM(32, dropout=0.1)])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@sound("an LSTM over one step for rows that have no order: legal in stateful control")
def state_kept_between_batches():
    """A stateful GRU with shuffle=False over windows in order."""
    rng = draw(5)
    at = np.arange(32 * 40 * 8 + 1).reshape(-1)
    wave = (np.sin(at * 0.2) + 0.05 * rng.normal(size=at.shape)).astype("float32")
    x = wave[:-1].reshape(32, 40, 8, 1).swapaxes(0, 1).reshape(-1, 8, 1)
    y = wave[1:].reshape(32, 40, 8).swapaxes(0, 1).reshape(-1, 8)[:, -1]
    net = Sequential([Input(batch_shape=(32, 8, 1)), layers.GRU(16, stateful=True), layers.Dense(1)])
    net.compile("adam", "mse")

    class Reset(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.layers[0].reset_states()

    return net, x, y, {"epochs": 10, "batch_size": 32, "shuffle": False, "callbacks": [Reset()]}


@sound("fully convolutional: stride in place of pooling, no Dense")
def all_convolutional():
    """Springenberg et al.: strides of 2, a last convolution of ten filters, and an average."""
    x, y = images(32, 3, 10)
    net = Sequential([Input((32, 32, 3))])
    for filters, strides in ((16, 1), (16, 2), (32, 1), (32, 2)):
        net.add(layers.Conv2D(filters, 3, strides=strides, padding="same", activation="relu"))
    net.add(layers.Conv2D(10, 1))
    net.add(layers.GlobalAveragePooling2D())
    net.add(layers.Activation("softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@sound("inverted bottlenecks with a linear projection (MobileNetV2)")
def linear_bottlenecks():
    """A projection without an activation before the next expansion."""
    x, y = images(32, 3, 6)
    inputs = Input((32, 32, 3))
    z = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False)(inputs)
    for _ in range(2):
        short = z
        z = layers.ReLU(6.0)(layers.BatchNormalization()(layers.Conv2D(64, 1, use_bias=False)(z)))
        z = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(z)
        z = layers.ReLU(6.0)(layers.BatchNormalization()(z))
        z = layers.Add()([short, layers.BatchNormalization()(layers.Conv2D(16, 1, use_bias=False)(z))])
    z = layers.GlobalAveragePooling2D()(z)
    net = Model(inputs, layers.Dense(6, activation="softmax")(z))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@sound("SELU with AlphaDropout and lecun_normal")
def self_normalizing():
    """Eight layers without normalization, by SELU."""
    x, y = blobs(600, 40, 6)
    net = Sequential([Input((40,))])
    for _ in range(8):
        net.add(layers.Dense(48, activation="selu", kernel_initializer="lecun_normal"))
    net.add(layers.AlphaDropout(0.05))
    net.add(layers.Dense(6, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 30}


@sound("SIREN: sine activations with its own initial weights")
def picture_by_coordinates():
    """A grey value for each coordinate, by sines."""
    side = np.linspace(-1, 1, 24)
    x = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2).astype("float32")
    y = np.sin(6 * x[:, :1]) * np.cos(4 * x[:, 1:])
    how = keras.initializers.RandomUniform(-0.05, 0.05)
    net = Sequential([Input((2,)), layers.Dense(64, kernel_initializer=keras.initializers.RandomUniform(-0.5, 0.5))])
    net.add(layers.Lambda(lambda z: ops.sin(15.0 * z)))
    net.add(layers.Dense(64, kernel_initializer=how))
    net.add(layers.Lambda(lambda z: ops.sin(15.0 * z)))
    net.add(layers.Dense(1))
    net.compile(optimizers.Adam(1e-3), "mse")
    return net, x, y.astype("float32"), {"epochs": 60}


@sound("Monte Carlo dropout, as the paper has it (Gal and Ghahramani, 2016)")
def spatial_dropout_before_lstm():
    """SpatialDropout1D on embeddings, and dropout of 0.5 before the head."""
    x, y = texts(24, 300)
    net = Sequential([Input((24,)), layers.Embedding(300, 32), layers.SpatialDropout1D(0.3)])
    net.add(layers.Bidirectional(layers.LSTM(16)))
    net.add(layers.Dropout(0.5))
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 12}


@sound("a generator that draws anew, with validation arrays")
def endless_batches():
    """Batches drawn at random without end, with steps_per_epoch."""
    x, y = blobs(600, 12, 4)

    def batches():
        rng = draw(7)
        while True:
            part = rng.integers(0, 500, 32)
            yield x[part] + 0.05 * rng.normal(size=(32, 12)).astype("float32"), one_hot(y[part], 4)

    net = Sequential([Input((12,)), layers.Dense(64, activation="relu"), layers.Dense(4, activation="softmax")])
    net.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    more = {"steps_per_epoch": 20, "validation_data": (x[500:], one_hot(y[500:], 4))}
    return net, batches(), None, {"epochs": 20, **more}


@sound("train_step of one's own with two losses")
def own_train_step():
    """A reconstruction beside the classes, by compute_loss."""
    x, y = blobs(600, 20, 4)

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.encode = layers.Dense(16, activation="relu")
            self.decode, self.head = layers.Dense(20), layers.Dense(4)

        def call(self, inputs):
            return self.head(self.encode(inputs))

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            told = super().compute_loss(x, y, y_pred, sample_weight, training)
            return told + 0.1 * ops.mean(ops.square(self.decode(self.encode(x)) - x))

    net = Net()
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@sound("a penalty on the outputs by add_loss, weights shared by two heads")
def two_heads_one_target():
    """Deep supervision: two heads for the same labels, one with a small weight."""
    x, y = images(24, 1, 6)
    inputs = Input((24, 24, 1))
    z = layers.MaxPooling2D()(layers.Conv2D(16, 3, activation="relu")(inputs))
    early = layers.Dense(6, activation="softmax", name="early")(layers.GlobalMaxPooling2D()(z))
    z = layers.Conv2D(32, 3, activation="relu")(z)
    late = layers.Dense(6, activation="softmax", name="late")(layers.GlobalMaxPooling2D()(z))
    net = Model(inputs, [early, late])
    net.compile("adam", [SPARSE, SPARSE], loss_weights=[0.3, 1.0], metrics=[["accuracy"], ["accuracy"]])
    return net, x, [y, y], {"epochs": 20}


@sound("pixels as classes: an autoregressive picture of four greys")
def greys_as_classes():
    """Each pixel is one of four greys; softmax over the last axis."""
    x, _ = images(16, 1, 4, 256)
    grey = np.clip((x[..., 0] * 4).astype("int64"), 0, 3)
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(32, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(32, 3, padding="same", activation="relu"))
    net.add(layers.Conv2D(4, 1, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, grey, {"epochs": 15, "batch_size": 16}


@sound("residual forecast: the network adds to the last value")
def change_is_added():
    """The output is the last value plus a change that begins at 0."""
    x, y = series(20, 1)
    inputs = Input((20, 1))
    change = layers.Dense(1, kernel_initializer="zeros")(layers.LSTM(24)(inputs))
    net = Model(inputs, layers.Add()([change, inputs[:, -1]]))
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 20}
