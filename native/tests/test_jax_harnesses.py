"""JAX's own cases of the primitives that `install` serves, which its wheel holds, with the kernels and without."""

import os

import jax
import lamina_native as native
import numpy as np
import pytest

PRIMITIVES = ("conv_general_dilated", "reduce_window_max", "select_and_scatter_add", "scatter_add")
EACH = 1 if "LAMINA_NATIVE_SHAPES" in os.environ else 60  # of all cases, or one of so many


def cases():
    harnesses = pytest.importorskip("jax._src.internal_test_util.test_harnesses").all_harnesses
    return [harness for harness in harnesses if harness.group_name in PRIMITIVES][::EACH]


def values(harness):
    """The result, or None for the few that JAX cannot compute on CPUs."""
    try:
        result = jax.jit(harness.dyn_fun)(*harness.dyn_args_maker(np.random.RandomState(7)))
    except Exception as error:  # each harness has errors of its own
        return type(error)
    return np.asarray(result)


def test_jax_harnesses():
    wanted = {harness.fullname: values(harness) for harness in cases()}
    with native.installed():
        found = {harness.fullname: values(harness) for harness in cases()}
    for name, value in found.items():
        if isinstance(wanted[name], type):
            assert value is wanted[name], name
            continue
        other, tolerance = wanted[name], 1e-4 if value.dtype.itemsize >= 4 else 2e-2
        assert value.dtype == other.dtype
        np.testing.assert_allclose(
            *(np.asarray(a, complex) for a in (value, other)), tolerance, tolerance, err_msg=name
        )
