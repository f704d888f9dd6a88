"""`python -m benchmarks.faults`: score a linter on the programs."""

import argparse
import os
import sys


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser("python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--linter", default="lamina", help="lamina, lamina_probe, or package.module:function")
    parser.add_argument("--library", default="lamina", help="module the programs are built with, such as keras")
    parser.add_argument("--only", default="", help="programs whose name contains this")
    parser.add_argument("--every", type=int, default=1, help="every N-th program alone")
    parser.add_argument("--misses", action="store_true", help="list what was missed")
    parser.add_argument("--most-alarms", type=int, help="exit with status 1 where there are more false alarms")
    options = parser.parse_args()
    os.environ["FAULTS_LIBRARY"] = options.library
    from benchmarks.faults.corpus import PROGRAMS
    from benchmarks.faults.linters import linter_of
    from benchmarks.faults.score import Score, outcomes_of

    programs = [program for name, program in PROGRAMS.items() if options.only in name][:: options.every]
    score = Score(list(outcomes_of(programs, linter_of(options.linter))))
    show(score, options.misses)
    if options.most_alarms is not None and len(score.false_alarms) > options.most_alarms:
        sys.exit(f"More than {options.most_alarms} false alarms.")


def show(score, misses: bool = False) -> None:
    """Print a score.

    Args:
        score: Score.
        misses: Whether missed programs are listed.
    """
    found, faulty = sum(one.found for one in score.faulty), len(score.faulty)
    print(f"{found} of {faulty} faults found (recall {score.recall:.3f}); precision of findings {score.precision:.3f}")
    print(f"{len(score.false_alarms)} of {len(score.sound)} sound programs with a false alarm")
    print("\nKind of fault                 found")
    for kind, (right, of) in score.by_kind().items():
        print(f"{kind:<28}{right:>3} of {of}")
    for one in score.false_alarms:
        said = "; ".join(f"{report.code} {report.message}" for report in one.grave) or one.raised
        print(f"\nFALSE ALARM {one.program.name} ({one.version}): {said}")
    for one in score.faulty if misses else ():
        if not one.found:
            said = ", ".join(report.code for report in one.reports) or one.raised or "nothing"
            print(f"\nMISSED {one.program.name} ({', '.join(sorted(one.program.kinds))}): {said}")


if __name__ == "__main__":
    main()
