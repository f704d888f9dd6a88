"""Settings for all tests, and for the examples in docstrings: these start with names from zero, in an empty folder."""

import gc
import os
import pathlib
import sys

os.environ.setdefault("LAMINA_CACHE_DIR", "off")  # each test compiles what it says it does
# XLA compiles each program for a few calls only: LLVM's passes would cost more than they save.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

import jax
import pytest
from jax.experimental.compilation_cache.compilation_cache import reset_cache

from lamina.core import context
from lamina.runtime import compilation_cache, tracebacks
from lamina.runtime.allocator import release_surplus, resident_bytes

tracebacks.set_enabled(False)  # a test that fails shows where

# A program that this process or the same one of the run before compiled is read from disk: a second run of the tests of
# ops, losses and image layers took 0.4 of the first one's time. `pytest --cache-clear` removes them. Each process has a
# folder of its own: JAX does not write its files at once, so that another one could read a part.
PROGRAMS = pathlib.Path(__file__).parent / ".pytest_cache" / "d" / "xla" / os.environ.get("PYTEST_XDIST_WORKER", "main")
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
bound = [1 << 30]  # bytes, above which a process lets programs go


def pytest_configure():
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    compilation_cache._make_room(PROGRAMS)


@pytest.fixture(autouse=True)
def _programs_on_disk(request):
    folder = None if request.node.get_closest_marker("compiles") else str(PROGRAMS)
    if jax.config.jax_compilation_cache_dir != folder:
        jax.config.update("jax_compilation_cache_dir", folder)
        reset_cache()


@pytest.fixture(autouse=True)
def _fresh_doctest(request):
    if isinstance(request.node, pytest.DoctestItem):
        request.getfixturevalue("monkeypatch").chdir(request.getfixturevalue("tmp_path"))
        context.reset_names()


@pytest.fixture(autouse=True, scope="module")
def _let_programs_go():
    """What JAX compiled for one file is of little use for the next: it goes when the process has grown by half a GB."""
    yield
    if sys.platform == "linux" and resident_bytes() > bound[0]:
        jax.clear_caches()
        gc.collect()
        release_surplus(0)
        bound[0] = resident_bytes() + (1 << 29)


def pytest_collection_modifyitems(items):
    """Examples in docstrings may show old names and models with faults."""
    for item in items:
        if isinstance(item, pytest.DoctestItem):
            item.add_marker(pytest.mark.filterwarnings("ignore::lamina.legacy.renames.OldSpelling"))
            item.add_marker(pytest.mark.filterwarnings(r"ignore:LAM\d"))
