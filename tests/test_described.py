"""Every public class and function says what each of its arguments is."""

import importlib
import inspect
import re

import pytest

import lamina

SHARE = 0.95
SECTION = re.compile(r"^(?:Args|Attributes):\n((?:[ \t]+.*\n?|\n)+)", re.MULTILINE)
ENTRY = re.compile(r"^ {4}(\*{0,2}\w+(?:, \*{0,2}\w+)*): \S", re.MULTILINE)
NAMESPACES = sorted(
    name for name in lamina.__all__ if inspect.ismodule(getattr(lamina, name)) and name not in ("errors", "legacy")
)


def described(thing):
    """The arguments that the docstring describes, one to a line: `name: What it is.`"""
    text = inspect.cleandoc(thing.__doc__ or "")
    return {name.strip("* ") for section in SECTION.findall(text) for names in ENTRY.findall(section)
            for name in names.split(",")}  # fmt: skip


def parameters(thing):
    """The names in the signature that help() shows, without `*args` and `**kwargs`."""
    named = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    try:
        return [p.name for p in inspect.signature(thing).parameters.values() if p.kind not in named]
    except ValueError:  # no signature
        return []


def public(module, seen):
    """The classes and functions of a namespace and of the modules in it, each once."""
    for name in module.__all__:
        thing = getattr(module, name)
        if inspect.ismodule(thing):
            if thing.__name__.startswith("lamina.") and hasattr(thing, "__all__") and thing.__name__ not in seen:
                seen.add(thing.__name__)
                yield from public(thing, seen)
        elif callable(thing) and id(thing) not in seen and not name.startswith("_"):
            seen.add(id(thing))
            yield f"{module.__name__}.{name}", thing


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_arguments_are_described(namespace):
    module = importlib.import_module(f"lamina.{namespace}")
    if not hasattr(module, "__all__"):
        pytest.fail(f"lamina.{namespace} has no __all__")
    total, missing = 0, []
    for path, thing in public(module, set()):
        names = parameters(thing)
        lacking = [name for name in names if name not in described(thing)]
        total += len(names)
        if lacking:
            missing.append((path, lacking))
    count = sum(len(names) for _, names in missing)
    assert count <= (1 - SHARE) * total, "\n".join(f"{path}: {', '.join(names)}" for path, names in missing)


def test_a_missing_description_is_seen():
    def function(first, second, *rest, third=1):
        """Something.

        Args:
            first: The first.
            third, fourth: The others.
        """

    assert parameters(function) == ["first", "second", "third"]
    assert described(function) == {"first", "third", "fourth"}
