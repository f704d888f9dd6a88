"""Helpers shared by convolution and pooling: windows that slide over 1 to 3 spatial axes."""

import numpy as np

__all__ = ["are_known", "count", "flat"]


def are_known(sizes):
    """Whether all of these sizes are numbers, and none is a symbol of an exported program."""
    return all(isinstance(size, (int, np.integer)) for size in sizes)


def count(size, width, stride, padding, dilation=1):
    """The number of windows of `width` elements, `dilation` apart, in `size` elements with zero padding before and
    after."""
    covered = (width - 1) * dilation + 1
    return max(0, (size + sum(padding) - covered) // stride + 1)


def flat(padding, rank, *others):
    """The padding of `rank` axes as a flat tuple. Also checks settings that have one number per axis."""
    if not 1 <= rank <= 3:
        raise ValueError(f"lamina_native works on 1 to 3 spatial axes; got {rank}.")
    if any(len(setting) != rank for setting in (padding, *others)):
        raise ValueError(f"Each setting has {rank} entries, one for each spatial axis; got {(padding, *others)}.")
    padding = tuple(int(number) for pair in padding for number in pair)
    if min(padding) < 0:
        raise ValueError(f"Negative padding is not supported; got {padding}.")
    return padding
