# ruff: noqa: E501
"""Models of a fourth draw: layers with unusual arguments, decoders with caches, own layers with rare operations."""

import jax
import numpy as np
from jax.scipy import special

from unusual_models import L, graph, keras, masked_stack, ops, stack

__all__ = ["MODELS"]


def called(model, *inputs):
    """A subclassed model, built by a call."""
    model(*inputs)
    return model


class Own(L.Layer):
    """A layer of one function."""

    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self.function = function

    def call(self, *inputs):
        return self.function(*inputs)


def of(function, *shapes, dtype=None):
    return lambda: graph(shapes or [(4, 4)], lambda *inputs: Own(function)(*inputs), dtype)


class RotaryDecoder(keras.Model):
    """Two layers of a decoder with rotary places, grouped heads, a gated MLP, and one cache of all layers."""

    def __init__(self, layers=2, heads=4, groups=2, size=4, length=8, words=17):
        super().__init__()
        self.heads, self.groups, self.size, self.length = heads, groups, size, length
        width = heads * size
        self.embed = L.Embedding(words, width)
        self.blocks = [
            {
                "norm": L.RMSNormalization(),
                "q": L.EinsumDense("btd,dhs->bths", (None, heads, size)),
                "kv": L.EinsumDense("btd,dchs->btchs", (None, 2, groups, size)),
                "out": L.EinsumDense("bths,hsd->btd", (None, width)),
                "norm2": L.RMSNormalization(),
                "gate": L.Dense(2 * width, use_bias=False),
                "up": L.Dense(2 * width, use_bias=False),
                "down": L.Dense(width, use_bias=False),
            }
            for _ in range(layers)
        ]
        self.last = L.RMSNormalization()

    def turn(self, x, start):
        places = ops.cast(start + ops.arange(x.shape[1]), "float32")
        angles = places[:, None] / 100.0 ** (ops.arange(0, self.size, 2, dtype="float32") / self.size)
        cos, sin = ops.cos(angles)[None, :, None], ops.sin(angles)[None, :, None]
        first, second = ops.split(x, 2, -1)
        return ops.concatenate([first * cos - second * sin, first * sin + second * cos], -1)

    def call(self, inputs):
        x, cache, start = self.embed(inputs["tokens"]), inputs["cache"], inputs["start"][0]
        caches = []
        for number, block in enumerate(self.blocks):
            y = block["norm"](x)
            q, kv = self.turn(block["q"](y), start), block["kv"](y)
            k, v = self.turn(kv[:, :, 0], start), kv[:, :, 1]
            new = ops.slice_update(cache[:, number], [0, 0, start, 0, 0], ops.stack([k, v], 1))
            keys, values = (ops.repeat(new[:, n], self.heads // self.groups, axis=2) for n in (0, 1))
            scores = ops.einsum("bths,bkhs->bhtk", q, keys) / np.sqrt(self.size)
            allowed = ops.arange(self.length)[None] <= start + ops.arange(x.shape[1])[:, None]
            scores = ops.softmax(ops.where(allowed, scores, -1e9))
            x = x + block["out"](ops.einsum("bhtk,bkhs->bths", scores, values))
            y = block["norm2"](x)
            x = x + block["down"](ops.silu(block["gate"](y)) * block["up"](y))
            caches.append(new)
        return self.last(x) @ ops.transpose(self.embed.embeddings), ops.stack(caches, 1)


def rotary(mode=None, tokens=1):
    inputs = {
        "tokens": np.zeros((2, tokens), "int32"),
        "cache": np.zeros((2, 2, 2, 8, 2, 4), "float32"),
        "start": np.zeros((2,), "int32"),
    }
    model = called(RotaryDecoder(), inputs)
    if mode:
        model.quantize(mode)
    return model


class Generate(keras.Model):
    """Six words by a while loop that writes into a buffer, the best of each step."""

    def __init__(self):
        super().__init__()
        self.embed, self.mix, self.head = L.Embedding(7, 6), L.GRUCell(6), L.Dense(7)

    def build(self, shape):
        self.embed.build(shape), self.mix.build((None, 6)), self.head.build((None, 6))
        super().build(shape)

    def call(self, prompt):
        state = ops.mean(self.embed(prompt), 1)
        words = ops.zeros((ops.shape(prompt)[0], 6), "int32")

        def step(n, state, words):
            previous = ops.take(words, ops.maximum(n - 1, 0), axis=1)
            output, (state,) = self.mix(self.embed(previous), [state])
            word = ops.cast(ops.argmax(self.head(output), -1), "int32")
            return n + 1, state, ops.where(ops.arange(6) == n, word[:, None], words)

        return ops.while_loop(lambda n, *_: n < 6, step, (0, state, words))[2]


class Beam(L.Layer):
    """Two best paths through a chain by scan: values and places."""

    def build(self, shape):
        self.moves = self.add_weight((shape[-1], shape[-1]), "random_normal", name="moves")

    def call(self, x):
        def step(best, row):
            total = best[:, :, None] + self.moves[None]
            return ops.max(total, 1) + row, ops.argmax(total, 1)

        last, places = ops.scan(step, x[:, 0], ops.transpose(x[:, 1:], (1, 0, 2)))
        word = ops.argmax(last, -1)

        def back(word, row):
            word = ops.take_along_axis(row, word[:, None], 1)[:, 0]
            return word, word

        _, path = ops.scan(back, word, places, reverse=True)
        return ops.transpose(ops.concatenate([path, word[None]], 0)), ops.logsumexp(last, -1)


class Gaussians(L.Layer):
    """A mixture's density, with the constants of the Gamma function."""

    def build(self, shape):
        self.centers = self.add_weight((3, shape[-1]), "random_normal", name="centers")
        self.degrees = self.add_weight((3,), keras.initializers.Constant(4.0), name="degrees")

    def call(self, x):
        half = self.degrees / 2
        square = ops.sum((x[:, None] - self.centers) ** 2, -1) / self.degrees
        norm = special.gammaln(ops.convert_to_tensor(half) + 0.5) - special.gammaln(ops.convert_to_tensor(half))
        return ops.logsumexp(norm - (half + 0.5) * ops.log1p(square), -1)


class Bottleneck(keras.Model):
    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.convs = [L.Conv2D(filters, size, padding="same", use_bias=False) for size in (1, 3, 1)]
        self.norms = [L.BatchNormalization(momentum=0.9, epsilon=1e-5, scale=n != 1, center=n != 2) for n in range(3)]
        self.drop = L.SpatialDropout2D(0.3)

    def call(self, x, training=None):
        y = x
        for conv, norm in zip(self.convs, self.norms, strict=True):
            y = ops.leaky_relu(norm(conv(y), training=training), 0.1)
        return ops.relu(self.drop(y, training=training) + x)


class Coupling(L.Layer):
    """A layer of a normalizing flow: values and the logarithm of the determinant."""

    def build(self, shape):
        self.net = keras.Sequential([L.Dense(8, "tanh"), L.Dense(shape[-1], kernel_initializer="random_normal")])
        self.net.build((None, shape[-1] // 2))
        self.order = np.random.default_rng(0).permutation(shape[-1])

    def call(self, x):
        left, right = ops.split(ops.take(x, self.order, axis=-1), 2, -1)
        scale, shift = ops.split(self.net(left), [right.shape[-1]], -1)
        scale = ops.tanh(scale)
        return ops.concatenate([left, right * ops.exp(scale) + shift], -1), ops.sum(scale, -1)


class Deformed(L.Layer):
    """Samples an image at learned places."""

    def build(self, shape):
        self.offsets = L.Conv2D(2, 3, padding="same", kernel_initializer="random_normal")
        self.offsets.build(shape)

    def call(self, x):
        height, width = x.shape[1:3]
        rows, columns = ops.meshgrid(
            ops.arange(height, dtype="float32"), ops.arange(width, dtype="float32"), indexing="ij"
        )
        moves = self.offsets(x)
        places = ops.stack([rows[None] + moves[..., 0], columns[None] + moves[..., 1]], 0)
        return ops.vectorized_map(
            lambda pair: ops.image.map_coordinates(pair[0], pair[1], order=1, fill_mode="nearest"),
            (x[..., 0], ops.transpose(places, (1, 0, 2, 3))),
        )


class Memory(L.Layer):
    """Counts calls and keeps a mean in weights that `call` changes."""

    def build(self, shape):
        self.calls = self.add_weight((), "zeros", dtype="int32", trainable=False, name="calls")
        self.mean = self.add_weight((shape[-1],), "zeros", trainable=False, name="mean")

    def call(self, x, training=False):
        self.calls.assign_add(1)
        self.mean.assign(0.9 * self.mean + 0.1 * ops.mean(x, 0))
        return x - self.mean + ops.cast(self.calls, x.dtype)


def named_outputs():
    a, b = keras.Input((3,), name="a"), keras.Input((None, 2), name="b")
    inner = keras.Model(
        {"b": b}, {"last": L.LSTM(3, name="l")(b), "all": L.Conv1D(2, 2, padding="causal", name="c")(b)}
    )
    parts = inner({"b": b})
    return keras.Model([a, {"b": b}], [{"x": L.Add(name="sum")([a, parts["last"]])}, (parts["all"],)])


def two_towers():
    image, words = keras.Input((12, 12, 3), name="image"), keras.Input((5,), dtype="int32", name="words")
    x = L.GlobalMaxPooling2D()(L.Conv2D(6, 3, strides=2, activation="elu")(image))
    y = L.GlobalAveragePooling1D()(L.Embedding(12, 6, mask_zero=True)(words))
    x, y = (L.UnitNormalization()(L.Dense(4)(each)) for each in (x, y))
    return keras.Model({"image": image, "words": words}, {"image": x, "words": y, "likeness": L.Dot(1)([x, y])})


def teacher_forced():
    source, target = (
        keras.Input((None,), dtype="int32", name="source"),
        keras.Input((None,), dtype="int32", name="target"),
    )
    x = L.Bidirectional(L.GRU(4, return_sequences=True, reset_after=False))(L.Embedding(9, 4, mask_zero=True)(source))
    y = L.GRU(8, return_sequences=True)(L.Embedding(9, 4, mask_zero=True)(target))
    y = L.Concatenate()([y, L.AdditiveAttention(use_scale=False)([y, x])])
    return keras.Model([source, target], L.TimeDistributed(L.Dense(9, "log_softmax"))(y))


def packed(mode, *layers, shape, dtype=None, **kwargs):
    def make():
        model = stack(shape, *(type(layer).from_config(layer.get_config()) for layer in layers), dtype=dtype)
        model.quantize(mode, **kwargs)
        return model

    return make


def app(name, shape, **settings):
    return lambda: getattr(keras.applications, name)(weights=None, input_shape=shape, **{"classes": 3, **settings})


def time_series():
    x = inputs = keras.Input((None, 2))
    for rate in (1, 2, 4):
        y = L.Conv1D(6, 2, padding="causal", dilation_rate=rate, activation="mish")(x)
        x = L.Add()([L.Conv1D(6, 1)(x), L.LayerNormalization()(y)])
    return keras.Model(inputs, [L.GlobalAveragePooling1D()(x), L.Dense(1)(x[:, -1])])


def frozen_backbone():
    base = keras.applications.MobileNetV2(weights=None, input_shape=(48, 40, 3), include_top=False, alpha=0.35)
    base.trainable = False
    image = keras.Input((48, 40, 3), dtype="uint8")
    x = keras.applications.mobilenet_v2.preprocess_input(ops.cast(image, "float32"))
    return keras.Model(
        image, L.Dense(2, "softmax")(L.Dropout(0.2)(L.GlobalAveragePooling2D()(base(x, training=False))))
    )


def integer_layers():
    days = keras.Input((3,), dtype="int32", name="days")
    one = L.CategoryEncoding(8, output_mode="one_hot")(days[:, :1])
    many = L.CategoryEncoding(8, output_mode="multi_hot")(days)
    hashed = L.Hashing(5, output_mode="multi_hot", salt=7)(days)
    return keras.Model(days, L.Concatenate()([one, many, L.Lambda(lambda x: ops.cast(x, "float32"))(hashed)]))


MODELS = {
    "rotary decoder, cache": rotary, "rotary decoder, prefill": lambda: rotary(tokens=3), "rotary decoder, int8": lambda: rotary("int8"), "rotary decoder, int4": lambda: rotary("int4"),
    "generation by while": lambda: called(Generate(), np.zeros((2, 3), "int32")),
    "best path": lambda: stack((6, 4), Beam()), "mixture": lambda: stack((3,), Gaussians()),
    "bottlenecks, nested subclasses": lambda: stack((9, 9, 4), Bottleneck(4), Bottleneck(4), L.GlobalAveragePooling2D()),
    "flow": lambda: graph([(6,)], lambda x: (lambda y: [Coupling()(y[0])[0], y[1]])(Coupling()(x))),
    "deformed sampling": lambda: stack((6, 7, 1), Deformed()), "weights that a call changes": lambda: stack((3,), Memory(), L.Dense(2)),
    "nested names": named_outputs, "two towers": two_towers, "teacher forced": teacher_forced, "time series": time_series,
    "frozen backbone of bytes": frozen_backbone, "encoded days": integer_layers,
    "causal, strides, groups 1-D": lambda: stack((13, 4), L.Conv1D(8, 3, strides=2, groups=4, padding="same"), L.Conv1DTranspose(3, 4, strides=3, padding="same", dilation_rate=1), L.Conv1D(2, 3, padding="causal", dilation_rate=3)),
    "transposed, dilated": lambda: stack((6, 5, 3), L.Conv2DTranspose(4, 3, dilation_rate=2, padding="valid"), L.Conv2DTranspose(2, (2, 3), strides=(3, 2), padding="same", activation="softplus")),
    "transposed, output padding": lambda: stack((5, 4, 2), L.Conv2DTranspose(3, 3, strides=2, output_padding=1, padding="valid"), L.Conv2DTranspose(2, 3, strides=(1, 2), output_padding=(0, 1), padding="same")),
    "transposed of open images": lambda: stack((None, None, 2), L.Conv2DTranspose(3, 4, strides=2, padding="same"), L.Conv2D(1, 3)),
    "channels first, all": lambda: stack((2, 9, 8), L.SeparableConv2D(4, 3, data_format="channels_first", strides=2), L.Conv2DTranspose(3, 3, strides=2, data_format="channels_first"), L.UpSampling2D(2, data_format="channels_first"), L.ZeroPadding2D(((1, 0), (2, 1)), data_format="channels_first"), L.AveragePooling2D(3, 2, "same", data_format="channels_first"), L.Flatten(data_format="channels_first")),
    "depthwise, multiplied, both": lambda: stack((8, 9, 3), L.DepthwiseConv2D((2, 3), depth_multiplier=3, strides=2, padding="same", activation="relu6"), L.SeparableConv2D(5, 3, depth_multiplier=2, dilation_rate=2, padding="same")),
    "pooling, odd windows": lambda: graph([(11, 10, 3)], lambda x: [L.MaxPooling2D((3, 2), strides=(1, 3), padding="same")(x), L.AveragePooling2D((2, 5), strides=2, padding="same")(x), L.AdaptiveAveragePooling2D((4, 3))(x)]),
    "adaptive pooling": lambda: graph([(10, 4)], lambda x: [L.AdaptiveAveragePooling1D(3)(x), L.AdaptiveMaxPooling1D(4)(x)]),
    "pooling 3-D, channels first": lambda: stack((2, 6, 6, 6), L.MaxPooling3D(3, 2, "same", data_format="channels_first"), L.Conv3D(3, 2, data_format="channels_first", groups=1), L.GlobalMaxPooling3D(data_format="channels_first")),
    "GRU, variants": lambda: graph([(6, 3)], lambda x: [L.GRU(4, activation="relu", recurrent_activation="hard_sigmoid", reset_after=False)(x), *L.GRU(3, return_state=True, go_backwards=True, use_bias=False)(x)]),
    "LSTM, variants": lambda: graph([(None, 3)], lambda x: [L.LSTM(4, activation="softsign", recurrent_activation="hard_sigmoid", unit_forget_bias=False)(x), *L.LSTM(3, return_sequences=True, return_state=True, go_backwards=True, use_bias=False)(x)]),
    "GRU in mixed precision": lambda: stack((5, 3), L.GRU(4, return_sequences=True, dtype="mixed_float16"), L.LSTM(3, dtype="mixed_bfloat16")),
    "masked, by values": lambda: stack((6, 2), L.Masking(0.25), L.LSTM(3, return_sequences=True), L.TimeDistributed(L.Dense(2)), L.GRU(2, return_sequences=True), L.GlobalAveragePooling1D()),
    "masked, reversed, both ways": lambda: masked_stack(L.Bidirectional(L.SimpleRNN(3, return_sequences=True), merge_mode="mul"), L.Bidirectional(L.LSTM(2), merge_mode=None), L.Concatenate()),
    "stateful both ways": lambda: (lambda i: keras.Model(i, L.Bidirectional(L.GRU(2, stateful=True, return_sequences=True))(i)))(keras.Input(batch_shape=(2, 4, 3))),
    "StackedRNNCells, masked": lambda: masked_stack(L.RNN(L.StackedRNNCells([L.GRUCell(3), L.SimpleRNNCell(4)]), return_sequences=True, return_state=False, go_backwards=True)),
    "TimeDistributed of a model": lambda: stack((None, 6, 6, 2), L.TimeDistributed(keras.Sequential([L.Conv2D(3, 3, activation="relu"), L.GlobalAveragePooling2D()])), L.Bidirectional(L.LSTM(3))),
    "attention, value dims, axes": lambda: graph([(4, 5, 8)], lambda x: L.MultiHeadAttention(2, 4, value_dim=3, attention_axes=(1, 2), use_bias=False)(x, x)),
    "attention, cached keys": lambda: graph([(1, 8), (6, 8), (6, 8)], lambda q, k, v: L.MultiHeadAttention(2, 4, output_shape=(2, 3))(q, v, key=k)),
    "flash, softcap, sliding": lambda: graph([(7, 2, 4)], lambda x: Own(lambda q: ops.dot_product_attention(q, q, q, is_causal=True, scale=0.3))(x)),
    "attention, bias and mask": of(lambda q, b: ops.dot_product_attention(q, q, q, bias=b[:, None], mask=ops.expand_dims(b > 0.3, 1)), (5, 2, 4), (5, 5)),
    "grouped attention, gated": lambda: graph([(None, 8)], lambda x: L.GroupQueryAttention(4, 4, 2, use_gate=True, use_bias=False)(x, x)),
    "normalizations, without": lambda: stack((5, 6, 4), L.BatchNormalization(axis=1, center=False, scale=False), L.LayerNormalization(axis=[1, 3], scale=False), L.GroupNormalization(2, axis=-1, center=False), L.UnitNormalization(axis=(1, 2)), L.RMSNormalization(axis=2)),
    "SpectralNormalization of convolutions": lambda: stack((6, 6, 2), L.SpectralNormalization(L.Conv2D(3, 3), power_iterations=2), L.PReLU(shared_axes=[1, 2])),
    "int8 of a convolution and attention": packed("int8", L.Conv1D(8, 3, activation="relu"), L.EinsumDense("btd,dhs->bths", (None, 2, 4), bias_axes="hs"), shape=(9, 8)),
    "int4, odd sizes": packed("int4", L.Dense(7, "tanh"), L.Dense(5), shape=(13,)),
    "int4 of einsums": packed("int4", L.EinsumDense("abc,cde->abde", (None, 3, 6)), shape=(4, 8)),
    "float8 of einsums": packed("float8", L.EinsumDense("abc,cd->abd", (None, 16)), L.Dense(16), shape=(4, 16)),
    "int8, embeddings, shared": packed("int8", L.Embedding(30, 16), L.Dense(16, "gelu"), L.GlobalMaxPooling1D(), shape=(None,), dtype="int32"),
    "Gamma functions": of(lambda x: [special.gammaln(x * 9 - 4.3), special.digamma(x * 9 + 0.1)]),
    "scipy's functions": of(lambda x: special.betainc(x + 0.5, x + 2, x) + special.gammaln(x * 7 + 0.3)),
    "bits": of(lambda x: [ops.bitwise_left_shift(x, 2), ops.bitwise_not(x), jax.lax.population_count(x + 7), jax.lax.clz(x + 3)], (4,), dtype="int32"),
    "bits of numbers": of(lambda x: [ops.view(x, "int32"), ops.signbit(x - 0.5)]),
    "rounding": of(lambda x: [ops.round(x * 9 - 4, 1), ops.sign(x - 0.5), ops.trunc(-x * 3), ops.ldexp(x, 2)]),
    "ranks and sets": of(lambda x: [ops.argsort(x, axis=-1), ops.take_along_axis(x, ops.argsort(x, axis=1), axis=1), ops.unravel_index(ops.argmax(ops.reshape(x, (-1, 16)), -1), (4, 4))[1], ops.histogram(x[0], bins=4, range=(0, 1))[0], ops.count_nonzero(x > 0.5, axis=1), ops.nanmedian(x, -1)]),
    "shapes": of(lambda x: [ops.moveaxis(x, 1, 2), ops.roll(x, 3, axis=(1)), ops.tile(x, (1, 2, 3)), ops.repeat(x, [1, 0, 2, 1], axis=1), ops.swapaxes(x, 1, 2)[:, ::-2, 1:], ops.diagonal(x, 1, 1, 2), ops.diag(x[0]), ops.triu(x, -1), ops.array_split(x, 3, axis=1)[2], ops.hstack([x, x]), ops.vander(x[:, 0, 0], 3)]),
    "linear algebra, more": of(lambda x: [ops.det(x + 3 * ops.eye(4)), ops.inv(x + 4 * ops.eye(4)), x @ x @ x, ops.eigh(x @ ops.transpose(x, (0, 2, 1)))[0]]),
    "expm, sqrtm": of(lambda x: jax.scipy.linalg.expm(x * 0.3)),
    "sparse masks": of(lambda x, k: ops.where(ops.cumsum(ops.one_hot(k, 4), -1)[:, None] > 0, x, ops.max(x, keepdims=True)), (4, 4), ()),
    "own gradient": of(keras.ops.custom_gradient(lambda x: (ops.sin(x), lambda *a, upstream=None: upstream))),
    "windows, complex": of(lambda x: [ops.real(x), ops.abs(ops.stft(x, 16, 4, 32, window="hamming")[0])], (40,)),
    "mel, log, pooled": lambda: stack((800,), L.MelSpectrogram(64, 32, sequence_length=16, sampling_rate=8000, num_mel_bins=10), L.Permute((2, 1)), L.GRU(4)),
    "random layers, training off": lambda: stack((10, 10, 3), L.RandomRotation(0.3), L.RandomZoom((-0.2, 0.2)), L.RandomErasing(), L.GaussianDropout(0.4), L.AlphaDropout(0.3), L.ActivityRegularization(0.1), L.Flatten(), L.Dense(2)),
    "resizing, modes of": lambda: graph([(7, 6, 2)], lambda x: [L.Resizing(5, 9, interpolation=i, antialias=a)(x) for i, a in (("bilinear", True), ("lanczos3", False), ("bicubic", True), ("nearest", False))]),
    "UpSampling, sizes": lambda: graph([(4, 5, 2)], lambda x: [L.UpSampling2D((3, 2), interpolation=i)(x) for i in ("nearest", "bilinear", "bicubic", "lanczos5")]),
    "VGG16, narrow image": app("VGG16", (33, 47, 3)), "DenseNet121 without top": app("DenseNet121", (40, 36, 3), include_top=False, pooling="avg"),
    "EfficientNetB0, input range": app("EfficientNetB0", (50, 44, 3)), "ConvNeXtTiny": app("ConvNeXtTiny", (32, 40, 3)), "InceptionV3": app("InceptionV3", (80, 75, 3)), "Xception": app("Xception", (71, 75, 3)), "NASNetMobile": app("NASNetMobile", (40, 32, 3)),
}  # fmt: skip
