"""Further functions of tf.sparse, tf.nn and tf.linalg against closed forms; tapes record them in programs/own_types."""

from typing import Union

import numpy as np
import pytest

import lamina as keras
from lamina.compat.saved_models import write_programs
from lamina.compat.tensorflow import InnerModule
from lamina.compat.variables import also_of_texts, patch_arrays
from lamina.errors import ShapeError
from lamina.runtime.tracebacks import filters_traceback
from tests.compat.namespace import tf


def value(x):
    return np.asarray(x).tolist()


def test_sparse_functions():
    one = tf.SparseTensor([[0, 1], [2, 0]], [1.0, 2.0], [3, 2])
    assert value(tf.sparse.fill_empty_rows(one, 5.0)[0].to_dense()) == [[0.0, 1.0], [5.0, 0.0], [2.0, 0.0]]
    assert [part.shape for part in tf.sparse.split(one, 2, 0)] == [(2, 2), (1, 2)]
    assert value(tf.sparse.transpose(one).to_dense()) == [[0.0, 0.0, 2.0], [1.0, 0.0, 0.0]]
    ids = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [1, 3, 2], [2, 2])
    table = np.arange(8.0).reshape(4, 2).astype("float32")
    assert value(tf.nn.embedding_lookup_sparse(table, ids, None, combiner="mean")) == [[4.0, 5.0], [4.0, 5.0]]


def test_pooling_blocks_and_decompositions():
    x = np.arange(16.0, dtype="float32").reshape(1, 4, 4, 1)
    assert value(tf.nn.max_pool_with_argmax(x, 2, 2, "VALID")[1].ravel()) == [5, 7, 13, 15]
    blocks = tf.space_to_batch(x, [2, 2], [[0, 0], [0, 0]])
    assert value(blocks[1].ravel()) == [1.0, 3.0, 9.0, 11.0]
    assert value(tf.batch_to_space(blocks, [2, 2], [[0, 0], [0, 0]])) == x.tolist()
    matrix = np.array([[2.0, 1.0], [4.0, 3.0]], "float32")
    factors = tf.linalg.lu(matrix)
    assert value(tf.linalg.lu_reconstruct(*factors)) == matrix.tolist()
    assert value(tf.linalg.lu_solve(*factors, [[1.0], [2.0]])) == [[0.5], [0.0]]
    logits = np.array([[[0.9, 0.1, 0.0]], [[0.9, 0.1, 0.0]], [[0.0, 0.1, 0.9]], [[0.0, 0.8, 0.2]]], "float32")
    paths, sums = tf.nn.ctc_greedy_decoder(logits, [4])
    assert value(paths[0].to_dense()) == [[0, 1]]
    assert float(sums[0, 0]) == pytest.approx(-3.5)


def test_indices_outside_are_errors_where_their_numbers_are_known():
    x = tf.constant([5.0, 6.0])
    for wrong in ([2], [-1]):
        with pytest.raises(ValueError, match=rf"Index {wrong[0]} is not in \[0, 2\)"):
            tf.gather(x, wrong)
    with pytest.raises(ValueError, match="Index 3 is not in"):
        tf.gather_nd([[1, 2], [3, 4]], [[1, 0], [3, 1]])
    assert value(tf.gather(x, [])) == [] and value(tf.gather_nd([[1, 2], [3, 4]], [[1, 0], [0, 1]])) == [3, 2]
    assert value(tf.function(lambda at: tf.gather(x, at))(tf.constant([1]))) == [6.0]


class Penalty(keras.layers.Layer):
    def call(self, inputs):
        self.add_loss(inputs.sum())
        return inputs


def test_a_tf_function_reads_variables_while_the_losses_of_layers_change():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), Penalty(), keras.layers.Dense(1)])
    x = np.ones((2, 2), "float32")

    @tf.function
    def total(inputs):
        return model(inputs).sum() + sum(model.losses)

    expected = float(model(x).sum() + sum(model.losses))
    assert [float(total(x)) for _ in range(3)] == pytest.approx([expected] * 3, rel=1e-5)


def test_a_concrete_function_takes_its_arguments_in_their_order():
    @tf.function
    def difference(x, a, scale=1.0):
        return scale * (x - a)

    of = tf.TensorSpec([2], "float32")
    concrete = difference.get_concrete_function(of, of, 2.0)
    one, two = np.ones(2, "float32"), np.full(2, 2.0, "float32")
    assert value(concrete(two, one)) == [2.0, 2.0]
    assert value(concrete(a=two, x=one)) == [-2.0, -2.0]


