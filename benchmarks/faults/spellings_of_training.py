"""Faults of shapes and training as a stranger would write them: subclassed, functional and Sequential."""

import numpy as np

from benchmarks.faults.drawn import blobs, shapes, waves
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import AUTOTRAINER, DEEPFD, DEFECTS, TENSFA

# shapes


@faulty("shape", source=f"{TENSFA}: a missing channel axis")
def grey_pictures_without_channels(pick):
    """Pictures of (28, 28) for a model of (28, 28, 1)."""
    x, y = shapes(100, 28)
    model = Sequential([
        layers.Conv2D(8, kernel_size=(3, 3), activation="relu", input_shape=(28, 28, 1)), layers.MaxPooling2D((2, 2)),
        layers.Flatten(), layers.Dense(4, activation="softmax"),
    ])  # fmt: skip
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam")
    return model, x[..., 0][..., None] if not pick(True, False) else np.stack([x[..., 0]] * 3, -1), y, {"epochs": 10}


@faulty("shape", "layer order", source=f"{TENSFA}: recurrent layers that drop the time axis")
def stacked_gru_in_a_subclass(pick):
    """A second GRU gets one vector, since the first keeps no sequence; found when it is called."""
    x, y = waves(120, 20)

    class Forecaster(Model):
        def __init__(self):
            super().__init__()
            self.first = layers.GRU(16, return_sequences=pick(False, True))
            self.second = layers.GRU(8)
            self.out = layers.Dense(1)

        def call(self, x):
            return self.out(self.second(self.first(x)))

    model = Forecaster()
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 20}


@faulty("shape", "recurrence", source=f"{TENSFA}: recurrent layers that keep the time axis")
def bidirectional_that_keeps_time(pick):
    """One label for each row, but an output for each step."""
    x, y = waves(160, 12)
    inputs = Input((12, 1))
    h = layers.Bidirectional(layers.LSTM(8, return_sequences=pick(True, False)))(inputs)
    out = layers.Dense(1, activation="sigmoid")(h)
    model = Model(inputs, out)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, x, (y > 0).astype("float32"), {"epochs": 10}


@faulty("shape", "labels", source="after questions on Stack Overflow: data cardinality is ambiguous")
def one_label_too_few(pick):
    """One label less than rows, after a window was cut wrongly."""
    x, y = waves(100, 10)
    model = Sequential([Input((10, 1)), layers.Flatten(), layers.Dense(8, "relu"), layers.Dense(1)])
    model.compile("adam", "mse")
    return model, x, y[1:] if pick(True, False) else y, {"epochs": 20}


