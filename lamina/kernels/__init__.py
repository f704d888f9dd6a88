"""Programs under the ops: JAX primitives with versions of their own for CPUs. They know arrays alone."""
