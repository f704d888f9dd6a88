"""Run steps on many devices: place variables, batches and results as the current distribution specifies."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.sharding import NamedSharding, PartitionSpec

from lamina.core import context
from lamina.core.abstract import without_value
from lamina.core.placement import place, sharding_of
from lamina.distribution import TensorLayout
from lamina.errors import DataError
from lamina.training.comparison import Comparison
from lamina.training.data.shares import share_of

__all__ = ["RealRows", "ShardedExecution", "real_rows", "sharded_execution"]


class ShardedExecution:
    """Places the variables, batches and results of a Runner while a distribution is set.

    Attributes:
        parts: Into how many parts a batch is divided.
        largest: Number of rows of the largest training batch.
        trains_by_parts: Whether a training step computed the model by `call_by_parts`.
        comparison: What the processes have compared of the model.
        is_told: Whether a warning told of batches that are computed whole.
        sizes: Number of rows of each share of the next batch, of which each process has its share; None if each has all
            rows, or as many as the others.
    """

    def __init__(self, distribution: Any) -> None:
        self.distribution = distribution
        mesh = distribution.device_mesh.backend_mesh
        self.whole: NamedSharding = NamedSharding(mesh, PartitionSpec())
        self._several = distribution.num_processes > 1
        self.parts: int = mesh.shape[distribution.batch_dim_name]  # into which a batch is divided
        self._share = share_of(distribution)
        self.largest: int = 0  # rows of the largest training batch
        self.trains_by_parts = self.is_told = False
        self.comparison = Comparison()
        self.sizes: list[int] | None = None
        self._before: int | None = None  # rows of the batch in the shares before that of this process

    def adopt(self, variables: Any, optimizer: Any = None) -> None:
        """Move variables that were created without this distribution, or for another mesh, to this mesh.

        Args:
            variables: Variables of a model and of its optimizer.
            optimizer: The optimizer, or None.
        """
        self.comparison.restart()
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

    def batch(self, batch: Any, training: bool = False) -> Any:
        """Place a batch on the devices, each of which gets its share. Leaves whose rows cannot be divided evenly get
        more, which a step drops: they become RealRows.

        Args:
            batch: The batch, or the part of it that this process has.
            training: Whether it is a batch of the training.
        """
        sizes, self.sizes = self.sizes, None
        self._before = sum(sizes[: self._share.number]) if sizes and self._share else None
        if self._several and (sizes is not None or not self.distribution.auto_shard_dataset):
            placed = jax.tree_util.tree_map(lambda leaf: self._joined(leaf, sizes), batch)
        else:
            placed = jax.tree_util.tree_map(self._divided, batch)
        if training:
            leaf = next((leaf for leaf in jax.tree_util.tree_leaves(placed, is_leaf=_is_padded) if leaf.ndim), None)
            self.largest = max(self.largest, 0 if leaf is None else leaf.shape[0])
        return placed

    def described(self, batch: Any) -> Any:
        """What `batch` returns for a whole batch, as shapes and types.

        Args:
            batch: The batch as shapes and types.
        """

        def one(leaf):
            layout, rows = self.layout(leaf), leaf.shape[0] if leaf.shape else 0
            shape = (rows + -rows % self.parts, *leaf.shape[1:]) if leaf.shape else ()
            return _with_rows(jax.ShapeDtypeStruct(shape, leaf.dtype, sharding=layout), layout, [(0, rows)])

        return jax.tree_util.tree_map(one, batch)

    def _divided(self, leaf):
        """A leaf of which each process has all rows."""
        layout = self.layout(leaf)
        rows = leaf.shape[0] if leaf.shape else 0
        more = -rows % self.parts
        return _with_rows(place(_longer(leaf, more), layout), layout, [(0, rows)])

    def _joined(self, leaf, sizes):
        """A leaf of which each process has a share, of so many rows; None: of as many as this one."""
        layout, share = self.layout(leaf), self._share
        if share is None or not leaf.shape:
            try:
                return jax.make_array_from_process_local_data(layout, np.asarray(leaf))
            except ValueError as error:
                raise DataError(
                    f"A batch of {leaf.shape[0]} in each process cannot be divided evenly among its devices: {error}",
                    fix="Let the rows of each process be one block of the mesh: DataParallel(auto_shard_dataset=False)",
                ) from error
        rows = leaf.shape[0]
        if sizes is None or sizes[share.number] != rows:
            sizes = [rows] * share.count
        most = share.padded(max(sizes))
        local = np.asarray(_longer(leaf, most - rows))
        value = jax.make_array_from_process_local_data(layout, local, (share.count * most, *leaf.shape[1:]))
        return _with_rows(value, layout, [(place * most, place * most + size) for place, size in enumerate(sizes)])

    def layout(self, leaf: Any) -> Any:
        """The sharding of a leaf of a batch.

        Args:
            leaf: Array, or its shape and type.
        """
        return sharding_of(self.distribution.get_data_layout(leaf.shape))

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
        first = self.distribution.data_shard_id * rows if self._before is None else self._before
        return jax.tree_util.tree_map(lambda leaf: np.asarray(leaf)[first : first + rows], outputs)


@jax.tree_util.register_pytree_node_class
@dataclasses.dataclass(frozen=True)
class RealRows:
    """An array with more rows than a batch has, so that devices have as many each.

    Attributes:
        value: The array.
        layout: Sharding of the rows.
        blocks: (start, stop) of those that belong to the batch.
    """

    value: Any
    layout: NamedSharding
    blocks: tuple[tuple[int, int], ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the batch."""
        return sum(stop - start for start, stop in self.blocks), *self.value.shape[1:]

    @property
    def ndim(self) -> int:
        """The number of its dimensions."""
        return len(self.shape)

    def tree_flatten(self) -> tuple[tuple[Any], tuple[Any, ...]]:
        """What a program takes, and what it is compiled for."""
        return (self.value,), (self.layout, self.blocks)

    @classmethod
    def tree_unflatten(cls, kept: tuple[Any, ...], values: tuple[Any]) -> RealRows:
        """The inverse of `tree_flatten`."""
        return cls(*values, *kept)

    def rows(self) -> jax.Array:
        """The rows of the batch. In a program, each device has all of them: XLA's programs for parts of different sizes
        can end the process."""
        value = self.value
        if isinstance(value, Tracer):
            value = jax.lax.with_sharding_constraint(value, NamedSharding(self.layout.mesh, PartitionSpec()))
        found = [value[start:stop] for start, stop in self.blocks]
        return found[0] if len(found) == 1 else jnp.concatenate(found)


