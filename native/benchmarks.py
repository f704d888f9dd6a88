"""How fast each kernel is, beside XLA's own and the machine's matrix product: `python benchmarks.py [words of names]`.

Times are the best of three runs of as many calls as fit a twentieth of a second, in microseconds; GFLOP/s count the
multiplications and additions of the mathematics, not those of the method.
"""

import functools
import math
import sys
import time

import jax
import jax.numpy as jnp
import lamina_native as native
import numpy as np

# (batch, space, channels, filters, window, stride, groups)
CONVOLUTIONS = {
    "3x3, 1 to 32, 28x28": (32, (28, 28), 1, 32, 3, 1, 1),
    "3x3, 3 to 32, 56x56": (32, (56, 56), 3, 32, 3, 1, 1),
    "3x3/2, 3 to 32, 150x150": (20, (150, 150), 3, 32, 3, 2, 1),
    "3x3, 32 to 32, 28x28": (32, (28, 28), 32, 32, 3, 1, 1),
    "3x3, 32 to 64, 28x28": (32, (28, 28), 32, 64, 3, 1, 1),
    "3x3, 64 to 64, 56x56": (16, (56, 56), 64, 64, 3, 1, 1),
    "3x3, 128 to 128, 28x28": (16, (28, 28), 128, 128, 3, 1, 1),
    "3x3, 32 to 32, 150x150": (4, (150, 150), 32, 32, 3, 1, 1),
    "1x1, 64 to 128, 28x28": (32, (28, 28), 64, 128, 1, 1, 1),
    "depthwise 3x3, 64, 28x28": (8, (28, 28), 64, 64, 3, 1, 64),
    "1-D, 5, 32 to 64, 100": (32, (100,), 32, 64, 5, 1, 1),
    "3-D 3x3x3, 16 to 32, 16": (4, (16, 16, 16), 16, 32, 3, 1, 1),
}

# (batch, space, channels, window, stride)
POOLS = {
    "2x2/2, 32, 28x28": (128, (28, 28), 32, 2, 2),
    "3x3/2, 64, 56x56": (16, (56, 56), 64, 3, 2),
    "3x3/1, 64, 28x28": (16, (28, 28), 64, 3, 1),
}

PRODUCTS = {"32x784 @ 784x128": (32, 784, 128), "1024x1024 @ 1024x1024": (1024, 1024, 1024)}

# (batch, steps, heads, size of a head)
ATTENTIONS = {
    "4 heads of 16, 64 steps, batch 32": (32, 64, 4, 16),
    "8 heads of 64, 256 steps, batch 4": (4, 256, 8, 64),
}

# (steps, batch, units)
LOOPS = {"50 steps, batch 32, 64 units": (50, 32, 64), "100 steps, batch 32, 128 units": (100, 32, 128)}


def main(words):
    generator = np.random.default_rng(0)

    def array(*shape, dtype=jnp.float32):
        return jnp.asarray(generator.normal(size=shape), dtype)

    print(f"{native.threads()} threads, lamina-native {native.__version__}, jax {jax.__version__}")
    square = array(2048, 2048)
    peak = 2 * 2048**3 / seconds(jax.jit(jnp.matmul), square, square) / 1e9
    print(f"matrix product of 2048 rows and columns: {peak:.0f} GFLOP/s\n")
    print(f"{'':50} {'ours':>9} {'XLA':>9} {'times':>6} {'GFLOP/s':>8} {'of peak':>8}")
    cases = (case for family in (convolutions, pools, products, attentions, loops) for case in family(array))
    for name, operations, ours, theirs, arrays in cases:
        if all(word in name for word in words):
            mine, others = (seconds(jax.jit(function), *arrays) for function in (ours, theirs))
            rate = f"{operations / mine / 1e9:8.0f} {operations / mine / 1e9 / peak:8.0%}" if operations else ""
            print(f"{name:50} {mine * 1e6:9.0f} {others * 1e6:9.0f} {others / mine:6.1f} {rate}", flush=True)


def seconds(function, *arrays):
    """The time of a call, the best of three runs."""

    def run(calls):
        start = time.perf_counter()
        for _ in range(calls):
            result = function(*arrays)
        jax.block_until_ready(result)
        return (time.perf_counter() - start) / calls

    run(1)  # compiles
    once = run(1)
    return min(once, *(run(max(1, min(100, int(0.05 / once)))) for _ in range(3 if once < 0.1 else 1)))


