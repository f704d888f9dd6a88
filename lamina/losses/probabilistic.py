"""Losses between probability distributions: cross-entropies and their focal and robust forms, divergence, Poisson."""

import warnings

import jax
import jax.numpy as jnp

from lamina.core.keras_tensor import set_mask
from lamina.core.op import op
from lamina.core.variable import unwrap
from lamina.errors import ConfigError, ShapeError
from lamina.losses.alignment import float_array, pair
from lamina.losses.loss import LossFunctionWrapper
from lamina.ops import crossentropy
from lamina.runtime import settings

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "KLDivergence",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "class_numbers",
    "kl_divergence",
    "pick",
    "poisson",
    "sparse_categorical_crossentropy",
]


def _smooth_classes(y_true, label_smoothing, axis):
    return y_true * (1 - label_smoothing) + label_smoothing / y_true.shape[axis] if label_smoothing else y_true


def _smooth_binary(y_true, label_smoothing):
    return y_true * (1 - label_smoothing) + 0.5 * label_smoothing if label_smoothing else y_true


def _distributions(name, y_true, y_pred, label_smoothing, axis):
    """One-hot targets, smoothed, and outputs, with two classes or more."""
    if isinstance(axis, bool) or not isinstance(axis, int):
        raise ConfigError(f"axis of {name} is one integer; got {axis!r}.")
    y_true, y_pred = pair(y_true, y_pred)
    if y_pred.ndim and y_pred.shape[axis] == 1:
        warnings.warn(
            f"{name} over one class (outputs of shape {y_pred.shape}) is always 0: use binary_crossentropy.",
            SyntaxWarning,
            stacklevel=4,
        )
    return _smooth_classes(y_true, label_smoothing, axis), y_pred


@op
def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """mean of -(y log p + (1 - y) log(1 - p)) along `axis`, p clipped to [epsilon, 1 - epsilon].

    Shapes: (batch, ..., d) twice -> (batch, ...).

    Args:
        from_logits: whether y_pred comes before a sigmoid.
        label_smoothing: s in [0, 1] moves targets to y (1 - s) + s / 2.

    >>> import lamina as keras
    >>> keras.losses.binary_crossentropy([[1.0]], [[0.0]], from_logits=True)
    Array([0.6931472], dtype=float32)
    """
    y_true, y_pred = pair(y_true, y_pred)
    return jnp.mean(
        crossentropy.binary_crossentropy(_smooth_binary(y_true, label_smoothing), y_pred, from_logits), axis=axis
    )


@op
def binary_focal_crossentropy(
    y_true, y_pred, apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1
):
    """mean of -(1 - p_t)^gamma log p_t along `axis`, p_t = y p + (1 - y)(1 - p): easy examples count less.

    Shapes: (batch, ..., d) twice -> (batch, ...). Lin et al., 2018, https://arxiv.org/abs/1708.02002

    Args:
        apply_class_balancing: weigh class 1 by alpha and class 0 by 1 - alpha.

    >>> import lamina as keras
    >>> keras.losses.binary_focal_crossentropy([[1.0]], [[0.5]])
    Array([0.1732868], dtype=float32)
    """
    y_true, y_pred = pair(y_true, y_pred)
    y_true = _smooth_binary(y_true, label_smoothing)
    p = jax.nn.sigmoid(y_pred) if from_logits else y_pred
    focus = (1 - (y_true * p + (1 - y_true) * (1 - p))) ** gamma
    if apply_class_balancing:
        focus = focus * (y_true * alpha + (1 - y_true) * (1 - alpha))
    return jnp.mean(focus * crossentropy.binary_crossentropy(y_true, p), axis=axis)


@op
def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """-sum(y log p) along `axis`, for one-hot targets; p is divided by its sum and clipped to [epsilon, 1 - epsilon].

    Shapes: (batch, ..., classes) twice -> (batch, ...).

    Args:
        from_logits: whether y_pred comes before a softmax.
        label_smoothing: s in [0, 1] moves targets to y (1 - s) + s / classes.

    >>> import lamina as keras
    >>> keras.losses.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
    Array([0.6931472], dtype=float32)
    """
    y_true, y_pred = _distributions("categorical_crossentropy", y_true, y_pred, label_smoothing, axis)
    return crossentropy.categorical_crossentropy(y_true, y_pred, from_logits, axis)


