"""find_batch_size: the largest batch whose training step fits in memory."""

from __future__ import annotations

import os
from typing import Any

import jax

from lamina.core import context, tree
from lamina.core.typing import PyTree
from lamina.drawing.axes import GREY, PALETTE, Axes
from lamina.drawing.canvas import Picture
from lamina.drawing.figure import Figure
from lamina.errors import ConfigError, DataError, OutOfMemoryError
from lamina.utils.kept_state import on_trial

__all__ = ["BatchSizes", "find_batch_size"]

_WIDTH, _HEIGHT = 420, 260


class BatchSizes(Figure):
    """The memory of a training step by size of the batch. Printed, it is text; a notebook shows a plot.

    Args:
        memory: Size of the batch -> bytes of its step; None where the device ran out of memory.
        limit: Bytes that there are.
        samples: Samples of the data, which are the largest batch.

    Attributes:
        suggestion: The largest size that fits, or None.
        memory: Size of the batch -> bytes of its step.
        limit: Bytes that there are.

    >>> BatchSizes({32: 2**20, 64: 2**21, 128: 2**22}, limit=3 * 2**20, samples=1000)
    Batch size: 64 (2.0 MB of 3.0 MB; 128 needs 4.0 MB)
    """

    memory: Any
    limit: int

    def __init__(self, memory: dict[int, int | None], limit: int, samples: int):
        self.memory, self.limit = memory, limit
        fit = [size for size, needed in memory.items() if needed is not None and needed <= limit]
        self.suggestion: int | None = max(fit, default=None)
        largest = max(memory)
        beyond = memory[largest]
        if self.suggestion is None:
            text = f"Batch size: none fits, {largest} needs {_size(beyond)} of {_size(limit)}"
        elif largest == self.suggestion:
            text = (
                f"Batch size: {largest} ({_size(beyond)} of {_size(limit)}; more was not tried, of {samples} samples)"
            )
        else:
            inside = _size(memory[self.suggestion])
            text = f"Batch size: {self.suggestion} ({inside} of {_size(limit)}; {largest} needs {_size(beyond)})"
        numbers = {"suggestion": self.suggestion, "memory": memory, "limit": limit}
        super().__init__("Memory of a training step", text, self._plot, label=text, numbers=numbers)

    def _plot(self):
        picture = Picture(_WIDTH, _HEIGHT)
        points = [(size, needed / 2**20) for size, needed in self.memory.items() if needed is not None]
        ends = min(self.memory), max(max(self.memory), min(self.memory) + 1)
        top = max([needed for _, needed in points] + [min(self.limit / 2**20, 4 * points[-1][1])]) * 1.05
        axes = Axes(picture, (0, 0), (_WIDTH, _HEIGHT), ends, (0, top), "MB of a training step", "batch size",
                    x_ticks=sorted(self.memory)[-5:], log_x=True)  # fmt: skip
        axes.line([(size, self.limit / 2**20) for size in ends], GREY, 1.5)
        axes.line(points)
        axes.points(points)
        if self.suggestion is not None:
            axes.legend(f"largest that fits: {self.suggestion}", PALETTE[1])
            axes.points([point for point in points if point[0] == self.suggestion], PALETTE[1])
        return picture


