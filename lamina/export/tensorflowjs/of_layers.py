"""Layers for pictures, sequences and volumes, and normalizations, rewritten for TensorFlow.js."""

from __future__ import annotations

import math

import numpy as np

import lamina.layers as layers
from lamina.export.tensorflowjs.rewriting import Unable, plain_weights, rewrites

__all__: list[str] = []

_ONE_AXIS = "kernel_size strides dilation_rate size padding cropping output_padding".split()


@rewrites("Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "DepthwiseConv1D",
          "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
          "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "UpSampling2D", "ZeroPadding2D", "Cropping2D",
          "ZeroPadding3D", "Cropping3D", "UpSampling3D", "GlobalAveragePooling1D", "GlobalMaxPooling1D",
          "GlobalAveragePooling2D", "GlobalMaxPooling2D", "GlobalAveragePooling3D", "GlobalMaxPooling3D")  # fmt: skip
def _channels_first(make, layer, x):
    """The layer for channels that come last, between two changes of the order."""
    if layer.data_format != "channels_first":
        raise Unable
    rank = len(x.shape)
    made = make.like(layer, make.permute(x, *range(2, rank), 1), data_format="channels_last")
    return make.permute(made, rank - 1, *range(1, rank - 1)) if len(made.shape) == rank else made


@rewrites("GlobalAveragePooling1D", "GlobalMaxPooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling2D",
          "GlobalAveragePooling3D", "GlobalMaxPooling3D")  # fmt: skip
def _global_pooling(make, layer, x):
    inner = x.shape[1:-1]
    flat = make.reshape(x, None if None in inner else math.prod(inner), x.shape[-1])
    made = make("GlobalMaxPooling1D" if "Max" in type(layer).__name__ else "GlobalAveragePooling1D", flat)
    return make.reshape(made, *(1 for _ in inner), x.shape[-1]) if layer.keepdims else made


@rewrites("Conv1D", "DepthwiseConv1D", "SeparableConv1D")
def _causal(make, layer, x):
    if layer.padding != "causal":
        raise Unable
    before = layer.dilation_rate[0] * (layer.kernel_size[0] - 1)
    return make.like(layer, make("ZeroPadding1D", x, padding=(before, 0)), padding="valid")


