"""Preprocessing of images for networks trained on ImageNet, and the names of its classes."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from lamina.core.dtypes import is_float, numpy_dtype
from lamina.core.keras_tensor import KerasTensor
from lamina.datasets.fetch import Remote, fetch_remote
from lamina.errors import ConfigError, DataError, ShapeError, warn
from lamina.legacy import old_names_of
from lamina.ops.core import cast
from lamina.runtime.settings import floatx, image_data_format, standardize_data_format
from lamina.runtime.tracebacks import filters_traceback

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamina.core.typing import ArrayLike, DataFormat, TensorLike

__all__ = ["decode_predictions", "preprocess_input"]

CLASSES = Remote(
    "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json",
    "c2c37ea517e94d9795004a39431a14cb",
    "models",
)
MEANS = (103.939, 116.779, 123.68)  # of ImageNet: blue, green, red, from 0 to 255
TORCH_MEANS, TORCH_DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # red, green, blue, from 0 to 1


@filters_traceback
def preprocess_input(x: TensorLike, data_format: DataFormat = None, mode: str = "caffe") -> Any:
    """Pixel values from 0 to 255, prepared as for the training of a network. As in Keras, a NumPy array of floats is
    itself changed, which saves the memory of a copy: give `x.copy()` where the pixels are needed afterwards.

    Shapes: one image or a batch, an array or a symbolic tensor -> the same.

    Args:
        x: Image or batch of images, an array or a symbolic tensor.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        mode: "caffe" (order blue, green, red, centred at the means of ImageNet), "tf" (rescaled to -1 to 1) or "torch"
            (rescaled to 0 to 1, then standardized by the means and deviations of ImageNet).

    Raises:
        ConfigError: For another mode.
        ShapeError: For images without 3 channels, where the mode needs them.

    >>> import numpy as np
    >>> preprocess_input(np.array([[[0.0, 127.5, 255.0]]]), mode="tf").tolist()
    [[[-1.0, 0.0, 1.0]]]
    """
    if mode not in ("caffe", "tf", "torch"):
        raise ConfigError(f"mode must be 'caffe', 'tf' or 'torch'; got mode={mode!r}.", fix="mode='caffe'")
    _warn_of_scaled(x)
    pixels: Any = _floats(x)
    if mode == "tf":
        return _into(x, pixels / 127.5 - 1.0)
    axis = len(pixels.shape) - 3 if standardize_data_format(data_format) == "channels_first" else len(pixels.shape) - 1
    if len(pixels.shape) not in (3, 4) or pixels.shape[axis] != 3:
        raise ShapeError(
            f"mode={mode!r} needs images with 3 channels at axis {axis}; got shape {tuple(pixels.shape)}.",
            fix=_fix_of_channels(pixels.shape, axis),
        )

    def along(values):
        """One number for each channel, in a shape that broadcasts."""
        return np.asarray(values, numpy_dtype(pixels.dtype)).reshape(3, *(1,) * (len(pixels.shape) - 1 - axis))

    if mode == "torch":
        return _into(x, (pixels / 255.0 - along(TORCH_MEANS)) / along(TORCH_DEVIATIONS))
    reversed_channels = (slice(None),) * axis + (slice(None, None, -1),)
    return _into(x, pixels - along(MEANS[::-1]))[reversed_channels]


def _warn_of_scaled(x):
    """Warn of pictures from 0 to 1, which have been scaled before: as pixels from 0 to 255 they are black."""
    if isinstance(x, np.ndarray) and x.dtype.kind == "f" and x.size >= 64 and x.min() >= 0 and 0 < x.max() <= 1:
        warn(f"preprocess_input takes pixels from 0 to 255; got numbers up to {x.max():.3g}.\nx = x * 255")


def _into(x, values):
    """`values`, written into the array of floats that they come from, if it can be written to."""
    if not isinstance(x, np.ndarray) or not is_float(x.dtype) or not x.flags.writeable:
        return values
    x[...] = values
    return x


@filters_traceback
def caffe_input(x: TensorLike, data_format: DataFormat = None) -> Any:
    """Pixel values from 0 to 255 in the order blue, green, red, centred at the means of ImageNet.

    Args:
        x: Image or batch of images with values from 0 to 255, an array or a symbolic tensor.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.

    Raises:
        ShapeError: For images without 3 channels.
    """
    return preprocess_input(x, data_format, "caffe")


@filters_traceback
def tf_input(x: TensorLike, data_format: DataFormat = None) -> Any:
    """Pixel values from 0 to 255, rescaled to -1 to 1.

    Args:
        x: Image or batch of images with values from 0 to 255, an array or a symbolic tensor.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """
    return preprocess_input(x, data_format, "tf")


@filters_traceback
def torch_input(x: TensorLike, data_format: DataFormat = None) -> Any:
    """Pixel values from 0 to 255, rescaled to 0 to 1 and standardized by the means and deviations of ImageNet.

    Args:
        x: Image or batch of images with values from 0 to 255, an array or a symbolic tensor.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.

    Raises:
        ShapeError: For images without 3 channels.
    """
    return preprocess_input(x, data_format, "torch")


@filters_traceback
def same_input(x: TensorLike, data_format: DataFormat = None) -> Any:
    """Returns `x` unchanged: the network includes its preprocessing.

    Args:
        x: Image or batch of images with values from 0 to 255, an array or a symbolic tensor.
        data_format: "channels_last" or "channels_first"; it has no effect here.
    """
    return x


def _floats(x) -> Any:
    """Floats: arrays and symbolic tensors of integers are converted, other array-likes become NumPy arrays."""
    if isinstance(x, (str, os.PathLike)):
        raise DataError(
            f"preprocess_input takes pixels; got the path {str(x)!r}.",
            fix=f"keras.utils.img_to_array(keras.utils.load_img({str(x)!r}, target_size=(224, 224)))[None]",
        )
    x = x if isinstance(x, (KerasTensor, jax.Array)) else np.asarray(x)
    if is_float(x.dtype):
        return x
    return cast(x, floatx()) if isinstance(x, KerasTensor) else x.astype(floatx())


@filters_traceback
def decode_predictions(preds: ArrayLike, top: int = 5) -> list[list[tuple[str, str, Any]]]:
    """The `top` likeliest classes of each row, best first. The names of the classes are downloaded once.

    Shapes: (batch, 1000) -> a list of `batch` lists of (id in WordNet, name, score).

    Args:
        preds: Scores of the 1000 classes of ImageNet, as the networks with a classifier return them.
        top: Number of classes for each row.

    Raises:
        ShapeError: For scores of another shape.
        NetworkError: If the names cannot be downloaded.
    """
    scores = np.asarray(preds)
    if scores.ndim != 2 or scores.shape[1] != 1000:
        one = scores.shape == (1000,)
        raise ShapeError(
            f"decode_predictions needs the scores of 1000 classes, (batch, 1000); got shape {scores.shape}.",
            fix="decode_predictions(preds[None])"
            if one
            else "For classes of your own: preds.argmax(-1) gives the class.",
        )
    names = json.loads(fetch_remote(CLASSES, "imagenet_class_index.json").read_text("utf-8"))
    best = np.argsort(scores)[:, ::-1][:, :top]  # of equal scores the later class comes first, as in Keras
    return [[(*names[str(index)], row[index]) for index in order] for row, order in zip(scores, best, strict=True)]


def obtain_input_shape(
    input_shape: Sequence[int | None] | None,
    default_size: int,
    min_size: int,
    data_format: str | None = None,
    require_flatten: bool = True,
    weights: str | None = None,
    **old_names: bool,
) -> tuple[int | None, ...]:
    """The shape of the images of a model of `keras.applications`, as its file in Keras 1 and 2 computed it.

    Args:
        input_shape: Shape that the user gave, or None.
        default_size: Height and width for None.
        min_size: Least height and width.
        data_format: "channels_last" or "channels_first". None means `keras.config.image_data_format()`.
        require_flatten: Whether the model ends in Dense layers, which need a known size.
        weights: "imagenet" together with `require_flatten` allows the default shape only.
        **old_names: `include_top`, the name of `require_flatten` in Keras 1.

    Raises:
        ConfigError: For a shape that the model cannot have.
    """
    require_flatten = old_names.get("include_top", require_flatten)
    first = (data_format or image_data_format()) == "channels_first"
    channels = 3 if not input_shape else input_shape[0 if first else -1]
    sizes = (None, None) if input_shape is None else tuple(input_shape[1:] if first else input_shape[:-1])
    if require_flatten and (input_shape is None or weights == "imagenet"):
        if input_shape is not None and sizes != (default_size, default_size):
            raise ConfigError(
                f"The imagenet weights with the top need images of {default_size} x {default_size}; got {sizes}.",
                fix=f"input_shape={(default_size, default_size, 3)}, or include_top=False for images of any size.",
            )
        sizes = (default_size, default_size)
    if len(sizes) != 2 or (require_flatten and None in sizes):
        raise ConfigError(
            f"A shape of images is of three sizes, which Dense layers after them have to know; got {input_shape}.",
            fix=f"input_shape={(default_size or min_size, default_size or min_size, 3)}",
        )
    if any(size is not None and size < min_size for size in sizes):
        raise ConfigError(
            f"Images must have at least {min_size} x {min_size} pixels; got {sizes}.",
            fix=f"input_shape={(min_size, min_size, 3)}",
        )
    return (channels, *sizes) if first else (*sizes, channels)


__getattr__: Any = old_names_of(__name__)


def _fix_of_channels(shape, axis):
    """How images of another shape become ones with 3 channels."""
    if len(shape) in (3, 4) and shape[axis] == 1:
        return f"np.repeat(x, 3, axis={axis}) makes three channels of one."
    if len(shape) in (3, 4) and shape[-1] == 4:
        return "x[..., :3] leaves out the transparency."
    if len(shape) == 2:
        return "np.stack([x] * 3, axis=-1) makes an image with three channels."
    return "Load images in colour: keras.utils.load_img(path), then keras.utils.img_to_array(image)."
