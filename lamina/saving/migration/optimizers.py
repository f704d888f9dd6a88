"""Convert optimizer state saved by earlier versions of Keras, which stored the same slots in another order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lamina.saving.migration.weights import fit

__all__ = ["fit_optimizer"]

# Optimizers that store all slots of one variable together. The others store the first slot of all variables, then the
# second slot of all, and so on.
_BY_VARIABLE_SINCE_2_11 = frozenset("Adam AdamW Adadelta Adamax Nadam Ftrl".split())
_BY_VARIABLE_BEFORE = frozenset(("Ftrl",))
_IN_ORDER_SINCE = (2, 0, 6)  # earlier versions sorted the weights by name


def fit_optimizer(optimizer: Any, arrays: Any, names: Any = (), origin: Any = None, layers: Any = None) -> Any:
    """(variable, array) pairs for the optimizer state in a file, or None if the state does not fit.

    Args:
        names: Names of the arrays in the file. Files without names are from Keras 2.11 or later.
        layers: (layer, {name: array}) for the weights in the file, whose layout the slots share. Without it, the
            slots are in the layout of the optimizer's variables.
    """
    if origin is None or origin.major > 2:
        fits = [v.shape for v in optimizer.variables] == [tuple(array.shape) for array in arrays]
        return list(zip(optimizer.variables, arrays, strict=True)) if fits else None
    kind, late = type(optimizer).__name__, not names or names[0].partition(":")[0] == "iteration"
    slots = optimizer._slots
    keys = () if layers is None else _trained(layers, origin)
    slot_names = list(next(iter(slots.values()), ()))
    if keys is None or any(list(of_variable) != slot_names for of_variable in slots.values()):
        return None
    trained = list(slots) if layers is None else _in_order(keys, origin)
    wanted = len(trained) * len(slot_names)
    scalars = _leading_scalars(arrays, wanted)
    rest = arrays[len(scalars) :]
    if 0 < len(rest) < wanted:
        return None
    pairs = []
    for number, name in enumerate(slot_names if rest else ()):  # no slots: saved before the first training step
        by_variable = kind in (_BY_VARIABLE_SINCE_2_11 if late else _BY_VARIABLE_BEFORE)
        place = slice(number, wanted, len(slot_names))
        own = rest[place] if by_variable else rest[number * len(trained) : (number + 1) * len(trained)]
        of_key = dict(zip(trained, own, strict=True))
        placed = list(of_key.items()) if layers is None else _placed(layers, keys, of_key, origin)
        if placed is None or [variable.shape for variable, _ in placed] != [np.shape(array) for _, array in placed]:
            return None
        pairs.extend((slots[variable][name], array) for variable, array in placed if variable in slots)
    return [*pairs, *_counts(optimizer, kind, late, scalars)]


def _trained(layers, origin):
    """For each layer, {name: key} for the weights that the optimizer updates. A weight shared by several models has one
    key. None if the trainable weights cannot be determined."""
    keys = []
    for layer, weights in layers:
        variables = [variable for variable, _ in fit(layer, list(weights.values()), list(weights), origin) or ()]
        if len(variables) != len(weights):  # Keras 1 stored the gates separately
            if len({variable.trainable for variable in variables}) != 1:
                return None
            variables = variables[:1] * len(weights)
        couples = zip(weights, variables, strict=True)
        keys.append({name: (name, id(variable)) for name, variable in couples if variable.trainable})
    return keys


def _in_order(keys, origin):
    """All keys without duplicates, in the order that the optimizer used."""
    each = list(dict.fromkeys(key for of_layer in keys for key in of_layer.values()))
    return each if origin.version >= _IN_ORDER_SINCE else sorted(each)


def _placed(layers, keys, of_key, origin):
    """(variable, array) pairs for one slot. To convert their layout, the slot's arrays replace the weights they belong
    to."""
    pairs = []
    for (layer, weights), of_layer in zip(layers, keys, strict=True):
        own = {name: of_key[of_layer[name]] if name in of_layer else weight for name, weight in weights.items()}
        if [np.shape(array) for array in own.values()] != [weight.shape for weight in weights.values()]:
            return None
        fitting = fit(layer, list(own.values()), list(own), origin) or []
        if _size(array for _, array in fitting) != _size(own.values()):  # two biases become one, but not their slots
            return None
        pairs.extend(fitting)
    return pairs


def _size(arrays):
    return sum(math.prod(np.shape(array)) for array in arrays)


def _counts(optimizer, kind, late, scalars):
    """The step count and, for Nadam, the product of momentum factors that follows from it."""
    if not scalars:
        return []
    counts = [(optimizer._iterations, scalars[0])]
    if kind == "Nadam":
        steps = range(int(scalars[0][()]))
        saved = not late and len(scalars) > 1
        product = scalars[1] if saved else np.prod([optimizer._u(1 + step) for step in steps])
        counts.append((optimizer.u_product, product))
    return counts


def _leading_scalars(arrays, slots):
    """The scalars before the slots, such as the step count. Scalars that belong to the slots are not included."""
    count = 0
    while count < len(arrays) and np.shape(arrays[count]) == () and count < max(1, len(arrays) - slots):
        count += 1
    return arrays[:count]
