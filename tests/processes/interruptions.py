"""Ctrl-C at random moments of `fit`, over a model of 400 layers that trains, saves and is loaded afterwards; and of
`evaluate`, `predict`, `save`, `save_weights` and `load_weights`, of a smaller one.

    python -m tests.processes.interruptions [COUNT] [--seed N] [--compiling N] [--others N]

A thread sends SIGINT to the process after a random time, COUNT times (60). N of them (6) come while the step is
compiled; of the others, half come in a run of one epoch, most of whose time values go to the run and back. After each,
every variable has a finite value and an owner no longer, the number of the optimizer's steps is the number of steps
that were finished, and the model trains on; every tenth is saved, loaded and compared. Each of the other calls is
interrupted --others times (10): afterwards the weights are as before, or after a load all those of the file, and a file
that was being written is the old one or the new one. The exit status is 1 if anything was otherwise.
"""

import argparse
import os
import pathlib
import random
import signal
import sys
import tempfile
import threading
import time
import traceback

import numpy as np

import lamina as keras
from lamina import layers

LAYERS, ROWS = 400, 8
X, Y = np.ones((ROWS, 4), "float32"), np.zeros((ROWS, 1), "float32")


def make(count=LAYERS):
    blocks = [layers.Dense(4, activation="tanh", name=f"d{number}") for number in range(count - 2)]
    model = keras.Sequential([keras.Input((4,)), *blocks, layers.BatchNormalization(), layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def interrupted(seconds, function):
    """Call a function, with a SIGINT after so many seconds; whether that ended it."""
    over, number = threading.Event(), signal.SIGINT

    def send():
        if not over.wait(seconds):
            os.kill(os.getpid(), number)

    thread, returned = threading.Thread(target=send), False
    try:
        thread.start()
        function()
        returned = True
        over.set()
        thread.join()
        time.sleep(0.01)  # a signal that came at the very end is delivered here
    except KeyboardInterrupt:
        over.set()
        thread.join()
    return not returned


def wrong_with(model, steps_before):
    """What an interrupted fit left behind that it may not, or ""."""
    variables = [*model.variables, *model.optimizer.variables]
    if owned := [one.path for one in variables if one._owner is not None or one._value is None]:
        return f"{len(owned)} variables have no value, such as {owned[0]}"
    if bad := [one.path for one in variables if not np.isfinite(np.asarray(one, "float64")).all()]:
        return f"{bad[0]} is not finite"
    steps = int(np.asarray(model.optimizer.iterations))
    if steps < steps_before:
        return f"the optimizer went back from step {steps_before} to {steps}"
    model.train_on_batch(X, Y)
    model._runner.release()  # else the values stay where they are until a fit that may not come so far
    after = int(np.asarray(model.optimizer.iterations))
    return "" if after == steps + 1 else f"one batch led from step {steps} to {after}"


def saves(model):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "m.keras")
        model.save(path)
        again = keras.models.load_model(path)
    pairs = zip(model.get_weights(), again.get_weights(), strict=True)
    return "" if all(np.array_equal(one, other) for one, other in pairs) else "the saved weights are others"


def equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def other_calls(rng, count):
    """How many interruptions of other calls than `fit` went wrong."""
    model, other, wrong, hits = make(30), make(30), 0, 0
    for one, epochs in ((model, 1), (other, 2)):
        one.fit(X, Y, epochs=epochs, verbose=0)
    calls = {name: lambda name=name: getattr(model, name)(*(X, Y)[: 1 + (name == "evaluate")], verbose=0)
             for name in ("evaluate", "predict")}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        for ending in (".keras", ".h5", ".weights.h5", ".safetensors"):
            of, to = pathlib.Path(folder, f"of{ending}"), pathlib.Path(folder, f"to{ending}")
            save = "save" if ending in (".keras", ".h5") else "save_weights"
            getattr(other, save)(of), getattr(model, save)(to)
            calls[f"{save} {to}"] = lambda save=save, to=to: getattr(model, save)(to)
            calls[f"load_weights {of}"] = lambda of=of: model.load_weights(of)
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            limit, new = time.perf_counter() - start, other.get_weights()
            for number in range(count):
                before = model.get_weights()
                hits += interrupted(rng.uniform(0, limit), call)
                after, problem = model.get_weights(), ""
                if not (equal(after, before) or ("load" in name and equal(after, new))):
                    problem = "the weights are neither those before nor those of the file"
                if name.startswith("save"):
                    read = make(30)
                    read.load_weights(name.partition(" ")[2])
                    problem = problem or ("" if equal(read.get_weights(), before) else "the file has other weights")
                if number == count - 1:
                    model.fit(X, Y, verbose=0)
                wrong += bool(problem)
                print(*([f"{name}, {number}: {problem}"] if problem else []), end="\n" * bool(problem), flush=True)
    print(f"{hits} interruptions ended one of {len(calls)} other calls: {wrong} went wrong")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compiling", type=int, default=6)
    parser.add_argument("--others", type=int, default=10)
    args = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rng, model = random.Random(args.seed), make()
    start = time.perf_counter()
    model.fit(X, Y, epochs=1, verbose=0)
    compiling = time.perf_counter() - start
    start = time.perf_counter()
    model.fit(X, Y, epochs=1, verbose=0)
    short = time.perf_counter() - start
    print(f"first fit {compiling:.1f} s, of one step {short:.3f} s", flush=True)
    hits = wrong = 0
    for number in range(args.count):
        fresh = number < args.compiling
        model = make() if fresh else model
        steps = int(np.asarray(model.optimizer.iterations))
        epochs = 1 if number % 2 else 1000
        limit = compiling if fresh else short * 0.8 if epochs == 1 else short * 5
        moment = rng.uniform(0, limit)
        try:
            hits += interrupted(moment, lambda: model.fit(X, Y, epochs=epochs, verbose=0))  # noqa: B023
            problem = wrong_with(model, steps)
            problem = problem or (saves(model) if number % 10 == 9 else "")
        except Exception:
            problem = traceback.format_exc()
        if problem:
            wrong += 1
            print(f"{number}, after {moment:.3f} s: {problem}", flush=True)
    print(f"{args.count} interruptions, {hits} of which ended a fit: {wrong} went wrong")
    return int(wrong + other_calls(rng, args.others) > 0)


if __name__ == "__main__":
    sys.exit(main())
