"""Callbacks for services that keep track of experiments: MLflow, and Weights & Biases."""

from __future__ import annotations

import importlib
import numbers
import os
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from lamina.callbacks.callback import Callback
from lamina.runtime import processes
from lamina.runtime.packages import MissingPackageError
from lamina.saving import save_model

__all__ = ["MLflow", "WandB"]


class _Tracker(Callback):
    """What both have in common: settings when training begins, numbers after each epoch, and the model at the end."""

    _package: str
    log_model: bool
    _run: Any = None
    _is_own = False  # whether the run was started here

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not processes.is_first():
            return
        try:
            tracker: Any = importlib.import_module(self._package)
        except ModuleNotFoundError as error:
            if error.name != self._package:
                raise
            raise MissingPackageError(f"keras.callbacks.{type(self).__name__}", self._package) from None
        self._start(tracker, settings_of(self.model, self.params or {}))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        values = {name: float(value) for name, value in (logs or {}).items() if np.ndim(value) == 0}
        if processes.is_first():
            self._log(values, epoch)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.log_model:
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "model.keras")
                save_model(self.model, path)  # in all processes, which gather what is split
                if processes.is_first():
                    self._add_file(path)
        self._end(failed=False)

    def settle(self) -> None:
        """End the run as failed, where training did not reach its end. `fit` calls it last."""
        self._end(failed=True)

    def _end(self, failed):
        run, self._run = self._run, None
        if run is not None and self._is_own:
            self._finish(run, failed)

    def _start(self, tracker, settings):
        raise NotImplementedError

    def _log(self, values, epoch):
        raise NotImplementedError

    def _add_file(self, path):
        raise NotImplementedError

    def _finish(self, run, failed):
        raise NotImplementedError


class MLflow(_Tracker):
    """Writes a run to MLflow: settings as parameters, losses and metrics of each epoch, and the model as an artifact.

    A run that is active when training begins is used, and stays open. Otherwise one is started, which ends with the
    training, as failed if that did not reach its end. `pip install mlflow`.

    Args:
        tracking_uri: Where runs are written, such as "http://localhost:5000" or "sqlite:///mlflow.db". None means what
            MLflow has set.
        experiment: Name of the experiment. None means what MLflow has set.
        run_name: Name of the run, where one is started. None lets MLflow choose.
        run_id: Id of a run to continue. None means the active run, or a new one.
        log_model: Whether the trained model is added, as the artifact model/model.keras.
        tags: Tags of the run, where one is started.

    Attributes:
        run_id: Id of the run that was written to.

    Raises:
        ImportError: When training begins, if mlflow is not installed.

    >>> import lamina as keras
    >>> tracker = keras.callbacks.MLflow("sqlite:///mlflow.db", experiment="digits", log_model=True)
    """

    tags: Any

    _package = "mlflow"

    def __init__(
        self,
        tracking_uri: str | None = None,
        experiment: str | None = None,
        run_name: str | None = None,
        run_id: str | None = None,
        log_model: bool = False,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self.tracking_uri = tracking_uri
        self.experiment = experiment
        self.run_name = run_name
        self.run_id = run_id
        self.log_model = log_model
        self.tags = None if tags is None else dict(tags)

    def _start(self, tracker, settings):
        if self.tracking_uri is not None:
            tracker.set_tracking_uri(self.tracking_uri)
        if self.experiment is not None:
            tracker.set_experiment(self.experiment)
        active = tracker.active_run()
        self._is_own = active is None
        self._run = active or tracker.start_run(run_id=self.run_id, run_name=self.run_name, tags=self.tags)
        self._mlflow, self.run_id = tracker, self._run.info.run_id
        known = tracker.get_run(self.run_id).data.params  # a parameter cannot be changed
        tracker.log_params({name: value for name, value in settings.items() if name not in known})

    def _log(self, values, epoch):
        self._mlflow.log_metrics(values, step=epoch, run_id=self.run_id)

    def _add_file(self, path):
        self._mlflow.log_artifact(path, "model", run_id=self.run_id)

    def _finish(self, run, failed):
        self._mlflow.end_run("FAILED" if failed else "FINISHED")


class WandB(_Tracker):
    """Writes a run to Weights & Biases: settings as its config, losses and metrics of each epoch, and the model.

    A run that is open when training begins (`wandb.init` was called) is used, and stays open. Otherwise one is started,
    which ends with the training. `pip install wandb`.

    Args:
        project: Name of the project.
        name: Name of the run. None lets W&B choose.
        mode: "online", "offline" (files in the folder `wandb`, which `wandb sync` sends later) or "disabled". None
            means what W&B has set, as by the environment variable WANDB_MODE.
        dir: Folder for the files. None means the current one.
        config: Further settings to show with the run.
        log_model: Whether the trained model is added, as an artifact of type "model".

    Raises:
        ImportError: When training begins, if wandb is not installed.

    >>> import lamina as keras
    >>> tracker = keras.callbacks.WandB(project="digits", mode="offline")
    """

    dir: str | None
    config: dict[str, Any] | None

    _package = "wandb"

    def __init__(
        self,
        project: str | None = None,
        name: str | None = None,
        mode: str | None = None,
        dir: str | os.PathLike[str] | None = None,
        config: Mapping[str, Any] | None = None,
        log_model: bool = False,
    ) -> None:
        self.project = project
        self.name = name
        self.mode = mode
        self.dir = None if dir is None else os.fspath(dir)
        self.config = None if config is None else dict(config)
        self.log_model = log_model

    def _start(self, tracker, settings):
        self._is_own = tracker.run is None
        self._run = tracker.run or tracker.init(
            project=self.project, name=self.name, mode=self.mode, dir=self.dir, config=self.config
        )
        self._wandb = tracker
        self._run.config.update(settings, allow_val_change=True)

    def _log(self, values, epoch):
        self._run.log({"epoch": epoch, **values})

    def _add_file(self, path):
        artifact = self._wandb.Artifact(f"model-{self._run.id}", type="model")
        artifact.add_file(path)
        self._run.log_artifact(artifact)

    def _finish(self, run, failed):
        run.finish(exit_code=int(failed))


def settings_of(model: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a run of `fit` by name: of the run, the model, its loss and its optimizer.

    Args:
        model: Compiled model.
        params: Settings that callbacks get.
    """
    optimizer = model.optimizer
    settings: dict[str, Any] = {
        "model": model.name, "parameters": model.count_params(), "epochs": params.get("epochs"),
        "steps": params.get("steps"), "loss": _shown(model.loss), "optimizer": type(optimizer).__name__,
    }  # fmt: skip
    if optimizer is not None:
        config = optimizer.get_config().items()
        settings |= {f"optimizer.{name}": _shown(value) for name, value in config if value is not None}
    return {name: value for name, value in settings.items() if value is not None}


def _shown(value):
    """A number or text as it is, an object by its name, the rest as Python writes it."""
    if isinstance(value, float):
        return float(f"{value:.7g}")  # a float32 as it was written
    if value is None or isinstance(value, (str, bool, numbers.Number)):
        return value
    if isinstance(value, dict) and "class_name" in value:
        arguments = ", ".join(f"{name}={one!r}" for name, one in value["config"].items() if one is not None)
        return f"{value['class_name']}({arguments})"
    return str(getattr(value, "__name__", getattr(value, "name", None)) or value)
