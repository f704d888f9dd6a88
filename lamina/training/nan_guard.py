"""Guard: a step whose loss or weights are not finite changes nothing, and the run stops with a diagnosis."""

import dataclasses
from collections import deque

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core import context, tree
from lamina.errors import LaminaError
from lamina.training import step as steps
from lamina.training.data.packing import unpack_x_y_sample_weight

_BEHIND = 8  # steps whose verdict may be outstanding, so that no step waits for the one before it
_LARGE = 1e4  # inputs and weights of a network that trains are far below


@dataclasses.dataclass
class Diagnosis:
    """Why a run stopped.

    Attributes:
        step: the number of the step, from the beginning of the run.
        where: the first thing that was not finite: inputs, a layer, the loss, a gradient or an update.
        cause: 'inputs', 'labels', 'sample_weight', 'learning_rate', 'layer', 'loss' or 'gradient'.
        message: all of it in words.
        gradient_norm, learning_rate, largest_weight, largest_input: numbers of that step; None where there are none.
    """

    step: int
    where: str = ""
    cause: str = ""
    message: str = ""
    gradient_norm: float | None = None
    learning_rate: float | None = None
    largest_weight: float | None = None
    largest_input: float | None = None

    def __str__(self):
        return self.message


class Guard:
    """Watches the training steps of one run.

    The compiled step decides itself: once a loss or a weight is not finite it leaves every value as it was, for good.
    The host hears of it some steps later, when the verdict is there without waiting.
    """

    def __init__(self, runner):
        self.runner = runner
        self.alive = jnp.array(True)
        self.count = 0
        self.waiting = deque()  # (number of the step, its batch, its verdict)
        self.diagnosis = None

    def after(self, batch, alive):
        """Note the verdict on a step; look at those that are ready."""
        self.alive = alive
        self.waiting.append((self.count, batch, alive))
        self.count += 1
        self.look(wait=False)

    def look(self, wait=True):
        """The diagnosis, if a step was found bad so far; None otherwise."""
        while self.diagnosis is None and self.waiting:
            number, batch, alive = self.waiting[0]
            if not (wait or len(self.waiting) > _BEHIND or alive.is_ready()):
                break
            self.waiting.popleft()
            if not alive:
                self.waiting.clear()
                self.diagnosis = diagnose(self.runner, batch, number)
        return self.diagnosis


def keep_finite(logs, after, before, alive):
    """(whether the run is still alive, the state): `after` if this step and all steps before it were finite, else
    `before`."""
    alive = alive & _all_finite([logs.get("loss", 0.0), *after[0]])
    kept = [
        [old if new is old else jnp.where(alive, new, old) for new, old in zip(*groups, strict=True)]
        for groups in zip(after, before, strict=True)
    ]
    return alive, tuple(kept)


def _all_finite(values):
    floats = [value for value in values if jnp.issubdtype(jnp.asarray(value).dtype, jnp.inexact)]
    return jnp.stack([jnp.isfinite(value).all() for value in floats]).all()


def diagnose(runner, batch, number):
    """Run the bad step again, op by op, on the weights from before it, and say where it went wrong first."""
    model = runner.model
    runner.release()
    x, y, sample_weight = unpack_x_y_sample_weight(batch)
    found = Diagnosis(
        number,
        learning_rate=_learning_rate(model),
        largest_weight=_largest([variable.value for variable in model.trainable_variables]),
        largest_input=_largest(tree.flatten(x)),
    )
    for value, name, cause in ((x, "the inputs", "inputs"), (y, "the labels", "labels"),
                               (sample_weight, "the sample weights", "sample_weight")):  # fmt: skip
        wrong = _wrong_numbers(value)
        if wrong:
            return _told(found, name, cause, f"{name} hold {wrong}")
    outputs, wrong = _first_wrong_layer(model, x)
    if wrong:
        return _told(found, *wrong)
    try:
        loss, gradients = _loss_and_gradients(model, x, y, sample_weight)
    except LaminaError:  # a train_step of the user's own, with a loss that only it knows
        return _told(found, "train_step", "loss", "inputs and outputs of the model are finite, its loss is not")
    found.gradient_norm = float(jnp.sqrt(sum(jnp.sum(jnp.square(g.astype("float32"))) for g in gradients.values())))
    if not np.isfinite(loss):
        largest = _largest(tree.flatten(outputs))
        return _told(found, "the loss", "loss", f"the outputs are finite (up to {largest:.3g}), the loss is {loss}")
    for path, gradient in gradients.items():
        wrong = _wrong_numbers(gradient)
        if wrong:
            return _told(found, f"the gradient of {path}", "gradient", f"the gradient of {path} holds {wrong}")
    words = "loss and gradients are finite, the new weights are not"
    return _told(found, "the update of the weights", "learning_rate", words)


