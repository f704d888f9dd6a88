"""Sample weights: from class weights, and for several outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lamina.core import tree
from lamina.core.dtypes import numpy_dtype
from lamina.errors import DataError
from lamina.runtime import settings

__all__ = ["broadcast_to_outputs", "check_class_weight", "class_weights_of"]


def check_class_weight(class_weight: Mapping[Any, Any]) -> dict[int, float]:
    """Class weights as a dict from integer labels to numbers.

    Args:
        class_weight: Dict from label to weight.

    Raises:
        DataError: If it is something else.
    """
    try:
        return {int(label): float(weight) for label, weight in class_weight.items()}
    except (AttributeError, TypeError, ValueError):
        raise DataError(
            f"class_weight is a dict of integer labels to numbers; got {class_weight!r}.",
            fix=f"class_weight={_numbered(class_weight)}",
        ) from None


def _numbered(weights):
    """A dict with the weights that were given, in their order, if they are numbers."""
    values = weights.values() if isinstance(weights, Mapping) else weights
    try:
        return {label: float(value) for label, value in enumerate(values)} or {0: 1.0, 1: 5.0}
    except (TypeError, ValueError):
        return {0: 1.0, 1: 5.0}


def class_weights_of(y: Any, class_weight: Mapping[int, float]) -> np.ndarray[Any, Any]:
    """`class_weight[label]` for each label of `y`, 1 for labels without a weight.

    Args:
        y: Labels: integers of shape (n,) or (n, 1), or one-hot of shape (n, classes).
        class_weight: Dict from label to weight.

    Raises:
        DataError: If there is no `y`, or several outputs.

    >>> class_weights_of(np.array([0, 1, 2]), {1: 5.0})
    array([1., 5., 1.], dtype=float32)
    """
    if y is None or isinstance(y, (list, tuple, dict)):
        raise DataError(
            "class_weight needs one array of labels; "
            + ("there is no y." if y is None else "this y has several outputs."),
            fix="Pass sample_weight instead, one array for each output.",
        )
    labels = np.asarray(y)
    if labels.ndim > 1:
        labels = labels[..., 0] if labels.shape[-1] == 1 else labels.argmax(-1)
    values, where = np.unique(np.round(labels).astype("int64"), return_inverse=True)
    weights = np.array([class_weight.get(int(value), 1.0) for value in values], numpy_dtype(settings.floatx()))
    return weights[where].reshape(labels.shape)


def broadcast_to_outputs(y: Any, sample_weight: Any) -> Any:
    """Sample weights in the structure of the targets; one array is repeated for every output.

    Args:
        y: Targets.
        sample_weight: Array, structure of arrays, or None.

    Raises:
        DataError: If the structures differ, or one array has more than one weight for a sample.
    """
    if sample_weight is None or not isinstance(y, (list, tuple, dict)):
        return sample_weight
    if isinstance(sample_weight, (list, tuple, dict)):
        given, wanted = map(tree.structure_of, (sample_weight, y))
        if given != wanted:
            raise DataError(
                f"sample_weight needs one array for each output in y, in the same structure; got {given} for {wanted}.",
                fix="Or give one array of shape (samples,), which counts for all outputs.",
            )
        return sample_weight
    if sample_weight.ndim > 1 and sample_weight.shape[1:] != (1,):
        raise DataError(
            f"One sample_weight for several outputs needs shape (samples,); got {sample_weight.shape}.",
            fix="Give one array for each output.",
        )
    return tree.map_structure(lambda _: sample_weight, y)
