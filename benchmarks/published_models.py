# ruff: noqa: E501
"""Models as published recipes build them, small: drawn after the exporters, to count what an unseen model meets."""

import numpy as np

from further_models import masked_stack, stack
from published_layers import (
    VAE,
    Decayed,
    DecoderBlock,
    EncoderBlock,
    FourierLayer,
    PositionalEmbedding,
    ResNet,
    Routing,
    Scatter,
    Sorted,
    VectorQuantizer,
    Whitening,
)
from unusual_models import L, graph, keras, ops

__all__ = ["MODELS"]


def called(model, *inputs):
    """A subclassed model, built by a call."""
    model(*inputs)
    return model


def u_net():
    def twice(x, filters):
        for _ in range(2):
            x = L.Activation("relu")(L.BatchNormalization()(L.Conv2D(filters, 3, padding="same", use_bias=False)(x)))
        return x

    inputs = keras.Input((16, 16, 1))
    x, skips = inputs, []
    for filters in (4, 8):
        skips.append(twice(x, filters))
        x = L.Dropout(0.1)(L.MaxPooling2D(2)(skips[-1]))
    x = twice(x, 12)
    for filters in (8, 4):
        x = L.Conv2DTranspose(filters, 2, strides=2, padding="same")(x)
        x = twice(L.concatenate([x, skips.pop()]), filters)
    return keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(x))


def siamese():
    def distance(pair):
        squares = ops.sum(ops.square(pair[0] - pair[1]), axis=1, keepdims=True)
        return ops.sqrt(ops.maximum(squares, keras.config.epsilon()))

    tower = keras.Sequential(
        [
            keras.Input((10, 10, 1)),
            L.BatchNormalization(),
            L.Conv2D(3, 3, activation="tanh"),
            L.AveragePooling2D(),
            L.Flatten(),
            L.Dense(4, "tanh"),
        ]
    )
    a, b = keras.Input((10, 10, 1)), keras.Input((10, 10, 1))
    apart = L.Lambda(distance, output_shape=(1,))([tower(a), tower(b)])
    return keras.Model([a, b], L.Dense(1, "sigmoid")(L.BatchNormalization()(apart)))


def crnn():
    image = keras.Input((32, 8, 1), name="image")
    x = L.MaxPooling2D()(L.Conv2D(4, 3, activation="relu", padding="same", kernel_initializer="he_normal")(image))
    x = L.Dropout(0.2)(L.Dense(6, "relu")(L.Reshape((16, 16))(x)))
    for units in (5, 4):
        x = L.Bidirectional(L.LSTM(units, return_sequences=True, dropout=0.25))(x)
    return keras.Model(image, L.Dense(7, "softmax", name="letters")(x))


def tcn():
    x = inputs = keras.Input((None, 3))
    for rate in (1, 2, 4):
        y = x
        for _ in range(2):
            y = L.SpatialDropout1D(0.1)(
                L.ReLU()(L.LayerNormalization()(L.Conv1D(5, 3, padding="causal", dilation_rate=rate)(y)))
            )
        x = L.Add()([y, x if x.shape[-1] == 5 else L.Conv1D(5, 1)(x)])
    return keras.Model(inputs, L.Dense(1)(x[:, -1, :]))


def translator():
    source, target = (
        keras.Input((None,), dtype="int64", name="encoder_inputs"),
        keras.Input((None,), dtype="int64", name="decoder_inputs"),
    )
    memory = EncoderBlock(6)(PositionalEmbedding(32, 9, 6)(source))
    x = DecoderBlock(6)([PositionalEmbedding(32, 9, 6)(target), memory])
    return keras.Model([source, target], L.Dense(9, "softmax")(L.Dropout(0.5)(x)))


def seq2seq():
    source, target = keras.Input((None, 5)), keras.Input((None, 4))
    _, h, c = L.LSTM(6, return_state=True)(source)
    outputs, *states = L.LSTM(6, return_sequences=True, return_state=True)(target, initial_state=[h, c])
    return keras.Model([source, target], [L.Dense(4, "softmax")(outputs), *states])


def decoder_step():
    """The inference half of it: states come in and go out."""
    token, h, c = keras.Input((1, 4), name="token"), keras.Input((6,), name="h"), keras.Input((6,), name="c")
    outputs, *states = L.LSTM(6, return_sequences=True, return_state=True, name="decoder")(token, initial_state=[h, c])
    return keras.Model([token, h, c], [L.Dense(4, "softmax", name="probabilities")(outputs), *states])


def structured_data():
    rows = {"age": np.arange(20.0).reshape(20, 1), "thal": np.arange(20).reshape(20, 1) % 5}
    age, sex, thal, days = (
        keras.Input((1,), name="age"),
        keras.Input((1,), dtype="int64", name="sex"),
        keras.Input((1,), dtype="int64", name="thal"),
        keras.Input((1,), name="days"),
    )
    scale = L.Normalization()
    scale.adapt(rows["age"])
    lookup = L.IntegerLookup(output_mode="one_hot", max_tokens=6)
    lookup.adapt(rows["thal"])
    bins = L.Discretization(num_bins=3, output_mode="int")
    bins.adapt(rows["age"])
    crossed = L.CategoryEncoding(num_tokens=8, output_mode="one_hot")(bins(days) * 2 + ops.cast(sex, "int32"))
    x = L.concatenate([scale(age), L.CategoryEncoding(2, output_mode="one_hot")(sex), lookup(thal), crossed])
    return keras.Model([age, sex, thal, days], L.Dense(1, "sigmoid")(L.Dropout(0.5)(L.Dense(8, "relu")(x))))


