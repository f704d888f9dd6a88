"""Sound programs as they occur in the wild: tables, pictures, and how they are trained."""

import numpy as np

from benchmarks.faults.data import choices, images, one_hot, quantity, rows, yes_no
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

WILD = "a program of the kind that forums answer with"
FIT = {"epochs": 40, "batch_size": 32}


@sound(f"{WILD}: prices on a scale of logarithms")
def prices_as_logarithms():
    """log1p of prices, standardized columns, RMSprop."""
    x = rows(13)
    y = np.log1p(np.exp(12 + 0.4 * quantity(x)))
    model = Sequential([Input((13,)), layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(1)])
    model.layers[-1].bias.assign([float(y.mean())])
    model.compile(optimizers.RMSprop(1e-3), "mse", metrics=["mae"])
    return model, x, y, {"epochs": 100}


@sound(f"{WILD}: targets put on unit scale by a wrapper")
def targets_scaled_by_the_program():
    """Targets divided by their deviation before fit."""
    x = rows(6)
    y = 5e4 + 2e4 * quantity(x)
    y = (y - y.mean()) / y.std()
    model = Sequential([Input((6,)), layers.Dense(32, "elu"), layers.Dense(1, "linear")])
    model.compile(optimizers.Adam(0.01), "huber")
    return model, x, y, FIT


