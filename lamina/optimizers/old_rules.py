"""Optimizers as programs wrote them for tf.keras up to 2.10 (`_resource_apply_dense` with slots and hyperparameters by
name) and for Keras 1 and 2 (`get_updates`), run by the optimizer of today."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core import context, replay
from lamina.core.configurable import Configurable
from lamina.core.registry import is_builtin
from lamina.core.replay import Replay
from lamina.core.variable import Variable, unwrap
from lamina.errors import ConfigError
from lamina.optimizers.update import UpdateMixin

_Base: Any = object  # in a class that `adopt` changed, an optimizer of today comes next

METHODS = ("_resource_apply_dense", "get_updates")
"""The methods by which such a class is known."""

_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")
_SLOTS = {"m": "momentum", "v": "velocity", "vhat": "velocity_hat", "rms": "velocity"}  # of Adam and its kin today


def adopt(cls: Any, **kwargs: Any) -> None:
    """Put `OldRules` before the optimizer of today among the bases of a class that has one of `METHODS`, itself or
    from a base beside the optimizer. It is `__init_subclass__` of optimizers.

    Args:
        cls: Subclass of an optimizer.
        **kwargs: Arguments of the class statement.
    """
    Configurable.__init_subclass__.__func__(cls, **kwargs)  # pyright: ignore[reportFunctionMemberAccess]
    own = [base for base in cls.__mro__ if not is_builtin(base)]
    if not issubclass(cls, OldRules) and any(name in vars(base) for base in own for name in METHODS):
        place = next(place for place, base in enumerate(cls.__bases__) if issubclass(base, Configurable))
        cls.__bases__ = (*cls.__bases__[:place], OldRules, *cls.__bases__[place:])


class OldRules(_Base):
    """What the optimizers of Keras 1 and 2 offered their subclasses."""

    _use_locking = False
    _initial_decay: float = 0.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.__dict__["_replay"] = Replay()
        if not self._has_rule_of_today():
            name = args[0] if args else kwargs.pop("name", None)
            rate = kwargs.pop("learning_rate", None)
            rate = kwargs.pop("lr", 0.01 if rate is None else rate)
            self.__dict__["_initial_decay"] = kwargs.pop("decay", 0.0)
            clips = {key: kwargs[key] for key in _CLIPS if kwargs.get(key) is not None}
            args, kwargs = (rate,), {"name": name, **clips}
        super().__init__(*args, **kwargs)

    def _has_rule_of_today(self):
        return type(self).rule.__qualname__ != "Optimizer.rule"

    def _makes_updates(self):
        return type(self).get_updates is not UpdateMixin.get_updates

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__[f"_hyper_{name}"]
        except KeyError:
            return super().__getattr__(name)  # pyright: ignore[reportAttributeAccessIssue]

    def __setattr__(self, name: str, value: Any) -> None:
        if f"_hyper_{name}" in self.__dict__:
            self.__dict__[f"_hyper_{name}"] = value
        else:
            super().__setattr__(name, value)

    @property
    def iterations(self) -> Any:
        """How many updates were made: what the class counts itself, if it does."""
        return self.__dict__.get("_own_iterations", self._iterations)

    @iterations.setter
    def iterations(self, value: Any) -> None:
        self._own_iterations = value

    @property
    def weights(self) -> list[Variable]:
        """The variables of the optimizer."""
        return self.variables

    @weights.setter
    def weights(self, value: Any) -> None:
        """Programs list them; lamina finds them itself."""

    def get_config(self) -> dict[str, Any]:
        """The arguments of the base class, to which such classes add their own."""
        if self._has_rule_of_today():
            return super().get_config()
        config = {key: getattr(self, key) for key in _CLIPS if getattr(self, key) is not None}
        return config if self._makes_updates() else {"name": self.name, **config}

    # Hyperparameters and slots by name

    def _set_hyper(self, name, value):
        if name == "learning_rate":
            self.learning_rate = value
        else:
            self.__dict__[f"_hyper_{name}"] = value

    def _get_hyper(self, name, dtype=None):
        own = self.__dict__.get(f"_hyper_{name}", self)  # before an argument of today, such as weight_decay
        value = self._learning_rate if name == "learning_rate" else getattr(self, name) if own is self else own
        if callable(value) and not hasattr(value, "get_config"):
            value = value()
        return value if dtype is None or callable(value) else jnp.asarray(unwrap(value), dtype)

    def _serialize_hyperparameter(self, name):
        value: Any = self._get_hyper(name)
        if hasattr(value, "get_config"):
            return {"class_name": type(value).__name__, "config": value.get_config()}
        return np.asarray(unwrap(value)).item()

    def _decayed_lr(self, var_dtype=None):
        rate, decay = jnp.asarray(unwrap(self.learning_rate), var_dtype), self._initial_decay
        return rate / (1 + decay * jnp.asarray(unwrap(self.iterations), rate.dtype)) if decay else rate

    def add_slot(self, var: Variable, slot_name: str, initializer: Any = "zeros", shape: Any = None) -> Variable:
        """A variable beside `var`.

        Args:
            var: Trainable variable.
            slot_name: Name, by which `get_slot` finds it.
            initializer: Name of an initializer, an initializer, or an array.
            shape: Its shape; None means that of `var`.
        """
        slots = self._slots.setdefault(var, {})
        if slot_name not in slots:
            if shape is None:
                slots[slot_name] = self.add_variable_from_reference(var, slot_name, initializer)
            else:
                name = f"{var.path.replace('/', '_')}_{slot_name}"
                slots[slot_name] = self.add_variable(shape, initializer, var.dtype, name=name)
        return slots[slot_name]

    def get_slot(self, var: Variable, slot_name: str) -> Variable:
        """The variable that `add_slot` made.

        Args:
            var: Trainable variable.
            slot_name: Name of the slot.
        """
        slots = self._slots.get(var, {})
        found = slots.get(slot_name, slots.get(_SLOTS.get(slot_name, "")))
        if found is None:
            message = f"{self.name} has no slot {slot_name!r} for {var.path}; it has {[*slots] or 'none'}."
            raise ConfigError(message, fix=f"self.add_slot(variable, {slot_name!r})  # in _create_slots")
        return found

    def get_slot_names(self) -> list[str]:
        """The names of the slots of the first variable."""
        return [*next(iter(self._slots.values()), {})]

    def _create_slots(self, var_list):
        """What a class overrides to call `add_slot`."""

    def build(self, variables: Sequence[Variable]) -> None:
        """The slots of today's rule, then those that the class adds, or the variables that its `get_updates` makes.

        Args:
            variables: Trainable variables.
        """
        super().build(variables)
        self._create_slots([*variables])
        if self._makes_updates() and not self._replay.made:
            refs = [*self.variables, *variables]

            def trial(values, grads):
                with context.bind(refs, values):
                    self._updates_of_all(grads, variables)

            jax.eval_shape(trial, [ref.read() for ref in refs], [variable.read() for variable in variables])
            self._variables.update(dict.fromkeys(self._replay.made))

    # One step

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """`_resource_apply_dense` of one variable.

        Args:
            gradient: Gradient.
            variable: Trainable variable.
            learning_rate: Learning rate of the step; the class asks `_decayed_lr` for it.
        """
        takes_state = "apply_state" in inspect.signature(self._resource_apply_dense).parameters
        state = {"apply_state": _State(self)} if takes_state else {}
        self._resource_apply_dense(gradient, variable, **state)

    def _resource_apply_dense(self, grad, var, apply_state=None):
        super().update_step(grad, var, self._decayed_lr())

    def _prepare_local(self, var_device, var_dtype, apply_state):
        apply_state[var_device, var_dtype] = {"lr_t": self._decayed_lr(var_dtype)}

    def _fallback_apply_state(self, var_device, var_dtype):
        return _State(self)[var_device, var_dtype]

    def _update_all(self, grads, variables, learning_rate):
        if self._makes_updates():
            self._updates_of_all(grads, variables)
        else:
            super()._update_all(grads, variables, learning_rate)

    def _updates_of_all(self, grads, variables):
        wanted = inspect.signature(self.get_updates).parameters
        named = {"loss": None, "params": [*variables], "constraints": {}}
        with self._replay.running([*grads]):
            updates = self.get_updates(**{name: named[name] for name in wanted if name in named})
            for update in updates or ():
                if isinstance(update, tuple):  # (variable, its new value), as Keras 1 wrote them
                    self._replay.assign(*update)

    def get_gradients(self, loss: Any, params: Any) -> list[Any]:
        """The gradients of this step, clipped.

        Args:
            loss: Ignored: gradients are those of the loss that `compile` was given.
            params: Ignored: they are those of the trainable variables.
        """
        return replay.given()


class _State(dict[Any, Any]):
    """`apply_state`: what `_prepare_local` computes for a device and a type, when it is asked for."""

    def __init__(self, optimizer):
        super().__init__()
        self._optimizer = optimizer

    def __missing__(self, key: Any) -> Any:
        self._optimizer._prepare_local(*key, self)
        return super().get(key)

    def get(self, key: Any, default: Any = None) -> Any:
        return self[key]

    def __bool__(self) -> bool:
        return True
