# ruff: noqa: E501
"""Models of a seventh draw: the programs that users of Keras write most often, in small sizes."""

import numpy as np

from fourth_models import called
from published_layers import Sampling
from unusual_models import L, keras, ops, stack

__all__ = ["MODELS"]


def lenet():
    return stack(
        (28, 28, 1),
        L.Conv2D(6, 5, padding="same", activation="tanh"),
        L.AveragePooling2D(),
        L.Conv2D(16, 5, activation="tanh"),
        L.AveragePooling2D(),
        L.Flatten(),
        L.Dense(20, activation="tanh"),
        L.Dropout(0.5),
        L.Dense(10, activation="softmax"),
    )


def vgg():
    """Augmentation, rescaling, blocks of convolution, normalization and dropout."""
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            L.RandomFlip("horizontal"),
            L.RandomRotation(0.1),
            L.RandomZoom(0.1),
            L.Rescaling(1 / 127.5, offset=-1),
        ]
    )
    for filters in (4, 8):
        for _ in range(2):
            model.add(L.Conv2D(filters, (3, 3), padding="same", kernel_regularizer="l2"))
            model.add(L.BatchNormalization())
            model.add(L.Activation("relu"))
        model.add(L.MaxPooling2D((2, 2)))
        model.add(L.SpatialDropout2D(0.2))
    for layer in (L.GlobalAveragePooling2D(), L.Dense(16, "relu"), L.Dropout(0.4), L.Dense(5)):
        model.add(layer)
    model.add(L.Activation("softmax", dtype="float32"))
    return model


def resnet():
    """Bottlenecks with strides and padding by hand."""
    inputs = keras.Input((32, 32, 3))
    x = L.ZeroPadding2D(3)(inputs)
    x = L.Activation("relu")(L.BatchNormalization()(L.Conv2D(8, 7, strides=2)(x)))
    x = L.MaxPooling2D(3, strides=2)(L.ZeroPadding2D(((1, 1), (1, 1)))(x))
    for filters, stride in ((4, 1), (4, 1), (8, 2)):
        short = x
        if stride > 1 or x.shape[-1] != 4 * filters:
            short = L.BatchNormalization()(L.Conv2D(4 * filters, 1, strides=stride)(x))
        y = L.ReLU()(L.BatchNormalization()(L.Conv2D(filters, 1, strides=stride)(x)))
        y = L.ReLU()(L.BatchNormalization()(L.Conv2D(filters, 3, padding="same")(y)))
        y = L.BatchNormalization()(L.Conv2D(4 * filters, 1)(y))
        x = L.ReLU()(L.Add()([y, short]))
    return keras.Model(inputs, L.Dense(7, activation="softmax")(L.GlobalAvgPool2D()(x)))


def densenet_inception():
    """Dense blocks, then a module with four branches."""
    inputs = x = keras.Input((24, 24, 3))
    for _ in range(3):
        y = L.Conv2D(4, 3, padding="same", use_bias=False)(L.ReLU()(L.BatchNormalization()(x)))
        x = L.Concatenate()([x, y])
    x = L.AvgPool2D(2, strides=2)(L.Conv2D(8, 1)(x))
    branches = [L.Conv2D(4, 1, activation="relu")(x), L.Conv2D(4, (1, 7), padding="same")(L.Conv2D(4, (7, 1), padding="same")(x)),
                L.Conv2D(4, 3, padding="same", dilation_rate=2, activation="elu")(x), L.Conv2D(4, 1)(L.MaxPool2D(3, 1, padding="same")(x))]  # fmt: skip
    x = L.LeakyReLU(negative_slope=0.1)(L.concatenate(branches, axis=3))
    return keras.Model(
        inputs,
        [
            L.Dense(3, activation="softmax", name="main")(L.GlobalMaxPool2D()(x)),
            L.Dense(3, name="aux")(L.Flatten()(L.AveragePooling2D(5, 3)(x))),
        ],
    )


def efficientnet():
    """Inverted bottlenecks with squeeze and excitation, written with operators."""
    inputs = keras.Input((24, 24, 3))
    x = L.Conv2D(8, 3, 2, "same", activation="swish")((inputs - 0.5) * 2.0)
    for kernel, stride in ((3, 1), (5, 2)):
        y = L.Conv2D(16, 1, use_bias=False)(x)
        y = keras.activations.swish(L.BatchNormalization()(y))
        y = L.DepthwiseConv2D(kernel, strides=stride, padding="same", use_bias=False)(y)
        y = ops.silu(L.BatchNormalization()(y))
        se = ops.mean(y, axis=[1, 2], keepdims=True)
        se = ops.sigmoid(L.Conv2D(16, 1)(L.Conv2D(2, 1, activation=keras.activations.swish)(se)))
        y = L.BatchNormalization()(L.Conv2D(8, 1, use_bias=False)(y * se))
        x = x + L.Dropout(0.2, noise_shape=(None, 1, 1, 1))(y) if stride == 1 else y
    return keras.Model(inputs, L.Dense(4, activation="softmax")(ops.mean(x, axis=(1, 2))))


