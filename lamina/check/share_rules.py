"""LAM315, LAM316, LAM319, LAM320: arguments of fit that leave nothing to train, or hardly anything to judge by."""

import numpy as np

from lamina.check.plans import callbacks_of, samples_of, steps_of
from lamina.check.rule import rule
from lamina.core import tree

__all__ = []

_JUDGES = ("EarlyStopping", "ReduceLROnPlateau", "ModelCheckpoint")
_OLD = 0.5  # share of the first values in a moving mean
_SOME = 100  # samples, below which a training tries a program
_FEW = 8  # validation rows, of which each moves the figure


@rule(
    "LAM319", "warning", "hardly anything to train, or to judge by", "fit",
    "What fit leaves out is not trained; a figure of few rows says more of these rows than of the model.",
    "Keras: fit, validation_split and initial_epoch",
)  # fmt: skip
def _shares_of_fit(subject):
    settings, samples = subject.settings, samples_of(subject)
    first, epochs, split = settings.get("initial_epoch") or 0, settings.get("epochs"), settings.get("validation_split")
    if epochs and first >= epochs:
        yield (
            None, epochs, f"initial_epoch={first} and epochs={epochs}: no epoch is trained.",
            f"Use epochs={first + epochs}: it is the number of the last epoch, not how many are added.",
        )  # fmt: skip
    if not split or not samples or settings.get("validation_data") is not None:
        return
    whole = len(subject.x) if hasattr(subject.x, "shape") else samples
    kept = int(whole * (1 - split))
    if split > 0.6:
        yield (
            None, split, f"validation_split={split:g} leaves {kept} of {whole} rows for training.",
            f"Use validation_split={min(round(1 - split, 3), 0.2):g}: it is the share that is not trained.",
        )  # fmt: skip
    elif whole >= 8 * _FEW and whole - kept < _FEW:
        for callback in callbacks_of(subject):
            kind, figure = type(callback).__name__, str(getattr(callback, "monitor", ""))
            if kind in _JUDGES and figure.startswith("val_"):
                yield (
                    None, whole - kept, f"{kind} judges by {figure!r}, which {whole - kept} of {whole} rows give.",
                    "Use validation_split=0.2.",
                )  # fmt: skip
                return


@rule(
    "LAM320", "warning", "moving averages that still are what they began as", "fit",
    "BatchNormalization predicts with moving averages that begin as mean 0 and variance 1: while these are most of "
    "them, predictions and validation are unlike what is trained.",
    "Ioffe, Szegedy: Batch Normalization (2015), algorithm 2; Keras: BatchNormalization, momentum",
)  # fmt: skip
def _averages_of_too_few_steps(subject):
    steps = steps_of(subject)
    if not steps or not subject.own_step or (samples_of(subject) or 0) < _SOME:
        return
    for fact in subject.facts:
        moves = fact.depth == 0 and fact.kind == "BatchNormalization" and fact.layer.trainable and fact.layer.built
        kept = float(fact.layer.momentum) if moves else 0.0
        if moves and _OLD < kept**steps < 1 and not np.any(fact.layer.moving_mean.numpy()):
            yield (
                fact.name, kept, f"After {steps} steps with momentum={kept:g} the moving averages of {fact.name} are "
                f"to {kept**steps:.0%} what they began as.",
                f"Use momentum={max(round(1 - 5 / steps, 2), 0.5):g}, or more and smaller batches.",
            )  # fmt: skip
            return


@rule(
    "LAM315", "warning", "BatchNormalization over a batch of one", "fit",
    "The variance over one sample is 0: every output is beta, whatever the input.",
    "Ioffe, Szegedy: Batch Normalization (2015), algorithm 1",
)  # fmt: skip
def _batch_of_one(subject):
    if subject.settings.get("batch_size") != 1:
        return
    for fact in subject.facts:
        trained = fact.kind == "BatchNormalization" and fact.layer.trainable and fact.training is not False
        if trained and len(fact.input) == 2:
            yield (
                fact.name, 1, f"batch_size=1, and {fact.name} normalizes over the batch.",
                f"Use batch_size=32, or layers.LayerNormalization() in place of {fact.name}.",
            )  # fmt: skip


@rule(
    "LAM316", "warning", "states of one series for another", "fit",
    "A stateful layer begins each batch with the states that the batch before left: these belong to other rows where "
    "rows are shuffled, and to the end of the data where they are not reset.",
    "Keras: stateful of RNN: row i of a batch follows row i of the batch before; reset_states",
)  # fmt: skip
def _states_of_another_series(subject):
    fit = subject.settings
    stateful = [fact for fact in subject.facts if getattr(fact.layer, "stateful", False) and fact.has("recurrent")]
    own = [one for one in callbacks_of(subject) if not one.__class__.__module__.startswith(("lamina.", "keras."))]
    if not stateful or not subject.own_step or not getattr(subject.x, "ndim", 1):
        return
    name = stateful[0].name
    size, samples = _size_of_states(stateful[0]), samples_of(subject)
    whole = all(part.batch is None for part in subject.parts)
    if whole and size and samples and (fit.get("batch_size", 32) != size or samples % size):
        yield (
            name, size, f"{name} keeps the states of {size} rows, and fit gives it {samples} rows by "
            f"{fit.get('batch_size', 32)}.",
            f"Pass batch_size={size}, and whole batches: x[:{samples // size * size}], y[:{samples // size * size}].",
        )  # fmt: skip
    elif fit.get("shuffle", True) and not own and subject.parts and whole:
        yield (
            name, True, f"{name} is stateful, and fit shuffles the rows.",
            f"Leave out stateful=True in {name}; or pass shuffle=False, rows in order, and a callback that resets it.",
        )  # fmt: skip
    elif (fit.get("epochs") or 1) > 1 and not own:
        yield (
            name, False, f"{name} is stateful, and its states are not reset between the {fit['epochs']} epochs.",
            f"Call {name}.reset_state() in a callback: keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: "
            f"model.get_layer({name!r}).reset_state()).", "info",
        )  # fmt: skip


def _size_of_states(fact):
    """How many rows a stateful layer keeps states for; None where this is not known."""
    states = tree.flatten(getattr(fact.layer, "states", None))
    return next((int(state.shape[0]) for state in states if getattr(state, "shape", ())), None)
