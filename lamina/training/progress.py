"""The progress of the loop."""

from lamina.core.progress import Progress

__all__ = ["make_progress"]


def make_progress(verbose, epochs=1, steps=None):
    """The `Progress` of a run of `fit`, `evaluate` or `predict`."""
    return Progress(verbose, epochs, steps)
