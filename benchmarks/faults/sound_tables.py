"""Sound recipes for tables: regressions, classes, recommenders, several tasks at once."""

from typing import Any

import numpy as np

from benchmarks.faults.data import choices, draw, one_hot, quantity, rows, yes_no
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    callbacks,
    keras,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
    regularizers,
)  # fmt: skip
from benchmarks.faults.program import sound

FIT = {"epochs": 40, "batch_size": 32, "validation_split": 0.2}
SPARSE, BINARY = "sparse_categorical_crossentropy", "binary_crossentropy"


def _net(features, *sizes, units=1, last=None, loss: Any = "mse", optimizer: Any = "adam", **more):
    model = Sequential([Input((features,)), *[layers.Dense(size, activation="relu") for size in sizes]])
    model.add(layers.Dense(units, activation=last))
    model.compile(optimizer, loss, **more)
    return model


@sound("Legendre, Gauss: least squares")
def least_squares():
    """A linear regression by SGD."""
    x = rows(5)
    return _net(5, optimizer=optimizers.SGD(0.05)), x, quantity(x), FIT


@sound("Cox: The regression analysis of binary sequences (1958)")
def logistic_regression():
    """One sigmoid."""
    x = rows(8)
    return _net(8, last="sigmoid", loss=BINARY, optimizer=optimizers.SGD(0.5)), x, yes_no(x), FIT


@sound("Logistic regression of several classes")
def softmax_regression():
    """One softmax with a penalty."""
    x = rows(8)
    model = Sequential([Input((8,)), layers.Dense(4, activation="softmax", kernel_regularizer=regularizers.L2(1e-3))])
    model.compile(optimizers.Adam(0.01), SPARSE, metrics=["accuracy"])
    return model, x, choices(x, 4), FIT


@sound("Rumelhart et al.: Learning representations by back-propagating errors (1986), XOR")
def exclusive_or_by_tanh():
    """Four rows, a hidden layer of tanh, SGD of 0.5 for a thousand steps, the whole batch."""
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
    y = np.array([[0], [1], [1], [0]], "float32")
    model = Sequential([Input((2,)), layers.Dense(8, activation="tanh"), layers.Dense(1, activation="sigmoid")])
    model.compile(optimizers.SGD(0.5, momentum=0.9), BINARY)
    return model, x, y, {"epochs": 1000, "batch_size": 4}


@sound("TensorFlow tutorial: predict fuel efficiency")
def fuel():
    """Normalization adapted to raw columns, two layers of 64; targets of some 25."""
    x = np.array([5, 200, 100, 3000, 15], "float32") * (1 + 0.3 * rows(5))
    normalize = layers.Normalization()
    normalize.adapt(x)
    model = Sequential([Input((5,)), normalize, layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(1)])
    model.compile(optimizers.Adam(0.001), "mean_absolute_error")
    return model, x, 25 + 6 * quantity(x / x.mean(0)), {**FIT, "epochs": 100}


@sound("Chollet: Deep Learning with Python, 4.3, Boston houses")
def houses():
    """Prices in thousands with standardized columns, rmsprop, MSE and MAE."""
    x = rows(13)
    return (
        _net(13, 64, 64, optimizer="rmsprop", metrics=["mae"]),
        x,
        22 + 9 * quantity(x),
        {"epochs": 100, "batch_size": 16},
    )


@sound("Huber: Robust Estimation (1964)")
def robust_regression():
    """Outliers in the targets, and the Huber loss."""
    x = rows(10)
    y = quantity(x) + 3.0 * (draw(1).random(512) < 0.03)
    return _net(10, 32, 16, loss=losses.Huber(delta=1.0)), x, y.astype("float32"), FIT


@sound("Nelder, Wedderburn: Generalized Linear Models (1972)")
def counts_by_poisson():
    """Counts, an exponential output, and the Poisson loss."""
    x = rows(6)
    y = draw(1).poisson(np.exp(0.5 * quantity(x))).astype("float32")
    return _net(6, 16, last="exponential", loss="poisson"), x, y, FIT


