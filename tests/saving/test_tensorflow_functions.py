"""Functions of TensorFlow in the graphs of tf.keras files, against NumPy."""

import json

import numpy as np
import pytest

import lamina
from lamina.errors import ConfigError

X = np.random.default_rng(2).uniform(0.2, 0.9, (2, 3, 4)).astype("float32") * [1, -1, 1, 1]
X = X.astype("float32")


def softmax(x):
    return np.exp(x) / np.exp(x).sum(-1, keepdims=True)


ALL = slice(None)
SLICE = [{"start": None, "stop": None, "step": None}, 1, {"start": 1, "stop": None, "step": 2}]
CASES = [  # function of tf, arguments after the first, what NumPy does
    ("__operators__.add", {"y": 2.0}, lambda x: x + 2),
    ("math.subtract", {"y": 2.0}, lambda x: x - 2),
    ("math.multiply", {"y": ["x", 0, 0]}, lambda x: x * x),
    ("math.truediv", {"y": 4.0}, lambda x: x / 4),
    ("math.floordiv", {"y": 0.3}, lambda x: x // np.float32(0.3)),
    ("math.floormod", {"y": 0.3}, lambda x: x % np.float32(0.3)),
    ("math.pow", {"y": 2.0}, lambda x: x**2),
    ("math.maximum", {"y": 0.5}, lambda x: np.maximum(x, 0.5)),
    ("math.minimum", {"y": 0.5}, lambda x: np.minimum(x, 0.5)),
    ("math.greater_equal", {"y": 0.5}, lambda x: x >= 0.5),
    ("math.not_equal", {"y": 0.5}, lambda x: x != 0.5),
    ("math.negative", {"name": None}, lambda x: -x),
    ("math.sign", {}, np.sign),
    ("math.square", {}, np.square),
    ("math.exp", {}, np.exp),
    ("math.sigmoid", {}, lambda x: 1 / (1 + np.exp(-x))),
    ("math.tanh", {}, np.tanh),
    ("math.floor", {}, np.floor),
    ("nn.relu6", {}, lambda x: np.clip(x, 0, 6)),
    ("nn.leaky_relu", {"alpha": 0.3}, lambda x: np.where(x > 0, x, 0.3 * x)),
    ("nn.softmax", {"axis": -1}, softmax),
    ("nn.log_softmax", {}, lambda x: np.log(softmax(x))),
    ("math.l2_normalize", {"axis": -1}, lambda x: x / np.sqrt((x**2).sum(-1, keepdims=True))),
    ("math.reduce_mean", {"axis": [1, 2], "keepdims": True}, lambda x: x.mean((1, 2), keepdims=True)),
    ("math.reduce_sum", {"axis": -1}, lambda x: x.sum(-1)),
    ("math.reduce_max", {"axis": 1}, lambda x: x.max(1)),
    ("math.reduce_std", {"axis": 1}, lambda x: x.std(1)),
    ("math.argmax", {"axis": -1, "output_type": "int64"}, lambda x: x.argmax(-1)),
    ("math.argmin", {"axis": 2}, lambda x: x.argmin(2)),
    ("math.cumsum", {"axis": 1}, lambda x: x.cumsum(1)),
    ("linalg.matmul", {"b": ["x", 0, 0], "transpose_b": True}, lambda x: x @ x.swapaxes(1, 2)),
    ("linalg.matmul", {"b": ["x", 0, 0], "transpose_a": True}, lambda x: x.swapaxes(1, 2) @ x),
    ("linalg.norm", {"axis": -1}, lambda x: np.sqrt((x**2).sum(-1))),
    ("reshape", {"shape": [-1, 6, 2]}, lambda x: x.reshape(-1, 6, 2)),
    ("compat.v1.transpose", {"perm": [0, 2, 1], "name": "transpose", "conjugate": False}, lambda x: x.swapaxes(1, 2)),
    ("expand_dims", {"axis": -1}, lambda x: x[..., None]),
    ("cast", {"dtype": "int32"}, lambda x: x.astype("int32")),
    ("tile", {"multiples": [1, 1, 2]}, lambda x: np.tile(x, (1, 1, 2))),
    ("repeat", {"repeats": 2, "axis": 1}, lambda x: x.repeat(2, 1)),
    ("reverse", {"axis": [1]}, lambda x: x[:, ::-1]),
    ("pad", {"paddings": [[0, 0], [1, 0], [0, 2]]}, lambda x: np.pad(x, [(0, 0), (1, 0), (0, 2)])),
    ("pad", {"paddings": [[0, 0], [1, 0], [0, 2]], "mode": "REFLECT"},
     lambda x: np.pad(x, [(0, 0), (1, 0), (0, 2)], "reflect")),
    ("compat.v1.gather", {"indices": [0, 2], "axis": 1, "batch_dims": 0}, lambda x: x[:, [0, 2]]),
    ("clip_by_value", {"clip_value_min": -0.3, "clip_value_max": 0.3}, lambda x: np.clip(x, -0.3, 0.3)),
    ("zeros_like", {}, np.zeros_like),
    ("split", {"num_or_size_splits": [1, 3], "axis": -1}, lambda x: x[..., :1]),
    ("unstack", {"num": 4, "axis": -1}, lambda x: x[..., 0]),
    ("__operators__.getitem", {"slice_spec": SLICE}, lambda x: x[ALL, 1, 1::2]),
]  # fmt: skip


def graph(kind, config, nodes):
    """A model of the function alone, as tf.keras writes it."""
    start = {"batch_input_shape": [None, 3, 4], "dtype": "float32", "sparse": False, "ragged": False, "name": "x"}
    layers = [
        {"class_name": "InputLayer", "name": "x", "config": start, "inbound_nodes": []},
        {"class_name": kind, "name": "f", "config": {"name": "f", "trainable": True, **config}, "inbound_nodes": nodes},
    ]
    ends = {"input_layers": [["x", 0, 0]], "output_layers": [["f", 0, 0]]}
    model = {"class_name": "Functional", "config": {"name": "m", "layers": layers, **ends}, "keras_version": "2.9.0"}
    return lamina.models.model_from_json(json.dumps(model))


def assert_computes(model, expected):
    got = np.asarray(model(X))
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, 1e-5, 1e-6)


