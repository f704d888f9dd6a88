"""All programs, by family."""

from benchmarks.faults import (
    attention,
    binary_heads,
    class_labels,
    class_losses,
    depth,
    preparation,
    regressions,
    sequences,
    training,
    vision,
)  # fmt: skip
from benchmarks.faults.program import Program, programs_of

__all__ = ["FAMILIES", "PROGRAMS"]

FAMILIES = (
    binary_heads, class_losses, class_labels, regressions, depth, vision, sequences, attention, training, preparation,
)  # fmt: skip

PROGRAMS: dict[str, Program] = {program.name: program for program in programs_of(FAMILIES)}
"""Name -> Program."""
