"""What a Keras config would run, read or allocate, if a library believed it."""

from __future__ import annotations

import builtins
import functools
import re
import sys
from collections.abc import Iterator
from typing import Any

from lamina.cli.scan_gguf import template_findings
from lamina.cli.scan_protobufs import operation_findings
from lamina.cli.scan_zips import leads_out
from lamina.core import registry
from lamina.core.config_values import check_sizes
from lamina.core.read_limits import memory_budget
from lamina.core.serialization import CONFUSED
from lamina.errors import UnsafeFileError

__all__ = ["config_findings", "target_findings"]

_KERAS = frozenset(("keras", "tf_keras", "lamina", "tensorflow", "builtins", "keras_hub", "keras_nlp"))
_RUNNERS = {
    "TFSMLayer": "loads the SavedModel at a path", "TorchModuleWrapper": "unpickles a module of PyTorch",
    "FlaxLayer": "holds a function of JAX", "JaxLayer": "holds a function of JAX",
}  # fmt: skip
_NO_PARTS = frozenset(("utils", "config", "callbacks", "datasets", "saving"))
_TOOLS = frozenset(  # functions of Keras that use files or settings, and that it finds by their names alone
    "get_file load_model save_model load_weights save_weights load_img save_img model_from_json clear_session "
    "image_dataset_from_directory text_dataset_from_directory audio_dataset_from_directory plot_model "
    "enable_unsafe_deserialization deserialize_keras_object disable_traceback_filtering set_backend".split()
)
_BYTECODE = "holds Python bytecode, which runs when the layer is made or called"
_MARSHALLED = re.compile(r"(?:4w|Yw)[A-Z]AAAA[A-Za-z0-9+/=\n]{20,}")  # a code object as base64
_BYTES_PER_UNIT, _FREE_BYTES, _RATIO = 32, 64 * 2**20, 8  # as load_model counts
_FAMILIES = (
    "layers", "models", "optimizers", "optimizers.schedules", "losses", "metrics", "initializers", "regularizers",
    "constraints", "dtype_policies", "quantizers",
)  # fmt: skip
_SIZES = frozenset(  # of classes that are not lamina's
    "units filters kernel_size strides pool_size size input_dim output_dim dilation_rate target_shape n num_heads "
    "key_dim value_dim num_oov_indices max_tokens num_tokens num_mel_bins fft_length padding cropping output_size "
    "num_thresholds head_dim num_query_heads depth_multiplier power_iterations nb_filter nb_row nb_col "
    "subsample".split()
)


def config_findings(config: Any, stored: int) -> Iterator[tuple[str, str]]:
    """(rule, sentence) for each part of a config that no honest file needs, or that the program must have itself.

    Args:
        config: The config, as JSON gives it.
        stored: Bytes of arrays in the same file.
    """
    row = [config]
    for _ in range(1000):
        for value in row:
            if isinstance(value, dict):
                yield from _of_object(value, stored)
        row = [
            item
            for value in row
            for item in (value.values() if isinstance(value, dict) else value)
            if isinstance(item, (dict, list))
        ]
        if not row:
            return
    yield "memory", "is nested more than 1000 levels deep"


def _of_object(described, stored):
    kind, inner = described.get("class_name"), described.get("config")
    for key, value in described.items():
        yield from template_findings(key, value)
        items = _plain(value)
        first = items[0] if isinstance(items, list) and items else items
        if isinstance(first, str) and _MARSHALLED.fullmatch(first):
            yield "code", f"has the value {key!r}, which is Python bytecode"
    yield from operation_findings(_operations_in(described))
    yield from _of_files_beside(described)
    for key in ("_target_", "type") if {"idx", "path"} <= described.keys() else ("_target_",):  # sentence-transformers
        if isinstance(described.get(key), str):
            yield from target_findings(described[key])
    if not isinstance(kind, str):
        for key in {"auto_map", "custom_pipelines"} & described.keys():
            yield "code", f"names Python files to run beside it ({key})"
        return
    label = f"{kind} {inner['name']!r}" if isinstance(inner, dict) and isinstance(inner.get("name"), str) else kind
    module, registered = described.get("module"), described.get("registered_name")
    if kind == "__lambda__":
        yield "code", _BYTECODE
    elif kind == "__typespec__":
        yield "code", "names a class of TensorFlow to make with its arguments"
    elif kind in _RUNNERS:
        yield "code", f"{label} {_RUNNERS[kind]}"
    elif kind == "Lambda" and isinstance(inner, dict):
        yield from _of_lambda(label, inner)
    what = inner if kind in ("function", "type") and isinstance(inner, str) else kind
    if isinstance(module, str) and module and _is_outside(module, what):
        yield "code", f"names {module}.{what}, which Keras would import from outside of it"
    elif isinstance(registered, str) and ">" in registered and not registered.startswith("keras"):
        yield "custom", f"{label} is the class {registered} of a program"
    if isinstance(module, str) and module.startswith("keras") and _is_no_layer(module):
        yield "code", f"names {module}.{inner if isinstance(inner, str) else kind}, which is no part of a model"
    if isinstance(inner, dict):
        yield from _of_arguments(label, inner)
        yield from _of_sizes(label, kind, inner, described.get("build_config"), stored)


