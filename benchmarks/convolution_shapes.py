"""Forty layers of shapes drawn at random from what published models use, in lamina with and without lamina-native,
beside Keras on JAX: `python benchmarks/convolution_shapes.py [seed] [count] [rounds]`.

Few channels and small maps, one axis, transposed, depthwise, and attention blocks. What is timed is one compiled call
that computes the outputs and the gradients of the weights and the inputs. All three are compiled first and take turns,
so that other load meets them alike; printed are the medians of wall times, and the ratio of lamina to Keras, of wall
and of processor time. Lines above 0.65 end with an asterisk.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"

import jax
import jax.numpy as jnp
import keras
import numpy as np

import lamina

WANTED = 0.65
CALLS = 3  # calls of a turn


def few_channels(rng: random.Random) -> tuple[str, dict[str, Any], tuple[int, ...]]:
    size = rng.choice((8, 14, 16, 28, 32))
    settings = dict(filters=rng.choice((1, 4, 8, 16, 32)), kernel_size=rng.choice((3, 3, 3, 5)), padding="same")
    settings["strides"] = rng.choice((1, 1, 2))
    return "Conv2D", settings, (rng.choice((16, 32, 64, 128)), size, size, rng.choice((1, 3, 8, 16, 32)))


def one_axis(rng: random.Random) -> tuple[str, dict[str, Any], tuple[int, ...]]:
    settings = dict(filters=rng.choice((16, 32, 64, 128)), kernel_size=rng.choice((2, 3, 5, 7, 9)), padding="causal")
    settings["dilation_rate"] = rng.choice((1, 1, 1, 2, 4))
    return "Conv1D", settings, (rng.choice((16, 32, 64)), rng.choice((50, 100, 187, 256)), rng.choice((1, 6, 16, 64)))


def transposed(rng: random.Random) -> tuple[str, dict[str, Any], tuple[int, ...]]:
    size = rng.choice((4, 7, 8, 14, 16))
    settings = dict(filters=rng.choice((1, 3, 16, 32, 64)), kernel_size=rng.choice((2, 3, 4, 5)), strides=2)
    shape = (rng.choice((16, 32, 64)), size, size, rng.choice((16, 32, 64, 128)))
    return "Conv2DTranspose", settings | dict(padding="same"), shape


def depthwise(rng: random.Random) -> tuple[str, dict[str, Any], tuple[int, ...]]:
    size = rng.choice((7, 14, 28, 56))
    settings = dict(kernel_size=rng.choice((3, 3, 5)), strides=rng.choice((1, 1, 2)), padding="same")
    return "DepthwiseConv2D", settings, (rng.choice((8, 16)), size, size, rng.choice((16, 32, 96, 144)))


def attention(rng: random.Random) -> tuple[str, dict[str, Any], tuple[int, ...]]:
    heads, size = rng.choice(((2, 16), (4, 16), (4, 32), (8, 64)))
    settings = dict(num_heads=heads, key_dim=size)
    return "MultiHeadAttention", settings, (rng.choice((8, 16, 32)), rng.choice((16, 64, 128)), heads * size)


FAMILIES = (few_channels, few_channels, one_axis, transposed, depthwise, attention)


def drawn(seed: int, count: int) -> Iterator[tuple[str, dict[str, Any], tuple[int, ...]]]:
    rng = random.Random(seed)
    for number in range(count):
        yield FAMILIES[number % len(FAMILIES)](rng)


def compiled(library: Any, name: str, settings: dict[str, Any], values: list[Any], x: jax.Array) -> Callable[[], Any]:
    """A call of the layer with those values, or with its first ones, which are added to the list if it is empty."""
    layer = getattr(library.layers, name)(**settings)
    inputs = (x, x) if name == "MultiHeadAttention" else (x,)
    layer.build(*(array.shape for array in inputs))
    if not values:
        values.extend(np.asarray(variable) for variable in layer.trainable_variables)
    first = [jnp.asarray(value) for value in values]

    def loss(weights, x):
        inputs = (x, x) if name == "MultiHeadAttention" else (x,)
        outputs, _ = layer.stateless_call(weights, [], *inputs)
        return (outputs**2).mean()

    program = jax.jit(jax.value_and_grad(loss, (0, 1))).lower(first, x).compile()
    return lambda: jax.block_until_ready(program(first, x))


def turn(call: Callable[[], Any]) -> tuple[float, float]:
    """(wall time, processor time) of a call in milliseconds."""
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - wall) * 1e3 / CALLS, (time.process_time() - processor) * 1e3 / CALLS


def measured(name: str, settings: dict[str, Any], shape: tuple[int, ...], rounds: int) -> list[tuple[float, float]]:
    """The medians of (wall, processor) for lamina with lamina-native, without, and Keras."""
    x = jnp.asarray(np.random.default_rng(0).normal(size=shape), jnp.float32)
    calls, values = [], []
    for library, native in ((lamina, True), (lamina, False), (keras, False)):
        lamina.config.set_native(native)
        calls.append(compiled(library, name, settings, values, x))
    losses = [float(call()[0]) for call in calls]
    np.testing.assert_allclose(losses, losses[0], rtol=1e-3)
    turns = [[turn(call) for call in calls] for _ in range(rounds)]
    return [(statistics.median(r[i][0] for r in turns), statistics.median(r[i][1] for r in turns)) for i in range(3)]


def main(seed: int = 0, count: int = 40, rounds: int = 7) -> None:
    print(f"seed {seed}, {rounds} rounds; native: {lamina.config.is_native()}")
    print(f"{'':64} {'native':>8} {'plain':>8} {'Keras':>8}   native/Keras   plain/Keras (wall, processor)")
    ratios: list[list[float]] = [[], []]
    for name, settings, shape in drawn(seed, count):
        times = measured(name, settings, shape, rounds)
        words = f"{name} {shape} " + " ".join(str(value) for value in settings.values())
        pairs = [[times[way][kind] / max(times[2][kind], 1e-9) for kind in (0, 1)] for way in (0, 1)]
        for kept, pair in zip(ratios, pairs, strict=True):
            kept.append(pair[0])
        mark = " *" if min(pairs[0][0], pairs[1][0]) > WANTED else ""
        columns = " ".join(f"{wall:8.2f}" for wall, _ in times) + "   "
        print(f"{words:64} {columns}{'   '.join(f'{a:5.2f} {b:5.2f}' for a, b in pairs)}{mark}", flush=True)
    for name, kept in zip(("with", "without"), ratios, strict=True):
        print(f"{name} lamina-native: {statistics.geometric_mean(kept):.2f} of Keras on JAX, worst {max(kept):.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