def unet():
    """Attention gates on the way up, by Conv2DTranspose and by UpSampling2D."""
    inputs = x = keras.Input((32, 32, 1))
    kept = []
    for filters in (4, 8):
        x = L.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer="he_normal")(x)
        kept.append(x)
        x = L.MaxPooling2D()(x)
    x = L.Dropout(0.3)(L.Conv2D(12, 3, padding="same", activation=ops.relu)(x))
    for number, skip in enumerate(kept[::-1]):
        filters = skip.shape[-1]
        x = (
            L.Conv2DTranspose(filters, 2, strides=(2, 2), padding="same")(x)
            if number
            else L.Conv2D(filters, 2, padding="same")(L.UpSampling2D(size=(2, 2))(x))
        )
        gate = L.Conv2D(1, 1, activation="sigmoid")(ops.relu(L.Conv2D(4, 1)(skip) + L.Conv2D(4, 1)(x)))
        x = L.Conv2D(filters, 3, padding="same", activation="relu")(L.concatenate([skip * gate, x]))
    return keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(x))


def fcn_open():
    """Segmentation of an image of open size, with interpolation and a bilinear kernel."""
    inputs = keras.Input((None, None, 3))
    a = L.Conv2D(6, 3, strides=2, padding="same", activation="relu")(inputs)
    b = L.Conv2D(6, 3, strides=2, padding="same", activation="relu")(a)
    b = L.Conv2DTranspose(4, 4, strides=2, padding="same", use_bias=False)(b)
    x = L.Concatenate()([a, b])
    x = L.UpSampling2D(2, interpolation="bilinear")(x)
    return keras.Model(inputs, ops.argmax(L.Conv2D(4, 1)(x), axis=-1))


class PixelShuffle(L.Layer):
    def __init__(self, scale=2, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, x):
        b, h, w = ops.shape(x)[0], ops.shape(x)[1], ops.shape(x)[2]
        s, c = self.scale, x.shape[-1] // self.scale**2
        x = ops.transpose(ops.reshape(x, (b, h, w, s, s, c)), (0, 1, 3, 2, 4, 5))
        return ops.reshape(x, (b, h * s, w * s, c))

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


def edsr():
    """Residuals scaled, pixels shuffled, clipped to a picture; the size is open."""
    inputs = keras.Input((None, None, 3))
    x = head = L.Conv2D(8, 3, padding="same")(L.Rescaling(1 / 255.0)(inputs))
    for _ in range(2):
        y = L.Conv2D(8, 3, padding="same")(L.Conv2D(8, 3, padding="same", activation="relu")(x))
        x = L.Add()([x, L.Lambda(lambda t: t * 0.1)(y)])
    x = PixelShuffle()(L.Conv2D(12, 3, padding="same")(L.Add()([x, head])))
    return keras.Model(inputs, ops.round(ops.clip(x * 255.0, 0, 255)))


def ssd():
    """Boxes from three maps against anchors: centres and sizes by exp, classes by softmax."""
    inputs = x = keras.Input((32, 32, 3))
    classes, boxes, anchors = [], [], []
    for size in (16, 8, 4):
        x = L.Conv2D(8, 3, strides=2, padding="same", activation="relu6")(x)
        classes.append(L.Reshape((-1, 4))(L.Conv2D(2 * 4, 3, padding="same")(x)))
        boxes.append(L.Reshape((-1, 4))(L.Conv2D(2 * 4, 3, padding="same")(x)))
        centres = (np.stack(np.meshgrid(*[np.arange(size)] * 2), -1).reshape(-1, 1, 2) + 0.5) / size
        both = np.concatenate(
            [np.repeat(centres, 2, 1), np.tile([[1 / size] * 2, [2 / size, 1 / size]], (size * size, 1, 1))], -1
        )
        anchors.append(both.reshape(-1, 4))
    prior = np.concatenate(anchors).astype("float32")
    scores = L.Activation("softmax")(L.Concatenate(axis=1)(classes))
    raw = L.Concatenate(axis=1)(boxes)
    xy = raw[..., :2] * 0.1 * prior[:, 2:] + prior[:, :2]
    wh = ops.exp(raw[..., 2:] * 0.2) * prior[:, 2:]
    found = ops.concatenate([xy - wh / 2, xy + wh / 2], axis=-1)
    return keras.Model(inputs, {"boxes": ops.clip(found, 0.0, 1.0), "scores": scores})


def suppression():
    """The eight best boxes and which of them overlap a better one, as one does without a kernel of its own."""
    boxes, scores = keras.Input((20, 4), name="boxes"), keras.Input((20,), name="scores")
    best, index = ops.top_k(scores, 8)
    chosen = ops.take_along_axis(boxes, index[..., None], axis=1)
    low, high = ops.minimum(chosen[..., :2], chosen[..., 2:]), ops.maximum(chosen[..., :2], chosen[..., 2:])
    area = ops.prod(high - low, axis=-1)
    inner = ops.maximum(ops.minimum(high[:, :, None], high[:, None]) - ops.maximum(low[:, :, None], low[:, None]), 0.0)
    shared = ops.prod(inner, axis=-1)
    overlap = shared / (area[:, :, None] + area[:, None] - shared + 1e-6)
    earlier = np.tril(np.ones((8, 8), "float32"), -1)
    kept = ops.cast(ops.max(overlap * earlier, axis=-1) < 0.5, "float32")
    return keras.Model([boxes, scores], [chosen, best * kept, index])


