"""What layers make of real data: range, zeros, saturation."""

import numpy as np

from lamina.core import context, tree
from lamina.explain.basic_layers import activation_name
from lamina.layers import arguments

__all__ = ["activity_of"]

_BOUNDS = {"sigmoid": (0.01, 0.99), "tanh": (-0.98, 0.98), "softmax": (None, 0.99)}


def activity_of(model, x):
    """(name of a layer, number of its call) -> sentences about its outputs for the inputs `x`, in inference mode."""
    seen, calls = {}, {}

    def look(layer, args, outputs):
        if layer is model:
            return
        calls[layer] = calls.get(layer, 0) + 1
        arrays = [np.asarray(leaf, "float32") for leaf in tree.flatten(outputs) if arguments.is_tensor(leaf)]
        if arrays and arrays[0].size:
            seen[layer.name, calls[layer]] = _described(arrays[0], activation_name(layer))

    with context.watching_layers(look):
        model(x, training=False) if model._call_has_training else model(x)
    return seen


def _described(values, activation):
    finite = values[np.isfinite(values)]
    if not finite.size:
        return ["On this data no number is finite."]
    said = [
        f"On this data: {finite.min():.3g} to {finite.max():.3g}, mean {finite.mean():.3g}, deviation "
        f"{finite.std():.3g}"
        f"{f', {1 - finite.size / values.size:.1%} not finite' if finite.size < values.size else ''}."
    ]
    zeros = float((values == 0).mean())
    if zeros > 0:
        said.append(f"{zeros:.0%} are exactly 0.")
    dead = _dead_units(values) if activation in ("relu", "relu6") else 0
    if dead:
        said.append(f"{dead} of {values.shape[-1]} units are 0 for every sample.")
    low, high = _BOUNDS.get(activation, (None, None))
    if high is not None:
        saturated = float(((values > high) | ((values < low) if low is not None else False)).mean())
        said.append(f"{saturated:.0%} are saturated (beyond {high:g}).")
    return said


def _dead_units(values):
    return int((values.reshape(-1, values.shape[-1]) == 0).all(axis=0).sum())
