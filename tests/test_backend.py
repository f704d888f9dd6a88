"""K against NumPy, keras.ops and the signatures of Keras's own legacy backend."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import inspect

import keras
import keras.src.legacy.backend as theirs
import numpy as np
import pytest

import lamina
from lamina import backend as K
from lamina.errors import CallError, ConfigError
from lamina.legacy import OldSpelling

SOURCE = np.random.default_rng(0)
X = SOURCE.normal(size=(3, 4)).astype("float32")
Y = SOURCE.normal(size=(3, 4)).astype("float32")
IMAGE = SOURCE.normal(size=(2, 5, 6, 3)).astype("float32")
P = np.abs(X) / np.abs(X).sum(-1, keepdims=True)
TARGETS = np.eye(4, dtype="float32")[[0, 2, 3]]

SPARSE_OR_GRAPHS = {"ctc_label_dense_to_sparse", "is_sparse", "to_dense"}
REDUCED = {"binary_focal_crossentropy", "categorical_focal_crossentropy"}


def softmax(x):
    values = np.exp(x - x.max(-1, keepdims=True))
    return values / values.sum(-1, keepdims=True)


CASES = [
    ("abs", (X,), np.abs(X)),
    ("sin", (X,), np.sin(X)),
    ("cos", (X,), np.cos(X)),
    ("exp", (X,), np.exp(X)),
    ("log", (P,), np.log(P)),
    ("sqrt", (P,), np.sqrt(P)),
    ("square", (X,), X**2),
    ("sign", (X,), np.sign(X)),
    ("round", (3 * X,), np.round(3 * X)),
    ("pow", (P, 3), P**3),
    ("clip", (X, -0.5, 0.5), np.clip(X, -0.5, 0.5)),
    ("clip", (X, None, 0.5), np.minimum(X, 0.5)),
    ("tanh", (X,), np.tanh(X)),
    ("sigmoid", (X,), 1 / (1 + np.exp(-X))),
    ("hard_sigmoid", (4 * X,), np.clip(0.8 * X + 0.5, 0, 1)),
    ("softmax", (X,), softmax(X)),
    ("softplus", (X,), np.log1p(np.exp(X))),
    ("softsign", (X,), X / (1 + np.abs(X))),
    ("elu", (X, 0.5), np.where(X > 0, X, 0.5 * np.expm1(X))),
    ("relu", (X,), np.maximum(X, 0)),
    ("relu", (X, 0.1), np.where(X > 0, X, 0.1 * X)),
    ("relu", (X, 0.0, 0.5), np.clip(X, 0, 0.5)),
    ("relu", (X, 0.1, 0.8, 0.3), np.where(X >= 0.8, 0.8, np.where(X >= 0.3, X, 0.1 * (X - 0.3)))),
    ("sum", (X, 1), X.sum(1)),
    ("mean", (X, 0, True), X.mean(0, keepdims=True)),
    ("max", (X, -1), X.max(-1)),
    ("min", (X,), X.min()),
    ("prod", (X, 1), X.prod(1)),
    ("std", (X, 1), X.std(1)),
    ("var", (X, 1), X.var(1)),
    ("any", (X > 0, 1), (X > 0).any(1)),
    ("all", (X > 0, 1), (X > 0).all(1)),
    ("logsumexp", (X, 1), np.log(np.exp(X).sum(1))),
    ("argmax", (X,), X.argmax(-1)),
    ("argmin", (X, 0), X.argmin(0)),
    ("cumsum", (X,), X.cumsum(0)),
    ("cumprod", (X, 1), X.cumprod(1)),
    ("l2_normalize", (X, 1), X / np.sqrt((X**2).sum(1, keepdims=True))),
    ("maximum", (X, Y), np.maximum(X, Y)),
    ("minimum", (X, Y), np.minimum(X, Y)),
    ("equal", (X, X), np.ones((3, 4), bool)),
    ("not_equal", (X, Y), X != Y),
    ("greater", (X, Y), X > Y),
    ("greater_equal", (X, Y), X >= Y),
    ("less", (X, Y), X < Y),
    ("less_equal", (X, Y), X <= Y),
    ("dot", (X, Y.T), X @ Y.T),
    ("batch_dot", (X, Y, 1), (X * Y).sum(1, keepdims=True)),
    ("batch_dot", (IMAGE[0], IMAGE[0], (1, 1)), np.einsum("abc,abd->acd", IMAGE[0], IMAGE[0])),
    ("batch_dot", (IMAGE[0], np.swapaxes(IMAGE[0], 1, 2)), IMAGE[0] @ np.swapaxes(IMAGE[0], 1, 2)),
    ("batch_dot", (IMAGE[0], X[:, :3][:1].repeat(5, 0)), np.einsum("abc,ac->ab", IMAGE[0], X[:, :3][:1].repeat(5, 0))),
    ("transpose", (IMAGE,), IMAGE.T),
    ("permute_dimensions", (IMAGE, (0, 3, 1, 2)), IMAGE.transpose(0, 3, 1, 2)),
    ("reshape", (X, (2, 6)), X.reshape(2, 6)),
    ("expand_dims", (X,), X[..., None]),
    ("squeeze", (X[:, None], 1), X),
    ("flatten", (IMAGE,), IMAGE.reshape(-1)),
    ("batch_flatten", (IMAGE,), IMAGE.reshape(2, -1)),
    ("concatenate", ([X, Y],), np.concatenate([X, Y], -1)),
    ("stack", ([X, Y],), np.stack([X, Y])),
    ("repeat", (X, 2), np.repeat(X[:, None], 2, 1)),
    ("repeat_elements", (X, 2, 1), np.repeat(X, 2, 1)),
    ("tile", (X, (2, 1)), np.tile(X, (2, 1))),
    ("reverse", (X, 1), X[:, ::-1]),
    ("gather", (X, np.array([2, 0])), X[[2, 0]]),
    ("one_hot", (np.array([1, 0]), 3), np.eye(3, dtype="float32")[[1, 0]]),
    ("arange", (4,), np.arange(4, dtype="int32")),
    ("arange", (1, 7, 2), np.arange(1, 7, 2, dtype="int32")),
    ("cast", (X, "int32"), X.astype("int32")),
    ("ones_like", (X,), np.ones_like(X)),
    ("zeros_like", (X,), np.zeros_like(X)),
    ("switch", (X > 0, X, Y), np.where(X > 0, X, Y)),
    ("switch", (X[:, 0] > 0, lambda: X, lambda: Y), np.where(X[:, :1] > 0, X, Y)),
    ("switch", (np.array(True), X, Y), X),
    ("in_top_k", (X, X.argmax(-1), 1), np.ones(3, bool)),
    ("map_fn", (lambda row: row * 2, X), 2 * X),
    ("foldl", (lambda total, row: total - row, X), X[0] - X[1] - X[2]),
    ("foldr", (lambda total, row: total - row, X, X[0]), X[0] - X[2] - X[1] - X[0]),
    ("bias_add", (IMAGE, Y[0, :3]), IMAGE + Y[0, :3]),
    (
        "bias_add",
        (IMAGE, np.arange(5.0, dtype="float32"), "channels_first"),
        IMAGE + np.arange(5, dtype="float32")[:, None, None],
    ),
    ("temporal_padding", (IMAGE[0], (1, 2)), np.pad(IMAGE[0], [(0, 0), (1, 2), (0, 0)])),
    ("spatial_2d_padding", (IMAGE, ((1, 0), (2, 1))), np.pad(IMAGE, [(0, 0), (1, 0), (2, 1), (0, 0)])),
    ("spatial_3d_padding", (IMAGE[..., None],), np.pad(IMAGE[..., None], [(0, 0), (1, 1), (1, 1), (1, 1), (0, 0)])),
    ("resize_images", (IMAGE, 2, 3, "channels_last"), IMAGE.repeat(2, 1).repeat(3, 2)),
    ("resize_volumes", (IMAGE[..., None], 2, 1, 2, "channels_last"), IMAGE.repeat(2, 1).repeat(2, 3)[..., None]),
    (
        "batch_normalization",
        (X, X.mean(0), X.var(0), Y[0], Y[1]),
        (X - X.mean(0)) / np.sqrt(X.var(0) + 1e-3) * Y[1] + Y[0],
    ),
    ("binary_crossentropy", (TARGETS, P), -np.where(TARGETS > 0, np.log(P), np.log(1 - P))),
    ("categorical_crossentropy", (TARGETS, P), -(TARGETS * np.log(P)).sum(-1)),
    ("categorical_crossentropy", (TARGETS, X, True), -(TARGETS * np.log(softmax(X))).sum(-1)),
    ("sparse_categorical_crossentropy", (np.array([0, 2, 3]), P), -(TARGETS * np.log(P)).sum(-1)),
    (
        "sparse_categorical_crossentropy",
        (np.array([0, -1, 3]), P, False, -1, -1),
        -(TARGETS * np.log(P)).sum(-1) * np.array([1, 0, 1], "float32"),
    ),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), CASES)
def test_formula(name, arguments, expected):
    result = getattr(K, name)(*arguments)
    assert tuple(result.shape) == expected.shape and str(result.dtype) in (str(expected.dtype), "int32")
    np.testing.assert_allclose(result, expected, 1e-5, 1e-6)


KERNEL = SOURCE.normal(size=(3, 3, 3, 2)).astype("float32")
VOLUME = SOURCE.normal(size=(1, 4, 4, 4, 2)).astype("float32")
SERIES = IMAGE[:, :, 0]


@pytest.mark.parametrize(
    ("name", "arguments", "wanted"),
    [
        ("conv1d", (SERIES, KERNEL[0], 2, "same"), lambda: keras.ops.conv(SERIES, KERNEL[0], 2, "same")),
        ("conv1d", (SERIES, KERNEL[0], 1, "causal", None, 2),
         lambda: keras.layers.Conv1D(2, 3, padding="causal", dilation_rate=2, use_bias=False)),
        ("conv2d", (IMAGE, KERNEL, (1, 2), "same"), lambda: keras.ops.conv(IMAGE, KERNEL, (1, 2), "same")),
        ("conv3d", (VOLUME, np.ones((2, 2, 2, 2, 3), "float32")),
         lambda: keras.ops.conv(VOLUME, np.ones((2, 2, 2, 2, 3), "float32"))),
        ("conv2d_transpose", (IMAGE, KERNEL.transpose(0, 1, 3, 2), (2, 11, 13, 2), (2, 2)),
         lambda: keras.ops.conv_transpose(IMAGE, KERNEL.transpose(0, 1, 3, 2), (2, 2))),
        ("depthwise_conv2d", (IMAGE, KERNEL), lambda: keras.ops.depthwise_conv(IMAGE, KERNEL)),
        ("separable_conv2d", (IMAGE, KERNEL, np.ones((1, 1, 6, 2), "float32")),
         lambda: keras.ops.separable_conv(IMAGE, KERNEL, np.ones((1, 1, 6, 2), "float32"))),
        ("pool2d", (IMAGE, (2, 2), (2, 2)), lambda: keras.ops.max_pool(IMAGE, (2, 2), (2, 2))),
        ("pool2d", (IMAGE, (2, 2), (1, 1), "same", None, "avg"),
         lambda: keras.ops.average_pool(IMAGE, (2, 2), (1, 1), "same")),
        ("pool3d", (VOLUME, (2, 2, 2)), lambda: keras.ops.max_pool(VOLUME, (2, 2, 2), (1, 1, 1))),
    ],
)  # fmt: skip
def test_like_keras(name, arguments, wanted):
    expected = wanted()
    if isinstance(expected, keras.Layer):
        expected.build(SERIES.shape)
        expected.set_weights([KERNEL[0]])
        expected = expected(SERIES)
    np.testing.assert_allclose(getattr(K, name)(*arguments), expected, 1e-5, 1e-5)


def test_pool_mode_and_output_shape_are_checked():
    with pytest.raises(ConfigError, match="median"):
        K.pool2d(IMAGE, (2, 2), pool_mode="median")
    with pytest.raises(CallError, match="output_shape"):
        K.conv2d_transpose(IMAGE, KERNEL.transpose(0, 1, 3, 2), (2, 10, 12, 2), (2, 2))
    with pytest.raises(CallError, match="batch"):
        K.batch_dot(X, Y, (0, 1))


def legacy_functions():
    found = inspect.getmembers(theirs, inspect.isfunction)
    return [name for name, function in found if function.__module__ == theirs.__name__ and not name.startswith("_")]


@pytest.mark.parametrize("name", sorted(set(legacy_functions()) - SPARSE_OR_GRAPHS - REDUCED))
def test_arguments_are_those_of_the_legacy_backend(name):
    """All of its parameters in its order with its defaults; where an op serves, they may be called otherwise."""
    expected = list(inspect.signature(getattr(theirs, name)).parameters.values())
    function = getattr(K, name)
    mine = list(inspect.signature(function).parameters.values())[: len(expected)]
    for got, wanted in zip(mine, expected, strict=True):
        assert got.default == wanted.default or got.default == 1 or wanted.default is inspect.Parameter.empty
        assert got.name == wanted.name or not function.__module__.startswith(K.__name__)


def test_names_of_keras_backend():
    functions = inspect.getmembers(keras.backend, inspect.isfunction)
    assert {name for name, _ in functions} <= set(K.__all__)
    assert K.backend() == "jax" and K.standardize_dtype(np.float32) == "float32"
    for values in (("int32", "float16"), ("int8", "uint8"), (), (int, "float32")):
        assert K.result_type(*values) == keras.backend.result_type(*values)
    for dtype in ("bool", "int8", "bfloat16", "uint16", "float64"):
        assert K.is_int_dtype(dtype) == keras.backend.is_int_dtype(dtype)
        assert K.is_float_dtype(dtype) == keras.backend.is_float_dtype(dtype)
    assert K.is_keras_tensor(lamina.Input((2,))) and not K.is_keras_tensor(X)


def test_everything_is_exported():
    own = {
        name for name, value in vars(K).items() if inspect.isfunction(value) and value.__module__.startswith(K.__name__)
    }
    assert {name for name in own if not name.startswith("_")} <= set(K.__all__)
    assert all(callable(getattr(K, name)) for name in K.__all__)


def test_settings():
    assert (K.epsilon(), K.floatx(), K.image_data_format()) == (1e-7, "float32", "channels_last")
    K.set_epsilon(1e-5)
    K.set_image_data_format("channels_first")
    with pytest.warns(OldSpelling, match="image_data_format"):
        assert K.epsilon() == 1e-5 and K.image_dim_ordering() == "th"
    with pytest.warns(OldSpelling, match="set_image_data_format"):
        K.set_image_dim_ordering("tf")
    K.set_epsilon(1e-7)
    assert K.image_data_format() == "channels_last"


def test_clear_session():
    lamina.config.set_dtype_policy("mixed_bfloat16")
    K.clear_session()
    assert lamina.config.dtype_policy().name == "float32"
    assert lamina.layers.Dense(1).name == "dense" and lamina.layers.Dense(1).name == "dense_1"
    assert [K.get_uid("prefix"), K.get_uid("prefix")] == [1, 2]
    lamina.utils.clear_session()
    assert lamina.layers.Dense(1).name == "dense" and K.get_uid("prefix") == 1


def test_variables_and_values():
    v = K.variable(X, name="v")
    assert v.name == "v" and v.dtype == "float32" and K.int_shape(v) == (3, 4) and K.count_params(v) == 12
    assert K.ndim(v) == 2 and K.dtype(v) == "float32" and tuple(K.shape(v)) == (3, 4)
    K.set_value(v, Y)
    np.testing.assert_array_equal(K.get_value(v), Y)
    assert isinstance(K.eval(K.square(v)), np.ndarray)
    K.batch_set_value([(v, X)])
    K.update_add(v, X)
    K.update_sub(v, 3 * X)
    np.testing.assert_allclose(K.batch_get_value([v])[0], -X, 1e-6)
    K.update(v, Y)
    K.moving_average_update(v, X, 0.9)
    np.testing.assert_allclose(v, 0.9 * Y + 0.1 * X, 1e-5)
    for made, expected in (
        (K.zeros((2, 3)), np.zeros((2, 3))), (K.ones((2,), "int32"), np.ones(2)), (K.eye(2), np.eye(2)),
        (K.constant([1, 2]), np.array([1.0, 2.0])), (K.constant(3.0, shape=(2,)), np.full(2, 3.0)),
    ):  # fmt: skip
        np.testing.assert_array_equal(made, expected)
    assert K.ones((2,), "int32").dtype == "int32" and K.constant([1]).dtype == "float32"
    assert K.cast_to_floatx([1, 2]).dtype == np.float32 and K.cast_to_floatx(K.arange(2)).dtype == "float32"


def test_draws():
    normal, uniform = K.random_normal((2000,), 1.0, 2.0, seed=1), K.random_uniform((2000,), -1, 1, seed=1)
    assert abs(normal.mean() - 1) < 0.2 and abs(normal.std() - 2) < 0.2 and abs(uniform).max() <= 1
    assert abs(K.truncated_normal((2000,), seed=1)).max() <= 2
    bits = K.random_bernoulli((2000,), 0.25, seed=1)
    assert set(np.unique(bits)) == {0, 1} and abs(bits.mean() - 0.25) < 0.05
    assert K.random_normal_variable((2, 3), 0, 1, seed=1).shape == (2, 3)
    assert float(K.random_uniform_variable((9,), 2, 3, seed=1).numpy().min()) >= 2
    dropped = K.dropout(np.ones((2000,), "float32"), 0.5, seed=1)
    assert set(np.unique(dropped)) == {0, 2}


def test_ctc():
    probabilities = softmax(SOURCE.normal(size=(2, 6, 4)).astype("float32"))
    labels, lengths, times = np.array([[0, 1], [2, 0]]), np.array([[2], [1]]), np.array([[6], [5]])
    expected = keras.ops.ctc_loss(labels, np.log(probabilities), lengths[:, 0], times[:, 0], mask_index=3)
    losses = K.ctc_batch_cost(labels, probabilities, times, lengths)
    np.testing.assert_allclose(losses, np.asarray(expected)[:, None], 1e-4)
    (path,), scores = K.ctc_decode(probabilities, times[:, 0])
    decoded, wanted = keras.ops.ctc_decode(np.log(probabilities), times[:, 0], mask_index=3)
    np.testing.assert_array_equal(path, decoded[0])
    np.testing.assert_allclose(scores, wanted, 1e-4)
    assert len(K.ctc_decode(probabilities, times[:, 0], greedy=False, beam_width=5, top_paths=2)[0]) == 2


def test_rnn():
    """A running sum, with a mask and constants; both orders of the axes."""
    x, mask = SERIES, np.array([[1, 1, 0, 1, 1], [1, 0, 0, 1, 1]], bool)

    def step(now, states):
        total, factor = states
        return total + factor * now, [total + factor * now]

    last, outputs, states = K.rnn(step, x, [np.zeros((2, 3), "float32")], mask=mask, constants=[2.0])
    expected = np.cumsum(2 * x * mask[..., None], axis=1)
    np.testing.assert_allclose(outputs, expected, 1e-5)
    np.testing.assert_allclose(last, expected[:, -1], 1e-5)
    np.testing.assert_allclose(states[0], expected[:, -1], 1e-5)
    swapped = K.rnn(step, x.swapaxes(0, 1), [np.zeros((2, 3), "float32")], constants=[1.0], time_major=True)
    np.testing.assert_allclose(swapped[1], np.cumsum(x, axis=1).swapaxes(0, 1), 1e-5)


def test_in_a_graph():
    x = K.placeholder(shape=(None, 4))
    assert K.int_shape(x) == (None, 4) and K.placeholder(ndim=2).shape == (None, None)
    with pytest.raises(ConfigError, match="shape"):
        K.placeholder()
    y = K.concatenate([K.l2_normalize(K.relu(x, alpha=0.1), axis=-1), K.hard_sigmoid(x)])
    run = K.function([x, K.learning_phase()], [y, K.batch_flatten(y)])
    outputs = run([X, 0])
    expected = np.concatenate([K.l2_normalize(K.relu(X, alpha=0.1), axis=-1), K.hard_sigmoid(X)], -1)
    assert all(isinstance(output, np.ndarray) for output in outputs)
    np.testing.assert_allclose(outputs[0], expected, 1e-5)


def test_the_learning_phase():
    x = lamina.Input((4,))
    model = lamina.Model(x, lamina.layers.Dropout(0.5, seed=0)(x))
    run = K.function([model.input, K.learning_phase()], [model.layers[-1].output])
    np.testing.assert_array_equal(run([X, 0])[0], X)
    assert np.any(run([X, 1])[0] == 0)
    K.set_learning_phase(0)
    with pytest.raises(ConfigError, match="training=True"):
        K.set_learning_phase(1)

    class Noisy(lamina.layers.Layer):
        def call(self, inputs, training=None):
            return K.in_train_phase(lambda: inputs + 1, inputs)

    np.testing.assert_allclose(Noisy()(X, training=True), X + 1, 1e-6)
    np.testing.assert_allclose(Noisy()(X), X)
    assert K.in_test_phase(1, 2, training=True) == 2 and K.in_test_phase(1, 2, training=False) == 1


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid", "softmax", "elu", "softplus", "hard_sigmoid"])
def test_as_an_activation(name):
    """As an argument, as a layer, and in a config."""
    function = getattr(K, name)
    layer = lamina.layers.Activation(function)
    np.testing.assert_allclose(layer(X), function(X), 1e-6)
    assert lamina.layers.Dense(2, activation=function)(lamina.Input((4,))).shape == (None, 2)
    if name != "hard_sigmoid":  # today's function of that name has another slope
        np.testing.assert_allclose(lamina.layers.Activation.from_config(layer.get_config())(X), function(X), 1e-6)


def test_names_of_arguments_of_keras_2():
    assert K.permute_dimensions(X, pattern=(1, 0)).shape == (4, 3)
    assert K.pow(x=P, a=2).tolist() == (P**2).tolist()
    assert K.maximum(x=X, y=0).min() == 0 and K.dot(x=X, y=Y.T).shape == (3, 3)
    assert K.one_hot(indices=np.array([1]), num_classes=2).tolist() == [[0, 1]]
    assert K.random_normal((3,), mean=1.0, std=0.0).tolist() == [1, 1, 1]
    assert K.random_uniform((3,), low=2, high=3).min() >= 2
    assert K.conv2d(x=IMAGE, kernel=np.ones((2, 2, 3, 4), "float32"), data_format=None).shape == (2, 4, 5, 4)
    assert K.depthwise_conv2d(x=IMAGE, depthwise_kernel=np.ones((2, 2, 3, 1), "float32")).shape == (2, 4, 5, 3)
    assert K.slice(x=X, start=(0, 1), size=(2, 2)).tolist() == X[:2, 1:3].tolist()
    assert (K.dropout(x=X, level=0.0) == X).all() and K.get_variable_shape(K.variable(X)) == (3, 4)
    assert (K.repeat_elements(x=X, rep=2, axis=0) == X.repeat(2, 0)).all() and (K.tile(x=X, n=(1, 2))[:, 4:] == X).all()
    normal, means, variances = K.normalize_batch_in_training(IMAGE, None, None, [0, 1, 2])
    assert (normal.shape, means.shape, variances.shape) == (IMAGE.shape, (3,), (3,))
    np.testing.assert_allclose(
        normal, (IMAGE - IMAGE.mean((0, 1, 2))) / np.sqrt(IMAGE.var((0, 1, 2)) + 1e-3), 1e-4, 1e-5
    )


def test_gradients_between_symbolic_tensors():
    """As in programs for TensorFlow 1: of the input, of a layer's output in a Sequential, of weights, in a Lambda."""
    model = lamina.Sequential(
        [lamina.Input((4,)), lamina.layers.Dense(3, "tanh", name="hidden"), lamina.layers.Dense(2)]
    )
    hidden, last = model.layers[0].output, model.layers[-1].kernel
    by_input, by_hidden = K.gradients(model.output[:, 1], [model.input, hidden])
    run = K.function([model.input], [by_input, by_hidden, *K.gradients(K.mean(model.output), [last])])
    found = run([X])
    kernel = np.asarray(model.layers[0].kernel)
    inner = np.tanh(X @ kernel)
    of_hidden = np.broadcast_to(np.asarray(last)[:, 1], (3, 3))
    np.testing.assert_allclose(found[1], of_hidden, 1e-5)
    np.testing.assert_allclose(
        found[0], (of_hidden * (1 - inner**2)) @ np.asarray(model.layers[0].kernel).T, 1e-4, 1e-6
    )
    np.testing.assert_allclose(found[2], inner.mean(0)[:, None].repeat(2, 1) / 2, 1e-4, 1e-6)
    assert K.gradients(model.output, lamina.Input((4,))) == [None]
    slope = lamina.layers.Lambda(lambda tensors: K.gradients(tensors[0], tensors[1])[0])
    inside = lamina.Model(model.input, slope([model.output[:, 1], model.input]))
    np.testing.assert_allclose(inside.predict(X, verbose=0), found[0], 1e-5, 1e-6)
    np.testing.assert_allclose(inside(X), found[0], 1e-5, 1e-6)