@sound(f"{WILD}: MinMaxScaler for x and y, a sigmoid for y of 0 to 1")
def shares_of_zero_to_one():
    """Shares of 0 to 1 by a sigmoid and mse."""
    x = rows(6)
    y = 1 / (1 + np.exp(-2 * quantity(x)))
    model = Sequential([Input((6,)), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")])
    model.compile("adam", "mse")
    return model, x, y, FIT


@sound(f"{WILD}: probabilities as targets of a crossentropy")
def shares_by_crossentropy():
    """Shares of 0 to 1 by binary crossentropy."""
    x = rows(6)
    y = (1 / (1 + np.exp(-2 * quantity(x)))).astype("float32")
    model = Sequential([Input((6,)), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")])
    model.compile("adam", losses.BinaryCrossentropy())
    return model, x, y, FIT


@sound(f"{WILD}: actions of -1 to 1 by tanh")
def steering_by_tanh():
    """A steering angle of -1 to 1 from pictures by tanh."""
    x, y = images(24, 3, 5)
    model = Sequential([Input((24, 24, 3)), layers.Rescaling(2.0, -1.0)])
    for filters in (12, 24):
        model.add(layers.Conv2D(filters, 5, strides=2, activation="elu"))
    for layer in (layers.Flatten(), layers.Dropout(0.3), layers.Dense(1, activation="tanh")):
        model.add(layer)
    model.compile(optimizers.Adam(1e-3), "mse")
    return model, x, (np.asarray(y) / 2.0 - 1).astype("float32"), FIT


@sound(f"{WILD}: Normalization adapted before the model")
def normalization_adapted():
    """Raw columns through an adapted Normalization."""
    x = (rows(3) * np.array([2e4, 12, 3]) + np.array([6e4, 45, 10])).astype("float32")
    norm = layers.Normalization(axis=-1)
    norm.adapt(x)
    model = Sequential([norm, layers.Dense(32, "relu"), layers.Dense(1)])
    model.compile(optimizers.Adam(0.01), "mae")
    return model, x, quantity(rows(3)), FIT


@sound(f"{WILD}: bytes and a Rescaling in the model")
def bytes_rescaled_in_a_base():
    """uint8 pictures; Rescaling is inside of a nested base."""
    x, y = images(24, 3, 4)
    base = Sequential([Input((24, 24, 3)), layers.Rescaling(1 / 127.5, offset=-1), layers.Conv2D(8, 3)])
    base.add(layers.ReLU())
    base.add(layers.GlobalAveragePooling2D())
    inputs = Input((24, 24, 3))
    model = Model(inputs, layers.Dense(4, "softmax")(base(inputs)))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, (x * 255).clip(0, 255).astype("uint8"), y, FIT


@sound(f"{WILD}: x / 255 in a Lambda")
def bytes_divided_in_a_lambda():
    """Bytes divided by 255 in a Lambda."""
    x, y = images(16, 1)
    model = Sequential([Input((16, 16, 1)), layers.Lambda(lambda t: t / 255.0), layers.Flatten()])
    model.add(layers.Dense(64, "relu"))
    model.add(layers.Dense(10))
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model, (x * 255).astype("float32"), y, FIT


@sound(f"{WILD}: transfer with preprocess_input inside")
def preprocess_input_in_the_model():
    """Pictures of 0 to 255 through preprocess_input inside of the model."""
    x, y = images(32, 3, 4, 128)
    inputs = Input((32, 32, 3))
    h = keras.applications.mobilenet_v2.preprocess_input(inputs)
    h = layers.Conv2D(16, 3, strides=2, activation="relu")(h)
    h = layers.GlobalAveragePooling2D()(layers.Conv2D(32, 3, strides=2, activation="relu")(h))
    model = Model(inputs, layers.Dense(4)(layers.Dropout(0.2)(h)))
    model.compile(optimizers.Adam(1e-3), losses.SparseCategoricalCrossentropy(True), metrics=["accuracy"])
    return model, (x * 255).astype("float32"), y, FIT


@sound(f"{WILD}: random changes of pictures in the model")
def augmentation_block_of_its_own():
    """Flips, rotation, zoom, brightness with its range."""
    x, y = images(24, 3, 4)
    block = Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.05), layers.RandomZoom(0.1)])
    block.add(layers.RandomBrightness(0.1, value_range=(0.0, 1.0)))
    inputs = Input((24, 24, 3))
    h = layers.Conv2D(16, 3, activation="relu")(block(inputs))
    h = layers.Conv2D(32, 3, activation="relu")(layers.MaxPooling2D()(h))
    model = Model(inputs, layers.Dense(4, "softmax")(layers.GlobalAveragePooling2D()(h)))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, FIT


@sound(f"{WILD}: fine tuning with a small rate")
def base_thawed_for_fine_tuning():
    """A base that was frozen is thawed, compiled again with 1e-5."""
    x, y = images(24, 3, 4)
    base = Sequential([Input((24, 24, 3)), layers.Conv2D(8, 3, activation="relu"), layers.BatchNormalization()])
    base.add(layers.GlobalMaxPooling2D())
    base.trainable = False
    inputs = Input((24, 24, 3))
    model = Model(inputs, layers.Dense(4, "softmax")(base(inputs, training=False)))
    model.compile(optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=1, verbose=0)
    base.trainable = True
    model.compile(optimizers.Adam(1e-5), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 10}


@sound(f"{WILD}: focal loss of a rare class")
def focal_loss_of_scores():
    """BinaryFocalCrossentropy of scores."""
    x = rows(10)
    y = (quantity(x) > 1.2).astype("float32")
    model = Sequential([Input((10,)), layers.Dense(32, "relu"), layers.Dense(1)])
    model.compile("adam", losses.BinaryFocalCrossentropy(from_logits=True), metrics=[metrics.AUC(from_logits=True)])
    return model, x, y, FIT


@sound(f"{WILD}: class_weight by its rule")
def weights_of_rare_classes():
    """Class weights of n / (k * count)."""
    x = rows(10)
    y = (quantity(x) > 1.4).astype("int64")
    weights = {kind: len(y) / (2 * max((y == kind).sum(), 1)) for kind in (0, 1)}
    model = Sequential([Input((10,)), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=[metrics.Precision(), metrics.Recall()])
    return model, x, y, {**FIT, "class_weight": weights}


@sound(f"{WILD}: several labels")
def several_labels_by_sigmoid():
    """Five labels of a film, binary crossentropy."""
    x = rows(12)
    model = Sequential([Input((12,)), layers.Dense(48, "relu"), layers.Dense(5, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=[metrics.BinaryAccuracy(), metrics.AUC(multi_label=True)])
    return model, x, (quantity(x, 5) > -0.3).astype("int32"), FIT


@sound(f"{WILD}: one label of several that happens to be exclusive")
def attributes_that_rarely_meet():
    """Three attributes, of which a row has none, one, or two."""
    x = rows(9)
    model = Sequential([Input((9,)), layers.Dense(24, "relu"), layers.Dense(3)])
    model.compile("adam", losses.BinaryCrossentropy(from_logits=True))
    return model, x, (quantity(x, 3) > 1.0).astype("float32"), FIT


@sound(f"{WILD}: label smoothing")
def smoothed_labels():
    """CategoricalCrossentropy with label_smoothing."""
    x = rows(9)
    model = Sequential([Input((9,)), layers.Dense(24, "gelu"), layers.Dense(4, "softmax")])
    model.compile(optimizers.AdamW(1e-3), losses.CategoricalCrossentropy(label_smoothing=0.1), metrics=["accuracy"])
    return model, x, one_hot(choices(x, 4), 4), FIT


@sound(f"{WILD}: hinge over -1 and 1")
def support_vectors_with_a_kernel():
    """Random Fourier features, squared hinge, labels of -1 and 1."""
    x = rows(5)
    model = Sequential([Input((5,)), layers.Dense(64, keras.ops.cos, trainable=False), layers.Dense(1)])
    model.compile(optimizers.Adam(0.01), losses.SquaredHinge())
    return model, x, 2.0 * yes_no(x) - 1, FIT


@sound(f"{WILD}: a loss of one's own with its shape")
def own_squared_difference():
    """A function of squares over the last axis."""
    x = rows(8)

    def loss(y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=-1)

    model = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(2)])
    model.compile("adam", loss)
    return model, x, quantity(x, 2), FIT


@sound(f"{WILD}: Dice as a loss")
def one_minus_dice():
    """1 - Dice plus a crossentropy."""
    x, _ = images(16, 1, 4)

    def loss(y_true, y_pred):
        both = ops.sum(y_true * y_pred)
        dice = (2 * both + 1) / (ops.sum(y_true) + ops.sum(y_pred) + 1)
        return 1 - dice + ops.mean(losses.binary_crossentropy(y_true, y_pred))

    model = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    model.add(layers.Conv2D(1, 1, activation="sigmoid"))
    model.compile(optimizers.Adam(0.01), loss)
    return model, x, (x > 0.6).astype("float32"), FIT


@sound(f"{WILD}: minus a likeness as the loss")
def correlation_is_maximized():
    """Minus the correlation, which falls below 0."""
    x = rows(8)

    def loss(y_true, y_pred):
        a, b = y_true - ops.mean(y_true), y_pred - ops.mean(y_pred)
        return -ops.sum(a * b) / (ops.sqrt(ops.sum(a * a) * ops.sum(b * b)) + 1e-6)

    model = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(1)])
    model.compile("adam", loss)
    return model, x, quantity(x)[:, None], FIT


