"""Attention layers against Keras: scores, masks, causality, gradients, weights and their files, configs, errors."""

import h5py
import jax
import keras
import numpy as np
import pytest

import lamina
from lamina.core.keras_tensor import get_mask, set_mask
from lamina.errors import CallError, ConfigError, ShapeError
from lamina.layers.attention import AdditiveAttention, Attention
from lamina.layers.multi_head_attention import GroupQueryAttention, MultiHeadAttention
from tests.layers import layer_checks as check

EXAMPLES = {
    "Attention": (lambda: dict(use_scale=True), [(4, 3), (5, 3)]),
    "AdditiveAttention": (lambda: dict(), [(4, 3), (5, 3)]),
}

QUERY_MASK = np.array([[1, 1, 0, 1], [1, 0, 0, 0]], bool)
VALUE_MASK = np.array([[1, 0, 1, 1, 0], [0, 0, 0, 1, 1]], bool)
MASK = np.random.default_rng(5).random((2, 4, 5)) > 0.4


def like_keras(ours, kwargs, shapes, masks=(None, None), **call):
    """Outputs (scores too) and the gradients of all weights are Keras's; masks are attached to the inputs."""
    mine, theirs = check.pair(ours, kwargs, name="layer")
    inputs = check.draw(list(shapes))
    one_argument = issubclass(ours, Attention)

    def loss(layer, attach, weights):
        arrays = [jax.numpy.asarray(x) for x in inputs]
        for array, mask in zip(arrays, masks, strict=False):
            if mask is not None:
                attach(array, jax.numpy.asarray(mask))
        arguments = [arrays] if one_argument else arrays
        if layer is mine:
            others = [v.value for v in layer.non_trainable_variables]
            outputs = layer.stateless_call(weights, others, *arguments, **call)[0]
        else:
            with keras.StatelessScope(list(zip(layer.trainable_variables, weights, strict=True))):
                outputs = layer(*arguments, **call)
        return sum(jax.numpy.vdot(out, check.draw(out.shape, 3)) for out in jax.tree.leaves(outputs)), outputs

    for layer in (mine, theirs):
        layer.build(list(shapes)) if one_argument else layer.build(*shapes)
    assert check.described(mine) == check.described(theirs)
    check.share_weights(mine, theirs)
    found = []
    for layer, attach in ((mine, set_mask), (theirs, keras.src.backend.set_keras_mask)):
        weights = [v.value for v in layer.trainable_variables]
        step = jax.jit(jax.grad(lambda weights: loss(layer, attach, weights), has_aux=True))  # noqa: B023
        gradients, outputs = step(weights)
        found.append((outputs, gradients))
    check.assert_close(found[0][0], found[1][0], 1e-5)
    check.assert_close(found[0][1], found[1][1], 1e-4)


SHAPES = [(2, 4, 3), (2, 5, 3), (2, 5, 3)]


@pytest.mark.parametrize(
    ("ours", "kwargs", "count", "masks", "call"),
    [
        (Attention, dict(), 2, (None, None), dict()),
        (Attention, dict(use_scale=True), 3, (QUERY_MASK, VALUE_MASK), dict(return_attention_scores=True)),
        (Attention, dict(use_scale=True, score_mode="concat"), 3, (None, VALUE_MASK), dict(use_causal_mask=True)),
        (Attention, dict(score_mode="concat", dropout=0.3), 2, (QUERY_MASK, None), dict(use_causal_mask=True)),
        (AdditiveAttention, dict(), 3, (QUERY_MASK, VALUE_MASK), dict(return_attention_scores=True)),
        (AdditiveAttention, dict(use_scale=False), 2, (None, None), dict(use_causal_mask=True)),
    ],
)
def test_attention_like_keras(ours, kwargs, count, masks, call):
    like_keras(ours, kwargs, SHAPES[:count], masks, **call)


HEADS = dict(num_heads=2, key_dim=3)
GROUPS = dict(head_dim=3, num_query_heads=4, num_key_value_heads=2)


