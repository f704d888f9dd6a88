"""Fixtures of the tests of ops."""

import jax
import pytest

from lamina.kernels.native import without_native


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
