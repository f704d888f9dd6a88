"""SwapEMAWeights."""

from typing import Any

from lamina.callbacks.callback import Callback
from lamina.core.variable import own_copy
from lamina.errors import CallError

__all__ = ["SwapEMAWeights"]


class SwapEMAWeights(Callback):
    """Evaluates and predicts with the moving averages of the weights (Polyak averaging), which an optimizer made with
    `use_ema=True` keeps: they take the place of the weights before, and the weights come back after.

    Args:
        swap_on_epoch: let them take it from the end of each epoch to the start of the next, so that callbacks after
            this one, such as ModelCheckpoint, see the averages.

    Raises:
        CallError: when the optimizer keeps no averages.

    >>> import lamina as keras
    >>> swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    """

    def __init__(self, swap_on_epoch=False):
        self.swap_on_epoch = swap_on_epoch
        self._weights: Any = None  # while the averages are in their place

    def _take_averages(self):
        if self._weights is not None:
            return
        optimizer, variables = self.model.optimizer, self.model.trainable_variables
        if not _keeps_averages(optimizer):
            raise CallError(
                f"SwapEMAWeights needs an optimizer that keeps averages; got {optimizer!r}.", fix="Adam(use_ema=True)"
            )
        self._weights = [(variable, own_copy(variable.read())) for variable in variables]
        optimizer.finalize_variable_values(variables)

    def _take_weights(self):
        for variable, value in self._weights or ():
            variable.assign(value)
        self._weights = None

    def on_epoch_begin(self, epoch, logs=None):
        if self.swap_on_epoch:
            self._take_weights()

    def on_epoch_end(self, epoch, logs=None):
        if self.swap_on_epoch:
            self._take_averages()

    def on_train_end(self, logs=None):
        self._weights = None  # a model that was trained with averages has them in the end

    def on_test_begin(self, logs=None):
        self._take_averages()

    def on_test_end(self, logs=None):
        self._take_weights()

    def on_predict_begin(self, logs=None):
        self._take_averages()

    def on_predict_end(self, logs=None):
        self._take_weights()


def _keeps_averages(optimizer):
    inner = [getattr(optimizer, "inner_optimizer", None), *getattr(optimizer, "optimizers", ())]
    return getattr(optimizer, "use_ema", False) or any(getattr(one, "use_ema", False) for one in inner)
