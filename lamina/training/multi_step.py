"""Many training steps in one program, where no callback looks at single steps.

The start of a program takes longer than the arithmetic of a small model. Microseconds per step on two CPU cores, batch
32, with one and with 16 steps in a program: Dense 9-64-64-1 47 and 12; 784-32-10 98 and 80; 784-128-10 270 and 158;
784-512-512-10 1,150 and 1,070. The results are the same to the bit. XLA's convolutions are many times slower inside a
loop on a CPU, and a step that has a loop itself gains nothing: so only models of the layers below are trained this way.
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
MAX_STEPS = 64  # in one program
MAX_OPERATIONS = 1e9  # in one program: it ends, and Ctrl-C takes effect, within a tenth of a second
MIN_STEPS_TO_FUSE = 1000  # of all runs together: fewer do not save the time of loading one more program from the disk


def many_steps(model: Any, batches: Any, callbacks: Any, epochs: int) -> ManySteps | None:
    """ManySteps for a run of `fit`, or None if each step is a program of its own.

    Args:
        model: Model to train.
        batches: Batches of the training.
        callbacks: CallbackList of the run.
        epochs: Epochs to train.
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
    """Whether the data is arrays that fit onto the device, in their order or in a new order each epoch."""
    if type(batches) is not ArrayBatches or batches.steps is not None or batches.host_step is not None:
        return False
    dense = all(isinstance(leaf, (np.ndarray, jax.Array)) for leaf in batches.leaves)
    return dense and batches.shuffle in (True, False) and batches.fits_on_device


def _has_known_step(model):
    kind = type(model)
    return all(is_builtin(method) for method in (kind.train_step, kind.compute_metrics, kind.get_metrics_result))


def _is_of_known_layers(operation):
    """Whether it is one of lamina's own LAYERS, or a graph of them."""
    if not is_builtin(type(operation)):
        return False
    if not hasattr(operation, "_graph"):
        return type(operation).__name__ in LAYERS
    return operation._graph is not None and all(map(_is_of_known_layers, operation.operations))


class ManySteps:
    """Epochs over data on the device, with several steps in one program.

    Args:
        runner: Runner of the model.
        batches: ArrayBatches of the training.
        together: Most steps of a program.
        watched: Whether callbacks may change the user's arrays in place: each epoch then copies them again.
    """

    def __init__(self, runner: Any, batches: ArrayBatches, together: int, watched: bool):
        self.runner = runner
        self.batches = batches
        self.together = together
        self.watched = watched
        self.arrays: Any = None

    def epoch(self, progress: Any, interrupts: Any) -> Any:
        """Train for an epoch; returns the logs at its end, still on the device.

        Args:
            progress: Progress of the run.
            interrupts: Interrupts that are open.
        """
        runner, done, logs = self.runner, 0, {}
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
            interrupts.release()
            progress.update(done, logs)
            if runner.model.stop_training:
                break
        self.batches.end_epoch()
        return logs
