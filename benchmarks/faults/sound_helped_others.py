"""More sound programs in varied styles: small data, other heads, parts that look like faults."""

import numpy as np

from benchmarks.faults.data import draw, images, one_hot, quantity, rows, series, yes_no
from benchmarks.faults.drawn import blobs, shapes, waves
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
)
from benchmarks.faults.program import sound
from benchmarks.faults.sources import LEARNERS

SPARSE = "sparse_categorical_crossentropy"


@sound(LEARNERS)
def flowers():
    """150 rows of four lengths, three classes."""
    x, y = blobs(150, 4, 3)
    net = Sequential([Input((4,)), layers.Dense(8, activation="relu"), layers.Dense(3, activation="softmax")])
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 150, "batch_size": 5}


@sound(LEARNERS)
def exclusive_or():
    """Four points."""
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
    net = Sequential([Input((2,)), layers.Dense(16, activation="tanh"), layers.Dense(1, activation="sigmoid")])
    net.compile(optimizers.Adam(0.05), "binary_crossentropy")
    return net, x, np.array([0, 1, 1, 0], "float32"), {"epochs": 500, "batch_size": 4}


@sound(LEARNERS)
def rare_disease_with_weights():
    """One of 30 is ill; class weights, precision and recall."""
    x = rows(12, 1200)
    y = (quantity(x) > np.quantile(quantity(x), 0.966)).astype("float32")
    net = Sequential([Input((12,)), layers.Dense(16, "relu"), layers.Dense(1, activation="sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=[metrics.Precision(), metrics.Recall(), metrics.AUC(curve="PR")])
    return net, x, y, {"epochs": 30, "class_weight": {0: 1.0, 1: 28.0}}


@sound(LEARNERS)
def several_tags():
    """Five labels that are true or not."""
    x = rows(16)
    net = Sequential([Input((16,)), layers.Dense(48, "relu"), layers.Dense(5, activation="sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=[metrics.AUC(multi_label=True)])
    return net, x, (quantity(x, 5) > 0.2).astype("float32"), {"epochs": 30}


@sound(LEARNERS)
def smooth_labels():
    """Label smoothing of a tenth, logits, and a cosine decay with warm-up."""
    x, y = shapes(320, 16)
    net = Sequential(
        [Input((16, 16, 1)), layers.Conv2D(16, 3, activation="relu"), layers.GlobalMaxPooling2D(), layers.Dense(4)]
    )
    rate = optimizers.schedules.CosineDecay(0.0, 600, warmup_target=3e-3, warmup_steps=60)
    net.compile(optimizers.AdamW(rate), losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1))
    return net, x, one_hot(y, 4), {"epochs": 70}


@sound(LEARNERS)
def residual_cnn():
    """Three residual blocks with BatchNormalization."""
    x, y = images(16, 3, 5)
    inputs = Input((16, 16, 3))
    z = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    for _ in range(3):
        r = layers.Conv2D(16, 3, padding="same", use_bias=False)(z)
        r = layers.Activation("relu")(layers.BatchNormalization()(r))
        r = layers.BatchNormalization()(layers.Conv2D(16, 3, padding="same", use_bias=False)(r))
        z = layers.Activation("relu")(layers.Add()([z, r]))
    net = Model(inputs, layers.Dense(5, activation="softmax")(layers.GlobalAveragePooling2D()(z)))
    net.compile(optimizers.SGD(0.05, momentum=0.9), SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@sound(LEARNERS)
def self_normalizing():
    """selu with lecun_normal and AlphaDropout through eight layers."""
    x, y = blobs(500, 12, 4)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    net = Sequential([Input((12,))])
    for _ in range(8):
        net.add(layers.Dense(32, activation="selu", kernel_initializer="lecun_normal"))
    net.add(layers.AlphaDropout(0.1))
    net.add(layers.Dense(4, activation="softmax"))
    net.compile(optimizers.SGD(0.02, momentum=0.9), SPARSE)
    return net, x, y, {"epochs": 40}


@sound(LEARNERS)
def wide_and_deep():
    """A wide linear part beside a deep one."""
    x = rows(14)
    inputs = Input((14,))
    deep = layers.Dense(32, "relu")(layers.Dense(32, "relu")(inputs))
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(layers.Concatenate()([inputs, deep])))
    net.compile("nadam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, yes_no(x), {"epochs": 25}


@sound(LEARNERS)
def one_hot_weekdays():
    """Weekdays as one-hot columns beside scaled numbers, of which many are 0."""
    day = np.eye(7)[draw(1).integers(0, 7, 600)]
    z = rows(4, 600)
    x = np.concatenate([day, z], axis=-1).astype("float32")
    net = Sequential([Input((11,)), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, quantity(z), {"epochs": 40, "batch_size": 20}


@sound(LEARNERS)
def quantiles_of_demand():
    """Three quantiles by the pinball loss."""
    x = rows(8)

    def pinball(y_true, y_pred):
        levels = ops.convert_to_tensor([0.1, 0.5, 0.9])
        off = y_true - y_pred
        return ops.mean(ops.maximum(levels * off, (levels - 1) * off), axis=-1)

    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(3)])
    net.compile("adam", pinball)
    return net, x, np.repeat(quantity(x)[:, None], 3, axis=1), {"epochs": 40}


@sound(LEARNERS)
def steps_ahead():
    """Twelve values ahead by a Dense of twelve units."""
    x, y = series(36, 1, 12)
    net = Sequential([Input((36, 1)), layers.LSTM(32), layers.Dense(12)])
    net.compile("adam", "mse", metrics=["mae"])
    return net, x, y, {"epochs": 30}


@sound(LEARNERS)
def encoder_and_decoder_of_a_series():
    """RepeatVector between two LSTMs."""
    x, y = series(24, 2, 6)
    net = Sequential([Input((24, 2)), layers.LSTM(24), layers.RepeatVector(6), layers.LSTM(24, return_sequences=True)])
    net.add(layers.TimeDistributed(layers.Dense(1)))
    net.compile("adam", "mse")
    return net, x, y[..., None], {"epochs": 30}


@sound(LEARNERS)
def mixed_augmentation():
    """Flips, rotations and contrast in front of a CNN with dropout in its maps."""
    x, y = images(20, 3, 4)
    net = Sequential([Input((20, 20, 3)), layers.RandomTranslation(0.05, 0.05), layers.RandomContrast(0.1)])
    for filters in (16, 32):
        net.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        net.add(layers.MaxPooling2D())
        net.add(layers.SpatialDropout2D(0.1))
    net.add(layers.Flatten())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 30}


@sound(LEARNERS)
def small_unet():
    """A U of two floors with skips, and a mask of which a fifth is true."""
    x, _ = images(16, 3, 4)
    y = (x.max(axis=-1, keepdims=True) > 0.6).astype("float32")
    inputs = Input((16, 16, 3))
    a = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    b = layers.Conv2D(16, 3, padding="same", activation="relu")(layers.MaxPooling2D()(a))
    up = layers.Conv2DTranspose(8, 2, strides=2, padding="same")(b)
    c = layers.Conv2D(8, 3, padding="same", activation="relu")(layers.Concatenate()([up, a]))
    net = Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(c))
    net.compile("adam", "binary_crossentropy", metrics=[metrics.BinaryIoU(target_class_ids=[1])])
    return net, x, y, {"epochs": 15, "batch_size": 16}


@sound(LEARNERS)
def q_values():
    """Q values of unit scale under Huber, plain network of an agent."""
    x = rows(4)
    net = Sequential(
        [Input((4,)), layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(2, activation="linear")]
    )
    net.compile(optimizers.Adam(5e-4, clipnorm=1.0), losses.Huber())
    return net, x, quantity(x, 2), {"epochs": 20, "batch_size": 64}


@sound(LEARNERS)
def margins_with_signs():
    """hinge of labels -1 and 1 by tanh."""
    x, y = blobs(400, 8, 2)
    net = Sequential([Input((8,)), layers.Dense(24, "relu"), layers.Dense(1, activation="tanh")])
    net.compile("adam", "hinge")
    return net, x, (2 * y - 1).astype("float32"), {"epochs": 30}


@sound(LEARNERS)
def waves_of_a_wavenet():
    """Dilated causal convolutions with gates and skips."""
    x, y = waves(256, 32)
    z = inputs = Input((32, 1))
    z = layers.Conv1D(12, 1)(z)
    for dilation in (1, 2, 4, 8):
        gate = layers.Conv1D(12, 2, padding="causal", dilation_rate=dilation, activation="sigmoid")(z)
        value = layers.Conv1D(12, 2, padding="causal", dilation_rate=dilation, activation="tanh")(z)
        z = layers.Add()([z, layers.Conv1D(12, 1)(layers.Multiply()([gate, value]))])
    net = Model(inputs, layers.Dense(1)(layers.Lambda(lambda t: t[:, -1])(z)))
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 20}


@sound(LEARNERS)
def pretrained_part_is_frozen():
    """The first layer has weights from elsewhere and is frozen."""
    x, y = blobs(400, 10, 3)
    net = Sequential(
        [Input((10,)), layers.Dense(64, activation="relu", name="given"), layers.Dense(3, activation="softmax")]
    )
    given = net.get_layer("given")
    given.set_weights([draw(5).normal(size=(10, 64)) / 3, 0.1 * draw(6).normal(size=64)])
    given.trainable = False
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 40}
