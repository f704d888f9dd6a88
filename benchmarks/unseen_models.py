# ruff: noqa: E501
"""Models of a third draw, made when the exporters were done: what a reader of the exporters has not prepared them for."""

import numpy as np

from unseen_operations import OPERATIONS
from unusual_models import L, graph, keras, masked_stack, ops, stack

__all__ = ["MODELS"]


def called(model, *inputs):
    """A subclassed model, built by a call."""
    model(*inputs)
    return model


def table():
    """A recommender: categories, numbers and a history, by name, nested in a dict."""
    user = {"id": keras.Input((), dtype="int32", name="user_id"), "age": keras.Input((1,), name="age")}
    history = keras.Input((None,), dtype="int32", name="history")
    items = L.Embedding(12, 6, mask_zero=True, name="items")
    one = L.Concatenate()([L.Embedding(9, 4)(user["id"]), L.Rescaling(0.01)(user["age"])])
    both = L.Dot(1, normalize=True)([L.Dense(6)(one), L.GRU(6)(items(history))])
    return keras.Model(
        {"user": user, "history": history}, {"score": L.Activation("sigmoid", name="score")(both), "user": one}
    )


class Peephole(L.Layer):
    """A cell with two states of different widths."""

    def __init__(self, units):
        super().__init__()
        self.units, self.state_size, self.output_size = units, [units, 2 * units], units
        self.gates, self.out = L.Dense(4 * units), L.Dense(units, use_bias=False)

    def build(self, shape):
        self.gates.build((shape[0], shape[-1] + 3 * self.units))
        self.out.build((shape[0], 2 * self.units))

    def call(self, inputs, states, training=False):
        forget, new = ops.split(self.gates(ops.concatenate([inputs, *states], -1)), 2, -1)
        wide = ops.sigmoid(forget) * states[1] + ops.tanh(new)
        output = self.out(wide) + states[0]
        return output, [output, wide]


class Seq2Seq(keras.Model):
    """Greedy decoding for four steps, in the model."""

    def __init__(self):
        super().__init__()
        self.embed, self.encoder, self.cell, self.head = L.Embedding(9, 5), L.GRU(6), L.GRUCell(6), L.Dense(9)

    def call(self, tokens, training=False):
        state = self.encoder(self.embed(tokens))
        word, words = ops.zeros_like(tokens[:, 0]), []
        for _ in range(4):
            output, (state,) = self.cell(self.embed(word), [state])
            word = ops.cast(ops.argmax(self.head(output), -1), "int32")
            words.append(word)
        return ops.stack(words, 1), state


class Decoder(keras.Model):
    """One step of a decoder with a cache, which is input and output."""

    def __init__(self, width=8, length=6):
        super().__init__()
        self.length, self.embed, self.qkv, self.out = length, L.Embedding(11, width), L.Dense(3 * width), L.Dense(11)

    def call(self, inputs):
        q, k, v = ops.split(self.qkv(self.embed(inputs["token"])), 3, -1)
        place = ops.cast(inputs["position"][0], "int32")
        keys = ops.slice_update(inputs["keys"], (0, place, 0), k)
        values = ops.slice_update(inputs["values"], (0, place, 0), v)
        scores = ops.einsum("bqd,bkd->bqk", q, keys) / 8**0.5
        scores = ops.where(ops.arange(self.length) <= place, scores, -1e9)
        return {"logits": self.out(ops.softmax(scores) @ values), "keys": keys, "values": values}


def decoder():
    cache = np.zeros((2, 6, 8), "float32")
    return called(
        Decoder(),
        {"token": np.zeros((2, 1), "int32"), "position": np.zeros((2,), "int32"), "keys": cache, "values": cache},
    )


class Boxes(L.Layer):
    """Boxes by their scores without those that overlap: a loop over the best."""

    def call(self, boxes, scores):
        best = ops.top_k(scores, 5)[1]
        boxes = ops.take_along_axis(boxes, best[..., None], 1)
        top, low = (
            ops.maximum(boxes[:, :, None, :2], boxes[:, None, :, :2]),
            ops.minimum(boxes[:, :, None, 2:], boxes[:, None, :, 2:]),
        )
        both = ops.prod(ops.relu(low - top), -1)
        area = ops.prod(ops.relu(boxes[..., 2:] - boxes[..., :2]), -1)
        overlap = both / (area[:, :, None] + area[:, None] - both + 1e-6)

        def step(n, kept):
            row = ops.take(overlap, n, axis=1) * ops.take(kept, n, axis=1)[:, None]
            return ops.where((row > 0.3) & (ops.arange(5) > n), 0.0, kept)

        kept = ops.fori_loop(0, 5, step, ops.ones_like(area))
        return boxes * kept[..., None], kept


