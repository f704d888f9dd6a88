"""TerminateOnNaN: the end of training when the loss is not finite."""

from __future__ import annotations

import math
from typing import Any

from lamina.callbacks.callback import Callback
from lamina.errors import LaminaError
from lamina.runtime.progress import say

__all__ = ["TerminateOnNaN"]


class NonFiniteLossError(LaminaError, RuntimeError):
    """A loss that is NaN or infinite."""


class TerminateOnNaN(Callback):
    """Stops training at the first batch whose loss is NaN or infinite.

    Args:
        raise_error: Whether to raise a RuntimeError at once; later callbacks are then not called.
    """

    def __init__(self, raise_error: bool = False):
        self.raise_error: bool = raise_error

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise NonFiniteLossError(
                f"The loss of batch {batch} is {loss}.",
                fix="callbacks=[keras.callbacks.StopOnNonFinite()] names the first layer and the row.",
            )
        say(f"Batch {batch}: the loss is {loss}, training stops.")
        self.model.stop_training = True
