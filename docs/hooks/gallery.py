"""The gallery: runs the programs of examples/, each in a process of its own, and writes their pages and notebooks."""

import base64
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

DOCS = pathlib.Path(__file__).parents[1]
ROOT = DOCS.parent
FOLDER = DOCS / "gallery"
GROUPS = json.loads((ROOT / "examples/gallery/groups.json").read_text())
LIMIT = 600  # seconds for one program, on a busy machine too
LONGEST = 60  # lines of an output that are shown without a fold


def source(name):
    """The file of a program."""
    beside = ROOT / "examples/gallery" / f"{name}.py"
    return beside if beside.is_file() else ROOT / "examples" / f"{name}.py"


def result_of(name):
    """What the cells of a program show; run now, unless this text of the program was run before."""
    path = source(name)
    key = hashlib.sha256(path.read_bytes() + (DOCS / "hooks/run_program.py").read_bytes()).hexdigest()[:16]
    kept = FOLDER / "results" / f"{name}-{key}.json"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        settings = {"COLUMNS": "88", "MPLBACKEND": "module://matplotlib_capture", "PYTHONIOENCODING": "utf-8"}
        environment = {**os.environ, **settings, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, DOCS / "hooks/run_program.py", path, kept],
                cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT,
            )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{path.relative_to(ROOT)} failed:\n{done.stderr[-3000:]}")
    return json.loads(kept.read_text())


def title_of(prose):
    """(title, the rest) of the docstring of a program."""
    first, _, rest = prose.partition("\n")
    return first.lstrip("# ").rstrip(".").strip(), rest.strip()


def text_output(text):
    """The Markdown of printed text; long text is folded."""
    text = re.sub(r"\S*/(?=[\w.]+\.py:\d+)", "", text.rstrip("\n"))  # a warning names the file without its folder
    fenced = f"```{{code-block}} text\n:class: output\n\n{text}\n```\n"
    if text.count("\n") < LONGEST:
        return fenced
    return f"<details><summary>Output: {text.count(chr(10)) + 1} lines</summary>\n\n{fenced}\n</details>\n"


def page(name, result):
    """(Markdown of the page, the file of its first picture)."""
    title, intro = title_of(result["cells"][0]["prose"])
    file = source(name).relative_to(ROOT)
    lines = [f"# {title}", "", intro, ""]
    lines += [f"{{download}}`Notebook <{name}.ipynb>` · {{download}}`Program <../../{file}>`", ""]
    thumbnail = None
    for number, cell in enumerate(result["cells"]):
        lines += [cell["prose"], ""] if number else []
        lines += ["```python", cell["code"], "```", ""] if cell["code"] else []
        for place, output in enumerate(cell["outputs"]):
            stem = f"pictures/{name}_{number}_{place}"
            if "svg" in output:
                (FOLDER / f"{stem}.svg").write_text(output["svg"])
                thumbnail = thumbnail or f"{stem}.svg"
            if "png" in output:
                (FOLDER / f"{stem}.png").write_bytes(base64.b64decode(output["png"]))
                thumbnail = thumbnail or f"{stem}.png"
                lines += [f"![Picture drawn by this cell of {title}]({stem}.png)", ""]
            elif "html" in output:
                inline = re.sub(r"<(/?)h[1-6]\b", r"<\1p", re.sub(r"\n\s*\n", "\n", output["html"]))  # no headings
                label = f'role="region" aria-label="Output {number}.{place}"'
                lines += [f'<div class="shown" tabindex="0" {label}>{inline}</div>', ""]
            elif "svg" in output:
                lines += [f"![Picture drawn by this cell of {title}]({stem}.svg)", ""]
            else:
                lines += [text_output(output["text"]), ""]
    lines += [f"The program took {result['seconds']:.1f} seconds when this page was built.", ""]
    return "\n".join(lines), thumbnail


def notebook(result):
    """The program as a Jupyter notebook, with the text and pictures of its cells."""
    found = []
    for number, cell in enumerate(result["cells"]):
        if cell["prose"]:
            title, rest = title_of(cell["prose"]) if number == 0 else ("", cell["prose"])
            text = f"# {title}\n\n{rest}" if title else rest
            found.append({"cell_type": "markdown", "metadata": {}, "source": text.strip()})
        outputs = [
            {"output_type": "stream", "name": "stdout", "text": output["text"]}
            if "text" in output
            else {"output_type": "display_data", "metadata": {}, "data": {MIME[k]: v for k, v in output.items()}}
            for output in cell["outputs"]
        ]
        if cell["code"]:
            code = {"cell_type": "code", "execution_count": None, "metadata": {}}
            found.append({**code, "outputs": outputs, "source": cell["code"]})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": found, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}


MIME = {"html": "text/html", "svg": "image/svg+xml", "png": "image/png"}


def index(shown):
    """The page of all programs, with their pictures."""
    lines = [
        "# Gallery", "",
        "Each program was run when this site was built; what it printed and drew is on its page, and the page has a "
        "notebook to download. The data come with the package or are made by the program: no network is needed.", "",
    ]  # fmt: skip
    for group, names in GROUPS.items():
        lines += [f"## {group}", "", "{.gallery}"]
        for name in names:
            title, summary, picture = shown[name]
            image = f"![]({picture}) " if picture else ""
            lines.append(f"- {image}[{title}]({name}.md) {summary}")
        lines.append("")
    names = [name for names in GROUPS.values() for name in names]
    return "\n".join([*lines, "```{toctree}", ":hidden:", "", *names, "```", ""])


def build():
    """Run all programs, two at a time, and write pages and notebooks; returns their processor seconds by name."""
    (FOLDER / "pictures").mkdir(parents=True, exist_ok=True)
    names = [name for names in GROUPS.values() for name in names]
    with ThreadPoolExecutor(2) as pool:
        runs = {name: pool.submit(result_of, name) for name in names}
    failures = [str(run.exception()) for run in runs.values() if run.exception()]
    if failures:
        raise RuntimeError("\n\n".join(failures))
    results = {name: run.result() for name, run in runs.items()}
    shown = {}
    for name, result in results.items():
        text, picture = page(name, result)
        title, intro = title_of(result["cells"][0]["prose"])
        shown[name] = title, re.split(r"(?<=[.?!])\s", intro.partition("\n\n")[0])[0], picture
        (FOLDER / f"{name}.md").write_text(text)
        (FOLDER / f"{name}.ipynb").write_text(json.dumps(notebook(result), indent=1))
    (FOLDER / "index.md").write_text(index(shown))
    for old in set(FOLDER.glob("*.md")) - {FOLDER / f"{name}.md" for name in [*names, "index"]}:
        old.unlink()
    return {name: result["processor"] for name, result in results.items()}


if __name__ == "__main__":
    processor = build()
    for name, seconds in sorted(processor.items(), key=lambda pair: pair[1]):
        print(f"{seconds:7.1f} s  {name}")
    print(f"{sum(processor.values()):7.1f} s of processor time, two programs at a time")