def detector():
    image = keras.Input((16, 16, 3), name="image")
    x = L.Reshape((16, 8))(L.Conv2D(8, 4, strides=4, activation="relu")(image))
    center, size = L.Dense(2)(x), L.Dense(2, "softplus")(x)
    boxes = L.Concatenate(name="corners")([center - size, center + size])
    return keras.Model(image, list(Boxes(name="best")(boxes, L.Flatten()(L.Dense(1)(x)))))


def conformer():
    x = sound = keras.Input((None, 8))
    x = x + 0.5 * L.Dense(8)(L.Dense(16, "silu")(L.LayerNormalization()(x)))
    y = L.LayerNormalization()(x)
    x = x + L.MultiHeadAttention(2, 4)(y, y)
    y = L.DepthwiseConv1D(3, padding="same")(ops.glu(L.Conv1D(16, 1)(L.LayerNormalization()(x)), -1))
    x = x + L.Conv1D(8, 1)(ops.silu(L.BatchNormalization()(y)))
    return keras.Model(sound, L.LayerNormalization()(x))


def mixer():
    x = image = keras.Input((12, 12, 3))
    x = L.Reshape((9, 8))(L.Conv2D(8, 4, 4)(x))
    for _ in range(2):
        y = ops.transpose(L.LayerNormalization()(x), (0, 2, 1))
        x = x + ops.transpose(L.Dense(9)(L.Dense(12, "gelu")(y)), (0, 2, 1))
        x = x + L.Dense(8)(L.Dense(16, "gelu")(L.LayerNormalization()(x)))
    return keras.Model(image, L.Dense(4, "softmax")(L.GlobalAveragePooling1D()(x)))


class Perceiver(L.Layer):
    def __init__(self, slots=3, width=8):
        super().__init__()
        self.slots, self.width = slots, width
        self.attention, self.mlp = L.MultiHeadAttention(2, 4), L.Dense(width, "gelu")

    def build(self, shape):
        self.latents = self.add_weight((self.slots, self.width), "random_normal", name="latents")

    def call(self, x):
        latents = ops.broadcast_to(self.latents, (ops.shape(x)[0], self.slots, self.width))
        for _ in range(2):
            latents = latents + self.mlp(self.attention(latents, x))
        return latents


def all_masks():
    """Masks of tokens, of pairs and of the past at once, and the scores."""
    words, other = keras.Input((5,), dtype="int32", name="words"), keras.Input((7,), dtype="int32", name="other")
    embed = L.Embedding(12, 8, mask_zero=True)
    x, scores = L.MultiHeadAttention(2, 4, output_shape=6)(embed(words), embed(other), return_attention_scores=True)
    y = L.MultiHeadAttention(2, 4)(embed(words), embed(words), use_causal_mask=True)
    return keras.Model([words, other], [x, scores, y])


def masked_groups():
    x, mask = keras.Input((6, 8), name="x"), keras.Input((6, 6), dtype="bool", name="allowed")
    y, scores = L.GroupQueryAttention(4, 6, 2, use_gate=False)(x, x, attention_mask=mask, return_attention_scores=True)
    return keras.Model([x, mask], [y, scores])


def layers_quantized(mode, *layers, shape=(None,), dtype=None, lora=False):
    model = stack(shape, *layers, dtype=dtype)
    for layer in model.layers if lora else ():
        layer.enable_lora(2)
        layer.lora_kernel_b.assign(np.random.default_rng(0).normal(size=layer.lora_kernel_b.shape))
    model.quantize(mode)
    return model


