"""Functional models: what the zoo does not show."""

import keras
import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.core.keras_tensor import KerasTensor
from lamina.errors import CallError, ConfigError, ShapeError
from tests.models import zoo

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's variables
RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(3, 6)).astype("float32")


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[0], lambda x: x[:, 1:4], lambda x: x[..., -1], lambda x: x[:, None], lambda x: x[::2, ::-1],
        lambda x: x[:, [0, 2]], lambda x: x[[2, 0]], lambda x: x[:, np.array([1, 1])],
        lambda x: 2.0 * x, lambda x: np.float32(2) - x, lambda x: np.arange(6, dtype="float32") / (x + 9),
        lambda x: np.ones((6, 2), "float32").T @ x[0], lambda x: x @ np.ones((6, 2), "float32"),
        lambda x: 2.0**x, lambda x: 7 // (x + 9), lambda x: 5.0 % (x + 9), lambda x: x % 2,
        lambda x: (x > 0) & (x < 1), lambda x: (x > 1) | (x < 0), lambda x: (x > 0) ^ (x < 1), lambda x: ~(x > 0),
        lambda x: x >= np.zeros(6), lambda x: x != 0.5, lambda x: abs(-x), lambda x: x.T,
        lambda x: x.reshape(2, 3, 3) if x.shape[0] else x.reshape((-1, 3)), lambda x: x.astype("int32"),
    ],
)  # fmt: skip
def test_operators_compute_what_numpy_does(function):
    """On a symbolic tensor, through a model, as on the array."""
    x = lamina.Input(batch_shape=(3, 6))
    model = lamina.Model(x, function(x))
    expected = function(X)
    assert model.output_shape == expected.shape
    assert model.outputs[0].dtype == expected.dtype
    np.testing.assert_allclose(model(X), expected, 1e-6)
    again = lamina.models.model_from_json(model.to_json())
    np.testing.assert_allclose(again(X), expected, 1e-6)


def test_a_symbolic_tensor_has_no_value():
    x = lamina.Input((6,))
    for function in (bool, np.asarray, len):
        with pytest.raises(TypeError, match=r"needs the values of <KerasTensor") as caught:
            function(x)
        assert isinstance(caught.value, CallError)
    assert [part.shape for part in lamina.Input(batch_shape=(2, 6))] == [(6,), (6,)]


def test_calls_by_keyword_and_with_structures():
    class Mix(layers.Layer):
        def call(self, pair, *, scale, extras=None):
            return (pair["a"] + pair["b"]) * scale, extras[0] * 2

    def build(library, mix):
        a, b, c = library.Input((6,), name="a"), library.Input((6,), name="b"), library.Input((6,), name="c")
        mixed, doubled = mix({"a": a, "b": b}, scale=c, extras=[a, 3])
        return library.Model([a, b, c], [mixed, doubled])

    model = build(lamina, Mix())
    values = [X, X + 1, X * 2]
    np.testing.assert_allclose(model(values)[0], (X + X + 1) * X * 2, 1e-6)
    again = lamina.Model.from_config(model.get_config(), custom_objects={"Mix": Mix})
    np.testing.assert_allclose(again(values)[1], X * 2, 1e-6)


def test_inputs_by_name_by_place_and_in_structures():
    a, b = lamina.Input((6,), name="a"), lamina.Input((6,), name="b")
    named = lamina.Model({"b": b, "a": a}, a - b)
    np.testing.assert_array_equal(named({"a": X, "b": X * 2}), -X)
    listed = lamina.Model([a, b], a - b)
    np.testing.assert_array_equal(listed([X, X * 2]), -X)
    np.testing.assert_array_equal(listed({"b": X * 2, "a": X}), -X)
    nested = lamina.Model([a, {"one": b}], a - b)
    np.testing.assert_array_equal(nested([X, {"one": X * 2}]), -X)
    with pytest.raises(ShapeError, match=r"needs the inputs \['a', 'b'\]"):
        named({"a": X})
    with pytest.raises(ShapeError, match=r"has 2 inputs \(a, b\); it was given 1"):
        listed([X])


def test_inputs_are_fitted_or_refused():
    model = lamina.Model(x := lamina.Input((1,)), x * 2)
    assert model(np.ones(4, "float32")).shape == (4, 1)
    model = lamina.Model(x := lamina.Input((6,)), x * 2)
    assert model(X[..., None]).shape == (3, 6)
    with pytest.raises(ShapeError, match=r"One sample is a batch of one: x\[None\]"):
        model(X[0])
    with pytest.raises(ShapeError, match=r"shape \(None, 6\).*got \(3, 5\)"):
        model(X[:, :5])
    whole = lamina.Model(x := lamina.Input((6,), dtype="int32"), x * 2)
    assert whole(X).dtype == "int32"


