"""A SavedModel: each endpoint is a function with one node, XlaCallModule, that holds the StableHLO with its weights."""

from __future__ import annotations

import contextlib
import functools
import pathlib
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import jax
from jax.extend.mlir import ir, passmanager
from jax.extend.mlir.dialects import sdy, stablehlo

from lamina.core.tree import keys_of
from lamina.errors import ConfigError
from lamina.export.savedmodel.bundle import GRAPH_KEY, write_bundle
from lamina.export.savedmodel.messages import (
    argument_spec,
    attribute,
    data_type,
    entries,
    node,
    shape_of,
    structure,
    types,
)  # fmt: skip
from lamina.runtime.protobufs import encode

__all__ = ["ALSO_WRITTEN", "load_saved_model", "saved_model_files", "stablehlo_of"]

ALSO_WRITTEN: list[Any] = []
"""Functions of (endpoints, folder) that write more: for TensorFlow programs, what their `tf.saved_model.load` reads."""

LIMIT = 2**31 - 1  # bytes of a protocol buffer
_VERSIONS = encode((1, 1), (2, 1))
_STABLEHLO = (
    "1.0.0",
    "1.4.0",
    "1.8.0",
    "1.12.0",
)  # versions of StableHLO, of which the first that can say it is written
_OF_JAX = ("lapack_", "blas_")  # functions that JAX brings and TensorFlow lacks


def saved_model_files(endpoints: Mapping[str, Any], folder: pathlib.Path) -> None:
    """Write the files of a SavedModel that has a signature for each endpoint; the first is "serving_default" too.

    Args:
        endpoints: The `lamina.export.endpoint.Endpoint` of each name.
        folder: Folder, which is there.

    Raises:
        ConfigError: The weights need more than the 2 GB that a SavedModel's graph can have.
    """
    functions = [_Function(name, endpoint) for name, endpoint in endpoints.items()]
    signatures = (
        [*functions] if "serving_default" in endpoints else [functions[0].renamed("serving_default"), *functions]
    )
    size = sum(len(function.module) for function in functions)
    if size > LIMIT - 2**20:
        raise ConfigError(
            f"The graph of a SavedModel holds up to 2 GB; the programs have {size / 1e9:.1f} GB.",
            fix='model.export("name.jax")',
        )
    nodes, library = [], []
    for function in functions:
        library.append(function.definition())
    for signature in signatures:
        library.append(signature.wrapper())
        nodes += signature.nodes()
    nodes += [
        node("saver_filename", "Placeholder", dtype=encode((6, 7)), shape=encode((7, b""))),
        node("restore", "NoOp"),
    ]
    graph = encode(
        *((1, each) for each in nodes),
        (2, encode(*((1, each) for each in library))),
        (4, encode((1, 1994), (2, 12))),
    )
    saver = encode((1, "saver_filename:0"), (2, "saver_filename:0"), (3, "restore"), (7, 2))
    about = encode((4, "serve"), (5, "2.17.0"), (7, True))
    objects, bundle = _objects(functions, signatures)
    meta = encode(
        (1, about),
        (2, graph),
        (3, saver),
        *entries(5, {each.name: each.signature() for each in signatures}),
        (7, objects),
    )
    (folder / "saved_model.pb").write_bytes(encode((1, 1), (2, meta)))
    write_bundle(folder / "variables" / "variables", {GRAPH_KEY: bundle})
    for write in ALSO_WRITTEN:
        write(endpoints, folder)


def stablehlo_of(exported: Any) -> bytes:
    """The program in an old version of StableHLO, which old releases of TensorFlow read.

    Args:
        exported: A `jax.export.Exported`.

    Raises:
        ConfigError: It calls a function of JAX's that TensorFlow lacks.
    """
    data, called = bytes(exported.mlir_module_serialized), set()

    def collect(operation):
        if operation.name == "stablehlo.custom_call":
            called.add(ir.StringAttr(operation.attributes["call_target_name"]).value)
        return ir.WalkResult.ADVANCE

    with ir.Context() as context:
        context.attach_diagnostic_handler(lambda problem: True)  # nothing is printed of versions that cannot say it
        stablehlo.register_dialect(context)
        sdy.register_dialect(context)  # of shardings, which linear algebra mentions
        stablehlo.register_stablehlo_passes()
        module = stablehlo.deserialize_portable_artifact(context, data)
        passmanager.PassManager.parse("builtin.module(func.func(stablehlo-legalize-composite-to-call))").run(
            module.operation
        )
        module.operation.walk(collect)
        lacking = sorted(name for name in called if name.startswith(_OF_JAX))
        if lacking:
            raise ConfigError(
                f"TensorFlow has no {lacking[0]!r}, which JAX calls for linear algebra.", fix='model.export("m.jax")'
            )
        for version in _STABLEHLO:
            with contextlib.suppress(ValueError, ir.MLIRError):
                return bytes(stablehlo.serialize_portable_artifact(module, version))
    return data


