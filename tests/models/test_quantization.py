"""Quantizing models: filters, and GPTQ and AWQ by data, whose choices are those of Keras's functions."""

import pathlib
import re

import keras
import numpy as np
import pytest
from keras.src.quantizers.awq import AWQ
from keras.src.quantizers.gptq import GPTQ

import lamina
from lamina.errors import ConfigError, DataError
from lamina.models import quantization
from lamina.quantizers import AWQConfig, GPTQConfig, calibration
from tests import twins

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's variables
    pytest.mark.filterwarnings("ignore:Layers of .* without a kernel"),
]


def dense_model(K):
    return K.Sequential(
        [K.Input((4,)), K.layers.Dense(8, name="one"), K.layers.Dense(8, name="two"), K.layers.Dense(2)]
    )


@pytest.mark.parametrize(
    ("filters", "wanted"), [("one", [1, 0, 0]), (["^o", "tw"], [1, 1, 0]), (lambda x: x.name == "two", [0, 1, 0])]
)
def test_filters(filters, wanted):
    model = dense_model(lamina)
    model.quantize("int8", filters=filters)
    assert [layer.quantization_mode == "int8" for layer in model.layers] == [bool(one) for one in wanted]


def test_a_compiled_model_goes_on():
    model = dense_model(lamina)
    model.compile("sgd", "mse")
    x = np.ones((4, 4), "float32")
    before = model.predict(x, verbose=0)
    model.quantize("int8")
    np.testing.assert_allclose(model.predict(x, verbose=0), before, atol=0.05)
    assert len(model.trainable_variables) == 3
    model.fit(x, np.ones((4, 2)), verbose=0)


def test_a_layer_without_a_kernel_is_told_of():
    model = lamina.Sequential(
        [lamina.Input((4,)), lamina.layers.BatchNormalization(name="norm"), lamina.layers.Dense(2)]
    )
    with pytest.warns(UserWarning, match=r"left as they are: \['norm'\]"):
        model.quantize("int8")


class _Block:
    """A block of a model of both libraries: what feeds forward, splits into heads and joins them."""

    @staticmethod
    def of(K):
        class Block(K.layers.Layer):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.up = K.layers.Dense(12, activation="relu")
                self.split = K.layers.EinsumDense("abc,cde->abde", (None, 2, 3))
                self.join = K.layers.EinsumDense("abde,def->abf", (None, 8))

            def build(self, input_shape):
                self.up.build(input_shape)
                self.split.build((*input_shape[:-1], 12))
                self.join.build((*input_shape[:-1], 2, 3))

            def call(self, inputs):
                return inputs + self.join(self.split(self.up(inputs)))

        return Block


def language_model(K):
    Block = _Block.of(K)

    class Net(K.Model):
        def __init__(self):
            super().__init__()
            self.embed, self.blocks = K.layers.Embedding(20, 8), [Block(), Block()]

        def call(self, inputs):
            outputs = self.embed(inputs)
            for block in self.blocks:
                outputs = block(outputs)
            return outputs

        def get_quantization_layer_structure(self, mode=None):
            return {"pre_block_layers": [self.embed], "sequential_blocks": self.blocks}

    model = Net()
    model(np.zeros((1, 6), "int32"))
    return model


DATA = [np.random.default_rng(0).integers(0, 20, 300)]
COMMON = {"dataset": DATA, "tokenizer": lambda tokens: tokens, "num_samples": 20, "sequence_length": 12}
CONFIGS = [
    GPTQConfig(**COMMON, group_size=4),
    GPTQConfig(**COMMON, group_size=-1, symmetric=True, hessian_damping=0.1),
    GPTQConfig(**COMMON, group_size=5, activation_order=True),
    GPTQConfig(**COMMON, group_size=-1, weight_bits=8, per_channel=False),
    AWQConfig(**COMMON, group_size=4),
    AWQConfig(**COMMON, group_size=-1, num_grid_points=5),
]


DENSE = ("Dense", dict(units=7), 12)
SPLIT = ("EinsumDense", dict(equation="ab,bcd->acd", output_shape=(2, 3)), 9)
CHOICES = [*((config, DENSE) for config in CONFIGS), (CONFIGS[0], SPLIT), (CONFIGS[4], SPLIT)]


@pytest.mark.parametrize(("config", "case"), CHOICES)
def test_the_choice_is_that_of_keras(config, case):
    """Both libraries see the same inputs; Keras is handed them, since its own `quantize` never looks at the data."""
    name, kwargs, features = case
    keras.utils.set_random_seed(3)  # where a weight lies between two whole numbers, the last bit would decide
    theirs, mine = getattr(keras.layers, name)(**kwargs), getattr(lamina.layers, name)(**kwargs)
    for layer in (theirs, mine):
        layer.build((None, features))
    mine.set_weights(twins.weights_of(theirs))
    kind = GPTQ if config.mode == "gptq" else AWQ
    settings = {**config.get_config(), "dataset": None, "tokenizer": None}
    theirs_config = getattr(keras.quantizers, type(config).__name__)(**settings)
    theirs.quantize(config.mode, config=theirs_config)
    mine.quantize(config=config)
    source = np.random.default_rng(1)
    inputs = [(source.normal(size=(30, features)) * np.arange(features)).astype("float32") for _ in range(2)]
    chooser, seen = kind(theirs, theirs_config), quantization._STATISTICS[config.mode]()
    for one in inputs:
        (chooser.update_hessian_with_batch if kind is GPTQ else chooser.update_activation_magnitudes)(one)
        seen.add(np.asarray(one))
    (chooser.quantize_and_correct_layer if kind is GPTQ else chooser.quantize_layer)()
    original = mine.kernel.original
    seen.settle(mine, config)
    mine._remove_variable(original)
    assert mine.is_gptq_calibrated == (kind is GPTQ) and mine.is_awq_calibrated == (kind is AWQ)
    assert [v.shape for v in mine.weights] == [tuple(v.shape) for v in theirs.weights]
    for got, wanted in zip(mine.weights[:-1], theirs.weights[:-1], strict=True):
        np.testing.assert_allclose(got.numpy(), wanted, 1e-5, 1e-6)
    np.testing.assert_array_equal(mine.g_idx, np.floor(theirs.g_idx))  # Keras keeps fractions of groups
    np.testing.assert_allclose(mine(inputs[0]), theirs(inputs[0]), 1e-4, 1e-3)


