"""Families of objects that are looked up by name: losses, metrics, initializers and so on."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Mapping
from types import FunctionType
from typing import Any

from lamina import legacy
from lamina.core import registry, serialization
from lamina.core.typing import Config
from lamina.errors import ConfigError, UnknownClassError, is_internal
from lamina.runtime.tracebacks import filters_traceback
from lamina.spelling.names import as_strings, meant
from lamina.spelling.nearest import letters_of

__all__ = ["Family"]

_CALLED_WITH = {
    "initializer": ("shape", "dtype"), "regularizer": ("x",), "constraint": ("w",), "activation": ("x",),
}  # fmt: skip


class Family:
    """The objects of one kind that are looked up by name. The `get`, `serialize` and `deserialize` of a module use it.

    Args:
        kind: What error messages call an object of the family, such as "loss".
        namespace: The public module of the family, such as "keras.losses".
        base: The base class of the family's objects. None means that they are functions.
        aliases: Additional names, each with a class or function of the family, or with the name of one.
        default: The object that None means.
        also_in: Other public modules in which `deserialize` looks names up.

    >>> import lamina as keras
    >>> family = Family("regularizer", "keras.regularizers", base=keras.Regularizer, aliases={"ridge": "L2"})
    >>> family.get("ridge")
    L2()
    """

    def __init__(
        self,
        kind: str,
        namespace: str,
        base: type | None = None,
        aliases: Mapping[str, Any] = {},
        default: Any = None,
        also_in: tuple[str, ...] = (),
    ) -> None:
        self._kind, self._namespace, self._base = kind, namespace, base
        self._aliases, self._default = dict(aliases), default
        self._namespaces = (namespace, *also_in)
        registry.ALIASES.update(
            {(namespace, key): kind for key, kind in self._aliases.items() if isinstance(kind, type)}
        )

    @filters_traceback
    def get(self, identifier: Any) -> Any:
        """The object for a name, a config, a class or an object.

        Args:
            identifier: A name, a config, a class of the family, a function, an object, or None for the default.

        Raises:
            ConfigError: The name is unknown, or the value does not belong to the family.
        """
        if identifier is None:
            return self._default
        if isinstance(identifier, dict):
            return self._of_config(identifier, None, (self._namespace,))
        if isinstance(identifier, str):
            found = self._find(identifier)
            return found() if isinstance(found, type) else found
        if isinstance(identifier, type) and (self._base is None or issubclass(identifier, self._base)):
            return identifier()
        of_another = type(identifier).__module__.startswith(_OF_OTHERS.get(self._kind, ()))
        is_one = callable(identifier) or (self._base is not None and isinstance(identifier, self._base))
        if is_one and not of_another:
            self._check_call(identifier)
            return identifier
        if self._kind == "activation" and isinstance(identifier, int) and not isinstance(identifier, bool):
            raise ConfigError(
                f"activation is a name or a function; got the number {identifier}. A layer takes the number of its "
                "outputs alone: that of its inputs follows from the data.",
                fix=f"units={identifier}, activation='relu'",
            )
        article = "An" if self._kind[0] in "aeio" else "A"
        usual = repr(_USUAL.get(self._kind))
        same = getattr(identifier, "__name__", type(identifier).__name__)
        if of_another and registry.look_up(self._namespace, same) is not None:
            usual = f"{self._namespace}.{same}()"
        if isinstance(identifier, float) and self._kind in _OF_NUMBERS:
            usual = f"keras.{_OF_NUMBERS[self._kind]}({identifier})"
        raise ConfigError(
            f"Could not interpret {self._kind} identifier {identifier!r}. "
            f"{article} {self._kind} is a name, a config, a function or an object.",
            fix=_argument(self._kind, identifier).format(usual),
        )

    def _check_call(self, function):
        """Raise an error for a function of the user that cannot be called as those of the family are."""
        if self._kind not in _CALLED_WITH or not isinstance(function, FunctionType) or registry.is_builtin(function):
            return
        arguments = _CALLED_WITH[self._kind]
        try:
            inspect.signature(function).bind(arguments[0], **dict.fromkeys(arguments[1:]))
        except TypeError as error:
            article, name = "An" if self._kind[0] in "aeio" else "A", function.__name__
            wanted = ", ".join([arguments[0], *(f"{one}=None" for one in arguments[1:])])
            raise ConfigError(
                f"{article} {self._kind} is called with {' and '.join(arguments)}; "
                f"{name}{inspect.signature(function)} cannot be: {error}.",
                fix=f"def {name}({wanted}):" if name.isidentifier() else f"lambda {wanted}: ...",
            ) from None

    def _of_config(self, config, custom_objects, namespaces):
        try:
            return serialization.deserialize(config, custom_objects, namespaces=namespaces)
        except UnknownClassError as error:
            if not isinstance(config, dict) or error.name != config.get("class_name"):
                raise
            raise ConfigError(
                f"Could not interpret {self._kind} identifier {config!r}. {error.message}", fix=error.fix
            ) from None

    def serialize(self, member: Any) -> Config:
        """A JSON-able description of a member, as stored in files.

        Args:
            member: An object or function of the family.
        """
        return serialization.serialize(member)

    def deserialize(self, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The object for a description or a name.

        Args:
            config: A result of `serialize`, or any argument that `get` accepts.
            custom_objects: The user's classes and functions, by their names in the description.
        """
        if isinstance(config, (dict, list, tuple)):
            return self._of_config(config, custom_objects, self._namespaces)
        with registry.CustomObjectScope(custom_objects):
            return self.get(config)

    def _find(self, name):
        """The class or function for a name: registered by the user, in the family, or renamed since Keras 2."""
        found = registry.get_registered_object(name) or self._aliases.get(name)
        if found is None:
            today = legacy.name_of_today(self._namespace.replace("keras", "lamina"), name)
            return self._look_up(name) if today is None else self._find(today)
        return self._look_up(found) if isinstance(found, str) else found

    def _look_up(self, name):
        found = registry.look_up(self._namespace, name)
        if found is not None:
            return found
        registry.populate()
        public = registry.names_of(self._namespace)
        members = (key for space, key in (*registry.CLASSES, *registry.FUNCTIONS) if space == self._namespace)
        base = self._base.__name__.lower() if self._base else " "
        names = {*self._aliases, *(key for key in members if key in public or key.islower())}
        known = as_strings(name for name in names if base not in letters_of(name) and "schedule" not in name.lower())
        sentence, near = meant(name.partition("(")[0], known)
        if near and (settings := re.search(r"\(.*\)", name)):  # "l2(0.01)"
            classes = [one for one in public if one[0].isupper() and letters_of(one) == letters_of(near[-1])]
            near = [f"{self._namespace}.{classes[0]}{settings[0]}"] if classes else near
        code = near[0] if near and "." in near[0] else repr(near[0]) if near else ""
        raise ConfigError(
            f"Could not interpret {self._kind} identifier {name!r}.{sentence}",
            fix=_argument(self._kind, name).format(code)
            if near
            else f"Known: {', '.join(known)}; or pass a function or an object"
            f" (in a file: load_model(path, custom_objects={{{name!r}: function}})).",
        )


