"""Functions of tensors, with the names, order of arguments and defaults of `keras.backend` in Keras 2.

Where only names of arguments differ, the op itself has the name.
"""

from __future__ import annotations

import builtins
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

from lamina import activations, ops
from lamina.activations import elu, sigmoid, softmax, softplus, softsign, tanh
from lamina.core import tree
from lamina.core.typing import Axes, DTypeLike, TensorLike
from lamina.errors import CallError
from lamina.ops import (
    abs,
    all,
    any,
    binary_crossentropy,
    cast,
    categorical_crossentropy,
    cos,
    dot,
    dtype,
    equal,
    exp,
    greater,
    greater_equal,
    less,
    less_equal,
    log,
    logsumexp,
    max,
    maximum,
    mean,
    min,
    minimum,
    ndim,
    not_equal,
    one_hot,
    prod,
    reshape,
    round,
    shape,
    sign,
    sin,
    sqrt,
    square,
    squeeze,
    stack,
    std,
    stop_gradient,
    sum,
    tile,
    transpose,
    var,
)
from lamina.ops.recurrent import rnn as loop_over_time
from lamina.runtime.settings import epsilon

__all__ = [
    "abs", "all", "any", "arange", "argmax", "argmin", "batch_dot", "batch_flatten", "batch_normalization",
    "binary_crossentropy", "cast", "categorical_crossentropy", "clip", "concatenate", "cos", "ctc_batch_cost",
    "ctc_decode", "cumprod", "cumsum", "dot", "dtype", "elu", "equal", "exp", "expand_dims", "flatten",
    "foldl", "foldr", "gather", "greater", "greater_equal", "hard_sigmoid", "identity", "in_top_k", "l2_normalize",
    "less", "less_equal", "log", "logsumexp", "map_fn", "max", "maximum", "mean", "min", "minimum", "ndim",
    "not_equal", "one_hot", "permute_dimensions", "pow", "prod", "relu", "repeat", "repeat_elements", "reshape",
    "reverse", "rnn", "round", "shape", "sigmoid", "sign", "sin", "softmax", "softplus", "softsign",
    "sparse_categorical_crossentropy", "sqrt", "square", "squeeze", "stack", "std", "stop_gradient", "sum", "switch",
    "tanh", "tile", "transpose", "var",
]  # fmt: skip

_shape: Any = ops.shape  # with numbers for all sizes
permute_dimensions = ops.transpose
repeat_elements = ops.repeat
reverse = ops.flip
pow = ops.power


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: DTypeLike = "int32") -> Any:
    """`ops.arange`, of integers."""
    return ops.arange(start, stop, step, dtype)


def argmax(x: TensorLike, axis: int = -1) -> Any:
    """`ops.argmax`, along the last axis."""
    return ops.argmax(x, axis)


def argmin(x: TensorLike, axis: int = -1) -> Any:
    """`ops.argmin`, along the last axis."""
    return ops.argmin(x, axis)


def clip(x: TensorLike, min_value: float | None, max_value: float | None) -> Any:
    """`ops.clip`; None means no bound."""
    low = -math.inf if min_value is None else min_value
    return ops.clip(x, low, math.inf if max_value is None else max_value)


def concatenate(tensors: Sequence[TensorLike], axis: int = -1) -> Any:
    """`ops.concatenate`, along the last axis."""
    return ops.concatenate(tensors, axis)


def cumsum(x: TensorLike, axis: int = 0) -> Any:
    """`ops.cumsum`, along the first axis."""
    return ops.cumsum(x, axis)


def cumprod(x: TensorLike, axis: int = 0) -> Any:
    """`ops.cumprod`, along the first axis."""
    return ops.cumprod(x, axis)


def expand_dims(x: TensorLike, axis: int = -1) -> Any:
    """`ops.expand_dims`, at the end."""
    return ops.expand_dims(x, axis)


def gather(reference: TensorLike, indices: TensorLike) -> Any:
    """`ops.take(reference, indices, axis=0)`."""
    return ops.take(reference, indices, axis=0)


def hard_sigmoid(x: Any) -> Any:
    """`clip(0.2 * x + 0.5, 0, 1)`, as in Keras 1 and 2; `ops.hard_sigmoid` has a slope of 1/6."""
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def identity(x: TensorLike, name: str | None = None) -> Any:
    """`x`."""
    return x


def in_top_k(predictions: TensorLike, targets: TensorLike, k: int) -> Any:
    """`ops.in_top_k(targets, predictions, k)`."""
    return ops.in_top_k(targets, predictions, k)


def l2_normalize(x: Any, axis: Axes = None) -> Any:
    """`x / norm`, the norm along `axis`."""
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis, keepdims=True), 1e-12))


