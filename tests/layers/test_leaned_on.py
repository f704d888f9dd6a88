"""What packages lean on in layers, and tests of Keras's own try: each against Keras."""

import sys
import types

import numpy as np
import pytest

import lamina

X = np.arange(24, dtype="float32").reshape(2, 3, 4)


@pytest.fixture(params=["keras", "lamina"])
def keras(request):
    return lamina if request.param == "lamina" else pytest.importorskip("keras")


def test_config_of_a_subclass_that_names_the_arguments_of_its_base(keras):
    class Thrice(keras.layers.Dense):
        def __init__(self, units, activation="relu", times=3, **kwargs):
            super().__init__(units * times, activation=activation, **kwargs)
            self.times = times

        def get_config(self):
            return {**super().get_config(), "times": self.times}

    config = Thrice(2, name="x").get_config()
    assert (config["units"], config["activation"], config["times"], config["name"]) == (6, "relu", 3, "x")
    assert "activity_regularizer" not in config


def test_operations_of_packages_are_called_on_arrays_and_symbols(keras):
    class Plus(keras.Operation):
        def call(self, x, y=1.0):
            return x + y

        def compute_output_spec(self, x, y=1.0):
            return keras.KerasTensor(x.shape, x.dtype)

    assert np.allclose(Plus()(X, keras.Variable([1.0, 2.0, 3.0, 4.0])), X + np.arange(1, 5))
    inputs = keras.Input((3, 4))
    assert np.allclose(keras.Model(inputs, Plus()(inputs, y=2.0))(X), X + 2)


def test_a_model_casts_to_the_types_of_its_inputs(keras):
    half, whole = keras.Input((2,), dtype="float16"), keras.Input((2,), dtype="int32")
    model = keras.Model([half, whole], [half + 2, whole + 2])
    assert [str(one.dtype) for one in model([np.ones((2, 2)), np.ones((2, 2))])] == ["float16", "int32"]


def test_inputs_of_a_clone_have_the_structure_of_the_models(keras):
    one, two = keras.Input((3,), name="one"), keras.Input((3,), name="two")
    model = keras.Model({"one": one, "two": two}, {"sum": one + two})
    assert set(keras.models.clone_model(model, input_tensors={"one": one, "two": two}).input) == {"one", "two"}
    with pytest.raises(ValueError, match="`input_tensors` must have the same structure as model.input"):
        keras.models.clone_model(model, input_tensors=(one, two))


def test_sparse_gradients(keras):
    from jax.experimental.sparse import BCOO

    variable = keras.Variable(np.ones((3, 2), "float32"))
    keras.optimizers.SGD(1.0).apply([BCOO.fromdense(np.eye(3, 2, dtype="float32"))], [variable])
    assert np.allclose(variable, 1 - np.eye(3, 2))


def test_a_seed_that_is_given_a_backend():
    assert lamina.random.SeedGenerator(1, backend=lamina.backend).backend is lamina.backend


def test_masks_can_be_read_from_tensors(keras):
    y = keras.layers.Masking()(np.array([[[0.0, 0.0], [1.0, 1.0]]]))
    assert np.array(y._keras_mask).tolist() == [[False, True]]
    x = keras.Input((3, 4))
    assert x._keras_mask is None if keras is lamina else not hasattr(x, "_keras_mask")
    a, b = keras.layers.Masking()(x), keras.layers.Masking()(keras.Input((3, 4)))
    mask = keras.layers.Add()([a, b])._keras_mask
    assert mask.shape == (None, 3) and mask.dtype == "bool"
    model = keras.Model(x, keras.layers.Masking(4.0)(x)._keras_mask)
    padded = np.where(X < 8, 4.0, X)
    assert np.array(model(padded)).tolist() == [[False, False, True], [True, True, True]]


def test_masks_of_symbolic_tensors_in_part(keras):
    x, y, mask = keras.Input((3, 4)), keras.Input((3, 4)), keras.Input((3,), dtype="bool")
    assert keras.layers.Add().compute_mask([x, y], [mask, None]) is None
    assert keras.layers.Add().compute_mask([x, y], [mask, mask]).shape == (None, 3)
    ones = keras.Variable(np.ones((2, 3), bool), dtype="bool")
    assert np.array(keras.layers.Add().compute_mask([X, X], [ones, ones])).all()
    assert keras.layers.Concatenate(axis=1).compute_mask([x, y], [mask, None]).shape == (None, 6)
    assert keras.layers.Attention()([x, y], mask=[None, None]).shape == (None, 3, 4)
    assert keras.layers.Embedding(4, 2, mask_zero=True).compute_mask(keras.Input((5,))).shape == (None, 5)


