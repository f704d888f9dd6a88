"""Repeat: a block several times over, beside as many separate blocks with the same weights."""

import copy
import pickle

import jax
import numpy as np
import pytest

import lamina as keras

layers = keras.layers
X = np.random.default_rng(0).normal(size=(8, 4, 6)).astype("float32")

EXAMPLES = {"Repeat": (lambda: dict(layer=layers.Dense(3), n=2), (4, 3))}


def dense_block():
    return keras.Sequential([
        layers.Dense(6, activation="relu", kernel_regularizer=keras.regularizers.OrthogonalRegularizer(0.1)),
        layers.BatchNormalization(momentum=0.5),
        layers.Dense(6, activity_regularizer="l2", kernel_constraint="max_norm"),
    ])  # fmt: skip


@keras.saving.register_keras_serializable("test_repeat")
class Attends(layers.Layer):
    """A block that is built by its call, takes a second tensor, and drops at random."""

    def __init__(self, rate=0.0, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.attention, self.dense = layers.MultiHeadAttention(2, 3), layers.Dense(6)
        self.dropout = layers.Dropout(rate)
        self.supports_masking = True

    def call(self, x, context=None):
        return x + self.dropout(self.dense(self.attention(x, x if context is None else context)))

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


def separate(repeat, make):
    """As many blocks as the repetitions, with their weights."""

    def run(x):
        for index, block in enumerate(blocks):
            x = block(x)
            block.set_weights([weight[index] for weight in repeat.get_weights()])
        return x

    blocks = [make() for _ in range(repeat.n)]
    return blocks, run


def test_training_is_that_of_separate_blocks():
    repeat = layers.Repeat(dense_block(), 3, rematerialize=True)
    models = [keras.Sequential([keras.Input((4, 6)), repeat, layers.Dense(1)])]
    blocks, run = separate(repeat, dense_block)
    inputs = keras.Input((4, 6))
    models.append(keras.Model(inputs, layers.Dense(1, name="head")(run(inputs))))
    models[1].get_layer("head").set_weights(models[0].layers[-1].get_weights())
    histories = []
    for model in models:
        model.compile(keras.optimizers.Adam(0.05), "mse")
        histories.append(model.fit(X, X[..., :1], batch_size=4, epochs=2, verbose=0, shuffle=False).history["loss"])
    np.testing.assert_allclose(*histories, rtol=1e-5)
    for index, block in enumerate(blocks):
        for stacked, alone in zip(repeat.get_weights(), block.get_weights(), strict=True):
            np.testing.assert_allclose(stacked[index], alone, atol=1e-5)
    repeat.rematerialize = False
    np.testing.assert_allclose(repeat(X), jax.jit(lambda x: repeat(x))(X), atol=1e-5)
    assert len(models[0].variables) == 8 + 2 and repeat.count_params() == 3 * blocks[0].count_params()


def test_the_program_is_that_of_one_block():
    sizes = []
    for n in (2, 20):
        repeat = layers.Repeat(layers.Dense(6), n)
        repeat(X)
        sizes.append(str(jax.make_jaxpr(lambda x, repeat=repeat: repeat(x))(X)).count("scan["))
    assert sizes == [1, 1]


def test_repetitions_start_and_draw_apart():
    keras.utils.set_random_seed(1)
    repeat = layers.Repeat(Attends(0.5), 3)
    model = keras.Sequential([keras.Input((4, 6)), repeat])
    kernel, state = repeat.layer.dense.kernel.numpy(), repeat.layer.dropout.seed_generator.state.numpy()
    assert len(np.unique(kernel[:, 0, 0])) == len(np.unique(state[:, 0])) == 3
    assert abs(kernel.std() - np.sqrt(2 / 12)) < 0.1  # glorot of one block, not of the stack
    model.compile("sgd", "mse")
    first = model.train_on_batch(X, X)
    assert np.array_equal(repeat.layer.dropout.seed_generator.state.numpy(), state + np.array([0, 1]))
    assert model.train_on_batch(X, X) != first


def test_masks_second_tensors_and_files(tmp_path):
    ids = np.random.default_rng(1).integers(0, 4, (8, 5))
    repeat = layers.Repeat(Attends(), 2)
    numbers, context = keras.Input((5,), dtype="int32"), keras.Input((3, 6))
    outputs = layers.GlobalAveragePooling1D()(repeat(layers.Embedding(4, 6, mask_zero=True)(numbers), context=context))
    model = keras.Model([numbers, context], outputs)
    given = [ids, X[:, :3]]
    predicted = model.predict(given, verbose=0)
    assert predicted.shape == (8, 6)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(given, verbose=0), predicted)
    model.save_weights(tmp_path / "model.weights.h5")
    again.set_weights([np.zeros_like(weight) for weight in again.get_weights()])
    again.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(again.predict(given, verbose=0), predicted)


