"""`python -m benchmarks.faults.documented`: measure lamina, and write the figures into docs/ and README.md."""

from __future__ import annotations

import argparse
import json
import pathlib
import re
from collections.abc import Iterable, Iterator

from benchmarks.faults.corpus import PROGRAMS
from benchmarks.faults.lamina_codes import KINDS_OF_CODES
from benchmarks.faults.linters import Linter, Report, linter_of
from benchmarks.faults.program import Program
from benchmarks.faults.score import Outcome, Score, outcomes_of
from lamina.check.rules import RULES

__all__ = ["kept_outcomes", "measured", "sound_networks_of_the_tests", "table", "write"]

ROOT = pathlib.Path(__file__).parents[2]
PAGES = ROOT / "docs" / "checks"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser("python -m benchmarks.faults.documented", description=__doc__)
    parser.add_argument("--linter", default="lamina", help="lamina or lamina_probe")
    parser.add_argument("--kept", type=pathlib.Path, help="file of outcomes: what it has is not measured again")
    options = parser.parse_args()
    for code in sorted(RULES.keys() - KINDS_OF_CODES.keys()):
        print(f"{code} ({RULES[code].title}) has no kinds in lamina_codes.py.")
    programs = [*PROGRAMS.values(), *sound_networks_of_the_tests()]
    if options.kept is None:
        write(Score(list(outcomes_of(programs, linter_of(options.linter)))))
    else:
        write(Score(list(kept_outcomes(programs, linter_of(options.linter), options.kept))))


def kept_outcomes(programs: Iterable[Program], linter: Linter, path: pathlib.Path) -> Iterator[Outcome]:
    """The outcomes of programs, of which those that a file has are read from it, and the others written to it.

    Args:
        programs: Programs.
        linter: Linter.
        path: File of JSON, a program's version a line; a measurement that was cut off goes on with it.
    """
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    kept = {tuple(line[:3]): line[3:] for line in map(json.loads, lines)}
    with path.open("a", encoding="utf-8") as file:
        for program in programs:
            names = [(program.source, program.name, version) for version in program.versions]
            if all(name in kept for name in names):
                for name, version in zip(names, program.versions, strict=True):
                    reports, raised = kept[name]
                    found = (Report(code, frozenset(kinds), grave, said) for code, kinds, grave, said in reports)
                    yield Outcome(program, version, tuple(found), raised)
                continue
            for one in outcomes_of([program], linter):
                reports = [(report.code, sorted(report.kinds), report.grave, report.message) for report in one.reports]
                told = [program.source, program.name, one.version, reports, one.raised]
                print(json.dumps(told), file=file, flush=True)
                yield one


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