def test_optional_input():
    class Maybe(layers.Layer):
        def call(self, x, extra=None):
            return x if extra is None else x + extra

    a, b = lamina.Input((6,), name="a"), lamina.Input((6,), name="b", optional=True)
    model = lamina.Model([a, b], Maybe()(a, b))
    np.testing.assert_array_equal(model([X, X]), 2 * X)
    np.testing.assert_array_equal(model([X, None]), X)
    np.testing.assert_array_equal(lamina.Model({"a": a, "b": b}, Maybe()(a, b))({"a": X}), X)


def test_graphs_that_cannot_be():
    x, y = lamina.Input((6,), name="x"), lamina.Input((6,), name="y")
    with pytest.raises(CallError, match="not among the model's inputs"):
        lamina.Model(x, x + y)
    with pytest.raises(CallError, match="symbolic tensors"):
        lamina.Model(x, X)
    with pytest.raises(CallError, match="symbolic tensors"):
        lamina.Model(x, KerasTensor((None, 6)))
    with pytest.raises(CallError, match="called 'd'"):
        lamina.Model(x, layers.Dense(6, name="d")(layers.Dense(6, name="d")(x)))
    lamina.Model([x, y], x * 2)  # an input that is not needed is fine


def test_input_and_output_of_a_layer_are_those_of_its_first_call():
    x, dense = lamina.Input((6,)), layers.Dense(6)
    with pytest.raises(AttributeError, match="never called on a symbolic tensor"):
        _ = dense.output
    first = dense(x)
    second = dense(first)
    assert dense.input is x and dense.output is first
    assert dense.get_input_at(1) is first and dense.get_output_at(1) is second


def test_cutting_keeps_weights_shared():
    base, _ = zoo.pair("resnet")
    cut = lamina.Model(base.input, base.get_layer("re_lu").output)
    assert cut.output_shape == (None, 8, 8, 4)
    assert all(any(w is other for other in base.weights) for w in cut.weights)


def test_a_model_from_the_middle_leaves_the_other_graph_alone():
    x = lamina.Input((6,))
    middle = layers.Dense(5)(x)
    whole = lamina.Model(x, layers.Dense(2, name="end")(middle))
    config = whole.get_config()
    tail = lamina.Model(middle, whole.output)
    assert [type(layer).__name__ for layer in tail.layers] == ["InputLayer", "Dense"]
    hidden = whole.layers[1](X)
    np.testing.assert_allclose(tail(hidden), whole(X), 1e-6)
    assert whole.get_config() == config


def test_get_layer():
    model, _ = zoo.pair("resnet")
    assert model.get_layer(index=-1) is model.get_layer("dense") is model.layers[-1]
    with pytest.raises(ConfigError, match=r"no layer 'conv'"):
        model.get_layer("conv")
    with pytest.raises(ConfigError, match="none at index 99"):
        model.get_layer(index=99)
    with pytest.raises(ConfigError, match="a name or an index"):
        model.get_layer("dense", index=1)


def test_trainable_reaches_inside_and_bias_of_frozen_models():
    def counts(library):
        zoo.fresh(library)
        inner = library.Sequential([library.Input((6,)), library.layers.Dense(4), library.layers.BatchNormalization()])
        x = library.Input((6,))
        model = library.Model(x, library.layers.Dense(2)(inner(x)))
        found = [len(model.trainable_weights)]
        inner.trainable = False
        found += [len(m.trainable_weights) for m in (model, inner.layers[0])] + [len(model.non_trainable_weights)]
        inner.layers[0].trainable = True
        found += [len(model.trainable_weights), inner.trainable, inner.layers[1].trainable]
        model.trainable = True
        return [*found, len(model.trainable_weights), len(model.non_trainable_weights)]

    assert counts(lamina) == counts(keras)


def test_training_that_was_said_stays_said():
    x = lamina.Input((6,))
    drop = layers.Dropout(0.5, seed=0)
    model = lamina.Model(x, [drop(x, training=True), layers.Dropout(0.5)(x)])
    always, usual = model(np.ones((8, 6), "float32"))
    assert (np.asarray(always) == 0).any() and (np.asarray(usual) == 1).all()
    again = lamina.Model.from_config(model.get_config())
    assert (np.asarray(again(np.ones((8, 6), "float32"))[0]) == 0).any()
    frozen = lamina.Model(x, layers.BatchNormalization()(x, training=False))
    frozen(X, training=True)
    assert (frozen.layers[1].moving_mean.numpy() == 0).all()


def test_a_default_that_keras_wrote_down_is_not_taken_for_a_wish():
    """Keras's configs say training=False of every Dropout."""
    x = keras.Input((6,))
    model = keras.Model(x, keras.layers.Dropout(0.5)(x))
    assert '"training": false' in model.to_json()
    ours = lamina.models.model_from_json(model.to_json())
    assert (np.asarray(ours(np.ones((8, 6), "float32"), training=True)) == 0).any()


def test_masks_given_as_tensors_in_keras_configs():
    ours, theirs = zoo.pair("text")
    assert "NotEqual" in theirs.to_json() and "NotEqual" not in ours.to_json()
    read = lamina.models.model_from_json(theirs.to_json())
    read.set_weights(theirs.get_weights())
    zoo.assert_outputs(read, "text")