def real_rows(batch: Any) -> Any:
    """A batch without the rows that were added where it was placed.

    Args:
        batch: What `ShardedExecution.batch` returned.
    """
    return jax.tree_util.tree_map(lambda leaf: leaf.rows() if _is_padded(leaf) else leaf, batch, is_leaf=_is_padded)


def _is_padded(leaf):
    return isinstance(leaf, RealRows)


def _with_rows(value, layout, blocks):
    """The RealRows of an array; the array itself if all of its rows are real."""
    joined = [blocks[0]]
    for start, stop in blocks[1:]:
        if start == joined[-1][1]:
            joined[-1] = joined[-1][0], stop
        elif start < stop:
            joined.append((start, stop))
    return value if not value.ndim or joined == [(0, value.shape[0])] else RealRows(value, layout, tuple(joined))


def _longer(leaf, more):
    """An array with so many more rows."""
    if not more:
        return leaf
    leaf = np.asarray(leaf)
    return np.concatenate([leaf, np.zeros((more, *leaf.shape[1:]), leaf.dtype)])


def sharded_execution(before: ShardedExecution | None = None) -> ShardedExecution | None:
    """The ShardedExecution of the current distribution, which may be `before`; None without a distribution."""
    distribution = context.distribution()
    if distribution is None:
        return None
    return before if before is not None and before.distribution is distribution else ShardedExecution(distribution)
