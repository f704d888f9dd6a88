"""ExportArchive: functions and their weights as programs that run without the code of the model."""

from __future__ import annotations

import functools
import inspect
import os
import pathlib
import re
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from lamina.core.keywords import keywords
from lamina.core.variable import Variable
from lamina.errors import CallError, ConfigError
from lamina.export.endpoint import Endpoint
from lamina.export.formats import FORMATS, check_format
from lamina.export.placing import beside, check_folder, files_in
from lamina.export.savedmodel.model import saved_model_files
from lamina.layers.base.tracking import unique
from lamina.runtime.tracebacks import filters_traceback

__all__ = ["ExportArchive"]


class ExportArchive:
    """Functions ("endpoints") with the weights that they use, each written as one file or together as a SavedModel.

    Args:
        format: "tf_saved_model", one SavedModel with a signature for each endpoint, which needs no TensorFlow to be
            written; "jax", StableHLO as `jax.export` serializes it, which JAX alone runs; "onnx", which needs the
            package onnx; or "litert", TFLite files. None means "tf_saved_model", the default of Keras. For the formats
            of other engines ("openvino", "torch") the error says how to get there.

    Raises:
        ConfigError: The format is another one.

    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> archive = keras.export.ExportArchive()
    >>> archive.track(model)
    >>> serve = archive.add_endpoint("serve", model, [keras.InputSpec(shape=(None, 4), dtype="float32")])
    >>> serve(keras.ops.ones((3, 4))).shape
    (3, 2)

    After `archive.write_out("folder")`, TensorFlow and its servers run it without the code of the model:

        loaded = tf.saved_model.load("folder")
        loaded.serve(x)
    """

    def __init__(self, format: str | None = None, **kwargs: Any) -> None:
        keywords("ExportArchive", kwargs)
        self.format: str = check_format(format or "tf_saved_model")
        if not FORMATS[self.format].endpoints:
            raise ConfigError(
                f"Endpoints are functions, and the format {self.format!r} has models only.",
                fix=FORMATS[self.format].example,
            )
        self._endpoints: dict[str, Endpoint] = {}
        self._collections, self._tracked = {}, []

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
        _check_tracked(resource)
        self._tracked.append(resource)

    @filters_traceback
    def add_endpoint(
        self, name: str, fn: Callable[..., Any], input_signature: Any = None, **kwargs: Any
    ) -> Callable[..., Any]:
        """Add a function, with the values that its weights have now.

        Args:
            name: Name of the endpoint and of its file.
            fn: Function of arrays.
            input_signature: List with an entry for each argument: an InputSpec, symbolic tensor, array or any object
                with shape and dtype, or a structure of them. None in a shape stands for any size.
            **kwargs: `is_static`, which may only be True: an endpoint keeps no state; `input_names` and `output_names`
                of ONNX and SavedModels, by default those of the signature or of the arguments of `fn`; `opset_version`
                of ONNX.

        Returns:
            The exported function, which takes arrays.

        Raises:
            ConfigError: The name or the signature does not fit.
        """
        is_static, opset, inputs, outputs = keywords(
            "add_endpoint", kwargs, is_static=True, opset_version=None, input_names=None, output_names=None
        )
        if not is_static:
            raise ConfigError(
                "An endpoint keeps no state between calls, so is_static=False is not possible.",
                fix="Leave is_static out, and return what changes as a further output.",
            )
        if name in self._endpoints:
            raise ConfigError(f"There is an endpoint {name!r} already.", fix=f"add_endpoint({name + '_2'!r}, ...)")
        if not name.isidentifier():
            raise ConfigError(
                f"The name of an endpoint is that of its file, of letters, digits and _; got {name!r}.",
                fix=f"add_endpoint({re.sub(r'[^0-9A-Za-z_]+', '_', f'_{name}').strip('_') or 'serve'!r}, ...)",
            )
        if input_signature is None:
            raise ConfigError(
                f"The endpoint {name!r} needs an input_signature: shapes and types to compile for.",
                fix="input_signature=[keras.InputSpec(shape=(None, 4), dtype='float32')]",
            )
        inputs = inputs or _input_names(input_signature, fn)
        endpoint = Endpoint(name, fn, input_signature, self.variables, self.format, opset, inputs, outputs)
        self._endpoints[name] = endpoint
        return endpoint.call

    def track_and_add_endpoint(
        self, name: str, resource: Any, input_signature: Any, **kwargs: Any
    ) -> Callable[..., Any]:
        """Track a layer or model and add an endpoint that calls it for inference.

        Args:
            name: Name of the endpoint and of its file.
            resource: Layer or model.
            input_signature: List with an entry for each argument, as in `add_endpoint`.
            **kwargs: Arguments of `add_endpoint`.

        Returns:
            The exported function, which takes arrays.
        """
        self.track(resource)
        if hasattr(resource, "output_names"):
            kwargs.setdefault("output_names", _output_names(resource))
        return self.add_endpoint(name, functools.partial(resource, training=False), input_signature, **kwargs)

    def add_variable_collection(self, name: str, variables: Any) -> None:
        """Write the values of variables too, by their paths.

        Args:
            name: Name of the file, without its ending `.npz`.
            variables: Variable, or a list of variables.
        """
        variables = list(variables) if isinstance(variables, (list, tuple, set)) else [variables]
        for variable in variables:
            if not isinstance(variable, Variable):
                raise ConfigError(
                    f"A collection is of variables; got a {type(variable).__name__}.",
                    fix="add_variable_collection(name, model.variables)",
                )
        self._collections[name] = {variable.path: variable.numpy() for variable in variables}

    def write_out(self, filepath: str | os.PathLike[str], options: None = None, verbose: bool = True) -> None:
        """Write each endpoint and each collection as a file, or all endpoints as one SavedModel.

        Args:
            filepath: Folder for the files.
            options: Settings of TensorFlow; only None is allowed.
            verbose: Whether to print the names of the files.

        Raises:
            CallError: There is no endpoint.
        """
        if options is not None:
            raise ConfigError("options are settings of TensorFlow's own writer, which is not used.", fix="options=None")
        if not self._endpoints:
            raise CallError("There is nothing to write: no endpoint was added.", fix="Call add_endpoint first.")
        folder, ending = pathlib.Path(filepath), FORMATS[self.format].ending
        check_folder(folder, f"write_out({str(folder) + '_export'!r})")
        with beside(folder, is_folder=True) as place:
            if self.format == "tf_saved_model":
                saved_model_files(self._endpoints, place)
            else:
                for name in self._endpoints:
                    (place / f"{name}{ending}").write_bytes(self.serialized(name))
            for name, values in self._collections.items():
                np.savez(place / f"{name}.npz", **values)
            files = files_in(place)
        if verbose:
            print(f"Saved {', '.join(files)} to {folder}.")

    def serialized(self, name: str) -> bytes:
        """The file of an endpoint.

        Args:
            name: Name of the endpoint.
        """
        return self._endpoints[name].serialized()


