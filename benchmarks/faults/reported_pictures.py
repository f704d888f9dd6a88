"""Faults that were reported in forums and issues: pictures, masks, pretrained networks, generators."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity
from benchmarks.faults.drawn import shapes
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    as_trained,
    keras,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
)
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, SCIENCE, TAXONOMY

SPARSE = "sparse_categorical_crossentropy"


def _disks(count=200, size=32, seed=0):
    """Pictures of a bright disk, and where it is."""
    rng = draw(seed)
    at = rng.uniform(8, size - 8, (count, 2, 1, 1))
    rows, columns = np.mgrid[:size, :size]
    mask = (rows - at[:, 0]) ** 2 + (columns - at[:, 1]) ** 2 < 36
    x = 0.3 * rng.random((count, size, size, 1)) + 0.6 * mask[..., None]
    return x.astype("float32"), mask[..., None].astype("float32"), at[:, :, 0, 0]


def _unet(head, channels=1):
    inputs = Input((32, 32, channels))
    a = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    b = layers.Conv2D(16, 3, padding="same", activation="relu")(layers.MaxPooling2D()(a))
    c = layers.Conv2D(32, 3, padding="same", activation="relu")(layers.MaxPooling2D()(b))
    d = layers.Concatenate()([layers.UpSampling2D()(c), b])
    d = layers.Conv2D(16, 3, padding="same", activation="relu")(d)
    e = layers.Concatenate()([layers.Conv2DTranspose(8, 2, strides=2)(d), a])
    e = layers.Conv2D(8, 3, padding="same", activation="relu")(e)
    return Model(inputs, head(e))


@faulty("labels", "loss", source=f"{GITHUB}, zhixuhao/unet: masks of 0 and 255")
def masks_of_255(pick):
    """A U-Net with a sigmoid, and masks as they stand in the PNG files."""
    x, y, _ = _disks()
    net = _unet(layers.Conv2D(1, 1, activation="sigmoid"))
    net.compile(optimizer=optimizers.Adam(1e-4), loss="binary_crossentropy", metrics=["accuracy"])
    return net, x, y * pick(255, 1), {"epochs": 30, "batch_size": 8}


@faulty("output activation", "output units", source=f"{FORUM}: softmax over one channel of a U-Net")
def softmax_over_one_channel(pick):
    """The last convolution has one filter and softmax."""
    x, y, _ = _disks()
    net = _unet(layers.Conv2D(1, (1, 1), activation=pick("softmax", "sigmoid")))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 30, "batch_size": 8}


@faulty("labels", "output units", source=f"{FORUM}: grey levels 0, 128 and 255 as classes")
def grey_levels_as_classes(pick):
    """Masks with the grey levels 0, 128, 255 for three classes."""
    x, y, _ = _disks()
    y = (y + (x > 0.85)).astype("int32")
    net = _unet(layers.Conv2D(3, 1, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, pick(np.array([0, 128, 255])[y], y), {"epochs": 20, "batch_size": 8}


@faulty("loss", source=f"{GITHUB}: loss=dice_coef, which should be large")
def dice_is_made_small(pick):
    """The Dice coefficient itself as the loss."""

    def dice_coef(y_true, y_pred):
        a, b = ops.reshape(y_true, (-1,)), ops.reshape(y_pred, (-1,))
        return (2 * ops.sum(a * b) + 1) / (ops.sum(a) + ops.sum(b) + 1)

    x, y, _ = _disks()
    net = _unet(layers.Conv2D(1, 1, activation="sigmoid"))
    loss = pick(dice_coef, lambda y_true, y_pred: 1 - dice_coef(y_true, y_pred))
    net.compile(optimizers.Adam(1e-3), loss=loss, metrics=[dice_coef])
    return net, x, y, {"epochs": 30, "batch_size": 8}


@faulty("imbalance", "metric", "loss", source=f"{FORUM}: one pixel of 200 is a crack, accuracy 99.5 %")
def one_pixel_in_two_hundred(pick):
    """Cracks of a few pixels by crossentropy and accuracy."""
    x, y, _ = _disks()
    y = (y * (x > 0.893)).astype("float32")
    net = _unet(layers.Conv2D(1, 1, activation="sigmoid"))
    weigh = pick("binary_crossentropy", losses.BinaryFocalCrossentropy(apply_class_balancing=True, alpha=0.95))
    net.compile("adam", weigh, metrics=[pick("accuracy", metrics.AUC(curve="PR"))])
    return net, x, y, {"epochs": 30, "batch_size": 8}


@faulty("order of data", "labels", source=f"{FORUM}: image and mask generators with different seeds")
def masks_of_other_pictures(pick):
    """Pictures and masks come from two shuffled generators with different seeds."""
    x, y, _ = _disks()
    x, y = x[draw(1).permutation(len(x))], y[draw(pick(2, 1)).permutation(len(y))]
    net = _unet(layers.Conv2D(1, 1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 30, "batch_size": 8}


@faulty("metric", source=f"{GITHUB}, tensorflow/tensorflow#32875: MeanIoU of probabilities")
def union_of_probabilities(pick):
    """MeanIoU(num_classes=3), which takes class numbers, of softmax outputs."""
    x, y, _ = _disks()
    y = (y + (x > 0.85)).astype("int32")
    net = _unet(layers.Conv2D(3, 1, activation="softmax"))
    right = metrics.MeanIoU(num_classes=3, sparse_y_pred=False)
    net.compile("adam", SPARSE, metrics=[pick(metrics.MeanIoU(num_classes=3), right)])
    return net, x, y, {"epochs": 20, "batch_size": 8}


@faulty("bad values", "input scale", source=f"{FORUM}: x_train //= 255")
def whole_division_by_255(pick):
    """Bytes are divided with //, so that only full white is left."""
    x, y = images(28, 1, 10)
    whole = np.clip(np.round(255 * x), 0, 255).astype("uint8")
    x = pick(whole // 255, whole / 255)
    net = Sequential([Input((28, 28, 1)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Flatten())
    net.add(layers.Dense(10, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 10}


@faulty("bad values", "input scale", source=f"{FORUM}: astype('uint8') after the division")
def bytes_after_the_division(pick):
    """Pictures of 0 to 1 are stored as bytes, and are 0."""
    x, y = shapes(400, 24, 4, 3)
    x = pick(x.astype("uint8"), x)
    net = Sequential([Input((24, 24, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.GlobalAveragePooling2D())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("target scale", "output activation", source=f"{FORUM}: boxes in pixels by a sigmoid")
def boxes_in_pixels(pick):
    """Centres of disks in pixels, by two sigmoids."""
    x, _, at = _disks()
    net = Sequential([Input((32, 32, 1)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Conv2D(32, 3, activation="relu"))
    net.add(layers.MaxPooling2D())
    net.add(layers.Flatten())
    net.add(layers.Dense(2, activation="sigmoid"))
    net.compile("adam", "mse")
    return net, x, at / pick(1, 32), {"epochs": 30}


@faulty("input scale", source=f"{GITHUB}, keras-team/keras#13293: MobileNetV2 without preprocess_input")
def mobilenet_of_bytes(pick):
    """Bytes of 0 to 255 for a MobileNetV2, which takes -1 to 1."""
    x, y = shapes(64, 32, 4, 3)
    base = keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, include_top=False, weights=None, pooling="avg")
    as_trained(base)
    base.trainable = False
    x = np.clip(255 * x, 0, 255).astype("float32")
    x = pick(x, x / 127.5 - 1)
    net = Sequential([base, layers.Dense(4, activation="softmax")])
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 15, "batch_size": 8}


@faulty("input scale", source=f"{GITHUB}: EfficientNet rescales, and the pictures are 0 to 1")
def efficientnet_of_units(pick):
    """x / 255 before an EfficientNet, which divides by 255 itself."""
    x, y = shapes(64, 32, 4, 3)
    base = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg")
    as_trained(base)
    base.trainable = False
    net = Sequential([base, layers.Dense(4, activation="softmax")])
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x * pick(1, 255), y, {"epochs": 15, "batch_size": 8}


def _small_base():
    base = Sequential([Input((32, 32, 3)), layers.Conv2D(16, 3, activation="relu"), layers.BatchNormalization()])
    base.add(layers.Conv2D(16, 3, strides=2, activation="relu"))
    base.add(layers.GlobalAveragePooling2D())
    as_trained(base)
    return base


@faulty("frozen weights", source=f"{FORUM}: for layer in model.layers: layer.trainable = False, after the head")
def the_head_is_frozen_too(pick):
    """All layers are frozen once the head is there."""
    x, y = shapes(200, 32, 4, 3)
    base = _small_base()
    head = layers.Dense(4, activation="softmax")
    net = Sequential([base, head])
    for layer in net.layers[: pick(None, -1)]:
        layer.trainable = False
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty(
    "order of data",
    "training length",
    source=f"{FORUM}: a generator that reads the directory of one class after the other",
)
def a_class_after_the_other(pick):
    """Batches of a generator hold one class each."""
    x, y = images(24, 3, 8)
    order = pick(np.argsort(y, kind="stable"), draw(2).permutation(len(y)))

    def batches():
        while True:
            for at in range(0, len(x), 32):
                yield x[order[at : at + 32]], y[order[at : at + 32]]

    net = Sequential([Input((24, 24, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Flatten())
    net.add(layers.Dense(8, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, batches(), None, {"epochs": 10, "steps_per_epoch": 16}


@faulty("order of data", "training length", source=f"{FORUM}: the index of a generator is set to 0 in its loop")
def the_first_batch_for_ever(pick):
    """A generator that yields its first batch each time."""
    x, y = images(24, 1, 6)

    def batches():
        at = 0
        while True:
            yield x[at : at + 32], y[at : at + 32]
            at = pick(0, (at + 32) % 480)

    net = Sequential([Input((24, 24, 1)), layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Flatten())
    net.add(layers.Dense(6, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, batches(), None, {"epochs": 10, "steps_per_epoch": 16}


@faulty("loss", "metric", "output activation", source=f"{FORUM}: tags of a photo by softmax")
def tags_of_a_photo(pick):
    """Several of six tags may be true, by softmax and categorical crossentropy."""
    x, y = images(24, 3, 6)
    tags = np.maximum(one_hot(y, 6), (draw(3).random((len(y), 6)) < 0.3)).astype("float32")
    net = Sequential([Input((24, 24, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Flatten())
    net.add(layers.Dense(6, activation=pick("softmax", "sigmoid")))
    net.compile("adam", pick("categorical_crossentropy", "binary_crossentropy"), metrics=["binary_accuracy"])
    return net, x, tags, {"epochs": 20}


@faulty("hidden activation", "gradient flow", source=f"{FORUM}: convolutions with sigmoid, eight of them")
def eight_convolutions_of_sigmoids(pick):
    """A deep convolutional network whose activations are all sigmoid."""
    x, y = images(32, 3, 10)
    net = Sequential([Input((32, 32, 3))])
    for block in range(4):
        for _ in range(2):
            net.add(layers.Conv2D(16 * (1 + block), 3, padding="same"))
            net.add(layers.Activation(pick("sigmoid", "relu")))
        net.add(layers.MaxPooling2D())
    net.add(layers.Flatten())
    net.add(layers.Dense(10, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("feature maps", "shape", source=f"{FORUM}: one picture as (3, 64, 64), channels first")
def colours_in_front(pick):
    """Pictures of (3, 32, 32), for layers with channels last."""
    x, y = images(32, 3, 10)
    shape = pick((3, 32, 32), (32, 32, 3))
    x = np.moveaxis(x, -1, 1) if pick(True, False) else x
    net = Sequential([Input(shape), layers.Conv2D(32, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(32, 3, padding="same", activation="relu"))
    net.add(layers.Flatten())
    net.add(layers.Dense(10, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("loss", "output activation", source=f"{SCIENCE}: the age of a face by softmax over 100 years and squares")
def ages_by_softmax_and_squares(pick):
    """Softmax over years and MSE with the age."""
    x, _ = images(24, 3, 5)
    age = (quantity(x) - quantity(x).min()) * 8
    net = Sequential([Input((24, 24, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Flatten())
    net.add(pick(layers.Dense(100, activation="softmax"), layers.Dense(1)))
    net.compile("adam", "mse", metrics=["mae"])
    return net, x, age / pick(1, 10), {"epochs": 20}


@faulty("shape", "layer order", source=f"{TAXONOMY}: frames of a film without TimeDistributed")
def frames_without_timedistributed(pick):
    """Films of six frames: convolutions and Flatten, then an LSTM over what Flatten left."""
    x, y = images(16, 3, 4, 240)
    films = np.stack([x] * 6, axis=1) + 0.05 * draw(1).normal(size=(240, 6, 16, 16, 3)).astype("float32")
    inputs = Input((6, 16, 16, 3))
    z = layers.TimeDistributed(layers.Conv2D(8, 3, activation="relu"))(inputs)
    flat = layers.Flatten()
    z = layers.Reshape((1, -1))(flat(z)) if pick(True, False) else layers.TimeDistributed(flat)(z)
    net = Model(inputs, layers.Dense(4, activation="softmax")(layers.LSTM(16)(z)))
    net.compile("adam", SPARSE)
    return net, films, y, {"epochs": 10}


@faulty("labels", "loss", source=f"{FORUM}: class_mode='categorical' and a sparse loss")
def rows_of_a_generator_and_a_sparse_loss(pick):
    """A generator gives one-hot rows, the loss takes class numbers."""
    x, y = images(24, 3, 5)
    hot = one_hot(y, 5)

    def batches():
        rng = draw(1)
        while True:
            at = rng.integers(0, len(x), 32)
            yield x[at], hot[at]

    net = Sequential([Input((24, 24, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Flatten())
    net.add(layers.Dense(5, activation="softmax"))
    net.compile("adam", pick(SPARSE, "categorical_crossentropy"), metrics=["accuracy"])
    return net, batches(), None, {"epochs": 10, "steps_per_epoch": 16}


@faulty("labels", "order of data", source=f"{FORUM}: file names by os.listdir, labels from a sorted CSV")
def labels_of_a_sorted_file(pick):
    """Pictures in the order of the disk, labels in the order of the file."""
    x, y = images(24, 3, 5)
    y = pick(y[draw(8).permutation(len(y))], choices(x, 5) * 0 + y)
    net = Sequential([Input((24, 24, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Flatten())
    net.add(layers.Dense(5, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 10}
