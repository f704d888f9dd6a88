"""One seed for everything."""

import random

import numpy as np

from lamina.errors import ConfigError
from lamina.random import set_global_seed

__all__ = ["set_random_seed"]


def set_random_seed(seed):
    """Seed Python's and NumPy's generators and lamina's own, so that a program gives the same numbers in each run.

    >>> set_random_seed(1)
    >>> first = np.random.rand()
    >>> set_random_seed(1)
    >>> first == np.random.rand()
    np.True_
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ConfigError(f"A seed is an integer from 0 to 2**32 - 1; got {seed!r}.", fix="set_random_seed(0)")
    seed = int(seed)
    set_global_seed(seed)
    random.seed(seed)
    np.random.seed(seed)
