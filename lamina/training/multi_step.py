"""Run many training steps in one program if no callback needs to see single steps.

For small models, starting a program takes longer than its arithmetic. Microseconds per step on two CPU cores with batch
size 32, with 1 and with 16 steps per program: Dense 9-64-64-1, 47 and 12; 784-32-10, 98 and 80; 784-128-10, 270 and
158; 784-512-512-10, 1,150 and 1,070. The results are identical to the bit. On a CPU, XLA's convolutions are many times
slower inside a loop, and steps that contain a loop gain nothing. Therefore only models made of the layers below are
trained this way.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.callbacks import History, ProgbarLogger
from lamina.core.registry import is_builtin
from lamina.training.data.arrays import ArrayBatches, Stretch

__all__ = ["ManySteps", "many_steps"]

LAYERS = frozenset((
    "Activation", "Add", "BatchNormalization", "Concatenate", "Dense", "Dropout", "ELU", "Flatten", "GaussianNoise",
    "Identity", "InputLayer", "LayerNormalization", "LeakyReLU", "Multiply", "Normalization", "PReLU", "ReLU",
    "Rescaling", "Reshape", "Softmax", "Subtract",
))  # fmt: skip
MAX_STEPS = 64  # per program
MAX_OPERATIONS = 1e9  # per program, so that it ends within a tenth of a second and Ctrl-C takes effect
MIN_STEPS_TO_FUSE = 1000  # over all runs; with fewer steps, loading another program from disk takes longer


def many_steps(model: Any, batches: Any, callbacks: Any, epochs: int) -> ManySteps | None:
    """A ManySteps for a run of `fit`, or None if each step has to be a separate program.

    Args:
        model: Model to train.
        batches: Training batches.
        callbacks: CallbackList of the run.
        epochs: Number of epochs to train.
    """
    requested, runner = model.steps_per_execution, model._runner
    alone = runner.guard is None and runner.sharded is None and not model.run_eagerly and not callbacks.wants("train")
    if not alone or not _is_plain(batches) or not _has_known_step(model):
        return None
    if jax.default_backend() == "cpu" and not _is_of_known_layers(model):
        return None
    full, size = batches.num_samples // batches.batch_size, batches.batch_size
    each = 6 * size * sum(variable.size for variable in model.trainable_variables)
    together = min(MAX_STEPS, int(MAX_OPERATIONS / max(each, 1))) if requested == 1 else requested
    runner.steps_requested += epochs * full
    many = jax.default_backend() == "cpu" and runner.steps_requested >= MIN_STEPS_TO_FUSE
    if not (many or requested > 1) or min(together, full) < 2:
        return None
    watched = any(type(callback) not in (History, ProgbarLogger) for callback in callbacks.callbacks)
    return ManySteps(runner, batches, together, watched)


def _is_plain(batches):
    """Whether the data is arrays that fit into device memory, in their original order or reshuffled each epoch."""
    if type(batches) is not ArrayBatches or batches.steps is not None or batches.host_step is not None:
        return False
    dense = all(isinstance(leaf, (np.ndarray, jax.Array)) for leaf in batches.leaves)
    return dense and batches.shuffle in (True, False) and batches.fits_on_device


def _has_known_step(model):
    kind = type(model)
    return all(is_builtin(method) for method in (kind.train_step, kind.compute_metrics, kind.get_metrics_result))


def _is_of_known_layers(operation):
    """Whether the operation is one of lamina's own LAYERS, or a graph of them."""
    if not is_builtin(type(operation)):
        return False
    if not hasattr(operation, "_graph"):
        return type(operation).__name__ in LAYERS
    return operation._graph is not None and all(map(_is_of_known_layers, operation.operations))


class ManySteps:
    """Trains epochs on data in device memory, with several steps per program.

    Args:
        runner: Runner of the model.
        batches: Training data as ArrayBatches.
        together: Maximum number of steps per program.
        watched: Whether callbacks may modify the user's arrays in place. If so, each epoch copies the arrays again.
    """

    def __init__(self, runner: Any, batches: ArrayBatches, together: int, watched: bool):
        self.runner = runner
        self.batches = batches
        self.together = together
        self.watched = watched
        self.arrays: Any = None
        # After the last program:
        self.done: int = 0
        self.logs: dict[str, Any] = {}
        self.position: tuple[Any, int] = (None, 0)

    def epoch(self, progress: Any, interrupts: Any) -> Any:
        """Train for one epoch. Returns the logs at its end as device arrays.

        Args:
            progress: Progress of the run.
            interrupts: Open Interrupts.
        """
        runner, done, logs = self.runner, 0, {}
        self.done, self.logs, self.position = 0, {}, (None, 0)
        if self.arrays is None or self.watched:
            self.arrays = self.batches.structure.unflatten(map(jnp.asarray, self.batches.leaves))
        for part in self.batches.stretches(self.together):
            interrupts.hold()
            if isinstance(part, Stretch):
                logs = runner.train_many(self.batches.batch_size, self.arrays, part)
                done += part.steps
            else:
                logs = runner.train(part)
                done += 1
            self.done, self.logs, self.position = done, logs, self.batches.position()
            interrupts.release()
            progress.update(done, logs)
            interrupts.check()
            if runner.model.stop_training:
                break
        self.batches.end_epoch()
        return logs
