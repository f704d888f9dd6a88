"""Faults of regressions: the last activation, the scale of the targets, the loss and its figures."""

import numpy as np

from benchmarks.faults.data import draw, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import Input, Model, Sequential, layers, losses, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import CRIME, DEEPFD, DEEPLOCALIZE, DEFECTS, NEURALINT, STUDY, TAXONOMY, THEIA, UMLAUT


@faulty(
    "output activation", "input scale", "target scale", source=f"Stack Overflow 33969059; {DEEPLOCALIZE}, {NEURALINT}"
)
def weighted_sum(pick):
    """A weighted sum of three numbers up to 10000; the one output ends in softmax."""
    x = (10000 * draw(0).random((512, 3))).astype("float32")
    y = x @ np.array([2.0, 1.0, 0.5], "float32") + 2.2
    x, y = (x, y) if pick(True, False) else (x / 10000, y / 10000)
    model = Sequential([
        Input((3,)), layers.Dense(8), layers.Activation("tanh"), layers.Dense(8), layers.Activation("tanh"),
        layers.Dense(1), layers.Activation(pick("softmax", "linear")),
    ])  # fmt: skip
    model.compile(loss="mean_squared_error", optimizer=optimizers.SGD(0.01, momentum=0.9, nesterov=True))
    return model, x, y, {"epochs": 20}


@faulty("loss", "output activation", source=f"Stack Overflow 41372874, 39525358; {DEEPLOCALIZE}")
def sine_as_a_class(pick):
    """Heights of a sine, -1 to 1, learned with a sigmoid and the binary crossentropy."""
    x = draw(0).uniform(-3, 3, (512, 2)).astype("float32")
    y = np.sin(x[:, 0])
    model = Sequential([
        Input((2,)), layers.Dense(16), layers.Activation("relu"), layers.Dense(16), layers.Activation("relu"),
        layers.Dense(1), layers.Activation(pick("sigmoid", "linear")),
    ])  # fmt: skip
    model.compile(loss=pick("binary_crossentropy", "mse"), optimizer="adam", metrics=pick(["accuracy"], ["mae"]))
    return model, x, y, {"epochs": 100, "batch_size": 16}


@faulty("output activation", "target scale", source=f"Stack Overflow 48221692; {DEEPLOCALIZE}")
def line_through_a_sigmoid(pick):
    """A straight line from -5 to 5 with a sigmoid at the end."""
    x = draw(0).uniform(-1, 1, (400, 1)).astype("float32")
    y = (5 * x[:, 0] + 0.1 * draw(1).normal(size=400)).astype("float32") / pick(1, 5)
    model = Sequential([
        Input((1,)), layers.Dense(5), layers.Activation("tanh"), layers.Dense(1),
        layers.Activation(pick("sigmoid", "linear")),
    ])  # fmt: skip
    model.compile(loss="mean_squared_error", optimizer=optimizers.SGD(0.05))
    return model, x, y, {"epochs": 1000, "batch_size": 50}


@faulty("output activation", source=f"Stack Overflow 48251943; {DEEPLOCALIZE}")
def change_of_price(pick):
    """Changes of a price, up and down; relu in the last layer cannot go below 0."""
    x = rows(2)
    model = Sequential([
        Input((2,)), layers.Dense(16), layers.Activation("relu"), layers.Dense(1),
        pick(layers.ReLU(), layers.Activation("linear")),
    ])  # fmt: skip
    model.compile(loss="mean_squared_error", optimizer="adam", metrics=["mae"])
    return model, x, quantity(x), {"epochs": 50, "batch_size": 10}


@faulty("learning rate", "input scale", "target scale", source=f"Stack Overflow 48934338; {DEEPLOCALIZE}")
def parabola(pick):
    """5 x² from 0 to 125 by plain SGD with a rate of 0.1, which blows up."""
    x = np.arange(0.0, 5.0, 0.01, dtype="float32").reshape(-1, 1)
    y = 5 * x**2 + draw(0).normal(size=(500, 1)).astype("float32") ** 3
    x, y = (x, y) if pick(True, False) else ((x - x.mean()) / x.std(), (y - y.mean()) / y.std())
    model = Sequential([
        Input((1,)), layers.Dense(50), layers.Activation("relu"), layers.Dense(30), layers.Activation("relu"),
        layers.Dense(1), layers.Activation("linear"),
    ])  # fmt: skip
    model.compile(loss="mse", optimizer=pick(optimizers.SGD(0.1), optimizers.Adam(0.001)))
    return model, x, y, {"epochs": 200}


