"""History: the figures of each epoch."""

from lamina.callbacks.callback import Callback

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
