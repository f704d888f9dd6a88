"""What objects show of themselves: calls that make them again, and notebooks' summaries."""

import importlib
import json

import numpy as np
import pytest

import lamina as keras
from tests import contract


def literal(value):
    if isinstance(value, (tuple, list)):
        return all(map(literal, value))
    return isinstance(value, (type(None), str, bool, int, float))


NAMES = {
    name: getattr(module, name)
    for module in (
        keras.regularizers, keras.constraints, keras.initializers, keras.losses, keras.metrics, keras.optimizers,
        keras.optimizers.schedules, keras.layers, keras.callbacks, keras.random, keras,
    )
    for name in dir(module)
    if name[:1].isupper()
}  # fmt: skip


def again(thing):
    """What the repr of a thing makes."""
    return eval(repr(thing), dict(NAMES))


@pytest.mark.parametrize("name", contract.LAYERS)
def test_the_repr_of_a_layer_makes_it_again(name):
    example = contract.example_of_layer(name)
    if not literal(list(example.kwargs().values())):
        assert repr(contract.make_layer(example)).startswith(f"{example.cls.__name__}(")
        return
    layer = contract.make_layer(example)
    assert json.dumps(again(layer).get_config()) == json.dumps(layer.get_config()), repr(layer)
    changed = contract.make_layer(example, name="its_name", trainable=False, dtype="mixed_float16")
    other = again(changed)
    assert json.dumps(other.get_config()) == json.dumps(changed.get_config()), repr(changed)


@pytest.mark.parametrize("kind", ["LOSSES", "METRICS", "OPTIMIZERS", "INITIALIZERS", "REGULARIZERS", "CONSTRAINTS"])
def test_the_repr_of_other_objects_makes_them_again(kind):
    examples = {**getattr(contract, f"{kind[:-1]}_EXAMPLES", {}), **getattr(contract, "LOSS_EXAMPLES", {})}
    for name, cls in getattr(contract, kind).items():
        if name == "OptaxOptimizer":  # made of functions
            continue
        make = (lambda cls=cls: contract.example(cls, examples, contract.DEFAULT)[0]) if name in examples else cls
        thing = make()
        if literal(list(thing.get_config().values())):
            config = eval(repr(thing), {**NAMES, name: cls}).get_config()
            assert {**config, "name": None} == {**thing.get_config(), "name": None}, repr(thing)


def test_only_settings_that_differ():
    layers = keras.layers
    shown = {
        layers.Dense(3, name="dense"): 'Dense(3, name="dense")',
        layers.Conv2D(8, 3, activation="relu", name="c"): 'Conv2D(8, (3, 3), activation="relu", name="c")',
        layers.Dense(2, kernel_regularizer="l2", kernel_initializer="he_normal", name="d"):
            'Dense(2, kernel_initializer="he_normal", kernel_regularizer="l2", name="d")',
        layers.Dense(2, kernel_regularizer=keras.regularizers.L2(0.1), name="d"):
            'Dense(2, kernel_regularizer=L2(l2=0.1), name="d")',
        layers.Bidirectional(layers.LSTM(3), name="b"): 'Bidirectional(LSTM(3), name="b")',
        layers.TimeDistributed(layers.Dense(3, name="mine"), name="t"):
            'TimeDistributed(Dense(3, name="mine"), name="t")',
        keras.optimizers.Adam(): "Adam()",
        keras.optimizers.SGD(0.1, momentum=0.9): "SGD(learning_rate=0.1, momentum=0.9)",
        keras.losses.BinaryCrossentropy(from_logits=True): "BinaryCrossentropy(from_logits=True)",
        keras.callbacks.EarlyStopping(patience=3): 'EarlyStopping(monitor="val_loss", patience=3)',
        keras.callbacks.CSVLogger("a.csv", separator=";"): 'CSVLogger("a.csv", separator=";")',
        keras.callbacks.LambdaCallback(on_epoch_end=print): "LambdaCallback(on_epoch_end=print)",
        keras.random.SeedGenerator(3): "SeedGenerator(seed=3)",
        keras.initializers.RandomNormal(stddev=0.1): "RandomNormal(stddev=0.1)",
        keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9): "ExponentialDecay(0.1, 10, 0.9)",
        keras.Input((3,), name="a"): "<KerasTensor shape=(None, 3), dtype=float32, sparse=False, ragged=False, name=a>",
    }  # fmt: skip
    assert [repr(thing) for thing in shown] == list(shown.values())


class Mine(keras.layers.Layer):
    def __init__(self, units, scale=1.0, **kwargs):
        if units is None:
            repr(self)  # before the base class was initialized
        super().__init__(**kwargs)
        self.units = units

    @property
    def scale(self):
        raise RuntimeError("not yet")