@sound("Demand that spans orders of magnitude, with the logarithmic error")
def demand():
    """Positive targets, softplus, and the mean squared logarithmic error."""
    x = rows(10)
    y = np.exp(quantity(x)).astype("float32")
    return _net(10, 32, 16, last="softplus", loss="msle"), x, y, FIT


@sound("Gaussian likelihood of a regression (Nix, Weigend 1994)")
def mean_and_variance():
    """A mean and a log variance, and a loss of one's own."""
    x = rows(8)

    def unlikely(y_true, y_pred):
        mean, log_variance = y_pred[:, :1], y_pred[:, 1:]
        return ops.mean(log_variance + ops.square(y_true - mean) * ops.exp(-log_variance), axis=-1) / 2

    return _net(8, 32, units=2, loss=unlikely), x, quantity(x)[:, None], FIT


@sound("Frank, Hall: A Simple Approach to Ordinal Classification (2001)")
def ordinal_grades():
    """Five grades as four questions, each whether the grade is above."""
    x = rows(10)
    grade = np.digitize(quantity(x), [-1.5, -0.5, 0.5, 1.5])
    above = (grade[:, None] > np.arange(4)).astype("float32")
    return _net(10, 32, units=4, last="sigmoid", loss=BINARY), x, above, FIT


@sound("Koenker, Bassett: Regression Quantiles (1978)")
def upper_quantile():
    """The pinball loss of one quantile."""
    x = rows(8)
    pinball = lambda y_true, y_pred: ops.maximum(0.9 * (y_true - y_pred), -0.1 * (y_true - y_pred))  # noqa: E731
    return _net(8, 32, loss=pinball), x, quantity(x)[:, None], FIT


@sound("Keras example: credit card fraud, with class weights")
def fraud_with_weights():
    """A rare class with weights, dropout, and figures for it."""
    x = rows(20)
    y = (quantity(x) > np.quantile(quantity(x), 0.97)).astype("int64")
    model = _net(20, 64, 64, last="sigmoid", loss=BINARY,
                 metrics=[metrics.Precision(), metrics.Recall(), metrics.AUC()])  # fmt: skip
    return model, x, y, {"epochs": 40, "batch_size": 64, "class_weight": {0: 1.0, 1: 30.0}}


@sound("Keras example: structured data classification from scratch")
def mixed_columns():
    """Numbers and categories, each with their own input."""
    numbers, kind = rows(4), draw(1).integers(0, 5, (512, 1))
    one, two = Input((4,), name="numbers"), Input((1,), dtype="int32", name="kind")
    hot = layers.CategoryEncoding(5, output_mode="one_hot")(two)
    z = layers.Dropout(0.5)(layers.Dense(32, activation="relu")(layers.Concatenate()([one, hot])))
    model = Model({"numbers": one, "kind": two}, layers.Dense(1, activation="sigmoid")(z))
    model.compile("adam", BINARY, metrics=["accuracy"])
    return model, {"numbers": numbers, "kind": kind}, yes_no(numbers), FIT


@sound("Cheng et al.: Wide & Deep Learning (2016)")
def wide_and_deep():
    """Crossed columns straight to the output, and a deep part."""
    x, crossed = rows(6), (rows(20, seed=3) > 1).astype("float32")
    deep, wide = Input((6,)), Input((20,))
    z = layers.Dense(16, activation="relu")(layers.Dense(32, activation="relu")(deep))
    model = Model([deep, wide], layers.Dense(1, activation="sigmoid")(layers.Concatenate()([z, wide])))
    model.compile("adam", BINARY)
    return model, [x, crossed], yes_no(x), FIT


@sound("Wang et al.: Deep & Cross Network (2017)")
def deep_and_cross():
    """Products with the input, layer by layer."""
    x = rows(8)
    inputs = z = Input((8,))
    for _ in range(2):
        z = inputs * layers.Dense(8)(z) + z
    deep = layers.Dense(16, activation="relu")(layers.Dense(32, activation="relu")(inputs))
    model = Model(inputs, layers.Dense(1, activation="sigmoid")(layers.Concatenate()([z, deep])))
    model.compile("adam", BINARY)
    return model, x, yes_no(x), FIT