def relu(x: TensorLike, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """`activations.relu`: x above `threshold`, but at most `max_value`; alpha * (x - threshold) below it."""
    return activations.relu(x, negative_slope=alpha, max_value=max_value, threshold=threshold)


def repeat(x: TensorLike, n: int) -> Any:
    """Each row `n` times: (batch, features) -> (batch, n, features)."""
    return ops.repeat(ops.expand_dims(x, 1), n, axis=1)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """`ops.where` of tensors, or of callables without arguments that return them; the condition has the first axes."""
    values: Any = (value() if callable(value) else value for value in (then_expression, else_expression))
    then, other = values
    missing = ops.ndim(then) - ops.ndim(condition)
    if missing > 0:
        condition = ops.reshape(condition, (*_shape(condition), *(1,) * missing))
    return ops.where(ops.cast(condition, "bool"), then, other)


def batch_flatten(x: Any) -> Any:
    """`ops.reshape`: (batch, ...) -> (batch, features)."""
    return ops.reshape(x, (-1, math.prod(_shape(x)[1:])))


def flatten(x: TensorLike) -> Any:
    """`ops.reshape(x, (-1,))`."""
    return ops.reshape(x, (-1,))


def batch_dot(x: TensorLike, y: TensorLike, axes: Any = None) -> Any:
    """Dot products of samples along an axis of each: by default the last of x and the second to last of y.

    Shapes: (batch, *a), (batch, *b) -> (batch, *a, *b) without the two axes; (batch, 1) if no axis is left.
    """
    ranks = ops.ndim(x), ops.ndim(y)
    if axes is None:
        axes = ranks[0] - 1, builtins.max(ranks[1] - 2, 1)
    pair = (axes, axes) if isinstance(axes, int) else tuple(axes)
    first, second = (axis % rank for axis, rank in zip(pair, ranks, strict=True))
    if first == 0 or second == 0:
        raise CallError(f"batch_dot sums over an axis of a sample; got axes={axes}, of which one is the batch.")
    letters = "abcdefghijklmnopqrstuvwxyz"
    left = list(letters[: ranks[0]])
    right = ["a", *letters[ranks[0] : ranks[0] + ranks[1] - 1]]
    right[second] = left[first]
    kept = [letter for letter in (*left, *right[1:]) if letter != left[first]]
    products = ops.einsum(f"{''.join(left)},{''.join(right)}->{''.join(kept)}", x, y)
    return products if len(kept) > 1 else ops.expand_dims(products, -1)


def map_fn(fn: Callable[..., Any], elems: TensorLike, name: str | None = None, dtype: DTypeLike | None = None) -> Any:
    """`ops.map`."""
    return ops.map(fn, elems)


def foldl(fn: Callable[..., Any], elems: TensorLike, initializer: Any = None, name: str | None = None) -> Any:
    """fn(...fn(fn(initializer, elems[0]), elems[1])...); without an initializer it starts with elems[0]."""
    items = ops.unstack(elems)
    return functools.reduce(fn, items) if initializer is None else functools.reduce(fn, items, initializer)


def foldr(fn: Callable[..., Any], elems: TensorLike, initializer: Any = None, name: str | None = None) -> Any:
    """`foldl` from the end to the start."""
    return foldl(fn, ops.flip(elems, 0), initializer)


def rnn(
    step_function: Callable[..., Any],
    inputs: Any,
    initial_states: Any,
    go_backwards: bool = False,
    mask: Any = None,
    constants: Any = None,
    unroll: bool = False,
    input_length: Any = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> Any:
    """`output, states = step_function(inputs[:, t], [*states, *constants])` for each t: (last output, all, states)."""

    def time_first(structure):
        return structure if time_major else tree.map_structure(lambda array: ops.swapaxes(array, 0, 1), structure)

    last, outputs, states = loop_over_time(
        lambda x, states: step_function(x, [*states, *(constants or ())]),
        time_first(inputs),
        list(initial_states),
        None if mask is None else time_first(mask),
        go_backwards=go_backwards,
        unroll=unroll,
        zero_output_for_mask=zero_output_for_mask,
        return_all_outputs=return_all_outputs,
    )
    return last, None if outputs is None else time_first(outputs), states


def sparse_categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Any:
    """`ops.sparse_categorical_crossentropy`; 0 where the target is `ignore_class`."""
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(target, output, from_logits, axis)
    valid = ops.not_equal(target, ignore_class)
    losses = ops.sparse_categorical_crossentropy(ops.where(valid, target, 0), output, from_logits, axis)
    return ops.where(valid, losses, 0.0)


def ctc_batch_cost(y_true: TensorLike, y_pred: Any, input_length: Any, label_length: TensorLike) -> Any:
    """`ops.ctc_loss` of probabilities whose last class is the blank. Shapes: -> (batch, 1)."""
    lengths = (ops.reshape(length, (-1,)) for length in (label_length, input_length))
    losses = ops.ctc_loss(y_true, ops.log(y_pred + epsilon()), *lengths, mask_index=_shape(y_pred)[-1] - 1)
    return ops.expand_dims(losses, 1)


def ctc_decode(y_pred: Any, input_length: Any, greedy: bool = True, beam_width: int = 100, top_paths: int = 1) -> Any:
    """`ops.ctc_decode` of probabilities whose last class is the blank: (list of `top_paths` sequences, scores)."""
    found, scores = ops.ctc_decode(
        ops.log(y_pred + epsilon()),
        input_length,
        strategy="greedy" if greedy else "beam_search",
        beam_width=beam_width,
        top_paths=top_paths,
        mask_index=_shape(y_pred)[-1] - 1,
    )
    return [found[path] for path in range(1 if greedy else top_paths)], scores


def batch_normalization(
    x: TensorLike,
    mean: TensorLike,
    var: TensorLike,
    beta: TensorLike | None,
    gamma: TensorLike | None,
    axis: int = -1,
    epsilon: float = 0.001,
) -> Any:
    """`ops.batch_normalization`."""
    return ops.batch_normalization(x, mean, var, axis, offset=beta, scale=gamma, epsilon=epsilon)
