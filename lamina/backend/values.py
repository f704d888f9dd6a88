"""Variables and their values, draws, and what K knew of training and of graphs."""

import math

import numpy as np

from lamina import ops, random
from lamina.core import context
from lamina.core.variable import Variable, unwrap
from lamina.errors import ConfigError
from lamina.layers.input_layer import Input
from lamina.legacy import data_format_of, warn_renamed_method
from lamina.models import Model
from lamina.runtime.settings import floatx, image_data_format, set_image_data_format
from lamina.utils.session import is_keras_tensor

__all__ = [
    "batch_get_value", "batch_set_value", "cast_to_floatx", "constant", "count_params", "dropout", "eval", "eye",
    "function", "get_value", "image_dim_ordering", "in_test_phase", "in_train_phase", "int_shape", "learning_phase",
    "moving_average_update", "ones", "ones_like", "placeholder", "random_bernoulli", "random_binomial",
    "random_normal", "random_normal_variable", "random_uniform", "random_uniform_variable", "set_image_dim_ordering",
    "set_learning_phase", "set_value", "truncated_normal", "update", "update_add", "update_sub", "variable", "zeros",
    "zeros_like",
]  # fmt: skip

eval, get_value = ops.convert_to_numpy, ops.convert_to_numpy
random_normal, random_uniform, truncated_normal = random.normal, random.uniform, random.truncated_normal
dropout = random.dropout


def variable(value, dtype=None, name=None, constraint=None):
    """`keras.Variable`."""
    made = Variable(value, dtype=dtype or floatx(), name=name)
    made.constraint = constraint
    return made


def constant(value, dtype=None, shape=None, name=None):
    """`ops.convert_to_tensor`, spread to `shape`."""
    value = ops.convert_to_tensor(value, dtype or floatx())
    return value if shape is None else ops.broadcast_to(value, shape)


def eye(size, dtype=None, name=None):
    """A variable with the identity matrix."""
    return Variable(np.eye(size), dtype=dtype or floatx(), name=name)


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
    return Input(batch_shape=shape or (None,) * (ndim or 0), dtype=dtype, sparse=sparse, name=name)


def cast_to_floatx(x):
    """`x` in the type `floatx()`; a NumPy array stays one."""
    return np.asarray(x, floatx()) if isinstance(x, (np.ndarray, list, tuple, int, float)) else ops.cast(x, floatx())


def int_shape(x):
    """`tuple(x.shape)`, with None for open sizes."""
    return tuple(x.shape)


def count_params(x):
    """How many numbers a variable holds."""
    return math.prod(x.shape)


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


def random_bernoulli(shape, p=0.0, dtype=None, seed=None):
    """1 with probability `p`, else 0."""
    return ops.cast(random.uniform(shape, seed=seed) < p, dtype or floatx())


random_binomial = random_bernoulli


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
        return [np.array(result) for result in results]

    return run


def image_dim_ordering():
    """'tf' for channels_last, 'th' for channels_first: what Keras 1 called `image_data_format`."""
    warn_renamed_method("backend", "image_dim_ordering")
    return "tf" if image_data_format() == "channels_last" else "th"


def set_image_dim_ordering(dim_ordering):
    """`set_image_data_format`, in the words of Keras 1."""
    warn_renamed_method("backend", "set_image_dim_ordering")
    set_image_data_format(data_format_of(dim_ordering))
