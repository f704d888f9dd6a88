"""`lamina bench`: compares the speed of lamina, Keras on each backend, and hand-written loops on the same workloads.

`workloads.py` defines the workloads. `keras_models.py`, `torch_models.py` and `jax_models.py` implement them for each
library, and the `*_subject.py` files train these models and predict with them. `worker.py` measures one library on one
workload in a separate process, `rounds.py` alternates between these processes, and `table.py` and `picture.py` show the
results.
"""

__all__ = []