@rewrites("Conv1D", "Conv2D", "Conv3D", "DepthwiseConv2D")
def _one_group(make, layer, x):
    """Groups, and depthwise kernels with holes, as one kernel with zeros between the groups."""
    kernel, *bias = plain_weights(layer)
    is_depthwise = type(layer).__name__ == "DepthwiseConv2D"
    groups = x.shape[-1] if is_depthwise else layer.groups
    if groups == 1 or layer.data_format != "channels_last":
        raise Unable
    kernel = kernel.reshape(*kernel.shape[:-2], 1, -1) if is_depthwise else kernel
    *sizes, inner, filters = kernel.shape
    whole = np.zeros((*sizes, inner * groups, filters), np.float32)
    for group in range(groups):
        columns = slice(group * filters // groups, (group + 1) * filters // groups)
        whole[..., group * inner : (group + 1) * inner, columns] = kernel[..., columns]
    kind = "Conv2D" if is_depthwise else type(layer).__name__
    return make.like(layer, x, weights=[whole, *bias], kind=kind, filters=filters, groups=1)


@rewrites("Conv1DTranspose", "DepthwiseConv1D", "SeparableConv1D", "UpSampling1D", "ZeroPadding1D", "Cropping1D")
def _as_picture(make, layer, x):
    """A sequence as a picture of one row."""
    config = layer.get_config()
    if config.get("data_format", "channels_last") != "channels_last" or config.get("padding") == "causal":
        raise Unable
    changes = {}
    for name in _ONE_AXIS:
        value = config.get(name)
        if isinstance(value, str) or value is None:
            continue
        if name in ("padding", "cropping"):
            changes[name] = ((0, 0), tuple(value) if isinstance(value, (list, tuple)) else (value, value))
            continue
        (value,) = value if isinstance(value, (list, tuple)) else (value,)
        same = name in ("strides", "dilation_rate") and "Transpose" not in type(layer).__name__
        changes[name] = (value if same else 0 if name == "output_padding" else 1, value)
    weights = [array[None] if array.ndim == 3 else array for array in plain_weights(layer)]
    kind = type(layer).__name__.replace("1D", "2D")
    made = make.like(layer, make.reshape(x, 1, *x.shape[1:]), weights=weights, kind=kind, **changes)
    return make.reshape(made, *made.shape[2:])


@rewrites("ConvLSTM1D")
def _film_of_rows(make, layer, x):
    """The loop over sequences as one over pictures of one row."""
    config = layer.get_config()
    if layer.data_format != "channels_last" or layer.return_state:
        raise Unable
    changes = {name: (1, *config[name]) for name in ("kernel_size", "strides", "dilation_rate")}
    weights = [array[None] if array.ndim == 3 else array for array in plain_weights(layer)]
    rows = make.reshape(x, x.shape[1], 1, *x.shape[2:])
    made = make.like(layer, rows, weights=weights, kind="ConvLSTM2D", **changes)
    return make.reshape(made, *(size for axis, size in enumerate(made.shape) if axis not in (0, len(made.shape) - 3)))


@rewrites("ZeroPadding3D", "Cropping3D")
def _along_each_axis(make, layer, x):
    name = "padding" if "Padding" in type(layer).__name__ else "cropping"
    for axis, pair in enumerate(getattr(layer, name), 1):
        if any(pair):
            x = make.along(x, axis, f"{type(layer).__name__[:-2]}2D", **{name: ((0, 0), tuple(pair))})
    return x


@rewrites("UpSampling3D")
def _repeated(make, layer, x):
    for axis, size in enumerate(layer.size, 1):
        x = make.along(x, axis, "UpSampling2D", size=(1, size)) if size != 1 else x
    return x


@rewrites("CenterCrop")
def _centre(make, layer, x):
    spare = [size - wanted for size, wanted in zip(x.shape[1:3], (layer.height, layer.width), strict=True)]
    if min(spare) < 0 or len(x.shape) != 4 or layer.data_format != "channels_last":
        raise Unable
    return make("Cropping2D", x, cropping=tuple((rest // 2, rest - rest // 2) for rest in spare))


@rewrites("Resizing", "UpSampling2D")
def _resized(make, layer, x):
    """Interpolation is a product with a matrix on each axis."""
    config = layer.get_config()
    wrong = any(config.get(name) for name in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"))
    if wrong or layer.data_format != "channels_last" or len(x.shape) != 4 or "int" in x.dtype:  # which is rounded
        raise Unable
    for axis, (size, wanted) in enumerate(zip(x.shape[1:3], layer.compute_output_shape(x.shape)[1:3], strict=True), 1):
        if size is None or wanted is None:
            raise Unable
        row = layers.Resizing(
            wanted, 1, config["interpolation"], data_format="channels_last", dtype="float32", name="row"
        )
        matrix = np.asarray(row(np.eye(size, dtype="float32")[:, :, None, None]))[:, :, 0, 0]
        x = make.linear(x, axis, matrix)
    return x


@rewrites("Softmax", "softmax")
def _softmax(make, operation, x, axis=-1):
    axis = getattr(operation, "axis", axis)
    if not isinstance(axis, int) or not axis % len(x.shape):
        raise Unable
    axis, last = axis % len(x.shape), len(x.shape) - 1
    order = list(range(1, last + 1))
    order[axis - 1], order[-1] = last, axis
    return make.permute(make("Softmax", make.permute(x, *order)), *order)


@rewrites("Normalization")
def _standardized(make, layer, x):
    mean, variance = np.asarray(layer.mean), np.asarray(layer.variance)
    deviation = np.maximum(np.sqrt(variance), 1e-7)
    if layer.invert:
        return make.affine(x, deviation, mean)
    return make.affine(x, 1 / deviation, -mean / deviation)


@rewrites("BatchNormalization", "LayerNormalization")
def _of_many_axes(make, layer, x):
    rank, inner = len(x.shape), x.shape[1:-1]
    if rank < 5 or layer.axis not in (-1, rank - 1, [-1], (-1,)):
        raise Unable
    flat = make.reshape(x, None if None in inner else math.prod(inner), x.shape[-1])
    return make.reshape(make.like(layer, flat, axis=-1), *x.shape[1:])


@rewrites("BatchNormalization")
def _of_another_axis(make, layer, x):
    axis, last = layer.axis % len(x.shape), len(x.shape) - 1
    if axis == last or layer.get_config().get("renorm"):
        raise Unable
    order = list(range(1, last + 1))
    order[axis - 1], order[-1] = last, axis
    return make.permute(make.like(layer, make.permute(x, *order), axis=-1), *order)


@rewrites("LayerNormalization")
def _over_axes(make, layer, x):
    rank, axes = len(x.shape), layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    axes = sorted(axis % rank for axis in axes)
    if len(axes) == 1:
        axis, last = axes[0], rank - 1
        order = [number for number in range(1, rank) if number != axis] + [axis]
        if axis == last:
            raise Unable
        made = make.like(layer, make.permute(x, *order), axis=-1)
        return make.permute(made, *(order.index(number) + 1 for number in range(1, rank)))
    if axes != list(range(axes[0], rank)) or None in x.shape[axes[0] :]:
        raise Unable
    flat = make.reshape(x, *x.shape[1 : axes[0]], math.prod(x.shape[axes[0] :]))
    weights = [array.reshape(-1) for array in plain_weights(layer)]
    return make.reshape(make.like(layer, flat, weights=weights, axis=-1), *x.shape[1:])


def _over_root_of_squares(make, x, epsilon):
    """x / sqrt(mean(x**2) + epsilon) over the last axis: beside its negative, x has the mean 0."""
    size = x.shape[-1]
    if size is None or len(x.shape) < 2:
        raise Unable
    both = make("Concatenate", x, make.scale(x, -1), axis=-1)
    both = make("LayerNormalization", both, epsilon=epsilon, center=False, scale=False)
    return make("Dense", both, units=size, use_bias=False, weights=[np.eye(2 * size, size)])


@rewrites("RMSNormalization")
def _by_squares(make, layer, x):
    axis = layer.axis if isinstance(layer.axis, int) else layer.axis[0] if len(layer.axis) == 1 else 0
    if axis not in (-1, len(x.shape) - 1):
        raise Unable
    return make.affine(_over_root_of_squares(make, x, layer.epsilon), *plain_weights(layer))


@rewrites("UnitNormalization", "normalize")
def _of_length_one(make, layer, x, axis=-1, order=2, epsilon=None):
    axes = getattr(layer, "axis", axis)
    if axes not in (-1, len(x.shape) - 1, [-1], [len(x.shape) - 1]) or order != 2:
        raise Unable
    return make.scale(_over_root_of_squares(make, x, 1e-12 / x.shape[-1]), x.shape[-1] ** -0.5)


@rewrites("GroupNormalization")
def _of_groups(make, layer, x):
    size, rest = x.shape[-1], x.shape[1:-1]
    if layer.axis not in (-1, len(x.shape) - 1) or None in rest:
        raise Unable
    groups, count = (size if layer.groups == -1 else layer.groups), math.prod(rest)
    parts = make.permute(make.reshape(x, count, groups, size // groups), 2, 1, 3)
    flat = make.reshape(parts, groups, count * size // groups)
    made = make("LayerNormalization", flat, epsilon=layer.epsilon, center=False, scale=False)
    parts = make.permute(make.reshape(made, groups, count, size // groups), 2, 1, 3)
    weights = iter(plain_weights(layer))
    scale, offset = next(weights) if layer.scale else 1.0, next(weights) if layer.center else 0.0
    return make.affine(make.reshape(parts, *x.shape[1:]), scale, offset)


@rewrites("CategoryEncoding")
def _encoded(make, layer, x):
    """Rows of a table that has 1 on its diagonal, together for several codes. TensorFlow.js has the layer, which gives
    the shape of its results to the layer before it."""
    count, sizes = layer.num_tokens, layer.compute_output_shape(x.shape)[1:]
    rows = make("Embedding", x, input_dim=count, output_dim=count, weights=[np.eye(count)])
    if layer.output_mode == "one_hot" or len(x.shape) != 2:
        return make.reshape(rows, *sizes)
    made = make("GlobalMaxPooling1D" if layer.output_mode == "multi_hot" else "GlobalAveragePooling1D", rows)
    return made if layer.output_mode == "multi_hot" else make.scale(made, x.shape[1])
