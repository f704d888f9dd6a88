"""tf.train.Checkpoint and CheckpointManager: variables by the names of the attributes that lead to them.

Files are those of TensorFlow: it reads what is written here, and what it wrote is read here.
"""

from __future__ import annotations

import os
import time
import weakref
from typing import Any

import numpy as np

from lamina.compat import modules
from lamina.compat.bundle import Bundle
from lamina.compat.trackables import VARIABLES, is_graph, is_trackable, trackables, walk
from lamina.core import context
from lamina.core.variable import Variable
from lamina.errors import FileError, LaminaError
from lamina.export.savedmodel.bundle import GRAPH_KEY, write_bundle
from lamina.layers import InputLayer, Layer
from lamina.optimizers import Optimizer
from lamina.runtime.protobufs import encode, fields
from lamina.saving.safety.limits import naming
from lamina.spelling.paths import MissingFile

__all__ = ["Checkpoint", "note"]

_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
_pending: weakref.WeakSet[Any] = weakref.WeakSet()


_PARTIAL = "If that is right: status.expect_partial()"


class NotConsumed(LaminaError, AssertionError):
    """A checkpoint and the objects do not have the same variables."""


class _File:
    """The objects in a checkpoint."""

    def __init__(self, path):
        self.bundle, self.nodes = Bundle(path), []
        with naming(f"{path}.index"):
            self._read(path)

    def _read(self, path):
        if GRAPH_KEY not in self.bundle.entries:
            raise FileError(f"{path} has no objects: it is of tf.compat.v1.train.Saver.",
                            fix="tf.train.load_checkpoint(path).get_tensor(name) reads one value.")  # fmt: skip
        for _, node in fields(self.bundle.read(GRAPH_KEY)[()]):
            children, keys = {}, []
            for number, value in fields(node):
                part = dict(fields(value))
                if number == 1:
                    children[part[2].decode()] = part.get(1, 0)
                elif number == 2:
                    keys.append(part.get(3, b"").decode())
            self.nodes.append((children, next((key for key in keys if key in self.bundle.entries), None)))

    def has_variables(self, number):
        """Whether an object is a variable, or holds one."""
        known, waiting = {number}, [number]
        while waiting:
            children, key = self.nodes[waiting.pop()]
            if key is not None:
                return True
            waiting += set(children.values()) - known
            known.update(waiting)
        return False

    def value_for(self, key, variable):
        """A value as the variable takes it."""
        value = self.bundle.read(key)
        if value.shape != tuple(variable.shape) or (value.dtype == object) != (variable.dtype == "string"):
            kind = "text" if value.dtype == object else value.dtype
            raise FileError(
                f"{variable.path or variable.name} has the shape {tuple(variable.shape)} and dtype {variable.dtype}; "
                f"{key.removesuffix(_SUFFIX)} of {self.bundle.prefix} has {value.shape} and {kind}."
            )
        return value


