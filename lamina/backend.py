"""K: the functions that programs for Keras 1 and 2 took from `keras.backend`, on ops of today.

Keras 3 itself has a dozen of these names (settings, types, names). The others are for programs that have not been
rewritten for `keras.ops`; each says what it is there. All work on arrays, variables and symbolic tensors.

>>> import lamina as keras
>>> from lamina import backend as K
>>> K.mean(K.square(K.constant([1.0, 3.0]))).item()
5.0
"""

import builtins
import functools
import math

import numpy as np

from lamina import activations, ops, random
from lamina.activations import elu, sigmoid, softmax, softplus, softsign, tanh
from lamina.config import backend
from lamina.core import context, tree
from lamina.core.context import get_uid, name_scope
from lamina.core.dtypes import is_float as is_float_dtype
from lamina.core.dtypes import is_integer as is_int_dtype
from lamina.core.dtypes import result_type, standardize_dtype
from lamina.core.settings import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    standardize_data_format,
)
from lamina.core.variable import Variable, unwrap
from lamina.errors import CallError, ConfigError
from lamina.layers.input_layer import Input
from lamina.legacy import data_format_of, tell_method
from lamina.models import Model
from lamina.ops import (
    abs,
    all,
    any,
    cast,
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
    prod,
    reshape,
    round,
    shape,
    sign,
    sin,
    sqrt,
    square,
    stack,
    std,
    stop_gradient,
    sum,
    tile,
    var,
)
from lamina.ops.recurrent import rnn as loop_over_time
from lamina.utils.session import clear_session, is_keras_tensor

__all__ = [
    "abs", "all", "any", "arange", "argmax", "argmin", "backend", "batch_dot", "batch_flatten", "batch_get_value",
    "batch_normalization", "batch_set_value", "bias_add", "binary_crossentropy", "cast", "cast_to_floatx",
    "categorical_crossentropy", "clear_session", "clip", "concatenate", "constant", "conv1d", "conv2d",
    "conv2d_transpose", "conv3d", "cos", "count_params", "ctc_batch_cost", "ctc_decode", "cumprod", "cumsum",
    "depthwise_conv2d", "dot", "dropout", "dtype", "elu", "epsilon", "equal", "eval", "exp", "expand_dims", "eye",
    "flatten", "floatx", "foldl", "foldr", "function", "gather", "get_uid", "get_value", "greater", "greater_equal",
    "hard_sigmoid", "identity", "image_data_format", "image_dim_ordering", "in_test_phase", "in_top_k",
    "in_train_phase", "int_shape", "is_float_dtype", "is_int_dtype", "is_keras_tensor", "l2_normalize",
    "learning_phase", "less", "less_equal", "log", "logsumexp", "map_fn", "max", "maximum", "mean", "min", "minimum",
    "moving_average_update", "name_scope", "ndim", "not_equal", "one_hot", "ones", "ones_like", "permute_dimensions",
    "placeholder", "pool2d", "pool3d", "pow", "prod", "random_bernoulli", "random_binomial", "random_normal",
    "random_normal_variable", "random_uniform", "random_uniform_variable", "relu", "repeat", "repeat_elements",
    "reshape", "resize_images", "resize_volumes", "result_type", "reverse", "rnn", "round", "separable_conv2d",
    "set_epsilon", "set_floatx", "set_image_data_format", "set_image_dim_ordering", "set_learning_phase", "set_value",
    "shape", "sigmoid", "sign", "sin", "softmax", "softplus", "softsign", "sparse_categorical_crossentropy",
    "spatial_2d_padding", "spatial_3d_padding", "sqrt", "square", "squeeze", "stack", "standardize_dtype", "std",
    "stop_gradient", "sum", "switch", "tanh", "temporal_padding", "tile", "transpose", "truncated_normal", "update",
    "update_add", "update_sub", "var", "variable", "zeros", "zeros_like",
]  # fmt: skip


# Functions of ops with other names, orders or defaults of their arguments


def arange(start, stop=None, step=1, dtype="int32"):
    """`ops.arange`, of integers."""
    return ops.arange(start, stop, step, dtype)


def argmax(x, axis=-1):
    """`ops.argmax`, along the last axis."""
    return ops.argmax(x, axis)


def argmin(x, axis=-1):
    """`ops.argmin`, along the last axis."""
    return ops.argmin(x, axis)


def clip(x, min_value, max_value):
    """`ops.clip`; None is no bound."""
    low = -math.inf if min_value is None else min_value
    return ops.clip(x, low, math.inf if max_value is None else max_value)


