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
import sys
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Literal, TypeVar

from lamina.errors import LaminaError, TracingError, is_internal, is_library

__all__ = [
    "explain_errors_by", "explain_uncaught", "filters_traceback", "is_enabled", "later", "readable", "set_enabled",
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


def later(path: str, own: type | None = None) -> Callable[..., Any]:
    """A function of errors whose module is read at the first error that is not one of lamina's; for those it is None.

    Args:
        path: Module and name: "lamina.core.traced_errors.explain".
        own: The one class of lamina's errors that it is for as well.
    """
    module, _, name = path.rpartition(".")

    def explain(*args: Any) -> Any:
        error: Any = next((one for one in args if isinstance(one, BaseException)), None)
        if (isinstance(error, LaminaError) and type(error) is not own) or error.__traceback__ is None:
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


def filters_traceback(function: F, then: Callable[..., None] | None = None) -> F:
    """Decorator of a public function whose errors are shown by `readable`.

    Args:
        function: Function.
        then: Function that is called with `function` and its arguments where it raised no error, and may raise one.
    """

    @functools.wraps(function)
    def filtered(*args: Any, **kwargs: Any) -> Any:
        try:
            result = function(*args, **kwargs)
            if then is not None:
                then(function, args, kwargs)
            return result
        except BaseException as error:
            with readable(error) as shown:
                raise shown from None

    return filtered  # pyright: ignore[reportReturnType]


_uncaught: dict[str, Any] = {}


@functools.cache
def explain_uncaught(fix_of: Callable[[BaseException], str | None]) -> None:
    """Let the interpreter and notebooks print the fix behind an error of Python's own that lamina's objects led to, and
    errors of lamina without its frames. The first object of lamina asks for it: importing changes nothing.

    Args:
        fix_of: The fix of an error, None for those that it does not know.
    """
    from lamina.runtime.process import configures_process  # it reads JAX, which `import lamina` does not

    if not configures_process():
        return
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    _uncaught["fix_of"] = fix_of
    if shell is not None:
        shell.events.register("post_run_cell", _after_cell)
    else:
        _uncaught["shown"], sys.excepthook = sys.excepthook, _show


def _show(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    fix = _fix_of_uncaught(error)
    _uncaught["shown"](kind, error, error.__traceback__)
    if fix:
        print(fix, file=sys.stderr)


def _after_cell(result: Any) -> None:
    fix = _fix_of_uncaught(result.error_in_exec) if result.error_in_exec is not None else None
    if fix:
        print(fix, file=sys.stderr)


def _fix_of_uncaught(error: BaseException) -> str | None:
    """The fix of an error of Python's; errors of lamina lose the frames inside it."""
    try:
        if not isinstance(error, LaminaError):
            return _uncaught["fix_of"](error)
        if is_enabled():
            shown = readable(error)
            shown.__enter__()
            error.__traceback__ = shown.traceback
    except Exception:  # what explains an error must not hide it
        return None
    return None
