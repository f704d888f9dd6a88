"""Calls outside of a compiled step: layers, operations, losses, metrics, optimizers and small models on arrays.

python benchmarks/eager_calls.py                # every library that is installed, in processes that take turns
python benchmarks/eager_calls.py --rounds 5 --json eager.json
python benchmarks/eager_calls.py --libraries lamina torch --cases Dense

Processor time of the whole process, in microseconds a call: the medians over the rounds. The libraries are lamina,
Keras on its three backends (eager TensorFlow is one), and PyTorch as its users write it. Every result is waited for.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

LIBRARIES = "lamina", "keras-jax", "keras-tensorflow", "keras-torch", "torch"
Cases = dict[str, Callable[[], Any]]


def arrays() -> dict[str, np.ndarray]:
    """The data of all cases."""
    generator = np.random.default_rng(0)
    shapes = {"rows": (32, 64), "other": (32, 64), "square": (64, 64), "image": (8, 28, 28, 8), "series": (16, 20, 16)}
    data = {name: generator.normal(size=shape).astype("float32") for name, shape in shapes.items()}
    return data | {"tokens": generator.integers(0, 100, (16, 20)), "classes": generator.integers(0, 10, 32)}


def keras_cases(keras: Any) -> Cases:
    """The cases of a library with the API of Keras."""
    ops, layers = keras.ops, keras.layers
    t = {name: ops.convert_to_tensor(value) for name, value in arrays().items()}
    rows, other, square, image, series, tokens = (
        t[name] for name in ("rows", "other", "square", "image", "series", "tokens")
    )
    cases: Cases = {
        "ops.add": lambda: ops.add(rows, other),
        "ops.multiply by a number": lambda: ops.multiply(rows, 2.0),
        "ops.matmul": lambda: ops.matmul(rows, square),
        "ops.exp": lambda: ops.exp(rows),
        "ops.relu": lambda: ops.relu(rows),
        "ops.softmax": lambda: ops.softmax(rows),
        "ops.sum": lambda: ops.sum(rows, axis=-1),
        "ops.mean": lambda: ops.mean(rows),
        "ops.argmax": lambda: ops.argmax(rows, axis=-1),
        "ops.reshape": lambda: ops.reshape(rows, (64, 32)),
        "ops.transpose": lambda: ops.transpose(rows),
        "ops.concatenate": lambda: ops.concatenate([rows, other], axis=-1),
        "ops.stack": lambda: ops.stack([rows, other]),
        "ops.where": lambda: ops.where(rows > 0, rows, other),
        "ops.cast": lambda: ops.cast(rows, "int32"),
        "ops.one_hot": lambda: ops.one_hot(t["classes"], 10),
        "ops.einsum": lambda: ops.einsum("ij,jk->ik", rows, square),
        "ops.slice by [ ]": lambda: rows[:, :8],
        "a * b + c": lambda: rows * other + rows,
    }
    made = {
        "Dense": (layers.Dense(64, activation="relu"), rows), "Conv2D": (layers.Conv2D(8, 3, padding="same"), image),
        "Conv2D, strides": (layers.Conv2D(16, 3, strides=2, activation="relu"), image),
        "DepthwiseConv2D": (layers.DepthwiseConv2D(3), image),
        "Conv2DTranspose": (layers.Conv2DTranspose(4, 3, strides=2), image),
        "MaxPooling2D": (layers.MaxPooling2D(), image),
        "GlobalAveragePooling2D": (layers.GlobalAveragePooling2D(), image),
        "BatchNormalization": (layers.BatchNormalization(), image),
        "LayerNormalization": (layers.LayerNormalization(), rows),
        "Embedding": (layers.Embedding(100, 16), tokens), "Flatten": (layers.Flatten(), image),
        "Activation": (layers.Activation("gelu"), rows),
        "LSTM": (layers.LSTM(32), series), "GRU": (layers.GRU(32), series), "SimpleRNN": (layers.SimpleRNN(32), series),
        "Bidirectional": (layers.Bidirectional(layers.LSTM(16)), series),
        "TimeDistributed": (layers.TimeDistributed(layers.Dense(8)), series),
    }  # fmt: skip
    for name, (layer, x) in made.items():
        cases[f"layers.{name}"] = lambda layer=layer, x=x: layer(x)
    attention, add, concatenate = layers.MultiHeadAttention(2, 8), layers.Add(), layers.Concatenate()
    cases["layers.MultiHeadAttention"] = lambda: attention(series, series)
    cases["layers.Add"] = lambda: add([rows, other])
    cases["layers.Concatenate"] = lambda: concatenate([rows, other])
    dropout, normalization = layers.Dropout(0.5), layers.BatchNormalization()
    cases["layers.Dropout, training"] = lambda: dropout(rows, training=True)
    cases["layers.BatchNormalization, training"] = lambda: normalization(rows, training=True)
    return cases | keras_models(keras, t) | keras_training(keras, t)


def keras_models(keras: Any, t: dict[str, Any]) -> Cases:
    """Models that are called on a small batch."""
    layers = keras.layers
    dense = keras.Sequential(
        [keras.Input((64,)), layers.Dense(32, "relu"), layers.Dense(32, "relu"), layers.Dense(10, "softmax")]
    )
    inputs = keras.Input((28, 28, 8))
    x = layers.MaxPooling2D()(layers.Conv2D(8, 3, activation="relu")(inputs))
    image = keras.Model(inputs, layers.Dense(10)(layers.Flatten()(x)))

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = layers.Dense(32, "relu"), layers.Dense(10)

        def call(self, x):
            return self.second(self.first(x))

    own = Own()
    return {
        "model of 3 Dense": lambda: dense(t["rows"]),
        "model of 3 Dense, 1 sample": lambda x=t["rows"][:1]: dense(x),
        "model of convolutions": lambda: image(t["image"]),
        "model, subclass of 2 Dense": lambda: own(t["rows"]),
    }


def keras_training(keras: Any, t: dict[str, Any]) -> Cases:
    """Losses, metrics and optimizers, outside of `fit`."""
    rows, other, classes, logits = t["rows"], t["other"], t["classes"], t["rows"][:, :10]
    error, entropy = keras.losses.MeanSquaredError(), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    accuracy, mean = keras.metrics.SparseCategoricalAccuracy(), keras.metrics.Mean()
    cases: Cases = {
        "losses.MeanSquaredError": lambda: error(rows, other),
        "losses.SparseCategoricalCrossentropy": lambda: entropy(classes, logits),
        "metrics.SparseCategoricalAccuracy": lambda: (accuracy.update_state(classes, logits), accuracy.result())[1],
        "metrics.Mean": lambda: (mean.update_state(rows), mean.result())[1],
    }
    for name in ("SGD", "Adam"):
        variables = [
            keras.Variable(np.ones(shape, "float32"), name=f"v{i}")
            for i, shape in enumerate([(64, 64), (64,), (64, 10), (10,)])
        ]
        gradients = [keras.ops.ones(v.shape) for v in variables]
        optimizer = getattr(keras.optimizers, name)(1e-3)
        optimizer.build(variables)
        cases[f"optimizers.{name}.apply, 4 variables"] = applied(optimizer, gradients, variables)
    cases["a step by hand, 2 Dense"] = step_by_hand(keras, t)
    return cases


def step_by_hand(keras: Any, t: dict[str, Any]) -> Callable[[], Any]:
    """A step of training that is not compiled, as the backend's users write it."""
    layers, backend = keras.layers, keras.backend.backend()
    model = keras.Sequential([keras.Input((64,)), layers.Dense(32, "relu"), layers.Dense(10)])
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer, x, y = keras.optimizers.SGD(1e-3), t["rows"], t["classes"]
    optimizer.build(model.trainable_variables)
    if backend == "jax":
        library = importlib.import_module("jax")

        def loss_of(values: Any) -> Any:
            return entropy(y, model.stateless_call(values, [], x, training=True)[0])

        def gradients() -> Any:
            return library.grad(loss_of)([v.value for v in model.trainable_variables])

    elif backend == "tensorflow":
        library = importlib.import_module("tensorflow")

        def gradients() -> Any:
            with library.GradientTape() as tape:
                loss = entropy(y, model(x, training=True))
            return tape.gradient(loss, model.trainable_variables)

    else:

        def gradients() -> Any:
            model.zero_grad()
            entropy(y, model(x, training=True)).backward()
            return [v.value.grad for v in model.trainable_variables]

    return applied(optimizer, gradients, model.trainable_variables)


