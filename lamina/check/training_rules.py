"""LAM3xx: the settings of training."""

import numpy as np

from lamina.check.plans import callbacks_of, first_rates, optimizer_of, samples_of, schedule_of, steps_of
from lamina.check.rule import rule
from lamina.check.subject import classes_of
from lamina.optimizers.schedules import (
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)

__all__ = []

_ENOUGH = 20  # labels held out whose shares say something
_APART = 0.4  # between the shares of the classes in two parts of the data, beside what chance does
_DRAWN = 0.4  # times the root of classes by samples: how far such shares are apart where samples were drawn
_BENGIO = "Bengio: Practical Recommendations for Gradient-Based Training of Deep Architectures (2012)"


@rule(
    "LAM302", "warning", "BatchNormalization that is updated in a frozen network", "model",
    "The convolutions are frozen, but their BatchNormalization uses the statistics of each small batch: the learned "
    "features change.",
    "Keras guide: Transfer learning and fine-tuning",
)  # fmt: skip
def _moving_statistics_in_frozen_network(subject):
    behind_frozen, moving = 0, []
    for fact in subject.facts:
        source = fact.sources[0] if len(fact.sources) == 1 else None
        if fact.kind != "BatchNormalization" or source is None or not source.count or source.trainable_count:
            continue
        behind_frozen += 1
        if fact.layer.trainable and fact.training is not False:
            moving.append(fact)
    if len(moving) >= 2 and 2 * len(moving) > behind_frozen:
        yield (
            moving[0].name, len(moving),
            f"{len(moving)} BatchNormalization layers after frozen layers are updated ({moving[0].name}, ...).",
            "Freeze the whole network: base.trainable = False; or call it in inference mode: base(x, training=False).",
        )  # fmt: skip


@rule(
    "LAM303", "error", "nothing to train", "compiled",
    "Every weight is frozen, or there are none: fit changes nothing.",
    "Keras guide: Transfer learning and fine-tuning",
)  # fmt: skip
def _nothing_trainable(subject):
    model = subject.model
    if subject.own_step and model.weights and not model.trainable_weights:
        yield (
            None, model.count_params(), f"All {model.count_params():,} weights of {model.name} are frozen.",
            "Set model.trainable = True, or add a new last layer, then compile again.",
        )  # fmt: skip
    elif model.layers or model.weights:
        return
    elif subject.own_step and model.built and getattr(model, "_graph", None) is None:
        yield (
            None, 0, f"{model.name} has no weights.",
            "Make its layers in __init__, and keep them: self.dense = keras.layers.Dense(1).",
        )  # fmt: skip


@rule(
    "LAM304", "warning", "trainable changed since compile", "compiled",
    "It takes effect at the next step, but in Keras before version 3 only after compile() is called again, and the "
    "optimizer keeps its old rate and state.",
    "Keras: Model.compile, trainable",
)  # fmt: skip
def _changed_since_compile(subject):
    at_compile = getattr(subject.model, "_trainable_at_compile", None)
    layers = subject.model._flatten_layers()
    if at_compile is None or len(layers) != len(at_compile):
        return
    changed = [layer for layer, before in zip(layers, at_compile, strict=True) if layer.trainable != before]
    if changed:
        last = changed[-1]
        yield (
            last.name, len(changed),
            f"trainable of {len(changed)} layers is not what it was when the model was compiled ({last.name}: now "
            f"{last.trainable}).",
            "Call model.compile(...) again after the change.",
            *([] if subject.model.trainable_weights else ["info"]),
        )  # fmt: skip


