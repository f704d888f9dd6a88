"""Settings for all tests, and for the examples in docstrings: these start with names from zero, in an empty folder."""

import os

os.environ.setdefault("LAMINA_CACHE_DIR", "off")  # each test compiles what it says it does

import pytest

from lamina.core import context
from lamina.runtime import tracebacks

tracebacks.set_enabled(False)  # a test that fails shows where


@pytest.fixture(autouse=True)
def _fresh_doctest(request):
    if isinstance(request.node, pytest.DoctestItem):
        request.getfixturevalue("monkeypatch").chdir(request.getfixturevalue("tmp_path"))
        context.reset_names()


def pytest_collection_modifyitems(items):
    """Examples in docstrings may show old names and models with faults."""
    for item in items:
        if isinstance(item, pytest.DoctestItem):
            item.add_marker(pytest.mark.filterwarnings("ignore::lamina.legacy.renames.OldSpelling"))
            item.add_marker(pytest.mark.filterwarnings(r"ignore:LAM\d"))
