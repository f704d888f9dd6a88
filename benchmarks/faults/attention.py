"""Faults of attention and of transformers."""

import numpy as np

from benchmarks.faults.data import images, one_hot, rows, series, texts
from benchmarks.faults.library import Input, Model, Sequential, layers, losses, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import DEFAULT, DEFECTS, STUDY, TAXONOMY

LENGTH, WORDS, WIDTH = 20, 200, 32


class _Positions(layers.Layer):
    """Adds learned positions, and passes the mask on."""

    def __init__(self, length):
        super().__init__()
        self.supports_masking = True
        self.length, self.table = length, layers.Embedding(length, WIDTH)

    def call(self, x):
        return x + self.table(ops.arange(self.length))


def embedded(inputs, positions=True, mask=False, length=LENGTH, words=WORDS):
    """Tokens as vectors, with learned positions unless left out."""
    z = layers.Embedding(words, WIDTH, mask_zero=mask)(inputs)
    if mask:
        return _Positions(length)(z)
    return z + layers.Embedding(length, WIDTH)(ops.arange(length)) if positions else z


def encoder(z, attend=None, skip=True, normalize=True, dropout=0.1, **how):
    """A block of an encoder, with self attention unless another is given."""
    y = attend(z) if attend else layers.MultiHeadAttention(2, 16, dropout=dropout)(z, z, **how)
    z = layers.Add()([z, y]) if skip else y
    z = layers.LayerNormalization()(z) if normalize else z
    y = layers.Dense(WIDTH)(layers.Dense(64, activation="relu")(z))
    z = layers.Add()([z, layers.Dropout(dropout)(y)]) if skip else y
    return layers.LayerNormalization()(z) if normalize else z