def _argument(kind, value):
    """Code of the argument that holds a value, as the function that was called with it names it."""
    frame: Any = sys._getframe(2)
    while frame is not None and is_internal(frame):
        named = [key for key, held in frame.f_locals.items() if key.endswith(kind) and held is value]
        if named:
            return f"{named[0]}={{}}"
        frame = frame.f_back
    return _ARGUMENTS.get(kind, f"{kind}={{}}")


_OF_OTHERS = {
    "loss": ("lamina.layers", "lamina.metrics", "lamina.optimizers", "lamina.callbacks"),
    "metric": ("lamina.layers", "lamina.optimizers", "lamina.callbacks"),
    "activation": ("lamina.losses", "lamina.metrics", "lamina.optimizers", "lamina.callbacks", "lamina.initializers"),
}
"""Kind -> modules whose objects can be called, and are none of it."""

_USUAL = {  # names that work wherever an object of the kind is an argument
    "loss": "mse", "metric": "mse", "optimizer": "adam", "activation": "relu", "initializer": "glorot_uniform",
    "regularizer": "l2", "constraint": "max_norm",
}  # fmt: skip
_OF_NUMBERS = {  # what a number in place of an object sets
    "regularizer": "regularizers.L2", "optimizer": "optimizers.Adam", "initializer": "initializers.Constant",
    "constraint": "constraints.MaxNorm",
}  # fmt: skip
_ARGUMENTS = {
    "metric": "metrics=[{}]", **{kind: f"kernel_{kind}={{}}" for kind in ("initializer", "regularizer", "constraint")},
}  # fmt: skip
