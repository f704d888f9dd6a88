"""SGD."""

from lamina.errors import ConfigError
from lamina.optimizers.arguments import with_base_arguments
from lamina.optimizers.optimizer import Optimizer

__all__ = ["SGD"]


class SGD(Optimizer):
    """Gradient descent: w -= learning_rate * g; with momentum m = momentum * m - learning_rate * g, w += m.

    Nesterov looks ahead: w += momentum * m - learning_rate * g (Sutskever et al. 2013, PMLR 28:1139).

    >>> import lamina as keras
    >>> weight = keras.Variable([1.0])
    >>> _ = keras.optimizers.SGD(0.1).apply([[5.0]], [weight])
    >>> weight.numpy().tolist()
    [0.5]
    """

    @with_base_arguments
    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, **kwargs):
        super().__init__(learning_rate, **kwargs)
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ConfigError(f"momentum is a number between 0 and 1; got {momentum!r}.")
        self.momentum, self.nesterov = momentum, nesterov

    def slots(self, variable) -> tuple:
        return ({"momentum": 0},) if self.momentum else ()

    def rule(self, value, gradient, slots, learning_rate, step):
        if not self.momentum:
            return value - learning_rate * gradient
        slots.momentum = self.momentum * slots.momentum - learning_rate * gradient
        if self.nesterov:
            return value + self.momentum * slots.momentum - learning_rate * gradient
        return value + slots.momentum
