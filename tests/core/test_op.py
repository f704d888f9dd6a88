"""Ops as nodes: their names in files, and what of a call is written where."""

import importlib

import keras
import numpy as np
import pytest

import lamina
from lamina import ops
from lamina.core.keras_tensor import OPS
from lamina.core.op import class_of, operation_class
from lamina.models.functional import _op_file

KERAS_FILES = ("numpy", "nn", "math", "core", "linalg", "image", "einops")
# Classes of Keras that no graph holds, or that are one case of another.
NO_OP = {"Function", "Arange", "Array", "ConvertToTensor", "Ndim", "Nonzero", "SegmentReduction", "Operation"}


def keras_classes():
    """(file, class) of every op of Keras."""
    for file in KERAS_FILES:
        module = importlib.import_module(f"keras.src.ops.{file}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, keras.Operation) and value.__module__ == module.__name__:
                yield file, value


@pytest.mark.parametrize("file", KERAS_FILES)
def test_every_class_of_keras_is_known_and_written_alike(file):
    for found, cls in keras_classes():
        if found != file or cls.__name__ in NO_OP:
            continue
        ours = operation_class(cls.__name__)
        assert ours is not None, cls
        if ours.__name__ == cls.__name__:  # not a second name of an op
            assert _op_file(ours.op_name) in (file, "nn"), cls  # the class of an op that is in no file is in nn


def test_class_names_are_unique():
    names = [class_of(name).__name__ for name in OPS.read_all()]
    assert len(names) == len(set(names))
    assert operation_class("Nope") is None


def node(outputs):
    """(config without the name, constants among the arguments) of the op that made a tensor."""
    operation, index, _ = outputs._keras_history
    made = operation._inbound_nodes[index]
    config = {key: value for key, value in operation.get_config().items() if key != "name"}
    return config, sorted(made.kwargs if hasattr(made, "kwargs") else made.arguments.kwargs)


@pytest.mark.parametrize(
    "call",
    [
        lambda K, x: K.ops.clip(x, 0.0, 1.0),
        lambda K, x: K.ops.reshape(x, (-1, 3)),
        lambda K, x: K.ops.transpose(x, (1, 0)),
        lambda K, x: K.ops.sum(x, axis=-1, keepdims=True),
        lambda K, x: K.ops.concatenate([x, x], axis=-1),
        lambda K, x: K.ops.stack([x, x], axis=1),
        lambda K, x: K.ops.subtract(x, x),
        lambda K, x: K.ops.cast(x, "float16"),
        lambda K, x: K.ops.expand_dims(x, 1),
        lambda K, x: K.ops.relu(x),
        lambda K, x: K.ops.add(x, 2.0),
        lambda K, x: x[:, 1:3],
    ],
)
def test_settings_are_written_where_keras_has_them(call):
    assert node(call(lamina, lamina.Input((6,)))) == node(call(keras, keras.Input((6,))))


def test_an_op_on_arrays_computes_and_on_symbols_records():
    x = lamina.Input((6,))
    assert isinstance(ops.add(x, 1), lamina.KerasTensor)
    assert ops.add(x, 1).shape == (None, 6)
    np.testing.assert_array_equal(ops.add(np.ones(2), 1), [2, 2])
    variable = lamina.Variable([1.0, 2.0])
    np.testing.assert_array_equal(ops.add(variable, variable), [2, 4])
    model = lamina.Model(x, ops.add(x, lamina.Variable(np.full(6, 3.0, "float32"))))
    np.testing.assert_array_equal(model(np.zeros((1, 6), "float32")), np.full((1, 6), 3))


def test_optional_tensors_by_keyword_keep_their_places():
    """A tensor after others that are left out: `mask=` without `bias=` is no bias."""
    x, flags = np.arange(48, dtype="float32").reshape(2, 3, 2, 4) / 20, np.arange(36).reshape(2, 2, 3, 3) % 3 > 0
    for library in (lamina, keras):
        inputs, mask, row = library.Input((3, 2, 4)), library.Input((2, 3, 3), dtype="bool"), np.ones(4, "float32")

        def use(f, x, mask, row=row):
            attended = f.dot_product_attention(x, x, x, mask=mask)
            return attended, f.average(x, weights=x), f.layer_normalization(x, beta=row)

        model = library.Model([inputs, mask], use(library.ops, inputs, mask))
        for given, expected in zip(model([x, flags]), use(keras.ops, x, flags), strict=True):
            np.testing.assert_allclose(given, expected, rtol=1e-5, atol=1e-6)


def test_unknown_sizes_of_several_tensors_meet():
    x, y, _ = lamina.KerasTensor((None, 3)), lamina.KerasTensor((2, None)), keras.ops
    assert ops.add(x, y).shape == (2, 3)
    assert ops.concatenate([x, y]).shape == (None, 3) and ops.concatenate([x, y], axis=1).shape == (2, None)
    assert ops.maximum(lamina.KerasTensor((None,)), lamina.KerasTensor((4,))).shape == (4,)
    assert [one.shape for one in ops.unstack(y, 2, axis=1)] == [(2,), (2,)]  # `num` says the unknown size
    with pytest.raises(ValueError, match=r"\(None, 3\).*\(None, 4\)"):
        ops.add(x, lamina.KerasTensor((None, 4)))


def test_saturate_cast_to_and_from_8_bit_floats_and_large_integers():
    def cast(values, source, dtype):
        x = ops.cast(np.array(values), source)
        return ops.cast(ops.saturate_cast(x, dtype), "float32").tolist()

    assert cast([-1e6, 1, 1e6], "float32", "float8_e4m3fn") == [-448, 1, 448]
    assert cast([-300, 2], "int32", "float8_e4m3fn") == [-288, 2]  # -300 is rounded
    assert cast([-1e6, 2], "float8_e5m2", "int8") == [-128, 2]
    assert ops.saturate_cast(np.array([-1.0, 5e9], "float32"), "uint32").tolist() == [0, 2**32 - 1]
