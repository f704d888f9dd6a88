"""What a layer finds in its attributes."""

import keras
import numpy as np
import pytest

import lamina
from lamina.layers.base.layer import Layer
from lamina.layers.dense import Dense


def test_a_container_may_hold_itself():
    class Ring(Layer):
        def __init__(self):
            super().__init__()
            self.parts = [Dense(1)]
            self.parts.append(self.parts)
            self.named = {"parts": self.parts}
            self.named["all"] = self.named

        def call(self, inputs):
            return self.parts[0](inputs)

    ring = Ring()
    ring(np.ones((2, 3)))
    assert len(ring.weights) == 2
    assert len(ring._flatten_layers()) == 2


@pytest.mark.parametrize("name", ["trainble", "trianable", "trainable_"])
def test_a_slip_in_trainable_is_told(name):
    with pytest.warns(UserWarning, match="dense.trainable = False"):
        setattr(Dense(1, name="dense"), name, False)


def test_a_slip_in_stop_training_is_told():
    with pytest.warns(UserWarning, match="small.stop_training = True"):
        lamina.Sequential([Dense(1)], name="small").stop_trainning = True


@pytest.mark.parametrize("name", ["train_bias", "training", "trained", "tied", "trim", "transposed"])
def test_attributes_of_their_own_are_taken_in_silence(name):
    setattr(Dense(1), name, True)


def ordered(library):
    """The names of the weights of layers that mix `add_weight`, variables of their own, lists and other layers."""

    class InBuild(library.layers.Layer):
        def __init__(self):
            super().__init__()
            self.first = library.Variable(np.ones(2), name="first")
            self.last, self.listed, self.inner = None, [], library.layers.Dense(2)

        def build(self, input_shape):
            self.second = self.add_weight(shape=(3,), name="second")
            self.third = library.Variable(np.ones(2), name="third")
            self.listed.append(self.add_weight(shape=(3,), name="fourth"))
            self.frozen = self.add_weight(shape=(3,), name="frozen", trainable=False)
            self.listed.append(library.Variable(np.ones(1), name="fifth"))
            self.last = self.add_weight(shape=(3,), name="last")

    class BeforeInit(library.layers.Layer):
        def __init__(self):
            self.kernel = self.bias = self.scale = None
            super().__init__()
            table = library.layers.Embedding(3, 2)
            table.build()
            self.bias = self.add_weight(shape=(3,), name="bias")
            self.tied = table.embeddings
            self.scale = self.add_weight(shape=(3,), name="scale")
            self.kernel = self.add_weight(shape=(3,), name="kernel")
            self.bias = library.Variable(np.ones(1), name="bias again")

    class Network(library.Model):
        def __init__(self):
            super().__init__()
            self.scale = self.add_weight(shape=(), name="scale")
            self.listed = [library.Variable(np.ones(1), name="in list")]
            self.by_name = {"x": library.Variable(np.ones(1), name="in dict")}
            self.listed.append(library.Variable(np.ones(1), name="appended"))
            self.shift = self.add_weight(shape=(), name="shift")

    layer = InBuild()
    layer.build((None, 3))
    return [[weight.name for weight in each.weights] for each in (layer, BeforeInit(), Network())]


def test_variables_have_the_order_of_keras():
    got = ordered(lamina)
    assert got == ordered(keras)
    assert got[1] == ["bias", "embeddings", "scale", "kernel", "bias again"]


def test_names_of_weights_come_first_in_keras_2():
    layer = Layer(name="old")
    layer.add_weight("kernel", shape=[2, 3], initializer="ones")
    layer.add_weight("bias", (3,), "float32", "zeros", None, False)
    layer.add_weight("scale", [2], initializer="ones")
    layer.add_weight(name="shift", shape=())
    assert layer.add_variable("table", shape=[4]).name == layer.weights[-2].name == "table"
    found = [(one.name, one.shape, one.trainable) for one in layer.weights if one.name != "table"]
    assert found == [("kernel", (2, 3), True), ("scale", (2,), True), ("shift", (), True), ("bias", (3,), False)]
    assert [np.unique(layer.weights[index]).tolist() for index in (0, 1, 4)] == [[1.0], [1.0], [0.0]]

    class Total(lamina.metrics.Metric):
        def update_state(self, y_true, y_pred, sample_weight=None):
            self.total.assign(self.total + 1)

    metric = Total()
    metric.total, table = metric.add_weight("total", "ones"), metric.add_weight("table", shape=(2, 2))
    assert [(one.name, one.shape) for one in metric.variables] == [("total", ()), ("table", (2, 2))]
    assert float(metric.total) == 1 and not np.any(table)
