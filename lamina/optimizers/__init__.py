"""Optimizers: rules by which training changes variables."""

from lamina.core import configurable, registry
from lamina.errors import ConfigError
from lamina.optimizers import legacy, schedules
from lamina.optimizers.adadelta import Adadelta
from lamina.optimizers.adafactor import Adafactor
from lamina.optimizers.adagrad import Adagrad
from lamina.optimizers.adam import Adam
from lamina.optimizers.adamax import Adamax
from lamina.optimizers.adamw import AdamW
from lamina.optimizers.ftrl import Ftrl
from lamina.optimizers.lamb import Lamb
from lamina.optimizers.lion import Lion
from lamina.optimizers.loss_scale_optimizer import LossScaleOptimizer
from lamina.optimizers.multi_optimizer import MultiOptimizer, OptimizerMap
from lamina.optimizers.muon import Muon
from lamina.optimizers.nadam import Nadam
from lamina.optimizers.optax_optimizer import OptaxOptimizer, is_transformation
from lamina.optimizers.optimizer import Optimizer
from lamina.optimizers.rmsprop import RMSprop
from lamina.optimizers.schedule_free_adamw import ScheduleFreeAdamW
from lamina.optimizers.sgd import SGD

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "OptaxOptimizer",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "legacy",
    "schedules",
    "serialize",
]

_BY_LOWER_CASE = {cls.__name__.lower(): cls for cls in registry.CLASSES.values() if issubclass(cls, Optimizer)}
_get = configurable.resolver("optimizer", "keras.optimizers", Optimizer)


def get(identifier):
    """The optimizer meant by a name in any case, a config, a class or an object; None gives None.

    >>> import lamina as keras
    >>> type(keras.optimizers.get("rmsprop")).__name__
    'RMSprop'
    """
    if isinstance(identifier, str):
        identifier = _BY_LOWER_CASE.get(identifier.lower(), identifier)
    elif isinstance(identifier, dict):
        return deserialize(identifier)
    elif is_transformation(identifier):
        return OptaxOptimizer(identifier)
    found = _get(identifier)
    if found is None or isinstance(found, Optimizer):
        return found
    raise ConfigError(f"An optimizer is a name, a config or an Optimizer; got {identifier!r}.")


def serialize(optimizer):
    """The optimizer as a JSON-able dict."""
    return configurable.serialize(optimizer)


def deserialize(config, custom_objects=None):
    """The optimizer that `serialize` described; the names of lamina's own are read in any case."""
    known = _BY_LOWER_CASE.get(str(config.get("class_name")).lower())
    if known is not None:
        config = {**config, "class_name": known.__name__}
    return configurable.deserialize(config, custom_objects, namespaces=("keras.optimizers",))
