"""The one `@op` decorator: a function on arrays that, given symbolic tensors, records itself in the graph instead."""

import functools
import inspect

from lamina.core.context import unique_name
from lamina.core.graph import Operation
from lamina.core.symbolic import OPS, is_symbolic, trace
from lamina.core.variable import unwrap


def op(function=None, *, settings=(), name=None):
    """Make `function` an op: on arrays and variables it computes; a KerasTensor among its arguments makes it a graph node.

    Args:
        settings: required parameters that are no tensors (`newshape` of reshape). They and all parameters with a default are
            written in the config of the node.

    >>> import lamina as keras
    >>> keras.ops.relu(-1.0)
    Array(0., dtype=float32, weak_type=True)
    >>> keras.ops.relu(keras.Input((3,))).shape
    (None, 3)
    """
    if function is None:
        return functools.partial(op, settings=settings, name=name)
    op_name = name or function.__name__

    @functools.wraps(function)
    def public(*args, **kwargs):
        if is_symbolic(args) or (kwargs and is_symbolic(kwargs)):
            return OpCall(op_name)(*args, **kwargs)
        return function(*unwrap(args), **unwrap(kwargs))

    public.compute = function
    public.settings = frozenset(settings)
    public.signature = inspect.signature(function)
    OPS[op_name] = public
    return public


class OpCall(Operation):
    """One use of an op in a graph."""

    def __init__(self, op_name, name=None):
        super().__init__(name=name or unique_name(op_name))
        self.op_name = op_name

    @property
    def class_name(self):
        return "".join(part[:1].upper() + part[1:] for part in self.op_name.split("_"))

    def __call__(self, *args, **kwargs):
        if is_symbolic(args) or is_symbolic(kwargs):
            return self.record(trace(self.call, *args, **kwargs), args, kwargs)
        return self.call(*args, **kwargs)

    def call(self, *args, **kwargs):
        return OPS[self.op_name].compute(*unwrap(args), **unwrap(kwargs))
