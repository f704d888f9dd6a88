"""The public names of `lamina.explanations`: the one table that editors and `lamina.core.lazy` read."""

from lamina.explanations.explaining import *
from lamina.explanations.explanation import *
from lamina.explanations.profiling import *
from lamina.explanations.step_answers import *
from lamina.facts.fact import Fact as Fact
from lamina.facts.layer_facts import *
