"""Functions of `keras.ops` that change shapes, and sums over axes, rewritten for TensorFlow.js."""

from __future__ import annotations

import math

import numpy as np

from lamina.export.tensorflowjs.rewriting import Unable, rewrites

__all__: list[str] = []


@rewrites("concatenate")
def _concatenate(make, operation, parts, axis=0):
    return make("Concatenate", *parts, axis=axis)


@rewrites("transpose")
def _transpose(make, operation, x, axes=None):
    if not axes or axes[0] != 0:
        raise Unable
    return make.permute(x, *axes[1:])


@rewrites("reshape", "squeeze", "expand_dims")
def _reshape(make, operation, *args, **kwargs):
    x = args[0]
    shape = operation._inbound_nodes[0].result.shape
    if shape[0] is not None or x.shape[0] is not None:
        raise Unable
    return make.reshape(x, *shape[1:])


@rewrites("swapaxes")
def _swapped(make, operation, x, axis1, axis2):
    order = list(range(len(x.shape)))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return _transpose(make, operation, x, order)


@rewrites("moveaxis")
def _moved(make, operation, x, source, destination):
    if not isinstance(source, int) or not isinstance(destination, int):
        raise Unable
    order = list(range(len(x.shape)))
    order.insert(destination % len(order), order.pop(source))
    return _transpose(make, operation, x, order)


@rewrites("stack")
def _stacked(make, operation, parts, axis=0):
    axis %= len(parts[0].shape) + 1
    if axis == 0:
        raise Unable
    rows = [make.reshape(x, *x.shape[1:axis], 1, *x.shape[axis:]) for x in parts]
    return make("Concatenate", *rows, axis=axis) if len(rows) > 1 else rows[0]


@rewrites("split")
def _split(make, operation, x, indices_or_sections, axis=0):
    axis, cuts = axis % len(x.shape), indices_or_sections
    size = x.shape[axis]
    if axis == 0 or size is None:
        raise Unable
    cuts = [size // cuts * number for number in range(1, cuts)] if isinstance(cuts, int) else [int(cut) for cut in cuts]
    if not all(low < high for low, high in zip([0, *cuts], [*cuts, size], strict=True)):
        raise Unable
    return [_range(make, x, axis, low, high) for low, high in zip([0, *cuts], [*cuts, size], strict=True)]


@rewrites("pad")
def _padded(make, operation, x, pad_width, mode="constant", constant_values=None):
    pairs = np.broadcast_to(np.asarray(pad_width), (len(x.shape), 2)).tolist()
    if mode != "constant" or constant_values not in (None, 0) or any(pairs[0]):
        raise Unable
    for axis, pair in enumerate(pairs):
        if any(pair):
            x = make.along(x, axis, "ZeroPadding2D", padding=((0, 0), tuple(pair)))
    return x


@rewrites("repeat")
def _repeated(make, operation, x, repeats, axis=None):
    if np.ndim(repeats) or axis is None or axis % len(x.shape) == 0:
        raise Unable
    return make.along(x, axis % len(x.shape), "UpSampling2D", size=(1, int(repeats)))


@rewrites("extract_patches")
def _patches(make, operation, images, size, strides=None, dilation_rate=1, padding="valid", data_format=None):
    """A convolution that keeps each number of a patch."""
    sizes = tuple(size) if isinstance(size, (list, tuple)) else (size, size)
    if len(images.shape) != 4 or len(sizes) != 2 or data_format == "channels_first":
        raise Unable
    count = math.prod(sizes) * images.shape[-1]
    settings = {"strides": strides or sizes, "dilation_rate": dilation_rate, "padding": padding, "use_bias": False}
    kernel = np.eye(count).reshape(*sizes, images.shape[-1], count)
    return make("Conv2D", images, filters=count, kernel_size=sizes, weights=[kernel], **settings)


@rewrites("mean", "sum", "max", "amax", "min", "amin")
def _reduced(make, operation, x, axis=None, keepdims=False):
    rank, name = len(x.shape), operation.op_name
    axes = sorted({number % rank for number in (axis if isinstance(axis, (list, tuple)) else [axis or 0])})
    kept = [number for number in range(1, rank) if number not in axes]
    sizes, rest = ([x.shape[number] for number in each] for each in (axes, kept))
    if 0 in axes or None in rest or (None in sizes and name == "sum"):
        raise Unable
    flat = make.permute(x, *axes, *kept)
    flat = make.reshape(flat, None if None in sizes else math.prod(sizes), math.prod(rest))
    flat = make.scale(flat, -1) if "min" in name else flat
    made = make(f"Global{'Average' if name in ('mean', 'sum') else 'Max'}Pooling1D", flat)
    if name == "sum" or "min" in name:
        made = make.scale(made, flat.shape[1] if name == "sum" else -1)
    return make.reshape(
        made, *(1 if number in axes else x.shape[number] for number in sorted([*kept, *axes * keepdims]))
    )


@rewrites("get_item")
def _part(make, operation, x, key):
    """Steps and ranges of axes whose size is known, and new axes."""
    key = list(key) if isinstance(key, tuple) else [key]
    count = sum(part is not None for part in key)
    if Ellipsis in key:
        place = key.index(Ellipsis)
        key[place : place + 1] = [slice(None)] * (len(x.shape) - count + 1)
    shape = operation._inbound_nodes[0].result.shape
    parts = [part for part in key if part is not None]
    if not key or key[0] != slice(None) or len(parts) > len(x.shape):
        raise Unable
    is_end = len(parts) == len(key) > 1 and key[1] in (0, -1) and isinstance(key[1], int)
    if is_end and x.shape[1] is None and len(x.shape) == 3 and all(part == slice(None) for part in key[2:]):
        size = x.shape[-1]  # the state of a loop that keeps its input
        settings = {"activation": "linear", "use_bias": False, "go_backwards": key[1] == 0}
        return make("SimpleRNN", x, units=size, weights=[np.eye(size), np.zeros((size, size))], **settings)
    for axis, part in enumerate(parts[1:], 1):
        if part == slice(None):
            continue
        size = x.shape[axis]
        if size is None or not isinstance(part, (int, slice)):
            raise Unable
        places = range(size)[part] if isinstance(part, slice) else range(part % size, part % size + 1)
        x = _chosen(make, x, axis, places)
    return make.reshape(x, *shape[1:])


def _chosen(make, x, axis, places):
    """The places of a range along an axis: cropped, or by a product with rows of the unit matrix."""
    size = x.shape[axis]
    if not places:
        raise Unable
    others = [number for number in range(1, len(x.shape)) if number != axis]
    if places.step == 1 and all(x.shape[number] is not None for number in others):
        return _range(make, x, axis, places.start, places.stop)
    if not str(x.dtype).startswith("float"):
        raise Unable
    return make.linear(x, axis, np.eye(size)[:, list(places)])


def _range(make, x, axis, start, stop):
    size = x.shape[axis]
    return make.along(x, axis, "Cropping2D", cropping=((0, 0), (start, size - stop))) if stop - start < size else x
