"""The state of an optimizer as earlier versions of Keras kept it: the same slots, in another order."""

import numpy as np

__all__ = ["fit_optimizer"]

# The slots of one variable side by side; elsewhere all of the first slot, then all of the second.
_BY_VARIABLE_SINCE_2_11 = frozenset("Adam AdamW Adadelta Adamax Nadam Ftrl".split())
_BY_VARIABLE_BEFORE = frozenset(("Ftrl",))


def fit_optimizer(optimizer, arrays, names=(), origin=None):
    """(variable, array) pairs for the state of an optimizer in a file; None where it does not fit.

    Args:
        names: those of the arrays in the file; without them it is of Keras 2.11 or later.
    """
    if origin is None or origin.major > 2:
        fits = [v.shape for v in optimizer.variables] == [tuple(array.shape) for array in arrays]
        return list(zip(optimizer.variables, arrays, strict=True)) if fits else None
    kind = type(optimizer).__name__
    slots = [list(of_variable.values()) for of_variable in optimizer._slots.values()]
    late = not names or names[0].startswith("iteration")
    if kind not in (_BY_VARIABLE_SINCE_2_11 if late else _BY_VARIABLE_BEFORE):
        slots = list(zip(*slots, strict=True))
    wanted = [slot for row in slots for slot in row]
    scalars = _leading_scalars(arrays, len(wanted))
    rest = arrays[len(scalars) :]
    if not rest:  # it was saved before its first step
        wanted = []
    if len(rest) < len(wanted) or [slot.shape for slot in wanted] != [tuple(a.shape) for a in rest[: len(wanted)]]:
        return None
    pairs = list(zip(wanted, rest, strict=False))
    if scalars:
        pairs.append((optimizer._iterations, scalars[0]))
    if kind == "Nadam" and late and scalars:  # it was not saved, but the steps say it
        pairs.append((optimizer.u_product, np.prod([optimizer._u(1 + step) for step in range(int(scalars[0][()]))])))
    elif kind == "Nadam" and len(scalars) > 1:
        pairs.append((optimizer.u_product, scalars[1]))
    return pairs


def _leading_scalars(arrays, slots):
    """The count of steps and what else stands before the slots: single numbers, as many as are not the slots' own."""
    count = 0
    while count < len(arrays) and np.shape(arrays[count]) == () and count < max(1, len(arrays) - slots):
        count += 1
    return arrays[:count]
