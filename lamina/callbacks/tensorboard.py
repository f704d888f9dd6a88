"""TensorBoard: event files for TensorBoard."""

from __future__ import annotations

import os
import pathlib
import re
import time
from typing import Any

import jax
import numpy as np

from lamina.callbacks.callback import Callback
from lamina.callbacks.event_files import EventFile
from lamina.errors import ConfigError
from lamina.layers import Embedding
from lamina.legacy import old_names
from lamina.runtime import processes
from lamina.runtime.atomic_files import make_folder

__all__ = ["TensorBoard"]


class TensorBoard(Callback):
    """Writes losses, metrics, distributions of weights, the model and a profile for TensorBoard, which shows them with
    `tensorboard --logdir logs`. Neither TensorFlow nor tensorboard is needed to write the files.

    Args:
        log_dir: Folder; losses and metrics of training go to its subfolder train, of validation to validation.
        histogram_freq: Epochs between histograms of the weights; 0 means none.
        write_graph: Whether to write the model: its JSON for the graph page, its summary as a text.
        write_images: Whether to write the weights as images too, from black (least) to white, with the histograms.
        write_steps_per_second: Whether to write the training steps per second.
        update_freq: "epoch", "batch", or the number of batches after which losses and metrics of training are written.
        profile_batch: Batch, or pair (first, last) of batches, counted from 1, that JAX's profiler records; 0 means
            none.
        embeddings_freq: Epochs between copies of the Embedding layers for the projector; 0 means none.
        embeddings_metadata: File with a name for each row of an embedding, or a dict of them by layer name.

    Raises:
        ConfigError: If `update_freq`, `profile_batch` or `embeddings_metadata` is not valid.

    >>> import lamina as keras
    >>> board = keras.callbacks.TensorBoard("logs", histogram_freq=1, update_freq=100)
    """

    @old_names("TensorBoard")
    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: int | str | tuple[int, int] = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: str | dict[str, str] | None = None,
    ):
        self.log_dir: str = os.fspath(log_dir)
        self.histogram_freq: int = histogram_freq
        self.write_graph: bool = write_graph
        self.write_images: bool = write_images
        self.write_steps_per_second: bool = write_steps_per_second
        self.update_freq: Any = 1 if update_freq == "batch" else update_freq
        self.profile_batch: int | str | tuple[int, int] = profile_batch
        self.embeddings_freq: int = embeddings_freq
        self.embeddings_metadata: str | dict[str, str] | None = embeddings_metadata
        if self.update_freq != "epoch" and (not isinstance(self.update_freq, int) or self.update_freq < 1):
            raise ConfigError(
                f"update_freq is 'epoch', 'batch' or a number of batches; got {update_freq!r}.",
                fix='update_freq="epoch"',
            )
        self._profiled: Any = _batches_to_profile(profile_batch)
        self._files: dict[str, Any] = {}
        self._step = self._last_batch = 0
        self._profiling = self._in_fit = False

    # Training

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._in_fit, self._step = True, 0
        if self.write_graph:
            self._write_model()
        if self.embeddings_freq:
            self._write_projector()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._last_batch, self._epoch_began = -1, (time.perf_counter(), self._step)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._batch_began = time.perf_counter()
        if self._profiled and self._step + 1 == self._profiled[0]:
            jax.profiler.start_trace(self.log_dir)
            self._profiling = True

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        steps = batch - self._last_batch
        self._step, self._last_batch = self._step + steps, batch
        if self._profiling and self._step >= self._profiled[1]:
            self._stop_profiling()
        if self.update_freq != "epoch" and self._step % self.update_freq < steps:
            figures = {f"batch_{name}": value for name, value in (logs or {}).items()}
            if self.write_steps_per_second:
                figures["batch_steps_per_second"] = steps / (time.perf_counter() - self._batch_began)
            self._write("train", figures, self._step)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = {**(logs or {}), **_learning_rate(self.model)}
        train = {f"epoch_{name}": value for name, value in logs.items() if not name.startswith("val_")}
        if self.write_steps_per_second:
            began, step = self._epoch_began
            train["epoch_steps_per_second"] = (self._step - step) / (time.perf_counter() - began)
        self._write("train", train, epoch)
        validation = {f"epoch_{name[4:]}": value for name, value in logs.items() if name.startswith("val_")}
        if validation:
            self._write("validation", validation, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self._profiling:
            self._stop_profiling()
        self._in_fit, self._files = False, {}

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        figures = {f"evaluation_{name}_vs_iterations": value for name, value in (logs or {}).items()}
        step = self._step if self._in_fit or self.model.optimizer is None else int(self.model.optimizer.iterations)
        self._write("validation", figures, step)
        if not self._in_fit:
            self._files = {}

    # Writing

    def _file(self, name):
        if name not in self._files:
            self._files[name] = EventFile(pathlib.Path(self.log_dir, name))
        return self._files[name]

    def _write(self, name, figures, step):
        file = self._file(name)
        for tag, value in figures.items():
            file.scalar(tag, float(value), step)
        file.flush()

    def _write_model(self):
        file, lines = self._file("train"), []
        file.text("keras", self.model.to_json(), 0, plugin="graph_keras_model")
        self.model.summary(print_fn=lambda line, line_break=True: lines.append(str(line)))
        file.text("model", "```\n" + "\n".join(lines) + "\n```", 0)
        file.flush()

    def _write_weights(self, epoch):
        file = self._file("train")
        for variable in self.model.weights:
            value = np.asarray(variable, "float32")
            file.histogram(f"{variable.path}/histogram", value, epoch)
            if self.write_images:
                for number, pixels in enumerate(_images_of(value)):
                    file.image(f"{variable.path}/image" + (f"/{number}" if number else ""), pixels, epoch)
        file.flush()

    def _stop_profiling(self):
        jax.block_until_ready([variable.read() for variable in self.model.variables])
        jax.profiler.stop_trace()
        self._profiling = False

    # The projector reads a list of tables with tab-separated values.

    def _embeddings(self):
        return [layer for layer in self.model._flatten_layers() if isinstance(layer, Embedding)]

    def _write_projector(self):
        names = self.embeddings_metadata
        lines = []
        for layer in self._embeddings():
            metadata = names.get(layer.name) if isinstance(names, dict) else names
            lines += [
                "embeddings {",
                f"  tensor_name: {_quoted(layer.name)}",
                f"  tensor_path: {_quoted(_table(layer))}",
            ]
            lines += [f"  metadata_path: {_quoted(metadata)}"] * bool(metadata) + ["}"]
        unknown = set(names if isinstance(names, dict) else ()) - {layer.name for layer in self._embeddings()}
        if unknown:
            raise ConfigError(
                f"embeddings_metadata has {sorted(unknown)}, which are not Embedding layers of the model.",
                fix="Its keys are names of Embedding layers: [layer.name for layer in model.layers].",
            )
        if not processes.is_first():
            return
        folder = pathlib.Path(self.log_dir)
        make_folder(folder)
        (folder / "projector_config.pbtxt").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _write_embeddings(self):
        for layer in self._embeddings():
            table = layer.embeddings.numpy()
            if processes.is_first():
                np.savetxt(pathlib.Path(self.log_dir, _table(layer)), table, "%.7g", "\t")


def _table(layer):
    """The name of the file of an embedding. A layer's name may have what means something in a path."""
    return re.sub(r"[^\w.-]", "_", f"{layer.name}.tsv")


def _quoted(text):
    """A string of the text format of protocol buffers: names come from files, and could close the quotes."""
    data = str(text).encode("utf-8", "replace")
    plain = (chr(byte) if 31 < byte < 127 and byte not in b'"\\' else f"\\{byte:03o}" for byte in data)
    return f'"{"".join(plain)}"'


def _learning_rate(model):
    rate = getattr(model.optimizer, "learning_rate", None)
    return {} if rate is None else {"learning_rate": float(rate)}


def _batches_to_profile(profile_batch):
    """(first, last) batch from a number, a pair or a text such as "10, 20"; None for 0."""
    given = profile_batch.split(",") if isinstance(profile_batch, str) else profile_batch
    try:
        numbers = [int(number) for number in (given if isinstance(given, (list, tuple)) else [given])]
        first, last = numbers[0], numbers[-1]
    except (ValueError, TypeError, IndexError):
        numbers, first, last = [], -1, -1
    if len(numbers) > 2 or first < 0 or last < first:
        raise ConfigError(f"profile_batch is a batch or a pair (first, last); got {profile_batch!r}.", fix="(10, 20)")
    return (first, last) if first else None


def _images_of(value):
    """Images, bytes of (height, width, channels), of a weight: up to three of a kernel with more than two axes."""
    value = np.squeeze(value)
    if value.ndim == 0 or not value.size:
        return []
    if value.ndim == 1:
        value = value[None]
    if value.ndim == 2 and value.shape[0] > value.shape[1]:
        value = value.T
    images = value[None] if value.ndim == 2 else np.moveaxis(value.reshape(*value.shape[:2], -1), -1, 0)[:3]
    least, greatest = images.min(), images.max()
    scaled = (images - least) * (255 / (greatest - least) if greatest > least else 0)
    return list(scaled.round().astype("uint8")[..., None])
