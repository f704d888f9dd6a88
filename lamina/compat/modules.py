"""tf.Module: an object whose attributes are variables, layers and modules."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

from lamina.core import context
from lamina.core.context import snake_case
from lamina.core.variable import Variable
from lamina.errors import ConfigError
from lamina.layers import Layer
from lamina.layers.base.tracking import Holder

__all__ = ["MODULES", "Module", "NameScope", "children_of"]


class NameScope:
    """`with tf.name_scope("a") as scope:` puts `a/` before the names of variables. It may be entered several times."""

    def __init__(self, name: str | None) -> None:
        self.name, self._open = (name or "").rstrip("/") + "/", []

    def __enter__(self) -> str:
        path = tuple(part for part in self.name.split("/") if part)
        kept = path if path[: len(context.name_path())] == context.name_path() else (*context.name_path(), *path)
        self._open.append(context.path_scope(kept))
        self._open[-1].__enter__()
        return "/".join(kept) + "/"

    def __exit__(self, *error: Any) -> None:
        self._open.pop().__exit__(*error)


class _AnyModule(type):
    """Layers are modules too, as in TensorFlow."""

    def __instancecheck__(cls, instance):
        return super().__instancecheck__(instance) or (cls is Module and isinstance(instance, Layer))


class Module(Holder, metaclass=_AnyModule):
    """`tf.Module(name)`: finds the variables in its attributes, and in those of the modules and layers there."""

    def __init__(self, name: str | None = None) -> None:
        if name is not None and not name.isidentifier():
            raise ConfigError(f"The name of a module is a Python name; got {name!r}.",
                              fix=f"name={re.sub(r'(^(?=[0-9]))|[^0-9a-zA-Z_]', '_', name) or 'module'!r}")  # fmt: skip
        self._name = name or snake_case(type(self).__name__)
        with NameScope(self._name) as path:
            self._name_scope = NameScope(path)

    attribute_set: Any = None

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        context.structure_changed()
        if Module.attribute_set is not None:
            Module.attribute_set()

    @property
    def name(self) -> str:
        """Its name, by default that of the class."""
        return vars(self).get("_name") or snake_case(type(self).__name__)

    @property
    def name_scope(self) -> NameScope:
        """The scope of the names of its variables."""
        return vars(self).get("_name_scope") or NameScope(self.name)

    @property
    def variables(self) -> tuple[Any, ...]:
        """All variables inside, in the order of the names of the attributes."""
        return tuple(_inside(self, lambda one: isinstance(one, Variable)))

    @property
    def trainable_variables(self) -> tuple[Any, ...]:
        """The variables inside that are trainable."""
        return tuple(one for one in self.variables if one.trainable)

    @property
    def non_trainable_variables(self) -> tuple[Any, ...]:
        """The variables inside that are not trainable."""
        return tuple(one for one in self.variables if not one.trainable)

    @property
    def submodules(self) -> tuple[Any, ...]:
        """The modules and layers inside."""
        return tuple(one for one in _inside(self, lambda one: isinstance(one, (Module, Layer))) if one is not self)

    @classmethod
    def with_name_scope(cls, method: Any) -> Any:
        """A method whose variables have the module's name before theirs."""

        @functools.wraps(method)
        def run(self, *args, **kwargs):
            with self.name_scope:
                return method(self, *args, **kwargs)

        return run


def children_of(one: Any) -> Iterator[tuple[str, Any]]:
    """(name, value) of what a module, layer, list or dict holds."""
    if isinstance(one, (list, tuple)):
        yield from ((str(place), value) for place, value in enumerate(one))
    elif isinstance(one, dict):
        yield from ((str(key), value) for key, value in one.items())
    elif isinstance(one, (Module, Layer)) or (hasattr(one, "variables") and hasattr(one, "__dict__")):
        yield from sorted(((key, value) for key, value in vars(one).items()), key=lambda pair: pair[0])


def _inside(root, wanted):
    """What is wanted among an object and all that it holds, breadth first inside each attribute, each once."""
    seen, found, queue = set(), [], [root]
    while queue:
        one = queue.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        if wanted(one):
            found.append(one)
        if isinstance(one, Layer):
            queue[:0] = [*one.variables, *one._flatten_layers()]
        elif not isinstance(one, Variable):
            parts = [value for _, value in children_of(one)]
            if isinstance(one, Module):
                flat = [leaf for part in parts for leaf in _leaves(part)]
                queue += [leaf for leaf in flat if not isinstance(leaf, Variable)]
                for leaf in flat:
                    if isinstance(leaf, Variable) and id(leaf) not in seen:
                        seen.add(id(leaf))
                        found += [leaf] if wanted(leaf) else []
            else:
                queue += parts
    return found


def _leaves(value):
    if isinstance(value, (list, tuple, dict)):
        return [leaf for _, part in children_of(value) for leaf in _leaves(part)]
    return [value]


MODULES: dict[str, Any] = {"Module": Module, "name_scope": NameScope}
