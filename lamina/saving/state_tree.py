"""The values of a model as nested dicts, by group and by the parts of the paths of variables."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np

from lamina.errors import ConfigError, FileError
from lamina.saving.safety.damage import damaged

__all__ = ["assign", "flatten", "groups_of", "pairs_of", "state_tree"]

WEIGHTS = ("trainable_variables", "non_trainable_variables")


def groups_of(model: Any) -> Any:
    """The variables of a model by the groups of Keras."""
    return {
        "trainable_variables": model.trainable_variables,
        "non_trainable_variables": model.non_trainable_variables,
        "optimizer_variables": model.optimizer.variables if model.optimizer is not None else [],
        "metrics_variables": model.metrics_variables,
    }


def state_tree(groups: Any, read: Any) -> Any:
    """Nested dicts of `read(variable)` for each variable of `groups`."""
    found: dict[str, Any] = {name: {} for name in groups}
    for name, variables in groups.items():
        for variable in variables:
            *folders, last = variable.path.split("/")
            place = found[name]
            for folder in folders:
                place = place.setdefault(folder, {})
            if last in place:
                raise ConfigError(
                    f"The following variable path is found twice in the model: {variable.path!r}.",
                    fix="Give each layer its own name: Dense(3, name=...).",
                )
            place[last] = read(variable)
    return found


def flatten(tree: Any, path: Any = ()) -> Any:
    """A nested dict as path -> array."""
    if not isinstance(tree, dict):
        return {"/".join(path): tree}
    return {key: leaf for name, part in tree.items() for key, leaf in flatten(part, (*path, str(name))).items()}


def pairs_of(model: Any, saved: Any, where: Any) -> Any:
    """(variable, group, path in `saved`) for the values of a state tree that the model has variables for.

    All weights and the state of the optimizer must be there, by their paths. Paths that differ only in the numbers of
    names ("dense_1", "dense_4") are matched in the order of the numbers. Metrics are optional.
    """
    unknown = set(saved) - {*WEIGHTS, "optimizer_variables", "metrics_variables"}
    if unknown:
        raise damaged(f"{where} has the groups {sorted(unknown)}, which no model has.")
    if saved.get("optimizer_variables") and model.optimizer is not None and model.built:
        _build_slots(model, flatten(saved["optimizer_variables"]))
    pairs = []
    for name, variables in groups_of(model).items():
        if name not in saved and name not in WEIGHTS:
            continue
        theirs, ours = flatten(saved.get(name, {})), {variable.path: variable for variable in variables}
        if name == "metrics_variables":
            matches = [(path, path) for path in ours if path in theirs and _shape(theirs[path]) == ours[path].shape]
        elif name == "optimizer_variables" and model.optimizer is None:
            matches = []
        else:
            matches = _matched(ours, theirs, where)
        pairs.extend((ours[mine], name, path) for mine, path in matches)
    return pairs


def _matched(ours, theirs, where):
    """(path in the model, path in the file) for each variable."""
    pairs = [(path, path) for path in ours] if set(ours) == set(theirs) else _renumbered(list(ours), list(theirs))
    if pairs is None:
        alone = sorted(set(ours) - set(theirs)) or sorted(set(theirs) - set(ours))
        raise FileError(
            f"{where} has {len(theirs)} variables, and the model {len(ours)}; only one of the two has "
            f"{', '.join(alone[:3])}{', ...' if len(alone) > 3 else ''}.",
            fix="Build the same model as the one that was saved, with the same layer names.",
        )
    for mine, path in pairs:
        if _shape(theirs[path]) != ours[mine].shape:
            raise FileError(
                f"{where} has {path} of shape {_shape(theirs[path])}; the model needs {ours[mine].shape}.",
                fix="Build the same model as the one that was saved.",
            )
    return pairs


def _renumbered(ours, theirs):
    """Pairs of paths that differ in numbers, and in words that only one side has; None if that is ambiguous.

    Such a word is the name of a Sequential: paths of a model that was built have it, those of a loaded model do not.
    """
    mine, yours = ({word for path in side for word, _ in _words(path)} for side in (ours, theirs))
    if mine - yours and yours - mine:
        return None

    def key(path):
        words = [(word, number) for word, number in _words(path) if word in mine and word in yours]
        return [word for word, _ in words], [number for _, number in words]

    ours, theirs = sorted(ours, key=key), sorted(theirs, key=key)
    doubled = any(key(a) == key(b) for side in (ours, theirs) for a, b in itertools.pairwise(side))
    same = [key(path)[0] for path in ours] == [key(path)[0] for path in theirs]
    return list(zip(ours, theirs, strict=True)) if same and not doubled else None


def _words(path):
    """The words of a path, each with the number after it.

    >>> _words("adam/dense_2_kernel")
    [('adam', 0), ('dense', 2), ('kernel', 0)]
    """
    found: list[tuple[str, int]] = []
    for word in re.split("[_/]", path):
        if word.isdigit() and found:
            found[-1] = (found[-1][0], int(word))
        else:
            found.append((word, 0))
    return found


def _shape(value):
    return tuple(getattr(value, "shape", None) or np.shape(value))


def assign(model: Any, tree: Any) -> None:
    """Assign the values of a state tree, which may have some of the groups and paths only, to a model."""
    if tree.get("optimizer_variables") and model.optimizer is not None and model.built:
        _build_slots(model, flatten(tree["optimizer_variables"]))
    groups, pairs = groups_of(model), []
    for name, group in tree.items():
        variables = {variable.path: variable for variable in groups.get(name, ())}
        for path, value in flatten(group).items():
            if path not in variables:
                raise ConfigError(f"The model has no {path} in its {name}.", fix=f"It has: {', '.join(variables)}.")
            pairs.append((variables[path], value))
    for variable, value in pairs:
        variable.assign(value)


def _build_slots(model, theirs):
    """Create the slots of the optimizer if the tree has more variables than it has."""
    if len(theirs) > len(model.optimizer.variables):
        model.optimizer.ensure_built(model.trainable_variables)
