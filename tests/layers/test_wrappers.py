"""Bidirectional and TimeDistributed against Keras."""

import json

import jax.numpy as jnp
import keras
import numpy as np
import pytest

import lamina
from lamina.errors import ConfigError, ShapeError
from lamina.layers.base.layer import Layer
from lamina.layers.conv_lstm import ConvLSTM1D
from lamina.layers.convolutional import Conv2D
from lamina.layers.dense import Dense
from lamina.layers.input_layer import Input
from lamina.layers.recurrent import GRU, LSTM, SimpleRNN
from lamina.layers.rnn import RNN
from lamina.layers.wrappers import Bidirectional, TimeDistributed
from lamina.models import Sequential
from lamina.saving import deserialize_keras_object, serialize_keras_object
from tests.layers import recurrent_checks as check
from tests.layers.layer_checks import assert_close, draw
from tests.layers.recurrent_checks import MASKS, SHAPE

EXAMPLES = {
    "Bidirectional": (lambda: dict(layer=GRU(2, return_sequences=True)), (4, 3)),
    "TimeDistributed": (lambda: dict(layer=Dense(2)), (4, 3)),
}


def both(make):
    """The layer `make` makes from the classes of each library, with the same weights."""
    return check.same_weights(
        make(Bidirectional, LSTM, GRU), make(*(getattr(keras.layers, n) for n in ("Bidirectional", "LSTM", "GRU")))
    )


def test_use_cudnn_is_kept():
    for library in (lamina, keras):
        wrapped = library.layers.Bidirectional(library.layers.LSTM(1, use_cudnn=True))
        assert wrapped.forward_layer.use_cudnn is wrapped.backward_layer.use_cudnn is True
        assert not hasattr(library.layers.Bidirectional(library.layers.SimpleRNN(1)).forward_layer, "use_cudnn")


@pytest.mark.parametrize("merge_mode", ["concat", "sum", "mul", "ave", None])
def test_merge_modes(merge_mode):
    mine, theirs = both(
        lambda Bidirectional, LSTM, GRU: Bidirectional(
            GRU(2, name="g", return_sequences=True), merge_mode=merge_mode, name="b"
        )
    )
    assert_close(mine(draw(SHAPE), mask=MASKS["right"]), theirs(draw(SHAPE), mask=MASKS["right"]), 1e-5)
    shapes = mine.compute_output_shape((None, 5, 3))
    assert shapes == theirs.compute_output_shape((None, 5, 3))


@pytest.mark.parametrize("return_sequences", [True, False])
def test_outputs_states_and_gradients(return_sequences):
    mine, theirs = both(
        lambda Bidirectional, LSTM, GRU: Bidirectional(
            LSTM(2, name="q", return_sequences=return_sequences, return_state=True), name="b"
        )
    )
    check.assert_same(mine, theirs, masks=MASKS.values())


def test_initial_state():
    mine, theirs = both(
        lambda Bidirectional, LSTM, GRU: Bidirectional(LSTM(2, name="q", return_state=True), "sum", name="b")
    )
    states = [draw((2, 2), seed) for seed in range(4)]
    assert_close(mine(draw(SHAPE), initial_state=states), theirs(draw(SHAPE), initial_state=states), 1e-5)
    symbols = mine(Input((None, 3)), initial_state=[Input((2,)) for _ in states])
    assert [symbol.shape for symbol in symbols] == [(None, 2)] * 5


def test_rows_in_both_directions():
    assert Bidirectional(ConvLSTM1D(2, 3, padding="same"))(Input((3, 6, 2))).shape == (None, 6, 4)


def test_another_layer_backwards():
    make = lambda Bidirectional, LSTM, GRU: Bidirectional(
        LSTM(2, name="one"), backward_layer=GRU(3, name="other", go_backwards=True), name="b"
    )
    mine, theirs = both(make)
    assert_close(mine(draw(SHAPE)), theirs(draw(SHAPE)), 1e-5)
    assert mine.get_config()["backward_layer"]["config"] == theirs.get_config()["backward_layer"]["config"]


