"""Descriptions of convolutions, pooling, padding and resizing."""

import math
from fractions import Fraction

from lamina.explanations.basic_layers import sentences_about_activation
from lamina.explanations.descriptions import describes, ranked
from lamina.facts.words import count_of, product, shape_of

__all__ = []


def _channels_and_sizes(layer, shape):
    """(channels, spatial sizes) of a feature map of this layer."""
    if getattr(layer, "data_format", None) == "channels_first":
        return shape[1], shape[2:]
    return shape[-1], shape[1:-1]


def _map_of(fact):
    """(channels, sizes before, sizes after)."""
    channels, before = _channels_and_sizes(fact.layer, fact.input)
    return channels, before, _channels_and_sizes(fact.layer, fact.output)[1]


def _field(fact):
    """The sentence about the receptive field, "" where it is one position or not known."""
    if not fact.window or all(window.size == 1 for window in fact.window):
        return ""
    seen = product(window.size for window in fact.window)
    steps = [Fraction(window.step) for window in fact.window]
    apart = " x ".join(str(step) for step in steps)
    if all(window.whole is not None and window.size >= window.whole for window in fact.window):
        return f"Receptive field: {seen} positions, so that numbers here may depend on the whole input."
    said = f"Receptive field: one number here depends on {seen} positions of the input"
    if any(step > 1 for step in steps):
        said += f", its neighbour on positions {apart} further"
    return said + "."


def _steps(fact, kernel, strides, padding, dilation):
    """What strides and padding do to the map."""
    _, before, after = _map_of(fact)
    change = (
        f"The map goes from {product(before)} to {product(after)}"
        if before != after
        else (f"The map stays {product(after)}" if None not in after else "")
    )
    lost = [(size - 1) * spread for size, spread in zip(kernel, dilation, strict=True)]
    if any(stride > 1 for stride in strides):
        why = f"strides of {product(strides)} move the window by that much"
    elif padding == "valid" and any(lost):
        why = f"without padding (padding='valid') it shrinks by {product(lost)}"
    elif padding == "same" and any(size > 1 for size in kernel):
        why = "zeros around it (padding='same') keep the size"
    elif padding == "causal" and any(lost):
        why = "zeros before it (padding='causal') keep the length, and no position sees later ones"
    else:
        why = ""
    said = ": ".join(filter(None, [change, why]))
    return f"{said[0].upper()}{said[1:]}." if said else ""


def _windowed(fact):
    """Sentences that hold for each convolution: size, receptive field, activation."""
    layer = fact.layer
    return [
        _steps(fact, layer.kernel_size, layer.strides, layer.padding, layer.dilation_rate),
        _field(fact),
        *sentences_about_activation(fact),
    ]


@describes(*ranked("Conv"))
def _convolution(fact):
    layer = fact.layer
    channels, _, _ = _map_of(fact)
    own = channels // layer.groups
    weights = math.prod(layer.kernel_size) * own
    over = (
        f"the {count_of(own, 'channel')} of its group ({layer.groups} groups)"
        if layer.groups > 1
        else f"all {channels:,} channels"
    )
    over = "the one channel" if channels == 1 else over
    spread = (
        f" whose positions are {product(layer.dilation_rate)} apart (dilation)" if max(layer.dilation_rate) > 1 else ""
    )
    subject = "One filter slides" if layer.filters == 1 else f"{layer.filters:,} filters slide"
    each = "it" if layer.filters == 1 else "each"
    said = [
        f"{subject} over the map: {each} is a window of {product(layer.kernel_size)}{spread} over {over}, "
        f"{count_of(weights, 'kernel weight')}, the same at every position, and gives one channel."
    ]
    if math.prod(layer.kernel_size) == 1 and layer.groups == 1:
        said.append("A window of one position: it mixes channels as a Dense at each position does.")
    return [*said, *_windowed(fact)]


@describes(*ranked("DepthwiseConv"))
def _depthwise(fact):
    layer = fact.layer
    channels, _, _ = _map_of(fact)
    return [
        f"Each of the {channels:,} channels is filtered on its own, by {count_of(layer.depth_multiplier, 'window')} "
        f"of {product(layer.kernel_size)}: channels are not mixed, which a convolution with a window of one position "
        "usually does next.",
        *_windowed(fact),
    ]


