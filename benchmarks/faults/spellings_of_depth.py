"""Faults of depth and attention as a stranger would write them: subclassed, functional, Lambda and ops."""

import math

import numpy as np

from benchmarks.faults.drawn import blobs, next_words, reviews, shapes, waves
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import (
    AUTOTRAINER,
    DEEPFD,
    DEFAULT,
    NEURALINT,
)

# depth


@faulty("gradient flow", "hidden activation", source=f"{AUTOTRAINER}: vanishing gradients")
def ten_sigmoids_by_lambda(pick):
    """Ten Dense layers, each with ops.sigmoid called in the model's call."""
    x, y = blobs(400, 10, 2)

    class Deep(Model):
        def __init__(self):
            super().__init__()
            self.stack = [layers.Dense(16) for _ in range(10)]
            self.last = layers.Dense(1)

        def call(self, x):
            for layer in self.stack:
                x = ops.sigmoid(layer(x)) if pick(True, False) else ops.relu(layer(x)) + 0.1 * layer(x)
            return ops.sigmoid(self.last(x))

    model = Deep()
    model.compile("adam", "binary_crossentropy")
    return model, x, y, {"epochs": 50}


@faulty("feature maps", "capacity", source=f"{NEURALINT}: filters that shrink and kernels that grow")
def filters_that_shrink(pick):
    """64, 32, 16, 8 filters and kernels of 3, 5, 7, 9."""
    x, y = shapes(80, 32)
    model = Sequential([Input((32, 32, 1))])
    for filters, kernel in zip(pick((64, 32, 16, 8), (8, 16, 32, 64)), pick((3, 5, 7, 9), (3, 3, 3, 3)), strict=True):
        model.add(layers.Conv2D(filters, kernel, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D(2) if filters in (64, 16) else layers.BatchNormalization())
    model.add(layers.Flatten())
    model.add(layers.Dense(4, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("capacity", source=f"{DEEPFD}: too few units before the classes")
def two_units_before_ten_classes(pick):
    """Two relu units before ten classes."""
    x, y = blobs(600, 20, 10)
    inputs = Input((20,))
    h = layers.Dense(64, activation="relu")(inputs)
    h = ops.relu(layers.Dense(pick(2, 32))(h))
    model = Model(inputs, layers.Dense(10, activation="softmax")(h))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 60}


@faulty("feature maps", "layer order", source=f"{NEURALINT}: pooling before the picture was seen")
def pooled_by_eight_at_once(pick):
    """A pool of 8 right after the input of a subclassed model."""
    x, y = shapes(100, 32, channels=3)

    class Net(Model):
        def __init__(self):
            super().__init__()
            self.pool = layers.AveragePooling2D(pick(8, 2))
            self.conv = layers.Conv2D(16, 3, padding="same", activation="relu")
            self.gap = layers.GlobalAveragePooling2D()
            self.head = layers.Dense(4, activation="softmax")

        def call(self, x):
            x = self.conv(self.pool(x)) if pick(True, False) else self.pool(self.conv(x))
            return self.head(self.gap(x))

    model = Net()
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 60}


@faulty("initializer", source=f"{DEEPFD}: equal initial weights")
def own_weights_that_begin_equal(pick):
    """An own layer whose weights all begin with the same number."""
    x, y = blobs(300, 9, 3)

    class Linear(layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.units = units

        def build(self, shape):
            how = keras.initializers.Constant(0.1) if pick(True, False) else "glorot_uniform"
            self.w = self.add_weight(shape=(shape[-1], self.units), initializer=how)
            self.b = self.add_weight(shape=(self.units,), initializer="zeros")

        def call(self, inputs):
            return ops.matmul(inputs, self.w) + self.b

    model = Sequential([Input((9,)), Linear(16), layers.ReLU(), Linear(3), layers.Softmax()])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 50}


# attention


@faulty("mask", "attention", source=f"{DEFAULT}: a mask of the wrong sense")
def mask_of_the_wrong_sense(pick):
    """attention_mask that is true where there is padding."""
    x, y = reviews(160, 12, 30)
    ids = Input((12,), dtype="int32")
    h = layers.Embedding(30, 16)(ids) + layers.Embedding(12, 16)(ops.arange(12))
    keep = ops.equal(ids, 0) if pick(True, False) else ops.not_equal(ids, 0)
    a = layers.MultiHeadAttention(num_heads=2, key_dim=8)(h, h, attention_mask=keep[:, None, :])
    h = layers.LayerNormalization()(h + a)
    model = Model(ids, layers.Dense(1, activation="sigmoid")(h[:, 0]))
    model.compile("adam", "binary_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("mask", source=f"{DEFAULT}: padding that is not hidden")
def padding_seen_by_the_encoder(pick):
    """An own transformer block that knows of no mask, over padded rows, pooled by the mean."""
    x, y = reviews(160, 16, 40)

    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.q, self.k, self.v = layers.Dense(16), layers.Dense(16), layers.Dense(16)
            self.norm, self.ff = layers.LayerNormalization(), layers.Dense(16, activation="gelu")

        def call(self, h, keep):
            scores = ops.matmul(self.q(h), ops.transpose(self.k(h), (0, 2, 1))) / math.sqrt(16)
            if not pick(True, False):
                scores = scores + (1.0 - keep[:, None, :]) * -1e9
            h = self.norm(h + ops.matmul(ops.softmax(scores), self.v(h)))
            return h + self.ff(h)

    class Classifier(Model):
        def __init__(self):
            super().__init__()
            self.words, self.places = layers.Embedding(40, 16), layers.Embedding(16, 16)
            self.block, self.head = Block(), layers.Dense(1, activation="sigmoid")

        def call(self, ids):
            keep = ops.cast(ids != 0, "float32")
            h = self.block(self.words(ids) + self.places(ops.arange(16)), keep)
            if pick(True, False):
                return self.head(ops.mean(h, axis=1))
            return self.head(ops.sum(h * keep[..., None], 1) / ops.sum(keep, 1, keepdims=True))

    model = Classifier()
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


@faulty("mask", source=f"{DEFAULT}: the future is seen")
def future_seen_by_a_small_gpt(pick):
    """The next word from all words, without a causal mask, by einsum."""
    x, y = next_words()

    class SelfAttention(layers.Layer):
        def __init__(self, width, heads):
            super().__init__()
            self.heads, self.size = heads, width // heads
            self.qkv, self.out = layers.Dense(3 * width, use_bias=False), layers.Dense(width)

        def call(self, h):
            _, steps, width = h.shape
            q, k, v = ops.split(self.qkv(h), 3, axis=-1)
            q, k, v = (ops.reshape(t, (-1, steps, self.heads, self.size)) for t in (q, k, v))
            scores = ops.einsum("bqhd,bkhd->bhqk", q, k) * self.size**-0.5
            if not pick(True, False):
                scores = ops.where(ops.tril(ops.ones((steps, steps), dtype="bool")), scores, -1e9)
            mixed = ops.einsum("bhqk,bkhd->bqhd", ops.softmax(scores, -1), v)
            return self.out(ops.reshape(mixed, (-1, steps, width)))

    ids = Input((12,), dtype="int32")
    h = layers.Embedding(24, 32)(ids) + layers.Embedding(12, 32)(ops.arange(12))
    h = h + SelfAttention(32, 4)(layers.LayerNormalization()(h))
    model = Model(ids, layers.Dense(24)(layers.LayerNormalization()(h)))
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, x, y, {"epochs": 30}


@faulty("positions", source=f"{DEFAULT}: no positions")
def encoder_without_positions(pick):
    """A translation-like tagging by two blocks that do not know the order."""
    rng = np.random.default_rng(0)
    x = rng.integers(1, 20, (160, 10)).astype("int32")
    y = x[:, ::-1].copy()
    ids = Input((10,), dtype="int32")
    h = layers.Embedding(20, 24)(ids)
    if not pick(True, False):
        h = h + layers.Embedding(10, 24)(ops.arange(10))
    for _ in range(2):
        a = layers.MultiHeadAttention(2, 12)(h, h)
        h = layers.LayerNormalization()(layers.Add()([h, a]))
        f = layers.Dense(24)(layers.Dense(48, activation="relu")(h))
        h = layers.LayerNormalization()(layers.Add()([h, f]))
    model = Model(ids, layers.Dense(20, activation="softmax")(h))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 40}


@faulty("attention", source=f"{DEFAULT}: softmax over the queries")
def softmax_over_the_queries(pick):
    """Attention by hand whose softmax runs over the queries."""
    x, y = waves(128, 12)
    inputs = Input((12, 1))
    h = layers.Dense(16)(inputs) + layers.Embedding(12, 16)(ops.arange(12))
    q, k, v = layers.Dense(16)(h), layers.Dense(16)(h), layers.Dense(16)(h)
    scores = layers.Dot(axes=(2, 2))([q, k]) / 4.0
    weights = layers.Softmax(axis=pick(1, 2))(scores)
    context = layers.Dot(axes=(2, 1))([weights, v])
    model = Model(inputs, layers.Dense(1)(layers.Flatten()(context)))
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 40}


