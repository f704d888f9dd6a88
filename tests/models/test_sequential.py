"""Sequential: adding, popping, building late, nesting."""

import keras
import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.errors import CallError, ConfigError, ShapeError
from tests.models import zoo

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's variables
X = np.random.default_rng(4).normal(size=(3, 6)).astype("float32")


def both(build):
    """What `build(library)` gives for each library, names counted anew."""
    found = []
    for library in (lamina, keras):
        zoo.fresh(library)
        found.append(build(library))
    return found


def assert_alike(build):
    ours, theirs = both(build)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert ours.built == theirs.built
    assert zoo.described(ours.weights) == zoo.described(theirs.weights)
    if theirs.built:  # Keras takes the batch size of the first call for the model's; here it stays open
        assert (ours.input_shape[1:], ours.output_shape[1:]) == (theirs.input_shape[1:], theirs.output_shape[1:])
    return ours, theirs


@pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`", "ignore::lamina.legacy.OldSpelling")
@pytest.mark.parametrize("argument", [{"input_shape": (6,)}, {"input_dim": 6}, {"batch_input_shape": (None, 6)}])
def test_first_layer_says_the_shape(argument):
    theirs = {"input_shape": (6,)}  # Keras 3 knows the others no more

    def build(library):
        dense = library.layers.Dense(4, **(argument if library is lamina else theirs))
        return library.Sequential([dense, library.layers.ReLU()])

    assert_alike(build)


def test_add_and_pop():
    def build(library):
        model = library.Sequential(name="grown")
        model.add(library.Input((6,)))
        model.add(library.layers.Dense(4))
        model.add(library.layers.Dense(3))
        model.add(library.layers.Dense(2))
        model.pop()
        return model

    ours, _ = assert_alike(build)
    popped = ours.pop()
    assert popped.units == 3 and ours.output_shape == (None, 4)
    ours.add(popped)
    assert ours.output_shape == (None, 3)


def test_built_by_the_first_call_by_fit_or_by_shape():
    def called(library):
        model = library.Sequential([library.layers.Dense(4), library.layers.Dense(2)])
        model(X)
        return model

    def fitted(library):
        model = library.Sequential([library.layers.Dense(4), library.layers.Dense(2)])
        model.compile("sgd", "mse")
        model.fit(X, X[:, :2], verbose=0)
        return model

    def built(library):
        model = library.Sequential([library.layers.Dense(4), library.layers.Dense(2)])
        model.build((None, 6))
        return model

    for build in (called, fitted, built):
        ours, _ = assert_alike(build)
        assert ours.get_config()["build_input_shape"][1:] == (6,)


def test_not_built_yet():
    def build(library):
        return library.Sequential([library.layers.Dense(4)])

    ours, theirs = assert_alike(build)
    assert zoo.json_of(ours.get_config()) == zoo.json_of(theirs.get_config())
    with pytest.raises(AttributeError, match="it is not built"):
        _ = ours.outputs
    for model in (ours, theirs):
        for nothing in (None, [(None, 6), (None, 4)], {"a": (None, 6)}):
            model.build(nothing)  # the first call builds it
            assert not model.layers[0].built
    with pytest.raises(CallError, match="not built"):
        ours.count_params()
    empty = lamina.Sequential()
    with pytest.raises(CallError, match="no layer to pop"):
        empty.pop()
    with pytest.raises(CallError, match="no layers yet"):
        empty.build((None, 6))


def test_models_inside():
    def build(library):
        L = library.layers
        x = library.Input((6,))
        functional = library.Model(x, L.Dense(5)(x))
        late = library.Sequential([L.Dense(4), L.BatchNormalization()])
        return library.Sequential([functional, late, library.Sequential([library.Input((4,)), L.Dense(2)])])

    ours, theirs = assert_alike(build)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(X), theirs(X), 1e-5, 1e-6)


def test_several_outputs_pass_through():
    class Twice(layers.Layer):
        def call(self, x):
            return x, 2 * x

    class Sum(layers.Layer):
        def call(self, pair):
            return pair[0] + pair[1]

    model = lamina.Sequential([lamina.Input((6,)), Twice(), Sum()])
    np.testing.assert_allclose(model(X), 3 * X, 1e-6)


def test_what_cannot_be_added():
    model = lamina.Sequential([lamina.Input((6,)), layers.Dense(4, name="d")])
    with pytest.raises(ConfigError, match="Input can only be the first"):
        model.add(lamina.Input((6,)))
    with pytest.raises(ConfigError, match="already has a layer called 'd'"):
        model.add(layers.Dense(4, name="d"))
    with pytest.raises(ConfigError, match=r"got the function 'tanh'.*\n.*Lambda"):
        model.add(np.tanh)
    with pytest.raises(ConfigError, match=r"got 'relu' \(str\)"):
        model.add("relu")
    assert model.output_shape == (None, 4)


def test_a_layer_that_does_not_fit_is_named():
    with pytest.raises(lamina.errors.ShapeError, match=r"In sequential.*/conv2d"):
        lamina.Sequential([lamina.Input((6,)), layers.Conv2D(2, 3)])


def test_subclass_of_sequential_keeps_its_class():
    class Mine(lamina.Sequential):
        pass

    model = Mine([lamina.Input((6,)), layers.Dense(2)])
    again = lamina.saving.deserialize_keras_object(
        lamina.saving.serialize_keras_object(model), custom_objects={"Mine": Mine}
    )
    assert type(again) is Mine and again.output_shape == (None, 2)


def test_a_model_without_an_input_takes_batches_of_other_lengths():
    model = lamina.Sequential([lamina.layers.LSTM(3), lamina.layers.Dense(1)])
    assert model(np.ones((2, 5, 4), "float32")).shape == (2, 1)
    assert model.predict(np.ones((3, 7, 4), "float32"), verbose=0).shape == (3, 1)
    with pytest.raises(ShapeError, match="axis -1|features|4"):
        model(np.ones((2, 5, 3), "float32"))


def test_building_for_a_batch():
    model = lamina.Sequential([lamina.layers.Dense(2)])
    model.build(X)
    assert model.input_shape == (None, 6) and model.predict(X[:2], verbose=0).shape == (2, 2)


def test_structures_pass_through_without_a_graph():
    class Sum(lamina.layers.Layer):
        def call(self, inputs):
            return sum(inputs.values()) if isinstance(inputs, dict) else inputs[0] + inputs[1]

    x = np.ones((3, 2), "float32")
    for inputs in ({"a": x, "b": x}, [x, x]):
        model = lamina.Sequential([Sum(), lamina.layers.Dense(1, kernel_initializer="ones")])
        assert model(inputs).tolist() == [[4.0]] * 3
        model.compile("sgd", "mse")
        model.fit(inputs, np.ones((3, 1)), verbose=0)
        assert model.predict(inputs, verbose=0).shape == (3, 1)
    with pytest.raises(AttributeError, match="reserved"):
        model.layers = []