def test_a_tf_function_with_a_signature_fills_in_its_defaults():
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32), tf.TensorSpec([], tf.int32)])
    def repeated(x, times=2):
        return x * tf.cast(times, tf.float32)

    assert value(repeated([1.0, 2.0])) == [2.0, 4.0]
    assert value(repeated(x=[1.0, 2.0], times=3)) == [3.0, 6.0]
    with pytest.raises(TypeError, match="takes 2 arguments"):
        repeated()

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def is_tensor(x):
        return isinstance(x, tf.Tensor)

    assert is_tensor("a text")


def test_a_model_that_is_given_itself_as_keras_2_allowed():
    class Own(keras.Model):
        def __init__(self):
            super().__init__(self)

    assert Own().name.startswith("own")


def test_variables_of_texts():
    variable = tf.Variable("hello", name="greeting")
    before = variable.read_value()
    assert variable.assign("bye") is variable
    assert (before.numpy(), variable.numpy(), tf.string == variable.dtype) == (b"hello", b"bye", True)
    assert isinstance(variable, tf.Variable)
    assert variable.name == "greeting:0"
    with pytest.raises(ShapeError, match=r"cannot take texts of shape \(2,\)"):
        variable.assign(["a", "b"])


def test_outputs_of_a_model_have_gradients_by_tensors_inside_it_that_are_outputs_too():
    inputs = keras.Input((2,))
    inner = keras.layers.Dense(3, kernel_initializer="ones")(inputs)
    model = keras.Model(inputs, [inner, 2 * keras.layers.Dense(1, kernel_initializer="ones")(inner)])
    with tf.GradientTape() as tape:
        hidden, outputs = model(np.ones((1, 2), "float32"))
    assert value(tape.gradient(outputs, hidden)) == [[2.0, 2.0, 2.0]]


def test_a_function_of_texts_refuses_numbers():
    double = tf.function(lambda a: tf.strings.join([a, a]))
    of_texts = double.get_concrete_function(tf.TensorSpec([], "string"))
    assert of_texts(tf.constant("ab")).numpy() == b"abab"
    with pytest.raises(tf.errors.InvalidArgumentError, match="by its signature; got int32"):
        of_texts(tf.constant(1))


def test_linear_operators_are_differentiated():
    diagonal = tf.Variable([2.0, 4.0])
    with tf.GradientTape() as tape:
        solved = tf.linalg.LinearOperatorDiag(diagonal).solve([[1.0], [1.0]])
    assert value(tape.gradient(solved, diagonal)) == [-0.25, -0.0625]