def transformer(mode=None, dtype=None):
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = L.Embedding(20, 8, dtype=dtype)(tokens)
    y = L.LayerNormalization(dtype=dtype)(x)
    x = x + L.MultiHeadAttention(2, 4, dtype=dtype)(y, y, use_causal_mask=True)
    x = x + L.Dense(8, dtype=dtype)(L.Dense(32, "gelu", dtype=dtype)(L.RMSNormalization(dtype=dtype)(x)))
    model = keras.Model(tokens, L.Dense(20, dtype="float32" if dtype else None, name="logits")(x))
    if mode:
        model.quantize(mode)
    return model


def low_rank():
    x = image = keras.Input((8, 8, 3))
    layers = L.Conv2D(4, 3), L.EinsumDense("abcd,de->abce", (None, None, 5)), L.Dense(3)
    for layer in layers:
        x = layer(x)
        if not isinstance(layer, L.Conv2D):
            layer.enable_lora(2)
            layer.lora_kernel_b.assign(np.random.default_rng(0).normal(size=layer.lora_kernel_b.shape))
    return keras.Model(image, x)


def features():
    """A FeatureSpace of numbers and integers, and a classifier."""
    space = keras.utils.FeatureSpace(
        {"age": keras.utils.FeatureSpace.float_discretized(4), "kind": keras.utils.FeatureSpace.integer_categorical(num_oov_indices=1),
         "size": keras.utils.FeatureSpace.float_normalized()}, output_mode="concat")  # fmt: skip
    generator = np.random.default_rng(0)
    rows = {"age": generator.random(40), "kind": generator.integers(0, 3, 40), "size": generator.normal(size=40)}

    space.adapt(rows)
    inputs = space.get_inputs()
    return keras.Model(inputs, L.Dense(2)(space.get_encoded_features()))


def adapted():
    generator = np.random.default_rng(0)
    normal, bins = L.Normalization(axis=(1, 2)), L.Discretization(num_bins=3)
    normal.adapt(generator.normal(size=(20, 4, 3)))
    bins.adapt(generator.random((50, 1)))
    numbers, value, codes = (
        keras.Input((4, 3), name="numbers"),
        keras.Input((1,), name="value"),
        keras.Input((5,), dtype="int64", name="codes"),
    )
    lookup = L.IntegerLookup(vocabulary=[10, 20, 30], mask_token=0, num_oov_indices=2)
    x = L.Flatten()(L.Dense(2)(normal(numbers)))
    y = L.Flatten()(L.Embedding(4, 3)(bins(value)))
    z = L.GlobalAveragePooling1D()(L.Embedding(6, 3, mask_zero=True)(lookup(codes)))
    return keras.Model([numbers, value, codes], L.Dense(2, name="all")(L.Concatenate()([x, y, z])))


def counted():
    codes, weights = keras.Input((4,), dtype="int32", name="codes"), keras.Input((4,), name="weights")
    layer = L.CategoryEncoding(6, output_mode="count")
    return keras.Model([codes, weights], [layer(codes, count_weights=weights), L.CategoryEncoding(6)(codes)])


def stateful(layer, **settings):
    inputs = keras.Input(batch_shape=(1, 4, 3))
    return keras.Model(inputs, L.Dense(2)(layer(3, stateful=True, **settings)(inputs)))


def initial_states():
    x, h, c = keras.Input((5, 3), name="x"), keras.Input((4,), name="h"), keras.Input((4,), name="c")
    y, h1, c1 = L.LSTM(4, return_sequences=True, return_state=True)(x, initial_state=[h, c])
    return keras.Model([x, h, c], {"y": y, "h": h1, "c": c1})


def two_ways():
    x = L.Embedding(10, 4, mask_zero=True)(tokens := keras.Input((None,), dtype="int32"))
    y = L.Bidirectional(
        L.LSTM(3, return_sequences=True),
        backward_layer=L.GRU(2, return_sequences=True, go_backwards=True),
        merge_mode="concat",
    )(x)
    return keras.Model(tokens, L.TimeDistributed(L.Dense(3, "softmax"))(y))


def shared_pyramid():
    image = keras.Input((None, None, 3))
    head = keras.Sequential(
        [keras.Input((None, None, 4)), L.Conv2D(4, 3, padding="same", activation="swish"), L.Conv2D(2, 1)], name="head"
    )
    x, outputs = L.Conv2D(4, 1)(image), []
    for _ in range(3):
        outputs.append(head(x))
        x = L.AveragePooling2D()(x)
    return keras.Model(image, outputs)