@pytest.mark.parametrize("config", [CONFIGS[0], CONFIGS[4]], ids=["gptq", "awq"])
def test_a_model_keeps_what_it_does(config, tmp_path):
    lamina.utils.set_random_seed(0)
    model = language_model(lamina)
    tokens = DATA[0][:120].reshape(10, 12)
    before = np.asarray(model(tokens))
    model.quantize(config=config)
    assert all(getattr(block.up, f"is_{config.mode}_calibrated") for block in model.blocks)
    assert all(block.up.kernel.observer is None for block in model.blocks)
    assert np.abs(model(tokens) - before).mean() < 0.25 * np.abs(before).mean()
    model.save_weights(tmp_path / "model.weights.h5")
    other = language_model(lamina)
    other.quantize(config=config)
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_allclose(other(tokens), model(tokens), 1e-6)


@pytest.mark.parametrize("choose", ["gptq", "awq"])
def test_looking_at_the_data_helps(choose):
    source = np.random.default_rng(2)
    inputs = source.normal(size=(200, 4)) @ source.normal(size=(4, 16)) * np.geomspace(0.1, 10, 16)
    weights, config = source.normal(size=(6, 16)).astype("float32"), CONFIGS[0] if choose == "gptq" else CONFIGS[4]

    def error(statistic):
        codes, scale, zero, *factors, groups = getattr(calibration, choose)(weights, statistic, config)
        matrix = calibration.from_codes(codes, scale[:, groups], zero[:, groups]) / (factors[0] if factors else 1)
        return np.square(inputs @ (matrix - weights).T).mean()

    seen = 2 / 200 * inputs.T @ inputs if choose == "gptq" else np.abs(inputs).max(0)
    assert error(seen) < 0.7 * error(np.zeros_like(seen))


def test_windows_cover_short_data_and_spread_over_long():
    short = calibration.windows(["ab", "c"], lambda text: [ord(one) for one in text], 5, 2)
    np.testing.assert_array_equal(short[0], [97, 98, 99, 97, 98])
    long = calibration.windows([np.arange(100)], None, 10, 4)
    np.testing.assert_array_equal(long[:, 0], [0, 22, 44, 66])
    with pytest.raises(DataError, match="is empty"):
        calibration.windows([], None, 5, 2)
    with pytest.raises(DataError, match="iterable of texts"):
        calibration.windows("text", None, 5, 2)


def test_refusals():
    model = dense_model(lamina)
    none = {"dataset": None, "tokenizer": None}
    for kwargs, words in (
        (dict(mode="abc"), "`mode` must be"),
        (dict(mode="int8", unknown=1), "has no argument"),
        (dict(mode="int8", filters=3), "`filters` argument must be"),
        (dict(config=GPTQConfig(**none)), "requires a dataset and a tokenizer"),
        (dict(config=GPTQConfig(**COMMON)), "valid quantization structure"),
        (
            dict(config=AWQConfig(**COMMON, quantization_layer_structure={"pre_block_layers": []})),
            "No sequential blocks",
        ),
    ):
        with pytest.raises(ConfigError, match=words):
            model.quantize(**kwargs)
    assert not any(layer.quantization_mode for layer in model.layers)


def test_the_page_prints_what_it_says(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (pathlib.Path(lamina.__file__).parents[1] / "docs" / "few_bits.md").read_text()
    names = {}
    for code in re.findall(r"^```python\n(.*?)^```", page, re.M | re.S):
        exec(compile(code, "few_bits.md", "exec"), names)
    said = [line for block in re.findall(r"^```text\n(.*?)^```", page, re.M | re.S) for line in block.splitlines()]
    printed = capsys.readouterr().out.splitlines()
    assert len(said) == 4 and [line for line in printed if line in said] == said


def test_a_quantized_layer_of_layers_is_made_so_again(tmp_path):  # Keras, where no DTypePolicyMap is given, cannot
    inputs = lamina.Input((3, 4))
    model = lamina.Model(inputs, lamina.layers.MultiHeadAttention(2, 4)(inputs, inputs))
    model.quantize("int8")
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    model.save(tmp_path / "model.keras")
    for library in (lamina, keras):
        loaded = library.saving.load_model(tmp_path / "model.keras")
        np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict(x, verbose=0), 1e-5)
    assert isinstance(loaded.layers[1].dtype_policy, keras.dtype_policies.DTypePolicyMap)
    nested = lamina.Sequential([lamina.Input((4,)), dense_model(lamina)])
    nested.quantize("int8")
    nested.save(tmp_path / "nested.keras")
    for library in (lamina, keras):
        loaded = library.saving.load_model(tmp_path / "nested.keras")
        np.testing.assert_allclose(loaded.predict(x[0], verbose=0), nested.predict(x[0], verbose=0), 1e-5)
