"""Models of tf.keras before Keras 3 in programs for TensorFlow: tf functions of symbolic tensors, `compiled_loss`,
`add_metric`, losses of functional models."""

import numpy as np
import pytest

import lamina as keras
from lamina.callbacks import logs
from lamina.compat import keras2
from lamina.compat.variables import patch_arrays
from lamina.core import graph
from lamina.layers.base import call_signature
from tests.compat.namespace import tf

patch_arrays()
X = np.arange(8.0, dtype="float32").reshape(4, 2) / 8
Y = X[:, :1]


@pytest.fixture(autouse=True)
def old_methods(monkeypatch):
    """The methods, for the time of a test."""
    for kind, names in (
        (keras.Model, ("compile", "compiled_loss", "compiled_metrics", "save_weights", "_nodes_by_depth", "__call__",
                       "to_yaml")),
        (keras.layers.Layer, ("add_metric", "add_loss", "add_weight", "input_shape", "output_shape", "add_update",
                              "_name", "inbound_nodes", "outbound_nodes", "get_input_shape_at", "get_output_shape_at")),
        (keras.layers.MultiHeadAttention, ("_build_from_signature",)),
        (keras.optimizers.Optimizer, ("_name", "minimize")),
    ):  # fmt: skip
        for name in names:
            monkeypatch.setattr(kind, name, getattr(kind, name, None), raising=False)
    monkeypatch.setattr(call_signature, "without_plain_values", call_signature.without_plain_values)
    monkeypatch.setattr(graph, "NO_NAME", graph.NO_NAME)
    for name in ("acc", "val_acc"):
        monkeypatch.setitem(logs.OLD_NAMES, name, name)
    keras2.patch_keras()


def test_functions_of_tensorflow_are_ops_of_models(tmp_path):
    x = keras.Input((2,))
    outputs = [
        tf.gather(x, [1], axis=1),
        tf.reduce_mean(x, axis=1),
        tf.cumsum(x, axis=1),
        tf.map_fn(lambda a: 2 * a, x),
    ]
    model = keras.Model(x, outputs)
    found = model(X)
    assert np.asarray(found[0]).tolist() == X[:, 1:].tolist()
    assert np.allclose(found[1], X.mean(1)) and np.allclose(found[2], X.cumsum(1)) and np.allclose(found[3], 2 * X)
    model = keras.Model(x, outputs[:3])
    model.save(tmp_path / "m.keras")
    assert np.allclose(keras.models.load_model(tmp_path / "m.keras")(X)[2], found[2])


