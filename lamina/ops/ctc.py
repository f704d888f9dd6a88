"""Connectionist temporal classification: labels for sequences of which only the order of labels is known.

Source: A. Graves et al., "Connectionist Temporal Classification", ICML 2006.
"""

import functools

import jax
import jax.numpy as jnp

from lamina.core.op import op
from lamina.errors import ConfigError
from lamina.ops.arrays import floating, tensor

__all__ = ["ctc_decode", "ctc_loss"]

NEVER = -1e30  # the logarithm of a probability of 0 that still has a gradient


@op
def ctc_loss(target, output, target_length, output_length, mask_index=0):
    """-log of the probability that the outputs spell the target, blanks (`mask_index`) and repeats left out.

    Shapes: target (batch, labels), output (batch, time, classes) as logits, lengths (batch,) -> (batch,).
    """
    target, output = tensor(target).astype("int32"), floating(output)
    return _loss(target, output, tensor(target_length), tensor(output_length), mask_index)


# Each call makes a new function for its loop, and JAX compiles a new function anew, except below `jit`.
@functools.partial(jax.jit, static_argnames="mask_index")
def _loss(target, output, target_length, output_length, mask_index):
    log_probabilities = jax.nn.log_softmax(output, axis=-1)
    states = _with_blanks(target, mask_index)
    emitted = jnp.take_along_axis(log_probabilities, states[:, None, :], axis=2)  # (batch, time, states)
    # From two states back one comes only past a blank between two different labels.
    places = jnp.arange(states.shape[1])
    skips = (places % 2 == 1) & (places >= 2) & (states != jnp.roll(states, 2, axis=1))

    def step(alpha, inputs):
        time, now = inputs
        came = [alpha, _moved(alpha, 1), jnp.where(skips, _moved(alpha, 2), NEVER)]
        new = jax.nn.logsumexp(jnp.stack(came), axis=0) + now
        return jnp.where(time < output_length[:, None], new, alpha), None

    start = jnp.where(jnp.arange(states.shape[1]) < 2, emitted[:, 0], NEVER)
    times = jnp.arange(1, output.shape[1])
    alpha, _ = jax.lax.scan(step, start, (times, jnp.moveaxis(emitted[:, 1:], 1, 0)))
    last = 2 * target_length.astype("int32")[:, None]
    ends = jnp.take_along_axis(alpha, jnp.concatenate([last, jnp.maximum(last - 1, 0)], axis=1), axis=1)
    ends = jnp.where((jnp.arange(2) == 1) & (last == 0), NEVER, ends)
    return -jax.nn.logsumexp(ends, axis=1)


def _with_blanks(labels, blank):
    """Blank, label, blank, label, ..., blank. Shapes: (batch, n) -> (batch, 2n + 1)."""
    batch, count = labels.shape
    states = jnp.full((batch, 2 * count + 1), blank, labels.dtype)
    return states.at[:, 1::2].set(labels)


def _moved(alpha, places):
    return jnp.pad(alpha, ((0, 0), (places, 0)), constant_values=NEVER)[:, : alpha.shape[1]]


@op
def ctc_decode(
    inputs, sequence_lengths, strategy="greedy", beam_width=100, top_paths=1, merge_repeated=True, mask_index=0
):
    """The likeliest labels: (labels, scores).

    Shapes: inputs (batch, time, classes) as logits, sequence_lengths (batch,) -> labels (paths, batch, time), filled
    up with -1, and scores: for 'greedy' -(sum of the largest logits) as (batch, 1); for 'beam_search'
    log-probabilities (batch, paths).

    Args:
        strategy: 'greedy' takes the best class at each step; 'beam_search' keeps the `beam_width` likeliest
        beginnings and
            gives the best `top_paths`.
        merge_repeated: whether equal labels with no blank between them are one (greedy).
    """
    inputs, lengths = floating(inputs), tensor(sequence_lengths).astype("int32")
    if strategy == "greedy":
        return _greedy(inputs, lengths, merge_repeated, mask_index)
    if strategy == "beam_search":
        return _beam_searches(inputs, lengths, beam_width, top_paths, mask_index)
    raise ConfigError(f"strategy is 'greedy' or 'beam_search'; got {strategy!r}.")


def _greedy(inputs, lengths, merge_repeated, blank):
    best = jnp.argmax(inputs, axis=-1).astype("int32")
    inside = jnp.arange(inputs.shape[1]) < lengths[:, None]
    scores = -jnp.sum(jnp.where(inside, jnp.max(inputs, axis=-1), 0), axis=1, keepdims=True)
    kept = inside & (best != blank)
    if merge_repeated:
        kept &= jnp.pad(best[:, 1:] != best[:, :-1], ((0, 0), (1, 0)), constant_values=True)
    # A stable sort brings what is kept to the front, in order.
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
    """Prefix beam search over one sequence: each beam holds its labels and the log-probabilities of ending in a blank
    or not."""
    steps = log_probabilities.shape[0]
    labels = jnp.full((beam_width, steps), -1, "int32")
    in_blank = jnp.full(beam_width, NEVER).at[0].set(0.0)
    in_label = jnp.full(beam_width, NEVER)
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
    """One step further: each beam stays as it is or grows by one label; equal prefixes are added up; the best are
    kept."""
    labels, counts, in_blank, in_label = beams
    (width, steps), classes = labels.shape, now.shape[0]
    total = jnp.logaddexp(in_blank, in_label)
    last = jnp.where(counts > 0, jnp.take_along_axis(labels, jnp.maximum(counts - 1, 0)[:, None], 1)[:, 0], blank)
    stay_blank = total + now[blank]
    stay_label = jnp.where(counts > 0, in_label + now[last], NEVER)
    symbols = jnp.arange(classes)
    before = jnp.where(symbols == last[:, None], in_blank[:, None], total[:, None])
    grow = jnp.where((symbols == blank) | (counts[:, None] >= steps), NEVER, before + now)

    grown = jnp.where(jnp.arange(steps) == counts[:, None, None], symbols[None, :, None], labels[:, None, :])
    all_labels = jnp.concatenate([labels, grown.reshape(-1, steps).astype("int32")])
    all_counts = jnp.concatenate([counts, jnp.repeat(counts + 1, classes)])
    all_blank = jnp.concatenate([stay_blank, jnp.full(width * classes, NEVER)])
    all_label = jnp.concatenate([stay_label, grow.reshape(-1)])
    # A grown prefix may be one that is there already: its probability goes to that beam.
    same = jnp.all(labels[:, None, :] == all_labels[None, width:, :], axis=-1) & (total > NEVER / 2)[:, None]
    joined = jax.nn.logsumexp(jnp.where(same, all_label[None, width:], NEVER), axis=1)
    all_label = all_label.at[:width].set(jnp.logaddexp(all_label[:width], joined))
    all_label = all_label.at[width:].set(jnp.where(jnp.any(same, axis=0), NEVER, all_label[width:]))
    _, best = jax.lax.top_k(jnp.logaddexp(all_blank, all_label), width)
    return all_labels[best], all_counts[best], all_blank[best], all_label[best]
