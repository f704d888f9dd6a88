"""Intersection over union, for segmentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import jax.numpy as jnp

from lamina.core.dtypes import dtype_of, is_float
from lamina.core.read_limits import reserve_array
from lamina.core.variable import unwrap
from lamina.errors import ConfigError, ShapeError, warn
from lamina.losses.alignment import as_integers, broadcast_to_outputs, same_rank
from lamina.losses.loss import divide_no_nan
from lamina.metrics.metric import Metric
from lamina.runtime import settings

if TYPE_CHECKING:
    from lamina.core.typing import ArrayLike, Tensor
    from lamina.core.variable import Variable
    from lamina.losses.loss import DTypeOrPolicy

__all__ = ["BinaryIoU", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]


class IoU(Metric):
    """true positives / (true positives + false positives + false negatives) of each target class, averaged.

    Shapes: class numbers (batch, ...), or scores (batch, ..., classes).

    Args:
        num_classes: Number of classes; places with other class numbers are left out.
        target_class_ids: Class numbers to average over.
        name: Name of the metric, shown in logs; None makes one from the name of the class.
        dtype: Type of the counts and their sums, or a dtype policy; None means "int32".
        ignore_class: Class number of y_true whose places are left out; None leaves out nothing.
        sparse_y_true: Whether targets are class numbers; if not, the largest along `axis` is the class.
        sparse_y_pred: Whether outputs are class numbers; if not, the largest along `axis` is the class.
        axis: Axis of the classes, for targets or outputs that are not class numbers.

    >>> import lamina as keras
    >>> round(float(keras.metrics.IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1])), 3)
    0.333
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: DTypeOrPolicy = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(name=name, dtype=dtype or "int32")
        self.num_classes: int = num_classes
        self.target_class_ids: list[int] = list(target_class_ids)
        self.ignore_class: int | None = ignore_class
        self.axis: int = axis
        self.sparse_y_true: bool = sparse_y_true
        self.sparse_y_pred: bool = sparse_y_pred
        if not all(0 <= class_id < num_classes for class_id in self.target_class_ids):
            raise ConfigError(
                f"Target class ids lie in [0, {num_classes}); got {self.target_class_ids}.", fix="target_class_ids=[0]"
            )
        self.total_confusion_matrix: Variable = self.add_variable(
            (num_classes, num_classes), "zeros", dtype=self.dtype, name="total_confusion_matrix"
        )

    @property
    def total_cm(self) -> Variable:
        """Another name of `total_confusion_matrix`."""
        return self.total_confusion_matrix

    @total_cm.setter
    def total_cm(self, matrix: Variable) -> None:
        self.total_confusion_matrix = matrix

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add a batch to the variables.

        Args:
            y_true: Targets, shape (batch, ...) or (batch, ..., classes).
            y_pred: Outputs, shape (batch, ...) or (batch, ..., classes).
            sample_weight: Weights of the samples or of the single places; None weighs all by 1.
        """
        y_true = self._classes(y_true, self.sparse_y_true)
        y_pred = self._classes(y_pred, self.sparse_y_pred)
        if y_true.ndim != y_pred.ndim:
            y_true, y_pred = same_rank(y_true, y_pred)
        if y_true.shape != y_pred.shape:
            raise ShapeError(
                f"Targets and outputs must have the same shape; got {y_true.shape} and {y_pred.shape}.",
                fix="sparse_y_true=False for one-hot targets, sparse_y_pred=False for one output per class.",
            )
        weights = jnp.ones((), self.dtype) if sample_weight is None else self._weights(sample_weight)
        weights, values = broadcast_to_outputs(weights, y_true)
        weights = jnp.broadcast_to(weights, values.shape).ravel()
        y_true, y_pred = y_true.ravel(), y_pred.ravel()
        if self.ignore_class is not None:
            weights = jnp.where(y_true == self.ignore_class, 0, weights)
        inside = jnp.minimum(y_true, y_pred) >= 0
        inside = inside & (jnp.maximum(y_true, y_pred) < self.num_classes)
        cells = jnp.where(inside, y_true, self.num_classes), y_pred
        counts = jnp.zeros(self.total_confusion_matrix.shape, weights.dtype).at[cells].add(weights, mode="drop")
        self.total_confusion_matrix.assign(self.total_confusion_matrix.value + counts)

    def _classes(self, values, sparse) -> Tensor:
        values = jnp.asarray(unwrap(values))
        return as_integers(values if sparse else jnp.argmax(values, axis=self.axis))

    def _weights(self, sample_weight):
        if is_float(dtype_of(sample_weight)) and not is_float(self.dtype):
            warn(f"{self.name} counts in {self.dtype}, which drops the fractions of weights: pass dtype='float32'.")
        return jnp.asarray(unwrap(sample_weight)).astype(self.dtype)

    def result(self) -> Tensor:
        """The mean over the target classes so far; classes without a place do not count."""
        matrix = self.total_confusion_matrix.value.astype(settings.floatx())
        chosen = jnp.asarray(self.target_class_ids)
        hits = jnp.diag(matrix)[chosen]
        union = (jnp.sum(matrix, axis=0) + jnp.sum(matrix, axis=1))[chosen] - hits
        return divide_no_nan(jnp.sum(divide_no_nan(hits, union)), jnp.sum(union > 0).astype(matrix.dtype))


class BinaryIoU(IoU):
    """The mean of the IoU of classes 0 and 1; outputs of `threshold` or more are class 1.

    Shapes: targets 0 or 1 and outputs (batch, ...).

    Args:
        target_class_ids: Class numbers to average over: (0, 1), (0,) or (1,).
        threshold: Outputs of this or more are class 1.
        name: Name of the metric, shown in logs; None makes one from the name of the class.
        dtype: Type of the counts and their sums, or a dtype policy; None means "int32".

    >>> import lamina as keras
    >>> round(float(keras.metrics.BinaryIoU(threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])), 3)
    0.333
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(num_classes=2, target_class_ids=target_class_ids, name=name, dtype=dtype)
        self.threshold: float = threshold

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add a batch to the variables.

        Args:
            y_true: Targets, shape (batch, ...).
            y_pred: Outputs, shape (batch, ...); those of `threshold` or more are class 1.
            sample_weight: Weights of the samples or of the single places; None weighs all by 1.
        """
        super().update_state(y_true, jnp.asarray(unwrap(y_pred)) >= self.threshold, sample_weight)


class MeanIoU(IoU):
    """The mean of the IoU of all classes.

    Shapes: class numbers (batch, ...), or scores (batch, ..., classes).

    Args:
        num_classes: Number of classes; places with other class numbers are left out.
        name: Name of the metric, shown in logs; None makes one from the name of the class.
        dtype: Type of the counts and their sums, or a dtype policy; None means "int32".
        ignore_class: Class number of y_true whose places are left out; None leaves out nothing.
        sparse_y_true: Whether targets are class numbers; if not, the largest along `axis` is the class.
        sparse_y_pred: Whether outputs are class numbers; if not, the largest along `axis` is the class.
        axis: Axis of the classes, for targets or outputs that are not class numbers.

    >>> import lamina as keras
    >>> round(float(keras.metrics.MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1])), 3)
    0.333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: DTypeOrPolicy = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        reserve_array((num_classes, num_classes), 4, "A confusion matrix")
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