class Status:
    """What `restore` found, and finds later as variables are made."""

    def __init__(self, checkpoint: Any, path: Any) -> None:
        self._root = weakref.proxy(checkpoint)
        self._file: Any = None if path is None else _File(path)
        self._done: dict[int, Variable] = {}
        self.resolve()

    def resolve(self) -> bool:
        """Restore what is there by now. Whether everything in the file has found its variable."""
        if self._file is None:
            return True
        self._found: dict[int, Any] = {}
        values = {}
        with naming(self._file.bundle.prefix):  # all is read before anything is assigned
            self._match(0, self._root.root)
            for number, one in self._found.items():
                key = self._file.nodes[number][1]
                if isinstance(one, VARIABLES) and key is not None and number not in self._done:
                    values[number] = self._file.value_for(key, one)
        with naming(self._file.bundle.prefix):
            _assign_all([(self._found[number], value) for number, value in values.items()])
        self._done |= {number: self._found[number] for number in values}
        return all(number in self._done for number, node in enumerate(self._file.nodes) if node[1] is not None)

    def _match(self, number, one):
        if number in self._found or one is None:
            return
        self._found[number] = one
        children = self._file.nodes[number][0]
        if isinstance(one, VARIABLES):
            return
        parts = trackables(one)
        plain = {name.lstrip("_"): value for name, value in parts.items()}
        for name, child in children.items():
            if name == "_functional":
                self._match_graph(child, one)
            elif isinstance(one, Layer) and is_graph(one) and name in ("_operations", "_layers"):
                self._match_graph(number, one)
            else:
                self._match(child, parts.get(name, plain.get(name.lstrip("_"))))
        if isinstance(one, Layer) and not is_graph(one) and one.built:
            self._match_by_order(children, one)

    def _match_graph(self, number, model):
        """The layers of a Functional or Sequential model, those that have weights in their order."""
        self._found[number] = self._found.get(number, model)
        listed = self._file.nodes[number][0].get("_operations", self._file.nodes[number][0].get("_layers"))
        places = self._file.nodes[listed][0] if listed is not None else {}
        saved = [places[name] for name in sorted(places, key=int) if self._file.has_variables(places[name])]
        layers = [layer for layer in model.layers if not isinstance(layer, InputLayer) and layer.variables]
        for child, layer in zip(saved, layers, strict=False):
            self._match(child, layer)

    def _match_by_order(self, children, layer):
        """The variables of a layer whose names differ, if there are as many of the same shapes."""
        saved = [number for number in children.values() if self._file.nodes[number][1] is not None]
        own = [v for v in layer.variables if not any(v is other for other in self._found.values())]
        left = [number for number in saved if number not in self._found]
        shapes = [self._file.bundle.entries[self._file.nodes[number][1]][1] for number in left]
        if left and shapes == [tuple(variable.shape) for variable in own]:
            self._found.update(zip(left, own, strict=True))

    def assert_existing_objects_matched(self) -> Status:
        """An AssertionError if an object has a variable that is not in the file."""
        self.resolve()
        done = {id(variable) for variable in self._done.values()}
        for _, path, one, _ in walk(self._root.root):
            if isinstance(one, VARIABLES) and id(one) not in done and self._file is not None and path != "save_counter":
                raise NotConsumed(f"The checkpoint has no value for {path}.", fix=_PARTIAL)
        return self

    def assert_consumed(self) -> Status:
        """An AssertionError if a value of the file has no variable, or a variable no value."""
        if not self.resolve():
            keys = [key for number, (_, key) in enumerate(self._file.nodes) if key and number not in self._done]
            names = ", ".join(key.removesuffix(_SUFFIX) for key in keys[:5])
            raise NotConsumed(f"No variable was found for {names} of the checkpoint.", fix=_PARTIAL)
        return self.assert_existing_objects_matched()

    def assert_nontrivial_match(self) -> Status:
        """An AssertionError if nothing was restored."""
        self.resolve()
        if self._file is not None and not self._done:
            fix = "Name the objects as when it was saved; tf.train.list_variables(path) shows the names."
            raise NotConsumed("Nothing of the checkpoint was restored.", fix=fix)
        return self

    def expect_partial(self) -> Status:
        """The status itself."""
        return self

    def initialize_or_restore(self, session: Any = None) -> None:
        """Nothing: variables have their values already."""

    run_restore_ops = initialize_or_restore


def _assign_all(pairs):
    """Give variables and states their values; an error, such as that of a damaged state, leaves all as they were."""
    before = []
    try:
        with context.concrete():
            for one, value in pairs:
                before.append((one, one.read() if isinstance(one, Variable) else one.numpy()))
                one.assign(value)
    except BaseException:
        for one, value in reversed(before):
            one.write(value) if isinstance(one, Variable) else one.assign(np.asarray(value))
        raise