@sound(f"{WILD}: log likelihood of a Gaussian")
def likelihood_of_a_gaussian():
    """Mean and log of the variance; the loss may fall below 0."""
    x = rows(8)

    def loss(y_true, y_pred):
        mean, spread = y_pred[:, :1], y_pred[:, 1:]
        return ops.mean(0.5 * spread + 0.5 * ops.square(y_true - mean) * ops.exp(-spread), axis=-1)

    model = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(2)])
    model.compile("adam", loss)
    return model, x, quantity(x)[:, None], FIT


@sound(f"{WILD}: early stopping and a plateau")
def stops_and_slows():
    """EarlyStopping, ReduceLROnPlateau and a checkpoint of the best."""
    x = rows(8)
    calls = [
        callbacks.EarlyStopping("val_loss", patience=10, restore_best_weights=True),
        callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=4, min_lr=1e-5),
    ]
    model = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(1)])
    model.compile("adam", "mse", metrics=[metrics.RootMeanSquaredError()])
    return model, x, quantity(x), {"epochs": 200, "validation_split": 0.2, "callbacks": calls}


@sound(f"{WILD}: a monitor of accuracy without a mode")
def stops_by_accuracy():
    """EarlyStopping of val_accuracy, whose mode is told by its name."""
    x = rows(8)
    stop = callbacks.EarlyStopping(monitor="val_accuracy", patience=8)
    model = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, choices(x, 3), {"epochs": 60, "validation_split": 0.2, "callbacks": [stop]}


@sound(f"{WILD}: warm-up by a callback")
def warmed_up_by_a_scheduler():
    """LearningRateScheduler: five epochs up, then down."""
    x = rows(8)
    plan = callbacks.LearningRateScheduler(lambda epoch: 1e-3 * min(1, (epoch + 1) / 5) * 0.97**epoch)
    model = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(3, "softmax")])
    model.compile(optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    return model, x, choices(x, 3), {**FIT, "callbacks": [plan]}


@sound(f"{WILD}: SGD with Nesterov momentum")
def nesterov_and_weight_decay():
    """SGD(0.05, 0.9, nesterov) with L2 of 1e-4 and BatchNormalization."""
    x, y = images(16, 1)
    model = Sequential([Input((16, 16, 1))])
    for filters in (8, 16):
        model.add(layers.Conv2D(filters, 3, use_bias=False, kernel_regularizer=regularizers.L2(1e-4)))
        model.add(layers.BatchNormalization())
        model.add(layers.Activation("relu"))
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(optimizers.SGD(0.05, 0.9, nesterov=True), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, FIT


@sound(f"{WILD}: batches of one for small nets")
def perceptron_row_by_row():
    """batch_size=1 with SGD, without normalization."""
    x = rows(4, 150)
    model = Sequential([Input((4,)), layers.Dense(10, "tanh"), layers.Dense(3, "softmax")])
    model.compile(optimizers.SGD(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, choices(x, 3), {"epochs": 30, "batch_size": 1}


@sound(f"{WILD}: a data set of one's own by Sequence")
def batches_by_a_sequence():
    """A PyDataset that shuffles at the end of each epoch."""
    x, y = images(16, 1, 4)

    class Batches(keras.utils.PyDataset):
        def __init__(self):
            super().__init__()
            self.order = np.random.default_rng(0).permutation(len(x))

        def __len__(self):
            return len(x) // 32

        def __getitem__(self, at):
            chosen = self.order[at * 32 : at * 32 + 32]
            return x[chosen], y[chosen]

    model = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, activation="relu"), layers.Flatten()])
    model.add(layers.Dense(4, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, Batches(), None, {"epochs": 20}
