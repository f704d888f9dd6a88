"""Writes llms.txt, a list of all pages with a sentence each (llmstxt.org), and llms-full.txt, their text."""

import pathlib
import re

HEAD = """# lamina

> The Keras API as one small, fast, transparent Python library on JAX: `import lamina as keras`.

"""
SECTIONS = {"": "Pages", "gallery": "Gallery", "checks": "Checks", "api": "API"}


def sentence(text):
    """The first sentence below the title of a page."""
    for block in re.split(r"\n\s*\n", text)[1:]:
        if re.match(r"[A-Za-z*`]", block) and not block.startswith("```"):
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(block.split()))
            return re.split(r"(?<=[.:?!]) ", plain.strip("*"))[0]
    return ""


def write(app, exception):
    """After the build: both files, beside the pages."""
    if exception or app.builder.name != "html":
        return
    lines, full = [HEAD], [HEAD]
    for section, head in SECTIONS.items():
        lines.append(f"## {head}\n")
        for name in sorted(app.env.found_docs):
            if (name.split("/")[0] if "/" in name else "") != section:
                continue
            text = pathlib.Path(app.env.doc2path(name)).read_text()
            title = app.env.titles[name].astext()
            about = sentence(text)
            lines.append(f"- [{title}]({name}.html){': ' + about if about else ''}")
            if section in ("", "gallery"):
                full.append(re.sub(r"```\{toctree\}.*?```\n|<svg.*?</svg>", "", text, flags=re.DOTALL))
        lines.append("")
    out = pathlib.Path(app.outdir)
    (out / "llms.txt").write_text("\n".join(lines))
    (out / "llms-full.txt").write_text("\n".join(full))
