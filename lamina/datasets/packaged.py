"""Readers of the files in `lamina/datasets/data`, whose SOURCES.md states the origin and licence of each."""

from __future__ import annotations

from pathlib import Path

import numpy as np

__all__ = ["data_path", "read_table"]


def data_path(name: str) -> Path:
    """The path of a packaged file.

    Args:
        name: Name of the file.
    """
    return Path(__file__).with_name("data") / name


def read_table(name: str, columns: int | None = None) -> np.ndarray:
    """The numbers of a CSV file after its header row, float64 (rows, columns), with NaN for empty fields.

    Args:
        name: Name of the file.
        columns: Number of columns to read, from the first; None means all.
    """
    usecols = None if columns is None else range(columns)
    return np.genfromtxt(data_path(name), delimiter=",", skip_header=1, usecols=usecols)
