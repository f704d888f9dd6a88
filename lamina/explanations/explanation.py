"""Explanation: what a model's layers do, to be read in a terminal, a notebook, Markdown, HTML or JSON."""

from __future__ import annotations

import collections
import dataclasses
import re
import textwrap
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from lamina.drawing.report import report
from lamina.runtime.terminal import Printable, console, escape, harmless, printable, text_buffer

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

__all__ = ["Answer", "Explanation", "LayerExplanation"]

_WIDTH = 80
_LONG = 40  # layers; in a model of more of them, layers like those before are folded
_NUMBERS = re.compile(r"[\d,._]+")


@dataclasses.dataclass
class LayerExplanation:
    """What one call of one layer does.

    Attributes:
        name, kind: Name of the layer, and of its class.
        shapes: Shapes of inputs and outputs, `(None, 3) -> (None, 4)`.
        sentences: What it does to the data, and what to know about it.
        weights: Number of weights, as a sum where possible; None where it has none.
        operations: Number of operations for one sample; None where it has none or counting failed.
        depth: How many models it is nested in.
    """

    name: str
    kind: str
    shapes: str
    sentences: list[str]
    weights: str | None = None
    operations: str | None = None
    depth: int = 0

    @property
    def text(self) -> str:
        """The sentences in one line."""
        return " ".join(self.sentences)

    @property
    def head(self) -> str:
        """Name, class and shapes in a line."""
        return f"{self.name} ({self.kind})  {self.shapes}"

    @property
    def numbers(self) -> list[str]:
        """The lines about weights and operations that there are."""
        return [line for line in (self.weights, self.operations) if line]

    def __str__(self) -> str:
        indent = "    " * self.depth
        lines = _wrapped(self.head, indent, f"{indent}        ")
        for paragraph in (self.text, *self.numbers):
            lines += _wrapped(paragraph, f"{indent}    ")
        return harmless("\n".join(lines))


@dataclasses.dataclass
class Answer:
    """One question that users ask, and its answer for this model.

    Attributes:
        question: The question.
        sentences: The answer.
        items: What stands in lines of their own below it.
    """

    question: str
    sentences: list[str]
    items: list[str] = dataclasses.field(default_factory=list)

    @property
    def text(self) -> str:
        """The sentences and items in one line."""
        return " ".join([*self.sentences, *self.items])

    def __str__(self) -> str:
        lines = [self.question, *_wrapped(" ".join(self.sentences), "    ")]
        return harmless("\n".join([*lines, *(line for one in self.items for line in _wrapped(one, "    ", "      "))]))


