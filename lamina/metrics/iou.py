"""Intersection over union, for segmentation."""

import warnings

import jax.numpy as jnp

from lamina.core.dtypes import dtype_of, is_float
from lamina.core.read_limits import reserve_array
from lamina.core.variable import unwrap
from lamina.errors import ConfigError, ShapeError
from lamina.losses.alignment import broadcast_to_outputs, same_rank
from lamina.losses.loss import divide_no_nan
from lamina.metrics.metric import Metric
from lamina.runtime import settings

__all__ = ["BinaryIoU", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]


class IoU(Metric):
    """true positives / (true positives + false positives + false negatives) of each target class, averaged.

    Args:
        num_classes: number of classes; others in the data count nowhere.
        target_class_ids: the classes to average.
        ignore_class: a class number of y_true whose places are left out.
        sparse_y_true, sparse_y_pred: whether they are class numbers; else the largest along `axis` is.

    >>> import lamina as keras
    >>> round(float(keras.metrics.IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1])), 3)
    0.333
    """

    _direction = "up"

    def __init__(
        self,
        num_classes,
        target_class_ids,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_true=True,
        sparse_y_pred=True,
        axis=-1,
    ):
        super().__init__(name=name, dtype=dtype or "int32")
        self.num_classes, self.target_class_ids = num_classes, list(target_class_ids)
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        if not all(0 <= class_id < num_classes for class_id in self.target_class_ids):
            raise ConfigError(f"Target class ids lie in [0, {num_classes}); got {self.target_class_ids}.")
        self.total_confusion_matrix = self.add_variable(
            (num_classes, num_classes), "zeros", dtype=self.dtype, name="total_confusion_matrix"
        )

    @property
    def total_cm(self):
        """The same as `total_confusion_matrix`."""
        return self.total_confusion_matrix

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true = self._classes(y_true, self.sparse_y_true)
        y_pred = self._classes(y_pred, self.sparse_y_pred)
        if y_true.ndim != y_pred.ndim:
            y_true, y_pred = same_rank(y_true, y_pred)
        if y_true.shape != y_pred.shape:
            raise ShapeError(f"Targets and outputs must have the same shape; got {y_true.shape} and {y_pred.shape}.")
        weights = jnp.ones((), self.dtype) if sample_weight is None else self._weights(sample_weight)
        weights, values = broadcast_to_outputs(weights, y_true)
        weights = jnp.broadcast_to(weights, values.shape).ravel()
        y_true, y_pred = y_true.ravel(), y_pred.ravel()
        if self.ignore_class is not None:
            weights = jnp.where(y_true == self.ignore_class, 0, weights)
        inside = (y_true >= 0) & (y_pred >= 0)
        cells = jnp.where(inside, y_true, self.num_classes), y_pred
        self.total_confusion_matrix.assign_add(
            jnp.zeros(self.total_confusion_matrix.shape, weights.dtype).at[cells].add(weights, mode="drop")
        )

    def _classes(self, values, sparse):
        values = jnp.asarray(unwrap(values))
        return (values if sparse else jnp.argmax(values, axis=self.axis)).astype("int32")

    def _weights(self, sample_weight):
        if is_float(dtype_of(sample_weight)) and not is_float(self.dtype):
            warnings.warn(
                f"{self.name} counts in {self.dtype}, which drops fractions of weights: pass dtype='float32'.",
                stacklevel=4,
            )
        return jnp.asarray(unwrap(sample_weight)).astype(self.dtype)

    def result(self):
        matrix = self.total_confusion_matrix.value.astype(settings.floatx())
        chosen = jnp.asarray(self.target_class_ids)
        hits = jnp.diag(matrix)[chosen]
        union = (jnp.sum(matrix, axis=0) + jnp.sum(matrix, axis=1))[chosen] - hits
        return divide_no_nan(jnp.sum(divide_no_nan(hits, union)), jnp.sum(union > 0).astype(matrix.dtype))


class BinaryIoU(IoU):
    """The IoU of classes 0 and 1, for outputs cut at `threshold`.

    >>> import lamina as keras
    >>> round(float(keras.metrics.BinaryIoU(threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])), 3)
    0.333
    """

    def __init__(self, target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None):
        super().__init__(num_classes=2, target_class_ids=target_class_ids, name=name, dtype=dtype)
        self.threshold = threshold

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(y_true, jnp.asarray(unwrap(y_pred)) >= self.threshold, sample_weight)


class MeanIoU(IoU):
    """The mean of the IoU of all classes."""

    def __init__(
        self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_true=True, sparse_y_pred=True, axis=-1
    ):
        reserve_array((num_classes, num_classes), 4, "A confusion matrix")
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


class OneHotIoU(IoU):
    """The mean of the IoU of the target classes, for one-hot targets.

    >>> import lamina as keras
    >>> float(keras.metrics.OneHotIoU(2, target_class_ids=[0])([[1, 0], [0, 1]], [[0.9, 0.1], [0.2, 0.8]]))
    1.0
    """

    def __init__(
        self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1
    ):
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)


class OneHotMeanIoU(MeanIoU):
    """The mean of the IoU of all classes, for one-hot targets."""

    def __init__(self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
