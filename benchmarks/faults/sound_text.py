"""Sound recipes for text: classifiers, taggers, language models, translation, retrieval."""

import numpy as np

from benchmarks.faults.attention import embedded, encoder
from benchmarks.faults.data import draw, one_hot, texts
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, metrics, ops, optimizers
from benchmarks.faults.program import sound

FIT = {"epochs": 20, "batch_size": 32, "validation_split": 0.2}
SPARSE = "sparse_categorical_crossentropy"


def _reader(*stack, length: int | None = 24, last=1, **more):
    activation, loss = ("sigmoid", "binary_crossentropy") if last == 1 else ("softmax", SPARSE)
    model = Sequential([Input((length,), dtype="int32"), *stack, layers.Dense(last, activation=activation)])
    model.compile(**{"optimizer": "adam", "loss": loss, "metrics": ["accuracy"], **more})
    return model


@sound("Keras example: text classification from scratch")
def words_by_convolution():
    """Embedding, dropout, strided convolutions, global maximum."""
    x, y = texts(24, 300)
    model = _reader(
        layers.Embedding(300, 32), layers.Dropout(0.5), layers.Conv1D(32, 7, strides=3, activation="relu"),
        layers.GlobalMaxPooling1D(), layers.Dense(32, activation="relu"), layers.Dropout(0.5),
    )  # fmt: skip
    return model, x, y, FIT


@sound("Kim: Convolutional Neural Networks for Sentence Classification (2014)")
def windows_of_words():
    """Windows of 3, 4 and 5 words, the maximum of each, dropout of one half."""
    x, y = texts(24, 300, 4)
    inputs = Input((24,), dtype="int32")
    z = layers.Embedding(300, 32)(inputs)
    z = [layers.GlobalMaxPooling1D()(layers.Conv1D(16, size, activation="relu")(z)) for size in (3, 4, 5)]
    z = layers.Dropout(0.5)(layers.Concatenate()(z))
    model = Model(inputs, layers.Dense(4, activation="softmax")(z))
    model.compile(optimizers.Adadelta(1.0, rho=0.95), SPARSE)
    return model, x, y, FIT


@sound("Keras example: bidirectional LSTM on IMDB")
def read_from_both_ends():
    """Two bidirectional LSTMs over words of any number."""
    x, y = texts(24, 300)
    model = _reader(
        layers.Embedding(300, 32), layers.Bidirectional(layers.LSTM(16, return_sequences=True)),
        layers.Bidirectional(layers.LSTM(16)), length=None,
    )  # fmt: skip
    return model, x, y, FIT


@sound("Keras guide: masking and padding")
def masked_padding():
    """mask_zero and an LSTM that uses the mask."""
    x, y = texts(24, 300, 2, padded=True)
    return _reader(layers.Embedding(300, 32, mask_zero=True), layers.LSTM(16)), x, y, FIT


@sound("keras.utils.pad_sequences: padding at the beginning is its default")
def padded_at_the_beginning():
    """Padding before the words needs no mask: the words come last."""
    x, y = texts(24, 300, 2, padded=True)
    x = keras.utils.pad_sequences([row[row > 0] for row in x], 40)
    return _reader(layers.Embedding(300, 32), layers.LSTM(16, dropout=0.2, recurrent_dropout=0.2), length=40), x, y, FIT


@sound("Joulin et al.: Bag of Tricks for Efficient Text Classification (2017)")
def mean_of_words():
    """fastText: the mean of the words' vectors."""
    x, y = texts(24, 500, 6)
    return _reader(layers.Embedding(500, 24), layers.GlobalAveragePooling1D(), last=6), x, y, FIT