def test_stateful():
    mine, theirs = both(lambda Bidirectional, LSTM, GRU: Bidirectional(LSTM(2, name="q", stateful=True), name="b"))
    for seed in range(2):
        assert_close(mine(draw(SHAPE, seed)), theirs(draw(SHAPE, seed)), 1e-5)
    assert len(mine.states) == 4
    assert set(mine.states) <= set(mine.non_trainable_variables)
    mine.reset_states()
    theirs.reset_states()
    assert_close(mine(draw(SHAPE)), theirs(draw(SHAPE)), 1e-5)


@pytest.mark.parametrize("return_sequences", [True, False])
def test_bidirectional_config(return_sequences):
    mine, theirs = (
        wrapper(layer(2, name="q", dropout=0.1, seed=3, return_sequences=return_sequences), "ave", name="b")
        for wrapper, layer in ((Bidirectional, LSTM), (keras.layers.Bidirectional, keras.layers.LSTM))
    )
    config = theirs.get_config()
    assert mine.get_config() == config
    assert Bidirectional.from_config(config).get_config() == config
    assert keras.layers.Bidirectional.from_config(mine.get_config()).get_config() == config


def test_the_given_layer_is_copied():
    layer = LSTM(2, name="given")
    wrapped = Bidirectional(layer)
    wrapped.build(SHAPE)
    assert (layer.name, layer.built, wrapped.forward_layer.name, wrapped.layer) == (
        "given", False, "forward_given", wrapped.forward_layer
    )  # fmt: skip


class Sum(Layer):
    """A cell that no register knows."""

    state_size = 3

    def call(self, inputs, states):
        return inputs + states[0], [inputs + states[0]]


def test_bidirectional_over_any_cell():
    output = Bidirectional(RNN(Sum(), return_sequences=True))(np.ones((1, 3, 3), "float32"))
    np.testing.assert_array_equal(output[0, :, [0, 3]], [[1, 2, 3], [3, 2, 1]])


def test_a_layer_backwards_is_wrapped_too():
    forward, backward = Bidirectional(SimpleRNN(2), None), Bidirectional(SimpleRNN(2, go_backwards=True), None)
    forward.build(SHAPE)
    backward.build(SHAPE)
    backward.set_weights(forward.get_weights()[3:] + forward.get_weights()[:3])
    assert_close(forward(draw(SHAPE)), backward(draw(SHAPE))[::-1], 1e-6)


def test_initial_weights():
    made = Bidirectional(GRU(2))
    made.build(SHAPE)
    again = Bidirectional(GRU(2), weights=made.get_weights())
    np.testing.assert_array_equal(again(draw(SHAPE)), made(draw(SHAPE)))


def test_masks_go_on():
    mask = MASKS["right"]
    assert Bidirectional(LSTM(2)).compute_mask(None, mask) is None
    assert Bidirectional(LSTM(2, return_sequences=True)).compute_mask(None, mask) is mask
    assert Bidirectional(LSTM(2, return_sequences=True), merge_mode=None).compute_mask(None, mask) == (mask, mask)


@pytest.mark.parametrize("inner", ["Dense", "Conv2D", "model"])
def test_time_distributed(inner):
    make = {
        "Dense": lambda library: library.layers.Dense(2, activation="tanh", name="inner"),
        "Conv2D": lambda library: library.layers.Conv2D(2, 2, name="inner"),
        "model": lambda library: library.Sequential(
            [library.layers.Dense(3, name="a"), library.layers.Dense(1, name="b")], name="inner"
        ),
    }[inner]
    shape = (2, 3, 4, 4, 1) if inner == "Conv2D" else (2, 3, 4)
    mine, theirs = TimeDistributed(make(_ours), name="t"), keras.layers.TimeDistributed(make(keras), name="t")
    check.same_weights(mine, theirs, shape)
    check.assert_same(mine, theirs, draw(shape))
    if inner != "model":
        assert json.dumps(mine.get_config(), sort_keys=True) == json.dumps(theirs.get_config(), sort_keys=True)
    assert mine.compute_output_shape((None, None, *shape[2:])) == (None, None, *theirs.compute_output_shape(shape)[2:])


