"""What all networks share around their body: checks, the input, the classifier or the pooling on top, and weights."""

from pathlib import Path
from typing import Any

from lamina.applications.weights import remote_weights
from lamina.core.graph import node_of
from lamina.core.keras_tensor import KerasTensor
from lamina.datasets.fetch import fetch_remote
from lamina.errors import ConfigError, ShapeError, warn
from lamina.layers.dense import Dense
from lamina.layers.input_layer import Input
from lamina.layers.pooling import GlobalAveragePooling2D, GlobalMaxPooling2D
from lamina.layers.regularization import Dropout
from lamina.models.model import Model
from lamina.runtime.settings import image_data_format

__all__ = [
    "channel_axis", "classifier", "halving_pad", "image_shape", "last_axis", "named", "network", "rounded",
    "rows_and_columns", "rows_in_name", "square_of",
]  # fmt: skip

IMAGENET_CLASSES = 1000


def network(
    body, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name, *,
    file, size, smallest=32, top=None, after_pooling=None, pool_names=(None, None), fixed_size=None,
):  # fmt: skip
    """The model `input -> body -> top or pooling`, with its weights.

    Args:
        body: a function of the input tensor that draws the network.
        file: the name of its weights in `weights.py`.
        size, smallest: the rows and columns of its images by default, and the fewest it works with.
        top: a function (tensor, classes, activation) that draws the classifier; None for `classifier`.
        after_pooling: a function that draws what follows the last features where there is no top.
        pool_names: the names of the layers of `pooling="avg"` and `pooling="max"`.
        fixed_size: whether images need a size even without a top.

    Raises:
        ConfigError, ShapeError: for arguments that do not go together.
        NetworkError, FileError: where weights cannot be had.
    """
    _check(weights, include_top, pooling, classes, classifier_activation)
    shape = image_shape(input_shape, size, smallest, include_top if fixed_size is None else fixed_size, weights)
    path = _weights_path(weights, file, include_top)  # first, so that missing weights cost no network
    inputs = _image_input(input_tensor, shape)
    x = body(inputs)
    if include_top:
        x = (top or classifier)(x, classes, classifier_activation)
    else:
        if pooling is not None:
            kind, layer_name = {
                "avg": (GlobalAveragePooling2D, pool_names[0]), "max": (GlobalMaxPooling2D, pool_names[1])
            }[pooling]  # fmt: skip
            x = kind(name=layer_name)(x)
        x = after_pooling(x) if after_pooling else x
    model = Model(inputs if input_tensor is None else _source(inputs), x, name=name)
    if path is not None:
        model.load_weights(path)
    return model


def classifier(x, classes, activation, pool: Any = "avg_pool", dropout=0.0, kernel_initializer: Any = "glorot_uniform"):
    """Mean over the image, dropout where there is a rate, and a Dense layer."""
    x = GlobalAveragePooling2D(name=pool)(x)
    x = Dropout(dropout, name="top_dropout")(x) if dropout > 0 else x
    return Dense(classes, activation=activation, kernel_initializer=kernel_initializer, name="predictions")(x)


def named(build, name, text):
    """`build` under a public name, with its docstring: for the functions that the rows of a table become."""
    build.__name__ = build.__qualname__ = name
    build.__doc__ = text
    return build


def channel_axis():
    """The axis of the channels of an image batch: 3, or 1 with channels first."""
    return 1 if image_data_format() == "channels_first" else 3


def last_axis():
    """The axis of the channels as some networks write it: -1, or 1 with channels first."""
    return 1 if image_data_format() == "channels_first" else -1


def square_of(input_shape, sizes):
    """The size whose weights go with images of `input_shape`: its rows where they are among `sizes`, else 224."""
    if input_shape is None or len(input_shape) != 3:
        return 224
    rows, columns = rows_and_columns((None, *input_shape))
    return rows if rows == columns and rows in sizes else 224


def rows_in_name(input_shape, include_top, weights, size):
    """The rows that the default name of a MobileNet tells: those of its weights or else of its images, maybe open."""
    if weights == "imagenet" or (input_shape is None and include_top):
        return size
    return input_shape and rows_and_columns((None, *input_shape))[0]