def test_a_layer_added_keeps_the_graph_before_it():
    model = lamina.Sequential([lamina.Input((4,)), lamina.layers.Dense(3)])
    before = model.layers[0].output
    model.add(lamina.layers.Dense(2))
    model.add(lamina.layers.Dense(1))
    assert model.layers[0].output is before and len(model.layers[0]._inbound_nodes) == 1
    np.testing.assert_allclose(lamina.Model(before, model.output)(X[:, :3]), model.layers[2](model.layers[1](X[:, :3])))


def test_sizes_of_symbolic_tensors_as_numbers():
    """As `K.prod(K.cast(K.shape(x), "float32"))` in programs for TensorFlow 1; parts of it stay plain sizes."""
    x = lamina.Input((4,))
    count = K.prod(K.cast(K.shape(x), "float32"))
    assert K.shape(x) == (None, 4) and K.reshape(x, (K.shape(x)[0], 2, 2)).shape == (None, 2, 2)
    assert K.function([x], [K.sum(x) / count])([X])[0] == pytest.approx(X.mean(), rel=1e-5)


def test_a_lambda_may_give_its_one_output_in_a_list():
    """As Keras 2 took it: the places of maxima by `K.gradients`, in a model that is trained."""
    x = lamina.Input((4, 1))
    pooled = lamina.layers.MaxPooling1D(2)(x)
    where = lamina.layers.Lambda(lambda two: K.gradients(K.sum(two[1]), two[0]), output_shape=lambda shapes: shapes[0])
    model = lamina.Model(x, where([x, pooled]))
    assert model.output_shape == (None, 4, 1)
    assert model(np.array([[[1], [3], [5], [2]]], "float32")).ravel().tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("order", ["names", "loss first", "constraints"])
