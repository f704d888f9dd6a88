"""All programs, by family."""

from benchmarks.faults import (
    attention,
    binary_heads,
    class_labels,
    class_losses,
    depth,
    further_spellings,
    preparation,
    questions,
    regressions,
    repositories,
    sequences,
    sound_generative,
    sound_others,
    sound_series,
    sound_spellings,
    sound_styles,
    sound_tables,
    sound_text,
    sound_vision,
    spellings,
    training,
    vision,
)  # fmt: skip
from benchmarks.faults.program import Program, programs_of

__all__ = ["FAULTY", "PROGRAMS", "SOUND"]

FAULTY = (
    binary_heads, class_losses, class_labels, regressions, depth, vision, sequences, attention, training, preparation,
    questions, repositories, spellings,
    further_spellings,
)  # fmt: skip
SOUND = (
    sound_vision,
    sound_text,
    sound_series,
    sound_generative,
    sound_tables,
    sound_others,
    sound_styles,
    sound_spellings,
)

PROGRAMS: dict[str, Program] = {program.name: program for program in programs_of((*FAULTY, *SOUND))}
"""Name -> Program."""