def test_a_setting_asks_for_no_more_than_the_device_has(keras):
    keras.config.enable_flash_attention()
    layer = keras.layers.MultiHeadAttention(2, 8, dropout=0.5)
    assert layer(X, X, return_attention_scores=True)[1].shape == (2, 2, 3, 3)
    assert keras.layers.MultiHeadAttention(2, 8)(query=X, value=X).shape == (2, 3, 4)
    keras.config.disable_flash_attention()
    assert keras.config.is_flash_attention_enabled() is False
    keras.utils.clear_session(free_memory=False)
    assert keras.config.is_flash_attention_enabled() is None


def test_attention_step_with_a_causal_mask(keras):
    layer = keras.layers.MultiHeadAttention(2, 8)
    layer(X, X)
    heads = np.random.default_rng(0).normal(size=(2, 3, 2, 8)).astype("float32")
    causal = np.tril(np.ones((1, 3, 3), bool))
    given, _ = layer._compute_attention(heads, heads, heads, causal)
    made, _ = layer._compute_attention(heads, heads, heads, use_causal_mask=True)
    np.testing.assert_allclose(given, made, rtol=1e-5)


def test_variables_are_cast_where_inputs_are_not(keras):
    class Shift(keras.layers.Layer):
        def build(self, input_shape):
            self.shift = self.add_weight(shape=(4,), name="shift")

        def call(self, inputs):
            return inputs, self.shift + 0

    inputs, shift = Shift(autocast=False, dtype="mixed_bfloat16")(X)
    assert (str(inputs.dtype), str(shift.dtype)) == ("float32", "bfloat16")


def test_shape_by_keyword_and_stored_kernels(keras):
    assert keras.layers.Attention().compute_output_shape(input_shape=[(None, 3, 4), (None, 5, 4)]) == (None, 3, 4)
    dense, embedding = keras.layers.Dense(2), keras.layers.Embedding(5, 2)
    dense.build((None, 4))
    embedding.build()
    assert dense._kernel.shape == (4, 2)
    if keras is lamina:  # NumPy warns about Keras
        dense.quantize("int8")
        assert dense._kernel.dtype == "int8"
    assert embedding._embeddings.shape == (5, 2)


def test_weights_of_counts_may_be_lists(keras):
    layer = keras.layers.CategoryEncoding(3, output_mode="count")
    counts = layer(np.array([[0, 1], [1, 1]]), count_weights=[[1.0, 2.0], [3.0, 4.0]])
    assert np.array(counts).tolist() == [[1, 2, 0], [0, 7, 0]]


def test_axes_are_a_list(keras):
    assert keras.layers.LayerNormalization(axis=(1, 2)).get_config()["axis"] == [1, 2]


