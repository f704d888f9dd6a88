"""LAM4xx: the data."""

import numpy as np

from lamina.check.rule import rule
from lamina.check.subject import as_batch
from lamina.check.text_rules import beyond_lookups
from lamina.core import tree
from lamina.core.op import OpCall
from lamina.facts.activations import SATURATION
from lamina.training import step
from lamina.training.data.places import Part

__all__ = []

_LECUN = "LeCun, Bottou, Orr, Müller: Efficient BackProp (1998), 4.3, normalizing the inputs"
_SATURATES = 5.0  # root of the mean square of the inputs, which is about that of the sums that the activation gets
_TINY = 0.02  # of the largest input
_WIDE = 6.0  # deviation after a Normalization, or its inverse; 1 where it knows the inputs
_FAR = 8  # standard deviations between 0 and the mean of the inputs
_QUICK = 100  # calls of layers that run in a moment


@rule(
    "LAM401", "warning", "inputs that are not scaled", "batch",
    "Large inputs make large sums: sigmoid and tanh saturate, gradients of the first layer are out of proportion, and "
    "learning is slow or fails.",
    _LECUN,
)  # fmt: skip
def _unscaled_inputs(subject):
    for name, values in _numeric_inputs(subject):
        yield from _left_unscaled(name, values, subject.readers.get(name, []))
        first = _first_weighted(subject.readers.get(name, []))
        if first is None or values.size < 4 or not (first.trainable_count or _are_bytes(values)):
            continue
        finite = values[np.isfinite(values)].astype("float64") if values.dtype.kind == "f" else values
        if not finite.size:
            continue
        least, most, spread = float(finite.min()), float(finite.max()), float(finite.std())
        centred_pixels = values.ndim == 4 and -160 < least < -50 and most < 160  # as ResNet50 and VGG take them
        size = max(-least, most)
        if 0 < size < _TINY and values.dtype.kind == "f" and values.ndim in (2, 3) and len(values) >= 16:
            part = subject.input_parts[name].name
            yield (
                first.name, size, f"{name} is {size:.3g} at most: the outputs of {first.name} are nearly 0 at first.",
                f"Use {part} / {part}.std(), or layers.Normalization() as the first layer, after its adapt(x).",
            )  # fmt: skip
        far = size > 50 and abs(float(finite.mean())) > _FAR * spread > 0  # all nearly the same number
        if size > 50 and spread <= 10 and values.ndim == 2:  # a column among others that are scaled
            spread = max(spread, float(values[:, np.abs(values).max(axis=0) > 50].std(axis=0).max(initial=0.0)))
        flat = values.ndim == 2 and size > 10 and first.activation in SATURATION and _root(finite) > _SATURATES
        if (size > 50 and spread > 10 and not centred_pixels) or far or flat:
            pixels = least >= 0 and 50 < most <= 255 and values.ndim > 2
            fix = "Use layers.Normalization() as the first layer, after its adapt(x)."
            if pixels:
                fix = "Use x / 255, or layers.Rescaling(1 / 255) as the first layer."
            if pixels and not first.trainable_count:
                fix = "Scale them as those that it was trained with: by its preprocess_input(x); most take -1 to 1."
            idle = [reader.name for reader in subject.readers.get(name, []) if _is_not_adapted(reader)]
            fix = f"Call {idle[0]}.adapt(x) before fit." if idle else fix
            yield (
                first.name, (least, most),
                f"{name} goes from {least:.4g} to {most:.4g} into {first.name}, with a standard deviation of "
                f"{spread:.3g}.",
                fix,
            )  # fmt: skip


def _are_bytes(values):
    """Whether these are pictures of 0 to 255 as they are read."""
    return values.ndim == 4 and 100 < float(values.max()) <= 255 and float(values.min()) >= 0


