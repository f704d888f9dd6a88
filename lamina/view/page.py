"""A model as one page of HTML that needs no server, no network and no other file."""

from __future__ import annotations

import html
import importlib.resources
import json
import pathlib
import re
import tempfile
import webbrowser
from typing import TYPE_CHECKING, Any

from lamina.callbacks.curves import Curves
from lamina.runtime.atomic_files import atomic_write
from lamina.runtime.terminal import escape, harmless
from lamina.view.comparison import other_model
from lamina.view.data import page_data
from lamina.view.model_explorer import graph_collection

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from lamina.view.comparison import Comparison

__all__ = ["Page", "page_of"]

_FRAME = "box-sizing:border-box;border:1px solid rgba(128,128,128,.4);width:100%;height:40em"


class Page:
    """A page about a model. A notebook shows it in a frame.

    Args:
        title: Name of the model.
        text: HTML of the page.
        comparison: Comparison of two models; None for none.
        graphs: The graphs for Model Explorer.

    Attributes:
        title: Name of the model.
        html: HTML of the page.
        comparison: What differs between the two models, to print; None for one model.
        graphs: The graph, or both, in the JSON of Google's Model Explorer, which `write("graph.json")` writes.
        path: File that it was written to last; None before.
    """

    def __init__(
        self, title: str, text: str, comparison: Comparison | None = None, graphs: dict[str, Any] | None = None
    ):
        self.title: str = title
        self.html: str = text
        self.comparison: Comparison | None = comparison
        self.graphs: dict[str, Any] = graphs or {}
        self.path: pathlib.Path | None = None

    def write(self, path: str | os.PathLike[str] | None = None) -> pathlib.Path:
        """Write the page to a file, and return its path.

        Args:
            path: File of HTML, or with the ending .json one for Model Explorer; None means a new one in the folder for
                temporary files.
        """
        if path is None:
            path = pathlib.Path(tempfile.mkdtemp(prefix="lamina-")) / "model.html"
        with atomic_write(path) as beside:
            text = json.dumps(self.graphs, indent=1) if str(path).endswith(".json") else self.html
            pathlib.Path(beside).write_text(text, encoding="utf-8")
        self.path = written = pathlib.Path(path)
        return written

    def open(self) -> bool:
        """Show it in the browser; False where there is none."""
        return webbrowser.open((self.path or self.write()).resolve().as_uri())

    def _repr_html_(self) -> str:
        title = escape(f"The model {self.title}")
        page = html.escape(self.html)
        return f'<iframe title="{title}" loading="lazy" srcdoc="{page}" style="{_FRAME}"></iframe>'

    def __repr__(self) -> str:
        return harmless(f"<Page of {self.title}{f' in {self.path}' if self.path else ''}>")


def page_of(
    model: Any,
    x: Any = None,
    y: Any = None,
    history: Any = None,
    profile: bool | None = None,
    compare: Any = None,
    vocabulary: Sequence[str] | None = None,
) -> Page:
    """The Page of a model.

    Args:
        model: Model.
        x: Batch of inputs; None for none.
        y: Targets; None for none.
        history: What `fit` returned, or its dict; None means that of the last `fit`.
        profile: Whether the time of each layer is measured; None means where there is `x`.
        compare: Another model, or a file of one or of weights, to show beside it; None for none.
        vocabulary: Words by number; None takes them from a TextVectorization layer.
    """
    other = None if compare is None else other_model(model, compare)
    data, comparison = page_data(model, x, y, profile, other, vocabulary)
    shown = graph_collection(model, *([] if other is None else [other]))
    curves = _curves(history if history is not None else getattr(model, "history", None))
    parts = {
        "title": escape(f"{data['title']} - lamina"),
        "style": _file("page.css"),
        "script": _file("graph.js") + "\n" + _file("panel.js"),
        "curves": f'<h3>Training</h3><div class="curves">{curves.picture(columns=1).svg("system-ui, sans-serif")}</div>'
        if curves
        else "",
        "data": _script_safe(data),
    }
    return Page(
        data["title"], re.sub("<!--([a-z]+)-->", lambda match: parts[match[1]], _file("page.html")), comparison, shown
    )


def _curves(history):
    figures = getattr(history, "history", history)
    return Curves(figures, getattr(history, "epoch", None)) if any((figures or {}).values()) else None


def _script_safe(data):
    """JSON for a script element: nothing in it ends the element or begins a comment."""
    text = json.dumps(_without_controls(data), ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _without_controls(data):
    """The same with names as a terminal may show them, since a page obeys marks that turn the direction too."""
    if isinstance(data, dict):
        return {_without_controls(key): _without_controls(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_without_controls(value) for value in data]
    return harmless(data) if isinstance(data, str) else data


def _file(name):
    return importlib.resources.files("lamina.view").joinpath(name).read_text(encoding="utf-8")
