"""How many faulty and sound programs the tests have for each rule.

`python -m tests.check.rule_programs` prints the counts, and names the rules with fewer than two of either.
"""

import collections
import importlib
import pathlib

from lamina.check import RULES
from tests.check import probe_programs

HERE = pathlib.Path(__file__).parent


def counts():
    """code -> [faulty programs, sound programs]."""
    found = {code: [0, 0] for code in RULES}
    for path in HERE.glob("test_*.py"):
        module = importlib.import_module(f"tests.check.{path.stem}")
        for place, name in enumerate(("WRONG", "SOUND")):
            programs = getattr(module, name, None)
            for code, makers in programs.items() if isinstance(programs, dict) else ():
                if code in found:
                    found[code][place] += len(makers)
    watch = importlib.import_module("tests.check.test_watch")
    rows = [(code, True) for code, *_ in watch.test_finds.pytestmark[0].args[1]]
    rows += [(code, wrong) for code, _, _, wrong in watch.HISTORIES]
    rows += [(code, True) for codes, _ in probe_programs.FAULTY.values() for code in codes]
    for (code, wrong), count in collections.Counter(rows).items():
        found[code][not wrong] += count
    for code, rule in RULES.items():  # a sound training is one for each rule that looks at trainings
        found[code][1] += len(probe_programs.SOUND) * (rule.needs in ("watch", "probe"))
    return found


def lacking():
    """The rules with fewer than two faulty or two sound programs."""
    return [code for code, numbers in counts().items() if min(numbers) < 2]


if __name__ == "__main__":
    for code, (faulty, sound) in sorted(counts().items()):
        print(f"{code} {faulty:3} faulty {sound:3} sound   {RULES[code].title}")
    print(f"Fewer than two of either: {', '.join(lacking()) or 'none'}")