@faulty("attention", source=f"{DEFAULT}: scores scaled twice")
def keys_scaled_and_scores_too(pick):
    """The queries are divided by the root of the size, and the scores once more."""
    x, y = waves(128, 12)
    root = math.sqrt(32)

    class Attend(layers.Layer):
        def __init__(self):
            super().__init__()
            self.wq, self.wk, self.wv = layers.Dense(32), layers.Dense(32), layers.Dense(32)

        def call(self, h):
            q, k, v = self.wq(h) / pick(root, 1.0), self.wk(h), self.wv(h)
            w = ops.softmax(ops.einsum("bqd,bkd->bqk", q, k) / root)
            return ops.einsum("bqk,bkd->bqd", w, v)

    inputs = Input((12, 1))
    h = layers.Dense(32)(inputs) + layers.Embedding(12, 32)(ops.arange(12))
    model = Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling1D()(h + Attend()(h))))
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 40}


@faulty("label shift", source=f"{DEFAULT}: labels shifted wrongly")
def labels_are_the_inputs(pick):
    """A causal model that learns to repeat the word it sees."""
    x, y = next_words(shift=pick(0, 1))
    ids = Input((12,), dtype="int32")
    h = layers.Embedding(24, 32)(ids) + layers.Embedding(12, 32)(ops.arange(12))
    h = h + layers.MultiHeadAttention(4, 8)(h, h, use_causal_mask=True)
    model = Model(ids, layers.Dense(24, activation="softmax")(layers.LayerNormalization()(h)))
    model.compile(optimizers.AdamW(3e-3), "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("mask", "label shift", source=f"{DEFAULT}: the loss counts padding")
def loss_over_the_padding(pick):
    """An LSTM that tags each word; most tags are padding and count."""
    x, _ = reviews(160, 20, 30, longest=10)
    y = (x + 1) // 2 * (x > 0)
    model = Sequential([
        Input((20,), dtype="int32"), layers.Embedding(30, 16, mask_zero=pick(False, True)),
        layers.LSTM(24, return_sequences=True), layers.TimeDistributed(layers.Dense(16, activation="softmax")),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


@faulty("dropout", source="after questions on Stack Overflow: predictions that differ at each call")
def dropout_that_never_stops(pick):
    """Dropout called with training=True, for predictions as well."""
    x, y = blobs(300, 12, 3)

    class Net(Model):
        def __init__(self):
            super().__init__()
            self.h, self.drop, self.out = layers.Dense(32, activation="relu"), layers.Dropout(0.4), layers.Dense(3)

        def call(self, x, training=None):
            x = self.drop(self.h(x), training=pick(True, training))
            return ops.softmax(self.out(x))

    model = Net()
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 30}
