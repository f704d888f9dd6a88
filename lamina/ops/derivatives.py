"""Gradients and Jacobians of functions, by arrays and by variables."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from lamina.core.context import bind
from lamina.core.typing import PyTree
from lamina.core.variable import Variable, unwrap
from lamina.errors import CallError, ShapeError
from lamina.runtime.process import configure_process
from lamina.runtime.tracebacks import filters_traceback

__all__ = ["grad", "jacobian", "value_and_grad"]


def grad(
    function: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., PyTree]:
    """A function that computes the gradient of `function`, see `value_and_grad`.

    Args:
        function: Function whose result is one number.
        argnums: Place of the argument by which to differentiate, or places of several.
        has_aux: Whether the function returns a pair, of which the second part is given back as it is.

    Returns:
        A function of the same arguments whose result is the gradient, or `(gradient, aux)` with `has_aux`. The gradient
        of that is the second derivative.

    Raises:
        ShapeError: The result of the function is not one number.
        CallError: An argument by which to differentiate does not hold floating-point numbers.

    >>> import lamina as keras
    >>> float(keras.ops.grad(lambda x: x**3)(2.0))
    12.0
    >>> float(keras.ops.grad(keras.ops.grad(lambda x: x**3))(2.0))
    12.0
    """
    both = value_and_grad(function, argnums, has_aux)

    @filters_traceback
    def run(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return run


def value_and_grad(
    function: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., tuple[Any, PyTree]]:
    """A function that computes `function` and its gradient.

    The gradient is by arguments that are arrays, variables, or lists and dicts of them, such as
    `model.trainable_variables`; the function need not use an argument whose variables it reads anyway. What it assigns
    to variables meanwhile (moving averages, metrics, seeds) holds afterwards, as after one call. This is
    `jax.value_and_grad` for functions with variables; a tape is not needed.

    Shapes: the gradient by an argument has its structure and shapes.

    Args:
        function: Function whose result is one number.
        argnums: Place of the argument by which to differentiate, or places of several.
        has_aux: Whether the function returns a pair, of which the second part is given back as it is.

    Returns:
        A function of the same arguments whose result is `(value, gradient)`, or `((value, aux), gradient)` with
        `has_aux`. For several places the gradient is a tuple.

    Raises:
        ShapeError: The result of the function is not one number.
        CallError: An argument by which to differentiate does not hold floating-point numbers.

    >>> import lamina as keras
    >>> weight = keras.Variable([1.0, 2.0])
    >>> loss, gradient = keras.ops.value_and_grad(lambda w: keras.ops.sum(w**2))(weight)
    >>> float(loss), gradient.tolist()
    (5.0, [2.0, 4.0])
    """

    @filters_traceback
    def run(*args: Any, **kwargs: Any) -> Any:
        call = _Call(function, argnums, has_aux, args, kwargs)
        (value, (aux, changed)), gradients = jax.value_and_grad(call.one_number, has_aux=True)(call.values)
        call.assign(changed)
        return ((value, aux) if has_aux else value), call.by_argument(gradients)

    return run


def jacobian(function: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., PyTree]:
    """A function that computes the derivatives of all elements of the results of `function`, by all of its argument.

    Arguments and variables are as for `value_and_grad`.

    Shapes: results of shape r, by an argument of shape a: r + a.

    Args:
        function: Function whose result is an array, or lists and dicts of arrays.
        argnums: Place of the argument by which to differentiate, or places of several.

    Returns:
        A function of the same arguments. Its result has the structure of that of `function`, with the derivatives, in
        the structure of the argument, in place of each array.

    Raises:
        CallError: An argument by which to differentiate does not hold floating-point numbers.

    >>> import lamina as keras
    >>> keras.ops.jacobian(lambda x: x**2)(keras.ops.array([1.0, 2.0])).tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """

    @filters_traceback
    def run(*args: Any, **kwargs: Any) -> Any:
        call = _Call(function, argnums, False, args, kwargs)
        derivatives, (structure, changed) = jax.jacrev(call.leaves, has_aux=True)(call.values)
        call.assign(changed)
        return structure.value.unflatten(call.by_argument(of_leaf) for of_leaf in derivatives)

    return run


class _Call:
    """One call of a function, as a function of the values by which to differentiate."""

    def __init__(self, function, argnums, has_aux, args, kwargs):
        configure_process()
        self.function, self.has_aux, self.args, self.kwargs = function, has_aux, args, kwargs
        self.is_single = not isinstance(argnums, (tuple, list))
        self.places = [operator.index(argnums)] if self.is_single else list(argnums)
        self.sources, self.structure = jax.tree_util.tree_flatten([args[place] for place in self.places])
        self.values = [jnp.asarray(each.read() if isinstance(each, Variable) else each) for each in self.sources]
        self.assigned = []
        for value in self.values:
            if not jnp.issubdtype(value.dtype, jnp.inexact):
                raise CallError(
                    f"The gradient is by floating-point numbers; got {value.dtype}{list(value.shape)} at argument "
                    f"{self.places[0]}.",
                    fix='keras.ops.cast(x, "float32")',
                )

    def _result(self, values):
        """What the function returns, and the values that it gave to variables."""
        pairs = list(zip(self.sources, values, strict=True))
        bound = dict(pair for pair in pairs if isinstance(pair[0], Variable))
        given = [each if isinstance(each, Variable) else value for each, value in pairs]
        args = list(self.args)
        for place, part in zip(self.places, self.structure.unflatten(given), strict=True):
            args[place] = part
        with bind(bound, bound.values()) as slots:
            before = dict(slots)
            result = self.function(*args, **self.kwargs)
            changed = {ref: value for ref, value in slots.items() if before.get(ref, slots) is not value}
        self.assigned = list(changed)
        return result, list(changed.values())

    def one_number(self, values):
        result, changed = self._result(values)
        result, aux = result if self.has_aux else (result, None)
        number = jnp.asarray(unwrap(result))
        if number.shape:
            raise ShapeError(
                f"A gradient is that of one number; the function gives {number.dtype}{list(number.shape)}.",
                fix="keras.ops.sum(y) or keras.ops.mean(y) is one number; keras.ops.jacobian takes all.",
            )
        return number, (unwrap(aux), changed)

    def leaves(self, values):
        result, changed = self._result(values)
        leaves, structure = jax.tree_util.tree_flatten(unwrap(result))
        return leaves, (_Static(structure), changed)

    def assign(self, values):
        """Let the values hold that the function gave to variables."""
        for ref, value in zip(self.assigned, values, strict=True):
            ref.write(value)

    def by_argument(self, derivatives):
        parts = self.structure.unflatten(derivatives)
        return parts[0] if self.is_single else tuple(parts)


@jax.tree_util.register_static
class _Static:
    """What is known before anything is computed."""

    def __init__(self, value):
        self.value = value
