"""All programs, by family."""

from benchmarks.faults import (
    asked_again,
    asked_heads,
    asked_more,
    asked_numbers,
    asked_sequences,
    asked_training,
    attention,
    binary_heads,
    class_labels,
    class_losses,
    depth,
    further_spellings,
    posts_again,
    posts_data,
    posts_losses,
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
    sound_wild,
    sound_wild_series,
    spellings_of_data,
    spellings_of_depth,
    spellings_of_heads,
    spellings_of_training,
    threads_again,
    threads_data,
    threads_losses,
    threads_networks,
    training,
    vision,
    wild_again,
    wild_data,
    wild_heads,
    wild_training,
)  # fmt: skip
from benchmarks.faults.program import Program, programs_of

__all__ = ["FAULTY", "PROGRAMS", "SOUND"]

FAULTY = (
    binary_heads, class_losses, class_labels, regressions, depth, vision, sequences, attention, training, preparation,
    questions, repositories, spellings_of_heads, spellings_of_training, spellings_of_depth, spellings_of_data,
    further_spellings, wild_data, wild_heads, wild_training, wild_again,
    posts_losses, posts_data, posts_again,
    threads_losses, threads_networks, threads_data, threads_again,
    asked_heads, asked_numbers, asked_training, asked_sequences, asked_again, asked_more,
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
    sound_wild,
    sound_wild_series,
)

PROGRAMS: dict[str, Program] = {program.name: program for program in programs_of((*FAULTY, *SOUND))}
"""Name -> Program."""
