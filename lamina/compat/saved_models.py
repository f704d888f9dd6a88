"""`tf.saved_model`: functions of modules and models as SavedModels, which TensorFlow reads too, and back."""

from __future__ import annotations

import copy
import json
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax.export

from lamina.compat.concrete import ConcreteFunction, SignatureError
from lamina.compat.modules import Module
from lamina.compat.sessions import Settings
from lamina.compat.tracing import Function
from lamina.core import context
from lamina.core.variable import Variable
from lamina.errors import CallError, ConfigError, FileError, LaminaError, warn
from lamina.export import ExportArchive
from lamina.layers import Layer
from lamina.layers.base.input_spec import InputSpec
from lamina.models import Model
from lamina.saving import load_model
from lamina.saving.safety.limits import naming
from lamina.training.data.elements import TensorSpec

__all__ = ["SAVED_MODELS", "endpoint", "load", "save", "write_programs"]

PROGRAMS = "assets.extra/lamina"  # a folder that TensorFlow leaves alone
DEFAULT = "serving_default"
MAX_SAVED = 8
_saved: dict[str, Any] = {}  # what this process saved, by the path of its table of functions


def save(obj: Any, export_dir: str | os.PathLike[str], signatures: Any = None, options: Any = None) -> None:
    """Write the functions of a module or model, with the values of its variables, as a SavedModel.

    Args:
        obj: Model, or a `tf.Module` with tf.functions as methods or attributes, of which those with an
            `input_signature` are written.
        export_dir: Folder.
        signatures: A function for "serving_default", or a dict of functions by name: tf.functions with an
            `input_signature`, or what their `get_concrete_function` gave.
        options: Not used.

    What has no fixed program (no signature, texts, shapes that follow from values) is not in the files: a warning names
    it, and only this process can load it.
    """
    obj = vars(obj).get("_origin", obj)
    by_name = signatures if isinstance(signatures, Mapping) else {DEFAULT: signatures} if signatures else {}
    archive, names, missing = _programs(obj, by_name, isinstance(obj, Model) and signatures is None)
    folder = pathlib.Path(export_dir, PROGRAMS)
    if names:
        archive.write_out(export_dir, verbose=False)
    if not names:
        folder.mkdir(parents=True, exist_ok=True)
        pathlib.Path(export_dir, "saved_model.pb").write_bytes(b"")  # a SavedModel without functions
    if missing:
        (name, reason), *_ = missing.items()
        others = f", as {len(missing) - 1} others" if len(missing) > 1 else ""
        warn(f"{name} is not in the files of {export_dir}{others}, so only this process can load it: {reason}")
    _write_programs(archive._endpoints, folder, names, [*by_name, DEFAULT])
    _remember(folder / "functions.json", obj, by_name)


def _write_programs(endpoints, folder, names, signatures):
    folder.mkdir(parents=True, exist_ok=True)
    for name, _ in names:
        (folder / f"{name}.jax").write_bytes(endpoints[name].exported.serialize())
    entries = [
        {"name": name, "attribute": attribute, "inputs": endpoints[name].input_names,
         "outputs": endpoints[name].output_names, "signature": name in signatures}
        for name, attribute in names
    ]  # fmt: skip
    (folder / "functions.json").write_text(json.dumps(entries), encoding="utf-8")


def write_programs(endpoints: Mapping[str, Any], folder: pathlib.Path) -> None:
    """Write what `load` reads into a SavedModel of `model.export`.

    Args:
        endpoints: Endpoints by name.
        folder: Folder.
    """
    _write_programs(endpoints, folder / PROGRAMS, [(name, name) for name in endpoints], endpoints)


def _remember(path, obj, signatures):
    """Keep a copy of what was saved, for `load` in this process."""
    key = str(path.resolve())
    _saved.pop(key, None)
    _saved[key] = (path.stat().st_mtime_ns, _copy_of((obj, signatures)))
    while len(_saved) > MAX_SAVED:
        _saved.pop(next(iter(_saved)))


def _programs(obj, by_name, is_model):
    """(archive of the functions that can be programs, their (name, attribute), {name: why it cannot be one})."""
    archive, names, missing, unsigned = ExportArchive("tf_saved_model"), [], {}, {}
    if is_model:
        try:
            archive.track_and_add_endpoint(DEFAULT, obj, obj._symbolic_inputs())
            names.append((DEFAULT, "__call__"))
        except (CallError, ConfigError) as error:  # never called (its tf.functions are what it is for), or of texts
            missing[DEFAULT] = str(error).split("\n")[0]
    for attribute, function in [*by_name.items(), *_functions_of(obj)]:
        concrete = function if isinstance(function, ConcreteFunction) else _concrete(function)
        name = attribute.strip("_") if attribute not in by_name else attribute
        if concrete is None:
            unsigned[name] = "it has no input_signature."
            continue
        specs = [InputSpec(shape=spec.shape, dtype=str(spec.dtype)) for spec in concrete.inputs]
        try:
            archive.add_endpoint(name, _running(concrete), specs, input_names=_input_names(concrete))
            names.append((name, "" if attribute in by_name else attribute))
        except (LaminaError, TypeError, ValueError, NotImplementedError) as error:
            missing[name] = str(error).split("\n")[0]
    return archive, names, missing or (unsigned if not names else {})


def _functions_of(obj) -> Iterator[tuple[str, Function]]:
    """(name, function) of each tf.function that an object has."""
    if isinstance(obj, Model):
        return
    for name in dict.fromkeys([*vars(obj), *(n for kind in type(obj).__mro__ for n in vars(kind))]):
        found = next((vars(one)[name] for one in (obj, *type(obj).__mro__) if name in vars(one)), None)
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


