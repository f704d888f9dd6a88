"""Symbolic outputs of a layer without tracing its `call`: from the shapes that its class computes."""

from __future__ import annotations

import contextlib
import importlib
import itertools
from typing import Any

from lamina.core import tree
from lamina.core.dtypes import is_float
from lamina.core.graph import Function
from lamina.core.keras_tensor import KerasTensor, get_mask, trace, traced_dtype
from lamina.errors import CallError, ShapeError, warn
from lamina.layers.base import call_signature
from lamina.layers.base.call_context import around_layers
from lamina.layers.base.masks import mask_symbols
from lamina.layers.base.shapes import symbols_of


def is_builtin(cls: Any) -> Any:
    """Whether this is one of lamina's own kinds of layer, neither a user's nor the base of all."""
    return cls.__module__.startswith("lamina.layers.") and cls.__module__ != "lamina.layers.base.layer"


def symbols_of_arguments(layer: Any, shapes: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """(tensors, tensors by name) of the shapes that `build` and `compute_output_shape` get; `input_shape` is that of
    the first argument of `call`, by whatever name."""
    names = call_signature.signature_of(type(layer).call).names
    if "input_shape" in named and not shapes and "input" not in names:
        named = dict(named)
        shapes = (named.pop("input_shape"),)
    by_name = {name.removesuffix("_shape"): symbols_of(shape, layer.compute_dtype) for name, shape in named.items()}
    return tuple(symbols_of(shape, layer.compute_dtype) for shape in shapes), by_name


def shape_by_call(layer: Any, symbols: tuple[Any, ...], names: dict[str, Any]) -> Any:
    """The shape of the outputs, from tracing `call`. Where a class's own `compute_output_shape` asks that of its base,
    it is the base's `call`, for its own may return something else."""
    derived = itertools.takewhile(lambda cls: cls.__module__ != "lamina.layers.base.layer", type(layer).__mro__)
    mro = [cls.__dict__ for cls in derived]
    last = max((place for place, members in enumerate(mro) if "compute_output_shape" in members), default=None)
    call = None if last is None else next((members["call"] for members in mro[last + 1 :] if "call" in members), None)
    around = None if call is None else around_layers(lambda one, its: call.__get__(one) if one is layer else its)
    with around or contextlib.nullcontext():
        return call_signature.shape_of(trace(layer._run, *symbols, **names))


def from_formula(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The output by `_shape_rule`, for lamina's own layers (a user's subclass may compute something else) called on one
    tensor of floats without a mask. None where there is no rule."""
    if not is_builtin(type(layer)) and len(args) == 1 and _has_texts(args) and not kwargs:
        return _drawn(layer, args[0])
    if not is_builtin(type(layer)) or not layer.autocast or len(args) != 1 or kwargs:
        return None
    (inputs,) = args
    if not isinstance(inputs, KerasTensor) or not is_float(inputs.dtype) or get_mask(inputs) is not None:
        return None
    shape = layer._shape_rule(inputs.shape)
    return None if shape is None else KerasTensor(shape, traced_dtype(layer.compute_dtype))


def from_call(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The outputs by tracing `call`. The batch of a user's layer may have the size of another axis: that of the nodes
    of a graph is that of the matrix of its edges."""
    try:
        return trace(layer._run, *args, **kwargs)
    except ShapeError as error:
        if is_builtin(type(layer)) or len([leaf for leaf in tree.flatten(args) if isinstance(leaf, KerasTensor)]) < 2:
            raise
        meeting = importlib.import_module("lamina.core.meeting_sizes")
        return meeting.trace_with_met_sizes(layer._run, args, kwargs, {}, error, anywhere=True)


def _has_texts(args):
    return any(isinstance(leaf, KerasTensor) and leaf.dtype == "string" for leaf in tree.flatten(args))


def _drawn(layer, inputs):
    """The outputs of a user's layer that is called on texts. Its `call` draws a graph of the layers and ops inside, for
    text is looked up on the host, and what follows is compiled."""
    if call_signature.signature_of(type(layer).call).has_training:
        raise CallError(
            f"{type(layer).__name__}.call reads text, which is looked up ahead of the step, so it cannot decide by its "
            "argument `training`.",
            fix="def call(self, inputs):  # the layers inside are told by themselves",
        )
    with layer._scope():
        outputs = layer.call(inputs)
    layer._text_graph = Function(inputs, outputs)
    layer._build_shapes = {}  # a file needs none: this builds the layer, and `build` takes no texts
    return tree.map_structure(lambda one: KerasTensor(one.shape, one.dtype), outputs)


def from_shape_rule(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The outputs by the `compute_output_shape` of the layer's class, of the layer's compute type."""
    if getattr(layer, "_takes_sparse", False) and any(getattr(leaf, "sparse", False) for leaf in tree.flatten(args)):
        return trace(layer._run, *args, **kwargs)  # which knows where outputs are sparse
    if any(not inside.built for inside in layer._layers):
        _build_inside(layer, args, kwargs)
    signature = call_signature.signature_of(type(layer).call)
    tensors = call_signature.tensors_of(signature, args, kwargs)
    shapes = [call_signature.shape_of(value) for value in tensors.values()]
    wanted = call_signature.signature_of(type(layer).compute_output_shape)
    named = {f"{name}_shape": shape for name, shape in zip(tensors, shapes, strict=True)}
    if len(wanted.names) == 1 or not all(name in named for name in wanted.required):
        shape = layer.compute_output_shape(shapes[0])
    else:
        shape = layer.compute_output_shape(**{name: named[name] for name in wanted.names if name in named})
    outputs = symbols_of(shape, layer.compute_dtype)
    mask_symbols(layer, args, kwargs, outputs)
    return outputs


def _build_inside(layer, args, kwargs):
    """Trace `call` once, so that the layers inside have their variables before the first batch, as a file needs."""
    try:
        trace(layer._run, *args, **kwargs)
    except Exception as error:  # whatever a user's `call` raises on symbolic tensors; on arrays it may well run
        warn(
            f"The layers inside {layer.name!r} ({type(layer).__name__}) are built by its first call on arrays, for its "
            f"`call` does not run on symbolic tensors: {type(error).__name__}: {error} Or build them in `build`."
        )
