"""What threads of the program that share a model must not do at the same time."""

import threading
from contextlib import AbstractContextManager
from typing import Any

building_lock: AbstractContextManager[Any] = threading.RLock()
"""Held while a layer makes its weights, or a model what runs its steps."""