class Residuals(keras.Model):
    """Layers made in `build`, in lists and dicts, called with `training` and `mask`."""

    def __init__(self):
        super().__init__()
        self.parts = {"in": L.Dense(6), "norms": [L.BatchNormalization(), L.LayerNormalization()]}
        self.scale = self.add_weight((), "ones", name="scale")

    def build(self, shape):
        self.last = L.Dense(shape[0][-1] + shape[1][-1], "tanh")
        super().build(shape)

    def call(self, inputs, training=None):
        x = self.parts["in"](ops.concatenate(inputs, -1))
        for norm in self.parts["norms"]:
            x = x + norm(x) * self.scale
        if training:
            x = keras.random.dropout(x, 0.5)
        return self.last(x), {"mean": ops.mean(x, -1), "parts": (x, ops.argmax(x, -1))}


def residuals():
    return called(Residuals(), [np.zeros((2, 3), "float32"), np.zeros((2, 2), "float32")])


def graph_attention():
    nodes, links = keras.Input((6, 4), name="nodes"), keras.Input((6, 6), name="links")
    x = L.Dense(5, use_bias=False)(nodes)
    scores = L.Dense(1)(x) + ops.transpose(L.Dense(1)(x), (0, 2, 1))
    scores = ops.where(links > 0.5, ops.leaky_relu(scores), -1e9)
    x = ops.softmax(scores) @ x
    return keras.Model([nodes, links], L.Dense(3)(ops.concatenate([ops.max(x, 1), ops.mean(x, 1)], -1)))


def application(name, size=32, **settings):
    return lambda: getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classes=4, **settings)