def test_a_mask_goes_through_all_repetitions():
    ids = np.random.default_rng(1).integers(0, 4, (8, 5))
    embedding, repeat = layers.Embedding(4, 6, mask_zero=True), layers.Repeat(Attends(), 2)
    numbers = keras.Input((5,), dtype="int32")
    model = keras.Model(numbers, layers.GlobalAveragePooling1D()(repeat(embedding(numbers))))
    _, run = separate(repeat, Attends)
    run(embedding(ids))
    alone = layers.GlobalAveragePooling1D()(run(embedding(ids)))
    np.testing.assert_allclose(model.predict(ids, verbose=0), alone, atol=1e-6)


def test_a_block_that_makes_a_mask_makes_it_once():
    repeat = layers.Repeat(layers.Masking(2.0), 2)  # makes a mask where there was none
    model = keras.Sequential([keras.Input((4, 6)), repeat, layers.GlobalAveragePooling1D()])
    x = X.copy()
    x[:, 2:] = 2.0
    alone = layers.GlobalAveragePooling1D()(layers.Masking(2.0)(layers.Masking(2.0)(x)))
    np.testing.assert_allclose(model.predict(x, verbose=0), alone, atol=1e-6)


def test_low_rank_updates_and_quantization_are_those_of_each(tmp_path):
    def nested():
        block = keras.Sequential([layers.Dense(3, activation="tanh"), layers.EinsumDense("abc,cd->abd", (None, 6))])
        return keras.Sequential([keras.Input((4, 6)), layers.Repeat(layers.Repeat(block, 2), 3)])

    model = nested()
    dense, einsum = model.layers[0].layer.layer.layers
    before = model.predict(X, verbose=0)
    assert dense.kernel.shape == (3, 2, 6, 3)
    for layer in (dense, einsum):
        layer.enable_lora(2)
    assert [v.shape for v in dense.trainable_variables] == [(3, 2, 3), (3, 2, 6, 2), (3, 2, 2, 3)]
    np.testing.assert_allclose(model.predict(X, verbose=0), before, atol=1e-6)
    dense.lora_kernel_b.assign(np.random.default_rng(0).normal(size=(3, 2, 2, 3)))
    changed = model.predict(X, verbose=0)
    model.save_weights(tmp_path / "merged.weights.h5")
    plain = nested()
    plain.load_weights(tmp_path / "merged.weights.h5")
    np.testing.assert_allclose(plain.predict(X, verbose=0), changed, atol=1e-5)
    dense = plain.layers[0].layer.layer.layers[0]
    dense.quantize("int8")
    assert [v.shape for v in dense.kernel.parts.values()] == [(3, 2, 6, 3), (3, 2, 3)]
    np.testing.assert_allclose(plain.predict(X, verbose=0), changed, atol=0.1)
    plain.save(tmp_path / "small.keras")
    again = keras.models.load_model(tmp_path / "small.keras")
    np.testing.assert_array_equal(again.predict(X, verbose=0), plain.predict(X, verbose=0))


