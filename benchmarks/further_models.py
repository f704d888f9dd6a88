# ruff: noqa: E501
"""Further models of odd kinds, each written after the exporters: none of them was at hand when those were made."""

import numpy as np

from unusual_models import L, graph, keras, masked_stack, ops, stack

__all__ = ["MODELS"]


def heads_in_dicts():
    image, meta = keras.Input((12, 12, 3), name="image"), keras.Input((4,), name="meta")
    x = L.SeparableConv2D(6, 3, strides=2, padding="same", activation="swish")(image)
    x = L.Concatenate()([L.GlobalMaxPooling2D()(x), L.Dense(5, activation="selu")(meta)])
    boxes = L.Reshape((2, 4))(L.Dense(8)(x))
    return keras.Model(
        {"image": image, "meta": meta},
        {"boxes": boxes, "scores": {"class": L.Dense(3, "softmax")(x), "any": L.Dense(1, "sigmoid")(x)}},
    )


def tied_autoencoder():
    """A layer shared three times, and weights that another layer reads transposed."""

    class Tied(L.Layer):
        def __init__(self, source):
            super().__init__()
            self.source = source

        def call(self, x):
            return ops.matmul(x, ops.transpose(self.source.kernel))

    inputs = keras.Input((6,))
    code, mix = L.Dense(4, activation="elu"), L.Dense(4, activation="mish")
    return keras.Model(inputs, Tied(code)(mix(mix(mix(code(inputs))))))


class Highway(L.Layer):
    def build(self, shape):
        self.gate, self.body = L.Dense(shape[-1], "sigmoid"), L.Dense(shape[-1], "relu")
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")

    def call(self, x, training=None):
        gate = self.gate(x)
        if training:
            gate = ops.ones_like(gate)
        return self.scale * (gate * self.body(x) + (1 - gate) * x)


class Recursive(keras.Model):
    """A subclassed model that calls itself on halves, and returns a tuple."""

    def __init__(self, depth=2):
        super().__init__()
        self.own = Highway()
        self.inner = Recursive(depth - 1) if depth else None

    def call(self, x):
        x = self.own(x)
        if self.inner is None:
            return x, ops.mean(x, -1)
        left, _ = self.inner(x[:, ::2])
        right, _ = self.inner(x[:, 1::2])
        both = ops.reshape(ops.stack([left, right], 2), ops.shape(x))
        return both, ops.max(both, -1)


def recursive():
    model = Recursive()
    model(np.zeros((2, 8, 4), "float32"))
    return model


def bidirectional_resets():
    return masked_stack(
        L.Bidirectional(L.GRU(3, reset_after=True, return_sequences=True), merge_mode="concat"),
        L.Bidirectional(L.GRU(2, reset_after=False), backward_layer=L.LSTM(2, go_backwards=True), merge_mode="mul"),
    )


def cross_attention():
    query, memory, lengths = keras.Input((5, 8)), keras.Input((7, 8)), keras.Input((), dtype="int32")
    mask = lengths[:, None] > ops.arange(7)[None]
    x = L.MultiHeadAttention(2, 4, use_bias=False)(query, memory, attention_mask=mask[:, None])
    x, scores = L.MultiHeadAttention(4, 2, output_shape=6)(x, memory, return_attention_scores=True)
    return keras.Model([query, memory, lengths], [L.Add()([x, L.Dense(6)(query)]), scores])


def rotary():
    def call(x):
        half = x.shape[-1] // 2
        angle = ops.cast(ops.arange(x.shape[1]), "float32")[:, None] / 100.0 ** (ops.arange(half) / half)[None]
        a, b = ops.split(x, 2, axis=-1)
        turned = ops.concatenate([a * ops.cos(angle) - b * ops.sin(angle), a * ops.sin(angle) + b * ops.cos(angle)], -1)
        return ops.nn.dot_product_attention(*(ops.expand_dims(t, 2) for t in (turned, turned, x)), is_causal=True)

    return graph([(6, 8)], call)


def every_padding(layer, rank, shape):
    """Convolutions of one kind with every padding, stride and dilation, each as an output."""

    def call(x):
        outputs = []
        for padding in ("valid", "same"):
            for strides, dilation in ((1, 1), (2, 1), (3, 1), (1, 2), (1, 3)):
                made = (
                    layer(2, 3, padding=padding, strides=strides, dilation_rate=dilation)
                    if "Depthwise" not in layer.__name__
                    else layer(3, padding=padding, strides=strides, dilation_rate=dilation)
                )
                outputs.append(made(x))
        return outputs

    return lambda: graph([shape], call)


