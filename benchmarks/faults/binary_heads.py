"""Faults of the last layer: softmax over one unit, and what stands before a crossentropy of two classes."""

import numpy as np

from benchmarks.faults.data import images, one_hot, quantity, rows, texts, yes_no
from benchmarks.faults.library import Input, Model, Sequential, activations, layers, losses, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import DEEPLOCALIZE, DEFECTS, NEURALINT, TAXONOMY, UMLAUT


@faulty("output activation", source=f"Stack Overflow 31880720; {DEEPLOCALIZE}")
def ones_against_zeros(pick):
    """Rows of ones against rows of zeros; softmax over the one unit is always 1."""
    x = np.repeat([[1.0], [0.0]], 256, axis=0).repeat(128, axis=1).astype("float32")
    y = np.repeat([True, False], 256)
    model = Sequential([Input((128,))])
    for _ in range(2):
        model.add(layers.Dense(50))
        model.add(layers.Activation("relu"))
        model.add(layers.Dropout(0.2))
    model.add(layers.Dense(1))
    model.add(layers.Activation(pick("softmax", "sigmoid")))
    model.compile(loss="binary_crossentropy", optimizer=optimizers.RMSprop(), metrics=["accuracy"])
    return model, x, y, {"batch_size": 16, "epochs": 10}


