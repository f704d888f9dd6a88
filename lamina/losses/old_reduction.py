"""`keras.losses.Reduction` of Keras 2; today a loss takes the reduction as a string."""

from __future__ import annotations

from lamina.errors import ArgumentError

__all__ = ["Reduction"]


class Reduction:
    """The reductions of a loss by the names that they had in Keras 2, each the string that a loss takes today."""

    AUTO = SUM_OVER_BATCH_SIZE = "sum_over_batch_size"
    SUM = "sum"
    NONE = "none"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """Every reduction."""
        return cls.AUTO, cls.SUM, cls.NONE

    @classmethod
    def validate(cls, key: str) -> None:
        """Raise an error for what is no reduction.

        Args:
            key: The reduction.
        """
        if key not in cls.all():
            raise ArgumentError(f"Invalid reduction: {key!r}; expected one of {cls.all()}.", fix=f"{cls.AUTO!r}")
