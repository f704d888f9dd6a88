"""Lets the tests of this folder import their checks, and treats warnings as errors."""

import pathlib
import sys

import jax
import pytest

from lamina.kernels.native import without_native

sys.path.insert(0, str(pathlib.Path(__file__).parent))


@pytest.fixture(params=["native", "pure"])
def kernels(request):
    """Each test with and without lamina-native, where it is installed."""
    if request.param == "native":
        pytest.importorskip("lamina_native")
        yield
    else:
        with without_native():
            jax.clear_caches()
            yield
