"""Gradients of inputs of few channels: `python benchmarks/few_channels.py [rounds]`.

The table behind FILTERS_PER_CHANNEL of lamina/kernels/convolution_cpu.py: medians of processor time in milliseconds,
lamina's programs for XLA and lamina-native taking turns. The kernels of oneDNN compute sixteen channels where there are
fewer, so that filters per channel decide.
"""

from __future__ import annotations

import statistics
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

from lamina.kernels import convolution, convolution_cpu
from lamina.kernels.convolution_windows import Window


def main(rounds: int = 15) -> None:
    generator = np.random.default_rng(0)
    print("batch 64, 16 x 16, 3 x 3; channels, filters: for XLA, lamina-native, ratio")
    window = Window((1, 1), ((1, 1), (1, 1)), (1, 1))
    for channels in (1, 2, 3, 4):
        shape = 64, 16, 16, channels
        for filters in (2, 4, 8, 12, 16, 32):
            dy = jnp.asarray(generator.normal(size=(64, 16, 16, filters)), jnp.float32)
            kernel = jnp.asarray(generator.normal(size=(3, 3, channels, filters)), jnp.float32)
            programs = []
            for convolution_cpu.FILTERS_PER_CHANNEL in (0, 99):  # never lamina-native, always
                call = jax.jit(lambda dy, kernel, s=shape: convolution.input_gradient(dy, kernel, window, s))
                programs.append(call.lower(dy, kernel).compile())
                jax.clear_caches()
            results = [program(dy, kernel) for program in programs]
            np.testing.assert_allclose(*results, rtol=0, atol=1e-3)
            times = [[turn(program, dy, kernel) for program in programs] for _ in range(rounds)]
            one, other = (statistics.median(column) for column in zip(*times, strict=True))
            print(f"{channels} {filters:3}: {one:6.3f} {other:6.3f} {other / one:5.2f}", flush=True)


def turn(program, *arrays) -> float:
    start = time.process_time()
    for _ in range(5):
        jax.block_until_ready(program(*arrays))
    return (time.process_time() - start) * 1e3 / 5


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
