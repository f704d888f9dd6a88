"""Faults of networks and of their training as they occur in the wild."""

from benchmarks.faults.data import choices, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    callbacks,
    initializers,
    keras,
    layers,
    ops,
    optimizers,
    regularizers,
)  # fmt: skip
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import AUTOTRAINER, CRIME, DEEPFD, DEFAULT, NEURALINT, STUDY, TAXONOMY

FORUM = "after questions on Stack Overflow"


def _plain(features, units=1, activation=None, hidden=32):
    return Sequential([Input((features,)), layers.Dense(hidden, "relu"), layers.Dense(units, activation)])


@faulty("learning rate", source=f"{FORUM}: decay_steps=1")
def decays_at_each_step(pick):
    """ExponentialDecay by 0.9 at each step: the rate is gone after one epoch."""
    x = rows(8)
    rate = optimizers.schedules.ExponentialDecay(1e-3, decay_steps=pick(1, 100), decay_rate=0.9)
    net = _plain(8, 4, "softmax")
    net.compile(optimizers.Adam(rate), "sparse_categorical_crossentropy")
    return net, x, choices(x, 4), {"epochs": 50}


@faulty("learning rate", "callback", source=f"{FORUM}: a schedule that begins with 0")
def epoch_times_rate(pick):
    """LearningRateScheduler with rate * epoch, which is 0 in the first epoch and stays so."""
    x = rows(8)
    plan = callbacks.LearningRateScheduler(pick(lambda epoch, rate: rate * epoch, lambda epoch, rate: rate * 0.95))
    net = _plain(8)
    net.compile(optimizers.Adam(1e-2), "mse")
    return net, x, quantity(x), {"epochs": 50, "callbacks": [plan]}


@faulty("learning rate", source=f"{AUTOTRAINER}: a rate that is too large")
def adam_of_one_on_pictures(pick):
    """Adam(learning_rate=1) for pictures."""
    x, y = images(16, 1)
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, activation="relu"), layers.Flatten()])
    net.add(layers.Dense(10, activation="softmax"))
    net.compile(optimizers.Adam(learning_rate=pick(1.0, 1e-3)), "sparse_categorical_crossentropy")
    return net, x, y, {"epochs": 10}


@faulty("callback", source=f"{FORUM}: mode='max' of a loss")
def stops_where_the_loss_falls(pick):
    """EarlyStopping of val_loss with mode="max", which stops as soon as the loss falls."""
    x = rows(8)
    stop = callbacks.EarlyStopping(monitor="val_loss", patience=3, mode=pick("max", "min"))
    net = _plain(8)
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 50, "validation_split": 0.2, "callbacks": [stop]}


@faulty("callback", source=f"{FORUM}: the best accuracy is the smallest")
def keeps_the_worst(pick):
    """ModelCheckpoint(save_best_only) of val_accuracy with mode="min"."""
    x = rows(8)
    keep = callbacks.ModelCheckpoint(
        "best.weights.h5", "val_accuracy", save_best_only=True, save_weights_only=True, mode=pick("min", "max")
    )
    net = _plain(8, 3, "softmax")
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, choices(x, 3), {"epochs": 40, "validation_split": 0.2, "callbacks": [keep]}


@faulty("callback", "learning rate", source=f"{FORUM}: ReduceLROnPlateau that acts at once")
def plateau_after_one_epoch(pick):
    """ReduceLROnPlateau(factor=0.01, patience=0): the rate is gone after two bad epochs."""
    x = rows(8)
    lower = callbacks.ReduceLROnPlateau("val_loss", factor=pick(0.01, 0.5), patience=pick(0, 5))
    net = _plain(8)
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 80, "validation_split": 0.2, "callbacks": [lower]}


@faulty("frozen weights", source=f"{FORUM}: model.trainable = False for the base")
def head_frozen_too(pick):
    """The whole new model is frozen and not the base alone."""
    x, y = images(24, 3, 4)
    base = Sequential([Input((24, 24, 3)), layers.Conv2D(8, 3, activation="relu"), layers.GlobalMaxPooling2D()])
    net = Sequential([base, layers.Dense(4, activation="softmax")])
    if pick(True, False):
        net.trainable = False
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, y, {"epochs": 30}


@faulty("frozen weights", "disconnected", source=f"{FORUM}: weights of an own layer that do not train")
def scale_that_does_not_train(pick):
    """The weights of a layer of one's own are added with trainable=False."""
    x = rows(8)

    class Linear(layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.units = units

        def build(self, shape):
            self.w = self.add_weight((shape[-1], self.units), "glorot_uniform", trainable=pick(False, True))

        def call(self, x):
            return ops.matmul(x, self.w)

    net = Sequential([Linear(32), layers.ReLU(), Linear(1)])
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 60}


