"""Distillation losses: distances between the outputs of student and teacher."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax.numpy as jnp

from lamina import losses
from lamina.core import tree
from lamina.core.configurable import Configurable
from lamina.errors import ConfigError, MissingMethodError, ShapeError

__all__ = ["DistillationLoss", "FeatureDistillation", "LogitsDistillation"]


class DistillationLoss(Configurable):
    """Base class of distillation losses. A subclass implements `compute_loss(teacher_outputs, student_outputs)`."""

    teacher_layer_name: str | None = None
    student_layer_name: str | None = None

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        """The loss, a scalar: the mean over the batch.

        Args:
            teacher_outputs: Outputs of the teacher, or of one of its layers.
            student_outputs: Outputs of the student, or of one of its layers.
            **kwargs: Not used.
        """
        raise MissingMethodError(
            f"{type(self).__name__} has no compute_loss.",
            fix="def compute_loss(self, teacher_outputs, student_outputs, **kwargs):",
        )

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Raises an error for outputs that cannot be compared, such as different numbers of outputs.

        Args:
            teacher_outputs: Outputs of the teacher.
            student_outputs: Outputs of the student.
        """
        teacher, student = tree.flatten(teacher_outputs), tree.flatten(student_outputs)
        if tree.structure_of(teacher_outputs) != tree.structure_of(student_outputs):
            raise ShapeError(
                f"Teacher and student must have the same number of outputs; got {len(teacher)} and {len(student)}, "
                f"as {type(teacher_outputs).__name__} and {type(student_outputs).__name__}.",
                fix=f"Give the student {len(teacher)} output{'s' * (len(teacher) > 1)}.",
            )

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """Raises an error for models that this loss cannot compare.

        Args:
            teacher: The teacher.
            student: The student.
        """


class _ByOutput(DistillationLoss):
    """The sum of the mean losses of all outputs; None skips an output."""

    def _set_losses(self, loss):
        self.loss: Any = loss
        self._functions = [None if one is None else losses.get(one) for one in _leaves(loss)]
        if not any(self._functions):
            raise ConfigError(f"{type(self).__name__} needs a loss for at least one output.", fix='loss=["mse", None]')

    def _sum(self, teacher_outputs, student_outputs):
        self.validate_outputs(teacher_outputs, student_outputs)
        teacher, student = tree.flatten(teacher_outputs), tree.flatten(student_outputs)
        functions = (
            self._functions * len(teacher) if not isinstance(self.loss, (list, tuple, dict)) else self._functions
        )
        if len(functions) != len(teacher):
            raise ConfigError(
                f"{type(self).__name__} needs a loss for each output; got {len(functions)} losses and "
                f"{len(teacher)} outputs.",
                fix=f"loss={['mse'] * len(teacher)}",
            )
        pairs = zip(functions, teacher, student, strict=True)
        return sum(jnp.mean(function(*outputs)) for function, *outputs in pairs if function is not None)

    def _argument(self, name, parameter, owner):
        if name == "loss":
            return tree.map_structure(lambda one: None if one is None else losses.get(one), self.loss)
        return super()._argument(name, parameter, owner)


class LogitsDistillation(_ByOutput):
    """`mean(loss(teacher / temperature, student / temperature))` of the outputs.

    The outputs are divided without a softmax, also for losses of probabilities such as kl_divergence, as in Keras.

    Args:
        temperature: Divisor of the outputs, above 0.
        loss: Name, function or `keras.losses.Loss`; for several outputs a structure of them, with None for outputs that
            are not compared.

    Source: G. Hinton et al., "Distilling the Knowledge in a Neural Network", 2015, arXiv:1503.02531.

    >>> float(LogitsDistillation(temperature=2.0, loss="mse").compute_loss(jnp.array([[2.0]]), jnp.array([[4.0]])))
    1.0
    """

    def __init__(self, temperature: float = 3.0, loss: Any = "kl_divergence"):
        if temperature <= 0:
            raise ConfigError(f"temperature must be above 0; got temperature={temperature}.", fix="temperature=3.0")
        self.temperature = temperature
        self._set_losses(loss)

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        scale = partial(tree.map_structure, lambda logits: jnp.asarray(logits) / self.temperature)
        return self._sum(scale(teacher_outputs), scale(student_outputs))


class FeatureDistillation(_ByOutput):
    """`mean(loss(teacher, student))` of the outputs of a layer of each model.

    Args:
        loss: Name, function or `keras.losses.Loss`; for several outputs a structure of them, with None for outputs that
            are not compared.
        teacher_layer_name: Layer of the teacher; None means the outputs of the model.
        student_layer_name: Layer of the student; None means the outputs of the model.

    Source: A. Romero et al., "FitNets: Hints for Thin Deep Nets", 2014, arXiv:1412.6550.

    >>> float(FeatureDistillation(loss="mse").compute_loss(jnp.array([[2.0]]), jnp.array([[4.0]])))
    4.0
    """

    def __init__(self, loss: Any = "mse", teacher_layer_name: str | None = None, student_layer_name: str | None = None):
        self.teacher_layer_name = teacher_layer_name
        self.student_layer_name = student_layer_name
        self._set_losses(loss)

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        return self._sum(teacher_outputs, student_outputs)

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        for name, model in ((self.teacher_layer_name, teacher), (self.student_layer_name, student)):
            if name is not None:
                model.get_layer(name)


def _leaves(loss):
    return tree.flatten(loss) if isinstance(loss, (list, tuple, dict)) else [loss]
