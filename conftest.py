"""Settings for all tests, and for the examples in docstrings: these start with names from zero, in an empty folder."""

import gc
import os
import sys

os.environ.setdefault("LAMINA_CACHE_DIR", "off")  # each test compiles what it says it does

import jax
import pytest

from lamina.core import context
from lamina.runtime import tracebacks
from lamina.runtime.allocator import release_surplus, resident_bytes

tracebacks.set_enabled(False)  # a test that fails shows where
bound = [1 << 30]  # bytes, above which a process lets programs go


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