def gradient(function, argument, x, w, dy):
    """XLA's gradient of function(x, w) with respect to the argument of that number."""
    return jax.vjp(function, x, w)[1](dy)[argument]


def convolutions(array):
    for name, (batch, space, channels, filters, width, stride, groups) in CONVOLUTIONS.items():
        window, strides = (width,) * len(space), (stride,) * len(space)
        padding = tuple(jax.lax.padtype_to_pads(space, window, strides, "SAME"))
        settings = dict(strides=strides, padding=padding, dilation=(1,) * len(space), groups=groups)
        axes = "DHW"[3 - len(space) :]
        plain = functools.partial(
            jax.lax.conv_general_dilated,
            window_strides=strides,
            padding=padding,
            feature_group_count=groups,
            dimension_numbers=(f"N{axes}C", f"{axes}IO", f"N{axes}C"),
        )
        shapes = (batch, *space, channels), (*window, channels // groups, filters)
        for dtype in (jnp.float32, jnp.bfloat16) if name == "3x3, 32 to 64, 28x28" else (jnp.float32,):
            x, w = (array(*shape, dtype=dtype) for shape in shapes)
            dy = array(*jax.eval_shape(plain, x, w).shape, dtype=dtype)
            yield from convolution(f"{name}{'' if dtype == jnp.float32 else ', bfloat16'}", plain, settings, x, w, dy)


def convolution(name, plain, settings, x, w, dy):
    operations = 2 * dy.size * w.size // w.shape[-1]
    kinds = {
        "forward": (lambda x, w, dy: native.convolve(x, w, **settings), lambda x, w, dy: plain(x, w)),
        "input gradient": (
            lambda x, w, dy: native.convolve_input_gradient(dy, w, x.shape, **settings),
            functools.partial(gradient, plain, 0),
        ),
        "kernel gradient": (
            lambda x, w, dy: native.convolve_kernel_gradient(x, dy, w.shape, **settings),
            functools.partial(gradient, plain, 1),
        ),
    }
    for kind, (ours, theirs) in kinds.items():
        yield f"convolution {name}: {kind}", operations, ours, theirs, (x, w, dy)


def max_and_gradient(x, dy, **settings):
    return native.max_pool_gradient(native.max_pool(x, **settings)[1], dy, x.shape, **settings)


def pools(array):
    for name, (batch, space, channels, width, stride) in POOLS.items():
        window, strides = (width,) * len(space), (stride,) * len(space)
        padding = tuple(jax.lax.padtype_to_pads(space, window, strides, "SAME"))
        settings = dict(window=window, strides=strides, padding=padding)
        shape = (1, *window, 1), (1, *strides, 1), ((0, 0), *padding, (0, 0))
        largest, mean = (functools.partial(function, shape=shape) for function in (xla_max, xla_mean))
        x = array(batch, *space, channels)
        dy = array(*jax.eval_shape(largest, x).shape)
        for kind, ours, theirs in (
            ("max", lambda x, dy, s=settings: native.max_pool(x, **s)[0], lambda x, dy, f=largest: f(x)),
            ("max and gradient", lambda x, dy, s=settings: max_and_gradient(x, dy, **s), pulled(largest)),
            ("mean", lambda x, dy, s=settings: native.average_pool(x, **s), lambda x, dy, f=mean: f(x)),
            ("mean gradient", lambda x, dy, s=settings: native.average_pool_gradient(dy, x.shape, **s), pulled(mean)),
        ):
            yield f"pooling {name}: {kind}", None, ours, theirs, (x, dy)


def xla_max(x, shape):
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, *shape)


def xla_mean(x, shape):
    sums, counts = (jax.lax.reduce_window(array, 0.0, jax.lax.add, *shape) for array in (x, jnp.ones_like(x[:1])))
    return sums / counts


def pulled(function):
    return lambda x, dy: jax.vjp(function, x)[1](dy)[0]