def test_stateless_call():
    model, theirs = zoo.pair("mlp")
    trainable, others = ([v.numpy() for v in vs] for vs in (model.trainable_variables, model.non_trainable_variables))
    changed = [value + 1 for value in trainable]
    outputs, new = model.stateless_call(changed, others, X, training=True)
    expected, theirs_new = theirs.stateless_call(
        changed, [np.asarray(v.value) for v in theirs.non_trainable_variables], X, training=True
    )
    assert outputs.shape == expected.shape
    moving = [v.name for v in model.non_trainable_variables].index("moving_mean")
    np.testing.assert_allclose(new[moving], theirs_new[moving], 1e-5)
    np.testing.assert_array_equal(model.trainable_variables[0].numpy(), trainable[0])
    with pytest.raises(CallError, match="stateless_call was given 1"):
        model.stateless_call(trainable[:1], others, X)


def test_set_weights_fits_or_changes_nothing():
    model, _ = zoo.pair("mlp")
    before = model.get_weights()
    with pytest.raises(ShapeError, match="has 8 weights; set_weights was given 7"):
        model.set_weights(before[:-1])
    with pytest.raises(ShapeError, match=r"sequential/dense_1/bias has shape \(3,\); set_weights was given \(4,\)"):
        model.set_weights([*(w * 0 for w in before[:-1]), np.zeros(4)])
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_inputs_in_nested_dicts():
    one, two, three = (lamina.Input((size,)) for size in (1, 2, 3))
    model = lamina.Model(
        {"1": one, "others": {"2": two, "3": three}}, {"1": one * 2, "others": {"2": two, "3": three + 1}}
    )
    x = {"1": np.ones((2, 1)), "others": {"2": np.ones((2, 2)), "3": np.ones((2, 3))}}
    for outputs in (model(x), model.predict(x, verbose=0)):
        assert outputs["1"].tolist() == [[2.0]] * 2
        assert outputs["others"]["3"].shape == (2, 3)


def test_inputs_that_do_not_say_which_is_which():
    first, second = lamina.Input((2,), name="b"), lamina.Input((2,), name="a")
    model = lamina.Model({"b": first, "a": second}, first - second)
    x = np.ones((1, 2))
    with pytest.raises(ValueError, match=r"belongs to which of \['b', 'a'\]"):
        model([x, x])
    with pytest.raises(ValueError, match="'b', which is not optional"):
        model({"a": x, "b": None})
    with pytest.warns(UserWarning, match=r"\['c'\] are not used"):
        assert model({"b": x, "a": 0 * x, "c": x}).tolist() == [[1.0, 1.0]]
    in_order = lamina.Model({"a": second, "b": first}, first - second)
    with pytest.warns(UserWarning, match=r"matched to \['a', 'b'\] in this order"):
        assert in_order([0 * x, x]).tolist() == [[1.0, 1.0]]


def test_an_input_that_was_computed_is_where_a_model_may_begin():
    """As `Input(tensor=K.concatenate(...))` of the pictures in programs for the transfer of a style."""
    given = lamina.Input((3,))
    doubled = lamina.Input(tensor=given * 2)
    outputs = layers.Dense(1, kernel_initializer="ones")(doubled)
    x = np.ones((2, 3), "float32")
    assert lamina.Model(doubled, outputs)(x).tolist() == [[3.0]] * 2
    assert lamina.backend.function([given], [outputs])([x])[0].tolist() == [[6.0]] * 2
    made = KerasTensor((None, 3))
    assert lamina.Input(tensor=made) is made


def test_a_layer_of_ones_own_multiplies_by_the_matrix_of_the_batch(tmp_path):
    """The rows of a batch are the nodes of one graph, whose edges are a square matrix. Keras on TensorFlow runs it."""
    module = lamina

    class Convolution(module.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = module.layers.Dense(2, kernel_initializer="ones")

        def call(self, inputs):
            nodes, edges = inputs
            return module.ops.matmul(edges, self.dense(nodes))

    nodes, edges = module.Input((4,)), module.Input((6,))
    outputs = Convolution()([nodes, edges])
    assert tuple(outputs.shape) == (None, 2)
    model = module.Model([nodes, edges], outputs)
    data = [np.ones((6, 4), "float32"), np.eye(6, dtype="float32")]
    assert np.allclose(model.predict(data, batch_size=6, verbose=0), 4)
    model.save(tmp_path / "m.keras")
    again = module.models.load_model(tmp_path / "m.keras", custom_objects={"Convolution": Convolution})
    assert np.allclose(again.predict(data, batch_size=6, verbose=0), 4)


@pytest.mark.parametrize("ops", [keras.ops, lamina.ops])
def test_batches_that_meet_in_products_stay_unknown(ops):
    module = keras if ops is keras.ops else lamina
    x, y = module.KerasTensor((None, 5, 10)), module.KerasTensor((None, None, 8))
    assert tuple(ops.matmul(x, y).shape) == (None, 5, 8)
