"""Masks in a call: filled into the arguments of `call`, and attached to its outputs."""

from __future__ import annotations

import functools
from typing import Any

from lamina.core import tree
from lamina.core.keras_tensor import get_mask, is_symbolic, set_mask, trace
from lamina.core.variable import unwrap
from lamina.errors import warn
from lamina.layers.base import call_signature


def for_symbols(compute_mask: Any) -> Any:
    """The `compute_mask` of one of our classes, traced where it is given symbolic tensors or masks. Variables
    count as their values."""

    @functools.wraps(compute_mask)
    def wrapped(*args, **kwargs):
        if (is_symbolic(args) or is_symbolic(kwargs)) and not _has_values(args, kwargs):
            return trace(compute_mask, *args, **kwargs)
        return compute_mask(*unwrap(args), **unwrap(kwargs))

    return wrapped


def _has_values(args, kwargs):
    """Whether masks with values are given for symbolic inputs, of which then only the shapes count."""
    masks = [mask for mask in tree.flatten((args[2:], list(kwargs.values()))) if mask is not None]
    return bool(masks) and not is_symbolic(masks)


def input_masks(signature: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The masks of the inputs by name; each is filled into the mask parameter of `call` that was not given."""
    masks = {}
    for name, value in signature.named(args, kwargs):
        mask = call_signature.masks_of(value)
        if mask is not None:
            masks[name] = mask
            parameter = signature.masks.get(name)
            if parameter and kwargs.get(parameter) is None and signature.names.index(parameter) >= len(args):
                kwargs[parameter] = mask
    if signature.names and signature.masks.get(signature.names[0]) and kwargs.get("mask") is not None:
        masks[signature.names[0]] = kwargs["mask"]
    return masks


def mask_outputs(
    layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], masks: Any, outputs: Any, has_own_rule: Any
) -> None:
    """Attach `compute_mask` to the outputs, or warn that the layer drops the mask.

    `has_own_rule` says that the class defines `compute_mask` itself, which may make a mask where there was none.
    """
    if not layer.supports_masking:
        if masks:
            warn(
                f"Layer {layer.name!r} ({type(layer).__name__}) was given a mask but does not support masking: "
                "the mask ends here, and layers after it see padding as data."
            )
        return
    if not masks and not has_own_rule:
        return
    inputs = call_signature.first_of(layer, args, kwargs)
    first = next(iter(masks.values()), None) if len(masks) <= 1 else _masks_in_order(masks, args, kwargs, layer)
    output_masks = layer.compute_mask(inputs, first)
    if output_masks is None:
        return
    leaves = tree.flatten(outputs)
    flat = [output_masks] if len(leaves) == 1 and not isinstance(output_masks, (list, tuple)) else output_masks
    for output, mask in zip(leaves, tree.flatten(flat), strict=False):
        if mask is not None and get_mask(output) is None and call_signature.is_tensor(output):
            set_mask(output, mask)


def _masks_in_order(masks, args, kwargs, layer):
    """What `compute_mask` of a layer of several tensor arguments gets: their masks in order, None where one has
    none."""
    names = call_signature.signature_of(type(layer).call).names
    return [masks.get(name) for name in names if name in masks or name in kwargs or names.index(name) < len(args)]


def mask_symbols(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
    """Attach the masks of symbolic inputs to symbolic outputs, as `compute_mask` has them."""
    inputs = call_signature.first_of(layer, args, kwargs)
    mask = call_signature.masks_of(inputs)
    if mask is not None and layer.supports_masking:
        masks = trace(lambda inputs, mask: layer.compute_mask(inputs, mask), inputs, mask)
        for output, one in zip(tree.flatten(outputs), tree.flatten(masks), strict=False):
            set_mask(output, one)
