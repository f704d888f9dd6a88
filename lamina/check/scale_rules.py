"""LAM4xx, second part: the scale of inputs and of the targets of a regression."""

import numpy as np

from lamina.check.plans import optimizer_of
from lamina.check.rule import rule
from lamina.facts.loss_names import REGRESSION
from lamina.layers.image.geometry import RandomGeometryLayer

__all__ = []

_FEW = 0.005  # share of values that are not 0, in pictures of whole numbers

_LEFT = 0.01  # share of the squares that is not the same in all rows
_FEW_ROWS = 128  # that are looked at
_ALONE = 2000.0  # times as far as the others are apart
_SMALL = 5e-3  # targets, beside which the outputs of a new network are large
_APART = 300.0  # times, between losses of which one is all that counts
_LINEAR_IN_SCALE = REGRESSION - {"mean_absolute_percentage_error", "mean_squared_logarithmic_error"}


@rule(
    "LAM408", "warning", "inputs that are scaled twice, or by rows", "batch",
    "What is left is nearly constant: the first layer sees almost the same numbers for all samples.",
    "LeCun, Bottou, Orr, Müller: Efficient BackProp (1998), 4.3, normalizing the inputs",
)  # fmt: skip
def _scaled_twice(subject):
    for name, values in subject.inputs.items():
        if values.dtype.kind in "iu" and values.ndim == 4 and len(values) >= 8 and 0 < np.mean(values != 0) < _FEW:
            yield (
                None, float(np.mean(values != 0)),
                f"{np.mean(values == 0):.1%} of the whole numbers of {name} are 0: pictures of 0 to 1 that were cast "
                f"to {values.dtype} are like this.",
                "Cast before dividing: x.astype('float32') / 255.",
            )  # fmt: skip
        if values.dtype.kind != "f" or values.ndim < 2 or not values.size or not np.isfinite(values).all():
            continue
        yield from _scaled_by_rows(name, values)
        yield from _scaled_by_one_row(subject.input_parts[name])
        size, readers = float(np.abs(values).max()), subject.readers.get(name, [])
        while len(readers) == 1 and readers[0].has("noise", "rearranging") and readers[0].is_builtin:
            readers = readers[0].receivers
        scale = _scale_of(readers[0]) if len(readers) == 1 else 1.0
        if not size or values.min() == values.max():
            continue
        if scale <= 1 / 64 and size <= 8:
            scaler = readers[0].name
            yield (
                scaler, size, f"{name} is {size:.3g} at most, and {scaler} multiplies it by {scale:.3g}.",
                f"Remove {scaler}, or pass the images as they are, from 0 to 255.",
            )  # fmt: skip
        elif values.ndim == 4 and size > 1 / 200 and values.max() - values.min() <= 1 / 60:
            yield (
                None, size,
                f"{name} goes from {values.min():.4g} to {values.max():.4g}: pictures that were scaled, and then given "
                "to preprocess_input, are like this.",
                "Give preprocess_input the pictures as they are read, from 0 to 255.",
            )  # fmt: skip
        elif values.ndim == 4 and size <= 1 / 200:
            yield (
                None, size, f"{name} is {size:.3g} at most: images that were divided by 255 twice are like this.",
                "Divide by 255 once.",
            )  # fmt: skip


