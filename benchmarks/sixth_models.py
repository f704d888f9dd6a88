# ruff: noqa: E501
"""Models of a sixth draw: published architectures and odd combinations of layers, as programs on the web have them."""

import numpy as np

from fourth_models import called
from unusual_models import L, keras, ops, stack

__all__ = ["MODELS"]


def resnext():
    """Grouped convolutions, squeeze and excitation, several outputs by name."""
    inputs = keras.Input((16, 16, 3), name="image")
    x = L.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(inputs)
    for filters in (8, 16):
        short = L.Conv2D(filters, 1, use_bias=False, name=f"short_{filters}")(x)
        y = L.Activation("relu")(L.BatchNormalization(axis=-1, epsilon=1.001e-5)(x))
        y = L.Conv2D(filters, 3, padding="same", groups=4)(y)
        gate = L.GlobalAveragePooling2D(keepdims=True)(y)
        gate = L.Dense(filters, activation="hard_sigmoid")(L.Dense(2, activation="relu6")(gate))
        x = L.add([L.multiply([y, gate]), short])
        x = L.ReLU(max_value=6.0, negative_slope=0.1, threshold=0.05)(x)
    x = L.MaxPool2D(3, 2, padding="same")(x)
    return keras.Model(inputs, {"label": L.Dense(5, activation="softmax")(L.Flatten()(x)), "features": x})


def unet3d():
    """A volume of open size, halved and doubled."""
    inputs = keras.Input((None, None, None, 1))
    a = L.LeakyReLU(0.2)(L.GroupNormalization(2)(L.Conv3D(4, 3, padding="same")(inputs)))
    b = L.Conv3D(6, 3, padding="same", activation="swish")(L.AveragePooling3D(2)(a))
    up = L.Conv3DTranspose(4, 2, strides=2)(b)
    return keras.Model(inputs, L.Conv3D(1, 1, activation="sigmoid")(L.Concatenate(axis=-1)([a, up])))


class ImagePooling(L.Layer):
    """The mean of an image, as large as the image was."""

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.conv = L.Conv2D(filters, 1, activation="relu")

    def call(self, x):
        height, width = ops.shape(x)[1], ops.shape(x)[2]
        y = self.conv(ops.mean(x, axis=(1, 2), keepdims=True))
        return ops.broadcast_to(y, (ops.shape(x)[0], height, width, y.shape[-1]))


def deeplab():
    inputs = keras.Input((None, None, 3))
    x = L.SeparableConv2D(8, 3, padding="same", activation="relu")(inputs)
    parts = [L.Conv2D(4, 1)(x), ImagePooling(4)(x)]
    parts += [L.SeparableConv2D(4, 3, padding="same", dilation_rate=rate)(x) for rate in (2, 3)]
    x = L.Concatenate()(parts)
    x = L.UpSampling2D(2, interpolation="bilinear")(L.Conv2D(3, 1)(x))
    return keras.Model(inputs, L.Softmax(axis=-1)(x))


def crnn():
    """Letters of a line of text, whose width is open."""
    inputs = keras.Input((16, None, 1), name="line")
    x = inputs
    for filters in (4, 8):
        x = L.MaxPooling2D((2, 1))(L.Conv2D(filters, 3, padding="same", activation="relu")(x))
    x = L.Permute((2, 1, 3))(x)
    x = L.Reshape((-1, 4 * 8))(x)
    x = L.Bidirectional(L.LSTM(6, return_sequences=True, dropout=0.2), merge_mode="sum")(x)
    x = L.Bidirectional(L.GRU(5, return_sequences=True, recurrent_dropout=0.1))(x)
    return keras.Model(inputs, L.TimeDistributed(L.Dense(11, activation="log_softmax"))(x))


class Positions(L.Layer):
    """Embeddings of tokens and of places, which keep the mask."""

    def __init__(self, length, words, width):
        super().__init__()
        self.tokens, self.places = L.Embedding(words, width, mask_zero=True), L.Embedding(length, width)

    def call(self, x):
        return self.tokens(x) + self.places(ops.arange(ops.shape(x)[-1]))

    def compute_mask(self, x, mask=None):
        return ops.not_equal(x, 0)