@dataclasses.dataclass(repr=False)
class Explanation(Printable):
    """What `model.explain()` returns. Printed it is text; a notebook shows it as HTML.

    Attributes:
        title: The model and its size, in a line.
        layers: A LayerExplanation for each call of a layer or op.
        answers: An Answer for each question about the model as a whole.

    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="dense")], name="small")
    >>> said = model.explain()
    >>> said["dense"].sentences[0][:32]
    'outputs = inputs @ kernel + bias'
    >>> said.as_dict()["layers"][1]["weights"]
    '4 x 2 kernel + 2 bias = 10 weights, all trained'
    """

    title: str
    layers: list[LayerExplanation]
    answers: list[Answer]

    def __getitem__(self, name: str) -> LayerExplanation:
        """The explanation of one layer, of its first call.

        Args:
            name: Name of the layer.
        """
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)

    def as_dict(self) -> dict[str, Any]:
        """All of it as dicts, lists and strings, for JSON."""
        return dataclasses.asdict(self)

    @property
    def text(self) -> str:
        """All of it as plain text, in lines of up to 80 characters."""
        lines = [self.title, "=" * min(len(self.title), _WIDTH)]
        for layer in self.layers:
            lines += ["", str(layer)]
        for answer in self.answers:
            lines += ["", str(answer)]
        return harmless("\n".join(lines))

    def __str__(self) -> str:
        return printable(self.short)

    __repr__ = __str__

    @property
    def short(self) -> str:
        """As `text`; in a long model, layers like those before are named in one line."""
        lines = [self.title, "=" * min(len(self.title), _WIDTH)]
        for one in self._folded():
            lines += ["", *_wrapped(_like_those(one), "")] if isinstance(one, list) else ["", str(one)]
        for answer in self.answers:
            lines += ["", str(answer)]
        return harmless("\n".join(lines))

    def _folded(self):
        """The layers, and a list in place of several in a row that are like layers before them."""
        seen, found = set(), []
        for layer in self.layers:
            pattern = layer.kind, layer.depth, _NUMBERS.sub("", layer.text)
            if len(self.layers) <= _LONG or pattern not in seen:
                found.append(layer)
            elif isinstance(found[-1], list):
                found[-1].append(layer)
            else:
                found.append([layer])
            seen.add(pattern)
        return [one[0] if isinstance(one, list) and len(one) == 1 else one for one in found]

    def markdown(self) -> str:
        """All of it as Markdown."""
        lines = [f"## {_escaped(self.title)}"]
        for layer in self.layers:
            lines += ["", f"{'#' * min(layer.depth + 3, 6)} {_escaped(layer.name)} ({_escaped(layer.kind)})", ""]
            lines += [f"`{layer.shapes}`", "", _escaped(layer.text)]
            for line in layer.numbers:
                lines += ["", f"*{_escaped(line)}*"]
        for answer in self.answers:
            lines += ["", f"### {_escaped(answer.question)}", ""]
            lines += [_escaped(" ".join(answer.sentences)), ""] if answer.sentences else []
            lines += [f"- {_escaped(one)}" for one in answer.items]
        return harmless("\n".join(lines).rstrip())

    def html(self) -> str:
        """All of it as an HTML section."""
        parts = [f"<h2>{escape(self.title)}</h2>", "<ol>"]
        for one in self._folded():
            if isinstance(one, list):
                inner = "".join(map(_item, one))
                parts.append(f"<details><summary>{escape(_like_those(one))}</summary>{inner}</details>")
            else:
                parts.append(_item(one))
        parts.append("</ol>")
        for answer in self.answers:
            parts.append(f"<h3>{escape(answer.question)}</h3><p>{escape(' '.join(answer.sentences))}</p>")
            parts += [f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in answer.items)}</ul>"] * bool(answer.items)
        return report("\n".join(parts))

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_markdown_(self):
        return self.markdown()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        from rich.padding import Padding
        from rich.text import Text

        yield Text(self.title, style="bold underline")
        for layer in self._folded():
            if isinstance(layer, list):
                yield Padding(Text(_like_those(layer), style="dim"), (1, 0, 0, 0))
                continue
            left = 4 * layer.depth
            head = Text.assemble((layer.name, "bold"), f" ({layer.kind})  ", (layer.shapes, "cyan"))
            yield Padding(head, (1, 0, 0, left))
            yield Padding(Text(layer.text), (0, 0, 0, left + 4))
            for line in layer.numbers:
                yield Padding(Text(line, style="dim"), (0, 0, 0, left + 4))
        for answer in self.answers:
            yield Padding(Text(answer.question, style="bold"), (1, 0, 0, 0))
            for line in (" ".join(answer.sentences), *answer.items):
                if line:
                    yield Padding(Text(line), (0, 0, 0, 4))

    def print(self, file: IO[str] | None = None, width: int | None = None) -> None:
        """Print it to the terminal, wrapped and with headings.

        Args:
            file: Text file to write to; None means the standard output.
            width: Characters per line; None means the width of the terminal.
        """
        console(file, width=width, highlight=False).print(self)

    def to_terminal(self, width: int = _WIDTH) -> str:
        """What `print` shows, as text.

        Args:
            width: Characters per line.
        """
        file = text_buffer()
        self.print(file, width)
        return file.getvalue()


def _like_those(layers):
    """One line in place of several layers."""
    kinds = collections.Counter(layer.kind for layer in layers)
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    return (
        f"{layers[0].name} to {layers[-1].name}: {len(layers)} layers like those above ({counts}); "
        f"model.explain({layers[0].name!r}) has the numbers of one, .text those of all."
    )


def _item(layer):
    """A layer as an HTML item."""
    name, kind, shapes = map(escape, (layer.name, layer.kind, layer.shapes))
    numbers = "".join(f"<p><small>{escape(line)}</small></p>" for line in layer.numbers)
    head = f'<li style="margin-left:{2 * layer.depth}em"><b>{name}</b> ({kind}) <code>{shapes}</code>'
    return f"{head}<p>{escape(layer.text)}</p>{numbers}</li>"


def _wrapped(text, indent, further=None):
    further = indent if further is None else further
    return textwrap.wrap(
        text, _WIDTH, initial_indent=indent, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
    )


def _escaped(text):
    """Text with the special characters of Markdown escaped."""
    return re.sub(r"[\\`*<\[]|(?<!\w)_|_(?!\w)", r"\\\g<0>", text)
