"""`lamina summary`: list the layers of a model."""

from __future__ import annotations

import argparse
import json

from lamina.cli.models import find_models
from lamina.core import tree

__all__ = ["main"]


def main(args: argparse.Namespace) -> None:
    """Print a summary of each model."""
    found = find_models(args)
    if args.json:
        print(json.dumps([_as_dict(one) for one in found], indent=2))
    else:
        for one in found:
            one.model.summary()


def _as_dict(one):
    model = one.model
    trained = sum(variable.size for variable in model.trainable_weights)
    return {
        "file": one.name, "name": model.name, "class": type(model).__name__, "weights": model.count_params(),
        "trained": trained, "frozen": model.count_params() - trained,
        "layers": [
            {"name": layer.name, "class": type(layer).__name__, "output_shape": _shape_of(layer),
             "weights": layer.count_params() if layer.built else None, "trainable": layer.trainable}
            for layer in model.layers
        ],
    }  # fmt: skip


def _shape_of(layer):
    """The output shape of a layer, or None."""
    try:
        outputs = tree.flatten(layer.output)
    except (AttributeError, ValueError):  # not part of a graph, or called several times
        return None
    return list(outputs[0].shape) if len(outputs) == 1 else [list(output.shape) for output in outputs]
