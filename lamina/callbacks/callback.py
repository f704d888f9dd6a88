"""Callback: hooks at each point of training, evaluation and prediction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from lamina.core.representation import Represented, arguments_of
from lamina.spelling import SaysWhatWasMeant

__all__ = ["Callback", "idle_with_epochs"]


class Callback(SaysWhatWasMeant, Represented):
    """Base of callbacks: override the hooks you need.

    A batch hook that reads `logs` makes the loop wait for the results of that batch.

    Attributes:
        model: Model that runs.
        params: Settings of the run: "verbose", "epochs" and "steps".

    >>> class Shout(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(f"EPOCH {epoch}!")
    >>> Shout().on_epoch_end(3)
    EPOCH 3!
    """

    model: Any = None
    params: Any = None
    _repr_always = frozenset(("monitor",))

    if not TYPE_CHECKING:  # type checkers use the signature of __init__

        def __new__(cls, *args: Any, **kwargs: Any) -> Self:
            callback = super().__new__(cls, *args, **kwargs)
            callback._init_arguments = arguments_of(cls, args, kwargs)
            return callback

    def set_params(self, params: dict[str, Any]) -> None:
        """Set the settings of the run.

        Args:
            params: Settings by name: "verbose", "epochs" and "steps".
        """
        self.params = params

    def set_model(self, model: Any) -> None:
        """Set the model.

        Args:
            model: Model that runs.
        """
        self.model = model

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Before an epoch of `fit`.

        Args:
            epoch: Number of the epoch, from 0.
            logs: Empty.
        """

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """After an epoch of `fit`.

        Args:
            epoch: Number of the epoch, from 0.
            logs: Losses and metrics of the epoch by name; those of the validation begin with `val_`.
        """

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """At the start of `fit`.

        Args:
            logs: Empty.
        """

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """At the end of `fit`.

        Args:
            logs: Losses and metrics of the last epoch by name.
        """

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """At the start of `evaluate`, and of the validation in `fit`.

        Args:
            logs: Empty.
        """

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """At the end of `evaluate`, and of the validation in `fit`.

        Args:
            logs: Losses and metrics by name.
        """

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """At the start of `predict`.

        Args:
            logs: Empty.
        """

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """At the end of `predict`.

        Args:
            logs: Empty.
        """

    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Another name of `on_train_batch_begin`.

        Args:
            batch: Number of the batch in its epoch, from 0.
            logs: Empty.
        """

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Another name of `on_train_batch_end`.

        Args:
            batch: Number of the batch in its epoch, from 0.
            logs: Losses and metrics of the epoch so far, by name.
        """

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Before a step of `fit`.

        Args:
            batch: Number of the batch in its epoch, from 0.
            logs: Empty.
        """
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """After a step of `fit`.

        Args:
            batch: Number of the batch in its epoch, from 0.
            logs: Losses and metrics of the epoch so far, by name.
        """
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Before a step of `evaluate`.

        Args:
            batch: Number of the batch in its epoch, from 0.
            logs: Empty.
        """

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """After a step of `evaluate`.

        Args:
            batch: Number of the batch in its epoch, from 0.
            logs: Losses and metrics of the epoch so far, by name.
        """

    def on_predict_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Before a step of `predict`.

        Args:
            batch: Number of the batch in its epoch, from 0.
            logs: Empty.
        """

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """After a step of `predict`.

        Args:
            batch: Number of the batch in its epoch, from 0.
            logs: Empty.
        """


def idle_with_epochs(hook: Callable[..., None]) -> Callable[..., None]:
    """Decorate a batch hook that does nothing while the `save_freq` of its callback is "epoch".

    Args:
        hook: Hook with a callback as its first argument.
    """
    hook.idle = lambda callback: callback.save_freq == "epoch"  # pyright: ignore[reportFunctionMemberAccess]
    return hook
