"""Steps of Flax NNX and Equinox models before and after `lamina_native.install()`: `python peers.py [rounds]`.

Needs flax and equinox. A step is the loss, its gradients and SGD, compiled. Both ways are compiled first; then they
take turns, so that other load meets both alike. Printed are medians of the wall time and of the processor time of a
step, and the ratio of the wall times with the lowest and the highest of the rounds.
"""

import statistics
import sys
import time

import equinox as eqx
import jax
import jax.numpy as jnp
import lamina_native
import numpy as np
from flax import nnx

CALLS = 3  # steps of a turn


# Networks of Flax NNX, channels last


class Small(nnx.Module):
    """Two convolutions and two pools of 28x28 digits."""

    shape = (64, 28, 28, 1)

    def __init__(self, rngs):
        self.first = nnx.Conv(1, 32, (3, 3), rngs=rngs)
        self.second = nnx.Conv(32, 64, (3, 3), rngs=rngs)
        self.dense = nnx.Linear(7 * 7 * 64, 10, rngs=rngs)

    def __call__(self, x):
        for layer in (self.first, self.second):
            x = nnx.max_pool(nnx.relu(layer(x)), (2, 2), (2, 2))
        return self.dense(x.reshape(x.shape[0], -1))


class Autoencoder(nnx.Module):
    """Convolutions of two strides, and transposed ones back."""

    shape = (32, 32, 32, 3)

    def __init__(self, rngs):
        self.down = nnx.List([nnx.Conv(a, b, (3, 3), strides=2, rngs=rngs) for a, b in ((3, 32), (32, 64))])
        self.up = nnx.List([nnx.ConvTranspose(a, b, (3, 3), strides=2, rngs=rngs) for a, b in ((64, 32), (32, 3))])

    def __call__(self, x):
        for layer in (*self.down, self.up[0]):
            x = nnx.relu(layer(x))
        return self.up[1](x)


class Separable(nnx.Module):
    """Blocks of depthwise and pointwise convolutions, as in MobileNet."""

    shape = (16, 56, 56, 32)

    def __init__(self, rngs):
        sizes = ((32, 64), (64, 128))
        self.depthwise = nnx.List([nnx.Conv(a, a, (3, 3), feature_group_count=a, rngs=rngs) for a, _ in sizes])
        self.pointwise = nnx.List([nnx.Conv(a, b, (1, 1), rngs=rngs) for a, b in sizes])

    def __call__(self, x):
        for depthwise, pointwise in zip(self.depthwise, self.pointwise, strict=True):
            x = nnx.relu(pointwise(nnx.relu(depthwise(x))))
        return x.mean((1, 2))


class Attention(nnx.Module):
    """One block of attention, 256 places."""

    shape = (8, 256, 128)

    def __init__(self, rngs):
        self.attention = nnx.MultiHeadAttention(8, 128, decode=False, rngs=rngs)

    def __call__(self, x):
        return x + self.attention(x)


# Networks of Equinox, one sample, channels first


class Digits(eqx.Module):
    """Two convolutions and two pools of 28x28 digits."""

    layers: list
    shape = (64, 1, 28, 28)

    def __init__(self, key):
        keys = jax.random.split(key, 3)
        self.layers = [
            eqx.nn.Conv2d(1, 32, 3, padding=1, key=keys[0]),
            eqx.nn.MaxPool2d(2, 2),
            eqx.nn.Conv2d(32, 64, 3, padding=1, key=keys[1]),
            eqx.nn.MaxPool2d(2, 2),
            eqx.nn.Linear(7 * 7 * 64, 10, key=keys[2]),
        ]

    def __call__(self, x):
        for layer in self.layers[:-1]:
            x = jax.nn.relu(layer(x))
        return self.layers[-1](x.ravel())


