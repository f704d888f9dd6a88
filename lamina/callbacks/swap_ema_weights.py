"""SwapEMAWeights: moving averages of the weights in place of the weights."""

from __future__ import annotations

from typing import Any

from lamina.callbacks.callback import Callback
from lamina.core.variable import own_copy
from lamina.errors import CallError

__all__ = ["SwapEMAWeights"]


class SwapEMAWeights(Callback):
    """Replaces the weights by their moving averages (Polyak averaging) during evaluation and prediction. The optimizer
    keeps the averages if `use_ema=True`.

    Args:
        swap_on_epoch: Whether to replace the weights also from the end of each epoch to the start of the next, so that
            later callbacks, such as ModelCheckpoint, see the averages.

    Raises:
        CallError: If the optimizer keeps no averages.

    >>> import lamina as keras
    >>> swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    """

    def __init__(self, swap_on_epoch: bool = False):
        self.swap_on_epoch: bool = swap_on_epoch
        self._weights: Any = None  # while averages replace them

    def _use_averages(self):
        if self._weights is not None:
            return
        optimizer, variables = self.model.optimizer, self.model.trainable_variables
        if not _keeps_averages(optimizer):
            raise CallError(
                f"SwapEMAWeights needs an optimizer that keeps averages; got {optimizer!r}.", fix="Adam(use_ema=True)"
            )
        self._weights = [(variable, own_copy(variable.read())) for variable in variables]
        optimizer.finalize_variable_values(variables)

    def _use_weights(self):
        for variable, value in self._weights or ():
            variable.assign(value)
        self._weights = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.swap_on_epoch:
            self._use_weights()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.swap_on_epoch:
            self._use_averages()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._weights = None  # the trained model has the averages

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._use_averages()

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        self._use_weights()

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._use_averages()

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        self._use_weights()


def _keeps_averages(optimizer):
    inner = [getattr(optimizer, "inner_optimizer", None), *getattr(optimizer, "optimizers", ())]
    return getattr(optimizer, "use_ema", False) or any(getattr(one, "use_ema", False) for one in inner)
