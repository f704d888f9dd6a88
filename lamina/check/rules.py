"""All rules: the files of the families are read here, and fill the table."""

from lamina.check import (
    attention_rules,
    balance_rules,
    belonging_rules,
    call_rules,
    callback_rules,
    data_rules,
    depth_rules,
    frozen_rules,
    idle_rules,
    label_rules,
    layout_rules,
    loss_rules,
    map_rules,
    meaning_rules,
    optimizer_rules,
    order_rules,
    own_loss_rules,
    picture_rules,
    probe_rules,
    reach_rules,
    run_rules,
    scale_rules,
    sequence_rules,
    share_rules,
    text_rules,
    training_rules,
    watch_rules,
)
from lamina.check.rule import RULES, rules_for

__all__ = ["FAMILIES", "RULES", "rules_for"]

FAMILIES = (
    loss_rules, label_rules, meaning_rules, own_loss_rules, run_rules, map_rules, order_rules, depth_rules,
    idle_rules, reach_rules, training_rules, share_rules, callback_rules, optimizer_rules, data_rules, balance_rules,
    belonging_rules, scale_rules, picture_rules, text_rules, sequence_rules, attention_rules, call_rules, watch_rules,
    probe_rules, layout_rules, frozen_rules,
)  # fmt: skip