@pytest.mark.filterwarnings("ignore:[\\S\\s]*was passed an input with a mask")  # Keras's projections
@pytest.mark.parametrize(
    ("ours", "kwargs", "masks", "call"),
    [
        (MultiHeadAttention, HEADS, (None, None), dict()),
        (MultiHeadAttention, HEADS, (QUERY_MASK, VALUE_MASK), dict(attention_mask=MASK)),
        (MultiHeadAttention, HEADS, (QUERY_MASK, VALUE_MASK), dict(use_causal_mask=True, return_attention_scores=True)),
        (MultiHeadAttention, HEADS | dict(value_dim=2), (None, None), dict(return_attention_scores=True)),
        (MultiHeadAttention, HEADS | dict(output_shape=(2, 3), use_bias=False), (None, None), dict()),
        (MultiHeadAttention, HEADS | dict(use_gate=True, sliding_window=2, output_shape=5), (None, VALUE_MASK), dict()),
        (MultiHeadAttention, HEADS | dict(dropout=0.4), (QUERY_MASK, None), dict(use_causal_mask=True)),
        (GroupQueryAttention, GROUPS, (None, None), dict(use_causal_mask=True)),
        (GroupQueryAttention, GROUPS, (QUERY_MASK, VALUE_MASK), dict(return_attention_scores=True)),
        (GroupQueryAttention, GROUPS | dict(use_gate=True), (QUERY_MASK, VALUE_MASK), dict()),
        (GroupQueryAttention, GROUPS | dict(sliding_window=2, use_bias=False), (None, None), dict(attention_mask=MASK)),
    ],
)  # fmt: skip
def test_heads_like_keras(ours, kwargs, masks, call):
    like_keras(ours, kwargs, [(2, 4, 6), (2, 5, 6)], masks, **call)


def test_keys_of_their_own():
    like_keras(MultiHeadAttention, HEADS, [(2, 4, 6), (2, 5, 2), (2, 5, 7)], (None, None, VALUE_MASK))


@pytest.mark.parametrize("axes", [(1,), 2, (1, 2), (-2,)])
def test_any_attention_axes(axes):
    mask = {1: (2, 3, 3), 2: (2, 3, 4, 3, 4)}[2 if axes == (1, 2) else 1]
    mask = mask if axes in ((1,), (1, 2)) else (2, 4, 4)
    kwargs = HEADS | dict(attention_axes=axes)
    attention_mask = np.random.default_rng(0).random(mask) > 0.3
    like_keras(MultiHeadAttention, kwargs, [(2, 3, 4, 6)] * 2, attention_mask=attention_mask)


def test_values_of_another_length_than_keys():
    """Keras gives an error here unless it is asked for the scores."""
    layer, x = MultiHeadAttention(2, 3, value_dim=2), check.draw((2, 4, 6))
    for call in (dict(), dict(use_causal_mask=True), dict(attention_mask=MASK[:, :, :4])):
        np.testing.assert_allclose(layer(x, x, **call), layer(x, x, return_attention_scores=True, **call)[0], atol=1e-6)


def test_a_query_mask_that_is_given():
    """Keras's MultiHeadAttention goes by the mask that the query carries, whatever is given."""
    layer, x = MultiHeadAttention(2, 3), check.draw((2, 4, 6))
    outputs, scores = layer(x, x, query_mask=QUERY_MASK, return_attention_scores=True)
    assert (np.asarray(scores).sum(-1) > 0.5).tolist() == np.broadcast_to(QUERY_MASK[:, None], (2, 2, 4)).tolist()
    np.testing.assert_array_equal(get_mask(outputs), QUERY_MASK)


def test_one_axis_of_causality():
    with pytest.raises(CallError, match="one attention axis"):
        MultiHeadAttention(2, 3)(*[check.draw((2, 3, 4, 6))] * 2, use_causal_mask=True)


def test_dropout_drops_weights():
    x = check.draw((2, 4, 6))
    for layer, inputs in (
        (MultiHeadAttention(2, 3, dropout=0.5, seed=1), (x, x)),
        (Attention(dropout=0.5, seed=1), ([x, x],)),
    ):
        plain, dropped = layer(*inputs), layer(*inputs, training=True)
        assert not np.allclose(plain, dropped) and not np.allclose(dropped, layer(*inputs, training=True))
    twos = Attention(dropout=0.5, seed=1)([x, x], training=True, return_attention_scores=True)[1]
    np.testing.assert_allclose(
        *np.broadcast_arrays(twos, np.where(twos == 0, 0, 2 * Attention()([x, x], return_attention_scores=True)[1])),
        1e-5,
    )
    assert (np.asarray(twos) == 0).any()


