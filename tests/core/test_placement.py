"""Where arrays live."""

import jax
import numpy as np
import pytest

import lamina
from lamina.core.placement import place


def _aligned(count):
    """Floats whose memory begins where JAX would share it."""
    memory = np.zeros(4 * count + 64, "uint8")
    start = -memory.ctypes.data % 64
    return memory[start : start + 4 * count].view("float32")


@pytest.mark.parametrize("sharding", [None, jax.sharding.SingleDeviceSharding(jax.devices()[0])])
def test_no_memory_is_shared_with_numpy(sharding):
    values = _aligned(4096)
    placed = place(values, sharding)
    values[:] = 1
    assert not np.asarray(placed).any()


def test_a_weight_does_not_change_with_the_array_it_was_set_to():
    dense, values = lamina.layers.Dense(64, use_bias=False), _aligned(4096).reshape(64, 64)
    dense.build((None, 64))
    dense.set_weights([values])
    values[:] = 1
    assert not dense.get_weights()[0].any()
