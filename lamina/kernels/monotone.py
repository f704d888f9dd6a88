"""Functions that keep the order of numbers, such as relu, may come after a maximum as well as before it.

Whoever computes such a function while a program is traced notes it here, and a pool that finds the note takes the
largest of what came before: a quarter of the numbers is left for the function, and fewer are kept for the gradient.
"""

import weakref

from jax.core import Tracer

__all__ = ["before_monotone", "mark_monotone"]

_notes = {}  # id of a tracer -> (weak reference to it, what came before, the function)


def mark_monotone(function, inputs, outputs):
    """Note that `outputs` are `function(inputs)`, which does not fall anywhere. Returns the outputs."""
    if isinstance(outputs, Tracer):
        key = id(outputs)
        _notes[key] = (weakref.ref(outputs, lambda _: _notes.pop(key, None)), inputs, function)
    return outputs


def before_monotone(outputs):
    """(inputs, function) where it is known that `outputs` are `function(inputs)` and the function keeps the order of
    numbers; else the outputs, and the function that leaves them as they are."""
    functions = []
    while (note := _notes.get(id(outputs))) is not None and note[0]() is outputs:
        outputs = note[1]
        functions.append(note[2])

    def again(x):
        for function in reversed(functions):
            x = function(x)
        return x

    return outputs, again