def ecg():
    """A 1-D network for signals, with residuals and attention over time."""
    inputs = keras.Input((64, 2), name="ecg")
    x = L.Conv1D(8, 7, strides=2, padding="same")(inputs)
    for rate in (1, 2):
        y = L.Conv1D(8, 5, padding="same", dilation_rate=rate)(L.PReLU(shared_axes=[1])(L.BatchNormalization()(x)))
        x = L.Add()([x, L.SpatialDropout1D(0.1)(y)])
        x = L.MaxPooling1D(2)(x)
    score = L.Softmax(axis=1)(L.Dense(1)(x))
    pooled = L.Flatten()(L.Dot(axes=1)([score, x]))
    return keras.Model(
        inputs,
        L.Dense(4, activation="sigmoid")(
            L.Concatenate()([pooled, L.GlobalMaxPooling1D()(x), L.GlobalAveragePooling1D()(x)])
        ),
    )


def wavenet():
    """Gated causal convolutions with skips, as one writes them with layers."""
    inputs = keras.Input((None, 1))
    x, skips = L.Conv1D(8, 2, padding="causal")(inputs), []
    for rate in (1, 2, 4):
        y = L.Multiply()(
            [
                L.Conv1D(8, 2, dilation_rate=rate, padding="causal", activation="tanh")(x),
                L.Conv1D(8, 2, dilation_rate=rate, padding="causal", activation="sigmoid")(x),
            ]
        )
        skips.append(L.Conv1D(8, 1)(y))
        x = L.Add()([x, L.Conv1D(8, 1)(y)])
    x = L.Activation("relu")(L.Add()(skips))
    return keras.Model(inputs, L.Conv1D(16, 1, activation="softmax")(L.Conv1D(8, 1, activation="relu")(x)))


class Residual(L.Layer):
    def __init__(self, filters, rate, **kwargs):
        super().__init__(**kwargs)
        self.convs = [L.Conv1D(filters, 3, padding="causal", dilation_rate=rate) for _ in range(2)]
        self.norms, self.drop, self.match = (
            [L.LayerNormalization() for _ in range(2)],
            L.Dropout(0.1),
            L.Conv1D(filters, 1),
        )

    def call(self, x, training=None):
        y = x
        for conv, norm in zip(self.convs, self.norms, strict=True):
            y = self.drop(ops.relu(norm(conv(y))), training=training)
        return ops.relu(y + self.match(x))


