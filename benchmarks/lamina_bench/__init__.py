"""`lamina bench`: the same work done by lamina, by Keras on each backend, and by loops written by hand, and compared.

`workloads.py` says what the work is, `keras_models.py`, `torch_models.py` and `jax_models.py` write it down for each
library, the `*_subject.py` files train and predict with it, `worker.py` measures one library on one workload in a
process of its own, `rounds.py` lets the processes take turns, `table.py` and `picture.py` show what came out.
"""

__all__ = []