class OneHotIoU(IoU):
    """The mean of the IoU of the target classes, for one-hot targets.

    Shapes: one-hot targets (batch, ..., classes), outputs of the same shape, or class numbers (batch, ...).

    Args:
        num_classes: Number of classes; places with other class numbers are left out.
        target_class_ids: Class numbers to average over.
        name: Name of the metric, shown in logs; None makes one from the name of the class.
        dtype: Type of the counts and their sums, or a dtype policy; None means "int32".
        ignore_class: Class number of y_true whose places are left out; None leaves out nothing.
        sparse_y_pred: Whether outputs are class numbers; if not, the largest along `axis` is the class.
        axis: Axis of the classes, for targets or outputs that are not class numbers.

    >>> import lamina as keras
    >>> float(keras.metrics.OneHotIoU(2, target_class_ids=[0])([[1, 0], [0, 1]], [[0.9, 0.1], [0.2, 0.8]]))
    1.0
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: DTypeOrPolicy = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)


class OneHotMeanIoU(MeanIoU):
    """The mean of the IoU of all classes, for one-hot targets.

    Shapes: one-hot targets (batch, ..., classes), outputs of the same shape, or class numbers (batch, ...).

    Args:
        num_classes: Number of classes; places with other class numbers are left out.
        name: Name of the metric, shown in logs; None makes one from the name of the class.
        dtype: Type of the counts and their sums, or a dtype policy; None means "int32".
        ignore_class: Class number of y_true whose places are left out; None leaves out nothing.
        sparse_y_pred: Whether outputs are class numbers; if not, the largest along `axis` is the class.
        axis: Axis of the classes, for targets or outputs that are not class numbers.

    >>> import lamina as keras
    >>> float(keras.metrics.OneHotMeanIoU(2)([[1, 0], [0, 1]], [[0.9, 0.1], [0.2, 0.8]]))
    1.0
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: DTypeOrPolicy = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
