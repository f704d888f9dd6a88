"""tf.config, tf.errors, tf.test and tf.sysconfig: what is asked of the runtime of TensorFlow, answered for JAX."""

from __future__ import annotations

import functools
import logging
import os
import tempfile
import unittest
from collections import namedtuple
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina.compat.arrays import array
from lamina.compat.flow import InvalidArgumentError
from lamina.compat.sessions import constants
from lamina.compat.tracing import CONFIG as RUN_EAGERLY
from lamina.compat.variables import Shape
from lamina.core import context
from lamina.core.keras_tensor import is_symbolic
from lamina.core.variable import unwrap
from lamina.errors import warn
from lamina.training.data.elements import TensorSpec

__all__ = [
    "COMPAT",
    "CONFIG", "ERRORS", "EXPERIMENTAL_CONFIG", "LOGGING", "OPTIMIZER", "ROOT", "SAVED_MODEL_NAMES", "SYSCONFIG", "TEST",
    "list_physical_devices", "nothing", "uses_legacy_keras",
]  # fmt: skip


def uses_legacy_keras() -> bool:
    """Whether the program asks for Keras 2 as `tf.keras`, by the environment variable of TensorFlow."""
    return os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in ("1", "true")


PhysicalDevice = namedtuple("PhysicalDevice", "name device_type")
LogicalDevice = namedtuple("LogicalDevice", "name device_type")
LogicalDeviceConfiguration = namedtuple(
    "LogicalDeviceConfiguration", "memory_limit experimental_priority experimental_device_ordinal", defaults=(None,) * 3
)


def nothing(*args: Any, **kwargs: Any) -> None:
    """Ignore settings of TensorFlow's runtime that have no meaning for JAX."""


def _devices():
    kinds = {"cuda": "GPU", "rocm": "GPU"}
    found = [(kinds.get(one.platform, one.platform.upper()), one.id) for one in jax.devices()]
    return found if any(kind == "CPU" for kind, _ in found) else [("CPU", 0), *found]


def _listed(kind, prefix):
    def devices(device_type: Any = None) -> list[Any]:
        return [kind(f"/{prefix}:{one}:{number}", one) for one, number in _devices() if device_type in (None, one)]

    return devices


list_physical_devices = _listed(PhysicalDevice, "physical_device")
"""JAX's devices of a type, named as in TensorFlow: CPU, GPU or TPU."""
list_logical_devices = _listed(LogicalDevice, "device")
_has_gpu = lambda *args, **kwargs: bool(list_physical_devices("GPU"))  # noqa: E731


def _cannot_divide(device: Any, logical_devices: Any) -> None:
    """JAX divides no device into several at run time."""
    if len(logical_devices or ()) > 1:
        warn("JAX does not divide a device: the program runs on one. For several CPU devices set the environment "
             "variable XLA_FLAGS=--xla_force_host_platform_device_count=2.")  # fmt: skip


def _choose_devices(devices: Any, device_type: Any = None) -> None:
    """`tf.config.set_visible_devices`: the first of the devices becomes the default one."""
    chosen = {one.name.rpartition("/")[2].removeprefix("physical_device:").lower() for one in
              (devices if isinstance(devices, (list, tuple)) else [devices])}  # fmt: skip
    if not chosen & {f"{kind}:{number}".lower() for kind, number in _devices() if kind != "CPU"}:
        jax.config.update("jax_default_device", jax.devices("cpu")[0])


def _memory(device: Any = None) -> dict[str, int]:
    """`tf.config.experimental.get_memory_info`: bytes in use of the first device, 0 where it does not tell."""
    stats = jax.devices()[0].memory_stats() or {}
    return {"current": stats.get("bytes_in_use", 0), "peak": stats.get("peak_bytes_in_use", 0)}


_flags: dict[str, Any] = {"soft": True, "inter": 0, "intra": 0, "tf32": True, "synchronous": True}


def _flag(name: str) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    """A function that gives what was set, and one that sets it."""
    return (lambda *_: _flags[name]), (lambda *value, **named: _flags.__setitem__(name, [*value, *named.values()][0]))


