"""What holds around one call of a layer: the training flag, who collects losses, and the place that errors name."""

from __future__ import annotations

from typing import Any, Literal

from lamina.core import context
from lamina.errors import locate
from lamina.layers.base import call_signature


class located:
    """Adds `In mlp/dense (Dense), called with float32(784,).` to an error that passes through."""

    __slots__ = ("args", "kwargs", "layer")

    def __init__(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.layer, self.args, self.kwargs = layer, args, kwargs

    def __enter__(self) -> Any:
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> Literal[False]:
        if isinstance(error, Exception):
            layer = self.layer
            path = layer.path if layer._path else "/".join((*context.name_path(), layer.name))
            called = call_signature.brief(self.args, self.kwargs)
            locate(error, f"In {path} ({type(layer).__name__}), called with {called}.")
        return False


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
        return args[position]
    training = kwargs.pop("training", None)
    if training is None and outer is not None:
        training = outer.training
    if training is None and signature.has_training and isinstance(signature.default_training, bool):
        training = signature.default_training
    if training is not None and (signature.has_training or (signature.has_any_keyword and layer._passes_training)):
        kwargs["training"] = training
    return training