def applied(optimizer: Any, gradients: Any, variables: list[Any]) -> Callable[[], Any]:
    def call() -> Any:
        optimizer.apply(gradients() if callable(gradients) else gradients, variables)
        return [v.value for v in variables]

    return call


def torch_cases(torch: Any) -> Cases:
    """The same calls as a user of PyTorch writes them: channels first, `torch.no_grad` where nothing is trained."""
    nn, F = torch.nn, torch.nn.functional
    t = {name: torch.tensor(value) for name, value in arrays().items()}
    rows, other, square, series, tokens, classes = (
        t[name] for name in ("rows", "other", "square", "series", "tokens", "classes")
    )
    image, logits = t["image"].permute(0, 3, 1, 2).contiguous(), rows[:, :10]
    bare: Cases = {
        "ops.add": lambda: rows + other, "ops.multiply by a number": lambda: rows * 2.0,
        "ops.matmul": lambda: rows @ square,
        "ops.exp": lambda: torch.exp(rows), "ops.relu": lambda: F.relu(rows),
        "ops.softmax": lambda: F.softmax(rows, dim=-1),
        "ops.sum": lambda: rows.sum(-1), "ops.mean": lambda: rows.mean(), "ops.argmax": lambda: rows.argmax(-1),
        "ops.reshape": lambda: rows.reshape(64, 32), "ops.transpose": lambda: rows.T,
        "ops.concatenate": lambda: torch.cat([rows, other], -1),
        "ops.stack": lambda: torch.stack([rows, other]), "ops.where": lambda: torch.where(rows > 0, rows, other),
        "ops.cast": lambda: rows.to(torch.int32), "ops.one_hot": lambda: F.one_hot(classes, 10).float(),
        "ops.einsum": lambda: torch.einsum("ij,jk->ik", rows, square), "ops.slice by [ ]": lambda: rows[:, :8],
        "a * b + c": lambda: rows * other + rows,
        "losses.MeanSquaredError": lambda: F.mse_loss(rows, other),
        "losses.SparseCategoricalCrossentropy": lambda: F.cross_entropy(logits, classes),
        "layers.Add": lambda: rows + other, "layers.Concatenate": lambda: torch.cat([rows, other], -1),
        "layers.Flatten": lambda: image.flatten(1), "layers.Activation": lambda: F.gelu(rows),
        "metrics.SparseCategoricalAccuracy": lambda: (logits.argmax(-1) == classes).float().mean(),
        "metrics.Mean": lambda: rows.mean(),
        "layers.GlobalAveragePooling2D": lambda: image.mean((2, 3)),
        "layers.MaxPooling2D": lambda: F.max_pool2d(image, 2),
    }  # fmt: skip
    lstm, gru, rnn, both = (kind(16, units, batch_first=True, bidirectional=two) for kind, units, two in (
        (nn.LSTM, 32, False), (nn.GRU, 32, False), (nn.RNN, 32, False), (nn.LSTM, 16, True)))  # fmt: skip
    attention = nn.MultiheadAttention(16, 2, batch_first=True)
    made = {
        "Dense": (nn.Sequential(nn.Linear(64, 64), nn.ReLU()), rows), "Conv2D": (nn.Conv2d(8, 8, 3, padding=1), image),
        "Conv2D, strides": (nn.Sequential(nn.Conv2d(8, 16, 3, stride=2), nn.ReLU()), image),
        "DepthwiseConv2D": (nn.Conv2d(8, 8, 3, groups=8), image),
        "Conv2DTranspose": (nn.ConvTranspose2d(8, 4, 3, stride=2), image),
        "BatchNormalization": (nn.BatchNorm2d(8).eval(), image),
        "LayerNormalization": (nn.LayerNorm(64), rows), "Embedding": (nn.Embedding(100, 16), tokens),
        "TimeDistributed": (nn.Linear(16, 8), series),
        "LSTM": (lstm, series), "GRU": (gru, series), "SimpleRNN": (rnn, series), "Bidirectional": (both, series),
        "Dropout, training": (nn.Dropout(0.5), rows), "BatchNormalization, training": (nn.BatchNorm1d(64), rows),
    }  # fmt: skip
    bare |= {f"layers.{name}": lambda layer=layer, x=x: layer(x) for name, (layer, x) in made.items()}
    bare["layers.MultiHeadAttention"] = lambda: attention(series, series, series, need_weights=False)
    dense = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 10), nn.Softmax(-1))
    pictures = nn.Sequential(nn.Conv2d(8, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 13 * 13, 10))
    own = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    bare |= {
        "model of 3 Dense": lambda: dense(rows), "model of 3 Dense, 1 sample": lambda x=rows[:1]: dense(x),
        "model of convolutions": lambda: pictures(image), "model, subclass of 2 Dense": lambda: own(rows),
    }  # fmt: skip
    cases: Cases = {name: without_gradients(torch, call) for name, call in bare.items()}
    for name in ("SGD", "Adam"):
        variables = [nn.Parameter(torch.ones(shape)) for shape in [(64, 64), (64,), (64, 10), (10,)]]
        for v in variables:
            v.grad = torch.ones_like(v)
        cases[f"optimizers.{name}.apply, 4 variables"] = getattr(torch.optim, name)(variables, 1e-3).step
    cases["a step by hand, 2 Dense"] = torch_step(torch, rows, classes)
    return cases


