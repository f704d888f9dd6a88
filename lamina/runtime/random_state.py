"""The global random generators of NumPy and Python: their states as arrays, to be kept and put back."""

import random

import numpy as np

__all__ = ["random_states", "set_random_states"]


def random_states():
    """The states of NumPy's and Python's global generators: name -> array.

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


def set_random_states(states):
    """Put back what `random_states` gave."""
    position, has_gauss, gauss = states["numpy_rest"].tolist()
    np.random.set_state(("MT19937", states["numpy"], int(position), int(has_gauss), gauss))
    words, next_gauss = tuple(states["python"].tolist()), states["python_gauss"].tolist()
    random.setstate((3, words, next_gauss[0] if next_gauss else None))