def _scaled_by_rows(name, values):
    """A table whose rows were brought to one length, or one deviation, over columns of different units."""
    if values.ndim != 2 or not 3 <= values.shape[1] <= 32 or len(values) < 32:
        return
    some = np.asarray(values[:: max(len(values) // _FEW_ROWS, 1)], "float64")
    centred = some - some.mean(axis=1, keepdims=True)
    lengths = {"the length": np.linalg.norm(some, axis=1), "the deviation": centred.std(axis=1)}
    how = next((words for words, one in lengths.items() if one.min() > 0 and np.ptp(one) < 1e-3 * one.max()), None)
    apart, whole = (((some - centre) ** 2).sum(axis=1) for centre in (np.median(some, axis=0), 0.0))
    left = float(np.median(apart / np.maximum(whole, 1e-12)))
    if how is not None and left < _LEFT:
        yield (
            None, left, f"Each row of {name} has {how} {lengths[how][0]:.3g}, over columns of different size, and "
            f"{left:.2g} of it differs from row to row.",
            "Scale columns, not rows: (x - x.mean(axis=0)) / x.std(axis=0), or layers.Normalization() with adapt(x).",
        )  # fmt: skip


def _scaled_by_one_row(part):
    """A table most of whose columns were scaled by one or two rows far from all others."""
    values = part.values
    if values.ndim != 2 or len(values) < 64:
        return
    some = np.sort(values[:: max(len(values) // _FEW_ROWS, 1)], axis=0).astype("float64")
    inner, outer = some[-3] - some[2], np.ptp(values, axis=0)
    alone = (inner > 0) & (outer > _ALONE * inner) & (np.count_nonzero(np.diff(some, axis=0), axis=0) > 20)
    if 2 * np.count_nonzero(alone) > values.shape[1]:
        column = int(np.flatnonzero(alone)[0])
        gaps = np.abs(values[:, column] - some[len(some) // 2, column])
        if np.count_nonzero(gaps > 50 * inner[column]) > 2:
            return
        there = np.zeros(values.shape, bool)
        there[gaps.argmax(), column] = True
        yield (
            None, float(outer[column]), f"{part.first_of(there)}, and nearly all other rows are from "
            f"{some[2, column]:.3g} to {some[-3, column]:.3g} in this column.",
            "Leave out such rows, or correct them, before the columns are scaled.",
        )  # fmt: skip


def _scale_of(fact):
    scale = fact.layer.scale if fact.kind == "Rescaling" else 1.0
    return abs(scale) if isinstance(scale, (int, float)) else 1.0


@rule(
    "LAM409", "warning", "targets far from unit scale", "batch",
    "A new network predicts about 0 to 1. Large targets make large gradients, with which SGD diverges, and Adam needs "
    "thousands of steps to get there; tiny ones are noise beside the initial outputs.",
    "LeCun, Bottou, Orr, Müller: Efficient BackProp (1998), 4.5, choosing target values; Kendall, Gal, Cipolla: "
    "Multi-Task Learning Using Uncertainty to Weigh Losses (2018)",
)  # fmt: skip
def _targets_out_of_scale(subject):
    plain = type(optimizer_of(subject)).__name__ == "SGD"
    for head in subject.heads:
        values = head.numbers
        direct = head.fact.kind == "Dense" and head.activation in ("linear", "relu", "softplus")
        if values is None or not direct or head.loss_name not in _LINEAR_IN_SCALE or len(values) < 8:
            continue
        if not np.isfinite(values).all() or values.ndim > 2:
            continue
        mean, spread = abs(float(values.mean())), float(values.std())
        size = max(mean, spread)
        squared = plain and head.loss_name == "mean_squared_error"
        hidden = any(fact.trainable_count and fact is not head.fact for fact in subject.facts if not fact.inner)
        if size > (30 if squared and hidden else 50) or 0 < size < _SMALL:
            sure = size > (100 if squared else 1000) or size < _SMALL
            yield (
                head.layer, size,
                f"The targets of {head.layer} have a mean of {float(values.mean()):.3g} and a standard deviation of "
                f"{spread:.3g}.",
                "Train on (y - y.mean()) / y.std(), and undo it after predict: p * y.std() + y.mean().",
                *([] if sure and hidden else ["info"]),
            )  # fmt: skip
    yield from _outweighs_the_others(subject)


def _outweighs_the_others(subject):
    """Where one of several losses, of targets far from unit scale, is all that training makes smaller."""
    weights = (subject.model._compile_arguments or {}).get("loss_weights")
    firsts = [(head, _first_loss(head)) for head in subject.heads]
    known = [(head, loss) for head, loss in firsts if loss is not None and np.isfinite(loss)]
    if weights is not None or not subject.own_step or len(known) < 2 or len(known) < len(firsts):
        return
    (large, most), (small, least) = (pick(known, key=lambda one: one[1]) for pick in (max, min))
    if large.loss_name in _LINEAR_IN_SCALE and most > _APART * max(least, 1e-3):
        yield (
            large.layer, most, f"The loss of {large.name} begins at about {most:.3g}, that of {small.name} at "
            f"{least:.3g}, and nothing weighs them: {small.name} hardly counts.",
            f"Train {large.name} on (y - y.mean()) / y.std(), or pass loss_weights to compile.",
        )  # fmt: skip


def _first_loss(head):
    """About what the loss of outputs near 0, or of a guess, is."""
    values = head.numbers
    if values is None or not values.size:
        return None
    if head.loss_name == "mean_squared_error":
        return float(np.mean(np.square(values.astype("float64"))))
    if head.loss_name in _LINEAR_IN_SCALE:
        return float(np.mean(np.abs(values.astype("float64"))))
    return float(np.log(max(head.units or 2, 2))) if "crossentropy" in head.loss_name else None


@rule(
    "LAM418", "warning", "random changes that do not suit the pictures or their labels", "batch",
    "The change is as large as value_range says, and results are cut off at its ends: pictures of another range become "
    "noise, or one colour. Where the labels are maps, a picture that is turned or moved needs labels that are, too.",
    "Keras: RandomBrightness, value_range; bounding boxes and segmentation masks of image layers",
)  # fmt: skip
def _changes_for_another_range(subject):
    yield from _moved_without_labels(subject)
    for name, values in subject.inputs.items():
        reader = next(iter(subject.readers.get(name, [])), None)
        while reader is not None and reader.has("noise", "rearranging") and not hasattr(reader.layer, "value_range"):
            reader = reader.receivers[0] if len(reader.receivers) == 1 else None
        ends = getattr(getattr(reader, "layer", None), "value_range", None)
        if reader is None or ends is None or values.ndim != 4 or not values.size or not reader.is_builtin:
            continue
        most, end, kind = float(np.nanmax(values)), float(max(ends)), reader.kind
        added = kind in ("RandomBrightness", "RandomColorJitter")  # others work by shares of what is there
        if most > 8 * end or (added and 0 < most <= 1.5 and end >= 100):
            yield (
                reader.name, most,
                f"{reader.name} changes pictures of {min(ends):g} to {end:g}; {name} is {most:.3g} at most.",
                f"Use {kind}(..., value_range=({0 if np.nanmin(values) >= 0 else -1}, {1 if most <= 1.5 else 255})).",
            )  # fmt: skip


def _moved_without_labels(subject):
    """A layer that turns or moves pictures at random, in front of an output that is a map of the same place for place
    as labels that do not move along."""
    heads = [head for head in subject.heads if head.numbers is not None and len(head.shape) >= 3]
    for name, values in subject.inputs.items():
        reader = next(iter(subject.readers.get(name, [])), None)
        while reader is not None and reader.is_builtin and not isinstance(reader.layer, RandomGeometryLayer):
            passes = reader.has("noise", "rearranging") or reader.kind in ("Rescaling", "Normalization")
            reader = reader.receivers[0] if passes and len(reader.receivers) == 1 else None
        if reader is None or not reader.is_builtin or values.ndim != 4:
            continue
        for head in heads:
            if values.shape[1:3] == head.shape[1:3] == head.numbers.shape[1:3]:
                yield (
                    reader.name, head.name, f"{reader.name} turns or moves pictures at random; the labels of "
                    f"{head.name}, maps of {head.shape[1]}x{head.shape[2]}, stay where they are.",
                    "Change both before fit: data.map(lambda x, y: augment({'images': x, 'segmentation_masks': y})).",
                )  # fmt: skip
