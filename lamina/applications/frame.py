"""What all networks share around their body: checks, the input, the classifier or the pooling on top, and weights.

A network is its `Architecture`; `@variant(network)` turns a function that returns one into the function that users
call, with the arguments of `network`:

    @variant(network)
    def VGG16():
        return Architecture(body, "vgg16", size=224)
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from lamina.applications.weights import remote_weights
from lamina.core.keras_tensor import KerasTensor
from lamina.core.node import get_source_inputs
from lamina.datasets.fetch import fetch_remote
from lamina.errors import ConfigError, ShapeError, warn
from lamina.layers.dense import Dense
from lamina.layers.global_pooling import GlobalAveragePooling2D, GlobalMaxPooling2D
from lamina.layers.input_layer import Input
from lamina.layers.regularization import Dropout
from lamina.models.model import Model
from lamina.runtime.settings import image_data_format
from lamina.spelling.arguments import explain_call

if TYPE_CHECKING:
    from lamina.activations import ActivationLike
    from lamina.core.typing import Shape

__all__ = [
    "POOL_NAMES", "Architecture", "channel_axis", "classifier", "halving_pad", "image_shape", "last_axis", "network",
    "rounded", "rows_and_columns", "rows_in_name", "square_of", "variant",
]  # fmt: skip

IMAGENET_CLASSES = 1000
POOL_NAMES = {"avg": "avg_pool", "max": "max_pool"}

P = ParamSpec("P")


def variant(
    build: Callable[Concatenate[Any, P], Model],
) -> Callable[[Callable[[], Any]], Callable[P, Model]]:
    """A decorator: a function without arguments that returns settings becomes `build(settings, ...)`.

    The new function keeps its name and docstring and has the signature of `build` without the settings; the default of
    `name` is the `file` of the settings.

    Args:
        build: Function of settings, and of the arguments of users, that returns a model.
    """
    parameters = list(inspect.signature(build).parameters.values())[1:]

    def decorate(describe):
        settings = describe()
        signature = inspect.Signature([
            parameter.replace(default=settings.file) if parameter.name == "name" else parameter
            for parameter in parameters
        ])  # fmt: skip

        @functools.wraps(describe)
        def made(*args, **kwargs):
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError as error:
                raise explain_call(made, args, kwargs) or error from None
            bound.apply_defaults()
            return build(settings, *bound.args)  # type: ignore[call-arg]

        made.__signature__ = signature  # type: ignore[attr-defined]
        del made.__wrapped__  # its arguments are not those of a user
        return made

    return decorate


def classifier(
    x: Any,
    classes: int,
    activation: ActivationLike,
    pool: str | None = "avg_pool",
    dropout: float = 0.0,
    kernel_initializer: Any = "glorot_uniform",
) -> Any:
    """Global average pooling, dropout if its rate is above 0, and a Dense layer."""
    x = GlobalAveragePooling2D(name=pool)(x)
    x = Dropout(dropout, name="top_dropout")(x) if dropout > 0 else x
    return Dense(classes, activation=activation, kernel_initializer=kernel_initializer, name="predictions")(x)


@dataclass(frozen=True)
class Architecture:
    """What distinguishes a network.

    Args:
        body: Function of the input tensor that returns the last feature maps.
        file: Name of the weights in `weights.py`, and the default name of the model.
        size: Rows and columns of the images by default.
        smallest: Fewest rows and columns that the network works with.
        top: Function (tensor, classes, activation) that makes the classifier.
        after_pooling: Function that makes what follows the last feature maps without the top.
        pool_names: Names of the layers of `pooling="avg"` and `pooling="max"`.
        fixed_size: Whether images need a known size; None means only with the top.
    """

    body: Callable[[Any], Any]
    file: str
    size: int
    smallest: int = 32
    top: Callable[[Any, int, Any], Any] = classifier
    after_pooling: Callable[[Any], Any] | None = None
    pool_names: dict[str, str] = field(default_factory=dict)
    fixed_size: bool | None = None


def network(
    architecture: Architecture,
    include_top: bool = True,
    weights: str | Path | None = "imagenet",
    input_tensor: KerasTensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: ActivationLike = "softmax",
    name: str | None = None,
) -> Model:
    """The model `input -> body -> top or pooling`, with its weights.

    Args:
        architecture: What distinguishes the network.
        include_top: Whether the classifier is on top of the network.
        weights: None for random weights, "imagenet" to download those trained on ImageNet, or the path of a file.
        input_tensor: Symbolic tensor to use as the input; None makes an Input.
        input_shape: Shape of one image, three sizes; None means the default size, or any size without the top.
        pooling: "avg" or "max" for global pooling of the features without the top; None keeps the feature maps.
        classes: Number of classes of the classifier.
        classifier_activation: Activation of the classifier; None returns logits.
        name: Name of the model.

    Raises:
        ConfigError: For an invalid argument, or arguments that contradict each other.
        ShapeError: For an input shape that the network or its weights do not support.
        NetworkError: If the weights cannot be downloaded; the message says where to put the file.
        FileError: If the downloaded file has another hash.
    """
    _check(weights, include_top, pooling, classes, classifier_activation)
    fixed = include_top if architecture.fixed_size is None else architecture.fixed_size
    shape = image_shape(input_shape, architecture.size, architecture.smallest, fixed, weights)
    path = _weights_path(weights, architecture.file, include_top)  # first: missing weights are found before building
    inputs = _image_input(input_tensor, shape)
    x = architecture.body(inputs)
    if include_top:
        x = architecture.top(x, classes, classifier_activation)
    else:
        if pooling is not None:
            kind = {"avg": GlobalAveragePooling2D, "max": GlobalMaxPooling2D}[pooling]
            x = kind(name=architecture.pool_names.get(pooling))(x)
        x = architecture.after_pooling(x) if architecture.after_pooling else x
    model = Model(inputs if input_tensor is None else get_source_inputs(inputs), x, name=name)
    if path is not None:
        model.load_weights(path)
    return model


def channel_axis() -> int:
    """The axis of the channels of an image batch: 3, or 1 with channels first."""
    return 1 if image_data_format() == "channels_first" else 3


def last_axis() -> int:
    """The axis of the channels counted from the end: -1, or 1 with channels first."""
    return 1 if image_data_format() == "channels_first" else -1


def square_of(input_shape: Sequence[int | None] | None, sizes: Sequence[int]) -> Any:
    """The size whose weights fit images of `input_shape`: their rows if these are among `sizes`, else 224."""
    if input_shape is None or len(input_shape) != 3:
        return 224
    rows, columns = rows_and_columns((None, *input_shape))
    return rows if rows == columns and rows in sizes else 224


def rows_in_name(input_shape: Sequence[int | None] | None, include_top: bool, weights: Any, size: int) -> Any:
    """The rows in the default name of a MobileNet: those of its weights, or else of its images (None if unknown)."""
    if weights == "imagenet" or (input_shape is None and include_top):
        return size
    return input_shape and rows_and_columns((None, *input_shape))[0]


def rows_and_columns(shape: Shape) -> tuple[int | None, ...]:
    """(rows, columns) of a batch of images."""
    return tuple(shape[2:4]) if channel_axis() == 1 else tuple(shape[1:3])


def image_shape(input_shape: Sequence[int | None] | None, size: int, smallest: int, fixed: bool, weights: Any) -> Shape:
    """The shape of one image: the user's if it is valid, else (size, size, 3) with None for sizes that are not `fixed`.

    Raises:
        ShapeError: For a shape that the network or its weights do not support.
    """
    first = image_data_format() == "channels_first"

    def with_channels(rows, columns, channels=3):
        return (channels, rows, columns) if first else (rows, columns, channels)

    if input_shape is None:
        return with_channels(size, size) if fixed else with_channels(None, None)
    shape = tuple(input_shape)
    if len(shape) != 3:
        raise ShapeError(
            f"input_shape must have three sizes; got input_shape={shape}.",
            fix=f"input_shape={with_channels(*(shape if len(shape) == 2 else (size, size)))}",
        )
    channels, image = (shape[0], shape[1:]) if first else (shape[2], shape[:2])
    turned = (shape[2], *shape[:2]) if first else (*shape[1:], shape[0])
    if channels not in (1, 3) and turned[0 if first else 2] in (1, 3):
        order = "(channels, rows, columns)" if first else "(rows, columns, channels)"
        raise ShapeError(f"The sizes of an image are {order}; got input_shape={shape}.", fix=f"input_shape={turned}")
    if weights == "imagenet":
        if channels != 3:
            of_three = f"input_shape={with_channels(*image)}, with x = keras.ops.repeat(x, 3, axis=-1) for gray images"
            raise ShapeError(f"weights='imagenet' need 3 channels; got input_shape={shape}.", fix=of_three)
        if fixed and image != (size, size):
            raise ShapeError(
                f"weights='imagenet' with include_top=True need images of {with_channels(size, size)}; got {shape}.",
                fix="include_top=False takes images of any size.",
            )
    elif channels not in (1, 3):
        warn(f"Images usually have 1 or 3 channels; input_shape={shape} has {channels}.")
    if any(length is not None and length < smallest for length in image):
        raise ShapeError(
            f"Images must have at least {smallest} rows and columns; got input_shape={shape}.",
            fix=f"input_shape={with_channels(smallest, smallest)}",
        )
    if fixed and None in shape:
        raise ShapeError(
            f"With include_top=True the sizes of images must be known; got input_shape={shape}.",
            fix=f"input_shape={with_channels(size, size)}, or include_top=False.",
        )
    return shape


def _check(weights, include_top, pooling, classes, classifier_activation):
    if weights not in (None, "imagenet") and not Path(weights).exists():
        raise ConfigError(
            f"weights must be None, 'imagenet' or the path of a file; there is no file {weights!r}.",
            fix="weights='imagenet' for trained weights, weights=None for random ones.",
        )
    if weights == "imagenet" and include_top and classes != IMAGENET_CLASSES:
        raise ConfigError(
            f"weights='imagenet' with include_top=True have {IMAGENET_CLASSES} classes; got classes={classes}.",
            fix="weights='imagenet', include_top=False  # and a Dense layer of your own behind it",
        )
    if weights == "imagenet" and include_top and classifier_activation not in (None, "softmax"):
        raise ConfigError(
            f"weights='imagenet' need classifier_activation 'softmax' or None; got {classifier_activation!r}.",
            fix="classifier_activation='softmax'",
        )
    if pooling not in (None, "avg", "max"):
        raise ConfigError(f"pooling must be None, 'avg' or 'max'; got pooling={pooling!r}.", fix="pooling='avg'")


def _weights_path(weights, file, include_top):
    """The path of the file to load, downloaded for "imagenet"; None for random weights."""
    if weights != "imagenet":
        return weights
    name, remote = remote_weights(file, include_top)
    return fetch_remote(remote, name)


def _image_input(input_tensor, shape):
    """The input tensor of the network: a new Input, or the user's tensor."""
    if input_tensor is None:
        return Input(shape=shape)
    if not isinstance(input_tensor, KerasTensor):
        raise ConfigError(
            f"input_tensor must be a symbolic tensor (keras.Input); got {type(input_tensor).__name__}.",
            fix=f"input_tensor=keras.Input(shape={shape})",
        )
    return input_tensor


def rounded(filters: float, divisor: int, least: int | None = None) -> int:
    """The multiple of `divisor` nearest to `filters`, at least nine tenths of it."""
    nearest = max(least or divisor, int(filters + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * filters else nearest


def halving_pad(shape: Shape, window: int) -> Any:
    """Padding (before, after) of rows and columns for a window with stride 2: the output has the rows and columns of
    padding="same", and the window always reaches the last row."""
    evens = (1 if size is None else 1 - size % 2 for size in rows_and_columns(shape))
    return tuple((window // 2 - even, window // 2) for even in evens)