def classifier(inputs, z, classes=2):
    """The mean over the tokens, and a softmax of it; compiled."""
    z = layers.GlobalAveragePooling1D()(z)
    model = Model(inputs, layers.Dense(classes, activation="softmax")(z))
    model.compile(optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def language_model(inputs, z, words=WORDS, **compile):
    """Scores of the next token at each position; compiled."""
    model = Model(inputs, layers.Dense(words)(z))
    model.compile(optimizers.Adam(1e-3), losses.SparseCategoricalCrossentropy(from_logits=True), **compile)
    return model


@faulty("mask", "label shift", source=f"{DEFAULT}: causal mask left out")
def language_model_that_sees_the_future(pick):
    """A decoder without a causal mask learns to copy the next token."""
    x, _ = texts(LENGTH + 1, WORDS)
    inputs = Input((LENGTH,), dtype="int32")
    z = embedded(inputs)
    for _ in range(2):
        z = encoder(z, use_causal_mask=pick(False, True))
    return language_model(inputs, z), x[:, :-1], x[:, 1:], {"epochs": 30}


@faulty("mask", source=f"{DEFAULT}: causal mask of the wrong sense")
def triangle_of_the_wrong_side(pick):
    """A mask by hand that lets each token see itself and the later ones only."""
    x, _ = texts(LENGTH + 1, WORDS)
    inputs = Input((LENGTH,), dtype="int32")
    ones = np.ones((1, LENGTH, LENGTH), bool)
    mask = ops.convert_to_tensor(pick(np.triu(ones), np.tril(ones)))
    z = encoder(embedded(inputs), attention_mask=mask)
    return language_model(inputs, z), x[:, :-1], x[:, 1:], {"epochs": 30}


@faulty("mask", source=f"{DEFAULT}: padding mask of the wrong sense")
def mask_of_the_padding_itself(pick):
    """True where there is padding, as PyTorch has it; Keras takes True as visible."""
    x, y = texts(LENGTH, WORDS, 4, padded=True)
    inputs = Input((LENGTH,), dtype="int32")
    visible = pick(ops.equal, ops.not_equal)(inputs, 0)
    z = encoder(embedded(inputs), attention_mask=visible[:, None, :])
    return classifier(inputs, z, 4), x, y, {"epochs": 30}


@faulty("mask", source=f"{DEFAULT}: padding mask left out")
def attends_to_padding(pick):
    """Texts padded to three times their length, and nothing hides the padding."""
    x, y = texts(LENGTH, WORDS, 4, padded=True)
    x = np.pad(x, ((0, 0), (0, 40)))
    inputs = Input((60,), dtype="int32")
    z = encoder(embedded(inputs, mask=pick(False, True), length=60))
    return classifier(inputs, z, 4), x, y, {"epochs": 30}


@faulty("positions", source=f"{DEFAULT}: positional encoding left out")
def bag_of_tokens(pick):
    """A transformer that must know the order, and has no positions."""
    x, _ = texts(LENGTH, WORDS)
    y = (x[:, :10].sum(axis=1) > x[:, 10:].sum(axis=1)).astype("int64")
    inputs = Input((LENGTH,), dtype="int32")
    z = encoder(encoder(embedded(inputs, positions=pick(False, True))))
    return classifier(inputs, z), x, y, {"epochs": 30}


@faulty("positions", source=f"{DEFAULT}: positional encoding of all positions alike")
def one_position_for_all(pick):
    """Positions that are all 0."""
    x, y = texts(LENGTH, WORDS, 4)
    inputs = Input((LENGTH,), dtype="int32")
    places = np.arange(LENGTH) * pick(0, 1)
    z = layers.Embedding(WORDS, WIDTH)(inputs) + layers.Embedding(LENGTH, WIDTH)(ops.convert_to_tensor(places))
    return classifier(inputs, encoder(z), 4), x, y, {"epochs": 30}


@faulty("positions", "vocabulary", source=f"{STUDY}: length of the position table")
def table_of_positions_too_short(pick):
    """Sixteen rows of positions for twenty tokens."""
    x, y = texts(LENGTH, WORDS, 4)
    tokens, places = Input((LENGTH,), dtype="int32"), Input((LENGTH,), dtype="int32")
    z = layers.Embedding(WORDS, WIDTH)(tokens) + layers.Embedding(pick(16, LENGTH), WIDTH)(places)
    z = layers.GlobalAveragePooling1D()(encoder(z))
    model = Model([tokens, places], layers.Dense(4, activation="softmax")(z))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, [x, np.tile(np.arange(LENGTH), (len(x), 1))], y, {"epochs": 30}


def _by_hand(pick_axis=-1, scale=True, twice=False, values=True):
    """A function of a tensor: one head of attention from Dense layers and operations."""

    def attend(z):
        query, key, value = (layers.Dense(WIDTH)(z) for _ in range(3))
        scores = ops.matmul(query, ops.transpose(key, (0, 2, 1)))
        if scale:
            scores = scores / np.sqrt(WIDTH)
        if twice:
            scores = scores / np.sqrt(WIDTH)
        weights = ops.softmax(scores, axis=pick_axis)
        return layers.Dense(WIDTH)(ops.matmul(weights, value if values else z))

    return attend


@faulty("attention", source=f"{DEFAULT}: softmax of the scores over the wrong axis")
def softmax_over_the_queries(pick):
    """The weights of a key add up to 1 over the queries, not those of a query over the keys."""
    x, y = texts(LENGTH, WORDS, 4)
    inputs = Input((LENGTH,), dtype="int32")
    z = encoder(embedded(inputs), _by_hand(pick_axis=pick(1, -1)))
    return classifier(inputs, z, 4), x, y, {"epochs": 30}


@faulty("attention", source=f"{DEFAULT}: scores that are not scaled")
def scores_without_scale(pick):
    """Products of 32 dimensions without the root of 32."""
    x, y = texts(LENGTH, WORDS, 4)
    inputs = Input((LENGTH,), dtype="int32")
    z = encoder(embedded(inputs), _by_hand(scale=pick(False, True)))
    return classifier(inputs, z, 4), x, y, {"epochs": 30}


@faulty("attention", source=f"{DEFAULT}: scores that are scaled twice")
def scores_scaled_twice(pick):
    """The root of the width is divided out in the query and in the scores: attention is nearly even."""
    x, y = texts(LENGTH, WORDS, 4)
    inputs = Input((LENGTH,), dtype="int32")
    z = encoder(embedded(inputs), _by_hand(twice=pick(True, False)))
    return classifier(inputs, z, 4), x, y, {"epochs": 30}


@faulty("attention", source=f"{DEFAULT}: softmax left out of the attention")
def weights_without_softmax(pick):
    """Raw scores as weights."""
    x, y = texts(LENGTH, WORDS, 4)
    inputs = Input((LENGTH,), dtype="int32")

    def attend(z):
        query, key = layers.Dense(WIDTH)(z), layers.Dense(WIDTH)(z)
        scores = ops.matmul(query, ops.transpose(key, (0, 2, 1))) / np.sqrt(WIDTH)
        return ops.matmul(scores if pick(True, False) else layers.Softmax()(scores), layers.Dense(WIDTH)(z))

    return classifier(inputs, encoder(embedded(inputs), attend), 4), x, y, {"epochs": 30}


@faulty("attention", "capacity", source=f"{DEFAULT}: size of the heads")
def heads_of_one_dimension(pick):
    """Eight heads of one dimension for a width of 32."""
    x, y = texts(LENGTH, WORDS, 4)
    inputs = Input((LENGTH,), dtype="int32")
    z = embedded(inputs)
    for _ in range(2):
        y_ = layers.MultiHeadAttention(8, pick(1, 4))(z, z)
        z = layers.LayerNormalization()(layers.Add()([z, y_]))
    return classifier(inputs, z, 4), x, y, {"epochs": 30}


@faulty("attention", "disconnected", source=f"{DEFAULT}: key and value of another tensor")
def decoder_that_ignores_the_source(pick):
    """The second attention of a decoder attends to the target again, and the source is not used."""
    x, _ = texts(LENGTH, WORDS)
    source, target = Input((LENGTH,), dtype="int32", name="source"), Input((LENGTH,), dtype="int32", name="target")
    memory, z = encoder(embedded(source)), embedded(target)
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(2, 16)(z, z, use_causal_mask=True))
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(2, 16)(z, pick(z, memory)))
    model = Model([source, target], layers.Dense(WORDS, activation="softmax")(z))
    model.compile("adam", "sparse_categorical_crossentropy")
    shifted = np.concatenate([np.ones((len(x), 1), x.dtype), x[:, :-1]], axis=1)
    return model, {"source": x[:, ::-1], "target": shifted}, x, {"epochs": 30}


