# ruff: noqa: E501
"""Unusual models of every family of layers, by name: functions that build them."""

import numpy as np

import lamina as keras

__all__ = ["MODELS"]

L, ops = keras.layers, keras.ops


def stack(shape, *layers, dtype=None):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *layers])


def graph(shapes, function, dtype=None):
    inputs = [keras.Input(shape, dtype=dtype) for shape in shapes]
    return keras.Model(inputs, function(*inputs))


class MinimalCell(L.Layer):
    def __init__(self, units):
        super().__init__()
        self.units = self.state_size = self.output_size = units
        self.inner, self.gate = L.Dense(units), L.Dense(units, activation="sigmoid")

    def build(self, shape):
        self.inner.build((shape[0], shape[1] + self.units))
        self.gate.build((shape[0], shape[1] + self.units))

    def call(self, inputs, states):
        both = ops.concatenate([inputs, states[0]], -1)
        gate = self.gate(both)
        new = gate * states[0] + (1 - gate) * ops.tanh(self.inner(both))
        return new, [new]


class Block(L.Layer):
    def __init__(self, width):
        super().__init__()
        self.attention, self.norm = L.MultiHeadAttention(2, width // 2), L.LayerNormalization()
        self.mlp = keras.Sequential([L.Dense(2 * width, "gelu"), L.Dense(width)])

    def call(self, x, training=False):
        x = self.norm(x + self.attention(x, x, training=training))
        return x + self.mlp(x)


class Nested(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [Block(8) for _ in range(2)]
        self.head = {"class": L.Dense(3), "box": L.Dense(4)}

    def call(self, inputs, training=False):
        x = ops.concatenate([inputs["a"], inputs["b"]], -1)
        for block in self.blocks:
            x = block(x, training=training)
        return {name: head(ops.mean(x, 1)) for name, head in self.head.items()}


def nested_subclass():
    model = Nested()
    model({"a": np.zeros((2, 5, 4), "float32"), "b": np.zeros((2, 5, 4), "float32")})
    return model


def masked_attention():
    tokens, mask = keras.Input((None,), dtype="int32"), keras.Input((None, None), dtype="bool")
    x = L.Embedding(10, 8, mask_zero=True)(tokens)
    y = L.MultiHeadAttention(2, 4)(x, x, attention_mask=mask)
    return keras.Model([tokens, mask], L.Dense(3)(L.LayerNormalization()(x + y)))


def quantized(*layers, shape=(16,), mode="int8"):
    model = stack(shape, *layers)
    model.quantize(mode)
    return model


def discretize():
    layer = L.Discretization(num_bins=4, output_mode="one_hot")
    layer.adapt(np.linspace(0, 1, 40).reshape(-1, 1))
    return stack((1,), layer, L.Dense(2))


def normalized():
    layer = L.Normalization()
    layer.adapt(np.random.default_rng(0).normal(size=(30, 4)))
    return stack((4,), layer, L.SpectralNormalization(L.Dense(3)))


def encoder_decoder():
    source, target = keras.Input((None, 3)), keras.Input((None, 2))
    _, *state = L.LSTM(4, return_state=True)(source)
    return keras.Model([source, target], L.Dense(2)(L.LSTM(4, return_sequences=True)(target, initial_state=state)))


def masked_stack(*layers):
    return stack((None,), L.Embedding(10, 4, mask_zero=True), *layers, dtype="int32")


def shared():
    a, b = keras.Input((6, 3), name="left"), keras.Input((6, 3), name="right")
    tower = keras.Sequential([L.Conv1D(4, 2, activation="swish"), L.GlobalMaxPooling1D(), L.UnitNormalization()])
    return keras.Model({"left": a, "right": b}, {"score": L.Dot(-1)([tower(a), tower(b)])})


def vision_transformer():
    image = keras.Input((16, 16, 3))
    x = L.Reshape((16, 8))(L.Conv2D(8, 4, strides=4)(image))
    x = x + L.Embedding(16, 8)(ops.arange(16))
    for _ in range(2):
        y = L.LayerNormalization()(x)
        x = x + L.MultiHeadAttention(2, 4, dropout=0.1)(y, y)
        x = x + L.Dense(8)(L.Dense(16, activation="gelu")(L.LayerNormalization()(x)))
    return keras.Model(image, L.Dense(4)(L.GlobalAveragePooling1D()(x)))


def squeeze_excite():
    image = keras.Input((None, None, 4))
    weights = L.GlobalAveragePooling2D(keepdims=True)(image)
    weights = L.Conv2D(4, 1, activation="hard_sigmoid")(L.Conv2D(2, 1, activation="hard_swish")(weights))
    return keras.Model(image, L.Conv2DTranspose(2, 3, strides=2, padding="same")(image * weights))


def words():
    return keras.Sequential([keras.Input((3,), dtype="string"), L.StringLookup(vocabulary=["a", "b"])])


MODELS = {
    "ConvLSTM1D": lambda: stack((4, 8, 2), L.ConvLSTM1D(3, 3, padding="same", return_sequences=True)),
    "ConvLSTM2D, open time": lambda: stack((None, 6, 6, 2), L.ConvLSTM2D(3, 3, strides=2, dropout=0.2)),
    "ConvLSTM3D": lambda: stack((3, 4, 4, 4, 1), L.ConvLSTM3D(2, 2)),
    "Bidirectional with masks": lambda: masked_stack(L.Bidirectional(L.LSTM(3, return_sequences=True)), L.GRU(2)),
    "Bidirectional, merged": lambda: masked_stack(L.Bidirectional(L.GRU(3), merge_mode="ave"), L.Dense(2)),
    "attention with masks": masked_attention,
    "grouped query attention": lambda: graph([(None, 8)], lambda x: L.GroupQueryAttention(4, 4, 2)(x, x, use_causal_mask=True)),
    "Discretization": discretize,
    "StringLookup": words,
    "Normalization, SpectralNormalization": normalized,
    "open time": lambda: stack((None, 4), L.Conv1D(5, 3, strides=2, padding="same"), L.AveragePooling1D(2), L.GRU(3)),
    "EinsumDense": lambda: stack((None, 4, 3), L.EinsumDense("abcd,cdef->abef", (None, 2, 5), bias_axes="ef", activation="relu")),
    "augmentation": lambda: stack(
        (12, 12, 3), L.RandomFlip(), L.RandomZoom(0.2), L.RandomTranslation(0.1, 0.1), L.RandomContrast(0.2),
        L.RandomBrightness(0.1), L.RandomCrop(8, 8), L.GaussianNoise(0.2), L.Conv2D(2, 3),
    ),
    "augmentation by policy": lambda: stack((12, 12, 3), L.RandAugment(), L.CutMix(), L.CenterCrop(8, 7), L.Flatten(), L.Dense(2)),
    "int8": lambda: quantized(L.Dense(32, activation="relu"), L.Dense(4)),
    "int4": lambda: quantized(L.Dense(32, activation="relu"), L.Dense(4), mode="int4"),
    "float8": lambda: quantized(L.Dense(16), mode="float8"),
    "int8 of embeddings": lambda: (lambda m: (m.quantize("int8"), m)[1])(masked_stack(L.EinsumDense("abc,cd->abd", (None, 6), bias_axes="d"))),
    "subclass, nested, dicts": nested_subclass,
    "Lambda": lambda: stack((5, 4), L.Lambda(lambda x: ops.stack(ops.unstack(x, axis=1)[::-1], axis=2)), L.Lambda(ops.logsumexp)),
    "RNN of an own cell": lambda: stack((None, 3), L.RNN(MinimalCell(4), return_sequences=True), L.RNN(MinimalCell(2), go_backwards=True)),
    "stacked cells": lambda: stack((5, 3), L.RNN([L.LSTMCell(4), L.GRUCell(3)], return_sequences=True, unroll=True)),
    "own cell, masked": lambda: masked_stack(L.RNN(MinimalCell(4), return_sequences=True, zero_output_for_mask=True)),
    "transposed 3-D": lambda: stack((3, 4, 3, 2), L.Conv3DTranspose(3, 3, strides=(1, 2, 2), padding="same"), L.Conv3DTranspose(2, 2)),
    "separable": lambda: stack((12, 4), L.SeparableConv1D(6, 3, depth_multiplier=2, padding="same"), L.DepthwiseConv1D(3, strides=2)),
    "dilated, grouped": lambda: stack((10, 10, 4), L.Conv2D(8, 3, dilation_rate=2, groups=2), L.DepthwiseConv2D(3, dilation_rate=2, padding="same")),
    "channels first": lambda: stack((3, 8, 8), L.Conv2D(4, 3, data_format="channels_first"), L.BatchNormalization(axis=1),
                                    L.MaxPooling2D(data_format="channels_first"), L.GlobalAveragePooling2D(data_format="channels_first")),
    "Embedding with mask": lambda: masked_stack(L.GlobalAveragePooling1D(), L.Dense(2)),
    "mask, own": lambda: masked_stack(L.Lambda(lambda x: x, mask=lambda x, m: m), L.SimpleRNN(2)),
    "encoder and decoder": encoder_decoder,
    "attention, additive, causal": lambda: graph([(None, 4), (None, 4)], lambda q, v: [
        L.Attention(use_scale=True, score_mode="concat")([q, v]), L.AdditiveAttention()([q, v]), L.Attention()([q, v], use_causal_mask=True)]),
    "shared layers, dicts": shared,
    "vision transformer": vision_transformer,
    "squeeze and excite": squeeze_excite,
    "volumes": lambda: stack((None, 8, 8, 2), L.Conv3D(3, (1, 3, 3), padding="same"), L.MaxPooling3D((1, 2, 2)), L.AveragePooling3D((1, 2, 2), padding="same"), L.GlobalMaxPooling3D()),
    "cropping, padding, upsampling": lambda: stack((4, 5, 6, 2), L.ZeroPadding3D((1, 0, 2)), L.Cropping3D((1, 1, (0, 1))), L.UpSampling3D((1, 2, 1)), L.Permute((2, 1, 4, 3))),
    "normalizations": lambda: stack((6, 6, 4), L.GroupNormalization(-1), L.LayerNormalization(axis=(1, 2)), L.BatchNormalization(renorm=False), L.RMSNormalization()),
    "hashes and crosses": lambda: graph([(1,), (1,)], lambda a, b: L.HashedCrossing(8, output_mode="one_hot")([a, b]), dtype="int32"),
    "integers": lambda: stack((4,), L.IntegerLookup(vocabulary=[3, 5, 7], output_mode="count"), L.Dense(2), dtype="int64"),
    "top k and gather": lambda: graph([(9, 3)], lambda x: ops.take_along_axis(x, ops.expand_dims(ops.top_k(x[..., 0], 4)[1], -1), axis=1)),
    "scan": lambda: graph([(5, 3)], lambda x: ops.scan(lambda c, y: (c * 0.5 + y, c), ops.zeros_like(x[:, 0]), ops.transpose(x, (1, 0, 2)))[0]),
    "cond and while": lambda: graph([(3,)], lambda x: ops.while_loop(lambda i, y: i < 4, lambda i, y: (i + 1, ops.sin(y) + i), (0, x))[1]),
    "cond of a value": lambda: stack((3,), L.Lambda(lambda x: ops.cond(ops.sum(x) > 1.0, lambda: x * 2, lambda: x - 1))),
    "spectrum": lambda: graph([(64,)], lambda x: ops.abs(ops.rfft(x)[0])),
    "STFT": lambda: stack((200, 1), L.STFTSpectrogram(mode="log", frame_length=32, frame_step=16)),
    "linear algebra": lambda: graph([(3, 3)], lambda x: [ops.matmul(x, ops.transpose(x, (0, 2, 1))), ops.norm(x, axis=-1), ops.einsum("bij,bkj->bik", x, x), ops.tril(x), ops.diagonal(x, axis1=1, axis2=2)]),
    "inverse": lambda: graph([(3, 3)], lambda x: ops.inv(x + 3 * ops.eye(3))),
    "one-hot and segments": lambda: graph([(4,)], lambda x: [ops.one_hot(x, 5), ops.bincount(x, minlength=6), ops.searchsorted(ops.array([1, 3]), x)], dtype="int32"),
    "mixed precision": lambda: stack((6, 6, 2), L.Conv2D(4, 3, dtype="mixed_bfloat16"), L.BatchNormalization(dtype="mixed_float16"), L.Flatten(), L.Dense(2)),
    "resizing": lambda: stack((7, 9, 2), L.Resizing(5, 6, interpolation="nearest"), L.Resizing(8, 8, interpolation="bicubic"), L.UpSampling2D(2, interpolation="bilinear"), L.Resizing(4, 4, crop_to_aspect_ratio=True)),
    "patches": lambda: graph([(8, 8, 2)], lambda x: ops.image.extract_patches(x, 4, padding="same")),
    "padding modes": lambda: graph([(5, 4)], lambda x: [ops.pad(x, ((0, 0), (2, 1), (0, 0)), mode=mode) for mode in ("reflect", "symmetric", "constant")]),
    "time distributed": lambda: stack((None, 8, 8, 1), L.TimeDistributed(L.Conv2D(2, 3)), L.TimeDistributed(L.Flatten()), L.LSTM(3)),
    "maxout and merges": lambda: graph([(4,), (4,), (1,)], lambda a, b, c: [L.Subtract()([a, b]), L.Minimum()([a, c]), L.Average()([a, b]), L.Maximum()([a, b, c])]),
    "lora": lambda: (lambda m: (m.layers[0].enable_lora(2), m)[1])(stack((6,), L.Dense(5), L.PReLU(), L.LeakyReLU())),
    "activations": lambda: graph([(6,)], lambda x: [getattr(keras.activations, name)(x) for name in
        "gelu exponential hard_shrink hard_tanh leaky_relu log_sigmoid relu6 silu softsign sparse_plus squareplus tanh_shrink".split()]),
}  # fmt: skip
