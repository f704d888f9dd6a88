"""StopOnNonFinite: the end of training, with a diagnosis, when the loss or a weight is not finite."""

from __future__ import annotations

from typing import Any

from lamina.callbacks.callback import Callback
from lamina.runtime.progress import say

__all__ = ["StopOnNonFinite"]


class StopOnNonFinite(Callback):
    """Stops training when the loss or a weight turns NaN or infinite, with the last finite weights, and prints why.

    The step that is not finite changes nothing. It runs again op by op, to find the first layer or tensor that is not
    finite, and whether inputs, labels, the learning rate or a gradient is the cause.

    Args:
        raise_error: Whether to raise an ArithmeticError with the diagnosis.

    Attributes:
        diagnosis: Cause, with numbers of that step; None if all steps were finite.

    >>> import numpy as np
    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="dense")])
    >>> model.compile("sgd", "mse")
    >>> stop = keras.callbacks.StopOnNonFinite()  # or fit(..., stop_on_nonfinite=True)
    >>> x = np.array([[1.0, 2.0], [np.nan, 1.0]])
    >>> _ = model.fit(x, np.ones(2), shuffle=False, verbose=0, callbacks=[stop])  # doctest: +ELLIPSIS
    Step 1 was not finite: the inputs contain 1 NaN and 0 infinite of 4 numbers, first at (1, 0) of the batch; ...
    >>> stop.diagnosis.cause
    'inputs'
    """

    def __init__(self, raise_error: bool = False):
        self.raise_error: bool = raise_error
        self.diagnosis: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.diagnosis = None
        self._guard = self.model._runner.watch()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._handle(self._guard.look(wait=False))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._handle(self._guard.look())

    def settle(self) -> None:
        """Called when the run has ended: later steps of the model are not checked."""
        self.model._runner.guard = None

    def _handle(self, diagnosis):
        if diagnosis is None or self.diagnosis is diagnosis:
            return
        self.diagnosis = diagnosis
        if self.raise_error:
            raise ArithmeticError(str(diagnosis))
        self._tell(diagnosis)
        self.model.stop_training = True

    def _tell(self, diagnosis):
        say(str(diagnosis))
