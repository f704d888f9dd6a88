"""The part of the build of the site that is our own, as an extension of Sphinx."""

import os
import pathlib
import re
import subprocess
import sys

from hooks import llms

DOCS = pathlib.Path(__file__).parents[1]


def generate(app):
    """Write the generated pages before Sphinx looks for sources: in a process without forks, for JAX."""
    paths = [str(DOCS), str(DOCS.parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    subprocess.run([sys.executable, "-m", "hooks.generate"], env=environment, check=True)


def plain_signatures(app, name, template, context, doctree):
    """Sphinx writes arguments as descriptions in a list without terms, which is no valid list: lines instead."""
    lines = re.compile(r"<dl>\s*((?:<dd>(?:(?!</?d[dlt]).)*</dd>\s*)+)</dl>", re.DOTALL)

    def spans(match):
        return match[1].replace("<dd>", '<span class="sig-line">').replace("</dd>", "</span>")

    if "body" in context:
        context["body"] = lines.sub(spans, context["body"])


def setup(app):
    """Register with Sphinx."""
    app.connect("builder-inited", generate)
    app.connect("html-page-context", plain_signatures)
    app.connect("build-finished", llms.write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
