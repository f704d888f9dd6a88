"""SimpleRNN, GRU, LSTM, RNN and the cells against Keras and against NumPy."""

import json
import types

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import lamina
from lamina.core import context
from lamina.errors import CallError, ConfigError, ShapeError
from lamina.layers.base.layer import Layer
from lamina.layers.input_layer import Input
from lamina.layers.recurrent import GRU, LSTM, SimpleRNN
from lamina.layers.recurrent_cells import GRUCell, LSTMCell, SimpleRNNCell
from lamina.layers.rnn import RNN
from lamina.layers.stacked_cells import StackedRNNCells
from lamina.models import Sequential
from tests.layers import recurrent_checks as check
from tests.layers.layer_checks import assert_close, assert_same_config, draw, pair
from tests.layers.recurrent_checks import MASKS, SHAPE

_ours = types.SimpleNamespace(
    RNN=RNN, StackedRNNCells=StackedRNNCells, LSTMCell=LSTMCell, GRUCell=GRUCell, SimpleRNNCell=SimpleRNNCell
)
EXAMPLES = {
    "SimpleRNN": (lambda: dict(units=3), (4, 2)),
    "GRU": (lambda: dict(units=3, return_sequences=True), (4, 2)),
    "LSTM": (lambda: dict(units=3), (4, 2)),
    "RNN": (lambda: dict(cell=[LSTMCell(2), GRUCell(3)]), (4, 2)),
}

CASES = [
    (SimpleRNN, dict(units=2)),
    (SimpleRNN, dict(units=2, activation="relu", use_bias=False, return_sequences=True, return_state=True)),
    (GRU, dict(units=2, return_state=True)),
    (GRU, dict(units=2, reset_after=False, return_sequences=True, bias_initializer="ones")),
    (GRU, dict(units=2, use_bias=False, recurrent_activation="hard_sigmoid", go_backwards=True, return_sequences=True)),
    (LSTM, dict(units=2)),
    (LSTM, dict(units=2, return_sequences=True, return_state=True, unroll=True, unit_forget_bias=False)),
    (LSTM, dict(units=2, use_bias=False, activation="softsign", go_backwards=True, return_state=True)),
    (LSTM, dict(units=2, zero_output_for_mask=True, return_sequences=True)),
]


def _id(case):
    return case.__name__ if isinstance(case, type) else "-".join(map(str, case.values()))


@pytest.mark.parametrize(("ours", "kwargs"), CASES, ids=_id)
def test_outputs_states_and_gradients(ours, kwargs):
    check.same(ours, kwargs)


@pytest.mark.parametrize(
    ("ours", "kwargs"),
    [
        (LSTM, dict(units=2, return_sequences=True, return_state=True)),
        (LSTM, dict(units=2, zero_output_for_mask=True)),
        (GRU, dict(units=2, return_sequences=True, go_backwards=True, zero_output_for_mask=True)),
        (SimpleRNN, dict(units=2, return_state=True, go_backwards=True)),
    ],
    ids=_id,
)
def test_masks(ours, kwargs):
    check.same(ours, kwargs, masks=MASKS.values())


@pytest.mark.parametrize(("ours", "kwargs"), CASES, ids=_id)
def test_configs(ours, kwargs):
    assert_same_config(ours, kwargs)


def test_configs_of_all_settings():
    common = dict(
        units=2, kernel_regularizer="l2", recurrent_regularizer="l2", bias_regularizer="l2",
        kernel_constraint="non_neg", recurrent_constraint="unit_norm", bias_constraint="max_norm", dropout=0.1,
        recurrent_dropout=0.2, stateful=True, recurrent_initializer="glorot_normal",
    )  # fmt: skip
    assert_same_config(SimpleRNN, common)
    assert_same_config(GRU, {**common, "seed": 3, "use_cudnn": False, "activity_regularizer": "l2"})
    assert_same_config(LSTM, {**common, "seed": 3, "activity_regularizer": "l2"})
    assert SimpleRNN.from_config(SimpleRNN(2, seed=4).get_config()).seed == 4