def torch_step(torch: Any, x: Any, y: Any) -> Callable[[], Any]:
    nn = torch.nn
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    return step


def without_gradients(torch: Any, call: Callable[[], Any]) -> Callable[[], Any]:
    def bare() -> Any:
        with torch.no_grad():
            return call()

    return bare


def measure(library: str, wanted: str) -> dict[str, float]:
    """Microseconds of processor time of each case, in this process."""
    if library == "torch":
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)
        cases, wait = torch_cases(torch), lambda result: result
    else:
        name, _, backend = library.partition("-")
        os.environ["KERAS_BACKEND"] = backend or "jax"
        keras = importlib.import_module(name)
        cases, wait = keras_cases(keras), waiting(backend or "jax")
    return {name: microseconds(call, wait) for name, call in cases.items() if wanted in name}


def waiting(backend: str) -> Callable[[Any], Any]:
    return importlib.import_module("jax").block_until_ready if backend == "jax" else lambda result: result


def microseconds(call: Callable[[], Any], wait: Callable[[Any], Any]) -> float:
    for _ in range(3):
        wait(call())
    start = time.process_time()
    wait(call())
    calls = max(3, min(2000, round(0.03 / max(time.process_time() - start, 1e-6))))
    times = []
    for _ in range(5):
        start = time.process_time()
        for _ in range(calls):
            wait(call())
        times.append((time.process_time() - start) / calls * 1e6)
    return statistics.median(times)


