"""What threads of the program that share a model must not do at the same time."""

import threading

building_lock = threading.RLock()  # held while a layer makes its weights, or a model what runs its steps
