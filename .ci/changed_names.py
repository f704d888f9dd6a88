"""Tells which names of Keras changed since the release that lamina follows, and which names of JAX that lamina uses are
gone or deprecated:

    python .ci/changed_names.py            # exit code 1 if there are any
    python .ci/changed_names.py --record   # writes keras_names.txt from the installed Keras

The nightly job runs it with the newest versions of both.
"""

import ast
import importlib
import inspect
import os
import pathlib
import sys
import types
import warnings

ROOT = pathlib.Path(__file__).parents[1]
RECORD = ROOT / ".ci" / "keras_names.txt"
os.environ.setdefault("KERAS_BACKEND", "jax")


def changes_of_keras():
    """What differs between the installed Keras and the recorded one: names that are new or gone, other arguments."""
    before = dict(line.split("(", 1) for line in RECORD.read_text().splitlines())
    now = dict(line.split("(", 1) for line in names_of_keras())
    for name in sorted(before.keys() | now.keys()):
        if name not in before:
            yield f"{name} is new"
        elif name not in now:
            yield f"{name} is gone"
        elif before[name] != now[name]:
            yield f"{name} took ({before[name]} and takes ({now[name]}"


def names_of_keras():
    """`path(arguments)` of every public name of the installed Keras; modules are followed, not listed."""
    import keras

    seen, places = set(), [("keras", keras)]
    for path, place in places:
        if id(place) in seen or not isinstance(place, types.ModuleType):
            continue
        seen.add(id(place))
        for name in sorted(name for name in dir(place) if not name.startswith("_") and name != "src"):
            value = getattr(place, name)
            if isinstance(value, types.ModuleType):
                if value.__name__.startswith("keras"):
                    places.append((f"{path}.{name}", value))
            else:
                yield f"{path}.{name}({_arguments(value)})"


def _arguments(value):
    try:
        return ", ".join(str(one.replace(annotation=one.empty)) for one in inspect.signature(value).parameters.values())
    except (TypeError, ValueError):
        return ""


def changes_of_jax():
    """Names of JAX in lamina's code that the installed JAX does not have or warns of."""
    warnings.simplefilter("error")
    used = {}
    for path in sorted((ROOT / "lamina").rglob("*.py")):
        for name, line in _names_of_jax(ast.parse(path.read_text())):
            used.setdefault(name, f"{path.relative_to(ROOT)}:{line}")
    for name, place in sorted(used.items()):
        problem = _problem(name)
        if problem:
            yield f"{name} ({place}): {problem}"


def _names_of_jax(tree):
    aliases = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases |= {
                a.asname or "jax": a.name if a.asname else "jax" for a in node.names if a.name.split(".")[0] == "jax"
            }
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "jax":
            aliases |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
            yield from ((f"{node.module}.{a.name}", node.lineno) for a in node.names)
    for node in ast.walk(tree):
        parts, inner = [], node
        while isinstance(inner, ast.Attribute):
            parts, inner = [inner.attr, *parts], inner.value
        if parts and isinstance(inner, ast.Name) and inner.id in aliases:
            yield ".".join([aliases[inner.id], *parts]), node.lineno


def _problem(name):
    """What is wrong with a name: the first part that is not there, unless a part before it is no module or class."""
    first, *rest = name.split(".")
    value, path = importlib.import_module(first), first
    for part in rest:
        path = f"{path}.{part}"
        try:
            value = getattr(value, part)
        except AttributeError:
            if not isinstance(value, (types.ModuleType, type)):
                return None
            try:
                value = importlib.import_module(path)
            except ImportError:
                return f"{path} is not there"
        except Warning as warning:
            return str(warning).splitlines()[0]
    return None


def main():
    if "--record" in sys.argv:
        return RECORD.write_text("".join(f"{line}\n" for line in names_of_keras())) and 0
    found = {"Keras": list(changes_of_keras()), "JAX": list(changes_of_jax())}
    for name, changes in found.items():
        version = importlib.import_module(name.lower()).__version__
        print(f"{name} {version}: {len(changes)} changed names", *changes, sep="\n  ")
    return any(found.values())


if __name__ == "__main__":
    sys.exit(main())