class TCN(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks, self.head = [Residual(6, 2**n) for n in range(3)], L.Dense(2)

    def call(self, x, training=False):
        for block in self.blocks:
            x = block(x, training=training)
        return self.head(x[:, -1])


def sentiment():
    return stack(
        (12,),
        L.Embedding(50, 8, mask_zero=True),
        L.Bidirectional(L.LSTM(6, return_sequences=True)),
        L.Bidirectional(L.LSTM(4)),
        L.Dense(8, activation="relu"),
        L.Dropout(0.5),
        L.Dense(1, activation="sigmoid"),
        dtype="int32",
    )


def stocks():
    """Stacked loops of a window, with a forecast of several steps."""
    return stack(
        (20, 3),
        L.LSTM(8, return_sequences=True, recurrent_dropout=0.1),
        L.Dropout(0.2),
        L.GRU(6, return_sequences=False),
        L.RepeatVector(4),
        L.LSTM(6, return_sequences=True),
        L.TimeDistributed(L.Dense(1)),
    )


def stateful():
    """A character model that keeps its state between calls, one sample at a time."""
    inputs = keras.Input(batch_shape=(1, 1), dtype="int32")
    x = L.GRU(8, return_sequences=True, stateful=True)(L.Embedding(20, 6)(inputs))
    return keras.Model(inputs, L.Dense(20)(L.LSTM(8, stateful=True)(x)))


def seq2seq():
    """Bahdanau's attention over an encoder that runs both ways."""
    source, target = keras.Input((9,), dtype="int32", name="source"), keras.Input((7,), dtype="int32", name="target")
    memory, fh, fc, bh, bc = L.Bidirectional(L.LSTM(4, return_sequences=True, return_state=True))(
        L.Embedding(20, 6)(source)
    )
    states = [L.Concatenate()([fh, bh]), L.Concatenate()([fc, bc])]
    x = L.LSTM(8, return_sequences=True)(L.Embedding(20, 6)(target), initial_state=states)
    context = L.AdditiveAttention()([x, memory])
    return keras.Model(
        [source, target], L.TimeDistributed(L.Dense(20, activation="softmax"))(L.Concatenate()([x, context]))
    )


class Translator(keras.Model):
    """An encoder and a decoder with padding and causal masks, sinusoidal places, and a dict of inputs."""

    def __init__(self, width=8, words=16):
        super().__init__()
        self.width = width
        self.source, self.target = L.Embedding(words, width, mask_zero=True), L.Embedding(words, width, mask_zero=True)
        self.encode, self.decode, self.cross = (L.MultiHeadAttention(2, 4) for _ in range(3))
        self.norms = [L.LayerNormalization(epsilon=1e-6) for _ in range(5)]
        self.feed = [keras.Sequential([L.Dense(16, activation="relu"), L.Dense(width)]) for _ in range(2)]
        self.head = L.Dense(words)

    def places(self, x):
        length = ops.shape(x)[1]
        rates = 1 / np.power(10000, 2 * (np.arange(self.width) // 2) / self.width).astype("float32")
        angles = ops.cast(ops.arange(length), "float32")[:, None] * rates
        return x * ops.sqrt(ops.cast(self.width, "float32")) + ops.where(
            np.arange(self.width) % 2 == 0, ops.sin(angles), ops.cos(angles)
        )

    def call(self, inputs, training=False):
        source = self.source(inputs["source"])
        mask = ops.not_equal(inputs["source"], 0)[:, None]
        x = self.places(source)
        x = self.norms[0](x + self.encode(x, x, attention_mask=mask, training=training))
        memory = self.norms[1](x + self.feed[0](x))
        y = self.places(self.target(inputs["target"]))
        y = self.norms[2](y + self.decode(y, y, use_causal_mask=True))
        y = self.norms[3](y + self.cross(y, memory, attention_mask=mask))
        return self.head(self.norms[4](y + self.feed[1](y)))


class Places(L.Layer):
    """Learnt places, added."""

    def __init__(self, length, width):
        super().__init__()
        self.embed = L.Embedding(length, width)

    def call(self, x):
        return x + self.embed(ops.arange(0, ops.shape(x)[1], 1))


def gpt():
    """A decoder of layers: learnt places, causal attention before the norm, words tied to the outputs."""
    tokens = keras.Input((None,), dtype="int32")
    words = L.Embedding(30, 8)
    x = Places(64, 8)(words(tokens))
    for _ in range(2):
        y = L.LayerNormalization(epsilon=1e-5)(x)
        x = x + L.MultiHeadAttention(2, 4, dropout=0.1)(y, y, use_causal_mask=True)
        y = L.LayerNormalization(epsilon=1e-5)(x)
        x = x + L.Dense(8)(L.Dense(32, activation="gelu")(y))
    return keras.Model(tokens, ops.matmul(L.LayerNormalization()(x), ops.transpose(words.embeddings)))


class Patches(L.Layer):
    def __init__(self, size):
        super().__init__()
        self.size = size

    def call(self, images):
        patches = ops.image.extract_patches(images, size=self.size)
        return ops.reshape(patches, (ops.shape(images)[0], patches.shape[1] * patches.shape[2], patches.shape[3]))


class PatchEncoder(L.Layer):
    def __init__(self, count, width):
        super().__init__()
        self.count, self.projection, self.places = count, L.Dense(width), L.Embedding(count, width)

    def call(self, patches):
        return self.projection(patches) + self.places(
            ops.expand_dims(ops.arange(start=0, stop=self.count, step=1), axis=0)
        )


def vit():
    """The example of keras.io: patches, encoder, two layers, a dense head."""
    inputs = keras.Input((24, 24, 3))
    x = PatchEncoder(16, 8)(Patches(6)(L.Resizing(24, 24)(inputs)))
    for _ in range(2):
        y = L.LayerNormalization(epsilon=1e-6)(x)
        x = L.Add()([L.MultiHeadAttention(num_heads=2, key_dim=8, dropout=0.1)(y, y), x])
        y = L.LayerNormalization(epsilon=1e-6)(x)
        for units in (16, 8):
            y = L.Dropout(0.1)(L.Dense(units, activation=keras.activations.gelu)(y))
        x = L.Add()([y, x])
    return keras.Model(inputs, L.Dense(5)(L.Dropout(0.5)(L.Flatten()(L.LayerNormalization(epsilon=1e-6)(x)))))


def mixer():
    """MLP-Mixer by Permute and Dense, on patches from a convolution."""
    inputs = keras.Input((16, 16, 3))
    x = L.Reshape((16, 8))(L.Conv2D(8, 4, strides=4)(inputs))
    for _ in range(2):
        y = L.Permute((2, 1))(L.LayerNormalization()(x))
        y = L.Permute((2, 1))(L.Dense(16)(L.Dense(12, activation="relu")(y)))
        x = L.Add()([x, y])
        x = L.Add()([x, L.Dense(8)(L.Dense(12, activation="silu")(L.LayerNormalization()(x)))])
    return keras.Model(inputs, L.Dense(3, activation="softmax")(L.GlobalAveragePooling1D()(x)))


def vae():
    """Encoder and decoder as models of their own; at inference the mean is taken."""
    inputs = keras.Input((28, 28, 1))
    x = L.Conv2D(4, 3, activation="relu", strides=2, padding="same")(inputs)
    x = L.Dense(8, activation="relu")(L.Flatten()(L.Conv2D(8, 3, activation="relu", strides=2, padding="same")(x)))
    mean, log_var = L.Dense(2, name="z_mean")(x), L.Dense(2, name="z_log_var")(x)
    encoder = keras.Model(inputs, [mean, log_var, Sampling()([mean, log_var])], name="encoder")
    latent = keras.Input((2,))
    y = L.Reshape((7, 7, 8))(L.Dense(7 * 7 * 8, activation="relu")(latent))
    y = L.Conv2DTranspose(4, 3, activation="relu", strides=2, padding="same")(y)
    decoder = keras.Model(
        latent, L.Conv2DTranspose(1, 3, activation="sigmoid", strides=2, padding="same")(y), name="decoder"
    )
    return keras.Model(inputs, decoder(encoder(inputs)[2]))


def denoiser():
    """An autoencoder of noisy signals, with a model within a model and GaussianNoise."""
    encoder = keras.Sequential(
        [
            keras.Input((32,)),
            L.GaussianNoise(0.1),
            L.Dense(16, activation="relu"),
            L.Dense(4, activity_regularizer="l1"),
        ],
        name="encoder",
    )
    decoder = keras.Sequential(
        [keras.Input((4,)), L.Dense(16, activation="relu"), L.Dense(32, activation="sigmoid")], name="decoder"
    )
    inputs = keras.Input((32,))
    return keras.Model(inputs, {"code": encoder(inputs), "image": decoder(encoder(inputs))})


def siamese():
    """Two images through one network: the distance by a Lambda."""
    base = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            L.Conv2D(4, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(8),
            L.Lambda(lambda x: ops.normalize(x, axis=1)),
        ]
    )
    left, right = keras.Input((16, 16, 1), name="left"), keras.Input((16, 16, 1), name="right")
    a, b = base(left), base(right)
    distance = L.Lambda(
        lambda v: ops.sqrt(ops.maximum(ops.sum(ops.square(v[0] - v[1]), axis=1, keepdims=True), 1e-7)),
        output_shape=(1,),
    )([a, b])
    return keras.Model(
        [left, right], [L.Dense(1, activation="sigmoid")(distance), L.Dot(axes=-1, normalize=True)([a, b])]
    )


def table():
    """Numbers normalized, codes embedded, texts looked up: a table as one reads it from a file."""
    numbers = keras.Input((4,), name="numbers")
    norm = L.Normalization()
    norm.adapt(np.random.default_rng(0).normal(2, 3, (50, 4)).astype("float32"))
    parts = [norm(numbers)]
    inputs = {"numbers": numbers}
    for name, size in (("shop", 6), ("day", 7), ("month", 12)):
        inputs[name] = keras.Input((1,), dtype="int32", name=name)
        parts.append(L.Flatten()(L.Embedding(size, 3, name=f"embed_{name}")(inputs[name])))
    inputs["colour"] = keras.Input((1,), dtype="int64", name="colour")
    parts.append(L.CategoryEncoding(num_tokens=5, output_mode="one_hot")(inputs["colour"]))
    x = L.BatchNormalization()(L.concatenate(parts))
    for units in (16, 8):
        x = L.Dropout(0.3)(L.Dense(units, activation="relu", kernel_initializer="he_uniform")(x))
    return keras.Model(inputs, L.Dense(1, name="price")(x))


def wide_and_deep():
    """A wide part of hashed crosses and bins, and a deep one of embeddings."""
    age, job = keras.Input((1,), name="age"), keras.Input((1,), dtype="int32", name="job")
    bins = L.Discretization(bin_boundaries=[-1.0, 0.0, 0.5, 2.0], output_mode="one_hot")(age)
    crossed = L.HashedCrossing(num_bins=8, output_mode="one_hot")([L.Discretization([-1.0, 0.0, 1.0])(age), job])
    code = L.IntegerLookup(vocabulary=[0, 2, 4], output_mode="one_hot")(job)
    hashed = L.Hashing(num_bins=6, output_mode="one_hot")(job)
    wide = L.Dense(1, use_bias=False)(L.Concatenate()([bins, crossed, code, hashed]))
    deep = L.Dense(1)(L.Dense(8, activation="selu")(L.Concatenate()([age, L.Flatten()(L.Embedding(10, 4)(job))])))
    return keras.Model([age, job], L.Activation("sigmoid")(L.Add()([wide, deep])))


def colours():
    """Texts to codes and to one-hot rows."""
    inputs = keras.Input((1,), dtype="string", name="colour")
    codes = L.StringLookup(vocabulary=["red", "green", "blue"], output_mode="multi_hot")(inputs)
    return keras.Model(inputs, L.Dense(2, activation="softmax")(codes))


def headlines():
    """Raw text in, a probability out: standardized, split, padded, averaged."""
    layer = L.TextVectorization(max_tokens=30, output_sequence_length=6, standardize="lower_and_strip_punctuation")
    layer.adapt(["The cat sat on the mat.", "A dog, a cat and a bird!", "Stocks fall; markets rise"])
    inputs = keras.Input((1,), dtype="string", name="title")
    x = L.Embedding(30, 8, mask_zero=True)(layer(inputs))
    return keras.Model(inputs, L.Dense(1, activation="sigmoid")(L.GlobalAveragePooling1D()(x)))


class Multitask(keras.Model):
    """Inputs and outputs in dicts, an optional part, and a layer in a list."""

    def __init__(self):
        super().__init__()
        self.image, self.numbers = (
            keras.Sequential([L.Conv2D(4, 3, activation="relu"), L.GlobalAveragePooling2D()]),
            L.Dense(4, activation="relu"),
        )
        self.heads = {
            "age": L.Dense(1),
            "sex": L.Dense(1, activation="sigmoid"),
            "race": L.Dense(5, activation="softmax"),
        }

    def call(self, inputs):
        x = ops.concatenate([self.image(inputs["image"]), self.numbers(inputs["numbers"])], axis=-1)
        return {name: head(x) for name, head in self.heads.items()} | {"features": x}


def norms():
    """GroupNorm, LayerNorm of two axes, unit and spectral norms, weights standardized."""
    inputs = keras.Input((12, 12, 3))
    x = L.GroupNormalization(4)(L.SpectralNormalization(L.Conv2D(8, 3))(inputs))
    x = L.LayerNormalization(axis=[-2, -1])(L.Activation("mish")(x))
    x = L.GroupNormalization(groups=-1)(L.SeparableConv2D(8, 3, depth_multiplier=2)(x))
    x = L.UnitNormalization(axis=1)(L.Flatten()(L.MaxPooling2D(2)(x)))
    return keras.Model(inputs, L.Dense(3, kernel_constraint="max_norm")(L.RMSNormalization()(x)))


def film():
    """Frames through a ConvLSTM both ways and a TimeDistributed network."""
    inputs = keras.Input((4, 12, 12, 1))
    x = L.BatchNormalization()(L.ConvLSTM2D(4, 3, padding="same", return_sequences=True)(inputs))
    x = L.TimeDistributed(L.MaxPooling2D(2))(x)
    x = L.ConvLSTM2D(3, 3, padding="same", return_sequences=True, go_backwards=True)(x)
    small = keras.Sequential([keras.Input((6, 6, 3)), L.Conv2D(4, 3, activation="relu"), L.Flatten(), L.Dense(5)])
    return keras.Model(
        inputs, [L.Conv3D(1, 3, padding="same", activation="sigmoid")(x), L.LSTM(4)(L.TimeDistributed(small)(x))]
    )


class LocallyConnected(L.Layer):
    """Filters of their own at every place, by patches and an einsum."""

    def __init__(self, filters, size, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.size = filters, size

    def build(self, shape):
        steps = shape[1] - self.size + 1
        self.kernel = self.add_weight(shape=(steps, self.size * shape[-1], self.filters), name="kernel")
        self.bias = self.add_weight(shape=(steps, self.filters), initializer="zeros", name="bias")

    def call(self, x):
        steps = x.shape[1] - self.size + 1
        patches = ops.concatenate([x[:, k : k + steps] for k in range(self.size)], axis=-1)
        return ops.einsum("btk,tkf->btf", patches, self.kernel) + self.bias


class NodeSums(L.Layer):
    """Messages along edges, summed at the nodes that they reach."""

    def __init__(self, units):
        super().__init__()
        self.message, self.update = L.Dense(units, activation="relu"), L.Dense(units)

    def call(self, inputs):
        nodes, edges = inputs
        count = ops.shape(nodes)[0]
        edges = ops.mod(edges, count)
        sent = self.message(
            ops.concatenate([ops.take(nodes, edges[:, 0], axis=0), ops.take(nodes, edges[:, 1], axis=0)], axis=-1)
        )
        sums = ops.segment_sum(sent, edges[:, 1], num_segments=7)
        return self.update(ops.concatenate([nodes, sums[:1] + ops.zeros_like(nodes[:, :1])], axis=-1)), ops.segment_max(
            sent, edges[:, 1], 7
        )


def graph_network():
    nodes, edges = keras.Input((5,), name="nodes"), keras.Input((2,), dtype="int32", name="edges")
    return keras.Model([nodes, edges], NodeSums(4)([nodes, edges]))


class Sequences(L.Layer):
    """Sorted, summed and counted: what a custom layer does with a row of numbers."""

    def call(self, x):
        order = ops.argsort(x, axis=-1)
        ranked = ops.take_along_axis(x, order, axis=-1)
        running = ops.cumsum(ranked, axis=-1) / ops.cumsum(ops.ones_like(ranked), axis=-1)
        coded = ops.one_hot(ops.cast(ops.clip(ops.floor(x * 2 + 4), 0, 7), "int32"), 8)
        share = ops.where(ranked > 0, running, ops.zeros_like(running))
        quantiles = ops.quantile(x, [0.25, 0.5, 0.9], axis=-1)
        put = ops.scatter(order[0][:, None], ranked[0], (x.shape[-1],))
        return (
            share,
            ops.sum(coded, axis=1),
            ops.transpose(quantiles),
            put + ops.logsumexp(x, axis=-1, keepdims=True),
            ops.cumprod(ops.tanh(x), axis=1),
        )


class Pictures(L.Layer):
    """Resized, cropped, turned to grey and to other places."""

    def call(self, x):
        small = ops.image.resize(x, (10, 14), interpolation="bicubic")
        grey = ops.image.rgb_to_grayscale(ops.sigmoid(small))
        edges = ops.conv(
            grey, np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]], "float32")[:, :, None, None], padding="same"
        )
        turned = ops.image.affine_transform(
            x,
            np.array([[0.9, 0.1, 1.0, -0.1, 0.9, 0.5, 0.0, 0.0]], "float32").repeat(1, 0)[0],
            interpolation="bilinear",
            fill_mode="constant",
        )
        padded = ops.image.pad_images(x, 2, 1, target_height=20, target_width=20)
        return edges, turned, ops.flip(padded, axis=2), ops.image.rgb_to_hsv(ops.sigmoid(x))


