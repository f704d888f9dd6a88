"""CallbackList: several callbacks as one."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import jax

from lamina.callbacks.callback import Callback
from lamina.callbacks.history import History
from lamina.callbacks.logs import EpochLogs, Logs, read_logs
from lamina.callbacks.progbar_logger import ProgbarLogger
from lamina.errors import ArgumentError, CallError, warn
from lamina.spelling.nearest import nearest

__all__ = ["CallbackList"]

_KINDS = ("train", "test", "predict")
_BATCH_HOOKS = tuple(f"on_{kind}_batch_{when}" for kind in _KINDS for when in ("begin", "end"))


class CallbackList(Callback):
    """Calls each of `callbacks` in turn.

    The logs of a batch may be JAX scalars: they are read from the device when a hook reads them.

    Args:
        callbacks: Callbacks, also in nested lists.
        add_history: Whether to add a History if there is none.
        add_progbar: Whether to add a ProgbarLogger if there is none.
        model: Model of the callbacks. None sets no model.
        **params: Settings of the run for the callbacks: verbose, epochs, steps.

    Raises:
        CallError: If something is not a callback.

    >>> CallbackList([], add_history=True).wants("train")
    False
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ):
        self.callbacks: list[Any] = [_checked(callback) for callback in jax.tree_util.tree_leaves(callbacks)]
        self.history: Any = self._find_or_add(History, add_history)
        self.progress: Any = self._find_or_add(ProgbarLogger, add_progbar)
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
        """Collect the hooks for batches by name, so that a step calls no others."""
        self._batch_hooks = {
            name: [getattr(callback, name) for callback in self.callbacks if _has_hook(callback, name)]
            for name in _BATCH_HOOKS
        }

    def wants(self, kind: str) -> bool:
        """Whether a callback has a hook for the batches of a kind; a loop may leave out the calls without one.

        Args:
            kind: "train", "test" or "predict".
        """
        return any(self._batch_hooks[f"on_{kind}_batch_{when}"] for when in ("begin", "end"))

    def find_resume_point(self) -> None:
        """Let a backup set the point at which the run resumes. Called before a run."""
        backups = [callback for callback in self.callbacks if getattr(callback, "comes_last", False)]
        for backup in backups:
            backup.find_resume_point([callback for callback in self.callbacks if callback not in backups])

    def settle(self) -> None:
        """Let callbacks finish what they write. Called after a run, also after one that failed."""
        for callback in self.callbacks:
            getattr(callback, "settle", _nothing)()

    def set_params(self, params: Any) -> None:
        self.params: Any = params
        if params:
            for callback in self.callbacks:
                callback.set_params(params)

    def set_model(self, model: Any) -> None:
        if model is None:
            return
        self.model: Any = model
        if self.history is not None:
            model.history = self.history
        for callback in self.callbacks:
            callback.set_model(model)

    def savers(self) -> list[Any]:
        """The callbacks that save the whole state of a run at any step: `save_now(epoch, batch, logs, position)`."""
        return [callback for callback in self.callbacks if hasattr(callback, "save_now")]

    def saved_files(self) -> list[str]:
        """The files that callbacks saved last."""
        return [callback.last_saved for callback in self.callbacks if getattr(callback, "last_saved", None)]

    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._call("on_batch_begin", batch, logs=logs)

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._call("on_batch_end", batch, logs=logs)

    def _call(self, name, *args, logs):
        logs = EpochLogs(read_logs(logs))
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
        raise CallError(f"callbacks has the class {callback.__name__}.", fix=f"Create an object: {callback.__name__}()")
    if not hasattr(callback, "set_model") or not hasattr(callback, "on_epoch_end"):
        known = [name for name in importlib.import_module("lamina.callbacks").__all__ if name != "Callback"]
        near = nearest(callback, known, 1) if isinstance(callback, str) else []
        raise CallError(
            f"callbacks has {callback!r}, which is not a Callback.",
            fix=f"callbacks=[keras.callbacks.{near[0]}()]"
            if near
            else of_compile
            if (of_compile := _in_compile(callback))
            else f"class {type(callback).__name__}(keras.callbacks.Callback):"
            if any(name.startswith("on_") for name in dir(callback))
            else "For a function: keras.callbacks.LambdaCallback(on_epoch_end=function)",
        )
    for name in dir(type(callback)):
        if name.startswith("on_") and hasattr(Callback, name) and callable(getattr(callback, name)):
            _check_signature(callback, name)
        elif name in vars(type(callback)) and name.startswith("on") and isinstance(callback, Callback):
            hooks = [hook for hook in dir(Callback) if hook.startswith("on_")]
            near = nearest(name.replace("start", "begin"), hooks, 1, strict=True)
            if near:  # a name that no hook is near to is a method of the user's own
                warn(f"{type(callback).__name__}.{name} is never called: did you mean {near[0]!r}?", once=True)
    return callback


