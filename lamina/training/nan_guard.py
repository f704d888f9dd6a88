"""Guard: skips steps with a non-finite loss or non-finite weights, and stops the run with a diagnosis."""

from __future__ import annotations

import dataclasses
from collections import deque
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core import context, tree
from lamina.core.placement import to_numpy
from lamina.errors import LaminaError
from lamina.runtime import processes
from lamina.training import step as steps
from lamina.training.data.packing import unpack_x_y_sample_weight
from lamina.training.data.places import parts_of

_MAX_WAITING = 8  # steps whose result may still be unknown, so that steps do not wait for each other
_LARGE = 1e4  # inputs and weights of a network that trains well are far smaller


@dataclasses.dataclass
class Diagnosis:
    """Why a run stopped.

    Attributes:
        step: Number of the step, from the start of the run.
        where: What was non-finite first: inputs, a layer, the loss, a gradient or an update.
        cause: "inputs", "labels", "sample_weight", "learning_rate", "layer", "loss" or "gradient".
        message: The diagnosis as text.
        gradient_norm, learning_rate, largest_weight, largest_input: Values at that step; None if unknown.
    """

    step: int
    where: str = ""
    cause: str = ""
    message: str = ""
    gradient_norm: float | None = None
    learning_rate: float | None = None
    largest_weight: float | None = None
    largest_input: float | None = None

    def __str__(self) -> str:
        return self.message


class Guard:
    """Checks the training steps of a run.

    Once a loss or a weight is not finite, the compiled step leaves all values unchanged from then on. The host detects
    this some steps later, when the result is available without waiting.

    Args:
        runner: Runner of the model.
    """

    count: int

    def __init__(self, runner: Any):
        self.runner = runner
        self.alive = jnp.array(True)
        self.count = 0
        self.waiting: Any = deque()
        self.diagnosis: Diagnosis | None = None

    def after(self, batch: Any, alive: Any) -> None:
        """Record the result of a step and check the results that are available.

        Args:
            batch: Batch of the step.
            alive: Array that tells whether this step and all earlier ones were finite.
        """
        self.alive: Any = alive
        self.waiting.append((self.count, batch, alive))
        self.count += 1
        self.look(wait=False)

    def look(self, wait: bool = True) -> Diagnosis | None:
        """The diagnosis if a step so far was not finite, otherwise None.

        Args:
            wait: Whether to wait for steps that are still running.
        """
        while self.diagnosis is None and self.waiting:
            number, batch, alive = self.waiting[0]
            is_known = processes.together() is None and alive.is_ready()  # of several, all have to look at once
            if not (wait or len(self.waiting) > _MAX_WAITING or is_known):
                break
            self.waiting.popleft()
            if not alive:
                self.waiting.clear()
                self.diagnosis = diagnose(self.runner, batch, number)
        return self.diagnosis


def keep_finite(logs: Any, after: Any, before: Any, alive: Any) -> tuple[Any, tuple[Any, ...]]:
    """(whether this step and all earlier ones were finite, the new state if so, otherwise the old state).

    Args:
        logs: Logs of the step.
        after, before: State after and before the step.
        alive: Whether all earlier steps were finite.
    """
    alive = alive & _all_finite([logs.get("loss", 0.0), *after[0]])
    kept = [
        [old if new is old else jnp.where(alive, new, old) for new, old in zip(*groups, strict=True)]
        for groups in zip(after, before, strict=True)
    ]
    return alive, tuple(kept)


def _all_finite(values):
    floats = [value for value in values if jnp.issubdtype(jnp.asarray(value).dtype, jnp.inexact)]
    return jnp.stack([jnp.isfinite(value).all() for value in floats]).all()


def diagnose(runner: Any, batch: Any, number: int) -> Diagnosis:
    """Repeat a step op by op with the weights from before it, and find the first non-finite value.

    Args:
        runner: Runner of the model.
        batch: Batch of the step.
        number: Number of the step.
    """
    model = runner.model
    runner.release()
    x, y, sample_weight = unpack_x_y_sample_weight(batch)
    found = Diagnosis(
        number,
        learning_rate=_learning_rate(model),
        largest_weight=_largest([variable.value for variable in model.trainable_variables]),
        largest_input=_largest(tree.flatten(x)),
    )
    verdicts = map(_of_all, _verdicts(model, found, x, y, sample_weight))
    return _completed(found, *next(filter(None, verdicts)))


def _verdicts(model, found, x, y, sample_weight):
    """(where, cause, words) of each possible source that is not finite, else None, in the order of a step."""
    for place, (value, name, cause) in enumerate((
        (x, "the inputs", "inputs"), (y, "the labels", "labels"), (sample_weight, "the sample weights", "sample_weight")
    )):  # fmt: skip
        wrong = _wrong_numbers(value)
        yield wrong and (name, cause, f"{name} contain {wrong}{_in_data(model, place)}")
    outputs, wrong = _first_wrong_layer(model, x)
    yield wrong
    try:
        loss, gradients = _loss_and_gradients(model, x, y, sample_weight)
    except LaminaError:  # a custom train_step whose loss is known only to it
        yield "train_step", "loss", "inputs and outputs of the model are finite, its loss is not"
        return
    found.gradient_norm = float(jnp.sqrt(sum(jnp.sum(jnp.square(g.astype("float32"))) for g in gradients.values())))
    largest = _largest(tree.flatten(outputs))
    words = f"the outputs are finite (up to {largest:.3g}), the loss is {loss}"
    yield None if np.isfinite(loss) else ("the loss", "loss", words)
    for path, gradient in gradients.items():
        wrong = _wrong_numbers(gradient)
        yield wrong and (f"the gradient of {path}", "gradient", f"the gradient of {path} contains {wrong}")
    yield "the update of the weights", "learning_rate", "loss and gradients are finite, the new weights are not"


