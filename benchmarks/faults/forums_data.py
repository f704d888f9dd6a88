"""Faults that are asked about in forums: labels, scales, orders, splits and generators of data."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.drawn import blobs, reviews
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, SCIENCE, TAXONOMY

SPARSE = "sparse_categorical_crossentropy"


def _small_cnn(size, channels, classes, dense=32):
    net = Sequential([Input((size, size, channels)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Conv2D(32, 3, activation="relu"))
    net.add(layers.GlobalAveragePooling2D())
    net.add(layers.Dense(dense, activation="relu"))
    net.add(layers.Dense(classes, activation="softmax"))
    return net


def _unet(size, head):
    inputs = Input((size, size, 1))
    first = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    deep = layers.Conv2D(16, 3, padding="same", activation="relu")(layers.MaxPooling2D()(first))
    z = layers.concatenate([layers.UpSampling2D()(deep), first])
    return Model(inputs, head(layers.Conv2D(8, 3, padding="same", activation="relu")(z)))


def _squares(size=24, count=256):
    x, _ = images(size, 1, 6, count)
    return x, (x > 0.5).astype("float32")


@faulty("labels", source=f"{FORUM}: masks of 0 and 255")
def masks_as_png(pick):
    """The masks are read as PNG files: 0 and 255."""
    x, y = _squares()
    net = _unet(24, layers.Conv2D(1, 1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, pick((y * 255).astype("uint8"), y), {"epochs": 10, "batch_size": 8}


@faulty("labels", source="after codemia.io: masks that were interpolated hold classes that never existed")
def masks_resized_smoothly(pick):
    """Class numbers of 0 to 3 after a bilinear resize: 0.5, 1.25, ..."""
    x, y = _squares()
    numbers = (y[..., 0] * (1 + np.arange(24) // 9)[None, None, :]).astype("float32")
    blurred = (numbers + np.roll(numbers, 1, 1) + np.roll(numbers, 1, 2) + np.roll(numbers, (1, 1), (1, 2))) / 4
    net = _unet(24, layers.Conv2D(4, 1, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, pick(blurred, numbers), {"epochs": 10, "batch_size": 8}


@faulty("imbalance", "metric", source=f"{GITHUB}, qubvel/segmentation_models: black predictions, accuracy 0.99")
def lesions_of_a_few_pixels(pick):
    """One pixel in 200 is of the lesion; binary crossentropy and accuracy."""
    x, _ = _squares(32)
    y = np.zeros_like(x)
    for row, (top, left) in enumerate(draw(2).integers(0, 29, (len(x), 2))):
        x = x if row else x.copy()
        y[row, top : top + 2, left : left + 2] = 1
        x[row, top : top + 2, left : left + 2] = 1
    net = _unet(32, layers.Conv2D(1, 1, activation="sigmoid"))

    def dice(y_true, y_pred):
        return 1 - (2 * ops.sum(y_true * y_pred) + 1) / (ops.sum(y_true) + ops.sum(y_pred) + 1)

    net.compile(
        "adam",
        pick("binary_crossentropy", dice),
        metrics=pick(["accuracy"], [keras.metrics.BinaryIoU(target_class_ids=[1])]),
    )
    return net, x, y, {"epochs": 15, "batch_size": 16}


@faulty("imbalance", source="after exchangetuts.com: class_weight of 9999")
def weights_the_wrong_way_round(pick):
    """The frequent class gets the large weight."""
    x = rows(20)
    y = (quantity(x) > 2.2).astype("int64")
    many, few = float((y == 0).sum()), float((y == 1).sum())
    net = Sequential([Input((20,)), layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=[keras.metrics.Recall()])
    weights = pick({0: many / few, 1: 1.0}, {0: 1.0, 1: many / few})
    return net, x, y, {"epochs": 20, "class_weight": weights}


@faulty("input scale", source=f"{FORUM}: divided by 255 twice")
def divided_twice(pick):
    """The generator rescales by 1/255 what was divided before: 0 to 0.004."""
    x, y = images(32, 3, 10)
    net = _small_cnn(32, 3, 10)
    net.compile(optimizers.SGD(0.01, momentum=0.9), SPARSE, metrics=["accuracy"])
    return net, pick(x / 255, x), y, {"epochs": 20}


@faulty("validation", "input scale", source=f"{FORUM}: the test generator without rescale")
def only_training_pictures_are_scaled(pick):
    """Training pictures of 0 to 1, validation pictures of 0 to 255."""
    x, y = images(32, 3, 10)
    net = _small_cnn(32, 3, 10)
    net.compile("adam", SPARSE, metrics=["accuracy"])
    tested = x[400:] * (255 if pick(True, False) else 1)
    return net, x[:400], y[:400], {"epochs": 20, "validation_data": (tested, y[400:])}


@faulty("input scale", source="after 9to5answer.com: rescale or preprocess_input")
def mobilenet_without_its_preparation(pick):
    """MobileNetV2 from the applications with pixels of 0 to 255."""
    x, y = images(32, 3, 4, 128)
    x = np.clip(x, 0, 1) * 255
    base = keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, include_top=False, weights=None, pooling="avg")
    net = Sequential([Input((32, 32, 3)), base, layers.Dense(4, activation="softmax")])
    net.compile(optimizers.Adam(1e-3), SPARSE, metrics=["accuracy"])
    return net, pick(x, keras.applications.mobilenet_v2.preprocess_input(x.copy())), y, {"epochs": 10, "batch_size": 32}


@faulty("frozen weights", source=f"{GITHUB}: weights=None and layer.trainable = False")
def frozen_random_application(pick):
    """A base without weights is frozen."""
    x, y = images(96, 3, 4, 128)
    base = keras.applications.MobileNetV2((96, 96, 3), alpha=0.35, include_top=False, weights=None)
    for layer in base.layers:
        layer.trainable = pick(False, True)
    z = layers.GlobalAveragePooling2D()(base.output)
    net = Model(base.input, layers.Dense(4, activation="softmax")(z))
    net.compile(optimizers.Adam(1e-3), SPARSE, metrics=["accuracy"])
    return net, 2 * np.clip(x, 0, 1) - 1, y, {"epochs": 200, "batch_size": 32}


@faulty("order of data", "labels", source=f"{FORUM}: np.random.shuffle(x) alone")
def only_rows_were_shuffled(pick):
    """The pictures were shuffled, their labels were not."""
    x, y = images(24, 1, 6)
    x = x[pick(draw(8).permutation(len(x)), np.arange(len(x)))]
    net = _small_cnn(24, 1, 6)
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 30}


class _Pairs(keras.utils.PyDataset):
    def __init__(self, x, y, batch, seeds):
        super().__init__()
        self.x, self.y, self.batch, self.seeds = x, y, batch, seeds

    def __len__(self):
        return len(self.x) // self.batch

    def __getitem__(self, index):
        orders = [draw(seed).permutation(len(self.x)) for seed in self.seeds]
        part = slice(index * self.batch, (index + 1) * self.batch)
        return self.x[orders[0][part]], self.y[orders[1][part]]


@faulty("order of data", "labels", source="after taourl.com: image and mask generators with different seeds")
def masks_of_other_pictures(pick):
    """The generators of pictures and masks have different seeds."""
    x, y = _squares()
    net = _unet(24, layers.Conv2D(1, 1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, _Pairs(x, y, 16, pick((1, 2), (1, 1))), None, {"epochs": 10}


class _FirstBatch(keras.utils.PyDataset):
    def __init__(self, x, y, batch, moves):
        super().__init__()
        self.x, self.y, self.batch, self.moves = x, y, batch, moves

    def __len__(self):
        return len(self.x) // self.batch

    def __getitem__(self, index):
        at = index * self.batch if self.moves else 0
        return self.x[at : at + self.batch], self.y[at : at + self.batch]


@faulty("order of data", "training length", "batch size", source=f"{FORUM}: a Sequence that ignores its index")
def the_same_batch_each_time(pick):
    """__getitem__ gives the first batch, whatever the index."""
    x, y = blobs(512, 12, 4)
    net = Sequential([Input((12,)), layers.Dense(32, activation="relu"), layers.Dense(4, activation="softmax")])
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, _FirstBatch(x, y, 32, pick(False, True)), None, {"epochs": 20}


@faulty("order of data", "validation", source=f"{FORUM}: validation_split of folders read in turn")
def folders_one_after_the_other(pick):
    """Cats, then dogs, then horses; validation_split takes the end."""
    x, y = images(32, 3, 3)
    order = np.argsort(y, kind="stable")
    order = pick(order, order[draw(1).permutation(len(order))])
    net = _small_cnn(32, 3, 3)
    net.compile("rmsprop", SPARSE, metrics=["accuracy"])
    return net, x[order], y[order], {"epochs": 20, "validation_split": 0.25}


@faulty("validation", source=f"{SCIENCE}: SMOTE before the split")
def copies_in_the_validation(pick):
    """The rare rows were repeated before the split: the same rows stand in both parts."""
    x = rows(10, 400)
    y = yes_no(x)
    copies = draw(2).integers(0, 400, 800)
    split = (copies[:600], copies[600:]) if pick(True, False) else (np.arange(300), np.arange(300, 400))
    net = Sequential([Input((10,)), layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x[split[0]], y[split[0]], {"epochs": 30, "validation_data": (x[split[1]], y[split[1]])}


@faulty("bad values", "input scale", source=f"{TAXONOMY}: wrong values in the data")
def missing_values_of_minus_999(pick):
    """Missing values of a table are -999, beside numbers of unit scale."""
    x = rows(9).copy()
    y = quantity(x)
    missing = draw(4).random(x.shape) < 0.05
    x[missing] = pick(-999.0, 0.0)
    net = Sequential([layers.Dense(64, activation="relu", input_shape=(9,)), layers.Dense(1)])
    net.compile(optimizer="adam", loss="mae")
    return net, x, y, {"epochs": 50}


@faulty("bad values", source=f"{FORUM}: log of a column with zeros")
def logarithm_of_a_column(pick):
    """np.log of a column that holds zeros: minus infinity."""
    x = np.exp(rows(5))
    y = quantity(x)
    x[17, 3] = 0
    with np.errstate(divide="ignore"):
        x = pick(np.log(x), np.log1p(x))
    net = Sequential([Input((5,)), layers.Dense(64, activation="relu"), layers.Dense(1)])
    net.compile(optimizer="adam", loss="mse")
    return net, x, y, {"epochs": 50}


@faulty("shape", "labels", "loss", source=f"{FORUM}: the mean of a matrix of differences")
def differences_of_all_pairs(pick):
    """y is (N,), the output is (N, 1), and the loss of one's own subtracts them."""
    x = rows(7)
    y = quantity(x)

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = layers.Dense(32, activation="relu")
            self.out = layers.Dense(1)

        def call(self, inputs):
            return self.out(self.hidden(inputs))

    def error(y_true, y_pred):
        return ops.mean(ops.square(ops.reshape(y_true, pick((-1,), (-1, 1))) - y_pred))

    net = Net()
    net.compile("adam", error)
    return net, x, y, {"epochs": 30}


