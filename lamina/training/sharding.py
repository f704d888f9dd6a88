"""Steps over many devices: variables, batches and results of a step where the current distribution has them."""

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from lamina.core import context
from lamina.core.placement import divisible_sharding, place, sharding_of
from lamina.distribution import TensorLayout
from lamina.errors import DataError, warn

__all__ = ["Spread", "current_spread"]


class Spread:
    """What a Runner asks while a distribution is current."""

    def __init__(self, distribution):
        self.distribution = distribution
        mesh = distribution.device_mesh.backend_mesh
        self.whole = NamedSharding(mesh, PartitionSpec())
        self._several = distribution.num_processes > 1
        self._shardings = {}  # shape of an array -> (the sharding asked for, the one that fits)
        self._largest = 0  # samples in a batch of training

    def adopt(self, variables):
        """Give a layout to variables that have none, made outside of the scope, and one on this mesh to those of
        another."""
        mesh = self.distribution.device_mesh
        devices = set(self.whole.device_set)
        for variable in variables:
            old = variable.layout
            if old is not None and set(sharding_of(old).device_set) == devices:
                continue
            variable.layout = None
            axes = getattr(old, "axes", None)
            if axes is not None and set(axes) - {None} <= set(mesh.axis_names):
                layout = TensorLayout(axes, mesh)  # slots of an optimizer stay split as their variables
            else:
                layout = self.distribution.get_variable_layout(variable)
            variable.set_layout(layout)
            variable.assign(variable.read())

    def batch(self, batch, training):
        """A batch on the devices: each has its share, or the whole where the batch does not divide."""
        return jax.tree_util.tree_map(lambda leaf: self._share(leaf, training), batch)

    def _share(self, leaf, training):
        shape = leaf.shape
        if shape not in self._shardings:
            layout = sharding_of(self.distribution.get_data_layout(shape))
            self._shardings[shape] = layout, divisible_sharding(layout, shape)
        layout, sharding = self._shardings[shape]
        if self._several and not self.distribution.auto_shard_dataset:
            return self._joined(leaf, layout)
        if training and shape:
            if sharding != layout and shape[0] >= max(self._largest, 2):
                warn(
                    f"A batch of {shape[0]} does not divide by the {self.distribution.num_model_replicas} devices that "
                    f"share it: each computes the whole batch. Choose a batch_size that divides."
                )
            self._largest = max(self._largest, shape[0])
        return place(leaf, sharding)

    def _joined(self, leaf, layout):
        """The batch that all processes give together."""
        try:
            return jax.make_array_from_process_local_data(layout, np.asarray(leaf))
        except ValueError as error:
            raise DataError(
                f"A batch of {leaf.shape[0]} in each process does not divide by its devices: {error}",
                fix="With auto_shard_dataset=False each process gives batches of one size that divides by its devices.",
            ) from error

    def results(self, kind, groups):
        """Where a compiled step leaves its results: the state as it came, logs whole on each device."""

        def state(*names):
            return tuple([sharding_of(variable.layout) for variable in groups[name]] for name in names)

        if kind == "train":
            return (self.whole, (*state("trainable", "others", "optimizer", "metrics"), {})), self.whole
        if kind == "test":
            return (self.whole, None, *state("metrics")), self.whole
        return (self.whole if self._several else None, None), self.whole

    def outputs(self, outputs, batch):
        """The outputs of `predict`: where each process gave a batch of its own, those of that batch."""
        if not self._several or self.distribution.auto_shard_dataset:
            return outputs
        rows = jax.tree_util.tree_leaves(batch)[0].shape[0]
        first = self.distribution.data_shard_id * rows
        return jax.tree_util.tree_map(lambda leaf: np.asarray(leaf)[first : first + rows], outputs)


def current_spread(before=None):
    """The Spread of the current distribution, None without one; `before` itself if it is that."""
    distribution = context.distribution()
    if distribution is None:
        return None
    return before if before is not None and before.distribution is distribution else Spread(distribution)
