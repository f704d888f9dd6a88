"""Layers in `dataset.map(...)`, with a stand-in for TensorFlow: its graph tensors, and its way to call Python."""

import sys
import types

import numpy as np
import pytest

from lamina import layers
from lamina.layers.tensorflow_data import has_graph_tensors
from lamina.utils import FeatureSpace


class GraphTensor:
    """A tensor of a graph: shape and type are told, the value comes when the graph runs."""

    __module__ = "tensorflow.python.framework.ops"

    def __init__(self, shape, dtype, value=None):
        self.shape, self.dtype, self.value = shape, types.SimpleNamespace(name=dtype), value

    def set_shape(self, shape):
        self.shape = tuple(shape)


@pytest.fixture(autouse=True)
def tensorflow(monkeypatch):
    def numpy_function(function, inputs, types_of_outputs):
        results = function(*(tensor.value for tensor in inputs))
        return [GraphTensor(None, dtype, result) for dtype, result in zip(types_of_outputs, results, strict=True)]

    module = types.ModuleType("tensorflow")
    module.numpy_function, module.as_dtype = numpy_function, str
    monkeypatch.setitem(sys.modules, "tensorflow", module)


def text(values, shape=(None,)):
    return GraphTensor(shape, "string", np.array([value.encode() for value in values], object))


def test_what_is_a_graph_tensor():
    assert has_graph_tensors([text(["a"])]) and has_graph_tensors({"a": text(["a"])})
    assert not has_graph_tensors([np.ones(2), "a"])


def test_layers():
    output = layers.TextVectorization(vocabulary=["b", "a"], output_sequence_length=3)(text(["a é", "b"]))
    assert output.shape == (None, 3) and output.dtype.name == "int32"
    assert output.value.tolist() == [[3, 1, 0], [2, 0, 0]]
    numbers = GraphTensor((None,), "int64", np.array([101, 102]))
    crossed = layers.HashedCrossing(5, output_mode="one_hot")((text(["A", "A"]), numbers))
    assert crossed.shape == (None, 5) and crossed.value.argmax(-1).tolist() == [1, 3]


def test_feature_spaces():
    space = FeatureSpace(
        {"job": FeatureSpace.string_categorical(output_mode="int"), "age": "float"}, output_mode="dict"
    )
    space.adapt({"job": ["a", "b", "a"], "age": [1.0, 2.0, 3.0]})
    ages = GraphTensor((None,), "float32", np.array([1.0, 2.0], "float32"))
    outputs = space({"job": text(["b", "q"]), "age": ages})
    assert {name: tensor.shape for name, tensor in outputs.items()} == {"age": (None, 1), "job": (None, 1)}
    assert outputs["job"].value.tolist() == [[2], [0]] and outputs["age"].value.tolist() == [[1], [2]]
    single = {
        "job": GraphTensor((), "string", np.array(b"b", object)),
        "age": GraphTensor((), "float32", np.array(1.0)),
    }
    assert {tensor.shape for tensor in space(single).values()} == {(1,)}
