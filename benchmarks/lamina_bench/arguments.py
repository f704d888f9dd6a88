"""The arguments of `lamina bench`. The command line finds them through an entry point, so this file imports only
argparse."""

from __future__ import annotations

import argparse

__all__ = ["add_arguments"]

_EXAMPLES = """\
examples:
  lamina bench --json all.json --picture all.svg     everything, half an hour
  lamina bench --quick                               five workloads, beside Keras on JAX
  lamina bench --only lstm text_gru --libraries lamina torch
  lamina bench --read one.json two.json --picture both.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments and examples of the command, and set the module whose `main` runs it."""
    parser.set_defaults(module="lamina_bench.command")
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "--only", nargs="+", metavar="WORKLOAD", help="some workloads, as lstm cnn_2d import; all if not given"
    )
    parser.add_argument(
        "--libraries", nargs="+", metavar="NAME",
        help="lamina, keras-jax, keras-tensorflow, keras-torch, tf_keras, jax, torch; all that are there if not given",
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="five workloads, lamina and Keras on JAX alone")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="turns of each library (default 3)")
    parser.add_argument("--seconds", type=float, default=0.3, help="how long a turn is, about (default 0.3)")
    parser.add_argument(
        "--cache-for-all", action="store_true", help="give libraries on JAX the disk cache that JAX has but leaves off"
    )
    parser.add_argument("--json", metavar="FILE", help="write all figures")
    parser.add_argument("--picture", metavar="FILE", help="write a picture, .svg or .png; needs matplotlib")
    parser.add_argument("--read", nargs="+", metavar="FILE", help="measure nothing: show files of --json, as one")