def transposed(layer, shape):
    def call(x):
        return [layer(2, kernel, strides=strides, padding=padding, output_padding=extra)(x)
                for padding in ("valid", "same") for kernel, strides, extra in ((3, 2, None), (2, 3, None), (4, 2, 1), (5, 1, None))]  # fmt: skip

    return lambda: graph([shape], call)


def preprocessing():
    """Numbers, classes and bins side by side, as of a table."""
    age, kind, city = (
        keras.Input((1,), name="age"),
        keras.Input((1,), dtype="int64", name="kind"),
        keras.Input((1,), dtype="int32", name="city"),
    )
    scaled = L.Normalization(mean=40.0, variance=100.0)(age)
    bins = L.Discretization([10.0, 20.0, 50.0], output_mode="one_hot")(age)
    kinds = L.IntegerLookup(vocabulary=[7, 9, 11], num_oov_indices=2, output_mode="multi_hot")(kind)
    cities = L.Flatten()(L.Embedding(6, 3)(city))
    return keras.Model([age, kind, city], L.Dense(2)(L.Concatenate()([scaled, bins, kinds, cities])))


def text_lookup():
    return keras.Sequential(
        [
            keras.Input((1,), dtype="string"),
            L.TextVectorization(vocabulary=["one", "two"], output_sequence_length=4),
            L.Embedding(4, 2),
        ]
    )


def spectrogram_net():
    return stack(
        (None, 1),
        L.STFTSpectrogram(mode="magnitude", frame_length=4, frame_step=2, fft_length=8, padding="same"),
        L.LayerNormalization(),
        L.Conv1D(3, 3),
        L.GlobalAveragePooling1D(),
    )


def filterbank():
    return stack(
        (256,),
        L.MelSpectrogram(
            num_mel_bins=6, sampling_rate=800, fft_length=64, sequence_stride=32, sequence_length=48, max_freq=400
        ),
        L.Flatten(),
        L.Dense(2),
    )


def fourier_mixing():
    def call(x):
        real, imaginary = ops.fft2((x, ops.zeros_like(x)))
        return [x + real, ops.irfft(ops.rfft(x), fft_length=8), imaginary]

    return graph([(4, 8)], call)


def wavenet():
    inputs = keras.Input((None, 4))
    x, skips = inputs, []
    for rate in (1, 2, 4):
        gated = L.Conv1D(4, 2, padding="causal", dilation_rate=rate, activation="tanh")(x) * L.Conv1D(
            4, 2, padding="causal", dilation_rate=rate, activation="sigmoid"
        )(x)
        skips.append(L.Conv1D(3, 1)(gated))
        x = x + L.Conv1D(4, 1)(gated)
    return keras.Model(inputs, L.Softmax()(L.ReLU()(L.Add()(skips))))


def feature_pyramid():
    image = keras.Input((None, None, 3))
    levels, x = [], image
    for filters in (4, 6, 8):
        x = L.BatchNormalization()(L.Conv2D(filters, 3, strides=2, padding="same", activation="relu6")(x))
        levels.append(L.Conv2D(5, 1)(x))
    merged = levels.pop()
    outputs = [merged]
    while levels:
        merged = L.Add()([L.UpSampling2D(2, interpolation="nearest")(merged), levels.pop()])
        outputs.append(L.DepthwiseConv2D(3, padding="same")(merged))
    return keras.Model(image, outputs)


