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
    forums_again,
    forums_again_networks,
    forums_data,
    forums_heads,
    forums_networks,
    forums_training,
    further_spellings,
    helped_again,
    helped_data,
    helped_heads,
    helped_more,
    helped_more_again,
    helped_sequences,
    helped_training,
    learners_again,
    learners_more,
    learners_networks,
    learners_settings,
    learners_tables,
    posts_again,
    posts_data,
    posts_losses,
    preparation,
    questions,
    regressions,
    reported_again,
    reported_pictures,
    reported_sequences,
    reported_tables,
    repositories,
    sequences,
    sound_forums,
    sound_forums_others,
    sound_generative,
    sound_helped,
    sound_helped_others,
    sound_learners,
    sound_learners_sequences,
    sound_others,
    sound_reported,
    sound_reported_again,
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
    learners_tables, learners_settings, learners_networks, learners_again,
    learners_more,
    helped_heads, helped_data, helped_training, helped_sequences, helped_more, helped_again, helped_more_again,
    forums_heads, forums_data, forums_training, forums_networks, forums_again, forums_again_networks,
    reported_tables, reported_pictures, reported_sequences, reported_again,
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
    sound_learners,
    sound_learners_sequences,
    sound_helped,
    sound_helped_others,
    sound_forums,
    sound_forums_others,
    sound_reported,
    sound_reported_again,
)


def _by_name(programs):
    """The programs by name; with that of its module for one whose name another has."""
    found: dict[str, Program] = {}
    for program in programs:
        module = program.make.__module__.rpartition(".")[2]
        found[f"{module}.{program.name}" if program.name in found else program.name] = program
    return found


PROGRAMS: dict[str, Program] = _by_name(programs_of((*FAULTY, *SOUND)))
"""Name -> Program."""
