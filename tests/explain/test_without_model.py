"""`keras.explain(LAYER_CLASS)` and `layer.explain()`: a layer explained before there is a model."""

import ast
import inspect

import numpy as np
import pytest

import lamina as keras
from lamina.errors import CallError
from lamina.explanations.class_explanation import NAMESPACES, _parameters, class_explanation, thing_named

WITHOUT_EXAMPLE = {"FlaxLayer", "InputLayer", "InputSpec", "JaxLayer", "Lambda", "Layer", "Pipeline", "StackedRNNCells",
                   "TFSMLayer", "TorchModuleWrapper", "Wrapper"}  # fmt: skip
EXAMPLE, PITFALLS = "An example with a few numbers", "What to look out for?"


def classes(space):
    found = {name: getattr(NAMESPACES[space], name) for name in NAMESPACES[space].__all__}
    return {one: name for name, one in found.items() if inspect.isclass(one)}


@pytest.mark.parametrize("cls", classes("layers"), ids=lambda cls: cls.__name__)
def test_each_class_of_layers_is_explained(cls):
    explanation = class_explanation(cls)
    answers = {answer.question: answer for answer in explanation.answers}
    assert answers["What does it compute?"].sentences
    arguments = answers["What do its arguments do?"].items if "What do its arguments do?" in answers else []
    assert len(arguments) == len(_parameters(cls)) and "see its class" not in " ".join(arguments)
    assert answers[PITFALLS].items or cls.__name__ == "Wrapper"
    if cls.__name__ not in WITHOUT_EXAMPLE:
        assert {"inputs", "outputs"} <= {line.split()[0] for line in answers[EXAMPLE].items}
    assert max(map(len, explanation.text.splitlines())) <= 80


@pytest.mark.parametrize("space", ["losses", "metrics", "optimizers", "regularizers", "constraints"])
def test_other_classes_and_functions_are_explained_with_numbers(space):
    abstract = {"Loss", "LossFunctionWrapper", "Metric", "MeanMetricWrapper", "Optimizer"}
    more = {"LossScaleOptimizer", "MultiOptimizer", "OptaxOptimizer", "OptimizerMap", "Constraint", "Regularizer"}
    for cls, name in list(classes(space).items())[:: {"losses": 5, "metrics": 12, "optimizers": 3}.get(space, 1)]:
        answers = {answer.question: answer for answer in keras.explain(cls).answers}
        assert name in abstract | more or answers[EXAMPLE].items, (name, answers[EXAMPLE].text)


def test_examples_are_right():
    def example(thing):
        return next(answer.items for answer in keras.explain(thing).answers if answer.question == EXAMPLE)

    lines = dict(line.split(": ", 1) for line in example(keras.layers.Dense)[1:])
    inputs, kernel, outputs = (
        np.array(ast.literal_eval(next(text for head, text in lines.items() if head.startswith(word))))
        for word in ("inputs", "kernel", "outputs")
    )
    np.testing.assert_allclose(inputs @ kernel, outputs, atol=1e-4)
    assert example(keras.losses.MeanSquaredError)[-1].endswith("= 0.625")
    assert example(keras.optimizers.SGD)[2] == "after step 1: kernel = [[0.995, -1.999]]"
    assert example(keras.activations.relu) == ["relu([-2.0, -1.0, 0.0, 2.0]) = [0.0, 0.0, 0.0, 2.0]"]


def test_a_class_of_layers_has_the_words_of_a_layer_too():
    said = keras.explain(keras.layers.LSTM)
    assert said.layers[0].kind == "LSTM" and "return_sequences=False" in said.layers[0].text
    assert "<ul>" in said.html() and "- units: " in said.markdown() and said.as_dict()["answers"][2]["items"]


def test_classes_by_name():
    assert thing_named("Dense") is keras.layers.Dense
    assert thing_named("keras.losses.MeanSquaredError") is keras.losses.MeanSquaredError
    assert thing_named("metrics.MeanSquaredError") is keras.metrics.MeanSquaredError
    with pytest.raises(CallError, match="lamina explain Dense"):
        thing_named("Densee")


def test_a_layer_is_explained_and_not_built():
    layer = keras.layers.Dense(4, activation="relu", name="hidden")
    text = str(layer.explain())
    assert "each of the 4 units" in text and "relu" in text and "example" in text
    assert not layer.built


def test_a_built_layer_is_explained_for_its_own_inputs():
    layer = keras.layers.Dense(4)
    layer.build((None, 7))
    assert layer.explain().layers[0].weights.startswith("7 x 4 kernel + 4 bias = 32")


def test_what_has_no_example_says_why():
    text = str(keras.explain(keras.layers.JaxLayer))
    assert "There is none: JaxLayer needs call_fn" in text and "call_fn: Function that computes the outputs" in text


def test_a_model_is_explained_by_the_function_too():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="dense")])
    assert str(keras.explain(model)) == str(model.explain())
