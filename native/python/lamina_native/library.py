"""The compiled kernels: found, loaded and made known to XLA under the names that `call` takes."""

import ctypes
import importlib.metadata
import os
import pathlib

import jax
import jax.numpy as jnp
import numpy as np

__all__ = [
    "ACTIVATIONS", "call", "call_all", "foreign_call", "has_small_programs", "plans", "plans_capacity", "plans_made",
    "python_library", "set_threads", "supported", "threads",
]  # fmt: skip

# Their places, from 1, are the numbers that src/activations.h knows; None is 0.
ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu", "gelu_tanh", "silu", "elu", "relu6")

_HANDLERS = (
    *("convolve", "convolve_input_gradient", "convolve_kernel_gradient"),
    *("max_pool", "max_pool_gradient", "average_pool", "average_pool_gradient"),
    *("attention", "attention_gradient", "take_rows", "add_rows", "sum_rows", "adam"),
    *("standardize", "standardize_gradient"),
    *("matmul", "lstm", "lstm_gradient", "gru", "gru_gradient"),
)


def _load():
    """The library, with each handler in XLA's table for CPUs."""
    built = pathlib.Path(__file__).with_name("liblamina_native.so")
    path = os.environ.get("LAMINA_NATIVE_LIBRARY") or str(built)  # tests/sanitize.sh has its own
    try:
        library = ctypes.CDLL(path)  # finds oneDNN where pip puts it
    except OSError:
        # By its whole path first: the linker then takes it by name, wherever the environment keeps it.
        for file in importlib.metadata.files("onednn-cpu-gomp") or ():
            if file.name == "libdnnl.so.3":
                ctypes.CDLL(str(file.locate()), mode=ctypes.RTLD_GLOBAL)
        library = ctypes.CDLL(path)
    for name in ("lamina_plans", "lamina_plans_made", "lamina_plans_capacity"):
        getattr(library, name).restype = ctypes.c_int64
    for name in _HANDLERS:
        handler = jax.ffi.pycapsule(getattr(library, f"lamina_{name}"))
        jax.ffi.register_ffi_target(f"lamina_{name}", handler, platform="cpu")
    return library


_library = _load()

# The same for calls that take less time than to let go of Python's lock and take it again.
python_library = ctypes.PyDLL(_library._name)
python_library.lamina_run_small_program.argtypes = ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p


def call(name, shape, dtype, *arrays, activation=False, **settings):
    """The result, of that shape and dtype, of the handler `lamina_<name>` on those arrays, which have that dtype.

    Settings are integers or tuples of integers; `activation` is a name, None, or False where the handler has none.
    """
    if not supported(dtype):
        raise TypeError(f"lamina_native.{name} computes in float32 and bfloat16, the latter with AVX-512; got {dtype}.")
    if any(array.dtype != dtype for array in arrays):
        raise TypeError(f"lamina_native.{name} needs one dtype; got {[str(array.dtype) for array in arrays]}.")
    if activation is not False:
        settings["activation"] = _activation(activation)
    if 0 in shape or arrays[0].size == 0:  # no batch: oneDNN wants at least one element, and sums of none are zeros
        return jnp.zeros(shape, dtype)
    return foreign_call(name, jax.ShapeDtypeStruct(shape, dtype), arrays, settings)


def call_all(name, shapes, *arrays, **settings):
    """The results, of those shapes and in float32, of the handler `lamina_<name>` on those arrays."""
    if 0 in shapes[0]:
        return [jnp.zeros(shape, jnp.float32) for shape in shapes]
    return foreign_call(name, [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes], arrays, settings)


def foreign_call(name, result, arrays, settings, written_over=None):
    """What the handler `lamina_<name>` makes of those arrays, in the shapes and dtypes that `result` says.

    `written_over` maps the places of arrays to those of the results that may take their memory.
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
    """Whether the kernels compute in that dtype on this machine: float32, and bfloat16 where there is AVX-512."""
    dtype = np.dtype(dtype)
    return dtype == np.float32 or (dtype == jnp.bfloat16 and bool(_library.lamina_has_bfloat16()))


def has_small_programs():
    """Whether a SmallProgram can run on this machine: it needs AVX-512."""
    return bool(_library.lamina_has_small_programs())


def threads():
    """How many threads a call uses: as many as the processors this process may run on, like XLA, unless set."""
    return _library.lamina_threads()


def set_threads(count):
    """Use `count` threads from now on, in all calls of this process."""
    if count < 1:
        raise ValueError(f"A call needs one thread or more; got {count}.")
    _library.lamina_set_threads(count)


def plans():
    """How many primitives are kept, each for one operation on arrays of one shape."""
    return _library.lamina_plans()


def plans_made():
    """How many primitives were made since the start, those that are gone among them."""
    return _library.lamina_plans_made()


def plans_capacity():
    """How many primitives are kept at most; the one that was not used for longest goes first."""
    return _library.lamina_plans_capacity()
