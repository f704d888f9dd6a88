"""`python -m benchmarks` is `lamina bench`: the code is in lamina/bench/, so that a wheel has it too."""

import sys

from lamina.cli import main

if __name__ == "__main__":
    sys.exit(main(["bench", *sys.argv[1:]]))
