"""Packages that lamina can do without."""

from __future__ import annotations

from lamina.errors import LaminaError

__all__ = ["MissingPackageError"]


class MissingPackageError(LaminaError, ImportError):
    """A package that is needed here is not installed; the fix installs it.

    Args:
        what: What needs it.
        package: Its name for pip.

    >>> print(MissingPackageError("FlaxLayer", "flax"))
    FlaxLayer needs the package flax, which is not installed.
    pip install flax
    """

    def __init__(self, what: str, package: str) -> None:
        super().__init__(f"{what} needs the package {package}, which is not installed.", f"pip install {package}")
