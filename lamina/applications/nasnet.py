"""NASNet-A (Zoph et al., 2017, "Learning Transferable Architectures for Image Recognition", arXiv:1707.07012)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lamina.applications.frame import (
    Architecture,
    classifier,
    halving_pad,
    last_axis,
    network,
    rows_and_columns,
    variant,
)
from lamina.applications.imagenet_utils import decode_predictions
from lamina.applications.imagenet_utils import tf_input as preprocess_input
from lamina.layers.batch_normalization import BatchNormalization
from lamina.layers.convolutional import Conv2D
from lamina.layers.dense import Activation
from lamina.layers.merging import Add, Concatenate
from lamina.layers.padding_layers import Cropping2D, ZeroPadding2D
from lamina.layers.pooling import AveragePooling2D, MaxPooling2D
from lamina.layers.separable_convolution import SeparableConv2D

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lamina.activations import ActivationLike
    from lamina.core.keras_tensor import KerasTensor
    from lamina.models.model import Model

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]


def _relu(x, name=None):
    return Activation("relu", name=name)(x)


def _normalize(x, name):
    return BatchNormalization(axis=last_axis(), momentum=0.9997, epsilon=1e-3, name=name)(x)


def _mix(x, filters, name):
    """A 1x1 convolution."""
    return Conv2D(filters, 1, padding="same", use_bias=False, kernel_initializer="he_normal", name=name)(x)


def _separable(x, filters, window, name, stride=1):
    """ReLU, separable convolution and normalization, twice; the first convolution has the stride."""
    x = _relu(x)
    if stride == 2:
        x = ZeroPadding2D(halving_pad(x.shape, window), name=f"separable_conv_1_pad_{name}")(x)
    for turn, (step, padding) in enumerate([(stride, "same" if stride == 1 else "valid"), (1, "same")], start=1):
        x = _relu(x) if turn == 2 else x
        x = SeparableConv2D(filters, window, step, padding, use_bias=False, name=f"separable_conv_{turn}_{name}")(x)
        x = _normalize(x, f"separable_conv_{turn}_bn_{name}")
    return x


def _fitted(before, x, filters, name):
    """`before`, the output of the cell before the last, with the size of `x` and `filters` channels."""
    if before is None:
        return x
    if rows_and_columns(before.shape) != rows_and_columns(x.shape):
        before = _relu(before, f"adjust_relu_1_{name}")
        shifted = Cropping2D(((1, 0), (1, 0)))(ZeroPadding2D(((0, 1), (0, 1)))(before))
        halves = [
            _mix(AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_{index}_{name}")(y), filters // 2,
                 f"adjust_conv_{index}_{name}")
            for index, y in ((1, before), (2, shifted))
        ]  # fmt: skip
        return _normalize(Concatenate(axis=last_axis())(halves), f"adjust_bn_{name}")
    if before.shape[last_axis()] != filters:
        return _normalize(_mix(_relu(before), filters, f"adjust_conv_projection_{name}"), f"adjust_bn_{name}")
    return before


def _mean(x, name):
    return AveragePooling2D(3, strides=1, padding="same", name=name)(x)


def _normal_cell(x, before, filters, name):
    """Normal cell, figure 4, left. Returns the next `x` and `before`."""
    p = _fitted(before, x, filters, name)
    h = _normalize(_mix(_relu(x), filters, f"normal_conv_1_{name}"), f"normal_bn_1_{name}")
    pairs = [
        (_separable(h, filters, 5, f"normal_left1_{name}"), _separable(p, filters, 3, f"normal_right1_{name}")),
        (_separable(p, filters, 5, f"normal_left2_{name}"), _separable(p, filters, 3, f"normal_right2_{name}")),
        (_mean(h, f"normal_left3_{name}"), p),
        (_mean(p, f"normal_left4_{name}"), _mean(p, f"normal_right4_{name}")),
        (_separable(h, filters, 3, f"normal_left5_{name}"), h),
    ]
    sums = [Add(name=f"normal_add_{index}_{name}")(list(pair)) for index, pair in enumerate(pairs, start=1)]
    return Concatenate(axis=last_axis(), name=f"normal_concat_{name}")([p, *sums]), x


def _reduction_cell(x, before, filters, name):
    """Reduction cell, figure 4, right: halves the rows and columns. Returns the next `x` and `before`."""
    p = _fitted(before, x, filters, name)
    h = _normalize(_mix(_relu(x), filters, f"reduction_conv_1_{name}"), f"reduction_bn_1_{name}")
    padded = ZeroPadding2D(halving_pad(h.shape, 3), name=f"reduction_pad_1_{name}")(h)

    def halved(y, window, place):
        return _separable(y, filters, window, f"reduction_{place}_{name}", stride=2)

    first = Add(name=f"reduction_add_1_{name}")([halved(h, 5, "left1"), halved(p, 7, "right1")])
    largest = MaxPooling2D(3, strides=2, name=f"reduction_left2_{name}")(padded)
    second = Add(name=f"reduction_add_2_{name}")([largest, halved(p, 7, "right2")])
    mean = AveragePooling2D(3, strides=2, name=f"reduction_left3_{name}")(padded)
    third = Add(name=f"reduction_add3_{name}")([mean, halved(p, 5, "right3")])
    fourth = Add()([second, _mean(first, f"reduction_left4_{name}")])
    fine = _separable(first, filters, 3, f"reduction_left4_{name}")
    largest = MaxPooling2D(3, strides=2, name=f"reduction_right5_{name}")(padded)
    fifth = Add(name=f"reduction_add4_{name}")([fine, largest])
    return Concatenate(axis=last_axis(), name=f"reduction_concat_{name}")([second, third, fourth, fifth]), x


def _body(x, penultimate_filters, blocks, stem_filters, skips_reduction):
    """A stem, then three runs of `blocks` normal cells with reduction cells between; the last cell has
    `penultimate_filters` channels. With `skips_reduction` the cell after a reduction cell gets its `before`."""
    filters = penultimate_filters // 24
    x = Conv2D(stem_filters, 3, strides=2, use_bias=False, kernel_initializer="he_normal", name="stem_conv1")(x)
    x, before = _normalize(x, "stem_bn1"), None
    x, before = _reduction_cell(x, before, filters // 4, "stem_1")
    x, before = _reduction_cell(x, before, filters // 2, "stem_2")
    for run in range(3):
        if run:
            x, last = _reduction_cell(x, before, filters * 2**run, f"reduce_{run * blocks}")
            before = before if skips_reduction else last
        for index in range(blocks):
            x, before = _normal_cell(x, before, filters * 2**run, str(run * blocks + bool(run) + index))
    return _relu(x)


def _top(x, classes, activation):
    return classifier(x, classes, activation, pool=None)


def _nasnet(
    architecture: Architecture,
    input_shape: Sequence[int | None] | None = None,
    include_top: bool = True,
    weights: str | Path | None = "imagenet",
    input_tensor: KerasTensor | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: ActivationLike = "softmax",
    name: str | None = None,
) -> Model:
    return network(
        architecture, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
    )


@variant(_nasnet)
def NASNetLarge():
    """NASNet-A, the large one, for images of 331 x 331 pixels.

    `keras.applications.nasnet.preprocess_input` prepares the pixels.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 4032), or
    (batch, 4032) with pooling.

    Args:
        input_shape: Shape of one image, three sizes; None means the default size.
        include_top: Whether the classifier is on top of the network.
        weights: None for random weights, "imagenet" to download those trained on ImageNet, or the path of a file.
        input_tensor: Symbolic tensor to use as the input; None makes an Input.
        pooling: "avg" or "max" for global pooling of the features without the top; None keeps the feature maps.
        classes: Number of classes of the classifier.
        classifier_activation: Activation of the classifier; None returns logits.
        name: Name of the model.

    Raises:
        ConfigError: For an invalid argument, or arguments that contradict each other.
        ShapeError: For an input shape that the network or its weights do not support.
        NetworkError: If the weights cannot be downloaded; the message says where to put the file.

    Source: Zoph et al., 2017, "Learning Transferable Architectures for Scalable Image Recognition", arXiv:1707.07012.
    """
    return Architecture(lambda x: _body(x, 4032, 6, 96, True), "nasnet_large", 331, fixed_size=True, top=_top)


@variant(_nasnet)
def NASNetMobile():
    """NASNet-A, the mobile one, for images of 224 x 224 pixels.

    `keras.applications.nasnet.preprocess_input` prepares the pixels.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 1056), or
    (batch, 1056) with pooling.

    Args:
        input_shape: Shape of one image, three sizes; None means the default size.
        include_top: Whether the classifier is on top of the network.
        weights: None for random weights, "imagenet" to download those trained on ImageNet, or the path of a file.
        input_tensor: Symbolic tensor to use as the input; None makes an Input.
        pooling: "avg" or "max" for global pooling of the features without the top; None keeps the feature maps.
        classes: Number of classes of the classifier.
        classifier_activation: Activation of the classifier; None returns logits.
        name: Name of the model.

    Raises:
        ConfigError: For an invalid argument, or arguments that contradict each other.
        ShapeError: For an input shape that the network or its weights do not support.
        NetworkError: If the weights cannot be downloaded; the message says where to put the file.

    Source: Zoph et al., 2017, "Learning Transferable Architectures for Scalable Image Recognition", arXiv:1707.07012.
    """
    return Architecture(lambda x: _body(x, 1056, 4, 32, False), "nasnet_mobile", 224, fixed_size=True, top=_top)