@sound("Rendle: Factorization Machines (2010)")
def factorization_machine():
    """Sums of products of factors of the columns."""
    x = (rows(12) > 0.5).astype("float32")
    inputs = Input((12,))
    factors = layers.Dense(4, use_bias=False)(inputs)
    squares = layers.Dense(4, use_bias=False)(ops.square(inputs))
    pairs = ops.sum(ops.square(factors) - squares, axis=1, keepdims=True) / 2
    model = Model(inputs, layers.Add()([layers.Dense(1)(inputs), pairs]))
    model.compile("adam", losses.BinaryCrossentropy(from_logits=True))
    return model, x, yes_no(x), FIT


@sound("Koren et al.: Matrix Factorization Techniques for Recommender Systems (2009)")
def stars_by_factors():
    """Users and items, biases of both, and stars of 1 to 5."""
    user, item = draw(1).integers(0, 80, (512, 1)), draw(2).integers(0, 60, (512, 1))
    taste = draw(3).normal(size=80)[user[:, 0]] + draw(4).normal(size=60)[item[:, 0]]
    stars = np.clip(np.round(3 + taste), 1, 5).astype("float32")
    one, two = Input((1,), dtype="int32"), Input((1,), dtype="int32")
    flat = lambda z: layers.Flatten()(z)  # noqa: E731
    product = layers.Dot(axes=1)([flat(layers.Embedding(80, 8)(one)), flat(layers.Embedding(60, 8)(two))])
    biases = [flat(layers.Embedding(80, 1)(one)), flat(layers.Embedding(60, 1)(two))]
    model = Model([one, two], layers.Dense(1)(layers.Add()([product, *biases])))
    model.compile(optimizers.Adam(0.01), "mse")
    return model, [user, item], stars, FIT


@sound("He et al.: Neural Collaborative Filtering (2017)")
def clicks_by_layers():
    """Embeddings of users and items through layers, with a sigmoid."""
    user, item = draw(1).integers(0, 80, 512), draw(2).integers(0, 60, 512)
    y = ((user % 3) == (item % 3)).astype("float32")
    one, two = Input((), dtype="int32", name="user"), Input((), dtype="int32", name="item")
    z = layers.Concatenate()([layers.Embedding(80, 16)(one), layers.Embedding(60, 16)(two)])
    z = layers.Dense(16, activation="relu")(layers.Dense(32, activation="relu")(z))
    model = Model({"user": one, "item": two}, layers.Dense(1, activation="sigmoid")(z))
    model.compile("adam", BINARY, metrics=[metrics.AUC()])
    return model, {"user": user, "item": item}, y, {**FIT, "epochs": 60}


@sound("Covington et al.: Deep Neural Networks for YouTube Recommendations (2016)")
def two_towers():
    """A tower for users, a table for 400 items, and the softmax over all items."""
    history = draw(1).integers(1, 400, (512, 10))
    inputs = Input((10,), dtype="int32")
    z = layers.GlobalAveragePooling1D()(layers.Embedding(400, 32)(inputs))
    z = layers.Dense(32, activation="relu")(layers.Dense(64, activation="relu")(z))
    model = Model(inputs, layers.Dense(400)(z))
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True),
                  metrics=[metrics.SparseTopKCategoricalAccuracy(10)])  # fmt: skip
    return model, history, history.max(axis=1), {**FIT, "epochs": 60}


@sound("Caruana: Multitask Learning (1997)")
def price_and_kind():
    """A quantity and a class from shared layers, with weights."""
    x = rows(12)
    inputs = Input((12,))
    z = layers.Dense(32, activation="relu")(layers.Dense(64, activation="relu")(inputs))
    price = layers.Dense(1, name="price")(layers.Dense(16, activation="relu")(z))
    kind = layers.Dense(3, activation="softmax", name="kind")(layers.Dense(16, activation="relu")(z))
    model = Model(inputs, [price, kind])
    model.compile("adam", ["mse", SPARSE], loss_weights=[1.0, 0.5], metrics=[["mae"], ["accuracy"]])
    return model, x, [quantity(x), choices(x, 3)], {"epochs": 40}