def rows_and_columns(shape):
    """(rows, columns) of a batch of images."""
    return tuple(shape[2:4]) if channel_axis() == 1 else tuple(shape[1:3])


def image_shape(input_shape, size, smallest, fixed, weights):
    """The shape of one image: the user's if it can be, else (size, size, 3), sizes open if they need not be `fixed`.

    Raises:
        ShapeError: says what the network needs.
    """
    first = image_data_format() == "channels_first"

    def with_channels(rows, columns, channels=3):
        return (channels, rows, columns) if first else (rows, columns, channels)

    if input_shape is None:
        return with_channels(size, size) if fixed else with_channels(None, None)
    shape = tuple(input_shape)
    if len(shape) != 3:
        raise ShapeError(f"input_shape has three sizes; got {shape}.", fix=f"input_shape={with_channels(size, size)}")
    channels, image = (shape[0], shape[1:]) if first else (shape[2], shape[:2])
    if weights == "imagenet":
        if channels != 3:
            raise ShapeError(f"weights='imagenet' are for 3 channels; got input_shape={shape}.", fix="weights=None")
        if fixed and image != (size, size):
            raise ShapeError(
                f"weights='imagenet' with include_top=True are for images of {with_channels(size, size)}; got {shape}.",
                fix="include_top=False takes images of any size.",
            )
    elif channels not in (1, 3):
        warn(f"Images have 1 or 3 channels as a rule; input_shape={shape} has {channels}.")
    if any(length is not None and length < smallest for length in image):
        raise ShapeError(f"The images need {smallest} rows and columns or more; got input_shape={shape}.")
    if fixed and None in shape:
        raise ShapeError(
            f"With include_top=True the sizes of images must be known; got input_shape={shape}.",
            fix=f"input_shape={with_channels(size, size)}, or include_top=False.",
        )
    return shape


def _check(weights, include_top, pooling, classes, classifier_activation):
    if weights not in (None, "imagenet") and not Path(weights).exists():
        raise ConfigError(f"weights is None, 'imagenet' or the path of a file; there is no file {weights!r}.")
    if weights == "imagenet" and include_top and classes != IMAGENET_CLASSES:
        raise ConfigError(
            f"weights='imagenet' with include_top=True have {IMAGENET_CLASSES} classes; got classes={classes}.",
            fix="include_top=False, and a classifier of your own on top.",
        )
    if weights == "imagenet" and include_top and classifier_activation not in (None, "softmax"):
        raise ConfigError(
            f"weights='imagenet' go with classifier_activation 'softmax' or None; got {classifier_activation!r}."
        )
    if pooling not in (None, "avg", "max"):
        raise ConfigError(f"pooling is None, 'avg' or 'max'; got {pooling!r}.")


def _weights_path(weights, file, include_top):
    """The path of the file to load, downloaded where it is Keras's own; None for random weights."""
    if weights != "imagenet":
        return weights
    name, remote = remote_weights(file, include_top)
    return fetch_remote(remote, name)


def _image_input(input_tensor, shape):
    """The tensor where the network starts: a new Input, or what the user has already."""
    if input_tensor is None:
        return Input(shape=shape)
    if not isinstance(input_tensor, KerasTensor):
        raise ConfigError(f"input_tensor is a symbolic tensor (keras.Input); got {type(input_tensor).__name__}.")
    return input_tensor


def _source(tensor):
    """The Inputs that a tensor comes from: one, or a list."""
    sources, waiting, seen = [], [tensor], set()
    while waiting:
        node = node_of(waiting.pop())
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.is_input:
            sources.append(node.outputs)
        waiting.extend(reversed(node.tensors))
    return sources[0] if len(sources) == 1 else sources


def rounded(filters, divisor, least=None):
    """The multiple of `divisor` nearest to `filters`, not below nine tenths of it."""
    nearest = max(least or divisor, int(filters + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * filters else nearest


def halving_pad(shape, window):
    """Zeros (before, after) rows and columns, so that a window of stride 2 halves them as padding="same" does with
    images of even sizes, whose last row it sees."""
    evens = (1 if size is None else 1 - size % 2 for size in rows_and_columns(shape))
    return tuple((window // 2 - even, window // 2) for even in evens)
