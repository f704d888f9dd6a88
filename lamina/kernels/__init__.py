"""Programs under the ops: primitives of JAX with programs of their own for CPUs. They import nothing else of lamina."""
