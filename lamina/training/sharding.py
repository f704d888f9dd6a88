"""Run steps on many devices: place variables, batches and results as the current distribution specifies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from lamina.core import context
from lamina.core.abstract import without_value
from lamina.core.placement import divisible_sharding, place, sharding_of
from lamina.distribution import TensorLayout
from lamina.errors import ConfigError, DataError, warn
from lamina.runtime import processes
from lamina.runtime.digests import part_digests

__all__ = ["ShardedExecution", "sharded_execution"]


class ShardedExecution:
    """Places the variables, batches and results of a Runner while a distribution is set."""

    def __init__(self, distribution: Any) -> None:
        self.distribution = distribution
        mesh = distribution.device_mesh.backend_mesh
        self.whole: NamedSharding = NamedSharding(mesh, PartitionSpec())
        self._several = distribution.num_processes > 1
        self._shardings = {}  # shape of an array -> (sharding of the distribution, sharding that the shape allows)
        self._largest = 0  # size of the largest training batch
        self._is_compared = False

    def adopt(self, variables: Any, optimizer: Any = None) -> None:
        """Move variables that were created without this distribution, or for another mesh, to this mesh.

        Args:
            variables: Variables of a model and of its optimizer.
            optimizer: The optimizer, or None.
        """
        for variable, layout in self.layouts(variables, optimizer):
            old = variable.layout
            sharding = variable.set_layout(layout)
            is_there = old is not None and sharding.is_equivalent_to(sharding_of(old), variable.ndim)
            if not is_there and not without_value(variable):
                variable.assign(variable.read())

    def layouts(self, variables: Any, optimizer: Any = None) -> Iterator[tuple[Any, Any]]:
        """(variable, layout) for each that has another layout here, or none yet."""
        mesh = self.distribution.device_mesh
        devices = set(self.whole.device_set)
        kept = getattr(optimizer, "_slots", {}).items()
        owners = {id(slot): variable for variable, slots in kept for slot in slots.values()}
        for variable in variables:
            old, owner = variable.layout, owners.get(id(variable))
            if old is not None and owner is None and set(sharding_of(old).device_set) == devices:
                continue
            axes = getattr(old, "axes", None)
            if axes is not None and set(axes) - {None} <= set(mesh.axis_names):
                layout = TensorLayout(axes, mesh)  # optimizer slots stay sharded like their variables
            else:
                variable.layout = None
                layout = self.distribution.get_variable_layout(variable)
                variable.layout = old
            if owner is not None:
                layout = self.distribution.get_slot_layout(owner, variable.shape, layout)
            yield variable, layout

    def compare(self, groups: dict[str, list[Any]]) -> None:
        """Raise an error if processes have different values of what is one value of the model: copies of it, trained
        together, would stay different and none of them would be right.

        Args:
            groups: The variables of the model, in groups.

        Raises:
            ConfigError: A value differs.
        """
        if processes.together() is None or self._is_compared:
            return
        self._is_compared = True
        variables = [*(variable for group in groups.values() for variable in group), *context.global_refs()]
        digests = [part_digests(variable.read()) for variable in variables]
        found = processes.gather(digests, "comparing the model")
        for index, variable in enumerate(variables):
            of_part: dict[str, str] = {}
            if any(of_part.setdefault(part, digest) != digest for one in found for part, digest in one[index].items()):
                raise ConfigError(
                    f"The processes have different values of {getattr(variable, 'path', 'a seed')}.",
                    fix="keras.utils.set_random_seed(1) in each process, before the model is made or loaded.",
                )

    def batch(self, batch: Any, training: bool) -> Any:
        """Place a batch on the devices: each gets its share, or the whole batch if it cannot be divided evenly."""
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
                    f"A batch of {shape[0]} cannot be divided evenly among {self.distribution.num_model_replicas} "
                    f"devices, so each computes the whole batch. Choose a batch_size that is a multiple."
                )
            self._largest = max(self._largest, shape[0])
        return place(leaf, sharding)

    def _joined(self, leaf, layout):
        """The global batch, assembled from the part in each process."""
        try:
            return jax.make_array_from_process_local_data(layout, np.asarray(leaf))
        except ValueError as error:
            raise DataError(
                f"A batch of {leaf.shape[0]} in each process cannot be divided evenly among its devices: {error}",
                fix="With auto_shard_dataset=False the batch size of a process is a multiple of its number of devices.",
            ) from error

    def results(self, kind: str, groups: Any) -> Any:
        """The shardings of a compiled step's results: the state keeps its shardings, and logs are replicated."""

        def state(*names):
            return tuple([sharding_of(variable.layout) for variable in groups[name]] for name in names)

        if kind == "train":
            return (self.whole, (*state("trainable", "others", "optimizer", "metrics"), {})), self.whole
        if kind == "test":
            return (self.whole, None, *state("metrics")), self.whole
        return (self.whole if self._several else None, None), self.whole

    def outputs(self, outputs: Any, batch: Any) -> Any:
        """The outputs of `predict`. If each process has its own batch, the outputs for that batch."""
        if not self._several or self.distribution.auto_shard_dataset:
            return outputs
        rows = jax.tree_util.tree_leaves(batch)[0].shape[0]
        first = self.distribution.data_shard_id * rows
        return jax.tree_util.tree_map(lambda leaf: np.asarray(leaf)[first : first + rows], outputs)


def sharded_execution(before: ShardedExecution | None = None) -> ShardedExecution | None:
    """The ShardedExecution of the current distribution, which may be `before`; None without a distribution."""
    distribution = context.distribution()
    if distribution is None:
        return None
    return before if before is not None and before.distribution is distribution else ShardedExecution(distribution)
