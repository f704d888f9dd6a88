"""SavingMixin: a model as files, state trees, JSON and exported programs."""

from __future__ import annotations

import itertools
import pathlib
import tempfile
from typing import TYPE_CHECKING, Any

from lamina import saving
from lamina.core import tree
from lamina.core.keras_tensor import KerasTensor
from lamina.errors import CallError, ConfigError
from lamina.layers.base.shapes import open_batch, symbols_of
from lamina.runtime.tracebacks import filters_traceback
from lamina.saving import state_tree as trees

if TYPE_CHECKING:
    import os

    from lamina.core.typing import PyTree
    from lamina.export.report import ExportReport
    from lamina.training.trainer import Trainer
else:
    Trainer = object  # which stands beside the mixin in Model

__all__ = ["SavingMixin"]


class SavingMixin(Trainer):
    """How a model is written, and its values read."""

    @filters_traceback
    def save(
        self, filepath: str | os.PathLike[str], overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
    ) -> Any:
        """Write architecture, weights, compile settings and the state of the optimizer to a file.

        Args:
            filepath: Path that ends in `.keras`, or in `.h5` for the legacy format.
            overwrite: Whether an existing file is replaced without a question.
            zipped: Whether the result is one file (True) or a folder (False). None means one file.
            **kwargs: `include_optimizer=False` leaves the optimizer out, `save_format` is accepted.
        """
        return saving.save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    @filters_traceback
    def save_weights(
        self, filepath: str | os.PathLike[str], overwrite: bool = True, max_shard_size: float | None = None
    ) -> Any:
        """Write the weights to a file.

        Args:
            filepath: Path that ends in `.weights.h5`, or in any other `.h5` for the legacy format.
            overwrite: Whether an existing file is replaced without a question.
            max_shard_size: Gigabytes from which the weights are split into several files. None means one file.
        """
        return saving.save_weights(self, filepath, overwrite=overwrite, max_shard_size=max_shard_size)

    @filters_traceback
    def load_weights(self, filepath: str | os.PathLike[str], skip_mismatch: bool = False, **kwargs: Any) -> Any:
        """Read weights from a file.

        Args:
            filepath: Path of a `.weights.h5`, `.keras` or legacy `.h5` file.
            skip_mismatch: Whether layers whose weights do not fit are left as they are, with a warning.
            **kwargs: `by_name=True` matches the layers of a legacy file by name; `objects_to_skip` lists objects that
                are left as they are.
        """
        return saving.load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    @filters_traceback
    def export(
        self,
        filepath: str | os.PathLike[str],
        format: str | None = None,
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> ExportReport:
        """Write the model as a program that runs without its code, for a batch of any size.

        Where a runtime for the format is installed, it runs what was written, and a result that differs from `predict`
        is not written.

        Args:
            filepath: File to write: `.jax` for StableHLO, which `jax.export.deserialize` reads, `.onnx` for ONNX,
                `.tflite` for LiteRT, or `.safetensors` for only the weights. Without an ending it is a folder.
            format: "jax", "onnx", "litert" or "safetensors" for a file. For a folder: "tf_saved_model", which
                TensorFlow and its servers read; "huggingface", with config, safetensors and model card, which
                `load_model` reads, and transformers reads decoders of KerasHub; "tfjs", which `tf.loadLayersModel` of
                TensorFlow.js reads. None means that of the ending, and "tf_saved_model" for a folder.
            verbose: Whether to print what was written; None prints it.
            input_signature: Shapes and types of the inputs. None means those of the model.
            **kwargs: `verify=x` compares on these inputs too, and `verify=False` not at all; `opset_version` of ONNX;
                `quantize` of LiteRT, "dynamic", "float16" or "int8" with `representative_data=x`;
                `weight_type` of TensorFlow.js, "float16", "uint16" or "uint8" for smaller files; `max_shard_size` in
                gigabytes and `repo_id="owner/name"` of "huggingface", which is pushed to the hub.

        Returns:
            The report: size, operators, difference from `predict`, seconds for one sample, what could not be kept.

        Raises:
            CallError: The model is not built.
            ConfigError: The format is another one, or has no operator for something that the model does.

        >>> import lamina as keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        >>> report = model.export("model.jax", verbose=False)
        >>> report.difference < 1e-4
        True
        """
        from lamina.export.writing import write_model

        return write_model(self, filepath, format, verbose is not False, input_signature, **kwargs)

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, PyTree]:
        """All values as nested dicts: "trainable_variables", "non_trainable_variables", "optimizer_variables" and
        "metrics_variables", then the parts of each variable's path.

        Args:
            value_format: "backend_tensor" for JAX arrays, "numpy_array" for copies on the host.
        """
        readers = {"backend_tensor": lambda variable: variable.value, "numpy_array": lambda variable: variable.numpy()}
        if value_format not in readers:
            raise ConfigError(
                f"value_format is one of {sorted(readers)}; got {value_format!r}.", fix='value_format="numpy_array"'
            )
        return trees.state_tree(trees.groups_of(self), readers[value_format])

    def set_state_tree(self, state_tree: dict[str, PyTree]) -> None:
        """Assign values.

        Args:
            state_tree: Values as `get_state_tree` returns them, all or some.
        """
        trees.assign(self, state_tree)

    @filters_traceback
    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON; `keras.models.model_from_json` reads it.

        Args:
            **kwargs: Arguments of `json.dumps`.
        """
        return saving.to_json(self, **kwargs)

    def __reduce__(self) -> Any:
        """Pickled and copied as what `save` writes."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "model.keras")
            saving.save_model(self, path)
            return _from_bytes, (path.read_bytes(),)

    def _symbolic_inputs(self):
        shapes: Any = self._build_shapes
        if self._graph is not None:
            return [self.input]
        if not shapes:
            raise CallError(f"{self.name} is not built: its input shapes are not known.", fix="Call it once first.")
        # A `build` of its own gets the batch of the first call, which says nothing of the next one.
        symbols = [symbols_of(open_batch(shape), self.input_dtype) for shape in shapes.values()]
        names = [name for key, shape in zip(shapes, symbols, strict=True) for name in _names(key, shape)]
        dtypes = self.__dict__.get("_called_dtypes", ())
        left = zip(names, dtypes if len(names) == len(dtypes) else itertools.repeat(None), strict=False)

        def named(tensor):
            name, dtype = next(left)
            return tensor if tensor is None else KerasTensor(tensor.shape, dtype or tensor.dtype, name=name)

        return tree.map_structure(named, symbols)


def _names(key, symbols):
    """Names of the tensors of an argument, of which `key` is "argument_shape": their keys in a dict, else its own."""
    name, count = key.removesuffix("_shape"), len(tree.flatten(symbols))
    return tree.keys_of(symbols) or ([name] if count == 1 else [f"{name}_{number}" for number in range(count)])


def _from_bytes(data):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        path.write_bytes(data)
        return saving.load_model(path, safe_mode=False)  # who reads a pickle trusts it already
