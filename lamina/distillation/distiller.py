"""Distiller: a student learns from targets and from a teacher."""

from functools import partial

import jax

from lamina.core import tree
from lamina.core.serialization import config_value
from lamina.core.variable import unwrap
from lamina.errors import ConfigError, ShapeError
from lamina.metrics import Mean
from lamina.models import Model

__all__ = ["Distiller"]


class Distiller(Model):
    """Trains `student` on `student_loss_weight * loss + (1 - student_loss_weight) * sum(weight * distillation loss)`.

    `loss` is that of `compile`; the distillation losses compare with `teacher`, which stays as it is.

    Args:
        teacher, student: models with inputs of the same shape.
        distillation_losses: a DistillationLoss, or a list of them.
        distillation_loss_weights: a number for each; 1 if not given.
        student_loss_weight: from 0 to 1.

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
        teacher,
        student,
        distillation_losses,
        distillation_loss_weights=None,
        student_loss_weight=0.5,
        name="distiller",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        for role, model in (("teacher", teacher), ("student", student)):
            if not isinstance(model, Model):
                raise ConfigError(f"The {role} is a Model; got {type(model).__name__}.")
        if distillation_losses is None:
            raise ConfigError("A Distiller needs a distillation loss.", fix="LogitsDistillation(temperature=3.0)")
        found = list(distillation_losses) if isinstance(distillation_losses, (list, tuple)) else [distillation_losses]
        weights = [1.0] * len(found) if distillation_loss_weights is None else distillation_loss_weights
        weights = list(weights) if isinstance(weights, (list, tuple)) else [weights]
        if len(weights) != len(found):
            raise ConfigError(f"There are {len(found)} distillation losses and {len(weights)} weights for them.")
        if not 0 <= student_loss_weight <= 1:
            raise ConfigError(f"student_loss_weight is from 0 to 1; got {student_loss_weight}.", fix="0.5")
        for loss in found:
            loss.validate_model_compatibility(teacher, student)
        self.teacher, self.student = teacher, student
        self.distillation_losses, self.distillation_loss_weights = found, weights
        self.student_loss_weight = student_loss_weight
        self._check_shapes()
        teacher.trainable = False
        self.built = student.built and teacher.built
        self.student_loss_tracker = Mean(name="student_loss")
        self.distillation_loss_tracker = Mean(name="distillation_loss")
        self.total_loss_tracker = Mean(name="total_loss")

    def _check_shapes(self):
        """Refuse teacher and student whose inputs, or compared outputs, have other shapes."""
        if self.teacher._graph is None or self.student._graph is None:
            return
        for what in ("inputs", "outputs"):
            shapes = [[tensor.shape for tensor in getattr(model, what)] for model in (self.teacher, self.student)]
            if shapes[0] != shapes[1]:
                raise ShapeError(
                    f"The {what} of the teacher have shapes {shapes[0]}, those of the student {shapes[1]}."
                )

    def compile(self, optimizer="adam", loss=None, **kwargs):
        """As Model.compile; `loss` is needed."""
        if loss is None:
            raise ConfigError(
                "A Distiller is compiled with the loss of its student.", fix='compile("adam", loss="mse")'
            )
        super().compile(optimizer, loss, **kwargs)

    def call(self, inputs, training=None):
        return self.student(inputs, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum; its parts are watched by the metrics student_loss and distillation_loss."""
        share = self.student_loss_weight
        own = super().compute_loss(x, y, y_pred, sample_weight, training) if share > 0 else 0.0
        taught = self._distillation_loss(x, y_pred, training) if share < 1 else 0.0
        total = share * own + (1 - share) * taught
        self.student_loss_tracker.update_state(own)
        self.distillation_loss_tracker.update_state(taught)
        self.total_loss_tracker.update_state(total)
        return total

    def _distillation_loss(self, x, y_pred, training):
        taught = jax.lax.stop_gradient(tree.map_structure(unwrap, self.teacher(x, training=False)))
        total = 0.0
        for loss, weight in zip(self.distillation_losses, self.distillation_loss_weights, strict=True):
            teacher_outputs, student_outputs = taught, y_pred
            if loss.teacher_layer_name is not None:
                teacher_outputs = jax.lax.stop_gradient(self._features(self.teacher, loss.teacher_layer_name, x, False))
            if loss.student_layer_name is not None:
                student_outputs = self._features(self.student, loss.student_layer_name, x, training)
            total = total + weight * loss.compute_loss(teacher_outputs, student_outputs)
        return total

    def _features(self, model, name, x, training):
        """The outputs of the layer of that name; XLA computes what it shares with the model's own outputs once."""
        key = (id(model), name)
        if key not in self._extractors:
            part = Model(model.input, model.get_layer(name).output)
            self._extractors[key] = partial(part)  # hidden, so that its layers are not found twice
        return self._extractors[key](x, training=training)

    @property
    def _extractors(self):
        return self.__dict__.setdefault("_made_extractors", {})

    def get_config(self):
        config = {"name": self.name, "trainable": self.trainable, "dtype": config_value(self.dtype_policy)}
        names = "teacher student distillation_losses distillation_loss_weights student_loss_weight".split()
        return {**config, **{name: config_value(getattr(self, name)) for name in names}}
