"""LAM5xx: what goes wrong while a model trains. `Watch` looks; these judge its Record."""

import numpy as np

from lamina.check.rule import rule

__all__ = ["layer_of"]

_LOOKS = 3  # one look may be an accident
_DEAD = 0.8  # of the units; of those after positive inputs half are 0 by chance
_NEARLY_ALL = 0.9  # share from which on a layer is dead, even where the loss falls by what the others do
_GLOROT = "Glorot, Bengio: Understanding the difficulty of training deep feedforward neural networks (2010)"


def _lasting(record, name):
    """layer -> its value in each of the last looks; only where there were enough."""
    looks = record.looks[-_LOOKS:]
    if len(looks) < _LOOKS:
        return {}
    return {
        key: [look[name][key] for look in looks] for key in looks[0][name] if all(key in one[name] for one in looks)
    }


def layer_of(path: str) -> str:
    """The name of the layer that a variable belongs to.

    Args:
        path: Path of the variable.
    """
    return path.rsplit("/", 2)[-2] if "/" in path else path


@rule(
    "LAM501", "warning", "dead ReLUs", "watch",
    "A unit that is 0 for every sample has no gradient and does not come back.",
    "Lu, Shin, Su, Karniadakis: Dying ReLU and Initialization (2020)",
)  # fmt: skip
def _dead(record):
    for layer, shares in _lasting(record, "dead").items():
        if record.rows >= 16 and min(shares) >= _DEAD:
            milder = ["info"] if record.learns and min(shares) < _NEARLY_ALL else []
            yield (
                layer, shares[-1], f"{shares[-1]:.0%} of the units of {layer} are 0 for all of {record.rows} samples.",
                "Try a learning rate ten times smaller, or activation='leaky_relu'; scale the inputs.", *milder,
            )  # fmt: skip


@rule(
    "LAM502", "warning", "saturated sigmoid or tanh", "watch",
    "At the ends of the curve the gradient is nearly 0: the layers before learn almost nothing.",
    _GLOROT,
)  # fmt: skip
def _saturated(record):
    for layer, shares in _lasting(record, "saturated").items():
        if min(shares) >= 0.5:
            milder = ["info"] if record.learns and min(shares) < _NEARLY_ALL else []
            yield (
                layer, shares[-1], f"{shares[-1]:.0%} of the outputs of {layer} are at the ends of its activation.",
                "Scale the inputs (layers.Normalization()), or use activation='relu'.", *milder,
            )  # fmt: skip


@rule(
    "LAM503", "warning", "vanishing gradients", "watch",
    "The first layers get almost no gradient and keep their initial values.",
    _GLOROT,
)  # fmt: skip
def _vanishing(record):
    looks = record.looks[-_LOOKS:]
    sizes = looks[0]["sizes"] if len(looks) == _LOOKS else {}
    kernels = [path for path in sizes if path.endswith("kernel")]  # of an embedding only a few rows get a gradient
    if len(kernels) < 4:
        return
    ratios = []
    for look in looks:
        sized = {path: look["gradients"][path] / np.sqrt(sizes[path]) for path in kernels}
        first, last = next(iter(sized.values())), list(sized.values())[-1]
        ratios.append(first / last if last > 1e-12 else 1.0)
    if 0 < max(ratios) < 1e-4:
        path = kernels[0]
        yield (
            layer_of(path), ratios[-1],
            f"The gradient of {layer_of(path)} is {ratios[-1]:.1e} times that of the last layer.",
            "Use activation='relu' with kernel_initializer='he_normal', BatchNormalization, or residual connections.",
        )  # fmt: skip


@rule(
    "LAM504", "warning", "exploding gradients", "watch",
    "One such step moves the weights far away.",
    "Pascanu, Mikolov, Bengio: On the difficulty of training recurrent neural networks (2013)",
)  # fmt: skip
def _exploding(record):
    norms = [float(np.sqrt(sum(norm**2 for norm in look["gradients"].values()))) for look in record.looks]
    norms = norms[: next((place for place, norm in enumerate(norms) if not np.isfinite(norm)), None)]
    if norms:
        grown = len(norms) > _LOOKS and norms[-1] > 100 and norms[-1] > 100 * float(np.median(norms[:-1]))
        if norms[-1] > 1e4 or grown:
            yield (
                None, norms[-1], f"The norm of the gradient is {norms[-1]:.3g}.",
                "Use clipnorm=1.0 in the optimizer, and scale inputs and targets.",
            )  # fmt: skip


@rule(
    "LAM505", "warning", "updates too large or too small for the weights", "watch",
    "About a thousandth of a weight in a step is usual; a tenth wipes out what was learned, a ten-millionth learns "
    "nothing.",
    "Karpathy: CS231n, Learning, ratio of weights to updates",
)  # fmt: skip
def _update_ratio(record):
    ratios = {
        path: [look["updates"][path] / size for look, size in zip(record.looks[-_LOOKS:], sizes, strict=True)]
        for path, sizes in _lasting(record, "weights").items()
        if min(sizes) > 1e-6
    }
    large = {path: ratio for path, ratio in ratios.items() if min(ratio) > 0.1}
    drawn = [one for one in record.looks if any(one["gradients"].values())]
    moves = ((one["updates"][path], one["weights"][path]) for one in drawn for path in ratios)
    largest = max((update / size for update, size in moves if size), default=1.0)  # zeros at the start have no ratio
    if large:
        path = max(large, key=lambda path: large[path][-1])
        yield (
            layer_of(path), large[path][-1],
            f"Each step changes the kernel of {layer_of(path)} by {large[path][-1]:.2g} of its size.",
            "Try a learning rate ten times smaller.",
        )  # fmt: skip
    elif ratios and largest < 1e-7:
        path = next(iter(ratios))
        yield (
            layer_of(path), ratios[path][-1],
            f"Each step changes the kernel of {layer_of(path)} by {ratios[path][-1]:.1e} of its size.",
            "Try a learning rate a hundred times larger.",
        )  # fmt: skip


