"""What `fit` prints about a model before it trains it: errors and warnings, one line each, once."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from lamina.check.findings import Findings
from lamina.check.rules import rules_for
from lamina.check.subject import Subject
from lamina.core import tree
from lamina.errors import CheckError
from lamina.runtime import settings
from lamina.runtime.progress import say
from lamina.training.data import unpack_x_y_sample_weight
from lamina.training.data.leaves import looks_like_arrays

__all__ = ["look_before_fit"]

_NUMBERS = 2**18  # of each array: judged in a millisecond
_SLOW = ("forward", "watch")  # rules that run the model


def look_before_fit(
    model: Any, batches: Any, data: tuple[Any, Any, Any], verbose: Any, arguments: dict[str, Any]
) -> None:
    """Check once for each `compile` and setting of `lamina.config.set_checks`; print the findings unless verbose=0.

    Args:
        model: Model that is about to be trained.
        batches: Its batches.
        data: (x, y, sample_weight) as passed to `fit`.
        verbose: Whether findings are printed.
        arguments: Other arguments of `fit`.

    Raises:
        CheckError: The setting is "error" and there is a finding of this severity.
    """
    how = settings.checks()
    if how == "off" or model._checked == how:
        return
    if not model.built:
        model._runner.prepare("train", batches.peek())
    try:
        found = _findings(model, batches, data, arguments)
    except Exception as error:  # advice must not stop a training
        found = ()
        if verbose:
            say(f"The checks failed on {model.name}: {type(error).__name__}: {str(error).splitlines()[:1]}")
    errors = [finding for finding in found if finding.severity == "error"]
    if how == "error" and errors:
        raise CheckError("\n".join(map(str, errors)), fix="Or keras.config.set_checks('warn') to train anyway.")
    model._checked = how
    for finding in found if verbose else ():
        say(str(finding))


def _findings(model, batches, data, arguments):
    """Errors and warnings about a model that is about to be trained on this."""
    if not all(map(_is_of_arrays, data)):
        data = unpack_x_y_sample_weight(batches.peek())
    arguments = {**arguments, "samples": batches.num_samples, "steps_per_epoch": batches.num_batches}
    x, y, sample_weight = data
    subject = Subject(model, x, y, sample_weight, arguments, _NUMBERS)
    wanted = [rule for rule in rules_for(subject, but=_SLOW) if rule.severity != "info"]
    return Findings(finding for rule in wanted for finding in rule.findings(subject))


def _is_of_arrays(part):
    if part is not None and not looks_like_arrays(part):
        return False
    return all(leaf is None or isinstance(leaf, (np.ndarray, jax.Array)) for leaf in tree.flatten(part))