def test_losses_and_metrics_beside_the_outputs():
    x = keras.Input((2,))
    model = keras.Model(x, keras.layers.Dense(1, kernel_initializer="ones")(x))
    model.compile("sgd", "mse")
    alone = model.evaluate(X, Y, verbose=0)
    model.add_loss(tf.reduce_sum(x * 0) + 3.0)
    model.add_metric(tf.reduce_max(x), name="largest")
    model.compile("sgd", "mse")
    found = model.evaluate(X, Y, batch_size=4, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(alone + 3, rel=1e-5) and found["largest"] == pytest.approx(X.max())
    assert model.layers[1].name == "dense" and len(model.weights) == 2


class Own(keras.Model):
    """A step as Keras 2 had it."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)  # pyright: ignore[reportAttributeAccessIssue]
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        self.compiled_metrics.update_state(y, y_pred)  # pyright: ignore[reportAttributeAccessIssue]
        return {one.name: one.result() for one in self.metrics}


class Counts(keras.layers.Layer):
    def call(self, inputs):
        self.add_metric(tf.reduce_max(inputs), name="largest")
        return inputs


def test_steps_and_layers_of_keras_2():
    x = keras.Input((2,))
    model = Own(x, keras.layers.Dense(1, kernel_regularizer="l2")(Counts()(x)))
    model.compile("sgd", "mse", metrics=["mae"])
    model.set_weights([np.zeros_like(one) for one in model.get_weights()])  # far from what it learns
    history = model.fit(X, Y, batch_size=4, epochs=3, verbose=0).history
    assert history["loss"][2] < history["loss"][0] and history["mae"][2] < history["mae"][0]
    assert history["largest"] == pytest.approx([X.max()] * 3)


def test_concrete_functions_know_their_variables():
    v, w = tf.Variable(2.0), tf.Variable(1.0, trainable=False)
    concrete = tf.function(lambda x: x * v + w).get_concrete_function(tf.TensorSpec([], "float32"))
    assert {*map(id, concrete.variables)} == {id(v), id(w)} and concrete.trainable_variables[0] is v
    assert sorted(float(one) for one in concrete.captured_inputs) == [1.0, 2.0]
    free = tf.function(lambda x: x * v).get_concrete_function(tf.TensorSpec(None, "float32"))
    assert any(one is v for one in free.variables)


def test_checkpoints_of_functional_models(tmp_path):
    x = keras.Input((2,))
    model = keras.Model(x, keras.layers.Dense(1)(keras.layers.Dense(3)(x)))
    path, before = tf.train.Checkpoint(model=model).save(str(tmp_path / "c")), model.get_weights()
    for variable in model.variables:
        variable.assign(variable.read() * 0)
    tf.train.Checkpoint(model=model).restore(path).assert_consumed()
    assert all(map(np.array_equal, before, model.get_weights()))
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dense(1)])
    tf.train.Checkpoint(model=other).restore(path).assert_existing_objects_matched()
    assert all(map(np.array_equal, before, other.get_weights()))


def test_layers_take_lists_of_numbers():
    assert keras.layers.Dense(3)([[1.0, 2.0]]).shape == (1, 3)
    assert keras.layers.Add()([tf.ones([2]), tf.ones([2])]).shape == (2,)
    with pytest.raises(ValueError, match="lists of unequal length|takes tensors|same length|inhomogeneous"):
        keras.layers.Dense(3)([[1.0, 2.0], [3.0]])

    class Twice(keras.layers.Layer):
        def call(self, x):
            return x + x

    assert Twice()([[1.0, 2.0]]).tolist() == [[2.0, 4.0]]

    class Lengths(keras.layers.Layer):
        _convert_input_args, _allow_non_tensor_positional_args = False, True

        def call(self, rows):
            return [len(row) for row in rows]

    assert Lengths()([[1, 2], [3]]) == [2, 1]  # as packages of tokenizers ask for


def test_first_states_for_inputs_as_in_keras_2():
    x = tf.ones([2, 5, 3])
    for states in (keras.layers.GRU(4).get_initial_state(x), keras.layers.GRUCell(4).get_initial_state(x[:, 0])):
        assert [state.shape for state in states] == [(2, 4)]
    cell = keras.layers.LSTMCell(4)
    assert [state.shape for state in cell.get_initial_state(batch_size=2, dtype=tf.float32)] == [(2, 4)] * 2


def test_shapes_of_layers_of_keras_2():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Lambda(lambda x: x, (3,))])
    assert (model.layers[0].input_shape, model.layers[0].output_shape) == ((None, 2), (None, 3))
    assert model.layers[1].output_shape == (3,)  # what its class assigned
    assert tf.ones((2, 3)).shape == [2, 3] and not tf.ones((2, 3)).shape != [2, 3] != tf.ones((2, 4)).shape
    with pytest.raises(AttributeError):
        keras.layers.Dense(2).output_shape  # noqa: B018
    variable = tf.Variable(1.0)
    tf.compat.v1.assign(variable, 2.0)
    assert float(tf.compat.v1.assign_sub(variable, 0.5)) == 1.5


def test_nodes_and_shapes_of_calls():
    first, inputs = keras.layers.Dense(2, name="first"), keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(1, name="last")(first(inputs)))
    by_depth = {depth: [node.outbound_layer.name for node in nodes] for depth, nodes in model._nodes_by_depth.items()}
    assert by_depth == {0: ["last"], 1: ["first"], 2: [inputs._keras_history.operation.name]}
    [node] = first.inbound_nodes
    assert node.inbound_layers is inputs._keras_history.operation and (node.node_indices, node.tensor_indices) == (0, 0)
    assert node.input_shapes == first.get_input_shape_at(0) == (None, 3)
    assert node.output_shapes == first.get_output_shape_at(0) == (None, 2)
    assert first.outbound_nodes[0].layer is model.layers[-1] and node.call_args == (inputs,) and node.call_kwargs == {}
    config = {"class_name": "Functional", "config": model.get_config()}
    assert keras.layers.deserialize(config).count_params() == 11


class Updated(keras.layers.Layer):
    def build(self, input_shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self.largest = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs):
        self.add_update([(self.calls, self.calls + 1), lambda: self.largest.assign(tf.reduce_max(inputs))], inputs)
        self.add_update(keras.backend.update_add(self.calls, 1), inputs)
        return inputs


def test_updates_of_layers_and_metrics_that_were_not_compiled():
    layer = Updated()
    model = keras.Sequential([keras.Input((2,)), layer, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=2, shuffle=False, verbose=0)
    assert float(layer.calls) == 4 and float(layer.largest) == X.max()
    model.compiled_metrics.update_state(Y, Y, sample_weight=None)
    one, other = (keras.layers.MultiHeadAttention(2, 3) for _ in range(2))
    one._build_from_signature(tf.TensorShape((None, 4, 6)), value=tf.TensorShape((None, 5, 6)))
    other._build_from_signature(np.ones((1, 4, 6)), np.ones((1, 5, 6)))
    assert [weight.shape for weight in one.weights] == [weight.shape for weight in other.weights] and one.weights


def test_names_that_are_set(tmp_path):
    layer = keras.layers.Dense(1, name="old")
    model = keras.Sequential([keras.Input((2,)), layer])
    layer._name, model._name = "new", "other"
    assert (layer.name, layer._name, model.name) == ("new", "new", "other") and model.get_layer("new") is layer
    layer._name = "a/b"
    for ending in ("keras", "h5", "weights.h5"):
        (model.save_weights if "weights" in ending else model.save)(tmp_path / f"m.{ending}")
    model.load_weights(tmp_path / "m.weights.h5")
    assert keras.models.load_model(tmp_path / "m.keras").get_layer("a/b").units == 1
    assert keras.models.load_model(tmp_path / "m.h5").get_layer("a/b")(X).tolist() == layer(X).tolist()
    assert keras.layers.Dense(1, name="0/dense").name == "0/dense"
    assert keras.optimizers.SGD(name="s")._name == "s"  # pyright: ignore[reportAttributeAccessIssue]


class Sizes(keras.layers.Layer):
    """Sizes as tensors, as Keras 2 was written for TensorFlow 1."""

    def call(self, x):
        K = keras.backend
        batch, steps, _ = K.shape(x)
        counted = K.tile(K.expand_dims(K.arange(0, steps), 0), K.stack([batch, 1]))
        made = [K.ones(K.stack([batch, steps])), tf.zeros(tf.stack([batch, steps])), keras.ops.ones(K.stack([steps]))]
        return x + K.expand_dims(sum(made) + K.cast(counted, "float32"), -1)


def test_sizes_that_are_stacked():
    model = keras.Sequential([keras.Input((None, 2)), Sizes()])
    assert model.output_shape == (None, None, 2)
    assert model.predict(np.zeros((2, 3, 2)), verbose=0)[1, :, 0].tolist() == [2.0, 3.0, 4.0]
    x, y = keras.ops.convert_to_tensor(X), keras.ops.stack([2, 4])
    assert keras.ops.broadcast_to(x, keras.ops.stack([3, 4, 2])).shape == (3, 4, 2) and keras.ops.zeros(y).shape == (
        2,
        4,
    )


def test_a_loss_may_read_symbolic_tensors_of_the_model():
    """As that of a variational autoencoder in programs for Keras 1 and 2; `minimize` makes one step."""
    x = keras.Input((2,))
    hidden = keras.layers.Dense(1, kernel_initializer="ones")(x)

    def loss(y_true, y_pred):
        return tf.reduce_sum(tf.square(y_true - y_pred) + 2.0 * hidden, axis=-1)

    model = keras.Model(x, keras.layers.Dense(1, kernel_initializer="ones")(hidden))
    model.compile(keras.optimizers.SGD(0.01), loss)
    total = X.sum(1, keepdims=True)
    expected = ((Y - total) ** 2 + 2 * total).mean()
    assert model.evaluate(X, Y, batch_size=4, verbose=0) == pytest.approx(expected, rel=1e-5)
    first = model.fit(X, Y, batch_size=4, verbose=0).history["loss"][0]
    assert first == pytest.approx(expected, rel=1e-5)
    assert model.evaluate(X, Y, batch_size=4, verbose=0) < first
    weight, optimizer = keras.Variable(3.0), keras.optimizers.SGD(0.1)
    optimizer.minimize(lambda: tf.square(tf.subtract(weight, 1.0)), [weight])
    assert float(weight) == pytest.approx(2.6)


def test_metrics_are_the_third_argument_and_accuracy_is_called_acc():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="sigmoid")])
    with pytest.warns(FutureWarning, match="metrics=metrics"):
        model.compile("sgd", "binary_crossentropy", ["accuracy", keras.metrics.MeanSquaredError(name="mse")])
    seen = []
    watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs.get("val_acc")))
    stop = keras.callbacks.EarlyStopping(monitor="val_acc", patience=1)
    with pytest.warns(FutureWarning, match="since Keras 2.3"):
        history = model.fit(X, Y > 0.5, epochs=2, verbose=0, validation_data=(X, Y > 0.5), callbacks=[watch, stop])
        assert history.history["acc"] is history.history["accuracy"]
    assert seen == history.history["val_accuracy"] and stop.best == max(seen) and "acc" not in history.history
    model.compile("sgd", "mse", [2.0])
    assert model.loss_weights == [2.0]


def test_functional_models_take_any_argument_as_in_keras():
    x = keras.Input((2,))
    for model in (keras.Model(x, 2 * x), keras.Sequential([keras.Input((2,)), keras.layers.Rescaling(2.0)])):
        assert np.allclose(model(X, batch_size=2, verbose=False, training=False), 2 * X)

    class Own(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(TypeError, match="batch_size"):
        Own()(X, batch_size=2)
