"""Shows the examples of docstrings (`>>> `) as code: Markdown alone would take them for quotations."""

import re

import griffe

EXAMPLE = re.compile(r"^>>> .*\n?(?:^(?!\s*$).*\n?)*", re.MULTILINE)


class Doctests(griffe.Extension):
    """Puts a fence around each example."""

    def on_object(self, *, obj, **kwargs):
        """Rewrite the docstring of anything that has one."""
        if obj.docstring and ">>> " in obj.docstring.value:
            obj.docstring.value = EXAMPLE.sub(
                lambda match: f"```pycon\n{match.group().rstrip()}\n```\n", obj.docstring.value
            )
