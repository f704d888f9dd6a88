"""LAM306: callbacks that cannot act, or act too early."""

import math

from lamina.check.plans import callbacks_of, optimizer_of, rate_of
from lamina.check.rule import rule
from lamina.check.targets import metrics_of
from lamina.core.registry import is_builtin

__all__ = []

_NOTHING = 0.02  # factor of the rate, after which steps are too small to count
_MANY = 10  # epochs, of which one will not be better than the one before
_HARDLY = 0.3  # of a share, which hardly any epoch gains


@rule(
    "LAM306", "warning", "a callback that cannot act, or acts at once", "fit",
    "It waits for a value that is never logged, or longer than the training lasts.",
    "Keras: EarlyStopping, ReduceLROnPlateau, ModelCheckpoint",
)  # fmt: skip
def _callbacks_that_cannot_act(subject):
    settings = subject.settings
    validated = bool(settings.get("validation_data") is not None or settings.get("validation_split"))
    epochs, logged = settings.get("epochs"), _logged(subject)
    for callback in callbacks_of(subject):
        kind, figure = type(callback).__name__, str(getattr(callback, "monitor", ""))
        if kind not in ("EarlyStopping", "ReduceLROnPlateau", "ModelCheckpoint"):
            continue
        watches = kind != "ModelCheckpoint" or callback.save_best_only
        accuracy = figure.endswith(("acc", "accuracy", "auc"))
        if watches and figure.startswith("val_") and not validated:
            yield (
                None, figure, f"{kind} watches {figure!r}, and there is no validation data.",
                f"Pass validation_split=0.2 to fit, or {kind}(monitor={figure.removeprefix('val_')!r}"
                f"{f', patience={max(callback.patience, 5)}' if kind != 'ModelCheckpoint' else ''}).",
            )  # fmt: skip
        elif watches and (accuracy or figure.endswith("loss")) and callback.mode == ("min" if accuracy else "max"):
            better = "max" if accuracy else "min"
            yield (
                None, figure,
                f"{kind} waits for {figure!r} to {'fall' if accuracy else 'rise'} (mode={callback.mode!r}).",
                f"Use {kind}(monitor={figure!r}, mode={better!r}).",
            )  # fmt: skip
        elif watches and logged and figure.removeprefix("val_") not in logged:
            near = next((name for name in logged if accuracy and "acc" in name), None)
            yield (
                None, figure, f"{kind} watches {figure!r}, and what is logged is {', '.join(logged)}.",
                f"Use {kind}(monitor={'val_' * figure.startswith('val_') + (near or 'loss')!r}"
                f"{'' if near or not accuracy else '), or compile(metrics=[' + repr('accuracy') + ']'}).",
            )  # fmt: skip
        else:
            yield from _soon_or_late(kind, figure, callback, epochs or 1, rate_of(optimizer_of(subject)))
            yield from _waits_for_much(kind, figure, callback, subject)
    yield from _stopped_before(callbacks_of(subject))


def _soon_or_late(kind, figure, callback, epochs, rate):
    """A callback that acts at the first epoch that is not better, or not before the end."""
    if kind == "EarlyStopping":
        yield from _of_stopping(figure, callback, epochs)
    elif kind == "ReduceLROnPlateau":
        yield from _of_a_plateau(figure, callback, epochs, rate)


def _of_stopping(figure, callback, epochs):
    patience, gain = callback.patience, abs(callback.min_delta)
    if patience == 0 and (gain >= 0.1 or epochs >= _MANY):
        yield (
            None, callback.min_delta,
            f"EarlyStopping ends training at the first epoch that is not better{f' by {gain:g}' if gain else ''}.",
            "Use EarlyStopping(patience=5, restore_best_weights=True).",
            *([] if gain >= 0.1 else ["info"]),  # Keras's default, which fit tells of as it stops
        )  # fmt: skip
    elif callback.start_from_epoch >= epochs > 1:
        yield (
            None, callback.start_from_epoch,
            f"EarlyStopping looks from epoch {callback.start_from_epoch} on, and there are {epochs}.",
            f"Use EarlyStopping(start_from_epoch={epochs // 4}, patience={max(patience, 5)}).",
        )  # fmt: skip
    elif _is_beyond(callback, figure):
        yield (
            None, callback.baseline, f"EarlyStopping waits for {figure!r} to be better than {callback.baseline:g}, "
            f"which it cannot be: after {patience} epochs training ends.",
            f"Leave baseline out: EarlyStopping(monitor={figure!r}, patience={max(patience, 5)}).",
        )  # fmt: skip
    elif callback.baseline is not None and _is_far(callback, figure) and 5 * patience <= epochs:
        yield (
            None, callback.baseline,
            f"EarlyStopping ends training after {patience} epoch{'s' * (patience > 1)}, unless {figure!r} is "
            f"better than {callback.baseline:g} by then.",
            f"Leave baseline out: EarlyStopping(monitor={figure!r}, patience={max(patience, 5)}).",
        )  # fmt: skip
    elif _is_share(figure) and gain >= _HARDLY and patience < epochs:
        yield (
            None, callback.min_delta, f"EarlyStopping counts {figure!r}, which is 1 at most, as better where it gains "
            f"{gain:g}: after {patience} epochs training ends.",
            f"Use EarlyStopping(monitor={figure!r}, min_delta=0.001, patience={max(patience, 5)}).",
        )  # fmt: skip
    elif not callback.restore_best_weights and patience >= epochs > 1:
        yield (
            None, patience, f"EarlyStopping waits {patience} epochs, and there are {epochs}.",
            f"Use EarlyStopping(patience={max(epochs // 10, 1)}, restore_best_weights=True), or more epochs.",
        )  # fmt: skip


