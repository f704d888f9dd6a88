"""`model.export`: the model as one file, compared with `predict`, and a report of it."""

from __future__ import annotations

import collections
import functools
import os
import pathlib
import tempfile
import time
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np

from lamina.core.keywords import keywords
from lamina.errors import ConfigError, FileError
from lamina.export.archive import ExportArchive
from lamina.export.endpoint import Endpoint
from lamina.export.formats import ENDINGS, FOLDERS, format_of
from lamina.export.tensorflowjs.writing import write_tensorflowjs
from lamina.saving.formats.tensorflowjs import load_tensorflowjs
from lamina.saving.safety.hdf5 import written

__all__ = ["write_model"]

TOLERANCE = 1e-4  # of the largest output, in float32
HALF_TOLERANCE = 2e-2  # where a part of the model computes in 16 bits
SIZES = (8, 16, 64, 256)  # tried in turn for open sizes other than that of the batch, as multiples of what they need


def write_model(
    model: Any, filepath: str | os.PathLike[str], format: str | None, verbose: bool, input_signature: Any, **kwargs: Any
) -> None:
    """What `Model.export` does; see there.

    Args:
        model: Model.
        filepath: File or folder.
        format: Name of the format; None means that of the ending.
        verbose: Whether to print the report.
        input_signature: Shapes and types of the inputs; None means those of the model.
        **kwargs: `opset_version`, `verify`, `is_static`, `weight_type`.
    """
    opset, verify, is_static, weight_type = keywords(
        "export", kwargs, opset_version=None, verify=True, is_static=True, weight_type=None
    )
    format = format_of(filepath, format)
    if format in FOLDERS:
        return _write_folder(model, pathlib.Path(filepath), weight_type, verify, verbose)
    if weight_type is not None:
        raise ConfigError(f"weight_type is of TensorFlow.js; the format is {format!r}.", fix='format="tfjs"')
    signature = input_signature or model._symbolic_inputs()
    archive = ExportArchive(format)
    names = {"input_names": _input_names(signature), "output_names": _output_names(model)}
    archive.track_and_add_endpoint("serve", model, signature, is_static=is_static, opset_version=opset, **names)
    data = _serialized(model, archive)
    report = [_size(len(data)), *(_operators(data, format) if format == "onnx" else [])]
    if verify:
        report += compare(model, archive._endpoints["serve"], data, format)
    target = pathlib.Path(filepath)
    if target.suffix != ENDINGS[format]:
        target.mkdir(parents=True, exist_ok=True)
        target = target / f"serve{ENDINGS[format]}"
    with written(target) as beside:
        pathlib.Path(beside).write_bytes(data)
    if verbose:
        print(f"Saved {target}: {'; '.join(report)}.")


def _write_folder(model, folder, weight_type, verify, verbose):
    """TensorFlow.js: written and read beside the folder first, so that what is refused leaves no file."""
    if folder.is_file():
        raise FileError(
            f"{folder} is a file; this format is a folder.",
            fix=f"model.export({str(folder) + '_tfjs'!r}, format='tfjs')",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as beside:
        files = write_tensorflowjs(model, pathlib.Path(beside), weight_type)
        report = [_size(sum(pathlib.Path(beside, name).stat().st_size for name in files)), f"{len(files)} files"]
        if verify:
            report += _compare_folder(model, pathlib.Path(beside), weight_type)
        folder.mkdir(exist_ok=True)
        for name in reversed(files):  # model.json, which names the others, is the first of them
            os.replace(pathlib.Path(beside, name), folder / name)
    if verbose:
        print(f"Saved {folder}: {'; '.join(report)}.")


def _compare_folder(model, folder, weight_type):
    """What the files give where lamina reads them, beside `predict`."""
    numbers = any(type(layer).__name__ == "Embedding" for layer in model._flatten_layers())
    avals = [
        SimpleNamespace(
            shape=("batch", *("any" if size is None else size for size in tensor.shape[1:])),
            dtype=np.dtype("int32" if numbers else tensor.dtype),
        )
        for tensor in model.inputs
    ]
    fitting = _fitting(model, avals)
    if fitting is None:
        return ["not compared with predict: no inputs were found that it takes"]
    inputs, wanted = fitting
    read = load_tensorflowjs(folder / "model.json", compile=False)
    results = jax.tree_util.tree_leaves(read.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0))
    worst = max((_difference(a, b) for a, b in zip(results, wanted, strict=True)), default=0.0)
    if weight_type in (None, "float32"):
        _check_equal(worst)
    return [f"read again it differs from predict by {worst:.0e} of the largest output"]


def _check_equal(worst, tolerance=TOLERANCE):
    if not worst <= tolerance:
        raise ConfigError(
            f"The exported program differs from predict by {worst:.1e} of the largest output, so nothing was written.",
            fix="verify=False writes it all the same; please report the model.",
        )


