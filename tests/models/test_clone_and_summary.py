"""clone_model and summary, against Keras's."""

import re

import keras
import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.errors import CallError, ConfigError
from tests.models import zoo

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's variables


def cells(text):
    """The rows of a table as words, whatever the widths; the lines below it as they are."""
    rows, below = [], []
    for line in text.splitlines():
        if line.startswith(("│", "┃")):
            found = [cell.strip() for cell in re.split("[│┃]", line)[1:-1]]
            if rows and not found[1]:  # the rest of a cell that was too long
                rows[-1] = [" ".join(filter(None, pair)) for pair in zip(rows[-1], found, strict=True)]
            else:
                rows.append(found)
        elif ":" in line:
            below.append(line.strip())
    return [[cell.replace(" (", "(") for cell in row] for row in rows if any(row)], below


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")


def printed(model, **kwargs):
    found = []
    model.summary(print_fn=lambda text, line_break=None: found.append(text), **kwargs)
    return cells("\n".join(found))


NAMES = ("mlp", "two_inputs_two_outputs", "nested_functional", "dict_in_dict_out", "shared_nested")


@pytest.mark.parametrize("name", NAMES)
def test_summary_says_what_keras_says(name):
    ours, theirs = zoo.pair(name)
    rows, below = printed(ours)
    expected, expected_below = printed(theirs)
    assert rows == expected
    assert below == expected_below


def test_summary_of_nested_models_and_trainable():
    for name in ("nested_functional", "shared_nested"):
        ours, theirs = zoo.pair(name)
        rows, _ = printed(ours, expand_nested=True, show_trainable=True)
        expected, _ = printed(theirs, expand_nested=True, show_trainable=True)
        assert [(r[0].replace(" ", ""), *r[1:3], r[-1]) for r in rows] == [
            (r[0].replace(" ", ""), *r[1:3], r[-1]) for r in expected
        ]


def test_summary_of_a_part():
    ours, theirs = zoo.pair("resnet")
    wanted = dict(layer_range=["re_lu", "add"])
    assert printed(ours, **wanted)[0] == printed(theirs, **wanted)[0]
    with pytest.raises(ConfigError, match=r"No layer name matches 'nope'"):
        ours.summary(layer_range=["nope", "add"])
    with pytest.raises(ConfigError, match="a pair"):
        ours.summary(layer_range=["add"])


def test_summary_counts_the_optimizer_and_shows_what_is_not_built(capsys):
    found = []
    for library in (lamina, keras):
        zoo.fresh(library)
        model = zoo.MODELS["mlp"][0](library)
        model.compile("adam", "mse")
        model.optimizer.build(model.trainable_variables)
        found.append(printed(model))
    assert found[0] == found[1]
    lamina.Sequential([layers.Dense(3)]).summary()
    assert "0 (unbuilt)" in capsys.readouterr().out


def test_summary_of_a_subclassed_model_once_built(capsys):
    class Tower(lamina.Model):
        def __init__(self):
            super().__init__()
            self.row = [layers.Dense(4), layers.Dense(2)]

        def call(self, x):
            for layer in self.row:
                x = layer(x)
            return x

    model = Tower()
    model(np.ones((2, 6), "float32"))
    rows, below = printed(model)
    assert [row[1:] for row in rows[1:]] == [["(2, 4)", "28"], ["(2, 2)", "10"]]
    assert below[1] == "Total params: 38 (152.00 B)"


def test_clone_functions():
    ours, _ = zoo.pair("shared_nested")
    seen = []

    def wider(layer):
        config = layer.get_config()
        if isinstance(layer, layers.Dense):
            seen.append(layer.name)
            config["use_bias"] = False
        return type(layer).from_config(config)

    clone = lamina.models.clone_model(ours, clone_function=wider)
    assert seen == ["s", ours.layers[-1].name] and clone.count_params() == ours.count_params() - 7
    seen.clear()
    lamina.models.clone_model(ours, clone_function=wider, recursive=True)
    assert len(seen) == 3
    calls = []

    def called(layer, *args, **kwargs):
        calls.append(layer.name)
        return layer(*args, **kwargs)

    lamina.models.clone_model(ours, call_function=called)
    assert len(calls) == len(ours._graph.nodes)


def test_clone_on_other_inputs():
    ours, _ = zoo.pair("mlp")
    start = lamina.Input(batch_shape=(7, 6), name="other")
    clone = lamina.models.clone_model(ours, input_tensors=start)
    assert clone.input_shape == (7, 6) and clone.inputs[0] is start
    functional, _ = zoo.pair("two_inputs_two_outputs")
    starts = [lamina.Input((6,)), lamina.Input((4,))]
    assert lamina.models.clone_model(functional, input_tensors=starts).inputs == starts


def test_clone_of_a_subclassed_model():
    class Tower(lamina.Model):
        def __init__(self, units):
            super().__init__()
            self.dense = layers.Dense(units)

        def call(self, x):
            return self.dense(x)

    assert lamina.models.clone_model(Tower(3)).dense.units == 3
    with pytest.raises(CallError, match="subclassed model"):
        lamina.models.clone_model(Tower(3), clone_function=lambda layer: layer)