def _variables_of(resource):
    return [resource] if isinstance(resource, Variable) else list(resource.variables)


def _check_tracked(resource):
    """Refuse what has no variables; they are not read, which takes long for a large model."""
    if not isinstance(resource, Variable) and inspect.getattr_static(resource, "variables", None) is None:
        raise ConfigError(
            f"Layers, models and variables can be tracked; got a {type(resource).__name__}.", fix="track(model)"
        )
    if getattr(resource, "built", True) is False:
        raise CallError(
            f"{resource.name} is not built: it has no weights yet.", fix="Call it on data first, or build(input_shape)."
        )


def _input_names(signature: Any, function: Any) -> Any:
    """The names of symbolic tensors and specs if each has one, else those of the arguments, if each is one array."""
    leaves = jax.tree_util.tree_leaves(signature)
    names: Any = [getattr(leaf, "name", None) for leaf in leaves]
    if all(names):
        return names
    try:
        names = list(inspect.signature(function).parameters)[: len(leaves)]
    except (TypeError, ValueError):  # a function of C
        return None
    return names if len(names) == len(leaves) == len(signature) else None


def _output_names(model):
    """The names of the outputs in the order in which JAX flattens them: dicts by their sorted keys."""
    names = model.output_names
    if names is None:
        return None
    outputs = model.output
    return sorted(outputs) if isinstance(outputs, dict) else list(names)
