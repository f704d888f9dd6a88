"""Discretization: maps numbers to bins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from lamina.core import context
from lamina.core.arguments import whole
from lamina.errors import CallError, ConfigError
from lamina.layers.categories import Categorical, batches_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from lamina.core.typing import Config, Tensor

__all__ = ["Discretization"]


class Discretization(Categorical):
    """Maps each value to the number of its bin: the number of boundaries that are less than or equal to it.

    Args:
        bin_boundaries: Boundaries of the bins in ascending order; None if `num_bins` is given.
        num_bins: Number of bins that `adapt` makes, each with about the same number of values; None if `bin_boundaries`
            is given.
        epsilon: Error tolerance of the boundaries that `adapt` finds; a smaller value keeps more of the data in memory.
        output_mode: "int" for the number of the bin, or "one_hot", "multi_hot", "count" as in `CategoryEncoding`.
        sparse: Whether the outputs are sparse arrays, `jax.experimental.sparse.BCOO`.
        dtype: Type or dtype policy; None means the global policy.
        name: Name of the layer, unique in a model.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> layer = keras.layers.Discretization(bin_boundaries=[0.0, 1.0, 2.0])
    >>> layer([[-1.5, 1.0, 3.4, 0.5]]).tolist()
    [[0, 2, 3, 1]]
    """

    _int_dtype = "int32"
    _config_skips = Categorical._config_skips | {"trainable"}  # not part of the config in Keras

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(output_mode=output_mode, sparse=sparse, dtype=dtype, name=name, **kwargs)
        if num_bins is not None:
            num_bins = whole(self, "num_bins", num_bins, least=0)
        if num_bins is not None and bin_boundaries is not None:
            raise ConfigError("Both `num_bins` and `bin_boundaries` should not be set.", fix="num_bins=None")
        if num_bins is None and bin_boundaries is None:
            raise ConfigError("You need to set either `num_bins` or `bin_boundaries`.", fix="num_bins=10")
        self.input_bin_boundaries = bin_boundaries
        self.bin_boundaries: Any = None if bin_boundaries is None else [float(b) for b in bin_boundaries]
        self.num_bins = num_bins
        self.epsilon = epsilon
        self.reset_state()

    @property
    def input_dtype(self) -> Any:
        """The type of the inputs."""
        return self.compute_dtype

    @property
    def _adaptable(self):
        return self.input_bin_boundaries is None

    @property
    def output_dtype(self) -> Any:
        """The type of the outputs."""
        return self._output_dtype

    def _depth(self):
        return self.num_bins if self.bin_boundaries is None else len(self.bin_boundaries) + 1

    def call(self, inputs: Any) -> Tensor:
        if self.bin_boundaries is None:
            message = f"{self.name} has no bin boundaries yet: adapt(data) makes them, or bin_boundaries= gives them."
            raise CallError(message, fix="layer.adapt(data)")
        boundaries = jnp.asarray(self.bin_boundaries, "float32")
        return self._encode(jnp.searchsorted(boundaries, inputs.astype("float32"), side="right"))

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Computes the boundaries of `num_bins` bins with about the same number of values each.

        Args:
            data: Array, dataset or iterable of batches.
            steps: Number of batches to use; None means all.
        """
        self.reset_state()
        for batch in batches_of(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Discards the data of `adapt`."""
        if self.input_bin_boundaries is None:
            self._seen = np.zeros((2, 0), "float32")

    def update_state(self, data: Any) -> None:
        """Adds one batch to the summary of the data.

        Args:
            data: Batch of data.
        """
        if self.input_bin_boundaries is not None:
            fix = "Pass `num_bins` instead."
            raise ConfigError(f"{self.name} cannot adapt, since it has `bin_boundaries`.", fix=fix)
        seen = np.concatenate([self._seen, _summary(np.asarray(data), self.epsilon)], axis=1)
        self._seen = _thinned(seen[:, np.argsort(seen[0])], self.epsilon)

    def finalize_state(self) -> None:
        """Computes the boundaries from the summary of the data."""
        if self.input_bin_boundaries is None and self.num_bins:
            self.bin_boundaries = _thinned(self._seen, 1 / self.num_bins)[0, :-1].tolist()
            self._revision += 1
            context.structure_changed()

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """The layer of a config, which may hold boundaries that `adapt` found, beside the number of bins.


        Args:
            config: What `get_config` returned.
        """
        found = config.get("bin_boundaries") if config.get("num_bins") is not None else None
        layer = super().from_config({**config, "bin_boundaries": None} if found is not None else config)
        if found is not None:
            layer.bin_boundaries = list(found)
        return layer


def _summary(values, epsilon):
    """(2, n): every (epsilon * size)-th of the sorted values, and the number of values that it represents."""
    values = np.sort(values.astype("float32").ravel())
    step = values.size * epsilon
    chosen = values[max(int(step) - 1, 0) :: max(int(step), 1)]
    return np.stack([chosen, np.full_like(chosen, max(step, 1))])


def _thinned(summary, epsilon):
    """A summary at the ranks epsilon, 2 epsilon, ..., by linear interpolation."""
    if summary.shape[1] * epsilon < 1:
        return summary
    values, counts = summary
    totals = np.cumsum(counts)
    ranks = epsilon + np.arange(0, 1, epsilon)
    totals_there = np.interp(ranks, totals / totals[-1], totals)
    new = np.stack([np.interp(ranks, totals / totals[-1], values), np.diff(totals_there, prepend=0)])
    return new.astype("float32")