def test_outputs_have_the_mask_of_the_query():
    tokens = np.array([[1, 2, 0], [3, 0, 0]])
    for make in (lambda: MultiHeadAttention(2, 3), lambda: GroupQueryAttention(3, 2, 1), Attention):
        x = lamina.layers.Embedding(5, 6, mask_zero=True)(tokens)
        layer = make()
        outputs = layer([x, x]) if isinstance(layer, Attention) else layer(x, x)
        np.testing.assert_array_equal(get_mask(outputs), tokens != 0)
        plain = lamina.layers.Embedding(5, 6)(tokens)
        outputs = layer([plain, x]) if isinstance(layer, Attention) else layer(plain, x)
        assert get_mask(outputs) is None


def test_inputs_keep_their_masks():
    """Keras's MultiHeadAttention takes them off the caller's tensors, so that a residual sum after it has none."""
    x = lamina.layers.Embedding(5, 6, mask_zero=True)(np.array([[1, 2, 0]]))
    total = lamina.layers.Add()([x, MultiHeadAttention(2, 3)(x, x)])
    np.testing.assert_array_equal(get_mask(total), [[True, True, False]])


@pytest.mark.parametrize(
    ("ours", "kwargs"),
    [
        (Attention, dict(use_scale=True, score_mode="concat", dropout=0.2, seed=3)),
        (AdditiveAttention, dict(use_scale=False, dropout=0.1)),
        (MultiHeadAttention, HEADS),
        (MultiHeadAttention, HEADS | dict(output_shape=[2, 3], attention_axes=(1, 2), use_gate=True)),
        (GroupQueryAttention, GROUPS | dict(bias_initializer="ones", activity_regularizer="l2", sliding_window=3)),
    ],
)  # fmt: skip
def test_configs(ours, kwargs):
    check.assert_same_config(ours, kwargs)


@pytest.mark.parametrize(("ours", "kwargs"), [(MultiHeadAttention, HEADS), (GroupQueryAttention, GROUPS)])
def test_penalties_of_activities(ours, kwargs):
    mine, theirs = check.pair(ours, kwargs | dict(activity_regularizer="l2"))
    x = check.draw((2, 4, 6))
    mine(x, x), theirs(x, x)
    check.share_weights(mine, theirs)
    mine(x, x), theirs(x, x)
    np.testing.assert_allclose(sum(mine.losses), sum(theirs.losses), 1e-5)


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras's variables under today's NumPy
@pytest.mark.parametrize(("ours", "kwargs"), [(MultiHeadAttention, HEADS), (GroupQueryAttention, GROUPS)])
def test_files_of_both(ours, kwargs, tmp_path):
    """Models and weights that Keras wrote load, and the reverse."""
    x = check.draw((2, 4, 6))

    def model(k):
        inputs = k.Input((4, 6))
        layer = getattr(k.layers, ours.__name__)(**kwargs, use_gate=True, dropout=0.1)
        return k.Model(inputs, layer(inputs, inputs))

    lamina.utils.clear_session()
    keras.utils.clear_session(free_memory=False)
    mine, theirs = model(lamina), model(keras)
    assert [layer.name for layer in mine.layers] == [layer.name for layer in theirs.layers]
    path = tmp_path / "theirs.weights.h5"
    theirs.save_weights(path)
    mine.load_weights(path)
    check.assert_close(mine(x), theirs(x), 1e-5)
    mine.save_weights(tmp_path / "mine.weights.h5")
    with h5py.File(path) as a, h5py.File(tmp_path / "mine.weights.h5") as b:
        assert arrays_of(a) == arrays_of(b)
    theirs.save(tmp_path / "theirs.keras")
    check.assert_close(lamina.models.load_model(tmp_path / "theirs.keras")(x), theirs(x), 1e-5)
    mine.save(tmp_path / "mine.keras")
    check.assert_close(mine(x), keras.models.load_model(tmp_path / "mine.keras")(x), 1e-5)


def arrays_of(file):
    found = set()
    file.visititems(
        lambda name, item: found.add(name) if isinstance(item, h5py.Dataset) and "seed" not in name else None
    )
    return found


