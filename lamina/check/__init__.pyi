"""The public names of `lamina.check`: the one table that editors and `lamina.core.lazy` read."""

from lamina.check.at_fit import *
from lamina.check.checking import *
from lamina.check.findings import Finding as Finding
from lamina.check.findings import Findings as Findings
from lamina.check.first_steps import watch_first_steps as watch_first_steps
from lamina.check.rules import RULES as RULES
from lamina.check.watch import Watch as Watch
