"""Writes the pages of the API reference from what the library exports: a page for each class, and one for the functions
of each file. The groups are the families of files, under the headings of GROUPS where there are many files."""

import inspect
import pathlib
import re
import shutil
import sys

import lamina
from hooks.docstrings import markdown, prose, summary

FOLDER = pathlib.Path(__file__).parents[1] / "api"
MANY = 40  # names of a namespace, above which its index has a heading for each family
REPEATING = ("applications",)  # their functions are described in the modules of the namespace
BASES = ("Layer", "Model", "Optimizer", "Loss", "Metric", "Callback")  # their pages have the inherited methods too
GROUPS = {
    "layers": {
        "Core layers": "dense embedding input_layer lambda_layer base einsum_dense reversible_embedding jax_layer "
        "pipeline",
        "Convolutions": "convolutional depthwise_convolution separable_convolution transposed_convolution",
        "Pooling": "pooling global_pooling adaptive_pooling",
        "Recurrent layers": "recurrent recurrent_cells rnn stacked_cells conv_lstm",
        "Normalization": "batch_normalization normalization spectral_normalization",
        "Regularization": "regularization",
        "Attention": "attention multi_head_attention",
        "Activation layers": "activation_layers",
        "Reshaping": "reshaping padding_layers upsampling",
        "Merging": "merging merge_functions",
        "Preprocessing": "preprocessing discretization categories text",
        "Images": "image",
        "Audio": "spectrograms",
        "Wrappers": "wrapper wrappers",
    },
}


PAGES = {}  # where a thing is described
INDEXED = set()  # names of the classes described so far


def exported(module):
    """(name, thing) of what a namespace exports, without other modules."""
    for name in sorted(module.__all__, key=lambda name: (name.lower(), name)):
        thing = getattr(module, name)
        if not inspect.ismodule(thing) and not name.startswith("_"):
            yield name, thing


def namespaces(path="", module=lamina):
    """(dotted path, module) of every public namespace; modules that only repeat names of their parent are left out."""
    for name in sorted(module.__all__):
        inner = getattr(module, name)
        if inspect.ismodule(inner) and inner.__name__.startswith("lamina.") and hasattr(inner, "__all__"):
            old = module.__all__
            new = [one for one in inner.__all__ if one not in old or getattr(module, one) is not getattr(inner, one)]
            if new:
                yield f"{path}{name}", inner
                yield from namespaces(f"{path}{name}.", inner)


def home(thing, module):
    """The file in which a thing is written, below the package of its namespace: its family."""
    parts = getattr(inspect.unwrap(thing), "__module__", module.__name__).split(".")
    top = module.__name__.split(".")
    return parts[len(top)] if parts[: len(top)] == top and len(parts) > len(top) else parts[-1]


def heading(namespace, family, thing):
    """The heading over a family of names: of GROUPS, of the docstring of its file, or the name of the file."""
    for title, families in GROUPS.get(namespace, {}).items():
        if family in families.split():
            return title
    words = inspect.getdoc(sys.modules.get(getattr(inspect.unwrap(thing), "__module__", ""))) or ""
    title = re.split(r"[:(.,;]", words)[0].strip()
    return title if 0 < len(title) <= 36 and "`" not in title else family.replace("_", " ").capitalize()


def signature(thing):
    """The arguments with their types and defaults, as they are written in Python."""
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return "()"
    kept = [
        one.replace(default=Written(one.default)) if one.default is not one.empty else one
        for one in found.parameters.values()
        if one.name not in ("self", "cls")
    ]
    result = inspect.Signature.empty if inspect.isclass(thing) else found.return_annotation
    text = str(found.replace(parameters=kept, return_annotation=result))
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", text)


class Written:
    """A default as it would be written: numbers and texts as they are, the rest by name."""

    def __init__(self, value):
        plain = isinstance(value, (bool, int, float, str, bytes, tuple, list, dict, type(None)))
        self.text = repr(value) if plain and "<" not in repr(value) else getattr(value, "__name__", "...")

    def __repr__(self):
        return self.text


def dotted(namespace, name):
    """The whole name of a thing."""
    return f"keras.{namespace}.{name}" if namespace else f"keras.{name}"


def entry(kind, path, thing, inner=()):
    """A directive that describes one thing."""
    fence = "````" if inner else "```"
    name = path.rpartition(".")[2]
    options = [":no-index:"] if kind == "class" and name in INDEXED else []  # types mean the first class of a name
    INDEXED.add(name)
    lines = [f"{fence}`{{py:{kind}}} {path}{signature(thing)}", *options, "", markdown(inspect.getdoc(thing) or ""), ""]
    return "\n".join([*lines, *inner, f"{fence}`", ""])


def methods(cls, name):
    """The public methods of a class that have a docstring: its own, or of a base class all."""
    found = {}
    for one in cls.__mro__ if name in BASES else [cls]:
        if one.__module__.startswith("lamina"):
            for method, value in vars(one).items():
                if not method.startswith("_") and inspect.isfunction(value) and value.__doc__:
                    found.setdefault(method, value)
    return sorted(found.items())


def inherited(cls):
    """Where the methods are described that a class takes from a base."""
    for base in BASES:
        if cls.__name__ != base and base in (one.__name__ for one in cls.__mro__[1:]):
            space = {"Callback": "callbacks", "Layer": "layers", "Model": "models"}.get(base, base.lower() + "s")
            space = "losses" if base == "Loss" else space
            return f"It has the arguments and methods of every [{base}](/api/{space}/{base}.md)."
    return ""