def attention_lstm():
    inputs = keras.Input((None, 4))
    states = L.Bidirectional(L.LSTM(5, return_sequences=True))(inputs)
    weights = L.Softmax(axis=1)(L.Dense(1)(L.Dense(6, "tanh")(states)))
    context = ops.sum(states * weights, axis=1)
    return keras.Model(inputs, [L.Dense(2, "softmax")(context), weights])


def bahdanau():
    query, memory = keras.Input((3, 6)), keras.Input((5, 6))
    context, scores = L.AdditiveAttention()([query, memory], return_attention_scores=True)
    return keras.Model([query, memory], [L.Dense(2)(L.Concatenate()([context, query])), scores])


def mobile_blocks():
    x = inputs = keras.Input((16, 16, 3))
    x = L.ReLU(6.0)(L.BatchNormalization()(L.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)))
    for filters, stride in ((8, 1), (12, 2)):
        y = L.ReLU(6.0)(L.BatchNormalization()(L.Conv2D(16, 1, use_bias=False)(x)))
        if stride == 2:
            y = L.ZeroPadding2D(((0, 1), (0, 1)))(y)
        y = L.DepthwiseConv2D(3, strides=stride, padding="valid" if stride == 2 else "same", use_bias=False)(y)
        y = L.BatchNormalization()(L.Conv2D(filters, 1, use_bias=False)(L.ReLU(6.0)(L.BatchNormalization()(y))))
        x = L.Add()([x, y]) if stride == 1 else y
    x = L.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, L.Dense(4, "softmax")(L.Dropout(0.2)(x)))


def squeeze_and_excitation():
    x = inputs = keras.Input((12, 12, 4))
    for _ in range(2):
        y = L.Conv2D(4, 3, padding="same", activation="silu")(x)
        gate = L.Reshape((1, 1, 4))(L.GlobalAveragePooling2D()(y))
        gate = L.Conv2D(4, 1, activation="sigmoid")(L.Conv2D(2, 1, activation="silu")(gate))
        x = L.add([x, L.multiply([y, gate])])
    return keras.Model(inputs, L.Dense(3)(L.GlobalMaxPooling2D()(x)))


def next_frames():
    x = inputs = keras.Input((None, 8, 8, 1))
    for kernel in (5, 3):
        x = L.ConvLSTM2D(4, kernel, padding="same", return_sequences=True, activation="relu")(x)
        x = L.BatchNormalization()(x)
    return keras.Model(inputs, L.Conv3D(1, 3, activation="sigmoid", padding="same")(x))


def scans_3d():
    x = inputs = keras.Input((16, 16, 8, 1))
    for filters in (3, 4):
        x = L.BatchNormalization()(L.MaxPool3D(2)(L.Conv3D(filters, 3, activation="relu", padding="same")(x)))
    return keras.Model(inputs, L.Dense(1, "sigmoid")(L.Dropout(0.3)(L.Dense(6, "relu")(L.GlobalAveragePooling3D()(x)))))


def mixed_in_parts():
    inputs = keras.Input((8, 8, 3))
    x = L.Conv2D(4, 3, activation="relu", dtype="mixed_float16")(inputs)
    x = L.GlobalAveragePooling2D(dtype="mixed_float16")(x)
    return keras.Model(inputs, L.Activation("softmax", dtype="float32")(L.Dense(3, dtype="mixed_float16")(x)))


def vectorized_text():
    layer = L.TextVectorization(max_tokens=12, output_sequence_length=5)
    layer.adapt(["a cat sat", "the cat ran", "a dog"])
    return keras.Sequential(
        [keras.Input((), dtype="string"), layer, L.Embedding(12, 3), L.GlobalAveragePooling1D(), L.Dense(1)]
    )


def augmented_classifier():
    augmentation = keras.Sequential(
        [
            L.RandomFlip("horizontal"),
            L.RandomRotation(0.1),
            L.RandomZoom(0.2),
            L.RandomTranslation(0.1, 0.1),
            L.RandomContrast(0.1),
        ]
    )
    x = inputs = keras.Input((20, 20, 3))
    x = L.Rescaling(1 / 127.5, offset=-1)(L.Resizing(16, 16)(augmentation(x)))
    x = L.Conv2D(4, 3, strides=2, activation="relu")(x)
    return keras.Model(inputs, L.Dense(3, "softmax")(L.Flatten()(x)))


def masked_by_hand():
    tokens = keras.Input((None,), dtype="int32")
    x = L.Embedding(9, 4)(tokens)
    mask = ops.not_equal(tokens, 0)
    x = L.LSTM(4, return_sequences=True)(x, mask=mask)
    kept = ops.cast(mask, "float32")[..., None]
    return keras.Model(tokens, L.Dense(2)(ops.sum(x * kept, 1) / (ops.sum(kept, 1) + 1e-6)))


