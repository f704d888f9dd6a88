"""How programs are started on a CPU: in the thread that asks for them, unless the user has said otherwise."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import jax
import lamina.core.context
print(jax.config.read("jax_cpu_enable_async_dispatch"))
"""


@pytest.mark.parametrize("environment, expected", [({}, "False"), ({"JAX_CPU_ENABLE_ASYNC_DISPATCH": "1"}, "True")])
def test_dispatch(environment, expected):
    kept = {name: value for name, value in os.environ.items() if name != "JAX_CPU_ENABLE_ASYNC_DISPATCH"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env={**kept, **environment})
    assert done.stdout.strip() == expected, done.stderr