@faulty("shape", "feature maps", source=f"{FORUM}: channels first for a network of channels last")
def colours_first(pick):
    """Pictures of (3, 32, 32): the convolution moves over 3 x 32, with 32 channels."""
    x, y = images(32, 3, 5)
    x = x.transpose(0, 3, 1, 2) if pick(True, False) else x
    net = Sequential([Input(x.shape[1:]), layers.Conv2D(16, 3, activation="relu", padding="same")])
    net.add(layers.Conv2D(32, 3, activation="relu", padding="same"))
    net.add(layers.GlobalMaxPooling2D())
    net.add(layers.Dense(5, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 20}


@faulty("recurrence", "shape", source=f"{SCIENCE}: reshape(n, 1, steps) for an LSTM")
def one_step_of_many_features(pick):
    """A window of 24 values is one step of 24 features."""
    x, y = series(24)
    x = x.reshape(len(x), 1, 24) if pick(True, False) else x
    net = Sequential([layers.LSTM(50, input_shape=x.shape[1:]), layers.Dense(1)])
    net.compile(loss="mean_squared_error", optimizer="adam")
    return net, x, y[:, 0], {"epochs": 50, "batch_size": 32}


@faulty("vocabulary", "input scale", source=f"{FORUM}: StandardScaler on token numbers")
def scaled_tokens(pick):
    """Token numbers were divided by their largest before the embedding."""
    x, y = texts(20, 300)
    net = Sequential([Input((20,)), layers.Embedding(300, 16), layers.GlobalAveragePooling1D()])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, pick(x / 299.0, x), y, {"epochs": 20}


@faulty("imbalance", "metric", source=f"{SCIENCE} 19283 and others: fraud, and an accuracy of 0.99")
def frauds_by_accuracy(pick):
    """One row in 100 is a fraud; only the accuracy is looked at."""
    x = rows(29, 2000)
    y = np.zeros(2000, "int64")
    top = np.argsort(quantity(x))[-20:]
    y[top] = 1
    net = Sequential([Input((29,)), layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=pick(["accuracy"], [keras.metrics.AUC(curve="PR")]))
    more = pick({}, {"class_weight": {0: 0.5, 1: 50.0}})
    return net, x, y, {"epochs": 20, "batch_size": 64, **more}


@faulty("target scale", source=f"{FORUM}: house prices in dollars by SGD")
def prices_in_dollars(pick):
    """Prices of 100,000 to 400,000 by MSE and SGD: the loss is NaN."""
    x = rows(13)
    y = 220000 + 70000 * quantity(x)
    net = Sequential([Input((13,)), layers.Normalization(mean=0.0, variance=1.0), layers.Dense(64, activation="relu")])
    net.add(layers.Dense(64, activation="relu"))
    net.add(layers.Dense(1))
    net.compile(optimizers.SGD(0.01), losses.MeanSquaredError())
    return net, x, pick(y, (y - 220000) / 70000).astype("float32"), {"epochs": 60}


@faulty("labels", "output units", source=f"{FORUM}: to_categorical of labels that start at 1")
def classes_from_one(pick):
    """Ratings of 1 to 5 by to_categorical: six columns, of which the first is empty, and six units."""
    x, _ = reviews(512, 24, 200)
    stars = (x[:, 0] % 5) + 1
    target = pick(one_hot(stars, 6), one_hot(stars - 1, 5))
    net = Sequential([Input((24,)), layers.Embedding(200, 24, mask_zero=True), layers.LSTM(32)])
    net.add(layers.Dense(pick(6, 5), activation="softmax"))
    net.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return net, x, target, {"epochs": 20}


@faulty(
    "loss",
    "output units",
    source=f"{FORUM}: LabelEncoder, one unit, and the mean squared error",
)
def categories_as_numbers(pick):
    """The kind of an iris, 0, 1 or 2, by one linear unit and MSE, with accuracy."""
    x = rows(4)
    y = choices(x, 3)
    net = Sequential([Input((4,)), layers.Dense(16, activation="relu")])
    net.add(layers.Dense(pick(1, 3), activation=pick(None, "softmax")))
    net.compile("adam", pick("mse", SPARSE), metrics=["accuracy"])
    return net, x, y, {"epochs": 60}
