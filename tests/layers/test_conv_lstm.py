"""ConvLSTM1D, ConvLSTM2D and ConvLSTM3D against Keras and against the formula."""

import keras
import numpy as np
import pytest

import lamina
from lamina.errors import ConfigError, ShapeError
from lamina.layers.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D, ConvLSTMCell
from lamina.ops import conv
from tests.layers import recurrent_checks as check
from tests.layers.layer_checks import assert_close, assert_same_config, draw, pair

EXAMPLES = {
    "ConvLSTM1D": (lambda: dict(filters=2, kernel_size=2), (3, 5, 2)),
    "ConvLSTM2D": (lambda: dict(filters=2, kernel_size=2, return_sequences=True), (3, 4, 4, 1)),
    "ConvLSTM3D": (lambda: dict(filters=1, kernel_size=2), (2, 3, 3, 3, 1)),
}

ROWS, IMAGES, VOLUMES = (2, 4, 6, 3), (2, 4, 5, 4, 2), (2, 3, 3, 4, 3, 2)
CASES = [
    (ConvLSTM1D, dict(filters=2, kernel_size=3), ROWS),
    (ConvLSTM1D, dict(filters=2, kernel_size=2, dilation_rate=2, padding="same", go_backwards=True), ROWS),
    (ConvLSTM2D, dict(filters=2, kernel_size=2, strides=2, return_sequences=True, return_state=True), IMAGES),
    (
        ConvLSTM2D,
        dict(filters=3, kernel_size=(3, 2), padding="same", data_format="channels_first", unit_forget_bias=False,
             recurrent_activation="hard_sigmoid", go_backwards=True, return_sequences=True),
        IMAGES,
    ),
    (ConvLSTM3D, dict(filters=2, kernel_size=2, use_bias=False, return_state=True), VOLUMES),
    (ConvLSTM3D, dict(filters=2, kernel_size=2, data_format="channels_first", padding="same"), VOLUMES),
]  # fmt: skip
MASK = np.array([[1, 1, 0, 1], [0, 1, 1, 0]], bool)


@pytest.mark.parametrize(("ours", "kwargs", "shape"), CASES, ids=lambda case: getattr(case, "__name__", None))
def test_outputs_states_and_gradients(ours, kwargs, shape):
    mine, theirs = check.same(ours, kwargs, draw(shape))
    free = (None, None, *shape[2:])
    assert mine.compute_output_shape(free) == tuple(theirs.compute_output_shape(free))


def test_an_initial_state():
    states = [draw((2, 4, 3, 2), 5), draw((2, 4, 3, 2), 6)]
    check.same(ConvLSTM2D, dict(filters=2, kernel_size=2, return_state=True), draw(IMAGES), initial_state=states)


def test_one_step_of_the_cell():
    x, states = draw((2, 5, 5, 3)), [draw((2, 5, 5, 4), 5), draw((2, 5, 5, 4), 6)]
    kwargs = dict(rank=2, filters=4, kernel_size=3, padding="same")
    theirs = keras.src.layers.rnn.conv_lstm.ConvLSTMCell(**kwargs)
    mine, theirs = check.same_weights(ConvLSTMCell(**kwargs), theirs, x.shape)
    for given, expected in zip(mine(x, states)[1], theirs(x, states)[1], strict=True):
        assert_close(given, expected, 1e-5)


def test_masked_steps_are_passed_over():
    """Keras's own layer cannot take a mask here: it lays (batch, 1) over (batch, rows, columns, filters)."""
    layer, x = ConvLSTM2D(2, 2, return_sequences=True), draw(IMAGES)
    outputs = np.asarray(layer(x, mask=MASK))
    np.testing.assert_allclose(outputs[:1, [0, 1, 3]], layer(x[:1, [0, 1, 3]]), 1e-5, 1e-6)
    np.testing.assert_allclose(outputs[1:, [1, 2]], layer(x[1:, [1, 2]]), 1e-5, 1e-6)
    np.testing.assert_array_equal(outputs[0, 2], outputs[0, 1])


@pytest.mark.parametrize("rates", [dict(dropout=0.4), dict(dropout=0.3, recurrent_dropout=0.3)], ids=str)
def test_dropout_draws_the_masks_of_keras(rates):
    kwargs = dict(filters=2, kernel_size=2, seed=3, padding="same", return_sequences=True, **rates)
    mine, theirs = check.same_weights(*pair(ConvLSTM1D, kwargs, name="layer"), shape=ROWS)
    for training in (True, True, False):
        assert_close(mine(draw(ROWS), training=training), theirs(draw(ROWS), training=training), 1e-5)


def test_stateful_over_several_calls():
    kwargs = dict(filters=2, kernel_size=2, stateful=True)
    mine, theirs = check.same_weights(*pair(ConvLSTM2D, kwargs, name="layer"), shape=IMAGES)
    for seed in range(2):
        assert_close(mine(draw(IMAGES, seed)), theirs(draw(IMAGES, seed)), 1e-5)
    mine.reset_state()
    theirs.reset_state()
    assert_close(mine(draw(IMAGES)), theirs(draw(IMAGES)), 1e-5)
    with pytest.raises(ShapeError, match="fixed batch size"):
        ConvLSTM2D(**kwargs)(lamina.Input((4, 5, 4, 2)))


def test_configs():
    for ours, kwargs, _ in CASES:
        assert_same_config(ours, kwargs)
    assert_same_config(ConvLSTM2D, dict(filters=2, kernel_size=1, dropout=0.1, seed=4, kernel_regularizer="l2"))
    assert ConvLSTM2D(4, 3).cell.name == keras.layers.ConvLSTM2D(4, 3).cell.name == "conv_lstm_cell"


def test_it_is_its_formula():
    layer, x = ConvLSTM1D(2, 3, padding="same"), draw((1, 2, 4, 1))
    layer.build(x.shape)
    kernel, recurrent, bias = layer.get_weights()
    hidden = carry = np.zeros((1, 4, 2), "float32")
    for t in range(2):
        sums = conv(x[:, t], kernel, padding="same") + conv(hidden, recurrent, padding="same") + bias
        i, f, c, o = np.split(np.asarray(sums), 4, axis=-1)
        sigmoid = lambda value: 1 / (1 + np.exp(-value))
        carry = sigmoid(f) * carry + sigmoid(i) * np.tanh(c)
        hidden = sigmoid(o) * np.tanh(carry)
    np.testing.assert_allclose(layer(x), hidden, 1e-5, 1e-6)
    np.testing.assert_array_equal(bias, [0, 0, 1, 1, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("kwargs", "shape", "error", "match"),
    [
        (dict(filters=0, kernel_size=2), IMAGES, ConfigError, "filters"),
        (dict(filters=1, kernel_size=2, strides=2, dilation_rate=2), IMAGES, ConfigError, "not both"),
        (dict(filters=1, kernel_size=2, padding="causal"), IMAGES, ConfigError, "padding"),
        (dict(filters=1, kernel_size=9), IMAGES, ShapeError, "covers"),
        (dict(filters=1, kernel_size=2), (2, 4, None, 4, 2), ShapeError, "known sizes"),
        (dict(filters=1, kernel_size=2), (2, 4, 5, 4, None), ShapeError, "known number of channels"),
    ],
)
def test_errors(kwargs, shape, error, match):
    with pytest.raises(error, match=match):
        ConvLSTM2D(**kwargs).build(shape)


def test_other_sizes_than_those_it_was_built_for():
    layer = ConvLSTM2D(1, 2)
    layer.build(IMAGES)
    with pytest.raises(ShapeError):
        layer(draw((2, 4, 6, 4, 2)))
