"""Callbacks: what is done between the steps of `fit`, `evaluate` and `predict`."""

from typing import TYPE_CHECKING

from lamina.core.lazy import lazy

if TYPE_CHECKING:
    from lamina.callbacks.backup_and_restore import BackupAndRestore, Resume
    from lamina.callbacks.callback import Callback
    from lamina.callbacks.callback_list import CallbackList
    from lamina.callbacks.csv_logger import CSVLogger
    from lamina.callbacks.early_stopping import EarlyStopping
    from lamina.callbacks.history import History
    from lamina.callbacks.lambda_callback import LambdaCallback
    from lamina.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
    from lamina.callbacks.model_checkpoint import ModelCheckpoint
    from lamina.callbacks.orbax_checkpoint import OrbaxCheckpoint
    from lamina.callbacks.progbar_logger import ProgbarLogger
    from lamina.callbacks.remote_monitor import RemoteMonitor
    from lamina.callbacks.stop_on_nonfinite import StopOnNonFinite
    from lamina.callbacks.swap_ema_weights import SwapEMAWeights
    from lamina.callbacks.tensorboard import TensorBoard
    from lamina.callbacks.terminate_on_nan import TerminateOnNaN

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "backup_and_restore": "BackupAndRestore Resume",
        "callback": "Callback",
        "callback_list": "CallbackList",
        "csv_logger": "CSVLogger",
        "early_stopping": "EarlyStopping",
        "history": "History",
        "lambda_callback": "LambdaCallback",
        "learning_rate": "LearningRateScheduler ReduceLROnPlateau",
        "model_checkpoint": "ModelCheckpoint",
        "orbax_checkpoint": "OrbaxCheckpoint",
        "progbar_logger": "ProgbarLogger",
        "remote_monitor": "RemoteMonitor",
        "stop_on_nonfinite": "StopOnNonFinite",
        "swap_ema_weights": "SwapEMAWeights",
        "tensorboard": "TensorBoard",
        "terminate_on_nan": "TerminateOnNaN",
    },
)