_SOFT, _INTER, _INTRA, _TF32, _SYNC = (_flag(name) for name in _flags)
CONFIG: dict[str, Any] = {
    **RUN_EAGERLY,
    "PhysicalDevice": PhysicalDevice, "LogicalDevice": LogicalDevice,
    "LogicalDeviceConfiguration": LogicalDeviceConfiguration, "list_logical_devices": list_logical_devices,
    "list_physical_devices": list_physical_devices, "get_visible_devices": list_physical_devices,
    "set_visible_devices": _choose_devices, "set_logical_device_configuration": _cannot_divide,
    "get_logical_device_configuration": nothing, "get_soft_device_placement": _SOFT[0],
    "set_soft_device_placement": _SOFT[1], "experimental_functions_run_eagerly": RUN_EAGERLY["functions_run_eagerly"],
    "threading": SimpleNamespace(
        get_inter_op_parallelism_threads=_INTER[0], set_inter_op_parallelism_threads=_INTER[1],
        get_intra_op_parallelism_threads=_INTRA[0], set_intra_op_parallelism_threads=_INTRA[1]),
}  # fmt: skip
"""Names of `tensorflow.config`."""
EXPERIMENTAL_CONFIG: dict[str, Any] = {
    **CONFIG, "set_memory_growth": nothing, "get_memory_growth": lambda device: True,
    "get_memory_info": _memory, "get_memory_usage": lambda device=None: _memory()["current"],
    "reset_memory_stats": nothing, "enable_op_determinism": nothing, "VirtualDeviceConfiguration":
    LogicalDeviceConfiguration, "set_virtual_device_configuration": _cannot_divide,
    "get_virtual_device_configuration": nothing, "tensor_float_32_execution_enabled": _TF32[0],
    "enable_tensor_float_32_execution": _TF32[1], "get_synchronous_execution": _SYNC[0],
    "set_synchronous_execution": _SYNC[1], "get_device_details": lambda device: {"device_name":
    jax.devices()[0].device_kind}, "enable_mlir_bridge": nothing, "disable_mlir_bridge": nothing,
}  # fmt: skip
"""Names of `tensorflow.config.experimental`."""
OPTIMIZER: dict[str, Any] = {
    "set_jit": nothing, "get_jit": lambda: "", "set_experimental_options": nothing,
    "get_experimental_options": dict,
}  # fmt: skip
_CODES = {
    "CancelledError": (1, ()), "UnknownError": (2, ()), "DeadlineExceededError": (4, (TimeoutError,)),
    "AlreadyExistsError": (6, (FileExistsError,)), "PermissionDeniedError": (7, (PermissionError,)),
    "UnauthenticatedError": (16, ()), "FailedPreconditionError": (9, ()), "AbortedError": (10, ()),
    "InternalError": (13, ()), "UnavailableError": (14, ()), "DataLossError": (15, ()),
    "OperatorNotAllowedInGraphError": (3, (TypeError,)),
}  # fmt: skip
ERRORS: dict[str, Any] = {
    "InvalidArgumentError": InvalidArgumentError, "NotFoundError": FileNotFoundError, "OpError": RuntimeError,
    "OutOfRangeError": StopIteration, "ResourceExhaustedError": MemoryError, "UnimplementedError": RuntimeError,
    **{name: type(name, kinds or (RuntimeError,), {"code": code}) for name, (code, kinds) in _CODES.items()},
    **{name: code for code, name in enumerate(
        "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED "
        "RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS "
        "UNAUTHENTICATED".split())},
}  # fmt: skip
"""Names of `tensorflow.errors`: classes of Python where one means the same."""