class Triplets(keras.Model):
    """Its own steps take a batch (x, y, z) as three inputs, which `call` does not."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, inputs):
        return self.inner(inputs)

    def train_step(self, data):
        return {"sum": sum(part.sum() for part in self.inner(data))}

    test_step = train_step


def test_a_model_whose_own_steps_alone_take_its_batches():
    inputs = [keras.Input((2,)) for _ in range(3)]
    model = Triplets(keras.Model(inputs, [2 * part for part in inputs]))
    model.compile("sgd", weighted_metrics=[])
    batch = tf.data.Dataset.from_tensor_slices((np.ones((4, 2), "float32"),) * 3).batch(4)
    assert model.fit(batch, validation_data=batch, verbose=0).history == {"sum": [48.0], "val_sum": [48.0]}


def test_a_call_that_needs_training_gets_it():
    class Scale(keras.layers.Layer):
        def call(self, inputs, training):
            return inputs * (2.0 if training else 1.0)

    model = keras.Sequential([keras.Input((1,)), Scale()])
    assert float(model(np.ones((1, 1)))[0, 0]) == 1.0
    assert float(model(np.ones((1, 1)), training=True)[0, 0]) == 2.0


def test_an_exported_model_is_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr("lamina.export.savedmodel.model.ALSO_WRITTEN", [write_programs])
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.export(tmp_path / "it", format="tf_saved_model", verbose=False)
    loaded, x = tf.saved_model.load(tmp_path / "it"), np.ones((3, 2), "float32")
    assert [*loaded.signatures] == ["serve", "serving_default"]
    for outputs in (loaded.serve(x), *loaded.signatures["serving_default"](x).values()):
        np.testing.assert_allclose(outputs, model(x), 1e-6)


def test_stop_gradient_leaves_a_source_unconnected():
    x, y = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape() as tape:
        z = tf.add(tf.square(x), tf.stop_gradient(tf.square(y)))
    assert [None if one is None else float(one) for one in tape.gradient(z, [x, y])] == [4.0, None]


def test_a_tf_function_draws_the_numbers_of_its_generator():
    generator = tf.random.Generator.from_seed(1)

    @tf.function
    def draw():
        return generator.normal([])

    with pytest.warns(UserWarning, match="whose numbers are made on the host"):
        assert [float(draw()) for _ in range(2)] == pytest.approx([0.43842274, 1.6272374], rel=1e-6)  # TensorFlow 2.20


def test_checkpoints_hold_iterators_and_generators(tmp_path):
    iterator, generator = iter(tf.data.Dataset.range(20).shuffle(5, seed=1)), tf.random.Generator.from_seed(1)
    checkpoint = tf.train.Checkpoint(iterator=iterator, generator=generator)
    taken = [int(next(iterator)) for _ in range(5)]
    path = checkpoint.save(tmp_path / "point")
    expected = [int(next(iterator)) for _ in range(5)], float(generator.normal([]))
    checkpoint.restore(path).assert_consumed()
    assert ([int(next(iterator)) for _ in range(5)], float(generator.normal([]))) == expected
    assert set(taken).isdisjoint(expected[0])
    other = iter(tf.data.Dataset.range(20).shuffle(5, seed=1)), tf.random.Generator.from_seed(9)
    tf.train.Checkpoint(iterator=other[0], generator=other[1]).restore(path).expect_partial()
    assert ([int(next(other[0])) for _ in range(5)], float(other[1].normal([]))) == expected


class Pair(tf.experimental.BatchableExtensionType):
    one: tf.Tensor
    two: tf.Tensor


def test_map_fn_takes_rows_of_extension_types():
    pairs = Pair([[1], [2]], [[True], [False]])
    assert value(tf.map_fn(lambda pair: Pair(2 * pair.one, pair.two), pairs).one) == [[2], [4]]
    assert [value(pair.one) for pair in pairs] == [[1], [2]]


def test_functions_of_ragged_tensors_have_concrete_forms_and_standardize_texts():
    grow = tf.function(lambda x: x * 2.0)
    concrete = grow.get_concrete_function(tf.RaggedTensorSpec([None, None], "float32"))
    with pytest.warns(UserWarning, match="it returns a ragged"):
        assert concrete(tf.ragged.constant([[1.0, 4.0], [2.0]])).to_list() == [[2.0, 8.0], [4.0]]
    texts = keras.layers.TextVectorization(standardize=tf.function(tf.strings.lower))
    texts.adapt(np.array(["A b", "a"]))
    assert texts.get_vocabulary()[2:] == ["a", "b"]


class Speech(keras.Model):
    """Its `call` takes a list, its step a dict."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return tf.add(self.dense(inputs[0]), self.dense(inputs[1]))

    def train_step(self, data):
        with tf.GradientTape() as tape:
            loss = self.compute_loss(None, data["target"], self([data["source"], data["target"]]))
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return {"loss": loss}


def test_fit_builds_a_model_by_its_own_step_where_call_takes_other_inputs():
    model = Speech()
    model.compile("sgd", "mse")
    data = {"source": np.ones((4, 2), "float32"), "target": np.ones((4, 2), "float32")}
    model.dense.units = 2
    before = model.fit(data, epochs=3, verbose=0).history["loss"]
    assert before[2] < before[1] < before[0]
    with pytest.raises(KeyError, match="0"):  # not what the step says of a batch of predict
        Speech().predict({"source": data["source"]}, verbose=0)


def test_anchors_of_an_unknown_size_and_suppression_in_a_model():
    class Anchors(keras.layers.Layer):
        def call(self, x):
            height, width = tf.unstack(tf.cast(tf.shape(x)[1:3], "float32"))
            rows = tf.range(tf.math.ceil(height / 2**3), dtype="float32") + 0.5
            grid = tf.tile(rows[:, None, None], [1, tf.math.ceil(width / 8), 2])
            return tf.reshape(grid, [tf.math.ceil(height / 8) * tf.math.ceil(width / 8), 2])

    class Suppressed(keras.layers.Layer):
        def call(self, boxes, scores):
            return tf.image.combined_non_max_suppression(tf.expand_dims(boxes, 2), scores, 5, 5, clip_boxes=False)

    inputs = keras.Input((None, None, 1))
    anchors = keras.Model(inputs, Anchors()(inputs))
    assert anchors.output.shape == (None, 2)
    assert value(anchors.predict(np.ones((1, 16, 20, 1), "float32"), verbose=0)[:, 0]) == [0.5] * 3 + [1.5] * 3
    boxes, scores = keras.Input((None, 4)), keras.Input((None, 1))
    model = keras.Model([boxes, scores], Suppressed()(boxes, scores))
    given = np.array([[[0, 0, 1, 1], [0, 0, 1, 0.9], [2, 2, 3, 3]]], "float32"), np.array([[[0.9], [0.8], [0.7]]])
    found = model.predict(given, verbose=0)
    assert value(found.valid_detections) == [2]
    assert value(found.nmsed_boxes[0, :3]) == [[0, 0, 1, 1], [2, 2, 3, 3], [0, 0, 0, 0]]