@sound("Chollet: Deep Learning with Python, 4.1, reviews as multi-hot rows")
def multi_hot_reviews():
    """Rows of 0 and 1 for 400 words, two small layers, rmsprop."""
    x, y = texts(24, 400)
    hot = np.zeros((len(x), 400), "float32")
    hot[np.arange(len(x))[:, None], x] = 1
    model = Sequential([Input((400,)), layers.Dense(16, "relu"), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")])
    model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
    return model, hot, y, {"epochs": 20, "batch_size": 32}


@sound("Chollet: Deep Learning with Python, 4.2, Reuters in 46 topics")
def newswires():
    """Many topics; layers of 64 units so that none is a bottleneck."""
    x, y = texts(40, 400, 46)
    hot = one_hot(x, 400).max(axis=1)
    model = Sequential([Input((400,)), layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(46, "softmax")])
    model.compile("rmsprop", SPARSE, metrics=["accuracy"])
    return model, hot, y, {"epochs": 30, "batch_size": 32}


@sound("Salton, Buckley: term weights (1988); a layer of TF-IDF and a linear classifier")
def weighted_words():
    """Logistic regression of weighted counts."""
    x, y = texts(30, 300, 3)
    counts = one_hot(x, 300).sum(axis=1)
    weights = counts * np.log(len(x) / (1 + (counts > 0).sum(axis=0)))
    model = Sequential([Input((300,)), layers.Dense(3, activation="softmax")])
    model.compile(optimizers.Adam(0.01), SPARSE, metrics=["accuracy"])
    return model, weights.astype("float32"), y, {"epochs": 30}


@sound("Keras example: character-level text generation with LSTM")
def next_character():
    """One-hot characters, one LSTM, rmsprop of 0.01."""
    x, _ = texts(21, 40)
    hot = one_hot(x, 40)
    model = Sequential([Input((20, 40)), layers.LSTM(64), layers.Dense(40, activation="softmax")])
    model.compile(loss="categorical_crossentropy", optimizer=optimizers.RMSprop(0.01))
    return model, hot[:, :20], hot[:, 20], {"epochs": 40, "batch_size": 32}


@sound("TensorFlow tutorial: text generation with an RNN")
def each_next_character():
    """A GRU that predicts at each step, with logits."""
    x, _ = texts(25, 60)
    model = Sequential([Input((None,), dtype="int32"), layers.Embedding(60, 32), layers.GRU(64, return_sequences=True),
                        layers.Dense(60)])  # fmt: skip
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, x[:, :-1], x[:, 1:], {"epochs": 30}


@sound("Keras example: named entity recognition")
def tagger():
    """A tag for each word; padding is masked."""
    x, _ = texts(20, 200, 2, padded=True)
    tags = np.where(x > 0, x % 5, 0)
    inputs = Input((20,), dtype="int32")
    z = layers.Embedding(200, 32, mask_zero=True)(inputs)
    z = layers.Bidirectional(layers.LSTM(16, return_sequences=True, recurrent_dropout=0.1))(z)
    model = Model(inputs, layers.TimeDistributed(layers.Dense(5, activation="softmax"))(z))
    model.compile("rmsprop", SPARSE, metrics=["accuracy"])
    return model, x, tags, FIT


@sound("Keras example: sequence to sequence learning with an LSTM encoder and decoder")
def translation_by_lstm():
    """States of the encoder begin the decoder, which is fed with the shifted answer."""
    x, _ = texts(12, 80)
    target = (x[:, ::-1] % 70) + 2
    shifted = np.concatenate([np.ones((len(x), 1), int), target[:, :-1]], axis=1)
    source, given = Input((None,), dtype="int32"), Input((None,), dtype="int32")
    _, h, c = layers.LSTM(32, return_state=True)(layers.Embedding(80, 24)(source))
    z = layers.LSTM(32, return_sequences=True)(layers.Embedding(80, 24)(given), initial_state=[h, c])
    model = Model([source, given], layers.Dense(80, activation="softmax")(z))
    model.compile("rmsprop", SPARSE)
    return model, [x, shifted], target, {"epochs": 40}


@sound("Bahdanau et al.: Neural Machine Translation by Jointly Learning to Align (2015)")
def translation_with_additive_attention():
    """AdditiveAttention of a decoder over the encoder's steps."""
    x, _ = texts(12, 80)
    target = (x[:, ::-1] % 70) + 2
    shifted = np.concatenate([np.ones((len(x), 1), int), target[:, :-1]], axis=1)
    source, given = Input((12,), dtype="int32"), Input((12,), dtype="int32")
    memory = layers.Bidirectional(layers.GRU(16, return_sequences=True))(layers.Embedding(80, 24)(source))
    query = layers.GRU(32, return_sequences=True)(layers.Embedding(80, 24)(given))
    seen = layers.AdditiveAttention()([query, memory])
    z = layers.Dense(80)(layers.Concatenate()([query, seen]))
    model = Model([source, given], z)
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, [x, shifted], target, {"epochs": 40}


@sound("Vaswani et al.: Attention Is All You Need (2017)")
def translation_by_transformer():
    """Encoder and decoder with crossed attention and a causal mask."""
    x, _ = texts(12, 80)
    target = (x[:, ::-1] % 70) + 2
    shifted = np.concatenate([np.ones((len(x), 1), int), target[:, :-1]], axis=1)
    source, given = Input((12,), dtype="int32", name="source"), Input((12,), dtype="int32", name="given")
    memory = encoder(embedded(source, length=12, words=80))
    z = embedded(given, length=12, words=80)
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(2, 16)(z, z, use_causal_mask=True))
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(2, 16)(z, memory, memory))
    z = layers.LayerNormalization()(z + layers.Dense(32)(layers.Dense(64, activation="relu")(z)))
    model = Model([source, given], layers.Dense(80, activation="softmax")(z))
    model.compile(optimizers.Adam(1e-3, beta_2=0.98, epsilon=1e-9), SPARSE)
    return model, {"source": x, "given": shifted}, target, {"epochs": 40}