@pytest.mark.parametrize("ours", [SimpleRNNCell, GRUCell, LSTMCell])
def test_cells(ours):
    mine, theirs = check.same_weights(*pair(ours, dict(units=2, seed=5), name="cell"), shape=(2, 3))
    states = [draw((2, 2), seed) for seed in range(2 if ours is LSTMCell else 1)]
    output, new = mine(draw((2, 3)), states)
    expected, expected_new = theirs(draw((2, 3)), states)
    assert_close((output, list(new)), (expected, list(expected_new)), 1e-5)
    assert (mine.state_size, mine.output_size) == (theirs.state_size, theirs.output_size)
    assert_close(mine.get_initial_state(3), theirs.get_initial_state(3), 0)
    assert_same_config(ours, dict(units=2, dropout=0.5, seed=1))
    if ours is not LSTMCell:  # a single state may come as it is
        assert_close(mine(draw((2, 3)), states[0]), theirs(draw((2, 3)), states[0]), 1e-5)


def test_lstm_is_its_formula():
    layer, x = LSTM(2), draw((1, 3, 2))
    layer.build(x.shape)
    kernel, recurrent, bias = layer.get_weights()
    hidden = carry = np.zeros((1, 2))
    for t in range(3):
        i, f, c, o = np.split(x[:, t] @ kernel + hidden @ recurrent + bias, 4, axis=-1)
        sigmoid = lambda value: 1 / (1 + np.exp(-value))
        carry = sigmoid(f) * carry + sigmoid(i) * np.tanh(c)
        hidden = sigmoid(o) * np.tanh(carry)
    np.testing.assert_allclose(layer(x), hidden, 1e-5, 1e-6)
    np.testing.assert_array_equal(bias, [0, 0, 1, 1, 0, 0, 0, 0])


@pytest.mark.parametrize("ours", [SimpleRNN, GRU, LSTM])
@pytest.mark.parametrize("rates", [dict(dropout=0.5), dict(dropout=0.3, recurrent_dropout=0.3)])
def test_dropout_draws_the_masks_of_keras(ours, rates):
    mine, theirs = check.same_weights(*pair(ours, dict(units=3, seed=7, return_sequences=True, **rates), name="layer"))
    for _ in range(2):
        assert_close(mine(draw(SHAPE), training=True), theirs(draw(SHAPE), training=True), 1e-5)
    assert_close(mine.cell.seed_generator.state.value, theirs.cell.seed_generator.state.value, 0)
    assert_close(mine(draw(SHAPE)), theirs(draw(SHAPE)), 1e-5)


def test_dropout_is_the_same_at_every_step_and_another_at_the_next_call():
    layer = SimpleRNN(
        3,
        "linear",
        kernel_initializer="identity",
        recurrent_initializer="zeros",
        dropout=0.5,
        seed=1,
        return_sequences=True,
    )
    first, second = (np.asarray(layer(np.ones((8, 4, 3), "float32"), training=True)) for _ in range(2))
    np.testing.assert_array_equal(first, first[:, :1].repeat(4, axis=1))
    assert set(np.unique(first)) == {0.0, 2.0}
    assert (first != second).any()


def test_stateful_over_several_calls():
    mine, theirs = check.same_weights(*pair(LSTM, dict(units=2, stateful=True, return_sequences=True), name="layer"))
    for seed in range(3):
        assert_close(mine(draw(SHAPE, seed)), theirs(draw(SHAPE, seed)), 1e-5)
    assert_close([v.value for v in mine.states], [v.value for v in theirs.states], 1e-5)
    mine.reset_states()
    theirs.reset_states()
    assert_close(mine(draw(SHAPE)), theirs(draw(SHAPE)), 1e-5)
    mine.reset_state()
    assert all((v.numpy() == 0).all() for v in mine.states)


def test_states_are_variables_of_the_compiled_step_but_no_weights():
    layer = GRU(2, stateful=True)
    first = layer(draw(SHAPE))
    assert [v.path for v in layer.weights] == [
        f"{layer.name}/gru_cell/{n}" for n in ("kernel", "recurrent_kernel", "bias")
    ]
    assert layer.states[0] in set(layer.non_trainable_variables)
    held = [v.value for v in layer.non_trainable_variables]
    second, moved = jax.jit(
        lambda values, x: layer.stateless_call([v.value for v in layer.trainable_variables], values, x)
    )(held, draw(SHAPE))
    assert (np.asarray(second) != np.asarray(first)).any()
    np.testing.assert_allclose(layer(draw(SHAPE)), second, 1e-6)
    place = [v is layer.states[0] for v in layer.non_trainable_variables].index(True)
    np.testing.assert_allclose(layer.states[0].value, moved[place], 1e-6)
    store = {}
    layer.save_own_variables(store)
    assert store == {}


