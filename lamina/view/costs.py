"""What each box costs: time, memory, operations, weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.errors import LaminaError
from lamina.explanations.cost_answers import memory_of
from lamina.explanations.profiling import profile

if TYPE_CHECKING:
    from lamina.core.typing import PyTree
    from lamina.explanations.profiling import Profile
    from lamina.view.scene import Box, Scene

__all__ = ["COSTS", "costs_of", "measured"]

COSTS: tuple[str, ...] = ("time", "memory", "flops", "weights")
"""Milliseconds in a step; bytes in a training step of 32 samples; operations for one sample; numbers in the weights."""


def measured(model: Any, x: PyTree, y: PyTree, wanted: bool | None) -> tuple[Profile | None, str]:
    """(a Profile of a training step, or of a prediction where that is not possible; what it is of, or why there is
    none).

    Args:
        model: Model.
        x: Batch of inputs; None for none.
        y: Targets; None for none.
        wanted: Whether it is measured; None means where there is `x`.
    """
    if x is None or wanted is False:
        return None, "" if wanted is False else "Time is measured with data: view(x=x, y=y)."
    try:
        if y is not None and model.compiled:
            found = profile(model, x, y)
            return found, f"A training step of {found.batch} samples takes {found.step:.3g} ms."
        found = profile(model, x, kind="predict")
        return found, f"A prediction for {found.batch} samples takes {found.step:.3g} ms."
    except (LaminaError, ValueError, TypeError, RuntimeError) as error:
        if wanted:
            raise
        return None, f"Time could not be measured: {str(error).splitlines()[0]}"


def costs_of(model: Any, scene: Scene, times: Profile | None) -> dict[Box, dict[str, float]]:
    """box -> {time, memory, flops, weights}; those of a box with boxes inside are sums.

    Args:
        model: Model.
        scene: Its Scene.
        times: Time of each layer; None leaves time out.
    """
    memory = memory_of(model, scene.facts)
    rows = {row.layer: row.total for row in times.rows if row.layer is not None} if times else {}
    found: dict[Box, dict[str, float]] = {}
    for box in reversed(scene.root.all):
        inside = [found[child] for child in box.children]
        own = dict.fromkeys(COSTS[0 if times else 1 :], 0.0)
        fact = box.fact
        if fact is not None:
            own["memory"] = memory[fact]
            own["flops"] = max(0, (fact.flops or 0) - sum(one.flops or 0 for one in fact.inner))
            own["weights"] = sum(weight.size for weight in fact.own_weights)
            if times:
                own["time"] = rows.get(fact.layer, 0.0) / fact.uses
        elif times and box.origin == "model":
            own["time"] = rows.get(box.layer, 0.0)
        found[box] = {name: value + sum(one[name] for one in inside) for name, value in own.items()}
    return found
