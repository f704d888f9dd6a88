"""Files of Keras 2 by names without an ending: weights as checkpoints of TensorFlow, models as SavedModels."""

from __future__ import annotations

import os
import weakref
from typing import Any

from lamina.compat import saved_models
from lamina.compat.checkpoints import Checkpoint, Status, note
from lamina.models import Model
from lamina.saving import save_model

__all__ = ["KERAS_FILES"]

_restoring: weakref.WeakKeyDictionary[Any, Checkpoint] = weakref.WeakKeyDictionary()  # until all variables are made


def save_weights(model: Model, filepath: str) -> None:
    """Write a checkpoint of TensorFlow, which `tf.train.latest_checkpoint` then finds."""
    Checkpoint(model).write(filepath)
    note(os.path.dirname(filepath), filepath, [filepath])


def load_weights(model: Model, filepath: str) -> Status:
    """Read a checkpoint of TensorFlow. Variables that are not made yet get their values when they are."""
    _restoring[model] = checkpoint = Checkpoint(model)
    return checkpoint.read(filepath)


def save(model: Model, filepath: str) -> None:
    """Write a folder that `load_model` reads as a model, and `tf.saved_model.load` as functions."""
    saved_models.save(model, filepath)
    save_model(model, filepath, zipped=False)


KERAS_FILES: dict[str, Any] = {"load_weights": load_weights, "save_model": save, "save_weights": save_weights}
