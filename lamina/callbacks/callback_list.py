"""CallbackList: many callbacks as one."""

import jax

from lamina.callbacks.callback import Callback
from lamina.callbacks.history import History
from lamina.callbacks.logs import Logs, read_logs
from lamina.callbacks.progbar_logger import ProgbarLogger
from lamina.errors import CallError

__all__ = ["CallbackList"]

_KINDS = ("train", "test", "predict")
_BATCH_HOOKS = tuple(f"on_{kind}_batch_{when}" for kind in _KINDS for when in ("begin", "end"))


class CallbackList(Callback):
    """Calls each of `callbacks` in turn.

    Args:
        callbacks: callbacks, also in nested lists.
        add_history, add_progbar: add a History or a ProgbarLogger unless there is one.
        model: handed to each of them.
        **params: handed to each of them: verbose, epochs, steps.

    `wants("train")`, `wants("test")` and `wants("predict")` say whether anyone has a hook for the batches of that kind;
    without one, a loop may leave out the calls. The logs of a batch may be JAX scalars: they are read when a hook
    looks.

    >>> CallbackList([], add_history=True).wants("train")
    False
    """

    def __init__(self, callbacks=None, add_history=False, add_progbar=False, model=None, **params):
        self.callbacks = [_checked(callback) for callback in jax.tree_util.tree_leaves(callbacks)]
        self.history = self._find_or_add(History, add_history)
        self.progress = self._find_or_add(ProgbarLogger, add_progbar)
        self.callbacks.sort(key=lambda callback: getattr(callback, "comes_last", False))
        self._find_batch_hooks()
        self.set_model(model)
        self.set_params(params)

    def _find_or_add(self, kind, add):
        found = [callback for callback in self.callbacks if isinstance(callback, kind)]
        if not found and add:
            found = [kind()]
            self.callbacks += found
        return found[-1] if found else None

    def _find_batch_hooks(self):
        """name -> hooks, so that a step asks nobody in vain."""
        self._batch_hooks = {
            name: [getattr(callback, name) for callback in self.callbacks if _has_hook(callback, name)]
            for name in _BATCH_HOOKS
        }

    def wants(self, kind):
        """Whether a callback has a hook for the batches of "train", "test" or "predict"."""
        return any(self._batch_hooks[f"on_{kind}_batch_{when}"] for when in ("begin", "end"))

    def find_resume_point(self):
        """Before a run begins: let a backup say where it goes on."""
        backups = [callback for callback in self.callbacks if getattr(callback, "comes_last", False)]
        for backup in backups:
            backup.find_resume_point([callback for callback in self.callbacks if callback not in backups])

    def settle(self):
        """After a run has ended in any way: let what is being written become whole."""
        for callback in self.callbacks:
            getattr(callback, "settle", _nothing)()

    def set_params(self, params):
        self.params = params
        if params:
            for callback in self.callbacks:
                callback.set_params(params)

    def set_model(self, model):
        if model is None:
            return
        self.model = model
        if self.history is not None:
            model.history = self.history
        for callback in self.callbacks:
            callback.set_model(model)

    def on_batch_begin(self, batch, logs=None):
        self._call("on_batch_begin", batch, logs=logs)

    def on_batch_end(self, batch, logs=None):
        self._call("on_batch_end", batch, logs=logs)

    def _call(self, name, *args, logs):
        logs = read_logs(logs)
        for callback in self.callbacks:
            getattr(callback, name)(*args, logs)

    def _call_batch(self, name, batch, logs):
        hooks = self._batch_hooks[name]
        if hooks:
            logs = logs if isinstance(logs, Logs) else Logs(logs)
            for hook in hooks:
                hook(batch, logs)


def _nothing():
    pass


def _checked(callback):
    if isinstance(callback, type):
        raise CallError(f"callbacks holds the class {callback.__name__}.", fix=f"Make one: {callback.__name__}()")
    if not hasattr(callback, "set_model") or not hasattr(callback, "on_epoch_end"):
        raise CallError(
            f"callbacks holds {callback!r}, which is no Callback.",
            fix="A function becomes one so: keras.callbacks.LambdaCallback(on_epoch_end=function)",
        )
    return callback


def _has_hook(callback, name):
    """Whether the callback has a hook of its own, under either of its names; also for callbacks made for Keras
    itself."""
    if _is_own(callback, name):
        return True
    return name.startswith("on_train_batch") and _is_own(callback, name.replace("train_", ""))


def _is_own(callback, name):
    hook = getattr(callback, name, None)
    idle = getattr(hook, "idle", None)  # a hook may say that it has nothing to do
    if hook is None or (idle is not None and idle(callback)):
        return False
    return getattr(hook, "__qualname__", "") != f"Callback.{name}"


def _epoch_hook(name):
    def hook(self, epoch, logs=None):
        self._call(name, epoch, logs=logs)

    return hook


def _run_hook(name):
    def hook(self, logs=None):
        if name.endswith("begin"):
            self._find_batch_hooks()
        self._call(name, logs=logs)

    return hook


def _batch_hook(name):
    def hook(self, batch, logs=None):
        self._call_batch(name, batch, logs)

    return hook


for _name in ("on_epoch_begin", "on_epoch_end"):
    setattr(CallbackList, _name, _epoch_hook(_name))
for _kind in _KINDS:
    for _when in ("begin", "end"):
        setattr(CallbackList, f"on_{_kind}_{_when}", _run_hook(f"on_{_kind}_{_when}"))
for _name in _BATCH_HOOKS:
    setattr(CallbackList, _name, _batch_hook(_name))
