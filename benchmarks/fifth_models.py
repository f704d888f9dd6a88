# ruff: noqa: E501
"""Models of a fifth draw: small versions of published programs, with the operations that their authors wrote by hand."""

import numpy as np

from fourth_models import Own, called
from unusual_models import L, graph, keras, ops, stack

__all__ = ["MODELS"]


class Window(L.Layer):
    """Attention in shifted windows with a table of relative places."""

    def __init__(self, width, heads=2, window=2, shift=0):
        super().__init__()
        self.heads, self.window, self.shift, self.width = heads, window, shift, width
        self.qkv, self.out, self.norm = L.Dense(3 * width), L.Dense(width), L.LayerNormalization(epsilon=1e-5)

    def build(self, shape):
        self.table = self.add_weight(((2 * self.window - 1) ** 2, self.heads), "random_normal", name="table")
        h = np.stack(np.meshgrid(*[np.arange(self.window)] * 2, indexing="ij")).reshape(2, -1)
        apart = (h[:, :, None] - h[:, None, :]).transpose(1, 2, 0) + self.window - 1
        self.places = apart[..., 0] * (2 * self.window - 1) + apart[..., 1]
        height, width = shape[1:3]
        regions = np.zeros((1, height, width, 1))
        cuts = [slice(0, -self.window), slice(-self.window, -1), slice(-1, None)]
        for n, (a, b) in enumerate((a, b) for a in cuts for b in cuts):
            regions[:, a, b] = n
        parts = self.cut(regions, np.reshape, np.transpose).reshape(-1, self.window**2)
        self.hidden = np.where(parts[:, None] != parts[:, :, None], -100.0, 0.0).astype("float32")
        self.norm.build(shape), self.qkv.build(shape), self.out.build(shape)

    def cut(self, x, reshape=ops.reshape, transpose=ops.transpose):
        _, height, width, channels = x.shape
        w = self.window
        x = transpose(reshape(x, (-1, height // w, w, width // w, w, channels)), (0, 1, 3, 2, 4, 5))
        return reshape(x, (-1, w * w, channels))

    def call(self, x):
        _, height, width, channels = x.shape
        y = ops.roll(self.norm(x), (-self.shift, -self.shift), axis=(1, 2)) if self.shift else self.norm(x)
        y = self.cut(y)
        count, size = y.shape[1], channels // self.heads
        q, k, v = ops.unstack(
            ops.transpose(ops.reshape(self.qkv(y), (-1, count, 3, self.heads, size)), (2, 0, 3, 1, 4))
        )
        scores = (q * size**-0.5) @ ops.swapaxes(k, 2, 3)
        bias = ops.transpose(ops.take(self.table, self.places.reshape(-1), axis=0).reshape(count, count, -1), (2, 0, 1))
        scores = scores + bias[None]
        if self.shift:
            n = self.hidden.shape[0]
            scores = ops.reshape(scores, (-1, n, self.heads, count, count)) + self.hidden[None, :, None]
            scores = ops.reshape(scores, (-1, self.heads, count, count))
        y = ops.reshape(ops.transpose(ops.softmax(scores) @ v, (0, 2, 1, 3)), (-1, count, channels))
        w = self.window
        y = ops.reshape(self.out(y), (-1, height // w, width // w, w, w, channels))
        y = ops.reshape(ops.transpose(y, (0, 1, 3, 2, 4, 5)), (-1, height, width, channels))
        return x + (ops.roll(y, (self.shift, self.shift), axis=(1, 2)) if self.shift else y)


def swin():
    x = image = keras.Input((12, 12, 3))
    x = L.Conv2D(8, 2, 2)(x)
    x = Window(8, shift=1)(Window(8)(x))
    x = ops.concatenate([x[:, a::2, b::2] for b in (0, 1) for a in (0, 1)], -1)
    return keras.Model(image, L.Dense(3)(L.GlobalAveragePooling2D()(L.Dense(16, use_bias=False)(x))))


def retina():
    """A pyramid with shared heads, anchors, decoded boxes and the best of each image."""
    image = keras.Input((32, 32, 3), name="image")
    x, levels = image, []
    for filters in (4, 6, 8):
        x = L.ReLU()(L.BatchNormalization()(L.Conv2D(filters, 3, 2, padding="same", use_bias=False)(x)))
        levels.append(x)
    levels = [L.Conv2D(6, 1)(level) for level in levels[1:]]
    levels[0] = levels[0] + L.UpSampling2D(2)(levels[1])
    head = keras.Sequential(
        [
            keras.Input((None, None, 6)),
            L.Conv2D(6, 3, padding="same", activation="relu"),
            L.Conv2D(2 * 7, 3, padding="same"),
        ]
    )
    made = L.Concatenate(axis=1)([L.Reshape((-1, 7))(head(level)) for level in levels])
    anchors = np.random.default_rng(0).random((2 * (64 + 16), 4)).astype("float32") * 8 + 1

    def decode(made):
        moves = made[..., :4] * np.array([0.1, 0.1, 0.2, 0.2], "float32")
        centers = moves[..., :2] * anchors[None, :, 2:] + anchors[None, :, :2]
        sizes = ops.exp(moves[..., 2:]) * anchors[None, :, 2:]
        boxes = ops.concatenate([centers - sizes / 2, centers + sizes / 2], -1)
        scores = ops.sigmoid(made[..., 4:])
        best, places = ops.top_k(ops.max(scores, -1), 9)
        boxes = ops.take_along_axis(boxes, ops.expand_dims(places, -1), axis=1)
        kinds = ops.take_along_axis(ops.argmax(scores, -1), places, axis=1)
        keep = ops.cast(best > 0.05, "int32")
        return {"boxes": ops.clip(boxes, 0, 32), "scores": best, "classes": kinds, "count": ops.sum(keep, 1)}

    return keras.Model(image, Own(decode, name="decoder")(made))


def nerf():
    """Colours along rays: waves of the places, weights by a running product."""

    def render(rays):
        t = ops.linspace(0.5, 3.0, 7)
        places = rays[:, None, :3] + rays[:, None, 3:] * t[:, None]
        waves = [places]
        for n in range(3):
            waves += [ops.sin(2.0**n * places), ops.cos(2.0**n * places)]
        return ops.concatenate(waves, -1)

    def add_up(made):
        t = ops.linspace(0.5, 3.0, 7)
        apart = ops.concatenate([t[1:] - t[:-1], ops.broadcast_to([1e10], (1,))], -1)
        alpha = 1.0 - ops.exp(-ops.relu(made[..., 3]) * apart)
        clear = ops.cumprod(1.0 - alpha + 1e-10, axis=1)
        clear = ops.concatenate([ops.ones_like(clear[:, :1]), clear[:, :-1]], 1)
        weights = alpha * clear
        return ops.sum(weights[..., None] * ops.sigmoid(made[..., :3]), -2), ops.sum(weights * t, -1)

    rays = keras.Input((6,))
    x = waves = Own(render)(rays)
    for n in range(3):
        x = L.Dense(12, "relu")(x)
        x = L.concatenate([x, waves]) if n == 1 else x
    return keras.Model(rays, list(Own(add_up)(L.Dense(4)(x))))


class Hstu(keras.Model):
    """Recommendations by pointwise attention over items and times, of open length."""

    def __init__(self, width=8, heads=2):
        super().__init__()
        self.width, self.heads = width, heads
        self.items, self.places, self.times = L.Embedding(9, width), L.Embedding(10, width), L.Embedding(17, width)
        self.norm, self.inner, self.uvqk, self.out, self.head = (
            L.LayerNormalization(epsilon=1e-6),
            L.GroupNormalization(heads, epsilon=1e-6),
            L.Dense(4 * width),
            L.Dense(width),
            L.Dense(9),
        )

    def call(self, inputs):
        ids, lengths, times = inputs["ids"], inputs["lengths"], inputs["times"]
        batch, steps = ops.shape(ids)[:2]
        columns = ops.tile(ops.arange(steps, dtype="int32")[None], (batch, 1))
        high = lengths[:, None]
        places = ops.clip(high - ops.minimum(columns, high), 0, 9)
        last = ops.clip(lengths - 1, 0, steps - 1)[:, None]
        apart = ops.take_along_axis(times, last, axis=1) - times
        apart = ops.cast(ops.clip(ops.sqrt(ops.maximum(ops.cast(apart, "float32"), 1e-6) * 40), 0, 16), "int32")
        x = self.items(ids) * self.width**0.5 + self.places(places) + self.times(apart)
        u, v, q, k = ops.split(ops.reshape(self.uvqk(self.norm(x)), (batch, steps, 4, self.heads, -1)), 4, axis=2)
        scores = ops.silu(ops.einsum("bnhd,bmhd->bhnm", q[:, :, 0], k[:, :, 0]) * 0.5)
        numbers = ops.arange(steps)
        seen = (numbers[:, None] >= numbers) & ops.expand_dims(numbers < high, 1)
        scores = scores * ops.cast(seen[:, None], "float32")
        y = ops.einsum("bhnm,bmhd->bnhd", scores, v[:, :, 0])
        y = ops.reshape(
            self.inner(ops.reshape(y, (-1, self.heads, self.width // self.heads))), (batch, steps, self.width)
        )
        x = x + self.out(ops.concatenate([ops.silu(ops.reshape(u, (batch, steps, self.width))) * y, x], -1))
        row = ops.take_along_axis(x, last[..., None], axis=1)
        return self.head(ops.squeeze(row, 1))


def hstu():
    return called(
        Hstu(),
        {"ids": np.zeros((2, 6), "int32"), "lengths": np.ones((2,), "int32"), "times": np.zeros((2, 6), "int32")},
    )


def mpnn():
    """Messages between atoms of one graph: a matrix for each bond, GRU cells, sums by molecule."""

    class Pass(L.Layer):
        def __init__(self, width=4, steps=2):
            super().__init__()
            self.width, self.steps, self.update, self.edge = width, steps, L.GRUCell(width), L.Dense(width * width)

        def call(self, atoms, bonds, pairs, owners):
            x = ops.pad(atoms, [(0, 0), (0, self.width - atoms.shape[-1])])
            matrices = ops.reshape(self.edge(bonds), (-1, self.width, self.width))
            for _ in range(self.steps):
                near = ops.expand_dims(ops.take(x, pairs[:, 1], axis=0), -1)
                messages = ops.squeeze(ops.matmul(matrices, near), -1)
                total = ops.segment_sum(messages, pairs[:, 0], num_segments=ops.shape(x)[0])
                x, _ = self.update(total, [x])
            largest = ops.segment_max(x, owners, num_segments=3)
            return x, ops.where(ops.isfinite(largest), largest, 0.0), ops.segment_sum(x, owners, num_segments=3)

    atoms, bonds = keras.Input((3,), name="atoms"), keras.Input((2,), name="bonds")
    pairs, owners = keras.Input((2,), dtype="int32", name="pairs"), keras.Input((), dtype="int32", name="owners")
    return keras.Model([atoms, bonds, pairs, owners], list(Pass()(atoms, bonds, pairs, owners)))


def tab_transformer():
    """A table: categories by lookup of integers and hashes, numbers normalized and in bins, crossed, attended to."""
    generator = np.random.default_rng(0)
    normal, bins = L.Normalization(), L.Discretization(num_bins=4, output_mode="one_hot")
    normal.adapt(generator.normal(1, 2, (30, 2)))
    bins.adapt(generator.normal(size=60))
    numbers, age = keras.Input((2,), name="numbers"), keras.Input((1,), name="age")
    job, town = keras.Input((1,), dtype="int32", name="job"), keras.Input((1,), dtype="int32", name="town")
    lookup = L.IntegerLookup(vocabulary=[4, 2, 0], num_oov_indices=1)
    tokens = [L.Embedding(5, 8)(lookup(job)), L.Embedding(6, 8)(L.Hashing(6)(town))]
    crossed = L.HashedCrossing(5, output_mode="one_hot")((job, town))
    x = L.Concatenate(axis=1)(tokens)
    x = L.LayerNormalization()(x + L.MultiHeadAttention(2, 4)(x, x))
    coded = L.CategoryEncoding(6, output_mode="count")(L.Concatenate()([job, town]))
    x = L.Concatenate()([L.Flatten()(x), normal(numbers), bins(age), crossed, coded])
    return keras.Model([numbers, age, job, town], L.Dense(2, "softmax")(L.Dense(8, "selu")(L.AlphaDropout(0.1)(x))))


class Forest(L.Layer):
    """Soft decision trees of depth 3, an ensemble with chosen features."""

    def __init__(self, depth=3, trees=2):
        super().__init__()
        self.depth, self.trees = depth, trees
        self.decisions = [L.Dense(2**depth, "sigmoid") for _ in range(trees)]

    def build(self, shape):
        generator = np.random.default_rng(1)
        self.used = [
            np.eye(shape[-1], dtype="float32")[generator.permutation(shape[-1])[:3]] for _ in range(self.trees)
        ]
        self.leaves = [
            self.add_weight((2**self.depth, 3), "random_normal", name=f"leaves_{n}") for n in range(self.trees)
        ]
        for decision in self.decisions:
            decision.build((None, 3))

    def call(self, x):
        results = []
        for used, decision, leaves in zip(self.used, self.decisions, self.leaves, strict=True):
            d = ops.expand_dims(decision(ops.matmul(x, ops.transpose(used))), 2)
            d = ops.concatenate([d, 1 - d], 2)
            mu, begin, end = ops.ones((ops.shape(x)[0], 1, 1)), 1, 2
            for level in range(self.depth):
                mu = ops.tile(ops.reshape(mu, (-1, 2**level, 1)), (1, 1, 2)) * d[:, begin:end]
                begin, end = end, end + 2 ** (level + 1)
            results.append(ops.matmul(ops.reshape(mu, (-1, 2**self.depth)), ops.softmax(leaves)))
        return ops.mean(ops.stack(results), 0)


def quantized_text(mode):
    """A classifier of text: int4 or int8 weights after low-rank changes, attention of grouped heads."""

    def make():
        words = keras.Input((None,), dtype="int32")
        x = L.Embedding(40, 16, name="words")(words)
        y = L.Dense(16, "silu", name="mix")(L.LayerNormalization()(x))
        x = x + L.GroupQueryAttention(4, 4, 2)(y, y)
        x = L.GlobalAveragePooling1D()(L.EinsumDense("abc,cd->abd", (None, 12), bias_axes="d", activation="relu")(x))
        model = keras.Model(words, L.Dense(5)(x))
        layer = model.get_layer("mix")
        layer.enable_lora(2)
        layer.lora_kernel_b.assign(np.random.default_rng(0).normal(size=layer.lora_kernel_b.shape))
        model.quantize(mode)
        return model

    return make


class Act(L.Layer):
    """Steps until all samples have halted, at most 6: a while loop with a condition of the batch and a branch."""

    def build(self, shape):
        self.step, self.halt = L.Dense(shape[-1], "tanh"), L.Dense(1, "sigmoid")
        self.step.build(shape), self.halt.build(shape)

    def call(self, x):
        def again(n, x, total, used):
            return ops.logical_and(n < 6, ops.any(total < 0.99))

        def body(n, x, total, used):
            new = self.step(x)
            p = self.halt(new)[:, 0]
            going = total < 0.99
            x = ops.where(going[:, None], new, x)
            return n + 1, x, ops.where(going, total + p, total), used + ops.cast(going, "int32")

        zero = ops.zeros_like(x[:, 0])
        n, x, total, used = ops.while_loop(again, body, (0, x, zero, ops.cast(zero, "int32")))
        x = ops.cond(n > 1, lambda: x * 2.0, lambda: x)
        return x, total, used


def matcher():
    """Pairs of descriptors: optimal transport by Sinkhorn's loop in the log domain, matches of both sides."""

    def sinkhorn(a, b):
        scores = ops.einsum("bnd,bmd->bnm", a, b)
        scores = ops.pad(scores, [(0, 0), (0, 1), (0, 1)], constant_values=0.3)
        u = ops.zeros_like(scores[:, :, 0])
        v = ops.zeros_like(scores[:, 0])

        def step(n, state):
            u, v = state
            u = -ops.logsumexp(scores + v[:, None], axis=2)
            return u, -ops.logsumexp(scores + u[:, :, None], axis=1)

        u, v = ops.fori_loop(0, 8, step, (u, v))
        z = scores + u[:, :, None] + v[:, None]
        best, back = ops.argmax(z[:, :-1, :-1], 2), ops.argmax(z[:, :-1, :-1], 1)
        mutual = ops.take_along_axis(back, best, axis=1) == ops.arange(ops.shape(a)[1])
        return ops.exp(z), ops.where(mutual, best, -1)

    a, b = keras.Input((5, 4), name="a"), keras.Input((None, 4), name="b")
    norm = L.UnitNormalization()
    return keras.Model([a, b], list(Own(sinkhorn)(norm(a), norm(b))))


MODELS = {
    "swin": swin, "retina": retina, "NeRF": nerf, "HSTU": hstu, "messages of molecules": mpnn, "TabTransformer": tab_transformer,
    "decision forest": lambda: stack((6,), L.BatchNormalization(), Forest()), "text, int4 of LoRA": quantized_text("int4"), "text, float8": quantized_text("float8"),
    "adaptive steps": lambda: graph([(4,)], lambda x: list(Act()(x))), "Sinkhorn, open": matcher,
}  # fmt: skip
