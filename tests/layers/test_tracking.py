"""What a layer finds in its attributes."""

import numpy as np

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
