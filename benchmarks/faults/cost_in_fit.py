"""`python -m benchmarks.faults.cost_in_fit`: processor time of the checks in `fit`, beside that of the first step."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

os.environ["LAMINA_CACHE_DIR"] = "off"  # a first step that is compiled

import lamina as keras
from benchmarks.faults.data import images, rows, texts
from lamina import layers
from lamina.check import at_fit, first_steps

__all__ = ["Clock", "shares"]


class Clock:
    """Adds up the processor time that functions take on their thread.

    Attributes:
        seconds: The sum.
    """

    def __init__(self) -> None:
        self.seconds: float = 0.0

    def timed(self, function: Any) -> Any:
        """A function that does the same, and is timed.

        Args:
            function: Function.
        """

        def run(*args, **kwargs):
            start = time.thread_time()  # not that of the threads of the steps, which go on meanwhile
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds += time.thread_time() - start

        return run


def networks() -> dict[str, Any]:
    """Name -> a function that makes (model, x, y)."""

    def dense():
        model = keras.Sequential([keras.Input((64,)), *(layers.Dense(256, "relu") for _ in range(3)), layers.Dense(10)])
        return model, rows(64, 4096), np.arange(4096) % 10

    def convolutions():
        model = keras.Sequential([keras.Input((32, 32, 3))])
        for filters in (16, 32, 64, 64):
            for layer in (layers.Conv2D(filters, 3, padding="same"), layers.BatchNormalization(), layers.ReLU()):
                model.add(layer)
            model.add(layers.MaxPooling2D())
        model.add(layers.Flatten())
        model.add(layers.Dense(10))
        return model, images(32, 3, 10, count=1024)[0], np.arange(1024) % 10

    def attention():
        inputs = keras.Input((64,), dtype="int32")
        z = layers.Embedding(1000, 64)(inputs) + layers.Embedding(64, 64)(keras.ops.arange(64))
        for _ in range(4):
            z = z + layers.MultiHeadAttention(4, 16)(layers.LayerNormalization()(z), z)
            z = z + layers.Dense(64)(layers.Dense(256, "gelu")(layers.LayerNormalization()(z)))
        model = keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling1D()(z)))
        return model, texts(64, 1000, count=2048)[0], np.arange(2048) % 10

    return {"four Dense": dense, "four convolutions": convolutions, "four blocks of attention": attention}


def shares(make: Any) -> tuple[float, float]:
    """(seconds of the processor that checks take in a new model's first `fit` of 20 steps, those of its first step).

    Args:
        make: Function that makes (model, x, y).
    """
    model, x, y = make()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    keras.config.set_checks("off")
    start = time.process_time()
    model.fit(x[:32], y[:32], verbose=0)
    first = time.process_time() - start
    keras.config.set_checks("warn")
    clock, kept = Clock(), (at_fit._look, at_fit._Batchwise.__call__, first_steps.FirstSteps)
    at_fit._look = clock.timed(kept[0])
    maker = first_steps.FirstSteps
    before = maker.__init__, maker.after
    maker.__init__, maker.after = clock.timed(maker.__init__), clock.timed(maker.after)
    try:
        model.fit(x[: 20 * 32], y[: 20 * 32], verbose=2)
    finally:
        at_fit._look = kept[0]
        maker.__init__, maker.after = before
    return clock.seconds, first


def main() -> None:
    """Run the command."""
    shares(networks()["four Dense"])  # what is imported and compiled once
    for name, make in networks().items():
        taken, first = zip(*(shares(make) for _ in range(3)), strict=True)
        taken, first = sorted(taken)[1], sorted(first)[1]
        print(f"{name}: checks {taken * 1e3:.1f} ms, the first step {first * 1e3:.0f} ms, {taken / first:.2%}")


if __name__ == "__main__":
    main()
