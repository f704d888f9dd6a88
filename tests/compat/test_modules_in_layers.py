"""Variables of a tf.Module that a layer or model holds are those of the layer."""

import numpy as np

import lamina as keras
from tests.compat.namespace import tf


class Lazy(tf.Module):
    """Makes its variable at the first call, and holds itself."""

    def __init__(self):
        super().__init__()
        self.dense, self.parent = keras.layers.Dense(2), [self]

    def __call__(self, x):
        if not hasattr(self, "w"):
            self.w = tf.Variable(tf.ones((3, 3)), name="w")
        return self.dense(x @ self.w)


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.parts = [Lazy()]

    def call(self, x):
        return self.parts[0](x)


def test_variables_of_modules_are_trained_and_saved(tmp_path):
    model = Net()
    model.compile("sgd", "mse")
    x = np.ones((4, 3), "float32")
    model.fit(x, np.zeros((4, 2)), verbose=0)
    assert [w.shape for w in model.trainable_variables] == [(3, 3), (3, 2), (2,)]
    assert not np.allclose(model.parts[0].w.numpy(), 1.0)
    expected = model.predict(x, verbose=0)
    model.save_weights(tmp_path / "m.weights.h5")
    for variable in model.variables:
        variable.assign(variable * 0)
    model.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-6)
