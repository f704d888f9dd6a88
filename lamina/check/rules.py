"""All rules: the files of the families are read here, and fill the table."""

from lamina.check import data_rules, head_rules, structure_rules, training_rules, watch_rules
from lamina.check.rule import RULES, rules_for

__all__ = ["FAMILIES", "RULES", "rules_for"]

FAMILIES = (head_rules, structure_rules, training_rules, data_rules, watch_rules)
