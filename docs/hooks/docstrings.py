"""Docstrings as Markdown: sections become headings and lists, examples (`>>> `) become code, and `*` stays a star."""

import inspect
import re

SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Yields):$")
ENTRY = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*): (.*)$", re.DOTALL)
TITLES = {"Args": "Arguments"}
CODE = re.compile(r"(``.*?``|`[^`]*`)", re.DOTALL)


def prose(text):
    """Text in which Markdown finds only the code between backticks."""
    parts = CODE.split(text)
    parts[::2] = [re.sub(r"([*<|\[\]_$~#\\])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def paragraphs(text):
    """Runs of lines without an empty line between them."""
    return [block for block in re.split(r"\n\s*\n", text) if block.strip()]


def entries(block):
    """(names, description) of each entry of a section: those lines that are not indented below the first."""
    lines = inspect.cleandoc(block).splitlines()
    starts = [number for number, line in enumerate(lines) if line and not line.startswith(" ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        text = " ".join(line.strip() for line in lines[start:end])
        match = ENTRY.match(text)
        yield match.groups() if match else ("", text)


def section(title, body):
    """The Markdown of one section."""
    lines = [f"**{TITLES.get(title, title)}**", ""]
    for names, text in entries(body):
        lines += [f"`{names}`", f": {prose(text)}", ""] if names else [prose(text), ""]
    return "\n".join(lines)


def summary(thing):
    """The first sentence of a docstring."""
    first = " ".join((paragraphs(inspect.getdoc(thing) or "") or [""])[0].split())
    return re.split(r"(?<=[.!?]) (?=[A-Z`])", first)[0]


def markdown(text):
    """A whole docstring as Markdown."""
    found = []
    for block in paragraphs(inspect.cleandoc(text)):
        first, _, rest = block.partition("\n")
        match = SECTION.match(first)
        if match:
            found.append(section(match[1], rest))
        elif block.lstrip().startswith(">>>"):
            found.append(f"```pycon\n{inspect.cleandoc(block)}\n```")
        elif block.startswith("    "):
            found.append(f"```text\n{inspect.cleandoc(block)}\n```")
        elif re.match(r"[-*] ", block):
            found.append("\n".join(line[:2] + prose(line[2:]) for line in block.splitlines()))
        else:
            found.append(prose(block))
    return "\n\n".join(found)
