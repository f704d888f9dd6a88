"""The errors lamina raises, all below `LaminaError`.

Each says what was expected, what came, in which layer, and the one-line fix:

>>> print(ShapeError("Dense needs inputs of rank 2 or more; got shape (784,).", fix="Use x[None]."))
Dense needs inputs of rank 2 or more; got shape (784,).
Use x[None].
"""

import os
import sys
import warnings

__all__ = [
    "CallError",
    "CheckError",
    "ConfigError",
    "DataError",
    "FileError",
    "LaminaError",
    "NetworkError",
    "ShapeError",
    "UnsafeFileError",
    "locate",
    "warn",
]

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep


class LaminaError(Exception):
    """Base of all errors of lamina. `where` is filled in by the layer in which the error arose."""

    def __init__(self, message="", fix=None):
        super().__init__(message)
        self.message, self.fix, self.where = message, fix, None

    def reword(self, function):
        """Change the words by a function of text."""
        self.message, self.where, self.fix = (
            function(part) if isinstance(part, str) else part for part in (self.message, self.where, self.fix)
        )

    def add_note(self, note):
        """Take a note, but not JAX's on frames that it hid: our message says where to look."""
        if "JAX has removed its internal frames" not in note:
            super().add_note(note)

    def __str__(self):
        return "\n".join(str(part) for part in (self.message, self.where, self.fix) if part)


class ShapeError(LaminaError, ValueError):
    """Shapes that do not fit together."""


class CallError(LaminaError, ValueError):
    """A layer, model or function called with arguments it cannot use."""


class CheckError(LaminaError, ValueError):
    """What `fit` found wrong before it began, where `lamina.config.set_checks("error")` asks for it."""


class ConfigError(LaminaError, ValueError):
    """An argument, name or config that cannot be understood."""


class DataError(LaminaError, ValueError):
    """Training data that cannot be used as given."""


class FileError(LaminaError, ValueError):
    """A file that is missing, damaged, hostile, or does not fit the model."""


class UnsafeFileError(FileError):
    """What no honest file needs: code, links, paths, or more memory than the file could fill. Says what and where.

    >>> error = UnsafeFileError("It links elsewhere, which is refused.")
    >>> print(error.within("layers/dense").within("model.keras"))
    It links elsewhere, which is refused.
    In model.keras, layers/dense.
    """

    _lamina_located = True  # by its place in the file, not by the layer that was being made

    def __init__(self, message="", fix=None):
        super().__init__(message, fix)
        self.place: tuple = ()

    def within(self, part):
        """Say that the place is inside `part` of the file; the error itself."""
        if not self.place or self.place[0] != str(part):
            self.place = (str(part), *self.place)
            self.where = f"In {', '.join(self.place)}."
        return self


class NetworkError(LaminaError, OSError):
    """A download that failed; says where the file can be put by hand."""


def locate(error, where):
    """Say once, at the innermost layer, where `error` arose: in our own errors as a line, in others as a note."""
    if getattr(error, "_lamina_located", False):
        return
    try:
        error._lamina_located = True
    except AttributeError:  # an exception with __slots__ cannot be marked
        return
    if isinstance(error, LaminaError):
        error.where = where
    else:
        error.add_note(where)


def warn(message, category: type[Warning] = UserWarning):
    """Warn at the line of the user's program that led here, not at one of lamina's or JAX's."""
    frame = caller = sys._getframe(1)
    while frame is not None and _is_inside(frame.f_code.co_filename):
        frame = frame.f_back
    frame = frame or caller
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    module = frame.f_globals.get("__name__", "")
    warnings.warn_explicit(message, category, frame.f_code.co_filename, frame.f_lineno, module, registry)


def _is_inside(filename):
    return filename.startswith(_HERE) or "importlib" in filename or f"{os.sep}jax{os.sep}" in filename