def test_a_stateful_model_is_trained_and_predicts():
    model = Sequential([Input((4, 3), batch_size=2), LSTM(2, stateful=True)])
    model.compile("sgd", "mse")
    x = draw((4, 4, 3))
    model.fit(x, draw((4, 2)) / 10, batch_size=2, verbose=0)
    assert (model.layers[0].states[0].numpy() != 0).any()
    model.layers[0].reset_states()
    first, second = (model.predict(x, batch_size=2, verbose=0) for _ in range(2))
    assert (first != second).any()
    model.layers[0].reset_states()
    np.testing.assert_array_equal(model.predict(x, batch_size=2, verbose=0), first)


@pytest.mark.parametrize("ours", [GRU, LSTM])
def test_initial_state(ours):
    states = [draw((2, 2), seed) for seed in range(2 if ours is LSTM else 1)]
    mine, theirs = check.same(ours, dict(units=2, return_state=True), initial_state=states)
    if ours is GRU:
        assert_close(mine(draw(SHAPE), initial_state=states[0]), theirs(draw(SHAPE), initial_state=states[0]), 1e-5)
    symbols = [Input((2,)) for _ in states]
    assert [out.shape for out in mine(Input((None, 3)), initial_state=symbols)] == [(None, 2)] * (len(states) + 1)


def test_masked_steps_before_the_first_output_with_an_initial_state():
    states = [draw((2, 2)), draw((2, 2), 1)]
    check.same(
        LSTM, dict(units=2, return_sequences=True, return_state=True), masks=MASKS.values(), initial_state=states
    )


def test_the_fast_loop_is_the_plain_one():
    """A subclass with a call of its own goes step by step, differentiated by JAX alone: same second derivatives."""

    class Plain(GRUCell):
        def call(self, inputs, states, training=False):
            return super().call(inputs, states, training)

    def penalty(layer, x):
        weights, state = (
            [v.value for v in part] for part in (layer.trainable_variables, layer.non_trainable_variables)
        )
        run = lambda x, w: jnp.sum(layer.stateless_call(w, state, x, mask=MASKS["left"])[0] ** 2)
        return jax.jit(jax.grad(lambda w: jnp.sum(jax.grad(run)(x, w) ** 2)))(weights)

    fast, plain = RNN(GRUCell(2)), RNN(Plain(2))
    fast.build(SHAPE)
    plain.build(SHAPE)
    fast.set_weights([draw(v.shape, seed) for seed, v in enumerate(fast.weights)])
    plain.set_weights(fast.get_weights())
    assert_close(penalty(fast, draw(SHAPE, 9)), penalty(plain, draw(SHAPE, 9)), 1e-4)


def test_shapes_of_unknown_sizes():
    output, *states = LSTM(2, return_sequences=True, return_state=True)(Input((None, 3)))
    assert (output.shape, [s.shape for s in states]) == ((None, None, 2), [(None, 2), (None, 2)])
    assert GRU(2, unroll=True)(Input((None, 3))).shape == (None, 2)
    assert LSTM(2, return_state=True).compute_output_shape((None, 5, 3)) == ((None, 2),) * 3
    assert RNN([LSTMCell(2), GRUCell(5)], return_sequences=True)(Input((None, 3), batch_size=4)).shape == (4, None, 5)


@pytest.mark.parametrize("ours", [SimpleRNN, LSTM])
def test_mixed_precision(ours):
    mine, theirs = check.same_weights(
        *pair(ours, dict(units=2, dtype="mixed_bfloat16", return_state=True), name="layer")
    )
    for got, wanted in zip(mine(draw(SHAPE)), theirs(draw(SHAPE)), strict=True):
        assert got.dtype == wanted.dtype == jnp.bfloat16
        np.testing.assert_allclose(np.asarray(got, "float32"), np.asarray(wanted, "float32"), 0.02, 0.02)
    assert [v.dtype for v in mine.weights] == ["float32"] * 3


