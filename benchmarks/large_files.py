"""A model of 1 GiB: how long its file is written and read, beside Keras, and how long a checkpoint delays training.

    python benchmarks/large_files.py FOLDER          all of it, each part in a process of its own
    python benchmarks/large_files.py FOLDER PART     save-lamina, save-keras, load-lamina, load-keras or checkpoint

Seconds by the clock, and of processor time. The file that was read last is in the memory of the system for all alike.
"""

import importlib
import os
import pathlib
import shutil
import subprocess
import sys
import time

import numpy as np

WIDTH, DEPTH = 4096, 16  # kernels of 64 MiB
PARTS = ("save-lamina", "save-keras", "load-lamina", "load-keras", "load-lamina", "load-keras", "checkpoint")


def model_of(keras):
    """A model whose weights take 1 GiB."""
    dense = [keras.layers.Dense(WIDTH, use_bias=False, kernel_initializer="ones") for _ in range(DEPTH)]
    return keras.Sequential([keras.Input((WIDTH,)), *dense])


def told(part, began, processor):
    print(f"{part:<24} {time.perf_counter() - began:7.2f} s {time.process_time() - processor:7.2f} s", flush=True)


def checkpoint(folder):
    """How much longer the steps take in which the run is saved and noted. The same steps are made without `resume=`
    too, in turn, twice."""
    import lamina as keras

    class Times(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.all = []

        def on_train_batch_end(self, batch, logs=None):
            float((logs or {})["loss"])  # the step has ended
            self.all.append(time.perf_counter())

    model, x = model_of(keras), np.zeros((24, WIDTH), "float32")
    model.compile(keras.optimizers.SGD(1e-9), "mse")
    for saved in (False, False, True, False, True):  # the first time it compiles
        times, run = Times(), keras.callbacks.Resume(folder / "run", 14) if saved else None
        model.fit(x, x, batch_size=1, verbose=0, callbacks=[times], resume=run)
        steps = np.diff(times.all)
        told = f"a step {np.median(steps):.2f} s, the longest {steps.max():.2f} s, all {steps.sum():.1f} s"
        print(f"{'with' if saved else 'without'} resume=: {told}", flush=True)
        shutil.rmtree(folder / "run", ignore_errors=True)


def run(part, folder):
    action, _, name = part.partition("-")
    if action == "checkpoint":
        return checkpoint(folder)
    keras = importlib.import_module(name)
    path, model = folder / f"{name}.keras", model_of(keras) if action == "save" else None
    began, processor = time.perf_counter(), time.process_time()
    if model is not None:
        model.save(path)
    else:
        model = keras.models.load_model(path, compile=False)
        assert float(np.asarray(model.layers[-1].kernel)[-1, -1]) == 1.0
    told(part, began, processor)


if __name__ == "__main__":
    place = pathlib.Path(sys.argv[1])
    if len(sys.argv) == 3:
        run(sys.argv[2], place)
    else:
        environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
        for part in PARTS:
            subprocess.run([sys.executable, __file__, str(place), part], env=environment, check=True)
