"""`view`: the page about a model, written and shown."""

import sys

from lamina.view.page import page_of

__all__ = ["view"]


def view(model, path=None, x=None, y=None, history=None, open=None):
    """A Page about a model: its graph in boxes that fold, and for each layer what it does, what was found about it, its
    weights, and what it makes of a sample. One HTML file that needs no server and no network.

    Args:
        path: the file to write; by default one in the folder for temporary files, which the browser then shows.
        x: a batch of inputs, to show what the layers make of its first sample.
        y: its labels, for the rules of `check` that need them.
        history: what `fit` gave, or its dict of figures; by default that of the last `fit`.
        open: whether the browser shows it; by default where there is no path and no notebook.

    Raises:
        CallError: when the model has not seen data yet, so that its shapes are not known.

    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="<b>")], name="small")
    >>> page = view(model, open=False)
    >>> "<b>" in page.html
    False
    """
    page = page_of(model, x, y, history)
    if path is not None:
        page.write(path)
    if open or (open is None and path is None and not _in_notebook()):
        page.open()
    return page


def _in_notebook():
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return "IPKernelApp" in getattr(shell, "config", ())
