"""ExportArchive: functions and their weights as StableHLO, which JAX runs without the code of the model."""

from __future__ import annotations

import io
import itertools
import os
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from lamina.core import context, tree
from lamina.core.dtypes import numpy_dtype
from lamina.core.keywords import keywords
from lamina.core.variable import Variable
from lamina.errors import CallError, ConfigError, FileError
from lamina.kernels.native import without_native
from lamina.layers.base.tracking import unique
from lamina.saving.safety.hdf5 import written

__all__ = ["ExportArchive", "check_format"]

_INSTEAD = {
    "onnx": "jax2onnx, a package of its own",
    "openvino": "openvino.convert_model, from a SavedModel that jax2tf made",
    "litert": "ai_edge_litert, from a SavedModel that jax2tf made",
    "torch": "torch.export in PyTorch",
}
_OF_TENSORFLOW = "jax.experimental.jax2tf.convert(lambda x: model(x)), then tf.saved_model.save"


class ExportArchive:
    """Functions ("endpoints") with the weights that they use, each written as one file that JAX alone can run.

    Writing needs the package flatbuffers.

    Args:
        format: "jax", the only format: StableHLO as `jax.export` serializes it. For formats of other engines
            ("saved_model", "onnx", "openvino", "litert", "torch") the error says which package writes them.

    Raises:
        ConfigError: The format is not "jax".

    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> archive = keras.export.ExportArchive(format="jax")
    >>> archive.track(model)
    >>> serve = archive.add_endpoint("serve", model, [keras.InputSpec(shape=(None, 4), dtype="float32")])
    >>> serve(keras.ops.ones((3, 4))).shape
    (3, 2)

    After `archive.write_out("folder")`, a program without the code of the model runs it:

        serve = jax.export.deserialize(open("folder/serve.jax", "rb").read())
        serve.call(x)
    """

    def __init__(self, format: str = "saved_model", **kwargs: Any) -> None:
        keywords("ExportArchive", kwargs)
        check_format(format)
        self.format: str = format
        self._endpoints, self._collections, self._tracked = {}, {}, []

    @property
    def variables(self) -> list[Variable]:
        """The variables of the tracked layers and models."""
        return unique(variable for resource in self._tracked for variable in _variables_of(resource))

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that an optimizer may change."""
        return [variable for variable in self.variables if variable.trainable]

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that an optimizer does not change."""
        return [variable for variable in self.variables if not variable.trainable]

    def track(self, resource: Any) -> None:
        """Let endpoints use the variables of a resource. Changes that an endpoint makes to them are not kept.

        Args:
            resource: Layer, model or variable.

        Raises:
            CallError: The layer is not built.
        """
        _variables_of(resource)
        self._tracked.append(resource)

    def add_endpoint(
        self, name: str, fn: Callable[..., Any], input_signature: Any = None, **kwargs: Any
    ) -> Callable[..., Any]:
        """Add a function, with the values that its weights have now.

        Args:
            name: Name of the endpoint and of its file.
            fn: Function of arrays.
            input_signature: List with an entry for each argument: an InputSpec, symbolic tensor, array or any object
                with shape and dtype, or a structure of them. None in a shape stands for any size.
            **kwargs: `is_static`, which may only be True: an endpoint keeps no state.

        Returns:
            The exported function, which takes arrays.

        Raises:
            ConfigError: The name or the signature does not fit.
        """
        (is_static,) = keywords("add_endpoint", kwargs, is_static=True)
        if not is_static:
            raise ConfigError("An endpoint keeps no state, so is_static=False cannot be.", fix="Return what changes.")
        if name in self._endpoints:
            raise ConfigError(f"There is an endpoint {name!r} already.", fix="Take another name.")
        if not name.isidentifier():
            raise ConfigError(f"The name of an endpoint is that of its file, of letters and digits; got {name!r}.")
        if input_signature is None:
            raise ConfigError(
                f"The endpoint {name!r} needs an input_signature: shapes and types to compile for.",
                fix="input_signature=[keras.InputSpec(shape=(None, 4), dtype='float32')]",
            )
        self._endpoints[name] = _export(name, fn, input_signature, self.variables)
        return self._endpoints[name].call

    def track_and_add_endpoint(
        self, name: str, resource: Any, input_signature: Any, **kwargs: Any
    ) -> Callable[..., Any]:
        """Track a layer or model and add an endpoint that calls it.

        Args:
            name: Name of the endpoint and of its file.
            resource: Layer or model.
            input_signature: List with an entry for each argument, as in `add_endpoint`.
            **kwargs: Arguments of `add_endpoint`.

        Returns:
            The exported function, which takes arrays.
        """
        self.track(resource)
        return self.add_endpoint(name, resource, input_signature, **kwargs)

    def add_variable_collection(self, name: str, variables: Any) -> None:
        """Write the values of variables too, by their paths.

        Args:
            name: Name of the file, without its ending `.npz`.
            variables: Variable, or a list of variables.
        """
        variables = list(variables) if isinstance(variables, (list, tuple, set)) else [variables]
        for variable in variables:
            if not isinstance(variable, Variable):
                raise ConfigError(f"A collection is of variables; got a {type(variable).__name__}.")
        self._collections[name] = {variable.path: variable.numpy() for variable in variables}

    def write_out(self, filepath: str | os.PathLike[str], options: None = None, verbose: bool = True) -> None:
        """Write each endpoint and each collection as a file.

        Args:
            filepath: Folder for the files.
            options: Settings of TensorFlow; only None is allowed.
            verbose: Whether to print the names of the files.

        Raises:
            CallError: There is no endpoint.
        """
        if options is not None:
            raise ConfigError("options are those of a SavedModel, which this is not.", fix="Leave options out.")
        if not self._endpoints:
            raise CallError("There is nothing to write.", fix="Call add_endpoint first.")
        files = {f"{name}.jax": _serialized(exported) for name, exported in self._endpoints.items()}
        for name, values in self._collections.items():
            buffer = io.BytesIO()
            np.savez(buffer, **values)
            files[f"{name}.npz"] = buffer.getvalue()
        folder = pathlib.Path(filepath)
        if folder.is_file():
            raise FileError(f"{folder} is a file; endpoints are written into a folder.", fix="Take another name.")
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            with written(folder / name) as beside:
                pathlib.Path(beside).write_bytes(data)
        if verbose:
            print(f"Saved {', '.join(files)} to {folder}.")


