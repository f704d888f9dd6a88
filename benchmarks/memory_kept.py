"""How much a process grows over rounds of build, fit and drop, without a collection of garbage.

python benchmarks/memory_kept.py 150
python benchmarks/memory_kept.py 100 keras      # Keras on JAX
python benchmarks/memory_kept.py 200 --tuner    # trials of KerasTuner
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import pathlib
import tempfile
from typing import Any

import numpy as np


def resident() -> float:
    """Megabytes of the process that are in memory."""
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def compiled_model(keras: Any, units: int) -> Any:
    """A small model."""
    hidden = [keras.layers.Dense(units, activation="relu"), keras.layers.Dense(16, activation="relu")]
    model = keras.Sequential([keras.Input((20,)), *hidden, keras.layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", type=int, nargs="?", default=150)
    parser.add_argument("library", choices=["lamina", "keras"], nargs="?", default="lamina")
    parser.add_argument("--tuner", action="store_true", help="let KerasTuner make the rounds")
    options = parser.parse_args()
    os.environ["KERAS_BACKEND"] = "jax"
    keras = importlib.import_module(options.library)
    x, y = np.ones((64, 20), "float32"), np.ones((64, 1), "float32")

    def one(units: int = 32) -> None:
        compiled_model(keras, units).fit(x, y, verbose=0)

    one()
    one()
    gc.collect()
    gc.disable()
    before = resident()
    if options.tuner:
        if options.library == "lamina":
            keras.as_keras()  # which KerasTuner imports
        tuner: Any = importlib.import_module("keras_tuner")
        with tempfile.TemporaryDirectory() as folder:
            search = tuner.RandomSearch(
                lambda hp: compiled_model(keras, hp.Int("units", 1, 10_000)),
                objective="loss", max_trials=options.rounds, directory=folder,
            )  # fmt: skip
            search.search(x, y, verbose=0)
    else:
        for count in range(1, options.rounds + 1):
            one(16 + count % 32)
            if count % 50 == 0:
                print(f"{count} rounds: {resident() - before:+.0f} MB", flush=True)
    print(f"after {options.rounds} rounds: {resident() - before:+.0f} MB; ", end="")
    gc.collect()
    print(f"after a collection: {resident() - before:+.0f} MB")


if __name__ == "__main__":
    main()