def test_a_build_without_shapes_traces_nothing():
    class Outer(lamina.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = lamina.layers.Dense(2)

    layer = Outer()
    layer.build(None)
    assert layer.built and not layer.inner.built


def test_codes_may_be_called_calibrated(keras):
    layer = keras.layers.Dense(2)
    layer.build((None, 4))
    layer.quantize("gptq", config=keras.quantizers.GPTQConfig(None, None, weight_bits=4, group_size=8))
    assert not layer.is_gptq_calibrated
    layer.is_gptq_calibrated = True
    assert layer.is_gptq_calibrated
    with pytest.raises(ValueError, match="Invalid quantization mode"):
        keras.layers.Dense(2).quantize("int7")


def test_logical_operators_and_rounding_of_variables(keras):
    five, three = (keras.Variable([value, 0], dtype="int32") for value in (5, 3))
    for found, wanted in ((five & three, [1, 0]), (five ^ 1, [0, 1]), (1 | five, [1, 1])):
        assert str(found.dtype) == "bool" and found.tolist() == wanted
    assert round(keras.Variable([1.5, 0.2])).tolist() == [2, 0]
    with pytest.raises(ValueError, match="'/'|`/`"):
        keras.Variable(1.0, name=3)


def graphs():
    nodes, edges = np.arange(12, dtype="float32").reshape(6, 2), np.array([[0, 1, 2, 3], [1, 2, 3, 4]])
    while True:
        yield (nodes, edges), np.ones((6, 1), "float32")


def test_batches_of_nodes_and_edges(keras):
    class Convolution(keras.layers.Layer):
        def build(self, nodes_shape, edges_shape=None):
            self.kernel = self.add_weight(shape=(2, 1), initializer="ones")

        def call(self, nodes, edges=None):
            source, target = edges[0], edges[1]
            found = keras.ops.segment_sum(keras.ops.take(nodes, source, axis=0), target, num_segments=6)
            return keras.ops.matmul(found + nodes, self.kernel)

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.convolution = Convolution()

        def call(self, inputs):
            loops = keras.ops.tile(keras.ops.arange(6), (2, 1))
            edges = keras.ops.concatenate([keras.ops.cast(inputs[1], "int32"), keras.ops.cast(loops, "int32")], axis=1)
            return self.convolution(inputs[0], edges=edges)

    model = Model()
    model.compile("sgd", "mse")
    x, y = next(graphs())
    assert np.isfinite(model.train_on_batch(x, y))
    before = model.test_on_batch(x, y)
    assert np.isclose(model.fit(graphs(), steps_per_epoch=1, shuffle=False, verbose=0).history["loss"][0], before)


def test_merging_layers_of_packages():
    from lamina.compat.inside import Inner

    base = Inner("keras.src.layers.merging.base_merge", "layers.merging.base_merge").Merge

    class Twice(base):
        def _merge_function(self, inputs):
            return 2 * (inputs[0] + inputs[1])

    assert issubclass(lamina.layers.Add, base)
    assert Twice()([np.ones((2, 3)), np.ones((2, 3))]).tolist() == [[4.0] * 3] * 2
    assert Twice()([lamina.Input((3,)), lamina.Input((3,))]).shape == (None, 3)


def test_config_of_a_subclass_that_fixes_arguments_of_its_base(keras):
    class Passing(keras.layers.Layer):
        def __init__(self, how="sum", **kwargs):
            super().__init__(**kwargs)
            self.how = how

    class Mean(Passing):
        def __init__(self, units, **kwargs):
            super().__init__(how="mean", **kwargs)
            self.units = units

    config = Mean(3).get_config()
    assert config["units"] == 3 and "how" not in config
    assert Mean.from_config(config).how == "mean"


def test_preprocessing_layers_of_packages_compute_with_their_backend(keras):
    class Halved(keras.layers.RandomFlip):
        def call(self, inputs, training=True):
            return self.backend.cast(inputs, "float32") * self.backend.numpy.full((1,), 0.5)

    assert np.allclose(Halved()(X[..., None]), X[..., None] / 2)


def test_windows_of_lengths_that_are_arrays(keras):
    assert np.allclose(keras.ops.bartlett(keras.ops.convert_to_tensor(3)), [0, 1, 0])


def test_classes_of_imported_packages_are_found_by_their_module(monkeypatch):
    class Known(lamina.layers.Layer):
        __module__ = "keras_hub.src.known"

        def call(self, inputs):
            return inputs

    config = {
        "module": "keras_hub.src.known",
        "class_name": "Known",
        "config": {"name": "k"},
        "registered_name": "Known",
    }
    with pytest.raises(ValueError, match="Unknown name 'Known'"):
        lamina.saving.deserialize_keras_object(config)
    package = types.ModuleType("keras_hub.src.known")
    package.Known, package.system = Known, type("Outside", (), {"from_config": print, "__module__": "os"})
    monkeypatch.setitem(sys.modules, "keras_hub.src.known", package)
    assert type(lamina.saving.deserialize_keras_object(config)) is Known
    for name, module in (("system", "keras_hub.src.known"), ("Known", "another.module")):
        with pytest.raises(ValueError, match="Unknown name"):
            lamina.saving.deserialize_keras_object({**config, "class_name": name, "module": module})


def test_shapes_of_the_base_class():
    """keras-embed-sim's layer, of tf.keras: a list of outputs, whose shapes and masks it gets from its base class."""
    keras = lamina

    class EmbeddingWithTable(keras.layers.Embedding):
        def compute_output_shape(self, input_shape):
            return [super().compute_output_shape(input_shape), (self.input_dim, self.output_dim)]

        def compute_mask(self, inputs, mask=None):
            return [super().compute_mask(inputs, mask), None]

        def call(self, inputs):
            return [super().call(inputs), self.embeddings + 0.0]

    inputs = keras.Input((None,))
    rows, table = EmbeddingWithTable(5, 3, mask_zero=True, embeddings_initializer="ones")(inputs)
    assert (tuple(rows.shape), tuple(table.shape)) == ((None, None, 3), (5, 3))
    values = keras.Model(inputs, [rows, table])(np.array([[1, 0]]))
    assert [np.asarray(one).tolist() for one in values] == [np.ones((1, 2, 3)).tolist(), np.ones((5, 3)).tolist()]