@op
def categorical_focal_crossentropy(
    y_true, y_pred, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1
):
    """-sum(alpha (1 - p)^gamma y log p) along `axis`, for one-hot targets. alpha is a number or one a class.

    Shapes: (batch, ..., classes) twice -> (batch, ...). Lin et al., 2018, https://arxiv.org/abs/1708.02002

    >>> import lamina as keras
    >>> keras.losses.categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
    Array([0.0433217], dtype=float32)
    """
    y_true, y_pred = _distributions("categorical_focal_crossentropy", y_true, y_pred, label_smoothing, axis)
    p = jax.nn.softmax(y_pred, axis=axis) if from_logits else y_pred
    p = jnp.clip(p / jnp.sum(p, axis=axis, keepdims=True), settings.epsilon(), 1 - settings.epsilon())
    weights = jnp.asarray(alpha, p.dtype) * (1 - p) ** gamma
    return -jnp.sum(weights * y_true * jnp.log(p), axis=axis)


def class_numbers(y_true, y_pred, axis):
    """Class numbers of the outputs' shape without its class axis; a trailing axis of size 1 is dropped."""
    labels = jnp.asarray(unwrap(y_true))
    wanted = y_pred.shape[: axis % y_pred.ndim] + y_pred.shape[axis % y_pred.ndim + 1 :]
    if labels.ndim == y_pred.ndim and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if labels.shape != wanted:
        one_hot = labels.shape == y_pred.shape
        raise ShapeError(
            f"Class numbers for outputs {y_pred.shape} need shape {wanted}; got targets {jnp.shape(y_true)}.",
            fix="One-hot targets take categorical_crossentropy, without 'sparse_'."
            if one_hot
            else f"Give y_true the shape {wanted}, or {(*wanted, 1)}.",
        )
    return labels.astype("int32")


def pick(values, labels, axis):
    """values[label] along `axis`; 0 where the label is no class. A comparison fuses where a gather would not."""
    axis = axis % values.ndim
    classes = jax.lax.broadcasted_iota("int32", values.shape, axis)
    return jnp.sum(jnp.where(classes == jnp.expand_dims(labels, axis), values, 0), axis=axis)


@op
def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """-log p[y] along `axis`, for targets that are class numbers.

    Shapes: targets (batch, ...) or (batch, ..., 1), outputs (batch, ..., classes) -> (batch, ...).

    Args:
        from_logits: whether y_pred comes before a softmax.
        ignore_class: a class number whose places are left out, by a mask on the result.

    >>> import lamina as keras
    >>> keras.losses.sparse_categorical_crossentropy([1], [[0.5, 0.5]])
    Array([0.6931472], dtype=float32)
    """
    y_pred = float_array(y_pred)
    labels = class_numbers(y_true, y_pred, axis)
    losses = crossentropy.sparse_categorical_crossentropy(labels, y_pred, from_logits, axis)
    if ignore_class is not None:
        valid = labels != ignore_class
        losses = jnp.where(valid, losses, 0)
        set_mask(losses, valid)
    return losses


@op(settings=("q",))
def categorical_generalized_cross_entropy(y_true, y_pred, q):
    """(1 - p[y]^q) / q, for class numbers: cross-entropy as q nears 0, absolute error at 1.

    Shapes: targets (batch,) or (batch, 1), outputs (batch, classes) -> (batch,).
    Zhang and Sabuncu, 2018, https://arxiv.org/abs/1805.07836

    >>> import lamina as keras
    >>> keras.losses.categorical_generalized_cross_entropy([1], [[0.75, 0.25]], q=0.5)
    Array([1.], dtype=float32)
    """
    y_pred = float_array(y_pred)
    return (1 - pick(y_pred, class_numbers(y_true, y_pred, -1), -1) ** q) / q


