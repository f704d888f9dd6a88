"""The arithmetic speed of the machine and the operations of a training step, so that the two can be compared."""

import importlib
import json
import math
import os
import platform
import sys
import time

from lamina_bench.workloads import WORKLOADS

__all__ = ["describe", "flops", "main", "matrix_product"]


def describe():
    """A description of the machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    system, python = platform.platform(), platform.python_version()
    return {"processor": _processor(), "cores": cores, "system": system, "python": python}


def _processor():
    if sys.platform == "linux":
        with open("/proc/cpuinfo", encoding="utf-8") as about:
            names = [line.split(":", 1)[1].strip() for line in about if line.startswith("model name")]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def matrix_product(size=2048, seconds=1.0):
    """GFLOP/s of a product of square float32 matrices: the fastest run within `seconds`."""
    jax = importlib.import_module("jax")
    matrix = jax.numpy.ones((size, size), "float32")
    product = jax.jit(lambda a: a @ a)
    product(matrix).block_until_ready()
    best, end = math.inf, time.perf_counter() + seconds
    while (begin := time.perf_counter()) < end:
        product(matrix).block_until_ready()
        best = min(best, time.perf_counter() - begin)
    return 2 * size**3 / best / 1e9


def flops(workload):
    """Floating point operations of one training step, counted in the jaxpr of the hand-written JAX step.

    Matrix products and convolutions count two operations per multiplication. Element-wise operations are not counted.
    """
    jax = importlib.import_module("jax")
    subject = importlib.import_module("lamina_bench.jax_subject").Subject("jax", workload)
    subject.build()
    x, y = (array[: workload.batch] for array in workload.data())
    chosen = jax.numpy.arange(workload.batch)
    return _count(jax.make_jaxpr(subject.step)(subject.state, x, y, chosen).jaxpr)


def _count(jaxpr):
    total = 0
    for equation in jaxpr.eqns:
        inner = sum(_count(part) for part in _inner(equation.params))
        total += inner * equation.params.get("length", 1) if equation.primitive.name == "scan" else inner
        total += _COUNTS.get(equation.primitive.name, lambda equation: 0)(equation)
    return total


def _inner(params):
    for value in params.values():
        for part in value if isinstance(value, (tuple, list)) else (value,):
            part = getattr(part, "jaxpr", part)
            if hasattr(part, "eqns"):
                yield part


def _product(equation):
    (contracted, _), _ = equation.params["dimension_numbers"]
    left = equation.invars[0].aval.shape
    return 2 * math.prod(equation.outvars[0].aval.shape) * math.prod(left[axis] for axis in contracted)


def _convolution(equation):
    kernel, spec = equation.invars[1].aval.shape, equation.params["dimension_numbers"].rhs_spec
    taps = math.prod(kernel[axis] for axis in spec[1:])  # input features times window size
    zeros = math.prod(equation.params["lhs_dilation"])  # zeros inserted between inputs need no arithmetic
    return 2 * math.prod(equation.outvars[0].aval.shape) * taps // zeros


_COUNTS = {"dot_general": _product, "conv_general_dilated": _convolution}


def main(names):
    """Print JSON: GFLOP/s of a matrix product, and the operations per training step of each workload."""
    counts = {name: flops(WORKLOADS[name]) for name in names}
    print(json.dumps({"matrix_gflops": matrix_product(), "flops": counts}))


if __name__ == "__main__":
    main(sys.argv[1:])