@pytest.mark.parametrize(
    ("function", "kwargs", "expected"), CASES, ids=[f"{n}-{case[0]}" for n, case in enumerate(CASES)]
)
def test_functions(function, kwargs, expected):
    kind = "SlicingOpLambda" if "getitem" in function else "TFOpLambda"
    assert_computes(graph(kind, {"function": function}, [["x", 0, 0, kwargs]]), expected(X))


def test_functions_of_lists_and_of_constants():
    twice = [[["x", 0, 0, {"axis": -1}], ["x", 0, 0, {"axis": -1}]]]
    assert_computes(graph("TFOpLambda", {"function": "concat"}, twice), np.concatenate([X, X], -1))
    assert_computes(graph("TFOpLambda", {"function": "stack"}, twice), np.stack([X, X], -1))
    constant = [["_CONSTANT_VALUE", -1, 1.0, {"y": ["x", 0, 0]}]]
    assert_computes(graph("TFOpLambda", {"function": "math.subtract"}, constant), 1 - X)


def number(value):
    return {"i": str(value)}


NODES = [  # op, its settings, the constants among its inputs, how many inputs, what NumPy does
    ("AddV2", {}, {"1": 2.0}, 2, lambda x: x + 2),
    ("Sub", {}, {"0": 2.0}, 2, lambda x: 2 - x),
    ("Relu", {}, {}, 1, lambda x: np.maximum(x, 0)),
    ("Mean", {"keep_dims": {"b": True}}, {"1": [1, 2]}, 2, lambda x: x.mean((1, 2), keepdims=True)),
    ("Sum", {"keep_dims": {"b": False}}, {"1": 1}, 2, lambda x: x.sum(1)),
    ("Reshape", {}, {"1": [-1, 12]}, 2, lambda x: x.reshape(-1, 12)),
    ("Transpose", {}, {"1": [0, 2, 1]}, 2, lambda x: x.swapaxes(1, 2)),
    ("ConcatV2", {"N": number(2)}, {"2": -1}, 3, lambda x: np.concatenate([x, x], -1)),
    ("BatchMatMulV2", {"adj_y": {"b": True}}, {}, 2, lambda x: x @ x.swapaxes(1, 2)),
    ("LeakyRelu", {"alpha": {"f": 0.3}}, {}, 1, lambda x: np.where(x > 0, x, 0.3 * x)),
    ("StridedSlice", {"begin_mask": number(5), "end_mask": number(5), "shrink_axis_mask": number(2)},
     {"1": [0, 1, 0], "2": [0, 2, 0], "3": [1, 1, 2]}, 4, lambda x: x[ALL, 1, ::2]),
]  # fmt: skip


@pytest.mark.parametrize(("op", "settings", "constants", "count", "expected"), NODES, ids=[node[0] for node in NODES])
def test_nodes_of_tensorflows_graph(op, settings, constants, count, expected):
    node_def = {
        "name": op,
        "op": op,
        "input": [f"i{place}" for place in range(count)],
        "attr": {"T": {"type": "DT_FLOAT"}, **settings},
    }
    config = {"node_def": json.dumps(node_def), "constants": constants, "dtype": "float32"}
    sources = [["x", 0, 0, {}] for _ in range(count - len(constants))]
    assert_computes(graph("TensorFlowOpLayer", config, [sources]), expected(X))


def test_what_is_not_known_is_named():
    with pytest.raises(ConfigError, match=r"f in the file calls tf\.signal\.fft, which has no equivalent"):
        graph("TFOpLambda", {"function": "signal.fft"}, [["x", 0, 0, {}]])
    with pytest.raises(ConfigError, match=r"tf\.math\.cumsum\(reverse=True\)"):
        graph("TFOpLambda", {"function": "math.cumsum"}, [["x", 0, 0, {"axis": 1, "reverse": True}]])
    with pytest.raises(ConfigError, match="binary"):
        graph("TensorFlowOpLayer", {"node_def": "\x01\x02"}, [["x", 0, 0, {}]])
