"""Errors as users see them: without the frames of lamina and JAX, and without the errors that led to them inside.

Public entry points end in

    except Exception as error:
        with readable(error) as shown:
            raise shown from None

which costs nothing until something fails, and leaves no frame of its own: `__exit__` replaces the traceback (and puts
the cause back), and Python adds no frame to an error that leaves a `with`.
"""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Literal, TypeVar

from lamina.errors import LaminaError, TracingError, is_internal, is_library

__all__ = [
    "explain_errors_by", "filters_traceback", "is_enabled", "later", "readable", "set_enabled",
    "user_frames",
]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])
_state = {"enabled": not os.environ.get("LAMINA_TRACEBACK")}
_explanations: list[Callable[[BaseException], BaseException | None]] = []


def is_enabled() -> bool:
    """Whether frames of lamina and JAX are left out."""
    return _state["enabled"]


def set_enabled(value: bool) -> None:
    """Set whether frames of lamina and JAX are left out.

    Args:
        value: True leaves them out.
    """
    _state["enabled"] = value


def explain_errors_by(function: Callable[[BaseException], BaseException | None]) -> None:
    """Register a function that replaces errors by others that say more.

    Args:
        function: It returns the error to show, or None for errors that it does not know.
    """
    _explanations.append(function)


def later(path: str) -> Callable[..., Any]:
    """A function of errors whose module is read at the first error that is not one of lamina's; for those it is None.

    Args:
        path: Module and name: "lamina.core.traced_errors.explain".
    """
    module, _, name = path.rpartition(".")

    def explain(*args: Any) -> Any:
        error: Any = next((one for one in args if isinstance(one, BaseException)), None)
        if isinstance(error, LaminaError) or error.__traceback__ is None:
            return None
        return getattr(importlib.import_module(module), name)(*args)

    return explain


def user_frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    """The entries of a traceback that belong neither to lamina or JAX nor to a library that they called.

    Args:
        traceback: Traceback, or None.
    """
    inside = False
    while traceback is not None:
        inside = is_internal(traceback.tb_frame) or (inside and is_library(traceback.tb_frame))
        if not inside:
            yield traceback
        traceback = traceback.tb_next


def _filtered(traceback, error=None):
    found, entries = None, list(user_frames(traceback))
    calls_back = isinstance(error, TracingError) and traceback is not None and is_internal(traceback.tb_frame)
    while calls_back and len(entries) > 1 and is_library(entries[-1].tb_frame):
        entries.pop()  # of a library that a user's function gave a tensor to, which the error says
    for entry in reversed(entries):
        found = TracebackType(found, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return found


def _drop_internal_causes(error):
    """Causes that arose inside lamina or JAX stay in `__context__`, but are not printed; of others, frames are cut."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is None:
            return
        cause.__traceback__ = _filtered(cause.__traceback__)
        if cause.__traceback__ is None or type(cause).__module__.partition(".")[0] in ("jax", "jaxlib"):
            error.__cause__ = None  # which hides the context as well
        error = cause


class readable:
    """The error to show for one that was caught: `with readable(error) as shown: raise shown from None`.

    Args:
        error: The error that was caught.
    """

    cause: Any
    error: Any

    __slots__ = ("cause", "error", "traceback")

    def __init__(self, error: BaseException) -> None:
        self.error, self.traceback = error, error.__traceback__

    def __enter__(self) -> BaseException:
        for explain in _explanations:
            explained = explain(self.error)
            if explained is not None:
                self.error = explained
                break
        if self.error.__traceback__ is None:  # a new one, which stands for the one that was caught
            self.error.__suppress_context__ = True
        if _state["enabled"]:
            self.traceback = _filtered(self.traceback, self.error)
            _drop_internal_causes(self.error)
            notes = getattr(self.error, "__notes__", None)
            if notes:
                notes[:] = [note for note in notes if "JAX has removed its internal frames" not in note]
        self.cause = self.error.__cause__, self.error.__suppress_context__
        return self.error

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> Literal[False]:
        self.error.__traceback__ = self.traceback
        self.error.__cause__, self.error.__suppress_context__ = self.cause
        return False


def filters_traceback(function: F) -> F:
    """Decorator of a public function whose errors are shown by `readable`.

    Args:
        function: Function.
    """

    @functools.wraps(function)
    def filtered(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            with readable(error) as shown:
                raise shown from None

    return filtered  # pyright: ignore[reportReturnType]
