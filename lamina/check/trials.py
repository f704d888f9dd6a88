"""Trials: whether a model and its loss can be traced with a batch. Nothing is computed, but for a row of text, which
cannot be traced, and nothing changes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from lamina.core import tree
from lamina.core.keras_tensor import KerasTensor, trace
from lamina.errors import DataError

__all__ = ["misfit_of_inputs", "misfit_of_labels"]


def misfit_of_inputs(model: Any, x: Any, y: Any, sample_weight: Any) -> Exception | None:
    """The error of a model that is built for inputs, or traced with them; None where it runs on them.

    Args:
        model: Model; a model without a graph is built here.
        x: Inputs as arrays, or None.
        y: Targets as arrays, or None.
        sample_weight: Weight of each sample, or None.
    """
    if x is None:
        return None
    try:
        if not model.built and getattr(model, "_graph", None) is None:
            model._runner.build((x, y, sample_weight))
        elif _is_as_declared(model, x):
            return None
        elif any(_is_text(leaf) for leaf in _arrays(x)):
            model(tree.map_structure(lambda leaf: leaf[:1], x))
        else:
            trace(model, _symbols(x))
    except NotImplementedError:  # a model without a call, such as one that has only a train_step
        return None
    except Exception as error:
        return error
    return None


def misfit_of_labels(model: Any, x: Any, y: Any, sample_weight: Any) -> Exception | None:
    """The error of a compiled loss that is traced with labels; None where it takes them.

    Args:
        model: Compiled model that runs on x.
        x: Inputs as arrays.
        y: Targets as arrays, or None.
        sample_weight: Weight of each sample, or None.
    """
    lengths = {name: len(part) for name, data in (("x", x), ("y", y)) for part in _arrays(data)}
    if len(set(lengths.values())) > 1:
        counts = " and ".join(f"{name} has {count}" for name, count in lengths.items())
        return DataError(f"Each sample needs a label: {counts}.", fix="Give x and y the same number of rows.")

    def loss_of(x, y, y_pred, sample_weight):
        return model.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)

    try:
        graph = getattr(model, "_graph", None)
        outputs = None if graph is None else graph.outputs
        if outputs is None or any(None in tensor.shape[1:] for tensor in tree.flatten(outputs)):
            outputs = trace(model, _symbols(x))
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            rows = tree.flatten(outputs)[0].shape[0]
            trace(loss_of, *(_symbols(part, rows) for part in (x, y)), outputs, _symbols(sample_weight, rows))
            model._runner.build((x, y, sample_weight))  # the metrics
    except Exception as error:
        return error
    wrong = next((str(one.message) for one in said if "broadcast" in str(one.message)), None)
    return None if wrong is None else DataError(wrong.partition(". ")[0] + ".")


def _is_as_declared(model, x):
    """Whether arrays have the shapes of the Inputs, with which the graph was traced when it was made."""
    graph = getattr(model, "_graph", None)
    given, declared = _arrays(x), [] if graph is None else graph.input_tensors
    if len(given) != len(declared) or not given or any(_is_text(leaf) for leaf in given):
        return False
    pairs = [(leaf.shape[1:], tensor.shape[1:]) for leaf, tensor in zip(given, declared, strict=True)]
    return all(
        len(have) == len(want) and all(size in (None, one) for one, size in zip(have, want, strict=True))
        for have, want in pairs
    )


def _arrays(data):
    return [leaf for leaf in tree.flatten(data) if getattr(leaf, "ndim", 0)] if data is not None else []


def _symbols(data, rows=None):
    """Symbols for arrays, of any number of rows if it is not given."""
    return None if data is None else tree.map_structure(lambda leaf: _symbol(leaf, rows), data)


def _symbol(leaf, rows):
    if not getattr(leaf, "ndim", 0):
        return leaf
    return leaf if _is_text(leaf) else KerasTensor((rows, *leaf.shape[1:]), np.dtype(leaf.dtype).name)


def _is_text(leaf):
    return getattr(leaf.dtype, "kind", "f") in "OUS"
