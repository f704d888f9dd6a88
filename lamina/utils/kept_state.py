"""Run steps of training on trial: afterwards the model, its optimizer and all random states are as they were."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from lamina.callbacks.run_state import read_variables, watch_data, write_variables
from lamina.errors import DataError
from lamina.runtime.random_state import random_states, set_random_states

__all__ = ["on_trial"]


@contextlib.contextmanager
def on_trial(
    model: Any, x: Any, y: Any = None, sample_weight: Any = None, batch_size: int | None = None, caller: str = ""
) -> Iterator[Any]:
    """The batches of `fit`, for steps that leave no trace: at the end of the block every variable that a step
    reads, the seeds, the random states of NumPy and Python and the state of the data are restored, to the bit.

    A model, loss or optimizer that is not built yet is built, as `fit` would.

    Args:
        model: Compiled model.
        x: Inputs, or data that yield batches and can be read again.
        y: Targets.
        sample_weight: Weights of the samples.
        batch_size: Samples per step.
        caller: Name of the function, for errors.

    Raises:
        CallError: The model is not compiled.
        DataError: The data can be read only once.
    """
    model._must_be_compiled(caller)
    if hasattr(x, "__next__"):
        raise DataError(
            f"{caller} needs data that can be read again; got {type(x).__name__}.",
            fix="Pass arrays, or a keras.utils.PyDataset.",
        )
    drawn = random_states()
    batches = model._batches(x, y, sample_weight, batch_size, None, True)
    watch_data(batches)
    state = batches.states()
    flags = {name: getattr(model, name, None) for name in ("stop_training", "history")}
    runner = model._runner
    try:
        runner.prepare("train", batches.peek())
        values = read_variables(model)
        try:
            yield batches
        finally:
            runner.release()
            write_variables(model, values)
            runner.release()
    finally:
        batches.set_states(state)
        set_random_states(drawn)
        for name, value in flags.items():
            setattr(model, name, value)
