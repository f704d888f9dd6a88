"""The import hook that makes `import keras` and `import tensorflow` return lamina."""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import MutableSequence
from typing import Any

from lamina.compat import advice, settings
from lamina.compat.host import show_tensors
from lamina.compat.inside import Inner, public_module
from lamina.compat.keras_files import KERAS_FILES
from lamina.compat.optional import does_without
from lamina.compat.tensorflow import NAMESPACES, TF_VERSION, InnerModule, TensorFlow, patch_jax_arrays, without_version
from lamina.compat.variables import Shape
from lamina.errors import LaminaError
from lamina.legacy.names import OF_NETWORKS
from lamina.legacy.renames import is_probe
from lamina.saving.formats.further import further

__all__ = ["KERAS_VERSION", "as_keras"]

KERAS_VERSION = "3.15.1"
"""The version of Keras that lamina follows. Packages compare against it."""

_OURS = ("keras", "keras_core", "tf_keras", "tensorflow")
_ROOTS = (
    "keras.api._v2.keras", "keras.api._v1.keras", "keras.api.keras", "keras.api", "keras", "keras_core", "tf_keras.api",
    "tf_keras", "tensorflow.keras",
    "tensorflow.compat.v1.keras", "tensorflow.compat.v2.keras", "tensorflow._api.v2.keras", "tensorflow.contrib.keras",
    "tensorflow.contrib.keras.api", "tensorflow.contrib.keras.python", "tensorflow.contrib.keras.api.keras",
    "tensorflow.contrib.keras.python.keras",
)  # fmt: skip
_PARTS = {"keras_applications": "applications", "keras_preprocessing": "preprocessing"}  # once packages of their own
_DEEPER = tuple(
    f"tensorflow.python.{name}."
    for name in ("data", "distribute", "ops.linalg", "ops.numpy_ops", "ops.ragged", "training.tracking")
)
_INNER_ROOTS = ("keras.src", "keras_core.src", "tf_keras.src", "keras.api.src", "tensorflow.python.keras")


class TooLateError(LaminaError, ImportError):
    """The real Keras or TensorFlow has already been imported."""


def as_keras() -> Any:
    """Make `import keras`, `import tensorflow.keras` and `import tensorflow as tf` import lamina in this process.

    Programs and packages built on Keras then run on lamina. Call this function before they are imported, in the first
    lines of the main program, or run the program with `lamina run SCRIPT`. It adds the methods `.numpy()` and
    `.get_shape()` to JAX arrays.

    Returns the module `keras`, which is lamina with the `__version__` of the Keras release that lamina follows.

    Raises:
        TooLateError: (an ImportError) The real keras or tensorflow has already been imported.

    Example, the first lines of a program (complete programs are in tests/cli):

        import lamina

        lamina.as_keras()
        import keras_tuner
    """
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        for name in _OURS:
            if name in sys.modules:
                version = getattr(sys.modules[name], "__version__", "of an unknown version")
                raise TooLateError(
                    f"{name} {version} itself is imported already, so lamina cannot take its place.",
                    fix=f"Call lamina.as_keras() before anything imports {name}, or start with: lamina run SCRIPT.",
                )
        patch_jax_arrays()
        sys.meta_path.insert(0, Finder())
    return importlib.import_module("keras")


class Finder(importlib.abc.MetaPathFinder):
    """Finds the modules of keras, tf_keras and tensorflow. It is the first finder, so it precedes installed
    packages."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        """The spec of a lamina module, or None for other packages. Modules that lamina lacks raise ImportError."""
        root, _, rest = fullname.partition(".")
        if root not in _OURS and root not in _PARTS:
            return None
        if root == "tensorflow" and does_without(_KERAS):
            raise ModuleNotFoundError(f"No module named {fullname!r} for a package that does without", name=fullname)
        try:
            module = public_module(f"{_PARTS[root]}.{rest}".strip(".")) if root in _PARTS else _module(fullname)
            if root == "keras_applications" and module is not None:
                module = Networks(fullname, module)
        except ImportError as error:
            # `from module import name` probes for a module: there a name is missing, and Python says which.
            if is_probe() or isinstance(error, ModuleNotFoundError):
                raise
            raise ModuleNotFoundError(str(error), name=fullname) from None
        return None if module is None else importlib.machinery.ModuleSpec(fullname, _Loader(module))


class _Loader(importlib.abc.Loader):
    """Returns an existing module unchanged."""

    def __init__(self, module):
        self.module, self.spec = module, getattr(module, "__spec__", None)

    def create_module(self, spec):
        return self.module

    def exec_module(self, module):
        if self.spec is not None:
            module.__spec__ = self.spec


def _module(name):
    for root in sorted((*_INNER_ROOTS, *_ROOTS), key=len, reverse=True):
        if name == root or name.startswith(root + "."):
            path = name[len(root) + 1 :]
            if root in _INNER_ROOTS:
                return Inner(name, path)
            if path:
                return public_module(path)
            is_legacy = root in ("tf_keras", "tensorflow.keras") and settings.uses_legacy_keras()
            return _TF_KERAS if is_legacy else _KERAS
    today = without_version(name)
    if today != name and today in NAMESPACES:
        return importlib.import_module(today)
    if name in NAMESPACES:
        show_tensors(Shape)
        further.update(KERAS_FILES)
        return TensorFlow(name)
    if name == "tensorflow.python" or name.startswith(("tensorflow._api", "tensorflow.contrib")):
        return TensorFlow(name)
    if name.startswith("tensorflow.python.") and (name.count(".") < 4 or name.startswith(_DEEPER)) and name.islower():
        return InnerModule(name)
    raise ImportError(advice.about(name), name=name)


class Networks(types.ModuleType):
    """A module of Keras Applications, whose functions take the modules that they compute with; these are lamina's."""

    __path__: MutableSequence[str] = []

    def __init__(self, name: str, module: Any) -> None:
        super().__init__(name, module.__doc__)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        if isinstance(found, types.ModuleType):
            return importlib.import_module(f"{self.__name__}.{name}") if "applications" in found.__name__ else found
        if not isinstance(found, types.FunctionType) or name == "get_submodules_from_kwargs":
            return found

        @functools.wraps(found)
        def network(*args: Any, **kwargs: Any) -> Any:
            return found(*args, **{key: value for key, value in kwargs.items() if key not in OF_NETWORKS})

        return network


class Keras(types.ModuleType):
    """The module `keras`: lamina with the version number of Keras."""

    __version__ = KERAS_VERSION
    __path__: MutableSequence[str] = []

    def version(self) -> Any:
        """The version of Keras that lamina follows."""
        return KERAS_VERSION

    @property
    def __all__(self) -> Any:
        return importlib.import_module("lamina").__all__

    def __getattr__(self, name: Any) -> Any:
        try:
            return getattr(importlib.import_module("lamina"), name)
        except AttributeError:
            raise AttributeError(f"module 'keras' (lamina) has no attribute {name!r}") from None

    def __dir__(self) -> Any:
        return [*self.__all__, "__version__"]


class TFKeras(Keras):
    """`tf.keras` where TF_USE_LEGACY_KERAS asks for Keras 2: packages that want it ask for its version."""

    __version__ = TF_VERSION
    version: Any = property()  # pyright: ignore[reportIncompatibleMethodOverride]  # Keras 2 has none

    def __getattr__(self, name: Any) -> Any:
        if name == "version":
            raise AttributeError("module 'tf_keras' has no attribute 'version'")
        return super().__getattr__(name)


_KERAS = Keras("keras", "lamina, by the name of Keras.")
_TF_KERAS = TFKeras("tf_keras", "lamina, by the name of Keras 2.")
