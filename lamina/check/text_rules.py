"""LAM4xx, third part: numbers of tokens, their padding, and labels that are the same sequence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.check.rule import rule
from lamina.facts.equations import base_of, maker_name
from lamina.facts.flows import consumers_of, sources_of

if TYPE_CHECKING:
    from lamina.check.subject import Subject

__all__ = ["beyond_lookups", "sees_its_labels"]


def _tokens(subject):
    """(reader, values) for each input whose rows of whole numbers an Embedding looks up."""
    for name, values in subject.inputs.items():
        for fact in subject.readers.get(name, []):
            whole = values.dtype.kind in "iu" or (values.dtype.kind == "f" and bool((values == np.round(values)).all()))
            if fact.kind == "Embedding" and values.ndim == 2 and values.shape[1] > 2 and values.size and whole:
                yield fact, values


def beyond_lookups(subject: Subject) -> Iterator[tuple[Any, ...]]:
    """Embeddings with fewer rows than the lookup before them has numbers.

    Args:
        subject: What is checked.
    """
    for fact in subject.facts:
        source = fact.sources[0] if fact.kind == "Embedding" and len(fact.sources) == 1 else None
        while source is not None and source.has("rearranging") and len(source.sources) == 1:
            source = source.sources[0]
        if source is None or not source.is_builtin or getattr(source.layer, "output_mode", "int") != "int":
            continue
        size: Any = getattr(source.layer, "vocabulary_size", lambda: 0)
        if (count := size()) > fact.layer.input_dim:
            yield (
                fact.name, count,
                f"{source.name} gives the numbers 0 to {count - 1}, that of unknown words among them; "
                f"{fact.name} has rows 0 to {fact.layer.input_dim - 1}.",
                f"Use Embedding(input_dim={source.name}.vocabulary_size(), ...).",
            )  # fmt: skip


@rule(
    "LAM410", "error", "a sequence model that sees the tokens it predicts", "batch",
    "The label of a position is among the inputs that this position may look at: the loss falls to 0 by copying, and "
    "the model cannot generate.",
    "Vaswani et al.: Attention Is All You Need (2017), 3.1: masking prevents positions from attending to later ones",
)  # fmt: skip
def sees_its_labels(subject: Subject) -> Iterator[tuple[Any, ...]]:
    """Where a label is one of the tokens that its position looks at, as the layers of the model tell it.

    Args:
        subject: What is checked.
    """
    tokens = list(_tokens(subject))
    head = subject.heads[0] if len(subject.heads) == 1 else None
    if len(tokens) != 1 or head is None or not head.loss_name.startswith("sparse") or len(head.shape) != 3:
        return
    (reader, x), y = tokens[0], None if head.numbers is None else np.asarray(head.numbers)
    y = y[..., 0] if y is not None and y.ndim == 3 and y.shape[-1] == 1 else y
    if y is None or y.shape != x.shape or len(np.unique(x)) < 3:
        return
    if (x == y).mean() > 0.99:
        if not any(len(fact.output) == 2 for fact in subject.facts):  # else the whole sequence passes through a vector
            yield (
                head.layer, 0, f"The labels of {head.layer} are the tokens that {reader.name} reads.",
                "Shift them by one: x, y = tokens[:, :-1], tokens[:, 1:].", "info",
            )  # fmt: skip
    elif _hides_some(x, y) and subject.sample_weight is None and _counts_all(head):
        yield (
            head.layer, float((x == y).mean()),
            f"{(x == y).mean():.0%} of the labels of {head.layer} are the tokens that {reader.name} reads there; only "
            "those of hidden tokens are to be predicted.",
            "Pass sample_weight=(x != y).astype('float32') to fit.", "info",
        )  # fmt: skip
    elif (x[:, 1:] == y[:, :-1]).mean() > 0.95:
        for fact in subject.facts:
            fix = _how_to_hide_the_future(fact)
            if fix is not None:
                yield (
                    fact.name, 1,
                    f"The labels are the tokens one step ahead, and {fact.name} looks at later positions.", fix,
                )  # fmt: skip


def _hides_some(x, y):
    """Whether x is y with one number in place of some tokens, as masked language models read it."""
    other = x != y
    numbers, counts = np.unique(x[other], return_counts=True)
    return (
        0.03 < other.mean() < 0.5
        and counts.max() > 0.7 * counts.sum()
        and (y == numbers[counts.argmax()]).mean() < 0.05
    )


def _counts_all(head):
    """Whether no class is left out of a loss of lamina's."""
    loss = head.known or head.loss
    return head.own is None and getattr(loss, "ignore_class", None) is None


def _how_to_hide_the_future(fact):
    """The fix where a call looks at later positions; None where it does not, or this is not known."""
    given = fact.arguments[1] if fact.arguments else {}
    graph = getattr(fact.owner, "_graph", None)  # of calls inside a layer of the user's own arguments are not known
    known = graph is not None and fact.layer in graph.operations
    if fact.kind == "MultiHeadAttention" and known and len({id(one) for one in fact.sources}) <= 1:
        hidden = given.get("use_causal_mask") or given.get("attention_mask") is not None
        return None if hidden else f"Call {fact.name}(x, x, use_causal_mask=True)."
    if fact.kind == "Bidirectional":
        return f"Use the layer inside {fact.name} alone, without Bidirectional."
    if fact.kind == "Conv1D" and fact.layer.padding == "same" and fact.layer.kernel_size[0] > 1:
        return f"Use padding='causal' in {fact.name}."
    return None


