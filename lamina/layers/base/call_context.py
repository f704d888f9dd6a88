"""What holds around one call of a layer: the training flag, who collects losses, and the place that errors name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from lamina.core import context
from lamina.core.context import building_lock
from lamina.core.no_values import rewritten
from lamina.core.registry import is_builtin
from lamina.errors import CallError, locate
from lamina.layers.base import call_signature
from lamina.layers.base.input_spec import check_inputs
from lamina.runtime.tracebacks import later

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
    return context.set_within(context.around_layers, function)


def first_compiled_call(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The outputs of the first call of a layer since its settings changed, as a compiled program; the layer is built if
    it is not yet. NotImplemented where it has to compute operation by operation.

    Args:
        layer: Layer.
        args, kwargs: Arguments of the call.
    """
    known = layer._compiled_call
    if context.is_traced() or (known is not None and known.version == context.structure_version()):
        return NotImplemented  # there is no other program for these arguments
    from lamina.core import compiled_calls  # if a layer is called on arrays

    given = compiled_calls.arrays_of(args, kwargs) if is_builtin(type(layer)) and compiled_calls.is_plain() else None
    if not given or not given[0] or not layer._convert_input_args:
        return NotImplemented
    with building_lock:
        if not layer.built or layer._path is None:
            check_inputs(layer.input_spec, call_signature.first_of(layer, args, kwargs), layer)
            with layer._scope():
                layer._ensure_built(args, kwargs)
        parts = layer._flatten_layers()
        for part in parts:
            vars(part).setdefault("_compiled_call", None)  # from now on, a new setting of a part changes the structure
        compiled = compiled_calls.CompiledCall(layer, type(layer)._run, parts, layer.variables)
        object.__setattr__(layer, "_compiled_call", compiled)
    return compiled.run(layer, args, kwargs)


def within(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
    """The `call` of a layer, or what `around_layers` makes of it.

    Args:
        layer: Layer that is called.
        call: Its `call`.
    """
    around = context.around_layers.get()
    return rewritten(call) if around is None else around(layer, call)
