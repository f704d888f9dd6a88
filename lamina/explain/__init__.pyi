"""The public names of `lamina.explain`: the one table that editors and `lamina.core.lazy` read."""

from lamina.explain.explaining import *
from lamina.explain.explanation import *
from lamina.facts.fact import Fact as Fact
from lamina.facts.layer_facts import *
