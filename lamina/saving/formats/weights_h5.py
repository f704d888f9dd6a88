"""`.weights.h5`: the variables of a model, stored at the path of the attributes that lead to their object.

layers/dense/vars/0        the first variable of the first Dense
optimizer/vars/3           the fourth variable of the optimizer
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import h5py
import numpy as np

from lamina.core.context import stem_of
from lamina.errors import FileError, ShapeError, warn
from lamina.saving.migration.optimizers import fit_optimizer
from lamina.saving.migration.version import TODAY
from lamina.saving.report import LoadReport
from lamina.saving.safety.hdf5 import Store, group_at, open_hdf5, write_array, written
from lamina.saving.safety.hdf5_contents import arrays_in, stored_bytes
from lamina.saving.safety.limits import reading

# Attributes that every layer or model has. They do not lead to objects that a file stores.
_OWN = frozenset(
    "_own_variables _inbound_nodes _init_arguments _stamps _layers_with_losses _losses_ref _graph _sequence "
    "_sequence_graph _runner_made _compile_loss _compile_metrics _loss_tracker _compile_arguments history "
    "activity_regularizer input_spec dtype_policy _build_shapes _input_shape_argument _given_metrics "
    "_variables_in_order _known_lists".split()
)


def save_weights_file(model: Any, filepath: str | os.PathLike[str], skipped: Any = ()) -> None:
    """Write the variables of a model and its optimizer, except those of the objects in `skipped`."""
    with written(filepath) as beside, h5py.File(beside, "w") as file:
        write_tree(model, file, skipped)


def stores_of(model: Any, skipped: Any = ()) -> Any:
    """(path, object, {"0": array, ...}) for each object in a model that has variables, and for its optimizer."""
    for path, part in parts_of(model, skipped):
        store = {}
        part.save_own_variables(store)
        yield path, part, store


def write_tree(model: Any, file: Any, skipped: Any = (), put: Any = None) -> None:
    """Write each object of the model to the open file, large arrays by `put` (see `write_array`)."""
    for path, part, store in stores_of(model, skipped):
        group = file.require_group(f"{path}/vars")
        group.attrs["name"] = str(getattr(part, "name", None) or type(part).__name__)
        for key, value in store.items():
            write_array(group, key, value, put)


def load_weights_file(
    model: Any, filepath: str | os.PathLike[str], skip_mismatch: bool = False, skipped: Any = ()
) -> Any:
    """Load a file written by `save_weights_file` or Keras 3. All variables must be in it, unless `skip_mismatch` is
    set."""
    with open_hdf5(filepath, filepath) as file, reading(filepath, stored_bytes(file)):
        report = read_tree(model, file, filepath, skip_mismatch, skipped=skipped)
        report.unused = [] if skipped else report.unused
        return report.tell()


class Tree:
    """The arrays in an open HDF5 file, by the paths of the model's objects."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def at(self, path: Any) -> Any:
        """The arrays of one object as a dict with the keys "0", "1", ..., or None."""
        group = group_at(self._file, f"{path}/vars")
        return None if group is None else Store(group)

    def arrays(self) -> Any:
        """(path, shape) for each array."""
        return ((path, dataset.shape) for path, dataset in arrays_in(self._file))


def read_tree(
    model: Any, source: Any, name: Any, skip_mismatch: bool = False, origin: Any = TODAY, skipped: Any = ()
) -> Any:
    """Load the variables of each object of the model from an open file. Where one does not fit, the caller restores
    those before it (`whole_or_unchanged`).

    Args:
        source: An HDF5 file, or an object with the methods `at` and `arrays` of `Tree`.
    """
    source = source if hasattr(source, "at") else Tree(source)
    report, taken = LoadReport(str(name), model.name), set()
    optimizer = getattr(model, "optimizer", None)
    for path, part in parts_of(model, skipped):
        place, store = _find(source, path)
        taken.add(f"{place}/vars" if place else "vars")
        if part is optimizer:
            _read_optimizer(optimizer, model, store, origin)
            continue
        try:
            part.load_own_variables(Store(None) if store is None else store)
        except (ShapeError, KeyError) as error:
            report.skipped.append(f"{path or model.name}: {getattr(error, 'message', error)}")
        else:
            report.took(_own_variables(part))
    if report.skipped and not skip_mismatch:
        raise _mismatch(name, model, report.skipped)
    report.unused = [
        (path, tuple(shape))
        for path, shape in source.arrays()
        if path.rpartition("/")[0] not in taken and path.split("/")[0] not in _OF_TRAINING
    ]
    return report


