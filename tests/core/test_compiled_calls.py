"""Calls on arrays as compiled programs: the same numbers, whatever changes between two calls, and nothing kept."""

import copy
import gc
import pickle
import threading
import weakref
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lamina as keras
from lamina import layers
from lamina.compat.tapes import GradientTape
from lamina.core import compiled_calls, context
from lamina.core.keras_tensor import get_mask
from lamina.errors import LaminaError

X = jnp.asarray(np.random.default_rng(0).normal(size=(4, 6, 8)), jnp.float32)


def op_by_op(function, *args, **kwargs):
    """The result without programs. Refs are bound, so variables stay as they are."""
    with context.bind(), mock.patch.object(context, "is_traced", lambda: True):
        return function(*args, **kwargs)


def program_of(layer):
    return vars(layer)["_compiled_call"].program


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Dense(3, activation="gelu"), lambda: layers.LayerNormalization(), lambda: layers.LSTM(3),
        lambda: layers.Bidirectional(layers.GRU(2)), lambda: layers.Conv1D(3, 2, activation="relu"),
        lambda: layers.TimeDistributed(layers.Dense(2)), lambda: layers.Dropout(0.5, seed=1),
        lambda: keras.Sequential([layers.Flatten(), layers.Dense(3, "softmax")]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("training", [False, True])
def test_a_program_computes_what_the_operations_do(make, training):
    layer = make()
    layer.build(X.shape)
    expected = op_by_op(layer, X, training=training)
    np.testing.assert_allclose(layer(X, training=training), expected, rtol=1e-5, atol=1e-6)
    assert program_of(layer)._cache_size() >= 1
    np.testing.assert_array_equal(np.shape(layer(np.asarray(X))), np.shape(expected))


def test_equal_layers_share_a_program_and_others_do_not():
    one, two = layers.Dense(3, activation="relu"), layers.Dense(3, activation="relu", name="of_another_name")
    others = layers.Dense(3, activation="tanh"), layers.Dense(3, use_bias=False), layers.Dense(3, dtype="float16")
    for layer in (one, two, *others):
        layer(X)
    assert program_of(one) is program_of(two)
    assert len({id(program_of(layer)) for layer in (one, *others)}) == 4
    compiled = program_of(one)._cache_size()
    two(X)
    assert program_of(one)._cache_size() == compiled
    np.testing.assert_allclose(two(X), np.maximum(np.asarray(X) @ two.kernel + two.bias, 0), atol=1e-6)


def test_a_call_sees_new_values_and_new_settings():
    layer = layers.Dense(2)
    layer(X)
    layer.kernel.assign(jnp.ones((8, 2)))
    np.testing.assert_allclose(layer(X)[..., 0], np.asarray(X).sum(-1), rtol=1e-5)
    layer.activation = keras.activations.tanh
    np.testing.assert_allclose(layer(X)[..., 0], np.tanh(np.asarray(X).sum(-1)), rtol=1e-4)
    model = keras.Sequential([layers.Dropout(0.5), layer])
    model(X)
    model.layers[1].activation = keras.activations.relu
    np.testing.assert_allclose(model(X)[..., 0], np.maximum(np.asarray(X).sum(-1), 0), rtol=1e-5)
    model.add(layers.Rescaling(2.0))
    np.testing.assert_allclose(model(X)[..., 0], 2 * np.maximum(np.asarray(X).sum(-1), 0), rtol=1e-5)


def test_a_call_changes_the_state():
    normalization, dropout = layers.BatchNormalization(), layers.Dropout(0.5, seed=3)
    normalization(X, training=True)
    np.testing.assert_allclose(normalization.moving_mean, np.asarray(X).mean((0, 1)) * 0.01, rtol=1e-4, atol=1e-7)
    normalization.trainable = False  # from now on it is in inference in training too
    before = normalization.moving_mean.numpy()
    normalization(X, training=True)
    np.testing.assert_array_equal(normalization.moving_mean, before)
    assert (dropout(X, training=True) != dropout(X, training=True)).any()
    assert dropout.seed_generator.state.numpy()[1] == 2
    np.testing.assert_array_equal(dropout(X), X)


def test_code_of_users_runs_in_each_call():
    factor = [1.0]
    layer = layers.Dense(
        2, activation=lambda x: x * factor[0], bias_initializer=lambda shape, dtype=None: jnp.ones(shape)
    )
    one = layer(X)
    factor[0] = 3.0
    np.testing.assert_allclose(layer(X), 3 * one, rtol=1e-6)
    patched = layers.Dense(2)
    patched(X)
    patched.call = lambda x: x + factor[0]
    np.testing.assert_allclose(patched(X), X + 3.0)
    calls = []

    class Own(layers.Layer):
        def call(self, x):
            calls.append(type(x))
            return x

    model = keras.Sequential([Own(), layers.Dense(2)])
    model(X)
    model(X)
    assert len(calls) >= 2
    assert not any(issubclass(kind, jax.core.Tracer) for kind in calls[-1:])


def test_masks_go_through():
    ids = jnp.asarray([[1, 2, 0], [3, 0, 0]])
    embedding, dropout, last = layers.Embedding(5, 4, mask_zero=True), layers.Dropout(0.1), layers.LSTM(3)
    passed = dropout(embedding(ids))
    np.testing.assert_array_equal(get_mask(passed), ids != 0)
    np.testing.assert_allclose(last(passed)[1], last(embedding(ids[1:, :1]))[0], rtol=1e-5)


def test_structures_keep_their_order():
    inputs = {"b": keras.Input((8,)), "a": keras.Input((8,))}
    dense = layers.Dense(2)
    model = keras.Model(inputs, {"z": dense(inputs["a"]), "y": [layers.Dense(3)(inputs["b"])]})
    given = {"b": X[0], "a": X[1]}
    found = model(given)
    assert set(found) == {"y", "z"} and isinstance(found["y"], list)
    np.testing.assert_allclose(found["z"], np.asarray(X[1]) @ dense.kernel, atol=1e-5)
    state, last = layers.GRU(3, return_state=True)(X), layers.Add()((X, X))
    assert isinstance(state, tuple | list) and len(state) == 2
    np.testing.assert_allclose(last, 2 * X)


def test_losses_and_metrics():
    y, p = jnp.asarray([1, 0, 2]), jnp.asarray(np.random.default_rng(1).uniform(size=(3, 3)), jnp.float32)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    log_p = np.asarray(p) - np.log(np.exp(p).sum(-1, keepdims=True))
    expected = -log_p[np.arange(3), np.asarray(y)].mean()
    np.testing.assert_allclose(loss(y, p), expected, rtol=1e-6)
    assert len(vars(loss)["_compiled_calls"]) == 1
    loss.reduction = "sum"
    np.testing.assert_allclose(loss(y, p), 3 * expected, rtol=1e-6)
    accuracy = keras.metrics.SparseCategoricalAccuracy()
    for count in (1, 2):
        accuracy.update_state(y, p)
        assert float(accuracy.count.value) == 3 * count
    np.testing.assert_allclose(accuracy.result(), (np.asarray(p).argmax(-1) == np.asarray(y)).mean(), rtol=1e-6)
    accuracy.reset_state()
    assert float(accuracy.result()) == 0
    own = keras.losses.LossFunctionWrapper(lambda y_true, y_pred: y_pred[:, 0] * scale[0])
    scale = [1.0]
    before, scale[0] = float(own(y, p)), 2.0
    np.testing.assert_allclose(own(y, p), 2 * before, rtol=1e-6)
    score = keras.metrics.R2Score()  # makes its variables in the first call
    score.update_state(p, p)
    score.update_state(p, p)
    assert float(score.result()) == 1 and int(score.num_samples.value) == 18


def test_settings_of_the_process_count():
    y, p = jnp.asarray([[1.0]]), jnp.asarray([[0.0]])
    loss, before = keras.losses.BinaryCrossentropy(), keras.config.epsilon()
    one = float(loss(y, p))
    try:
        keras.config.set_epsilon(1e-3)
        assert float(loss(y, p)) < one
        np.testing.assert_allclose(keras.losses.BinaryCrossentropy()(y, p), loss(y, p))
    finally:
        keras.config.set_epsilon(before)
    assert float(loss(y, p)) == one


def test_an_op_is_one_program_and_raises_what_it_did():
    np.testing.assert_allclose(keras.ops.softmax(X).sum(-1), np.ones((4, 6)), rtol=1e-5)
    assert keras.ops.softmax.compiled.program._cache_size() >= 1
    with pytest.raises(LaminaError, match="axis"):
        keras.ops.softmax(X, axis=7)
    np.testing.assert_allclose(keras.ops.softmax(X, axis=1).sum(1), np.ones((4, 8)), rtol=1e-5)
    assert keras.ops.cast(True, "int32").tolist() == 1
    assert isinstance(keras.ops.relu(2.0), jax.Array)


def test_a_wrong_call_does_not_spoil_the_right_one():
    layer = layers.Dense(2)
    expected = layer(X)
    with pytest.raises(ValueError, match="dense"):
        layer(X[..., :3])
    np.testing.assert_array_equal(layer(X), expected)
    assert program_of(layer) is not None


def test_derivatives_and_tapes():
    layer = layers.Dense(2, activation="tanh")
    layer(X)
    gradient = jax.grad(lambda x: layer(x).sum())(X)
    assert gradient.shape == X.shape and (gradient != 0).all()
    with GradientTape() as tape:
        tape.watch(X)
        total = keras.ops.sum(layer(X))
    np.testing.assert_allclose(tape.gradient(total, X), gradient, rtol=1e-4, atol=1e-6)


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((6, 8)),
            layers.Conv1D(4, 2),
            layers.BatchNormalization(),
            layers.Dropout(0.5, seed=1),
            layers.Dense(2),
        ]
    )


