"""What to do about inputs that do not fit a layer: the line of code that its error prints."""

from __future__ import annotations

import importlib
import math
import re
from typing import Any

from lamina.core import context
from lamina.core.arguments import example_call
from lamina.core.probes import without_probe_sizes
from lamina.core.registry import is_builtin
from lamina.layers.base.call_signature import signature_of

_MAX_STEPS = 100  # of the graph that are followed backwards


def fix_of_rank(layer: Any, tensor: Any, shape: tuple[Any, ...], rank: int) -> str:
    """What to do about inputs of another rank.

    Args:
        layer: The layer that was called.
        tensor: What it was called on.
        shape: Its shape.
        rank: Rank that it needs.
    """
    if len(shape) > rank:
        producer: Any = tensor._keras_history.operation if hasattr(tensor, "_keras_history") else None
        if type(producer).__name__ == "Embedding" and len(shape) == rank + 1:
            return f"{producer.name} takes numbers of tokens: of one-hot rows, x.argmax(-1) has them."
        if type(producer).__name__ == "Reshape" and len(producer.target_shape) == rank and shape[1] == 1:
            return f"layers.Reshape({producer.target_shape[1:]}): target_shape leaves out the batch."
        if len(shape) == rank + 1 and shape[1] is None and type(producer).__name__ == "InputLayer":
            return f"keras.Input({tuple(shape[2:])}): the shape of an Input leaves out the batch."
        is_first = len(shape) == rank + 1 and shape[1] is not None and type(producer).__name__ == "InputLayer"
        each = f"layers.TimeDistributed(layers.{code_of(layer)})" if rank > 2 else ""
        sibling = _of_other_rank(layer, len(shape) - rank)
        if is_first and rank > 2:
            known = tuple(shape[2:])
            others = f"{sibling}, or {each}" if sibling and rank > 3 else sibling or each
            return (
                f"keras.Input({known}) if {shape[1]} is the number of samples, which a shape leaves out; else {others}"
            )
        if sibling:
            return sibling
        merged = math.prod(size or 0 for size in shape[rank - 1 :])
        if rank == 2:
            if getattr(producer, "return_sequences", False):
                return f"{producer.name} returns each step; {code_of(producer)} returns the last one only."
            return "layers.Flatten() merges all axes but the batch."
        kept = tuple(-1 if size is None else size for size in shape[1 : rank - 1])
        return f"layers.Reshape({(*kept, merged or -1)}) merges the last axes: call it before {layer.name}."
    producer = _that_removed_axes(tensor, shape, rank)
    if producer is not None:
        return _fix_of_producer(producer, layer)
    if rank == 2:
        return f"One sample is a batch of one: x[None], of a list np.array([x]), has shape {(1, *shape)}."
    if getattr(tensor, "_keras_history", None) is not None and len(shape) > 1:
        return _fix_of_symbol(layer, tensor, shape, rank)
    if len(shape) == rank - 1:
        return f"Is an axis missing? x[..., None] has shape {(*shape, 1)}, x[None] has shape {(1, *shape)}."
    if len(shape) < 2 or None in shape[1:]:
        return f"Inputs are (batch, {'steps' if rank == 3 else 'height, width'}, channels)."
    return f"x.reshape{(-1, *_unflattened(shape, rank))} has an axis for each."


def _of_other_rank(layer, more):
    """Code that makes a layer of this kind for inputs with more axes: MaxPooling2D for MaxPooling1D; None if there is
    none."""
    name = type(layer).__name__
    other = re.sub(r"\dD", lambda found: f"{int(found[0][0]) + more}D", name)
    known = importlib.import_module("lamina.layers").__all__
    code = re.sub(r"\((\d+)(, \1)+\)", r"\1", code_of(layer)).replace(name, other)  # one size for all axes
    return f"layers.{code}" if other != name and other in known else None


def _fix_of_symbol(layer, tensor, shape, rank):
    if None in shape[1:]:
        return f"layers.Reshape({(*(-1 if size is None else size for size in shape[1:]), *[1] * (rank - len(shape)))})"
    wanted = (*shape[1:], 1) if len(shape) == rank - 1 else _unflattened(shape, rank)
    if type(layer).__name__.startswith("ConvLSTM"):
        wanted = (None, *shape[1:])  # of steps
    is_square = len(shape) == 3 and shape[1] == shape[2]  # a picture without an axis for its channels
    producer = tensor._keras_history.operation
    is_sequence = hasattr(producer, "embeddings_initializer") or getattr(producer, "return_sequences", False)
    fewer = _of_other_rank(layer, len(shape) - rank)
    is_lower = "Pooling" in type(layer).__name__ or is_sequence
    if fewer and is_lower and not is_square:
        return fewer
    is_input = not tensor._keras_history.operation._inbound_nodes[tensor._keras_history.node_index].tensors
    if fewer and is_input and len(shape) == 4:  # of three sizes: a picture with its channels
        return f"{fewer} takes pictures of shape {shape[1:]}; of videos, keras.Input({(None, *shape[1:])})"
    return f"keras.Input({wanted})" if is_input else f"Reshape it before: layers.Reshape({wanted})"


