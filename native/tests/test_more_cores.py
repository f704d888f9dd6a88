"""A pool of eight threads, however many processors there are: each kernel, beside itself on one thread."""

import os
import pathlib
import subprocess
import sys

import jax
import jax.numpy as jnp
import lamina_native as native
import numpy as np

THREADS = 8

# (batch, space, channels, filters, window, stride, groups): one sample, fewer than threads, more; oneDNN and loops of
# our own, which cut samples, rows, tiles and filters
CONVOLUTIONS = [
    (1, (37, 20), 17, 64, (3, 3), 1, 1),
    (3, (19, 18), 33, 48, (4, 4), 2, 1),
    (11, (28, 28), 1, 32, (3, 3), 1, 1),
    (5, (24, 24), 32, 32, (3, 3), 1, 1),
    (3, (30, 31), 64, 64, (3, 3), 1, 64),
    (9, (200,), 24, 40, (5,), 1, 1),
    (2, (7, 8, 9), 16, 32, (3, 3, 3), 1, 1),
    (1, (1000,), 32, 32, (5,), 1, 32),
]


def results():
    """The results of every kernel on arrays of much work, and what they are of."""
    generator = np.random.default_rng(0)

    def array(*shape):
        return jnp.asarray(generator.normal(size=shape), jnp.float32)

    for batch, space, channels, filters, window, stride, groups in CONVOLUTIONS:
        strides = (stride,) * len(space)
        padding = tuple(jax.lax.padtype_to_pads(space, window, strides, "SAME"))
        settings = dict(strides=strides, padding=padding, dilation=(1,) * len(space), groups=groups)
        x, kernel = array(batch, *space, channels), array(*window, channels // groups, filters)
        y = native.convolve(x, kernel, **settings)
        dx = native.convolve_input_gradient(y, kernel, x.shape, **settings)
        yield f"convolution {x.shape}", y, dx, native.convolve_kernel_gradient(x, y, kernel.shape, **settings)
    x = array(5, 40, 41, 33)
    pool = dict(window=(3, 3), strides=(2, 2), padding=((1, 1), (0, 1)))
    y, places = native.max_pool(x, **pool)
    yield "max pool", y, native.max_pool_gradient(places, y, x.shape, **pool)
    yield "average pool", native.average_pool(x, **pool), native.average_pool_gradient(y, x.shape, **pool)
    for rows, inner, columns in ((1000, 70, 130), (3, 3000, 500), (500, 2000, 3)):
        yield f"product {rows}x{inner}x{columns}", native.matmul(array(rows, inner), array(inner, columns))
    q, k, v = array(3, 70, 5, 16), array(3, 90, 5, 16), array(3, 90, 5, 16)
    y, saved = native.attention(q, k, v, scale=0.25)
    yield "attention", y, *native.attention_gradient(q, k, v, y, saved, y, scale=0.25)
    sums, kernel, h = array(20, 13, 4 * 32), array(32, 4 * 32) / 6, array(13, 32)
    *outputs, saved = native.lstm(sums, kernel, None, h, h, save=True)
    yield "LSTM", *outputs, *native.lstm_gradient(kernel, None, h, h, saved, array(20, 13, 32), h, h)[:2]
    numbers = jnp.asarray(generator.integers(0, 999, 3000), jnp.int32)
    yield "rows", native.add_rows(array(3000, 60), numbers, 999), native.sum_rows(array(9000, 70))
    yield "standardized", native.standardize(array(3000, 70), epsilon=1e-3)


def main():
    """Compares, in a process whose pool has eight threads."""
    native.set_threads(None)
    many = list(results())
    assert native.threads() == THREADS, native.threads()
    native.set_threads(1)
    for (name, *found), (_, *wanted) in zip(many, results(), strict=True):
        for one, other in zip(found, wanted, strict=True):
            one, other = (np.asarray(array) for array in (one, other))
            error = np.abs(one - other).max() / np.abs(other).max()
            assert error < 1e-5, f"{name}: {error}"
    print("equal")


def test_a_pool_of_eight_threads():
    variables = os.environ | {"NPROC": str(THREADS)}  # of which XLA sizes its pool
    run = subprocess.run(
        [sys.executable, pathlib.Path(__file__)],
        env=variables,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.stdout == "equal\n", run.stderr


if __name__ == "__main__":
    main()