def _left_unscaled(name, values, readers):
    """A Normalization of numbers of its own, which are not the mean and variance of the inputs."""
    fact = readers[0] if len(readers) == 1 and readers[0].kind == "Normalization" and readers[0].is_builtin else None
    if fact is None or _is_not_adapted(fact) or values.ndim < 2 or len(values) < 32 or getattr(fact.layer, "invert", 0):
        return
    given = fact.layer.input_mean, fact.layer.input_variance
    given = (fact.layer.adapt_mean.numpy(), fact.layer.adapt_variance.numpy()) if given[0] is None else given
    mean, variance = (np.asarray(number, "float64").reshape(-1) for number in given)
    if any(number.size not in (1, values.shape[-1]) for number in (mean, variance)):
        return
    after = (values[:1024] - mean) / np.sqrt(np.maximum(variance, 1e-14))
    axes = tuple(range(after.ndim - 1))
    spread, centre = after.std(axis=axes), np.abs(after.mean(axis=axes))
    if not np.isfinite(after).all() or not (spread > 0).any():
        return
    spread, centre = (float(np.median(numbers[spread > 0])) for numbers in (spread, centre))
    if spread > _WIDE or spread < 1 / _WIDE or centre > _FAR:
        root = spread > 1 and 0.5 < spread**2 / float(np.median(variance)) < 2  # the deviation was given
        yield (
            fact.name, spread, f"{fact.name} leaves {name} with a standard deviation of {spread:.3g} and a mean of "
            f"{centre:.3g} (of most columns).",
            "Use variance=x.var(axis=0): it is the square of the deviation." if root
            else f"Call {fact.name}.adapt(x) on what fit gets.",
        )  # fmt: skip


def _root(values):
    return float(np.sqrt(np.mean(np.square(values, dtype="float64"))))


def _numeric_inputs(subject):
    return [(name, values) for name, values in subject.inputs.items() if values.dtype.kind in "fiu" and values.size]


def _is_not_adapted(fact):
    """Whether it is a Normalization that changes nothing, since adapt was not called."""
    layer = fact.layer
    return fact.kind == "Normalization" and layer.input_mean is None and not np.any(layer.adapt_mean.numpy())


def _first_weighted(readers):
    """The first layer with a kernel that the values of an input reach unchanged; None if something scales them."""
    while len(readers) == 1 and (
        readers[0].has("rearranging", "noise") or readers[0].is_a("Resizing") or _is_not_adapted(readers[0])
    ):
        readers = readers[0].receivers
    fact = readers[0] if len(readers) == 1 and len(readers[0].inputs) == 1 else None
    return fact if fact is not None and fact.is_builtin and (fact.is_affine or fact.has("recurrent")) else None


@rule(
    "LAM402", "error", "NaN or infinity in the data", "batch",
    "One of them makes the loss NaN, and with it every weight.",
    "IEEE 754",
)  # fmt: skip
def _not_finite(subject):
    for part in subject.parts:
        part = part if _is_read_whole(part.values) else part.sample(subject.numbers)
        values = part.values
        if values.dtype.kind != "f" or np.isfinite(values.sum()) or np.isfinite(values).all():
            continue
        wrong, nan = ~np.isfinite(values), int(np.isnan(values).sum())
        kinds = ((nan, "NaN"), (int(wrong.sum()) - nan, "infinite"))
        counts = " and ".join(f"{count} {kind}" for count, kind in kinds if count)
        yield (
            None, int(wrong.sum()),
            f"{part.first_is(wrong)} ({counts} in {values.size} values{part.examined}{_by_column(part, wrong)}).",
            _repair_of_gaps(part, subject),
        )  # fmt: skip


def _is_read_whole(values):
    in_memory = isinstance(values, np.ndarray) and not isinstance(values, np.memmap)
    return in_memory and not isinstance(values.base, np.memmap) and values.size <= 2**26


def _by_column(part, wrong):
    """Which columns, by how many values, where the columns of a table have names."""
    if part.columns is None or wrong.ndim != 2 or wrong.any(axis=0).sum() < 2:
        return ""
    counts = sorted(zip(wrong.sum(axis=0).tolist(), map(repr, part.columns), strict=True), reverse=True)
    return ": " + ", ".join(f"{name} {count}" for count, name in counts[:5] if count) + ", ..." * (len(counts) > 5)


def _repair_of_gaps(part, subject):
    """Python that drops the rows from inputs and targets."""
    if part.batch is not None:
        return f"Drop such rows where the batches are made, or fill them: np.nan_to_num({part.name})."
    name, rank = part.name, 1 if part.is_series else part.values.ndim
    axes = f".all(axis={1 if rank == 2 else tuple(range(1, rank))})" if rank > 1 else ""
    if name in ("x", "y") and [other.name for other in subject.parts] == ["x", "y"]:
        finite = f"{name}.notna()" if part.is_nullable else f"np.isfinite({name})"
        return f"keep = {finite}{axes}; x, y = {', '.join(other.kept for other in subject.parts)}"
    return f"Drop such rows from all arrays, or fill them: np.nan_to_num({name})."