def _unflattened(shape, rank):
    """Sizes after the batch that have as many numbers: those of a square picture if there is one."""
    total = math.prod(shape[1:])
    for channels in (1, 3):
        side = math.isqrt(total // channels)
        if rank == 4 and side * side * channels == total:
            return (side, side, channels)
    return (*shape[1:], *[1] * (rank - len(shape)))


def _that_removed_axes(tensor, shape, rank):
    """The layer before, from whose outputs on the rank is too low, although its inputs had it; or None."""
    for _ in range(_MAX_STEPS):
        history = getattr(tensor, "_keras_history", None)
        if history is None:
            break
        tensors = history.operation._inbound_nodes[history.node_index].tensors
        if not tensors:
            return None
        if len(tensors[0].shape) >= rank:
            return history.operation
        tensor = tensors[0]
    call = context.current_call()
    known = without_batch(shape)
    inside = [] if call is None else call.entry._flatten_layers(include_self=False)
    made = [one for one in inside if _gives_last(one) and without_batch(one._first_output_shape or ()) == known]
    return made[-1] if made else None


def without_batch(shape: Any) -> Any:
    """The sizes after that of the batch."""
    return tuple(shape[1:])


def _gives_last(layer):
    return getattr(layer, "return_sequences", None) is False


def _fix_of_producer(producer, layer):
    if _gives_last(producer):
        code = code_of(producer, "return_sequences=True")
        return f"{producer.name} returns its last output only; {code} returns one for each step."
    return f"{producer.name} ({type(producer).__name__}) removes axes: put {layer.name} before it, or leave it out."


def code_of(layer: Any, *changes: str) -> str:
    """Code that makes a layer like `layer`: its first arguments, and `changes`.

    Args:
        layer: Layer.
        *changes: Code of further arguments.

    >>> import lamina as keras
    >>> code_of(keras.layers.LSTM(4), "return_sequences=True")
    'LSTM(4, return_sequences=True)'
    """
    inner = getattr(layer, "layer", None) or getattr(layer, "cell", None)
    cls = type(layer)
    if "wrapper" in cls._traits and inner is not None:
        return f"{cls.__name__}({code_of(inner, *changes).replace('Forward', '')})"
    first = [name for name in ("units", "filters", "kernel_size") if hasattr(layer, name)]
    if first:
        values = [repr(one_for_all(getattr(layer, name))) for name in first]
        return f"{cls.__name__}({', '.join([*values, *changes])})"
    if cls.__name__ == "RNN" and hasattr(inner, "units"):
        return f"RNN({', '.join([code_of(inner), *changes])})"
    return example_call(cls, changes)


def one_for_all(value: Any) -> Any:
    """The one number of a tuple of equal numbers, as arguments take it; other values as they are.

    Args:
        value: Value of an argument.
    """
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


def fix_of_size(layer: Any, shape: tuple[Any, ...], axis: int, size: int) -> str:
    """What to do about inputs with another size on an axis than the layer was built for.

    Args:
        layer: The layer that was called.
        shape: Shape of its inputs.
        axis: The axis.
        size: Size that it needs there.
    """
    if size in shape[1:] and shape.count(size) == 1:
        return f"keras.ops.moveaxis(x, {shape.index(size)}, {axis}) puts the axis of size {size} there."
    if shape == (size, 1):  # a Series, say, as a column
        return f"x = np.reshape(x, (1, {size})), where x is one row; of a table: x = table.iloc[[0]]"
    got = shape[axis]
    if size == 3 and got in (1, 4) and len(shape) == 4:
        return "keras.ops.repeat(x, 3, axis=-1)" if got == 1 else "x[..., :3]"
    call = context.current_call()
    if call is not None and call.entry is not layer:
        return f"Pass inputs for which {layer.name} gets {size} on axis {axis}: its weights were made for them."
    return f"For inputs with {got} there make another layer: {code_of(layer)}."


def fix_of_input(shape: tuple[Any, ...], wanted: tuple[Any, ...]) -> str:
    """What to do about data of another shape than a model was built for.

    Args:
        shape: Shape of the data.
        wanted: Shape of the Input, with the batch.

    >>> fix_of_input((20, 784), (None, 28, 28, 1)), fix_of_input((20, 3, 8, 8), (None, 8, 8, 3))
    ('x.reshape(-1, 28, 28, 1)', 'keras.ops.transpose(x, (0, 2, 3, 1))')
    """
    shape = without_probe_sizes(shape)  # of a symbolic tensor
    sizes, needed = shape[1:], wanted[1:]
    if len(shape) == len(wanted) - 1 and _fits(shape, needed) and None not in shape[:1]:
        return f"One sample is a batch of one: x[None], of a list np.array([x]), has shape {(1, *shape)}."
    if needed[:1] == (None,) and _fits(shape, needed):
        return f"keras.Input({needed[1:]}): the shape of an Input (or input_shape=) leaves out the batch."
    if len(shape) == len(needed) > 1 and None not in shape and shape != needed and _fits(sizes, needed[1:]):
        return "One sample is a batch of one: x[None], of a list np.array([x])."  # of which a batch has some rows
    if len(shape) < len(needed) and None not in (*shape, *needed) and _without_ones(shape) == _without_ones(needed):
        return f"x.reshape{(1, *needed)}"
    rebuild = f"keras.Input({sizes}) builds the model for these data."
    if None in sizes:
        return f"keras.Input({needed})"
    if len(sizes) == len(needed) > 1 and sorted(sizes) == sorted(map(_known, needed)):
        order = [0]
        for size in needed:
            order.append(next(axis for axis in range(1, len(shape)) if shape[axis] == size and axis not in order))
        return f"keras.ops.transpose(x, {tuple(order)})"
    if None not in needed and shape and math.prod(sizes) == math.prod(needed):
        return f"x.reshape{(-1, *needed)}"
    if len(sizes) == len(needed) == 3 and _fits(sizes[2:], needed[2:]):
        fix = f"keras.ops.image.resize(x, {needed[:2]}); or image_size={needed[:2]}, where a data set reads the files."
        return fix if None not in needed[:2] else rebuild
    if len(sizes) == len(needed) == 3 and _fits(sizes[:2], needed[:2]) and (sizes[2], needed[2]) in ((1, 3), (4, 3)):
        return "keras.ops.repeat(x, 3, axis=-1)" if sizes[2] == 1 else "x[..., :3]"
    if len(sizes) == 2 and len(needed) == 3 and _fits(sizes, needed[:2]) and needed[2] == 3:
        return "keras.ops.stack([x, x, x], axis=-1)"
    if len(sizes) != len(needed):
        return f"Pass data of shape (batch, {', '.join(map(str, needed))})." + (f" {rebuild}" if sizes else "")
    return f"Pass data with {_described(sizes, needed)}. {rebuild}"


def _without_ones(sizes):
    return [size for size in sizes if size != 1]


def _fits(sizes, needed):
    return len(sizes) == len(needed) and all(
        size == other or other is None for size, other in zip(sizes, needed, strict=True)
    )


def _known(size):
    return -1 if size is None else size


def _described(sizes, needed):
    """What the data would need, '10 features instead of 9'."""
    differ = [
        axis
        for axis, (size, other) in enumerate(zip(sizes, needed, strict=True))
        if size != other and other is not None
    ]
    kinds = {0: "steps", len(sizes) - 1: "features"} if len(sizes) < 3 else {len(sizes) - 1: "channels"}
    return ", ".join(f"{needed[one]} {kinds.get(one, f'on axis {one + 1}')} instead of {sizes[one]}" for one in differ)


def fix_of_count(layer: Any, inputs: Any, needed: int, given: int) -> str:
    """What to call a layer on that got another number of tensors.

    Args:
        layer: The layer that was called.
        inputs: What it was called on.
        needed: How many it needs.
        given: How many it got.
    """
    call, most = context.current_call(), max(needed, given)
    names = ", ".join("xyz"[:most]) if most <= 3 else "x, ..."
    if needed > 1:
        return f"{layer.name}([{names}])"
    call_takes = signature_of(type(layer).call)
    if 1 < len(call_takes.required) <= given <= len(call_takes.names):
        return f"{layer.name}({names})  # {given} arguments, no list"
    trains = getattr(type(call.entry), "train_step", None) if call is not None and isinstance(inputs, tuple) else None
    if trains is not None and not is_builtin(trains):  # (x, y), as train_step gets them
        return "x, y = data  # in train_step, then self(x, training=True)"
    if call is not None and type(call.entry).__name__ == "Sequential":
        if isinstance(inputs, dict):
            one = all(len(getattr(value, "shape", (0, 0))) == 1 for value in inputs.values())
            return (
                f"x = np.{'stack' if one else 'concatenate'}(list(x.values()), axis=-1)  # a Sequential takes one array"
            )
        return f"x = np.concatenate([{names}], axis=-1)  # a Sequential takes one array"
    return f"{layer.name}(layers.Concatenate()([{names}]))"


def fix_of_states(layer: Any, shapes: list[Any], needed: list[Any]) -> str:
    """What to do about first states of another number or size.

    Args:
        layer: The recurrent layer.
        shapes, needed: Shapes of the states that were given, and those that it takes.
    """
    if len(shapes) == len(needed) and len({shape[-1] for shape in shapes if shape}) == 1 and hasattr(layer, "units"):
        return f"layers.{type(layer).__name__}({shapes[0][-1]}) has states of that size."
    if len(shapes) == 2 * len(needed) and len({*shapes}) == 1 and hasattr(layer, "units"):  # of a Bidirectional
        pairs = ["[forward_h, backward_h]", "[forward_c, backward_c]"][: len(needed)]
        states = ", ".join(f"keras.layers.Concatenate()({pair})" for pair in pairs)
        return f"layers.{type(layer).__name__}({2 * shapes[0][-1]})(x, initial_state=[{states}])"
    names = ["hidden", "carry"] if len(needed) == 2 else ["hidden"] if len(needed) == 1 else ["state"] * len(needed)
    return f"{layer.name}(x, initial_state=[{', '.join(names)}]), one array of shape {needed[0]} for each state."
