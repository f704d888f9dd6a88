"""Memory told before it is missed, and when it is missed; models without values."""

import jax
import numpy as np
import pytest

import lamina as keras
from lamina.training import step_costs

layers = keras.layers


def small(units=64):
    inputs = keras.Input((8,))
    x = layers.Repeat(layers.Dense(8, activation="tanh"), 4)(layers.Dense(8, name="first")(inputs))
    model = keras.Model(inputs, layers.Dense(units, name="wide")(x), name="small")
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def test_what_a_step_holds_and_computes():
    model = small()
    costs = model.memory(batch_size=16)
    count = model.count_params()
    assert costs.weights == costs.gradients == 4 * count and 8 * count <= costs.slots < 8 * count + 64
    assert costs.total > costs.weights + costs.slots and costs.exchanged == {} and costs.rematerialized is None
    products = 2 * 16 * (8 * 8 * 5 + 8 * 64)
    assert 2.5 * products < costs.flops < 5 * products
    assert str(costs).splitlines()[0] == "A training step on 16 samples, on 1 device"
    with keras.abstract():
        unreal = small()
    said = unreal.explain(distribution=keras.distribution.DataParallel(devices=["cpu:0"]), batch_size=16)
    assert said.answers[0].sentences[0].startswith("Weights") and said.answers[2].sentences == ["Nothing."]
    assert "keras.RematScope" in said.answers[3].sentences[0]
    assert all(isinstance(v._value, jax.ShapeDtypeStruct) for v in (*unreal.variables, *unreal.optimizer.variables[2:]))
    assert all(variable.layout is None for variable in model.variables)


def test_exchanges_in_loops_count_as_often_as_the_loop_runs():
    program = """HloModule one
%body (p: (s32[], f32[4,2])) -> (s32[], f32[4,2]) {
  %r = f32[4,2]{1,0} all-gather(%a), channel_id=1
}
%cond (p: (s32[], f32[4,2])) -> pred[] {
  %c = pred[] compare(%a, %b)
}
ENTRY %main (x: f32[2]) -> f32[2] {
  %w = (s32[], f32[4,2]) while(%t), condition=%cond, body=%body, backend_config={"known_trip_count":{"n":"3"}}
  %s = (bf16[8]{0}, f32[]) all-reduce(%q, %z), to_apply=%add
}
"""
    assert step_costs.exchanges(program) == {"all-gather": (3, 96), "all-reduce": (1, 20)}


def test_a_device_without_memory_says_what_to_change():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(4), layers.RepeatVector(2**42, name="much")])
    with pytest.raises(keras.errors.OutOfMemoryError, match=r"Most is held by: much .* dense") as caught:
        model.predict(np.ones((2, 4), "float32"), verbose=0)
    assert "batch_size=1" in str(caught.value) and isinstance(caught.value, MemoryError)


def test_a_model_that_is_not_compiled_has_no_step():
    with pytest.raises(keras.errors.CallError, match="not compiled"):
        keras.Sequential([keras.Input((4,)), layers.Dense(4)]).memory()
