"""Functions of batches of images with channels last, applied to images of either format, with or without a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from lamina.core.arguments import rank
from lamina.core.typing import DataFormat
from lamina.runtime.settings import standardize_data_format

__all__ = ["batched"]


def batched(function: Callable[..., Any], images: Any, data_format: DataFormat, space: int = 2) -> Any:
    """`function` of (batch, *space, channels), applied to images of either format, with or without a batch."""
    rank("An op of images", "images", images.shape, space + 1, space + 2, "([batch], *space, channels)")
    first = standardize_data_format(data_format) == "channels_first"
    batch = images if images.ndim == space + 2 else images[None]
    outputs = function(jnp.moveaxis(batch, 1, -1) if first else batch)
    outputs = jnp.moveaxis(outputs, -1, 1) if first else outputs
    return outputs if images.ndim == space + 2 else outputs[0]
