"""A quick run of lamina on the Python and the packages that are installed: needs pytest and lamina's requirements.

python .ci/quick.py                  # the quickstart and the tests that need nothing else, warnings as errors
python .ci/quick.py --bounds         # prints the lower bounds of pyproject.toml, as arguments for pip
python .ci/quick.py --without-each   # imports and trains without each optional package in turn
"""

import os
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).parents[1]
TESTS = (
    *("tests/test_versions.py", "tests/golden", "tests/core/test_keywords.py", "tests/core/test_tape.py"),
    *("tests/layers/test_layer.py", "tests/layers/test_lookup.py", "tests/layers/test_text_vectorization.py"),
    *("tests/training/test_many_steps.py", "tests/training/test_threads_and_forks.py"),
    *("tests/callbacks/test_resume.py", "tests/saving/test_unchanged.py"),
    *("tests/export/test_required_alone.py", "tests/core/test_disk_cache.py"),
    *("lamina/layers/dense.py", "lamina/losses", "lamina/initializers", "lamina/models", "lamina/runtime"),
)
PROGRAM = """
import importlib.abc, sys
class Without(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Without())
import numpy as np, lamina as keras
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(1)])
model.compile("adam", "mse", metrics=["mae"])
model.fit(np.ones((8, 4)), np.ones((8, 1)), verbose=0)
model.save("m.keras"), keras.models.load_model("m.keras").predict(np.ones((2, 4)), verbose=0)
model.summary(), str(model.explain()), str(model.check()), keras.show_versions()
"""


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def bounds():
    """`name==version` for each lower bound of the required packages; jaxlib is of the version of jax, whose module
    jax.export needs absl-py there, though jax does not ask for it."""
    exact = [re.sub(r">=", "==", one) for one in project()["dependencies"]]
    return [*exact, "absl-py", *(one.replace("jax==", "jaxlib==") for one in exact if one.startswith("jax=="))]


def run(*command, folder=ROOT):
    env = {"JAX_PLATFORMS": "cpu", **os.environ}
    print("+", *(word if len(word) < 200 else "..." for word in command), flush=True)
    return subprocess.run([sys.executable, *command], cwd=folder, env=env, check=False).returncode


def without_each():
    import tempfile

    names = {"orbax-checkpoint": "orbax", "pillow": "PIL", "scikit-learn": "sklearn", "mlflow-skinny": "mlflow"}
    names |= {"lamina-native": "lamina_native"}
    extras = project()["optional-dependencies"]
    failed = []
    for extra in sorted(set(extras) - {"test", "docs"}):
        packages = [re.split(r"[\[<>=]", one)[0] for one in extras[extra]]
        missing = {names.get(package, package) for package in packages}
        with tempfile.TemporaryDirectory() as folder:
            if run("-W", "error", "-c", PROGRAM.replace("MISSING", repr(missing)), folder=folder):
                failed.append(extra)
    print("Fails without:", *failed or ["none"])
    return len(failed)


def main():
    if "--bounds" in sys.argv:
        print(*bounds())
        return 0
    if "--without-each" in sys.argv:
        return without_each()
    options = "-o", "addopts=--import-mode=importlib --doctest-modules", "-p", "no:cacheprovider"
    return run("-W", "error", "examples/quickstart.py") or run("-m", "pytest", "-q", *options, *TESTS)


if __name__ == "__main__":
    sys.exit(main())
