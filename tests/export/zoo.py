"""Models of every family of layers, by name: functions that build them."""

# fmt: off
# ruff: noqa: E501

from __future__ import annotations

import numpy as np

import lamina as keras

__all__ = ["ZOO"]

L, ops = keras.layers, keras.ops
ZOO = {}


def stack(shape, *layers, dtype=None):
    return lambda: keras.Sequential([keras.Input(shape, dtype=dtype), *(layer() for layer in layers)])


def graph(shapes, function):
    def build():
        inputs = [keras.Input(shape) for shape in shapes]
        return keras.Model(inputs, function(*inputs))

    return build


def add(name, shape, *layers, dtype=None):
    ZOO[name] = stack(shape, *layers, dtype=dtype)


def _activations():
    names = (
        "celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu linear log_sigmoid "
        "log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid "
        "sparsemax squareplus tanh tanh_shrink"
    )
    for name in names.split():
        ZOO[f"activation {name}"] = graph([(6,)], lambda x, name=name: getattr(keras.activations, name)(x * 4 - 2))


def _convolutions():
    for padding in ("valid", "same"):
        for strides in (1, 2):
            end = f" {padding} {strides}"
            k = {"padding": padding, "strides": strides}
            add(f"Conv1D{end}", (9, 3), lambda k=k: L.Conv1D(4, 3, activation="relu", **k))
            add(f"Conv2D{end}", (9, 8, 3), lambda k=k: L.Conv2D(4, 3, activation="gelu", **k))
            add(f"Conv3D{end}", (6, 7, 5, 2), lambda k=k: L.Conv3D(3, 2, **k))
            add(f"DepthwiseConv1D{end}", (9, 3), lambda k=k: L.DepthwiseConv1D(3, depth_multiplier=2, **k))
            add(f"DepthwiseConv2D{end}", (9, 8, 3), lambda k=k: L.DepthwiseConv2D(3, depth_multiplier=2, **k))
            add(f"SeparableConv1D{end}", (9, 3), lambda k=k: L.SeparableConv1D(4, 3, **k))
            add(f"SeparableConv2D{end}", (9, 8, 3), lambda k=k: L.SeparableConv2D(4, 3, **k))
            add(f"Conv1DTranspose{end}", (5, 3), lambda k=k: L.Conv1DTranspose(4, 3, **k))
            add(f"Conv2DTranspose{end}", (5, 6, 3), lambda k=k: L.Conv2DTranspose(4, 3, activation="relu", **k))
            add(f"Conv3DTranspose{end}", (3, 4, 3, 2), lambda k=k: L.Conv3DTranspose(2, 3, **k))
            for kind in ("Max", "Average"):
                for rank, shape in ((1, (9, 3)), (2, (9, 8, 3)), (3, (5, 6, 5, 3))):
                    layer = getattr(L, f"{kind}Pooling{rank}D")
                    add(f"{kind}Pooling{rank}D{end}", shape, lambda layer=layer, k=k: layer(3 if k["strides"] == 1 else 2, **k))
    add("Conv1D causal", (12, 3), lambda: L.Conv1D(4, 3, padding="causal", dilation_rate=2))
    add("Conv2D dilated", (12, 12, 3), lambda: L.Conv2D(4, 3, dilation_rate=2, padding="same"))
    add("Conv2D groups", (9, 9, 4), lambda: L.Conv2D(4, 3, groups=2))
    add("Conv1D groups", (9, 4), lambda: L.Conv1D(4, 3, groups=2, padding="same", strides=2))
    add("Conv3D groups", (5, 5, 5, 4), lambda: L.Conv3D(4, 2, groups=2))
    add("Conv3D dilated", (7, 7, 7, 3), lambda: L.Conv3D(4, 2, dilation_rate=2))
    add("Conv2D channels first", (3, 9, 8), lambda: L.Conv2D(4, 3, data_format="channels_first"))
    add("Conv2D rectangular", (9, 8, 3), lambda: L.Conv2D(4, (3, 2), strides=(2, 1), padding="same", use_bias=False))
    add("DepthwiseConv2D dilated", (12, 12, 3), lambda: L.DepthwiseConv2D(3, dilation_rate=2))
    add("Conv2DTranspose 4 2", (5, 6, 3), lambda: L.Conv2DTranspose(4, 4, strides=2, padding="same"))
    add("Conv2DTranspose 2 3", (5, 6, 3), lambda: L.Conv2DTranspose(4, 2, strides=3, padding="same"))
    add("Conv2DTranspose output padding", (5, 6, 3), lambda: L.Conv2DTranspose(4, 3, strides=2, output_padding=1))
    add("Conv2DTranspose dilated", (5, 6, 3), lambda: L.Conv2DTranspose(4, 3, dilation_rate=2))
    add("Conv1DTranspose output padding", (6, 2), lambda: L.Conv1DTranspose(4, 3, strides=2, padding="same", output_padding=1))
    add("pools channels first", (3, 8, 8), lambda: L.MaxPooling2D(data_format="channels_first"), lambda: L.AveragePooling2D(data_format="channels_first"))
    for rank, shape in ((1, (5, 3)), (2, (5, 4, 3)), (3, (3, 4, 2, 3))):
        for kind in ("Max", "Average"):
            layer = getattr(L, f"Global{kind}Pooling{rank}D")
            add(f"Global{kind}Pooling{rank}D", shape, lambda layer=layer: layer(keepdims=True))
            layer = getattr(L, f"Adaptive{kind}Pooling{rank}D")
            add(f"Adaptive{kind}Pooling{rank}D", shape, lambda layer=layer: layer(2))


