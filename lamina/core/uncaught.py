"""What is added to an error that nobody caught: errors of lamina without its frames, those of Python with a fix."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

__all__ = ["explain_uncaught"]


def explain_uncaught() -> None:
    """Let the interpreter and notebooks print the fix after an error of Python's own that lamina's objects led to."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is not None:
        shell.events.register("post_run_cell", _after_cell)
    elif sys.excepthook is not _show:
        _state["previous"], sys.excepthook = sys.excepthook, _show


_state: dict[str, Any] = {}


def _show(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    told = _told(error)
    _state["previous"](kind, error, error.__traceback__)
    if told:
        print(told, file=sys.stderr)


def _after_cell(result: Any) -> None:
    told = _told(result.error_in_exec) if result.error_in_exec is not None else None
    if told:
        print(told, file=sys.stderr)


def _told(error: BaseException) -> str | None:
    """The fix of an error of Python's; errors of lamina lose the frames inside it."""
    try:
        from lamina.core.python_errors import fix_of
        from lamina.errors import LaminaError
        from lamina.runtime.tracebacks import is_enabled, readable

        if not isinstance(error, LaminaError):
            return fix_of(error)
        if is_enabled():
            shown = readable(error)
            shown.__enter__()
            error.__traceback__ = shown.traceback
    except Exception:  # what explains an error must not hide it
        return None
    return None
