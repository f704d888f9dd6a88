"""Kernels in few bits: values, outputs, gradients, files and training as Keras has them."""

import copy

import jax
import keras
import numpy as np
import pytest

import lamina
from lamina.errors import CallError, ConfigError
from tests import twins
from tests.layers import layer_checks as check

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's variables
    pytest.mark.filterwarnings("ignore:Layer InputLayer does not have a `quantize`"),  # Keras says it of each layer
]

DENSE = ("Dense", dict(units=5, activation="tanh"), (2, 3, 10))
SPLIT = ("EinsumDense", dict(equation="abc,cde->abde", output_shape=(3, 2, 3), bias_axes="de"), (2, 3, 8))
JOIN = ("EinsumDense", dict(equation="abde,dec->abc", output_shape=(3, 7)), (2, 3, 4, 2))
TURNED = ("EinsumDense", dict(equation="ab,cb->ac", output_shape=7), (2, 9))  # the kernel's first axis is the output's
CONFIGS = {  # how -> (mode, config)
    "int8": ("int8", None),
    "int8 weights": ("int8", lambda K: K.quantizers.Int8QuantizationConfig(activation_quantizer=None)),
    "int4": ("int4", lambda K: K.quantizers.Int4QuantizationConfig(block_size=None)),
    "int4 inputs": (
        "int4",
        lambda K: K.quantizers.Int4QuantizationConfig(
            activation_quantizer=K.quantizers.AbsMaxQuantizer(), block_size=-1
        ),
    ),
    "int4 blocks": ("int4", lambda K: K.quantizers.Int4QuantizationConfig(block_size=4)),
    "float8": ("float8", None),
}
CASES = [
    *((DENSE, how) for how in CONFIGS),
    *((SPLIT, how) for how in ("int8", "int4 blocks", "float8")),
    *((JOIN, how) for how in ("int8", "int4 inputs")),
    (TURNED, "int4 blocks"),
]


def quantized(case, how, dtype=None):
    """The layers of both libraries, quantized from the same weights."""
    name, kwargs, shape = case
    mode, config = CONFIGS[how]
    common = {"dtype": dtype} if dtype else {}
    mine, theirs = check.pair(getattr(lamina.layers, name), kwargs, name="layer", **common)
    for layer in (mine, theirs):
        layer.build(shape)
    mine.set_weights(twins.weights_of(theirs))
    for layer, K in ((mine, lamina), (theirs, keras)):
        layer.quantize(mode, config=config and config(K))
    return mine, theirs


def stored(layer):
    store = {}
    layer.save_own_variables(store)
    return {key: np.asarray(getattr(value, "value", value)) for key, value in store.items()}


