"""Optimizer: a rule is its slots and one update; the rest of Keras's optimizer is here, once."""

from __future__ import annotations

import functools
import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self, TypeAlias, cast

import jax
import numpy as np
from jax.core import Tracer

from lamina.core import context, registry
from lamina.core.configurable import Configurable
from lamina.core.no_values import rewritten
from lamina.core.sparse import to_dense
from lamina.core.typing import ArrayLike, Config, Tensor
from lamina.core.variable import Variable, to_array, unwrap
from lamina.errors import ArgumentError, CallError, ConfigError, MissingMethodError, ShapeError, warn
from lamina.legacy import warn_renamed_method
from lamina.optimizers.gradients import with_gradient
from lamina.optimizers.misuse import check_pairs, check_rate, warn_of_slip
from lamina.optimizers.old_rules import adopt
from lamina.optimizers.schedules.decays import InverseTimeDecay
from lamina.optimizers.schedules.learning_rate_schedule import LearningRateSchedule
from lamina.optimizers.slots import SlotsMixin
from lamina.optimizers.update import UpdateMixin, run_update
from lamina.runtime import settings
from lamina.runtime.tracebacks import filters_traceback
from lamina.spelling.arguments import unknown_arguments

__all__ = ["BASE_ARGUMENTS", "LearningRateLike", "Optimizer", "OptimizerLike", "Slots", "epsilon_of"]

LearningRateLike: TypeAlias = "float | Tensor | Variable | LearningRateSchedule | Callable[[], Any]"
"""A number, a schedule, or a callable without arguments that returns the learning rate."""

OptimizerLike: TypeAlias = "str | Config | Optimizer | Any"
"""An optimizer by its name, its config, an object, or an `optax.GradientTransformation`."""

Slots: TypeAlias = "tuple[dict[str, Any], ...]"
"""Groups of {slot name: initial value, or a function of the variable that returns it}."""


