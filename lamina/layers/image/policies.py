"""RandAugment and AugMix: in training, a random choice of image layers for each batch."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

from lamina import random
from lamina.layers.image.base import RandomImageLayer, factor_range
from lamina.layers.image.color import (
    RandomBrightness,
    RandomColorDegeneration,
    RandomContrast,
)
from lamina.layers.image.contrast import AutoContrast, Equalization, pixel_range
from lamina.layers.image.effects import RandomPosterization, RandomSharpness, Solarization
from lamina.layers.image.geometry import RandomRotation, RandomShear, RandomTranslation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.core.typing import ArrayLike, DataFormat, SeedLike, Tensor
    from lamina.layers.image.base import BoxFormatArguments, Range

__all__ = ["AugMix", "RandAugment"]

MOVING = ("random_shear", "random_translation", "random_rotation")
ALWAYS = ("random_posterization", "solarization", "auto_contrast", "equalization")
COLORS = ("random_brightness", "random_color_degeneration", "random_contrast", "random_sharpness")


class _Policy(RandomImageLayer):
    """Layers of the same strength `factor`, as attributes, of which a subclass chooses some for each batch."""

    _compiles_calls = False  # a call runs the layers that it drew, a program would hold them all

    def __init__(
        self,
        value_range: Sequence[float],
        factor: Range,
        interpolation: str,
        seed: SeedLike,
        data_format: DataFormat,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = pixel_range(self, value_range)
        self.factor = factor_range(self, factor, low=0)
        self.interpolation = interpolation
        makers = self._makers()
        for name in self._names:
            setattr(self, name, makers[name]())

    @property
    def _names(self) -> tuple:
        """The names of the layers among which it chooses."""
        raise NotImplementedError

    def _makers(self):
        """name -> callable that makes the layer."""
        factor = self.factor
        fixed = dict(data_format=self.data_format, dtype=self.dtype_policy)
        common = dict(seed=self.seed, **fixed)
        moving, color = dict(interpolation=self.interpolation, **common), dict(value_range=self.value_range, **common)
        make = functools.partial
        return {
            "random_shear": make(RandomShear, factor, factor, **moving),
            "random_translation": make(RandomTranslation, factor, factor, **moving),
            "random_rotation": make(RandomRotation, factor, **moving),
            "random_posterization": make(RandomPosterization, max(1, int(8 * factor[1])), **color),
            "solarization": make(Solarization, factor, factor, **color),
            "auto_contrast": make(AutoContrast, self.value_range, **fixed),
            "equalization": make(Equalization, self.value_range, **fixed),
            "random_brightness": make(RandomBrightness, factor, **color),
            "random_color_degeneration": make(RandomColorDegeneration, factor, **color),
            "random_contrast": make(RandomContrast, factor, **color),
            "random_sharpness": make(RandomSharpness, factor, **color),
        }

    def transform_images(self, images: ArrayLike, transformation: Any = None, training: bool = True) -> Tensor:
        images = self._cast(jnp.asarray(images))
        if not self._applies(transformation, training):
            return images
        return self._transformed("transform_images", images, transformation)

    def transform_segmentation_masks(
        self, segmentation_masks: ArrayLike, transformation: Any = None, training: bool = True
    ) -> Any:
        if not self._applies(transformation, training):
            return segmentation_masks
        return self._transformed("transform_segmentation_masks", jnp.asarray(segmentation_masks), transformation)

    def _transformed(self, method, arrays, transformation):
        """Images or masks, transformed by `method` of the chosen layers."""
        raise NotImplementedError


class RandAugment(_Policy):
    """Applies `num_ops` of eleven layers in sequence, the same for all images of a batch.

    Bounding boxes are not changed. The layers are RandomShear, RandomTranslation, RandomRotation, RandomBrightness,
    RandomColorDegeneration, RandomContrast, RandomSharpness, RandomPosterization, Solarization, AutoContrast and
    Equalization.

    Args:
        value_range: Lowest and highest value of the pixels.
        num_ops: Number of layers that are applied in sequence.
        factor: Range (lower, upper), from 0 to 1, of the strength of each layer; f means (0, f).
        interpolation: "bilinear" or "nearest", for the layers that move pixels.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> keras.layers.RandAugment(value_range=(0, 1))(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)

    Source: E. Cubuk et al., "RandAugment: Practical Automated Data Augmentation with a Reduced Search Space", 2020.
    """

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        num_ops: int = 2,
        factor: Range = 0.5,
        interpolation: str = "bilinear",
        seed: SeedLike = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(value_range, factor, interpolation, seed, data_format, **kwargs)
        self.num_ops = num_ops

    @property
    def _names(self):
        return (*MOVING, *COLORS, *ALWAYS)

    def get_random_transformation(self, data: Any, training: bool = True, seed: SeedLike = None) -> Any:
        if not training:
            return None
        seed = self.generator if seed is None else seed
        chosen = random.randint((self.num_ops,), 0, len(self._names), seed=seed)
        drawn = {name: getattr(self, name).get_random_transformation(data, seed=seed) for name in self._names}
        return {"transforms": drawn, "layer_idxes": chosen}

    def _transformed(self, method, arrays, transformation):
        changes = [
            functools.partial(getattr(getattr(self, name), method), transformation=drawn)
            for name, drawn in transformation["transforms"].items()
        ]
        return _fold(lambda arrays, index: _switch(index, changes, arrays), arrays, transformation["layer_idxes"])


class AugMix(_Policy):
    """`w * images + (1 - w) * (w1 * chain1(images) + w2 * chain2(images) + ...)`, where a chain is up to `chain_depth`
    layers in sequence, the same for all images of a batch.

    The layers are those of RandAugment, and the identity. Bounding boxes are not changed.

    Args:
        value_range: Lowest and highest value of the pixels.
        num_chains: Number of chains.
        chain_depth: Number of layers that are drawn for each chain.
        factor: Range (lower, upper), from 0 to 1, of the strength of each layer; f means (0, f).
        alpha: Parameter of the distributions of the weights: w is drawn from Beta(alpha, alpha), w1, w2, ... from
            Dirichlet(alpha).
        all_ops: Whether brightness, color degeneration, contrast and sharpness are among the layers.
        interpolation: "bilinear" or "nearest", for the layers that move pixels.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> keras.layers.AugMix(value_range=(0, 1))(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)

    Source: D. Hendrycks et al., "AugMix: A Simple Data Processing Method to Improve Robustness and Uncertainty", 2020.
    """

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Range = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: SeedLike = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        self.all_ops = all_ops
        super().__init__(value_range, factor, interpolation, seed, data_format, **kwargs)
        self.num_chains = num_chains
        self.chain_depth = chain_depth
        self.alpha = alpha

    @property
    def _names(self):
        return (*MOVING, *ALWAYS, *(COLORS if self.all_ops else ()))

    def _draw(self, shape, seed):
        weights = random.gamma((self.num_chains,), self.alpha, seed=seed)
        draws = (self.num_chains, self.chain_depth)
        return {
            "chain_mixing_weights": weights / jnp.sum(weights),
            "weight_sample": random.beta((), self.alpha, self.alpha, seed=seed),
            "layer_idxes": random.randint(draws, 0, len(self._names) + 1, seed=seed),  # the last number is the identity
            "seeds": jax.random.split(random.draw_seed(seed), draws),
        }

    def _transformed(self, method, arrays, transformation):
        def one_layer(changed, draw):
            index, key = draw
            changes = [functools.partial(self._changed, getattr(self, name), method, key) for name in self._names]
            return _switch(index, [*changes, lambda same: same], changed)

        def one_chain(total, draws):
            weight, *layers = draws
            return total + weight * _fold(one_layer, inputs, tuple(layers))

        inputs = arrays.astype(self.compute_dtype)
        weights = transformation["chain_mixing_weights"].astype(inputs.dtype)
        chains = (weights, transformation["layer_idxes"], transformation["seeds"])
        kept = transformation["weight_sample"].astype(inputs.dtype)
        mixed = kept * inputs + (1 - kept) * _fold(one_chain, jnp.zeros_like(inputs), chains)
        return jnp.clip(mixed, *self.value_range) if method == "transform_images" else mixed

    def _changed(self, layer, method, key, arrays):
        drawn = layer.get_random_transformation(arrays, seed=_Keys(key))
        return getattr(layer, method)(arrays, transformation=drawn)


class _Keys(random.SeedGenerator):
    """A SeedGenerator whose state is a JAX key, for use inside of one compiled function."""

    def __init__(self, key):
        self.key = key

    def next(self, ordered=True):
        key, self.key = self.key, self.key + jnp.asarray([0, 1], "uint32")
        return key


def _switch(index, functions, operand):
    """`functions[index](operand)`, in the type of the operand; a `lax.switch` if the index is traced."""
    kept = [lambda x, function=function: function(x).astype(x.dtype) for function in functions]
    return jax.lax.switch(index, kept, operand) if isinstance(index, Tracer) else kept[int(index)](operand)


def _fold(function, start, items):
    """`function(... function(start, items[0]) ..., items[-1])`, for an array or for several arrays in
    parallel; a `lax.scan` if they are traced."""
    if isinstance(jax.tree.leaves(items)[0], Tracer):
        return jax.lax.scan(lambda carried, item: (function(carried, item), None), start, items)[0]
    for item in zip(*items, strict=True) if isinstance(items, tuple) else items:
        start = function(start, item)
    return start