def _plain(value):
    """Tuples as lists, which is what JSON makes of them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


NAMES = [f"{case[1].get('equation', 'dense')} {how}" for case, how in CASES]


@pytest.mark.parametrize(("case", "how"), CASES, ids=NAMES)
def test_like_keras(case, how):
    mine, theirs = quantized(case, how)
    assert check.described(mine) == check.described(theirs)
    assert mine.dtype_policy.name == theirs.dtype_policy.name
    assert _plain(mine.get_config()) == _plain(theirs.get_config())
    got, wanted = stored(mine), stored(theirs)
    assert list(got) == list(wanted)
    check.assert_close(got, wanted, 1e-6)
    shape = case[2]
    inputs, cotangent = check.draw(shape), check.draw(theirs.compute_output_shape(shape), seed=3)
    got, wanted = (check.step(layer, inputs, cotangent, training=True) for layer in (mine, theirs))
    check.assert_close(got[0], wanted[0], 1e-5)
    check.assert_close(got[2], wanted[2], 1e-4)


@pytest.mark.parametrize("how", ["int8", "float8"])
def test_in_half_precision(how):
    mine, theirs = quantized(DENSE, how, dtype="mixed_bfloat16")
    inputs = check.draw(DENSE[2])
    got, wanted = mine(inputs), theirs(inputs)
    assert got.dtype == wanted.dtype == "bfloat16"
    np.testing.assert_allclose(got.astype("float32"), wanted.astype("float32"), 0.02, 0.02)


@pytest.mark.parametrize(
    ("how", "tied"), [("int8", True), ("int8", False), ("int4", True), ("int4 blocks", True), ("int4 blocks", False)]
)
def test_embeddings(how, tied):
    kwargs = dict(input_dim=11, output_dim=9, tie_weights=tied)
    mine, theirs = quantized(("ReversibleEmbedding", kwargs, (2,)), how)
    assert [v.name for v in mine.weights] == [v.name for v in theirs.weights]
    got, wanted = stored(mine), stored(theirs)
    assert list(got) == list(wanted)
    for key, value in got.items():
        np.testing.assert_allclose(value, wanted[key], 1e-6)
    numbers, vectors = np.array([[0, 10], [3, 4]]), check.draw((4, 9))
    np.testing.assert_allclose(mine(numbers), theirs(numbers), 1e-5, 1e-7)
    np.testing.assert_allclose(mine(vectors, reverse=True), theirs(vectors, reverse=True), 1e-5, 1e-6)
    np.testing.assert_allclose(mine.embeddings.value[3], mine(np.array([3]))[0], 1e-6)  # the formula is a look-up
    assert np.isnan(mine(np.array([99]))).all()
    weights = np.linspace(-1, 1, 44, dtype="float32").reshape(4, 11)
    reverse = lambda x: (mine.stateless_call([], [v.value for v in mine.weights], x, reverse=True)[0] * weights).sum()
    table = mine.embeddings.value.T if tied else mine.reverse_embeddings.value
    np.testing.assert_allclose(jax.grad(reverse)(vectors), weights @ table.T, 1e-4, 1e-5)


POLICIES = ("int8", "int4", "int4/4", "float8", "gptq/4/4", "gptq/8/-1", "awq/4/4")


@pytest.mark.parametrize(
    ("policy", "case"), [*((policy, DENSE) for policy in POLICIES), ("gptq/4/4", SPLIT), ("awq/4/4", SPLIT)]
)
def test_made_by_a_policy(policy, case):
    name, kwargs, shape = case
    mine, theirs = check.pair(getattr(lamina.layers, name), kwargs, name="layer", dtype=f"{policy}_from_float32")
    for layer in (mine, theirs):
        layer.build(shape)
    assert _plain(mine.get_config()) == _plain(theirs.get_config())
    names = [v.name.replace("zero_point", "kernel_zero") for v in theirs.weights]
    assert [(v.name, v.shape, v.dtype) for v in mine.weights] == [
        (name, tuple(v.shape), v.dtype) for name, v in zip(names, theirs.weights, strict=True)
    ]
    source = np.random.default_rng(0)
    store = {key: _random(source, value) for key, value in stored(mine).items()}  # Keras forgets GPTQ's zeros
    for layer in (mine, theirs):
        layer.load_own_variables(store)
    inputs = check.draw(shape)
    np.testing.assert_allclose(mine(inputs), theirs(inputs), 1e-4, 1e-5)


def _random(source, value):
    if value.dtype in ("int8", "uint8"):
        return source.integers(-7 if value.dtype == "int8" else 0, 8, value.shape).astype(value.dtype)
    if value.ndim == 1 and not value.any():  # a bias, or which group each row is of
        return source.integers(0, 2, value.shape).astype("float32")
    return source.uniform(0.5, 1, value.shape).astype("float32") if value.ndim == 2 else value


def test_gradients_pass_as_if_nothing_were_rounded():
    mine, _ = quantized(DENSE, "int8")
    mine.activation = None
    gradient = jax.grad(lambda x: mine(x).sum())(check.draw(DENSE[2]))
    np.testing.assert_allclose(gradient, np.broadcast_to(np.asarray(mine.kernel).sum(1), DENSE[2]), 1e-5)


def test_the_kernel_reads_as_the_numbers_it_stands_for():
    layer = lamina.layers.Dense(5)
    layer.build((None, 10))
    before = layer.kernel.numpy()
    layer.quantize("int8")
    np.testing.assert_allclose(lamina.ops.add(layer.kernel, 0.0), before, atol=np.abs(before).max() / 127)
    layer.kernel.assign(before / 2)
    np.testing.assert_allclose(layer.kernel, before / 2, atol=np.abs(before).max() / 254)


def net(K, mode):
    made = K.Sequential([K.Input((6,)), K.layers.Dense(8, activation="relu", name="a"), K.layers.Dense(1, name="b")])
    made.quantize(mode)
    return made


@pytest.mark.parametrize("mode", ["int8", "float8"])
def test_fit_and_files_are_those_of_keras(mode, tmp_path):
    theirs, ours = twins.twins(lambda K: net(K, mode))
    x = np.random.default_rng(0).normal(size=(16, 6)).astype("float32")
    y = x.sum(1, keepdims=True)
    twins.train_both(theirs, ours, x, y, lambda K: dict(optimizer=K.optimizers.SGD(0.05), loss="mse"), epochs=2)
    expected = ours.predict(x, verbose=0)
    for writer, reader in ((ours, keras), (theirs, lamina)):
        writer.save(tmp_path / "model.keras")
        loaded = reader.saving.load_model(tmp_path / "model.keras")
        np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, 1e-3, 1e-3)
        writer.save_weights(tmp_path / "model.weights.h5")
        fresh = net(reader, mode)
        fresh.load_weights(tmp_path / "model.weights.h5")
        np.testing.assert_allclose(fresh.predict(x, verbose=0), expected, 1e-3, 1e-3)


def test_a_policy_set_on_a_built_layer_quantizes_it():
    layer = lamina.layers.Dense(2)
    layer.build((None, 2))
    layer.dtype_policy = "int8_from_float32"
    assert [v.dtype for v in layer.weights] == ["float32", "int8", "float32"]
    twin = copy.deepcopy(layer)
    twin.kernel_scale.assign([1.0, 1.0])
    assert not np.array_equal(twin.kernel.numpy(), layer.kernel.numpy())


def test_a_map_of_policies_gives_each_layer_its_own():
    policies = lamina.dtype_policies.DTypePolicyMap("float32", {"a": lamina.DTypePolicy("mixed_bfloat16")})
    one, other = lamina.layers.Dense(2, dtype=policies, name="a"), lamina.layers.Dense(2, dtype=policies, name="b")
    for layer in (one, other):
        layer.build((None, 2))
    assert (one.compute_dtype, other.compute_dtype) == ("bfloat16", "float32")
    other.quantize("int8")
    assert policies["b"].name == "int8_from_float32" and other.quantization_mode == "int8"
    assert one.quantization_mode is None


def test_refusals():
    layer = lamina.layers.Dense(2)
    with pytest.raises(CallError, match="Cannot quantize a layer that isn't yet built"):
        layer.quantize("int8")
    layer.build((None, 2))
    for mode, config, words in (
        ("int7", None, "`mode` must be"),
        (None, None, "either `mode` or `config`"),
        ("int8", 3, "must be|is an instance"),
        ("gptq", None, "pass a config"),
        ("int8", lamina.quantizers.Int4QuantizationConfig(), "Contradictory"),
    ):
        with pytest.raises(ConfigError, match=words):
            layer.quantize(mode, config=config)
    layer.quantize("int8")
    with pytest.raises(CallError, match="is already quantized with dtype_policy="):
        layer.quantize("int4")
    with pytest.raises(NotImplementedError, match="float8"):
        built = lamina.layers.Embedding(2, 2)
        built.build()
        built.quantize("float8")
    with pytest.raises(NotImplementedError, match="does not have a `quantize` method"):
        lamina.layers.Flatten().quantize("int8")
    half = lamina.layers.Dense(2, dtype="float16")
    half.build((None, 2))
    with pytest.raises(ConfigError, match="float16"):
        half.quantize("int8")


def test_subclasses_are_quantized_only_when_asked():
    class Mine(lamina.layers.Dense):
        pass

    layer = Mine(2)
    layer.build((None, 2))
    with pytest.raises(NotImplementedError, match="Mine"):
        layer.quantize("int8")
    layer.quantize("int8", type_check=False)
    assert layer.quantized_call(np.ones((1, 2), "float32")).shape == (1, 2)
