"""What a result depends on besides the program: versions of packages, the processor, the devices, settings."""

from __future__ import annotations

import functools
import importlib
import os
import pathlib
import platform
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import jax

from lamina.kernels.native import is_native
from lamina.runtime.terminal import harmless, printable

__all__ = ["changes_since", "environment", "show_versions", "versions_of_run"]

_FIRST = "0.1.0"  # the version that wrote no versions into its backups
_REQUIRED = ("jax", "jaxlib", "numpy", "ml_dtypes", "h5py", "rich", "flatbuffers")
_OPTIONAL = (
    *("lamina-native", "lamina-bench", "keras", "flax", "grain", "optax", "orbax-checkpoint", "onnx", "onnxruntime"),
    *(
        "pandas",
        "polars",
        "pyarrow",
        "datasets",
        "scikit-learn",
        "scipy",
        "torch",
        "tensorflow",
        "matplotlib",
        "pillow",
    ),
)
_SETTINGS = ("JAX_", "XLA_", "LAMINA_", "KERAS_", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")


def show_versions(file: TextIO | None = None) -> None:
    """Print the versions of lamina, Python and the packages that matter, the processor, the devices and the settings of
    the environment: what a report of a defect needs. `lamina versions` prints the same, with `--json` as JSON.

    Args:
        file: Where to print; the standard output if None.

    >>> import lamina as keras
    >>> keras.show_versions()                              # doctest: +ELLIPSIS
    lamina ...
    Python ...
    """
    known = environment()
    width = max(map(len, known)) + 2
    lines = (printable(harmless(f"{name:<{width}}{value}"), file or sys.stdout) for name, value in known.items())
    print(*lines, sep="\n", file=file)


def environment() -> dict[str, str]:
    """The lines of `show_versions`, name -> value.

    >>> "jax" in environment()
    True
    """
    threads = "" if getattr(sys, "_is_gil_enabled", lambda: True)() else ", without the global lock"
    known = {
        "lamina": _lamina(),
        "Python": f"{platform.python_version()} ({platform.python_implementation()}{threads})",
    }
    known |= {name: _version(name) or "not installed" for name in _REQUIRED}
    known |= {name: version for name in _OPTIONAL if (version := _version(name))}
    known["kernels"] = "lamina-native" if is_native() else "XLA alone"
    known["system"] = platform.platform()
    known["processor"] = _processor()
    known["devices"] = ", ".join(f"{device.platform}:{device.id} {device.device_kind}" for device in jax.devices())
    return known | {name: value for name, value in sorted(os.environ.items()) if name.startswith(_SETTINGS)}


def versions_of_run() -> dict[str, str]:
    """What may change the bits that a run computes, name -> version.

    >>> sorted(versions_of_run())
    ['jax', 'jaxlib', 'kernels', 'lamina', 'numpy', 'processor']
    """
    kernels = f"lamina-native {_version('lamina-native')}" if is_native() else "XLA alone"
    device = jax.devices()[0]
    processor = _processor() if device.platform == "cpu" else device.device_kind
    packages = {name: str(sys.modules[name].__version__) for name in ("jax", "jaxlib", "numpy")}
    return {"lamina": _lamina(), **packages, "kernels": kernels, "processor": processor}


def changes_since(recorded: Mapping[str, Any] | None) -> str:
    """What differs between a recorded `versions_of_run` and now, in words; empty if nothing does.

    Args:
        recorded: The record; None if the first version, which recorded nothing, wrote it.

    >>> changes_since(versions_of_run())
    ''
    >>> changes_since(versions_of_run() | {"jax": "0.5.3"}).startswith("jax 0.5.3, now ")
    True
    """
    now = versions_of_run()
    before = {"lamina": _FIRST} if recorded is None else recorded
    changed = [name for name in now if name in before and before[name] != now[name]]
    return "; ".join(f"{name} {before[name]}, now {now[name]}" for name in changed)


def _lamina():
    return importlib.import_module("lamina").__version__


@functools.cache
def _version(distribution):
    metadata = importlib.import_module("importlib.metadata")  # takes 20 ms
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


@functools.cache
def _processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return (names[0] if names else platform.processor()) or platform.machine()
