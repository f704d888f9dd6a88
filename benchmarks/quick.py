"""lamina beside Keras on JAX, the same work in turns in one process: microseconds a training step, and their ratio.

    KERAS_BACKEND=jax .venv/bin/python benchmarks/quick.py

Each model is compiled and warmed up; then the two libraries take turns, so that what else the machine does hits both;
the fastest turn of each counts.
"""

import importlib
import os
import platform
import subprocess
import sys
import time

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "jax")
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


def fastest(runs):
    """Microseconds a step of each run, its fastest turn; the runs take turns."""
    for run in runs:
        run()
    times = [float("inf")] * len(runs)
    for _ in range(TURNS):
        for index, run in enumerate(runs):
            start = time.perf_counter()
            steps = run()
            times[index] = min(times[index], (time.perf_counter() - start) / steps * 1e6)
    return times


def import_time(name):
    """Microseconds until a new process has imported a library and its models, the fastest of five."""
    program = f"import time; t = time.perf_counter(); import {name}; {name}.Sequential; print(time.perf_counter() - t)"
    command = [sys.executable, "-c", program]
    return min(float(subprocess.check_output(command, stderr=subprocess.DEVNULL)) for _ in range(5)) * 1e6


def main():
    """Print the table."""
    libraries = [importlib.import_module(name) for name in ("lamina", "keras")]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Keras {libraries[1].__version__} on JAX. Microseconds.\n")
    print("| what | lamina | Keras | Keras / lamina |\n|---|---|---|---|")
    for kind in (training, predicting):
        for make in (dense, regression, cnn_1d, lstm, cnn_2d) if kind is training else (dense,):
            ours, theirs = fastest([kind(library, make) for library in libraries])
            print(
                f"| {kind.__name__}: {make.__doc__} | {ours:,.0f} | {theirs:,.0f} | {theirs / ours:.1f} |", flush=True
            )
    ours, theirs = import_time("lamina"), import_time("keras")
    print(f"| import, up to `keras.Sequential` | {ours:,.0f} | {theirs:,.0f} | {theirs / ours:.1f} |")


if __name__ == "__main__":
    main()
