"""LoRA: the kernel frozen, an update of low rank trained beside it, the sum in files."""

import copy

import keras
import numpy as np
import pytest

import lamina
from lamina.errors import CallError, ConfigError
from tests import twins
from tests.layers import layer_checks as check

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's variables

LAYERS = {
    "Dense": (dict(units=5, kernel_regularizer="l2"), (2, 3, 4)),
    "EinsumDense": (dict(equation="abc,cde->abde", output_shape=(3, 2, 3), bias_axes="de"), (2, 3, 4)),
    "Conv1D": (dict(filters=4, kernel_size=3, groups=2), (2, 6, 4)),
    "Conv2D": (dict(filters=4, kernel_size=(2, 3), use_bias=False), (2, 5, 5, 3)),
}


def both(name, kwargs, shape):
    """The layers of both libraries, with LoRA and the same weights."""
    mine, theirs = check.pair(getattr(lamina.layers, name), kwargs, name="layer")
    for layer in (mine, theirs):
        layer.build(shape)
        layer.enable_lora(2, lora_alpha=3)
    assert check.described(mine) == check.described(theirs)
    check.share_weights(mine, theirs)
    return mine, theirs


@pytest.mark.parametrize("name", LAYERS)
def test_outputs_and_gradients_are_those_of_keras(name):
    kwargs, shape = LAYERS[name]
    mine, theirs = both(name, kwargs, shape)
    inputs, cotangent = check.draw(shape), check.draw(theirs.compute_output_shape(shape), seed=3)
    got, wanted = check.step(mine, inputs, cotangent), check.step(theirs, inputs, cotangent)
    check.assert_close(got[:2], wanted[:2], 1e-5)
    check.assert_close(got[2], wanted[2], 1e-4)
    check.assert_close(mine.losses, theirs.losses, 1e-5)
    assert mine.get_config() == theirs.get_config() and mine.lora_enabled


@pytest.mark.parametrize("name", LAYERS)
def test_the_kernel_is_the_sum(name):
    kwargs, shape = LAYERS[name]
    mine, theirs = both(name, kwargs, shape)
    a, b = mine.lora_kernel_a.numpy(), mine.lora_kernel_b.numpy()
    np.testing.assert_allclose(mine.kernel, mine.weights[0].numpy() + 1.5 * a @ b, 1e-6)
    np.testing.assert_allclose(mine.kernel, theirs.kernel, 1e-5)
    kept, expected = {}, {}
    mine.save_own_variables(kept)
    theirs.save_own_variables(expected)
    assert list(kept) == list(expected)
    for key, value in kept.items():
        np.testing.assert_allclose(value, expected[key], 1e-5)


@pytest.mark.parametrize(("mode", "tied"), [(None, True), ("int8", False), ("int4", True)])
def test_embeddings(mode, tied):
    mine, theirs = check.pair(lamina.layers.ReversibleEmbedding, dict(input_dim=7, output_dim=5, tie_weights=tied))
    for layer in (mine, theirs):
        layer.build()
    check.share_weights(mine, theirs)
    for layer in (mine, theirs):
        if mode:
            layer.quantize(mode)
        layer.enable_lora(2)
        layer.lora_embeddings_a.assign(np.full((7, 2), 0.3, "float32"))
        layer.lora_embeddings_b.assign(np.arange(10, dtype="float32").reshape(2, 5) / 7)
    assert [v.name for v in mine.trainable_variables] == [v.name for v in theirs.trainable_variables]
    numbers = np.array([[0, 6, 3]])
    np.testing.assert_allclose(mine(numbers), theirs(numbers), 1e-5, 1e-6)
    if mode is None:  # Keras leaves the update out of the reverse of a quantized table
        vectors = check.draw((2, 5))
        np.testing.assert_allclose(mine(vectors, reverse=True), theirs(vectors, reverse=True), 1e-5, 1e-6)
    kept, expected = {}, {}
    mine.save_own_variables(kept)
    theirs.save_own_variables(expected)
    assert list(kept) == list(expected)
    for key, value in kept.items():
        np.testing.assert_allclose(value, expected[key], 1e-5, 1e-5)


