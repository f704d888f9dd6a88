"""Looks: activations, gradients, weights and loss of one batch, measured layer by layer without changing anything."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.check.neighbours import is_frozen
from lamina.check.subject import Subject
from lamina.core import context, tree
from lamina.facts.activations import SATURATION
from lamina.training import step

if TYPE_CHECKING:
    from lamina.core.typing import PyTree

__all__ = ["Looks", "Record", "is_fresh", "norms_of_change"]

_FIRST_STEPS = 10  # after which the loss is no longer that of a model that has learned nothing


@dataclasses.dataclass
class Record:
    """What was measured so far; the rules LAM5xx read it.

    Attributes:
        model: Model that is trained.
        rows: Samples of the batch that looks are taken on.
        steps: Steps of an epoch; None where this is not known.
        fresh: Whether the optimizer had made no step before.
        looks: Dicts of numbers: "dead" and "saturated" (layer -> share), "scales" (layer
            with a kernel -> root of the mean square of its outputs), "gradients" and "weights" (path -> norm),
            "updates" (path -> norm of the change in one step), "loss".
        logs: Losses and metrics of each epoch.
        diagnosis: Diagnosis of a step that was not finite; None where there was none.
    """

    model: Any
    rows: int = 0
    steps: int | None = None
    fresh: bool = True
    looks: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    logs: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    diagnosis: Any = None

    @property
    def learns(self) -> bool:
        """Whether it was seen that the loss falls all the same."""
        return False


class Looks:
    """Takes looks at a model in one compiled program.

    Args:
        model: Model, compiled and built.
    """

    def __init__(self, model: Any):
        self.model: Any = model
        self.subject: Subject = Subject(model)
        self._program: Any = None

    def take(self, values: Sequence[Any], batch: PyTree) -> dict[str, Any]:
        """Shares, norms and loss, as arrays that nothing waits for.

        Args:
            values: Values of the trainable variables, of the others and of the metrics.
            batch: (x, y, sample_weight).
        """
        if self._program is None:
            heads = {head.layer for head in self.subject.heads}
            kinds = {fact.layer: _kind_of(fact, heads) for fact in self.subject.facts}
            self._program = jax.jit(lambda *given: _look(self.model, kinds, *given))
        return self._program(*values, context.global_values(), batch)

    def read(self, look: dict[str, Any]) -> dict[str, Any]:
        """A look as numbers by name; kernels alone, in the order of the layers.

        Args:
            look: What `take` returned, with "updates" where the change of the next step is known.
        """
        look = jax.device_get(look)
        paths = [variable.path for variable in self.model.trainable_variables]
        kernels = [len(variable.shape) > 1 for variable in self.model.trainable_variables]
        found: Any = {
            name: dict(zip(look[name], map(float, look[name].values()), strict=True))
            for name in ("dead", "saturated", "scales")
        }
        for name in ("gradients", "weights", "updates"):
            rows = zip(paths, look.get(name, ()), kernels, strict=False)
            found[name] = {path: float(norm) for path, norm, is_kernel in rows if is_kernel}
        sizes = zip(paths, self.model.trainable_variables, kernels, strict=True)
        found["sizes"] = {path: variable.size for path, variable, is_kernel in sizes if is_kernel}
        found["loss"] = float(look["loss"])
        return found


def is_fresh(model: Any, steps: int = 0) -> bool:
    """Whether the optimizer of a model has made no more than this many steps.

    Args:
        model: Model.
        steps: Number of steps.
    """
    return model.optimizer is not None and int(np.asarray(model.optimizer.iterations)) <= steps


def _kind_of(fact, heads):
    """The activation whose outputs are watched: relu, or one with two flat ends; None for nothing."""
    gate = any(receiver.is_a("Multiply") for receiver in fact.receivers)
    name = fact.activation
    if fact.has("recurrent") or fact.name in heads or gate or is_frozen(fact):
        return None
    two_ends = SATURATION.get(name or "", (None, 1.0))[0] is not None
    return name if name == "relu" or two_ends else None


def _look(model, kinds: Any, trainable, others, metrics, global_values, batch):
    """Shares, norms and loss of one batch, as arrays; nothing changes."""
    x, y, sample_weight = batch
    seen = {"dead": {}, "saturated": {}, "scales": {}}

    def note(layer, args, outputs):
        kind, values = kinds.get(layer), tree.flatten(outputs)[0]
        if layer in kinds and any(len(weight.shape) > 1 for weight in getattr(layer, "trainable_weights", ())):
            seen["scales"][layer.name] = jnp.sqrt(jnp.mean(jnp.square(jnp.abs(values.astype("float32")))))
        if kind == "relu" and values.ndim > 1:
            seen["dead"][layer.name] = jnp.mean(jnp.all(values <= 0, axis=tuple(range(values.ndim - 1))))
        elif kind in SATURATION:
            low, high = SATURATION[kind]
            seen["saturated"][layer.name] = jnp.mean((values < low) | (values > high))

    def loss_of(trainable):
        loss = step.loss_and_updates(model, trainable, others, metrics, x, y, sample_weight, True)[1][0]
        return loss, {name: dict(shares) for name, shares in seen.items()}

    with context.bind(context.global_refs(), global_values), context.watching_layers(note):
        (loss, shares), gradients = jax.value_and_grad(loss_of, has_aux=True)(trainable)
    return {**shares, "loss": loss, "gradients": _norms(gradients), "weights": _norms(trainable)}


def _norms(values):
    return [jnp.linalg.norm(value.astype("float32").ravel()) for value in values]


@jax.jit
def norms_of_change(new: list[Any], old: list[Any]) -> list[Any]:
    """The norm of each difference.

    Args:
        new: Arrays.
        old: Arrays of the same shapes.
    """
    return _norms([after - before for after, before in zip(new, old, strict=True)])
