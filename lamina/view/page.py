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

import numpy as np

from lamina.callbacks.curves import Curves
from lamina.check import check
from lamina.core import tree
from lamina.explanations import explain
from lamina.runtime.atomic_files import atomic_write
from lamina.view.blocks import fold_blocks
from lamina.view.costs import costs_of, measured
from lamina.view.drawing import drawn
from lamina.view.numbers import activations_of, weights_of
from lamina.view.scene import scene_of

if TYPE_CHECKING:
    import os

__all__ = ["Page", "page_of"]

_FRAME = "box-sizing:border-box;border:1px solid rgba(128,128,128,.4);width:100%;height:40em"
_SAMPLES = 32  # samples of x that the model is called with


class Page:
    """A page about a model. A notebook shows it in a frame.

    Args:
        title: Name of the model.
        text: HTML of the page.

    Attributes:
        title: Name of the model.
        html: HTML of the page.
        path: File that it was written to last; None before.
    """

    def __init__(self, title: str, text: str):
        self.title: str = title
        self.html: str = text
        self.path: pathlib.Path | None = None

    def write(self, path: str | os.PathLike[str] | None = None) -> pathlib.Path:
        """Write the page to a file, and return its path.

        Args:
            path: File; None means a new one in the folder for temporary files.
        """
        if path is None:
            path = pathlib.Path(tempfile.mkdtemp(prefix="lamina-")) / "model.html"
        with atomic_write(path) as beside:
            pathlib.Path(beside).write_text(self.html, encoding="utf-8")
        self.path = written = pathlib.Path(path)
        return written

    def open(self) -> bool:
        """Show it in the browser; False where there is none."""
        return webbrowser.open((self.path or self.write()).resolve().as_uri())

    def _repr_html_(self) -> str:
        title = html.escape(f"The model {self.title}")
        page = html.escape(self.html)
        return f'<iframe title="{title}" loading="lazy" srcdoc="{page}" style="{_FRAME}"></iframe>'

    def __repr__(self) -> str:
        return f"<Page of {self.title}{f' in {self.path}' if self.path else ''}>"


def page_of(model: Any, x: Any = None, y: Any = None, history: Any = None, profile: bool | None = None) -> Page:
    """The Page of a model.

    Args:
        model: Model.
        x: Batch of inputs; None for none.
        y: Targets; None for none.
        history: What `fit` returned, or its dict; None means that of the last `fit`.
        profile: Whether the time of each layer is measured; None means where there is `x`.
    """
    data, curves = (
        _data(model, x, y, profile),
        _curves(history if history is not None else getattr(model, "history", None)),
    )
    parts = {
        "title": html.escape(f"{model.name} - lamina"),
        "style": _file("page.css"),
        "script": _file("graph.js") + "\n" + _file("panel.js"),
        "curves": f'<h3>Training</h3><div class="curves">{curves.picture(columns=1).svg("system-ui, sans-serif")}</div>'
        if curves
        else "",
        "data": _script_safe(data),
    }
    return Page(model.name, re.sub("<!--([a-z]+)-->", lambda match: parts[match[1]], _file("page.html")))


def _data(model, x, y, profile):
    some = None if x is None else tree.map_structure(_some, x)
    scene = scene_of(model)
    explanation = explain(model, some)
    words = _by_box(scene, explanation.layers)
    findings = check(model, x, y).as_dicts()
    active = {} if some is None else activations_of(model, some)
    times, about_time = measured(model, some, None if y is None else tree.map_structure(_some, y), profile)
    fold_blocks(scene)
    costs = costs_of(model, scene, times)
    return {
        "title": model.name,
        "about": explanation.title.removeprefix(f"{model.name} (").replace("):", ":", 1),
        "answers": [{"question": answer.question, "text": answer.text} for answer in explanation.answers],
        "findings": findings,
        "time": about_time,
        "boxes": [
            {**entry, **_about(box, words, active, findings), "costs": costs[box]}
            for entry, box in zip(drawn(scene), scene.root.all, strict=True)
        ],
    }


def _some(values):
    return np.asarray(values)[:_SAMPLES]


def _by_box(scene, layers):
    """box -> its LayerExplanation. Those of the model's Inputs come first, the others in the order of the facts."""
    boxes = scene.root.all
    first = len(layers) - len(scene.facts)
    inputs = [box for box in boxes if box.parent is scene.root and box.fact is None][:first]
    by_fact = dict(zip(scene.facts, layers[first:], strict=True))
    return {**dict(zip(inputs, layers, strict=False)), **{box: by_fact[box.fact] for box in boxes if box.fact}}


def _about(box, explanations, active, findings):
    """What the panel shows about a box."""
    fact, about, said = box.fact, {}, explanations.get(box)
    if said is not None:
        sentences = [*said.sentences, *([said.operations] if said.operations else [])]
        about = {"shapes": said.shapes, "sentences": sentences, "sum": said.weights}
    if fact is not None:
        about["activity"] = active.get((fact.layer, fact.use))
        about["frozen"] = bool(fact.count and not fact.layer.trainable)
        about["weights"] = [] if box.children else weights_of(fact.layer)
    numbers = [number for number, finding in enumerate(findings) if box.layer and finding["layer"] == box.name]
    return {**about, "findings": numbers}


def _curves(history):
    figures = getattr(history, "history", history)
    return Curves(figures, getattr(history, "epoch", None)) if any((figures or {}).values()) else None


def _script_safe(data):
    """JSON for a script element: nothing in it ends the element or begins a comment."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _file(name):
    return importlib.resources.files("lamina.view").joinpath(name).read_text(encoding="utf-8")
