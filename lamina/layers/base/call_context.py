"""What holds around one call of a layer: the training flag, who collects losses, and the place that errors name."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any

from lamina.core import context
from lamina.core.no_values import rewritten
from lamina.errors import CallError, locate
from lamina.layers.base import call_signature
from lamina.runtime.tracebacks import later

_around: ContextVar[Any] = ContextVar("around", default=None)
explained: Any = later("lamina.layers.base.call_errors.explain")


def located(error: BaseException, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> BaseException:
    """The error of a call, to which `In mlp/dense (Dense), called with float32(784,).` is added.

    Args:
        error: The error.
        layer: The layer that was called.
        args, kwargs: Arguments of the call.
    """
    if isinstance(error, Exception):
        path = layer.path if layer._path else "/".join((*context.name_path(), layer.name))
        locate(error, f"In {path} ({type(layer).__name__}), called with {call_signature.brief(args, kwargs)}.")
    return error


def inner_call(layer: Any, outer: Any, training: bool | None) -> Any:
    """The call that layers inside see: a new one where none is open or `training` differs; losses are collected in one
    list."""
    if outer is None:
        return context.Call(layer, training)
    if outer.training == training or training is None:
        return outer
    inner = context.Call(outer.entry, training)
    inner.layers_with_losses = outer.layers_with_losses
    return inner


def resolve_training(layer: Any, signature: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outer: Any) -> Any:
    """The `training` of a call: as passed, else that of the layer around, else the default of `call`. It is put
    into the arguments."""
    position = signature.names.index("training") if signature.has_training else len(args)
    if position < len(args):
        if getattr(args[position], "shape", ()):
            raise CallError(
                f"{layer.name} takes its inputs, then `training`, True or False; got a tensor of shape "
                f"{tuple(args[position].shape)} in its place.",
                fix=f"{layer.name}(x); targets are arguments of fit(x, y) and evaluate(x, y), and several inputs are "
                f"one list: {layer.name}([a, b]).",
            )
        return args[position]
    training = kwargs.pop("training", None)
    if training is None and outer is not None:
        training = outer.training
    if training is None and signature.has_training and isinstance(signature.default_training, bool):
        training = signature.default_training
    if training is not None and (signature.has_training or (signature.has_any_keyword and layer._passes_training)):
        kwargs["training"] = training
    elif "training" in signature.required:
        kwargs["training"] = False
    return training


def around_layers(function: Callable[..., Any] | None) -> AbstractContextManager[Any]:
    """Let layers run `function(layer, call)` in place of their `call` inside the block.

    Args:
        function: Function that returns what is run; None for `call` itself.
    """
    return context.set_within(_around, function)


def is_around() -> bool:
    """Whether `around_layers` is open."""
    return _around.get() is not None


def compiled_call(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The outputs of a call as a compiled program; NotImplemented where the layer has to compute operation by operation.

    Args:
        layer: Layer.
        args, kwargs: Arguments of the call.
    """
    if context.is_bound() or (layer._plan is not None and layer._plan.version == context.structure_version()):
        return NotImplemented  # a program is traced here, or the plan has been asked
    return importlib.import_module("lamina.layers.base.compiled_calls").call(layer, args, kwargs)


def within(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
    """The `call` of a layer, or what `around_layers` makes of it.

    Args:
        layer: Layer that is called.
        call: Its `call`.
    """
    around = _around.get()
    return rewritten(call) if around is None else around(layer, call)