def _recurrent():
    for kind, layer in (("SimpleRNN", L.SimpleRNN), ("LSTM", L.LSTM), ("GRU", L.GRU)):
        add(f"{kind}", (6, 3), lambda layer=layer: layer(4))
        add(f"{kind} backwards", (6, 3), lambda layer=layer: layer(4, return_sequences=True, go_backwards=True))
        add(f"{kind} open", (None, 3), lambda layer=layer: layer(4, return_sequences=True, use_bias=False), lambda layer=layer: layer(3))
        add(f"{kind} relu", (6, 3), lambda layer=layer: layer(4, activation="relu"))
        add(f"Bidirectional {kind}", (6, 3), lambda layer=layer: L.Bidirectional(layer(4, return_sequences=True)), lambda layer=layer: L.Bidirectional(layer(2), merge_mode="sum"))
        add(f"Masking {kind}", (6, 3), lambda: L.Masking(0.0), lambda layer=layer: L.Bidirectional(layer(4, return_sequences=True)))
        add(f"Embedding mask {kind}", (6,), lambda: L.Embedding(10, 4, mask_zero=True), lambda layer=layer: layer(3), dtype="int32")
        ZOO[f"{kind} states"] = graph([(6, 3)], lambda x, layer=layer: layer(4, return_state=True, return_sequences=True)(x))
    add("LSTM long", (200, 3), lambda: L.LSTM(4, return_sequences=True))
    add("GRU long backwards", (300, 3), lambda: L.GRU(4, return_sequences=True, go_backwards=True))
    add("GRU reset before", (6, 3), lambda: L.GRU(4, reset_after=False))
    add("stacked cells", (6, 3), lambda: L.RNN([L.LSTMCell(4), L.GRUCell(3)], return_sequences=True))
    add("ConvLSTM1D", (4, 8, 2), lambda: L.ConvLSTM1D(3, 3, padding="same"))
    add("ConvLSTM2D", (4, 8, 8, 2), lambda: L.ConvLSTM2D(3, 3, padding="same", return_sequences=True))
    add("ConvLSTM3D", (3, 4, 4, 4, 2), lambda: L.ConvLSTM3D(2, 2, padding="same"))
    add("TimeDistributed", (3, 8, 8, 2), lambda: L.TimeDistributed(L.Conv2D(3, 3)), lambda: L.TimeDistributed(L.Flatten()))
    add("TimeDistributed open", (None, 4), lambda: L.TimeDistributed(L.Dense(3)))


