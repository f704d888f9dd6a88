"""Explanation: what a model's layers do, to be read in a terminal, a notebook, Markdown or HTML."""

import dataclasses
import html
import io

__all__ = ["Answer", "Explanation", "LayerExplanation"]


@dataclasses.dataclass
class LayerExplanation:
    """What one layer does.

    Attributes:
        name, kind: of the layer, and its class.
        shapes: from what to what, as text.
        sentences: what it does to the data, and what to know about it.
        weights: how many, as a sum where that teaches something; None where it has none.
        depth: how many models it is nested in.
    """

    name: str
    kind: str
    shapes: str
    sentences: list
    weights: str | None = None
    depth: int = 0

    @property
    def text(self):
        """The sentences in one line."""
        return " ".join(self.sentences)


@dataclasses.dataclass
class Answer:
    """One question that people ask, and its answer for this model."""

    question: str
    sentences: list

    @property
    def text(self):
        """The sentences in one line."""
        return " ".join(self.sentences)


@dataclasses.dataclass
class Explanation:
    """What `model.explain()` gives. Printed it is text; a notebook shows it as a page.

    Attributes:
        title: the model and its size, in a line.
        layers: a LayerExplanation for each layer.
        answers: what holds for the model as a whole.
    """

    title: str
    layers: list
    answers: list

    def __getitem__(self, name):
        """The explanation of one layer, by its name."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)

    @property
    def text(self):
        """All of it as plain text."""
        return "\n".join(_lines(self, _Plain()))

    def markdown(self):
        """All of it as Markdown."""
        return "\n".join(_lines(self, _Markdown()))

    def html(self):
        """All of it as a piece of HTML."""
        parts = [f"<h2>{html.escape(self.title)}</h2>", "<ol>"]
        for layer in self.layers:
            head = (
                f"<b>{html.escape(layer.name)}</b> ({html.escape(layer.kind)}) <code>{html.escape(layer.shapes)}</code>"
            )
            weights = f"<p><small>{html.escape(layer.weights)}</small></p>" if layer.weights else ""
            parts.append(
                f'<li style="margin-left:{2 * layer.depth}em">{head}<p>{html.escape(layer.text)}</p>{weights}</li>'
            )
        parts.append("</ol>")
        for answer in self.answers:
            parts.append(f"<h3>{html.escape(answer.question)}</h3><p>{html.escape(answer.text)}</p>")
        return "\n".join(parts)

    def __str__(self):
        return self.text

    __repr__ = __str__

    def _repr_html_(self):
        return self.html()

    def _repr_markdown_(self):
        return self.markdown()

    def __rich__(self):
        from rich.markdown import Markdown

        return Markdown(self.markdown())

    def print(self, file=None, width=None):
        """Show it in the terminal, wrapped and with headings."""
        from rich.console import Console

        Console(file=file, width=width).print(self)

    def to_terminal(self, width=100):
        """What `print` shows, as text."""
        file = io.StringIO()
        self.print(file, width)
        return file.getvalue()


class _Plain:
    def title(self, text):
        return [text, "=" * len(text)]

    def layer(self, layer):
        indent = "    " * layer.depth
        weights = [f"{indent}    {layer.weights}"] if layer.weights else []
        return ["", f"{indent}{layer.name} ({layer.kind})  {layer.shapes}", f"{indent}    {layer.text}", *weights]

    def answer(self, answer):
        return ["", answer.question, f"    {answer.text}"]


class _Markdown:
    def title(self, text):
        return [f"## {text}"]

    def layer(self, layer):
        weights = [f"*{layer.weights}*"] if layer.weights else []
        head = f"{'#' * min(layer.depth + 3, 6)} {layer.name} ({layer.kind})"
        return ["", head, "", f"`{layer.shapes}`", "", layer.text, *([""] if weights else []), *weights]

    def answer(self, answer):
        return ["", f"### {answer.question}", "", answer.text]


def _lines(explanation, style):
    yield from style.title(explanation.title)
    for layer in explanation.layers:
        yield from style.layer(layer)
    for answer in explanation.answers:
        yield from style.answer(answer)
