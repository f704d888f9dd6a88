"""What a model looks at: filters of convolutions, attention maps, and the saliency of a sample."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core import context, tree
from lamina.core.variable import unwrap
from lamina.errors import LaminaError
from lamina.facts.equations import Equations, maker_name
from lamina.layers import Repeat
from lamina.layers.base import call_signature
from lamina.layers.base.call_context import around_layers
from lamina.layers.base.traits import has_trait
from lamina.layers.repeat import unrolled
from lamina.training.state import peek
from lamina.view.numbers import as_bytes, is_numeric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamina.core.typing import PyTree

__all__ = ["attention_of", "filters_of", "saliency_of"]

_FILTERS, _HEADS, _POSITIONS, _STEPS = 16, 8, 48, 32  # what is shown at most; steps from nothing to the sample


def filters_of(layer: Any) -> dict[str, Any] | None:
    """{maps, size, colours, all} of the kernels of a convolution over pictures, the first ones; None for other layers.

    Args:
        layer: Layer.
    """
    kernel = getattr(layer, "kernel", None)
    if not has_trait(layer, "convolution") or kernel is None or len(kernel.shape) != 4 or max(kernel.shape[:2]) < 2:
        return None
    values = np.asarray(unwrap(kernel), "float32")
    if values.shape[2] == 3:
        maps, colours = np.moveaxis(values, -1, 0), 3
    else:
        maps, colours = np.moveaxis(values.mean(2) if values.shape[2] > 1 else values[:, :, 0], -1, 0), 1
    shown = maps[:_FILTERS]
    return {"maps": as_bytes(shown), "size": [*shown.shape[2:0:-1], len(shown)], "colours": colours, "all": len(maps)}


def attention_of(model: Any, x: PyTree) -> dict[tuple[Any, int | None], dict[str, Any]]:
    """(layer, number of its call) -> {maps, size, all} of the attention weights of the first sample: a map for each
    head, a row for each query.

    Attention is a softmax over arrays of three or four axes that a product takes, in the program that JAX traces:
    whatever layer or function computes it, but not inside of loops of its own. The number is None for a layer inside
    a Repeat, with maps of all repetitions.

    Args:
        model: Model.
        x: Batch of inputs, as the model takes them.
    """
    found: dict[tuple[Any, int | None], list[Any]] = {}
    repeated: set[Any] = set()
    calls: list[tuple[Any, int]] = []

    def around(layer, run):
        if isinstance(layer, Repeat):
            repeated.update(layer._flatten_layers())

        def inside(*args, **kwargs):
            calls.append((layer, 1 + sum(one is layer for one, _ in calls)))
            with jax.named_scope(f"lamina_{len(calls) - 1}_"):
                return run(*args, **kwargs)

        return inside if type(layer).__name__ != "Softmax" else run

    def outputs():
        return [leaf for leaf in tree.flatten(_run(model, x)) if call_signature.is_tensor(leaf)]

    with around_layers(around), unrolled():
        program = jax.make_jaxpr(outputs)()
    equations = Equations(program, [])
    applied = list(_applied_softmaxes(equations))
    values = equations.computing([value for value, _ in applied])()
    for (_, scope), weights in zip(applied, values, strict=True):
        numbers = re.findall(r"lamina_(\d+)_", scope)
        if numbers:
            layer, use = calls[int(numbers[-1])]
            heads = np.asarray(weights[0], "float32").reshape(-1, *weights.shape[-2:])
            found.setdefault((layer, None if layer in repeated else use), []).append(heads)
    return {call: _maps(several) for call, several in found.items()}


def _maps(several):
    """What is shown of the heads of one call, or of the calls of all repetitions."""
    each = max(_HEADS // len(several), 1)
    shown = np.concatenate([heads[:each, :_POSITIONS, :_POSITIONS] for heads in several])[:_HEADS]
    return {"maps": as_bytes(shown), "size": [*shown.shape[2:0:-1], len(shown)], "all": sum(map(len, several))}


def _applied_softmaxes(equations):
    """(weights, scope) of each softmax over three or four axes that a product takes, whatever comes between: masks,
    dropout, changes of shape. Unlike for facts' `attentions_of`, scores may be anything: sums of queries and keys, too.
    """
    weights = {}
    for one in equations.all:
        taken = next((value for value in one.inputs if value in weights), None)
        if one.name == "div" and maker_name(one.inputs[0]) == "exp" and len(one.outputs[0].shape) in (3, 4):
            weights[one.outputs[0]] = one.outputs[0], one.scope
        elif taken is not None and one.name in ("dot_general", "product"):
            yield weights.pop(taken)
        elif taken is not None:
            weights |= dict.fromkeys(one.outputs, weights[taken])


def saliency_of(model: Any, x: PyTree, vocabulary: Sequence[str] | None = None) -> tuple[list[dict[str, Any]], str]:
    """(how much each part of the first sample adds to the largest output, by input; what it is, or why it is missing).

    Integrated gradients from zeros to the sample (Sundararajan et al., 2017, arXiv 1703.01365), for inputs of numbers;
    for whole numbers and texts those of the embeddings of their words. The values of all parts add up to about the
    output minus that for zeros.

    Args:
        model: Model.
        x: Batch of inputs, as the model takes them.
        vocabulary: Words by number; None takes them from a TextVectorization layer of the model, where it has one.
    """
    try:
        return _saliency(model, tree.map_structure(lambda values: np.asarray(values)[:1], x), vocabulary)
    except (LaminaError, ValueError, TypeError, IndexError, NotImplementedError) as error:
        return [], f"Saliency could not be computed: {str(error).splitlines()[0]}"


def _saliency(model, sample, vocabulary):
    leaves = tree.flatten(sample)
    embedded = _embeddings(model, sample)
    floats = {place: leaf for place, leaf in enumerate(leaves) if leaf.dtype.kind == "f"}
    if not floats and not embedded:
        return [], "Saliency needs inputs of numbers, or an Embedding."
    outputs = _first(_run(model, sample))
    target = int(np.argmax(np.asarray(outputs).ravel()))
    many = tree.map_structure(lambda values: np.repeat(values, _STEPS, 0), sample)
    structure = tree.structure_of(many)
    sources = [{place: jnp.asarray(leaf) for place, leaf in floats.items()}, [given for _, given in embedded.values()]]

    kernels = [one for one in model.variables if len(one.shape) > 1]  # arguments: XLA would fold large constants

    def total(sources, values):
        numbers, vectors = sources
        given = tree.flatten(many)
        for place, value in numbers.items():
            given[place] = value
        with context.bind(kernels, values), around_layers(_replacing(list(embedded), vectors)):
            return _first(_run(model, tree.unflatten(structure, given))).reshape(_STEPS, -1)[:, target].sum()

    steps = (np.arange(_STEPS) + 0.5) / _STEPS
    scaled = jax.tree.map(lambda value: value * steps.reshape(-1, *[1] * (value.ndim - 1)).astype(value.dtype), sources)
    slopes = jax.jit(jax.grad(total))(scaled, peek(kernels))
    shares = jax.tree.map(lambda slope, value: _known(slope.mean(0) * value[0]), slopes, sources)
    found = [_shown(leaves[place], share) for place, share in shares[0].items()]
    words = _words(model, vocabulary)
    found += [
        {"kind": "text", "words": [_word(one, words) for one in ids.ravel()[:200]],
         "scores": [float(one) for one in share.reshape(ids.size, -1).sum(1)[:200]]}
        for (ids, _), share in zip(embedded.values(), shares[1], strict=True)
    ]  # fmt: skip
    size = np.asarray(outputs).size
    value = float(np.asarray(outputs).ravel()[target])
    return found, f"What output {target} of {size} ({value:.3g}) rests on, by integrated gradients."


def _known(values):
    return np.nan_to_num(np.asarray(values, "float32"), nan=0, posinf=0, neginf=0)


def _run(model, x):
    return unwrap(model(x, **model._training_argument(False)))


def _first(outputs):
    return next(leaf for leaf in tree.flatten(outputs) if call_signature.is_tensor(leaf))


def _embeddings(model, sample):
    """(layer, number of its call) -> (ids, its outputs) of the tables that words are looked up in, not positions."""
    found: dict[tuple[Any, int], Any] = {}
    calls: dict[Any, int] = {}

    def around(layer, run):
        def inside(*args, **kwargs):
            calls[layer] = calls.get(layer, 0) + 1
            outputs = run(*args, **kwargs)
            ids = np.asarray(unwrap(args[0])) if args else np.zeros(0)
            if ids.size and is_numeric(ids.dtype) and not np.array_equal(ids.ravel(), np.arange(ids.size)):
                found[layer, calls[layer]] = ids, unwrap(outputs)
            return outputs

        return inside if has_trait(layer, "embedding") else run

    with around_layers(around):
        _run(model, sample)
    return found


def _replacing(keys, values):
    """A function for `around_layers` that lets some calls return other values."""
    calls: dict[Any, int] = {}

    def around(layer, run):
        def inside(*args, **kwargs):
            calls[layer] = calls.get(layer, 0) + 1
            key = (layer, calls[layer])
            return values[keys.index(key)] if key in keys else run(*args, **kwargs)

        return inside if has_trait(layer, "embedding") else run

    return around


def _shown(leaf, share):
    sample = leaf[0]
    if sample.ndim == 3 and sample.shape[-1] in (1, 3):
        rows, columns = (np.linspace(0, size - 1, min(size, 96)).astype(int) for size in sample.shape[:2])
        picture, heat = sample[rows][:, columns], np.abs(share).sum(-1)[rows][:, columns]
        return {"kind": "picture", "size": [len(columns), len(rows)], "colours": sample.shape[-1],
                "maps": as_bytes(picture), "heat": as_bytes(heat)}  # fmt: skip
    if sample.ndim == 2:
        heat = np.abs(share).T[:_POSITIONS, :200]
        return {"kind": "steps", "size": [heat.shape[1], heat.shape[0]], "heat": as_bytes(heat)}
    values = [f"{number}: {value:.3g}" for number, value in enumerate(sample.ravel()[:200])]
    return {"kind": "text", "words": values, "scores": [float(one) for one in share.ravel()[:200]]}


def _words(model, vocabulary):
    if vocabulary is not None:
        return list(vocabulary)
    layers = [layer for layer in model._flatten_layers() if type(layer).__name__ == "TextVectorization"]
    return list(layers[0].get_vocabulary()) if layers else []


def _word(number, words):
    return str(words[int(number)]) or "(padding)" if 0 <= int(number) < len(words) else str(number)