def _of_all(verdict):
    """The verdict of the first process that has one: one alone may have the rows that are wrong."""
    verdicts = processes.gather(verdict, "looking for what is not finite")
    number = next((number for number, one in enumerate(verdicts) if one), 0)
    if not verdicts[number] or len(verdicts) == 1:
        return verdicts[number]
    where, cause, words = verdicts[number]
    return where, cause, f"in process {number}, {words}"


def _in_data(model, place):
    """ "; x['e'], row 3 is NaN": where the arrays passed to `fit` are not finite; "" where they are not arrays."""
    batches = model.training_batches
    if not hasattr(batches, "leaves"):
        return ""
    arrays = batches.structure.unflatten(batches.leaves)[place]
    for part in parts_of(batches.given[place], arrays, ("x", "y", "sample_weight")[place]):
        if _is_float(part.values) and not np.isfinite(part.values).all():
            return f"; {part.first_of(~np.isfinite(np.asarray(part.values)))}"
    return ""


def _learning_rate(model):
    rate = getattr(model.optimizer, "learning_rate", None)
    return None if rate is None else float(np.asarray(rate))


def _largest(values):
    """The largest absolute value in float arrays, ignoring NaN; 0 if there is none."""
    floats = [np.abs(_numbers(value)) for value in values if value is not None and _is_float(value)]
    return max((float(np.nanmax(value, initial=0.0)) for value in floats), default=0.0)


def _is_float(value):
    return jnp.issubdtype(value.dtype if hasattr(value, "dtype") else np.asarray(value).dtype, jnp.inexact)


def _numbers(value):
    return (to_numpy(value) if isinstance(value, jax.Array) else np.asarray(value)).astype("float64")


def _wrong_numbers(values):
    """A text with the count of non-finite values and the index of the first; None if all are finite."""
    for value in tree.flatten(values):
        if value is None or not _is_float(value):
            continue
        array = _numbers(value)
        finite = np.isfinite(array)
        if not finite.all():
            nan, first = int(np.isnan(array).sum()), np.argwhere(np.atleast_1d(~finite))[0]
            infinite = int((~finite).sum()) - nan
            where = f"first at {tuple(map(int, first))} of the batch"
            return f"{nan} NaN and {infinite} infinite of {array.size} numbers, {where}"
    return None


def _first_wrong_layer(model, x):
    """(outputs of the model, (where, cause, words) for the first layer with non-finite outputs, or None)."""
    found = []

    def look(layer, args, outputs):
        if found or layer is model:
            return
        wrong = _wrong_numbers(outputs)
        if wrong:
            largest = _largest(tree.flatten(args))
            what = f"{layer.name} ({type(layer).__name__})"
            found.append((what, "layer", f"{what} returns {wrong}, from finite inputs up to {largest:.3g}"))

    variables = [*model.trainable_variables, *model.non_trainable_variables]
    with context.bind(variables, variables), context.watching_layers(look):
        outputs = model(x, **model._training_argument(True))
    return outputs, found[0] if found else None


def _loss_and_gradients(model, x, y, sample_weight):
    groups = (model.trainable_variables, model.non_trainable_variables, model.metrics_variables)
    trainable, others, metrics = ([variable.value for variable in group] for group in groups)

    def loss_of(trainable):
        return steps.loss_and_updates(model, trainable, others, metrics, x, y, sample_weight, True)[0]

    loss, gradients = jax.value_and_grad(loss_of)(trainable)
    return float(loss), {v.path: g for v, g in zip(model.trainable_variables, gradients, strict=True)}


def _completed(found, where, cause, words):
    """Add the location, the cause and the message to a Diagnosis."""
    found.where, found.cause = where, cause
    if cause in ("layer", "loss", "gradient", "learning_rate"):
        if found.largest_input > _LARGE:
            found.cause = "inputs"
        elif found.largest_weight > _LARGE:
            found.cause = "learning_rate"
    advice = {
        "inputs": "Clean the data, and scale inputs to about -1 to 1 (layers.Normalization).",
        "labels": "Clean the labels.",
        "sample_weight": "Clean the sample weights.",
        "learning_rate": "The weights diverge: try a learning rate ten times smaller, or clipnorm=1.0.",
        "layer": "Check what this layer computes: a logarithm, root or division at 0, or float16 beyond 65504.",
        "loss": "Compute the loss from logits (from_logits=True), or avoid outputs for which it is infinite.",
        "gradient": "The derivative of a root, norm or logarithm at 0 is infinite: add a small number before it.",
    }[found.cause]
    numbers = {
        "gradient norm": found.gradient_norm, "learning rate": found.learning_rate,
        "largest weight": found.largest_weight, "largest input": found.largest_input,
    }  # fmt: skip
    figures = ", ".join(f"{name} {value:.3g}" for name, value in numbers.items() if value is not None)
    found.message = (
        f"Step {found.step + 1} was not finite: {words}. The weights are those before it ({figures}). {advice}"
    )
    return found
