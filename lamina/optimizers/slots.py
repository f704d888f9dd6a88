"""The variables of an optimizer: its counters and, beside each trainable variable, its slots."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina import initializers
from lamina.core import context
from lamina.core.abstract import abstract, without_value
from lamina.core.dtypes import is_float, numpy_dtype, standardize_dtype
from lamina.core.typing import DTypeLike, ShapeLike
from lamina.core.variable import Variable
from lamina.runtime.settings import floatx

__all__ = ["SlotsMixin"]


class SlotsMixin:
    """What makes variables for an optimizer. They are made once, in the order of the requests of `build`."""

    name: str
    built: bool
    use_ema: bool
    gradient_accumulation_steps: int | None
    slots: Callable[[Variable], Any]
    _variables: dict[Variable, None]  # every variable of the optimizer, in order
    _slots: dict[Variable, dict[str, Variable]]  # of each trainable variable, in the order they became known
    _made: dict[Any, list[Variable]]
    _asked: Counter[Any]
    _set_by_init = "_variables"

    def _scalar(self, name, value, dtype=None):
        with context.path_scope((self.name,)):
            return Variable(value, (), dtype or floatx(), trainable=False, aggregation="only_first_replica", name=name)

    def _counter(self, name):
        return self._scalar(name, np.zeros((), "int32"), "int32")

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots of the trainable `variables` that have none yet. What is there stays."""
        new = [v for v in variables if v not in self._slots]
        self._slots.update({v: {} for v in new})
        moved = [v for v in new if not v.overwrite_with_gradient]
        groups: list = [(moved, [{"average": 0}] * len(moved))] if self.use_ema else []
        if self.gradient_accumulation_steps:
            groups.append((new, [{"gradient_accumulator": 0}] * len(new)))
        groups += [(moved, group) for group in zip(*map(self.slots, moved), strict=True)]
        for those, group in groups:
            for variable, slots in zip(those, group, strict=True):
                for name, initial in slots.items():
                    self._slots[variable][name] = self._slot(variable, name, initial)
        self.built = True

    def _slot(self, variable, name, initial):
        """A variable beside `variable`, from NumPy: no program is compiled for it."""
        value = np.asarray(initial(variable) if callable(initial) else initial)
        shape = value.shape if callable(initial) else variable.shape
        dtype = variable.dtype if is_float(value.dtype) or not callable(initial) else value.dtype
        value = np.broadcast_to(np.asarray(value, numpy_dtype(dtype)), shape)
        return self.add_variable_from_reference(variable, name, value)

    def ensure_built(self, variables: Sequence[Variable]) -> None:
        """Slots for variables that became trainable since the last build."""
        if self.built and all(v in self._slots for v in variables):
            return
        self._asked.clear()
        self.built = False  # a build of a user's class may begin with `if self.built: return`
        self.build([*self._slots, *(v for v in variables if v not in self._slots)])
        self.built = True

    def _once(self, key, make):
        """The variable of the n-th request for `key` in a build: building again makes only what is new."""
        self._asked[key] += 1
        made = self._made.setdefault(key, [])
        if len(made) < self._asked[key]:
            made.append(make())
            self._variables[made[-1]] = None
        return made[self._asked[key] - 1]

    def add_variable(
        self,
        shape: ShapeLike,
        initializer: Any = "zeros",
        dtype: DTypeLike | None = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """A new variable of the optimizer."""

        def make():
            with context.path_scope((self.name,)):
                start = _initializer(initializer)
                return Variable(start, shape, dtype, False, aggregation=aggregation, layout=layout, name=name)

        return self._once((name, shape if isinstance(shape, int) else tuple(shape)), make)

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A new variable of the shape and type of `reference_variable`, called after it."""
        full_name = f"{reference_variable.path.replace('/', '_')}_{name or 'var'}"

        def make():
            if isinstance(initializer, np.ndarray):
                value, shape, dtype = initializer, initializer.shape, standardize_dtype(initializer.dtype)
            else:
                value, shape, dtype = _initializer(initializer), reference_variable.shape, reference_variable.dtype
            layout = reference_variable.layout if shape == reference_variable.shape else None
            if (distribution := context.distribution()) is not None:
                layout = distribution.get_slot_layout(reference_variable, shape, layout)
            has_none = without_value(reference_variable)
            with context.path_scope((self.name,)), abstract() if has_none else contextlib.nullcontext():
                return Variable(value, shape, dtype, False, layout=layout, name=full_name)

        return self._once((reference_variable, name), make)

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: str | Sequence[str], initializer: Any = "zeros"
    ) -> Any:
        """For each of `trainable_variables` a variable called `name`; for a list of names, a tuple of lists."""
        names = [name] if isinstance(name, str) else list(name)
        initializers = initializer if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        made = tuple([] for _ in names)
        for variable in trainable_variables:
            for slots, slot_name, slot_initializer in zip(made, names, initializers, strict=True):
                skip = variable.overwrite_with_gradient
                slots.append(None if skip else self.add_variable_from_reference(variable, slot_name, slot_initializer))
        return made[0] if isinstance(name, str) else made

    def _get_variable_index(self, variable):
        """The place of `variable` in the list that `build` was given."""
        return next(index for index, known in enumerate(self._slots) if known is variable)


def _initializer(initializer):
    """Zeros and ones from NumPy, so that nothing is compiled; the rest as the family of initializers reads it."""
    if isinstance(initializer, str) and initializer in ("zeros", "ones"):
        return getattr(np, initializer)
    return initializers.get(initializer) if isinstance(initializer, (str, dict)) else initializer
