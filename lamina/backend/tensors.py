"""Functions of tensors, with the names, order of arguments and defaults of `keras.backend` in Keras 2.

Where only names of arguments differ, the op itself has the name.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any

from lamina import activations, ops
from lamina.activations import elu, sigmoid, softmax, softplus, softsign, tanh
from lamina.backend.keywords import taking
from lamina.core.typing import Axes, DTypeLike, TensorLike
from lamina.core.variable import unwrap
from lamina.errors import CallError
from lamina.ops import (
    abs,
    all,
    any,
    cast,
    cos,
    dtype,
    exp,
    is_tensor,
    log,
    logsumexp,
    max,
    mean,
    min,
    ndim,
    prod,
    round,
    shape,
    sign,
    sin,
    sqrt,
    square,
    squeeze,
    stack,
    std,
    sum,
    transpose,
    var,
)

__all__ = [
    "abs", "all", "any", "arange", "argmax", "argmin", "batch_dot", "batch_flatten", "batch_normalization", "cast",
    "clip", "concatenate", "cos", "cumprod", "cumsum", "dot", "dtype", "elu", "equal", "exp", "expand_dims",
    "flatten", "gather", "greater", "greater_equal", "hard_sigmoid", "identity", "in_top_k", "is_tensor",
    "l2_normalize", "less", "less_equal", "log", "logsumexp", "max", "maximum", "mean", "min", "minimum", "ndim",
    "normalize_batch_in_training", "not_equal", "one_hot", "permute_dimensions", "pow", "prod", "relu", "repeat",
    "repeat_elements", "reshape", "reverse", "round", "shape", "sigmoid", "sign", "sin", "slice", "softmax",
    "softplus", "softsign", "sqrt", "square", "squeeze", "stack", "std", "stop_gradient", "sum", "switch", "tanh",
    "tile", "transpose", "var",
]  # fmt: skip

_shape: Any = ops.shape  # with numbers for all sizes
dot: Any = taking(ops.dot, x="x1", y="x2")
equal: Any = taking(ops.equal, x="x1", y="x2")
greater: Any = taking(ops.greater, x="x1", y="x2")
greater_equal: Any = taking(ops.greater_equal, x="x1", y="x2")
less: Any = taking(ops.less, x="x1", y="x2")
less_equal: Any = taking(ops.less_equal, x="x1", y="x2")
maximum: Any = taking(ops.maximum, x="x1", y="x2")
minimum: Any = taking(ops.minimum, x="x1", y="x2")
not_equal: Any = taking(ops.not_equal, x="x1", y="x2")
pow: Any = taking(ops.power, x="x1", a="x2")
one_hot: Any = taking(ops.one_hot, indices="x")
permute_dimensions: Any = taking(ops.transpose, pattern="axes")
repeat_elements: Any = taking(ops.repeat, rep="repeats")
reshape: Any = taking(ops.reshape, shape="newshape")
reverse: Any = taking(ops.flip, axes="axis")
slice: Any = taking(ops.slice, x="inputs", start="start_indices", size="shape")
stop_gradient: Any = taking(ops.stop_gradient, variables="variable")
tile: Any = taking(ops.tile, n="repeats")


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: DTypeLike = "int32") -> Any:
    """`ops.arange`, of integers.

    Args:
        start: First number; if `stop` is None, the numbers are 0, 1, ... below it.
        stop: Upper bound, which is not included.
        step: Difference of two numbers.
        dtype: Type of the result.
    """
    return ops.arange(start, stop, step, dtype)


def argmax(x: TensorLike, axis: int = -1) -> Any:
    """`ops.argmax`, along the last axis.

    Args:
        x: Tensor.
        axis: Axis to reduce.
    """
    return ops.argmax(x, axis)


def argmin(x: TensorLike, axis: int = -1) -> Any:
    """`ops.argmin`, along the last axis.

    Args:
        x: Tensor.
        axis: Axis to reduce.
    """
    return ops.argmin(x, axis)


def clip(x: TensorLike, min_value: float | None, max_value: float | None) -> Any:
    """`ops.clip`; None means no bound.

    Args:
        x: Tensor.
        min_value: Lower bound; None for none.
        max_value: Upper bound; None for none.
    """
    low = -math.inf if min_value is None else min_value
    return ops.clip(x, low, math.inf if max_value is None else max_value)


def concatenate(tensors: Sequence[TensorLike], axis: int = -1) -> Any:
    """`ops.concatenate`, along the last axis.

    Args:
        tensors: Tensors whose shapes differ at most along `axis`.
        axis: Axis along which they are joined.
    """
    return ops.concatenate(tensors, axis)


def cumsum(x: TensorLike, axis: int = 0) -> Any:
    """`ops.cumsum`, along the first axis.

    Args:
        x: Tensor.
        axis: Axis to go along.
    """
    return ops.cumsum(x, axis)


def cumprod(x: TensorLike, axis: int = 0) -> Any:
    """`ops.cumprod`, along the first axis.

    Args:
        x: Tensor.
        axis: Axis to go along.
    """
    return ops.cumprod(x, axis)


def expand_dims(x: TensorLike, axis: int = -1) -> Any:
    """`ops.expand_dims`, at the end.

    Args:
        x: Tensor.
        axis: Position of the new axis, of size 1, in the result.
    """
    return ops.expand_dims(x, axis)


def gather(reference: TensorLike, indices: TensorLike) -> Any:
    """`ops.take(reference, indices, axis=0)`.

    Args:
        reference: Tensor.
        indices: Whole numbers of any shape, positions along the first axis of `reference`.
    """
    return ops.take(reference, indices, axis=0)


def hard_sigmoid(x: Any) -> Any:
    """`clip(0.2 * x + 0.5, 0, 1)`, as in Keras 1 and 2; `ops.hard_sigmoid` has a slope of 1/6.

    Args:
        x: Tensor.
    """
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def identity(x: TensorLike, name: str | None = None) -> Any:
    """`x`; of a variable its value at this time.

    Args:
        x: Tensor, which is returned as it is, or variable.
        name: Not used; accepted for old programs.
    """
    return unwrap(x)


def in_top_k(predictions: TensorLike, targets: TensorLike, k: int) -> Any:
    """`ops.in_top_k(targets, predictions, k)`.

    Args:
        predictions: Scores of shape (batch, classes).
        targets: Class indices of shape (batch,).
        k: Number of predictions to consider.
    """
    return ops.in_top_k(targets, predictions, k)


def l2_normalize(x: Any, axis: Axes = None) -> Any:
    """`x / norm`, the norm along `axis`.

    Args:
        x: Tensor.
        axis: Axis or axes along which the norm is computed; None means one norm of all elements.
    """
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis, keepdims=True), 1e-12))


def relu(x: TensorLike, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """`activations.relu`: x above `threshold`, but at most `max_value`; alpha * (x - threshold) below it.

    Args:
        x: Tensor.
        alpha: Slope below `threshold`.
        max_value: Largest value of the result; None for no bound.
        threshold: Value of `x` from which on it is returned as it is.
    """
    return activations.relu(x, negative_slope=alpha, max_value=max_value, threshold=threshold)


def repeat(x: TensorLike, n: int) -> Any:
    """Each row `n` times: (batch, features) -> (batch, n, features).

    Args:
        x: Tensor of shape (batch, features).
        n: Number of repetitions.
    """
    return ops.repeat(ops.expand_dims(x, 1), n, axis=1)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """`ops.where` of tensors, or of callables without arguments that return them; the condition has the first axes.

    Args:
        condition: Booleans, or numbers of which 0 means False.
        then_expression: Values where the condition holds: a tensor, or a function without arguments that returns one.
        else_expression: Values elsewhere, likewise.
    """
    values: Any = (value() if callable(value) else value for value in (then_expression, else_expression))
    then, other = values
    missing = ops.ndim(then) - ops.ndim(condition)
    if missing > 0:
        condition = ops.reshape(condition, (*_shape(condition), *(1,) * missing))
    return ops.where(ops.cast(condition, "bool"), then, other)


def batch_flatten(x: Any) -> Any:
    """`ops.reshape`: (batch, ...) -> (batch, features).

    Args:
        x: Tensor with at least one axis, the batch.
    """
    return ops.reshape(x, (-1, math.prod(_shape(x)[1:])))


def flatten(x: TensorLike) -> Any:
    """`ops.reshape(x, (-1,))`.

    Args:
        x: Tensor.
    """
    return ops.reshape(x, (-1,))


def batch_dot(x: TensorLike, y: TensorLike, axes: Any = None) -> Any:
    """Dot products of samples along an axis of each: by default the last of x and the second to last of y.

    Shapes: (batch, *a), (batch, *b) -> (batch, *a, *b) without the two axes; (batch, 1) if no axis is left.

    Args:
        x: Tensor of shape (batch, ...) with at least two axes.
        y: Tensor of shape (batch, ...) with at least two axes.
        axes: Axis to sum over, one number for both tensors or a pair (of `x`, of `y`); None means the default.
    """
    ranks = ops.ndim(x), ops.ndim(y)
    if axes is None:
        axes = ranks[0] - 1, builtins.max(ranks[1] - 2, 1)
    pair = (axes, axes) if isinstance(axes, int) else tuple(axes)
    first, second = (axis % rank for axis, rank in zip(pair, ranks, strict=True))
    if first == 0 or second == 0:
        raise CallError(
            f"batch_dot sums over an axis of a sample; got axes={axes}, of which one is the batch.",
            fix=f"axes={(ranks[0] - 1, builtins.max(ranks[1] - 2, 1))}",
        )
    letters = "abcdefghijklmnopqrstuvwxyz"
    left = list(letters[: ranks[0]])
    right = ["a", *letters[ranks[0] : ranks[0] + ranks[1] - 1]]
    right[second] = left[first]
    kept = [letter for letter in (*left, *right[1:]) if letter != left[first]]
    products = ops.einsum(f"{''.join(left)},{''.join(right)}->{''.join(kept)}", x, y)
    return products if len(kept) > 1 else ops.expand_dims(products, -1)


def batch_normalization(
    x: TensorLike,
    mean: TensorLike,
    var: TensorLike,
    beta: TensorLike | None,
    gamma: TensorLike | None,
    axis: int = -1,
    epsilon: float = 0.001,
) -> Any:
    """`ops.batch_normalization`.

    Args:
        x: Tensor.
        mean: Means along `axis`.
        var: Variances along `axis`.
        beta: Added to the result; None adds nothing.
        gamma: Factor of the standardized tensor; None means 1.
        axis: Axis that keeps its own moments, usually that of the channels.
        epsilon: Added to the variance.
    """
    return ops.batch_normalization(x, mean, var, axis, offset=beta, scale=gamma, epsilon=epsilon)


def normalize_batch_in_training(
    x: TensorLike,
    gamma: TensorLike | None,
    beta: TensorLike | None,
    reduction_axes: Sequence[int],
    epsilon: float = 1e-3,
) -> Any:
    """(the standardized tensor, its means, its variances), where one axis keeps its own moments.

    Args:
        x: Tensor.
        gamma: Factor of the standardized tensor; None means 1.
        beta: Added to the result; None adds nothing.
        reduction_axes: Axes over which the moments are taken, all but one.
        epsilon: Added to the variance.
    """
    axis = next(axis for axis in range(ndim(x)) if axis not in reduction_axes)
    means, variances = ops.moments(x, [*reduction_axes])
    return batch_normalization(x, means, variances, beta, gamma, axis, epsilon), means, variances
