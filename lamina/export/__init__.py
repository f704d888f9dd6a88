"""Programs that run without the code of the model: StableHLO, as `jax.export` writes it."""

from lamina.export.archive import ExportArchive

__all__ = ["ExportArchive"]
