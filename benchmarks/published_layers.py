# ruff: noqa: E501
"""Layers and models with a `call` of their own, as published recipes write them."""

from unusual_models import L, keras, ops

__all__ = [
    "VAE",
    "Decayed",
    "DecoderBlock",
    "EncoderBlock",
    "FourierLayer",
    "PositionalEmbedding",
    "ResNet",
    "Routing",
    "Sampling",
    "Scatter",
    "Sorted",
    "VectorQuantizer",
    "Whitening",
]


class Sampling(L.Layer):
    """Uses the mean at inference, noise in training."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed = keras.random.SeedGenerator(1)

    def call(self, inputs, training=False):
        mean, log_variance = inputs
        if not training:
            return mean
        return mean + ops.exp(0.5 * log_variance) * keras.random.normal(ops.shape(mean), seed=self.seed)


class VAE(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential([L.Conv2D(4, 3, strides=2, padding="same", activation="relu"), L.Flatten()])
        self.mean, self.log_variance, self.sample = L.Dense(2), L.Dense(2), Sampling()
        self.decoder = keras.Sequential(
            [L.Dense(4 * 4 * 4, "relu"), L.Reshape((4, 4, 4)), L.Conv2DTranspose(3, 3, strides=2, padding="same", activation="relu"),
             L.Conv2DTranspose(1, 3, padding="same", activation="sigmoid")]
        )  # fmt: skip

    def call(self, x, training=False):
        x = self.encoder(x)
        mean, log_variance = self.mean(x), self.log_variance(x)
        return {"image": self.decoder(self.sample([mean, log_variance], training=training)), "mean": mean}


class PositionalEmbedding(L.Layer):
    def __init__(self, length, words, width):
        super().__init__()
        self.tokens, self.places = L.Embedding(words, width, mask_zero=True), L.Embedding(length, width)

    def call(self, x):
        return self.tokens(x) + self.places(ops.arange(ops.shape(x)[-1]))

    def compute_mask(self, inputs, mask=None):
        return self.tokens.compute_mask(inputs)


class EncoderBlock(L.Layer):
    def __init__(self, width):
        super().__init__()
        self.attention, self.one, self.two = (
            L.MultiHeadAttention(2, width),
            L.LayerNormalization(),
            L.LayerNormalization(),
        )
        self.dense = keras.Sequential([L.Dense(12, "relu"), L.Dense(width)])
        self.supports_masking = True

    def call(self, x, mask=None):
        padding = None if mask is None else ops.cast(mask[:, None, :], "int32")
        x = self.one(x + self.attention(query=x, value=x, key=x, attention_mask=padding))
        return self.two(x + self.dense(x))


class DecoderBlock(L.Layer):
    def __init__(self, width):
        super().__init__()
        self.first, self.second = L.MultiHeadAttention(2, width), L.MultiHeadAttention(2, width)
        self.norms = [L.LayerNormalization() for _ in range(3)]
        self.dense = keras.Sequential([L.Dense(12, "relu"), L.Dense(width)])
        self.supports_masking = True

    def call(self, inputs, mask=None):
        x, memory = inputs
        batch, length = ops.shape(x)[0], ops.shape(x)[1]
        i, j = ops.arange(length)[:, None], ops.arange(length)
        causal = ops.tile(ops.expand_dims(ops.cast(i >= j, "int32"), 0), (batch, 1, 1))
        padding = None
        if mask is not None and mask[0] is not None:
            padding = ops.cast(mask[0][:, None, :], "int32")
            causal = ops.minimum(padding, causal)
        x = self.norms[0](x + self.first(x, x, x, attention_mask=causal))
        x = self.norms[1](x + self.second(x, memory, memory))
        return self.norms[2](x + self.dense(x))


class ResNet(keras.Model):
    """Blocks in lists and dicts, made and called in loops."""

    def __init__(self, widths=(4, 6)):
        super().__init__()
        self.stem = L.Conv2D(4, 3, padding="same")
        self.blocks = [
            {
                "convolutions": [L.Conv2D(n, 3, padding="same") for _ in range(2)],
                "norms": [L.BatchNormalization() for _ in range(2)],
                "short": L.Conv2D(n, 1),
            }
            for n in widths
        ]
        self.heads = [L.Dense(3, name="classes"), L.Dense(2, name="sizes")]

    def call(self, x, training=False):
        x = self.stem(x)
        for block in self.blocks:
            short = block["short"](x)
            for convolution, norm in zip(block["convolutions"], block["norms"], strict=True):
                x = ops.relu(norm(convolution(x), training=training))
            x = ops.max_pool(x + short, 2)
        x = ops.mean(x, axis=(1, 2))
        return tuple(head(x) for head in self.heads)


class Scatter(L.Layer):
    """Sums rows by an index that comes with them, and writes some over."""

    def call(self, inputs):
        rows, groups = inputs
        width = rows.shape[-1]
        sums = ops.vectorized_map(lambda one: ops.segment_sum(one[0], one[1], num_segments=4), (rows, groups))
        base = ops.scatter(ops.array([[0], [3]]), ops.array([1.0, 2.0]), (5,))
        updated = ops.scatter_update(ops.array([1.0, 2.0, 3.0, 4.0]), ops.array([[1], [2]]), ops.array([7.0, 8.0]))
        return [
            sums * updated[:, None],
            ops.sum(rows, -1) + base[:1],
            ops.reshape(ops.where(rows > 0.5, rows, -rows), (-1, width * 6)),
        ]


class Routing(L.Layer):
    """Capsules: agreement by a loop over einsums."""

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[1], 3, shape[2], 4), name="w")

    def call(self, u):
        votes = ops.einsum("bni,nkij->bnkj", u, self.w)
        logits, v = ops.zeros_like(votes[..., 0]), ops.zeros_like(votes[:, 0])
        for _ in range(3):
            s = ops.einsum("bnk,bnkj->bkj", ops.softmax(logits, -1), votes)
            norm = ops.sum(s**2, -1, keepdims=True)
            v = s * norm / (1 + norm) / ops.sqrt(norm + 1e-7)
            logits = logits + ops.einsum("bnkj,bkj->bnk", votes, v)
        return ops.norm(v, axis=-1)


class Sorted(L.Layer):
    def call(self, x):
        order = ops.argsort(x, axis=-1)
        values, places = ops.top_k(x, 3)
        return {"sorted": ops.take_along_axis(x, order, axis=-1), "top": values, "where": places, "running": ops.cumsum(x, -1), "product": ops.cumprod(x, -1),
                "flipped": ops.flip(x, -1), "rolled": ops.roll(x, 2, -1), "ranks": ops.cast(ops.argsort(order, axis=-1), "float32"), "best": ops.argmax(x, -1)}  # fmt: skip


class VectorQuantizer(L.Layer):
    def build(self, shape):
        self.codes = self.add_weight(shape=(shape[-1], 6), initializer="uniform", name="codes")

    def call(self, x):
        flat = ops.reshape(x, (-1, ops.shape(x)[-1]))
        distances = ops.sum(flat**2, 1, keepdims=True) + ops.sum(self.codes**2, 0) - 2 * ops.matmul(flat, self.codes)
        nearest = ops.argmin(distances, axis=1)
        chosen = ops.reshape(ops.matmul(ops.one_hot(nearest, 6), ops.transpose(self.codes)), ops.shape(x))
        return x + ops.stop_gradient(chosen - x), ops.reshape(nearest, ops.shape(x)[:-1])


class FourierLayer(L.Layer):
    """A layer of a Fourier neural operator: the lowest frequencies are mixed."""

    def build(self, shape):
        self.real, self.imaginary = (
            self.add_weight(shape=(4, shape[-1], 3), name=name) for name in ("real", "imaginary")
        )

    def call(self, x):
        a, b = ops.rfft(ops.transpose(x, (0, 2, 1)))
        a, b = ops.transpose(a[..., :4], (0, 2, 1)), ops.transpose(b[..., :4], (0, 2, 1))
        c = ops.einsum("bki,kio->bko", a, self.real) - ops.einsum("bki,kio->bko", b, self.imaginary)
        d = ops.einsum("bki,kio->bko", a, self.imaginary) + ops.einsum("bki,kio->bko", b, self.real)
        pad = [[0, 0], [0, x.shape[1] // 2 - 3], [0, 0]]
        c, d = (ops.transpose(ops.pad(part, pad), (0, 2, 1)) for part in (c, d))
        return ops.transpose(ops.irfft((c, d), fft_length=x.shape[1]), (0, 2, 1))


class Whitening(L.Layer):
    """Linear algebra on each sample: covariance, Cholesky, triangular solution, eigenvalues."""

    def call(self, x):
        centred = x - ops.mean(x, 1, keepdims=True)
        covariance = ops.einsum("bti,btj->bij", centred, centred) / x.shape[1] + ops.eye(x.shape[2])
        factor = ops.cholesky(covariance)
        return ops.solve_triangular(factor, ops.transpose(centred, (0, 2, 1)), lower=True), ops.slogdet(covariance)[1]


class Decayed(L.Layer):
    """A linear recurrence by scan and by associative_scan, as state space layers have."""

    def build(self, shape):
        self.decay = self.add_weight(shape=(shape[-1],), initializer="uniform", name="decay")

    def call(self, x):
        a = ops.sigmoid(self.decay)
        first, steps = ops.scan(lambda h, u: (a * h + u,) * 2, ops.zeros_like(x[:, 0]), ops.moveaxis(x, 1, 0))
        joined = lambda left, right: (left[0] * right[0], right[0] * left[1] + right[1])  # noqa: E731
        _, again = ops.associative_scan(joined, (ops.broadcast_to(a, ops.shape(x)), x), axis=1)
        return first, ops.moveaxis(steps, 0, 1), again
