"""The lists of variables that layers keep follow each change of the structure."""

import copy
import pickle

import numpy as np
import pytest

import lamina as keras
from lamina import layers
from lamina.layers.base import known_lists, tracking


def names(model):
    return [variable.path for variable in model.variables]


def from_attributes(layer):
    """The paths of the variables, read off the attributes."""
    own = [*layer._variables_of_its_own(), *(generator.state for generator in layer._seed_generators)]
    return list(dict.fromkeys([v.path for v in own] + [p for inner in layer._layers for p in from_attributes(inner)]))


class Blocks(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks, self.by_name, self.pair = [], {}, ([layers.Dense(1)], layers.Dense(1))


def test_variables_are_read_once(monkeypatch):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(3), layers.Dropout(0.5), layers.Dense(1)])
    expected, calls = names(model), []
    assert len(model.weights) == 4
    monkeypatch.setattr(tracking.Tracked, "_ordered_variables", lambda self: calls.append(self) or [])
    assert names(model) == expected and not calls
    model.variables.clear()  # a list of the caller's own
    assert len(model.trainable_variables) == 4 and len(model.weights) == 4 and not calls
    monkeypatch.undo()
    model.layers[0].trainable = False
    assert len(model.trainable_variables) == 2 and len(model.non_trainable_variables) == 3


def dense():
    layer = layers.Dense(1)
    layer.build((None, 2))
    return layer


@pytest.mark.parametrize(
    "change",
    [
        lambda m, d: m.blocks.append(d), lambda m, d: m.by_name.update(new=d), lambda m, d: m.pair[0].append(d),
        lambda m, d: setattr(m, "head", d), lambda m, d: m.pair[1]._layers.append(d),
        lambda m, d: m.pair[1]._tracker.track(d),
        lambda m, d: m.pair[1].add_weight((2,), name="more"), lambda m, d: m.pair[0].clear(),
        lambda m, d: delattr(m, "pair"), lambda m, d: m.pair[1].quantize("int8"),
        lambda m, d: m.pair[1].enable_lora(1), lambda m, d: setattr(m.pair[1], "inner", d),
    ],
)  # fmt: skip
def test_each_change_is_seen(change):
    model, added = Blocks(), dense()
    for layer in (model.pair[0][0], model.pair[1]):
        layer.build((None, 2))
    before = names(model)
    assert before == from_attributes(model)
    change(model, added)
    assert names(model) == from_attributes(model) != before


def test_models_of_layers():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(3)])
    first = names(model)
    assert known_lists.known_lists(model).is_fixed
    model.add(layers.Dense(1))
    assert names(model)[: len(first)] == first and len(names(model)) == 4
    model.pop()
    assert names(model) == first
    model.extra = []
    assert names(model) == first and not known_lists.known_lists(model).is_fixed


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one)), copy.copy])
def test_copies_have_lists_of_their_own(copied):
    layer = dense()
    variables = layer.variables
    other = copied(layer)
    shares = copied is copy.copy
    assert (other.variables[0] is variables[0]) == shares
    other.kernel = keras.Variable(np.zeros((2, 1), "float32"), name="kernel")
    assert layer.variables[0] is variables[0] is layer.kernel
    assert any(variable is other.kernel for variable in other.variables)


def test_repeated_blocks_have_variables_of_their_own():
    block = dense()
    repeated = layers.Repeat(keras.Sequential([keras.Input((2,)), layers.Dense(2)]), 3)
    repeated(np.ones((1, 2), "float32"))
    assert next(variable.shape for variable in repeated.variables) == (3, 2, 2) and len(block.variables) == 2
