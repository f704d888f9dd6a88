"""Merge and merge of Keras 1: one layer with a mode, where today each mode is a layer.

>>> import lamina as keras
>>> x = keras.Input((3,))
>>> merge([x, x], mode="concat").shape
(None, 6)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lamina import layers as layers_module
from lamina.core import tree
from lamina.errors import ConfigError
from lamina.legacy import warn_renamed
from lamina.models.model import Model

__all__ = ["Merge", "merge"]

_MODES = {
    "sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "min": "Minimum", "sub": "Subtract",
}  # fmt: skip


def Merge(
    layers: Sequence[Any] | None = None,
    mode: str | Callable[..., Any] = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    output_mask: Any = None,
    arguments: dict[str, Any] | None = None,
    **kwargs: Any,
) -> Any:
    """The merging layer for a mode: Add, Multiply, Concatenate, Average, Dot, Maximum, or a Lambda of a function.

    Args:
        layers: Models whose outputs are merged, as the first layer of a Sequential. None makes a layer to be called
            with a list of tensors.
        mode: "sum", "mul", "concat", "ave", "cos", "dot", "max", "min", "sub", or a function of a list of tensors.
        concat_axis: Axis of "concat".
        dot_axes: Axis or axes of "dot" and "cos".
        output_shape: That of what the function gives, or a function of the shapes; None traces it.
        output_mask: Not used.
        arguments: Further arguments of the function.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`.

    Returns:
        The layer; with `layers`, a Model from the inputs of all of them to the merged outputs.

    Raises:
        ConfigError: For another mode, or models whose inputs are not known.

    >>> import lamina as keras
    >>> left, right = (keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]) for _ in range(2))
    >>> keras.Sequential([Merge([left, right], mode="ave"), keras.layers.Dense(1)]).output_shape
    (None, 1)
    """
    layer = _layer(mode, concat_axis, dot_axes, output_shape, arguments, kwargs)
    if layers is None:
        return layer
    unknown = [part.name for part in layers if not getattr(part, "inputs", None)]
    if unknown:
        raise ConfigError(
            f"Merge needs models whose inputs are known; {unknown[0]!r} has none.",
            fix="Begin it with keras.Input((8,)), or with the shape of your samples.",
        )
    inputs = [tensor for part in layers for tensor in part.inputs]
    unique = list({id(tensor): tensor for tensor in inputs}.values())
    return Model(unique, layer([part.output for part in layers]))


def merge(
    inputs: Sequence[Any],
    mode: str | Callable[..., Any] = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    output_mask: Any = None,
    name: str | None = None,
    arguments: dict[str, Any] | None = None,
) -> Any:
    """The merged tensors: `Add()(inputs)` for mode "sum", and so on; see `Merge`.

    Args:
        inputs: List of tensors.
        mode: "sum", "mul", "concat", "ave", "cos", "dot", "max", "min", "sub", or a function of a list of tensors.
        concat_axis: Axis of "concat".
        dot_axes: Axis or axes of "dot" and "cos".
        output_shape: That of what the function gives, or a function of the shapes; None traces it.
        output_mask: Not used.
        name: Name of the layer.
        arguments: Further arguments of the function.

    Raises:
        ConfigError: For another mode.
    """
    return _layer(mode, concat_axis, dot_axes, output_shape, arguments, {"name": name})(inputs)


def _layer(mode, concat_axis, dot_axes, output_shape, arguments, kwargs):
    if callable(mode):
        made, today = "Lambda", {"function": mode, "output_shape": output_shape, "arguments": arguments}
    elif mode == "concat":
        made, today = "Concatenate", {"axis": concat_axis}
    elif mode in ("dot", "cos"):
        axes = tree.flatten(dot_axes)
        made, today = "Dot", {"axes": tuple(axes) if len(axes) > 1 else axes[0], "normalize": mode == "cos"}
    elif mode in _MODES:
        made, today = _MODES[mode], {}
    else:
        known = ", ".join(map(repr, (*_MODES, "concat", "dot", "cos")))
        raise ConfigError(f"mode of Merge is one of {known}, or a function; got {mode!r}.", fix='mode="concat"')
    shown = ", ".join(f"{name}={getattr(value, '__name__', value)}" for name, value in today.items() if value)
    warn_renamed(f"Merge(mode={getattr(mode, '__name__', repr(mode))}) is {made}({shown}) since Keras 2.")
    return getattr(layers_module, made)(**today, **kwargs)
