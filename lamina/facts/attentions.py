"""Attentions: where the program of a model weighs values by products of others, whoever wrote its layers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

from lamina.facts.equations import Equation, Equations, Value, axis_before, base_of, maker_name, softmax_of

__all__ = ["Attention", "ScaledAttention", "attentions_of"]


@dataclasses.dataclass
class Attention:
    """A product of activations whose result weighs other activations.

    Attributes:
        weights: The weights as they are applied.
        keys: The axis of the weights over which they are applied.
        axes: The axes over which they are a softmax; None where they are none.
        size: Numbers of a query that are multiplied with those of a key.
        scales: (value, 1 or -1) of each number that the scores are multiplied with, or divided by.
        projected: Whether query and key are each the product of a kernel with the same values.
        product: The operation that applies the weights.
    """

    weights: Value
    keys: int
    axes: tuple[int, ...] | None
    size: int
    scales: list[tuple[Value, int]]
    projected: bool
    product: Equation | None = None


@dataclasses.dataclass
class ScaledAttention:
    """An attention, and the scale of its scores.

    Attributes:
        attention: What the program shows.
        scale: The number that the scores are multiplied with in all; None where it is not one number.
    """

    attention: Attention
    scale: float | None

    @property
    def over(self) -> tuple[int, ...]:
        """The shape of the weights, keys last."""
        shape = list(self.attention.weights.shape)
        return (*(size for axis, size in enumerate(shape) if axis != self.attention.keys), shape[self.attention.keys])


def attentions_of(equations: Equations) -> Iterator[Attention]:
    """The attentions in a program, in their order.

    Args:
        equations: The program.
    """
    for one in equations.all:
        if one.name == "dot_general" and all(value.varies for value in one.inputs):
            (contracted, _) = one.params["dimension_numbers"]
            for value, axes in zip(one.inputs, contracted, strict=True):
                found = _attention(value, axes[0]) if len(axes) == 1 else None
                if found is not None:
                    found.product = one
                    yield found
                    break


def _attention(value, axis):
    """The Attention whose weights these are, applied over this axis; None for none."""
    scales: list[tuple[Value, int]] = []
    while True:
        found = softmax_of(value)
        if found is not None:
            scores = _scores(found[0], [])
            if scores is None:
                return None
            product, scales = scores
            return _described(value, axis, found[1], product, scales)
        if _is_product(value):
            return _described(value, axis, None, value.maker, scales)
        moved = axis_before(value, axis)
        if moved is not None:
            value, axis = moved
        elif (scaled := _without_scale(value)) is not None:
            value, scale = scaled
            scales.append(scale)
        elif maker_name(value) == "select_n":
            inner = [one for one in value.made_from[1:] if one.varies]
            if len(inner) != 1:
                return None
            value = inner[0]
        else:
            return None


def _scores(value, scales):
    """(the product that scores come from, their scales); None where they are something else."""
    value = base_of(value)
    if _is_product(value):
        return value.maker, scales
    scaled = _without_scale(value)
    if scaled is not None:
        return _scores(scaled[0], [*scales, scaled[1]])
    if maker_name(value) in ("add", "sub", "add_any", "select_n", "max"):
        inner = value.made_from[1:] if maker_name(value) == "select_n" else value.made_from
        found = [_scores(one, scales) for one in inner if one.varies]
        return next((one for one in found if one is not None), None)
    return None


def _is_product(value):
    return maker_name(value) == "dot_general" and all(one.varies for one in value.made_from)


def _without_scale(value):
    """(what a number was multiplied with, (the number, 1 or -1)); None where a value is something else."""
    if maker_name(value) not in ("mul", "div"):
        return None
    first, second = value.made_from
    if first.varies and not second.varies and not second.learned:
        return first, (second, 1 if maker_name(value) == "mul" else -1)
    if maker_name(value) == "mul" and second.varies and not first.varies and not first.learned:
        return second, (first, 1)
    return None


def _described(value, axis, axes, product, scales):
    (contracted, _) = product.params["dimension_numbers"]
    size = math.prod(product.inputs[0].shape[one] for one in contracted[0])
    sources = []
    for operand in product.inputs:
        operand = base_of(operand)
        while (scaled := _without_scale(operand)) is not None:
            operand, scales = base_of(scaled[0]), [*scales, scaled[1]]
        sources.append(_projected_from(operand))
    same = None not in sources and len(sources) == 2 and sources[0] is sources[1]
    return Attention(value, axis, axes, size, scales, same)


def _projected_from(value):
    """What a kernel was multiplied with, where a value is that, with a bias or none; else None."""
    while maker_name(value) in ("add", "add_any"):
        varying = [one for one in value.made_from if one.varies]
        if len(varying) != 1:
            return None
        value = base_of(varying[0])
    if maker_name(value) not in ("dot_general", "product"):
        return None
    varying = [one for one in value.made_from if one.varies]
    return base_of(varying[0]) if len(varying) == 1 and any(one.learned for one in value.made_from) else None