@sound("Radford et al.: GPT (2018, 2019)")
def small_gpt():
    """Pre-normalized blocks with gelu and a causal mask; AdamW with clipping."""
    x, _ = texts(21, 120)
    inputs = Input((20,), dtype="int32")
    z = embedded(inputs, words=120)
    for _ in range(3):
        y = layers.LayerNormalization()(z)
        z = z + layers.MultiHeadAttention(2, 16, dropout=0.1)(y, y, use_causal_mask=True)
        y = layers.Dense(128, activation="gelu")(layers.LayerNormalization()(z))
        z = z + layers.Dropout(0.1)(layers.Dense(32)(y))
    model = Model(inputs, layers.Dense(120, use_bias=False)(layers.LayerNormalization()(z)))
    model.compile(optimizers.AdamW(6e-4, weight_decay=0.1, clipnorm=1.0),
                  losses.SparseCategoricalCrossentropy(from_logits=True))  # fmt: skip
    return model, x[:, :-1], x[:, 1:], {"epochs": 30}


@sound("Devlin et al.: BERT (2019)")
def masked_words():
    """Loss at the hidden words alone, by sample weights."""
    x, _ = texts(20, 150)
    chosen = draw(1).random(x.shape) < 0.15
    inputs = Input((20,), dtype="int32")
    z = encoder(encoder(embedded(inputs, words=150)))
    model = Model(inputs, layers.Dense(150)(layers.LayerNormalization()(layers.Dense(32, activation="gelu")(z))))
    model.compile(optimizers.AdamW(1e-3), losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1))
    return model, np.where(chosen, 149, x), np.where(chosen, x, -1), {"epochs": 30}


@sound("Keras example: text classification with a transformer")
def transformer_reader():
    """One post-normalized block, the mean over tokens, two dense layers with dropout."""
    x, y = texts(20, 200)
    inputs = Input((20,), dtype="int32")
    z = layers.Dropout(0.1)(layers.GlobalAveragePooling1D()(encoder(embedded(inputs))))
    z = layers.Dropout(0.1)(layers.Dense(20, activation="relu")(z))
    model = Model(inputs, layers.Dense(2, activation="softmax")(z))
    model.compile("adam", SPARSE, metrics=["accuracy"])
    return model, x, y, FIT