@pytest.mark.parametrize("kind", ["GPTQConfig", "AWQConfig"])
def test_codes_chosen_by_data_are_those_of_separate_blocks(kind, tmp_path):
    def block():
        return keras.Sequential([keras.Input((4, 8)), layers.Dense(8, activation="relu", name="a"), layers.Dense(8)])

    tokens, embed = np.random.default_rng(0).integers(0, 9, (6, 4)), layers.Embedding(9, 8)
    repeat = layers.Repeat(block(), 2)
    model = keras.Sequential([keras.Input((4,), dtype="int32"), embed, repeat])
    blocks, _ = separate(repeat, block)
    for index, one in enumerate(blocks):
        one.set_weights([weight[index] for weight in repeat.get_weights()])
    whole = keras.Sequential([keras.Input((4,), dtype="int32"), embed, *blocks])
    found = []
    for one, inner in ((model, [repeat]), (whole, blocks)):
        structure = {"pre_block_layers": [embed], "sequential_blocks": inner}
        config = getattr(keras.quantizers, kind)(list(tokens), len, num_samples=4, sequence_length=4, group_size=4,
                                                 quantization_layer_structure=structure)  # fmt: skip
        one.quantize(config.mode, config=config, filters="^a$")
        found.append(one.predict(tokens, verbose=0))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5, atol=1e-6)
    assert repeat.layer.layers[0].quantized_kernel.shape == (2, 4, 8)
    model.save(tmp_path / "model.keras")  # its config does not have the blocks, whose layers have the config
    np.testing.assert_array_equal(
        keras.models.load_model(tmp_path / "model.keras").predict(tokens, verbose=0), found[0]
    )


def test_copies_and_policies():
    repeat = layers.Repeat(layers.Dense(6, dtype="mixed_bfloat16"), 2)
    assert repeat(X).dtype == "bfloat16" and repeat.layer.kernel.dtype == "float32"
    for twin in (copy.deepcopy(repeat), pickle.loads(pickle.dumps(repeat))):
        np.testing.assert_array_equal(twin(X), repeat(X))
    assert layers.Repeat.from_config(repeat.get_config()).get_config() == repeat.get_config()


def test_metrics_inside_and_writes_elsewhere():
    class Counts(layers.Layer):
        def __init__(self):
            super().__init__()
            self.seen = keras.metrics.Sum(name="seen")

        def call(self, x):
            self.seen.update_state(1.0)
            return x

    repeat = layers.Repeat(Counts(), 3)
    repeat(X[:1])
    assert float(repeat.layer.seen.result()) == 3
    outside = keras.Variable(0.0, name="total")
    repeat = layers.Repeat(layers.Lambda(lambda x: outside.assign_add(1.0) * x), 3)
    with pytest.raises(keras.errors.CallError, match="assigns total"):
        keras.Sequential([keras.Input((4, 6)), layers.Dense(6), repeat]).predict(X, verbose=0)


def test_what_is_said_of_it():
    said = []
    for n in (1, 3):
        repeat = layers.Repeat(dense_block(), n, rematerialize=True)
        said += keras.Sequential([keras.Input((4, 6)), repeat]).explain(repeat).layers
    assert "3 times in a row" in said[1].sentences[0] and "stores only what passes between" in said[1].sentences[-1]
    flops = [int(one.operations.split()[0].replace(",", "")) for one in said]
    assert 2.9 * flops[0] < flops[1] <= 3 * flops[0]


def test_a_model_without_values_draws_those_it_would_have_had():
    def made():
        keras.utils.set_random_seed(5)
        block = keras.Sequential([layers.Dense(6), layers.Dropout(0.5)])
        return keras.Sequential([keras.Input((4, 6)), layers.Repeat(layers.Repeat(block, 2), 2), layers.Dense(1)])

    with keras.abstract():
        model = made()
        huge = keras.Sequential([keras.Input((10**6,)), layers.Dense(10**6), layers.BatchNormalization()])
        huge.compile("adam", "mse")
    assert huge.count_params() == 10**12 + 5 * 10**6 and model.layers[0].weights[0].shape == (2, 2, 6, 6)
    for drawn, value in zip(model.variables, made().variables, strict=True):
        np.testing.assert_array_equal(drawn.numpy(), value.numpy())
    assert len(np.unique(model.layers[0].weights[0].numpy()[..., 0, 0])) == 4
