"""Losses of layers: what `add_loss` collects in a call, activity regularization, and the decay of weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.core import context, tree
from lamina.core.recording import recorded, recording
from lamina.core.variable import unwrap
from lamina.errors import CallError
from lamina.layers.base import call_signature
from lamina.layers.base.variables import VariablesMixin
from lamina.runtime.tracebacks import filters_traceback

if TYPE_CHECKING:
    from lamina.core.typing import ArrayLike, Tensor


class LossesMixin(VariablesMixin):
    """The losses of a layer and of the layers inside it."""

    _losses_ref: Any
    _layers_with_losses: list[Any]
    activity_regularizer: Any

    @property
    def losses(self) -> list[Tensor]:
        """What the last call added with `add_loss`, activity regularization, and the regularization of trainable
        weights."""
        added = [loss for layer in self._flatten_layers() for loss in layer._losses_ref.read()]
        regularized = [variable for variable in self.trainable_variables if variable.regularizer is not None]
        if recording():
            decayed = [recorded(variable.regularizer, (variable,), {}) for variable in regularized]
        else:
            decayed = [variable.regularizer(variable.value) for variable in regularized]
        return [*added, *decayed]

    @filters_traceback
    def add_loss(self, loss: ArrayLike | None) -> None:
        """Add a number to the loss of the model this layer is in; for use in `call`.

        Args:
            loss: Scalar, or a list of scalars; None adds nothing.
        """
        new = [value for value in tree.flatten(loss) if value is not None]
        if any(isinstance(value, str) for value in new):
            raise CallError(
                f"add_loss takes a number that is computed from tensors; got {loss!r}.",
                fix="self.add_loss(keras.ops.mean(keras.ops.square(outputs)))",
            )
        call = context.current_call()
        stale = call is not None and self not in call.layers_with_losses  # what is there comes from an earlier call
        self._losses_ref.write([*([] if stale else self._losses_ref.read()), *map(unwrap, new)])
        (self._layers_with_losses if call is None else call.layers_with_losses).append(self)

    def _add_activity_loss(self, outputs):
        if self.activity_regularizer is not None:
            for output in tree.flatten(outputs):
                if call_signature.is_tensor(output):
                    penalty = self.activity_regularizer(output)
                    self.add_loss(penalty / max(output.shape[0], 1) if output.ndim else penalty)

    def _clear_losses(self):
        for layer in self._layers_with_losses:
            layer._losses_ref.write([])
        self._layers_with_losses = []

    def _get_own_losses(self):
        return self._losses_ref.read()