def _serialized(model, archive):
    """The file; an error names the layer that the format cannot say."""
    try:
        return archive.serialized("serve")
    except ConfigError as error:
        for layer in model.layers:
            if not _is_written(layer, archive):
                error.where = f"In the layer {layer.name!r}, a {type(layer).__name__}."
        raise


def _is_written(layer, archive):
    try:
        inputs = layer.input
    except (AttributeError, ValueError):  # of a subclassed model, or called more than once
        return True
    try:
        function = functools.partial(layer, training=False)
        Endpoint(layer.name, function, [inputs], layer.variables, archive.format).serialized()
    except ConfigError:
        return False
    return True


def _input_names(signature):
    """The names of symbolic tensors and specs, if each has one."""
    names = [getattr(leaf, "name", None) for leaf in jax.tree_util.tree_leaves(list(signature))]
    return names if all(names) else None


def _output_names(model):
    """The names of the outputs in the order in which JAX flattens them: dicts by their sorted keys."""
    names = model.output_names
    if names is None:
        return None
    outputs = model.output
    return sorted(outputs) if isinstance(outputs, dict) else list(names)


def _size(count):
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 else f"{count / 1e3:,.1f} KB"


def _operators(data, format):
    import onnx

    proto = onnx.load_from_string(data)
    counts = collections.Counter(node.op_type for node in proto.graph.node).most_common()
    most = ", ".join(f"{count} {kind}" for kind, count in counts[:4]) + ", ..." * (len(counts) > 4)
    return [f"opset {proto.opset_import[0].version}, {len(proto.graph.node)} operators ({most})"]


def compare(model: Any, endpoint: Any, data: bytes, format: str) -> list[str]:
    """What a runtime says to random inputs, beside `predict`.

    Args:
        model: Model.
        endpoint: Its endpoint.
        data: The file.
        format: "jax" or "onnx".

    Returns:
        Sentences for the report; none if no runtime is installed.

    Raises:
        ConfigError: The results differ from those of `predict`.
    """
    run = _runtime(endpoint, data, format)
    if run is None:
        return ["not run, for onnxruntime is not installed"]
    fitting = _fitting(model, endpoint.input_avals)
    if fitting is None:
        return ["not compared with predict: no inputs were found that it takes"]
    inputs, wanted = fitting
    worst = max((_difference(a, b) for a, b in zip(run(inputs), wanted, strict=True)), default=0.0)
    halves = any("16" in str(layer.compute_dtype) for layer in model._flatten_layers())
    _check_equal(worst, HALF_TOLERANCE if halves else TOLERANCE)
    single = [array[:1] for array in inputs]
    run(single)
    start = time.perf_counter()
    run(single)
    elapsed = (time.perf_counter() - start) * 1e3
    return [f"differs from predict by {worst:.0e} of the largest output", f"one sample takes {elapsed:.2f} ms"]


def _runtime(endpoint, data, format):
    """A function from a list of arrays to a list of arrays."""
    if format == "jax":
        exported = jax.export.deserialize(bytearray(data))

        def run(arrays):
            args, _ = jax.tree_util.tree_unflatten(exported.in_tree, arrays)
            return [np.asarray(array) for array in jax.tree_util.tree_leaves(exported.call(*args))]

        return run
    try:
        import onnxruntime  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    needed = endpoint.program.input_names
    return lambda arrays: session.run(None, {n: a for n, a in zip(needed, arrays, strict=True) if n in names})


def _fitting(model, avals):
    """(random inputs for two samples that `predict` takes, what it gives for them), or None."""
    structure = jax.tree_util.tree_structure(model._symbolic_inputs())
    for size in SIZES:
        generator = np.random.default_rng(0)
        inputs = [_random(generator, aval, size) for aval in avals]
        arguments = jax.tree_util.tree_unflatten(structure, inputs)
        try:
            results = model.predict(arguments[0] if len(arguments) == 1 else arguments, verbose=0)
        except (TypeError, ValueError):  # ConfigError and ShapeError are ValueErrors
            continue
        return inputs, jax.tree_util.tree_leaves(results)
    return None


def _random(generator, aval, size):
    shape = [2 if str(n) == "batch" else n if isinstance(n, int) else _factor(n) * size for n in aval.shape]
    if aval.dtype.kind == "f" or str(aval.dtype) == "bfloat16":
        return generator.random(shape).astype(aval.dtype)
    return generator.integers(0, 2, shape).astype(aval.dtype)


def _factor(size):
    factor, _, _ = str(size).rpartition("*")
    return int(factor or 1)


def _difference(result, wanted):
    if result.shape != wanted.shape:
        return float("inf")
    result, wanted = np.asarray(result, np.float64), np.asarray(wanted, np.float64)
    both = np.isfinite(result) & np.isfinite(wanted)
    if not np.array_equal(np.isnan(result), np.isnan(wanted)):
        return float("inf")
    return float(np.abs(result - wanted)[both].max(initial=0) / max(np.abs(wanted[both]).max(initial=0), 1e-30))
