"""Explanation: what a model's layers do, to be read in a terminal, a notebook, Markdown, HTML or JSON."""

import dataclasses
import html
import io
import re
import textwrap

__all__ = ["Answer", "Explanation", "LayerExplanation"]

_WIDTH = 80


@dataclasses.dataclass
class LayerExplanation:
    """What one call of one layer does.

    Attributes:
        name, kind: of the layer, and its class.
        shapes: from what to what, as text.
        sentences: what it does to the data, and what to know about it.
        weights: how many, as a sum where that teaches something; None where it has none.
        operations: how many for one sample, as text; None where it has none or they could not be counted.
        depth: how many models it is nested in.
    """

    name: str
    kind: str
    shapes: str
    sentences: list
    weights: str | None = None
    operations: str | None = None
    depth: int = 0

    @property
    def text(self):
        """The sentences in one line."""
        return " ".join(self.sentences)

    @property
    def head(self):
        """Name, class and shapes in a line."""
        return f"{self.name} ({self.kind})  {self.shapes}"

    @property
    def numbers(self):
        """The lines about weights and operations that there are."""
        return [line for line in (self.weights, self.operations) if line]

    def __str__(self):
        indent = "    " * self.depth
        lines = _wrapped(self.head, indent, f"{indent}        ")
        for paragraph in (self.text, *self.numbers):
            lines += _wrapped(paragraph, f"{indent}    ")
        return "\n".join(lines)


@dataclasses.dataclass
class Answer:
    """One question that people ask, and its answer for this model."""

    question: str
    sentences: list

    @property
    def text(self):
        """The sentences in one line."""
        return " ".join(self.sentences)

    def __str__(self):
        return "\n".join([self.question, *_wrapped(self.text, "    ")])


@dataclasses.dataclass(repr=False)
class Explanation:
    """What `model.explain()` gives. Printed it is text; a notebook shows it as a page.

    Attributes:
        title: the model and its size, in a line.
        layers: a LayerExplanation for each call of a layer or op.
        answers: an Answer for each question about the model as a whole.

    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="dense")], name="small")
    >>> said = model.explain()
    >>> said["dense"].sentences[0][:32]
    'outputs = inputs @ kernel + bias'
    >>> said.as_dict()["layers"][1]["weights"]
    '4 x 2 kernel + 2 bias = 10 weights, all trained'
    """

    title: str
    layers: list
    answers: list

    def __getitem__(self, name):
        """The explanation of one layer, of its first call, by its name."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)

    def as_dict(self):
        """All of it as dicts, lists and strings, for JSON."""
        return dataclasses.asdict(self)

    @property
    def text(self):
        """All of it as plain text, in lines of up to 80 characters."""
        lines = [self.title, "=" * min(len(self.title), _WIDTH)]
        for layer in self.layers:
            lines += ["", str(layer)]
        for answer in self.answers:
            lines += ["", str(answer)]
        return "\n".join(lines)

    def markdown(self):
        """All of it as Markdown."""
        lines = [f"## {_escaped(self.title)}"]
        for layer in self.layers:
            lines += ["", f"{'#' * min(layer.depth + 3, 6)} {_escaped(layer.name)} ({_escaped(layer.kind)})", ""]
            lines += [f"`{layer.shapes}`", "", _escaped(layer.text)]
            for line in layer.numbers:
                lines += ["", f"*{_escaped(line)}*"]
        for answer in self.answers:
            lines += ["", f"### {_escaped(answer.question)}", "", _escaped(answer.text)]
        return "\n".join(lines)

    def html(self):
        """All of it as a piece of HTML."""
        parts = ["<section>", f"<h2>{html.escape(self.title)}</h2>", "<ol>"]
        for layer in self.layers:
            name, kind, shapes = map(html.escape, (layer.name, layer.kind, layer.shapes))
            parts.append(f'<li style="margin-left:{2 * layer.depth}em"><b>{name}</b> ({kind}) <code>{shapes}</code>')
            parts.append(f"<p>{html.escape(layer.text)}</p>")
            parts += [f"<p><small>{html.escape(line)}</small></p>" for line in layer.numbers]
            parts.append("</li>")
        parts.append("</ol>")
        for answer in self.answers:
            parts.append(f"<h3>{html.escape(answer.question)}</h3><p>{html.escape(answer.text)}</p>")
        return "\n".join([*parts, "</section>"])

    def __str__(self):
        return self.text

    __repr__ = __str__

    def _repr_html_(self):
        return self.html()

    def _repr_markdown_(self):
        return self.markdown()

    def __rich_console__(self, console, options):
        from rich.padding import Padding
        from rich.text import Text

        yield Text(self.title, style="bold underline")
        for layer in self.layers:
            left = 4 * layer.depth
            head = Text.assemble((layer.name, "bold"), f" ({layer.kind})  ", (layer.shapes, "cyan"))
            yield Padding(head, (1, 0, 0, left))
            yield Padding(Text(layer.text), (0, 0, 0, left + 4))
            for line in layer.numbers:
                yield Padding(Text(line, style="dim"), (0, 0, 0, left + 4))
        for answer in self.answers:
            yield Padding(Text(answer.question, style="bold"), (1, 0, 0, 0))
            yield Padding(Text(answer.text), (0, 0, 0, 4))

    def print(self, file=None, width=None):
        """Show it in the terminal, wrapped and with headings."""
        from rich.console import Console

        Console(file=file, width=width, highlight=False).print(self)

    def to_terminal(self, width=_WIDTH):
        """What `print` shows, as text."""
        file = io.StringIO()
        self.print(file, width)
        return file.getvalue()


def _wrapped(text, indent, further=None):
    further = indent if further is None else further
    return textwrap.wrap(
        text, _WIDTH, initial_indent=indent, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
    )


def _escaped(text):
    """Text in which Markdown finds no signs of its own."""
    return re.sub(r"[\\`*<\[]|(?<!\w)_|_(?!\w)", r"\\\g<0>", text)