def concatenate(tensors, axis=-1):
    """`ops.concatenate`, along the last axis."""
    return ops.concatenate(tensors, axis)


def cumsum(x, axis=0):
    """`ops.cumsum`, along the first axis."""
    return ops.cumsum(x, axis)


def cumprod(x, axis=0):
    """`ops.cumprod`, along the first axis."""
    return ops.cumprod(x, axis)


def expand_dims(x, axis=-1):
    """`ops.expand_dims`, at the end."""
    return ops.expand_dims(x, axis)


def eye(size, dtype=None, name=None):
    """A variable with the identity matrix."""
    return Variable(np.eye(size), dtype=dtype or floatx(), name=name)


def gather(reference, indices):
    """`ops.take(reference, indices, axis=0)`."""
    return ops.take(reference, indices, axis=0)


def hard_sigmoid(x):
    """`clip(0.2 * x + 0.5, 0, 1)`, as Keras 1 and 2 had it; `ops.hard_sigmoid` has a slope of 1/6."""
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def identity(x, name=None):
    """`x`."""
    return x


def in_top_k(predictions, targets, k):
    """`ops.in_top_k(targets, predictions, k)`."""
    return ops.in_top_k(targets, predictions, k)


def l2_normalize(x, axis=None):
    """`x / norm`, the norm along `axis`."""
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis, keepdims=True), 1e-12))


def one_hot(indices, num_classes):
    """`ops.one_hot`."""
    return ops.one_hot(indices, num_classes)


def permute_dimensions(x, pattern):
    """`ops.transpose(x, pattern)`."""
    return ops.transpose(x, pattern)


def pow(x, a):
    """`ops.power`."""
    return ops.power(x, a)


def relu(x, alpha=0.0, max_value=None, threshold=0.0):
    """`activations.relu`: x above `threshold`, cut off at `max_value`, alpha * (x - threshold) below."""
    return activations.relu(x, negative_slope=alpha, max_value=max_value, threshold=threshold)


def repeat(x, n):
    """Each row `n` times: (batch, features) -> (batch, n, features)."""
    return ops.repeat(ops.expand_dims(x, 1), n, axis=1)


def repeat_elements(x, rep, axis):
    """`ops.repeat`."""
    return ops.repeat(x, rep, axis)


def reverse(x, axes):
    """`ops.flip`."""
    return ops.flip(x, axes)


def squeeze(x, axis):
    """`ops.squeeze`."""
    return ops.squeeze(x, axis)


def switch(condition, then_expression, else_expression):
    """`ops.where`, of tensors or of functions of nothing that give them; the condition spreads over the last axes."""
    then, other = (value() if callable(value) else value for value in (then_expression, else_expression))
    missing = ops.ndim(then) - ops.ndim(condition)
    spread = ops.reshape(condition, (*ops.shape(condition), *(1,) * missing)) if missing > 0 else condition
    return ops.where(ops.cast(spread, "bool"), then, other)


def transpose(x):
    """`ops.transpose`, all axes in reverse order."""
    return ops.transpose(x)


def batch_flatten(x):
    """`ops.reshape`: (batch, ...) -> (batch, features)."""
    return ops.reshape(x, (-1, math.prod(ops.shape(x)[1:])))


def flatten(x):
    """`ops.reshape(x, (-1,))`."""
    return ops.reshape(x, (-1,))


