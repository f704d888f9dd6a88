"""Outputs: arranges losses, metrics, targets and weights in the order of a model's outputs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from lamina.core import tree
from lamina.errors import CallError, ConfigError, DataError
from lamina.metrics.metric import Metric
from lamina.spelling.nearest import renamed

__all__ = ["OutputKeyError", "Outputs", "entries", "only_entry", "other_order", "results_of"]


class Outputs:
    """The outputs of a model, to which values passed by the user (losses, weights, metrics, targets) are matched.

    Such a value has the structure of the outputs or part of it, or is a dict by output name, a list in the order of the
    outputs, or a single value for all outputs.

    Args:
        y_pred: Outputs of the model.
        names: Names of the outputs, in the order of the model. None if they have no names.
    """

    def __init__(self, y_pred: Any, names: list[str] | None = None):
        self.structure = y_pred
        self.count: int = len(tree.flatten(y_pred))
        self.names = list(names) if names and len(names) == self.count else None
        if isinstance(y_pred, dict) and len(y_pred) == self.count and set(self.names or ()) != set(y_pred):
            self.names = sorted(y_pred)
        elif isinstance(y_pred, dict) and len(y_pred) == self.count:
            self.order = self.names
            self.names: Any = sorted(y_pred)

    order: list[str] | None = None  # names in model order, if the outputs are a dict (whose keys are sorted)

    def label(self, place: int) -> str | None:
        """The name of an output in the keys of logs.

        Args:
            place: Index of the output.
        """
        return self.names[place] if self.names else None

    def broadcast(self, given: Any, what: str, is_leaf: Callable[[Any], bool]) -> list[Any]:
        """One entry of `given` per output; None for outputs that have no entry.

        Args:
            given: The value that the user passed.
            what: Name of the argument, for error messages.
            is_leaf: Function that distinguishes a single entry from a structure of entries.
        """
        return _broadcast(*self.aligned(given, what), what, is_leaf)

    def aligned(self, given: Any, what: str) -> tuple[Any, Any]:
        """`given` with the keys of names of outputs resolved, and the structure that it is for.

        Args:
            given: The value that the user passed.
            what: Name of the argument, for error messages.
        """
        structure = self.structure
        if self.count == 1:
            structure = tree.flatten(structure)[0]
            given = only_entry(given, self.names)
        if isinstance(given, dict) and not isinstance(structure, dict):
            given = self._by_name(given, what)
        one_each = isinstance(given, list) and not any(isinstance(one, (dict, list, tuple)) for one in given)
        if one_each and isinstance(structure, dict) and self.order and len(given) == self.count:
            given = dict(zip(self.order, given, strict=True))
        return given, structure

    def _by_name(self, given, what):
        if self.names is None:
            raise ConfigError(f"`{what}` is a dict, but the outputs have no names.", fix=f"Give `{what}` as a list.")
        unknown = sorted(set(given) - set(self.names))
        if unknown:
            raise ConfigError(
                f"Invalid `{what}`: no output is called {', '.join(map(str, unknown))}. Expected keys: {self.names}.",
                fix=renamed(what, given, self.names),
            )
        entries = [given.get(name) for name in self.names]
        return entries[0] if self.count == 1 else entries

    def targets(self, y: Any, wanted: list[bool]) -> list[Any]:
        """The targets in the order of the outputs.

        Args:
            y: Targets for all outputs, or only for those with a loss.
            wanted: Whether each output has a loss.
        """
        if isinstance(y, dict) and not isinstance(self.structure, dict):
            missing = [name for name in self.names or () if name in y]
            if self.names and missing:
                return [y.get(name) for name in self.names]
        if isinstance(y, dict) and isinstance(self.structure, dict):
            return _broadcast(y, self.structure, "y", _is_array)
        given = tree.flatten(y)
        if len(given) == self.count:
            return given
        if len(given) == sum(wanted):
            values = iter(given)
            return [next(values) if has_loss else None for has_loss in wanted]
        if self.count == 1:
            raise DataError(
                f"y_true and y_pred have different structures: one output, {len(given)} targets.",
                fix="Pass the targets as one array: numpy.asarray(y).",
            )
        raise DataError(
            f"y_true and y_pred have different structures. The model has {self.count} outputs"
            + (f" ({', '.join(self.names)})" if self.names else "")
            + f"; there are {len(given)} targets.",
            fix=f"y = y[:{self.count}]  # an array for each output"
            if len(given) != 1
            else f"y = [{', '.join(f'y[:, {place}]' for place in range(self.count))}]  # an array for each output"
            if len(getattr(given[0], "shape", ())) > 1 and given[0].shape[1] >= self.count
            else f"y = {self._each('y')}  # the targets of each output, as arrays of their own",
        )

    def _each(self, code):
        """Code of the same for each output, by name where the outputs are a dict."""
        if isinstance(self.structure, dict):
            return "{" + ", ".join(f"{key!r}: {code}" for key in self.structure) + "}"
        return f"[{', '.join([code] * self.count)}]"

    def weights(self, sample_weight: Any) -> list[Any]:
        """Sample weights in the order of the outputs.

        Args:
            sample_weight: Weights for each output, or a single array for all outputs.
        """
        if sample_weight is None or _is_array(sample_weight):
            return [sample_weight] * self.count
        if isinstance(sample_weight, dict) and not isinstance(self.structure, dict) and self.names:
            return [sample_weight.get(name) for name in self.names]
        flat = tree.flatten(sample_weight)
        return flat if len(flat) == self.count else flat[:1] * self.count


def _is_array(value):
    return hasattr(value, "shape")


def only_entry(given: Any, names: list[str] | None) -> Any:
    """The value that the user passed for the only output. A dict with the name of the output is unwrapped.

    Args:
        given: The value that the user passed.
        names: Names of the outputs.
    """
    if isinstance(given, dict) and len(given) == 1 and (names is None or set(given) <= set(names)):
        given = next(iter(given.values()))
    return given


def _broadcast(given, structure, what, is_leaf):
    """Distribute the entries of `given` over the leaves of `structure`."""
    if given is None or is_leaf(given) or not isinstance(structure, (dict, list, tuple)):
        return [given] * len(tree.flatten(structure))
    parts = [structure[key] for key in sorted(structure)] if isinstance(structure, dict) else structure
    rows = zip(entries(given, structure, what), parts, strict=True)
    return [leaf for one, part in rows for leaf in _broadcast(one, part, what, is_leaf)]


def entries(given: Any, structure: Any, what: str) -> list[Any]:
    """One entry of `given`, a dict or list, for each part of `structure`; None for keys that it lacks.

    Args:
        given: What the user passed for a part of the outputs.
        structure: That part of the outputs.
        what: Name of the argument, for error messages.

    Raises:
        OutputKeyError: (also a KeyError) If keys are not those of the outputs.
        ConfigError: If the numbers differ.
    """
    if isinstance(structure, dict) and isinstance(given, dict):
        unknown = sorted(set(given) - set(structure), key=str)
        if unknown:
            raise OutputKeyError(
                f"Invalid `{what}`: {unknown} can't be found in the model's output. "
                f"Expected keys: {sorted(structure)}.",
                fix=renamed(what, given, sorted(structure)),
            )
        return [given.get(key) for key in sorted(structure)]
    if isinstance(given, dict):
        kind = "a list" if isinstance(structure, (list, tuple)) else "one array"
        raise OutputKeyError(
            f"`{what}` has the keys {sorted(given)}, which can't be found in the model's output: it is {kind}.",
            fix=f"{what}=[...], in the order of the outputs",
        )
    if len(given) != len(structure):
        kind = type(structure).__name__
        raise ConfigError(
            f"`{what}` has {len(given)} of {len(structure)} entries: expected a {kind} of {len(structure)}; "
            "their number must match the number of losses.",
            fix=f"{what}={_of_length(given, len(structure))}",
        )
    return list(given)


def _of_length(given, count):
    """Code of a list with the entries that were given, cut, or its last entry repeated."""
    entries = [*given, *[given[-1]] * count][:count]
    return f"[{', '.join(repr(one) if isinstance(one, str | int | float | None) else '...' for one in entries)}]"


class OutputKeyError(ConfigError, KeyError):
    """A key that is not the name of any output of the model."""

    __str__ = ConfigError.__str__


def results_of(metric: Metric, key: str) -> dict[str, Any]:
    """The results of a metric by name.

    Args:
        metric: The metric.
        key: Name of a result that is no dict.

    Raises:
        CallError: The metric returned None.
    """
    value = metric.result()
    if value is None:
        raise CallError(f"{type(metric).__name__}.result() returned None.", fix="return value  # at the end of result")
    return value if isinstance(value, dict) else {key: value}


def other_order(targets: Any, outputs: Any) -> str | None:
    """Code of the list of targets in the order that fits the outputs, where it is another one; else None.

    Args:
        targets: An array for each output.
        outputs: The outputs.
    """
    shapes: Any = [getattr(one, "shape", None) for one in targets]
    wanted: Any = [getattr(one, "shape", None) for one in outputs]
    if not 1 < len(shapes) == len(wanted) < 5 or None in (*shapes, *wanted):
        return None
    for order in itertools.permutations(range(len(wanted))):
        if all(shapes[place] in (shape, shape[:-1]) for place, shape in zip(order, wanted, strict=True)):
            return f"y = [{', '.join(f'y[{place}]' for place in order)}]" if order != tuple(sorted(order)) else None
    return None