class Checkpoint:
    """`tf.train.Checkpoint(model=model, optimizer=optimizer)`."""

    tracked: dict[str, Any]

    def __init__(self, root: Any = None, **kwargs: Any) -> None:
        vars(self).update(tracked={}, status=None, root=self if root is None else root)
        if root is not None:
            self.tracked.update(trackables(root))
        for name, value in kwargs.items():
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        kept = _WATCHED.get(type(value), lambda given: given)(value)
        vars(self)[name] = value = kept
        if is_trackable(value) or type(value) in _WATCHED.values():
            self.tracked[name] = value
        resolve_pending()

    @property
    def save_counter(self) -> Variable:
        """How often `save` was called."""
        if "save_counter" not in self.tracked:
            self.tracked["save_counter"] = Variable(np.zeros((), "int32"), trainable=False, name="save_counter")
            resolve_pending()
        return self.tracked["save_counter"]

    def write(self, file_prefix: Any, options: Any = None) -> str:
        """Write the values to files that begin with a path. Returns the path."""
        tensors, nodes, root = {}, b"", self
        for _, path, one, parts in walk(root):
            node = encode(*((1, encode((1, number), (2, name))) for name, number in parts.items()))
            if isinstance(one, VARIABLES):
                key, value = path + _SUFFIX, one.numpy()
                tensors[key] = np.asarray(value, "int64") if path == "save_counter" else value
                node += encode((2, encode((1, "VARIABLE_VALUE"), (2, one.name), (3, key))))
            nodes += encode((1, node))
        write_bundle(os.fspath(file_prefix), {**tensors, GRAPH_KEY: nodes})
        return os.fspath(file_prefix)

    def save(self, file_prefix: Any, options: Any = None) -> str:
        """Write the values to numbered files, and note them in the file `checkpoint`. Returns their path."""
        self.save_counter.assign_add(1)
        path = self.write(f"{os.fspath(file_prefix)}-{int(self.save_counter.numpy())}")
        note(os.path.dirname(path), path, [path])
        return path

    def read(self, save_path: Any, options: Any = None) -> Status:
        """Give the variables the values of files, those that are not made yet when they are made."""
        if save_path is not None and not os.path.exists(f"{os.fspath(save_path)}.index"):
            raise MissingFile(f"There is no checkpoint {save_path}.", fix="tf.train.latest_checkpoint(folder)")
        if save_path is not None:
            _ = self.save_counter
        vars(self)["status"] = status = Status(self, save_path)
        if not status.resolve():
            _pending.add(self)
            _watch_layers()
        return status

    restore = read


def _watched(kind, *changes):
    """A list or dict that restores what is put into it."""

    def changing(method):
        def run(self, *args, **kwargs):
            found = method(self, *args, **kwargs)
            resolve_pending()
            return found

        return run

    return type(f"Watched{kind.__name__}", (kind,), {name: changing(getattr(kind, name)) for name in changes})


_WATCHED: dict[type, Any] = {
    list: _watched(list, "append", "extend", "insert", "__setitem__"),
    dict: _watched(dict, "__setitem__", "update", "setdefault"),
}


def resolve_pending() -> None:
    """Restore what was asked for before it was made."""
    for one in list(_pending):
        if one.status.resolve():
            _pending.discard(one)


def _watch_layers():
    """Let layers and optimizers restore their variables as soon as they are made."""
    for kind, name in ((Layer, "_ensure_built"), (Optimizer, "build")):
        method = getattr(kind, name)
        if not hasattr(method, "restores"):

            def run(self, *args, method=method, **kwargs):
                found = method(self, *args, **kwargs)
                if _pending:
                    resolve_pending()
                return found

            run.restores = True  # pyright: ignore[reportFunctionMemberAccess]
            setattr(kind, name, run)
    modules.Module.attribute_set = staticmethod(resolve_pending)


def note(folder: str, latest: str, paths: list[str]) -> None:
    """Write the file `checkpoint`, which names the checkpoints of a folder."""
    now = time.time()
    lines = [f'model_checkpoint_path: "{os.path.relpath(latest, folder or ".")}"']
    lines += [f'all_model_checkpoint_paths: "{os.path.relpath(path, folder or ".")}"' for path in paths]
    lines += [f"all_model_checkpoint_timestamps: {now}" for _ in paths]
    with open(os.path.join(folder, "checkpoint"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
