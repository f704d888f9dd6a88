"""Distillation losses: how far a student is from its teacher."""

from functools import partial
from typing import Any

import jax.numpy as jnp

from lamina import losses
from lamina.core import tree
from lamina.core.configurable import Configurable
from lamina.errors import ConfigError, ShapeError

__all__ = ["DistillationLoss", "FeatureDistillation", "LogitsDistillation"]


class DistillationLoss(Configurable):
    """Base of distillation losses: write `compute_loss(teacher_outputs, student_outputs)`."""

    teacher_layer_name = student_layer_name = None

    def compute_loss(self, teacher_outputs, student_outputs, **kwargs) -> Any:
        """A number: the mean over the batch."""
        raise NotImplementedError(f"{type(self).__name__} has no compute_loss(teacher_outputs, student_outputs).")

    def validate_outputs(self, teacher_outputs, student_outputs):
        """Refuse outputs that are not alike: their number, then what the subclass asks for."""
        teacher, student = tree.flatten(teacher_outputs), tree.flatten(student_outputs)
        if len(teacher) != len(student):
            raise ShapeError(f"The teacher has {len(teacher)} outputs and the student {len(student)}.")

    def validate_model_compatibility(self, teacher, student):
        """Refuse models that this loss cannot compare."""


class _ByOutput(DistillationLoss):
    """A loss for each output: the sum of their means; None leaves an output out."""

    def _set_losses(self, loss):
        self.loss = loss
        self._functions = [None if one is None else losses.get(one) for one in _leaves(loss)]
        if not any(self._functions):
            raise ConfigError(f"The loss of {type(self).__name__} is None for every output.", fix='loss=["mse", None]')

    def _sum(self, teacher_outputs, student_outputs):
        self.validate_outputs(teacher_outputs, student_outputs)
        teacher, student = tree.flatten(teacher_outputs), tree.flatten(student_outputs)
        functions = (
            self._functions * len(teacher) if not isinstance(self.loss, (list, tuple, dict)) else self._functions
        )
        if len(functions) != len(teacher):
            raise ConfigError(f"{type(self).__name__} has {len(functions)} losses for {len(teacher)} outputs.")
        pairs = zip(functions, teacher, student, strict=True)
        return sum(jnp.mean(function(*outputs)) for function, *outputs in pairs if function is not None)

    def _argument(self, name, parameter, owner):
        if name == "loss":
            return tree.map_structure(lambda one: None if one is None else losses.get(one), self.loss)
        return super()._argument(name, parameter, owner)


class LogitsDistillation(_ByOutput):
    """`mean(loss(teacher / temperature, student / temperature))` of the outputs (Hinton et al., 2015).

    The outputs are divided and nothing else: a loss of probabilities, such as kl_divergence, sees them so.

    Args:
        temperature: above 0.
        loss: a name, function or Loss, or for several outputs a structure of them; None leaves an output out.

    >>> float(LogitsDistillation(temperature=2.0, loss="mse").compute_loss(jnp.array([[2.0]]), jnp.array([[4.0]])))
    1.0
    """

    def __init__(self, temperature=3.0, loss="kl_divergence"):
        if temperature <= 0:
            raise ConfigError(f"temperature is above 0; got {temperature}.", fix="temperature=3.0")
        self.temperature = temperature
        self._set_losses(loss)

    def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
        scale = partial(tree.map_structure, lambda logits: jnp.asarray(logits) / self.temperature)
        return self._sum(scale(teacher_outputs), scale(student_outputs))


class FeatureDistillation(_ByOutput):
    """`mean(loss(teacher, student))` of the outputs of a layer of each (Romero et al., 2014).

    Args:
        loss: a name, function or Loss, or for several outputs a structure of them; None leaves an output out.
        teacher_layer_name, student_layer_name: which layers; None means the outputs of the model.

    >>> float(FeatureDistillation(loss="mse").compute_loss(jnp.array([[2.0]]), jnp.array([[4.0]])))
    4.0
    """

    def __init__(self, loss="mse", teacher_layer_name=None, student_layer_name=None):
        self.teacher_layer_name = teacher_layer_name
        self.student_layer_name = student_layer_name
        self._set_losses(loss)

    def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
        return self._sum(teacher_outputs, student_outputs)

    def validate_model_compatibility(self, teacher, student):
        for name, model in ((self.teacher_layer_name, teacher), (self.student_layer_name, student)):
            if name is not None:
                model.get_layer(name)


def _leaves(loss):
    return tree.flatten(loss) if isinstance(loss, (list, tuple, dict)) else [loss]
