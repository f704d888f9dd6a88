"""ExportArchive: functions with their weights, compiled as far as they can be for any batch, in files of their own."""

import io
import itertools
import pathlib

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
    """Functions ("endpoints") and the weights they use, each written as one file that JAX alone can run.

    Args:
        format: "jax", the one there is: StableHLO as `jax.export` serializes it. The formats of other engines
            ("saved_model", "onnx", "openvino", "litert", "torch") are errors that say what to use.

    Writing needs the package flatbuffers.

    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> archive = keras.export.ExportArchive(format="jax")
    >>> archive.track(model)
    >>> serve = archive.add_endpoint("serve", model, [keras.InputSpec(shape=(None, 4), dtype="float32")])
    >>> serve(keras.ops.ones((3, 4))).shape
    (3, 2)

    After `archive.write_out("folder")`, in a program that knows nothing of the model:

        serve = jax.export.deserialize(open("folder/serve.jax", "rb").read())
        serve.call(x)
    """

    def __init__(self, format="saved_model", **kwargs):
        keywords("ExportArchive", kwargs)
        check_format(format)
        self.format = format
        self._endpoints, self._collections, self._tracked = {}, {}, []

    @property
    def variables(self):
        """The variables of what is tracked."""
        return unique(variable for resource in self._tracked for variable in _variables_of(resource))

    @property
    def trainable_variables(self):
        """Those of them that an optimizer may change."""
        return [variable for variable in self.variables if variable.trainable]

    @property
    def non_trainable_variables(self):
        """The others."""
        return [variable for variable in self.variables if not variable.trainable]

    def track(self, resource):
        """Let endpoints use the variables of a layer or model (or a variable); what they change in them is not kept."""
        _variables_of(resource)
        self._tracked.append(resource)

    def add_endpoint(self, name, fn, input_signature=None, **kwargs):
        """Add the function `fn` with the weights it has now.

        Args:
            name: of the endpoint and of its file.
            input_signature: a list with one entry for each argument: an InputSpec, symbolic tensor, array or anything
                with shape and dtype, or a structure of them. None in a shape stands for any size.
            is_static: only True: an endpoint keeps no state.

        Returns:
            The exported function, to be called with arrays.
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

    def track_and_add_endpoint(self, name, resource, input_signature, **kwargs):
        """`track(resource)`, and `add_endpoint` with its call."""
        self.track(resource)
        return self.add_endpoint(name, resource, input_signature, **kwargs)

    def add_variable_collection(self, name, variables):
        """Write the values of these variables too, as `name.npz`, by their paths."""
        variables = list(variables) if isinstance(variables, (list, tuple, set)) else [variables]
        for variable in variables:
            if not isinstance(variable, Variable):
                raise ConfigError(f"A collection is of variables; got a {type(variable).__name__}.")
        self._collections[name] = {variable.path: variable.numpy() for variable in variables}

    def write_out(self, filepath, options=None, verbose=True):
        """Write each endpoint and collection as a file into the folder `filepath`.

        Args:
            options: is for TensorFlow; only None.
            verbose: whether to print where.
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


def check_format(format):
    """Raise ConfigError unless it is "jax": it says what writes the format."""
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
        with context.bind(variables, values):  # what the function assigns stays in here
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
    """What `jax.export` takes, for a list of arguments: the batch has one size, each other None one of its own."""
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