@faulty("shape", "feature maps", source=f"{DEFECTS}: channels first")
def channels_first_pictures(pick):
    """Pictures with the channels first for a convolution over the last axis."""
    x, y = shapes(120, 24, channels=3)
    x = np.transpose(x, (0, 3, 1, 2)) if pick(True, False) else x
    model = Sequential([
        *(layers.Conv2D(16, (3, 3), padding="same", activation="relu") for _ in range(2)),
        layers.GlobalMaxPooling2D(), layers.Dense(4, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 15}


# training


@faulty("training length", "learning rate", "optimizer", source=f"{AUTOTRAINER}: slow convergence")
def adadelta_for_five_epochs(pick):
    """Adadelta at a rate of 0.001 for a few epochs."""
    x, y = shapes(256, 16)
    model = Sequential([
        Input((16, 16, 1)), layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(),
        layers.Dense(32, activation="relu"), layers.Dense(4, activation="softmax"),
    ])  # fmt: skip
    model.compile(pick(optimizers.Adadelta(), optimizers.Adam()),
                  "sparse_categorical_crossentropy", metrics=["accuracy"])  # fmt: skip
    return model, x, y, {"epochs": 12, "batch_size": 128 if pick(True, False) else 16}


@faulty("learning rate", source=f"{AUTOTRAINER}: a rate of 0.5 for Adam")
def rmsprop_at_a_half(pick):
    """RMSprop at a rate of 0.5."""
    x, y = blobs(300, 10, 3)
    model = Sequential([Input((10,)), layers.Dense(32, "relu"), layers.Dense(32, "relu"), layers.Dense(3, "softmax")])
    opt = optimizers.RMSprop(learning_rate=pick(0.5, 5e-4), rho=0.9)
    model.compile(optimizer=opt, loss="sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 40}


@faulty("optimizer", "gradient flow", "learning rate", "training length", source=f"{AUTOTRAINER}: plain SGD")
def long_recurrence_by_plain_sgd(pick):
    """Two LSTMs over 40 steps by plain SGD at 0.01."""
    x, y = waves(200, 40)
    model = Sequential([Input((40, 1)), layers.LSTM(24, return_sequences=True), layers.LSTM(24), layers.Dense(1)])
    model.compile(optimizer=pick("SGD", "Adam"), loss="mean_squared_error")
    return model, x, y, {"epochs": 20, "batch_size": 32}


@faulty("dropout", source=f"{DEEPFD}: dropout of nine tenths")
def dropout_by_keep_probability(pick):
    """A rate of 0.9 that was meant as the share that is kept."""
    x, y = blobs(400, 16, 4)
    inputs = Input((16,))
    h = inputs
    for _ in range(2):
        h = layers.Dense(64)(h)
        h = layers.Activation("relu")(h)
        h = layers.Dropout(rate=pick(0.9, 0.2))(h)
    model = Model(inputs, layers.Dense(4, activation="softmax")(h))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 50}


@faulty("regularization", source=f"{DEEPFD}: weights that are punished too much")
def penalty_added_in_call(pick):
    """An own layer adds the squares of its weights to the loss, ten times."""
    x, y = blobs(300, 8, 3)

    class Penalised(layers.Layer):
        def __init__(self, units, weight):
            super().__init__()
            self.dense, self.weight = layers.Dense(units, activation="relu"), weight

        def call(self, inputs):
            out = self.dense(inputs)
            self.add_loss(self.weight * ops.sum(ops.square(self.dense.kernel)))
            return out

    model = Sequential([Input((8,)), Penalised(64, pick(10.0, 1e-5)), layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 40}


@faulty("batch size", source=f"{DEFECTS}: batches of one with BatchNormalization")
def batch_of_one_with_normalization(pick):
    """Online training, one row a step, with BatchNormalization."""
    x, y = blobs(200, 10, 2)
    model = Sequential(
        [Input((10,)), layers.Dense(16), layers.BatchNormalization(), layers.ReLU(), layers.Dense(1, "sigmoid")]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 20, "batch_size": pick(1, 32)}


@faulty("batch size", "training length", "learning rate", source=f"{DEEPFD}: batches of all rows")
def all_rows_in_a_batch(pick):
    """A batch of 1,000 for 900 rows: one step an epoch, for 20 epochs."""
    x, y = blobs(900, 10, 4)
    model = Sequential([Input((10,)), layers.Dense(32, "relu"), layers.Dense(4, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 20, "batch_size": pick(1000, 32)}


@faulty("order of data", source="after questions on Stack Overflow: the model predicts the last class")
def sorted_and_not_shuffled(pick):
    """One-hot classes in order, with shuffle=False."""
    x, y = blobs(400, 8, 4)
    order = np.argsort(y, kind="stable")
    model = Sequential([Input((8,)), layers.Dense(16, "relu"), layers.Dense(4, "softmax")])
    model.compile("adam", "categorical_crossentropy")
    return model, x[order], np.eye(4)[y[order]], {"epochs": 30, "batch_size": 20, "shuffle": pick(False, True)}


@faulty("callback", "training length", source="after questions on Stack Overflow: it stops at the second epoch")
def stopping_in_the_wrong_mode(pick):
    """EarlyStopping that waits for a greater loss."""
    x, y = blobs(300, 8, 3)
    model = Sequential([Input((8,)), layers.Dense(16, "relu"), layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    stop = keras.callbacks.EarlyStopping(monitor="val_loss", mode=pick("max", "min"), patience=2)
    return model, x, y, {"epochs": 50, "validation_split": 0.2, "callbacks": [stop]}


@faulty("frozen weights", source=f"{DEFECTS}: trainable set after compile")
def thawed_after_compile(pick):
    """The base is thawed after compile, and compile is not called again."""
    x, y = shapes(120, 16, channels=3)
    base = Sequential(
        [Input((16, 16, 3)), layers.Conv2D(8, 3, activation="relu"), layers.GlobalAveragePooling2D()], name="base"
    )
    base.trainable = False
    model = Sequential([Input((16, 16, 3)), base, layers.Dense(4, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    base.trainable = True
    if not pick(True, False):
        model.compile(optimizers.Adam(1e-4), "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 40, "batch_size": 16}


@faulty("frozen weights", source=f"{DEFECTS}: the head is frozen with the base")
def head_frozen_in_a_loop(pick):
    """A loop over model.layers freezes the new head as well as the random base."""
    x, y = shapes(120, 16, channels=3)
    model = Sequential([
        Input((16, 16, 3)), layers.Conv2D(8, 3, activation="relu"), layers.Conv2D(8, 3, activation="relu"),
        layers.GlobalAveragePooling2D(), layers.Dense(4, activation="softmax"),
    ])  # fmt: skip
    for layer in model.layers[: pick(None, 0)]:
        layer.trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 40, "batch_size": 16}


@faulty("learning rate", source="after questions on Stack Overflow: the loss stands still after some steps")
def schedule_that_falls_to_nothing(pick):
    """A polynomial decay to 0 within 50 of some 1,000 steps."""
    x, y = blobs(640, 8, 3)
    model = Sequential([Input((8,)), layers.Dense(16, "relu"), layers.Dense(3, "softmax")])
    schedule = optimizers.schedules.PolynomialDecay(1e-3, decay_steps=pick(20, 2000), end_learning_rate=0.0)
    model.compile(optimizers.Adam(schedule), "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 100, "batch_size": 32}
