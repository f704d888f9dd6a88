"""Images as networks trained on ImageNet take them, and the names of what they see."""

import json
from typing import Any

import jax
import numpy as np

from lamina.core.dtypes import is_float, numpy_dtype
from lamina.core.keras_tensor import KerasTensor
from lamina.datasets.fetch import Remote, fetch_remote
from lamina.errors import ConfigError, ShapeError
from lamina.ops.core import cast
from lamina.runtime.settings import floatx, standardize_data_format

__all__ = ["decode_predictions", "preprocess_input"]

CLASSES = Remote(
    "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json",
    "c2c37ea517e94d9795004a39431a14cb",
    "models",
)
MEANS = (103.939, 116.779, 123.68)  # of ImageNet, blue, green, red, from 0 to 255
TORCH_MEANS, TORCH_DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # red, green, blue, from 0 to 1


def preprocess_input(x, data_format=None, mode="caffe"):
    """Pixels of 0 to 255 as a network was trained on them.

    Shapes: one image or a batch, an array or a symbolic tensor -> the same.

    Args:
        mode: "caffe" (blue, green, red, ImageNet's means taken off), "tf" (-1 to 1) or "torch" (0 to 1, then
            standardized by ImageNet's means and deviations).

    Raises:
        ConfigError: for another mode. ShapeError: for images without 3 channels, where the mode needs them.

    >>> import numpy as np
    >>> preprocess_input(np.array([[[0.0, 127.5, 255.0]]]), mode="tf").tolist()
    [[[-1.0, 0.0, 1.0]]]
    """
    if mode not in ("caffe", "tf", "torch"):
        raise ConfigError(f"mode is 'caffe', 'tf' or 'torch'; got {mode!r}.")
    axis = len(x.shape) - 3 if standardize_data_format(data_format) == "channels_first" else len(x.shape) - 1
    if mode == "tf":
        return _floats(x) / 127.5 - 1.0
    if len(x.shape) not in (3, 4) or x.shape[axis] != 3:
        raise ShapeError(f"mode={mode!r} needs images with 3 channels at axis {axis}; got shape {tuple(x.shape)}.")
    x = _floats(x)

    def along(values):
        """A number for each channel, so that it broadcasts."""
        return np.asarray(values, numpy_dtype(x.dtype)).reshape(3, *(1,) * (len(x.shape) - 1 - axis))

    if mode == "torch":
        return (x / 255.0 - along(TORCH_MEANS)) / along(TORCH_DEVIATIONS)
    reversed_channels = (slice(None),) * axis + (slice(None, None, -1),)
    return x[reversed_channels] - along(MEANS)


def _floats(x) -> Any:
    """Arrays and symbolic tensors of whole numbers become floats, other array-likes NumPy arrays."""
    x = x if isinstance(x, (KerasTensor, jax.Array)) else np.asarray(x)
    if is_float(x.dtype):
        return x
    return cast(x, floatx()) if isinstance(x, KerasTensor) else x.astype(floatx())


def decode_predictions(preds, top=5):
    """The `top` likeliest classes of each row: (id in WordNet, name, score), best first. Downloads the names once.

    Shapes: (batch, 1000), an array -> a list of `batch` lists of triples.

    Raises:
        ShapeError: for another shape. NetworkError: where the names cannot be downloaded.
    """
    preds = np.asarray(preds)
    if preds.ndim != 2 or preds.shape[1] != 1000:
        raise ShapeError(f"decode_predictions needs scores of 1000 classes, (batch, 1000); got shape {preds.shape}.")
    names = json.loads(fetch_remote(CLASSES, "imagenet_class_index.json").read_text())
    best = np.argsort(preds)[:, ::-1][:, :top]  # of equals the later one comes first, as Keras has it
    return [[(*names[str(index)], row[index]) for index in order] for row, order in zip(preds, best, strict=True)]
