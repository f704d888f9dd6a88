"""Alignment of targets with outputs and of weights with losses: trailing axes of size 1 are added or dropped, and
nothing is broadcast silently unless `keras.config.set_broadcast_targets("off")` was called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from lamina.core.variable import unwrap
from lamina.errors import ShapeError, warn
from lamina.runtime import settings

if TYPE_CHECKING:
    from lamina.core.typing import DTypeLike, Tensor

__all__ = [
    "aligned", "aligned_floats", "as_integers", "broadcast_to_outputs",
    "class_numbers", "float_array", "nan_if_no_class", "nan_if_not_binary",
    "pick_class", "same_rank",
]  # fmt: skip


def float_array(values: Any, dtype: DTypeLike | None = None) -> Tensor:
    """`values` as an array of floats.

    Args:
        values: Array-like value.
        dtype: Type of the result; None keeps a float type and makes floatx of integers and booleans.
    """
    values = jnp.asarray(unwrap(values), dtype)
    return values if jnp.issubdtype(values.dtype, jnp.floating) else values.astype(settings.floatx())


def same_rank(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """`a` and `b` with equal ranks where these differ by a last axis of size 1: the axis is added to a vector, and
    dropped from anything else.

    Args:
        a, b: Arrays.

    >>> import numpy as np
    >>> [x.shape for x in same_rank(np.ones(3), np.ones((3, 1)))]
    [(3, 1), (3, 1)]
    >>> [x.shape for x in same_rank(np.ones((3, 4, 1)), np.ones((3, 4)))]
    [(3, 4), (3, 4)]
    """
    if a.ndim == b.ndim + 1 and a.shape[-1] == 1:
        return (a, b[..., None]) if b.ndim == 1 else (a[..., 0], b)
    if b.ndim == a.ndim + 1 and b.shape[-1] == 1:
        b, a = same_rank(b, a)
    return a, b


def aligned_floats(y_true: Any, y_pred: Any, broadcasts: bool = True) -> tuple[Tensor, Tensor]:
    """Targets and outputs as floats of the outputs' type and of shapes that fit. Raises ShapeError if they do not.

    Args:
        y_true: Targets.
        y_pred: Outputs.
        broadcasts: Whether targets may be broadcast; see `keras.config.set_broadcast_targets`.
    """
    y_pred = float_array(y_pred)
    return aligned(jnp.asarray(unwrap(y_true), y_pred.dtype), y_pred, broadcasts)


def aligned(y_true: Any, y_pred: Any, broadcasts: bool = False) -> tuple[Tensor, Tensor]:
    """Targets and outputs of one shape, or of two that broadcast. Raises ShapeError if they do not fit.

    Args:
        y_true: Targets, an array.
        y_pred: Outputs, an array.
        broadcasts: Whether targets may be broadcast; see `keras.config.set_broadcast_targets`.
    """
    targets, outputs = same_rank(y_true, y_pred)
    if targets.shape != outputs.shape:
        if broadcasts and _may_broadcast(targets.shape, outputs.shape):
            return targets, outputs  # the loss broadcasts them where they meet, as in Keras: norms and sums are of each
        raise ShapeError(
            f"Targets and outputs must have the same shape; got targets {y_true.shape} and outputs {y_pred.shape}.",
            fix=_fix(y_true.shape, y_pred.shape),
        )
    return targets, outputs


def _may_broadcast(targets, outputs):
    """Whether the setting allows it. One target for several outputs is reported once."""
    setting = settings.broadcast_targets()
    if setting == "off":
        return all(a == b or 1 in (a, b) for a, b in zip(reversed(targets), reversed(outputs), strict=False))
    if setting == "error" or len(outputs) < 2 or targets != (*outputs[:-1], 1):
        return False
    axes = ", ".join(["batch", *map(str, outputs[1:-1])])
    warn(
        f"Targets of shape ({axes}, 1) were broadcast to the outputs ({axes}, {outputs[-1]}): each of the "
        f"{outputs[-1]} outputs is compared with the same number. For class numbers use a sparse_categorical loss or "
        'metric. keras.config.set_broadcast_targets("error") refuses such targets, "off" leaves this message out.',
        once=True,
    )
    return True


_POSITIONS = (  # what LAM116 finds
    "Put keras.layers.Flatten() or a GlobalAveragePooling layer before the last layer (after a recurrent layer: "
    "return_sequences=False), since there is one target per sample; or pass targets for every position."
)


def _of_steps(steps):
    """What to do about targets for each step where the outputs are those of the last one."""
    return (
        f"For outputs of all {steps} steps set return_sequences=True in the last recurrent layer; of targets take the "
        "last step: y[:, -1]"
    )


def _fix(targets, outputs):
    if len(outputs) > 1 and targets in (outputs[:-1], (*outputs[:-1], 1)) and outputs[-1] != 1:
        return (
            "Class numbers as targets take a loss and metrics whose names begin with sparse_categorical_; the others "
            f"take one-hot targets: y = keras.utils.to_categorical(y, {outputs[-1]}) has shape {outputs}; the loss is "
            "then 'categorical_crossentropy'. For one number per sample the last layer has 1 unit."
        )
    if len(targets) == len(outputs) > 1 and targets[:-1] == outputs[:-1]:
        columns = "one column" if outputs[-1] == 1 else f"{outputs[-1]} columns"
        fix = f"Give the last layer {targets[-1]} units, or pass targets with {columns}"
        if outputs[-1] != 1:
            return f"{fix}."
        steps = (
            f"y[:, -1] of one for each step (return_sequences=True in the last recurrent layer returns {targets[-1]})"
        )
        return f"{fix}: y.argmax(-1) of one-hot rows, {steps}."
    if [size for size in targets if size != 1] == [size for size in outputs if size != 1]:
        return f"y = y.reshape({(-1, *outputs[1:])})"
    if len(targets) == len(outputs) + 1 and (targets[0], targets[-1]) == (outputs[0], outputs[-1]):
        return f"{_of_steps(targets[1])}."
    if outputs and targets[:1] == outputs[:1] and (len(targets) < len(outputs) or all(n == 1 for n in targets[1:])):
        return _POSITIONS
    if len(targets) == len(outputs) == 4 and (targets[0], targets[3]) == (outputs[0], outputs[3]):
        if outputs[2] == 1 < targets[2]:
            return "The outputs are one column. A Reshape to (height, width, channels), (7, 7, 8) of 392, mends that."
        return (
            f"layers.Resizing{targets[1:3]} as the last layer gives outputs of that size; so do layers before with "
            f"padding='same', where their strides divide {targets[1]} and {targets[2]}."
        )
    return f"Give y_true the shape {outputs}; it is not broadcast."


def broadcast_to_outputs(weights: Any, values: Any) -> tuple[Tensor, Tensor]:
    """Weights in a shape that multiplies `values`, and the values: weights (batch,) for values (batch, time) become
    (batch, 1).

    Args:
        weights: One weight per sample, shape (batch,), or weights that broadcast to the values.
        values: Values, shape (batch, ...).
    """
    values, weights = same_rank(values, weights)
    if weights.ndim < values.ndim and weights.shape == values.shape[: weights.ndim]:
        weights = weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))
    fits = weights.ndim in (0, values.ndim) and all(
        size in (1, other) for size, other in zip(weights.shape, values.shape[: weights.ndim], strict=True)
    )
    if not fits:
        raise ShapeError(
            f"Sample weights (or a mask) of shape {weights.shape} do not fit values of shape {values.shape}.",
            fix=f"Pass one weight per sample, shape {values.shape[:1]}, or one per value, shape {values.shape}.",
        )
    return weights, values


def class_numbers(y_true: Any, y_pred: Tensor, axis: int) -> Tensor:
    """Class numbers as int32, in the shape of the outputs without their class axis. Raises ShapeError if they do not
    fit.

    Args:
        y_true: Class numbers; a last axis of size 1 is dropped.
        y_pred: Outputs.
        axis: Axis of the classes.
    """
    labels = jnp.asarray(unwrap(y_true))
    wanted = y_pred.shape[: axis % y_pred.ndim] + y_pred.shape[axis % y_pred.ndim + 1 :]
    if labels.ndim == y_pred.ndim and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if labels.shape != wanted:
        one_hot = labels.shape == y_pred.shape
        raise ShapeError(
            f"Class numbers for outputs {y_pred.shape} need shape {wanted}; got targets {jnp.shape(y_true)}.",
            fix="One-hot targets need the loss or metric without 'sparse_': categorical_crossentropy, "
            "categorical_accuracy; or pass class numbers: y.argmax(axis=-1)."
            if one_hot
            else _POSITIONS
            if labels.ndim == 1 and y_pred.ndim > 2 and labels.shape[0] == y_pred.shape[0]
            else f"Give y_true the shape {wanted}, or {(*wanted, 1)}.",
        )
    return as_integers(labels)


def as_integers(labels: Any) -> Tensor:
    """Labels as int32, where NaN is a number that is no class: as an integer it could be one.

    Args:
        labels: Numbers.
    """
    if jnp.issubdtype(labels.dtype, jnp.floating):
        labels = jnp.where(jnp.isnan(labels), jnp.iinfo("int32").min, labels)
    return labels.astype("int32")


def nan_if_no_class(values: Tensor, labels: Tensor, classes: int) -> Tensor:
    """The values, and NaN where a label is not a class: it has no probability, so it must not count as a perfect score.

    Args:
        values: One value per label.
        labels: Class numbers.
        classes: Number of classes.
    """
    return jnp.where((labels >= 0) & (labels < classes), values, jnp.nan)


def nan_if_not_binary(values: Tensor, labels: Tensor) -> Tensor:
    """The values, and NaN where a binary label is nearer to another whole number than to 0 or 1, such as 2 or -1.

    Soft labels and labels with a little noise, such as 1.05, are kept.

    Args:
        values: One value per label.
        labels: Labels.
    """
    return jnp.where(jnp.abs(labels - 0.5) <= 1, values, jnp.nan)


def pick_class(values: Tensor, labels: Tensor, axis: int) -> Tensor:
    """values[label] along `axis`, and 0 where the label is not a class. XLA fuses this comparison; it would not fuse a
    gather.

    Args:
        values: One value per class.
        labels: Class numbers, in the shape of `values` without `axis`.
        axis: Axis of the classes.
    """
    axis = axis % values.ndim
    classes = jax.lax.broadcasted_iota("int32", values.shape, axis)
    return jnp.sum(jnp.where(classes == jnp.expand_dims(labels, axis), values, 0), axis=axis)