class _Function:
    """An endpoint as functions of TensorFlow."""

    def __init__(self, name, endpoint):
        self.name, self.endpoint, self.exported = name, endpoint, endpoint.exported
        self.inner, self.outer = f"__inference_{name}", f"__inference_signature_{name}"
        self.inputs = self._specs(self.exported.in_avals, self.exported.in_tree, endpoint.input_names, "inputs")
        self.outputs = self._specs(self.exported.out_avals, self.exported.out_tree, endpoint.output_names, "output_0")
        (args, _) = jax.tree_util.tree_unflatten(self.exported.in_tree, self.inputs)
        self.arguments = tuple(args)
        self.by_name, self.results_by_name = (
            sorted(specs, key=lambda spec: spec.name) for specs in (self.inputs, self.outputs)
        )  # the order in which TensorFlow has the leaves of a dict

    @functools.cached_property
    def module(self):
        """The StableHLO."""
        return self.endpoint.serialized()

    def renamed(self, name):
        """The same endpoint under another name."""
        other = _Function(name, self.endpoint)
        other.inner = self.inner
        return other

    def _specs(self, avals, tree, names, hint):
        names = names or keys_of(jax.tree_util.tree_unflatten(tree, avals))
        if names is None or len(set(names)) != len(avals):
            stem = hint.removesuffix("_0")
            many = [f"{stem}_{number}" for number in range(len(avals))]
            names = [hint] if len(avals) == 1 else many
        names = [_plain(name) for name in names]
        return [SimpleNamespace(name=n, shape=a.shape, dtype=a.dtype) for n, a in zip(names, avals, strict=True)]

    def definition(self):
        """The function with the structure of the endpoint: one node."""
        exported = self.exported
        kept = [self.inputs[place] for place in exported.module_kept_var_idx]
        call = node(
            "call", "XlaCallModule", [_argument(spec) for spec in kept],
            version=attribute(int(exported.calling_convention_version)),
            module=attribute(self.module),
            Tin=types(spec.dtype for spec in kept), Tout=types(spec.dtype for spec in self.outputs),
            Sout=encode((1, encode(*((7, shape_of(spec.shape)) for spec in self.outputs)))),
            platforms=attribute([platform.upper() for platform in exported.platforms]),
            function_list=encode((1, b"")), has_token_input_output=encode((5, False)),
            dim_args_spec=attribute([]), disabled_checks=attribute([]),
        )  # fmt: skip
        return self._function(self.inner, self.inputs, [call], self.outputs)

    def wrapper(self):
        """The function of the signature: inputs by name, in their order, and a dict of outputs."""
        call = node(
            "call", "StatefulPartitionedCall", [_argument(spec) for spec in self.inputs],
            f=encode((10, encode((1, self.inner)))),
            Tin=types(spec.dtype for spec in self.inputs), Tout=types(spec.dtype for spec in self.outputs),
        )  # fmt: skip
        return self._function(self.outer, self.by_name, [call], self.results_by_name)

    def _function(self, name, inputs, nodes, outputs):
        """A function that returns outputs of its node `call`, which has them in the order of the endpoint."""
        arguments = [(2, encode((1, _argument(spec)), (3, data_type(spec.dtype)))) for spec in inputs]
        results = [(3, encode((1, f"result_{n}"), (3, data_type(s.dtype)))) for n, s in enumerate(outputs)]
        signature = encode((1, name), *arguments, *results, (17, True))
        places = [self.outputs.index(spec) for spec in outputs]
        returned = {f"result_{number}": f"call:output:{place}" for number, place in enumerate(places)}
        shapes = encode((1, encode(*((7, shape_of(spec.shape)) for spec in inputs))))
        return encode(
            (1, signature),
            *((3, each) for each in nodes),
            *entries(4, returned),
            *entries(5, {"_input_shapes": shapes}),
        )

    def nodes(self):
        """The placeholders and the call of a signature, for sessions and servers."""
        made = [
            node(f"{self.name}_{spec.name}", "Placeholder", dtype=encode((6, data_type(spec.dtype))),
                 shape=encode((7, shape_of(spec.shape))))
            for spec in self.by_name
        ]  # fmt: skip
        call = node(
            f"{self.name}_call", "StatefulPartitionedCall", [f"{self.name}_{spec.name}" for spec in self.by_name],
            f=encode((10, encode((1, self.outer)))),
            Tin=types(spec.dtype for spec in self.by_name), Tout=types(spec.dtype for spec in self.results_by_name),
        )  # fmt: skip
        return [*made, call]

    def signature(self):
        """The SignatureDef."""

        def info(name, spec):
            return encode((1, name), (2, data_type(spec.dtype)), (3, shape_of(spec.shape)))

        inputs = {spec.name: info(f"{self.name}_{spec.name}:0", spec) for spec in self.by_name}
        outputs = {
            spec.name: info(f"{self.name}_call:{place}", spec) for place, spec in enumerate(self.results_by_name)
        }
        return encode(*entries(1, inputs), *entries(2, outputs), (3, "tensorflow/serving/predict"))


