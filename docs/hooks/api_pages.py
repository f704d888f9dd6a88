"""Writes the pages of the API reference, one for each public namespace, from what the library exports."""

import importlib
import inspect
import sys

from mkdocs.structure.files import File

NAMESPACES = (
    "layers", "models", "losses", "metrics", "optimizers", "callbacks", "activations", "initializers", "regularizers",
    "constraints", "ops", "ops.image", "random", "datasets", "saving", "export", "dtype_policies", "config", "tree",
    "utils", "distribution", "explain", "check", "errors",
)  # fmt: skip
METHODS = {
    "models.Model": [
        "compile", "fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch", "compilations",
        "summary", "save", "save_weights", "load_weights", "get_layer", "explain", "check", "view",
    ],
    "callbacks.History": ["plot"],
    "layers.Layer": [
        "build", "call", "add_weight", "add_loss", "get_weights", "set_weights", "count_params", "stateless_call",
    ],
}  # fmt: skip


def public(module):
    """(name, thing) of what a namespace exports that has words to show."""
    for name in sorted(getattr(module, "__all__", None) or vars(module)):
        thing = getattr(module, name)
        if not name.startswith("_") and callable(thing) and inspect.getdoc(thing):
            yield name, thing


def settle(thing, name):
    """Whether `thing` is known by `name` in some file of lamina; a function made by another one is told that file."""
    home = sys.modules.get(thing.__module__)
    if thing.__qualname__ == name and getattr(home, name, None) is not thing:
        for module_name, module in list(sys.modules.items()):
            if (
                module_name.startswith("lamina.")
                and vars(module).get(name) is thing
                and not hasattr(module, "__path__")
            ):
                thing.__module__ = inspect.unwrap(thing).__module__ = module_name
    return thing.__qualname__ == name and thing.__module__.startswith("lamina")


def options(names):
    """The lines that show these members of an object."""
    return ["    options:", f"      members: [{', '.join(names)}]"] if names else []


def page(namespace):
    """The Markdown of one namespace."""
    module = importlib.import_module(f"lamina.{namespace}")
    lines = [f"# keras.{namespace}", "", inspect.cleandoc(module.__doc__ or "").split("\n\n")[0], ""]
    if namespace == "datasets":
        for name in module.__all__:
            names = [inner for inner, _ in public(getattr(module, name))]
            lines += [f"::: lamina.datasets.{name}", *options(names), ""]
    for name, thing in public(module):
        if settle(thing, name):
            lines += [f"::: lamina.{namespace}.{name}", *options(METHODS.get(f"{namespace}.{name}", [])), ""]
        else:
            lines += [f"## {name}", "", f"Another name of `{thing.__qualname__}`.", ""]
    return "\n".join(lines)


def on_config(config):
    """Put the pages into the navigation."""
    for entry in config.nav:
        if entry.get("API"):
            entry["API"] = [{f"keras.{namespace}": f"api/{namespace}.md"} for namespace in NAMESPACES]
    return config


def on_files(files, config):
    """Add the pages."""
    for namespace in NAMESPACES:
        files.append(File.generated(config, f"api/{namespace}.md", content=page(namespace)))
    return files
