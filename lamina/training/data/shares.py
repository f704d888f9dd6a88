"""Shares: which rows of each batch a process takes, so that it reads no others."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import Any

import jax

from lamina.core.placement import sharding_of

__all__ = ["Share", "share_of"]


@dataclasses.dataclass(frozen=True)
class Share:
    """The share of a process: as many rows as its devices take, those after the rows of the shares before.

    Attributes:
        number: Number of the share, from 0. Processes that hold parts of one copy of a model have the same.
        count: Number of shares.
        devices: Into how many equal parts a share is divided.

    >>> Share(number=1, count=2, devices=4).of(slice(0, 30))  # 4 rows for each of 8 devices; the last has 2
    slice(16, 30, None)
    """

    number: int
    count: int
    devices: int

    def padded(self, rows: int) -> int:
        """The rows of a share of at least so many that its devices can take.

        Args:
            rows: Number of rows.
        """
        return -(-rows // self.devices) * self.devices

    def of(self, rows: Any) -> Any:
        """The rows of this share.

        Args:
            rows: Rows of a batch: a slice, or an array of indices.
        """
        size = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
        most = self.padded(-(-size // self.count))
        first, last = min(self.number * most, size), min((self.number + 1) * most, size)
        return slice(rows.start + first, rows.start + last) if isinstance(rows, slice) else rows[first:last]


def share_of(distribution: Any) -> Share | None:
    """The share of this process; None if each process has all rows, or its rows are not one block.

    Args:
        distribution: Distribution.
    """
    parts = distribution.device_mesh.backend_mesh.shape[distribution.batch_dim_name]
    sharding, blocks = sharding_of(distribution.get_data_layout((parts,))), defaultdict(set)
    for device, (rows,) in sharding.devices_indices_map((parts,)).items():
        blocks[device.process_index].add(rows.start or 0)
    size = len(next(iter(blocks.values())))
    if any(block != set(range(min(block), min(block) + size)) or min(block) % size for block in blocks.values()):
        return None
    mine = blocks.get(jax.process_index())
    return Share(min(mine) // size, parts // size, size) if mine and size < parts else None
