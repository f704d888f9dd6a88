"""Layers of Keras 1 and 2 that are other layers today: their old arguments make today's layer.

>>> import lamina as keras
>>> keras.layers.old_layers.ThresholdedReLU(theta=0.5)(keras.ops.array([0.4, 0.6])).tolist()
[0.0, 0.6000000238418579]
"""

from __future__ import annotations

from typing import Any

from lamina.layers.activation_layers import ReLU
from lamina.layers.base.layer import Layer
from lamina.layers.batch_normalization import BatchNormalization
from lamina.layers.convolutional import Convolution1D, Convolution2D
from lamina.layers.dense import Dense
from lamina.layers.transposed_convolution import Conv2DTranspose, Conv3DTranspose
from lamina.legacy import OldClass

__all__ = [
    "AtrousConv1D", "AtrousConv2D", "AtrousConvolution1D", "AtrousConvolution2D", "Deconv2D", "Deconv3D",
    "Deconvolution2D", "Deconvolution3D", "SyncBatchNormalization", "ThresholdedReLU", "TimeDistributedDense",
]  # fmt: skip


class Deconvolution2D(Conv2DTranspose, metaclass=OldClass):
    """Conv2DTranspose, as in Keras 1: `Deconvolution2D(filters, rows, columns, output_shape)`."""

    _after_kernel = ("output_shape", *OldClass._after_kernel)


class Deconvolution3D(Conv3DTranspose, metaclass=OldClass):
    """Conv3DTranspose, as in Keras 1: `Deconvolution3D(filters, depth, rows, columns, output_shape)`."""

    _after_kernel = ("output_shape", *OldClass._after_kernel)


AtrousConvolution1D = AtrousConv1D = Convolution1D
AtrousConvolution2D = AtrousConv2D = Convolution2D
Deconv2D, Deconv3D = Deconvolution2D, Deconvolution3D
TimeDistributedDense = Dense  # which works on the last axis of sequences, too


def SyncBatchNormalization(*args: Any, **kwargs: Any) -> Layer:
    """`BatchNormalization(synchronized=True)`.

    Args:
        *args: Arguments of BatchNormalization.
        **kwargs: Arguments of BatchNormalization by name.
    """
    return BatchNormalization(*args, synchronized=True, **kwargs)


def ThresholdedReLU(theta: float = 1.0, **kwargs: Any) -> Layer:
    """`ReLU(threshold=theta)`: x where it is above theta, else 0.

    Args:
        theta: The threshold.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`.
    """
    return ReLU(threshold=theta, **kwargs)
