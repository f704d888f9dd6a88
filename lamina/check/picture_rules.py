"""LAM421: pictures and series whose axes were confused."""

import numpy as np

from lamina.check.rule import rule

__all__ = []

_ROWS = 64
_ALIKE, _MORE = 0.2, 0.15  # correlation of neighbours that shows pictures, and by how much two readings differ


@rule(
    "LAM421", "warning", "pictures or series whose axes were mixed by a reshape", "batch",
    "reshape keeps the order of the numbers in memory: rows and colours of the pictures end up in one another, and "
    "neighbouring pixels have nothing to do with each other. A transpose moves an axis.",
    "NumPy: reshape, transpose and moveaxis",
)  # fmt: skip
def _mixed_axes(subject):
    for name, values in subject.inputs.items():
        yield from _mixed_series(name, values)
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


def _mixed_series(name, values):
    """Series whose columns were brought to the last axis by reshape: the numbers of a row, as they stand in memory, go
    on smoothly, but for the places where one column ends and the next begins."""
    if values.ndim != 3 or values.dtype.kind not in "fi" or len(values) < 16:
        return
    steps, columns = values.shape[1:]
    if not 2 <= columns <= 64 or steps < 8 or steps == columns:
        return
    flat = np.asarray(values[:_ROWS], "float64").reshape(min(len(values), _ROWS), -1)
    beside = np.abs(np.diff(flat, axis=1)).mean(axis=0)  # from each number to the next
    ends = np.arange(1, columns) * steps - 1  # the places between two columns of the series as they were
    inside = np.delete(beside, ends)
    whole = np.arange(columns - 1, beside.size, columns)  # from the last column of a step to the first of the next
    later = np.abs(flat[:, columns:] - flat[:, :-columns]).mean()  # from a step to the next
    usual = float(np.median(inside))
    smooth = 0 < inside.max() < 2 * usual and np.setdiff1d(whole, ends).size > 2
    if smooth and beside[ends].min() > 3 * usual and later > 1.5 * usual:
        yield (
            None, float(beside[ends].min() / usual), f"The numbers of {name} go on smoothly where they are read as "
            f"{(columns, steps)}, and jump where one of {columns} series ends: the columns were brought to the last "
            f"axis by reshape, which mixes them.",
            "Use x.transpose(0, 2, 1) on the series as they were, in place of reshape.",
        )  # fmt: skip


def _alike(pictures):
    """The correlations of each pixel with the one below and the one beside it."""
    centred = pictures - pictures.mean(axis=(0, 1, 2))
    power = float((centred * centred).mean()) or 1.0
    below, beside = (centred[:, 1:] * centred[:, :-1]).mean(), (centred[:, :, 1:] * centred[:, :, :-1]).mean()
    return float(below) / power, float(beside) / power
