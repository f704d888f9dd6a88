"""The libraries to compare: what each requires, the environment of its process, and what is timed."""

import dataclasses
import importlib.util

__all__ = ["LIBRARIES", "Library", "missing"]

_FIT = "model.fit with shuffling, loss and metrics; model.predict"
_PLAIN = "shuffled batches, loss, gradient and Adam, no metrics; loss read once an epoch; outputs as NumPy arrays"


@dataclasses.dataclass(frozen=True)
class Library:
    """A library to measure.

    Attributes:
        name: Name for `--libraries`.
        title: Name in tables.
        subject: The file in lamina_bench that trains with it, without `_subject`.
        module: The module to import.
        needs: Modules that must be installed.
        uses: Optional modules that it uses if they are installed.
        environment: Environment variables of its process.
        cache: Whether it caches compiled programs on disk by default.
        does: Description of what is timed.
    """

    name: str
    title: str
    subject: str
    module: str
    needs: tuple
    does: str
    environment: dict = dataclasses.field(default_factory=dict)
    cache: bool = False
    uses: tuple = ()


def _keras(backend, title, needs):
    return Library(f"keras-{backend}", f"Keras on {title}", "keras", "keras", ("keras", needs), _FIT,
                   {"KERAS_BACKEND": backend})  # fmt: skip


_ALL = [
    Library("lamina", "lamina", "keras", "lamina", ("jax",), _FIT, cache=True, uses=("lamina_native",)),
    _keras("jax", "JAX", "jax"),
    _keras("tensorflow", "TensorFlow", "tensorflow"),
    _keras("torch", "PyTorch", "torch"),
    Library("tf_keras", "tf_keras", "keras", "tf_keras", ("tf_keras", "tensorflow"), _FIT),
    Library(
        "jax", "JAX by hand", "jax", "jax", ("jax",), f"one jitted step, donated buffers, data on device; {_PLAIN}"
    ),
    Library("nnx", "Flax NNX", "nnx", "flax", ("flax", "optax", "jax"), f"nnx.jit with nnx.cached_partial; {_PLAIN}"),
    Library("equinox", "Equinox", "equinox", "equinox", ("equinox", "optax", "jax"), f"eqx.filter_jit; {_PLAIN}"),
    Library("torch", "PyTorch by hand", "torch", "torch", ("torch",), f"eager, channels first, fused Adam; {_PLAIN}"),
]
LIBRARIES = {library.name: library for library in _ALL}


def missing(library):
    """The required modules that are not installed."""
    return [name for name in library.needs if importlib.util.find_spec(name) is None]