class TestCase(unittest.TestCase):
    """`tf.test.TestCase`: comparisons of tensors, arrays and nested lists or dicts of them."""

    __test__ = False

    def evaluate(self, tensors: Any) -> Any:
        """The values as arrays of NumPy."""
        return jax.tree_util.tree_map(lambda leaf: np.asarray(unwrap(leaf)), tensors)

    def get_temp_dir(self) -> str:
        """A new directory, which is deleted after the test."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return folder.name

    def _each(self, check, a, b):
        if isinstance(a, dict):
            self.assertEqual(set(a), set(b))
            for key in a:
                self._each(check, a[key], b[key])
        elif isinstance(a, (list, tuple)) and any(np.ndim(unwrap(one)) for one in a):
            self.assertEqual(len(a), len(b))
            for one, other in zip(a, b, strict=True):
                self._each(check, one, other)
        else:
            check(np.asarray(unwrap(a)), np.asarray(unwrap(b)))

    def assertAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: Any = None) -> None:
        """The same values up to a tolerance."""
        self._each(lambda x, y: np.testing.assert_allclose(x, y, rtol, atol, err_msg=msg or ""), a, b)

    def assertAllEqual(self, a: Any, b: Any, msg: Any = None) -> None:
        """The same values."""
        self._each(lambda x, y: np.testing.assert_array_equal(x, y, msg or ""), a, b)

    def assertNotAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: Any = None) -> None:
        """A value differs by more than the tolerance."""
        with self.assertRaises(AssertionError, msg=msg):
            self.assertAllClose(a, b, rtol, atol)

    def assertNotAllEqual(self, a: Any, b: Any, msg: Any = None) -> None:
        """A value differs."""
        with self.assertRaises(AssertionError, msg=msg):
            self.assertAllEqual(a, b)

    def assertShapeEqual(self, input_a: Any, input_b: Any, msg: Any = None) -> None:
        """The same shape."""
        self.assertEqual(tuple(np.shape(input_a)), tuple(np.shape(input_b)), msg)

    def assertAllInRange(self, target: Any, lower_bound: Any, upper_bound: Any, **_: Any) -> None:
        """Each value is within the bounds."""
        values = np.asarray(unwrap(target))
        self.assertTrue(((values >= lower_bound) & (values <= upper_bound)).all())

    def assertNear(self, f1: Any, f2: Any, err: float, msg: Any = None) -> None:
        """Two numbers differ by at most `err`."""
        self.assertLessEqual(abs(float(f1) - float(f2)), err, msg)

    def assertDTypeEqual(self, target: Any, expected_dtype: Any) -> None:
        """The values have this dtype."""
        self.assertEqual(np.asarray(unwrap(target)).dtype, np.dtype(expected_dtype))


def _compute_gradient(f: Any, x: Any, delta: float = 1e-3) -> tuple[Any, Any]:
    """`tf.test.compute_gradient`: the Jacobian by each of x, by derivatives and by differences."""
    points = [np.asarray(unwrap(one)) for one in x]

    def of(values):
        return array(f(*(jnp.asarray(value) for value in values)))

    exact, estimated = [], []
    for place, point in enumerate(points):

        def moved(value, place=place):
            return of([*points[:place], value, *points[place + 1 :]]).ravel()

        exact.append(np.asarray(jax.jacobian(moved)(jnp.asarray(point))).reshape(-1, point.size))
        columns = []
        for at in range(point.size):
            step = np.zeros(point.size, point.dtype)
            step[at] = delta
            step = step.reshape(point.shape)
            columns.append(np.asarray(moved(point + step) - moved(point - step)) / (2 * delta))
        estimated.append(np.stack(columns, 1))
    return exact, estimated


TEST: dict[str, Any] = {
    "TestCase": TestCase, "main": lambda argv=None: unittest.main(argv=argv), "compute_gradient": _compute_gradient,
    "gpu_device_name": lambda: "/device:GPU:0" if _has_gpu() else "", "is_gpu_available": _has_gpu,
    **dict.fromkeys(("is_built_with_cuda", "is_built_with_gpu_support", "is_built_with_rocm"), _has_gpu),
    "is_built_with_xla": lambda: True, "is_cpu_target_available": lambda target: True,
}  # fmt: skip
"""Names of `tensorflow.test`."""
SYSCONFIG: dict[str, Any] = {
    "get_build_info": lambda: {"is_cuda_build": _has_gpu(), "is_rocm_build": False}, "CXX11_ABI_FLAG": 1,
    "MONOLITHIC_BUILD": 0,
}  # fmt: skip
SAVED_MODEL_NAMES: dict[str, Any] = {
    "SERVING": "serve", "TRAINING": "train", "GPU": "gpu", "TPU": "tpu", "DEFAULT_SERVING_SIGNATURE_DEF_KEY":
    "serving_default", "VARIABLES_DIRECTORY": "variables", "VARIABLES_FILENAME": "variables", "ASSETS_DIRECTORY":
    "assets", "SAVED_MODEL_FILENAME_PB": "saved_model.pb", "SAVED_MODEL_SCHEMA_VERSION": 1, "PREDICT_INPUTS": "inputs",
    "PREDICT_OUTPUTS": "outputs", "PREDICT_METHOD_NAME": "tensorflow/serving/predict",
}  # fmt: skip
"""Constants of `tensorflow.saved_model`."""


def _recompute_grad(f: Any) -> Any:
    """`tf.recompute_grad`: a function whose intermediate results are not kept for the gradient while it is traced."""

    @functools.wraps(f)
    def run(*args, **kwargs):
        if context.is_bound() or not any(
            isinstance(leaf, Tracer) for leaf in jax.tree_util.tree_leaves((args, kwargs))
        ):
            return f(*args, **kwargs)
        return jax.checkpoint(f)(*args, **kwargs)

    return run


_AGGREGATIONS = constants(
    "VariableAggregation", NONE="none", SUM="sum", MEAN="mean", ONLY_FIRST_REPLICA="only_first_replica"
)
ROOT: dict[str, Any] = {
    "VariableAggregation": _AGGREGATIONS, "VariableSynchronization": constants(
        "VariableSynchronization", AUTO="auto", NONE="none", ON_WRITE="on_write", ON_READ="on_read"),
    "AggregationMethod": constants(
        "AggregationMethod", ADD_N=0, DEFAULT=0, EXPERIMENTAL_TREE=1, EXPERIMENTAL_ACCUMULATE_N=2),
    **{name: constants(name) for name in "DeviceSpec IndexedSlicesSpec Operation OptionalSpec TensorArraySpec".split()},
    "no_gradient": nothing, "RegisterGradient": lambda op_type: lambda function: function,
    "DType": np.dtype, "TypeSpec": TensorSpec, "recompute_grad": _recompute_grad,
    "is_symbolic_tensor": lambda tensor: is_symbolic(tensor) or isinstance(tensor, Tracer),
    "get_current_name_scope": lambda: "/".join(context.name_path()),
}  # fmt: skip
"""Names of `tensorflow`."""
COMPAT: dict[str, Any] = {
    "dimension_value": lambda dimension: getattr(dimension, "value", dimension),
    "dimension_at_index": lambda shape, index: Shape(shape).dims[index],
    "as_bytes": lambda bytes_or_text, encoding="utf-8": bytes_or_text if isinstance(
        bytes_or_text, bytes) else str(bytes_or_text).encode(encoding),
    **dict.fromkeys(("as_str", "as_text"), lambda bytes_or_text, encoding="utf-8": bytes_or_text.decode(
        encoding) if isinstance(bytes_or_text, bytes) else str(bytes_or_text)),
    "as_str_any": lambda value, encoding="utf-8": value.decode(encoding) if isinstance(value, bytes) else str(value),
    "path_to_str": str, "forward_compatible": lambda *_: True,
}  # fmt: skip
"""Names of `tensorflow.compat`."""
LOGGING: dict[str, Any] = {
    **{name: getattr(logging, name) for name in ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")},
    "set_verbosity": lambda level: logging.getLogger("tensorflow").setLevel(level),
    "get_verbosity": lambda: logging.getLogger("tensorflow").level,
    **{name: getattr(logging.getLogger("tensorflow"), name) for name in (
        "debug", "info", "warning", "error", "fatal", "log")},
}  # fmt: skip
"""Names of `tensorflow.compat.v1.logging`."""