def model(K, lora=True):
    made = K.Sequential(
        [
            K.Input((6, 1)),
            K.layers.Conv1D(3, 2, activation="relu", name="conv", **({"lora_rank": 2} if lora else {})),
            K.layers.Flatten(),
            K.layers.Dense(4, activation="tanh", name="dense"),
            K.layers.Dense(1, name="head"),
        ]
    )
    if lora:
        made.get_layer("dense").enable_lora(2)
    return made


def test_fit_trains_the_update_alone_and_files_are_those_of_keras(tmp_path):
    theirs, ours = twins.twins(model)
    frozen = [ours.get_layer(name).weights[0] for name in ("conv", "dense")]
    before = [variable.numpy() for variable in frozen]
    x = np.random.default_rng(0).normal(size=(24, 6, 1)).astype("float32")
    y = x.sum(1)
    twins.train_both(theirs, ours, x, y, lambda K: dict(optimizer=K.optimizers.SGD(0.1), loss="mse"))
    for variable, value in zip(frozen, before, strict=True):
        assert not variable.trainable
        np.testing.assert_array_equal(variable.numpy(), value)
    expected = ours.predict(x, verbose=0)
    for writer, reader in ((ours, keras), (theirs, lamina)):
        writer.save(tmp_path / "lora.keras")
        loaded = reader.saving.load_model(tmp_path / "lora.keras")
        assert loaded.get_layer("dense").lora_enabled
        np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, 1e-3, 1e-4)
        writer.save_weights(tmp_path / "lora.weights.h5")
        plain = model(reader, lora=False)
        plain.load_weights(tmp_path / "lora.weights.h5")
        np.testing.assert_allclose(plain.predict(x, verbose=0), expected, 1e-3, 1e-4)


def test_a_plain_file_is_read_into_the_base():
    plain, layer = lamina.layers.Dense(3), lamina.layers.Dense(3, lora_rank=1)
    for one in (plain, layer):
        one.build((None, 2))
    layer.lora_kernel_b.assign(np.ones((1, 3)))
    store = {}
    plain.save_own_variables(store)
    layer.load_own_variables(store)
    np.testing.assert_array_equal(layer.kernel, plain.kernel)


def test_the_asked_for_alpha_holds():  # Keras's Dense and Embedding forget it when they are built
    layer = lamina.layers.Dense(3, lora_rank=2, lora_alpha=8)
    layer.build((None, 2))
    assert layer.lora_alpha == layer.get_config()["lora_alpha"] == 8
    assert lamina.layers.Dense(3, lora_rank=2).lora_alpha == 2


def test_a_copy_has_weights_of_its_own():
    layer = lamina.layers.Dense(3, lora_rank=1)
    layer.build((None, 2))
    twin = copy.deepcopy(layer)
    twin.lora_kernel_b.assign(np.ones((1, 3)))
    assert not np.allclose(twin.kernel, layer.kernel)
    assert [v.name for v in twin.weights] == ["kernel", "bias", "lora_kernel_a", "lora_kernel_b"]


def test_refusals():
    with pytest.raises(ConfigError, match="incompatible with kernel constraints"):
        lamina.layers.Dense(2, kernel_constraint="max_norm").enable_lora(2)
    with pytest.raises(ConfigError, match="incompatible with embedding constraints"):
        lamina.layers.Embedding(2, 2, embeddings_constraint="max_norm").enable_lora(2)
    layer = lamina.layers.Dense(2)
    with pytest.raises(CallError, match="Cannot enable lora on a layer that isn't yet built"):
        layer.enable_lora(2)
    layer.build((None, 2))
    layer.enable_lora(2)
    with pytest.raises(CallError, match="lora is already enabled"):
        layer.enable_lora(2)
    with pytest.raises(NotImplementedError, match="float8 not beside LoRA"):
        layer.quantize("float8")
    with pytest.raises(AttributeError, match="enable_lora"):
        lamina.layers.DepthwiseConv1D(2).enable_lora(2)
