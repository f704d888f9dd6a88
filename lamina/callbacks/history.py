"""History: the figures of each epoch."""

from lamina.callbacks.callback import Callback
from lamina.callbacks.curves import Curves

__all__ = ["History"]


class History(Callback):
    """Keeps the figures of each epoch: `history` is name -> values, `epoch` the numbers of the epochs. `fit` returns
    it."""

    def __init__(self):
        self.history = {}
        self.epoch = []

    def on_train_begin(self, logs=None):
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self

    def plot(self, path=None):
        """The training curves: a notebook shows them, printed they are lines of a terminal.

        Args:
            path: a file to write as well: .svg, .html, or .png (which needs Pillow).

        Raises:
            DataError: when nothing was trained yet.

        >>> history = History()
        >>> history.history = {"loss": [4.0, 2.0, 1.0]}
        >>> history.plot()
        loss  4 -> 1  █▃▁  best 1 in epoch 3
        """
        curves = Curves(self.history, self.epoch)
        if path is not None:
            curves.write(path)
        return curves
