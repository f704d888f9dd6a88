"""Connectionist temporal classification: labels for sequences whose alignment with the labels is unknown.

Source: A. Graves et al., "Connectionist Temporal Classification", ICML 2006.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

from lamina.core.arguments import choice
from lamina.core.op import op
from lamina.core.typing import TensorLike
from lamina.ops.arrays import floating, tensor

__all__ = ["ctc_decode", "ctc_loss"]

LOG_ZERO = -1e30  # the logarithm of a probability of 0 that still has a gradient


@op
def ctc_loss(
    target: TensorLike, output: TensorLike, target_length: TensorLike, output_length: TensorLike, mask_index: int = 0
) -> Any:
    """-log of the probability that the outputs spell the target, after repeats are merged and blanks removed.

    Shapes: -> (batch,).

    Args:
        target: Labels of shape (batch, labels).
        output: Logits of shape (batch, time, classes).
        target_length: Number of labels of each sample, (batch,).
        output_length: Number of time steps of each sample, (batch,).
        mask_index: Class of the blank.
    """
    target, output = tensor(target).astype("int32"), _precise(output)
    return _loss(target, output, tensor(target_length), tensor(output_length), mask_index)


# Below `jit` because each call creates a new function for the loop, which JAX would compile again.
@functools.partial(jax.jit, static_argnames="mask_index")
def _loss(target, output, target_length, output_length, mask_index):
    log_probabilities = jax.nn.log_softmax(output, axis=-1)
    states = _with_blanks(target, mask_index)
    emitted = jnp.take_along_axis(log_probabilities, states[:, None, :], axis=2)  # (batch, time, states)
    # A transition from two states back is possible only over a blank between two different labels.
    index = jnp.arange(states.shape[1])
    skips = (index % 2 == 1) & (index >= 2) & (states != jnp.roll(states, 2, axis=1))

    def step(alpha, inputs):
        time, now = inputs
        paths = [alpha, _shift(alpha, 1), jnp.where(skips, _shift(alpha, 2), LOG_ZERO)]
        new = jax.nn.logsumexp(jnp.stack(paths), axis=0) + now
        return jnp.where(time < output_length[:, None], new, alpha), None

    start = jnp.where(jnp.arange(states.shape[1]) < 2, emitted[:, 0], LOG_ZERO)
    times = jnp.arange(1, output.shape[1])
    alpha, _ = jax.lax.scan(step, start, (times, jnp.moveaxis(emitted[:, 1:], 1, 0)))
    last = 2 * target_length.astype("int32")[:, None]
    ends = jnp.take_along_axis(alpha, jnp.concatenate([last, jnp.maximum(last - 1, 0)], axis=1), axis=1)
    ends = jnp.where((jnp.arange(2) == 1) & (last == 0), LOG_ZERO, ends)
    return -jax.nn.logsumexp(ends, axis=1)


def _precise(logits):
    """Logits of at least float32, since probabilities of long sequences are small."""
    logits = floating(logits)
    return logits.astype(jnp.promote_types(logits.dtype, "float32"))


def _with_blanks(labels, blank):
    """Blank, label, blank, label, ..., blank. Shapes: (batch, n) -> (batch, 2n + 1)."""
    batch, count = labels.shape
    states = jnp.full((batch, 2 * count + 1), blank, labels.dtype)
    return states.at[:, 1::2].set(labels)


def _shift(alpha, steps):
    return jnp.pad(alpha, ((0, 0), (steps, 0)), constant_values=LOG_ZERO)[:, : alpha.shape[1]]


@op
def ctc_decode(
    inputs: TensorLike,
    sequence_lengths: TensorLike,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> Any:
    """The likeliest labels. Returns (labels, scores).

    Shapes: labels (paths, batch, time), padded with -1. Scores are -(sum of the largest logits) as (batch, 1) for
    "greedy", and log-probabilities (batch, paths) for "beam_search".

    Args:
        inputs: Logits of shape (batch, time, classes).
        sequence_lengths: Number of time steps of each sample, (batch,).
        strategy: "greedy" takes the best class at each step; "beam_search" keeps the likeliest prefixes.
        beam_width: Number of prefixes that beam search keeps.
        top_paths: Number of paths that beam search returns.
        merge_repeated: Whether greedy decoding merges equal labels with no blank between them.
        mask_index: Class of the blank.
    """
    inputs, lengths = _precise(inputs), tensor(sequence_lengths).astype("int32")
    choice("ctc_decode", "strategy", strategy, ("greedy", "beam_search"))
    if strategy == "greedy":
        return _greedy(inputs, lengths, merge_repeated, mask_index)
    return _beam_searches(inputs, lengths, beam_width, top_paths, mask_index)


def _greedy(inputs, lengths, merge_repeated, blank):
    best = jnp.argmax(inputs, axis=-1).astype("int32")
    inside = jnp.arange(inputs.shape[1]) < lengths[:, None]
    scores = -jnp.sum(jnp.where(inside, jnp.max(inputs, axis=-1), 0), axis=1, keepdims=True)
    kept = inside & (best != blank)
    if merge_repeated:
        kept &= jnp.pad(best[:, 1:] != best[:, :-1], ((0, 0), (1, 0)), constant_values=True)
    # A stable sort moves the labels that are kept to the front, in order.
    order = jnp.argsort(~kept, axis=1, stable=True)
    labels = jnp.take_along_axis(jnp.where(kept, best, -1), order, axis=1)
    return labels[None], scores


@functools.partial(jax.jit, static_argnames=("beam_width", "top_paths", "blank"))
def _beam_searches(inputs, lengths, beam_width, top_paths, blank):
    log_probabilities = jax.nn.log_softmax(inputs, axis=-1)
    search = jax.vmap(lambda x, length: _beam_search(x, length, beam_width, top_paths, blank))
    labels, scores = search(log_probabilities, lengths)
    return jnp.moveaxis(labels, 0, 1), scores


def _beam_search(log_probabilities, length, beam_width, top_paths, blank):
    """Prefix beam search over one sequence: each beam has its labels and the log-probabilities of ending in a blank and
    in a label."""
    steps = log_probabilities.shape[0]
    labels = jnp.full((beam_width, steps), -1, "int32")
    in_blank = jnp.full(beam_width, LOG_ZERO).at[0].set(0.0)
    in_label = jnp.full(beam_width, LOG_ZERO)
    counts = jnp.zeros(beam_width, "int32")

    def step(beams, inputs):
        time, now = inputs
        new = _extend(beams, now, blank)
        return jax.tree_util.tree_map(lambda a, b: jnp.where(time < length, a, b), new, beams), None

    beams, _ = jax.lax.scan(step, (labels, counts, in_blank, in_label), (jnp.arange(steps), log_probabilities))
    labels, _, in_blank, in_label = beams
    scores, order = jax.lax.top_k(jnp.logaddexp(in_blank, in_label), top_paths)
    return labels[order], scores


def _extend(beams, now, blank):
    """One time step: each beam stays or grows by one label, equal prefixes are merged, and the best are kept."""
    labels, counts, in_blank, in_label = beams
    (width, steps), classes = labels.shape, now.shape[0]
    total = jnp.logaddexp(in_blank, in_label)
    last = jnp.where(counts > 0, jnp.take_along_axis(labels, jnp.maximum(counts - 1, 0)[:, None], 1)[:, 0], blank)
    stay_blank = total + now[blank]
    stay_label = jnp.where(counts > 0, in_label + now[last], LOG_ZERO)
    symbols = jnp.arange(classes)
    before = jnp.where(symbols == last[:, None], in_blank[:, None], total[:, None])
    grow = jnp.where((symbols == blank) | (counts[:, None] >= steps), LOG_ZERO, before + now)

    grown = jnp.where(jnp.arange(steps) == counts[:, None, None], symbols[None, :, None], labels[:, None, :])
    all_labels = jnp.concatenate([labels, grown.reshape(-1, steps).astype("int32")])
    all_counts = jnp.concatenate([counts, jnp.repeat(counts + 1, classes)])
    all_blank = jnp.concatenate([stay_blank, jnp.full(width * classes, LOG_ZERO)])
    all_label = jnp.concatenate([stay_label, grow.reshape(-1)])
    # A grown prefix may equal an existing beam, to which its probability is then added.
    same = jnp.all(labels[:, None, :] == all_labels[None, width:, :], axis=-1) & (total > LOG_ZERO / 2)[:, None]
    joined = jax.nn.logsumexp(jnp.where(same, all_label[None, width:], LOG_ZERO), axis=1)
    all_label = all_label.at[:width].set(jnp.logaddexp(all_label[:width], joined))
    all_label = all_label.at[width:].set(jnp.where(jnp.any(same, axis=0), LOG_ZERO, all_label[width:]))
    _, best = jax.lax.top_k(jnp.logaddexp(all_blank, all_label), width)
    return all_labels[best], all_counts[best], all_blank[best], all_label[best]
