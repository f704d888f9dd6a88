"""What a layer finds in its attributes."""

import numpy as np
import pytest

from lamina.layers.base.layer import Layer
from lamina.layers.dense import Dense


def test_a_container_may_hold_itself():
    class Ring(Layer):
        def __init__(self):
            super().__init__()
            self.parts = [Dense(1)]
            self.parts.append(self.parts)
            self.named = {"parts": self.parts}
            self.named["all"] = self.named

        def call(self, inputs):
            return self.parts[0](inputs)

    ring = Ring()
    ring(np.ones((2, 3)))
    assert len(ring.weights) == 2
    assert len(ring._flatten_layers()) == 2


@pytest.mark.parametrize("name", ["trainble", "trianable", "trainable_"])
def test_a_slip_in_trainable_is_told(name):
    with pytest.warns(UserWarning, match="dense.trainable = False"):
        setattr(Dense(1, name="dense"), name, False)


@pytest.mark.parametrize("name", ["train_bias", "training", "trained", "tied", "trim", "transposed"])
def test_attributes_of_their_own_are_taken_in_silence(name):
    setattr(Dense(1), name, True)
