"""The module `tensorflow`: the names besides Keras that programs use, by namespace."""

from __future__ import annotations

import contextlib
import importlib
import logging
import types
import warnings
from collections.abc import MutableSequence
from typing import Any

import jax
import ml_dtypes
import numpy as np

from lamina.compat import (
    advice,
    array_tables,
    autograph,
    datasets,
    functions,
    images,
    lookups,
    messages,
    more_nets,
    more_pictures,
    nets,
    operators,
    parsing,
    pictures,
    random_numbers,
    records,
    settings,
    signals,
    strategies,
    strings,
    table,
)
from lamina.compat.attributes import SCATTERS, IndexedSlices
from lamina.compat.callers import answer_callers
from lamina.compat.checkpoint_files import TRAIN
from lamina.compat.extension_types import EXTENSION_TYPES
from lamina.compat.feature_columns import COLUMNS
from lamina.compat.flow import DEBUGGING, FLOW
from lamina.compat.host import InvalidArgumentError, TextType, on_host
from lamina.compat.keras2 import patch_keras
from lamina.compat.lite import LITE
from lamina.compat.modules import MODULES, NameScope
from lamina.compat.old_losses import OLD_LOSSES
from lamina.compat.ragged import RaggedTensor, RaggedTensorSpec
from lamina.compat.ragged_functions import RAGGED, with_composites
from lamina.compat.saved_models import SAVED_MODELS, endpoint, write_programs
from lamina.compat.sessions import SESSIONS, TPU, options_of, with_options
from lamina.compat.sparse import SparseTensor, SparseTensorSpec
from lamina.compat.sparse_functions import INNER_SPARSE, LOOKUPS, SPARSE, ctc_label_dense_to_sparse
from lamina.compat.tapes import AUTODIFF, TAPES, record_functions, record_operators
from lamina.compat.tracing import AUTOGRAPH, FUNCTIONS
from lamina.compat.variables import VARIABLES, patch_arrays
from lamina.core.no_values import rewrite_with
from lamina.errors import ShapeError
from lamina.export.savedmodel.model import ALSO_WRITTEN
from lamina.layers import StringLookup, TextVectorization, TFSMLayer
from lamina.scopes import device
from lamina.training import op_by_op
from lamina.training.data.elements import TensorSpec

__all__ = ["NAMESPACES", "TF_VERSION", "InnerModule", "TensorFlow", "patch_jax_arrays", "without_version"]

TF_VERSION = "2.21.0"
"""A TensorFlow version released at about the same time as the Keras version that lamina follows."""


class TensorFlow(types.ModuleType):
    """A module with the TensorFlow names that lamina provides. For other names the error suggests a replacement."""

    __path__: MutableSequence[str] = []

    def __getattr__(self, name: Any) -> Any:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        path = ".".join([*self.__name__.split(".")[1:], name])
        if name == "keras":
            return importlib.import_module("tf_keras" if settings.uses_legacy_keras() else "keras")
        names = NAMESPACES.get(self.__name__, {})
        if name in names:
            if isinstance(found := names[name], types.SimpleNamespace) and name.islower():
                NAMESPACES[f"tensorflow.{path}"] = vars(found)
                return importlib.import_module(f"tensorflow.{path}")
            return found
        if without_version(f"tensorflow.{path}") in NAMESPACES:
            return importlib.import_module(f"tensorflow.{path}")
        raise AttributeError(advice.about(f"{self.__name__}.{name}"))

    def __dir__(self) -> Any:
        return sorted(NAMESPACES.get(self.__name__, {}))

    @property
    def __all__(self) -> Any:
        return [name for name in dir(self) if not name.startswith("_")]


class CriticalSection:
    """`tf.CriticalSection`: functions that run one after the other, as all do here.

    Args:
        name, shared_name: No effect.
        **_: No effect.
    """

    def __init__(self, name: Any = None, shared_name: Any = None, **_: Any) -> None:
        self.name = name

    def execute(self, fn: Any, exclusive_resource_access: Any = True, name: Any = None) -> Any:
        """What the function returns.

        Args:
            fn: Function without arguments.
            exclusive_resource_access, name: No effect.
        """
        return fn()


