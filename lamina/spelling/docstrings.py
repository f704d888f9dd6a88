"""What docstrings say of arguments."""

from __future__ import annotations

import re

__all__ = ["described_in"]


def described_in(doc: str, name: str) -> str:
    """What an argument is, by a docstring; "" if that does not say.

    Args:
        doc: Docstring in the style of Google.
        name: Name of the argument.

    >>> described_in("Args:\\n    x, y: Numbers\\n        to add.", "y")
    'Numbers to add.'
    """
    found = re.search(rf"^ *(?:\w+, )*\*?{name}(?:, \w+)*: ((?:.|\n(?!\n| *[*\w, ]+: ))*)", doc, re.MULTILINE)
    return " ".join(found[1].split()) if found else ""
