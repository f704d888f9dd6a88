"""Optimizer steps for many variables in one call."""

import jax
import jax.numpy as jnp

from lamina_native.library import foreign_call

__all__ = ["adam"]


def adam(rate, values, gradients, momenta, velocities, *, beta_1, beta_2, epsilon):
    """Three lists: new values, first moments and second moments. All arrays are float32 and may be overwritten.

    `momentum += (1 - beta_1) * (gradient - momentum)`, `velocity += (1 - beta_2) * (gradient**2 - velocity)`, `value -=
    rate * momentum / (sqrt(velocity) + epsilon)`. `rate` is a float32 scalar that already includes the bias correction.
    """
    lists = [list(arrays) for arrays in (values, gradients, momenta, velocities)]
    count = len(lists[0])
    arrays = [array for arrays in lists for array in arrays]
    shapes = [array.shape for array in lists[0]]
    if rate.shape != () or any([array.shape for array in arrays] != shapes for arrays in lists):
        raise ValueError(f"adam needs one rate and lists of arrays of the same shapes; got {rate.shape} and {shapes}.")
    if any(array.dtype != jnp.float32 for array in (rate, *arrays)):
        raise TypeError(f"adam computes in float32; got {sorted({str(array.dtype) for array in (rate, *arrays)})}.")
    kept = [*range(count), *range(2 * count, 4 * count)]  # all except the gradients
    result = foreign_call(
        "adam", [jax.ShapeDtypeStruct(arrays[place].shape, jnp.float32) for place in kept], (rate, *arrays),
        dict(share_1=1.0 - beta_1, share_2=1.0 - beta_2, epsilon=float(epsilon)),
        {1 + place: index for index, place in enumerate(kept)},
    )  # fmt: skip
    return [list(result[start : start + count]) for start in (0, count, 2 * count)]