def _in_compile(given):
    """What to pass to `compile`, for an object that belongs there; "" for others."""
    module, code = type(given).__module__, repr(given)
    if module.startswith("lamina.optimizers.schedules"):
        return f"optimizer=keras.optimizers.Adam(learning_rate=keras.optimizers.schedules.{code})  # in compile"
    kinds = {"lamina.optimizers": "optimizer={}", "lamina.losses": "loss={}", "lamina.metrics": "metrics=[{}]"}
    for folder, argument in kinds.items():
        if module.startswith(folder):
            return argument.format(f"{folder.replace('lamina', 'keras')}.{code}") + "  # in compile"
    return ""


def _check_signature(callback, name):
    """Raise an error for a hook that cannot be called with what the hook of Callback is called with."""
    parameters = list(inspect.signature(getattr(Callback, name)).parameters)
    hook = getattr(callback, name)
    try:
        inspect.signature(hook).bind(*parameters[1:])
    except TypeError as error:
        given = " and ".join(parameters[1:])
        raise ArgumentError(
            f"{type(callback).__name__}.{name}{inspect.signature(hook)} is called with {given}: {error}.",
            fix=f"{name}=lambda {', '.join(parameters[1:])}: ..."
            if type(callback).__name__ == "LambdaCallback"
            else f"def {name}({', '.join(parameters[:-1])}, logs=None):",
        ) from None
    except ValueError:  # a function without a signature
        return


def _has_hook(callback, name):
    """Whether the callback overrides a hook, under either of its names; also for callbacks written for Keras itself."""
    if _is_own(callback, name):
        return True
    return name.startswith("on_train_batch") and _is_own(callback, name.replace("train_", ""))


def _is_own(callback, name):
    hook = getattr(callback, name, None)
    idle = getattr(hook, "idle", None)  # a hook may declare that it does nothing
    if hook is None or (idle is not None and idle(callback)):
        return False
    return getattr(hook, "__qualname__", "") != f"Callback.{name}"


def _epoch_hook(name):
    def hook(self, epoch, logs=None):
        self._call(name, epoch, logs=logs)

    return _described(hook, name)


def _run_hook(name):
    def hook(self, logs=None):
        if name.endswith("begin"):
            self._find_batch_hooks()
        self._call(name, logs=logs)

    return _described(hook, name)


def _batch_hook(name):
    def hook(self, batch, logs=None):
        self._call_batch(name, batch, logs)

    return _described(hook, name)


def _described(hook, name):
    hook.__doc__ = getattr(Callback, name).__doc__
    return hook


for _name in ("on_epoch_begin", "on_epoch_end"):
    setattr(CallbackList, _name, _epoch_hook(_name))
for _kind in _KINDS:
    for _when in ("begin", "end"):
        setattr(CallbackList, f"on_{_kind}_{_when}", _run_hook(f"on_{_kind}_{_when}"))
for _name in _BATCH_HOOKS:
    setattr(CallbackList, _name, _batch_hook(_name))