class MinimalCell(Layer):
    """The least a cell is: a call and a state_size."""

    state_size = 3

    def call(self, inputs, states):
        return inputs + states[0], [inputs]


class NoisyCell(Layer):
    """A cell with a layer and a generator inside, other output and state sizes, and states that start at one."""

    state_size, output_size = [3, 1], 2

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.count = self.add_weight((), "zeros", trainable=False, name="count")
        self.inner = LSTMCell(2)

    def get_initial_state(self, batch_size=None):
        return [jnp.ones((batch_size, 3)), jnp.ones((batch_size, 1))]

    def call(self, inputs, states, training=False):
        self.count.assign_add(1.0)
        output, _ = self.inner(inputs, [states[0][:, :2], states[0][:, 1:]])
        return output, (inputs, states[1] + (2.0 if training else 1.0))


def test_any_cell():
    x = draw(SHAPE)
    output, state = RNN(MinimalCell(), return_sequences=True, return_state=True)(x)
    np.testing.assert_allclose(output[:, 1:], x[:, 1:] + x[:, :-1], 1e-6)
    np.testing.assert_array_equal(state, x[:, -1])

    layer = RNN(NoisyCell(name="noisy"), return_state=True, name="outer")
    assert [out.shape for out in layer(Input((None, 3)))] == [(None, 2), (None, 3), (None, 1)]
    assert float(layer.cell.count.value) == 0  # tracing the shape left no trace
    _, _, counter = layer(x)
    np.testing.assert_array_equal(counter, np.full((2, 1), 5.0))
    assert float(layer.cell.count.value) == 4
    np.testing.assert_array_equal(layer(x, training=True)[2], np.full((2, 1), 9.0))


class LossyCell(MinimalCell):
    def call(self, inputs, states):
        self.add_loss(jnp.sum(inputs))
        return super().call(inputs, states)


def test_stacked_cells():
    cells = lambda module: [
        module.LSTMCell(2, name="a"),
        module.GRUCell(3, name="b"),
        module.SimpleRNNCell(2, name="c"),
    ]
    mine, theirs = (
        module.RNN(
            module.StackedRNNCells(cells(module), name="stack"), return_state=True, return_sequences=True, name="layer"
        )
        for module in (_ours, keras.layers)
    )
    check.same_weights(mine, theirs)
    check.assert_same(mine, theirs, masks=[MASKS["right"]])
    assert json.dumps(mine.get_config(), sort_keys=True) == json.dumps(theirs.get_config(), sort_keys=True)
    assert [v.shape for v in RNN.from_config(theirs.get_config()).weights] == [v.shape for v in theirs.weights]
    assert (mine.cell.state_size, mine.cell.output_size) == ([[2, 2], 3, 2], 2)
    again = RNN(cells(_ours), stateful=True)
    first, second = again(draw(SHAPE)), again(draw(SHAPE))
    assert (np.asarray(first) != np.asarray(second)).any()
    assert [[v.shape for v in states] for states in again.states] == [[(2, 2), (2, 2)], [(2, 3)], [(2, 2)]]


def test_stacked_cells_without_initial_states_of_their_own():
    class Sum(Layer):
        state_size = 3

        def call(self, inputs, states):
            return inputs + states[0], [inputs + states[0]]

    output, first, second = RNN([Sum(), Sum()], return_state=True)(draw(SHAPE))
    np.testing.assert_allclose(first, draw(SHAPE).sum(axis=1), 1e-5)
    np.testing.assert_array_equal(output, second)


def test_stacked_cells_with_dropout():
    cells = lambda module: [
        module.LSTMCell(2, dropout=0.5, seed=1, name="a"),
        module.GRUCell(3, recurrent_dropout=0.5, seed=2, name="b"),
    ]
    mine, theirs = (
        module.RNN(module.StackedRNNCells(cells(module), name="stack"), name="layer")
        for module in (_ours, keras.layers)
    )
    check.same_weights(mine, theirs)
    assert_close(mine(draw(SHAPE), training=True), theirs(draw(SHAPE), training=True), 1e-5)