class InnerModule(TensorFlow):
    """A module of `tensorflow.python`, such as `tensorflow.python.ops.math_ops`: its names are those of the public
    modules, as far as one has them."""

    def __getattr__(self, name: Any) -> Any:
        if name.startswith("__"):
            return super().__getattr__(name)
        here = self.__name__.rpartition(".")[2]
        for known in (f"{here}.{name}", name):
            if known in _INNER:
                return _INNER[known]
        spaces = [
            f"tensorflow.{here}",
            *sorted(NAMESPACES, key=lambda one: (one.count("."), one)),
        ]
        found = next((space for space in spaces if name in NAMESPACES.get(space, ())), None)
        if found is None:
            raise AttributeError(advice.about(f"{self.__name__}.{name}"))
        return NAMESPACES[found][name]


def without_version(name: Any) -> Any:
    """`tensorflow.compat.v1.nn` -> `tensorflow.nn`, unless the versioned name has a table of its own."""
    parts = name.split(".")
    if name in NAMESPACES or parts[1:2] != ["compat"]:
        return name
    return ".".join([parts[0], *parts[3:]])


def patch_jax_arrays() -> None:
    """Add TensorFlow's attributes to JAX arrays, symbolic tensors and variables, in this process."""
    record_operators(patch_arrays())
    patch_keras()
    answer_callers()
    vars(_keras("backend"))["ctc_label_dense_to_sparse"] = ctc_label_dense_to_sparse
    rewrite_with(autograph.when_traced)
    op_by_op.allow()
    tokens_at = StringLookup._tokens_at
    StringLookup._tokens_at = lambda self, inputs: on_host(tokens_at(self, inputs))
    ALSO_WRITTEN.append(write_programs)
    TFSMLayer._read = staticmethod(endpoint)
    ShapeError.__bases__ = (InvalidArgumentError,)  # programs catch shapes that do not fit as TensorFlow's error
    TextVectorization._ragged = staticmethod(RaggedTensor.from_row_lengths)
    for method in (datasets.ragged_batch, datasets.ignore_errors, with_options):
        setattr(datasets.Dataset, method.__name__, method)
    setattr(datasets.Dataset, "options", options_of)  # noqa: B010
    setattr(datasets.DatasetIterator, "next", datasets.DatasetIterator.get_next)  # noqa: B010
    setattr(datasets.DatasetIterator, "get_next_as_optional", lambda self: datasets.Optional(self))  # noqa: B010


def _device(device_name):
    """`keras.device` with TensorFlow's device names: "/GPU:0", "/device:CPU:0"."""
    kind, _, number = str(device_name).lower().replace("/device:", "").strip("/").partition(":")
    kind = kind.rpartition("/")[2]
    if kind != "cpu" and not settings.list_physical_devices(kind.upper()):
        warnings.warn(f"There is no {kind.upper()} here: {device_name} is the CPU.", stacklevel=2)
        kind, number = "cpu", "0"
    return device(f"{kind}:{number or 0}")


_DTYPES = {
    **{name: np.dtype(name) for name in (
        "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
        "complex64", "complex128",
    )},
    "half": np.dtype("float16"), "double": np.dtype("float64"), "bool": np.dtype("bool"),
    "bfloat16": np.dtype(ml_dtypes.bfloat16), "string": TextType("string"),
}  # fmt: skip


def _keras(name):
    """A namespace that TensorFlow shares with Keras, such as tf.losses and tf.optimizers."""
    return importlib.import_module(f"lamina.{name}")