class Encoder(L.Layer):
    """A block with attention before and the mask of tokens."""

    def __init__(self, width, heads, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.attention = L.MultiHeadAttention(heads, width // heads, dropout=0.1)
        self.mlp = keras.Sequential([L.Dense(2 * width, activation="gelu"), L.Dropout(0.1), L.Dense(width)])
        self.norms = [L.LayerNormalization(epsilon=1e-6) for _ in range(2)]

    def call(self, x, mask=None, training=False):
        if mask is not None:
            mask = ops.cast(mask[:, None, :], "int32")
        y = self.attention(x, x, attention_mask=mask, training=training)
        x = self.norms[0](x + y)
        return self.norms[1](x + self.mlp(x, training=training))


def text_transformer():
    inputs = keras.Input((None,), dtype="int64", name="tokens")
    x = Encoder(8, 2)(Encoder(8, 2)(Positions(32, 30, 8)(inputs)))
    return keras.Model(inputs, L.Dense(1, activation="sigmoid", name="spam")(L.GlobalAveragePooling1D()(x)))


class Bert(keras.Model):
    """Three inputs in a dict, a pooled and a sequential output, shared embeddings at the end."""

    def __init__(self):
        super().__init__()
        self.words, self.kinds = L.Embedding(23, 8), L.Embedding(5, 8)
        self.norm, self.blocks = L.LayerNormalization(), [Encoder(8, 4) for _ in range(2)]
        self.pooler, self.bias = L.Dense(8, activation="tanh"), L.Dense(8, activation="gelu")

    def call(self, inputs, training=None):
        x = self.norm(self.words(inputs["token_ids"]) + self.kinds(inputs["segment_ids"]))
        for block in self.blocks:
            x = block(x, mask=inputs["padding_mask"], training=training)
        scores = (
            self.words(self.bias(x), reverse=True)
            if hasattr(self.words, "reverse")
            else ops.matmul(self.bias(x), ops.transpose(self.words.embeddings))
        )
        return {"pooled": self.pooler(x[:, 0]), "scores": scores}


def bert():
    ids = np.ones((2, 6), "int32")
    return called(Bert(), {"token_ids": ids, "segment_ids": ids * 0, "padding_mask": ids > 0})


def luong():
    """A translator with the score of every source word."""
    source, target = keras.Input((None,), dtype="int32", name="source"), keras.Input((5,), dtype="int32", name="target")
    memory, h, c = L.LSTM(6, return_sequences=True, return_state=True)(L.Embedding(12, 6, mask_zero=True)(source))
    x = L.LSTM(6, return_sequences=True, unit_forget_bias=False)(L.Embedding(13, 6)(target), initial_state=[h, c])
    context, scores = L.Attention(use_scale=True, score_mode="dot")([x, memory], return_attention_scores=True)
    x = L.Dense(6, activation="tanh")(L.Concatenate()([x, context]))
    return keras.Model({"source": source, "target": target}, [L.Dense(13)(x), scores])


def table_of_people():
    """Numbers, ages in bins, crossed classes and codes: the layers of preprocessing inside the model."""
    age, hours = keras.Input((1,), name="age"), keras.Input((1,), name="hours")
    job, region = keras.Input((1,), dtype="int32", name="job"), keras.Input((1,), dtype="int32", name="region")
    scaled = L.Normalization(mean=[40.0], variance=[9.0])(hours)
    bins = L.Discretization(bin_boundaries=[18.0, 30.0, 50.0], output_mode="one_hot")(age)
    known = L.IntegerLookup(vocabulary=[10, 20, 30], output_mode="one_hot", num_oov_indices=2)(job)
    code = L.CategoryEncoding(6, output_mode="one_hot")(region)
    crossed = L.HashedCrossing(7, output_mode="one_hot")((L.IntegerLookup(vocabulary=[1, 2])(job), region))
    x = L.Concatenate()([scaled, bins, known, code, crossed])
    return keras.Model([age, hours, job, region], L.Dense(1, activation="sigmoid")(L.Dense(4, activation="elu")(x)))


def towers():
    """A recommender whose users and films are texts."""
    sides = []
    for name, words in (("user", ["ann", "bob"]), ("film", ["Alien", "Brazil", "Casablanca"])):
        inputs = keras.Input((), dtype="string", name=name)
        places = L.StringLookup(vocabulary=words, mask_token=None)(inputs)
        sides.append((inputs, L.Dense(4)(L.Embedding(len(words) + 1, 4)(places))))
    (a, x), (b, y) = sides
    return keras.Model({"user": a, "film": b}, L.Dot(axes=1, normalize=True)([x, y]))


def reviews():
    inputs = keras.Input((1,), dtype="string")
    x = L.TextVectorization(max_tokens=20, output_sequence_length=6, vocabulary=["the", "film", "was", "bad", "good"])(
        inputs
    )
    x = L.Conv1D(4, 2, activation="relu")(L.Embedding(20, 4)(x))
    return keras.Model(inputs, L.Dense(1)(L.GlobalMaxPooling1D()(x)))


class WeightNorm(L.Layer):
    """A causal convolution whose kernel has length g."""

    def __init__(self, filters, width, rate):
        super().__init__()
        self.filters, self.width, self.rate = filters, width, rate

    def build(self, shape):
        self.v = self.add_weight(shape=(self.width, shape[-1], self.filters), initializer="glorot_uniform", name="v")
        self.g = self.add_weight(shape=(self.filters,), initializer="ones", name="g")
        self.b = self.add_weight(shape=(self.filters,), initializer="zeros", name="b")

    def call(self, x):
        kernel = self.g * self.v / ops.sqrt(ops.sum(ops.square(self.v), axis=(0, 1), keepdims=True))
        x = ops.pad(x, [[0, 0], [(self.width - 1) * self.rate, 0], [0, 0]])
        return ops.conv(x, kernel, strides=1, padding="valid", dilation_rate=self.rate) + self.b


def tcn():
    inputs = keras.Input((None, 3))
    x = inputs
    for rate in (1, 2):
        y = L.SpatialDropout1D(0.2)(L.Activation("selu")(WeightNorm(4, 2, rate)(x)))
        x = L.Add()([L.Conv1D(4, 1)(x), y])
    return keras.Model(inputs, L.Dense(2)(x[:, -1]))


class Cross(L.Layer):
    """x0 * (U V x + b) + x: a cross of low rank (DCN, version 2)."""

    def __init__(self, rank, **kwargs):
        super().__init__(**kwargs)
        self.rank = rank

    def build(self, shape):
        width = shape[0][-1]
        self.u, self.v = L.Dense(self.rank, use_bias=False), L.Dense(width)
        self.u.build((None, width)), self.v.build((None, self.rank))

    def call(self, inputs):
        first, x = inputs
        return first * self.v(self.u(x)) + x


class DeepFM(keras.Model):
    """Pairs of fields by their inner products, crosses, and a deep part: subclassed, with ids in one matrix."""

    def __init__(self, sizes=(5, 7, 6), width=4):
        super().__init__()
        self.sizes = sizes
        self.fields = [L.Embedding(size, width, embeddings_regularizer="l2") for size in sizes]
        self.linear = [L.Embedding(size, 1) for size in sizes]
        self.crosses, self.deep = [Cross(2) for _ in range(2)], keras.Sequential([L.Dense(6, "relu"), L.Dense(1)])

    def call(self, ids):
        columns = ops.split(ids, len(self.sizes), axis=1)
        v = ops.stack([ops.squeeze(layer(each), 1) for layer, each in zip(self.fields, columns, strict=True)], axis=1)
        pairs = 0.5 * ops.sum(ops.sum(v, 1) ** 2 - ops.sum(v**2, 1), -1, keepdims=True)
        first = sum(ops.squeeze(layer(each), 1) for layer, each in zip(self.linear, columns, strict=True))
        x = start = ops.reshape(v, (ops.shape(v)[0], -1))
        for cross in self.crosses:
            x = cross([start, x])
        return ops.sigmoid(pairs + first + self.deep(x))


class Block(L.Layer):
    """A block of N-BEATS: what it explains of the past, and what it says of the future."""

    def __init__(self, past, future, kind):
        super().__init__()
        self.layers_, self.theta = [L.Dense(8, activation="relu") for _ in range(2)], L.Dense(8, use_bias=False)
        times = np.arange(past + future, dtype="float32") / (past + future)
        season = [np.cos(2 * np.pi * n * times) for n in range(4)] + [np.sin(2 * np.pi * n * times) for n in range(4)]
        basis = np.stack([times**n for n in range(8)] if kind == "trend" else season)
        self.back, self.front = basis[:, :past].astype("float32"), basis[:, past:].astype("float32")

    def call(self, x):
        for layer in self.layers_:
            x = layer(x)
        theta = self.theta(x)
        return theta @ self.back, theta @ self.front


def nbeats():
    inputs = keras.Input((10,), name="past")
    rest, total = inputs, None
    for kind in ("trend", "season"):
        back, front = Block(10, 4, kind)(rest)
        rest = L.Subtract()([rest, back])
        total = front if total is None else total + front
    return keras.Model(inputs, total, name="forecast")


class LayerScale(L.Layer):
    def __init__(self, initial=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.initial = initial

    def build(self, shape):
        self.gamma = self.add_weight((shape[-1],), keras.initializers.Constant(self.initial), name="gamma")

    def call(self, x):
        return x * self.gamma


class DropPath(L.Layer):
    def __init__(self, rate):
        super().__init__()
        self.rate, self.seed = rate, keras.random.SeedGenerator(1)

    def call(self, x, training=None):
        if not training:
            return x
        shape = (ops.shape(x)[0],) + (1,) * (len(x.shape) - 1)
        return x / (1 - self.rate) * ops.floor(1 - self.rate + keras.random.uniform(shape, seed=self.seed))


def convnext():
    inputs = keras.Input((16, 16, 3))
    x = L.LayerNormalization(epsilon=1e-6)(L.Conv2D(8, 4, strides=4)(L.Rescaling(1 / 127.5, offset=-1)(inputs)))
    for rate in (0.1, 0.2):
        y = L.DepthwiseConv2D(7, padding="same")(x)
        y = L.Dense(8)(L.Activation(keras.activations.gelu)(L.Dense(16)(L.LayerNormalization(epsilon=1e-6)(y))))
        x = L.Add()([x, DropPath(rate)(LayerScale(0.1)(y))])
    return keras.Model(inputs, L.Dense(3)(L.LayerNormalization()(L.GlobalAveragePooling2D()(x))))


def mobilevit():
    """Patches of an image by reshaping, attention between equal places of them, and back."""
    inputs = keras.Input((8, 8, 4))
    x = L.Conv2D(6, 3, padding="same", activation="silu")(inputs)
    y = ops.reshape(x, (-1, 4, 2, 4, 2, 6))
    y = ops.reshape(ops.transpose(y, (0, 2, 4, 1, 3, 5)), (-1, 4, 16, 6))
    y = L.LayerNormalization()(y + L.MultiHeadAttention(2, 3, attention_axes=(2,))(y, y))
    y = ops.transpose(ops.reshape(y, (-1, 2, 2, 4, 4, 6)), (0, 3, 1, 4, 2, 5))
    y = ops.reshape(y, (-1, 8, 8, 6))
    return keras.Model(inputs, L.Conv2D(4, 3, padding="same")(L.Concatenate()([inputs, y])))


class GraphAttention(L.Layer):
    """Attention along the edges of a graph, whose number of nodes is open."""

    def __init__(self, units, heads):
        super().__init__()
        self.units, self.heads = units, heads

    def build(self, shape):
        self.kernel = self.add_weight((shape[0][-1], self.heads, self.units), name="kernel")
        self.source = self.add_weight((self.heads, self.units, 1), name="source")
        self.target = self.add_weight((self.heads, self.units, 1), name="target")

    def call(self, inputs):
        nodes, edges = inputs
        h = ops.einsum("bnf,fhu->bhnu", nodes, self.kernel)
        scores = ops.matmul(h, self.source) + ops.transpose(ops.matmul(h, self.target), (0, 1, 3, 2))
        scores = ops.where(edges[:, None] > 0, ops.leaky_relu(scores, 0.2), -1e9)
        y = ops.matmul(ops.softmax(scores, axis=-1), h)
        return ops.reshape(ops.transpose(y, (0, 2, 1, 3)), (ops.shape(y)[0], -1, self.heads * self.units))


def gat():
    nodes, edges = keras.Input((None, 4), name="nodes"), keras.Input((None, None), dtype="int32", name="edges")
    x = ops.elu(GraphAttention(3, 2)([nodes, edges]))
    return keras.Model([nodes, edges], L.Dense(2)(ops.max(x, axis=1)))


def pix2pix():
    inputs = keras.Input((16, 16, 3))
    skips, x = [], inputs
    for filters in (4, 6):
        x = L.ZeroPadding2D(((1, 2), (1, 2)))(x)
        x = L.LeakyReLU()(L.GroupNormalization(groups=-1)(L.Conv2D(filters, 4, strides=2)(x)))
        skips.append(x)
    for filters, skip in ((4, skips[0]), (3, None)):
        x = L.Conv2DTranspose(filters, 4, strides=2, padding="same", use_bias=False)(x)
        x = L.Activation("relu")(L.Dropout(0.5)(x))
        x = L.Concatenate()([x, skip]) if skip is not None else x
    return keras.Model(inputs, L.Activation("tanh")(x))


class DepthToSpace(L.Layer):
    def call(self, x):
        b, h, w = ops.shape(x)[0], ops.shape(x)[1], ops.shape(x)[2]
        c = x.shape[-1] // 4
        x = ops.transpose(ops.reshape(x, (b, h, w, 2, 2, c)), (0, 1, 3, 2, 4, 5))
        return ops.reshape(x, (b, h * 2, w * 2, c))


def superresolution():
    inputs = keras.Input((None, None, 3), name="small")
    x = L.PReLU(shared_axes=[1, 2])(L.Conv2D(8, 5, padding="same", kernel_initializer="orthogonal")(inputs))
    x = DepthToSpace()(L.Conv2D(12, 3, padding="same")(x))
    large = L.Lambda(lambda image: ops.repeat(ops.repeat(image, 2, axis=1), 2, axis=2))(inputs)
    return keras.Model(inputs, ops.clip(x + large, 0, 1))


def shuffle():
    """Halves of the channels, one convolved, mixed again."""
    inputs = keras.Input((10, 10, 8))
    x = inputs
    for _ in range(2):
        left, right = ops.split(x, 2, axis=-1)
        right = L.BatchNormalization(scale=False)(L.DepthwiseConv2D(3, padding="same", use_bias=False)(right))
        right = L.Conv2D(4, 1, activation="relu")(right)
        x = L.Concatenate()([left, right])
        height, width, channels = x.shape[1:]
        x = L.Reshape((height, width, 2, channels // 2))(x)
        x = L.Reshape((height, width, channels))(L.Permute((1, 2, 4, 3))(x))
    return keras.Model(inputs, L.GlobalMaxPooling2D()(x))


class Sampler(L.Layer):
    """A spatial transformer: pixels at places that an affine matrix gives, by four gathers."""

    def call(self, image, theta):
        batch, height, width = ops.shape(image)[0], image.shape[1], image.shape[2]
        y, x = ops.meshgrid(ops.linspace(-1.0, 1.0, height), ops.linspace(-1.0, 1.0, width), indexing="ij")
        grid = ops.stack([ops.reshape(x, (-1,)), ops.reshape(y, (-1,)), ops.ones((height * width,))])
        places = ops.matmul(ops.reshape(theta, (-1, 2, 3)), grid)
        x, y = (places[:, 0] + 1) * (width - 1) / 2, (places[:, 1] + 1) * (height - 1) / 2
        flat = ops.reshape(image, (batch, height * width, image.shape[-1]))
        total = 0.0
        for dy in (0, 1):
            for dx in (0, 1):
                row, column = ops.floor(y) + dy, ops.floor(x) + dx
                weight = ops.maximum(0.0, 1 - ops.abs(y - row)) * ops.maximum(0.0, 1 - ops.abs(x - column))
                place = ops.clip(row, 0, height - 1) * width + ops.clip(column, 0, width - 1)
                pixels = ops.take_along_axis(flat, ops.cast(place, "int32")[..., None], axis=1)
                total = total + pixels * weight[..., None]
        return ops.reshape(total, (batch, height, width, image.shape[-1]))


def transformer_network():
    inputs = keras.Input((8, 8, 2))
    theta = L.Dense(6, kernel_initializer="glorot_uniform", bias_initializer=keras.initializers.Constant(0.3))(
        L.Flatten()(inputs)
    )
    x = Sampler()(inputs, theta)
    return keras.Model(inputs, [x, L.Dense(3)(L.Flatten()(L.AveragePooling2D(2)(x)))])


class Peephole(L.Layer):
    """A cell whose gates see its state."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units, self.state_size, self.output_size = units, [units, units], units

    def build(self, shape):
        self.w = self.add_weight((shape[-1] + self.units, 4 * self.units), name="w")
        self.p = self.add_weight((3, self.units), "random_normal", name="p")

    def call(self, x, states):
        h, c = states
        i, f, o, g = ops.split(ops.matmul(ops.concatenate([x, h], -1), self.w), 4, axis=-1)
        i, f = ops.sigmoid(i + self.p[0] * c), ops.sigmoid(f + self.p[1] * c)
        c = f * c + i * ops.tanh(g)
        return ops.sigmoid(o + self.p[2] * c) * ops.tanh(c), [ops.sigmoid(o + self.p[2] * c) * ops.tanh(c), c]


def peephole():
    inputs = keras.Input((None, 3))
    x = L.Masking(0.0)(inputs)
    x = L.RNN([Peephole(4), L.GRUCell(3), L.SimpleRNNCell(4)], return_sequences=True)(x)
    return keras.Model(inputs, L.Bidirectional(L.RNN(Peephole(3)), merge_mode="ave")(x))


def video():
    inputs = keras.Input((None, 8, 8, 1), name="frames")
    x = L.TimeDistributed(L.Conv2D(3, 3, padding="same", activation="relu"))(inputs)
    x = L.ConvLSTM2D(4, 3, padding="same", return_sequences=True, recurrent_activation="hard_sigmoid")(x)
    x = L.BatchNormalization()(x)
    return keras.Model(inputs, L.Conv3D(1, 3, padding="same", activation="sigmoid")(x))


def quantized_cnn():
    model = stack(
        (12, 12, 1),
        L.Conv2D(4, 3, activation="relu"),
        L.SeparableConv2D(6, 3),
        L.MaxPooling2D(),
        L.Flatten(),
        L.Dense(16, activation="relu"),
        L.Dense(4, activation="softmax"),
    )
    model.quantize("int8")
    return model


def quantized_transformer():
    tokens = keras.Input((7,), dtype="int32")
    x = L.Embedding(20, 16)(tokens)
    x = L.LayerNormalization()(x + L.MultiHeadAttention(2, 8)(x, x, use_causal_mask=True))
    x = L.RMSNormalization()(x + L.Dense(16)(L.Dense(32, activation="silu")(x)))
    model = keras.Model(tokens, L.Dense(20)(x))
    model.quantize("int8")
    return model


def int4_mlp():
    model = stack((20,), L.Dense(33, activation="relu"), L.Dense(10, activation="relu"), L.Dense(3))
    model.quantize("int4")
    return model


def yolo():
    """Boxes on a grid from three maps, decoded in the model."""
    inputs = keras.Input((32, 32, 3), name="image")
    x, boxes, scores = inputs, [], []
    for n, filters in enumerate((4, 8, 8)):
        x = L.Conv2D(filters, 3, strides=2, padding="same", activation=ops.silu)(x)
        y = L.Conv2D(2 * 7, 1)(x)
        size, stride = y.shape[1], 2 ** (n + 1)
        y = L.Reshape((size, size, 2, 7))(y)
        grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1)[None, :, :, None].astype("float32")
        centre = (ops.sigmoid(y[..., :2]) * 2 - 0.5 + grid) * stride
        extent = ops.square(ops.sigmoid(y[..., 2:4]) * 2) * np.array([[4.0, 8.0], [8.0, 4.0]], "float32")
        boxes.append(L.Reshape((-1, 4))(ops.concatenate([centre - extent / 2, centre + extent / 2], -1)))
        scores.append(L.Reshape((-1, 2))(ops.sigmoid(y[..., 5:]) * ops.sigmoid(y[..., 4:5])))
    return keras.Model(inputs, {"boxes": L.Concatenate(axis=1)(boxes), "scores": L.Concatenate(axis=1)(scores)})


class Peaks(L.Layer):
    """The five largest peaks of heat maps: values, classes, places and what a second map has there."""

    def call(self, heat, offsets):
        batch, height, width, classes = ops.shape(heat)[0], *heat.shape[1:]
        peaks = ops.where(ops.equal(ops.max_pool(heat, 3, strides=1, padding="same"), heat), heat, 0.0)
        values, places = ops.top_k(ops.reshape(peaks, (batch, -1)), 5)
        kinds, cells = places % classes, places // classes
        flat = ops.reshape(offsets, (batch, height * width, 2))
        moved = ops.take_along_axis(flat, ops.expand_dims(cells, -1), axis=1)
        xy = ops.stack([ops.cast(cells % width, "float32"), ops.cast(cells // width, "float32")], -1)
        return values, kinds, xy + moved


def centernet():
    inputs = keras.Input((16, 16, 3))
    x = L.Conv2D(6, 3, strides=2, padding="same", activation="relu")(inputs)
    heat, offsets = L.Conv2D(3, 1, activation="sigmoid")(x), L.Conv2D(2, 1)(x)
    return keras.Model(inputs, Peaks()(heat, offsets))


def clip():
    """Images beside texts: an output of batch times batch."""
    image, text = keras.Input((8, 8, 3), name="image"), keras.Input((6,), dtype="int32", name="text")
    of_image = keras.Sequential(
        [keras.Input((8, 8, 3)), L.Conv2D(4, 4, strides=4), L.Flatten(), L.Dense(5), L.UnitNormalization()], name="sees"
    )
    of_text = keras.Sequential(
        [keras.Input((6,), dtype="int32"), L.Embedding(9, 5, mask_zero=True), L.GRU(5), L.UnitNormalization()],
        name="reads",
    )
    scores = ops.matmul(of_image(image), ops.transpose(of_text(text))) * 14.0
    return keras.Model([image, text], [ops.softmax(scores, axis=-1), of_image(image)])


def memory_network():
    story, question = (
        keras.Input((4, 5), dtype="int32", name="story"),
        keras.Input((3,), dtype="int32", name="question"),
    )
    m, c = (L.TimeDistributed(L.Embedding(15, 6, name=f"table_{n}"))(story) for n in (0, 1))
    m, c = ops.sum(m, axis=2), ops.sum(c, axis=2)
    u = ops.sum(L.Embedding(15, 6)(question), axis=1)
    for _ in range(2):
        p = L.Softmax()(L.Dot(axes=(2, 1))([m, u]))
        u = L.add([u, L.Dot(axes=1)([p, c])])
    return keras.Model([story, question], L.Dense(15, activation="softmax")(u))


def keyword():
    inputs = keras.Input((800,), name="sound")
    x = L.MelSpectrogram(fft_length=128, sequence_stride=64, sampling_rate=8000, num_mel_bins=16)(inputs)
    x = L.Reshape((*x.shape[1:], 1))(x)
    x = L.Conv2D(6, (4, 3), strides=(2, 2), padding="same", activation="relu")(x)
    x = L.BatchNormalization()(L.SeparableConv2D(6, 3, padding="same", depth_multiplier=2)(x))
    return keras.Model(inputs, L.Dense(4, activation="softmax")(L.GlobalAveragePooling2D()(x)))


class LinearAttention(L.Layer):
    """Performers' kernel: no product of all pairs; causal sums over an open time."""

    def __init__(self, heads, size):
        super().__init__()
        self.heads, self.size, self.qkv, self.out = heads, size, L.Dense(3 * heads * size), L.Dense(heads * size)

    def call(self, x):
        b, t = ops.shape(x)[0], ops.shape(x)[1]
        q, k, v = ops.unstack(ops.reshape(self.qkv(x), (b, t, 3, self.heads, self.size)), 3, axis=2)
        q, k = ops.elu(q) + 1, ops.elu(k) + 1
        kv = ops.cumsum(k[..., :, None] * v[..., None, :], axis=1)
        z = 1 / (ops.sum(q * ops.cumsum(k, axis=1), -1) + 1e-6)
        y = ops.einsum("bthd,bthde,bth->bthe", q, kv, z)
        return self.out(ops.reshape(y, (b, t, self.heads * self.size)))


class Mamba(L.Layer):
    """A selective state space: an associative scan, with a depthwise convolution before."""

    def __init__(self, width, states=3):
        super().__init__()
        self.width, self.states = width, states
        self.conv = L.DepthwiseConv1D(3, padding="valid")
        self.into, self.delta, self.bc, self.out = (
            L.Dense(2 * width),
            L.Dense(width, activation="softplus"),
            L.Dense(2 * states),
            L.Dense(width),
        )

    def build(self, shape):
        self.a = self.add_weight((self.width, self.states), keras.initializers.RandomUniform(0.5, 2), name="a")
        self.into.build(shape), self.delta.build((None, None, self.width)), self.bc.build((None, None, self.width))
        self.out.build((None, None, self.width)), self.conv.build((None, None, self.width))

    def call(self, x):
        u, gate = ops.split(self.into(x), 2, axis=-1)
        u = ops.silu(self.conv(ops.pad(u, ((0, 0), (2, 0), (0, 0)))))
        delta, (b, c) = self.delta(u), ops.split(self.bc(u), 2, axis=-1)
        decay = ops.exp(-delta[..., None] * self.a)
        step = (delta * u)[..., None] * b[:, :, None, :]
        states = ops.associative_scan(lambda a, b: (a[0] * b[0], b[0] * a[1] + b[1]), (decay, step), axis=1)[1]
        return self.out(ops.sum(states * c[:, :, None, :], -1) * ops.silu(gate))


class Frozen(keras.Model):
    """A model inside a model inside a model, with two calls of one part and weights that are not trained."""

    def __init__(self):
        super().__init__()
        self.backbone = stack(
            (8, 8, 3),
            L.Conv2D(4, 3, name="stem"),
            L.BatchNormalization(),
            L.Activation("leaky_relu"),
            L.GlobalAveragePooling2D(),
        )
        self.backbone.trainable = False
        self.head = keras.Sequential([L.Dense(5), L.LayerNormalization(), keras.Sequential([L.Dense(3), L.Softmax()])])

    def call(self, inputs):
        left, right = self.backbone(inputs[0]), self.backbone(inputs[1])
        return self.head(ops.abs(left - right)), ops.norm(left - right, axis=-1)


def frozen():
    x = np.ones((2, 8, 8, 3), "float32")
    return called(Frozen(), (x, x * 2))


class Uncertain(L.Layer):
    """Dropout that stays on: means of several draws."""

    def __init__(self):
        super().__init__(name="uncertain")
        self.dense, self.drop = L.Dense(4), L.Dropout(0.3, seed=1)

    def call(self, x):
        return ops.mean(ops.stack([self.drop(self.dense(x), training=True) for _ in range(3)]), 0)


def rotary():
    """Rotary places over an open time, grouped heads, the gated MLP of Llama, tied words."""
    tokens = keras.Input((None,), dtype="int32", name="ids")
    embed = L.Embedding(19, 16)
    x = embed(tokens)
    y = L.RMSNormalization()(x)
    q, k, v = L.Dense(16, use_bias=False)(y), L.Dense(8, use_bias=False)(y), L.Dense(8, use_bias=False)(y)
    q, k, v = (L.Reshape((-1, each.shape[-1] // 4, 4))(each) for each in (q, k, v))
    q, k = Rotary()(q), Rotary()(k)
    k, v = ops.repeat(k, 2, axis=2), ops.repeat(v, 2, axis=2)
    y = L.Reshape((-1, 16))(L.Lambda(lambda a: ops.dot_product_attention(*a, is_causal=True))([q, k, v]))
    x = x + L.Dense(16, use_bias=False)(y)
    y = L.RMSNormalization()(x)
    x = x + L.Dense(16, use_bias=False)(
        L.Dense(24, activation="silu", use_bias=False)(y) * L.Dense(24, use_bias=False)(y)
    )
    return keras.Model(tokens, L.Dense(19)(x))


class Rotary(L.Layer):
    def call(self, x):
        half = x.shape[-1] // 2
        rate = 1.0 / (10000.0 ** (ops.arange(half, dtype="float32") / half))
        angle = ops.cast(ops.arange(ops.shape(x)[1]), "float32")[:, None] * rate[None]
        cos, sin = (ops.concatenate([f(angle)] * 2, -1)[None, :, None] for f in (ops.cos, ops.sin))
        return x * cos + ops.concatenate([-x[..., half:], x[..., :half]], -1) * sin


MODELS = {
    "resnext": resnext, "u-net of volumes": unet3d, "deeplab, open": deeplab, "crnn, open width": crnn,
    "text transformer, own mask": text_transformer, "bert, dict": bert, "luong, dict": luong, "people": table_of_people,
    "towers of texts": towers, "reviews": reviews, "tcn, weight norm": tcn, "deepfm, crosses": lambda: called(DeepFM(), np.zeros((2, 3), "int32")),
    "n-beats": nbeats, "convnext, drop path": convnext, "mobilevit": mobilevit, "gat, open nodes": gat, "pix2pix": pix2pix,
    "super-resolution, open": superresolution, "shuffle": shuffle, "spatial transformer": transformer_network,
    "peephole, stacked, masked": peephole, "video, open": video, "int8 cnn": quantized_cnn, "int8 transformer": quantized_transformer,
    "int4 mlp": int4_mlp, "yolo": yolo, "centernet": centernet, "clip": clip, "memory network": memory_network, "keyword": keyword,
    "performer, open": lambda: stack((None, 8), LinearAttention(2, 4), L.LayerNormalization()),
    "mamba": lambda: stack((8, 6), Mamba(6)), "mamba, open": lambda: stack((None, 6), Mamba(6)),
    "frozen, nested": frozen, "dropout that stays": lambda: stack((5,), Uncertain(), L.Dense(2)), "llama, open": rotary,
}  # fmt: skip