@describes(*ranked("SeparableConv"))
def _separable(fact):
    layer = fact.layer
    channels, _, _ = _map_of(fact)
    whole = math.prod(layer.kernel_size) * channels * layer.filters
    own = math.prod(layer.kernel_size) * channels * layer.depth_multiplier + (
        channels * layer.depth_multiplier * layer.filters
    )
    return [
        f"Two steps: each of the {channels:,} channels is filtered on its own by {product(layer.kernel_size)} "
        f"windows, then {layer.filters:,} sums over the channels mix them at each position.",
        f"The two kernels have {own:,} weights; that of a full convolution would have {whole:,}.",
        *_windowed(fact),
    ]


@describes("transposed_convolution")
def _transposed(fact):
    layer = fact.layer
    _, before, after = _map_of(fact)
    uneven = any(stride > 1 and size % stride for size, stride in zip(layer.kernel_size, layer.strides, strict=True))
    return [
        f"A transposed convolution: each position adds to a window of {product(layer.kernel_size)} of the "
        f"output, windows are {product(layer.strides)} apart, and overlaps are summed; {product(before)} becomes "
        f"{product(after)}.",
        "The strides do not divide the window: some positions get more terms than others, which may show as a "
        "checkerboard."
        if uneven
        else "",
        _field(fact),
        *sentences_about_activation(fact),
    ]


@describes("pooling")
def _pooling(fact):
    layer = fact.layer
    what = "largest number" if "Max" in _kind(fact, "Pooling") else "mean"
    kernel, strides = layer.pool_size, layer.strides
    channels, before, after = _map_of(fact)
    said = [f"The {what} of each window of {product(kernel)}, for each of the {channels:,} channels; no weights."]
    if any(before):
        said.append(f"The map goes from {product(before)} to {product(after)}.")
    if strides != kernel:
        overlap = any(step < size for step, size in zip(strides, kernel, strict=True))
        said.append(f"Windows are {product(strides)} apart, so {'they overlap' if overlap else 'places are left out'}.")
    elif layer.padding == "valid" and any(size and size % step for size, step in zip(before, strides, strict=True)):
        said.append("Positions at the end that fill no window are left out.")
    return [*said, _field(fact)]


def _kind(fact, end):
    """The class that the family is named after, the layer's own or the one of lamina that it comes from."""
    return next(cls.__name__ for cls in type(fact.layer).__mro__ if end in cls.__name__)


@describes("adaptive_pooling")
def _adaptive(fact):
    what = "largest number" if "Max" in _kind(fact, "Pooling") else "mean"
    channels, before, after = _map_of(fact)
    return [
        f"Reduces a map of any size, here {product(before)}, to {product(after)}: the {what} of as many windows that "
        f"cover it, for each of the {channels:,} channels; no weights."
    ]


@describes("global_pooling")
def _global_pooling(fact):
    maximum = "Max" in _kind(fact, "Pooling")
    channels, sizes, _ = _map_of(fact)
    positions = f"all {product(sizes)} positions" if None not in sizes else "all positions"
    said = [
        f"The {'largest number' if maximum else 'mean'} of each channel over {positions}: {channels:,} features, "
        "regardless of position. No weights."
    ]
    receiver = next((one for one in fact.receivers if one.is_a("Dense")), None)
    if None not in sizes and receiver is not None and not fact.layer.keepdims:
        units, flat = receiver.layer.units, math.prod(sizes) * channels
        said.append(
            f"Flatten instead would give {flat:,} features, and {receiver.name} {flat * units:,} kernel weights "
            f"instead of {channels * units:,}."
        )
    if fact.masked:
        supports = fact.is_a("GlobalAveragePooling1D")
        said.append("Masked positions do not count." if supports else "It ignores the mask: masked positions count.")
    return said


@describes(*ranked("UpSampling"))
def _upsampling(fact):
    _, before, after = _map_of(fact)
    how = getattr(fact.layer, "interpolation", "nearest")
    does = "repeats each position" if how == "nearest" else f"fills in values by {how} interpolation"
    sizes = f" from {product(before)} to {product(after)}" if any(before) else ""
    return [f"Enlarges the map{sizes}: it {does}. Nothing is learned.", _field(fact)]


@describes(*ranked("ZeroPadding", "Cropping"))
def _border(fact):
    what = "Puts zeros around the map" if fact.is_a(*ranked("ZeroPadding")) else "Cuts off the border"
    _, before, after = _map_of(fact)
    return [f"{what}: {product(before)} becomes {product(after)}."]


@describes("STFTSpectrogram", "MelSpectrogram")
def _spectrogram(fact):
    if fact.is_a("MelSpectrogram"):
        what = f"the power in {fact.layer.num_mel_bins} bands of the mel scale, in decibels"
    else:
        what = f"the {fact.layer.mode} of its frequencies"
    return [f"Sound as an image: frames slide over the signal, and each becomes {what}; {shape_of(fact.output)}."]
