"""Programs for each family of layers: onnxruntime, and JAX alone, give the numbers of `predict`, from one file for any
batch."""

import os
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest

import lamina as keras
from lamina.errors import ConfigError, LaminaError
from lamina.export.onnx.converter import WRITERS
from tests.export.zoo import ZOO

L, ops = keras.layers, keras.ops


def stack(shape, *layers, dtype=None):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *layers])


def graph(shapes, function):
    inputs = [keras.Input(shape) for shape in shapes]
    return keras.Model(inputs, function(*inputs))


def unet():
    inputs = keras.Input((None, None, 2))
    wide = L.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    deep = L.Conv2D(4, 3, padding="same")(L.MaxPooling2D()(wide))
    return keras.Model(inputs, L.Conv2D(1, 1)(L.Concatenate()([wide, L.UpSampling2D()(deep)])))


def transformer():
    tokens = keras.Input((None,), dtype="int32")
    x = L.Embedding(20, 8)(tokens)
    x = L.LayerNormalization()(x + L.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True))
    return keras.Model(tokens, L.Dense(20)(x + L.Dense(8)(L.Dense(16, activation="gelu")(x))))


class Subclass(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = L.Dense(4, activation="relu")

    def call(self, inputs):
        hidden = self.dense(inputs)
        return {"sum": ops.sum(hidden, -1), "hidden": hidden}


def subclass():
    model = Subclass()
    model(np.zeros((2, 3), "float32"))
    return model


def quantized(model, mode):
    model.quantize(mode)
    return model


MODELS = {
    "dense": lambda: stack((4,), L.Dense(8, activation="relu"), L.Dropout(0.5), L.Dense(3, activation="softmax")),
    "convolutions": lambda: stack(
        (16, 16, 3), L.Rescaling(1 / 255), L.Conv2D(8, 3, padding="same", activation="relu"), L.BatchNormalization(),
        L.MaxPooling2D(), L.Conv2D(8, 3, strides=2, padding="same"), L.AveragePooling2D(padding="same"), L.Flatten(),
    ),
    "pooling of one element": lambda: stack((6, 6, 2), L.MaxPooling2D(1, strides=2), L.MaxPooling2D(3, padding="same")),
    "one dimension": lambda: stack(
        (20, 3), L.Conv1D(4, 3, padding="causal", dilation_rate=2), L.MaxPooling1D(), L.GlobalMaxPooling1D()
    ),
    "three dimensions": lambda: stack((6, 6, 6, 2), L.Conv3D(4, 3, padding="same"), L.MaxPooling3D()),
    "transposed": lambda: stack(
        (6, 6, 2), L.Conv2DTranspose(4, 3, strides=2, padding="same"), L.Conv2DTranspose(3, 3, strides=2),
        L.Conv2DTranspose(2, 2, dilation_rate=2),
    ),
    "transposed, other ranks": lambda: stack(
        (6, 2), L.Conv1DTranspose(4, 3, strides=2, padding="same", output_padding=1)
    ),
    "depthwise, separable, grouped": lambda: stack(
        (9, 9, 4), L.DepthwiseConv2D(3, depth_multiplier=2), L.SeparableConv2D(4, 3), L.Conv2D(4, 3, groups=2)
    ),
    "LSTM": lambda: stack((6, 3), L.LSTM(4, return_sequences=True), L.Bidirectional(L.LSTM(3)), L.Dense(2)),
    "GRU": lambda: stack((6, 3), L.GRU(4, return_sequences=True, go_backwards=True), L.GRU(3, reset_after=False)),
    "loops": lambda: stack(
        (6, 3), L.SimpleRNN(4, return_sequences=True, go_backwards=True), L.LSTM(3, activation="relu")
    ),
    "open time": lambda: stack((None, 3), L.Bidirectional(L.GRU(4, return_sequences=True)), L.SimpleRNN(3)),
    "masked": lambda: stack((7,), L.Embedding(10, 4, mask_zero=True), L.LSTM(5), dtype="int32"),
    "ConvLSTM": lambda: stack((4, 8, 8, 2), L.ConvLSTM2D(3, 3, padding="same")),
    "transformer": transformer,
    "U-Net with open sizes": unet,
    "normalization": lambda: stack(
        (8, 8, 6), L.GroupNormalization(3), L.LayerNormalization(), L.UnitNormalization(), L.RMSNormalization()
    ),
    "padding and resizing": lambda: stack(
        (8, 8, 3), L.ZeroPadding2D(2), L.Cropping2D(1), L.UpSampling2D(2, interpolation="bilinear"), L.Resizing(5, 5),
        L.Permute((2, 1, 3)), L.Reshape((-1, 3)),
    ),
    "augmentation": lambda: stack((8, 8, 3), L.RandomFlip(), L.RandomRotation(0.1), L.Conv2D(2, 3)),
    "attention": lambda: graph([(5, 4), (6, 4)], lambda a, b: [L.Attention()([a, b]), L.AdditiveAttention()([a, b])]),
    "grouped attention": lambda: graph([(5, 8)], lambda a: L.GroupQueryAttention(4, 4, 2)(a, a)),
    "einsum": lambda: stack(
        (5, 4), L.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d"), L.TimeDistributed(L.Dense(2))
    ),
    "merging": lambda: graph(
        [(4,), (4,)], lambda a, b: [L.Multiply()([a, b]), L.Maximum()([a, b]), L.Dot(1, normalize=True)([a, b])]
    ),
    "categories": lambda: stack((4,), L.CategoryEncoding(5, output_mode="multi_hot"), dtype="int32"),
    "lookup": lambda: stack((4,), L.IntegerLookup(vocabulary=[1, 2, 3]), dtype="int32"),
    "hashing": lambda: stack((4,), L.Hashing(5), dtype="int32"),
    "bins": lambda: stack((4,), L.Discretization(bin_boundaries=[0.2, 0.5, 0.7])),
    "adaptive pooling": lambda: stack((9, 9, 3), L.AdaptiveAveragePooling2D((3, 4)), L.AdaptiveMaxPooling2D(2)),
    "spectrogram": lambda: stack((400,), L.MelSpectrogram(num_mel_bins=8, fft_length=64, sequence_stride=32)),
    "quantized": lambda: quantized(stack((32,), L.Dense(64, activation="relu"), L.Dense(8)), "int8"),
    "quantized words": lambda: quantized(stack((5,), L.Embedding(16, 8), dtype="int32"), "int4"),
    "half precision": lambda: stack((8,), L.Dense(16, dtype="mixed_float16"), L.Dense(3)),
    "subclass": subclass,
    "nested": lambda: stack((4,), stack((4,), L.Dense(3), L.Dense(3)), L.PReLU()),
    "activations": lambda: graph(
        [(6,)],
        lambda x: [
            getattr(keras.activations, name)(x)
            for name in "elu selu softplus mish hard_swish celu glu log_softmax soft_shrink sparsemax".split()
        ],
    ),
    "sorting and choosing": lambda: graph(
        [(4,)],
        lambda x: [
            ops.top_k(x, 2)[0], ops.sort(x), ops.argmax(x, -1), ops.cumsum(x, -1), ops.flip(x, 1), ops.roll(x, 1, 1),
            ops.take_along_axis(x, ops.argsort(x), -1), ops.take(x, [2, 0], axis=1), x[:, 1:3], ops.cumprod(x, -1),
        ],
    ),
    "elements": lambda: graph(
        [(4,)],
        lambda x: [
            ops.clip(x, 0.2, 0.4), ops.where(x > 0.5, x, -x), ops.round(x * 10), ops.arctan2(x, x + 1), ops.log1p(x),
            ops.floor_divide(x, 0.3), ops.erf(x), ops.isfinite(x),
            ops.tile(x, [1, 2]), ops.repeat(x, 2, 1), ops.std(x, -1),
        ],
    ),
    "choices of bool, stacks, mirrors": lambda: graph(
        [(4,)],
        lambda x: [
            ops.stack([x, -x], 1), ops.where(x > 0.5, x > 0.7, x > 0.1), ops.pad(x, ((0, 0), (2, 1)), "reflect"),
        ],
    ),
    "bfloat16": lambda: stack((5, 5, 2), L.Conv2D(4, 3, dtype="mixed_bfloat16"), L.Dense(3)),
    "int64 looked up": lambda: stack((4,), L.IntegerLookup(vocabulary=[3, 5, 7], output_mode="count"), dtype="int64"),
    "factors": ZOO["ops factors"],
    "folded, running": lambda: stack(
        (None, 6, 6),
        L.Lambda(lambda x: ops.cumprod(x, 1)),
        L.Lambda(lambda x: ops.fold(ops.unfold(x[:, :2], 2, stride=2), (6, 6), 2, stride=2)),
        L.Lambda(lambda x: ops.rearrange(x, "b c (h k) w -> b c h (k w)", k=2)),
    ),
    "a row in a loop": lambda: stack(
        (4, 4),
        L.Lambda(lambda x: ops.fori_loop(0, 4, lambda n, y: ops.take(x, n, axis=1) - y, ops.zeros_like(x[:, 0]))),
    ),
    "a loop": lambda: graph([(4,)], lambda x: ops.fori_loop(0, 3, lambda _, total: total * 0.5 + 1, x)),
}  # fmt: skip


JAX_ALONE = """
import sys, jax, numpy as np
from jax.tree_util import tree_leaves, tree_unflatten
for line in sys.stdin:
    path, numbers = line.rstrip("\\n"), np.load(line.rstrip("\\n") + ".npz")
    program = jax.export.deserialize(bytearray(open(path, "rb").read()))
    arrays = [numbers[name].astype(aval.dtype) for name, aval in zip(numbers, program.in_avals, strict=True)]
    args, _ = tree_unflatten(program.in_tree, arrays)
    np.savez(path + ".out.npz", *(np.asarray(x, "float32") for x in tree_leaves(program.call(*args))))
    print("lamina" in sys.modules, flush=True)
"""


@pytest.fixture(scope="module")
def jax_alone():
    """A function that runs a file in a process that has JAX and nothing of lamina."""
    fast = {**os.environ, "XLA_FLAGS": "--xla_backend_optimization_level=0"}  # it compiles each program for two calls
    process = subprocess.Popen(
        [sys.executable, "-c", JAX_ALONE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=fast
    )

    def run(path, inputs):
        np.savez(f"{path}.npz", *inputs)
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        assert process.stdout.readline() == "False\n"
        with np.load(f"{path}.out.npz") as made:
            return [made[name] for name in made]

    yield run
    process.stdin.close()
    process.stdout.close()
    assert process.wait(30) == 0


def inputs_for(proto, batch, generator):
    feeds = {}
    for value in proto.graph.input:
        tensor = value.type.tensor_type
        shape = [size.dim_value or (batch if size.dim_param == "batch" else 8) for size in tensor.shape.dim]
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        is_float = np.issubdtype(dtype, np.floating)
        feeds[value.name] = (generator.random(shape) if is_float else generator.integers(0, 4, shape)).astype(dtype)
    return feeds


@pytest.mark.parametrize("name", MODELS)
def test_runtimes_give_what_predict_gives(name, tmp_path, jax_alone):
    model = MODELS[name]()
    model.export(tmp_path / "model.onnx", verbose=False)
    model.export(tmp_path / "model.jax", verbose=False, verify=False)
    proto = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(proto, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", options)
    for batch in (1, 5):
        feeds = inputs_for(proto, batch, np.random.default_rng(batch))
        inputs = list(feeds.values())
        wanted = model.predict(inputs[0] if len(inputs) == 1 else inputs, verbose=0)
        wanted = [wanted[key] for key in sorted(wanted)] if isinstance(wanted, dict) else wanted
        wanted = wanted if isinstance(wanted, list) else [wanted]
        tolerance = 1e-2 if name in ("half precision", "bfloat16") else 1e-4
        for results in (session.run(None, feeds), jax_alone(tmp_path / "model.jax", inputs)):
            for result, value in zip(results, wanted, strict=True):
                np.testing.assert_allclose(result, value, 1e-5, tolerance * max(np.abs(value).max(), 1e-30))


def test_names_and_the_open_batch(tmp_path):
    a, b = keras.Input((4,), name="age"), keras.Input((3,), name="income")
    both = L.Concatenate()([a, b])
    model = keras.Model([a, b], [L.Dense(1, name="price")(both), L.Dense(2, name="kind")(both)])
    model.export(tmp_path / "model.onnx", verbose=False, opset_version=18)
    proto = onnx.load(tmp_path / "model.onnx")
    assert [value.name for value in proto.graph.input] == ["age", "income"]
    assert [value.name for value in proto.graph.output] == ["price", "kind"]
    assert proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert "price/kernel" in {tensor.name for tensor in proto.graph.initializer}
    assert proto.opset_import[0].version == 18


def test_recurrent_layers_are_operators(tmp_path):
    model = stack((6, 3), L.LSTM(4, return_sequences=True), L.GRU(3))
    kinds = set(model.export(tmp_path / "model.onnx", verbose=False).operators)
    assert {"LSTM", "GRU"} <= kinds and "Scan" not in kinds
    simple = stack((6, 3), L.SimpleRNN(4, return_sequences=True), L.SimpleRNN(3, activation="relu", go_backwards=True))
    assert simple.export(tmp_path / "model.onnx", verbose=False, opset_version=17).operators["RNN"] == 2


@pytest.mark.parametrize(("mode", "size"), [("int8", 1.1), ("int4", 0.7)])
def test_quantized_weights_stay_small(mode, size, tmp_path):
    model = stack((256,), L.Dense(256))
    model.quantize(mode)
    report = model.export(tmp_path / "small.onnx", verbose=False, opset_version=21)
    assert report.size < 256 * 256 * size and report.difference < 1e-5
    assert mode == "int4" or (report.operators["QuantizeLinear"], report.operators["DequantizeLinear"]) == (1, 2)


def test_attention_is_one_operator_where_the_opset_has_it(tmp_path):
    model = graph([(None, 8)], lambda x: L.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True))
    report = model.export(tmp_path / "model.onnx", verbose=False, opset_version=23)
    assert report.operators["Attention"] == 1 and report.difference < 1e-5
    assert "Attention" not in model.export(tmp_path / "model.onnx", verbose=False).operators


def test_the_opset_needed_for_an_operator_is_named(tmp_path):
    numbers = keras.Input((3,), dtype="int32")
    model = keras.Model(numbers, [ops.bitwise_and(numbers, 3), ops.max(numbers, -1)])
    with pytest.raises(ConfigError, match="opset 17 has no operator BitwiseAnd.*(?s:.)*opset_version=18"):
        model.export(tmp_path / "model.onnx", opset_version=17)
    assert model.export(tmp_path / "model.onnx", opset_version=18, verbose=False).difference == 0


def test_what_onnx_cannot_say_is_refused_by_the_name_of_the_layer(tmp_path):
    class Noisy(L.Layer):
        def call(self, inputs):
            return inputs + keras.random.normal(ops.shape(inputs), seed=1)

    model = stack((4,), L.Dense(3), Noisy(name="noise"))
    with pytest.raises(ConfigError, match="(?s)size as a number.*noise"):
        model.export(tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_wrong_versions_and_endings(tmp_path):
    model = stack((4,), L.Dense(3))
    with pytest.raises(ConfigError, match="opset_version=20"):
        model.export(tmp_path / "model.onnx", opset_version=3)
    with pytest.raises(ConfigError, match=r"model\.jax"):
        model.export(tmp_path / "model.onnx", format="jax")
    with pytest.raises(LaminaError, match="saved_model"):
        model.export(tmp_path / "model.pb")
    with pytest.raises(ConfigError, match=r"'coreml' is not written(?s:.)*model\.tflite"):
        model.export(tmp_path / "model.mlpackage")
    assert not list(tmp_path.iterdir())


def test_an_export_leaves_the_state_of_a_model(tmp_path):
    inputs = keras.Input(batch_shape=(1, 4, 3))
    model = keras.Model(inputs, L.LSTM(3, stateful=True, name="lstm")(inputs))
    x = np.ones((1, 4, 3), "float32")
    model.predict(x, verbose=0)
    before = [np.array(variable) for variable in model.non_trainable_variables]
    report = model.export(tmp_path / "model.onnx", verbose=False, verify=x)
    assert report.lost == ["the state of 'lstm' between calls: each call starts from that of now"]
    for variable, value in zip(model.non_trainable_variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    model.export(tmp_path / "folder", format="tfjs", verbose=False, verify=x)  # whose layers have a state of their own


def test_a_wrong_result_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setitem(WRITERS, "tanh", lambda converter, equation, x: converter.graph.add("Sigmoid", x))
    with pytest.raises(ConfigError, match="differs from predict"):
        stack((4,), L.Dense(3, activation="tanh")).export(tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