def _learning_rate(model):
    rate = getattr(model.optimizer, "learning_rate", None)
    return None if rate is None else float(np.asarray(rate))


def _largest(values):
    """The largest absolute number in arrays of floats that is not NaN; 0 if there is none."""
    floats = [np.abs(np.asarray(value, "float64")) for value in values if value is not None and _is_float(value)]
    return max((float(np.nanmax(value, initial=0.0)) for value in floats), default=0.0)


def _is_float(value):
    return jnp.issubdtype(np.asarray(value).dtype, jnp.inexact)


def _wrong_numbers(values):
    """How many numbers are not finite, and where the first of them is; None if all are finite."""
    for value in tree.flatten(values):
        if value is None or not _is_float(value):
            continue
        array = np.asarray(value, "float64")
        finite = np.isfinite(array)
        if not finite.all():
            nan, first = int(np.isnan(array).sum()), np.argwhere(np.atleast_1d(~finite))[0]
            infinite = int((~finite).sum()) - nan
            where = f"first at {tuple(map(int, first))} of the batch"
            return f"{nan} NaN and {infinite} infinite of {array.size} numbers, {where}"
    return None


def _first_wrong_layer(model, x):
    """(outputs of the model, (where, cause, words) of the first layer that gives what is not finite, or None)."""
    found = []

    def look(layer, args, outputs):
        if found or layer is model:
            return
        wrong = _wrong_numbers(outputs)
        if wrong:
            largest = _largest(tree.flatten(args))
            what = f"{layer.name} ({type(layer).__name__})"
            found.append((what, "layer", f"{what} gives {wrong}, from finite inputs up to {largest:.3g}"))

    variables = [*model.trainable_variables, *model.non_trainable_variables]
    with context.bind(variables, variables), context.watching_layers(look):
        outputs = model(x, training=True) if model._call_has_training else model(x)
    return outputs, found[0] if found else None


def _loss_and_gradients(model, x, y, sample_weight):
    groups = (model.trainable_variables, model.non_trainable_variables, model.metrics_variables)
    trainable, others, metrics = ([variable.value for variable in group] for group in groups)

    def loss_of(trainable):
        return steps.loss_and_updates(model, trainable, others, metrics, x, y, sample_weight, True)[0]

    loss, gradients = jax.value_and_grad(loss_of)(trainable)
    return float(loss), {v.path: g for v, g in zip(model.trainable_variables, gradients, strict=True)}


def _told(found, where, cause, words):
    """Fill in where and why, and say it."""
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
        "learning_rate": "The weights grew out of bounds: try a learning rate ten times smaller, or clipnorm=1.0.",
        "layer": "Look at what this layer computes: a logarithm, root or division at 0, or float16 beyond 65504.",
        "loss": "Compute the loss from logits (from_logits=True), or keep outputs away from where it is infinite.",
        "gradient": "The derivative of a root, norm or logarithm at 0 is infinite: add a small number before it.",
    }[found.cause]
    numbers = {
        "gradient norm": found.gradient_norm, "learning rate": found.learning_rate,
        "largest weight": found.largest_weight, "largest input": found.largest_input,
    }  # fmt: skip
    figures = ", ".join(f"{name} {value:.3g}" for name, value in numbers.items() if value is not None)
    found.message = (
        f"Step {found.step + 1} was not finite: {words}. The weights are those from before it ({figures}). {advice}"
    )
    return found