def _waits_for_much(kind, figure, callback, subject):
    """A gain that a crossentropy, which begins at about that of a guess, has once or twice."""
    classes = [head.units or 1 for head in subject.heads if "crossentropy" in head.loss_name]
    guess = math.log(max(*classes, 2)) if len(classes) == len(subject.heads) == 1 else math.inf
    gain, patience = abs(getattr(callback, "min_delta", 0.0)), getattr(callback, "patience", 0)
    if kind != "ModelCheckpoint" and figure in ("loss", "val_loss") and gain > guess / 3:
        does = "ends training" if kind == "EarlyStopping" else "lowers the rate"
        yield (
            None, gain, f"{kind} counts {figure!r} as better where it falls by {gain:g}, and a guess has {guess:.2g}; "
            f"it {does} {patience} epochs after the first.",
            f"Use {kind}(monitor={figure!r}, min_delta=0.001, patience={max(patience, 5)}).",
        )  # fmt: skip


def _of_a_plateau(figure, callback, epochs, rate):
    patience = callback.patience
    if _ends_it(callback, rate):
        yield (
            None, callback.factor,
            f"ReduceLROnPlateau multiplies the rate by {callback.factor:g} after {max(patience, 1)} "
            f"epoch{'s' * (patience > 1)} without a better {figure!r}.",
            f"Use ReduceLROnPlateau(monitor={figure!r}, factor=0.5, patience={max(patience, 5)}).",
        )  # fmt: skip
    elif rate and callback.min_lr >= rate:
        yield (
            None, callback.min_lr,
            f"ReduceLROnPlateau lowers the rate to {callback.min_lr:g} at most, and it is {rate:g}.",
            f"Use ReduceLROnPlateau(min_lr={rate / 100:g}).",
        )  # fmt: skip
    elif patience >= epochs >= _MANY:
        yield (
            None, patience,
            f"ReduceLROnPlateau waits {patience} epochs, and there are {epochs}: it never lowers the rate.",
            f"Use ReduceLROnPlateau(monitor={figure!r}, patience={max(epochs // 8, 2)}).",
        )  # fmt: skip


def _ends_it(callback, rate):
    """Whether the first plateau leaves a rate at which nothing is learned, or each noisy epoch lowers it by much."""
    nothing = callback.factor <= _NOTHING and rate and callback.min_lr < rate / 10
    return nothing or (callback.patience == 0 and callback.factor < 0.5)


def _is_beyond(callback, figure):
    """Whether no loss of the library, and no share, is better than the baseline."""
    if callback.baseline is None:
        return False
    if _is_share(figure):
        return callback.baseline >= 1
    return figure in ("loss", "val_loss", "mae", "val_mae") and callback.baseline <= 0


def _is_far(callback, figure):
    """Whether hardly any model is better than the baseline after its first epochs."""
    reached = callback.baseline >= 0.95 if _is_share(figure) else callback.baseline <= 1e-3
    return reached and callback.patience <= 3 and (_is_share(figure) or figure.endswith("loss"))


def _is_share(figure):
    """Whether a figure is a share of 1, of which more is better."""
    return figure.endswith(("acc", "accuracy", "auc", "precision", "recall"))


def _stopped_before(given):
    """A rate that would be lowered on a plateau, were the training not ended before by the same figure."""
    stops = [one for one in given if type(one).__name__ == "EarlyStopping"]
    for lowers in (one for one in given if type(one).__name__ == "ReduceLROnPlateau"):
        for stop in stops:
            same = str(stop.monitor) == str(lowers.monitor) and not getattr(stop, "start_from_epoch", 0)
            if same and 0 < stop.patience <= lowers.patience:
                yield (
                    None, lowers.patience,
                    f"EarlyStopping ends training after {stop.patience} epochs without a better {stop.monitor!r}; "
                    f"ReduceLROnPlateau waits {lowers.patience}, and never lowers the rate.",
                    f"Use EarlyStopping(monitor={str(stop.monitor)!r}, patience={2 * lowers.patience + 2}).",
                )  # fmt: skip


def _logged(subject):
    """The names of loss and metrics in the logs of a model of one output; none where they are not known."""
    known = subject.own_step and len(subject.heads) == 1 and is_builtin(type(subject.model).compute_metrics)
    if not known or any(not is_builtin(type(callback)) for callback in callbacks_of(subject)):
        return []
    metrics = [metric for _, metric in metrics_of(subject)]
    names = [one if isinstance(one, str) else getattr(one, "name", getattr(one, "__name__", "")) for one in metrics]
    return ["loss", *names, "learning_rate"]
