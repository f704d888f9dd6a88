"""Find and load the compiled kernels, and register them with XLA under the names that `call` uses."""

import ctypes
import os
import pathlib
import platform

import jax
import jax.numpy as jnp
import numpy as np

__all__ = [
    "ACTIVATIONS", "call", "call_all", "foreign_call", "has_small_programs", "plans", "plans_capacity", "plans_made",
    "python_library", "set_threads", "supported", "threads",
]  # fmt: skip

# The position in this tuple plus 1 is the code in src/activations.h; None is 0.
ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu", "gelu_tanh", "silu", "elu", "relu6")

_HANDLERS = (
    *("convolve", "convolve_input_gradient", "convolve_kernel_gradient"),
    *("max_pool", "max_pool_gradient", "average_pool", "average_pool_gradient"),
    *("attention", "attention_gradient", "take_rows", "add_rows", "sum_rows", "adam"),
    *("standardize", "standardize_gradient"),
    *("matmul", "lstm", "lstm_gradient", "gru", "gru_gradient"),
)


def _load():
    """Load the library and register each handler as an XLA FFI target for CPUs.

    Raises:
        ImportError: On a processor or system that the kernels were not made for.
    """
    machine = platform.machine()
    if machine.lower() not in ("x86_64", "amd64"):
        raise ImportError(f"its kernels are for x86-64 processors, and this is {machine or 'an unknown one'}")
    built = pathlib.Path(__file__).with_name("liblamina_native.so")
    library = ctypes.CDLL(os.environ.get("LAMINA_NATIVE_LIBRARY") or str(built))  # set by tests/sanitize.sh
    if not library.lamina_knows_processor():
        raise ImportError("its kernels need the instructions of x86-64-v2 (SSE4.2, POPCNT), which this processor lacks")
    for name in ("lamina_plans", "lamina_plans_made", "lamina_plans_capacity"):
        getattr(library, name).restype = ctypes.c_int64
    for name in _HANDLERS:
        handler = jax.ffi.pycapsule(getattr(library, f"lamina_{name}"))
        jax.ffi.register_ffi_target(f"lamina_{name}", handler, platform="cpu")
    return library


_library = _load()

# PyDLL keeps the GIL: these calls are shorter than the time to release and reacquire it.
python_library = ctypes.PyDLL(_library._name)
python_library.lamina_run_small_program.argtypes = ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p


def call(name, shape, dtype, *arrays, activation=False, **settings):
    """The result, of the given shape and dtype, of the handler `lamina_<name>` applied to arrays of the same dtype.

    Settings are integers or tuples of integers. `activation` is a name or None; False if the handler has no activation.
    """
    if not supported(dtype):
        raise TypeError(f"lamina_native.{name} computes in float32 and bfloat16, the latter with AVX-512; got {dtype}.")
    if any(array.dtype != dtype for array in arrays):
        raise TypeError(f"lamina_native.{name} needs one dtype; got {[str(array.dtype) for array in arrays]}.")
    if activation is not False:
        settings["activation"] = _activation(activation)
    if 0 in shape or arrays[0].size == 0:  # oneDNN requires at least one element; empty sums are zero
        return jnp.zeros(shape, dtype)
    return foreign_call(name, jax.ShapeDtypeStruct(shape, dtype), arrays, settings)


def call_all(name, shapes, *arrays, **settings):
    """The float32 results, of the given shapes, of the handler `lamina_<name>` applied to the arrays."""
    if 0 in shapes[0]:
        return [jnp.zeros(shape, jnp.float32) for shape in shapes]
    return foreign_call(name, [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes], arrays, settings)


def foreign_call(name, result, arrays, settings, written_over=None):
    """The results of the handler `lamina_<name>` applied to the arrays, with the shapes and dtypes given by `result`.

    `written_over` maps indices of arrays to the indices of the results that may reuse their memory.
    """
    settings = {
        key: np.asarray(value, np.float64 if isinstance(value, float) else np.int64)[()]
        for key, value in settings.items()
    }
    kernel = jax.ffi.ffi_call(
        f"lamina_{name}", result, vmap_method="sequential", input_output_aliases=written_over or {}
    )
    return kernel(*arrays, **settings)


def _activation(name):
    if name is None:
        return 0
    if name not in ACTIVATIONS:
        raise ValueError(f"activation is None or one of {', '.join(ACTIVATIONS)}; got {name!r}.")
    return ACTIVATIONS.index(name) + 1


def supported(dtype):
    """Whether the kernels support a dtype on this machine: float32 always, bfloat16 with AVX-512."""
    dtype = np.dtype(dtype)
    return dtype == np.float32 or (dtype == jnp.bfloat16 and bool(_library.lamina_has_bfloat16()))


def has_small_programs():
    """Whether this machine can run a SmallProgram, which requires AVX-512."""
    return bool(_library.lamina_has_small_programs())


def threads():
    """The number of threads of a call. By default it is that of the pool of XLA which the last call came from, and
    before any call the number of CPUs available to this process, which is how XLA sizes its pool."""
    return _library.lamina_threads()


def set_threads(count):
    """Use `count` threads for all later calls in this process, or None: as many as XLA's pool has."""
    if count is not None and count < 1:
        raise ValueError(f"A call needs one thread or more; got {count}.")
    _library.lamina_set_threads(count or 0)


def plans():
    """The number of cached oneDNN primitives. Each performs one operation on arrays of one shape."""
    return _library.lamina_plans()


def plans_made():
    """The number of oneDNN primitives created so far, including those evicted from the cache."""
    return _library.lamina_plans_made()


def plans_capacity():
    """The maximum number of cached primitives. The least recently used one is evicted first."""
    return _library.lamina_plans_capacity()
