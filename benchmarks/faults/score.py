"""The score of a linter: recall on faulty programs, precision over all, and false alarms on sound ones."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable, Iterator

from benchmarks.faults.linters import Linter, Report
from benchmarks.faults.program import Program

__all__ = ["Outcome", "Score", "outcomes_of"]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a linter said about one version of a program.

    Attributes:
        program: The program.
        version: "faulty", "mended" or "sound".
        reports: What the linter said.
        raised: The error that it raised; None for none.
    """

    program: Program
    version: str
    reports: tuple[Report, ...] = ()
    raised: str | None = None

    @property
    def grave(self) -> list[Report]:
        """The reports that count."""
        return [report for report in self.reports if report.grave]

    @property
    def right(self) -> list[Report]:
        """The grave reports that name a kind of the fault of a faulty program."""
        return [one for one in self.grave if self.version == "faulty" and one.kinds & self.program.kinds]

    @property
    def found(self) -> bool:
        """Whether the fault was found."""
        return bool(self.right)

    @property
    def false_alarm(self) -> bool:
        """Whether there is a grave report on a program that is sound, or an error."""
        return self.version != "faulty" and bool(self.grave or self.raised)


def outcomes_of(programs: Iterable[Program], linter: Linter) -> Iterator[Outcome]:
    """What a linter says about each version of each program.

    Args:
        programs: Programs.
        linter: Linter.
    """
    for program in programs:
        for version in program.versions:
            try:
                reports = tuple(linter(program.case(version)))
            except Exception as error:  # of the linter, which is a miss or a false alarm
                line = (str(error).splitlines() or [""])[0]
                yield Outcome(program, version, raised=f"{type(error).__name__}: {line}")
            else:
                yield Outcome(program, version, reports)


@dataclasses.dataclass(frozen=True)
class Score:
    """Counts over outcomes.

    Attributes:
        outcomes: The outcomes.
    """

    outcomes: list[Outcome]

    @property
    def faulty(self) -> list[Outcome]:
        """Those of faulty programs."""
        return [one for one in self.outcomes if one.version == "faulty"]

    @property
    def sound(self) -> list[Outcome]:
        """Those of sound and of mended programs."""
        return [one for one in self.outcomes if one.version != "faulty"]

    @property
    def recall(self) -> float:
        """The share of faulty programs whose fault was named."""
        return _share(sum(one.found for one in self.faulty), len(self.faulty))

    @property
    def precision(self) -> float:
        """The share of right ones among all grave reports, on faulty and sound programs."""
        return _share(sum(len(one.right) for one in self.outcomes), sum(len(one.grave) for one in self.outcomes))

    @property
    def false_alarms(self) -> list[Outcome]:
        """The sound and mended programs with a grave report."""
        return [one for one in self.sound if one.false_alarm]

    def by_kind(self) -> dict[str, tuple[int, int]]:
        """Kind -> (faulty programs found, faulty programs); a program of several kinds counts for each."""
        counts: dict[str, list[int]] = collections.defaultdict(lambda: [0, 0])
        for one in self.faulty:
            for kind in one.program.kinds:
                counts[kind][0] += one.found
                counts[kind][1] += 1
        return {kind: (found, of) for kind, (found, of) in sorted(counts.items())}

    def by_code(self) -> dict[str, RuleScore]:
        """Code -> RuleScore, for each code that a linter gave; advice of a code that is also grave does not count."""
        grave = {report.code for one in self.outcomes for report in one.grave}
        found: dict[str, RuleScore] = {}
        for one in self.outcomes:
            for code in {report.code for report in one.reports if report.grave or report.code not in grave}:
                counts = found.setdefault(code, RuleScore())
                kinds = next(report.kinds for report in one.reports if report.code == code)
                named = one.version == "faulty" and bool(kinds & one.program.kinds)
                counts.right += named
                counts.off += one.version == "faulty" and not named
                counts.on_sound += one.version != "faulty"
        return dict(sorted(found.items()))


@dataclasses.dataclass
class RuleScore:
    """The counts of programs for one code.

    Attributes:
        right: Faulty programs with a fault of a kind of the code.
        off: Faulty programs with a fault of another kind.
        on_sound: Sound and mended programs.
    """

    right: int = 0
    off: int = 0
    on_sound: int = 0

    @property
    def precision(self) -> float:
        """The share of faulty programs of its kinds among all programs that it was given for."""
        return _share(self.right, self.right + self.off + self.on_sound)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