@faulty("disconnected", "frozen weights", "gradient flow", source=f"{TAXONOMY}: no gradient reaches the encoder")
def encoder_behind_a_stop(pick):
    """A subclass that stops the gradient of its encoder, left over from an experiment."""
    x = rows(8)

    class Net(Model):
        def __init__(self):
            super().__init__()
            self.encode, self.head = layers.Dense(32, activation="relu"), layers.Dense(1)

        def call(self, x):
            h = self.encode(x)
            return self.head(ops.stop_gradient(h) if pick(True, False) else h)

    net = Net()
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 60}


@faulty("disconnected", "gradient flow", source=f"{FORUM}: sign in a hidden layer")
def signs_in_a_hidden_layer(pick):
    """Hidden codes of -1 and 1 by ops.sign, without a straight-through estimate."""
    x = rows(8)
    inputs = Input((8,))
    z = layers.Dense(16, activation="tanh")(inputs)
    code = ops.sign(z) if pick(True, False) else z + ops.stop_gradient(ops.sign(z) - z)
    net = Model(inputs, layers.Dense(1)(code))
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 60}


@faulty("initializer", source=f"{DEEPFD}: initial weights")
def ones_everywhere(pick):
    """kernel_initializer="ones" in each layer."""
    x = rows(8)
    how = pick("ones", "he_normal")
    net = Sequential([Input((8,)), layers.Dense(32, activation="relu", kernel_initializer=how)])
    net.add(layers.Dense(32, activation="relu", kernel_initializer=how))
    net.add(layers.Dense(1, kernel_initializer=how))
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 40}


@faulty("initializer", source=f"{CRIME}: weights of another distribution")
def uniform_of_zero_to_one(pick):
    """RandomUniform(0, 1) for four layers: all weights are positive."""
    x, y = images(12, 1, 4)
    how = pick(initializers.RandomUniform(0, 1), "glorot_uniform")
    net = Sequential([Input((12, 12, 1)), layers.Flatten()])
    for units in (64, 64, 32):
        net.add(layers.Dense(units, activation="relu", kernel_initializer=how))
    net.add(layers.Dense(4, activation="softmax", kernel_initializer=how))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, y, {"epochs": 20}


@faulty("dropout", "layer order", source=f"{NEURALINT}: dropout after the output")
def dropout_of_classes(pick):
    """Dropout is the last layer of a classifier."""
    x = rows(8)
    net = Sequential([Input((8,)), layers.Dense(32, "relu")])
    tail = [layers.Dense(3, activation="softmax"), layers.Dropout(0.3)]
    for layer in pick(tail, tail[::-1]):
        net.add(layer)
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, choices(x, 3), {"epochs": 40}


@faulty("layer order", "output activation", source=f"{FORUM}: BatchNormalization of the probabilities")
def probabilities_are_normalized(pick):
    """BatchNormalization after the softmax."""
    x = rows(8)
    inputs = Input((8,))
    h = layers.BatchNormalization()(layers.Dense(32, "relu")(inputs)) if pick(False, True) else None
    h = layers.Dense(3, "softmax")(layers.Dense(32, "relu")(inputs) if h is None else h)
    net = Model(inputs, pick(layers.BatchNormalization(), layers.Identity())(h))
    net.compile("adam", "categorical_crossentropy")
    return net, x, one_hot(choices(x, 3), 3), {"epochs": 40}


@faulty("layer order", "gradient flow", source=f"{FORUM}: LayerNormalization of one number")
def normalization_of_one_number(pick):
    """LayerNormalization after Dense(1) gives its beta, whatever comes in."""
    x = rows(8)
    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(1)])
    if pick(True, False):
        net.add(layers.LayerNormalization())
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 60}


