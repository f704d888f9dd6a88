"""Every model of the zoo against Keras's: layers, names, weights, shapes, configs, outputs."""

import keras
import pytest

import lamina
from tests.models import zoo

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's variables
NAMES = list(zoo.MODELS)


@pytest.mark.parametrize("name", NAMES)
def test_parts(name):
    ours, theirs = zoo.pair(name)
    assert ours.name == theirs.name
    assert [(layer.name, type(layer).__name__) for layer in ours.layers] == [
        (layer.name, type(layer).__name__) for layer in theirs.layers
    ]
    assert zoo.described(ours.weights) == zoo.described(theirs.weights)
    assert zoo.described(ours.variables) == zoo.described(theirs.variables)
    assert [v.path for v in ours.trainable_weights] == [v.path for v in theirs.trainable_weights]
    assert [v.path for v in ours.non_trainable_weights] == [v.path for v in theirs.non_trainable_weights]
    assert ours.count_params() == theirs.count_params()


@pytest.mark.parametrize("name", NAMES)
def test_ends(name):
    ours, theirs = zoo.pair(name)
    assert ours.input_shape == theirs.input_shape
    assert ours.output_shape == theirs.output_shape
    assert [(t.shape, t.dtype) for t in ours.inputs] == [(t.shape, t.dtype) for t in theirs.inputs]
    assert [(t.shape, t.dtype) for t in ours.outputs] == [(t.shape, t.dtype) for t in theirs.outputs]
    if hasattr(theirs, "operations"):  # a Sequential of Keras has none, nor names of outputs
        masks = ("not_equal",)  # Keras draws masks as ops; here they travel with the tensors
        assert [op.name for op in ours.operations] == [op.name for op in theirs.operations if op.name not in masks]
        assert ours.output_names == theirs.output_names


@pytest.mark.parametrize("name", NAMES)
def test_outputs(name):
    zoo.assert_outputs(zoo.pair(name)[0], name)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "text"])  # its masks are no ops, so no nodes
def test_config(name):
    ours, theirs = zoo.pair(name)
    described = zoo.json_of(lamina.saving.serialize_keras_object(ours))
    expected = zoo.json_of(keras.saving.serialize_keras_object(theirs))
    assert zoo.without_differences(described) == zoo.without_differences(expected)


@pytest.mark.parametrize("name", NAMES)
def test_each_reads_the_config_of_the_other(name):
    ours, theirs = zoo.pair(name)
    assert zoo.described(keras.models.model_from_json(ours.to_json()).weights) == zoo.described(
        keras.models.model_from_json(theirs.to_json()).weights
    )
    read = lamina.models.model_from_json(theirs.to_json())
    again = lamina.models.model_from_json(ours.to_json())
    for model in (read, again):
        assert [layer.name for layer in model.layers] == [layer.name for layer in ours.layers]
        assert [w.shape for w in model.weights] == [w.shape for w in ours.weights]
        assert model.output_shape == ours.output_shape
    assert again.to_json() == ours.to_json()
    read.set_weights(ours.get_weights())
    zoo.assert_outputs(read, name)


@pytest.mark.parametrize("name", NAMES)
def test_clone(name):
    ours, _ = zoo.pair(name)
    clone = lamina.models.clone_model(ours)
    assert type(clone) is type(ours)
    assert clone.get_config() == ours.get_config()
    assert [w.shape for w in clone.weights] == [w.shape for w in ours.weights]
    assert not {id(w) for w in clone.weights} & {id(w) for w in ours.weights}