class Residual(eqx.Module):
    """Blocks of two 3x3 convolutions of 64 channels, as in ResNet."""

    layers: list
    shape = (8, 64, 28, 28)

    def __init__(self, key):
        self.layers = [eqx.nn.Conv2d(64, 64, 3, padding=1, key=one) for one in jax.random.split(key, 4)]

    def __call__(self, x):
        for first, second in (self.layers[:2], self.layers[2:]):
            x = jax.nn.relu(x + second(jax.nn.relu(first(x))))
        return x.mean((1, 2))


class Upward(eqx.Module):
    """Transposed convolutions, as in the generator of a DCGAN."""

    layers: list
    shape = (16, 64, 7, 7)

    def __init__(self, key):
        sizes = (64, 32, 16)
        keys = jax.random.split(key, 2)
        self.layers = [
            eqx.nn.ConvTranspose2d(a, b, 4, stride=2, padding=1, key=one)
            for a, b, one in zip(sizes[:-1], sizes[1:], keys, strict=True)
        ]

    def __call__(self, x):
        for layer in self.layers:
            x = jax.nn.relu(layer(x))
        return x


def nnx_step(kind):
    """(a step of parameters and x, parameters)."""
    graph, parameters = nnx.split(kind(nnx.Rngs(0)))

    def loss(parameters, x):
        return (nnx.merge(graph, parameters)(x) ** 2).mean()

    return descent(loss), parameters


def equinox_step(kind):
    parameters, static = eqx.partition(kind(jax.random.key(0)), eqx.is_inexact_array)

    def loss(parameters, x):
        return (jax.vmap(eqx.combine(parameters, static))(x) ** 2).mean()

    return descent(loss), parameters


def descent(loss):
    def step(parameters, x):
        gradients = jax.grad(loss)(parameters, x)
        return jax.tree.map(lambda value, gradient: value - 0.01 * gradient, parameters, gradients)

    return step


def compiled(step, parameters, x):
    return jax.jit(step).lower(parameters, x).compile()


def turn(program, parameters, x):
    """(wall time, processor time) of a step in milliseconds."""
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(CALLS):
        jax.block_until_ready(program(parameters, x))
    return [
        (one - start) * 1e3 / CALLS for one, start in ((time.perf_counter(), wall), (time.process_time(), processor))
    ]


def main(rounds):
    print(
        f"jax {jax.__version__}, lamina-native {lamina_native.__version__}, {lamina_native.threads()} threads, "
        f"{rounds} rounds"
    )
    print(f"{'':28} {'wall ms':>17} {'processor ms':>17}   ratio of wall (lowest to highest), of processor")
    families = ((nnx_step, (Small, Autoencoder, Separable, Attention)), (equinox_step, (Digits, Residual, Upward)))
    for make, kinds in families:
        for kind in kinds:
            step, parameters = make(kind)
            x = jnp.asarray(np.random.default_rng(0).normal(size=kind.shape), jnp.float32)
            before = compiled(step, parameters, x)
            with lamina_native.installed():
                after = compiled(step, parameters, x)
            difference(before, after, parameters, x)
            times = [[turn(program, parameters, x) for program in (before, after)] for _ in range(rounds + 1)][1:]
            report(f"{'NNX' if make is nnx_step else 'Equinox'} {kind.__name__}", times)


def difference(before, after, *arguments):
    """Both have to take the same step."""
    steps = [jax.tree.leaves(program(*arguments)) for program in (before, after)]
    largest = max(float(jnp.abs(array).max()) for array in steps[0])
    for one, other in zip(*steps, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-4 * largest)


def report(name, times):
    medians = [[statistics.median(pair[way][kind] for pair in times) for way in (0, 1)] for kind in (0, 1)]
    walls, processors = ([pair[1][kind] / pair[0][kind] for pair in times] for kind in (0, 1))
    columns = " ".join(f"{before:8.2f} {after:8.2f}" for before, after in medians)
    ratios = (
        f"{statistics.median(walls):.2f} ({min(walls):.2f} to {max(walls):.2f}), {statistics.median(processors):.2f}"
    )
    print(f"{name:28} {columns}   {ratios}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
