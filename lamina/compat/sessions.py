"""The lines of TensorFlow 1 that set a session up ahead of a Keras program: they run, and change nothing."""

from __future__ import annotations

from typing import Any, Self

from lamina.errors import CallError
from lamina.legacy import warn_renamed

__all__ = ["SESSIONS"]


class Settings:
    """ConfigProto, GPUOptions and the like: any attribute can be set, none is read."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        vars(self).update(settings)

    def __getattr__(self, name: str) -> Settings:
        if name.startswith("__"):
            raise AttributeError(name)
        setattr(self, name, Settings())
        return vars(self)[name]


class Session:
    """A session that can be made, set and closed; it runs nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warn_renamed(
            "tf.Session has no effect: there are no sessions. In place of allow_growth, set the environment variable"
            " XLA_PYTHON_CLIENT_PREALLOCATE=false."
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        """Nothing to close."""

    def close(self) -> None:
        """Nothing to close."""

    def as_default(self) -> Self:
        """The session itself."""
        return self

    def run(self, fetches: Any, *args: Any, **kwargs: Any) -> Any:
        """The error of a session that is asked to compute; None for what initializes variables.

        Args:
            fetches: What to compute.
            *args: Not used.
            **kwargs: Not used.

        Raises:
            CallError: For everything else.
        """
        if fetches is None:
            return None
        raise CallError(
            "A session of TensorFlow 1 cannot run on lamina, which computes at once.",
            fix="outputs = model.predict(x); value = keras.backend.get_value(variable)",
        )


def _nothing(*_: Any, **__: Any) -> None:
    """What initializes variables: they have their values already."""


SESSIONS: dict[str, Any] = {
    **dict.fromkeys(("Session", "InteractiveSession"), Session),
    **dict.fromkeys(("ConfigProto", "GPUOptions", "OptimizerOptions", "GraphOptions"), Settings),
    **dict.fromkeys((
        "global_variables_initializer", "local_variables_initializer", "initialize_all_variables", "tables_initializer",
        "reset_default_graph",
    ), _nothing),
}  # fmt: skip
"""Their names in the modules tensorflow and tensorflow.compat.v1."""
