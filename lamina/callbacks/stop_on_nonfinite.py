"""StopOnNonFinite."""

from lamina.callbacks.callback import Callback
from lamina.runtime.progress import say

__all__ = ["StopOnNonFinite"]


class StopOnNonFinite(Callback):
    """Stops training when the loss or a weight turns NaN or infinite, keeps the last good weights and says why.

    The bad step changes nothing. It is run again op by op, to find the first layer or tensor that is not finite, and
    whether inputs, labels, the learning rate or a gradient was the cause: `diagnosis` has it, with its figures.

    Args:
        raise_error: raise an ArithmeticError with the diagnosis, instead of stopping.

    >>> import numpy as np
    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="dense")])
    >>> model.compile("sgd", "mse")
    >>> stop = keras.callbacks.StopOnNonFinite()  # or fit(..., stop_on_nonfinite=True)
    >>> x = np.array([[1.0, 2.0], [np.nan, 1.0]])
    >>> _ = model.fit(x, np.ones(2), shuffle=False, verbose=0, callbacks=[stop])  # doctest: +ELLIPSIS
    Step 1 was not finite: the inputs hold 1 NaN and 0 infinite of 4 numbers, first at (1, 0) of the batch. The ...
    >>> stop.diagnosis.cause
    'inputs'
    """

    def __init__(self, raise_error=False):
        self.raise_error = raise_error
        self.diagnosis = None

    def on_train_begin(self, logs=None):
        self.diagnosis = None
        self._guard = self.model._runner.watch()

    def on_train_batch_end(self, batch, logs=None):
        self._heed(self._guard.look(all_of_them=False))

    def on_epoch_end(self, epoch, logs=None):
        self._heed(self._guard.look())

    def settle(self):
        """The run is over: the model's next steps are not watched."""
        self.model._runner.guard = None

    def _heed(self, diagnosis):
        if diagnosis is None or self.diagnosis is diagnosis:
            return
        self.diagnosis = diagnosis
        if self.raise_error:
            raise ArithmeticError(str(diagnosis))
        self._tell(diagnosis)
        self.model.stop_training = True

    def _tell(self, diagnosis):
        say(str(diagnosis))
