"""One update of an optimizer: accumulation, clipping, weight decay, the rule of each variable, moving averages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from lamina.core import context
from lamina.core.typing import Tensor
from lamina.core.variable import Variable, unwrap
from lamina.errors import CallError
from lamina.optimizers.gradients import clipped

__all__ = ["Descent", "UpdateMixin", "only_if", "run_update"]


class Descent(NamedTuple):
    """What `get_updates` of Keras 1 and 2 asks for: a step of an optimizer down a symbolic loss."""

    optimizer: Any
    loss: Any
    params: list[Variable]


class UpdateMixin:
    """The steps of `update`, which `apply` compiles."""

    name: str
    built: bool
    variables: Any
    iterations: Any
    learning_rate: Any
    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: Any
    gradient_accumulation_steps: int | None
    rule: Callable[..., Any]

    def get_updates(self, *args: Any, loss: Any = None, params: Any = None, constraints: Any = None) -> list[Descent]:
        """The step of this optimizer, for the `updates` of `keras.backend.function`.

        Args:
            *args: The same by position, in the order of any version: `loss, params` or `params, constraints, loss`.
            loss: Symbolic tensor.
            params: Variables.
            constraints: Not used: variables have their own.
        """
        lists = [one for one in args if isinstance(one, (list, tuple))]
        loss = next((one for one in args if hasattr(one, "_keras_history")), loss)
        return [Descent(self, loss, list(lists[0] if params is None else params))]

    momentum_name: str | None = None  # the attribute that a schedule such as OneCycle changes beside the learning rate
    _learning_rate: Any
    _iterations: Variable
    _slots: dict[Variable, dict[str, Variable]]
    _not_decayed: dict[Variable, None]
    _not_decayed_names: list[str]

    def update(self, grads: Sequence[Any], variables: Sequence[Variable]) -> None:
        """One step of variables that are known, in terms that can be traced: what `apply` compiles."""
        moved_variables = [variable for variable in variables if not variable.overwrite_with_gradient]
        if self.loss_scale_factor:
            pairs = zip(grads, variables, strict=True)
            grads = [g if v.overwrite_with_gradient else g / self.loss_scale_factor for g, v in pairs]
        if self.gradient_accumulation_steps:
            self._accumulate(grads, variables)
        else:
            self._overwrite_or_move(grads, variables)
        if self.use_ema:
            self._average(moved_variables)
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.read()))
        self._iterations.assign_add(1)

    def _overwrite_or_move(self, grads, variables):
        """Some variables (scales of 8-bit floats) are replaced by their gradient; the others move."""
        pairs = list(zip(grads, variables, strict=True))
        for gradient, variable in pairs:
            if variable.overwrite_with_gradient:
                variable.assign(gradient)
        moved = [pair for pair in pairs if not pair[1].overwrite_with_gradient]
        self._move([gradient for gradient, _ in moved], [variable for _, variable in moved])

    def _accumulate(self, grads, variables):
        """The mean of the gradients moves the variables when it is due; a scale becomes the largest of them."""
        totals = [self._slots[v]["gradient_accumulator"] for v in variables]
        for total, gradient, variable in zip(totals, grads, variables, strict=True):
            joined = jnp.maximum if variable.overwrite_with_gradient else jnp.add
            total.assign(joined(total.read(), gradient))

        def update():
            steps = [1 if v.overwrite_with_gradient else self.gradient_accumulation_steps for v in variables]
            grads = [total.read() / count for total, count in zip(totals, steps, strict=True)]
            self._overwrite_or_move(grads, variables)
            for total in totals:
                total.assign(jnp.zeros_like(total.read()))

        due = (self._iterations.read() + 1) % self.gradient_accumulation_steps == 0
        only_if(due, [*self.variables, *variables], update)

    def _move(self, grads, variables):
        grads = clipped(grads, self.clipnorm, self.clipvalue, self.global_clipnorm)
        learning_rate = jnp.asarray(unwrap(self.learning_rate))
        with self._scheduled_momentum():
            self._decay_weights(variables, learning_rate)
            self._update_all(grads, variables, learning_rate)

    @contextmanager
    def _scheduled_momentum(self):
        """While the rules run, the attribute `momentum_name` is what the schedule of the learning rate gives for it."""
        name = self.momentum_name or ""
        own, scheduled = getattr(self, name, None), getattr(self._learning_rate, "momentum", None)
        momentum = scheduled(self._iterations) if own and callable(scheduled) else None
        if momentum is None:
            yield
            return
        vars(self)[name] = momentum
        try:
            yield
        finally:
            vars(self)[name] = own

    def _update_all(self, grads, variables, learning_rate):
        for gradient, variable in zip(grads, variables, strict=True):
            self.update_step(gradient, variable, learning_rate)

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        """Update one variable and its slots by `rule`, computed in float32 or wider whatever the variable's type."""
        dtype = jnp.promote_types(variable.dtype, "float32")
        kept = self._slots[variable]
        slots = SimpleNamespace(**{name: slot.read().astype(dtype) for name, slot in kept.items()})
        step = (unwrap(self.iterations) + 1).astype(dtype)
        value = self.rule(
            variable.read().astype(dtype), gradient.astype(dtype), slots, jnp.asarray(learning_rate, dtype), step
        )
        variable.assign(value)
        for name, slot in kept.items():
            slot.assign(getattr(slots, name))

    def _decay_weights(self, variables, learning_rate):
        for variable in variables:
            decay = self._weight_decay_of(variable)
            if decay is not None and not self._is_excluded(variable):
                variable.assign(variable.read() * (1 - decay * learning_rate))

    def _weight_decay_of(self, variable):
        return self.weight_decay

    def _is_excluded(self, variable):
        named = any(re.search(pattern, variable.name) for pattern in self._not_decayed_names)
        return named or variable in self._not_decayed

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Take variables, or those whose name has one of `var_names` in it, out of weight decay. Before `build`."""
        if self.built:
            raise CallError(f"{self.name} is built.", fix="Call exclude_from_weight_decay() before build() and fit().")
        self._not_decayed = dict.fromkeys(var_list or ())
        self._not_decayed_names = list(var_names or ())

    def _average(self, variables):
        """average = momentum * average + (1 - momentum) * value; the first value is the first average."""
        steps = unwrap(self.iterations)
        momentum = jnp.where(steps == 0, 0.0, self.ema_momentum)
        for variable in variables:
            average, value = self._slots[variable]["average"], variable.read()
            average.assign(momentum * average.read() + (1 - momentum) * value)
            if self.ema_overwrite_frequency:
                variable.assign(jnp.where((steps + 1) % self.ema_overwrite_frequency == 0, average.read(), value))

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Put the moving averages in place of `var_list`, where `use_ema` keeps them: at the end of training."""
        if self.use_ema:
            for variable in var_list:
                if "average" in self._slots.get(variable, ()):
                    variable.assign(self._slots[variable]["average"])


def only_if(condition: Tensor, refs: Sequence[Any], update: Callable[[], None]) -> None:
    """Run `update()`, which writes to `refs`, only where the traced `condition` holds."""
    before = [ref.read() for ref in refs]
    after = jax.lax.cond(condition, lambda: run_update(refs, lambda _: update(), before, None), lambda: before)
    for ref, value in zip(refs, after, strict=True):
        ref.write(value)


def run_update(
    refs: Sequence[Any], update: Callable[[Any], None], values: Sequence[Tensor], grads: Any
) -> list[Tensor]:
    """The values of `refs` after `update(grads)`, as a pure function."""
    with context.bind(refs, values):
        update(grads)
        return [ref.read() for ref in refs]