MODELS = {
    "recommender, nested dicts": table,
    "cell of two widths": lambda: stack((None, 3), L.RNN(Peephole(4), return_sequences=True), L.RNN(Peephole(2))),
    "cell of two widths, masked": lambda: masked_stack(L.RNN(Peephole(3), return_sequences=True, zero_output_for_mask=True), L.Dense(2)),
    "greedy decoding": lambda: called(Seq2Seq(), np.zeros((2, 5), "int32")),
    "decoder with a cache": decoder,
    "detector, overlapping boxes": detector,
    "conformer": conformer,
    "mixer": mixer,
    "perceiver": lambda: stack((None, 5), Perceiver(), L.Flatten(), L.Dense(3)),
    "all masks, scores": all_masks,
    "GroupQueryAttention, mask, scores": masked_groups,
    "transformer": transformer, "transformer int8": lambda: transformer("int8"), "transformer int4": lambda: transformer("int4"),
    "transformer mixed_bfloat16": lambda: transformer(dtype="mixed_bfloat16"), "transformer mixed_float16": lambda: transformer(dtype="mixed_float16"),
    "float8, stacked": lambda: layers_quantized("float8", L.Dense(16, "relu"), L.EinsumDense("ab,bc->ac", 8), shape=(16,)),
    "int8 of LoRA": lambda: layers_quantized("int8", L.Dense(16, "relu"), L.Dense(4), shape=(16,), lora=True),
    "int4 of LoRA": lambda: layers_quantized("int4", L.Dense(16, "relu"), L.Dense(4), shape=(16,), lora=True),
    "int8 of three axes": lambda: layers_quantized("int8", L.Dense(16, "gelu"), L.LSTM(3), L.Dense(2), shape=(None, 8)),
    "int8 of tied embeddings": lambda: layers_quantized("int8", L.Embedding(16, 8), L.GlobalMaxPooling1D(), L.Dense(2), dtype="int32"),
    "LoRA of images": low_rank,
    "Repeat": lambda: stack((5, 8), L.Repeat(keras.Sequential([L.Dense(8, "tanh"), L.LayerNormalization()]), 3), L.Dense(2)),
    "Repeat, open time": lambda: graph([(None, 8)], lambda x: L.Repeat(keras.Sequential([L.Dense(8, "gelu"), L.RMSNormalization()]), 4)(x)),
    "FeatureSpace": features, "adapted layers": adapted, "counts with weights": counted,
    "Normalization back": lambda: stack((3,), L.Normalization(mean=1.0, variance=4.0), L.Normalization(mean=1.0, variance=4.0, invert=True)),
    "TextVectorization": lambda: keras.Sequential([keras.Input((), dtype="string"), L.TextVectorization(vocabulary=["a", "b"], output_sequence_length=4), L.Embedding(5, 2)]),
    "StringLookup beside numbers": lambda: (lambda a, b: keras.Model([a, b], [L.StringLookup(vocabulary=["x"])(a), L.Dense(2)(b)]))(keras.Input((1,), dtype="string"), keras.Input((3,))),
    "uint8 pipeline": lambda: stack((9, 11, 3), L.Pipeline([L.Resizing(12, 12), L.RandomFlip("vertical")]), L.CenterCrop(8, 8), L.Rescaling(1 / 255.0), L.Conv2D(3, 3), dtype="uint8"),
    "Resizing of open images": lambda: stack((None, None, 3), L.Resizing(6, 7), L.Conv2D(3, 3), L.GlobalMaxPooling2D()),
    "augmentation of colour": lambda: stack((8, 8, 3), L.RandomHue(0.2), L.RandomSaturation(0.5), L.RandomSharpness(0.5), L.RandomPosterization(4), L.RandomColorJitter(), L.RandomGrayscale(), L.RandomInvert(), L.RandomColorDegeneration(0.5), L.Flatten()),
    "augmentation of places": lambda: stack((8, 8, 3), L.RandomShear(0.2), L.RandomPerspective(), L.RandomErasing(), L.RandomElasticTransform(), L.RandomGaussianBlur(), L.MixUp(), L.AugMix(), L.Conv2D(2, 3)),
    "AutoContrast, Equalization, Solarization": lambda: graph([(6, 6, 3)], lambda x: [L.AutoContrast((0, 1))(x), L.Solarization(value_range=(0, 1))(x)]),
    "Equalization": lambda: stack((6, 6, 3), L.Equalization(value_range=(0, 1))),
    "stateful LSTM": lambda: stateful(L.LSTM), "stateful GRU, unrolled": lambda: stateful(L.GRU, unroll=True),
    "initial states, by name": initial_states, "two kinds both ways": two_ways,
    "ConvLSTM2D backwards": lambda: stack((3, 6, 6, 2), L.ConvLSTM2D(2, 3, go_backwards=True, return_sequences=True, dilation_rate=2), L.ConvLSTM2D(2, 2)),
    "SimpleRNN, masked backwards": lambda: masked_stack(L.SimpleRNN(3, go_backwards=True, return_sequences=True), L.GRU(2, go_backwards=True)),
    "Bidirectional ConvLSTM1D": lambda: stack((3, 6, 2), L.Bidirectional(L.ConvLSTM1D(2, 3, padding="same"))),
    "shared pyramid, open": shared_pyramid, "residuals, subclassed": residuals, "graph attention": graph_attention,
    "pooling open volumes": lambda: stack((None, None, None, 2), L.Conv3D(3, 2, padding="same"), L.MaxPooling3D(2), L.GlobalAveragePooling3D()),
    "outputs twice and unchanged": lambda: (lambda x, y: keras.Model([x, y], [x, L.Dense(2)(x), x * 2, L.Dropout(0.5)(y)]))(keras.Input((3,), name="x"), keras.Input((2,), name="y")),
    "inputs of many types": lambda: (lambda a, b, c: keras.Model([a, b, c], [ops.where(a, b * 1.0, c / 2), ops.cast(c, "int32") + ops.cast(b, "int32")]))(keras.Input((3,), dtype="bool"), keras.Input((3,), dtype="float16"), keras.Input((3,), dtype="uint8")),
    "float64": lambda: stack((4,), L.Dense(3, "softmax", dtype="float64")),
    "names with slashes": lambda: keras.Sequential([keras.Input((3,), name="a.b"), keras.Sequential([L.Dense(2, name="same")], name="same"), L.Dense(2, name="out put")]),
    **OPERATIONS,
    "MobileNetV3Large": application("MobileNetV3Large"), "EfficientNetV2B1": application("EfficientNetV2B1"),
    "ResNet50V2 of open images": lambda: keras.applications.ResNet50V2(weights=None, input_shape=(None, None, 3), include_top=False, pooling="max"),
}  # fmt: skip
