"""Odd rows: a batch whose rows cannot be divided evenly among devices, computed by parts where a model allows it."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

from lamina.core import context, tree
from lamina.core.keras_tensor import get_mask, set_mask
from lamina.core.real_rows import count_only
from lamina.core.variable import unwrap
from lamina.errors import LaminaError, warn
from lamina.facts.rows import rows_of_outputs

__all__ = ["call_by_parts", "tell_of_own_step"]


def call_by_parts(model: Any, x: Any, training: bool | None) -> Any:
    """The outputs of a model for a batch, in a step. If the rows cannot be divided evenly among the devices, the model
    gets some of them again, which count in no statistics and are cut from its outputs. A model in which rows change
    each other gets the batch as it is, on each device.

    Args:
        model: Model.
        x: Its inputs.
        training: Whether it is called for training.
    """
    sharded: Any = model._runner_made.sharded
    sharded.trains_by_parts = sharded.trains_by_parts or bool(training)
    settings = model._training_argument(training)
    rows = _rows(x)
    if rows is None or rows % sharded.parts == 0:
        return unwrap(model(x, **settings))
    more = -rows % sharded.parts
    by_rows = _outputs_by_rows(model, settings, x, rows, sharded.parts)
    if by_rows is None:
        if training:
            _tell(sharded, rows, f"{model.name} computes a row of its outputs from several rows")
        return unwrap(model(x, **settings))

    def longer(leaf):
        repeated = jnp.concatenate([leaf] * (1 + -(-more // rows)))[: rows + more]
        return jax.lax.with_sharding_constraint(repeated, sharded.layout(repeated))

    def cut(leaf):  # each device has all rows: XLA's programs for parts of different sizes can end the process
        return jax.lax.with_sharding_constraint(leaf, sharded.whole)[:rows]

    with count_only(rows, of=rows + more):
        outputs = unwrap(model(jax.tree_util.tree_map(longer, x), **settings))
    leaves, structure = jax.tree_util.tree_flatten(outputs)
    found = [cut(leaf) if is_rows else leaf for leaf, is_rows in zip(leaves, by_rows[: len(leaves)], strict=True)]
    for leaf, one in zip(leaves, found, strict=True):
        mask = get_mask(leaf)
        if mask is not None and one is not leaf:
            set_mask(one, cut(mask))
    return jax.tree_util.tree_unflatten(structure, found)


def tell_of_own_step(model: Any, kind: str, batch: Any) -> None:
    """Warn where a batch of a training step cannot be divided evenly and the step calls the model by itself.

    Args:
        model: Model, whose step was traced just now.
        kind: "train", "test" or "predict".
        batch: The batch.
    """
    sharded: Any = model._runner_made and model._runner_made.sharded
    if kind != "train" or not sharded or sharded.trains_by_parts:
        return
    rows = max((leaf.shape[0] for leaf in jax.tree_util.tree_leaves(batch) if getattr(leaf, "shape", ())), default=0)
    if rows % sharded.parts:
        _tell(sharded, rows, f"{model.name} has a train_step of its own")


def _tell(sharded, rows, why):
    if rows >= max(sharded.largest, 2) and not sharded.is_told:  # the last batch of an epoch is not worth a word
        sharded.is_told = True
        warn(
            f"A batch of {rows} cannot be divided evenly among {sharded.parts} devices, and {why}, so each device "
            f"computes the whole batch. Choose a batch_size that is a multiple of {sharded.parts}."
        )


def _rows(x):
    """The rows of a batch in a program; None if its leaves have none, or different ones."""
    leaves = jax.tree_util.tree_leaves(x)
    rows = {leaf.shape[0] if getattr(leaf, "shape", ()) else None for leaf in leaves}
    return rows.pop() if len(rows) == 1 and all(isinstance(leaf, Tracer) for leaf in leaves) else None


def _outputs_by_rows(model, settings, x, rows, parts):
    """For each output whether it has the rows of the batch; None if rows change each other."""
    if any(getattr(layer, "stateful", False) for layer in model._flatten_layers()):
        return None  # states have the rows of a batch
    sizes = rows + -rows % parts, rows + -rows % parts + parts
    refs = [*context.global_refs(), *model.variables]
    values, kept = [ref.read() for ref in refs], context.global_values()

    def program(size):
        def run(values, x):
            with context.bind(refs, values), count_only(rows, of=size):
                outputs = unwrap(model(x, **settings))
                masks = [get_mask(leaf) for leaf in tree.flatten(outputs)]
                return (outputs, masks), ([unwrap(loss) for loss in model.losses], [ref.read() for ref in refs])

        given = jax.tree_util.tree_map(lambda leaf: jax.ShapeDtypeStruct((size, *leaf.shape[1:]), leaf.dtype), x)
        return jax.make_jaxpr(run, return_shape=True)(values, given)

    try:
        (jaxpr, (shown, _)), (larger, _) = map(program, sizes)
        found, count = rows_of_outputs(jaxpr, larger, *sizes), len(jax.tree_util.tree_leaves(shown))
    except (LaminaError, TypeError, ValueError):  # it takes no other number of rows
        return None
    finally:
        for ref, value in zip(context.global_refs(), kept, strict=True):
            ref.write(value)
    return None if found is None or any(found[count:]) else found
