"""Writers of the formats that hold functions: StableHLO and ONNX. An error names the layer that cannot be said."""

from __future__ import annotations

import collections
import importlib.util
import pathlib
import re
from typing import Any

import jax.export
import numpy as np

from lamina.errors import ConfigError
from lamina.export.archive import ExportArchive
from lamina.export.endpoint import PLATFORMS, Endpoint
from lamina.export.onnx.model import check_operators
from lamina.export.onnx.text import texts_of
from lamina.export.report import Written
from lamina.export.savedmodel.model import load_saved_model, saved_model_files

__all__ = ["endpoint_of", "write_jax", "write_onnx", "write_saved_model"]


def write_jax(model: Any, signature: Any, target: pathlib.Path) -> Written:
    """Write StableHLO, as `jax.export` serializes it.

    Args:
        model: Model.
        signature: Shapes and types of its inputs.
        target: File.
    """
    endpoint, data = endpoint_of(model, signature, "jax")
    target.write_bytes(data)

    return Written(endpoint.input_avals, "jax", lambda: _in_jax(data), _operators(endpoint), *_platforms(endpoint))


def _in_jax(data):
    exported = jax.export.deserialize(bytearray(data))

    def run(arrays):
        args, _ = jax.tree_util.tree_unflatten(exported.in_tree, arrays)
        return [np.asarray(array) for array in jax.tree_util.tree_leaves(exported.call(*args))]

    return run


def _platforms(endpoint):
    """The facts and what is lost: the platforms that the program is lowered for."""
    platforms = endpoint.exported.platforms
    others = [name for name in PLATFORMS if name not in platforms]
    return [f"for {', '.join(platforms)}"], [f"platforms without an operator of the model: {', '.join(others)}"] * any(
        others
    )


def _operators(endpoint):
    """How often each operator occurs; where each platform has a branch of its own, in the first."""
    counts, platform, branching, skipped = collections.Counter(), set(), set(), None
    for line in endpoint.exported.mlir_module().splitlines():
        text = line.lstrip()
        indent = len(line) - len(text)
        if skipped is not None:
            skipped = None if indent == skipped and text.startswith("})") else skipped
        elif indent in branching and text.startswith("}, {"):
            skipped = indent
        elif case := re.match(r'(%\w+) = "stablehlo.case"\((%\w+)\)', text):
            (branching.add if case[2] in platform else branching.discard)(indent)
            if case[2] in platform:
                platform.add(case[1])
            else:
                counts["case"] += 1
        else:
            if text.startswith("func.func"):
                platform = set(re.findall(r'(%\w+): tensor<i32> \{jax.global_constant = "_platform_index"', text))
            counts.update(re.findall(r" = \"?stablehlo\.(\w+)", text))
    return counts


def write_onnx(model: Any, signature: Any, target: pathlib.Path, opset_version: int | None = None) -> Written:
    """Write ONNX.

    Args:
        model: Model.
        signature: Shapes and types of its inputs.
        target: File.
        opset_version: Version of the operators.
    """
    texts = texts_of(model)
    endpoint, data = endpoint_of(texts or model, texts.signature if texts else signature, "onnx", opset_version)
    import onnx  # which the line above asks for

    proto, avals = onnx.load_from_string(data), endpoint.input_avals
    if texts:
        avals = texts.avals(avals)
        texts.attach(proto, avals)
        check_operators(proto.graph.node, proto.opset_import[0].version)
        data = proto.SerializeToString()
    target.write_bytes(data)
    needed = [value.name for value in proto.graph.input]

    def load():
        try:
            import onnxruntime  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise ImportError("pip install onnxruntime compares it with predict") from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        names = [value.name for value in session.get_inputs()]

        def run(arrays):
            wide = [a.astype(np.float32) if str(a.dtype) == "bfloat16" else a for a in arrays]
            return session.run(None, {n: a for n, a in zip(needed, wide, strict=True) if n in names})

        return run

    operators = collections.Counter(node.op_type for node in proto.graph.node)
    opset = f"opset {proto.opset_import[0].version}"
    wide = any(str(layer.compute_dtype) == "bfloat16" for layer in model._flatten_layers())
    lost = ["bfloat16, which is computed in float32"] if wide else []
    return Written(avals, "onnxruntime", load, operators, [opset], lost, endpoint.program.tolerance)


def write_saved_model(model: Any, signature: Any, target: pathlib.Path) -> Written:
    """Write a SavedModel of TensorFlow.

    Args:
        model: Model.
        signature: Shapes and types of its inputs.
        target: Folder.
    """
    endpoint, _ = endpoint_of(model, signature, "tf_saved_model")
    saved_model_files({"serve": endpoint}, target)

    def load():
        try:
            return load_saved_model(target, endpoint)
        except ImportError:  # the program in it is StableHLO
            return _in_jax(bytes(endpoint.exported.serialize()))

    facts, lost = _platforms(endpoint)
    lost.append("gradients: TensorFlow runs the program and does not differentiate it")
    name = "tensorflow" if importlib.util.find_spec("tensorflow") else "jax"
    return Written(endpoint.input_avals, name, load, _operators(endpoint), facts, lost, last="saved_model.pb")


def endpoint_of(model: Any, signature: Any, format: str, opset_version: int | None = None) -> tuple[Endpoint, bytes]:
    """The endpoint of a model called for inference, and its file.

    Args:
        model: Model.
        signature: Shapes and types of its inputs.
        format: Name of the format.
        opset_version: Version of the operators of ONNX.

    Raises:
        ConfigError: The format cannot say a layer, which the error names.
    """
    archive = ExportArchive(format)
    archive.track_and_add_endpoint("serve", model, signature, opset_version=opset_version)
    try:
        return archive._endpoints["serve"], archive.serialized("serve")
    except ConfigError as error:
        for operation in getattr(model, "operations", None) or model.layers:
            if not _is_written(operation, archive):
                kind = type(operation).__name__
                is_layer = hasattr(operation, "variables")
                error.where = f"In the layer {operation.name!r}, a {kind}." if is_layer else f"In keras.ops.{kind}."
                break
        raise


def _is_written(operation, archive):
    """Whether the first call of a layer or operation in the graph can be written by itself."""
    nodes = getattr(operation, "_inbound_nodes", ())
    if not nodes or nodes[0].is_input:
        return True

    def call(*values):
        args, kwargs = nodes[0].fill(
            {id(tensor): value for tensor, value in zip(nodes[0].tensors, values, strict=True)}
        )
        return operation(*args, **({**kwargs, "training": False} if hasattr(operation, "variables") else kwargs))

    try:
        variables = getattr(operation, "variables", ())
        Endpoint(operation.name, call, nodes[0].tensors, variables, archive.format).serialized()
    except ConfigError:
        return False
    return True
