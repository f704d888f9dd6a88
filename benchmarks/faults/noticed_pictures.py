"""Faults that people noticed in programs of others: pictures, frozen parts, generators of data."""

import numpy as np

from benchmarks.faults.data import draw, images, one_hot
from benchmarks.faults.drawn import shapes
from benchmarks.faults.library import Input, Model, Sequential, as_trained, keras, layers, losses, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, SCIENCE

SPARSE = "sparse_categorical_crossentropy"


def _cnn(size, channels, head, *more):
    net = Sequential([Input((size, size, channels)), *more])
    for filters in (8, 16):
        net.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        net.add(layers.MaxPooling2D())
    net.add(layers.Flatten())
    net.add(head)
    return net


@faulty("input scale", source=f"{FORUM}: cv2.imread, and no division by 255")
def bytes_of_opencv(pick):
    """Bytes as they were read."""
    x, y = images(24, 3, 4, 300)
    x = (255 * np.clip(x, 0, 1)).astype("uint8")
    net = _cnn(24, 3, layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, pick(x, x / 255.0), y, {"epochs": 10}


@faulty("labels", "order of data", "layer order", source=f"{FORUM}: RandomRotation in a U-Net")
def pictures_turn_and_masks_do_not(pick):
    """Layers that turn and flip pictures stand in the model; the masks stay as they were."""
    x, _ = shapes(120, 24)
    inputs = Input((24, 24, 1))
    z = inputs
    if pick(True, False):
        z = layers.RandomRotation(0.2)(layers.RandomFlip("horizontal")(z))
    z = layers.Conv2D(8, 3, padding="same", activation="relu")(z)
    net = Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(z))
    net.compile("adam", "binary_crossentropy")
    return net, x, (x > 0.4).astype("float32"), {"epochs": 15}


