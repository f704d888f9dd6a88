"""The errors that lamina raises, all subclasses of `LaminaError`.

Each says what was expected, what it got, in which layer, and the fix in one line:

>>> print(ShapeError("Dense needs inputs of rank 2 or more; got shape (784,).", fix="Use x[None]."))
Dense needs inputs of rank 2 or more; got shape (784,).
Use x[None].
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

__all__ = [
    "HERE", "ArgumentError", "CallError", "CheckError", "ConfigError", "DataError", "FileError", "LaminaError",
    "MissingMethodError", "NetworkError", "ProcessError", "ShapeError", "TracingError", "UnknownClassError",
    "UnknownImportError", "UnknownNameError", "UnsafeFileError", "UnsupportedError", "harmless", "locate", "silence",
    "warn",
]  # fmt: skip

HERE: str = os.path.dirname(os.path.abspath(__file__)) + os.sep
_LONGEST = 2000  # characters of a line of a message: names in files may have any length
# What begins an escape sequence, turns the direction of a text, breaks its line, or is half a character.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in (9, 10)}
_TURNING = (0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0x061C, 0xFEFF, *range(0xD800, 0xE000))
_CONTROLS |= {code: f"\\u{code:04x}" for code in _TURNING}
_CONTROLS |= {code: f"\\U{code:08x}" for code in range(0xE0000, 0xE0080)}  # letters that nobody sees


def harmless(text: str) -> str:
    """A text of a file, such as a name, with escapes in place of characters that a terminal obeys.

    Args:
        text: Text. Tabs and ends of lines stay.

    >>> harmless("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    return text if text.isprintable() else text.translate(_CONTROLS)


def _shortened(line):
    return line if len(line) <= _LONGEST else f"{line[:1500]} ... {len(line)} characters ... {line[-400:]}"


class LaminaError(Exception):
    """Base of all errors of lamina.

    Args:
        message: What was expected, and what it got.
        fix: One line that says how to repair it.

    Attributes:
        where: The layer in which the error arose, which fills it in.
    """

    def __init__(self, message: str = "", fix: str | None = None) -> None:
        super().__init__(message)
        self.message: str = message
        self.fix: str | None = fix
        self.where: str | None = None

    def reword(self, function: Callable[[str], str]) -> None:
        """Change the texts of the error.

        Args:
            function: Function from a text to a text.
        """
        for name in ("message", "where", "fix"):
            text = getattr(self, name)
            setattr(self, name, function(text) if isinstance(text, str) else text)

    def add_note(self, note: str, /) -> None:
        """Add a note, except that of JAX on hidden frames, since our message says where to look.

        Args:
            note: Text.
        """
        if "JAX has removed its internal frames" not in note:
            super().add_note(note)

    def __str__(self) -> str:
        text = "\n".join(str(part) for part in (self.message, self.where, self.fix) if part)
        return harmless("\n".join(map(_shortened, text.split("\n"))))


class ShapeError(LaminaError, ValueError):
    """Shapes that are not compatible."""


class ConfigError(LaminaError, ValueError):
    """An argument, name or config that cannot be understood."""


class UnknownClassError(ConfigError):
    """A config names a class or function that is not known: `name`."""

    def __init__(self, name: Any, message: str, fix: str | None = None) -> None:
        super().__init__(message, fix)
        self.name: Any = name


class ArgumentError(ConfigError, TypeError):
    """Arguments that a class, function or method does not have, or lacks.

    Args:
        message: Which arguments, and what was meant.
        fix: The call as it should be.
        of: Object whose `__init__` or method was called, or the name of a function.
        also: Arguments that are taken beside those of the signature.
    """

    def __init__(self, message: str = "", fix: str | None = None, of: Any = None, also: tuple[str, ...] = ()) -> None:
        super().__init__(message, fix)
        self.of: Any = of
        self.also: tuple[str, ...] = also


class UnknownNameError(LaminaError, AttributeError):
    """A name that a module or an object does not have. What was meant is looked up when the text is first read.

    Args:
        message: Who has no such name.
        suggest: Function that returns a sentence or "", and the fix or None.
    """

    obj: object
    message: Any

    def __init__(self, message: str = "", suggest: Callable[[], tuple[str, str | None]] | None = None) -> None:
        self._suggest: Callable[[], tuple[str, str | None]] | None = suggest
        super().__init__(message)
        self.obj = HERE  # as long as it is None, Python sets it, and adds a "Did you mean" of its own

    def _read(self):
        if self._suggest is not None:
            suggest, self._suggest = self._suggest, None
            sentence, self._fix = suggest()
            self.message += sentence

    if not TYPE_CHECKING:

        @property
        def fix(self) -> str | None:
            """One line that says how to repair it."""
            self._read()
            return self._fix

        @fix.setter
        def fix(self, value: str | None) -> None:
            self._fix = value

    def __str__(self) -> str:
        self._read()
        return super().__str__()


class UnknownImportError(LaminaError, ImportError):
    """A name that is imported from a module that does not have it.

    Args:
        message: Which name, from which module.
        sentence: What was meant, or "".
        fix: What it is called.
    """

    def __init__(self, message: str = "", sentence: str = "", fix: str | None = None) -> None:
        super().__init__(message + sentence, fix)


class CallError(LaminaError, ValueError):
    """A call of a layer, model or function with arguments that it cannot use."""


class CallTypeError(CallError, TypeError):
    """A call with a kind of argument that it cannot use, which JAX and Keras answer by a TypeError."""


class CheckError(LaminaError, ValueError):
    """An error that `fit` found in the model or its first batch, where `lamina.config.set_checks("error")` is set."""


class MissingMethodError(CallError, NotImplementedError):
    """A method that a subclass has to write, such as `call` of a layer."""


class UnsupportedError(CallError, NotImplementedError):
    """Something that this layer, or lamina, does not do."""


class DataError(LaminaError, ValueError):
    """Training data that cannot be used as given."""


class OutOfMemoryError(LaminaError, MemoryError):
    """A device has not enough memory for a step."""


class FileError(LaminaError, ValueError):
    """A file that is missing, damaged, hostile, or does not fit the model."""


class TracingError(CallError, TypeError):
    """Python or NumPy code of the user, or a function of keras.ops, that asks for numbers of a tensor that has none.

    `fit`, `evaluate` and `predict` call layers, losses and metrics once with tensors that stand for any numbers, to
    compile them. What is done to these tensors must be done by `keras.ops`.
    """


_GET_ANOTHER = "No file that Keras or lamina writes has this: ask whoever made the file for another one."


class UnsafeFileError(FileError):
    """Content that no honest file needs: code, links, paths, or more memory than the file could fill.

    Args:
        message: What was found, and where.
        fix: One line that says how to load the file, if it is trusted.

    >>> error = UnsafeFileError("It has a link to another file, which is not followed.")
    >>> print(error.within("layers/dense").within("model.keras"))
    It has a link to another file, which is not followed.
    In model.keras, layers/dense.
    No file that Keras or lamina writes has this: ask whoever made the file for another one.
    """

    _lamina_located = True  # by its place in the file, not by the layer that was being built

    def __init__(self, message: str = "", fix: str | None = None) -> None:
        super().__init__(message, fix or _GET_ANOTHER)
        self.place: tuple[str, ...] = ()

    def within(self, part: Any) -> Self:
        """The same error, with a part of the file added in front of its place.

        Args:
            part: The part that holds the place.
        """
        if not self.place or self.place[0] != str(part):
            self.place = (str(part), *self.place)
            self.where: str | None = f"In {', '.join(self.place)}."
        return self


class NetworkError(LaminaError, OSError):
    """A download that failed. Its text says where to put the file by hand."""


class ProcessError(LaminaError, RuntimeError):
    """One of several processes that train one model raised an error, ended, or is doing something else."""


def locate(error: BaseException, where: str) -> None:
    """Add where an error arose, once, at the innermost layer: a line in errors of lamina, a note in others.

    Args:
        error: The error.
        where: Text that names the layer and its inputs.
    """
    if getattr(error, "_lamina_located", False):
        return
    try:
        error._lamina_located = True  # pyright: ignore[reportAttributeAccessIssue]
    except AttributeError:  # an exception with __slots__ cannot be marked
        return
    if isinstance(error, LaminaError):
        error.where = where
    else:
        error.add_note(harmless(where))


def silence(silent: bool) -> None:
    """Choose whether `warn` is silent in this process, because another process gives the same warnings.

    Args:
        silent: Whether it is silent.
    """
    global _silent
    _silent = silent


def warn(message: str, category: type[Warning] = UserWarning, once: bool = False, everywhere: bool = False) -> None:
    """Warn at the line of the user's program that led here, not at a line of lamina or JAX.

    Args:
        message: Text of the warning.
        category: Class of the warning.
        once: Whether one line warns once in the process. Python itself begins again after each
            `warnings.catch_warnings()`, such as those of scikit-learn. Filters "always" and "error" hold all the same.
        everywhere: Whether each of several processes that train one model gives it, not the first alone.
    """
    if _silent and not everywhere:
        return
    caller = sys._getframe(1)
    frame = _user_frame(caller)
    if frame is None:  # in a thread of lamina
        frame = _user_frame(sys._current_frames().get(threading.main_thread().ident or 0)) or caller
    place = message, frame.f_code.co_filename, frame.f_lineno
    if once and place in _warned and _action(category) not in ("always", "all", "error"):
        return
    _warned.add(place)
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    module = frame.f_globals.get("__name__", "")
    warnings.warn_explicit(harmless(message), category, frame.f_code.co_filename, frame.f_lineno, module, registry)


_warned: set[tuple[str, str, int]] = set()
_silent = False


def _action(category):
    """What Python does with a warning of a category, by the first filter for all texts and files."""
    filters: Any = warnings.filters
    fits = (action for action, text, kind, file, _ in filters if not (text or file) and issubclass(category, kind))
    return next(fits, "default")


def _user_frame(frame):
    while frame is not None and (is_internal(frame) or is_library(frame)):
        frame = frame.f_back
    return frame


def is_internal(frame: FrameType) -> bool:
    """Whether a frame belongs to lamina or JAX.

    Args:
        frame: Frame.
    """
    return str(frame.f_globals.get("__name__")).partition(".")[0] in ("lamina", "jax", "jaxlib")


def is_library(frame: FrameType) -> bool:
    """Whether a frame belongs to Python's standard library or to an installed package.

    Args:
        frame: Frame.
    """
    package = str(frame.f_globals.get("__name__")).partition(".")[0]
    if package in sys.stdlib_module_names:
        return package != "__main__"
    file = str(frame.f_globals.get("__file__") or frame.f_code.co_filename)  # Cython knows only the former
    return not {"site-packages", "dist-packages"}.isdisjoint(file.split(os.sep))
