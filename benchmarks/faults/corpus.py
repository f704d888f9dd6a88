"""All programs, by family."""

from benchmarks.faults import binary_heads, class_labels, class_losses
from benchmarks.faults.program import Program, programs_of

__all__ = ["FAMILIES", "PROGRAMS"]

FAMILIES = (binary_heads, class_losses, class_labels)

PROGRAMS: dict[str, Program] = {program.name: program for program in programs_of(FAMILIES)}
"""Name -> Program."""
