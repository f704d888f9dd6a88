"""Faults of classifiers: the loss and the last activation for several classes."""

from benchmarks.faults.data import choices, images, one_hot, rows, texts, yes_no
from benchmarks.faults.library import Input, Model, Sequential, layers, losses, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import CRIME, DEEPFD, NEURALINT, TAXONOMY, THEIA


@faulty("output activation", "loss", source=f"{TAXONOMY}: wrong type of activation function")
def iris_with_sigmoid(pick):
    """Three kinds by four measures; independent probabilities for exclusive classes."""
    x = rows(4)
    y = one_hot(choices(x, 3), 3)
    model = Sequential()
    model.add(Input((4,)))
    model.add(layers.Dense(8, activation="relu"))
    model.add(layers.Dense(3, activation=pick("sigmoid", "softmax")))
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model, x, y, {"epochs": 200, "batch_size": 5}


@faulty("loss", "output activation", source=f"Stack Overflow 44322611; {NEURALINT}")
def apples_and_oranges(pick):
    """Two exclusive classes as one-hot rows, softmax, and the loss for independent ones."""
    x, y = images(32, 3, 2)
    model = Sequential([
        Input((32, 32, 3)), layers.Conv2D(16, 5, activation="relu", padding="same"), layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu", padding="same"), layers.MaxPooling2D(), layers.Flatten(),
        layers.Dense(64, activation="relu"), layers.Dropout(0.2), layers.Dense(2, activation="softmax"),
    ])  # fmt: skip
    model.compile(
        optimizers.SGD(0.01, momentum=0.9),
        pick("binary_crossentropy", "categorical_crossentropy"),
        metrics=["accuracy"],
    )
    return model, x, one_hot(y, 2), {"epochs": 20, "batch_size": 10}


@faulty("loss", source=f"{THEIA}: loss of a binary task for several classes")
def topics_as_binary(pick):
    """Eight topics of news as one-hot rows, a sigmoid each, and the binary crossentropy."""
    x, y = texts(30, 400, 8)
    model = Sequential([
        Input((30,), dtype="int32"), layers.Embedding(400, 32), layers.GlobalMaxPooling1D(),
        layers.Dense(64, activation="relu"), layers.Dense(8, activation=pick("sigmoid", "softmax")),
    ])  # fmt: skip
    model.compile("adam", pick("binary_crossentropy", "categorical_crossentropy"), metrics=["accuracy"])
    return model, x, one_hot(y, 8), {"epochs": 20}


@faulty("loss", source=f"{DEEPFD}: wrong loss function")
def squared_error_on_digits(pick):
    """Ten classes as one-hot rows: mean squared error on softmax."""
    x, y = images(20, 1, 10)
    inputs = Input((20, 20, 1))
    z = layers.Dense(64, activation="relu")(layers.Flatten()(inputs))
    model = Model(inputs, layers.Dense(10, activation="softmax")(z))
    model.compile("adam", pick(losses.MeanSquaredError(), losses.CategoricalCrossentropy()), metrics=["accuracy"])
    return model, x, one_hot(y, 10), {"epochs": 20}


@faulty("loss", "output activation", "output units", source=f"{DEEPFD}: wrong loss function")
def class_numbers_by_absolute_error(pick):
    """Class numbers 0 to 4 predicted as a quantity by one linear unit."""
    x = rows(10)
    y = choices(x, 5)
    model = Sequential([
        Input((10,)), layers.Dense(32, "relu"), layers.Dense(pick(1, 5), activation=pick(None, "softmax")),
    ])  # fmt: skip
    model.compile("adam", pick("mae", "sparse_categorical_crossentropy"), metrics=["accuracy"])
    return model, x, y, {"epochs": 40}


@faulty("loss", "output activation", source=f"{CRIME}: change loss function")
def hinge_on_probabilities(pick):
    """Two classes, 0 and 1, with a sigmoid; the hinge loss wants a margin around -1 and 1."""
    x = rows(15)
    model = Sequential([Input((15,)), layers.Dense(24, "relu"), layers.Dense(1, activation="sigmoid")])
    model.compile("adam", pick("hinge", "binary_crossentropy"), metrics=["accuracy"])
    return model, x, yes_no(x), {"epochs": 30}


