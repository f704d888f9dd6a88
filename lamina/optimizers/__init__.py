"""Optimizers: rules by which training changes variables."""

from typing import TYPE_CHECKING

from lamina.core.lazy import lazy

if TYPE_CHECKING:
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
    from lamina.optimizers.optax_optimizer import OptaxOptimizer
    from lamina.optimizers.optimizer import Optimizer
    from lamina.optimizers.rmsprop import RMSprop
    from lamina.optimizers.schedule_free_adamw import ScheduleFreeAdamW
    from lamina.optimizers.serialization import deserialize, get, serialize
    from lamina.optimizers.sgd import SGD

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "adadelta": "Adadelta",
        "adafactor": "Adafactor",
        "adagrad": "Adagrad",
        "adam": "Adam",
        "adamax": "Adamax",
        "adamw": "AdamW",
        "ftrl": "Ftrl",
        "lamb": "Lamb",
        "legacy": "legacy",
        "lion": "Lion",
        "loss_scale_optimizer": "LossScaleOptimizer",
        "multi_optimizer": "MultiOptimizer OptimizerMap",
        "muon": "Muon",
        "nadam": "Nadam",
        "optax_optimizer": "OptaxOptimizer",
        "optimizer": "Optimizer",
        "rmsprop": "RMSprop",
        "schedule_free_adamw": "ScheduleFreeAdamW",
        "schedules": "schedules",
        "serialization": "deserialize get serialize",
        "sgd": "SGD",
    },
)
