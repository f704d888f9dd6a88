"""Discretization: numbers to the bin that they fall into."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina.core import context
from lamina.errors import CallError, ConfigError
from lamina.layers.categories import Categorical, batches_of

__all__ = ["Discretization"]


class Discretization(Categorical):
    """The number of the bin each value falls into: how many boundaries are less than or equal to it.

    Args:
        bin_boundaries: the boundaries, in rising order.
        num_bins: or how many bins `adapt` shall make, each with about the same number of values.
        epsilon: how exact the boundaries of `adapt` are: a smaller one is more exact and keeps more of the data.
        output_mode: "int", or "one_hot", "multi_hot", "count" as in `CategoryEncoding`.
        sparse: accepted; the outputs are dense arrays.

    >>> import lamina as keras
    >>> layer = keras.layers.Discretization(bin_boundaries=[0.0, 1.0, 2.0])
    >>> layer([[-1.5, 1.0, 3.4, 0.5]]).tolist()
    [[0, 2, 3, 1]]
    """

    _int_dtype = "int32"
    _config_skips = Categorical._config_skips | {"trainable"}  # which Keras's has not

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: Any = None,
        epsilon=0.01,
        output_mode="int",
        sparse=False,
        dtype=None,
        name=None,
        **kwargs,
    ):
        super().__init__(output_mode=output_mode, sparse=sparse, dtype=dtype, name=name, **kwargs)
        if num_bins is not None and num_bins < 0:
            raise ConfigError(f"`num_bins` must be greater than or equal to 0; got num_bins={num_bins}.")
        if num_bins is not None and bin_boundaries is not None:
            raise ConfigError("Both `num_bins` and `bin_boundaries` should not be set.", fix="Give one of the two.")
        if num_bins is None and bin_boundaries is None:
            raise ConfigError("You need to set either `num_bins` or `bin_boundaries`.")
        self.input_bin_boundaries = bin_boundaries
        self.bin_boundaries: Any = None if bin_boundaries is None else [float(b) for b in bin_boundaries]
        self.num_bins, self.epsilon = num_bins, epsilon
        self.reset_state()

    @property
    def input_dtype(self):
        """Numbers of any kind."""
        return self.compute_dtype

    @property
    def _adaptable(self):
        return self.input_bin_boundaries is None

    @property
    def output_dtype(self):
        """The type of the outputs."""
        return self._output_dtype

    def _depth(self):
        return self.num_bins if self.bin_boundaries is None else len(self.bin_boundaries) + 1

    def call(self, inputs):
        if self.bin_boundaries is None:
            fix = "You need to either pass `bin_boundaries` or call `.adapt(data)`."
            raise CallError(f"{self.name} has no boundaries yet.", fix=fix)
        boundaries = jnp.asarray(self.bin_boundaries, "float32")
        return self._encode(jnp.searchsorted(boundaries, inputs.astype("float32"), side="right"))

    def adapt(self, data, steps=None):
        """Find `num_bins` bins with about equally many values each in `data`: an array, a dataset or an iterable of
        batches (`steps` of them)."""
        self.reset_state()
        for batch in batches_of(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self):
        """Forget what `adapt` saw."""
        if self.input_bin_boundaries is None:
            self._seen = np.zeros((2, 0), "float32")

    def update_state(self, data):
        """Take one batch into the picture of the data."""
        if self.input_bin_boundaries is not None:
            fix = "Give `num_bins` instead."
            raise ConfigError(f"{self.name} was given `bin_boundaries`: there is nothing to adapt.", fix=fix)
        seen = np.concatenate([self._seen, _picture(np.asarray(data), self.epsilon)], axis=1)
        self._seen = _thinned(seen[:, np.argsort(seen[0])], self.epsilon)

    def finalize_state(self):
        """Turn the picture of the data into boundaries."""
        if self.input_bin_boundaries is None and self.num_bins:
            self.bin_boundaries = _thinned(self._seen, 1 / self.num_bins)[0, :-1].tolist()
            self._revision += 1
            context.structure_changed()

    @classmethod
    def from_config(cls, config):
        """The layer of a config; boundaries that `adapt` found stand beside the number of bins asked for."""
        found = config.get("bin_boundaries") if config.get("num_bins") is not None else None
        layer = super().from_config({**config, "bin_boundaries": None} if found is not None else config)
        if found is not None:
            layer.bin_boundaries = list(found)
        return layer


def _picture(values, epsilon):
    """Every (epsilon * size)-th of the sorted values, over how many values it stands for."""
    values = np.sort(values.astype("float32").ravel())
    step = values.size * epsilon
    chosen = values[max(int(step) - 1, 0) :: max(int(step), 1)]
    return np.stack([chosen, np.full_like(chosen, max(step, 1))])


def _thinned(picture, epsilon):
    """The values at the ranks epsilon, 2 epsilon, ... by linear interpolation, over how many each stands for."""
    if picture.shape[1] * epsilon < 1:
        return picture
    values, counts = picture
    totals = np.cumsum(counts)
    ranks = epsilon + np.arange(0, 1, epsilon)
    totals_there = np.interp(ranks, totals / totals[-1], totals)
    new = np.stack([np.interp(ranks, totals / totals[-1], values), np.diff(totals_there, prepend=0)])
    return new.astype("float32")
