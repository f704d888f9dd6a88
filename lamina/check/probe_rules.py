"""LAM52x: what some steps show before training. `take_probe` measures; these judge its Probe."""

import numpy as np

from lamina.callbacks.monitor import direction_of
from lamina.check.probe import LEARNS, STAYS
from lamina.check.rule import rule
from lamina.errors import CheckError

__all__ = []

_SMITH = "Smith: Cyclical Learning Rates for Training Neural Networks (2017), 3.3, range test"
_USUAL = 5000  # steps of a training whose length is not known


def _tried(found, factor):
    """ "from 2.3 to 0.1 at the learning rate 0.001": a run in words."""
    run = found.runs[factor]
    end = f"{run.end:.3g}" if run.is_finite else "infinity"
    return f"from {run.losses[0]:.3g} to {end} at the learning rate {_rate(found, factor)}"


def _rate(found, factor):
    return f"{found.rate * factor:.3g}"


def _best(found, factors=None):
    """The factor of the learning rate, among those that were tried, at which the loss falls most; None for none."""
    factors = [factor for factor in found.runs if factors is None or factor in factors]
    return max(
        factors, key=lambda factor: round(found.runs[factor].fall, 2) - abs(np.log10(factor)) / 100, default=None
    )


def _other_rate(found, factor, value, verb="Set"):
    """The finding that another learning rate than the model's brings the loss down."""
    return (
        None, value, f"{_on_one_batch(found)} the loss goes {_tried(found, 1.0)}, and {_tried(found, factor)}.",
        f"{verb} learning_rate={_rate(found, factor)} in the optimizer.",
    )  # fmt: skip


def _on_one_batch(found):
    return f"In {max(len(run.losses) for run in found.runs.values())} steps on one batch of {found.rows}"


def _judge_of_rate(found):
    """ "high", "low", "none" (no rate will do), "slow" (another learns much faster), or None."""
    own = found.runs.get(1.0)
    if own is None:
        return None
    lower, higher = _lower(found), _higher(found)
    if lower and own.fall < LEARNS / 2 and found.runs[lower].fall > own.fall + LEARNS:
        return "high"
    if higher and own.fall < STAYS and found.runs[higher].fall > LEARNS:
        to_halve = 0.5 * len(own.losses) / max(own.fall, 1e-9)
        return "low" if to_halve > (found.planned or _USUAL) else "slow"
    weights = sum(variable.size for variable in found.model.trainable_variables)
    tried = found.subject.own_step and max(found.runs) > 10 and len(own.losses) > 20
    stays = tried and all(run.fall < STAYS / 2 for run in found.runs.values())
    return "none" if stays and found.fresh and weights > 10 * found.rows else None


def _lower(found):
    return _best(found, [factor for factor in found.runs if factor < 1])


def _higher(found):
    return _best(found, [factor for factor in found.runs if factor > 1])


@rule(
    "LAM520", "error", "a training step that fails", "probe",
    "fit() would end with the same error.",
    "lamina.check: a step was tried",
)  # fmt: skip
def _fails(found):
    if found.error is not None and not isinstance(found.error, CheckError):
        said = str(found.error).strip().splitlines() or [""]
        yield (
            None,
            found.error,
            f"{type(found.error).__name__}: {said[0]}",
            getattr(found.error, "fix", None) or ("Mend what the message names; model.fit(x, y) shows the line."),
        )


@rule(
    "LAM521", "warning", "a learning rate that is too high", "probe",
    "Steps overshoot: the loss rises, jumps or stays, while smaller steps bring it down.",
    _SMITH,
)  # fmt: skip
def _too_high(found):
    if _judge_of_rate(found) == "high":
        yield _other_rate(found, _lower(found), found.runs[1.0].fall)


@rule(
    "LAM522", "warning", "a learning rate that is too low", "probe",
    "At this pace the training ends before the model has learned anything.",
    _SMITH,
)  # fmt: skip
def _too_low(found):
    if _judge_of_rate(found) == "low":
        yield _other_rate(found, _higher(found), found.runs[1.0].fall)