@rule(
    "LAM411", "warning", "padding at the end that is read as text", "batch",
    "A recurrent layer goes on through the padding, and its last state has forgotten the text; attention mixes padding "
    "into every position.",
    "Keras guide: Masking and padding",
)  # fmt: skip
def _padding_without_mask(subject):
    yield from _weights_of_padding(subject)
    for fact, values in _tokens(subject):
        if fact.gives_mask or len(values) < 8:
            continue
        is_word = values != 0
        ends = values.shape[1] - np.where(is_word.any(1), is_word[:, ::-1].argmax(1), values.shape[1])
        padding = 1 - float(ends.mean()) / values.shape[1]
        inside = int(((~is_word) & (np.arange(values.shape[1]) < ends[:, None])).sum())
        if padding <= 0.2 or inside >= 0.01 * values.size:
            continue
        readers = [one for one in subject.facts if one.has("recurrent", "attention") and not one.masked]
        last = any(one.has("recurrent") and one.kind != "Bidirectional" and len(one.output) == 2 for one in readers[:1])
        attends = _attends_to_all(subject, values.shape[1])
        known = subject.traced is not None and any(one.has("attention") for one in readers[:1]) and not attends
        counted = _counted_in_the_loss(subject, ~is_word)
        if (readers and not known) or attends or counted:
            who = readers[0].name if readers else "the attention" if attends else "the loss"
            also = "; the loss counts the labels there" if counted and who != "the loss" else ""
            yield (
                fact.name, padding,
                f"{padding:.0%} of the tokens of {fact.name} are zeros at the end, and {who} gets no mask{also}.",
                f"Use mask_zero=True in {fact.name}.",
                *([] if padding > 0.3 and (last or counted) else ["info"]),
            )  # fmt: skip


def _weights_of_padding(subject):
    """Sample weights that count the places of padding, and no others."""
    if getattr(subject.sample_weight, "ndim", 0) != 2:
        return
    weights = np.asarray(subject.sample_weight)
    for fact, values in _tokens(subject):
        counted = weights > 0 if weights.shape == values.shape else np.zeros(values.shape, bool)
        if (values == 0).any() and counted.any() and not counted[values != 0].any():
            yield (
                fact.name, float(counted.mean()), "sample_weight is above 0 where tokens are padding, and 0 elsewhere.",
                "Use sample_weight = (tokens != 0).astype('float32').",
            )  # fmt: skip


def _attends_to_all(subject, steps):
    """Whether the program weighs as many steps as there are tokens, and nowhere asks which of these are 0."""
    traced = subject.traced
    if traced is None or len(traced.leaves) != 1 or not any(one.over[-1] == steps for one in traced.attentions):
        return False
    used = sources_of(traced.equations.outputs)
    consumers, waiting = consumers_of(traced.equations), [one for one in traced.equations.inputs if one.varies]
    while waiting:
        for value in consumers.get(waiting.pop(), []):
            if value in used and maker_name(value) in ("eq", "ne", "gt", "ge", "sign"):
                return False
            if base_of(value) is not value:
                waiting.append(value)
    return True


def _counted_in_the_loss(subject, padding):
    """Whether each step has a label, those of padding are one number, and nothing tells the loss to leave them out."""
    head = subject.heads[0] if len(subject.heads) == 1 else None
    y = None if head is None or head.numbers is None else np.asarray(head.numbers)
    if head is None or y is None or len(head.shape) != 3 or not head.loss_name.startswith("sparse"):
        return False
    y = y[..., 0] if y.ndim == 3 and y.shape[-1] == 1 else y
    left_out = getattr(head.known or head.loss, "ignore_class", None) is not None or subject.sample_weight is not None
    if left_out or y.shape != padding.shape or head.fact.gives_mask or not subject.own_step:
        return False
    return len(np.unique(y[padding])) == 1 and len(np.unique(y)) > 2


@rule(
    "LAM419", "warning", "a Masking that hides nothing", "batch",
    "It hides the steps whose numbers all equal mask_value; padding with another number is read as data.",
    "Keras: Masking, mask_value",
)  # fmt: skip
def _masking_of_another_value(subject):
    for name, values in subject.inputs.items():
        for fact in subject.readers.get(name, []):
            if fact.kind != "Masking" or values.ndim != 3 or len(values) < 8 or values.shape[1] < 4:
                continue
            yield from _hides_what_counts(fact, name, values)
            last = values[:, -1]
            padded = (values[:, -1] == values[:, -2]).all(-1) & (last == last[:, :1]).all(-1)
            common, count = np.unique(last[padded][:, 0], return_counts=True) if padded.any() else ((), (0,))
            if count[0] * 4 >= len(values) and len(common) == 1 and common[0] != fact.layer.mask_value:
                yield (
                    fact.name, float(common[0]),
                    f"{fact.name} hides steps of {fact.layer.mask_value:g}, and {padded.mean():.0%} of the rows of "
                    f"{name} end in steps of {common[0]:g}.",
                    f"Use layers.Masking({common[0]:g}) in place of {fact.name}.",
                )  # fmt: skip


def _hides_what_counts(fact, name, values):
    """Where the steps that are left are all the same, so that only how many were hidden told anything."""
    hidden = (values == fact.layer.mask_value).all(-1)
    left = values[~hidden]
    if len(left) and hidden.mean() > 0.1 and (left == left[:1]).all():
        yield (
            fact.name, float(left.flat[0]),
            f"{fact.name} hides {hidden.mean():.0%} of the steps of {name}, and the others are all {left.flat[0]:g}.",
            f"Remove {fact.name}.",
        )  # fmt: skip
