"""Run small predictions as one call of lamina-native, if it is installed."""

from __future__ import annotations

import time
from operator import attrgetter
from typing import Any

from lamina.core import context
from lamina.core.registry import is_builtin
from lamina.kernels.native import cpu_kernels
from lamina.training.data.packing import unpack_x_y_sample_weight
from lamina.training.state import peek

__all__ = ["MAX_SHAPES", "PredictWithoutXLA"]

MAX_SHAPES = 16  # input shapes with a cached program; each program holds a copy of the weights

_read_value = attrgetter("_value")


class PredictWithoutXLA:
    """Predicts with lamina-native programs, one for each input shape.

    Attributes:
        programs: (shape, dtype) of the inputs -> program, or None if XLA has to predict.
    """

    programs: Any

    def __init__(self) -> None:
        self.programs = {}
        self._with_xla_too = set()  # keys of programs for which XLA has predicted once

    def __call__(self, runner: Any, compiled: Any, batch: Any) -> Any:
        """The outputs for a batch, or None if XLA has to predict.

        Args:
            runner: Runner of the model.
            compiled: The XLA program for predictions.
            batch: Inputs, or inputs with targets and sample weights.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(batch)
        key = getattr(x, "shape", None), getattr(x, "dtype", None)
        if key[0] is None:
            return None
        if (y is not None or sample_weight is not None) and not is_builtin(type(runner.model).predict_step):
            return None  # a custom predict_step may read them
        if key not in self.programs:
            self._add(runner, key, compiled, x)
        program = self.programs[key]
        if program is None:
            return None
        outputs = program(x)
        if outputs is None and key not in self._with_xla_too:
            self._with_xla_too.add(key)  # JAX has traced this shape already, so the recorder would not see it
            runner.recorder.traced("predict", compiled.__name__, batch)
        return outputs

    def _add(self, runner, key, compiled, x):
        native = cpu_kernels()
        eager = native is None or runner.model.run_eagerly
        self.programs[key] = None if eager else _translate(runner, native, compiled, x)
        kept = [key for key, program in self.programs.items() if program is not None]
        if len(kept) > MAX_SHAPES:
            del self.programs[kept[0]]


def _translate(runner, native, compiled, x):
    since = None
    groups = runner.groups["trainable"], runner.groups["others"]

    def trace():
        nonlocal since
        traced = compiled.trace((), tuple(map(peek, groups)), context.global_values(), (x, None, None))
        since = time.perf_counter()
        return traced

    try:
        program = native.translate_program(trace, [*groups[0], *groups[1]], _read_value, x)
    except BaseException:  # raised inside a layer's call
        runner.recorder.finish()
        raise
    if program is not None:
        runner.recorder.finish(since)
    return program
