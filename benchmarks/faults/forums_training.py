"""Faults that are asked about in forums: rates, schedules, callbacks, penalties, metrics, weights that do not train."""

import numpy as np

from benchmarks.faults.data import draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.drawn import blobs
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    as_trained,
    callbacks,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
)  # fmt: skip
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import AUTOTRAINER, CRIME, FORUM, GITHUB, SCIENCE, TAXONOMY

SPARSE = "sparse_categorical_crossentropy"


def _table(features, classes, *hidden):
    net = Sequential([Input((features,)), *(layers.Dense(units, activation="relu") for units in hidden)])
    net.add(layers.Dense(classes, activation="softmax"))
    return net


@faulty("learning rate", source=f"{GITHUB}, tensorflow/tensorflow#52529 and others: decay_steps are steps, not epochs")
def cosine_over_epochs(pick):
    """CosineDecay with decay_steps=epochs: the rate is 0 after 30 steps."""
    x, y = images(28, 1, 10)
    net = Sequential([Input((28, 28, 1)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Flatten())
    net.add(layers.Dense(10, activation="softmax"))
    schedule = optimizers.schedules.CosineDecay(1e-3, decay_steps=pick(30, 30 * 16))
    net.compile(optimizers.Adam(learning_rate=schedule), SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 30, "batch_size": 32}


@faulty("learning rate", "callback", source=f"{FORUM}: lambda epoch, lr: lr * 0.1")
def a_tenth_each_epoch(pick):
    """LearningRateScheduler divides the rate by ten in each epoch."""
    x, y = blobs(600, 20, 5)
    net = _table(20, 5, 64, 32)
    net.compile(loss=SPARSE, optimizer=optimizers.Adam(0.01), metrics=["acc"])
    factor = pick(0.1, 0.97)
    fall = callbacks.LearningRateScheduler(lambda epoch, rate: rate * factor)
    return net, x, y, {"epochs": 40, "callbacks": [fall]}


@faulty("learning rate", source=f"{AUTOTRAINER} and {FORUM}: Adam(1.0)")
def adam_of_one(pick):
    """Keras-2 spelling, lr=1.0, in a convolutional network."""
    x, y = images(28, 1, 10)
    net = Sequential()
    net.add(layers.Conv2D(32, kernel_size=(3, 3), activation="relu", input_shape=(28, 28, 1)))
    net.add(layers.MaxPooling2D(pool_size=(2, 2)))
    net.add(layers.Flatten())
    net.add(layers.Dense(64, activation="relu"))
    net.add(layers.Dense(10, activation="softmax"))
    net.compile(loss="categorical_crossentropy", optimizer=optimizers.Adam(pick(1.0, 0.001)), metrics=["accuracy"])
    return net, x, one_hot(y, 10), {"epochs": 12, "batch_size": 128}


@faulty("learning rate", "optimizer", source=f"{FORUM}: Adadelta of tf.keras and its rate of 0.001")
def adadelta_of_the_example(pick):
    """The MNIST example with keras.optimizers.Adadelta(), whose rate was 1.0 once and is 0.001."""
    x, y = images(28, 1, 10)
    net = Sequential([Input((28, 28, 1)), layers.Conv2D(32, (3, 3), activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Dropout(0.25))
    net.add(layers.Flatten())
    net.add(layers.Dense(64, activation="relu"))
    net.add(layers.Dense(10, activation="softmax"))
    way = pick(optimizers.Adadelta(), optimizers.Adadelta(learning_rate=1.0))
    net.compile(loss=losses.CategoricalCrossentropy(), optimizer=way, metrics=["accuracy"])
    return net, x, one_hot(y, 10), {"epochs": 12, "batch_size": 32}


@faulty("callback", source=f'{GITHUB}, keras-team/keras#10863: mode="auto" with a metric of one\'s own')
def precision_must_fall(pick):
    """EarlyStopping on an accuracy, with mode="min"."""
    x, y = blobs(600, 12, 3)
    net = _table(12, 3, 32)
    net.compile("adam", SPARSE, metrics=["accuracy"])
    stop = callbacks.EarlyStopping("val_accuracy", patience=5, mode=pick("min", "max"), restore_best_weights=True)
    return net, x, y, {"epochs": 60, "validation_split": 0.2, "callbacks": [stop]}


@faulty("callback", "validation", source=f"{GITHUB}, keras-team/keras#16734: can save best model only with val_loss")
def best_by_what_is_not_there(pick):
    """ModelCheckpoint(save_best_only) on val_loss, without validation data."""
    x, y = blobs(600, 12, 3)
    net = _table(12, 3, 32)
    net.compile("adam", SPARSE, metrics=["accuracy"])
    best = callbacks.ModelCheckpoint("best.keras", monitor="val_loss", save_best_only=True)
    more = pick({}, {"validation_split": 0.2})
    return net, x, y, {"epochs": 30, "callbacks": [best], **more}


@faulty("callback", "learning rate", source=f"{FORUM}: min_lr above the rate of the optimizer")
def a_plateau_without_effect(pick):
    """ReduceLROnPlateau with min_lr=0.01 for Adam(0.001)."""
    x = rows(14)
    net = Sequential([Input((14,)), layers.Dense(64, activation="relu"), layers.Dense(1)])
    net.compile(optimizers.Adam(0.001), "mse", metrics=["mae"])
    plateau = callbacks.ReduceLROnPlateau(factor=0.5, patience=4, min_lr=pick(0.01, 1e-5))
    return net, x, quantity(x), {"epochs": 60, "validation_split": 0.2, "callbacks": [plateau]}


@faulty("regularization", source=f"{CRIME}: a penalty on each layer")
def penalty_of_one(pick):
    """L2(1.0) on each of three layers."""
    x, y = blobs(600, 30, 6)
    net = Sequential([Input((30,))])
    for _ in range(3):
        net.add(layers.Dense(64, activation="relu", kernel_regularizer=regularizers.l2(pick(1.0, 1e-4))))
    net.add(layers.Dense(6, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 30}


@faulty("regularization", source=f"{SCIENCE}: a sparse autoencoder whose code is 0")
def activity_of_a_sparse_code(pick):
    """activity_regularizer=L1(1.0) on the code of an autoencoder."""
    x, _ = images(28, 1, 10)
    flat = np.clip(x.reshape(len(x), 784), 0, 1)
    inputs = Input(shape=(784,))
    code = layers.Dense(32, activation="relu", activity_regularizer=regularizers.l1(pick(1.0, 1e-6)))(inputs)
    net = Model(inputs, layers.Dense(784, activation="sigmoid")(code))
    net.compile(optimizer="adam", loss="binary_crossentropy")
    return net, flat, flat, {"epochs": 50, "batch_size": 64}


@faulty("dropout", source=f"{FORUM}: Dropout(0.9), meant as the share that is kept")
def dropout_as_the_share_kept(pick):
    """keep_prob of TensorFlow 1 taken over: Dropout(0.9), twice."""
    x, y = images(28, 1, 10)
    inputs = Input((28, 28, 1))
    z = layers.MaxPooling2D()(layers.Conv2D(16, 5, activation="relu")(inputs))
    z = layers.Dropout(pick(0.9, 0.1))(layers.Flatten()(z))
    z = layers.Dropout(pick(0.9, 0.1))(layers.Dense(64, activation="relu")(z))
    net = Model(inputs, layers.Dense(10, activation="softmax")(z))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("dropout", "layer order", source=f"{FORUM}: dropout behind the softmax")
def dropout_behind_the_softmax(pick):
    """The last layer is Dropout(0.5)."""
    x, y = blobs(600, 16, 4)
    net = Sequential([Input((16,)), layers.Dense(64, activation="relu")])
    if not pick(True, False):
        net.add(layers.Dropout(0.2))
    net.add(layers.Dense(4))
    net.add(layers.Activation("softmax"))
    if pick(True, False):
        net.add(layers.Dropout(0.5))
    net.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return net, x, one_hot(y, 4), {"epochs": 30}


@faulty("batch size", "layer order", source=f"{FORUM}: batch normalization with batches of one")
def normalized_batches_of_one(pick):
    """batch_size=1 with BatchNormalization behind each convolution."""
    x, y = images(24, 1, 5)
    net = Sequential([Input((24, 24, 1))])
    for filters in (8, 16):
        for layer in (layers.Conv2D(filters, 3), layers.BatchNormalization(), layers.Activation("relu")):
            net.add(layer)
        net.add(layers.MaxPooling2D())
    net.add(layers.GlobalAveragePooling2D())
    net.add(layers.BatchNormalization())
    net.add(layers.Dense(5, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 10, "batch_size": pick(1, 32)}


@faulty("frozen weights", source=f"{GITHUB}, keras-team/keras#11748: unfrozen, and not compiled again")
def unfrozen_without_compile(pick):
    """The layers of a base are made trainable after compile."""
    x, y = images(32, 3, 4)
    base = Sequential([Input((32, 32, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()], name="base")
    base.add(layers.Conv2D(32, 3, activation="relu"))
    as_trained(base)
    base.trainable = False
    net = Sequential([Input((32, 32, 3)), base, layers.GlobalAveragePooling2D(), layers.Dense(4, activation="softmax")])
    if pick(False, True):
        base.trainable = True
    net.compile(optimizers.Adam(1e-4), SPARSE, metrics=["accuracy"])
    base.trainable = True
    return net, x, y, {"epochs": 20}


@faulty("metric", source=f"{FORUM}: accuracy of a regression is 0.0")
def accuracy_of_a_forecast(pick):
    """Forecast of temperatures with metrics=["accuracy"]."""
    x, y = series(36, 4, 6)
    net = Sequential([Input((36, 4)), layers.GRU(32, return_sequences=True), layers.GRU(16), layers.Dense(6)])
    net.compile(optimizer="adam", loss="huber", metrics=[pick("accuracy", "mae")])
    return net, x, y, {"epochs": 20, "validation_split": 0.2}


@faulty("metric", source=f"{FORUM}: tf.keras.metrics.Accuracy() is 0")
def equality_as_accuracy(pick):
    """metrics.Accuracy(), which counts probabilities that are equal to the labels."""
    x, y = blobs(600, 16, 2)
    net = Sequential([Input((16,)), layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=[pick(metrics.Accuracy(), metrics.BinaryAccuracy())])
    return net, x, y, {"epochs": 20}


@faulty("metric", "logits", source=f"{FORUM}: precision and recall of logits")
def precision_of_logits(pick):
    """from_logits=True in the loss; Precision and AUC take the logits for probabilities."""
    x = rows(16)
    net = Sequential([Input((16,)), layers.Dense(32, activation="relu"), layers.Dense(1)])
    watched = pick([metrics.Precision(), metrics.BinaryAccuracy()], [metrics.BinaryAccuracy(threshold=0.0)])
    net.compile("adam", losses.BinaryCrossentropy(from_logits=True), metrics=watched)
    return net, x, yes_no(x), {"epochs": 20}


@faulty("initializer", source=f"{CRIME}: weights that are all the same")
def ones_everywhere(pick):
    """kernel_initializer="ones" in all layers."""
    x, y = blobs(600, 16, 4)
    how = pick("ones", "he_normal")
    net = Sequential([Input((16,)), layers.Dense(32, activation="tanh", kernel_initializer=how)])
    net.add(layers.Dense(16, activation="tanh", kernel_initializer=how))
    net.add(layers.Dense(4, activation="softmax", kernel_initializer=how))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 40}


@faulty("initializer", "gradient flow", source=f"{TAXONOMY}: wrong initial weights")
def normal_weights_of_unit_scale(pick):
    """RandomNormal(stddev=1) in layers of 256 units."""
    x, y = images(28, 1, 10)
    how = pick(initializers.RandomNormal(mean=0.0, stddev=1.0), initializers.GlorotUniform())
    inputs = Input((28, 28, 1))
    z = layers.Flatten()(inputs)
    for _ in range(3):
        z = layers.Dense(256, activation=pick("sigmoid", "relu"), kernel_initializer=how)(z)
    net = Model(inputs, layers.Dense(10, activation="softmax", kernel_initializer=how)(z))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("training length", "batch size", source=f"{FORUM}: batch_size=len(x) and ten epochs")
def ten_steps_in_all(pick):
    """All rows are one batch; ten epochs are ten steps."""
    x, y = blobs(512, 10, 3)
    net = _table(10, 3, 64, 64)
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 10, "batch_size": pick(512, 16)}


@faulty("training length", source=f"{FORUM}: steps_per_epoch=1")
def one_step_an_epoch(pick):
    """steps_per_epoch=1 with a generator of batches."""
    x, y = blobs(512, 10, 3)

    def batches():
        rng = draw(3)
        while True:
            rows_of = rng.integers(0, len(x), 16)
            yield x[rows_of], y[rows_of]

    net = _table(10, 3, 32)
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, batches(), None, {"epochs": 10, "steps_per_epoch": pick(1, 32)}


@faulty("optimizer", "learning rate", source=f"{SCIENCE}: clipvalue of a millionth")
def gradients_are_cut_to_nothing(pick):
    """SGD with clipvalue=1e-6: each number moves by at most 1e-8 in a step."""
    x = rows(10)
    net = Sequential([Input((10,)), layers.Dense(32, activation="relu"), layers.Dense(1)])
    net.compile(optimizers.SGD(0.01, momentum=0.9, clipvalue=pick(1e-6, 1.0)), "mse")
    return net, x, quantity(x), {"epochs": 50}


@faulty("optimizer", "regularization", source=f"{FORUM}: AdamW(weight_decay=0.9), taken for a momentum")
def decay_taken_for_a_momentum(pick):
    """AdamW with weight_decay=0.9 and a rate of 0.01."""
    x, y = texts(20, 300)
    net = Sequential([Input((20,)), layers.Embedding(300, 32), layers.GlobalAveragePooling1D()])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile(optimizers.AdamW(0.01, weight_decay=pick(0.9, 0.004)), "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("loss", "learning rate", "imbalance", source=f"{FORUM}: sample_weight that sums to one")
def weights_that_sum_to_one(pick):
    """sample_weight normalized to a sum of 1 over 2,000 rows, with SGD."""
    x = rows(8, 2000)
    y = yes_no(x)
    weight = draw(2).random(2000).astype("float32")
    weight = weight / pick(weight.sum(), weight.mean())
    net = Sequential([Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid")])
    net.compile(optimizers.SGD(0.05), "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 40, "sample_weight": weight}