def _plain(name):
    """A name that TensorFlow takes for a node or argument."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter == "_") else "_" for letter in name)


def _argument(spec):
    """The name of an argument of a function, which begins with a letter."""
    return f"in_{spec.name.lower()}"


def _objects(functions, signatures):
    """(SavedObjectGraph, TrackableObjectGraph): root, functions, the map of signatures, concrete functions."""
    root, concrete, links = [], {}, []
    places = {function.name: 1 + place for place, function in enumerate(functions)}
    map_place = 1 + len(functions)
    links.append([*((place, name) for name, place in places.items()), (map_place, "signatures")])
    user = encode((4, encode((1, "_generic_user_object"), (2, _VERSIONS))))
    root.append(user)
    for function in functions:
        names = [f"arg_{place}" for place in range(len(function.arguments))] or []
        names = [function.inputs[0].name] if len(names) == 1 and len(function.inputs) == 1 else names
        root.append(encode((6, encode((1, function.inner), (2, argument_spec(names, (), function.arguments))))))
        result = jax.tree_util.tree_unflatten(function.exported.out_tree, function.outputs)
        concrete[function.inner] = encode((3, structure((function.arguments, {}))), (4, structure(result)))
        links.append([])
    first = map_place + 1
    root.append(encode((4, encode((1, "signature_map"), (2, _VERSIONS)))))
    links.append([(first + place, signature.name) for place, signature in enumerate(signatures)])
    for signature in signatures:
        names = [spec.name for spec in signature.by_name]
        bare = encode(
            (1, signature.outer), *((2, name) for name in names), (3, len(names) == 1), (4, argument_spec((), names))
        )
        root.append(encode((8, bare)))
        by_name, outputs = ({spec.name: spec for spec in specs} for specs in (signature.inputs, signature.outputs))
        concrete[signature.outer] = encode((3, structure(((), by_name))), (4, structure(outputs)))
        links.append([])
    children = [[(1, encode((1, place), (2, name))) for place, name in of] for of in links]
    nodes = [(1, encode(*of) + each) for of, each in zip(children, root, strict=True)]
    tracked = [(1, encode(*of, (5, b""))) for of in children]
    return encode(*nodes, *entries(2, concrete)), encode(*tracked)


def load_saved_model(folder: pathlib.Path, endpoint: Any) -> Any:
    """What runs the signature "serving_default" in TensorFlow, a function from inputs to outputs in their order.

    Args:
        folder: The SavedModel.
        endpoint: The endpoint that was written.

    Raises:
        ImportError: TensorFlow is not installed.
    """
    import tensorflow  # pyright: ignore[reportMissingImports]

    function = _Function("serving_default", endpoint)
    loaded = tensorflow.saved_model.load(str(folder))  # which owns what the signature runs

    def run(arrays):
        inputs = {spec.name: array for spec, array in zip(function.inputs, arrays, strict=True)}
        results = loaded.signatures["serving_default"](**inputs)
        return [results[spec.name].numpy() for spec in function.outputs]

    return run