@sound("Lee-Thorp et al.: FNet (2021), mixing without weights")
def mixing_by_averages():
    """Tokens mixed by a fixed matrix, not by attention."""
    x, y = texts(20, 200, 4)
    mix = np.cos(2 * np.pi * np.outer(np.arange(20), np.arange(20)) / 20).astype("float32") / np.sqrt(20)
    inputs = Input((20,), dtype="int32")
    z = embedded(inputs)
    for _ in range(2):
        z = layers.LayerNormalization()(z + ops.einsum("ts,bsf->btf", ops.convert_to_tensor(mix), z))
        z = layers.LayerNormalization()(z + layers.Dense(32)(layers.Dense(64, activation="gelu")(z)))
    model = Model(inputs, layers.Dense(4, activation="softmax")(layers.GlobalMaxPooling1D()(z)))
    model.compile("adam", SPARSE)
    return model, x, y, FIT


@sound("Yang et al.: Hierarchical Attention Networks (2016)")
def words_then_sentences():
    """A reader of words inside TimeDistributed, then a reader of sentences."""
    x, y = texts(32, 200, 3)
    x = x.reshape(-1, 4, 8)
    words = Input((8,), dtype="int32")
    sentence = Model(words, layers.Bidirectional(layers.GRU(8))(layers.Embedding(200, 16)(words)))
    inputs = Input((4, 8), dtype="int32")
    z = layers.Bidirectional(layers.GRU(8))(layers.TimeDistributed(sentence)(inputs))
    model = Model(inputs, layers.Dense(3, activation="softmax")(z))
    model.compile("adam", SPARSE)
    return model, x, y, FIT


@sound("Mueller, Thyagarajan: Siamese Recurrent Architectures (2016)")
def same_question():
    """Two questions through one LSTM; similarity from the absolute difference."""
    x, y = texts(12, 150)
    other = np.where(y[:, None] > 0, x, x[::-1])
    reader = Sequential([Input((12,), dtype="int32"), layers.Embedding(150, 16), layers.LSTM(16)])
    left, right = Input((12,), dtype="int32"), Input((12,), dtype="int32")
    apart = ops.exp(-ops.sum(ops.abs(reader(left) - reader(right)), axis=1, keepdims=True))
    model = Model([left, right], apart)
    model.compile("adam", "mse")
    return model, [x, other], y.astype("float32"), FIT


@sound("Mikolov et al.: Distributed Representations of Words (2013)")
def skip_grams():
    """Pairs of words with logits from a product."""
    pairs = draw(0).integers(1, 300, (512, 2))
    near = (np.abs(pairs[:, 0] - pairs[:, 1]) < 100).astype("float32")
    word, around = Input((1,), dtype="int32"), Input((1,), dtype="int32")
    z = layers.Dot(axes=2)([layers.Embedding(300, 16)(word), layers.Embedding(300, 16)(around)])
    model = Model([word, around], layers.Flatten()(z))
    model.compile("adam", losses.BinaryCrossentropy(from_logits=True))
    return model, [pairs[:, :1], pairs[:, 1:]], near, {"epochs": 30}


@sound("Lample et al.: frozen vectors of words (GloVe) in a Keras example")
def vectors_from_elsewhere():
    """An embedding that is given and frozen, and layers that learn."""
    x, y = texts(24, 300, 4)
    table = draw(2).normal(size=(300, 50))
    model = _reader(
        layers.Embedding(300, 50, embeddings_initializer=keras.initializers.Constant(table), trainable=False),
        layers.Conv1D(32, 5, activation="relu"), layers.MaxPooling1D(5), layers.Conv1D(32, 3, activation="relu"),
        layers.GlobalMaxPooling1D(), layers.Dense(32, activation="relu"), layers.Dropout(0.5), last=4,
    )  # fmt: skip
    return model, x, y, FIT