@faulty("loss", source=f"{CRIME}: change loss function")
def categorical_hinge_on_softmax(pick):
    """Six classes with softmax and categorical hinge, given as an object."""
    x, y = images(16, 3, 6)
    model = Sequential([
        Input((16, 16, 3)), layers.Conv2D(16, 3, activation="relu"), layers.GlobalMaxPooling2D(),
        layers.Dense(6, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", pick(losses.CategoricalHinge(), losses.CategoricalCrossentropy()), metrics=["accuracy"])
    return model, x, one_hot(y, 6), {"epochs": 30}


@faulty("loss", source=f"{CRIME}: change loss function")
def poisson_on_classes(pick):
    """Four classes with softmax; Poisson counts as the loss."""
    x = rows(9)
    y = one_hot(choices(x, 4), 4)
    model = Sequential([Input((9,)), layers.Dense(32, "relu"), layers.Dense(4), layers.Activation("softmax")])
    model.compile("adam", pick("poisson", "categorical_crossentropy"), metrics=["accuracy"])
    return model, x, y, {"epochs": 40}


@faulty("loss", source=f"{CRIME}: change loss function")
def cosine_on_classes(pick):
    """Four classes with softmax; only the direction of the probabilities counts."""
    x = rows(9)
    y = one_hot(choices(x, 4), 4)
    inputs = Input((9,))
    z = layers.Dense(4)(layers.Dense(32, activation="relu")(inputs))
    model = Model(inputs, layers.Softmax()(z))
    model.compile("adam", pick(losses.CosineSimilarity(), "categorical_crossentropy"), metrics=["accuracy"])
    return model, x, y, {"epochs": 40}


@faulty("loss", "output activation", source=f"{CRIME}: change loss function")
def divergence_without_probabilities(pick):
    """Four classes, linear outputs, and the Kullback-Leibler divergence of them."""
    x = rows(9)
    y = one_hot(choices(x, 4), 4)
    model = Sequential([Input((9,)), layers.Dense(32, "relu"), layers.Dense(4, pick("linear", "softmax"))])
    model.compile("adam", pick("kl_divergence", "categorical_crossentropy"), metrics=["accuracy"])
    return model, x, y, {"epochs": 40}


@faulty("output activation", source=f"{THEIA}: activation of the last layer")
def tanh_before_crossentropy(pick):
    """Two classes of sounds; tanh gives -1 to 1 where a probability is due."""
    x = rows(26)
    model = Sequential([
        Input((26,)), layers.Dense(32, "relu"), layers.Dense(16, "relu"),
        layers.Dense(1, activation=pick("tanh", "sigmoid")),
    ])  # fmt: skip
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model, x, yes_no(x), {"epochs": 40}


@faulty("output activation", source=f"{CRIME}: change activation function")
def softsign_over_classes(pick):
    """Seven classes; softsign in the last layer, as a layer of its own."""
    x, y = images(16, 3, 7)
    model = Sequential([
        Input((16, 16, 3)), layers.Conv2D(16, 3, activation="relu"), layers.GlobalAveragePooling2D(),
        layers.Dense(7), layers.Activation(pick("softsign", "softmax")),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


@faulty("output activation", source=f"{DEEPFD}: wrong activation function")
def relu_over_classes(pick):
    """Three classes; relu of the last layer by an operation, not a layer."""
    x = rows(13)
    inputs = Input((13,))
    z = layers.Dense(3)(layers.Dense(16, activation="relu")(inputs))
    model = Model(inputs, pick(ops.relu, ops.softmax)(z))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, x, one_hot(choices(x, 3), 3), {"epochs": 50}


@faulty("output activation", "layer order", source=f"{NEURALINT}: activation after the last softmax")
def relu_before_softmax(pick):
    """Ten classes: relu cuts the scores off at 0 before softmax."""
    x, y = images(20, 1, 10)
    model = Sequential([
        Input((20, 20, 1)), layers.Flatten(), layers.Dense(64, activation="relu"),
        layers.Dense(10, activation=pick("relu", None)), layers.Activation("softmax"),
    ])  # fmt: skip
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, x, one_hot(y, 10), {"epochs": 20}
