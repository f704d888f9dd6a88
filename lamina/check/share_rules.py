"""LAM319: arguments of fit that leave nothing to train, or hardly anything to train or to judge by."""

from lamina.check.plans import callbacks_of, samples_of
from lamina.check.rule import rule

__all__ = []

_JUDGES = ("EarlyStopping", "ReduceLROnPlateau", "ModelCheckpoint")
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