def check_format(format: str) -> None:
    """Raise ConfigError, which names the package that writes the format, unless the format is "jax".

    Args:
        format: Name of a format.
    """
    if format != "jax":
        instead = _INSTEAD.get(format, _OF_TENSORFLOW)
        raise ConfigError(
            f"The format {format!r} is of another engine; only 'jax' (StableHLO) is written here.",
            fix=f"format='jax'; for {format!r} itself: {instead}.",
        )


def _variables_of(resource):
    if isinstance(resource, Variable):
        return [resource]
    if not hasattr(resource, "variables"):
        raise ConfigError(f"Layers, models and variables can be tracked; got a {type(resource).__name__}.")
    if getattr(resource, "built", True) is False:
        raise CallError(f"{resource.name} is not built: it has no weights yet.", fix="Call it once first.")
    return list(resource.variables)


def _export(name, function, signature, variables):
    values = [variable.read() for variable in variables]

    def run(*args):
        with context.bind(variables, values):  # assignments of the function end with the block
            return function(*args)

    structs = _structs(signature)
    try:
        with without_native():
            return jax.export.export(jax.jit(run))(*structs)
    except Exception as error:
        error.add_note(
            f"In the endpoint {name!r}, for {structs}. A function that needs sizes as numbers is exported with fixed "
            "ones: no None in the input_signature."
        )
        raise


def _structs(signature):
    """Shapes and types for `jax.export`. The first axes share one symbolic size, each other None has its own."""
    scope, names = jax.export.SymbolicScope(), (f"size{number}" for number in itertools.count())

    def struct(spec):
        shape, dtype = spec.shape, getattr(spec, "dtype", None)
        if shape is None or dtype is None:
            raise ConfigError(
                f"An input_signature has shapes and types; got {spec!r}.", fix="InputSpec(shape=, dtype=)"
            )
        sizes = [str(size) if size is not None else next(names) if axis else "batch" for axis, size in enumerate(shape)]
        return jax.ShapeDtypeStruct(jax.export.symbolic_shape(", ".join(sizes), scope=scope), numpy_dtype(dtype))

    arguments = signature if isinstance(signature, (list, tuple)) else [signature]
    return [tree.map_structure(struct, spec) for spec in arguments]


def _serialized(exported):
    try:
        return bytes(exported.serialize())
    except ImportError as error:
        raise ImportError("jax.export writes files with flatbuffers: pip install flatbuffers.") from error
