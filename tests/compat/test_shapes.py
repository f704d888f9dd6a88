"""Shapes that own layers get in programs for TensorFlow, data sets' options, tables beside tensors, and versions."""

import jax
import numpy as np
import pytest

import lamina as keras
from lamina.compat import finder, sessions, tapes
from lamina.compat.variables import Shape, patch_arrays
from lamina.layers.base import shapes
from lamina.training.data.elements import Views
from tests.compat.namespace import tf


def test_own_layers_get_shapes_of_tensorflow(monkeypatch, tmp_path):
    monkeypatch.setattr(shapes, "shape_class", Shape)

    class Own(keras.layers.Layer):
        def build(self, shape):
            self.kernel = self.add_weight(shape=[shape.as_list()[-1], 2], name="kernel")
            super().build(shape)

        def call(self, x):
            return x @ self.kernel

        def compute_output_shape(self, shape):
            return tf.TensorShape([*shape.as_list()[:-1], 2])

    x = np.ones((3, 4), "float32")
    model = keras.Sequential([keras.Input((4,)), Own(), keras.layers.Dense(1)])
    assert model.output_shape == (None, 1) and model(x).shape == (3, 1)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", custom_objects={"Own": Own})
    np.testing.assert_allclose(again(x), model(x), rtol=1e-6)

    class Two(Own):
        def build(self, shapes):
            assert [one.rank for one in shapes] == [2, 3]
            super().build(shapes[0])

        def call(self, inputs):
            return super().call(inputs[0])

        def compute_output_shape(self, shapes):
            return super().compute_output_shape(shapes[0])

    assert Two()([x, np.ones((3, 4, 5))]).shape == (3, 2)


def test_specs_of_data_sets_have_shapes_of_tensorflow(monkeypatch):
    monkeypatch.setattr(Views, "shape", Shape)
    data = tf.data.Dataset.from_tensor_slices(np.ones((4, 3), "float32")).batch(2)
    assert data.element_spec.shape.as_list() == [None, 3] and data.map(lambda x: x[:, :1]).element_spec.shape.rank == 2
    assert data.element_spec.shape == (None, 3) and tf.TensorSpec(None).shape is None


def test_options_are_kept_by_what_reads_a_data_set():
    data = tf.data.Dataset.range(4)
    assert sessions.options_of(data).deterministic is None
    options = tf.data.Options()
    options.experimental_deterministic = False
    options.threading.private_threadpool_size = 2
    chosen = sessions.with_options(data, options)
    found = sessions.options_of(chosen.map(lambda x: x + 1).batch(2))
    assert found.deterministic is False and found.experimental_deterministic is False
    assert found.threading.private_threadpool_size == 2 and sessions.options_of(data).deterministic is None
    assert [*chosen.as_numpy_iterator()] == [0, 1, 2, 3]


def test_tables_of_pandas_beside_tensors():
    tapes.record_operators(patch_arrays())
    frame = pytest.importorskip("pandas").DataFrame({"a": [1, 0, 2]})
    x = tf.constant([[1.0], [2.0], [3.0]])
    for found in (x * frame, jax.jit(lambda y: y * frame)(x), x + frame - x + x * frame - frame):
        assert found.shape == (3, 1) and found.dtype == "float32"
    assert np.asarray(x * frame).tolist() == [[1.0], [0.0], [6.0]]


@pytest.mark.parametrize(("value", "version"), [("1", "2."), ("True", "2."), ("0", "3."), ("", "3.")])
def test_keras_2_is_asked_for_by_the_environment(monkeypatch, value, version):
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", value)
    module = finder._module("tensorflow.keras")
    assert module.__version__.startswith(version) and module.layers.Dense is keras.layers.Dense
    assert hasattr(module, "version") == (version == "3.")
    assert finder._module("tf_keras") is module
    assert finder._module("keras").version().startswith("3.")


def test_labels_of_ctc_as_sparse_tensors():
    from lamina.compat.sparse_functions import ctc_label_dense_to_sparse

    found = ctc_label_dense_to_sparse(np.array([[5, 6, 7], [8, 9, 0]]), np.array([3, 1]))
    assert np.asarray(found.indices).tolist() == [[0, 0], [0, 1], [0, 2], [1, 0]]
    assert np.asarray(found.values).tolist() == [5, 6, 7, 8] and found.shape == (2, 3)
