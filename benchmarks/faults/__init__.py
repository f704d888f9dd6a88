"""Faulty and sound Keras programs, and a score for linters of them: `python -m benchmarks.faults`."""