@sound("Ma et al.: Multi-gate Mixture-of-Experts (2018)")
def gates_for_two_tasks():
    """Experts weighted by a gate for each of two tasks."""
    x = rows(10)
    inputs = Input((10,))
    experts = layers.Reshape((3, 16))(layers.Dense(48, activation="relu")(inputs))
    outputs = {}
    for name, last in (("buys", "sigmoid"), ("spends", None)):
        gate = layers.Reshape((3, 1))(layers.Dense(3, activation="softmax")(inputs))
        z = layers.Lambda(lambda pair: ops.sum(pair[0] * pair[1], axis=1), output_shape=(16,))([experts, gate])
        outputs[name] = layers.Dense(1, activation=last, name=name)(z)
    model = Model(inputs, outputs)
    model.compile("adam", {"buys": BINARY, "spends": "mae"})
    return model, x, {"buys": yes_no(x), "spends": quantity(x)}, {"epochs": 60}


@sound("Gorishniy et al.: Revisiting Deep Learning Models for Tabular Data (2021), ResNet")
def residual_table():
    """Residual blocks of dense layers with normalization and dropout."""
    x = rows(16)
    inputs = Input((16,))
    z = layers.Dense(64)(inputs)
    for _ in range(3):
        y = layers.Dropout(0.2)(layers.Dense(128, activation="relu")(layers.BatchNormalization()(z)))
        z = z + layers.Dropout(0.1)(layers.Dense(64)(y))
    z = layers.ReLU()(layers.BatchNormalization()(z))
    model = Model(inputs, layers.Dense(4, activation="softmax")(z))
    model.compile(optimizers.AdamW(1e-3), SPARSE, metrics=["accuracy"])
    return model, x, choices(x, 4), FIT


@sound("Gorishniy et al.: FT-Transformer (2021)")
def columns_as_tokens():
    """Each column a token with a vector and a bias of its own."""
    x = rows(10)
    inputs = Input((10,))
    z = layers.EinsumDense("bc,ch->bch", (10, 16), bias_axes="ch")(inputs)
    for _ in range(2):
        y = layers.LayerNormalization()(z)
        z = z + layers.MultiHeadAttention(2, 8)(y, y)
        z = z + layers.Dense(16)(layers.Dense(32, activation="relu")(layers.LayerNormalization()(z)))
    model = Model(inputs, layers.Dense(1)(layers.Flatten()(layers.LayerNormalization()(z))))
    model.compile(optimizers.AdamW(1e-3), "mse")
    return model, x, quantity(x), FIT


@sound("Kontschieder et al.: Deep Neural Decision Forests (2015)")
def soft_decision_tree():
    """Gates by sigmoids that lead to eight leaves."""
    x = rows(8)
    inputs = Input((8,))
    gates = layers.Dense(3, activation="sigmoid")(inputs)
    left, leaves = ops.stack([gates, 1 - gates], axis=-1), None
    for depth in range(3):
        side = left[:, depth]
        leaves = side if leaves is None else ops.reshape(leaves[:, :, None] * side[:, None, :], (-1, 2 ** (depth + 1)))
    model = Model(inputs, layers.Dense(1)(leaves))
    model.compile(optimizers.Adam(0.01), "mse")
    return model, x, quantity(x), FIT


@sound("Zaheer et al.: Deep Sets (2017)")
def sets_of_points():
    """A sum over the members, so that their order does not matter."""
    x = rows(30).reshape(-1, 10, 3)
    inputs = Input((10, 3))
    z = layers.Dense(32)(layers.Dense(32, activation="relu")(inputs))
    z = layers.Lambda(lambda t: ops.sum(t, axis=1), output_shape=(32,))(z)
    model = Model(inputs, layers.Dense(1)(layers.Dense(32, activation="relu")(z)))
    model.compile("adam", "mse")
    return model, x, quantity(x.mean(axis=1)), FIT


