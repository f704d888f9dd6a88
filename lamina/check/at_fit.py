"""What `fit` and `evaluate` say about a model and its data before they use them: errors and warnings, one line each.

They look again when the data differ: at a second `fit`, at validation data, at `evaluate`, and at the batches of a
generator during its first pass.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np

from lamina import errors
from lamina.check.rules import rules_for
from lamina.check.subject import Subject, as_batch
from lamina.core import tree
from lamina.errors import CheckError
from lamina.runtime import settings
from lamina.runtime.progress import say
from lamina.training.data.places import parts_of

__all__ = ["look_at_batch", "look_before_evaluate", "look_before_fit"]

_NUMBERS = 2**18  # of each array: judged in a millisecond
_SLOW = ("inputs", "forward", "watch")  # rules that run the model
_OFTEN = ("batch",)  # what rules read that are applied to data after the first


@dataclasses.dataclass
class _Looked:
    """What was looked at and said since `compile`.

    Attributes:
        how: Setting of `lamina.config.set_checks`.
        ranges: use of the data and number of the leaf -> (shape, dtype, least value, largest value).
        said: Findings.
    """

    how: str
    ranges: dict[Any, Any] = dataclasses.field(default_factory=dict)
    said: set[Any] = dataclasses.field(default_factory=set)

    def is_new(self, use: str, leaves: list[Any], exactly: bool) -> bool:
        """Whether arrays differ from those seen for the same use; they are then noted.

        Args:
            use: "fit", "validation" or "evaluate".
            leaves: Arrays.
            exactly: Whether values within the range of those seen are other data too.
        """
        new = False
        for place, leaf in enumerate(leaves):
            now, seen = _range(leaf, exactly), self.ranges.get((use, place))
            if seen is None or now[0] != seen[0] or (exactly and now[1:] != seen[1:]):
                new, self.ranges[use, place] = True, now
            elif not (now[1] >= seen[1] and now[2] <= seen[2]):  # also where a value is NaN
                new, self.ranges[use, place] = True, (now[0], *_wider(now, seen))
        return new


def look_before_fit(
    model: Any,
    batches: Any,
    data: tuple[Any, Any, Any],
    verbose: Any,
    arguments: dict[str, Any],
    validation: Any = None,
) -> None:
    """Check the model and its data; print the findings, or with verbose=0 warn of errors.

    Args:
        model: Model that is about to be trained.
        batches: Its batches.
        data: (x, y, sample_weight) as passed to `fit`.
        verbose: Whether findings are printed.
        arguments: Other arguments of `fit`.
        validation: Batches of the validation, or None.

    Raises:
        CheckError: The setting is "error" and there is a finding of this severity.
    """
    looked = _looked(model)
    if looked is None:
        return
    if not model.built:
        model._runner.prepare("train", batches.peek())
    settings_of_fit = {**arguments, "samples": batches.num_samples, "steps_per_epoch": batches.num_batches}
    _look(model, looked, "fit", batches, data, verbose, settings_of_fit)
    if validation is None:
        return
    given, first = arguments.get("validation_data"), 0
    if given is None:  # the last rows of the data
        given, first = data, batches.num_samples
    given = (*given, None, None)[:3] if isinstance(given, (tuple, list)) else (given, None, None)
    names = ("x", "y") if first else ("validation_data[0]", "validation_data[1]")
    names = names if hasattr(validation, "leaves") else ("validation x", "validation y")
    _look(model, looked, "validation", validation, given, verbose, {}, names, first)


def look_before_evaluate(model: Any, batches: Any, data: tuple[Any, Any, Any], verbose: Any) -> None:
    """Check data with which a model is about to be evaluated.

    Args:
        model: Model.
        batches: Its batches.
        data: (x, y, sample_weight) as passed to `evaluate`.
        verbose: Whether findings are printed.

    Raises:
        CheckError: The setting is "error" and there is a finding of this severity.
    """
    looked = _looked(model)
    if looked is not None and model.built:
        _look(model, looked, "evaluate", batches, data, verbose, {})


def look_at_batch(model: Any, x: Any, y: Any, sample_weight: Any) -> None:
    """Check a batch of `train_on_batch` or `test_on_batch` whose loss or metrics are not finite; warn of errors.

    Args:
        model: Model.
        x: Inputs.
        y: Targets.
        sample_weight: Weights of the samples.
    """
    looked = _looked(model)
    if looked is not None:
        x, y, sample_weight = as_batch(x, y, sample_weight)
        parts = [*parts_of(x, x, "x"), *parts_of(y, y, "y")]
        _say(looked, _safely(model, Subject(model, x, y, sample_weight, {}, _NUMBERS, parts), _OFTEN, 0), 0)


def _looked(model):
    how = settings.checks()
    if how == "off":
        return None
    if model._checked is None or model._checked.how != how:
        model._checked = _Looked(how)
    return model._checked


def _look(model, looked, use, batches, data, verbose, arguments, names=("x", "y"), first=0):
    """Look at the data of one use: all of the arrays, or the first batch and, as they come, those like no other."""
    whole, is_first = hasattr(batches, "leaves"), (use, 0) not in looked.ranges
    arrays = batches.structure.unflatten(batches.leaves) if whole else batches.peek()
    if len(getattr(model, "inputs", None) or ()) > 1 and hasattr(arrays[0], "shape"):
        return  # the model refuses one array for several inputs
    if looked.is_new(use, _numeric(arrays), whole) or (looked.how == "error" and use == "fit"):
        if use == "fit" and arguments.get("validation_split") and whole:
            arrays = as_batch(*data)
        number = None if whole else 0
        given = data if whole else (None, None, None)
        subject = _subject(model, arrays, given, arguments, names, number, first)
        needs = None if use == "fit" and (is_first or looked.how == "error") else _OFTEN
        _say(looked, _safely(model, subject, needs, verbose, use != "fit"), verbose)
    if not whole:
        batches.look = _Batchwise(model, looked, use, names, verbose)


class _Batchwise:
    """Looks at the batches of a stream whose values go beyond those of the batches before.

    Args:
        model: Model.
        looked: What was looked at before.
        use: "fit", "validation" or "evaluate".
        names: Names of inputs and targets.
        verbose: Whether findings are printed.
    """

    def __init__(self, model: Any, looked: _Looked, use: str, names: tuple[str, str], verbose: Any):
        self.model: Any = model
        self.looked: Any = looked
        self.use: str = use
        self.names: tuple[str, str] = names
        self.verbose: Any = verbose

    def __call__(self, number: int, batch: Any) -> None:
        """Look at a batch.

        Args:
            number: Its number in the pass.
            batch: (x, y, sample_weight).
        """
        if self.looked.is_new(self.use, _numeric(batch), False):
            subject = _subject(self.model, batch, (None, None, None), {}, self.names, number, 0)
            _say(self.looked, _safely(self.model, subject, _OFTEN, self.verbose, True), self.verbose)


def _subject(model, arrays, given, arguments, names, batch, first):
    x, y, sample_weight = arrays
    parts = [*parts_of(given[0], x, names[0], batch, first), *parts_of(given[1], y, names[1], batch, first)]
    if given[2] is not None:  # else it is made from class_weight
        parts += parts_of(given[2], sample_weight, "sample_weight", batch, first)
    return Subject(model, x, y, sample_weight, arguments, _NUMBERS, parts)


def _safely(model, subject, needs, verbose, errors_only=False):
    """The findings; none where a rule fails, since advice must not stop a training."""
    try:
        wanted = [rule for rule in rules_for(subject, but=_SLOW) if rule.severity != "info"]
        wanted = [rule for rule in wanted if needs is None or rule.needs in needs]
        wanted = [rule for rule in wanted if rule.severity == "error" or not errors_only]
        return [finding for rule in wanted for finding in rule.findings(subject) if finding.severity != "info"]
    except Exception as error:
        if verbose:
            say(f"The checks failed on {model.name}: {type(error).__name__}: {str(error).splitlines()[:1]}")
        return []


def _say(looked, found, verbose):
    """Print findings that were not said; with verbose=0 warn of errors."""
    grave = [finding for finding in found if finding.severity == "error"]
    if looked.how == "error" and grave:
        looked.ranges.clear()
        raise CheckError("\n".join(map(str, grave)), fix="Or keras.config.set_checks('warn') to train anyway.")
    for finding in found:
        key = finding.code, finding.layer, finding.message
        if key in looked.said:
            continue
        looked.said.add(key)
        if verbose:
            say(str(finding))
        elif finding.severity == "error":
            errors.warn(str(finding))


def _numeric(data):
    """The arrays that have values."""
    leaves = [leaf for leaf in tree.flatten(data) if isinstance(leaf, (np.ndarray, jax.Array))]
    return [leaf for leaf in leaves if leaf.size and leaf.dtype.kind in "fiub"]


def _range(leaf, exactly):
    """((shape, dtype), least, largest, and if it must be exact the sum) of an array, or of rows of a large one."""
    whole = isinstance(leaf, np.ndarray) and leaf.size <= 2**22
    values = leaf if whole else np.asarray(leaf[:: max(leaf.size // _NUMBERS, 1)])
    kind = (leaf.shape if exactly else leaf.shape[1:], leaf.dtype)
    return kind, values.min(), values.max(), *([float(values.sum())] if exactly else [])


def _wider(now, seen):
    return np.fmin(now[1], seen[1]), np.fmax(now[2], seen[2])