def target_findings(name: str) -> Iterator[tuple[str, str]]:
    """(rule, sentence) for a name that a config has called: `_target_` of Hydra, as in files of NeMo.

    Args:
        name: `module.name`.
    """
    if name.partition(".")[0] in sys.stdlib_module_names:
        yield "code", f"has {name} called"
    elif not name.startswith("sentence_transformers."):
        yield "custom", f"has {name} called, which a program must have"


def _operations_in(described):
    """Operations of TensorFlow that a config names: of nodes in a graph, of layers that were made of functions."""
    inner = described.get("config")
    if isinstance(described.get("op"), str):
        yield described["op"]
    if isinstance(inner, dict) and isinstance(inner.get("node_def"), str):
        yield from re.findall(r'"op"\s*:\s*"(\w+)"', inner["node_def"])
    if described.get("class_name") == "TFOpLambda" and isinstance(inner, dict):
        words = str(inner.get("function")).rpartition(".")[2].split("_")
        yield "".join(word[:1].upper() + word[1:] for word in words)


def _of_files_beside(described):
    """Files of weights that a list of them says are in another folder."""
    weights, paths = described.get("weight_map"), described.get("paths")
    values = [*weights.values()] if isinstance(weights, dict) else []
    values += paths if isinstance(paths, list) else []
    flat = [name for one in values for name in (one if isinstance(one, list) else [one])]
    for name in dict.fromkeys(name for name in flat if isinstance(name, str)):
        if leads_out(name):
            yield "files", f"takes weights from {name!r}, outside of its folder"


def _is_outside(module, name):
    """Whether a name is found in no module of Keras. Keras writes "builtins" for its own functions."""
    parts = module.split(".")
    if parts[0] == "tensorflow":
        return "keras" not in parts
    return parts[0] not in _KERAS or (parts[0] == "builtins" and hasattr(builtins, name.split(".")[0]))


def _is_no_layer(module):
    return not _NO_PARTS.isdisjoint(module.split("."))


def _of_lambda(label, inner):
    for name in ("function", "output_shape", "mask"):
        function = _plain(inner.get(name))
        if isinstance(function, list) and function and isinstance(function[0], str):
            yield "code", f"{label} {_BYTECODE}"
        elif isinstance(function, (dict, str)) and name == "function":
            if isinstance(function, str) and inner.get("function_type") == "lambda":
                yield "code", f"{label} {_BYTECODE}"
            elif str(called := function.get("config") if isinstance(function, dict) else function) in _TOOLS:
                yield "code", f"{label} calls {called}, which is no part of a model"
            elif not (isinstance(function, dict) and function.get("class_name") == "__lambda__"):
                yield "custom", f"{label} calls a function of a program, or any that Keras finds under its name"


def _plain(value):
    """What a tuple holds, as each Keras writes it; anything else as it is."""
    if isinstance(value, dict) and value.get("class_name") == "__tuple__":
        inner = value.get("config")
        return value.get("items", inner.get("value") if isinstance(inner, dict) else None)
    return value


def _of_arguments(label, inner):
    for name, value in inner.items():
        if name == "vocabulary" and isinstance(value, str):
            yield "files", f"{label} reads the vocabulary {value!r}"
        elif name in ("filepath", "origin", "fname", "path") and isinstance(value, str):
            yield "files", f"{label} names the file {value!r}"


@functools.lru_cache(maxsize=4096)
def _class_of(kind):
    """The class of lamina that has a name, whatever module stands beside it; None if it has none."""
    found = (registry.look_up(f"keras.{family}", kind) for family in _FAMILIES)
    return next((cls for cls in found if isinstance(cls, type)), None)


def _of_sizes(label, kind, inner, built, stored):
    """Numbers that the file does not explain: those that `load_model` refuses, which holds every number against the
    argument that it is for."""
    most, cls = _FREE_BYTES + _RATIO * stored, _class_of(kind)
    if cls is not None:
        try:
            with memory_budget(most, f"the file holds {stored} bytes of arrays"):
                check_sizes(cls, inner, built)
        except UnsafeFileError as error:
            yield "memory", f"{label}: {error.message.removesuffix('.')}"
        except CONFUSED:  # values of another kind
            pass
        return
    for name, value in inner.items():
        if name in _SIZES:
            numbers = value if isinstance(value, list) else [value]
            largest = max((abs(n) for n in numbers if isinstance(n, (int, float)) and n == n), default=0)
            if largest * _BYTES_PER_UNIT > most:
                yield "memory", f"{label} has {name} {largest:.0f}, and the file holds {stored} bytes of arrays"