@sound("Kipf, Welling: Graph Convolutional Networks (2017)")
def graph_convolutions():
    """Features of nodes multiplied with a fixed matrix of neighbours."""
    x = rows(60).reshape(-1, 12, 5)
    near = np.eye(12) + np.eye(12, k=1) + np.eye(12, k=-1)
    near = ops.convert_to_tensor((near / near.sum(axis=1, keepdims=True)).astype("float32"))
    inputs = Input((12, 5))
    z = ops.relu(ops.matmul(near, layers.Dense(16)(inputs)))
    z = ops.relu(ops.matmul(near, layers.Dense(16)(z)))
    model = Model(inputs, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(z)))
    model.compile(optimizers.Adam(0.01), SPARSE)
    return model, x, choices(x.mean(axis=1), 3), FIT


@sound("Ruder et al.: early stopping, checkpoints and a falling rate as documentation has them")
def usual_callbacks():
    """EarlyStopping, ReduceLROnPlateau and ModelCheckpoint on figures that there are."""
    x = rows(12)
    used = [callbacks.EarlyStopping("val_loss", patience=8, restore_best_weights=True),
            callbacks.ReduceLROnPlateau("val_loss", factor=0.2, patience=4),
            callbacks.ModelCheckpoint("/tmp/best.keras", monitor="val_accuracy", save_best_only=True)]  # fmt: skip
    model = _net(12, 32, last="sigmoid", loss=BINARY, metrics=["accuracy"])
    return model, x, yes_no(x), {**FIT, "callbacks": used}


@sound("Loshchilov, Hutter: SGDR (2017)")
def cosine_with_warmup():
    """A rate that rises and falls over exactly the steps there are."""
    x = rows(12)
    rate = optimizers.schedules.CosineDecay(0.0, 40 * 16, warmup_target=0.01, warmup_steps=60)
    return _net(12, 64, 32, optimizer=optimizers.AdamW(rate)), x, quantity(x), {"epochs": 40, "batch_size": 32}


@sound("Srivastava et al.: Dropout (2014)")
def dropout_of_a_half():
    """Half of wide hidden layers dropped, with weights of limited norm."""
    x = rows(20)
    limit = {"kernel_constraint": keras.constraints.MaxNorm(3.0)}
    model = Sequential([
        Input((20,)), layers.Dense(128, "relu", **limit), layers.Dropout(0.5), layers.Dense(128, "relu", **limit),
        layers.Dropout(0.5), layers.Dense(1, "sigmoid"),
    ])  # fmt: skip
    model.compile(optimizers.SGD(0.1, momentum=0.9), BINARY, metrics=["accuracy"])
    return model, x, yes_no(x), FIT


@sound("Sensor readings of whole numbers that are small")
def small_whole_numbers():
    """Columns of 0 to 9, and a class; as they are."""
    x = draw(1).integers(0, 10, (512, 6)).astype("float32")
    return _net(6, 32, 16, units=3, last="softmax", loss=SPARSE), x, choices(x, 3), FIT


@sound("Two classes by two units of softmax, as many tutorials have it")
def two_units_of_softmax():
    """One-hot rows of two classes."""
    x = rows(10)
    model = _net(10, 16, units=2, last="softmax", loss="categorical_crossentropy", metrics=["accuracy"])
    return model, x, one_hot(yes_no(x), 2), FIT


@sound("Rahimi, Recht: random features; a layer that is random and frozen on purpose")
def random_features():
    """A wide random layer that is never trained, and a linear one that is."""
    x = rows(6)
    random = layers.Dense(256, activation="relu", trainable=False)
    model = Sequential([Input((6,)), random, layers.Dense(1, kernel_regularizer=regularizers.L2(1e-4))])
    model.compile("adam", "mse")
    return model, x, quantity(x), FIT