@rule(
    "LAM403", "warning", "columns that never change", "batch",
    "They carry no information.",
    _LECUN,
)  # fmt: skip
def _constant_columns(subject):
    for name, values in _numeric_inputs(subject):
        if values.ndim == 2 and len(values) >= 100 and not _is_read_as_ids(subject, name):
            constant = np.flatnonzero((values == values[:1]).all(axis=0))
            if constant.size:
                some_differ = constant.size < values.shape[1] or len(subject.inputs) > 1
                some = ", ".join(map(str, constant[:5])) + (", ..." if constant.size > 5 else "")
                yield (
                    None, int(constant.size),
                    f"{constant.size} of {values.shape[1]} columns of {name} have one value in all rows ({some}).",
                    "Keep x[:, x.std(axis=0) > 0]." if some_differ else "Look at how x was read: each row is the same.",
                    *(["info"] if some_differ else []),
                )  # fmt: skip


def _widths(array):
    """The sizes of a row, without those of 1."""
    return [size for size in np.shape(array)[1:] if size != 1]


def _is_read_as_ids(subject, name):
    return any(reader.is_a("Embedding") for reader in subject.readers.get(name, []))


_SIZES = {"Embedding": "input_dim", "CategoryEncoding": "num_tokens"}  # the argument that is the largest number + 1


@rule(
    "LAM404", "error", "an index beyond the embedding", "batch",
    "There is no row for it: JAX returns NaN or another row and raises no error.",
    "Keras: Embedding, input_dim is the largest index + 1",
)  # fmt: skip
def _index_beyond_embedding(subject):
    yield from beyond_lookups(subject)
    for name, values in _numeric_inputs(subject):
        for fact in subject.readers.get(name, []):
            if fact.kind == "Embedding" and values.dtype.kind == "f" and (fractions := values % 1 != 0).any():
                yield (
                    fact.name, float(fractions.mean()),
                    f"{fact.name} looks up rows by whole numbers, and takes the fractions off: "
                    f"{subject.input_parts[name].first_of(fractions)}.",
                    "Pass the numbers of the tokens; for measured numbers use Dense in place of Embedding.",
                )  # fmt: skip
            if fact.kind == "Embedding" and values.ndim > 2 and _are_one_hot(values):
                yield (
                    fact.name, values.shape, f"{fact.name} looks up each of the {values.shape[-1]} numbers of one-hot "
                    f"rows: {name} has only 0 and 1.",
                    f"Pass the numbers of the tokens: {name}.argmax(-1).",
                )  # fmt: skip
            if fact.kind == "Embedding" and values.ndim == 2 and _are_counts(values, fact.layer.input_dim):
                yield (
                    fact.name, values.shape, f"{fact.name} looks up whole numbers as rows, and {name} says for each of "
                    f"{values.shape[1]} words how often it occurs: {np.mean(values == 0):.0%} are 0, and none is above "
                    f"{values.max():g} of {fact.layer.input_dim}.",
                    f"Pass the numbers of the tokens, or use Dense in place of {fact.name}.",
                )  # fmt: skip
            size = _SIZES.get(fact.kind) if len(fact.inputs) == 1 else None
            last = getattr(fact.layer, size) - 1 if size else 0
            outside = subject.input_parts[name].outside(0, last) if size else None
            if outside is not None:
                part, wrong = outside
                least, most = float(np.min(part.values)), float(np.max(part.values))
                yield (
                    fact.name, (least, most),
                    f"{fact.name} has {'rows' if size == 'input_dim' else 'categories'} 0 to {last}; {name} goes from "
                    f"{least:g} to {most:g}: {part.first_of(wrong)}.",
                    f"Use {fact.kind}({size}={int(most) + 1}, ...)." if least >= 0 else "Number the tokens from 0.",
                )  # fmt: skip


def _are_counts(values, size):
    """Whether there are only 0 and 1, each in some place of most rows; or small numbers between many zeros, for each
    row of an Embedding of this size."""
    width = values.shape[1]
    if width <= 10 or size <= 10 or (values != np.round(values)).any() or values.min() < 0:
        return False
    gaps = (values[:, :-1] == 0) & (values[:, 1:] != 0)  # more of them than padding at one end has
    counted = abs(width - size) <= 1 and 4 * values.max() < size and np.mean(values == 0) > 0.5
    return bool(
        (np.isin(values, (0, 1)).all() and (np.ptp(values, axis=1) == 1).mean() > 0.5)
        or (counted and np.mean(gaps.sum(axis=1) > 2) > 0.5)
    )


def _are_one_hot(values):
    """Whether the last axis has a single 1, in rows of three or more."""
    return values.shape[-1] > 2 and bool(np.isin(values, (0, 1)).all() and (values.sum(-1) == 1).all())