@op
def kl_divergence(y_true, y_pred):
    """sum(y log(y / p)) over the last axis, y and p clipped to [epsilon, 1].

    Shapes: (batch, ..., d) twice -> (batch, ...).

    >>> import lamina as keras
    >>> keras.losses.kl_divergence([[0.5, 0.5]], [[0.5, 0.5]])
    Array([0.], dtype=float32)
    """
    y_true, y_pred = (jnp.clip(y, settings.epsilon(), 1) for y in pair(y_true, y_pred))
    return jnp.sum(y_true * jnp.log(y_true / y_pred), axis=-1)


@op
def poisson(y_true, y_pred):
    """mean(y_pred - y_true log(y_pred + epsilon)) over the last axis. Shapes: (batch, ..., d) twice -> (batch, ...).

    >>> import lamina as keras
    >>> keras.losses.poisson([[2.0]], [[1.0]])
    Array([0.99999976], dtype=float32)
    """
    y_true, y_pred = pair(y_true, y_pred)
    return jnp.mean(y_pred - y_true * jnp.log(y_pred + settings.epsilon()), axis=-1)


class BinaryCrossentropy(LossFunctionWrapper):
    """The mean of -(y log p + (1 - y) log(1 - p)), for targets 0 or 1.

    >>> import lamina as keras
    >>> float(keras.losses.BinaryCrossentropy(from_logits=True)([[1.0]], [[0.0]]))
    0.6931471824645996
    """

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="binary_crossentropy",
        dtype=None,
    ):
        super().__init__(
            binary_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Binary cross-entropy in which easy examples count less, by (1 - p_t)^gamma."""

    def __init__(
        self,
        apply_class_balancing=False,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="binary_focal_crossentropy",
        dtype=None,
    ):
        super().__init__(
            binary_focal_crossentropy, reduction, name, dtype, apply_class_balancing=apply_class_balancing, alpha=alpha,
            gamma=gamma, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class CategoricalCrossentropy(LossFunctionWrapper):
    """The mean of -sum(y log p), for one-hot targets."""

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="categorical_crossentropy",
        dtype=None,
    ):
        super().__init__(
            categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Categorical cross-entropy in which easy examples count less, by (1 - p)^gamma, and classes by alpha."""

    def __init__(
        self,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="categorical_focal_crossentropy",
        dtype=None,
    ):
        super().__init__(
            categorical_focal_crossentropy, reduction, name, dtype, alpha=alpha, gamma=gamma,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """The mean of -log p[y], for targets that are class numbers; places of `ignore_class` are left out.

    >>> import lamina as keras
    >>> float(keras.losses.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]))
    0.6931471824645996
    """

    _integer_targets = True
    _unwritten = {"axis": -1}

    def __init__(
        self,
        from_logits=False,
        ignore_class=None,
        reduction="sum_over_batch_size",
        axis=-1,
        name="sparse_categorical_crossentropy",
        dtype=None,
    ):
        super().__init__(
            sparse_categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, ignore_class=ignore_class, axis=axis,
        )  # fmt: skip


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """The mean of (1 - p[y]^q) / q: cross-entropy that stands noisy class numbers."""

    _integer_targets = True

    def __init__(
        self, q=0.5, reduction="sum_over_batch_size", name="categorical_generalized_cross_entropy", dtype=None
    ):
        if not 0 < q < 1:
            raise ConfigError(f"q lies between 0 and 1; got {q!r}.")
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)


class KLDivergence(LossFunctionWrapper):
    """The mean of sum(y log(y / p))."""

    def __init__(self, reduction="sum_over_batch_size", name="kl_divergence", dtype=None):
        super().__init__(kl_divergence, reduction, name, dtype)


class Poisson(LossFunctionWrapper):
    """The mean of p - y log p: counts y against expected counts p."""

    def __init__(self, reduction="sum_over_batch_size", name="poisson", dtype=None):
        super().__init__(poisson, reduction, name, dtype)
