"""What an out-of-memory error of a device says: which layers hold most, and what to change."""

from __future__ import annotations

import math
from typing import Any

import jax

from lamina.core.dtypes import numpy_dtype
from lamina.errors import LaminaError, OutOfMemoryError
from lamina.facts.layer_facts import facts_of
from lamina.facts.words import memory

__all__ = ["told"]

_SHOWN = 3


def told(error: BaseException, model: Any, batch: Any, training: bool) -> BaseException:
    """The error of a step, with what to do where the device has run out of memory.

    Args:
        error: What JAX raised.
        model: Model.
        batch: Batch of the step.
        training: Whether it is a training step, which stores outputs for the backward pass.
    """
    if "RESOURCE_EXHAUSTED" not in str(error):
        return error
    sizes = [leaf.shape[0] for leaf in jax.tree_util.tree_leaves(batch) if getattr(leaf, "shape", ())]
    size = max(sizes, default=1)
    held = sorted(_held(model, size, training), reverse=True)[:_SHOWN]
    most = "; ".join(f"{name} {memory(total)} ({words})" for total, name, words in held if total)
    changes = [f"batch_size={max(size // 2, 1)}"] if size > 1 else []
    if training:
        changes.append("layers made in keras.RematScope()")
    if model.dtype_policy.compute_dtype == "float32":
        changes.append('keras.config.set_dtype_policy("mixed_bfloat16") before the model is made')
    changes.append("keras.distribution.ModelParallel.fsdp() on several devices")
    return OutOfMemoryError(
        f"The device ran out of memory in a step on {size:,} samples. {str(error).splitlines()[0]}"
        + (f" Most is held by: {most}." if most else ""),
        fix="; or ".join(changes) + (". model.memory(batch_size) says what a step takes." if training else "."),
    )


def _held(model, size, training):
    """(bytes, name, their parts in words) of each layer: weights, with gradients in training, and outputs."""
    try:
        facts = [fact for fact in facts_of(model) if not fact.inner]
    except LaminaError:  # a model whose graph is not known
        for layer in model.layers:
            weights = sum(map(_bytes, layer.weights))
            yield weights, layer.name, f"weights {memory(weights)}"
        return
    for fact in facts:
        weights = sum(map(_bytes, fact.weights)) if fact.use == 1 else 0
        weights += sum(map(_bytes, getattr(fact.layer, "trainable_weights", ()))) if training and fact.use == 1 else 0
        outputs = fact.values * size * numpy_dtype(getattr(fact.layer, "compute_dtype", "float32")).itemsize
        yield weights + outputs, fact.name, f"weights {memory(weights)}, outputs {memory(outputs)}"


def _bytes(variable):
    return math.prod(variable.shape) * numpy_dtype(variable.dtype).itemsize
