"""Equations and shapes of products, by the names that the inside of Keras has for them."""

from __future__ import annotations

import itertools
import string
from typing import Any

from lamina.layers.einsum_dense import EinsumDense
from lamina.layers.projected_attention import equations

__all__ = [
    "_analyze_einsum_string", "_analyze_quantization_info", "_build_attention_equation", "_build_proj_equation",
    "_get_output_shape",
]  # fmt: skip


def _build_attention_equation(rank: int, attn_axes: Any) -> tuple[str, str, int]:
    """(equation of the scores, of the weighted mean of values, rank of the scores) for tensors of this rank."""
    scores, mean = equations(rank, attn_axes)
    return scores, mean, len(scores.partition("->")[2])


def _build_proj_equation(free_dims: int, bound_dims: int, output_dims: int) -> tuple[str, str, int]:
    """(equation, letters of the bias, rank of the outputs) of a product over `bound_dims` axes.

    >>> _build_proj_equation(2, 1, 2)
    ('abc,cde->abde', 'de', 4)
    """
    letters = iter(string.ascii_lowercase)
    free, bound, out = ("".join(itertools.islice(letters, count)) for count in (free_dims, bound_dims, output_dims))
    return f"{free}{bound},{bound}{out}->{free}{out}", out, free_dims + output_dims


def _get_output_shape(output_rank: int, known_last_dims: Any) -> list[Any]:
    """A shape of that rank of which only the last sizes are known."""
    return [None] * (output_rank - len(known_last_dims)) + list(known_last_dims)


def _analyze_einsum_string(
    equation: str, bias_axes: str | None, input_shape: Any, output_shape: Any
) -> tuple[Any, ...]:
    """(shape of the kernel, of the bias or None, of the outputs, axes of the kernel that are summed over, others)."""
    layer, given = EinsumDense(equation, output_shape, bias_axes=bias_axes), list(input_shape)
    axes = layer._axes
    sizes, elided = axes.sizes(given, layer.output_shape)
    bias = None if bias_axes is None else [*layer._shape_of_bias(sizes, elided)]
    outputs = [sizes[letter] for letter in axes.outputs]
    outputs = [*given[:elided], *outputs] if axes.left else [*outputs, *given[len(given) - elided :]]
    summed = [place for place, letter in enumerate(axes.kernel) if letter not in axes.outputs]
    kept = [place for place in range(len(axes.kernel)) if place not in summed]
    return [sizes[letter] for letter in axes.kernel], bias, outputs, summed, kept


def _analyze_quantization_info(equation: str, input_shape: Any) -> tuple[Any, ...]:
    """How scales of inputs and kernel are laid over the outputs: for each of the two axes that are reduced, the order,
    axes that are added and removed, in turns; then the equation of the inputs' gradient and the kernel's order back."""
    axes = EinsumDense(equation, 1)._axes
    spare = [letter for letter in string.ascii_letters if letter not in equation]
    elided = "".join(spare[: len(input_shape) - len(axes.inputs)])
    inputs, outputs = (elided + one if axes.left else one + elided for one in (axes.inputs, axes.outputs))
    kernel = axes.kernel
    of_inputs, of_kernel = _axes_of_scale(inputs, outputs), _axes_of_scale(kernel, outputs)
    back = sorted(range(len(kernel)), key=of_kernel[1].__getitem__)
    return (*itertools.chain(*zip(of_inputs, of_kernel, strict=True)), f"{outputs},{kernel}->{inputs}", back)


def _axes_of_scale(letters, outputs):
    """(axes that are reduced, order in which they lie as in the outputs, axes to add, axes to remove): a reduced axis
    takes the place of one of the outputs that is not there, and is removed where there is none."""
    reduced = [axis for axis, letter in enumerate(letters) if letter not in outputs]
    absent = [axis for axis, letter in enumerate(outputs) if letter not in letters]
    order, place = [letters.index(letter) for letter in outputs if letter in letters], 0
    for number, axis in enumerate(reduced):
        place = absent[number] if number < len(absent) else place
        order.insert(place, axis)
    return reduced, order, absent[len(reduced) :], reduced[len(absent) :]
