"""Predictions without XLA: the same numbers, for the weights as they are now, and only where they are little work."""

import concurrent.futures
import itertools

import numpy as np
import pytest

import lamina as keras
from lamina import layers, ops
from lamina.kernels.native import cpu_kernels
from lamina.training.predict_without_xla import MAX_SHAPES

NATIVE = cpu_kernels()
pytestmark = pytest.mark.skipif(
    NATIVE is None or not NATIVE.has_small_programs(), reason="small programs are those of lamina-native, with AVX-512"
)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def model_of(shape, *parts):
    """A Sequential of layers, or of functions; biases and statistics are not zeros."""
    parts = [part if isinstance(part, layers.Layer) else layers.Lambda(part) for part in parts]
    model = keras.Sequential([keras.Input(shape), *parts])
    model.set_weights([value + np.float32(0.1) for value in model.get_weights()])
    return model


def translated_of(model):
    """The programs without XLA that it has predicted with."""
    return [one for one in model._runner.without_xla.programs.values() if one is not None]


def assert_without_xla(model, x, tolerance=2e-5):
    """`predict` runs without XLA and returns what a call of the model returns."""
    found, wanted = model.predict(x, verbose=0), np.asarray(model(x))
    assert translated_of(model)
    assert found.shape == wanted.shape and found.dtype == wanted.dtype == "float32"
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


ACTIVATIONS = (
    *("relu", "sigmoid", "tanh", "softmax", "softplus", "softsign", "elu", "selu", "gelu", "silu", "exponential"),
    *("leaky_relu", "relu6", "hard_sigmoid", "log_softmax", "mish"),
)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(activation):
    assert_without_xla(model_of((7,), layers.Dense(20, activation=activation), layers.Dense(3)), 3 * numbers(4, 7))


FUNCTIONS = {
    "arithmetic": lambda x: (x * 2 - 1) / (ops.abs(x) + 1) + x**3 - ops.square(x),
    "roots": lambda x: ops.sqrt(ops.abs(x)) + ops.rsqrt(ops.square(x) + 1) + ops.log(ops.abs(x) + 1),
    "comparisons": lambda x: ops.where(ops.logical_and(x > 0, ops.logical_not(x >= 1)), x, -x),
    "numbers of booleans": lambda x: ops.cast(ops.logical_or(x < -1, x == ops.max(x)), "float32"),
    "means": lambda x: x - ops.mean(x, axis=1, keepdims=True) / ops.std(x, axis=(2, 3), keepdims=True),
    "extremes": lambda x: ops.concatenate([ops.max(x, axis=2), ops.min(x, axis=2)], axis=-1),
    "axes": lambda x: ops.transpose(x, (0, 3, 1, 2))[:, ::2, 1:, None, :],
    "padding": lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 0), (3, 0)), constant_values=2.0),
    "parts": lambda x: ops.concatenate(ops.split(x, 2, axis=1)[::-1], axis=1),
    "repeated": lambda x: ops.broadcast_to(ops.mean(x, axis=1, keepdims=True), ops.shape(x)),
    "backwards": lambda x: ops.flip(x, axis=(1, 3)) * ops.clip(x, -0.5, 1),
    "a product": lambda x: ops.matmul(x, ops.reshape(ops.arange(15, dtype="float32"), (5, 3))),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("samples", [1, 3])
def test_functions(name, samples):
    assert_without_xla(model_of((4, 6, 5), FUNCTIONS[name]), numbers(samples, 4, 6, 5))