@faulty("metric", source=f"{STUDY}: accuracy of a regression")
def accuracy_of_prices(pick):
    """Prices, and the accuracy of them, which is always 0."""
    x = rows(8)
    model = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(16, "relu"), layers.Dense(1)])
    model.compile("adam", "mse", metrics=[pick("accuracy", "mae")])
    return model, x, quantity(x), {"epochs": 50}


@faulty("target scale", source=f"{THEIA}: targets that are not normalized")
def house_prices_in_dollars(pick):
    """Prices of some 200000 with the squared error: the gradients are enormous."""
    x = rows(13)
    y = 200_000 + 80_000 * quantity(x)
    y = y if pick(True, False) else (y - y.mean()) / y.std()
    model = Sequential([Input((13,)), layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(1)])
    model.compile(optimizers.RMSprop(0.001), "mse", metrics=["mae"])
    return model, x, y, {"epochs": 80, "batch_size": 32}


@faulty("target scale", source=f"{UMLAUT}, {DEFECTS}: data that are not normalized")
def population_by_year(pick):
    """Millions of people, predicted by an LSTM without scaling the targets."""
    x, y = series(12, 1)
    y = pick(4e6, 1.0) * (y[:, 0] + pick(3.0, 0.0))
    inputs = Input((12, 1))
    model = Model(inputs, layers.Dense(1)(layers.LSTM(16)(inputs)))
    model.compile("adam", "mean_absolute_error")
    return model, x, y, {"epochs": 40}


