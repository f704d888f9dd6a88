"""The optimizers that Keras 2 had under `optimizers.legacy`: today's under their old address."""

from typing import Any

from lamina.optimizers import adagrad, adam, ftrl, optimizer, rmsprop, sgd

__all__ = ["SGD", "Adagrad", "Adam", "Ftrl", "Optimizer", "RMSprop"]


class _OldAddress(type):
    """Of a class that makes objects of `today`, which count as its own."""

    today: Any

    def __call__(cls, *args, **kwargs):
        return cls.today(*args, **kwargs)

    def __getattr__(cls, name):
        return getattr(cls.today, name)

    def __instancecheck__(cls, instance):
        return isinstance(instance, cls.today)

    def __subclasscheck__(cls, subclass):
        return issubclass(subclass, cls.today)


class Adagrad(metaclass=_OldAddress):
    """`optimizers.Adagrad`."""

    today = adagrad.Adagrad


class Adam(metaclass=_OldAddress):
    """`optimizers.Adam`.

    >>> import lamina as keras
    >>> optimizer = keras.optimizers.legacy.Adam(learning_rate=0.01)
    >>> type(optimizer).__module__, isinstance(optimizer, keras.optimizers.legacy.Adam)
    ('lamina.optimizers.adam', True)
    """

    today = adam.Adam


class Ftrl(metaclass=_OldAddress):
    """`optimizers.Ftrl`."""

    today = ftrl.Ftrl


class Optimizer(metaclass=_OldAddress):
    """`optimizers.Optimizer`."""

    today = optimizer.Optimizer


class RMSprop(metaclass=_OldAddress):
    """`optimizers.RMSprop`."""

    today = rmsprop.RMSprop


class SGD(metaclass=_OldAddress):
    """`optimizers.SGD`."""

    today = sgd.SGD
