"""What all optimizers share: learning rates, decay, averages, late and frozen variables, keeping, errors."""

import copy
import gc
import inspect
import json
import weakref

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import lamina
from lamina.core import context
from lamina.errors import CallError, ConfigError
from lamina.optimizers.gradients import clipped

# The wheel turns its own variables into arrays in the way NumPy has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

BUILT_IN = [
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "Adamax",
    "AdamW",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "ScheduleFreeAdamW",
    "SGD",
]


def one(value=1.0):
    return lamina.Variable(np.array([value, value], "float32"), name="weight")


@pytest.mark.parametrize("name", BUILT_IN)
def test_signatures_are_those_of_keras(name):
    def described(cls):
        return [(p.name, p.kind, p.default) for p in inspect.signature(cls).parameters.values()]

    assert described(getattr(lamina.optimizers, name)) == described(getattr(keras.optimizers, name))


def test_arguments_go_by_position_too():
    optimizer = lamina.optimizers.Adam(0.1, 0.8, 0.9, 1e-3, True, 0.5, 2.0)
    assert (optimizer.beta_1, optimizer.amsgrad, optimizer.weight_decay, optimizer.clipnorm) == (0.8, True, 0.5, 2.0)


@pytest.mark.parametrize("accumulate", [None, 2])
def test_schedule_moves_as_in_keras(pair, accumulate):
    arguments = {"gradient_accumulation_steps": accumulate, "name": "rule", "momentum": 0.5}
    ours = lamina.optimizers.SGD(lamina.optimizers.schedules.ExponentialDecay(0.5, 2, 0.5), **arguments)
    theirs = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.5, 2, 0.5), **arguments)
    assert ours.get_config() == theirs.get_config()
    paths = pair.assert_same(ours, theirs, pair.variables(lamina), pair.variables(keras), pair.gradients())
    assert paths[0] == paths[1] and "rule/learning_rate" not in paths[0]
    np.testing.assert_allclose(ours.learning_rate, theirs.learning_rate, 1e-6)
    assert lamina.optimizers.serialize(ours) == keras.optimizers.serialize(theirs)
    again = lamina.optimizers.deserialize(json.loads(json.dumps(lamina.optimizers.serialize(ours))))
    assert again.get_config() == ours.get_config()


def test_learning_rate_is_assigned_while_training():
    weight, optimizer = one(), lamina.optimizers.SGD(0.5)
    optimizer.apply([np.ones(2)], [weight])
    optimizer.learning_rate = 0.25
    optimizer.apply([np.ones(2)], [weight])
    optimizer.learning_rate.assign(0.125)
    optimizer.apply([np.ones(2)], [weight])
    np.testing.assert_allclose(weight.numpy(), 1 - 0.5 - 0.25 - 0.125)
    optimizer.learning_rate = lamina.optimizers.schedules.ExponentialDecay(1.0, 1, 0.5)
    assert [v.name for v in optimizer.variables] == ["iteration"]
    optimizer.apply([np.ones(2)], [weight])  # the fourth step: 1 * 0.5 ** 3
    np.testing.assert_allclose(weight.numpy(), 0)
    with pytest.raises(TypeError, match="follows ExponentialDecay"):
        optimizer.learning_rate = 0.1


@pytest.mark.parametrize("rate", [lambda: 1.0, 1, np.float64(1)])
def test_learning_rate_may_be_a_function_or_any_number(rate):
    weight, optimizer = one(), lamina.optimizers.SGD(rate)
    optimizer.apply([np.ones(2)], [weight])
    assert weight.numpy().tolist() == [0, 0]
    if not callable(rate):
        optimizer.learning_rate = 0.5
        assert float(optimizer.learning_rate) == 0.5


def test_a_changed_setting_is_honoured_at_the_next_step():
    weight, optimizer = one(), lamina.optimizers.SGD(1.0)
    optimizer.apply([np.ones(2)], [weight])
    optimizer.clipvalue = 0.5
    optimizer.apply([np.ones(2)], [weight])
    np.testing.assert_allclose(weight.numpy(), -0.5)


@pytest.mark.parametrize("clip", [{"clipnorm": 1.0}, {"global_clipnorm": 1.0}, {"clipvalue": 1.0}])
def test_clipping_by_hand(clip):
    weights, grads = [one(0.0), one(0.0)], [np.array([3.0, 4.0], "float32"), np.array([0.3, 0.4], "float32")]
    lamina.optimizers.SGD(1.0, **clip).apply(grads, weights)
    total = np.sqrt(25 + 0.25)
    by_hand = {
        "clipnorm": [grads[0] / 5, grads[1]],
        "global_clipnorm": [grads[0] / total, grads[1] / total],
        "clipvalue": [[1, 1], grads[1]],
    }
    for weight, expected in zip(weights, by_hand[next(iter(clip))], strict=True):
        np.testing.assert_allclose(-weight.numpy(), expected, 1e-6)