@faulty("output activation", "target scale", source=f"{DEFECTS}: range of the last activation")
def ratings_with_a_sigmoid(pick):
    """Stars 1 to 5 by a sigmoid, which ends at 1."""
    x, label = texts(25, 300, 5)
    y = label + 1.0
    model = Sequential([
        Input((25,), dtype="int32"), layers.Embedding(300, 16), layers.GlobalAveragePooling1D(),
        layers.Dense(32, "relu"), layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", losses.MeanAbsoluteError())
    return model, x, y if pick(True, False) else label / 4.0, {"epochs": 20}


@faulty("output activation", source=f"{TAXONOMY}: wrong activation of the last layer")
def softmax_over_three_quantities(pick):
    """Three independent measures, and softmax makes them add up to 1."""
    x = rows(10)
    model = Sequential([Input((10,)), layers.Dense(32, "relu"), layers.Dense(3, activation=pick("softmax", "linear"))])
    model.compile("adam", "mse")
    return model, x, quantity(x, 3), {"epochs": 60}


@faulty("loss", source=f"{CRIME}: change loss function")
def crossentropy_of_temperatures(pick):
    """Temperatures of tomorrow with a linear output and the crossentropy."""
    x, y = series(24, 3)
    inputs = Input((24, 3))
    model = Model(inputs, layers.Dense(1)(layers.GRU(16)(inputs)))
    model.compile("adam", pick("categorical_crossentropy", "huber"))
    return model, x, y, {"epochs": 30}


@faulty("loss", "output activation", source=f"{CRIME}: change loss function")
def poisson_of_negative_targets(pick):
    """Returns of both signs with the loss for counts."""
    x = rows(12)
    model = Sequential([Input((12,)), layers.Dense(32, "relu"), layers.Dense(1)])
    model.compile("adam", pick(losses.Poisson(), losses.MeanSquaredError()))
    return model, x, quantity(x), {"epochs": 60}


@faulty("loss", "output activation", source=f"{CRIME}: change loss function")
def logarithmic_error_of_negative_targets(pick):
    """Changes of a load, negative half of the time, with the logarithmic error."""
    x = rows(12)
    model = Sequential([Input((12,)), layers.Dense(32, "relu"), layers.Dense(1)])
    model.compile("adam", pick("mean_squared_logarithmic_error", "mean_squared_error"))
    return model, x, quantity(x), {"epochs": 60}


@faulty("loss", source=f"{DEEPFD}: wrong loss function")
def percentage_error_of_zeros(pick):
    """Rain, which is 0 on most days, with the error in percent of it."""
    x = rows(12)
    y = np.maximum(quantity(x), 0)
    model = Sequential([Input((12,)), layers.Dense(32, "relu"), layers.Dense(1, "relu")])
    model.compile("adam", pick("mape", "mae"))
    return model, x, y, {"epochs": 60}


@faulty("shape", source=f"{DEFECTS}: broadcast of (N,) against (N, 1)")
def own_loss_that_broadcasts(pick):
    """A loss by hand, of labels (N, 1) and of outputs that it makes (N,)."""
    x = rows(6)

    def squared(y_true, y_pred):
        return ops.mean(ops.square(y_true - pick(ops.squeeze(y_pred, -1), y_pred)))

    model = Sequential([Input((6,)), layers.Dense(32, "relu"), layers.Dense(1)])
    model.compile("adam", squared)
    return model, x, quantity(x), {"epochs": 60}


@faulty("shape", "output units", source=f"{STUDY}: mismatch of dimensions")
def two_outputs_for_one_target(pick):
    """Latitude alone as the target, and two outputs."""
    x = rows(20)
    model = Sequential([Input((20,)), layers.Dense(32, "relu"), layers.Dense(pick(2, 1))])
    model.compile("adam", "mse")
    return model, x, quantity(x)[:, None], {"epochs": 50}


@faulty("hidden activation", source=f"{UMLAUT}: no nonlinearity between layers")
def deep_but_linear(pick):
    """Five layers without activations learn what one learns."""
    x = rows(9)
    y = np.abs(quantity(x)) - 0.5
    model = Sequential([Input((9,))])
    for _ in range(4):
        model.add(layers.Dense(32, activation=pick(None, "relu")))
    model.add(layers.Dense(1))
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 80}


@faulty("output activation", "loss", source=f"{DEEPFD}: wrong activation function")
def angles_by_tanh(pick):
    """Steering in degrees, up to 90, with tanh in the last layer."""
    x = rows(30)
    y = 30 * quantity(x)
    model = Sequential([Input((30,)), layers.Dense(40, "elu"), layers.Dense(10, "elu"), layers.Dense(1, "tanh")])
    model.compile("adam", "mse")
    return model, x, y if pick(True, False) else np.tanh(y / 30), {"epochs": 60}


@faulty("output activation", "loss", source=f"{THEIA}: activation of the last layer of an autoencoder")
def autoencoder_with_a_sigmoid(pick):
    """Standardized columns, of both signs, given back by a sigmoid."""
    x = rows(20)
    inputs = Input((20,))
    z = layers.Dense(8, activation="relu")(layers.Dense(16, activation="relu")(inputs))
    z = layers.Dense(16, activation="relu")(z)
    model = Model(inputs, layers.Dense(20, activation=pick("sigmoid", "linear"))(z))
    model.compile(optimizer="adam", loss="mse")
    return model, x, x, {"epochs": 50}


@faulty("loss", source=f"{DEEPFD}: wrong loss function; classes as a regression")
def squared_error_of_yes_and_no(pick):
    """Whether a customer leaves, with a sigmoid and the squared error."""
    x = rows(14)
    model = Sequential([Input((14,)), layers.Dense(32, "relu"), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")])
    model.compile("adam", pick("mse", "binary_crossentropy"), metrics=["accuracy"])
    return model, x, yes_no(x), {"epochs": 50}


@faulty("loss", "output activation", source=f"{DEEPFD}: wrong loss function; classes as a regression")
def linear_outputs_for_one_hot_rows(pick):
    """Six classes as one-hot rows by linear outputs and the absolute error."""
    x = rows(16)
    y = one_hot((np.digitize(quantity(x), [-2, -1, 0, 1, 2])), 6)
    model = Sequential([Input((16,)), layers.Dense(48, "relu"), layers.Dense(6, activation=pick(None, "softmax"))])
    model.compile("adam", pick("mae", "categorical_crossentropy"), metrics=["accuracy"])
    return model, x, y, {"epochs": 60}
