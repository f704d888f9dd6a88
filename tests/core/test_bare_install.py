"""With the required dependencies alone every public name can be looked at: help, dir, hasattr and inspect work."""

import json
import subprocess
import sys

OPTIONAL = (
    "sklearn", "PIL", "pandas", "grain", "optax", "orbax", "torch", "tensorflow", "matplotlib", "flax", "tensorboard",
    "tensorboardX", "pydot", "graphviz", "lamina_native", "lamina_bench", "keras", "IPython", "ipykernel",
)  # fmt: skip

WALK = """
import importlib.abc, inspect, json, pydoc, sys, types

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in OPTIONAL:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
import lamina

failures, seen = [], []

def attempt(what, function):
    try:
        return function()
    except Exception as error:
        failures.append(f"{what}: {type(error).__name__}: {str(error)[:200]}")

def walk(module):
    seen.append(module.__name__)
    attempt(f"help({module.__name__})", lambda: pydoc.render_doc(module))
    attempt(f"getmembers({module.__name__})", lambda: inspect.getmembers(module))
    for name in attempt(f"dir({module.__name__})", lambda: dir(module)) or ():
        path = f"{module.__name__}.{name}"
        if not attempt(f"hasattr({path})", lambda: hasattr(module, name)):
            failures.append(f"{path} is in dir, and is not there")
            continue
        value = getattr(module, name)
        if isinstance(value, types.ModuleType):
            if value.__name__.startswith("lamina") and value.__name__ not in seen:
                walk(value)
        elif isinstance(value, type) or callable(value):
            attempt(f"help({path})", lambda: pydoc.render_doc(value))
            attempt(f"getmembers({path})", lambda: inspect.getmembers(value))

walk(lamina)
read = sorted({name.partition(".")[0] for name in sys.modules} & set(OPTIONAL))
print(json.dumps([failures, seen, read]))
"""

WRAPPERS = """
import importlib.abc, sys

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "sklearn":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
import lamina as keras
for name in ("SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"):
    try:
        getattr(keras.wrappers, name)(model=None)
    except ImportError as error:
        assert "scikit-learn" in str(error) and "pip install" in str(error), error
    else:
        raise AssertionError(name)
"""


def run(program):
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_public_name_can_be_looked_at_without_optional_packages():
    failures, seen, read = json.loads(run(f"OPTIONAL = {OPTIONAL!r}\n{WALK}").splitlines()[-1])
    assert not failures, "\n".join(failures)
    assert not read
    assert {"lamina.layers", "lamina.wrappers", "lamina.ops.numpy", "lamina.optimizers.schedules"} <= set(seen)


def test_wrappers_of_scikit_learn_name_the_fix_when_they_are_made():
    run(WRAPPERS)
