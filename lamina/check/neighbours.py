"""The layers before and after a layer, beyond those that are passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamina.facts.fact import Fact

__all__ = ["comes_from_convolution", "is_frozen", "next_call"]


def next_call(fact: Fact, *through: str) -> Fact | None:
    """The one call that takes the output of this one; None if there are several.

    Args:
        fact: The call.
        *through: Traits, or names of classes, of calls that are passed over.
    """
    while len(fact.receivers) == 1 and not fact.ends:
        fact = fact.receivers[0]
        if not _is_one_of(fact, through):
            return fact
    return None


def comes_from_convolution(fact: Fact, *through: str) -> bool:
    """Whether the input of a call is the output of a convolution.

    Args:
        fact: The call.
        *through: Traits, or names of classes, of calls that are passed over.
    """
    while len(fact.sources) == 1:
        fact = fact.sources[0]
        if fact.has("convolution"):
            return True
        if not _is_one_of(fact, through):
            return False
    return False


def is_frozen(fact: Fact) -> bool:
    """Whether the values of a call are those of a layer that is not trained.

    Args:
        fact: The call.
    """
    while not fact.count and len(fact.sources) == 1:
        fact = fact.sources[0].innermost
    return bool(fact.count) and not fact.trainable_count


def _is_one_of(fact, kinds):
    return fact.has(*kinds) or fact.is_a(*kinds)
