"""lamina beside Keras on JAX, the same work in turns in one process: microseconds a training step, and their ratio.

    .venv/bin/python benchmarks/quick.py

The same as `lamina bench --beside keras`, which has the work.
"""

import sys

from lamina.cli import main

if __name__ == "__main__":
    sys.exit(main(["bench", "--beside", "keras", *sys.argv[1:]]))
