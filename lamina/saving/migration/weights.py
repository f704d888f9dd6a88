"""Convert weights saved by earlier versions of Keras, which may be reordered, transposed, flipped or split by gate."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from lamina.saving.migration.version import TODAY

__all__ = ["fit", "is_state"]


def is_state(name: Any) -> Any:
    """Whether a name in a file denotes the state of a TensorFlow random generator, which lamina does not load."""
    return "StateVar" in name


def fit(layer: Any, arrays: Any, names: Any, origin: Any = TODAY) -> Any:
    """(variable, array) pairs for one layer of a file, converted to the current layout, or None if they do not fit.

    Args:
        arrays: Arrays in the order of the file. Arrays that need no conversion are not read yet.
        names: Names of the arrays in the file.
        origin: The Keras that wrote the file.
    """
    if _size(arrays) > 2 * _size(layer.weights):  # more than in the layout of any earlier version
        return None
    owners = {id(variable): part for part in _parts(layer) for variable in part._variables_of_its_own()}
    if origin.major == 1 and len(arrays) != len(layer.weights):
        arrays, names = _joined_gates(layer, arrays), None
    fitting = []
    for variables in _orders(layer):
        pairs = _converted(variables, arrays, owners, origin) if len(variables) == len(arrays) else []
        if [variable.shape for variable, _ in pairs] == [np.shape(array) for _, array in pairs] and pairs:
            if names is None or _called_alike(variables, names):
                return pairs
            fitting.append(pairs)
    return fitting[0] if fitting else None


def _parts(layer):
    return layer._flatten_layers(include_self=True, recursive=True)


def _orders(layer):
    """Yield the orders in which a file may list the weights of a layer: currently trainable weights first, as in Keras,
    or weights created as trainable first, for a model that was frozen later."""
    weights = layer.weights
    trained = {id(variable) for variable in layer.trainable_weights}
    each = [
        variable for part in _parts(layer) for variable in sorted(part._variables_of_its_own(), key=_is_born_frozen)
    ]
    each = each if {id(v) for v in each} == {id(v) for v in weights} else weights
    yield sorted(each, key=lambda variable: id(variable) not in trained)
    yield sorted(weights, key=_is_born_frozen)


def _is_born_frozen(variable):
    return not variable.initially_trainable


def _called_alike(variables, names):
    """Whether each name in the file ends with the name of its variable."""
    ends = [name.rpartition("/")[2].partition(":")[0] for name in names]
    return all(end.endswith(variable.name) for end, variable in zip(ends, variables, strict=True))


def _converted(variables, arrays, owners, origin):
    """The (variable, array) pairs. Arrays of one layer are converted together if a table lists its class."""
    pairs = []
    couples = zip(variables, arrays, strict=True)
    by_owner: dict[int, list] = {}
    for variable, array in couples:
        by_owner.setdefault(id(owners.get(id(variable))), []).append((variable, array))
    for couples in by_owner.values():
        owner, own = owners.get(id(couples[0][0])), [array for _, array in couples]
        changed = _of_layer(owner, own, origin)
        pairs.extend(zip((variable for variable, _ in couples), changed, strict=True))
    order = {id(variable): place for place, variable in enumerate(variables)}
    return sorted(pairs, key=lambda pair: order[id(pair[0])])


def _of_layer(owner: Any, arrays, origin):
    kind = type(owner).__name__
    if kind in _GATES and len(arrays) == 3:
        return _from_cudnn(arrays, _GATES[kind], kind)
    if origin.major == 1 and kind in _KERAS_1 and _size(arrays) == _size(owner._variables_of_its_own()):
        arrays = _KERAS_1[kind](owner, arrays)
    if origin.backend == "theano" and kind in _KERNELS:  # Theano flips kernels for convolution
        count, spatial = _KERNELS[kind]
        arrays = [np.flip(array, tuple(range(spatial))) for array in arrays[:count]] + arrays[count:]
    return arrays


def _size(arrays):
    return sum(int(np.prod(array.shape)) for array in arrays)


# cuDNN: the kernel of each gate is transposed, and there are two biases

_GATES = {"LSTMCell": 4, "GRUCell": 3}


def _from_cudnn(arrays, gates, kind):
    kernel, recurrent, bias = arrays
    units = recurrent.shape[0]
    if tuple(bias.shape) != (2 * gates * units,) or tuple(kernel.shape)[1:] != (gates * units,):
        return arrays
    kernels = [part.reshape(units, -1).T for part in np.split(np.asarray(kernel), gates, axis=1)]
    recurrents = [part.T for part in np.split(np.asarray(recurrent), gates, axis=1)]
    biases = np.asarray(bias).reshape(2, gates * units)
    return [np.hstack(kernels), np.hstack(recurrents), biases if kind == "GRUCell" else biases.sum(0)]


# Keras 1: Theano's order of axes, and separate arrays for each gate

_KERNELS = {"Conv1D": (1, 1), "Conv2D": (1, 2), "Conv3D": (1, 3), "Conv2DTranspose": (1, 2), "ConvLSTMCell": (2, 2)}
_SPLIT = {  # for each gate, in today's order, the index of its kernel; recurrent kernel and bias follow
    "LSTMCell": (0, 6, 3, 9), "ConvLSTMCell": (0, 6, 3, 9), "GRUCell": (0, 3, 6),
}  # fmt: skip


def _conv1d(layer, arrays):
    kernel = np.asarray(arrays[0])
    if kernel.ndim == 4:
        if kernel.shape[:2] != (layer.kernel_size[0], 1) or kernel.shape[3] != layer.filters:  # before Keras 1.1
            kernel = kernel.transpose(2, 3, 1, 0)
        kernel = kernel[:, 0]
    return [kernel, *arrays[1:]]


def _transposed(*axes):
    def change(layer, arrays):
        is_theano = layer.data_format == "channels_first"
        return [np.transpose(arrays[0], axes), *arrays[1:]] if is_theano else arrays

    return change


def _conv2d_transpose(layer, arrays):
    axes = (2, 3, 0, 1) if layer.data_format == "channels_first" else (0, 1, 3, 2)
    return [np.transpose(arrays[0], axes), *arrays[1:]]


_KERAS_1 = {
    "Conv1D": _conv1d, "Conv2D": _transposed(2, 3, 1, 0), "Conv3D": _transposed(2, 3, 4, 1, 0),
    "Conv2DTranspose": _conv2d_transpose,
}  # fmt: skip


def _joined_gates(layer, arrays):
    """Concatenate the arrays of layers whose gates Keras 1 stored separately."""
    left, joined = iter(arrays), []
    for part in _parts(layer):
        kind, own = type(part).__name__, part._variables_of_its_own()
        if kind not in _SPLIT:
            joined.extend(itertools.islice(left, len(own)))
            continue
        gates = list(itertools.islice(left, 3 * len(_SPLIT[kind])))
        if len(gates) < 3 * len(_SPLIT[kind]):
            return arrays
        for offset in range(len(own)):
            parts = [np.asarray(gates[first + offset]) for first in _SPLIT[kind]]
            if kind == "ConvLSTMCell" and offset < 2 and part.data_format == "channels_first":
                parts = [array.transpose(2, 3, 1, 0) for array in parts]
            joined.append(np.concatenate(parts, axis=-1))
    return [*joined, *left]