@faulty("gradient flow", "layer order", source=f"{DEFAULT}: residual connections left out")
def eight_blocks_without_skips(pick):
    """Eight blocks without residual connections."""
    x, y = texts(LENGTH, WORDS, 4)
    inputs = Input((LENGTH,), dtype="int32")
    z = embedded(inputs)
    for _ in range(pick(8, 4)):
        z = encoder(z, skip=pick(False, True))
    return classifier(inputs, z, 4), x, y, {"epochs": 30}


@faulty("gradient flow", "layer order", source=f"{DEFAULT}: normalization left out")
def six_blocks_without_normalization(pick):
    """Six residual blocks without LayerNormalization, whose sums grow."""
    x, y = texts(LENGTH, WORDS, 4)
    inputs = Input((LENGTH,), dtype="int32")
    z = embedded(inputs)
    for _ in range(6):
        z = encoder(z, normalize=pick(False, True))
    return classifier(inputs, z, 4), x, y, {"epochs": 30}


@faulty("layer order", "positions", source=f"{DEFAULT}: axis of the normalization")
def normalized_over_the_tokens(pick):
    """LayerNormalization over the positions, not over the features."""
    x, y = texts(LENGTH, WORDS, 4)
    inputs = Input((LENGTH,), dtype="int32")
    z = embedded(inputs)
    z = layers.LayerNormalization(axis=pick(1, -1))(z + layers.MultiHeadAttention(2, 16)(z, z))
    return classifier(inputs, z, 4), x, y, {"epochs": 30}


@faulty("dropout", source=f"{DEFAULT}: dropout active when predicting")
def dropout_in_prediction(pick):
    """Dropout called with training=True, so that predictions are drawn by lot."""
    x, y = texts(LENGTH, WORDS, 4)
    inputs = Input((LENGTH,), dtype="int32")
    z = encoder(embedded(inputs))
    z = layers.GlobalAveragePooling1D()(z)
    z = layers.Dropout(0.3)(z, training=pick(True, None))
    model = Model(inputs, layers.Dense(4, activation="softmax")(z))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("dropout", source=f"{DEFAULT}: rate of the dropout of the weights")
def attention_dropout_of_nine_tenths(pick):
    """Nine tenths of the attention weights dropped."""
    x, y = texts(LENGTH, WORDS, 4)
    inputs = Input((LENGTH,), dtype="int32")
    z = encoder(encoder(embedded(inputs), dropout=pick(0.9, 0.1)), dropout=pick(0.9, 0.1))
    return classifier(inputs, z, 4), x, y, {"epochs": 30}


