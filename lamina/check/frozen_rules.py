"""LAM318: layers that are frozen with weights that nothing was learned with."""

import numpy as np

from lamina.check.plans import has_learned
from lamina.check.rule import rule

__all__ = []

_ROWS = 5000  # of a table, which begins with the frequent words


@rule(
    "LAM318", "warning", "frozen layers that were never trained", "compiled",
    "Their weights are those that were drawn: what comes after them reads random features, and they stay random.",
    "Yosinski, Clune, Bengio, Lipson: How transferable are features in deep neural networks? (2014)",
)  # fmt: skip
def _frozen_as_drawn(subject):
    learned = has_learned(subject.model)
    if not subject.own_step or not subject.model.trainable_weights:
        return
    weighted = [fact for fact in subject.facts if not fact.inner and fact.is_affine and fact.is_builtin and fact.count]
    frozen, behind = [fact for fact in weighted if not fact.trainable_count and not _was_trained(fact)], set()
    for fact in subject.facts:  # what comes after a layer that is trained may be a critic that is frozen
        if fact in behind or any(source in behind for source in fact.sources):
            behind.update([fact, *fact.inner])
        elif (fact in weighted and fact not in frozen) or (fact.inner and fact.trainable_count):
            behind.add(fact)
    kept = [fact for fact in subject.facts if not fact.inner and fact.count and not fact.trainable_count]
    alone = not learned and len(kept) == 1 and kept[0].kind == "Embedding"
    for fact in kept if alone and _is_table_as_drawn(kept[0].layer) else ():
        yield (
            fact.name, 1, f"{fact.name} is frozen, and its vectors are those that were drawn.",
            f"Give it the vectors, {fact.name}.set_weights([table]), or set {fact.name}.trainable = True.",
        )  # fmt: skip
    if not learned:
        yield from _tables_of_zeros(subject)
    drawn = [fact for fact in frozen if fact not in behind]
    wide = all(fact.kind == "Dense" and fact.output[-1] > fact.input[-1] for fact in drawn)  # random features
    if wide or learned or any(map(_was_trained, weighted)):
        drawn = [] if any(fact.trainable_count for fact in weighted) else [fact for fact in frozen if fact.ends]
    if drawn:
        others = f", and so are {len(drawn) - 1} others" if len(drawn) > 1 else ""
        yield (
            drawn[0].name, len(drawn),
            f"{drawn[0].name} is frozen with the weights that it was drawn with{others}.",
            f"Load trained weights first, or set {drawn[0].name}.trainable = True.",
        )  # fmt: skip


def _is_table_as_drawn(layer):
    """Whether an Embedding is frozen with values that lie as its RandomUniform draws them, between its ends."""
    low, high = (getattr(layer.embeddings_initializer, name, None) for name in ("minval", "maxval"))
    if layer.trainable or not layer.built or not isinstance(low, float) or not isinstance(high, float):
        return False
    values, width = layer.embeddings.numpy().astype("float32"), high - low
    if values.size < 64 or values.min() < low or values.max() > high:
        return False
    return bool(np.ptp(values) > 0.9 * width and abs(values.std() * np.sqrt(12) / width - 1) < 0.15)


def _tables_of_zeros(subject):
    """Frozen tables in which most rows are zero: words that no vector was found for."""
    tables = [fact for fact in subject.facts if fact.kind == "Embedding" and not fact.trainable_count]
    for fact in tables:
        rows = fact.layer.embeddings.numpy()[1:_ROWS] if fact.layer.built else np.zeros((0, 1))
        empty = float((~rows.any(-1)).mean()) if len(rows) > 8 else 0.0
        if empty > 0.8:
            yield (
                fact.name, empty,
                f"{fact.name} is frozen, and {empty:.0%} of its vectors are zero: these tokens are all alike.",
                "Look at how the words were found among the vectors (upper case, accents), or let it train.",
            )  # fmt: skip


def _was_trained(fact):
    """Whether the biases of a layer that begin as zeros are others, or the means of the BatchNormalization that takes
    their place; a layer without either may have been."""
    bias = getattr(fact.layer, "bias", None)
    if bias is None and len(fact.receivers) == 1 and fact.receivers[0].kind == "BatchNormalization":
        return bool(np.any(fact.receivers[0].layer.moving_mean.numpy()))
    zeros = type(getattr(fact.layer, "bias_initializer", None)).__name__ == "Zeros"
    return bias is None or not zeros or bool(np.any(bias.numpy()))