def batch_dot(x, y, axes=None):
    """Sums of products along an axis of each, sample by sample: by default the last of x and the last but one of y.

    Shapes: (batch, *a), (batch, *b) -> (batch, *a, *b) without the two axes; (batch, 1) if nothing else is left.
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


def map_fn(fn, elems, name=None, dtype=None):
    """`ops.map`."""
    return ops.map(fn, elems)


def foldl(fn, elems, initializer=None, name=None):
    """fn(...fn(fn(initializer, elems[0]), elems[1])...); without an initializer it starts with elems[0]."""
    items = ops.unstack(elems)
    return functools.reduce(fn, items) if initializer is None else functools.reduce(fn, items, initializer)


def foldr(fn, elems, initializer=None, name=None):
    """`foldl` from the end to the start."""
    return foldl(fn, ops.flip(elems, 0), initializer)


def rnn(
    step_function,
    inputs,
    initial_states,
    go_backwards=False,
    mask=None,
    constants=None,
    unroll=False,
    input_length=None,
    time_major=False,
    zero_output_for_mask=False,
    return_all_outputs=True,
):
    """`output, states = step_function(inputs[:, t], [*states, *constants])` for each t: (last output, all, states)."""

    def time_first(structure):
        return structure if time_major else tree.map_structure(lambda array: ops.swapaxes(array, 0, 1), structure)

    last, outputs, states = loop_over_time(
        lambda now, states: step_function(now, [*states, *(constants or ())]),
        time_first(inputs),
        list(initial_states),
        None if mask is None else time_first(mask),
        go_backwards=go_backwards,
        unroll=unroll,
        zero_output_for_mask=zero_output_for_mask,
        return_all_outputs=return_all_outputs,
    )
    return last, None if outputs is None else time_first(outputs), states


# Losses, normalization, noise


def binary_crossentropy(target, output, from_logits=False):
    """`ops.binary_crossentropy`."""
    return ops.binary_crossentropy(target, output, from_logits)


def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """`ops.categorical_crossentropy`."""
    return ops.categorical_crossentropy(target, output, from_logits, axis)


def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1, ignore_class=None):
    """`ops.sparse_categorical_crossentropy`; 0 where the target is `ignore_class`."""
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(target, output, from_logits, axis)
    valid = ops.not_equal(target, ignore_class)
    losses = ops.sparse_categorical_crossentropy(ops.where(valid, target, 0), output, from_logits, axis)
    return ops.where(valid, losses, 0.0)


def ctc_batch_cost(y_true, y_pred, input_length, label_length):
    """`ops.ctc_loss` of probabilities whose last class is the blank. Shapes: -> (batch, 1)."""
    lengths = (ops.reshape(length, (-1,)) for length in (label_length, input_length))
    losses = ops.ctc_loss(y_true, ops.log(y_pred + epsilon()), *lengths, mask_index=ops.shape(y_pred)[-1] - 1)
    return ops.expand_dims(losses, 1)


def ctc_decode(y_pred, input_length, greedy=True, beam_width=100, top_paths=1):
    """`ops.ctc_decode` of probabilities whose last class is the blank: (list of `top_paths` sequences, scores)."""
    found, scores = ops.ctc_decode(
        ops.log(y_pred + epsilon()),
        input_length,
        strategy="greedy" if greedy else "beam_search",
        beam_width=beam_width,
        top_paths=top_paths,
        mask_index=ops.shape(y_pred)[-1] - 1,
    )
    return [found[path] for path in range(1 if greedy else top_paths)], scores


def batch_normalization(x, mean, var, beta, gamma, axis=-1, epsilon=1e-3):
    """`ops.batch_normalization`."""
    return ops.batch_normalization(x, mean, var, axis, offset=beta, scale=gamma, epsilon=epsilon)


def dropout(x, level, noise_shape=None, seed=None):
    """`random.dropout`."""
    return random.dropout(x, level, noise_shape, seed)


def random_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """`random.normal`."""
    return random.normal(shape, mean, stddev, dtype, seed)


def random_uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """`random.uniform`."""
    return random.uniform(shape, minval, maxval, dtype, seed)


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """`random.truncated_normal`."""
    return random.truncated_normal(shape, mean, stddev, dtype, seed)


def random_bernoulli(shape, p=0.0, dtype=None, seed=None):
    """1 with probability `p`, else 0."""
    return ops.cast(random.uniform(shape, seed=seed) < p, dtype or floatx())


random_binomial = random_bernoulli


# Convolution, pooling, images


def conv1d(x, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """`ops.conv` over time; "causal" padding puts all zeros in front."""
    if padding == "causal":
        front = (dilation_rate if isinstance(dilation_rate, int) else dilation_rate[0]) * (ops.shape(kernel)[0] - 1)
        first = standardize_data_format(data_format) == "channels_first"
        x = ops.pad(x, [[0, 0], [0, 0], [front, 0]] if first else [[0, 0], [front, 0], [0, 0]])
        padding = "valid"
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


def conv2d(x, kernel, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1)):
    """`ops.conv` over images."""
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


def conv3d(x, kernel, strides=(1, 1, 1), padding="valid", data_format=None, dilation_rate=(1, 1, 1)):
    """`ops.conv` over volumes."""
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


def conv2d_transpose(x, kernel, output_shape, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1)):
    """`ops.conv_transpose`, of which `output_shape` has to be the shape."""
    outputs = ops.conv_transpose(x, kernel, strides, padding, None, data_format, dilation_rate)
    pairs = zip(ops.shape(outputs)[1:], tuple(output_shape)[1:], strict=True)
    if not builtins.all(wanted is None or size == wanted for size, wanted in pairs):
        raise CallError(f"conv2d_transpose gives shape {ops.shape(outputs)}; output_shape is {tuple(output_shape)}.")
    return outputs


def depthwise_conv2d(x, depthwise_kernel, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1)):
    """`ops.depthwise_conv`."""
    return ops.depthwise_conv(x, depthwise_kernel, strides, padding, data_format, dilation_rate)


def separable_conv2d(
    x, depthwise_kernel, pointwise_kernel, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1)
):
    """`ops.separable_conv`."""
    return ops.separable_conv(x, depthwise_kernel, pointwise_kernel, strides, padding, data_format, dilation_rate)


def pool2d(x, pool_size, strides=(1, 1), padding="valid", data_format=None, pool_mode="max"):
    """`ops.max_pool`, or `ops.average_pool` for pool_mode="avg"."""
    return _pool(pool_mode)(x, pool_size, strides, padding, data_format)


def pool3d(x, pool_size, strides=(1, 1, 1), padding="valid", data_format=None, pool_mode="max"):
    """`pool2d` for volumes."""
    return _pool(pool_mode)(x, pool_size, strides, padding, data_format)


def _pool(mode):
    if mode not in ("max", "avg"):
        raise ConfigError(f"pool_mode is 'max' or 'avg'; got {mode!r}.")
    return ops.max_pool if mode == "max" else ops.average_pool


def bias_add(x, bias, data_format=None):
    """`x + bias`, a bias for each channel or one of the shape of a sample."""
    if standardize_data_format(data_format) == "channels_first" and ops.ndim(bias) == 1 and ops.ndim(x) > 2:
        bias = ops.reshape(bias, (-1, *(1,) * (ops.ndim(x) - 2)))
    return x + unwrap(bias)


def resize_images(x, height_factor, width_factor, data_format, interpolation="nearest"):
    """`ops.image.resize`, by factors."""
    start = 2 if standardize_data_format(data_format) == "channels_first" else 1
    height, width = ops.shape(x)[start : start + 2]
    return ops.image.resize(x, (height * height_factor, width * width_factor), interpolation, data_format=data_format)


def resize_volumes(x, depth_factor, height_factor, width_factor, data_format):
    """`ops.repeat` along the three axes."""
    start = 2 if standardize_data_format(data_format) == "channels_first" else 1
    for axis, factor in enumerate((depth_factor, height_factor, width_factor), start):
        x = ops.repeat(x, factor, axis)
    return x


def temporal_padding(x, padding=(1, 1)):
    """`ops.pad` of the time axis."""
    return ops.pad(x, [[0, 0], list(padding), [0, 0]])


def spatial_2d_padding(x, padding=((1, 1), (1, 1)), data_format=None):
    """`ops.pad` of the axes of an image."""
    return _pad_space(x, padding, data_format)


def spatial_3d_padding(x, padding=((1, 1), (1, 1), (1, 1)), data_format=None):
    """`ops.pad` of the axes of a volume."""
    return _pad_space(x, padding, data_format)


def _pad_space(x, padding, data_format):
    space = [list(pair) for pair in padding]
    first = standardize_data_format(data_format) == "channels_first"
    return ops.pad(x, [[0, 0], [0, 0], *space] if first else [[0, 0], *space, [0, 0]])


# Variables and values


def variable(value, dtype=None, name=None, constraint=None):
    """`keras.Variable`."""
    made = Variable(value, dtype=dtype or floatx(), name=name)
    made.constraint = constraint
    return made


def constant(value, dtype=None, shape=None, name=None):
    """`ops.convert_to_tensor`, spread to `shape`."""
    value = ops.convert_to_tensor(value, dtype or floatx())
    return value if shape is None else ops.broadcast_to(value, shape)


def zeros(shape, dtype=None, name=None):
    """A variable of zeros."""
    return Variable(np.zeros(shape), dtype=dtype or floatx(), name=name)


def ones(shape, dtype=None, name=None):
    """A variable of ones."""
    return Variable(np.ones(shape), dtype=dtype or floatx(), name=name)


def ones_like(x, dtype=None, name=None):
    """`ops.ones_like`."""
    return ops.ones_like(x, dtype)


def zeros_like(x, dtype=None, name=None):
    """`ops.zeros_like`."""
    return ops.zeros_like(x, dtype)


def random_normal_variable(shape, mean, scale, dtype=None, name=None, seed=None):
    """A variable of normal draws."""
    return Variable(random.normal(shape, mean, scale, dtype, seed), dtype=dtype or floatx(), name=name)


def random_uniform_variable(shape, low, high, dtype=None, name=None, seed=None):
    """A variable of uniform draws."""
    return Variable(random.uniform(shape, low, high, dtype, seed), dtype=dtype or floatx(), name=name)


def placeholder(shape=None, ndim=None, dtype=None, sparse=False, name=None):
    """`keras.Input(batch_shape=shape)`."""
    if shape is None and ndim is None:
        raise ConfigError("A placeholder needs a shape or a number of axes.", fix="keras.Input(shape=(784,))")
    return Input(batch_shape=shape or (None,) * ndim, dtype=dtype, sparse=sparse, name=name)


def cast_to_floatx(x):
    """`x` in the type `floatx()`; a NumPy array stays one."""
    return np.asarray(x, floatx()) if isinstance(x, (np.ndarray, list, tuple, int, float)) else ops.cast(x, floatx())


def int_shape(x):
    """`tuple(x.shape)`, with None for open sizes."""
    return tuple(x.shape)


def count_params(x):
    """How many numbers a variable holds."""
    return math.prod(x.shape)


def eval(x):
    """`ops.convert_to_numpy`."""
    return ops.convert_to_numpy(x)


def get_value(x):
    """`variable.numpy()`."""
    return ops.convert_to_numpy(x)


def batch_get_value(tensors):
    """The values of several variables."""
    return [get_value(tensor) for tensor in tensors]


def set_value(x, value):
    """`variable.assign(value)`."""
    x.assign(value)


def batch_set_value(tuples):
    """`assign` for pairs (variable, value)."""
    for target, value in tuples:
        target.assign(value)


def update(x, new_x):
    """`variable.assign(new_x)`."""
    return x.assign(new_x)


def update_add(x, increment):
    """`variable.assign_add(increment)`."""
    return x.assign_add(increment)


def update_sub(x, decrement):
    """`variable.assign_sub(decrement)`."""
    return x.assign_sub(decrement)


def moving_average_update(x, value, momentum):
    """`variable.assign(momentum * variable + (1 - momentum) * value)`."""
    return x.assign(momentum * x.value + (1 - momentum) * unwrap(value))


# Training or not, and functions of a graph


def learning_phase():
    """0: calls are inference unless they say `training=True`. As an input of `function` it stands for that flag."""
    return 0


def set_learning_phase(value):
    """0 is what holds anyway; for 1 calls say `training=True` today."""
    if value:
        raise ConfigError("There is no global learning phase any more.", fix="Call the model with training=True.")


def in_train_phase(x, alt, training=None):
    """`x` where the call in progress is training, else `alt`; each a tensor or a function of nothing."""
    call = context.current_call()
    if training is None and call is not None:
        training = call.training
    chosen = x if training else alt
    return chosen() if callable(chosen) else chosen


def in_test_phase(x, alt, training=None):
    """`alt` where the call in progress is training, else `x`."""
    return in_train_phase(alt, x, training)


def function(inputs, outputs, updates=None, name=None):
    """A function from a list of arrays to a list of NumPy arrays: the graph between symbolic tensors.

    A last input `learning_phase()` stands for `training`.

    >>> import lamina as keras
    >>> x = keras.Input((2,))
    >>> function([x], [2 * x])([np.ones((1, 2))])[0].tolist()
    [[2.0, 2.0]]
    """
    starts = [tensor for tensor in inputs if is_keras_tensor(tensor)]
    model = Model(starts, list(outputs) if isinstance(outputs, (list, tuple)) else [outputs])

    def run(arrays):
        values, phase = list(arrays[: len(starts)]), arrays[len(starts) :]
        results = model(values, training=bool(phase[0]) if phase else None)
        return [np.asarray(result) for result in results]

    return run


def image_dim_ordering():
    """'tf' for channels_last, 'th' for channels_first: what Keras 1 called `image_data_format`."""
    tell_method("backend", "image_dim_ordering")
    return "tf" if image_data_format() == "channels_last" else "th"


def set_image_dim_ordering(dim_ordering):
    """`set_image_data_format`, in the words of Keras 1."""
    tell_method("backend", "set_image_dim_ordering")
    set_image_data_format(data_format_of(dim_ordering))