def test_flash_attention_has_its_limits():
    with pytest.raises(ConfigError, match="dropout"):
        MultiHeadAttention(2, 3, flash_attention=True, dropout=0.1)
    layer = GroupQueryAttention(3, 2, 1, flash_attention=True)
    assert layer.flash_attention and "flash_attention" not in layer.get_config()
    with pytest.raises(CallError, match="scores"):
        layer(*[check.draw((2, 4, 6))] * 2, return_attention_scores=True)


def test_refusals():
    x = check.draw((2, 4, 6))
    with pytest.raises(CallError, match="needs a list"):
        Attention()(x)
    with pytest.raises(CallError, match="needs a list of masks"):
        Attention()([x, x], mask=[QUERY_MASK])
    with pytest.raises(ConfigError, match="score_mode"):
        Attention(score_mode="cosine")
    with pytest.raises(ConfigError, match="num_heads"):
        MultiHeadAttention(0, 3)
    with pytest.raises(ConfigError, match="sliding_window"):
        MultiHeadAttention(2, 3, sliding_window=-1)
    with pytest.raises(ConfigError, match="multiple"):
        GroupQueryAttention(3, 4, 3)
    with pytest.raises(ShapeError, match="Keys and values must have the same sequence length"):
        MultiHeadAttention(2, 3)(x, x, x[:, :3])
    with pytest.raises(ShapeError, match="rank 3"):
        GroupQueryAttention(3, 2, 1)(x[0], x[0])
    with pytest.raises(ShapeError, match="the same sizes"):
        MultiHeadAttention(2, 3)(x, x[None])


def cached(base):
    """A layer as packages write it on the protected members of Keras's."""

    class Cached(base):
        def call(self, x, mask):
            query, key, value = (dense(x) for dense in (self._query_dense, self._key_dense, self._value_dense))
            mixed, scores = self._compute_attention(query, key, value, mask, return_attention_scores=True)
            return self._output_dense(mixed), scores

    return Cached


def test_classes_of_packages_find_what_they_build_on():
    x, mask = np.random.default_rng(1).normal(size=(2, 4, 3)).astype("float32"), MASK[:, :, :4]
    mine, theirs = (cached(library.layers.MultiHeadAttention)(2, 5) for library in (lamina, keras))
    for layer in (mine, theirs):
        layer.build(x.shape, x.shape)
    mine.set_weights([np.asarray(variable.value) for variable in theirs.weights])
    for ours, expected in zip(mine.call(x, mask), theirs.call(x, mask), strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-5)
    assert (mine._num_heads, mine._key_dim, mine._value_dim) == (theirs._num_heads, theirs._key_dim, theirs._value_dim)


def own_build(base):
    """A subclass that builds its projections itself, as those of speech models do, and changes two steps."""

    class Own(base):
        def build(self, query_shape, value_shape, key_shape=None):
            dense = keras.layers.EinsumDense if base is keras.layers.MultiHeadAttention else lamina.layers.EinsumDense
            common = self._get_common_kwargs_for_sublayer()
            self._use_bias = False
            heads = (None, self._num_heads, self._key_dim)
            for name, shape in (
                ("_query_dense", query_shape),
                ("_key_dense", value_shape),
                ("_value_dense", value_shape),
            ):
                setattr(self, name, dense("abc,cde->abde", heads, **common))
                getattr(self, name).build(shape)
            self._build_attention(4)
            self._output_dense = dense("abcd,cde->abe", self._output_shape or (None, query_shape[-1]), **common)
            self._output_dense.build((None, None, self._num_heads, self._value_dim))
            self.built = True

        def _compute_attention_mask(self, query, value, **kwargs):
            return super()._compute_attention_mask(query, value, use_causal_mask=True)

        def _masked_softmax(self, attention_scores, attention_mask=None):
            return super()._masked_softmax(2 * attention_scores, attention_mask)

    return Own


def test_subclasses_build_the_projections_and_change_the_steps():
    x = np.random.default_rng(1).normal(size=(2, 4, 3)).astype("float32")
    mine, theirs = (own_build(library.layers.MultiHeadAttention)(2, 5, dropout=0.1) for library in (lamina, keras))
    for layer in (theirs, mine):
        layer.build(x.shape, x.shape)
    mine.set_weights([np.asarray(variable.value) for variable in theirs.weights])
    ours, expected = (layer(query=x, value=x, attention_mask=None) for layer in (mine, theirs))
    np.testing.assert_allclose(ours, expected, atol=1e-5)
    assert not mine.use_bias
