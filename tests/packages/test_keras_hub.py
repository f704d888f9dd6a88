"""KerasHub on lamina: its models from configs, its tokenizer, samplers, metrics and presets, beside Keras on JAX."""

import importlib.metadata
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from lamina.compat.optional import has_fallback

ROOT = pathlib.Path(__file__).parents[2]
BACKBONES = ["BertBackbone", "DebertaV3Backbone", "GemmaBackbone", "WhisperBackbone", "XLNetBackbone"]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What the program computed with lamina and with Keras, run at the same time."""
    try:
        importlib.metadata.version("keras-hub")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("KerasHub is not installed: pip install --no-deps keras-hub, as .ci/run does.")
    folder, found = tmp_path_factory.mktemp("keras_hub"), {}
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "KERAS_BACKEND": "jax"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    program = str(pathlib.Path(__file__).with_name("keras_hub_program.py"))
    processes = {
        library: subprocess.Popen(
            [sys.executable, program, library, str(folder / library)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for library in ("lamina", "keras")
    }
    for library, process in processes.items():
        _, said = process.communicate(timeout=600)
        assert process.returncode == 0, f"{library}: {said[-3000:]}"
        found[library] = json.loads((folder / library).read_text())
    return found


def same(results, *path, tolerance=2e-4):
    """The two results at a path, compared as arrays."""
    ours, theirs = results["lamina"], results["keras"]
    for key in path:
        ours, theirs = ours[key], theirs[key]
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", BACKBONES)
def test_backbones(results, name):
    assert [shape for _, shape in results["lamina"][name]["weights"]] == [
        shape for _, shape in results["keras"][name]["weights"]
    ]
    same(results, name, "outputs")
    assert results["lamina"][name]["loads"] and results["lamina"][name]["config"]


def test_a_language_model_trains_and_generates(results):
    ours, theirs = results["lamina"]["model"], results["keras"]["model"]
    assert ours["tokens"] == theirs["tokens"]
    same(results, "model", "losses", tolerance=5e-3)
    assert ours["losses"][-1] < 0.5 * ours["losses"][0]
    assert [len(line.split()) for line in ours["generated"]] == [3, 3] and ours["top_k"] and ours["beam"]


def test_lora_on_int8_weights_and_presets(results):
    ours, theirs = results["lamina"]["model"], results["keras"]["model"]
    assert ours["trained"] == theirs["trained"] and ours["files"] == theirs["files"]
    assert ours["lora"][-1] < ours["lora"][0]
    assert ours["types"] == theirs["types"]
    assert ours["again"] < 0.03 and theirs["again"] < 0.03
    assert all(line.startswith(prompt) for line, prompt in zip(ours["said"], ["a dog", "the"], strict=True))


def test_layers_and_metrics(results):
    same(results, "layers", "outputs")
    assert results["lamina"]["layers"]["perplexity"] == pytest.approx(results["keras"]["layers"]["perplexity"], 1e-5)


@pytest.mark.parametrize(
    "handler, does_without",
    [
        ("except ImportError:\n    tf = None", True),
        ("except (ImportError, AttributeError):\n    pass", True),
        ("except ModuleNotFoundError:\n    def f():\n        return 0", True),
        ("except ImportError:\n    import keras", False),
        ("except ImportError:\n    raise RuntimeError", False),
        ("except ImportError:\n    exit()", False),
        ("except ValueError:\n    tf = None", False),
    ],
)
def test_which_imports_can_be_done_without(handler, does_without):
    assert has_fallback(f"import keras\ntry:\n    import tensorflow as tf\n{handler}\n", 3) is does_without
    assert not has_fallback("import tensorflow\n", 1)