@rule(
    "LAM406", "warning", "a first loss far from that of a guess", "forward",
    "A model that knows nothing yet should guess: its crossentropy over k classes is about ln(k). Much more means that "
    "inputs are not scaled, or initial weights too large.",
    "Karpathy: A Recipe for Training Neural Networks (2019), verify loss @ init",
)  # fmt: skip
def _first_loss(subject):
    model = subject.model
    fresh = model.optimizer is not None and not int(np.asarray(model.optimizer.iterations))
    fresh = fresh and len(subject.facts) <= _QUICK
    head = subject.heads[0] if len(subject.heads) == 1 else None
    if not fresh or head is None or head.numbers is None or not head.exclusive or (head.units or 0) < 2:
        return
    if any(getattr(fact.layer, "stateful", False) for fact in subject.facts):  # of a fixed batch
        return
    if isinstance(head.fact.layer, OpCall):  # arithmetic on the scores has set their scale
        return
    x, y = (tree.map_structure(lambda leaf: np.asarray(leaf)[:32], part) for part in (subject.x, subject.y))
    loss, guess = _loss_of(model, x, y) - subject.penalty[0], float(np.log(head.units))
    if np.isfinite(loss) and loss > 4 * guess + 4:  # initial weights of a sound network gave 7.9 for 3 classes
        yield (
            head.layer, loss, f"The first loss is {loss:.3g}; a guess over {head.units} classes has {guess:.3g}.",
            "Scale the inputs (layers.Normalization()), and leave the initializers at their defaults.",
        )  # fmt: skip


def _loss_of(model, x, y):
    """The loss of one batch in training mode; nothing in the model changes."""
    model._runner.build((x, y))
    groups = (model.trainable_variables, model.non_trainable_variables, model.metrics_variables)
    values = [[variable.value for variable in group] for group in groups]
    trainable, others, metrics = values
    return float(step.loss_and_updates(model, trainable, others, metrics, x, y, None, True)[1][0])


@rule(
    "LAM407", "warning", "validation data unlike the training data", "fit",
    "The model is judged on values unlike those it learned from: what was done to the one was not done to the other.",
    "Hastie, Tibshirani, Friedman: The Elements of Statistical Learning (2009), 7.10.2",
)  # fmt: skip
def _validation_of_another_range(subject):
    given = subject.settings.get("validation_data")
    if not isinstance(given, (tuple, list)) or not subject.inputs:
        return
    x, y, _ = as_batch(*given)
    other = subject.named_inputs(x)
    here, there = (leaves[0] if len(leaves := tree.flatten(one)) == 1 else None for one in (subject.y, y))
    if here is not None and there is not None and _widths(here) != _widths(there):
        shapes = [str(("n", *shape[1:])).replace("'", "") for shape in (np.shape(here), np.shape(there))]
        yield (
            None, _widths(there), f"The labels are of shape {shapes[0]} in training, and {shapes[1]} in validation.",
            "Make y_val as y was made: keras.utils.to_categorical(y_val, classes) for both, or for none.",
        )  # fmt: skip
    for name, values in _numeric_inputs(subject):
        there = Part(name, other[name]).sample(subject.numbers).values if name in other else None
        if there is None or not there.size or there.dtype.kind not in "fiu" or _is_read_as_ids(subject, name):
            continue
        if min(len(values), len(there)) < 8:
            continue
        size, spread = (_both(values, there, how) for how in (_size_of, _spread_of))
        far, word = size, "in size on average"
        if not _differ(size, 10) and min(len(values), len(there)) >= 32:
            far, word = spread, "as its standard deviation"
        if _differ(far, 10 if far is size else 5):
            yield (
                None, far, f"{name} is {far[0]:.3g} {word} in training, and {far[1]:.3g} in validation.",
                "Scale x_val as x_train was scaled (layers.Normalization or Rescaling inside the model does both).",
            )  # fmt: skip


def _both(values, there, how):
    return how(values.astype("float32")), how(there.astype("float32"))


def _differ(numbers, times):
    return min(numbers) >= 0 and max(numbers) > times * min(numbers)


def _size_of(values):
    return float(np.nanmean(np.abs(values)))


def _spread_of(values):
    """The deviation of the middle column of a table, of all that is not one number in all rows."""
    of_columns = np.nanstd(values.reshape(len(values), -1), axis=0)
    return float(np.median(of_columns[of_columns > 0])) if of_columns.any() else 0.0
