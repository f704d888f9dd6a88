"""transformers computes the logits of KerasHub's decoders from the folders that lamina writes, for random weights."""

import importlib.metadata
import json
import os
import pathlib
import subprocess
import sys

import pytest

from transformers_logits import FAMILIES

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def differences(tmp_path_factory):
    """The largest difference of each family, as a part of the largest logit."""
    for package in ("keras-hub", "torch", "transformers"):
        try:
            importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            pytest.skip(f"{package} is not installed; .ci/run installs it.")
    folder = tmp_path_factory.mktemp("transformers")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "KERAS_BACKEND": "jax", "PYTHONPATH": path}
    environment["XLA_FLAGS"] = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"  # once run
    for part in ("write", "check"):
        command = [sys.executable, str(ROOT / "benchmarks" / "transformers_logits.py"), part, str(folder)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return json.loads((folder / "differences.json").read_text())


@pytest.mark.parametrize("name", FAMILIES)
def test_logits_of_transformers(differences, name):
    assert differences[name] < 1e-4
