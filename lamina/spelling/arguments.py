"""Calls with arguments that a class, function or method does not have, or lacks: what was meant, as a call to paste."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from typing import Any

from lamina.errors import ArgumentError
from lamina.spelling import elsewhere
from lamina.spelling.docstrings import described_in
from lamina.spelling.nearest import nearest, or_list
from lamina.spelling.places import class_meant, public_module

__all__ = ["Call", "explain_call", "explain_error", "signature_of", "unknown_arguments"]

Parameter = inspect.Parameter
_NAMED = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
_VALUES = {
    "filepath": "'model.keras'", "path": "'data'", "seed": "42", "layer": "keras.layers.Dense(1)",
    "directory": "'pictures'", "shape": "(2, 3)",
}  # fmt: skip
_ARRAYS = ("x", "y", "y_true", "y_pred", "inputs", "x1", "x2")  # written as they are called
_OF_EVERY_CALL = ("training", "mask")
_TRAINING = ("train", "is_train", "is_training", "train_mode", "training_mode", "trainable")  # in a user's call
_RECEIVERS = {"Model": "model", "Optimizer": "optimizer", "Layer": "layer", "Metric": "metric", "Loss": "loss"}


def signature_of(cls: type) -> Any:
    """The arguments of a class, including those that it passes on through **kwargs.

    Args:
        cls: Class whose `__init__` is read.

    Returns:
        A dict: name -> (parameter, class whose `__init__` has it).
    """
    if "_signature" in cls.__dict__:
        return cls.__dict__["_signature"]
    found = {}
    for owner in cls.__mro__:
        if "__init__" not in owner.__dict__:
            continue
        parameters = inspect.signature(owner.__init__).parameters.values()
        for parameter in list(parameters)[1:]:
            if parameter.kind in _NAMED:
                found.setdefault(parameter.name, (parameter, owner))
        if not any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters):
            break
    cls._signature = found  # pyright: ignore[reportAttributeAccessIssue]
    return found


def explain_error(error: Exception) -> ArgumentError | None:
    """The error for a call through one of lamina's wrappers (`filters_traceback`, `op`, `old_names`, a layer's
    `__call__`) whose signature refused the arguments, or that failed by a number given as text; None for other errors.

    Args:
        error: The error, as the wrapper caught it.
    """
    traceback: Any = error.__traceback__
    inner = traceback and traceback.tb_next
    if (
        inner is not None
        and traceback.tb_frame.f_code.co_name == "run"
        and inner.tb_frame.f_code.co_name == "explained"
    ):
        traceback = inner  # of an op
    frame = traceback and traceback.tb_frame
    is_explained = isinstance(error, ArgumentError) and error.fix is not None and error.of is None
    if frame is None or is_explained or not str(frame.f_globals.get("__name__")).startswith("lamina."):
        return None
    names, is_refused = frame.f_locals, type(error) is TypeError and traceback.tb_next is None
    if frame.f_code.co_name == "__call__" and is_refused and "args" in names:  # of a layer
        return explain_call(type(names["self"]).call, (names["self"], *names["args"]), names["kwargs"])
    function, args = names.get("function"), names.get("args")
    if frame.f_code.co_name not in ("filtered", "translated", "explained") or function is None:
        return None
    args = (names["self"], *args) if "self" in names else args
    owner = function.__qualname__.rpartition(".")[0].rpartition(".")[2]
    if is_refused and args and owner and not any(cls.__name__ == owner for cls in type(args[0]).__mro__):
        message = f"{function.__name__} was called on the class {owner}, and not on an object."
        return ArgumentError(message, fix=f"model = keras.{owner}()", of=owner)
    first = args[0] if args else None
    owners = first, function.__name__, f"{function.__name__}_model", type(first).__name__
    of = error.of if isinstance(error, ArgumentError) else None
    is_own = of is not None and (of in owners[1:] if isinstance(of, str) else of is owners[0])
    if not is_refused and not is_own:
        known = isinstance(error, ArgumentError) and (of is None or function.__name__ != "__init__" or of is args[0])
        if known:
            return None
        from lamina.spelling.numbers import with_numbers  # read where a call has failed

        return with_numbers(Call(function, args, names["kwargs"]), error, function)
    return explain_call(function, args, names["kwargs"], getattr(error, "also", ()))


def explain_call(function: Any, args: Any, kwargs: Any, also: Any = ()) -> ArgumentError | None:
    """The error for a call that a signature refuses; None where it accepts it.

    Args:
        function: Function that was called.
        args, kwargs: Its arguments.
        also: Arguments that it takes beside those of its signature.
    """
    return Call(function, args, kwargs, also).error()


def unknown_arguments(instance: Any, kwargs: Any) -> ArgumentError:
    """The error for keyword arguments that no class of an object takes.

    Args:
        instance: Object that is being made.
        kwargs: The arguments that are left.
    """
    whole = getattr(instance, "_init_arguments", None)  # of a class of the user
    call = Call(type(instance).__init__, (instance,), whole if whole and kwargs.keys() <= whole.keys() else kwargs)
    return call.error(whole=False) or ArgumentError(f"{call.name} has no argument {or_list([*map(repr, kwargs)])}.")


class Call:
    """A call that its signature refused.

    Attributes:
        name: What was called, as users call it.
        parameters: The parameters by name, those behind **kwargs among them.
        given: The positional arguments, without `self`.
    """

    def __init__(self, function: Any, args: Any, kwargs: Any, also: Any = ()) -> None:
        function = inspect.unwrap(function)
        own = list(inspect.signature(function).parameters.values())
        self.of: Any = args[0] if args and own and own[0].name == "self" else None
        self.given: tuple[Any, ...] = args[1:] if self.of is not None else args
        self.kwargs, self.count = kwargs, len(self.given)
        self.parts: dict[str, str] = {}  # code in place of an argument
        own = own[1:] if self.of is not None else own
        self.open: bool = any(p.kind is Parameter.VAR_POSITIONAL for p in own)
        self.parameters = {p.name: p for p in own if p.kind in (*_NAMED, Parameter.POSITIONAL_ONLY)}
        self.required: set[str] = {name for name, p in self.parameters.items() if p.default is Parameter.empty}
        self.doc = function.__doc__ or ""
        self.name, self.shown = function.__name__, function.__name__
        if function.__name__ == "__init__" and self.of is not None:
            cls = class_meant(type(self.of))
            self.parameters |= {name: p for name, (p, _) in signature_of(cls).items() if name not in self.parameters}
            also = (*getattr(cls, "_other_arguments", ()), *also)
            self.name, self.doc = cls.__name__, inspect.getdoc(cls) or ""
            self.shown = f"{public_module(cls)}.{cls.__name__}" if public_module(cls) else cls.__name__
        elif self.of is not None:
            classes = [cls.__name__ for cls in type(self.of).__mro__]
            receiver = next(
                (_RECEIVERS[name] for name in classes if name in _RECEIVERS), type(self.of).__name__.lower()
            )
            self.shown = f"{'self' if self.name[:4] == 'add_' else receiver}.{self.name}".removesuffix(".call")
            if self.name == "call":
                self.name, also = type(self.of).__name__, (*also, *_OF_EVERY_CALL)
        elif public_module(function):
            self.shown = f"{public_module(function)}.{self.name}"
        if hasattr(function, "_shown"):
            self.shown = function._shown.replace("lamina", "keras", 1)
            self.name = self.shown.rpartition(".")[2]
        self.also: set[str] = set(also) - set(self.parameters)
        self.parameters |= {name: Parameter(name, Parameter.KEYWORD_ONLY, default=None) for name in self.also}
        by_place = Parameter.POSITIONAL_OR_KEYWORD, Parameter.POSITIONAL_ONLY
        self.positional = [p.name for p in own if p.kind in by_place]

    def error(self, whole: bool = True) -> ArgumentError | None:
        """The error that says what is wrong; None where nothing is.

        Args:
            whole: Whether all arguments are there, and not only those that were left over.
        """
        unknown = [name for name in self.kwargs if name not in self.parameters]
        twice = [name for name in self.positional[: len(self.given)] if name in self.kwargs]
        meant, hints = self._meant(unknown)
        known = {name: value for name, value in self.kwargs.items() if name not in (*unknown, *twice)}
        missing = [
            name
            for name in self.parameters
            if whole and name in self.required and name not in (*self.positional[: len(self.given)], *known, *meant)
        ]
        if unknown:
            message = f"{self.name} has no argument{'s' * (len(unknown) > 1)} {', '.join(map(repr, unknown))}.{hints}"
            takes = [name for name in self.parameters if name not in self.also] or ["none"]
            message += "" if hints else f" It takes: {', '.join(takes)}."
        elif twice:
            message = f"{self.name} got {twice[0]!r} twice: by its position and by its name."
            more, self.given, known = elsewhere.without_inputs(self.positional, self.given, known, self.kwargs)
            message += more
            if "optimizers" in self.shown and isinstance(self.given[0], (list, tuple)):
                message += " An optimizer gets its variables from the model that it trains."
                self.given, known = (), known | {twice[0]: self.kwargs[twice[0]]}
        elif len(self.given) > len(self.positional) and not self.open:
            message = self._too_many()
        elif missing:
            message = f"{self.name} needs {self._described(missing)}"
        else:
            return None
        if missing and self.given and isinstance(self.given[-1], tuple) and len(self.given[-1]) == 1 + len(missing):
            self.given, missing = (*self.given[:-1], *self.given[-1]), []  # Resizing((64, 64))
        fix = self._written(known | meant, missing)
        message, fix = self._of_compile(unknown, message, fix)
        if self.name == "call" and self.of is None:
            message += " Its first argument must be `self`."
            fix = f"def call(self, {', '.join(self.positional)}):"
        if self.shown == "layer":
            also, fix = self._of_layer(missing, fix)
            message += also
        if not (self.given or self.kwargs):
            also, fix = self._not_called(missing, fix)
            message += also
        return ArgumentError(message, fix=fix, of=self.name if self.of is None else self.of)

    def _of_compile(self, unknown, message, fix):
        """The message and the fix, where `fit` got arguments of `compile`."""
        compiled = elsewhere.of_compile(unknown, self.kwargs) if self.name == "fit" else ""
        if not compiled:
            return message, fix
        return f"{message.partition(' It takes')[0]} `compile` takes what trains the model.", compiled + fix

    def _not_called(self, missing, fix):
        """What to add about a loss or an activation that is called where the function itself is taken, and the fix."""
        if missing[:2] == ["y_true", "y_pred"]:
            also = " compile takes the function itself, which is not called."
            return also, f"loss={self.shown}" if ".losses" in self.shown else f"metrics=[{self.shown}]"
        if missing == ["x"] and hasattr(sys.modules.get("lamina.activations"), self.name):
            also = " A layer takes the function itself, which is not called."
            return also, f"activation=keras.activations.{self.name}"
        return "", fix

    def _of_layer(self, missing, fix):
        """What to add about a call of a layer, and the fix."""
        if missing and all(name in _TRAINING for name in missing):
            also = " lamina passes `training` to a call that has an argument of this name."
            return also, "def call(self, x, training=False):"
        if not self.positional:
            return "", "def call(self, inputs):"
        if len(self.positional) == 1 < self.count <= 3 and not self.kwargs:
            return " Several tensors are one list.", f"layer([{', '.join('xyz'[: self.count])}])"
        if missing and not type(self.of).__module__.startswith("lamina."):
            return " A Sequential passes one tensor to each layer; a functional model calls a layer with several.", fix
        return "", fix

    def _meant(self, unknown):
        """The arguments that are meant by unknown ones, and sentences about them."""
        meant, hints = {}, []
        free = [name for name in self.parameters if name not in (*self.positional[: len(self.given)], *self.kwargs)]
        for name in unknown:
            value = self.kwargs[name]
            part = elsewhere.OF_PARTS.get(name, ("",))[0]
            if part in self.parameters:
                name = "learning_rate" if name == "lr" else name
                hints.append(f" {name!r} is an argument of the {part}.")
                given = {**dict(zip(self.positional, self.given, strict=False)), **self.kwargs}.get(part)
                self.parts[part] = f"{elsewhere.class_of_part(name, given)}({name}={elsewhere.code_of(value, name)})"
                continue
            if "callbacks" in free and any(cls.__name__ == "Callback" for cls in type(value).__mro__):
                hints.append(f" {type(value).__name__} is a callback, which belongs into callbacks.")
                is_ours = type(value).__module__.startswith("lamina.")
                self.parts["callbacks"] = f"[keras.callbacks.{value!r}]" if is_ours else f"[{type(value).__name__}()]"
                continue
            found = elsewhere.translated(name, value, dict.fromkeys(free))
            near = [] if found is not None else nearest(name, free) or nearest(name, self.parameters)
            if name in elsewhere.LEFT_OUT:
                hints.append(f" Leave {name!r} out: {elsewhere.LEFT_OUT[name]}.")
            elif near:
                of = f" for {name!r}" if len(unknown) > 1 else ""
                hints.append(f" Did you mean {or_list([*map(repr, near)])}{of}?")
                found = {near[0]: value} if near[0] in free else None
            elif found or (found := self._meant_elsewhere(name, value, free)):
                hints.append(f" In Keras {name!r} is {' and '.join(map(repr, found))}.")
            elif len(unknown) == len(self.parameters) == len(free) == 1 and not self.also:  # L2(lam=0.01)
                hints.append(f" Its one argument is {free[0]!r}.")
                found = {free[0]: value}
            meant |= found or {}
        return meant, "".join(hints)

    def _meant_elsewhere(self, name, value, free):
        """The arguments meant by a misspelt name of another library: alhpa."""
        near = nearest(name, elsewhere.ARGUMENTS, count=1, strict=True)
        return elsewhere.translated(near[0], value, dict.fromkeys(free)) if near else None

    def _too_many(self):
        if not self.positional:
            return f"{self.name} takes its arguments by name; got {len(self.given)} without one."
        several = ""
        if self.positional == ["inputs"] and self.of is None:
            several = " Several tensors are one list."
            self.given, self.parts["inputs"] = self.given[:1], f"[{', '.join('xyz'[: self.count])}]"
        return (
            f"{self.name} takes at most {len(self.positional)} argument{'s' * (len(self.positional) > 1)} by position "
            f"({', '.join(self.positional)}); got {self.count}.{several}"
        )

    def _described(self, missing):
        """`kernel_size`: Size of the window."""
        texts = []
        for name in missing:
            text = re.split(r"[.;] |\.$", described_in(self.doc, name))[0]
            texts.append(f"{name!r}" + (f" ({text[:1].lower()}{text[1:]})" if text else ""))
        return f"the argument{'s' * (len(missing) > 1)} {' and '.join(texts)}."

    def written(self, by_name: Any) -> str:
        """The call with other arguments.

        Args:
            by_name: All arguments by name.
        """
        by_name = dict(by_name)
        self.given = tuple(by_name.pop(name) for name in self.positional[: len(self.given)])
        return self._written(by_name, ())

    def _written(self, kwargs, missing):
        """The call as it should be."""
        start = len(self.positional) - 1
        if len(self.given) > start + 1 > 0 and re.search("shape|axes|size|dims", self.positional[-1]):
            self.given = (*self.given[:start], self.given[start:])  # Reshape(2, 3)
        elif len(self.given) > start + 1 and not self.open:  # Flatten(28, 28): a number is no data_format
            self.given = tuple(value for value in self.given if type(value) not in (int, float))[: start + 1]
        names = self.positional or ["x"] * (len(self.given) if self.open else 0)
        values = [elsewhere.code_of(value, name) for value, name in zip(self.given, names, strict=False)]
        values = [self.parts.pop(name, code) for name, code in zip(self.positional, values, strict=False)] or values
        by_name = {name: elsewhere.code_of(value, name) for name, value in kwargs.items()} | self.parts
        example = self._example() if missing else {}
        if missing == ["width"] and self.positional[:1] == ["height"] and values:  # Resizing(224)
            example = {"width": values[0]}
        for name in missing:
            code = name if name in _ARRAYS or self.shown == "layer" else example.get(name, _VALUES.get(name, "..."))
            if name in self.positional and self.positional.index(name) == len(values) and not by_name:
                values.append(code)
            else:
                by_name[name] = code
        return f"{self.shown}({', '.join([*values, *(f'{name}={code}' for name, code in by_name.items())])})"

    def _example(self):
        """name -> code of an argument, from the first example of the docstring that has such a call."""
        found = {}
        for line in re.findall(r"^ *(?:>>>|\.\.\.) (.*)$", self.doc, re.MULTILINE):
            try:
                nodes = ast.walk(ast.parse(line.strip()))
            except SyntaxError:
                continue
            for node in nodes:
                if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == self.name:
                    by_place = {name: arg for name, arg in zip(self.positional, node.args, strict=False)}
                    for name, arg in {**by_place, **{k.arg: k.value for k in node.keywords}}.items():
                        found.setdefault(name, ast.unparse(arg))
        return found
