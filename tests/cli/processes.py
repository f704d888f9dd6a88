"""Processes of this Python."""

import os
import pathlib
import subprocess
import sys


def python(*arguments, **settings):
    """A process of this Python, with lamina importable and without Keras's and pytest's settings."""
    root = str(pathlib.Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "JAX_PLATFORMS": "cpu", **settings.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::FutureWarning", *arguments],
        capture_output=True, text=True, env=environment, timeout=900, **settings,
    )  # fmt: skip
