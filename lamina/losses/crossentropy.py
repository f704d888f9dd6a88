"""Cross-entropies between targets and predicted probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp

from lamina.core.keras_tensor import set_mask
from lamina.core.op import op
from lamina.errors import ConfigError, warn
from lamina.losses.alignment import (
    aligned_floats,
    class_numbers,
    float_array,
    nan_if_no_class,
    nan_if_not_binary,
    pick_class,
)
from lamina.losses.loss import LossFunctionWrapper
from lamina.ops import crossentropy

if TYPE_CHECKING:
    from lamina.core.typing import Tensor, TensorLike
    from lamina.losses.loss import DTypeOrPolicy, Reduction

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "CategoricalGeneralizedCrossEntropy",
    "SparseCategoricalCrossentropy", "binary_crossentropy", "categorical_crossentropy",
    "categorical_generalized_cross_entropy", "sparse_categorical_crossentropy",
]  # fmt: skip


def smooth_binary(y_true: Tensor, label_smoothing: float) -> Tensor:
    """Targets 0 or 1, moved towards 1/2.

    Args:
        y_true: Targets.
        label_smoothing: Number s in [0, 1]; targets become y (1 - s) + s / 2.
    """
    return y_true * (1 - label_smoothing) + 0.5 * label_smoothing if label_smoothing else y_true


def smooth_one_hot(
    name: str, y_true: TensorLike, y_pred: TensorLike, label_smoothing: float, axis: int
) -> tuple[Tensor, Tensor]:
    """One-hot targets, moved towards the uniform distribution, and outputs of the same shape.

    Args:
        name: Name of the loss, for messages.
        y_true: One-hot targets.
        y_pred: Outputs.
        label_smoothing: Number s in [0, 1]; targets become y (1 - s) + s / classes.
        axis: Axis of the classes.
    """
    if isinstance(axis, bool) or not isinstance(axis, int):
        raise ConfigError(f"axis of {name} is one integer; got {axis!r}.", fix="axis=-1")
    targets, outputs = aligned_floats(y_true, y_pred, broadcasts=False)
    if outputs.ndim and outputs.shape[axis] == 1:
        warn(
            f"{name} over one class (outputs of shape {outputs.shape}) is always 0: use binary_crossentropy.",
            SyntaxWarning,
        )
    if label_smoothing:
        targets = targets * (1 - label_smoothing) + label_smoothing / targets.shape[axis]
    return targets, outputs


@op
def binary_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """mean of -(y log p + (1 - y) log(1 - p)) along `axis`, p clipped to [epsilon, 1 - epsilon].

    Shapes: (batch, ..., d) twice -> (batch, ...).

    Args:
        y_true: Targets in [0, 1], shape (batch, ..., d). The loss of a label such as 2 or -1 is NaN.
        y_pred: Probabilities (or logits), shape (batch, ..., d).
        from_logits: Whether y_pred holds logits, the values before a sigmoid, instead of probabilities.
        label_smoothing: Number s in [0, 1]; targets become y (1 - s) + s / 2.
        axis: Axis of the mean.

    >>> import lamina as keras
    >>> keras.losses.binary_crossentropy([[1.0]], [[0.0]], from_logits=True)
    Array([0.6931472], dtype=float32)
    """
    y_true, y_pred = aligned_floats(y_true, y_pred, broadcasts=False)
    losses = crossentropy.binary_crossentropy(smooth_binary(y_true, label_smoothing), y_pred, from_logits)
    return jnp.mean(nan_if_not_binary(losses, y_true), axis=axis)


@op
def categorical_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """-sum(y log p) along `axis`, for one-hot targets; p is divided by its sum and clipped to [epsilon, 1 - epsilon].

    Shapes: (batch, ..., classes) twice -> (batch, ...).

    Args:
        y_true: One-hot targets, shape (batch, ..., classes).
        y_pred: Probabilities (or logits), shape (batch, ..., classes).
        from_logits: Whether y_pred holds logits, the values before a softmax, instead of probabilities.
        label_smoothing: Number s in [0, 1]; targets become y (1 - s) + s / classes.
        axis: Axis of the classes.

    >>> import lamina as keras
    >>> keras.losses.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
    Array([0.6931472], dtype=float32)
    """
    y_true, y_pred = smooth_one_hot("categorical_crossentropy", y_true, y_pred, label_smoothing, axis)
    return crossentropy.categorical_crossentropy(y_true, y_pred, from_logits, axis)


@op
def sparse_categorical_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Tensor:
    """-log p[y] along `axis`, for targets that are class numbers; NaN for a number that is no class.

    Shapes: targets (batch, ...) or (batch, ..., 1), outputs (batch, ..., classes) -> (batch, ...).

    Args:
        y_true: Class numbers, shape (batch, ...) or (batch, ..., 1).
        y_pred: Probabilities (or logits), shape (batch, ..., classes).
        from_logits: Whether y_pred holds logits, the values before a softmax, instead of probabilities.
        ignore_class: Class number whose places have loss 0 and are masked; None masks nothing.
        axis: Axis of the classes.

    >>> import lamina as keras
    >>> keras.losses.sparse_categorical_crossentropy([1], [[0.5, 0.5]])
    Array([0.6931472], dtype=float32)
    """
    y_pred = float_array(y_pred)
    labels = class_numbers(y_true, y_pred, axis)
    losses = crossentropy.sparse_categorical_crossentropy(labels, y_pred, from_logits, axis)
    losses = nan_if_no_class(losses, labels, y_pred.shape[axis])
    if ignore_class is not None:
        valid = labels != ignore_class
        losses = jnp.where(valid, losses, 0)
        set_mask(losses, valid)
    return losses


@op(settings=("q",))
def categorical_generalized_cross_entropy(y_true: TensorLike, y_pred: TensorLike, q: float) -> Tensor:
    """(1 - p[y]^q) / q, for targets that are class numbers: cross-entropy as q goes to 0, absolute error at q = 1.

    Shapes: targets (batch,) or (batch, 1), outputs (batch, classes) -> (batch,).
    Zhang and Sabuncu, 2018, https://arxiv.org/abs/1805.07836

    Args:
        y_true: Class numbers, shape (batch,) or (batch, 1).
        y_pred: Probabilities, shape (batch, classes).
        q: Exponent between 0 and 1; a larger one tolerates more wrong class numbers.

    >>> import lamina as keras
    >>> keras.losses.categorical_generalized_cross_entropy([1], [[0.75, 0.25]], q=0.5)
    Array([1.], dtype=float32)
    """
    y_pred = float_array(y_pred)
    labels = class_numbers(y_true, y_pred, -1)
    return nan_if_no_class((1 - pick_class(y_pred, labels, -1) ** q) / q, labels, y_pred.shape[-1])


class BinaryCrossentropy(LossFunctionWrapper):
    """The mean of -(y log p + (1 - y) log(1 - p)), for targets y in [0, 1] and probabilities p.

    Shapes: targets and outputs (batch, ..., d).

    Args:
        from_logits: Whether y_pred holds logits, the values before a sigmoid, instead of probabilities.
        label_smoothing: Number s in [0, 1]; targets become y (1 - s) + s / 2.
        axis: Axis of the mean within a sample.
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.losses.BinaryCrossentropy(from_logits=True)([[1.0]], [[0.0]]))
    0.6931471824645996
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(
            binary_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class CategoricalCrossentropy(LossFunctionWrapper):
    """The mean of -sum(y log p), for one-hot targets y and probabilities p.

    Shapes: one-hot targets and outputs (batch, ..., classes).

    Args:
        from_logits: Whether y_pred holds logits, the values before a softmax, instead of probabilities.
        label_smoothing: Number s in [0, 1]; targets become y (1 - s) + s / classes.
        axis: Axis of the classes.
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.losses.CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]))
    0.6931471824645996
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(
            categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """The mean of -log p[y], for targets y that are class numbers.

    Shapes: class numbers (batch, ...) or (batch, ..., 1), outputs (batch, ..., classes).

    Args:
        from_logits: Whether y_pred holds logits, the values before a softmax, instead of probabilities.
        ignore_class: Class number whose places are left out; None leaves out nothing.
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        axis: Axis of the classes.
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.losses.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]))
    0.6931471824645996
    """

    _integer_targets = True
    _unwritten = {"axis": -1}

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: Reduction = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, ignore_class=ignore_class, axis=axis,
        )  # fmt: skip


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """The mean of (1 - p[y]^q) / q, for targets y that are class numbers, some of which may be wrong.

    Shapes: class numbers (batch,) or (batch, 1), probabilities (batch, classes).
    Zhang and Sabuncu, 2018, https://arxiv.org/abs/1805.07836

    Args:
        q: Exponent between 0 and 1; a larger one tolerates more wrong class numbers.
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.losses.CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]]))
    1.0
    """

    _integer_targets = True

    def __init__(
        self,
        q: float = 0.5,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: DTypeOrPolicy = None,
    ) -> None:
        if not 0 < q < 1:
            raise ConfigError(f"q lies between 0 and 1; got {q!r}.", fix="q=0.5")
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)
