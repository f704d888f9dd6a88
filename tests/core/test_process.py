"""Importing lamina changes nothing in the process; what makes its first array does, unless the user says otherwise."""

import ast
import os
import platform
import subprocess
import sys

import pytest

# Memory that is freed and asked for again costs new pages where the C library returns it to the system.
REPORT = """
import resource
import numpy as np

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(50_000_000, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def report():
    faults()
    from jax._src.array import ArrayImpl

    says = "unsqueeze" in vars(ArrayImpl)
    return {"async": jax.config.read("jax_cpu_enable_async_dispatch"), "keeps": faults() < 100, "says": says}
"""

IMPORT = (
    """
import jax
before = dict(jax.config.values)
import lamina as keras
from lamina import layers
for name in dir(layers):
    getattr(layers, name)
keras.layers.Dense(3)
changed = {name for name, value in jax.config.values.items() if name in before and before[name] != value}
from jax._src import xla_bridge
started = xla_bridge.backends_are_initialized()
"""
    + REPORT
)

FIRST_ARRAYS = {
    "variable": "keras.Variable(1.0)",
    "op": "keras.ops.ones(3)",
    "array of NumPy": "keras.ops.convert_to_tensor(np.zeros(3))",
    "list": "keras.ops.array([1.0, 2.0])",
    "derivative": "keras.ops.grad(lambda x: x**2)(2.0)",
    "schedule": "keras.optimizers.schedules.CosineDecay(0.1, 10)(3)",
    "regularizer": "keras.regularizers.L2()(np.ones(3))",
    "constraint": "keras.constraints.NonNeg()(np.ones(3))",
    "layer without variables": "layers.Flatten()(np.zeros((2, 3, 4)))",
    "random": "keras.random.normal((3,))",
    "devices": "keras.distribution.list_devices()",
    "device": "keras.device('cpu:0')",
    "model without variables": "keras.Sequential([keras.Input((3,)), layers.Flatten()]).predict(np.zeros((2, 3)))",
}
KEEPS = platform.libc_ver()[0] == "glibc"


def run(program, **environment):
    names = ("MALLOC", "GLIBC", "LAMINA", "JAX_CPU")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    done = subprocess.run([sys.executable, "-c", program], env=kept | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return ast.literal_eval(done.stdout.splitlines()[-1])


def test_importing_and_reading_every_layer_changes_nothing():
    report, changed, started = run(IMPORT + "print((report(), changed, started))")
    assert report == {"async": True, "keeps": False, "says": False}
    assert not changed and not started


def test_taking_the_place_of_keras_starts_no_devices():
    """A program may still set XLA_FLAGS, choose its platform or join other processes."""
    program = """
import os
import lamina
lamina.as_keras()
import tensorflow as tf
from tensorflow.keras import layers
tf.function(lambda x: x), tf.data, layers.Dense(3)
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=3"
import jax
print(len(jax.devices()))
"""
    assert run(program, XLA_FLAGS="") == 3


@pytest.mark.parametrize("first", FIRST_ARRAYS.values(), ids=FIRST_ARRAYS)
def test_the_first_array_configures_the_process(first):
    assert run(f"{IMPORT}\n{first}\nprint(report())") == {"async": False, "keeps": KEEPS, "says": True}


def test_the_user_decides():
    fit = """
model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
model.compile("adam", "mse")
model.fit(np.zeros((8, 3)), np.zeros(8), verbose=0)
print(report())
"""
    untouched = {"async": True, "keeps": False, "says": False}
    assert run(IMPORT + fit, LAMINA_CONFIGURE_PROCESS="0") == untouched
    assert run(IMPORT + "keras.config.set_process_settings(False)" + fit) == untouched
    assert run(IMPORT + fit, JAX_CPU_ENABLE_ASYNC_DISPATCH="1")["async"] is True


def test_the_switch():
    program = """
import lamina as keras
keras.config.set_process_settings(False)
assert not keras.config.configures_process()
keras.config.set_process_settings(True)
keras.Variable(1.0)
try:
    keras.config.set_process_settings(False)
except keras.errors.ConfigError as error:
    print(repr(str(error)))
"""
    assert "were changed already" in run(program)