@rule(
    "LAM506", "warning", "weights that never change", "watch",
    "They are trainable, but get no gradient.",
    "Goodfellow, Bengio, Courville: Deep Learning (2016), 11.5, debugging strategies",
)  # fmt: skip
def _never_moving(record):
    for path, changes in _lasting(record, "updates").items():
        if not any(changes) and not any(look[kind][path] for look in record.looks for kind in ("updates", "gradients")):
            yield (
                layer_of(path), 0.0, f"{path} has not changed in {len(record.looks)} looks.",
                f"Check that {layer_of(path)} reaches the loss: no stop_gradient, dead ReLU or integers in between.",
            )  # fmt: skip


@rule(
    "LAM507", "warning", "a loss that does not change", "watch",
    "The model learns nothing from the start.",
    "Karpathy: A Recipe for Training Neural Networks (2019)",
)  # fmt: skip
def _flat(record):
    losses = _losses(record)
    if record.fresh and len(losses) >= 4 and np.isfinite(losses).all():
        change = (losses.max() - losses.min()) / max(abs(losses).max(), 1e-12)
        if change < 1e-3 and losses[-1] > 1e-3:
            yield (
                None, float(change), f"In {len(losses)} epochs the loss stayed at {losses[-1]:.4g}.",
                "Try other learning rates (ten times larger, ten times smaller), and run model.check(x, y).",
            )  # fmt: skip


def _losses(record, name="loss"):
    return np.array([logs[name] for logs in record.logs if name in logs], "float64")


@rule(
    "LAM508", "warning", "a loss that jumps", "watch",
    "Steps overshoot the minimum, from one side to the other.",
    "Goodfellow, Bengio, Courville: Deep Learning (2016), 8.3, learning rate",
)  # fmt: skip
def _oscillating(record):
    losses = _losses(record)[-8:]
    if len(losses) < 6 or not np.isfinite(losses).all():
        return
    changes = np.diff(losses)
    turns = np.mean(np.sign(changes[1:]) != np.sign(changes[:-1]))
    size = float(np.abs(changes).mean() / max(abs(losses).mean(), 1e-12))
    if turns >= 0.6 and size > 0.25 and losses[-3:].mean() > 0.8 * losses[:3].mean():
        yield (
            None, size, f"From epoch to epoch the loss jumps by {size:.0%}, and does not fall.",
            "Try a learning rate ten times smaller, or larger batches.",
        )  # fmt: skip


@rule(
    "LAM509", "error", "a step that is not finite", "watch",
    "Training stopped before it: weights do not recover from NaN.",
    "IEEE 754",
)  # fmt: skip
def _not_finite(record):
    if record.diagnosis is not None:
        message, _, fix = record.diagnosis.message.rpartition("). ")
        yield record.diagnosis.where, record.diagnosis.cause, message + ").", fix


@rule(
    "LAM510", "warning", "overfitting", "watch",
    "The model memorizes the training samples: on others it gets worse.",
    "Prechelt: Early Stopping - But When? (1998)",
)  # fmt: skip
def _overfitting(record):
    losses, held_out = _losses(record), _losses(record, "val_loss")
    if len(held_out) < 5 or len(losses) != len(held_out) or not np.isfinite(held_out).all():
        return
    best = int(held_out.argmin())
    worse = best <= len(held_out) - 4 and held_out[-3:].min() > 1.1 * held_out[best]
    if worse and losses[-1] < 0.9 * losses[best]:
        yield (
            None, float(held_out[-1] / held_out[best]),
            f"val_loss was best in epoch {best + 1} ({held_out[best]:.3g}) and is {held_out[-1]:.3g} now; loss still "
            "falls.",
            "Use EarlyStopping(patience=3, restore_best_weights=True), more data, augmentation or Dropout.",
        )  # fmt: skip


@rule(
    "LAM511", "warning", "a model that cannot memorize one batch", "watch",
    "A model with more weights than samples can memorize a few samples; if it cannot, something between data and loss "
    "is wrong.",
    "Karpathy: A Recipe for Training Neural Networks (2019), overfit one batch",
)  # fmt: skip
def _one_batch(record):
    losses = _losses(record)
    weights = sum(variable.size for variable in record.model.trainable_variables)
    if record.steps == 1 and record.fresh and len(losses) >= 50 and record.rows <= 32 and weights > 10 * record.rows:
        left = float(losses[-1] / max(losses[0], 1e-12))
        if left > 0.5 and losses[-1] > 1e-3:
            yield (
                None, left, f"After {len(losses)} epochs on one batch of {record.rows} the loss is {left:.0%} of the "
                "first.",
                "Check that labels belong to their samples, that gradients reach all layers, and try learning rates.",
            )  # fmt: skip
