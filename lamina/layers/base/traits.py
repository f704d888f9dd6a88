"""Traits: what kind of computation a layer class is, in words that `lamina.facts`, `explain` and `check` ask for.

Each class of lamina lists its traits in the class attribute `_traits`, a frozenset of these words:

- `pointwise`: each position of the result depends on the same position of the inputs alone; the last axis (or the
  channel axis) holds features, which may be mixed.
- `weighted`: multiplies its inputs by a trained kernel (Dense, EinsumDense, convolutions, recurrent layers).
- `activation`: computes an activation function and nothing else; its name is in `_activation_name`, which is None where
  the function is in the attribute `activation`.
- `normalization`: scales its inputs by statistics of them (batch, layer, group, RMS, unit normalization).
- `noise`: changes its inputs at random in training and passes them on unchanged otherwise (image augmentation too).
- `dropout`: sets values to zero at random in training; also `noise`.
- `passes_through`: returns its inputs unchanged outside of training (Identity, dropout, noise on tensors).
- `convolution`: a convolution of any kind; `transposed_convolution` for those that enlarge.
- `pooling`: the maximum or average of windows of a given size; `global_pooling`: of all positions;
  `adaptive_pooling`: of as many windows as the result has positions.
- `recurrent`: runs a cell over time steps; `recurrent_cell`: one step of it.
- `convolutional_recurrent`: a recurrent layer whose cell convolves; also `recurrent`.
- `merge`: combines several inputs into one.
- `rearranging`: moves, repeats, pads or crops values and computes nothing (Reshape, Flatten, Permute, UpSampling ...).
- `embedding`: looks up rows of a trained table by whole numbers.
- `attention`: weighs values by how queries fit keys.
- `wrapper`: runs another layer, its attribute `layer`.
- `container`: has layers inside that it makes or is given (wrappers, StackedRNNCells, Pipeline).

A subclass inherits the traits of its base. Whether a user's subclass computes the same as its base is for the caller to
decide (`lamina.core.registry.is_ours(type(layer))`).
"""

from __future__ import annotations

from typing import Any


def has_trait(layer: Any, *traits: str) -> bool:
    """Whether the class of a layer (or of any operation) has one of these traits.

    Args:
        layer: Layer, or another operation of a graph, which has no traits.
        *traits: Words of the list above.

    >>> import lamina as keras
    >>> has_trait(keras.layers.Dropout(0.5), "dropout"), has_trait(keras.layers.Dense(2), "merge", "pooling")
    (True, False)
    """
    return not getattr(type(layer), "_traits", frozenset()).isdisjoint(traits)
