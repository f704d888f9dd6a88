"""The outputs of layers for real data: range, zeros, saturation."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax.core import Tracer

from lamina.core import context, tree
from lamina.facts.activations import SATURATION, activation_of
from lamina.layers.base import call_signature

__all__ = ["activity_of"]


def activity_of(model: Any, x: Any) -> dict[tuple[Any, int], list[str]]:
    """(layer, number of its call) -> sentences about its outputs, in inference mode.

    Args:
        model: Model.
        x: Batch of inputs, as the model takes them.
    """
    seen, calls = {}, {}

    def look(layer, args, outputs):
        if layer is model:
            return
        leaves = [leaf for leaf in tree.flatten(outputs) if call_signature.is_tensor(leaf)]
        if any(isinstance(leaf, Tracer) for leaf in leaves):
            return  # inside a compiled loop nothing has a value
        calls[layer] = calls.get(layer, 0) + 1
        arrays = [np.asarray(leaf, "float32") for leaf in leaves if _is_number(leaf)]
        if arrays and arrays[0].size:
            seen[layer, calls[layer]] = _described(arrays[0], activation_of(layer), _channels(layer))

    with context.watching_layers(look):
        model(x, **model._training_argument(False))
    return seen


def _is_number(leaf):
    """Whether an array is one of numbers, not of text."""
    return np.dtype(leaf.dtype).kind not in "OUS"


def _channels(layer):
    """The axis whose positions are units."""
    return 1 if getattr(layer, "data_format", None) == "channels_first" else -1


def _described(values, activation, channels):
    finite = values[np.isfinite(values)]
    if not finite.size:
        return ["On this data no number is finite."]
    said = [
        f"On this data: {finite.min():.3g} to {finite.max():.3g}, mean {finite.mean():.3g}, deviation "
        f"{finite.std():.3g}."
    ]
    if finite.size < values.size:
        said.append(f"{_share(values.size - finite.size, values.size)} not finite (NaN or infinity).")
    zeros = int((values == 0).sum())
    if zeros:
        said.append(f"{_share(zeros, values.size)} exactly 0.")
    if activation in ("relu", "relu6") and values.ndim > 1:
        units = np.moveaxis(values, channels, -1).reshape(-1, values.shape[channels])
        dead = int((units == 0).all(axis=0).sum())
        if dead:
            said.append(f"{dead} of {units.shape[-1]} units are 0 for every sample here.")
    low, high = SATURATION.get(activation, (None, None))
    if high is not None:
        beyond = int(((values > high) | (values < (-np.inf if low is None else low))).sum())
        bounds = f"above {high:g}" if low is None else f"below {low:g} or above {high:g}"
        if beyond:
            said.append(f"{_share(beyond, values.size)} saturated ({bounds}).")
    return said


def _share(part, whole):
    """`50% are`, honest about small shares."""
    share = 100 * part / whole
    text = "all" if part == whole else f"{share:.0f}%" if share >= 1 else "less than 1%"
    return f"{text[0].upper()}{text[1:]} are"
