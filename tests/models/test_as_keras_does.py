"""What Keras does with one output in a list, tuples of outputs, clones, and layers without symbolic outputs."""

import keras
import numpy as np
import pytest

import lamina
from lamina.models.model import Functional

X = np.ones((2, 3), "float32")


def graphs(library):
    """Models of one input, whose outputs have several structures."""
    inputs = library.Input((3,))
    one, two = library.layers.Dense(2)(inputs), library.layers.Dense(1)(inputs)
    structures = [one], (one,), {"a": one}, (one, two), [one, two]
    return [library.Model(inputs, structure) for structure in structures]


def test_a_model_of_a_list_of_one_output_gives_the_array():
    for ours, theirs in zip(graphs(lamina), graphs(keras), strict=True):
        assert [type(value) for value in (ours(X), ours.output)] == [type(v) for v in (theirs(X), theirs.output)]
        again = lamina.Model.from_config(ours.get_config())
        assert type(again(X)) is type(ours(X))
    single = graphs(lamina)[0]
    single.compile("sgd", "mse")
    assert single.predict(X, verbose=0).shape == (2, 2)
    single.train_on_batch(X, np.ones((2, 2)))


def test_a_model_of_the_inputs_and_outputs_of_another():
    a, b = lamina.Input((3,), name="a"), lamina.Input((3,), name="b")
    model = lamina.Model({"first": a, "second": b}, lamina.layers.Dense(1)(a + b))
    again = lamina.Model(model.inputs, model.outputs)
    assert again([X, X]).shape == again({"a": X, "b": X}).shape == (2, 1)


def test_models_of_graphs_are_functional():
    class Own(lamina.Model):
        pass

    inputs = lamina.Input((3,))
    own = Own(inputs, inputs * 2)
    assert isinstance(own, Functional) and isinstance(lamina.Model(inputs, inputs * 2), Functional)
    assert not isinstance(Own(), Functional) and not isinstance(lamina.Sequential([inputs]), Functional)


@pytest.mark.parametrize("optimizer", ["adam", lamina.optimizers.SGD(0.5)])
def test_a_clone_is_compiled_with_state_of_its_own(optimizer):
    model = lamina.Sequential([lamina.Input((3,)), lamina.layers.Dense(1)])
    metric = lamina.metrics.MeanAbsoluteError(name="far")
    assert not lamina.models.clone_model(model).compiled
    model.compile(optimizer, loss=lambda y, p: (y - p) ** 2, metrics=[metric])
    model.optimizer.learning_rate = 0.25
    clone = lamina.models.clone_model(model)
    assert clone.compiled and clone.optimizer is not model.optimizer
    assert type(clone.optimizer) is type(model.optimizer) and float(clone.optimizer.learning_rate) == 0.25
    assert clone._compile_arguments["metrics"][0] is not metric
    assert clone._compile_arguments["metrics"][0].name == "far"


def test_a_sequential_of_a_layer_without_symbolic_outputs():
    class Dynamic(lamina.layers.Layer):
        def call(self, inputs):
            return inputs + 1

        def compute_output_spec(self, inputs):
            raise NotImplementedError

    model = lamina.Sequential([Dynamic(), lamina.layers.Dense(2)])
    assert model(X).shape == (2, 2) and model.built


@pytest.mark.parametrize("library", [lamina, keras], ids=["lamina", "keras"])
def test_dicts_of_outputs_keep_their_order_where_keras_does(library):
    inputs, layers = library.Input((3,)), library.layers
    model = library.Model(inputs, {"b": layers.Dense(1, name="b")(inputs), "a": [layers.Dense(2, name="a")(inputs)]})
    x = np.ones((4, 3), "float32")
    for outputs in (model(x), model(inputs), model(x, training=True), model.compute_output_shape((None, 3))):
        assert list(outputs) == ["b", "a"]
    assert list(model.predict(x, verbose=0)) == ["a", "b"] == model.output_names
    assert [value.shape for value in (model(x)["b"], model(x)["a"][0])] == [(4, 1), (4, 2)]
