"""What tensors, variables and dtypes have in TensorFlow programs, and specs and rows of extension types."""

import jax
import numpy as np
import pytest
from jax.experimental.sparse import BCOO

from lamina.compat import host
from lamina.compat.host import on_host
from lamina.compat.variables import patch_arrays
from lamina.training.data.elements import Views
from tests.compat.namespace import tf

patch_arrays()


class Net(tf.experimental.BatchableExtensionType):
    shape: tf.TensorShape  # pyright: ignore[reportInvalidTypeForm]
    work: tf.Tensor  # pyright: ignore[reportInvalidTypeForm]

    def __init__(self, work):
        self.work = tf.convert_to_tensor(work)
        self.shape = self.work.shape[:-1]

    def __validate__(self):
        assert self.work.dtype.is_floating, "work must be floating"

    class Spec:
        def __init__(self, shape, dtype="float32"):
            self.shape = shape[:-1]
            self.work = tf.TensorSpec(shape, dtype)


def test_rows_of_extension_types_have_shapes_of_their_own():
    nets = Net([[1.0, 2.0], [3.0, 4.0]])
    assert nets.shape == (2,) and [one.shape for one in nets] == [(), ()]
    doubled = tf.map_fn(lambda one: Net(2 * one.work), nets)
    assert doubled.shape == (2,) and np.asarray(doubled.work).tolist() == [[2.0, 4.0], [6.0, 8.0]]
    data = tf.data.Dataset.from_tensor_slices(nets)
    assert next(iter(data)).work.shape == (2,) and next(iter(data.batch(2))).shape == (2,)
    spec = tf.type_spec_from_value(nets)
    assert spec.work == tf.TensorSpec([2, 2]) and spec.shape == (2,) and tf.TensorSpec(2).shape == (2,)
    with pytest.raises(AssertionError, match="must be floating"):
        Net([1, 2])
    with pytest.raises(TypeError, match="got NoneType"):
        type("Empty", (tf.experimental.ExtensionType,), {"__annotations__": {"values": tf.Tensor}})(None)


def test_slices_of_variables_are_assigned_to():
    v = tf.Variable([1.0, 2.0, 3.0])

    @tf.function
    def step(x):
        v[1].assign(x)
        v[:1].assign_add([5.0])
        return v[0] + 0.0

    assert float(step(tf.constant(7.0))) == 6.0 and v.numpy().tolist() == [6.0, 7.0, 3.0]
    assert not hasattr(tf.constant(1.0), "assign")
    one, other = tf.constant([1]), tf.constant([1])
    assert one.ref() in {one.ref()} and one.ref() != other.ref() and v.ref().deref() is v


def test_arrays_of_numpy_are_written_to_and_devices_are_texts():
    values = tf.constant([1.0, 2.0]).numpy()
    values[0] = 5.0
    assert values.tolist() == [5.0, 2.0]
    device = tf.constant(1.0).device
    assert device[-5:] == "CPU:0" and "device:CPU" in device and device.endswith("CPU:0")
    assert str(tf.constant(["a", "b"])) == "[b'a' b'b']" and repr(tf.constant("a")) == "b'a'"


def test_functions_of_jax_flatten_shapes_as_tuples():
    x = np.eye(2, 3, dtype="float32")
    shape = tf.constant(x).shape
    assert isinstance(shape, tf.TensorShape) and jax.tree_util.tree_leaves(shape) == [2, 3]
    assert isinstance(jax.tree_util.tree_map(lambda size: size + 1, shape), tf.TensorShape)
    np.testing.assert_array_equal(BCOO.fromdense(tf.constant(x)).todense(), x)


def test_data_that_a_function_of_a_data_set_computes_on_in_place_stay(monkeypatch):
    monkeypatch.setattr(Views, "to_functions", on_host)
    given = np.arange(6, dtype="float32").reshape(3, 2)

    def halved(x):
        before = x
        x /= 2.0
        x += 1
        assert before is not x
        return x

    data = tf.data.Dataset.from_tensor_slices(given).map(halved)
    for _ in range(2):
        assert [row.tolist() for row in data.as_numpy_iterator()] == [[1.0, 1.5], [2.0, 2.5], [3.0, 3.5]]
    monkeypatch.setattr(Views, "to_numpy", host._to_numpy)
    row = next(tf.data.Dataset.from_tensor_slices(given).as_numpy_iterator())
    with pytest.raises(ValueError, match="read-only"):
        row += 1
    assert given.flags.writeable and given.tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    picture = on_host(np.array([255, 51], "uint8"))
    picture /= 255
    assert picture.tolist() == pytest.approx([1.0, 0.2])
