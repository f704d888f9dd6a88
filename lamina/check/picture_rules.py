"""LAM421: pictures whose axes were confused."""

import numpy as np

from lamina.check.rule import rule

__all__ = []

_ROWS = 64
_ALIKE, _MORE = 0.2, 0.15  # correlation of neighbours that shows pictures, and by how much two readings differ


@rule(
    "LAM421", "warning", "pictures whose axes were mixed by a reshape", "batch",
    "reshape keeps the order of the numbers in memory: rows and colours of the pictures end up in one another, and "
    "neighbouring pixels have nothing to do with each other. A transpose moves an axis.",
    "NumPy: reshape, transpose and moveaxis",
)  # fmt: skip
def _mixed_axes(subject):
    for name, values in subject.inputs.items():
        if values.ndim != 4 or values.shape[-1] not in (2, 3, 4) or len(values) < 16 or min(values.shape[1:3]) < 8:
            continue
        if values.dtype.kind not in "fiu" or not any(fact.has("convolution") for fact in subject.facts):
            continue
        some = np.asarray(values[:_ROWS], "float64")
        count, height, width, channels = some.shape
        read = _alike(some)
        before = _alike(some.reshape(count, channels, height, width).transpose(0, 2, 3, 1))
        if min(before) > _ALIKE and min(after - now for now, after in zip(read, before, strict=True)) > _MORE:
            yield (
                None, min(before), f"Neighbouring pixels of {name} are alike (correlation {min(before):.2f}, and "
                f"{min(read):.2f} as they are) where its numbers are read as {(channels, height, width)}: channels "
                "first, brought here by reshape.",
                "Use x.transpose(0, 2, 3, 1) on the pictures as they were, in place of reshape.",
            )  # fmt: skip


def _alike(pictures):
    """The correlations of each pixel with the one below and the one beside it."""
    centred = pictures - pictures.mean(axis=(0, 1, 2))
    power = float((centred * centred).mean()) or 1.0
    below, beside = (centred[:, 1:] * centred[:, :-1]).mean(), (centred[:, :, 1:] * centred[:, :, :-1]).mean()
    return float(below) / power, float(beside) / power