@faulty("label shift", source=f"{DEFECTS}: targets of a decoder that are not shifted")
def decoder_fed_with_its_answer(pick):
    """The targets of a causal model are its inputs: it copies."""
    x, _ = texts(LENGTH + 1, WORDS)
    inputs = Input((LENGTH,), dtype="int32")
    z = encoder(embedded(inputs), use_causal_mask=True)
    return language_model(inputs, z), x[:, :-1], pick(x[:, :-1], x[:, 1:]), {"epochs": 30}


@faulty("label shift", source=f"{DEFAULT}: targets shifted by two")
def targets_shifted_by_two(pick):
    """The next token but one as the target."""
    x, _ = texts(LENGTH + 2, WORDS)
    inputs = Input((LENGTH,), dtype="int32")
    z = encoder(embedded(inputs), use_causal_mask=True)
    first = pick(2, 1)
    return language_model(inputs, z), x[:, :LENGTH], x[:, first : first + LENGTH], {"epochs": 30}


@faulty("mask", "labels", source=f"{DEFAULT}: loss over padding")
def loss_over_padding(pick):
    """Most positions are padding, and the loss counts them."""
    x, _ = texts(LENGTH + 1, WORDS, padded=True)
    x = np.pad(x, ((0, 0), (0, 19)))
    inputs = Input((39,), dtype="int32")
    z = embedded(inputs, mask=pick(False, True), length=39)
    z = encoder(z, use_causal_mask=True)
    return language_model(inputs, z), x[:, :39], x[:, 1:], {"epochs": 30}