def find_batch_size(
    model: Any,
    x: PyTree,
    y: PyTree = None,
    sample_weight: PyTree = None,
    min_batch_size: int = 1,
    max_batch_size: int | None = None,
    memory: int | None = None,
) -> BatchSizes:
    """Find the largest batch whose training step fits in memory, by doubling.

    The step is compiled for each size, and XLA tells the memory it needs: weights, slots of the optimizer, batch,
    gradients and intermediate results. On a GPU or TPU each size that should fit also trains one step. Afterwards the
    model, its optimizer and all seeds are as before, to the bit.

    Args:
        model: Compiled model.
        x: Inputs as an array, or a list or dict of arrays.
        y: Targets as arrays.
        sample_weight: Weights of the samples.
        min_batch_size: First size.
        max_batch_size: Largest size. None means the number of samples.
        memory: Bytes that may be used. None means what the device has; on a CPU what the machine has free.

    Returns:
        A BatchSizes, a Figure with `suggestion`, `memory` (bytes by size) and `limit`.

    Raises:
        CallError: If the model is not compiled.
        ConfigError: For sizes that are not 0 < min <= max.
        DataError: If the data are not arrays, or do not fit the model.

    >>> import numpy as np
    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(64), keras.layers.Dense(1)])
    >>> model.compile("adam", "mse")
    >>> found = find_batch_size(model, np.zeros((4096, 64)), np.zeros((4096, 1)), min_batch_size=256, memory=2_000_000)
    >>> found.suggestion in (512, 1024, 2048)
    True
    """
    leaves = (
        [] if hasattr(x, "__next__") else [leaf for leaf in tree.flatten((x, y, sample_weight)) if leaf is not None]
    )
    if not leaves or not all(hasattr(leaf, "shape") and len(leaf.shape) for leaf in leaves):
        raise DataError(
            f"find_batch_size needs arrays, of which it takes batches; got {type(x).__name__}.",
            fix="x, y = next(iter(data)); keras.utils.find_batch_size(model, np.asarray(x), np.asarray(y))",
        )
    samples = len(leaves[0])
    last = min(samples, max_batch_size or samples)
    if not 0 < min_batch_size <= last:
        raise ConfigError(
            f"Sizes go from 1 or more to {last}; got min_batch_size={min_batch_size}.", fix="min_batch_size=1"
        )
    found: dict[int, int | None] = {}
    with on_trial(model, x, y, sample_weight, min_batch_size, "find_batch_size") as batches:
        limit = memory or _free()
        size = min_batch_size
        while True:
            batch = batches.peek() if size == min_batch_size else _batch(model, x, y, sample_weight, size)
            found[size] = needed = _bytes_of(model, batch)
            if needed > limit:
                break
            if jax.default_backend() != "cpu" and not _runs(model, batch):
                found[size] = None
                break
            if size == last:
                break
            size = min(2 * size, last)
    return BatchSizes(found, limit, samples)


def _batch(model, x, y, sample_weight, size):
    return model._batches(x, y, sample_weight, size, None, False).peek()


def _bytes_of(model, batch):
    """What the compiled step needs at once: its arguments, its results that are not arguments, and what is between."""
    runner = model._runner
    program = runner.prepare("train", batch)
    values = [[jax.ShapeDtypeStruct(v.shape, v.read().dtype) for v in runner.groups[group]]
              for group in ("trainable", "others", "optimizer", "metrics")]  # fmt: skip
    *donated, metrics = values
    data = batch if runner.sharded is None else runner.sharded.batch(batch)
    jitted = program if hasattr(program, "lower") else jax.jit(program, donate_argnums=0)  # run_eagerly
    compiled = jitted.lower(tuple(donated), (metrics, {}), context.global_values(), data).compile()
    analysis: Any = compiled.memory_analysis()
    return (
        analysis.argument_size_in_bytes + analysis.output_size_in_bytes + analysis.temp_size_in_bytes
        - analysis.alias_size_in_bytes
    )  # fmt: skip


def _runs(model, batch):
    """Whether a step with the batch has enough memory."""
    try:
        jax.block_until_ready(model._runner.train(batch))
    except (jax.errors.JaxRuntimeError, OutOfMemoryError) as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        return False
    return True


def _free():
    """Bytes that the device has for this process."""
    statistics = jax.local_devices()[0].memory_stats() or {}
    if "bytes_limit" in statistics:
        return statistics["bytes_limit"]
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on POSIX
        raise ConfigError("The free memory of this machine is not known.", fix="memory=8 * 2**30") from None


def _size(count):
    if count is None:
        return "more than there is"
    unit, bytes_of = ("GB", 2**30) if count >= 2**30 else ("MB", 2**20) if count >= 2**20 else ("kB", 2**10)
    return f"{count / bytes_of:.1f} {unit}"
