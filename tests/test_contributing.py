"""CONTRIBUTING.md: its layer is its file and its test, followed step by step in a copy of the tree."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[1]
PROGRAM = """
import lamina as keras
from lamina.layers import Swish1p

model = keras.Sequential([keras.Input((3,)), keras.layers.Swish1p(name="act")])
model.save("model.keras")
loaded = keras.models.load_model("model.keras")
assert type(loaded.layers[0]) is Swish1p and "Swish1p" in dir(keras.layers)
assert "Swish1p" in str(loaded.explain("act"))
print("done")
"""


def insert(path, name, code):
    """Add a name to `__all__` of a file, or an entry to its EXAMPLES, and code at its end."""
    text = path.read_text()
    place = re.search(r"^__all__ = \[|^EXAMPLES = \{", text, re.MULTILINE)
    future = "from __future__ import annotations\n"
    text = text[: place.end()] + name + text[place.end() :] + "\n\n" + code.replace(future, "")
    path.write_text(text if future in text else future + text)


def run(folder, *command):
    environment = {**os.environ, "PYTHONPATH": str(folder), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=folder, env=environment)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_the_layer_of_the_guide_is_its_file_and_its_test(tmp_path):
    layer, examples, test = re.findall(r"^```python\n(.*?)^```", (ROOT / "CONTRIBUTING.md").read_text(), re.M | re.S)
    for folder in ("lamina", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "conftest.py"):
        shutil.copy(ROOT / file, tmp_path)
    insert(tmp_path / "lamina/layers/activation_layers.py", '"Swish1p", ', layer)
    entry = re.fullmatch(r"EXAMPLES = \{(.*)\}\n", examples)[1]
    test = "from lamina.layers import Swish1p\n" + test.replace("\ntest_swish1p()\n", "")
    insert(tmp_path / "tests/layers/test_activation_layers.py", f"\n    {entry},", test)

    assert run(tmp_path, "-c", PROGRAM).strip() == "done"
    tests = "tests/test_contract.py", "tests/layers/test_activation_layers.py", "tests/core/test_lazy.py"
    passed = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, "-k", "swish1p or Swish1p or stub")
    assert int(re.search(r"(\d+) passed", passed)[1]) > 20