def test_a_cell_of_another_type_than_its_layer():
    layer = RNN(LSTMCell(2, dtype="mixed_bfloat16"))
    assert layer(draw(SHAPE)).dtype == jnp.bfloat16


def test_a_subclass_of_a_cell_runs_its_own_call():
    class Doubled(LSTMCell):
        def call(self, inputs, states, training=False):
            output, states = super().call(inputs, states, training)
            return 2 * output, states

    lamina.utils.set_random_seed(0)  # of outputs that happen to lie near zero the last bit would decide
    plain, doubled = RNN(LSTMCell(2)), RNN(Doubled(2))
    plain.build(SHAPE)
    doubled.build(SHAPE)
    doubled.set_weights(plain.get_weights())
    # Two programs: lamina-native, where it is there, knows the loop of the plain one.
    np.testing.assert_allclose(doubled(draw(SHAPE)), 2 * plain(draw(SHAPE)), 1e-5)


def test_training_comes_from_the_layer_around():
    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.inner = SimpleRNN(3, dropout=0.9, seed=1)

        def call(self, inputs):
            return self.inner(inputs)

    layer = Outer()
    assert (np.asarray(layer(draw(SHAPE))) != np.asarray(layer(draw(SHAPE), training=True))).any()
    assert not context.is_bound()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: LSTM(0), ConfigError, r"`units` must be a positive integer; got 0[\s\S]*units=32"),
        (lambda: LSTM(2, use_cudnn="no"), ConfigError, "use_cudnn is"),
        (lambda: LSTM(2, cells=3), ConfigError, "no argument 'cells'"),
        (lambda: RNN(3), ConfigError, "A cell has call"),
        (lambda: StackedRNNCells([MinimalCell(), Layer()]), ConfigError, "A cell has state_size"),
        (lambda: LSTM(2)(draw((2, 3))), ShapeError, r"needs inputs of rank 3; got shape \(2, 3\)"),
        (lambda: LSTM(2).build((None, 4, None)), ShapeError, "needs a known number of features"),
        (lambda: LSTM(2, stateful=True)(Input((4, 3))), ShapeError, r"fixed batch size[\s\S]*batch_size=32"),
        (lambda: LSTM(2)(draw(SHAPE), initial_state=[draw((2, 2))]), ShapeError, r"got \[\(2, 2\)\]\."),
        (lambda: GRU(2)(draw(SHAPE), initial_state=draw((2, 3))), ShapeError, r"\[\(2, 2\)\]; got \[\(2, 3\)\]"),
        (lambda: RNN(LossyCell())(draw(SHAPE)), CallError, "cannot add a loss"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_stateful_layer_takes_one_batch_size():
    layer = LSTM(2, stateful=True)
    layer(draw(SHAPE))
    with pytest.raises(ShapeError, match="built for batches of 2; got a batch of 1"):
        layer(draw((1, 4, 3)))


@pytest.mark.parametrize("make", [lambda **k: SimpleRNN(3, **k), lambda **k: GRU(3, **k), lambda **k: LSTM(3, **k)])
def test_an_eager_call_compiles_once(make, caplog):
    first, second = make(return_sequences=True), make(return_sequences=True)
    x = draw((2, 4, 2))
    wanted = Sequential([first]).predict(x, verbose=0)
    assert_close(first(x), wanted, 1e-6)
    second(x)
    second.set_weights([-weight for weight in first.get_weights()])
    with jax.log_compiles(), caplog.at_level("WARNING"):
        again, other = np.asarray(first(x)), np.asarray(second(x))  # the same program, with its own weights
    assert not [record for record in caplog.records if "Compiling" in record.message]
    assert_close(again, wanted, 1e-6)
    assert np.abs(other - wanted).max() > 1e-3
    first.cell.activation = lamina.activations.relu
    assert float(jnp.abs(first(x) - wanted).max()) > 1e-3
    gradient = jax.grad(lambda x: first(x).sum())(x)
    compiled = jax.jit(jax.grad(lambda x: first(x).sum()))(x)
    assert_close(gradient, compiled, 1e-5)