class Watch(keras.callbacks.Callback):
    def __init__(self, what, every=2):
        self._what = what


def test_own_classes():
    assert repr(Mine(3, name="m")) == 'Mine(3, name="m")' and repr(Mine(None, name="m")) == 'Mine(None, name="m")'
    assert repr(Watch("loss", every=3)) == 'Watch("loss", every=3)' and repr(Watch(abs)) == "Watch(abs)"


def test_a_history_in_a_line():
    history = keras.callbacks.History()
    assert repr(history) == "<History of no epochs>" and history._repr_html_() is None
    history.history, history.epoch = {"loss": [4.0, 1.0, 2.0]}, [0, 1, 2]
    assert repr(history) == "<History of 3 epochs: loss 4 → 2 █▁▃>"
    assert "<svg" in history._repr_html_()


def test_a_variable_shows_some_of_its_numbers():
    assert repr(keras.Variable(1.0, name="one")) == "<Variable path=one, shape=(), dtype=float32, value=1.0>"
    large = repr(keras.Variable(np.arange(600.0).reshape(20, 30), name="large"))
    assert large.startswith("<Variable path=large, shape=(20, 30), dtype=float32, value=[[0. 1. ... 28. 29.]")
    assert len(large) < 200 and "\n" not in large


def test_a_model_in_a_line():
    layers = keras.layers
    small = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2, activation="softmax")], name="small")
    assert repr(small) == 'Sequential([Input((4,)), Dense(3), Dense(2, activation="softmax")], name="small")'
    assert [layer.units for layer in eval(repr(small), dict(NAMES)).layers] == [3, 2]
    many = keras.Sequential([keras.Input((4,)), *(layers.Dense(4) for _ in range(9))], name="many")
    assert repr(many) == '<Sequential "many": 9 layers, (None, 4) -> (None, 4), 180 weights>'
    inputs = keras.Input((4,))
    graph = keras.Model(inputs, layers.Dense(1)(inputs), name="graph")
    assert repr(graph) == '<Functional "graph": 2 layers, (None, 4) -> (None, 1), 5 weights>'


class Own(keras.Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units, self.dense = units, keras.layers.Dense(units)

    def call(self, x):
        return self.dense(x)


def test_a_model_in_a_notebook():
    inputs = keras.Input((4,))
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="<deep>")], name="inner")
    model = keras.Model(inputs, keras.layers.Dense(1, activation="softmax", name="head")(inner(inputs)), name="outer")
    model.compile("adam", "binary_crossentropy")
    page = model._repr_html_()
    assert "inside inner" in page and "&lt;deep&gt; (Dense)" in page and "LAM102" in page and "<script" not in page
    assert "lamina explain LAM102" in page and page.count("<iframe") == 1 and "The page of" in page
    own = Own(3, name="own")
    assert repr(own) == 'Own(3, name="own")'
    assert "Not built" in own._repr_html_() and "Not built" in keras.Sequential([keras.layers.Dense(2)])._repr_html_()


def test_nothing_public_shows_its_address():
    spaces = (
        ". losses metrics optimizers initializers constraints regularizers random callbacks layers distribution "
        "quantizers dtype_policies utils visualization optimizers.schedules"
    )
    modules = [importlib.import_module(f"lamina.{space}".rstrip(".")) for space in spaces.split()]
    public = {getattr(module, name) for module in modules for name in module.__all__ if name[:1].isupper()}
    classes = {one for one in public if isinstance(one, type) and one.__repr__ is object.__repr__}
    scopes = {"CustomObjectScope", "RematScope", "StatelessScope", "SymbolicScope"}
    assert {cls.__name__ for cls in classes} <= {"Function", "Operation", "Progbar", "PyDataset", *scopes}


@pytest.mark.filterwarnings("ignore:.*since Keras")
def test_the_reprs_of_old_preprocessing():
    data = keras.preprocessing
    assert repr(data.text.Tokenizer(num_words=5)) == "Tokenizer(num_words=5)"
    made = data.image.ImageDataGenerator(rotation_range=10, rescale=0.5)
    assert repr(made) == "ImageDataGenerator(rotation_range=10, zoom_range=(1.0, 1.0), rescale=0.5)"
    windows = data.sequence.TimeseriesGenerator(np.ones(9), np.ones(9), length=3, batch_size=2)
    assert repr(windows) == "TimeseriesGenerator(3 batches of windows of 3 steps)"


def test_curves_fit_a_narrow_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    history = keras.callbacks.History()
    history.epoch, history.history = list(range(200)), {"loss": list(np.linspace(2, 1, 200))}
    assert max(map(len, history.plot().text.splitlines())) <= 60
