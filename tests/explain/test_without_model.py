"""`keras.explain(LAYER_CLASS)` and `layer.explain()`: a layer explained before there is a model."""

import inspect

import pytest

import lamina as keras
from lamina.errors import CallError

NEEDS_MORE = {
    "FlaxLayer",
    "JaxLayer",
    "TFSMLayer",
    "TorchModuleWrapper",
    "Pipeline",
    "Lambda",
    "StackedRNNCells",
    "LSTMCell",
}
CLASSES = [
    name
    for name in keras.layers.__all__
    if inspect.isclass(getattr(keras.layers, name))
    and getattr(keras.layers, name).__name__ == name
    and name not in NEEDS_MORE | {"LSTMCell", "Layer", "Wrapper", "InputLayer", "InputSpec"}
]


@pytest.mark.parametrize("name", CLASSES)
def test_each_class_of_layers_is_explained(name):
    explanation = keras.explain(getattr(keras.layers, name))
    assert explanation.layers[0].kind in {cls.__name__ for cls in getattr(keras.layers, name).__mro__}
    assert explanation.layers[0].sentences


def test_a_layer_is_explained_and_not_built():
    layer = keras.layers.Dense(4, activation="relu", name="hidden")
    text = str(layer.explain())
    assert "each of the 4 units" in text and "relu" in text and "example" in text
    assert not layer.built


def test_a_built_layer_is_explained_for_its_own_inputs():
    layer = keras.layers.Dense(4)
    layer.build((None, 7))
    assert layer.explain().layers[0].weights.startswith("7 x 4 kernel + 4 bias = 32")


def test_what_has_no_example_says_how_to_go_on():
    with pytest.raises(CallError, match=r"JaxLayer\(call_fn=\.\.\.\)\.explain\(\)"):
        keras.explain(keras.layers.JaxLayer)


def test_a_model_is_explained_by_the_function_too():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="dense")])
    assert str(keras.explain(model)) == str(model.explain())
