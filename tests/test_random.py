"""Draws bit for bit those of Keras on JAX; seeds, states and compiled functions."""

import os
from concurrent.futures import ThreadPoolExecutor

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import lamina
from lamina.core import context, serialization
from lamina.random import SeedGenerator, global_seed_generator, set_global_seed

LOGITS = np.log(np.array([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]], "float32"))
X = jnp.arange(1, 25, dtype="float32").reshape(4, 6)
DRAWS = {
    "normal": lambda r, **k: r.normal((3, 4), 1.0, 2.0, **k),
    "uniform": lambda r, **k: r.uniform((3, 4), -1.0, 2.0, **k),
    "randint": lambda r, **k: r.randint((3, 4), -2, 9, **k),
    "truncated_normal": lambda r, **k: r.truncated_normal((3, 4), 1.0, 2.0, **k),
    "categorical": lambda r, **k: r.categorical(LOGITS, 5, **k),
    "dropout": lambda r, **k: r.dropout(X, 0.3, **k),
    "dropout_shared": lambda r, **k: r.dropout(X, 0.5, noise_shape=(None, 1), **k),
    "shuffle": lambda r, **k: r.shuffle(X, **k),
    "shuffle_columns": lambda r, **k: r.shuffle(X, axis=1, **k),
    "gamma": lambda r, **k: r.gamma((3, 4), 2.0, **k),
    "beta": lambda r, **k: r.beta((3, 4), 2.0, 3.0, **k),
    "binomial": lambda r, **k: r.binomial((3, 4), 10.0, 0.3, **k),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_numbers_are_those_of_keras(draw):
    np.testing.assert_array_equal(draw(lamina.random, seed=11), draw(keras.random, seed=11))
    ours, theirs = SeedGenerator(3), keras.random.SeedGenerator(3)
    for _ in range(2):
        np.testing.assert_array_equal(draw(lamina.random, seed=ours), draw(keras.random, seed=theirs))
    np.testing.assert_array_equal(ours.state.numpy(), theirs.state.value)


@pytest.mark.parametrize("name", ["normal", "uniform", "truncated_normal", "gamma"])
def test_half_types_are_those_of_keras(name):
    result, expected = (DRAWS[name](package.random, dtype="bfloat16", seed=1) for package in (lamina, keras))
    assert result.dtype == expected.dtype == "bfloat16"
    np.testing.assert_array_equal(np.asarray(result, "float32"), np.asarray(expected, "float32"))
    with pytest.raises(ValueError, match="float dtype"):
        DRAWS[name](lamina.random, dtype="int32", seed=1)


def test_draws_without_a_seed_follow_the_global_seed_as_in_keras():
    values = []
    for package, fix in ((lamina, set_global_seed), (keras, keras.utils.set_random_seed)):
        fix(7)
        random = package.random
        layers = random.SeedGenerator()
        values.append([random.normal((3,)), random.uniform((3,)), random.normal((3,)), np.asarray(layers.next())])
    for ours, theirs in zip(*values, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_seed_generator_counts_and_is_described():
    seed = SeedGenerator(5, name="mine")
    assert [seed.next().tolist(), seed.next().tolist(), seed.state.numpy().tolist()] == [[5, 0], [5, 1], [5, 2]]
    assert seed.state.path == "mine/seed_generator_state" and not seed.state.trainable and seed.state.dtype == "uint32"
    described = serialization.serialize(seed)
    assert described == keras.saving.serialize_keras_object(keras.random.SeedGenerator(5, name="mine"))
    assert serialization.deserialize(described).get_config() == {"seed": 5, "name": "mine"}
    assert SeedGenerator().get_config()["seed"] is None


def test_the_state_goes_through_a_compiled_function():
    seed = SeedGenerator(5)

    @jax.jit
    def step(state):
        with context.bind([seed.state], [state]) as slots:
            values = lamina.random.normal((2,), seed=seed)
            return values, slots[seed.state]

    state, seen = seed.state.read(), []
    for _ in range(3):
        values, state = step(state)
        seen.append(values)
    assert seed.state.numpy().tolist() == [5, 0] and state.tolist() == [5, 3]
    other = SeedGenerator(5)
    np.testing.assert_array_equal(np.stack(seen), np.stack([lamina.random.normal((2,), seed=other) for _ in range(3)]))


def test_a_state_that_would_be_lost_is_an_error():
    seed = SeedGenerator(5)
    with pytest.raises(ValueError, match="leave its state behind"):
        jax.jit(lambda: lamina.random.normal((2,), seed=seed))()
    assert seed.state.numpy().tolist() == [5, 0]


def test_the_global_generator_can_be_made_inside_a_trace():
    set_global_seed(3)

    def traced():
        with context.bind():
            return lamina.random.normal((2,))

    jax.jit(traced)()
    assert isinstance(global_seed_generator().state.read(), jax.Array)
    assert not isinstance(global_seed_generator().state.read(), jax.core.Tracer)


def test_edges():
    seed = SeedGenerator(1)
    np.testing.assert_array_equal(lamina.random.dropout(X, 0.0, seed=seed), X)
    np.testing.assert_array_equal(lamina.random.dropout(X, 1.0, seed=seed), 0 * X)
    assert seed.state.numpy().tolist() == [1, 0]
    assert lamina.random.randint((2,), 0, 5, dtype="uint8", seed=1).dtype == "uint8"
    dropped = np.asarray(lamina.random.dropout(np.ones((400, 400), "float32"), 0.25, seed=1))
    assert set(np.unique(dropped)) == {0.0, np.float32(1 / 0.75)}
    assert abs(np.mean(dropped == 0) - 0.25) < 0.01
    assert lamina.random.dropout(jnp.ones((4,), "bfloat16"), 0.5, seed=1).dtype == "bfloat16"


def test_symbolic_tensors_give_symbolic_tensors():
    x = lamina.Input((6,))
    seed = SeedGenerator(1)
    assert lamina.random.dropout(x, 0.5, seed=seed).shape == (None, 6)
    assert lamina.random.shuffle(x, axis=1, seed=seed).shape == (None, 6)
    drawn = lamina.random.categorical(x, 4, seed=seed)
    assert drawn.shape == (None, 4) and drawn.dtype == "int32"
    assert seed.state.numpy().tolist() == [1, 0]


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "a", (1, 2)])
def test_seeds_are_checked(seed):
    with pytest.raises(ValueError, match="whole number"):
        SeedGenerator(seed)
    with pytest.raises(ValueError, match="whole number"):
        lamina.random.normal((2,), seed=seed)
    with pytest.raises(ValueError, match="whole number"):
        set_global_seed(seed)


def test_errors():
    with pytest.raises(ValueError, match="integer dtype"):
        lamina.random.randint((2,), 0, 5, dtype="float32")
    with pytest.raises(ValueError, match=r"\(batch, classes\)"):
        lamina.random.categorical(LOGITS[0], 2)
    with pytest.raises(ValueError, match="It takes: seed, name"):
        SeedGenerator(1, shape=3)


def test_threads_draw_different_keys():
    generator = SeedGenerator(3)
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: tuple(generator.next().tolist()), range(200)))
    assert len(set(keys)) == 200