class Spectrum(L.Layer):
    """Log-mel features of a wave, by stft and a matrix."""

    def call(self, x):
        real, imaginary = ops.stft(x, 16, 8, 16)
        power = ops.square(real) + ops.square(imaginary)
        mel = ops.matmul(power, np.abs(np.random.default_rng(3).normal(size=(9, 6))).astype("float32"))
        return ops.log(mel + 1e-6)


def speech():
    """Commands: a spectrum in the model, normalized, then a small CNN."""
    inputs = keras.Input((128,))
    x = L.Resizing(12, 8)(Spectrum()(inputs)[..., None])
    norm = L.Normalization(axis=None, mean=0.5, variance=2.0)
    x = L.MaxPooling2D()(L.Conv2D(4, 3, activation="relu")(norm(x)))
    return keras.Model(inputs, L.Dense(4)(L.Dense(8, activation="relu")(L.Flatten()(x))))


def fnet():
    """A Fourier transform over time and width in place of attention."""
    inputs = keras.Input((8, 6))

    class Mix(L.Layer):
        def call(self, x):
            return ops.fft2((x, ops.zeros_like(x)))[0]

    x = L.LayerNormalization()(L.Add()([inputs, Mix()(inputs)]))
    x = L.LayerNormalization()(L.Add()([x, L.Dense(6)(L.Dense(12, activation="gelu")(x))]))
    return keras.Model(inputs, L.Dense(2, activation="softmax")(x[:, 0, :]))


