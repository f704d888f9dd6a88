"""`python -m benchmarks.faults.documented`: measure lamina, and write the figures into docs/ and README.md."""

from __future__ import annotations

import argparse
import pathlib
import re

from benchmarks.faults.corpus import PROGRAMS
from benchmarks.faults.lamina_codes import KINDS_OF_CODES
from benchmarks.faults.linters import linter_of
from benchmarks.faults.program import Program
from benchmarks.faults.score import Score, outcomes_of
from lamina.check.rules import RULES

__all__ = ["measured", "sound_networks_of_the_tests", "table", "write"]

ROOT = pathlib.Path(__file__).parents[2]
PAGES = ROOT / "docs" / "checks"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser("python -m benchmarks.faults.documented", description=__doc__)
    parser.add_argument("--linter", default="lamina", help="lamina or lamina_probe")
    linter = linter_of(parser.parse_args().linter)
    for code in sorted(RULES.keys() - KINDS_OF_CODES.keys()):
        print(f"{code} ({RULES[code].title}) has no kinds in lamina_codes.py.")
    programs = [*PROGRAMS.values(), *sound_networks_of_the_tests()]
    write(Score(list(outcomes_of(programs, linter))))


def sound_networks_of_the_tests() -> list[Program]:
    """The sound networks of tests/check, as programs."""
    from tests.check.more_sound_models import MORE
    from tests.check.sound_models import SOUND
    from tests.check.test_sound import FIT

    return [
        Program(make.__name__, frozenset(), "tests/check", "", lambda make=make: (*make(), FIT))
        for make in (*SOUND, *MORE)
    ]


def write(score: Score) -> None:
    """Write the figures of a score into the pages of the rules, docs/faults.md and README.md.

    Args:
        score: Score of lamina.
    """
    for code in KINDS_OF_CODES:
        path = PAGES / f"{code}.md"
        if path.is_file():
            body, source, rest = path.read_text(encoding="utf-8").rpartition("\nSource: ")
            body = re.sub(r"\nMeasured: .*\n$", "", body)
            line = measured(score, code)
            path.write_text(f"{body}\n{line}\n{source}{rest}" if line else f"{body}{source}{rest}", encoding="utf-8")
    for path in (ROOT / "docs" / "faults.md", pathlib.Path(__file__).with_name("README.md")):
        before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
        path.write_text(f"{before}{BEGIN}{table(score)}{END}{rest.partition(END)[2]}", encoding="utf-8")


def measured(score: Score, code: str) -> str:
    """The line of the page of a rule; "" where no program has a finding of it.

    Args:
        score: Score of lamina.
        code: Code of the rule.
    """
    rule = score.by_code().get(code)
    if rule is None:
        return ""
    given, kinds = rule.right + rule.off + rule.on_sound, KINDS_OF_CODES[code]
    faulty = sum(bool(one.program.kinds & kinds) for one in score.faulty)
    of, named = len(score.outcomes), ", ".join(sorted(kinds))
    return (
        f"Measured: reported for {given} of the {of} programs of `benchmarks/faults`, {rule.right} with a fault of its "
        f"kind and {rule.on_sound} sound (precision {rule.precision:.2f}). Programs with such a fault ({named}): "
        f"{faulty} (recall {rule.right / max(faulty, 1):.2f})."
    )


def table(score: Score) -> str:
    """The figures as Markdown.

    Args:
        score: Score of lamina.
    """
    found, faulty, alarms = sum(one.found for one in score.faulty), len(score.faulty), len(score.false_alarms)
    rows = "".join(f"| {kind} | {right} | {of} |\n" for kind, (right, of) in score.by_kind().items())
    return (
        f"\n- {found} of {faulty} faults are named: recall {score.recall:.2f}.\n"
        f"- {score.precision:.1%} of the errors and warnings name the fault of a faulty program: precision "
        f"{score.precision:.2f}.\n"
        f"- {alarms} of {len(score.sound)} sound programs have an error or a warning.\n\n"
        f"| kind of fault | found | programs |\n|---|---|---|\n{rows}\n"
    )


if __name__ == "__main__":
    main()