class Restored(Module):
    """What `load` gives in the process that saved: the variables and functions of a copy of the object."""

    def __init__(self, origin: Any, signatures: Mapping[str, Any] | None = None) -> None:
        super().__init__("restored")
        self._origin: Any = origin
        self.signatures: dict[str, Any] = {name: Named(function) for name, function in (signatures or {}).items()}

    def __getattr__(self, name: str) -> Any:
        found = None if name.startswith("__") else getattr(vars(self)["_origin"], name)
        if isinstance(found, Module) and not isinstance(found, Layer):
            return Restored(found)
        if isinstance(found, (Function, Variable, Layer, list, tuple, dict)) or hasattr(found, "lookup"):
            return found
        raise AttributeError(f"{name} is no variable, function or module, so it is not in a SavedModel.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        has_call = any(isinstance(vars(kind).get("__call__"), Function) for kind in type(self._origin).__mro__)
        if not isinstance(self._origin, Layer) and not has_call:
            raise SignatureError(
                "What was saved has no __call__ that is a tf.function.",
                fix="@tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])",
            )
        return self._origin(*args, **kwargs)


class Named:
    """A concrete function as a signature: it takes tensors, also by name, and gives a dict of them."""

    def __init__(self, function: Any) -> None:
        self._function: Any = function if isinstance(function, ConcreteFunction) else _concrete(function) or function
        made = getattr(self._function, "structured_outputs", None)
        self.structured_outputs: Any = None if made is None else _outputs(made)
        inputs = getattr(self._function, "inputs", [])
        names = (_input_names(self._function) if inputs else None) or [f"inputs_{n}" for n in range(len(inputs))]
        self.structured_input_signature: Any = ((), dict(zip(names, inputs, strict=True)))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _outputs(self._function(*args, **kwargs))


def _outputs(found):
    if isinstance(found, dict):
        return found
    found = found if isinstance(found, (list, tuple)) and not hasattr(found, "dtype") else [found]
    return {f"output_{place}": one for place, one in enumerate(found)}


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
        self.structured_input_signature = ((), dict(zip(inputs, map(_spec, program.in_avals), strict=True)))
        self.structured_outputs = dict(zip(outputs, map(_spec, program.out_avals), strict=True))

    def __call__(self, *args: Any, **named: Any) -> dict[str, Any]:
        given = {**dict(zip(self._inputs, args, strict=False)), **named}
        if set(given) != set(self._inputs):
            raise SignatureError(f"The signature takes {', '.join(self._inputs)}; got {', '.join(given) or 'nothing'}.")
        leaves = [_fitting(aval, given[name]) for name, aval in zip(self._inputs, self._program.in_avals, strict=True)]
        args, kwargs = self._program.in_tree.unflatten(leaves)
        return dict(zip(self._outputs, jax.tree_util.tree_leaves(self._program.call(*args, **kwargs)), strict=True))


def _spec(aval):
    return TensorSpec([size if isinstance(size, int) else None for size in aval.shape], aval.dtype)


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
    """What `save` wrote. In the process that saved, a copy of the object, whose variables can be trained further; in
    others, the functions with the values that the variables had.

    Args:
        export_dir: Folder.
        tags: Not used.
        options: Not used.

    Raises:
        FileError: It was written by TensorFlow.
    """
    folder = pathlib.Path(export_dir, PROGRAMS)
    if (kept := _of_this_process(folder / "functions.json")) is not None:
        return kept
    if not (folder / "functions.json").is_file():
        raise FileError(
            f"{export_dir} is not of lamina's tf.saved_model.save; functions of TensorFlow are of its own operations.",
            fix=f"keras.models.load_model({str(export_dir)!r}) reads a model that tf.keras saved.",
        )
    with naming(folder):
        return _read(folder)


def endpoint(export_dir: str | os.PathLike[str], name: str) -> Callable[[Any], Any]:
    """A function of a SavedModel, for `keras.layers.TFSMLayer`; that of a model of tf.keras is its call.

    Args:
        export_dir: Folder.
        name: Name of a function or signature.

    Raises:
        ConfigError: There is no such function.
    """
    if not pathlib.Path(export_dir, PROGRAMS, "functions.json").is_file():
        return load_model(export_dir)
    loaded = load(export_dir)
    signature = loaded.signatures.get(name)
    if hasattr(loaded, name) or signature is None:
        if (found := getattr(loaded, name, None)) is None:
            names = ", ".join(loaded.signatures)
            message = f"{export_dir} has no endpoint {name!r}; it has {names or 'none'}."
            raise ConfigError(message, fix=f"call_endpoint={next(iter(loaded.signatures), DEFAULT)!r}")
        return found
    return lambda inputs: signature(**inputs) if isinstance(inputs, dict) else signature(inputs)


def _read(folder):
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
    for name in [*loaded.signatures][:1]:  # an export calls its first endpoint by the name that servers look for
        loaded.signatures.setdefault(DEFAULT, loaded.signatures[name])
    return loaded


def _copy_of(saved):
    """A copy; the object itself where it cannot be copied, as models of own classes that are not registered."""
    try:
        return copy.deepcopy(saved)
    except (LaminaError, TypeError):
        return saved


def _of_this_process(path):
    written, saved = _saved.get(str(path.resolve()), (None, None))
    if saved is None or not path.is_file() or path.stat().st_mtime_ns != written:
        return None
    if isinstance(saved[0], Model) and saved[0].built:  # its program is in the files
        return None
    return Restored(*_copy_of(saved))


SAVED_MODELS: dict[str, Any] = {
    "LoadOptions": Settings, "SaveOptions": Settings, "load": load, "save": save,
    "contains_saved_model": lambda export_dir: pathlib.Path(export_dir, "saved_model.pb").is_file(),
}  # fmt: skip
