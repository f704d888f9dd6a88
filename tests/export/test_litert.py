"""LiteRT files: the runtime gives the numbers of `predict` for each family of layers, from one file for any batch."""

import subprocess
import sys

import jax
import numpy as np
import pytest

import lamina as keras
from lamina.errors import ConfigError
from lamina.export.litert.converter import WRITERS
from lamina.export.litert.runtime import operators_of
from tests.export.litert_zoo import worst_of
from tests.export.zoo import ZOO

pytest.importorskip("ai_edge_litert", reason="the runtime, ai-edge-litert, is not installed")
L, ops = keras.layers, keras.ops

FAMILIES = (
    "Conv2D same 2", "Conv3DTranspose same 2", "AveragePooling3D same 2", "SimpleRNN", "GRU open", "U-Net open",
    "CategoryEncoding multi_hot", "attention", "dictionary", "int8", "subclass", "ops sorting", "ops factors",
    "mixed_float16",
)  # fmt: skip


class Own(L.Layer):
    """A layer of one function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, *inputs):
        return self.function(*inputs)


def stack(shape, *layers, dtype=None):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *layers])


@pytest.mark.parametrize("name", FAMILIES)
def test_the_runtime_gives_what_predict_gives(name, tmp_path):
    model = ZOO[name]()
    model.export(tmp_path / "model.tflite", verbose=False, verify=False)
    assert worst_of(model, tmp_path / "model.tflite") < (2e-2 if "mixed" in name else 1e-4)


def test_names_and_the_report(tmp_path, capsys):
    a, b = keras.Input((4,), name="age"), keras.Input((3,), name="income")
    both = L.Concatenate()([a, b])
    model = keras.Model([a, b], [L.Dense(1, name="price")(both), L.Dense(2, name="kind", activation="relu")(both)])
    model.export(tmp_path / "model.tflite")
    said = capsys.readouterr().out
    assert "3 operators (2 FULLY_CONNECTED, 1 CONCATENATION)" in said and "differs from predict by" in said
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(tmp_path / "model.tflite"))
    assert interpreter.get_signature_list() == {
        "serving_default": {"inputs": ["age", "income"], "outputs": ["kind", "price"]}
    }
    assert [detail["name"] for detail in interpreter.get_input_details()] == ["age", "income"]
    assert list(interpreter.get_input_details()[0]["shape_signature"]) == [-1, 4]


def test_what_litert_cannot_say_is_refused_by_the_name_of_the_layer(tmp_path):
    model = stack((4,), L.Lambda(lambda x: x + keras.random.normal((4,)), name="draw"))
    with pytest.raises(ConfigError, match="(?s)which LiteRT cannot repeat.*'draw'"):
        model.export(tmp_path / "model.tflite")
    assert not list(tmp_path.iterdir())


def test_a_wrong_result_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setitem(WRITERS, "tanh", lambda converter, equation, x: converter.graph.add("Sigmoid", x))
    with pytest.raises(ConfigError, match="differs from predict"):
        stack((4,), L.Dense(3, activation="tanh")).export(tmp_path / "model.tflite")
    assert not list(tmp_path.iterdir())


def test_long_loops_are_loops(tmp_path):
    stack((300, 2), L.GRU(2)).export(tmp_path / "model.tflite", verbose=False)
    assert "WHILE" in operators_of((tmp_path / "model.tflite").read_bytes())


def test_fewer_bits(tmp_path):
    keras.utils.set_random_seed(0)
    layers = L.Conv2D(32, 3, activation="relu"), L.MaxPooling2D(), L.Flatten(), L.Dense(64), L.Dense(4, "softmax")
    model = stack((8, 8, 3), *layers)
    x = np.random.default_rng(0).random((32, 8, 8, 3)).astype("float32")
    model.export(tmp_path / "full.tflite", verbose=False)
    full = (tmp_path / "full.tflite").stat().st_size
    for kind, part, off in (("float16", 0.6, 2e-3), ("dynamic", 0.4, 0.03), ("int8", 0.4, 0.05)):
        given = {"representative_data": lambda: iter(x[:, None])} if kind == "int8" else {}
        report = model.export(tmp_path / f"{kind}.tflite", quantize=kind, verify=x, verbose=False, **given)
        assert report.size < part * full and report.difference < off
    kinds = operators_of((tmp_path / "int8.tflite").read_bytes())
    ends = [kinds.count(kind) for kind in ("QUANTIZE", "SOFTMAX", "DEQUANTIZE")]
    assert ends == [1, 1, 1]  # what is between them computes in 8 bits
    report = model.export(
        tmp_path / "m.tflite", optimizations=["DEFAULT"], representative_dataset=lambda: [[x]], verbose=False
    )
    assert report.facts == ["int8"]


PHONE = """
import numpy as np, tensorflow as tf
tf.keras.utils.set_random_seed(0)
Dense = tf.keras.layers.Dense
model = tf.keras.Sequential([tf.keras.Input((6,)), Dense(256, activation="relu"), Dense(3)])
x = np.random.default_rng(0).random((20, 6), "float32")
for kind in ("full", "float16", "dynamic", "int8"):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [] if kind == "full" else [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if kind == "int8":
        converter.representative_dataset = lambda: ([row] for row in tf.data.Dataset.from_tensor_slices(x).batch(1))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
    converter.experimental_new_converter = True
    data = converter.convert()
    interpreter = tf.lite.Interpreter(model_content=data)
    interpreter.allocate_tensors()
    entry, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero = entry["quantization"]
    row = x[:1] if kind != "int8" else np.round(x[:1] / scale + zero).astype("int8")
    interpreter.set_tensor(entry["index"], row)
    interpreter.invoke()
    off = np.abs(interpreter.get_tensor(result["index"]) - model.predict(x[:1], verbose=0)).max()
    print(kind, len(data), entry["dtype"].__name__, off < 0.05)
"""


def test_programs_of_tensorflow_convert_and_run(tmp_path):
    (tmp_path / "phone.py").write_text(PHONE)
    done = subprocess.run(
        [sys.executable, "-m", "lamina", "run", str(tmp_path / "phone.py")], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [(kind, dtype, right) for kind, _, dtype, right in rows] == [
        ("full", "float32", "True"), ("float16", "float32", "True"), ("dynamic", "float32", "True"),
        ("int8", "int8", "True"),
    ]  # fmt: skip
    sizes = [int(size) for _, size, _, _ in rows]
    assert max(sizes[1:]) < sizes[0]


def test_integers_do_not_lose_scores_to_masks(tmp_path):
    class Own(keras.Model):  # built for the batch of its first call, and exported for any
        def __init__(self):
            super().__init__()
            self.attention = L.MultiHeadAttention(2, 4)

        def build(self, shape):
            self.last = self.add_weight((8, 3), name="last")

        def call(self, x):
            y = self.attention(x, x, use_causal_mask=True)
            hidden = ops.where(np.tri(6) > 0, 0.0, -1e9) + ops.matmul(y, ops.transpose(x, (0, 2, 1)))
            return ops.matmul(ops.matmul(ops.softmax(hidden), y), self.last)

    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(40, 6, 8)).astype("float32")
    model = Own()
    model(x[:2])
    report = model.export(tmp_path / "m.tflite", quantize="int8", representative_data=x, verify=x, verbose=False)
    assert report.difference < 0.06 and "representative inputs" in report.checks[0]
    assert "compute in float32: ADD" in report.lost[0] and "SOFTMAX" in report.lost[0]
    hidden = keras.Sequential([keras.Input((6, 8)), L.Dense(8, activation="gelu"), L.LayerNormalization(), L.Dense(3)])
    report = hidden.export(tmp_path / "m.tflite", quantize="int8", representative_data=x, verbose=False)
    assert report.difference < 0.05 and "RSQRT" in report.lost[0] and report.operators["QUANTIZE"] == 2
    never = L.Conv1D(4, 1, activation="relu", bias_initializer=keras.initializers.Constant(-99.0))  # units never active
    dead = keras.Sequential([keras.Input((6, 8)), never, L.Dense(3, bias_initializer="ones")])
    assert dead.export(report.path, quantize="int8", representative_data=x, verbose=False).difference < 0.01
    report = model.export(
        tmp_path / "m.tflite", quantize="int8", representative_data=x, verify=x[:3], verbose=False,
        input_signature=[keras.InputSpec(shape=(3, 6, 8), dtype="float32")],
    )  # fmt: skip
    assert report.difference < 0.1


@pytest.mark.parametrize(("kinds", "ends"), [(("int8", "int8"), 0), ((np.uint8, None), 3), ((None, "uint8"), 3)])
def test_inputs_and_outputs_of_integers(kinds, ends, tmp_path):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6,), name="x")
    hidden = L.Dense(16, activation="relu")(inputs)
    model = keras.Model(inputs, [L.Dense(3, activation="sigmoid", name="p")(hidden), hidden])
    x = np.random.default_rng(0).random((32, 6), "float32")
    report = model.export(
        tmp_path / "m.tflite", quantize="int8", representative_data=x, verify=x, verbose=False,
        inference_input_type=kinds[0], inference_output_type=kinds[1],
    )  # fmt: skip
    assert report.difference < 0.02
    wanted = [f"{side} in {np.dtype(kind)}" for side, kind in zip(("inputs", "outputs"), kinds, strict=True) if kind]
    assert report.facts == ["int8", *wanted]
    made = operators_of((tmp_path / "m.tflite").read_bytes())
    assert made.count("QUANTIZE") + made.count("DEQUANTIZE") == ends
    from ai_edge_litert.interpreter import Interpreter

    run = Interpreter(str(tmp_path / "m.tflite")).get_signature_runner()
    names = {name: np.dtype(kind or "float32") for name, kind in zip(("x", "p"), kinds, strict=True)}
    assert {
        name: run.get_input_details().get(name, run.get_output_details().get(name))["dtype"] for name in names
    } == names


def test_what_integers_need(tmp_path):
    model = stack((4,), L.Dense(3))
    with pytest.raises(ConfigError, match="computed in them"):
        model.export(tmp_path / "m.tflite", inference_input_type="int8")
    with pytest.raises(ConfigError, match="are of the types"):
        model.export(
            tmp_path / "m.tflite", quantize="int8", representative_data=np.ones((2, 4)), inference_input_type="int4"
        )


def test_fourier_transforms_of_several_axes(tmp_path):
    def call(x):
        real, imaginary = ops.fft2((x, x * 0.5))
        return [
            real,
            imaginary,
            *ops.ifft2((real, imaginary + 1)),
            *ops.rfft(x[0, 0]),
            ops.irfft(ops.rfft(x), fft_length=8),
        ]

    inputs = keras.Input((4, 8))
    report = keras.Model(inputs, call(inputs)).export(tmp_path / "m.tflite", verbose=False)
    assert report.difference < 1e-5


def test_a_value_cast_to_two_types(tmp_path):
    pixels = keras.Input((3,), dtype="uint8")
    model = keras.Model(pixels, [pixels / 2, ops.cast(pixels, "int32") + 1])
    assert model.export(tmp_path / "model.tflite", verbose=False).difference == 0


def test_hashes_which_need_64_bits(tmp_path):
    x, y = keras.Input((1,), dtype="int32"), keras.Input((1,), dtype="int64")
    hashed = L.Hashing(1000003)(x), L.Hashing(7, mask_value=9)(y), L.Hashing(11, salt=(133, 137))(x)
    model = keras.Model([x, y], [*hashed, L.HashedCrossing(50, output_mode="one_hot")((x, y))])
    numbers = np.array([[0], [1], [-1], [9], [-10], [99999], [1234567890], [2**31 - 1], [-(2**31)]])
    given = [numbers.astype("int32"), numbers[::-1]]
    assert model.export(tmp_path / "m.tflite", verbose=False, verify=given).difference == 0


@pytest.mark.parametrize("ending", ["onnx", "tflite"])
def test_complex_numbers_and_integers_divided_by_0(ending, tmp_path):
    def call(x, n):
        number = jax.lax.complex(x, 1 - x)
        parts = number / (number + 2), jax.numpy.exp(number), jax.numpy.einsum("bij,bkj->bik", number, number)
        by_zero = jax.lax.div(n, n - n), jax.lax.rem(n, n // 9), ops.gcd(n, 6), ops.cast(x * 3 - 2, "uint32")
        return [part(value) for value in parts for part in (ops.real, ops.imag)] + [
            ops.cast(v, "int32") for v in by_zero
        ]

    x, n = keras.Input((3, 2)), keras.Input((4,), dtype="int32")
    model = keras.Model([x, n], list(Own(call)(x, n)))
    given = [np.random.default_rng(0).random((2, 3, 2)), np.array([[0, 4, -6, 27], [-27, 9, 2, 1]])]
    assert model.export(tmp_path / f"m.{ending}", verbose=False, verify=given).difference < 1e-6


@pytest.mark.parametrize("ending", ["onnx", "tflite"])
def test_a_part_in_16_bits_may_differ_by_their_roundings(ending, tmp_path):
    x = keras.Input((6,))
    model = keras.Model(x, ops.cast(ops.sum(ops.cast(x, "bfloat16") * 3, 1), "float32"))
    assert 1e-4 < model.export(tmp_path / f"m.{ending}", verbose=False).difference < 2e-2


def test_floats_of_8_bits(tmp_path):
    x = keras.Input((4,))
    model = keras.Model(x, [ops.cast(ops.cast(x, f"float8_{kind}"), "float32") for kind in ("e4m3fn", "e5m2")])
    sizes = [0, 2**-9, 1.1 * 2**-10, 0.017, 0.3, 1.0625, 448, 464, 500, 57344, 61440, np.inf, -np.inf, np.nan, 3e33, -7]
    given = np.array(sizes, "float32").reshape(-1, 4)
    assert model.export(tmp_path / "m.tflite", verbose=False, verify=given).difference == 0


def test_integers_of_few_bits_overflow_as_they_do(tmp_path):
    inputs = keras.Input((4,), dtype="int32")
    few, plain = ops.cast(inputs * 200, "int8"), ops.cast(inputs * 200, "uint8")
    outputs = [few, ops.right_shift(ops.left_shift(few, 3), 2), few + few, plain * plain]
    model = keras.Model(inputs, [ops.cast(output, "float32") for output in outputs])
    report = model.export(tmp_path / "m.tflite", verbose=False, verify=np.arange(-6, 6).reshape(3, 4))
    assert report.difference == 0
