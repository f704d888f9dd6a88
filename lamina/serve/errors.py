"""Answers that say what was wrong with a request: a status, what was expected, what came."""

from __future__ import annotations

from typing import Any

__all__ = ["Refused"]


class Refused(Exception):
    """A request that is not answered with numbers.

    Args:
        status: Status code of HTTP.
        message: What was expected, and what came.
        fix: One line that says how to repair the request.
        **details: Further fields of the answer.
    """

    def __init__(self, status: int, message: str, fix: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.status: int = status
        self.message: str = message
        self.fix: str | None = fix
        self.details: dict[str, Any] = details

    def body(self) -> dict[str, Any]:
        """The answer as a dict for JSON. Its "error" is a text, as the protocol of KServe has it."""
        fix = {} if self.fix is None else {"fix": self.fix}
        return {"error": self.message, **fix, **self.details}
