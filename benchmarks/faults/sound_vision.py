"""Sound recipes for pictures: classifiers, segmentation, detection, fine-tuning."""

import numpy as np

from benchmarks.faults.data import draw, images, one_hot
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
    regularizers,
)  # fmt: skip
from benchmarks.faults.program import sound

FIT = {"epochs": 20, "batch_size": 32, "validation_split": 0.2}
SPARSE = "sparse_categorical_crossentropy"


def _compiled(inputs, outputs, loss=SPARSE, optimizer="adam", **more):
    model = Model(inputs, outputs)
    model.compile(optimizer, loss, **{"metrics": ["accuracy"], **more})
    return model


@sound("LeCun et al.: Gradient-Based Learning Applied to Document Recognition (1998)")
def lenet():
    """LeNet-5 with tanh and average pooling."""
    x, y = images(28, 1)
    model = Sequential([
        Input((28, 28, 1)), layers.Conv2D(6, 5, padding="same", activation="tanh"), layers.AveragePooling2D(),
        layers.Conv2D(16, 5, activation="tanh"), layers.AveragePooling2D(), layers.Flatten(),
        layers.Dense(120, activation="tanh"), layers.Dense(84, activation="tanh"),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizers.SGD(0.1), SPARSE, metrics=["accuracy"])
    return model, x, y, FIT


@sound("Chollet: Deep Learning with Python, 5.1, a small convnet on MNIST")
def mnist_convnet():
    """Three convolutions, flatten, two dense layers."""
    x, y = images(28, 1)
    model = Sequential([
        Input((28, 28, 1)), layers.Conv2D(32, (3, 3), activation="relu"), layers.MaxPooling2D((2, 2)),
        layers.Conv2D(64, (3, 3), activation="relu"), layers.MaxPooling2D((2, 2)), layers.Flatten(),
        layers.Dropout(0.5), layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, x, one_hot(y, 10), {"epochs": 15, "batch_size": 128, "validation_split": 0.1}


@sound("TensorFlow tutorial: basic classification of clothing")
def clothing_with_logits():
    """Dense network that gives logits."""
    x, y = images(28, 1)
    model = Sequential([Input((28, 28)), layers.Flatten(), layers.Dense(128, "relu"), layers.Dense(10)])
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model, x[..., 0], y, {"epochs": 10}


@sound("Simonyan, Zisserman: Very Deep Convolutional Networks (2015)")
def small_vgg():
    """Blocks of two convolutions, dropout of 0.5 in the dense layers."""
    x, y = images(32, 3)
    z = inputs = Input((32, 32, 3))
    for filters in (16, 32, 64):
        z = layers.Conv2D(filters, 3, padding="same", activation="relu")(z)
        z = layers.Conv2D(filters, 3, padding="same", activation="relu")(z)
        z = layers.MaxPooling2D()(z)
    z = layers.Dropout(0.5)(layers.Dense(128, activation="relu")(layers.Flatten()(z)))
    z = layers.Dropout(0.5)(layers.Dense(128, activation="relu")(z))
    sgd = optimizers.SGD(0.01, momentum=0.9, weight_decay=5e-4)
    return _compiled(inputs, layers.Dense(10, activation="softmax")(z), optimizer=sgd), x, y, FIT


@sound("He et al.: Deep Residual Learning (2016)")
def residual_network():
    """Post-activation blocks; SGD of 0.1 with momentum and weight decay."""
    x, y = images(32, 3)

    def block(z, filters, stride):
        short = z
        z = layers.Conv2D(filters, 3, stride, padding="same", use_bias=False,
                          kernel_regularizer=regularizers.L2(1e-4))(z)  # fmt: skip
        z = layers.ReLU()(layers.BatchNormalization()(z))
        z = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same", use_bias=False)(z))
        if stride > 1:
            short = layers.BatchNormalization()(layers.Conv2D(filters, 1, stride, use_bias=False)(short))
        return layers.ReLU()(layers.Add()([z, short]))

    inputs = Input((32, 32, 3))
    z = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(16, 3, padding="same", use_bias=False)(inputs)))
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        z = block(block(z, filters, stride), filters, 1)
    z = layers.GlobalAveragePooling2D()(z)
    sgd = optimizers.SGD(0.1, momentum=0.9)
    return _compiled(inputs, layers.Dense(10, activation="softmax")(z), optimizer=sgd), x, y, FIT


@sound("He et al.: Identity Mappings in Deep Residual Networks (2016)")
def preactivated_residual_network():
    """Normalization and activation before each convolution."""
    x, y = images(24, 3)
    inputs = Input((24, 24, 3))
    z = layers.Conv2D(16, 3, padding="same")(inputs)
    for _ in range(3):
        short = z
        z = layers.Activation("relu")(layers.BatchNormalization()(z))
        z = layers.Conv2D(16, 3, padding="same")(z)
        z = layers.Activation("relu")(layers.BatchNormalization()(z))
        z = layers.Conv2D(16, 3, padding="same")(z)
        z = layers.add([short, z])
    z = layers.GlobalAveragePooling2D()(layers.Activation("relu")(layers.BatchNormalization()(z)))
    return _compiled(inputs, layers.Dense(10, activation="softmax")(z)), x, y, FIT


@sound("Huang et al.: Densely Connected Convolutional Networks (2017)")
def dense_network():
    """Concatenated blocks with bottlenecks and transitions."""
    x, y = images(24, 3)
    inputs = Input((24, 24, 3))
    z = layers.Conv2D(16, 3, padding="same", use_bias=False)(inputs)
    for _ in range(2):
        for _ in range(3):
            new = layers.Conv2D(32, 1, use_bias=False)(layers.ReLU()(layers.BatchNormalization()(z)))
            new = layers.Conv2D(8, 3, padding="same", use_bias=False)(layers.ReLU()(layers.BatchNormalization()(new)))
            z = layers.Concatenate()([z, new])
        z = layers.Conv2D(z.shape[-1] // 2, 1, use_bias=False)(layers.ReLU()(layers.BatchNormalization()(z)))
        z = layers.AveragePooling2D()(z)
    z = layers.GlobalAveragePooling2D()(layers.ReLU()(layers.BatchNormalization()(z)))
    return _compiled(inputs, layers.Dense(10, activation="softmax")(z)), x, y, FIT


@sound("Szegedy et al.: Going Deeper with Convolutions (2015)")
def inception_blocks():
    """Branches of windows of 1, 3 and 5, with 1 by 1 reductions, and a second output that helps."""
    x, y = images(24, 3)

    def block(z, filters):
        three = layers.Conv2D(filters, 3, padding="same", activation="relu")(layers.Conv2D(8, 1, activation="relu")(z))
        five = layers.Conv2D(filters, 5, padding="same", activation="relu")(layers.Conv2D(4, 1, activation="relu")(z))
        pooled = layers.Conv2D(8, 1, activation="relu")(layers.MaxPooling2D(3, strides=1, padding="same")(z))
        return layers.Concatenate()([layers.Conv2D(filters, 1, activation="relu")(z), three, five, pooled])

    inputs = Input((24, 24, 3))
    z = block(inputs, 16)
    helper = layers.Dense(10, activation="softmax", name="helper")(layers.GlobalAveragePooling2D()(z))
    z = layers.GlobalAveragePooling2D()(block(layers.MaxPooling2D()(z), 16))
    main = layers.Dense(10, activation="softmax", name="main")(layers.Dropout(0.4)(z))
    model = Model(inputs, [main, helper])
    model.compile("adam", [SPARSE, SPARSE], loss_weights=[1.0, 0.3], metrics=[["accuracy"], ["accuracy"]])
    return model, x, [y, y], {"epochs": 20}


@sound("Sandler et al.: MobileNetV2 (2018)")
def inverted_residuals():
    """Wide relu6 inside, linear bottlenecks outside."""
    x, y = images(24, 3)
    inputs = Input((24, 24, 3))
    z = layers.ReLU(6.0)(layers.BatchNormalization()(layers.Conv2D(8, 3, 2, padding="same", use_bias=False)(inputs)))
    for _ in range(2):
        y_ = layers.ReLU(6.0)(layers.BatchNormalization()(layers.Conv2D(48, 1, use_bias=False)(z)))
        y_ = layers.ReLU(6.0)(
            layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(y_))
        )
        y_ = layers.BatchNormalization()(layers.Conv2D(8, 1, use_bias=False)(y_))
        z = layers.Add()([z, y_])
    z = layers.GlobalAveragePooling2D()(layers.ReLU(6.0)(layers.Conv2D(64, 1)(z)))
    return _compiled(inputs, layers.Dense(10, activation="softmax")(layers.Dropout(0.2)(z))), x, y, FIT


@sound("Chollet: Xception (2017)")
def separable_convolutions():
    """SeparableConv2D with skips, as in the Keras example of cats and dogs."""
    x, y = images(32, 3, 2)
    inputs = Input((32, 32, 3))
    z = layers.Activation("relu")(layers.BatchNormalization()(layers.Conv2D(16, 3, strides=2, padding="same")(inputs)))
    short = z
    for size in (32, 64):
        z = layers.BatchNormalization()(layers.SeparableConv2D(size, 3, padding="same")(layers.Activation("relu")(z)))
        z = layers.BatchNormalization()(layers.SeparableConv2D(size, 3, padding="same")(layers.Activation("relu")(z)))
        z = layers.MaxPooling2D(3, strides=2, padding="same")(z)
        z = layers.add([z, layers.Conv2D(size, 1, strides=2, padding="same")(short)])
        short = z
    z = layers.Dropout(0.25)(layers.GlobalAveragePooling2D()(z))
    model = Model(inputs, layers.Dense(1, activation=None)(z))
    model.compile(optimizers.Adam(3e-4), losses.BinaryCrossentropy(from_logits=True),
                  metrics=[metrics.BinaryAccuracy(name="acc", threshold=0.0)])  # fmt: skip
    return model, x, y, FIT


@sound("Tan, Le: EfficientNet (2019)")
def gated_mobile_blocks():
    """swish, depthwise convolutions, and a gate over the channels."""
    x, y = images(24, 3)
    inputs = Input((24, 24, 3))
    z = layers.Activation("swish")(layers.BatchNormalization()(layers.Conv2D(16, 3, 2, padding="same")(inputs)))
    y_ = layers.Activation("swish")(layers.BatchNormalization()(layers.Conv2D(64, 1, use_bias=False)(z)))
    y_ = layers.Activation("swish")(layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same")(y_)))
    gate = layers.Reshape((1, 1, 64))(layers.GlobalAveragePooling2D()(y_))
    gate = layers.Conv2D(64, 1, activation="sigmoid")(layers.Conv2D(4, 1, activation="swish")(gate))
    y_ = layers.BatchNormalization()(layers.Conv2D(16, 1, use_bias=False)(layers.multiply([y_, gate])))
    z = layers.GlobalAveragePooling2D()(layers.add([z, layers.Dropout(0.2, noise_shape=(None, 1, 1, 1))(y_)]))
    loss = losses.CategoricalCrossentropy(label_smoothing=0.1)
    return _compiled(inputs, layers.Dense(10, activation="softmax")(z), loss), x, one_hot(y, 10), FIT


@sound("Liu et al.: A ConvNet for the 2020s (2022)")
def convnext_block():
    """Depthwise 7 by 7, LayerNormalization, gelu, AdamW."""
    x, y = images(32, 3)
    inputs = Input((32, 32, 3))
    z = layers.LayerNormalization(epsilon=1e-6)(layers.Conv2D(24, 4, strides=4)(inputs))
    for _ in range(2):
        y_ = layers.LayerNormalization(epsilon=1e-6)(layers.DepthwiseConv2D(7, padding="same")(z))
        y_ = layers.Dense(24)(layers.Activation("gelu")(layers.Dense(96)(y_)))
        z = z + y_
    z = layers.LayerNormalization(epsilon=1e-6)(layers.GlobalAveragePooling2D()(z))
    optimizer = optimizers.AdamW(1e-3, weight_decay=0.05)
    return _compiled(inputs, layers.Dense(10, activation="softmax")(z), optimizer=optimizer), x, y, FIT


@sound("Dosovitskiy et al.: An Image is Worth 16x16 Words (2021)")
def vision_transformer():
    """Patches, a class token, pre-normalized blocks."""
    x, y = images(32, 3)
    inputs = Input((32, 32, 3))
    z = layers.Reshape((64, 32))(layers.Conv2D(32, 4, strides=4)(inputs))
    z = z + layers.Embedding(64, 32)(ops.arange(64))
    for _ in range(2):
        y_ = layers.LayerNormalization(epsilon=1e-6)(z)
        z = z + layers.MultiHeadAttention(4, 8, dropout=0.1)(y_, y_)
        y_ = layers.Dense(64, activation="gelu")(layers.LayerNormalization(epsilon=1e-6)(z))
        z = z + layers.Dropout(0.1)(layers.Dense(32)(layers.Dropout(0.1)(y_)))
    z = layers.LayerNormalization(epsilon=1e-6)(z)[:, 0]
    model = Model(inputs, layers.Dense(10)(z))
    model.compile(optimizers.AdamW(1e-3, weight_decay=1e-4), losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, x, y, FIT


@sound("Keras example: image classification with augmentation layers")
def augmented_pictures():
    """Rescaling and random transformations inside the model."""
    x, y = images(32, 3, 5)
    model = Sequential([
        Input((32, 32, 3)), layers.RandomFlip("horizontal"), layers.RandomRotation(0.1), layers.RandomZoom(0.1),
        layers.Rescaling(1.0 / 255), layers.Conv2D(16, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(32, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(64, 3, padding="same", activation="relu"), layers.MaxPooling2D(), layers.Dropout(0.2),
        layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(5, name="outputs"),
    ])  # fmt: skip
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model, 255 * x, y, FIT


@sound("Keras guide: transfer learning and fine-tuning")
def frozen_backbone():
    """A frozen MobileNetV2 in inference mode and one new layer."""
    x, y = images(96, 3, 2, count=64)
    base = keras.applications.MobileNetV2((96, 96, 3), alpha=0.35, include_top=False, weights=None)
    as_trained(base)
    base.trainable = False
    inputs = Input((96, 96, 3))
    z = layers.GlobalAveragePooling2D()(base(layers.Rescaling(2.0, offset=-1.0)(inputs), training=False))
    model = Model(inputs, layers.Dense(1)(layers.Dropout(0.2)(z)))
    model.compile(optimizers.Adam(1e-3), losses.BinaryCrossentropy(from_logits=True))
    return model, x, y, {"epochs": 100, "batch_size": 16}


@sound("Keras guide: transfer learning and fine-tuning")
def thawed_backbone():
    """The last layers of a backbone trained with a rate of 1e-5."""
    x, y = images(96, 3, 3, count=64)
    base = keras.applications.MobileNet((96, 96, 3), alpha=0.25, include_top=False, weights=None)
    as_trained(base)
    for layer in base.layers[:-12]:
        layer.trainable = False
    inputs = Input((96, 96, 3))
    z = layers.GlobalAveragePooling2D()(base(2 * inputs - 1, training=False))
    model = Model(inputs, layers.Dense(3, activation="softmax")(z))
    model.compile(optimizers.Adam(1e-5), SPARSE, metrics=["accuracy"])
    return model, x, y, {"epochs": 100, "batch_size": 16}


@sound("Ronneberger et al.: U-Net (2015)")
def u_net():
    """A class for each pixel with skips by concatenation."""
    x, _ = images(32, 3, 4)
    mask = np.digitize(x.max(axis=-1), [0.5, 0.8])
    inputs = Input((32, 32, 3))
    down, z = [], inputs
    for filters in (8, 16):
        z = layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer="he_normal")(z)
        z = layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer="he_normal")(z)
        down.append(z)
        z = layers.MaxPooling2D()(z)
    z = layers.Dropout(0.5)(layers.Conv2D(32, 3, padding="same", activation="relu")(z))
    for filters, other in ((16, down[1]), (8, down[0])):
        z = layers.Concatenate()([layers.Conv2DTranspose(filters, 2, 2, padding="same")(z), other])
        z = layers.Conv2D(filters, 3, padding="same", activation="relu")(z)
    return _compiled(inputs, layers.Conv2D(3, 1, activation="softmax")(z)), x, mask, FIT


@sound("Milletari et al.: V-Net (2016), the Dice loss")
def dice_segmentation():
    """One channel of sigmoid and a loss of one's own."""
    x, _ = images(24, 1, 4)
    mask = (x > 0.6).astype("float32")

    def dice(y_true, y_pred):
        both = ops.sum(y_true * y_pred, axis=(1, 2, 3))
        return 1 - (2 * both + 1) / (ops.sum(y_true, axis=(1, 2, 3)) + ops.sum(y_pred, axis=(1, 2, 3)) + 1)

    inputs = Input((24, 24, 1))
    z = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    z = layers.Conv2D(8, 3, padding="same", dilation_rate=2, activation="relu")(z)
    model = Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(z))
    model.compile("adam", dice, metrics=[metrics.BinaryIoU(target_class_ids=[1])])
    return model, x, mask, FIT


@sound("Long et al.: Fully Convolutional Networks (2015)")
def fully_convolutional():
    """Logits for each pixel of pictures of any size, up by a factor of 4."""
    x, _ = images(32, 3, 4)
    mask = (x.max(axis=-1) > 0.6).astype("int32")
    inputs = Input((None, None, 3))
    z = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(inputs)
    z = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")(z)
    z = layers.UpSampling2D(4, interpolation="bilinear")(layers.Conv2D(2, 1)(z))
    return _compiled(inputs, z, losses.SparseCategoricalCrossentropy(from_logits=True)), x, mask, FIT


@sound("Redmon et al.: You Only Look Once (2016)")
def grid_of_boxes():
    """Boxes and confidences for each cell of a grid, by a loss of one's own."""
    x, y = images(32, 3, 4)
    target = np.zeros((len(x), 4, 4, 5), "float32")
    target[np.arange(len(x)), y % 4, y // 2, :] = draw(3).random((len(x), 5))
    target[..., 4] = target[..., 4] > 0

    def loss(y_true, y_pred):
        there = y_true[..., 4:]
        boxes = ops.sum(there * ops.square(y_true[..., :4] - ops.sigmoid(y_pred[..., :4])), axis=(1, 2, 3))
        sure = ops.binary_crossentropy(there, y_pred[..., 4:], from_logits=True)
        return 5 * boxes + ops.sum(sure, axis=(1, 2, 3))

    model = Sequential([Input((32, 32, 3))])
    for filters in (8, 16, 32):
        model.add(layers.Conv2D(filters, 3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization())
        model.add(layers.LeakyReLU(0.1))
        model.add(layers.MaxPooling2D())
    model.add(layers.Conv2D(5, 1))
    model.compile("adam", loss)
    return model, x, target, FIT


@sound("Ren et al.: Faster R-CNN (2015), box regression with the smooth absolute error")
def box_and_class():
    """One box and its class from shared features."""
    x, y = images(32, 3, 4)
    box = draw(4).random((len(x), 4)).astype("float32")
    inputs = Input((32, 32, 3))
    z = layers.Conv2D(16, 3, strides=2, activation="relu")(inputs)
    z = layers.Flatten()(layers.MaxPooling2D()(layers.Conv2D(32, 3, strides=2, activation="relu")(z)))
    z = layers.Dense(64, activation="relu")(z)
    model = Model(inputs, {"box": layers.Dense(4, activation="sigmoid", name="box")(z),
                           "kind": layers.Dense(4, activation="softmax", name="kind")(z)})  # fmt: skip
    model.compile("adam", {"box": losses.Huber(), "kind": SPARSE}, loss_weights={"box": 5.0, "kind": 1.0},
                  metrics={"kind": "accuracy"})  # fmt: skip
    return model, x, {"box": box, "kind": y}, {"epochs": 30}


@sound("Keras example: keypoint detection")
def keypoints():
    """Pairs of coordinates from 0 to 1 by separable convolutions."""
    x, y = images(32, 3, 8)
    points = np.stack([np.cos(y + 1.0), np.sin(y)], axis=1).astype("float32") / 2 + 0.5
    inputs = Input((32, 32, 3))
    z = layers.SeparableConv2D(16, 5, strides=2, activation="relu")(inputs)
    z = layers.SeparableConv2D(2, 5, strides=2)(z)
    z = layers.Dense(2)(layers.Flatten()(z))
    model = Model(inputs, z)
    model.compile(optimizers.Adam(1e-3), "mse")
    return model, x, points, FIT


@sound("Dong et al.: Image Super-Resolution Using Deep Convolutional Networks (2016)")
def sharper_pictures():
    """Windows of 9, 1 and 5; the last layer is linear."""
    x, _ = images(24, 1, 4)
    model = Sequential([
        Input((24, 24, 1)), layers.Conv2D(32, 9, padding="same", activation="relu"),
        layers.Conv2D(16, 1, activation="relu"),
        layers.Conv2D(1, 5, padding="same"),
    ])  # fmt: skip
    model.compile(optimizers.Adam(3e-4), "mse")
    small = x.reshape(-1, 12, 2, 12, 2, 1).mean(axis=(2, 4))
    return model, small.repeat(2, axis=1).repeat(2, axis=2), x, FIT


@sound("Zhang et al.: Beyond a Gaussian Denoiser (2017)")
def residual_denoiser():
    """Predicts the noise, and subtracts it."""
    x, _ = images(24, 1, 4)
    noisy = x + 0.1 * draw(1).normal(size=x.shape).astype("float32")
    inputs = Input((24, 24, 1))
    z = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    for _ in range(4):
        z = layers.Conv2D(16, 3, padding="same", use_bias=False)(z)
        z = layers.ReLU()(layers.BatchNormalization()(z))
    model = Model(inputs, layers.Subtract()([inputs, layers.Conv2D(1, 3, padding="same")(z)]))
    model.compile("adam", "mse")
    return model, noisy, x, FIT


@sound("Zhang et al.: Colorful Image Colorization (2016); Keras tutorials of it")
def colours_of_gray():
    """Two channels from -1 to 1 by tanh."""
    x, _ = images(24, 3, 6)
    colour = x[..., :2] * 1.8 - 0.9
    model = Sequential([Input((24, 24, 1))])
    for filters, stride in ((16, 2), (32, 1), (32, 1)):
        model.add(layers.Conv2D(filters, 3, strides=stride, padding="same", activation="relu"))
    model.add(layers.UpSampling2D())
    model.add(layers.Conv2D(16, 3, padding="same", activation="relu"))
    model.add(layers.Conv2D(2, 3, padding="same", activation="tanh"))
    model.compile("rmsprop", "mse")
    return model, x.mean(axis=-1, keepdims=True), np.clip(colour, -1, 1), FIT


@sound("Lin, Chen, Yan: Network in Network (2014)")
def network_in_network():
    """1 by 1 convolutions, and the classes by global average pooling."""
    x, y = images(24, 3)
    model = Sequential([
        Input((24, 24, 3)), layers.Conv2D(32, 5, padding="same", activation="relu"),
        layers.Conv2D(24, 1, activation="relu"),
        layers.MaxPooling2D(3, 2, padding="same"), layers.Dropout(0.5),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.Conv2D(10, 1), layers.GlobalAveragePooling2D(), layers.Activation("softmax"),
    ])  # fmt: skip
    model.compile("adam", SPARSE, metrics=["accuracy"])
    return model, x, y, FIT


@sound("Springenberg et al.: Striving for Simplicity (2015)")
def all_convolutional():
    """Strides in the place of pooling."""
    x, y = images(32, 3)
    model = Sequential([Input((32, 32, 3))])
    for filters, stride in ((24, 1), (24, 2), (48, 1), (48, 2)):
        model.add(layers.Conv2D(filters, 3, strides=stride, padding="same", activation="relu"))
    model.add(layers.Conv2D(10, 1, activation="relu"))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Softmax())
    model.compile(optimizers.SGD(0.05, momentum=0.9), SPARSE, metrics=["accuracy"])
    return model, x, y, FIT


@sound("Ji et al.: 3D Convolutional Neural Networks for Human Action Recognition (2013)")
def short_films():
    """Convolutions over space and time."""
    x, y = images(16, 3, 4)
    films = np.repeat(x[:, None], 6, axis=1)
    model = Sequential([
        Input((6, 16, 16, 3)), layers.Conv3D(8, 3, padding="same", activation="relu"), layers.MaxPooling3D((1, 2, 2)),
        layers.BatchNormalization(), layers.Conv3D(16, 3, padding="same", activation="relu"),
        layers.GlobalAveragePooling3D(), layers.Dense(4, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", SPARSE, metrics=["accuracy"])
    return model, films[:128], y[:128], {"epochs": 40, "batch_size": 16}


@sound("Shi et al.: Convolutional LSTM Network (2015); Keras example of next frames")
def next_frames():
    """A sequence of frames by ConvLSTM2D, with a sigmoid for each pixel."""
    x, _ = images(16, 1, 4, count=96)
    films = (np.stack([np.roll(x, step, axis=1) for step in range(6)], axis=1) > 0.5).astype("float32")
    inputs = Input((None, 16, 16, 1))
    z = layers.BatchNormalization()(layers.ConvLSTM2D(8, 3, padding="same", return_sequences=True)(inputs))
    z = layers.Conv3D(1, 3, activation="sigmoid", padding="same")(z)
    model = Model(inputs, z)
    model.compile("adam", "binary_crossentropy")
    return model, films[:, :-1], films[:, 1:], {"epochs": 40, "batch_size": 8}


@sound("Hendrycks, Gimpel: GELU (2016); Klambauer et al.: Self-Normalizing Neural Networks (2017)")
def self_normalizing():
    """selu with lecun_normal and AlphaDropout, eight layers deep."""
    x, y = images(16, 1)
    model = Sequential([Input((16, 16, 1)), layers.Flatten()])
    for _ in range(8):
        model.add(layers.Dense(64, activation="selu", kernel_initializer="lecun_normal"))
    model.add(layers.AlphaDropout(0.1))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(optimizers.Adam(1e-3), SPARSE, metrics=["accuracy"])
    return model, (x - 0.3) / 0.3, y, FIT


@sound("Wu, He: Group Normalization (2018)")
def small_batches_with_groups():
    """Batches of two, which GroupNormalization is for."""
    x, y = images(24, 3, 5)
    z = inputs = Input((24, 24, 3))
    for filters in (16, 32):
        z = layers.Conv2D(filters, 3, padding="same", use_bias=False)(z)
        z = layers.MaxPooling2D()(layers.ReLU()(layers.GroupNormalization(8)(z)))
    z = layers.GlobalAveragePooling2D()(z)
    return _compiled(inputs, layers.Dense(5, activation="softmax")(z)), x, y, {"epochs": 10, "batch_size": 2}


@sound("Gatys, Ecker, Bethge; Keras example of class attention by channels first")
def channels_first_on_purpose():
    """data_format="channels_first" in each layer, with data that have it."""
    x, y = images(24, 3, 4)
    model = Sequential([
        Input((3, 24, 24)), layers.Conv2D(16, 3, activation="relu", data_format="channels_first"),
        layers.MaxPooling2D(data_format="channels_first"),
        layers.Conv2D(32, 3, activation="relu", data_format="channels_first"),
        layers.GlobalAveragePooling2D(data_format="channels_first"), layers.Dense(4, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", SPARSE, metrics=["accuracy"])
    return model, x.transpose(0, 3, 1, 2), y, FIT


@sound("Khosla et al.: Novel Dataset for Fine-Grained Image Categorization; multi-label pictures")
def attributes_of_faces():
    """Several attributes at once: a sigmoid for each."""
    x, y = images(32, 3, 8)
    flags = np.stack([y & 1, (y >> 1) & 1, (y >> 2) & 1], axis=1).astype("float32")
    model = Sequential([
        Input((32, 32, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"), layers.GlobalAveragePooling2D(), layers.Dense(32, activation="relu"),
        layers.Dense(3, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy", metrics=[metrics.AUC(multi_label=True), "binary_accuracy"])
    return model, x, flags, FIT


@sound("Lin et al.: Focal Loss for Dense Object Detection (2017)")
def rare_class_with_focal_loss():
    """A tenth of the pictures are of the class, and the loss is made for that."""
    x, y = images(24, 3, 10)
    model = Sequential([
        Input((24, 24, 3)), layers.Conv2D(16, 3, activation="relu"), layers.GlobalMaxPooling2D(),
        layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", losses.BinaryFocalCrossentropy(gamma=2.0), metrics=[metrics.AUC(curve="PR")])
    return model, x, (y == 0).astype("float32"), FIT


@sound("Zhang et al.: mixup (2018)")
def mixed_labels():
    """Rows of labels that are mixtures of two classes."""
    x, y = images(24, 3, 5)
    part = draw(5).beta(0.4, 0.4, (len(x), 1, 1, 1)).astype("float32")
    hot, other = one_hot(y, 5), draw(6).permutation(len(x))
    mixed = part * x + (1 - part) * x[other]
    labels = part[:, 0, 0] * hot + (1 - part[:, 0, 0]) * hot[other]
    z = inputs = Input((24, 24, 3))
    z = layers.GlobalMaxPooling2D()(layers.Conv2D(32, 3, activation="relu")(z))
    return _compiled(inputs, layers.Dense(5, activation="softmax")(z), "categorical_crossentropy"), mixed, labels, FIT


@sound("ImageNet recipes: subtracting the mean of each colour")
def centred_pixels():
    """Pixels of 0 to 255 less the mean of ImageNet, as VGG and ResNet50 take them."""
    x, y = images(32, 3, 6)
    means = np.array([103.9, 116.8, 123.7], "float32")
    model = Sequential([
        Input((32, 32, 3)), layers.Conv2D(16, 3, use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.MaxPooling2D(), layers.Conv2D(32, 3, activation="relu"), layers.GlobalAveragePooling2D(),
        layers.Dense(6, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", SPARSE, metrics=["accuracy"])
    return model, 255 * x - means, y, FIT