_MATH = with_composites(
    record_functions(
        {**table.functions_of(table.MATH, "tf.math"), **functions.MATH, **array_tables.MORE_MATH, **more_nets.MATH}
    )
)
_INITIALIZERS = {
    "ones_initializer": "Ones", "zeros_initializer": "Zeros", "constant_initializer": "Constant",
    "random_normal_initializer": "RandomNormal", "random_uniform_initializer": "RandomUniform",
}  # fmt: skip
_ROOT = {
    **SESSIONS, **_MATH, **_DTYPES, **TAPES,
    **with_composites(record_functions({**table.functions_of(table.ROOT,
    "tf"), **functions.ROOT, **array_tables.MORE_ROOT})),
    **{old: getattr(_keras("initializers"), new) for old, new in _INITIALIZERS.items()},
    **{name: _keras(name) for name in ("initializers", "losses", "metrics", "optimizers")},
    **settings.ROOT, **{name: more_nets.NN[name] for name in ("space_to_batch", "batch_to_space")},
    "space_to_batch_nd": more_nets.space_to_batch, "IndexedSlices": IndexedSlices,
    "RaggedTensor": RaggedTensor,
    "RaggedTensorSpec": RaggedTensorSpec, "SparseTensor": SparseTensor, "SparseTensorSpec": SparseTensorSpec,
    **MODULES, **VARIABLES, **FUNCTIONS, **FLOW, "TensorSpec": TensorSpec, "__version__": TF_VERSION, "device": _device,
    "get_logger": lambda: logging.getLogger("tensorflow"), "newaxis": None,
    "make_ndarray": lookups.make_ndarray, "CriticalSection": CriticalSection,
    "tpu": types.SimpleNamespace(experimental=TPU),
    **{name: _MATH[name] for name in ("sigmoid", "tanh")}, "as_string": strings.STRINGS["as_string"],
}  # fmt: skip
_ROOT["as_dtype"] = lambda type_value: (
    _DTYPES.get(type_value, type_value) if isinstance(type_value, str) else np.dtype(type_value)
)
_IMAGE = record_functions({**images.IMAGE, **pictures.MORE_IMAGE, **more_pictures.IMAGE})
NAMESPACES: dict[str, Any] = {
    "tensorflow": _ROOT,
    "tensorflow.autodiff": AUTODIFF,
    "tensorflow.autograph": AUTOGRAPH,
    "tensorflow.autograph.experimental": {
        "do_not_convert": lambda func=None: func or (lambda decorated: decorated), "set_loop_options": settings.nothing,
    },
    "tensorflow.debugging": {**DEBUGGING, **{f"{word}_traceback_filtering": getattr(
        _keras("config"), f"{word}_traceback_filtering") for word in ("enable", "disable")}},
    "tensorflow.compat": settings.COMPAT,
    "tensorflow.compat.v1": {
        **_ROOT, **SCATTERS, "set_random_seed": random_numbers.RANDOM["set_seed"], **dict.fromkeys((
            "disable_eager_execution", "enable_eager_execution", "enable_v2_behavior", "enable_resource_variables",
        ), settings.nothing), "losses": types.SimpleNamespace(**OLD_LOSSES),
        "name_scope": lambda name, default_name=None, values=None: NameScope(name or default_name),
    },
    "tensorflow.compat.v1.logging": settings.LOGGING,
    "tensorflow.compat.v1.image": {**_IMAGE, **record_functions({
        "resize_images": images.resize_images, "resize": images.resize_images,
        "resize_nearest_neighbor": images.resize_by("nearest"),
        **{f"resize_{name}": images.resize_by(name) for name in ("bilinear", "bicubic", "area")},
    })},
    "tensorflow.compat.v2": _ROOT,
    "tensorflow.config": settings.CONFIG,
    "tensorflow.config.experimental": settings.EXPERIMENTAL_CONFIG,
    "tensorflow.config.optimizer": settings.OPTIMIZER,
    "tensorflow.data": datasets.DATA,
    "tensorflow.data.experimental": datasets.EXPERIMENTAL,
    "tensorflow.distribute": strategies.DISTRIBUTE,
    "tensorflow.dtypes": {
        **_DTYPES, "DType": np.dtype, **{
            name: _ROOT[name] for name in ("as_dtype", "bitcast", "cast", "complex", "saturate_cast")},
    },
    "tensorflow.experimental": {"Optional": datasets.Optional, **EXTENSION_TYPES},
    "tensorflow.experimental.numpy": record_functions(array_tables.NUMPY),
    "tensorflow.errors": settings.ERRORS,
    "tensorflow.feature_column": COLUMNS,
    "tensorflow.image": _IMAGE,
    "tensorflow.io": {
        **images.IO, **pictures.MORE_IO, **parsing.PARSING, "TFRecordWriter": records.TFRecordWriter,
        "TFRecordOptions": records.TFRecordOptions, "tf_record_iterator": lambda path, options=None:
            records.read_records(path, getattr(options, "compression_type", None)),
    },
    "tensorflow.ragged": RAGGED,
    "tensorflow.saved_model": {**SAVED_MODELS, **settings.SAVED_MODEL_NAMES},
    "tensorflow.sparse": SPARSE,
    "tensorflow.train": {**messages.MESSAGES, **TRAIN},
    "tensorflow.audio": signals.AUDIO,
    "tensorflow.bitwise": array_tables.BITWISE,
    "tensorflow.linalg": record_functions({
        "einsum": functions.einsum, "eye": _ROOT["eye"], "matmul": functions.matmul, "norm": functions.norm,
        "normalize": functions.normalize, **array_tables.LINALG, **more_nets.LINALG,
        "l2_normalize": functions.l2_normalize,
    }) | operators.OPERATORS,
    "tensorflow.lite": LITE,
    "tensorflow.lookup": lookups.LOOKUP,
    "tensorflow.signal": record_functions(signals.SIGNAL),
    "tensorflow.summary": lookups.SUMMARY,
    "tensorflow.sets": array_tables.SETS,
    "tensorflow.math": _MATH,
    "tensorflow.math.special": record_functions(more_nets.SPECIAL),
    "tensorflow.nest": lookups.NEST,
    "tensorflow.nn": {**LOOKUPS, **with_composites(record_functions({
        "in_top_k": _MATH["in_top_k"], **table.functions_of(table.NN, "tf.nn"), **functions.NN, **nets.MORE_NN,
        **more_nets.NN,
    }))},
    "tensorflow.profiler": {"experimental": types.SimpleNamespace(
        start=lambda logdir, options=None: jax.profiler.start_trace(str(logdir)),
        stop=lambda save=True: jax.profiler.stop_trace(), Profile=lambda logdir, options=None: jax.profiler.trace(
            str(logdir)), Trace=jax.profiler.TraceAnnotation, ProfilerOptions=dict,
        server=types.SimpleNamespace(start=jax.profiler.start_server),
    )},
    "tensorflow.quantization": record_functions(table.functions_of(table.QUANTIZATION, "tf.quantization")),
    "tensorflow.random": {**random_numbers.RANDOM, **nets.SAMPLERS},
    "tensorflow.strings": strings.STRINGS,
    "tensorflow.sysconfig": settings.SYSCONFIG,
    "tensorflow.test": settings.TEST,
    "tensorflow.types": {},
    "tensorflow.types.experimental": {
        **dict.fromkeys(("TensorLike", "Callable", "ConcreteFunction"), Any),
        **{name: type(name, (), {}) for name in ("TraceType", "SupportsTracingProtocol")},
    },
    "tensorflow.version": {"VERSION": TF_VERSION, "GIT_VERSION": f"v{TF_VERSION}", "COMPILER_VERSION": ""},
}  # fmt: skip
"""The available tensorflow modules and their names."""


def _smart_cond(pred, true_fn=None, false_fn=None, name=None):
    return FLOW["cond"](pred, true_fn, false_fn)


setattr(_smart_cond, "smart_cond", _smart_cond)  # noqa: B010  # of the module with that name
_INNER: dict[str, Any] = {
    **dict.fromkeys(("keras_export", "tf_export", "deprecated", "deprecated_args", "deprecated_arg_values"),
                    lambda *_, **__: lambda decorated: decorated),
    "deprecation.silence": contextlib.nullcontext,
    "smart_cond": _smart_cond,
    "_graph_mode_decorator": lambda f, args, kwargs: TAPES["custom_gradient"](f)(*args, **kwargs),
    **{name: type(name, (), {}) for name in ("AggregatingVariable", "DistributedVariable")},  # which nothing is
    "random_shuffle": random_numbers.RANDOM["shuffle"], "DatasetV2": datasets.DATA["Dataset"],
    "broadcast_weights": lambda weights, values: _ROOT["broadcast_to"](
        _ROOT["cast"](weights, values.dtype), values.shape),
    "EagerTensor": functions.Tensor, **INNER_SPARSE,
    "enable_numpy_behavior": settings.nothing, "list_local_devices": settings.list_logical_devices,
}  # fmt: skip