class Masked(Layer):
    def __init__(self):
        super().__init__()
        self.supports_masking = True

    def call(self, inputs, mask=None):
        return inputs if mask is None else inputs * mask[:, None]


def test_time_distributed_hands_on_masks():
    layer = TimeDistributed(Masked())
    np.testing.assert_array_equal(layer(np.ones(SHAPE, "float32"), mask=MASKS["holes"])[..., 0], MASKS["holes"])
    assert layer.compute_mask(None, MASKS["holes"]) is MASKS["holes"]
    assert TimeDistributed(Dense(2))(draw(SHAPE), mask=jnp.asarray(MASKS["holes"])).shape == (2, 4, 2)


class Pair(Layer):
    def call(self, inputs):
        return {"sum": inputs["a"] + inputs["b"], "a": inputs["a"]}


class Step(Layer):
    state_size = 3

    def call(self, inputs, states):
        return inputs + states[0], [inputs]


@pytest.mark.parametrize(
    "make",
    [
        lambda: RNN([LSTM(3).cell, GRU(2).cell]), lambda: RNN(Step()), lambda: TimeDistributed(Dense(2)),
        lambda: Bidirectional(LSTM(2)),
    ],
)  # fmt: skip
def test_made_anew_with_the_same_paths(make):
    layer = make()
    layer.build(SHAPE)
    described = serialize_keras_object(layer)
    again = deserialize_keras_object(described, custom_objects={"Step": Step})
    assert [v.path for v in again.weights] == [v.path for v in layer.weights]
    assert type(type(layer).from_config(layer.get_config(), custom_objects={"Step": Step})) is type(layer)


@pytest.mark.parametrize("shape", [(2, 5), (3, 4), (2, 5, 2)])
def test_time_distributed_refuses_masks_of_another_shape(shape):
    layer = TimeDistributed(Dense(2))
    assert layer(draw(SHAPE), mask=np.ones((*SHAPE[:2], 2), bool)).shape == (2, 4, 2)
    with pytest.raises(ShapeError, match="The `mask` passed to the `TimeDistributed` layer has a shape"):
        layer(draw(SHAPE), mask=np.ones(shape, bool))


def test_time_distributed_over_structures():
    x = draw(SHAPE)
    outputs = TimeDistributed(Pair())({"a": x, "b": x})
    np.testing.assert_array_equal(outputs["sum"], 2 * x)
    assert outputs["a"].shape == SHAPE


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: Bidirectional(Dense(2)),
            ConfigError,
            r"Dense has no go_backwards[\s\S]*Bidirectional\(layers.LSTM\(32\)\)",
        ),
        (lambda: Bidirectional(LSTM(2), merge_mode="x"), ConfigError, "`merge_mode` must be 'concat'"),
        (lambda: Bidirectional(LSTM(2), backward_layer=LSTM(2)), ConfigError, "different directions; both"),
        (
            lambda: Bidirectional(LSTM(2), backward_layer=LSTM(2, go_backwards=True, return_state=True)),
            ConfigError,
            "same return_state; got False and True",
        ),
        (lambda: Bidirectional(GRU(2))(draw(SHAPE), initial_state=[draw((2, 2))]), ShapeError, "even number"),
        (lambda: TimeDistributed(3), ConfigError, "a layer; got 3"),
        (lambda: TimeDistributed(Dense(2))(draw((2, 3))), ShapeError, r"rank 3 or more; got shape \(2, 3\)"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


class _ours:
    class layers:
        Dense, Conv2D = Dense, Conv2D

    Sequential = Sequential
