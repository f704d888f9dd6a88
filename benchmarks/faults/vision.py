"""Faults of networks for pictures and signals: feature maps, the order of layers, and shapes."""

from benchmarks.faults.data import images, one_hot, rows, series, yes_no
from benchmarks.faults.library import Input, Model, Sequential, layers, losses, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import DEFECTS, NEURALINT, STUDY, TAXONOMY, TENSFA, THEIA, UMLAUT


@faulty("layer order", "shape", source=f"Stack Overflow 38584268; {NEURALINT}")
def objects_without_flatten(pick):
    """Ten kinds of objects; Flatten between the convolutions and Dense was forgotten."""
    x, y = images(24, 3, 10)
    model = Sequential()
    model.add(Input((24, 24, 3)))
    model.add(layers.Conv2D(15, (7, 7), activation="relu", padding="same"))
    model.add(layers.MaxPooling2D((2, 2), padding="same"))
    model.add(layers.Conv2D(45, (6, 6), activation="relu", padding="same"))
    model.add(layers.MaxPooling2D((4, 3), padding="same"))
    if pick(False, True):
        model.add(layers.Flatten())
    model.add(layers.Dense(50))
    model.add(layers.Activation("relu"))
    model.add(layers.Dense(10))
    model.add(layers.Activation("softmax"))
    model.compile(loss="categorical_crossentropy", optimizer=optimizers.RMSprop(0.001), metrics=["accuracy"])
    return model, x, one_hot(y, 10), {"epochs": 30}


