"""Adam."""

import functools
from types import SimpleNamespace

import jax
import jax.numpy as jnp

from lamina.core.variable import unwrap
from lamina.kernels.native import cpu_kernels
from lamina.optimizers.arguments import with_base_arguments
from lamina.optimizers.optimizer import Optimizer

__all__ = ["Adam"]

MANY = 2**16  # numbers of a variable whose update is a call of its own, so that its gradient need not wait for others


class Adam(Optimizer):
    """Moving averages of the gradient and of its square, both freed of their bias to zero (Kingma & Ba 2014, arXiv
    1412.6980).

    `amsgrad` divides by the largest average of squares so far (Reddi et al. 2018, arXiv 1904.09237).

    >>> import lamina as keras
    >>> weight = keras.Variable([1.0])
    >>> _ = keras.optimizers.Adam(0.1).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    0.9
    """

    @with_base_arguments
    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad

    def slots(self, variable) -> tuple:
        return {"momentum": 0, "velocity": 0}, {"velocity_hat": 0} if self.amsgrad else {}

    def rule(self, value, gradient, slots, learning_rate, step):
        return value - learning_rate * adam_change(gradient, slots, step, self.beta_1, self.beta_2, self.epsilon)

    def _update_all(self, grads, variables, learning_rate):
        """By a kernel for the variables in float32 where lamina-native is there, the others by `rule`, one by one."""
        plain = type(self).rule is Adam.rule and type(self).update_step is Optimizer.update_step and not self.amsgrad
        native, together = cpu_kernels() if plain else None, []
        for gradient, variable in zip(grads, variables, strict=True):
            dtypes = {gradient.dtype, *(cell.read().dtype for cell in (variable, *self._slots[variable].values()))}
            if native is None or dtypes != {jnp.dtype("float32")}:
                self.update_step(gradient, variable, learning_rate)
            elif variable.size < MANY:
                together.append((gradient, variable))
            else:
                self._update_together(native, [(gradient, variable)], learning_rate)
        if together:
            self._update_together(native, together, learning_rate)

    def _update_together(self, native, pairs, learning_rate):
        kept = [self._slots[variable] for _, variable in pairs]
        cells = [variable for _, variable in pairs], [s["momentum"] for s in kept], [s["velocity"] for s in kept]
        values, momenta, velocities = ([cell.read() for cell in some] for some in cells)
        step = (unwrap(self.iterations) + 1).astype("float32")
        rate = jnp.asarray(learning_rate, "float32") * _unbias(step, self.beta_1, self.beta_2)
        settings = (native.adam, self.beta_1, self.beta_2, self.epsilon)
        results = _moved(settings, rate, values, [gradient for gradient, _ in pairs], momenta, velocities)
        for some, new in zip(cells, results, strict=True):
            for cell, value in zip(some, new, strict=True):
                cell.assign(value)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _moved(settings, rate, values, gradients, momenta, velocities):
    """By the kernel: new values, momenta and velocities."""
    kernel, beta_1, beta_2, epsilon = settings
    return kernel(rate, values, gradients, momenta, velocities, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)


@_moved.defjvp
def _moved_forward(settings, arguments, tangents):
    return jax.jvp(functools.partial(_moved_by_rule, settings), arguments, tangents)


def _moved_by_rule(settings, rate, *lists):
    """The same in operations of JAX."""
    one = functools.partial(_one_moved, settings, rate)
    return [list(new) for new in zip(*map(one, *lists), strict=True)]


def _one_moved(settings, rate, value, gradient, momentum, velocity):
    slots = SimpleNamespace(momentum=momentum, velocity=velocity)
    return value - _change(gradient, slots, rate, *settings[1:]), slots.momentum, slots.velocity


def _unbias(step, beta_1, beta_2):
    """What frees momentum over the root of velocity of their bias to zero."""
    return jnp.sqrt(1 - beta_2**step) / (1 - beta_1**step)


def adam_change(gradient, slots, step, beta_1, beta_2, epsilon):
    """Adam's step in units of the learning rate. Divides by `velocity_hat` where there is such a slot."""
    return _change(gradient, slots, _unbias(step, beta_1, beta_2), beta_1, beta_2, epsilon)


def _change(gradient, slots, factor, beta_1, beta_2, epsilon):
    """`factor` times momentum over the root of velocity, both moved by the gradient."""
    slots.momentum += (1 - beta_1) * (gradient - slots.momentum)
    slots.velocity += (1 - beta_2) * (gradient**2 - slots.velocity)
    velocity = slots.velocity
    if hasattr(slots, "velocity_hat"):
        velocity = slots.velocity_hat = jnp.maximum(slots.velocity_hat, velocity)
    return factor * slots.momentum / (jnp.sqrt(velocity) + epsilon)