def masked():
    """Padding of numbers by Masking, through loops that carry the mask, to every step."""
    inputs = keras.Input((None, 3))
    x = L.Masking(mask_value=0.0)(inputs)
    x = L.GRU(5, return_sequences=True)(x)
    x = L.Bidirectional(L.SimpleRNN(4, return_sequences=True), merge_mode="ave")(x)
    return keras.Model(inputs, [L.TimeDistributed(L.Dense(2, activation="softmax"))(x), L.LSTM(3)(x)])


def quantized():
    """A classifier whose dense and convolutional layers have int8 weights."""
    model = stack(
        (16,),
        L.Dense(32, activation="relu"),
        L.BatchNormalization(),
        L.Dense(16, activation="relu"),
        L.Dense(4, activation="softmax"),
    )
    model.quantize("int8")
    return model


def half():
    """A small network in mixed precision with an output of 32 bits."""
    inputs = keras.Input((16, 16, 3))
    x = inputs
    for filters in (4, 8):
        x = L.Conv2D(filters, 3, padding="same", use_bias=False, dtype="mixed_float16")(x)
        x = L.ReLU(dtype="mixed_float16")(L.BatchNormalization(dtype="mixed_float16")(x))
        x = L.MaxPooling2D(dtype="mixed_float16")(x)
    x = L.GlobalAveragePooling2D(dtype="mixed_float16")(x)
    return keras.Model(inputs, L.Dense(3, activation="softmax", dtype="float32")(x))