def _shapes_and_norms():
    add("BatchNormalization", (4, 4, 3), lambda: L.BatchNormalization())
    add("BatchNormalization axis", (4, 4, 3), lambda: L.BatchNormalization(axis=1, scale=False))
    add("LayerNormalization", (4, 3), lambda: L.LayerNormalization())
    add("LayerNormalization axes", (4, 3), lambda: L.LayerNormalization(axis=[1, 2]))
    add("GroupNormalization", (8, 8, 6), lambda: L.GroupNormalization(3))
    add("RMSNormalization", (4, 6), lambda: L.RMSNormalization())
    add("UnitNormalization", (4, 6), lambda: L.UnitNormalization())
    add("SpectralNormalization", (4,), lambda: L.SpectralNormalization(L.Dense(3)))
    add("Normalization", (4,), lambda: L.Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[1.0, 2.0, 3.0, 4.0]))
    add("Cropping1D", (6, 2), lambda: L.Cropping1D((1, 2)))
    add("Cropping2D", (6, 7, 2), lambda: L.Cropping2D(((1, 2), (0, 1))))
    add("Cropping3D", (6, 7, 5, 2), lambda: L.Cropping3D(1))
    add("cropping open", (None, None, 2), lambda: L.Cropping2D(1), lambda: L.ZeroPadding2D(2))
    add("ZeroPadding1D", (3, 2), lambda: L.ZeroPadding1D(2))
    add("ZeroPadding2D", (3, 4, 2), lambda: L.ZeroPadding2D(((1, 0), (2, 1))))
    add("ZeroPadding3D", (3, 4, 2, 2), lambda: L.ZeroPadding3D(1))
    add("UpSampling1D", (3, 2), lambda: L.UpSampling1D(2))
    add("UpSampling2D", (3, 4, 2), lambda: L.UpSampling2D((2, 3)))
    add("UpSampling3D", (3, 4, 2, 2), lambda: L.UpSampling3D(2))
    for mode in ("nearest", "bilinear", "bicubic", "lanczos3"):
        add(f"UpSampling2D {mode}", (6, 6, 3), lambda mode=mode: L.UpSampling2D(2, interpolation=mode))
        add(f"Resizing {mode}", (6, 6, 3), lambda mode=mode: L.Resizing(5, 9, interpolation=mode))
    add("Resizing crop", (8, 6, 3), lambda: L.Resizing(4, 4, crop_to_aspect_ratio=True))
    add("CenterCrop", (8, 8, 3), lambda: L.CenterCrop(4, 5))
    add("Rescaling", (4, 4, 3), lambda: L.Rescaling(1 / 255, offset=-0.5))
    add("Rescaling uint8", (4, 4, 3), lambda: L.Rescaling(1 / 255), lambda: L.Conv2D(2, 3), dtype="uint8")
    add("Permute", (2, 3, 4), lambda: L.Permute((3, 1, 2)))
    add("Reshape", (12,), lambda: L.Reshape((3, -1)), lambda: L.Flatten(), lambda: L.RepeatVector(3))
    add("PReLU", (5, 4, 3), lambda: L.PReLU(shared_axes=[1, 2]))
    add("ReLU", (5,), lambda: L.ReLU(max_value=0.5, negative_slope=0.1, threshold=0.2))
    add("LeakyReLU, ELU, Softmax", (3, 4), lambda: L.LeakyReLU(0.2), lambda: L.ELU(0.7), lambda: L.Softmax(axis=1))
    add("noise", (4,), lambda: L.GaussianNoise(0.1), lambda: L.GaussianDropout(0.1), lambda: L.AlphaDropout(0.1), lambda: L.Dropout(0.5), lambda: L.Identity())
    add("SpatialDropout", (4, 3), lambda: L.SpatialDropout1D(0.2), lambda: L.ActivityRegularization(l2=0.1))
    add("augmentation", (8, 8, 3), *(lambda layer=layer: layer for layer in ()), lambda: L.RandomFlip(), lambda: L.RandomRotation(0.1), lambda: L.RandomZoom(0.1), lambda: L.RandomContrast(0.1), lambda: L.RandomTranslation(0.1, 0.1), lambda: L.Conv2D(2, 3))
    add("Dense", (4,), lambda: L.Dense(3, "relu"), lambda: L.Dense(2, "softmax"))
    add("Dense of 3 axes", (3, 4), lambda: L.Dense(2, "tanh"))
    add("EinsumDense", (5, 4), lambda: L.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d"))
    add("EinsumDense heads", (5, 4), lambda: L.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de"))
    add("EinsumDense back", (5, 2, 3), lambda: L.EinsumDense("abde,dec->abc", (None, 6)))
    add("Embedding", (6,), lambda: L.Embedding(10, 4), lambda: L.GlobalAveragePooling1D(), dtype="int32")
    add("Embedding mask pool", (6,), lambda: L.Embedding(10, 4, mask_zero=True), lambda: L.GlobalAveragePooling1D(), dtype="int32")
    add("MelSpectrogram", (400,), lambda: L.MelSpectrogram(num_mel_bins=8, fft_length=64, sequence_stride=32))
    add("STFTSpectrogram", (400, 1), lambda: L.STFTSpectrogram(frame_length=64, frame_step=32, fft_length=64))


def _categories():
    for mode in ("multi_hot", "one_hot", "count"):
        shape = (1,) if mode == "one_hot" else (4,)
        add(f"CategoryEncoding {mode}", shape, lambda mode=mode: L.CategoryEncoding(5, output_mode=mode), dtype="int32")
        add(f"IntegerLookup {mode}", shape, lambda mode=mode: L.IntegerLookup(vocabulary=[1, 2, 3], output_mode=mode), dtype="int32")
    add("IntegerLookup", (4,), lambda: L.IntegerLookup(vocabulary=[1, 2, 3]), dtype="int32")
    add("Discretization", (4,), lambda: L.Discretization(bin_boundaries=[0.2, 0.5, 0.7]))
    add("Discretization one hot", (1,), lambda: L.Discretization(bin_boundaries=[0.2, 0.5, 0.7], output_mode="one_hot"))
    add("Hashing", (4,), lambda: L.Hashing(5), dtype="int32")


def _merging():
    for name in ("Add", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Subtract"):
        ZOO[name] = graph([(4, 3), (4, 3)], lambda a, b, name=name: getattr(L, name)()([a, L.Dense(3)(b)]))
    ZOO["Add of other shapes"] = graph([(4, 3), (1, 3)], lambda a, b: L.Add()([a, b]))
    ZOO["Concatenate axis"] = graph([(4, 3), (2, 3)], lambda a, b: L.Concatenate(axis=1)([a, b]))
    ZOO["Dot"] = graph([(4, 3), (4, 3)], lambda a, b: [L.Dot(axes=2)([a, b]), L.Dot((1, 1), normalize=True)([a, b])])
    ZOO["attention"] = graph([(5, 4), (6, 4)], lambda a, b: [L.Attention()([a, b]), L.AdditiveAttention()([a, b])])
    ZOO["Attention scale causal"] = graph([(5, 4)], lambda a: L.Attention(use_scale=True, score_mode="concat")([a, a], use_causal_mask=True))
    ZOO["MultiHeadAttention"] = graph([(5, 8), (3, 6)], lambda a, b: L.MultiHeadAttention(2, 4, value_dim=3)(a, b))
    ZOO["MultiHeadAttention axes"] = graph([(3, 5, 8)], lambda a: L.MultiHeadAttention(2, 4, attention_axes=(2,))(a, a))
    ZOO["GroupQueryAttention"] = graph([(5, 8)], lambda a: L.GroupQueryAttention(4, 4, 2)(a, a, use_causal_mask=True))
    ZOO["Bilinear"] = graph([(4,), (3,)], lambda a, b: ops.einsum("ba,bc->bac", a, b))


class Subclass(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = L.Dense(4, activation="relu")

    def call(self, inputs):
        hidden = self.dense(inputs)
        return {"sum": ops.sum(hidden, -1), "hidden": hidden}


class Two(keras.Model):
    def __init__(self):
        super().__init__()
        self.left, self.right = L.Dense(4), L.Dense(4)

    def call(self, inputs):
        return self.left(inputs["a"]) * self.right(inputs["b"])


def subclass(kind, data):
    def build():
        model = kind()
        model(data)
        return model

    return build


def _whole():
    def shared():
        a = keras.Input((4,))
        dense = L.Dense(4)
        x = dense(dense(L.Dense(4, "relu")(a) + a))
        return keras.Model(a, [L.Dense(2, name="first")(x), x])

    def nested():
        a = keras.Input((4,))
        inner = keras.Sequential([keras.Input((4,)), L.Dense(4, "relu"), L.BatchNormalization()], name="inner")
        b = keras.Input((4,))
        head = keras.Model(b, L.Dense(3)(b) + L.Dense(3)(b), name="head")
        x = inner(a)
        return keras.Model(a, head(L.Add()([x, inner(x)])))

    def unet():
        inputs = keras.Input((None, None, 2))
        wide = L.Conv2D(4, 3, padding="same", activation="relu")(inputs)
        deep = L.Conv2D(4, 3, padding="same")(L.MaxPooling2D()(wide))
        up = L.Conv2DTranspose(4, 2, strides=2)(deep)
        return keras.Model(inputs, L.Conv2D(1, 1)(L.Concatenate()([wide, L.UpSampling2D()(deep), up])))

    def transformer(time=None):
        tokens = keras.Input((time,), dtype="int32")
        x = L.Embedding(20, 8)(tokens)
        x = L.LayerNormalization()(x + L.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True))
        return keras.Model(tokens, L.Dense(20)(x + L.Dense(8)(L.Dense(16, activation="gelu")(x))))

    def quantized(mode, *layers):
        def build():
            model = keras.Sequential([keras.Input((32,)), *(layers or (L.Dense(64, activation="relu"), L.Dense(8)))])
            model.quantize(mode)
            return model

        return build

    def dictionary():
        inputs = {"age": keras.Input((3,), name="age"), "text": keras.Input((5,), dtype="int32", name="text")}
        x = L.Concatenate()([inputs["age"], L.Flatten()(L.Embedding(8, 2)(inputs["text"]))])
        return keras.Model(inputs, {"price": L.Dense(1)(x), "kind": L.Dense(2, "softmax")(x)})

    def variational():
        a = keras.Input((4,))
        mean, width = L.Dense(2)(a), L.Dense(2)(a)
        return keras.Model(a, L.Dense(4)(mean + ops.exp(0.5 * width) * 0.1))

    ZOO.update({
        "shared layer": shared, "nested": nested, "U-Net open": unet, "transformer open": transformer,
        "transformer": lambda: transformer(7), "dictionary": dictionary, "variational": variational,
        "subclass": subclass(Subclass, np.zeros((2, 3), "float32")),
        "subclass of a dict": subclass(Two, {"a": np.zeros((2, 3), "float32"), "b": np.zeros((2, 2), "float32")}),
        "int8": quantized("int8"), "int4": quantized("int4"),
        "mixed_float16": stack((8,), lambda: L.Dense(16, dtype="mixed_float16"), lambda: L.Dense(3)),
        "mixed_bfloat16": stack((8, 8, 3), lambda: L.Conv2D(4, 3, dtype="mixed_bfloat16"), lambda: L.Flatten(), lambda: L.Dense(3)),
        "sequential of sequentials": stack((4,), lambda: keras.Sequential([L.Dense(3)]), lambda: keras.Sequential([L.Dense(2)])),
    })  # fmt: skip


def factors(x):
    """Factorizations and what is made of them."""
    return [ops.cholesky(x), ops.inv(x), *ops.qr(x), ops.pinv(x[:, :3]), ops.eigh(x)[0], ops.erfinv(x / 9), ops.i0(x)]


def _operations():
    table = {
        "sorting": lambda x: [ops.top_k(x, 2)[0], ops.sort(x), ops.argmax(x, -1), ops.argsort(x), ops.argmin(x, -1)],
        "moving": lambda x: [ops.flip(x, 1), ops.roll(x, 1, 1), ops.take_along_axis(x, ops.argsort(x), -1), ops.take(x, [2, 0], axis=1), x[:, 1:3], x[:, ::-2], x[:, None]],
        "running": lambda x: [ops.cumsum(x, -1), ops.cumprod(x, -1), ops.diff(x)],
        "elements": lambda x: [ops.clip(x, 0.2, 0.4), ops.where(x > 0.5, x, -x), ops.round(x * 10), ops.arctan2(x, x + 1), ops.log1p(x), ops.floor_divide(x, 0.3), ops.erf(x), ops.isfinite(x), ops.mod(x, 0.3)],
        "angles": lambda x: [ops.sin(x), ops.cos(x), ops.tan(x), ops.arcsin(x), ops.arccos(x), ops.arctan(x), ops.sinh(x), ops.cosh(x), ops.arcsinh(x), ops.arccosh(x + 1.5), ops.arctanh(x * 0.9)],
        "powers": lambda x: [x**2, x**0.5, x**3, 2.0**x, ops.rsqrt(x + 1), ops.expm1(x), ops.log2(x + 1), ops.log10(x + 1), ops.reciprocal(x + 1), ops.square(x), ops.sign(x - 0.5)],
        "repeats": lambda x: [ops.tile(x, [1, 2]), ops.repeat(x, 2, 1), ops.stack([x, x], 1), ops.pad(x, [[0, 0], [1, 2]]), ops.repeat(x[:, None], 3, 1)],
        "statistics": lambda x: [ops.std(x, -1), ops.var(x, -1), ops.mean(x, -1), ops.max(x, -1), ops.min(x, -1), ops.prod(x, -1), ops.logsumexp(x, -1), ops.norm(x, axis=-1), ops.median(x, -1), ops.any(x > 0.5, -1), ops.all(x > 0.1, -1), ops.count_nonzero(x > 0.5, -1)],
        "products": lambda x: [ops.matmul(x[:, None], x[:, :, None]), ops.einsum("bi,bj->bij", x, x), ops.outer(x[0], x[0])[None] * x[:, None], ops.tensordot(x, ops.ones((4, 3)), 1)],
        "one hot": lambda x: [ops.one_hot(ops.cast(x * 4, "int32"), 5), ops.cast(x > 0.5, "float32"), ops.logical_and(x > 0.2, x < 0.8)],
        "batch": lambda x: [x - ops.mean(x, 0), x / ops.sum(ops.ones_like(x), 0)],
        "loop": lambda x: ops.fori_loop(0, 3, lambda _, total: total * 0.5 + 1, x),
        "while": lambda x: ops.while_loop(lambda i, y: i < 5, lambda i, y: (i + 1, y * 0.9), (0, x))[1],
        "cond": lambda x: L.Lambda(lambda x: ops.cond(ops.sum(x) > 1e9, lambda: x + 1, lambda: x * 2))(x),
        "triangles": lambda x: [ops.tril(x[:, :, None] * x[:, None]), ops.triu(x[:, :, None] * x[:, None])],
        "scatter": lambda x: [ops.slice_update(x, (0, 1), x[:, :2]), ops.scatter_update(x, [[0, 1]], ops.ones((1,)))],
        "linalg": lambda x: [ops.trace(x[:, :, None] * x[:, None], axis1=1, axis2=2), ops.diagonal(x[:, :, None] * x[:, None], axis1=1, axis2=2)],
        "factors": lambda x: factors(x[:, :, None] * x[:, None] + ops.eye(4)),
        "map": lambda x: ops.vectorized_map(lambda row: row * 2, x),
    }  # fmt: skip
    for name, function in table.items():
        ZOO[f"ops {name}"] = graph([(4,)], function)


def _applications():
    a = keras.applications
    for name, size in {
        "MobileNet": 32, "MobileNetV2": 32, "MobileNetV3Small": 32, "ResNet50": 32, "ResNet50V2": 32, "DenseNet121": 32,
        "EfficientNetB0": 32, "EfficientNetV2B0": 32, "NASNetMobile": 32, "Xception": 71, "InceptionV3": 75, "VGG16": 32,
        "ConvNeXtTiny": 32, "InceptionResNetV2": 75,
    }.items():  # fmt: skip
        def build(name=name, size=size):
            return getattr(a, name)(weights=None, input_shape=(size, size, 3), classes=5)

        ZOO[f"application {name}"] = build


for fill in (_activations, _convolutions, _recurrent, _shapes_and_norms, _categories, _merging, _whole, _operations, _applications):
    fill()
