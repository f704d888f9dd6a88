"""Packages that read their files when a name is first used: the tables are right, and little is read before."""

import importlib
import json
import pathlib
import pickle
import re
import subprocess
import sys

import pytest

import lamina as keras
from lamina import legacy
from lamina.core import registry
from lamina.core.lazy import lazy, names_in_stub

ROOT = pathlib.Path(keras.__file__).parent
LAZY = sorted(p.parent for p in ROOT.rglob("__init__.py") if "= lazy(" in p.read_text())


def name_of(folder):
    return ".".join(("lamina", *folder.relative_to(ROOT).parts))


def run(program):
    """What a program prints in an interpreter of its own, as JSON."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    return json.loads(done.stdout)


@pytest.mark.parametrize("folder", LAZY, ids=name_of)
def test_a_stub_names_what_is_there(folder):
    module = importlib.import_module(name_of(folder))
    assert all(getattr(module, name) is not None for name in module.__all__)
    assert dir(module) == module.__all__
    in_stub = dict(names_in_stub(name_of(folder)))
    assert in_stub.keys() >= set(module.__all__) - {"version"}
    assert all(hasattr(module, name) for name in in_stub)


@pytest.mark.parametrize("folder", LAZY, ids=name_of)
def test_a_star_in_a_stub_is_the_list_of_its_file(folder):
    """`lazy` reads `__all__` as text; what it finds is what the file gives when it runs."""
    stars = re.findall(r"^from (\S+) import \*$", (folder / "__init__.pyi").read_text(), re.MULTILINE)
    in_stub = dict(names_in_stub(name_of(folder)))
    for home in stars:
        module = importlib.import_module(home)
        assert set(module.__all__) <= in_stub.keys()
        assert all(hasattr(module, name) for name in in_stub if in_stub[name] == home and home != f"lamina.ops.{name}")


@pytest.mark.parametrize("folder", LAZY, ids=name_of)
def test_no_file_hides_a_name(folder):
    """Reading a file puts it beside the names of its package, where it must not take the place of one."""
    files = {path.stem for path in folder.iterdir()}
    module = importlib.import_module(name_of(folder))
    hidden = [name for name in module.__all__ if name in files and not hasattr(getattr(module, name), "__file__")]
    assert not hidden


def test_sequential_reads_few_files():
    read = run(
        "import sys, json, lamina as keras; from lamina import layers; keras.Sequential;"
        "print(json.dumps(list(sys.modules)))"
    )
    ours = [name for name in read if name.startswith("lamina")]
    assert len(ours) <= 125  # the modules of old paths among them
    for heavy in (
        "h5py",
        "rich",
        "jax.extend",
        "lamina.check.rules",
        "lamina.explanations.explaining",
        "lamina.layers.dense",
    ):
        assert heavy not in read


def test_a_config_reads_the_file_of_its_class_alone():
    read = run(
        "import sys, json; from lamina.core.serialization import deserialize;"
        "layer = deserialize({'module': 'keras.layers', 'class_name': 'Permute', 'config': {'dims': [2, 1]}});"
        "print(json.dumps([type(layer).__name__, *sys.modules]))"
    )
    assert read[0] == "Permute" and "lamina.layers.reshaping" in read and "lamina.layers.recurrent" not in read


@pytest.mark.parametrize("config", [
    {"class_name": "LSTM", "config": {"units": 2}},
    {"module": "keras.engine.sequential", "class_name": "LSTM", "config": {"units": 2}},
    {"module": "keras", "class_name": "LSTM", "config": {"units": 2}},
])  # fmt: skip
def test_a_config_finds_a_class_that_was_not_read(config):
    program = "import json; from lamina.core.serialization import deserialize;"
    assert run(f"{program} print(json.dumps(type(deserialize({config!r})).__module__))") == "lamina.layers.recurrent"


def test_functions_are_known_by_name_before_their_family_was_used():
    program = "import json; from lamina.losses import huber; from lamina.core.serialization import serialize;"
    assert run(f"{program} print(json.dumps(serialize(huber)['module']))") == "keras.losses"


def test_old_paths_are_files_of_today_or_made():
    files = {
        path for path in legacy.MODULES if (ROOT / f"{path.removeprefix('lamina.').replace('.', '/')}.py").exists()
    }
    assert files == legacy.FILES_WITH_OLD_PATHS
    assert all(importlib.import_module(path).__getattr__.func is legacy.moved for path in files)


def test_nothing_else_is_read():
    assert registry.look_up("os", "system") is None and registry.look_up("keras.os", "system") is None
    assert registry.look_up("keras.layers", "__builtins__") is None
    assert registry.look_up("keras.layers", "get_config") is None


def test_stars_and_pickles():
    names = {}
    exec("from lamina.layers import *", names)
    assert names["Dense"] is keras.layers.Dense and "lazy" not in names
    assert pickle.loads(pickle.dumps(keras.layers.Dense)) is keras.layers.Dense


def test_an_unknown_name():
    get, *_ = lazy("lamina.models")
    with pytest.raises(AttributeError, match="module 'lamina.models' has no attribute 'nothing'"):
        get("nothing")
    with pytest.raises(ImportError):
        exec("from lamina.layers import Nothing")
