"""Distiller: a model that trains a student with targets and with the outputs of a teacher."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import jax

from lamina.core import tree
from lamina.core.serialization import config_value
from lamina.core.variable import unwrap
from lamina.errors import ConfigError, ShapeError
from lamina.metrics import Mean
from lamina.models import Model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from lamina.core.typing import Config
    from lamina.distillation.losses import DistillationLoss

__all__ = ["Distiller"]


class Distiller(Model):
    """Trains `student` on `student_loss_weight * loss + (1 - student_loss_weight) * sum(weight * distillation loss)`.

    `loss` is that of `compile`. The distillation losses compare the student with the teacher, which is not trained.

    Args:
        teacher: Trained model; its weights do not change.
        student: Model to train, with inputs of the same shape.
        distillation_losses: Loss, or list of losses, that compare the student with the teacher.
        distillation_loss_weights: Weight of each distillation loss; None means 1.
        student_loss_weight: Weight of the loss of `compile`, from 0 to 1.
        name: Name of the model.
        **kwargs: Arguments of every layer: `dtype`, `trainable`.

    >>> import lamina as keras
    >>> teacher, student = (keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]) for _ in range(2))
    >>> distiller = keras.distillation.Distiller(teacher, student, keras.distillation.LogitsDistillation(2.0, "mse"))
    >>> distiller.compile("sgd", "mse")
    >>> teacher.trainable
    False
    """

    _keras_module = "keras.distillation"

    def __init__(
        self,
        teacher: Model,
        student: Model,
        distillation_losses: DistillationLoss | Sequence[DistillationLoss],
        distillation_loss_weights: float | Sequence[float] | None = None,
        student_loss_weight: float = 0.5,
        name: str = "distiller",
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        for role, model in (("teacher", teacher), ("student", student)):
            if not isinstance(model, Model):
                raise ConfigError(
                    f"The {role} must be a Model; got {type(model).__name__}.",
                    fix=f"{role}=keras.Sequential([keras.layers.Dense(10)])",
                )
        if distillation_losses is None:
            raise ConfigError("A Distiller needs a distillation loss.", fix="LogitsDistillation(temperature=3.0)")
        found: Any = distillation_losses if isinstance(distillation_losses, (list, tuple)) else [distillation_losses]
        found = list(found)
        weights: Any = [1.0] * len(found) if distillation_loss_weights is None else distillation_loss_weights
        weights = list(weights) if isinstance(weights, (list, tuple)) else [weights]
        if len(weights) != len(found):
            raise ConfigError(
                f"Each distillation loss needs a weight; got {len(found)} losses and {len(weights)} weights.",
                fix=f"distillation_loss_weights={[1.0] * len(found)}",
            )
        if not 0 <= student_loss_weight <= 1:
            raise ConfigError(
                f"student_loss_weight must be from 0 to 1; got {student_loss_weight}.", fix="student_loss_weight=0.5"
            )
        for loss in found:
            loss.validate_model_compatibility(teacher, student)
        self.teacher = teacher
        self.student = student
        self.distillation_losses: list[DistillationLoss] = found
        self.distillation_loss_weights: list[float] = weights
        self.student_loss_weight = student_loss_weight
        self._check_shapes()
        teacher.trainable = False
        self.built: bool = student.built and teacher.built
        self.student_loss_tracker: Mean = Mean(name="student_loss")
        self.distillation_loss_tracker: Mean = Mean(name="distillation_loss")
        self.total_loss_tracker: Mean = Mean(name="total_loss")

    def _check_shapes(self):
        """Raises an error if inputs or outputs of teacher and student have different shapes."""
        if self.teacher._graph is None or self.student._graph is None:
            return
        for what in ("inputs", "outputs"):
            shapes = [[tensor.shape for tensor in getattr(model, what)] for model in (self.teacher, self.student)]
            if shapes[0] != shapes[1]:
                raise ShapeError(
                    f"The {what} of teacher and student must have the same shapes; got {shapes[0]} and {shapes[1]}.",
                    fix=f"Give the student {what} of shape {shapes[0][0]}.",
                )

    def compile(self, optimizer: Any = "adam", loss: Any = None, *args: Any, **kwargs: Any) -> None:
        """Configures the training of the student.

        Args:
            optimizer: Optimizer of the student, by name or as an object.
            loss: Loss of the student; required.
            *args: Further arguments of `keras.Model.compile`.
            **kwargs: The same by name.
        """
        if loss is None:
            raise ConfigError("A Distiller needs the loss of its student.", fix='compile("adam", loss="mse")')
        super().compile(optimizer, loss, *args, **kwargs)

    def call(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, inputs: Any, training: bool | None = None
    ) -> Any:
        return self.student(inputs, training=training)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The weighted sum of the losses, whose parts are tracked by the metrics student_loss and distillation_loss.

        Args:
            x: Inputs.
            y: Targets.
            y_pred: Outputs of the student.
            sample_weight: Weight of each sample.
            training: Whether the model is called in training.
        """
        share = self.student_loss_weight
        own = super().compute_loss(x, y, y_pred, sample_weight, training) if share > 0 else 0.0
        distilled = self._distillation_loss(x, y_pred, training) if share < 1 else 0.0
        total = share * own + (1 - share) * distilled
        self.student_loss_tracker.update_state(own)
        self.distillation_loss_tracker.update_state(distilled)
        self.total_loss_tracker.update_state(total)
        return total

    def _distillation_loss(self, x, y_pred, training):
        targets = jax.lax.stop_gradient(tree.map_structure(unwrap, self.teacher(x, training=False)))
        total = 0.0
        for loss, weight in zip(self.distillation_losses, self.distillation_loss_weights, strict=True):
            teacher_outputs, student_outputs = targets, y_pred
            if loss.teacher_layer_name is not None:
                teacher_outputs = jax.lax.stop_gradient(self._features(self.teacher, loss.teacher_layer_name, x, False))
            if loss.student_layer_name is not None:
                student_outputs = self._features(self.student, loss.student_layer_name, x, training)
            total = total + weight * loss.compute_loss(teacher_outputs, student_outputs)
        return total

    def _features(self, model, name, x, training):
        """The outputs of the layer with that name; XLA computes layers shared with the model's outputs once."""
        key = (id(model), name)
        if key not in self._extractors:
            part = Model(model.input, model.get_layer(name).output)
            self._extractors[key] = partial(part)  # in a partial, so that its layers are not found twice
        return self._extractors[key](x, training=training)

    @property
    def _extractors(self):
        return self.__dict__.setdefault("_made_extractors", {})

    def get_config(self) -> Config:
        config = {"name": self.name, "trainable": self.trainable, "dtype": config_value(self.dtype_policy)}
        names = "teacher student distillation_losses distillation_loss_weights student_loss_weight".split()
        return {**config, **{name: config_value(getattr(self, name)) for name in names}}
