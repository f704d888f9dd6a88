"""`view`: the page about a model, written and shown."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from lamina.view.page import Page, page_of

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

__all__ = ["view"]


def view(
    model: Any, path: str | os.PathLike[str] | None = None, x: Any = None, y: Any = None, history: Any = None,
    open: bool | None = None, profile: bool | None = None, compare: Any = None, vocabulary: Sequence[str] | None = None,
) -> Page:  # fmt: skip
    """A Page about a model: its graph in boxes that fold, and for each layer its explanation, findings, weights, and
    outputs for a sample. One HTML file that needs no server and no network.

    Args:
        model: Model.
        path: File to write; None means one in the folder for temporary files, which the browser then shows. With the
            ending .json it is a file for Google's Model Explorer.
        x: Batch of inputs, to show the outputs of the layers, attention maps and saliency for its first sample.
        y: Labels of the batch, for the rules of `check` that need them.
        history: What `fit` returned, or its dict; None means that of the last `fit`.
        open: Whether the browser shows it; None means where there is no path and no notebook.
        profile: Whether the time of each layer is measured, in a training step where the model is compiled and there
            are labels, else in a prediction, and saliency computed. Both compile programs, which takes seconds for a
            large model. None means where there is `x`.
        compare: Another model to show beside it: a model, a file of one, or a file of weights for a model like it
            (.weights.h5, .safetensors). The page shows which layers correspond, and how far settings, weights and
            outputs for `x` are apart; `page.comparison` prints it.
        vocabulary: Words by number, to show a text of numbers; None takes them from a TextVectorization layer.

    Raises:
        CallError: The model has not been called yet, so that its shapes are not known.

    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="<b>")], name="small")
    >>> page = view(model, open=False)
    >>> "<b>" in page.html
    False
    """
    page = page_of(model, x, y, history, profile, compare, vocabulary)
    if path is not None:
        page.write(path)
    if open or (open is None and path is None and not _in_notebook()):
        page.open()
    return page


def _in_notebook():
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return "IPKernelApp" in getattr(shell, "config", ())
