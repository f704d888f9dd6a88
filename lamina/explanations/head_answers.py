"""The answer about the outputs of a model: what each means, which loss and labels go with it, whether its loss fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lamina.facts.activations import bounds_of
from lamina.facts.fits import Fit, scores_of
from lamina.facts.loss_names import EXCLUSIVE, is_builtin_loss
from lamina.facts.words import shape_of

if TYPE_CHECKING:
    from lamina.facts.heads import Head

__all__ = ["sentences_about_head"]


def sentences_about_head(head: Head, alone: bool) -> list[str]:
    """What an output means, what goes with it, and whether its loss fits.

    Args:
        head: The output.
        alone: Whether the model has no other output.
    """
    name, fact = head.activation, head.fact
    what = "one number" if head.shape[1:] in ((), (1,)) else shape_of(head.shape)
    through = f" through {name}" if name not in (None, "linear") else ", without an activation" if name else ""
    layer = fact.name if fact.depth == 0 else f"{fact.name} in {fact.owner.name}"
    said = [f"{'The output is' if alone else 'One output is'} that of {layer}: {what}{through}."]
    if head.each and head.loss is None:
        return [*said, "compile was given no loss for it."]
    said.append(_goes_with(head))
    if head.loss is not None:
        said.append(_verdict(head) if is_builtin_loss(head.loss) else "It is compiled with a loss of your own.")
    return said


def _samples(shape):
    sizes = ", ".join("any" if size is None else str(size) for size in shape)
    return f"(samples, {sizes})" if sizes else "(samples,)"


def _goes_with(head):
    name, units, shape = head.activation, _channels(head), head.shape
    if units is None:
        return ""
    spots = "at each position " if len(shape) > 2 else ""
    if name == "softmax" and units == 1:
        return "The softmax of one number is always 1: use sigmoid, or one unit for each class."
    if name == "softmax":
        return (
            f"So {spots}it gives the probabilities of {units:,} exclusive classes, which add up to 1. With class "
            f"numbers {'0 and 1' if units == 2 else f'0 to {units - 1:,}'} of shape {_samples(shape[1:-1])} as "
            f"labels: loss sparse_categorical_crossentropy; with one-hot rows of {units:,}: categorical_crossentropy. "
            "Metric: accuracy."
        )
    if name == "sigmoid" and units == 1:
        labels = "(samples,) or (samples, 1)" if len(shape) == 2 else _samples(shape[1:])
        return (
            f"So {spots}it gives the probability of yes. Labels: 0 and 1, of shape {labels}; loss "
            "binary_crossentropy, metric accuracy. Above 0.5 counts as yes."
        )
    if name == "sigmoid":
        return (
            f"So {spots}it gives {units:,} probabilities that do not exclude each other: several may be near 1, and "
            f"they need not add up to 1. Labels: zeros and ones (or fractions) of shape {_samples(shape[1:])}, loss "
            "binary_crossentropy. For one class out of several use softmax."
        )
    if name == "linear":
        scores = f"logits of {units:,} classes): a categorical crossentropy" if units > 1 else (
            "the logit of yes): binary_crossentropy"
        )  # fmt: skip
        return (
            "As a regression it can reach any number: loss mse or mae, targets of the same shape. As scores "
            f"({scores} with from_logits=True."
        )
    bounds = bounds_of(name)
    return f"So it can only give numbers {bounds}: the targets must lie there." if bounds else ""


def _channels(head):
    """How many values there are at each position."""
    first = getattr(head.fact.layer, "data_format", None) == "channels_first"
    return head.shape[1] if first and head.activation != "softmax" and len(head.shape) > 1 else head.units


def _verdict(head):
    fits, why = _words(head)
    loss = f"{head.loss_name}{' with from_logits=True' if head.from_logits else ''}"
    verdict = "" if fits is None else ", which fits" if fits else ", which does not fit"
    return f"It is compiled with {loss}{verdict}{f': {why}' if why else ''}."


def _words(head):
    """(whether activation and loss go together, None where it depends on what is wanted; why)."""
    kind = scores_of(head.loss_name)
    return {
        Fit.YES: (True, ""),
        Fit.LOGITS: (True, f"the loss applies {kind} itself"),
        Fit.SIGNS: (True if head.activation in ("linear", "tanh") else None, "labels are -1 and 1"),
        Fit.APPLIED_TWICE: (False, f"the loss applies {kind} itself, so it would be applied twice"),
        Fit.NOT_EXCLUSIVE: (False, "it takes the probabilities of exclusive classes, which softmax gives"),
        Fit.NO_PROBABILITIES: (False, f"it takes probabilities: use {kind} here, or from_logits=True in the loss"),
        Fit.CONSTANT: (
            False, "with one unit the output is always 1" if head.loss_name in EXCLUSIVE else "it is always 1",
        ),
        Fit.SHARED: (None, "categorical_crossentropy is usual after softmax"),
        Fit.BOUNDED: (None, f"targets must be {bounds_of(head.activation)}"),
        Fit.UNKNOWN: (None, ""),
    }[head.fit]  # fmt: skip
