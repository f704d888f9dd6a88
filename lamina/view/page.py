"""A model as one page of HTML that needs no server, no network and no other file."""

import html
import importlib.resources
import json
import pathlib
import re
import tempfile
import webbrowser

import numpy as np

from lamina.callbacks.curves import Curves
from lamina.check import check
from lamina.core import tree
from lamina.explain import explain
from lamina.runtime.atomic_files import atomic_write
from lamina.view.blocks import fold_blocks
from lamina.view.drawing import drawn
from lamina.view.numbers import activations_of, weights_of
from lamina.view.scene import scene_of

__all__ = ["Page", "page_of"]

_SAMPLES = 32  # of x, that run through the model


class Page:
    """A page about a model: `html` is its text. A notebook shows it in a frame.

    Attributes:
        title: the name of the model.
        html: the page.
        path: where it was written last, None where it was not.
    """

    def __init__(self, title, text):
        self.title, self.html, self.path = title, text, None

    def write(self, path=None):
        """Write the page to a file; without a path into the folder for temporary files. Gives the path."""
        if path is None:
            path = pathlib.Path(tempfile.mkdtemp(prefix="lamina-")) / "model.html"
        with atomic_write(path) as beside:
            pathlib.Path(beside).write_text(self.html, encoding="utf-8")
        self.path = pathlib.Path(path)
        return self.path

    def open(self):
        """Show it in the browser."""
        return webbrowser.open((self.path or self.write()).resolve().as_uri())

    def _repr_html_(self):
        title = html.escape(f"The model {self.title}")
        return f'<iframe title="{title}" srcdoc="{html.escape(self.html)}" style="width:100%;height:40em"></iframe>'

    def __repr__(self):
        return f"<Page of {self.title}{f' in {self.path}' if self.path else ''}>"


def page_of(model, x=None, y=None, history=None):
    """The Page of a model; see `lamina.view.view`."""
    data, curves = _data(model, x, y), _curves(history if history is not None else getattr(model, "history", None))
    parts = {
        "title": html.escape(f"{model.name} - lamina"),
        "style": _file("page.css"),
        "script": _file("page.js"),
        "curves": f'<h3>Training</h3><div class="curves">{curves.svg(columns=1)}</div>' if curves else "",
        "data": _script_safe(data),
    }
    return Page(model.name, re.sub("<!--([a-z]+)-->", lambda match: parts[match[1]], _file("page.html")))


def _data(model, x, y):
    some = None if x is None else tree.map_structure(lambda values: np.asarray(values)[:_SAMPLES], x)
    scene = scene_of(model)
    explanation = explain(model, some)
    told = _by_box(scene, explanation.layers)
    findings = check(model, x, y).as_dicts()
    active = {} if some is None else activations_of(model, some)
    fold_blocks(scene)
    return {
        "title": model.name,
        "about": explanation.title,
        "answers": [{"question": answer.question, "text": answer.text} for answer in explanation.answers],
        "findings": findings,
        "boxes": [
            {**entry, **_told(box, told, active, findings)}
            for entry, box in zip(drawn(scene), scene.root.all, strict=True)
        ],
    }


def _by_box(scene, layers):
    """box -> its LayerExplanation. Those of the model's Inputs come first, the others in the order of the facts."""
    boxes = scene.root.all
    first = len(layers) - len(scene.facts)
    inputs = [box for box in boxes if box.parent is scene.root and box.fact is None][:first]
    by_fact = dict(zip(scene.facts, layers[first:], strict=True))
    return {**dict(zip(inputs, layers, strict=False)), **{box: by_fact[box.fact] for box in boxes if box.fact}}


def _told(box, told, active, findings):
    """What the panel says about a box."""
    fact, about, words = box.fact, {}, told.get(box)
    if words is not None:
        sentences = [*words.sentences, *([words.operations] if words.operations else [])]
        about = {"shapes": words.shapes, "sentences": sentences, "sum": words.weights}
    if fact is not None:
        about["activity"] = active.get((fact.layer, fact.use))
        about["frozen"] = bool(fact.count and not fact.layer.trainable)
        about["weights"] = [] if box.children else weights_of(fact.layer)
    numbers = [place for place, finding in enumerate(findings) if box.layer and finding["layer"] == box.name]
    return {**about, "findings": numbers}


def _curves(history):
    figures = getattr(history, "history", history)
    return Curves(figures, getattr(history, "epoch", None)) if any((figures or {}).values()) else None


def _script_safe(data):
    """JSON that can stand in a script element: nothing in it ends the element or begins a comment."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _file(name):
    return importlib.resources.files("lamina.view").joinpath(name).read_text(encoding="utf-8")