@faulty("learning rate", "optimizer", source=f"{TAXONOMY}: learning rate of a transformer")
def transformer_at_a_tenth(pick):
    """Adam with a rate of 0.1 for four blocks."""
    x, y = texts(LENGTH, WORDS, 4)
    inputs = Input((LENGTH,), dtype="int32")
    z = embedded(inputs)
    for _ in range(4):
        z = encoder(z)
    model = classifier(inputs, z, 4)
    model.compile(optimizers.AdamW(pick(0.1, 5e-4)), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


@faulty("hidden activation", source=f"{DEFAULT}: activation of the feed-forward part left out")
def feed_forward_without_activation(pick):
    """The two layers of the feed-forward part are one linear layer."""
    x, y = texts(LENGTH, WORDS, 4)
    inputs = Input((LENGTH,), dtype="int32")
    z = embedded(inputs)
    for _ in range(2):
        z = layers.LayerNormalization()(z + layers.MultiHeadAttention(2, 16)(z, z))
        y_ = layers.Dense(WIDTH)(layers.Dense(64, activation=pick(None, "gelu"))(z))
        z = layers.LayerNormalization()(z + y_)
    return classifier(inputs, z, 4), x, y, {"epochs": 30}


@faulty("layer order", "shape", "recurrence", source=f"{STUDY}: a class for each token")
def class_of_each_patch(pick):
    """A vision transformer without pooling or a class token: one answer for each patch."""
    x, y = images(16, 3, 4)
    inputs = Input((16, 16, 3))
    z = layers.Reshape((16, WIDTH))(layers.Conv2D(WIDTH, 4, strides=4)(inputs))
    z = encoder(z + layers.Embedding(16, WIDTH)(ops.arange(16)))
    z = z if pick(True, False) else layers.GlobalAveragePooling1D()(z)
    model = Model(inputs, layers.Dense(4, activation="softmax")(z))
    model.compile("adam", "categorical_crossentropy")
    return model, x, one_hot(y, 4), {"epochs": 30}


@faulty("frozen weights", "initializer", source=f"{DEFAULT}: query projection that does not train")
def frozen_attention(pick):
    """The attention of a model that is trained from scratch is frozen."""
    x, y = texts(LENGTH, WORDS, 4)
    inputs = Input((LENGTH,), dtype="int32")
    z = embedded(inputs)
    attention = layers.MultiHeadAttention(2, 16, trainable=pick(False, True))
    z = layers.LayerNormalization()(z + attention(z, z))
    return classifier(inputs, z, 4), x, y, {"epochs": 30}


@faulty("initializer", source=f"{DEFAULT}: projections that begin with 0")
def projections_of_zeros(pick):
    """Query, key and value begin with zeros, and get no gradient."""
    x, y = texts(LENGTH, WORDS, 4)
    inputs = Input((LENGTH,), dtype="int32")
    z = embedded(inputs)
    z = layers.LayerNormalization()(
        z + layers.MultiHeadAttention(2, 16, kernel_initializer=pick("zeros", "glorot_uniform"))(z, z)
    )
    return classifier(inputs, z, 4), x, y, {"epochs": 30}


@faulty("positions", "capacity", source=f"{DEFAULT}: positions that outweigh the tokens")
def loud_positions(pick):
    """Sines of positions a hundred times larger than the vectors of the tokens."""
    x, y = texts(LENGTH, WORDS, 4)
    inputs = Input((LENGTH,), dtype="int32")
    angles = np.arange(LENGTH)[:, None] / 10000 ** (np.arange(WIDTH // 2)[None] / (WIDTH // 2))
    sines = np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype("float32")
    z = layers.Embedding(WORDS, WIDTH)(inputs) * pick(1.0, WIDTH**0.5) + pick(10.0, 1.0) * sines
    return classifier(inputs, encoder(z), 4), x, y, {"epochs": 30}


@faulty("attention", "shape", source=f"{DEFAULT}: heads merged in the wrong order")
def heads_mixed_with_positions(pick):
    """Heads split by a reshape that mixes positions and heads."""
    x, y = texts(LENGTH, WORDS, 4)
    inputs = Input((LENGTH,), dtype="int32")

    def split(z):
        if pick(True, False):
            return ops.reshape(z, (-1, 2, LENGTH, WIDTH // 2))
        return ops.transpose(ops.reshape(z, (-1, LENGTH, 2, WIDTH // 2)), (0, 2, 1, 3))

    def attend(z):
        query, key, value = (split(layers.Dense(WIDTH)(z)) for _ in range(3))
        weights = ops.softmax(ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) / np.sqrt(WIDTH // 2))
        joined = ops.matmul(weights, value)
        joined = joined if pick(True, False) else ops.transpose(joined, (0, 2, 1, 3))
        return layers.Dense(WIDTH)(ops.reshape(joined, (-1, LENGTH, WIDTH)))

    return classifier(inputs, encoder(embedded(inputs), attend), 4), x, y, {"epochs": 30}


@faulty("attention", "recurrence", source=f"{TAXONOMY}: axis of attention pooling")
def pooled_by_a_softmax_of_one(pick):
    """Attention pooling of a series whose softmax runs over the one score, not over the steps."""
    x, y = series(24, 4)
    inputs = Input((24, 4))
    z = layers.GRU(16, return_sequences=True)(inputs)
    weights = layers.Softmax(axis=pick(-1, 1))(layers.Dense(1)(z))
    pooled = ops.sum(z * weights, axis=1)
    model = Model(inputs, layers.Dense(1)(pooled))
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 30}


@faulty("output activation", "logits", source=f"{DEFAULT}: output head")
def softmax_of_a_head_for_logits(pick):
    """A masked language model with softmax in the head and from_logits in the loss."""
    x, _ = texts(LENGTH, WORDS)
    hidden = np.where(np.random.default_rng(1).random(x.shape) < 0.15, WORDS - 1, x)
    inputs = Input((LENGTH,), dtype="int32")
    z = encoder(embedded(inputs))
    model = Model(inputs, layers.Dense(WORDS, activation=pick("softmax", None))(z))
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, hidden, x, {"epochs": 30}


@faulty("input scale", source=f"{DEFAULT}: scale of the inputs of a transformer")
def raw_measures_into_attention(pick):
    """Tables of sensors with values up to 1000, straight into attention."""
    x = rows(60).reshape(-1, 12, 5)
    y = (x[..., 0].mean(axis=1) > 0).astype("int64")
    inputs = Input((12, 5))
    z = layers.Dense(WIDTH)(inputs) + layers.Embedding(12, WIDTH)(ops.arange(12))
    return classifier(inputs, encoder(z)), x * pick(400.0, 1.0), y, {"epochs": 30}


@faulty("shape", "vocabulary", source=f"{STUDY}: one-hot tokens into an embedding")
def one_hot_tokens_into_an_embedding(pick):
    """One-hot rows of tokens where token numbers are due: 200 positions of 0 and 1 for each token."""
    x, y = texts(LENGTH, 50, 3)
    pool = pick(layers.Flatten, layers.GlobalAveragePooling1D)
    model = Sequential([layers.Embedding(50, 16), pool()])
    model.add(layers.Dense(3, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, pick(one_hot(x, 50), x), y, {"epochs": 30}
