"""Faults inside the network: activations, depth, initial weights and width."""

from benchmarks.faults.data import choices, images, one_hot, quantity, rows, series, yes_no
from benchmarks.faults.library import Input, Model, Sequential, initializers, layers, optimizers, regularizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import AUTOTRAINER, CRIME, DEEPFD, NEURALINT, STUDY, TAXONOMY, THEIA, UMLAUT


@faulty("gradient flow", "hidden activation", source=f"{AUTOTRAINER}: vanishing gradients")
def twelve_sigmoids(pick):
    """A dozen layers of sigmoids: the first ones get no gradient."""
    x = rows(20)
    model = Sequential([Input((20,))])
    for _ in range(12):
        model.add(
            layers.Dense(32, activation=pick("sigmoid", "relu"), kernel_initializer=pick("glorot_uniform", "he_normal"))
        )
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, x, yes_no(x), {"epochs": 40}


@faulty("gradient flow", "hidden activation", source=f"{AUTOTRAINER}: vanishing gradients on two circles")
def tanh_through_ten_layers(pick):
    """Inside or outside of a circle; ten layers of tanh by plain SGD."""
    x = rows(2)
    y = ((x**2).sum(axis=1) > 1.4).astype("int64")
    z = inputs = Input((2,))
    for _ in range(10):
        z = layers.Dense(10)(z)
        z = layers.Activation(pick("tanh", "relu"))(z)
        z = z if pick(True, False) else layers.BatchNormalization()(z)
    model = Model(inputs, layers.Dense(1, "sigmoid")(z))
    model.compile(pick(optimizers.SGD(0.01), optimizers.Adam(0.001)), "binary_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 100}


@faulty("gradient flow", "hidden activation", "layer order", source=f"{AUTOTRAINER}: vanishing gradients on pictures")
def deep_sigmoid_convolutions(pick):
    """Eight convolutions with sigmoid, without normalization."""
    x, y = images(16, 3, 10)
    model = Sequential([Input((16, 16, 3))])
    for _ in range(8):
        model.add(layers.Conv2D(16, 3, padding="same", use_bias=pick(True, False)))
        if pick(False, True):
            model.add(layers.BatchNormalization())
        model.add(layers.Activation(pick("sigmoid", "relu")))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(10, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 20}


@faulty("gradient flow", "initializer", "learning rate", source=f"{AUTOTRAINER}: exploding gradients")
def wide_initial_weights(pick):
    """Eight layers whose initial weights have a standard deviation of 2."""
    x = rows(20)
    start = pick(initializers.RandomNormal(stddev=2.0), "he_normal")
    model = Sequential([Input((20,)), *[layers.Dense(64, "relu", kernel_initializer=start) for _ in range(8)]])
    model.add(layers.Dense(1))
    model.compile("adam", "mse")
    return model, x, quantity(x), {"epochs": 40}


@faulty("gradient flow", "hidden activation", "initializer", "layer order", source=f"{AUTOTRAINER}: dying ReLU")
def thirty_thin_relus(pick):
    """Thirty layers of five relus: nearly surely all of one layer die."""
    x = rows(10)
    z = inputs = Input((10,))
    for step in range(30):
        y = layers.Dense(5 if pick(True, False) else 16, activation="relu")(z)
        z = y if pick(True, False) or step == 0 else layers.LayerNormalization()(layers.Add()([z, y]))
    model = Model(inputs, layers.Dense(1)(z))
    model.compile("adam", "mae")
    return model, x, quantity(x), {"epochs": 40}


@faulty("initializer", "gradient flow", source=f"{AUTOTRAINER}: dying ReLU by negative biases")
def biases_of_minus_ten(pick):
    """Biases that begin so low that no unit is ever above 0."""
    x = rows(16)
    low = pick(initializers.Constant(-10.0), "zeros")
    model = Sequential([
        Input((16,)), layers.Dense(32, "relu", bias_initializer=low), layers.Dense(32, "relu", bias_initializer=low),
        layers.Dense(4, "softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, choices(x, 4), {"epochs": 40}


@faulty("initializer", source=f"{NEURALINT}: constant initial weights")
def begins_with_zeros(pick):
    """All weights of the hidden layers begin with 0."""
    x, y = images(16, 1, 5)
    start = pick("zeros", "glorot_uniform")
    model = Sequential([
        Input((16, 16, 1)), layers.Conv2D(8, 3, activation="relu", kernel_initializer=start), layers.Flatten(),
        layers.Dense(32, activation="relu", kernel_initializer=start), layers.Dense(5, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 20}


@faulty("initializer", source=f"{CRIME}: change weights initialisation")
def begins_with_ones(pick):
    """Hidden weights of 1, by which all units of a layer are the same."""
    x = rows(12)
    inputs = Input((12,))
    z = layers.Dense(24, kernel_initializer=pick(initializers.Ones(), initializers.HeNormal()))(inputs)
    z = layers.Activation("relu")(z)
    model = Model(inputs, layers.Dense(1, activation="sigmoid")(z))
    model.compile("adam", "binary_crossentropy")
    return model, x, yes_no(x), {"epochs": 40}


@faulty("initializer", source=f"{CRIME}: change weights initialisation")
def a_constant_for_the_recurrence(pick):
    """An LSTM whose kernels are one number."""
    x, y = series(20, 2)
    start = pick(initializers.Constant(0.1), "glorot_uniform")
    again = pick(initializers.Constant(0.1), "orthogonal")
    model = Sequential([Input((20, 2)), layers.LSTM(16, kernel_initializer=start, recurrent_initializer=again)])
    model.add(layers.Dense(1))
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 30}


@faulty("initializer", source=f"{NEURALINT}: initial weights by a normal distribution of deviation 1")
def unit_normal_weights(pick):
    """784 inputs into relu units with weights of deviation 1: outputs of 10 and more."""
    x, y = images(28, 1, 10)
    start = pick(initializers.RandomNormal(0.0, 1.0), "he_normal")
    model = Sequential([
        Input((28, 28, 1)), layers.Flatten(), layers.Dense(128, "relu", kernel_initializer=start),
        layers.Dense(64, "relu", kernel_initializer=start),
        layers.Dense(10, "softmax", kernel_initializer=pick(start, "glorot_uniform")),
    ])  # fmt: skip
    model.compile(optimizers.Adam(0.001), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 15}


@faulty("hidden activation", source=f"{UMLAUT}: no nonlinearity between layers")
def convolutions_without_activation(pick):
    """Three convolutions in a row that are one."""
    x, y = images(20, 3, 8)
    kind = pick("linear", "relu")
    model = Sequential([
        Input((20, 20, 3)), layers.Conv2D(16, 3, activation=kind), layers.Conv2D(32, 3, activation=kind),
        layers.Conv2D(32, 3, activation=kind), layers.GlobalMaxPooling2D(), layers.Dense(8, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 20}


@faulty("hidden activation", source=f"{CRIME}: remove activation function")
def forgotten_activation(pick):
    """The second of three hidden layers lost its activation."""
    x = rows(16)
    z = inputs = Input((16,))
    z = layers.Dense(64, activation="relu")(z)
    z = layers.Dense(64)(z)
    z = z if pick(True, False) else layers.ReLU()(z)
    z = layers.Dense(32, activation="relu")(layers.Dropout(0.2)(z))
    model = Model(inputs, layers.Dense(5, activation="softmax")(z))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, choices(x, 5), {"epochs": 40}


@faulty("hidden activation", source=f"{THEIA}: activation of hidden layers")
def softmax_in_the_middle(pick):
    """Softmax as the activation of hidden layers: their outputs add up to 1 and hardly vary."""
    x = rows(16)
    kind = pick("softmax", "relu")
    model = Sequential([
        Input((16,)), layers.Dense(64, activation=kind), layers.Dense(64, activation=kind),
        layers.Dense(3, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, x, one_hot(choices(x, 3), 3), {"epochs": 40}


@faulty("hidden activation", source=f"{NEURALINT}: redundant activations")
def relu_twice(pick):
    """relu in the layer and once more after it, in three blocks."""
    x, y = images(20, 3, 4)
    model = Sequential([Input((20, 20, 3))])
    for filters in (16, 32):
        model.add(layers.Conv2D(filters, 3, activation=pick("relu", None)))
        model.add(layers.Activation("relu"))
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(4, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 20}


@faulty("hidden activation", source=f"{NEURALINT}: two different activations in a row")
def sigmoid_after_relu(pick):
    """relu in the layer, then sigmoid: values from 0.5 to 1."""
    x = rows(14)
    model = Sequential([Input((14,)), layers.Dense(32, activation="relu")])
    if pick(True, False):
        model.add(layers.Activation("sigmoid"))
    model.add(layers.Dense(16, activation="relu"))
    if pick(True, False):
        model.add(layers.Activation("tanh"))
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy")
    return model, x, yes_no(x), {"epochs": 40}


@faulty("capacity", source=f"{THEIA}: a hidden layer narrower than the classes")
def two_units_for_forty_classes(pick):
    """Forty classes through two relus."""
    x, y = images(20, 3, 40)
    model = Sequential([
        Input((20, 20, 3)), layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(),
        layers.Dense(pick(2, 128), activation="relu"), layers.Dense(40, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 40}


@faulty("capacity", source=f"{DEEPFD}: wrong number of units; Stack Overflow 39217567, {STUDY}")
def bits_through_one_unit(pick):
    """A function of eight bits by one hidden unit per layer."""
    x = (rows(8) > 0).astype("float32")
    y = one_hot(choices(x, 8), 8)
    wide = pick(1, 64)
    model = Sequential([
        Input((8,)), layers.Dense(wide, activation="relu"), layers.Dense(wide, activation="relu"),
        layers.Dense(8, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 100}


@faulty("regularization", source=f"{CRIME}: add weights regularisation")
def penalty_of_ten(pick):
    """L2 of 10 on every layer: all weights go to 0."""
    x = rows(16)
    much = regularizers.L2(pick(10.0, 1e-4))
    model = Sequential([
        Input((16,)), layers.Dense(64, "relu", kernel_regularizer=much),
        layers.Dense(32, "relu", kernel_regularizer=much), layers.Dense(1, "sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, x, yes_no(x), {"epochs": 40}


@faulty("regularization", source=f"{CRIME}: add weights regularisation; {TAXONOMY}")
def absolute_penalty_on_convolutions(pick):
    """L1 of 1 on the filters, by a string."""
    x, y = images(20, 3, 6)
    often = {"kernel_regularizer": pick(regularizers.l1(1.0), regularizers.l1(1e-5))}
    model = Sequential([
        Input((20, 20, 3)), layers.Conv2D(32, 3, activation="relu", **often), layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu", **often), layers.GlobalAveragePooling2D(),
        layers.Dense(6, activation="softmax", **often),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


@faulty("dropout", source=f"Stack Overflow 60566498; {NEURALINT}, {UMLAUT}: dropout rate too high")
def four_fifths_dropped(pick):
    """Dropout of 0.8 before the last layer, which sees a fifth of the features."""
    x, y = images(32, 1, 3)
    model = Sequential([Input((32, 32, 1))])
    for _ in range(3):
        model.add(layers.Conv2D(32, (3, 3), padding="same"))
        model.add(layers.Activation("relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dense(64))
    model.add(layers.BatchNormalization())
    model.add(layers.Activation("relu"))
    model.add(layers.Dropout(pick(0.8, 0.3)))
    model.add(layers.Dense(3))
    model.add(layers.Activation("softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model, x, one_hot(y, 3), {"epochs": 20}


@faulty("dropout", source=f"{UMLAUT}: dropout rate too high")
def rate_to_keep(pick):
    """0.9 meant as the share to keep, as in TensorFlow 1; it drops nine of ten."""
    x = rows(30)
    drop = pick(0.9, 0.1)
    model = Sequential([
        Input((30,)), layers.Dense(64, "relu"), layers.Dropout(drop), layers.Dense(64, "relu"), layers.Dropout(drop),
        layers.Dense(1),
    ])  # fmt: skip
    model.compile("adam", "mse")
    return model, x, quantity(x), {"epochs": 50}


@faulty("dropout", "layer order", source=f"{TAXONOMY}: wrong layer; dropout of the inputs")
def half_of_the_inputs_dropped(pick):
    """Dropout of 0.5 on eight measured columns."""
    x = rows(8)
    inputs = Input((8,))
    z = inputs if pick(False, True) else layers.Dropout(0.5)(inputs)
    z = layers.Dense(32, activation="relu")(z)
    z = layers.Dense(32, activation="relu")(z)
    model = Model(inputs, layers.Dense(1, activation="sigmoid")(z))
    model.compile("adam", "binary_crossentropy")
    return model, x, yes_no(x), {"epochs": 50}


@faulty("dropout", "layer order", source=f"{TAXONOMY}: dropout after the last layer")
def dropout_of_the_answer(pick):
    """Dropout after softmax."""
    x, y = images(16, 3, 5)
    model = Sequential([Input((16, 16, 3)), layers.Conv2D(16, 3, activation="relu"), layers.GlobalMaxPooling2D()])
    last = [layers.Dense(5, activation="softmax"), layers.Dropout(0.25)]
    for layer in pick(last, last[::-1]):
        model.add(layer)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}
