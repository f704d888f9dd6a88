"""What is said about convolutions, pooling, padding and resizing."""

import math

from lamina.explain.basic_layers import _inside
from lamina.explain.receptive_field import sizes_of
from lamina.explain.table import says
from lamina.explain.words import count_of, product, shape_of

__all__ = ["channels_and_sizes"]


def channels_and_sizes(layer, shape):
    """(channels, spatial sizes) of a feature map of this layer."""
    if getattr(layer, "data_format", None) == "channels_first":
        return shape[1], shape[2:]
    return shape[-1], shape[1:-1]


def _field(fact):
    if not fact.window or all(window.size == 1 for window in fact.window):
        return ""
    seen, steps = product(window.size for window in fact.window), product(window.step for window in fact.window)
    return f"One number here has seen {seen} positions of the input; its neighbour begins {steps} further."


def _steps(fact, kernel, strides, padding):
    """What strides and padding do to the map."""
    _, before = channels_and_sizes(fact.layer, fact.input)
    _, after = channels_and_sizes(fact.layer, fact.output)
    said = f"The map goes from {product(before)} to {product(after)}"
    if any(stride > 1 for stride in strides):
        said += f": strides {product(strides)} move the window by that many positions"
    elif padding == "valid" and any(size > 1 for size in kernel):
        said += f": without padding the border of {product((size - 1) // 2 for size in kernel)} positions is lost"
    elif padding == "same":
        said += ": zeros around it (padding='same') keep the size"
    elif padding == "causal":
        said += ": zeros before it (padding='causal'), so that no position sees a later one"
    return said + "."


def _convolution_sum(fact):
    return f"{product(fact.layer.kernel.shape)} kernel" + (
        f" + {fact.layer.filters} bias" if fact.layer.use_bias else ""
    )


@says("Conv1D", "Conv2D", "Conv3D", weights=_convolution_sum)
def _convolution(fact):
    layer = fact.layer
    channels, _ = channels_and_sizes(layer, fact.input)
    positions = math.prod(layer.kernel_size) * channels // layer.groups
    dilated = f", every {max(layer.dilation_rate)}th position of it (dilation)" if max(layer.dilation_rate) > 1 else ""
    over = (
        f"the {channels // layer.groups} channels of its group"
        if layer.groups > 1
        else f"all {count_of(channels, 'channel')}"
    )
    return [
        f"{count_of(layer.filters, 'filter')} slide over the map: each is a window of "
        f"{product(layer.kernel_size)}{dilated} over "
        f"{over}, {positions:,} weights, the same at every place, and gives one channel of the output.",
        _steps(fact, layer.kernel_size, layer.strides, layer.padding),
        _field(fact),
        _inside(fact),
    ]


@says("DepthwiseConv1D", "DepthwiseConv2D")
def _depthwise(fact):
    layer = fact.layer
    channels, _ = channels_and_sizes(layer, fact.input)
    return [
        f"Each of the {channels} channels is filtered for itself by {layer.depth_multiplier} window(s) of "
        f"{product(layer.kernel_size)}: channels are not mixed, which a 1 x 1 convolution usually does next.",
        _steps(fact, layer.kernel_size, layer.strides, layer.padding),
        _field(fact),
        _inside(fact),
    ]


@says("SeparableConv1D", "SeparableConv2D")
def _separable(fact):
    layer = fact.layer
    channels, _ = channels_and_sizes(layer, fact.input)
    whole = math.prod(layer.kernel_size) * channels * layer.filters
    return [
        f"Two steps: each channel is filtered for itself by a window of {product(layer.kernel_size)}, then "
        f"{layer.filters} sums "
        f"over the channels mix them at each position. A full convolution would have {whole:,} kernel weights.",
        _steps(fact, layer.kernel_size, layer.strides, layer.padding),
        _field(fact),
        _inside(fact),
    ]


@says("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
def _transposed(fact):
    layer = fact.layer
    _, before = channels_and_sizes(layer, fact.input)
    _, after = channels_and_sizes(layer, fact.output)
    return [
        "The way back of a convolution: each position of the input is spread over a window of "
        f"{product(layer.kernel_size)} of the "
        f"output, {product(layer.strides)} apart, and what overlaps is added: {product(before)} becomes "
        f"{product(after)}, with learned weights.",
        "The kernel size does not divide by the strides: some positions get more terms than others, which shows as a "
        "checkerboard."
        if any(size % stride for size, stride in zip(layer.kernel_size, layer.strides, strict=True))
        else "",
        _inside(fact),
    ]


@says("MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D")
def _pooling(fact):
    layer = fact.layer
    what = "largest number" if fact.kind.startswith("Max") else "mean"
    kernel, strides, _ = sizes_of(layer, len(fact.input) - 2)
    channels, before = channels_and_sizes(layer, fact.input)
    _, after = channels_and_sizes(layer, fact.output)
    return [
        f"The {what} of each window of {product(kernel)}, channel by channel: the map goes from {product(before)} to "
        f"{product(after)}, the "
        f"{channels} channels stay. No weights.",
        f"Windows are {product(strides)} apart, so they {'overlap' if strides < kernel else 'leave gaps'}."
        if tuple(strides) != tuple(kernel)
        else "",
        _field(fact),
    ]


@says(
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D",
    "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D",
)  # fmt: skip
def _global_pooling(fact):
    what = "largest number" if "Max" in fact.kind else "mean"
    channels, sizes = channels_and_sizes(fact.layer, fact.input)
    flat = None if None in sizes else math.prod(sizes) * channels
    receiver = next((receiver for receiver in fact.receivers if receiver.is_a("Dense")), None)
    said = [
        f"The {what} of each channel over all {product(sizes)} positions: {channels:,} features, wherever things are. "
        "No weights."
    ]
    if flat is not None and receiver is not None:
        units = receiver.layer.units
        said.append(
            f"Flatten instead would give {flat:,} features, and {receiver.name} {flat * units:,} kernel weights "
            "instead of "
            f"{channels * units:,}."
        )
    if fact.masked:
        said.append("Masked positions do not count.")
    return said


@says("UpSampling1D", "UpSampling2D", "UpSampling3D")
def _upsampling(fact):
    how = getattr(fact.layer, "interpolation", "nearest")
    return [f"Enlarges {shape_of(fact.input)} to {shape_of(fact.output)} by {how} interpolation. Nothing is learned."]


@says("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "Cropping1D", "Cropping2D", "Cropping3D")
def _border(fact):
    what = "Zeros are put around the map" if "Zero" in fact.kind else "The border is cut off"
    return [f"{what}: {shape_of(fact.input)} becomes {shape_of(fact.output)}."]