@settings(deadline=None)  # the first example compiles
@given(hnp.arrays("float32", 6, elements=st.floats(-1e4, 1e4, width=32)), st.floats(0.01, 100))
def test_no_gradient_leaves_the_clip(values, limit):
    grads = [jnp.asarray(values[:2]), jnp.asarray(values[2:])]
    for clip in ("clipnorm", "global_clipnorm", "clipvalue"):
        got = [np.asarray(gradient) for gradient in clipped(grads, **{clip: limit})]
        norms = {
            "clipnorm": max(np.linalg.norm(gradient) for gradient in got),
            "global_clipnorm": np.linalg.norm(np.concatenate(got)),
            "clipvalue": max(abs(gradient).max() for gradient in got),
        }
        assert norms[clip] <= limit * (1 + 1e-5)
        assert all((gradient * given >= 0).all() for gradient, given in zip(got, grads, strict=True))


def test_norm_of_half_precision_does_not_overflow():
    (got,) = clipped([jnp.full(4, 300.0, "float16")], clipnorm=1.0)
    np.testing.assert_allclose(got, 0.5, 1e-3)


def test_weight_decay_leaves_out_what_is_excluded(pair):
    def optimizer(library, variables):
        made = library.optimizers.AdamW(0.1, weight_decay=0.5, name="rule")
        made.exclude_from_weight_decay(var_list=variables[:1], var_names=["bias"])
        return made

    ours, theirs = pair.variables(lamina), pair.variables(keras)
    pair.assert_same(optimizer(lamina, ours), optimizer(keras, theirs), ours, theirs, pair.gradients(3))


def test_averages_are_put_in_place_at_the_end(pair):
    ours, theirs = pair.variables(lamina), pair.variables(keras)
    optimizers = [library.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5) for library in (lamina, keras)]
    pair.assert_same(*optimizers, ours, theirs, pair.gradients(3))
    for optimizer, variables in zip(optimizers, (ours, theirs), strict=True):
        optimizer.finalize_variable_values(variables)
    for got, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(got.numpy(), np.asarray(expected.value), 1e-6)


def test_constraints_follow_the_update():
    weight = one()
    weight.constraint = lambda value: value.clip(0.8)
    lamina.optimizers.SGD(1.0).apply([np.array([1.0, 0.1], "float32")], [weight])
    np.testing.assert_allclose(weight.numpy(), [0.8, 0.9])


def test_overwritten_variables_take_their_gradient_and_have_no_slots():
    weight, scale = one(), one()
    scale.overwrite_with_gradient = True
    optimizer = lamina.optimizers.SGD(1.0, momentum=0.5, loss_scale_factor=2.0)
    optimizer.apply([np.ones(2, "float32"), np.full(2, 7.0, "float32")], [weight, scale])
    np.testing.assert_allclose([weight.numpy(), scale.numpy()], [[0.5, 0.5], [7, 7]])
    assert [v.name for v in optimizer.variables] == ["iteration", "learning_rate", "weight_momentum"]


@pytest.mark.parametrize("gradients", [(3.0, 1.0), (1.0, 3.0), (-1.0, -2.0)])
def test_overwritten_variables_wait_for_the_last_accumulated_gradient(gradients):
    runs = []
    for library in (lamina, keras):
        weight, scale = (library.Variable(np.full(2, 5.0, "float32")) for _ in range(2))
        scale.overwrite_with_gradient = True
        optimizer = library.optimizers.SGD(1.0, gradient_accumulation_steps=2)
        seen = []
        for gradient in 2 * gradients:
            optimizer.apply([library.ops.full((2,), gradient)] * 2, [weight, scale])
            seen.append([library.ops.convert_to_numpy(weight), library.ops.convert_to_numpy(scale)])
        runs.append(seen)
    np.testing.assert_allclose(*runs, rtol=1e-6)
    assert runs[0][0][1].tolist() == [5, 5] and runs[0][1][1].tolist() == [max(0, *gradients)] * 2


