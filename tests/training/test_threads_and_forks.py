"""predict in threads gives the numbers of one thread; a forked process says that it cannot compute, and ends."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import lamina as keras
from lamina import layers


def at_once(functions):
    """The results of functions that threads begin at the same time."""
    together = threading.Barrier(len(functions))

    def run(function):
        together.wait()
        return function()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, functions))


def test_threads_that_predict_at_once_get_the_numbers_of_one():
    models = [keras.Sequential([keras.Input((6,)), layers.Dropout(0.5), layers.Dense(3)]) for _ in range(2)]
    batches = [np.random.default_rng(size).normal(size=(size, 6)).astype("float32") for size in (1, 5, 70)]
    calls = [(model, x) for model in models for x in batches] * 3
    found = at_once([lambda m=m, x=x: [m.predict(x, verbose=0) for _ in range(5)] for m, x in calls])
    for (model, x), results in zip(calls, found, strict=True):
        for result in results:
            np.testing.assert_allclose(result, x @ model.weights[0] + model.weights[1], atol=1e-5)


@pytest.mark.parametrize("run", [lambda model, x: model.predict(x, verbose=0), lambda model, x: np.asarray(model(x))])
@pytest.mark.parametrize("inner", [lambda: layers.Dense(4), lambda: layers.Repeat(layers.Dense(4), 3)])
def test_threads_that_meet_an_unbuilt_model_build_it_once(run, inner, often_switched):
    x = np.ones((3, 5), "float32")
    for _ in range(12):
        model = keras.Sequential([layers.Dense(4), inner(), layers.Dense(2)])
        found = at_once([lambda model=model: run(model, x)] * 8)
        assert len(model.weights) == 6
        for result in found:
            np.testing.assert_allclose(result, found[0], rtol=1e-6)


def test_threads_that_train_save_and_load_models_of_their_own_get_the_numbers_of_one(often_switched, tmp_path):
    def train(number):
        draw = np.random.default_rng(number)
        x, y = draw.normal(size=(32, 6)).astype("float32"), draw.normal(size=(32, 1)).astype("float32")
        start = keras.initializers.GlorotUniform(seed=number)
        rows = [layers.Dense(4 + number, "relu", kernel_initializer=start), layers.BatchNormalization()]
        model = keras.Sequential([keras.Input((6,)), *rows, layers.Dense(1, kernel_initializer=start)])
        model.compile("adam", "mse")
        history = model.fit(x, y, epochs=2, batch_size=16, verbose=0, shuffle=False).history["loss"]
        path = tmp_path / f"{number}-{threading.get_ident()}.keras"
        model.save(path)
        return [*history, *keras.models.load_model(path).predict(x, verbose=0).ravel()]

    alone = [train(number) for number in range(4)]
    assert at_once([lambda number=number: train(number) for number in range(4)]) == alone


@pytest.fixture
def often_switched():
    """Threads take turns every microsecond, so that one meets what another has half done."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


PROGRAM = """
import os, sys, time
import numpy as np
import lamina as keras
from lamina import layers
x = np.ones((40, 6), "float32")
child = os.fork()  # nothing was computed before
if child == 0:
    model = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
    sys.exit(7 * (model.predict(x, verbose=0).shape == (40, 3)))
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
model = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
y, arrays = model.predict(x, verbose=0), keras.ops.ones((2, 6))
child = os.fork()
if child == 0:
    said = 0
    for function in (lambda: model.predict(x, verbose=0), lambda: model(arrays),
                     lambda: model.predict(x[:1], verbose=0), lambda: keras.ops.exp(x), lambda: keras.Variable(1.0)):
        try:
            function()
        except keras.errors.CallError as error:
            said += "forked" in str(error) and "spawn" in error.fix
    sys.exit(said)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_before_the_first_array_computes_and_one_after_it_says_so_and_ends():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "5\n", done.stderr
