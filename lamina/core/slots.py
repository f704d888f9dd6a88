"""Slots that note what a function reads and writes besides what they hold."""

from __future__ import annotations

from typing import Any

import jax

from lamina.core.context import Ref

__all__ = ["Slots"]


class Slots(dict[Ref, Any]):
    """Values of refs, for `context.with_slots`, with notes of the refs that are read or written and not among them.

    Attributes:
        unknown: Those refs.
    """

    unknown: dict[Ref, None]

    def __contains__(self, ref: object) -> bool:
        found = super().__contains__(ref)
        if not found:
            self.unknown[ref] = None  # pyright: ignore[reportArgumentType]
        return found

    def __setitem__(self, ref: Ref, value: Any) -> None:
        if ref in self and hasattr(ref, "trainable"):  # as in TensorFlow, no gradient goes through an assignment
            value = jax.lax.stop_gradient(value)
        super().__setitem__(ref, value)

    def with_values(self, values: dict[Ref, Any]) -> Slots:
        """Other values, with the same notes.

        Args:
            values: Values.
        """
        made = Slots(values)
        made.unknown = self.unknown
        return made