def test_a_called_value_of_a_variable_is_explained():
    variable = tf.Variable([1.0])
    with pytest.raises(TypeError, match=r"variable\.read_value\(\)"):
        filters_traceback(lambda: variable.value())()


def test_pixels_of_tensorflow_1():
    x, image = np.arange(4.0, dtype="float32").reshape(1, 1, 4, 1), tf.compat.v1.image
    rows = [image.resize_images(x, [1, 8]), image.resize_bilinear(x, [1, 7], align_corners=True)]
    rows += [
        image.resize_nearest_neighbor(x, [1, 7], True),
        image.resize(x, [1, 6], tf.image.ResizeMethod.NEAREST_NEIGHBOR),
    ]
    assert [value(row.ravel()) for row in rows] == [  # as TensorFlow gives them
        [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.0], [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0],
        [0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0], [0.0, 0.0, 1.0, 2.0, 2.0, 3.0],
    ]  # fmt: skip
    np.testing.assert_array_equal(
        image.resize_bilinear(x, [1, 8], half_pixel_centers=True), tf.image.resize(x, [1, 8], "bilinear")
    )


def test_texts_have_the_dtype_of_texts():
    text = tf.constant("a")
    assert {tf.string: 1}[text.dtype] == 1 and tf.cast(text, tf.string) is not None and tf.dtypes.DType is np.dtype
    assert value(tf.cast([1.5], "int32")) == [1]


def test_a_new_axis_of_a_ragged_tensor():
    ragged = tf.ragged.constant([[3, 1], [], [5]])
    assert ragged[..., None].to_list() == ragged[:, :, None].to_list() == [[[3], [1]], [], [[5]]]
    assert ragged[..., None].shape == (3, None, 1)
    rows = tf.data.Dataset.from_tensor_slices(["ab", "c"])
    rows = rows.map(lambda text: (tf.strings.bytes_split(text), tf.strings.length(text)))
    letters, sizes = next(iter(tf.data.experimental.dense_to_ragged_batch(2)(rows)))
    assert letters.to_list() == [[b"a", b"b"], [b"c"]] and value(sizes) == [2, 1]


def test_lapped_transforms_and_their_windows():
    x = np.arange(16, dtype="float32") ** 1.3
    found = tf.signal.mdct(x, 8)  # numbers of TensorFlow 2.21
    np.testing.assert_allclose(found[1], [-91.05013, -4.95883, -9.13617, -1.39013], rtol=1e-5)
    for settings in ({}, {"norm": "ortho"}):
        again = tf.signal.inverse_mdct(tf.signal.mdct(x, 8, **settings), **settings)
        np.testing.assert_allclose(again[4:12], x[4:12], rtol=1e-5)  # what two frames overlap is as before
    found = tf.signal.mdct(x, 8, window_fn=None)
    np.testing.assert_allclose(found[0], [-51.0519, -9.53579, 8.50956, 6.6778], rtol=1e-5)
    np.testing.assert_allclose(tf.signal.inverse_mdct(found, window_fn=None)[4:12], x[4:12], rtol=1e-5)
    derived = [0.22047876, 0.70710677, 0.9753917, 0.9753917, 0.70710677, 0.22047876]
    np.testing.assert_allclose(tf.signal.kaiser_bessel_derived_window(6, 4.0), derived, rtol=1e-6)


def test_checks_of_ranks_and_integers():
    tf.debugging.assert_integer([1, 2])
    tf.debugging.assert_rank_at_least([[1.0]], 2)
    tf.debugging.assert_rank_in([1.0], (0, 1))
    with pytest.raises(TypeError, match="integer was expected"):
        tf.debugging.assert_integer([1.5])
    with pytest.raises(ValueError, match="at least 2"):
        tf.debugging.assert_rank_at_least([1.0], 2)
    with pytest.raises(ValueError, match="one of"):
        tf.debugging.assert_rank_in([1.0], (0, 2))


def test_points_of_the_sequence_of_sobol():
    wanted = [[0.5, 0.5, 0.5], [0.75, 0.25, 0.25], [0.25, 0.75, 0.75], [0.375, 0.375, 0.625], [0.875, 0.875, 0.125]]
    assert value(tf.math.sobol_sample(3, 5)) == wanted and value(tf.math.sobol_sample(3, 2, skip=3)) == wanted[3:]
    assert tf.math.sobol_sample(2, 3, dtype=tf.float16).dtype == "float16"


