"""`tf.saved_model`: functions of modules and models as SavedModels, which TensorFlow reads too, and back."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax

from lamina.compat.concrete import ConcreteFunction, SignatureError
from lamina.compat.modules import Module
from lamina.compat.tracing import Function
from lamina.core import context
from lamina.errors import ConfigError, FileError
from lamina.export import ExportArchive
from lamina.layers.base.input_spec import InputSpec
from lamina.models import Model

__all__ = ["SAVED_MODELS", "load", "save"]

PROGRAMS = "assets.extra/lamina"  # a folder that TensorFlow leaves alone
DEFAULT = "serving_default"


def save(obj: Any, export_dir: str | os.PathLike[str], signatures: Any = None, options: Any = None) -> None:
    """Write the functions of a module or model, with the values of its variables, as a SavedModel.

    Args:
        obj: Model, or a `tf.Module` with tf.functions as methods or attributes, of which those with an
            `input_signature` are written.
        export_dir: Folder.
        signatures: A function for "serving_default", or a dict of functions by name: tf.functions with an
            `input_signature`, or what their `get_concrete_function` gave.
        options: Not used.

    Raises:
        ConfigError: There is no function with a signature.
    """
    archive, names = ExportArchive("tf_saved_model"), []
    if isinstance(obj, Model) and signatures is None:
        archive.track_and_add_endpoint(DEFAULT, obj, obj._symbolic_inputs())
        names.append((DEFAULT, "__call__"))
    by_name = signatures if isinstance(signatures, Mapping) else {DEFAULT: signatures} if signatures else {}
    for attribute, function in [*by_name.items(), *_functions_of(obj)]:
        concrete = function if isinstance(function, ConcreteFunction) else _concrete(function)
        if concrete is not None:
            name = attribute.strip("_") if attribute not in by_name else attribute
            specs = [InputSpec(shape=spec.shape, dtype=str(spec.dtype)) for spec in concrete.inputs]
            inputs = _input_names(concrete)
            archive.add_endpoint(name, _running(concrete), specs, input_names=inputs)
            names.append((name, "" if attribute in by_name else attribute))
    if not names:
        raise ConfigError(
            f"A SavedModel has functions with signatures; {type(obj).__name__} has none.",
            fix="@tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])",
        )
    archive.write_out(export_dir, verbose=False)
    folder = pathlib.Path(export_dir, PROGRAMS)
    folder.mkdir(parents=True)
    for name, _ in names:
        (folder / f"{name}.jax").write_bytes(archive._endpoints[name].exported.serialize())
    entries = [
        {"name": name, "attribute": attribute, "inputs": archive._endpoints[name].input_names,
         "outputs": archive._endpoints[name].output_names, "signature": name in by_name or name == DEFAULT}
        for name, attribute in names
    ]  # fmt: skip
    (folder / "functions.json").write_text(json.dumps(entries), encoding="utf-8")


def _functions_of(obj) -> Iterator[tuple[str, Function]]:
    """(name, function) of each tf.function that an object has."""
    if isinstance(obj, Model):
        return
    for name in dict.fromkeys([*vars(obj), *(n for kind in type(obj).__mro__ for n in vars(kind))]):
        found = vars(obj).get(name) or next((vars(k)[name] for k in type(obj).__mro__ if name in vars(k)), None)
        if isinstance(found, Function):
            yield name, getattr(obj, name)


def _concrete(function):
    return function.get_concrete_function() if getattr(function, "input_signature", None) else None


def _running(concrete) -> Callable[..., Any]:
    """The function of tensors, in whose body the variables are read as they are."""

    def run(*tensors):
        with context.bind():
            return concrete(*tensors)

    return run


def _input_names(concrete):
    names = [name for name, value in concrete._given.items() if len(jax.tree_util.tree_leaves(value)) == 1]
    return names if len(names) == len(concrete.inputs) else None


class _Loaded(Module):
    """What `load` gives: functions under their names, and `signatures`."""

    def __init__(self):
        super().__init__("loaded")
        self.signatures: dict[str, Any] = {}
        self._call: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._call is None:
            raise SignatureError("What was saved has no __call__ with a signature.")
        return self._call(*args, **kwargs)


class _Signature:
    """A saved function that takes tensors by name and gives a dict of them."""

    def __init__(self, program, inputs, outputs):
        self._program, self._inputs, self._outputs = program, inputs, outputs
        self.structured_input_signature = ((), dict(zip(inputs, program.in_avals, strict=True)))

    def __call__(self, *args: Any, **named: Any) -> dict[str, Any]:
        given = {**dict(zip(self._inputs, args, strict=False)), **named}
        if set(given) != set(self._inputs):
            raise SignatureError(f"The signature takes {', '.join(self._inputs)}; got {', '.join(given) or 'nothing'}.")
        leaves = [_fitting(aval, given[name]) for name, aval in zip(self._inputs, self._program.in_avals, strict=True)]
        args, kwargs = self._program.in_tree.unflatten(leaves)
        return dict(zip(self._outputs, jax.tree_util.tree_leaves(self._program.call(*args, **kwargs)), strict=True))


def _fitting(aval, value):
    return jax.numpy.asarray(value, aval.dtype)


def _function(program):
    """A saved function that is called as it was."""

    def run(*args, **kwargs):
        leaves = jax.tree_util.tree_leaves((args, kwargs))
        if len(leaves) != len(program.in_avals):
            raise SignatureError(f"The function takes {len(program.in_avals)} tensors; got {len(leaves)}.")
        args, kwargs = program.in_tree.unflatten(map(_fitting, program.in_avals, leaves))
        return program.call(*args, **kwargs)

    return run


def load(export_dir: str | os.PathLike[str], tags: Any = None, options: Any = None) -> Any:
    """The functions that `save` wrote, with the values that the variables had. They cannot be trained further.

    Args:
        export_dir: Folder.
        tags: Not used.
        options: Not used.

    Raises:
        FileError: It was written by TensorFlow.
    """
    folder = pathlib.Path(export_dir, PROGRAMS)
    if not (folder / "functions.json").is_file():
        raise FileError(
            f"{export_dir} is not of lamina's tf.saved_model.save; functions of TensorFlow are of its own operations.",
            fix=f"keras.models.load_model({str(export_dir)!r}) reads a model that tf.keras saved.",
        )
    loaded = _Loaded()
    for entry in json.loads((folder / "functions.json").read_text(encoding="utf-8")):
        name = entry["name"]
        if not str(name).isidentifier():
            raise FileError(f"{folder} names a function {name!r}.")
        program = jax.export.deserialize(bytearray((folder / f"{name}.jax").read_bytes()))
        count, results = len(program.in_avals), len(program.out_avals)
        inputs = entry["inputs"] or (["inputs"] if count == 1 else [f"inputs_{n}" for n in range(count)])
        outputs = entry["outputs"] or (["output_0"] if results == 1 else [f"output_{n}" for n in range(results)])
        if entry["signature"]:
            loaded.signatures[name] = _Signature(program, inputs, outputs)
        if entry["attribute"] == "__call__":
            loaded._call = _function(program)
        elif entry["attribute"]:
            setattr(loaded, entry["attribute"], _function(program))
    return loaded


SAVED_MODELS: dict[str, Any] = {"load": load, "save": save, "contains_saved_model": lambda export_dir: pathlib.Path(
    export_dir, "saved_model.pb").is_file()}  # fmt: skip