def tuned():
    """Low-rank adapters on a frozen text network."""
    inputs = keras.Input((6,), dtype="int32")
    embed, dense, attention = L.Embedding(20, 8), L.Dense(8, activation="relu"), L.MultiHeadAttention(2, 4)
    x = embed(inputs)
    x = attention(x, x) + dense(x)
    model = keras.Model(inputs, L.Dense(3)(L.GlobalMaxPooling1D()(x)))
    for layer in (embed, dense, attention._dense("query") if hasattr(attention, "_dense") else dense):
        layer.enable_lora(2)
    for layer in (embed, dense):
        layer.lora_kernel_b.assign(ops.ones_like(layer.lora_kernel_b) * 0.1) if hasattr(
            layer, "lora_kernel_b"
        ) else layer.lora_embeddings_b.assign(ops.ones_like(layer.lora_embeddings_b) * 0.1)
    return model


def transfer():
    """An application under preprocessing and a head, frozen."""
    base = keras.applications.MobileNetV2(input_shape=(32, 32, 3), include_top=False, weights=None, alpha=0.35)
    base.trainable = False
    inputs = keras.Input((32, 32, 3))
    x = base(keras.applications.mobilenet_v2.preprocess_input(inputs), training=False)
    return keras.Model(inputs, L.Dense(2, activation="softmax")(L.Dropout(0.2)(L.GlobalAveragePooling2D()(x))))


def captions():
    """An image and the words so far; attention over the cells of the image."""
    image, words = keras.Input((16, 16, 3), name="image"), keras.Input((5,), dtype="int32", name="words")
    cells = L.Reshape((-1, 8))(L.Conv2D(8, 4, strides=4, activation="relu")(image))
    x = L.LSTM(8, return_sequences=True)(L.Embedding(20, 8)(words))
    found = L.Attention()([x, cells])
    return keras.Model([image, words], L.Dense(20)(L.LayerNormalization()(L.Add()([x, found]))))


def critic():
    """Deep reinforcement learning: a dueling head, arithmetic between layers, an action by argmax."""
    state = keras.Input((6,), name="state")
    x = L.Dense(16, activation="relu")(L.Dense(16, activation="relu")(state))
    value, advantage = L.Dense(1)(x), L.Dense(3)(x)
    q = value + (advantage - ops.mean(advantage, axis=1, keepdims=True))
    action = L.Dense(1, activation="tanh")(x) * 2.0
    return keras.Model(state, {"q": q, "policy": ops.softmax(advantage / 0.5), "action": action})


