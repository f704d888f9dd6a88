"""Answers about one training step: what each device holds, what is computed and exchanged."""

from __future__ import annotations

from typing import Any

from lamina.explanations.explanation import Answer, Explanation
from lamina.facts.words import count_of, memory

__all__ = ["explain_step"]


def explain_step(model: Any, costs: Any) -> Explanation:
    """An Explanation of the costs of a training step.

    Args:
        model: Model.
        costs: Its `StepCosts`.
    """
    devices = count_of(costs.devices, "device")
    title = f"A training step of {model.name} on {costs.batch_size:,} samples and {devices}"
    return Explanation(title, [], [_held(costs), _computed(costs), _exchanged(costs), _again(costs)])


def _held(costs):
    each = "each device" if costs.devices > 1 else "the device"
    return Answer(
        f"What does {each} hold?",
        [
            f"Weights {memory(costs.weights)}, slots of the optimizer {memory(costs.slots)}, and while the step runs "
            f"gradients {memory(costs.gradients)} and activations for the backward pass {memory(costs.activations)}.",
            f"The compiled step takes {memory(costs.total)} with its data, {memory(costs.temporaries)} of them for "
            "temporaries, which gradients and activations are among.",
        ],
    )


def _computed(costs):
    share = f", {costs.flops // costs.devices:,} a device" if costs.devices > 1 else ""
    return Answer("What does a step compute?", [f"{costs.flops:,} operations (FLOPs){share}."])


def _exchanged(costs):
    said = [
        f"{kind}: {times:,} time{'s' * (times > 1)}, {memory(size)} a device."
        for kind, (times, size) in costs.exchanged.items()
    ]
    return Answer("What do the devices exchange in a step?", said or ["Nothing."])


def _again(costs):
    question = "What would rematerialization change?"
    if costs.rematerialized is None:
        return Answer(question, ["Nothing: what the layers store is computed again already, or too little."])
    stored, flops = costs.rematerialized
    return Answer(
        question,
        [
            f"Activations would take {memory(stored)} in place of {memory(costs.activations)}, for "
            f"{flops / costs.flops - 1:.0%} more operations: make the layers in keras.RematScope(mode='full'), or "
            "layers.Repeat with rematerialize=True.",
        ],
    )
