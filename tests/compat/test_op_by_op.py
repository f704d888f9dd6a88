"""What cannot be compiled, and how the source is shown that was rewritten."""

import numpy as np
import pytest

import lamina as keras
from lamina.compat import autograph
from lamina.training import op_by_op
from tests.compat.namespace import tf


def test_a_step_that_needs_values_runs_op_by_op(monkeypatch):
    """A loss and a layer whose sizes depend on values, as a tf.function has them."""

    class Kept(keras.layers.Layer):
        def call(self, x):
            self.add_loss(tf.reduce_sum(tf.boolean_mask(x, x[:, 0] > 0)))
            return x

    def loss(y, p):
        return tf.reduce_mean(tf.square(tf.boolean_mask(y, y > 0) - tf.boolean_mask(p, y > 0)), -1)

    model = keras.Sequential([keras.Input((2,)), Kept(), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=["mae"])
    x, y = np.array([[1, 2], [-1, 5]], "float32"), np.array([[3], [0]], "float32")
    monkeypatch.setattr(op_by_op, "_allowed", True)
    with pytest.warns(UserWarning, match=r"The train step of .* runs op by op.*`tf.boolean_mask\(x, x\[:, 0\] > 0\)`"):
        history = model.fit(x, y, epochs=2, batch_size=2, verbose=0).history
    assert history["loss"][0] == 9 + 3 > history["loss"][1]
    assert keras.layers.Lambda(lambda x: tf.boolean_mask(x, x > 0))(keras.Input((2,))).shape == (None,)


def test_what_is_rewritten_is_where_it_was_written():
    class Own:
        def call(self, x):
            return tf.square(x) if tf.reduce_sum(x) > 0 else x

    code, found = Own.call.__code__, autograph.converted(Own.call).__code__
    assert found is not code and found.co_qualname == code.co_qualname
    columns = {(line, start) for line, _, start, _ in code.co_positions()}
    assert {(line, start) for line, _, start, _ in found.co_positions() if start} & columns