def class_page(namespace, name, thing, others):
    """The page of one class."""
    also = f"Also known as {', '.join(f'`{other}`' for other in others)}.\n" if others else ""
    inner = [entry("method", method, function) for method, function in methods(thing, name)]
    return f"# {name}\n\n{entry('class', dotted(namespace, name), thing, inner)}\n{inherited(thing)}\n\n{also}"


def functions_page(namespace, title, things):
    """The page of the functions of one file."""
    lines = [f"# {title}", ""]
    for name, thing, others in things:
        lines += [f"## {name}", "", entry("function", dotted(namespace, name), thing)]
        lines += [f"Also known as {', '.join(f'`{other}`' for other in others)}.", ""] if others else []
    return "\n".join(lines)


def distinct(module):
    """(name, thing, other names) of each thing of a namespace, by its own name if it has that."""
    names = {}
    for name, thing in exported(module):
        if callable(thing):
            names.setdefault(id(thing), []).append((name, thing))
    for same in names.values():
        thing = same[0][1]
        same.sort(key=lambda pair: pair[0] != getattr(thing, "__name__", ""))
        yield same[0][0], thing, [name for name, _ in same[1:]]


def write(path, text):
    """Write a file, unless it has that text: Sphinx reads again what is newer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text() != text:
        path.write_text(text)
    return path


def table(rows):
    """A table of links and summaries."""
    return [
        "| name | what it is |",
        "|---|---|",
        *(f"| [{n}]({link}) | {prose(summary(t))} |" for n, link, t in rows),
        "",
    ]


def namespace_pages(namespace, module):
    """Write the pages of one namespace; returns them."""
    folder, groups, written = FOLDER / namespace.replace(".", "/"), {}, []
    inner = {path.removeprefix(f"{namespace}."): one for path, one in namespaces(f"{namespace}.", module)}
    things = list(distinct(module))
    grouped = len(things) > MANY or namespace in (*GROUPS, *REPEATING)
    for name, thing, others in things:
        title = heading(namespace, home(thing, module), thing) if grouped else ""
        groups.setdefault(title, ([], []))[inspect.isclass(thing) ^ 1].append((name, thing, others))
    lines = [f"# keras.{namespace}", "", markdown(inspect.getdoc(module) or ""), ""]
    order = list(GROUPS.get(namespace, {}))
    for title in sorted(groups, key=lambda title: (order.index(title) if title in order else len(order), title)):
        classes, functions = groups[title]
        for name, thing, others in classes:
            written.append(write(folder / f"{name}.md", class_page(namespace, name, thing, others)))
            PAGES.setdefault(id(thing), f"{folder.relative_to(FOLDER)}/{name}.md")
        page = "_".join([*re.findall(r"\w+", title.lower()), "functions"])
        if namespace in REPEATING:
            page = f"{home(functions[0][1], module)}/functions"
        elif functions:
            head = f"{title}: functions" if title else f"Functions of keras.{namespace}"
            text = functions_page(namespace, head, functions)
            written.append(write(folder / f"{page}.md", text))
        for name, thing, _ in functions:
            PAGES.setdefault(id(thing), f"{folder.relative_to(FOLDER)}/{page}.md#{name.lower()}")
        lines += [f"## {title}", ""] if len(groups) > 1 else []
        rows = [(name, f"{name}.md", thing) for name, thing, _ in classes]
        lines += table(rows + [(name, f"{page}.md#{name.lower()}", thing) for name, thing, _ in functions])
    pages = [page.relative_to(folder).with_suffix("") for page in written]
    pages += [f"{path}/index" for path in inner if "." not in path]
    lines += ["```{toctree}", ":hidden:", "", *map(str, pages), "```", ""]
    return [*written, write(folder / "index.md", "\n".join(lines))]


def top_pages():
    """Write the pages of the names of `keras` itself that no namespace has; returns them."""
    folder, here = FOLDER / "keras", [one for one in distinct(lamina) if id(one[1]) not in PAGES]
    functions = [one for one in here if not inspect.isclass(one[1])]
    written = [
        write(folder / f"{name}.md", class_page("", name, thing, others))
        for name, thing, others in here
        if inspect.isclass(thing)
    ]
    written.append(write(folder / "functions.md", functions_page("", "Functions of keras", functions)))
    for name, thing, _ in here:
        PAGES[id(thing)] = f"keras/{name}.md" if inspect.isclass(thing) else f"keras/functions.md#{name.lower()}"
    rows = [(name, f"../{PAGES[id(thing)]}", thing) for name, thing, _ in distinct(lamina)]
    lines = ["# keras", "", "Names of the package itself, for `import lamina as keras`.", "", *table(rows)]
    lines += ["```{toctree}", ":hidden:", "", *(page.stem for page in written), "```", ""]
    return [*written, write(folder / "index.md", "\n".join(lines))]


def build():
    """Write all pages, and remove those of things that are gone."""
    spaces = dict(namespaces())
    written = [page for path, module in spaces.items() for page in namespace_pages(path, module)] + top_pages()
    tops = [path for path in spaces if "." not in path]
    lines = ["# API", "", "For `import lamina as keras`. Every public name of Keras 3.15 is where Keras has it.", ""]
    lines += table(
        [("keras", "keras/index.md", lamina)] + [(f"keras.{path}", f"{path}/index.md", spaces[path]) for path in tops]
    )
    lines += ["```{toctree}", ":hidden:", "", "keras/index", *(f"{path}/index" for path in tops), "```", ""]
    written.append(write(FOLDER / "index.md", "\n".join(lines)))
    for page in set(FOLDER.rglob("*.md")) - set(written):
        page.unlink()
    return len(written)


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    print(build())