@rule(
    "LAM305", "warning", "a batch of most of the data", "fit",
    "Each epoch is one step or two: there are hardly more steps than epochs.",
    _BENGIO,
)  # fmt: skip
def _batch_larger_than_data(subject):
    size, samples = subject.settings.get("batch_size"), samples_of(subject)
    if size and samples and (size > samples or (size > samples // 2 and samples >= 64)):
        yield (
            None, size, f"batch_size={size}, and there are {samples} samples.",
            f"Use batch_size={max(min(32, samples // 10), 1)}.",
            *([] if size >= samples >= 256 and (steps_of(subject) or 99) <= 50 else ["info"]),
        )  # fmt: skip


@rule(
    "LAM307", "warning", "a schedule that does not fit the training", "fit",
    "A schedule is made for a number of steps: if training ends early, the small rates are never reached; if it goes "
    "on longer, the rate stays at the last value, often 0.",
    "Loshchilov, Hutter: SGDR (2017), on cosine annealing",
)  # fmt: skip
def _schedule_of_another_length(subject):
    yield from _rates_of_epochs(subject)
    schedule, total = schedule_of(subject.model.optimizer), steps_of(subject)
    if schedule is None or not total:
        return
    done = int(np.asarray(subject.model.optimizer.iterations))
    first, kind = done + total, type(schedule).__name__
    if isinstance(schedule, PiecewiseConstantDecay):
        if min(schedule.boundaries) >= first:
            yield (
                None, min(schedule.boundaries),
                f"The first boundary of PiecewiseConstantDecay is step {min(schedule.boundaries)}; training ends at "
                f"{first}.",
                f"Use boundaries below {first}: they count steps, not epochs.",
            )  # fmt: skip
        fix = f"Use boundaries such as {first // 2}: they count steps, not epochs."
        yield from _soon_small(schedule, done, total, fix)
    elif isinstance(schedule, ExponentialDecay) and (last := float(np.asarray(schedule(first)))) > 10:
        yield (
            None, last,
            f"ExponentialDecay(decay_rate={schedule.decay_rate:g}) reaches a rate of {last:.3g} in step {first}.",
            "Use decay_rate=0.9: each decay_steps steps the rate is multiplied by it.",
        )  # fmt: skip
    elif isinstance(schedule, (ExponentialDecay, InverseTimeDecay)):
        fix = f"Use decay_steps={max(total // 4, 1)}: it counts steps, not epochs."
        yield from _soon_small(schedule, done, total, fix)
    elif isinstance(schedule, (CosineDecay, PolynomialDecay)) and not getattr(schedule, "cycle", False):
        length = schedule.decay_steps + (getattr(schedule, "warmup_steps", 0) or 0)
        at_zero = not getattr(schedule, "alpha", getattr(schedule, "end_learning_rate", 0.0))
        if length >= 2 * first or (first >= 2 * length and at_zero):
            yield (
                None, length, f"{kind} lasts {length} steps; training ends at step {first}.",
                f"Use decay_steps={first} (epochs times batches of an epoch).",
            )  # fmt: skip


def _soon_small(schedule, done, total, fix):
    """A rate that falls to a small share within a tenth of the steps."""
    least = 5e-2 if isinstance(schedule, InverseTimeDecay) else 1e-2  # whose tail is long
    start, early = (float(np.asarray(schedule(step))) for step in (done, done + total // 10))
    if total >= 10 and early < least * start:
        yield (
            None, early, f"{type(schedule).__name__} goes from {start:.3g} to {early:.3g} in the first tenth of "
            f"{total} steps.", fix,
        )  # fmt: skip


def _rates_of_epochs(subject):
    """A function for LearningRateScheduler whose rate is 0, or soon nearly so."""
    epochs, optimizer = subject.settings.get("epochs") or 1, optimizer_of(subject)
    for callback in callbacks_of(subject):
        if type(callback).__name__ != "LearningRateScheduler" or schedule_of(optimizer) or epochs < 2:
            continue
        start = float(np.asarray(optimizer.learning_rate))
        every = first_rates(callback.schedule, start, min(epochs, 200))
        rates = every[: min(max(2, epochs // 10), 20)]
        half = every[: max(epochs // 2, 2)]  # where a millionth means that no later epoch learns
        if every and (max(every) > 100 or 0 < half[-1] <= 1e-6 * max(start, half[0])):
            grows = max(every) > 100
            epoch = every.index(max(every)) if grows else len(half) - 1
            yield (
                None, every[epoch],
                f"LearningRateScheduler sets the learning rate to {every[epoch]:.3g} in epoch {epoch} of {epochs}, "
                f"which began with {every[0]:.3g}.",
                "Use LearningRateScheduler(lambda epoch, rate: rate * 0.95).",
            )  # fmt: skip
        elif rates and min(rates) <= 1e-3 * start and (min(rates) == 0 or 0 < max(every) <= start):
            epoch = rates.index(min(rates))
            yield (
                None, rates[epoch], f"LearningRateScheduler sets the learning rate to {rates[epoch]:.3g} in epoch "
                f"{epoch}, which began with {start:g}." if rates[epoch] else
                f"LearningRateScheduler sets the learning rate to 0 in epoch {epoch}: epochs count from 0.",
                "Use LearningRateScheduler(lambda epoch, rate: rate * 0.95).",
            )  # fmt: skip


@rule(
    "LAM308", "error", "validation data cut from the end of sorted labels", "fit",
    "validation_split takes the last samples as they come, before any shuffling: classes that are only there are never "
    "trained.",
    "Keras: fit, validation_split",
)  # fmt: skip
def _split_of_sorted_labels(subject):
    split, labels = subject.settings.get("validation_split"), classes_of(subject)
    yield from _validation_of_one_class(subject, labels)
    if not split or labels is None or len(labels) < max(20, 5 * len(np.unique(labels))):
        return
    cut = round(len(labels) * (1 - split))
    trained, held_out = labels[:cut], labels[cut:]
    unseen, seen = set(held_out.tolist()) - set(trained.tolist()), np.unique(held_out)
    changes, kinds = np.diff(labels), len(np.unique(labels))
    in_order = kinds > 1 and len(seen) < len(np.unique(trained)) and ((changes >= 0).all() or (changes <= 0).all())
    by_chance = _DRAWN * np.sqrt(kinds / max(len(held_out), 1))
    others = len(held_out) >= _ENOUGH and _apart(trained, held_out) > _APART + by_chance
    if in_order or others or len(unseen) * 2 > len(seen):
        yield (
            None, seen[:5].tolist(),
            f"The labels are sorted: the last {split:.0%} contain {_shares(held_out)}, the others {_shares(trained)}.",
            "Shuffle first: order = np.random.permutation(len(x)); x, y = x[order], y[order].",
        )  # fmt: skip


def _apart(labels, others):
    """The share of labels that would have to be others, for both to have the same shares of each class."""
    classes = np.unique(np.concatenate([labels, others]))
    return 0.5 * sum(abs(float((labels == one).mean() - (others == one).mean())) for one in classes.tolist())


def _shares(labels):
    """The three most frequent classes, with their shares."""
    classes, counts = np.unique(labels, return_counts=True)
    first = np.argsort(-counts, kind="stable")[:3]
    return ", ".join(f"{counts[at] / len(labels):.0%} of class {classes[at]}" for at in first)


def _validation_of_one_class(subject, labels):
    """Validation data whose labels are all one class, though that is not nearly all of the training data."""
    given = subject.settings.get("validation_data")
    there = given[1] if isinstance(given, (tuple, list)) and len(given) > 1 else None
    if labels is None or there is None or not hasattr(there, "__len__"):
        return
    there = np.asarray(there)
    there = there.argmax(-1) if there.ndim == 2 and there.shape[1] > 1 else there.reshape(-1)
    classes = np.unique(there)
    if len(there) >= 20 and len(classes) == 1 and (labels == classes[0]).mean() < 0.8:
        yield (
            None, classes.tolist(), f"All {len(there)} labels of the validation data are {classes[0]}.",
            "Shuffle before the data are split: order = np.random.permutation(len(x)); x, y = x[order], y[order].",
        )  # fmt: skip


@rule(
    "LAM310", "warning", "sorted labels without shuffling", "fit",
    "Each batch has samples of one class: the model learns the last class that it saw, and forgets the others.",
    _BENGIO,
)  # fmt: skip
def _sorted_and_not_shuffled(subject):
    labels = classes_of(subject)
    if labels is not None and subject.parts_of_batch and len(labels) >= 16 and len(np.unique(labels)) == 1:
        head = subject.heads[0]
        if head.exclusive and (head.units or 0) > 2:
            yield (
                None, int(labels[0]), f"All {len(labels)} labels of the first batch are {labels[0]}, of {head.units} "
                "classes.",
                "Shuffle where the batches are made: order = np.random.permutation(len(x)); x, y = x[order], y[order].",
            )  # fmt: skip
    if subject.settings.get("shuffle") is not False or labels is None or len(labels) < 20 or subject.parts_of_batch:
        return
    changes, kinds = int(np.count_nonzero(np.diff(labels))), len(np.unique(labels))
    if kinds > 1 and changes < 2 * kinds and changes * 5 < len(labels):
        yield (
            None, changes, f"The labels change {changes} times in {len(labels)} samples, and shuffle=False.",
            "Leave out shuffle=False.",
        )  # fmt: skip