def test_constants_are_classes_that_arguments_are_annotated_with():
    for kind in (tf.VariableAggregation, tf.image.ResizeMethod, tf.distribute.ReduceOp, tf.VariableSynchronization,
                 tf.tpu.experimental.HardwareFeature.EmbeddingFeature):  # fmt: skip
        assert isinstance(kind, type) and kind in Union.__getitem__((kind, None)).__args__


def test_arrays_of_python_numbers_are_numbers():
    rows = np.array([[1.5, 2.0], [3.0, 4.0]], object)
    for found in (
        tf.constant(rows),
        tf.stack(list(rows)),
        tf.concat([rows[:1], rows[1:]], 0),
    ):
        assert found.dtype == "float32" and value(found) == [[1.5, 2.0], [3.0, 4.0]]
    assert value(tf.constant(np.array(["a", b"b"], object))) == ["a", b"b"]


def test_values_are_rounded_as_quantized_ones():
    x = np.array([[-1.0, 0.4], [9.0, 2.6]], "float32")
    rounded = tf.quantization.fake_quant_with_min_max_vars
    assert value(rounded(x, 0.0, 3.0, num_bits=2)) == [[0.0, 0.0], [3.0, 3.0]]
    each = tf.quantization.fake_quant_with_min_max_vars_per_channel(x, [0.0, 0.0], [3.0, 1.0], 2)
    np.testing.assert_allclose(each, [[0.0, 1 / 3], [3.0, 1.0]], rtol=1e-6)
    np.testing.assert_allclose(tf.quantization.fake_quant_with_min_max_args(x), rounded(x, -6.0, 6.0), rtol=1e-6)


def test_the_identity_of_a_variable_is_its_value_at_that_time():
    variable = tf.Variable([1.0, 2.0])
    before = tf.identity(variable)
    variable.assign([5.0, 6.0])
    assert value(before) == [1.0, 2.0] and value(keras.backend.identity(variable)) == [5.0, 6.0]


def test_sizes_of_shapes_have_values():
    shape = tf.TensorShape([2, None])
    assert [size.value for size in shape.dims] == [2, None] and shape.dims[0] == 2 and shape[0] == 2
    assert tf.compat.dimension_at_index([3, 4], 1).value == 4 and tf.compat.dimension_value(shape.dims[0]) == 2


def test_what_packages_register_and_variables_whose_shapes_are_made_sure_of():
    assert tf.no_gradient("Op") is None and tf.RegisterGradient("Op")(value) is value
    patch_arrays()
    assert value(tf.ensure_shape(tf.Variable([1.0, 2.0]), [2])) == [1.0, 2.0]


def test_layers_hold_texts():
    add_weight = also_of_texts(keras.layers.Layer.add_weight)
    layer = keras.layers.Layer()
    names = add_weight(layer, name="names", shape=(2,), dtype=tf.constant(["a", "b"]).dtype, trainable=False)
    names.assign(["a", "b"])
    assert value(tf.gather(names, [[1, 0]])) == [["b", "a"]] and value(tf.zeros((2,), names.dtype)) == ["", ""]
    assert add_weight(layer, shape=(2,), dtype="float32", name="w").shape == (2,) and len(layer.weights) == 1


def test_records_are_iterated_as_in_tensorflow_1(tmp_path):
    with tf.io.TFRecordWriter(str(tmp_path / "a"), tf.io.TFRecordOptions("GZIP")) as file:
        file.write(b"one")
        file.write(b"two")
    assert list(tf.io.tf_record_iterator(str(tmp_path / "a"), tf.io.TFRecordOptions("GZIP"))) == [b"one", b"two"]


def test_weights_of_losses_are_broadcast_inside_of_tensorflow():
    broadcast = InnerModule("tensorflow.python.ops.weights_broadcast_ops").broadcast_weights
    assert value(broadcast([[1], [2]], tf.zeros((2, 2)))) == [[1.0, 1.0], [2.0, 2.0]]


def test_tensors_in_messages():
    message = pytest.importorskip("tensorboard.util.tensor_util").make_tensor_proto(np.array([[1.0, 2.0]], "float32"))
    assert tf.make_ndarray(message).tolist() == [[1.0, 2.0]]


def test_decorators_and_contexts_of_the_inside_of_tensorflow():
    inside = InnerModule("tensorflow.python.util.deprecation")
    with inside.silence(), inside.silence():
        assert inside.deprecated(None, "Use another.")(value) is value