def gradients(model):
    """(loss, gradients) of a training call, by all trainable variables."""
    error = keras.losses.MeanSquaredError()
    return keras.ops.value_and_grad(lambda _: error(jnp.ones((4, 5, 2)), model(X, training=True)))(
        model.trainable_variables
    )


def test_a_step_by_hand_traces_the_model_once(model, monkeypatch):
    calls, call = [], layers.Dense.call
    monkeypatch.setattr(layers.Dense, "call", lambda self, *args: calls.append(1) or call(self, *args))
    start = [np.asarray(value) for value in model.get_weights()]
    moved = []
    for _ in range(3):
        loss, found = gradients(model)
        moved.append(np.asarray(model.layers[1].moving_mean))
    assert len(calls) == 1
    assert not np.allclose(moved[0], moved[1]) and not np.allclose(moved[1], moved[2])
    model.set_weights(start)
    model.layers[2].seed_generator.state.assign([1, 0])
    with mock.patch.object(context, "is_traced", context.is_bound):
        for _ in range(3):
            expected_loss, expected = gradients(model)
    assert len(calls) == 4
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-5)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=1e-6)
    np.testing.assert_allclose(moved[-1], model.layers[1].moving_mean, rtol=1e-5)


def test_derivatives_by_the_inputs_keep_the_state_concrete(model):
    state = model.layers[2].seed_generator.state
    model(X, training=True)
    before = np.asarray(state)
    gradient = jax.grad(lambda x: model.layers[2](x, training=True).sum())(X)
    assert set(np.unique(gradient)) <= {0.0, 2.0}
    assert not isinstance(state.value, jax.core.Tracer) and not np.array_equal(before, state)
    second = jax.grad(lambda x: jax.grad(lambda v: layers.Activation("tanh")(v).sum())(x).sum())(X)
    np.testing.assert_allclose(second, -2 * np.tanh(X) * (1 - np.tanh(X) ** 2), rtol=1e-4, atol=1e-5)


