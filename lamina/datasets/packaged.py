"""Read the files in `lamina/datasets/data`; SOURCES.md there gives the origin and licence of each."""

from pathlib import Path

import numpy as np

__all__ = ["data_path", "read_table"]


def data_path(name):
    """Path of the packaged file `name`."""
    return Path(__file__).with_name("data") / name


def read_table(name, columns=None):
    """Numbers of a CSV file below its header row, an empty field as NaN: float64 of shape (rows, columns).

    `columns` keeps the first so many.
    """
    usecols = None if columns is None else range(columns)
    return np.genfromtxt(data_path(name), delimiter=",", skip_header=1, usecols=usecols)
