"""Receptive fields: which part of the image (or sequence) one number of a feature map depends on.

Along one axis, position p of a map depends on the positions from low(p) to high(p) of the model's input. Both grow with
p, and repeat: where maps were enlarged, neighbours differ, but p + period sees what p sees, `shift` further. From layer
to layer, and over branches, these intervals are followed exactly; the border of the input is left out of account.

Source: Araujo, Norris and Sim, Computing Receptive Fields of Convolutional Neural Networks, Distill, 2019.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from lamina.core.op import OpCall
from lamina.facts.activations import is_activation
from lamina.facts.fact import Fact, Window

__all__ = ["receptive_fields", "sizes_of"]

_POINTWISE_OPS = frozenset(  # each position of the result depends on that position of the inputs alone
    "add subtract multiply divide true_divide maximum minimum concatenate negative square sqrt exp log cast".split()
)
_LONGEST_PERIOD = 10_000  # positions that are followed one by one; longer periods come from absurd strides alone


class _Unknown(Exception):
    """The field of a map is too irregular to be followed."""


@dataclasses.dataclass(frozen=True)
class _Reach:
    """low and high of the positions 0 to period - 1, and how much further the same positions of the next period see."""

    spans: tuple = ((0, 0),)
    shift: int = 1

    def low(self, place):
        turns, rest = divmod(place, len(self.spans))
        return self.spans[rest][0] + turns * self.shift

    def high(self, place):
        turns, rest = divmod(place, len(self.spans))
        return self.spans[rest][1] + turns * self.shift

    def through(self, first, last, period):
        """After a layer whose output at p takes its inputs from first(p) to last(p)."""
        if period > _LONGEST_PERIOD:
            raise _Unknown
        spans = tuple((self.low(first(p)), self.high(last(p))) for p in range(period))
        return _Reach(spans, self.low(first(period)) - spans[0][0])

    def down(self, kernel, stride, before):
        """After a window of `kernel` positions, `stride` apart, with `before` positions of padding."""
        period = len(self.spans) // math.gcd(len(self.spans), stride)
        return self.through(lambda p: p * stride - before, lambda p: p * stride - before + kernel - 1, period)

    def transposed(self, kernel, stride, before):
        """After a transposed convolution: the inputs whose windows cover the output."""

        def last(place):
            return (place + before) // stride

        return self.through(
            lambda p: min(-((kernel - 1 - p - before) // stride), last(p)), last, len(self.spans) * stride
        )

    def enlarged(self, factor, reach):
        """After interpolation over `reach` inputs: 1 the nearest, 2 linear, 4 cubic."""

        def first(place):
            return place // factor if reach == 1 else (2 * place + 1 - factor) // (2 * factor) - reach // 2 + 1

        return self.through(first, lambda p: first(p) + reach - 1, len(self.spans) * factor)

    def window(self, whole):
        """What a reader sees of it, for an input of that many positions."""
        step = Fraction(self.shift, len(self.spans))
        size = max(high - low + 1 for low, high in self.spans)
        return Window(size, int(step) if step.denominator == 1 else step, whole)


def _together(reaches):
    """What several branches see together, None where they do not lie over each other."""
    if len({Fraction(reach.shift, len(reach.spans)) for reach in reaches}) > 1:
        return None
    period = math.lcm(*(len(reach.spans) for reach in reaches))
    if period > _LONGEST_PERIOD:
        raise _Unknown
    spans = tuple(
        (min(reach.low(p) for reach in reaches), max(reach.high(p) for reach in reaches)) for p in range(period)
    )
    first = reaches[0]
    return _Reach(spans, first.shift * period // len(first.spans))


def sizes_of(layer: Any, rank: int) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] | None:
    """(kernel, strides, dilation) along each spatial axis of a convolution or pooling layer, None for other layers.

    Args:
        layer: Layer.
        rank: Number of spatial axes.
    """
    for name in ("kernel_size", "pool_size"):
        kernel = getattr(layer, name, None)
        if isinstance(kernel, tuple) and len(kernel) == rank:
            strides = getattr(layer, "strides", None) or kernel
            dilation = getattr(layer, "dilation_rate", None) or (1,) * rank
            return kernel, _tuple(strides, rank), _tuple(dilation, rank)
    return None


def _tuple(value, rank):
    return value if isinstance(value, tuple) else (value,) * rank


@dataclasses.dataclass(frozen=True)
class _Field:
    """The reach along each spatial axis, of which input and its sizes, and whether channels come first."""

    reaches: tuple
    source: object
    sizes: tuple
    first: bool = False


def receptive_fields(facts: Sequence[Fact]) -> dict[Fact, tuple[Window, ...]]:
    """fact -> the Window along each spatial axis of its output; only where it is known exactly.

    Args:
        facts: The facts of a model.
    """
    found, outer = {}, {inner: fact for fact in facts for inner in fact.inner}
    for fact in facts:
        if not fact.inner:
            try:
                found[fact] = _field(fact, found, outer)
            except _Unknown:
                found[fact] = None
    return {
        fact: tuple(reach.window(size) for reach, size in zip(field.reaches, field.sizes, strict=True))
        for fact, field in found.items()
        if field is not None
    }


def _field(fact, found, outer):
    rank = len(fact.output) - 2
    if not 1 <= rank <= 3 or len(fact.outputs) != 1 or not fact.whole:
        return None
    if fact.has("embedding"):
        return _Field((_Reach(),) * rank, fact, fact.output[1:-1])
    before = _before(fact, rank, found, outer)
    if not before or None in before:
        return None
    first = getattr(fact.layer, "data_format", None) == "channels_first" or before[0].first
    if any(field.source != before[0].source or len(field.reaches) != rank for field in before):
        return None
    reaches = tuple(map(_together, zip(*(field.reaches for field in before), strict=True)))
    after = None if None in reaches else _after(fact, reaches, first)
    return None if after is None else _Field(tuple(after), before[0].source, before[0].sizes, first)


def _before(fact, rank, found, outer):
    """The fields of what a call takes, None where one is not known."""
    fields = [found.get(source.innermost) for source in fact.sources]
    for place in fact.reads:
        around = outer.get(fact)
        if around is None:
            first = getattr(fact.layer, "data_format", None) == "channels_first"
            fields.append(_Field((_Reach(),) * rank, place, fact.input[2:] if first else fact.input[1:-1]))
        else:
            fields.extend(_before(around, rank, found, outer) if len(around.inputs) == 1 else [None])
    return fields


def _after(fact, reaches, first):
    layer, rank = fact.layer, len(reaches)
    spatial = fact.input[2:] if first else fact.input[1:-1]
    if fact.has("rearranging"):
        return _after_rearranging(layer, reaches)
    sizes = sizes_of(layer, rank)
    if sizes is not None and fact.has("convolution", "pooling") and fact.is_builtin:
        windows = zip(reaches, spatial, *sizes, strict=True)
        if fact.has("transposed_convolution"):
            return [
                reach.transposed((k - 1) * d + 1, s, max((k - 1) * d + 1 - s, 0) // 2 if layer.padding == "same" else 0)
                for reach, _, k, s, d in windows
            ]
        return [
            reach.down((k - 1) * d + 1, s, _padding(layer.padding, n, (k - 1) * d + 1, s))
            for reach, n, k, s, d in windows
        ]
    return reaches if _is_pointwise(fact, first, spatial) else None


def _after_rearranging(layer, reaches):
    """The reaches after padding, cropping or upsampling; None after other layers."""
    cropping = getattr(layer, "cropping", None)
    edges = [(-before, 0) for before, _ in _pairs(cropping)] if cropping else getattr(layer, "padding", None)
    if edges:
        edges = _pairs(edges)
        return [reach.down(1, 1, before) for reach, (before, _) in zip(reaches, edges, strict=True)]
    width = {"nearest": 1, "bilinear": 2, "bicubic": 4}.get(getattr(layer, "interpolation", "nearest"))
    if width is None or not hasattr(layer, "size"):
        return None
    factors = _tuple(layer.size, len(reaches))
    return [reach.enlarged(factor, width) for reach, factor in zip(reaches, factors, strict=True)]


def _pairs(edges):
    """((before, after), ...) for each axis, of what a layer of padding or cropping keeps."""
    return [edges] if isinstance(edges[0], int) else list(edges)


def _padding(padding, size, kernel, stride):
    """Positions of padding before the first one."""
    if padding == "causal":
        return kernel - 1
    if padding != "same":
        return 0
    whole = max(kernel - stride, 0) if size is None else max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return whole // 2


def _is_pointwise(fact, first, spatial):
    """Whether each position depends on the same position of the inputs alone."""
    after = fact.output[2:] if first else fact.output[1:-1]
    if isinstance(fact.layer, OpCall):
        pointwise = fact.layer.op_name in _POINTWISE_OPS or is_activation(fact.layer)
    else:
        pointwise = fact.is_builtin and fact.has("pointwise")
    if not pointwise or len(fact.output) != len(fact.input) or after != spatial:
        return False
    if any(len(shape) not in (0, 1, len(fact.output)) for shape in fact.inputs):
        return False
    axis = getattr(fact.layer, "axis", None)
    if fact.kind == "Dense" or axis is None or fact.kind == "BatchNormalization":
        return fact.kind != "Dense" or not first
    channels = 1 if first else len(fact.output) - 1
    axes = axis if isinstance(axis, (list, tuple)) else [axis]
    return all(one % len(fact.output) == channels for one in axes)