def recommender():
    user, item = keras.Input((1,), dtype="int32", name="user"), keras.Input((1,), dtype="int32", name="item")
    a, b = L.Embedding(7, 4)(user), L.Embedding(5, 4)(item)
    score = L.Dot(axes=2)([a, b]) + L.Embedding(7, 1)(user) + L.Embedding(5, 1)(item)
    deep = L.Dense(3, "relu")(L.Flatten()(L.Concatenate()([a, b])))
    return keras.Model([user, item], L.Activation("sigmoid")(L.Flatten()(score) + L.Dense(1)(deep)))


def nested_and_shared():
    trunk = keras.Sequential([L.Dense(6, "elu"), L.Dense(4)], name="trunk")
    inner_in = keras.Input((5,))
    inner = keras.Model(inner_in, [trunk(inner_in), L.Dense(4)(inner_in)], name="inner")
    a, b = keras.Input((5,), name="a"), keras.Input((5,), name="b")
    first, second = inner(a), inner(b)
    return keras.Model({"a": a, "b": b}, {"near": first[0] - second[0], "far": L.Subtract()([first[1], trunk(b)])})


def quantized_mlp(mode):
    def make():
        model = stack((24,), L.Dense(32, "relu"), L.LayerNormalization(), L.Dense(16, "gelu"), L.Dense(3, "softmax"))
        model.quantize(mode)
        return model

    return make


def conv_mixer():
    x = inputs = keras.Input((16, 16, 3))
    x = L.BatchNormalization()(L.Activation("gelu")(L.Conv2D(6, 2, strides=2)(x)))
    y = L.BatchNormalization()(L.Activation("gelu")(L.DepthwiseConv2D(5, padding="same")(x)))
    x = L.BatchNormalization()(L.Activation("gelu")(L.Conv2D(6, 1)(L.Add()([x, y]))))
    return keras.Model(inputs, L.Dense(3, "softmax")(L.GlobalAvgPool2D()(x)))


def anomaly_autoencoder():
    return stack(
        (24, 2), L.Conv1D(4, 7, padding="same", strides=2, activation="relu"), L.Dropout(0.2), L.Conv1D(3, 7, padding="same", strides=2),
        L.Conv1DTranspose(3, 7, padding="same", strides=2, activation="relu"), L.Conv1DTranspose(4, 7, padding="same", strides=2), L.Conv1DTranspose(2, 7, padding="same"),
    )  # fmt: skip


MODELS = {
    "U-Net": u_net,
    "variational autoencoder": lambda: called(VAE(), np.zeros((2, 8, 8, 1), "float32")),
    "siamese": siamese, "CRNN": crnn, "TCN": tcn, "translator": translator, "seq2seq": seq2seq, "decoder step": decoder_step,
    "structured data": structured_data, "attention over LSTM": attention_lstm, "Bahdanau": bahdanau, "mobile blocks": mobile_blocks,
    "squeeze and excitation, fixed": squeeze_and_excitation, "next frames": next_frames, "scans in 3-D": scans_3d,
    "ResNet of loops": lambda: called(ResNet(), np.zeros((2, 8, 8, 3), "float32")),
    "mixed precision in parts": mixed_in_parts,
    "segments, scatter, where": lambda: (lambda a, b: keras.Model([a, b], Scatter()([a, b])))(keras.Input((6, 3)), keras.Input((6,), dtype="int32")),
    "capsules": lambda: stack((6, 5), Routing()), "sorts, top k, running sums": lambda: graph([(8,)], Sorted()),
    "vector quantizer": lambda: graph([(4, 4, 3)], lambda x: VectorQuantizer()(L.Conv2D(3, 1)(x))),
    "Fourier operator": lambda: stack((16, 3), FourierLayer(), L.Dense(2, "gelu")), "whitening": lambda: graph([(5, 3)], Whitening()),
    "state space": lambda: graph([(7, 3)], Decayed()), "text vectorization": vectorized_text, "augmentation in the model": augmented_classifier,
    "masks by hand": masked_by_hand, "recommender": recommender, "nested and shared": nested_and_shared,
    "int8 of a classifier": quantized_mlp("int8"), "int4 of a classifier": quantized_mlp("int4"), "ConvMixer": conv_mixer,
    "anomalies in time": anomaly_autoencoder,
    "text classifier": lambda: masked_stack(L.Bidirectional(L.LSTM(3, return_sequences=True)), L.Bidirectional(L.LSTM(3)), L.Dense(1, "sigmoid")),
    "1-D CNN of text": lambda: stack((12,), L.Embedding(10, 4), L.Dropout(0.5), L.Conv1D(4, 3, padding="valid", activation="relu", strides=3), L.GlobalMaxPooling1D(), L.Dense(1, "sigmoid"), dtype="int64"),
    "forecast, GRU": lambda: stack((8, 2), L.GRU(4, return_sequences=True), L.GRU(3), L.Dense(6), L.Reshape((3, 2))),
}  # fmt: skip
