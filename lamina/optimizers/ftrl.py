"""Ftrl."""

import jax.numpy as jnp

from lamina.errors import ConfigError
from lamina.optimizers.arguments import with_base_arguments
from lamina.optimizers.optimizer import Optimizer

__all__ = ["Ftrl"]


class Ftrl(Optimizer):
    """Follow the regularized leader: sparse linear models from a stream (McMahan et al. 2013, doi
    10.1145/2487575.2488200).

    `l2_shrinkage_regularization_strength` is a penalty on the size of the weights in the gradient alone.

    >>> import lamina as keras
    >>> weight = keras.Variable([0.0])
    >>> _ = keras.optimizers.Ftrl(0.1, initial_accumulator_value=0.0).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    -0.1
    """

    @with_base_arguments
    def __init__(
        self,
        learning_rate=0.001,
        learning_rate_power=-0.5,
        initial_accumulator_value=0.1,
        l1_regularization_strength=0.0,
        l2_regularization_strength=0.0,
        l2_shrinkage_regularization_strength=0.0,
        beta=0.0,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.learning_rate_power, self.beta = learning_rate_power, beta
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        if learning_rate_power > 0:
            raise ConfigError(f"learning_rate_power is 0 or less; got {learning_rate_power!r}.")
        for name, value in vars(self).items():
            if (name == "initial_accumulator_value" or name.endswith("strength")) and value < 0:
                raise ConfigError(f"{name} is 0 or more; got {value!r}.")

    def slots(self, variable) -> tuple:
        return ({"accumulator": self.initial_accumulator_value, "linear": 0},)

    def rule(self, value, gradient, slots, learning_rate, step):
        power = -self.learning_rate_power
        before = slots.accumulator**power
        slots.accumulator += gradient**2
        root = slots.accumulator**power
        shrunk = gradient + 2 * self.l2_shrinkage_regularization_strength * value
        slots.linear += shrunk - (root - before) / learning_rate * value
        quadratic = (root + self.beta) / learning_rate + 2 * self.l2_regularization_strength
        l1 = self.l1_regularization_strength
        return (jnp.clip(slots.linear, -l1, l1) - slots.linear) / quadratic
