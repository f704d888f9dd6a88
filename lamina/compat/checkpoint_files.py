"""tf.train.CheckpointManager, and what is known of a folder of checkpoints."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from lamina.compat.bundle import Bundle
from lamina.compat.checkpoints import Checkpoint, note
from lamina.compat.host import TextType
from lamina.export.savedmodel.bundle import DTYPES, STRING

__all__ = ["TRAIN", "CheckpointManager", "latest_checkpoint"]


def _noted(folder):
    try:
        with open(os.path.join(os.fspath(folder), "checkpoint"), encoding="utf-8") as file:
            pairs = re.findall(r'^(\w+): "(.*)"$', file.read(), re.M)
    except OSError:
        return []
    paths = [os.path.join(os.fspath(folder), path) for name, path in pairs if name == "all_model_checkpoint_paths"]
    latest = [os.path.join(os.fspath(folder), path) for name, path in pairs if name == "model_checkpoint_path"]
    return [path for path in [*(one for one in paths if one not in latest), *latest] if os.path.exists(f"{path}.index")]


def latest_checkpoint(checkpoint_dir: Any, latest_filename: Any = None) -> str | None:
    """The path of the newest checkpoint in a folder, or None."""
    found = _noted(checkpoint_dir)
    return found[-1] if found else None


class CheckpointManager:
    """`tf.train.CheckpointManager`: numbered checkpoints in a folder, the oldest of which are deleted."""

    def __init__(
        self, checkpoint: Checkpoint, directory: Any, max_to_keep: int | None,
        keep_checkpoint_every_n_hours: Any = None, checkpoint_name: str = "ckpt", step_counter: Any = None,
        checkpoint_interval: int | None = None, init_fn: Any = None,
    ) -> None:  # fmt: skip
        self.checkpoint, self.directory, self.max_to_keep = checkpoint, os.fspath(directory), max_to_keep
        self._name, self._counter, self.checkpoint_interval = checkpoint_name, step_counter, checkpoint_interval
        self._init, self._last = init_fn, None
        self.checkpoints: list[str] = _noted(directory)

    @property
    def latest_checkpoint(self) -> str | None:
        """The path of the newest checkpoint, or None."""
        return self.checkpoints[-1] if self.checkpoints else None

    def save(self, checkpoint_number: Any = None, check_interval: bool = True, options: Any = None) -> str | None:
        """Write a checkpoint, delete those beyond `max_to_keep`, and return its path; None if it is too early."""
        if self._counter is not None and self.checkpoint_interval and check_interval:
            step = int(self._counter.numpy())
            if self._last is not None and step - self._last < self.checkpoint_interval:
                return None
            self._last = step
        prefix = os.path.join(self.directory, self._name)
        self.checkpoint.save_counter.assign_add(1)
        number = int(self.checkpoint.save_counter.numpy()) if checkpoint_number is None else int(checkpoint_number)
        path = self.checkpoint.write(f"{prefix}-{number}")
        self.checkpoints = [*(one for one in self.checkpoints if one != path), path]
        while self.max_to_keep and len(self.checkpoints) > self.max_to_keep:
            old = self.checkpoints.pop(0)
            for name in (".index", ".data-00000-of-00001"):
                if os.path.exists(old + name):
                    os.remove(old + name)
        note(self.directory, path, self.checkpoints)
        return path

    def restore_or_initialize(self) -> str | None:
        """Restore the newest checkpoint and return its path; else call `init_fn`."""
        if self.latest_checkpoint is not None:
            self.checkpoint.restore(self.latest_checkpoint)
        elif self._init is not None:
            self._init()
        return self.latest_checkpoint


class Reader(Bundle):
    """`tf.train.load_checkpoint`."""

    def get_tensor(self, tensor_str: str) -> Any:
        """A tensor by name."""
        value = self.read(tensor_str)
        return value[()] if value.ndim == 0 else value

    def has_tensor(self, tensor_str: str) -> bool:
        """Whether there is such a tensor."""
        return tensor_str in self.entries

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """The shapes by name."""
        return {name: list(entry[1]) for name, entry in self.entries.items()}

    def get_variable_to_dtype_map(self) -> dict[str, Any]:
        """The dtypes by name."""
        return {name: TextType("string") if entry[0] == STRING else np.dtype(DTYPES[entry[0]])
                for name, entry in self.entries.items()}  # fmt: skip


def _reader(path):
    return Reader((latest_checkpoint(path) if os.path.isdir(path) else None) or path)


TRAIN: dict[str, Any] = {
    "Checkpoint": Checkpoint, "CheckpointManager": CheckpointManager, "latest_checkpoint": latest_checkpoint,
    "load_checkpoint": _reader, "load_variable": lambda path, name: _reader(path).get_tensor(name),
    "list_variables": lambda path: sorted((name, list(one[1])) for name, one in _reader(path).entries.items()),
    "CheckpointOptions": lambda **_: None,
}  # fmt: skip
"""Names of `tensorflow.train`."""
