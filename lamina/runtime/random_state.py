"""The global random generators of NumPy and Python: their states as arrays, to save and restore."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

__all__ = ["random_states", "set_random_states"]


def random_states() -> dict[str, Any]:
    """The states of the global generators of NumPy and Python: name -> array.

    >>> states = random_states()
    >>> first = np.random.uniform(), random.random()
    >>> set_random_states(states)
    >>> first == (np.random.uniform(), random.random())
    True
    """
    numpy = np.random.get_state(legacy=False)
    _, words, next_gauss = random.getstate()
    return {
        "numpy": numpy["state"]["key"],
        "numpy_rest": np.array([numpy["state"]["pos"], numpy["has_gauss"], numpy["gauss"]], "float64"),
        "python": np.array(words, "uint32"),
        "python_gauss": np.array([] if next_gauss is None else [next_gauss], "float64"),
    }


def set_random_states(states: dict[str, Any]) -> None:
    """Restore the states of the global generators.

    Args:
        states: Result of `random_states`.
    """
    position, has_gauss, gauss = states["numpy_rest"].tolist()
    np.random.set_state(("MT19937", states["numpy"], int(position), int(has_gauss), gauss))
    words, next_gauss = tuple(states["python"].tolist()), states["python_gauss"].tolist()
    random.setstate((3, words, next_gauss[0] if next_gauss else None))
