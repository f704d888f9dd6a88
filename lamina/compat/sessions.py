"""The lines of TensorFlow 1 that set a session up ahead of a Keras program: they run, and change nothing."""

from __future__ import annotations

import copy
import enum
from types import SimpleNamespace
from typing import Any, Self

from lamina.errors import CallError
from lamina.legacy import warn_renamed

__all__ = ["SESSIONS", "TPU", "Options", "Settings", "constants", "options_of", "with_options"]


class Settings:
    """ConfigProto, GPUOptions and the like: any attribute can be set, none is read."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        vars(self).update(settings)

    def __getattr__(self, name: str) -> Settings:
        if name.startswith("__"):
            raise AttributeError(name)
        setattr(self, name, Settings())
        return vars(self)[name]


def constants(name: str, **values: Any) -> type:
    """A class of constants, which packages also annotate arguments with.

    Args:
        name: Name of the class.
        **values: The constants.
    """
    return type(name, (), values)


class Options(Settings):
    """`tf.data.Options`: what is set is kept, and None where it never was."""

    deterministic: Any = None
    experimental_deterministic: Any = property(
        lambda self: self.deterministic, lambda self, value: setattr(self, "deterministic", value)
    )


def with_options(self: Any, options: Any, name: Any = None) -> Any:
    """`dataset.with_options(options)`: the same data set, whose `options()` has them too.

    Args:
        self: Data set.
        options: Options.
        name: No effect.
    """
    found = copy.copy(self)
    found._options = Options(**{**vars(options_of(self)), **vars(options)})
    return found


def options_of(dataset: Any) -> Options:
    """The options of a data set: its own, or else those of the data sets that it reads.

    Args:
        dataset: Data set.
    """
    own = vars(dataset).get("_options")
    if own is not None:
        return own
    settings = [vars(options_of(source)) for source in dataset._sources]
    return Options(**{name: value for found in settings for name, value in found.items()})


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
    "GraphKeys": constants("GraphKeys", **{name.upper(): name for name in (
        "global_variables", "losses", "regularization_losses", "summaries", "trainable_variables", "update_ops")}),
    **dict.fromkeys(("Session", "InteractiveSession"), Session),
    **dict.fromkeys(("ConfigProto", "GPUOptions", "OptimizerOptions", "GraphOptions"), Settings),
    **dict.fromkeys((
        "global_variables_initializer", "local_variables_initializer", "initialize_all_variables", "tables_initializer",
        "reset_default_graph",
    ), _nothing),
}  # fmt: skip
"""Their names in the modules tensorflow and tensorflow.compat.v1."""


class TPUEmbedding:
    """Tables of embeddings on the special memory of a TPU, which packages name and programs without a TPU never make.

    Args:
        *args, **kwargs: Not used.

    Raises:
        CallError: Always.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise CallError(
            "tf.tpu.experimental.embedding is not part of lamina, whose tables are on all devices alike.",
            fix="keras.layers.Embedding(1000, 16)",
        )


_OF_TABLES = "SGD Adagrad Adam FTRL FeatureConfig TableConfig"
_TABLES = "TPUEmbedding TPUEmbeddingV0 TPUEmbeddingForServing"
TPU = SimpleNamespace(
    HardwareFeature=constants("HardwareFeature", EmbeddingFeature=enum.Enum("EmbeddingFeature", "UNSUPPORTED V1 V2")),
    embedding=SimpleNamespace(
        **{name: type(name, (Settings,), {}) for name in _OF_TABLES.split()},
        **{name: type(name, (TPUEmbedding,), {}) for name in _TABLES.split()},
    ),
)
"""What packages name of `tf.tpu.experimental`."""