class Optimizer(SlotsMixin, UpdateMixin, Configurable):
    """Base of all optimizers: changes variables by their gradients.

    A rule names its slots and how one variable moves; `slots` are attributes that hold arrays, read and written:

    >>> import lamina as keras
    >>> class Momentum(keras.optimizers.Optimizer):
    ...     def slots(self, variable) -> tuple:
    ...         return ({"momentum": 0},)
    ...     def rule(self, value, gradient, slots, learning_rate, step):
    ...         slots.momentum = 0.9 * slots.momentum + gradient
    ...         return value - learning_rate * slots.momentum
    >>> weight = keras.Variable([1.0, 2.0], name="weight")
    >>> optimizer = Momentum(learning_rate=0.5)
    >>> _ = optimizer.apply([[1.0, 1.0]], [weight])
    >>> weight.numpy().tolist(), [v.name for v in optimizer.variables]
    ([0.5, 1.5], ['iteration', 'learning_rate', 'weight_momentum'])

    Keras's way, `build` with `add_variable_from_reference` and `update_step` with `assign`, works as well.

    Args:
        learning_rate: Size of the steps: a number, a schedule, or a callable without arguments.
        weight_decay: Each step first subtracts `learning_rate * weight_decay` times the variable. None turns it
            off.
        clipnorm: Largest norm of the gradient of one variable; larger gradients are scaled down to it.
        clipvalue: Largest absolute value of an element of a gradient; others are clipped to it.
        global_clipnorm: Largest norm of all gradients together. Only one of the three limits may be set.
        use_ema: Whether to keep an exponential moving average of each variable, which replaces it after
            training.
        ema_momentum: Share of the old average that each step keeps.
        ema_overwrite_frequency: Number of steps after which averages replace the variables; None waits for the
            end of training.
        loss_scale_factor: The loss is multiplied by it and the gradients are divided by it. None leaves both as
            they are.
        gradient_accumulation_steps: Number of steps whose mean gradient makes one update. None updates in each
            step.
        name: Name of the optimizer. None makes one from the class name.
        **kwargs: Arguments of earlier versions of Keras, such as `decay` and `lr`.
    """

    __init_subclass__: Any = classmethod(adopt)

    def __init__(
        self,
        learning_rate: LearningRateLike,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        check_rate(self, learning_rate)
        decay, initial_rate = kwargs.pop("decay", None), cast(Any, learning_rate)
        if decay:
            learning_rate = InverseTimeDecay(initial_rate, 1, decay)
        if kwargs:
            raise unknown_arguments(self, kwargs)
        self._variables = {}  # every variable of the optimizer, in order
        self._slots = {}  # trainable variable -> {slot name: Variable}, in the order they became known
        self._made, self._asked = {}, Counter()
        self._not_decayed, self._not_decayed_names = {}, []
        self._programs = {}
        self.built = False
        self.name: Any = name or context.unique_name(context.snake_case(type(self).__name__))
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._check_arguments()
        self._iterations = self._counter("iteration")
        self._learning_rate = learning_rate if callable(learning_rate) else self._scalar("learning_rate", learning_rate)

    def _check_arguments(self):
        clips = {name: getattr(self, name) for name in ("clipnorm", "clipvalue", "global_clipnorm")}
        clips = {name: value for name, value in clips.items() if value is not None}
        if len(clips) > 1:
            raise ConfigError(
                f"Only one of clipnorm, clipvalue and global_clipnorm can be set; got {clips}.",
                fix=f"{next(iter(clips))}={next(iter(clips.values()))}",
            )
        for name, value in clips.items():
            if value <= 0:
                raise ConfigError(f"{name} is a number above 0; got {value!r}.", fix=f"{name}=1.0")
        if self.use_ema and not 0 <= self.ema_momentum <= 1:
            raise ConfigError(f"ema_momentum is between 0 and 1; got {self.ema_momentum!r}.", fix="ema_momentum=0.99")
        for name, least in (("ema_overwrite_frequency", 1), ("gradient_accumulation_steps", 2)):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < least):
                raise ConfigError(
                    f"{name} is None or an integer of {least} or more; got {value!r}.", fix=f"{name}={least}"
                )

    def slots(self, variable: Variable) -> Slots:
        """The slots of `variable`: groups of {name: initial value, or a function of the variable that gives it}.

        In `variables` the first group comes for all variables, then the second.
        """
        return ()

    def rule(self, value: Tensor, gradient: Tensor, slots: Any, learning_rate: Tensor, step: Tensor) -> Tensor:
        """The new value of one variable; the new slots are set on `slots`. `step` counts from 1. All are arrays."""
        raise MissingMethodError(
            f"{type(self).__name__} needs a rule for one variable.",
            fix="def rule(self, value, gradient, slots, learning_rate, step): return value - learning_rate * gradient",
        )

    @property
    def variables(self) -> list[Variable]:
        """All variables of the optimizer: iteration, learning_rate (when it is a number), then the slots."""
        return list(self._variables)

    @property
    def _trainable_variables(self):
        return list(self._slots)

    @property
    def iterations(self) -> Any:
        """How many updates were made: a variable, or a number where gradients are accumulated."""
        if self.gradient_accumulation_steps:
            return self._iterations.read() // self.gradient_accumulation_steps
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """The learning rate now: the variable, or what the schedule or function gives. A number can be assigned."""
        rate = self._learning_rate
        if isinstance(rate, Variable):
            return rate
        return rewritten(rate.__call__)(self._iterations) if isinstance(rate, LearningRateSchedule) else rate()

    @learning_rate.setter
    def learning_rate(self, learning_rate: LearningRateLike) -> None:
        if callable(learning_rate):
            if isinstance(self._learning_rate, Variable):
                del self._variables[self._learning_rate]
            self._learning_rate = learning_rate
        elif isinstance(self._learning_rate, Variable):
            self._learning_rate.assign(learning_rate)
        else:
            raise ArgumentError(
                f"The learning rate of {self.name} follows {self._learning_rate!r}: a number cannot be assigned to it.",
                fix=f"keras.optimizers.{type(self).__name__}(learning_rate=0.01)  # a number can be changed",
            )

    @property
    def lr(self) -> Any:
        """The learning rate, as Keras 2 called it."""
        warn_renamed_method("Optimizer", "lr")
        return self.learning_rate

    @lr.setter
    def lr(self, learning_rate: LearningRateLike) -> None:
        warn_renamed_method("Optimizer", "lr")
        self.learning_rate = learning_rate

    def __setattr__(self, name: str, value: Any) -> None:
        """A Variable set as an attribute is a variable of the optimizer."""
        warn_of_slip(self, name, value)
        super().__setattr__(name, value)
        if isinstance(value, Variable):
            self._variables[value] = None

    @filters_traceback
    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Variable:
        """Update by (gradient, variable) pairs."""
        grads, variables = zip(*check_pairs(grads_and_vars), strict=True)
        return self.apply(list(grads), list(variables))

    @filters_traceback
    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Variable] | None = None) -> Variable:
        """Update `trainable_variables` (those of `build` when None) by `grads`, in one compiled call.

        Raises CallError where the two lists differ in length or no variable has a gradient.
        """
        variables = list(self._slots if trainable_variables is None else trainable_variables)
        grads = list(grads)
        if len(grads) != len(variables):
            raise CallError(
                f"{self.name} got {len(grads)} gradients for {len(variables)} variables.",
                fix="Pass the variables too: optimizer.apply(gradients, variables).",
            )
        self.ensure_built(variables)
        grads, variables = with_gradient(grads, variables)
        grads = [to_array(to_dense(unwrap(gradient))) for gradient in grads]
        if context.is_bound() or any(isinstance(gradient, Tracer) for gradient in grads):
            self.update(grads, variables)
        else:
            self._apply_compiled(grads, variables)
        return self._iterations

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Pure `apply`: from values to (new values of the trainable variables, new values of `variables`)."""
        if not self.built:
            raise CallError(f"{self.name} has no slots yet.", fix="Call optimizer.build(variables) first.")
        trainable, own = self._trainable_variables, self.variables
        if len(own) != len(optimizer_variables) or len(trainable) != len(trainable_variables):
            raise CallError(
                f"{self.name} has {len(own)} variables and moves {len(trainable)}; got {len(optimizer_variables)} and "
                f"{len(trainable_variables)} values.",
                fix="optimizer.stateless_apply(optimizer.variables, gradients, model.trainable_variables)",
            )
        with context.bind([*trainable, *own], unwrap([*trainable_variables, *optimizer_variables])):
            self.apply(grads)
            return [v.read() for v in trainable], [v.read() for v in own]

    def _apply_compiled(self, grads, variables):
        refs = [*self.variables, *variables]
        key = (tuple(map(id, refs)), self._settings())
        if key not in self._programs:
            self._programs[key] = jax.jit(functools.partial(run_update, refs, lambda g: self.update(g, variables)))
        after = self._programs[key]([ref.read() for ref in refs], grads)
        for ref, value in zip(refs, after, strict=True):
            ref.write(value)

    def _settings(self):
        """All that a compiled update has fixed: an attribute set anew compiles anew."""

        def setting(value):
            if isinstance(value, Optimizer):
                return value._settings()
            return value if isinstance(value, _PLAIN) else id(value)

        return tuple((name, setting(value)) for name, value in vars(self).items())

    def assign(self, variable: Variable, value: ArrayLike) -> None:
        """`variable` = `value`."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: ArrayLike) -> None:
        """`variable` += `value`."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: ArrayLike) -> None:
        """`variable` -= `value`."""
        variable.assign_sub(value)

    def scale_loss(self, loss: Any) -> Any:
        """The loss to differentiate: `loss * loss_scale_factor`."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def save_own_variables(self, store: Any) -> None:
        """Put the value of each variable into `store`, by its number."""
        for number, variable in enumerate(self.variables):
            store[str(number)] = np.asarray(variable)

    def load_own_variables(self, store: Any) -> None:
        """Take the values that `save_own_variables` kept. Warns, and takes nothing, where their number differs."""
        if len(store) != len(self.variables):
            warn(
                f"Skipping variable loading for optimizer '{self.name}', because it has {len(self.variables)} "
                f"variables whereas the saved optimizer has {len(store)} variables. "
            )
            return
        for number, variable in enumerate(self.variables):
            variable.assign(store[str(number)])

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Set the values of `variables`, in order."""
        if len(weights) != len(self.variables):
            raise ShapeError(
                f"{self.name} has {len(self.variables)} variables; got {len(weights)} values.",
                fix="optimizer.set_weights([v.numpy() for v in optimizer.variables])",
            )
        for variable, value in zip(self.variables, weights, strict=True):
            variable.assign(value)

    @classmethod
    def from_config(cls, config: Config, custom_objects: dict[str, Any] | None = None) -> Self:
        """The optimizer that `get_config` described."""
        with registry.CustomObjectScope(custom_objects):
            return super().from_config(config)

    def _argument(self, name, parameter, owner):
        if name == "learning_rate":
            rate = self._learning_rate
            return float(np.asarray(rate.read())) if isinstance(rate, Variable) else rate
        return super()._argument(name, parameter, owner)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_programs": {}}  # compiled programs cannot be copied


_PLAIN = (type(None), bool, int, float, str, tuple)


def epsilon_of(epsilon: float | None) -> float:
    """The `epsilon` of a rule; None means `keras.config.epsilon()`, as in programs for Keras 2."""
    return settings.epsilon() if epsilon is None else epsilon


BASE_ARGUMENTS = frozenset(list(inspect.signature(Optimizer).parameters)[:-1])