def test_maps_and_programs_of_programs(model):
    expected = model(X)
    np.testing.assert_allclose(jax.vmap(lambda x: model(x[None])[0])(X), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(jax.jit(lambda x: model(x))(X), expected, rtol=1e-5, atol=1e-6)
    tangent = jax.jvp(lambda x: layers.Activation("tanh")(x), (X,), (jnp.ones_like(X),))[1]
    np.testing.assert_allclose(tangent, 1 - np.tanh(X) ** 2, rtol=1e-4, atol=1e-6)


def test_copies_and_pickles():
    model = keras.Sequential([keras.Input((6, 8)), layers.Dense(2)])
    expected = model(X)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), copy.deepcopy(model.layers[0])):
        np.testing.assert_array_equal(other(X), expected)
    loss = keras.losses.MeanSquaredError()
    value = loss(X, X + 1)
    assert copy.deepcopy(loss)(X, X + 1) == value == pickle.loads(pickle.dumps(loss))(X, X + 1)


def test_nothing_is_kept():
    model = keras.Sequential([keras.Input((6, 8)), layers.Dense(2), layers.Dropout(0.5), layers.LSTM(3)])
    model(X)
    for layer in model.layers:
        layer(X if layer is model.layers[0] else model.layers[0](X))
    gone = weakref.ref(model), weakref.ref(model.layers[0]), weakref.ref(model.layers[0].kernel)
    gc.disable()
    try:
        del model, layer
        assert [ref() for ref in gone] == [None] * 3
    finally:
        gc.enable()


def test_shared_programs_are_bounded(monkeypatch):
    monkeypatch.setattr(compiled_calls, "MAX_SHARED", 2)
    for units in range(1, 6):
        layers.Dense(units)(X)
    assert len(compiled_calls._shared) == 2


def test_threads_call_one_layer():
    layer, results = layers.Dense(3, activation="relu"), []
    layer.build(X.shape)
    threads = [threading.Thread(target=lambda: results.append(np.asarray(layer(X)))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6
    for result in results:
        np.testing.assert_array_equal(result, results[0])