class PixelShuffle(L.Layer):
    """Channels to pixels, for images of any size."""

    def call(self, x):
        batch, height, width, channels = ops.shape(x)
        x = ops.reshape(x, (batch, height, width, 2, 2, channels // 4))
        return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (batch, height * 2, width * 2, channels // 4))

    def compute_output_shape(self, shape):
        return (shape[0], *(size and size * 2 for size in shape[1:3]), shape[3] // 4)


def super_resolution():
    image = keras.Input((None, None, 2))
    return keras.Model(image, PixelShuffle()(L.Conv2D(8, 3, padding="same")(image)) + L.UpSampling2D(2)(image))


def mixture_of_experts():
    def call(x):
        gates = ops.softmax(L.Dense(4)(x))
        values, places = ops.top_k(gates, 2)
        experts = ops.stack([L.Dense(3, "gelu")(x) for _ in range(4)], axis=1)
        chosen = ops.take_along_axis(experts, places[..., None], axis=1)
        return ops.einsum("bk,bkd->bd", values / ops.sum(values, -1, keepdims=True), chosen)

    return graph([(5,)], call)


def graph_convolution():
    """Messages along edges, summed where they arrive."""

    class Messages(L.Layer):
        def build(self, shapes):
            self.dense = L.Dense(4)

        def call(self, inputs):
            nodes, edges = inputs
            sent = ops.take_along_axis(
                self.dense(nodes), ops.broadcast_to(edges[..., :1], (*ops.shape(edges)[:2], 4)), axis=1
            )
            return ops.einsum("bet,bed->btd", ops.one_hot(edges[..., 1], nodes.shape[1]), sent)

    nodes, edges = keras.Input((4, 3)), keras.Input((5, 2), dtype="int32")
    return keras.Model([nodes, edges], Messages()([nodes, edges]))


def quantized_convolutions(mode):
    def make():
        model = stack(
            (6, 6, 3), L.Conv2D(4, 3), L.Flatten(), L.Dense(16, "relu"), L.EinsumDense("ab,bc->ac", 4, bias_axes="c")
        )
        model.quantize(mode)
        return model

    return make


def quantized_embedding(mode):
    def make():
        model = masked_stack(L.Bidirectional(L.LSTM(3)), L.Dense(4))
        model.quantize(mode)
        return model

    return make


MODELS = {
    "heads in dicts": heads_in_dicts,
    "tied weights": tied_autoencoder,
    "recursive subclass": recursive,
    "Bidirectional GRUs of both kinds": bidirectional_resets,
    "cross attention by lengths": cross_attention,
    "rotary, dot_product_attention": rotary,
    **{f"{name} of every padding": every_padding(getattr(L, name), 1, shape) for name, shape in (
        ("Conv1D", (14, 3)), ("SeparableConv1D", (14, 3)), ("DepthwiseConv1D", (14, 3)), ("Conv2D", (13, 14, 3)),
        ("SeparableConv2D", (13, 14, 3)), ("DepthwiseConv2D", (13, 14, 3)), ("Conv3D", (8, 9, 10, 2)))},
    **{f"{name} of every padding": transposed(getattr(L, name), shape) for name, shape in (
        ("Conv1DTranspose", (5, 3)), ("Conv2DTranspose", (5, 4, 3)), ("Conv3DTranspose", (3, 4, 3, 2)))},
    "table of numbers, classes, bins": preprocessing,
    "text": text_lookup,
    "spectrogram, open time": spectrogram_net,
    "mel filters": filterbank,
    "Fourier mixing": fourier_mixing,
    "WaveNet, open time": wavenet,
    "feature pyramid, open sizes": feature_pyramid,
    "pixel shuffle, open sizes": super_resolution,
    "mixture of experts": mixture_of_experts,
    "graph convolution": graph_convolution,
    "ConvLSTM2D stacked, masked": lambda: stack((4, 6, 6, 1), L.ConvLSTM2D(2, 3, padding="same", return_sequences=True, dilation_rate=2), L.BatchNormalization(), L.ConvLSTM2D(2, 2, go_backwards=True)),
    "ConvLSTM1D, states": lambda: graph([(3, 7, 2)], lambda x: L.ConvLSTM1D(2, 3, return_state=True, return_sequences=True)(x)),
    "normalizations by axis": lambda: stack((4, 6, 8), L.GroupNormalization(2, axis=1), L.UnitNormalization(axis=(1, 2)), L.LayerNormalization(axis=1, center=False), L.RMSNormalization(axis=(1, 3)), L.BatchNormalization(axis=2)),
    "instance normalization, open": lambda: stack((None, None, 4), L.GroupNormalization(-1), L.Conv2D(2, 1)),
    "einsums": lambda: graph([(3, 4), (4, 5)], lambda a, b: [ops.einsum("bij,bjk->bik", a, b), ops.einsum("bij,bjk->b", a, b), ops.einsum("...ij->...ji", a), ops.einsum("bii->bi", ops.matmul(a, ops.transpose(a, (0, 2, 1)))), L.EinsumDense("abc,cde->adeb", (2, 3, None), bias_axes="de")(a)]),
    "resizing modes": lambda: graph([(7, 6, 2)], lambda x: [keras.ops.image.resize(x, size, interpolation=mode, antialias=smooth) for mode in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5") for size, smooth in (((5, 9), False), ((3, 3), True))]),
    "resizing, padded and cropped": lambda: graph([(9, 5, 2)], lambda x: [L.Resizing(6, 6, pad_to_aspect_ratio=True)(x), L.Resizing(6, 4, crop_to_aspect_ratio=True)(x), L.UpSampling2D((3, 2), interpolation="bicubic")(x)]),
    "affine, map_coordinates": lambda: graph([(6, 6, 1)], lambda x: [ops.image.affine_transform(x, [1.0, 0.1, 0, 0, 0.9, 0.5, 0, 0], fill_mode="reflect"), ops.image.rgb_to_grayscale(ops.repeat(x, 3, -1)), ops.image.crop_images(x, 1, 1, target_height=3, target_width=3)]),
    "colours": lambda: graph([(4, 4, 3)], lambda x: [ops.image.rgb_to_hsv(x), ops.image.hsv_to_rgb(x), ops.image.gaussian_blur(x, (3, 3), (1.0, 1.0))]),
    "int8 of convolutions": quantized_convolutions("int8"), "int4 of convolutions": quantized_convolutions("int4"), "float8 of convolutions": quantized_convolutions("float8"),
    "int8 of a recurrent model": quantized_embedding("int8"), "int4 of a recurrent model": quantized_embedding("int4"),
    "mixed_float16, attention": lambda: graph([(None, 8)], lambda x: L.LayerNormalization(dtype="float32")(L.MultiHeadAttention(2, 4, dtype="mixed_float16")(x, x))),
    "mixed_bfloat16, recurrent": lambda: stack((5, 3), L.GRU(4, dtype="mixed_bfloat16", return_sequences=True), L.LSTM(3, dtype="mixed_float16"), L.Dense(2)),
    "reversible integers": lambda: graph([(6,)], lambda x: [ops.bitwise_and(x, 3), ops.left_shift(x, 2), x // 3, x % 3, ops.abs(x - 1), ops.sum(x, -1), ops.cumsum(x, 1), ops.sort(x, -1), ops.max(x, -1), ops.equal(x, 1)], dtype="int32"),
    "uint8 images": lambda: stack((8, 8, 3), L.Rescaling(1 / 127.5, -1.0), L.Conv2D(3, 3, strides=2), L.GlobalAveragePooling2D(), dtype="uint8"),
    "many axes": lambda: graph([(2, 3, 4, 5)], lambda x: [ops.transpose(x, (0, 4, 2, 1, 3)), ops.reshape(x, (-1, 6, 20)), ops.moveaxis(x, 1, -1), ops.sum(x, (1, 3)), ops.squeeze(x[:, :1], 1), ops.swapaxes(x, 2, 3), ops.rot90(x, axes=(1, 2)), ops.mean(x, (2, 4), keepdims=True)]),
    "slices, updates": lambda: graph([(5, 4)], lambda x: [x[:, -2:], x[:, 1:4:2, ::-1], x[..., None, 0], ops.slice(x, (0, 1, 1), (1, 2, 2)), ops.slice_update(x, (0, 2, 0), ops.zeros_like(x[:, :2])), ops.array_split(x, 3, 1)[0], ops.unstack(x, axis=2)[1]]),
    "statistics": lambda: graph([(6, 3)], lambda x: [ops.quantile(x, 0.3, axis=1), ops.median(x, axis=-1), *ops.moments(x, (1,)), ops.logaddexp(x, 1 - x), ops.logcumsumexp(x, 1) if hasattr(ops, "logcumsumexp") else x, ops.argpartition(x, 1), ops.digitize(x, ops.array([0.2, 0.6])), ops.nan_to_num(x / 0.0)]),
    "CTC, CRF-like scan": lambda: graph([(5, 3)], lambda x: ops.associative_scan(lambda a, b: a * 0.5 + b, x, axis=1)),
    "decomposition": lambda: graph([(3, 3)], lambda x: [ops.det(x), ops.cholesky(ops.matmul(x, ops.transpose(x, (0, 2, 1))) + 3 * ops.eye(3)), ops.solve(x + 3 * ops.eye(3), x)]),
    "noise at inference": lambda: stack((6, 2), L.GaussianNoise(1.0), L.SpatialDropout1D(0.4), L.AlphaDropout(0.2), L.RandomBrightness(0.3) if False else L.Identity(), L.Dense(2)),
    "fixed batch": lambda: keras.Sequential([keras.Input(batch_shape=(5, 4, 3)), L.LSTM(3), L.Dense(2)]),
    "scalars per sample": lambda: graph([(), ()], lambda a, b: [a * 2 + b, ops.stack([a, b], -1)]),
}  # fmt: skip