@pytest.mark.parametrize("extra", [{}, {"use_ema": True, "gradient_accumulation_steps": 2}])
def test_variables_freeze_and_come_later(extra):
    first, second = one(), one()
    optimizer = lamina.optimizers.SGD(0.1, momentum=0.5, name="sgd", **extra)
    optimizer.apply([np.ones(2)], [first])
    known = optimizer.variables
    optimizer.apply([np.ones(2), np.ones(2)], [first, second])
    assert optimizer.variables[: len(known)] == known
    assert [v.name for v in optimizer.variables].count("weight_momentum") == 2
    frozen, kept = first.numpy(), [v.numpy() for v in known[2:]]
    optimizer.apply([np.ones(2)], [second])
    np.testing.assert_array_equal(first.numpy(), frozen)
    np.testing.assert_array_equal([v.numpy() for v in known[2:]], kept)
    before = second.numpy()
    optimizer.apply([np.ones(2), np.ones(2)], [first, second])
    assert (first.numpy() < frozen).all() and (second.numpy() < before).all()


def test_users_may_write_optimizers_in_keras_own_way():
    class Momentum(lamina.optimizers.Optimizer):
        def __init__(self, learning_rate=0.1, rate=0.5, **kwargs):
            super().__init__(learning_rate, **kwargs)
            self.rate = rate

        def build(self, variables):
            if self.built:
                return
            super().build(variables)
            self.momenta = [self.add_variable_from_reference(v, "momentum") for v in variables]
            self.unnamed = [self.add_variable_from_reference(v, initializer="ones") for v in variables]

        def update_step(self, gradient, variable, learning_rate):
            momentum = self.momenta[self._get_variable_index(variable)]
            self.assign(momentum, self.rate * momentum + gradient)
            self.assign_sub(variable, learning_rate * momentum)

    first, second = one(), one()
    optimizer = Momentum(learning_rate=1.0, name="mine")
    optimizer.apply([np.ones(2)], [first])
    optimizer.apply([np.ones(2), np.ones(2)], [first, second])
    np.testing.assert_allclose([first.numpy()[0], second.numpy()[0]], [1 - 1 - 1.5, 0])
    names = [v.name for v in optimizer.variables]
    assert names == ["iteration", "learning_rate", *["weight_momentum", "weight_var"] * 2]
    config = optimizer.get_config()
    assert config["rate"] == 0.5 and Momentum.from_config(config).get_config() == config


def test_subclass_of_a_rule_may_change_the_gradient():
    class Doubled(lamina.optimizers.SGD):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(2 * gradient, variable, learning_rate)

    weight = one()
    Doubled(0.1).apply([np.ones(2)], [weight])
    np.testing.assert_allclose(weight.numpy(), 0.8)


def test_stateless_apply_is_pure():
    weight, optimizer = one(), lamina.optimizers.Adam(0.1)
    optimizer.build([weight])
    own = [v.numpy() for v in optimizer.variables]
    values, after = jax.jit(optimizer.stateless_apply)(own, [np.ones(2)], [weight.numpy()])
    assert weight.numpy().tolist() == [1, 1] and int(optimizer.iterations) == 0
    optimizer.apply([np.ones(2)])
    np.testing.assert_allclose(values[0], weight.numpy(), 1e-6)
    for value, variable in zip(after, optimizer.variables, strict=True):
        np.testing.assert_allclose(value, variable.numpy(), 1e-6)


def test_apply_inside_a_compiled_step():
    weight, optimizer = one(), lamina.optimizers.Adam(0.1)
    optimizer.build([weight])
    cells = [weight, *optimizer.variables]

    @jax.jit
    def step(values, gradient):
        with context.bind(cells, values):
            optimizer.apply_gradients([(gradient, weight)])
            return [cell.read() for cell in cells]

    values = step([cell.read() for cell in cells], np.ones(2))
    assert weight.numpy().tolist() == [1, 1]
    optimizer.apply([np.ones(2)])
    np.testing.assert_allclose(values[0], weight.numpy(), 1e-6)


def test_building_and_applying_compile_one_program(pair):
    with jax.log_compiles(False):
        compiled = []
        listener = lambda name, *_, **__: compiled.append(name) if "backend_compile" in name else None
        jax.monitoring.register_event_duration_secs_listener(listener)
        try:
            optimizer, variables = lamina.optimizers.Adam(0.1), pair.variables(lamina)
            optimizer.build(variables)
            assert compiled == []
            for gradient in pair.gradients(3):
                optimizer.apply(gradient, variables)
            assert len(compiled) == 1
        finally:
            jax.monitoring.unregister_event_duration_listener(listener)


def test_half_precision_is_computed_in_float32():
    weight = lamina.Variable(np.ones(2), dtype="bfloat16", name="weight")
    optimizer = lamina.optimizers.Adam(0.1)
    optimizer.apply([np.ones(2, "float32")], [weight])
    assert weight.dtype == "bfloat16" and {v.dtype for v in optimizer.variables[2:]} == {"bfloat16"}
    np.testing.assert_allclose(weight.numpy().astype("float32"), 0.9, 1e-2)