@faulty("output activation", "loss", source=f"Stack Overflow 34311586; {DEEPLOCALIZE}, {NEURALINT}")
def exclusive_or(pick):
    """XOR by six rows; softmax over one unit."""
    x = np.array([[1.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    y = np.array([[0.0], [0.0], [1.0], [1.0], [0.0], [0.0]])
    model = Sequential([
        Input((2,)), layers.Dense(8), layers.Activation("tanh"), layers.Dense(1),
        layers.Activation(pick("softmax", "sigmoid")),
    ])  # fmt: skip
    model.compile(loss="binary_crossentropy", optimizer=optimizers.Adam(0.01))
    return model, x, y, {"epochs": 1000, "batch_size": 6}


@faulty("output activation", source=f"Stack Overflow 45378493; {NEURALINT}")
def stock_direction(pick):
    """Up or down from ten days of four prices, by two convolutions."""
    x = rows(40).reshape(-1, 10, 4)
    inputs = Input((10, 4))
    z = inputs
    for filters in (8, 16):
        z = layers.Conv1D(filters, 4, padding="same")(z)
        z = layers.LeakyReLU()(layers.BatchNormalization()(z))
    z = layers.Dense(64, activation="relu")(layers.Flatten()(z))
    model = Model(inputs, layers.Activation(pick("softmax", "sigmoid"))(layers.Dense(1)(z)))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, x, yes_no(x), {"batch_size": 32, "epochs": 30}


@faulty("output activation", source=f"Stack Overflow 51749207; {NEURALINT}")
def long_signal(pick):
    """One of two classes from a signal of 600 points."""
    x = rows(600, 256).reshape(-1, 600, 1)
    model = Sequential([
        Input((600, 1)), layers.Conv1D(20, 4, activation="relu", padding="same"), layers.MaxPooling1D(2),
        layers.Dropout(0.3), layers.Flatten(), layers.Dense(50, activation="relu"),
        layers.Dense(1, activation=pick("softmax", "sigmoid")),
    ])  # fmt: skip
    model.compile(loss="binary_crossentropy", optimizer="nadam", metrics=["accuracy"])
    return model, x, yes_no(x[:, :20]), {"epochs": 30, "batch_size": 8}


@faulty("output activation", "loss", "output units", source=f"Stack Overflow 50079585; {DEEPLOCALIZE}, {NEURALINT}")
def damage_or_not(pick):
    """Photos with and without damage; one unit with softmax and the loss over classes."""
    x, y = images(32, 3, 2)
    model = Sequential([Input((32, 32, 3))])
    for filters in (16, 32):
        model.add(layers.Conv2D(filters, (3, 3)))
        model.add(layers.Activation("relu"))
        model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Flatten())
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dropout(0.5))
    model.add(layers.Dense(1))
    model.add(layers.Activation(pick("softmax", "sigmoid")))
    model.compile("rmsprop", pick("categorical_crossentropy", "binary_crossentropy"), metrics=["accuracy"])
    return model, x, y, {"batch_size": 16, "epochs": 10}


@faulty("output activation", "loss", source=f"Stack Overflow 58844149; {NEURALINT}")
def gray_photos(pick):
    """Two classes of gray pictures; a Softmax layer over one unit."""
    x, y = images(24, 1, 2)
    model = Sequential([
        Input((24, 24, 1)), layers.Conv2D(16, 5, padding="same", activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(32, 3, padding="same", activation="relu"), layers.MaxPooling2D(2), layers.Flatten(),
        layers.Dense(30, activation="relu"), layers.Dense(1),
        pick(layers.Softmax(), layers.Activation(activations.sigmoid)),
    ])  # fmt: skip
    model.compile(loss=losses.BinaryCrossentropy(), optimizer="adam", metrics=["accuracy"])
    return model, x, y, {"epochs": 20}


@faulty("output activation", source=f"Stack Overflow 44066044; {DEEPLOCALIZE}")
def network_packets(pick):
    """Attacks among packets of eleven figures; the last unit has relu."""
    x = rows(11)
    model = Sequential([
        Input((11,)), layers.Dense(12, kernel_initializer="he_normal"), layers.Activation("relu"),
        layers.Dense(12, kernel_initializer="he_normal"), layers.Activation("relu"),
        layers.Dense(1), layers.Activation(pick("relu", "sigmoid")),
    ])  # fmt: skip
    model.compile(loss="binary_crossentropy", optimizer="Adam", metrics=["accuracy"])
    return model, x, yes_no(x), {"epochs": 100, "batch_size": 5}


@faulty("output activation", "loss", source=f"Stack Overflow 38648195; {DEEPLOCALIZE}")
def several_labels(pick):
    """Twenty counts, each row with any number of three labels; softmax makes them exclusive."""
    x = rows(20)
    y = (quantity(x, 3) > 0).astype("int64")
    model = Sequential([
        Input((20,)), layers.Dense(40, "relu"), layers.Dropout(0.2), layers.Dense(20, "relu"), layers.Dense(3),
        layers.Activation(pick("softmax", "sigmoid")),
    ])  # fmt: skip
    model.compile(loss=pick("categorical_crossentropy", "binary_crossentropy"), optimizer="adam")
    return model, x, y, {"epochs": 20, "batch_size": 20}


@faulty("loss", "output activation", source=f"Stack Overflow 34673164; {DEEPLOCALIZE}")
def votes(pick):
    """Party by sixteen votes: squared error on the softmax of two classes."""
    x = (rows(16) > 0).astype("float32")
    y = one_hot(yes_no(x), 2)
    model = Sequential([
        Input((16,)), layers.Dense(64, activation="tanh"), layers.Dropout(0.3), layers.Dense(64, activation="tanh"),
        layers.Dense(2), layers.Activation("softmax"),
    ])  # fmt: skip
    sgd = optimizers.SGD(learning_rate=0.1, momentum=0.9, nesterov=True)
    model.compile(loss=pick("mean_squared_error", "categorical_crossentropy"), optimizer=sgd, metrics=["accuracy"])
    return model, x, y, {"epochs": 20, "batch_size": 16}


@faulty("output activation", "loss", "hidden activation", source=f"Stack Overflow 45442843; {DEEPLOCALIZE}")
def threshold(pick):
    """Whether one number is large: softmax over one unit, and the absolute error."""
    x = rows(1)
    y = x[:, 0] > 0.3
    model = Sequential([
        Input((1,)), layers.Dense(4, "sigmoid"), layers.Dense(1), layers.Activation(pick("softmax", "sigmoid")),
    ])  # fmt: skip
    model.compile(loss=pick("mean_absolute_error", "binary_crossentropy"), optimizer=optimizers.RMSprop(0.01))
    return model, x, y, {"epochs": 100, "batch_size": 32}


@faulty("loss", "output activation", "learning rate", "initializer", "hidden activation",
        source=f"Stack Overflow 48385830; {DEEPLOCALIZE}")  # fmt: skip
def handwritten_from_a_book(pick):
    """Digits by 784-30-10 without activations, wide initial weights, squared error and a rate of 3."""
    x, y = images(28, 1, 10)
    x = x.reshape(len(x), -1)
    wide = pick("random_normal", "glorot_uniform")
    model = Sequential([
        Input((784,)), layers.Dense(30, pick(None, "relu"), kernel_initializer=wide),
        layers.Dense(10, pick(None, "softmax"), kernel_initializer=wide),
    ])  # fmt: skip
    model.compile(
        optimizers.SGD(pick(3.0, 0.1), momentum=pick(0.0, 0.9)), pick("mean_squared_error", "categorical_crossentropy")
    )
    return model, x, one_hot(y, 10), {"batch_size": 10, "epochs": 30}


@faulty("output activation", "loss", source=f"{UMLAUT}: no softmax before the crossentropy")
def fashion_without_softmax(pick):
    """Ten classes; the loss takes probabilities, the last layer gives any numbers."""
    x, y = images(28, 1, 10)
    model = Sequential([
        Input((28, 28, 1)), layers.Flatten(), layers.Dense(128, activation="relu"),
        layers.Dense(10, activation=pick(None, "softmax")),
    ])  # fmt: skip
    model.compile(optimizer="adam", loss=losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    return model, x, y, {"epochs": 10, "batch_size": 32}


@faulty("logits", "output activation", source=f"{UMLAUT}, {DEFECTS}: from_logits with a softmax layer")
def flowers_with_softmax_twice(pick):
    """Five kinds of flowers; softmax in the model, and again in the loss."""
    x, y = images(32, 3, 5)
    model = Sequential([
        Input((32, 32, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(),
        layers.Dense(64, activation="relu"), layers.Dense(5), pick(layers.Softmax(), layers.Activation("linear")),
    ])  # fmt: skip
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model, x, y, {"epochs": 10}


@faulty("logits", "output activation", source=f"{DEFECTS}: logits given as probabilities")
def reviews_as_logits(pick):
    """Good and bad reviews; the last layer is linear and the loss is named by a string."""
    x, y = texts(20, 300)
    inputs = Input((20,), dtype="int32")
    z = layers.GlobalAveragePooling1D()(layers.Embedding(300, 16)(inputs))
    model = Model(inputs, layers.Dense(1)(layers.Dense(16, activation="relu")(z)))
    model.compile("adam", pick("binary_crossentropy", losses.BinaryCrossentropy(from_logits=True)))
    return model, x, y, {"epochs": 15, "batch_size": 32}


@faulty("logits", "output activation", source=f"{TAXONOMY}: wrong loss function calculation")
def logits_in_one_of_two_outputs(pick):
    """Kind and colour of clothes; one of the two losses takes logits of probabilities."""
    x, kind = images(24, 3, 4)
    colour = kind % 3
    inputs = Input((24, 24, 3))
    z = layers.GlobalAveragePooling2D()(layers.Conv2D(16, 3, activation="relu")(inputs))
    z = layers.Dense(32, activation="relu")(z)
    outputs = {"kind": layers.Dense(4, activation="softmax", name="kind")(z),
               "colour": layers.Dense(3, activation="softmax", name="colour")(z)}  # fmt: skip
    model = Model(inputs, outputs)
    model.compile(
        "adam",
        {"kind": "sparse_categorical_crossentropy",
         "colour": losses.SparseCategoricalCrossentropy(from_logits=pick(True, False))},
    )  # fmt: skip
    return model, x, {"kind": kind, "colour": colour}, {"epochs": 20}


@faulty("logits", "output activation", source=f"{DEFECTS}: from_logits with a sigmoid in a nested model")
def nested_head(pick):
    """A backbone with a head of its own that ends in sigmoid, called inside another model."""
    x = rows(12)
    head = Sequential([Input((16,)), layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid")])
    inputs = Input((12,))
    model = Model(inputs, head(layers.Dense(16, activation="relu")(inputs)))
    model.compile(optimizers.Adam(), losses.BinaryCrossentropy(from_logits=pick(True, False)))
    return model, x, yes_no(x), {"epochs": 20}