def gan():
    """A generator of DCGAN whose label is an embedding that scales the noise."""
    noise, label = keras.Input((8,), name="noise"), keras.Input((1,), dtype="int32", name="label")
    x = L.multiply([noise, L.Flatten()(L.Embedding(10, 8)(label))])
    x = L.Reshape((4, 4, 8))(L.LeakyReLU(0.2)(L.BatchNormalization(momentum=0.8)(L.Dense(128, use_bias=False)(x))))
    x = L.LeakyReLU(0.2)(L.BatchNormalization()(L.Conv2DTranspose(6, 5, strides=2, padding="same", use_bias=False)(x)))
    return keras.Model([noise, label], L.Conv2DTranspose(1, 5, strides=2, padding="same", activation="tanh")(x))


class Noise(L.Layer):
    """Diffusion: the time of a step as sines, added to a feature map."""

    def call(self, x):
        frequencies = ops.exp(ops.linspace(ops.log(1.0), ops.log(100.0), 4))
        angles = 2.0 * np.pi * frequencies * x
        return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=3)


def ddpm():
    noisy, variance = keras.Input((16, 16, 3)), keras.Input((1, 1, 1))
    e = L.UpSampling2D(size=16, interpolation="nearest")(Noise()(variance))
    x = L.Concatenate()([L.Conv2D(8, 1)(noisy), e])
    skips = []
    for _ in range(2):
        y = L.BatchNormalization(center=False, scale=False)(x)
        x = L.Add()(
            [
                L.Conv2D(8, 3, padding="same")(L.Conv2D(8, 3, padding="same", activation=keras.activations.swish)(y)),
                L.Conv2D(8, 1)(x),
            ]
        )
        skips.append(x)
        x = L.AveragePooling2D(pool_size=2)(x)
    for _ in range(2):
        x = L.Concatenate()([L.UpSampling2D(size=2, interpolation="bilinear")(x), skips.pop()])
        x = L.Conv2D(8, 3, padding="same", activation="swish")(x)
    return keras.Model([noisy, variance], L.Conv2D(3, 1, kernel_initializer="glorot_normal")(x))


def factorization():
    """Ids of users and films: embeddings, biases, a product, a rating between 1 and 5."""
    user, film = keras.Input((), dtype="int64", name="user"), keras.Input((), dtype="int64", name="film")
    u, f = L.Embedding(12, 4)(user), L.Embedding(15, 4)(film)
    product = ops.sum(u * f, axis=-1, keepdims=True)
    rating = ops.sigmoid(product + L.Embedding(12, 1)(user) + L.Embedding(15, 1)(film)) * 4 + 1
    return keras.Model({"user": user, "film": film}, rating)


class Experts(L.Layer):
    """A mixture of experts: the two best of four, weighed by a softmax of their scores."""

    def __init__(self, units, experts=4, **kwargs):
        super().__init__(**kwargs)
        self.units, self.experts, self.router = units, experts, L.Dense(experts, use_bias=False)

    def build(self, shape):
        self.router.build(shape)
        self.kernel = self.add_weight(shape=(self.experts, shape[-1], self.units), name="kernel")

    def call(self, x):
        values, places = ops.top_k(self.router(x), 2)
        gates = ops.einsum("btk,btke->bte", ops.softmax(values), ops.one_hot(places, self.experts))
        return ops.einsum("bti,eio,bte->bto", x, self.kernel, gates)


MODELS = {
    "lenet": lenet, "vgg, augmented": vgg, "resnet bottlenecks": resnet, "densenet and inception": densenet_inception,
    "efficientnet by operators": efficientnet, "attention u-net": unet, "fcn, open": fcn_open, "edsr, open": edsr,
    "ssd": ssd, "suppression": suppression, "ecg": ecg, "wavenet": wavenet, "tcn, subclassed": lambda: called(TCN(), np.zeros((2, 12, 3), "float32")),
    "sentiment": sentiment, "stocks": stocks, "stateful characters": stateful, "seq2seq, bahdanau": seq2seq,
    "translator, dict": lambda: called(Translator(), {"source": np.ones((2, 6), "int32"), "target": np.ones((2, 5), "int32")}),
    "gpt, open": gpt, "vit of keras.io": vit, "mlp-mixer": mixer, "vae": vae, "denoiser, nested": denoiser, "siamese images": siamese,
    "table of sales": table, "wide and deep": wide_and_deep, "colours as texts": colours, "headlines": headlines,
    "multitask, dicts": lambda: called(Multitask(), {"image": np.zeros((2, 8, 8, 3), "float32"), "numbers": np.zeros((2, 5), "float32")}),
    "normalized picture": norms, "film": film, "locally connected": lambda: stack((10, 3), LocallyConnected(4, 3), L.Flatten(), L.Dense(2)),
    "graph network": graph_network, "sorted sequences": lambda: stack((9,), Sequences()), "pictures": lambda: stack((16, 16, 3), Pictures()),
    "speech commands": speech, "fnet": fnet, "masked steps": masked, "int8 classifier": quantized, "half precision": half,
    "low rank": tuned, "transfer": transfer, "captions": captions, "dueling critic": critic, "dcgan": gan, "ddpm": ddpm,
    "factorization": factorization, "experts": lambda: stack((5, 6), Experts(4), L.Dense(2)),
}  # fmt: skip