LAYERS = {
    "BatchNormalization": ((4, 6), layers.BatchNormalization),
    "LayerNormalization": ((4, 6), layers.LayerNormalization),
    "Normalization": ((6,), lambda: layers.Normalization(mean=2.0, variance=3.0)),
    "Rescaling": ((6,), lambda: layers.Rescaling(0.5, 1.0)),
    "PReLU": ((6,), layers.PReLU),
    "Dropout": ((6,), lambda: layers.Dropout(0.5)),
    "Flatten": ((4, 6), layers.Flatten),
    "Permute": ((4, 6), lambda: layers.Permute((2, 1))),
    "GlobalAveragePooling1D": ((4, 6), layers.GlobalAveragePooling1D),
    "GlobalMaxPooling2D": ((4, 6, 3), layers.GlobalMaxPooling2D),
    "ZeroPadding2D": ((4, 6, 3), lambda: layers.ZeroPadding2D(((1, 0), (2, 1)))),
    "Cropping1D": ((7, 3), lambda: layers.Cropping1D((1, 2))),
    "UpSampling1D": ((4, 3), lambda: layers.UpSampling1D(2)),
    "MaxPooling2D": ((9, 8, 3), lambda: layers.MaxPooling2D(2)),
    "MaxPooling2D, same": ((9, 8, 3), lambda: layers.MaxPooling2D(3, 2, "same")),
    "Dense of many axes": ((2, 3, 8), lambda: layers.Dense(5)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    shape, layer = LAYERS[name]
    for samples in (1, 5):
        assert_without_xla(model_of(shape, layer()), numbers(samples, *shape))


CONVOLUTIONS = [
    # spatial shape, channels, filters, window, strides, padding, dilation
    ((20,), 3, 16, 5, 2, "same", 1),
    ((20,), 16, 32, 3, 1, "causal", 2),
    ((40,), 16, 1, 7, 1, "same", 1),
    ((14, 15), 1, 32, 3, 1, "valid", 1),
    ((14, 15), 16, 16, 3, 1, "same", 1),
    ((14, 15), 16, 16, (3, 2), (1, 2), "same", 1),
    ((14, 15), 16, 16, 3, 1, "same", (2, 1)),
    ((14, 15), 16, 20, 3, 2, "valid", 1),
    ((14, 15), 8, 3, 5, 1, "same", 1),
    ((6, 5), 24, 32, 1, 1, "valid", 1),
]


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_convolutions(case, transposed):
    space, channels, filters, window, strides, padding, dilation = case
    if transposed:
        padding = "same" if padding == "causal" else padding
        strides = (strides if isinstance(strides, int) else 1) if dilation == 1 else 1  # Keras: not both
    kind = f"Conv{len(space)}D{'Transpose' if transposed else ''}"
    layer = getattr(layers, kind)
    for samples in (1, 2):
        model = model_of((*space, channels), layer(filters, window, strides, padding, dilation_rate=dilation))
        assert_without_xla(model, numbers(samples, *space, channels))


def test_windows_that_leave_gaps_between_them():
    """Outputs of the transposed convolution that no place of the kernel reaches."""
    model = model_of((4, 5, 3), layers.Conv2DTranspose(6, 2, strides=3, use_bias=False))
    assert_without_xla(model, numbers(2, 4, 5, 3))


@pytest.fixture
def classifier():
    model = model_of((8,), layers.Dense(16, "relu"), layers.BatchNormalization(), layers.Dense(3, "softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def test_weights_as_they_are_now(classifier):
    x, y = numbers(16, 8), np.arange(16) % 3
    assert_without_xla(classifier, x)
    classifier.set_weights([value * np.float32(1.5) for value in classifier.get_weights()])
    assert_without_xla(classifier, x)
    classifier.layers[0].kernel.assign(np.zeros((8, 16)))
    assert_without_xla(classifier, x)
    classifier.fit(x, y, epochs=2, verbose=0)
    assert_without_xla(classifier, x)
    for _ in range(2):
        classifier.train_on_batch(x, y)  # keeps the values on loan from step to step: XLA predicts
        found = classifier.predict(x, verbose=0)
        np.testing.assert_array_equal(found, classifier.predict(x, verbose=0))
        np.testing.assert_allclose(found, np.asarray(classifier(x)), rtol=2e-5, atol=1e-6)
    kinds = [one.kind for one in classifier.compilations()]
    assert kinds.count("predict") == 2  # without XLA, then with it
    classifier.layers[0].trainable = False
    assert_without_xla(classifier, x)
    assert len(translated_of(classifier)) == 1


def test_inside_of_fit(classifier):
    x, seen = numbers(16, 8), []
    look = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(classifier.predict(x, verbose=0))
    )
    classifier.fit(x, np.arange(16) % 3, batch_size=8, epochs=2, verbose=0, callbacks=[look])
    assert len(seen) == 4 and not any(np.array_equal(a, b) for a, b in itertools.pairwise(seen))
    np.testing.assert_array_equal(seen[-1], classifier.predict(x, verbose=0))  # by XLA, then and now
    assert not translated_of(classifier)
    assert [one.kind for one in classifier.compilations()] == ["train", "predict"]


def test_every_way_to_predict_gives_the_same(classifier):
    x = numbers(32, 8)
    wanted = classifier.predict(x, verbose=0)
    np.testing.assert_array_equal(classifier.predict_on_batch(x), wanted)
    np.testing.assert_array_equal(classifier.predict(x, verbose=2), wanted)
    np.testing.assert_array_equal(classifier.predict(x.tolist(), verbose=0), wanted)
    np.testing.assert_array_equal(classifier.predict(np.asfortranarray(x), verbose=0), wanted)
    given = [(x[:16], np.ones((16, 1))), (x[16:], np.ones((16, 1)))]
    np.testing.assert_allclose(classifier.predict(iter(given), steps=2, verbose=0), wanted, rtol=2e-5)
    assert len(translated_of(classifier)) == 2  # for 32 and for 16
    wanted[:] = 0  # the caller's own
    assert classifier.predict(x, verbose=0).any()


def test_a_step_of_ones_own_that_reads_targets():
    class Doubled(keras.Sequential):
        def predict_step(self, data):
            x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
            return self(x, training=False) + (0 if y is None else y)

    model = Doubled([keras.Input((4,)), layers.Dense(1)])
    x, y = numbers(3, 4), np.full((3, 1), 7, "float32")
    wanted = model.predict(x, verbose=0)
    assert translated_of(model)
    np.testing.assert_allclose(model.predict(iter([(x, y)]), steps=1, verbose=0), wanted + 7, rtol=2e-5)


def test_compilations_name_it(classifier):
    for _ in range(2):
        classifier.predict(numbers(2, 8), verbose=0)
    (one,) = classifier.compilations()
    assert (one.kind, one.batch, one.from_disk) == ("predict", "float32(2, 8)", False)
    assert one.tracing > 0 and one.compiling > 0


def test_few_shapes_are_kept(classifier):
    for size in range(1, MAX_SHAPES + 4):
        assert_without_xla(classifier, numbers(size, 8))
    assert len(translated_of(classifier)) == MAX_SHAPES


def test_many_threads_at_once(classifier):
    inputs = [numbers(1, 8, seed=seed) for seed in range(100)]
    wanted = [classifier.predict(x, verbose=0) for x in inputs]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for found, one in zip(pool.map(lambda x: classifier.predict(x, verbose=0), inputs), wanted, strict=True):
            np.testing.assert_array_equal(found, one)


def test_what_goes_through_xla():
    """Much work, whole numbers, several outputs, half precision, recurrent layers, eager mode, native switched off."""
    x = numbers(2, 8)
    cases = {
        "many numbers": model_of((8,), layers.Dense(1100), layers.Dense(1100)),
        "much work": model_of((64, 64, 8), layers.Conv2D(64, 5)),
        "whole numbers": keras.Sequential([layers.Embedding(5, 3)]),
        "half": keras.Sequential([keras.Input((8,)), layers.Dense(3, dtype="bfloat16")]),
        "recurrent": model_of((8, 1), layers.GRU(4)),
    }
    inputs = {"whole numbers": np.ones((2, 3), "int32"), "much work": numbers(1, 64, 64, 8), "recurrent": x[..., None]}
    given = keras.Input((8,))
    cases["outputs"] = keras.Model(given, [layers.Dense(2)(given), layers.Dense(3)(given)])
    cases["eager"] = model_of((8,), layers.Dense(2))
    cases["eager"].compile(run_eagerly=True)
    for name, model in cases.items():
        batch = inputs.get(name, x)
        found, wanted = model.predict(batch, verbose=0), model(batch)
        keras.tree.map_structure(
            lambda a, b: np.testing.assert_allclose(a, np.asarray(b, a.dtype), rtol=1e-4, atol=1e-4), found, wanted
        )
        assert not translated_of(model), name
    keras.config.set_native(False)
    try:
        model = model_of((8,), layers.Dense(2))
        model.predict(x, verbose=0)
        assert not translated_of(model)
    finally:
        keras.config.set_native(True)


def test_an_error_of_a_layer_is_its_own():
    class Broken(layers.Layer):
        def call(self, x):
            if x.shape[0] == 3:
                raise RuntimeError("of the layer")
            return x

    model = keras.Sequential([keras.Input((8,)), Broken()])
    for _ in range(2):
        with pytest.raises(RuntimeError, match="of the layer"):
            model.predict(numbers(3, 8), verbose=0)
    assert_without_xla(model, numbers(4, 8))
    assert [one.batch for one in model.compilations()] == ["float32(4, 8)"]
