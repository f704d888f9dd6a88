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


def test_a_lambda_in_the_line_of_a_def_is_not_taken_for_it():
    def made(x): return lambda a, b: x + a + b  # fmt: skip

    function = made(1)
    assert autograph.converted(function) is function


class OfEdges(keras.layers.Layer):
    """Sums rows by the edges of a graph, as many sums as the edges say."""

    def build(self, input_shape):
        self.dense = keras.layers.Dense(2)

    def call(self, inputs):
        rows, edges = inputs
        return tf.math.unsorted_segment_sum(self.dense(rows), edges[:, 0], tf.reduce_max(edges[:, 0]) + 1)


class OfGraph(keras.Model):
    def __init__(self):
        super().__init__()
        self.rows, self.edges = tf.ones((4, 3)), tf.constant([[0, 1], [1, 2], [2, 2], [3, 0]])
        self.first = OfEdges()

    def call(self, inputs):
        rows, edges = inputs
        return self.first((rows, edges))

    def train_step(self, data):
        places, targets = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=targets, y_pred=tf.gather(self((self.rows, self.edges)), places))
        self.optimizer.apply_gradients(
            zip(tape.gradient(loss, self.trainable_weights), self.trainable_weights, strict=True)
        )
        return {"loss": loss}


def test_fit_builds_layers_by_a_step_that_asks_for_values(monkeypatch):
    model = OfGraph()
    model.compile("sgd", "mse")
    monkeypatch.setattr(op_by_op, "_allowed", True)
    with pytest.warns(UserWarning, match="runs op by op"):
        history = model.fit(np.arange(4), np.zeros((4, 2)), epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0] and len(model.trainable_weights) == 2


class Kinds(keras.Model):
    def __init__(self):
        super().__init__()
        self.numbers = keras.layers.StringLookup(vocabulary=["cat", "dog"])
        self.table, self.last = keras.layers.Embedding(3, 4), keras.layers.Dense(1, activation="sigmoid")

    def call(self, features):
        return self.last(self.table(self.numbers(features["kind"])))


class KindsByTape(Kinds):
    def train_step(self, data):
        features, y = data
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.subtract(self(features, training=True), tf.expand_dims(y, 1))))
        self.optimizer.apply_gradients(
            zip(tape.gradient(loss, self.trainable_variables), self.trainable_variables, strict=True)
        )
        return {"loss": loss}


@pytest.mark.parametrize("kind", [Kinds, KindsByTape])
def test_models_whose_own_code_reads_texts(kind, monkeypatch):
    monkeypatch.setattr(op_by_op, "_allowed", True)
    features = {"kind": np.array(["cat", "dog"] * 8), "age": np.arange(16.0)}
    y = (features["kind"] == "dog").astype("float32")
    model = kind()
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy")
    data = keras.utils.Dataset.from_tensor_slices((features, y)).batch(4)
    with pytest.warns(UserWarning, match="train step of .* runs op by op.*: it reads texts"):
        losses = model.fit(data, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 3
    with pytest.warns(UserWarning, match="predict step"):
        found = model.predict(features, verbose=0)
    np.testing.assert_allclose(found, model(features), rtol=1e-6)
    assert (found[:, 0] > 0.5).tolist() == y.astype(bool).tolist()
    with pytest.warns(UserWarning, match="test step"):
        model.fit(features, y, validation_split=0.5, verbose=0)
    monkeypatch.setattr(op_by_op, "_allowed", False)
    with pytest.raises(ValueError, match="contains strings"):
        model.fit(features, y, verbose=0)