@rule(
    "LAM523", "warning", "a batch that no learning rate can learn by heart", "probe",
    "A model with more weights than samples can memorize a few samples; if it cannot, something between data and loss "
    "is wrong.",
    "Karpathy: A Recipe for Training Neural Networks (2019), overfit one batch",
)  # fmt: skip
def _not_by_heart(found):
    if _judge_of_rate(found) == "none":
        fall = max(run.fall for run in found.runs.values())
        least, most = _rate(found, min(found.runs)), _rate(found, max(found.runs))
        yield (
            None, fall,
            f"{_on_one_batch(found)} the loss of {found.runs[1.0].losses[0]:.3g} falls by {max(fall, 0):.1%} at most, "
            f"whichever of {len(found.runs)} learning rates from {least} to {most} is used.",
            "Check that gradients reach all layers (activation='relu', no stop_gradient), that inputs differ from "
            "sample to sample and are scaled, and that loss and labels go together.",
        )  # fmt: skip


@rule(
    "LAM524", "info", "a learning rate that learns much faster", "probe",
    "The model's rate would do in a training of thousands of steps; this one would do in less.",
    _SMITH,
)  # fmt: skip
def _faster(found):
    if _judge_of_rate(found) == "slow":
        best = _higher(found)
        yield _other_rate(found, best, found.rate * best, "Try")


@rule(
    "LAM525", "warning", "a metric that contradicts the loss", "probe",
    "The metric measures something else than what is trained: callbacks that monitor it choose the wrong model.",
    "Karpathy: A Recipe for Training Neural Networks (2019), verify decreasing training loss",
)  # fmt: skip
def _contradiction(found):
    learning = [factor for factor, run in found.runs.items() if run.fall > 2 * LEARNS]
    best = min(learning, key=lambda factor: abs(np.log10(factor)), default=None)  # the calmest of those that learn
    if best is None:
        return
    run = found.runs[best]
    for name, after in run.last.items():
        before, way = run.first.get(name), direction_of(name, found.model.metrics)
        if way is None or name == "loss" or before is None or not np.isfinite([before, after]).all():
            continue
        gain = (after - before) * (1 if way == "max" else -1)
        ideal = (way == "max" and after > 0.99) or (way == "min" and abs(after) < 1e-6)
        if not ideal and (gain == 0 or gain < -0.1 * max(abs(before), abs(after))):
            yield (
                None, gain,
                f"{_on_one_batch(found)} the loss goes {_tried(found, best)}, while {name} goes from {before:.3g} to "
                f"{after:.3g}.",
                f"Take a metric that reads what the model returns (logits, probabilities or quantities) in place of "
                f"{name}.",
            )  # fmt: skip


@rule(
    "LAM526", "warning", "a loss that blows up within the first steps", "probe",
    "The weights do not recover from such steps.",
    "Pascanu, Mikolov, Bengio: On the difficulty of training recurrent neural networks (2013)",
)  # fmt: skip
def _blows_up(found):
    losses = found.along.losses
    if not losses or _judge_of_rate(found) == "high":
        return
    end = float(np.median(losses[-5:]))
    if not found.along.is_finite or (found.subject.own_step and end > 10 * max(abs(losses[0]), 1e-3)):
        yield (
            None, losses[-1], f"In {len(losses)} steps over the data the loss goes from {losses[0]:.3g} to {end:.3g}.",
            "Use clipnorm=1.0 in the optimizer and a learning rate ten times smaller, and scale inputs and targets.",
        )  # fmt: skip


@rule(
    "LAM527", "warning", "values that grow from layer to layer", "probe",
    "Gradients grow by the same factors on the way back, and the first step throws the weights far away.",
    "Glorot, Bengio: Understanding the difficulty of training deep feedforward neural networks (2010)",
)  # fmt: skip
def _growing(found):
    for look in found.looks[:1]:
        scales = look["scales"]
        sizes = list(scales.values())
        if len(sizes) >= 3 and np.isfinite(sizes).all() and sizes[-1] > 1e3 * sizes[0] > 0:
            words = ", ".join(f"{layer} {scale:.2g}" for layer, scale in scales.items())
            yield (
                next(layer for layer, scale in scales.items() if scale > 30 * sizes[0]), sizes[-1] / sizes[0],
                f"Outputs before the first step, layer by layer (root of the mean square): {words}.",
                "Leave kernel_initializer at its default (with relu 'he_normal'), or put BatchNormalization between.",
            )  # fmt: skip
