"""First training step of a stack of decoder blocks: seconds of processor time to build and to compile it.

    python benchmarks/deep_models.py                 40 and 100 blocks, each way in a process of its own
    python benchmarks/deep_models.py repeat 40       one of them: repeat, blocks (lamina), keras, nnx_scan, nnx_blocks

Each block has attention with four heads and two Dense layers, 64 wide; a batch has 4 sequences of 16 positions.
"""

import os
import subprocess
import sys
import time
from typing import Any

WAYS = ("repeat", "blocks", "keras", "nnx_scan", "nnx_blocks")
WIDTH, HEADS, TIME, BATCH = 64, 4, 16, 4


def keras_model(keras, n, repeats):
    """A model of n blocks in the Keras API."""
    layers = keras.layers

    def block():
        inputs = keras.Input((TIME, WIDTH))
        x = layers.LayerNormalization()(inputs)
        x = inputs + layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(x, x, use_causal_mask=True)
        y = layers.Dense(4 * WIDTH, activation="gelu")(layers.LayerNormalization()(x))
        return keras.Model(inputs, x + layers.Dense(WIDTH)(y))

    inputs = outputs = keras.Input((TIME, WIDTH))
    if repeats:
        outputs = layers.Repeat(block(), n)(outputs)
    else:
        for _ in range(n):
            outputs = block()(outputs)
    model = keras.Model(inputs, outputs)
    model.compile("adam", "mse")
    return model


def nnx_step(n, scans):
    """A function that makes n blocks of Flax NNX and runs a training step."""
    import jax
    import jax.numpy as jnp
    import optax
    from flax import nnx

    class Block(nnx.Module):
        def __init__(self, rngs):
            self.one, self.two = nnx.LayerNorm(WIDTH, rngs=rngs), nnx.LayerNorm(WIDTH, rngs=rngs)
            self.attention = nnx.MultiHeadAttention(HEADS, WIDTH, WIDTH, decode=False, rngs=rngs)
            self.up, self.down = nnx.Linear(WIDTH, 4 * WIDTH, rngs=rngs), nnx.Linear(4 * WIDTH, WIDTH, rngs=rngs)

        def __call__(self, x):
            x = x + self.attention(self.one(x), mask=nnx.make_causal_mask(jnp.ones(x.shape[:2])))
            return x + self.down(jax.nn.gelu(self.up(self.two(x))))

    class Stack(nnx.Module):
        def __init__(self, rngs):
            if scans:
                make = nnx.vmap(lambda rngs: Block(rngs), in_axes=0, out_axes=0)
                self.blocks: Any = make(rngs.fork(split=n))
            else:
                self.blocks = nnx.List([Block(rngs) for _ in range(n)])

        def __call__(self, x):
            if scans:
                return nnx.scan(lambda x, block: block(x), in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)(x, self.blocks)
            for block in self.blocks:
                x = block(x)
            return x

    model = Stack(nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, optax.adam(1e-3), wrt=nnx.Param)

    @nnx.jit
    def step(model, optimizer, x):
        loss, gradients = nnx.value_and_grad(lambda model: jnp.mean((model(x) + x) ** 2))(model)
        optimizer.update(model, gradients)
        return loss

    return lambda x: float(step(model, optimizer, x))


def measure(way, n):
    """Print (way, n, seconds to build, seconds of the first step), of processor time."""
    import numpy as np

    keras: Any = None
    x = np.random.default_rng(0).normal(size=(BATCH, TIME, WIDTH)).astype("float32")
    if way == "keras":
        import keras
    elif not way.startswith("nnx"):
        import lamina as keras

        keras.config.set_compilation_cache(None)
    start = time.process_time()
    if way.startswith("nnx"):
        run = nnx_step(n, way == "nnx_scan")
    else:
        model = keras_model(keras, n, way == "repeat")
        run = lambda x: float(np.ravel(model.train_on_batch(x, -x))[0])  # noqa: E731
    built = time.process_time()
    loss = run(x)
    ended = time.process_time()
    assert np.isfinite(loss)
    print(f"{way:<12} {n:>4} blocks  built {built - start:7.2f} s  first step {ended - built:7.2f} s", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure(sys.argv[1], int(sys.argv[2]))
    else:
        environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
        for n in (40, 100):
            for way in WAYS:
                subprocess.run([sys.executable, __file__, way, str(n)], env=environment, check=False)
