"""Receptive fields: which part of the image (or sequence) one number of a feature map has seen."""

__all__ = ["Window", "receptive_fields", "sizes_of"]

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Window:
    """Along one axis: `size` positions of the input are seen by one output; the next one begins `step` further.

    Araujo, Norris and Sim, Computing Receptive Fields of Convolutional Neural Networks, Distill, 2019.
    """

    size: int = 1
    step: int = 1

    def then(self, kernel, stride, dilation=1):
        """After a layer with these settings along the axis."""
        return Window(self.size + (kernel - 1) * dilation * self.step, self.step * stride)


def sizes_of(layer, rank):
    """(kernel, strides, dilation) along each spatial axis of a convolution or pooling layer, None for other layers."""
    for name in ("kernel_size", "pool_size"):
        kernel = getattr(layer, name, None)
        if isinstance(kernel, tuple) and len(kernel) == rank:
            strides = getattr(layer, "strides", None) or kernel
            dilation = getattr(layer, "dilation_rate", None) or (1,) * rank
            return kernel, _tuple(strides, rank), _tuple(dilation, rank)
    return None


def _tuple(value, rank):
    return value if isinstance(value, tuple) else (value,) * rank


def receptive_fields(facts):
    """fact -> the Window along each spatial axis of its output; only where it is known."""
    found = {}
    for fact in facts:
        rank = len(fact.output) - 2
        if rank < 1 or rank > 3:
            continue
        before = [found[source] for source in fact.sources if source in found and len(found[source]) == rank]
        if fact.is_input or not fact.sources:
            found[fact] = (Window(),) * rank if fact.is_input else _after(fact, (Window(),) * rank)
        elif len(before) == len(fact.sources):
            widest = tuple(max((windows[axis] for windows in before), key=lambda w: w.size) for axis in range(rank))
            found[fact] = _after(fact, widest)
    return {fact: windows for fact, windows in found.items() if windows is not None}


def _after(fact, windows):
    rank = len(windows)
    if (
        fact.is_a("BaseConvTranspose", "ConvTranspose", "UpSampling1D", "UpSampling2D", "UpSampling3D")
        or "Transpose" in fact.kind
    ):
        return tuple(Window(window.size, max(1, math.ceil(window.step / 2))) for window in windows)
    sizes = sizes_of(fact.layer, rank)
    if sizes is None:
        return windows
    return tuple(window.then(*settings) for window, *settings in zip(windows, *sizes, strict=True))
