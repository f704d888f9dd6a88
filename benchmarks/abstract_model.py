"""A decoder of 6.7 G parameters on 256 devices, before any memory is there for it: what a step takes and exchanges.

    JAX_NUM_CPU_DEVICES=256 python benchmarks/abstract_model.py

Prints the explanation of the compiled step, the seconds to build the model and to lower and compile its step, and the
largest memory of the process.
"""

import resource
import time

import lamina as keras

WIDTH, HEADS, HIDDEN, WORDS, TIME, BLOCKS = 4096, 32, 11008, 32000, 2048, 32
layers, ops = keras.layers, keras.ops


class Block(layers.Layer):
    """Attention and a gated pair of Dense layers, each behind RMSNormalization and beside the identity."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first, self.second = layers.RMSNormalization(), layers.RMSNormalization()
        self.attention = layers.MultiHeadAttention(HEADS, WIDTH // HEADS, use_bias=False)
        self.gate, self.up = layers.Dense(HIDDEN, use_bias=False), layers.Dense(HIDDEN, use_bias=False)
        self.down = layers.Dense(WIDTH, use_bias=False)

    def build(self, shape):
        for layer in (self.first, self.second, self.gate, self.up):
            layer.build(shape)
        self.attention.build(shape, shape)
        self.down.build((*shape[:-1], HIDDEN))

    def call(self, x):
        y = self.first(x)
        x = x + self.attention(y, y, use_causal_mask=True)
        y = self.second(x)
        return x + self.down(ops.silu(self.gate(y)) * self.up(y))

    def compute_output_shape(self, shape):
        return shape


def main():
    began = time.perf_counter()
    with keras.abstract():
        inputs = keras.Input((TIME,), dtype="int32")
        x = layers.Embedding(WORDS, WIDTH)(inputs)
        x = layers.RMSNormalization()(layers.Repeat(Block(), BLOCKS, rematerialize=True)(x))
        model = keras.Model(inputs, layers.Dense(WORDS, use_bias=False)(x))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.AdamW(1e-4), loss)
    built = time.perf_counter()
    mesh = keras.distribution.DeviceMesh((32, 8), ("batch", "model"))
    print(model.explain(distribution=keras.distribution.ModelParallel.fsdp(mesh), batch_size=256))
    told, memory = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{model.count_params() / 1e9:.1f} G parameters: built in {built - began:.1f} s, lowered and compiled in "
          f"{told - built:.1f} s, {memory / 2**20:.1f} GB of memory")  # fmt: skip


if __name__ == "__main__":
    main()