def products(array):
    for name, (rows, inner, columns) in PRODUCTS.items():
        for dtype in (jnp.float32, jnp.bfloat16):
            x, w, bias = (array(*shape, dtype=dtype) for shape in ((rows, inner), (inner, columns), (columns,)))
            operations, kind = 2 * rows * inner * columns, jnp.dtype(dtype).name
            yield f"product {name}: bias, relu, {kind}", operations, dense, xla_dense, (x, w, bias)
        transposed = functools.partial(native.matmul, transpose_x=True)
        arrays = array(rows, inner), array(rows, columns)
        yield f"product {name}: kernel gradient", operations, transposed, lambda x, dy: x.T @ dy, arrays


def dense(x, w, bias):
    return native.matmul(x, w, bias=bias, activation="relu")


def xla_dense(x, w, bias):
    return jax.nn.relu(x @ w + bias)


def attentions(array):
    def formula(q, k, v):
        weights = jax.nn.softmax(jnp.einsum("btnh,bsnh->bnts", q, k) / math.sqrt(q.shape[-1]), -1)
        return jnp.einsum("bnts,bsnh->btnh", weights, v)

    def ours(q, k, v):
        return native.attention(q, k, v, scale=1 / math.sqrt(q.shape[-1]))

    def ours_both(q, k, v, dy):
        y, saved = ours(q, k, v)
        return native.attention_gradient(q, k, v, y, saved, dy, scale=1 / math.sqrt(q.shape[-1]))

    def theirs_both(q, k, v, dy):
        return jax.vjp(formula, q, k, v)[1](dy)

    for name, (batch, steps, heads, size) in ATTENTIONS.items():
        arrays = [array(batch, steps, heads, size) for _ in range(4)]
        operations = 4 * batch * heads * steps * steps * size
        yield f"attention {name}: forward", operations, ours, formula, arrays[:3]
        yield f"attention {name}: forward and gradient", 3 * operations, ours_both, theirs_both, arrays


def lstm_scan(projected, kernel, h0, c0):
    def step(states, projected):
        i, f, c, o = jnp.split(projected + states[0] @ kernel, 4, -1)
        carry = jax.nn.sigmoid(f) * states[1] + jax.nn.sigmoid(i) * jnp.tanh(c)
        hidden = jax.nn.sigmoid(o) * jnp.tanh(carry)
        return (hidden, carry), hidden

    return jax.lax.scan(step, (h0, c0), projected)[1]


def gru_scan(projected, kernel, h0):
    def step(hidden, projected):
        (pz, pr, ph), (sz, sr, sh) = jnp.split(projected, 3, -1), jnp.split(hidden @ kernel, 3, -1)
        z, r = jax.nn.sigmoid(pz + sz), jax.nn.sigmoid(pr + sr)
        hidden = z * hidden + (1 - z) * jnp.tanh(ph + r * sh)
        return hidden, hidden

    return jax.lax.scan(step, h0, projected)[1]


def loops(array):
    def lstm_train(projected, kernel, h0, c0, dy):
        *_, saved = native.lstm(projected, kernel, None, h0, c0, save=True)
        return native.lstm_gradient(kernel, None, h0, c0, saved, dy, jnp.zeros_like(h0), jnp.zeros_like(c0))[:2]

    def gru_train(projected, kernel, h0, dy):
        *_, saved = native.gru(projected, kernel, None, h0, save=True)
        return native.gru_gradient(kernel, None, h0, saved, dy, jnp.zeros_like(h0))[:2]

    def train(scan):
        return lambda *arguments: jax.vjp(scan, *arguments[:-1])[1](arguments[-1])[:2]

    for name, (steps, batch, units) in LOOPS.items():
        for kind, gates, states, scan, run, both in (
            ("LSTM", 4, 2, lstm_scan, lambda p, k, h, c, dy: native.lstm(p, k, None, h, c)[0], lstm_train),
            ("GRU", 3, 1, gru_scan, lambda p, k, h, dy: native.gru(p, k, None, h)[0], gru_train),
        ):
            projected, kernel = array(steps, batch, gates * units), array(units, gates * units) / math.sqrt(units)
            arrays = (projected, kernel, *[array(batch, units)] * states, array(steps, batch, units))
            operations = 2 * projected.size * units
            yield f"{kind} {name}: forward", operations, run, lambda *a, scan=scan: scan(*a[:-1]), arrays
            yield f"{kind} {name}: forward and gradient", 3 * operations, both, train(scan), arrays


if __name__ == "__main__":
    main(sys.argv[1:])
