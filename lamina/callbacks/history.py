"""History: the losses and metrics of each epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.callbacks.callback import Callback
from lamina.callbacks.curves import Curves
from lamina.drawing.axes import sparkline
from lamina.errors import ConfigError
from lamina.runtime.terminal import printable
from lamina.saving.safety.records import write_as
from lamina.spelling.nearest import nearest

if TYPE_CHECKING:
    import os

__all__ = ["History"]


class Figures(dict[str, list[Any]]):
    """Name of each loss or metric -> its values by epoch; another name is an error that says which there are."""

    def __missing__(self, name: Any) -> Any:
        raise MissingFigure(name, self)


write_as(Figures, dict)


class MissingFigure(ConfigError, KeyError):
    """A loss or metric that a history does not have."""

    def __init__(self, name: Any, figures: dict[str, list[Any]]) -> None:
        near = nearest(str(name), figures)
        is_validation = str(name).startswith("val_")
        extra = " fit(validation_data=...) or fit(validation_split=0.2) adds it." if is_validation else ""
        super().__init__(
            f"The history has no {name!r}; it has {', '.join(map(repr, figures)) or 'nothing yet'}.{extra}",
            fix=f"history.history[{near[0]!r}]" if near and not is_validation else None,
        )


class History(Callback):
    """The losses and metrics of each epoch. `fit` returns it.

    Attributes:
        history: Name of each loss or metric -> its values by epoch.
        epoch: Numbers of the epochs, from 0.
        validations: With `fit(validation_steps_every=...)`, each validation as a dict: "epoch" (from 0), "batch" (the
            batches of that epoch that were trained before it), and its losses and metrics, which begin with `val_`.
    """

    def __init__(self) -> None:
        self.history: dict[str, list[Any]] = Figures()
        self.epoch: list[int] = []
        self.validations: list[dict[str, Any]] = []

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
        return printable(f"<History of {count} epoch{'s' * (count != 1)}: {', '.join(lines)}>")

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
