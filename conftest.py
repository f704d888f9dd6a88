"""Settings for the examples in docstrings: each starts with names from zero, in an empty folder."""

import pytest

from lamina.core import context


@pytest.fixture(autouse=True)
def _fresh_doctest(request):
    if isinstance(request.node, pytest.DoctestItem):
        request.getfixturevalue("monkeypatch").chdir(request.getfixturevalue("tmp_path"))
        context.reset_names()
