"""History: the losses and metrics of each epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.callbacks.callback import Callback
from lamina.callbacks.curves import Curves
from lamina.callbacks.logs import EpochLogs, Figures
from lamina.drawing.axes import sparkline
from lamina.errors import ArgumentError
from lamina.runtime.terminal import harmless, printable
from lamina.runtime.tracebacks import filters_traceback
from lamina.saving.safety.records import write_as

if TYPE_CHECKING:
    import os

__all__ = ["History"]


write_as(Figures, dict)
write_as(EpochLogs, dict)


class History(Callback):
    """The losses and metrics of each epoch. `fit` returns it.

    Attributes:
        history: Name of each loss or metric -> its values by epoch.
        epoch: Numbers of the epochs, from 0.
        validations: With `fit(validation_steps_every=...)`, each validation as a dict: "epoch" (from 0), "batch" (the
            batches of that epoch that were trained before it), and its losses and metrics, which begin with `val_`.
    """

    __slots__ = ("model",)  # not among the attributes that the model keeps: see lamina.core.kept
    model: Any

    def __init__(self) -> None:
        self.model = None
        self.history: dict[str, list[Any]] = Figures()
        self.epoch: list[int] = []
        self.validations: list[dict[str, Any]] = []

    @filters_traceback
    def __getitem__(self, name: Any) -> Any:
        raise ArgumentError("A History has its figures in the dict `history`.", fix=f"history.history[{name!r}]")

    __iter__ = None  # since the method above would make it iterable

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self

    def __repr__(self) -> str:
        if not self.history:
            return "<History of no epochs>"
        count = max(map(len, self.history.values()))
        lines = [
            f"{name} {values[0]:.4g} → {values[-1]:.4g} {sparkline(values, 16)}"
            for name, values in self.history.items()
            if values and all(hasattr(value, "__float__") for value in values)
        ]
        return printable(harmless(f"<History of {count} epoch{'s' * (count != 1)}: {', '.join(lines)}>"))

    def _repr_html_(self):
        return self.plot()._repr_html_() if self.history else None

    def plot(self, path: str | os.PathLike[str] | None = None) -> Curves:
        """The training curves: a notebook shows plots; printed, they are lines of text.

        Args:
            path: File to write as well, which ends in .svg, .html, or .png (which needs Pillow).

        Raises:
            DataError: If nothing was trained yet.

        >>> history = History()
        >>> history.history = {"loss": [4.0, 2.0, 1.0]}
        >>> history.plot()
        loss  4 -> 1  █▃▁  best 1 in epoch 3
        """
        curves = Curves(self.history, self.epoch)
        if path is not None:
            curves.save(path)
        return curves
