"""Histograms of weights, and the outputs of layers for one sample."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina.core import context, tree
from lamina.layers.base import call_signature
from lamina.view.drawing import shape_text

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["activations_of", "as_bytes", "histogram_of", "is_numeric", "outputs_of", "weights_of"]

_BINS, _MOST = 40, 50_000  # bins, and values that a histogram is computed from
_MAPS, _SIDE, _BARS = 8, 24, 256  # feature maps, their side in pixels, numbers of a vector


def histogram_of(values: Any) -> dict[str, Any] | None:
    """{low, high, mean, deviation, zeros, counts} of an array of numbers; None where none is finite.

    Args:
        values: Array.
    """
    values = np.asarray(values).ravel()
    step = -(-values.size // _MOST) | 1  # odd, so as not to meet the same channels always
    values = values[::step].astype("float32")
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    counts, _ = np.histogram(values, _BINS)
    return {
        "low": _short(values.min()), "high": _short(values.max()), "mean": _short(values.mean()),
        "deviation": _short(values.std()), "zeros": _short((values == 0).mean()), "counts": counts.tolist(),
    }  # fmt: skip


def weights_of(layer: Any) -> list[dict[str, Any]]:
    """[{name, shape, trainable, low, ..., counts}, ...] of the weights of a layer.

    Args:
        layer: Layer.
    """
    found = []
    for weight in getattr(layer, "weights", []):
        numbers = histogram_of(weight.numpy()) if is_numeric(weight.dtype) else None
        if numbers is not None:
            shape = shape_text((None, *weight.shape))
            found.append(
                {
                    "name": weight.path.rpartition(f"{layer.name}/")[2],
                    "shape": shape,
                    "trainable": bool(weight.trainable),
                    **numbers,
                }
            )
    return found


def activations_of(model: Any, x: Any) -> dict[tuple[Any, int], dict[str, Any]]:
    """(layer, number of its call) -> {low, ..., counts, maps or bars of the first sample}, in inference mode.

    Args:
        model: Model.
        x: Batch of inputs, as the model takes them.
    """

    def shown(outputs):
        numbers = histogram_of(outputs)
        return numbers and {**numbers, **_picture(np.asarray(outputs)[0].astype("float32"))}

    return outputs_of(model, x, shown)


def outputs_of(model: Any, x: Any, read: Callable[[Any], Any]) -> dict[tuple[Any, int], Any]:
    """(layer, number of its call) -> what a function makes of its first output, in inference mode.

    Args:
        model: Model.
        x: Batch of inputs, as the model takes them.
        read: The function; what it returns None for is left out.
    """
    seen, calls = {}, {}

    def look(layer, args, outputs):
        calls[layer] = calls.get(layer, 0) + 1
        leaves = [leaf for leaf in tree.flatten(outputs) if call_signature.is_tensor(leaf)]
        if leaves and is_numeric(leaves[0].dtype) and not isinstance(leaves[0], Tracer):
            found = read(leaves[0])
            if found is not None:
                seen[layer, calls[layer]] = found

    with context.watching_layers(look):
        model(x, **model._training_argument(False))
    return seen


def _picture(sample):
    """The maps (height, width, channels) of a sample, or its values as bars: bytes, 0 for the smallest and 255 for the
    largest value."""
    if sample.ndim == 3 and min(sample.shape[:2]) > 1:
        rows, columns = (np.linspace(0, size - 1, min(size, _SIDE)).astype(int) for size in sample.shape[:2])
        maps = np.moveaxis(sample[rows][:, columns, :_MAPS], -1, 0)
        return {"maps": as_bytes(maps), "mapSize": [len(columns), len(rows), len(maps)], "channels": sample.shape[-1]}
    if sample.ndim == 2 and min(sample.shape) > 1:  # steps and features: one map, features downwards
        rows, columns = (np.linspace(0, size - 1, min(size, 2 * _SIDE)).astype(int) for size in sample.shape[::-1])
        return {"maps": as_bytes(sample.T[rows][:, columns]), "mapSize": [len(columns), len(rows), 1], "channels": 1}
    return {"bars": as_bytes(sample.ravel()[:_BARS])}


def is_numeric(dtype: Any) -> bool:
    """Whether arrays of a dtype hold numbers.

    Args:
        dtype: Dtype.
    """
    return jnp.issubdtype(dtype, jnp.number)  # NumPy does not count bfloat16


def as_bytes(values: Any) -> str:
    """Numbers as bytes in base64, 0 for the smallest and 255 for the largest.

    Args:
        values: Array.
    """
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    known = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    scaled = (known - low) / (high - low if high > low else 1.0)
    return base64.b64encode((scaled * 255).clip(0, 255).astype("uint8").tobytes()).decode()


def _short(number):
    return float(f"{float(number):.4g}")