_OF_TRAINING = frozenset(("optimizer", "metrics"))  # absent from models that are not compiled


def _own_variables(part):
    return part._variables_of_its_own() if hasattr(part, "_variables_of_its_own") else part.variables


def _find(source, path):
    """(path, arrays) of an object. Keras 2 stored some under another name, or under that of a private attribute."""
    folder, _, name = path.rpartition("/")
    older = path.replace("layers/", "_layer_checkpoint_dependencies/", 1)
    for place in (path, f"{folder}/_{name}" if folder else path, older):
        store = source.at(place)
        if store is not None and len(store):
            return place, store
    return path, source.at(path)


def _read_optimizer(optimizer, model, store, origin):
    if store is None:
        return  # the file contains only weights
    if not optimizer.built and len(store) > len(optimizer.variables):
        optimizer.build(model.trainable_variables)
    if origin.major > 2 and not _is_unused(store, optimizer):
        optimizer.load_own_variables(store)
        return
    if origin.major > 2:
        for key, variable in zip(sorted(store), optimizer.variables, strict=False):
            variable.assign(store[key])
        return
    pairs = fit_optimizer(optimizer, [store[str(number)] for number in range(len(store))], (), origin)
    if pairs is None:
        warn("The optimizer's state in the file does not fit and starts anew.")
    for variable, value in pairs or ():
        variable.assign(value)


def _is_unused(store, optimizer):
    """Whether the optimizer in the file had not made a step: it has a step count and a learning rate, but no slots."""
    return len(store) < len(optimizer.variables) and all(np.shape(store[key]) == () for key in store)


def _mismatch(name, model, failed):
    more = f"\n  and {len(failed) - 8} more" if len(failed) > 8 else ""
    places = f"{len(failed)} place{'s' * (len(failed) > 1)}"
    fix = "Build the same architecture, or pass skip_mismatch=True to keep what does not fit as it is."
    if not model.built:
        fix = "Build the model first: model(x) on a batch, or model.build((None, ...)) with the shape of a batch."
    return FileError(f"{name} does not fit {model.name} in {places}:\n  " + "\n  ".join(failed[:8]) + more, fix=fix)


def parts_of(root: Any, skipped: Any = ()) -> Any:
    """(path, object) for each object with variables of its own, found through attributes. Each object appears once."""
    seen = {id(part) for part in skipped}

    def visit(part, path):
        if id(part) in seen:
            return
        seen.add(id(part))
        yield path, part
        for name, child in _children(part):
            below = f"{path}/{name}" if path else name
            if _has_variables(child):
                yield from visit(child, below)
            elif isinstance(child, (list, tuple, set, dict)):
                yield from visit_all(child, below)

    def visit_all(container, path):
        counts = Counter()
        for item in container.values() if isinstance(container, dict) else container:
            if not _has_variables(item):
                continue
            name = stem_of(type(item))
            counts[name] += 1
            number = counts[name] - 1
            yield from visit(item, f"{path}/{name}_{number}" if number else f"{path}/{name}")

    return visit(root, "")


def _children(part):
    """(name, attribute) pairs in the order of Keras files: by name, private ones last. For a graph, `layers` is
    first."""
    attributes = {name: value for name, value in vars(part).items() if name not in _OWN and not name.startswith("__")}
    if hasattr(type(part), "layers"):
        attributes["layers"] = part.layers
    is_graph = getattr(part, "_graph", None) is not None or hasattr(part, "_sequence")
    names = sorted(attributes, key=lambda name: (is_graph and name != "layers", name.startswith("_"), name))
    return [(name, attributes[name]) for name in names]


def _has_variables(item):
    return hasattr(item, "save_own_variables") and not isinstance(item, type)