def test_weights_are_kept_under_numbers(pair):
    variables = pair.variables(lamina)
    optimizer, again = lamina.optimizers.Adam(0.1), lamina.optimizers.Adam(0.5)
    optimizer.apply(pair.gradients(1)[0], variables)
    store = {}
    optimizer.save_own_variables(store)
    assert list(store) == [str(number) for number in range(8)]
    with pytest.warns(UserWarning, match="it has 2 variables whereas the saved optimizer has 8"):
        again.load_own_variables(store)
    again.build(variables)
    again.load_own_variables(store)
    again.set_weights([v.numpy() for v in optimizer.variables])
    for got, expected in zip(again.variables, optimizer.variables, strict=True):
        np.testing.assert_array_equal(got.numpy(), expected.numpy())


def test_nothing_keeps_variables_alive():
    weight, optimizer = one(), lamina.optimizers.Adam(0.1)
    optimizer.apply([np.ones(2)], [weight])
    alive = [weakref.ref(weight), weakref.ref(optimizer.variables[-1])]
    del weight, optimizer
    gc.collect()
    assert [reference() for reference in alive] == [None, None]


def test_copies_go_their_own_way():
    optimizer = lamina.optimizers.SGD(0.5)
    optimizer.apply([np.ones(2)], [one()])
    other = copy.deepcopy(optimizer)
    other.learning_rate = 1.0
    assert float(optimizer.learning_rate) == 0.5 and int(other.iterations) == 1


@pytest.mark.parametrize("name", [name for name in BUILT_IN if name not in ("Optimizer", "OptimizerMap", "Lamb")])
def test_get_reads_names_in_any_case(name):
    cls = getattr(lamina.optimizers, name)
    if name in ("LossScaleOptimizer", "MultiOptimizer"):
        inner = lamina.optimizers.SGD(0.5)
        made = cls(inner) if name == "LossScaleOptimizer" else cls(lamina.optimizers.OptimizerMap(inner))
        config = lamina.optimizers.serialize(made)
        assert config == keras.optimizers.serialize(keras.optimizers.deserialize(json.loads(json.dumps(config))))
        assert lamina.optimizers.get(config).get_config() == made.get_config()
        return
    for spelling in (name, name.lower()):
        assert type(lamina.optimizers.get(spelling)) is cls
    described = lamina.optimizers.serialize(cls(name="rule"))
    assert described == keras.optimizers.serialize(getattr(keras.optimizers, name)(name="rule"))


def test_get_takes_what_keras_takes():
    optimizer = lamina.optimizers.SGD()
    assert lamina.optimizers.get(optimizer) is optimizer and lamina.optimizers.get(None) is None
    assert type(lamina.optimizers.get({"class_name": "sgd", "config": {"momentum": 0.5}})) is lamina.optimizers.SGD
    with pytest.raises(ConfigError, match="Did you mean 'adam'"):
        lamina.optimizers.get("Adan")
    with pytest.raises(ConfigError, match="name, a config or an Optimizer"):
        lamina.optimizers.get(len)


def test_old_addresses():
    for name in ("Adagrad", "Adam", "Ftrl", "Optimizer", "RMSprop", "SGD"):
        old, today = getattr(lamina.optimizers.legacy, name), getattr(lamina.optimizers, name)
        assert issubclass(today, old)
        if name != "Optimizer":
            made = old(learning_rate=0.5)
            assert type(made) is today
            assert isinstance(made, old)
            assert old.from_config(made.get_config()).learning_rate == 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"wrong": 1}, "Adam has no argument 'wrong'"),
        ({"clipnorm": 1.0, "clipvalue": 1.0}, "Only one of"),
        ({"clipnorm": 0.0}, "clipnorm is a number above 0"),
        ({"use_ema": True, "ema_momentum": 2.0}, "between 0 and 1"),
        ({"gradient_accumulation_steps": 1}, "integer of 2 or more"),
        ({"ema_overwrite_frequency": 0}, "integer of 1 or more"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ConfigError, match=message):
        lamina.optimizers.Adam(**arguments)


def test_wrong_gradients_are_named():
    weight, optimizer = one(), lamina.optimizers.SGD(1.0)
    with pytest.raises(CallError, match="no slots yet"):
        optimizer.stateless_apply([], [], [])
    with pytest.raises(CallError, match="2 gradients for 1 variables"):
        optimizer.apply([1.0, 2.0], [weight])
    with pytest.raises(CallError, match="No gradient"):
        optimizer.apply([None], [weight])
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([np.ones(2), None], [weight, one()])
    np.testing.assert_allclose(weight.numpy(), 0)
    with pytest.raises(CallError, match="is built"):
        optimizer.exclude_from_weight_decay([weight])
