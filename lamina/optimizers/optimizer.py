"""Optimizer: a rule is its slots and one update; the rest of Keras's optimizer is here, once."""

import functools
import inspect
import re
import warnings
from collections import Counter
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina import initializers
from lamina.core import context, registry
from lamina.core.configurable import Configurable
from lamina.core.dtypes import is_float, numpy_dtype, standardize_dtype
from lamina.core.variable import Variable, unwrap
from lamina.errors import CallError, ConfigError, ShapeError
from lamina.legacy import warn_renamed_method
from lamina.optimizers.gradients import clipped, with_gradient
from lamina.optimizers.schedules.decays import InverseTimeDecay
from lamina.optimizers.schedules.learning_rate_schedule import LearningRateSchedule
from lamina.runtime.settings import floatx

__all__ = ["Optimizer", "only_if"]


class Optimizer(Configurable):
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
        learning_rate: a number (then a variable that can be assigned while training), a schedule, or a function of
        nothing.
        weight_decay: each step first takes `learning_rate * weight_decay` of every variable off it.
        clipnorm, clipvalue, global_clipnorm: limit of each gradient's norm, of its values, or of the norm of all; one
        of them.
        use_ema, ema_momentum: keep a moving average of each variable; `finalize_variable_values` puts it in place.
        ema_overwrite_frequency: put it in place every so many steps, too.
        loss_scale_factor: `scale_loss` multiplies by it and `apply` divides the gradients by it.
        gradient_accumulation_steps: update only every so many calls, with the mean of their gradients.
    """

    def __init__(
        self,
        learning_rate,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        use_ema=False,
        ema_momentum=0.99,
        ema_overwrite_frequency=None,
        loss_scale_factor=None,
        gradient_accumulation_steps=None,
        name=None,
        **kwargs,
    ):
        decay = kwargs.pop("decay", None)
        if decay:
            learning_rate = InverseTimeDecay(learning_rate, 1, decay)
        if kwargs:
            raise ConfigError(
                f"{type(self).__name__} does not take {', '.join(map(repr, kwargs))}.",
                fix=f"It takes {', '.join(list(inspect.signature(type(self)).parameters)[:-1])}.",
            )
        self._variables = {}  # every variable of the optimizer, in order
        self._slots = {}  # trainable variable -> {slot name: Variable}, in the order they became known
        self._made, self._asked = {}, Counter()
        self._not_decayed, self._not_decayed_names = {}, []
        self._programs = {}
        self.built = False
        self.name = name or context.unique_name(context.snake_case(type(self).__name__))
        self.weight_decay = weight_decay
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.use_ema, self.ema_momentum = use_ema, ema_momentum
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
            raise ConfigError(f"Only one of clipnorm, clipvalue and global_clipnorm can be set; got {clips}.")
        for name, value in clips.items():
            if value <= 0:
                raise ConfigError(f"{name} is a number above 0; got {value!r}.")
        if self.use_ema and not 0 <= self.ema_momentum <= 1:
            raise ConfigError(f"ema_momentum is between 0 and 1; got {self.ema_momentum!r}.")
        for name, least in (("ema_overwrite_frequency", 1), ("gradient_accumulation_steps", 2)):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < least):
                raise ConfigError(f"{name} is None or an integer of {least} or more; got {value!r}.")

    # What a rule defines

    def slots(self, variable) -> tuple:
        """The slots of `variable`: groups of {name: initial value, or a function of the variable that gives it}.

        In `variables` the first group comes for all variables, then the second.
        """
        return ()

    def rule(self, value, gradient, slots, learning_rate, step) -> Any:
        """The new value of one variable; the new slots are set on `slots`. `step` counts from 1. All are arrays."""
        raise NotImplementedError(f"{type(self).__name__} needs a rule(value, gradient, slots, learning_rate, step).")

    # Variables

    @property
    def variables(self):
        """All variables of the optimizer: iteration, learning_rate (when it is a number), then the slots."""
        return list(self._variables)

    @property
    def _trainable_variables(self):
        return list(self._slots)

    @property
    def iterations(self):
        """How many updates were made: a variable, or a number where gradients are accumulated."""
        if self.gradient_accumulation_steps:
            return self._iterations.read() // self.gradient_accumulation_steps
        return self._iterations

    @property
    def learning_rate(self):
        """The learning rate now: the variable, or what the schedule or function gives. A number can be assigned."""
        rate = self._learning_rate
        if isinstance(rate, Variable):
            return rate
        return rate(self._iterations) if isinstance(rate, LearningRateSchedule) else rate()

    @learning_rate.setter
    def learning_rate(self, learning_rate):
        if callable(learning_rate):
            self._variables.pop(self._learning_rate, None)
            self._learning_rate = learning_rate
        elif isinstance(self._learning_rate, Variable):
            self._learning_rate.assign(learning_rate)
        else:
            raise TypeError(
                f"The learning rate of {self.name} follows {self._learning_rate!r}: a number cannot be assigned to it. "
                "Make the optimizer with a number as its learning_rate."
            )

    @property
    def lr(self):
        """The learning rate, as Keras 2 called it."""
        warn_renamed_method("Optimizer", "lr")
        return self.learning_rate

    @lr.setter
    def lr(self, learning_rate):
        warn_renamed_method("Optimizer", "lr")
        self.learning_rate = learning_rate

    def __setattr__(self, name, value):
        """A Variable set as an attribute is a variable of the optimizer."""
        super().__setattr__(name, value)
        if isinstance(value, Variable):
            self._variables[value] = None

    def _scalar(self, name, value, dtype=None):
        with context.path_scope((self.name,)):
            return Variable(value, (), dtype or floatx(), trainable=False, aggregation="only_first_replica", name=name)

    def _counter(self, name):
        return self._scalar(name, np.zeros((), "int32"), "int32")

    def build(self, variables):
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
        value = np.array(np.broadcast_to(value, shape), numpy_dtype(dtype))
        return self.add_variable_from_reference(variable, name, value)

    def ensure_built(self, variables):
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

    def add_variable(self, shape, initializer: Any = "zeros", dtype=None, aggregation="none", layout=None, name=None):
        """A new variable of the optimizer."""

        def make():
            with context.path_scope((self.name,)):
                start = _initializer(initializer)
                return Variable(start, shape, dtype, False, aggregation=aggregation, layout=layout, name=name)

        return self._once((name, tuple(shape)), make)

    def add_variable_from_reference(self, reference_variable, name=None, initializer: Any = "zeros"):
        """A new variable of the shape and type of `reference_variable`, called after it."""
        full_name = f"{reference_variable.path.replace('/', '_')}_{name or 'var'}"

        def make():
            if isinstance(initializer, np.ndarray):
                value, shape, dtype = initializer, initializer.shape, standardize_dtype(initializer.dtype)
            else:
                value, shape, dtype = _initializer(initializer), reference_variable.shape, reference_variable.dtype
            layout = reference_variable.layout if shape == reference_variable.shape else None
            with context.path_scope((self.name,)):
                return Variable(value, shape, dtype, False, layout=layout, name=full_name)

        return self._once((reference_variable, name), make)

    def add_optimizer_variables(self, trainable_variables, name, initializer: Any = "zeros"):
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

    # Updating

    def apply_gradients(self, grads_and_vars):
        """Update by (gradient, variable) pairs."""
        grads, variables = zip(*grads_and_vars, strict=True)
        return self.apply(list(grads), list(variables))

    def apply(self, grads, trainable_variables=None):
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
        grads = [jnp.asarray(unwrap(gradient)) for gradient in grads]
        if context.is_bound() or any(isinstance(gradient, Tracer) for gradient in grads):
            self.update(grads, variables)
        else:
            self._apply_compiled(grads, variables)
        return self._iterations

    def stateless_apply(self, optimizer_variables, grads, trainable_variables):
        """Pure `apply`: from values to (new values of the trainable variables, new values of `variables`)."""
        if not self.built:
            raise CallError(f"{self.name} has no slots yet.", fix="Call optimizer.build(variables) first.")
        trainable, own = self._trainable_variables, self.variables
        if len(own) != len(optimizer_variables) or len(trainable) != len(trainable_variables):
            raise CallError(
                f"{self.name} has {len(own)} variables and moves {len(trainable)}; got {len(optimizer_variables)} and "
                f"{len(trainable_variables)} values."
            )
        with context.bind([*trainable, *own], unwrap([*trainable_variables, *optimizer_variables])):
            self.apply(grads)
            return [v.read() for v in trainable], [v.read() for v in own]

    def _apply_compiled(self, grads, variables):
        cells = [*self.variables, *variables]
        key = (tuple(map(id, cells)), self._settings())
        if key not in self._programs:
            self._programs[key] = jax.jit(functools.partial(_run, cells, lambda g: self.update(g, variables)))
        after = self._programs[key]([cell.read() for cell in cells], grads)
        for cell, value in zip(cells, after, strict=True):
            cell.write(value)

    def _settings(self):
        """All that a compiled update has fixed: an attribute set anew compiles anew."""

        def setting(value):
            if isinstance(value, Optimizer):
                return value._settings()
            return value if isinstance(value, _PLAIN) else id(value)

        return tuple((name, setting(value)) for name, value in vars(self).items())

    def update(self, grads, variables):
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
        self._decay_weights(variables, learning_rate)
        self._update_all(grads, variables, learning_rate)

    def _update_all(self, grads, variables, learning_rate):
        for gradient, variable in zip(grads, variables, strict=True):
            self.update_step(gradient, variable, learning_rate)

    def update_step(self, gradient, variable, learning_rate):
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

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
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

    def finalize_variable_values(self, var_list):
        """Put the moving averages in place of `var_list`, where `use_ema` keeps them: at the end of training."""
        if self.use_ema:
            for variable in var_list:
                if "average" in self._slots.get(variable, ()):
                    variable.assign(self._slots[variable]["average"])

    def assign(self, variable, value):
        """`variable` = `value`."""
        variable.assign(value)

    def assign_add(self, variable, value):
        """`variable` += `value`."""
        variable.assign_add(value)

    def assign_sub(self, variable, value):
        """`variable` -= `value`."""
        variable.assign_sub(value)

    def scale_loss(self, loss):
        """The loss to differentiate: `loss * loss_scale_factor`."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    # Keeping

    def save_own_variables(self, store):
        """Put the value of each variable into `store`, by its number."""
        for number, variable in enumerate(self.variables):
            store[str(number)] = variable.numpy()

    def load_own_variables(self, store):
        """Take the values that `save_own_variables` kept. Warns, and takes nothing, where their number differs."""
        if len(store) != len(self.variables):
            warnings.warn(
                f"Skipping variable loading for optimizer '{self.name}', because it has {len(self.variables)} "
                f"variables whereas the saved optimizer has {len(store)} variables. ",
                stacklevel=2,
            )
            return
        for number, variable in enumerate(self.variables):
            variable.assign(store[str(number)])

    def set_weights(self, weights):
        """Set the values of `variables`, in order."""
        if len(weights) != len(self.variables):
            raise ShapeError(f"{self.name} has {len(self.variables)} variables; got {len(weights)} values.")
        for variable, value in zip(self.variables, weights, strict=True):
            variable.assign(value)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The optimizer that `get_config` described."""
        with registry.CustomObjectScope(custom_objects):
            return super().from_config(config)

    def _argument(self, name, parameter, owner):
        if name == "learning_rate":
            rate = self._learning_rate
            return float(np.asarray(rate.read())) if isinstance(rate, Variable) else rate
        return super()._argument(name, parameter, owner)

    def __getstate__(self):
        return {**self.__dict__, "_programs": {}}  # compiled programs cannot be copied


def only_if(condition, cells, update):
    """Run `update()`, which writes to `cells`, only where the traced `condition` holds."""
    before = [cell.read() for cell in cells]
    after = jax.lax.cond(condition, lambda: _run(cells, lambda _: update(), before, None), lambda: before)
    for cell, value in zip(cells, after, strict=True):
        cell.write(value)


_PLAIN = (type(None), bool, int, float, str, tuple)


def _run(cells, update, values, grads):
    """The values of `cells` after `update(grads)`, as a pure function."""
    with context.bind(cells, values):
        update(grads)
        return [cell.read() for cell in cells]


def _initializer(initializer):
    """Zeros and ones from NumPy, so that nothing is compiled; the rest as the family of initializers reads it."""
    if isinstance(initializer, str) and initializer in ("zeros", "ones"):
        return getattr(np, initializer)
    return initializers.get(initializer) if isinstance(initializer, (str, dict)) else initializer
