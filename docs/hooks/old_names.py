"""Writes the page of old names from the tables that make them work."""

import pathlib

from hooks.docstrings import prose
from lamina import backend, ops
from lamina.compat import advice
from lamina.legacy.gone import GONE, GONE_MODULES
from lamina.legacy.names import INSTEAD, MODULES, NAMES
from lamina.legacy.table import CLASSES, METHODS, ROWS, MovedTo, Part

PAGE = pathlib.Path(__file__).parents[1] / "old_names.md"
INTRO = pathlib.Path(__file__).with_name("old_names_intro.md")


def today(row):
    """What is written now for an old argument or method."""
    if isinstance(row.new, str):
        return f"`{row.new}`"
    if isinstance(row.new, MovedTo):
        return f"`{row.new.spelling}`" if any(sign in row.new.spelling for sign in "(.=") else row.new.spelling
    if isinstance(row.new, Part):
        return f"`{row.new.name}`, number {row.new.position + 1} of it"
    name = getattr(row.new, "name", None) or getattr(row.new, "__name__", "").strip("_")
    return f"`{name}`" if name and name.isidentifier() and name != "lambda" else "not needed"


def table(head, rows):
    """A Markdown table."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *lines, ""]


def functions_of_k():
    """(old, today) of the functions of `keras.backend`."""
    for name in sorted(backend.__all__, key=str.lower):
        if callable(getattr(backend, name)):
            yield f"`K.{name}`", f"`keras.ops.{name}`" if hasattr(ops, name) else f"`keras.backend.{name}`"


def build():
    """Write the page."""
    lines = [INTRO.read_text(), "## Arguments", ""]
    owners = {}
    for row in ROWS:
        owners.setdefault((f"`{row.old}=`", today(row), f"Keras {row.since}"), []).append(f"`{row.owner}`")
    arguments = [(old, new, since, ", ".join(of)) for (old, new, since), of in sorted(owners.items())]
    lines += table(("old", "today", "since", "of"), arguments)
    lines += ["## Methods and attributes", ""]
    lines += table(("of", "old", "today", "since"), [
        (f"`{row.owner}`", f"`{row.old}`", f"`{row.new}`", f"Keras {row.since}") for row in METHODS
    ])  # fmt: skip
    lines += ["## Classes and functions", ""]
    names = [(f"`{old}`", f"`{new}`") for old, new in sorted(CLASSES.items())]
    for module, pairs in NAMES.items():
        space = module.replace("lamina", "keras")
        names += [(f"`{space}.{old}`", f"`{space}.{new}`") for old, new in sorted(pairs.items())]
    lines += table(("old", "today"), names)
    lines += ["## Modules", ""]
    keras = [(old.replace("lamina", "keras"), new.replace("lamina", "keras")) for old, new in MODULES.items()]
    lines += table(("old", "today"), [(f"`{old}`", f"`{new}`") for old, new in keras])
    lines += ["## Layers that others replace", "", "They work; today their work is done by other layers.", ""]
    lines += table(("old", "today"), [(f"`{old}`", prose(new)) for old, new in sorted(INSTEAD.items())])
    lines += ["## Gone, with what to write instead", "", "These raise an error that says so.", ""]
    gone = [
        (f"`{name.replace('lamina', 'keras')}`", prose(text)) for name, text in (GONE | GONE_MODULES | INSTEAD).items()
    ]
    lines += table(("old", "instead"), sorted(gone))
    lines += ["## keras.backend as K", ""]
    lines += table(("old", "today"), functions_of_k())
    lines += ["## Names of TensorFlow", "", "What a program for TensorFlow may ask for, and what to write here.", ""]
    short = [(f"`tf.{name}`", text.split("\n")[0].rstrip(":")) for name, text in sorted(advice._INSTEAD.items())]
    lines += table(("name", "instead"), [(name, prose(text)) for name, text in short])
    PAGE.write_text("\n".join(lines))
