"""A sample of the programs of benchmarks/faults: sound ones get no finding above info, and the score counts rightly."""

import dataclasses

import pytest

from benchmarks.faults.corpus import PROGRAMS
from benchmarks.faults.lamina_codes import KINDS_OF_CODES
from benchmarks.faults.linters import Report, lamina
from benchmarks.faults.program import KINDS
from benchmarks.faults.score import Outcome, Score, outcomes_of
from lamina.check import RULES
from tests.check.rule_programs import lacking

SAMPLE = list(PROGRAMS.values())[::14]
RUNS = [code for code, rule in RULES.items() if rule.needs == "forward"]  # the whole benchmark has them


def _with(case, ignored):
    return dataclasses.replace(case, fit={**case.fit, "ignore": ignored})


def without_running(case):
    return lamina(_with(case, RUNS))


@pytest.mark.filterwarnings("ignore:.*is written as:FutureWarning")  # some programs are in old spellings
@pytest.mark.filterwarnings("ignore:.*does not support masking:UserWarning")  # the fault of one
@pytest.mark.parametrize("program", SAMPLE, ids=lambda program: program.name)
def test_program(program):
    for one in outcomes_of([program], without_running):
        assert one.raised is None and not one.false_alarm, (one.version, one.raised, one.grave)


NAMED = {
    "policy_loss_with_swapped_arguments": "LAM111", "own_loss_on_columns_and_rows": "LAM112",
    "recall_of_scores_without_bounds": "LAM113", "largest_of_several_labels": "LAM113",
    "overlap_of_probabilities": "LAM113", "divergence_of_sigmoids": "LAM119",
    "root_of_errors_in_padding": "LAM124", "divergence_with_the_wrong_sign": "LAM124", "weight_of_nought": "LAM217",
    "ten_steps_in_all": "LAM311", "frozen_before_it_learned": "LAM318", "bag_of_words_into_an_embedding": "LAM404",
    "divided_and_cast_to_bytes": "LAM408", "decoder_repeats_its_input": "LAM412",
}  # fmt: skip
"""Name of a program -> code that names its fault, and is not given for the mended one."""


@pytest.mark.parametrize("name", NAMED)
def test_fault_is_named(name):
    for version in ("faulty", "mended"):
        case, code = PROGRAMS[name].case(version), NAMED[name]
        found = [one.code for one in lamina(_with(case, RULES.keys() - {code})) if one.grave]
        assert found == [code] * (version == "faulty" and name != "policy_loss_with_swapped_arguments")


def test_labels_of_positions_are_no_classes_of_rows():
    assert "LAM405" not in {one.code for one in lamina(PROGRAMS["decoder_repeats_its_input"].case("mended"))}


def test_kinds_are_those_of_the_vocabulary():
    assert all(kinds <= KINDS.keys() for kinds in KINDS_OF_CODES.values())
    named = [kind for program in PROGRAMS.values() for kind in program.kinds]
    assert set(named) == set(KINDS)


def test_there_are_enough_programs():
    faulty = [program for program in PROGRAMS.values() if program.kinds]
    assert len(faulty) >= 150 and len(PROGRAMS) - len(faulty) >= 150
    assert all(program.source and program.summary.endswith(".") for program in PROGRAMS.values())


def test_each_rule_has_faulty_and_sound_programs():
    elsewhere = {"LAM509", "LAM601", "LAM602"}  # test_watch, test_first_steps; tests/mistakes/test_check
    assert set(lacking()) == elsewhere


def test_score():
    wrong = next(program for program in PROGRAMS.values() if "loss" in program.kinds)
    right, other = Report("A", frozenset({"loss"})), Report("B", frozenset({"mask"}))
    advice = Report("C", frozenset(), grave=False)
    outcomes = [
        Outcome(wrong, "faulty", (right, other, advice)), Outcome(wrong, "faulty", (other,)),
        Outcome(wrong, "mended", (advice,)), Outcome(wrong, "mended", (right,)), Outcome(wrong, "mended", raised="no"),
    ]  # fmt: skip
    score = Score(outcomes)
    assert score.recall == 1 / 2 and score.precision == 1 / 4
    assert score.false_alarms == outcomes[3:] and score.by_kind()["loss"] == (1, 2)
    assert score.by_code()["A"].precision == 1 / 2 and score.by_code()["C"].on_sound == 1


def test_a_linter_that_raises_has_missed():
    def linter(case):
        raise ValueError("no")

    faulty, mended = outcomes_of([next(iter(PROGRAMS.values()))], linter)
    assert not faulty.found and mended.false_alarm and mended.raised == "ValueError: no"