@faulty("layer order", "shape", source=f"Stack Overflow 61030068; {NEURALINT}")
def sensors_without_flatten(pick):
    """28 classes from 72 values: the outputs are a class for each of 17 positions."""
    x, y = images(9, 8, 28)
    x = x.reshape(len(x), -1, 1)[:, :72]
    model = Sequential([
        Input((72, 1)), layers.Conv1D(64, 3, activation="relu"), layers.MaxPooling1D(2),
        layers.Conv1D(64, 3, activation="relu"), layers.MaxPooling1D(2), *pick([], [layers.Flatten()]),
        layers.Dense(64, activation="relu"), layers.Dense(28, activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    return model, x, one_hot(y, 28), {"batch_size": 32, "epochs": 30, "validation_split": 0.1}


@faulty("layer order", "shape", source=f"Stack Overflow 53119432; {NEURALINT}")
def bet_without_flatten(pick):
    """Yes or no from thirty values; the output keeps the positions."""
    x = rows(30)
    model = Sequential([
        Input((30, 1)), layers.Conv1D(32, 3, activation="relu"), layers.Conv1D(32, 3, activation="relu"),
        layers.MaxPooling1D(4), layers.Conv1D(64, 3, activation="relu"), layers.Dropout(0.3),
        *pick([], [layers.GlobalMaxPooling1D()]), layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model, x[..., None], yes_no(x), {"batch_size": 24, "epochs": 40}


@faulty("shape", "feature maps", source=f"Stack Overflow 45711636; {NEURALINT}")
def channels_first_spectrogram(pick):
    """One channel of 20 by 56 given first; the layers take it for a picture of one row."""
    x, y = images(28, 2, 10)
    x = x.reshape(len(x), 1, 28, 56)
    size = pick((1, 28, 56), (28, 56, 1))
    model = Sequential([
        Input(size), layers.Conv2D(32, (3, 3), padding="same", activation="relu"), layers.Dropout(0.25),
        layers.Conv2D(32, (3, 3), padding="same", activation="relu"),
        layers.MaxPooling2D(pick((1, 2), (2, 2))), layers.Flatten(), layers.Dense(64, activation="relu"),
        layers.Dropout(0.5), layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    return model, x.reshape(len(x), *size), one_hot(y, 10), {"batch_size": 50, "epochs": 20}


@faulty("shape", "feature maps", source=f"{TENSFA}: order of the axes")
def colours_first(pick):
    """Pictures as (3, 32, 32), as PyTorch has them, into layers that take the colours last."""
    x, y = images(32, 3, 5)
    x = pick(x.transpose(0, 3, 1, 2), x)
    model = Sequential([
        Input(x.shape[1:]), layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.Conv2D(32, 3, padding="same", activation="relu"), layers.GlobalAveragePooling2D(),
        layers.Dense(5, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


@faulty("feature maps", "layer order", source=f"{NEURALINT}: pooling too much")
def pooled_to_one_pixel(pick):
    """Five poolings of a 32 by 32 picture: the last convolutions see one position."""
    x, y = images(32, 3, 6)
    model = Sequential([Input((32, 32, 3))])
    for filters in pick((16, 16, 32, 32, 64, 64), (16, 32, 64)):
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D(2, padding="same"))
    model.add(layers.Flatten())
    model.add(layers.Dense(6, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


@faulty("feature maps", "layer order", source=f"{NEURALINT}: pooling before the features are made")
def pools_by_eight_at_once(pick):
    """The picture is pooled by 8 before the first convolution."""
    x, y = images(32, 3, 6)
    model = Sequential([
        Input((32, 32, 3)), *pick([layers.MaxPooling2D(8)], []),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        *pick([], [layers.MaxPooling2D(2)]), layers.Conv2D(32, 3, padding="same", activation="relu"), layers.Flatten(),
        layers.Dense(6, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


@faulty("feature maps", source=f"Stack Overflow 44322611, 56103207; {NEURALINT}: filters that become fewer")
def filters_that_shrink(pick):
    """224, 55, 13 filters as the maps shrink."""
    x, y = images(40, 3, 4)
    model = Sequential([Input((40, 40, 3))])
    for filters in pick((96, 32, 6), (16, 32, 64)):
        model.add(layers.Conv2D(filters, 3, activation="relu", padding="same"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dense(4, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


@faulty("feature maps", source=f"{NEURALINT}: windows that grow with depth")
def kernels_that_grow(pick):
    """Windows of 3, 7 and 11 while the maps become smaller."""
    x, y = images(40, 3, 4)
    model = Sequential([Input((40, 40, 3))])
    for filters, window in zip((16, 32, 64), pick((3, 7, 11), (5, 3, 3)), strict=True):
        model.add(layers.Conv2D(filters, window, activation="relu", padding="same"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(4, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


@faulty("feature maps", "capacity", source=f"Stack Overflow 55776436; {NEURALINT}: windows too large")
def heart_beats_by_wide_windows(pick):
    """Windows of 300 over 400 points of a signal."""
    x, _ = series(400, 1, count=256)
    wide = pick(190, 9)
    model = Sequential([
        Input((400, 1)), layers.Conv1D(16, wide, activation="relu"), *pick([], [layers.MaxPooling1D(4)]),
        layers.Conv1D(8, wide, use_bias=False), layers.BatchNormalization(), layers.Activation("relu"),
        layers.MaxPooling1D(4), layers.Flatten(), layers.Dense(2, activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizers.Adam(0.001), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, yes_no(x[:, :10]), {"epochs": 50, "batch_size": 32}


@faulty("feature maps", source=f"{NEURALINT}: strides that skip pixels")
def strides_beyond_the_window(pick):
    """A window of 2 by 2 that moves 4 at a time: three of four pixels are never seen."""
    x, y = images(32, 3, 6)
    model = Sequential([
        Input((32, 32, 3)), layers.Conv2D(16, pick(2, 4), strides=pick(4, 2), activation="relu"),
        layers.Conv2D(32, 3, activation="relu"), layers.GlobalAveragePooling2D(), layers.Dense(6, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


@faulty("layer order", "dropout", source=f"{NEURALINT}: dropout before pooling")
def dropout_before_pooling(pick):
    """Dropout between a convolution and max pooling, which picks another maximum."""
    x, y = images(24, 3, 4)
    model = Sequential([Input((24, 24, 3))])
    for filters in (16, 32):
        model.add(layers.Conv2D(filters, 3, activation="relu"))
        pair = [layers.Dropout(0.5), layers.MaxPooling2D()]
        for layer in pick(pair, pair[1:]):
            model.add(layer)
    model.add(layers.Flatten())
    if pick(False, True):
        model.add(layers.Dropout(0.5))
    model.add(layers.Dense(4, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


@faulty("layer order", "dropout", source=f"{NEURALINT}: dropout before batch normalization")
def dropout_before_normalization(pick):
    """Dropout right before BatchNormalization, twice."""
    x = rows(24)
    model = Sequential([Input((24,))])
    for _ in range(2):
        model.add(layers.Dense(64, activation=None, use_bias=False))
        if pick(True, False):
            model.add(layers.Dropout(0.4))
        model.add(layers.BatchNormalization())
        model.add(layers.Activation("relu"))
        if pick(False, True):
            model.add(layers.Dropout(0.4))
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy")
    return model, x, yes_no(x), {"epochs": 40}


@faulty("layer order", source=f"{NEURALINT}: a bias that normalization cancels")
def biases_for_nothing(pick):
    """Convolutions with biases right before BatchNormalization."""
    x, y = images(20, 3, 4)
    inputs = Input((20, 20, 3))
    z = inputs
    for filters in (16, 32):
        z = layers.Conv2D(filters, 3, padding="same", use_bias=pick(True, False))(z)
        z = layers.MaxPooling2D()(layers.ReLU()(layers.BatchNormalization()(z)))
    model = Model(inputs, layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling2D()(z)))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


@faulty(
    "layer order",
    "hidden activation",
    "output activation",
    source=f"{TAXONOMY}: wrong layer; normalization after softmax",
)
def normalized_probabilities(pick):
    """BatchNormalization after the last activation."""
    x, y = images(20, 3, 4)
    model = Sequential([Input((20, 20, 3)), layers.Conv2D(16, 3, activation="relu"), layers.GlobalMaxPooling2D()])
    model.add(layers.Dense(32, activation="relu"))
    last = [layers.Dense(4, activation="softmax"), layers.BatchNormalization()]
    for layer in pick(last, last[::-1]):
        model.add(layer)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


@faulty("layer order", "capacity", source=f"{STUDY}: structure; {NEURALINT}: flatten before the convolutions are done")
def flattens_a_large_map(pick):
    """Flatten of 48 by 48 by 64 into 1024 units: 150 million weights."""
    x, y = images(48, 3, 4, count=128)
    model = Sequential([
        Input((48, 48, 3)), layers.Conv2D(64, 3, padding="same", activation="relu"),
        *pick([layers.Flatten()], [layers.MaxPooling2D(4), layers.Conv2D(64, 3, activation="relu")]),
        *pick([], [layers.GlobalAveragePooling2D()]),
        layers.Dense(pick(256, 64), activation="relu"), layers.Dense(4, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 60, "batch_size": 16}


@faulty("shape", source=f"{TENSFA}: a missing channel axis")
def no_axis_for_the_colour(pick):
    """Gray pictures as (N, 28, 28) into a network for (28, 28, 1)."""
    x, y = images(28, 1, 10)
    model = Sequential([
        Input((28, 28, 1)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, pick(x.reshape(-1, 28 * 28), x), y, {"epochs": 20}


@faulty("shape", source=f"{TENSFA}: other number of channels")
def colour_pictures_for_a_gray_network(pick):
    """Colour pictures into a network for one channel."""
    x, y = images(24, 3, 5)
    model = Sequential([
        Input((24, 24, 1)), layers.Conv2D(16, 3, activation="relu"), layers.GlobalMaxPooling2D(),
        layers.Dense(5, activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    return model, pick(x, x.mean(axis=-1, keepdims=True)), y, {"epochs": 30}


@faulty("shape", source=f"{TENSFA}: other number of columns")
def one_column_too_many(pick):
    """The label was left in the table: nine columns for eight inputs."""
    x = rows(9)
    model = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    return model, pick(x, x[:, :8]), yes_no(x), {"epochs": 40}


@faulty(
    "shape",
    source=f"{TENSFA}: kernel larger than its input",
)
def window_larger_than_the_map(pick):
    """Built when it meets its data: three poolings leave 2 by 2 for a window of 3."""
    x, y = images(20, 3, 4)
    model = Sequential()
    for filters in (8, 16, 32):
        model.add(layers.Conv2D(filters, 3, activation="relu", padding=pick("valid", "same")))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Conv2D(32, 3, activation="relu", padding=pick("valid", "same")))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(4, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


@faulty("shape", "labels", source=f"{TENSFA}: another number of labels")
def fewer_labels_than_rows(pick):
    """The labels of the training rows alone, with all rows."""
    x = rows(10)
    model = Sequential([Input((10,)), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    return model, x, pick(yes_no(x)[:400], yes_no(x)), {"epochs": 40}


@faulty("input scale", source=f"Stack Overflow 48594888; {UMLAUT}: pixels of 0 to 255")
def pixels_of_255(pick):
    """Colour pictures of 0 to 255 as they come from the file."""
    x, y = images(32, 3, 10)
    model = Sequential([
        Input((32, 32, 3)), layers.Conv2D(32, (3, 3), activation="relu", kernel_initializer="he_normal"),
        layers.MaxPooling2D((2, 2)), layers.Conv2D(64, (3, 3), activation="relu", kernel_initializer="he_normal"),
        layers.MaxPooling2D((2, 2)), layers.Flatten(), layers.Dense(64, activation="relu"), layers.Dropout(0.3),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    return model, (255 * x).astype("uint8") if pick(True, False) else x, one_hot(y, 10), {"epochs": 20}


@faulty("input scale", source=f"{DEFECTS}: missing preprocessing; {UMLAUT}")
def scaled_twice(pick):
    """Divided by 255 in the data and again in the model: all inputs are nearly 0."""
    x, y = images(28, 1, 10)
    model = Sequential([
        Input((28, 28, 1)), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x * pick(1, 255), y, {"epochs": 20}


@faulty("layer order", "shape", "output units", source=f"{THEIA}: output of a segmentation")
def one_class_for_the_whole_mask(pick):
    """A class for each pixel wanted; the network pools the pixels away."""
    x, _ = images(16, 3, 4)
    mask = (x.max(axis=-1) > 0.6).astype("int64")
    inputs = Input((16, 16, 3))
    z = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    z = layers.Conv2D(16, 3, padding="same", activation="relu")(z)
    z = z if pick(False, True) else layers.GlobalAveragePooling2D()(z)
    model = Model(inputs, layers.Dense(2, activation="softmax")(z))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, mask, {"epochs": 30}


@faulty("layer order", "feature maps", source=f"{NEURALINT}: pooling without convolutions between")
def two_poolings_in_a_row(pick):
    """Max pooling twice in a row after each convolution."""
    x, y = images(40, 3, 4)
    model = Sequential([Input((40, 40, 3))])
    for filters in (16, 32):
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D(2))
        if pick(True, False):
            model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dense(4, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}