@sound("Press, Wolf: Using the Output Embedding to Improve Language Models (2017)")
def tied_embeddings():
    """The table of the inputs gives the scores of the outputs."""
    x, _ = texts(21, 120)
    table = layers.ReversibleEmbedding(120, 32)
    inputs = Input((20,), dtype="int32")
    z = encoder(table(inputs) + layers.Embedding(20, 32)(ops.arange(20)), use_causal_mask=True)
    model = Model(inputs, table(z, reverse=True))
    model.compile(optimizers.Adam(1e-3), losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, x[:, :-1], x[:, 1:], {"epochs": 30}


@sound("Shazeer: GLU Variants Improve Transformer (2020); Touvron et al.: LLaMA (2023)")
def gated_and_rms_normalized():
    """RMSNormalization, swish gates, grouped queries, no biases."""
    x, _ = texts(21, 120)
    inputs = Input((20,), dtype="int32")
    z = embedded(inputs, words=120)
    for _ in range(2):
        y = layers.RMSNormalization()(z)
        z = z + layers.GroupQueryAttention(8, 4, 2, use_bias=False)(y, y, use_causal_mask=True)
        y = layers.RMSNormalization()(z)
        gate = layers.Dense(64, activation="silu", use_bias=False)(y)
        z = z + layers.Dense(32, use_bias=False)(gate * layers.Dense(64, use_bias=False)(y))
    model = Model(inputs, layers.Dense(120, use_bias=False)(layers.RMSNormalization()(z)))
    model.compile(optimizers.AdamW(5e-4), losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, x[:, :-1], x[:, 1:], {"epochs": 30}


@sound("Fedus et al.: Switch Transformers (2021), a soft mixture")
def mixture_of_experts():
    """Experts weighted by a softmax gate, inside a classifier."""
    x, y = texts(20, 200, 4)
    inputs = Input((20,), dtype="int32")
    z = layers.GlobalAveragePooling1D()(embedded(inputs))
    gate = layers.Dense(3, activation="softmax")(z)
    experts = layers.Reshape((3, 32))(layers.Dense(96, activation="relu")(z))
    z = ops.sum(experts * ops.expand_dims(gate, -1), axis=1)
    model = Model(inputs, layers.Dense(4, activation="softmax")(z))
    model.compile("adam", SPARSE)
    return model, x, y, FIT


@sound("Seo et al.: reading comprehension; two pointers over the words")
def start_and_end_of_an_answer():
    """Softmax over the words for the beginning and for the end."""
    x, _ = texts(20, 150)
    start = draw(3).integers(0, 10, len(x))
    inputs = Input((20,), dtype="int32")
    z = encoder(embedded(inputs, words=150))
    heads = [
        layers.Softmax(name=name)(layers.Flatten()(layers.Dense(1, use_bias=False)(z))) for name in ("start", "end")
    ]
    model = Model(inputs, heads)
    model.compile(optimizers.Adam(1e-3), [SPARSE, SPARSE])
    return model, x, [start, start + 5], {"epochs": 30}


@sound("Several labels of a text, as tags of questions have them")
def tags_of_questions():
    """Twelve tags, a sigmoid each, and a figure for them."""
    x, _ = texts(24, 300, 4)
    tags = np.stack([(x == word).any(axis=1) for word in range(5, 17)], axis=1).astype("float32")
    tags[:, 0] = x[:, 0] % 2
    model = Sequential([Input((24,), dtype="int32"), layers.Embedding(300, 32), layers.GlobalMaxPooling1D(),
                        layers.Dense(32, "relu"), layers.Dense(12, activation="sigmoid")])  # fmt: skip
    model.compile("adam", "binary_crossentropy", metrics=[metrics.Precision(), metrics.Recall()])
    return model, x, tags, FIT


@sound("Graves et al.: Connectionist Temporal Classification (2006)")
def letters_by_ctc():
    """CTC over steps of a signal; the loss takes logits, with padding 0 as the blank."""
    x, _ = texts(30, 20)
    labels = draw(2).integers(1, 11, (len(x), 6))
    inputs = Input((30,), dtype="int32")
    z = layers.Bidirectional(layers.LSTM(24, return_sequences=True))(layers.Embedding(20, 16)(inputs))
    model = Model(inputs, layers.Dense(11)(z))
    model.compile(optimizers.Adam(1e-3), losses.CTC())
    return model, x, labels, {"epochs": 30}