@faulty("recurrence", source=f"{FORUM}: stateful and shuffled")
def state_of_shuffled_rows(pick):
    """A stateful LSTM whose batches are shuffled."""
    x, y = series(20, count=320)
    net = Sequential([Input(batch_shape=(32, 20, 1)), layers.LSTM(8, stateful=pick(True, False)), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y[:, 0], {"epochs": 30, "batch_size": 32}


@faulty("gradient flow", "hidden activation", source=f"{STUDY}: relu in a recurrent layer")
def relu_in_a_long_recurrence(pick):
    """SimpleRNN(activation="relu") over 200 steps with large recurrent weights."""
    x, y = series(200, count=128)
    cell = {"activation": "relu", "recurrent_initializer": "glorot_normal"}
    net = Sequential([layers.SimpleRNN(32, **cell) if pick(True, False) else layers.LSTM(32), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y[:, 0], {"epochs": 20}


@faulty("attention", "mask", source=f"{DEFAULT}: softmax over the queries")
def softmax_over_queries(pick):
    """Attention of one's own whose softmax runs over the queries."""
    x, y = texts(16, 60)

    class Attend(layers.Layer):
        def __init__(self):
            super().__init__()
            self.q, self.k, self.v = (layers.Dense(16) for _ in range(3))

        def call(self, h):
            scores = ops.matmul(self.q(h), ops.transpose(self.k(h), (0, 2, 1))) / 4.0
            return ops.matmul(ops.softmax(scores, axis=pick(-2, -1)), self.v(h))

    inputs = Input((16,))
    h = layers.Embedding(60, 16)(inputs)
    h = layers.GlobalAveragePooling1D()(h + Attend()(h))
    net = Model(inputs, layers.Dense(1, "sigmoid")(h))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 30}


@faulty("mask", "attention", "label shift", source=f"{DEFAULT}: no causal mask")
def language_model_sees_the_future(pick):
    """A small language model whose attention sees the next words."""
    text, _ = texts(17, 40)
    x, y = text[:, :-1], text[:, 1:]
    inputs = Input((16,), dtype="int32")
    h = layers.Embedding(40, 16)(inputs) + layers.Embedding(16, 16)(ops.arange(16))
    h = layers.LayerNormalization()(h + layers.MultiHeadAttention(2, 8)(h, h, use_causal_mask=pick(False, True)))
    h = h + layers.Dense(16)(layers.Dense(32, "gelu")(h))
    net = Model(inputs, layers.Dense(40)(h))
    net.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return net, x, y, {"epochs": 30}


@faulty("regularization", source=f"{CRIME}: weight regularisation")
def penalty_of_ten_on_each(pick):
    """L2(10) on each kernel."""
    x = rows(8)
    how = regularizers.L2(pick(10.0, 1e-4))
    net = Sequential([Input((8,)), layers.Dense(32, "relu", kernel_regularizer=how)])
    net.add(layers.Dense(3, "softmax", kernel_regularizer=how))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, choices(x, 3), {"epochs": 40}


@faulty("optimizer", "learning rate", source=f"{FORUM}: momentum of 1")
def momentum_never_forgets(pick):
    """SGD(momentum=1.0) never forgets a gradient."""
    x = rows(8)
    net = _plain(8)
    net.compile(optimizers.SGD(0.01, momentum=pick(1.0, 0.9)), "mse")
    return net, x, quantity(x), {"epochs": 40}


@faulty("optimizer", "learning rate", source=f"{FORUM}: gradients are clipped to nothing")
def values_clipped_to_nothing(pick):
    """SGD(clipvalue=1e-5)."""
    x = rows(8)
    net = _plain(8, 3, "softmax")
    net.compile(optimizers.SGD(0.01, momentum=0.9, clipvalue=pick(1e-5, 1.0)), "sparse_categorical_crossentropy")
    return net, x, choices(x, 3), {"epochs": 60}


@faulty("training length", "batch size", source=f"{FORUM}: one step for each epoch")
def one_step_an_epoch(pick):
    """batch_size is the number of rows, for five epochs of SGD."""
    x = rows(8)
    net = _plain(8, 3, "softmax")
    net.compile("sgd", "sparse_categorical_crossentropy")
    return net, x, choices(x, 3), {"epochs": pick(5, 60), "batch_size": pick(512, 16)}


@faulty("batch size", source=f"{FORUM}: BatchNormalization with batches of one")
def batches_of_one_picture(pick):
    """BatchNormalization after a Dense layer and batch_size=1."""
    x = rows(8)
    net = Sequential([Input((8,)), layers.Dense(32), layers.BatchNormalization(), layers.ReLU(), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 10, "batch_size": pick(1, 32)}


@faulty("hidden activation", source=f"{NEURALINT}: no activation between layers")
def four_linear_layers(pick):
    """Four Dense layers in a subclass without anything between them."""
    x = rows(8)

    class Net(Model):
        def __init__(self):
            super().__init__()
            self.all = [layers.Dense(units, pick(None, "relu")) for units in (32, 32, 16)]
            self.out = layers.Dense(1, "sigmoid")

        def call(self, x):
            for layer in self.all:
                x = layer(x)
            return self.out(x)

    net = Net()
    net.compile("adam", "binary_crossentropy")
    return net, x, yes_no(x), {"epochs": 40}