@faulty("feature maps", "capacity", "layer order", source=f"{FORUM}: pooling by 8 behind the first convolution")
def one_cell_is_left(pick):
    """The picture is one cell after the second layer."""
    x, y = shapes(400, 32)
    net = Sequential([Input((32, 32, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    net.add(layers.MaxPooling2D(pick(32, 2)))
    net.add(layers.Conv2D(16, 3, padding="same", activation="relu"))
    net.add(layers.Flatten())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


def _base():
    inputs = Input((24, 24, 3))
    z = layers.Conv2D(8, 3, padding="same", use_bias=False)(inputs)
    z = layers.ReLU()(layers.BatchNormalization()(z))
    z = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False)(z)
    z = layers.ReLU()(layers.BatchNormalization()(z))
    return Model(inputs, z, name="base")


@faulty("frozen weights", source=f"{FORUM}: base_model.trainable = True after compile")
def thawed_behind_compile(pick):
    """The base is thawed after compile, which is not called again."""
    x, y = images(24, 3, 4, 256)
    base = _base()
    base.trainable = False
    net = Sequential([Input((24, 24, 3)), base, layers.GlobalAveragePooling2D(), layers.Dense(4, "softmax")])
    net.compile("adam", SPARSE)
    base.trainable = True
    if pick(False, True):
        net.compile(optimizers.Adam(1e-4), SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("frozen weights", source=f"{FORUM}: layers[:-1] were frozen, and the head with them")
def a_head_in_the_frozen_part(pick):
    """All layers but the last are frozen, and the last is an activation."""
    x, y = images(24, 3, 4, 256)
    net = Sequential([Input((24, 24, 3)), *_base().layers[1:], layers.GlobalAveragePooling2D(), layers.Dense(4)])
    net.add(layers.Activation("softmax"))
    as_trained(*net.layers[:-3])
    for layer in net.layers[: pick(-1, -2)]:
        layer.trainable = False
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("learning rate", "frozen weights", source=f"{SCIENCE}: fine-tuning with the rate of the first stage")
def a_rate_of_one_tenth(pick):
    """A convolutional net by Adam with a rate of 0.1."""
    x, y = images(24, 3, 4, 256)
    net = _cnn(24, 3, layers.Dense(4, activation="softmax"))
    net.compile(optimizers.Adam(learning_rate=pick(0.1, 1e-3)), SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("shape", "labels", "output units", source=f"{FORUM}: logits and labels must have the same shape, 28 and 24")
def a_smaller_picture_comes_back(pick):
    """An autoencoder whose convolutions without padding give back fewer pixels."""
    x, _ = shapes(200, 24)
    net = Sequential([Input((24, 24, 1)), layers.Conv2D(8, 3, activation="relu", padding=pick("valid", "same"))])
    net.add(layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"))
    net.add(layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu"))
    net.add(layers.Conv2D(1, 3, padding="same", activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, x, {"epochs": 10}


@faulty("output activation", "input scale", "loss", source=f"{FORUM}: the autoencoder gives grey, pixels of -1 to 1")
def a_sigmoid_for_minus_one(pick):
    """Pixels of -1 to 1 from a sigmoid."""
    x, _ = shapes(200, 16)
    x = x * 2 - 1
    net = Sequential([Input((16, 16, 1)), layers.Flatten(), layers.Dense(64, activation="relu"), layers.Dense(256)])
    net.add(layers.Activation(pick("sigmoid", "tanh")))
    net.add(layers.Reshape((16, 16, 1)))
    net.compile("adam", "mse")
    return net, x, x, {"epochs": 10}


@faulty("output activation", source=f"{FORUM}: Softmax(axis=1) in a segmentation")
def a_softmax_over_the_height(pick):
    """Classes of pixels by a softmax over the rows of the picture."""
    x, _ = shapes(100, 16)
    y = (x[..., 0] > 0.3).astype("int32") + (x[..., 0] > 0.65)
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(16, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(3, 1))
    net.add(layers.Softmax(axis=pick(1, -1)))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("loss", "labels", "output units", source=f"{FORUM}: masks of 0, 1, 2 with binary_crossentropy")
def three_classes_in_a_binary_mask(pick):
    """Masks of three classes for one sigmoid."""
    x, _ = shapes(100, 16)
    y = ((x > 0.3).astype("int32") + (x > 0.65))[..., 0]
    end = pick(layers.Conv2D(1, 1, activation="sigmoid"), layers.Conv2D(3, 1, activation="softmax"))
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(16, 3, padding="same", activation="relu"), end])
    net.compile("adam", pick("binary_crossentropy", SPARSE))
    return net, x, y[..., None], {"epochs": 10}


@faulty("dropout", "layer order", source=f"{FORUM}: Dropout as the last layer")
def dropout_of_probabilities(pick):
    """A Dropout stands behind the softmax."""
    x, y = images(24, 3, 5, 300)
    net = _cnn(24, 3, layers.Dense(5, activation="softmax"))
    if pick(True, False):
        net.add(layers.Dropout(0.5))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("shape", "labels", "output units", source=f"{FORUM}: Flatten was forgotten: (None, 12, 12, 10)")
def no_flatten(pick):
    """Dense layers on maps: a class for each pixel, and one label for each picture."""
    x, y = images(24, 1, 4, 300)
    net = Sequential([Input((24, 24, 1)), layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D()])
    if pick(False, True):
        net.add(layers.Flatten())
    net.add(layers.Dense(32, activation="relu"))
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("initializer", source=f"{FORUM}: kernel_initializer='zeros'")
def everything_from_zero(pick):
    """All kernels begin at zero."""
    start = pick("zeros", "glorot_uniform")
    x, y = images(16, 1, 4, 300)
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, activation="relu", kernel_initializer=start)])
    net.add(layers.Flatten())
    net.add(layers.Dense(16, activation="relu", kernel_initializer=start))
    net.add(layers.Dense(4, activation="softmax", kernel_initializer=start))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("initializer", "gradient flow", source=f"{FORUM}: random_normal(stddev=1), the loss begins at 10 ** 6")
def weights_of_deviation_one(pick):
    """Wide layers whose weights have a deviation of one."""
    start = pick(keras.initializers.RandomNormal(stddev=1.0), "he_normal")
    x, y = images(16, 3, 4, 300)
    net = Sequential([Input((16, 16, 3)), layers.Flatten()])
    for units in (256, 256, 128):
        net.add(layers.Dense(units, activation="relu", kernel_initializer=start))
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


class _Triplet(keras.losses.Loss):
    """Of anchors, positives and negatives, side by side."""

    def __init__(self, margin):
        super().__init__()
        self.margin = margin

    def call(self, y_true, y_pred):
        a, p, n = ops.split(y_pred, 3, axis=-1)
        near, far = ops.sum(ops.square(a - p), -1), ops.sum(ops.square(a - n), -1)
        return ops.maximum(near - far + self.margin, 0.0)


@faulty("loss", source=f"{FORUM}: triplet loss stays at the margin, far - near")
def a_margin_of_nothing(pick):
    """Triplets without a margin: one point for all is a perfect answer."""
    x, y = shapes(300, 16)
    order = [np.flatnonzero(y == kind) for kind in range(4)]
    numbers = draw(5)
    near = np.array([numbers.choice(order[kind]) for kind in y])
    far = np.array([numbers.choice(order[(kind + 1) % 4]) for kind in y])
    encoder = Sequential([Input((16, 16, 1)), layers.Flatten(), layers.Dense(32, "relu"), layers.Dense(8)])
    inputs = [Input((16, 16, 1)) for _ in range(3)]
    net = Model(inputs, layers.Concatenate()([encoder(one) for one in inputs]))
    net.compile("adam", _Triplet(pick(0.0, 1.0)))
    return net, [x, x[near], x[far]], np.zeros((300, 1)), {"epochs": 10}


@faulty("labels", "loss", "shape", "output units", source=f"{FORUM}: class_mode='binary' and Dense(2, softmax)")
def class_mode_binary(pick):
    """One number a picture for two units and categorical crossentropy."""
    x, y = images(24, 3, 2, 256)
    y = y.astype("float32")
    net = _cnn(24, 3, layers.Dense(2, activation="softmax"))
    net.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return net, x, pick(y, one_hot(y.astype(int), 2)), {"epochs": 10}


@faulty("output activation", "target scale", source=f"{FORUM}: facial keypoints in pixels, Dense(30, sigmoid)")
def keypoints_in_pixels(pick):
    """Places of 0 to 96 from a sigmoid."""
    x, _ = images(24, 1, 4, 256)
    y = 48 + 20 * np.tanh(draw(2).normal(size=(256, 6)) + x.mean(axis=(1, 2)))
    net = _cnn(24, 1, layers.Dense(6, activation="sigmoid"))
    net.compile("adam", "mse")
    return net, x, pick(y, y / 96), {"epochs": 10}


class _Batches(keras.utils.PyDataset):
    def __init__(self, x, y, shift=0, single=False):
        super().__init__()
        self.x, self.y, self.shift, self.single = x, y, shift, single

    def __len__(self):
        return len(self.x) // 32

    def __getitem__(self, index):
        if self.single:
            return self.x[index], self.y[index]
        first = slice(32 * index, 32 * index + 32)
        after = slice(32 * index + self.shift, 32 * index + self.shift + 32)
        return self.x[first], self.y[after]


@faulty("shape", "labels", "batch size", source=f"{FORUM}: __getitem__ of a Sequence returns one sample")
def one_picture_for_a_batch(pick):
    """`__getitem__` returns one picture and its label, not a batch of them."""
    x, y = images(24, 3, 4, 256)
    net = _cnn(24, 3, layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, _Batches(x, y[:, None], single=pick(True, False)), None, {"epochs": 5}


@faulty("order of data", "labels", source=f"{GITHUB}: labels[(idx + 1) * batch:], an off-by-one in a Sequence")
def labels_of_the_next_batch(pick):
    """A data set slices its labels one row too late."""
    x, y = shapes(330, 16)
    net = _cnn(16, 1, layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, _Batches(x, y, shift=pick(1, 0)), None, {"epochs": 5}


@faulty("labels", "shape", "disconnected", source=f"{FORUM}: flow_from_directory(class_mode=None) in fit")
def pictures_without_labels(pick):
    """A generator that gives pictures alone, and a model that is compiled with a loss."""
    x, y = images(24, 3, 4, 256)
    net = _cnn(24, 3, layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)

    def batches():
        while True:
            for first in range(0, 256, 32):
                part = slice(first, first + 32)
                yield pick(x[part], (x[part], y[part]))

    return net, batches(), None, {"epochs": 5, "steps_per_epoch": 8}


@faulty("input scale", source=f"{FORUM}: Rescaling(1./255) on pictures that are divided already")
def divided_twice(pick):
    """Pixels of 0 to 1, and a Rescaling by 1/255 in the model."""
    x, y = images(24, 3, 4, 256)
    net = _cnn(24, 3, layers.Dense(4, activation="softmax"), layers.Rescaling(pick(1 / 255, 1.0)))
    net.compile("adam", losses.SparseCategoricalCrossentropy())
    return net, x, y, {"epochs": 10}
