"""The cache of primitives and the threads."""

import concurrent.futures
import importlib.metadata
import os
import pathlib
import platform

import jax.numpy as jnp
import lamina_native as native
import numpy as np
import pytest
from lamina_native import library


def test_version_and_threads():
    assert native.__version__ == importlib.metadata.version("lamina-native")
    assert native.threads() == len(os.sched_getaffinity(0))


def test_unknown_processors_are_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(ImportError, match=r"\Aits kernels are for x86-64 processors, and this is aarch64\Z"):
        library._load()


def test_the_licences_of_what_is_inside_are_inside():
    licences = pathlib.Path(native.__file__).parent / "licenses" / "onednn"
    assert {path.name for path in licences.iterdir()} == {"LICENSE", "THIRD-PARTY-PROGRAMS"}
    names = {file.name for file in importlib.metadata.files("lamina-native")}
    assert {"LICENSE", "THIRD_PARTY.md", "GPL-3.0.txt", "GCC-exception-3.1.txt"} <= names


def test_as_many_threads_as_asked_for(arrays, close):
    before = native.threads()
    x, w = arrays(256, 64), arrays(64, 128)
    try:
        for count in (1, 3):
            native.set_threads(count)
            assert native.threads() == count
            close(native.matmul(x, w), x @ w)
    finally:
        native.set_threads(None)
    assert native.threads() == before
    with pytest.raises(ValueError, match="one thread or more"):
        native.set_threads(0)


def test_a_primitive_is_kept_and_the_cache_is_bounded(arrays, close):
    x, w, bias = arrays(300, 4), arrays(4, 4), arrays(4)  # with a bias: products alone are loops of our own
    native.matmul(x, w, bias=bias)
    made = native.plans_made()
    native.matmul(x, w, bias=bias)
    assert native.plans_made() == made
    for rows in range(1, native.plans_capacity() + 20):
        native.matmul(x[:rows], w, bias=bias).block_until_ready()
    assert native.plans() == native.plans_capacity()
    close(native.matmul(x, w, bias=bias), x @ w + bias)


def test_many_threads_at_once():
    def work(seed):
        generator = np.random.default_rng(seed)
        size = 16 + seed % 5
        x, kernel = generator.normal(size=(4, size, size, 16)), generator.normal(size=(3, 3, 16, 32))
        x, kernel = jnp.asarray(x, jnp.float32), jnp.asarray(kernel, jnp.float32)
        settings = dict(strides=(1, 1), padding=((1, 1), (1, 1)), dilation=(1, 1), groups=1)
        y = native.convolve(x, kernel, **settings)
        dkernel = native.convolve_kernel_gradient(x, y, kernel.shape, **settings)
        # The sum of y * y is linear in the kernel twice over, so the gradient's product with the kernel is that sum.
        return float(jnp.vdot(dkernel, kernel)), float(jnp.vdot(y, y))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for found, wanted in pool.map(work, range(40)):
            assert found == pytest.approx(wanted, rel=1e-4)
