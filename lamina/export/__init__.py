"""Programs that run without the code of the model: StableHLO, as `jax.export` writes it."""

from typing import TYPE_CHECKING

from lamina.core.lazy import lazy

if TYPE_CHECKING:
    from lamina.export.archive import ExportArchive

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "archive": "ExportArchive",
    },
)