def test_a_function_that_takes_steps(order):
    """A policy gradient of 2017: the loss by placeholders, the step by `get_updates`."""
    x = lamina.Input((3,))
    policy = lamina.Model(x, lamina.layers.Dense(2, activation="softmax")(x))
    taken, rewards = K.placeholder((None, 2)), K.placeholder((None,))
    loss = -K.mean(K.log(K.sum(policy.output * taken, axis=1)) * rewards)
    optimizer, params = lamina.optimizers.SGD(0.5), policy.trainable_weights
    updates = {
        "names": lambda: optimizer.get_updates(params=params, loss=loss),
        "loss first": lambda: optimizer.get_updates(loss, params),
        "constraints": lambda: optimizer.get_updates(params, [], loss),
    }[order]()
    count = lamina.Variable(1.0)
    train = K.function([policy.input, taken, rewards], [loss], updates=[*updates, (count, loss * 0 + 5)])
    data = [np.eye(3, dtype="float32"), np.eye(2, dtype="float32")[[0, 1, 0]], np.ones(3, "float32")]
    kernel = policy.get_weights()[0]
    logits = data[0] @ kernel
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    (first,) = train(data)
    np.testing.assert_allclose(first, -np.log((probabilities * data[1]).sum(-1)).mean(), 1e-5)
    np.testing.assert_allclose(policy.get_weights()[0], kernel - 0.5 * (probabilities - data[1]) / 3, 1e-5, 1e-6)
    assert train(data)[0] < first and float(count) == 5 and int(optimizer.iterations) == 2


def test_a_function_of_one_array():
    """As tf.keras takes it, without a list; and the names by which packages get at a model's inputs."""
    model = lamina.Sequential([lamina.Input((3,)), lamina.layers.Dense(2)])
    assert not model._is_compiled
    model.compile("sgd", "mse")
    assert model._is_compiled
    x = np.ones((4, 3), "float32")
    (found,) = K.function(model._feed_inputs, {"a": model.layers[0].output}.values())(x)
    np.testing.assert_allclose(found, model(x), 1e-6)
