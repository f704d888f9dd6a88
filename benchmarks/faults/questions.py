"""Faults in the style of questions: code of beginners, layer by layer, from Stack Overflow and forums."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import Input, Model, Sequential, as_trained, keras, layers, losses, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import DEEPFD, DEFECTS, STUDY, TAXONOMY

FORUM = "after questions on Stack Overflow"


@faulty("output activation", source=f"{FORUM}: iris with relu in the last layer")
def flowers_that_end_in_relu(pick):
    """Three kinds of flowers; relu was copied into the last layer."""
    x = rows(4, 150)
    model = Sequential()
    model.add(Input(shape=(4,)))
    model.add(layers.Dense(10, activation="relu"))
    model.add(layers.Dense(10, activation="relu"))
    model.add(layers.Dense(3, activation=pick("relu", "softmax")))
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model, x, one_hot(choices(x, 3), 3), {"epochs": 200, "batch_size": 5}


@faulty("output activation", "output units", source=f"{FORUM}: diabetes with softmax over one unit")
def diabetes_in_the_style_of_keras_2(pick):
    """Activations as layers of their own, and softmax after one unit."""
    x = rows(8)
    model = Sequential()
    model.add(Input((8,)))
    model.add(layers.Dense(64, kernel_initializer="uniform"))
    model.add(layers.Activation("relu"))
    model.add(layers.Dropout(0.2))
    model.add(layers.Dense(1))
    model.add(layers.Activation(pick("softmax", "sigmoid")))
    model.compile(loss="binary_crossentropy", optimizer=optimizers.RMSprop(learning_rate=0.001), metrics=["accuracy"])
    return model, x, yes_no(x), {"epochs": 100, "batch_size": 10, "verbose": 0}


@faulty("output activation", source=f"{FORUM}: softmax in a Lambda")
def softmax_over_the_rows(pick):
    """A Lambda that takes softmax over the batch in place of the classes."""
    x = rows(12)
    inputs = Input((12,))
    hidden = layers.Dense(32, activation="relu")(inputs)
    scores = layers.Dense(4)(hidden)
    axis = pick(0, -1)
    outputs = layers.Lambda(lambda t: keras.ops.softmax(t, axis=axis))(scores)
    model = Model(inputs, outputs)
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, choices(x, 4), {"epochs": 50}


@faulty("output activation", "target scale", source=f"{FORUM}: a regression that predicts 1 for all")
def house_prices_by_sigmoid(pick):
    """Prices in thousands from a network that ends in sigmoid."""
    x = rows(13)
    y = 20 + 8 * quantity(x)
    model = Sequential([
        Input((13,)), layers.Dense(13, kernel_initializer="normal", activation="relu"),
        layers.Dense(6, activation="relu"), layers.Dense(1, activation=pick("sigmoid", "linear")),
    ])  # fmt: skip
    model.compile(loss="mean_squared_error", optimizer="adam")
    return model, x, y, {"epochs": 100, "batch_size": 5}


@faulty("output activation", "target scale", source=f"{FORUM}: relu for returns below zero")
def returns_that_cannot_be_negative(pick):
    """Daily returns of a share, of both signs, from an LSTM and Dense(1) with relu."""
    x, y = series(30, 1)
    model = Sequential()
    model.add(Input((30, 1)))
    model.add(layers.LSTM(50, return_sequences=True))
    model.add(layers.Dropout(0.2))
    model.add(layers.LSTM(50))
    model.add(layers.Dense(1))
    model.add(layers.ReLU() if pick(True, False) else layers.Activation("linear"))
    model.compile(optimizer="adam", loss="mean_absolute_error")
    return model, x, y, {"epochs": 100}


@faulty("labels", "output units", source=f"{FORUM}: classes that begin at 1")
def grades_from_one_to_five(pick):
    """Five grades numbered from 1, and five units."""
    x = rows(20)
    y = choices(x, 5) + pick(1, 0)
    model = Sequential([Input((20,)), layers.Dense(32, "relu"), layers.Dense(5, "softmax")])
    model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["acc"])
    return model, x, y, {"epochs": 40}


@faulty("labels", "loss", "output activation", source=f"{FORUM}: labels of a support vector machine")
def labels_of_minus_one_and_one(pick):
    """Labels of -1 and 1 with the binary crossentropy."""
    x = rows(30)
    y = 2 * yes_no(x) - 1
    y = y if pick(True, False) else (y + 1) // 2
    model = Sequential([Input((30,)), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 40}


@faulty("label shift", source=f"{FORUM}: a forecast that follows the series by one step")
def predicts_the_last_value_it_sees(pick):
    """The windows were cut so that the target is the last value of its own window."""
    x, y = series(25, 1)
    y = x[:, -1, 0] if pick(True, False) else y
    model = Sequential([Input((25, 1)), layers.LSTM(32), layers.Dense(1)])
    model.compile(loss="mse", optimizer="adam")
    return model, x, y, {"epochs": 50, "batch_size": 32}


@faulty("recurrence", "shape", source=f"{FORUM}: expected ndim=3, found ndim=2")
def stacked_lstm_without_sequences(pick):
    """The first of two GRUs returns its last state alone, which is repeated as one step."""
    x, y = series(20, 3)
    model = Sequential()
    model.add(Input((20, 3)))
    model.add(layers.GRU(32, return_sequences=pick(False, True)))
    if pick(True, False):
        model.add(layers.Reshape((1, 32)))
    model.add(layers.GRU(16))
    model.add(layers.Dense(1))
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 30}


@faulty("frozen weights", source=f"{FORUM}: accuracy stays at chance in transfer learning")
def frozen_with_its_new_head(pick):
    """All layers were set to trainable=False in a loop, after the head was added."""
    x, y = images(32, 3, 4)
    base = Sequential([
        Input((32, 32, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"), layers.GlobalAveragePooling2D(),
    ], name="base")  # fmt: skip
    model = Sequential([Input((32, 32, 3)), base, layers.Dense(4, activation="softmax", name="predictions")])
    as_trained(base)
    for layer in model.layers if pick(True, False) else base.layers:
        layer.trainable = False
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 20}


@faulty("initializer", "gradient flow", source=f"{DEEPFD}: initial weights")
def zeros_for_all_kernels(pick):
    """kernel_initializer='zeros', as in a notebook on linear regression."""
    x = rows(10)
    model = Sequential([Input((10,))])
    for units in (24, 12):
        model.add(layers.Dense(units, activation="relu", kernel_initializer=pick("zeros", "he_uniform")))
    model.add(layers.Dense(2, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, yes_no(x), {"epochs": 50}


@faulty("initializer", "gradient flow", "learning rate", source=f"{DEEPFD}: initial weights; {FORUM}: loss is nan")
def normal_weights_of_deviation_one(pick):
    """RandomNormal(stddev=1) in six layers of 128 units: activations grow by ten from layer to layer."""
    x = rows(32)
    start = keras.initializers.RandomNormal(stddev=1.0) if pick(True, False) else "he_normal"
    model = Sequential([Input((32,))])
    for _ in range(6):
        model.add(layers.Dense(128, activation="relu", kernel_initializer=start))
    model.add(layers.Dense(1))
    model.compile("adam", "mse")
    return model, x, quantity(x), {"epochs": 50}


@faulty("dropout", source=f"{FORUM}: training accuracy below validation accuracy")
def dropout_of_nine_tenths(pick):
    """Dropout(0.9) meant as the share to keep."""
    x = rows(40)
    model = Sequential([
        Input((40,)), layers.Dense(64, activation="relu"), layers.Dropout(pick(0.9, 0.1)),
        layers.Dense(32, activation="relu"), layers.Dropout(pick(0.9, 0.1)), layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy")
    return model, x, yes_no(x), {"epochs": 50}


@faulty("shape", "layer order", source=f"{FORUM}: logits and labels must have the same first dimension")
def flatten_left_out_before_the_classes(pick):
    """A convolutional network whose Dense layers act on each position."""
    x, y = images(28, 1, 10)
    model = Sequential()
    model.add(Input((28, 28, 1)))
    model.add(layers.Conv2D(32, (3, 3), activation="relu"))
    model.add(layers.MaxPooling2D((2, 2)))
    if pick(False, True):
        model.add(layers.Flatten())
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 10}


@faulty("shape", "layer order", "recurrence", source=f"{FORUM}: Reshape or Permute")
def reshaped_in_place_of_permuted(pick):
    """Twelve sensors by forty steps; Reshape((40, 12)) mixes sensors and steps, Permute would swap them."""
    x = np.ascontiguousarray(series(40, 12)[0].transpose(0, 2, 1))
    inputs = Input((12, 40))
    z = layers.Reshape((40, 12))(inputs) if pick(True, False) else layers.Permute((2, 1))(inputs)
    z = layers.LSTM(24)(z)
    model = Model(inputs, layers.Dense(3, activation="softmax")(z))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, choices(x, 3), {"epochs": 40}


@faulty("order of data", "validation", source=f"{FORUM}: validation accuracy of zero")
def two_folders_one_after_the_other(pick):
    """Pictures of one folder after those of the other, and validation_split=0.3."""
    x, y = images(24, 3, 2)
    order = np.argsort(y, kind="stable") if pick(True, False) else np.arange(len(y))
    model = Sequential([
        Input((24, 24, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(),
        layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, x[order], y[order], {"epochs": 20, "validation_split": 0.3}


@faulty("learning rate", source=f"{FORUM}: decay_steps in epochs")
def cosine_of_ten_epochs_as_steps(pick):
    """CosineDecay of 20 steps, meant as epochs: the rate is 0 after the first two."""
    x, y = images(20, 1, 5)
    model = Sequential([
        Input((20, 20, 1)), layers.Conv2D(8, 3, activation="relu"), layers.Flatten(), layers.Dense(5, "softmax"),
    ])  # fmt: skip
    rate = optimizers.schedules.CosineDecay(0.001, decay_steps=20 * pick(1, 16))
    model.compile(optimizers.Adam(rate), "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 20, "batch_size": 32}


@faulty("learning rate", source=f"{FORUM}: loss jumps; {TAXONOMY}")
def adam_with_a_rate_of_one(pick):
    """optimizer=Adam(lr=1.0) for a recurrent network."""
    x, y = texts(30, 500, 2)
    model = Sequential([
        Input((30,), dtype="int32"), layers.Embedding(500, 32), layers.LSTM(32), layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile(optimizer=optimizers.Adam(pick(1.0, 0.001)), loss="binary_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 10}


@faulty("vocabulary", source=f"{FORUM}: indices are not in [0, 1000)")
def word_index_without_its_zero(pick):
    """The tokenizer has 1000 words numbered from 1, and the table has 1000 rows."""
    x = draw(3).integers(1, 1001, (512, 15))
    x[0, 0] = 1000
    y = (x[:, 0] > 500).astype("int64")
    model = Sequential([
        Input((15,), dtype="int32"), layers.Embedding(pick(1000, 1001), 16), layers.GlobalAveragePooling1D(),
        layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("mask", source=f"{FORUM}: LSTM predicts the same class for every sentence")
def tweets_padded_at_the_end(pick):
    """Short tweets, padding='post' to 120 words, and an LSTM that reads all of the zeros."""
    x, y = texts(25, 400, 3, padded=True)
    x = np.pad(x, ((0, 0), (0, 95)))
    model = Sequential()
    model.add(Input((120,), dtype="int32"))
    model.add(layers.Embedding(400, 32, mask_zero=pick(False, True)))
    model.add(layers.LSTM(32))
    model.add(layers.Dense(3, activation="softmax"))
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model, x, y, {"epochs": 20}


@faulty("metric", "loss", source=f"{FORUM}: accuracy of a regression is 0")
def accuracy_of_a_forecast(pick):
    """metrics=['accuracy'] for the price of tomorrow."""
    x, y = series(20, 2)
    model = Sequential([Input((20, 2)), layers.LSTM(32), layers.Dense(1)])
    model.compile("adam", "mse", metrics=[pick("accuracy", "mae")])
    return model, x, y, {"epochs": 30}


@faulty("bad values", source=f"{FORUM}: loss is nan from the first batch")
def a_spreadsheet_with_empty_cells(pick):
    """pandas reads empty cells as NaN."""
    x = rows(7).copy()
    y = quantity(x)
    x[::40, 3] = pick(np.nan, 0.0)
    model = Sequential([Input((7,)), layers.Dense(32, activation="relu"), layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    return model, x, y, {"epochs": 100}


@faulty("hidden activation", "output activation", "layer order", source=f"{STUDY}: activation twice")
def softmax_after_softmax(pick):
    """Dense(10, softmax) and Activation('softmax') after it."""
    x, y = images(16, 1, 10)
    model = Sequential([Input((16, 16, 1)), layers.Flatten(), layers.Dense(64, activation="relu")])
    model.add(layers.Dense(10, activation="softmax"))
    if pick(True, False):
        model.add(layers.Activation("softmax"))
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 60}


@faulty("loss", "labels", source=f"{DEFECTS}: losses of two outputs swapped")
def losses_in_the_wrong_order(pick):
    """A list of losses in another order than the outputs: the age has the crossentropy, the sex the squared error."""
    x = rows(30)
    inputs = Input((30,))
    z = layers.Dense(32, activation="relu")(inputs)
    age, sex = layers.Dense(1, name="age")(z), layers.Dense(1, activation="sigmoid", name="sex")(z)
    model = Model(inputs, [age, sex])
    model.compile("adam", loss=pick(["binary_crossentropy", "mse"], ["mse", "binary_crossentropy"]))
    return model, x, [quantity(x), yes_no(x)], {"epochs": 40}


@faulty("imbalance", source=f"{FORUM}: 99 % accuracy, and no fraud is found")
def frauds_in_a_thousand(pick):
    """Six frauds among 600 payments, without weights."""
    x = rows(20, 600)
    y = np.zeros(600, "int64")
    y[:: pick(100, 4)] = 1
    model = Sequential([Input((20,)), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")])
    model.compile("adam", losses.BinaryCrossentropy(), metrics=["accuracy"])
    return model, x, y, {"epochs": 20}
