"""Word sequences of IMDB and Reuters: mark the start, shift, drop the long ones, cut the vocabulary."""

import numpy as np

from lamina.errors import CallError

__all__ = ["encode_words"]