def installed(library: str) -> bool:
    names = {"lamina": ["lamina"], "torch": ["torch"]}.get(library) or ["keras", library.partition("-")[2]]
    return all(importlib.util.find_spec(name) for name in names)


def report(table: dict[str, dict[str, float]]) -> None:
    """A row a case, and the geometric means of lamina's ratios."""
    peers = [library for library in table if library != "lamina"]
    print(f"{'microseconds a call':40}" + "".join(f"{library:>17}" for library in table))
    ratios: dict[str, list[float]] = {peer: [] for peer in peers}
    for case, own in table["lamina"].items():
        row = [table[library].get(case) for library in table]
        print(f"{case:40}" + "".join(f"{value:17.1f}" if value else f"{'':17}" for value in row))
        for peer in peers:
            if case in table[peer]:
                ratios[peer].append(own / table[peer][case])
    for peer, values in ratios.items():
        mean = math.exp(statistics.fmean(map(math.log, values)))
        above = f"above 0.5: {sum(value > 0.5 for value in values)} of {len(values)}"
        print(f"lamina / {peer}: mean {mean:.2f}, lowest {min(values):.2f}, highest {max(values):.2f}, {above}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--libraries", nargs="*", choices=LIBRARIES, default=LIBRARIES)
    parser.add_argument("--cases", default="", help="only cases with this in their names")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", help="also write the figures to this file")
    parser.add_argument("--one", choices=LIBRARIES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.cases)))
        return
    taken: dict[str, list[dict[str, float]]] = {library: [] for library in options.libraries if installed(library)}
    for _ in range(options.rounds):
        for library, results in taken.items():
            command = [sys.executable, __file__, "--one", library, "--cases", options.cases]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            results.append(json.loads(output.splitlines()[-1]))
    table = {
        library: {case: statistics.median(r[case] for r in results) for case in results[0]}
        for library, results in taken.items()
    }
    report(table)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(table, file, indent=1)


if __name__ == "__main__":
    main()
