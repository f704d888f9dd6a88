"""`lamina bench`: microseconds a training step, a prediction and an import, also beside Keras on JAX.

Each model is compiled and warmed up; then the libraries take turns in one process, so that what else the machine does
hits both; the fastest turn of each counts.
"""

import importlib
import importlib.util
import json
import os
import platform
import subprocess
import sys
import time

import jax
import numpy as np

from lamina.errors import CallError

__all__ = ["fastest", "import_time", "main", "measure", "print_table"]

TURNS = 7


def dense(keras, units=128):
    """Dense 784-units-10."""
    layers = keras.layers
    model = [keras.Input((784,)), layers.Dense(units, activation="relu"), layers.Dense(10, activation="softmax")]
    return keras.Sequential(model), (784,), 10


def regression(keras):
    """9-64-64-1, as for Auto MPG."""
    layers = keras.layers
    model = [keras.Input((9,)), *(layers.Dense(64, activation="relu") for _ in range(2)), layers.Dense(1)]
    return keras.Sequential(model), (9,), None


def cnn_1d(keras):
    """The 1-D CNN of the guide."""
    layers = keras.layers
    model = [
        keras.Input((20, 1)),
        layers.Conv1D(128, 5, strides=2, padding="same"),
        layers.Dense(256, activation="relu"),
        layers.MaxPooling1D(),
        layers.Conv1D(128, 3, padding="same"),
        layers.Dense(64, activation="relu"),
        layers.MaxPooling1D(),
        layers.Flatten(),
        layers.Dense(32, activation="relu"),
        layers.Dense(2, activation="softmax"),
    ]
    return keras.Sequential(model), (20, 1), 2


def lstm(keras):
    """LSTM(64) over 50 steps."""
    layers = keras.layers
    model = [keras.Input((50, 12)), layers.LSTM(64), layers.Dense(9, activation="softmax")]
    return keras.Sequential(model), (50, 12), 9


def cnn_2d(keras):
    """Two convolutions on 28x28 images."""
    layers = keras.layers
    model = [
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ]
    return keras.Sequential(model), (28, 28, 1), 10


def compiled(keras, make):
    """A model ready to train, and its data: 50 batches of 32."""
    model, shape, classes = make(keras)
    random = np.random.default_rng(0)
    x = random.normal(size=(1600, *shape)).astype("float32")
    y = random.normal(size=(1600, 1)).astype("float32") if classes is None else random.integers(0, classes, 1600)
    loss = "mse" if classes is None else "sparse_categorical_crossentropy"
    model.compile("adam", loss, metrics=[] if classes is None else ["accuracy"])
    return model, x, y


def training(keras, make):
    """A function that trains two epochs and says how many steps those were."""
    model, x, y = compiled(keras, make)

    def train():
        model.fit(x, y, batch_size=32, epochs=2, verbose=0)
        return 2 * len(x) // 32

    return train


def predicting(keras, make):
    """A function that predicts one sample, twenty times."""
    model, x, _ = compiled(keras, make)

    def predict():
        for _ in range(20):
            model.predict(x[:1], verbose=0)
        return 20

    return predict


def fastest(runs, turns=TURNS):
    """Microseconds a step of each run, its fastest turn; the runs take turns."""
    for run in runs:
        run()
    times = [float("inf")] * len(runs)
    for _ in range(turns):
        for index, run in enumerate(runs):
            start = time.perf_counter()
            steps = run()
            times[index] = min(times[index], (time.perf_counter() - start) / steps * 1e6)
    return times


def import_time(name, turns=5):
    """Microseconds until a new process has imported a library and its models, the fastest of five."""
    program = f"import time; t = time.perf_counter(); import {name}; {name}.Sequential; print(time.perf_counter() - t)"
    command = [sys.executable, "-c", program]
    return min(float(subprocess.check_output(command, stderr=subprocess.DEVNULL)) for _ in range(turns)) * 1e6


MODELS = {make.__name__: make for make in (dense, regression, cnn_1d, lstm, cnn_2d)}
WORK = {
    **{name: (f"training: {make.__doc__}", training, make) for name, make in MODELS.items()},
    "predict": (f"predicting one sample: {dense.__doc__}", predicting, dense),
}
"""name -> (what it is called, function that makes the run, model)."""


def measure(libraries, only=None, turns=TURNS):
    """Yields (what, [microseconds of each library]) for each piece of work.

    Args:
        libraries: names of modules that have the Keras API.
        only: names of pieces of work; all if None.
    """
    modules = [importlib.import_module(name) for name in libraries]
    names = only or [*WORK, "import"]
    for name in names:
        if name == "import":
            yield "import, up to `keras.Sequential`", [import_time(library) for library in libraries]
            continue
        what, kind, make = WORK[name]
        yield what, fastest([kind(module, make) for module in modules], turns)


def print_table(libraries, rows):
    """The rows as a table in Markdown, each when it is there."""
    heads = ["what", *libraries, *([f"{libraries[1]} / {libraries[0]}"] if len(libraries) > 1 else [])]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for what, times in rows:
        cells = [
            what,
            *(f"{value:,.0f}" for value in times),
            *([f"{times[1] / times[0]:.1f}"] if len(times) > 1 else []),
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


def main(args):
    """Measure, and print a table or JSON."""
    unknown = sorted(set(args.only or ()) - {*WORK, "import"})
    if unknown:
        raise CallError(f"There is no work called {', '.join(unknown)}.", fix=f"There is: {', '.join(WORK)}, import.")
    libraries = ["lamina", *([args.beside] if args.beside else [])]
    if args.beside:
        if importlib.util.find_spec("keras") is None:
            raise CallError("Keras is not installed here.", fix="pip install keras, or leave out --beside.")
        os.environ.setdefault("KERAS_BACKEND", "jax")
    machine = {
        "machine": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version(),
        "jax": jax.__version__, "device": jax.devices()[0].device_kind,
    }  # fmt: skip
    rows = measure(libraries, args.only, args.turns)
    if args.json:
        found = [{"what": what, **dict(zip(libraries, times, strict=True))} for what, times in rows]
        print(json.dumps({**machine, "microseconds": found}, indent=2))
        return
    print(", ".join(f"{name} {value}" for name, value in machine.items()) + ". Microseconds.\n")
    print_table(libraries, rows)
