"""Settings for all tests: Keras, the oracle, runs on JAX."""

import os
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest

from lamina.core import context, op_errors

op_errors.strict = True  # a rule of its errors that raises is a defect


@pytest.fixture(autouse=True)
def names_from_the_start():
    """Names count from the start in each test, in both libraries, whatever ran before it."""
    context.reset_names()
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session(free_memory=False)
